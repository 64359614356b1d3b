"""Types of the study file, version 1.

All are frozen dataclasses that pydantic validates: unknown keys and wrong types are refused with
their path. Each guess that changes numbers carries a status, ``guessed`` or ``confirmed``.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import field, replace
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.dataclasses import dataclass, rebuild_dataclass

SCHEMA_VERSION = 1
DAYS_PER_MONTH = 30.4375

#: Response at one assessment: RECIST 1.1 with its non-target levels, no evidence of disease, and
#: iRECIST.
RESPONSE_LEVELS = (
    "CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "NED", "iCR", "iPR", "iSD", "iUPD", "iCPD",
)  # fmt: skip

Scalar = str | int | float | bool
#: How cut points of a number were found; "best" is the largest log-rank statistic.
CutRule = Literal["stated", "median", "tertiles", "quartiles", "best"]
#: Whose rules decide where programs differ.
ConventionName = Literal["app", "R", "SPSS"]
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


class IncompleteDates(StrEnum):
    """How a date without a day, or without month and day, is read."""

    LEAVE_OUT = "leave_out"
    FIRST = "first"
    MIDDLE = "middle"
    LAST = "last"


class RowChoice(StrEnum):
    """Which row of a patient counts in a table that has several."""

    FIRST = "first"
    LAST = "last"
    EARLIEST = "earliest"
    LATEST = "latest"
    AGREED = "agreed"
    EACH = "each"
    BEST = "best"
    WORST = "worst"
    NONE = "none"


#: Choices that are made by a column.
TAKEN_BY_COLUMN = frozenset({RowChoice.EARLIEST, RowChoice.LATEST, RowChoice.BEST, RowChoice.WORST})


class IdRule(StrEnum):
    """How alike two spellings of a patient id must be, the strictest first."""

    EXACT = "exact"
    SPELLING = "spelling"
    SIGNS = "signs"
    ZEROS = "zeros"
    NUMBER = "number"


@dataclass(frozen=True, config=_STRICT)
class ColumnFormat:
    """How the text of a column is read.

    Parameters
    ----------
    date_order
        Order of day, month and year in text dates.
    decimal
        Decimal mark in text numbers.
    thousands
        Where the decimal mark is a comma, "." says that a point before three digits parts
        thousands (1.500 is 1500); else such a cell can't be read.
    last_year
        The latest year that a year of two digits can mean: under 2026, "26" is 2026 and "27" is
        1927. Such dates are not read before it is confirmed.
    status
        Whether a person has confirmed it; only needed where a column can be read two ways.
    """

    date_order: Literal["ymd", "dmy", "mdy"] | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal["."] | None = None
    last_year: Annotated[int, Field(ge=1900, le=2199)] | None = None
    status: Status = Status.GUESSED

    @property
    def confirmed_last_year(self) -> int | None:
        """The rule of years of two digits, once a person has said it."""
        return self.last_year if self.status is Status.CONFIRMED else None

    @property
    def marks(self) -> str:
        """Decimal mark, followed by the mark of thousands where one is stated."""
        return f"{self.decimal}{self.thousands or ''}"

    @model_validator(mode="after")
    def _two_marks(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError("a point can't part thousands and be the decimal mark")
        if self.last_year is not None and self.date_order is None:
            raise ValueError("with last_year, date_order must be stated too")
        return self


@dataclass(frozen=True, config=_STRICT)
class Seen:
    """The size of a table when the choices were kept, to tell the next data cut by.

    Parameters
    ----------
    rows, patients
        Rows that belonged to the table, and patients in them.
    columns
        Its columns in order.
    sizes
        Median of each column of numbers that the study rests on, in two significant digits, where
        ten patients or more have one: by it a changed unit is told.
    orders
        How the dates of each column were written: an order of day and month, "any" where they
        read both ways.
    levels, absent
        Number of different levels of each variable of groups, by key; and levels of the study
        that no patient had.
    """

    rows: int
    patients: int
    columns: tuple[str, ...] = ()
    sizes: dict[str, float] = field(default_factory=dict)
    orders: dict[str, Literal["ymd", "dmy", "mdy", "any"]] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    absent: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class TableSource:
    """Where a table comes from.

    Parameters
    ----------
    file, sheet
        Name of the file and of the sheet in it; the file's directory is never kept.
    subject_id
        Column that identifies the patient; ``None`` when each row is a patient.
    id_with
        Further columns that are part of the id, where a number repeats over centres.
    rows
        Only rows in which each named column holds one of its values (``{"PARAMCD": ["OS"]}``).
    take, take_by
        Which row of a patient counts when several are left: the first or last of the file, or the
        earliest or latest by a column of dates or numbers; "agreed" takes of each column what all
        rows of the patient that know it say, and nothing where two say different things; "each"
        makes every row a patient. In the patient table it counts once ``subject_id_status`` is
        confirmed. In another table,
        "best" and "worst" go by a column of tumour responses, and "none" leaves out the rows of
        patients who have several, unless these say the same.
    id_rule
        How ids are compared with those of the patient table: "spelling" forgives case, width,
        blanks and a ".0"; "signs" all but letters and digits too; "zeros" what "spelling" does and
        leading zeros; "number" everything before the last number.
    patient_column
        Column of the patient table that holds the ids of this table, where that is not the patient
        id: a hospital number beside a study number.
    missing_codes
        Texts that mean "not known", besides blank.
    columns
        Reading rules of single columns.
    left_out
        Columns that are left out before anything is shown or computed, each with the kind of thing
        that it holds ("name", "birth_date", ...).
    let_in
        Columns that look private and that a person has let in.
    birth_date, age_at
        Column of the date or year of birth, and of the date at which the age is taken: the age in
        whole years becomes a column of the patient table before the former is left out.
    seen
        What the table was like when the choices were kept; ``None`` when they never were.
    """

    file: str | None = None
    sheet: str | None = None
    subject_id: str | None = None
    subject_id_status: Status = Status.GUESSED
    id_with: tuple[str, ...] = ()
    rows: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    take: RowChoice | None = None
    take_by: str | None = None
    id_rule: IdRule = IdRule.EXACT
    patient_column: str | None = None
    missing_codes: tuple[str, ...] = ()
    columns: dict[str, ColumnFormat] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    let_in: tuple[str, ...] = ()
    birth_date: str | None = None
    age_at: str | None = None
    seen: Seen | None = None

    @model_validator(mode="after")
    def _in_or_out(self) -> Self:
        if both := {*self.left_out} & {*self.let_in}:
            raise ValueError(f"“{min(both)}” can't be both left out and let in")
        if self.id_with and (self.subject_id is None or self.subject_id in self.id_with):
            raise ValueError("id_with names further columns beside subject_id")
        if (self.birth_date is None) is not (self.age_at is None):
            raise ValueError("birth_date and age_at belong together")
        return self


@dataclass(frozen=True, config=_STRICT)
class DataSection:
    """The tables of the study by role (``subjects`` is required to compute anything).

    Usual roles are ``assessments``, ``lesions``, ``exposures``, ``adverse_events`` and
    ``time_to_event``; any other name is a table of its own.
    """

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
    no_contact
        Of a patient without an event and without a date of the last contact: "lose" leaves the
        patient out, "start" censors at the start.
    assessed
        Whether a patient without an event is censored at the last evaluable row of the table of
        tumour assessments, in place of ``last_contact``.
    longest_gap_days
        An event more than this many days after the last contact before it (the last assessment)
        is censored at that contact, or at the start where there was none; ``None`` for no such
        rule. Where all that is known is a contact on the day of the event or later, it stays.
    new_therapy, at_new_therapy
        Column of the date of the next therapy; whether follow-up is censored on that day, goes on,
        or an earlier next therapy is an event of its own kind. An event on the very day counts.
    responders
        Whether only patients with an objective response count, by the definition of response.
    first_response
        Whether the time starts at the first assessment from ``start`` on whose overall response is
        one of those that count as response.
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
    no_contact: Literal["lose", "start"] = "lose"
    assessed: bool = False
    longest_gap_days: int | None = None
    new_therapy: str | None = None
    at_new_therapy: Literal["ignore", "censor", "event"] = "censor"
    responders: bool = False
    first_response: bool = False

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
        if self.longest_gap_days is not None and self.longest_gap_days < 1:
            raise ValueError("longest_gap_days must be at least 1")
        if self.time is not None and (
            self.new_therapy is not None
            or self.longest_gap_days is not None
            or self.no_contact != "lose"
            or self.assessed
            or self.first_response
        ):
            raise ValueError("rules of follow-up belong to endpoints from dates")
        return self


@dataclass(frozen=True, config=_STRICT)
class IsOneOf:
    """Say “Yes” where the level of a variable is one of the values, “No” where it is another.

    Parameters
    ----------
    of
        Key of a variable, or a column of the patient table.
    values
        Levels that mean yes. Where the level is not known, neither is the answer.
    """

    of: str
    values: tuple[Scalar, ...]
    kind: Literal["is_one_of"] = "is_one_of"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Variables or columns that it is made of."""
        return (self.of,)


@dataclass(frozen=True, config=_STRICT)
class IsInRange:
    """Say “Yes” where a number is at least one bound and below the other, “No” elsewhere.

    Parameters
    ----------
    of
        Key of a variable, or a column of the patient table.
    at_least, below
        Lower bound, which belongs to the range, and upper bound, which does not; one may be open.
    """

    of: str
    at_least: float | None = None
    below: float | None = None
    kind: Literal["is_in_range"] = "is_in_range"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Variables or columns that it is made of."""
        return (self.of,)

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        bounds = [bound for bound in (self.at_least, self.below) if bound is not None]
        if not bounds or not all(math.isfinite(bound) for bound in bounds):
            raise ValueError("a range needs at_least or below, each a finite number")
        if len(bounds) == 2 and bounds[0] >= bounds[1]:
            raise ValueError("at_least must be smaller than below")
        return self


@dataclass(frozen=True, config=_STRICT)
class WhetherKnown:
    """Say “Yes” where a variable is known, “No” where it is not.

    Parameters
    ----------
    of
        Key of a variable, or a column of the patient table.
    """

    of: str
    kind: Literal["whether_known"] = "whether_known"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Variables or columns that it is made of."""
        return (self.of,)


@dataclass(frozen=True, config=_STRICT)
class CountOf:
    """How many of several variables say yes.

    The count is not known where one of them is not. Its group, by the variable's cut points, is
    known nevertheless where the answer could not change it: two organs of four, the fourth not
    known, are "two or more".

    Parameters
    ----------
    of
        Keys of variables, or columns of the patient table.
    yes, no
        Levels that mean yes, and that mean no; a level in neither counts as not known. With no
        ``no``, every known level that is not a yes is a no.
    """

    of: tuple[str, ...]
    yes: tuple[Scalar, ...]
    no: tuple[Scalar, ...] = ()
    kind: Literal["count_of"] = "count_of"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Variables or columns that it is made of."""
        return self.of

    @model_validator(mode="after")
    def _a_count(self) -> Self:
        _several(self.of, 1)
        if not self.yes:
            raise ValueError("a count needs the levels that mean yes")
        if {str(value) for value in self.yes} & {str(value) for value in self.no}:
            raise ValueError("a level can't mean both yes and no")
        return self


@dataclass(frozen=True, config=_STRICT)
class Combination:
    """The levels of several variables side by side: a regimen of two drugs, or a crossing.

    Parameters
    ----------
    of
        Keys of variables, or columns of the patient table, in the order in which they are named.
    joined_by
        What stands between two levels.
    one_missing
        Where some are not known: ``unknown``, or the ``others`` alone.
    any_order
        Whether a patient's levels are sorted and each named once, so that "A + B" in the one
        order and in the other are the same.
    """

    of: tuple[str, ...]
    joined_by: str = " + "
    one_missing: Literal["unknown", "others"] = "unknown"
    any_order: bool = False
    kind: Literal["combination"] = "combination"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Variables or columns that it is made of."""
        return self.of

    @model_validator(mode="after")
    def _a_combination(self) -> Self:
        _several(self.of, 2)
        if not self.joined_by:
            raise ValueError("joined_by needs at least one character")
        return self


@dataclass(frozen=True, config=_STRICT)
class Nested:
    """A variable of which some levels are split by a second one ("Rhabdomyosarcoma: embryonal").

    Parameters
    ----------
    of
        Key of the variable with the upper levels, or a column of the patient table.
    by
        Key of the variable with the lower levels, or a column of the patient table.
    split
        Upper levels that are split; the others stay as they are.
    joined_by
        What stands between upper and lower level.
    one_missing
        What an upper level with an unknown lower one becomes: ``unspecified``, a level of its
        own, or ``unknown``.
    """

    of: str
    by: str
    split: tuple[Scalar, ...]
    joined_by: str = ": "
    one_missing: Literal["unspecified", "unknown"] = "unspecified"
    kind: Literal["nested"] = "nested"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Variables or columns that it is made of."""
        return (self.of, self.by)

    @model_validator(mode="after")
    def _two_levels(self) -> Self:
        _several(self.inputs, 2)
        if not self.split:
            raise ValueError("name at least one level that is split")
        if not self.joined_by:
            raise ValueError("joined_by needs at least one character")
        return self


@dataclass(frozen=True, config=_STRICT)
class FirstKnown:
    """The first of several variables that is known.

    Parameters
    ----------
    of
        Keys of variables, or columns of the patient table, in order.
    """

    of: tuple[str, ...]
    kind: Literal["first_known"] = "first_known"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Variables or columns that it is made of."""
        return self.of

    @model_validator(mode="after")
    def _some(self) -> Self:
        _several(self.of, 2)
        return self


@dataclass(frozen=True, config=_STRICT)
class CountOfRows:
    """How many rows, or different values of a column, another table has of a patient.

    A patient without a row there is not known, which is not 0. With a date before which rows
    count, it may be 0; it is not known where a row without a date could change it.

    Parameters
    ----------
    table
        Role of the table, not the patient table.
    of
        Column of that table whose different values are counted (lines of treatment); its rows when
        ``None``.
    date, before
        Column of that table with the row's date, and the variable or column of the patient table
        with the date before which rows count.
    """

    table: str
    of: str | None = None
    date: str | None = None
    before: str | None = None
    kind: Literal["count_of_rows"] = "count_of_rows"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Variables or columns of the patient table that it is made of."""
        return () if self.before is None else (self.before,)

    @model_validator(mode="after")
    def _of_another_table(self) -> Self:
        if self.table == "subjects":
            raise ValueError("rows are counted in a table other than the patient table")
        if (self.date is None) != (self.before is None):
            raise ValueError("date and before go together")
        return self


def _several(names: tuple[str, ...], least: int) -> None:
    if len(names) < least:
        raise ValueError(f"name at least {least} variables or columns")
    if len(set(names)) < len(names):
        raise ValueError("each variable or column is named once")


def _kind_of(value: Any) -> str | None:
    return value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)


Derivation = Annotated[
    Annotated[IsOneOf, Tag("is_one_of")]
    | Annotated[IsInRange, Tag("is_in_range")]
    | Annotated[WhetherKnown, Tag("whether_known")]
    | Annotated[CountOf, Tag("count_of")]
    | Annotated[Combination, Tag("combination")]
    | Annotated[Nested, Tag("nested")]
    | Annotated[FirstKnown, Tag("first_known")]
    | Annotated[CountOfRows, Tag("count_of_rows")],
    Discriminator(_kind_of),
]


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
    derived
        How it is made of other variables or columns, instead of being read from a column. What
        comes out is then cut, coded and merged like the cells of a column.
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
    cut_rule, cut_for
        How the cut points were found, and the endpoint whose best cut they are ("best" only).
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
    treatment
        Whether it says how patients were treated (drug, regimen, arm). Unless the study is
        randomised, comparisons by it are marked unadjusted and not randomised.
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
    cut_rule: CutRule = "stated"
    cut_for: str | None = None
    codes: dict[str, str] = field(default_factory=dict)
    merged: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unit: str | None = None
    measured: Measured = Measured.UNKNOWN
    colours: dict[str, int] = field(default_factory=dict)
    missing_codes: tuple[str, ...] = ()
    table: str = "subjects"
    rows: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    derived: Derivation | None = None
    treatment: bool = False
    status: Status = Status.GUESSED

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.derived is not None and (self.column or self.rows or self.table != "subjects"):
            raise ValueError("a derived variable has no column, table or rows of its own")
        return self


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
    responders, controlled, progression
        Levels that count as objective response, as disease control, and as neither of the two.
    not_evaluable
        Levels that mean "not evaluable"; they stay in the denominator of all patients.
    criteria
        Name and version of the criteria ("RECIST 1.1"); empty when not stated.
    confirmed, assessor
        Whether responses were confirmed (``None``: not stated); who assessed.
    minimum_stable_days
        Shortest stable disease that counts; ``None`` when not stated.
    """

    variable: str
    responders: tuple[str, ...] = ("CR", "PR")
    controlled: tuple[str, ...] = ("CR", "PR", "SD")
    not_evaluable: tuple[str, ...] = ("NE",)
    criteria: str = ""
    confirmed: bool | None = None
    assessor: str | None = None
    minimum_stable_days: int | None = None
    status: Status = Status.GUESSED
    progression: tuple[str, ...] = ("PD",)


@dataclass(frozen=True, config=_STRICT)
class AdverseEventDefinition:
    """How adverse events are recorded, and by which names they are counted.

    Parameters
    ----------
    term, grade
        Columns of the term and of its CTCAE grade (1-5), one row an event.
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
    form
        One row an event (``long``), one column a term (``wide``), or several events in a cell
        (``cells``).
    columns
        In the wide form, a column for each term, holding its grade or whether it happened; in the
        form of cells, the columns whose cells name events with their grades.
    numbers
        What the numbers of the wide form are: grades, where 0 is no event, or 1 for yes and 0 for
        no, with no grade known.
    terms
        Whether events are counted by the names of the file or by those of CTCAE v5.0; a name
        without a counterpart stays as it is.
    mapped
        Name in the file -> CTCAE term, by hand, where the synonyms say nothing or something else;
        an empty text keeps the name of the file.
    """

    term: str | None = None
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
    form: Literal["long", "wide", "cells"] = "long"
    columns: tuple[str, ...] = ()
    numbers: Literal["grades", "yes_no"] = "grades"
    terms: Literal["as_recorded", "ctcae"] = "as_recorded"
    mapped: dict[str, str] = field(default_factory=dict)

    @model_validator(mode="after")
    def _columns_of_its_form(self) -> Self:
        """Refuse a form without its columns, and columns of another form."""
        if self.form == "long":
            if self.term is None:
                raise ValueError("the long form needs the column of terms")
            if self.columns:
                raise ValueError("columns belong to the wide form and to cells, not to the long")
            return self
        if not self.columns:
            raise ValueError(f"the form “{self.form}” needs columns")
        _several(self.columns, 1)
        own = (self.term, self.grade, self.system_organ_class, self.related, self.serious)
        if any(name is not None for name in own):
            raise ValueError("term, grade, class, related and serious belong to the long form")
        return self


@dataclass(frozen=True, config=_STRICT)
class VisitColumns:
    """The columns of one visit in a table with one row a patient.

    Parameters
    ----------
    name
        Name of the visit ("Week 6").
    date
        Column of its date.
    day
        Scheduled day of the visit, where no column has its date: days from the origin, which is
        day 0.
    target_sum, node_short_axis, target_response, non_target, new_lesion, overall
        As in :class:`AssessmentDefinition`.
    """

    name: str
    date: str | None = None
    day: int | None = None
    target_sum: str | None = None
    node_short_axis: str | None = None
    target_response: str | None = None
    non_target: str | None = None
    new_lesion: str | None = None
    overall: str | None = None

    @property
    def results(self) -> tuple[str, ...]:
        """Columns that hold what was found."""
        named = (
            self.target_sum, self.node_short_axis, self.target_response, self.non_target,
            self.new_lesion, self.overall,
        )  # fmt: skip
        return tuple(name for name in named if name is not None)

    @model_validator(mode="after")
    def _when_and_what(self) -> Self:
        if not self.name.strip():
            raise ValueError("a visit needs a name")
        if (self.date is None) == (self.day is None):
            raise ValueError(f"the visit “{self.name}” has a date or a scheduled day, one of them")
        if not self.results:
            raise ValueError(f"the visit “{self.name}” needs a column of what was found")
        return self


@dataclass(frozen=True, config=_STRICT)
class AssessmentDefinition:
    """How tumour assessments are recorded: one row an assessment, or a row a patient.

    Parameters
    ----------
    date, day
        Column of the date, or column of the study day; one of the two.
    origin
        Column of the patient table with the date from which study days are counted; it turns
        dates into days, or days into dates.
    first_day
        Number of the study day that is the day of the origin: 1 (CDISC, where no day is 0) or 0.
    visit
        Column of the name of the visit.
    target_sum, node_short_axis
        Columns of the sum of diameters of the target lesions, and of the short axis of a node.
    size_unit
        Unit of both.
    target_response, non_target, overall
        Columns of the response of target lesions, of the others, and of the whole assessment.
    codes
        Value in these columns -> level of :data:`RESPONSE_LEVELS`; a level needs no entry.
    new_lesion, new_lesion_values
        Column that says whether there is a new lesion, and its values that mean yes; any other
        known value means no.
    evaluable, evaluable_values
        Column that says whether the assessment can be evaluated, and its values that mean yes; any
        other value, and none, means no. Without it every assessment can that has a result and is
        not "NE".
    assessor
        Who assessed, in words.
    rows
        Rows that count (``{"PARAMCD": ["OVRLRESP"]}``).
    visits
        In a table with one row a patient, the columns of each visit, in their order; date, day,
        results and evaluable above are then left out.
    table
        Role of the table.
    status
        Whether a person has confirmed it.
    """

    date: str | None = None
    day: str | None = None
    origin: str | None = None
    first_day: Literal[0, 1] = 1
    visit: str | None = None
    target_sum: str | None = None
    node_short_axis: str | None = None
    size_unit: Literal["mm", "cm"] = "mm"
    target_response: str | None = None
    non_target: str | None = None
    overall: str | None = None
    codes: dict[str, str] = field(default_factory=dict)
    new_lesion: str | None = None
    new_lesion_values: tuple[Scalar, ...] = ()
    evaluable: str | None = None
    evaluable_values: tuple[Scalar, ...] = ()
    assessor: str | None = None
    rows: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    visits: tuple[VisitColumns, ...] = ()
    table: str = "assessments"
    status: Status = Status.GUESSED

    @property
    def results(self) -> tuple[str, ...]:
        """Columns that hold what was found, in the order of the assessment."""
        return self._columns(
            "target_sum", "node_short_axis", "target_response", "non_target", "new_lesion",
            "overall",
        )  # fmt: skip

    @property
    def response_columns(self) -> tuple[str, ...]:
        """Columns whose values are levels of a response, or codes of them."""
        return self._columns("target_response", "non_target", "overall")

    @property
    def overall_columns(self) -> tuple[str, ...]:
        """Columns of the response of a whole assessment."""
        return self._columns("overall")

    @property
    def date_columns(self) -> tuple[str, ...]:
        """Columns of dates."""
        return self._columns("date")

    @property
    def size_columns(self) -> tuple[str, ...]:
        """Columns of sizes of lesions."""
        return self._columns("target_sum", "node_short_axis")

    @property
    def new_lesion_columns(self) -> tuple[str, ...]:
        """Columns that say whether there is a new lesion."""
        return self._columns("new_lesion")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the table that it names."""
        own = (
            *self.date_columns, self.day, self.visit, *self.results, self.evaluable, *self.rows,
        )  # fmt: skip
        return tuple(dict.fromkeys(name for name in own if name is not None))

    def _columns(self, *fields: str) -> tuple[str, ...]:
        named = (getattr(item, name) for item in self.visits or (self,) for name in fields)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @model_validator(mode="after")
    def _when_and_what(self) -> Self:
        if self.visits:
            return self._only_visits()
        if (self.date is None) == (self.day is None):
            raise ValueError("an assessment has a date or a study day, one of the two")
        if not (self.results or self.evaluable):
            raise ValueError("an assessment needs a column of what was found")
        for column, values, name in (
            (self.new_lesion, self.new_lesion_values, "new_lesion"),
            (self.evaluable, self.evaluable_values, "evaluable"),
        ):
            if values and column is None:
                raise ValueError(f"{name}_values need the column {name}")
        self._refuse_other_levels()
        return self

    def _only_visits(self) -> Self:
        own = (
            self.date, self.day, self.visit, self.target_sum, self.node_short_axis,
            self.target_response, self.non_target, self.new_lesion, self.overall, self.evaluable,
        )  # fmt: skip
        if any(name is not None for name in own):
            raise ValueError("with visits in columns, each visit names its columns itself")
        names = [visit.name for visit in self.visits]
        if len(set(names)) < len(names):
            raise ValueError("two visits have the same name")
        if self.new_lesion_values and not self.new_lesion_columns:
            raise ValueError("new_lesion_values need a column new_lesion")
        self._refuse_other_levels()
        return self

    def _refuse_other_levels(self) -> None:
        unknown = [level for level in self.codes.values() if level not in RESPONSE_LEVELS]
        if unknown:
            raise ValueError(f"“{unknown[0]}” is none of the levels {', '.join(RESPONSE_LEVELS)}")


@dataclass(frozen=True, config=_STRICT)
class ExposureDefinition:
    """How treatment is recorded, one row a drug and a period or a dose.

    Parameters
    ----------
    start, stop
        Columns of the first and of the last day; without ``stop`` a row is a single dose.
    times
        Whether both hold dates or study days.
    origin, first_day
        As in :class:`AssessmentDefinition`.
    drug
        Column of the drug's name.
    name
        Name of the drug where no column has one; empty when not stated.
    dose
        Column of the dose.
    reason
        Column of the reason of stopping.
    ongoing, ongoing_values
        Column that says whether treatment goes on, and its values that mean yes. It may be the
        column of the last day, where a word stands instead of a date.
    line
        Column of the line of treatment, where the table has one row a line and patient.
    index, index_start
        Which line is the treatment that is studied: the patient's first or last, the one that
        starts on the date in the column ``index_start`` of the patient table ("at_start"), or all
        of them ("every"). Rows of other lines don't count; none does until it is said.
    rows
        Rows that count.
    table
        Role of the table.
    status
        Whether a person has confirmed it.
    """

    start: str
    stop: str | None = None
    times: Literal["dates", "days"] = "dates"
    origin: str | None = None
    first_day: Literal[0, 1] = 1
    drug: str | None = None
    name: str = ""
    dose: str | None = None
    reason: str | None = None
    ongoing: str | None = None
    ongoing_values: tuple[Scalar, ...] = ()
    line: str | None = None
    index: Literal["every", "first", "last", "at_start"] | None = None
    index_start: str | None = None
    rows: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    table: str = "exposures"
    status: Status = Status.GUESSED

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the table that it names."""
        own = (
            self.start, self.stop, self.drug, self.dose, self.reason, self.ongoing, self.line,
            *self.rows,
        )  # fmt: skip
        return tuple(dict.fromkeys(name for name in own if name is not None))

    @model_validator(mode="after")
    def _its_own_columns(self) -> Self:
        if self.start == self.stop:
            raise ValueError("start and stop are two columns; leave stop out for single doses")
        if self.ongoing_values and self.ongoing is None:
            raise ValueError("ongoing_values need the column ongoing")
        if self.index is not None and self.line is None:
            raise ValueError("index needs the column line")
        if (self.index == "at_start") != (self.index_start is not None):
            raise ValueError("index: at_start and index_start go together")
        return self


@dataclass(frozen=True, config=_STRICT)
class Definitions:
    """Endpoints, variables, groupings, response, adverse events, and the data cut-off.

    Parameters
    ----------
    endpoints, variables, groupings
        By key.
    response, adverse_events
        How they are recorded; ``None`` when they are not.
    cutoff, cutoff_column
        Data cut-off as ISO date, or the column whose latest date it is.
    incomplete_dates
        How "2021-05" and "2021" are read: not at all, or as the first, middle (15th; 1 July) or
        last day of the month or year.
    """

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    groupings: dict[str, Grouping] = field(default_factory=dict)
    response: ResponseDefinition | None = None
    adverse_events: AdverseEventDefinition | None = None
    assessments: AssessmentDefinition | None = None
    exposures: ExposureDefinition | None = None
    cutoff: str | None = None
    cutoff_column: str | None = None
    incomplete_dates: IncompleteDates = IncompleteDates.LEAVE_OUT

    @model_validator(mode="after")
    def _known_when_its_inputs_are(self) -> Self:
        """Refuse variables made of themselves; carry over when their inputs are known."""
        if any(variable.derived for variable in self.variables.values()):
            _refuse_endless(self.variables)
            object.__setattr__(self, "variables", _with_measured(self.variables))
        return self


MAX_DERIVATIONS = 500
MAX_CHAIN = 20


def _refuse_endless(variables: dict[str, Variable]) -> None:
    """Refuse cycles, and chains that would take too long to work out."""
    work: dict[str, int] = {}
    path: list[str] = []

    def visit(key: str) -> int:
        if key in path:
            circle = " → ".join([*path[path.index(key) :], key])
            raise ValueError(f"a variable can't be made of itself: {circle}")
        if key not in work:
            derived = variables[key].derived if key in variables else None
            path.append(key)
            if len(path) > MAX_CHAIN:
                raise ValueError(f"more than {MAX_CHAIN} variables are made one of another")
            work[key] = 1 + sum(map(visit, derived.inputs)) if derived else 1
            path.pop()
        if work[key] > MAX_DERIVATIONS:
            raise ValueError(f"“{key}” is made of more than {MAX_DERIVATIONS} others")
        return work[key]

    for key in variables:
        visit(key)


def _with_measured(variables: dict[str, Variable]) -> dict[str, Variable]:
    """Say of derived variables when they are known, where their inputs settle it.

    One input known after time zero makes them known only then; when all are known before it, so
    are they. Otherwise what was stated stands.
    """

    def measured(key: str) -> Measured:
        if key not in variables:
            return Measured.UNKNOWN
        own = variables[key]
        if own.derived is None:
            return own.measured
        found = {measured(name) for name in own.derived.inputs}
        if Measured.POST_BASELINE in found:
            return Measured.POST_BASELINE
        return Measured.BASELINE if found == {Measured.BASELINE} else own.measured

    return {
        key: replace(variable, measured=measured(key)) if variable.derived else variable
        for key, variable in variables.items()
    }


#: What becomes of a patient of whom a criterion can't be decided: stays in, listed as not
#: verifiable; leaves; or is the only kind that stays.
Missing = Literal["keep", "drop", "only"]


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

    @property
    def columns(self) -> tuple[str, ...]:
        """Variables, groupings or columns of the patient table that it asks for."""
        return (self.column,)


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

    @property
    def columns(self) -> tuple[str, ...]:
        """Variables or columns of the patient table that it asks for."""
        return (self.column,)


@dataclass(frozen=True, config=_STRICT)
class DaysBetween:
    """Met when a date lies so many days after another one.

    Parameters
    ----------
    column, since
        The date, and the one that days are counted from; day 0 is that very day.
    low, high
        First and last day that meet it, below 0 before ``since``; an open side is ``None``.
    label, excludes, missing, enabled, after_time_zero
        As for every criterion.
    """

    column: str
    since: str
    low: int | None = None
    high: int | None = None
    label: str = ""
    excludes: bool = False
    missing: Missing = "keep"
    enabled: bool = True
    after_time_zero: bool = False
    kind: Literal["days_between"] = "days_between"

    @property
    def columns(self) -> tuple[str, ...]:
        """Variables or columns of the patient table that it asks for."""
        return (self.column, self.since)

    @model_validator(mode="after")
    def _a_window(self) -> Self:
        _window(self.low, self.high)
        if self.low is None and self.high is None:
            raise ValueError("days between two dates need low or high")
        if self.column == self.since:
            raise ValueError("column and since are two dates")
        return self


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

    @property
    def columns(self) -> tuple[str, ...]:
        """Variables, groupings or columns of the patient table that it asks for."""
        return (self.column,)


RowCondition = Annotated[
    Annotated[OneOf, Tag("one_of")]
    | Annotated[Between, Tag("between")]
    | Annotated[IsKnown, Tag("is_known")],
    Discriminator(_kind_of),
]


@dataclass(frozen=True, config=_STRICT)
class HasRow:
    """Met when another table has enough rows of the patient that meet all conditions.

    A patient without any row there does not meet it. A row of which a condition can't be decided
    may count: where that matters, it is not known whether the patient meets the criterion.

    Parameters
    ----------
    table
        Role of the table, not the patient table.
    where
        Conditions on columns of that table; a row meets all of them.
    at_least
        Rows that are needed.
    date, origin
        Column of that table with the row's date, and the variable or column of the patient table
        with the date that days are counted from.
    study_day
        Column of that table with the row's study day, in place of ``date`` and ``origin``.
    low, high
        First and last day that count, 0 for the day of the origin; an open side is ``None``.
    label, excludes, missing, enabled, after_time_zero
        As for every criterion.
    """

    table: str
    where: tuple[RowCondition, ...] = ()
    at_least: int = 1
    date: str | None = None
    origin: str | None = None
    study_day: str | None = None
    low: int | None = None
    high: int | None = None
    label: str = ""
    excludes: bool = False
    missing: Missing = "keep"
    enabled: bool = True
    after_time_zero: bool = False
    kind: Literal["has_row"] = "has_row"

    @property
    def columns(self) -> tuple[str, ...]:
        """Variables or columns of the patient table that it asks for."""
        return () if self.origin is None else (self.origin,)

    @property
    def table_columns(self) -> tuple[str, ...]:
        """Columns of its own table that it asks for."""
        own = (*(part.column for part in self.where), self.date, self.study_day)
        return tuple(dict.fromkeys(name for name in own if name is not None))

    @model_validator(mode="after")
    def _rows_of_another_table(self) -> Self:
        _refuse_own_choices(self.where)
        _window(self.low, self.high)
        if self.table == "subjects":
            raise ValueError("rows are asked for in a table other than the patient table")
        if self.at_least < 1:
            raise ValueError("at_least must be 1 or more")
        dated = self.date is not None or self.study_day is not None
        if (self.low is not None or self.high is not None) != dated:
            raise ValueError(
                "days (low, high) and a column of the time (date, study_day) go together"
            )
        if (self.date is None) != (self.origin is None):
            raise ValueError("date and origin go together")
        if self.date is not None and self.study_day is not None:
            raise ValueError("a row has a date or a study day, one of the two")
        return self


@dataclass(frozen=True, config=_STRICT)
class _Compound:
    """Several conditions as one criterion; its fields stand in the study file in this order."""

    parts: tuple[Criterion, ...]
    label: str = ""
    excludes: bool = False
    missing: Missing = "keep"
    enabled: bool = True
    after_time_zero: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Variables, groupings or columns of the patient table that it asks for."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.columns))

    @model_validator(mode="after")
    def _of_conditions(self) -> Self:
        _check_compound(self.parts)
        return self


@dataclass(frozen=True, config=_STRICT)
class AllOf(_Compound):
    """Met when all parts are; unknown where no part fails and one can't be decided.

    Parameters
    ----------
    parts
        Two or more conditions; one with ``excludes`` holds where its condition does not. A part
        may itself be an :class:`AnyOf` or :class:`AllOf` of single conditions.
    label, excludes, missing, enabled, after_time_zero
        Of the whole; parts have none of their own.
    """

    kind: Literal["all_of"] = "all_of"


@dataclass(frozen=True, config=_STRICT)
class AnyOf(_Compound):
    """Met when one part is; unknown where no part holds and one can't be decided.

    Parameters
    ----------
    parts, label, excludes, missing, enabled, after_time_zero
        As for :class:`AllOf`.
    """

    kind: Literal["any_of"] = "any_of"


Criterion = Annotated[
    Annotated[OneOf, Tag("one_of")]
    | Annotated[Between, Tag("between")]
    | Annotated[DaysBetween, Tag("days_between")]
    | Annotated[IsKnown, Tag("is_known")]
    | Annotated[HasRow, Tag("has_row")]
    | Annotated[AllOf, Tag("all_of")]
    | Annotated[AnyOf, Tag("any_of")],
    Discriminator(_kind_of),
]
Condition = OneOf | Between | DaysBetween | IsKnown | HasRow
for _compound in (AllOf, AnyOf):
    rebuild_dataclass(_compound, force=True)  # type: ignore[arg-type]


def conditions_of(criterion: Criterion) -> tuple[Condition, ...]:
    """Give the single conditions that a criterion is made of, in order."""
    if isinstance(criterion, AllOf | AnyOf):
        return tuple(found for part in criterion.parts for found in conditions_of(part))
    return (criterion,)


def _window(low: int | None, high: int | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError("low must not be above high")


def _refuse_own_choices(parts: tuple[Any, ...]) -> None:
    """Refuse in a part what is said of the whole criterion."""
    for part in parts:
        usual = "drop" if isinstance(part, IsKnown) else "keep"
        if part.label or part.missing != usual or not part.enabled or part.after_time_zero:
            raise ValueError(
                "label, missing, enabled and after_time_zero belong to the whole criterion, "
                "not to a part of it"
            )


def _check_compound(parts: tuple[Any, ...]) -> None:
    if len(parts) < 2:
        raise ValueError("name at least two conditions")
    _refuse_own_choices(parts)
    for part in parts:
        inner = part.parts if isinstance(part, AllOf | AnyOf) else ()
        if any(isinstance(item, AllOf | AnyOf) for item in inner):
            raise ValueError("conditions are nested one level deep at most")


@dataclass(frozen=True, config=_STRICT)
class Population:
    """A named set of patients that an analysis is of.

    Parameters
    ----------
    label
        Name in sentences and footnotes ("Safety population").
    criteria
        Which of the study's criteria apply: all of them, those known at time zero, or none.
    own
        Further criteria of this population alone, in order.
    without, also
        Names of single criteria of the study that don't apply although the others do, and that
        apply although the others don't: its label, or what it asks for where it has none. A name
        of no criterion changes nothing.
    """

    label: str
    criteria: Literal["all", "time_zero", "none"] = "all"
    own: tuple[Criterion, ...] = ()
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _in_or_out(self) -> Self:
        if both := {*self.without} & {*self.also}:
            raise ValueError(f"“{min(both)}” can't be both left out (without) and kept (also)")
        return self

    def forgetting(self, names: Collection[str]) -> Population:
        """Give the population that no longer speaks of some single criteria."""
        without, also = (
            tuple(name for name in listed if name not in names)
            for listed in (self.without, self.also)
        )
        return replace(self, without=without, also=also)


@dataclass(frozen=True, config=_STRICT)
class LookedAt:
    """A comparison that somebody has looked at with its P value.

    Parameters
    ----------
    key
        Hash of the question, the patients and the answer, by which it counts once.
    question
        What was compared, by the names of endpoint and variables; no group is named.
    p_value
        Two-sided, not adjusted.
    n, n_in_file
        Patients analysed, and in the file.
    data
        First characters of the hash of the data files: those of one data cut belong together.
    exploratory
        Whether filters were in force.
    """

    key: str
    question: str
    p_value: float
    n: int
    n_in_file: int
    data: str
    exploratory: bool = False


@dataclass(frozen=True, config=_STRICT)
class AnalysisSection:
    """Who is analysed, and what is asked.

    Parameters
    ----------
    criteria
        Eligibility, in order; formal part of the study.
    populations
        Analysis populations by key; they stand beside the usual ones (treated, efficacy,
        response_evaluable, safety), or in place of the one with the same key.
    filters
        Exploratory restrictions; they mark every result as exploratory.
    conf_level
        Coverage of all intervals.
    convention
        Whose rules decide where programs differ: this app's, R's or SPSS's.
    conf_type
        Scale of survival intervals; that of the convention when ``None``.
    specs
        Analyses asked for, each a mapping with its ``kind``; empty means the default set.
    views
        What each page of the app showed last, by kind; it changes no result.
    report_exploratory_p
        Whether P values under filters are written like any other; every export then says so.
    saved_sets
        Criteria that were in force once, by the name under which they were saved, to compare with.
    looked_at
        Comparisons looked at with their P values until the file was kept; it changes no result.
    """

    criteria: tuple[Criterion, ...] = ()
    filters: tuple[Criterion, ...] = ()
    populations: dict[str, Population] = field(default_factory=dict)
    conf_level: float = 0.95
    convention: ConventionName = "app"
    conf_type: Literal["log-log", "log", "plain", "logit", "arcsin"] | None = None
    specs: tuple[dict[str, Any], ...] = ()
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    report_exploratory_p: bool = False
    saved_sets: dict[str, tuple[Criterion, ...]] = field(default_factory=dict)
    looked_at: tuple[LookedAt, ...] = ()

    @property
    def every_criterion(self) -> tuple[Criterion, ...]:
        """Criteria, filters, and the criteria of single populations and of saved sets."""
        own = (item for population in self.populations.values() for item in population.own)
        saved = (item for items in self.saved_sets.values() for item in items)
        return (*self.criteria, *self.filters, *own, *saved)


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
    randomised: bool = False
    data: DataSection = field(default_factory=DataSection)
    definitions: Definitions = field(default_factory=Definitions)
    analysis: AnalysisSection = field(default_factory=AnalysisSection)
    report: ReportSection = field(default_factory=ReportSection)
