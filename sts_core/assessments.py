"""Tumour assessments as analyses take them: one row an assessment, its date, and what was found.

Nothing is inferred here: a response stands as the file records it, in standard levels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.study.types import RESPONSE_LEVELS, AssessmentDefinition
from sts_core.table_rows import LIKELY_CM, Problem, TableRows, Trouble, problem_finding

NOT_EVALUABLE = "NE"
_MIN_SIZES = 5  # too few sizes say nothing about their unit


@dataclass(frozen=True, slots=True, eq=False)
class Assessments:
    """All assessments of a cohort, one a row, in the order of the file.

    Rows of every patient of the file are here, also of those that criteria leave out:
    ``cohort.included[position]`` tells them apart.

    Attributes
    ----------
    definition
        How they were read.
    subject
        Study id, object array (n,).
    position
        Place of the patient in the cohort's file order, int array (n,).
    row
        Spreadsheet row, int array (n,).
    date
        ``datetime64[D]`` array (n,), NaT where not known.
    day
        Days since the origin (0 is its day), float array (n,); NaN where no origin was named or
        one of the dates is not known.
    visit
        Name of the visit, ``None`` where not known; object array (n,).
    target_sum, node_short_axis
        Sizes in mm, float arrays (n,); NaN where not known.
    target_response, non_target, overall
        Levels of :data:`sts_core.study.types.RESPONSE_LEVELS`, ``None`` where not known; object
        arrays (n,).
    new_lesion
        ``True``, ``False``, or ``None`` where not known; object array (n,).
    evaluable
        Whether the assessment can be evaluated, boolean array (n,).
    n_subjects
        Patients in the cohort's file, for arrays by patient.
    n_other_rows
        Rows of the table that the row filter leaves out.
    problems
        What is wrong with the cells.
    """

    definition: AssessmentDefinition
    subject: np.ndarray
    position: np.ndarray
    row: np.ndarray
    date: np.ndarray
    day: np.ndarray
    visit: np.ndarray
    target_sum: np.ndarray
    node_short_axis: np.ndarray
    target_response: np.ndarray
    non_target: np.ndarray
    new_lesion: np.ndarray
    evaluable: np.ndarray
    overall: np.ndarray
    n_subjects: int
    n_other_rows: int
    problems: tuple[Problem, ...]

    @property
    def n(self) -> int:
        """Assessments."""
        return len(self.subject)

    @property
    def n_with_rows(self) -> int:
        """Patients with at least one assessment."""
        return len(np.unique(self.position))


def assessments_of(cohort: Cohort) -> Assessments:
    """Read the assessments of a cohort; the result is kept with the cohort, and read-only.

    Raises
    ------
    StudyError
        When the study defines none, or the table or a column of them isn't there.
    """
    return cohort.kept("assessments", lambda: _read(cohort))


def no_assessments() -> Finding:
    """Say that the study defines no assessments."""
    return Finding(
        FindingCode.TABLE_MISSING,
        Severity.ERROR,
        "This study has no table of tumour assessments.",
        "Add a sheet or a file with one row an assessment (patient id, date, what was found), and "
        "choose its columns on the Data page.",
        table="assessments",
    )


def _read(cohort: Cohort) -> Assessments:
    definition = cohort.study.definitions.assessments
    if definition is None:
        raise StudyError(no_assessments())
    rows = TableRows(
        cohort,
        definition.table,
        columns=definition.columns,
        rows=definition.rows,
        origin=definition.origin,
        first_day=definition.first_day,
    )
    column = definition.date or definition.day
    assert column is not None
    date, day = rows.when(column, "date" if definition.date else "day")
    unknown = np.isnat(date) if definition.date else np.isnan(day)
    rows.problems.add(Trouble.DATE_MISSING, column, unknown & ~rows.problems.in_column(column))

    def size(name: str | None) -> np.ndarray:
        if name is None:
            return np.full(rows.n, np.nan)
        read = rows.number(name, is_gap=lambda text: standard_level(text) == NOT_EVALUABLE)
        values = np.where(np.isfinite(read), read, np.nan)
        with np.errstate(invalid="ignore"):
            below = values < 0
        rows.problems.add(Trouble.NUMBER_NEGATIVE, name, below)
        values[below] = np.nan
        return values * (10.0 if definition.size_unit == "cm" else 1.0)

    def response(name: str | None) -> np.ndarray:
        if name is None:
            return np.full(rows.n, None, dtype=object)
        return rows.mapped(
            name, lambda text: standard_level(text, definition.codes), keep=definition.codes
        )

    target_sum, node = size(definition.target_sum), size(definition.node_short_axis)
    target, non_target = response(definition.target_response), response(definition.non_target)
    overall = response(definition.overall)
    new_lesion = _new_lesion(rows, definition)
    visit = (
        rows.text(definition.visit)
        if definition.visit
        else np.full(rows.n, None, dtype=object)
    )  # fmt: skip
    if definition.evaluable:
        evaluable, _ = rows.says_yes(definition.evaluable, definition.evaluable_values)
    else:
        has_result = ~np.isnan(target_sum) | ~np.isnan(node)
        for values in (target, non_target, overall, new_lesion):
            has_result |= _known(values)
        evaluable = has_result & ~_is_not_evaluable(definition, overall, target, non_target,
                                                    new_lesion)  # fmt: skip
    _doubt_unit(rows, definition, target_sum)
    _same_day(rows, column, date if definition.date else day)
    arrays = (
        rows.subject, rows.position, rows.row, date, day, visit, target_sum, node, target,
        non_target, new_lesion, evaluable, overall,
    )  # fmt: skip
    for shared in arrays:
        shared.setflags(write=False)
    return Assessments(
        definition, *arrays, n_subjects=cohort.n_in_file, n_other_rows=rows.n_other,
        problems=tuple(rows.problems.found),
    )  # fmt: skip


_BARE = re.compile(r"[\s_/-]+")
_LEVEL_OF = {_BARE.sub("", level).casefold(): level for level in RESPONSE_LEVELS}
_LEVEL_OF |= {"noncrpd": "NON-CR/NON-PD", "noncr": "NON-CR/NON-PD"}


def standard_level(text: str, codes: Mapping[str, str] | None = None) -> str | None:
    """Give the standard level that a text means: by its code, or because it is one.

    Case, blanks, hyphens and slashes don't matter ("Non-CR/Non-PD", "non cr non pd"); a mark that
    may say something does ("PD?" has no level).
    """
    found = (codes or {}).get(text)
    return found if found is not None else _LEVEL_OF.get(_BARE.sub("", text).casefold())


def _known(values: np.ndarray) -> np.ndarray:
    known: np.ndarray = ~pd.isna(values)
    return known


def _new_lesion(rows: TableRows, definition: AssessmentDefinition) -> np.ndarray:
    out = np.full(rows.n, None, dtype=object)
    if definition.new_lesion is None:
        return out
    yes, known = rows.says_yes(definition.new_lesion, definition.new_lesion_values)
    found = rows.text(definition.new_lesion, keep=definition.new_lesion_values)
    codes, distinct = pd.factorize(found)
    silent = np.array([standard_level(str(text)) == NOT_EVALUABLE for text in distinct] + [True])
    out[known & ~silent[codes]] = False
    out[yes] = True
    return out


def _is_not_evaluable(
    definition: AssessmentDefinition,
    overall: np.ndarray,
    target: np.ndarray,
    non_target: np.ndarray,
    new_lesion: np.ndarray,
) -> np.ndarray:
    """Say which assessments say themselves that they can't be evaluated.

    The overall response decides; where it isn't recorded, target lesions that can't be evaluated
    do, unless progression is seen elsewhere.
    """
    by_overall = overall == NOT_EVALUABLE
    elsewhere = (non_target == "PD") | (new_lesion == True)  # noqa: E712  an object array
    by_target = (target == NOT_EVALUABLE) & ~elsewhere & ~_known(overall)
    found: np.ndarray = by_overall | by_target
    return found


def _doubt_unit(rows: TableRows, definition: AssessmentDefinition, sums: np.ndarray) -> None:
    """Note sums in mm that are as small as sums in cm; a sum of zero has no unit."""
    if definition.target_sum is None or definition.size_unit != "mm":
        return
    seen = np.isfinite(sums) & (np.nan_to_num(sums) > 0)
    if seen.sum() >= _MIN_SIZES and float(np.median(sums[seen])) < LIKELY_CM:
        rows.problems.add(Trouble.UNIT_DOUBTFUL, definition.target_sum, seen)


def _same_day(rows: TableRows, column: str, when: np.ndarray) -> None:
    known = ~pd.isna(when)
    pairs = pd.DataFrame({"position": rows.position, "when": when})
    repeated = pairs.duplicated(keep=False).to_numpy() & known
    rows.problems.add(Trouble.SAME_DAY, column, repeated)


def last_evaluable(
    assessments: Assessments,
    before: np.ndarray | None = None,
    *,
    since: np.ndarray | None = None,
    same_day: bool = True,
) -> np.ndarray:
    """Give each patient's last evaluable assessment.

    Parameters
    ----------
    assessments
        Of the whole cohort.
    before
        Latest day that counts for each patient, ``datetime64[D]`` array of the patients in file
        order; NaT sets no bound.
    since
        Earliest day that counts, likewise; a scan before treatment is none of its assessments.
    same_day
        Whether an assessment on the day of ``before`` counts.

    Returns
    -------
    ndarray
        ``datetime64[D]``, one a patient in file order; NaT where there is none.
    """
    date, position = assessments.date, assessments.position
    counts = assessments.evaluable & ~np.isnat(date)
    if before is not None:
        bound = before[position]
        within = date <= bound if same_day else date < bound
        counts &= np.isnat(bound) | within
    if since is not None:
        counts &= np.isnat(since[position]) | (date >= since[position])
    last = np.full(assessments.n_subjects, np.iinfo(np.int64).min)
    np.maximum.at(last, position[counts], date[counts].astype(np.int64))
    return last.astype("datetime64[D]")  # the smallest integer is NaT


def n_evaluable(assessments: Assessments) -> np.ndarray:
    """Count each patient's evaluable assessments with a known day; int array in file order."""
    dated = ~np.isnat(assessments.date) | ~np.isnan(assessments.day)
    return np.bincount(
        assessments.position[assessments.evaluable & dated], minlength=assessments.n_subjects
    )


def assessment_findings(cohort: Cohort) -> tuple[Finding, ...]:
    """Give what is wrong with the assessments; empty where the study defines none."""
    definition = cohort.study.definitions.assessments
    if definition is None:
        return ()
    try:
        found = assessments_of(cohort)
    except StudyError as error:
        return error.findings
    return tuple(problem_finding(cohort, definition.table, problem) for problem in found.problems)
