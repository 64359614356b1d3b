"""Cells of a sheet -> a table: the row of names is found, blank rows and columns are left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sts_core.findings import Finding, Severity
from sts_core.reading import messages
from sts_core.reading.archive import column_letters
from sts_core.reading.child import ReadGrid
from sts_core.reading.layout import ERROR_VALUES, Layout, find_layout
from sts_core.reading.progress import Progress
from sts_core.reading.workbook import RawTable

_COMMA_DECIMAL = re.compile(r"[-+]?(?:\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3})+,\d+)")
# three zeros after a point may be thousands
_EMPTY_DECIMALS = re.compile(r"(-?[1-9]\d*|0)\.0{1,2}")
_IN_DIGITS = re.compile(r"[-+<>≤≥~]?\s*[\d.,]")
_MAX_WORDS = 20
_QUOTED = re.compile(r"'[^']*$")
_POINT_DECIMAL = re.compile(r"[-+]?(?:\d*\.\d+|\d{1,3}(?:,\d{3})+\.\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Tabulated:
    """A sheet as a table, or the finding that says why it is none.

    Parameters
    ----------
    table
        ``None`` when the sheet has no names or no rows below them.
    findings
        What the user should know; of severity ``ERROR`` only when ``table`` is ``None``.
    """

    table: RawTable | None
    findings: tuple[Finding, ...]


def tabulate(file: str, grid: ReadGrid, progress: Progress | None = None) -> Tabulated:
    """Make a table of the cells of one sheet.

    Parameters
    ----------
    file
        Name of the file.
    grid
        Its cells.
    progress
        Its cancel ends the work at the next column.
    """
    progress = Progress() if progress is None else progress
    n_rows, n_columns = len(grid.row_numbers), len(grid.values)
    filled = np.zeros((n_rows, n_columns), dtype=bool, order="F")
    for place in range(n_columns):
        progress.look()
        known = np.array([value is not None for value in grid.values[place]], dtype=bool)
        filled[:, place] = known[grid.codes[place]]
    if grid.names is not None:
        return _with_given_names(file, grid, filled)
    if not filled.any():
        return Tabulated(None, (messages.sheet_empty(file, grid.sheet, Severity.ERROR),))
    layout = find_layout(grid, filled)
    first_full = int(grid.row_numbers[layout.header])
    if not layout.has_names:
        finding = messages.header_missing(file, grid.sheet, first_full, Severity.ERROR)
        return Tabulated(None, (finding,))
    below = layout.rows
    if not below.any():
        finding = messages.header_only(file, grid.sheet, first_full, Severity.ERROR)
        return Tabulated(None, (finding,))

    findings = _layout_findings(file, grid, layout)
    row_numbers = grid.row_numbers[below].astype(np.int64)
    kept = [
        place
        for place in range(n_columns)
        if place not in layout.other_columns and (layout.names[place] or filled[below, place].any())
    ]
    names = _unique_names(
        [layout.names[place] for place in kept],
        [column_letters(grid.first_column + place + 1) for place in kept],
    )
    findings.extend(_repeated(file, grid.sheet, names))
    for place, name in zip(kept, names, strict=True):
        if not layout.names[place]:
            rows = row_numbers[filled[below, place]].tolist()
            findings.append(
                messages.column_unnamed(file, grid.sheet, name.given, rows[:100], len(rows))
            )
    findings.extend(_hidden(file, grid, row_numbers, kept, names))
    errors = _error_cells(grid)
    apostrophes: list[str] = []
    over_rows = _merged_over_rows(grid, first_full)
    columns: dict[str, NDArray[np.object_]] = {}
    for place, name in zip(kept, names, strict=True):
        progress.look()
        values, is_error = _without_errors(grid.values[place])
        codes = grid.codes[place][below]
        if _has_apostrophes(values[np.unique(codes)]):
            values = _without_apostrophes(values)
            apostrophes.append(name.given)
        if _has_empty_decimals(values):
            values = _without_empty_decimals(values)
        columns[name.given] = _filled_down(
            values[codes], over_rows.get(grid.first_column + place + 1, ()), row_numbers
        )
        seen = set(row_numbers[is_error[codes]].tolist()) if is_error.any() else set()
        if marked := errors.get(grid.first_column + place + 1):
            seen |= marked & set(row_numbers.tolist())
        if seen:
            rows = sorted(seen)
            findings.append(
                messages.error_values(file, grid.sheet, name.given, rows[:100], len(rows))
            )
    if apostrophes:
        findings.append(messages.apostrophes(file, grid.sheet, apostrophes))
    findings.extend(_other_findings(file, grid, first_full, row_numbers))
    table = RawTable(
        file=file,
        sheet=grid.sheet,
        frame=_frame(columns, len(row_numbers)),
        header_row=first_full,
        row_numbers=row_numbers,
        hidden=grid.hidden,
        decimal_comma=_has_decimal_comma([grid.values[place] for place in kept]),
        semicolons=grid.facts.get("delimiter") == ";",
    )
    return Tabulated(table, tuple(findings))


def _with_given_names(file: str, grid: ReadGrid, filled: NDArray[np.bool_]) -> Tabulated:
    assert grid.names is not None
    if not filled.any():
        make = messages.header_only if grid.names else None
        finding = (
            make(file, grid.sheet, 0, Severity.ERROR)
            if make
            else messages.sheet_empty(file, grid.sheet, Severity.ERROR)
        )
        return Tabulated(None, (finding,))
    rows = filled.any(axis=1)
    names = _unique_names(grid.names, [str(place + 1) for place in range(len(grid.names))])
    columns = {
        name.given: grid.values[place][grid.codes[place][rows]] for place, name in enumerate(names)
    }
    by_source = {name.source: name.given for name in reversed(names)}
    labels = grid.facts.get("column_labels", {})
    value_labels = grid.facts.get("value_labels", {})
    table = RawTable(
        file=file,
        sheet=grid.sheet,
        frame=_frame(columns, int(rows.sum())),
        header_row=0,
        row_numbers=grid.row_numbers[rows].astype(np.int64),
        decimal_comma=_has_decimal_comma(grid.values),
        column_labels={
            by_source[name]: str(label) for name, label in labels.items() if name in by_source
        },
        value_labels={
            by_source[name]: {
                value: str(label)
                for value, label in pairs
                if isinstance(value, str | int | float | bool)
            }
            for name, pairs in value_labels.items()
            if name in by_source
        },
    )
    findings = _repeated(file, grid.sheet, names)
    for source, codes in grid.facts.get("declared_missing", {}).items():
        if source in by_source:
            said = [(str(code), str(label), int(count)) for code, label, count in codes]
            findings.append(
                messages.codes_declared_missing(file, grid.sheet, by_source[source], said)
            )
    return Tabulated(table, tuple(findings))


def _layout_findings(file: str, grid: ReadGrid, layout: Layout) -> list[Finding]:
    """Say which filled rows and columns of the sheet are none of the table."""

    def rows_of(places: Sequence[int]) -> list[int]:
        numbers: list[int] = grid.row_numbers[list(places)].tolist()
        return numbers

    (header,) = rows_of([layout.header])
    findings: list[Finding] = []
    if layout.above:
        above = rows_of(layout.above)
        findings.append(messages.rows_above_header(file, grid.sheet, above, header))
    if layout.group is not None:
        two = rows_of([layout.group, layout.header])
        findings.append(messages.header_in_two_rows(file, grid.sheet, two))
    for reason, places in layout.left_out.items():
        findings.append(messages.rows_left_out(file, grid.sheet, reason, rows_of(places)))
    if layout.other_columns:
        letters = [column_letters(grid.first_column + place + 1) for place in layout.other_columns]
        findings.append(messages.other_table_beside(file, grid.sheet, letters))
    if layout.beside:
        findings.append(messages.perhaps_two_tables(file, grid.sheet))
    return findings


def _hidden(
    file: str,
    grid: ReadGrid,
    row_numbers: NDArray[np.int64],
    kept: Sequence[int],
    names: Sequence[_ColumnName],
) -> list[Finding]:
    """Say which rows and columns of the table the spreadsheet hides."""
    hidden_rows = set(map(int, grid.facts.get("hidden_rows", [])))
    rows = [row for row in row_numbers.tolist() if row in hidden_rows] if hidden_rows else []
    ranges = [(int(first), int(last)) for first, last in grid.facts.get("hidden_columns", [])]
    columns = [
        name.given
        for place, name in zip(kept, names, strict=True)
        if any(first <= grid.first_column + place + 1 <= last for first, last in ranges)
    ]
    return [messages.cells_hidden(file, grid.sheet, rows, columns)] if rows or columns else []


@dataclass(frozen=True, slots=True)
class _ColumnName:
    source: str
    given: str


def _unique_names(names: Sequence[str], places: Sequence[str]) -> list[_ColumnName]:
    taken = set(names)
    given: list[_ColumnName] = []
    used: set[str] = set()
    for name, place in zip(names, places, strict=True):
        base = name or f"Column {place}"
        candidate, number = base, 1
        while candidate in used or (candidate != name and candidate in taken):
            number += 1
            candidate = f"{base} ({number})"
        used.add(candidate)
        given.append(_ColumnName(name, candidate))
    return given


def _repeated(file: str, sheet: str | None, names: Sequence[_ColumnName]) -> list[Finding]:
    later: dict[str, list[str]] = {}
    for name in names:
        if name.source and name.given != name.source:
            later.setdefault(name.source, []).append(name.given)
    return [
        messages.column_name_repeated(file, sheet, source, given) for source, given in later.items()
    ]


def _without_errors(
    values: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    is_error = np.array(
        [isinstance(value, str) and value in ERROR_VALUES for value in values], dtype=bool
    )
    if is_error.any():
        values = values.copy()
        values[is_error] = None
    return values, is_error


def _has_apostrophes(values: NDArray[np.object_]) -> bool:
    """Whether the cells of a column begin with the mark by which a spreadsheet keeps a text."""
    filled = [value for value in values if value is not None]
    return bool(filled) and all(
        isinstance(value, str) and _QUOTED.match(value) is not None for value in filled
    )


def _without_apostrophes(values: NDArray[np.object_]) -> NDArray[np.object_]:
    out = np.empty(len(values), dtype=object)
    out[:] = [
        value[1:].strip() or None if isinstance(value, str) and _QUOTED.match(value) else value
        for value in values
    ]
    return out


def _has_empty_decimals(values: NDArray[np.object_]) -> bool:
    """Whether the numbers of a column of text are whole, and some of them are written "1.0".

    So do programs write a column of codes in which a cell is blank; "1.0" is the code 1.
    """
    found, n_words = False, 0
    for value in values:
        if not isinstance(value, str):
            continue
        if _EMPTY_DECIMALS.fullmatch(value):
            found = True
        elif _IN_DIGITS.match(value):
            if not value.isdecimal():
                return False
        else:
            n_words += 1
            if n_words > _MAX_WORDS:
                return False
    return found


def _without_empty_decimals(values: NDArray[np.object_]) -> NDArray[np.object_]:
    out = np.empty(len(values), dtype=object)
    out[:] = [
        whole[1]
        if isinstance(value, str) and (whole := _EMPTY_DECIMALS.fullmatch(value))
        else value
        for value in values
    ]
    return out


def _error_cells(grid: ReadGrid) -> dict[int, set[int]]:
    """Rows with an error cell, by 1-based column."""
    errors: dict[int, set[int]] = {}
    for row, column in grid.facts.get("errors", []):
        errors.setdefault(int(column), set()).add(int(row))
    return errors


def _other_findings(
    file: str, grid: ReadGrid, header_row: int, row_numbers: NDArray[np.int64]
) -> list[Finding]:
    findings: list[Finding] = []
    uncalculated = int(grid.facts.get("n_uncalculated", 0))
    if uncalculated:
        findings.append(messages.formulas_uncalculated(file, grid.sheet, uncalculated))
    last = int(row_numbers[-1])
    merged: list[list[Any]] = [
        area
        for area in grid.facts.get("merged", [])
        if area[2] > header_row and area[0] <= last and area[:2] != area[2:]
    ]
    filled = [area for area in merged if area[1] == area[3] and area[0] > header_row]
    others = [area for area in merged if area not in filled]
    for areas, make in ((filled, messages.merged_over_rows), (others, messages.merged_cells)):
        if areas:
            rows = sorted({max(int(area[0]), header_row) for area in areas})
            findings.append(make(file, grid.sheet, rows, len(areas)))
    return findings


def _merged_over_rows(grid: ReadGrid, header_row: int) -> dict[int, list[tuple[int, int]]]:
    """Give first and last row of the areas below the names that are one column wide, by column."""
    found: dict[int, list[tuple[int, int]]] = {}
    for first, left, last, right in grid.facts.get("merged", []):
        if left == right and header_row < first < last:
            found.setdefault(int(left), []).append((int(first), int(last)))
    return found


def _filled_down(
    cells: NDArray[np.object_], areas: Sequence[tuple[int, int]], row_numbers: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Give each row of a merged area the area's value, as it looks in the spreadsheet."""
    if not areas:
        return cells
    out = cells.copy()
    for first, last in areas:
        start, end = np.searchsorted(row_numbers, [first, last + 1])
        if start < end and row_numbers[start] == first:
            out[start:end] = cells[start]
    return out


def _frame(columns: dict[str, NDArray[np.object_]], n_rows: int) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.RangeIndex(n_rows), dtype=object)


def _has_decimal_comma(columns: Sequence[NDArray[np.object_]]) -> bool:
    comma = False
    for values in columns:
        for value in values:
            if not isinstance(value, str) or not ("," in value or "." in value):
                continue
            if _POINT_DECIMAL.fullmatch(value):
                return False
            comma = comma or _COMMA_DECIMAL.fullmatch(value) is not None
    return comma
