"""Rows find their patient by id under a stated rule; nobody is gained or lost on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.derive import levels_of
from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.reading.assembly import assemble
from sts_core.reading.linkage import alike, id_key, link
from sts_core.reading.subject_table import PATIENT_ROWS
from sts_core.study import (
    DataSection,
    Definitions,
    IdRule,
    RowChoice,
    Status,
    Study,
    TableSource,
    Variable,
)
from tests.doubles import FILE, book_of, cohort_of

RULES = list(IdRule)


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("P1", "P1", IdRule.EXACT),
        ("P-001", "p-001", IdRule.SPELLING),
        ("P 001", "P001", IdRule.SPELLING),
        ("\uff30\uff10\uff10\uff11", "P001", IdRule.SPELLING),
        ("7", "7.0", IdRule.SPELLING),
        ("007", "7", IdRule.ZEROS),
        ("P-007", "p-7", IdRule.ZEROS),
        ("P-001", "001", IdRule.NUMBER),
        ("AB12-CHN-3-id-7", "7", IdRule.NUMBER),
        ("1", "2", None),
        ("P-10", "P-1", None),
        ("0", "00", IdRule.ZEROS),
        ("A", "B", None),
    ],
)
def test_from_which_rule_on_two_ids_are_one(first: str, second: str, rule: IdRule | None) -> None:
    chain = [other for other in RULES if other is not IdRule.SIGNS]  # it forgives other things
    alike_from = [other for other in chain if id_key(first, other) == id_key(second, other)]
    assert alike_from == (chain[chain.index(rule) :] if rule else [])


def test_a_key_that_two_patients_share_is_nobodys() -> None:
    patients = {"A-1": ["S001"], "B-1": ["S002"], "C-2": ["S003"]}
    found = link(np.array(["1", "2", None], dtype=object), patients, IdRule.NUMBER)
    assert found.subject.tolist() == [None, "S003", None]
    assert (found.n_ids, found.n_ids_matched, found.n_ids_unclear) == (2, 1, 1)


def test_ids_that_differ_in_case_only_are_named() -> None:
    assert alike(["P1", "p1", "P2"]) == {"P1", "p1"}


IDS = st.sampled_from(["a", "b", "c", "d", "e", "x", "y"])
CELLS = st.none() | IDS | st.sampled_from([" ", "NA"])


@given(
    patients=st.lists(IDS, min_size=1, max_size=5, unique=True),
    rows=st.lists(st.tuples(CELLS, st.sampled_from(["Yes", "No"])), min_size=1, max_size=12),
)
def test_matched_and_unmatched_rows_are_all_rows_and_all_patients_stay(
    patients: list[str], rows: list[tuple[str | None, str]]
) -> None:
    cohort = cohort_of(
        {"id": patients},
        subject_id="id",
        others={
            "events": (
                TableSource(file="events.csv", subject_id="who"),
                {"who": [who for who, _ in rows], "flag": [flag for _, flag in rows]},
            )
        },
    )
    join = cohort.joins["events"]
    assert list(cohort.source_ids.values()) == patients
    numbered = {at + 2: who for at, (who, _) in enumerate(rows)}
    table = cohort.tables.get("events")
    matched = table.rows.tolist() if table else []
    lost = [*join.rows_unmatched, *join.rows_without_id]
    assert sorted([*matched, *lost]) == sorted(numbered)
    assert join.n_rows_matched == len(matched)
    assert {numbered[row] for row in matched} == set(patients) & set(numbered.values())
    assert {numbered[row] for row in join.rows_without_id} <= {None, " ", "NA"}
    assert not {numbered[row] for row in join.rows_unmatched} & {*patients, None, " ", "NA"}
    here = {cohort.source_ids[subject] for subject in (table.subject.tolist() if table else [])}
    assert join.n_subjects_without_row == len(patients) - len(here)
    assert join.n_ids == len(set(numbered.values()) - {None, " ", "NA"})


@given(
    patients=st.lists(IDS, min_size=1, max_size=6, unique=True),
    known=st.dictionaries(IDS, st.sampled_from(["Yes", "No"]), min_size=1),
)
def test_a_patient_without_a_row_is_not_known_never_no(
    patients: list[str], known: dict[str, str]
) -> None:
    source = TableSource(file="other.csv", subject_id="who")
    cohort = cohort_of(
        {"id": patients},
        Definitions(variables={"flag": Variable(label="Flag", table="other")}),
        subject_id="id",
        others={"other": (source, {"who": list(known), "flag": list(known.values())})},
    )
    if "other" not in cohort.tables:
        assert not set(patients) & set(known)
        return
    expected = [known.get(patient) for patient in patients]
    assert levels_of(cohort, "flag").values.tolist() == expected


def two_tables(rule: IdRule) -> Study:
    return Study(
        data=DataSection(
            {
                "subjects": TableSource(file="a.csv", subject_id="id"),
                "visits": TableSource(file="b.csv", subject_id="id", id_rule=rule),
            }
        )
    )


BOOKS = [
    book_of({"id": ["P-001", "P-002", "P-003"]}, file="a.csv"),
    book_of({"id": ["P-001", "2", "003", "9"]}, file="b.csv"),
]


def test_a_looser_rule_is_offered_and_only_used_when_it_is_chosen() -> None:
    cohort = assemble(two_tables(IdRule.EXACT), BOOKS)
    join = cohort.joins["visits"]
    assert cohort.tables["visits"].rows.tolist() == [2]
    assert (join.n_ids, join.n_ids_matched, join.rows_unmatched) == (4, 1, (3, 4, 5))
    assert (join.better, join.n_better) == (IdRule.NUMBER, 2)
    (finding,) = cohort.findings
    assert "2 more ids match" in finding.hint
    chosen = assemble(two_tables(IdRule.NUMBER), BOOKS)
    assert chosen.tables["visits"].subject.tolist() == ["S001", "S002", "S003"]
    assert chosen.joins["visits"].rows_unmatched == (5,)
    assert chosen.joins["visits"].better is None


def test_ids_that_differ_in_case_in_the_patient_table_are_two_patients_and_said() -> None:
    cohort = cohort_of({"id": ["p1", "P1", "P2"]}, subject_id="id")
    assert cohort.n == 3
    (finding,) = cohort.findings
    assert finding.code is FindingCode.SUBJECT_REPEATED
    assert finding.severity is Severity.WARNING
    assert finding.rows == (2, 3)


VISITS = {
    "id": ["a", "a", "b", None, "b", "c", "a"],
    "day": ["2020-03-01", "2020-01-05", None, "2020-01-01", "2020-02-01", None, "2020-03-01"],
    "x": [str(at) for at in range(7)],
}


def taken(take: RowChoice, by: str | None = None, **more: object) -> list[int]:
    source = TableSource(
        file=FILE, subject_id="id", take=take, take_by=by, subject_id_status=Status.CONFIRMED
    )
    return cohort_of(VISITS, source=source).tables["subjects"].rows.tolist()


@pytest.mark.parametrize(
    ("take", "by", "rows"),
    [
        (RowChoice.FIRST, None, [2, 4, 7]),
        (RowChoice.LAST, None, [6, 7, 8]),
        (RowChoice.EARLIEST, "day", [3, 6, 7]),
        (RowChoice.LATEST, "day", [2, 6, 7]),
        (RowChoice.LATEST, "x", [6, 7, 8]),
        (RowChoice.EACH, None, [2, 3, 4, 6, 7, 8]),
    ],
)
def test_the_row_of_a_patient_that_was_chosen(
    take: RowChoice, by: str | None, rows: list[int]
) -> None:
    assert taken(take, by) == rows


def test_no_number_before_somebody_confirmed_which_row_counts() -> None:
    for take, code in ((None, "subject_repeated"), (RowChoice.FIRST, "rows_not_patients")):
        with pytest.raises(StudyError) as error:
            cohort_of(VISITS, source=TableSource(file=FILE, subject_id="id", take=take))
        assert error.value.findings[-1].code == code
        assert error.value.findings[-1].severity is Severity.ERROR


def test_a_choice_by_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(StudyError) as error:
        taken(RowChoice.LATEST, "date")
    assert error.value.findings[0].code is FindingCode.COLUMN_MISSING


def test_patients_without_any_date_are_named() -> None:
    cells = {"id": ["a", "a", "b"], "day": [None, "NA", "2020-01-01"]}
    source = TableSource(
        file=FILE, subject_id="id", take=RowChoice.LATEST, take_by="day",
        subject_id_status=Status.CONFIRMED,
    )  # fmt: skip
    cohort = cohort_of(cells, source=source)
    assert cohort.tables["subjects"].rows.tolist() == [2, 4]
    (finding,) = cohort.findings
    assert (finding.code, finding.rows) == (FindingCode.DATE_UNREADABLE, (2,))


def test_rows_that_are_patients_report_repeated_ids_and_join_nothing_to_them() -> None:
    source = TableSource(
        file=FILE, subject_id="id", take=RowChoice.EACH, subject_id_status=Status.CONFIRMED
    )
    cohort = cohort_of(
        {"id": ["a", "a", "b"]},
        source=source,
        others={"events": (TableSource(file="e.csv", subject_id="id"), {"id": ["a", "b"]})},
    )
    assert cohort.n == 3
    assert cohort.tables["events"].subject.tolist() == ["S003"]
    assert cohort.joins["events"].n_ids_unclear == 1
    assert FindingCode.SUBJECT_REPEATED in {finding.code for finding in cohort.findings}


@given(
    ids=st.lists(st.none() | IDS, min_size=1, max_size=12).filter(lambda ids: set(ids) != {None}),
    take=st.sampled_from([choice for choice in PATIENT_ROWS if choice is not RowChoice.EACH]),
    days=st.lists(st.integers(1, 5) | st.none(), min_size=12, max_size=12),
)
def test_one_row_of_each_id_whatever_is_chosen(
    ids: list[str | None], take: RowChoice, days: list[int | None]
) -> None:
    by_day = take in (RowChoice.EARLIEST, RowChoice.LATEST)
    source = TableSource(
        file=FILE, subject_id="id", take=take, take_by="day" if by_day else None,
        subject_id_status=Status.CONFIRMED,
    )  # fmt: skip
    cohort = cohort_of({"id": ids, "day": days[: len(ids)]}, source=source)
    assert sorted(cohort.source_ids.values()) == sorted({text for text in ids if text is not None})
    if not by_day:
        return
    for subject, row in zip(cohort.subjects, cohort.tables["subjects"].rows, strict=True):
        own = [
            day
            for text, day in zip(ids, days, strict=False)
            if text == cohort.source_ids[subject] and day is not None
        ]
        best = (max if take is RowChoice.LATEST else min)(own) if own else None
        assert days[row - 2] == best


def test_a_second_row_a_patient_of_another_table_can_be_chosen_too() -> None:
    others = {
        "visits": (
            TableSource(file="v.csv", subject_id="id", take=RowChoice.LAST),
            {"id": ["a", None, "a"], "x": ["1", "2", "3"]},
        )
    }
    cohort = cohort_of({"id": ["a"]}, subject_id="id", others=others)
    assert cohort.tables["visits"].column("x").tolist() == ["3"]
    assert cohort.joins["visits"].rows_without_id == (3,)
    assert replace(cohort, joins={}).fingerprint == cohort.fingerprint
