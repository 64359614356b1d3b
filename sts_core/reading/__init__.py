"""Files in, tables out: the only code that reads what a user uploads."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import PurePath, PureWindowsPath

from sts_core.findings import Finding, Severity, StudyError, worst_first
from sts_core.reading import content, messages
from sts_core.reading.child import ReadGrid, read_here, read_in_child
from sts_core.reading.content import EXTENSIONS, LABELS, FileKind, extension
from sts_core.reading.limits import DEFAULT_LIMITS, Limits
from sts_core.reading.progress import Progress
from sts_core.reading.refusal import Reason, Refusal
from sts_core.reading.tabulation import Tabulated, tabulate
from sts_core.reading.template import without_examples
from sts_core.reading.workbook import RawTable, Workbook

__all__ = ["DEFAULT_LIMITS", "Limits", "RawTable", "Workbook", "read_bytes"]


def read_bytes(
    name: str,
    data: bytes,
    limits: Limits | None = None,
    *,
    progress: Progress | None = None,
    own: bool = False,
) -> Workbook:
    """Read an uploaded file, in memory, in a process of its own.

    Parameters
    ----------
    name
        Name of the file; a directory in it is dropped.
    data
        All its bytes.
    limits
        Bounds; by default those of the environment (``STS_MAX_UPLOAD_MB``, ``STS_MAX_ROWS`` ...).
    progress
        Told how far it has come; its cancel ends the reading.
    own
        Whether the file is the app's own and nobody's upload: it is then read in this process.

    Returns
    -------
    Workbook
        At least one table with at least one row.

    Raises
    ------
    StudyError
        If the file can't be read, holds no table, or exceeds a limit; each finding says what to
        do.
    Cancelled
        If that was asked for.
    TookTooLong
        If the time that ``progress`` allows this process is over.
    """
    limits = Limits.from_environment() if limits is None else limits
    file = PurePath(PureWindowsPath(name).name).name or "file"
    try:
        if len(data) > limits.max_upload_mb * 1_000_000:
            raise Refusal(Reason.BYTES, count=round(len(data) / 1e6, 1), limit=limits.max_upload_mb)
        kind = content.recognise(file, data, limits)
        preferred = "\t" if extension(file) in ("tsv", "tab") else ","
        grids = (
            read_here(kind, data, limits, preferred=preferred)
            if own
            else read_in_child(kind, data, limits, preferred=preferred, progress=progress)
        )
    except Refusal as refusal:
        raise StudyError(messages.refused(file, refusal)) from None
    progress = Progress() if progress is None else progress
    with progress.own_work():
        read = [tabulate(file, grid, progress) for grid in grids]
    tables = tuple(result.table for result in read if result.table is not None)
    if not tables:
        raise StudyError(_why_no_table(file, read))
    tables, examples = without_examples(file, tables)
    if examples and all(finding.severity is not Severity.NOTE for finding in examples):
        raise StudyError(replace(finding, severity=Severity.ERROR) for finding in examples)
    findings = [*examples, *_file_findings(file, kind, grids), *_sheet_findings(read)]
    facts = grids[0].facts if kind is FileKind.TEXT else {}
    return Workbook(
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
        sheets=tables,
        findings=worst_first(findings),
        format=LABELS[kind],
        encoding=facts.get("encoding"),
        delimiter=facts.get("delimiter"),
    )


def _why_no_table(file: str, read: list[Tabulated]) -> list[Finding]:
    """Sheets that have something come before those that are empty."""
    findings = [finding for result in read for finding in result.findings]
    empty = messages.sheet_empty(file, None, Severity.ERROR)
    return [finding for finding in findings if finding.code is not empty.code] or [empty]


def _sheet_findings(read: list[Tabulated]) -> list[Finding]:
    """Gather the findings of every sheet; one that gave no table is no error when another did."""
    findings: list[Finding] = []
    for result in read:
        if result.table is not None:
            findings.extend(result.findings)
            continue
        for finding in result.findings:
            if finding.code is messages.sheet_empty(finding.file or "", None, Severity.ERROR).code:
                continue
            findings.append(replace(finding, severity=Severity.WARNING))
    return findings


def _file_findings(file: str, kind: FileKind, grids: list[ReadGrid]) -> list[Finding]:
    findings: list[Finding] = []
    expected = EXTENSIONS.get(extension(file))
    if expected is not kind and not (expected is None and kind is FileKind.TEXT):
        findings.append(messages.read_as(file, LABELS[kind]))
    if kind is not FileKind.TEXT:
        return findings
    grid = grids[0]
    encoding = str(grid.facts.get("encoding", ""))
    if grid.facts.get("encoding_assumed"):
        rival = str(grid.facts.get("encoding_rival", ""))
        findings.append(messages.encoding_assumed(file, encoding, rival))
    n_damaged = int(grid.facts.get("n_damaged", 0))
    if n_damaged:
        findings.append(messages.text_damaged(file, encoding, n_damaged))
    long_records = [int(row) for row in grid.facts.get("long_records", [])]
    if long_records:
        findings.append(messages.long_records(file, long_records))
    if len(grid.values) == 1:
        findings.append(messages.single_column(file))
    return findings
