from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.derive import LossReason
from sts_core.findings import Finding, FindingCode, Severity
from sts_core.study import (
    AdverseEventDefinition,
    AnalysisSection,
    ColumnFormat,
    Definitions,
    Endpoint,
    OneOf,
    Status,
    TableSource,
    TimeUnit,
    Variable,
    VariableKind,
)
from tests.doubles import FILE, cohort_of

OS = Endpoint(
    label="Overall survival",
    time="OS days",
    unit=TimeUnit.DAYS,
    unit_status=Status.CONFIRMED,
    event="vital",
    events={"death": ("Dead",)},
    censored=("Alive",),
    events_status=Status.CONFIRMED,
)
DATED = Endpoint(
    label="Overall survival",
    start="start",
    event_dates={"death": "died"},
    last_contact=("seen",),
    events_status=Status.CONFIRMED,
)
GOOD = {"OS days": ["10", "20"], "vital": ["Dead", "Alive"]}


def found(columns: dict[str, list[Any]], endpoint: Endpoint | None = None, **rest: Any) -> Cohort:
    endpoints = {"OS": endpoint} if endpoint else {}
    source = rest.pop("source", None)
    return cohort_of(columns, Definitions(endpoints=endpoints, **rest), source=source)


def only(cohort: Cohort, code: FindingCode) -> Finding:
    findings = [finding for finding in check_cohort(cohort) if finding.code is code]
    assert len(findings) == 1, [finding.code for finding in check_cohort(cohort)]
    return findings[0]


def codes(cohort: Cohort) -> set[FindingCode]:
    return {finding.code for finding in check_cohort(cohort)}


def test_good_data_with_confirmed_endpoints_give_no_finding() -> None:
    assert check_cohort(found(GOOD, OS)) == ()


def test_every_reason_for_a_loss_has_its_words() -> None:
    from sts_core import checks

    # who has no response is no part of a duration of response, and no finding
    assert set(checks._LOSSES) == set(LossReason) - {LossReason.NO_RESPONSE}
    for words in checks._LOSSES.values():
        assert words.hint.endswith(".")


def test_all_losses_are_said_at_once_with_column_and_rows_as_the_user_sees_them() -> None:
    columns = {
        "OS days": ["10", "NA", "-3", "ten", "7", "8"],
        "vital": ["Dead", "Dead", "Dead", "Dead", "lost", None],
    }
    cohort = found(columns, OS)
    unknown = only(cohort, FindingCode.EVENT_VALUE_UNKNOWN)
    assert unknown.rows == (6,)
    assert unknown.column == "vital"
    assert unknown.file == FILE
    assert unknown.severity is Severity.ERROR
    assert "lost" in unknown.message
    assert only(cohort, FindingCode.TIME_MISSING).rows == (3,)
    assert only(cohort, FindingCode.TIME_NEGATIVE).rows == (4,)
    assert only(cohort, FindingCode.TIME_NOT_NUMERIC).rows == (5,)
    assert only(cohort, FindingCode.EVENT_MISSING).rows == (7,)


def test_findings_come_worst_first_and_none_twice() -> None:
    columns = {"OS days": ["NA", "-3"], "vital": ["Dead", "Dead"]}
    findings = check_cohort(found(columns, replace(OS, unit_status=Status.GUESSED)))
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    ranks = [order.index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    assert len(set(findings)) == len(findings)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"events_status": Status.GUESSED}, "which values are events"),
        ({"unit_status": Status.GUESSED}, "unit of the time"),
        ({"unit": None}, "the file doesn't say"),
        ({"events": {}, "censored": ()}, "what the values of “vital” mean"),
    ],
)
def test_what_is_not_confirmed_is_named(changes: dict[str, Any], words: str) -> None:
    endpoint = replace(OS, **{"events_status": Status.GUESSED, **changes})
    finding = only(found(GOOD, endpoint), FindingCode.STUDY_UNCONFIRMED)
    assert words in finding.message
    assert finding.hint


def test_a_status_without_any_meaning_yet_is_one_finding_not_one_for_each_patient() -> None:
    endpoint = replace(OS, events={}, censored=(), events_status=Status.GUESSED)
    assert codes(found(GOOD, endpoint)) == {FindingCode.STUDY_UNCONFIRMED}


def test_an_endpoint_without_events_is_said() -> None:
    finding = only(
        found({"OS days": ["1", "2"], "vital": ["Alive", "Alive"]}, OS),
        FindingCode.ENDPOINT_NO_EVENTS,
    )
    assert "2 patients" in finding.message
    nobody = only(found({"OS days": [None], "vital": ["Dead"]}, OS), FindingCode.ENDPOINT_NO_EVENTS)
    assert "no patient has both" in nobody.message


def test_a_missing_column_is_a_finding_not_an_exception() -> None:
    finding = only(found({"OS day": ["1"], "vital": ["Dead"]}, OS), FindingCode.COLUMN_MISSING)
    assert "OS day" in finding.hint


def test_a_missing_table_is_a_finding() -> None:
    cohort = found(GOOD, replace(OS, table="adtte"))
    assert only(cohort, FindingCode.TABLE_MISSING).table == "adtte"


def dates(**columns: list[Any]) -> dict[str, list[Any]]:
    n = len(next(iter(columns.values())))
    return {"start": ["2020-01-01"] * n, "died": [None] * n, "seen": [None] * n, **columns}


def test_dates_after_the_cutoff_are_noted() -> None:
    cohort = found(
        dates(died=["2021-05-01", "2020-02-01"], seen=[None, None]), DATED, cutoff="2021-01-01"
    )
    finding = only(cohort, FindingCode.DATE_AFTER_CUTOFF)
    assert finding.severity is Severity.NOTE
    assert finding.rows == (2,)
    assert "2021-01-01" in finding.message
    assert FindingCode.DATE_AFTER_CUTOFF not in codes(
        found(dates(died=["2020-02-01"]), DATED, cutoff="2021-01-01")
    )


def test_a_contact_after_death_is_said() -> None:
    cohort = found(
        dates(died=["2020-02-01", "2020-02-01"], seen=["2020-02-02", "2020-02-01"]), DATED
    )
    assert only(cohort, FindingCode.DATES_OUT_OF_ORDER).rows == (2,)


def test_a_status_and_its_date_must_agree() -> None:
    endpoint = replace(DATED, event="vital", events={"death": ("Dead",)}, censored=("Alive",))
    cohort = found(
        dates(
            vital=["Dead", "Alive"], died=[None, "2020-02-01"], seen=["2020-02-01", "2020-03-01"]
        ),
        endpoint,
    )
    assert only(cohort, FindingCode.EVENT_DATE_MISSING).rows == (2,)
    assert only(cohort, FindingCode.EVENT_CONTRADICTED).rows == (3,)


def test_a_time_of_a_lifetime_is_said() -> None:
    cohort = found({"OS days": ["30000", "300"], "vital": ["Dead", "Dead"]}, OS)
    assert only(cohort, FindingCode.VALUE_IMPLAUSIBLE).rows == (2,)
    old = found(dates(start=["1945-05-13"], died=["2020-01-01"]), DATED)
    assert FindingCode.VALUE_IMPLAUSIBLE in codes(old)


def test_dates_that_read_two_ways_are_asked_until_confirmed() -> None:
    columns = dates(start=["1/2/2020"], died=["3/4/2020"])
    formats = {name: ColumnFormat(date_order="dmy") for name in ("start", "died")}
    source = TableSource(file=FILE, columns=formats)
    cohort = found(columns, DATED, source=source)
    findings = [item for item in check_cohort(cohort) if item.code is FindingCode.DATE_AMBIGUOUS]
    assert [finding.column for finding in findings] == ["start", "died"]
    assert "day/month/year" in findings[0].message
    confirmed = {
        name: replace(format_, status=Status.CONFIRMED) for name, format_ in formats.items()
    }
    settled = found(columns, DATED, source=replace(source, columns=confirmed))
    assert FindingCode.DATE_AMBIGUOUS not in codes(settled)


def test_one_unreadable_cell_does_not_hide_that_dates_read_two_ways() -> None:
    columns = dates(
        start=[*["1/2/2020"] * 15, "2020"], died=["2020-05-01"] * 16, seen=["2020-05-01"] * 16
    )
    assert FindingCode.DATE_AMBIGUOUS in codes(found(columns, DATED))


def test_guessed_rows_of_patients_are_said_until_confirmed() -> None:
    columns = {"id": ["a", "a"], "PARAMCD": ["OS", "PFS"]}
    source = TableSource(file=FILE, subject_id="id", rows={"PARAMCD": ("OS",)})
    assert "PARAMCD = OS" in only(
        found(columns, source=source), FindingCode.STUDY_UNCONFIRMED
    ).message  # fmt: skip
    confirmed = replace(source, subject_id_status=Status.CONFIRMED)
    assert check_cohort(found(columns, source=confirmed)) == ()


def test_cells_that_hold_no_number_or_date_are_said() -> None:
    cohort = found(
        {"age": ["50", "fifty", "NA"], "visit": ["2020-01-01", "20-1", None]},
        variables={
            "age": Variable(label="Age", kind=VariableKind.NUMERIC),
            "visit": Variable(label="Visit", kind=VariableKind.DATE),
        },
    )
    assert only(cohort, FindingCode.NUMBER_UNREADABLE).rows == (3,)
    assert only(cohort, FindingCode.DATE_UNREADABLE).rows == (3,)


@pytest.mark.parametrize("age", ["-1", "130"])
def test_an_impossible_age_is_said(age: str) -> None:
    cohort = found(
        {"age": ["50", age]}, variables={"age": Variable(label="Age", kind=VariableKind.NUMERIC)}
    )
    assert only(cohort, FindingCode.VALUE_IMPLAUSIBLE).rows == (3,)


def test_a_date_in_the_future_is_said() -> None:
    future = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=10)
    cohort = found(
        {"visit": ["2020-01-01", future, "1901-01-01"]},
        variables={"visit": Variable(label="Visit", kind=VariableKind.DATE)},
    )
    assert only(cohort, FindingCode.VALUE_IMPLAUSIBLE).rows == (3, 4)


def test_a_level_that_the_study_does_not_list_is_said() -> None:
    variable = Variable(
        label="Stage", levels=("I", "II", "III"), codes={"1": "I"}, merged={"Late": ("II", "III")}
    )
    cohort = found({"stage": ["1", "II", "T6", None, "III"]}, variables={"stage": variable})
    finding = only(cohort, FindingCode.LEVEL_UNKNOWN)
    assert finding.rows == (4,)
    assert "T6" in finding.message


def test_codes_of_sex_are_asked_until_they_are_named() -> None:
    sex = Variable(label="Sex", column="性别", levels=("1", "2"))
    cells = ["1", "2", "2", None]
    finding = only(found({"性别": cells}, variables={"sex": sex}), FindingCode.LEVEL_NOT_NAMED)
    assert "“1” and “2”" in finding.message
    named = replace(sex, levels=("Female", "Male"), codes={"1": "Male", "2": "Female"})
    assert FindingCode.LEVEL_NOT_NAMED not in codes(
        found({"性别": cells}, variables={"sex": named})
    )
    arm = Variable(label="Arm", levels=("1", "2"))
    assert FindingCode.LEVEL_NOT_NAMED not in codes(found({"arm": cells}, variables={"arm": arm}))


def test_a_criterion_on_a_column_that_is_gone_is_said() -> None:
    cohort = found({"x": ["1"]})
    criteria = (OneOf(column="ecog", values=(0,)), OneOf(column="x", values=(1,)))
    study = replace(cohort.study, analysis=AnalysisSection(criteria=criteria))
    finding = only(replace(cohort, study=study), FindingCode.CRITERION_COLUMN_MISSING)
    assert "ecog" in finding.message


def test_a_grade_that_is_none_is_said() -> None:
    cohort = cohort_of(
        {"id": ["a"]},
        Definitions(adverse_events=AdverseEventDefinition(term="term", grade="grade")),
        subject_id="id",
        others={
            "adverse_events": (
                TableSource(file="ae.csv", subject_id="id"),
                {
                    "id": ["a"] * 6,
                    "term": ["x"] * 6,
                    "grade": ["3", "0", "2.5", "severe", "6", "NA"],
                },
            )
        },
    )
    finding = only(cohort, FindingCode.GRADE_OUT_OF_RANGE)
    assert finding.rows == (3, 4, 5, 6)
    assert finding.table == "adverse_events"


def test_what_reading_found_is_said_too() -> None:
    cohort = cohort_of({"id": ["a", None]}, subject_id="id")
    assert codes(cohort) == {FindingCode.SUBJECT_MISSING}
