"""Differences between two survival curves: at a time, up to a time, and where they cross."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sts_core.estimates import NotEstimable
from sts_core.estimators.product_limit import (
    ProductLimit,
    normal_quantile,
    restricted_mean,
    survival_at,
)

CROSSING_DIFFERENCE: Final = 0.05
"""By how much each of two curves has to lead at some time, for them to be said to cross."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two independent estimates, with a symmetric interval and its z test.

    ``value``, ``std_error``, ``low``, ``high``, ``z`` and ``p_value`` are NaN with a reason where
    not estimable; those but the value where only the spread is not (``spread_reason``).
    """

    value: float
    std_error: float
    low: float
    high: float
    z: float
    p_value: float
    conf_level: float
    reason: NotEstimable | None = None
    spread_reason: NotEstimable | None = None


def _difference(
    value: float, std_error: float, conf_level: float, reason: NotEstimable | None
) -> Difference:
    nan = math.nan
    if reason is not None:
        return Difference(nan, nan, nan, nan, nan, nan, conf_level, reason, reason)
    if not (math.isfinite(std_error) and std_error > 0):
        why = NotEstimable.NO_VARIATION
        return Difference(value, nan, nan, nan, nan, nan, conf_level, None, why)
    half = normal_quantile(conf_level) * std_error
    z = value / std_error
    p_value = math.erfc(abs(z) / math.sqrt(2))
    return Difference(value, std_error, value - half, value + half, z, p_value, conf_level)


def rate_difference(
    one: ProductLimit,
    other: ProductLimit,
    at: float,
    conf_level: float = 0.95,
    *,
    extend: bool = False,
) -> Difference:
    """Give the difference of two survival probabilities at a time, ``one - other``.

    Parameters
    ----------
    one, other
        Curves of two groups without a common subject.
    at
        The time, in the curves' unit.
    conf_level
        Coverage, in (0, 1).
    extend
        Beyond a last time that is censored, carry the last value on.

    Returns
    -------
    Difference
        Its standard error is ``√(V1 + V2)`` with Greenwood's variances; limits beyond -1 and 1 are
        cut. ``BEYOND_FOLLOW_UP`` where
        one of the curves ends before; without a spread (``NO_VARIATION``) where one of them has
        come down to 0, or neither has fallen.

    References
    ----------
    Klein JP, Logan B, Harhoff M, Andersen PK. Stat Med 2007;26:4505-4519, section 2.
    """
    found = [survival_at(curve, [at], conf_level, extend=extend) for curve in (one, other)]
    reason = next((part.reason[0] for part in found if part.reason[0] is not None), None)
    values = [float(part.estimate[0]) for part in found]
    variance = sum(float(part.std_error[0]) ** 2 for part in found)
    plain = _difference(values[0] - values[1], math.sqrt(variance), conf_level, reason)
    if math.isnan(plain.low):
        return plain
    return replace(plain, low=max(-1.0, plain.low), high=min(1.0, plain.high))


def restricted_mean_difference(
    one: ProductLimit,
    other: ProductLimit,
    horizon: float,
    conf_level: float = 0.95,
    *,
    extend: bool = False,
) -> Difference:
    """Give the difference of two mean times up to a horizon, ``one - other``.

    Parameters
    ----------
    one, other
        Curves of two groups without a common subject.
    horizon
        End of the areas, above 0, in the curves' unit.
    conf_level
        Coverage, in (0, 1).
    extend
        Beyond a last time that is censored, carry the last value on.

    Returns
    -------
    Difference
        Its standard error is ``√(V1 + V2)``; ``BEYOND_FOLLOW_UP`` where one of the curves ends
        before the horizon at a censored time.

    References
    ----------
    Royston P, Parmar MKB. Stat Med 2011;30:2409-2421.
    """
    found = [restricted_mean(curve, horizon, conf_level, extend=extend) for curve in (one, other)]
    reason = next((part.reason for part in found if part.reason is not None), None)
    variance = sum(part.std_error**2 for part in found)
    value = found[0].value - found[1].value
    return _difference(value, math.sqrt(variance), conf_level, reason)


def crossing_time(
    one: ProductLimit,
    other: ProductLimit,
    *,
    until: float,
    least: float = CROSSING_DIFFERENCE,
) -> float | None:
    """Say when two curves cross: each leads by a least difference at some time.

    Parameters
    ----------
    one, other
        Curves of two groups.
    until
        Last time that is looked at, for instance while enough are at risk in both.
    least
        Difference of survival probabilities by which each has to lead.

    Returns
    -------
    float or None
        The first time at which the curve that trailed by ``least`` no longer does, before it leads
        by as much; ``None`` where the curves don't cross in this sense.
    """
    times = np.union1d(one.time, other.time)
    times = times[times <= until]
    if not times.size:
        return None
    curves = [
        np.concatenate([[1.0], curve.estimate])[np.searchsorted(curve.time, times, side="right")]
        for curve in (one, other)
    ]
    gap = curves[0] - curves[1]
    clear = np.flatnonzero(np.abs(gap) >= least - 1e-12)
    signs = np.sign(gap[clear])
    turns = np.flatnonzero(np.diff(signs) != 0)
    if not turns.size:
        return None
    before, after = int(clear[turns[0]]), int(clear[turns[0] + 1])
    first = float(signs[turns[0]])
    turned = before + 1 + int(np.argmax(gap[before + 1 : after + 1] * first <= 0))
    return float(times[turned])
