from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.reading import profile as module
from sts_core.reading.profile import Profile, profile_column
from sts_core.values import dates, numbers, texts


def profile(*cells: Any, **more: Any) -> Profile:
    return profile_column("x", pd.Series(list(cells), dtype=object), **more)


def test_texts_are_counted_most_frequent_first() -> None:
    found = profile("b", "a", " b ", None, "NA", "b")
    assert (found.n, found.n_missing, found.n_known, found.n_distinct) == (6, 2, 4, 2)
    assert list(found.counts.items()) == [("b", 3), ("a", 1)]
    assert found.complete
    assert not found.is_numeric
    assert not found.is_date
    assert not found.is_unique


def test_numbers_and_their_text_are_one_value() -> None:
    found = profile(1, 1.0, "1", "2")
    assert found.counts == {"1": 3, "2": 1}
    assert found.is_numeric
    assert found.is_whole
    assert (found.low, found.high) == (1, 2)


def test_a_boolean_is_no_number() -> None:
    found = profile(True, False, True)
    assert not found.is_numeric
    assert found.counts == {"true": 2, "false": 1}


@pytest.mark.parametrize(
    ("cells", "decimal_comma", "mark"),
    [(("1,5", "2"), False, ","), (("1.5", "2"), True, "."), (("1", "2"), True, ",")],
)
def test_the_decimal_mark_is_the_one_that_reads_more(
    cells: tuple[str, ...], decimal_comma: bool, mark: str
) -> None:
    found = profile(*cells, decimal_comma=decimal_comma)
    assert found.decimal == mark
    assert found.is_numeric


def test_nine_of_ten_make_a_kind() -> None:
    assert profile(*range(9), "much").is_numeric
    assert not profile(*range(8), "much", "more").is_numeric
    assert profile(*["2020-01-01"] * 9, "soon").is_date


def test_dates_and_their_orders() -> None:
    assert profile("2020-01-02", dt.datetime(2020, 5, 1)).orders == ("ymd",)
    assert profile("12/16/2005", "1/2/2006").orders == ("mdy",)
    both = profile("1/2/2006", "3/4/2006")
    assert both.orders == ("dmy", "mdy")
    assert both.is_ambiguous
    assert not profile("5/5/2021", "6/6/2021").is_ambiguous
    mostly = profile(*["16/12/2005"] * 3, *["1/2/2006"] * 7)
    assert mostly.orders == ("dmy",)


def test_the_range_of_dates() -> None:
    found = profile("2020-05-01", "2019-01-31", None)
    assert (found.first_date, found.last_date) == (dt.date(2019, 1, 31), dt.date(2020, 5, 1))


def test_plain_numbers_are_no_dates_but_could_be() -> None:
    found = profile(44000, 44010.0, "44020")
    assert not found.is_date
    assert found.is_serial
    assert found.is_numeric
    assert not profile(599, 44000).is_serial


def test_an_empty_column_is_of_no_kind() -> None:
    for found in (profile(), profile(None, "NA", "")):
        assert found.n_known == 0
        assert not found.is_numeric
        assert not found.is_date
        assert not found.is_unique


def test_very_many_values_give_the_same_facts_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(7)
    columns = [
        [f"{value:.5f}" for value in random.normal(size=300)],
        [str(np.datetime64("2000-01-01") + day) for day in random.permutation(300)],
        [f"id-{number}" for number in range(300)],
        [*map(str, range(295)), "NA", "", "12 kg", None, None],
        [f"{day % 28 + 1}/{day % 12 + 1}/{2000 + day}" for day in range(300)],
    ]
    whole = [profile(*cells) for cells in columns]
    monkeypatch.setattr(module, "MANY", 50)
    for cells, first in zip(columns, whole, strict=True):
        second = profile(*cells)
        assert not second.complete
        for name in ("n", "n_missing", "n_distinct", "is_numeric", "low", "high", "is_whole",
                     "is_date", "orders", "first_date", "last_date", "is_unique"):  # fmt: skip
            assert getattr(first, name) == getattr(second, name), name


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-100, 60000),
    st.floats(-10, 60000),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
    st.sampled_from(["NA", "", "a", "1", "1,5", "1/2/2020", "13/2/2020", "2020-05-01", "Dead"]),
    st.text(max_size=5),
)


@given(st.lists(CELLS, max_size=15), st.booleans())
def test_a_profile_agrees_with_how_the_column_is_read(cells: list[Any], comma: bool) -> None:
    column = pd.Series(cells, dtype=object)
    found = profile_column("x", column, decimal_comma=comma)
    read = texts(column)
    known = [text for text in read if text is not None]
    assert found.n_known == len(known)
    assert found.counts == {text: known.count(text) for text in dict.fromkeys(known)} or not known
    values = numbers(column, decimal=found.decimal).values
    assert round(found.numeric_share * max(1, len(known))) == np.isfinite(values).sum()
    for order in found.orders:
        days = dates(column, order=order).values
        as_number = np.isfinite(numbers(column).values)
        n_dates = (~np.isnat(days) & ~as_number).sum()
        assert n_dates == round(found.date_share * len(known))
