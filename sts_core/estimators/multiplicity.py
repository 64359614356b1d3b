"""P values adjusted for the number of comparisons."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjust P values by Holm's step-down rule.

    Parameters
    ----------
    p_values
        In any order, each in [0, 1]; ``None`` where a comparison gave none. Those don't count
        among the comparisons.

    Returns
    -------
    tuple
        Adjusted P values in the same order, at most 1; ``None`` stays ``None``. Each can be held
        against the level wanted for the whole family: the probability of any wrong rejection is
        then at most that level, however the comparisons depend on each other.

    Raises
    ------
    ValueError
        When a number lies outside [0, 1].

    References
    ----------
    .. [1] Holm, Scandinavian Journal of Statistics 6 (1979) 65-70. The same as R's
       ``p.adjust(p, "holm")``, which also leaves missing values out of the count.
    """
    known = []
    for place, p_value in enumerate(p_values):
        if p_value is None:
            continue
        if not 0 <= p_value <= 1:
            raise ValueError(f"a P value must lie in [0, 1], but was {p_value}")
        known.append((float(p_value), place))
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p_value, place) in enumerate(sorted(known)):
        largest = max(largest, min(1.0, (len(known) - rank) * p_value))
        adjusted[place] = largest
    return tuple(adjusted)
