"""Log-rank family: by hand, against R's stored numbers, lifelines and a naive loop, always."""

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
from lifelines.statistics import logrank_test
from scipy.stats import chi2
from sksurv.compare import compare_survival

from sts_core.estimates import NotEstimable
from sts_core.estimators import log_rank as module
from sts_core.estimators.chi_square import chi_square_p
from sts_core.estimators.log_rank import LogRankWeights, log_rank, log_rank_trend

few = settings(deadline=None, max_examples=60)

REFERENCE = Path(__file__).parents[1] / "reference"

# Freireich et al., Blood 1963;21:699-716: weeks in remission; 6-mercaptopurine and placebo.
TIME = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
TIME += [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
EVENT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0] + [1] * 21
GROUP = ["6-MP"] * 21 + ["placebo"] * 21


class TestByHand:
    """Therneau's six subjects: 1 1+ 6 in one group, 6 8+ 9 in the other.

    At 1, 3 of the 6 at risk are in the first group and one dies: expected 1/2, variance 1/4.
    At 6, 1 of 4 is and two die: expected 1/2, variance 2 (1/4) (3/4) (2/3) = 1/4.
    At 9 only the second group is left. Observed in the first group 2, expected 1.
    """

    time = (1, 1, 6, 6, 8, 9)
    event = (1, 0, 1, 1, 0, 1)
    group = (1, 1, 1, 0, 0, 0)

    def test_log_rank(self):
        test = log_rank(self.time, self.event, self.group)
        assert test.groups == (0, 1)
        np.testing.assert_allclose(test.observed, [2, 2])
        np.testing.assert_allclose(test.expected, [3, 1])
        np.testing.assert_allclose(test.variance, [[0.5, -0.5], [-0.5, 0.5]])
        assert test.statistic == pytest.approx(2, abs=1e-14)
        assert test.df == 1
        assert test.p_value == pytest.approx(math.erfc(1), abs=1e-15)
        assert test.n.tolist() == [3, 3]
        assert test.n_event.tolist() == [2, 2]

    @pytest.mark.parametrize(
        ("weights", "statistic"),
        [
            # weights 6 and 4; the root of them; 1 and 5/6
            ("gehan-breslow", (6 / 2 + 4 / 2) ** 2 / (36 / 4 + 16 / 4)),
            ("tarone-ware", (math.sqrt(6) / 2 + 2 / 2) ** 2 / (6 / 4 + 4 / 4)),
            ("peto-peto", (1 / 2 + 5 / 12) ** 2 / (1 / 4 + 25 / 36 / 4)),
        ],
    )
    def test_weighted(self, weights, statistic):
        test = log_rank(self.time, self.event, self.group, weights=weights)
        assert test.statistic == pytest.approx(statistic, abs=1e-13)

    def test_fleming_harrington_of_late_differences(self):
        # rho 0, gamma 1: weights 0 and 1/6, so that only the event time 6 counts.
        test = log_rank(self.time, self.event, self.group, weights="fleming-harrington", gamma=1)
        assert test.statistic == pytest.approx((1 / 2) ** 2 / (1 / 4), abs=1e-13)

    def test_left_truncation(self):
        # The subject with the event at 6 in the second group enters at 1, so is not at risk at 1:
        # expected 3/5 there instead of 1/2, variance 6/25; at 6 all is as before.
        entry = [0, 0, 0, 1, 0, 0]
        test = log_rank(self.time, self.event, self.group, entry=entry)
        np.testing.assert_allclose(test.expected, [2.9, 1.1])
        assert test.statistic == pytest.approx(0.9**2 / (6 / 25 + 1 / 4), abs=1e-13)


class TestPublishedNumbers:
    @pytest.mark.parametrize(
        ("weights", "statistic"),
        [
            ("log-rank", 16.7929),
            ("gehan-breslow", 13.4579),
            ("tarone-ware", 15.1236),
            ("peto-peto", 14.4572),
        ],
    )
    def test_freireich(self, weights, statistic):
        test = log_rank(TIME, EVENT, GROUP, weights=weights)
        assert test.statistic == pytest.approx(statistic, abs=5e-5)
        assert test.n_event.tolist() == [9, 21]


def stored(file):
    with (REFERENCE / file).open() as stream:
        yield from csv.DictReader(stream)


def stored_tests():
    values = defaultdict(list)
    for row in stored("kaplan_meier_results.csv"):
        if row["quantity"].startswith(("survdiff", "stratified")):
            number = math.nan if row["value"] in ("NA", "NaN") else float(row["value"])
            name, part = row["quantity"].split(".")
            values[int(row["case"]), name, part].append(number)
    return {key: np.array(numbers) for key, numbers in values.items()}


def stored_cohorts():
    cohorts = defaultdict(list)
    for row in stored("kaplan_meier_cohorts.csv"):
        cohorts[int(row["case"])].append(row)
    return cohorts


RESULTS, COHORTS = stored_tests(), stored_cohorts()
NAMES = sorted({key[:2] for key in RESULTS})


class TestStoredNumbersOfR:
    def test_the_stored_tests_are_worth_testing(self):
        assert len(NAMES) > 30
        assert sum(RESULTS[*key, "observed"].size > 2 for key in NAMES) > 10

    @pytest.mark.parametrize(("case", "name"), NAMES)
    def test_survdiff(self, case, name):
        rows = COHORTS[case]
        test = log_rank(
            [float(r["time"]) for r in rows],
            [r["event"] == "1" for r in rows],
            [r["group"] for r in rows],
            strata=[r["stratum"] for r in rows] if name.startswith("stratified") else None,
            weights="peto-peto" if name.endswith("1") else "log-rank",
        )
        for part in ("observed", "expected", "variance"):
            theirs = RESULTS[case, name, part]
            ours = np.ravel(getattr(test, part))
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11, err_msg=part)
        statistic, p_value = RESULTS[case, name, "test"]
        if test.reason is None:
            assert test.statistic == pytest.approx(statistic, rel=1e-9)
            assert test.p_value == pytest.approx(p_value, rel=1e-9)
        else:
            # R prints chi-square 0 where it has nothing to compare.
            assert statistic == 0
            assert test.reason in (NotEstimable.NO_EVENTS, NotEstimable.NEVER_COMPARED)


def naive(time, event, group, *, strata, entry, weight):
    """Do sums over event times in exact fractions; the weight gets n and S before the time."""
    labels = sorted(set(group))
    k = len(labels)
    o, e = [Fraction(0)] * k, [Fraction(0)] * k
    v = [[Fraction(0)] * k for _ in range(k)]
    for stratum in set(strata):
        who = [i for i in range(len(time)) if strata[i] == stratum]
        survival = Fraction(1)
        for t in sorted({time[i] for i in who if event[i]}):
            risk = [i for i in who if entry[i] < t <= time[i]]
            dead = [i for i in who if time[i] == t and event[i]]
            n, d = len(risk), len(dead)
            w = weight(n, survival)
            survival *= Fraction(n - d, n)
            at = [sum(group[i] == label for i in risk) for label in labels]
            for g, label in enumerate(labels):
                o[g] += w * sum(group[i] == label for i in dead)
                e[g] += w * Fraction(d * at[g], n)
                for h in range(k):
                    if n > 1:
                        share = Fraction(at[g] * ((g == h) * n - at[h]), n * n)
                        v[g][h] += w * w * share * Fraction(d * (n - d), n - 1)
    return (np.array(x, dtype=float) for x in (o, e, v))


@st.composite
def cohorts(draw, groups=4):
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 12),
                st.booleans(),
                st.integers(0, groups - 1),
                st.integers(0, 2),
                st.integers(-1, 11),
            ),
            min_size=2,
            max_size=40,
        )
    )
    time = np.array([float(r[0]) for r in rows])
    entry = np.array([float(min(r[4], r[0] - 1)) for r in rows])
    return {
        "time": time,
        "event": np.array([r[1] for r in rows]),
        "group": np.array([r[2] for r in rows]),
        "strata": np.array([r[3] for r in rows]),
        "entry": np.where(entry > 0, entry, -1),
    }


class TestAlways:
    @few
    @given(cohorts(), st.sampled_from(["log-rank", "gehan-breslow", "peto-peto"]))
    def test_naive_sums_in_fractions(self, data, weights):
        formula = {
            "log-rank": lambda n, s: 1,
            "gehan-breslow": lambda n, s: n,
            "peto-peto": lambda n, s: s,
        }
        test = log_rank(**data, weights=weights)
        columns = {name: values.tolist() for name, values in data.items()}
        observed, expected, variance = naive(**columns, weight=formula[weights])
        np.testing.assert_allclose(test.observed, observed, rtol=1e-12)
        np.testing.assert_allclose(test.expected, expected, rtol=1e-12)
        np.testing.assert_allclose(test.variance, variance, rtol=1e-10, atol=1e-10)
        if test.reason is None:
            # Any generalised inverse gives the same statistic; its rank is the df.
            assert np.linalg.matrix_rank(variance, tol=1e-9) == test.df
            difference = observed - expected
            quadratic = difference @ np.linalg.pinv(variance, rcond=1e-10) @ difference
            assert test.statistic == pytest.approx(quadratic, rel=1e-8, abs=1e-10)
        else:
            assert np.all(np.abs(variance) < 1e-12)

    @few
    @given(cohorts())
    def test_what_changes_nothing(self, data):
        plain = log_rank(**data)
        if plain.reason is not None:
            return
        order = np.argsort(-data["time"] * 7 % 5, kind="stable")
        for other in (
            {name: values[order] for name, values in data.items()},
            data | {"time": data["time"] / 30.4375, "entry": data["entry"] / 30.4375},
            data | {"group": 10 - data["group"]},
            data | {"group": data["group"].astype(str)},
        ):
            assert log_rank(**other).statistic == pytest.approx(plain.statistic, rel=1e-9, abs=1e-9)

    @few
    @given(cohorts())
    def test_observed_and_expected_balance(self, data):
        test = log_rank(**data)
        assert test.observed.sum() == pytest.approx(test.expected.sum(), abs=1e-10)
        np.testing.assert_allclose(test.variance.sum(axis=1), 0, atol=1e-10)
        assert test.n_event.sum() == data["event"].sum()

    @few
    @given(cohorts(), st.integers(1, 30))
    def test_pieces_of_the_risk_table_add_up(self, data, cells):
        whole = log_rank(**data)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_CELLS_AT_ONCE", cells)
            pieces = log_rank(**data)
        np.testing.assert_allclose(pieces.expected, whole.expected, rtol=1e-12)
        np.testing.assert_allclose(pieces.variance, whole.variance, rtol=1e-9, atol=1e-12)

    @few
    @given(cohorts(groups=2))
    def test_two_groups_trend_is_the_test(self, data):
        test = log_rank(**data)
        trend = log_rank_trend(test)
        if test.reason is None:
            assert trend.statistic == pytest.approx(test.statistic, rel=1e-9, abs=1e-12)
        else:
            assert trend.reason is test.reason


class TestSecondImplementation:
    @pytest.mark.parametrize(
        ("weights", "theirs"),
        [("log-rank", None), ("gehan-breslow", "wilcoxon"), ("tarone-ware", "tarone-ware")],
    )
    @pytest.mark.parametrize("seed", range(5))
    def test_lifelines_two_groups(self, weights, theirs, seed):
        rng = np.random.default_rng(seed)
        time = np.round(rng.exponential(9, 60), 0)
        event, group = rng.random(60) < 0.7, rng.random(60) < 0.4
        reference = logrank_test(
            time[group], time[~group], event[group], event[~group], weightings=theirs
        )
        test = log_rank(time, event, group, weights=weights)
        assert test.statistic == pytest.approx(reference.test_statistic, rel=1e-9)

    def test_scikit_survival_many_groups(self):
        rng = np.random.default_rng(6)
        time, event = np.round(rng.exponential(9, 120), 0), rng.random(120) < 0.6
        group = rng.integers(0, 5, 120)
        outcome = np.array(list(zip(event, time, strict=True)), dtype=[("e", "?"), ("t", "f8")])
        statistic, p_value = compare_survival(outcome, group)
        test = log_rank(time, event, group)
        assert test.statistic == pytest.approx(statistic, rel=1e-9)
        assert test.p_value == pytest.approx(p_value, rel=1e-9)


class TestTrend:
    def test_by_hand_for_three_groups(self):
        # One event, in the last of three equal groups of 1: O - E = (-1/3, -1/3, 2/3),
        # V = I/3 - 1/9. Scores 0 1 2: (1 x -1/3 + 2 x 2/3)^2 / (Var of a score drawn at random).
        trend = log_rank_trend(log_rank([5, 5, 4], [0, 0, 1], ["a", "b", "c"]))
        assert trend.statistic == pytest.approx(1 / (2 / 3), abs=1e-13)
        assert trend.df == 1
        assert trend.p_value == pytest.approx(chi2.sf(1.5, 1), abs=1e-14)

    def test_scale_and_origin_of_the_scores_do_not_matter(self):
        test = log_rank(TIME, EVENT, [i % 3 for i in range(42)])
        first = log_rank_trend(test, [0, 1, 2])
        assert log_rank_trend(test, [30, 20, 10]).statistic == pytest.approx(first.statistic)

    def test_equal_scores_have_no_trend(self):
        test = log_rank(TIME, EVENT, GROUP)
        assert log_rank_trend(test, [3, 3]).reason is NotEstimable.NO_VARIATION

    def test_wrong_number_of_scores(self):
        with pytest.raises(ValueError, match="scores"):
            log_rank_trend(log_rank(TIME, EVENT, GROUP), [1, 2, 3])


class TestDegenerate:
    @pytest.mark.parametrize(
        ("time", "event", "group", "reason"),
        [
            ([], [], [], NotEstimable.NO_SUBJECTS),
            ([3], [1], ["a"], NotEstimable.ONE_GROUP),
            ([3, 4], [1, 1], ["a", "a"], NotEstimable.ONE_GROUP),
            ([3, 4], [0, 0], ["a", "b"], NotEstimable.NO_EVENTS),
            # all die at once: the table has no freedom
            ([3, 3, 3], [1, 1, 1], ["a", "b", "b"], NotEstimable.NEVER_COMPARED),
            # the other group is gone before the first event
            ([1, 1, 5, 6], [0, 0, 1, 1], ["a", "a", "b", "b"], NotEstimable.NEVER_COMPARED),
        ],
    )
    def test_no_test(self, time, event, group, reason):
        test = log_rank(time, event, group)
        assert test.reason is reason
        assert math.isnan(test.statistic)
        assert math.isnan(test.p_value)
        assert test.df == 0
        assert test.to_test_result().reason is reason
        assert test.to_test_result().p_value is None

    def test_empty_level_keeps_its_place_and_costs_no_degree(self):
        group = ["c", "a"] * 21
        with_empty = log_rank(TIME, EVENT, group, levels=["c", "b", "a"])
        assert with_empty.groups == ("c", "b", "a")
        assert with_empty.n.tolist() == [21, 0, 21]
        assert with_empty.df == 1
        assert with_empty.statistic == pytest.approx(log_rank(TIME, EVENT, group).statistic)

    def test_group_never_at_risk_at_an_event_costs_no_degree(self):
        time, event = [0, 0, *TIME], [0, 0, *EVENT]
        test = log_rank(time, event, ["lost", "lost", *GROUP])
        assert test.df == 1
        assert test.statistic == pytest.approx(16.7929, abs=5e-5)
        assert test.to_test_result().p_value == test.p_value

    def test_time_zero(self):
        test = log_rank([0, 0, 1, 2], [1, 0, 1, 0], ["a", "b", "a", "b"])
        # At 0: 2 of 4 at risk, E 1/2, V 1/4; at 1: 1 of 2, E 1/2, V 1/4.
        assert test.statistic == pytest.approx(1 / 0.5)

    def test_groups_confined_to_their_strata_are_tested_apart(self):
        rng = np.random.default_rng(3)
        time, event = rng.exponential(5, 80), rng.random(80) < 0.8
        strata = np.repeat([0, 1], 40)
        group = strata * 2 + rng.integers(0, 2, 80)
        together = log_rank(time, event, group, strata=strata)
        apart = [
            log_rank(time[strata == s], event[strata == s], group[strata == s]) for s in (0, 1)
        ]
        assert together.df == 2
        assert together.n_strata == 2
        assert together.statistic == pytest.approx(sum(t.statistic for t in apart), rel=1e-10)

    def test_two_hundred_groups(self):
        rng = np.random.default_rng(4)
        time, event = np.round(rng.exponential(9, 4000), 1), rng.random(4000) < 0.8
        test = log_rank(time, event, np.arange(4000) % 200)
        assert test.df == 199
        assert 0.001 < test.p_value < 0.999
        assert test.p_value == pytest.approx(chi2.sf(test.statistic, 199), rel=1e-9)

    def test_unit_conversion_makes_no_new_times(self):
        months = np.array(TIME, dtype=float) / 30.4375
        months[::2] *= 1 + 4e-16
        assert log_rank(months, EVENT, GROUP).statistic == pytest.approx(16.7929, abs=5e-5)


class TestRefusals:
    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"group": GROUP[:-1]}, "group must have shape"),
            ({"group": [math.nan] * 42}, "group must not be missing"),
            ({"group": np.array([None] * 42, dtype=object)}, "group must not be missing"),
            ({"levels": ["6-MP"]}, "not among its levels"),
            ({"levels": ["6-MP", "6-MP", "placebo"]}, "must differ"),
            ({"strata": [1, 2]}, "strata must have shape"),
            ({"rho": 1.0}, "Fleming-Harrington"),
            ({"weights": "peto-peto", "gamma": 1.0}, "Fleming-Harrington"),
            ({"weights": "fleming-harrington", "rho": -1.0}, "not negative"),
            ({"weights": "wilcoxon"}, "not a valid LogRankWeights"),
            ({"time": [-1, *TIME[1:]]}, "negative"),
            ({"entry": TIME}, "entry must be before time"),
        ],
    )
    def test_impossible_questions(self, changed, message):
        arguments = {"time": TIME, "event": EVENT, "group": GROUP} | changed
        with pytest.raises(ValueError, match=message):
            log_rank(**arguments)

    def test_every_weight_has_a_name_for_its_test(self):
        for weights in LogRankWeights:
            assert log_rank(TIME, EVENT, GROUP, weights=weights).to_test_result().name == weights


class TestChiSquareTail:
    @pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 10, 31, 199, 500])
    def test_equals_scipy(self, df):
        for statistic in (1e-9, 0.01, 0.5, 1, 3.84, 10, 50, 199, 600, 1300):
            assert chi_square_p(statistic, df) == pytest.approx(
                chi2.sf(statistic, df), rel=1e-11, abs=1e-300
            )

    def test_edges(self):
        assert chi_square_p(0, 3) == 1
        assert chi_square_p(math.inf, 3) == 0
        assert math.isnan(chi_square_p(math.nan, 3))
        with pytest.raises(ValueError, match="df"):
            chi_square_p(1, 0)
