"""What recognition gives: a proposed study file, the evidence, and what must be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sts_core.findings import Finding
from sts_core.study.types import Study
from sts_core.values import DateOrder


class ColumnRole(StrEnum):
    """What a column is taken for."""

    SUBJECT_ID = "subject_id"
    VARIABLE = "variable"
    TIME = "time"
    STATUS = "status"
    ENTRY = "entry"
    DATE = "date"
    PARAMETER = "parameter"
    UNIT = "unit"
    TERM = "term"
    GRADE = "grade"
    RELATED = "related"
    SERIOUS = "serious"
    RESPONSE = "response"
    SIZE = "size"
    IGNORED = "ignore"


class TableKind(StrEnum):
    """What the rows of a table are."""

    SUBJECTS = "subjects"
    ASSESSMENTS = "assessments"
    LESIONS = "lesions"
    EXPOSURES = "exposures"
    ADVERSE_EVENTS = "adverse_events"
    TIME_TO_EVENT = "time_to_event"
    ONE_ROW = "one_row"
    OTHER = "other"
    DICTIONARY = "dictionary"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class TableEvidence:
    """What a sheet was taken for, and why.

    Attributes
    ----------
    file, sheet
        Where it is.
    role
        Its role in the study file; ``None`` when it is not used.
    kind
        What its rows are.
    reason
        What speaks for it, in words.
    n_rows, n_columns
        Its size.
    subject_id
        Column of the patient's id, if any.
    n_ids, rows_per_id
        Different ids, and the largest number of rows of one; 0 without an id.
    """

    file: str
    sheet: str | None
    role: str | None
    kind: TableKind
    reason: str
    n_rows: int
    n_columns: int
    subject_id: str | None
    n_ids: int
    rows_per_id: int


@dataclass(frozen=True, slots=True)
class ColumnEvidence:
    """What a column was taken for, and why.

    Attributes
    ----------
    column, table
        Its header, and the role of its table.
    role
        What it is taken for.
    kind
        "numeric", "date", "categorical", "text" or "empty", by its cells.
    n, n_missing, n_distinct
        Rows, rows that mean "not known", different known values.
    samples
        A few of its values; none for a column that identifies a patient or holds free text.
    counts
        Its most frequent values with their number of rows; none likewise.
    low, high
        Range of a number, or of a date as ISO text.
    orders
        Orders in which its dates can be read; two when it must be asked.
    reason
        Why it was taken for that, in words.
    """

    column: str
    table: str
    role: ColumnRole
    kind: str
    n: int
    n_missing: int
    n_distinct: int
    samples: tuple[str, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    orders: tuple[DateOrder, ...] = ()
    reason: str = ""


class QuestionKind(StrEnum):
    """What only a person can say."""

    EVENT_CODING = "event_coding"
    TIME_UNIT = "time_unit"
    DATE_ORDER = "date_order"
    DECIMAL = "decimal"
    MISSING_CODE = "missing_code"
    SUBJECT_ID = "subject_id"
    ROWS = "rows"
    ENDPOINT = "endpoint"
    ID_RULE = "id_rule"


@dataclass(frozen=True, slots=True)
class Question:
    """Something to confirm before a number can be trusted.

    Attributes
    ----------
    kind
        What is asked.
    path
        Place of the answer in the study file, dotted.
    text
        The question in one or two sentences.
    reason
        Why the guess is what it is, or why there is none.
    guess
        The proposed answer in words; ``None`` when the file does not say.
    options
        Answers to choose from; empty for an open answer.
    table, endpoint, columns
        What it is about.
    counts
        Values of the column with their number of rows.
    """

    kind: QuestionKind
    path: str
    text: str
    reason: str = ""
    guess: str | None = None
    options: tuple[str, ...] = ()
    table: str = "subjects"
    endpoint: str | None = None
    columns: tuple[str, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A study file as far as the data say it, with the evidence.

    Attributes
    ----------
    study
        Every guess in it has the status ``guessed``.
    evidence
        Columns of the patient table by name; those of other tables as ``role.name``.
    questions
        What must be confirmed, in the order in which to ask.
    findings
        What was noticed on the way, worst first.
    tables
        Every sheet of every file, also those that are not used.
    """

    study: Study
    evidence: Mapping[str, ColumnEvidence] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    findings: tuple[Finding, ...] = ()
    tables: tuple[TableEvidence, ...] = ()
