"""Where the table of a sheet lies; what is none of it is left out with a finding."""

from __future__ import annotations

import io
from collections.abc import Sequence

import openpyxl
import pytest

from sts_core.findings import Finding, FindingCode, Severity
from sts_core.reading import RawTable, Workbook, read_bytes

Rows = Sequence[Sequence[object]]
PATIENTS: Rows = [[f"P{n}", 50 + n, 3.5 + n, "Dead" if n % 2 else "Alive"] for n in range(5)]
NAMES = ["id", "age", "os", "status"]


def xlsx(rows: Rows, *merged: str, at: tuple[int, int] = (1, 1)) -> bytes:
    book = openpyxl.Workbook()
    for row, cells in enumerate(rows, start=at[0]):
        for column, cell in enumerate(cells, start=at[1]):
            if cell is not None:
                book.active.cell(row, column, cell)
    for area in merged:
        book.active.merge_cells(area)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(rows: Rows, *merged: str, at: tuple[int, int] = (1, 1)) -> tuple[RawTable, Workbook]:
    book = read_bytes("a.xlsx", xlsx(rows, *merged, at=at))
    (table,) = book.sheets
    return table, book


def cells(table: RawTable) -> list[list[object]]:
    return table.frame.to_numpy().tolist()


def patients() -> list[list[object]]:
    return [
        [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in row]
        for row in PATIENTS
    ]


def one(book: Workbook, code: FindingCode) -> Finding:
    (finding,) = [finding for finding in book.findings if finding.code is code]
    return finding


def test_plain_table_says_nothing() -> None:
    table, book = read([NAMES, *PATIENTS])
    assert cells(table) == patients()
    assert book.findings == ()


@pytest.mark.parametrize("merged", [("B1:C1", "D1:E1", "A1:A2"), ()])
def test_names_in_two_rows_are_joined(merged: tuple[str, ...]) -> None:
    rows = [
        ["id", "OS", None, "PFS", None],
        [None, "days", "status", "days", "status"],
        *[[f"P{n}", 10 * n + 1, "Dead", 5 * n + 1, "PD"] for n in range(4)],
    ]
    table, book = read(rows, *merged)
    assert list(table.frame.columns) == ["id", "OS days", "OS status", "PFS days", "PFS status"]
    assert table.frame["id"].tolist() == ["P0", "P1", "P2", "P3"]
    assert table.header_row == 2
    finding = one(book, FindingCode.HEADER_IN_TWO_ROWS)
    assert finding.rows == (1, 2)
    assert len(book.findings) == 1


def test_group_names_above_a_full_row_of_names() -> None:
    rows = [["Patient", None, "Outcome", None], NAMES, *PATIENTS]
    table, _ = read(rows, "A1:B1", "C1:D1")
    assert list(table.frame.columns) == [
        "id", "age", "os", "Outcome status",
    ]  # fmt: skip
    assert cells(table) == patients()


SECTIONS = [
    ("基本信息", "姓名"), ("基本信息", "性别"), ("疗效与随访", "最佳疗效"),
    ("疗效与随访", "PFS(月)"), ("疗效与随访", "日期"), ("第6周", "疗效"), ("Demographics", "Sex"),
    ("Demographics", "Name"), ("Clinical data", "ECOG"), ("Survival", "time"), ("OS", "months"),
]  # fmt: skip
NEEDED = ["疗效与随访 日期", "第6周 疗效", "Survival time", "OS months"]


def test_headings_of_a_section_are_left_off_names_that_need_none() -> None:
    above = [group for group, _ in SECTIONS]
    names = [name for _, name in SECTIONS]
    rows = [[*above], names, *[[f"{row}{at}" for at in range(11)] for row in "abcd"]]
    table, book = read(rows, "A1:B1", "C1:E1", "G1:H1")
    given = [str(name) for name in table.frame.columns]
    assert given == [
        joined if (joined := f"{group} {name}") in NEEDED else name for group, name in SECTIONS
    ]
    assert one(book, FindingCode.HEADER_IN_TWO_ROWS).rows == (1, 2)


def test_a_heading_stays_where_a_name_stands_twice() -> None:
    rows = [
        ["id", "基线", None, "随访", None],
        [None, "ECOG", "年龄", "ECOG", "疗效"],
        *[[f"P{n}", n % 3, 40 + n, n % 2, "SD"] for n in range(5)],
    ]
    table, _ = read(rows, "B1:C1", "D1:E1", "A1:A2")
    assert list(table.frame.columns) == ["id", "基线 ECOG", "年龄", "随访 ECOG", "疗效"]


def test_patient_without_an_id_is_not_a_second_row_of_names() -> None:
    rows = [["id", "site", None], [None, "arm", "left"], ["b", "leg", 3]]
    table, book = read(rows)
    assert table.frame["site"].tolist() == ["arm", "leg"]
    assert one(book, FindingCode.COLUMN_UNNAMED).rows == (2, 3)


@pytest.mark.parametrize(
    ("units", "names"),
    [
        ([None, "years", "months", None], ["id", "age (years)", "os (months)", "status"]),
        (["Unit", "(y)", "(mo)", "text"], ["id", "age", "os (mo)", "status"]),
        (["单位", "岁", "月", None], ["id", "age (岁)", "os (月)", "status"]),
        (["Einheit", "Jahre", "Monate", None], ["id", "age (Jahre)", "os (Monate)", "status"]),
        ([None, "ans", "mois", "oui/non"], ["id", "age (ans)", "os (mois)", "status"]),
        ([None, "años", "días", None], ["id", "age (años)", "os (días)", "status"]),
    ],
)
def test_row_of_units_is_no_patient(units: list[object], names: list[str]) -> None:
    table, book = read([NAMES, units, *PATIENTS])
    if units[1] == "(y)":  # not a unit that is known: the row stays, as a row without patient id
        assert len(table.frame) == 6
        return
    assert list(table.frame.columns) == names
    assert cells(table) == patients()
    assert one(book, FindingCode.UNITS_ROW).rows == (2,)


def test_patient_with_single_letters_is_not_a_row_of_units() -> None:
    rows = [["id", "sex", "status"], [None, "m", "d"], ["P2", "f", "a"], ["P3", "m", "d"]]
    table, _ = read(rows)
    assert table.frame["sex"].tolist() == ["m", "f", "m"]


def test_repeated_names_are_no_patients() -> None:
    table, book = read([NAMES, *PATIENTS[:2], NAMES, *PATIENTS[2:]])
    assert cells(table) == patients()
    assert table.row_numbers.tolist() == [2, 3, 5, 6, 7]
    finding = one(book, FindingCode.ROWS_LEFT_OUT)
    assert (finding.rows, finding.severity) == ((4,), Severity.NOTE)


@pytest.mark.parametrize(
    "foot",
    [
        [["Total", 260, 27.5]],
        [["合计：", 260]],
        [["合计", "60例", "中位 5.5", "死亡3例"]],
        [["合计：5例", 260]],
        [["制表人：张三", None, "日期：2023年6月30日"]],
        [["Summe", "n = 5", 5.5, "3 (60%)"]],
        [["Mean", 52, 5.5], ["Median", 52, 5.5]],
        [["Moyenne", 52, 5.5], ["Médiane", 52, 5.5]],
        [["Insgesamt", 260], ["Anzahl", 5]],
        [["Source: hospital database, May 2021"]],
        [["Total", 260], ["* follow-up ends 2021"]],
    ],
)
def test_totals_and_notes_at_the_foot_are_no_patients(foot: Rows) -> None:
    table, book = read([NAMES, *PATIENTS, *foot])
    assert cells(table) == patients()
    named = {
        row
        for finding in book.findings
        if finding.code is FindingCode.ROWS_LEFT_OUT and finding.severity is Severity.WARNING
        for row in finding.rows
    }
    assert named == set(range(7, 7 + len(foot)))


@pytest.mark.parametrize(
    "last",
    [["Total", 55, 3.5, "Dead"], ["P9", "60例", 3.5, "1例"], ["Total", "2021年5月3日", 3.5, 1]],
)
def test_patient_at_the_foot_is_no_total(last: list[object]) -> None:
    table, _ = read([NAMES, *PATIENTS, last])
    assert len(table.frame) == len(PATIENTS) + 1


def test_patient_of_whom_only_the_id_is_known_stays() -> None:
    table, book = read([NAMES, *PATIENTS, ["P5"]])
    assert table.frame["id"].tolist()[-1] == "P5"
    assert book.findings == ()


def test_other_table_below_is_named_and_not_mixed_in() -> None:
    below = [[], ["Adverse events"], ["id", "term", "grade"], ["P1", "Rash", 2], ["P1", "Pain", 1]]
    table, book = read([NAMES, *PATIENTS, *below])
    assert cells(table) == patients()
    finding = one(book, FindingCode.TABLES_ON_ONE_SHEET)
    assert (finding.severity, finding.rows) == (Severity.WARNING, (8, 9, 10, 11))


def test_blank_rows_between_patients_part_nothing() -> None:
    table, book = read([NAMES, *PATIENTS[:2], [], [], *PATIENTS[2:]])
    assert cells(table) == patients()
    assert book.findings == ()


def test_other_table_beside_is_named_and_not_mixed_in() -> None:
    rows = [
        [*NAMES, None, "id", "term"],
        *[[*row, None, f"P{n % 2}", "Rash"] for n, row in enumerate(PATIENTS)],
    ]
    table, book = read(rows)
    assert list(table.frame.columns) == NAMES
    assert cells(table) == patients()
    assert "F, G" in one(book, FindingCode.TABLES_ON_ONE_SHEET).message


def test_blank_column_within_one_table_parts_nothing() -> None:
    rows = [[*NAMES, None, "sex", "site"], *[[*row, None, "F", "arm"] for row in PATIENTS]]
    table, book = read(rows)
    assert list(table.frame.columns) == [*NAMES, "sex", "site"]
    assert book.findings == ()


def test_blocks_of_different_length_beside_each_other_are_said() -> None:
    rows: list[list[object]] = [[*NAMES, None, "legend", "meaning"]]
    rows += [[*row, None, *(["a", "b"] if n < 2 else [])] for n, row in enumerate(PATIENTS)]
    table, book = read(rows)
    assert len(table.frame) == 5
    assert "blank column" in one(book, FindingCode.TABLES_ON_ONE_SHEET).message


def test_table_that_begins_at_c7_below_a_title() -> None:
    title = [["Sarcoma registry, cut-off 2021"], [], []]
    table, book = read([*title, NAMES, *PATIENTS], at=(4, 3))
    assert table.header_row == 7
    assert table.row_numbers.tolist() == [8, 9, 10, 11, 12]
    assert cells(table) == patients()
    assert one(book, FindingCode.ROWS_ABOVE_HEADER).rows == (4,)


def test_title_with_commas_in_a_text_table() -> None:
    text = "Study 12, exported 3 May 2021, by us\n\nid,age,os\n1,2,3\n2,4,5\n"
    book = read_bytes("a.csv", text.encode())
    (table,) = book.sheets
    assert list(table.frame.columns) == ["id", "age", "os"]
    assert cells(table) == [["1", "2", "3"], ["2", "4", "5"]]
    assert one(book, FindingCode.ROWS_ABOVE_HEADER).rows == (1,)
