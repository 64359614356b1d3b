"""What can be wrong with data or a study file, and how it is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_LISTED = 10


class Severity(StrEnum):
    """How much a finding matters; ordered worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class FindingCode(StrEnum):
    """Every kind of finding; each has a row in ``docs/findings.md``."""

    FILE_UNREADABLE = "file_unreadable"
    FILE_EMPTY = "file_empty"
    FILE_PROTECTED = "file_protected"
    FILE_TOO_LARGE = "file_too_large"
    FILE_WRONG_TYPE = "file_wrong_type"
    FILE_TOOK_TOO_LONG = "file_took_too_long"
    FILE_CELL_TOO_FAR = "file_cell_too_far"
    SHEET_EMPTY = "sheet_empty"
    TEMPLATE_EXAMPLE = "template_example"
    SHEET_HEADER_ONLY = "sheet_header_only"
    COLUMN_NAME_REPEATED = "column_name_repeated"
    CELL_ERROR_VALUE = "cell_error_value"
    STUDY_FILE_INVALID = "study_file_invalid"
    STUDY_UNCONFIRMED = "study_unconfirmed"
    TABLE_MISSING = "table_missing"
    COLUMN_MISSING = "column_missing"
    SUBJECT_MISSING = "subject_missing"
    SUBJECT_REPEATED = "subject_repeated"
    SUBJECT_UNMATCHED = "subject_unmatched"
    EVENT_VALUE_UNKNOWN = "event_value_unknown"
    EVENT_MISSING = "event_missing"
    TIME_MISSING = "time_missing"
    TIME_NEGATIVE = "time_negative"
    TIME_NOT_NUMERIC = "time_not_numeric"
    DATE_UNREADABLE = "date_unreadable"
    DATE_AMBIGUOUS = "date_ambiguous"
    DATE_CENTURY_OPEN = "date_century_open"
    DATE_ORDERS_MIXED = "date_orders_mixed"
    DATE_INCOMPLETE = "date_incomplete"
    DATE_AFTER_CUTOFF = "date_after_cutoff"
    NUMBER_UNREADABLE = "number_unreadable"
    NUMBER_AMBIGUOUS = "number_ambiguous"
    CODE_SUSPECTED = "code_suspected"
    LEVEL_UNKNOWN = "level_unknown"
    LEVEL_NOT_NAMED = "level_not_named"
    ENDPOINT_NO_EVENTS = "endpoint_no_events"
    ROW_FILTER_EMPTY = "row_filter_empty"
    GRADE_OUT_OF_RANGE = "grade_out_of_range"
    GRADE_NOT_STATED = "grade_not_stated"
    GRADE_NOT_DEFINED = "grade_not_defined"
    TERM_NOT_IN_CTCAE = "term_not_in_ctcae"
    ADVERSE_EVENT_UNREADABLE = "adverse_event_unreadable"
    ADVERSE_EVENTS_NOT_RECORDED = "adverse_events_not_recorded"
    CRITERION_COLUMN_MISSING = "criterion_column_missing"
    POPULATION_CRITERION_GONE = "population_criterion_gone"
    DATA_CHANGED = "data_changed"
    FILE_EXPANDS_TOO_MUCH = "file_expands_too_much"
    FILE_NEEDS_TOO_MUCH_MEMORY = "file_needs_too_much_memory"
    FILE_READER_STOPPED = "file_reader_stopped"
    APP_FAILED = "app_failed"
    FILE_READ_BY_CONTENT = "file_read_by_content"
    TEXT_ENCODING_ASSUMED = "text_encoding_assumed"
    TEXT_DAMAGED = "text_damaged"
    TEXT_CELL_SPANS_LINES = "text_cell_spans_lines"
    TEXT_ONE_COLUMN = "text_one_column"
    HEADER_NOT_FOUND = "header_not_found"
    ROWS_ABOVE_HEADER = "rows_above_header"
    COLUMN_UNNAMED = "column_unnamed"
    FORMULA_NOT_CALCULATED = "formula_not_calculated"
    CELLS_MERGED = "cells_merged"
    CELLS_HIDDEN = "cells_hidden"
    HEADER_IN_TWO_ROWS = "header_in_two_rows"
    UNITS_ROW = "units_row"
    ROWS_LEFT_OUT = "rows_left_out"
    TABLES_ON_ONE_SHEET = "tables_on_one_sheet"
    CODES_DECLARED_MISSING = "codes_declared_missing"
    DICTIONARY_APPLIED = "dictionary_applied"
    VALUE_NOT_IN_DICTIONARY = "value_not_in_dictionary"
    ROWS_SPLIT = "rows_split"
    COLUMN_IN_SEVERAL_EVENTS = "column_in_several_events"
    APOSTROPHES_LEFT_OFF = "apostrophes_left_off"
    LEVEL_IS_DATE = "level_is_date"
    SUBJECT_ID_DIGITS_LOST = "subject_id_digits_lost"
    SUBJECT_ID_NOT_FOUND = "subject_id_not_found"
    SUBJECT_WITHOUT_ROW = "subject_without_row"
    ROWS_NOT_PATIENTS = "rows_not_patients"
    LINE_NOT_CHOSEN = "line_not_chosen"
    ROWS_DISAGREE = "rows_disagree"
    SHEET_NOT_USED = "sheet_not_used"
    TABLES_DIFFER = "tables_differ"
    COLUMN_NOT_USED = "column_not_used"
    COLUMN_PRIVATE = "column_private"
    ENDPOINT_NOT_FOUND = "endpoint_not_found"
    ENDPOINT_SOURCES_DIFFER = "endpoint_sources_differ"
    EVENT_DATE_MISSING = "event_date_missing"
    EVENT_CONTRADICTED = "event_contradicted"
    DATES_OUT_OF_ORDER = "dates_out_of_order"
    VALUE_IMPLAUSIBLE = "value_implausible"
    ROW_WITHOUT_DATE = "row_without_date"
    VALUE_NOT_UNDERSTOOD = "value_not_understood"
    SIZE_NEGATIVE = "size_negative"
    SIZE_UNIT_DOUBTFUL = "size_unit_doubtful"
    ASSESSMENT_REPEATED = "assessment_repeated"
    VALUE_IMPOSSIBLE = "value_impossible"
    VALUE_FAR_OUT = "value_far_out"
    TIME_UNIT_DOUBTFUL = "time_unit_doubtful"
    TIMES_ABSENT = "times_absent"
    TIMES_OF_EVENTS_ONLY = "times_of_events_only"
    EVERYBODY_HAS_EVENT = "everybody_has_event"
    GROUP_AFTER_TIME_ZERO = "group_after_time_zero"
    ENDPOINTS_CONTRADICT = "endpoints_contradict"
    DATED_AFTER_DEATH = "dated_after_death"
    SUBJECT_SUSPECTED_TWICE = "subject_suspected_twice"
    LINE_CONTRADICTED = "line_contradicted"
    RESPONSE_DOUBTFUL = "response_doubtful"
    RESPONSE_CONTRADICTED = "response_contradicted"
    AGE_CONTRADICTED = "age_contradicted"
    SEX_CONTRADICTED = "sex_contradicted"


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the user should know about the data or the study file.

    Parameters
    ----------
    code, severity
        What it is, and how much it matters.
    message
        What is wrong, in one sentence with its count.
    hint
        What to do about it.
    file, sheet, column
        Where, by the names that the user's file uses.
    rows
        Spreadsheet row numbers as the user sees them (1-based).
    count
        How many cells or rows; ``None`` where counting has no meaning.
    table
        Role of the table ("subjects", "adverse_events") when it has one.
    """

    code: FindingCode
    severity: Severity
    message: str
    hint: str = ""
    file: str | None = None
    sheet: str | None = None
    column: str | None = None
    rows: tuple[int, ...] = ()
    count: int | None = None
    table: str | None = None

    @property
    def where(self) -> str:
        """File, sheet, column and rows in one line; empty when none is known."""
        parts = [part for part in (self.file, self.sheet) if part]
        if self.column:
            parts.append(f"column “{self.column}”")
        if self.rows:
            parts.append(listed_rows(self.rows))
        return " · ".join(parts)

    def __str__(self) -> str:
        """Message, place and hint as one paragraph."""
        place = f" ({self.where})" if self.where else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.message}{place}{hint}"


class StudyError(Exception):
    """Data or study file can't be used; holds every fatal finding at once.

    The text of the exception names only the codes, so that nothing of a patient's
    data can reach a log by way of a traceback.
    """

    def __init__(self, findings: Iterable[Finding] | Finding) -> None:
        self.findings = (findings,) if isinstance(findings, Finding) else tuple(findings)
        super().__init__(", ".join(finding.code.value for finding in self.findings))


def listed(values: Sequence[object], *, limit: int = MAX_LISTED) -> str:
    """Give the first values and the count of the rest, for a message."""
    shown = ", ".join(str(value) for value in values[:limit])
    rest = len(values) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def listed_rows(rows: Sequence[int]) -> str:
    """Give spreadsheet rows for a message: ``row 7`` or ``rows 7, 9, 12``."""
    return ("row " if len(rows) == 1 else "rows ") + listed(rows)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by severity, keeping the order within each."""
    return tuple(sorted(findings, key=lambda finding: _ORDER[finding.severity]))
