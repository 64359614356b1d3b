"""Variables made of others: the same as counted row by row in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.criteria import evaluate
from sts_core.derivations import NO, UNSPECIFIED, YES
from sts_core.derive import (
    cut_levels,
    dates_of,
    derivation_sentence,
    levels_of,
    numbers_of,
    suggested_cuts,
    unseen_values,
)
from sts_core.findings import FindingCode, StudyError
from sts_core.study import (
    Between,
    Combination,
    CountOf,
    Definitions,
    FirstKnown,
    IsInRange,
    IsOneOf,
    Measured,
    Nested,
    Study,
    Variable,
    VariableKind,
    WhetherKnown,
    dump_study,
    load_study,
)
from tests.doubles import cohort_of

ANSWER = st.sampled_from(["yes", "no", "maybe", None, "NA"])
WORD = st.sampled_from(["a", "b", "c", None, "NA"])
ROWS = st.lists(st.tuples(ANSWER, ANSWER, ANSWER, WORD, WORD), min_size=1, max_size=8)
NAMES = ("lung", "bone", "liver", "first", "second")
ORGANS = NAMES[:3]


def cohort(columns: dict[str, list[Any]], **variables: Variable) -> Cohort:
    return cohort_of(columns, Definitions(variables=variables))


def known(value: str | None) -> str | None:
    return None if value == "NA" else value


def columns_of(rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[at] for row in rows] for at, name in enumerate(NAMES)}


def made(rows: list[tuple[Any, ...]], derived: Any, **more: Any) -> list[str | None]:
    variable = Variable(label="X", derived=derived, **more)
    levels = levels_of(cohort(columns_of(rows), x=variable), "x")
    counted = sum(value is not None for value in levels.values)
    assert counted + sum(value is None for value in levels.values) == len(rows)
    assert {value for value in levels.values if value is not None} <= {*levels.levels}
    values: list[str | None] = levels.values.tolist()
    return values


@given(ROWS)
def test_one_of_as_by_hand(rows: list[Any]) -> None:
    expected = [
        None if known(row[3]) is None else YES if row[3] in ("a", "c") else NO for row in rows
    ]
    assert made(rows, IsOneOf("first", ("a", "c"))) == expected


@given(ROWS)
def test_known_or_not_as_by_hand(rows: list[Any]) -> None:
    expected = [NO if known(row[3]) is None else YES for row in rows]
    assert made(rows, WhetherKnown("first")) == expected


@given(ROWS)
def test_first_known_as_by_hand(rows: list[Any]) -> None:
    expected = [known(row[3]) if known(row[3]) is not None else known(row[4]) for row in rows]
    assert made(rows, FirstKnown(("first", "second"))) == expected


@given(ROWS, st.sampled_from(["unknown", "others"]), st.booleans())
def test_combination_as_by_hand(rows: list[Any], missing: Any, any_order: bool) -> None:
    expected: list[str | None] = []
    for row in rows:
        drugs = [drug for drug in map(known, row[3:]) if drug is not None]
        if any_order:
            drugs = sorted({*drugs})
        complete = None not in (known(row[3]), known(row[4]))
        keep = bool(drugs) and (complete or missing == "others")
        expected.append(" + ".join(drugs) if keep else None)
    derived = Combination(("first", "second"), one_missing=missing, any_order=any_order)
    assert made(rows, derived) == expected


@given(ROWS, st.sampled_from(["unspecified", "unknown"]))
def test_nesting_as_by_hand(rows: list[Any], missing: Any) -> None:
    expected: list[str | None] = []
    for row in rows:
        upper, lower = known(row[3]), known(row[4])
        if upper != "a":
            expected.append(upper)
        elif lower is not None:
            expected.append(f"a: {lower}")
        else:
            expected.append(f"a: {UNSPECIFIED}" if missing == "unspecified" else None)
    assert made(rows, Nested("first", "second", ("a",), one_missing=missing)) == expected


@given(ROWS, st.booleans(), st.sets(st.integers(0, 4), max_size=3))
def test_a_count_is_known_where_no_answer_could_change_its_group(
    rows: list[Any], strict: bool, cuts: set[int]
) -> None:
    derived = CountOf(ORGANS, ("yes",), ("no",) if strict else ())
    expected: list[str | None] = []
    for row in rows:
        # every way in which the unknown answers may come out
        ways = {0}
        nothing = True
        for answer in map(known, row[:3]):
            unknown = answer is None or (strict and answer == "maybe")
            nothing &= unknown
            if unknown:
                ways |= {count + 1 for count in ways}
            elif answer == "yes":
                ways = {count + 1 for count in ways}
        names = cut_levels(tuple(map(float, cuts)))
        groups = {
            names[sum(count >= cut for cut in cuts)] if cuts else str(count) for count in ways
        }
        expected.append(groups.pop() if len(groups) == 1 and not nothing else None)
    kind = VariableKind.ORDERED
    assert made(rows, derived, kind=kind, cuts=tuple(map(float, cuts))) == expected


@given(ROWS)
def test_a_number_of_organs_is_missing_where_an_answer_is(rows: list[Any]) -> None:
    variable = Variable(
        label="Organs", kind=VariableKind.NUMERIC, derived=CountOf(ORGANS, ("yes",))
    )
    values = numbers_of(cohort(columns_of(rows), organs=variable), "organs").values
    for row, value in zip(rows, values, strict=True):
        answers = [known(answer) for answer in row[:3]]
        if None in answers:
            assert np.isnan(value)
        else:
            assert value == answers.count("yes")


NUMBER = st.none() | st.integers(0, 10)


@given(st.lists(NUMBER, min_size=1, max_size=8), st.integers(0, 10), st.booleans())
def test_ranges_take_their_lower_bound_in(numbers: list[int | None], cut: int, lower: bool) -> None:
    derived = IsInRange("n", at_least=cut) if lower else IsInRange("n", below=cut)
    variable = Variable(label="X", derived=derived)
    values = levels_of(cohort({"n": numbers}, x=variable), "x").values.tolist()
    assert values == [
        None if number is None else YES if (number >= cut) is lower else NO for number in numbers
    ]


def test_a_threshold_of_a_count_may_be_known_before_the_count() -> None:
    found = cohort(
        {"lung": ["yes", "no"], "bone": ["yes", None], "liver": [None, None]},
        organs=Variable(label="N", kind=VariableKind.NUMERIC, derived=CountOf(ORGANS, ("yes",))),
        several=Variable(label="Several", derived=IsInRange("organs", at_least=2)),
    )
    assert levels_of(found, "several").values.tolist() == ["Yes", None]
    assert np.isnan(numbers_of(found, "organs").values).all()


def test_derived_then_cut_then_coded_then_merged() -> None:
    found = cohort(
        {"lung": ["yes"] * 3 + ["no"] * 2, "bone": ["yes", "no", None, "no", None],
         "liver": ["yes", "no", "no", "no", "yes"]},
        organs=Variable(
            label="Organs", kind=VariableKind.ORDERED, cuts=(1.0, 2.0),
            derived=CountOf(ORGANS, ("yes",)),
            codes={"<1": "none", "1 to <2": "one", "≥2": "Multiple"},
            merged={"None or single": ("none", "one")},
        ),
    )  # fmt: skip
    levels = levels_of(found, "organs")
    assert levels.levels == ("None or single", "Multiple")
    # the third has one or two, the fifth too: that is not settled
    assert levels.values.tolist() == ["Multiple", "None or single", None, "None or single", None]


def test_groups_under_one_name_are_known_whatever_the_unknown_answer() -> None:
    found = cohort(
        {"lung": ["no"], "bone": [None]},
        organs=Variable(
            label="Organs", kind=VariableKind.ORDERED, cuts=(1.0, 2.0),
            derived=CountOf(("lung", "bone"), ("yes",)),
            merged={"None or single": ("<1", "1 to <2")},
        ),
    )  # fmt: skip
    assert levels_of(found, "organs").values.tolist() == ["None or single"]


def test_inputs_are_taken_as_their_variables_name_them() -> None:
    found = cohort(
        {"geschlecht": ["m", "w", "x"], "site": ["limb", "trunk", "limb"]},
        sex=Variable(label="Sex", column="geschlecht", codes={"m": "Male", "w": "Female"},
                     missing_codes=("x",), levels=("Male", "Female")),
        both=Variable(label="Both", derived=Combination(("sex", "site"), joined_by=", ")),
    )  # fmt: skip
    levels = levels_of(found, "both")
    assert levels.values.tolist() == ["Male, limb", "Female, trunk", None]
    assert levels.levels == ("Male, limb", "Female, trunk")


def test_first_known_dates_and_numbers_stay_dates_and_numbers() -> None:
    found = cohort(
        {"d": ["2020-01-02", None], "e": ["2021-01-01", "2021-05-03"], "n": [None, "7"],
         "m": ["3.5", "8"]},
        d=Variable(label="D", kind=VariableKind.DATE),
        when=Variable(label="When", kind=VariableKind.DATE, derived=FirstKnown(("d", "e"))),
        size=Variable(label="Size", kind=VariableKind.NUMERIC, derived=FirstKnown(("n", "m"))),
    )  # fmt: skip
    assert dates_of(found, "when").values.tolist() == [
        np.datetime64("2020-01-02").item(), np.datetime64("2021-05-03").item(),
    ]  # fmt: skip
    assert numbers_of(found, "size").values.tolist() == [3.5, 7.0]
    leaves = evaluate(found, Between("size", low=5.0)).leaves
    assert leaves.tolist() == [True, False]


def test_levels_of_a_nested_variable_follow_the_upper_ones() -> None:
    found = cohort(
        {"h": ["LMS", "RMS", "RMS", "ASPS", "RMS"], "t": [None, "p", "e", None, None]},
        h=Variable(label="H", levels=("RMS", "LMS", "ASPS")),
        t=Variable(label="T", levels=("e", "p"), codes={"e": "e", "p": "p"}),
        x=Variable(label="X", derived=Nested("h", "t", ("RMS",))),
    )
    assert levels_of(found, "x").levels == (
        "RMS: e", "RMS: p", "RMS: not specified", "LMS", "ASPS",
    )  # fmt: skip


def test_an_input_that_is_not_there_is_a_finding() -> None:
    found = cohort({"a": ["1"]}, x=Variable(label="X", derived=WhetherKnown("b")))
    with pytest.raises(StudyError) as caught:
        levels_of(found, "x")
    assert caught.value.findings[0].code is FindingCode.COLUMN_MISSING
    assert FindingCode.COLUMN_MISSING in {finding.code for finding in check_cohort(found)}


def test_a_value_that_never_occurs_is_said() -> None:
    found = cohort(
        {"lung": ["yes", "suspected"]},
        x=Variable(label="X", derived=IsOneOf("lung", ("Yes",))),
        n=Variable(label="N", kind=VariableKind.NUMERIC,
                   derived=CountOf(("lung",), ("yes",), ("no",))),
    )  # fmt: skip
    (absent,) = unseen_values(found, "x")
    assert "“Yes”" in absent.message
    (strange,) = unseen_values(found, "n")
    assert "“suspected”" in strange.message
    assert {absent, strange} <= {*check_cohort(found)}


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_variable_is_not_made_of_itself(length: int) -> None:
    with pytest.raises(ValidationError, match="made of itself"):
        Definitions(
            variables={
                f"v{at}": Variable(label="V", derived=WhetherKnown(f"v{(at + 1) % length}"))
                for at in range(length)
            }
        )
    text = "definitions: {variables: {x: {label: X, derived: {kind: whether_known, of: x}}}}"
    with pytest.raises(StudyError) as caught:
        load_study(text)
    assert caught.value.findings[0].code is FindingCode.STUDY_FILE_INVALID


def test_endless_chains_are_refused() -> None:
    deep = {f"v{n}": Variable(label="V", derived=WhetherKnown(f"v{n + 1}")) for n in range(30)}
    with pytest.raises(ValidationError, match="more than 20"):
        Definitions(variables=deep)
    wide = {
        f"v{n}": Variable(
            label="V", derived=Combination((f"v{n + 1}", f"w{n + 1}")))
        for n in range(12)
    } | {
        f"w{n}": Variable(label="W", derived=Combination((f"w{n + 1}", f"v{n + 1}")))
        for n in range(12)
    }  # fmt: skip
    with pytest.raises(ValidationError, match="more than 500"):
        Definitions(variables=wide)


@pytest.mark.parametrize(
    ("inputs", "own", "expected"),
    [
        ((Measured.BASELINE, Measured.POST_BASELINE), Measured.BASELINE, Measured.POST_BASELINE),
        ((Measured.BASELINE, Measured.BASELINE), Measured.UNKNOWN, Measured.BASELINE),
        ((Measured.BASELINE, Measured.UNKNOWN), Measured.BASELINE, Measured.BASELINE),
        ((Measured.UNKNOWN, Measured.UNKNOWN), Measured.UNKNOWN, Measured.UNKNOWN),
    ],
)
def test_what_is_known_after_time_zero_makes_the_rest_so(
    inputs: tuple[Measured, Measured], own: Measured, expected: Measured
) -> None:
    definitions = Definitions(
        variables={
            "y": Variable(label="Y", measured=own, derived=WhetherKnown("x")),
            "x": Variable(label="X", measured=own, derived=Combination(("a", "b"))),
            "a": Variable(label="A", measured=inputs[0]),
            "b": Variable(label="B", measured=inputs[1]),
        }
    )
    assert definitions.variables["x"].measured is expected
    assert definitions.variables["y"].measured is expected
    study = Study(definitions=definitions)
    assert load_study(dump_study(study)) == study


@pytest.mark.parametrize(
    "text",
    [
        "{kind: is_in_range, of: a}",
        "{kind: is_in_range, of: a, at_least: 3, below: 2}",
        "{kind: is_in_range, of: a, at_least: .nan}",
        "{kind: count_of, of: [], yes: [a]}",
        "{kind: count_of, of: [a, a], yes: [b]}",
        "{kind: count_of, of: [a], yes: [b], no: [b]}",
        "{kind: count_of, of: [a], yes: []}",
        "{kind: combination, of: [a]}",
        "{kind: nested, of: a, by: a, split: [b]}",
        "{kind: nested, of: a, by: b, split: []}",
        "{kind: sum_of, of: [a, b]}",
    ],
)
def test_a_derivation_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(StudyError) as caught:
        load_study(f"definitions: {{variables: {{x: {{label: X, derived: {text}}}}}}}")
    assert all("definitions.variables.x" in finding.message for finding in caught.value.findings)


def test_a_derived_variable_has_no_column() -> None:
    with pytest.raises(ValidationError, match="no column"):
        Variable(label="X", column="a", derived=WhetherKnown("a"))


def test_a_sentence_says_how_it_is_made() -> None:
    found = cohort(
        {"lung": ["yes", None], "bone": ["no", "no"]},
        lung=Variable(label="Lung metastasis"),
        n=Variable(label="Organs", kind=VariableKind.NUMERIC,
                   derived=CountOf(("lung", "bone"), ("yes",))),
    )  # fmt: skip
    assert derivation_sentence(found, "n") == (
        "Organs: how many of “Lung metastasis” and “bone” are “yes”; not known where one of them "
        "is not known and could change the group (not known in 1 of 2 patients)."
    )
    assert derivation_sentence(found, "lung") == ""


NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(NUMBERS, st.integers(2, 4))
def test_suggested_cuts_leave_no_group_empty_at_the_ends(values: list[float], parts: int) -> None:
    cuts = suggested_cuts(np.array([*values, np.nan]), parts)
    assert len(cuts) <= parts - 1
    assert list(cuts) == sorted({*cuts})
    if cuts:
        assert min(values) < cuts[0]
        assert cuts[-1] <= max(values)
    assert len({*cut_levels(cuts)}) == len(cut_levels(cuts))


def test_the_median_is_a_cut_point() -> None:
    assert suggested_cuts(np.array([15.0, 53, 54, 54, 80]), 2) == (54.0,)
    assert suggested_cuts(np.array([1.0, 1, 1]), 2) == ()
    assert suggested_cuts(np.array([np.nan]), 3) == ()
    assert cut_levels((1234567.25,)) == ("<1234567.25", "≥1234567.25")
