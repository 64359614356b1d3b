"""Which columns identify a person or have no place in an analysis, by headers and by cells."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import islice

from sts_core.findings import Finding, FindingCode, Severity
from sts_core.reading.profile import Profile
from sts_core.reading.sheet import Sheet, profile_sheet
from sts_core.reading.vocabulary import Match, Phrases, Words, is_chinese, read_words, words_of
from sts_core.reading.workbook import RawTable
from sts_core.values import DATE_ORDERS, date_of


class PrivateKind(StrEnum):
    """Why a column is left out."""

    NAME = "name"
    RECORD_NUMBER = "record_number"
    IDENTITY_NUMBER = "identity_number"
    CONTACT = "contact"
    BIRTH_DATE = "birth_date"
    FREE_TEXT = "free_text"
    NO_PLACE = "no_place"
    DECLARED = "declared"
    BY_HAND = "by_hand"


KIND_WORDS: dict[PrivateKind, str] = {
    PrivateKind.NAME: "names of persons",
    PrivateKind.RECORD_NUMBER: "a record number",
    PrivateKind.IDENTITY_NUMBER: "identity numbers",
    PrivateKind.CONTACT: "a way to reach a person",
    PrivateKind.BIRTH_DATE: "dates of birth",
    PrivateKind.FREE_TEXT: "free text",
    PrivateKind.NO_PLACE: "something that has no place in the analysis",
    PrivateKind.DECLARED: "what the data dictionary marks as identifying",
    PrivateKind.BY_HAND: "what you chose to leave out",
}


# Concept of headers in which a phrase of another concept happens to stand.
_HARMLESS = "harmless"

#: Column of the patient table that takes the place of a date of birth.
AGE_COLUMN = "Age (from the date of birth)"


@dataclass(frozen=True, slots=True)
class PrivateColumn:
    """A column that the gate leaves out.

    Attributes
    ----------
    column
        Its header.
    kind
        What it seems to hold.
    why
        What speaks for it, in words; never a value.
    """

    column: str
    kind: PrivateKind
    why: str


# A pattern decides when so many of the known cells have it, and so many cells there are.
_MOST = 0.6
_FEWEST = 5
# Names and free text hardly ever repeat.
_DISTINCT = 0.8
_FEWEST_NAMES = 10
_LONG_TEXT = 40.0
_LOOKED_AT = 400

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$")
_MOBILE = re.compile(r"^(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}$")
_PHONE = re.compile(r"^(?:\+\d{1,3}[ /-]?)?\(?\d{2,5}\)?(?:[ /-]\d{2,8}){1,4}$")
_CHINESE_ID = re.compile(r"^\d{17}[\dXx]$")
_SSN = re.compile(r"^\d{3}-\d{2}-\d{4}$")
_NHS = re.compile(r"^\d{3}[ -]\d{3}[ -]\d{4}$")
_CHINESE_NAME = re.compile(r"^[一-鿿]{2,4}$")
_COMMA_NAME = re.compile(r"^[A-ZÀ-Þ][\w'’-]+, ?[A-ZÀ-Þ][\w'’.-]+(?: [A-ZÀ-Þ][\w'’.-]*)?$")
_CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


@lru_cache(maxsize=1)
def _words() -> tuple[Phrases, frozenset[str]]:
    document = read_words("privacy.yaml")
    kinds: dict[str, list[str]] = document["kinds"]
    # one Latin word inside a longer header says little: "drug name", "lymph node note"
    alone = {
        kind: [text for text in texts if len(words_of(text)) == 1 and not is_chinese(text)]
        for kind, texts in kinds.items()
    }
    concepts = {**kinds, _HARMLESS: document["harmless"]}
    return Phrases(concepts, alone), frozenset("".join(document["family_names"].split()))


def private_by_header(header: str) -> PrivateKind | None:
    """Say what a whole header says that a column holds of a person, ``None`` for anything else."""
    match = _words()[0].match(words_of(header))
    return _kind_of(match) if match and match.exact else None


def _kind_of(match: Match | None) -> PrivateKind | None:
    return None if match is None or match.concept == _HARMLESS else PrivateKind(match.concept)


def _is_chinese_id(text: str) -> bool:
    """Check the digits of a Chinese identity number (GB 11643-1999)."""
    if not _CHINESE_ID.match(text):
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(text[:17], _CHECK_WEIGHTS, strict=True)
    )
    return _CHECK_DIGITS[total % 11] == text[17].upper()


def _is_nhs_number(text: str) -> bool:
    """Check the last digit of an NHS number, which is written in groups of 3, 3 and 4."""
    if not _NHS.match(text):
        return False
    digits = [int(sign) for sign in text if sign.isdigit()]
    check = 11 - sum(digit * (10 - at) for at, digit in enumerate(digits[:9])) % 11
    return check % 11 == digits[9] and check != 10


def _is_phone_number(text: str) -> bool:
    """Whether a text is groups of 8 to 15 digits, with the marks that people put between them."""
    if _PHONE.match(text) is None or not 8 <= sum(sign.isdigit() for sign in text) <= 15:
        return False
    return all(date_of(text, order) is None for order in DATE_ORDERS)


def _is_chinese_name(text: str) -> bool:
    return _CHINESE_NAME.match(text) is not None and text[0] in _words()[1]


_PATTERNS: tuple[tuple[PrivateKind, str, Callable[[str], object]], ...] = (
    (PrivateKind.CONTACT, "e-mail addresses", _EMAIL.match),
    (PrivateKind.IDENTITY_NUMBER, "identity numbers with their check digit", _is_chinese_id),
    (PrivateKind.IDENTITY_NUMBER, "social security numbers", _SSN.match),
    (PrivateKind.IDENTITY_NUMBER, "NHS numbers with their check digit", _is_nhs_number),
    (PrivateKind.CONTACT, "mobile numbers", _MOBILE.match),
    (PrivateKind.CONTACT, "telephone numbers", _is_phone_number),
)  # fmt: skip


def left_out(item: PrivateColumn, file: str, sheet: str | None, role: str) -> Finding:
    """Say that a column is left out, and why."""
    return Finding(
        FindingCode.COLUMN_PRIVATE,
        Severity.NOTE,
        f"“{item.column}” is left out: it seems to hold {KIND_WORDS[item.kind]} ({item.why}).",
        "Better delete it from the file before uploading. If the analysis needs it, let it in on "
        "the Data page.",
        file=file,
        sheet=sheet,
        column=item.column,
        table=role,
    )


def private_columns(
    table: RawTable, taken: frozenset[str] = frozenset()
) -> dict[str, PrivateColumn]:
    """Find the columns of a table that the gate leaves out.

    Parameters
    ----------
    table
        A sheet as read.
    taken
        Columns that are needed whatever they hold: the patient id, by which tables are joined and
        which no result contains, and those that a person has let in.

    Returns
    -------
    dict
        Column -> what it seems to hold and why, in the order of the table.
    """
    return private_in(profile_sheet(table), taken)


def private_in(sheet: Sheet, taken: frozenset[str] = frozenset()) -> dict[str, PrivateColumn]:
    """Find the columns of a profiled sheet that the gate leaves out; see `private_columns`."""
    found = {}
    earliest = _first_dates(sheet)
    for name, profile in sheet.profiles.items():
        if name in taken or name == sheet.id_column:
            continue
        private = _looked_at(sheet, name, profile, earliest)
        if private is not None:
            found[name] = private
    return found


def _looked_at(
    sheet: Sheet, name: str, profile: Profile, earliest: Mapping[str, dt.date]
) -> PrivateColumn | None:
    if name in sheet.raw.private:
        return PrivateColumn(
            name, PrivateKind.DECLARED, "the data dictionary says that it identifies a person"
        )
    label = words_of(sheet.raw.column_labels.get(name, ""))
    by_header = _kind_by_words(sheet.words[name], profile)
    if by_header is not None and sheet.words[name] != label:
        return PrivateColumn(name, by_header, "its header says so")
    by_label = by_header or _kind_by_words(label, profile, whole=True)
    if by_label is not None:
        return PrivateColumn(name, by_label, "its label says so")
    if not profile.n_known:
        return None
    for kind, what, has in () if profile.is_date else _PATTERNS:
        if profile.n_known >= _FEWEST and _share(profile, has) >= _MOST:
            return PrivateColumn(name, kind, f"most of its cells look like {what}")
    if profile.n_known >= _FEWEST_NAMES and profile.n_distinct >= _DISTINCT * profile.n_known:
        if _share(profile, _is_chinese_name) >= _MOST:
            return PrivateColumn(name, PrivateKind.NAME, "its cells look like Chinese names")
        if _share(profile, _COMMA_NAME.match) >= _MOST:
            return PrivateColumn(name, PrivateKind.NAME, "its cells look like names of persons")
        if profile.mean_length >= _LONG_TEXT and not profile.is_numeric and not profile.is_date:
            return PrivateColumn(
                name, PrivateKind.FREE_TEXT, "nearly every row has a long text of its own"
            )
    if name in earliest and _long_before(name, earliest):
        return PrivateColumn(
            name, PrivateKind.BIRTH_DATE, "its dates lie decades before all others of the table"
        )
    return None


def _kind_by_words(words: Words, profile: Profile, *, whole: bool = False) -> PrivateKind | None:
    """Give what the words of a header or a label say of a person, unless the cells speak against.

    With ``whole``, words that hold more than that count only where hardly any value repeats and
    none is a date: a label is a sentence that may ask when a telephone call was made.
    """
    match = _words()[0].match(words)
    kind = _kind_of(match)
    if kind is None or match is None:
        return None
    if kind is PrivateKind.BIRTH_DATE:
        return kind if _may_be_birth(profile) else None
    if match.exact:
        return kind
    if whole and (profile.is_date or _is_grouping(profile)):
        return None
    if not _is_grouping(profile):
        return kind
    if kind is PrivateKind.NAME:  # "name of the first drug"
        return kind if _share(profile, _is_chinese_name) >= _MOST else None
    return kind


def _share(profile: Profile, has: Callable[[str], object]) -> float:
    """Give the share of the known cells that have a pattern, by the most frequent texts."""
    looked_at = list(islice(profile.counts.items(), _LOOKED_AT))
    total = sum(n for _, n in looked_at)
    return sum(n for text, n in looked_at if has(text)) / total if total else 0.0


def _is_grouping(profile: Profile) -> bool:
    """Whether values repeat, as levels do and persons don't."""
    return profile.n_known > 0 and profile.n_distinct < 0.5 * profile.n_known


def _may_be_birth(profile: Profile) -> bool:
    """Whether cells can be dates or years of birth."""
    if not profile.n_known or profile.is_date or profile.is_serial:
        return True
    if profile.is_numeric and profile.low is not None and profile.high is not None:
        return profile.low >= 1890 and profile.high <= 2100
    return profile.date_share > 0


def _first_dates(sheet: Sheet) -> dict[str, dt.date]:
    """Give the last date of each column of dates: when it ends before others begin, it is older."""
    return {
        name: profile.last_date
        for name, profile in sheet.profiles.items()
        if profile.is_date and profile.last_date is not None
    }


def _long_before(name: str, last_dates: Mapping[str, dt.date]) -> bool:
    """Whether all dates of a column lie at least 15 years before the last ones of all others."""
    others = [date for other, date in last_dates.items() if other != name]
    return bool(others) and all((other - last_dates[name]).days >= 15 * 365 for other in others)
