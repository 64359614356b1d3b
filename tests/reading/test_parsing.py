"""Files as users make them, read right through the reading process."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.reading import Limits, RawTable, Workbook, read_bytes
from sts_core.reading.refusal import Reason, Refusal
from sts_core.reading.text import decode, find_delimiter, records

FILES = Path(__file__).parents[1] / "reference"
HEADER = ["id", "sex", "os_days"]
ROWS = [["001", "M", "12"], ["002", "F", "34"]]


def csv_bytes(
    rows: Sequence[Sequence[str]], encoding: str = "utf-8", delimiter: str = ","
) -> bytes:
    return "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)


def xlsx_bytes(**sheets: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def only(book: Workbook) -> RawTable:
    (table,) = book.sheets
    return table


def cells(table: RawTable) -> list[list[object]]:
    return table.frame.to_numpy().tolist()


def codes(book: Workbook) -> set[FindingCode]:
    return {finding.code for finding in book.findings}


def refused_code(name: str, data: bytes, limits: Limits | None = None) -> FindingCode:
    with pytest.raises(StudyError) as caught:
        read_bytes(name, data, limits)
    (finding,) = caught.value.findings
    assert finding.severity is Severity.ERROR
    assert finding.file == name
    assert len(finding.message) > 15
    assert len(finding.hint) > 15
    return finding.code


@pytest.mark.parametrize(
    ("encoding", "recognised", "assumed"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8", False),
        ("utf-16", "utf-16", False),
        ("utf-16-le", "utf-16-le", True),
        ("utf-16-be", "utf-16-be", True),
        ("gb18030", "gb18030", True),
    ],
)
def test_chinese_text_in_each_encoding(encoding: str, recognised: str, assumed: bool) -> None:
    rows = [
        ["病人编号", "性别", "病理类型"],
        ["001", "男", "滑膜肉瘤"],
        ["002", "女", "平滑肌肉瘤"],
    ]
    book = read_bytes("患者.csv", csv_bytes(rows, encoding))
    table = only(book)
    assert book.encoding == recognised
    assert list(table.frame.columns) == rows[0]
    assert cells(table) == rows[1:]
    assert (FindingCode.TEXT_ENCODING_ASSUMED in codes(book)) is assumed


def test_western_accents_are_not_taken_for_chinese() -> None:
    rows = [["id", "Größe", "Läsion"], ["1", "5 µm ±2", "Müller-Öl"], ["2", "37 °C", "Zürich"]]
    book = read_bytes("a.csv", csv_bytes(rows, "cp1252"))
    assert book.encoding == "cp1252"
    assert cells(only(book)) == rows[1:]
    assert FindingCode.TEXT_ENCODING_ASSUMED in codes(book)


def test_one_damaged_character_does_not_turn_utf8_into_something_else() -> None:
    data = csv_bytes([["编号", "性别"], *[[str(i), "女性患者"] for i in range(9)]]) + b"\r\n9,\xff"
    book = read_bytes("a.csv", data)
    table = only(book)
    assert list(table.frame.columns) == ["编号", "性别"]
    assert table.frame["性别"].iloc[-1] == "\ufffd"
    (finding,) = [f for f in book.findings if f.code is FindingCode.TEXT_DAMAGED]
    assert finding.count == 1
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_each_delimiter_and_line_end(delimiter: str, newline: str) -> None:
    text = newline.join(delimiter.join(row) for row in [HEADER, *ROWS])
    book = read_bytes("a.txt", text.encode())
    assert book.delimiter == delimiter
    assert cells(only(book)) == ROWS
    assert only(book).row_numbers.tolist() == [2, 3]


def test_semicolon_with_decimal_comma_stays_text_and_is_flagged() -> None:
    text = "id;age;size_cm;note\n1;54;3,5;left, deep\n2;61;12,25;right\n3;;0,75;arm\n"
    table = only(read_bytes("a.csv", text.encode()))
    assert table.decimal_comma is True
    assert table.frame["size_cm"].tolist() == ["3,5", "12,25", "0,75"]
    assert table.frame["age"].tolist() == ["54", "61", None]


def test_decimal_commas_in_every_row_do_not_beat_the_semicolon() -> None:
    assert find_delimiter("id;a;b\nx;1,5;2,5\ny;3,5;4,5\nz;0,5;9,1\n") == ";"


def test_point_decimals_are_not_flagged() -> None:
    text = "id;size;pair\n1;3.5;1,25\n2;12.25;3,50\n"
    assert only(read_bytes("a.csv", text.encode())).decimal_comma is False


def test_stated_delimiter_of_excel_is_obeyed() -> None:
    book = read_bytes("a.csv", b"sep=|\r\nid|b,c\r\n1|x,y\r\n")
    assert book.delimiter == "|"
    assert list(only(book).frame.columns) == ["id", "b,c"]
    assert only(book).row_numbers.tolist() == [2]


def test_comments_blank_lines_and_quoted_cells() -> None:
    text = (
        '# exported 2024-01-01\n\nid,"name, first",note\n"1","A ""x""","two\nlines"\n\n,,\n2,, b \n'
    )
    book = read_bytes("a.csv", text.encode())
    table = only(book)
    assert table.header_row == 3
    assert list(table.frame.columns) == ["id", "name, first", "note"]
    assert cells(table) == [["1", 'A "x"', "two\nlines"], ["2", None, "b"]]
    assert table.row_numbers.tolist() == [4, 7]
    (finding,) = [f for f in book.findings if f.code is FindingCode.ROWS_ABOVE_HEADER]
    assert finding.rows == (1,)


def test_text_cells_are_verbatim() -> None:
    text = "id,v\n007,1e5\n0x1,NA\nTRUE,-0\n"
    assert cells(only(read_bytes("a.csv", text.encode()))) == [
        ["007", "1e5"],
        ["0x1", "NA"],
        ["TRUE", "-0"],
    ]


def test_shifted_row_is_kept_and_reported() -> None:
    book = read_bytes("a.csv", b"id,site\n1,arm\n2,arm, left\n")
    table = only(book)
    assert list(table.frame.columns) == ["id", "site", "Column C"]
    (finding,) = [f for f in book.findings if f.code is FindingCode.COLUMN_UNNAMED]
    assert finding.rows == (3,)


@pytest.mark.parametrize("tail", ["", "\n", "\n3,x\n"])
def test_open_quotation_mark_is_refused_with_its_line(tail: str) -> None:
    with pytest.raises(StudyError) as caught:
        read_bytes("a.csv", ('id,note\n1,ok\n2,"open\n3,lost' + tail).encode())
    (finding,) = caught.value.findings
    assert finding.code is FindingCode.FILE_UNREADABLE
    assert "line 3" in finding.message


def test_cell_over_many_lines_is_reported() -> None:
    swallowed = "\n".join(f"{i},x" for i in range(40))
    book = read_bytes("a.csv", f'id,note\n1,"{swallowed}"\n2,y\n'.encode())
    (finding,) = [f for f in book.findings if f.code is FindingCode.TEXT_CELL_SPANS_LINES]
    assert finding.rows == (2,)


def test_one_column_is_reported() -> None:
    assert FindingCode.TEXT_ONE_COLUMN in codes(read_bytes("a.csv", b"id\nx\ny\n"))


def test_workbook_cells_keep_their_types() -> None:
    day, moment = dt.datetime(2021, 5, 3), dt.datetime(2021, 5, 3, 4, 5, 6)
    rows = [
        ["id", "n", "mixed", "flag", "day", "time"],
        ["001", 1, 2.5, True, dt.date(2021, 5, 3), moment],
        ["002", 1.0, 1, 1, None, dt.time(7, 30)],
        ["003", 0, True, False, None, None],
    ]
    table = only(read_bytes("a.xlsx", xlsx_bytes(Data=rows)))
    assert {dtype.kind for dtype in table.frame.dtypes} == {"O"}
    expected = [
        ["001", 1, 2.5, True, day, moment],
        ["002", 1, 1, 1, None, "07:30:00"],
        ["003", 0, True, False, None, None],
    ]
    assert cells(table) == expected
    assert [[type(cell) for cell in row] for row in cells(table)] == [
        [type(cell) for cell in row] for row in expected
    ]
    assert table.sheet == "Data"


def test_title_above_header_and_table_off_the_corner() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["C2"] = "Soft tissue sarcoma, exported 2024"
    sheet.merge_cells("C2:F2")
    for row, values in enumerate([["id", "sex", "age", "os"], ["a", "M", 5, 7.5]], start=4):
        for column, value in enumerate(values, start=3):
            sheet.cell(row, column, value)
    stream = io.BytesIO()
    book.save(stream)
    workbook = read_bytes("a.xlsx", stream.getvalue())
    table = only(workbook)
    assert table.header_row == 4
    assert table.row_numbers.tolist() == [5]
    assert cells(table) == [["a", "M", 5, 7.5]]
    assert FindingCode.CELLS_MERGED not in codes(workbook)


def test_a_value_merged_over_rows_counts_in_each_and_is_reported() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [["id", "arm"], ["a", "x"], ["b", None], ["c", "y"]]:
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    stream = io.BytesIO()
    book.save(stream)
    workbook = read_bytes("a.xlsx", stream.getvalue())
    (finding,) = workbook.findings
    assert finding.code is FindingCode.CELLS_MERGED
    assert finding.rows == (2,)
    assert "the value counts in each of these rows" in finding.message
    assert only(workbook).frame["arm"].tolist() == ["x", "x", "y"]


def test_cells_merged_over_columns_or_blocks_are_blank_but_for_the_first() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [["id", "arm", "x"], ["a", "x", None], ["b", "y", None], ["c", None, None]]:
        sheet.append(row)
    sheet.merge_cells("B2:C2")
    sheet.merge_cells("B3:C4")
    stream = io.BytesIO()
    book.save(stream)
    workbook = read_bytes("a.xlsx", stream.getvalue())
    (finding,) = workbook.findings
    assert (finding.code, finding.rows) == (FindingCode.CELLS_MERGED, (2, 3))
    assert "only the first cell of each has the value" in finding.message
    assert only(workbook).frame["arm"].tolist() == ["x", "y", None]


def test_repeated_and_missing_column_names() -> None:
    rows = [["id", "x", "x", "x (2)", None, None], ["a", 1, 2, 3, 4, None]]
    book = read_bytes("a.xlsx", xlsx_bytes(S=rows))
    assert list(only(book).frame.columns) == ["id", "x", "x (3)", "x (2)", "Column E"]
    assert cells(only(book)) == [["a", 1, 2, 3, 4]]
    assert codes(book) == {FindingCode.COLUMN_NAME_REPEATED, FindingCode.COLUMN_UNNAMED}


def test_named_column_without_values_stays() -> None:
    table = only(read_bytes("a.csv", b"id,recurrence,os\n1,,3\n2,,4\n"))
    assert table.frame["recurrence"].tolist() == [None, None]


def test_hidden_empty_and_header_only_sheets() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Patients"
    for row in [HEADER, *ROWS]:
        book["Patients"].append(row)
    secret = book.create_sheet("Key")
    for row in [["id", "name"], ["001", "n"]]:
        secret.append(row)
    secret.sheet_state = "hidden"
    book.create_sheet("Blank")
    book.create_sheet("Template").append(HEADER)
    stream = io.BytesIO()
    book.save(stream)
    workbook = read_bytes("a.xlsx", stream.getvalue())
    assert [(table.sheet, table.hidden) for table in workbook.sheets] == [
        ("Patients", False),
        ("Key", True),
    ]
    (finding,) = workbook.findings
    assert (finding.code, finding.severity, finding.sheet) == (
        FindingCode.SHEET_HEADER_ONLY,
        Severity.WARNING,
        "Template",
    )


def test_error_cells_are_missing_and_reported() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [["id", "age"], ["a", 5], ["b", "#N/A"], ["c", "#DIV/0!"]]:
        sheet.append(row)
    assert sheet["B3"].data_type == "e"
    stream = io.BytesIO()
    book.save(stream)
    workbook = read_bytes("a.xlsx", stream.getvalue())
    assert only(workbook).frame["age"].tolist() == [5, None, None]
    (finding,) = workbook.findings
    assert (finding.code, finding.column, finding.rows, finding.count) == (
        FindingCode.CELL_ERROR_VALUE,
        "age",
        (3, 4),
        2,
    )
    text = read_bytes("a.csv", b"id,age\na,5\nb,#N/A\n")
    assert only(text).frame["age"].tolist() == ["5", None]
    assert codes(text) == {FindingCode.CELL_ERROR_VALUE}


def test_formula_without_a_stored_value_is_reported() -> None:
    book = read_bytes("a.xlsx", xlsx_bytes(S=[["id", "v"], ["a", "=1+1"], ["b", 2]]))
    (finding,) = book.findings
    assert (finding.code, finding.count) == (FindingCode.FORMULA_NOT_CALCULATED, 1)
    stream = io.BytesIO()
    stored = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = stored.add_worksheet()
    sheet.write_row(0, 0, ["id", "v"])
    sheet.write_row(1, 0, ["a"])
    sheet.write_formula(1, 1, "=1+1", None, 2)
    stored.close()
    stored_book = read_bytes("a.xlsx", stream.getvalue())
    assert cells(only(stored_book)) == [["a", 2]]
    assert stored_book.findings == ()


def test_first_full_row_of_values_is_not_taken_for_names() -> None:
    data = b"1,54,2020-01-01,3.5\n2,61,2020-02-01,2.5\nNA,NA,NA,NA\n4,1,2020-01-01,2\n"
    assert refused_code("a.csv", data) is FindingCode.HEADER_NOT_FOUND


def test_content_beats_the_name() -> None:
    book = read_bytes("a.xls", xlsx_bytes(S=[HEADER, *ROWS]))
    assert cells(only(book)) == ROWS
    assert codes(book) == {FindingCode.FILE_READ_BY_CONTENT}
    text = read_bytes("a.xlsx", csv_bytes([HEADER, *ROWS]))
    assert cells(only(text)) == ROWS
    assert codes(text) == {FindingCode.FILE_READ_BY_CONTENT}


def ods_bytes(rows: str) -> bytes:
    """Give a workbook with only the parts that a reader needs."""
    content = f"""<?xml version="1.0" encoding="UTF-8"?><office:document-content
      xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
      xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
      xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
      <office:body><office:spreadsheet><table:table table:name="数据">{rows}</table:table>
      </office:spreadsheet></office:body></office:document-content>"""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return stream.getvalue()


def ods_text(text: str) -> str:
    return (
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    )


ODS_NUMBER = '<table:table-cell office:value-type="float" office:value="2.5"/>'


def test_merged_headings_over_names_are_the_same_in_opendocument_and_excel() -> None:
    covered = "<table:covered-table-cell/>"

    def spanned(text: str, columns: int, rows: int) -> str:
        spans = f'table:number-columns-spanned="{columns}" table:number-rows-spanned="{rows}"'
        return ods_text(text).replace("<table:table-cell", f"<table:table-cell {spans}")

    rows = [
        ["病案号", "转移部位", None, "疗效"],
        [None, "肺", "肝", None],
        ["001", "有", "无", "PR"],
    ]
    content = (
        f"<table:table-row>{spanned('病案号', 1, 2)}{spanned('转移部位', 2, 1)}{covered}"
        f"{spanned('疗效', 1, 2)}</table:table-row>"
        f"<table:table-row>{covered}{ods_text('肺')}{ods_text('肝')}{covered}</table:table-row>"
        f"<table:table-row>{''.join(ods_text(str(cell)) for cell in rows[2])}</table:table-row>"
    )
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for area in ("A1:A2", "B1:C1", "D1:D2"):
        book.active.merge_cells(area)
    stream = io.BytesIO()
    book.save(stream)
    read = [read_bytes("a.ods", ods_bytes(content)), read_bytes("a.xlsx", stream.getvalue())]
    for item in read:
        names = ["病案号", "转移部位 肺", "转移部位 肝", "疗效"]
        assert list(only(item).frame.columns) == names
        assert cells(only(item)) == [["001", "有", "无", "PR"]]
    assert codes(read[0]) == codes(read[1])


def test_opendocument_workbook_with_blank_rows_to_the_end() -> None:
    rows = (
        f"<table:table-row>{ods_text('id')}{ods_text('n')}</table:table-row>"
        f"<table:table-row>{ods_text('001')}{ODS_NUMBER}</table:table-row>"
        '<table:table-row table:number-rows-repeated="1048574">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    book = read_bytes("a.ods", ods_bytes(rows))
    assert only(book).sheet == "数据"
    assert cells(only(book)) == [["001", 2.5]]
    assert book.findings == ()


@pytest.mark.skipif(sys.platform != "linux", reason="the system sets no memory limit")
@pytest.mark.parametrize(
    ("n_rows", "n_columns", "code"),
    [
        (1_048_576, 16_384, FindingCode.FILE_UNREADABLE),
        (300_000, 40, FindingCode.FILE_READER_STOPPED),
    ],
)
def test_opendocument_workbook_that_repeats_a_cell_without_end_is_refused(
    n_rows: int, n_columns: int, code: FindingCode
) -> None:
    cell = ods_text("id").replace(
        "<table:table-cell", f'<table:table-cell table:number-columns-repeated="{n_columns}"'
    )
    data = ods_bytes(
        f'<table:table-row table:number-rows-repeated="{n_rows}">{cell}</table:table-row>'
    )
    assert refused_code("a.ods", data, Limits(memory_mb=300)) is code


def test_excel_97_workbook() -> None:
    data = (FILES / "excel97.xls").read_bytes()
    book = read_bytes("a.xls", data)
    patients, hidden = book.sheets
    assert (patients.sheet, hidden.sheet, hidden.hidden) == ("数据", "H", True)
    assert cells(patients)[0] == [
        "001",
        1,
        2.5,
        True,
        dt.datetime(2021, 5, 3),
        "病",
        "07:30:00",
    ]
    assert patients.frame["id"].tolist() == ["001", "002", "003", "004"]


def test_excel_97_workbook_with_a_password() -> None:
    data = bytearray((FILES / "excel97.xls").read_bytes())
    begin = data.find(b"\x09\x08\x10\x00")
    following = begin + 4 + 16
    # The record after the first becomes FILEPASS, which marks an encrypted stream.
    data[following : following + 2] = b"\x2f\x00"
    assert refused_code("a.xls", bytes(data)) is FindingCode.FILE_PROTECTED


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"", FindingCode.FILE_EMPTY),
        ("a.xlsx", b"", FindingCode.FILE_EMPTY),
        ("a.csv", b"\xef\xbb\xbf\r\n \r\n", FindingCode.FILE_EMPTY),
        ("a.csv", b",,\n,,\n", FindingCode.FILE_EMPTY),
        ("a.csv", b"id,sex\n", FindingCode.SHEET_HEADER_ONLY),
        ("a.csv", b"id,sex\n , \n", FindingCode.SHEET_HEADER_ONLY),
        ("a.xlsx", b"%PDF-1.7\n%...", FindingCode.FILE_WRONG_TYPE),
        ("a.xlsx", b"\x89PNG\r\n\x1a\n\x00\x00", FindingCode.FILE_WRONG_TYPE),
        ("a.xls", b"<html><table><tr><td>1</td></tr></table>", FindingCode.FILE_WRONG_TYPE),
        ("a.xml", b"<?xml version='1.0'?><Workbook/>", FindingCode.FILE_WRONG_TYPE),
        ("a.csv", bytes(range(256)) * 8, FindingCode.FILE_WRONG_TYPE),
        ("a.json", b'{"a": 1}', FindingCode.FILE_WRONG_TYPE),
        ("a.sav", b"id,sex\n1,M\n", FindingCode.FILE_UNREADABLE),
        ("a.sav", b"$FL2" + bytes(400), FindingCode.FILE_UNREADABLE),
        ("a.dta", b"<stata_dta>" + bytes(400), FindingCode.FILE_UNREADABLE),
        ("a.xpt", b"HEADER RECORD*******LIB" + bytes(400), FindingCode.FILE_UNREADABLE),
    ],
)
def test_what_is_no_table_is_refused(name: str, data: bytes, code: FindingCode) -> None:
    assert refused_code(name, data) is code


@pytest.mark.parametrize(
    ("sheets", "code"),
    [
        ({"A": [], "B": []}, FindingCode.FILE_EMPTY),
        ({"A": [HEADER], "B": []}, FindingCode.SHEET_HEADER_ONLY),
    ],
)
def test_workbook_without_rows_is_refused(
    sheets: dict[str, list[list[object]]], code: FindingCode
) -> None:
    assert refused_code("a.xlsx", xlsx_bytes(**sheets)) is code


def test_statistical_formats_with_labels(tmp_path: os.PathLike[str]) -> None:
    import pyreadstat

    frame = pd.DataFrame(
        {"id": ["A", "病"], "sex": [1.0, np.nan], "seen": [dt.date(2020, 1, 1), None], "n": [1, 2]}
    )
    for ending, write, labelled in (
        ("sav", pyreadstat.write_sav, "sex"),
        ("dta", pyreadstat.write_dta, "n"),
        ("xpt", pyreadstat.write_xport, None),
    ):
        path = os.path.join(tmp_path, f"x.{ending}")
        labels = (
            {}
            if labelled is None
            else {"variable_value_labels": {labelled: {1: "male", 2: "female"}}}
        )
        write(frame, path, column_labels={"id": "Patient"}, **labels)
        with open(path, "rb") as stream:
            table = only(read_bytes(f"x.{ending}", stream.read()))
        assert cells(table) == [["A", 1, dt.datetime(2020, 1, 1), 1], ["病", None, None, 2]]
        assert table.column_labels == {"id": "Patient"}
        if labelled:
            assert table.value_labels == {labelled: {1: "male", 2: "female"}}
        assert table.header_row == 0
        assert table.row_numbers.tolist() == [1, 2]


def test_workbook_is_identified_by_its_bytes() -> None:
    data = csv_bytes([HEADER, *ROWS])
    one, two = read_bytes("C:\\clinic\\a.csv", data), read_bytes("/home/b.csv", data + b"\n")
    assert (one.file, two.file) == ("a.csv", "b.csv")
    assert len(one.sha256) == 64
    assert one.sha256 != two.sha256


def test_decoder_refuses_nothing_that_is_plain_ascii() -> None:
    decoded = decode(b"id,x\n1,2\n")
    assert (decoded.encoding, decoded.assumed, decoded.n_damaged) == ("utf-8", False, 0)


RAGGED = (
    'id,note\n1,"a\nb"\n\n2,plain\n3,"c\r\nd\ne",more\n,,\n4,"say ""no"""\n'
    + "5,x\n" * 7
    + '6,"y\nz"'
)


@pytest.mark.parametrize("n_at_once", [1, 2, 3, 5, 500])
def test_records_are_the_same_however_many_lines_are_taken_at_once(n_at_once: int) -> None:
    one_by_one = list(csv.reader(io.StringIO(RAGGED, newline="")))
    found: list[list[str]] = []
    taken = 0
    for run in records(RAGGED, ",", n_at_once):
        assert run.first == len(found) + 1
        found += run.cells
        taken += len(run.cells) if run.n_lines is None else sum(run.n_lines)
        assert run.n_lines is None or len(run.n_lines) == len(run.cells)
    assert found == one_by_one
    assert taken == len(io.StringIO(RAGGED, newline="").readlines())


@settings(max_examples=300)
@given(st.text(alphabet='ab ,;"\r\n', max_size=30), st.sampled_from(",;"), st.integers(1, 4))
def test_records_are_those_of_the_csv_module_whatever_is_quoted(
    text: str, delimiter: str, n_at_once: int
) -> None:
    end = "\ue001"
    *expected, last = csv.reader(
        [*io.StringIO(text, newline=""), end], delimiter=delimiter, quotechar='"'
    )
    if last == [end]:
        found = [row for run in records(text, delimiter, n_at_once) for row in run.cells]
        assert found == expected
    else:
        with pytest.raises(Refusal) as refused:
            list(records(text, delimiter, n_at_once))
        assert refused.value.reason is Reason.UNCLOSED_QUOTE


@pytest.mark.parametrize("n_at_once", [1, 500])
def test_a_cell_of_more_than_a_million_characters_is_said_to_be_long(n_at_once: int) -> None:
    text = f'id,note\n1,a\n2,"{"x" * 1_000_001}"\n3,b\n'
    with pytest.raises(Refusal) as refused:
        list(records(text, ",", n_at_once))
    assert refused.value.reason is Reason.LONG_CELL
    assert refused.value.facts == {"row": 3, "line": 3, "limit": 1_000_000}


@pytest.mark.parametrize("n_at_once", [1, 2, 3, 500])
def test_a_quotation_mark_that_is_never_closed_is_found_at_its_row(n_at_once: int) -> None:
    text = 'id,note\n1,"two\nlines"\n\n2,"open\n3,x\n4,y\n'
    with pytest.raises(Refusal) as refused:
        list(records(text, ",", n_at_once))
    assert refused.value.reason is Reason.UNCLOSED_QUOTE
    assert refused.value.facts == {"row": 4, "line": 5}


def test_rows_keep_their_numbers_in_a_long_ragged_file() -> None:
    lines = ["id,note", *(f'{n},"a\nb"' if n % 700 == 0 else f"{n},c" for n in range(1, 3001))]
    lines.insert(1500, "")
    table = only(read_bytes("a.csv", "\n".join(lines).encode()))
    assert len(table.frame) == 3000
    assert table.frame.iloc[:, 0].tolist() == [str(n) for n in range(1, 3001)]
    assert table.row_numbers.tolist() == [n for n in range(2, 3003) if n != 1501]
    assert (table.frame["note"] == "a\nb").sum() == 4
