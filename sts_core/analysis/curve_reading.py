"""Where curves over time are read and drawn, what is read there, and when few are at risk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from sts_core.estimates import Estimate, NotEstimable, estimate_or_reason
from sts_core.study.types import TimeUnit

DEFAULT_LANDMARKS: Final[dict[TimeUnit, tuple[float, ...]]] = {
    TimeUnit.DAYS: (90, 180, 365),
    TimeUnit.WEEKS: (12, 24, 52),
    TimeUnit.MONTHS: (6, 12, 24),
    TimeUnit.YEARS: (1, 3, 5),
}
TICK_STEPS: Final[dict[TimeUnit, tuple[float, ...]]] = {
    TimeUnit.DAYS: (1, 5, 10, 30, 60, 90, 180, 365, 730, 1460, 2920),
    TimeUnit.WEEKS: (1, 2, 4, 8, 12, 26, 52, 104, 208, 416),
    TimeUnit.MONTHS: (0.5, 1, 2, 3, 6, 12, 24, 36, 48, 60, 120, 240),
    TimeUnit.YEARS: (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20),
}
MAX_TICKS: Final = 9
#: A stated distance is widened above this.
MOST_TICKS: Final = 100
UNRELIABLE_AT_RISK: Final = 5
UNRELIABLE_SHARE: Final = 0.10


def axis_ticks(
    horizon: float, unit: TimeUnit, step: float | None = None, *, cut: bool = False
) -> tuple[float, ...]:
    """Give ticks from 0 to the first one at or past the horizon.

    Parameters
    ----------
    horizon
        Last time to show, in ``unit``.
    unit
        Decides which steps are usual (3, 6 or 12 months).
    step
        Distance; the smallest usual one with at most nine ticks when ``None``. A distance that
        would give over a hundred ticks is taken a whole number of times.
    cut
        Whether the axis ends at the horizon itself, after the last tick before it.
    """
    if step is None:
        usual = TICK_STEPS[unit]
        step = next((s for s in usual if horizon / s <= MAX_TICKS - 1), None)
        step = step or usual[-1] * math.ceil(horizon / usual[-1] / (MAX_TICKS - 1))
    step *= max(1, math.ceil(horizon / step / MOST_TICKS))
    times = round(horizon / step, 9)
    count = max(1, math.ceil(times)) if not cut else math.floor(times)
    return tuple(round(i * step, 9) for i in range(count + 1))


def chosen_time(at: float) -> str:
    """Write a time that somebody chose with the decimals that it has: 6, 1.5."""
    return str(int(at)) if float(at).is_integer() else str(at)


@dataclass(frozen=True, slots=True)
class Rate:
    """Probability at a chosen time (display unit), and how many are still at risk there."""

    at: float
    estimate: Estimate
    n_risk: int


class _ReadAt(Protocol):
    """What was read from a curve at chosen times."""

    @property
    def estimate(self) -> np.ndarray: ...
    @property
    def conf_low(self) -> np.ndarray: ...
    @property
    def conf_high(self) -> np.ndarray: ...
    @property
    def n_risk(self) -> np.ndarray: ...
    @property
    def reason(self) -> tuple[NotEstimable | None, ...]: ...
    @property
    def limit_reason(self) -> tuple[NotEstimable | None, ...]: ...


def rates_at(
    marks: Sequence[float], found: _ReadAt, conf_level: float, method: str
) -> tuple[Rate, ...]:
    """Give what was read at the marks (display unit), each number with its reason to be missing."""
    return tuple(
        Rate(
            float(mark),
            estimate_or_reason(
                float(found.estimate[i]),
                float(found.conf_low[i]),
                float(found.conf_high[i]),
                conf_level=conf_level,
                method=method,
                reason=found.reason[i] or NotEstimable.BEYOND_FOLLOW_UP,
                limit_reason=found.limit_reason[i] or NotEstimable.NO_EVENTS,
            ),
            int(found.n_risk[i]),
        )
        for i, mark in enumerate(marks)
    )


def enough_at_risk(n_risk: np.ndarray, n: int) -> np.ndarray:
    """Say at which times max(5, 10 %) or more of ``n`` patients are at risk."""
    enough: np.ndarray = n_risk >= max(UNRELIABLE_AT_RISK, UNRELIABLE_SHARE * n)
    return enough


def few_at_risk_from(time: np.ndarray, n_risk: np.ndarray, n: int) -> float | None:
    """Give the time after which a curve rests on few patients until its end.

    Parameters
    ----------
    time, n_risk
        Distinct times of a curve, and how many have a time at or after each; shape (k,).
    n
        Patients of the group.

    Returns
    -------
    float or None
        Last time at which max(5, 10 %) or more are at risk: after it there are fewer. 0 where there
        never are so many, ``None`` where there are until the curve's last step.
    """
    enough = np.flatnonzero(enough_at_risk(n_risk, n))
    if not len(enough):
        return 0.0 if len(time) else None
    return float(time[enough[-1]]) if enough[-1] + 1 < len(time) else None
