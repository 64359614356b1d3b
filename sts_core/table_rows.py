"""Rows of a table with several rows a patient: which count, when they were, what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort, Table
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.reading.assembly import column_missing, rows_matching
from sts_core.study.types import Scalar, TableSource
from sts_core.values import ReadColumn, dates, missing_codes, numbers, text_of, texts

ONE_DAY = np.timedelta64(1, "D")
#: A median size below this, said to be in mm, is likely in cm.
LIKELY_CM = 15.0


class Trouble(StrEnum):
    """What is wrong with cells of such a table."""

    DATE_UNREADABLE = "date_unreadable"
    DATE_MISSING = "date_missing"
    ORIGIN_MISSING = "origin_missing"
    NUMBER_UNREADABLE = "number_unreadable"
    NUMBER_NEGATIVE = "number_negative"
    VALUE_UNKNOWN = "value_unknown"
    UNIT_DOUBTFUL = "unit_doubtful"
    SAME_DAY = "same_day"
    STOP_BEFORE_START = "stop_before_start"


@dataclass(frozen=True, slots=True)
class Problem:
    """Cells of one column in which one thing is wrong.

    Attributes
    ----------
    trouble
        What is wrong.
    column
        Name of the column.
    rows
        Spreadsheet rows.
    values
        The different values in them, where a person has to say what they mean; for the screen.
    """

    trouble: Trouble
    column: str
    rows: tuple[int, ...]
    values: tuple[str, ...] = ()


@dataclass(slots=True)
class Problems:
    """Collects problems of a table; ``at`` gives the spreadsheet row of each row that counts."""

    at: np.ndarray
    found: list[Problem] = field(default_factory=list)
    _wrong: dict[str, np.ndarray] = field(default_factory=dict)

    def add(
        self, trouble: Trouble, column: str, mask: np.ndarray, values: Iterable[str] = ()
    ) -> None:
        """Note the rows of a mask; nothing where it is empty."""
        if mask.any():
            rows = tuple(self.at[mask].tolist())
            self._wrong[column] = mask | self.in_column(column)
            self.found.append(Problem(trouble, column, rows, tuple(dict.fromkeys(values))))

    def in_column(self, column: str) -> np.ndarray:
        """Say for which rows something is wrong in a column already."""
        return self._wrong.get(column, np.zeros(len(self.at), dtype=bool))


class TableRows:
    """The rows of a table that count, each of a patient of the cohort.

    Parameters
    ----------
    cohort
        Tables and their reading rules.
    role
        Role of the table.
    columns
        Columns that are going to be read.
    rows
        Row filter.
    origin
        Column of the patient table with the date from which study days are counted.
    first_day
        Number of the day of the origin, 1 or 0.

    Raises
    ------
    StudyError
        When the table or one of the columns isn't there.
    """

    def __init__(
        self,
        cohort: Cohort,
        role: str,
        *,
        columns: Sequence[str],
        rows: dict[str, tuple[Scalar, ...]],
        origin: str | None = None,
        first_day: int = 1,
    ) -> None:
        table = cohort.tables.get(role)
        if table is None:
            raise StudyError(table_missing(cohort, role))
        _refuse_missing(table, columns)
        self._cohort, self._role, self._table = cohort, role, table
        self._first_day = first_day
        mask, _ = rows_matching(table.frame, rows, file=table.file, sheet=table.sheet)
        place = {subject: at for at, subject in enumerate(cohort.subjects.tolist())}
        position = np.fromiter(
            (place.get(subject, -1) for subject in table.subject.tolist()),
            dtype=np.int64,
            count=len(table.subject),
        )
        self._at = np.flatnonzero(mask & (position >= 0))
        self.position = position[self._at]
        self.subject = table.subject[self._at]
        self.row = np.asarray(table.rows, dtype=np.int64)[self._at]
        self.problems = Problems(self.row)
        self._origin = np.full(len(self._at), np.datetime64("NaT", "D"))
        if origin is not None:
            subjects = cohort.tables["subjects"]
            _refuse_missing(subjects, (origin,))
            self._origin = self._read_dates(subjects, "subjects", origin).values[self.position]
            self.problems.add(Trouble.ORIGIN_MISSING, origin, np.isnat(self._origin))

    @property
    def n(self) -> int:
        """Rows that count."""
        return len(self._at)

    @property
    def n_other(self) -> int:
        """Rows of the table that don't."""
        return len(self._table.rows) - self.n

    def _source(self, role: str) -> TableSource:
        return self._cohort.study.data.tables.get(role, TableSource())

    def _codes(self, keep: Iterable[Scalar] = ()) -> frozenset[str]:
        """Give the codes that mean "not known", but for values that have been given a meaning."""
        return missing_codes(self._source(self._role).missing_codes) - _folded(keep)

    def _read_dates(
        self, table: Table, role: str, column: str, words: Iterable[Scalar] = ()
    ) -> ReadColumn:
        source = self._source(role)
        format_ = source.columns.get(column)
        codes = missing_codes(source.missing_codes) | _folded(words)
        return dates(
            table.column(column), order=format_.date_order if format_ else None, codes=codes
        )

    def _unreadable(self, trouble: Trouble, column: str, mask: np.ndarray) -> None:
        cells = texts(self._table.column(column).iloc[self._at[mask]], frozenset())
        self.problems.add(trouble, column, mask, (text for text in cells if text is not None))

    def when(
        self, column: str, kind: Literal["date", "day"], *, words: Iterable[Scalar] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give the date and the days since the origin of each row.

        Parameters
        ----------
        column
            Dates or study days.
        kind
            Which of the two.
        words
            Values that stand for no date and are not wrong ("ongoing").

        Returns
        -------
        tuple of ndarray
            ``datetime64[D]`` with NaT, and float with NaN; day 0 is the day of the origin.
        """
        if kind == "date":
            read = self._read_dates(self._table, self._role, column, words)
            date: np.ndarray = read.values[self._at]
            self._unreadable(Trouble.DATE_UNREADABLE, column, read.unreadable[self._at])
            days = (date - self._origin).astype("timedelta64[D]")
            return date, np.where(np.isnat(days), np.nan, days.astype(float))
        number = self.number(column, words=words)
        whole = np.isfinite(number) & (number == np.floor(number))
        self._unreadable(Trouble.NUMBER_UNREADABLE, column, np.isfinite(number) & ~whole)
        day = np.where(whole, number, np.nan)
        if self._first_day == 1:
            with np.errstate(invalid="ignore"):
                day = np.where(day >= 1, day - 1, day)
        known = np.isfinite(day) & (np.abs(day) < 1e6)
        date = self._origin.copy()
        date[~known] = np.datetime64("NaT", "D")
        date[known] += day[known].astype(np.int64) * ONE_DAY
        return date, day

    def after_origin(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the date and the day of what is scheduled so many days after the origin."""
        return self._origin + day * ONE_DAY, np.full(self.n, float(day))

    def number(
        self,
        column: str,
        *,
        words: Iterable[Scalar] = (),
        is_gap: Callable[[str], bool] | None = None,
    ) -> np.ndarray:
        """Read numbers; ``is_gap`` tells texts that mean "not known" in this column."""
        format_ = self._source(self._role).columns.get(column)
        read = numbers(
            self._table.column(column).iloc[self._at],
            decimal=format_.marks if format_ else ".",
            codes=self._codes() | _folded(words),
        )
        wrong = read.unreadable
        if is_gap is not None and wrong.any():
            at = np.flatnonzero(wrong)
            cells = texts(self._table.column(column).iloc[self._at[at]], frozenset())
            wrong = wrong.copy()
            wrong[at] = [text is None or not is_gap(text) for text in cells]
        self._unreadable(Trouble.NUMBER_UNREADABLE, column, wrong)
        values: np.ndarray = read.values
        return values

    def text(self, column: str, *, keep: Iterable[Scalar] = ()) -> np.ndarray:
        """Read canonical texts, ``None`` where not known; values with a meaning are known."""
        return texts(self._table.column(column).iloc[self._at], self._codes(keep))

    def mapped(
        self, column: str, meaning: Callable[[str], str | None], *, keep: Iterable[Scalar] = ()
    ) -> np.ndarray:
        """Give each row the level that its text means; a text without one is a problem."""
        found = self.text(column, keep=keep)
        codes, distinct = pd.factorize(found)
        levels = np.empty(len(distinct) + 1, dtype=object)
        levels[: len(distinct)] = [meaning(str(text)) for text in distinct]
        out: np.ndarray = levels[codes]  # the code of None is -1, the last place
        strange = np.array([level is None for level in levels[:-1]], dtype=bool)
        wrong = (codes >= 0) & np.append(strange, False)[codes]
        self.problems.add(
            Trouble.VALUE_UNKNOWN, column, wrong, (str(text) for text in distinct[strange])
        )
        return out

    def says_yes(self, column: str, values: Iterable[Scalar]) -> tuple[np.ndarray, np.ndarray]:
        """Say where a column holds one of the values, and where it holds anything."""
        wanted = {text for text in map(text_of, values) if text is not None}
        found = self.text(column, keep=wanted)
        codes, distinct = pd.factorize(found)
        is_wanted = np.array([text in wanted for text in distinct] + [False], dtype=bool)
        yes: np.ndarray = is_wanted[codes]
        return yes, codes >= 0


def _folded(values: Iterable[Scalar]) -> set[str]:
    return {text.casefold() for text in map(text_of, values) if text is not None}


def _refuse_missing(table: Table, columns: Iterable[str]) -> None:
    gone = [name for name in columns if name not in table.frame.columns]
    if gone:
        raise StudyError(
            column_missing(name, table.frame.columns, file=table.file, sheet=table.sheet)
            for name in gone
        )


def table_missing(cohort: Cohort, role: str) -> Finding:
    """Say that a table that the study names isn't there, or that none of its ids is a patient's."""
    return cohort.why_absent(role) or Finding(
        FindingCode.TABLE_MISSING,
        Severity.ERROR,
        f"The table “{role}” isn't there.",
        "Add its file, or choose its sheet on the Data page, in the list of tables.",
        table=role,
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """How a trouble is said, after "In 3 rows of “column” "; and what to do."""

    code: FindingCode
    severity: Severity
    what: str
    hint: str


_WORDS = {
    Trouble.DATE_UNREADABLE: _Words(
        FindingCode.DATE_UNREADABLE, Severity.ERROR, "there is no date that can be read",
        "Write full dates as 2021-05-03, or choose the order of day and month on the Data page. "
        "These rows have no date.",
    ),
    Trouble.DATE_MISSING: _Words(
        FindingCode.ROW_WITHOUT_DATE, Severity.WARNING, "there is no date, or no study day",
        "Fill them in if they are known; these rows stand on no day.",
    ),
    Trouble.ORIGIN_MISSING: _Words(
        FindingCode.ROW_WITHOUT_DATE, Severity.WARNING,
        "the patient has no date to count study days from",
        "Fill in the date in the patient table if it is known.",
    ),
    Trouble.NUMBER_UNREADABLE: _Words(
        FindingCode.NUMBER_UNREADABLE, Severity.WARNING,
        "there is no number that can be read",
        "Write plain numbers, or choose the decimal mark of the column on the Data page. These "
        "cells count as not known.",
    ),
    Trouble.NUMBER_NEGATIVE: _Words(
        FindingCode.SIZE_NEGATIVE, Severity.ERROR, "a size is below zero",
        "Correct the cells. They count as not known.",
    ),
    Trouble.VALUE_UNKNOWN: _Words(
        FindingCode.VALUE_NOT_UNDERSTOOD, Severity.WARNING,
        "a value stands that nothing was said about",
        "Say what it means on the Data page, under the tumour assessments. Until then it counts as "
        "not known.",
    ),
    Trouble.UNIT_DOUBTFUL: _Words(
        FindingCode.SIZE_UNIT_DOUBTFUL, Severity.WARNING,
        "sizes are given in mm that look like cm: half of them are below {limit:g}",
        "Choose the unit on the Data page, under the tumour assessments.",
    ),
    Trouble.SAME_DAY: _Words(
        FindingCode.ASSESSMENT_REPEATED, Severity.NOTE,
        "a patient has several assessments on one day",
        "Look at the rows; if there are several assessors or kinds of rows, choose on the Data "
        "page which count, under “Only rows where”.",
    ),
    Trouble.STOP_BEFORE_START: _Words(
        FindingCode.DATES_OUT_OF_ORDER, Severity.ERROR, "treatment stops before it starts",
        "Correct the dates. The stop counts as not known.",
    ),
}  # fmt: skip


def problem_finding(cohort: Cohort, role: str, problem: Problem) -> Finding:
    """Say a problem of a table with its rows."""
    words = _WORDS[problem.trouble]
    in_subjects = problem.trouble is Trouble.ORIGIN_MISSING
    table, n = cohort.tables[role], len(problem.rows)
    message = f"In {'1 row' if n == 1 else f'{n} rows'} of the table “{role}” {words.what}"
    message = message.format(limit=LIKELY_CM)
    return Finding(
        words.code,
        words.severity,
        f"{message} (“{problem.column}”)." if in_subjects else f"{message}.",
        words.hint,
        file=table.file,
        sheet=table.sheet,
        column=None if in_subjects else problem.column,
        rows=problem.rows,
        count=n,
        table=role,
    )
