"""Facts in, finding out: what is said when a file can't be read, or was read with a doubt."""

from __future__ import annotations

from collections.abc import Sequence

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.layout import LeftOut
from sts_core.reading.refusal import Fact, Reason, Refusal

_SAVE_AGAIN = "Open it in the program that made it, save it as an Excel workbook (.xlsx) or CSV"
_ACCEPTED = (
    "Upload an Excel (.xlsx, .xls, .xlsb), OpenDocument (.ods), CSV or tab-delimited, SPSS, Stata "
    "or SAS file with one row of column names."
)


def refused(file: str, refusal: Refusal) -> Finding:
    """Say why a file was refused, and what to do."""
    code, message, hint = _WORDS[refusal.reason]
    facts: dict[str, Fact] = {"count": 0, "limit": 0, "expanded": 0, **refusal.facts}
    facts = {name: _shown(fact) for name, fact in facts.items()}
    sheet = str(refusal.facts.get("sheet") or "") or None
    facts["place"] = f"The sheet “{sheet}”" if sheet else "The table"
    return Finding(
        code=code,
        severity=Severity.ERROR,
        message=message.format(**facts),
        hint=hint.format(**facts),
        file=file,
        sheet=sheet,
        rows=(int(refusal.facts["row"]),) if "row" in refusal.facts else (),
    )


def _shown(fact: Fact) -> Fact:
    if isinstance(fact, str):
        return fact
    return f"{fact:,.0f}" if float(fact).is_integer() else f"{fact:g}"


_WORDS: dict[Reason, tuple[FindingCode, str, str]] = {
    Reason.EMPTY: (
        FindingCode.FILE_EMPTY,
        "The file is empty.",
        "Choose the file again; if it was being copied or synchronised, wait until that is done.",
    ),
    Reason.BROKEN: (
        FindingCode.FILE_UNREADABLE,
        "The file is damaged, or it is not what its name says.",
        f"{_SAVE_AGAIN}, and upload that copy.",
    ),
    Reason.PROTECTED: (
        FindingCode.FILE_PROTECTED,
        "The file is protected by a password.",
        "Open it with the password, remove the password (in Excel: File, Info, Protect Workbook, "
        "Encrypt with Password, leave it blank), save and upload it again.",
    ),
    Reason.WRONG_TYPE: (
        FindingCode.FILE_WRONG_TYPE,
        "By its content the file is {content}, not a table.",
        _ACCEPTED,
    ),
    Reason.NOT_TEXT: (
        FindingCode.FILE_WRONG_TYPE,
        "The file is neither a spreadsheet nor readable text.",
        _ACCEPTED,
    ),
    Reason.UNCLOSED_QUOTE: (
        FindingCode.FILE_UNREADABLE,
        "A quotation mark is opened in line {line} of the file and never closed, so that the rest "
        "would be one single cell.",
        "Delete or close the quotation mark in that line, or save the table as .xlsx.",
    ),
    Reason.LONG_CELL: (
        FindingCode.FILE_UNREADABLE,
        "A cell that begins in line {line} of the file has more than {limit} characters, or a "
        "quotation mark is opened there and closed much too late.",
        "Shorten the text in that line, or delete or close the quotation mark; or save the table "
        "as .xlsx.",
    ),
    Reason.BYTES: (
        FindingCode.FILE_TOO_LARGE,
        "The file has {count} MB; at most {limit} MB are read.",
        "Remove sheets, columns or pictures that the analysis doesn't need, or ask the "
        "administrator to raise STS_MAX_UPLOAD_MB.",
    ),
    Reason.ROWS: (
        FindingCode.FILE_TOO_LARGE,
        "{place} has more than {limit} rows.",
        "Upload only the rows of this study, or ask the administrator to raise STS_MAX_ROWS.",
    ),
    Reason.COLUMNS: (
        FindingCode.FILE_TOO_LARGE,
        "{place} has {count} columns; at most {limit} are read.",
        "Upload only the columns that the analysis needs, or ask the administrator to raise "
        "STS_MAX_COLUMNS.",
    ),
    Reason.CELLS: (
        FindingCode.FILE_TOO_LARGE,
        "The file has more than {limit} cells.",
        "Upload only the sheets and columns that the analysis needs, or ask the administrator to "
        "raise STS_MAX_CELLS.",
    ),
    Reason.EXPANDS: (
        FindingCode.FILE_EXPANDS_TOO_MUCH,
        "The file is small but unpacks to {expanded} MB or more, as a table of patients doesn't.",
        "Copy the cells of the table into a new workbook, save and upload that.",
    ),
    Reason.FAR_CELL: (
        FindingCode.FILE_CELL_TOO_FAR,
        "{place} has a filled cell at {cell}, far outside the table.",
        "Clear it (Ctrl+G and {cell} take you there), or copy the table into a new workbook; then "
        "save and upload again.",
    ),
    Reason.DEADLINE: (
        FindingCode.FILE_TOOK_TOO_LONG,
        "Reading the file took longer than {limit} seconds and was stopped.",
        "Save the table alone as CSV and upload that, or ask the administrator to raise "
        "STS_READ_SECONDS.",
    ),
    Reason.BUSY: (
        FindingCode.FILE_TOOK_TOO_LONG,
        "Other files are being read, and this one had to wait too long.",
        "Upload it again in a minute.",
    ),
    Reason.MEMORY: (
        FindingCode.FILE_NEEDS_TOO_MUCH_MEMORY,
        "Reading the file needs more memory than the {limit} MB allowed.",
        "Save the table alone as CSV and upload that, or ask the administrator to raise "
        "STS_READ_MEMORY_MB.",
    ),
    Reason.STOPPED: (
        FindingCode.FILE_READER_STOPPED,
        "The file made its reader stop, as a damaged file or a cell far outside the table does.",
        "Copy the table into a new workbook, or save it as CSV, and upload that.",
    ),
}


def read_as(file: str, content: str) -> Finding:
    """Say: the content is another readable format than the name says."""
    article = "an" if content.startswith(("Excel", "OpenDocument", "SPSS")) else "a"
    return Finding(
        FindingCode.FILE_READ_BY_CONTENT,
        Severity.NOTE,
        f"By its content the file is {article} {content}, and was read as such.",
        "Nothing to do, if that is what it is.",
        file=file,
    )


def recognition_too_long(file: str, seconds: float) -> Finding:
    """Say: the cells were read, but to recognise the columns took too long."""
    return Finding(
        FindingCode.FILE_TOOK_TOO_LONG,
        Severity.ERROR,
        "The file was read, but to take over, recognise and check its columns took longer than "
        f"{seconds:g} seconds and was stopped.",
        "Upload only the rows and columns that the analysis needs, or ask the administrator to "
        "raise STS_RECOGNISE_SECONDS.",
        file=file,
    )


def encoding_assumed(file: str, encoding: str, rival: str = "") -> Finding:
    """Say: the file is not marked as Unicode; the encoding is a guess, perhaps one of two."""
    name = _ENCODING_NAMES.get(encoding, encoding)
    other = f"; {_ENCODING_NAMES.get(rival, rival)} is nearly as likely" if rival else ""
    return Finding(
        FindingCode.TEXT_ENCODING_ASSUMED,
        Severity.WARNING if rival else Severity.NOTE,
        f"The text is not in UTF-8 and was read as {name}{other}.",
        "Look at names and values beyond A-Z; if they are wrong, save the file as .xlsx or as "
        "“CSV UTF-8”.",
        file=file,
    )


_ENCODING_NAMES = {
    "gb18030": "Chinese (GB 18030)",
    "cp950": "traditional Chinese (Big5)",
    "cp932": "Japanese (Shift-JIS)",
    "cp1252": "Western European (Windows-1252)",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


def text_damaged(file: str, encoding: str, count: int) -> Finding:
    """Say: some bytes are no text in the encoding of the rest."""
    return Finding(
        FindingCode.TEXT_DAMAGED,
        Severity.WARNING,
        f"{count:,} {_plural(count, 'character')} could not be read as {encoding.upper()}, "
        "shown as “\ufffd”.",
        "Save the file again as .xlsx or as “CSV UTF-8” from the program that made it.",
        file=file,
        count=count,
    )


def long_records(file: str, rows: Sequence[int]) -> Finding:
    """Say: a cell of a text table runs over many lines."""
    return Finding(
        FindingCode.TEXT_CELL_SPANS_LINES,
        Severity.WARNING,
        f"{len(rows):,} {_plural(len(rows), 'row')} of the text table with a cell of more than "
        "20 lines, as happens when a quotation mark is left open.",
        "Look at these rows; if patients are missing, close the quotation mark or save as .xlsx.",
        file=file,
        rows=tuple(rows),
        count=len(rows),
    )


def single_column(file: str) -> Finding:
    """Say: a text table has no delimiter."""
    return Finding(
        FindingCode.TEXT_ONE_COLUMN,
        Severity.WARNING,
        "Only one column was found: no comma, semicolon, tab or | separates the cells.",
        "Save the table as .xlsx or CSV if it has more than one column.",
        file=file,
    )


def sheet_empty(file: str, sheet: str | None, severity: Severity) -> Finding:
    """Say: a sheet has no filled cell."""
    if severity is Severity.ERROR:
        return Finding(
            FindingCode.FILE_EMPTY,
            severity,
            "The file has no filled cell.",
            "Choose the file that holds the patients.",
            file=file,
        )
    return Finding(
        FindingCode.SHEET_EMPTY,
        severity,
        "The sheet is empty and was left out.",
        "Nothing to do.",
        file=file,
        sheet=sheet,
    )


def header_only(file: str, sheet: str | None, row: int, severity: Severity) -> Finding:
    """Say: a sheet has column names and nothing below."""
    return Finding(
        FindingCode.SHEET_HEADER_ONLY,
        severity,
        "There are column names but no rows below them.",
        "Fill in one row a patient below the column names, or choose the filled file.",
        file=file,
        sheet=sheet,
        rows=(row,) if row else (),
    )


def header_missing(file: str, sheet: str | None, row: int, severity: Severity) -> Finding:
    """Say: the first full row holds values where column names should be."""
    return Finding(
        FindingCode.HEADER_NOT_FOUND,
        severity,
        "No row of column names was found: the first full row holds numbers, dates or blanks.",
        "Put one row with the name of each column directly above the first patient.",
        file=file,
        sheet=sheet,
        rows=(row,),
    )


def rows_above_header(file: str, sheet: str | None, rows: Sequence[int], header: int) -> Finding:
    """Say: titles or comments stand above the column names."""
    return Finding(
        FindingCode.ROWS_ABOVE_HEADER,
        Severity.NOTE,
        f"The column names were found in row {header}; {len(rows):,} "
        f"{_plural(len(rows), 'row')} above {'was' if len(rows) == 1 else 'were'} passed over.",
        "Nothing to do, if those are titles or comments.",
        file=file,
        sheet=sheet,
        rows=tuple(rows),
        count=len(rows),
    )


def column_unnamed(
    file: str, sheet: str | None, column: str, rows: Sequence[int], count: int
) -> Finding:
    """Say: a column holds values but has no name."""
    return Finding(
        FindingCode.COLUMN_UNNAMED,
        Severity.WARNING,
        f"A column without a name holds {count:,} {_plural(count, 'value')}; it is called "
        f"“{column}” here.",
        "Give it a name, or clear it; in a text table, look whether a comma inside a cell has "
        "shifted these rows.",
        file=file,
        sheet=sheet,
        column=column,
        rows=tuple(rows),
        count=count,
    )


def column_name_repeated(file: str, sheet: str | None, name: str, names: Sequence[str]) -> Finding:
    """Say: several columns have the same name."""
    return Finding(
        FindingCode.COLUMN_NAME_REPEATED,
        Severity.WARNING,
        f"{len(names) + 1} columns are called “{name}”; the later ones are called "
        f"{listed([f'“{other}”' for other in names])} here.",
        "Give each column a name of its own.",
        file=file,
        sheet=sheet,
        column=name,
        count=len(names) + 1,
    )


def error_values(
    file: str, sheet: str | None, column: str, rows: Sequence[int], count: int
) -> Finding:
    """Say: cells hold an error such as #N/A."""
    return Finding(
        FindingCode.CELL_ERROR_VALUE,
        Severity.WARNING,
        f"{count:,} {_plural(count, 'cell')} with an error such as #N/A or #DIV/0!, taken as "
        "missing.",
        "Correct the formula, or clear the cells if the value is not known.",
        file=file,
        sheet=sheet,
        column=column,
        rows=tuple(rows),
        count=count,
    )


def apostrophes(file: str, sheet: str | None, columns: Sequence[str]) -> Finding:
    """Say: an apostrophe in front of each cell was left off."""
    named = listed([f"“{name}”" for name in columns])
    return Finding(
        FindingCode.APOSTROPHES_LEFT_OFF,
        Severity.NOTE,
        f"Each cell of {named} begins with an apostrophe, by which a spreadsheet keeps numbers as "
        "text; it was left off.",
        "Nothing to do, if that is what it is.",
        file=file,
        sheet=sheet,
        column=columns[0] if len(columns) == 1 else None,
        count=len(columns),
    )


def formulas_uncalculated(file: str, sheet: str | None, count: int) -> Finding:
    """Say: the file stores formulas without their values."""
    return Finding(
        FindingCode.FORMULA_NOT_CALCULATED,
        Severity.WARNING,
        f"{count:,} {_plural(count, 'cell')} with a formula whose value is not stored in the "
        "file, taken as missing.",
        "Open the workbook in Excel or LibreOffice, save it there and upload it again.",
        file=file,
        sheet=sheet,
        count=count,
    )


def merged_over_rows(file: str, sheet: str | None, rows: Sequence[int], count: int) -> Finding:
    """Say: cells are merged over several rows of one column."""
    return Finding(
        FindingCode.CELLS_MERGED,
        Severity.WARNING,
        f"{count:,} merged {_plural(count, 'area')} over several rows of a column: the value "
        "counts in each of these rows.",
        "Look at these rows. If the value is of the first row only, unmerge the cells.",
        file=file,
        sheet=sheet,
        rows=tuple(rows),
        count=count,
    )


def merged_cells(file: str, sheet: str | None, rows: Sequence[int], count: int) -> Finding:
    """Say: merged cells lie among the data."""
    return Finding(
        FindingCode.CELLS_MERGED,
        Severity.WARNING,
        f"{count:,} merged {_plural(count, 'area')} among the data: only the first cell of each "
        "has the value, the others count as missing.",
        "Unmerge the cells and fill in the value in each row.",
        file=file,
        sheet=sheet,
        rows=tuple(rows),
        count=count,
    )


def header_in_two_rows(file: str, sheet: str | None, rows: Sequence[int]) -> Finding:
    """Say: names are made of two rows."""
    return Finding(
        FindingCode.HEADER_IN_TWO_ROWS,
        Severity.NOTE,
        f"The column names stand in rows {rows[0]} and {rows[1]} and were joined; headings "
        "of a mere section (“Demographics”) were left off names that need none.",
        "Nothing to do, if the names are right.",
        file=file,
        sheet=sheet,
        rows=tuple(rows),
    )


def other_table_beside(file: str, sheet: str | None, columns: Sequence[str]) -> Finding:
    """Say: another table stands right of the first one and was not read."""
    return Finding(
        FindingCode.TABLES_ON_ONE_SHEET,
        Severity.WARNING,
        f"Another table stands beside this one, in the columns {listed(columns)}: the same names "
        "with other values. It was not read.",
        "Move it to a sheet of its own.",
        file=file,
        sheet=sheet,
        count=len(columns),
    )


def perhaps_two_tables(file: str, sheet: str | None) -> Finding:
    """Say: a blank column parts blocks of different length."""
    return Finding(
        FindingCode.TABLES_ON_ONE_SHEET,
        Severity.WARNING,
        "A blank column parts two blocks that end in different rows. They were read as one table: "
        "cells in one row are taken for the same patient.",
        "If they are two tables, move one to a sheet of its own.",
        file=file,
        sheet=sheet,
    )


def rows_left_out(file: str, sheet: str | None, reason: LeftOut, rows: Sequence[int]) -> Finding:
    """Say: filled rows below the names are no rows of the table."""
    code, severity, message, hint = _LEFT_OUT[reason]
    return Finding(
        code,
        severity,
        message.format(rows=f"{len(rows):,} {_plural(len(rows), 'row')}"),
        hint,
        file=file,
        sheet=sheet,
        rows=tuple(rows),
        count=len(rows),
    )


_LOOK = "Look at the rows; if one is a patient, give it an id or move it up."
_LEFT_OUT: dict[LeftOut, tuple[FindingCode, Severity, str, str]] = {
    LeftOut.HEADER_AGAIN: (
        FindingCode.ROWS_LEFT_OUT,
        Severity.NOTE,
        "{rows} with the column names once more, left out.",
        "Nothing to do.",
    ),
    LeftOut.UNITS: (
        FindingCode.UNITS_ROW,
        Severity.NOTE,
        "The row below the column names holds units; they were added to the names.",
        "Nothing to do, if those are units.",
    ),
    LeftOut.TOTAL: (
        FindingCode.ROWS_LEFT_OUT,
        Severity.WARNING,
        "{rows} with totals or means at the end of the table, left out.",
        _LOOK,
    ),
    LeftOut.NOTE: (
        FindingCode.ROWS_LEFT_OUT,
        Severity.WARNING,
        "{rows} with nothing but a note at the end of the table, left out.",
        _LOOK,
    ),
    LeftOut.OTHER_TABLE: (
        FindingCode.TABLES_ON_ONE_SHEET,
        Severity.WARNING,
        "Another table begins below a blank row; its {rows} were not read.",
        "Move it to a sheet of its own.",
    ),
}


def cells_hidden(
    file: str, sheet: str | None, rows: Sequence[int], columns: Sequence[str]
) -> Finding:
    """Say: the spreadsheet hides rows or columns that were read."""
    parts = []
    if rows:
        parts.append(f"{len(rows):,} {_plural(len(rows), 'row')}")
    if columns:
        names = listed([f"“{name}”" for name in columns])
        parts.append(f"{len(columns):,} {_plural(len(columns), 'column')} ({names})")
    return Finding(
        FindingCode.CELLS_HIDDEN,
        Severity.WARNING,
        f"The spreadsheet hides {' and '.join(parts)}, perhaps by a filter; they were read like "
        "all others.",
        "Delete them if they don't belong to the study.",
        file=file,
        sheet=sheet,
        rows=tuple(rows[:100]),
        count=len(rows) + len(columns),
    )


def codes_declared_missing(
    file: str, sheet: str | None, column: str, codes: Sequence[tuple[str, str, int]]
) -> Finding:
    """Say: the file itself declares codes of a column missing."""
    named = [f"{code}{f' “{label}”' if label else ''} ({count:,})" for code, label, count in codes]
    return Finding(
        FindingCode.CODES_DECLARED_MISSING,
        Severity.NOTE,
        f"The file declares {listed(named)} as missing; these cells count as missing.",
        "Nothing to do, if that is meant.",
        file=file,
        sheet=sheet,
        column=column,
        count=sum(count for *_, count in codes),
    )


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
