"""From cells to what an analysis takes: levels, numbers, dates and times to an event."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
import pandas as pd

from sts_core.assessments import assessments_of, last_evaluable
from sts_core.cohort import Cohort, Table
from sts_core.derivations import (
    Bounds,
    combined,
    count_of,
    count_of_rows,
    first_known,
    in_words,
    is_in_range,
    is_one_of,
    nested,
    order_of,
    texts_of,
    whether_known,
)
from sts_core.findings import Finding, FindingCode, Severity, StudyError, listed
from sts_core.members import (
    Condition,
    Count,
    CountedText,
    EndedByRule,
    FromLandmark,
    HasTime,
    Members,
)
from sts_core.reading.assembly import column_missing, rows_matching
from sts_core.study.types import (
    Combination,
    CountOf,
    CountOfRows,
    Derivation,
    Endpoint,
    FirstKnown,
    Grouping,
    IsInRange,
    IsOneOf,
    Nested,
    ResponseDefinition,
    Scalar,
    Study,
    TableSource,
    TimeUnit,
    Variable,
    VariableKind,
    WhetherKnown,
)
from sts_core.values import (
    Cells,
    DistinctCells,
    IncompleteRule,
    ReadColumn,
    date_orders,
    dates,
    missing_codes,
    numbers,
    text_of,
    texts,
)


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """A grouping of all subjects of a cohort.

    Attributes
    ----------
    label
        Name of the variable.
    levels
        All levels of the study in their order, also those without a patient.
    values
        Level of each subject in file order, ``None`` where not known; object array (n,).
    reference
        Level that others are compared with.
    slots
        Colour slot of each level; ``None`` is the grey of "other".
    """

    label: str
    levels: tuple[str, ...]
    values: np.ndarray
    reference: str | None
    slots: Mapping[str, int | None]


N_SLOTS = 8
#: Kind of an event that is the next therapy.
NEW_THERAPY = "new therapy"
_NAT = np.datetime64("NaT", "D")
# Times closer than the root of the machine's precision, beside their size, count as one (as in R);
# somebody who enters so close to the end is never at risk. Four times that, as ties may chain.
_ROUNDING = 4 * math.sqrt(float(np.finfo(np.float64).eps))


#: Ages from this on are given as one: the oldest few could be recognised.
OLDEST_SHOWN = 90.0


def treatments_of(study: Study) -> dict[str, str]:
    """Give every variable and grouping that says how patients were treated -> its name.

    What is made of a treatment, or merges its levels, is one too.
    """
    variables = study.definitions.variables

    def treats(key: str) -> bool:
        variable = variables.get(key)
        if variable is None:
            return False
        made_of = variable.derived.inputs if variable.derived is not None else ()
        return variable.treatment or any(map(treats, made_of))

    found = {key: variable.label for key, variable in variables.items() if treats(key)}
    found |= {
        key: grouping.label
        for key, grouping in study.definitions.groupings.items()
        if treats(grouping.variable)
    }
    return found


def is_age(key: str, variable: Variable) -> bool:
    """Say whether a variable is an age in years, by its unit and the words of its names."""
    if variable.unit in {unit.value for unit in TimeUnit} - {TimeUnit.YEARS.value}:
        return False
    return any(names_age(name) for name in (key, variable.column or key, variable.label))


def names_age(name: str) -> bool:
    """Say whether the name of a column or its label speaks of age."""
    return "age" in re.split(r"[\W_]+", name.casefold()) or "年龄" in name


def shown_ages(years: np.ndarray) -> np.ndarray:
    """Give ages as they may be shown: above 89 all are 90."""
    shown: np.ndarray = np.where(years > OLDEST_SHOWN - 1, OLDEST_SHOWN, years)
    return shown


def variable_of(cohort: Cohort, key: str) -> Variable:
    """Give a variable's definition; a plain column of the file is a variable too.

    Raises
    ------
    StudyError
        When neither a variable nor a column has this name.
    """
    variables = cohort.study.definitions.variables
    if key in variables:
        return variables[key]
    table = cohort.tables["subjects"]
    if key not in table.frame.columns:
        raise StudyError(
            column_missing(
                key, [*variables, *table.frame.columns], file=table.file, sheet=table.sheet
            )
        )
    return Variable(label=key, column=key)


def _source(cohort: Cohort, role: str) -> TableSource:
    return cohort.study.data.tables.get(role, TableSource())


def cells_of(cohort: Cohort, key: str) -> pd.Series:
    """Give a variable's cells, one a subject in file order.

    Cells of a derived variable are what comes out of its derivation: texts, or numbers and dates
    where the variable is of that kind.
    """
    variable = variable_of(cohort, key)
    if variable.derived is not None:
        return _derived_cells(cohort, variable, variable.derived)
    column = variable.column or key
    if variable.table == "subjects" and not variable.rows:
        return _column(cohort.tables["subjects"], column)
    table = _table(cohort, variable)
    row_of = _rows_by_subject(variable, table)
    cells = _column(table, column).array
    joined: list[object] = [
        None if (row := row_of.get(subject)) is None else cells[row] for subject in cohort.subjects
    ]
    return pd.Series(joined, dtype=object, name=column)


def has_cells(cohort: Cohort, key: str) -> bool:
    """Say whether the files hold what a variable or grouping of the study is read from.

    A study file may name a column that the next file lacks. What rests on it can't be chosen, and
    is listed by :func:`sts_core.checks.check_cohort`.
    """
    grouping = cohort.study.definitions.groupings.get(key)

    def read() -> bool:
        try:
            cells_of(cohort, key if grouping is None else grouping.variable)
        except StudyError:
            return False
        return True

    return cohort.kept(("has cells", key), read)


def variables_here(cohort: Cohort) -> dict[str, Variable]:
    """Give the study's variables that the files hold, by key."""
    variables = cohort.study.definitions.variables
    return {key: variable for key, variable in variables.items() if has_cells(cohort, key)}


def groupings_here(cohort: Cohort) -> dict[str, Grouping]:
    """Give the study's merged comparisons that the files hold, by key."""
    groupings = cohort.study.definitions.groupings
    return {key: grouping for key, grouping in groupings.items() if has_cells(cohort, key)}


def _column(table: Table, name: str) -> pd.Series:
    if name not in table.frame.columns:
        raise StudyError(
            column_missing(name, table.frame.columns, file=table.file, sheet=table.sheet)
        )
    return table.column(name)


def _distinct(table: Table, name: str) -> DistinctCells:
    _column(table, name)
    return table.cells(name)


def _cells(cohort: Cohort, key: str) -> Cells:
    """Give a variable's cells, one a subject in file order; a plain column's looked through."""
    variable = variable_of(cohort, key)
    plain = variable.derived is None and variable.table == "subjects" and not variable.rows
    if not plain:
        return cells_of(cohort, key)
    return _distinct(cohort.tables["subjects"], variable.column or key)


def _quotes(cohort: Cohort, key: str) -> bool:
    """Say whether a message may quote levels of a variable, or of what it is made of."""
    variable = variable_of(cohort, key)
    if variable.derived is not None:
        return all(_quotes(cohort, name) for name in variable.derived.inputs)
    return cohort.quotes(variable.table, variable.column or key)


def _codes(
    cohort: Cohort, variable: Variable | None = None, role: str = "subjects"
) -> frozenset[str]:
    own = variable.missing_codes if variable else ()
    if variable is not None and variable.derived is not None:
        # its inputs know what is missing: a level named "Unknown" on purpose stays a level
        return frozenset(code.strip().casefold() for code in own)
    return missing_codes(_source(cohort, role).missing_codes, own)


def _derived_cells(cohort: Cohort, variable: Variable, derived: Derivation) -> pd.Series:
    def levels(key: str) -> np.ndarray:
        return _levels_of_variable(cohort, key).values

    cells: Sequence[object] | np.ndarray
    match derived:
        case IsOneOf():
            cells = is_one_of(levels(derived.of), derived)
        case IsInRange():
            cells = is_in_range(_bounds(cohort, derived.of), derived)
        case WhetherKnown():
            cells = whether_known(_is_known(cohort, derived.of))
        case CountOf():
            counts = count_of([levels(key) for key in derived.of], derived).values
            cells = [None if np.isnan(count) else int(count) for count in counts]
        case Combination():
            cells = combined([levels(key) for key in derived.of], derived)
        case Nested():
            cells = nested(levels(derived.of), levels(derived.by), derived)
        case FirstKnown():
            cells = first_known([_known_cells(cohort, key, variable.kind) for key in derived.of])
        case CountOfRows():
            counts = _rows_counted(cohort, variable, derived).values
            cells = [None if np.isnan(count) else int(count) for count in counts]
    return pd.Series(list(cells), dtype=object, name=variable.label)


def _bounds(cohort: Cohort, key: str) -> Bounds:
    """Give what a variable's number can be: of a count, from the sure ones to all that may be."""
    derived = variable_of(cohort, key).derived
    if isinstance(derived, CountOf):
        return count_of([_levels_of_variable(cohort, name).values for name in derived.of], derived)
    if isinstance(derived, CountOfRows):
        return _rows_counted(cohort, variable_of(cohort, key), derived)
    values = numbers_of(cohort, key).values
    return Bounds(values, values)


def _rows_counted(cohort: Cohort, variable: Variable, derived: CountOfRows) -> Bounds:
    """Count rows of another table, or different values of a column of it, by patient."""
    table = cohort.tables.get(derived.table)
    if table is None:
        raise StudyError(_table_missing(cohort, variable.label, derived.table))
    place = {subject: at for at, subject in enumerate(cohort.subjects.tolist())}
    owner = np.array([place[subject] for subject in table.subject.tolist()], dtype=np.int64)
    values = None
    if derived.of is not None:
        codes = _codes(cohort, role=derived.table)
        values = texts(_distinct(table, derived.of), codes)
    counts = np.ones(len(owner), dtype=bool)
    open_ = np.zeros(len(owner), dtype=bool)
    if derived.date is not None and derived.before is not None:
        _column(table, derived.date)
        dated = table_dates(cohort, derived.table, derived.date).values
        limit = dates_of(cohort, derived.before).values[owner]
        open_ = np.isnat(dated) | np.isnat(limit)
        counts = dated < limit
    return count_of_rows(owner, cohort.n_in_file, values, counts, open_)


def _is_known(cohort: Cohort, key: str) -> np.ndarray:
    variable = variable_of(cohort, key)
    if variable.kind is VariableKind.DATE:
        return np.array(~np.isnat(dates_of(cohort, key).values), dtype=bool)
    if variable.kind is VariableKind.NUMERIC:
        return np.array(~np.isnan(numbers_of(cohort, key).values), dtype=bool)
    levels = _levels_of_variable(cohort, key).values
    return np.array([level is not None for level in levels], dtype=bool)


def _known_cells(cohort: Cohort, key: str, kind: VariableKind) -> np.ndarray:
    """Give a variable's cells as a variable of another kind takes them."""
    cells = np.empty(len(cohort.subjects), dtype=object)
    match kind:
        case VariableKind.NUMERIC:
            numbers_ = numbers_of(cohort, key).values
            cells[:] = [None if np.isnan(number) else float(number) for number in numbers_]
        case VariableKind.DATE:
            dates_ = dates_of(cohort, key).values
            cells[:] = [None if np.isnat(date) else date.item() for date in dates_]
        case _:
            cells[:] = _levels_of_variable(cohort, key).values
    return cells


def _marks(cohort: Cohort, role: str, column: str) -> str:
    """Give the decimal mark of a column of a table."""
    format_ = _source(cohort, role).columns.get(column)
    return format_.marks if format_ else "."


def date_columns_of(cohort: Cohort, table: Table) -> Iterator[str]:
    """Give the columns of a table that the study reads as dates."""
    definitions = cohort.study.definitions
    named: list[str | None] = []
    for endpoint in definitions.endpoints.values():
        if endpoint.from_dates and endpoint.table == table.role:
            named += [endpoint.start, *endpoint.event_dates.values(), *endpoint.last_contact]
    for key, variable in definitions.variables.items():
        if variable.kind is VariableKind.DATE and variable.table == table.role:
            named.append(variable.column or key)
    if table.role == "subjects":
        named.append(definitions.cutoff_column)
    visits, treatment = definitions.assessments, definitions.exposures
    if visits is not None and visits.table == table.role:
        named += visits.date_columns
    if treatment is not None and treatment.table == table.role and treatment.times == "dates":
        named += [treatment.start, treatment.stop]
    yield from (name for name in dict.fromkeys(named) if name in table.frame.columns and name)


def numbers_of(cohort: Cohort, key: str) -> ReadColumn:
    """Read a variable as numbers, one a subject in file order."""
    return cohort.kept(("numbers", key), lambda: _read_numbers(cohort, key))


def _read_numbers(cohort: Cohort, key: str) -> ReadColumn:
    variable = variable_of(cohort, key)
    format_ = _source(cohort, variable.table).columns.get(variable.column or key)
    return numbers(
        _cells(cohort, key),
        decimal=format_.marks if format_ else ".",
        codes=_codes(cohort, variable, variable.table),
    ).for_all()


def dates_of(cohort: Cohort, key: str) -> ReadColumn:
    """Read a variable as dates, one a subject in file order."""
    return cohort.kept(("dates", key), lambda: _read_dates(cohort, key))


def _read_dates(cohort: Cohort, key: str) -> ReadColumn:
    variable = variable_of(cohort, key)
    format_ = _source(cohort, variable.table).columns.get(variable.column or key)
    return dates(
        _cells(cohort, key),
        order=format_.date_order if format_ else None,
        codes=_codes(cohort, variable, variable.table),
        incomplete=_incomplete_rule(cohort),
    ).for_all()


def _incomplete_rule(cohort: Cohort) -> IncompleteRule:
    rule: IncompleteRule = cohort.study.definitions.incomplete_dates.value
    return rule


def table_dates(
    cohort: Cohort, role: str, column: str, variable: Variable | None = None
) -> ReadColumn:
    """Read a column of any table as dates, one a row of that table."""
    format_ = _source(cohort, role).columns.get(column)
    order = format_.date_order if format_ else None
    codes = _codes(cohort, variable, role)
    table = cohort.tables[role]
    rule = _incomplete_rule(cohort)
    how = (column, order, codes, rule)
    found: ReadColumn | None = table.read.get(how)
    if found is None:
        found = dates(_distinct(table, column), order=order, codes=codes, incomplete=rule).for_all()
        table.read[how] = found
    return found


def levels_of(cohort: Cohort, key: str) -> Levels:
    """Give the levels of a variable or of a grouping, one a subject in file order.

    Raises
    ------
    StudyError
        When neither a grouping, a variable nor a column has this name.
    """
    grouping = cohort.study.definitions.groupings.get(key)
    if grouping is not None:
        return _grouped(cohort, grouping)
    return _levels_of_variable(cohort, key)


def _levels_of_variable(cohort: Cohort, key: str) -> Levels:
    """Give the levels of a variable: derived, cut, coded and merged, in this order."""
    return cohort.kept(("levels", key), lambda: _made_levels(cohort, key))


def _made_levels(cohort: Cohort, key: str) -> Levels:
    variable = variable_of(cohort, key)
    merged_into = {level: name for name, parts in variable.merged.items() for level in parts}

    def named(text: str | None) -> str | None:
        if text is None:
            return None
        level = variable.codes.get(text, text)
        return merged_into.get(level, level)

    if variable.cuts:
        found = _cut(_bounds(cohort, key), variable.cuts, named)
        values = np.empty(len(found), dtype=object)
        values[:] = found
        present = {level for level in found if level is not None}
    else:
        place, different = pd.factorize(raw_levels(cohort, key))
        names = np.empty(len(different) + 1, dtype=object)
        names[:-1] = [named(text) for text in different.tolist()]
        values = names[place]  # -1, not known, takes the last one
        present = {level for level in names.tolist() if level is not None}
    if variable.levels:
        stated = [merged_into.get(level, level) for level in variable.levels]
    else:
        made = [named(level) for level in _usual_order(cohort, variable)]
        stated = [
            level for level in made if level is not None and (level in present or variable.cuts)
        ]
    ordered = dict.fromkeys(stated)
    # a variable without stated levels shows every value of the file, whatever the criteria
    others = sorted(present - ordered.keys(), key=natural_order)
    levels = (*ordered, *others)
    slots = _slots(variable, levels)
    reference = variable.reference if variable.reference in levels else None
    values.setflags(write=False)  # shared by all that ask
    return Levels(
        variable.label, levels, values, reference or (levels[0] if levels else None), slots
    )


def raw_levels(cohort: Cohort, key: str) -> np.ndarray:
    """Give what a variable's codes start from, one a subject: texts of the file, or of the cut.

    ``None`` where not known; object array (n,).
    """
    variable = variable_of(cohort, key)
    if variable.cuts:
        out = np.empty(len(cohort.subjects), dtype=object)
        out[:] = _cut(_bounds(cohort, key), variable.cuts, lambda level: level)
        return out
    return texts(_cells(cohort, key), _codes(cohort, variable, variable.table))


def _usual_order(cohort: Cohort, variable: Variable) -> tuple[str, ...]:
    """Order levels that nobody ordered: by the cut points, or as the inputs are ordered."""
    if variable.cuts:
        return cut_levels(variable.cuts)
    derived = variable.derived
    if derived is None or variable.kind in (VariableKind.NUMERIC, VariableKind.DATE):
        return ()
    if isinstance(derived, IsOneOf | IsInRange | WhetherKnown | CountOf | CountOfRows):
        return order_of(derived, ())
    return order_of(derived, [_levels_of_variable(cohort, name).levels for name in derived.inputs])


def derivation_sentence(cohort: Cohort, key: str) -> str:
    """Say how a derived variable is made, and in how many patients it is not known.

    Empty for a variable that is read from a column.
    """
    variable = variable_of(cohort, key)
    if variable.derived is None:
        return ""
    names = {name: variable_of(cohort, name).label for name in variable.derived.inputs}
    levels = _levels_of_variable(cohort, key).values
    unknown = sum(level is None for level in levels)
    return (
        f"{variable.label}: {in_words(variable.derived, names)} "
        f"(not known in {unknown} of {len(levels)} patients)."
    )


def origin_of(cohort: Cohort, key: str) -> str:
    """Give the column that a variable says the same of in other words, or its own key.

    Age, age in groups and "at least 54" have one origin; a count over columns is its own.
    """
    variable = variable_of(cohort, key)
    if variable.derived is None:
        return variable.column or key
    inputs = variable.derived.inputs
    restates = len(inputs) == 1 and not isinstance(variable.derived, CountOfRows)
    return origin_of(cohort, inputs[0]) if restates else key


def unseen_values(cohort: Cohort, key: str) -> tuple[Finding, ...]:
    """Find values that a derived variable asks for and that its inputs never hold.

    A misspelt "yes" would make everybody a "no" in silence. For a count with stated ``no``, levels
    that are neither are found too: they count as not known. So are inputs that aren't there.
    """
    variable = variable_of(cohort, key)
    derived = variable.derived
    match derived:
        case IsOneOf():
            wanted, names = texts_of(derived.values), derived.inputs
        case CountOf():
            wanted, names = texts_of(derived.yes), derived.inputs
        case Nested():
            wanted, names = texts_of(derived.split), (derived.of,)
        case None:
            return ()
        case _:
            wanted, names = frozenset(), ()
    try:
        _levels_of_variable(cohort, key)
        known = {name: _levels_of_variable(cohort, name) for name in names}
    except StudyError as error:
        return error.findings
    held = {level for levels in known.values() for level in levels.levels}
    found = []
    if absent := sorted(wanted - held):
        found.append(
            Finding(
                FindingCode.LEVEL_UNKNOWN,
                Severity.WARNING,
                f"“{variable.label}” asks for {listed([f'“{name}”' for name in absent])}, which "
                f"{listed([f'“{levels.label}”' for levels in known.values()])} never "
                f"{'holds' if len(known) == 1 else 'hold'}.",
                "Correct the value on the Data page, in the table of variables.",
                table="subjects",
            )
        )
    if isinstance(derived, CountOf) and derived.no:
        neither = held - wanted - texts_of(derived.no)
        present = {level for levels in known.values() for level in levels.values}
        if strange := sorted(level for level in neither & present if level is not None):
            quotes = all(_quotes(cohort, name) for name in names)
            said = listed([f"“{name}”" for name in strange]) if quotes else "some of what they hold"
            found.append(
                Finding(
                    FindingCode.LEVEL_UNKNOWN,
                    Severity.WARNING,
                    f"“{variable.label}”: {said} is neither yes nor no and counts as not known.",
                    "Say on the Data page, in the table of variables, what it means.",
                    table="subjects",
                )
            )
    return tuple(found)


def _edge(cut: float) -> str:
    short = f"{cut:g}"
    return short if float(short) == cut else repr(float(cut))


def cut_levels(cuts: tuple[float, ...]) -> tuple[str, ...]:
    """Name the groups that cut points make: ``<50``, ``50 to <60``, ``≥60``."""
    if not cuts:
        return ()
    edges = [_edge(cut) for cut in sorted(set(cuts))]
    between = [f"{low} to <{high}" for low, high in pairwise(edges)]
    return (f"<{edges[0]}", *between, f"≥{edges[-1]}")


def suggested_cuts(values: np.ndarray, groups: int) -> tuple[float, ...]:
    """Give cut points that make groups of about one size, as round as the spread allows.

    Parameters
    ----------
    values
        Numbers, NaN where not known.
    groups
        2 for the median, 3 for tertiles, 4 for quartiles.

    Returns
    -------
    tuple of float
        Fewer than ``groups - 1`` where values are tied; no group below the first cut is empty.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return ()
    quantiles = np.quantile(known, [part / groups for part in range(1, groups)])
    spread = float(known.max() - known.min())
    if spread <= 0:
        return ()
    decimals = 3 - math.floor(math.log10(spread))
    rounded = {round(float(cut), decimals) for cut in quantiles}
    return tuple(sorted(cut for cut in rounded if known.min() < cut <= known.max()))


def _cut(
    numbers_: Bounds, cuts: tuple[float, ...], named: Callable[[str | None], str | None]
) -> list[str | None]:
    """Give the group of each number; of a range, where all of it falls under one name."""
    edges = np.array(sorted(set(cuts)), dtype=float)
    names = [named(level) for level in cut_levels(cuts)]
    first = np.searchsorted(edges, numbers_.low, side="right")
    last = np.searchsorted(edges, numbers_.high, side="right")
    known = ~(np.isnan(numbers_.low) | np.isnan(numbers_.high))
    return [
        names[low] if is_known and len(set(names[low : high + 1])) == 1 else None
        for low, high, is_known in zip(first, last, known, strict=True)
    ]


def natural_order(level: str) -> tuple[object, ...]:
    """Sort key that puts numbers in numeric order before words ("2" before "10")."""
    try:
        return (0, float(level), level)
    except ValueError:
        return (1, 0.0, level.casefold())


def _slots(variable: Variable, levels: tuple[str, ...]) -> dict[str, int | None]:
    """Give each level its colour: stated, of a first member, or the next free one."""
    slots: dict[str, int | None] = {}
    for level in levels:
        members = (level, *variable.merged.get(level, ()))
        stated = next(
            (variable.colours[name] for name in members if name in variable.colours), None
        )
        if stated is not None:
            slots[level] = stated
    free = iter(slot for slot in range(N_SLOTS) if slot not in slots.values())
    for level in levels:
        if level not in slots:
            slots[level] = next(free, None)
    return {level: slots[level] for level in levels}


def _grouped(cohort: Cohort, grouping: Grouping) -> Levels:
    base = levels_of(cohort, grouping.variable)
    group_of = {level: name for name, parts in grouping.groups.items() for level in parts}
    values = np.empty(len(base.values), dtype=object)
    values[:] = [
        None if level is None else group_of.get(level, grouping.rest) for level in base.values
    ]
    levels = (*grouping.groups, *((grouping.rest,) if grouping.rest else ()))
    slots: dict[str, int | None] = {}
    for name, parts in grouping.groups.items():
        first = base.slots.get(parts[0]) if parts else None
        slots[name] = first if first not in slots.values() else None
    taken = set(slots.values())
    free = iter(slot for slot in range(N_SLOTS) if slot not in taken)
    for level in levels:
        if slots.get(level) is None:
            slots[level] = next(free, None)
    return Levels(grouping.label, levels, values, levels[-1] if levels else None, slots)


class EndRule(StrEnum):
    """A rule that ended a patient's follow-up."""

    NO_CONTACT = "no assessment or contact: censored at the start"
    GAP = "event after too long a gap: censored at the last contact before it"
    NEW_THERAPY = "censored at the next therapy"
    CUTOFF = "censored at the data cut-off"


class LossReason(StrEnum):
    """Why a subject has no time to an event."""

    NO_ROW = "no row for this endpoint"
    TIME_MISSING = "time missing"
    TIME_UNREADABLE = "time not a number"
    TIME_NEGATIVE = "time below zero"
    START_MISSING = "start date missing"
    START_UNREADABLE = "start date unreadable"
    END_MISSING = "no date of event or last contact"
    END_UNREADABLE = "date of event or last contact unreadable"
    EVENT_MISSING = "event status missing"
    EVENT_UNKNOWN = "event status not named in the study file"
    EVENT_DATE_MISSING = "status says an event, but its date is missing"
    EVENT_CONTRADICTED = "date of an event that the status denies"
    ENTRY_MISSING = "entry time missing"
    ENTRY_AFTER_END = "entry not before the end"
    NO_RESPONSE = "no objective response"
    RESPONSE_MISSING = "best overall response not known"


@dataclass(frozen=True, slots=True)
class Loss:
    """Subjects that an endpoint can't use, and why; ``rows`` are spreadsheet rows."""

    reason: LossReason
    subjects: tuple[str, ...]
    rows: tuple[int, ...]
    column: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalData:
    """Times to an event, as estimators take them.

    Attributes
    ----------
    subject
        Study ids, object array (n,).
    position
        Position of each in the cohort's file order, int array (n,).
    time
        Observed times in ``unit``, float array (n,).
    kind
        Kind of the event ("progression"), ``None`` when censored; object array (n,).
    entry
        Times of delayed entry, or ``None``.
    losses
        Who is not in here, and why. ``n + lost == subjects analysed``.
    ended_by
        Which rule ended the follow-up of each, ``None`` for an event or the last contact;
        object array (n,) of :class:`EndRule`. Only of endpoints from dates.
    """

    endpoint: Endpoint
    subject: np.ndarray
    position: np.ndarray
    time: np.ndarray
    kind: np.ndarray
    entry: np.ndarray | None
    losses: tuple[Loss, ...]
    ended_by: np.ndarray | None = None

    @property
    def event(self) -> np.ndarray:
        """Whether the event was seen, boolean array (n,)."""
        seen: np.ndarray = np.not_equal(self.kind, np.array(None, dtype=object)).astype(bool)
        return seen

    @property
    def n(self) -> int:
        """Subjects with a time."""
        return len(self.subject)


def survival_data(cohort: Cohort, code: str) -> SurvivalData:
    """Derive one endpoint for the subjects that are analysed.

    Parameters
    ----------
    cohort
        Tables and definitions.
    code
        Code of the endpoint in the study file.

    Raises
    ------
    StudyError
        When a column isn't there, or a subject has several rows for the endpoint.
    KeyError
        When the study has no such endpoint.
    """
    return cohort.kept(("survival", code), lambda: _derived_survival(cohort, code))


def unreadable_endpoints(cohort: Cohort) -> dict[str, tuple[Finding, ...]]:
    """Give the endpoints whose columns the files lack, with what is wrong, by code."""

    def look() -> dict[str, tuple[Finding, ...]]:
        found = {}
        for code in cohort.study.definitions.endpoints:
            try:
                survival_data(cohort, code)
            except StudyError as error:
                found[code] = tuple(error.findings)
        return found

    return cohort.kept("unreadable endpoints", look)


def endpoints_here(cohort: Cohort) -> dict[str, Endpoint]:
    """Give the endpoints that a person has confirmed and that the files hold, by code."""
    unreadable = unreadable_endpoints(cohort)
    return {
        code: endpoint
        for code, endpoint in cohort.study.definitions.endpoints.items()
        if endpoint.is_confirmed and code not in unreadable
    }


def _derived_survival(cohort: Cohort, code: str) -> SurvivalData:
    endpoint = cohort.study.definitions.endpoints[code]
    table = _table(cohort, endpoint)
    row_of = _rows_by_subject(endpoint, table)
    losses = _Losses(table)
    rows = np.array([row_of.get(subject, -1) for subject in cohort.analysed.tolist()], np.int64)
    for subject in cohort.analysed[rows < 0].tolist():
        losses.add(LossReason.NO_ROW, str(subject), None)
    positions, at = np.flatnonzero(cohort.included)[rows >= 0], rows[rows >= 0]
    subjects = cohort.subjects[positions]
    codes = _codes(cohort, role=endpoint.table)
    if endpoint.from_dates:
        time, kind, why, columns, ended = _from_dates(cohort, endpoint, at, codes)
    else:
        time, kind, why, columns, ended = _from_times(cohort, endpoint, table, at, codes)
    entry = _entry(cohort, endpoint, table, at, codes) if endpoint.entry else None
    if entry is not None:
        known = np.flatnonzero([reason is None for reason in why])
        slack = _ROUNDING * max(1.0, float(np.max(time[known], initial=0.0)))
        for place in known:
            if np.isnan(entry[place]):
                why[place], columns[place] = LossReason.ENTRY_MISSING, endpoint.entry
            elif entry[place] >= time[place] - (slack if entry[place] > 0 else 0):
                why[place], columns[place] = LossReason.ENTRY_AFTER_END, endpoint.entry
    if endpoint.responders:
        _keep_responders(cohort, endpoint, positions, why, columns)
    used = np.array([reason is None for reason in why], dtype=bool)
    event_cells: np.ndarray | None = None
    if endpoint.event and LossReason.EVENT_UNKNOWN in why:
        event_cells = texts(_distinct(table, endpoint.event), codes)[at]
    for i in np.flatnonzero(~used).tolist():
        reason = why[i]
        assert reason is not None
        unknown = reason is LossReason.EVENT_UNKNOWN and event_cells is not None
        losses.add(
            reason, str(subjects[i]), int(at[i]), columns[i],
            event_cells[i] if unknown and event_cells is not None else None,
        )  # fmt: skip
    found = SurvivalData(
        endpoint, subjects[used], positions[used], time[used], kind[used],
        None if entry is None else entry[used], losses.done(),
        None if ended is None else ended[used],
    )  # fmt: skip
    for shared in (
        found.subject, found.position, found.time, found.kind, found.entry, found.ended_by,
    ):  # fmt: skip
        if shared is not None:
            shared.setflags(write=False)
    return found


def _keep_responders(
    cohort: Cohort,
    endpoint: Endpoint,
    positions: np.ndarray,
    why: list[LossReason | None],
    columns: list[str | None],
) -> None:
    """Lose who has no objective response, whatever else is wrong: they are no part of it."""
    response = _response_of(cohort, endpoint)
    best = levels_of(cohort, response.variable).values[positions].tolist()
    good = set(response.responders)
    for i, level in enumerate(best):
        if level not in good:
            why[i] = LossReason.RESPONSE_MISSING if level is None else LossReason.NO_RESPONSE
            columns[i] = None


def _response_of(cohort: Cohort, endpoint: Endpoint) -> ResponseDefinition:
    response = cohort.study.definitions.response
    if response is None:
        raise StudyError(
            Finding(
                FindingCode.STUDY_FILE_INVALID,
                Severity.ERROR,
                f"“{endpoint.label}” is of patients with a response, but how the best overall "
                "response is recorded isn't defined.",
                "Define the response on the Data page, or let the endpoint be of all patients.",
            )
        )
    return response


def _first_response(
    cohort: Cohort, endpoint: Endpoint, subjects: np.ndarray, since: np.ndarray
) -> np.ndarray:
    """Give the day of the first response in the assessments from a day on, NaT for none."""
    levels = _response_of(cohort, endpoint).responders
    good = [*levels, *(f"i{level}" for level in levels)]  # iRECIST writes iPR for PR
    seen = assessments_of(cohort)
    place = {str(subject): at for at, subject in enumerate(cohort.subjects.tolist())}
    at = np.array([place[str(subject)] for subject in subjects.tolist()], dtype=np.int64)
    bound = np.full(len(cohort.subjects), _NAT)
    bound[at] = since
    counts = np.isin(seen.overall.astype(str), good) & ~np.isnat(seen.date)
    counts &= seen.date >= bound[seen.position]
    first = np.full(len(cohort.subjects), np.iinfo(np.int64).max)
    np.minimum.at(first, seen.position[counts], seen.date[counts].astype(np.int64))
    found = np.full(len(cohort.subjects), _NAT)
    known = first < np.iinfo(np.int64).max
    found[known] = first[known].astype("datetime64[D]")
    days: np.ndarray = found[at]
    return days


class _Losses:
    """Collects who is lost, by reason and column."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._found: dict[
            tuple[LossReason, str | None], tuple[list[str], list[int], dict[str, None]]
        ] = {}

    def add(
        self,
        reason: LossReason,
        subject: str,
        row: int | None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        subjects, rows, values = self._found.setdefault((reason, column), ([], [], {}))
        subjects.append(subject)
        if row is not None:
            rows.append(int(self._table.rows[row]))
        if value is not None:
            values[value] = None

    def done(self) -> tuple[Loss, ...]:
        return tuple(
            Loss(reason, tuple(subjects), tuple(rows), column, tuple(values))
            for (reason, column), (subjects, rows, values) in self._found.items()
        )


def _table(cohort: Cohort, defined: Endpoint | Variable) -> Table:
    if defined.table not in cohort.tables:
        raise StudyError(_table_missing(cohort, defined.label, defined.table))
    return cohort.tables[defined.table]


def _table_missing(cohort: Cohort, label: str, role: str) -> Finding:
    """Say that the table of an endpoint or variable isn't there, or why it can't be used."""
    return cohort.why_absent(role) or Finding(
        FindingCode.TABLE_MISSING,
        Severity.ERROR,
        f"“{label}” is in the table “{role}”, which isn't there.",
        "Name its sheet under data.tables in the study file, or choose it on the Data page.",
        table=role,
    )


def _rows_by_subject(defined: Endpoint | Variable, table: Table) -> dict[str, int]:
    mask, _ = rows_matching(table.frame, defined.rows, file=table.file, sheet=table.sheet)
    rows = np.flatnonzero(mask)
    repeated = pd.Series(table.subject[rows]).duplicated(keep=False).to_numpy()
    if repeated.any():
        raise StudyError(several_rows(defined, table, rows[repeated]))
    return dict(zip(map(str, table.subject[rows].tolist()), rows.tolist(), strict=True))


def several_rows(defined: Endpoint | Variable, table: Table, rows: np.ndarray) -> Finding:
    """Say that patients have several rows for one endpoint or variable."""
    return Finding(
        FindingCode.SUBJECT_REPEATED,
        Severity.ERROR,
        f"“{defined.label}” has several rows for {len(set(table.subject[rows]))} patients.",
        "Choose a row filter (for instance PARAMCD) for it on the Data page.",
        file=table.file,
        sheet=table.sheet,
        rows=tuple(int(row) for row in table.rows[rows]),
        count=len(rows),
        table=table.role,
    )


def _text_set(values: tuple[Scalar, ...]) -> set[str]:
    return {text for text in map(text_of, values) if text is not None}


def _event_kinds(
    endpoint: Endpoint, table: Table, at: np.ndarray, codes: frozenset[str]
) -> tuple[np.ndarray, list[LossReason | None]]:
    """Read the status column: kind of event or ``None``, and why a row can't be used."""
    kind_of = {text: kind for kind, values in endpoint.events.items() for text in _text_set(values)}
    censored = _text_set(endpoint.censored)
    named = frozenset(code for code in codes if code not in {*kind_of, *censored})
    assert endpoint.event is not None
    status = texts(_distinct(table, endpoint.event), named)[at]
    kind = np.empty(len(at), dtype=object)
    why: list[LossReason | None] = []
    for i, text in enumerate(status):
        kind[i] = kind_of.get(text) if text is not None else None
        if text is None:
            why.append(LossReason.EVENT_MISSING)
        elif text in kind_of or text in censored:
            why.append(None)
        else:
            why.append(LossReason.EVENT_UNKNOWN)
    return kind, why


_Derived = tuple[
    np.ndarray, np.ndarray, list[LossReason | None], list[str | None], np.ndarray | None
]


def _from_times(
    cohort: Cohort, endpoint: Endpoint, table: Table, at: np.ndarray, codes: frozenset[str]
) -> _Derived:
    assert endpoint.time is not None
    read = numbers(
        _column(table, endpoint.time),
        decimal=_marks(cohort, endpoint.table, endpoint.time),
        codes=codes,
    )
    time = read.values[at]
    why: list[LossReason | None]
    if endpoint.event:
        kind, why = _event_kinds(endpoint, table, at, codes)
    else:  # no status column: everyone had the event, which the study file states by its absence
        kind, why = np.full(len(at), "event", dtype=object), [None] * len(at)
    columns: list[str | None] = [endpoint.event if reason else None for reason in why]
    for i, row in enumerate(at):
        if read.unreadable[row]:
            why[i], columns[i] = LossReason.TIME_UNREADABLE, endpoint.time
        elif read.missing[row]:
            why[i], columns[i] = LossReason.TIME_MISSING, endpoint.time
        elif time[i] < 0:
            why[i], columns[i] = LossReason.TIME_NEGATIVE, endpoint.time
    return time, kind, why, columns, None


def _from_dates(
    cohort: Cohort, endpoint: Endpoint, at: np.ndarray, codes: frozenset[str]
) -> _Derived:
    """Derive whole days from dates: end minus start.

    A status beside event dates can't be overruled in silence: an event without its date, and a
    date that the status denies, are losses. Where the status is missing, the dates speak.

    The rules of follow-up come in this order: no contact, longest gap, next therapy, data cut-off;
    each acts on what the one before it left.
    """
    table, role = cohort.tables[endpoint.table], endpoint.table
    assert endpoint.start is not None
    n = len(at)
    why: list[LossReason | None] = [None] * n
    columns: list[str | None] = [None] * n
    free = np.ones(n, dtype=bool)

    def lose(mask: np.ndarray, reason: LossReason, column: str | None) -> None:
        for i in np.flatnonzero(mask & free):
            why[i], columns[i], free[i] = reason, column, False

    def days(name: str) -> np.ndarray:
        read = table_dates(cohort, role, name)
        unreadable[name] = read.unreadable[at]
        values: np.ndarray = read.values[at]
        return values

    unreadable: dict[str, np.ndarray] = {}
    start = days(endpoint.start)
    by_kind = {kind: days(name) for kind, name in endpoint.event_dates.items()}
    contacts = [days(name) for name in endpoint.last_contact]
    if endpoint.assessed:
        contacts = [_last_assessed(cohort, table.subject[at], start)]
    contact = latest_date(contacts, n)
    _keep_in_order(cohort, endpoint, at, start, by_kind, contact)
    began = start
    if endpoint.first_response:
        start = _first_response(cohort, endpoint, table.subject[at], began)
    happened, first = earliest_date(by_kind, n)
    occurred = ~np.isnat(happened)
    end, kind = np.where(occurred, happened, contact), first
    if endpoint.event:
        status, verdict = _event_kinds(endpoint, table, at, codes)
        unknown = np.array([reason is LossReason.EVENT_UNKNOWN for reason in verdict], dtype=bool)
        missing = np.array([reason is LossReason.EVENT_MISSING for reason in verdict], dtype=bool)
        says_event = np.array([name is not None for name in status], dtype=bool)
        says_none = ~(unknown | missing | says_event)
        lose(unknown, LossReason.EVENT_UNKNOWN, endpoint.event)
        if not endpoint.event_dates:  # one end date, its meaning in the status
            lose(missing, LossReason.EVENT_MISSING, endpoint.event)
            end, kind = contact, status
        else:
            with np.errstate(invalid="ignore"):
                earlier = says_none & occurred & (contact < happened)
            dated = ", ".join(endpoint.event_dates.values())
            lose(says_event & ~occurred, LossReason.EVENT_DATE_MISSING, dated)
            lose(says_none & occurred & ~earlier, LossReason.EVENT_CONTRADICTED, endpoint.event)
            end = np.where(earlier, contact, end)
            kind[earlier] = None
    lose(unreadable[endpoint.start], LossReason.START_UNREADABLE, endpoint.start)
    lose(np.isnat(began), LossReason.START_MISSING, endpoint.start)
    lose(np.isnat(start), LossReason.NO_RESPONSE, None)
    for name in (*endpoint.event_dates.values(), *endpoint.last_contact):
        lose(unreadable[name], LossReason.END_UNREADABLE, name)
    ended = np.full(n, None, dtype=object)

    def stop(mask: np.ndarray, at_dates: np.ndarray | np.datetime64, rule: EndRule) -> None:
        nonlocal end
        end = np.where(mask, at_dates, end)
        kind[mask] = None
        ended[mask] = rule

    if endpoint.no_contact == "start" and not (endpoint.event and not endpoint.event_dates):
        stop(np.isnat(end) & free, start, EndRule.NO_CONTACT)
    lose(np.isnat(end), LossReason.END_MISSING, ", ".join(endpoint.last_contact) or None)
    if endpoint.longest_gap_days is not None:
        before = latest_date([np.where(seen < end, seen, _NAT) for seen in contacts], n)
        if endpoint.assessed:  # of every patient all assessments are known, not the last alone
            before = _last_assessed(cohort, table.subject[at], start, end)
            contact = before
        # seen on the day of the event: when before that is not known, and the event stays
        same_day = np.isnat(before) & ~np.isnat(contact)
        before = np.where(np.isnat(before) | (before < start), start, before)
        before = np.where(same_day, end, before)
        seen_event = np.array([name is not None for name in kind], dtype=bool)
        gap = (end - before).astype("timedelta64[D]") > np.timedelta64(
            endpoint.longest_gap_days, "D"
        )
        stop(seen_event & gap, before, EndRule.GAP)
    if endpoint.new_therapy is not None and endpoint.at_new_therapy != "ignore":
        therapy = days(endpoint.new_therapy)
        lose(unreadable[endpoint.new_therapy], LossReason.END_UNREADABLE, endpoint.new_therapy)
        earlier = therapy < end
        if endpoint.at_new_therapy == "censor":
            stop(earlier, therapy, EndRule.NEW_THERAPY)
        else:
            end = np.where(earlier, therapy, end)
            kind[earlier], ended[earlier] = NEW_THERAPY, None
    cutoff = cutoff_date(cohort) if endpoint.cutoff else None
    if cutoff is not None:
        stop(end > cutoff, cutoff, EndRule.CUTOFF)
    spent = (end - start).astype("timedelta64[D]")
    time = np.where(np.isnat(spent), np.nan, spent.astype(float)) + endpoint.add_one_day
    with np.errstate(invalid="ignore"):
        lose(time < 0, LossReason.TIME_NEGATIVE, endpoint.start)
    return time, kind, why, columns, ended


def _last_assessed(
    cohort: Cohort, subjects: np.ndarray, start: np.ndarray, before: np.ndarray | None = None
) -> np.ndarray:
    """Give the last evaluable assessment from the start on, of each row; before a day if given."""
    place = {str(subject): at for at, subject in enumerate(cohort.subjects.tolist())}
    at = np.array([place[str(subject)] for subject in subjects.tolist()], dtype=np.int64)
    since = np.full(len(cohort.subjects), _NAT)
    since[at] = start
    bound = None
    if before is not None:
        bound = np.full(len(cohort.subjects), _NAT)
        bound[at] = before
    found: np.ndarray = last_evaluable(
        assessments_of(cohort), bound, since=since, same_day=False
    )[at]  # fmt: skip
    return found


def _keep_in_order(
    cohort: Cohort,
    endpoint: Endpoint,
    at: np.ndarray,
    start: np.ndarray,
    by_kind: dict[str, np.ndarray],
    contact: np.ndarray,
) -> None:
    """Move dates that a rule filled in to the nearest day that goes with the known ones.

    A death is not before the last contact, no other event after it or after the death, none before
    the start, and no start after an event or the last contact. Arrays are changed in place where a
    date was filled in.
    """
    role = endpoint.table

    def filled(name: str) -> np.ndarray:
        read = table_dates(cohort, role, name)
        by_rule: np.ndarray = read.incomplete[at] & ~read.unreadable[at]
        return by_rule

    death = by_kind.get("death")
    for kind, column in endpoint.event_dates.items():
        moved = filled(column)
        if not moved.any():
            continue
        own = by_kind[kind] = by_kind[kind].copy()
        if kind == "death":
            late = moved & (own < contact)
            own[late] = contact[late]
        else:
            limit = contact if death is None else np.where(np.isnat(death), contact, death)
            late = moved & (own > limit)
            own[late] = limit[late]
        early = moved & (own < start)
        own[early] = start[early]
    assert endpoint.start is not None
    moved = filled(endpoint.start)
    if moved.any():
        ends = np.column_stack([contact, *by_kind.values()])
        first = np.array(
            [min(known) if len(known := row[~np.isnat(row)]) else _NAT for row in ends]
        )
        late = moved & (start > first)
        start[late] = first[late]


def earliest_date(dates_by_kind: Mapping[str, np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the earliest date of each row and its kind; the first named kind wins a tie."""
    date, kind = np.full(n, np.datetime64("NaT", "D")), np.empty(n, dtype=object)
    for name, values in dates_by_kind.items():
        sooner = ~np.isnat(values) & (np.isnat(date) | (values < date))
        date[sooner] = values[sooner]
        kind[sooner] = name
    return date, kind


def latest_date(columns: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Give the latest known date of each row."""
    date = np.full(n, np.datetime64("NaT", "D"))
    for values in columns:
        later = ~np.isnat(values) & (np.isnat(date) | (values > date))
        date[later] = values[later]
    return date


def _entry(
    cohort: Cohort, endpoint: Endpoint, table: Table, at: np.ndarray, codes: frozenset[str]
) -> np.ndarray:
    assert endpoint.entry is not None
    if not endpoint.from_dates:
        marks = _marks(cohort, endpoint.table, endpoint.entry)
        cells = _column(table, endpoint.entry)
        entries: np.ndarray = numbers(cells, decimal=marks, codes=codes).values[at]
        return entries
    assert endpoint.start is not None
    entered = table_dates(cohort, endpoint.table, endpoint.entry).values[at]
    started = table_dates(cohort, endpoint.table, endpoint.start).values[at]
    if endpoint.first_response:
        started = _first_response(cohort, endpoint, table.subject[at], started)
    days = (entered - started).astype("timedelta64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(float))


_FILLED = {
    "first": "the first day of the month or year",
    "middle": "the 15th of the month, 1 July of the year",
    "last": "the last day of the month or year",
}


def rule_sentences(
    cohort: Cohort,
    code: str,
    endpoint: Endpoint,
    data: SurvivalData,
    landmark: FromLandmark | None = None,
) -> tuple[str, ...]:
    """Say which rules of follow-up are in force for an endpoint from dates, and whom they touched.

    Parameters
    ----------
    cohort
        Whose study says how incomplete dates are read.
    code, endpoint, data
        The endpoint, and its times.
    landmark
        From which the times count, if from any.
    """
    of_whom: tuple[str, ...] = ()
    if endpoint.responders:
        levels = " or ".join(_response_of(cohort, endpoint).responders)
        of_whom = (f"Only patients with {levels} as best overall response count.",)
    if not endpoint.from_dates:
        return of_whom
    counts: dict[EndRule, int] = {}
    if data.ended_by is not None:
        for rule in data.ended_by.tolist():
            if rule is not None:
                counts[rule] = counts.get(rule, 0) + 1

    def members(condition: Condition) -> Members:
        return Members((condition,), population=cohort.population or None)

    def counted_as(text: str, n: int, condition: Condition) -> CountedText:
        return CountedText.of(f"{text} (", Count(f"n = {n}", members(condition)), ")")

    def ended(text: str, rule: EndRule) -> CountedText:
        return counted_as(text, counts.get(rule, 0), EndedByRule(code, rule.value, landmark))

    said: list[str] = []
    if endpoint.first_response:
        levels = " or ".join(_response_of(cohort, endpoint).responders)
        said.append(f"time starts at the first assessment with {levels}")
    if endpoint.assessed:
        said.append("patients without an event are censored at their last evaluable assessment")
    if endpoint.no_contact == "start":
        said.append(
            ended(
                "patients without an event and without a last contact are censored at the start",
                EndRule.NO_CONTACT,
            )
        )
    if endpoint.longest_gap_days is not None:
        said.append(
            ended(
                f"an event more than {endpoint.longest_gap_days} days after the last contact "
                "before it is censored there",
                EndRule.GAP,
            )
        )
    if endpoint.new_therapy is not None and endpoint.at_new_therapy == "censor":
        said.append(ended("follow-up is censored at the next therapy", EndRule.NEW_THERAPY))
    elif endpoint.new_therapy is not None and endpoint.at_new_therapy == "event":
        n = int((data.kind == NEW_THERAPY).sum())
        therapy = HasTime(code, "event", event_kind=NEW_THERAPY, landmark=landmark)
        said.append(counted_as("the next therapy is an event", n, therapy))
    if counts.get(EndRule.CUTOFF):
        said.append(ended("what came after the data cut-off is censored at it", EndRule.CUTOFF))
    rule = _incomplete_rule(cohort)
    filled = int((dates_filled(cohort, endpoint) & cohort.included).sum())
    if filled and rule in _FILLED:
        said.append(
            CountedText.of(
                f"incomplete dates are read as {_FILLED[rule]}, but never out of order with the "
                "known ones (",
                Count(f"patients: {filled}", members(EndedByRule(code, None))),
                ")",
            )
        )
    if not said:
        return of_whom
    rules = CountedText.of("Rules of follow-up: ", CountedText.joined(said, "; "), ".")
    return (*of_whom, rules)


def dates_filled(cohort: Cohort, endpoint: Endpoint) -> np.ndarray:
    """Find the patients of whom a date of an endpoint from dates was filled in.

    Returns
    -------
    ndarray
        Boolean array over the patients of the file.
    """
    assert endpoint.start is not None
    partial = [
        table_dates(cohort, endpoint.table, name).incomplete
        for name in (endpoint.start, *endpoint.event_dates.values(), *endpoint.last_contact)
    ]
    filled = cohort.tables[endpoint.table].subject[np.logical_or.reduce(partial)]
    wanted = set(filled.tolist())
    return np.array([subject in wanted for subject in cohort.subjects.tolist()], dtype=bool)


def cutoff_date(cohort: Cohort) -> np.datetime64 | None:
    """Give the data cut-off: the study's date, else the latest date in its cut-off column."""
    definitions = cohort.study.definitions
    if definitions.cutoff:
        return np.datetime64(dt.date.fromisoformat(definitions.cutoff), "D")
    if definitions.cutoff_column:
        values = table_dates(cohort, "subjects", definitions.cutoff_column).values
        known = values[~np.isnat(values)]
        return known.max() if len(known) else None
    return None


def is_categorical(variable: Variable) -> bool:
    """Whether a variable has levels."""
    return variable.kind in (VariableKind.CATEGORICAL, VariableKind.ORDERED)


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """A column at a glance: rows, known cells, and its values in a few words."""

    n: int
    n_known: int
    text: str


MAX_SUMMARY_VALUES = 6


def column_summary(cohort: Cohort, name: str, *, show_values: bool = True) -> ColumnSummary:
    """Summarise a column of the patient table for confirmation.

    Parameters
    ----------
    cohort
        All patients in the file count, whatever the criteria.
    name
        Column as the file names it.
    show_values
        Whether values may be shown; not for identifiers and free text.
    """
    table = cohort.tables["subjects"]
    codes = _codes(cohort)
    format_ = _source(cohort, "subjects").columns.get(name)
    how = ("summary", name, format_.date_order if format_ else None, codes, show_values)
    found: ColumnSummary | None = table.read.get(how)
    if found is None:
        found = table.read[how] = _summarised(cohort, name, codes, show_values)
    return found


def _summarised(
    cohort: Cohort, name: str, codes: frozenset[str], show_values: bool
) -> ColumnSummary:
    table = cohort.tables["subjects"]
    counts = counts_of(texts(_distinct(table, name), codes))
    n_known = sum(counts.values())
    if not show_values:
        return ColumnSummary(len(table.frame), n_known, "(not shown)")
    if len(counts) <= MAX_SUMMARY_VALUES:
        ordered = sorted(counts, key=natural_order)
        text = ", ".join(f"{value} ({counts[value]})" for value in ordered)
        return ColumnSummary(len(table.frame), n_known, text)
    read = numbers(_distinct(table, name), decimal=_marks(cohort, "subjects", name), codes=codes)
    days = table_dates(cohort, "subjects", name)
    if not read.unreadable.any():
        values = read.values[np.isfinite(read.values)]
        text = f"{values.min():g} to {values.max():g}, median {np.median(values):g}"
    elif not days.unreadable.any():
        when = days.values[~np.isnat(days.values)]
        text = f"{when.min()} to {when.max()}"
    else:
        least = sorted(counts.values(), reverse=True)[MAX_SUMMARY_VALUES - 1]
        frequent = sorted(
            (value for value, n in counts.items() if n >= least),
            key=lambda value: (-counts[value], natural_order(value)),
        )
        shown = ", ".join(f"{value} ({counts[value]})" for value in frequent[:MAX_SUMMARY_VALUES])
        text = f"{len(counts)} values: {shown} ..."
    return ColumnSummary(len(table.frame), n_known, text)


def counts_of(levels: np.ndarray) -> dict[str, int]:
    """Count each text of an object array in the order of appearance; ``None`` is left out."""
    place, different = pd.factorize(levels)
    counts = np.bincount(place[place >= 0], minlength=len(different))
    return dict(zip(different.tolist(), counts.tolist(), strict=True))


def variable_summary(cohort: Cohort, key: str) -> ColumnSummary:
    """Summarise a variable by the levels that its patients have."""
    counts = counts_of(levels_of(cohort, key).values)
    text = ", ".join(f"{level} ({counts[level]})" for level in sorted(counts, key=natural_order))
    return ColumnSummary(len(cohort.subjects), sum(counts.values()), text)


def status_counts(cohort: Cohort, endpoint: Endpoint) -> dict[str, int]:
    """Count the values of an endpoint's status column over its rows; "" counts the unknown ones."""
    if endpoint.event is None:
        return {}
    how = ("status", repr(endpoint))
    return dict(cohort.kept(how, lambda: _counted_status(cohort, endpoint)))


def _counted_status(cohort: Cohort, endpoint: Endpoint) -> dict[str, int]:
    assert endpoint.event is not None
    table = _table(cohort, endpoint)
    mask, _ = rows_matching(table.frame, endpoint.rows, file=table.file, sheet=table.sheet)
    named = _text_set(endpoint.censored).union(*map(_text_set, endpoint.events.values()))
    codes = frozenset(code for code in _codes(cohort, role=endpoint.table) if code not in named)
    status = texts(_column(table, endpoint.event)[mask], codes)
    status[status == None] = ""  # noqa: E711  cell by cell
    return counts_of(status)


def time_range(cohort: Cohort, endpoint: Endpoint) -> tuple[float, float] | None:
    """Give median and largest value of an endpoint's time column; ``None`` without a number."""
    if endpoint.time is None:
        return None
    return cohort.kept(("time range", repr(endpoint)), lambda: _found_range(cohort, endpoint))


def _found_range(cohort: Cohort, endpoint: Endpoint) -> tuple[float, float] | None:
    assert endpoint.time is not None
    table = _table(cohort, endpoint)
    mask, _ = rows_matching(table.frame, endpoint.rows, file=table.file, sheet=table.sheet)
    read = numbers(
        _column(table, endpoint.time)[mask],
        decimal=_marks(cohort, endpoint.table, endpoint.time),
        codes=_codes(cohort, role=endpoint.table),
    )
    known = read.values[np.isfinite(read.values)]
    return (float(np.median(known)), float(known.max())) if len(known) else None


def ambiguous_dates(cohort: Cohort, role: str, column: str) -> str | None:
    """Give an example of a date column that can be read in two orders; ``None`` when it can't."""
    how = ("ambiguous dates", role, column)
    return cohort.kept(how, lambda: _ambiguous_example(cohort, role, column))


def _ambiguous_example(cohort: Cohort, role: str, column: str) -> str | None:
    cells = _column(cohort.tables[role], column)
    codes = _codes(cohort, role=role)
    if len(date_orders(cells, codes)) < 2:
        return None
    return next((text for text in texts(cells, codes) if text is not None), "")
