"""Tables as a workbook of numbers: rounded to look at, raw underneath."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

from sts_core.display import (
    REASONS,
    Cell,
    Column,
    CountShare,
    DisplayTable,
    Format,
    Spread,
    escape,
    open_ended,
    round_half_up,
)
from sts_core.estimates import Estimate, NotEstimable

_SHEET_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_ESTIMATES = (Format.ESTIMATE, Format.ESTIMATE_PERCENT)
_MAX_SHEET_NAME = 31


def write_workbook(tables: Sequence[DisplayTable], notes: Sequence[str] = ()) -> bytes:
    """Write each table to a sheet, and the notes to a last one.

    Parameters
    ----------
    tables
        An estimate becomes three cells: value, lower and upper limit. So does a summary: a count
        with its percentage, or a centre with its spread. A value that is not estimable is text
        that says why. No text is ever a formula or a link.
    notes
        Provenance and methods.

    Returns
    -------
    bytes
        An xlsx file.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as workbook:
        taken: set[str] = set()
        for table in tables:
            sheet = workbook.add_worksheet(_sheet_name(table.title, taken))
            _write_table(workbook, sheet, table)
        if notes:
            sheet = workbook.add_worksheet(_sheet_name("Notes", taken))
            wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
            sheet.set_column(0, 0, 110)
            for row, note in enumerate(notes):
                sheet.write_string(row, 0, escape(note, "xml"), wrap)
    return buffer.getvalue()


def _sheet_name(title: str, taken: set[str]) -> str:
    base = " ".join(_SHEET_FORBIDDEN.sub(" ", escape(title, "xml")).split()) or "Table"
    if base.casefold() == "history":  # Excel keeps this name for itself
        base = f"{base} table"
    name, number = base[:_MAX_SHEET_NAME].strip(), 1
    while name.casefold() in taken:
        number += 1
        tail = f" {number}"
        name = base[: _MAX_SHEET_NAME - len(tail)].strip() + tail
    taken.add(name.casefold())
    return name


def _write_table(workbook: Any, sheet: Any, table: DisplayTable) -> None:
    title = workbook.add_format({"bold": True, "font_size": 13})
    head = workbook.add_format(
        {"bold": True, "bottom": 1, "top": 1, "text_wrap": True, "valign": "vcenter"}
    )
    note = workbook.add_format({"italic": True, "font_color": "#4A5663"})
    styles: dict[tuple[str, int, bool], Any] = {}

    def style(number_format: str, indent: int, bold: bool) -> Any:
        key = (number_format, indent, bold)
        if key not in styles:
            styles[key] = workbook.add_format(
                {"num_format": number_format, "indent": indent, "bold": bold}
            )
        return styles[key]

    sheet.write_string(0, 0, escape(table.title, "xml"), title)
    if table.stamp:
        stamp = workbook.add_format({"bold": True, "font_color": "#9A3412"})
        sheet.write_string(1, 0, escape(table.stamp, "xml"), stamp)
    headings = [heading for column in table.columns for heading in _headings(column)]
    for place, heading in enumerate(headings):
        sheet.write_string(2, place, escape(heading, "xml"), head)
    for number, row in enumerate(table.rows, start=3):
        place = 0
        bold = bool(row.get("_heading"))
        for column in table.columns:
            indent = int(str(row.get("_indent") or 0)) if column is table.columns[0] else 0
            for value, number_format in _cells(row.get(column.key), column):
                cell_style = style(number_format, indent, bold)
                if value is None:
                    sheet.write_blank(number, place, None, cell_style)
                elif isinstance(value, str):
                    sheet.write_string(number, place, escape(value, "xml"), cell_style)
                elif math.isinf(value):  # a cell can't hold it
                    sheet.write_string(number, place, round_half_up(value, 0), cell_style)
                else:
                    sheet.write_number(number, place, value, cell_style)
                place += 1
    sheet.set_row(2, 34)
    sheet.set_column(0, 0, 32)
    if len(headings) > 1:
        sheet.set_column(1, len(headings) - 1, 14)
    sheet.freeze_panes(3, 1)
    for offset, text in enumerate(table.footnotes):
        sheet.write_string(len(table.rows) + 4 + offset, 0, escape(text, "xml"), note)


def _headings(column: Column) -> list[str]:
    label = f"{column.spanner}: {column.label}" if column.spanner else column.label
    if column.format in _ESTIMATES:
        return [label, "Lower limit", "Upper limit"]
    if column.format is Format.SUMMARY:
        return [f"{label}: n, or centre", "%, SD, or from", "to"]
    return [label]


def _cells(value: Cell, column: Column) -> list[tuple[str | float | None, str]]:
    """Give the cells of one value with their number formats."""
    decimals = _decimals(column.decimals)
    if column.format is Format.SUMMARY:
        return _summary_cells(value, decimals)
    if isinstance(value, CountShare | Spread):
        return _summary_cells(value, decimals)[:1]
    if column.format in _ESTIMATES:
        scale = 100.0 if column.format is Format.ESTIMATE_PERCENT else 1.0
        if isinstance(value, Estimate):
            return [
                (_number_or_reason(value.value, value.reason, scale), decimals),
                (_number_or_reason(value.low, value.low_reason, scale), decimals),
                (_number_or_reason(value.high, value.high_reason, scale), decimals),
            ]
        first = value * scale if isinstance(value, int | float) else value
        return [(first, decimals), (None, decimals), (None, decimals)]
    if isinstance(value, Estimate):
        return [(_number_or_reason(value.value, value.reason, 1.0), decimals)]
    if value is None or isinstance(value, str):
        return [(value, "@" if isinstance(value, str) else "General")]
    match column.format:
        case Format.PERCENT:
            return [(value * 100.0, decimals)]
        case Format.P_VALUE:
            return [(float(value), "[<0.001]\\<0.001;[<0.01]0.0000;0.000")]
        case Format.INTEGER:
            return [(value, "0")]
        case Format.NUMBER:
            return [(value, decimals)]
        case _:
            return [(value, "General")]


def _decimals(number: int) -> str:
    return "0" if number == 0 else f"0.{'0' * number}"


def _summary_cells(value: Cell, decimals: str) -> list[tuple[str | float | None, str]]:
    """Give count and percentage, or centre and what lies around it, in three cells."""
    if isinstance(value, CountShare):
        percent = 100.0 * value.count / value.total if value.total else None
        return [(value.count, "0"), (percent, decimals), (None, decimals)]
    if isinstance(value, Spread):
        form = _decimals(value.decimals)
        first = value.std_dev if value.low is None else value.low
        centre = "NE" if value.centre is None else value.centre
        return [(_bounded(item, value), form) for item in (centre, first, value.high)]
    empty: list[tuple[str | float | None, str]] = [(None, decimals), (None, decimals)]
    if isinstance(value, Estimate):
        return [
            (_number_or_reason(value.value, value.reason, 1.0), decimals),
            (_number_or_reason(value.low, value.low_reason, 1.0), decimals),
            (_number_or_reason(value.high, value.high_reason, 1.0), decimals),
        ]
    return [(value, "General"), *empty]


def _bounded(item: str | float | None, spread: Spread) -> str | float | None:
    if item is None or isinstance(item, str):
        return item
    return open_ended(item, spread.open_from) or item


def _number_or_reason(
    number: float | None, reason: NotEstimable | None, scale: float
) -> str | float | None:
    if number is not None:
        return number * scale
    if reason is None:
        return None
    if reason is NotEstimable.REFERENCE:
        return REASONS[reason]
    short = "NR" if reason is NotEstimable.NOT_REACHED else "NE"
    return f"{short} ({REASONS[reason]})"
