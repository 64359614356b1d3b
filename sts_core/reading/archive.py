"""Look into a zipped workbook before a reader does: sizes, protection, far cells, error cells.

The directory of the archive is read in the server; the sheets are streamed in the reading process.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import IO
from xml.etree import ElementTree

from sts_core.reading.limits import Limits
from sts_core.reading.refusal import Reason, Refusal

MAX_ENTRIES = 10_000
# A sheet of repeated blank cells packs 50 to 150 times; bombs a thousand times.
MAX_RATIO = 250
_RATIO_FROM_BYTES = 50_000_000
_MAX_PART_BYTES = 8_000_000
_CHUNK = 1 << 20
_LOOK_BEHIND = 512
_LOOK_AHEAD = 4096
_MAX_LISTED = 1000
# This many cells beyond the limit are a table that is too large, fewer are strays.
_STRAY_CELLS = 200
# Rows above and blank rows within a table that is itself within the limit.
_ROW_SLACK = 1000

# Literal beginnings keep these fast; a file that spells its XML otherwise is left to the limits of
# the reading process.
_FAR = re.compile(rb' r="(?:([A-Z]{3,7})([0-9]{1,9})|([A-Z]{1,2})([0-9]{6,9}))"')
_ERROR = re.compile(rb' t="e"')
_HIDDEN = re.compile(rb' hidden="(?:1|true)"')
_ROW_NUMBER = re.compile(rb'<(?:\w+:)?row\b[^>]* r="([0-9]{1,9})"')
_FIRST_AND_LAST = re.compile(
    rb'<(?:\w+:)?col\b(?=[^>]* min="([0-9]{1,6})")[^>]* max="([0-9]{1,6})"'
)
_REFERENCE = re.compile(rb' r="([A-Z]{1,7})([0-9]{1,9})"')
_UNCALCULATED = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^<>]*/>)\s*"
    rb"(?:<(?:\w+:)?v\s*>\s*</(?:\w+:)?v>|<(?:\w+:)?v\s*/>)?\s*</(?:\w+:)?c>"
)
_FORMULA = (b"</f>", b":f>", b"<f ", b":f ")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)


@dataclass(slots=True)
class SheetScan:
    """What the stream of one sheet showed.

    Parameters
    ----------
    errors
        Cells (row, column; 1-based) that hold an error value such as ``#N/A``, the first thousand.
    n_errors
        How many error cells there are.
    n_uncalculated
        Cells with a formula for which the file stores no value.
    hidden_rows
        Hidden rows, 1-based.
    hidden_columns
        Hidden columns as pairs of the first and the last, 1-based.
    """

    errors: list[tuple[int, int]] = field(default_factory=list)
    n_errors: int = 0
    n_uncalculated: int = 0
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)


def column_number(letters: str) -> int:
    """Give the 1-based number of a spreadsheet column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """Give the letters of a 1-based spreadsheet column: 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def open_archive(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """Open a zip whose directory promises to stay within the limits.

    Raises
    ------
    Refusal
        If the archive is broken, encrypted, or unpacks to more than the limits allow.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except _BROKEN:
        raise Refusal(Reason.BROKEN) from None
    expanded = sum(entry.file_size for entry in entries)
    if (
        len(entries) > MAX_ENTRIES
        or expanded > limits.max_expanded_mb * 1_000_000
        or (expanded > _RATIO_FROM_BYTES and expanded > MAX_RATIO * len(data))
    ):
        raise Refusal(Reason.EXPANDS, expanded=round(expanded / 1e6), limit=limits.max_expanded_mb)
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Refusal(Reason.PROTECTED)
    return archive


def read_part(archive: zipfile.ZipFile, name: str, *, limit: int = _MAX_PART_BYTES) -> bytes:
    """Unpack a small part of the archive; blank when there is none of that name.

    Raises
    ------
    Refusal
        If the part is broken or larger than ``limit`` bytes.
    """
    try:
        with archive.open(name) as stream:
            part = stream.read(limit + 1)
    except KeyError:
        return b""
    except (*_BROKEN, RuntimeError):
        raise Refusal(Reason.BROKEN) from None
    if len(part) > limit:
        raise Refusal(Reason.EXPANDS, expanded=round(limit / 1e6), limit=round(limit / 1e6))
    return part


def sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Give the part that holds each sheet of an xlsx workbook, by sheet name.

    A workbook part that is not proper XML gives no sheets: the reader will say what is wrong.
    """
    names = {name.lower(): name for name in archive.namelist()}
    workbook = names.get("xl/workbook.xml", "")
    relations = names.get("xl/_rels/workbook.xml.rels", "")
    if not workbook or not relations:
        return {}
    try:
        targets = {
            element.get("Id", ""): element.get("Target", "")
            for element in ElementTree.fromstring(read_part(archive, relations))
        }
        sheets = [
            (element.get("name", ""), element.get(_RELATION) or _strict_relation(element.attrib))
            for element in ElementTree.fromstring(read_part(archive, workbook)).iter()
            if element.tag.rpartition("}")[2] == "sheet"
        ]
    except ElementTree.ParseError:
        return {}
    parts: dict[str, str] = {}
    for sheet, relation in sheets:
        target = targets.get(relation, "")
        path = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
        part = names.get(posixpath.normpath(path).lower())
        if target and part:
            parts[sheet] = part
    return parts


def _strict_relation(attributes: dict[str, str]) -> str:
    for key, value in attributes.items():
        if key.startswith("{") and key.endswith("}id"):
            return value
    return ""


def scan_sheet(archive: zipfile.ZipFile, part: str, sheet: str, limits: Limits) -> SheetScan:
    """Stream the XML of one sheet, without building it.

    A cell far away that is only formatted, without content, does no harm and is passed over.

    Raises
    ------
    Refusal
        If a filled cell lies beyond the limits, or the part is broken or larger than promised.
    """
    scan = SheetScan()
    try:
        with archive.open(part) as stream:
            _scan_stream(stream, sheet, limits, scan)
    except (*_BROKEN, KeyError, RuntimeError):
        raise Refusal(Reason.BROKEN, sheet=sheet) from None
    return scan


def _scan_stream(stream: IO[bytes], sheet: str, limits: Limits, scan: SheetScan) -> None:
    far = _FarCells(limits)
    carried, start, total = b"", 0, 0
    while True:
        chunk = stream.read(_CHUNK)
        total += len(chunk)
        if total > limits.max_expanded_mb * 1_000_000:
            raise Refusal(
                Reason.EXPANDS,
                sheet=sheet,
                expanded=limits.max_expanded_mb,
                limit=limits.max_expanded_mb,
            )
        buffer = carried + chunk
        end = len(buffer) - _LOOK_AHEAD if chunk else len(buffer)
        if end > start:
            _scan_buffer(buffer, start, end, far, scan)
            keep = max(end - _LOOK_BEHIND, 0)
            carried, start = buffer[keep:], end - keep
        else:
            carried = buffer
        if not chunk:
            break
    far.refuse(sheet)


def _scan_buffer(buffer: bytes, start: int, end: int, far: _FarCells, scan: SheetScan) -> None:
    for match in _FAR.finditer(buffer, start):
        if match.start() >= end:
            break
        letters, row = match.group(1) or match.group(3), match.group(2) or match.group(4)
        far.see(buffer, match, column_number(letters.decode("ascii")), int(row))
    for match in _ERROR.finditer(buffer, start):
        if match.start() >= end:
            break
        scan.n_errors += 1
        if len(scan.errors) < _MAX_LISTED:
            opening = max(buffer.rfind(b"<", 0, match.start()), 0)
            found = _REFERENCE.search(buffer, opening, buffer.find(b">", match.end()))
            if found:
                scan.errors.append((int(found[2]), column_number(found[1].decode("ascii"))))
    for match in _HIDDEN.finditer(buffer, start):
        if match.start() >= end:
            break
        opening = max(buffer.rfind(b"<", 0, match.start()), 0)
        closing = buffer.find(b">", match.end())
        if row := _ROW_NUMBER.match(buffer, opening, closing):
            scan.hidden_rows.append(int(row[1]))
        elif columns := _FIRST_AND_LAST.match(buffer, opening, closing):
            scan.hidden_columns.append((int(columns[1]), int(columns[2])))
    if not any(mark in buffer for mark in _FORMULA):
        return
    for match in _UNCALCULATED.finditer(buffer, start):
        if match.start() >= end:
            break
        scan.n_uncalculated += 1


class _FarCells:
    """Filled cells beyond the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.count = 0
        self.cell = ""
        self.row = 0
        self.column = 0

    def see(self, buffer: bytes, match: re.Match[bytes], column: int, row: int) -> None:
        if row <= self.limits.max_rows + _ROW_SLACK and column <= self.limits.max_columns:
            return
        close = buffer.find(b">", match.end())
        opening = buffer.rfind(b"<", 0, match.start())
        name = (
            re.match(rb"<(?:\w+:)?(\w+)", buffer[opening : opening + 64]) if opening >= 0 else None
        )
        if close < 0 or name is None or name[1] != b"c":
            return
        if buffer[close - 1 : close] == b"/" or buffer[close + 1 : close + 3] == b"</":
            return
        self.count += 1
        self.cell = self.cell or f"{column_letters(column)}{row}"
        self.row = max(self.row, row)
        self.column = max(self.column, column)

    def refuse(self, sheet: str) -> None:
        if not self.count:
            return
        if self.count < _STRAY_CELLS:
            raise Refusal(Reason.FAR_CELL, sheet=sheet, cell=self.cell, count=self.count)
        if self.column > self.limits.max_columns:
            raise Refusal(
                Reason.COLUMNS, sheet=sheet, count=self.column, limit=self.limits.max_columns
            )
        raise Refusal(Reason.ROWS, sheet=sheet, count=self.row, limit=self.limits.max_rows)
