"""The cut point of a number that separates survival most, with a P value that knows of the search.

Looking for the best cut makes the ordinary log-rank P far too small; the P values here are those of
the largest statistic over all cuts that were tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import NotEstimable
from sts_core.estimators.permutation import RESAMPLES, log_rank_scores
from sts_core.estimators.tied_times import FloatArray, IntArray

SMALLEST_SHARE: Final = 0.1
"""Share of the subjects that each side of a cut has at least."""

_CELLS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class MaximallySelected:
    """Maximally selected log-rank statistic.

    Attributes
    ----------
    cut
        Smallest value of the upper group: the groups are below it, and at or above it.
    statistic
        Standardised log-rank statistic there, its sign dropped; the largest over all cuts.
    p_approximate
        By Lausen and Schumacher's approximation, at most 1.
    p_permutation
        By a sample of ways to deal out the follow-up anew: ``(1 + hits) / (1 + resamples)``.
    n, n_event, n_cuts
        Subjects, events, and cuts that were tried.
    smallest_share
        Share of the subjects on each side of a cut that was tried.
    resamples, seed
        Of the permutation.
    reason
        Why there is no cut; the numbers are NaN then.
    """

    cut: float
    statistic: float
    p_approximate: float
    p_permutation: float
    n: int
    n_event: int
    n_cuts: int
    smallest_share: float
    resamples: int
    seed: int
    reason: NotEstimable | None = None


def maximally_selected_log_rank(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    smallest_share: float = SMALLEST_SHARE,
    resamples: int = RESAMPLES,
    seed: int = 1,
    tick: Callable[[float], None] | None = None,
) -> MaximallySelected:
    """Find the cut of a number with the largest log-rank statistic.

    Parameters
    ----------
    values
        The number, without missing values; shape (n,).
    time, event, entry
        Follow-up; shape (n,).
    smallest_share
        Share of the subjects that each side of a cut has at least, in (0, 0.5).
    resamples, seed
        Ways to deal out the follow-up anew that are drawn, and start of the random numbers.
    tick
        Told the share that is done; it may raise to stop the work.

    Returns
    -------
    MaximallySelected
        ``NO_SUBJECTS``, ``NO_EVENTS``, or ``NO_VARIATION`` where no cut leaves enough subjects on
        both sides.

    Raises
    ------
    ValueError
        On a missing value, or a share outside (0, 0.5).

    References
    ----------
    Lausen B, Schumacher M. Biometrics 1992;48:73-85, formula (8). Miller R, Siegmund D. Biometrics
    1982;38:1011-1016. Hothorn T, Lausen B. Comput Stat Data Anal 2003;43:121-137.
    """
    if not 0 < smallest_share < 0.5:
        raise ValueError(f"smallest_share must lie in (0, 0.5), but was {smallest_share}")
    number = np.asarray(values, dtype=np.float64)
    if np.any(np.isnan(number)):
        raise ValueError("values must not be missing")
    scores = log_rank_scores(time, event, entry=entry)
    events = np.asarray(event, dtype=bool)
    n = scores.size
    order = np.argsort(number, kind="stable")
    ordered = number[order]
    below = (np.flatnonzero(np.diff(ordered) > 0) + 1).astype(np.int64)  # subjects below each cut
    least = max(1, math.floor(n * smallest_share))
    most = min(n - 1, math.floor(n * (1 - smallest_share) + 1e-9))
    below = below[(below >= least) & (below <= most)]
    reason: NotEstimable | None = None
    if not n:
        reason = NotEstimable.NO_SUBJECTS
    elif not events.any():
        reason = NotEstimable.NO_EVENTS
    elif not below.size or float(scores @ scores) <= 1e-12:
        reason = NotEstimable.NO_VARIATION
    if reason is not None:
        nan = math.nan
        return MaximallySelected(
            nan, nan, nan, nan, n, int(events.sum()), int(below.size), smallest_share, 0, seed,
            reason,
        )  # fmt: skip
    scale = np.sqrt(float(scores @ scores) / (n - 1) * below * (n - below) / n)
    statistics = np.abs(np.cumsum(scores[order])[below - 1]) / scale
    best = int(np.argmax(statistics))
    largest = float(statistics[best])
    hits = _hits(scores, below, scale, largest, resamples, seed, tick)
    return MaximallySelected(
        cut=float(ordered[below[best]]),
        statistic=largest,
        p_approximate=_lausen_schumacher(largest, smallest_share),
        p_permutation=(1 + hits) / (1 + resamples),
        n=n,
        n_event=int(events.sum()),
        n_cuts=int(below.size),
        smallest_share=smallest_share,
        resamples=resamples,
        seed=seed,
    )


def _hits(
    scores: FloatArray,
    below: IntArray,
    scale: FloatArray,
    largest: float,
    resamples: int,
    seed: int,
    tick: Callable[[float], None] | None,
) -> int:
    """Count random orders of the follow-up whose largest statistic is no smaller."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // scores.size)
    hits = 0
    for begin in range(0, resamples, at_once):
        size = min(at_once, resamples - begin)
        dealt = rng.permuted(np.tile(scores, (size, 1)), axis=1)
        found = np.abs(np.cumsum(dealt, axis=1)[:, below - 1]) / scale
        hits += int(np.count_nonzero(found.max(axis=1) >= largest * (1 - 1e-9)))
        if tick is not None:
            tick((begin + size) / resamples)
    return hits


def _lausen_schumacher(b: float, share: float) -> float:
    if b < 1:  # the approximation is one of a tail
        return 1.0
    density = NormalDist().pdf(b)
    spread = math.log((1 - share) * (1 - share) / (share * share))
    return min(1.0, max(0.0, 4 * density / b + density * (b - 1 / b) * spread))
