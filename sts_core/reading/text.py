"""Text tables: encoding, delimiter and records, found from the bytes alone."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from sts_core.reading.refusal import Reason, Refusal

DELIMITERS = ",;\t|"
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_SAMPLE_RUNS = 20_000
# Under a wrong reading, few characters are among the common ones of the language.
_MIN_COMMON_SHARE = 0.75
_RIVAL_MARGIN = 0.08
_COMMENT_MARKS = ("#", "//", "*", "%")
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_RECORDS = 200
_MAX_FIELD = 1_000_000
_SENTINEL = "\ue000end\ue000"


@dataclass(frozen=True, slots=True)
class DecodedText:
    """Text of a file.

    Parameters
    ----------
    text
        All of it.
    encoding
        How it was read.
    assumed
        The encoding is a guess that the bytes don't prove.
    n_damaged
        Byte sequences that are not in the encoding, each now U+FFFD.
    rival
        Another encoding that fits nearly as well; blank when there is none.
    """

    text: str
    encoding: str
    assumed: bool = False
    n_damaged: int = 0
    rival: str = ""


def decode(data: bytes) -> DecodedText:
    """Find the encoding among Unicode, GB 18030, Big5, Shift-JIS and Windows-1252.

    Raises
    ------
    Refusal
        If the bytes are no text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _checked(_with_damage(data, encoding))
    if b"\x00" in data[:8192]:
        return _checked(_unmarked_utf16(data))
    try:
        return _checked(DecodedText(data.decode("utf-8"), "utf-8"))
    except UnicodeDecodeError:
        pass
    damaged = _with_damage(data, "utf-8")
    n_beyond_ascii = sum(1 for character in damaged.text if character > "\x7f") - damaged.n_damaged
    if n_beyond_ascii > 10 * damaged.n_damaged:
        return _checked(damaged)
    east_asian = _east_asian(data)
    if east_asian is not None:
        return _checked(east_asian)
    try:
        return _checked(DecodedText(data.decode("cp1252"), "cp1252", assumed=True))
    except UnicodeDecodeError:
        raise Refusal(Reason.NOT_TEXT) from None


def _east_asian(data: bytes) -> DecodedText | None:
    """Read as Chinese or Japanese if nearly all characters are then common ones."""
    found: list[tuple[float, str, str]] = []
    for encoding, common in _COMMON_BYTES.items():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        found.append((_commonness(text, encoding, common), encoding, text))
    found.sort(key=lambda item: -item[0])
    if not found or found[0][0] < _MIN_COMMON_SHARE:
        return None
    score, encoding, text = found[0]
    rivals = [name for other, name, _ in found[1:] if other > score - _RIVAL_MARGIN]
    return DecodedText(text, encoding, assumed=True, rival=rivals[0] if rivals else "")


def _commonness(text: str, encoding: str, common: Callable[[bytes], float]) -> float:
    """Give the mean weight of the characters beyond ASCII; 0 when they stand in Latin words."""
    runs = list(islice(_BEYOND_ASCII.finditer(text), _SAMPLE_RUNS))
    if not runs:
        return 0.0
    # An accent of a Western language stands alone between letters.
    in_words = sum(
        match.end() - match.start() == 1
        and (
            text[max(match.start() - 1, 0) : match.start()].isalpha()
            or text[match.end() : match.end() + 1].isalpha()
        )
        for match in runs
    )
    if in_words > len(runs) / 2:
        return 0.0
    characters = "".join(match.group() for match in runs)
    return sum(common(sign.encode(encoding)) for sign in characters) / len(characters)


def _common_gb(sign: bytes) -> float:
    if len(sign) != 2 or sign[1] < 0xA1:
        return 0.1
    if 0xB0 <= sign[0] <= 0xD7 or sign[0] <= 0xA9:
        return 1.0
    return 0.6 if sign[0] <= 0xF7 else 0.1


def _common_big5(sign: bytes) -> float:
    if len(sign) != 2:
        return 0.1
    return 1.0 if 0xA1 <= sign[0] <= 0xC6 else 0.6


def _common_shift_jis(sign: bytes) -> float:
    if len(sign) != 2:
        return 0.3
    return 1.0 if 0x81 <= sign[0] <= 0x83 or 0x88 <= sign[0] <= 0x97 else 0.5


# The first level of each character set holds the common characters.
_COMMON_BYTES: dict[str, Callable[[bytes], float]] = {
    "gb18030": _common_gb,
    "cp950": _common_big5,
    "cp932": _common_shift_jis,
}


def _with_damage(data: bytes, encoding: str) -> DecodedText:
    text = data.decode(encoding, errors="replace")
    name = "utf-8" if encoding == "utf-8-sig" else encoding
    return DecodedText(text, name, n_damaged=text.count("\ufffd"))


def _unmarked_utf16(data: bytes) -> DecodedText:
    head = data[:8192]
    even, odd = head[::2].count(0), head[1::2].count(0)
    try:
        if odd and not even:
            return DecodedText(data.decode("utf-16-le"), "utf-16-le", assumed=True)
        if even and not odd:
            return DecodedText(data.decode("utf-16-be"), "utf-16-be", assumed=True)
    except UnicodeDecodeError:
        pass
    raise Refusal(Reason.NOT_TEXT)


def _checked(decoded: DecodedText) -> DecodedText:
    text = decoded.text
    if not text.strip(" \t\r\n\f\v\ufeff"):
        raise Refusal(Reason.EMPTY)
    if "\x00" in text or decoded.n_damaged * 20 > len(text):
        raise Refusal(Reason.NOT_TEXT)
    head = text[:_SAMPLE_CHARACTERS]
    if len(_CONTROL.findall(head)) * 200 > len(head):
        raise Refusal(Reason.NOT_TEXT)
    return decoded


def stated_delimiter(text: str) -> tuple[str | None, int]:
    """Read Excel's ``sep=;`` line; give the delimiter and where the table begins."""
    found = re.match(r"\ufeff?\"?sep=(.)\"?[ \t]*(?:\r\n|\r|\n)", text, re.IGNORECASE)
    return (found[1], found.end()) if found else (None, 0)


def find_delimiter(text: str, preferred: str = ",") -> str:
    """Find the delimiter that cuts the records most evenly and the column names into words.

    Parameters
    ----------
    text
        The table, or its beginning.
    preferred
        Taken when there is nothing to choose by.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    if len(sample) < len(text):
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    best, best_score = preferred, (0.0, 0.0, 0)
    for delimiter in dict.fromkeys(preferred + DELIMITERS):
        score = _delimiter_score(sample, delimiter)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _delimiter_score(sample: str, delimiter: str) -> tuple[float, float, int]:
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            comment = not records and record and record[0].lstrip().startswith(_COMMENT_MARKS)
            if any(record) and not comment:
                records.append(record)
            if len(records) == _SAMPLE_RECORDS:
                break
    except csv.Error:
        return (0.0, 0.0, 0)
    widths = Counter(len(record) for record in records if len(record) > 1)
    if not widths:
        return (0.0, 0.0, 0)
    width, n_even = max(widths.items(), key=lambda item: (item[1], item[0]))
    first = next(record for record in records if len(record) > 1)
    names = [cell for cell in first if cell.strip()]
    n_words = sum(1 for cell in names if any(sign.isalpha() for sign in cell))
    # Title and comment lines are few; a decimal comma misses the names and the blank cells.
    even = n_even / len(records)
    begins_with_names = float(len(first) == width) * n_words / max(len(names), 1)
    return (round(even * (0.5 + begins_with_names), 1), round(even, 2), width)


@dataclass(frozen=True, slots=True)
class Records:
    """A run of records of a text table.

    Attributes
    ----------
    first
        Row number of the first as a spreadsheet would show it; blank lines count.
    cells
        Cells of each record.
    n_lines
        Lines that each takes; ``None`` where each takes one.
    """

    first: int
    cells: list[list[str]]
    n_lines: list[int] | None = None


def records(text: str, delimiter: str, n_at_once: int = 100) -> Iterator[Records]:
    """Give the records of a text table, many at once.

    Parameters
    ----------
    text
        The table.
    delimiter
        One character.
    n_at_once
        Lines that are taken at once; few, so that their cells are still near when they are coded.

    Raises
    ------
    Refusal
        If a quotation mark is opened and never closed, or one cell is longer than a million
        characters, which mostly has the same cause.
    """
    csv.field_size_limit(_MAX_FIELD)
    stream = io.StringIO(text, newline="")
    row, line = 1, 1
    while block := list(islice(stream, n_at_once)):
        found = _one_a_line(block, delimiter)
        n_lines: list[int] | None = None
        if found is None:
            found, n_lines = _one_by_one(block, stream, delimiter, row, line)
        yield Records(row, found, n_lines)
        row += len(found)
        line += len(block) if n_lines is None else sum(n_lines)


def _one_a_line(block: list[str], delimiter: str) -> list[list[str]] | None:
    """Cut lines into cells; ``None`` when a record goes beyond its line."""
    quoted = [line for line in block if '"' in line]
    try:
        records = list(csv.reader(chain(quoted, (_SENTINEL,)), delimiter=delimiter))
    except csv.Error:
        return None
    # fewer records than lines: a quotation mark is open at the end of one
    if len(records) != len(quoted) + 1 or records.pop() != [_SENTINEL]:
        return None
    if max(map(len, block)) > _MAX_FIELD:
        return None
    # most lines have no quotation mark, and nothing else hides a delimiter
    of_quoted = iter(records)
    return [next(of_quoted) if '"' in line else _cut(line, delimiter) for line in block]


def _cut(line: str, delimiter: str) -> list[str]:
    """Cut a line that has no quotation mark."""
    bare = line.rstrip("\r\n")
    return bare.split(delimiter) if bare else []


def _one_by_one(
    block: list[str], stream: Iterator[str], delimiter: str, row: int, line: int
) -> tuple[list[list[str]], list[int]]:
    """Cut the records that begin in these lines, and say how many lines each takes."""
    reader = csv.reader(chain(block, stream, (_SENTINEL,)), delimiter=delimiter)
    found: list[list[str]] = []
    n_lines: list[int] = []
    before = 0
    try:
        for record in reader:
            if record == [_SENTINEL]:  # a lone mark in the last line
                break
            if record and record[-1].endswith(_SENTINEL):
                raise Refusal(Reason.UNCLOSED_QUOTE, row=row + len(found), line=line + before)
            found.append(record)
            n_lines.append(reader.line_num - before)
            before = reader.line_num
            if before >= len(block):
                break
    except csv.Error:
        place = {"row": row + len(found), "line": line + before}
        raise Refusal(Reason.LONG_CELL, **place, limit=_MAX_FIELD) from None
    return found, n_lines
