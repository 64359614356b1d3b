"""Intervals of a proportion."""

from __future__ import annotations

import math
from enum import StrEnum

from sts_core.estimates import Estimate, NotEstimable, not_estimable


class ProportionInterval(StrEnum):
    """How the interval of a proportion is made."""

    CLOPPER_PEARSON = "clopper-pearson"
    """Exact: inverts the binomial test with equal tails; never covers less than it says."""
    WILSON = "wilson"
    """Inverts the score test, without continuity correction."""


_NAMES = {
    ProportionInterval.CLOPPER_PEARSON: "Clopper-Pearson",
    ProportionInterval.WILSON: "Wilson",
}


def proportion(
    count: int,
    total: int,
    *,
    conf_level: float = 0.95,
    interval: ProportionInterval | str = ProportionInterval.CLOPPER_PEARSON,
) -> Estimate:
    """Estimate a proportion with its two-sided interval.

    Parameters
    ----------
    count
        Subjects that have the property, in [0, total].
    total
        Subjects that could have it; the denominator.
    conf_level
        Coverage, in (0, 1).
    interval
        How the interval is made.

    Returns
    -------
    Estimate
        Value and limits as shares in [0, 1]; reason ``NO_SUBJECTS`` when ``total`` is 0.

    Raises
    ------
    ValueError
        On counts that cannot be, or a level outside (0, 1).

    References
    ----------
    .. [1] Clopper and Pearson, Biometrika 26 (1934) 404-413.
    .. [2] Wilson, J Am Stat Assoc 22 (1927) 209-212.
    """
    kind = ProportionInterval(interval)
    if not 0 < conf_level < 1:
        raise ValueError(f"conf_level must lie in (0, 1), but was {conf_level}")
    if not 0 <= count <= total:
        raise ValueError(f"count must lie in [0, {total}], but was {count}")
    if total == 0:
        return not_estimable(NotEstimable.NO_SUBJECTS, conf_level=conf_level, method=_NAMES[kind])
    limits = _clopper_pearson if kind is ProportionInterval.CLOPPER_PEARSON else _wilson
    low, high = limits(count, total, conf_level)
    return Estimate(count / total, low, high, conf_level, _NAMES[kind])


def _clopper_pearson(count: int, total: int, conf_level: float) -> tuple[float, float]:
    from scipy.special import betainccinv, betaincinv

    tail = (1 - conf_level) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, total - count + 1, tail))
    # the complementary inverse keeps the digits of a small tail
    high = 1.0 if count == total else float(betainccinv(count + 1, total - count, tail))
    return low, high


def _wilson(count: int, total: int, conf_level: float) -> tuple[float, float]:
    from statistics import NormalDist

    z2 = NormalDist().inv_cdf((1 - conf_level) / 2) ** 2
    share = count / total
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = math.sqrt(z2 * (share * (1 - share) + z2 / (4 * total)) / total) / (1 + z2 / total)
    # at 0 and at 1 the limit is the boundary itself, which rounding would miss
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == total else min(1.0, centre + half)
    return low, high
