"""Workbooks: numbers stay numbers, words stay words, whatever stands in them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from sts_core.analysis.plan import run_plan
from sts_core.cohort import Cohort
from sts_core.display import REASONS, Column, CountShare, DisplayTable, Format, Spread
from sts_core.estimates import Estimate, NotEstimable, not_estimable
from sts_core.export.xlsx import write_workbook
from tests.cohorts import DEGENERATE_COMPLETE

DANGEROUS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "{=1+1}", "http://example.org", "mailto:a@example.org",
    "007", "1e5", "<b>x</b>", "平滑肌肉瘤", "Größe", "a\x00b", "\ud800", "_x0041_", "internal:A1",
)  # fmt: skip


def opened(tables: Sequence[DisplayTable], notes: Sequence[str] = ()) -> Any:
    return openpyxl.load_workbook(io.BytesIO(write_workbook(tables, notes)))


def sheet_of(table: DisplayTable) -> Any:
    return opened([table]).worksheets[0]


def one_row(column: Column, value: Any) -> list[Any]:
    sheet = sheet_of(DisplayTable("T", (column,), ({column.key: value},)))
    return list(sheet[4])


def test_an_estimate_is_three_numbers() -> None:
    cells = one_row(Column("m", "Median", Format.ESTIMATE), Estimate(5.8, 4.75, 6.84))
    assert [cell.value for cell in cells] == [5.8, 4.75, 6.84]
    assert {cell.number_format for cell in cells} == {"0.0"}
    headings = sheet_of(DisplayTable("T", (Column("m", "Median", Format.ESTIMATE),), ()))[3]
    assert [cell.value for cell in headings] == ["Median", "Lower limit", "Upper limit"]


def test_a_share_is_a_percentage() -> None:
    cells = one_row(Column("r", "Rate", Format.ESTIMATE_PERCENT), Estimate(0.426, 0.25, 0.6))
    assert [cell.value for cell in cells] == pytest.approx([42.6, 25.0, 60.0])
    (cell,) = one_row(Column("r", "Rate", Format.PERCENT, decimals=0), 0.426)
    assert (cell.value, cell.number_format) == (pytest.approx(42.6), "0")


@pytest.mark.parametrize(
    ("estimate", "texts"),
    [
        (not_estimable(NotEstimable.NO_EVENTS), ["NE (no events)", None, None]),
        (not_estimable(NotEstimable.NOT_REACHED), ["NR (not reached)", None, None]),
        (not_estimable(NotEstimable.REFERENCE), ["reference level", None, None]),
        (
            Estimate(5.0, 3.0, None, high_reason=NotEstimable.LIMIT_NOT_REACHED),
            [5.0, 3.0, "NE (limit not reached)"],
        ),
        (
            Estimate(None, 3.0, None, reason=NotEstimable.NOT_REACHED),
            ["NR (not reached)", 3.0, None],
        ),
        (Estimate(5.0, 0.1, math.inf), [5.0, 0.1, "∞"]),
    ],
)
def test_what_is_not_estimable_says_why(estimate: Estimate, texts: list[Any]) -> None:
    cells = one_row(Column("m", "Median", Format.ESTIMATE), estimate)
    values = [cell.value for cell in cells]
    assert [*values, None, None][:3] == texts


def test_p_is_a_number_that_looks_like_a_bound_when_small() -> None:
    (cell,) = one_row(Column("p", "P", Format.P_VALUE), 0.0004)
    assert cell.value == 0.0004
    assert cell.number_format == "[<0.001]\\<0.001;[<0.01]0.0000;0.000"


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_is_never_a_formula_a_link_or_a_number(text: str) -> None:
    table = DisplayTable(
        text, (Column("a", text), Column("b", "B", Format.NUMBER)), ({"a": text, "b": text},),
        (text,),
    )  # fmt: skip
    data = write_workbook([table], [text])
    with ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            content = archive.read(name).decode()
            assert "<f>" not in content
            assert "hyperlink" not in content
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n")
                assert cell.value is None or isinstance(cell.value, str)
                assert cell.hyperlink is None


@pytest.mark.parametrize("text", ["=1+1", "平滑肌肉瘤", "007", "<b>x</b>", "http://example.org"])
def test_text_comes_back_as_it_was(text: str) -> None:
    table = DisplayTable(text, (Column("a", text),), ({"a": text},), (text,))
    sheet = sheet_of(table)
    assert {sheet[place].value for place in ("A1", "A3", "A4", "A6")} == {text}


@pytest.mark.parametrize(
    "titles",
    [
        ["a/b:c*d?e[f]g\\h'i", "a b c d e f g h i"],
        ["x" * 40, "x" * 50, "X" * 31],
        ["", "   ", "'"],
        ["History", "history"],
        ["Same", "same", "SAME"],
        ["Notes", "a\nb\tc\x01"],
        ["组" * 40, "组" * 31],
    ],
)
def test_sheet_names_are_legal_and_differ(titles: list[str]) -> None:
    tables = [DisplayTable(title, (Column("a", "A"),), ()) for title in titles]
    names = opened(tables, ["note"]).sheetnames
    assert len(names) == len(titles) + 1
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert 0 < len(name) <= 31
        assert not set(name) & set("[]:*?/\\'\n\t\x01")
        assert name.casefold() != "history"
        assert name == name.strip()


def test_layout_keys_are_used_and_not_written() -> None:
    table = DisplayTable(
        "T",
        (Column("a", "A"), Column("b", "B", Format.INTEGER, spanner="Group")),
        ({"a": "Head", "_heading": True}, {"a": "item", "b": 3, "_indent": 2}),
        ("first", "second"),
    )
    sheet = sheet_of(table)
    assert sheet["B3"].value == "Group: B"
    assert sheet["A4"].font.bold
    assert sheet["A5"].alignment.indent == 2
    assert not sheet["A5"].font.bold
    assert sheet["B5"].value == 3
    assert sheet["B4"].value is None
    assert [sheet["A7"].value, sheet["A8"].value] == ["first", "second"]
    assert sheet.freeze_panes == "B4"


def test_notes_stand_on_a_sheet_of_their_own() -> None:
    book = opened([DisplayTable("T", (Column("a", "A"),), ())], ["one", "=two"])
    assert book.sheetnames == ["T", "Notes"]
    assert [row[0].value for row in book["Notes"].iter_rows()] == ["one", "=two"]


def test_nothing_to_write_is_still_a_workbook() -> None:
    assert len(opened([]).worksheets) == 1


@pytest.mark.parametrize("name", DEGENERATE_COMPLETE)
def test_numbers_of_an_analysis_are_numbers(name: str) -> None:
    cohort: Cohort = DEGENERATE_COMPLETE[name]()
    for item in run_plan(cohort):
        table = item.analysis.table(item.result)
        sheet = sheet_of(table)
        for number, row in enumerate(table.rows, start=4):
            cells = iter(cell.value for cell in sheet[number])
            for column in table.columns:
                value = row.get(column.key)
                share = column.format in (Format.PERCENT, Format.ESTIMATE_PERCENT)
                summary = column.format is Format.SUMMARY
                wide = summary or column.format in (Format.ESTIMATE, Format.ESTIMATE_PERCENT)
                found, *limits = [next(cells) for _ in range(3 if wide else 1)]
                if isinstance(value, Estimate):
                    assert same_number(found, value.value, share, value.reason)
                    if wide:
                        assert same_number(limits[0], value.low, share, value.low_reason)
                        assert same_number(limits[1], value.high, share, value.high_reason)
                elif isinstance(value, CountShare):
                    percent = 100 * value.count / value.total if value.total else None
                    assert [found, *limits] == [value.count, pytest.approx(percent), None]
                elif isinstance(value, Spread):
                    around = [value.std_dev, None] if value.low is None else [value.low, value.high]
                    assert [found, *limits] == [value.centre, *map(pytest.approx, around)]
                elif isinstance(value, str) or value is None:
                    assert found == (value or None)
                else:
                    assert same_number(found, value, share, None)


def same_number(found: Any, number: float | None, share: bool, reason: NotEstimable | None) -> bool:
    """Whether a cell holds the number, or, without one, the reason."""
    if number is not None:
        return found == pytest.approx(number * (100 if share else 1))
    return found is None if reason is None else REASONS[reason] in found


def test_a_spread_with_an_open_end_says_so_and_keeps_its_other_numbers() -> None:
    oldest = Spread(54.0, 30.0, 90.0, decimals=0, open_from=90.0)
    row = one_row(Column("age", "Age", Format.SUMMARY), oldest)
    assert [cell.value for cell in row] == [54, 30, "≥90"]
