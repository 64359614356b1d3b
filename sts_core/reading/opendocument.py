"""Look into the content of an OpenDocument spreadsheet: errors, merged and hidden cells."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from xml.parsers import expat

from sts_core.reading.compound import RecordScan

_CHUNK = 1 << 20
_MAX_LISTED = 1000
_MAX_MERGED = 100_000
# Most files hold none of it; then the slow look at every element is spared.
_MARKS = (
    b'value-type="error"', b'visibility="collapse"', b'visibility="filter"', b"-spanned=",
)  # fmt: skip
_LONGEST_MARK = 64


class _EntityError(Exception):
    """The content declares entities, as no spreadsheet program does."""


@dataclass(slots=True)
class _State:
    row: int = 1
    column: int = 1
    row_repeat: int = 1


def scan_content(archive: zipfile.ZipFile) -> list[RecordScan]:
    """Scan each sheet, in the order of the file; nothing for a content that can't be parsed."""
    try:
        if not _has_marks(archive):
            return []
        return _scan(archive)
    except (
        KeyError, RuntimeError, expat.ExpatError, _EntityError, ValueError, OSError, EOFError,
        zipfile.BadZipFile, zlib.error, NotImplementedError,
    ):  # fmt: skip
        return []  # the reader says what is wrong


def _has_marks(archive: zipfile.ZipFile) -> bool:
    carried = b""
    with archive.open("content.xml") as stream:
        while chunk := stream.read(_CHUNK):
            buffer = carried + chunk
            if any(mark in buffer for mark in _MARKS):
                return True
            carried = buffer[-_LONGEST_MARK:]
    return False


def _scan(archive: zipfile.ZipFile) -> list[RecordScan]:
    scans: list[RecordScan] = []
    state = _State()

    def start(name: str, about: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "table":
            scans.append(RecordScan())
            state.row = state.column = 1
        elif not scans:
            return
        elif kind == "table-column":
            repeat = _repeat(about, "columns")
            if _is_hidden(about):
                scans[-1].hidden_columns.append((state.column, state.column + repeat - 1))
            state.column += repeat
        elif kind == "table-row":
            state.row_repeat = _repeat(about, "rows")
            state.column = 1
            if _is_hidden(about):
                last = min(state.row + state.row_repeat, state.row + _MAX_LISTED)
                scans[-1].hidden_rows.extend(range(state.row, last))
        elif kind in ("table-cell", "covered-table-cell"):
            repeat = _repeat(about, "columns")
            if about.get("calcext:value-type") == "error":
                scans[-1].n_errors += repeat * state.row_repeat
                if len(scans[-1].errors) < _MAX_LISTED:
                    scans[-1].errors.append((state.row, state.column))
            wide, high = _count(about, "columns-spanned"), _count(about, "rows-spanned")
            if max(wide, high) > 1 and len(scans[-1].merged) < _MAX_MERGED:
                scans[-1].merged.append(
                    [state.row, state.column, state.row + high - 1, state.column + wide - 1]
                )
            state.column += repeat

    def end(name: str) -> None:
        if name.rpartition(":")[2] == "table-row":
            state.row += state.row_repeat

    def refuse(*_: object) -> None:
        raise _EntityError

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.EntityDeclHandler = refuse
    with archive.open("content.xml") as stream:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)
    return scans


def _repeat(about: dict[str, str], what: str) -> int:
    return _count(about, f"{what}-repeated")


def _count(about: dict[str, str], what: str) -> int:
    return int(about.get(f"table:number-{what}", "1"))


def _is_hidden(about: dict[str, str]) -> bool:
    return about.get("table:visibility") in ("collapse", "filter")
