"""What was recognised, as text for a terminal: no value of a single patient stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sts_core.checks import check_cohort
from sts_core.display import counted
from sts_core.findings import Finding, StudyError, worst_first
from sts_core.reading.assembly import assemble
from sts_core.reading.linkage import RULES, Join
from sts_core.reading.proposal import ColumnEvidence, Proposal, QuestionKind
from sts_core.reading.workbook import Workbook
from sts_core.study.file import dump_study
from sts_core.study.types import TableSource

_MAX_COUNTS = 8
_WIDTH = 30


def inspection_text(workbooks: Sequence[Workbook], proposal: Proposal) -> str:
    """Say what was recognised, what must be confirmed, what was found, and the study file.

    Parameters
    ----------
    workbooks
        Files as read.
    proposal
        What was recognised in them.

    Returns
    -------
    str
        Plain text. Levels and their counts are shown; ids, free text and single dates are not.
    """
    found, joins = _assembled(workbooks, proposal)
    parts = [
        _section("Files", _files(workbooks)),
        _section("Tables", _tables(proposal, joins)),
        _section("Columns", _columns(proposal.evidence.values())),
        _section("To confirm", _questions(proposal)),
        _section("Findings", _findings(found)),
        _section("Proposed study file", dump_study(proposal.study).splitlines()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, lines: Iterable[str]) -> str:
    body = list(lines)
    return "\n".join([title, "=" * len(title), *body]) if body else ""


def _files(workbooks: Sequence[Workbook]) -> Iterable[str]:
    for book in workbooks:
        facts = [book.format, book.encoding or ""]
        yield f"{book.file} ({', '.join(fact for fact in facts if fact)})"
        for sheet in book.sheets:
            name = f"  {sheet.sheet}: " if sheet.sheet else "  "
            hidden = ", hidden" if sheet.hidden else ""
            yield f"{name}{len(sheet.frame)} rows, {len(sheet.frame.columns)} columns{hidden}"


def _tables(proposal: Proposal, joins: Mapping[str, Join]) -> Iterable[str]:
    """Say what each sheet is taken for, why, and how its rows belong to patients."""
    sources = proposal.study.data.tables
    named = set()
    for item in proposal.tables:
        place = " · ".join(part for part in (item.file, item.sheet) if part)
        roles = [
            role
            for role, source in sources.items()
            if (source.file, source.sheet) == (item.file, item.sheet)
        ]
        named.update(roles)
        size = f"{counted(item.n_rows, 'row')}, {counted(item.n_columns, 'column')}"
        if not roles:
            yield f"not used: {place}, {size}"
        for role in roles:
            yield f"{role}: {place}, {_whose(role, sources[role])}; {size}"
            yield from _joined(joins.get(role))
        yield f"    {item.reason}"
        if item.n_ids:
            most = f", at most {counted(item.rows_per_id, 'row')} each"
            yield f"    {counted(item.n_ids, 'different id')} in “{item.subject_id}”{most}"
    for role, source in sources.items():
        if role not in named:
            yield f"{role}: {source.file}, {_whose(role, source)}"


def _whose(role: str, source: TableSource) -> str:
    if source.subject_id is not None:
        who = f"patient id “{source.subject_id}”"
    else:
        who = "each row is a patient" if role == "subjects" else "no patient id"
    if source.id_with:
        who += f" with {', '.join(f'“{name}”' for name in source.id_with)}"
    if source.patient_column is not None:
        who += f", found in “{source.patient_column}” of the patients"
    rows = "; ".join(
        f"{column} = {', '.join(map(str, values))}" for column, values in source.rows.items()
    )
    take = f", of a patient's rows: {source.take.value}" if source.take is not None else ""
    return f"{who}{take}" + (f", rows with {rows}" if rows else "")


def _joined(join: Join | None) -> Iterable[str]:
    if join is None:
        return
    yield (
        f"    {join.n_rows_matched} of {counted(join.n_rows, 'row')} and {join.n_ids_matched} of "
        f"{counted(join.n_ids, 'id')} belong to patients ({RULES[join.rule]})"
    )
    yield (
        f"    {join.n_subjects_without_row} of {counted(join.n_subjects, 'patient')} without a "
        f"row, which means not known; {join.n_subjects_several} with several"
    )
    if join.other is not None:
        yield (
            f"    {join.other.n_matched} of {counted(join.other.n_ids, 'id')} in "
            f"“{join.other.column}” are found in "
            f"“{join.other.patient_column or 'the patient id'}” of the patients"
        )
    if join.better is not None:
        yield f"    {counted(join.n_better, 'more id')} would match when {RULES[join.better]}"


def _columns(evidence: Iterable[ColumnEvidence]) -> Iterable[str]:
    rows = [
        (
            item.column if item.table == "subjects" else f"{item.table}.{item.column}",
            item.role.value,
            f"{item.n - item.n_missing} of {item.n}",
            _values(item),
            item.reason,
        )
        for item in evidence
    ]
    widths = [min(_WIDTH, max((len(row[place]) for row in rows), default=0)) for place in range(3)]
    for *cells, values, reason in rows:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"{padded}  {values}"
        yield f"    {reason}"


def _values(item: ColumnEvidence) -> str:
    """Give levels with counts, the range of a number, or the years of a date."""
    if item.kind == "empty":
        return "empty"
    if item.kind == "date":
        years = sorted({str(end)[:4] for end in (item.low, item.high) if end is not None})
        orders = [order for order in item.orders if order != "ymd"]
        order = f", written {' or '.join(orders)}" if orders else ""
        return f"dates {' to '.join(years)}{order}" if years else "dates"
    if item.kind == "numeric" and item.low is not None and item.n_distinct > _MAX_COUNTS:
        return f"numbers {item.low:g} to {item.high:g}" if item.high is not None else "numbers"
    if not item.counts:
        return f"{item.n_distinct} different values"
    shown = ", ".join(f"{text} ({count})" for text, count in item.counts[:_MAX_COUNTS])
    rest = item.n_distinct - _MAX_COUNTS
    return f"{shown} and {rest} more" if rest > 0 else shown


def _questions(proposal: Proposal) -> Iterable[str]:
    for number, question in enumerate(proposal.questions, start=1):
        yield f"{number}. {question.text}"
        if question.counts:
            yield "   Counts: " + ", ".join(
                f"{text} ({count})" for text, count in question.counts[:_MAX_COUNTS]
            )
        if question.reason:
            yield f"   {question.reason}"
        yield f"   Proposed: {question.guess}" if question.guess else "   No proposal."
        # the options of a date column quote a date of a patient
        if question.options and question.kind is not QuestionKind.DATE_ORDER:
            yield f"   One of: {', '.join(question.options)}"
        yield f"   In the study file: {question.path}"


def _assembled(
    workbooks: Sequence[Workbook], proposal: Proposal
) -> tuple[tuple[Finding, ...], Mapping[str, Join]]:
    """Gather what reading, recognition and the rules found, and how tables were joined.

    An ERROR of assembly is a finding too; there are no joins then.
    """
    found = [finding for book in workbooks for finding in book.findings]
    found += proposal.findings
    joins: Mapping[str, Join] = {}
    if "subjects" in proposal.study.data.tables:
        try:
            cohort = assemble(proposal.study, workbooks)
            joins = cohort.joins
            found += check_cohort(cohort)
        except StudyError as error:
            found += error.findings
    return worst_first(dict.fromkeys(found)), joins


def _findings(findings: Iterable[Finding]) -> Iterable[str]:
    for finding in findings:
        yield f"{finding.severity.value}: {finding}"
