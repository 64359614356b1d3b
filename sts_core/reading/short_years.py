"""Dates with years of two digits: what they can mean, and their years in full once that is said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sts_core.reading.ages import ages
from sts_core.reading.workbook import RawTable
from sts_core.study.types import ColumnFormat, Status, TableSource
from sts_core.values import (
    DATE_ORDERS,
    Cells,
    DateOrder,
    DistinctCells,
    date_of,
    date_of_short_year,
    dates,
    distinct_cells,
    is_missing,
    missing_codes,
    says_no_date,
    text_of,
)

# A column is asked about when so many of its known cells are dates, and so many have short years.
_MOST, _SOME = 0.9, 0.5
_SAMPLE = 50
# A 30 February among the dates doesn't speak for another order.
_FEW_WRONG = 0.05
# An order in which one more than this part of them is no date is not offered.
_SOME_WRONG = 0.2
_ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")
_ALL_1900, _ALL_2000 = 1999, 2099
_ADULT = 18


@dataclass(frozen=True, slots=True)
class ShortYears:
    """One way to read a column whose years have two digits.

    Attributes
    ----------
    order
        Order of day, month and year.
    last_year
        The latest year that can be meant: under 2026, "26" is 2026 and "27" is 1927.
    years
        The rule in words, for the years of the column.
    first, last
        Earliest and latest date under it.
    n_unreadable
        Known rows that are no date under it.
    n_future
        Rows with a date after today.
    age_low, age_high
        Completed years that a column of births makes; ``None`` for other columns.
    n_unborn
        Rows of a column of births whose birth comes after the date at which the age is taken.
    """

    order: DateOrder
    last_year: int
    years: str
    first: dt.date
    last: dt.date
    n_unreadable: int
    n_future: int
    age_low: int | None = None
    age_high: int | None = None
    n_unborn: int = 0


def short_year_columns(raw: RawTable) -> tuple[str, ...]:
    """Give the columns of dates in which a year has two digits, as a table was read."""
    return tuple(name for name in map(str, raw.frame.columns) if _n_short(raw.cells(name)))


def _n_short(cells: Cells, codes: frozenset[str] = missing_codes()) -> int:
    """Count the rows with a year of two digits; none where the column is not one of dates."""
    distinct, place = distinct_cells(cells)
    if not any(_is_short(cell) for cell in distinct[:_SAMPLE]):
        return 0
    counts = np.bincount(place, minlength=len(distinct)).tolist()
    n_short = n_dates = n_known = 0
    for cell, count in zip(distinct, counts, strict=True):
        if is_missing(text_of(cell), codes) or says_no_date(cell):
            continue
        n_known += count
        short = _is_short(cell)
        n_short += count if short else 0
        n_dates += count if short or any(date_of(cell, order) for order in DATE_ORDERS) else 0
    return n_short if n_short >= _SOME * n_known and n_dates >= _MOST * n_known else 0


def _is_short(cell: object) -> bool:
    return any(
        date_of_short_year(cell, order, _ALL_2000) or date_of_short_year(cell, order, _ALL_1900)
        for order in DATE_ORDERS
    )


def ways_to_read(
    raw: RawTable, source: TableSource, columns: Collection[str], today: dt.date | None = None
) -> dict[str, tuple[ShortYears, ...]]:
    """Give the ways in which years of two digits can be read, the most plausible first.

    A table writes its dates in one order: the one in which hardly any is missing from the calendar
    and the dates lie closest together comes first. Then come the ways that make no births after
    the diagnosis, no dates after today, and the shortest time between all dates of the column.

    Parameters
    ----------
    raw
        The table as it was read.
    source
        Its missing codes, how its columns are read, and its column of births.
    columns
        The columns.
    today
        By default the day of the clock.

    Returns
    -------
    dict
        Ways by column; a column without any is not in it.
    """
    today = dt.date.today() if today is None else today
    found = {name: _ways(raw, source, name, today) for name in columns}
    found = {name: ways for name, ways in found.items() if ways}
    n_known = sum(_n_known(raw.cells(name), source) for name in found)

    def rank(order: DateOrder) -> tuple[bool, dt.timedelta]:
        wrong, spans = 0, dt.timedelta()
        for name, ways in found.items():
            own = [way for way in ways if way.order == order]
            wrong += own[0].n_unreadable if own else _n_known(raw.cells(name), source)
            spans += min((way.last - way.first for way in own), default=dt.timedelta())
        return wrong > 1 + _FEW_WRONG * n_known, spans

    orders = sorted(_ORDERS, key=rank)

    def doubt(way: ShortYears) -> tuple[int, int, int, dt.timedelta]:
        return orders.index(way.order), way.n_unborn, way.n_future, way.last - way.first

    return {name: tuple(sorted(ways, key=doubt)) for name, ways in found.items()}


def _known(distinct: Sequence[object], source: TableSource) -> NDArray[np.bool_]:
    codes = missing_codes(source.missing_codes)
    return np.array(
        [not is_missing(text_of(cell), codes) and not says_no_date(cell) for cell in distinct],
        dtype=bool,
    )


def _n_known(cells: DistinctCells, source: TableSource) -> int:
    counts = np.bincount(cells.place, minlength=len(cells.cells))
    return int(counts[_known(cells.cells, source)].sum())


def _ways(
    raw: RawTable, source: TableSource, column: str, today: dt.date
) -> tuple[ShortYears, ...]:
    """Read one column in each order under each rule; those that read hardly any cell are none."""
    distinct, place = raw.cells(column)
    counts = np.bincount(place, minlength=len(distinct))
    known = _known(distinct, source)
    latest = [today.year, today.year - _ADULT] if column == source.birth_date else [today.year]
    found: dict[tuple[dt.date | None, ...], ShortYears] = {}
    for order in _ORDERS:
        for last_year, words in _rules(_years(distinct, order), latest):
            read = tuple(_read(cell, order, last_year) for cell in distinct)
            if read in found:  # 03-May-21 has one order
                continue
            good = [date for date, is_known in zip(read, known, strict=True) if is_known and date]
            bad = np.array([date is None for date in read], dtype=bool) & known
            late = np.array([date is not None and date > today for date in read], dtype=bool)
            if good and counts[bad].sum() <= 1 + _SOME_WRONG * counts[known].sum():
                way = ShortYears(
                    order, last_year, words, min(good), max(good), int(counts[bad].sum()),
                    int(counts[late & known].sum()),
                )  # fmt: skip
                found[read] = _with_ages(way, raw, source, column)
    return tuple(found.values())


def _years(distinct: Sequence[object], order: DateOrder) -> tuple[int, ...]:
    """Give the two digits of each different year under an order."""
    found = {
        date.year % 100
        for cell in distinct
        if (date := date_of_short_year(cell, order, _ALL_2000)) is not None
        or (date := date_of_short_year(cell, order, _ALL_1900)) is not None
    }
    return tuple(sorted(found))


def _rules(years: Sequence[int], latest: Sequence[int]) -> list[tuple[int, str]]:
    """Give the rules that read years in different ways, with their words."""
    if not years:
        return []
    rules: dict[tuple[int, ...], tuple[int, str]] = {}
    for last_year in (*latest, _ALL_2000, _ALL_1900):
        full = tuple(in_full(year, last_year) for year in years)
        new = [year for year, whole in zip(years, full, strict=True) if whole >= 2000]
        old = [year for year, whole in zip(years, full, strict=True) if whole < 2000]
        if not old or not new:
            words = f"all years in the {2000 if new else 1900}s"
        else:
            words = (
                f"years up to {max(new):02d} in the 2000s, years from {min(old):02d} in the 1900s"
            )
        rules.setdefault(full, (last_year, words))
    return list(rules.values())


def in_full(year: int, last_year: int) -> int:
    """Give a year of two digits in full: the last one of these digits up to a year."""
    return last_year - (last_year - year) % 100


def _read(cell: object, order: DateOrder, last_year: int) -> dt.date | None:
    return date_of_short_year(cell, order, last_year) or date_of(cell, order)


def _with_ages(way: ShortYears, raw: RawTable, source: TableSource, column: str) -> ShortYears:
    at = source.age_at
    if column != source.birth_date or at is None or at not in raw.frame.columns:
        return way
    table = with_full_years(
        raw,
        {
            column: ColumnFormat(way.order, last_year=way.last_year, status=Status.CONFIRMED),
            **{
                name: replace(format_, status=Status.CONFIRMED)
                for name, format_ in source.columns.items()
                if name == at
            },
        },
    )
    format_ = source.columns.get(at)
    taken = dates(
        table.cells(at), order=format_.date_order if format_ else None,
        codes=missing_codes(source.missing_codes),
    ).values  # fmt: skip
    born = dates(table.cells(column), order=way.order).values
    found = [age for age in ages(table.frame[column], way.order, taken) if age is not None]
    both = ~np.isnat(born) & ~np.isnat(taken)
    return replace(
        way,
        age_low=min(found, default=None),
        age_high=max(found, default=None),
        n_unborn=int((born[both] > taken[both]).sum()),
    )


def with_guessed_years(
    raw: RawTable, is_id: Callable[[str], bool]
) -> tuple[RawTable, dict[str, ShortYears]]:
    """Give a table with the most plausible years in full, and what was guessed.

    Only to recognise what its columns are: nothing is read so before somebody has said it.

    Parameters
    ----------
    raw
        The table as it was read.
    is_id
        Whether a header is that of an id; "01-02-21" may be one.
    """
    columns = [name for name in short_year_columns(raw) if not is_id(name)]
    if not columns:
        return raw, {}
    found = ways_to_read(raw, TableSource(), columns)
    guessed = {name: ways[0] for name, ways in found.items()}
    formats = {
        name: ColumnFormat(way.order, last_year=way.last_year, status=Status.CONFIRMED)
        for name, way in guessed.items()
    }
    return with_full_years(raw, formats), guessed


def with_full_years(raw: RawTable, formats: Mapping[str, ColumnFormat]) -> RawTable:
    """Give a table in which years of two digits are written in full, where their rule is confirmed.

    Parameters
    ----------
    raw
        The table as it was read.
    formats
        How its columns are read.
    """
    new: dict[str, pd.Series] = {}
    for name, format_ in formats.items():
        last_year, order = format_.confirmed_last_year, format_.date_order
        if last_year is None or order is None or name not in raw.frame.columns:
            continue
        distinct, place = raw.cells(name)
        full = np.empty(len(distinct), dtype=object)
        full[:] = [
            cell if (date := date_of_short_year(cell, order, last_year)) is None
            else date.isoformat()
            for cell in distinct
        ]  # fmt: skip
        new[name] = pd.Series(full[place], index=raw.frame.index, dtype=object)
    if not new:
        return raw
    changed = replace(raw, frame=raw.frame.assign(**new))
    for kept, known in ((changed.profiled, raw.profiled),
                        (changed.looked_through, raw.looked_through)):  # fmt: skip
        kept.update({name: found for name, found in known.items() if name not in new})
    return changed
