"""A filled-in template: no example row, and nothing left to map."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sts_core.findings import Finding, FindingCode, Severity
from sts_core.reading.proposal import Proposal, QuestionKind
from sts_core.reading.workbook import RawTable, Workbook
from sts_core.study.template import DICTIONARY_SHEET, CellKind, template, template_study
from sts_core.study.types import Definitions, Endpoint, Scalar, Study
from sts_core.values import text_of, texts


def is_template(tables: Sequence[RawTable]) -> bool:
    """Whether the tables of a file are those of the template, by the mark in its dictionary."""
    mark = template().mark
    return any(
        table.sheet == DICTIONARY_SHEET
        and any(mark in table.frame[column].to_numpy() for column in table.frame.columns)
        for table in tables
    )


def without_examples(
    file: str, tables: Sequence[RawTable]
) -> tuple[tuple[RawTable, ...], list[Finding]]:
    """Leave the example rows and the lists of a template out.

    Returns
    -------
    tuple
        Tables that hold something, and what was left out. Tables of another workbook are given
        back as they are.
    """
    if not is_template(tables):
        return tuple(tables), []
    form = template()
    titles = {sheet.title: sheet.columns[0].name for sheet in form.sheets.values()}
    kept: list[RawTable] = []
    findings: list[Finding] = []
    for table in tables:
        id_column = titles.get(table.sheet or "")
        if id_column is None:
            if not table.hidden:
                kept.append(table)
            continue
        if id_column not in table.frame.columns:
            kept.append(table)
            continue
        example = np.array(
            [text_of(value) == form.example_id for value in table.frame[id_column]], dtype=bool
        )
        if not example.any():
            kept.append(table)
            continue
        frame = table.frame.loc[~example].reset_index(drop=True)
        rows = tuple(int(row) for row in table.row_numbers[example])
        findings.append(_example(file, table, rows, n_left=len(frame)))
        if len(frame):
            kept.append(
                dataclasses.replace(table, frame=frame, row_numbers=table.row_numbers[~example])
            )
    return tuple(kept), findings


def _example(file: str, table: RawTable, rows: tuple[int, ...], n_left: int) -> Finding:
    return Finding(
        FindingCode.TEMPLATE_EXAMPLE,
        Severity.NOTE if n_left else Severity.WARNING,
        f"“{table.label}”: the example row was left out."
        if n_left
        else f"“{table.label}” holds only the example row: nothing was filled in.",
        "Nothing to do." if n_left else "Fill in a row for each, below the column names.",
        file=file,
        sheet=table.sheet,
        rows=rows,
        count=len(rows),
    )


def with_template(proposal: Proposal, workbooks: Sequence[Workbook]) -> Proposal:
    """Replace guesses by what the template states, when one of the files is a template.

    Parameters
    ----------
    proposal
        What recognition found.
    workbooks
        Files as read.

    Returns
    -------
    Proposal
        The columns of the template are confirmed. Further columns stay guesses.
    """
    book = next((book for book in workbooks if is_template(book.sheets)), None)
    if book is None:
        return proposal
    form = template()
    by_title = {table.sheet: table for table in book.sheets}
    tables = {
        role: by_title[sheet.title]
        for role, sheet in form.sheets.items()
        if sheet.title in by_title and sheet.columns[0].name in by_title[sheet.title].frame
    }
    if "subjects" not in tables:
        return proposal
    stated = template_study(book.file, {role: _filled(table) for role, table in tables.items()})
    stated = _as_written(stated, tables)
    guessed = proposal.study
    own = {column.name for column in form.sheets["subjects"].columns}
    added = {
        key: variable
        for key, variable in guessed.definitions.variables.items()
        if key not in stated.definitions.variables
        and not (variable.table == "subjects" and (variable.column or key) in own)
    }
    sources = dict(guessed.data.tables)
    for role, source in stated.data.tables.items():
        formats = sources[role].columns if role in sources else {}
        sources[role] = dataclasses.replace(source, columns=formats)
    study = dataclasses.replace(
        guessed,
        data=dataclasses.replace(guessed.data, tables=sources),
        definitions=dataclasses.replace(
            stated.definitions, variables={**stated.definitions.variables, **added}
        ),
    )
    questions = tuple(
        question
        for question in proposal.questions
        if question.kind is QuestionKind.DATE_ORDER
        or (question.table not in form.sheets and question.endpoint is None)
    )
    return dataclasses.replace(proposal, study=study, questions=questions)


def _filled(table: RawTable) -> list[str]:
    return [name for name in table.frame.columns if table.frame[name].notna().any()]


def _as_written(study: Study, tables: Mapping[str, RawTable]) -> Study:
    """Take "yes" for the "Yes" of a list: pasted cells escape the list's check."""
    form = template()
    variables = dict(study.definitions.variables)
    for column in form.sheets["subjects"].columns:
        if column.kind is not CellKind.CHOICE or column.name not in variables:
            continue
        spelt = _spellings(tables["subjects"], column.name, column.choices)
        codes = {text: choice for choice, found in spelt.items() for text in found}
        codes = {text: choice for text, choice in codes.items() if text != choice}
        variable = variables[column.name]
        variables[column.name] = dataclasses.replace(variable, codes={**variable.codes, **codes})
    endpoints = {
        code: _endpoint_as_written(endpoint, tables["subjects"])
        for code, endpoint in study.definitions.endpoints.items()
    }
    events = study.definitions.adverse_events
    if events is not None:
        table = tables[events.table]
        for name in ("related", "serious"):
            column_name = getattr(events, name)
            if column_name is not None:
                stated = getattr(events, f"{name}_values")
                changed: dict[str, Any] = {
                    f"{name}_values": _all_spellings(table, column_name, stated)
                }
                events = dataclasses.replace(events, **changed)
    return dataclasses.replace(
        study,
        definitions=Definitions(
            endpoints=endpoints,
            variables=variables,
            response=study.definitions.response,
            adverse_events=events,
        ),
    )


def _endpoint_as_written(endpoint: Endpoint, table: RawTable) -> Endpoint:
    if endpoint.event is None:
        return endpoint
    return dataclasses.replace(
        endpoint,
        events={
            kind: _all_spellings(table, endpoint.event, values)
            for kind, values in endpoint.events.items()
        },
        censored=_all_spellings(table, endpoint.event, endpoint.censored),
    )


def _spellings(
    table: RawTable, column: str, choices: Sequence[Scalar]
) -> dict[str, tuple[str, ...]]:
    """Give the ways in which each choice is written in a column."""
    present = dict.fromkeys(text for text in texts(table.frame[column]) if text is not None)
    return {
        str(choice): tuple(
            text for text in present if text.strip().casefold() == str(choice).casefold()
        )
        for choice in choices
    }


def _all_spellings(table: RawTable, column: str, choices: Sequence[Scalar]) -> tuple[Scalar, ...]:
    spelt = _spellings(table, column, choices)
    return tuple(dict.fromkeys((*choices, *(text for found in spelt.values() for text in found))))
