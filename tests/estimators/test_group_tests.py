"""Tests between groups: by hand, against R, and properties."""

from __future__ import annotations

import csv
import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.estimates import NotEstimable
from sts_core.estimators import group_tests as gt

REFERENCE = Path(__file__).parents[1] / "reference" / "group_tests_results.csv"


def from_r():
    found = {}
    with REFERENCE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["case"], {})[row["statistic"]] = float(row["value"])
    return found


def parts(case):
    return [[float(word) for word in part.split()] for part in case.partition(" ")[2].split("/")]


R = from_r()
TABLES = [case for case in R if case.startswith("table")]
NUMBERS = [case for case in R if case.startswith("numbers")]


def agrees(ours, r, tolerance=1e-9):
    assert ours == pytest.approx(r, abs=tolerance, rel=tolerance)


@pytest.mark.parametrize("case", TABLES)
def test_counts_agree_with_r(case):
    table, r = np.array(parts(case), dtype=int), R[case]
    found = gt.pearson(table)
    agrees(found.statistic, r["pearson"])
    agrees(found.p_value, r["pearson_p"])
    if "exact_p" in r:
        agrees(gt.exact_association(table).p_value, r["exact_p"], 1e-7)
    agrees(gt.share_difference_standardised(table), r["smd"])
    chosen = gt.association(table)
    exact = r["smallest_expected"] < 5
    assert (chosen.name == gt.PEARSON) is not exact
    agrees(chosen.p_value, r["exact_p" if exact else "pearson_p"], 1e-7)


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_agree_with_r(case):
    groups, r = [np.array(group) for group in parts(case)], R[case]
    rank, mean = gt.rank_test(groups), gt.mean_test(groups)
    for found, name in ((rank, "rank"), (mean, "mean")):
        agrees(found.statistic, r[name])
        agrees(found.p_value, r[f"{name}_p"])
    agrees(gt.mean_difference_standardised(groups), r["smd"])


def test_the_lady_tasting_tea_by_hand():
    """Margins 4 and 4: probabilities 1, 16, 36, 16, 1 of 70; three cups right gives 34/70."""
    found = gt.exact_association(np.array([[3, 1], [1, 3]]))
    assert found.name == gt.FISHER
    assert found.p_value == pytest.approx(34 / 70, abs=1e-14)
    assert found.statistic is None


def test_the_published_golden_values():
    table = np.array([[15, 10], [8, 18]])
    assert gt.pearson(table).p_value == pytest.approx(0.0360, abs=5e-5)
    assert gt.exact_association(table).p_value == pytest.approx(0.0505, abs=5e-5)
    three = np.array([[3, 1, 4], [2, 6, 1], [0, 2, 5]])
    assert gt.exact_association(three).p_value == pytest.approx(0.047661, abs=5e-7)


def counted_by_brute_force(table):
    """Sum the exact probabilities of all tables with these margins, cell by cell."""
    rows, columns = table.sum(axis=1).tolist(), table.sum(axis=0).tolist()

    def weight(cells):
        return Fraction(1, math.prod(math.factorial(int(cell)) for cell in cells))

    total, rare, seen = Fraction(0), Fraction(0), weight(table.ravel())
    free = [range(min(r, c) + 1) for r in rows[:-1] for c in columns[:-1]]
    for cells in itertools.product(*free):
        inner = np.array(cells).reshape(len(rows) - 1, len(columns) - 1)
        last_column = np.array(rows[:-1]) - inner.sum(axis=1)
        upper = np.column_stack([inner, last_column])
        last_row = np.array(columns) - upper.sum(axis=0)
        whole = np.vstack([upper, last_row])
        if (whole < 0).any():
            continue
        own = weight(whole.ravel())
        total += own
        rare += own if own <= seen else 0
    return float(rare / total)


tables = st.integers(2, 3).flatmap(
    lambda r: st.integers(2, 3).flatmap(
        lambda c: st.lists(
            st.lists(st.integers(0, 4), min_size=c, max_size=c), min_size=r, max_size=r
        )
    )
)


@given(tables)
def test_exact_p_is_a_plain_count_of_all_tables(cells):
    table = np.array(cells)
    kept = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    found = gt.exact_association(table)
    if min(kept.shape, default=0) < 2:
        assert found.p_value is None
        return
    assert found.p_value == pytest.approx(counted_by_brute_force(kept), abs=1e-9)


@given(tables)
def test_order_and_side_of_a_table_do_not_matter(cells):
    table = np.array(cells)
    for test in (gt.pearson, gt.exact_association):
        first = test(table).p_value
        for other in (table.T, table[::-1], table[:, ::-1]):
            second = test(other).p_value
            assert (first is None) == (second is None)
            if first is not None:
                assert second == pytest.approx(first, abs=1e-9)


def test_a_large_table_says_that_its_p_is_simulated_and_comes_near():
    rng = np.random.default_rng(3)
    table = np.zeros((9, 5), dtype=int)
    np.add.at(table, (rng.integers(0, 9, 51), rng.integers(0, 5, 51)), 1)
    found = gt.exact_association(table)
    assert found.name == gt.SIMULATED
    again = gt.exact_association(table)
    assert again.p_value == found.p_value  # the same on every run
    small = np.array([[3, 1, 4], [2, 6, 1], [0, 2, 5]])
    assert gt._simulated(small, 1) == pytest.approx(0.047661, abs=4 * 0.00068)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ([[3], [2]], NotEstimable.ONE_GROUP),
        ([[3, 0], [2, 0]], NotEstimable.ONE_GROUP),
        ([[3, 2]], NotEstimable.NO_VARIATION),
        ([[3, 2], [0, 0]], NotEstimable.NO_VARIATION),
        ([[0, 0], [0, 0]], NotEstimable.NO_SUBJECTS),
    ],
)
def test_without_two_groups_and_two_levels_there_is_no_test(table, reason):
    for test in (gt.association, gt.pearson, gt.exact_association):
        assert test(np.array(table)).reason is reason
    if reason is not NotEstimable.ONE_GROUP:
        assert gt.share_difference_standardised(np.array(table)) is None


@pytest.mark.parametrize(
    ("groups", "rank", "mean"),
    [
        ([], NotEstimable.NO_SUBJECTS, NotEstimable.NO_SUBJECTS),
        ([[1.0, 2.0], []], NotEstimable.ONE_GROUP, NotEstimable.ONE_GROUP),
        ([[2.0, 2.0], [2.0]], NotEstimable.NO_VARIATION, NotEstimable.NO_VARIATION),
        ([[1.0, 3.0], [2.0]], None, NotEstimable.TOO_FEW),
        ([[1.0, 1.0], [2.0, 2.0]], None, NotEstimable.NO_VARIATION),
        ([[1.0], [2.0], [3.0]], None, NotEstimable.TOO_FEW),
    ],
)
def test_numbers_that_can_not_be_tested_say_why(groups, rank, mean):
    arrays = [np.array(group) for group in groups]
    assert gt.rank_test(arrays).reason is rank
    assert gt.mean_test(arrays).reason is mean


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match="whole numbers"):
        gt.pearson(np.array([[1.5, 2], [3, 4]]))
    with pytest.raises(ValueError, match="whole numbers"):
        gt.pearson(np.array([[-1, 2], [3, 4]]))
    with pytest.raises(ValueError, match="two dimensions"):
        gt.pearson(np.array([1, 2]))
    with pytest.raises(ValueError, match="finite"):
        gt.rank_test([np.array([1.0, math.nan]), np.array([2.0])])


def test_groups_that_share_no_level_have_no_standardised_difference():
    assert gt.share_difference_standardised(np.array([[3, 0], [0, 4]])) is None
    assert gt.share_difference_standardised(np.array([[3, 6], [2, 4]])) == pytest.approx(0)
    assert gt.mean_difference_standardised([np.array([1.0]), np.array([1.0, 2.0])]) is None
    assert gt.mean_difference_standardised([np.array([1.0, 1.0]), np.array([2.0, 2.0])]) is None


def test_yates_by_hand() -> None:
    # all expected 2, all distances 1: four times (1 - 1/2)^2 / 2
    found = gt.yates(np.array([[3, 1], [1, 3]]))
    assert (found.statistic, found.df) == (pytest.approx(0.5, abs=1e-15), 1)
    # a distance of less than one half is no distance: R's chisq.test gives P = 1
    assert gt.yates(np.array([[2, 2], [2, 3]])).p_value == 1
    assert gt.yates(np.array([[4, 0], [2, 0]])).reason is not None
    with pytest.raises(ValueError, match="2 x 2"):
        gt.yates(np.array([[1, 2, 3], [4, 5, 6]]))
