"""Cumulative incidence of competing events: the Aalen-Johansen estimate and what is read from it.

Times may be in any unit; every time in a result is in the unit that went in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import NotEstimable
from sts_core.estimators.product_limit import (
    ConfType,
    chosen_times,
    limit_reasons,
    normal_quantile,
    probability_limits,
)
from sts_core.estimators.tied_times import (
    FloatArray,
    IntArray,
    check_survival_data,
    read_only,
    times_of_group,
)

_CERTAIN = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeIncidence:
    """Aalen-Johansen estimate of one group with k causes.

    Parameters
    ----------
    n
        Subjects.
    time
        Distinct times at which anybody had an event or was censored, ascending; shape (m,).
    n_risk
        Subjects under observation and without any event just before each time; shape (m,).
    n_event
        Subjects with an event of each cause at each time; shape (k, m).
    n_censor
        Subjects censored at each time; shape (m,).
    survival
        Probability of none of the events just after each time (Kaplan-Meier of any event);
        shape (m,).
    estimate
        Probability of an event of each cause by each time, that time included; shape (k, m). At
        each time the causes and ``survival`` add up to 1.
    std_error
        Standard error of ``estimate``; shape (k, m).
    entry_time
        Sorted times of delayed entry; empty without left truncation.
    tolerance
        Distance up to which two times are the same.
    """

    n: int
    time: FloatArray
    n_risk: IntArray
    n_event: IntArray
    n_censor: IntArray
    survival: FloatArray
    estimate: FloatArray
    std_error: FloatArray
    entry_time: FloatArray
    tolerance: float

    @property
    def last_time(self) -> float:
        """Largest time, NaN without subjects."""
        return float(self.time[-1]) if self.time.size else math.nan

    @property
    def ends_in_zero(self) -> bool:
        """Whether everybody has had an event, so that nothing beyond the last time is unknown."""
        return bool(self.time.size) and float(self.survival[-1]) == 0.0


@dataclass(frozen=True, slots=True, eq=False)
class IncidenceAt:
    """Cumulative incidence of one cause at chosen times; arrays of the shape of ``time``.

    ``reason`` says why ``estimate`` is NaN, ``limit_reason`` why the limits are NaN although there
    is an estimate. ``n_risk`` counts subjects at risk just before the time; ``n_event`` events of
    the cause up to and including it.
    """

    time: FloatArray
    estimate: FloatArray
    std_error: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    n_risk: IntArray
    n_event: IntArray
    reason: tuple[NotEstimable | None, ...]
    limit_reason: tuple[NotEstimable | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompetingCounts:
    """Counts at ticks; at every tick they add up to the number of subjects.

    ``n_risk`` has a time at or after the tick; ``n_event`` (of each cause, shape (k, m)) and
    ``n_censor`` are cumulative, before the tick; ``n_not_entered`` come under observation at or
    after it.
    """

    tick: FloatArray
    n_risk: IntArray
    n_event: IntArray
    n_censor: IntArray
    n_not_entered: IntArray


def check_causes(cause: ArrayLike, n: int, n_causes: int) -> IntArray:
    """Turn causes into whole numbers from 0 (censored) to ``n_causes``, refusing all else.

    Raises
    ------
    ValueError
        On another shape or another code.
    """
    raw = np.asarray(cause)
    if raw.shape != (n,):
        raise ValueError(f"cause must have shape ({n},), but has {raw.shape}")
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    codes = raw.astype(np.int64)
    if np.any(codes != raw) or codes.min() < 0 or codes.max() > n_causes:
        raise ValueError(f"cause must be a whole number from 0 to {n_causes}")
    return codes


def cumulative_incidence(
    time: ArrayLike, cause: ArrayLike, n_causes: int, *, entry: ArrayLike | None = None
) -> CumulativeIncidence:
    """Estimate the probability of each of several events of which the first one counts.

    Events of different causes at one time share the subjects at risk just before it; none of them
    comes before another. Who is censored at ``t`` is at risk at ``t``.

    Parameters
    ----------
    time
        Times to the first event or to censoring, finite and not negative; shape (n,).
    cause
        Number of the event's cause from 1 to ``n_causes``, 0 where censored; shape (n,).
    n_causes
        How many causes there are, also those that nobody had.
    entry
        Times of delayed entry; at or before 0 means under observation from the start.

    Returns
    -------
    CumulativeIncidence
        One column for every distinct time; none without subjects.

    Raises
    ------
    ValueError
        If the data cannot be follow-up data.

    Notes
    -----
    With ``n`` at risk, ``d`` events of which ``d_j`` of cause j, and ``S`` the survival just
    before a time: ``F_j(t) = Σ S d_j / n`` over the times up to ``t``. Its variance is that of the
    delta method under multinomial increments,
    ``Σ a² d / (n (n - d)) + S² d_j (n - d_j) / n³ - 2 a S d_j / n²`` with
    ``a = F_j(t) - F_j(t_i)``. It equals the infinitesimal jackknife, which R's ``survfit`` gives.

    References
    ----------
    Aalen OO, Johansen S. Scand J Stat 1978;5:141-150. Variance: Gaynor JJ et al. J Am Stat Assoc
    1993;88:400-409; Marubini E, Valsecchi MG. Analysing Survival Data from Clinical Trials and
    Observational Studies, section 10.3.
    """
    raw = np.asarray(cause)
    times, events, entries = check_survival_data(time, raw != 0, entry)
    codes = check_causes(raw, times.size, n_causes)
    found = times_of_group(times, entries)
    n_event = np.zeros((n_causes, found.time.size), dtype=np.int64)
    for k in range(n_causes):
        n_event[k] = found.count(codes == k + 1)
    survival, estimate, std_error = _curves(found.n_risk, n_event)
    return CumulativeIncidence(
        n=int(events.size),
        time=read_only(found.time),
        n_risk=read_only(found.n_risk),
        n_event=read_only(n_event),
        n_censor=read_only(np.asarray(found.n_leaving - n_event.sum(axis=0), dtype=np.int64)),
        survival=read_only(survival),
        estimate=read_only(estimate),
        std_error=read_only(std_error),
        entry_time=read_only(found.entry_time),
        tolerance=found.tolerance,
    )


def _curves(n_risk: IntArray, n_event: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    risk = n_risk.astype(np.float64)
    some = risk > 0
    total = n_event.sum(axis=0).astype(np.float64)
    left = risk - total
    survival = np.cumprod(np.divide(left, risk, out=np.ones_like(risk), where=some))
    before = np.concatenate([[1.0], survival[:-1]])[: risk.size]
    weight = np.divide(before, risk, out=np.zeros_like(risk), where=some)
    estimate = np.cumsum(weight * n_event, axis=1)
    # A sum of fractions that add up to 1 may end a digit beside it.
    estimate[np.abs(estimate - 1) < _CERTAIN] = 1.0
    # Σ (F(t) - F_i)² u_i is taken apart into three running sums, so that no pair is visited. Where
    # all at risk have an event no estimate changes any more, and the term is 0.
    u = np.divide(total, risk * left, out=np.zeros_like(risk), where=left > 0)
    single = np.divide(n_event, risk, out=np.zeros(n_event.shape), where=some)
    v = weight**2 * n_event * (1 - single)
    w = np.divide(weight * n_event, risk, out=np.zeros(n_event.shape), where=some)
    variance = (
        estimate**2 * np.cumsum(u)
        - 2 * estimate * (np.cumsum(u * estimate, axis=1) + np.cumsum(w, axis=1))
        + np.cumsum(u * estimate**2 + v + 2 * w * estimate, axis=1)
    )
    # Of a cause that all had by one time and the like nothing varies: 0 but for rounding.
    noise = 64 * np.finfo(np.float64).eps * (1 + np.cumsum(u))
    variance[variance < noise] = 0.0
    return survival, estimate, np.sqrt(variance)


def incidence_limits(
    curve: CumulativeIncidence,
    conf_level: float = 0.95,
    conf_type: ConfType | str = ConfType.LOG_LOG,
) -> tuple[FloatArray, FloatArray]:
    """Give the pointwise interval of each cause's cumulative incidence at every time.

    Parameters
    ----------
    curve
        Curves of one group.
    conf_level
        Coverage, in (0, 1).
    conf_type
        Scale of the interval, as for survival; it is applied to the incidence itself, so that
        log-log means ``F ** exp(± z se / (F log F))``.

    Returns
    -------
    low, high
        Arrays of the shape of ``curve.estimate``; NaN where the incidence is 0, and for the types
        without a width there, where it is 1.
    """
    return _limits(curve.estimate, curve.std_error, conf_level, conf_type)


def _limits(
    estimate: FloatArray, std_error: FloatArray, conf_level: float, conf_type: ConfType | str
) -> tuple[FloatArray, FloatArray]:
    relative = np.divide(std_error, estimate, out=np.zeros(estimate.shape), where=estimate > 0)
    return probability_limits(
        estimate, relative**2, normal_quantile(conf_level), ConfType(conf_type)
    )


def incidence_at(
    curve: CumulativeIncidence,
    cause: int,
    times: ArrayLike,
    conf_level: float = 0.95,
    conf_type: ConfType | str = ConfType.LOG_LOG,
) -> IncidenceAt:
    """Read the cumulative incidence of one cause at chosen times, events at the time included.

    Parameters
    ----------
    curve
        Curves of one group.
    cause
        Number of the cause, from 1.
    times
        Chosen times, finite and not negative, in the curve's unit; shape (m,).
    conf_level, conf_type
        Of the interval.

    Returns
    -------
    IncidenceAt
        Beyond the last time the incidence is unknown (``BEYOND_FOLLOW_UP``), unless everybody had
        an event. At an incidence of 0 there are no limits (``NO_EVENTS``).

    Raises
    ------
    ValueError
        On a chosen time that is missing or negative.
    """
    chosen, row = chosen_times(curve, times), cause - 1
    estimate = chosen.read(0.0, curve.estimate[row])
    std_error = chosen.read(0.0, curve.std_error[row])
    low, high = _limits(estimate, std_error, conf_level, conf_type)
    return IncidenceAt(
        time=chosen.time,
        estimate=read_only(estimate),
        std_error=read_only(std_error),
        conf_low=read_only(low),
        conf_high=read_only(high),
        n_risk=competing_counts(curve, chosen.time).n_risk,
        n_event=read_only(chosen.count(curve.n_event[row])),
        reason=chosen.reason,
        limit_reason=limit_reasons(
            estimate, low, at_zero=NotEstimable.NO_EVENTS, above=NotEstimable.NO_VARIATION
        ),
    )


def competing_counts(curve: CumulativeIncidence, ticks: ArrayLike) -> CompetingCounts:
    """Count, at each tick, who is at risk, who had which event, and who was censored before it.

    Parameters
    ----------
    curve
        Curves of one group.
    ticks
        Finite times; shape (m,).
    """
    tick = np.atleast_1d(np.asarray(ticks, dtype=np.float64))
    if not np.all(np.isfinite(tick)):
        raise ValueError("ticks must be finite")
    before = np.searchsorted(curve.time, tick - curve.tolerance, side="left")
    start = np.zeros((curve.n_event.shape[0], 1), dtype=np.int64)
    n_event = np.hstack([start, np.cumsum(curve.n_event, axis=1)])[:, before].astype(np.int64)
    n_censor = np.concatenate([[0], np.cumsum(curve.n_censor)])[before].astype(np.int64)
    entered = np.searchsorted(curve.entry_time, tick - curve.tolerance, side="left")
    waiting = np.asarray(curve.entry_time.size - entered, dtype=np.int64)
    return CompetingCounts(
        tick=read_only(tick.copy()),
        n_risk=read_only(
            np.asarray(curve.n - n_event.sum(axis=0) - n_censor - waiting, dtype=np.int64)
        ),
        n_event=read_only(n_event),
        n_censor=read_only(n_censor),
        n_not_entered=read_only(waiting),
    )
