from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.values import (
    MISSING_CODES,
    date_of,
    date_orders,
    dates,
    distinct_cells,
    is_missing,
    missing_codes,
    number_of,
    numbers,
    text_of,
    texts,
)


def column(*cells: object) -> pd.Series:
    return pd.Series(list(cells), dtype=object)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("  Clear   cell ", "Clear cell"),
        (2.0, "2"),
        (2, "2"),
        (np.int64(2), "2"),
        (2.5, "2.5"),
        (math.nan, None),
        (True, "true"),
        (np.bool_(False), "false"),
        (dt.datetime(2021, 5, 3), "2021-05-03"),
        (dt.datetime(2021, 5, 3, 14, 30), "2021-05-03 14:30:00"),
        (dt.date(2021, 5, 3), "2021-05-03"),
        (pd.NaT, None),
        (1e300, "1e+300"),
    ],
)
def test_text_of_a_cell(cell: object, text: str | None) -> None:
    assert text_of(cell) == text


@given(st.integers(-(10**14), 10**14))
def test_a_whole_number_has_one_text_whatever_its_type(number: int) -> None:
    assert text_of(number) == text_of(float(number)) == text_of(str(number)) == str(number)


@pytest.mark.parametrize("text", ["NA", "[Unknown]", "unk", ".", "#N/A", "未知", "UNK", "", None])
def test_missing_codes_are_missing(text: str | None) -> None:
    assert is_missing(text)


@pytest.mark.parametrize("text", ["none", "No", "0", "NED", "not R0"])
def test_words_that_can_be_a_level_are_not_missing(text: str) -> None:
    assert not is_missing(text)


def test_a_study_adds_missing_codes_in_any_case() -> None:
    codes = missing_codes((" 99 ",), ("Not Done",))
    assert is_missing("99", codes)
    assert is_missing("not done", codes)
    assert codes > MISSING_CODES


@pytest.mark.parametrize(
    ("cell", "decimal", "number"),
    [
        ("12", ".", 12.0),
        (" -1.5e2 ", ".", -150.0),
        ("\N{MINUS SIGN}3", ".", -3.0),
        ("12,5", ",", 12.5),
        ("12,5", ".", None),
        ("1.234,5", ",", 1234.5),
        ("1.234", ",", None),
        ("12 mg", ".", None),
        ("1_000", ".", None),
        ("inf", ".", None),
        ("nan", ".", None),
        ("<5", ".", None),
        (True, ".", None),
        (math.inf, ".", None),
        (dt.date(2021, 1, 1), ".", None),
        (7, ",", 7.0),
    ],
)
def test_number_of_a_cell(cell: object, decimal: str, number: float | None) -> None:
    assert number_of(cell, decimal) == number


DAY = dt.date(2021, 5, 3)


@pytest.mark.parametrize(
    ("cell", "order", "date"),
    [
        ("2021-05-03", None, DAY),
        ("2021/5/3", None, DAY),
        ("2021年5月3日", None, DAY),
        ("2021 年 5 月 3 日", None, DAY),
        ("20210503", None, DAY),
        ("2021-05-03 12:18:31", None, DAY),
        ("2021-05-03T12:18", None, DAY),
        ("3 May 2021", None, DAY),
        ("03-May-2021", None, DAY),
        ("May 3, 2021", None, DAY),
        ("3/5/2021", "dmy", DAY),
        ("5/3/2021", "mdy", DAY),
        ("3.5.2021", "dmy", DAY),
        ("3/5/2021", None, None),
        ("3/5/21", "dmy", None),
        ("31/2/2021", "dmy", None),
        ("2021-13-01", None, None),
        ("2021", None, None),
        ("2021-05", None, None),
        (44319, None, DAY),
        (44319.75, None, DAY),
        ("44319", None, DAY),
        (599, None, None),
        (math.nan, None, None),
        (True, None, None),
        (dt.datetime(2021, 5, 3, 23, 59), None, DAY),
        (pd.NaT, None, None),
        ("soon", None, None),
    ],
)
def test_date_of_a_cell(cell: object, order: str | None, date: dt.date | None) -> None:
    assert date_of(cell, order) == date  # type: ignore[arg-type]


@given(st.dates(dt.date(1910, 1, 1), dt.date(2099, 12, 31)))
def test_a_date_reads_the_same_in_every_spelling(day: dt.date) -> None:
    serial = (day - dt.date(1899, 12, 30)).days
    assert date_of(day.isoformat()) == day
    assert date_of(serial) == day
    assert date_of(f"{day.day}/{day.month}/{day.year}", "dmy") == day
    assert date_of(f"{day.month}/{day.day}/{day.year}", "mdy") == day
    assert date_of(f"{day.year}年{day.month}月{day.day}日") == day


@pytest.mark.parametrize(
    ("cells", "orders"),
    [
        (["2021-05-03", "NA"], ("ymd",)),
        (["12/16/2005", "2/2/2006", "."], ("mdy",)),
        (["16/12/2005", "2/2/2006"], ("dmy",)),
        (["1/2/2006", "3/4/2006"], ("dmy", "mdy")),
        (["16/12/2005", "12/16/2005"], ()),
        (["NA", None], ()),
        (["yes", "2021-05-03"], ()),
    ],
)
def test_orders_of_a_column_of_dates(cells: list[object], orders: tuple[str, ...]) -> None:
    assert date_orders(column(*cells)) == orders


def test_a_column_of_numbers_tells_missing_from_unreadable() -> None:
    read = numbers(column("1", "NA", "many", 2.5, None))
    assert np.array_equal(read.values, [1, np.nan, np.nan, 2.5, np.nan], equal_nan=True)
    assert read.missing.tolist() == [False, True, False, False, True]
    assert read.unreadable.tolist() == [False, False, True, False, False]


def test_a_column_of_dates_tells_missing_from_unreadable() -> None:
    read = dates(column("3/5/2021", ".", "3/5", "5/31/2021"), order="dmy")
    assert read.values[0] == np.datetime64("2021-05-03")
    assert np.isnat(read.values[1:]).all()
    assert read.missing.tolist() == [False, True, False, False]
    assert read.unreadable.tolist() == [False, False, True, True]


def test_an_empty_column_reads_as_empty() -> None:
    assert numbers(column()).values.shape == (0,)
    assert dates(column()).values.shape == (0,)
    assert texts(column()).shape == (0,)


def test_cells_of_different_type_are_never_confused() -> None:
    cells = column(True, 1, 1.0, "1", None, "1")
    distinct, place = distinct_cells(cells)
    assert [(type(cell), cell) for cell in distinct] == [
        (bool, True), (int, 1), (float, 1.0), (str, "1"), (type(None), None),
    ]  # fmt: skip
    assert place.tolist() == [0, 1, 2, 3, 4, 3]
    assert texts(cells).tolist() == ["true", "1", "1", "1", None, "1"]


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.sampled_from(["a", "1", ""])
)


@given(st.lists(CELLS, max_size=12))
def test_distinct_cells_give_the_column_back(cells: list[object]) -> None:
    distinct, place = distinct_cells(column(*cells))
    again = [distinct[at] for at in place]
    assert [(type(cell), cell) for cell in again] == [(type(cell), cell) for cell in cells]


def test_a_number_may_be_a_code_and_is_then_missing_however_it_is_read() -> None:
    cells = pd.Series(["999", "1E5", "1e5 ", "12", " 999", "-1.5", "1e999", "x"], dtype=object)
    codes = missing_codes(("999", "1e5"))
    read = numbers(cells, codes=codes)
    assert read.missing.tolist() == [True, True, True, False, True, False, False, False]
    assert read.unreadable.tolist() == [False] * 6 + [True, True]
    assert read.values[[3, 5]].tolist() == [12.0, -1.5]
    assert texts(cells, codes).tolist() == [None, None, None, "12", None, "-1.5", "1e999", "x"]


def test_a_point_is_no_number_where_the_comma_is_the_mark() -> None:
    read = numbers(pd.Series(["1.5", "1,5", "7", "na"], dtype=object), decimal=",")
    assert read.unreadable.tolist() == [True, False, False, False]
    assert read.values[[1, 2]].tolist() == [1.5, 7.0]
    assert read.missing.tolist() == [False, False, False, True]


def test_a_code_that_begins_with_a_digit_is_no_date() -> None:
    cells = pd.Series(["1/1/1900", "2/3/2021", "na", None], dtype=object)
    read = dates(cells, order="dmy", codes=missing_codes(("1/1/1900",)))
    assert read.missing.tolist() == [True, False, True, True]
    assert read.values[1] == np.datetime64("2021-03-02")


@pytest.mark.parametrize("cell", ["45岁", "45 岁", "45周岁"])
def test_an_age_in_years_is_a_number(cell: str) -> None:
    assert number_of(cell) == 45


@pytest.mark.parametrize("cell", ["6个月", "45周", "岁", "45 months"])
def test_no_other_unit_is_taken_off(cell: str) -> None:
    assert number_of(cell) is None
