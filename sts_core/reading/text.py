"""Text tables: encoding, delimiter and records, found from the bytes alone."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

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
# Under a wrong Chinese reading of Western text, almost no character is in the common set GB 2312.
_MIN_COMMON_SHARE = 0.8
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_RECORDS = 200
_MAX_FIELD = 1_000_000
_NUMBER = re.compile(r"\s*[-+]?[\d.,]*\d\s*%?\s*")
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
    """

    text: str
    encoding: str
    assumed: bool = False
    n_damaged: int = 0


def decode(data: bytes) -> DecodedText:
    """Find the encoding among Unicode, GB 18030 and Windows-1252.

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
    try:
        chinese = data.decode("gb18030")
    except UnicodeDecodeError:
        chinese = ""
    beyond_ascii = [character for character in chinese if character > "\x7f"]
    if beyond_ascii:
        common = "".join(beyond_ascii).encode("gb2312", errors="ignore")
        if len(common) / 2 >= _MIN_COMMON_SHARE * len(beyond_ascii):
            return _checked(DecodedText(chinese, "gb18030", assumed=True))
    try:
        return _checked(DecodedText(data.decode("cp1252"), "cp1252", assumed=True))
    except UnicodeDecodeError:
        raise Refusal(Reason.NOT_TEXT) from None


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
            if any(record):
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
    n_words = sum(1 for cell in names if not _NUMBER.fullmatch(cell))
    # Title and comment lines are few; a decimal comma misses the names and the blank cells.
    even = n_even / len(records)
    begins_with_names = float(len(first) == width) * n_words / max(len(names), 1)
    return (round(even * (0.5 + begins_with_names), 1), round(even, 2), width)


def records(text: str, delimiter: str) -> Iterator[tuple[int, list[str], int]]:
    """Give each record with its row number as a spreadsheet would show it.

    Parameters
    ----------
    text
        The table.
    delimiter
        One character.

    Yields
    ------
    tuple
        Row number from 1 (blank lines count), the cells, and how many lines they take.

    Raises
    ------
    Refusal
        If a quotation mark is opened and never closed, or one cell is longer than a million
        characters, which has the same cause.
    """
    csv.field_size_limit(_MAX_FIELD)
    stream = io.StringIO(text, newline="")

    def lines() -> Iterator[str]:
        yield from stream
        yield _SENTINEL

    reader = csv.reader(lines(), delimiter=delimiter)
    number, began = 0, 1
    try:
        for record in reader:
            number += 1
            if record == [_SENTINEL]:
                return
            if record and record[-1].endswith(_SENTINEL):
                raise Refusal(Reason.UNCLOSED_QUOTE, row=number, line=began)
            yield number, record, reader.line_num - began + 1
            began = reader.line_num + 1
    except csv.Error:
        raise Refusal(Reason.UNCLOSED_QUOTE, row=number + 1, line=began) from None
