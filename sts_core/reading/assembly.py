"""From files as read to a cohort: tables by role, patients by id, losses by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort, FlowDiagram, Table
from sts_core.findings import Finding, FindingCode, Severity, StudyError, listed
from sts_core.reading.workbook import RawTable, Workbook
from sts_core.study.types import Scalar, Study, TableSource
from sts_core.values import missing_codes, text_of, texts


def assemble(study: Study, workbooks: Sequence[Workbook]) -> Cohort:
    """Build the cohort that a study file describes.

    Parameters
    ----------
    study
        Says which sheet is which table and which column holds the patient's id.
    workbooks
        Files as read. With one file, its name need not agree with the study file's.

    Returns
    -------
    Cohort
        All patients of the subjects table, before criteria.

    Raises
    ------
    StudyError
        When a table or an id column isn't there, or a patient has several rows.
    """
    sources = study.data.tables
    if "subjects" not in sources:
        raise StudyError(
            Finding(
                FindingCode.TABLE_MISSING,
                Severity.ERROR,
                "The study names no table of patients.",
                "On the Data page, choose the sheet that has one row per patient.",
            )
        )
    findings: list[Finding] = [finding for book in workbooks for finding in book.findings]
    raw = find_table(workbooks, sources["subjects"], "subjects")
    frame, rows, filter_findings = filter_rows(raw, sources["subjects"])
    findings += filter_findings
    ids, kept, id_findings = _subject_ids(raw, frame, rows, sources["subjects"])
    findings += id_findings
    frame, rows = frame[kept].reset_index(drop=True), rows[kept]
    width = max(3, len(str(len(frame))))
    subjects = np.array([f"S{number:0{width}d}" for number in range(1, len(frame) + 1)], object)
    known = dict(zip(ids, subjects, strict=True))
    tables = {"subjects": Table("subjects", raw.file, raw.sheet, frame, subjects, rows)}
    for role, source in sources.items():
        if role != "subjects":
            table, role_findings = _linked_table(workbooks, role, source, known)
            findings += role_findings
            if table is not None:
                tables[role] = table
    return Cohort(
        study=study,
        tables=tables,
        subjects=subjects,
        included=np.ones(len(subjects), dtype=bool),
        flow=FlowDiagram(len(subjects)),
        source_ids={subject: source for source, subject in known.items()},
        findings=tuple(findings),
        data_hash=hashlib.sha256(
            "".join(sorted(book.sha256 for book in workbooks)).encode()
        ).hexdigest(),
    )


def find_table(workbooks: Sequence[Workbook], source: TableSource, role: str) -> RawTable:
    """Find the sheet that a source names.

    Raises
    ------
    StudyError
        When no file has it; the message lists what there is.
    """
    books = [book for book in workbooks if source.file in (None, book.file)]
    if not books and len(workbooks) == 1:
        books = list(workbooks)  # the next data cut comes under another file name
    sheets = [sheet for book in books for sheet in book.sheets]
    if source.sheet is not None:
        named = [sheet for sheet in sheets if sheet.sheet == source.sheet]
        only_one = len(sheets) == 1 and sheets[0].sheet is None
        sheets = named or (sheets if only_one else [])
    if sheets:
        return sheets[0]
    have = [f"“{sheet.sheet or book.file}”" for book in workbooks for sheet in book.sheets]
    wanted = f"sheet “{source.sheet}”" if source.sheet else f"file “{source.file}”"
    raise StudyError(
        Finding(
            FindingCode.TABLE_MISSING,
            Severity.ERROR,
            f"The table “{role}” should be in {wanted}, which isn't there.",
            f"There is: {listed(have)}. Choose the table on the Data page, or add the file.",
            file=source.file,
            table=role,
        )
    )


def filter_rows(
    raw: RawTable, source: TableSource
) -> tuple[pd.DataFrame, np.ndarray, list[Finding]]:
    """Keep the rows that belong to the table, by its row filters."""
    mask, findings = rows_matching(raw.frame, source.rows, file=raw.file, sheet=raw.sheet)
    frame = raw.frame[mask].reset_index(drop=True)
    return frame, np.asarray(raw.row_numbers)[mask], findings


def rows_matching(
    frame: pd.DataFrame,
    wanted: Mapping[str, Iterable[Scalar]],
    *,
    file: str | None,
    sheet: str | None,
) -> tuple[np.ndarray, list[Finding]]:
    """Say which rows hold one of the wanted values in every named column.

    Raises
    ------
    StudyError
        When a named column isn't there.
    """
    mask = np.ones(len(frame), dtype=bool)
    for column, values in wanted.items():
        if column not in frame.columns:
            raise StudyError(column_missing(column, frame.columns, file=file, sheet=sheet))
        accepted = {text_of(value) for value in values}
        cells = texts(frame[column], frozenset())  # a level may be called "NA" (Namibia)
        mask &= np.array([text in accepted for text in cells], dtype=bool)
    if wanted and len(frame) and not mask.any():
        condition = "; ".join(f"{key} = {listed([*values])}" for key, values in wanted.items())
        return mask, [
            Finding(
                FindingCode.ROW_FILTER_EMPTY,
                Severity.WARNING,
                f"No row has {condition}.",
                "Choose other values for the row filter on the Data page.",
                file=file,
                sheet=sheet,
            )
        ]
    return mask, []


def column_missing(
    column: str, columns: Iterable[object], *, file: str | None, sheet: str | None
) -> Finding:
    """Say that a column isn't in its table, and name those that look alike."""
    import difflib

    names = [str(name) for name in columns]
    close = difflib.get_close_matches(column, names, n=3)
    hint = f"Did you mean {listed([f'“{name}”' for name in close])}? " if close else ""
    return Finding(
        FindingCode.COLUMN_MISSING,
        Severity.ERROR,
        f"There is no column “{column}”.",
        f"{hint}Map it on the Data page, or correct the file.",
        file=file,
        sheet=sheet,
        column=column,
    )


def _subject_ids(
    raw: RawTable, frame: pd.DataFrame, rows: np.ndarray, source: TableSource
) -> tuple[list[str], np.ndarray, list[Finding]]:
    """Give the source ids of the rows that are patients, and which rows these are."""
    everyone = np.ones(len(frame), dtype=bool)
    if source.subject_id is None:
        return [f"row {row}" for row in rows], everyone, []
    if source.subject_id not in frame.columns:
        raise StudyError(
            column_missing(source.subject_id, frame.columns, file=raw.file, sheet=raw.sheet)
        )
    ids = texts(frame[source.subject_id], missing_codes(source.missing_codes))
    known = np.array([value is not None for value in ids], dtype=bool)
    findings = []
    if not known.all():
        findings.append(
            Finding(
                FindingCode.SUBJECT_MISSING,
                Severity.WARNING,
                f"{int((~known).sum())} rows have no patient id and are left out.",
                "Fill in the id, or delete the rows if they belong to nobody.",
                file=raw.file,
                sheet=raw.sheet,
                column=source.subject_id,
                rows=tuple(int(row) for row in rows[~known]),
                count=int((~known).sum()),
                table="subjects",
            )
        )
    repeated = pd.Series(ids[known]).duplicated(keep=False).to_numpy()
    if repeated.any():
        again = rows[known][repeated]
        raise StudyError(
            Finding(
                FindingCode.SUBJECT_REPEATED,
                Severity.ERROR,
                f"{_have(len(set(ids[known][repeated])))} more than one row ({len(again)} rows).",
                "Rows of visits or parameters aren't patients: choose another sheet or a row "
                "filter, or delete the rows that were entered twice.",
                file=raw.file,
                sheet=raw.sheet,
                column=source.subject_id,
                rows=tuple(int(row) for row in again),
                count=len(again),
                table="subjects",
            )
        )
    return list(ids[known]), known, findings


def _have(n: int) -> str:
    return "1 patient has" if n == 1 else f"{n} patients have"


def _linked_table(
    workbooks: Sequence[Workbook], role: str, source: TableSource, known: Mapping[str, str]
) -> tuple[Table | None, list[Finding]]:
    """Read a table with any number of rows a patient; rows of nobody are left out and reported.

    A table of which no row belongs to a patient is not there: it says nothing about these patients.
    """
    raw = find_table(workbooks, source, role)
    frame, rows, findings = filter_rows(raw, source)
    if source.subject_id is None or source.subject_id not in frame.columns:
        raise StudyError(
            column_missing(
                source.subject_id or "patient id", frame.columns, file=raw.file, sheet=raw.sheet
            )
        )
    ids = texts(frame[source.subject_id], missing_codes(source.missing_codes))
    subject = np.array([known.get(value) if value else None for value in ids], dtype=object)
    matched = np.array([value is not None for value in subject], dtype=bool)
    if len(rows) and not matched.any():
        findings.append(
            Finding(
                FindingCode.SUBJECT_UNMATCHED,
                Severity.ERROR,
                f"None of the {len(rows)} rows of “{raw.sheet or raw.file}” belongs to a patient "
                "of the patient table: it is not used.",
                "Choose the patient id of both tables on the Data page; the ids must be spelled "
                "alike.",
                file=raw.file,
                sheet=raw.sheet,
                column=source.subject_id,
                count=len(rows),
                table=role,
            )
        )
        return None, findings
    if not matched.all():
        lost = rows[~matched]
        findings.append(
            Finding(
                FindingCode.SUBJECT_UNMATCHED,
                Severity.WARNING,
                f"{len(lost)} rows of “{raw.sheet or raw.file}” belong to no patient of the "
                "patient table and are left out.",
                "Check the spelling of the ids in both tables.",
                file=raw.file,
                sheet=raw.sheet,
                column=source.subject_id,
                rows=tuple(int(row) for row in lost),
                count=len(lost),
                table=role,
            )
        )
    table = Table(
        role, raw.file, raw.sheet, frame[matched].reset_index(drop=True),
        subject[matched], rows[matched],
    )  # fmt: skip
    return table, findings
