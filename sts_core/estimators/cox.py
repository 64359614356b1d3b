"""Proportional hazards regression (Cox 1972), one model or many at once.

The likelihood is maximised by Newton's method with step halving. A coefficient without a finite
maximum is never given a number: it is not estimable, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sts_core.estimates import NotEstimable, TestResult
from sts_core.estimators.chi_square import chi_square_p
from sts_core.estimators.cox_likelihood import (
    LikelihoodTerms,
    PartialLikelihood,
    Ties,
    partial_likelihood,
)
from sts_core.estimators.risk_sets import RiskSets, build_risk_sets
from sts_core.estimators.tied_times import (
    BoolArray,
    FloatArray,
    IntArray,
    check_survival_data,
    read_only,
)

MAX_ITERATIONS: Final = 60
"""Newton steps at most. Regular fits need 4 to 8, a coefficient going to infinity about 25."""
CONVERGED_STEP: Final = 1e-8
"""Length of the remaining Newton step, in standard errors, below which a fit has converged."""
ALIASED_PIVOT: Final = 1e-11
"""Share of a column's information left after the columns before it, below which it adds none."""
BATCH_CELLS: Final = 4_000_000
"""Covariate cells fitted together; larger sets of models are fitted one after the other."""

_MAX_HALVINGS = 40
_DIVERGING_DECREMENT = 1e-10
_EARLY_CHECK = 6
_FAIR_PART = 0.2
_VANISHED_INFORMATION = 1e-6
_LONGEST_STEP = 12.0  # change of the linear predictor between two subjects


class Separation(StrEnum):
    """What makes a coefficient go to plus or minus infinity."""

    NO_EVENTS_IN_LEVEL = "no_events_in_level"
    NO_EVENTS_OUTSIDE_LEVEL = "no_events_outside_level"
    MONOTONE_LIKELIHOOD = "monotone_likelihood"


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A fitted Cox model with p coefficients.

    Parameters
    ----------
    coefficients : array of float, shape (p,)
        Log hazard ratio per unit of the covariate; NaN where not estimable.
    std_errors : array of float, shape (p,)
        Standard errors from the inverse information; NaN where not estimable.
    covariance : array of float, shape (p, p)
        Inverse information; NaN in rows and columns of coefficients that are not estimable.
    reasons : tuple of NotEstimable or None, length p
        Why a coefficient is not estimable.
    separations : tuple of Separation or None, length p
        What lets the coefficient go to infinity, where ``reasons`` says separation.
    directions : array of int, shape (p,)
        1 or -1 where the coefficient goes to plus or minus infinity; 0 where it is estimable, and
        where nothing tells about it any more once another has gone to infinity.
    log_likelihood_null, log_likelihood : float
        Log partial likelihood with all coefficients 0, and at the maximum (with separation: at its
        upper limit).
    score_null : array of float, shape (p,)
        First derivative with all coefficients 0.
    score_test, wald_test, likelihood_ratio_test : TestResult
        Tests of all coefficients against 0; df leaves out constant and collinear columns.
    iterations : int
        Newton steps made.
    converged : bool
        Whether a maximum was found for every coefficient that is not constant or collinear.
    n, n_missing, n_events : int
        Rows used, rows left out because a covariate is missing, events among the rows used.
    ties : Ties
        Handling of ties.
    means : array of float, shape (p,)
        Means of the covariates over the rows used.
    iterate : array of float, shape (p,)
        Last coefficients of the iteration, finite also where not estimable, 0 where constant or
        collinear. For the linear predictor and residuals, not for display.
    linear_predictor : array of float, shape (n rows given,)
        ``(covariates - means) @ iterate``; NaN in rows left out.
    """

    coefficients: FloatArray
    std_errors: FloatArray
    covariance: FloatArray
    reasons: tuple[NotEstimable | None, ...]
    separations: tuple[Separation | None, ...]
    directions: IntArray
    log_likelihood_null: float
    log_likelihood: float
    score_null: FloatArray
    score_test: TestResult
    wald_test: TestResult
    likelihood_ratio_test: TestResult
    iterations: int
    converged: bool
    n: int
    n_missing: int
    n_events: int
    ties: Ties
    means: FloatArray
    iterate: FloatArray
    linear_predictor: FloatArray

    @property
    def is_estimable(self) -> bool:
        """Whether every coefficient is estimable."""
        return all(reason is None for reason in self.reasons)

    @property
    def rank(self) -> int:
        """Number of coefficients that are not constant or collinear."""
        return sum(reason not in _ALIASED for reason in self.reasons)


_ALIASED = (
    NotEstimable.NO_VARIATION,
    NotEstimable.NEVER_COMPARED,
    NotEstimable.COLLINEAR,
    NotEstimable.NO_EVENTS,
    NotEstimable.NO_SUBJECTS,
)


def cox_fit(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    ties: Ties | str = Ties.EFRON,
    max_iterations: int = MAX_ITERATIONS,
    tolerance: float = CONVERGED_STEP,
) -> CoxFit:
    """Fit a Cox model.

    Parameters
    ----------
    time
        Follow-up times in any unit, shape (n,).
    event
        Whether the follow-up ended in an event, shape (n,).
    covariates
        Numeric covariates, dummy columns for factors; shape (n, p) or (n,). Rows with a missing
        value (NaN) are left out and counted.
    entry
        Times of late entry (left truncation), shape (n,).
    strata
        Stratum of each row, shape (n,); risk sets do not cross strata.
    weights
        Case weights above 0, shape (n,).
    ties
        Efron's (default) or Breslow's handling of ties. Times that differ by rounding only are
        tied.
    max_iterations
        Newton steps at most.
    tolerance
        Length of the remaining Newton step, in standard errors, below which the fit has converged.

    Returns
    -------
    CoxFit

    Raises
    ------
    ValueError
        On shapes that do not fit, missing or infinite times, infinite covariates, weights not
        above 0, an entry not before its exit.

    References
    ----------
    Cox DR (1972), J R Stat Soc B 34:187. Efron B (1977), J Am Stat Assoc 72:557. Breslow N (1974),
    Biometrics 30:89.

    Examples
    --------
    >>> fit = cox_fit([1, 1, 6, 6, 8, 9], [1, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0], ties="breslow")
    >>> round(float(fit.coefficients[0]), 6)
    1.475285
    """
    return cox_fit_many(
        time,
        event,
        [covariates],
        entry=entry,
        strata=strata,
        weights=weights,
        ties=ties,
        max_iterations=max_iterations,
        tolerance=tolerance,
    )[0]


def cox_fit_many(
    time: ArrayLike,
    event: ArrayLike,
    covariate_blocks: Sequence[ArrayLike],
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    ties: Ties | str = Ties.EFRON,
    max_iterations: int = MAX_ITERATIONS,
    tolerance: float = CONVERGED_STEP,
) -> tuple[CoxFit, ...]:
    """Fit several Cox models to the same follow-up, for example one for each variable.

    The models share one sort and one set of ties and are iterated together, which for small cohorts
    is many times faster than one after the other. Each leaves out only the rows that are missing in
    its own covariates.

    Parameters
    ----------
    covariate_blocks
        Covariates of each model, shapes (n, p) or (n,).
    time, event, entry, strata, weights, ties, max_iterations, tolerance
        As in :func:`cox_fit`.

    Returns
    -------
    tuple of CoxFit
        In the order of the blocks.

    Raises
    ------
    ValueError
        As :func:`cox_fit`.
    """
    ties = Ties(ties)
    times, events, entries = check_survival_data(time, event, entry)
    stratum = check_strata(strata, times.size)
    weight = check_weights(weights, times.size)
    blocks = [CovariateBlock.of(covariates, events) for covariates in covariate_blocks]
    for block in blocks:
        if block.values.shape[0] != times.size:
            raise ValueError(
                f"covariates must have {times.size} rows, but have {block.values.shape[0]}"
            )
    sets = build_risk_sets(times, events, entries, stratum)
    fits: list[CoxFit | None] = [None] * len(blocks)
    able = []
    for index, block in enumerate(blocks):
        if block.n_events == 0:
            fits[index] = _empty_fit(block, ties)
        else:
            able.append(index)
    for batch in _batches([(i, blocks[i].values.shape[1]) for i in able], sets.rows.size):
        fitted = _fit_batch(
            [blocks[i] for i in batch], sets, weight, ties, max_iterations, tolerance
        )
        for index, fit in zip(batch, fitted, strict=True):
            fits[index] = fit
    return tuple(fit for fit in fits if fit is not None)


def wald_test(fit: CoxFit, indices: Sequence[int] | None = None) -> TestResult:
    """Test that a set of coefficients is 0 by Wald's statistic.

    Parameters
    ----------
    fit
        Fitted model.
    indices
        Coefficients to test together, for example all dummies of a factor; all when not given.

    Returns
    -------
    TestResult
        One degree of freedom for each coefficient that is not constant or collinear. Not estimable
        when any of the coefficients goes to infinity, because Wald's statistic then goes to 0.
    """
    chosen = list(range(len(fit.reasons))) if indices is None else [int(i) for i in indices]
    kept = [i for i in chosen if fit.reasons[i] not in _ALIASED]
    if not kept:
        reasons = [reason for i in chosen if (reason := fit.reasons[i]) is not None]
        return TestResult("Wald", reason=reasons[0] if reasons else NotEstimable.NO_VARIATION)
    for i in kept:
        if fit.reasons[i] is not None:
            return TestResult("Wald", df=len(kept), reason=fit.reasons[i])
    return _quadratic_test("Wald", fit.coefficients[kept], fit.covariance[np.ix_(kept, kept)])


def likelihood_ratio_test(fit_full: CoxFit, fit_reduced: CoxFit) -> TestResult:
    """Compare two nested models by the likelihood ratio.

    Parameters
    ----------
    fit_full
        The model with more coefficients.
    fit_reduced
        The model without some of them, fitted to the same rows with the same ties, strata and
        weights.

    Returns
    -------
    TestResult
        Also when a coefficient goes to infinity: the likelihood then has a finite upper limit.

    Raises
    ------
    ValueError
        If the models were not fitted to the same rows.
    """
    same_null = math.isclose(
        fit_full.log_likelihood_null, fit_reduced.log_likelihood_null, rel_tol=1e-9, abs_tol=1e-9
    )
    if (
        fit_full.n != fit_reduced.n
        or fit_full.n_events != fit_reduced.n_events
        or fit_full.ties is not fit_reduced.ties
        or not same_null
    ):
        raise ValueError("the models were not fitted to the same rows")
    for fit in (fit_full, fit_reduced):
        for reason in (NotEstimable.NO_SUBJECTS, NotEstimable.NO_EVENTS):
            if reason in fit.reasons:
                return TestResult("likelihood ratio", reason=reason)
        if NotEstimable.NOT_CONVERGED in fit.reasons:
            return TestResult("likelihood ratio", reason=NotEstimable.NOT_CONVERGED)
    df = fit_full.rank - fit_reduced.rank
    if df < 1:
        return TestResult("likelihood ratio", reason=NotEstimable.NO_VARIATION)
    statistic = max(0.0, 2 * (fit_full.log_likelihood - fit_reduced.log_likelihood))
    return TestResult("likelihood ratio", statistic, df, chi_square_p(statistic, df))


@dataclass(frozen=True, slots=True, eq=False)
class CovariateBlock:
    """Covariates of one model with what is known before the fit.

    Parameters
    ----------
    values : array of float, shape (n rows given, p)
    used : array of bool, shape (n rows given,), or None
        Rows without a missing covariate; ``None`` when that is all.
    means, scales : array of float, shape (p,)
        Mean and standard deviation over the rows used; the latter 0 for a constant column.
    ranges : array of float, shape (p,)
        Largest less smallest value, in standard deviations.
    n, n_events : int
        Rows used, and events among them.
    events : array of bool, shape (n rows given,)
    """

    values: FloatArray
    used: BoolArray | None
    means: FloatArray
    scales: FloatArray
    ranges: FloatArray
    n: int
    n_events: int
    events: BoolArray

    @classmethod
    def of(cls, covariates: ArrayLike, events: BoolArray) -> CovariateBlock:
        """Describe covariates of shape (n, p) or (n,)."""
        values = np.asarray(covariates, dtype=np.float64)
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2:
            raise ValueError(f"covariates must have two dimensions, but have {values.ndim}")
        complete = values
        used: BoolArray | None = None
        # A sum is finite only when every part is, and costs no table of flags.
        if not math.isfinite(float(values.sum())):
            if np.any(np.isinf(values)):
                raise ValueError("covariates must not be infinite")
            used = np.asarray(~np.isnan(values).any(axis=1))
            complete = values[used]
        n, columns = complete.shape
        in_events = events if used is None or used.shape != events.shape else events[used]
        n_events = int(np.count_nonzero(in_events))
        if n == 0:
            nothing = np.zeros(columns)
            return cls(values, used, nothing, nothing, nothing, 0, 0, events)
        low, high = complete.min(axis=0), complete.max(axis=0)
        means = complete.mean(axis=0)
        spread = high - low
        noise = 64 * np.finfo(np.float64).eps * np.maximum(np.abs(low), np.abs(high))
        constant = spread <= noise
        centred = complete - means
        scales = np.sqrt(np.einsum("ij,ij->j", centred, centred) / n)
        scales[constant] = 0.0
        ranges = np.divide(spread, scales, out=np.zeros(columns), where=scales > 0)
        return cls(values, used, means, scales, ranges, n, n_events, events)


def check_strata(strata: ArrayLike | None, n: int) -> NDArray[Any] | None:
    """Check that strata, if any, are n values without a missing one."""
    if strata is None:
        return None
    codes = np.asarray(strata)
    if codes.shape != (n,):
        raise ValueError(f"strata must have shape ({n},), but have {codes.shape}")
    if codes.dtype.kind == "f" and np.any(np.isnan(codes)):
        raise ValueError("strata must not be missing")
    return codes


def check_weights(weights: ArrayLike | None, n: int) -> FloatArray:
    """Check that case weights are n values above 0; 1 throughout when not given."""
    if weights is None:
        return np.ones(n)
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (n,):
        raise ValueError(f"weights must have shape ({n},), but have {values.shape}")
    if not np.all((values > 0) & np.isfinite(values)):
        raise ValueError("weights must be finite and above 0")
    return values


def _batches(columns: list[tuple[int, int]], n_rows: int) -> list[list[int]]:
    """Put models together that are worth iterating together, similar numbers of columns first."""
    batches: list[list[int]] = []
    widest = 0
    for index, width in sorted(columns, key=lambda item: (item[1], item[0])):
        widest = max(widest, width)
        if batches and (len(batches[-1]) + 1) * widest * n_rows <= BATCH_CELLS:
            batches[-1].append(index)
        else:
            batches.append([index])
            widest = width
    return batches


def _empty_fit(block: CovariateBlock, ties: Ties) -> CoxFit:
    columns = block.values.shape[1]
    reason = NotEstimable.NO_EVENTS if block.n else NotEstimable.NO_SUBJECTS
    nothing = np.full(columns, np.nan)
    predictor = np.zeros(block.values.shape[0])
    if block.used is not None:
        predictor[~block.used] = np.nan
    return CoxFit(
        coefficients=read_only(nothing),
        std_errors=read_only(nothing.copy()),
        covariance=read_only(np.full((columns, columns), np.nan)),
        reasons=(reason,) * columns,
        separations=(None,) * columns,
        directions=read_only(np.zeros(columns, dtype=np.int64)),
        log_likelihood_null=0.0,
        log_likelihood=0.0,
        score_null=read_only(np.zeros(columns)),
        score_test=TestResult("score", reason=reason),
        wald_test=TestResult("Wald", reason=reason),
        likelihood_ratio_test=TestResult("likelihood ratio", reason=reason),
        iterations=0,
        converged=False,
        n=block.n,
        n_missing=block.values.shape[0] - block.n,
        n_events=block.n_events,
        ties=ties,
        means=read_only(block.means.copy()),
        iterate=read_only(np.zeros(columns)),
        linear_predictor=read_only(predictor),
    )


def prepare_likelihood(
    blocks: Sequence[CovariateBlock], sets: RiskSets, weight: FloatArray, ties: Ties
) -> PartialLikelihood:
    """Scale covariates, put them in the order of the risk sets, and set up the likelihood."""
    n_rows = sets.rows.size
    width = max(block.values.shape[1] for block in blocks)
    x = np.zeros((len(blocks), width, n_rows))
    for position, block in enumerate(blocks):
        columns = block.values.shape[1]
        sorted_values = block.values[sets.rows]
        target = x[position, :columns]
        with np.errstate(invalid="ignore"):
            np.subtract(sorted_values.T, block.means[:, None], out=target)
            factors = np.divide(1.0, block.scales, out=np.zeros(columns), where=block.scales > 0)
            target *= factors[:, None]
        if block.used is not None:
            target[:, ~block.used[sets.rows]] = 0.0
    sorted_weight = weight[sets.rows]
    if all(block.used is None for block in blocks):
        model_weight = sorted_weight[None, :]
    else:
        model_weight = np.tile(sorted_weight, (len(blocks), 1))
        for position, block in enumerate(blocks):
            if block.used is not None:
                model_weight[position, ~block.used[sets.rows]] = 0.0
    return partial_likelihood(sets, x, model_weight, ties)


@dataclass(slots=True, eq=False)
class _Iteration:
    """Where the Newton iteration of b models with up to p columns ended."""

    beta: FloatArray
    terms: LikelihoodTerms
    free: BoolArray  # (b, p), columns that carry information of their own
    diverging: BoolArray  # (b, p)
    step: FloatArray  # (b, p)
    converged: BoolArray
    iterations: IntArray


def _fit_batch(
    blocks: Sequence[CovariateBlock],
    sets: RiskSets,
    weight: FloatArray,
    ties: Ties,
    max_iterations: int,
    tolerance: float,
) -> list[CoxFit]:
    likelihood = prepare_likelihood(blocks, sets, weight, ties)
    models, width, _ = likelihood.x.shape
    ranges = np.zeros((models, width))
    for position, block in enumerate(blocks):
        ranges[position, : block.ranges.size] = block.ranges
    null = likelihood.at(np.zeros((models, width)))
    end = _newton(likelihood, null, ranges, max_iterations, tolerance)
    masked_null = _mask(null, end.free)
    null_inverse = _inverse(masked_null.information)
    inverse = _inverse(_mask(end.terms, end.free).information)
    return [
        _finish(block, position, likelihood, null, null_inverse, inverse, end, ties)
        for position, block in enumerate(blocks)
    ]


def _newton(
    likelihood: PartialLikelihood,
    null: LikelihoodTerms,
    ranges: FloatArray,
    max_iterations: int,
    tolerance: float,
) -> _Iteration:
    models, width, _ = likelihood.x.shape
    total_weight = np.broadcast_to(likelihood.term_weight.sum(axis=-1), (models,))
    free = _independent_columns(null.information, total_weight)
    end = _Iteration(
        beta=np.zeros((models, width)),
        terms=LikelihoodTerms(null.value.copy(), null.score.copy(), null.information.copy()),
        free=free,
        diverging=np.zeros((models, width), dtype=np.bool_),
        step=np.zeros((models, width)),
        converged=np.asarray(~free.any(axis=1)),
        iterations=np.zeros(models, dtype=np.int64),
    )
    active = np.flatnonzero(~end.converged)
    part = likelihood if active.size == models else likelihood.take(active)
    terms, beta = null.take(active), np.zeros((active.size, width))
    reach = np.full((active.size, width), np.inf)
    for iteration in range(max_iterations + 1):
        masked = _mask(terms, free[active])
        step = np.matmul(_inverse(masked.information), masked.score[:, :, None])[:, :, 0]
        decrement = (step * masked.score).sum(axis=1)
        new_reach = np.abs(step) * ranges[active]
        # Near a finite maximum steps shrink quadratically. A coefficient on its way to infinity
        # moves on by the same amount while the likelihood has nothing left to gain.
        moving = np.ptp(np.matmul(step[:, None, :], part.x)[:, 0, :], axis=-1)
        candidates = (new_reach > 1e-3) & (moving > 1e-3)[:, None] & free[active]
        diverging = candidates & (new_reach > 0.5 * reach)
        diagonal = np.diagonal(masked.information, axis1=1, axis2=2)
        sound = (diagonal > 0).all(axis=1) & (decrement >= -(tolerance**2))
        met = sound & (decrement <= tolerance**2)
        diverging |= candidates & met[:, None]
        at_limit = sound & (decrement <= _DIVERGING_DECREMENT) & diverging.any(axis=1)
        hopeless = np.zeros(active.size, dtype=np.bool_)
        if iteration == _EARLY_CHECK:
            for k in np.flatnonzero(~met & (free[active].sum(axis=1) == 1)):
                column = int(np.flatnonzero(free[active[k]])[0])
                if _monotone_direction(part, int(k), part.x[k, column]):
                    hopeless[k] = True
                    diverging[k, column] = True
        done = met | at_limit | hopeless
        reach = new_reach
        _store(end, active, beta, terms, step, iteration)
        end.diverging[active] = diverging & (done & ~(met & ~at_limit))[:, None]
        end.converged[active] = done
        if done.any():
            going = ~done
            moving = moving[going]
            active, beta, step = active[going], beta[going], step[going]
            terms, reach = terms.take(going), reach[going]
            part = part.take(going)
        if active.size == 0 or iteration == max_iterations:
            break
        # From a flat start one step can overshoot to where nothing can be told from infinity.
        step = step / np.maximum(1.0, moving / _LONGEST_STEP)[:, None]
        beta, terms, moved = _step(part, beta, terms, step)
        if not moved.all():
            # No step up the likelihood is left, although the maximum was not met.
            _store(end, active, beta, terms, step, iteration + 1)
            active, beta, terms = active[moved], beta[moved], terms.take(moved)
            reach, part = reach[moved], part.take(moved)
            if active.size == 0:
                break
    return end


def _store(
    end: _Iteration,
    active: IntArray,
    beta: FloatArray,
    terms: LikelihoodTerms,
    step: FloatArray,
    iteration: int,
) -> None:
    end.beta[active] = beta
    end.terms.value[active] = terms.value
    end.terms.score[active] = terms.score
    end.terms.information[active] = terms.information
    end.step[active] = step
    end.iterations[active] = iteration


def _step(
    likelihood: PartialLikelihood, beta: FloatArray, terms: LikelihoodTerms, step: FloatArray
) -> tuple[FloatArray, LikelihoodTerms, BoolArray]:
    """Go one Newton step, halved until the likelihood rises by a fair part of what it promises.

    Without the demand for a fair part (Armijo 1966) the iteration can hop to and fro over the
    maximum with rises that never end.
    """
    slack = 1e-11 * np.maximum(1.0, np.abs(terms.value))
    promise = (step * terms.score).sum(axis=1)
    trial = beta + step
    result = likelihood.at(trial)
    failed = _fails(result.value, terms.value + _FAIR_PART * promise - slack)
    factor = 1.0
    for _ in range(_MAX_HALVINGS):
        if not failed.any():
            break
        factor /= 2
        again = np.flatnonzero(failed)
        trial[again] = beta[again] + factor * step[again]
        retried = likelihood.take(again).at(trial[again])
        result.value[again] = retried.value
        result.score[again] = retried.score
        result.information[again] = retried.information
        wanted = terms.value + _FAIR_PART * factor * promise - slack
        failed[again] = _fails(retried.value, wanted[again])
    if failed.any():
        trial[failed] = beta[failed]
        result.value[failed] = terms.value[failed]
        result.score[failed] = terms.score[failed]
        result.information[failed] = terms.information[failed]
    return trial, result, ~failed


def _fails(value: FloatArray, wanted: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        return np.asarray(~((value >= wanted) & np.isfinite(value)))


def _independent_columns(information: FloatArray, total_weight: FloatArray) -> BoolArray:
    """Find columns with information of their own, given the columns before them.

    The information at coefficients 0 is eliminated column by column, so that of collinear columns
    the later are left out, and so are columns that do not vary among those at risk.
    """
    work = information.copy()
    models, width, _ = work.shape
    original = np.diagonal(information, axis1=1, axis2=2)
    floor = 1e-12 * total_weight
    free = np.zeros((models, width), dtype=np.bool_)
    for column in range(width):
        pivot = work[:, column, column]
        ok = (original[:, column] > floor) & (pivot > ALIASED_PIVOT * original[:, column])
        free[:, column] = ok
        factor = np.where(ok, 1.0 / np.where(ok, pivot, 1.0), 0.0)
        row = work[:, column, :].copy()
        work -= row[:, :, None] * row[:, None, :] * factor[:, None, None]
    return free


def _mask(terms: LikelihoodTerms, free: BoolArray) -> LikelihoodTerms:
    """Blank the columns that carry no information: score 0, information 1."""
    if free.all():
        return terms
    both = free[:, :, None] & free[:, None, :]
    identity = np.eye(free.shape[1])
    return LikelihoodTerms(
        terms.value,
        np.where(free, terms.score, 0.0),
        np.where(both, terms.information, identity),
    )


def _inverse(information: FloatArray) -> FloatArray:
    """Invert information matrices after scaling them to a diagonal of 1."""
    diagonal = np.diagonal(information, axis1=1, axis2=2)
    positive = np.isfinite(diagonal) & (diagonal > 0)
    root = np.sqrt(np.where(positive, diagonal, 1.0))
    outer = root[:, :, None] * root[:, None, :]
    scaled = information / outer
    try:
        inverse = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(scaled, hermitian=True)
    return np.asarray(inverse / outer)


def _monotone_direction(likelihood: PartialLikelihood, model: int, values: FloatArray) -> int:
    """Tell whether going along a score sends the likelihood up for ever.

    It does when at every event time all events have the largest score of those at risk (1), or all
    have the smallest (-1); 0 otherwise. ``values`` has shape (r,).
    """
    sets = likelihood.sets
    if sets.entry_segment is not None and sets.at_risk is None:
        return 0
    weight = likelihood.weight[0 if likelihood.weight.shape[0] == 1 else model]
    used = weight > 0
    counted = used[sets.event_rows]
    group = sets.event_group[counted]
    for sign in (1, -1):
        highest = sets.running_max(np.where(used, sign * values, -np.inf))
        if np.all(sign * values[sets.event_rows][counted] >= highest[group]):
            return sign
    return 0


def _finish(
    block: CovariateBlock,
    position: int,
    likelihood: PartialLikelihood,
    null: LikelihoodTerms,
    null_inverse: FloatArray,
    inverse: FloatArray,
    end: _Iteration,
    ties: Ties,
) -> CoxFit:
    columns = block.values.shape[1]
    inside = slice(0, columns)
    free = end.free[position, inside]
    diverging = end.diverging[position, inside].copy()
    if diverging.any():
        diverging |= _without_information(
            null.information[position, inside, inside],
            end.terms.information[position, inside, inside],
            free,
            block.ranges,
        )
    converged = bool(end.converged[position])
    scale = np.where(block.scales > 0, block.scales, 1.0)

    # The score reached so far may itself be a proof that the likelihood has no maximum.
    all_diverge = (
        not converged
        and _monotone_direction(likelihood, position, end.beta[position] @ likelihood.x[position])
        == 1
    )

    reasons: list[NotEstimable | None] = []
    separations: list[Separation | None] = []
    directions = np.zeros(columns, dtype=np.int64)
    for j in range(columns):
        reason: NotEstimable | None = None
        separation: Separation | None = None
        if not free[j]:
            varies = null.information[position, j, j] > 1e-12 * float(
                likelihood.term_weight[
                    -1 if likelihood.term_weight.shape[0] == 1 else position
                ].sum()
            )
            reason = NotEstimable.COLLINEAR
            if not varies:
                same = block.ranges[j] == 0
                reason = NotEstimable.NO_VARIATION if same else NotEstimable.NEVER_COMPARED
        elif diverging[j]:
            reason = NotEstimable.SEPARATION
            if abs(end.step[position, j]) * block.ranges[j] > 1e-3:
                directions[j] = int(np.sign(end.step[position, j]))
        elif not converged:
            sign = _monotone_direction(likelihood, position, likelihood.x[position, j])
            if sign == 0 and all_diverge:
                sign = int(np.sign(end.beta[position, j]))
            reason = NotEstimable.SEPARATION if sign else NotEstimable.NOT_CONVERGED
            directions[j] = sign
        if reason is NotEstimable.SEPARATION:
            separation = _separation_of(block, j)
        reasons.append(reason)
        separations.append(separation)

    estimable = np.array([reason is None for reason in reasons], dtype=np.bool_)
    outer = scale[:, None] * scale[None, :]
    covariance = inverse[position, inside, inside] / outer
    covariance = (covariance + covariance.T) / 2
    covariance[~estimable, :] = np.nan
    covariance[:, ~estimable] = np.nan
    iterate = np.where(free, end.beta[position, inside] / scale, 0.0)
    coefficients = np.where(estimable, iterate, np.nan)
    rank = int(np.count_nonzero(free))

    if rank == 0:
        why = next((r for r in reasons if r is not None), NotEstimable.NO_VARIATION)
        score_test = TestResult("score", reason=why)
        ratio_test = TestResult("likelihood ratio", reason=why)
        wald = TestResult("Wald", reason=why)
    else:
        u = np.where(free, null.score[position, inside], 0.0)
        statistic = float(u @ null_inverse[position, inside, inside] @ u)
        score_test = TestResult("score", statistic, rank, chi_square_p(statistic, rank))
        if NotEstimable.NOT_CONVERGED in reasons:
            ratio_test = TestResult("likelihood ratio", df=rank, reason=NotEstimable.NOT_CONVERGED)
        else:
            gain = max(0.0, 2 * float(end.terms.value[position] - null.value[position]))
            ratio_test = TestResult("likelihood ratio", gain, rank, chi_square_p(gain, rank))
        unmet = next((r for r, f in zip(reasons, free, strict=True) if f and r), None)
        if unmet is not None:
            wald = TestResult("Wald", df=rank, reason=unmet)
        else:
            wald = _quadratic_test("Wald", coefficients[free], covariance[np.ix_(free, free)])

    predictor = block.values @ iterate - block.means @ iterate
    return CoxFit(
        coefficients=read_only(coefficients),
        std_errors=read_only(np.sqrt(np.diagonal(covariance))),
        covariance=read_only(covariance),
        reasons=tuple(reasons),
        separations=tuple(separations),
        directions=read_only(directions),
        log_likelihood_null=float(null.value[position]),
        log_likelihood=float(end.terms.value[position]),
        score_null=read_only(null.score[position, inside] * scale),
        score_test=score_test,
        wald_test=wald,
        likelihood_ratio_test=ratio_test,
        iterations=int(end.iterations[position]),
        converged=converged and not diverging.any(),
        n=block.n,
        n_missing=block.values.shape[0] - block.n,
        n_events=block.n_events,
        ties=ties,
        means=read_only(block.means.copy()),
        iterate=read_only(iterate),
        linear_predictor=read_only(predictor),
    )


def _without_information(
    at_null: FloatArray, at_end: FloatArray, free: BoolArray, ranges: FloatArray
) -> BoolArray:
    """Find coefficients about which nothing is left to tell once others have gone to infinity.

    They are those in directions whose information, relative to that at coefficients 0, has
    vanished: the directions to infinity, and those that only subjects who left with them told of.
    """
    kept = np.flatnonzero(free)
    lower = np.linalg.cholesky(at_null[np.ix_(kept, kept)])
    half = np.linalg.solve(lower, at_end[np.ix_(kept, kept)])
    relative = np.linalg.solve(lower, half.T)
    values, vectors = np.linalg.eigh((relative + relative.T) / 2)
    lost = np.linalg.solve(lower.T, vectors[:, values < _VANISHED_INFORMATION])
    lost = np.abs(lost) * ranges[kept][:, None]
    result = np.zeros(free.size, dtype=np.bool_)
    if lost.shape[1]:
        lost /= lost.max(axis=0)
        result[kept] = (lost > 1e-4).any(axis=1)
    return result


def _separation_of(block: CovariateBlock, column: int) -> Separation:
    """Name the plain cause of separation, where there is one."""
    values = block.values[:, column]
    events = block.events
    if block.used is not None:
        values, events = values[block.used], events[block.used]
    if np.all((values == 0) | (values == 1)):
        with_event = values[events]
        if not np.any(with_event == 1):
            return Separation.NO_EVENTS_IN_LEVEL
        if not np.any(with_event == 0):
            return Separation.NO_EVENTS_OUTSIDE_LEVEL
    return Separation.MONOTONE_LIKELIHOOD


def _quadratic_test(name: str, estimate: FloatArray, covariance: FloatArray) -> TestResult:
    root = np.sqrt(np.diagonal(covariance))
    correlation = covariance / (root[:, None] * root[None, :])
    z = estimate / root
    statistic = max(0.0, float(z @ np.linalg.solve(correlation, z)))
    return TestResult(name, statistic, int(z.size), chi_square_p(statistic, int(z.size)))
