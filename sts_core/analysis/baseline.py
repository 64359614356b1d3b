"""Baseline characteristics (Table 1): counts and numbers, overall and by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import (
    Comparison,
    Member,
    by_words,
    comparison,
    patients,
    r_string,
    r_strings,
)
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
from sts_core.derive import (
    OLDEST_SHOWN,
    is_age,
    is_categorical,
    levels_of,
    numbers_of,
    shown_ages,
    variable_of,
)
from sts_core.display import (
    Cell,
    Column,
    CountShare,
    DisplayTable,
    Format,
    Spread,
    format_bounded,
    format_percent,
    joined,
    lower_first,
)
from sts_core.estimates import TestResult
from sts_core.estimators.group_tests import (
    SIMULATED,
    mean_difference_standardised,
    mean_test,
    rank_test,
    share_difference_standardised,
)
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.members import HEADING, HasLevel, HasValue, Members, of_group
from sts_core.populations import cohort_of
from sts_core.results import ResultRow
from sts_core.study.types import VariableKind

KIND: Final = "baseline"
Numbers = Literal["by_rule", "median", "mean"]
NORMAL_P = 0.05
#: Of fewer patients percentages have no decimals, unless a spec says otherwise.
WHOLE_PERCENT_BELOW = 100
_MIN_SHAPIRO, _MAX_SHAPIRO = 3, 5000


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class BaselineBlock:
    """Several variables as the rows of one block ("Metastasis: lung, bone, liver").

    Parameters
    ----------
    label
        Heading of the block.
    variables
        Keys of variables with levels.
    yes
        Level that means that a patient has it.
    """

    label: str
    variables: tuple[str, ...]
    yes: str

    def __post_init__(self) -> None:
        if len(set(self.variables)) < max(1, len(self.variables)):
            raise ValueError("a block needs at least one variable, each named once")


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class BaselineSpec:
    """What to describe.

    Parameters
    ----------
    variables
        Keys of variables, in the order of the table. A block stands in the place of the first of
        its variables that is listed, or at the end; its variables are not shown again alone.
    by
        Key of a variable or a grouping; everyone together when ``None``.
    levels
        Groups of this comparison, in any order; all when ``None``.
    numbers
        How numbers are described: median with range and quartiles, mean with standard deviation,
        or by rule: the mean where Shapiro-Wilk's test gives no P below 0.05 in any group, else the
        median.
    blocks
        Variables that are rows of one block.
    differences
        Whether standardised differences between the groups are shown.
    tests
        Whether P values are shown.
    percent_decimals
        Decimals of percentages; when ``None``, none of fewer than 100 patients, else one.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    """

    variables: tuple[str, ...] = ()
    by: str | None = None
    levels: tuple[str, ...] | None = None
    numbers: Numbers = "by_rule"
    blocks: tuple[BaselineBlock, ...] = ()
    differences: bool = False
    tests: bool = False
    percent_decimals: int | None = None
    population: str | None = None
    kind: Literal["baseline"] = KIND

    def __post_init__(self) -> None:
        if self.percent_decimals is not None and not 0 <= self.percent_decimals <= 3:
            raise ValueError("percent_decimals must lie in 0 to 3")
        if len(set(self.variables)) < len(self.variables):
            raise ValueError("each variable is named once")


@dataclass(frozen=True, slots=True)
class NumberSummary:
    """Numbers of one group; all ``None`` when none is known.

    Quartiles are R's type 7; ``std_dev`` needs two numbers. Of ages, ``open_from`` is 90, and what
    lies above 89 is 90: the oldest few could be recognised.
    """

    n: int
    mean: float | None = None
    std_dev: float | None = None
    median: float | None = None
    quartile_25: float | None = None
    quartile_75: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    open_from: float | None = None


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One variable, or one block, described.

    Attributes
    ----------
    key, label, unit
        The variable; of a block the label alone.
    levels
        Names of the rows: levels in the study's order, or the variables of a block.
    counts
        Patients of each row in each column (groups in order, then overall); empty for a number.
    known
        Patients of each row of whom it is known, in each column: the denominator of the row's
        percentages. Within a variable it is the same in every row.
    numbers
        Summary in each column; empty for levels.
    n_missing
        Patients not known in each column; of a block, those of whom no row is known.
    by_mean
        Whether the mean describes the number.
    decimals
        Decimals of the numbers in the file.
    test, difference
        Between the groups; ``None`` when not asked for or, of a block, not defined.
    block, parts
        What is described when it is no single variable; and each of its variables by itself, in
        the order of the rows, with its test and difference.
    other_tests
        Tests that the convention sets beside it.
    """

    key: str
    label: str
    unit: str | None
    levels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    known: tuple[tuple[int, ...], ...]
    numbers: tuple[NumberSummary, ...]
    n_missing: tuple[int, ...]
    by_mean: bool
    decimals: int
    test: TestResult | None
    difference: float | None
    block: BaselineBlock | None = None
    other_tests: tuple[TestResult, ...] = ()
    parts: tuple[Characteristic, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return bool(self.numbers)


@dataclass(frozen=True, slots=True, eq=False)
class BaselineResult:
    """Characteristics of the patients analysed.

    Attributes
    ----------
    columns
        Names of the columns: groups in the study's order, then all of them together.
    sizes
        Patients in each column.
    characteristics
        In the order asked for.
    convention
        Decides on tests of two levels in two groups.
    """

    spec: BaselineSpec
    by_label: str | None
    columns: tuple[str, ...]
    sizes: tuple[int, ...]
    characteristics: tuple[Characteristic, ...]
    n_unknown_group: int
    n_other_groups: int
    findings: tuple[Finding, ...]
    provenance: Provenance
    footnotes: tuple[str, ...]
    convention: Convention

    @property
    def is_comparison(self) -> bool:
        """Whether there are groups to compare."""
        return self.spec.by is not None

    @property
    def percent_decimals(self) -> int:
        """Decimals of percentages, in every column the same."""
        chosen = self.spec.percent_decimals
        return int(self.sizes[-1] >= WHOLE_PERCENT_BELOW) if chosen is None else chosen

    @property
    def compared(self) -> tuple[Characteristic, ...]:
        """What is compared between groups: a block by each of its variables."""
        return tuple(
            part
            for item in self.characteristics
            for part in (item.parts if item.block is not None else (item,))
        )


def baseline(cohort: Cohort, spec: BaselineSpec) -> BaselineResult:
    """Describe the patients analysed.

    Parameters
    ----------
    cohort
        Patients. One of whom a variable is not known is counted in a row of its own; percentages
        are of those of whom it is known.
    spec
        What to describe.

    Returns
    -------
    BaselineResult
        A number without any known value is not estimable; a test says why there is none.

    Raises
    ------
    StudyError
        When there is no such variable, or a date is asked for.
    """
    cohort = cohort_of(cohort, spec.population)
    split = comparison(cohort, spec.by, spec.levels)
    members: tuple[Member, ...] = (*split.groups, split.overall) if spec.by else (split.overall,)
    found = []
    waiting = list(spec.blocks)
    for key in spec.variables:
        block = next((block for block in spec.blocks if key in block.variables), None)
        if block is None:
            found.append(_characteristic(cohort, key, spec, members))
        elif block in waiting:
            waiting.remove(block)
            found.append(_block(cohort, block, spec, members))
    found += [_block(cohort, block, spec, members) for block in waiting]
    result = BaselineResult(
        spec=spec,
        by_label=split.by_label,
        columns=tuple(member.label for member in members),
        sizes=tuple(int(member.mask.sum()) for member in members),
        characteristics=tuple(found),
        n_unknown_group=split.n_unknown,
        n_other_groups=split.n_other,
        findings=(),
        provenance=provenance_of(cohort),
        footnotes=(),
        convention=convention_of(cohort.study),
    )
    return replace(result, footnotes=_footnotes(result, split))


def _characteristic(
    cohort: Cohort, key: str, spec: BaselineSpec, members: Sequence[Member]
) -> Characteristic:
    grouping = cohort.study.definitions.groupings.get(key)
    if grouping is None:
        variable = variable_of(cohort, key)
        if variable.kind is VariableKind.DATE:
            raise StudyError(_date_asked_for(variable.label))
        if not is_categorical(variable) and not variable.cuts:
            return _number(cohort, key, spec, members)
    found = levels_of(cohort, key)
    by_member = [found.values[member.mask] for member in members]
    counts = tuple(
        tuple(int(sum(value == level for value in values)) for values in by_member)
        for level in found.levels
    )
    missing = tuple(int(sum(value is None for value in values)) for values in by_member)
    known = tuple(len(values) - gone for values, gone in zip(by_member, missing, strict=True))
    # the last column is everyone together and no group of its own
    table = np.array(counts, dtype=np.int64).reshape(len(found.levels), len(members))[:, :-1]
    compared = spec.by is not None and key != spec.by
    tests = association_tests(table, convention_of(cohort.study)) if compared and spec.tests else ()
    return Characteristic(
        key=key,
        label=found.label,
        unit=None,
        levels=found.levels,
        counts=counts,
        known=tuple(known for _ in found.levels),
        numbers=(),
        n_missing=missing,
        by_mean=False,
        decimals=0,
        test=tests[0] if tests else None,
        difference=share_difference_standardised(table) if compared and spec.differences else None,
        other_tests=tests[1:],
    )


def _number(
    cohort: Cohort, key: str, spec: BaselineSpec, members: Sequence[Member]
) -> Characteristic:
    variable = variable_of(cohort, key)
    values = numbers_of(cohort, key).values
    by_member = [values[member.mask] for member in members]
    known = [numbers[np.isfinite(numbers)] for numbers in by_member]
    groups = known[:-1] if spec.by else known
    by_mean = spec.numbers == "mean" or (spec.numbers == "by_rule" and _looks_normal(groups))
    compared = spec.by is not None
    test = None
    if compared and spec.tests:
        test = mean_test(groups) if by_mean else rank_test(groups)
    return Characteristic(
        key=key,
        label=variable.label,
        unit=variable.unit,
        levels=(),
        counts=(),
        known=(),
        numbers=tuple(_summary(numbers, age=is_age(key, variable)) for numbers in known),
        n_missing=tuple(len(all_) - len(some) for all_, some in zip(by_member, known, strict=True)),
        by_mean=by_mean,
        decimals=_decimals_of(known[-1]),
        test=test,
        difference=mean_difference_standardised(groups) if compared and spec.differences else None,
    )


def _looks_normal(groups: Sequence[np.ndarray]) -> bool:
    """Say whether the mean describes numbers: no group speaks against a normal distribution.

    References
    ----------
    .. [1] Shapiro and Wilk, Biometrika 52 (1965) 591-611.
    """
    from scipy.stats import shapiro

    large = [numbers for numbers in groups if len(numbers) >= _MIN_SHAPIRO]
    if not large:
        return False
    for numbers in large:
        # on thousands of patients the test finds any departure, and its P is not exact
        if len(numbers) > _MAX_SHAPIRO or np.ptp(numbers) == 0:
            return False
        if float(shapiro(numbers).pvalue) < NORMAL_P:
            return False
    return True


def _summary(numbers: np.ndarray, *, age: bool = False) -> NumberSummary:
    if not len(numbers):
        return NumberSummary(0)
    places = np.quantile(numbers, [0.25, 0.5, 0.75, 0.0, 1.0])
    if age:
        places = shown_ages(places)
    low, median, high, least, most = places
    return NumberSummary(
        n=len(numbers),
        mean=float(numbers.mean()),
        std_dev=float(numbers.std(ddof=1)) if len(numbers) > 1 else None,
        median=float(median),
        quartile_25=float(low),
        quartile_75=float(high),
        minimum=float(least),
        maximum=float(most),
        open_from=OLDEST_SHOWN if age else None,
    )


def _decimals_of(numbers: np.ndarray) -> int:
    """Give the decimals with which numbers are recorded, at most three."""
    for decimals in range(3):
        if np.allclose(numbers, np.round(numbers, decimals), rtol=0, atol=1e-9):
            return decimals
    return 3


def _block(
    cohort: Cohort, block: BaselineBlock, spec: BaselineSpec, members: Sequence[Member]
) -> Characteristic:
    found = [levels_of(cohort, key) for key in block.variables]
    counts, known = [], []
    for levels in found:
        by_member = [levels.values[member.mask] for member in members]
        counts.append(tuple(int(sum(value == block.yes for value in v)) for v in by_member))
        known.append(tuple(int(sum(value is not None for value in v)) for v in by_member))
    nothing = np.ones(len(cohort.subjects), dtype=bool)
    for levels in found:
        nothing &= np.array([value is None for value in levels.values], dtype=bool)
    return Characteristic(
        key="",
        label=block.label,
        unit=None,
        levels=tuple(levels.label for levels in found),
        counts=tuple(counts),
        known=tuple(known),
        numbers=(),
        n_missing=tuple(int(nothing[member.mask].sum()) for member in members),
        by_mean=False,
        decimals=0,
        test=None,
        difference=None,
        block=block,
        parts=tuple(_characteristic(cohort, key, spec, members) for key in block.variables),
    )


def _date_asked_for(label: str) -> Finding:
    return Finding(
        FindingCode.LEVEL_UNKNOWN,
        Severity.ERROR,
        f"“{label}” is a date, which a baseline table can't describe.",
        "Choose other variables, or derive a number from the date on the Data page.",
    )


# --- table ---------------------------------------------------------------------------------------


def baseline_table(result: BaselineResult) -> DisplayTable:
    """Give the characteristics: a heading for each, a row for each level or kind of number."""
    spec = result.spec
    columns = [Column("characteristic", "Characteristic")]
    columns += [
        Column(
            f"column_{at}", f"{name} (N = {size})", Format.SUMMARY, decimals=result.percent_decimals
        )
        for at, (name, size) in enumerate(zip(result.columns, result.sizes, strict=True))
    ]
    if result.is_comparison and spec.differences:
        columns.append(Column("difference", "Standardised difference", Format.NUMBER, decimals=2))
    if result.is_comparison and spec.tests:
        columns.append(Column("p_value", "P", Format.P_VALUE))
    rows: list[dict[str, Cell]] = []
    members = {
        (HEADING, f"column_{at}"): _column_members(result, at) for at in range(len(result.columns))
    }
    for item in result.characteristics:
        unit = f", {item.unit}" if item.unit else ""
        heading: dict[str, Cell] = {"characteristic": f"{item.label}{unit}", "_heading": True}
        heading |= _compared_cells(item, spec)
        rows.append(heading)
        members |= _item_members(result, item, len(rows))
        own = _rows_of(item)
        for row, part in zip(own, item.parts, strict=False):
            row |= _compared_cells(part, spec)
        rows += own
        if any(item.n_missing):
            rows.append(
                {
                    "characteristic": "Not known",
                    "_indent": 1,
                    **{f"column_{at}": count for at, count in enumerate(item.n_missing)},
                }
            )
    table = DisplayTable(_title(result), tuple(columns), tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


def _compared_cells(item: Characteristic, spec: BaselineSpec) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    if spec.differences and item.difference is not None:
        cells["difference"] = item.difference
    if spec.tests and item.test is not None:
        cells["p_value"] = "NE" if item.test.p_value is None else item.test.p_value
    return cells


def _column_members(result: BaselineResult, at: int) -> Members:
    """Describe the patients of a column; the last one is everyone of the comparison."""
    names = result.columns[:-1]
    chosen = names if at == len(names) else names[at : at + 1]
    return of_group(result.spec.by, chosen, population=result.spec.population)


def _item_members(
    result: BaselineResult, item: Characteristic, row: int
) -> dict[tuple[int, str], Members]:
    """Describe the patients of each count of a characteristic whose first row is ``row``."""
    found = {}
    for at in range(len(result.columns)):
        column, of = f"column_{at}", _column_members(result, at)
        if item.is_number:
            found[row + 2, column] = of.and_also(HasValue(item.key, known=False))
            continue
        block = item.block
        parts = (
            [(item.key, level) for level in item.levels]
            if block is None
            else [(key, block.yes) for key in block.variables]
        )
        for place, (key, level) in enumerate(parts):
            found[row + place, column] = of.and_also(HasLevel(key, (level,)))
        variables = (item.key,) if block is None else block.variables
        found[row + len(parts), column] = of.and_also(
            *(HasLevel(key, (None,)) for key in variables)
        )
    if not any(item.n_missing):
        last = row + (2 if item.is_number else len(item.levels))
        found = {place: one for place, one in found.items() if place[0] != last}
    return found


def _rows_of(item: Characteristic) -> list[dict[str, Cell]]:
    rows: list[dict[str, Cell]] = []
    if not item.is_number:
        for level, counts, known in zip(item.levels, item.counts, item.known, strict=True):
            row: dict[str, Cell] = {"characteristic": level, "_indent": 1}
            for at, (count, total) in enumerate(zip(counts, known, strict=True)):
                row[f"column_{at}"] = CountShare(count, total)
            rows.append(row)
        return rows
    finer = item.decimals + 1
    kinds: tuple[tuple[str, str], ...] = (
        (("Mean (SD)", "mean"), ("Range", "range"))
        if item.by_mean
        else (("Median (range)", "median"), ("Interquartile range", "quartiles"))
    )
    for label, kind in kinds:
        row = {"characteristic": label, "_indent": 1}
        for at, numbers in enumerate(item.numbers):
            row[f"column_{at}"] = _number_cell(numbers, kind, item.decimals, finer)
        rows.append(row)
    return rows


def _number_cell(numbers: NumberSummary, kind: str, decimals: int, finer: int) -> Cell:
    if numbers.n == 0:
        return "NE"
    match kind:
        case "mean":
            return Spread(numbers.mean, std_dev=numbers.std_dev, decimals=finer)
        case "median":
            half = numbers.median is not None and not math.isclose(
                numbers.median, round(numbers.median, decimals), rel_tol=0, abs_tol=1e-9
            )
            return Spread(
                numbers.median, numbers.minimum, numbers.maximum,
                decimals=finer if half else decimals, open_from=numbers.open_from,
            )  # fmt: skip
        case "range":
            return _between(numbers.minimum, numbers.maximum, decimals, numbers.open_from)
        case _:
            return _between(numbers.quartile_25, numbers.quartile_75, finer, numbers.open_from)


def _between(low: float | None, high: float | None, decimals: int, open_from: float | None) -> str:
    assert low is not None
    assert high is not None
    return " to ".join(format_bounded(limit, decimals, open_from) for limit in (low, high))


def _title(result: BaselineResult) -> str:
    by = by_words(result.by_label)
    return f"Baseline characteristics{by}"


# --- words ---------------------------------------------------------------------------------------


def _footnotes(result: BaselineResult, split: Comparison) -> tuple[str, ...]:
    spec = result.spec
    numbers = [item for item in result.characteristics if item.is_number]
    notes = ["Patients, n (%)."]
    if any(any(item.n_missing) for item in result.characteristics):
        notes = ["Patients, n (%); percentages are of those of whom the characteristic is known."]
    if any(not item.is_number and not item.key for item in result.characteristics):
        notes.append("A patient can be in several rows of one block.")
    if numbers and spec.numbers == "by_rule":
        notes.append(
            "Numbers: mean (standard deviation) where Shapiro-Wilk's test gives no P below "
            f"{NORMAL_P:g} {'in any group' if result.is_comparison else 'in all patients'}, else "
            "median (range) with quartiles (R's type 7)."
        )
    elif numbers and spec.numbers == "median":
        notes.append("Numbers: median (range), with quartiles (R's type 7).")
    elif numbers:
        notes.append("Numbers: mean (standard deviation).")
    if result.is_comparison and spec.differences:
        several = len(result.columns) > 3
        notes.append(
            "Standardised difference: of means over the pooled standard deviation; of levels, Yang "
            f"and Dalton's{'; the mean over all pairs of groups' if several else ''}. Its size "
            "does not depend on the number of patients; about 0.1 is called small."
        )
    notes += _test_notes(result)
    notes += split.footnotes(spec.population)
    notes += result.provenance.footnotes
    return tuple(notes)


def _test_notes(result: BaselineResult) -> list[str]:
    """Name the test of every P value, and say why one is missing."""
    if not (result.is_comparison and result.spec.tests):
        return []
    by_test: dict[str, list[str]] = {}
    without: list[str] = []
    for item in result.compared:
        if item.test is None:
            continue
        if item.test.p_value is None:
            without.append(item.label)
        else:
            by_test.setdefault(item.test.name, []).append(item.label)
    notes = [f"{name}: {joined(labels)}." for name, labels in by_test.items()]
    if notes:
        notes = [f"P values are two-sided and not adjusted. {' '.join(notes)}"]
        notes += [
            f"{item.label}: beside it, {beside(item.other_tests, result.provenance)}."
            for item in result.compared
            if item.other_tests
        ]
        if any(item.test is not None and not item.is_number for item in result.compared):
            notes.append(association_note(result.convention))
    if without:
        notes.append(f"No test for {joined(without)}: too few patients, levels or groups (NE).")
    return notes


def methods_sentence(result: BaselineResult) -> str:
    """Say how it was done, for the methods section."""
    spec = result.spec
    by = f", by {lower_first(result.by_label)}" if result.by_label else ""
    text = f"Baseline characteristics{by} are given as number of patients with percentage"
    if any(item.is_number for item in result.characteristics):
        text += {
            "by_rule": " and, for numbers, as mean with standard deviation where Shapiro-Wilk's "
            "test spoke against normality in no group, else as median with range",
            "median": " and, for numbers, as median with range",
            "mean": " and, for numbers, as mean with standard deviation",
        }[spec.numbers]
    if result.is_comparison and spec.differences:
        text += "; groups were compared by standardised differences"
    names = dict.fromkeys(
        item.test.name
        for item in result.compared
        if item.test is not None and item.test.p_value is not None
    )
    if names:
        text += f"; P values are from {joined([*names])}{by_convention(result.convention)}"
    return f"{text}."


@says_subset
def result_sentences(result: BaselineResult) -> tuple[str, ...]:
    """Say what was found, overall."""
    n = result.sizes[-1]
    if n == 0:
        return ("There are no patients to describe.",)
    out = []
    for item in result.characteristics:
        if item.is_number:
            numbers = item.numbers[-1]
            if numbers.n == 0:
                out.append(f"{item.label} is not known of any patient.")
                continue
            kind, words = ("mean", "mean") if item.by_mean else ("median", "median")
            cell = _number_cell(numbers, kind, item.decimals, item.decimals + 1)
            assert isinstance(cell, Spread)
            centre = format_bounded(cell.centre or 0.0, cell.decimals, cell.open_from)
            bounds = _between(numbers.minimum, numbers.maximum, item.decimals, numbers.open_from)
            unit = f" {item.unit}" if item.unit else ""
            out.append(f"{item.label}: {words} {centre}{unit} (range {bounds}).")
            continue
        shares = [
            f"{level} in {counts[-1]} "
            f"({format_percent(counts[-1] / known[-1], result.percent_decimals)}%)"
            for level, counts, known in zip(item.levels, item.counts, item.known, strict=True)
            if known[-1] and counts[-1]
        ]
        if not shares:
            out.append(f"{item.label} is not known of any patient.")
            continue
        text = f"{item.label}: {joined(shares)}"
        if item.n_missing[-1]:
            text += f"; not known of {patients(item.n_missing[-1])}"
        out.append(f"{text}.")
    return (f"{patients(n)} {'was' if n == 1 else 'were'} analysed.", *out)


# --- rows and R ----------------------------------------------------------------------------------


_NUMBER_STATISTICS = (
    "mean", "std_dev", "median", "quartile_25", "quartile_75", "minimum", "maximum",
)  # fmt: skip


def result_rows(result: BaselineResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row; ``term`` is the variable or the block."""
    spec = result.spec
    base = replace(result.provenance.row(KIND), group_var=spec.by)
    rows: list[ResultRow] = []
    last = len(result.columns) - 1
    for at, (name, size) in enumerate(zip(result.columns, result.sizes, strict=True)):
        mine = replace(base, group=None if at == last else name, n=size, r="yes")
        rows.append(replace(mine, statistic="n", value=float(size)))
        for item in result.characteristics:
            own = replace(mine, term=item.key or item.label)
            rows.append(replace(own, statistic="n_missing", value=float(item.n_missing[at])))
            for level, counts, known in zip(item.levels, item.counts, item.known, strict=True):
                rows.append(
                    replace(
                        own, statistic="patients", level=level, value=float(counts[at]),
                        denominator=known[at],
                    )
                )  # fmt: skip
            if not item.is_number:
                continue
            numbers = item.numbers[at]
            for statistic in _NUMBER_STATISTICS:
                value = getattr(numbers, statistic)
                row = replace(own, statistic=statistic, value=value, unit=item.unit)
                if statistic not in ("mean", "std_dev") and value == numbers.open_from:
                    row = replace(row, method="ages above 89 are given as 90", r="none")
                if value is None:
                    reason = "no_subjects" if numbers.n == 0 else "too_few"
                    row = replace(row, status="not_estimable", reason=reason)
                rows.append(row)
    for item in result.compared:
        own = replace(base, term=item.key)
        if item.test is not None:
            rows += own.of_group_test(item.test, simulated=item.test.name == SIMULATED)
        rows += [row for test in item.other_tests for row in other_test_rows(own, test)]
        if spec.differences and result.is_comparison and item.key:
            row = replace(own, statistic="standardised_difference", r="formula")
            rows.append(
                replace(row, value=item.difference)
                if item.difference is not None
                else replace(row, status="not_estimable", reason="too_few")
            )
    rows.append(replace(base, statistic="n_not_included", value=float(result.n_unknown_group)))
    return tuple(rows)


def r_code(result: BaselineResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``d`` with a column for each variable (factors in the order of
    their levels, numbers; NA where not known) and ``group``.
    """
    spec = result.spec
    levels = tuple(item.key for item in result.characteristics if item.key and not item.is_number)
    tested = tuple(item.key for item in result.compared if not item.is_number)
    means = tuple(item.key for item in result.characteristics if item.is_number and item.by_mean)
    medians = tuple(
        item.key for item in result.characteristics if item.is_number and not item.by_mean
    )
    note = f" by {result.by_label}" if result.by_label else ""
    lines = [
        f"# {' '.join(f'Baseline characteristics{note}'.split())}",
        "for (g in c(split(d, d$group), list(d))) {" if spec.by else "for (g in list(d)) {",
        "  print(nrow(g))",
        f'  for (v in {r_strings(levels)}) print(table(g[[v]], useNA = "always"))',
        f"  for (v in {r_strings((*means, *medians))})",
        "    print(c(mean = mean(g[[v]], na.rm = TRUE), sd = sd(g[[v]], na.rm = TRUE),",
        "            quantile(g[[v]], na.rm = TRUE), missing = sum(is.na(g[[v]]))))",
    ]
    lines += [
        f"  for (v in {r_strings(block.variables)}) "
        f"print(sum(g[[v]] == {r_string(block.yes)}, na.rm = TRUE))"
        for block in spec.blocks
    ]
    lines.append("}")
    if spec.by and spec.tests:
        lines += [
            f"for (v in {r_strings(tested)}) {{",
            "  m <- table(droplevels(d[[v]]), d$group)",
            "  m <- m[rowSums(m) > 0, colSums(m) > 0, drop = FALSE]",
            "  if (min(dim(m)) < 2) next",
            "  expected <- outer(rowSums(m), colSums(m)) / sum(m)",
            *(f"  {line}" for line in r_association("m", result.convention)),
            "}",
            "two <- length(unique(d$group)) == 2",
            f"for (v in {r_strings(medians)})",
            "  print(if (two) wilcox.test(d[[v]] ~ d$group) else kruskal.test(d[[v]], d$group))",
            f"for (v in {r_strings(means)})",
            "  print(if (two) t.test(d[[v]] ~ d$group) else anova(lm(d[[v]] ~ d$group)))",
        ]
    return "\n".join([*lines, ""])
