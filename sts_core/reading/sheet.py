"""One sheet, profiled: which columns identify a patient, and what the sheet is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
import pandas as pd

from sts_core.reading.agreed_rows import agreed_rows
from sts_core.reading.coding import legend_of
from sts_core.reading.profile import Profile, profile_table
from sts_core.reading.redcap import is_dictionary_header
from sts_core.reading.short_years import ShortYears, with_guessed_years
from sts_core.reading.vocabulary import Words, is_chinese, vocabulary, words_of
from sts_core.reading.workbook import Pick, RawTable
from sts_core.values import text_of, texts

_MAX_FILTER_LEVELS = 20
# A value that so few patients have describes no cohort.
_MIN_COVERAGE = 0.8


class SheetKind(StrEnum):
    """What the rows of a sheet are."""

    PLAIN = "plain"
    TIME_TO_EVENT = "time_to_event"
    ADVERSE_EVENTS = "adverse_events"
    ASSESSMENTS = "assessments"
    DICTIONARY = "dictionary"


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A sheet with what its columns hold.

    Attributes
    ----------
    raw
        The sheet as read.
    profiles, words
        Facts and comparable words of each column, by header.
    kind
        What its rows are.
    id_column
        Column that says which patient a row is about.
    short_years
        What years of two digits were taken for, by column, to recognise what the column is;
        ``raw`` has them in full.
    """

    raw: RawTable
    profiles: Mapping[str, Profile]
    words: Mapping[str, Words]
    kind: SheetKind
    id_column: str | None
    short_years: Mapping[str, ShortYears] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows below the header."""
        return len(self.raw.frame)

    def with_rows(self, mask: np.ndarray) -> Sheet:
        """Give this sheet with some of its rows only, looked at anew."""
        raw = replace(
            self.raw,
            frame=self.raw.frame[mask].reset_index(drop=True),
            row_numbers=np.asarray(self.raw.row_numbers)[mask],
        )
        return replace(self, raw=raw, profiles=profile_table(raw))

    def with_agreed_rows(self) -> Sheet:
        """Give this sheet with one row a patient: what all rows of the patient agree on."""
        agreed = agreed_rows(self.raw.frame, self.ids())
        rows = np.asarray(self.raw.row_numbers)[agreed.first]
        raw = replace(self.raw, frame=agreed.frame, row_numbers=rows)
        return Sheet(raw, profile_table(raw), self.words, SheetKind.PLAIN, self.id_column)

    @property
    def ids_repeat(self) -> bool:
        """Whether a patient has several rows."""
        if self.id_column is None:
            return False
        profile = self.profiles[self.id_column]
        return profile.n_distinct < profile.n_known

    def ids(self) -> np.ndarray:
        """Patient id of each row, ``None`` where missing."""
        if self.id_column is None:
            return np.full(self.n_rows, None, dtype=object)
        return texts(self.raw.cells(self.id_column))

    def stands(self, name: str, pick: Pick) -> bool:
        """Say whether a column is the one to look at among those that several events made of one.

        Parameters
        ----------
        name
            Column.
        pick
            Which value of a patient is wanted: that of the patient's own event (``EVENT``), where
            it has one, the first or the last.
        """
        origin = self.raw.origins.get(name)
        if origin is None or origin.pick is Pick.ONLY:
            return True
        if pick is Pick.EVENT and origin.column in self.profiles:
            return name == origin.column
        return origin.pick is (Pick.FIRST if pick is Pick.EVENT else pick)

    def parameter(self, name: str) -> str | None:
        """Give the column with a CDISC name of a parameter table."""
        return next(
            (
                column
                for column, words in self.words.items()
                if vocabulary().parameters.whole(words) == name
            ),
            None,
        )

    def label_of(self, column: str, text: str) -> str:
        """Give the meaning of a code when the file says it (SPSS, Stata, SAS) or the header."""
        return self.meanings(column).get(text, text)

    def meanings(self, column: str) -> dict[str, str]:
        """Give the meaning of codes, as text, where the file says it or the header."""
        labels = self.raw.value_labels.get(column) or legend_of(column)[0]
        meanings: dict[str, str] = {}
        for code, label in labels.items():
            if (text := text_of(code)) is not None:
                meanings.setdefault(text, label)
        return meanings

    def in_words(self, column: str) -> Profile:
        """Give the facts of a column with what its codes stand for, where the file says it."""
        profile = self.profiles[column]
        meanings = self.meanings(column)
        if not meanings:
            return profile
        counts: dict[str, int] = {}
        for text, n in profile.counts.items():
            label = meanings.get(text, text)
            counts[label] = counts.get(label, 0) + n
        return replace(profile, counts=counts)


def profile_sheet(raw: RawTable) -> Sheet:
    """Look at every column of a sheet."""
    raw, short_years = with_guessed_years(raw, lambda name: id_rank(words_of(name)) is not None)
    profiles = profile_table(raw)
    source = {name: origin.column for name, origin in raw.origins.items()}
    words = {
        name: _header_or_label(
            source.get(name, name), raw.column_labels.get(source.get(name, name), "")
        )
        for name in profiles
    }
    column = _id_column(profiles, words)
    sheet = Sheet(raw, profiles, words, SheetKind.PLAIN, column, short_years)
    return replace(sheet, kind=_kind(sheet))


def _header_or_label(header: str, label: str) -> Words:
    """Give the words of a header; those of its label where it alone says something known."""
    own, other = words_of(header), words_of(label)
    if not own or (other and _is_known(other, exact=True) and not _is_known(own, exact=False)):
        return other
    return own


def _is_known(words: Words, *, exact: bool) -> bool:
    """Whether words are a name of something that a patient's row may have."""
    known = vocabulary()
    bare = frozenset(known.units) | known.time_words
    found = [
        known.dates.match(words),
        known.variables.match(words),
        known.time_of.match(words, drop=bare),
        *(phrases.match(words) for phrases in known.status_of.values()),
    ]
    if any(match is not None and (match.exact or not exact) for match in found):
        return True
    if exact:
        return False
    others = (known.adverse_events, known.assessments, known.parameters, known.generic_time,
              known.generic_status)  # fmt: skip
    return id_rank(words) is not None or any(phrases.whole(words) is not None for phrases in others)


def id_rank(words: Words) -> int | None:
    """Say how much a header looks like that of a patient id; lower is better."""
    phrases = vocabulary().subject_id
    if words in phrases:
        return phrases.index(words)
    for place, phrase in enumerate(phrases):
        if is_chinese(phrase[0]):
            if words and phrase[0] in words[0]:
                return 100 + place
        elif len(phrase) > 1 and phrase == words[: len(phrase)]:
            return 200 + place
    return None


def _id_column(profiles: Mapping[str, Profile], words: Mapping[str, Words]) -> str | None:
    """Choose the id: a unique column before one with repeats, then the more usual name."""
    found = []
    for place, (name, profile) in enumerate(profiles.items()):
        rank = id_rank(words[name])
        # one row without an id is named, and hides the ids of a short table no more than of a long
        if rank is None or profile.n_known < max(1, min(0.9 * profile.n, profile.n - 1)):
            continue
        if profile.is_date or (profile.is_numeric and not profile.is_whole):
            continue
        # "No." and "number" may be counts; as an id they never repeat
        weak = words[name] in (("no",), ("number",), ("序号",))
        if weak and not profile.is_unique:
            continue
        found.append((not profile.is_unique, weak, rank, place, name))
    strong = [item for item in found if not item[1]]
    if strong and not any(not item[0] for item in strong):
        return min(strong)[-1]  # repeated patient ids say more than a running row number
    return min(found)[-1] if found else None


def _kind(sheet: Sheet) -> SheetKind:
    words = vocabulary()
    if _is_dictionary(sheet):
        return SheetKind.DICTIONARY
    code, value = sheet.parameter("code"), sheet.parameter("value")
    if code and value and sheet.parameter("censor"):
        return SheetKind.TIME_TO_EVENT
    found = {words.adverse_events.whole(parts) for parts in sheet.words.values()}
    cdisc = any(name.upper() in ("AETOXGR", "AEDECOD", "AETERM") for name in sheet.profiles)
    named = bool(
        {"ae", "aes", "adae", "toxicity"} & set(words_of(sheet.raw.label))
        or "adverse event" in " ".join(words_of(sheet.raw.label))
        or "不良" in sheet.raw.label
    )
    if {"term", "grade"} <= found and sheet.id_column and (sheet.ids_repeat or cdisc or named):
        return SheetKind.ADVERSE_EVENTS
    if _response_column(sheet) and (
        code or (sheet.ids_repeat and {"date", "visit"} & _assessment_words(sheet))
    ):
        return SheetKind.ASSESSMENTS
    return SheetKind.PLAIN


def _assessment_words(sheet: Sheet) -> set[str | None]:
    phrases = vocabulary().assessments
    return {phrases.whole(parts) for parts in sheet.words.values()}


def _response_column(sheet: Sheet) -> str | None:
    phrases = vocabulary().assessments
    for name, parts in sheet.words.items():
        if phrases.whole(parts) == "response" and is_response(sheet.profiles[name]):
            return name
    return None


def is_response(profile: Profile) -> bool:
    """Whether nearly all known values are words of a tumour response."""
    known, beside_others = vocabulary().lexicons["response"], vocabulary().response_beside_others
    levels = {text: level for text in profile.counts if (level := known.get(text))}
    n = sum(profile.counts[text] for text in levels)
    sure = any(words_of(text) not in beside_others for text in levels)
    different = set(levels.values())
    return sure and len(different) >= 2 and profile.complete and n >= 0.9 * profile.n_known


def _is_dictionary(sheet: Sheet) -> bool:
    if sheet.raw.dictionary or is_dictionary_header(sheet.raw.frame.columns):
        return True
    words = vocabulary()
    headers = [words.dictionary_headers.whole(parts) for parts in sheet.words.values()]
    n_headers = sum(header is not None for header in headers)
    named = words.dictionary_sheets.whole(words_of(sheet.raw.sheet or "")) is not None
    return n_headers >= 3 or (named and n_headers >= 1)


def row_filters(sheet: Sheet) -> list[tuple[str, tuple[str, ...]]]:
    """Give the columns whose single values leave each patient at most one row, best first.

    Returns
    -------
    list
        Column and its values of that kind: known endpoints first, then by number of patients.
    """
    ids = sheet.ids()
    known = np.array([value is not None for value in ids], dtype=bool)
    n_subjects = len(set(ids[known]))
    found = []
    for name, profile in sheet.profiles.items():
        is_code = vocabulary().parameters.whole(sheet.words[name]) == "code"
        if (
            name == sheet.id_column
            or not profile.complete
            or not 2 <= profile.n_distinct <= _MAX_FILTER_LEVELS
            or (profile.n_missing and not is_code)
        ):
            continue
        marks = texts(sheet.raw.cells(name), frozenset())[known]
        pairs = pd.DataFrame({"level": marks, "id": ids[known]})
        repeated = set(pairs.loc[pairs.duplicated(), "level"])
        if repeated and not is_code:
            continue
        sizes = pairs["level"].value_counts()
        levels = [str(level) for level in sizes.index if level not in repeated]
        levels = [level for level in levels if sizes[level] >= _MIN_COVERAGE * n_subjects]
        if not levels:
            continue
        usual = list(vocabulary().endpoints)
        levels.sort(
            key=lambda level: (
                usual.index(level) if level in usual else len(usual), -int(sizes[level]), level
            )
        )  # fmt: skip
        coverage = max(float(sizes[level]) for level in levels) / n_subjects
        found.append((not is_code, -round(coverage, 2), len(levels), name, tuple(levels)))
    return [(name, levels) for *_, name, levels in sorted(found)]
