"""Cox models: by hand, against R's stored numbers, lifelines, scikit-survival, and always."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from lifelines.datasets import load_lung
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from sts_core.estimates import NotEstimable
from sts_core.estimators import cox as module
from sts_core.estimators import cox_likelihood, risk_sets
from sts_core.estimators.concordance import concordance
from sts_core.estimators.cox import (
    CoxFit,
    Separation,
    cox_fit,
    cox_fit_many,
    likelihood_ratio_test,
    wald_test,
)
from sts_core.estimators.cox_likelihood import Ties
from sts_core.estimators.cox_residuals import (
    TimeTransform,
    proportional_hazards_test,
    schoenfeld_residuals,
    score_residuals,
)

REFERENCE = Path(__file__).parents[1] / "reference"
few = settings(deadline=None, max_examples=40)

# Six subjects of Therneau and Grambsch (2000), appendix E.
SIX_TIME = [1, 1, 6, 6, 8, 9]
SIX_EVENT = [1, 0, 1, 1, 0, 1]
SIX_X = [1, 1, 1, 0, 0, 0]

# Freireich et al., Blood 1963;21:699-716: weeks in remission; 6-mercaptopurine and placebo.
REMISSION = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
REMISSION += [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0] + [1] * 21
PLACEBO = [0] * 21 + [1] * 21


def random_data(seed: int = 1, n: int = 80, p: int = 2) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    latent = rng.exponential(10 * np.exp(-0.5 * x[:, 0]))
    limit = rng.uniform(2, 30, n)
    return np.ceil(np.minimum(latent, limit)), latent <= limit, x


def assert_same_fit(a: CoxFit, b: CoxFit) -> None:
    assert a.coefficients == pytest.approx(b.coefficients, abs=1e-7, nan_ok=True)
    assert a.std_errors == pytest.approx(b.std_errors, abs=1e-7, nan_ok=True)
    assert a.log_likelihood == pytest.approx(b.log_likelihood, abs=1e-8)
    assert a.reasons == b.reasons


# ---- by hand ---------------------------------------------------------------------------------


def test_six_subjects_breslow_by_hand() -> None:
    # With r = exp(beta): l = 2 beta - log(3r + 3) - 2 log(r + 3), whose slope is 0 at the fit.
    fit = cox_fit(SIX_TIME, SIX_EVENT, SIX_X, ties="breslow")
    r = math.exp(fit.coefficients[0])
    assert 2 - r / (r + 1) - 2 * r / (r + 3) == pytest.approx(0, abs=1e-10)
    # Multiplied out: 2(r+1)(r+3) = r(r+3) + 2r(r+1), so r^2 - 3r - 6 = 0.
    assert r == pytest.approx((3 + math.sqrt(33)) / 2, abs=1e-10)
    information = r / (r + 1) ** 2 + 2 * 3 * r / (r + 3) ** 2
    assert fit.std_errors[0] == pytest.approx(1 / math.sqrt(information), abs=1e-10)
    value = 2 * math.log(r) - math.log(3 * r + 3) - 2 * math.log(r + 3)
    assert fit.log_likelihood == pytest.approx(value, abs=1e-12)
    assert fit.log_likelihood_null == pytest.approx(-math.log(6) - 2 * math.log(4), abs=1e-12)
    assert fit.score_null[0] == pytest.approx(2 - 1 / 2 - 2 / 4, abs=1e-12)


def test_six_subjects_efron_by_hand() -> None:
    # l = 2 beta - log(3r + 3) - log(r + 3) - log((r + 3) - (r + 1) / 2)
    fit = cox_fit(SIX_TIME, SIX_EVENT, SIX_X)
    r = math.exp(fit.coefficients[0])
    score = 2 - r / (r + 1) - r / (r + 3) - r / (r + 5)
    assert score == pytest.approx(0, abs=1e-9)
    assert fit.coefficients[0] == pytest.approx(1.67685749, abs=5e-9)
    information = r / (r + 1) ** 2 + 3 * r / (r + 3) ** 2 + 5 * r / (r + 5) ** 2
    assert fit.std_errors[0] == pytest.approx(1 / math.sqrt(information), abs=1e-9)
    value = 2 * math.log(r) - math.log(3 * r + 3) - math.log(r + 3) - math.log(r / 2 + 5 / 2)
    assert fit.log_likelihood == pytest.approx(value, abs=1e-12)
    assert (fit.n, fit.n_events, fit.n_missing, fit.converged) == (6, 4, 0, True)


def test_schoenfeld_residuals_by_hand() -> None:
    fit = cox_fit(SIX_TIME, SIX_EVENT, SIX_X, ties="breslow")
    r = math.exp(fit.coefficients[0])
    got = schoenfeld_residuals(fit, SIX_TIME, SIX_EVENT, SIX_X)
    expected = [1 - r / (r + 1), 1 - r / (r + 3), -r / (r + 3), 0]
    assert got.row.tolist() == [0, 2, 3, 5]
    assert got.residuals[:, 0] == pytest.approx(expected, abs=1e-10)


# ---- R's numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ties", "coefficient", "std_error"),
    [("efron", 1.572125, 0.412397), ("breslow", 1.509191, 0.409564)],
)
def test_remission_trial(ties: str, coefficient: float, std_error: float) -> None:
    fit = cox_fit(REMISSION, RELAPSED, PLACEBO, ties=ties)
    assert fit.coefficients[0] == pytest.approx(coefficient, abs=6e-7)
    assert fit.std_errors[0] == pytest.approx(std_error, abs=6e-7)


def test_remission_trial_proportional_hazards() -> None:
    fit = cox_fit(REMISSION, RELAPSED, PLACEBO)
    test = proportional_hazards_test(fit, REMISSION, RELAPSED, PLACEBO)
    assert test.overall.statistic == pytest.approx(0.0229, abs=5e-5)
    assert test.overall.p_value == pytest.approx(0.880, abs=5e-4)


def lung() -> tuple[Any, Any, Any]:
    data = load_lung()
    return data["time"], data["status"], data[["age", "sex", "ph.ecog"]].to_numpy(float)


def test_lung() -> None:
    # coxph(Surv(time, status) ~ age + sex + ph.ecog, lung), eps 1e-11; R 4.2.2, survival 3.5-3.
    time, event, x = lung()
    fit = cox_fit(time, event, x)
    assert (fit.n, fit.n_missing, fit.n_events) == (227, 1, 164)
    assert fit.coefficients == pytest.approx(
        [0.0110667645961, -0.5526123955318, 0.4637284751157], rel=1e-8
    )
    assert fit.std_errors == pytest.approx(
        [0.00926741101437, 0.16773905378342, 0.11357726616137], rel=1e-9
    )
    assert fit.log_likelihood_null == pytest.approx(-744.480455761, abs=1e-8)
    assert fit.log_likelihood == pytest.approx(-729.230121375, abs=1e-8)
    for transform, expected in [
        ("km", [0.187987673561, 2.305437226775, 2.054248773863, 4.463657588162]),
        ("rank", [0.117291506918, 2.044694679623, 2.544878392389, 4.710680140719]),
        ("identity", [0.152350317151, 2.491913216508, 1.578235238253, 4.119382950936]),
    ]:
        test = proportional_hazards_test(fit, time, event, x, transform=transform)
        got = [t.statistic for t in (*test.terms, test.overall)]
        assert got == pytest.approx(expected, rel=1e-7)
        assert test.overall.df == 3
    c = concordance(time, event, fit.linear_predictor.round(12))
    assert (c.concordant, c.discordant, c.tied_risk) == (12544, 7117, 126)
    assert c.estimate == pytest.approx(0.637135493, abs=1e-9)


def stored() -> tuple[dict[int, dict[str, Any]], dict[tuple[int, str], Any]]:
    rows: dict[int, list[dict[str, str]]] = defaultdict(list)
    with (REFERENCE / "cox_cohorts.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[int(row["case"])].append(row)
    cohorts = {}
    for case, members in rows.items():
        numbers = {
            key: np.array([float(m[key].replace("NA", "nan")) for m in members])
            for key in ("time", "event", "entry", "stratum", "weight", "x1", "x2", "x3")
        }
        cohorts[case] = {**numbers, "ties": members[0]["ties"], "kind": members[0]["kind"]}
    results: dict[tuple[int, str], list[float]] = defaultdict(list)
    with (REFERENCE / "cox_regression.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            results[int(row["case"]), row["quantity"]].append(float(row["value"]))
    return cohorts, results


COHORTS, RESULTS = stored()


@pytest.mark.parametrize("looped", [True, False], ids=["few strata", "many strata"])
@pytest.mark.parametrize("dense", [True, False], ids=["dense", "sorted"])
@pytest.mark.parametrize("case", sorted(COHORTS))
def test_stored_cohorts(
    case: int, dense: bool, looped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not dense:
        monkeypatch.setattr(risk_sets, "DENSE_CELLS", 0)
    if not looped:
        monkeypatch.setattr(risk_sets, "MAX_LOOPED_STRATA", 1)
    d = COHORTS[case]
    x = np.column_stack([d["x1"], d["x2"], d["x3"]])
    options: dict[str, Any] = {}
    if d["kind"] in ("entry", "all"):
        options["entry"] = d["entry"]
    if d["kind"] in ("strata", "all"):
        options["strata"] = d["stratum"]
    if d["kind"] in ("weights", "all"):
        options["weights"] = d["weight"]
    data = (d["time"], d["event"], x)
    fit = cox_fit(*data, ties=d["ties"], **options)

    def check(quantity: str, ours: Any) -> None:
        theirs = RESULTS[case, quantity]
        assert np.ravel(ours) == pytest.approx(theirs, rel=1e-7, abs=1e-8), quantity

    check("coefficients", fit.coefficients)
    check("covariance", fit.covariance)
    check("log_likelihood", [fit.log_likelihood_null, fit.log_likelihood])
    check("score_test", fit.score_test.statistic)
    check("wald_test", fit.wald_test.statistic)
    check("n", [fit.n, fit.n_events])
    used = ~np.isnan(x).any(axis=1)
    residuals = score_residuals(fit, *data, **options)
    assert np.array_equal(np.isnan(residuals).any(axis=1), ~used)
    assert np.array_equal(np.isnan(fit.linear_predictor), ~used)
    check("score_residuals", residuals[used].T)
    check("schoenfeld_sums", (schoenfeld_residuals(fit, *data, **options).residuals ** 2).sum(0))
    for transform in TimeTransform:
        test = proportional_hazards_test(fit, *data, transform=transform, **options)
        check(f"zph_{transform}", [t.statistic for t in (*test.terms, test.overall)])
    if (case, "concordance") in RESULTS:
        strata = options.get("strata")
        c = concordance(d["time"], d["event"], fit.linear_predictor.round(10), strata=strata)
        check("concordance", c.estimate)


# ---- other software --------------------------------------------------------------------------


def test_lifelines_and_scikit_survival() -> None:
    time, event, x = random_data(5, 150, 3)
    fit = cox_fit(time, event, x)
    frame = {"time": time, "event": event} | {f"x{j}": x[:, j] for j in range(3)}
    import pandas as pd

    other = CoxPHFitter().fit(pd.DataFrame(frame), "time", "event")
    assert fit.coefficients == pytest.approx(other.params_.to_numpy(), abs=1e-5)
    assert fit.std_errors == pytest.approx(other.standard_errors_.to_numpy(), abs=1e-5)
    assert fit.log_likelihood == pytest.approx(other.log_likelihood_, abs=1e-5)
    for ties in Ties:
        learner = CoxPHSurvivalAnalysis(ties=str(ties)).fit(x, Surv.from_arrays(event, time))
        ours = cox_fit(time, event, x, ties=ties)
        assert ours.coefficients == pytest.approx(learner.coef_, abs=1e-5)


# ---- tests of coefficients -------------------------------------------------------------------


def test_wald_and_likelihood_ratio() -> None:
    time, event, x = random_data(3, 90, 3)
    full, reduced = cox_fit(time, event, x), cox_fit(time, event, x[:, :1])
    empty = cox_fit(time, event, x[:, :0])
    chosen = wald_test(full, [1, 2])
    part = full.coefficients[1:]
    expected = part @ np.linalg.inv(full.covariance[1:, 1:]) @ part
    assert chosen.statistic == pytest.approx(expected, rel=1e-10)
    assert chosen.df == 2
    one = wald_test(full, [0])
    assert one.statistic == pytest.approx((full.coefficients[0] / full.std_errors[0]) ** 2)
    ratio = likelihood_ratio_test(full, reduced)
    assert ratio.statistic == pytest.approx(2 * (full.log_likelihood - reduced.log_likelihood))
    assert ratio.df == 2
    over_all = likelihood_ratio_test(full, empty)
    assert over_all == full.likelihood_ratio_test
    assert likelihood_ratio_test(full, full).reason is NotEstimable.NO_VARIATION
    with pytest.raises(ValueError, match="same rows"):
        likelihood_ratio_test(full, cox_fit(time[1:], event[1:], x[1:, :1]))
    with pytest.raises(ValueError, match="same rows"):
        likelihood_ratio_test(full, cox_fit(time, event, x[:, :1], ties="breslow"))


def test_factor_as_one_term_of_the_proportional_hazards_test() -> None:
    time, event, x = random_data(3, 90, 3)
    fit = cox_fit(time, event, x)
    together = proportional_hazards_test(fit, time, event, x, terms=[[0], [1, 2]])
    single = proportional_hazards_test(fit, time, event, x)
    assert [t.df for t in together.terms] == [1, 2]
    assert together.terms[0] == single.terms[0]
    assert together.overall == single.overall


# ---- many at once ----------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [1, 10_000_000])
def test_many_fits_equal_single_fits(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_CELLS", cells)
    rng = np.random.default_rng(8)
    time, event, _ = random_data(8, 51)
    blocks = [rng.normal(size=51), (rng.random((51, 4)) < 0.3).astype(float), np.ones(51)]
    blocks.append(rng.normal(size=(51, 2)))
    blocks[3][rng.random((51, 2)) < 0.2] = np.nan
    blocks.append(np.where(event, 0.0, rng.random(51) < 0.5))
    blocks.append(np.full(51, np.nan))
    stratum = rng.integers(0, 3, 51)
    for options in ({}, {"strata": stratum, "ties": "breslow"}, {"entry": time * 0.3 - 1}):
        many = cox_fit_many(time, event, blocks, **options)
        assert len(many) == len(blocks)
        for fit, block in zip(many, blocks, strict=True):
            assert_same_fit(fit, cox_fit(time, event, block, **options))
    assert many[3].n_missing == int(np.isnan(blocks[3]).any(axis=1).sum()) > 0
    assert many[4].reasons == (NotEstimable.SEPARATION,)
    assert many[5].reasons == (NotEstimable.NO_SUBJECTS,)
    complete = ~np.isnan(blocks[3]).any(axis=1)
    alone = cox_fit(time[complete], event[complete], blocks[3][complete])
    assert cox_fit_many(time, event, blocks)[3].coefficients == pytest.approx(alone.coefficients)
    assert cox_fit_many(time, event, []) == ()


def test_large_tables_in_blocks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    time, event, x = random_data(9, 200, 3)
    whole = cox_fit(time, event, x)
    monkeypatch.setattr(cox_likelihood, "BLOCK_CELLS", 50)
    assert_same_fit(cox_fit(time, event, x), whole)


# ---- not estimable ---------------------------------------------------------------------------


def test_nobody() -> None:
    fit = cox_fit([], [], np.zeros((0, 2)))
    assert fit.reasons == (NotEstimable.NO_SUBJECTS,) * 2
    assert np.isnan(fit.coefficients).all()
    assert fit.wald_test.reason is NotEstimable.NO_SUBJECTS
    assert schoenfeld_residuals(fit, [], [], np.zeros((0, 2))).residuals.shape == (0, 2)
    assert score_residuals(fit, [], [], np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize(
    ("time", "event", "x", "reason"),
    [
        ([5.0], [True], [1.0], NotEstimable.NO_VARIATION),
        ([1, 2, 3], [0, 0, 0], [1, 2, 3], NotEstimable.NO_EVENTS),
        ([1, 2, 3], [1, 1, 1], [2.5, 2.5, 2.5], NotEstimable.NO_VARIATION),
        ([1, 2, 3, 4], [0, 0, 1, 1], [1, 1, 0, 0], NotEstimable.NEVER_COMPARED),
        ([3, 3, 3], [1, 1, 1], [1, 1, 1], NotEstimable.NO_VARIATION),
    ],
    ids=["one subject", "no events", "constant", "gone before the first event", "all tied"],
)
def test_nothing_to_estimate(time: Any, event: Any, x: Any, reason: NotEstimable) -> None:
    fit = cox_fit(time, event, x)
    assert fit.reasons == (reason,)
    assert np.isnan(fit.coefficients[0])
    assert np.isnan(fit.std_errors[0])
    for test in (fit.wald_test, fit.score_test, fit.likelihood_ratio_test):
        assert test.p_value is None
        assert test.reason is reason
    assert wald_test(fit).reason is reason
    assert not fit.is_estimable
    assert fit.rank == 0
    assert proportional_hazards_test(fit, time, event, x).overall.p_value is None


def test_all_events_at_one_time() -> None:
    # Everybody at risk has the event: Breslow's likelihood is flat in no direction, and its
    # maximum is at 0, because the mean of the events is the mean of the risk set.
    fit = cox_fit([2, 2, 2, 2], [1, 1, 1, 1], [0, 0, 1, 1], ties="breslow")
    assert fit.coefficients[0] == pytest.approx(0, abs=1e-12)
    assert fit.std_errors[0] == pytest.approx(1.0)  # 1 / sqrt(4 * 1/4)


def test_collinear_columns() -> None:
    time, event, x = random_data()
    doubled = np.column_stack([x[:, 0], 3 * x[:, 0] + 7, x[:, 1], np.full(80, 0.1)])
    fit = cox_fit(time, event, doubled)
    assert fit.reasons == (None, NotEstimable.COLLINEAR, None, NotEstimable.NO_VARIATION)
    alone = cox_fit(time, event, x)
    assert fit.coefficients[[0, 2]] == pytest.approx(alone.coefficients, abs=1e-9)
    assert fit.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-9)
    assert fit.wald_test.df == fit.likelihood_ratio_test.df == fit.rank == 2
    assert wald_test(fit, [1, 2]).df == 1
    assert wald_test(fit, [1]).reason is NotEstimable.COLLINEAR
    assert fit.converged
    terms = proportional_hazards_test(fit, time, event, doubled).terms
    assert [t.reason for t in terms] == list(fit.reasons)


def test_level_without_events() -> None:
    time, event, x = random_data(4, 60, 1)
    level = np.zeros(60)
    level[np.flatnonzero(~event)[:6]] = 1
    level[np.argmax(time)] = level[np.argmax(time)] if not event[np.argmax(time)] else 0
    fit = cox_fit(time, event, np.column_stack([level, x[:, 0], 1 - level]))
    assert fit.reasons == (NotEstimable.SEPARATION, None, NotEstimable.COLLINEAR)
    assert fit.separations[0] is Separation.NO_EVENTS_IN_LEVEL
    assert fit.directions.tolist() == [-1, 0, 0]
    assert np.isnan(fit.coefficients[0])
    assert np.isnan(fit.covariance[0]).all()
    assert not fit.converged
    assert np.isfinite(fit.linear_predictor).all()
    assert fit.wald_test.reason is NotEstimable.SEPARATION
    assert wald_test(fit, [0]).reason is NotEstimable.SEPARATION
    assert wald_test(fit, [1]).p_value is not None
    assert fit.likelihood_ratio_test.p_value is not None
    assert fit.score_test.p_value is not None
    # In the limit the level leaves all risk sets.
    rest = level == 0
    limit = cox_fit(time[rest], event[rest], x[rest])
    assert fit.coefficients[1] == pytest.approx(limit.coefficients[0], abs=1e-6)
    assert fit.std_errors[1] == pytest.approx(limit.std_errors[0], abs=1e-6)
    assert fit.log_likelihood == pytest.approx(limit.log_likelihood, abs=1e-6)
    alone = cox_fit(time, event, level)
    assert alone.reasons == (NotEstimable.SEPARATION,)
    other = cox_fit(time, event, 1 - level)
    assert other.separations == (Separation.NO_EVENTS_OUTSIDE_LEVEL,)
    assert other.directions.tolist() == [1]


def test_reference_level_without_events() -> None:
    time, event, _ = random_data(6, 60)
    level = np.where(event, np.arange(60) % 2 + 1, np.arange(60) % 3)
    dummies = np.column_stack([level == 1, level == 2]).astype(float)
    assert not event[level == 0].any()
    fit = cox_fit(time, event, dummies)
    assert fit.reasons == (NotEstimable.SEPARATION,) * 2
    assert fit.directions.tolist() == [1, 1]


@pytest.mark.parametrize("ties", list(Ties))
def test_order_of_death_given_by_the_covariate(ties: Ties) -> None:
    time = np.arange(1.0, 31.0)
    fit = cox_fit(time, np.ones(30), -(time**2), ties=ties)
    assert fit.reasons == (NotEstimable.SEPARATION,)
    assert fit.separations == (Separation.MONOTONE_LIKELIHOOD,)
    assert fit.directions.tolist() == [1]
    assert proportional_hazards_test(fit, time, np.ones(30), -(time**2)).overall.p_value is None


def test_one_pair_short_of_separation_is_estimable() -> None:
    time = np.arange(1.0, 31.0)
    x = -time.copy()
    x[[10, 11]] = x[[11, 10]]
    fit = cox_fit(time, np.ones(30), x)
    assert fit.is_estimable
    score = score_residuals(fit, time, np.ones(30), x).sum()
    assert score == pytest.approx(0, abs=1e-6)


def test_nearly_all_information_in_one_subject_does_not_look_converged() -> None:
    # The first step from 0 is 48 long: where it lands, nothing tells 48 from infinity.
    time = [0.6, 1.2, 2.0, 4.3, 6.4, 8.9, 11.6, 15.5, 15.6, 16.8, 20.6]
    event = [1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1]
    weights = [0.5, 1, 0.5, 3.25, 3.25, 2, 3.25, 3.25, 3.25, 3.25, 3.25]
    x = [1.0] + [0.0] * 10
    for options in ({}, {"weights": weights}, {"weights": weights, "ties": "breslow"}):
        fit = cox_fit(time, event, x, **options)
        assert fit.reasons == (NotEstimable.SEPARATION,)
        assert fit.directions.tolist() == [1]


@pytest.mark.parametrize("seed", [2, 6, 9])
def test_steps_that_overshoot_are_halved(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(0, 1.5, 60))
    time = rng.exponential(np.exp(-np.clip(x, 0, 6)))
    overshot = []
    fails = module._fails

    def watched(value: Any, wanted: Any) -> Any:
        result = fails(value, wanted)
        overshot.append(bool(result.any()))
        return result

    monkeypatch.setattr(module, "_fails", watched)
    fit = cox_fit(time, np.ones(60), x)
    assert any(overshot)
    assert fit.is_estimable
    # The likelihood is concave: where its slope is 0 is the maximum.
    slope = score_residuals(fit, time, np.ones(60), x).sum()
    assert slope * fit.std_errors[0] == pytest.approx(0, abs=1e-8)


def test_nearly_collinear_columns_converge() -> None:
    rng = np.random.default_rng(5)
    first = rng.normal(size=20_000)
    x = np.column_stack([first, first + 1e-4 * rng.normal(size=20_000)])
    time = rng.exponential(np.exp(-0.5 * first))
    fit = cox_fit(time, np.ones(20_000), x)
    assert fit.is_estimable
    assert fit.iterations < 10
    other = cox_fit(time, np.ones(20_000), np.column_stack([first, (x[:, 1] - first) * 1e4]))
    assert fit.coefficients[1] == pytest.approx(other.coefficients[1] * 1e4, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-12)


def test_iteration_that_runs_out() -> None:
    time, event, x = random_data()
    fit = cox_fit(time, event, x, max_iterations=1)
    assert not fit.converged
    assert fit.reasons == (NotEstimable.NOT_CONVERGED,) * 2
    assert np.isnan(fit.coefficients).all()
    assert fit.likelihood_ratio_test.reason is NotEstimable.NOT_CONVERGED
    assert wald_test(fit, [0]).reason is NotEstimable.NOT_CONVERGED
    assert likelihood_ratio_test(fit, fit).reason is NotEstimable.NOT_CONVERGED


# ---- always ----------------------------------------------------------------------------------


def cohorts() -> st.SearchStrategy[tuple[Any, Any, Any]]:
    def build(seed: int, n: int, rounding: int) -> tuple[Any, Any, Any]:
        rng = np.random.default_rng(seed)
        time = np.round(rng.exponential(9, n) + 0.1, rounding) + 0.1
        x = np.column_stack([rng.normal(60, 12, n), rng.integers(0, 2, n)])
        return time, rng.random(n) < 0.7, x

    return st.builds(build, st.integers(0, 10_000), st.integers(25, 70), st.integers(0, 2))


@few
@given(cohorts(), st.sampled_from(list(Ties)))
def test_order_of_rows_and_unit_of_time_change_nothing(data: Any, ties: Ties) -> None:
    time, event, x = data
    fit = cox_fit(time, event, x, ties=ties)
    order = np.random.default_rng(0).permutation(time.size)
    assert_same_fit(fit, cox_fit(time[order], event[order], x[order], ties=ties))
    assert_same_fit(fit, cox_fit(time * 30.4375, event, x, ties=ties))
    # Days reached by two roads differ in the last digit, and are tied all the same.
    days = np.ceil(time * 30.4375)
    mixed = np.where(np.arange(time.size) % 2, days / 30.4375, days * (1 / 30.4375))
    assert_same_fit(cox_fit(days, event, x, ties=ties), cox_fit(mixed, event, x, ties=ties))


@few
@given(cohorts())
def test_swapping_the_reference_inverts_the_hazard_ratio(data: Any) -> None:
    time, event, x = data
    fit = cox_fit(time, event, x)
    swapped = cox_fit(time, event, np.column_stack([x[:, 0], 1 - x[:, 1]]))
    assert swapped.coefficients[1] == pytest.approx(-fit.coefficients[1], abs=1e-8, nan_ok=True)
    assert swapped.std_errors[1] == pytest.approx(fit.std_errors[1], abs=1e-8, nan_ok=True)
    assert swapped.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-9)


@few
@given(cohorts(), st.sampled_from(list(Ties)))
def test_scale_and_origin_of_a_covariate(data: Any, ties: Ties) -> None:
    time, event, x = data
    fit = cox_fit(time, event, x, ties=ties)
    moved = cox_fit(time, event, np.column_stack([x[:, 0] * 1e-3 + 1e4, x[:, 1]]), ties=ties)
    if fit.is_estimable:
        assert moved.coefficients[0] * 1e-3 == pytest.approx(fit.coefficients[0], rel=1e-5)
        assert moved.wald_test.statistic == pytest.approx(fit.wald_test.statistic, rel=1e-5)


@few
@given(cohorts(), st.sampled_from(list(Ties)))
def test_likelihood_is_that_of_a_naive_loop(data: Any, ties: Ties) -> None:
    time, event, x = data
    time = time.round(6)  # the loop below compares times exactly
    entry = np.where(np.arange(time.size) % 3 == 0, time / 2, 0.0).round(2)
    weights = 1 + np.arange(time.size) % 3
    stratum = np.arange(time.size) % 2
    fit = cox_fit(
        time, event, x, ties=ties, entry=entry, weights=weights.astype(float), strata=stratum
    )
    eta = fit.linear_predictor
    value = 0.0
    for s in (0, 1):
        for t in np.unique(time[event & (stratum == s)]):
            dead = event & (time == t) & (stratum == s)
            at_risk = (time >= t) & ((entry < t) | (entry <= 0)) & (stratum == s)
            total = float((weights * np.exp(eta))[at_risk].sum())
            tied = float((weights * np.exp(eta))[dead].sum())
            value += float((weights * eta)[dead].sum())
            d, mean_weight = int(dead.sum()), float(weights[dead].mean())
            for j in range(d):
                out = j / d * tied if ties is Ties.EFRON else 0.0
                value -= mean_weight * math.log(total - out)
    assert fit.log_likelihood == pytest.approx(value, abs=1e-9)


@few
@given(cohorts(), st.sampled_from(list(Ties)))
def test_weights_of_two_are_rows_twice_and_the_score_is_zero(data: Any, ties: Ties) -> None:
    time, event, x = data
    fit = cox_fit(time, event, x, ties=ties)
    twice = cox_fit(time, event, x, ties=ties, weights=np.full(time.size, 2.0))
    if not fit.is_estimable:
        return
    assert twice.coefficients == pytest.approx(fit.coefficients, abs=1e-7)
    assert twice.std_errors == pytest.approx(fit.std_errors / math.sqrt(2), abs=1e-7)
    if ties is Ties.BRESLOW:
        double = cox_fit(np.tile(time, 2), np.tile(event, 2), np.tile(x, (2, 1)), ties=ties)
        assert double.coefficients == pytest.approx(fit.coefficients, abs=1e-7)
    residuals = score_residuals(fit, time, event, x)
    assert residuals.sum(axis=0) / x.std(axis=0) == pytest.approx(0, abs=1e-5)


# ---- refusals and records --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": [1, 2, math.nan]}, "finite"),
        ({"time": [1, -2, 3]}, "negative"),
        ({"event": [1, 0, 2]}, "0 and 1"),
        ({"covariates": [1.0, math.inf, 2.0]}, "infinite"),
        ({"covariates": [1.0, 2.0]}, "3 rows"),
        ({"covariates": np.zeros((3, 1, 1))}, "two dimensions"),
        ({"weights": [1, 0, 1]}, "above 0"),
        ({"weights": [1, 1]}, "shape"),
        ({"strata": [1, 1]}, "shape"),
        ({"strata": [1.0, math.nan, 2.0]}, "missing"),
        ({"entry": [0, 2, 0]}, "before"),
        ({"entry": [0, 2 - 1e-12, 0]}, "before"),
        ({"ties": "exact"}, "exact"),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"time": [1, 2, 3], "event": [1, 1, 0], "covariates": [0.0, 1.0, 1.0]}
    with pytest.raises(ValueError, match=message):
        cox_fit(**{**good, **change})


def test_records_cannot_be_changed() -> None:
    fit = cox_fit(SIX_TIME, SIX_EVENT, SIX_X)
    for array in (fit.coefficients, fit.covariance, fit.linear_predictor, fit.std_errors):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    other = cox_fit(SIX_TIME, SIX_EVENT, SIX_X)
    with pytest.raises(ValueError, match="not those of the fit"):
        score_residuals(other, SIX_TIME, [1, 1, 1, 1, 0, 1], SIX_X)


def test_text_strata_and_covariates_are_not_changed() -> None:
    time, event, x = random_data(2, 40)
    before = x.copy()
    names = np.array(["Düsseldorf", "Köln 2"])[np.arange(40) % 2]
    fit = cox_fit(time, event, x, strata=names)
    assert_same_fit(fit, cox_fit(time, event, x, strata=np.arange(40) % 2))
    assert np.array_equal(x, before)
    assert x.flags.writeable


def test_concordance_without_pairs() -> None:
    assert concordance([], [], []).reason is NotEstimable.NO_SUBJECTS
    assert concordance([1, 2], [0, 0], [1, 2]).reason is NotEstimable.NO_EVENTS
    assert concordance([1, 1], [1, 1], [1, 2]).reason is NotEstimable.TOO_FEW
    assert concordance([1, 2], [1, 1], [1, 2], strata=[0, 1]).reason is NotEstimable.TOO_FEW
    only = concordance([1, 2, 3], [1, 1, 1], [3.0, math.nan, 1.0])
    assert (only.estimate, only.n_pairs) == (1.0, 1)
    with pytest.raises(ValueError, match="shape"):
        concordance([1, 2], [1, 1], [1])


def test_import_needs_neither_scipy_nor_pandas_of_its_own() -> None:
    code = (
        "import sys; import sts_core; before = set(sys.modules);"
        "import sts_core.estimators.cox, sts_core.estimators.cox_residuals,"
        "sts_core.estimators.concordance;"
        "heavy = {m.split('.')[0] for m in set(sys.modules) - before};"
        "sys.exit(bool(heavy & {'scipy', 'sksurv', 'sklearn', 'lifelines', 'streamlit'}))"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
