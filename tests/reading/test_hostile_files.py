"""Files that harm by intent or accident: read right, or refused with a message, and in bounds."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable

import openpyxl
import pytest
import xlsxwriter

from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading import Limits, Workbook, read_bytes

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the system sets no memory limit")
SMALL = Limits(memory_mb=400, deadline_seconds=20)
ROWS: list[list[object]] = [["id", "age", "os"], ["a", 50, 3.5], ["b", 61, 4.5]]
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def saved(rows: list[list[object]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows or ROWS:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def changed(data: bytes, **parts: bytes | None) -> bytes:
    """Give a workbook with other parts; in their names ``__`` is a slash, ``_`` a dot."""
    new = {name.replace("__", "/").replace("_", "."): part for name, part in parts.items()}
    source = zipfile.ZipFile(io.BytesIO(data))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name not in new:
                target.writestr(name, source.read(name))
        for name, part in new.items():
            if part is not None:
                target.writestr(name, part)
    return stream.getvalue()


def sheet_of(cells: bytes) -> bytes:
    return f"<worksheet {MAIN}><sheetData>".encode() + cells + b"</sheetData></worksheet>"


def refused(name: str, data: bytes, limits: Limits = SMALL) -> Finding:
    with pytest.raises(StudyError) as caught:
        read_bytes(name, data, limits)
    (finding,) = caught.value.findings
    assert len(finding.message) > 15
    assert len(finding.hint) > 15
    assert finding.file == name
    return finding


def cells(book: Workbook) -> list[list[object]]:
    return book.sheets[0].frame.to_numpy().tolist()


BOMB = b"<v>1</v>" * 12_000_000


@pytest.mark.parametrize("part", ["xl__sharedStrings_xml", "xl__worksheets__sheet1_xml"])
def test_bomb_in_a_part_is_refused_before_it_is_unpacked(part: str) -> None:
    data = changed(saved(), **{part: BOMB})
    assert len(data) < 1_000_000
    assert refused("a.xlsx", data).code is FindingCode.FILE_EXPANDS_TOO_MUCH


def test_nested_archive_is_never_opened() -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
    data = changed(saved(), xl__media__inner_zip=inner.getvalue())
    assert cells(read_bytes("a.xlsx", data, SMALL)) == [["a", 50, 3.5], ["b", 61, 4.5]]
    only_zip = changed(inner.getvalue(), inner_zip=inner.getvalue(), zeros=None)
    assert refused("a.zip", only_zip).code is FindingCode.FILE_WRONG_TYPE


@LINUX
def test_shared_text_that_grows_within_the_ratio_meets_the_memory_limit() -> None:
    # Honest sizes, packed less than the ratio allows; entries are unlike each other.
    strings = b"".join(b"<si><t>%032x</t></si>" % (n * 7919) for n in range(2_500_000))
    data = changed(
        saved(),
        xl__sharedStrings_xml=f"<sst {MAIN}>".encode() + strings + b"</sst>",
    )
    outcome: Workbook | FindingCode
    try:
        outcome = read_bytes("a.xlsx", data, Limits(memory_mb=200, deadline_seconds=20))
    except StudyError as error:
        outcome = error.findings[0].code
    assert outcome in (
        FindingCode.FILE_NEEDS_TOO_MUCH_MEMORY,
        FindingCode.FILE_READER_STOPPED,
        FindingCode.FILE_EXPANDS_TOO_MUCH,
    )


def test_sheet_of_ten_million_cells_is_refused_by_its_count() -> None:
    row = b"".join(b"<c><v>1</v></c>" for _ in range(1_000))
    xml = sheet_of(b"".join(b"<row>" + row + b"</row>" for _ in range(600)))
    data = changed(saved(), xl__worksheets__sheet1_xml=xml)
    finding = refused("a.xlsx", data, Limits(max_cells=500_000))
    assert finding.code is FindingCode.FILE_TOO_LARGE
    assert "500,000 cells" in finding.message


@pytest.mark.parametrize("n_columns", [5_000, 30_000])
def test_too_many_columns_are_counted(n_columns: int) -> None:
    line = ",".join(f"c{number}" for number in range(n_columns))
    text = f"{line}\n{line.replace('c', '')}\n"
    finding = refused("a.csv", text.encode())
    assert finding.code is FindingCode.FILE_TOO_LARGE
    assert f"{n_columns:,} columns" in finding.message


def test_damaged_drawing_harms_nothing() -> None:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet("Data")
    for number, row in enumerate(ROWS):
        sheet.write_row(number, 0, row)
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Data!$B$2:$B$3"})
    sheet.insert_chart("F2", chart)
    alone = book.add_chart({"type": "line"})
    alone.add_series({"values": "=Data!$C$2:$C$3"})
    book.add_chartsheet("Chart").set_chart(alone)
    book.close()
    whole = stream.getvalue()
    names = zipfile.ZipFile(io.BytesIO(whole)).namelist()
    drawings = [name for name in names if "drawing" in name or "charts/" in name]
    assert drawings
    source = zipfile.ZipFile(io.BytesIO(whole))
    cut = io.BytesIO()
    with zipfile.ZipFile(cut, "w") as target:
        for name in names:
            if name not in drawings:
                target.writestr(name, source.read(name))
    with pytest.raises(KeyError):
        openpyxl.load_workbook(io.BytesIO(cut.getvalue()))
    for data in (whole, cut.getvalue()):
        book_read = read_bytes("a.xlsx", data)
        assert [table.sheet for table in book_read.sheets] == ["Data"]
        assert cells(book_read) == [["a", 50, 3.5], ["b", 61, 4.5]]


def test_macros_and_links_to_elsewhere_are_never_followed() -> None:
    link = (
        f'<externalLink {MAIN}><externalBook xmlns:r="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships" r:id="rId1"/></externalLink>'
    )
    data = changed(
        saved(),
        xl__vbaProject_bin=b"\xd0\xcf\x11\xe0" + bytes(500),
        xl__externalLinks__externalLink1_xml=link.encode(),
    )
    for name in ("a.xlsx", "a.xlsm"):
        assert cells(read_bytes(name, data)) == [["a", 50, 3.5], ["b", 61, 4.5]]


def test_entities_in_the_xml_are_not_expanded() -> None:
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    head = f'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY e0 "lol">{levels}]>'
    xml = head.encode() + sheet_of(
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>'
        b'<row r="2"><c r="A2" t="inlineStr"><is><t>&e9;</t></is></c></row>'
    )
    outcome = b""
    try:
        book = read_bytes("a.xlsx", changed(saved(), xl__worksheets__sheet1_xml=xml), SMALL)
        outcome = repr(cells(book)).encode()
    except StudyError as error:
        outcome = error.findings[0].code.value.encode()
    assert len(outcome) < 200


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_file_that_was_cut_off_is_refused(keep: float) -> None:
    data = saved()
    finding = refused("a.xlsx", data[: int(len(data) * keep)])
    assert finding.code in (FindingCode.FILE_UNREADABLE, FindingCode.FILE_WRONG_TYPE)


def test_cells_of_any_length_and_sign_are_verbatim() -> None:
    texts = ["x" * 32_767, "🧬 م\u202eabc", "שלום", "=1+1", "+1", "-2+3", "@SUM(A1)", "‮abc"]
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["id", "note"])
    for number, text in enumerate(texts, start=1):
        sheet.write(number, 0, f"P{number}")
        sheet.write_string(number, 1, text)
    book.close()
    assert [row[1] for row in cells(read_bytes("a.xlsx", stream.getvalue()))] == texts
    long = "y" * 900_000
    assert cells(read_bytes("a.csv", f"id,note\n1,{long}\n2,b\n".encode())) == [
        ["1", long],
        ["2", "b"],
    ]


def test_dates_that_a_spreadsheet_cannot_hold_are_no_dates() -> None:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet, dated = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, ["id", "day"])
    for number, serial in enumerate([-5, 59, 3_000_000, 44_319], start=1):
        sheet.write(number, 0, f"P{number}")
        sheet.write_number(number, 1, serial, dated)
    book.close()
    days = [row[1] for row in cells(read_bytes("a.xlsx", stream.getvalue()))]
    years = [getattr(day, "year", None) for day in days]
    assert years[0] is None  # before 1900
    assert years[1] == 1900
    assert years[2] is None  # after 9999
    assert years[3] == 2021


def html_table() -> bytes:
    return b"<html><body><table><tr><td>id</td></tr></table></body></html>"


def word_document() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("a.xls", html_table, "web page"),
        ("a.docx", word_document, "Word document"),
        ("a.xlsx", word_document, "Word document"),
    ],
)
def test_other_content_under_the_name_of_a_table_is_named(
    name: str, make: Callable[[], bytes], said: str
) -> None:
    finding = refused(name, make())
    assert finding.code is FindingCode.FILE_WRONG_TYPE
    assert said in finding.message


def test_csv_under_the_name_of_a_workbook_is_read_and_said() -> None:
    book = read_bytes("a.xlsx", b"id,age\na,50\nb,61\n")
    assert cells(book) == [["a", "50"], ["b", "61"]]
    assert [finding.code for finding in book.findings] == [FindingCode.FILE_READ_BY_CONTENT]
