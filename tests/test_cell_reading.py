"""Other missing codes and number marks: what they would change, and what they change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sts_core.cell_reading import code_effects, columns_with_marks, mark_effects
from sts_core.derive import numbers_of
from sts_core.reading.assembly import assemble
from sts_core.study import (
    ColumnFormat,
    DataSection,
    Definitions,
    Study,
    TableSource,
    Variable,
    VariableKind,
)
from sts_core.values import number_of
from tests.doubles import book_of

COLUMNS = {
    "id": ["a", "b", "c", "d"],
    "age": [50, -99, "-99", 61],
    "site": ["arm", "Not Done", "leg", "not done"],
    "ldh": ["1.234", "1.500", "2,5", "1.234,5"],
    "seen": ["1.2.2021", "3.4.2021", None, None],
}


def cohort(source=None):
    number = VariableKind.NUMERIC
    study = Study(
        data=DataSection({"subjects": source or TableSource(subject_id="id")}),
        definitions=Definitions(
            variables={name: Variable(name, kind=number) for name in ("age", "ldh")}
        ),
    )
    return assemble(study, [book_of(COLUMNS)])


def test_what_codes_would_change_is_what_they_change():
    effects = code_effects(cohort(), "subjects", ("-99", "NOT done"))
    assert [(item.column, item.n_known, item.n_known_then) for item in effects] == [
        ("age", 4, 2), ("site", 4, 2),
    ]  # fmt: skip
    then = cohort(TableSource(subject_id="id", missing_codes=("-99", "NOT done")))
    assert int((numbers_of(then, "age").missing).sum()) == 2
    assert code_effects(then, "subjects", ("-99", "not done")) == ()
    back = code_effects(then, "subjects", ())
    assert [(item.column, item.n_known, item.n_known_then) for item in back] == [
        ("age", 2, 4), ("site", 2, 4),
    ]  # fmt: skip


def test_a_code_that_a_variable_has_of_its_own_changes_nothing_there():
    known = cohort()
    variables = {"age": Variable("age", kind=VariableKind.NUMERIC, missing_codes=("-99",))}
    study = replace(known.study, definitions=Definitions(variables=variables))
    assert code_effects(replace(known, study=study), "subjects", ("-99",)) == ()


def test_each_way_of_writing_numbers_is_read_and_takes_effect():
    assert columns_with_marks(cohort(), "subjects") == ("ldh",)  # dates are none
    effects = mark_effects(cohort(), "subjects", "ldh")
    assert [(item.decimal, item.thousands, item.n_numbers, item.n_unreadable) for item in effects] \
        == [(".", None, 2, 2), (",", None, 2, 2), (",", ".", 4, 0)]  # fmt: skip
    assert (effects[2].low, effects[2].high) == (2.5, 1500.0)
    format_ = ColumnFormat(decimal=",", thousands=".")
    source = TableSource(subject_id="id", columns={"ldh": format_})
    assert numbers_of(cohort(source), "ldh").values.tolist() == [1234.0, 1500.0, 2.5, 1234.5]


@pytest.mark.parametrize(
    ("text", "marks", "number"),
    [
        ("1.500", ",", None), ("1.500", ",.", 1500.0), ("1.500", ".", 1.5),
        ("1.50", ",.", None), ("-12.345.678,9", ",.", -12345678.9), ("0.500", ",.", None),
        ("1,5", ",.", 1.5), ("1,234", ".", 1234.0), ("12 345,6", ",.", 12345.6),
    ],
)  # fmt: skip
def test_points_part_thousands_only_where_that_is_stated(text, marks, number):
    assert number_of(text, marks) == number


def test_a_point_is_not_both_marks():
    with pytest.raises(ValueError, match="part thousands"):
        replace(ColumnFormat(), thousands=".")
