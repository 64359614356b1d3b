"""Every format that is promised, from bytes to cells, with what it says beside the cells."""

from __future__ import annotations

import datetime as dt
import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading import RawTable, Workbook, read_bytes
from sts_core.reading.compound import scan_records
from sts_core.reading.text import decode

FILES = Path(__file__).parents[1] / "reference"
FRAME = pd.DataFrame(
    {
        "id": ["A1", "A2", "A3"],
        "sex": [1.0, 2.0, np.nan],
        "seen": [dt.date(2020, 1, 1), dt.date(2021, 5, 3), None],
    }
)
CELLS = [
    ["A1", 1, dt.datetime(2020, 1, 1)],
    ["A2", 2, dt.datetime(2021, 5, 3)],
    ["A3", None, None],
]
LABELS = {"sex": {1: "male", 2: "female"}}


def only(book: Workbook) -> RawTable:
    (table,) = book.sheets
    return table


def cells(table: RawTable) -> list[list[object]]:
    return table.frame.to_numpy().tolist()


def found(book: Workbook, code: FindingCode) -> list[Finding]:
    return [finding for finding in book.findings if finding.code is code]


def saved(folder: Path, ending: str, write: Any, frame: pd.DataFrame, **more: Any) -> bytes:
    path = folder / f"x.{ending}"
    write(frame, os.fspath(path), **more)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("ending", "write", "more"),
    [
        ("sav", pyreadstat.write_sav, {"variable_value_labels": LABELS}),
        ("zsav", pyreadstat.write_sav, {"variable_value_labels": LABELS, "compress": True}),
        *[
            ("dta", pyreadstat.write_dta, {"variable_value_labels": LABELS, "version": version})
            for version in (8, 10, 12, 13, 14, 15)
        ],
        ("xpt", pyreadstat.write_xport, {"file_format_version": 5}),
        ("xpt", pyreadstat.write_xport, {"file_format_version": 8}),
    ],
)
def test_what_a_statistics_program_saves_is_read_back(
    tmp_path: Path, ending: str, write: Any, more: dict[str, Any]
) -> None:
    data = saved(tmp_path, ending, write, FRAME, column_labels={"id": "Patient"}, **more)
    book = read_bytes(f"x.{ending}", data)
    table = only(book)
    assert cells(table) == CELLS
    assert table.column_labels == {"id": "Patient"}
    assert table.value_labels == more.get("variable_value_labels", {})
    assert book.findings == ()


def test_sas_data_set() -> None:
    table = only(read_bytes("x.sas7bdat", (FILES / "sas_data_set.sas7bdat").read_bytes()))
    assert [row[:3] for row in cells(table)] == CELLS
    assert table.frame["size"].tolist() == [2.5, None, 7]
    assert table.column_labels == {"id": "Patient", "size": "Size (cm)"}


def test_codes_that_spss_declares_missing_are_missing_and_said(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": ["a", "b", "c", "d"], "ecog": [0.0, 9.0, 1.0, 8.0], "size": [2.5, 97.0, 99.0, 100.0]}
    )
    data = saved(
        tmp_path,
        "sav",
        pyreadstat.write_sav,
        frame,
        missing_ranges={"ecog": [8, 9], "size": [{"lo": 97, "hi": 99}]},
        variable_value_labels={"ecog": {0: "fully active", 9: "not asked"}},
    )
    book = read_bytes("x.sav", data)
    assert cells(only(book)) == [["a", 0, 2.5], ["b", None, None], ["c", 1, None], ["d", None, 100]]
    assert only(book).value_labels == {"ecog": {0: "fully active"}}
    ecog, size = found(book, FindingCode.CODES_DECLARED_MISSING)
    assert (ecog.column, ecog.count) == ("ecog", 2)
    assert "9 “not asked” (1)" in ecog.message
    assert (size.column, size.count) == ("size", 2)


def test_extended_missing_values_of_stata_are_missing_and_said(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["x", "y", "z"], "age": pd.Series([50, "a", "b"], dtype=object)})
    data = saved(
        tmp_path,
        "dta",
        pyreadstat.write_dta,
        frame,
        missing_user_values={"age": ["a", "b"]},
        variable_value_labels={"age": {"a": "refused"}},
    )
    book = read_bytes("x.dta", data)
    assert cells(only(book)) == [["x", 50], ["y", None], ["z", None]]
    (finding,) = found(book, FindingCode.CODES_DECLARED_MISSING)
    assert "a “refused” (1)" in finding.message
    assert only(book).value_labels == {}


@pytest.mark.parametrize("ending", ["xls", "ods"])
def test_error_cells_and_hidden_cells_of_each_spreadsheet_are_said(ending: str) -> None:
    name = f"errors_and_hidden.{ending}"
    book = read_bytes(name, (FILES / name).read_bytes())
    assert cells(only(book)) == [["a", 5, None], ["b", None, 2], ["c", 7, None], ["d", 8, 1]]
    errors = {item.column: item.rows for item in found(book, FindingCode.CELL_ERROR_VALUE)}
    assert errors == {"age": (3,), "f": (2, 4)}
    (hidden,) = found(book, FindingCode.CELLS_HIDDEN)
    assert hidden.rows == (5,)
    assert "“age”" in hidden.message


def test_hidden_rows_and_columns_of_xlsx_are_read_and_said() -> None:
    book = openpyxl.Workbook()
    for row in (["id", "age"], ["a", 1], ["b", 2], ["c", 3]):
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["B"].hidden = True
    stream = io.BytesIO()
    book.save(stream)
    read = read_bytes("x.xlsx", stream.getvalue())
    assert cells(only(read)) == [["a", 1], ["b", 2], ["c", 3]]
    (hidden,) = found(read, FindingCode.CELLS_HIDDEN)
    assert hidden.rows == (3,)
    assert "“age”" in hidden.message


@pytest.mark.parametrize("cut", [0, 40, 512, 600, 2000, 5000])
def test_scan_of_a_damaged_compound_file_ends(cut: int) -> None:
    data = (FILES / "errors_and_hidden.xls").read_bytes()[:cut]
    assert all(scan.n_errors <= 3 for scan in scan_records(data))
    assert sum(scan.n_errors for scan in scan_records(data + bytes(100))) <= 3


def test_dates_of_the_1904_system() -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in (["id", "day"], ["a", dt.datetime(2021, 5, 3)], ["b", dt.datetime(1999, 2, 1)]):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    table = only(read_bytes("x.xlsx", stream.getvalue()))
    assert table.frame["day"].tolist() == [dt.datetime(2021, 5, 3), dt.datetime(1999, 2, 1)]


def record(code: int, body: bytes) -> bytes:
    """Give a record of a binary workbook; a code above 127 takes two bytes."""
    head = bytes([code]) if code < 128 else bytes([code & 0x7F | 0x80, code >> 7])
    size, length = b"", len(body)
    while True:
        size += bytes([length & 0x7F | (0x80 if length > 127 else 0)])
        length >>= 7
        if not length:
            return head + size + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb_bytes(rows: list[list[str | float]]) -> bytes:
    """Write the records of a binary workbook that a reader needs ([MS-XLSB] 2.4)."""
    sheet = record(0x81, b"") + record(
        0x94, struct.pack("<4I", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    )
    sheet += record(0x91, b"")
    for number, row in enumerate(rows):
        sheet += record(0, struct.pack("<IIHHBI", number, 0, 300, 0, 0, 0))
        for place, cell in enumerate(row):
            start = struct.pack("<II", place, 0)
            if isinstance(cell, str):
                sheet += record(6, start + wide(cell))
            else:
                sheet += record(5, start + struct.pack("<d", cell))
    sheet += record(0x92, b"") + record(0x82, b"")
    workbook = record(0x83, b"") + record(0x8F, b"")
    workbook += record(0x9C, struct.pack("<II", 0, 1) + wide("rId1") + wide("Data"))
    workbook += record(0x90, b"") + record(0x84, b"")
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    relations = (
        f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>'
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.bin", workbook)
        archive.writestr("xl/_rels/workbook.bin.rels", relations)
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
    return stream.getvalue()


def test_binary_workbook() -> None:
    book = read_bytes("x.xlsb", xlsb_bytes([["id", "大小"], ["a", 2.5], ["b", 3.0]]))
    assert only(book).sheet == "Data"
    assert list(only(book).frame.columns) == ["id", "大小"]
    assert cells(only(book)) == [["a", 2.5], ["b", 3]]
    assert book.findings == ()


SIMPLIFIED = "病人编号,性别,病理\n001,男,滑膜肉瘤\n002,女,平滑肌肉瘤\n"
TRADITIONAL = "病人編號,性別,病理,診斷\n001,男,滑膜肉瘤,軟組織\n002,女,平滑肌肉瘤,惡性腫瘤\n"
JAPANESE = "患者番号,性別,診断,転帰\n001,男,滑膜肉腫,しぼう\n002,女,平滑筋肉腫,せいぞん\n"
GERMAN = "id,Größe,Läsion\n1,5 µm,Müller-Öl\n2,37 °C,ÄRZTE\n"
FRENCH = "numéro,sexe,décès\n1,féminin,à préciser\n2,masculin,oui\n"


@pytest.mark.parametrize(
    ("text", "encoding", "read_as"),
    [
        (SIMPLIFIED, "gbk", "gb18030"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (TRADITIONAL, "big5", "cp950"),
        (JAPANESE, "shift_jis", "cp932"),
        (GERMAN, "cp1252", "cp1252"),
        (FRENCH, "cp1252", "cp1252"),
    ],
)
def test_encodings_without_a_mark_are_told_apart_and_said(
    text: str, encoding: str, read_as: str
) -> None:
    data = text.encode(encoding)
    decoded = decode(data)
    assert (decoded.text, decoded.encoding, decoded.assumed) == (text, read_as, True)
    book = read_bytes("x.csv", data)
    assert cells(only(book)) == [line.split(",") for line in text.splitlines()[1:]]
    (finding,) = found(book, FindingCode.TEXT_ENCODING_ASSUMED)
    assert "read as" in finding.message


@pytest.mark.parametrize("mark", ["#", "*", "//", "%"])
def test_comments_above_the_names_with_as_many_commas_as_they(mark: str) -> None:
    text = (
        f"{mark} exported, 3 May 2021, by the clinic\n{mark} a, b; c, d\nid,age,os\n1,2,3\n2,4,5\n"
    )
    book = read_bytes("x.csv", text.encode())
    assert list(only(book).frame.columns) == ["id", "age", "os"]
    assert cells(only(book)) == [["1", "2", "3"], ["2", "4", "5"]]
    (finding,) = found(book, FindingCode.ROWS_ABOVE_HEADER)
    assert finding.rows == (1, 2)


def test_names_that_begin_with_a_comment_mark_are_names() -> None:
    table = only(read_bytes("x.csv", b"#id,age\n1,50\n2,61\n"))
    assert list(table.frame.columns) == ["#id", "age"]
    assert len(table.frame) == 2


def test_catalogue_or_broken_data_set_is_refused() -> None:
    data = (FILES / "sas_data_set.sas7bdat").read_bytes()
    for damaged in (data[:3000], data[:31] + bytes(200)):
        with pytest.raises(StudyError) as caught:
            read_bytes("x.sas7bdat", damaged)
        (finding,) = caught.value.findings
        assert finding.code is FindingCode.FILE_UNREADABLE


def test_a_sas_catalogue_is_named_as_what_it_is() -> None:
    with pytest.raises(StudyError) as caught:
        read_bytes("formats.sas7bcat", bytes(12) + b"\xc2\xea\x81\x63\xb3\x14\x11\xcf" + bytes(900))
    (finding,) = caught.value.findings
    assert finding.code is FindingCode.FILE_WRONG_TYPE
    assert "catalogue of value labels" in finding.message
    assert "formatted values" in finding.message
