"""The next data cut: what differs from the data on which the choices were made."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace

from sts_core.cohort import Cohort, Table
from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.assembly import needed_columns
from sts_core.study.types import Seen, Study

_ALIKE = 0.75


def remembering(cohort: Cohort) -> Study:
    """Give the study with the size and the columns of its tables; no value of a patient is in it.

    Parameters
    ----------
    cohort
        All patients of the file count, whatever the criteria.
    """
    study = cohort.study
    tables = {
        role: replace(source, seen=_seen(cohort.tables[role])) if role in cohort.tables else source
        for role, source in study.data.tables.items()
    }
    return replace(study, data=replace(study.data, tables=tables))


def _seen(table: Table) -> Seen:
    return Seen(
        rows=len(table.frame),
        patients=len(set(map(str, table.subject.tolist()))),
        columns=tuple(map(str, table.frame.columns)),
    )


def data_changes(cohort: Cohort) -> tuple[Finding, ...]:
    """Say how tables differ from those of the day on which the choices were kept.

    Parameters
    ----------
    cohort
        The new data under the former choices.

    Returns
    -------
    tuple of Finding
        Columns that are gone (a warning where the study rests on them) or new, and the numbers of
        rows and patients; nothing where the study file never saw data, or where they are the same.
    """
    found: list[Finding] = []
    for role, source in cohort.study.data.tables.items():
        table = cohort.tables.get(role)
        if source.seen is not None and table is not None:
            found += _changes(cohort, table, source.seen)
    return tuple(found)


def _changes(cohort: Cohort, table: Table, then: Seen) -> Iterator[Finding]:
    now = _seen(table)

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
