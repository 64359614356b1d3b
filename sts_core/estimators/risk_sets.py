"""Sums over risk sets, for many vectors of values at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sts_core.estimators.tied_times import (
    BoolArray,
    FloatArray,
    IntArray,
    align_ties,
    distinct_starts,
    refuse_entry_at_exit,
)

DENSE_CELLS: Final = 2_000_000
"""Largest (event times x rows) table of who is at risk that is held for left-truncated data.

Sums over it have no subtraction in them; beyond it, those not yet entered are subtracted.
"""
MAX_LOOPED_STRATA: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class RiskSets:
    """Who is at risk at each event time, with rows sorted once.

    Rows are sorted by stratum and, within it, by falling time, so that a risk set is a run of rows
    from the start of the stratum. A "group" is one event time in one stratum. Rows that are in no
    risk set (censored before the first event of their stratum) are left out.

    Parameters
    ----------
    rows : array of int, shape (r,)
        Position of each sorted row in the data as given.
    segment : array of int, shape (r,)
        First group, in sorted order, whose risk set holds the row.
    group_start, group_last : array of int, shape (k,)
        First row of a group's segment and last row of its risk set.
    group_time : array of float, shape (k,)
        Event time of the group.
    stratum_bounds : array of int, shape (s + 1,)
        First group of every stratum, and k.
    event_rows, event_group : array of int, shape (e,)
        Sorted rows that are events, and their group.
    event_start : array of int, shape (k,)
        Position of a group's first event in ``event_rows``.
    entry_segment : array of int, shape (r,), or None
        First group, in sorted order, before which the row had not entered; k where there is none.
    at_risk : array of float, shape (k, r), or None
        1 where the row is in the risk set; only for left-truncated data of moderate size.
    """

    rows: IntArray
    segment: IntArray
    group_start: IntArray
    group_last: IntArray
    group_time: FloatArray
    stratum_bounds: IntArray
    event_rows: IntArray
    event_group: IntArray
    event_start: IntArray
    entry_segment: IntArray | None
    at_risk: FloatArray | None

    @property
    def n_groups(self) -> int:
        """Number of event times, counted by stratum."""
        return int(self.group_time.size)

    def totals(self, values: FloatArray) -> FloatArray:
        """Sum values over each risk set.

        Parameters
        ----------
        values
            One value a sorted row, shape (..., r).

        Returns
        -------
        array
            Shape (..., k).
        """
        if self.at_risk is not None:
            return np.asarray(values @ self.at_risk.T, dtype=np.float64)
        if self.entry_segment is None and self.stratum_bounds.size == 2:
            return np.asarray(np.cumsum(values, axis=-1)[..., self.group_last], dtype=np.float64)
        sums = np.add.reduceat(values, self.group_start, axis=-1)
        if self.entry_segment is not None:
            leaving = np.argsort(self.entry_segment, kind="stable")
            leaving = leaving[self.entry_segment[leaving] < self.n_groups]
            if leaving.size:
                groups, starts = np.unique(self.entry_segment[leaving], return_index=True)
                sums[..., groups] -= np.add.reduceat(values[..., leaving], starts, axis=-1)
        return self._accumulate(sums)

    def exposure(self, increments: FloatArray) -> FloatArray:
        """Sum increments over the groups at which each row is at risk.

        Parameters
        ----------
        increments
            One value a group, shape (..., k).

        Returns
        -------
        array
            Shape (..., r).
        """
        if self.at_risk is not None:
            return np.asarray(increments @ self.at_risk, dtype=np.float64)
        backwards = self._accumulate(increments[..., ::-1], reverse=True)[..., ::-1]
        if self.entry_segment is None:
            return np.asarray(backwards[..., self.segment], dtype=np.float64)
        padded = np.concatenate([backwards, np.zeros((*backwards.shape[:-1], 1))], axis=-1)
        return np.asarray(padded[..., self.segment] - padded[..., self.entry_segment])

    def per_group(self, event_values: NDArray[Any]) -> FloatArray:
        """Sum values of events over the events of each group; (..., e) to (..., k)."""
        if self.event_start.size == self.event_rows.size:
            return np.asarray(event_values, dtype=np.float64)
        return np.asarray(
            np.add.reduceat(np.asarray(event_values, dtype=np.float64), self.event_start, axis=-1)
        )

    def running_max(self, values: FloatArray) -> FloatArray:
        """Find the largest value in each risk set.

        Parameters
        ----------
        values
            One value a sorted row, minus infinity for rows to ignore; shape (r,).

        Returns
        -------
        array
            Shape (k,).

        Raises
        ------
        ValueError
            For left-truncated data too large to hold the table of who is at risk.
        """
        if self.at_risk is not None:
            return np.asarray(np.where(self.at_risk > 0, values, -np.inf).max(axis=1))
        if self.entry_segment is not None:
            raise ValueError("a running maximum needs the table of who is at risk")
        highest = np.maximum.reduceat(values, self.group_start)
        for first, end in pairwise(self.stratum_bounds):
            np.maximum.accumulate(highest[first:end], out=highest[first:end])
        return np.asarray(highest, dtype=np.float64)

    def _accumulate(self, values: FloatArray, *, reverse: bool = False) -> FloatArray:
        """Cumulate over groups within strata, without subtracting one stratum from another."""
        bounds = self.stratum_bounds
        if reverse:
            bounds = self.n_groups - bounds[::-1]
        if bounds.size == 2:
            return np.asarray(np.cumsum(values, axis=-1))
        if bounds.size <= MAX_LOOPED_STRATA + 1:
            result = np.empty(values.shape, dtype=np.float64)
            for first, end in pairwise(bounds):
                np.cumsum(values[..., first:end], axis=-1, out=result[..., first:end])
            return result
        # Many short strata: double the reach of the sum until it spans the longest.
        lengths = np.diff(bounds)
        place = np.arange(self.n_groups) - np.repeat(bounds[:-1], lengths)
        result = np.array(values, dtype=np.float64)
        reach = 1
        while reach < int(lengths.max()):
            earlier = np.where(place[reach:] >= reach, result[..., :-reach], 0.0)
            result[..., reach:] += earlier
            reach *= 2
        return result


def build_risk_sets(
    time: FloatArray,
    event: BoolArray,
    entry: FloatArray | None = None,
    strata: NDArray[Any] | None = None,
) -> RiskSets:
    """Sort follow-up data into risk sets.

    Parameters
    ----------
    time, event, entry
        As :func:`~sts_core.estimators.tied_times.check_survival_data` returns them. Times that
        differ by rounding only are tied (:func:`~sts_core.estimators.tied_times.align_ties`).
    strata
        Stratum of each row, any values that sort; shape (n,).

    Returns
    -------
    RiskSets

    Raises
    ------
    ValueError
        If an entry differs from its exit by rounding only.
    """
    if entry is not None:
        time, entry = align_ties(time, entry)
        refuse_entry_at_exit(time, entry)
        ascending = np.argsort(time, kind="stable")
    else:
        ascending = np.argsort(time, kind="stable")
        ordered = time[ascending]
        starts, _ = distinct_starts(ordered)
        lengths = np.diff(np.append(starts, ordered.size))
        aligned = np.empty_like(ordered)
        aligned[ascending] = np.repeat(ordered[starts], lengths)
        time = aligned
    order = ascending[::-1]
    if strata is None:
        codes = np.zeros(time.size, dtype=np.int64)
    else:
        codes = np.unique(strata, return_inverse=True)[1].astype(np.int64).reshape(-1)
        order = order[np.argsort(codes[order], kind="stable")]
    t, s, died = time[order], codes[order], event[order]

    is_new = np.ones(t.size, dtype=np.bool_)
    is_new[1:] = (t[1:] != t[:-1]) | (s[1:] != s[:-1])
    position = np.cumsum(is_new) - 1
    has_event = np.zeros(int(is_new.sum()), dtype=np.bool_)
    has_event[position[died]] = True
    event_times = np.flatnonzero(is_new)[has_event]
    group_time, group_stratum = t[event_times], s[event_times]
    n_groups = group_time.size
    before: IntArray = np.cumsum(has_event) - has_event
    candidate: IntArray = before[position]
    kept: BoolArray = np.asarray(candidate < n_groups)
    kept[kept] = group_stratum[candidate[kept]] == s[kept]

    rows = order[kept]
    segment: IntArray = candidate[kept].astype(np.int64)
    n_rows = rows.size
    first = np.ones(n_rows, dtype=np.bool_)
    first[1:] = segment[1:] != segment[:-1]
    group_start = np.flatnonzero(first)
    group_last = np.append(group_start[1:] - 1, n_rows - 1) if n_rows else group_start
    event_rows = np.flatnonzero(died[kept])
    event_group = segment[event_rows]
    event_start = np.searchsorted(event_group, np.arange(n_groups))
    stratum_first = np.ones(n_groups, dtype=np.bool_)
    stratum_first[1:] = group_stratum[1:] != group_stratum[:-1]
    stratum_bounds = np.append(np.flatnonzero(stratum_first), n_groups)

    entry_segment: IntArray | None = None
    at_risk: FloatArray | None = None
    if entry is not None and n_groups:
        entry_segment = _entry_segments(entry[rows], s[kept], group_time, group_stratum)
        if n_groups * n_rows <= DENSE_CELLS:
            groups = np.arange(n_groups)[:, None]
            stratum_end = np.searchsorted(group_stratum, s[kept], side="right")
            leave = np.minimum(entry_segment, stratum_end)
            at_risk = ((groups >= segment) & (groups < leave)).astype(np.float64)
    return RiskSets(
        rows=rows.astype(np.int64),
        segment=segment,
        group_start=group_start.astype(np.int64),
        group_last=group_last.astype(np.int64),
        group_time=group_time,
        stratum_bounds=stratum_bounds.astype(np.int64),
        event_rows=event_rows.astype(np.int64),
        event_group=event_group.astype(np.int64),
        event_start=event_start.astype(np.int64),
        entry_segment=entry_segment,
        at_risk=at_risk,
    )


def _entry_segments(
    entry: FloatArray, stratum: IntArray, group_time: FloatArray, group_stratum: IntArray
) -> IntArray:
    """Find the first group of the row's stratum at or before its entry, or the number of groups."""
    distinct = np.unique(group_time)
    width = distinct.size + 1
    # Keys rise with the stratum and with falling time, as the groups do.
    group_key = group_stratum * width + (width - 1 - np.searchsorted(distinct, group_time))
    rank = np.searchsorted(distinct, entry, side="right") - 1
    found = np.searchsorted(group_key, stratum * width + (width - 1 - rank))
    n_groups = group_time.size
    inside = found < n_groups
    inside[inside] = group_stratum[found[inside]] == stratum[inside]
    return np.where(inside, found, n_groups).astype(np.int64)
