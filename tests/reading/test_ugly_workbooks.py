"""Known patients, written as badly as people write: right, asked or refused, never wrong."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass, field
from typing import Any

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading import RawTable, Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.values import date_of, dates, is_missing, numbers, text_of

NAMES = ("Patient ID", "Sex", "Age", "Tumour size", "OS", "OS status", "Date of first dose")
UNITS = (None, None, "years", "cm", "months", None, None)
TIME = 4
MISSING = (None, "NA", ".", "unknown", "#N/A", "未知")


@dataclass
class Ugly:
    """A table as written, and where its patients stand."""

    data: bytes
    name: str
    truth: list[list[Any]]
    rows: list[int] = field(default_factory=list)
    repeated: bool = False


def fullwidth(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def patient(draw: Any, number: int) -> list[Any]:
    known = draw(st.booleans())
    return [
        f"P{number:03d}",
        draw(st.sampled_from("MF")),
        draw(st.integers(18, 95)),
        draw(st.integers(5, 200)) / 10 if known else None,
        draw(st.integers(1, 1200)) / 10,
        draw(st.sampled_from(["Dead", "Alive"])),
        dt.date(2018, 1, 1) + dt.timedelta(days=draw(st.integers(0, 1500))),
    ]


def written(cell: Any, form: str, *, comma: bool, missing: Any) -> Any:
    if cell is None:
        return missing
    if isinstance(cell, dt.date):
        return {
            "date": dt.datetime(cell.year, cell.month, cell.day),
            "iso": cell.isoformat(),
            "chinese": f"{cell.year}年{cell.month}月{cell.day}日",
            "dmy": f"{cell.day}/{cell.month}/{cell.year}",
            "named": f"{cell.day:02d}-{cell:%b}-{cell.year}",
        }[form]
    if comma and isinstance(cell, float):
        return f"{cell:.1f}".replace(".", ",")
    return cell


@st.composite
def ugly_tables(draw: Any) -> Ugly:
    truth = [patient(draw, number) for number in range(1, draw(st.integers(4, 9)) + 1)]
    choose = st.sampled_from
    as_text = draw(st.booleans())
    form = draw(choose(["date", "iso", "chinese", "dmy", "named"]))
    if as_text and form == "date":
        form = "iso"
    comma, missing = draw(st.booleans()), draw(choose(MISSING))
    spelling = draw(choose([str, str.upper, str.lower, fullwidth, lambda text: f"  {text} "]))
    units, folded = draw(st.booleans()), draw(st.booleans())
    grid: list[list[Any]] = []
    if draw(st.booleans()):
        grid.append(["Sarcoma registry"])
    if draw(st.booleans()):
        grid.append(["# exported 2022-01-05"])
    grid += [[]] * draw(st.integers(0, 2))
    names = [
        f"{name} ({unit})" if unit and not units else name
        for name, unit in zip(NAMES, UNITS, strict=True)
    ]
    header = [spelling(name) for name in names]
    merged = None
    if folded and not as_text:
        # "Outcome" over the last three names
        grid.append([None, None, None, None, "Outcome", None, None])
        merged = len(grid)
    grid.append(header)
    if units:
        grid.append(list(UNITS))
    rows = []
    for number, person in enumerate(truth):
        if number and draw(st.integers(0, 9)) == 0:
            grid.append(draw(choose([[], header])))
        grid.append([written(cell, form, comma=comma, missing=missing) for cell in person])
        rows.append(len(grid))
    repeated = draw(st.integers(0, 4)) == 0
    if repeated:
        again = draw(st.integers(0, len(truth) - 1))
        grid.append(list(grid[rows[again] - 1]))
        rows.append(len(grid))
        truth = [*truth, truth[again]]
    if draw(st.booleans()):
        grid.append(["Total", None, sum(person[2] for person in truth)])
    if draw(st.booleans()):
        grid += [[], ["Note: last follow-up in 2022"]]
    if as_text:
        text = "\r\n".join(
            ";".join("" if cell is None else str(cell) for cell in row) for row in grid
        )
        data = text.encode(draw(choose(["utf-8", "utf-8-sig", "utf-16"])))
        return Ugly(data, "ugly.csv", truth, rows, repeated)
    below, right = draw(st.integers(0, 3)), draw(st.integers(0, 2))
    book = openpyxl.Workbook()
    for number, line in enumerate(grid, start=1 + below):
        for place, cell in enumerate(line, start=1 + right):
            if cell is not None:
                book.active.cell(number, place, cell)
    if merged is not None:
        book.active.merge_cells(
            start_row=merged + below, end_row=merged + below,
            start_column=5 + right, end_column=7 + right,
        )  # fmt: skip
    stream = io.BytesIO()
    book.save(stream)
    return Ugly(stream.getvalue(), "ugly.xlsx", truth, [row + below for row in rows], repeated)


def same(cell: Any, true: Any, *, comma: bool) -> bool:
    if true is None:
        return is_missing(text_of(cell))
    if isinstance(true, dt.date):
        return true in (date_of(cell), date_of(cell, "dmy"))
    if isinstance(true, int | float):
        text = str(cell).replace(",", ".") if comma else str(cell)
        return float(text) == true
    return text_of(cell) == true


def named_rows(book: Workbook) -> set[int]:
    return {row for finding in book.findings for row in finding.rows}


def one_table(book: Workbook) -> RawTable:
    (table,) = book.sheets
    return table


@given(ugly_tables())
def test_reader_gives_every_patient_in_its_row_or_names_the_row(ugly: Ugly) -> None:
    book = read_bytes(ugly.name, ugly.data)
    table = one_table(book)
    assert len(table.frame.columns) == len(NAMES)
    read = dict(zip(table.row_numbers.tolist(), table.frame.to_numpy().tolist(), strict=True))
    said = named_rows(book)
    for row, true in zip(ugly.rows, ugly.truth, strict=True):
        right = row in read and all(
            same(cell, value, comma=table.decimal_comma)
            for cell, value in zip(read[row], true, strict=True)
        )
        assert right or row in said, f"row {row} of {ugly.name}"
    surplus = set(read) - set(ugly.rows)
    assert surplus <= said, f"rows {surplus} were taken for patients"


@given(ugly_tables())
def test_recognition_counts_patients_right_or_asks(ugly: Ugly) -> None:
    book = read_bytes(ugly.name, ugly.data)
    proposal = propose_study([book])
    asked = {question.kind for question in proposal.questions}
    source = proposal.study.data.tables["subjects"]
    refusals: tuple[Finding, ...] = ()
    try:
        cohort = assemble(proposal.study, [book])
    except StudyError as error:
        refusals = error.findings
    if refusals:
        assert ugly.repeated
        codes = {FindingCode.SUBJECT_REPEATED, FindingCode.ROWS_NOT_PATIENTS}
        assert {finding.code for finding in refusals} <= codes
        assert all(finding.rows for finding in refusals)
        return
    ids = {true[0] for true in ugly.truth}
    assert source.subject_id is not None
    if ugly.repeated:
        assert asked & {QuestionKind.ROWS, QuestionKind.SUBJECT_ID} or any(
            finding.code in (FindingCode.SUBJECT_REPEATED, FindingCode.ROWS_NOT_PATIENTS)
            for finding in (*proposal.findings, *cohort.findings)
        )
        return
    assert set(cohort.source_ids.values()) == ids
    table = cohort.tables["subjects"]
    names = list(one_table(book).frame.columns)
    formats = source.columns
    for name, place in ((names[3], 3), (names[TIME], TIME)):
        style = formats.get(name)
        read = numbers(table.frame[name], decimal=style.decimal if style else ".")
        for value, true in zip(read.values.tolist(), ugly.truth, strict=True):
            assert value == true[place] if true[place] is not None else value != value
    style = formats.get(names[6])
    days = dates(table.frame[names[6]], order=style.date_order if style else None)
    if not days.unreadable.any() and QuestionKind.DATE_ORDER not in asked:
        assert days.values.tolist() == [true[6] for true in ugly.truth]
    for endpoint in proposal.study.definitions.endpoints.values():
        if endpoint.time == names[TIME]:
            assert endpoint.unit == "months" or QuestionKind.TIME_UNIT in asked
