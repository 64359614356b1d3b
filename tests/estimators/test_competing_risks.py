"""Cumulative incidence, Gray's test, Fine-Gray: by hand, against R's stored numbers, always."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sksurv.nonparametric import cumulative_incidence_competing_risks

from sts_core.estimates import NotEstimable
from sts_core.estimators.cox import cox_fit
from sts_core.estimators.cumulative_incidence import (
    competing_counts,
    cumulative_incidence,
    incidence_at,
    incidence_limits,
)
from sts_core.estimators.fine_gray import fine_gray, fine_gray_wald
from sts_core.estimators.gray_test import gray_test
from sts_core.estimators.log_rank import log_rank
from sts_core.estimators.product_limit import product_limit
from validation.competing_risks import cuminc_variance

REFERENCE = Path(__file__).parents[1] / "reference"
few = settings(deadline=None, max_examples=40)


@cache
def cohorts():
    found = defaultdict(list)
    with (REFERENCE / "competing_risks_cohorts.csv").open() as stream:
        for row in csv.DictReader(stream):
            found[int(row["case"])].append(row)
    return dict(found)


@cache
def results():
    found = defaultdict(list)
    with (REFERENCE / "competing_risks_results.csv").open() as stream:
        for row in csv.DictReader(stream):
            value = math.nan if row["value"] == "NA" else float(row["value"])
            found[int(row["case"]), row["group"], row["quantity"]].append(value)
    return {key: np.array(values) for key, values in found.items()}


def column(case, name, kind=float):
    return np.array([kind(row[name]) for row in cohorts()[case]])


def entry_of(case):
    entry = column(case, "entry")
    return entry if np.any(entry > 0) else None


class TestByHand:
    """Six patients: relapse at 1, censored at 1, death and relapse at 3, death at 5, 8+."""

    curve = cumulative_incidence([1, 1, 3, 3, 5, 8], [1, 0, 2, 1, 2, 0], 2)

    def test_counts(self):
        assert self.curve.time.tolist() == [1, 3, 5, 8]
        assert self.curve.n_risk.tolist() == [6, 4, 2, 1]
        assert self.curve.n_event.tolist() == [[1, 1, 0, 0], [0, 1, 1, 0]]
        assert self.curve.n_censor.tolist() == [1, 0, 0, 1]

    def test_estimate_is_the_sum_of_hazards_times_survival(self):
        # S before 3 is 5/6; a quarter of it goes to each event at 3, half of the rest at 5
        relapse = [1 / 6, 1 / 6 + 5 / 24, 9 / 24, 9 / 24]
        death = [0, 5 / 24, 5 / 24 + 5 / 24, 10 / 24]
        np.testing.assert_allclose(self.curve.estimate, [relapse, death], atol=1e-15)
        np.testing.assert_allclose(self.curve.survival, [20 / 24, 10 / 24, 5 / 24, 5 / 24])

    def test_variance_of_the_second_step(self):
        # by the delta method: relapse by 3 is h1 + (1 - h1) h2, with h1 = 1/6 and h2 = 1/4
        variance = (1 - 1 / 4) ** 2 * (1 / 6) * (5 / 6) / 6 + (5 / 6) ** 2 * (1 / 4) * (3 / 4) / 4
        assert self.curve.std_error[0, 1] == pytest.approx(math.sqrt(variance), abs=1e-15)

    def test_reading_includes_the_time_itself(self):
        read = incidence_at(self.curve, 2, [0, 2.9, 3, 8, 9])
        np.testing.assert_allclose(read.estimate[:4], [0, 0, 5 / 24, 10 / 24])
        assert read.reason[4] is NotEstimable.BEYOND_FOLLOW_UP
        assert read.limit_reason[:3] == (NotEstimable.NO_EVENTS, NotEstimable.NO_EVENTS, None)
        assert read.n_risk.tolist() == [6, 4, 4, 1, 0]
        assert read.n_event.tolist() == [0, 0, 1, 2, 2]

    def test_counts_at_ticks_are_before_the_tick(self):
        counts = competing_counts(self.curve, [0, 1, 3, 4, 10])
        assert counts.n_risk.tolist() == [6, 6, 4, 2, 0]
        assert counts.n_event.tolist() == [[0, 0, 1, 2, 2], [0, 0, 0, 1, 2]]
        assert counts.n_censor.tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("case", sorted(cohorts()))
def test_curves_of_r(case):
    group, n_causes = column(case, "group", str), int(cohorts()[case][0]["causes"])
    cause, entry = column(case, "cause", int), entry_of(case)
    compared = 0
    for name in ["all", *sorted(set(group))]:
        if (case, name, "time") not in results():
            continue
        who = np.ones(len(group), bool) if name == "all" else group == name
        curve = cumulative_incidence(
            column(case, "time")[who], cause[who], n_causes,
            entry=None if entry is None else entry[who],
        )  # fmt: skip
        np.testing.assert_array_equal(curve.n_risk, results()[case, name, "n_risk"])
        for k in range(n_causes):
            expected = results()[case, name, f"incidence.{k + 1}"]
            np.testing.assert_allclose(curve.estimate[k], expected, rtol=0, atol=1e-12)
            if entry is not None:
                continue
            expected = results()[case, name, f"std_error.{k + 1}"]
            np.testing.assert_allclose(curve.std_error[k], expected, rtol=0, atol=1e-8)
            for conf_type in ("log-log", "log", "plain", "logit"):
                low, high = incidence_limits(curve, 0.9, conf_type)
                # at 0 nothing was seen that could give a width; R's plain scale prints 0 to 0
                inside = (curve.estimate[k] > 0) & (curve.estimate[k] < 1)
                for side, ours in (("lower", low), ("upper", high)):
                    theirs = results()[case, name, f"{conf_type}.{side}.{k + 1}"]
                    np.testing.assert_allclose(ours[k][inside], theirs[inside], rtol=0, atol=1e-8)
                    assert np.isnan(ours[k][curve.estimate[k] == 0]).all()
                    compared += int(inside.sum())
            if name == "all" and (case, name, f"cuminc.{k + 1}") in results():
                theirs = results()[case, name, f"cuminc_variance.{k + 1}"]
                np.testing.assert_allclose(cuminc_variance(curve, k), theirs, rtol=0, atol=1e-10)
    # of one patient the incidence is 0 or 1, which have no limits
    assert compared or entry is not None or not cause.any() or len(cause) == 1


def test_gray_of_r():
    compared = 0
    for (case, _, quantity), theirs in results().items():
        if not quantity.startswith("gray"):
            continue
        kind, _, of = quantity.partition(".")
        group = column(case, "group", str)
        names = sorted(set(group))
        found = gray_test(
            column(case, "time"), column(case, "cause", int), np.searchsorted(names, group),
            len(names), of=int(of), rho=1.0 if kind == "gray_rho1" else 0.0,
            strata=column(case, "stratum", int) if kind == "gray_stratified" else None,
        )  # fmt: skip
        if theirs[0] == -1:  # R cannot invert the covariance
            assert found.df < len(names) - 1
            continue
        ours = [found.statistic, found.p_value, found.df]
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)
        compared += 1
    assert compared >= 30


@pytest.mark.parametrize(("by", "least"), [("crr", 10), ("finegray", 4)])
def test_fine_gray_of_r(by, least):
    compared = 0
    for (case, _, quantity), theirs in results().items():
        if not (quantity.startswith(f"{by}.") and quantity.endswith(".coefficients")):
            continue
        of = int(quantity.split(".")[1])
        x = np.column_stack([column(case, "x1"), column(case, "x2")])
        entry = column(case, "entry") if by == "finegray" else None
        fit = fine_gray(column(case, "time"), column(case, "cause", int), x, of=of, entry=entry)
        assert fit.converged
        where = (case, "all", f"{by}.{of}.variance")
        np.testing.assert_allclose(fit.coefficients, theirs, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(fit.covariance.ravel(), results()[where], rtol=1e-6, atol=1e-6)
        log_likelihoods = results()[case, "all", f"{by}.{of}.log_likelihood"]
        np.testing.assert_allclose(
            [fit.log_likelihood_null, fit.log_likelihood], log_likelihoods, rtol=1e-9
        )
        z = fit.coefficients[0] / fit.std_errors[0]
        assert fine_gray_wald(fit, [0]).statistic == pytest.approx(z**2, rel=1e-10)
        compared += 1
    assert compared >= least


def test_weights_that_are_infinite_in_r_give_no_fit():
    cases = [key for key in results() if key[2].endswith(".infinite_weights")]
    assert cases
    for case, _, quantity in cases:
        x = np.column_stack([column(case, "x1"), column(case, "x2")])
        fit = fine_gray(
            column(case, "time"), column(case, "cause", int), x, of=int(quantity.split(".")[1]),
            entry=column(case, "entry"),
        )  # fmt: skip
        assert fit.reasons == (NotEstimable.TOO_FEW,) * 2


def test_late_entry_without_competing_events_is_a_cox_model():
    rng = np.random.default_rng(5)
    entry = np.where(rng.random(80) < 0.6, rng.integers(1, 9, 80), 0)
    time = entry + rng.integers(1, 20, 80)
    event, x = rng.random(80) < 0.6, rng.normal(size=(80, 2))
    fit = fine_gray(time, event.astype(int), x, entry=entry)
    cox = cox_fit(time, event, x, entry=entry, ties="breslow")
    np.testing.assert_allclose(fit.coefficients, cox.coefficients, rtol=1e-9)
    assert fit.log_likelihood == pytest.approx(cox.log_likelihood, rel=1e-12)
    # nobody late is as if no entry were given
    same = fine_gray(time, event.astype(int), x, entry=np.zeros(80))
    np.testing.assert_array_equal(
        same.coefficients, fine_gray(time, event.astype(int), x).coefficients
    )


def test_weights_of_late_entry_by_hand():
    # One patient has the competing event at 2 and stays at risk for the event at 5, with the weight
    # G(5) H(5) / (G(2) H(2)). Censored at 3, of two then at risk: G(5) = 1/2, G(2) = 1. One enters
    # at 4, when one other is there: H(5) = 1, H(2) = 1 - 1/2. The weight is 1/2 / (1/2) = 1.
    entry, time, cause = [0, 0, 0, 4], [2, 3, 5, 6], [2, 0, 1, 0]
    fit = fine_gray(time, cause, [0.0, 1.0, 0.0, 1.0], entry=entry)
    # at risk at 5: the event itself, the one who entered at 4, and the weight of 1
    assert fit.log_likelihood_null == pytest.approx(-np.log(3))


def naive(time, cause, n_causes):
    """Exact fractions: incidence, and its variance from the covariance of multinomial hazards."""
    times = sorted(set(time))
    risk = {t: sum(u >= t for u in time) for t in times}
    hazard = {
        (t, k): Fraction(sum(u == t and c == k for u, c in zip(time, cause, strict=True)), risk[t])
        for t in times
        for k in range(1, n_causes + 1)
    }

    def incidence(until, hazards):
        before, found = Fraction(1), Fraction(0)
        for t in times:
            if t <= until:
                found += before * hazards[t, 1]
                before *= 1 - sum(hazards[t, k] for k in range(1, n_causes + 1))
        return found

    out = []
    for until in times:
        value = incidence(until, hazard)
        variance = Fraction(0)
        for t in times:
            if t > until:
                continue
            # the incidence is linear in the hazards of one time: differences are derivatives
            slope = {
                k: incidence(until, {**hazard, (t, k): hazard[t, k] + 1}) - value
                for k in range(1, n_causes + 1)
            }
            for k in slope:
                for m in slope:
                    share = hazard[t, k] * ((k == m) - hazard[t, m])
                    variance += slope[k] * slope[m] * share / risk[t]
        out.append((float(value), math.sqrt(variance)))
    return np.array(out)


@few
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=25
    )
)
def test_on_any_data(rows):
    time, cause, group = map(list, zip(*rows, strict=True))
    curve = cumulative_incidence(time, cause, 2)
    np.testing.assert_allclose(curve.estimate.sum(0) + curve.survival, 1, atol=1e-12)
    np.testing.assert_allclose(
        np.column_stack([curve.estimate[0], curve.std_error[0]]), naive(time, cause, 2), atol=1e-7
    )
    counts = competing_counts(curve, [0, 1.5, 3, 9])
    assert np.all(counts.n_risk + counts.n_event.sum(0) + counts.n_censor == len(time))
    first = gray_test(time, cause, group, 3)
    again = gray_test(time[::-1], cause[::-1], [2 - g for g in group[::-1]], 3)
    assert (first.reason, first.df) == (again.reason, again.df)
    if first.reason is None:
        assert first.p_value == pytest.approx(again.p_value, rel=1e-6, abs=1e-12)
        assert first.score.sum() == pytest.approx(0, abs=1e-9)
    # with one kind of event these are the Kaplan-Meier estimate, log-rank and Cox with Breslow
    alone = np.minimum(cause, 1)
    single = cumulative_incidence(time, alone, 1)
    survival = product_limit(time, alone)
    np.testing.assert_allclose(single.estimate[0], 1 - survival.estimate, atol=1e-12)
    known = survival.estimate > 0
    np.testing.assert_allclose(single.std_error[0][known], survival.std_error[known], atol=1e-8)
    expected = log_rank(time, alone, group, levels=range(3))
    found = gray_test(time, alone, group, 3)
    np.testing.assert_allclose(found.score, expected.observed - expected.expected, atol=1e-9)
    x = np.array(group, dtype=float)
    cox, fg = cox_fit(time, alone, x, ties="breslow"), fine_gray(time, alone, x)
    if cox.is_estimable and fg.reasons[0] is None:
        assert fg.coefficients[0] == pytest.approx(cox.coefficients[0], abs=1e-6)
        assert fg.log_likelihood == pytest.approx(cox.log_likelihood, rel=1e-9, abs=1e-9)


def test_against_scikit_survival():
    rng = np.random.default_rng(3)
    time, cause = np.ceil(rng.exponential(8, 120)), rng.integers(0, 4, 120)
    _, theirs = cumulative_incidence_competing_risks(cause, time)
    ours = cumulative_incidence(time, cause, 3)
    np.testing.assert_allclose(ours.estimate, theirs[1:], atol=1e-12)


class TestNotEstimable:
    def test_nobody(self):
        curve = cumulative_incidence([], [], 2)
        assert curve.estimate.shape == (2, 0)
        assert incidence_at(curve, 1, [3]).reason == (NotEstimable.NO_SUBJECTS,)
        assert gray_test([], [], [], 2).reason is NotEstimable.NO_SUBJECTS
        assert fine_gray([], [], np.zeros((0, 1))).reasons == (NotEstimable.NO_SUBJECTS,)

    def test_one_patient(self):
        curve = cumulative_incidence([0], [2], 2)
        assert curve.estimate.tolist() == [[0], [1]]
        assert curve.std_error.tolist() == [[0], [0]]
        assert incidence_at(curve, 2, [5]).estimate.tolist() == [1]

    def test_all_censored_and_a_cause_never_seen(self):
        assert cumulative_incidence([1, 2], [0, 0], 2).estimate.tolist() == [[0, 0], [0, 0]]
        groups = {"time": [1, 2, 3, 4], "group": [0, 1, 0, 1], "n_groups": 2}
        assert gray_test(**groups, cause=[0, 2, 0, 2]).reason is NotEstimable.NO_EVENTS
        assert gray_test([1, 2], [1, 2], [1, 1], 3).reason is NotEstimable.ONE_GROUP
        fit = fine_gray([1, 2, 3], [0, 2, 2], [1.0, 2.0, 3.0])
        assert fit.reasons == (NotEstimable.NO_EVENTS,)

    def test_separated_constant_and_collinear(self):
        time, cause = np.arange(1, 41), np.array([1, 2, 0, 2] * 10)
        never = (cause == 0).astype(float)  # nobody with 1 has the event
        x = np.column_stack([never, np.ones(40), np.arange(40) % 5, 2 * (np.arange(40) % 5)])
        fit = fine_gray(time, cause, x)
        assert fit.reasons == (
            NotEstimable.SEPARATION, NotEstimable.NO_VARIATION, None, NotEstimable.COLLINEAR,
        )  # fmt: skip
        assert np.isfinite(fit.std_errors[2])
        assert fine_gray_wald(fit, [0, 2]).reason is NotEstimable.SEPARATION
        assert fine_gray_wald(fit, [2, 3]).df == 1

    def test_empty_group_costs_no_degree_of_freedom(self):
        time, cause, group = [1, 2, 2, 3, 4, 5], [1, 2, 1, 0, 1, 1], [0, 0, 2, 2, 0, 2]
        with_empty = gray_test(time, cause, group, 4)
        without = gray_test(time, cause, [0, 0, 1, 1, 0, 1], 2)
        assert with_empty.df == without.df == 1
        assert with_empty.statistic == pytest.approx(without.statistic)

    def test_what_cannot_be_data_is_refused(self):
        with pytest.raises(ValueError, match="cause must be a whole number from 0 to 2"):
            cumulative_incidence([1], [3], 2)
        with pytest.raises(ValueError, match="time must not be negative"):
            gray_test([-1], [1], [0], 1)
        with pytest.raises(ValueError, match="covariates must be finite"):
            fine_gray([1], [1], [math.nan])
