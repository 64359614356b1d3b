"""The next data cut: what differs from the data on which the choices were made."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, Protocol, TypeVar

import numpy as np

from sts_core.cohort import Cohort, Table
from sts_core.derive import counts_of, date_columns_of, is_categorical, levels_of, raw_levels
from sts_core.findings import Finding, FindingCode, Severity, StudyError, listed
from sts_core.reading.assembly import needed_columns
from sts_core.study.types import Seen, Study, TableSource, Variable, VariableKind
from sts_core.values import date_orders, missing_codes, numbers

_T = TypeVar("_T")
_ALIKE = 0.75
#: A median of fewer would say too much of one patient.
FEWEST_FOR_SIZE = 10
#: Months in place of weeks are a factor of 4.3; within one unit a median hardly moves so far.
UNIT_FACTOR = 4.0

Order = Literal["ymd", "dmy", "mdy", "any"]
_WRITTEN: dict[Order, str] = {
    "ymd": "in a way that reads one way only (2021-05-03)",
    "dmy": "as day/month/year",
    "mdy": "as month/day/year",
    "any": "so that day and month can be told in two ways",
}


def remembering(cohort: Cohort) -> Study:
    """Give the study with the size, columns, units and levels of its tables.

    No value of a patient is in it: of numbers a rounded median of at least ten patients, of levels
    their number, and the names of those that nobody has.

    Parameters
    ----------
    cohort
        All patients of the file count, whatever the criteria.
    """
    study = cohort.study
    tables = {
        role: replace(source, seen=_seen(cohort, cohort.tables[role]))
        if role in cohort.tables
        else source
        for role, source in study.data.tables.items()
    }
    return replace(study, data=replace(study.data, tables=tables))


def _seen(cohort: Cohort, table: Table) -> Seen:
    return cohort.kept(("seen", table.role), lambda: _look(cohort, table))


def _look(cohort: Cohort, table: Table) -> Seen:
    source = cohort.study.data.tables.get(table.role, TableSource())
    sizes = {name: _size(table, source, name) for name in _number_columns(cohort, table)}
    orders = {name: _order(table, source, name) for name in date_columns_of(cohort, table)}
    levels: dict[str, int] = {}
    absent: dict[str, tuple[str, ...]] = {}
    for key, variable in _groups(cohort, table):
        present = _present(cohort, key)
        if present is None:
            continue
        levels[key] = len(present)
        there = present | _before_merging(cohort, key, variable)
        gone = tuple(level for level in _stated(variable) if level not in there)
        if gone:
            absent[key] = gone
    return Seen(
        rows=len(table.frame),
        patients=len(set(map(str, table.subject.tolist()))),
        columns=tuple(map(str, table.frame.columns)),
        sizes={name: size for name, size in sizes.items() if size is not None},
        orders={name: order for name, order in orders.items() if order is not None},
        levels=levels,
        absent=absent,
    )


def _size(table: Table, source: TableSource, name: str) -> float | None:
    """Give the median of a column in two significant digits."""
    format_ = source.columns.get(name)
    marks, codes = format_.marks if format_ else ".", missing_codes(source.missing_codes)
    return _once(table, ("size", name, marks, codes), lambda: _median(table, name, marks, codes))


def _once(table: Table, what: Hashable, make: Callable[[], _T]) -> _T:
    """Give what was found in a table before: its cells never change, other choices do."""
    if what not in table.read:
        table.read[what] = make()
    found: _T = table.read[what]
    return found


def _median(table: Table, name: str, marks: str, codes: frozenset[str]) -> float | None:
    read = numbers(table.column(name), decimal=marks, codes=codes)
    known = np.isfinite(read.values)
    if len(set(table.subject[known].tolist())) < FEWEST_FOR_SIZE:
        return None
    return float(f"{float(np.median(read.values[known])):.2g}")


def _order(table: Table, source: TableSource, name: str) -> Order | None:
    codes = missing_codes(source.missing_codes)
    found = _once(table, ("orders", name, codes), lambda: date_orders(table.column(name), codes))
    if not found:
        return None
    return "any" if len(found) > 1 else found[0]


def _number_columns(cohort: Cohort, table: Table) -> Iterator[str]:
    definitions = cohort.study.definitions
    named: list[str | None] = [
        endpoint.time
        for endpoint in definitions.endpoints.values()
        if endpoint.table == table.role and not endpoint.rows
    ]
    named += [
        variable.column or key
        for key, variable in definitions.variables.items()
        if variable.kind is VariableKind.NUMERIC and variable.table == table.role
        and variable.derived is None and not variable.rows
    ]  # fmt: skip
    visits = definitions.assessments
    if visits is not None and visits.table == table.role:
        named += visits.size_columns
    yield from (name for name in dict.fromkeys(named) if name in table.frame.columns and name)


def _groups(cohort: Cohort, table: Table) -> Iterator[tuple[str, Variable]]:
    for key, variable in cohort.study.definitions.variables.items():
        own = variable.table == table.role and variable.derived is None and not variable.cuts
        if own and is_categorical(variable):
            yield key, variable


def _stated(variable: Variable) -> tuple[str, ...]:
    """Give the levels that the study states, merged ones and their parts among them."""
    parts = [part for names in variable.merged.values() for part in names]
    return tuple(dict.fromkeys((*variable.levels, *variable.merged, *parts)))


def _before_merging(cohort: Cohort, key: str, variable: Variable) -> frozenset[str]:
    """Give the levels that somebody has, as they are before some are merged."""
    if not variable.merged:
        return frozenset()
    return frozenset(
        variable.codes.get(text, text) for text in raw_levels(cohort, key) if text is not None
    )


def _present(cohort: Cohort, key: str) -> frozenset[str] | None:
    try:
        return frozenset(name for name, n in counts_of(levels_of(cohort, key).values).items() if n)
    except StudyError:
        return None  # its column isn't there, which is said


def data_changes(cohort: Cohort) -> tuple[Finding, ...]:
    """Say how tables differ from those of the day on which the choices were kept.

    Parameters
    ----------
    cohort
        The new data under the former choices.

    Returns
    -------
    tuple of Finding
        Columns that are gone (a warning where the study rests on them) or new, numbers of rows and
        patients, numbers that look like another unit, dates that are written in another order,
        levels that are new or gone; nothing where the study file never saw data, or where they are
        the same.
    """
    found: list[Finding] = []
    for role, source in cohort.study.data.tables.items():
        table = cohort.tables.get(role)
        if source.seen is not None and table is not None:
            found += _changes(cohort, table, source.seen)
    return tuple(found)


def _changes(cohort: Cohort, table: Table, then: Seen) -> Iterator[Finding]:
    now = _seen(cohort, table)

    def finding(severity: Severity, message: str, hint: str, column: str | None = None) -> Finding:
        return Finding(
            FindingCode.DATA_CHANGED, severity, message, hint, file=table.file, sheet=table.sheet,
            column=column, table=table.role,
        )  # fmt: skip

    if (now.rows, now.patients) != (then.rows, then.patients):
        patients = (
            f"{now.patients} patients (then {then.patients})"
            if now.patients != then.patients
            else f"{now.patients} patients as then"
        )
        rows = "" if table.role == "subjects" and now.rows == now.patients else (
            f", {now.rows} rows (then {then.rows})"
        )  # fmt: skip
        yield finding(
            Severity.NOTE,
            f"Since the choices were kept, the data have changed: {patients}{rows}.",
            "Compare with the former data cut below, if you have it.",
        )
    gone = [name for name in then.columns if name not in now.columns]
    new = [name for name in now.columns if name not in then.columns]
    needed = needed_columns(cohort.study, table.role) | {
        variable.column or key
        for key, variable in cohort.study.definitions.variables.items()
        if variable.table == table.role and variable.derived is None
    }
    for name in gone:
        alike = difflib.get_close_matches(name, new, n=1, cutoff=_ALIKE)
        used = name in needed
        hint = f"It may now be called “{alike[0]}”. " if alike else ""
        yield finding(
            Severity.WARNING if used else Severity.NOTE,
            f"The column “{name}” is no longer there"
            + ("; the study rests on it." if used else "."),
            f"{hint}Choose another column for it on the Data page, or correct the file."
            if used
            else f"{hint}Nothing to do: nothing rests on it.",
            name,
        )
    if new:
        yield finding(
            Severity.NOTE,
            f"{'A new column' if len(new) == 1 else f'{len(new)} new columns'}: "
            f"{listed([f'“{name}”' for name in new])}.",
            "Add it as a variable on the Data page if the analysis needs it.",
            new[0] if len(new) == 1 else None,
        )
    for name, before in then.sizes.items():
        after = now.sizes.get(name)
        if after is None or before <= 0 or after <= 0:
            continue
        if not 1 / UNIT_FACTOR < after / before < UNIT_FACTOR:
            yield finding(
                Severity.WARNING,
                f"“{name}” is now around {after:g} (then around {before:g}): its unit may have "
                "changed.",
                "Check the unit on the Data page; no number was converted.",
                name,
            )
    for name, written in then.orders.items():
        other = now.orders.get(name)
        if other is not None and other != written:
            confirmed = "any" in (other, written)
            yield finding(
                Severity.NOTE if confirmed and other != "any" else Severity.WARNING,
                f"The dates of “{name}” are now written {_WRITTEN[other]}; then they were written "
                f"{_WRITTEN[written]}.",
                "Check on the Data page how they are read.",
                name,
            )
    yield from _level_changes(cohort, table, then, finding)


class _Say(Protocol):
    def __call__(
        self, severity: Severity, message: str, hint: str, column: str | None = None
    ) -> Finding: ...


def _level_changes(cohort: Cohort, table: Table, then: Seen, say: _Say) -> Iterator[Finding]:
    """Name the levels of variables that are new or gone, or say that there are more or fewer."""
    for key, variable in _groups(cohort, table):
        before, present = then.levels.get(key), _present(cohort, key)
        if before is None or present is None:
            continue
        stated, absent = _stated(variable), then.absent.get(key, ())
        column = variable.column or key
        quotes = cohort.quotes(table.role, column)
        there = present | _before_merging(cohort, key, variable)
        new = [level for level in absent if level in there]
        if variable.levels:
            new = [*(level for level in sorted(present) if level not in stated), *new]
        elif len(present) != before:
            yield say(
                Severity.NOTE,
                f"“{variable.label}” has {len(present)} levels (then {before}).",
                "Look at its levels on the Data page.",
                column,
            )
        gone = [level for level in stated if level not in there and level not in absent]
        if new:
            noun = "A new level" if len(new) == 1 else f"{len(new)} new levels"
            yield say(
                Severity.WARNING,
                f"{noun} of “{variable.label}”{_quoted(new) if quotes else ''}.",
                "Correct the spelling, or give it its place or merge it on the Data page.",
                column,
            )
        if gone:
            noun = "a level" if len(gone) == 1 else f"{len(gone)} levels"
            yield say(
                Severity.NOTE,
                f"No patient has {noun} of “{variable.label}” any more"
                f"{_quoted(gone) if quotes else ''}.",
                "Look whether it is spelled in another way now.",
                column,
            )


def _quoted(names: Sequence[str]) -> str:
    return f": {listed([f'“{name}”' for name in names])}"
