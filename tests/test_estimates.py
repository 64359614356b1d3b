"""Estimates: a number, or the reason why there is none."""

from __future__ import annotations

import dataclasses
import math

import pytest

from sts_core.estimates import (
    Estimate,
    NotEstimable,
    TestResult,
    estimate_or_reason,
    not_estimable,
)
from sts_core.results import ResultRow

REACHED = NotEstimable.LIMIT_NOT_REACHED


@pytest.mark.parametrize("name", ["value", "low", "high"])
def test_nan_is_no_number(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a number or None"):
        Estimate(**{"value": 1.0, name: math.nan})


def test_no_value_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        Estimate(None)
    with pytest.raises(ValueError, match="needs a reason"):
        TestResult("log-rank")
    assert not not_estimable(NotEstimable.NO_EVENTS).is_estimable


@pytest.mark.parametrize("name", ["statistic", "p_value"])
def test_nan_is_no_result_of_a_test(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a number or None"):
        TestResult(**{"name": "t", "statistic": 1.0, "df": 1, "p_value": 0.3, name: math.nan})


def test_an_estimate_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Estimate(1.0).value = 2.0  # type: ignore[misc]


def test_scaled_keeps_everything_but_the_unit() -> None:
    days = Estimate(365.25, 30.4375, None, 0.9, "log", high_reason=REACHED)
    assert days.scaled(30.4375) == Estimate(12.0, 1.0, None, 0.9, "log", high_reason=REACHED)
    missing = Estimate(None, 30.4375, None, reason=NotEstimable.NOT_REACHED)
    assert missing.scaled(30.4375) == dataclasses.replace(missing, low=1.0)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((1.0, 0.5, 2.0), Estimate(1.0, 0.5, 2.0, 0.9, "m")),
        ((1.0, 0.5, math.nan), Estimate(1.0, 0.5, None, 0.9, "m", high_reason=REACHED)),
        (
            (math.nan, math.nan, math.nan),
            Estimate(
                None, None, None, 0.9, "m", NotEstimable.NO_EVENTS,
                low_reason=REACHED, high_reason=REACHED,
            ),
        ),
    ],
)  # fmt: skip
def test_estimate_or_reason(numbers: tuple[float, float, float], expected: Estimate) -> None:
    made = estimate_or_reason(*numbers, conf_level=0.9, method="m", reason=NotEstimable.NO_EVENTS)
    assert made == expected


# --- as rows of results.json ---------------------------------------------------------------------

ROW = ResultRow("kaplan_meier", "median", endpoint="OS", n=5, events=3)


def test_a_row_takes_an_estimate() -> None:
    row = ROW.of_estimate(Estimate(1.5, 0.5, None, 0.9, "log", high_reason=REACHED))
    assert (row.value, row.low, row.high, row.conf_level) == (1.5, 0.5, None, 0.9)
    assert (row.method, row.status, row.reason) == ("log", "estimated", "high: limit_not_reached")
    assert (row.endpoint, row.n, row.events) == ("OS", 5, 3)


def test_a_row_says_why_there_is_no_number() -> None:
    row = ROW.of_estimate(not_estimable(NotEstimable.NO_EVENTS))
    assert (row.value, row.status, row.reason) == (None, "not_estimable", "no_events")


def test_an_infinite_limit_becomes_a_reason() -> None:
    row = ROW.of_estimate(Estimate(2.0, 0.1, math.inf))
    assert (row.value, row.low, row.high) == (2.0, 0.1, None)
    assert (row.status, row.reason) == ("estimated", "high: infinite")
    assert ROW.of_estimate(Estimate(math.inf)).status == "not_estimable"


def test_a_test_gives_three_rows() -> None:
    rows = dataclasses.replace(ROW, statistic="logrank").of_test(TestResult("L", 6.4, 4, 0.17))
    assert [(row.statistic, row.value, row.method) for row in rows] == [
        ("logrank_chi_square", 6.4, "L"),
        ("logrank_df", 4.0, "L"),
        ("logrank_p", 0.17, "L"),
    ]
    none = ROW.of_test(TestResult("L", reason=NotEstimable.ONE_GROUP))
    assert {(row.value, row.status, row.reason) for row in none} == {
        (None, "not_estimable", "one_group")
    }


def test_a_row_as_a_mapping_has_every_field_in_order() -> None:
    assert list(ROW.as_dict()) == [field.name for field in dataclasses.fields(ResultRow)]
