"""Another file, or another role of a table: what was entered stays, what is new is recognised."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from sts_core.findings import StudyError
from sts_core.reading.assembly import find_table
from sts_core.reading.progress import Progress
from sts_core.reading.proposal import ColumnRole, Proposal, TableKind
from sts_core.reading.recognise import Place, propose_study
from sts_core.reading.redcap import apply_dictionaries
from sts_core.reading.workbook import Workbook
from sts_core.study.types import (
    AssessmentDefinition,
    CountOfRows,
    Definitions,
    ExposureDefinition,
    Status,
    Study,
    TableSource,
    Variable,
)

_ByRow = TypeVar("_ByRow", AssessmentDefinition, ExposureDefinition)


def roles_of(study: Study, workbooks: Sequence[Workbook]) -> dict[Place, str | None]:
    """Give (file, sheet) -> role of every table of the files, ``None`` where it is not used."""
    roles: dict[Place, str | None] = {
        (book.file, table.sheet): None for book in workbooks for table in book.sheets
    }
    for role, source in reversed(study.data.tables.items()):
        try:
            table = find_table(workbooks, source, role)
        except StudyError:
            continue
        roles[table.file, table.sheet] = role
    return roles


def with_files(books: Sequence[Workbook], more: Sequence[Workbook]) -> tuple[Workbook, ...]:
    """Give the files with others added; one of the same name takes the place of the former."""
    new = {book.file: book for book in more}
    kept = [new.pop(book.file, book) for book in books]
    return (*kept, *new.values())


def add_files(
    study: Study,
    workbooks: Sequence[Workbook],
    more: Sequence[Workbook],
    progress: Progress | None = None,
) -> tuple[Study, Proposal, tuple[Workbook, ...]]:
    """Add files to those that are there; every choice stays.

    Parameters
    ----------
    study
        What was chosen so far.
    workbooks, more
        Files that are there, and those that come.
    progress
        Told how many columns are done; its cancel ends the work at the next one.

    Returns
    -------
    tuple
        The choices with what the new tables give, what was recognised, and all files.
    """
    books = tuple(apply_dictionaries(with_files(workbooks, more)))
    told = roles_of(study, workbooks)
    here = {(book.file, table.sheet) for book in books for table in book.sheets}
    told = {place: role for place, role in told.items() if place in here}
    proposal = propose_study(books, told, progress)
    new = [role for role in proposal.study.data.tables if role not in study.data.tables]
    files = {book.file for book in more}
    if any(item.kind is TableKind.DICTIONARY and item.file in files for item in proposal.tables):
        study = _with_meanings(study, proposal)
    return _with_tables(study, proposal.study, new), proposal, books


def _with_meanings(study: Study, proposal: Proposal) -> Study:
    """Take variables that were only guessed as a dictionary describes them.

    Those of columns that it marks as identifying a person go.
    """
    proposed = proposal.study.definitions.variables
    variables = {}
    for key, item in study.definitions.variables.items():
        column = item.column or key
        found = proposal.evidence.get(
            column if item.table == "subjects" else f"{item.table}.{column}"
        )
        if item.status is not Status.CONFIRMED and item.derived is None and found is not None:
            again = proposed.get(key)
            if found.role is ColumnRole.IGNORED:
                continue
            if again is not None and (again.table, again.column) == (item.table, item.column):
                item = again
        variables[key] = item
    return replace(study, definitions=replace(study.definitions, variables=variables))


def remove_file(
    study: Study, workbooks: Sequence[Workbook], file: str
) -> tuple[Study, Proposal, tuple[Workbook, ...]]:
    """Let go of a file; what its tables gave goes with them, every other choice stays.

    Parameters
    ----------
    study
        What was chosen so far.
    workbooks
        The files that are there.
    file
        Name of one of them.

    Returns
    -------
    tuple
        The choices without its tables, what was recognised in the others, and these files.

    Raises
    ------
    ValueError
        If it holds the patient table, without which nothing is left.
    """
    told = roles_of(study, workbooks)
    gone = {role for place, role in told.items() if place[0] == file and role is not None}
    if "subjects" in gone:
        raise ValueError("the patient table can be replaced, not removed")
    books = tuple(book for book in workbooks if book.file != file)
    kept = {place: role for place, role in told.items() if place[0] != file}
    return _without_tables(study, gone), propose_study(books, kept), books


def give_role(
    study: Study, workbooks: Sequence[Workbook], place: Place, role: str | None
) -> tuple[Study, Proposal]:
    """Give a table another role.

    Parameters
    ----------
    study
        What was chosen so far.
    workbooks
        The files.
    place
        File and sheet of the table.
    role
        Its role; ``None`` for "not used". The table that had it so far is not used any more; with
        another patient table, everything is recognised anew, and criteria and views stay.

    Returns
    -------
    tuple
        The choices, and what was recognised.
    """
    told = roles_of(study, workbooks)
    former = told.get(place)
    new_patients = "subjects" in (role, former)
    if new_patients:
        told = {at: given for at, given in told.items() if given not in (None, "subjects")}
    told = {at: None if given == role else given for at, given in told.items()}
    told[place] = role
    proposal = propose_study(workbooks, told)
    if new_patients:
        definitions = _confirmed_again(study.definitions, proposal.study.definitions)
        fresh = replace(study, data=proposal.study.data, definitions=definitions)
        return fresh, proposal
    gone = {name for name in (role, former) if name is not None}
    without = _without_tables(study, gone)
    return _with_tables(without, proposal.study, [role] if role is not None else []), proposal


def _confirmed_again(current: Definitions, proposed: Definitions) -> Definitions:
    """Keep what was said of an endpoint or a variable that is proposed from the same columns."""
    return replace(
        proposed,
        endpoints={
            code: (
                former
                if (former := current.endpoints.get(code)) is not None
                and Status.CONFIRMED in (former.events_status, former.unit_status)
                and (former.table, former.time, former.start, former.event, former.rows)
                == (item.table, item.time, item.start, item.event, item.rows)
                else item
            )
            for code, item in proposed.endpoints.items()
        },
        variables={
            key: (
                known
                if (known := current.variables.get(key)) is not None
                and known.status is Status.CONFIRMED
                and (known.table, known.column, known.rows) == (item.table, item.column, item.rows)
                else item
            )
            for key, item in proposed.variables.items()
        },
    )


def _without_tables(study: Study, roles: Collection[str]) -> Study:
    """Take tables away, with what is defined by them."""
    definitions = study.definitions
    variables = {
        key: item
        for key, item in definitions.variables.items()
        if item.table not in roles and not _counts_rows_of(item, roles)
    }
    events, response = definitions.adverse_events, definitions.response
    lost = set(definitions.variables) - set(variables)
    return replace(
        study,
        data=replace(
            study.data,
            tables={role: item for role, item in study.data.tables.items() if role not in roles},
        ),
        definitions=replace(
            definitions,
            endpoints={
                code: item
                for code, item in definitions.endpoints.items()
                if item.table not in roles
            },
            variables=variables,
            groupings={
                key: item
                for key, item in definitions.groupings.items()
                if item.variable not in lost
            },
            response=None if response is not None and response.variable in lost else response,
            adverse_events=None if events is not None and events.table in roles else events,
            assessments=_unless_in(definitions.assessments, roles),
            exposures=_unless_in(definitions.exposures, roles),
        ),
    )


def _with_tables(study: Study, proposed: Study, roles: Sequence[str]) -> Study:
    """Add proposed tables, with what is defined by them; nothing that is there changes."""
    added: dict[str, TableSource] = {
        role: proposed.data.tables[role] for role in roles if role in proposed.data.tables
    }
    old, new = study.definitions, proposed.definitions
    variables = {
        key: item
        for key, item in new.variables.items()
        if (item.table in added or _counts_rows_of(item, added)) and key not in old.variables
    }
    response = old.response
    if response is None and new.response is not None and new.response.variable in variables:
        response = new.response
    events = old.adverse_events
    if events is None and new.adverse_events is not None and new.adverse_events.table in added:
        events = new.adverse_events
    return replace(
        study,
        data=replace(study.data, tables={**study.data.tables, **added}),
        definitions=replace(
            old,
            endpoints={
                **old.endpoints,
                **{
                    code: item
                    for code, item in new.endpoints.items()
                    if item.table in added and code not in old.endpoints
                },
            },
            variables={**old.variables, **variables},
            response=response,
            adverse_events=events,
            assessments=old.assessments or _if_in(new.assessments, added),
            exposures=old.exposures or _if_in(new.exposures, added),
        ),
    )


def _counts_rows_of(variable: Variable, roles: Collection[str]) -> bool:
    return isinstance(variable.derived, CountOfRows) and variable.derived.table in roles


def _unless_in(definition: _ByRow | None, roles: Collection[str]) -> _ByRow | None:
    return None if definition is not None and definition.table in roles else definition


def _if_in(definition: _ByRow | None, roles: Collection[str]) -> _ByRow | None:
    return definition if definition is not None and definition.table in roles else None
