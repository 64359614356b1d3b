"""The log-rank test without its large-sample distribution: groups dealt out anew.

The statistic is a quadratic form of the sums of log-rank scores by group. Where all ways to deal
out the groups can be counted, the P value is exact; otherwise a seeded sample of them is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import NotEstimable
from sts_core.estimators.tied_times import (
    BoolArray,
    FloatArray,
    IntArray,
    align_follow_up,
    check_survival_data,
)

RESAMPLES: Final = 10_000
MAX_STATES: Final = 60_000
"""Intermediate sums that an exact count may hold; beyond it, groups are drawn at random."""

_STEPS = 1e9  # sums of scores are told apart to this part of one
_CLOSE = 1e-9  # relative distance within which a statistic equals the one observed
_DRAWN_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class PermutationTest:
    """A permutation test.

    Attributes
    ----------
    statistic
        Quadratic form of the data; NaN where not estimable.
    p_value
        Share of ways to deal out the groups with a statistic at least as large; NaN where not
        estimable.
    is_exact
        Whether all of them were counted.
    n_arrangements
        Ways that were counted or drawn, the observed one among them.
    seed
        Start of the random numbers; ``None`` where none were needed.
    reason
        Why there is no test.
    """

    statistic: float
    p_value: float
    is_exact: bool
    n_arrangements: float
    seed: int | None
    reason: NotEstimable | None = None


def log_rank_scores(
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> FloatArray:
    """Give each subject's part of a log-rank statistic.

    Parameters
    ----------
    time, event, entry
        Follow-up of all groups together; shape (n,).
    strata
        Stratum of each subject; shape (n,).

    Returns
    -------
    array of float, shape (n,)
        Event less the pooled Nelson-Aalen hazard that the subject lived through. Over a group they
        sum to its observed less expected events, over a stratum to 0.

    References
    ----------
    Peto R, Peto J. J R Stat Soc A 1972;135:185-207.
    """
    times, events, entries = check_survival_data(time, event, entry)
    times, entries = align_follow_up(times, entries)
    scores = np.zeros(times.size)
    for rows in _strata_of(strata, times.size):
        part = None if entries is None else entries[rows]
        scores[rows] = _scores(times[rows], events[rows], part)
    return scores


def _strata_of(strata: ArrayLike | None, n: int) -> list[IntArray]:
    if strata is None:
        return [np.arange(n)]
    codes = np.unique(np.asarray(strata), return_inverse=True)[1]
    return [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)] if n else []


def _scores(times: FloatArray, events: BoolArray, entries: FloatArray | None) -> FloatArray:
    at, dead = np.unique(times[events], return_counts=True)
    if not at.size:
        return np.zeros(times.size)
    ordered = np.sort(times)
    at_risk = times.size - np.searchsorted(ordered, at, side="left")
    if entries is not None:
        at_risk -= times.size - np.searchsorted(np.sort(entries), at, side="left")
    hazard = np.concatenate([[0.0], np.cumsum(dead / at_risk)])
    lived = hazard[np.searchsorted(at, times, side="right")]
    if entries is not None:
        lived = lived - hazard[np.searchsorted(at, entries, side="right")]
    return np.asarray(events - lived, dtype=np.float64)


def permutation_log_rank(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    n_groups: int,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 1,
    max_states: int = MAX_STATES,
    tick: Callable[[float], None] | None = None,
) -> PermutationTest:
    """Test by permutation whether survival differs between groups.

    Parameters
    ----------
    time, event, entry
        Follow-up of all groups together; shape (n,).
    group
        Number of each subject's group, from 0; shape (n,).
    n_groups
        Number of groups, those without subjects among them.
    strata
        Stratum of each subject; groups are dealt out within strata. Shape (n,).
    resamples
        Ways that are drawn where not all can be counted.
    seed
        Start of the random numbers.
    max_states
        Size up to which all ways are counted.
    tick
        Told the share that is done; it may raise to stop the work.

    Returns
    -------
    PermutationTest
        Drawn ways give ``(1 + hits) / (1 + resamples)``, which is never 0.

    Notes
    -----
    The statistic is ``U' V^- U`` with ``U`` the sums of log-rank scores by group and ``V`` their
    covariance over all ways to deal out the groups. The test holds where follow-up ends for reasons
    that have nothing to do with the group.

    References
    ----------
    Phipson B, Smyth GK. Stat Appl Genet Mol Biol 2010;9:39: the added one. Strasser H, Weber C.
    Math Methods Stat 1999;8:220-250: the quadratic form.
    """
    codes = np.asarray(group, dtype=np.int64)
    scores = log_rank_scores(time, event, entry=entry, strata=strata)
    events = np.asarray(event, dtype=bool)
    parts = [
        _Part.of(scores[rows], codes[rows], n_groups) for rows in _strata_of(strata, scores.size)
    ]
    filled = np.bincount(codes, minlength=n_groups) > 0
    reason: NotEstimable | None = None
    covariance = np.sum([part.covariance for part in parts], axis=0) if parts else np.zeros((1, 1))
    if not scores.size:
        reason = NotEstimable.NO_SUBJECTS
    elif filled.sum() < 2:
        reason = NotEstimable.ONE_GROUP
    elif not events.any():
        reason = NotEstimable.NO_EVENTS
    elif not np.any(np.diagonal(covariance) > 1e-12):
        reason = NotEstimable.NEVER_COMPARED
    if reason is not None:
        return PermutationTest(math.nan, math.nan, False, 0, None, reason)
    inverse = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True)
    observed = np.sum([part.sums for part in parts], axis=0)
    statistic = float(observed @ inverse @ observed)
    least = statistic - _CLOSE * max(1.0, statistic)

    def as_extreme(sums: FloatArray) -> BoolArray:
        found = np.einsum("ij,jk,ik->i", sums, inverse, sums)
        return np.asarray(found >= least, dtype=np.bool_)

    counted = _all_sums(parts, max_states)
    if counted is not None:
        sums, ways = counted
        share = float(ways[as_extreme(sums)].sum() / ways.sum())
        return PermutationTest(statistic, min(1.0, share), True, float(ways.sum()), None)
    rng = np.random.default_rng(seed)
    hits = done = 0
    while done < resamples:
        size = min(_DRAWN_AT_ONCE, resamples - done)
        drawn = np.sum([part.drawn(rng, size) for part in parts], axis=0)
        hits += int(as_extreme(drawn).sum())
        done += size
        if tick is not None:
            tick(done / resamples)
    return PermutationTest(
        statistic, (1 + hits) / (1 + resamples), False, float(resamples + 1), seed
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Scores of one stratum: how often each occurs, and how many each group has.

    Attributes
    ----------
    values, repeats
        Distinct scores and their subjects; shape (v,).
    sizes
        Subjects of each group; shape (k,).
    sums
        Sums of scores by group, as observed; shape (k,).
    covariance
        Of the sums over all ways to deal out the groups; shape (k, k).
    """

    values: FloatArray
    repeats: IntArray
    sizes: IntArray
    sums: FloatArray
    covariance: FloatArray

    @classmethod
    def of(cls, scores: FloatArray, codes: IntArray, n_groups: int) -> _Part:
        distinct, place = np.unique(np.round(scores * _STEPS).astype(np.int64), return_inverse=True)
        repeats = np.bincount(place, minlength=distinct.size)
        values = np.bincount(place, weights=scores, minlength=distinct.size) / np.maximum(
            repeats, 1
        )
        sizes = np.bincount(codes, minlength=n_groups)
        n = scores.size
        spread = float(scores @ scores) / (n - 1) if n > 1 else 0.0
        covariance = spread * (np.diag(sizes.astype(float)) - np.outer(sizes, sizes) / max(n, 1))
        sums = np.bincount(codes, weights=scores, minlength=n_groups).astype(np.float64)
        # the rarest last: the end of a count is decided by what is left
        order = np.argsort(-repeats, kind="stable")
        return cls(values[order], repeats[order], sizes.astype(np.int64), sums, covariance)

    def drawn(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Draw ways to deal out the groups, and give their sums; shape (size, k)."""
        k = self.sizes.size
        needed = np.tile(self.sizes, (size, 1))
        sums = np.zeros((size, k))
        for value, repeats in zip(self.values, self.repeats, strict=True):
            left = np.full(size, int(repeats))
            places = needed.sum(axis=1)
            for g in range(k - 1):
                got = rng.hypergeometric(needed[:, g], places - needed[:, g], left)
                places = places - needed[:, g]
                needed[:, g] -= got
                left = left - got
                sums[:, g] += got * value
            needed[:, k - 1] -= left
            sums[:, k - 1] += left * value
        return sums


def _all_sums(parts: Sequence[_Part], limit: int) -> tuple[FloatArray, FloatArray] | None:
    """Give every sum that a way to deal out the groups leads to, and in how many ways.

    ``None`` where more than ``limit`` sums would have to be held at once.
    """
    k = parts[0].sizes.size
    sums, ways = np.zeros((1, k)), np.ones(1)
    for part in parts:
        counts = np.zeros((sums.shape[0], k), dtype=np.int64)
        for value, repeats in zip(part.values, part.repeats, strict=True):
            shares = _compositions(int(repeats), k, limit)
            if shares is None or shares.shape[0] * sums.shape[0] > 20 * limit:
                return None
            by = np.array([_multinomial(row) for row in shares.tolist()])
            new_counts = (counts[:, None, :] + shares[None, :, :]).reshape(-1, k)
            new_sums = (sums[:, None, :] + value * shares[None, :, :]).reshape(-1, k)
            new_ways = (ways[:, None] * by[None, :]).reshape(-1)
            kept = np.all(new_counts <= part.sizes, axis=1)
            counts, sums, ways = _merged(new_counts[kept], new_sums[kept], new_ways[kept])
            if sums.shape[0] > limit:
                return None
    return sums, ways


def _merged(
    counts: IntArray, sums: FloatArray, ways: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Put states together that have the same counts and sums; one that stays apart does no harm."""
    rounded = np.round(sums * _STEPS).astype(np.int64)
    key = np.concatenate([counts[:, :-1], rounded[:, :-1]], axis=1)
    order = np.lexsort(key.T)
    ordered = key[order]
    new = np.ones(order.size, dtype=bool)
    new[1:] = np.any(np.diff(ordered, axis=0) != 0, axis=1)
    starts = np.flatnonzero(new)
    first = order[starts]
    return counts[first], sums[first], np.add.reduceat(ways[order], starts)


def _compositions(total: int, parts: int, limit: int) -> IntArray | None:
    """Give every way to split a number into ordered parts; shape (ways, parts)."""
    if math.comb(total + parts - 1, parts - 1) > limit:
        return None
    found = np.arange(total + 1)[:, None]
    for _ in range(parts - 2):
        left = total - found.sum(axis=1)
        rows = np.repeat(np.arange(found.shape[0]), left + 1)
        last = np.concatenate([np.arange(n + 1) for n in left.tolist()])
        found = np.column_stack([found[rows], last])
    if parts == 1:
        return np.array([[total]])
    return np.column_stack([found, total - found.sum(axis=1)]).astype(np.int64)


def _multinomial(counts: Sequence[int]) -> float:
    log = math.lgamma(sum(counts) + 1) - sum(math.lgamma(count + 1) for count in counts)
    return float(round(math.exp(log))) if log < 30 else math.exp(log)
