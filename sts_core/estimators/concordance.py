"""Harrell's concordance of a risk score with survival: of few by scikit-survival, else O(n log n).

Both count the same pairs. scikit-survival's count takes the square of n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sts_core.estimates import NotEstimable
from sts_core.estimators.tied_times import (
    BoolArray,
    FloatArray,
    IntArray,
    align_ties,
    check_survival_data,
)

#: Scores that differ by no more are tied, as in scikit-survival.
TIED_SCORE: Final = 1e-8
#: Up to so many subjects scikit-survival counts, in some milliseconds.
FEW_SUBJECTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Concordance:
    """Share of comparable pairs in which the higher risk has the earlier event.

    Parameters
    ----------
    estimate : float
        (concordant + tied_risk / 2) / all comparable pairs; NaN where there is none.
    concordant, discordant, tied_risk : int
        Comparable pairs. A pair is comparable when the earlier time is an event, or when at the
        same time one has the event and the other is censored.
    reason : NotEstimable or None
        Why there is no estimate.
    """

    estimate: float
    concordant: int
    discordant: int
    tied_risk: int
    reason: NotEstimable | None = None

    @property
    def n_pairs(self) -> int:
        """Number of comparable pairs."""
        return self.concordant + self.discordant + self.tied_risk


def concordance(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, *, strata: ArrayLike | None = None
) -> Concordance:
    """Compute Harrell's concordance index (Harrell 1982, JAMA 247:2543).

    Parameters
    ----------
    time, event
        Follow-up times and whether they ended in an event, shape (n,).
    risk
        Risk score, for example a linear predictor: higher means earlier events. Rows where it is
        missing are left out. Shape (n,).
    strata
        Only pairs of the same stratum are compared, shape (n,).

    Returns
    -------
    Concordance

    Raises
    ------
    ValueError
        On missing or negative times and on shapes that do not fit.

    Notes
    -----
    Scores that differ by no more than ``TIED_SCORE`` are tied. Counts are exact.
    """
    times, events, _ = check_survival_data(time, event)
    score = np.asarray(risk, dtype=np.float64)
    if score.shape != times.shape:
        raise ValueError(f"risk must have shape {times.shape}, but has {score.shape}")
    known = np.isfinite(score)
    if not known.any():
        return Concordance(np.nan, 0, 0, 0, NotEstimable.NO_SUBJECTS)
    if not events[known].any():
        return Concordance(np.nan, 0, 0, 0, NotEstimable.NO_EVENTS)
    (aligned,) = align_ties(times[known])
    died, score = events[known], score[known]
    if strata is None and aligned.size <= FEW_SUBJECTS:
        concordant, discordant, tied = _pairs_of_few(aligned, died, score)
    else:
        codes = np.zeros(aligned.size, dtype=np.int64)
        if strata is not None:
            codes = np.unique(np.asarray(strata)[known], return_inverse=True)[1].reshape(-1)
        concordant, discordant, tied = _pairs(aligned, died, score, codes)
    pairs = concordant + discordant + tied
    if pairs == 0:
        return Concordance(np.nan, 0, 0, 0, NotEstimable.TOO_FEW)
    return Concordance((concordant + tied / 2) / pairs, concordant, discordant, tied)


def _pairs_of_few(time: FloatArray, event: BoolArray, score: FloatArray) -> tuple[int, int, int]:
    """Count concordant, discordant and tied pairs of a single stratum by scikit-survival."""
    if time.size < 2:
        return 0, 0, 0
    # imported here: it brings scikit-learn, which takes more than a second
    from sksurv.exceptions import NoComparablePairException
    from sksurv.metrics import concordance_index_censored

    try:
        # without a comparable pair it may divide 0 by 0 instead of raising
        with np.errstate(invalid="ignore"):
            _, more, less, same, _ = concordance_index_censored(
                event, time, score, tied_tol=TIED_SCORE
            )
    except NoComparablePairException:
        return 0, 0, 0
    return int(more), int(less), int(same)


def _pairs(
    time: FloatArray, event: BoolArray, score: FloatArray, stratum: IntArray
) -> tuple[int, int, int]:
    """Count concordant, discordant and tied pairs.

    With the events first at a tied time, whoever can be compared with an event stands behind all
    events of its time: an unbroken run up to the end of the stratum.
    """
    order = np.lexsort((~event, time, stratum))
    time, event, score, stratum = time[order], event[order], score[order], stratum[order]
    new_stratum = np.diff(stratum, prepend=-1) != 0
    new_time = new_stratum | (np.diff(time, prepend=-1.0) != 0)
    which_time = np.cumsum(new_time) - 1
    behind = np.flatnonzero(new_time) + np.bincount(which_time, weights=event).astype(np.int64)
    ends = np.append(np.flatnonzero(new_stratum)[1:], time.size)
    begin = behind[which_time[event]]
    end = ends[(np.cumsum(new_stratum) - 1)[event]]

    distinct, rank = np.unique(score, return_inverse=True)
    lower, not_higher = (edge[rank[event]] for edge in _tied_ranks(distinct))
    below = int(_count_below(rank, begin, end, lower).sum())
    up_to = int(_count_below(rank, begin, end, not_higher).sum())
    return below, int((end - begin).sum()) - up_to, up_to - below


def _tied_ranks(distinct: FloatArray) -> tuple[IntArray, IntArray]:
    """Give, for each distinct score, the rank of the first tied with it, and of the first above.

    A search for score -/+ tolerance rounds otherwise than the difference does, which decides.
    """
    n = distinct.size
    first = np.searchsorted(distinct, distinct - TIED_SCORE)
    above = np.searchsorted(distinct, distinct + TIED_SCORE, side="right")
    while True:
        down = (first > 0) & (distinct - distinct[first - 1] <= TIED_SCORE)
        up = distinct - distinct[first] > TIED_SCORE
        if not (down | up).any():
            break
        first = first - down + up
    while True:
        up = (above < n) & (distinct[np.minimum(above, n - 1)] - distinct <= TIED_SCORE)
        down = distinct[above - 1] - distinct > TIED_SCORE
        if not (down | up).any():
            break
        above = above - down + up
    return first, above


def _count_below(values: IntArray, begin: IntArray, end: IntArray, limit: IntArray) -> IntArray:
    """Count, for each query, the entries of ``values[begin:end]`` that are below ``limit``.

    Values and limits lie in 0 ... n. A wavelet matrix (Claude and Navarro 2012, SPIRE:167-179):
    bit by bit from the highest, entries with a 0 move in front of those with a 1, and each query
    follows its run; where the limit has a 1, the entries with a 0 are below it.
    """
    # half the width: the time goes into fetching from memory
    small: type[np.signedinteger] = np.int32 if values.size < np.iinfo(np.int32).max else np.int64
    value: NDArray[np.signedinteger] = values.astype(small)
    bound: NDArray[np.signedinteger] = limit.astype(small)
    first, last = begin.astype(small), end.astype(small)
    found = np.zeros(begin.size, dtype=np.int64)
    for bit in reversed(range(values.size.bit_length())):
        is_one = (value >> bit) & 1 == 1
        zeros_before = np.zeros(values.size + 1, dtype=small)
        np.cumsum(~is_one, out=zeros_before[1:])
        zero_first, zero_last = zeros_before[first], zeros_before[last]
        bound_is_one = (bound >> bit) & 1 == 1
        found += np.where(bound_is_one, zero_last - zero_first, 0)
        n_zeros = zeros_before[-1]
        first = np.where(bound_is_one, n_zeros + first - zero_first, zero_first)
        last = np.where(bound_is_one, n_zeros + last - zero_last, zero_last)
        value = np.concatenate((value[~is_one], value[is_one]))
    return found
