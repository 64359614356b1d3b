"""The look into a zipped workbook before a reader touches it."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.styles import Font

from sts_core.reading.archive import (
    SheetScan,
    column_letters,
    column_number,
    open_archive,
    scan_sheet,
    sheet_parts,
)
from sts_core.reading.content import FileKind, recognise
from sts_core.reading.limits import Limits
from sts_core.reading.refusal import Reason, Refusal

SMALL = Limits(max_rows=1000, max_columns=50, max_expanded_mb=20)


def zipped(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def scan(xml: bytes, limits: Limits = SMALL) -> SheetScan:
    with open_archive(zipped({"s.xml": xml}), limits) as archive:
        return scan_sheet(archive, "s.xml", "S", limits)


def refusal_of(xml: bytes, limits: Limits = SMALL) -> Refusal:
    with pytest.raises(Refusal) as caught:
        scan(xml, limits)
    return caught.value


@given(st.integers(1, 16_384))
def test_column_letters_and_number_are_inverse(number: int) -> None:
    assert column_number(column_letters(number)) == number


def test_columns_by_name() -> None:
    assert [column_letters(n) for n in (1, 26, 27, 702, 703, 16_384)] == [
        "A",
        "Z",
        "AA",
        "ZZ",
        "AAA",
        "XFD",
    ]


def test_sheets_are_mapped_to_their_parts() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Pat & Co"
    book.create_sheet("数据")
    stream = io.BytesIO()
    book.save(stream)
    with open_archive(stream.getvalue(), SMALL) as archive:
        assert sheet_parts(archive) == {
            "Pat & Co": "xl/worksheets/sheet1.xml",
            "数据": "xl/worksheets/sheet2.xml",
        }


@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD1"])
def test_one_far_cell_is_named(cell: str) -> None:
    refusal = refusal_of(f'<row><c r="A1"><v>1</v></c><c r="{cell}"><v>1</v></c></row>'.encode())
    assert refusal.reason is Reason.FAR_CELL
    assert refusal.facts == {"sheet": "S", "cell": cell, "count": 1}


@pytest.mark.parametrize("offset", [0, 1, 5, 11, 17, 300, 511, 512, 513, 4095, 4096, 4097])
def test_far_cell_is_seen_wherever_the_blocks_meet(offset: int) -> None:
    cell = b'<c r="XFD1048576" t="n"><v>1</v></c>'
    for block in (1 << 20, (1 << 20) - 4096, 2 << 20):
        head = b'<row r="1">'
        filler = b'<c r="A1"><v>1</v></c>'
        n_filler = block - offset - len(head)
        xml = head + filler * (n_filler // len(filler)) + b" " * (n_filler % len(filler)) + cell
        refusal = refusal_of(xml + filler * 300)
        assert refusal.facts == {"sheet": "S", "cell": "XFD1048576", "count": 1}


def test_far_cell_without_content_does_no_harm() -> None:
    assert (
        scan(
            b'<c r="A1"><v>1</v></c><c r="XFD1048576" s="4"/><c r="A999999" s="4"></c>'
            b'<row r="1048576" s="1"/>'
        )
        == SheetScan()
    )
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active["ZZZ1000000"].font = Font(bold=True)
    stream = io.BytesIO()
    book.save(stream)
    with open_archive(stream.getvalue(), SMALL) as archive:
        assert scan_sheet(archive, "xl/worksheets/sheet1.xml", "S", SMALL) == SheetScan()


def test_many_far_cells_are_a_large_table() -> None:
    cells = b"".join(f'<c r="A{row}"><v>1</v></c>'.encode() for row in range(300_000, 300_500))
    refusal = refusal_of(cells)
    assert (refusal.reason, refusal.facts["count"]) == (Reason.ROWS, 300_499)
    cells = b"".join(f'<c r="{column_letters(n)}1"><v>1</v></c>'.encode() for n in range(1, 5001))
    refusal = refusal_of(cells)
    assert (refusal.reason, refusal.facts["count"]) == (Reason.COLUMNS, 5000)


def test_error_cells_and_formulas_without_values_are_counted_once_each() -> None:
    errors = b"".join(f'<c r="B{n}" t="e"><v>#N/A</v></c>'.encode() for n in range(1, 60_001))
    formulas = (
        b'<c r="C1"><f>1+1</f></c><c r="C2"><f>1+1</f><v></v></c><c r="C3"><f>1+1</f><v/></c>'
        b'<c r="C4"><f t="shared" si="0"/></c><c r="C5"><f>1+1</f><v>2</v></c>'
        b'<c r="C6"><f t="shared" si="0"/><v>2</v></c>'
    )
    found = scan(errors + formulas, Limits())
    assert found.n_errors == 60_000
    assert found.errors[:2] == [(1, 2), (2, 2)]
    assert len(found.errors) == 1000
    assert found.n_uncalculated == 4


def test_archive_that_unpacks_to_too_much_is_refused() -> None:
    parts = {"xl/workbook.xml": b"<w/>", "xl/worksheets/sheet1.xml": b" " * 60_000_000}
    data = zipped(parts)
    assert len(data) < 100_000
    with pytest.raises(Refusal) as caught:
        recognise("a.xlsx", data, Limits())
    assert caught.value.reason is Reason.EXPANDS
    with pytest.raises(Refusal) as caught:
        recognise("a.xlsx", zipped({"xl/workbook.xml": b"0123456789" * 3_000_000}), SMALL)
    assert caught.value.reason is Reason.EXPANDS


def test_archive_of_too_many_parts_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        recognise("a.xlsx", zipped({f"xl/{n}": b"" for n in range(10_001)}), Limits())
    assert caught.value.reason is Reason.EXPANDS


def test_size_that_the_directory_hides_is_refused() -> None:
    xml = b"<v>1</v>" * 100_000
    data = bytearray(zipped({"s.xml": xml}))
    true_size = len(xml).to_bytes(4, "little")
    for _ in range(2):
        place = data.find(true_size)
        data[place : place + 4] = (100).to_bytes(4, "little")
    with open_archive(bytes(data), SMALL) as archive, pytest.raises(Refusal) as caught:
        scan_sheet(archive, "s.xml", "S", SMALL)
    assert caught.value.reason is Reason.BROKEN


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"word/document.xml": b"<w/>"}, Reason.WRONG_TYPE),
        ({"ppt/presentation.xml": b"<p/>"}, Reason.WRONG_TYPE),
        ({"Index/Document.iwa": b"x"}, Reason.WRONG_TYPE),
        ({"photo.png": b"x"}, Reason.WRONG_TYPE),
        ({"[Content_Types].xml": b"<t/>"}, Reason.BROKEN),
        ({}, Reason.EMPTY),
    ],
)
def test_archives_that_are_no_workbook(parts: dict[str, bytes], reason: Reason) -> None:
    with pytest.raises(Refusal) as caught:
        recognise("a.xlsx", zipped(parts), Limits())
    assert caught.value.reason is reason


def test_encrypted_archives_are_told_by_flag_and_manifest() -> None:
    data = bytearray(zipped({"xl/workbook.xml": b"<w/>"}))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.find(mark) + place] |= 1
    ods = zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": b"<manifest:encryption-data/>",
        }
    )
    for hidden in (bytes(data), ods):
        with pytest.raises(Refusal) as caught:
            recognise("a.xlsx", hidden, Limits())
        assert caught.value.reason is Reason.PROTECTED


def test_kinds_by_content() -> None:
    assert recognise("a.csv", zipped({"xl/workbook.xml": b"<w/>"}), SMALL) is FileKind.XLSX
    assert recognise("a", zipped({"xl/workbook.bin": b"x"}), SMALL) is FileKind.XLSB
    assert recognise("BMI.csv", b"BMI,id\n1,2\n", SMALL) is FileKind.TEXT
    old_excel = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "Workbook\0".encode("utf-16-le")
    assert recognise("a.xlsx", old_excel, SMALL) is FileKind.XLS


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"]))
def test_any_bytes_are_recognised_or_refused(tail: bytes, head: bytes) -> None:
    outcome: FileKind | Reason
    try:
        outcome = recognise("a.xlsx", head + tail, SMALL)
    except Refusal as refusal:
        outcome = refusal.reason
    assert isinstance(outcome, FileKind | Reason)


def small_workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["id", 1])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# Saved once: a workbook holds the time of day, which alone may change its length.
WORKBOOK = small_workbook()


@given(st.data())
def test_damaged_workbook_is_scanned_or_refused(data: st.DataObject) -> None:
    content = bytearray(WORKBOOK)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(len(content) // 2, len(content)))]
    outcomes: list[SheetScan | Reason] = []
    try:
        with open_archive(bytes(content), SMALL) as archive:
            for sheet, part in sheet_parts(archive).items():
                outcomes.append(scan_sheet(archive, part, sheet, SMALL))
    except Refusal as refusal:
        outcomes.append(refusal.reason)
    assert all(isinstance(outcome, SheetScan | Reason) for outcome in outcomes)
