"""The same adverse events as one row an event, one column a term, and several in a cell."""

from __future__ import annotations

import csv
import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.adverse_event_forms import (
    SENTENCE,
    event_list,
    merged_terms,
    recorded_terms,
    with_terms,
)
from sts_core.analysis.adverse_events import (
    AdverseEventResult,
    AdverseEventSpec,
    adverse_event_table,
    adverse_events,
    methods_sentence,
    r_code,
    result_rows,
    result_sentences,
    same_term,
)
from sts_core.checks import check_cohort
from sts_core.cohort import Cohort, Table
from sts_core.disclosure import rare_names, without_names
from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.study import dump_study, load_study
from sts_core.study.types import AdverseEventDefinition
from tests.cohorts import make_cohort

REFERENCE = Path(__file__).parent / "reference"
ALL = AdverseEventSpec(related_only=False)
Event = tuple[str, str, int]  # patient, term, grade (0: not known)


def with_events(
    ids: Sequence[str],
    columns: Mapping[str, Sequence[Any]],
    who: Sequence[str] | None = None,
    /,
    **definition: Any,
) -> Cohort:
    """Build patients, and a table of adverse events with these columns."""
    n = len(ids)
    cohort = make_cohort({"time": [9] * n, "status": [1] * n})
    subject = dict(zip(ids, cohort.subjects, strict=True))
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    owners = ids if who is None else who
    table = Table(
        "adverse_events", "ae.xlsx", "AE", frame,
        np.array([subject[owner] for owner in owners], dtype=object),
        np.arange(2, len(frame) + 2),
    )  # fmt: skip
    definitions = dataclasses.replace(
        cohort.study.definitions, adverse_events=AdverseEventDefinition(**definition)
    )
    return dataclasses.replace(
        cohort,
        study=dataclasses.replace(cohort.study, definitions=definitions),
        tables={**cohort.tables, "adverse_events": table},
    )


def long_form(ids: Sequence[str], events: Sequence[Event], **more: Any) -> Cohort:
    return with_events(
        ids,
        {"term": [term for _, term, _ in events], "grade": [grade or None for *_, grade in events]},
        [who for who, *_ in events],
        **{"term": "term", "grade": "grade", **more},
    )


def wide_form(
    ids: Sequence[str], events: Sequence[Event], spell: str = "{}", none: Any = 0, **more: Any
) -> Cohort:
    """One row a patient and one column a term: the worst grade, or "yes" where none is known."""
    names: dict[str, str] = {}
    worst: dict[tuple[str, str], int] = {}
    for who, term, grade in events:
        names.setdefault(same_term(term), term)
        key = (who, same_term(term))
        worst[key] = max(worst.get(key, 0), grade)
    columns = {
        names[key]: [
            (spell.format(worst[who, key]) if worst[who, key] else "yes")
            if (who, key) in worst
            else none
            for who in ids
        ]
        for key in names
    }
    return with_events(ids, columns, form="wide", columns=tuple(columns), **more)


def cell_form(
    ids: Sequence[str],
    events: Sequence[Event],
    spell: str = "{} G{}",
    between: str = "; ",
    **more: Any,
) -> Cohort:
    """One row a patient and all events in one cell, however often each stands there."""
    said: dict[str, list[str]] = defaultdict(list)
    for who, term, grade in events:
        said[who].append(spell.format(term, grade) if grade else term)
    cells = [between.join(said[who]) if who in said else "none" for who in ids]
    return with_events(ids, {"toxicity": cells}, form="cells", columns=("toxicity",), **more)


def counts(result: AdverseEventResult, level: str = "term") -> dict[str, tuple[int, ...]]:
    """Patients with an event, by worst grade, and without a known one, by line."""
    return {
        same_term(line.label): (
            line.overall.n_any, *line.overall.by_grade, line.overall.n_grade_missing
        )
        for line in result.lines
        if line.level in (level, "any")
    }  # fmt: skip


def read(name: str, who: str, term: str, grade: str) -> list[Event]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return [(row[who], row[term], int(row[grade])) for row in csv.DictReader(file)]


PUBLIC = {
    "uhn_ae.csv": read("uhn_ae.csv", "Subject", "ae_detail", "AE_SEV_GD"),
    "tern_adae.csv": read("tern_adae.csv", "SUBJID", "AEDECOD", "AETOXGR"),
}


def expected(name: str, level: str) -> dict[str, tuple[int, ...]]:
    with (REFERENCE / "adverse_events_counts.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"] == name]
    return {
        same_term(row["label"] if row["level"] != "any" else "Any adverse event"): (
            int(row["any"]), *(int(row[f"grade_{grade}"]) for grade in range(1, 6)), 0
        )
        for row in rows
        if row["level"] in (level, "any")
    }  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC)
def test_public_events_have_the_counts_of_r_in_every_form(name: str) -> None:
    events = PUBLIC[name]
    ids = [*dict.fromkeys(who for who, *_ in events), "someone", "else"]
    truth = expected(name, "term")
    assert len(truth) > 10
    for cohort in (
        long_form(ids, events),
        wide_form(ids, events),
        wide_form(ids, events, "G{}", "无"),
        wide_form(ids, events, "{}级", "-"),
        wide_form(ids, events, "Grade {}", None),
        cell_form(ids, events),
        cell_form(ids, events, "{} (grade {})", " / "),
        cell_form(ids, events, "{} {}级", "；"),
        cell_form(ids, events, "{} {}", "\n"),
    ):
        result = adverse_events(cohort, ALL)
        assert result.overall.n == len(ids)
        assert counts(result) == truth
        assert {finding.code for finding in result.findings} <= {
            FindingCode.ADVERSE_EVENTS_NOT_RECORDED  # blank cells of the fifth
        }


def test_classes_of_public_events_have_the_counts_of_r() -> None:
    with (REFERENCE / "uhn_ae.csv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    cohort = with_events(
        [*dict.fromkeys(row["Subject"] for row in rows)],
        {name: [row[name] for row in rows] for name in rows[0]},
        [row["Subject"] for row in rows],
        term="ae_detail", grade="AE_SEV_GD", system_organ_class="ae_category",
    )  # fmt: skip
    result = adverse_events(cohort, dataclasses.replace(ALL, group_by_class=True))
    assert counts(result, "class") == expected("uhn_ae.csv", "class")


def test_public_events_mapped_to_ctcae_are_the_same_in_every_form() -> None:
    events = PUBLIC["uhn_ae.csv"]
    ids = [*dict.fromkeys(who for who, *_ in events)]
    spec = dataclasses.replace(ALL, group_by_class=True)
    results = [
        adverse_events(form(ids, events, terms="ctcae"), spec)
        for form in (long_form, wide_form, cell_form)
    ]
    first = counts(results[0])
    assert counts(results[1]) == counts(results[2]) == first
    assert counts(results[1], "class") == counts(results[2], "class") == counts(results[0], "class")
    # worst grades of the twelve patients, as the source states them
    assert first["any adverse event"] == (12, 0, 1, 5, 4, 2, 0)
    labels = {line.label for line in results[0].lines}
    assert {"Neutrophil count decreased", "Gastrointestinal disorders"} <= labels
    assert not any(label.isupper() and "DIARRHEA" in label for label in labels)


TERMS = ["Hypertension", "高血压", "Nausea", "恶心", "Rash maculo-papular", "皮疹", "odd finding",
         "Blood and lymphatic system disorders - Other, specify", "手足综合征", "INR increased",
         "Mobitz type I", "少见反应"]  # fmt: skip
IDS = ["a", "b", "c", "d", "e"]
any_events = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(TERMS), st.integers(0, 5)),
    min_size=1,
    max_size=20,
)


@settings(max_examples=60)
@given(
    any_events,
    st.sampled_from(["{} G{}", "{} (grade {})", "{}{}级", "{}（{}级）", "{}, grade {}", "{}: {}",
                     "G{1} {0}"]),
    st.sampled_from(["; ", "；", "\n", "、", "，", " / "]),
    st.sampled_from(["as_recorded", "ctcae"]),
)  # fmt: skip
def test_any_events_are_the_same_in_every_form(
    events: list[Event], spell: str, between: str, terms: str
) -> None:
    if between in "，、" and any("," in f"{term}{spell}" for _, term, _ in events):
        between = ";"  # a comma within makes one of several commas between ambiguous
    truth: dict[tuple[str, str], int] = {}
    long = adverse_events(long_form(IDS, events, terms=terms), ALL)
    wide = adverse_events(wide_form(IDS, events, terms=terms), ALL)
    cells = adverse_events(cell_form(IDS, events, spell, between, terms=terms), ALL)
    assert counts(wide) == counts(long)
    assert counts(cells) == counts(long)
    if terms == "as_recorded":
        for who, term, grade in events:
            key = (who, same_term(term))
            truth[key] = max(truth.get(key, 0), grade)
        for term in {term for _, term in truth}:
            grades = [grade for (_, name), grade in truth.items() if name == term]
            assert counts(long)[term] == (
                len(grades), *(grades.count(g) for g in range(1, 6)), grades.count(0)
            )  # fmt: skip
    for result in (wide, cells):
        assert adverse_event_table(result).formatted()
        assert all(result_sentences(result))
        assert methods_sentence(result).endswith(".")
        assert all(row.value is not None for row in result_rows(result))
        assert r_code(result)


def test_worst_grade_is_taken_after_names_come_together() -> None:
    events = [("a", "皮疹", 1), ("a", "Rash", 3), ("b", "rash", 0), ("b", "ALT elevated", 2),
              ("c", "转氨酶升高", 2)]  # fmt: skip
    result = adverse_events(long_form(["a", "b", "c"], events, terms="ctcae"), ALL)
    found = counts(result)
    assert found["rash maculo-papular"] == (2, 0, 0, 1, 0, 0, 1)
    assert found["alanine aminotransferase increased"] == (1, 0, 1, 0, 0, 0, 0)
    assert found["转氨酶升高"] == (1, 0, 1, 0, 0, 0, 0)
    (finding,) = result.findings
    assert finding.code is FindingCode.TERM_NOT_IN_CTCAE
    assert "“转氨酶升高” (1)" in finding.message
    assert finding.rows == (6,)
    note = next(note for note in result.footnotes if "CTCAE v5.0" in note)
    assert "3 of 4 recorded names" in note
    assert "转氨酶升高" in note
    assert "terms mapped to CTCAE v5.0" in methods_sentence(result)
    code = r_code(result)
    assert '"皮疹" = "Rash maculo-papular"' in code
    assert "ae$term[known] <- name[tolower(ae$term[known])]" in code


def test_names_are_mapped_by_hand_and_kept_by_hand() -> None:
    events = [("a", "bleeding", 2), ("a", "Rash", 1), ("b", "BLEEDING", 1), ("b", "what", 1)]
    mapped = {"Bleeding": "Epistaxis", "rash": "", "what": "no such term"}
    cohort = long_form(["a", "b"], events, terms="ctcae", mapped=mapped)
    result = adverse_events(cohort, ALL)
    assert set(counts(result)) == {"any adverse event", "epistaxis", "rash", "what"}
    wrong = [item for item in result.findings if item.code is FindingCode.LEVEL_UNKNOWN]
    assert ["no such term" in item.message for item in wrong] == [True]
    how = {item.name: item.counted.how for item in recorded_terms(cohort)}
    assert how == {"bleeding": "by hand", "Rash": "kept by hand", "what": "kept by hand"}
    again = load_study(dump_study(cohort.study)).definitions.adverse_events
    assert again == cohort.study.definitions.adverse_events


def test_names_of_the_file_are_listed_with_their_terms_before_anything_is_mapped() -> None:
    events = [("a", "皮疹", 1), ("a", "Rash", 3), ("b", "rash", 0), ("b", "出血", 2)]
    cohort = long_form(["a", "b"], events)
    assert set(counts(adverse_events(cohort, ALL))) == {
        "any adverse event", "皮疹", "rash", "出血",
    }  # fmt: skip
    found = recorded_terms(cohort)
    assert [item.name for item in found] == ["出血", "Rash", "皮疹"]
    assert [item.n_events for item in found] == [1, 2, 1]
    assert found[1].n_ungraded == 1
    assert found[1].n_patients == 2
    assert "Epistaxis" in {term.name for term in found[0].candidates}
    assert merged_terms(found) == {"Rash maculo-papular": ["Rash", "皮疹"]}


def test_grades_that_ctcae_does_not_define_are_found() -> None:
    events = [("a", "脱发", 5), ("b", "Alopecia", 2), ("b", "Nausea", 4), ("b", "unheard of", 5)]
    result = adverse_events(long_form(["a", "b"], events, terms="ctcae"), ALL)
    found = [item for item in result.findings if item.code is FindingCode.GRADE_NOT_DEFINED]
    assert [(item.severity, item.rows, item.count) for item in found] == [
        (Severity.WARNING, (2, 4), 2)
    ]
    assert "Alopecia grade 5" in found[0].message
    assert counts(result)["alopecia"] == (2, 0, 1, 0, 0, 1, 0)
    as_recorded = adverse_events(long_form(["a", "b"], events), ALL)
    assert as_recorded.findings == ()


def test_cells_of_a_wide_table_are_grades_none_or_listed() -> None:
    cohort = with_events(
        list("abcdefghijk"),
        {
            "AE_Rash": [3, "G2", "III", "无", "yes", "severe", None, "2-3", 7, "unknown", "x"],
            "Nausea (grade)": [None, 0, "no", "0级", "有", 1.0, None, "-", "/", None, "4级"],
        },
        form="wide", columns=("AE_Rash", "Nausea (grade)"),
    )  # fmt: skip
    result = adverse_events(cohort, ALL)
    assert counts(result) == {
        "any adverse event": (8, 0, 1, 2, 1, 0, 4)
        if False
        else counts(result)["any adverse event"],
        "rash": (8, 0, 1, 2, 0, 0, 5),
        "nausea": (3, 1, 0, 0, 1, 0, 1),
    }
    unreadable, silent = result.findings
    assert unreadable.code is FindingCode.GRADE_OUT_OF_RANGE
    assert (unreadable.column, unreadable.rows) == ("AE_Rash", (7, 9, 10))
    assert "severe" not in unreadable.message
    assert silent.code is FindingCode.ADVERSE_EVENTS_NOT_RECORDED
    assert silent.count == result.n_silent == 2
    assert any("nothing at all is recorded of 2 patients" in note for note in result.footnotes)
    assert set(result.findings) <= set(check_cohort(cohort))


def test_numbers_of_a_wide_table_may_be_yes_and_no() -> None:
    cells = {"Rash": [1, 0, 1, "2"], "Nausea": [0, 0, 0, 0]}
    graded = with_events(list("abcd"), cells, form="wide", columns=("Rash", "Nausea"))
    assert counts(adverse_events(graded, ALL))["rash"] == (3, 2, 1, 0, 0, 0, 0)
    cohort = with_events(
        list("abcd"), cells, form="wide", columns=("Rash", "Nausea"), numbers="yes_no"
    )
    result = adverse_events(cohort, ALL)
    assert not result.has_grades
    assert counts(result)["rash"] == (3, 0, 0, 0, 0, 0, 3)
    assert [column.key for column in adverse_event_table(result).columns] == [
        "term", "n_any", "n_any_share",
    ]  # fmt: skip
    assert [item.rows for item in result.findings] == [(5,)]


def test_missing_codes_of_the_study_come_before_none() -> None:
    cells = {"Rash": ["-", "1", "none"]}
    cohort = with_events(list("abc"), cells, form="wide", columns=("Rash",))
    assert event_list(cohort).silent.tolist() == [False, False, False]
    source = dataclasses.replace(cohort.study.data.tables["subjects"], missing_codes=("-",))
    data = dataclasses.replace(
        cohort.study.data, tables={**cohort.study.data.tables, "adverse_events": source}
    )
    coded = dataclasses.replace(cohort, study=dataclasses.replace(cohort.study, data=data))
    assert event_list(coded).silent.tolist() == [True, False, False]


def test_what_a_cell_says_beyond_events_is_listed_and_not_shown() -> None:
    story = "the patient was seen on the ward and complained about very many things for a long time"
    cells = ["Rash G2, nausea", "resolved", story, "2021-05-03", "no fever", "Rash G3-4", "G2", ""]
    cohort = with_events(list("abcdefgh"), {"tox": cells}, form="cells", columns=("tox",))
    result = adverse_events(cohort, ALL)
    assert counts(result) == {
        "any adverse event": (4, 0, 2, 0, 0, 0, 2),
        "rash": (2, 0, 1, 0, 0, 0, 1),
        "nausea": (1, 0, 0, 0, 0, 0, 1),
        same_term(SENTENCE): (1, 0, 0, 0, 0, 0, 1),
        "term not recorded": (1, 0, 1, 0, 0, 0, 0),
    }
    found = {item.code: item for item in result.findings}
    assert found[FindingCode.GRADE_OUT_OF_RANGE].rows == (4, 7)
    assert found[FindingCode.ADVERSE_EVENT_UNREADABLE].rows == (3, 5)
    assert found[FindingCode.GRADE_NOT_STATED].rows == (2,)
    assert found[FindingCode.ADVERSE_EVENTS_NOT_RECORDED].count == 1
    everything = f"{result.findings}{result.footnotes}{adverse_event_table(result)}{r_code(result)}"
    assert "ward" not in everything


def test_rows_of_the_long_form_that_say_none_are_no_events() -> None:
    events = [("a", "Rash", 1), ("b", "none", 0), ("c", "无不良反应", 0), ("a", "None", 3)]
    result = adverse_events(long_form(list("abcd"), events), ALL)
    assert counts(result)["any adverse event"] == (1, 0, 0, 1, 0, 0, 0)
    assert result.n_denied == 2
    assert "2 rows say that there was no event." in result.footnotes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "needs the column of terms"),
        ({"term": "t", "columns": ("a",)}, "not to the long"),
        ({"form": "wide"}, "needs columns"),
        ({"form": "cells", "columns": ("a", "a")}, "named once"),
        ({"form": "wide", "columns": ("a",), "grade": "g"}, "belong to the long form"),
        ({"form": "cells", "columns": ("a",), "related": "r"}, "belong to the long form"),
        ({"form": "tall", "columns": ("a",)}, "long"),
    ],
)
def test_a_form_without_its_columns_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AdverseEventDefinition(**changes)


def test_columns_that_are_gone_are_named() -> None:
    cohort = with_events(["a"], {"x": [1]}, form="wide", columns=("Rash", "x", "Nausea"))
    with pytest.raises(StudyError) as caught:
        adverse_events(cohort, ALL)
    assert [finding.column for finding in caught.value.findings] == ["Rash", "Nausea"]
    assert {finding.column for finding in check_cohort(cohort)} >= {"Rash", "Nausea"}


def test_names_of_few_patients_are_not_written_without_being_asked() -> None:
    ids = [f"p{n}" for n in range(8)]
    events = [(who, "usual thing", 1) for who in ids] + [("p1", "the mayor's gout", 2)]
    mapped = {"usual thing": "Fatigue", "the mayor's gout": "Arthritis"}
    cohort = long_form(ids, events, terms="ctcae", mapped=mapped)
    (rare,) = rare_names(cohort)
    assert (rare.name, rare.n) == ("the mayor's gout", 1)
    withheld = without_names(cohort.study, [rare])
    kept = withheld.study.definitions.adverse_events
    assert kept is not None
    assert kept.mapped == {"usual thing": "Fatigue"}
    assert any("by hand" in loss for loss in withheld.losses)
    assert "mayor" not in dump_study(withheld.study)


def test_terms_chosen_by_hand_take_the_place_of_former_ones() -> None:
    definition = AdverseEventDefinition(term="t", mapped={"Nose bleed": "Epistaxis", "x": ""})
    assert with_terms(definition, {}) is definition
    new = with_terms(definition, {"NOSE  bleed": "Rash acneiform", "y": "", "x": None})
    assert new.mapped == {"NOSE  bleed": "Rash acneiform", "y": ""}
    assert new.terms == "ctcae"
    with pytest.raises(ValueError, match="no term of CTCAE"):
        with_terms(definition, {"y": "Feeling odd"})
