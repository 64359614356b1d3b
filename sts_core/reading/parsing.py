"""Bytes of one file -> its raw tables, inside the reading process.

The process starts with the standard library only and imports no more than the format needs, so
nothing here (nor in what it imports) may import pandas. The answer is JSON and arrays of integers:
the server never unpickles what this process says.

Each column is sent as its distinct values and, for each row, the index of one of them.
"""

from __future__ import annotations

import datetime as dt
import gc
import io
import json
import struct
import sys
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import compress, count, islice, zip_longest
from typing import Any, BinaryIO, cast

from sts_core.reading.archive import SheetScan, open_archive, scan_sheet, sheet_parts
from sts_core.reading.compound import RecordScan, scan_records
from sts_core.reading.content import FileKind
from sts_core.reading.limits import Limits
from sts_core.reading.opendocument import scan_content
from sts_core.reading.refusal import Reason, Refusal
from sts_core.reading.statistical import read_statistical
from sts_core.reading.text import decode, find_delimiter, records, stated_delimiter

MAGIC = b"STSTABLE"
LENGTH = struct.Struct("<Q")
# Rows so far and the share of the text in them (below 0: not known), sent before the reply.
STEP_MAGIC = b"STSSTEP."
STEP = struct.Struct("<Qd")
_STEP_SECONDS = 0.1
_CHUNK_ROWS = 100  # few, so that their cells are still near when they are coded
_LONG_RECORD_LINES = 20
MAX_MERGED = 100_000
_MAX_EXACT = 2.0**53
_DISTINCT = {str, float}


@dataclass(slots=True)
class Grid:
    """Cells of one sheet, by column.

    Parameters
    ----------
    sheet
        Name of the sheet, ``None`` where the format has none.
    hidden
        Whether the workbook hides it.
    names
        Column names, where the format has them apart from the cells.
    first_column
        0-based place of the first column in the sheet.
    values
        Distinct values of each column; the first is blank.
    codes
        Index into ``values`` of each row, by column.
    row_numbers
        Row number of each row in the sheet, from 1; blank rows are left out.
    facts
        What else the reader saw: error cells, merged areas, labels.
    """

    sheet: str | None = None
    hidden: bool = False
    names: list[str] | None = None
    first_column: int = 0
    values: list[defaultdict[Any, int]] = field(default_factory=list)
    codes: list[array[int]] = field(default_factory=list)
    row_numbers: array[int] = field(default_factory=lambda: array("i"))
    facts: dict[str, Any] = field(default_factory=dict)

    def add(
        self, numbers: Sequence[int], rows: Sequence[Sequence[Any]], *, texts: bool = False
    ) -> None:
        """Append rows; short ones are filled up with blanks, and ``texts`` hold nothing else."""
        n_before = len(self.row_numbers)
        self.row_numbers.extend(numbers)
        for place, cells in enumerate(zip_longest(*rows, fillvalue="")):
            if place == len(self.values):
                self.add_column(n_before)
            self.add_cells(place, cells, texts=texts)
        for place in range(len(self.codes)):
            missing = len(self.row_numbers) - len(self.codes[place])
            self.codes[place].extend([0] * missing)

    def add_column(self, n_blank: int = 0) -> None:
        """Open a column that is blank so far."""
        self.values.append(defaultdict(count(1).__next__, {"": 0}))
        self.codes.append(array("i", [0]) * n_blank)

    def add_cells(self, place: int, cells: Iterable[Any], *, texts: bool = False) -> None:
        """Append cells to one column."""
        cells = tuple(cells)
        # Text and floats never compare equal; anything else is brought into a form of its own.
        if not texts and not set(map(type, cells)) <= _DISTINCT:
            cells = tuple(map(_plain, cells))
        # a value not seen before gets the next number by being looked up
        self.codes[place].extend(map(self.values[place].__getitem__, cells))


def _plain(cell: object) -> object:
    """Turn a cell into a hashable value; kinds that would compare equal are kept apart."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return ("b", cell)
    if isinstance(cell, int):
        return cell if abs(cell) < _MAX_EXACT else float(cell)
    if isinstance(cell, float):
        if cell != cell or abs(cell) == float("inf"):
            return ""
        return int(cell) if cell.is_integer() and abs(cell) < _MAX_EXACT else cell
    if isinstance(cell, dt.datetime):
        return ("d", cell.replace(tzinfo=None).isoformat())
    if isinstance(cell, dt.date):
        return ("d", dt.datetime(cell.year, cell.month, cell.day).isoformat())
    if isinstance(cell, dt.time):
        return cell.isoformat()
    if isinstance(cell, dt.timedelta):
        return _plain(cell / dt.timedelta(days=1))
    return str(cell)


def _as_json(value: object) -> object:
    if isinstance(value, tuple):
        kind, content = value
        return content if kind == "b" else {kind: content}
    return _plain(value) if isinstance(value, float) else value


class _Budget:
    """Counts rows, columns and cells against the limits."""

    def __init__(self, limits: Limits, report: Report) -> None:
        self.limits = limits
        self.report = report
        self.n_cells = 0
        self.n_rows = 0
        self.place: Callable[[], float] = lambda: -1.0

    def fill(self, grid: Grid, rows: Iterable[tuple[int, list[Any]]]) -> None:
        """Move rows into a grid, leaving out blank ones."""
        filled = (
            (number, row)
            for number, row in rows
            if any(row) or any(cell != "" and cell is not None for cell in row)
        )
        while chunk := list(islice(filled, _CHUNK_ROWS)):
            self.add(grid, [number for number, _ in chunk], [row for _, row in chunk])
        self.close(grid)

    def add(
        self, grid: Grid, numbers: Sequence[int], rows: list[list[Any]], *, texts: bool = False
    ) -> None:
        """Append rows to a grid, none of them blank."""
        limits, sheet = self.limits, grid.sheet or ""
        width = max(map(len, rows))
        if width > limits.max_columns:
            raise Refusal(Reason.COLUMNS, sheet=sheet, count=width, limit=limits.max_columns)
        grid.add(numbers, rows, texts=texts)
        n_rows = len(grid.row_numbers)
        self.report(self.n_rows + n_rows, self.place())
        # The row of names and a few lines of title are no data.
        if n_rows > limits.max_rows + 60:
            raise Refusal(Reason.ROWS, sheet=sheet, count=n_rows, limit=limits.max_rows)
        n_cells = self.n_cells + n_rows * len(grid.values)
        if n_cells > limits.max_cells:
            raise Refusal(Reason.CELLS, sheet=sheet, count=n_cells, limit=limits.max_cells)

    def close(self, grid: Grid) -> None:
        """Count a grid to which nothing more is added."""
        self.n_cells += len(grid.row_numbers) * len(grid.values)
        self.n_rows += len(grid.row_numbers)


Report = Callable[[int, float], None]


def _silent(n_rows: int, share: float) -> None:
    """Say nothing."""


def parse(
    kind: FileKind,
    data: bytes,
    limits: Limits,
    *,
    preferred: str = ",",
    report: Report = _silent,
) -> list[Grid]:
    """Read every sheet of a file.

    Parameters
    ----------
    kind
        Its format.
    data
        Its bytes.
    limits
        Bounds on rows, columns and cells.
    preferred
        Delimiter of a text table in which none can be told.
    report
        Told the rows so far, and the share of the file that they are (below 0: not known).

    Raises
    ------
    Refusal
        If the file can't be read or is too large.
    """
    if kind is FileKind.TEXT:
        return [_parse_text(data, limits, preferred, report)]
    if kind in (FileKind.XLSX, FileKind.XLSB, FileKind.XLS, FileKind.ODS):
        return _parse_workbook(kind, data, limits, report)
    return [_parse_statistical(kind, data, limits)]


def _parse_text(data: bytes, limits: Limits, preferred: str, report: Report) -> Grid:
    decoded = decode(data)
    text = decoded.text
    stated, begin = stated_delimiter(text)
    text = text[begin:]
    delimiter = stated or find_delimiter(text, preferred)
    grid = Grid()
    long_records: list[int] = []
    lines, all_lines = 0, max(text.count("\n"), text.count("\r"), 1)
    budget = _Budget(limits, report)
    budget.place = lambda: lines / all_lines
    for found in records(text, delimiter):
        lines += len(found.cells) if found.n_lines is None else sum(found.n_lines)
        long_records += [
            number
            for number, n_lines in enumerate(found.n_lines or (), start=found.first)
            if n_lines > _LONG_RECORD_LINES
        ]
        rows = [record for record in found.cells if any(record)]
        numbers: Sequence[int] = range(found.first, found.first + len(found.cells))
        if len(rows) < len(found.cells):
            numbers = list(compress(numbers, map(any, found.cells)))
        if rows:
            budget.add(grid, numbers, rows, texts=True)
    budget.close(grid)
    grid.facts = {
        "encoding": decoded.encoding,
        "encoding_assumed": decoded.assumed,
        "encoding_rival": decoded.rival,
        "n_damaged": decoded.n_damaged,
        "delimiter": delimiter,
        "long_records": long_records[:100],
    }
    return grid


def _parse_workbook(kind: FileKind, data: bytes, limits: Limits, report: Report) -> list[Grid]:
    scans: dict[str | int, SheetScan | RecordScan] = {}
    if kind is FileKind.XLSX:
        with open_archive(data, limits) as archive:
            for name, part in sheet_parts(archive).items():
                scans[name] = scan_sheet(archive, part, name, limits)
    elif kind is FileKind.ODS:
        with open_archive(data, limits) as archive:
            scans.update(enumerate(scan_content(archive)))
    elif kind is FileKind.XLS:
        scans.update(enumerate(scan_records(data)))

    import python_calamine

    budget = _Budget(limits, report)
    grids: list[Grid] = []
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as workbook:
            for place, entry in enumerate(workbook.sheets_metadata):
                if entry.typ != python_calamine.SheetTypeEnum.WorkSheet:
                    continue
                sheet = workbook.get_sheet_by_index(place)
                grid = Grid(
                    sheet=entry.name,
                    hidden=entry.visible != python_calamine.SheetVisibleEnum.Visible,
                    first_column=(sheet.start or (0, 0))[1],
                )
                grid.facts = _sheet_facts(
                    scans.get(entry.name) or scans.get(place), sheet.merged_cell_ranges
                )
                if sheet.width > limits.max_columns:
                    raise Refusal(
                        Reason.COLUMNS,
                        sheet=entry.name,
                        count=sheet.width,
                        limit=limits.max_columns,
                    )
                rows = cast("Iterator[list[Any]]", sheet.iter_rows())
                budget.fill(grid, enumerate(rows, start=1))
                grids.append(grid)
    except python_calamine.PasswordError:
        raise Refusal(Reason.PROTECTED) from None
    except (python_calamine.CalamineError, OSError, UnicodeError, ValueError, OverflowError):
        raise Refusal(Reason.BROKEN) from None
    return grids


def _sheet_facts(
    scan: SheetScan | RecordScan | None,
    merged: list[tuple[tuple[int, int], tuple[int, int]]] | None,
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "merged": [
            [first[0] + 1, first[1] + 1, last[0] + 1, last[1] + 1]
            for first, last in (merged or [])[:MAX_MERGED]
        ]
    }
    if scan is not None:
        facts["errors"] = scan.errors
        facts["n_errors"] = scan.n_errors
        facts["n_uncalculated"] = getattr(scan, "n_uncalculated", 0)
        facts["hidden_rows"] = scan.hidden_rows[:100_000]
        facts["hidden_columns"] = scan.hidden_columns[:1000]
        facts["merged"] += getattr(scan, "merged", [])
    return facts


def _parse_statistical(kind: FileKind, data: bytes, limits: Limits) -> Grid:
    found = read_statistical(kind, data, limits)
    names, columns, n_rows = found.names, found.columns, found.n_rows
    grid = Grid(names=names, row_numbers=array("i", range(1, n_rows + 1)))
    for place, name in enumerate(names):
        grid.add_column()
        grid.add_cells(place, columns[name])
        grid.codes[place].extend([0] * (n_rows - len(grid.codes[place])))
    grid.facts = {
        "column_labels": found.column_labels,
        "value_labels": {
            name: [[_as_json(_plain(value)), label] for value, label in labels]
            for name, labels in found.value_labels.items()
        },
        "declared_missing": found.declared_missing,
    }
    return grid


def write_reply(grids: list[Grid], stream: BinaryIO) -> None:
    """Send tables: a JSON header, then the row numbers and the columns of each.

    Each column is a text of JSON of its own with its values, and their codes: nobody has to hold
    all of them as one text, and whoever reads them can stop in between.
    """
    header = {
        "grids": [
            {
                "sheet": grid.sheet,
                "hidden": grid.hidden,
                "names": grid.names,
                "first_column": grid.first_column,
                "n_rows": len(grid.row_numbers),
                "n_columns": len(grid.values),
                "facts": grid.facts,
            }
            for grid in grids
        ]
    }
    _write_header(header, stream)
    for grid in grids:
        stream.write(grid.row_numbers.tobytes())
        for values, codes in zip(grid.values, grid.codes, strict=True):
            _write_json([_as_json(value) for value in values], stream)
            stream.write(codes.tobytes())
    stream.flush()


def step_writer(stream: BinaryIO) -> Report:
    """Give a function that sends how far the reading has come, a few times a second."""
    last = time.monotonic()

    def write(n_rows: int, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _STEP_SECONDS:
            last = now
            stream.write(STEP_MAGIC + STEP.pack(n_rows, share))
            stream.flush()

    return write


def write_refusal(refusal: Refusal, stream: BinaryIO) -> None:
    """Send the reason why there is no table."""
    _write_header({"refusal": refusal.reason.value, "facts": refusal.facts}, stream)
    stream.flush()


def _write_header(header: dict[str, Any], stream: BinaryIO) -> None:
    stream.write(MAGIC)
    _write_json(header, stream)


def _write_json(content: object, stream: BinaryIO) -> None:
    encoded = json.dumps(content, ensure_ascii=False).encode("utf-8", errors="replace")
    stream.write(LENGTH.pack(len(encoded)))
    stream.write(encoded)


def write_request(kind: FileKind, limits: Limits, preferred: str) -> bytes:
    """Give the head of a request; the bytes of the file follow it to the end of the stream."""
    content = json.dumps({"kind": kind.value, "limits": asdict(limits), "preferred": preferred})
    return LENGTH.pack(len(content)) + content.encode("ascii")


def restrict(limits: Limits) -> None:
    """Give up memory, time, files, processes and core dumps, as far as the system can.

    A core dump would put patients on the disk. A limit of one byte also stops a dump that the
    system pipes to a collector, which a limit of none does not.
    """
    try:
        import resource
    except ImportError:
        return
    seconds = int(limits.deadline_seconds) + 5
    for name, value in (
        ("RLIMIT_CORE", 1),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_AS", limits.memory_mb * 1_000_000),
    ):
        number = getattr(resource, name, None)
        if number is None:
            continue
        with suppress(ValueError, OSError):
            _, hard = resource.getrlimit(number)
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.setrlimit(number, (value, value))


def main() -> None:
    """Answer one request on standard input, then end."""
    # Nothing here is ever part of a cycle, and the process soon ends.
    gc.disable()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    (length,) = LENGTH.unpack(source.read(LENGTH.size))
    request = json.loads(source.read(length))
    limits = Limits(**request["limits"])
    restrict(limits)
    try:
        try:
            data = source.read()
            grids = parse(
                FileKind(request["kind"]),
                data,
                limits,
                preferred=request["preferred"],
                report=step_writer(target),
            )
        except MemoryError:
            raise Refusal(Reason.MEMORY, limit=limits.memory_mb) from None
        write_reply(grids, target)
    except Refusal as refusal:
        write_refusal(refusal, target)
