"""Residuals of Cox models and the test of proportional hazards that rests on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sts_core.estimates import NotEstimable, TestResult
from sts_core.estimators.chi_square import chi_square_p
from sts_core.estimators.cox import CovariateBlock, CoxFit, check_strata, check_weights
from sts_core.estimators.cox import prepare_likelihood as _prepare
from sts_core.estimators.cox_likelihood import Moments, PartialLikelihood
from sts_core.estimators.risk_sets import RiskSets, build_risk_sets
from sts_core.estimators.tied_times import (
    BoolArray,
    FloatArray,
    IntArray,
    align_follow_up,
    check_survival_data,
    read_only,
)


class TimeTransform(StrEnum):
    """Scale of time on which a log hazard ratio may drift."""

    KAPLAN_MEIER = "km"
    RANK = "rank"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True, eq=False)
class SchoenfeldResiduals:
    """Covariates of each event less their expectation in its risk set.

    Parameters
    ----------
    row : array of int, shape (e,)
        Position of the event in the data as given; events sorted by stratum, then time.
    time : array of float, shape (e,)
    residuals : array of float, shape (e, p)
        In the units of the covariates.
    """

    row: IntArray
    time: FloatArray
    residuals: FloatArray


@dataclass(frozen=True, slots=True)
class ProportionalHazardsTest:
    """Score tests that log hazard ratios do not drift with time.

    Parameters
    ----------
    terms : tuple of TestResult
        One test for each term, in the order of the terms.
    overall : TestResult
        All terms together.
    transform : TimeTransform
    """

    terms: tuple[TestResult, ...]
    overall: TestResult
    transform: TimeTransform


@dataclass(frozen=True, slots=True, eq=False)
class _Refit:
    likelihood: PartialLikelihood
    moments: Moments
    block: CovariateBlock
    scale: FloatArray
    used: BoolArray
    times: FloatArray
    events: BoolArray
    entries: FloatArray | None

    @property
    def sets(self) -> RiskSets:
        return self.likelihood.sets


def _at_fit(
    fit: CoxFit,
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    entry: ArrayLike | None,
    strata: ArrayLike | None,
    weights: ArrayLike | None,
) -> _Refit:
    times, events, entries = check_survival_data(time, event, entry)
    stratum: NDArray[Any] | None = check_strata(strata, times.size)
    weight = check_weights(weights, times.size)
    block = CovariateBlock.of(covariates, events)
    if block.values.shape != (times.size, len(fit.reasons)) or block.n_events != fit.n_events:
        raise ValueError("the data are not those of the fit")
    sets = build_risk_sets(times, events, entries, stratum)
    likelihood = _prepare([block], sets, weight, fit.ties)
    scale = np.where(block.scales > 0, block.scales, 1.0)
    moments = likelihood.moments((fit.iterate * scale)[None, :])
    used = np.ones(times.size, dtype=np.bool_) if block.used is None else block.used
    return _Refit(likelihood, moments, block, scale, used, times, events, entries)


def _event_means(refit: _Refit) -> FloatArray:
    """Average the covariate means of the terms of an event time; shape (p, k)."""
    likelihood, mean = refit.likelihood, refit.moments.mean
    if likelihood.term_group is None:
        return np.asarray(mean[0])
    weight = likelihood.term_weight[:, None, :]
    total = np.maximum(likelihood.by_group(weight), np.finfo(np.float64).tiny)
    return np.asarray((likelihood.by_group(mean * weight) / total)[0])


def score_residuals(
    fit: CoxFit,
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> FloatArray:
    """Compute each row's part of the score, per unit of case weight.

    Parameters
    ----------
    fit
        Fitted model.
    time, event, covariates, entry, strata, weights
        The data of the fit.

    Returns
    -------
    array of float, shape (n, p)
        In the units of the covariates; NaN in rows that the fit left out. Weighted with the case
        weights they sum to 0 at the maximum; times the covariance they approximate the change of
        the coefficients when a row is left out.

    Raises
    ------
    ValueError
        If the data are not those of the fit.

    References
    ----------
    Therneau TM, Grambsch PM (2000), Modeling Survival Data, section 4.5.
    """
    width = len(fit.reasons)
    result = np.full((np.asarray(time).size, width), np.nan)
    if fit.n_events == 0 or width == 0:
        return read_only(result)
    refit = _at_fit(fit, time, event, covariates, entry, strata, weights)
    likelihood, moments, sets = refit.likelihood, refit.moments, refit.sets
    x = likelihood.x[0]
    weight = likelihood.weight[0]
    relative = np.divide(moments.risk[0], weight, out=np.zeros(weight.size), where=weight > 0)
    exposure = likelihood.expected(moments, weighted=False)[0]
    drift = moments.hazard[:, None, :] * moments.mean
    centre = sets.exposure(likelihood.by_group(drift)[0])
    if likelihood.term_fraction is not None:
        out = likelihood.by_group(drift * likelihood.term_fraction[:, None, :])[0]
        centre[:, sets.event_rows] -= out[:, sets.event_group]
    residuals = -relative * (x * exposure - centre)
    residuals[:, sets.event_rows] += (
        x[:, sets.event_rows] - _event_means(refit)[:, sets.event_group]
    )
    result[refit.used] = 0.0  # also rows in no risk set
    result[sets.rows] = residuals.T * refit.scale
    result[~refit.used] = np.nan
    return read_only(result)


def schoenfeld_residuals(
    fit: CoxFit,
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> SchoenfeldResiduals:
    """Compute Schoenfeld residuals (Schoenfeld 1982, Biometrika 69:239), one row an event.

    Parameters
    ----------
    fit
        Fitted model.
    time, event, covariates, entry, strata, weights
        The data of the fit.

    Returns
    -------
    SchoenfeldResiduals
        At tied events the expectation is the mean over the steps of Efron's method.

    Raises
    ------
    ValueError
        If the data are not those of the fit.
    """
    width = len(fit.reasons)
    if fit.n_events == 0:
        nothing = np.zeros(0)
        return SchoenfeldResiduals(nothing.astype(np.int64), nothing, np.zeros((0, width)))
    refit = _at_fit(fit, time, event, covariates, entry, strata, weights)
    sets = refit.sets
    counted = refit.used[sets.rows[sets.event_rows]]
    rows, group = sets.event_rows[counted], sets.event_group[counted]
    residuals = (refit.likelihood.x[0][:, rows] - _event_means(refit)[:, group]).T * refit.scale
    stratum = np.searchsorted(sets.stratum_bounds, group, side="right")
    order = np.lexsort((sets.rows[rows], sets.group_time[group], stratum))
    return SchoenfeldResiduals(
        read_only(sets.rows[rows][order]),
        read_only(sets.group_time[group][order]),
        read_only(residuals[order]),
    )


def proportional_hazards_test(
    fit: CoxFit,
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    terms: Sequence[Sequence[int]] | None = None,
    transform: TimeTransform | str = TimeTransform.KAPLAN_MEIER,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> ProportionalHazardsTest:
    """Test proportional hazards by the score test for covariate-by-time interactions.

    The model is extended by every covariate times a transform of time; the score test of these
    extra columns at coefficients 0 uses the full information matrix (Grambsch and Therneau 1994,
    Biometrika 81:515, without their approximation; the test of R's ``cox.zph`` since survival
    3.0).

    Parameters
    ----------
    fit
        Fitted model.
    time, event, covariates, entry, strata, weights
        The data of the fit.
    terms
        Columns tested together, for example the dummies of a factor; each column when not given.
    transform
        ``km`` (one less the Kaplan-Meier estimate just before, all strata together), ``rank`` or
        ``identity``.

    Returns
    -------
    ProportionalHazardsTest
        A term with a coefficient that goes to infinity is not estimable, nor are all terms
        together then; constant and collinear columns are left out.

    Raises
    ------
    ValueError
        If the data are not those of the fit.
    """
    transform = TimeTransform(transform)
    width = len(fit.reasons)
    chosen = [[int(i) for i in t] for t in terms] if terms else [[j] for j in range(width)]
    name = "proportional hazards"
    aliased = (NotEstimable.NO_VARIATION, NotEstimable.NEVER_COMPARED, NotEstimable.COLLINEAR)
    open_reasons = [r for r in fit.reasons if r is not None and r not in aliased]
    kept = np.array([r not in aliased for r in fit.reasons], dtype=np.bool_)
    if open_reasons or not kept.any() or fit.n_events < 2:
        found = (r for r in (*open_reasons, *fit.reasons) if r is not None)
        why = next(found, NotEstimable.NO_VARIATION)
        why = NotEstimable.TOO_FEW if fit.n_events == 1 else why
        nothing = TestResult(name, reason=why)
        return ProportionalHazardsTest((nothing,) * len(chosen), nothing, transform)

    refit = _at_fit(fit, time, event, covariates, entry, strata, weights)
    likelihood, moments, sets = refit.likelihood, refit.moments, refit.sets
    multiplier = _time_scale(refit, transform)
    event_weight = likelihood.event_weight[0]
    residuals = likelihood.x[0][:, sets.event_rows] - _event_means(refit)[:, sets.event_group]
    score = residuals @ (event_weight * multiplier[sets.event_group])
    blocks = []
    for power in (0, 1, 2):
        factor = multiplier**power
        expected = likelihood.expected(moments, factor)
        blocks.append(likelihood.information(moments, expected, factor)[0])
    index = np.flatnonzero(kept)
    plain, crossed, squared = (block[np.ix_(index, index)] for block in blocks)
    # What the extra columns tell beyond the fitted ones.
    variance = squared - crossed @ np.linalg.solve(plain, crossed)
    u = score[index]

    def tested(columns: Sequence[int]) -> TestResult:
        inside = [int(np.searchsorted(index, j)) for j in columns if kept[j]]
        if not inside:
            reason = fit.reasons[columns[0]] if columns else None
            return TestResult(name, reason=reason or NotEstimable.NO_VARIATION)
        part = variance[np.ix_(inside, inside)]
        whole = squared[np.ix_(inside, inside)]
        ratio = np.diagonal(part) / np.maximum(np.diagonal(whole), np.finfo(np.float64).tiny)
        if np.any(ratio < 1e-10) or np.linalg.cond(part) > 1e12:
            return TestResult(name, df=len(inside), reason=NotEstimable.TOO_FEW)
        statistic = max(0.0, float(u[inside] @ np.linalg.solve(part, u[inside])))
        return TestResult(name, statistic, len(inside), chi_square_p(statistic, len(inside)))

    every = [int(j) for j in index]
    return ProportionalHazardsTest(tuple(tested(t) for t in chosen), tested(every), transform)


def _time_scale(refit: _Refit, transform: TimeTransform) -> FloatArray:
    """Transform event times, centred at their mean over events; shape (k,)."""
    sets, used = refit.sets, refit.used
    times, events = refit.times[used], refit.events[used]
    entries = None if refit.entries is None else refit.entries[used]
    times, entries = align_follow_up(times, entries)
    weight = np.zeros(refit.times.size)
    weight[sets.rows] = refit.likelihood.weight[0]
    scaled: FloatArray
    if transform is TimeTransform.IDENTITY:
        scaled = times
    elif transform is TimeTransform.RANK:
        ordered = np.sort(times)
        below = np.searchsorted(ordered, times, side="left")
        through = np.searchsorted(ordered, times, side="right")
        scaled = (below + through + 1) / 2
    else:
        distinct, place = np.unique(times, return_inverse=True)
        died = np.bincount(place, weights=events, minlength=distinct.size)
        at_risk = np.cumsum(np.bincount(place, minlength=distinct.size)[::-1])[::-1].astype(float)
        if entries is not None:
            late = np.sort(entries)
            at_risk -= times.size - np.searchsorted(late, distinct, side="left")
        survival = np.cumprod(1 - died / np.maximum(at_risk, 1))
        scaled = 1 - np.concatenate([[1.0], survival[:-1]])[place]
    centred = scaled - scaled[events].mean()
    # Every event time of the risk sets that has an event among the rows used.
    order = np.argsort(times, kind="stable")
    found = np.searchsorted(times[order], sets.group_time)
    return np.asarray(centred[order][np.minimum(found, order.size - 1)], dtype=np.float64)
