"""Cross-table of two variables: counts, and their shares of rows, columns or all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import patients
from sts_core.analysis.conventions import (
    Convention,
    association_note,
    association_tests,
    beside,
    by_convention,
    convention_of,
    other_test_rows,
    r_association,
)
from sts_core.analysis.provenance import Provenance, provenance_of, says_subset
from sts_core.cohort import Cohort
from sts_core.derive import levels_of
from sts_core.display import (
    Cell,
    Column,
    CountShare,
    DisplayTable,
    Format,
    joined,
    lower_first,
)
from sts_core.estimates import TestResult
from sts_core.estimators.group_tests import SIMULATED
from sts_core.members import HasLevel, Members
from sts_core.populations import cohort_of
from sts_core.results import ResultRow

KIND: Final = "cross_table"
Share = Literal["all", "row", "column"]
_OF: dict[Share, str] = {
    "all": "all patients shown",
    "row": "the patients of the row",
    "column": "the patients of the column",
}
NOT_KNOWN = "Not known"


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class CrossTableSpec:
    """Which variables are crossed.

    Parameters
    ----------
    rows, columns
        Keys of variables with levels, or of groupings.
    share
        What percentages are of.
    tests
        Whether the association is tested.
    percent_decimals
        Decimals of percentages.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    """

    rows: str
    columns: str
    share: Share = "all"
    tests: bool = False
    percent_decimals: int = 1
    population: str | None = None
    kind: Literal["cross_table"] = KIND

    def __post_init__(self) -> None:
        if self.rows == self.columns:
            raise ValueError("rows and columns must be two different variables")
        if not 0 <= self.percent_decimals <= 3:
            raise ValueError("percent_decimals must lie in 0 to 3")


@dataclass(frozen=True, slots=True, eq=False)
class CrossTableResult:
    """Patients analysed by two variables.

    Attributes
    ----------
    row_label, column_label
        Names of the variables.
    row_levels, column_levels
        Levels in the study's order, also those without a patient.
    counts
        Patients of each pair, int array (rows + 1, columns + 1); the last row and the last column
        are those of whom the variable is not known.
    test
        Association among patients of whom both are known; ``None`` when not asked for.
    other_tests
        Tests that the convention sets beside it.
    convention
        Decides on the test of two rows by two columns.
    """

    spec: CrossTableSpec
    row_label: str
    column_label: str
    row_levels: tuple[str, ...]
    column_levels: tuple[str, ...]
    counts: np.ndarray
    test: TestResult | None
    provenance: Provenance
    footnotes: tuple[str, ...]
    convention: Convention
    other_tests: tuple[TestResult, ...] = ()

    @property
    def n(self) -> int:
        """Patients analysed."""
        return int(self.counts.sum())


def cross_table(cohort: Cohort, spec: CrossTableSpec) -> CrossTableResult:
    """Count the patients analysed by two variables.

    Parameters
    ----------
    cohort
        Patients. One of whom a variable is not known has a row or a column of its own.
    spec
        Which variables.

    Returns
    -------
    CrossTableResult
        The counts add up to the patients analysed.

    Raises
    ------
    StudyError
        When there is no such variable.
    """
    cohort = cohort_of(cohort, spec.population)
    down, across = levels_of(cohort, spec.rows), levels_of(cohort, spec.columns)
    places = []
    for found in (down, across):
        place: dict[str | None, int] = {level: at for at, level in enumerate(found.levels)}
        place[None] = len(found.levels)
        places.append(
            np.array([place[value] for value in found.values[cohort.included]], dtype=np.int64)
        )
    counts = np.zeros((len(down.levels) + 1, len(across.levels) + 1), dtype=np.int64)
    np.add.at(counts, (places[0], places[1]), 1)
    counts.setflags(write=False)
    convention = convention_of(cohort.study)
    tests = association_tests(counts[:-1, :-1], convention) if spec.tests else ()
    result = CrossTableResult(
        spec=spec,
        row_label=down.label,
        column_label=across.label,
        row_levels=down.levels,
        column_levels=across.levels,
        counts=counts,
        test=tests[0] if tests else None,
        provenance=provenance_of(cohort),
        footnotes=(),
        convention=convention,
        other_tests=tests[1:],
    )
    return replace(result, footnotes=_footnotes(result))


def _shown(result: CrossTableResult) -> np.ndarray:
    """Give the counts without rows and columns "not known" in which there is nobody."""
    counts: np.ndarray = result.counts
    if not counts[-1].any():
        counts = counts[:-1]
    if not counts[:, -1].any():
        counts = counts[:, :-1]
    return counts


def cross_table_display(result: CrossTableResult) -> DisplayTable:
    """Give the table: a row a level, a column a level, and the sums of both."""
    counts = _shown(result)
    down = (*result.row_levels, NOT_KNOWN)[: counts.shape[0]]
    across = (*result.column_levels, NOT_KNOWN)[: counts.shape[1]]
    decimals = result.spec.percent_decimals

    def column(key: str, label: str, spanner: str | None) -> Column:
        return Column(key, label, Format.SUMMARY, decimals=decimals, spanner=spanner)

    columns = [Column("row", result.row_label)]
    columns += [
        column(f"column_{at}", label, result.column_label) for at, label in enumerate(across)
    ]
    columns.append(column("total", "Together", None))
    rows: list[dict[str, Cell]] = []
    members: dict[tuple[int, str], Members] = {}
    everyone = Members(population=result.spec.population)
    keys_down = (*result.row_levels, None)[: counts.shape[0]]
    keys_across = (*result.column_levels, None)[: counts.shape[1]]
    for place, (name, line) in enumerate(
        (*zip(down, counts, strict=True), ("Together", counts.sum(axis=0)))
    ):
        row: dict[str, Cell] = {"row": name}
        of_row = (
            everyone.and_also(HasLevel(result.spec.rows, keys_down[place : place + 1]))
            if place < len(down)
            else everyone
        )
        for at, count in enumerate(line):
            row[f"column_{at}"] = CountShare(int(count), _denominator(result, counts, line, at))
            members[place, f"column_{at}"] = of_row.and_also(
                HasLevel(result.spec.columns, keys_across[at : at + 1])
            )
        row["total"] = CountShare(int(line.sum()), _denominator(result, counts, line, None))
        members[place, "total"] = of_row
        rows.append(row)
    table = DisplayTable(_title(result), tuple(columns), tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


def _denominator(
    result: CrossTableResult, counts: np.ndarray, line: np.ndarray, at: int | None
) -> int:
    if result.spec.share == "row":
        return int(line.sum())
    if result.spec.share == "column" and at is not None:
        return int(counts[:, at].sum())
    return int(counts.sum())


def _title(result: CrossTableResult) -> str:
    return f"{result.row_label} by {lower_first(result.column_label)}"


def _footnotes(result: CrossTableResult) -> tuple[str, ...]:
    notes = [f"Patients, n (%); percentages are of {_OF[result.spec.share]}."]
    if result.test is not None:
        test = result.test
        if test.p_value is None:
            notes.append("No test: both variables need two levels with patients (NE).")
        else:
            notes.append(
                "Association among patients of whom both are known: "
                f"{result.provenance.p(test.p_value)} ({test.name}, two-sided)."
            )
            if result.other_tests:
                notes.append(f"Beside it: {beside(result.other_tests, result.provenance)}.")
            notes.append(association_note(result.convention))
    return (*notes, *result.provenance.footnotes)


def methods_sentence(result: CrossTableResult) -> str:
    """Say how it was done, for the methods section."""
    text = (
        f"{result.row_label} and {lower_first(result.column_label)} were crossed; percentages are "
        f"of {_OF[result.spec.share]}"
    )
    if result.test is not None and result.test.p_value is not None:
        text += (
            f"; their association was tested by {_by(result.test)}"
            f"{by_convention(result.convention)}"
        )
    return f"{text}."


def _by(test: TestResult) -> str:
    return test.name if test.name[0].isupper() else f"the {test.name}"


@says_subset
def result_sentences(result: CrossTableResult) -> tuple[str, ...]:
    """Say what was found: the most frequent pairs."""
    inner = result.counts[:-1, :-1]
    if not inner.any():
        return ("There is no patient of whom both variables are known.",)
    order = np.argsort(-inner, axis=None, kind="stable")[:3]
    pairs = [divmod(int(at), inner.shape[1]) for at in order if inner.flat[at]]
    words = [
        f"{result.row_levels[down]} with {result.column_levels[across]} ({inner[down, across]})"
        for down, across in pairs
    ]
    known = int(inner.sum())
    return (f"Of {patients(known)} with both known, the most frequent: {joined(words)}.",)


def result_rows(result: CrossTableResult) -> tuple[ResultRow, ...]:
    """Give every count as a long row: ``group`` is the column, ``level`` the row."""
    spec = result.spec
    base = replace(result.provenance.row(KIND), group_var=spec.columns, term=spec.rows)
    rows = []
    for down, level in enumerate((*result.row_levels, None)):
        for across, group in enumerate((*result.column_levels, None)):
            known = level is not None and group is not None
            statistic = "patients" if known else "patients_not_known"
            rows.append(
                replace(
                    base,
                    statistic=statistic,
                    level=level,
                    group=group,
                    value=float(result.counts[down, across]),
                    n=result.n,
                    r="yes",
                )
            )
    if result.test is not None:
        rows += base.of_group_test(result.test, simulated=result.test.name == SIMULATED)
        rows += [row for test in result.other_tests for row in other_test_rows(base, test)]
    return tuple(rows)


def r_code(result: CrossTableResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``d`` with the factors ``row`` and ``column``, NA where not known.
    """
    lines = [
        f"# {' '.join(_title(result).split())}",
        'm <- table(d$row, d$column, useNA = "ifany")',
        "print(addmargins(m))",
    ]
    margin = {"all": "", "row": ", 1", "column": ", 2"}[result.spec.share]
    lines.append(f"print(round(100 * prop.table(m{margin}), 1))")
    if result.spec.tests:
        lines += [
            "k <- table(droplevels(d$row), droplevels(d$column))",
            "k <- k[rowSums(k) > 0, colSums(k) > 0, drop = FALSE]",
            "expected <- outer(rowSums(k), colSums(k)) / sum(k)",
            *r_association("k", result.convention),
        ]
    return "\n".join([*lines, ""])
