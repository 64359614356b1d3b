"""The cohort: the subjects of one study with their tables, read-only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from sts_core import __version__
from sts_core.findings import Finding, FindingCode, Severity
from sts_core.study.types import ReportSection, Study
from sts_core.values import DistinctCells, distinct_cells

_T = TypeVar("_T")
_NOTHING = object()
#: What is made of all patients of the file alike (:attr:`Cohort.read`).
_OF_EVERYONE = frozenset(
    {"adverse events", "assessments", "criterion", "dates", "exposures", "levels", "numbers"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table of the study, as the file has it.

    Attributes
    ----------
    role
        "subjects", "adverse_events", "assessments", ...
    file, sheet
        Where it came from, for messages.
    frame
        Object cells; columns named as in the file.
    subject
        Study id of each row ("S001"), object array.
    rows
        Spreadsheet row number of each row, 1-based.
    read
        What was read of columns (dates, summaries), by how it was read. The cells never change,
        so that every analysis of a session shares one reading.
    """

    role: str
    file: str
    sheet: str | None
    frame: pd.DataFrame
    subject: np.ndarray
    rows: np.ndarray
    read: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def column(self, name: str) -> pd.Series:
        """Give one column's cells.

        Raises
        ------
        KeyError
            When the table has no such column.
        """
        column: pd.Series = self.frame[name]
        return column

    def cells(self, name: str) -> DistinctCells:
        """Give the different cells of a column, looked through once.

        Raises
        ------
        KeyError
            When the table has no such column.
        """
        what = ("cells", name)
        found: DistinctCells | None = self.read.get(what)
        if found is None:
            found = self.read[what] = distinct_cells(self.column(name))
        return found


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of the flow: who was there, who left, and how many of them only for a missing value.

    ``n_before - n_excluded == n_after`` always holds. ``subjects`` are those who left,
    ``subjects_missing`` those of them only for a missing value, and ``subjects_not_verifiable``
    those kept with one. ``columns`` are what the criterion looks at, and ``excludes`` says
    whether it names those who leave, not those who stay.
    """

    label: str
    n_before: int
    n_excluded: int
    n_missing_excluded: int
    n_not_verifiable: int
    n_after: int
    subjects: tuple[str, ...] = ()
    after_time_zero: bool = False
    exploratory: bool = False
    subjects_missing: tuple[str, ...] = ()
    subjects_not_verifiable: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    excludes: bool = False

    @property
    def reason(self) -> str:
        """Why patients left, in words."""
        label = self.label.removeprefix("Excluded: ")
        if self.excludes or label != self.label:
            return f"{label[:1].upper()}{label[1:]}"
        return f"Not met: {label}"


@dataclass(frozen=True, slots=True)
class FlowDiagram:
    """From all patients in the file to those analysed; the steps add up."""

    n_start: int
    steps: tuple[FlowStep, ...] = ()

    @property
    def n_end(self) -> int:
        """Patients after the last step."""
        return self.steps[-1].n_after if self.steps else self.n_start


def fingerprint_of(data_hash: str, study: Study) -> str:
    """Hash what decides the numbers; what a page shows, a report lists or was seen does not."""
    tables = {role: replace(source, seen=None) for role, source in study.data.tables.items()}
    deciding = replace(
        study,
        data=replace(study.data, tables=tables),
        analysis=replace(study.analysis, views={}, looked_at=()),
        report=ReportSection(),
    )
    text = "\n".join((data_hash, __version__, repr(deciding)))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The subjects of one study, with every table that came with them.

    A subject has a running study id (S001, in the order of the file). The id that the source used
    stays in ``source_ids`` for the screen's "reveal" switch, and goes into no result.

    Attributes
    ----------
    study
        Every choice that was made.
    tables
        By role; a table that is not there was not recorded, which is not "none".
    subjects
        Study ids in file order, object array of shape (n,).
    included
        Which subjects are analysed, boolean array of shape (n,).
    flow
        How ``included`` came about.
    source_ids
        Study id -> id in the file.
    findings
        What was found when the tables were read.
    data_hash
        SHA-256 over the bytes of the files.
    joins
        How each other table was joined, by role (:class:`sts_core.reading.linkage.Join`).
    left_out
        Columns that the privacy gate left out, by role
        (:class:`sts_core.reading.privacy.PrivateColumn`).
    guarded
        Columns that look private and are used all the same, because a person let them in or chose
        them, by role: no message quotes a value of them.
    fingerprint
        Hash of data, choices and version: two cohorts with the same one give the same numbers.
    population
        Key of the analysis population that this is; empty for the patients that all criteria leave.
    read
        What was made of the tables under these choices (levels, times), by what was asked for.
    """

    study: Study
    tables: Mapping[str, Table]
    subjects: np.ndarray
    included: np.ndarray
    flow: FlowDiagram
    source_ids: Mapping[str, str] = field(repr=False)
    findings: tuple[Finding, ...] = ()
    data_hash: str = ""
    joins: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, Any] = field(default_factory=dict)
    guarded: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fingerprint: str = ""
    population: str = ""
    read: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        whole = fingerprint_of(self.data_hash, self.study)
        if self.population:
            whole = hashlib.sha256(f"{whole}\n{self.population}".encode()).hexdigest()
        object.__setattr__(self, "fingerprint", whole)

    def kept(self, what: Hashable, make: Callable[[], _T]) -> _T:
        """Give what was made for this cohort before, or make it; an error is not kept."""
        found: Any = self.read.get(what, _NOTHING)  # another thread may clear it at any time
        if found is _NOTHING:
            found = self.read[what] = make()
        made: _T = found
        return made

    @property
    def n_in_file(self) -> int:
        """Patients in the file."""
        return len(self.subjects)

    @property
    def n(self) -> int:
        """Patients analysed."""
        return int(self.included.sum())

    @property
    def analysed(self) -> np.ndarray:
        """Study ids of the patients analysed, in file order."""
        chosen: np.ndarray = self.subjects[self.included]
        return chosen

    @property
    def exploratory(self) -> bool:
        """Whether a filter is in force, so that results are of an exploratory subset."""
        return any(item.enabled for item in self.study.analysis.filters)

    def quotes(self, role: str, *columns: str | None) -> bool:
        """Say whether a message may quote values of these columns of a table."""
        return not self.guarded.get(role, frozenset()) & {*columns}

    def why_absent(self, role: str) -> Finding | None:
        """Give the finding that says why a table that the files have isn't here, if it does."""
        for finding in self.findings:
            unmatched = finding.code is FindingCode.SUBJECT_UNMATCHED
            if unmatched and finding.severity is Severity.ERROR and finding.table == role:
                return finding
        return None

    def row_of(self, subject: str) -> int:
        """Spreadsheet row of a subject in the subjects table."""
        table = self.tables["subjects"]
        return int(table.rows[np.flatnonzero(table.subject == subject)[0]])

    def with_selection(self, study: Study, included: np.ndarray, flow: FlowDiagram) -> Cohort:
        """Give this cohort under other criteria."""
        new = replace(self, study=study, included=included, flow=flow, population="")
        new.read.update(self._of_everyone(study, _OF_EVERYONE))
        return new

    def as_population(self, key: str, included: np.ndarray, flow: FlowDiagram) -> Cohort:
        """Give one of the analysis populations of this cohort, under the same choices."""
        new = replace(self, included=included, flow=flow, population=key)
        same = bool((included == self.included).all())
        new.read.update(self.read if same else self._of_everyone(self.study, _OF_EVERYONE))
        return new

    def under(self, study: Study) -> Cohort:
        """Give this cohort under other choices; what was read and still holds is not read again."""
        new = replace(self, study=study)
        new.read.update(self._of_everyone(study, _OF_EVERYONE - {"criterion"}))
        return new

    def _of_everyone(self, study: Study, names: Collection[str]) -> dict[Hashable, Any]:
        """Give what was made of the tables that no selection of patients changes."""
        if study.data != self.study.data or study.definitions != self.study.definitions:
            return {}
        return {
            what: made
            for what, made in [*self.read.items()]
            if (what[0] if isinstance(what, tuple) else what) in names
        }

    def with_views(self, study: Study) -> Cohort:
        """Give this cohort under a study that differs in nothing that decides a number."""
        new = replace(self, study=study)
        if new.fingerprint == self.fingerprint:
            new.read.update(self.read)
        return new
