"""The workbook to fill in, with lists to choose from, an example row and a data dictionary."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from sts_core.study.template import (
    DICTIONARY_SHEET,
    CellKind,
    Template,
    TemplateColumn,
    TemplateSheet,
    template,
)

LISTS_SHEET = "Lists"
FIRST_DATE, LAST_DATE = dt.date(1900, 1, 1), dt.date(2100, 12, 31)
N_ROWS = 5000  # rows below the column names that have lists and checks
_WIDTHS = {CellKind.TEXT: 16, CellKind.NUMBER: 12, CellKind.DATE: 14, CellKind.CHOICE: 14}


def write_template() -> bytes:
    """Write the template that comes in without any mapping once it is filled in.

    Returns
    -------
    bytes
        An xlsx file: a sheet per table, each with an example row that is never a patient, and a
        data dictionary. Cells take what the dictionary says, or explain why not.
    """
    import xlsxwriter

    form = template()
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        styles = _styles(workbook)
        sheets = [(workbook.add_worksheet(sheet.title), sheet) for sheet in form.sheets.values()]
        dictionary = workbook.add_worksheet(DICTIONARY_SHEET)
        lists = workbook.add_worksheet(LISTS_SHEET)
        lists.hide()
        taken = 0
        for page, sheet in sheets:
            page.freeze_panes(1, 1)
            page.set_row(0, 30)
            for at, column in enumerate(sheet.columns):
                taken = _write_column(page, lists, taken, at, column, styles)
        _write_dictionary(dictionary, form, styles)
    return buffer.getvalue()


def _styles(workbook: Any) -> dict[str, Any]:
    plain = {"font_name": "Arial", "font_size": 10}
    head = {**plain, "bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"}
    return {
        "required": workbook.add_format({**head, "bg_color": "#CFE3F1"}),
        "optional": workbook.add_format({**head, "bg_color": "#EEF2F5"}),
        "example": workbook.add_format({**plain, "italic": True, "font_color": "#5B6770"}),
        "example_date": workbook.add_format(
            {**plain, "italic": True, "font_color": "#5B6770", "num_format": "yyyy-mm-dd"}
        ),
        "text": workbook.add_format({**plain, "num_format": "@"}),
        "date": workbook.add_format({**plain, "num_format": "yyyy-mm-dd"}),
        "number": workbook.add_format(plain),
        "wrap": workbook.add_format({**plain, "text_wrap": True, "valign": "top"}),
        "title": workbook.add_format({**plain, "bold": True}),
    }


def _write_column(
    page: Any, lists: Any, taken: int, at: int, column: TemplateColumn, styles: dict[str, Any]
) -> int:
    """Write head, example and checks of a column; give the number of lists used so far."""
    from xlsxwriter.utility import xl_col_to_name

    page.write_string(0, at, column.name, styles["required" if column.required else "optional"])
    form = {CellKind.DATE: "date", CellKind.TEXT: "text"}.get(column.kind, "number")
    width = max(_WIDTHS.get(column.kind, 22), len(column.name) + 2)
    page.set_column(at, at, width, styles[form])
    _write_example(page, at, column, styles)
    check: dict[str, Any] | None = None
    if column.choices:
        lists.write_string(0, taken, f"{page.name}: {column.name}")
        for row, choice in enumerate(column.choices, start=1):
            lists.write(row, taken, _cell(choice))
        letter = xl_col_to_name(taken, col_abs=True)
        source = f"={LISTS_SHEET}!{letter}$2:{letter}${len(column.choices) + 1}"
        taken += 1
        check = {"validate": "list", "source": source}
        if column.kind is CellKind.SUGGESTION:
            check["show_error"] = False
    elif column.kind is CellKind.NUMBER:
        check = {
            "validate": "integer", "criteria": "between", "minimum": column.low,
            "maximum": column.high,
        }  # fmt: skip
    elif column.kind is CellKind.DATE:
        check = {
            "validate": "date",
            "criteria": "between",
            "minimum": FIRST_DATE,
            "maximum": LAST_DATE,
        }
    if check is None:
        check = {"validate": "any"}
    page.data_validation(
        1, at, N_ROWS, at,
        {
            **check, "ignore_blank": True,
            "input_title": column.name[:32], "input_message": column.meaning[:255],
            "error_title": "Not taken", "error_message": _allowed(column)[:255],
        },
    )  # fmt: skip
    return taken


def _write_example(page: Any, at: int, column: TemplateColumn, styles: dict[str, Any]) -> None:
    if isinstance(column.example, dt.date):
        page.write_datetime(
            1, at, dt.datetime.combine(column.example, dt.time()), styles["example_date"]
        )
    elif column.example is not None:
        page.write(1, at, _cell(column.example), styles["example"])


def _cell(value: str | int) -> str | int:
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _allowed(column: TemplateColumn) -> str:
    if column.kind is CellKind.DATE:
        return "A date (year-month-day)"
    if column.kind is CellKind.NUMBER:
        return f"A whole number from {column.low:g} to {column.high:g}"
    if column.kind is CellKind.CHOICE:
        return "One of: " + ", ".join(column.choices)
    if column.kind is CellKind.SUGGESTION:
        return "For instance: " + ", ".join(column.choices)
    return "Text"


def _write_dictionary(page: Any, form: Template, styles: dict[str, Any]) -> None:
    for at, width in enumerate((18, 26, 60, 70, 12)):
        page.set_column(at, at, width, styles["wrap"])
    for at, name in enumerate(("sheet", "column", "meaning", "values", "required")):
        page.write_string(0, at, name, styles["required"])
    page.write_string(1, 0, "all", styles["wrap"])
    page.write_string(1, 2, form.mark, styles["wrap"])
    page.write_string(
        1, 3,
        f"The rows with the id {form.example_id} show the form and are left out. Columns may be "
        "deleted or left empty; columns of your own may be added. No name, record number, phone "
        "number or date of birth belongs in here.",
        styles["wrap"],
    )  # fmt: skip
    row = 2
    for sheet in form.sheets.values():
        row = _describe(page, row, sheet, styles)
    page.freeze_panes(1, 0)


def _describe(page: Any, row: int, sheet: TemplateSheet, styles: dict[str, Any]) -> int:
    page.write_string(row, 0, sheet.title, styles["title"])
    page.write_string(row, 2, sheet.about, styles["wrap"])
    for column in sheet.columns:
        row += 1
        for at, text in enumerate(
            (sheet.title, column.name, column.meaning, _allowed(column),
             "yes" if column.required else "no")
        ):  # fmt: skip
            page.write_string(row, at, text, styles["wrap"])
    return row + 1
