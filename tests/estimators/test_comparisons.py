"""Comparisons of groups: weights, permutation, bootstrap, differences and cut points.

Against R (survival, coin, maxstat), by hand, by full enumeration, and sample by sample.
"""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from sts_core.estimates import NotEstimable
from sts_core.estimators.bootstrap_median import (
    bootstrap_medians,
    percentile_difference,
)
from sts_core.estimators.log_rank import log_rank
from sts_core.estimators.maximally_selected import maximally_selected_log_rank
from sts_core.estimators.permutation import log_rank_scores, permutation_log_rank
from sts_core.estimators.product_limit import QuantileRule, product_limit, quantile
from sts_core.estimators.survival_difference import (
    crossing_time,
    rate_difference,
    restricted_mean_difference,
)
from validation.comparison import FITTED, Groups, numbers_of

REFERENCE = Path(__file__).parents[1] / "reference"

# Freireich et al., Blood 1963;21:699-716: weeks in remission; 6-mercaptopurine and placebo.
TIME = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
TIME += [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
EVENT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0] + [1] * 21
GROUP = ["g0"] * 21 + ["g1"] * 21


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((REFERENCE / name).read_text("utf-8").splitlines()))


def cohorts() -> dict[int, dict[str, np.ndarray]]:
    columns: dict[int, dict[str, list[str]]] = {}
    for row in rows_of("kaplan_meier_cohorts.csv"):
        one = columns.setdefault(int(row["case"]), {name: [] for name in row})
        for name, cell in row.items():
            one[name].append(cell)
    found = {
        case: {
            "time": np.array(cells["time"], dtype=float),
            "event": np.array(cells["event"], dtype=float).astype(bool),
            "group": np.array(cells["group"]),
            "stratum": np.array(cells["stratum"]),
        }
        for case, cells in columns.items()
    }
    found[0] = {
        "time": np.array(TIME, dtype=float),
        "event": np.array(EVENT, dtype=bool),
        "group": np.array(GROUP),
        "stratum": np.array(["s0"] * len(TIME)),
    }
    return found


COHORTS = cohorts()
R = {
    (int(row["case"]), row["quantity"], int(row["position"])): float(row["value"])
    for row in rows_of("comparison_results.csv")
}
COIN = {
    (int(row["case"]), row["quantity"]): float(row["value"])
    for row in rows_of("permutation_results.csv")
}
PLACES = sorted({(case, quantity) for case, quantity, _ in R})


def of_r(case: int, quantity: str) -> list[float]:
    return [R[key] for key in sorted(R) if key[:2] == (case, quantity)]


@pytest.mark.parametrize(("case", "quantity"), PLACES)
def test_every_number_is_rs(case: int, quantity: str) -> None:
    tolerance = 1e-6 if quantity in FITTED else 1e-8
    assert numbers_of(Groups(**COHORTS[case]), quantity) == pytest.approx(
        of_r(case, quantity), rel=tolerance, abs=tolerance
    )


def test_the_stored_numbers_cover_what_they_should() -> None:
    quantities = {quantity for _, quantity in PLACES}
    assert len(PLACES) > 150
    assert {"gehan-breslow", "tarone-ware", "modified peto-peto", "stratified fh 1 1"} < quantities
    assert {"trend", "rmean", "rate 0.6013", "zph", "stratified hr"} < quantities


@pytest.mark.parametrize(
    ("weights", "statistic"),
    [
        # lifelines calls the second one "peto"; R's survdiff(rho = 1) is the first
        ("peto-peto", 14.4572),
        ("peto-peto (S-tilde)", 14.0841),
        ("gehan-breslow", 13.4579),
        ("tarone-ware", 15.1236),
    ],
)
def test_freireich(weights: str, statistic: float) -> None:
    found = log_rank(TIME, EVENT, GROUP, weights=weights)
    assert found.statistic == pytest.approx(statistic, abs=5e-5)


def test_modified_peto_by_hand() -> None:
    # 1 1+ 6 against 6 8+ 9: weights (6/7)(6/7) at 1, (6/7)(3/5)(4/5) at 6
    time, event, group = (1, 1, 6, 6, 8, 9), (1, 0, 1, 1, 0, 1), (1, 1, 1, 0, 0, 0)
    one, six = 6 / 7 * 6 / 7, 6 / 7 * 3 / 5 * 4 / 5
    found = log_rank(time, event, group, weights="modified peto-peto")
    expected = (one / 2 + six / 2) ** 2 / (one**2 / 4 + six**2 / 4)
    assert found.statistic == pytest.approx(expected, rel=1e-12)


# --- permutation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", sorted({case for case, quantity in COIN if "q" in quantity}))
def test_statistic_and_exact_p_are_those_of_coin(case: int) -> None:
    cohort = COHORTS[case]
    levels = sorted(set(cohort["group"].tolist()))
    codes = np.array([levels.index(name) for name in cohort["group"]])
    if (case, "quadratic") not in COIN:
        pytest.skip("one group")
    found = permutation_log_rank(
        cohort["time"], cohort["event"], codes, len(levels), resamples=200, max_states=200_000
    )
    assert found.statistic == pytest.approx(COIN[case, "quadratic"], rel=1e-9)
    if (case, "exact_p") in COIN and found.is_exact:
        assert found.p_value == pytest.approx(COIN[case, "exact_p"], rel=1e-9)


def test_an_exact_p_is_the_share_of_all_ways_to_deal_out_the_groups() -> None:
    rng = np.random.default_rng(4)
    for n, k in ((7, 2), (8, 2), (8, 3)):
        time = rng.integers(1, 9, n).astype(float)
        event = rng.random(n) < 0.8
        codes = rng.permutation(np.arange(n) % k)
        strata = np.arange(n) % 2 if n == 8 else None
        found = permutation_log_rank(time, event, codes, k, strata=strata)
        assert found.is_exact
        scores = log_rank_scores(time, event, strata=strata)
        every = []
        for dealt in itertools.permutations(range(n)):
            groups = codes[list(dealt)]
            if strata is None or all(
                sorted(groups[strata == s]) == sorted(codes[strata == s]) for s in (0, 1)
            ):
                every.append(np.bincount(groups, weights=scores, minlength=k))
        sums = np.array(every)
        inverse = np.linalg.pinv(sums.T @ sums / len(sums), rcond=1e-10)
        statistics = np.einsum("ij,jk,ik->i", sums, inverse, sums)
        seen = np.bincount(codes, weights=scores, minlength=k)
        assert found.statistic == pytest.approx(seen @ inverse @ seen, rel=1e-9)
        assert found.p_value == pytest.approx(
            np.mean(statistics >= found.statistic - 1e-9), rel=1e-12
        )


def test_a_drawn_p_is_near_the_exact_one_and_the_same_each_time() -> None:
    rng = np.random.default_rng(9)
    n = 30
    time, event = rng.integers(1, 40, n).astype(float), rng.random(n) < 0.25
    codes = np.arange(n) % 2
    exact = permutation_log_rank(time, event, codes, 2, max_states=500_000)
    told: list[float] = []
    drawn = permutation_log_rank(time, event, codes, 2, max_states=1, tick=told.append)
    again = permutation_log_rank(time, event, codes, 2, max_states=1)
    assert exact.is_exact
    assert not drawn.is_exact
    assert drawn == again
    assert drawn.seed == 1
    assert told[-1] == 1.0
    spread = math.sqrt(exact.p_value * (1 - exact.p_value) / 10_000)
    assert drawn.p_value == pytest.approx(exact.p_value, abs=4.5 * spread)


def test_scores_sum_to_observed_less_expected_also_with_late_entry() -> None:
    rng = np.random.default_rng(1)
    time = rng.integers(3, 20, 40).astype(float)
    entry = np.where(rng.random(40) < 0.5, time - rng.integers(1, 3, 40), 0.0)
    event, codes = rng.random(40) < 0.6, rng.integers(0, 3, 40)
    for late in (None, entry):
        test = log_rank(time, event, codes, entry=late)
        sums = np.bincount(codes, weights=log_rank_scores(time, event, entry=late))
        assert sums == pytest.approx(test.observed - test.expected, abs=1e-12)


def test_what_can_not_be_permuted_says_why() -> None:
    time = np.array([1.0, 2, 3])
    event = np.array([True, False, True])
    assert permutation_log_rank(time[:0], event[:0], [], 2).reason is NotEstimable.NO_SUBJECTS
    assert permutation_log_rank(time, event, [0, 0, 0], 2).reason is NotEstimable.ONE_GROUP
    none = np.zeros(3, dtype=bool)
    assert permutation_log_rank(time, none, [0, 1, 0], 2).reason is NotEstimable.NO_EVENTS
    same = permutation_log_rank([5.0, 5.0], [True, True], [0, 1], 2)
    assert same.reason is NotEstimable.NEVER_COMPARED


# --- bootstrap -----------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
def test_a_bootstrap_median_is_that_of_its_sample(late: bool) -> None:
    from sts_core.estimators.bootstrap_median import _Cells, _medians
    from sts_core.estimators.tied_times import check_survival_data

    rng = np.random.default_rng(12)
    n_reached = 0
    for _ in range(12):
        n = int(rng.integers(1, 25))
        raw = rng.integers(1, 12, n).astype(float)
        given = np.minimum(rng.integers(-3, 8, n), raw - 1).astype(float) if late else None
        time, event, entry = check_survival_data(raw, rng.random(n) < rng.random(), given)
        cells = _Cells.of(time, event, entry)
        drawn = rng.multinomial(n, cells.repeats / n, size=6)
        starts = np.concatenate([[-np.inf], cells.distinct])
        for rule in QuantileRule:
            medians = _medians(cells, drawn, 0.5, rule)
            for counts, median in zip(drawn, medians, strict=True):
                sample = product_limit(
                    np.repeat(cells.distinct[cells.place], counts),
                    np.repeat(cells.had_event, counts),
                    entry=None
                    if cells.entered is None
                    else np.repeat(starts[cells.entered], counts),
                )
                expected = quantile(sample, 0.5, rule=rule).value
                assert median == expected or (math.isnan(median) and math.isnan(expected))
                n_reached += not math.isnan(expected)
    assert n_reached > 50


def test_bootstrap_of_a_sample_without_censoring_is_that_of_its_median() -> None:
    values = np.array([3.0, 5, 8, 11, 20, 31, 44])
    found = bootstrap_medians(
        values, np.ones(7, dtype=bool), resamples=4000, rng=np.random.default_rng(5)
    )
    rng = np.random.default_rng(6)
    plain = np.median(rng.choice(values, size=(4000, 7)), axis=1)
    assert set(np.unique(found)) == set(np.unique(plain))
    for value in values:
        assert np.mean(found <= value) == pytest.approx(np.mean(plain <= value), abs=0.04)


def test_bootstrap_is_seeded_and_can_be_stopped() -> None:
    time, event = np.arange(1.0, 31), np.arange(30) % 3 > 0
    one, other = (
        bootstrap_medians(time, event, rng=np.random.default_rng(1), resamples=500)
        for _ in range(2)
    )
    assert np.array_equal(one, other, equal_nan=True)

    def stop(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        bootstrap_medians(time, event, rng=np.random.default_rng(1), tick=stop)
    nobody = bootstrap_medians([], [], rng=np.random.default_rng(1), resamples=3)
    assert np.isnan(nobody).all()


def test_an_interval_of_which_too_many_samples_are_missing_is_not_estimable() -> None:
    one, zero = np.arange(100.0), np.zeros(100)
    full = percentile_difference(one, zero)
    assert (full.low, full.high) == pytest.approx((2.475, 96.525))
    few = one.copy()
    few[:5] = np.nan
    assert percentile_difference(few, zero).reason is None
    assert percentile_difference(few, zero).n_not_reached == 5
    few[5] = np.nan
    assert percentile_difference(few, zero).reason is NotEstimable.NOT_REACHED


# --- differences and crossing --------------------------------------------------------------------


def test_differences_by_hand() -> None:
    one = product_limit([1, 2, 3, 4], [1, 1, 0, 0])
    other = product_limit([2, 3, 4, 5], [1, 0, 0, 0])
    # 1/2 against 3/4; Greenwood 1/4 (1/12 + 1/6) and 9/16 (1/12)
    found = rate_difference(one, other, 2)
    assert found.value == pytest.approx(-0.25)
    assert found.std_error == pytest.approx(math.sqrt(1 / 16 + 3 / 64))
    assert found.p_value == pytest.approx(math.erfc(0.25 / found.std_error / math.sqrt(2)))
    assert rate_difference(one, other, 4.5).reason is NotEstimable.BEYOND_FOLLOW_UP
    flat = rate_difference(other, other, 1)
    assert (flat.value, flat.spread_reason) == (0, NotEstimable.NO_VARIATION)
    means = restricted_mean_difference(one, other, 3)
    assert means.value == pytest.approx((1 + 0.75 + 0.5) - (2 + 0.75))
    assert restricted_mean_difference(one, other, 5).reason is NotEstimable.BEYOND_FOLLOW_UP


def test_crossing_by_hand() -> None:
    early = product_limit([1, 1, 20, 20], [1, 1, 0, 0])  # falls at once, then stays at 1/2
    late = product_limit([5, 6, 7, 20], [1, 1, 1, 0])
    assert crossing_time(early, late, until=20) == 6  # 1/2 each: the lead of the second is gone
    assert crossing_time(late, early, until=20) == 6
    assert crossing_time(early, late, until=6) is None
    assert crossing_time(early, late, until=20, least=0.6) is None
    assert crossing_time(early, early, until=20) is None


# --- cut points ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", sorted({c for c, quantity in COIN if quantity == "maxstat"}))
def test_the_best_cut_is_that_of_maxstat(case: int) -> None:
    cohort = COHORTS[case]
    n = len(cohort["time"])
    marker = (37 * np.arange(1, n + 1)) % 11
    found = maximally_selected_log_rank(marker, cohort["time"], cohort["event"], resamples=100)
    assert found.statistic == pytest.approx(COIN[case, "statistic_lau92"], rel=1e-9)
    assert found.statistic == pytest.approx(COIN[case, "maxstat"], rel=1e-9)
    assert found.p_approximate == pytest.approx(COIN[case, "maxstat_lau92"], rel=1e-9)
    # R names the largest value of the lower group, we the smallest one of the upper group
    assert found.cut == marker[marker > COIN[case, "cutpoint"]].min()


def test_a_cut_that_separates_is_found_and_one_that_does_not_has_a_large_p() -> None:
    rng = np.random.default_rng(8)
    marker = rng.normal(size=60)
    time = rng.exponential(np.where(marker < 0.3, 4.0, 30.0))
    event = np.ones(60, dtype=bool)
    found = maximally_selected_log_rank(marker, time, event, resamples=500)
    assert 0 < found.cut < 0.8
    assert found.p_permutation < 0.01
    assert found.p_approximate < 0.001
    none = maximally_selected_log_rank(marker, time[::-1], event, resamples=500)
    assert none.p_permutation > 0.1
    plain = log_rank(time[::-1], event, marker >= none.cut)
    assert none.p_permutation > plain.p_value


def test_what_can_not_be_cut_says_why() -> None:
    event = np.array([True, False, True])
    assert maximally_selected_log_rank([], [], []).reason is NotEstimable.NO_SUBJECTS
    none = maximally_selected_log_rank([1, 2, 3], [1, 2, 3], [False] * 3)
    assert none.reason is NotEstimable.NO_EVENTS
    same = maximally_selected_log_rank([2, 2, 2], [1, 2, 3], event)
    assert same.reason is NotEstimable.NO_VARIATION
    with pytest.raises(ValueError, match="smallest_share"):
        maximally_selected_log_rank([1, 2, 3], [1, 2, 3], event, smallest_share=0.5)
    with pytest.raises(ValueError, match="missing"):
        maximally_selected_log_rank([1, math.nan, 3], [1, 2, 3], event)
