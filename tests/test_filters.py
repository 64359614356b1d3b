from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.filters import (
    Setting,
    Shape,
    before_filters,
    filter_names,
    filter_of,
    filterable,
    place_of,
    setting_of,
    with_filter,
)
from sts_core.findings import StudyError
from sts_core.study import (
    Between,
    Criterion,
    Definitions,
    Grouping,
    IsKnown,
    Measured,
    OneOf,
    Variable,
    VariableKind,
)
from tests.doubles import cohort_of

COLUMNS: dict[str, list[Any]] = {
    "sex": ["男", "女", None, "女", "NA", "男"],
    "age": ["60", "17", "40", "NA", "eighty", "95"],
    "crp": ["0.4", "12.5", "3.25", None, "60", "199.99"],
    "start": ["2020-01-01", "2021-01-01", None, "2022-01-01", "2019-05-03", "2020-02-30"],
    "ecog": ["0", "1", "2", "3", "1", None],
    "site": ["A"] * 6,
}
DEFINED = Definitions(
    variables={
        "sex": Variable(label="Sex", codes={"男": "Male", "女": "Female"}),
        "age": Variable(label="Age", kind=VariableKind.NUMERIC, unit="years"),
        "crp": Variable(label="CRP", kind=VariableKind.NUMERIC, measured=Measured.POST_BASELINE),
        "start": Variable(label="First dose", kind=VariableKind.DATE),
    },
    groupings={"fit": Grouping(label="Fit", variable="ecog", groups={"Fit": ("0", "1")})},
)


def cohort(**columns: list[Any]) -> Cohort:
    return cohort_of({**COLUMNS, **columns}, DEFINED)


def under(data: Cohort, *filters: Criterion, criteria: tuple[Criterion, ...] = ()) -> Cohort:
    analysis = replace(data.study.analysis, filters=filters, criteria=criteria)
    return apply_criteria(data, replace(data.study, analysis=analysis))


def test_everything_in_the_file_can_be_filtered_by() -> None:
    assert filter_names(cohort()) == {
        "sex": "Sex", "age": "Age", "crp": "CRP", "start": "First dose", "fit": "Fit",
        "ecog": "ecog", "site": "site",
    }  # fmt: skip


def test_levels_come_with_counts_that_the_filters_do_not_change() -> None:
    data = under(
        cohort(),
        OneOf("sex", ("Female",), missing="drop"),
        criteria=(Between("age", low=18, missing="keep"),),
    )
    assert data.analysed.tolist() == ["S004"]
    assert before_filters(data).tolist() == [True, False, True, True, True, True]
    found = filterable(data, "sex")
    assert dict(zip(found.levels, found.counts, strict=True)) == {"Male": 2, "Female": 1}
    assert found.n_unknown == 2
    assert filterable(data, "fit").shape is Shape.LEVELS


def test_a_range_ends_at_whole_steps_and_an_age_at_ninety() -> None:
    age = filterable(cohort(), "age")
    assert (age.shape, age.low, age.high, age.step) == (Shape.NUMBERS, 17, 90, 1)
    assert age.is_open_above
    assert age.n_unknown == 2
    crp = filterable(cohort(), "crp")
    assert (crp.low, crp.high, crp.step, crp.decimals) == (0.0, 200.0, 1.0, 0)
    assert crp.after_time_zero
    fine = filterable(cohort(crp=["0.11", "0.59", "0.3", "0.2", "0.25", "0.4"]), "crp")
    assert (fine.low, fine.high, fine.step, fine.decimals) == (0.11, 0.59, 0.005, 3)
    start = filterable(cohort(), "start")
    assert (start.low, start.high) == (dt.date(2019, 5, 3), dt.date(2022, 1, 1))
    assert start.n_unknown == 2


def test_columns_without_a_choice_only_ask_whether_they_are_known() -> None:
    many = cohort(site=[f"site {n}" for n in range(6)], crp=["7"] * 6)
    assert filterable(many, "site").shape is Shape.LEVELS
    assert filterable(many, "crp").shape is Shape.KNOWN
    numbers = cohort_of({"id": [str(n) for n in range(80)], "code": [f"n{n}" for n in range(80)]})
    assert filterable(numbers, "code").shape is Shape.KNOWN
    with pytest.raises(StudyError):
        filterable(many, "gone")


def test_an_end_that_is_not_moved_writes_no_value_of_a_patient() -> None:
    age = filterable(cohort(), "age")
    setting = setting_of(age, None)
    assert filter_of(age, setting) is None
    assert filter_of(age, replace(setting, low=40.0)) == Between("age", low=40.0)
    start = filterable(cohort(), "start")
    later = replace(setting_of(start, None), low=dt.date(2020, 1, 1))
    assert filter_of(start, later) == Between("start", low="2020-01-01")
    assert filter_of(age, replace(setting, keep_unknown=False)) == IsKnown("age")


def test_what_no_control_can_show_is_left_alone() -> None:
    data = under(cohort(), OneOf("sex", ("Male",), excludes=True), Between("age", low=3))
    assert place_of(data.study, filterable(data, "sex")) is None
    assert place_of(data.study, filterable(data, "age")) is None  # below every age of the file
    named = under(cohort(), OneOf("sex", ("Male",), label="Men"))
    assert place_of(named.study, filterable(named, "sex")) is None


def test_a_filter_is_added_changed_and_taken_off_in_its_place() -> None:
    data = under(cohort(), IsKnown("ecog"), OneOf("sex", ("Male",)))
    sex = filterable(data, "sex")
    place = place_of(data.study, sex)
    assert place == 1
    changed = with_filter(data.study, place, OneOf("sex", ("Female",)))
    assert changed.analysis.filters == (IsKnown("ecog"), OneOf("sex", ("Female",)))
    assert with_filter(changed, place, None).analysis.filters == (IsKnown("ecog"),)
    assert with_filter(changed, None, IsKnown("age")).analysis.filters[-1] == IsKnown("age")


@settings(max_examples=25)
@given(
    key=st.sampled_from(["sex", "age", "crp", "start", "ecog", "fit", "site"]),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    picked=st.sets(st.integers(0, 4)),
    keep=st.booleans(),
)
def test_a_control_shows_the_filter_that_it_made(
    key: str, ends: tuple[float, float], picked: set[int], keep: bool
) -> None:
    data = cohort()
    variable = filterable(data, key)
    setting = Setting(keep_unknown=keep)
    low, high = variable.low, variable.high
    if isinstance(low, dt.date) and isinstance(high, dt.date):
        days = sorted(low + (high - low) * end for end in ends)
        setting = replace(setting, low=days[0], high=days[1])
    elif isinstance(low, float) and isinstance(high, float):
        steps = sorted(round(end * (high - low) / variable.step) for end in ends)
        numbers = [round(low + n * variable.step, variable.decimals) for n in steps]
        setting = replace(setting, low=numbers[0], high=min(numbers[1], high))
    else:
        chosen = tuple(level for n, level in enumerate(variable.levels) if n in picked)
        setting = replace(setting, levels=chosen)
    criterion = filter_of(variable, setting)
    if criterion is None:
        assert keep
        return
    made = under(data, criterion)
    assert place_of(made.study, filterable(made, key)) == 0
    assert filter_of(variable, setting_of(variable, criterion)) == criterion
    if keep:
        unknown = variable.n_unknown
        assert made.flow.steps[0].n_not_verifiable == unknown
        assert made.flow.steps[0].n_missing_excluded == 0
