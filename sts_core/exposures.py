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
    arrays = (
        rows.subject, rows.position, rows.row, drug, start, stop, start_day, stop_day, dose,
        text(definition.reason), ongoing, before,
    )  # fmt: skip
    for shared in arrays:
        shared.setflags(write=False)
    return Exposures(
        definition, *arrays, n_subjects=cohort.n_in_file, n_other_rows=rows.n_other,
        problems=tuple(rows.problems.found),
    )  # fmt: skip


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
    return tuple(problem_finding(cohort, definition.table, problem) for problem in found.problems)
