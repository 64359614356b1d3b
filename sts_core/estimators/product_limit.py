"""Kaplan-Meier: the product-limit curve and everything that is read from it.

Times may be in any unit; every time in a result is in the unit that went in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import NotEstimable
from sts_core.estimators.tied_times import (
    TOLERANCE,
    FloatArray,
    IntArray,
    check_survival_data,
    read_only,
    times_of_group,
)


class ConfType(StrEnum):
    """Scale on which the interval of a survival probability is symmetric."""

    LOG_LOG = "log-log"
    LOG = "log"
    PLAIN = "plain"
    LOGIT = "logit"
    ARCSIN = "arcsin"


class QuantileRule(StrEnum):
    """Which time is the quantile when the curve is flat exactly at the wanted probability.

    ``MIDPOINT`` takes the middle of the flat stretch, which ends at the last time if no step
    follows (R). ``MIDPOINT_OR_NONE`` does the same, but gives no number if no step follows (SAS, by
    its published rule). ``FIRST`` takes the beginning of the stretch (SPSS, by its published rule).
    """

    MIDPOINT = "midpoint"
    MIDPOINT_OR_NONE = "midpoint-or-none"
    FIRST = "first"


@dataclass(frozen=True, slots=True, eq=False)
class ProductLimit:
    """Product-limit estimate of one group.

    Parameters
    ----------
    n
        Subjects.
    time
        Distinct times at which anybody had the event or was censored, ascending; shape (k,).
    n_risk
        Subjects under observation just before each time.
    n_event, n_censor
        Subjects with the event, and censored, at each time.
    estimate
        Survival just after each time (the step at the time is included).
    greenwood
        Cumulative sum of ``d / (n (n - d))``; infinite once everyone at risk had the event.
    std_error
        Standard error of ``estimate``; NaN where ``greenwood`` is infinite.
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
    estimate: FloatArray
    greenwood: FloatArray
    std_error: FloatArray
    entry_time: FloatArray
    tolerance: float

    @property
    def total_events(self) -> int:
        """Number of events over the whole follow-up."""
        return int(self.n_event.sum())

    @property
    def last_time(self) -> float:
        """Largest time, NaN without subjects."""
        return float(self.time[-1]) if self.time.size else math.nan

    @property
    def ends_in_zero(self) -> bool:
        """Whether the curve has come down to 0, so that nothing beyond it is unknown."""
        return bool(self.time.size) and float(self.estimate[-1]) == 0.0


@dataclass(frozen=True, slots=True)
class Quantile:
    """Time by which a share of the subjects had the event, with its interval.

    ``value``, ``low`` and ``high`` are NaN where there is none; the reason stands beside it.
    """

    probability: float
    value: float
    low: float
    high: float
    conf_level: float
    method: str
    reason: NotEstimable | None = None
    low_reason: NotEstimable | None = None
    high_reason: NotEstimable | None = None
    std_error: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalAt:
    """Survival at chosen times; arrays of the shape of ``time``.

    ``n_risk`` counts subjects with a time at or after the chosen one; ``n_event`` those with the
    event up to and including it. ``reason`` says why ``estimate`` is NaN, ``limit_reason`` why the
    limits are NaN although there is an estimate.
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
    conf_level: float
    conf_type: ConfType


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Mean time up to a horizon, in the unit of the times; NaN with a reason if unknown."""

    horizon: float
    value: float
    std_error: float
    low: float
    high: float
    conf_level: float
    reason: NotEstimable | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AtRiskTable:
    """Counts at ticks; ``n_risk + n_event + n_censor + n_not_entered`` is ``n`` at every tick.

    ``n_risk`` has a time at or after the tick; ``n_event`` and ``n_censor`` are cumulative, before
    the tick; ``n_not_entered`` come under observation at or after it.
    """

    n: int
    tick: FloatArray
    n_risk: IntArray
    n_event: IntArray
    n_censor: IntArray
    n_not_entered: IntArray


def product_limit(
    time: ArrayLike, event: ArrayLike, *, entry: ArrayLike | None = None
) -> ProductLimit:
    """Estimate survival by Kaplan and Meier's product of conditional survivals.

    Events at a time come before censorings at the same time: who is censored at ``t`` is at risk
    at ``t``. With ``entry``, a subject is at risk at ``t`` if ``entry < t <= time``.

    Parameters
    ----------
    time
        Follow-up times, finite and not negative; shape (n,).
    event
        Whether follow-up ended in the event: booleans or 0 and 1; shape (n,).
    entry
        Times of delayed entry; at or before 0 means under observation from the start.

    Returns
    -------
    ProductLimit
        One row for every distinct time; no rows without subjects.

    Raises
    ------
    ValueError
        If the data cannot be follow-up data (see :func:`~.tied_times.check_survival_data`).

    References
    ----------
    Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481. Standard error: Greenwood's formula.
    """
    times, events, entries = check_survival_data(time, event, entry)
    found = times_of_group(times, entries)
    n_event = found.count(events)
    return curve_from_counts(
        n=times.size,
        time=found.time,
        n_risk=found.n_risk,
        n_event=n_event,
        n_censor=found.n_leaving - n_event,
        entry_time=found.entry_time,
        tolerance=found.tolerance,
    )


def curve_from_counts(
    *,
    n: int,
    time: FloatArray,
    n_risk: IntArray,
    n_event: IntArray,
    n_censor: IntArray,
    entry_time: FloatArray,
    tolerance: float,
) -> ProductLimit:
    """Make the curve from the counts at distinct ascending times, all of shape (k,)."""
    risk = n_risk.astype(np.float64)
    left = risk - n_event
    share = np.divide(left, risk, out=np.ones_like(risk), where=risk > 0)
    estimate = np.cumprod(share)
    # Nobody left: 0/0 without an event adds nothing, d/0 with one is infinite.
    step = np.where(n_event > 0, np.inf, 0.0)
    np.divide(n_event, risk * left, out=step, where=left > 0)
    greenwood = np.cumsum(step)
    std_error: FloatArray = np.full(estimate.shape, np.nan)
    finite = np.isfinite(greenwood)
    std_error[finite] = estimate[finite] * np.sqrt(greenwood[finite])
    return ProductLimit(
        n=int(n),
        time=read_only(np.asarray(time, dtype=np.float64)),
        n_risk=read_only(n_risk.astype(np.int64)),
        n_event=read_only(n_event.astype(np.int64)),
        n_censor=read_only(n_censor.astype(np.int64)),
        estimate=read_only(np.asarray(estimate, dtype=np.float64)),
        greenwood=read_only(np.asarray(greenwood, dtype=np.float64)),
        std_error=read_only(std_error),
        entry_time=read_only(np.asarray(entry_time, dtype=np.float64)),
        tolerance=tolerance,
    )


def confidence_limits(
    curve: ProductLimit, conf_level: float = 0.95, conf_type: ConfType | str = ConfType.LOG_LOG
) -> tuple[FloatArray, FloatArray]:
    """Give the pointwise interval of the survival probability at every time of the curve.

    Parameters
    ----------
    curve
        Curve of one group.
    conf_level
        Coverage, in (0, 1).
    conf_type
        Scale of the interval.

    Returns
    -------
    low, high
        Arrays of the shape of ``curve.time``, clipped to 0 and 1. All types are NaN at a survival
        of 0; log-log, logit and arcsin also at a survival of 1, where these scales have no width.

    Notes
    -----
    With ``G`` for Greenwood's sum: plain ``S ± z S sqrt(G)``; log ``S exp(± z sqrt(G))``; log-log
    ``S ** exp(± z sqrt(G) / log S)``; logit with half-width ``z sqrt(G) / (1 - S)``; arcsin
    ``sin(asin(sqrt(S)) ± z/2 sqrt(G S / (1 - S))) ** 2``. See Borgan and Liestøl, Scand J Stat
    1990;17:35-41, and Kalbfleisch and Prentice, section 1.4.
    """
    return probability_limits(
        curve.estimate, curve.greenwood, normal_quantile(conf_level), ConfType(conf_type)
    )


def normal_quantile(conf_level: float) -> float:
    """Give the normal quantile of a two-sided interval, 1.96 for a coverage of 0.95."""
    if not 0 < conf_level < 1:
        raise ValueError(f"conf_level must be between 0 and 1, but was {conf_level}")
    return NormalDist().inv_cdf(1 - (1 - conf_level) / 2)


def probability_limits(
    estimate: FloatArray, greenwood: FloatArray, z: float, conf_type: ConfType
) -> tuple[FloatArray, FloatArray]:
    """Give limits of probabilities on a scale of their own.

    Parameters
    ----------
    estimate
        Probabilities; any shape.
    greenwood
        Variance of each divided by its square; the same shape.
    z
        Normal quantile of the coverage.
    conf_type
        Scale on which the interval is symmetric.

    Returns
    -------
    low, high
        NaN where the scale has no width, as :func:`confidence_limits` says.
    """
    low = np.full(estimate.shape, np.nan)
    high = np.full(estimate.shape, np.nan)
    if conf_type in (ConfType.PLAIN, ConfType.LOG):
        low[estimate == 1] = high[estimate == 1] = 1.0
    inside = (estimate > 0) & (estimate < 1)
    s = estimate[inside]
    width = z * np.sqrt(greenwood[inside])
    # Far in a tail the odds or the exponent may overflow; the limit is then 0 or 1, as it should.
    with np.errstate(over="ignore"):
        if conf_type is ConfType.PLAIN:
            lower, upper = np.maximum(s - s * width, 0), np.minimum(s + s * width, 1)
        elif conf_type is ConfType.LOG:
            lower, upper = s * np.exp(-width), np.minimum(s * np.exp(width), 1)
        elif conf_type is ConfType.LOG_LOG:
            hazard = -np.log(s)
            ratio = width / hazard
            lower, upper = np.exp(-hazard * np.exp(ratio)), np.exp(-hazard * np.exp(-ratio))
        elif conf_type is ConfType.LOGIT:
            odds = s / (1 - s)
            half = width / (1 - s)
            lower, upper = 1 - 1 / (1 + odds * np.exp(-half)), 1 - 1 / (1 + odds * np.exp(half))
        else:
            angle = np.arcsin(np.sqrt(s))
            half = 0.5 * width * np.sqrt(s / (1 - s))
            lower = np.sin(np.maximum(angle - half, 0)) ** 2
            upper = np.sin(np.minimum(angle + half, np.pi / 2)) ** 2
    low[inside], high[inside] = lower, upper
    return low, high


def quantile(
    curve: ProductLimit,
    probability: float = 0.5,
    conf_level: float = 0.95,
    conf_type: ConfType | str = ConfType.LOG_LOG,
    rule: QuantileRule | str = QuantileRule.MIDPOINT,
) -> Quantile:
    """Give the time at which the curve has fallen by ``probability``, with its interval.

    The limits are the times at which the limits of the pointwise band fall by as much (Brookmeyer
    and Crowley's interval on the scale ``conf_type``), found by the same ``rule``.

    Parameters
    ----------
    curve
        Curve of one group.
    probability
        Share with the event, in (0, 1); 0.5 for the median.
    conf_level, conf_type
        Of the pointwise band.
    rule
        What to do on a stretch that is flat at exactly the wanted probability. A survival counts
        as equal to it within 1.5e-8.

    Returns
    -------
    Quantile
        ``NOT_REACHED`` if the curve stays above, ``LIMIT_NOT_REACHED`` for a limit of the band
        that does.

    References
    ----------
    Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
    """
    return quantiles(curve, (probability,), conf_level, conf_type, rule)[0]


def quantiles(
    curve: ProductLimit,
    probabilities: Sequence[float],
    conf_level: float = 0.95,
    conf_type: ConfType | str = ConfType.LOG_LOG,
    rule: QuantileRule | str = QuantileRule.MIDPOINT,
    *,
    band: tuple[FloatArray, FloatArray] | None = None,
) -> tuple[Quantile, ...]:
    """Do as :func:`quantile` for several probabilities of one curve, its band made once.

    ``band`` is what :func:`confidence_limits` gives for the same curve, level and scale, where
    that is known already.
    """
    for probability in probabilities:
        _check_probability(probability)
    conf_type, rule = ConfType(conf_type), QuantileRule(rule)
    reason, limit_reason = NotEstimable.NOT_REACHED, NotEstimable.LIMIT_NOT_REACHED
    if curve.n == 0:
        reason = limit_reason = NotEstimable.NO_SUBJECTS
        times = [[math.nan] * len(probabilities)] * 3
    else:
        limits = confidence_limits(curve, conf_level, conf_type) if band is None else band
        times = [
            _crossings(_falls(curve.time, line), probabilities, rule)
            for line in (curve.estimate, *limits)
        ]
    found = []
    for probability, value, low, high in zip(probabilities, *times, strict=True):
        found.append(
            Quantile(
                probability=probability,
                value=value,
                low=low,
                high=high,
                conf_level=conf_level,
                method=conf_type.value,
                reason=reason if math.isnan(value) else None,
                low_reason=limit_reason if math.isnan(low) else None,
                high_reason=limit_reason if math.isnan(high) else None,
            )
        )
    return tuple(found)


def _check_probability(probability: float) -> None:
    if not 0 < probability < 1:
        raise ValueError(f"probability must be between 0 and 1, but was {probability}")


def _crossings(falls: _Falls, probabilities: Sequence[float], rule: QuantileRule) -> list[float]:
    """Find the times at which a survival curve, or a limit of its band, has fallen far enough."""
    reached = np.searchsorted(falls.fallen + TOLERANCE, probabilities, side="left").tolist()
    passed = np.searchsorted(falls.fallen - TOLERANCE, probabilities, side="left").tolist()
    return [
        _crossing(falls, probability, rule, *places)
        for probability, *places in zip(probabilities, reached, passed, strict=True)
    ]


def _crossing(
    falls: _Falls, probability: float, rule: QuantileRule, reached: int, passed: int
) -> float:
    """Find one of them, given where the fall has come to it and where it has gone beyond it."""
    at = falls.at
    if reached == at.size:
        return math.nan
    if rule is QuantileRule.FIRST:
        return float(at[reached])
    if abs(probability - falls.last_fallen) < TOLERANCE:
        if rule is QuantileRule.MIDPOINT_OR_NONE and falls.last_time > float(at[reached]):
            return math.nan
        return (float(at[reached]) + falls.last_time) / 2
    if passed == at.size:
        return math.nan
    return float(at[reached] + at[passed]) / 2


@dataclass(frozen=True, slots=True, eq=False)
class _Falls:
    """How far a curve, or a limit of its band, has fallen, in order of the fall.

    ``last_fallen`` is that of the last time at which it was new, NaN if that is undefined.
    """

    fallen: FloatArray
    at: FloatArray
    last_fallen: float
    last_time: float


def _falls(time: FloatArray, survival: FloatArray) -> _Falls:
    """List the distinct falls of a survival curve, or of a limit of its band.

    Undefined (NaN) points of a band are left out. A band's upper limit can rise again in the tail;
    R reads it in order of probability, not of time, and so does this function, so that the limits
    agree; on a curve that only falls the two are the same.
    """
    fallen, at = np.zeros(survival.size + 1), np.zeros(time.size + 1)
    np.subtract(1, survival, out=fallen[1:])
    at[1:] = time
    defined = ~np.isnan(fallen)
    places = np.flatnonzero(defined)
    known = fallen[places]
    growth = known[1:] - known[:-1]
    if (growth >= 0).all():
        is_new = np.ones(known.size, dtype=bool)
        np.greater(growth, 0, out=is_new[1:])
        first = places[is_new]
    else:
        first = places[np.unique(known, return_index=True)[1]]
    newest = int(first.max())
    unknown = int(np.argmin(defined)) if places.size < fallen.size else 0
    return _Falls(
        fallen[first],
        at[first],
        math.nan if unknown > newest else float(fallen[newest]),
        float(time[-1]) if time.size else math.nan,
    )


def symmetric_quantile(
    curve: ProductLimit, probability: float = 0.5, conf_level: float = 0.95, width: float = 0.05
) -> Quantile:
    """Give a quantile with a symmetric interval on the time axis, as SPSS's published formula does.

    The standard error of the time ``t_p`` is that of the survival there, divided by a
    finite-difference estimate of the density: ``f = (S(u) - S(l)) / (l - u)`` with ``u`` the last
    event time at which survival is at least ``1 - p + width`` and ``l`` the first at which it is
    at most ``1 - p - width``. The lower limit is cut at 0.

    Parameters
    ----------
    curve
        Curve of one group.
    probability
        Share with the event, in (0, 1).
    conf_level
        Coverage, in (0, 1).
    width
        Half the range of probabilities over which the density is taken.

    Returns
    -------
    Quantile
        Its point is the first time at which survival is at most ``1 - p``. Limits and standard
        error are NaN (``LIMIT_NOT_REACHED``) where ``u`` or ``l`` does not exist, and
        ``NO_VARIATION`` where the survival at the point is 0 and so has no standard error.

    References
    ----------
    Klein JP, Moeschberger ML. Survival Analysis, 2nd ed., practical note 3 to section 4.5;
    Collett D. Modelling Survival Data in Medical Research, section 2.4.
    """
    _check_probability(probability)
    z = normal_quantile(conf_level)
    method = "symmetric"
    steps = np.flatnonzero(curve.n_event > 0)
    time, survival = curve.time[steps], curve.estimate[steps]
    target = 1 - probability
    at = int(np.count_nonzero(survival > target + TOLERANCE))
    if at == time.size:
        reason = NotEstimable.NOT_REACHED if curve.n else NotEstimable.NO_SUBJECTS
        return Quantile(
            probability, math.nan, math.nan, math.nan, conf_level, method, reason, reason, reason
        )
    value = float(time[at])
    above = int(np.count_nonzero(survival >= target + width - TOLERANCE)) - 1
    below = int(np.count_nonzero(survival > target - width + TOLERANCE))
    std_error = float(curve.std_error[steps[at]])
    why: NotEstimable | None = None
    if above < 0 or below == time.size:
        why = NotEstimable.LIMIT_NOT_REACHED
    elif math.isnan(std_error):
        why = NotEstimable.NO_VARIATION
    if why is not None:
        return Quantile(probability, value, math.nan, math.nan, conf_level, method, None, why, why)
    density = float((survival[above] - survival[below]) / (time[below] - time[above]))
    error = std_error / density
    return Quantile(
        probability,
        value,
        max(0.0, value - z * error),
        value + z * error,
        conf_level,
        method,
        std_error=error,
    )


class _Followed(Protocol):
    """What curves of survival and of incidence have in common."""

    @property
    def n(self) -> int: ...
    @property
    def time(self) -> FloatArray: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def last_time(self) -> float: ...
    @property
    def ends_in_zero(self) -> bool: ...


def why_unknown(curve: _Followed, at: float, *, extend: bool = False) -> NotEstimable | None:
    """Say why a curve has no value at a time; ``None`` where it has one.

    Parameters
    ----------
    curve
        Curve of one group.
    at
        The time, in the curve's unit.
    extend
        Beyond the last time, carry the last value on.
    """
    if curve.n == 0:
        return NotEstimable.NO_SUBJECTS
    beyond = at > curve.last_time + curve.tolerance
    if beyond and not extend and not curve.ends_in_zero:
        return NotEstimable.BEYOND_FOLLOW_UP
    return None


@dataclass(frozen=True, slots=True, eq=False)
class ChosenTimes:
    """Times at which a curve is read; shape (m,).

    ``position`` counts the curve's distinct times up to each, that time included; ``reason`` says
    where the curve has no value.
    """

    time: FloatArray
    position: IntArray
    reason: tuple[NotEstimable | None, ...]

    def read(self, start: float, values: FloatArray) -> FloatArray:
        """Read values at the distinct times, ``start`` before them; NaN where none is known."""
        found = np.concatenate([[start], values])[self.position]
        found[[why is not None for why in self.reason]] = np.nan
        return found

    def count(self, counts: IntArray) -> IntArray:
        """Count up to each time, that time included."""
        total = np.concatenate([[0], np.cumsum(counts)])[self.position]
        return np.asarray(total, dtype=np.int64)


def chosen_times(curve: _Followed, times: ArrayLike, *, extend: bool = False) -> ChosenTimes:
    """Find where a curve is read at chosen times, finite and not negative; shape (m,).

    Raises
    ------
    ValueError
        On a chosen time that is missing or negative.
    """
    chosen = np.array(times, dtype=np.float64, ndmin=1)
    if not np.all(np.isfinite(chosen)) or np.any(chosen < 0):
        raise ValueError("times must be finite and not negative")
    position = np.searchsorted(curve.time, chosen + curve.tolerance, side="right")
    reason = tuple(why_unknown(curve, float(at), extend=extend) for at in chosen)
    return ChosenTimes(read_only(chosen), np.asarray(position, dtype=np.int64), reason)


def limit_reasons(
    estimate: FloatArray, limit: FloatArray, *, at_zero: NotEstimable, above: NotEstimable
) -> tuple[NotEstimable | None, ...]:
    """Say why known probabilities have no limits: the reason at 0, and that of the others."""
    return tuple(
        (above if value > 0 else at_zero) if math.isnan(end) and not math.isnan(value) else None
        for value, end in zip(estimate.tolist(), limit.tolist(), strict=True)
    )


def survival_at(
    curve: ProductLimit,
    times: ArrayLike,
    conf_level: float = 0.95,
    conf_type: ConfType | str = ConfType.LOG_LOG,
    *,
    extend: bool = False,
) -> SurvivalAt:
    """Read survival at chosen times; a step at the time itself is included.

    Parameters
    ----------
    curve
        Curve of one group.
    times
        Chosen times, finite and not negative, in the curve's unit; shape (m,).
    conf_level, conf_type
        Of the interval.
    extend
        Beyond the last time, carry the last value on. By default survival is unknown there
        (``BEYOND_FOLLOW_UP``), unless the curve came down to 0.

    Returns
    -------
    SurvivalAt
        Limits are NaN at a survival of 0 (``NO_VARIATION``) and, for the types that have none, at
        a survival of 1 (``NO_EVENTS``).

    Raises
    ------
    ValueError
        On a chosen time that is missing or negative.
    """
    chosen = chosen_times(curve, times, extend=extend)
    conf_type = ConfType(conf_type)
    estimate = chosen.read(1.0, curve.estimate)
    greenwood = chosen.read(0.0, curve.greenwood)
    low, high = probability_limits(estimate, greenwood, normal_quantile(conf_level), conf_type)
    return SurvivalAt(
        time=chosen.time,
        estimate=read_only(estimate),
        std_error=read_only(chosen.read(0.0, curve.std_error)),
        conf_low=read_only(low),
        conf_high=read_only(high),
        n_risk=at_risk_from_curve(curve, chosen.time).n_risk,
        n_event=read_only(chosen.count(curve.n_event)),
        reason=chosen.reason,
        limit_reason=limit_reasons(
            estimate, low, at_zero=NotEstimable.NO_VARIATION, above=NotEstimable.NO_EVENTS
        ),
        conf_level=conf_level,
        conf_type=conf_type,
    )


def restricted_mean(
    curve: ProductLimit,
    horizon: float | None = None,
    conf_level: float = 0.95,
    *,
    extend: bool = False,
) -> RestrictedMean:
    """Give the mean time up to a horizon: the area under the curve.

    Parameters
    ----------
    curve
        Curve of one group.
    horizon
        End of the area, above 0; the largest time of the curve by default.
    conf_level
        Coverage of the interval ``value ± z std_error``, in (0, 1).
    extend
        Beyond the last time, carry the last value on. By default the mean is then unknown
        (``BEYOND_FOLLOW_UP``), unless the curve came down to 0.

    Returns
    -------
    RestrictedMean
        With variance ``Σ A_i² d_i / (n_i (n_i - d_i))``, where ``A_i`` is the area from the i-th
        event time to the horizon.

    References
    ----------
    Klein JP, Moeschberger ML. Survival Analysis, 2nd ed., section 4.5; Karrison T, Control Clin
    Trials 1997;18:151-167.
    """
    z = normal_quantile(conf_level)
    end = curve.last_time if horizon is None else float(horizon)
    if curve.n and horizon is not None and not (math.isfinite(end) and end > 0):
        raise ValueError(f"horizon must be finite and above 0, but was {horizon}")
    reason = why_unknown(curve, end, extend=extend)
    if reason is not None:
        nan = math.nan
        return RestrictedMean(end, nan, nan, nan, nan, conf_level, reason)
    inside = curve.time <= end
    edges = np.concatenate([[0.0], curve.time[inside], [end]])
    areas = np.diff(edges) * np.concatenate([[1.0], curve.estimate[inside]])
    area_after = np.cumsum(areas[:0:-1])[::-1]
    risk = curve.n_risk[inside].astype(np.float64)
    left = risk - curve.n_event[inside]
    # Where nobody is left the curve is 0 and no area follows: the term is 0, not 0 times infinity.
    term = np.divide(curve.n_event[inside], risk * left, out=np.zeros_like(risk), where=left > 0)
    value = float(areas.sum())
    std_error = math.sqrt(float(np.sum(area_after**2 * term)))
    return RestrictedMean(
        end, value, std_error, value - z * std_error, value + z * std_error, conf_level
    )


def at_risk_table(
    time: ArrayLike,
    event: ArrayLike,
    ticks: ArrayLike,
    *,
    entry: ArrayLike | None = None,
) -> AtRiskTable:
    """Count, at each tick, who is at risk, who had the event and who was censored before it.

    Parameters
    ----------
    time, event, entry
        Follow-up as in :func:`product_limit`.
    ticks
        Finite times, any order; shape (m,).

    Returns
    -------
    AtRiskTable
        Counts of shape (m,) that sum to the number of subjects.
    """
    return at_risk_from_curve(product_limit(time, event, entry=entry), ticks)


def at_risk_from_curve(curve: ProductLimit, ticks: ArrayLike) -> AtRiskTable:
    """Do as :func:`at_risk_table` for a curve that is there already."""
    tick = np.atleast_1d(np.asarray(ticks, dtype=np.float64))
    if not np.all(np.isfinite(tick)):
        raise ValueError("ticks must be finite")
    before = np.searchsorted(curve.time, tick - curve.tolerance, side="left")
    n_event = np.concatenate([[0], np.cumsum(curve.n_event)])[before].astype(np.int64)
    n_censor = np.concatenate([[0], np.cumsum(curve.n_censor)])[before].astype(np.int64)
    n_not_entered = _not_entered(curve, tick)
    return AtRiskTable(
        n=curve.n,
        tick=read_only(tick.copy()),
        n_risk=read_only(np.asarray(curve.n - n_event - n_censor - n_not_entered, np.int64)),
        n_event=read_only(n_event),
        n_censor=read_only(n_censor),
        n_not_entered=read_only(n_not_entered),
    )


def _not_entered(curve: ProductLimit, times: FloatArray) -> IntArray:
    before = np.searchsorted(curve.entry_time, times - curve.tolerance, side="left")
    return np.asarray(curve.entry_time.size - before, dtype=np.int64)
