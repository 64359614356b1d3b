from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.estimators.multiplicity import holm

REFERENCE = Path(__file__).parents[1] / "reference" / "multiplicity_results.csv"
ROWS = list(csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()))
FAMILIES = {name: list(rows) for name, rows in groupby(ROWS, key=lambda row: row["family"])}


def _number(text: str) -> float | None:
    return None if text == "NA" else float(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_adjusted_p_values_are_those_of_r(family: str) -> None:
    rows = FAMILIES[family]
    found = holm([_number(row["p"]) for row in rows])
    expected = [_number(row["adjusted"]) for row in rows]
    assert [p is None for p in found] == [p is None for p in expected]
    assert [p for p in found if p is not None] == pytest.approx(
        [p for p in expected if p is not None], rel=1e-14, abs=0
    )


def test_reference_numbers_hold_every_family() -> None:
    assert len(FAMILIES) == 10
    assert len(ROWS) == 72


def test_four_p_values_by_hand() -> None:
    # sorted: 0.005 * 4, 0.01 * 3, 0.03 * 2, and 0.04 * 1 raised to the one before
    found = holm([0.01, 0.04, 0.03, 0.005])
    assert found == pytest.approx((0.03, 0.06, 0.06, 0.02), abs=1e-15)


def test_no_comparison_is_no_adjustment() -> None:
    assert holm([]) == ()
    assert holm([None, 0.2]) == (None, 0.2)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        holm([0.1, wrong])


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.2))
def test_rejections_are_those_of_the_step_down_rule(p_values: list[float], level: float) -> None:
    """Holm's own words: go up from the smallest, and stop at the first above level / (m - i)."""
    rejected = set()
    order = sorted(range(len(p_values)), key=lambda place: (p_values[place], place))
    for rank, place in enumerate(order):
        if p_values[place] * (len(p_values) - rank) > level:
            break
        rejected.add(place)
    adjusted = holm(p_values)
    assert {place for place, p in enumerate(adjusted) if p is not None and p <= level} == rejected
