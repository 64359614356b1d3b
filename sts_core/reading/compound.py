"""Look into an Excel 97-2003 workbook for what its reader passes over in silence.

Error cells, hidden rows and hidden columns, read from the records of the workbook stream
([MS-XLS] 2.4) inside a compound file ([MS-CFB] 2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

_HEADER_SECTORS = 109
_END = 0xFFFFFFFC
_MAX_LISTED = 1000
_BOUND_SHEET, _BEGIN, _END_OF_SHEET = 0x0085, 0x0809, 0x000A
_FORMULA, _BOOL_OR_ERROR, _ROW, _COLUMNS = 0x0006, 0x0205, 0x0208, 0x007D
_HIDDEN_ROW = 0x20


@dataclass(slots=True)
class RecordScan:
    """What the records of one sheet showed.

    Parameters
    ----------
    errors
        Cells (row, column; 1-based) with an error value, the first thousand.
    n_errors
        How many error cells there are.
    hidden_rows
        Hidden rows, 1-based.
    hidden_columns
        Hidden columns as pairs of the first and the last, 1-based.
    merged
        Merged areas as first row, first column, last row and last column, 1-based; only where the
        reader of the cells doesn't say it itself.
    """

    errors: list[tuple[int, int]] = field(default_factory=list)
    n_errors: int = 0
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[list[int]] = field(default_factory=list)


def scan_records(data: bytes) -> list[RecordScan]:
    """Scan each sheet of a workbook, in the order of the file.

    A file that is damaged in any way gives what could be seen until then: whether it can be read
    at all, its reader says.
    """
    stream = workbook_stream(data)
    begins: list[int] = []
    place = 0
    while place + 4 <= len(stream):
        code, length = struct.unpack_from("<HH", stream, place)
        if code == _BOUND_SHEET and length >= 4:
            begins.append(struct.unpack_from("<I", stream, place + 4)[0])
        elif code == _END_OF_SHEET:
            break
        place += 4 + length
    return [_scan_sheet(stream, begin) for begin in begins]


def _scan_sheet(stream: bytes, begin: int) -> RecordScan:
    scan = RecordScan()
    place, depth = begin, 0
    while place + 4 <= len(stream):
        code, length = struct.unpack_from("<HH", stream, place)
        body = place + 4
        place = body + length
        if place > len(stream):
            break
        if code == _BEGIN:
            depth += 1  # a chart inside the sheet has a stream of its own
        elif code == _END_OF_SHEET:
            depth -= 1
            if depth <= 0:
                break
        elif depth == 1:
            _see(scan, stream, code, body, length)
    return scan


def _see(scan: RecordScan, stream: bytes, code: int, body: int, length: int) -> None:
    is_error = False
    if code == _FORMULA and length >= 14:
        is_error = stream[body + 6] == 2 and stream[body + 12 : body + 14] == b"\xff\xff"
    elif code == _BOOL_OR_ERROR and length >= 8:
        is_error = stream[body + 7] == 1
    elif code == _ROW and length >= 14:
        if stream[body + 12] & _HIDDEN_ROW:
            scan.hidden_rows.append(struct.unpack_from("<H", stream, body)[0] + 1)
    elif code == _COLUMNS and length >= 10:
        first, last, _, _, options = struct.unpack_from("<HHHHH", stream, body)
        if options & 1:
            scan.hidden_columns.append((first + 1, last + 1))
    if is_error:
        scan.n_errors += 1
        if len(scan.errors) < _MAX_LISTED:
            row, column = struct.unpack_from("<HH", stream, body)
            scan.errors.append((row + 1, column + 1))


def workbook_stream(data: bytes) -> bytes:
    """Give the workbook stream of a compound file; blank when it can't be found."""
    try:
        return _workbook_stream(data)
    except (struct.error, IndexError):
        return b""


def _workbook_stream(data: bytes) -> bytes:
    size = 1 << struct.unpack_from("<H", data, 30)[0]
    if size not in (512, 4096):
        return b""
    small_size = 1 << struct.unpack_from("<H", data, 32)[0]
    n_table, directory = (
        struct.unpack_from("<I", data, 44)[0],
        struct.unpack_from("<I", data, 48)[0],
    )
    cutoff, small_table = (
        struct.unpack_from("<I", data, 56)[0],
        struct.unpack_from("<I", data, 60)[0],
    )
    more, n_more = struct.unpack_from("<II", data, 68)

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    places = list(struct.unpack_from(f"<{_HEADER_SECTORS}I", data, 76))
    for _ in range(min(n_more, len(data) // size)):
        if more >= _END:
            break
        numbers = struct.unpack(f"<{size // 4}I", sector(more))
        places += numbers[:-1]
        more = numbers[-1]
    table: list[int] = []
    for number in places[: min(n_table, len(data) // size + 1)]:
        if number < _END:
            table += struct.unpack(f"<{size // 4}I", sector(number))

    def chain(first: int, following: list[int]) -> list[int]:
        found: list[int] = []
        while first < _END and first < len(following) and len(found) <= len(following):
            found.append(first)
            first = following[first]
        return found

    entries = b"".join(sector(number) for number in chain(directory, table))
    root, wanted = b"", b""
    for place in range(0, len(entries) - 127, 128):
        entry = entries[place : place + 128]
        length = struct.unpack_from("<H", entry, 64)[0]
        name = entry[: max(length - 2, 0)].decode("utf-16-le", errors="replace")
        if entry[66] == 5:
            root = entry
        elif entry[66] == 2 and name in ("Workbook", "Book"):
            wanted = wanted or entry
    if not wanted:
        return b""
    first, n_bytes = struct.unpack_from("<II", wanted, 116)
    if n_bytes >= cutoff:
        content = b"".join(sector(number) for number in chain(first, table))
        return content[:n_bytes]
    holder = b"".join(
        sector(number) for number in chain(struct.unpack_from("<I", root, 116)[0], table)
    )
    small: list[int] = []
    for number in chain(small_table, table):
        small += struct.unpack(f"<{size // 4}I", sector(number))
    return b"".join(
        holder[number * small_size : (number + 1) * small_size] for number in chain(first, small)
    )[:n_bytes]
