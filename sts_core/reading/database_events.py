"""Exports in which rows are events or repeated forms: one row a patient, and tables of the rest.

A patient's row takes what single events hold. Where the same column is filled in several of them
with different values, each event's column has its name, and the earliest and the latest value stand
beside them: which of them counts is not to be guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.vocabulary import vocabulary, words_of
from sts_core.reading.workbook import Origin, Part, Pick, RawTable
from sts_core.values import date_orders, dates, is_missing, number_of, texts

_EVENT = ("redcap event name", "event name")
_INSTRUMENT = ("redcap repeat instrument", "repeat instrument")
_RECORD = "record id"
_INSTANCE = ("redcap repeat instance", "repeat instance")
# Two events of one arm whose names begin alike differ in the letter after it.
_ARM = re.compile(r"_arm_\d+([a-z]?)$|\s*\(arm \d+:.*\)$", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}.*)?")
_CHECKBOX = re.compile(r"___\w*$|\(choice=.*\)$")
_UNCHECKED = frozenset({"0", "Unchecked"})
_STATE_OF_FORM = re.compile(r"_complete$|^Complete\?( \(\d+\))?$")
_FOLLOW_UP = ("event", "contact", "end")
_MOSTLY = 0.5
_MAX_NAMED = 8
T = TypeVar("T")


def header_words(header: str) -> str:
    """Give a header as words for comparison: lower case, one blank between them."""
    return " ".join(re.sub(r"[\W_]+", " ", header.casefold()).split())


def column_named(table: RawTable, names: Sequence[str]) -> str | None:
    """Give the column with one of these names, the first name that is there."""
    by_words = {
        header_words(str(column)): str(column) for column in reversed(list(table.frame.columns))
    }
    return next((by_words[name] for name in names if name in by_words), None)


def part_events(table: RawTable) -> tuple[list[RawTable], list[Finding]]:
    """Make a table of the patients, and one of each other event or repeated form.

    Parameters
    ----------
    table
        A table as read.

    Returns
    -------
    tuple
        The patients first, one row each, with the columns of every event that is not repeated; then
        the rows of each other event and form as they are; and what is to be said about it. A table
        without events is given as it is.
    """
    event = column_named(table, _EVENT)
    instrument = column_named(table, _INSTRUMENT)
    instance = column_named(table, _INSTANCE)
    if table.part is not None or not _is_export(table, event, instrument):
        return [table], []
    record = str(table.frame.columns[0])
    ids = texts(table.frame[record])
    groups, repeated = _groups(table, event, instrument, instance)
    if len(set(groups)) < 2:
        return [table], []
    single = _single(groups, ids, repeated)
    first = _patients(groups, ids, single)
    own = tuple(name for name in (record, event, instrument, instance) if name is not None)
    gathered = _Gathered(table, ids, np.array(groups, dtype=object), first, single, own)
    patients = gathered.patients() if first in single else _part(table, groups, first, own)
    others = [group for group in dict.fromkeys(groups) if group != first]
    parts = [_part(table, groups, group, own) for group in others]
    if first in single:
        parts = [
            replace(part, part=Part.EVENT if group in single else Part.REPEATED)
            for part, group in zip(parts, others, strict=True)
        ]
    return [patients, *parts], gathered.findings(patients, parts)


def _is_export(table: RawTable, event: str | None, instrument: str | None) -> bool:
    """Whether a table is an export with events: an "event name" alone may be one of toxicity."""
    columns = [str(name) for name in table.frame.columns]
    named = {header_words(name) for name in columns}
    if named & {_EVENT[0], _INSTRUMENT[0]} or (event is not None and instrument is not None):
        return True
    if named >= {_INSTRUMENT[1], _INSTANCE[1]}:  # with labels, of a project without events
        return True
    if event is None or columns.index(event) != 1:
        return False
    said = set(texts(table.frame[event])) - {None}
    return header_words(columns[0]) == _RECORD or bool(said and all(map(_ARM.search, said)))


def _groups(
    table: RawTable, event: str | None, instrument: str | None, instance: str | None
) -> tuple[list[str], set[str]]:
    """Give each row the name of its table, and the tables of which a patient may have many rows.

    It is the repeated instrument, else the event without its arm.
    """
    n_rows = len(table.frame)
    blank: list[str | None] = [None] * n_rows
    events = list(texts(table.frame[event])) if event else blank
    instruments = list(texts(table.frame[instrument])) if instrument else blank
    instances = list(texts(table.frame[instance])) if instance else blank
    names = {text: _without_arm(text) if text else "patients" for text in set(events)}
    groups, repeated = [], set()
    for one_event, one_instrument, one_instance in zip(events, instruments, instances, strict=True):
        name = names[one_event]
        if one_instrument:
            name = one_instrument
            repeated.add(name)
        elif one_instance and not is_missing(one_instance):
            name = f"{name}, repeated"
            repeated.add(name)
        groups.append(name)
    return groups, repeated


def _without_arm(event: str) -> str:
    """Take the arm off the name of an event: baseline of arm 1 and of arm 2 is one event."""
    found = _ARM.search(event)
    if found is None:
        return event
    return event[: found.start()] + (f"_{found[1]}" if found[1] else "")


def _single(groups: Sequence[str], ids: np.ndarray, repeated: Collection[str]) -> set[str]:
    """Give the events of which no patient has a second row."""
    known = np.array([record is not None for record in ids], dtype=bool)
    rows = pd.DataFrame({"group": groups, "id": ids})[known]
    twice = set(rows.loc[rows.duplicated(), "group"])
    return {group for group in groups if group not in repeated and group not in twice}


def _patients(groups: Sequence[str], ids: np.ndarray, single: Collection[str]) -> str:
    """Choose the event of the patients: the one of most, the earlier one of the file.

    Where every event has a second row of somebody, it is the table with the most patients, and who
    is one is asked.
    """
    rows = pd.DataFrame({"group": groups, "id": ids})
    sizes = rows.groupby("group", sort=False)["id"].nunique()
    choices = [group for group in sizes.index if group in single] or list(sizes.index)
    return str(max(choices, key=lambda group: sizes[group]))


def _part(table: RawTable, groups: Sequence[str], group: str, own: Collection[str]) -> RawTable:
    """Give the rows of one event or form with the columns that it fills."""
    mask = np.array([other == group for other in groups], dtype=bool)
    frame = table.frame[mask].reset_index(drop=True)
    kept = list(_kept_columns(frame, own))
    return replace(
        table,
        sheet=_sheet_name(table, group),
        frame=frame[kept],
        row_numbers=np.asarray(table.row_numbers)[mask],
        column_labels=_only(table.column_labels, kept),
        value_labels=_only(table.value_labels, kept),
        private=table.private & frozenset(kept),
    )


def _sheet_name(table: RawTable, group: str) -> str:
    return group if table.sheet is None else f"{table.sheet}: {group}"


def _kept_columns(frame: pd.DataFrame, own: Collection[str]) -> Iterator[str]:
    for name in frame.columns:
        if name in own or frame[name].notna().any():
            yield name


def _only(labels: Mapping[str, T], kept: Sequence[str]) -> dict[str, T]:
    return {name: label for name, label in labels.items() if name in kept}


@dataclass(slots=True, eq=False)
class _Gathered:
    """The patients of an export, while their columns are put together."""

    table: RawTable
    ids: np.ndarray
    groups: np.ndarray
    first: str
    single: Collection[str]
    own: Collection[str]
    origins: dict[str, Origin] = field(default_factory=dict)
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    several: list[str] = field(default_factory=list)
    n_added: int = 0
    chosen: np.ndarray = field(init=False)
    place: np.ndarray = field(init=False)
    at_event: dict[str, np.ndarray] = field(init=False)
    is_single: np.ndarray = field(init=False)
    follow_ups: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Choose the row that stands for each patient, and give each row its patient's place."""
        code, names = pd.factorize(self.groups)
        self.at_event = {str(name): code == number for number, name in enumerate(names)}
        self.is_single = np.isin(code, [n for n, name in enumerate(names) if name in self.single])
        base = self.at_event[self.first]
        known = np.array([record is not None for record in self.ids], dtype=bool)
        here = set(self.ids[base & known])
        of_single = self.is_single & known & ~base
        more = of_single & np.array([record not in here for record in self.ids], dtype=bool)
        more[np.flatnonzero(more)[pd.Series(self.ids[more]).duplicated().to_numpy()]] = False
        self.n_added = int(more.sum())
        # in the order of the file
        self.chosen = np.flatnonzero(base | more)
        place = {self.ids[row]: at for at, row in enumerate(self.chosen) if known[row]}
        self.place = np.array([place.get(record, -1) for record in self.ids], dtype=int)
        self.place[self.chosen] = np.arange(len(self.chosen))  # also a row without an id

    def patients(self) -> RawTable:
        """Give one row a patient, with every column of the events that are not repeated."""
        frame, row_numbers = self.table.frame, np.asarray(self.table.row_numbers)
        others: dict[str, dict[str, np.ndarray]] = {}
        for name in map(str, frame.columns):
            if name in self.own:
                self.columns[name] = frame[name].to_numpy(dtype=object)[self.chosen]
            else:
                others[name] = self._column(name)
        for made in others.values():  # the patients' own columns keep their places
            self.columns |= {name: cells for name, cells in made.items() if name in others}
        for made in others.values():
            self.columns |= {name: cells for name, cells in made.items() if name not in others}
        source = {name: self.origins[name].column if name in self.origins else name
                  for name in self.columns}  # fmt: skip
        labels = self.table.column_labels
        return replace(
            self.table,
            sheet=_sheet_name(self.table, self.first),
            frame=pd.DataFrame(self.columns, index=pd.RangeIndex(len(self.chosen)), dtype=object),
            row_numbers=row_numbers[self.chosen],
            column_labels={
                name: labels[column] + name.removeprefix(column)
                for name, column in source.items()
                if column in labels
            },
            value_labels={
                name: self.table.value_labels[column]
                for name, column in source.items()
                if column in self.table.value_labels
            },
            private=frozenset(
                name for name, column in source.items() if column in self.table.private
            ),
            part=Part.PATIENTS,
            origins=dict(self.origins),
        )

    def _column(self, name: str) -> dict[str, np.ndarray]:
        """Give what the patients' rows have of one column: itself, or one column a choice."""
        base = self.at_event[self.first]
        cells = self.table.frame[name].to_numpy(dtype=object)
        said = texts(self.table.frame[name])
        known = np.array([text is not None for text in said], dtype=bool) & (self.place >= 0)
        single = known & self.is_single
        single &= ~self._never_checked(name, said, single)
        repeated = known & ~self.is_single
        repeated &= self._of_follow_up(name, repeated)
        of_base = single & base
        own = self._at(cells, np.flatnonzero(base))  # "unknown" stays what it is
        if not (single & ~of_base).any() and not repeated.any():
            return {name: own} if any(cell is not None for cell in own) else {}
        if not repeated.any() and not self._differs(said, single):
            rows = np.flatnonzero(single)
            filled = self._at(cells, rows[::-1])
            missing = np.array([cell is None for cell in filled], dtype=bool)
            filled[missing] = own[missing]
            events = listed(self._events(single), limit=_MAX_NAMED)
            self.origins[name] = Origin(name, events, Pick.ONLY)
            return {name: filled}
        if _STATE_OF_FORM.search(name):
            return {name: own} if of_base.any() else {}
        self.several.append(name)
        made = {}
        if of_base.any():
            made[name] = own
            self.origins[name] = Origin(name, self.first, Pick.EVENT)
        for event in self._events(single & ~of_base):
            given = self._free(f"{name} ({event})")
            made[given] = self._at(cells, np.flatnonzero(single & self.at_event[event]))
            self.origins[given] = Origin(name, event, Pick.EVENT)
        return made | self._ends(name, cells, said, single | repeated)

    def _events(self, rows: np.ndarray) -> list[str]:
        """Name the events and forms of some rows, in the order of the file."""
        return [name for name, here in self.at_event.items() if (here & rows).any()]

    def _at(self, cells: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Give one cell a patient, from these rows: of two of one patient, the last."""
        out = np.full(len(self.chosen), None, dtype=object)
        out[self.place[rows]] = cells[rows]
        return out

    def _ends(
        self, name: str, cells: np.ndarray, said: np.ndarray, known: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Give the first and the last value of each patient, by the date that it is if it is one.

        Dates that can be read in one way only are in the order of time; all else is in that of the
        rows.
        """
        rows = np.flatnonzero(known)
        events = listed(self._events(known), limit=_MAX_NAMED)
        by_time = all(_ISO.fullmatch(text) for text in set(said[rows]))
        if by_time:
            rows = rows[np.argsort(said[rows].astype(str), kind="stable")]
        words = ("earliest", "latest") if by_time else ("first", "last")
        made = {}
        for word, pick, order in ((words[0], Pick.FIRST, rows[::-1]), (words[1], Pick.LAST, rows)):
            given = self._free(f"{name} ({word})")
            made[given] = self._at(cells, order)
            self.origins[given] = Origin(name, events, pick)
        return made

    def _free(self, name: str) -> str:
        taken = {*map(str, self.table.frame.columns), *self.origins}
        given, number = name, 2
        while given in taken:
            given, number = f"{name} {number}", number + 1
        return given

    def _differs(self, said: np.ndarray, rows: np.ndarray) -> bool:
        """Whether a patient has two values."""
        code, _ = pd.factorize(said[rows])
        order = np.argsort(self.place[rows], kind="stable")
        patient, code = self.place[rows][order], code[order]
        return bool(((patient[1:] == patient[:-1]) & (code[1:] != code[:-1])).any())

    def _never_checked(self, name: str, said: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Rows of events in which a box is blank for all, as it is where a form isn't used."""
        blank = np.zeros(len(said), dtype=bool)
        if _CHECKBOX.search(name):
            for event in self._events(rows):
                at = rows & self.at_event[event]
                if event != self.first and set(said[at]) <= _UNCHECKED:
                    blank |= at
        return blank

    def _of_follow_up(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Rows of repeated forms whose first and last value say something of a patient.

        These are dates, and all columns of a form that dates an event or the last contact.
        """
        kept = np.zeros(len(rows), dtype=bool)
        for group in self._events(rows) if rows.any() else ():
            at = rows & self.at_event[group]
            if group not in self.follow_ups:
                self.follow_ups[group] = self._is_follow_up(group)
            if self.follow_ups[group] or _mostly_dates(self.table.frame[name][at]):
                kept |= at
        return kept

    def _is_follow_up(self, group: str) -> bool:
        known = vocabulary()
        at = self.at_event[group]
        for name in map(str, self.table.frame.columns):
            label = self.table.column_labels.get(name, "")
            match = known.dates.match(words_of(name)) or known.dates.match(words_of(label))
            if match is None or not match.exact or known.date_use[match.concept] not in _FOLLOW_UP:
                continue
            if _mostly_dates(self.table.frame[name][at]):
                return True
        return False

    def findings(self, patients: RawTable, parts: Sequence[RawTable]) -> list[Finding]:
        """Say what became of the rows, and which columns are filled in several events."""
        table = self.table
        events = [f"“{part.sheet}”" for part in parts if part.part is Part.EVENT]
        made = [f"“{part.sheet}” ({len(part.frame)} rows)" for part in parts
                if part.part is not Part.EVENT]  # fmt: skip
        n = len(patients.frame) - (self.n_added if patients.part else 0)
        said = (
            f"The rows are events or repeated forms, not patients. The {n} rows of "
            f"“{patients.sheet}” are taken for the patients"
        )
        if self.n_added and patients.part:
            more = "patient who has" if self.n_added == 1 else "patients who have"
            said += f", and {self.n_added} {more} rows of other events only"
        if events:
            said += f". Their rows have what {listed(events, limit=_MAX_NAMED)} hold"
        if made:
            said += f"; further tables were made of {listed(made, limit=_MAX_NAMED)}"
        found = [
            Finding(
                FindingCode.ROWS_SPLIT,
                Severity.NOTE,
                f"{said}.",
                "Choose another table of patients on the Data page if that is wrong.",
                file=table.file,
                sheet=table.sheet,
                count=len(table.frame),
            )
        ]
        if self.several and patients.part:
            named = [f"“{name}”" for name in self.several]
            example = self.several[0]
            made_of = [f"“{name}”" for name, origin in self.origins.items()
                       if origin.column == example]  # fmt: skip
            found.append(
                Finding(
                    FindingCode.COLUMN_IN_SEVERAL_EVENTS,
                    Severity.WARNING,
                    f"{listed(named, limit=_MAX_NAMED)} {'is' if len(named) == 1 else 'are'} "
                    "filled in several events or more than once. Each event has a column of its "
                    f"own, for instance {listed(made_of, limit=_MAX_NAMED)}.",
                    "On the card of an endpoint, choose the column that counts. A name without "
                    f"an addition is what “{self.first}” says.",
                    file=table.file,
                    sheet=patients.sheet,
                    count=len(named),
                )
            )
        return found


def _mostly_dates(cells: pd.Series) -> bool:
    """Whether most known cells are dates; a number alone is none."""
    read = dates(cells, order=next(iter(date_orders(cells)), None))
    filled = ~np.isnat(read.values)
    if not filled.any():
        return False
    numeric = np.array([number_of(cell) is not None for cell in cells], dtype=bool)
    return bool((filled & ~numeric).sum() > _MOSTLY * (~read.missing).sum())
