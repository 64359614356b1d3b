from __future__ import annotations

import csv
import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.estimates import NotEstimable
from sts_core.estimators.proportion import proportion

REFERENCE = Path(__file__).parents[1] / "reference" / "proportion_results.csv"
CASES = list(csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize(
    "case",
    CASES,
    ids=lambda case: f"{case['interval']}-{case['count']}/{case['total']}@{case['conf_level']}",
)
def test_limits_are_those_of_r(case: dict[str, str]) -> None:
    found = proportion(
        int(case["count"]),
        int(case["total"]),
        conf_level=float(case["conf_level"]),
        interval=case["interval"],
    )
    assert found.low == pytest.approx(float(case["low"]), rel=1e-9, abs=1e-14)
    assert found.high == pytest.approx(float(case["high"]), rel=1e-9, abs=1e-14)


def test_reference_numbers_hold_both_intervals() -> None:
    assert {case["interval"] for case in CASES} == {"clopper-pearson", "wilson"}
    assert len(CASES) == 102


def _at_least(count: int, total: int, share: Fraction) -> Fraction:
    return sum(
        (
            math.comb(total, k) * share**k * (1 - share) ** (total - k)
            for k in range(count, total + 1)
        ),
        Fraction(0),
    )


def test_exact_limits_leave_the_tail_by_hand() -> None:
    found = proportion(9, 51)
    assert found.low is not None
    assert found.high is not None
    assert float(_at_least(9, 51, Fraction(found.low))) == pytest.approx(0.025, abs=1e-12)
    assert float(1 - _at_least(10, 51, Fraction(found.high))) == pytest.approx(0.025, abs=1e-12)


def test_nobody_is_not_zero_percent() -> None:
    found = proportion(0, 0)
    assert found.value is None
    assert found.reason is NotEstimable.NO_SUBJECTS


@pytest.mark.parametrize(("count", "total"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(count: int, total: int) -> None:
    with pytest.raises(ValueError, match="count must lie"):
        proportion(count, total)


def test_level_is_a_share() -> None:
    with pytest.raises(ValueError, match="95"):
        proportion(1, 2, conf_level=95)


def test_unknown_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="wald"):
        proportion(1, 2, interval="wald")


counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
kinds = st.sampled_from(["clopper-pearson", "wilson"])


@given(counts, kinds, st.floats(0.5, 0.999))
def test_limits_enclose_the_value_and_mirror(
    pair: tuple[int, int], kind: str, level: float
) -> None:
    count, total = pair
    found = proportion(count, total, interval=kind, conf_level=level)
    other = proportion(total - count, total, interval=kind, conf_level=level)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert other.low == pytest.approx(1 - found.high, abs=1e-12)
    assert other.high == pytest.approx(1 - found.low, abs=1e-12)
