"""Medians of bootstrap samples of a survival curve, many at once, and intervals of differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import NotEstimable
from sts_core.estimators.product_limit import QuantileRule
from sts_core.estimators.tied_times import (
    TOLERANCE,
    BoolArray,
    FloatArray,
    IntArray,
    align_follow_up,
    check_survival_data,
)

RESAMPLES: Final = 2_000
MAX_NOT_REACHED: Final = 0.05
"""Share of samples without both medians up to which an interval is given."""

_CELLS_AT_ONCE: Final = 1_000_000


def bootstrap_medians(
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
    probability: float = 0.5,
    rule: QuantileRule | str = QuantileRule.MIDPOINT,
    tick: Callable[[float], None] | None = None,
) -> FloatArray:
    """Give the median of each of many samples drawn with replacement from one group.

    Parameters
    ----------
    time, event, entry
        Follow-up of the group; shape (n,).
    resamples
        Samples, each of n subjects.
    rng
        Source of random numbers.
    probability, rule
        As in :func:`~.product_limit.quantile`, whose point it is for each sample.
    tick
        Told the share that is done; it may raise to stop the work.

    Returns
    -------
    array of float, shape (resamples,)
        NaN where a sample's curve does not fall that far, and for a group without subjects.

    References
    ----------
    Efron B. J Am Stat Assoc 1981;76:312-319: samples of pairs of time and status.
    """
    rule = QuantileRule(rule)
    times, events, entries = check_survival_data(time, event, entry)
    if times.size == 0:
        return np.full(resamples, np.nan)
    times, entries = align_follow_up(times, entries)
    cells = _Cells.of(times, events, entries)
    at_once = max(1, _CELLS_AT_ONCE // cells.repeats.size)
    found = np.empty(resamples)
    for begin in range(0, resamples, at_once):
        end = min(begin + at_once, resamples)
        drawn = rng.multinomial(times.size, cells.repeats / times.size, size=end - begin)
        found[begin:end] = _medians(cells, drawn, probability, rule)
        if tick is not None:
            tick(end / resamples)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Subjects put together that nothing tells apart.

    Attributes
    ----------
    distinct
        Distinct times, ascending; shape (m,).
    place, had_event
        Which of them each cell has, ascending, and whether it is of events; shape (c,).
    entered
        Number of distinct times at or before a cell's entry; ``None`` without delayed entry.
    repeats
        Subjects of each cell.
    """

    distinct: FloatArray
    place: IntArray
    had_event: BoolArray
    entered: IntArray | None
    repeats: IntArray

    @classmethod
    def of(cls, times: FloatArray, events: BoolArray, entries: FloatArray | None) -> _Cells:
        distinct, place = np.unique(times, return_inverse=True)
        late = np.zeros(times.size, dtype=np.int64)
        if entries is not None:
            late = np.searchsorted(distinct, entries, side="right").astype(np.int64)
        rows = np.column_stack([place.astype(np.int64), events.astype(np.int64), late])
        kinds, repeats = np.unique(rows, axis=0, return_counts=True)
        return cls(
            distinct,
            kinds[:, 0],
            kinds[:, 1].astype(np.bool_),
            None if entries is None else kinds[:, 2],
            repeats.astype(np.int64),
        )


def _by_time(counts: FloatArray, place: IntArray, m: int) -> FloatArray:
    """Sum columns of the same place; shape (samples, m). ``place`` is ascending."""
    out = np.zeros((counts.shape[0], m))
    if place.size:
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        out[:, place[starts]] = np.add.reduceat(counts, starts, axis=1)
    return out


def _medians(cells: _Cells, drawn: IntArray, probability: float, rule: QuantileRule) -> FloatArray:
    m = cells.distinct.size
    counts = drawn.astype(np.float64)
    leaving = _by_time(counts, cells.place, m)
    dead = _by_time(counts[:, cells.had_event], cells.place[cells.had_event], m)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    if cells.entered is not None:
        order = np.argsort(cells.entered, kind="stable")
        coming = _by_time(counts[:, order], cells.entered[order], m + 1)
        at_risk = at_risk - np.cumsum(coming[:, ::-1], axis=1)[:, ::-1][:, 1:]
    share = np.divide(at_risk - dead, at_risk, out=np.ones_like(at_risk), where=at_risk > 0)
    fallen = 1 - np.cumprod(share, axis=1)
    reached = np.argmax(fallen + TOLERANCE >= probability, axis=1)
    rows = np.arange(drawn.shape[0])
    is_reached = fallen[rows, reached] + TOLERANCE >= probability
    found = cells.distinct[reached]
    if rule is not QuantileRule.FIRST:
        passed = np.argmax(fallen - TOLERANCE >= probability, axis=1)
        is_passed = fallen[rows, passed] - TOLERANCE >= probability
        last = cells.distinct[m - 1 - np.argmax(leaving[:, ::-1] > 0, axis=1)]
        # flat at exactly the wanted share up to the last time of the sample
        ends_flat = is_reached & ~is_passed
        other = np.where(ends_flat, last, cells.distinct[passed])
        if rule is QuantileRule.MIDPOINT_OR_NONE:
            is_reached &= ~(ends_flat & (last > found))
        found = (found + other) / 2
    return np.where(is_reached, found, np.nan)


@dataclass(frozen=True, slots=True)
class PercentileInterval:
    """Bootstrap percentile interval of a difference.

    Attributes
    ----------
    low, high
        Limits; NaN where not estimable.
    resamples, n_not_reached
        Samples, and those in which a median was not reached.
    reason
        Why there is no interval.
    """

    low: float
    high: float
    resamples: int
    n_not_reached: int
    reason: NotEstimable | None = None


def percentile_difference(
    one: FloatArray, other: FloatArray, conf_level: float = 0.95
) -> PercentileInterval:
    """Give the percentile interval of ``one - other`` over samples drawn apart.

    Parameters
    ----------
    one, other
        Medians of the samples of two groups, NaN where not reached; shape (b,) each.
    conf_level
        Coverage, in (0, 1).

    Returns
    -------
    PercentileInterval
        ``NOT_REACHED`` where more than :data:`MAX_NOT_REACHED` of the samples lack a median: the
        interval would otherwise speak of the lucky ones only.
    """
    difference = one - other
    known = difference[np.isfinite(difference)]
    lost = int(difference.size - known.size)
    if not difference.size or lost > MAX_NOT_REACHED * difference.size:
        reason = NotEstimable.NOT_REACHED
        return PercentileInterval(math.nan, math.nan, int(difference.size), lost, reason)
    tail = (1 - conf_level) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return PercentileInterval(float(low), float(high), int(difference.size), lost)
