"""Types of the study file, version 1.

All are frozen dataclasses that pydantic validates: unknown keys and wrong types are refused with
their path. Each guess that changes numbers carries a status, ``guessed`` or ``confirmed``.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Tag, model_validator
from pydantic.dataclasses import dataclass

SCHEMA_VERSION = 1
DAYS_PER_MONTH = 30.4375

Scalar = str | int | float | bool
_STRICT = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class Status(StrEnum):
    """Whether a person has looked at a choice."""

    GUESSED = "guessed"
    CONFIRMED = "confirmed"


class TimeUnit(StrEnum):
    """Unit of a time; factors by :data:`DAYS_PER_UNIT`."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


DAYS_PER_UNIT: dict[TimeUnit, float] = {
    TimeUnit.DAYS: 1.0,
    TimeUnit.WEEKS: 7.0,
    TimeUnit.MONTHS: DAYS_PER_MONTH,
    TimeUnit.YEARS: 12 * DAYS_PER_MONTH,
}


class VariableKind(StrEnum):
    """What the values of a variable are."""

    CATEGORICAL = "categorical"
    ORDERED = "ordered"
    NUMERIC = "numeric"
    DATE = "date"


class Measured(StrEnum):
    """When a variable became known, relative to time zero."""

    BASELINE = "baseline"
    POST_BASELINE = "post_baseline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, config=_STRICT)
class ColumnFormat:
    """How the text of a column is read.

    Parameters
    ----------
    date_order
        Order of day, month and year in text dates.
    decimal
        Decimal mark in text numbers.
    status
        Whether a person has confirmed it; only needed where a column can be read two ways.
    """

    date_order: Literal["ymd", "dmy", "mdy"] | None = None
    decimal: Literal[".", ","] = "."
    status: Status = Status.GUESSED


@dataclass(frozen=True, config=_STRICT)
class TableSource:
    """Where a table comes from.

    Parameters
    ----------
    file, sheet
        Name of the file and of the sheet in it; the file's directory is never kept.
    subject_id
        Column that identifies the patient; ``None`` when each row is a patient.
    rows
        Only rows in which each named column holds one of its values (``{"PARAMCD": ["OS"]}``).
    missing_codes
        Texts that mean "not known", besides blank.
    columns
        Reading rules of single columns.
    """

    file: str | None = None
    sheet: str | None = None
    subject_id: str | None = None
    subject_id_status: Status = Status.GUESSED
    rows: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    missing_codes: tuple[str, ...] = ()
    columns: dict[str, ColumnFormat] = field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class DataSection:
    """The tables of the study by role (``subjects`` is required to compute anything)."""

    tables: dict[str, TableSource] = field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class Endpoint:
    """A time to an event, from a time column and a status column, or from dates.

    Parameters
    ----------
    label
        Name in figures ("Overall survival").
    time, unit
        Column of observed times, and its unit. Never converted before estimation.
    start, event_dates, last_contact
        Column of time zero; columns of event dates by kind; columns whose latest known date
        censors a patient without event. Times are whole days, end minus start.
    event, events, censored
        Status column; its values that are an event, by kind ("progression", "death"); its values
        that are not. A value in neither is an error.
    rows
        Rows of the table that belong to this endpoint (``{"PARAMCD": ["OS"]}``).
    display_unit
        Unit of figures and tables.
    add_one_day
        Count the day of the start as day 1.
    time_zero
        What time zero is, in words.
    entry
        Column of delayed entry, same unit or a date.
    cutoff
        Whether the study's data cut-off censors later dates.
    """

    label: str
    time: str | None = None
    unit: TimeUnit | None = None
    unit_status: Status = Status.GUESSED
    start: str | None = None
    event_dates: dict[str, str] = field(default_factory=dict)
    last_contact: tuple[str, ...] = ()
    event: str | None = None
    events: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    censored: tuple[Scalar, ...] = ()
    events_status: Status = Status.GUESSED
    table: str = "subjects"
    rows: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    display_unit: TimeUnit = TimeUnit.MONTHS
    add_one_day: bool = False
    time_zero: str = ""
    entry: str | None = None
    cutoff: bool = True

    @property
    def from_dates(self) -> bool:
        """Whether times are derived from dates."""
        return self.time is None

    @property
    def raw_unit(self) -> TimeUnit:
        """Unit of the numbers that estimators see."""
        return TimeUnit.DAYS if self.from_dates or self.unit is None else self.unit

    @property
    def display_factor(self) -> float:
        """Raw times divided by this are in the display unit."""
        return DAYS_PER_UNIT[self.display_unit] / DAYS_PER_UNIT[self.raw_unit]

    @property
    def is_confirmed(self) -> bool:
        """Whether the event coding and the unit have been looked at by a person."""
        unit_known = self.from_dates or (
            self.unit is not None and self.unit_status is Status.CONFIRMED
        )
        return unit_known and self.events_status is Status.CONFIRMED

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.time is None and self.start is None:
            raise ValueError("an endpoint needs a time column or a start date")
        if self.time is not None and self.start is not None:
            raise ValueError("an endpoint has a time column or a start date, not both")
        return self


@dataclass(frozen=True, config=_STRICT)
class Variable:
    """A characteristic of a patient.

    Parameters
    ----------
    label
        Name in figures and tables.
    kind
        What its values are.
    column
        Column in the table; the variable's own key when ``None``.
    table, rows
        Role of the table, and which of its rows count: at most one a patient
        (``{"PARAMCD": ["BESRSPI"]}``). A patient without a row there is "not known".
    levels
        Levels in order (categorical, ordered); values that are not listed follow in sorted order.
    reference
        Level that others are compared with; the first when ``None``.
    cuts
        Cut points that turn a number into levels: ``[54]`` gives "<54" and "≥54". The first level
        holds what is below the first cut.
    codes
        Value in the file, or level of the cut -> level ("男": "Male").
    merged
        Merged level -> the levels that it stands for.
    unit
        Unit of a number.
    measured
        Known before time zero, after it, or not stated.
    colours
        Level -> slot 0-7; levels without one take the next free slot.
    missing_codes
        Further texts in this column that mean "not known".
    status
        Whether a person has confirmed kind and meaning.
    """

    label: str
    kind: VariableKind = VariableKind.CATEGORICAL
    column: str | None = None
    levels: tuple[str, ...] = ()
    reference: str | None = None
    cuts: tuple[float, ...] = ()
    codes: dict[str, str] = field(default_factory=dict)
    merged: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unit: str | None = None
    measured: Measured = Measured.UNKNOWN
    colours: dict[str, int] = field(default_factory=dict)
    missing_codes: tuple[str, ...] = ()
    table: str = "subjects"
    rows: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    status: Status = Status.GUESSED


@dataclass(frozen=True, config=_STRICT)
class Grouping:
    """Levels of a variable merged under names, as a comparison of its own.

    Parameters
    ----------
    label
        Name in figures ("ASPS or CCS against the rest").
    variable
        Key of the variable.
    groups
        Name of the group -> levels in it, in order.
    rest
        Name of the group of all other levels; they are left out when ``None``.
    """

    label: str
    variable: str
    groups: dict[str, tuple[str, ...]]
    rest: str | None = None


@dataclass(frozen=True, config=_STRICT)
class ResponseDefinition:
    """How best overall response is recorded.

    Parameters
    ----------
    variable
        Key of the variable that holds it.
    responders, controlled
        Levels that count as objective response, and as disease control.
    not_evaluable
        Levels that mean "not evaluable"; they stay in the denominator of all patients.
    criteria, confirmed, assessor
        "RECIST 1.1"; whether responses were confirmed (``None``: not stated); who assessed.
    minimum_stable_days
        Shortest stable disease that counts, as the footnote states it.
    """

    variable: str
    responders: tuple[str, ...] = ("CR", "PR")
    controlled: tuple[str, ...] = ("CR", "PR", "SD")
    not_evaluable: tuple[str, ...] = ("NE",)
    criteria: str = "RECIST 1.1"
    confirmed: bool | None = None
    assessor: str | None = None
    minimum_stable_days: int = 42
    status: Status = Status.GUESSED


@dataclass(frozen=True, config=_STRICT)
class AdverseEventDefinition:
    """How adverse events are recorded, in long form: one row an event.

    Parameters
    ----------
    term, grade
        Columns of the term and of its CTCAE grade (1-5).
    system_organ_class
        Column of the class, if any.
    related, related_values
        Column that says whether the treatment caused it, and its values that mean yes.
    serious, serious_values
        The same for seriousness.
    rows
        Rows that count (``{"TRTEMFL": ["Y"]}``).
    version
        Version of the terminology, for the footnote.
    """

    term: str
    grade: str | None = None
    system_organ_class: str | None = None
    related: str | None = None
    related_values: tuple[Scalar, ...] = ()
    serious: str | None = None
    serious_values: tuple[Scalar, ...] = ()
    rows: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    table: str = "adverse_events"
    version: str | None = None
    status: Status = Status.GUESSED


@dataclass(frozen=True, config=_STRICT)
class Definitions:
    """Endpoints, variables, groupings, response, adverse events, and the data cut-off."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    groupings: dict[str, Grouping] = field(default_factory=dict)
    response: ResponseDefinition | None = None
    adverse_events: AdverseEventDefinition | None = None
    cutoff: str | None = None
    cutoff_column: str | None = None


Missing = Literal["keep", "drop"]


@dataclass(frozen=True, config=_STRICT)
class OneOf:
    """Met when the column holds one of the values."""

    column: str
    values: tuple[Scalar, ...]
    label: str = ""
    excludes: bool = False
    missing: Missing = "keep"
    enabled: bool = True
    after_time_zero: bool = False
    kind: Literal["one_of"] = "one_of"


@dataclass(frozen=True, config=_STRICT)
class Between:
    """Met when a number or a date (ISO text) lies in [low, high]; an open side is ``None``."""

    column: str
    low: float | str | None = None
    high: float | str | None = None
    label: str = ""
    excludes: bool = False
    missing: Missing = "keep"
    enabled: bool = True
    after_time_zero: bool = False
    kind: Literal["between"] = "between"


@dataclass(frozen=True, config=_STRICT)
class IsKnown:
    """Met when the column holds anything at all."""

    column: str
    label: str = ""
    excludes: bool = False
    missing: Missing = "drop"
    enabled: bool = True
    after_time_zero: bool = False
    kind: Literal["is_known"] = "is_known"


def _kind_of(value: Any) -> str | None:
    return value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)


Criterion = Annotated[
    Annotated[OneOf, Tag("one_of")]
    | Annotated[Between, Tag("between")]
    | Annotated[IsKnown, Tag("is_known")],
    Discriminator(_kind_of),
]


@dataclass(frozen=True, config=_STRICT)
class AnalysisSection:
    """Who is analysed, and what is asked.

    Parameters
    ----------
    criteria
        Eligibility, in order; formal part of the study.
    filters
        Exploratory restrictions; they mark every result as exploratory.
    conf_level
        Coverage of all intervals.
    conf_type
        Scale of survival intervals.
    specs
        Analyses asked for, each a mapping with its ``kind``; empty means the default set.
    views
        What each page of the app showed last, by kind; it changes no result.
    """

    criteria: tuple[Criterion, ...] = ()
    filters: tuple[Criterion, ...] = ()
    conf_level: float = 0.95
    conf_type: Literal["log-log", "log", "plain", "logit", "arcsin"] = "log-log"
    specs: tuple[dict[str, Any], ...] = ()
    views: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class ReportSection:
    """What goes into the report: specs in order."""

    items: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Study:
    """Everything that was chosen, and nothing about any patient."""

    title: str = "Untitled study"
    schema_version: Literal[1] = 1
    synthetic: bool = False
    data: DataSection = field(default_factory=DataSection)
    definitions: Definitions = field(default_factory=Definitions)
    analysis: AnalysisSection = field(default_factory=AnalysisSection)
    report: ReportSection = field(default_factory=ReportSection)
