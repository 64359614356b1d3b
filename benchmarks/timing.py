"""Repetitions in turns, medians, and the rows of the table."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """What a number should keep to, and whether it does."""

    text: str
    met: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One task, timed here and beside something else in the same run.

    Attributes
    ----------
    part
        Letter of the part.
    ours, other
        Seconds, one a repetition.
    other_name
        What it is compared with.
    goals
        None when the row only explains another one.
    """

    part: str
    task: str
    ours: tuple[float, ...]
    other: tuple[float, ...]
    other_name: str
    goals: tuple[Goal, ...] = ()

    @property
    def ratio(self) -> float:
        """Median of ours over median of the other."""
        return statistics.median(self.ours) / statistics.median(self.other)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one part, and what they mean."""

    rows: tuple[Row, ...]
    text: tuple[str, ...]


def at_most_ratio(ours: Sequence[float], other: Sequence[float], limit: float) -> Goal:
    """Ask for at most ``limit`` times the other's median."""
    ratio = statistics.median(ours) / statistics.median(other)
    return Goal(f"at most {limit:g} times", ratio <= limit)


def at_most_seconds(ours: Sequence[float], limit: float) -> Goal:
    """Ask for a median of at most ``limit`` seconds."""
    return Goal(f"at most {seconds_text(limit)}", statistics.median(ours) <= limit)


def at_most_more(ours: Sequence[float], other: Sequence[float], limit: float) -> Goal:
    """Ask for a median of at most ``limit`` seconds above the other's."""
    more = statistics.median(ours) - statistics.median(other)
    return Goal(f"at most {seconds_text(limit)} more", more <= limit)


def seconds_text(seconds: float) -> str:
    """Write seconds with three significant digits, below a second as milliseconds."""
    value, unit = (1000 * seconds, "ms") if abs(seconds) < 1 else (seconds, "s")
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def in_turns(
    tasks: Mapping[str, Callable[[], float]], repeats: int, *, warm_up: int = 1
) -> dict[str, tuple[float, ...]]:
    """Run tasks A B A B ..., so that a change of the machine's load meets all of them.

    Parameters
    ----------
    tasks
        Each gives the seconds that it took.
    repeats, warm_up
        Rounds that count, and rounds before them that don't.
    """
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for round_number in range(warm_up + repeats):
        for name, task in tasks.items():
            seconds = task()
            if round_number >= warm_up:
                taken[name].append(seconds)
    return {name: tuple(values) for name, values in taken.items()}


def clocked(work: Callable[[], object]) -> Callable[[], float]:
    """Give a task that runs ``work`` and returns its seconds."""

    def task() -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    return task


def differences(
    ours: Mapping[str, float], theirs: Mapping[str, float], tolerance: float
) -> Iterable[str]:
    """Name the numbers in which two programs differ, or that only one of them has."""
    for name in sorted({*ours, *theirs}):
        a, b = ours.get(name), theirs.get(name)
        if a is None or b is None:
            yield f"{name}: {'only in R' if a is None else 'not in R'}"
        elif (a == a) != (b == b) or abs(a - b) > tolerance * max(1.0, abs(b)):
            yield f"{name}: {a!r} here, {b!r} in R"


def load_text() -> str:
    """Say how busy the machine is."""
    return f"load average {os.getloadavg()[0]:.1f}"
