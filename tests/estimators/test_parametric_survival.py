"""Parametric families: by hand, against R's stored numbers and lifelines, special cases, always."""

from __future__ import annotations

import csv
import math
import warnings
from collections import defaultdict
from functools import cache
from pathlib import Path

import lifelines
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.datasets import load_lung
from scipy import stats

from sts_core.estimates import NotEstimable
from sts_core.estimators.parametric_survival import (
    Family,
    ParametricFit,
    parametric_fit,
    quantile_interval,
    survival_interval,
    survival_of,
)

REFERENCE = Path(__file__).parents[1] / "reference"
IN_R = {
    "exponential": Family.EXPONENTIAL,
    "weibull": Family.WEIBULL,
    "lognormal": Family.LOG_NORMAL,
    "loglogistic": Family.LOG_LOGISTIC,
}


@cache
def cohorts():
    found = defaultdict(lambda: ([], []))
    with (REFERENCE / "kaplan_meier_cohorts.csv").open() as stream:
        for row in csv.DictReader(stream):
            found[int(row["case"])][0].append(float(row["time"]))
            found[int(row["case"])][1].append(int(row["event"]))
    return {case: (np.array(time), np.array(event)) for case, (time, event) in found.items()}


@cache
def results():
    found = defaultdict(dict)
    with (REFERENCE / "parametric_survival_results.csv").open() as stream:
        for row in csv.DictReader(stream):
            place = found[int(row["case"]), row["family"]]
            place.setdefault(row["quantity"], []).append(float(row["value"]))
    return dict(found)


@pytest.mark.parametrize(("case", "family"), sorted(results()))
def test_survreg_of_r(case, family):
    time, event = cohorts()[case]
    theirs = results()[case, family]
    fit = parametric_fit(time, event, IN_R[family])
    k = fit.n_parameters
    at = np.quantile(time[time > 0], [0.25, 0.5, 0.9])
    used = int(np.count_nonzero(time > 0))  # R is given those only, which its BIC counts
    bic = fit.n_parameters * math.log(used) - 2 * fit.log_likelihood
    for ours, name in (
        ([fit.location], "location"),
        ([fit.scale], "scale"),
        (fit.covariance[:k, :k].ravel(), "covariance"),
        ([fit.log_likelihood], "log_likelihood"),
        ([fit.aic], "aic"),
        ([bic], "bic"),
        (quantile_interval(fit), "median"),
        (survival_of(fit, at), "survival"),
    ):
        np.testing.assert_allclose(ours, theirs[name], rtol=1e-6, atol=1e-6, err_msg=name)


def test_generalised_gamma_of_r():
    found = defaultdict(dict)
    with (REFERENCE / "generalised_gamma_results.csv").open() as stream:
        for row in csv.DictReader(stream):
            place = found[row["file"], int(row["case"])]
            place.setdefault(row["quantity"], []).append(float(row["value"]))
    late = 0
    for (file, case), theirs in found.items():
        with (REFERENCE / f"{file}_cohorts.csv").open() as stream:
            rows = [row for row in csv.DictReader(stream) if int(row["case"]) == case]
        entry = np.array([float(row["entry"]) for row in rows])
        event = (
            np.array([int(row["event"] if "event" in row else row["cause"]) for row in rows]) > 0
        )
        time = np.array([float(row["time"]) for row in rows])
        fit = parametric_fit(time, event, Family.GENERALISED_GAMMA, entry=entry)
        late += bool((entry > 0).any())
        where = f"{file} {case}"
        # never below what optim found, and at the same place
        assert fit.log_likelihood >= theirs["log_likelihood"][0] - 1e-7, where
        ours = [fit.location, math.log(fit.scale), fit.shape]
        np.testing.assert_allclose(ours, theirs["parameters"], atol=2e-5, rtol=2e-5, err_msg=where)
        assert fit.log_likelihood == pytest.approx(theirs["log_likelihood"][0], abs=1e-7), where
        errors = np.sqrt(np.diag(fit.covariance))
        np.testing.assert_allclose(errors, theirs["std_errors"], rtol=2e-4, err_msg=where)
        rates = survival_of(fit, theirs["time"])
        np.testing.assert_allclose(rates, theirs["survival"], atol=1e-6, err_msg=where)
    assert len(found) >= 10
    assert late >= 2


def test_by_hand():
    # exponential: events over time at risk; three events in 20 months
    fit = parametric_fit([2, 4, 6, 8], [1, 1, 0, 1], Family.EXPONENTIAL)
    assert fit.location == pytest.approx(math.log(20 / 3))
    assert fit.log_likelihood == pytest.approx(3 * math.log(3 / 20) - 3)
    assert fit.covariance[0, 0] == pytest.approx(1 / 3)
    assert survival_of(fit, [0, 5]).tolist() == [1, pytest.approx(math.exp(-0.75))]
    value, low, high = survival_interval(fit, 5)
    assert value == pytest.approx(math.exp(-0.75))
    width = stats.norm.ppf(0.975) / math.sqrt(3)
    limits = [math.exp(-0.75 * math.exp(sign * width)) for sign in (1, -1)]
    assert [low, high] == pytest.approx(limits, rel=1e-6)
    # log-normal without censoring: mean and standard deviation of the logarithms
    time = np.array([1.0, 2.0, 3.0, 10.0])
    fit = parametric_fit(time, np.ones(4), Family.LOG_NORMAL)
    assert fit.location == pytest.approx(np.log(time).mean())
    assert fit.scale == pytest.approx(np.log(time).std())
    assert quantile_interval(fit)[0] == pytest.approx(math.exp(np.log(time).mean()))


def test_lifelines():
    lung = load_lung()
    time, event = lung["time"].to_numpy(), lung["status"].to_numpy()
    before = np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifelines.GeneralizedGammaFitter().fit(time, event)
        weibull = lifelines.WeibullFitter().fit(time, event)
    np.seterr(**before)
    ours = parametric_fit(time, event, Family.GENERALISED_GAMMA)
    # its search stops a little below the maximum
    assert theirs.log_likelihood_ <= ours.log_likelihood < theirs.log_likelihood_ + 1e-6
    assert ours.shape == pytest.approx(theirs.lambda_, abs=1e-3)
    days = np.array([100.0, 365.0, 900.0])
    np.testing.assert_allclose(
        survival_of(ours, days), theirs.survival_function_at_times(days), atol=1e-4
    )
    fit = parametric_fit(time, event, Family.WEIBULL)
    assert math.exp(fit.location) == pytest.approx(weibull.lambda_, rel=1e-5)
    assert fit.aic == pytest.approx(weibull.AIC_, abs=1e-6)


@pytest.mark.parametrize(
    ("q", "law"),
    [
        (1.0, stats.weibull_min(1 / 0.7, scale=math.exp(2.0))),
        (0.7, stats.gamma(1 / 0.7**2, scale=math.exp(2.0) * 0.7**2)),
        (-1.0, stats.invweibull(1 / 0.7, scale=math.exp(2.0))),
        (1e-4, stats.lognorm(0.7, scale=math.exp(2.0))),
    ],
)
def test_generalised_gamma_contains_the_others(q, law):
    """Weibull, gamma (shape and scale equal), inverse Weibull and log-normal, by scipy's laws."""
    fit = ParametricFit(Family.GENERALISED_GAMMA, 2.0, 0.7, q, np.zeros((3, 3)), 0.0, 9, 9)
    times = np.array([0.5, 3.0, 7.0, 20.0, 60.0])
    close = 1e-3 if q < 0.1 and q > 0 else 1e-9
    np.testing.assert_allclose(survival_of(fit, times), law.sf(times), rtol=close, atol=1e-12)
    assert quantile_interval(fit)[0] == pytest.approx(law.median(), rel=close)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000))
def test_on_any_data(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 60))
    time = np.ceil(rng.weibull(rng.choice([0.6, 1.0, 2.0]), n) * 30)
    event = rng.random(n) < rng.choice([0.2, 0.6, 1.0])
    fits = {family: parametric_fit(time, event, family) for family in Family}
    gamma = fits[Family.GENERALISED_GAMMA]
    for family in (Family.WEIBULL, Family.LOG_NORMAL):
        if gamma.reason is None and fits[family].reason is None:
            assert gamma.log_likelihood >= fits[family].log_likelihood - 1e-7
    for fit in fits.values():
        if fit.reason is not None:
            assert math.isnan(fit.aic)
            assert math.isnan(fit.bic)
            continue
        # another unit of time moves the location and nothing else
        other = parametric_fit(time / 30.4375, event, fit.family)
        assert other.scale == pytest.approx(fit.scale, rel=1e-4)
        assert other.location == pytest.approx(fit.location - math.log(30.4375), abs=1e-4)
        value, low, high = quantile_interval(fit)
        assert low < value < high
        assert survival_of(fit, [value])[0] == pytest.approx(0.5, abs=1e-6)


def test_delayed_entry_of_an_exponential_leaves_its_rate():
    rng = np.random.default_rng(1)
    time, entry = rng.exponential(10, 4000), rng.exponential(5, 4000)
    seen = time > entry
    whole = parametric_fit(time[seen], np.ones(seen.sum()), Family.EXPONENTIAL, entry=entry[seen])
    assert math.exp(whole.location) == pytest.approx(10, rel=0.05)
    weibull = parametric_fit(time[seen], np.ones(seen.sum()), Family.WEIBULL, entry=entry[seen])
    assert weibull.scale == pytest.approx(1, abs=0.05)
    assert weibull.log_likelihood >= whole.log_likelihood


def test_a_survival_far_before_all_that_was_seen_has_an_interval_from_0_to_1():
    rng = np.random.default_rng(7)
    lived = np.ceil(rng.exponential(400, 30))
    event = rng.integers(0, 3, 30) > 0
    entry = 1000 + 0.9 * lived
    for family in Family:
        fit = parametric_fit(lived + 1000, event, family, entry=entry)
        if fit.reason is not None:
            continue
        for time in (1e-3, 90, 200, 365, 1200, 1e5, 1e12):
            value, low, high = survival_interval(fit, time)
            assert 0 <= value <= 1
            assert math.isnan(low) == math.isnan(high)
            assert math.isnan(low) or 0 <= low <= value <= high <= 1
    fit = parametric_fit(lived + 1000, event, Family.LOG_LOGISTIC, entry=entry)
    assert survival_interval(fit, 365)[1:] == (0, 1)  # nothing is known so far before


def test_the_interval_of_a_log_logistic_survival_by_hand():
    # -log S = log(1 + exp(w)) with w = (log t - location) / scale
    fit = parametric_fit([2, 4, 5, 6, 8, 11], [1, 1, 1, 0, 1, 1], Family.LOG_LOGISTIC)
    w = (math.log(7) - fit.location) / fit.scale
    hazard = math.log1p(math.exp(w))
    steep = 1 / (1 + math.exp(-w)) / hazard
    slope = np.array([-steep / fit.scale, -steep * w])
    width = stats.norm.ppf(0.975) * math.sqrt(slope @ fit.covariance @ slope)
    expected = [math.exp(-hazard * math.exp(k * width)) for k in (0, 1, -1)]
    assert survival_interval(fit, 7) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("time", "event", "reason"),
    [
        ([], [], NotEstimable.NO_SUBJECTS),
        ([1, 2], [0, 0], NotEstimable.NO_EVENTS),
        ([0, 2, 3, 4], [1, 1, 1, 1], NotEstimable.EVENT_AT_ZERO),
        ([1, 2], [1, 0], NotEstimable.TOO_FEW),
        ([5, 5, 5, 5], [1, 1, 1, 1], NotEstimable.NOT_CONVERGED),
    ],
)
def test_not_estimable(time, event, reason):
    for family in (Family.WEIBULL, Family.LOG_NORMAL, Family.LOG_LOGISTIC):
        fit = parametric_fit(time, event, family)
        assert fit.reason is reason
        assert np.isnan(survival_of(fit, [1.0])).all()


def test_censored_at_zero_tells_nothing():
    with_zero = parametric_fit([0, 2, 4, 6, 9], [0, 1, 1, 0, 1], Family.WEIBULL)
    without = parametric_fit([2, 4, 6, 9], [1, 1, 0, 1], Family.WEIBULL)
    assert with_zero.log_likelihood == pytest.approx(without.log_likelihood)
    assert (with_zero.n, without.n) == (5, 4)
