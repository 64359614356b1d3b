"""Rules over the course of a patient: order of dates, scores, lines, best response."""

from __future__ import annotations

import pytest

from sts_core.findings import FindingCode, Severity
from sts_core.plausibility import plausibility
from sts_core.study import Status, Variable, VariableKind
from tests.assessment_cohorts import cohort_with
from tests.cohorts import endpoint, make_cohort

CODES = FindingCode


def found(cohort, code):
    """Give severity and rows of what a rule found."""
    return [(item.severity, item.rows) for item in plausibility(cohort) if item.code is code]


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [
        ("Diagnosis date", "First dose", Severity.WARNING),
        ("确诊日期", "首次用药日期", Severity.WARNING),
        ("Date of first dose", "Last dose date", Severity.ERROR),
        ("Date of diagnosis", "Date of death", Severity.WARNING),
        ("首次用药日期", "死亡日期", Severity.ERROR),
    ],
)
def test_what_comes_first_is_dated_first(first, second, severity):
    cells = {first: ["2021-05-01", "2021-03-01", "2021-03-01"], second: ["2021-03-01"] * 3}
    assert found(make_cohort(cells, endpoints={}), CODES.DATES_OUT_OF_ORDER) == [(severity, (2,))]


def test_a_second_diagnosis_and_an_endpoints_own_dates_are_left_alone():
    other = {"Second diagnosis of cancer": ["2022-01-01"], "First dose": ["2021-01-01"]}
    assert not found(make_cohort(other, endpoints={}), CODES.DATES_OUT_OF_ORDER)
    own = endpoint(
        time=None, unit=None, event=None, events={}, censored=(), start="First dose",
        event_dates={"death": "Death date"},
    )  # fmt: skip
    cells = {"First dose": ["2022-01-01", "2021-01-01"], "Death date": ["2021-01-01"] * 2}
    cohort = make_cohort(cells, endpoints={"OS": own})
    assert not found(cohort, CODES.DATES_OUT_OF_ORDER)  # its time below zero is said already


def test_a_karnofsky_score_goes_in_tens():
    number = Variable("KPS", kind=VariableKind.NUMERIC)
    cohort = make_cohort(
        {"KPS": [80, 85, 110, None, 0]}, endpoints={}, variables={"KPS": number}
    )  # fmt: skip
    assert found(cohort, CODES.VALUE_IMPLAUSIBLE) == [(Severity.WARNING, (3,))]
    assert found(cohort, CODES.VALUE_IMPOSSIBLE) == [(Severity.ERROR, (4,))]


@pytest.mark.parametrize(
    "lines", [["1", "2nd line", "3L", "1"], ["一线", "第二线", "三线", "首线"],
              ["first-line", "Second", "third line", "Line 1"]],
)  # fmt: skip
def test_lines_in_words_against_prior_ones(lines):
    variables = {
        "line": Variable("Line"), "prior_lines": Variable("Prior", kind=VariableKind.NUMERIC),
    }  # fmt: skip
    cohort = make_cohort(
        {"line": lines, "prior_lines": [0, 1, 2, 2]}, endpoints={}, variables=variables
    )
    assert found(cohort, CODES.LINE_CONTRADICTED) == [(Severity.WARNING, (5,))]


ASSESSED = """id,when,overall
P1,2021-02-15,PR
P1,2021-04-01,PD
P2,2021-03-15,SD
P4,2021-04-15,PD
"""


@pytest.mark.parametrize(
    ("best", "severity", "rows"),
    [
        (("PR", "SD", "", "PD"), None, ()),
        (("PD", "SD", "", "PD"), Severity.WARNING, (2,)),  # an assessment shows a response
        (("PR", "PD", "", "PD"), Severity.WARNING, (3,)),  # no assessment shows progression
        (("PR", "PR", "", "PD"), Severity.WARNING, (3,)),  # better than every assessment
        (("PR", "SD", "CR", "PD"), Severity.NOTE, (4,)),  # a response without any assessment
        (("SD", "SD", "NE", "NE"), None, ()),  # not confirmed; not evaluable
    ],
)
def test_best_responses_against_assessments(best, severity, rows):
    patients = "id,best\n" + "".join(f"P{at},{level}\n" for at, level in enumerate(best, 1))
    cohort = cohort_with(
        "{assessments: {date: when, overall: overall}, response: {variable: best}, "
        "variables: {best: {label: Best, levels: [CR, PR, SD, PD, NE]}}}",
        assessments=ASSESSED,
        patients=patients,
    )
    expected = [] if severity is None else [(severity, rows)]
    assert found(cohort, CODES.RESPONSE_CONTRADICTED) == expected


def test_progression_as_best_response_needs_a_progression():
    columns = {
        "best_response": ["PD", "PD", "PR", None],
        "time": [10, 20, 30, 40],
        "status": [1, 0, 0, 1],
    }
    by_status = make_cohort(columns, endpoints={"PFS": endpoint(label="PFS")})
    assert found(by_status, CODES.RESPONSE_CONTRADICTED) == [(Severity.WARNING, (3,))]
    dated = endpoint(
        label="PFS", time=None, unit=None, event=None, events={}, censored=(), start="start",
        event_dates={"progression": "pd", "death": "died"}, last_contact=("seen",),
        events_status=Status.CONFIRMED,
    )  # fmt: skip
    columns = {
        "best_response": ["PD", "PD", "PD", "SD"],
        "start": ["2021-01-01"] * 4,
        "pd": ["2021-03-01", None, None, None],
        "died": [None, "2021-04-01", None, None],
        "seen": ["2021-05-01"] * 4,
    }
    by_date = make_cohort(columns, endpoints={"PFS": dated})
    assert found(by_date, CODES.RESPONSE_CONTRADICTED) == [(Severity.WARNING, (3, 4))]
    assert not found(
        make_cohort({**columns, "best_response": ["PD", "SD", "SD", "SD"]},
                    endpoints={"PFS": dated}),
        CODES.RESPONSE_CONTRADICTED,
    )  # fmt: skip
