"""The query list: what was found, cell by cell, as a data manager works through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sts_core.cohort import Cohort, Table
from sts_core.display import Column, DisplayTable, Format
from sts_core.findings import Finding, FindingCode, Severity, worst_first
from sts_core.values import text_of

WITHHELD = "(not shown)"


@dataclass(frozen=True, slots=True)
class Query:
    """One question to those who keep the data.

    Attributes
    ----------
    severity, rule
        How much it matters: an error can't be true, a warning is probably wrong, a note is worth a
        look; and which rule found it.
    file, sheet, column
        Where, by the names that the user's file uses.
    row
        Spreadsheet row; ``None`` when the whole column or table is meant.
    subject
        Study id of the patient, where the row belongs to one.
    value
        What the cell holds; ``None`` when no single cell is meant. Of the patient id it is not
        given.
    message, suggestion
        What is wrong, and what to do.
    """

    severity: Severity
    rule: FindingCode
    file: str | None
    sheet: str | None
    column: str | None
    row: int | None
    subject: str | None
    value: str | None
    message: str
    suggestion: str


def queries(
    cohort: Cohort, findings: Sequence[Finding], *, limit: int | None = None
) -> tuple[Query, ...]:
    """Give one query for each row of each finding, worst first.

    Parameters
    ----------
    cohort
        Whose tables hold the cells; columns that the privacy gate left out are not among them.
    findings
        What was found.
    limit
        How many queries are given at most; ``None`` for all.
    """
    at: dict[str, dict[int, int]] = {}
    found: list[Query] = []
    for finding in worst_first(findings):
        table = _table_of(cohort, finding)
        if table is not None and table.role not in at:
            at[table.role] = {int(row): number for number, row in enumerate(table.rows)}
        rows = at[table.role] if table is not None else {}
        for row in finding.rows or (None,):
            if len(found) == limit:
                return tuple(found)
            number = rows.get(row) if row is not None else None
            found.append(
                Query(
                    finding.severity,
                    finding.code,
                    finding.file,
                    finding.sheet,
                    finding.column,
                    row,
                    None if table is None or number is None else str(table.subject[number]),
                    None if table is None or number is None
                    else _value(cohort, table, finding.column, number),
                    finding.message,
                    finding.hint,
                )
            )  # fmt: skip
    return tuple(found)


def _table_of(cohort: Cohort, finding: Finding) -> Table | None:
    """Give the table in which a finding is; several may come from one sheet."""
    place = (str(finding.file), finding.sheet)
    here = [table for table in cohort.tables.values() if (table.file, table.sheet) == place]
    own = [table for table in here if table.role == finding.table]
    return next(iter(own or here), None)


def _value(cohort: Cohort, table: Table, column: str | None, number: int) -> str | None:
    if column is None or column not in table.frame.columns:
        return None
    source = cohort.study.data.tables.get(table.role)
    if source is not None and column == source.subject_id:
        return WITHHELD
    return text_of(table.column(column).iloc[number]) or ""


def query_table(found: Sequence[Query]) -> DisplayTable:
    """Give the list as a table, for a workbook; it holds values of patients."""
    columns = (
        Column("severity", "Severity"),
        Column("sheet", "Sheet"),
        Column("row", "Row", Format.INTEGER),
        Column("subject", "Patient"),
        Column("column", "Column"),
        Column("value", "Value"),
        Column("message", "What is wrong"),
        Column("suggestion", "Suggestion"),
        Column("rule", "Rule"),
    )
    rows = tuple(
        {
            "severity": query.severity.value,
            "sheet": query.sheet or query.file,
            "row": query.row,
            "subject": query.subject,
            "column": query.column,
            "value": query.value,
            "message": query.message,
            "suggestion": query.suggestion,
            "rule": query.rule.value,
        }
        for query in found
    )
    return DisplayTable(
        "Queries",
        columns,
        rows,
        ("This file holds values of patients. Patients are numbered in the order of the file.",),
    )
