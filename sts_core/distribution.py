"""How patients are spread over what a criterion asks for, and which part of them it keeps."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from sts_core.cohort import Cohort
from sts_core.criteria import days_between, evaluate, row_counts
from sts_core.derive import (
    OLDEST_SHOWN,
    dates_of,
    is_age,
    levels_of,
    numbers_of,
    shown_ages,
    variable_of,
)
from sts_core.display import format_number
from sts_core.study.types import (
    AllOf,
    AnyOf,
    Between,
    Criterion,
    DaysBetween,
    HasRow,
    VariableKind,
)

N_BINS = 20
#: Above so many levels the rare ones stand together.
MAX_LEVELS = 16
_MOST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """Patients with one value, or in one range of values, and how many of them stay."""

    label: str
    n: int
    n_kept: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """Patients by what a criterion asks for.

    Attributes
    ----------
    bars
        In the order of levels or of numbers.
    is_range
        Whether the bars stand along an axis of numbers or days.
    low, high
        Ends of that axis, in words.
    n_unknown, n_unknown_kept
        Patients whose value is not known, and how many of them stay.
    """

    bars: tuple[Bar, ...]
    is_range: bool
    low: str = ""
    high: str = ""
    n_unknown: int = 0
    n_unknown_kept: int = 0


def distribution(cohort: Cohort, criterion: Criterion, left: np.ndarray) -> Distribution:
    """Spread the patients who reach a criterion over what it asks for.

    Parameters
    ----------
    cohort
        Everybody in the file.
    criterion
        Taken as switched on. A compound has three bars: met, not met, can't be decided.
    left
        Who is there before it, boolean array (n,).

    Raises
    ------
    StudyError
        When a column or table of it isn't there.
    """
    outcome = evaluate(cohort, criterion)
    kept = left & ~outcome.leaves
    match criterion:
        case AllOf() | AnyOf():
            known = left & ~outcome.unknown
            return Distribution(
                (
                    _bar("Meets it", known & outcome.met, kept),
                    _bar("Does not", known & ~outcome.met, kept),
                ),
                False,
                n_unknown=int((left & outcome.unknown).sum()),
                n_unknown_kept=int((kept & outcome.unknown).sum()),
            )
        case HasRow():
            return _of_rows(cohort, criterion, left, kept)
        case DaysBetween():
            return _of_numbers(days_between(cohort, criterion), left, kept, " days")
        case _:
            pass
    kind = _kind(cohort, criterion.column)
    if kind is VariableKind.DATE or (
        isinstance(criterion, Between)
        and (isinstance(criterion.low, str) or isinstance(criterion.high, str))
    ):
        read = dates_of(cohort, criterion.column)
        days = read.values.astype("datetime64[D]").astype(float)
        return _of_numbers(
            np.where(read.missing | read.unreadable, np.nan, days), left, kept, is_date=True
        )
    if isinstance(criterion, Between) or kind is VariableKind.NUMERIC:
        numbers = numbers_of(cohort, criterion.column).values
        defined = variable_of(cohort, criterion.column)
        aged = is_age(criterion.column, defined)
        return _of_numbers(shown_ages(numbers) if aged else numbers, left, kept, is_age=aged)
    return _of_levels(cohort, criterion.column, left, kept)


def _kind(cohort: Cohort, key: str) -> VariableKind | None:
    """Give the kind of a variable without cut points; ``None`` for a grouping and for levels."""
    if key in cohort.study.definitions.groupings:
        return None
    variable = variable_of(cohort, key)
    return None if variable.cuts else variable.kind


def _bar(label: str, mask: np.ndarray, kept: np.ndarray) -> Bar:
    return Bar(label, int(mask.sum()), int((mask & kept).sum()))


def _of_levels(cohort: Cohort, key: str, left: np.ndarray, kept: np.ndarray) -> Distribution:
    found = levels_of(cohort, key)
    place = {level: min(i, MAX_LEVELS) for i, level in enumerate(found.levels)}
    n_bars = min(len(found.levels), MAX_LEVELS + 1)
    codes = np.array([place.get(value, n_bars) for value in found.values], dtype=np.int64)
    there = np.bincount(codes[left], minlength=n_bars + 1).tolist()
    staying = np.bincount(codes[kept], minlength=n_bars + 1).tolist()
    labels = list(found.levels[:MAX_LEVELS])
    if n_bars > MAX_LEVELS:
        labels.append(f"{len(found.levels) - MAX_LEVELS} others")
    bars = tuple(Bar(*each) for each in zip(labels, there[:n_bars], staying[:n_bars], strict=True))
    return Distribution(bars, False, n_unknown=there[n_bars], n_unknown_kept=staying[n_bars])


def _of_numbers(
    numbers: np.ndarray,
    left: np.ndarray,
    kept: np.ndarray,
    unit: str = "",
    *,
    is_date: bool = False,
    is_age: bool = False,
) -> Distribution:
    known = left & np.isfinite(numbers)
    unknown = left & ~known
    n_unknown, n_unknown_kept = int(unknown.sum()), int((unknown & kept).sum())
    if not known.any():
        return Distribution((), True, n_unknown=n_unknown, n_unknown_kept=n_unknown_kept)
    low, high = float(numbers[known].min()), float(numbers[known].max())
    n_bins = min(N_BINS, max(1, len(np.unique(numbers[known]))))
    edges = np.linspace(low, high, n_bins + 1) if high > low else np.array([low, low + 1.0])
    counts, _ = np.histogram(numbers[known], edges)
    counts_kept, _ = np.histogram(numbers[known & kept], edges)

    def named(number: float) -> str:
        if is_date:
            return str(np.datetime64(round(number), "D").astype(dt.date))
        if is_age and number >= OLDEST_SHOWN:
            return f"≥{OLDEST_SHOWN:.0f}"
        return f"{format_number(number, 0 if number == round(number) else 1)}{unit}"

    bars = tuple(
        Bar(f"{named(edges[i])} to {named(edges[i + 1])}", int(n), int(stay))
        for i, (n, stay) in enumerate(zip(counts, counts_kept, strict=True))
    )
    return Distribution(
        bars, True, named(low), named(high), n_unknown=n_unknown, n_unknown_kept=n_unknown_kept
    )


def _of_rows(cohort: Cohort, criterion: HasRow, left: np.ndarray, kept: np.ndarray) -> Distribution:
    counts = row_counts(cohort, criterion)
    open_ = (counts.sure < criterion.at_least) & (counts.possible >= criterion.at_least)
    most = int(min(_MOST_ROWS, max(criterion.at_least, counts.sure[left].max(initial=0))))
    known = left & ~open_
    bars = [
        _bar(
            "1 row" if n == 1 else f"{n} rows",
            known & ((counts.sure >= n) if n == most else (counts.sure == n)),
            kept,
        )
        for n in range(most + 1)
    ]
    high = f"{most} rows" if most < _MOST_ROWS else f"{most} or more rows"
    return Distribution(
        tuple(bars), True, "0 rows", high,
        n_unknown=int((left & open_).sum()), n_unknown_kept=int((kept & open_).sum()),
    )  # fmt: skip
