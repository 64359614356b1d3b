"""Kaplan-Meier and what is read from it: by hand, against R's stored numbers, naively, always."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sksurv.nonparametric import kaplan_meier_estimator

from sts_core.estimates import NotEstimable
from sts_core.estimators.follow_up import reverse_product_limit
from sts_core.estimators.product_limit import (
    ConfType,
    QuantileRule,
    at_risk_table,
    confidence_limits,
    product_limit,
    quantile,
    restricted_mean,
    survival_at,
    symmetric_quantile,
)
from sts_core.estimators.tied_times import align_ties

few = settings(deadline=None, max_examples=60)

REFERENCE = Path(__file__).parents[1] / "reference"

# Freireich et al., Blood 1963;21:699-716: weeks in remission; 6-mercaptopurine and placebo.
MP = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
MP_EVENT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def mp():
    return product_limit(MP, MP_EVENT)


def placebo():
    return product_limit(PLACEBO, [1] * 21)


class TestByHand:
    """Therneau's six subjects: 1 1+ 6 6 8+ 9."""

    curve = product_limit([1, 1, 6, 6, 8, 9], [1, 0, 1, 1, 0, 1])

    def test_counts(self):
        assert self.curve.time.tolist() == [1, 6, 8, 9]
        assert self.curve.n_risk.tolist() == [6, 4, 2, 1]
        assert self.curve.n_event.tolist() == [1, 2, 0, 1]
        assert self.curve.n_censor.tolist() == [1, 0, 1, 0]

    def test_survival_is_the_product(self):
        expected = [5 / 6, 5 / 6 * 2 / 4, 5 / 6 * 2 / 4, 0]
        np.testing.assert_allclose(self.curve.estimate, expected, rtol=0, atol=1e-15)

    def test_greenwood(self):
        first, second = 1 / (6 * 5), 1 / (6 * 5) + 2 / (4 * 2)
        np.testing.assert_allclose(self.curve.greenwood, [first, second, second, np.inf])
        np.testing.assert_allclose(
            self.curve.std_error,
            [5 / 6 * math.sqrt(first), *[5 / 12 * math.sqrt(second)] * 2, np.nan],
        )

    def test_restricted_mean(self):
        # Rectangles 1 x 1, 5 x 5/6, 3 x 5/12; areas after the events at 1 and 6: 65/12 and 15/12.
        mean = restricted_mean(self.curve, 9)
        variance = (65 / 12) ** 2 / 30 + (15 / 12) ** 2 / 4
        assert mean.value == pytest.approx(77 / 12, abs=1e-14)
        assert mean.std_error == pytest.approx(math.sqrt(variance), abs=1e-14)

    @pytest.mark.parametrize(
        ("conf_type", "low", "high"),
        [
            # S = 5/6, G = 1/30, z = 1.959964
            ("plain", 5 / 6 - 1.959963984540054 * 5 / 6 / math.sqrt(30), 1.0),
            ("log", 5 / 6 * math.exp(-1.959963984540054 / math.sqrt(30)), 1.0),
            (
                "log-log",
                (5 / 6) ** math.exp(1.959963984540054 / math.sqrt(30) / math.log(6 / 5)),
                (5 / 6) ** math.exp(-1.959963984540054 / math.sqrt(30) / math.log(6 / 5)),
            ),
            (
                "logit",
                1 / (1 + math.exp(-math.log(5) + 1.959963984540054 / math.sqrt(30) * 6)),
                1 / (1 + math.exp(-math.log(5) - 1.959963984540054 / math.sqrt(30) * 6)),
            ),
            (
                "arcsin",
                math.sin(math.asin(math.sqrt(5 / 6)) - 0.979981992270027 * math.sqrt(5 / 30)) ** 2,
                math.sin(min(math.pi / 2, 1.1502619915 + 0.979981992270027 * math.sqrt(5 / 30)))
                ** 2,
            ),
        ],
    )
    def test_interval_types(self, conf_type, low, high):
        lows, highs = confidence_limits(self.curve, 0.95, conf_type)
        assert lows[0] == pytest.approx(low, abs=1e-12)
        assert highs[0] == pytest.approx(high, abs=1e-9)


def stored_results():
    values = defaultdict(list)
    with (REFERENCE / "kaplan_meier_results.csv").open() as stream:
        for row in csv.DictReader(stream):
            number = math.nan if row["value"] in ("NA", "NaN") else float(row["value"])
            values[int(row["case"]), row["group"], row["quantity"]].append(number)
    return {key: np.array(numbers) for key, numbers in values.items()}


def stored_cohorts():
    rows = defaultdict(list)
    with (REFERENCE / "kaplan_meier_cohorts.csv").open() as stream:
        for row in csv.DictReader(stream):
            rows[int(row["case"])].append(row)
    return {
        case: {
            "time": np.array([float(r["time"]) for r in members]),
            "event": np.array([r["event"] == "1" for r in members]),
            "entry": np.array([float(r["entry"]) for r in members]),
            "group": np.array([r["group"] for r in members]),
            "stratum": np.array([r["stratum"] for r in members]),
        }
        for case, members in rows.items()
    }


RESULTS, COHORTS = stored_results(), stored_cohorts()
CURVES = sorted({key[:2] for key in RESULTS if key[2] == "time"})


def stored_curve(case, group):
    cohort = COHORTS[case]
    entry = np.where(cohort["entry"] > 0, cohort["entry"], -np.inf)
    time, entry = align_ties(cohort["time"], entry)
    who = np.full(time.size, True) if group == "all" else cohort["group"] == group
    return product_limit(time[who], cohort["event"][who], entry=entry[who])


class TestStoredNumbersOfR:
    def test_the_stored_cohorts_are_worth_testing(self):
        assert len(CURVES) > 60
        assert any(np.any(c["entry"] > 0) for c in COHORTS.values())
        assert any(not np.all(np.diff(np.unique(c["time"])) > 1e-6) for c in COHORTS.values())

    @pytest.mark.parametrize(("case", "group"), CURVES)
    def test_curve(self, case, group):
        curve = stored_curve(case, group)
        for quantity, ours in [
            ("time", curve.time),
            ("n_risk", curve.n_risk),
            ("n_event", curve.n_event),
            ("n_censor", curve.n_censor),
            ("surv", curve.estimate),
            ("std_error", curve.std_error),
        ]:
            theirs = RESULTS[case, group, quantity]
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11, err_msg=quantity)
        mean = restricted_mean(curve)
        np.testing.assert_allclose(
            [mean.value, mean.std_error], RESULTS[case, group, "rmean"], rtol=1e-10, atol=1e-11
        )

    @pytest.mark.parametrize("conf_type", list(ConfType))
    @pytest.mark.parametrize(("case", "group"), CURVES)
    def test_intervals_and_quartiles(self, case, group, conf_type):
        curve = stored_curve(case, group)
        low, high = confidence_limits(curve, 0.9, conf_type)
        key = case, group
        np.testing.assert_allclose(low, RESULTS[*key, f"{conf_type}.lower"], atol=1e-10)
        np.testing.assert_allclose(high, RESULTS[*key, f"{conf_type}.upper"], atol=1e-10)
        quartiles = [quantile(curve, p, 0.9, conf_type) for p in (0.25, 0.5, 0.75)]
        ours = [q.value for q in quartiles] + [q.low for q in quartiles]
        ours += [q.high for q in quartiles]
        theirs = RESULTS[*key, f"{conf_type}.quantile"]
        np.testing.assert_allclose(ours, theirs, rtol=1e-11)

    @pytest.mark.parametrize("case", [c for c, _, q in RESULTS if q == "follow_up_flipped"])
    def test_follow_up_flipped(self, case):
        cohort = COHORTS[case]
        follow_up = quantile(reverse_product_limit(cohort["time"], cohort["event"], ties="flip"))
        np.testing.assert_allclose(
            [follow_up.value, follow_up.low, follow_up.high],
            RESULTS[case, "all", "follow_up_flipped"],
            rtol=1e-11,
        )


class TestPublishedNumbers:
    def test_freireich_median(self):
        assert quantile(mp()).value == 23
        assert quantile(placebo()).value == 8

    def test_freireich_restricted_mean_to_the_largest_time(self):
        treated, control = restricted_mean(mp(), 35), restricted_mean(placebo(), 35)
        assert (treated.value, treated.std_error) == pytest.approx((23.2874, 2.82747), abs=5e-5)
        assert (control.value, control.std_error) == pytest.approx((8.6667, 1.37739), abs=5e-5)

    def test_freireich_restricted_mean_to_20_weeks(self):
        mean = restricted_mean(mp(), 20)
        assert (mean.value, mean.std_error) == pytest.approx((16.1165, 1.2516), abs=5e-5)

    def test_symmetric_interval_of_the_median(self):
        treated, control = symmetric_quantile(mp()), symmetric_quantile(placebo())
        assert (treated.value, treated.std_error, treated.low, treated.high) == pytest.approx(
            (23, 5.255, 12.700, 33.300), abs=6e-4
        )
        assert (control.value, control.std_error, control.low, control.high) == pytest.approx(
            (8, 1.669, 4.729, 11.271), abs=6e-4
        )


class TestSurvivalOfExactlyOneHalf:
    LAST_EVENT = ([54, 75, 77, 84, 87, 92, 103, 105, 112, 118], [1, 1, 1, 1, 1, 0, 0, 0, 0, 1])
    LAST_CENSORED = (LAST_EVENT[0], [*LAST_EVENT[1][:-1], 0])
    EIGHT = ([1, 2, 3, 4, 5, 6, 7, 8], [1] * 8)

    @pytest.mark.parametrize(
        ("data", "rule", "median"),
        [
            (LAST_EVENT, "midpoint", 102.5),
            (LAST_EVENT, "midpoint-or-none", 102.5),
            (LAST_EVENT, "first", 87),
            (LAST_CENSORED, "midpoint", 102.5),
            (LAST_CENSORED, "midpoint-or-none", math.nan),
            (LAST_CENSORED, "first", 87),
            (EIGHT, "midpoint", 4.5),
            (EIGHT, "midpoint-or-none", 4.5),
            (EIGHT, "first", 4),
        ],
    )
    def test_rules(self, data, rule, median):
        assert quantile(product_limit(*data), rule=rule).value == pytest.approx(
            median, abs=0, nan_ok=True
        )

    @pytest.mark.parametrize("n", range(2, 201, 2))
    def test_is_recognised_at_any_even_n(self, n):
        curve = product_limit(np.arange(1, n + 1), np.ones(n))
        assert quantile(curve).value == (n + 1) / 2
        assert quantile(curve, rule="first").value == n / 2

    def test_quartiles_of_four(self):
        curve = product_limit([1, 2, 3, 4], [1, 1, 1, 1])
        assert [quantile(curve, p).value for p in (0.25, 0.5, 0.75)] == [1.5, 2.5, 3.5]


class TestTies:
    def test_unit_conversion_makes_no_new_times(self):
        days = np.array([30, 30, 61, 61, 92, 92.0])
        months = days / 30.4375
        months[1::2] += 1e-15 * np.array([1, 2, 3])
        assert product_limit(months, [1, 0, 1, 1, 0, 1]).time.size == 3
        table = at_risk_table(months, [1, 0, 1, 1, 0, 1], [30 / 30.4375, 92 / 30.4375])
        assert table.n_risk.tolist() == [6, 2]

    def test_close_times_that_differ_stay_apart(self):
        assert product_limit([1.0, 1.000001, 2.0], [1, 1, 1]).time.size == 3

    def test_alignment_takes_the_smallest_of_a_chain_over_all_arrays(self):
        first, second = align_ties(np.array([1.0, 2.0]), np.array([1.0 + 1e-9, np.inf]))
        assert first.tolist() == [1, 2]
        assert second.tolist() == [1, np.inf]

    def test_death_and_censoring_together(self):
        curve = product_limit([5, 5], [1, 0])
        assert curve.estimate.tolist() == [0.5]
        assert curve.n_risk.tolist() == [2]


class TestFollowUp:
    TIME = (5, 5, 8, 8, 10, 12, 12, 15, 15, 20)
    EVENT = (1, 0, 1, 0, 0, 1, 0, 0, 1, 0)

    def test_conventions_differ_at_ties(self):
        by_default = reverse_product_limit(self.TIME, self.EVENT)
        flipped = reverse_product_limit(self.TIME, self.EVENT, ties="flip")
        assert quantile(by_default).value == 12
        assert quantile(flipped).value == 15

    def test_by_hand_with_deaths_leaving_first(self):
        # 5: 9 of 10 left after the death, 1 ends follow-up; 8: 7 left; 10: 6; 12: 4; 15: 2; 20: 1.
        curve = reverse_product_limit(self.TIME, self.EVENT)
        assert curve.n_risk.tolist() == [9, 7, 6, 4, 2, 1]
        steps = [Fraction(8, 9), Fraction(6, 7), Fraction(5, 6), Fraction(3, 4), Fraction(1, 2), 0]
        np.testing.assert_allclose(curve.estimate, np.cumprod([float(s) for s in steps]))

    def test_nobody_censored_has_no_follow_up_median(self):
        follow_up = quantile(reverse_product_limit([1, 2, 2], [1, 1, 1]))
        assert follow_up.reason is NotEstimable.NOT_REACHED


class TestReading:
    def test_step_at_the_time_is_included(self):
        at = survival_at(mp(), [5.99, 6, 6.01])
        np.testing.assert_allclose(at.estimate, [1, 18 / 21, 18 / 21])
        assert at.n_risk.tolist() == [21, 21, 17]
        assert at.n_event.tolist() == [0, 3, 3]

    def test_beyond_follow_up_is_unknown_if_the_last_was_censored(self):
        at = survival_at(mp(), [35, 35.1])
        assert at.reason == (None, NotEstimable.BEYOND_FOLLOW_UP)
        assert at.estimate[0] == pytest.approx(0.4481793, abs=1e-7)
        assert np.isnan(at.estimate[1])
        assert at.n_risk.tolist() == [1, 0]
        assert survival_at(mp(), 35.1, extend=True).estimate == pytest.approx(at.estimate[:1])

    def test_beyond_a_last_event_is_zero(self):
        at = survival_at(placebo(), [23, 100])
        assert at.estimate.tolist() == [0, 0]
        assert at.reason == (None, None)
        assert at.limit_reason == (NotEstimable.NO_VARIATION,) * 2

    def test_before_any_event_there_is_no_log_log_interval(self):
        at = survival_at(mp(), 3)
        assert at.estimate.tolist() == [1]
        assert at.limit_reason == (NotEstimable.NO_EVENTS,)
        assert survival_at(mp(), 3, conf_type="plain").conf_low.tolist() == [1]

    def test_restricted_mean_beyond_follow_up(self):
        assert restricted_mean(mp(), 36).reason is NotEstimable.BEYOND_FOLLOW_UP
        assert restricted_mean(placebo(), 36).value == pytest.approx(8.6667, abs=5e-5)

    def test_median_not_reached_and_limit_not_reached(self):
        median = quantile(product_limit([1, 2, 3, 4], [1, 0, 0, 0]))
        assert median.reason is NotEstimable.NOT_REACHED
        assert math.isnan(median.value)
        median = quantile(product_limit([1, 2, 3, 4], [1, 1, 1, 0]))
        assert median.value == 2.5
        assert median.high_reason is NotEstimable.LIMIT_NOT_REACHED

    def test_symmetric_interval_needs_the_curve_on_both_sides(self):
        # 0.5 is reached, 0.45 is not.
        median = symmetric_quantile(product_limit([1, 2, 3, 4], [1, 1, 0, 0]))
        assert median.value == 2
        assert median.high_reason is NotEstimable.LIMIT_NOT_REACHED
        # 0.55 is not met from above.
        median = symmetric_quantile(product_limit([1, 1, 1, 2, 3], [1, 1, 1, 1, 1]))
        assert median.value == 1
        assert median.low_reason is NotEstimable.LIMIT_NOT_REACHED

    def test_symmetric_lower_limit_is_cut_at_zero(self):
        median = symmetric_quantile(product_limit([1, 2, 30, 90, 91], [1, 1, 1, 1, 1]))
        assert median.low == 0
        assert median.high > median.value


class TestLeftTruncation:
    def test_by_hand(self):
        # Entering at 3, the third subject is not at risk at 2.
        curve = product_limit([2, 4, 6], [1, 1, 1], entry=[0, 0, 3])
        assert curve.n_risk.tolist() == [2, 2, 1]
        np.testing.assert_allclose(curve.estimate, [1 / 2, 1 / 4, 0])
        assert survival_at(curve, [0, 2, 3, 3.5]).n_risk.tolist() == [2, 2, 1, 2]

    def test_table_counts_who_has_not_entered(self):
        table = at_risk_table([2, 4, 6], [1, 1, 1], [0, 2, 3, 4], entry=[0, 0, 3])
        assert table.n_not_entered.tolist() == [1, 1, 1, 0]
        assert table.n_risk.tolist() == [2, 2, 1, 2]

    def test_entry_at_zero_is_no_truncation(self):
        curve = product_limit([0, 1], [1, 1], entry=[0, 0])
        assert curve.n_risk.tolist() == [2, 1]

    def test_entry_at_or_after_exit_is_refused(self):
        with pytest.raises(ValueError, match=r"entry must be before time$"):
            product_limit([2, 4], [1, 1], entry=[2, 0])
        with pytest.raises(ValueError, match="tolerance"):
            product_limit([2, 4], [1, 1], entry=[2 - 1e-12, 0])

    def test_curve_that_falls_to_zero_early_stays_there(self):
        curve = product_limit([1, 5, 6], [1, 1, 0], entry=[0, 2, 2])
        assert curve.estimate.tolist() == [0, 0, 0]
        assert restricted_mean(curve).value == 1


class TestDegenerate:
    def test_empty(self):
        curve = product_limit([], [])
        assert curve.n == 0
        assert quantile(curve).reason is NotEstimable.NO_SUBJECTS
        assert symmetric_quantile(curve).reason is NotEstimable.NO_SUBJECTS
        assert survival_at(curve, [1, 2]).reason == (NotEstimable.NO_SUBJECTS,) * 2
        assert restricted_mean(curve, 3).reason is NotEstimable.NO_SUBJECTS
        assert at_risk_table([], [], [0, 1]).n_risk.tolist() == [0, 0]

    def test_one_subject_with_the_event(self):
        curve = product_limit([3], [1])
        assert curve.estimate.tolist() == [0]
        assert np.isnan(curve.std_error).all()
        median = quantile(curve)
        assert median.value == 3
        assert median.low_reason is NotEstimable.LIMIT_NOT_REACHED

    def test_one_subject_censored(self):
        curve = product_limit([3], [0])
        assert curve.estimate.tolist() == [1]
        assert quantile(curve).reason is NotEstimable.NOT_REACHED
        assert restricted_mean(curve).value == 3

    def test_all_censored(self):
        curve = product_limit([1, 2, 3], [0, 0, 0])
        assert curve.estimate.tolist() == [1, 1, 1]
        assert quantile(curve).reason is NotEstimable.NOT_REACHED
        assert restricted_mean(curve).std_error == 0

    def test_all_events_at_one_time(self):
        curve = product_limit([4, 4, 4], [1, 1, 1])
        assert curve.time.tolist() == [4]
        assert quantile(curve).value == 4

    def test_time_zero(self):
        curve = product_limit([0, 0, 1, 2], [1, 0, 1, 0])
        assert curve.n_risk.tolist() == [4, 2, 1]
        np.testing.assert_allclose(curve.estimate, [3 / 4, 3 / 8, 3 / 8])
        assert survival_at(curve, 0).estimate.tolist() == [0.75]
        table = at_risk_table([0, 0, 1, 2], [1, 0, 1, 0], [0, 1])
        assert table.n_risk.tolist() == [4, 2]
        assert table.n_event.tolist() == [0, 1]

    def test_all_at_time_zero(self):
        assert restricted_mean(product_limit([0, 0], [0, 0])).value == 0
        assert quantile(product_limit([0, 0], [1, 1])).value == 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("time", "event", "message"),
        [
            ([1, math.nan], [1, 0], "finite"),
            ([1, math.inf], [1, 0], "finite"),
            ([1, -0.5], [1, 0], "negative"),
            ([1, 2], [1, 2], "0 and 1"),
            ([1, 2], [1, math.nan], "0 and 1"),
            ([1, 2], ["yes", "no"], "0 and 1"),
            ([1, 2], [1], "shape"),
            ([[1, 2]], [1, 0], "one dimension"),
        ],
    )
    def test_impossible_data(self, time, event, message):
        with pytest.raises(ValueError, match=message):
            product_limit(time, event)

    def test_impossible_questions(self):
        with pytest.raises(ValueError, match="conf_level"):
            confidence_limits(mp(), 95)
        with pytest.raises(ValueError, match="probability"):
            quantile(mp(), 50)
        with pytest.raises(ValueError, match="not a valid ConfType"):
            quantile(mp(), conf_type="loglog")
        with pytest.raises(ValueError, match="horizon"):
            restricted_mean(mp(), 0)
        with pytest.raises(ValueError, match="times"):
            survival_at(mp(), [math.nan])

    def test_results_are_read_only(self):
        with pytest.raises(ValueError, match="read-only"):
            mp().estimate[0] = 0.5


@st.composite
def follow_up(draw, max_size=40):
    """Follow-up with many ties: whole or half units, 0 included."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 20), st.booleans(), st.integers(0, 19)),
            min_size=1,
            max_size=max_size,
        )
    )
    time = np.array([r[0] / 2 for r in rows])
    entry = np.array([min(r[2] / 2, t - 0.5) for r, t in zip(rows, time, strict=True)])
    return time, np.array([r[1] for r in rows]), np.where(entry > 0, entry, 0)


class TestAlways:
    @few
    @given(follow_up(), st.booleans())
    def test_naive_count_and_exact_product(self, data, truncated):
        time, event, entry = data
        entry = entry if truncated else np.zeros_like(time)
        curve = product_limit(time, event, entry=entry)
        survival = Fraction(1)
        for i, t in enumerate(curve.time):
            at_risk = int(np.sum(((entry < t) | (entry == 0)) & (time >= t)))
            dead = int(np.sum((time == t) & event))
            survival *= Fraction(at_risk - dead, at_risk)
            assert curve.n_risk[i] == at_risk
            assert curve.n_event[i] == dead
            assert curve.n_censor[i] == np.sum((time == t) & ~event)
            assert curve.estimate[i] == pytest.approx(float(survival), abs=1e-14)

    @few
    @given(follow_up())
    def test_shape_of_the_curve_and_its_bands(self, data):
        curve = product_limit(*data[:2])
        assert np.all(np.diff(curve.estimate, prepend=1.0) <= 0)
        assert np.all((curve.estimate >= 0) & (curve.estimate <= 1))
        for conf_type in ConfType:
            low, high = confidence_limits(curve, 0.95, conf_type)
            known = ~np.isnan(low)
            assert np.array_equal(known, ~np.isnan(high))
            assert np.all(low[known] >= 0)
            assert np.all(high[known] <= 1)
            assert np.all(low[known] <= curve.estimate[known] + 1e-15)
            assert np.all(curve.estimate[known] <= high[known] + 1e-15)

    @few
    @given(follow_up(), st.randoms(use_true_random=False))
    def test_order_of_rows_does_not_matter(self, data, random):
        order = list(range(data[0].size))
        random.shuffle(order)
        curve, shuffled = (
            product_limit(time, event, entry=entry)
            for time, event, entry in (data, [column[order] for column in data])
        )
        for field in ("time", "n_risk", "n_event", "n_censor", "estimate", "greenwood"):
            assert np.array_equal(getattr(curve, field), getattr(shuffled, field))

    @few
    @given(follow_up(), st.sampled_from(list(QuantileRule)))
    def test_days_or_months_give_the_same(self, data, rule):
        days, months = (product_limit(data[0] * factor, data[1]) for factor in (30.4375, 1.0))
        np.testing.assert_allclose(days.estimate, months.estimate, atol=1e-15)
        for in_days, in_months in zip(
            [quantile(days, rule=rule), quantile(days, 0.25, rule=rule)],
            [quantile(months, rule=rule), quantile(months, 0.25, rule=rule)],
            strict=True,
        ):
            np.testing.assert_allclose(in_days.value / 30.4375, in_months.value, rtol=1e-12)
            np.testing.assert_allclose(in_days.high / 30.4375, in_months.high, rtol=1e-12)

    @few
    @given(follow_up(), st.lists(st.integers(-1, 24), min_size=1, max_size=8), st.booleans())
    def test_table_equals_a_naive_count_and_adds_up(self, data, ticks, truncated):
        time, event, entry = data
        entry = entry if truncated else np.zeros_like(time)
        tick = np.array(ticks) / 2
        table = at_risk_table(time, event, tick, entry=entry)
        for i, t in enumerate(tick):
            assert table.n_event[i] == np.sum((time < t) & event)
            assert table.n_censor[i] == np.sum((time < t) & ~event)
            assert table.n_not_entered[i] == np.sum((entry >= t) & (entry > 0))
        total = table.n_risk + table.n_event + table.n_censor + table.n_not_entered
        assert np.all(total == time.size)
        inside = tick >= 0
        at = survival_at(product_limit(time, event, entry=entry), tick[inside])
        assert np.array_equal(at.n_risk, table.n_risk[inside])

    @few
    @given(follow_up(), st.floats(0.5, 12))
    def test_restricted_mean_is_the_mean_without_censoring(self, data, horizon):
        time = data[0]
        mean = restricted_mean(product_limit(time, np.ones_like(time)), horizon)
        cut = np.minimum(time, horizon)
        assert mean.value == pytest.approx(cut.mean(), abs=1e-12)
        assert mean.std_error == pytest.approx(cut.std() / math.sqrt(time.size), abs=1e-12)

    @few
    @given(follow_up())
    def test_reverse_agrees_with_scikit_survival(self, data):
        time, event, _ = data
        if event.all():
            return
        curve = reverse_product_limit(time, event)
        at, theirs = kaplan_meier_estimator(event, time, reverse=True)
        assert np.array_equal(curve.time, at)
        np.testing.assert_allclose(curve.estimate, theirs, atol=1e-14)

    @few
    @given(follow_up())
    def test_curve_and_log_log_band_agree_with_scikit_survival(self, data):
        time, event, _ = data
        curve = product_limit(time, event)
        low, high = confidence_limits(curve)
        at, theirs, (their_low, their_high) = kaplan_meier_estimator(
            event, time, conf_type="log-log"
        )
        assert np.array_equal(curve.time, at)
        np.testing.assert_allclose(curve.estimate, theirs, atol=1e-14)
        inside = (curve.estimate > 0) & (curve.estimate < 1)
        np.testing.assert_allclose(low[inside], their_low[inside], atol=1e-12)
        np.testing.assert_allclose(high[inside], their_high[inside], atol=1e-12)


def test_two_hundred_thousand_subjects():
    rng = np.random.default_rng(1)
    time, event = rng.exponential(10, 200_000), rng.random(200_000) < 0.4
    curve = product_limit(time, event)
    assert curve.n_risk[0] == 200_000
    assert quantile(curve).value == pytest.approx(10 / 0.4 * math.log(2), rel=0.02)
