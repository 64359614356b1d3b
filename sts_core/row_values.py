"""What a column holds that is no variable: levels, numbers or dates, also in other tables."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import numpy as np

from sts_core.cohort import Cohort
from sts_core.derive import dates_of, numbers_of
from sts_core.filters import MAX_LEVELS, Shape
from sts_core.study.types import TableSource
from sts_core.values import dates, missing_codes, numbers, texts

_MAX_CODES = 12


@dataclass(frozen=True, slots=True)
class RowValues:
    """What a condition on a column of such a table can ask for.

    Attributes
    ----------
    shape
        Levels, numbers, dates, or only whether it is known.
    levels, counts
        Different values in order, and the patients in the file who have a row with each.
    low, high
        Smallest and largest number or date.
    step, decimals, unit
        Distance of numbers, and decimals to write them with; no unit is known.
    """

    shape: Shape
    levels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    low: float | dt.date | None = None
    high: float | dt.date | None = None
    step: float = 1.0
    decimals: int = 0
    unit: str | None = None


def row_values(cohort: Cohort, role: str, column: str) -> RowValues:
    """Say what a condition on a column of another table can ask for.

    Raises
    ------
    KeyError
        When there is no such table or column.
    """
    return cohort.kept(("row values", role, column), lambda: _found(cohort, role, column))


def _found(cohort: Cohort, role: str, column: str) -> RowValues:
    table = cohort.tables[role]
    source = cohort.study.data.tables.get(role, TableSource())
    format_ = source.columns.get(column)
    codes = missing_codes(source.missing_codes)
    cells = table.column(column)
    found = texts(cells, codes)
    different = dict.fromkeys(text for text in found.tolist() if text is not None)
    read = dates(cells, order=format_.date_order if format_ else None, codes=codes)
    days = read.values[~(read.missing | read.unreadable)]
    if len(days) and not read.unreadable.any():
        return RowValues(Shape.DATES, low=days.min().item(), high=days.max().item())
    amounts = numbers(cells, decimal=format_.decimal if format_ else ".", codes=codes)
    known = amounts.values[~(amounts.missing | amounts.unreadable)]
    known = known[np.isfinite(known)]
    if len(known) and not amounts.unreadable.any() and len(different) > _MAX_CODES:
        whole = bool((known == np.floor(known)).all())
        return RowValues(
            Shape.NUMBERS, low=float(known.min()), high=float(known.max()),
            step=1.0 if whole else 0.1, decimals=0 if whole else 1,
        )  # fmt: skip
    if not 1 <= len(different) <= MAX_LEVELS:
        return RowValues(Shape.KNOWN)
    pairs = {
        (who, text)
        for who, text in zip(table.subject.tolist(), found.tolist(), strict=True)
        if text is not None and who is not None
    }
    counts = Counter(text for _, text in pairs)
    levels = sorted(different, key=lambda text: (-counts[text], text))
    return RowValues(Shape.LEVELS, tuple(levels), tuple(counts[level] for level in levels))


def holds_dates(cohort: Cohort, column: str) -> bool:
    """Say whether a column of the patient table holds dates, and nothing else that is known."""
    read, amounts = dates_of(cohort, column), numbers_of(cohort, column)
    known = ~read.missing
    return bool(known.any() and not read.unreadable.any() and amounts.unreadable[known].all())
