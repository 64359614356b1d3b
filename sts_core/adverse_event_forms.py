"""Adverse events in any form: one row an event, one column a term, or several events in a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sts_core.cohort import Cohort, Table
from sts_core.findings import Finding, FindingCode, Severity, StudyError, listed
from sts_core.reading.assembly import column_missing, rows_matching
from sts_core.study.types import AdverseEventDefinition, Scalar, TableSource
from sts_core.terminology.ctcae import VERSION, CtcaeTerm, candidates, find, key_of, terms
from sts_core.terminology.event_text import header_term, read_cell
from sts_core.terminology.grading import GRADES, MarkKind, grade_of, read_mark, says_none
from sts_core.values import distinct_cells, missing_codes, text_of, texts

#: Name of an event of which a file gives a sentence; the sentence is shown nowhere.
SENTENCE = "Other text, not read as a term"


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Adverse events, one an element; every array has the length (events,).

    Attributes
    ----------
    position
        Place of the patient among the cohort's subjects.
    row, column
        Spreadsheet row, and number of the column in ``EventList.columns``, for findings.
    term
        As recorded, without a grade; ``None`` where only a grade is.
    grade
        1 to 5; 0 where not known.
    unreadable
        Whether there is something in the place of the grade, or of the term, that can't be read.
    said
        What stands there as a grade and is none, ``None`` elsewhere.
    organ_class
        Class as recorded; ``None`` where it is not.
    related, relation_missing, serious
        What the long form says of the event; everywhere ``False`` in the others.
    """

    position: np.ndarray
    row: np.ndarray
    column: np.ndarray
    term: np.ndarray
    grade: np.ndarray
    unreadable: np.ndarray
    said: np.ndarray
    organ_class: np.ndarray
    related: np.ndarray
    relation_missing: np.ndarray
    serious: np.ndarray

    @property
    def n(self) -> int:
        """Events."""
        return len(self.position)

    def where(self, mask: np.ndarray) -> Events:
        """Give some of the events."""
        return Events(*(getattr(self, name)[mask] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class EventList:
    """All adverse events of a study, of patients analysed or not.

    Attributes
    ----------
    definition
        How they are recorded.
    table, file, sheet
        Where they come from.
    columns
        Columns that events were read from: that of the terms, or those of the other two forms.
    events
        One an event; rows and cells that are no event are not among them.
    has_grades
        Whether grades are recorded at all.
    relation_is_recorded
        Whether the file says which events the treatment caused.
    empty
        Patient (place among the subjects) of each row with neither term nor grade.
    denied
        Patient of each row of the long form that says that there was no event.
    silent
        Patients of whom nothing is recorded in the wide form or in cells, boolean (subjects,);
        in the long form, where a patient without a row had no event, none.
    unread
        Patient, spreadsheet row and number of the column of cells of which nothing could be made.
    findings
        What does not depend on which patients are analysed.
    quotes
        Whether messages may quote what stands in the columns.
    """

    definition: AdverseEventDefinition
    table: str
    file: str | None
    sheet: str | None
    columns: tuple[str, ...]
    events: Events
    has_grades: bool
    relation_is_recorded: bool
    empty: np.ndarray
    denied: np.ndarray
    silent: np.ndarray
    unread: np.ndarray
    findings: tuple[Finding, ...]
    quotes: bool = True


@dataclass(frozen=True, slots=True)
class CountedName:
    """The name under which an event is counted.

    Attributes
    ----------
    name
        The name; that of the file when there is no other.
    term
        Term of CTCAE; ``None`` where the name of the file is kept.
    how
        "by hand", "CTCAE term", "CTCAE term, other spelling", "synonym", "kept by hand", or
        "not in CTCAE".
    source
        Source of a synonym.
    """

    name: str
    term: CtcaeTerm | None
    how: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class RecordedTerm:
    """A name of events in the file, with the CTCAE term that it stands for.

    Attributes
    ----------
    name
        As the file spells it most often.
    n_events, n_patients, n_ungraded
        Events of the patients analysed, patients who had one, events without a known grade.
    counted
        What it is counted as when terms are those of CTCAE.
    candidates
        Terms that an ambiguous name may mean.
    """

    name: str
    n_events: int
    n_patients: int
    n_ungraded: int
    counted: CountedName
    candidates: tuple[CtcaeTerm, ...]


def event_list(cohort: Cohort) -> EventList:
    """Read the adverse events of a study, in the form in which they are recorded.

    Parameters
    ----------
    cohort
        Patients with the table of events.

    Returns
    -------
    EventList
        The events of all patients of the file.

    Raises
    ------
    StudyError
        When the study says nothing of adverse events, or a table or column of them isn't there.
    """
    return cohort.kept("adverse events", lambda: _read(cohort))


def no_adverse_events(definition: AdverseEventDefinition | None = None) -> Finding:
    """Say that the study has no adverse events."""
    return Finding(
        FindingCode.TABLE_MISSING,
        Severity.ERROR,
        "This file has no adverse events. That they were not recorded doesn't mean that there "
        "were none.",
        "Add a sheet or a file with one row an event (patient id, term, grade), and choose its "
        "columns on the Data page.",
        table=definition.table if definition else "adverse_events",
    )


def _read(cohort: Cohort) -> EventList:
    definition = cohort.study.definitions.adverse_events
    if definition is None or definition.table not in cohort.tables:
        absent = cohort.why_absent(definition.table) if definition is not None else None
        raise StudyError(absent or no_adverse_events(definition))
    table = cohort.tables[definition.table]
    wanted = (
        definition.term, definition.grade, definition.system_organ_class, definition.related,
        definition.serious, *definition.columns,
    )  # fmt: skip
    gone = [name for name in wanted if name is not None and name not in table.frame.columns]
    if gone:
        raise StudyError(
            column_missing(name, table.frame.columns, file=table.file, sheet=table.sheet)
            for name in gone
        )
    reader = _Reader(cohort, definition, table)
    return reader.long() if definition.form == "long" else reader.across()


@dataclass(slots=True)
class _Gathered:
    """Events as they are found, cell by cell."""

    place: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    term: list[str | None] = field(default_factory=list)
    grade: list[int] = field(default_factory=list)
    unreadable: list[bool] = field(default_factory=list)
    said: list[str | None] = field(default_factory=list)


class _Reader:
    """Reads the rows of a table that count."""

    def __init__(self, cohort: Cohort, definition: AdverseEventDefinition, table: Table) -> None:
        self._definition, self._table = definition, table
        named = (definition.term, definition.grade, *definition.columns)
        self._quotes = cohort.quotes(definition.table, *named)
        self._source = cohort.study.data.tables.get(definition.table, TableSource())
        self._extra = frozenset(code.strip().casefold() for code in self._source.missing_codes)
        self._codes = missing_codes(self._source.missing_codes)
        mask, found = rows_matching(
            table.frame, definition.rows, file=table.file, sheet=table.sheet
        )
        self._findings: list[Finding] = list(found)
        place = {subject: at for at, subject in enumerate(cohort.subjects)}
        position = np.array([place[subject] for subject in table.subject], dtype=np.int64)
        self._n_subjects = len(cohort.subjects)
        self._rows = np.flatnonzero(mask)
        self._position = position[self._rows]

    # --- one row an event ---

    def long(self) -> EventList:
        definition = self._definition
        assert definition.term is not None
        term = self._texts(definition.term)
        n = len(self._rows)
        grade, unreadable, said, ungraded = self._grades()
        none = {text for text in dict.fromkeys(term.tolist()) if text and says_none(text)}
        denied = np.array([text in none for text in term.tolist()], dtype=bool)
        denied &= ungraded | np.array([text == "0" for text in said], dtype=bool)
        empty = np.array([text is None for text in term], dtype=bool) & ungraded
        related, unknown = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        if definition.related is not None and definition.related_values:
            related, unknown = self._flag(definition.related, definition.related_values)
        elif definition.related is not None:
            self._findings.append(self._no_related_values(definition.related))
        serious = np.zeros(n, dtype=bool)
        if definition.serious is not None and definition.serious_values:
            serious, _ = self._flag(definition.serious, definition.serious_values)
        organ_class = np.full(n, None, dtype=object)
        if definition.system_organ_class is not None:
            organ_class = self._texts(definition.system_organ_class)
        events = Events(
            self._position, self._table.rows[self._rows], np.zeros(n, dtype=np.int64), term, grade,
            unreadable, said, organ_class, related, unknown, serious,
        )  # fmt: skip
        return self._listed(
            (definition.term,),
            events.where(~empty & ~denied),
            has_grades=definition.grade is not None,
            relation_is_recorded=definition.related is not None and bool(definition.related_values),
            empty=self._position[empty],
            denied=self._position[denied],
        )

    def _listed(
        self,
        columns: tuple[str, ...],
        events: Events,
        *,
        has_grades: bool,
        relation_is_recorded: bool = False,
        empty: np.ndarray | None = None,
        denied: np.ndarray | None = None,
        silent: np.ndarray | None = None,
        unread: np.ndarray | None = None,
    ) -> EventList:
        nobody = np.zeros(0, dtype=np.int64)
        return EventList(
            definition=self._definition,
            table=self._table.role,
            file=self._table.file,
            sheet=self._table.sheet,
            columns=columns,
            events=events,
            has_grades=has_grades,
            relation_is_recorded=relation_is_recorded,
            empty=nobody if empty is None else empty,
            denied=nobody if denied is None else denied,
            silent=np.zeros(self._n_subjects, dtype=bool) if silent is None else silent,
            unread=np.zeros((0, 3), dtype=np.int64) if unread is None else unread,
            findings=tuple(self._findings),
            quotes=self._quotes,
        )

    def _texts(self, column: str) -> np.ndarray:
        return texts(self._table.column(column).iloc[self._rows], self._codes)

    def _flag(self, column: str, values: tuple[Scalar, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Give which rows hold one of the values, and which hold none at all."""
        wanted = {text.casefold() for value in values if (text := text_of(value)) is not None}
        # a value that the study names as "yes" is never a missing code
        codes = frozenset(code for code in self._codes if code not in wanted)
        cells = texts(self._table.column(column).iloc[self._rows], codes)
        met = np.array([text is not None and text.casefold() in wanted for text in cells], bool)
        return met, np.array([text is None for text in cells], dtype=bool)

    def _no_related_values(self, column: str) -> Finding:
        return Finding(
            FindingCode.LEVEL_UNKNOWN,
            Severity.WARNING,
            "No value is named that means “related to treatment”, so that all adverse events "
            "are counted.",
            "Name the values on the Data page.",
            file=self._table.file,
            sheet=self._table.sheet,
            column=column,
            table=self._table.role,
        )

    def _grades(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Give grades (0: not known), where what stands there is none, what, and where nothing."""
        name, n = self._definition.grade, len(self._rows)
        nothing = np.full(n, None, dtype=object)
        if name is None:
            none = np.zeros(n, dtype=bool)
            return np.zeros(n, dtype=np.int64), none, nothing, np.ones(n, dtype=bool)
        format_ = self._source.columns.get(name)
        cells = self._table.column(name).iloc[self._rows]
        written = texts(cells, self._codes)
        known = np.array([text is not None for text in written], dtype=bool)
        distinct, codes = distinct_cells(cells)
        read = [grade_of(cell, format_.marks if format_ else ".") for cell in distinct]
        grade: np.ndarray = np.array(
            [int(number) if number in GRADES else 0 for number in read], dtype=np.int64
        )[codes]
        grade[~known] = 0
        bad = known & (grade == 0)
        return grade, bad, np.where(bad, written, nothing), ~known

    # --- one column a term, and several events in a cell ---

    def across(self) -> EventList:
        definition = self._definition
        wide = definition.form == "wide"
        found = _Gathered()
        said_something = np.zeros(len(self._rows), dtype=bool)
        unread: list[tuple[int, int, int]] = []
        # what the study names as "not known" comes before "none": "-" may be either
        codes = frozenset(
            code for code in self._codes if code in self._extra or not says_none(code)
        )
        for number, name in enumerate(definition.columns):
            distinct, place = distinct_cells(self._table.column(name).iloc[self._rows])
            if wide:
                meant = self._marks(name, distinct, codes)
            else:
                meant = self._texts_read(name, distinct, codes)
            for at, which in enumerate(place.tolist()):
                events = meant[which]
                if events is None:
                    continue
                said_something[at] = True
                if events == _NOTHING_READ:
                    row = int(self._table.rows[self._rows[at]])
                    unread.append((int(self._position[at]), row, number))
                    continue
                for term, grade, unreadable, said in events:
                    found.place.append(at)
                    found.column.append(number)
                    found.term.append(term)
                    found.grade.append(grade)
                    found.unreadable.append(unreadable)
                    found.said.append(said)
        silent = np.ones(self._n_subjects, dtype=bool)
        silent[self._position[said_something]] = False
        place = np.array(found.place, dtype=np.int64)
        n, none = len(place), np.zeros(len(place), dtype=bool)
        events = Events(
            self._position[place], self._table.rows[self._rows[place]],
            np.array(found.column, dtype=np.int64), _objects(found.term),
            np.array(found.grade, dtype=np.int64), np.array(found.unreadable, dtype=bool),
            _objects(found.said), np.full(n, None, dtype=object), none, none, none,
        )  # fmt: skip
        return self._listed(
            definition.columns,
            events,
            has_grades=bool(events.grade.any()),
            silent=silent,
            unread=np.array(unread, dtype=np.int64).reshape(-1, 3),
        )

    def _texts_read(
        self, name: str, distinct: Sequence[object], codes: frozenset[str]
    ) -> list[tuple[_Written, ...] | None]:
        """Read the different cells of a column with several events, once a session."""
        known = self._table.read.setdefault(("event cells", name, codes), {})
        for cell in distinct:
            if (type(cell), cell) not in known:
                known[type(cell), cell] = _cell_events(cell, codes)
        return [known[type(cell), cell] for cell in distinct]

    def _marks(
        self, name: str, distinct: Sequence[object], codes: frozenset[str]
    ) -> list[tuple[_Written, ...] | None]:
        """Read the different cells of the column of one term."""
        format_ = self._source.columns.get(name)
        yes_no = self._definition.numbers == "yes_no"
        term = term_in(name)
        out: list[tuple[_Written, ...] | None] = []
        for cell in distinct:
            mark = read_mark(cell, codes, yes_no=yes_no, decimal=format_.marks if format_ else ".")
            if mark.kind is MarkKind.NOT_RECORDED:
                out.append(None)
            elif mark.kind is MarkKind.NO_EVENT:
                out.append(())
            else:
                said = None if mark.readable else text_of(cell)
                out.append(((term, mark.grade, not mark.readable, said),))
        return out


#: Term, grade, whether it can't be read, and what stands there as a grade and is none.
_Written = tuple[str | None, int, bool, str | None]
_NOTHING_READ: tuple[_Written, ...] = ((None, -1, True, None),)


def _cell_events(cell: object, codes: frozenset[str]) -> tuple[_Written, ...] | None:
    """Read a cell with several events; ``None`` for a blank one."""
    text = text_of(cell)
    if text is None or text.casefold() in codes:
        return None
    read = read_cell(cell if isinstance(cell, str) else text)
    if not read.events and not read.denied:
        return _NOTHING_READ
    return tuple(
        (
            SENTENCE if not event.readable and not event.graded else event.term or None,
            event.grade,
            not event.readable,
            None,
        )
        for event in read.events
    )


def _objects(values: Sequence[object]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def term_in(header: str) -> str:
    """Give the term that the header of a column names, in the wide form."""
    return header_term(header).term or header


# --- names ---------------------------------------------------------------------------------------


def counted_name(definition: AdverseEventDefinition, recorded: str) -> CountedName:
    """Give the CTCAE term of a recorded name: what was said by hand, then CTCAE, then synonyms.

    Parameters
    ----------
    definition
        Holds what was said by hand; whether its terms are those of CTCAE makes no difference.
    recorded
        The name in the file.
    """
    by_hand = {key_of(name): term for name, term in definition.mapped.items()}
    key = key_of(recorded)
    if key in by_hand:
        term = terms().get(by_hand[key])
        if term is None:
            return CountedName(recorded, None, "kept by hand")
        return CountedName(term.name, term, "by hand")
    found = find(recorded)
    if found is None:
        return CountedName(recorded, None, "not in CTCAE")
    return CountedName(found.term.name, found.term, found.how, found.source)


def with_terms(
    definition: AdverseEventDefinition, chosen: Mapping[str, str | None]
) -> AdverseEventDefinition:
    """Give a definition in which names of the file stand for terms that a person chose.

    Parameters
    ----------
    definition
        Its events are counted by the terms of CTCAE from then on, where anything was chosen.
    chosen
        Name in the file -> CTCAE term; an empty text keeps the name, ``None`` leaves it to CTCAE
        and its synonyms. Spellings of a name that differ in case, width or blanks are one name.

    Raises
    ------
    ValueError
        When a term is none of CTCAE.
    """
    if strange := [term for term in chosen.values() if term and term not in terms()]:
        raise ValueError(f"“{strange[0]}” is no term of {VERSION}")
    if not chosen:
        return definition
    keys = {key_of(name) for name in chosen}
    mapped = {name: term for name, term in definition.mapped.items() if key_of(name) not in keys}
    mapped |= {name: term for name, term in chosen.items() if term is not None}
    return replace(definition, mapped=mapped, terms="ctcae")


def recorded_terms(cohort: Cohort) -> tuple[RecordedTerm, ...]:
    """List the names in the file of the patients analysed, with the CTCAE term of each.

    Returns
    -------
    tuple of RecordedTerm
        Those without a CTCAE term first, then by falling number of events.

    Raises
    ------
    StudyError
        As :func:`event_list`.
    """
    return cohort.kept("recorded terms", lambda: _recorded_terms(cohort))


def _recorded_terms(cohort: Cohort) -> tuple[RecordedTerm, ...]:
    recorded = event_list(cohort)
    events = recorded.events.where(cohort.included[recorded.events.position])
    keys = _keys(events)
    spelled: dict[str, Counter[str]] = {}
    patients: dict[str, set[int]] = {}
    ungraded: Counter[str] = Counter()
    for term, who, grade in zip(
        events.term.tolist(), events.position.tolist(), events.grade.tolist(), strict=True
    ):
        if term is None:
            continue
        key = keys[term]
        spelled.setdefault(key, Counter())[term] += 1
        patients.setdefault(key, set()).add(who)
        ungraded[key] += grade == 0
    out = []
    for key, names in spelled.items():
        name = names.most_common(1)[0][0]
        counted = counted_name(recorded.definition, name)
        out.append(
            RecordedTerm(
                name, names.total(), len(patients[key]), ungraded[key], counted,
                candidates(name) if counted.term is None else (),
            )
        )  # fmt: skip
    out.sort(key=lambda item: (item.counted.term is not None, -item.n_events, item.name))
    return tuple(out)


def _keys(events: Events) -> dict[str, str]:
    """Give the key of each recorded name."""
    names = dict.fromkeys(term for term in events.term.tolist() if term is not None)
    return {name: key_of(name) or name for name in names}


def patients_by_name(cohort: Cohort) -> dict[str, int]:
    """Count the patients of the file by the key of a recorded name.

    Raises
    ------
    StudyError
        As :func:`event_list`.
    """
    events = event_list(cohort).events
    keys = _keys(events)
    patients: dict[str, set[int]] = {}
    for term, who in zip(events.term.tolist(), events.position.tolist(), strict=True):
        if term is not None:
            patients.setdefault(keys[term], set()).add(who)
    return {key: len(those) for key, those in patients.items()}


def merged_terms(recorded: Iterable[RecordedTerm]) -> dict[str, list[str]]:
    """Give the CTCAE terms that several recorded names come together in, with these names."""
    together: dict[str, list[str]] = {}
    for item in recorded:
        if item.counted.term is not None:
            together.setdefault(item.counted.name, []).append(item.name)
    return {name: names for name, names in together.items() if len(names) > 1}


# --- findings ------------------------------------------------------------------------------------


def event_findings(recorded: EventList, used: np.ndarray, events: Events) -> tuple[Finding, ...]:
    """Give what is wrong with the events that are counted.

    Parameters
    ----------
    recorded
        All events of the study.
    used
        Which patients are counted, boolean (subjects,).
    events
        Those of their events that are counted.

    Returns
    -------
    tuple of Finding
        Grades that are none, cells that can't be read, grades that CTCAE does not define, names
        that have no counterpart in it, and patients of whom nothing is recorded.
    """
    found = list(recorded.findings)
    if recorded.definition.form == "long":
        found += _bad_grades(recorded, events)
    else:
        found += _unreadable_cells(recorded, used, events)
        found += _silent(recorded, used)
    if recorded.definition.terms == "ctcae":
        found += _undefined_grades(recorded, events)
        found += _unmapped(recorded, events)
    return tuple(found)


def _finding(
    recorded: EventList,
    code: FindingCode,
    severity: Severity,
    message: str,
    hint: str,
    *,
    column: str | None = None,
    rows: Iterable[int] = (),
    count: int | None = None,
) -> Finding:
    return Finding(
        code, severity, message, hint, file=recorded.file, sheet=recorded.sheet, column=column,
        rows=tuple(dict.fromkeys(int(row) for row in rows)), count=count, table=recorded.table,
    )  # fmt: skip


def _bad_grades(recorded: EventList, events: Events) -> list[Finding]:
    bad = events.where(events.unreadable)
    if not bad.n:
        return []
    shown = dict.fromkeys(str(text) for text in bad.said)
    zero = "0" in shown
    return [
        _finding(
            recorded,
            FindingCode.GRADE_OUT_OF_RANGE,
            Severity.WARNING,
            f"{bad.n} adverse events have a grade that is none of 1 to 5"
            f"{f' ({listed([*shown])})' if recorded.quotes else ''}; they are counted without a "
            "grade.",
            "Correct the grades."
            + (" If 0 means that there was no event, delete these rows." if zero else ""),
            column=recorded.definition.grade,
            rows=bad.row,
            count=bad.n,
        )
    ]


def _unreadable_cells(recorded: EventList, used: np.ndarray, events: Events) -> list[Finding]:
    """Say column by column which cells can't be read; their words are not repeated."""
    found = []
    wide = recorded.definition.form == "wide"
    for number, name in enumerate(recorded.columns):
        mine = events.column == number
        bad = events.where(mine & events.unreadable)
        if bad.n:
            what = "the cell is neither a grade from 1 to 5 nor yes or no" if wide else (
                "a range, a number that is no grade, or a sentence stands there"
            )  # fmt: skip
            found.append(
                _finding(
                    recorded,
                    FindingCode.GRADE_OUT_OF_RANGE,
                    Severity.WARNING,
                    f"{_events(bad.n)} of “{name}” without a grade that can be read: {what}. "
                    "They are counted without a grade.",
                    "Correct these cells; if what stands there means “not known”, name it as a "
                    "missing code of the table.",
                    column=name,
                    rows=bad.row,
                    count=bad.n,
                )
            )
        dark = recorded.unread[(recorded.unread[:, 2] == number) & used[recorded.unread[:, 0]]]
        if len(dark):
            found.append(
                _finding(
                    recorded,
                    FindingCode.ADVERSE_EVENT_UNREADABLE,
                    Severity.WARNING,
                    f"{len(dark)} {'cell' if len(dark) == 1 else 'cells'} of “{name}” name no "
                    "adverse event and do not say that there was none.",
                    "Write the events with their grades, or “none”; until then nothing is counted "
                    "from these cells.",
                    column=name,
                    rows=dark[:, 1],
                    count=len(dark),
                )
            )
        found += _shared_grades(recorded, name, events.where(mine)) if not wide else []
    return found


def _shared_grades(recorded: EventList, name: str, events: Events) -> list[Finding]:
    """Name rows in which some events have a grade and others none: it may be meant for both."""
    graded = set(events.row[events.grade > 0].tolist())
    open_ = (events.grade == 0) & ~events.unreadable & np.isin(events.row, [*graded])
    n = int(open_.sum())
    if not n:
        return []
    return [
        _finding(
            recorded,
            FindingCode.GRADE_NOT_STATED,
            Severity.NOTE,
            f"{_events(n)} of “{name}” stand without a grade beside others with one; they are "
            "counted without a grade.",
            "If one grade is meant for several events, write it behind each of them.",
            column=name,
            rows=events.row[open_],
            count=n,
        )
    ]


def _silent(recorded: EventList, used: np.ndarray) -> list[Finding]:
    n, n_all = int((recorded.silent & used).sum()), int(used.sum())
    if not n:
        return []
    return [
        _finding(
            recorded,
            FindingCode.ADVERSE_EVENTS_NOT_RECORDED,
            Severity.WARNING,
            f"Nothing is recorded about adverse events of {n} of {n_all} patients: their cells are "
            "blank. They count as patients without an event.",
            "If there was no event, write 0 or “none”; if it isn't known, consider a criterion "
            "that leaves these patients out.",
            count=n,
        )
    ]


def _undefined_grades(recorded: EventList, events: Events) -> list[Finding]:
    named = {
        text: counted_name(recorded.definition, text)
        for text in dict.fromkeys(events.term.tolist())
        if text is not None
    }
    bad = np.zeros(events.n, dtype=bool)
    shown: Counter[str] = Counter()
    for at, (text, grade) in enumerate(zip(events.term, events.grade.tolist(), strict=True)):
        term = named[text].term if text is not None else None
        if term is not None and grade and grade not in term.grades:
            bad[at] = True
            shown[f"{term.name} grade {grade}"] += 1
    if not bad.any():
        return []
    return [
        _finding(
            recorded,
            FindingCode.GRADE_NOT_DEFINED,
            Severity.WARNING,
            f"{_events(int(bad.sum()))} with a grade that {VERSION} does not define for the term "
            f"({listed([name for name, _ in shown.most_common()])}). "
            "The grade counts as it stands.",
            "Correct the grade or the term, or choose another CTCAE term for it on the Data page.",
            column=recorded.definition.grade,
            rows=events.row[bad],
            count=int(bad.sum()),
        )
    ]


def _unmapped(recorded: EventList, events: Events) -> list[Finding]:
    counts: Counter[str] = Counter(text for text in events.term.tolist() if text is not None)
    kept = {
        text: n
        for text, n in counts.most_common()
        if counted_name(recorded.definition, text).how == "not in CTCAE"
    }
    found = []
    if kept:
        rows = events.row[np.array([text in kept for text in events.term], dtype=bool)]
        names = ""
        if recorded.quotes:
            names = f": {listed([f'“{text}” ({n})' for text, n in kept.items()])}"
        found.append(
            _finding(
                recorded,
                FindingCode.TERM_NOT_IN_CTCAE,
                Severity.NOTE,
                f"{len(kept)} recorded {'name has' if len(kept) == 1 else 'names have'} no term of "
                f"{VERSION}, or could mean several{names}. What has none is counted by the name "
                "of the file.",
                "Choose a CTCAE term for each on the Data page, or keep the name.",
                column=recorded.definition.term,
                rows=rows,
                count=sum(kept.values()),
            )
        )
    wrong = [term for term in recorded.definition.mapped.values() if term and term not in terms()]
    if wrong:
        found.append(
            _finding(
                recorded,
                FindingCode.LEVEL_UNKNOWN,
                Severity.WARNING,
                f"Recorded names are mapped to what is no term of {VERSION} "
                f"({listed([f'“{term}”' for term in dict.fromkeys(wrong)])}); they keep the name "
                "of the file.",
                "Choose other terms on the Data page.",
                count=len(wrong),
            )
        )
    return found


def _events(n: int) -> str:
    return "1 adverse event" if n == 1 else f"{n} adverse events"
