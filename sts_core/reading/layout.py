"""Where in a sheet the table lies: names in one or two rows, units, totals, notes, other tables.

What is not a row of the table is left out with a reason, never in silence.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sts_core.reading.child import ReadGrid
from sts_core.reading.privacy import private_by_header
from sts_core.reading.vocabulary import is_section, speaks_for_itself

# Rows in which the names are looked for.
_HEADER_ROWS = 60
_MIN_WORDS_SHARE = 0.6
_MAX_GAPS = 200
_MAX_TOTALS = 3
_MIN_VALUES_SHARE = 0.6
_NOTE_LENGTH = 12
_COMMENT_MARKS = ("#", "//", "*", "%")
ERROR_VALUES = frozenset(
    {"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
_NUMBER_OR_DATE = re.compile(r"[-+<>=~]{0,2}\s*\d[\d.,:/\sTZ-]*%?")
_NO_NAME = frozenset({"na", "n/a", "nan", "null", "none", "-", "--", ".", "?", "unknown", "未知"})
_TOTAL = re.compile(
    r"(?:(?:grand |sub-?)?totals?|sums?|means?|averages?|medians?|"
    r"summen?|(?:ins)?gesamt|mittelwert|durchschnitt|anzahl|"
    r"somme|moyenne|m[ée]diane|effectif|suma|promedio|somma|soma|m[ée]dia|mediana|totale|"
    r"合计|总计|小计|总数|总人数|总例数|例数|平均|平均值|均值|中位数)"
    r"(?:\s*[:：=(（]?\s*(?:n\s*=\s*|共)?\d+\s*[例人名]?[)）]?)?",
    re.IGNORECASE,
)
# "制表人：张三", "Date: 30 June 2023"; a coded value such as "1: Dead" begins with a digit.
_SIGNED = re.compile(r"\s*[^\W\d][^:：]*[:：]\s*\S")
# A number in words, but no day and no year: "60例", "男35例", "44 deaths", "n = 60".
_COUNT = re.compile(r"(?!.*(?:\d{4}|\d[-/.年月]\d+[-/.月日])).*\d.*", re.DOTALL)
_UNIT = re.compile(
    r"(?:days?|weeks?|wks?|months?|mos?|mths?|years?|yrs?|hours?|cm|mm|kg|mg|ml|dl|[kmµ]?g|"
    r"cm2|cm²|kg/m2|kg/m²|mm ?hg|bpm|%|"
    r"(?:x ?)?10\^?\d{1,2}/u?l|[µumnpk]?(?:g|mol|iu|u|kat)/(?:m|d|µ|u)?l|cells/[µu]l|"
    r"tage?n?|wochen?|monate?n?|jahre?n?|jours?|semaines?|mois|ans|ann[ée]es?|"
    r"d[ií]as?|semanas?|mes(?:es)?|a[ñn]os|giorni|settimane|mesi|anni|"
    r"天|日|周|月|个月|年|岁|厘米|毫米|公斤|千克)",
    re.IGNORECASE,
)
# Says how a cell is written, as a unit does, but belongs to no name.
_DESCRIPTOR = re.compile(
    r"units?|单位|text|number|numeric|date|code|y/n|yes/no|m/f|0/1|"
    r"einheit(?:en)?|unit[ée]s?|unidad(?:es)?|unit[àa]|datum|fecha|zahl|ja/nein|oui/non|m/w|h/f|"
    r"(?:yyyy|dd|mm|mmm|tt|jj|jjjj|aaaa)(?:[-/.](?:yyyy|dd|mm|mmm|jjjj|aaaa)){2}",
    re.IGNORECASE,
)


class LeftOut(StrEnum):
    """Why a filled row below the names is no row of the table."""

    HEADER_AGAIN = "header_again"
    UNITS = "units"
    TOTAL = "total"
    NOTE = "note"
    OTHER_TABLE = "other_table"


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The table of a sheet.

    Parameters
    ----------
    header
        Place of the row of names among the rows of the grid (the lower one of two).
    group
        Place of the row of group names above it; ``None`` without one.
    has_names
        Whether that row holds words.
    names
        Name of each column of the grid, blank where it has none.
    rows
        Shape (rows,): rows of the table.
    above
        Places of filled rows above the names.
    left_out
        Places of filled rows below the names that are none of the table, by reason.
    other_columns
        Places of columns that belong to another table beside this one.
    beside
        Whether other columns were taken for another table that is only suspected: they are kept.
    """

    header: int
    group: int | None
    has_names: bool
    names: tuple[str, ...]
    rows: NDArray[np.bool_]
    above: tuple[int, ...] = ()
    left_out: dict[LeftOut, tuple[int, ...]] = field(default_factory=dict)
    other_columns: tuple[int, ...] = ()
    beside: bool = False


def find_layout(grid: ReadGrid, filled: NDArray[np.bool_]) -> Layout:
    """Find the table of a sheet.

    Parameters
    ----------
    grid
        Cells of the sheet, at least one of them filled.
    filled
        Shape (rows, columns): which cells hold something.
    """
    sheet = _Cells(grid, filled)
    header, has_names = _find_header(sheet)
    n_rows = len(grid.row_numbers)
    if not has_names:
        return Layout(header, None, False, (), np.zeros(n_rows, dtype=bool))
    group, header = _two_rows(sheet, header)
    names = _joined_names(sheet, group, header)
    top = header if group is None else group
    above = tuple(np.flatnonzero(filled[:top].any(axis=1)).tolist())

    left_out: dict[LeftOut, list[int]] = {}
    first = header + 1
    units = _units(sheet, first, names)
    if units is not None:
        left_out[LeftOut.UNITS] = [first]
        names = units
    again = _header_again(sheet, header, group)
    left_out[LeftOut.HEADER_AGAIN] = again
    end = _other_table_below(sheet, header, set(again))
    rows = np.zeros(n_rows, dtype=bool)
    rows[first:end] = filled[first:end].any(axis=1)
    left_out[LeftOut.OTHER_TABLE] = [
        place for place in range(end, n_rows) if filled[place].any() and place not in again
    ]
    for places in left_out.values():
        rows[places] = False
    notes, totals = _foot(sheet, rows)
    left_out[LeftOut.NOTE], left_out[LeftOut.TOTAL] = notes, totals
    rows[notes + totals] = False
    other_columns, beside = _other_table_beside(sheet, header, rows)
    return Layout(
        header=header,
        group=group,
        has_names=True,
        names=tuple(names),
        rows=rows,
        above=above,
        left_out={reason: tuple(places) for reason, places in left_out.items() if places},
        other_columns=other_columns,
        beside=beside,
    )


def is_word(cell: object) -> bool:
    """Whether a cell is text that is neither number, date nor error."""
    return (
        isinstance(cell, str)
        and cell not in ERROR_VALUES
        and _NUMBER_OR_DATE.fullmatch(cell) is None
        and any(character.isalpha() for character in cell)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    grid: ReadGrid
    filled: NDArray[np.bool_]

    def at(self, row: int, column: int) -> object:
        value: object = self.grid.values[column][self.grid.codes[column][row]]
        return value

    def columns(self, row: int) -> list[int]:
        places: list[int] = np.flatnonzero(self.filled[row]).tolist()
        return places

    def row(self, row: int) -> list[object]:
        return [self.at(row, column) for column in self.columns(row)]

    def words_share(self, row: int) -> float:
        cells = self.row(row)
        return sum(map(is_word, cells)) / max(len(cells), 1)

    def word_rows(self, column: int, rows: slice) -> NDArray[np.bool_]:
        """Say which filled cells of a column hold words."""
        known = self.filled[rows, column]
        words = np.array([is_word(value) for value in self.grid.values[column]], dtype=bool)
        found: NDArray[np.bool_] = words[self.grid.codes[column][rows][known]]
        return found

    def gap_before(self, row: int) -> bool:
        """Whether a blank row stands above."""
        numbers = self.grid.row_numbers
        return row > 0 and int(numbers[row]) - int(numbers[row - 1]) > 1

    def merged_over(self, row: int) -> list[tuple[int, int]]:
        """Give first and last column of each merged area in a row that spans several columns."""
        number = int(self.grid.row_numbers[row])
        left = self.grid.first_column + 1
        return [
            (int(area[1]) - left, int(area[3]) - left)
            for area in self.grid.facts.get("merged", [])
            if area[0] <= number <= area[2] and area[3] > area[1]
        ]


def _find_header(sheet: _Cells) -> tuple[int, bool]:
    """Find the first row that is about as full as the fullest; names are words.

    Titles and comments fill few cells, or begin with a comment mark, or stand apart. A full row
    of values means that there are no names: to look further down would lose patients.
    """
    n_filled = sheet.filled[:_HEADER_ROWS].sum(axis=1)
    comments = _comments(sheet, len(n_filled))
    counted = n_filled.copy()
    counted[comments] = 0
    if not counted.any():
        counted, comments = n_filled, []
    most = int(counted.max())
    enough = max(most / 2, min(most, 2))
    place = int(np.flatnonzero(counted >= enough)[0])
    if _names_row(sheet, place):
        return _after_title(sheet, place, n_filled), True
    # "#id,age": the last comment is the row of names
    if comments and n_filled[comments[-1]] >= enough and _names_row(sheet, comments[-1]):
        return comments[-1], True
    return place, False


def _names_row(sheet: _Cells, row: int) -> bool:
    return sheet.words_share(row) >= _MIN_WORDS_SHARE


def _comments(sheet: _Cells, n_rows: int) -> list[int]:
    """Rows before the first one that is full and no comment."""
    found: list[int] = []
    for row in range(n_rows):
        cells = sheet.row(row)
        if not cells:
            continue
        first = cells[0]
        if (
            isinstance(first, str)
            and first.startswith(_COMMENT_MARKS)
            and first not in ERROR_VALUES
        ):
            found.append(row)
        elif len(cells) > 1:
            break
    return found


def _after_title(sheet: _Cells, place: int, n_filled: NDArray[np.int_]) -> int:
    """Pass over a title with commas: it stands apart from names that are as many as its cells."""
    following = place + 1
    if (
        following + 1 >= len(n_filled)
        or not sheet.gap_before(following)
        or n_filled[following] < n_filled[place]
        or not _only_names(sheet, following)
    ):
        return place
    below = slice(following + 1, min(following + 1 + _HEADER_ROWS, len(sheet.filled)))
    values_below = any(
        (~sheet.word_rows(column, below)).mean() >= _MIN_VALUES_SHARE
        for column in sheet.columns(following)
        if sheet.filled[below, column].any()
    )
    return following if values_below else place


def _only_names(sheet: _Cells, row: int) -> bool:
    cells = sheet.row(row)
    return (
        len(cells) >= 2
        and all(map(is_word, cells))
        and not any(str(cell).casefold() in _NO_NAME for cell in cells)
        and len(set(cells)) == len(cells)
    )


def _two_rows(sheet: _Cells, header: int) -> tuple[int | None, int]:
    """Say whether group names stand above the names: "OS" over "days" and "status"."""
    n_rows = len(sheet.filled)
    width = len(sheet.columns(header))
    groups_above = header > 0 and any(
        last - first + 1 < width for first, last in sheet.merged_over(header - 1)
    )
    if groups_above and not sheet.gap_before(header):
        return header - 1, header
    below = header + 1
    if below >= n_rows - 1 or sheet.gap_before(below):
        return None, header
    cells = sheet.row(below)
    if not cells or not all(map(is_word, cells)):
        return None, header
    spanned = [
        place for first, last in sheet.merged_over(header) for place in range(first, last + 1)
    ]
    if spanned:
        fits = all(
            sheet.filled[below, place] for place in spanned if 0 <= place < sheet.filled.shape[1]
        )
        return (header, below) if fits else (None, header)
    # Text has no merged cells: the names' row has gaps that only the row below fills.
    inside = sheet.columns(header)
    gaps = [place for place in sheet.columns(below) if not sheet.filled[header, place]]
    whole = not sheet.filled[below, inside[0]] and all(
        sheet.filled[below, place] for place in range(inside[-1] + 1, max([*gaps, inside[-1]]) + 1)
    )
    # One gap may as well be a patient without an id under a column without a name.
    values_below = any(
        not sheet.word_rows(place, slice(below + 1, n_rows)).all() for place in sheet.columns(below)
    )
    return (header, below) if whole and values_below and len(gaps) > 1 else (None, header)


def _joined_names(sheet: _Cells, group: int | None, header: int) -> list[str]:
    n_columns = sheet.filled.shape[1]
    own = [name_of(sheet.at(header, column)) for column in range(n_columns)]
    if group is None:
        return own
    merged = sheet.merged_over(group)
    names: list[str] = []
    above, reach = "", -1
    # "Demographics" over "Sex" adds nothing; over "Date", or "Week 6" over "Sex", it does
    alone = {
        text
        for text in own
        if own.count(text) == 1 and (speaks_for_itself(text) or private_by_header(text))
    }
    for column in range(n_columns):
        text = name_of(sheet.at(group, column))
        if text:
            above = text
            reach = next((last for first, last in merged if first <= column <= last), -1)
            if not merged:
                reach = n_columns
        elif merged and column > reach:
            above = ""
        says_more = own[column] not in alone or not is_section(above)
        parts = [above if says_more else "", own[column]] if own[column] else [text]
        names.append(" ".join(part for part in parts if part))
    return names


def name_of(cell: object) -> str:
    """Give a cell as the name of a column, on one line."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    return re.sub(r"\s*[\r\n\t]+\s*", " ", str(cell))


def _units(sheet: _Cells, row: int, names: Sequence[str]) -> list[str] | None:
    """Give the names with the units that the row below them holds, if that is what it is."""
    if row >= len(sheet.filled) - 1:
        return None
    found: dict[int, str] = {}
    for column in sheet.columns(row):
        cell = sheet.at(row, column)
        text = cell.strip("()[]（） ") if isinstance(cell, str) else ""
        if _UNIT.fullmatch(text):
            found[column] = text
        elif not _DESCRIPTOR.fullmatch(text):
            return None
    # "m" and "d" alone could be a patient's sex and status
    if not any(len(text) > 1 or not text.isascii() for text in found.values()):
        return None
    return [
        f"{name} ({found[column]})" if name and column in found else name
        for column, name in enumerate(names)
    ]


def _header_again(sheet: _Cells, header: int, group: int | None) -> list[int]:
    """Rows that repeat the names, as pages of a printed list do."""
    places = sheet.columns(header)
    if len(places) < 2:
        return []
    same = np.ones(len(sheet.filled), dtype=bool)
    same[: header + 1] = False
    for column in places:
        codes = sheet.grid.codes[column]
        name = _folded(sheet.at(header, column))
        alike = [
            code
            for code, value in enumerate(sheet.grid.values[column])
            if code == codes[header] or (name is not None and _folded(value) == name)
        ]
        same &= np.isin(codes, alike)
        if not same.any():
            return []
    found: list[int] = np.flatnonzero(same).tolist()
    if group is not None:
        found += [
            row - 1
            for row in found
            if all(
                sheet.at(row - 1, column) == sheet.at(group, column)
                for column in range(sheet.filled.shape[1])
            )
        ]
    return sorted(found)


def _folded(cell: object) -> str | None:
    """Give a text in one case, to be compared with a name; ``None`` for any other cell."""
    return " ".join(cell.casefold().split()) if isinstance(cell, str) else None


def _other_table_below(sheet: _Cells, header: int, again: set[int]) -> int:
    """Give the place where another table begins below a blank row; the end without one."""
    numbers = sheet.grid.row_numbers
    n_rows = len(numbers)
    gaps = (np.flatnonzero(np.diff(numbers) > 1) + 1).tolist()
    for start in [place for place in gaps if place > header + 1][:_MAX_GAPS]:
        titled = len(sheet.columns(start)) == 1 and is_word(sheet.row(start)[0])
        for place in (start, start + 1) if titled else (start,):
            if place >= n_rows - 1 or place in again:
                continue
            if _begins_table(sheet, header, start, place, titled=titled and place > start):
                return start
    return n_rows


def _begins_table(sheet: _Cells, header: int, start: int, place: int, *, titled: bool) -> bool:
    if not _only_names(sheet, place):
        return False
    before = slice(header + 1, start)
    names = set(sheet.row(header))
    columns = sheet.columns(place)
    if any(
        (sheet.grid.codes[column][before] == sheet.grid.codes[column][place]).any()
        for column in columns
    ):
        return False
    over_values = any(
        sheet.filled[before, column].any()
        and (~sheet.word_rows(column, before)).mean() >= _MIN_VALUES_SHARE
        for column in columns
    )
    return over_values or titled or bool(names & set(sheet.row(place)))


def _foot(sheet: _Cells, rows: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Find notes and totals at the end of the table."""
    places = np.flatnonzero(rows).tolist()
    notes: list[int] = []
    totals: list[int] = []
    if len(places) < 2:
        return notes, totals
    usual = float(np.median(sheet.filled[places[:1000]].sum(axis=1)))
    while len(places) > 1:  # notes stand below totals, or between them
        last = places[-1]
        if usual >= 3 and (_is_note(sheet, last) or _is_signature(sheet, last, usual)):
            notes.insert(0, places.pop())
        elif len(totals) < _MAX_TOTALS and _is_total(sheet, last):
            totals.insert(0, places.pop())
        else:
            break
    return notes, totals


def _is_note(sheet: _Cells, row: int) -> bool:
    cells = sheet.row(row)
    text = cells[0] if len(cells) == 1 else None
    if not isinstance(text, str):
        return False
    if text.startswith(_COMMENT_MARKS):
        return True
    long_enough = len(text) >= _NOTE_LENGTH or any(sign > "\u2e80" for sign in text[4:])
    return is_word(text) and long_enough and (" " in text or "：" in text or ":" in text)


def _is_signature(sheet: _Cells, row: int, usual: float) -> bool:
    """Whether a row of few cells says who made the table, and when."""
    cells = sheet.row(row)
    few = 2 <= len(cells) <= 0.8 * usual
    return few and all(isinstance(cell, str) and _SIGNED.match(cell) for cell in cells)


def _is_total(sheet: _Cells, row: int) -> bool:
    cells = sheet.row(row)
    first = cells[0] if cells else None
    if not isinstance(first, str) or not _TOTAL.fullmatch(first.strip(" :：.")):
        return False
    return not any(is_word(cell) and not _counts(cell) for cell in cells[1:])


def _counts(cell: object) -> bool:
    """Whether a text tells how many, as in a row of totals, where a patient has a word or a day."""
    return isinstance(cell, str) and _COUNT.fullmatch(cell.strip()) is not None


def _other_table_beside(
    sheet: _Cells, header: int, rows: NDArray[np.bool_]
) -> tuple[tuple[int, ...], bool]:
    """Find a table right of a blank column: its names are in part the same, its cells are not."""
    used = sheet.filled[header] | sheet.filled[rows].any(axis=0)
    places = np.flatnonzero(used)
    breaks = places[1:][np.diff(places) > 1].tolist()
    for start in breaks:
        left = [place for place in places.tolist() if place < start]
        right = [place for place in places.tolist() if place >= start]
        if sum(map(bool, sheet.filled[header, right])) < 2:
            continue
        names = {sheet.at(header, place): place for place in reversed(left)}
        shared = [
            (names[name], place)
            for place in right
            if (name := sheet.at(header, place)) is not None and name in names
        ]
        differs = any(
            any(
                sheet.at(row, one) != sheet.at(row, other)
                for row in np.flatnonzero(rows)[:1000].tolist()
            )
            for one, other in shared
        )
        if differs:
            return tuple(right), False
        ends = [
            int(np.flatnonzero(rows & sheet.filled[:, block].any(axis=1))[-1])
            for block in (left, right)
            if (rows & sheet.filled[:, block].any(axis=1)).any()
        ]
        if len(set(ends)) > 1:
            return (), True
    return (), False
