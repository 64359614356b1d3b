"""Treatment as analyses take it: one row a drug and a period or a dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.study.types import ExposureDefinition
from sts_core.table_rows import Problem, TableRows, Trouble, problem_finding
from sts_core.values import number_of


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Which rows are of the line of treatment that is studied.

    Attributes
    ----------
    counts
        Rows of that line, boolean array (all rows,).
    n_subjects
        Patients with rows.
    undecided
        Spreadsheet rows of patients of whom no line is the one.
    n_undecided
        These patients.
    backwards
        Spreadsheet rows of patients whose lines start in another order than that of their numbers.
    n_backwards
        These patients.
    """

    counts: np.ndarray
    n_subjects: int
    undecided: tuple[int, ...]
    n_undecided: int
    backwards: tuple[int, ...]
    n_backwards: int


@dataclass(frozen=True, slots=True, eq=False)
class Exposures:
    """All periods of treatment of a cohort, one a row, in the order of the file.

    Rows of every patient of the file are here, also of those that criteria leave out.

    Attributes
    ----------
    definition
        How they were read.
    subject, position, row
        Study id, place of the patient in the cohort's file order, and spreadsheet row; arrays (n,).
    drug
        Name of the drug as the file has it, ``None`` where not known; object array (n,).
    start, stop
        ``datetime64[D]`` arrays (n,), NaT where not known. A single dose stops on the day that it
        starts; a stop before the start is not known.
    start_day, stop_day
        The same in days since the origin, float arrays (n,), NaN where not known.
    dose
        Amount, float array (n,), NaN where not known.
    reason
        Reason of stopping, ``None`` where not known; object array (n,).
    ongoing
        Whether treatment was going on, as the file says; boolean array (n,).
    stop_before_start
        Rows whose stop is before their start; boolean array (n,).
    line
        Line of treatment, ``None`` where not known or not recorded; object array (n,).
    lines
        Lines of treatment as a whole, also those that don't count; ``None`` without such a column.
    n_subjects, n_other_rows, problems
        As in :class:`sts_core.assessments.Assessments`.
    """

    definition: ExposureDefinition
    subject: np.ndarray
    position: np.ndarray
    row: np.ndarray
    drug: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    start_day: np.ndarray
    stop_day: np.ndarray
    dose: np.ndarray
    reason: np.ndarray
    ongoing: np.ndarray
    stop_before_start: np.ndarray
    line: np.ndarray
    lines: Lines | None
    n_subjects: int
    n_other_rows: int
    problems: tuple[Problem, ...]

    @property
    def n(self) -> int:
        """Rows of treatment."""
        return len(self.subject)

    @property
    def n_with_rows(self) -> int:
        """Patients with at least one row."""
        return len(np.unique(self.position))


def exposures_of(cohort: Cohort) -> Exposures:
    """Read the treatment of a cohort; the result is kept with the cohort, and read-only.

    Raises
    ------
    StudyError
        When the study defines none, or the table or a column of it isn't there.
    """
    return cohort.kept("exposures", lambda: _read(cohort))


def no_exposures() -> Finding:
    """Say that the study defines no treatment by row."""
    return Finding(
        FindingCode.TABLE_MISSING,
        Severity.ERROR,
        "This study has no table of treatment.",
        "Add a sheet or a file with one row a drug and a period (patient id, start, stop), and "
        "choose its columns on the Data page.",
        table="exposures",
    )


def _read(cohort: Cohort) -> Exposures:
    definition = cohort.study.definitions.exposures
    if definition is None:
        raise StudyError(no_exposures())
    rows = TableRows(
        cohort,
        definition.table,
        columns=definition.columns,
        rows=definition.rows,
        origin=definition.origin,
        first_day=definition.first_day,
    )
    kind: Literal["date", "day"] = "date" if definition.times == "dates" else "day"
    start, start_day = rows.when(definition.start, kind)
    unknown = np.isnat(start) if kind == "date" else np.isnan(start_day)
    wrong = rows.problems.in_column(definition.start)
    rows.problems.add(Trouble.DATE_MISSING, definition.start, unknown & ~wrong)
    ongoing = np.zeros(rows.n, dtype=bool)
    if definition.ongoing is not None:
        ongoing, _ = rows.says_yes(definition.ongoing, definition.ongoing_values)
    before = np.zeros(rows.n, dtype=bool)
    if definition.stop is None:
        stop, stop_day = start.copy(), start_day.copy()
    else:
        words = definition.ongoing_values if definition.ongoing == definition.stop else ()
        stop, stop_day = rows.when(definition.stop, kind, words=words)
        with np.errstate(invalid="ignore"):
            before = stop < start if kind == "date" else stop_day < start_day
        rows.problems.add(Trouble.STOP_BEFORE_START, definition.stop, before)
        stop[before], stop_day[before] = np.datetime64("NaT", "D"), np.nan

    def text(name: str | None) -> np.ndarray:
        return np.full(rows.n, None, dtype=object) if name is None else rows.text(name)

    drug = text(definition.drug)
    if definition.drug is None and definition.name:
        drug = np.full(rows.n, definition.name, dtype=object)
    dose = rows.number(definition.dose) if definition.dose else np.full(rows.n, np.nan)
    line = text(definition.line)
    lines = None
    counts = np.ones(rows.n, dtype=bool)
    if definition.line is not None:
        when = start if kind == "date" else start_day
        lines = _lines(cohort, definition, rows, line, when)
        counts = lines.counts
    at = np.flatnonzero(counts)
    arrays = (
        rows.subject[at], rows.position[at], rows.row[at], drug[at], start[at], stop[at],
        start_day[at], stop_day[at], dose[at], text(definition.reason)[at], ongoing[at],
        before[at], line[at],
    )  # fmt: skip
    for shared in arrays:
        shared.setflags(write=False)
    return Exposures(
        definition, *arrays, lines=lines, n_subjects=cohort.n_in_file,
        n_other_rows=rows.n_other + int((~counts).sum()), problems=tuple(rows.problems.found),
    )  # fmt: skip


def _lines(
    cohort: Cohort,
    definition: ExposureDefinition,
    rows: TableRows,
    line: np.ndarray,
    start: np.ndarray,
) -> Lines:
    """Tell the rows of the line that is studied; lines are in the order of their numbers.

    Where one of a patient's lines is no number, they are in the order of their first start.
    """
    at_start = np.zeros(rows.n, dtype=bool)
    if definition.index_start is not None:
        other = TableRows(
            cohort, definition.table, columns=(), rows=definition.rows,
            origin=definition.index_start,
        )  # fmt: skip
        at_start = start == other.after_origin(0)[0]
    frame = pd.DataFrame({"who": rows.position, "line": line, "start": start, "at": at_start})
    frame["number"] = [number_of(text) if text is not None else None for text in line]
    counts = np.full(rows.n, definition.index == "every")
    undecided, backwards = [], []
    for _, own in frame.groupby("who", sort=False):
        known = own.dropna(subset=["line"])
        places = np.asarray(own.index, dtype=np.int64)
        by_number = bool(len(known)) and bool(known["number"].notna().all())
        first = known.groupby("line", sort=False).agg(
            {"number": "min", "start": "min", "at": "any"}
        )
        if by_number:
            first = first.sort_values("number", kind="stable")
            dated = first["start"].dropna()
            if not dated.is_monotonic_increasing:
                backwards.append(places)
        else:
            first = first.dropna(subset=["start"]).sort_values("start", kind="stable")
        if definition.index == "every" or definition.index is None:
            continue
        wanted = (
            first.index[first["at"]] if definition.index == "at_start"
            else first.index[:1] if definition.index == "first"
            else first.index[-1:]
        )  # fmt: skip
        if len(wanted) == 0:
            undecided.append(places)
        counts[places] = own["line"].isin(set(wanted)).to_numpy()
    return Lines(
        counts,
        len(np.unique(rows.position)),
        _rows_at(rows.row, undecided),
        len(undecided),
        _rows_at(rows.row, backwards),
        len(backwards),
    )


def _rows_at(row: np.ndarray, places: list[np.ndarray]) -> tuple[int, ...]:
    return tuple(int(number) for part in places for number in row[part])


def counted_texts(values: np.ndarray) -> dict[str, int]:
    """Count the rows of each text, the most frequent first; what isn't known is not counted."""
    counts = pd.Series(values, dtype=object).value_counts(sort=False)
    ordered = sorted(counts.items(), key=lambda item: -int(item[1]))
    return {str(text): int(n) for text, n in ordered}


def exposure_findings(cohort: Cohort) -> tuple[Finding, ...]:
    """Give what is wrong with the rows of treatment; empty where the study defines none."""
    definition = cohort.study.definitions.exposures
    if definition is None:
        return ()
    try:
        found = exposures_of(cohort)
    except StudyError as error:
        return error.findings
    said = [problem_finding(cohort, definition.table, problem) for problem in found.problems]
    return (*said, *_line_findings(cohort, definition, found.lines))


def _line_findings(
    cohort: Cohort, definition: ExposureDefinition, lines: Lines | None
) -> list[Finding]:
    """Say what is open or contradictory about the lines of treatment."""
    if lines is None:
        return []
    table = cohort.tables[definition.table]

    def say(code: FindingCode, message: str, hint: str, rows: tuple[int, ...], n: int) -> Finding:
        return Finding(
            code, Severity.WARNING, message, hint, file=table.file, sheet=table.sheet,
            column=definition.line, rows=rows, count=n, table=definition.table,
        )  # fmt: skip

    found = []
    if definition.index is None:
        found.append(
            say(
                FindingCode.LINE_NOT_CHOSEN,
                f"“{table.sheet or table.file}” has a row for each line of treatment, and nobody "
                "has said which line is the treatment that is studied: none of its rows counts as "
                "that treatment.",
                "Choose the line on the Data page, under “Response and adverse events”.",
                (),
                lines.n_subjects,
            )
        )
    if lines.n_undecided:
        n = lines.n_undecided
        which = (
            f"no line starts on the day in “{definition.index_start}”"
            if definition.index == "at_start"
            else "no line can be put in order"
        )
        found.append(
            say(
                FindingCode.LINE_NOT_CHOSEN,
                f"In {'1 patient' if n == 1 else f'{n} patients'} {which}: none of their rows "
                "counts as the treatment that is studied.",
                "Correct the dates or the lines of these rows, or choose another line.",
                lines.undecided,
                n,
            )
        )
    if lines.n_backwards:
        n = lines.n_backwards
        found.append(
            say(
                FindingCode.DATES_OUT_OF_ORDER,
                f"In {'1 patient' if n == 1 else f'{n} patients'} a later line of treatment starts "
                "before an earlier one.",
                f"Correct “{definition.line}” or “{definition.start}” in these rows.",
                lines.backwards,
                n,
            )
        )
    return found
