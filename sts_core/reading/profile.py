"""What a column holds, told from its distinct values."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sts_core.reading.workbook import RawTable
from sts_core.values import (
    MISSING_CODES,
    Cells,
    DateOrder,
    date_in_both_orders,
    date_of,
    distinct_cells,
    is_missing,
    number_of,
    says_no_date,
    text_of,
)

# Up to here every distinct value is looked at one by one.
MANY = 5_000
SAMPLE = 400
# A column is of a kind when so many of its known cells read as that kind; the rest is reported.
MOST = 0.9
_SAMPLES = 5
_FREQUENT = 30


@dataclass(frozen=True, slots=True)
class Profile:
    """Facts about the cells of one column.

    Attributes
    ----------
    name
        Its header.
    n, n_missing, n_distinct
        Rows, rows that mean "not known", different known texts (at least, for very many).
    counts
        Known texts with their number of rows, most frequent first; all of them up to
        ``MANY`` different ones, else the most frequent.
    complete
        Whether ``counts`` holds every text.
    numeric_share
        Share of the known rows that read as a number, with ``decimal`` as the mark.
    decimal
        Decimal mark.
    is_whole
        Whether all numbers are whole.
    low, high
        Range of the numbers.
    date_share
        Share of the known rows that read as a date (other than a plain number) in the best order.
    serial_share
        Share of the known rows that could be a date as a spreadsheet's day number.
    orders
        Orders of day, month and year that read most known rows; two when it must be asked.
    first_date, last_date
        Range of the dates, in the first of ``orders``.
    mean_length
        Mean number of characters of a known text.
    """

    name: str
    n: int
    n_missing: int
    n_distinct: int
    counts: dict[str, int] = field(repr=False)
    complete: bool
    numeric_share: float
    decimal: str
    is_whole: bool
    low: float | None
    high: float | None
    date_share: float
    serial_share: float
    orders: tuple[DateOrder, ...]
    first_date: dt.date | None
    last_date: dt.date | None
    mean_length: float

    @property
    def n_known(self) -> int:
        """Rows with a value."""
        return self.n - self.n_missing

    @property
    def is_numeric(self) -> bool:
        """Whether nearly every known cell is a number."""
        return self.n_known > 0 and self.numeric_share >= MOST

    @property
    def is_date(self) -> bool:
        """Whether nearly every known cell is a date that is not a plain number."""
        return self.n_known > 0 and self.date_share >= MOST

    @property
    def is_serial(self) -> bool:
        """Whether nearly every known cell could be a day number; only a header can say so."""
        return self.n_known > 0 and self.serial_share >= MOST

    @property
    def is_ambiguous(self) -> bool:
        """Whether its dates can be read in two ways that differ."""
        return len(self.orders) > 1

    @property
    def is_unique(self) -> bool:
        """Whether no known value stands twice."""
        return self.n_known > 0 and self.n_distinct == self.n_known

    @property
    def frequent(self) -> tuple[tuple[str, int], ...]:
        """Give the most frequent texts with their counts."""
        return tuple(list(self.counts.items())[:_FREQUENT])

    @property
    def samples(self) -> tuple[str, ...]:
        """Give a few different texts."""
        return tuple(list(self.counts)[:_SAMPLES])


def profile_column(
    name: str,
    cells: Cells,
    *,
    codes: frozenset[str] = MISSING_CODES,
    decimal_comma: bool = False,
) -> Profile:
    """Describe one column.

    Parameters
    ----------
    name
        Its header.
    cells
        Its cells as read.
    codes
        Texts that mean "not known".
    decimal_comma
        Whether the table writes numbers with a comma.
    """
    cells = distinct_cells(cells)
    n = len(cells.place)
    known = _known(cells, codes)
    n_known = sum(count for _, count in known)
    many = len(known) > MANY
    read = _read_numbers(known, many, decimal_comma)
    dates = _read_dates(known, many, n_known)
    counts, n_distinct = _count_texts(known, many)
    sampled = known[:: max(1, len(known) // SAMPLE)]
    length = sum(len(str(cell)) * count for cell, count in sampled)
    return Profile(
        name=name,
        n=n,
        n_missing=n - n_known,
        n_distinct=n_distinct,
        counts=counts,
        complete=not many,
        numeric_share=read.share(n_known),
        decimal=read.decimal,
        is_whole=read.is_whole,
        low=read.low,
        high=read.high,
        date_share=dates.share,
        serial_share=dates.serial_share,
        orders=dates.orders,
        first_date=dates.first,
        last_date=dates.last,
        mean_length=length / max(1, sum(count for _, count in sampled)),
    )


def profile_table(
    raw: RawTable, look: Callable[[int], None] = lambda n_columns: None
) -> dict[str, Profile]:
    """Describe every column of a table; each is looked at once.

    Parameters
    ----------
    raw
        The table; it keeps what was told.
    look
        Told the number of columns so far; what it raises ends the work.
    """
    for n_columns, name in enumerate(map(str, raw.frame.columns)):
        look(n_columns)
        if name not in raw.profiled:
            raw.profiled[name] = profile_column(
                name, raw.cells(name), decimal_comma=raw.decimal_comma
            )
    return dict(raw.profiled)


def dates_are_ambiguous(cells: Cells, codes: frozenset[str] = MISSING_CODES) -> bool:
    """Whether the dates of a column can be read in two ways that differ.

    Parameters
    ----------
    cells
        Its cells as read.
    codes
        Texts that mean "not known".
    """
    known = _known(cells, codes)
    return len(_read_dates(known, len(known) > MANY, sum(n for _, n in known)).orders) > 1


def _known(cells: Cells, codes: frozenset[str]) -> list[tuple[Any, int]]:
    """Give different cells that are known, each with its number of rows."""
    distinct, place = distinct_cells(cells)
    counts = np.bincount(place, minlength=len(distinct)).tolist()
    no_digit = not any(code[:1].isdigit() for code in codes)
    return [
        (cell, count)
        for cell, count in zip(distinct, counts, strict=True)
        # most cells of a long column are numbers or dates; no code begins with a digit
        if (no_digit and type(cell) is str and "0" <= cell[:1] <= "9")
        or not is_missing(text_of(cell), codes)
    ]


def _count_texts(known: list[tuple[Any, int]], many: bool) -> tuple[dict[str, int], int]:
    if many:
        top = sorted(known, key=lambda pair: -pair[1])[:_FREQUENT]
        counts: dict[str, int] = {}
        for cell, count in top:
            text = str(text_of(cell))
            counts[text] = counts.get(text, 0) + count
        return counts, len(known)
    counts = {}
    for cell, count in known:
        text = str(text_of(cell))
        counts[text] = counts.get(text, 0) + count
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    return dict(ordered), len(ordered)


@dataclass(frozen=True, slots=True)
class _Numbers:
    n: int
    decimal: str
    is_whole: bool
    low: float | None
    high: float | None

    def share(self, n_known: int) -> float:
        return self.n / n_known if n_known else 0.0


def _read_numbers(known: list[tuple[Any, int]], many: bool, decimal_comma: bool) -> _Numbers:
    marks = (",", ".") if decimal_comma else (".", ",")
    own = _numbers_with(known, many, marks[0])
    if own.n == sum(count for _, count in known):
        return own
    # with equal shares the table's own mark stands: plain whole numbers read with both
    other = _numbers_with(known, many, marks[1])
    return other if other.n > own.n else own


def _numbers_with(known: list[tuple[Any, int]], many: bool, mark: str) -> _Numbers:
    if many:
        sample = known[:: max(1, len(known) // SAMPLE)]
        if sum(number_of(cell, mark) is not None for cell, _ in sample) < len(sample) / 2:
            return _Numbers(0, mark, False, None, None)
        cells = [_for_pandas(cell, mark) for cell, _ in known]
        values = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce").to_numpy(
            float, copy=True
        )
        for at in np.flatnonzero(np.isnan(values)).tolist():  # 1,234 and other groups of digits
            read = number_of(known[at][0], mark)
            values[at] = math.nan if read is None else read
    else:
        values = np.array(
            [
                math.nan if (number := number_of(cell, mark)) is None else number
                for cell, _ in known
            ],
            dtype=float,
        )
    good = np.isfinite(values)
    if not good.any():
        return _Numbers(0, mark, False, None, None)
    counts = np.array([count for _, count in known])
    numbers = values[good]
    return _Numbers(
        int(counts[good].sum()),
        mark,
        bool(np.all(numbers == np.floor(numbers))),
        float(numbers.min()),
        float(numbers.max()),
    )


def _for_pandas(cell: object, mark: str) -> object:
    if isinstance(cell, str):
        if mark == ",":
            return None if "." in cell else cell.replace(",", ".")
        return cell
    return number_of(cell)


@dataclass(frozen=True, slots=True)
class _Dates:
    share: float = 0.0
    serial_share: float = 0.0
    orders: tuple[DateOrder, ...] = ()
    first: dt.date | None = None
    last: dt.date | None = None


def _read_dates(known: list[tuple[Any, int]], many: bool, n_known: int) -> _Dates:
    if not n_known:
        return _Dates()
    if many:
        sample = known[:: max(1, len(known) // SAMPLE)]
        like = sum(
            date_of(cell) is not None or any(date_in_both_orders(cell)) for cell, _ in sample
        )
        if like < len(sample) / 2:
            return _Dates()
    fixed: list[tuple[dt.date, int]] = []
    serials: list[tuple[dt.date, int]] = []
    open_: list[tuple[dt.date | None, dt.date | None, int]] = []
    for cell, count in known:
        if says_no_date(cell):
            n_known -= count
            continue
        date = date_of(cell)
        if date is not None:
            (fixed if number_of(cell) is None else serials).append((date, count))
            continue
        both = date_in_both_orders(cell)
        if any(both) or number_of(cell) is None:
            open_.append((*both, count))
    serial = sum(count for _, count in serials)
    n_fixed = sum(count for _, count in fixed)
    read_by: dict[DateOrder, int] = {
        "dmy": sum(count for day_first, _, count in open_ if day_first),
        "mdy": sum(count for _, month_first, count in open_ if month_first),
    }
    orders: tuple[DateOrder, ...]
    best = max(read_by.values())
    if not best:
        orders = ("ymd",) if fixed else ()
    else:
        orders = tuple(order for order, n in read_by.items() if n == best)
        if len(orders) == 2 and all(a == b for a, b, _ in open_ if a or b):
            orders = ("dmy",)  # 5/5/2021 only: both ways read the same
    if not n_known:
        return _Dates()
    dates = [date for date, _ in fixed]
    if orders and orders[0] != "ymd":
        place = 0 if orders[0] == "dmy" else 1
        dates += [pair[place] for pair in open_ if pair[place]]  # type: ignore[misc]
    if not dates and serial:
        dates = [date for date, _ in serials]
    return _Dates(
        share=(n_fixed + best) / n_known,
        serial_share=(serial + n_fixed + best) / n_known if serial else 0.0,
        orders=orders if (n_fixed + best) else (("ymd",) if serial else ()),
        first=min(dates, default=None),
        last=max(dates, default=None),
    )
