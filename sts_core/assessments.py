"""Tumour assessments as analyses take them: one row an assessment, its date, and what was found.

The file may have a row an assessment, or a row a patient with the columns of each visit.

Nothing is inferred here: a response stands as the file records it, in standard levels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.study.types import RESPONSE_LEVELS, AssessmentDefinition, Scalar
from sts_core.table_rows import LIKELY_CM, Problem, TableRows, Trouble, problem_finding

NOT_EVALUABLE = "NE"
_MIN_SIZES = 5  # too few sizes say nothing about their unit


@dataclass(frozen=True, slots=True, eq=False)
class Assessments:
    """All assessments of a cohort, one a row, in the order of the file; visits by patient.

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


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where one kind of assessment stands: every row of a long table, or one visit of a wide."""

    date: str | None
    day: str | None
    scheduled: int | None
    visit: str | None
    name: str | None
    target_sum: str | None
    node_short_axis: str | None
    target_response: str | None
    non_target: str | None
    new_lesion: str | None
    overall: str | None
    evaluable: str | None

    @property
    def named(self) -> tuple[str, ...]:
        """Every column of the table."""
        own = (
            self.date, self.day, self.visit, self.target_sum, self.node_short_axis,
            self.target_response, self.non_target, self.new_lesion, self.overall, self.evaluable,
        )  # fmt: skip
        return tuple(dict.fromkeys(name for name in own if name is not None))


def _places(definition: AssessmentDefinition) -> tuple[_Columns, ...]:
    if not definition.visits:
        return (
            _Columns(
                definition.date, definition.day, None, definition.visit, None,
                definition.target_sum, definition.node_short_axis, definition.target_response,
                definition.non_target, definition.new_lesion, definition.overall,
                definition.evaluable,
            ),
        )  # fmt: skip
    return tuple(
        _Columns(
            visit.date, None, visit.day, None, visit.name, visit.target_sum,
            visit.node_short_axis, visit.target_response, visit.non_target, visit.new_lesion,
            visit.overall, None,
        )
        for visit in definition.visits
    )  # fmt: skip


class _Part:
    """The assessments of one place, before those of a patient are put together."""

    def __init__(self, cohort: Cohort, definition: AssessmentDefinition, at: _Columns) -> None:
        rows = TableRows(
            cohort,
            definition.table,
            columns=(*at.named, *definition.rows),
            rows=definition.rows,
            origin=definition.origin,
            first_day=definition.first_day,
        )
        self.rows, self._definition = rows, definition
        self.subject, self.position, self.row = rows.subject, rows.position, rows.row
        self.column, self.size_column = at.date or at.day, at.target_sum
        self.target_sum, self.node_short_axis = (
            self._size(at.target_sum),
            self._size(at.node_short_axis),
        )
        self.target_response = self._response(at.target_response)
        self.non_target = self._response(at.non_target)
        self.overall = self._response(at.overall)
        self.new_lesion = _new_lesion(rows, at.new_lesion, definition.new_lesion_values)
        has_result = ~np.isnan(self.target_sum) | ~np.isnan(self.node_short_axis)
        for values in (self.target_response, self.non_target, self.overall, self.new_lesion):
            has_result |= _known(values)
        if at.date is not None:
            self.date, self.day = rows.when(at.date, "date")
        elif at.day is not None:
            self.date, self.day = rows.when(at.day, "day")
        else:
            assert at.scheduled is not None
            self.date, self.day = rows.after_origin(at.scheduled)
        # of a visit in columns a blank place is no assessment at all
        self.there = np.ones(rows.n, dtype=bool) if at.name is None else has_result.copy()
        if at.name is not None and at.date is not None:
            self.there |= ~np.isnat(self.date) | rows.problems.in_column(at.date)
        if self.column is not None:
            unknown = np.isnat(self.date) if at.date else np.isnan(self.day)
            unknown &= ~rows.problems.in_column(self.column) & self.there
            rows.problems.add(Trouble.DATE_MISSING, self.column, unknown)
        self.visit = np.full(rows.n, at.name, dtype=object)
        if at.visit is not None:
            self.visit = rows.text(at.visit)
        if at.evaluable is not None:
            self.evaluable, _ = rows.says_yes(at.evaluable, definition.evaluable_values)
        else:
            self.evaluable = has_result & ~_is_not_evaluable(
                self.overall, self.target_response, self.non_target, self.new_lesion
            )

    def _size(self, name: str | None) -> np.ndarray:
        rows = self.rows
        if name is None:
            return np.full(rows.n, np.nan)
        read = rows.number(name, is_gap=lambda text: standard_level(text) == NOT_EVALUABLE)
        values = np.where(np.isfinite(read), read, np.nan)
        with np.errstate(invalid="ignore"):
            below = values < 0
        rows.problems.add(Trouble.NUMBER_NEGATIVE, name, below)
        values[below] = np.nan
        return values * (10.0 if self._definition.size_unit == "cm" else 1.0)

    def _response(self, name: str | None) -> np.ndarray:
        codes = self._definition.codes
        if name is None:
            return np.full(self.rows.n, None, dtype=object)
        return self.rows.mapped(name, lambda text: standard_level(text, codes), keep=codes)


def _read(cohort: Cohort) -> Assessments:
    definition = cohort.study.definitions.assessments
    if definition is None:
        raise StudyError(no_assessments())
    parts = [_Part(cohort, definition, at) for at in _places(definition)]
    there = np.concatenate([part.there for part in parts])
    position = np.concatenate([part.position for part in parts])
    # visits in columns are put together by patient; a long table keeps the order of the file
    order = np.flatnonzero(there)
    if definition.visits:
        order = order[np.argsort(position[order], kind="stable")]
    _doubt_unit(parts, definition)
    _same_day(parts, by_date=bool(definition.visits) or definition.date is not None)

    def gathered(name: str) -> np.ndarray:
        whole: np.ndarray = np.concatenate([getattr(part, name) for part in parts])[order]
        whole.setflags(write=False)
        return whole

    problems = [problem for part in parts for problem in part.rows.problems.found]
    return Assessments(
        definition,
        subject=gathered("subject"),
        position=gathered("position"),
        row=gathered("row"),
        date=gathered("date"),
        day=gathered("day"),
        visit=gathered("visit"),
        target_sum=gathered("target_sum"),
        node_short_axis=gathered("node_short_axis"),
        target_response=gathered("target_response"),
        non_target=gathered("non_target"),
        new_lesion=gathered("new_lesion"),
        evaluable=gathered("evaluable"),
        overall=gathered("overall"),
        n_subjects=cohort.n_in_file,
        n_other_rows=parts[0].rows.n_other,
        problems=tuple(dict.fromkeys(problems)),
    )


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


def _new_lesion(rows: TableRows, column: str | None, meant: tuple[Scalar, ...]) -> np.ndarray:
    out = np.full(rows.n, None, dtype=object)
    if column is None:
        return out
    yes, known = rows.says_yes(column, meant)
    found = rows.text(column, keep=meant)
    codes, distinct = pd.factorize(found)
    silent = np.array([standard_level(str(text)) == NOT_EVALUABLE for text in distinct] + [True])
    out[known & ~silent[codes]] = False
    out[yes] = True
    return out


def _is_not_evaluable(
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


def _doubt_unit(parts: Sequence[_Part], definition: AssessmentDefinition) -> None:
    """Note sums in mm that are as small as sums in cm; a sum of zero has no unit."""
    if definition.size_unit != "mm":
        return
    sums = np.concatenate([np.nan_to_num(part.target_sum) for part in parts])
    seen = sums > 0
    if seen.sum() < _MIN_SIZES or float(np.median(sums[seen])) >= LIKELY_CM:
        return
    for part in parts:
        if part.size_column is not None:
            sized = np.nan_to_num(part.target_sum) > 0
            part.rows.problems.add(Trouble.UNIT_DOUBTFUL, part.size_column, sized)


def _same_day(parts: Sequence[_Part], *, by_date: bool) -> None:
    """Note several assessments of a patient on one day, in whatever column they stand."""
    when = np.concatenate([part.date if by_date else part.day for part in parts])
    there = np.concatenate([part.there for part in parts])
    position = np.concatenate([part.position for part in parts])
    known = ~pd.isna(when) & there
    pairs = pd.DataFrame({"position": position[known], "when": when[known]})
    repeated = np.zeros(len(when), dtype=bool)
    repeated[known] = pairs.duplicated(keep=False).to_numpy()
    first = 0
    for part in parts:
        own = repeated[first : first + part.rows.n]
        first += part.rows.n
        if part.column is not None:
            part.rows.problems.add(Trouble.SAME_DAY, part.column, own)


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
