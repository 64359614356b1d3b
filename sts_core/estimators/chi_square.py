"""Upper tail of the chi-square distribution, without the cost of importing scipy."""

from __future__ import annotations

import math


def chi_square_p(statistic: float, df: int) -> float:
    """Give the probability of a chi-square variable above ``statistic``.

    Parameters
    ----------
    statistic
        Value of the test statistic; NaN gives NaN, a value at or below 0 gives 1.
    df
        Whole degrees of freedom, at least 1.

    Returns
    -------
    float
        Upper tail probability, with a relative error below 1e-12 for df up to 1,000.

    Raises
    ------
    ValueError
        If ``df`` is below 1.

    Notes
    -----
    For whole degrees of freedom the tail is a finite sum (Abramowitz and Stegun, 26.4.4 and
    26.4.5). All its terms are positive, so that nothing cancels; each is computed on the log scale,
    so that nothing overflows.
    """
    if df < 1:
        raise ValueError(f"df must be at least 1, but was {df}")
    if math.isnan(statistic):
        return math.nan
    if statistic <= 0:
        return 1.0
    if math.isinf(statistic):
        return 0.0
    half = statistic / 2
    log_half = math.log(half)
    offset = 1.0 if df % 2 == 0 else 1.5
    start = 0.0 if df % 2 == 0 else math.erfc(math.sqrt(half))
    terms = (
        math.exp((offset - 1 + j) * log_half - half - math.lgamma(offset + j))
        for j in range((df - df % 2) // 2)
    )
    return min(1.0, math.fsum([start, *terms]))
