"""Harrell's concordance of a risk score with survival, by scikit-survival."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import NotEstimable
from sts_core.estimators.tied_times import align_ties, check_survival_data


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
    codes = np.zeros(aligned.size, dtype=np.int64)
    if strata is not None:
        codes = np.unique(np.asarray(strata)[known], return_inverse=True)[1].reshape(-1)

    # Imported here: it brings scikit-learn, which takes seconds to load.
    from sksurv.exceptions import NoComparablePairException
    from sksurv.metrics import concordance_index_censored

    concordant = discordant = tied = 0
    for code in np.unique(codes):
        inside = codes == code
        if not died[inside].any() or int(inside.sum()) < 2:
            continue
        try:
            # Without a comparable pair it may divide 0 by 0 instead of raising.
            with np.errstate(invalid="ignore"):
                _, more, less, same, _ = concordance_index_censored(
                    died[inside], aligned[inside], score[inside]
                )
        except NoComparablePairException:
            continue
        concordant += int(more)
        discordant += int(less)
        tied += int(same)
    pairs = concordant + discordant + tied
    if pairs == 0:
        return Concordance(np.nan, 0, 0, 0, NotEstimable.TOO_FEW)
    return Concordance((concordant + tied / 2) / pairs, concordant, discordant, tied)
