from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sts_core.analysis.adverse_events import (
    ANY_EVENT,
    ANY_RELATED,
    ANY_SERIOUS,
    ANY_SERIOUS_RELATED,
    CLASS_NOT_RECORDED,
    TERM_NOT_RECORDED,
    AdverseEventLine,
    AdverseEventResult,
    AdverseEventSpec,
    adverse_event_table,
    adverse_events,
    methods_sentence,
    r_code,
    result_rows,
    result_sentences,
)
from sts_core.cohort import Cohort, Table
from sts_core.criteria import apply_criteria
from sts_core.findings import FindingCode, StudyError
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study.file import load_study
from sts_core.study.types import (
    AdverseEventDefinition,
    AnalysisSection,
    DataSection,
    OneOf,
    TableSource,
)
from sts_core.terminology.grading import grade_of
from tests.cohorts import DEGENERATE_COMPLETE, make_cohort

SAMPLE = Path(__file__).parents[2] / "sample_data"
COLUMNS = ("who", "term", "grade", "related", "serious", "class")
ALL = AdverseEventSpec(related_only=False)


def cohort_of(
    events: Sequence[Sequence[Any]],
    /,
    n: int = 5,
    groups: Sequence[Any] | None = None,
    analysis: AnalysisSection | None = None,
    **definition: Any,
) -> Cohort:
    """Build n patients and their events; a row is (patient from 1, term, grade, ...)."""
    cohort = make_cohort(
        {"time": [9] * n, "status": [1] * n, "group": groups or ["A"] * n}, analysis=analysis
    )
    full = [[*row, *[None] * (len(COLUMNS) - len(row))] for row in events]
    frame = pd.DataFrame(
        {
            name: pd.Series([row[at] for row in full], dtype=object)
            for at, name in enumerate(COLUMNS)
        }
    )
    table = Table(
        "adverse_events", "t.xlsx", "AE", frame,
        np.array([cohort.subjects[row[0] - 1] for row in full], dtype=object),
        np.arange(2, len(full) + 2),
    )  # fmt: skip
    named = AdverseEventDefinition(**{"term": "term", "grade": "grade", **definition})
    definitions = dataclasses.replace(cohort.study.definitions, adverse_events=named)
    return dataclasses.replace(
        cohort,
        study=dataclasses.replace(cohort.study, definitions=definitions),
        tables={**cohort.tables, "adverse_events": table},
    )


def lines(result: AdverseEventResult) -> dict[str, AdverseEventLine]:
    return {line.label: line for line in result.lines}


EVENTS = [
    (1, "Nausea", 1),
    (1, "nausea ", 3),
    (1, "Fatigue", None),
    (2, "Nausea", None),
    (2, "NAUSEA", 2),
    (3, "Fatigue", None),
    (3, "Fatigue", None),
    (4, "Death", 5),
    (4, "Nausea", "Grade 4"),
]


def test_each_patient_counts_once_at_the_worst_known_grade() -> None:
    result = adverse_events(cohort_of(EVENTS), ALL)
    found = lines(result)
    assert [line.label for line in result.lines] == [ANY_EVENT, "Nausea", "Fatigue", "Death"]
    nausea = found["Nausea"].overall
    assert (nausea.n, nausea.n_any, nausea.by_grade, nausea.n_events) == (5, 3, (0, 1, 1, 1, 0), 5)
    fatigue = found["Fatigue"].overall
    assert (fatigue.n_any, fatigue.n_grade_missing, fatigue.by_grade) == (2, 2, (0,) * 5)
    any_event = found[ANY_EVENT].overall
    assert (any_event.n_any, any_event.n_grade_3_4, any_event.n_grade_5) == (4, 1, 1)
    assert any_event.n_grade_1_2 == 1
    assert any_event.n_grade_missing == 1


def test_patients_without_a_row_stay_in_the_denominator() -> None:
    result = adverse_events(cohort_of([(1, "Nausea", 1)], n=8), ALL)
    assert result.overall.n == 8
    row = adverse_event_table(result).rows[0]
    assert row["n_any_share"] == pytest.approx(1 / 8)
    assert "all 8 patients analysed" in result.footnotes[0]


def test_rows_of_patients_not_analysed_do_not_count() -> None:
    only = AnalysisSection(criteria=(OneOf(column="group", values=("A",), missing="drop"),))
    cohort = cohort_of(EVENTS, groups=["A", "B", "A", "B", "A"], analysis=only)
    result = adverse_events(cohort, ALL)
    assert result.overall.n == 3
    assert lines(result)["Nausea"].overall.n_any == 1
    assert "Death" not in lines(result)


def test_no_rows_is_no_event_but_no_table_is_not_recorded() -> None:
    empty = adverse_events(cohort_of([]), ALL)
    assert [line.label for line in empty.lines] == [ANY_EVENT]
    assert empty.any_event.overall.n_any == 0
    assert result_sentences(empty) == ("No adverse event was recorded in 5 patients.",)
    cohort = cohort_of([])
    without = dataclasses.replace(cohort, tables={"subjects": cohort.tables["subjects"]})
    with pytest.raises(StudyError) as caught:
        adverse_events(without, ALL)
    (finding,) = caught.value.findings
    assert finding.code is FindingCode.TABLE_MISSING
    assert "doesn't mean that there were none" in finding.message


def test_study_without_adverse_events_says_so() -> None:
    with pytest.raises(StudyError) as caught:
        adverse_events(make_cohort({"time": [1], "status": [1]}), AdverseEventSpec())
    assert caught.value.findings[0].code is FindingCode.TABLE_MISSING


@pytest.mark.parametrize("spec", [AdverseEventSpec(), AdverseEventSpec(by="group")])
@pytest.mark.parametrize("name", DEGENERATE_COMPLETE)
def test_every_awkward_cohort_adds_up(name: str, spec: AdverseEventSpec) -> None:
    result = adverse_events(DEGENERATE_COMPLETE[name](), spec)
    for line in result.lines:
        for counts in (line.overall, *line.groups):
            assert sum(counts.by_grade) + counts.n_grade_missing == counts.n_any
            assert counts.n_any <= min(counts.n, counts.n_events)
        assert sum(counts.n_any for counts in line.groups) == line.overall.n_any
    assert adverse_event_table(result).formatted()
    assert all(result_sentences(result))
    assert methods_sentence(result).endswith(".")
    assert all(row.value is not None for row in result_rows(result))
    assert r_code(result)


def test_all_missing_columns_are_named_at_once() -> None:
    with pytest.raises(StudyError) as caught:
        adverse_events(cohort_of(EVENTS, grade="ctc", related="rel"), ALL)
    assert [finding.column for finding in caught.value.findings] == ["ctc", "rel"]


RELATED = [
    (1, "Nausea", 4, "no"),
    (1, "Nausea", 1, "YES"),
    (2, "Nausea", 2, None),
    (3, "Cough", 3, "no"),
    (4, "Rash", 3, "possible"),
]


def test_only_related_events_count_when_asked_and_recorded() -> None:
    cohort = cohort_of(RELATED, related="related", related_values=("yes", "possible"))
    result = adverse_events(cohort, AdverseEventSpec())
    assert result.related_only
    assert set(lines(result)) == {ANY_RELATED, "Nausea", "Rash"}
    assert lines(result)["Nausea"].overall.by_grade == (1, 0, 0, 0, 0)
    assert result.n_relation_missing == 1
    assert any(note.startswith("1 event not counted: relation") for note in result.footnotes)
    assert adverse_event_table(result).title == "Treatment-related adverse events"
    everything = adverse_events(cohort, ALL)
    assert lines(everything)["Nausea"].overall.n_any == 2
    assert everything.n_relation_missing == 0


def test_a_file_that_does_not_say_what_is_related_counts_all_and_says_so() -> None:
    result = adverse_events(cohort_of(RELATED), AdverseEventSpec())
    assert not result.related_only
    assert result.any_event.overall.n_any == 4
    assert any("Relation to treatment is not recorded" in note for note in result.footnotes)


def test_relation_without_a_value_that_means_yes_is_found() -> None:
    result = adverse_events(cohort_of(RELATED, related="related"), AdverseEventSpec())
    assert not result.related_only
    assert [finding.code for finding in result.findings] == [FindingCode.LEVEL_UNKNOWN]


@pytest.mark.parametrize(
    ("cell", "grade"),
    [
        (3, 3), (3.0, 3), ("3", 3), ("3.0", 3), ("G3", 3), ("g 3", 3), ("Grade 3", 3),
        ("GRADE3", 3), ("CTCAE grade 4", 4), ("III", 3), ("iv", 4), ("Ⅲ", 3), ("3级", 3),
        ("\uff13", 3), ("Ⅳ度", 4), (0, 0), (6, 6), (2.5, 2.5), ("severe", None), ("", None),
        (None, None), (True, None), ("3-4", None), ("vi", None),
    ],
)  # fmt: skip
def test_grades_are_read_as_they_are_written(cell: object, grade: float | None) -> None:
    assert grade_of(cell) == grade


def test_grades_that_are_none_are_reported_and_counted_without() -> None:
    rows = [(1, "Nausea", 7), (1, "Nausea", 2), (2, "Nausea", 0), (3, "Nausea", "severe"),
            (4, "Nausea", "unknown")]  # fmt: skip
    result = adverse_events(cohort_of(rows), ALL)
    (finding,) = result.findings
    assert finding.code is FindingCode.GRADE_OUT_OF_RANGE
    assert finding.rows == (2, 4, 5)
    assert finding.count == result.n_grade_unusable == 3
    assert "7, 0, severe" in finding.message
    assert "If 0 means" in finding.hint
    nausea = lines(result)["Nausea"].overall
    assert (nausea.n_any, nausea.by_grade, nausea.n_grade_missing) == (4, (0, 1, 0, 0, 0), 3)


def test_missing_codes_of_the_study_are_no_grades() -> None:
    cohort = cohort_of([(1, "Nausea", 5), (1, "Nausea", 2), (2, "Nausea", 5)])
    source = TableSource(missing_codes=("5",))
    data = DataSection(tables={**cohort.study.data.tables, "adverse_events": source})
    coded = dataclasses.replace(cohort, study=dataclasses.replace(cohort.study, data=data))
    nausea = lines(adverse_events(coded, ALL))["Nausea"].overall
    assert (nausea.by_grade, nausea.n_grade_missing) == ((0, 1, 0, 0, 0), 1)


def test_spellings_of_a_term_are_one() -> None:
    rows = [(1, "Hand foot syndrome", 1), (2, " hand  FOOT syndrome", 2),
            (3, "\uff2e\uff41usea", 1),
            (4, "nausea", 1), (5, "nausea", 2), (1, "恶心", 1)]  # fmt: skip
    result = adverse_events(cohort_of(rows), ALL)
    assert [(line.label, line.overall.n_any) for line in result.lines[1:]] == [
        ("nausea", 3),
        ("Hand foot syndrome", 2),
        ("恶心", 1),
    ]


def test_rows_without_a_term() -> None:
    rows = [(1, None, 3), (2, None, None), (3, "Nausea", 1)]
    result = adverse_events(cohort_of(rows), ALL)
    assert result.n_empty_rows == 1
    assert result.any_event.overall.n_any == 2
    assert lines(result)[TERM_NOT_RECORDED].overall.n_grade_3_4 == 1
    assert any("no events" in note for note in result.footnotes)


def test_ungraded_files_have_no_grade_columns_instead_of_zeros() -> None:
    result = adverse_events(cohort_of(EVENTS, grade=None), ALL)
    assert [column.key for column in adverse_event_table(result).columns] == [
        "term", "n_any", "n_any_share",
    ]  # fmt: skip
    assert not any("grade" in row.statistic and "any" not in row.statistic
                   for row in result_rows(result))  # fmt: skip
    assert "grades are not recorded" in result.footnotes[0]
    assert "grade 3-4" not in " ".join(result_sentences(result))


def test_rare_terms_are_hidden_but_counted() -> None:
    rows = [(i, "Common", 1) for i in range(1, 6)] + [(1, "Rare", 3), (2, "At the edge", 1)]
    result = adverse_events(
        cohort_of(rows, n=5), AdverseEventSpec(related_only=False, min_percent=20)
    )
    assert {"Common", "Rare", "At the edge"} <= set(lines(result))
    result = adverse_events(
        cohort_of(rows, n=5), AdverseEventSpec(related_only=False, min_percent=20.1)
    )
    assert set(lines(result)) == {ANY_EVENT, "Common"}
    assert result.n_below_threshold == 2
    assert result.any_event.overall.n_grade_3_4 == 1
    assert any("20.1% of all patients; 2 rarer" in note for note in result.footnotes)


CLASSED = [
    (1, "Nausea", 1, None, None, "Gastrointestinal disorders"),
    (1, "Diarrhea", 3, None, None, "gastrointestinal  disorders"),
    (2, "Nausea", 2, None, None, "Gastrointestinal disorders"),
    (3, "Rash", 2, None, None, "Skin disorders"),
    (4, "Odd", 1),
]


def test_classes_head_their_terms_and_count_patients_once() -> None:
    cohort = cohort_of(CLASSED, system_organ_class="class")
    result = adverse_events(cohort, AdverseEventSpec(related_only=False, group_by_class=True))
    assert [(line.level, line.label) for line in result.lines] == [
        ("any", ANY_EVENT),
        ("class", "Gastrointestinal disorders"),
        ("term", "Nausea"),
        ("term", "Diarrhea"),
        ("class", CLASS_NOT_RECORDED),
        ("term", "Odd"),
        ("class", "Skin disorders"),
        ("term", "Rash"),
    ]
    gut = lines(result)["Gastrointestinal disorders"].overall
    assert (gut.n_any, gut.by_grade) == (2, (0, 1, 1, 0, 0))
    indents = [row["_indent"] for row in adverse_event_table(result).rows]
    assert indents == [0, 0, 1, 1, 0, 1, 0, 1]


def test_classes_that_are_not_recorded_are_said_to_be() -> None:
    result = adverse_events(
        cohort_of(EVENTS), AdverseEventSpec(related_only=False, group_by_class=True)
    )
    assert not result.grouped_by_class
    assert "System organ classes are not recorded." in result.footnotes


def test_serious_events_have_their_line() -> None:
    rows = [(1, "Nausea", 1, None, "Y"), (1, "Nausea", 4, None, "n"), (2, "Rash", 3, None, None)]
    cohort = cohort_of(rows, serious="serious", serious_values=("Y",))
    found = lines(adverse_events(cohort, ALL))
    assert found[ANY_SERIOUS].overall.by_grade == (1, 0, 0, 0, 0)
    assert ANY_SERIOUS not in lines(adverse_events(cohort_of(rows), ALL))
    no_column = cohort_of(rows, serious_values=("Y",))
    assert ANY_SERIOUS not in lines(adverse_events(no_column, ALL))


def test_header_rows_say_that_only_related_events_count() -> None:
    rows = [(1, "Nausea", 1, "yes", "Y"), (2, "Rash", 3, "no", "Y")]
    cohort = cohort_of(
        rows, serious="serious", serious_values=("Y",), related="related", related_values=("yes",)
    )
    found = lines(adverse_events(cohort, AdverseEventSpec()))
    assert {ANY_RELATED, ANY_SERIOUS_RELATED, "Nausea"} == set(found)
    assert found[ANY_SERIOUS_RELATED].overall.n_any == 1
    rare = adverse_events(cohort, AdverseEventSpec(min_percent=100))
    assert "any treatment-related adverse event" in " ".join(rare.footnotes)


def test_row_filter_of_the_study() -> None:
    cohort = cohort_of(RELATED, rows={"related": ("no",)})
    assert set(lines(adverse_events(cohort, ALL))) == {ANY_EVENT, "Nausea", "Cough"}
    nothing = adverse_events(cohort_of(RELATED, rows={"related": ("never",)}), ALL)
    assert [finding.code for finding in nothing.findings] == [FindingCode.ROW_FILTER_EMPTY]


def test_groups_stand_side_by_side_with_their_own_denominators() -> None:
    cohort = cohort_of(EVENTS, groups=["A", "A", "B", None, "C"])
    result = adverse_events(cohort, AdverseEventSpec(by="group", related_only=False))
    assert [(group.label, group.n) for group in result.groups] == [("A", 2), ("B", 1), ("C", 1)]
    assert result.overall.n == 4
    assert result.n_unknown_group == 1
    nausea = lines(result)["Nausea"]
    assert [counts.n_any for counts in nausea.groups] == [2, 0, 0]
    assert nausea.overall.n_any == 2
    table = adverse_event_table(result)
    assert table.columns[1].spanner == "A (N = 2): Any grade"
    assert "Death" not in lines(result)
    two = adverse_events(
        cohort, AdverseEventSpec(by="group", levels=("C", "A"), related_only=False)
    )
    assert [group.label for group in two.groups] == ["A", "C"]
    assert any("over 2 of 3 levels" in note for note in two.footnotes)


events = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from(["Nausea", "nausea", "Rash", "Anemia", None]),
        st.sampled_from([1, 2, 3, 4, 5, None, 9, "G2"]),
    ),
    max_size=25,
)


@given(events, st.permutations(range(25)))
def test_counts_agree_with_a_plain_loop_whatever_the_order(
    rows: list[tuple[int, str | None, Any]], order: list[int]
) -> None:
    result = adverse_events(cohort_of(rows, n=6), ALL)
    plain: dict[str, dict[int, list[int]]] = {}
    read = {"G2": 2, 9: 0, None: 0}
    for who, term, cell in rows:
        if term is None and cell is None:
            continue
        for name in ("any", "-" if term is None else term.lower()):
            plain.setdefault(name, {}).setdefault(who, []).append(read.get(cell, cell))
    labels = {"any": ANY_EVENT.lower(), "-": TERM_NOT_RECORDED.lower()}
    found = {line.label.lower(): line.overall for line in result.lines}
    assert len(found) == max(1, len(plain))
    for name, by_patient in plain.items():
        counts = found[labels.get(name, name)]
        worst = [max(grades) for grades in by_patient.values()]
        assert counts.n_any == len(worst)
        assert counts.by_grade == tuple(worst.count(grade) for grade in range(1, 6))
        assert counts.n_grade_missing == worst.count(0)
        assert counts.n_events == sum(map(len, by_patient.values()))
        assert counts.n_any <= result.any_event.overall.n_any <= result.overall.n
    shuffled = [rows[at] for at in order if at < len(rows)]
    again = adverse_events(cohort_of(shuffled, n=6), ALL)
    assert {line.label.lower(): line.overall for line in again.lines} == found
    for row in result_rows(result):
        assert row.value is not None
        assert math.isfinite(row.value)
    assert adverse_event_table(result).formatted()
    assert result_sentences(result)
    assert "stopifnot(n == 6)" in r_code(result)


def test_spec_goes_through_a_study_file() -> None:
    adapter = TypeAdapter(AdverseEventSpec)
    spec = AdverseEventSpec(by="group", min_percent=10)
    assert adapter.validate_python(adapter.dump_python(spec, mode="json")) == spec
    with pytest.raises(ValidationError):
        adapter.validate_python({"threshold": 3})
    with pytest.raises(ValueError, match="101"):
        AdverseEventSpec(min_percent=101)


PUBLISHED = {
    "hypertension": (12, 0),
    "diarrhea": (9, 1),
    "proteinuria": (9, 1),
    "anemia": (8, 2),
    "fatigue": (7, 0),
    "hand foot syndrome": (7, 2),
    "renal insufficiency": (7, 0),
    "thrombocytopenia": (6, 0),
    "white blood cell count decreased": (6, 0),
    "hemorrhage": (5, 2),
    "liver dysfunction": (4, 0),
    "interstitial pneumonia": (3, 0),
    "toothache": (2, 0),
    "oral mucositis": (2, 0),
    "hypothyroidism": (2, 0),
    "elevated bilirubin": (2, 0),
    "musculoskeletal pain": (1, 0),
}


def test_sample_has_the_published_table() -> None:
    study = load_study((SAMPLE / "study.yaml").read_text(encoding="utf-8"))
    book = read_bytes("sts_cohort.xlsx", (SAMPLE / "sts_cohort.xlsx").read_bytes())
    cohort = apply_criteria(assemble(study, [book]), study)
    result = adverse_events(cohort, AdverseEventSpec())
    assert result.related_only
    counts = result.any_event.overall
    assert (counts.n, counts.n_any, counts.n_grade_3_4, counts.n_grade_5) == (51, 39, 8, 0)
    found = {
        line.label.lower(): (line.overall.n_any, line.overall.n_grade_3_4)
        for line in result.lines
        if line.level == "term"
    }
    assert {term: found.get(term) for term in PUBLISHED} == PUBLISHED
    assert result_sentences(result)[0] == (
        "39 of 51 patients (76.5%) had at least one treatment-related adverse event, "
        "8 (15.7%) at worst of grade 3-4, none of grade 5."
    )
    assert methods_sentence(result).startswith("Treatment-related adverse events")
    assert adverse_events(cohort, ALL).any_event.overall.n_any >= 39
    assert "Synthetic data, not patients." in result.footnotes
