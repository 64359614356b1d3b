"""Findings: what is wrong, where, and in which order."""

from __future__ import annotations

import pickle

import pytest

from sts_core.findings import (
    Finding,
    FindingCode,
    Severity,
    StudyError,
    listed,
    listed_rows,
    worst_first,
)


def finding(severity: Severity = Severity.ERROR, **rest: object) -> Finding:
    return Finding(FindingCode.COLUMN_MISSING, severity, "There is no column “x”.", **rest)  # type: ignore[arg-type]


def test_where_names_what_is_known() -> None:
    place = finding(file="a.xlsx", sheet="Patients", column="os", rows=(7, 9))
    assert place.where == "a.xlsx · Patients · column “os” · rows 7, 9"
    assert finding().where == ""
    assert finding(rows=(7,)).where == "row 7"


def test_a_finding_as_text_is_message_place_and_hint() -> None:
    assert str(finding()) == "There is no column “x”."
    assert str(finding(file="a.csv", hint="Map it.")) == "There is no column “x”. (a.csv) Map it."


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "row 0"),
        (2, "rows 0, 1"),
        (10, "rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (13, "rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 3 more"),
    ],
)
def test_long_lists_are_cut_and_counted(count: int, text: str) -> None:
    assert listed_rows(range(count)) == text


def test_listed_of_nothing_is_empty() -> None:
    assert listed([]) == ""
    assert listed(["a", "b", "c"], limit=2) == "a, b and 1 more"


def test_worst_first_keeps_the_order_within() -> None:
    mixed = [
        finding(Severity.NOTE, count=1),
        finding(Severity.ERROR, count=2),
        finding(Severity.WARNING, count=3),
        finding(Severity.ERROR, count=4),
    ]
    assert [item.count for item in worst_first(mixed)] == [2, 4, 3, 1]


def test_the_order_of_severities_knows_them_all() -> None:
    assert len(worst_first(finding(severity) for severity in Severity)) == len(Severity)


def test_an_error_holds_all_findings_but_says_only_codes() -> None:
    secret = finding(rows=(3,), column="name of a patient")
    error = StudyError([secret, secret])
    assert error.findings == (secret, secret)
    assert str(error) == "column_missing, column_missing"
    assert "patient" not in repr(error)
    assert StudyError(secret).findings == (secret,)


def test_a_finding_survives_the_way_between_processes() -> None:
    item = finding(file="a.csv", rows=(1, 2), count=2)
    assert pickle.loads(pickle.dumps(item)) == item


def test_codes_are_words_of_their_own_name() -> None:
    assert all(code.value == code.name.lower() for code in FindingCode)
