from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria, describe, evaluate
from sts_core.findings import FindingCode, StudyError
from sts_core.study import (
    AnalysisSection,
    Between,
    Criterion,
    Definitions,
    Grouping,
    IsKnown,
    OneOf,
    Variable,
    VariableKind,
)
from tests.doubles import cohort_of

VARIABLES = {
    "sex": Variable(label="Sex", codes={"男": "Male", "女": "Female"}),
    "age": Variable(label="Age", kind=VariableKind.NUMERIC),
    "start": Variable(label="First dose", kind=VariableKind.DATE),
}
COLUMNS = {
    "sex": ["男", "女", None, "女", "NA", "男"],
    "age": ["60", "17", "40", "NA", "eighty", "80"],
    "start": ["2020-01-01", "2021-01-01", None, "2022-01-01", "2019-05-03", "2020-02-30"],
    "ecog": ["0", "1", "2", "3", "1", None],
}


def cohort(**columns: list[Any]) -> Cohort:
    return cohort_of({**COLUMNS, **columns}, Definitions(variables=VARIABLES))


def applied(data: Cohort, *criteria: Criterion, filters: tuple[Criterion, ...] = ()) -> Cohort:
    study = replace(data.study, analysis=AnalysisSection(criteria=criteria, filters=filters))
    return apply_criteria(data, study)


def left(data: Cohort, *criteria: Criterion) -> list[str]:
    return applied(data, *criteria).analysed.tolist()


def test_levels_are_meant_as_the_study_names_them() -> None:
    criterion = OneOf(column="sex", values=("Female",), missing="drop")
    assert left(cohort(), criterion) == ["S002", "S004"]


def test_an_unknown_value_is_kept_and_listed_by_default() -> None:
    data = applied(cohort(), OneOf(column="sex", values=("Female",)))
    assert data.analysed.tolist() == ["S002", "S003", "S004", "S005"]
    (step,) = data.flow.steps
    assert (step.n_excluded, step.n_missing_excluded, step.n_not_verifiable) == (2, 0, 2)


def test_an_unknown_value_may_be_dropped_and_is_counted_apart() -> None:
    data = applied(cohort(), OneOf(column="sex", values=("Female",), missing="drop"))
    (step,) = data.flow.steps
    assert (step.n_before, step.n_excluded, step.n_missing_excluded, step.n_after) == (6, 4, 2, 2)
    assert step.n_not_verifiable == 0
    assert step.subjects == ("S001", "S003", "S005", "S006")


def test_an_exclusion_removes_those_who_meet_it() -> None:
    criterion = OneOf(column="sex", values=("Female",), excludes=True)
    assert left(cohort(), criterion) == ["S001", "S003", "S005", "S006"]


def test_a_range_of_numbers_includes_its_ends() -> None:
    assert left(cohort(), Between(column="age", low=17, high=60, missing="drop")) == [
        "S001", "S002", "S003",
    ]  # fmt: skip
    assert left(cohort(), Between(column="age", low=61, missing="drop")) == ["S006"]


def test_a_number_that_cannot_be_read_is_unknown_not_out_of_range() -> None:
    outcome = evaluate(cohort(), Between(column="age", low=18))
    assert outcome.unknown.tolist() == [False, False, False, True, True, False]
    assert outcome.leaves.tolist() == [False, True, False, False, False, False]


def test_a_range_of_dates_and_a_date_that_does_not_exist() -> None:
    criterion = Between(column="start", low="2020-01-01", high="2021-01-01", missing="drop")
    assert left(cohort(), criterion) == ["S001", "S002"]


def test_a_bound_that_is_no_date_is_a_wrong_call() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        evaluate(cohort(), Between(column="start", low="May 2020"))


def test_is_known_and_its_opposite_share_the_patients() -> None:
    data = cohort()
    known = set(left(data, IsKnown(column="age")))
    unknown = set(left(data, IsKnown(column="age", excludes=True)))
    assert known | unknown == set(data.subjects)
    assert not known & unknown
    (step,) = applied(data, IsKnown(column="age")).flow.steps
    assert step.n_excluded == step.n_missing_excluded


def test_a_plain_column_and_a_grouping_can_be_asked_for() -> None:
    data = cohort_of(
        COLUMNS,
        Definitions(
            groupings={
                "fit": Grouping(label="Fitness", variable="ecog", groups={"fit": ("0", "1")})
            }
        ),
    )
    assert left(data, OneOf(column="ecog", values=(0, "1"), missing="drop")) == [
        "S001", "S002", "S005",
    ]  # fmt: skip
    assert left(data, OneOf(column="fit", values=("fit",), missing="drop")) == [
        "S001", "S002", "S005",
    ]  # fmt: skip


def test_a_column_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(StudyError) as caught:
        applied(cohort(), OneOf(column="sexx", values=("Male",)))
    assert caught.value.findings[0].code is FindingCode.COLUMN_MISSING


def test_a_criterion_switched_off_makes_no_step() -> None:
    data = applied(cohort(), OneOf(column="sex", values=("Female",), enabled=False))
    assert data.n == data.n_in_file
    assert data.flow.steps == ()


def test_a_filter_marks_the_cohort_as_exploratory() -> None:
    criterion = OneOf(column="sex", values=("Female",))
    formal, filtered = applied(cohort(), criterion), applied(cohort(), filters=(criterion,))
    assert not formal.exploratory
    assert filtered.exploratory
    assert filtered.flow.steps[0].exploratory
    assert formal.fingerprint != filtered.fingerprint


def test_a_criterion_known_only_later_is_marked_in_the_flow() -> None:
    data = applied(cohort(), OneOf(column="ecog", values=("0",), after_time_zero=True))
    assert data.flow.steps[0].after_time_zero


@pytest.mark.parametrize(
    ("criterion", "phrase"),
    [
        (OneOf(column="sex", values=("Male", "Female")), "Sex is Male or Female"),
        (OneOf(column="ecog", values=(0, 1), excludes=True), "Excluded: ecog is 0 or 1"),
        (Between(column="age", low=18), "Age at least 18"),
        (Between(column="age", high=80.0), "Age at most 80"),
        (Between(column="start", low="2014-01-01", high="2022-10-31"),
         "First dose 2014-01-01 to 2022-10-31"),
        (IsKnown(column="age"), "Age is known"),
        (IsKnown(column="age", label="Age recorded"), "Age recorded"),
    ],
)  # fmt: skip
def test_a_criterion_in_words(criterion: Criterion, phrase: str) -> None:
    assert describe(cohort(), criterion) == phrase


MISSING = st.sampled_from(["keep", "drop", "only"])
CRITERIA = st.one_of(
    st.builds(
        OneOf,
        column=st.sampled_from(["sex", "ecog"]),
        values=st.lists(st.sampled_from(["Male", "Female", 0, 1, "2"]), max_size=3).map(tuple),
        excludes=st.booleans(),
        missing=MISSING,
        enabled=st.booleans(),
    ),
    st.builds(
        Between,
        column=st.just("age"),
        low=st.none() | st.integers(0, 90),
        high=st.none() | st.integers(0, 90),
        excludes=st.booleans(),
        missing=MISSING,
        enabled=st.booleans(),
    ),
    st.builds(IsKnown, column=st.sampled_from(["sex", "age", "start"]), excludes=st.booleans()),
)
PATIENTS = st.lists(
    st.tuples(
        st.sampled_from(["男", "女", None]),
        st.sampled_from(["17", "40", "80", "NA", "x"]),
        st.sampled_from(["2020-01-01", "NA", "bad"]),
        st.sampled_from(["0", "1", "2", None]),
    ),
    max_size=8,
)


def cohort_from(patients: list[tuple[Any, ...]]) -> Cohort:
    columns = dict(zip(COLUMNS, ([*cells] for cells in zip(*patients, strict=True)), strict=True)) \
        if patients else {name: [] for name in COLUMNS}  # fmt: skip
    return cohort_of(columns, Definitions(variables=VARIABLES))


@given(PATIENTS, st.lists(CRITERIA, max_size=5), st.lists(CRITERIA, max_size=2))
def test_the_flow_always_adds_up(
    patients: list[tuple[Any, ...]], criteria: list[Any], filters: list[Any]
) -> None:
    data = applied(cohort_from(patients), *criteria, filters=tuple(filters))
    n = len(patients)
    assert data.flow.n_start == n
    gone: list[str] = []
    for step in data.flow.steps:
        assert step.n_before == n
        assert step.n_before - step.n_excluded == step.n_after
        assert step.n_missing_excluded <= step.n_excluded == len(step.subjects)
        assert 0 <= step.n_not_verifiable <= step.n_after
        n = step.n_after
        gone += step.subjects
    assert data.flow.n_end == n == data.n
    assert len(gone) == len(set(gone)), "nobody leaves twice"
    assert {*gone, *data.analysed} == set(data.subjects)
    enabled = sum(item.enabled for item in (*criteria, *filters))
    assert len(data.flow.steps) == enabled


@given(PATIENTS, st.lists(CRITERIA, max_size=4), st.randoms(use_true_random=False))
def test_order_never_changes_who_is_left(
    patients: list[tuple[Any, ...]], criteria: list[Any], random: Any
) -> None:
    data = cohort_from(patients)
    shuffled = [*criteria]
    random.shuffle(shuffled)
    first, second = applied(data, *criteria), applied(data, *shuffled)
    assert np.array_equal(first.included, second.included)


@given(PATIENTS, st.lists(CRITERIA, min_size=1, max_size=4))
def test_switching_off_and_on_again_is_as_if_nothing_had_happened(
    patients: list[tuple[Any, ...]], criteria: list[Any]
) -> None:
    data = cohort_from(patients)
    on = applied(data, *criteria)
    off = applied(on, *(replace(item, enabled=False) for item in criteria))
    again = applied(off, *criteria)
    assert off.n == data.n_in_file
    assert np.array_equal(on.included, again.included)
    assert on.flow == again.flow
    assert on.fingerprint == again.fingerprint


@given(PATIENTS, CRITERIA)
def test_an_outcome_depends_on_no_other_patient(
    patients: list[tuple[Any, ...]], criterion: Any
) -> None:
    whole = evaluate(cohort_from(patients), criterion)
    for place, patient in enumerate(patients):
        alone = evaluate(cohort_from([patient]), criterion)
        assert alone.leaves[0] == whole.leaves[place]
        assert alone.unknown[0] == whole.unknown[place]
