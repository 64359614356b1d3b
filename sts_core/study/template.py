"""The workbook to fill in: its sheets and columns, and the study that they make."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from sts_core.study.types import DataSection, Definitions, Endpoint, Status, Study, TableSource

_FILE = Path(__file__).with_name("template.yaml")
DICTIONARY_SHEET = "Data dictionary"


class CellKind(StrEnum):
    """What a cell of the template takes."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    SUGGESTION = "suggestion"  # a list to choose from; other text is taken too


@dataclass(frozen=True)
class TemplateColumn:
    """One column: its name, what it takes and means, and the example in the first row."""

    name: str
    kind: CellKind
    meaning: str
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    example: str | int | dt.date | None = None


@dataclass(frozen=True)
class TemplateSheet:
    """One sheet: its title, what a row is, and its columns."""

    title: str
    about: str
    columns: tuple[TemplateColumn, ...]


@dataclass(frozen=True)
class Template:
    """The whole workbook.

    Parameters
    ----------
    version, marker
        Number of this layout, and the words in its data dictionary that tell it from others.
    example_id
        Patient id of the example rows, which are never patients.
    sheets
        By role of the table.
    study
        What the columns mean; everything in it is confirmed.
    """

    version: int
    marker: str
    example_id: str
    sheets: dict[str, TemplateSheet]
    study: Study

    @property
    def mark(self) -> str:
        """Text that stands in the data dictionary of this version."""
        return f"{self.marker} {self.version}"


@cache
def template() -> Template:
    """Give the template of this version of the app."""
    found: Template = TypeAdapter(Template).validate_python(
        yaml.load(_FILE.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    )
    return found


def template_study(file: str, filled: Mapping[str, Collection[str]]) -> Study:
    """Give the study of a filled-in template.

    Parameters
    ----------
    file
        Name of the workbook.
    filled
        Columns in which something was entered, by the role of the table. What needs a column
        that was deleted or left empty is left out.

    Returns
    -------
    Study
        Everything in it is confirmed.
    """
    form = template()
    defined = form.study.definitions
    columns = {role: frozenset(names) for role, names in filled.items()}
    subjects = columns.get("subjects", frozenset())
    tables = {
        role: TableSource(
            file=file,
            sheet=sheet.title,
            subject_id=sheet.columns[0].name,
            subject_id_status=Status.CONFIRMED,
        )
        for role, sheet in form.sheets.items()
        if role in columns
    }
    endpoints = {
        code: kept
        for code, endpoint in defined.endpoints.items()
        if (kept := _with_columns(endpoint, subjects)) is not None
    }
    variables = {
        key: variable
        for key, variable in defined.variables.items()
        if (variable.column or key) in subjects
    }
    response, events = defined.response, defined.adverse_events
    if response is not None and response.variable not in variables:
        response = None
    if events is not None:
        present = columns.get(events.table, frozenset())
        optional: dict[str, Any] = {
            name: None
            for name in ("grade", "related", "serious")
            if getattr(events, name) not in present
        }
        events = dataclasses.replace(events, **optional) if events.term in present else None
    return dataclasses.replace(
        form.study,
        data=DataSection(tables),
        definitions=Definitions(
            endpoints=endpoints, variables=variables, response=response, adverse_events=events
        ),
    )


def _with_columns(endpoint: Endpoint, columns: frozenset[str]) -> Endpoint | None:
    """Give an endpoint without the columns that are empty; ``None`` when it can't do without."""
    contact = tuple(name for name in endpoint.last_contact if name in columns)
    if endpoint.start not in columns or not contact:
        return None
    dates = {kind: name for kind, name in endpoint.event_dates.items() if name in columns}
    kept = dataclasses.replace(endpoint, last_contact=contact, event_dates=dates)
    if endpoint.event is not None and endpoint.event not in columns:
        kept = dataclasses.replace(kept, event=None, events={}, censored=())
    # without any date of an event, only a status can say that nobody had one
    return kept if dates or kept.event is not None else None
