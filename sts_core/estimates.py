"""Estimates that know their interval, their method, and why they are missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class NotEstimable(StrEnum):
    """Why there is no number. The text for each is in :mod:`sts_core.display`."""

    NO_SUBJECTS = "no_subjects"
    NO_EVENTS = "no_events"
    NO_CENSORING = "no_censoring"
    NOT_REACHED = "not_reached"
    BEYOND_FOLLOW_UP = "beyond_follow_up"
    LIMIT_NOT_REACHED = "limit_not_reached"
    ONE_GROUP = "one_group"
    TOO_FEW = "too_few"
    NO_VARIATION = "no_variation"
    NEVER_COMPARED = "never_compared"
    COLLINEAR = "collinear"
    SEPARATION = "separation"
    NOT_CONVERGED = "not_converged"
    ONE_KIND = "one_kind"
    EVENT_AT_ZERO = "event_at_zero"
    DELAYED_ENTRY = "delayed_entry"
    NOT_RECORDED = "not_recorded"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval, or the reason why there is none.

    Parameters
    ----------
    value, low, high
        Point and limits, in the unit that the holder states; ``None`` where not estimable.
    conf_level
        Coverage of the interval, in (0, 1).
    method
        How the interval was made ("log-log", "Clopper-Pearson", "Wald").
    reason
        Why ``value`` is ``None``.
    low_reason, high_reason
        Why a limit is ``None`` although there is a value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    conf_level: float = 0.95
    method: str = ""
    reason: NotEstimable | None = None
    low_reason: NotEstimable | None = None
    high_reason: NotEstimable | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and math.isnan(number):
                raise ValueError(f"{name} must be a number or None, but was NaN")
        if self.value is None and self.reason is None:
            raise ValueError("an estimate without a value needs a reason")

    @property
    def is_estimable(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def scaled(self, factor: float) -> Estimate:
        """Divide value and limits by ``factor``, for another unit of time."""

        def divided(number: float | None) -> float | None:
            return None if number is None else number / factor

        return Estimate(
            divided(self.value),
            divided(self.low),
            divided(self.high),
            self.conf_level,
            self.method,
            self.reason,
            self.low_reason,
            self.high_reason,
        )


def not_estimable(reason: NotEstimable, *, conf_level: float = 0.95, method: str = "") -> Estimate:
    """Give the empty estimate for a reason."""
    return Estimate(None, None, None, conf_level, method, reason)


def estimate_or_reason(
    value: float,
    low: float,
    high: float,
    *,
    conf_level: float,
    method: str,
    reason: NotEstimable,
    limit_reason: NotEstimable = NotEstimable.LIMIT_NOT_REACHED,
) -> Estimate:
    """Wrap numbers in which NaN means "none" as an :class:`Estimate`."""
    point = None if math.isnan(value) else float(value)
    lower = None if math.isnan(low) else float(low)
    upper = None if math.isnan(high) else float(high)
    return Estimate(
        point,
        lower,
        upper,
        conf_level,
        method,
        reason if point is None else None,
        limit_reason if lower is None else None,
        limit_reason if upper is None else None,
    )


@dataclass(frozen=True, slots=True)
class TestResult:
    """A test's statistic, degrees of freedom and two-sided P, or why there is none."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    name: str
    statistic: float | None = None
    df: int | None = None
    p_value: float | None = None
    reason: NotEstimable | None = None

    def __post_init__(self) -> None:
        for name in ("statistic", "p_value"):
            number = getattr(self, name)
            if number is not None and math.isnan(number):
                raise ValueError(f"{name} must be a number or None, but was NaN")
        if self.p_value is None and self.reason is None:
            raise ValueError("a test without a P value needs a reason")
