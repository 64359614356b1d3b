"""Bars beside a criterion: who is there, who stays, and what is not known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.criteria import evaluate
from sts_core.distribution import Distribution, distribution
from sts_core.filters import Shape
from sts_core.row_values import holds_dates, row_values
from sts_core.study import AllOf, Between, DaysBetween, HasRow, IsKnown, OneOf
from tests.test_criteria_compound import ANY, FEMALE, OLD, PEOPLE, TABLE, cohort, cohort_from


def bars(spread: Distribution) -> list[tuple[str, int, int]]:
    return [(bar.label, bar.n, bar.n_kept) for bar in spread.bars]


def spread(criterion: Any) -> Distribution:
    data = cohort()
    return distribution(data, criterion, np.ones(data.n_in_file, dtype=bool))


def test_levels_in_their_order_with_those_who_stay() -> None:
    found = spread(OneOf("sex", ("F",)))
    assert bars(found) == [("F", 2, 2), ("M", 2, 0)]
    assert (found.n_unknown, found.n_unknown_kept) == (2, 2)
    assert spread(OneOf("sex", ("F",), missing="only")).n_unknown_kept == 2
    assert bars(spread(IsKnown("sex"))) == [("F", 2, 2), ("M", 2, 2)]


def test_numbers_stand_along_an_axis() -> None:
    found = spread(Between("age", low=65))
    assert (found.low, found.high, found.is_range) == ("40", "70", True)
    assert [(bar.n, bar.n_kept) for bar in found.bars] == [(1, 0), (2, 2)]
    assert found.n_unknown == 3


def test_the_oldest_ages_are_one() -> None:
    data = cohort({"id": ["a", "b"], "age": [40, 97], "sex": ["F", "F"], "start": [None] * 2,
                   "death": [None] * 2, "seen": [None] * 2, "cycles": [1, 1]},
                  {"id": ["a"], "date": [None], "result": [None]})  # fmt: skip
    assert distribution(data, OLD, np.ones(2, dtype=bool)).high == "≥90"


def test_days_rows_and_compounds() -> None:
    found = spread(DaysBetween("death", "start", low=0))
    assert (found.low, found.high) == ("\N{MINUS SIGN}31 days", "30 days")
    assert sum(bar.n for bar in found.bars) == 2
    found = spread(HasRow("assessments", at_least=2))
    assert bars(found) == [("0 rows", 1, 0), ("1 row", 2, 0), ("2 rows", 3, 3)]
    found = spread(AllOf((FEMALE, OLD), excludes=True))
    assert bars(found) == [("Meets it", 0, 0), ("Does not", 3, 3)]
    assert (found.n_unknown, found.n_unknown_kept) == (3, 3)


def test_what_a_column_of_another_table_holds() -> None:
    data = cohort()
    assert row_values(data, "assessments", "date").shape is Shape.DATES
    result = row_values(data, "assessments", "result")
    assert (result.levels, result.counts) == (("PD", "NE", "PR", "SD", "progress"), (2, 1, 1, 1, 1))
    assert holds_dates(data, "start")
    assert not holds_dates(data, "age")
    assert not holds_dates(data, "sex")


@settings(max_examples=40)
@given(PEOPLE, TABLE, ANY, st.randoms(use_true_random=False))
def test_every_patient_is_in_one_bar(
    people: list[tuple[Any, ...]], rows: list[tuple[Any, ...]], criterion: Any, random: Any
) -> None:
    data = cohort_from(people, rows)
    left = np.array([random.random() < 0.8 for _ in people], dtype=bool)
    found = distribution(data, criterion, left)
    n = sum(bar.n for bar in found.bars) + found.n_unknown
    n_kept = sum(bar.n_kept for bar in found.bars) + found.n_unknown_kept
    assert n == left.sum()
    assert n_kept == (left & ~evaluate(data, criterion).leaves).sum()
    assert all(0 <= bar.n_kept <= bar.n for bar in found.bars)


@pytest.mark.parametrize("n", [17, 30])
def test_many_levels_end_in_others(n: int) -> None:
    data = cohort({"id": [*map(str, range(n))], "sex": [f"level {i:02}" for i in range(n)],
                   "age": [None] * n, "start": [None] * n, "death": [None] * n,
                   "seen": [None] * n, "cycles": [None] * n},
                  {"id": ["0"], "date": [None], "result": [None]})  # fmt: skip
    found = distribution(data, OneOf("sex", ("level 00",)), np.ones(n, dtype=bool))
    assert bars(found)[-1] == (f"{n - 16} others", n - 16, 0)
