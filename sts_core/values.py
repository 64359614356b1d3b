"""Cells to text, numbers and dates: the same reading everywhere, never a guess in silence.

A cell is what a file reader gives: text, number, boolean, date, or ``None``. Columns are read by
their distinct values, so that 200,000 rows cost no more than their variety.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pandas as pd

DateOrder = Literal["ymd", "dmy", "mdy"]
DATE_ORDERS: tuple[DateOrder, ...] = ("ymd", "dmy", "mdy")

# Codes that mean "not known" in any column. Words that may be a level ("none") are not here.
MISSING_CODES = frozenset(
    {
        "", ".", "-", "--", "?", "na", "n/a", "#n/a", "#n/a n/a", "nan", "null", "nil",
        "unk", "unknown", "[unknown]", "not known", "not available", "[not available]",
        "[not applicable]", "[not evaluated]", "missing", "not recorded", "nk", "nd",
        "unbekannt", "nicht bekannt", "keine angabe", "keine angaben", "k.a.", "fehlt",
        "inconnu", "inconnue", "non connu", "non renseigné", "non renseignée", "non renseigne",
        "non précisé", "non precise", "donnée manquante", "manquant",
        "desconocido", "desconocida", "no conocido", "no consta", "sin dato", "sin datos", "s/d",
        "n/d", "n.d.", "no disponible", "non noto", "non nota", "sconosciuto", "sconosciuta",
        "non disponibile", "mancante", "desconhecido", "desconhecida", "não informado", "ignorado",
        "não disponível", "sem informação", "sem dados",
        "未知", "不详", "缺失", "无数据", "不明",
    }
)  # fmt: skip

_TEXTS_AND_BLANKS = {"string", "empty"}
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_SERIAL_RANGE = (3_654.0, 73_050.0)  # 1910 .. 2099: a smaller number is no date
_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
# Groups of three digits; one group after a point or comma may be decimals in the other country.
_GROUPED = {
    ".": re.compile(r"^[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+|(?:[\s'’]\d{3})+)(\.\d+)?$"),
    ",": re.compile(
        r"^[+-]?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,}|(?:[\s'’]\d{3})+(?:,\d+)?)$"
    ),
}
# What a comma as decimal mark and a point that parts thousands, both stated, make of one group.
_STATED_GROUPS = re.compile(r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?$")
# In a column of dates these say that there is none; elsewhere they may be a level.
NO_DATE = frozenset(
    {
        "none", "no", "never", "not yet", "nil", "no event", "no progression", "no recurrence",
        "no relapse", "not progressed", "not reached", "alive", "not dead", "/", "—", "——",
        "nein", "kein", "keine", "keiner", "kein progress", "kein rezidiv", "lebt",
        "non", "aucun", "aucune", "jamais", "pas de progression", "sans progression", "vivant",
        "vivante", "en vie", "ninguno", "ninguna", "sin progresión", "no progresión", "vivo",
        "viva", "nessuno", "nessuna", "nessuna progressione", "não", "nao", "nenhum", "nenhuma",
        "sem progressão",
        "无", "没有", "否", "未", "未发生", "未进展", "无进展", "未复发", "无复发", "未死亡",
        "未见", "存活",
    }
)  # fmt: skip
_DATE_PARTS = re.compile(
    r"^\s*(\d{1,4})\s*[-/.年\s]\s*(\d{1,2})\s*[-/.月\s]\s*(\d{1,4})\s*日?"
    r"(?:[T\s]+\d{1,2}[:时]\d{1,2}(?:[:分]\d{1,2}(?:\.\d+)?秒?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?\s*$"
)
_SHORT_DATE = re.compile(
    r"^\s*(\d{1,2})\s*[-/.年\s]\s*(\d{1,2})\s*[-/.月\s]\s*(\d{1,2})\s*日?"
    r"(?:[T\s]+\d{1,2}[:时]\d{1,2}(?:[:分]\d{1,2}(?:\.\d+)?秒?)?)?\s*$"
)
_SHORT_NAMED_MONTH = re.compile(r"^\s*(\d{1,2})[-\s/.]*([^\W\d_]{3,10})\.?[-\s/.,]*(\d{2})\s*$")
_COMPACT_DATE = re.compile(r"^(19|20)\d{6}$")
_NAMED_MONTH = re.compile(
    r"^\s*(\d{1,2})(?:er|\.|º)?[-\s/.]*(?:de\s+)?([^\W\d_]{3,10})\.?[-\s/.,]*(?:de\s+)?(\d{4})\s*$"
)
_NAMED_MONTH_FIRST = re.compile(r"^\s*([^\W\d_]{3,10})\.?\s+(\d{1,2}),?\s+(\d{4})\s*$")
_MONTHS = {
    name: number
    for names in (
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        ("jan", "feb", "mrz", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"),
        ("jan", "fev", "mar", "avr", "mai", "juin", "juil", "aou", "sep", "oct", "nov", "dec"),
        ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "set", "oct", "nov", "dic"),
        ("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"),
        ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"),
    )
    for number, name in enumerate(names, 1)
}


def _month_of(word: str) -> int | None:
    """Give the month that a word begins with, in the languages of the word lists."""
    parts = unicodedata.normalize("NFD", word.casefold())
    plain = "".join(sign for sign in parts if not unicodedata.combining(sign))
    return _MONTHS.get(plain[:4]) or _MONTHS.get(plain[:3])


def text_of(cell: object) -> str | None:
    """Give a cell as canonical text, or ``None`` for a blank one.

    Whole numbers lose their ``.0``, dates are ISO, booleans are ``true``/``false``; text loses
    outer and repeated blanks. Two cells mean the same level when these texts are equal.
    """
    if cell is None:
        return None
    if isinstance(cell, str):
        if " " not in cell and cell.isprintable():  # no other blank is printable
            return cell or None
        return " ".join(cell.split()) or None
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    if isinstance(cell, int | np.integer):
        return str(int(cell))
    if isinstance(cell, float | np.floating):
        number = float(cell)
        if math.isnan(number):
            return None
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if isinstance(cell, dt.datetime):
        if pd.isna(cell):  # NaT is a datetime
            return None
        midnight = cell.time() == dt.time(0)
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def is_missing(text: str | None, codes: frozenset[str] = MISSING_CODES) -> bool:
    """Say whether a canonical text means "not known"."""
    return text is None or text.casefold() in codes


def says_no_date(cell: object) -> bool:
    """Say whether a cell of a column of dates states that there is no date ("none", "无")."""
    return (
        isinstance(cell, str)
        and not "0" <= cell[:1] <= "9"
        and " ".join(cell.split()).casefold() in NO_DATE
    )


def missing_codes(*extra: Iterable[str]) -> frozenset[str]:
    """Give the common missing codes and those that a study adds."""
    return MISSING_CODES | {code.strip().casefold() for codes in extra for code in codes}


class DistinctCells(NamedTuple):
    """The different cells of a column, and for each row the place of its cell among them."""

    cells: list[Any]
    place: np.ndarray


Cells = pd.Series | DistinctCells
"""A column: as it stands, or looked through before."""


def distinct_cells(cells: Cells) -> DistinctCells:
    """Give the different cells of a column, in the order of its rows.

    Values of different type are never confused (``True``, ``1`` and ``1.0`` are told apart).
    """
    if isinstance(cells, DistinctCells):
        return cells
    column = cells.to_numpy(dtype=object)
    if pd.api.types.infer_dtype(column, skipna=True) in _TEXTS_AND_BLANKS:
        return _distinct_texts(column)
    values = column.tolist()
    types = set(map(type, values))
    numeric = [kind for kind in types if issubclass(kind, int | float | np.number | np.bool_)]
    if len(numeric) > 1:  # 1 == 1.0 == True would be one key
        keys: list[Any] = list(zip(map(type, values), values, strict=True))
    else:
        keys = values
    place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    codes = np.fromiter(map(place.__getitem__, keys), dtype=np.int64, count=len(keys))
    distinct = [key[1] for key in place] if len(numeric) > 1 else list(place)
    return DistinctCells(distinct, codes)


def _distinct_texts(column: np.ndarray) -> DistinctCells:
    """Give the different cells of a column of texts and blanks, in the order of the rows."""
    codes, found = pd.factorize(column)
    distinct: list[Any] = found.tolist()
    place = codes.astype(np.int64)
    blank = place < 0
    if blank.any():
        first = int(np.argmax(blank))
        at = int(place[:first].max(initial=-1)) + 1
        distinct.insert(at, None)
        place[place >= at] += 1
        place[blank] = at
    return DistinctCells(distinct, place)


def texts(cells: Cells, codes: frozenset[str] = MISSING_CODES) -> np.ndarray:
    """Canonical texts of a column, ``None`` where missing; object array of its length."""
    distinct, place = distinct_cells(cells)
    read = np.empty(len(distinct), dtype=object)
    # Folding case never makes a text shorter, and most are longer than any code.
    longest = max(map(len, codes), default=0)
    read[:] = [
        text if text is not None and (len(text) > longest or text.casefold() not in codes) else None
        for text in map(text_of, distinct)
    ]
    out: np.ndarray = read[place]
    return out


def number_of(cell: object, decimal: str = ".") -> float | None:
    """Read a cell as a finite number, or ``None``; booleans and dates are no numbers.

    Parameters
    ----------
    cell
        A number, or text.
    decimal
        Decimal mark of text, "." or ","; ",." states that points part thousands, so that "1.500" is
        1500. Otherwise such a text can't be told from one and a half, and is no number.
    """
    if isinstance(cell, bool | np.bool_):
        return None
    if isinstance(cell, int | float | np.integer | np.floating):
        number = float(cell)
        return number if math.isfinite(number) else None
    if not isinstance(cell, str):
        return None
    if decimal == "." and _NUMBER.match(cell):  # as most numbers are written
        number = float(cell)
        return number if math.isfinite(number) else None
    text = cell.strip().replace("\N{MINUS SIGN}", "-")
    if text.endswith("岁"):  # an age: no other unit is taken off, since columns mix them
        text = text[:-1].removesuffix("周").rstrip()
    comma = decimal.startswith(",")
    stated = decimal == ",." and _STATED_GROUPS.match(text)
    if stated or _GROUPED["," if comma else "."].match(text):
        plain = re.sub(r"[\s'’]", "", text)
        plain = plain.replace(".", "") if comma else plain.replace(",", "")
        return float(plain.replace(",", "."))
    if comma:
        if "." in text:  # 1.500 may be fifteen hundred
            return None
        text = text.replace(",", ".") if text.count(",") == 1 else text
    if not _NUMBER.match(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def date_of(cell: object, order: DateOrder | None = None) -> dt.date | None:
    """Read a cell as a calendar date, or ``None``.

    Parameters
    ----------
    cell
        A date, an Excel serial number, or text. Times of day are dropped.
    order
        Order of text such as ``3/4/2021``; ISO, Chinese and named-month text need none.
    """
    if isinstance(cell, dt.datetime):
        return None if pd.isna(cell) else cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, bool | np.bool_):
        return None
    if isinstance(cell, int | float | np.integer | np.floating):
        return _serial_date(float(cell))
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    if len(text) == 10 and text[4] == text[7] == "-":
        with suppress(ValueError):
            return dt.date.fromisoformat(text)
    if match := _DATE_PARTS.match(text):
        return _date_from_parts(*match.groups()[:3], order=order)
    if _COMPACT_DATE.match(text):
        return _date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if match := _NAMED_MONTH.match(text):
        month = _month_of(match[2])
        return _date(int(match[3]), month, int(match[1])) if month else None
    if match := _NAMED_MONTH_FIRST.match(text):
        month = _month_of(match[1])
        return _date(int(match[3]), month, int(match[2])) if month else None
    number = number_of(text)
    return _serial_date(number) if number is not None and len(text) >= 5 else None


def date_in_both_orders(cell: object) -> tuple[dt.date | None, dt.date | None]:
    """Read a text of day, month and year as ``dmy`` and as ``mdy``; ``None`` where that is none."""
    match = _DATE_PARTS.match(cell) if isinstance(cell, str) else None
    if match is None:
        return None, None
    first, second, third = match.groups()[:3]
    return (
        _date_from_parts(first, second, third, order="dmy"),
        _date_from_parts(first, second, third, order="mdy"),
    )


def date_of_short_year(cell: object, order: DateOrder, last_year: int) -> dt.date | None:
    """Read a text whose year has two digits; ``None`` for every other cell.

    Parameters
    ----------
    cell
        Text such as ``3/4/21``, ``21年3月4日`` or ``04-Mar-21``.
    order
        Order of day, month and year; a month in words needs none.
    last_year
        The latest year that can be meant: under 2026, "26" is 2026 and "27" is 1927.
    """
    if not isinstance(cell, str):
        return None
    if match := _SHORT_DATE.match(cell):
        first, second, third = match.groups()
        places = {"dmy": (third, second, first), "mdy": (third, first, second)}
        year, month, day = places.get(order, (first, second, third))
    elif (match := _SHORT_NAMED_MONTH.match(cell)) and (named := _month_of(match[2])):
        year, month, day = match[3], str(named), match[1]
    else:
        return None
    if len(year) != 2:
        return None
    return _date(last_year - (last_year - int(year)) % 100, int(month), int(day))


_YEAR_MONTH = re.compile(r"^\s*(\d{4})\s*(?:[-/.]|年)\s*(\d{1,2})\s*月?\s*$")
_MONTH_YEAR = re.compile(r"^\s*(\d{1,2})\s*[-/.]\s*(\d{4})\s*$")
_NAMED_MONTH_YEAR = re.compile(r"^\s*([^\W\d_]{3,10})\.?[-\s/.,]*(\d{4})\s*$")
_YEAR = re.compile(r"^\s*((?:19|20)\d{2})\s*年?\s*$")
IncompleteRule = Literal["leave_out", "first", "middle", "last"]


def incomplete_date_of(cell: object) -> tuple[int, int | None] | None:
    """Read a cell as year and month, or as a year alone (month ``None``); else ``None``.

    Only for columns of dates: elsewhere 2021 is a number.
    """
    if isinstance(cell, bool | np.bool_):
        return None
    if isinstance(cell, int | float | np.integer | np.floating):
        number = float(cell)
        return (int(number), None) if number.is_integer() and 1900 <= number < 2100 else None
    if not isinstance(cell, str):
        return None
    month: int | None
    if match := _YEAR_MONTH.match(cell):
        year, month = int(match[1]), int(match[2])
    elif match := _MONTH_YEAR.match(cell):
        year, month = int(match[2]), int(match[1])
    elif (match := _NAMED_MONTH_YEAR.match(cell)) and (named := _month_of(match[1])):
        year, month = int(match[2]), named
    elif match := _YEAR.match(cell):
        year, month = int(match[1]), None
    else:
        return None
    known = 1900 <= year < 2100 and (month is None or 1 <= month <= 12)
    return (year, month) if known else None


def filled_date(year: int, month: int | None, rule: IncompleteRule) -> dt.date | None:
    """Give the day that a rule puts in place of the missing day, or month and day."""
    match rule:
        case "first":
            return dt.date(year, month or 1, 1)
        case "middle":
            return dt.date(year, 7, 1) if month is None else dt.date(year, month, 15)
        case "last":
            last = month or 12
            return dt.date(year, last, calendar.monthrange(year, last)[1])
        case _:
            return None


def _serial_date(number: float) -> dt.date | None:
    if not math.isfinite(number) or not _SERIAL_RANGE[0] <= number <= _SERIAL_RANGE[1]:
        return None
    return _EXCEL_EPOCH + dt.timedelta(days=math.floor(number))


def _date_from_parts(
    first: str, second: str, third: str, *, order: DateOrder | None
) -> dt.date | None:
    if len(first) >= 3:
        return _date(int(first), int(second), int(third)) if len(first) == 4 else None
    if len(third) != 4:
        return None
    if order == "mdy":
        return _date(int(third), int(first), int(second))
    return _date(int(third), int(second), int(first)) if order == "dmy" else None


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def date_orders(cells: Cells, codes: frozenset[str] = MISSING_CODES) -> tuple[DateOrder, ...]:
    """Give every order under which each known cell of a column is a date.

    One order: the column reads one way. Two: it must be asked. None: not a date column.
    """
    different, _ = distinct_cells(cells)
    distinct = [cell for cell in different if not is_missing(text_of(cell), codes)]
    if not distinct:
        return ()
    dateless = [cell for cell in distinct if date_of(cell, None) is None]
    if not dateless:
        return ("ymd",)
    return tuple(
        order
        for order in ("dmy", "mdy")
        if all(date_of(cell, order) is not None for cell in dateless)
    )


@dataclass(frozen=True, slots=True, eq=False)
class ReadColumn:
    """A column read as numbers or dates.

    Attributes
    ----------
    values
        ``float64`` (NaN for none) or ``datetime64[D]`` (NaT for none), one a row.
    missing
        Rows whose cell means "not known".
    unreadable
        Rows whose cell holds something else than was asked for.
    incomplete
        Rows whose date lacks its day, or month and day; filled in by a rule, or unreadable.
        None of them for numbers.
    """

    values: np.ndarray
    missing: np.ndarray
    unreadable: np.ndarray
    incomplete: np.ndarray

    def for_all(self) -> Self:
        """Give itself, to be kept and shared: its arrays can't be changed any more."""
        for shared in (self.values, self.missing, self.unreadable, self.incomplete):
            shared.setflags(write=False)
        return self


def numbers(
    cells: Cells, *, decimal: str = ".", codes: frozenset[str] = MISSING_CODES
) -> ReadColumn:
    """Read a column as numbers."""
    coded = {code for code in codes if _NUMBER.match(code)}

    def convert(cell: object) -> tuple[float, bool, bool]:
        # most cells are plain numbers, which only a code that is a number can mark as missing
        if type(cell) is str and _NUMBER.fullmatch(cell):
            if coded and cell.casefold() in coded:
                return math.nan, True, False
            if decimal == "." and math.isfinite(plain := float(cell)):
                return plain, False, False
        if is_missing(text_of(cell), codes):
            return math.nan, True, False
        number = number_of(cell, decimal)
        return (math.nan if number is None else number), False, False

    return _read(cells, convert, np.dtype("float64"))


def dates(
    cells: Cells,
    *,
    order: DateOrder | None = None,
    codes: frozenset[str] = MISSING_CODES,
    incomplete: IncompleteRule = "leave_out",
) -> ReadColumn:
    """Read a column as calendar dates.

    Parameters
    ----------
    cells
        The column.
    order
        Order of day, month and year in text.
    codes
        Texts that mean "not known".
    incomplete
        What becomes of "2021-05" and "2021".
    """
    no_digit = not any(code[:1].isdigit() for code in codes)

    def convert(cell: object) -> tuple[dt.date | None, bool, bool]:
        # most cells are dates that begin with a digit, as hardly any code does
        known = no_digit and type(cell) is str and "0" <= cell[:1] <= "9"
        if not known and is_missing(text_of(cell), codes):
            return None, True, False
        date = date_of(cell, order)
        if date is not None:
            return date, False, False
        if says_no_date(cell):
            return None, True, False
        partial = incomplete_date_of(cell)
        return (
            (None if partial is None else filled_date(*partial, incomplete)),
            False,
            (partial is not None),
        )

    return _read(cells, convert, np.dtype("datetime64[D]"))


def _read(cells: Cells, convert: Callable[[object], Any], dtype: np.dtype[Any]) -> ReadColumn:
    """Read each different cell once: to its value, whether it is missing, whether incomplete."""
    distinct, place = distinct_cells(cells)
    read = [convert(cell) for cell in distinct]
    values = np.array([value for value, _, _ in read], dtype=dtype)[place]
    missing = np.array([gone for _, gone, _ in read], dtype=bool)[place]
    incomplete = np.array([partial for _, _, partial in read], dtype=bool)[place]
    unknown = np.isnat(values) if dtype.kind == "M" else np.isnan(values)
    return ReadColumn(values, missing, unknown & ~missing, incomplete)
