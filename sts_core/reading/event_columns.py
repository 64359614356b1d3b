"""Columns that hold adverse events: one column a term, or several events in a cell."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.draft import Draft
from sts_core.reading.privacy import PrivateKind, private_in
from sts_core.reading.proposal import ColumnRole
from sts_core.reading.sheet import Sheet
from sts_core.reading.table_kinds import USUAL_ROLES
from sts_core.reading.vocabulary import vocabulary
from sts_core.study.types import AdverseEventDefinition
from sts_core.terminology.ctcae import find, knows
from sts_core.terminology.event_text import header_term, read_cell
from sts_core.terminology.grading import MarkKind, read_mark
from sts_core.values import MISSING_CODES, text_of

#: A header that is a term of CTCAE may be a finding at baseline: so many graded ones are events.
_MIN_UNMARKED = 3
#: Share of the cells that must be readable as what the column is taken for.
_MIN_READ = 0.8
_MIN_CELLS = 3
#: Different texts of a column that are read to tell what it holds, the most frequent first.
_MOST_READ = 200


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Columns of a sheet that hold adverse events.

    Attributes
    ----------
    definition
        How they are recorded; its table is still the usual one.
    reasons
        Column -> what speaks for it.
    """

    definition: AdverseEventDefinition
    reasons: dict[str, str]


def event_columns(
    sheet: Sheet, taken: Collection[str] = (), *, told: bool = False
) -> EventColumns | None:
    """Find columns of adverse events in a sheet that has no row of its own for each.

    Parameters
    ----------
    sheet
        Any sheet.
    taken
        Columns that something else has claimed.
    told
        Whether somebody said that the table is one of adverse events: less is then asked for.

    Returns
    -------
    EventColumns or None
        Columns whose cells name events before columns with one term each. A header that is a term
        but says nothing of adverse events or grades counts only when at least three such columns
        hold grades: a column "Hypertension" with yes and no may as well be a disease at baseline.
        What the privacy gate leaves out is left out here too, but for long texts under a header
        that says adverse events.
    """
    private = private_in(sheet, frozenset(taken))
    free = [
        name for name in sheet.profiles if name not in taken and name != sheet.id_column
        and name not in sheet.raw.private
        and (name not in private or private[name].kind is PrivateKind.FREE_TEXT)
    ]  # fmt: skip
    return _cells(sheet, free, private) or _wide(sheet, free, told=told)


def _known_cells(sheet: Sheet, name: str) -> Iterator[tuple[Any, int]]:
    """Give the different known cells of a column with their number of rows, most frequent first."""
    distinct, place = sheet.raw.cells(name)
    counts = np.bincount(place, minlength=len(distinct))
    for at in np.argsort(-counts, kind="stable").tolist():
        text = text_of(distinct[at])
        if text is not None and (text.casefold() not in MISSING_CODES or text in ("-", "--")):
            yield distinct[at], int(counts[at])


def _cells(sheet: Sheet, free: list[str], private: Collection[str]) -> EventColumns | None:
    reasons = {}
    for name in free:
        profile = sheet.profiles[name]
        if profile.is_numeric or profile.is_date:
            continue
        said = _about_events(sheet, name)
        if not said and (name in private or vocabulary().not_a_variable.match(sheet.words[name])):
            continue  # remarks hold more than events: a person may let them in
        texts = (pair for pair in _known_cells(sheet, name) if isinstance(pair[0], str))
        read = [(read_cell(cell), n) for cell, n in islice(texts, _MOST_READ)]
        if sum(n for _, n in read) < _MIN_CELLS:
            continue
        n_read = sum(n for _, n in read)
        n_named = sum(n for item, n in read if item.events)
        n_denied = sum(n for item, n in read if item.denied and not item.events)
        n_known = n_graded = 0
        for item, n in read:
            terms = [event for event in item.events if find(event.term) is not None]
            n_known += n * bool(terms)
            n_graded += n * any(event.grade for event in terms)
        several = any(len(item.events) > 1 for item, _ in read)
        if said:
            takes = n_known >= 2 and n_known + n_denied >= 0.5 * n_read
        else:
            takes = several and n_graded >= max(2, _MIN_READ * n_named)
        if takes:
            which = "its name says so, and " if said else ""
            reasons[name] = (
                f"{which}{n_known} of {n_read} cells name adverse events of CTCAE, "
                f"{n_graded} of them with a grade"
            )
    if not reasons:
        return None
    definition = AdverseEventDefinition(form="cells", columns=tuple(reasons))
    return EventColumns(definition, reasons)


def _about_events(sheet: Sheet, name: str) -> bool:
    """Whether a header says adverse event, toxicity, 不良反应 and the like."""
    words = vocabulary()
    match = words.variables.match(sheet.words[name])
    toxic = match is not None and match.concept == "toxicity"
    if toxic:
        # "hypertension on treatment" is one term
        return find(header_term(name).term) is None
    return words.adverse_events.whole(sheet.words[name]) == "term"


def _wide(sheet: Sheet, free: list[str], *, told: bool) -> EventColumns | None:
    marked: dict[str, bool] = {}
    unmarked: list[str] = []
    counted: dict[str, tuple[int, int]] = {}
    for name in free:
        if sheet.profiles[name].is_date:
            continue
        header = header_term(name)
        known = find(header.term) is not None or knows(header.term)
        if not known and not (header.of_event and len(header.term) > 1):
            continue
        marks = [
            (read_mark(cell, MISSING_CODES - {"-", "--"}), n)
            for cell, n in _known_cells(sheet, name)
        ]
        readable = sum(n for mark, n in marks if mark.readable)
        if not marks or readable < _MIN_READ * sum(n for _, n in marks):
            continue
        n_events = sum(n for mark, n in marks if mark.kind is MarkKind.EVENT)
        n_graded = sum(n for mark, n in marks if mark.grade > 0)
        if not known and not n_graded:
            continue  # "AE number", "AE yes/no"
        counted[name] = (n_events, n_graded)
        if header.of_event or (header.of_grade and n_graded) or told:
            marked[name] = known
        elif any(mark.grade > 1 for mark, _ in marks):
            unmarked.append(name)
    if not any(marked.values()) and len(unmarked) < _MIN_UNMARKED:
        return None
    if len(unmarked) < _MIN_UNMARKED:
        unmarked = []
    columns = [name for name in sheet.profiles if name in marked or name in unmarked]
    yes_no = _only_zero_and_one(sheet, columns)
    reasons = {}
    for name in columns:
        n_events, n_graded = counted[name]
        term = header_term(name).term
        what = "its name says so" if name in marked else f"“{term}” is a term of CTCAE"
        held = "1 for yes, 0 for no" if yes_no else f"{n_graded} of {n_events} events with a grade"
        reasons[name] = f"adverse event “{term}”: {what}; {held}"
    definition = AdverseEventDefinition(
        form="wide", columns=tuple(columns), numbers="yes_no" if yes_no else "grades"
    )
    return EventColumns(definition, reasons)


def _only_zero_and_one(sheet: Sheet, columns: list[str]) -> bool:
    """Whether all cells are 0 or 1, so that 1 can hardly be the grade of every event."""
    found = {text_of(cell) for name in columns for cell, _ in _known_cells(sheet, name)}
    return "0" in found and found <= {"0", "1"}


def propose_event_columns(draft: Draft, varying: Collection[str]) -> None:
    """Propose a form of adverse events from tables with one row a patient.

    Parameters
    ----------
    draft
        Takes the definition, and what the columns were taken for.
    varying
        Columns of the patient table that differ between the rows of a patient.

    Notes
    -----
    Such columns are no characteristics of patients: they become no variable, even when the events
    are taken from another table, which a finding says.
    """
    for role, sheet in draft.sheets.items():
        if role != "subjects" and (role in USUAL_ROLES or sheet.ids_repeat):
            continue
        claimed = _claimed(role, draft) | set(varying if role == "subjects" else ())
        found = event_columns(sheet, claimed)
        if found is None:
            continue
        if draft.adverse_events is None:
            draft.adverse_events = replace(found.definition, table=role)
            say_event_columns(role, found, draft)
            continue
        for name in found.reasons:
            draft.say(
                role, name, ColumnRole.IGNORED,
                "it holds adverse events, which are taken from another table",
            )  # fmt: skip
        names = listed([f"“{name}”" for name in found.reasons])
        draft.findings.append(
            Finding(
                FindingCode.COLUMN_NOT_USED,
                Severity.NOTE,
                f"{names} of “{sheet.raw.label}” hold adverse events too, and are not used: the "
                f"events come from the table “{draft.adverse_events.table}”.",
                "If these columns are to be counted instead, choose them on the Data page.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                count=len(found.reasons),
                table=role,
            )
        )


def say_event_columns(role: str, found: EventColumns, draft: Draft) -> None:
    """Note what the columns were taken for; the text of cells is shown nowhere."""
    wide = found.definition.form == "wide"
    for name, why in found.reasons.items():
        draft.say(role, name, ColumnRole.GRADE if wide else ColumnRole.TERM, why)
        if not wide:
            draft.hidden.add((role, name))


def _claimed(role: str, draft: Draft) -> set[str]:
    taken = set(draft.roles.get(role, {}))
    for guess in draft.guesses.values():
        if guess.endpoint.table == role or role == "subjects":
            taken |= set(guess.columns)
    return taken
