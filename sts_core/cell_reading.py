"""What other missing codes, number marks or date orders would change, before they are chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort, Table
from sts_core.study.types import ColumnFormat, TableSource
from sts_core.values import (
    DateOrder,
    date_orders,
    dates,
    distinct_cells,
    missing_codes,
    numbers,
    texts,
)

_NUMBER_WITH_MARK = re.compile(r"^\s*[+-]?\d[\d.,\s'’]*[.,'’\s]\d+\s*$")
#: Rows of a column that are looked at.
_MOST = 5_000
_FIRST = 50


@dataclass(frozen=True, slots=True)
class CodeEffect:
    """What other missing codes make of a column.

    Attributes
    ----------
    column
        Its name.
    n_rows
        Rows of the table.
    n_known, n_known_then
        Rows in which it is known now, and under the other codes.
    """

    column: str
    n_rows: int
    n_known: int
    n_known_then: int


@dataclass(frozen=True, slots=True)
class MarkEffect:
    """What a way of writing numbers makes of a column.

    Attributes
    ----------
    decimal, thousands
        The marks.
    n_numbers, n_unreadable
        Rows that are numbers, and known rows that are none.
    low, median, high
        Of the numbers; ``None`` where there is none.
    """

    decimal: Literal[".", ","]
    thousands: Literal["."] | None
    n_numbers: int
    n_unreadable: int
    low: float | None
    median: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """What an order of day and month makes of a column of dates.

    Attributes
    ----------
    order
        The order.
    first, last
        Earliest and latest date under it.
    """

    order: DateOrder
    first: np.datetime64
    last: np.datetime64


def _source(cohort: Cohort, role: str) -> TableSource:
    return cohort.study.data.tables.get(role, TableSource())


def code_effects(cohort: Cohort, role: str, codes: Sequence[str]) -> tuple[CodeEffect, ...]:
    """Say in which columns other missing codes change what is known, most cells first.

    Parameters
    ----------
    cohort
        Columns that the privacy gate left out are not among its tables.
    role
        Role of the table.
    codes
        Texts that would mean "not known", besides the usual ones; case makes no difference.
    """
    table = cohort.tables[role]
    former = _source(cohort, role).missing_codes
    of_variable = {
        variable.column or key: variable.missing_codes
        for key, variable in cohort.study.definitions.variables.items()
        if variable.table == role and variable.derived is None
    }
    found = []
    for name in map(str, table.frame.columns):
        own = of_variable.get(name, ())
        known, known_then = (
            sum(text is not None for text in texts(table.column(name), missing_codes(chosen, own)))
            for chosen in (former, codes)
        )
        if known != known_then:
            found.append(CodeEffect(name, len(table.frame), known, known_then))
    return tuple(sorted(found, key=lambda item: item.n_known_then - item.n_known))


def columns_with_marks(cohort: Cohort, role: str) -> tuple[str, ...]:
    """Give the columns in which a number is written as text with a point, comma or blank in it."""
    source = _source(cohort, role)
    codes = missing_codes(source.missing_codes)
    return _kept(
        cohort.tables[role], ("numbers with marks", source.subject_id, codes),
        lambda table: tuple(
            name
            for name in map(str, table.frame.columns)
            if name != source.subject_id and _has_marks(table.column(name), codes)
        ),
    )  # fmt: skip


def _has_marks(cells: pd.Series, codes: frozenset[str]) -> bool:
    first, _ = distinct_cells(cells.head(_MOST))
    marked = any(isinstance(cell, str) and _NUMBER_WITH_MARK.match(cell) for cell in first)
    return marked and not date_orders(cells.head(_MOST), codes)


def _kept(
    table: Table, what: Hashable, make: Callable[[Table], tuple[str, ...]]
) -> tuple[str, ...]:
    """Give what was found in a table before: its cells never change."""
    found: tuple[str, ...] | None = table.read.get(what)
    if found is None:
        found = table.read[what] = make(table)
    return found


def mark_effects(cohort: Cohort, role: str, column: str) -> tuple[MarkEffect, ...]:
    """Read a column under each way of writing numbers."""
    table, source = cohort.tables[role], _source(cohort, role)
    codes = missing_codes(source.missing_codes)
    ways: tuple[tuple[Literal[".", ","], Literal["."] | None], ...] = (
        (".", None), (",", None), (",", "."),
    )  # fmt: skip
    found = []
    for decimal, thousands in ways:
        marks = ColumnFormat(decimal=decimal, thousands=thousands).marks
        read = numbers(table.column(column), decimal=marks, codes=codes)
        known = read.values[np.isfinite(read.values)]
        low, median, high = (
            (float(known.min()), float(np.median(known)), float(known.max()))
            if len(known)
            else (None, None, None)
        )
        found.append(
            MarkEffect(
                decimal, thousands, len(known), int(read.unreadable.sum()), low, median, high
            )
        )
    return tuple(found)


def columns_of_two_orders(cohort: Cohort, role: str) -> tuple[str, ...]:
    """Give the columns of dates that can be read as day/month and as month/day."""
    codes = missing_codes(_source(cohort, role).missing_codes)
    return _kept(
        cohort.tables[role], ("two orders", codes),
        lambda table: tuple(
            name
            for name in map(str, table.frame.columns)
            if _two_orders(table.column(name), codes)
        ),
    )  # fmt: skip


def _two_orders(cells: pd.Series, codes: frozenset[str]) -> bool:
    # most columns are no dates, which the first few cells tell
    first = cells[cells.notna()].head(_FIRST)
    return len(date_orders(first, codes)) > 1 and len(date_orders(cells, codes)) > 1


def order_effects(cohort: Cohort, role: str, column: str) -> tuple[OrderEffect, ...]:
    """Read a column of dates in each order in which it can be read."""
    table = cohort.tables[role]
    codes = missing_codes(_source(cohort, role).missing_codes)
    found = []
    for order in date_orders(table.column(column), codes):
        read = dates(table.column(column), order=order, codes=codes).values
        known = read[~np.isnat(read)]
        found.append(OrderEffect(order, known.min(), known.max()))
    return tuple(found)
