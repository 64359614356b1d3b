"""Which times count as equal, and the checks that every time-to-event kernel starts with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ArrayT = TypeVar("ArrayT", FloatArray, IntArray, BoolArray)

TOLERANCE: Final = math.sqrt(float(np.finfo(np.float64).eps))
"""Relative tolerance below which two times, or two probabilities, are the same (R's choice)."""


def distinct_starts(ordered: FloatArray) -> tuple[IntArray, float]:
    """Find where a new time begins in sorted times, tied times counting as one.

    Parameters
    ----------
    ordered
        Times in ascending order, shape (n,).

    Returns
    -------
    starts
        Position of the first member of every distinct time, shape (k,).
    tolerance
        Absolute distance up to which neighbours were tied.
    """
    if ordered.size == 0:
        return np.zeros(0, dtype=np.int64), TOLERANCE
    is_new = np.empty(ordered.size, dtype=np.bool_)
    is_new[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    starts = np.flatnonzero(is_new)
    distinct = ordered[starts]
    tolerance = TOLERANCE * max(1.0, float(np.mean(np.abs(distinct))))
    apart = np.empty(distinct.size, dtype=np.bool_)
    apart[0] = True
    np.greater(np.diff(distinct), tolerance, out=apart[1:])
    return starts[apart].astype(np.int64), tolerance


def align_ties(*times: FloatArray) -> tuple[FloatArray, ...]:
    """Give tied times one common value, over several arrays together.

    Days divided by 30.4375 and times read from text can differ in the last binary digit although
    they are the same day. Neighbouring distinct times that are closer than
    ``TOLERANCE * max(1, mean of the distinct times)`` take the smallest of them, as R's
    ``survfit``, ``survdiff`` and ``coxph`` do with ``timefix = TRUE``. Infinite times (no delayed
    entry) are left alone.

    Parameters
    ----------
    *times
        Arrays that share one time axis, for example entry and exit; any shape.

    Returns
    -------
    tuple of array
        Arrays of the same shapes; the inputs themselves where nothing had to change.
    """
    return align_with_tolerance(*times)[0]


def align_with_tolerance(*times: FloatArray) -> tuple[tuple[FloatArray, ...], float]:
    """Do as :func:`align_ties`, and give the absolute distance up to which times were tied."""
    pooled = np.concatenate([np.ravel(t) for t in times]) if times else np.zeros(0)
    ordered = np.sort(pooled[np.isfinite(pooled)])
    starts, tolerance = distinct_starts(ordered)
    cuts = ordered[starts]
    if cuts.size == ordered.size or np.count_nonzero(np.diff(ordered)) + 1 == cuts.size:
        return times, tolerance
    aligned: list[FloatArray] = []
    for values in times:
        result = np.array(values, dtype=np.float64)
        finite = np.isfinite(result)
        result[finite] = cuts[np.searchsorted(cuts, result[finite], side="right") - 1]
        aligned.append(result)
    return tuple(aligned), tolerance


def align_follow_up(
    time: FloatArray, entry: FloatArray | None
) -> tuple[FloatArray, FloatArray | None]:
    """Do as :func:`align_ties` for follow-up that may begin late; shapes (n,), and (n,) or none."""
    if entry is None:
        return align_ties(time)[0], None
    aligned_time, aligned_entry = align_ties(time, entry)
    return aligned_time, aligned_entry


def refuse_entry_at_exit(time: FloatArray, entry: FloatArray) -> None:
    """Refuse aligned follow-up in which somebody enters when it ends.

    Raises
    ------
    ValueError
        If an entry differs from its exit by rounding only.
    """
    if np.any(entry >= time):
        raise ValueError("entry must be before time by more than the tolerance for ties")


@dataclass(frozen=True, slots=True, eq=False)
class TimesOfGroup:
    """Distinct times of a group, and who is at risk at each.

    Parameters
    ----------
    order
        Positions of the subjects by ascending time; shape (n,).
    starts
        Position, in that order, of the first subject of every distinct time; shape (k,).
    time
        The distinct times, ascending; shape (k,).
    n_risk, n_leaving
        Subjects under observation just before each time, and those whose time it is; shape (k,).
    entry_time
        Sorted times of delayed entry; empty without left truncation.
    tolerance
        Distance up to which two times are the same.
    """

    order: IntArray
    starts: IntArray
    time: FloatArray
    n_risk: IntArray
    n_leaving: IntArray
    entry_time: FloatArray
    tolerance: float

    def count(self, chosen: BoolArray) -> IntArray:
        """Count the chosen subjects, shape (n,), at each distinct time; shape (k,)."""
        if not self.starts.size:
            return np.zeros(0, dtype=np.int64)
        counts = np.add.reduceat(chosen[self.order].astype(np.int64), self.starts)
        return np.asarray(counts, dtype=np.int64)


def times_of_group(time: FloatArray, entry: FloatArray | None) -> TimesOfGroup:
    """Sort a group's follow-up, as :func:`check_survival_data` gives it, into distinct times.

    Raises
    ------
    ValueError
        If an entry differs from its exit by rounding only.
    """
    entered, pooled_tolerance = np.zeros(0), None
    if entry is not None:
        (time, entry), pooled_tolerance = align_with_tolerance(time, entry)
        refuse_entry_at_exit(time, entry)
        entered = np.sort(entry[np.isfinite(entry)])
    order = np.argsort(time)
    ordered = time[order]
    starts, tolerance = distinct_starts(ordered)
    distinct = ordered[starts]
    not_entered = entered.size - np.searchsorted(entered, distinct, side="left")
    return TimesOfGroup(
        order=order,
        starts=starts,
        time=distinct,
        n_risk=np.asarray(ordered.size - starts - not_entered, dtype=np.int64),
        n_leaving=np.diff(starts, append=ordered.size) if starts.size else starts,
        entry_time=entered,
        tolerance=tolerance if pooled_tolerance is None else pooled_tolerance,
    )


def check_survival_data(
    time: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None
) -> tuple[FloatArray, BoolArray, FloatArray | None]:
    """Turn follow-up data into arrays, refusing what no estimator can use.

    Parameters
    ----------
    time
        Follow-up times, not negative, finite; shape (n,).
    event
        Whether the follow-up ended in an event: booleans, or 0 and 1; shape (n,).
    entry
        Times at which subjects came under observation (left truncation); shape (n,). An entry at
        or before 0 is no truncation.

    Returns
    -------
    time, event, entry
        Arrays of float, bool and float; an entry at or before 0 is minus infinity, and ``entry``
        is ``None`` when nobody entered late.

    Raises
    ------
    ValueError
        On missing, infinite or negative times, on other event codes, on different lengths, and on
        an entry that is not before the exit.
    """
    times = np.asarray(time, dtype=np.float64)
    if times.ndim != 1:
        raise ValueError(f"time must have one dimension, but has {times.ndim}")
    if not np.all(np.isfinite(times)):
        raise ValueError("time must be finite, without missing values")
    if times.size and float(times.min()) < 0:
        raise ValueError("time must not be negative")
    events = _as_bool(event, times.size)
    if entry is None:
        return times, events, None
    entries = np.array(entry, dtype=np.float64)
    if entries.shape != times.shape:
        raise ValueError(f"entry must have shape {times.shape}, but has {entries.shape}")
    if np.any(np.isnan(entries)):
        raise ValueError("entry must not be missing")
    entries[entries <= 0] = -np.inf
    if np.any(entries >= times):
        raise ValueError("entry must be before time")
    return times, events, entries if np.any(np.isfinite(entries)) else None


def _as_bool(event: ArrayLike, n: int) -> BoolArray:
    raw = np.asarray(event)
    if raw.shape != (n,):
        raise ValueError(f"event must have shape ({n},), but has {raw.shape}")
    if raw.dtype == np.bool_:
        return raw
    if n == 0:
        return np.zeros(0, dtype=np.bool_)
    try:
        numbers = raw.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("event must be boolean, or 0 and 1") from error
    if not np.all((numbers == 0) | (numbers == 1)):
        raise ValueError("event must be boolean, or 0 and 1, without missing values")
    return np.asarray(numbers == 1, dtype=np.bool_)


def read_only(array: ArrayT) -> ArrayT:
    """Lock an array, so that a frozen record stays as it was made."""
    array.setflags(write=False)
    return array
