"""Fine and Gray's regression: ratios of the subdistribution hazard of one of several events."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import NotEstimable, TestResult
from sts_core.estimators.chi_square import chi_square_p
from sts_core.estimators.cumulative_incidence import check_causes
from sts_core.estimators.tied_times import (
    BoolArray,
    FloatArray,
    IntArray,
    align_follow_up,
    check_survival_data,
    read_only,
    refuse_entry_at_exit,
)

MAX_ITERATIONS: Final = 60
_MET = 1e-18  # decrement of Newton's method: square of the remaining step in standard errors
_AT_LIMIT = 1e-10
_ALIASED = 1e-11
_VANISHED = 1e-6
_LONGEST_STEP = 12.0
_MAX_HALVINGS = 40


@dataclass(frozen=True, slots=True, eq=False)
class FineGrayFit:
    """A fitted model with p coefficients.

    Parameters
    ----------
    coefficients, std_errors
        Log ratio of subdistribution hazards per unit of the covariate, and its robust standard
        error; shape (p,); NaN where not estimable.
    covariance
        Robust (sandwich) covariance that takes the estimated censoring distribution into account;
        shape (p, p); NaN in rows and columns of coefficients that are not estimable.
    reasons
        Why a coefficient is not estimable; length p.
    log_likelihood_null, log_likelihood
        Log of the weighted partial likelihood at 0 and at the maximum.
    iterations, converged
        Newton steps made, and whether a maximum was met.
    n, n_event, n_competing
        Subjects, events of the cause, events of the other causes.
    """

    coefficients: FloatArray
    std_errors: FloatArray
    covariance: FloatArray
    reasons: tuple[NotEstimable | None, ...]
    log_likelihood_null: float
    log_likelihood: float
    iterations: int
    converged: bool
    n: int
    n_event: int
    n_competing: int


def fine_gray(
    time: ArrayLike,
    cause: ArrayLike,
    covariates: ArrayLike,
    *,
    of: int = 1,
    entry: ArrayLike | None = None,
) -> FineGrayFit:
    """Fit a proportional subdistribution hazards model.

    Parameters
    ----------
    time
        Times to the first event or to censoring, finite and not negative; shape (n,).
    cause
        Number of the event's cause from 1, 0 where censored; shape (n,).
    covariates
        Known at time zero, finite; shape (n, p) or (n,).
    of
        The cause of interest; all others compete.
    entry
        Times at which subjects came under observation, before their ``time``; shape (n,).

    Returns
    -------
    FineGrayFit
        Constant and collinear columns, and coefficients that go to infinity, are not estimable; nor
        is anything where late entry leaves no weight for a competing event (``TOO_FEW``).

    Raises
    ------
    ValueError
        On data that cannot be follow-up data, and on missing or infinite covariates.

    Notes
    -----
    Who had a competing event at ``T`` stays in the later risk sets with weight ``G(t) / G(T)``,
    where ``G`` is the Kaplan-Meier estimate of remaining uncensored just before a time, of all
    subjects together. Tied events are handled by Breslow's approximation. The variance is the
    sandwich of Fine and Gray with the term for the estimated weights, as in R's ``cmprsk::crr``.

    With late entry the weight is ``G(t) H(t) / (G(T) H(T))``, ``H`` the product-limit estimate of
    having entered before a time, which is a survival curve in reversed time (Geskus); subjects with
    an event leave before those censored at the same time, and these before those who enter then.
    The variance is the sandwich alone, without a term for the weights, as R's ``coxph`` gives it on
    the data of ``survival::finegray`` with a cluster for each subject.

    References
    ----------
    .. [1] Fine JP, Gray RJ. J Am Stat Assoc 1999;94:496-509.
    .. [2] Geskus RB. Biometrics 2011;67:39-49: late entry.
    """
    raw = np.asarray(cause)
    times, _, entries = check_survival_data(time, raw != 0, entry)
    codes = check_causes(raw, times.size, max(of, int(raw.max()) if raw.size else 0))
    values = np.asarray(covariates, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or values.shape[0] != times.size:
        raise ValueError(f"covariates must have {times.size} rows, but have shape {values.shape}")
    if not np.all(np.isfinite(values)):
        raise ValueError("covariates must be finite, without missing values")
    times, entries = align_follow_up(times, entries)
    if entries is not None:
        refuse_entry_at_exit(times, entries)
    n_event = int(np.count_nonzero(codes == of))
    n_competing = int(np.count_nonzero((codes > 0) & (codes != of)))
    p = values.shape[1]

    def nothing(reason: NotEstimable) -> FineGrayFit:
        nan = np.full(p, np.nan)
        return FineGrayFit(
            nan, nan.copy(), np.full((p, p), np.nan), (reason,) * p, 0.0, 0.0, 0, False,
            times.size, n_event, n_competing,
        )  # fmt: skip

    if n_event == 0 or p == 0:
        return nothing(NotEstimable.NO_EVENTS if times.size else NotEstimable.NO_SUBJECTS)
    order = np.argsort(times, kind="stable")
    centred = values - values.mean(axis=0)
    spread = np.ptp(values, axis=0)
    noise = 64 * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
    varies = spread > noise
    scale = np.where(varies, centred.std(axis=0), 1.0)
    late = None if entries is None else entries[order]
    likelihood = _Likelihood(times[order], codes[order], (centred / scale)[order], of, late)
    if not likelihood.has_weights:
        return nothing(NotEstimable.TOO_FEW)
    return _fit(likelihood, varies, scale, n_event, n_competing)


def fine_gray_wald(fit: FineGrayFit, indices: Sequence[int]) -> TestResult:
    """Test some coefficients together against 0 by the robust covariance.

    Parameters
    ----------
    fit
        A model.
    indices
        Columns; constant and collinear ones cost no degree of freedom.
    """
    aliased = (NotEstimable.NO_VARIATION, NotEstimable.COLLINEAR)
    kept = [j for j in indices if fit.reasons[j] not in aliased]
    for j in kept:
        reason = fit.reasons[j]
        if reason is not None:
            return TestResult("Wald", reason=reason)
    if not kept:
        return TestResult("Wald", reason=NotEstimable.NO_VARIATION)
    beta = fit.coefficients[kept]
    covariance = fit.covariance[np.ix_(kept, kept)]
    try:
        statistic = float(beta @ np.linalg.solve(covariance, beta))
    except np.linalg.LinAlgError:
        return TestResult("Wald", reason=NotEstimable.TOO_FEW)
    if not (math.isfinite(statistic) and statistic >= 0):
        return TestResult("Wald", reason=NotEstimable.TOO_FEW)
    return TestResult("Wald", statistic, len(kept), chi_square_p(statistic, len(kept)))


class _Likelihood:
    """The weighted partial likelihood of subjects in order of time."""

    def __init__(
        self,
        times: FloatArray,
        codes: IntArray,
        z: FloatArray,
        of: int,
        entries: FloatArray | None = None,
    ) -> None:
        self.z = z
        self.own = codes == of
        self.rival = (codes > 0) & (codes != of)
        censored = codes == 0
        distinct, start = np.unique(times, return_index=True)
        at_risk = times.size - start
        leaving = np.diff(start, append=times.size)
        n_censored = np.add.reduceat(censored.astype(np.int64), start)
        uncensored = np.concatenate([[1.0], np.cumprod(1 - n_censored / at_risk)])
        place = np.repeat(np.arange(distinct.size), leaving)
        self.kept = uncensored[place]  # just before the own time
        n_own = np.add.reduceat(self.own.astype(np.int64), start)
        events = np.flatnonzero(n_own)
        self.d = n_own[events].astype(np.float64)
        self.first = start[events]  # first subject at risk at each event time
        self.kept_event = uncensored[events]
        self.event_of = np.searchsorted(events, place[self.own])
        # how many event times lie at or before, and before, each subject's time
        self.upto = np.searchsorted(events, place, side="right")
        # at censoring times: subjects before it, event times before it, censored and at risk
        ends = np.flatnonzero(n_censored)
        self.cens_first = start[ends]
        self.cens_events = np.searchsorted(events, ends, side="left")
        self.cens_count = n_censored[ends].astype(np.float64)
        self.cens_risk = at_risk[ends].astype(np.float64)
        self.cens_upto = np.searchsorted(ends, place, side="right")
        self.censored = censored
        # how many event times lie at or before each subject's entry; nobody enters late when none
        self.before: IntArray | None = None
        self.has_weights = True
        if entries is not None:
            self._enter_late(times, distinct, events, entries)

    def _enter_late(
        self, times: FloatArray, distinct: FloatArray, events: IntArray, entries: FloatArray
    ) -> None:
        """Take weights and risk sets for subjects who come under observation late."""
        uncensored = _uncensored(times, self.censored, entries)
        entered = _entered(times, entries)
        self.kept = uncensored(times) * entered(times)
        self.kept_event = uncensored(distinct[events]) * entered(distinct[events])
        self.before = np.searchsorted(distinct[events], entries, side="right")
        self.by_entry = np.argsort(self.before, kind="stable")
        # how many subjects have entered before each event time
        self.n_entered = np.searchsorted(
            self.before[self.by_entry], np.arange(events.size), side="right"
        )
        counted = self.rival & (self.upto < events.size)
        self.has_weights = bool(np.all(self.kept[counted] > 0))
        self.kept = np.where(self.kept > 0, self.kept, 1.0)

    def at(self, beta: FloatArray) -> _Terms:
        """Evaluate value, score and information."""
        eta = self.z @ beta
        shift = float(eta.max())
        risk = np.exp(eta - shift)
        lent = np.where(self.rival, risk / self.kept, 0.0)
        s0 = self._sums(risk[:, None], lent[:, None])[:, 0]
        s1 = self._sums(risk[:, None] * self.z, lent[:, None] * self.z)
        mean = s1 / s0[:, None]
        hazard = self.d / s0
        exposure = self._exposed(hazard[:, None])[:, 0] * risk
        score = self.z[self.own].sum(axis=0) - self.d @ mean
        information = (self.z * exposure[:, None]).T @ self.z - (mean * self.d[:, None]).T @ mean
        value = float(eta[self.own].sum() - self.d @ (np.log(s0) + shift))
        return _Terms(value, score, information, risk, lent, hazard, mean, exposure)

    def _sums(self, own: FloatArray, lent: FloatArray) -> FloatArray:
        """Sum over the risk set of each event time, competing events with their weights."""
        after = np.cumsum(own[::-1], axis=0)[::-1][self.first]
        zero = np.zeros((1, lent.shape[1]))
        if self.before is not None:
            late = np.cumsum(own[self.by_entry][::-1], axis=0)[::-1]
            after = after - np.vstack([late, zero])[self.n_entered]
        earlier = np.vstack([zero, np.cumsum(lent, axis=0)])[self.first]
        total: FloatArray = after + self.kept_event[:, None] * earlier
        return total

    def _exposed(self, increments: FloatArray) -> FloatArray:
        """Sum increments over the event times at which each subject is at risk, with weights."""
        zero = np.zeros((1, increments.shape[1]))
        passed = np.vstack([zero, np.cumsum(increments, axis=0)])
        until = passed[self.upto]
        if self.before is not None:
            until = until - passed[self.before]
        weighted = increments * self.kept_event[:, None]
        later = np.vstack([np.cumsum(weighted[::-1], axis=0)[::-1], zero])[self.upto]
        total: FloatArray = until + np.where(self.rival, 1 / self.kept, 0.0)[:, None] * later
        return total

    def influence(self, terms: _Terms) -> FloatArray:
        """Give each subject's part of the score, without late entry with that of the weights."""
        z, mean, hazard = self.z, terms.mean, terms.hazard
        moved = self._exposed(hazard[:, None] * mean) * terms.risk[:, None]
        part = moved - z * terms.exposure[:, None]
        part[self.own] += z[self.own] - mean[self.event_of]
        if self.cens_first.size and self.before is None:
            zero = np.zeros((1, 1 + z.shape[1]))
            lent = np.vstack(
                [zero, np.cumsum(np.column_stack([terms.lent, terms.lent[:, None] * z]), axis=0)]
            )[self.cens_first]
            rise = (hazard * self.kept_event)[:, None] * np.column_stack(
                [np.ones(mean.shape[0]), mean]
            )
            ahead = np.vstack([np.cumsum(rise[::-1], axis=0)[::-1], zero])[self.cens_events]
            q = lent[:, 1:] * ahead[:, :1] - lent[:, :1] * ahead[:, 1:]
            per_risk = q / self.cens_risk[:, None]
            drift = np.cumsum(per_risk * (self.cens_count / self.cens_risk)[:, None], axis=0)
            part -= np.vstack([zero[:, 1:], drift])[self.cens_upto]
            part[self.censored] += per_risk[self.cens_upto[self.censored] - 1]
        return part


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    value: float
    score: FloatArray
    information: FloatArray
    risk: FloatArray
    lent: FloatArray
    hazard: FloatArray
    mean: FloatArray
    exposure: FloatArray


def _uncensored(
    times: FloatArray, censored: BoolArray, entries: FloatArray
) -> Callable[[FloatArray], FloatArray]:
    """Estimate the probability of being uncensored just before a time, with late entry."""
    ends, lost = np.unique(times[censored], return_counts=True)
    if not ends.size:
        return np.ones_like
    leave, enter = np.sort(times), np.sort(entries)
    # who has the event at the same time has left
    gone = np.searchsorted(leave, ends, side="right") - lost
    at_risk = np.searchsorted(enter, ends, side="left") - gone
    curve = np.concatenate([[1.0], np.cumprod(1 - lost / at_risk)])
    return lambda at: curve[np.searchsorted(ends, at, side="left")]


def _entered(times: FloatArray, entries: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Estimate the probability of having entered before a time: a curve in reversed time."""
    starts, new = np.unique(entries, return_counts=True)
    present = np.cumsum(new) - np.searchsorted(np.sort(times), starts, side="right")
    curve = np.concatenate([np.cumprod((1 - new / present)[::-1])[::-1], [1.0]])
    return lambda at: curve[np.searchsorted(starts, at, side="left")]


def _fit(
    likelihood: _Likelihood, varies: BoolArray, scale: FloatArray, n_event: int, n_competing: int
) -> FineGrayFit:
    p = varies.size
    beta = np.zeros(p)
    null = terms = likelihood.at(beta)
    free = _independent(null.information, float(likelihood.d.sum())) & varies
    ranges = np.ptp(likelihood.z, axis=0)
    reach = np.full(p, np.inf)
    diverging = np.zeros(p, dtype=np.bool_)
    converged = not free.any()
    iterations = 0
    while not converged and iterations < MAX_ITERATIONS:
        step = np.zeros(p)
        step[free] = _solve(terms.information[np.ix_(free, free)], terms.score[free])
        decrement = float(step @ terms.score)
        if not (math.isfinite(decrement) and decrement >= -_MET):
            break
        # Near a maximum steps shrink quadratically; on the way to infinity they go on alike.
        new_reach = np.abs(step) * ranges
        going = (new_reach > 1e-3) & (new_reach > 0.5 * reach) & free
        if decrement <= _AT_LIMIT and going.any():
            diverging, converged = going, True
            break
        if decrement <= _MET:
            converged = True
        reach = new_reach
        moving = float(np.ptp(likelihood.z @ step))
        moved = _climb(likelihood, beta, terms, step / max(1.0, moving / _LONGEST_STEP))
        if moved is None:
            converged = decrement <= 1e-14
            break
        beta, terms = moved
        iterations += 1
    if diverging.any():
        # What tells about others may go away together with what goes to infinity.
        diverging |= free & ~_independent(
            terms.information, float(likelihood.d.sum()), np.diagonal(null.information), diverging
        )
    reasons: list[NotEstimable | None] = [None] * p
    for j in range(p):
        if not varies[j]:
            reasons[j] = NotEstimable.NO_VARIATION
        elif not free[j]:
            reasons[j] = NotEstimable.COLLINEAR
        elif diverging[j]:
            reasons[j] = NotEstimable.SEPARATION
        elif not converged:
            reasons[j] = NotEstimable.NOT_CONVERGED
    kept = np.array([reason is None for reason in reasons], dtype=np.bool_)
    coefficients = np.full(p, np.nan)
    covariance = np.full((p, p), np.nan)
    if kept.any():
        inside = np.ix_(kept, kept)
        influence = likelihood.influence(terms)[:, kept]
        inverse = np.linalg.pinv(terms.information[inside], hermitian=True)
        coefficients[kept] = beta[kept] / scale[kept]
        sandwich = inverse @ (influence.T @ influence) @ inverse
        covariance[inside] = sandwich / np.outer(scale[kept], scale[kept])
    spread = np.diagonal(covariance)
    # Fewer events than coefficients leave no residual to estimate a variance from.
    for j in np.flatnonzero(kept & ~(spread > 0)).tolist():
        reasons[j] = NotEstimable.TOO_FEW
        coefficients[j] = np.nan
    std_errors = np.sqrt(np.where(spread > 0, spread, np.nan))
    return FineGrayFit(
        coefficients=read_only(coefficients),
        std_errors=read_only(std_errors),
        covariance=read_only(covariance),
        reasons=tuple(reasons),
        log_likelihood_null=null.value,
        log_likelihood=terms.value,
        iterations=iterations,
        converged=converged and not diverging.any(),
        n=likelihood.z.shape[0],
        n_event=n_event,
        n_competing=n_competing,
    )


def _independent(
    information: FloatArray,
    total: float,
    original: FloatArray | None = None,
    gone: BoolArray | None = None,
) -> BoolArray:
    """Find columns with information of their own, given the columns before them.

    With ``original``, the information at the start, and ``gone``, columns that go to infinity, the
    share of it that is left decides.
    """
    work = information.copy()
    share = _ALIASED if original is None else _VANISHED
    start = np.diagonal(information) if original is None else original
    free = np.zeros(start.size, dtype=np.bool_)
    for j in range(start.size):
        pivot = work[j, j]
        free[j] = start[j] > 1e-12 * total and pivot > share * start[j]
        if free[j] and (gone is None or not gone[j]):
            work = work - np.outer(work[:, j], work[j]) / pivot
    return free


def _solve(information: FloatArray, score: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(information, score))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(information, hermitian=True) @ score)


def _climb(
    likelihood: _Likelihood, beta: FloatArray, terms: _Terms, step: FloatArray
) -> tuple[FloatArray, _Terms] | None:
    """Go a step, halved until the likelihood rises by a fair part of what it promises."""
    slack = 1e-11 * max(1.0, abs(terms.value))
    factor = 1.0
    for _ in range(_MAX_HALVINGS):
        trial = beta + factor * step
        found = likelihood.at(trial)
        wanted = terms.value + 0.2 * factor * float(step @ terms.score) - slack
        if math.isfinite(found.value) and found.value >= wanted:
            return trial, found
        factor /= 2
    return None
