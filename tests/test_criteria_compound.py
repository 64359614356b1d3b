"""Compound criteria, days between dates and rows of other tables: three-valued, and a flow that
adds up whatever is asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.criteria import (
    apply_criteria,
    describe,
    evaluate,
    known_after_time_zero,
    row_counts,
)
from sts_core.disclosure import rare_names, without_names
from sts_core.findings import FindingCode, StudyError
from sts_core.study import (
    AllOf,
    AnalysisSection,
    AnyOf,
    AssessmentDefinition,
    Between,
    Criterion,
    DaysBetween,
    Definitions,
    Endpoint,
    ExposureDefinition,
    HasRow,
    IsKnown,
    Measured,
    OneOf,
    TableSource,
    Variable,
    VariableKind,
    dump_study,
    load_study,
)
from tests.doubles import cohort_of

DEFINITIONS = Definitions(
    endpoints={
        "OS": Endpoint(
            label="Overall survival", start="start", event_dates={"death": "death"},
            last_contact=("seen",),
        )
    },
    variables={
        "sex": Variable(label="Sex"),
        "age": Variable(label="Age", kind=VariableKind.NUMERIC, measured=Measured.BASELINE),
        "begin": Variable(label="First dose", kind=VariableKind.DATE, column="start"),
        "cycles": Variable(label="Cycles", kind=VariableKind.NUMERIC,
                           measured=Measured.POST_BASELINE),
    },
    assessments=AssessmentDefinition(date="date", overall="result", codes={"progress": "PD"}),
)  # fmt: skip
PATIENTS: dict[str, list[Any]] = {
    "id": ["a", "b", "c", "d", "e", "f"],
    "sex": ["F", "M", None, "F", "M", None],
    "age": ["40", "70", "70", None, None, None],
    "start": ["2020-01-01", "2020-01-01", "2020-01-01", None, "2020-03-01", "2020-01-01"],
    "death": [None, "2020-01-31", "2019-12-01", "2020-01-01", None, None],
    "seen": ["2021-01-01"] * 6,
    "cycles": [1, 2, 3, 4, 5, 6],
}
ROWS: dict[str, list[Any]] = {
    "id": ["a", "a", "b", "b", "c", "d", "e", "e"],
    "date": [
        "2020-02-01", "2020-04-01", "2019-12-20", "2020-01-01", None, "2020-02-01", "2020-03-20",
        "2020-05-01",
    ],
    "result": ["SD", "progress", "PD", None, "PD", "PR", "NE", None],
}  # fmt: skip
ASSESSMENTS = TableSource(file="assessments.csv", subject_id="id")


def cohort(
    patients: dict[str, list[Any]] | None = None, rows: dict[str, list[Any]] | None = None
) -> Cohort:
    return cohort_of(
        patients or PATIENTS, DEFINITIONS, subject_id="id",
        others={"assessments": (ASSESSMENTS, rows or ROWS)},
    )  # fmt: skip


def three(data: Cohort, criterion: Criterion) -> str:
    """Give what a criterion says of each patient: yes, no, or ? where it can't be decided."""
    outcome = evaluate(data, replace(criterion, missing="keep"))
    return "".join(
        "?" if unknown else "-" if leaves else "+"
        for unknown, leaves in zip(outcome.unknown, outcome.leaves, strict=True)
    )


FEMALE, OLD = OneOf("sex", ("F",)), Between("age", low=65)


def test_and_fails_by_one_part_and_is_open_where_one_is_unknown() -> None:
    data = cohort()
    assert three(data, FEMALE) == "+-?+-?"
    assert three(data, OLD) == "-++???"
    assert three(data, AllOf((FEMALE, OLD))) == "--??-?"
    assert three(data, AnyOf((FEMALE, OLD))) == "++++??"


def test_a_part_that_excludes_is_the_opposite_and_stays_open() -> None:
    data = cohort()
    assert three(data, AllOf((replace(FEMALE, excludes=True), OLD))) == "-+?-??"
    assert three(data, AllOf((FEMALE, OLD), excludes=True)) == "++??+?"


def test_whether_a_value_is_known_is_never_open() -> None:
    assert three(cohort(), AllOf((IsKnown("sex"), IsKnown("age")))) == "++----"


@pytest.mark.parametrize(
    ("missing", "left", "for_missing", "not_verifiable"),
    [("keep", "S003 S004 S006", 0, 3), ("drop", "", 3, 0), ("only", "S003 S004 S006", 0, 0)],
)
def test_what_happens_where_a_compound_is_open(
    missing: Any, left: str, for_missing: int, not_verifiable: int
) -> None:
    data = applied(cohort(), AllOf((FEMALE, OLD), missing=missing))
    assert " ".join(data.analysed) == left
    (step,) = data.flow.steps
    assert (step.n_missing_excluded, step.n_not_verifiable) == (for_missing, not_verifiable)


def test_only_missing_leaves_those_without_a_value_also_for_an_exclusion() -> None:
    for excludes in (False, True):
        data = applied(cohort(), OneOf("sex", ("F",), missing="only", excludes=excludes))
        assert data.analysed.tolist() == ["S003", "S006"]


def test_those_who_leave_only_for_a_missing_value_are_found_inside_a_compound() -> None:
    """By hand: d and e have no age, which is asked to be known; they might stay if it were."""
    data = applied(cohort(), AllOf((IsKnown("age"), AnyOf((FEMALE, OLD)))))
    (step,) = data.flow.steps
    assert step.subjects == ("S004", "S005", "S006")
    assert step.n_missing_excluded == 3
    data = applied(cohort(), AllOf((IsKnown("age"), replace(FEMALE, excludes=True))))
    (step,) = data.flow.steps
    # a is a woman and d one whose age is unknown: no age could keep her
    assert step.subjects == ("S001", "S004", "S005", "S006")
    assert step.n_missing_excluded == 2


def test_days_between_two_dates_by_hand() -> None:
    data = cohort()
    assert three(data, DaysBetween("death", "start", low=0, high=30)) == "?+-???"
    assert three(data, DaysBetween("death", "begin", low=0, high=29)) == "?--???"
    assert three(data, DaysBetween("death", "start", high=-1)) == "?-+???"


def test_a_row_of_another_table() -> None:
    data = cohort()
    any_row = HasRow("assessments")
    assert three(data, any_row) == "+++++-", "f has no row"
    assert three(data, HasRow("assessments", at_least=2)) == "++--+-"
    progressed = HasRow("assessments", where=(OneOf("result", ("PD",)),))
    assert three(data, progressed) == "+++-?-", "the code means PD; e has a row without a result"
    known = HasRow("assessments", where=(IsKnown("result"),), at_least=2)
    assert three(data, known) == "+-----"


def test_a_row_by_its_days_from_time_zero() -> None:
    data = cohort()
    after = HasRow("assessments", date="date", origin="begin", low=0)
    # b: one before and one on the day; c: the date is not known; d: no date of the first dose
    assert three(data, after) == "++??+-"
    assert three(data, replace(after, low=1)) == "+-??+-"
    assert three(data, replace(after, low=0, high=31)) == "++??+-"
    assert three(data, replace(after, low=None, high=-1)) == "-+??--"
    assert three(data, replace(after, at_least=2)) == "+---+-", "one open row can't make two"
    counts = row_counts(data, after)
    assert counts.sure.tolist() == [2, 1, 0, 0, 2, 0]
    assert counts.possible.tolist() == [2, 1, 1, 1, 2, 0]


def test_a_row_by_its_study_day_counts_day_1_as_the_day_itself() -> None:
    data = cohort_of(
        {"id": ["a", "b"]}, Definitions(), subject_id="id",
        others={"visits": (TableSource(file="v.csv", subject_id="id"),
                           {"id": ["a", "b"], "day": [1, 30]})},
    )  # fmt: skip
    assert three(data, HasRow("visits", study_day="day", low=0, high=0)) == "+-"
    assert three(data, HasRow("visits", study_day="day", low=0, high=29)) == "++"
    assert three(data, HasRow("visits", study_day="day", low=0, high=28)) == "+-"


@pytest.mark.parametrize(
    ("criterion", "phrase"),
    [
        (AllOf((FEMALE, OLD)), "Sex is F and Age at least 65"),
        (AnyOf((OneOf("sex", ("F", "M")), replace(OLD, excludes=True)), excludes=True),
         "Excluded: (Sex is F or M) or Age not at least 65"),
        (DaysBetween("death", "begin", low=0, high=30),
         "death within 30 days after First dose"),
        (DaysBetween("death", "start", low=-1, high=0), "death within 1 day before First dose"),
        (DaysBetween("death", "begin", low=3, high=9), "death 3 to 9 days after First dose"),
        (DaysBetween("death", "begin", low=1), "death after First dose"),
        (HasRow("assessments"), "At least one row in assessments"),
        (HasRow("assessments", where=(OneOf("result", ("PD",)),), at_least=2, date="date",
                origin="begin", low=0),
         "At least 2 rows in assessments with result is PD, on or after First dose"),
        (AllOf((HasRow("assessments", excludes=True), IsKnown("age"))),
         "No row in assessments and Age is known"),
    ],
)  # fmt: skip
def test_such_criteria_in_words(criterion: Criterion, phrase: str) -> None:
    assert describe(cohort(), criterion) == phrase


@pytest.mark.parametrize(
    ("criterion", "later"),
    [
        (FEMALE, False),
        (OLD, False),
        (OneOf("start", ("x",)), False),
        (Between("cycles", high=1), True),
        (IsKnown("death"), True),
        (IsKnown("follow_up_available"), True),
        (IsKnown("Date of last scan"), True),
        (DaysBetween("seen", "start", low=1), True),
        (AllOf((FEMALE, Between("cycles", low=2))), True),
        (HasRow("assessments"), True),
        (HasRow("assessments", date="date", origin="start", high=0), False),
        (HasRow("exposures"), False),
        (HasRow("exposures", at_least=2), True),
        (HasRow("visits"), False),
    ],
)
def test_what_is_known_only_after_time_zero(criterion: Criterion, later: bool) -> None:
    study = replace(
        cohort().study, definitions=replace(DEFINITIONS, exposures=ExposureDefinition("from"))
    )
    assert known_after_time_zero(replace(cohort(), study=study), criterion) is later


def test_a_table_or_a_column_that_is_not_there_is_named() -> None:
    criteria = (
        AllOf((FEMALE, OneOf("sexx", ("F",)))),
        HasRow("assessments", where=(IsKnown("resultt"),)),
        HasRow("lesions"),
    )
    data = cohort()
    study = replace(data.study, analysis=AnalysisSection(criteria=criteria))
    found = check_cohort(replace(data, study=study))
    named = {item.column for item in found if item.code is FindingCode.CRITERION_COLUMN_MISSING}
    assert named == {"sexx", "resultt"}
    assert any(item.code is FindingCode.TABLE_MISSING for item in found)
    for criterion in criteria:
        with pytest.raises(StudyError):
            evaluate(data, criterion)


@pytest.mark.parametrize(
    "wrong",
    [
        "{kind: all_of, parts: [{kind: is_known, column: a}]}",
        "{kind: any_of, parts: [{kind: is_known, column: a}, "
        "{kind: is_known, column: b, label: x}]}",
        "{kind: any_of, parts: [{kind: is_known, column: a}, "
        "{kind: one_of, column: b, values: [c], missing: drop}]}",
        "{kind: days_between, column: a, since: b}",
        "{kind: days_between, column: a, since: b, low: 3, high: 1}",
        "{kind: has_row, table: subjects}",
        "{kind: has_row, table: t, at_least: 0}",
        "{kind: has_row, table: t, low: 0}",
        "{kind: has_row, table: t, date: d, low: 0}",
    ],
)
def test_what_means_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(StudyError, match="study_file_invalid"):
        load_study(f"analysis: {{criteria: [{wrong}]}}")


def test_values_inside_compounds_and_rows_are_seen_by_the_disclosure_check() -> None:
    criteria = (
        AllOf((OneOf("sex", ("F",)), IsKnown("age"))),
        HasRow("assessments", where=(OneOf("result", ("PR",)),)),
        IsKnown("age"),
    )
    data = applied(cohort(), *criteria)
    rare = rare_names(data)
    assert {(item.name, item.n) for item in rare} >= {("F", 2), ("PR", 1)}
    withheld = without_names(data.study, rare)
    assert withheld.study.analysis.criteria == (IsKnown("age"),)
    assert sum("criterion" in loss for loss in withheld.losses) == 2


# --- random cohorts and criteria -----------------------------------------------------------------


def applied(data: Cohort, *criteria: Criterion, filters: Sequence[Criterion] = ()) -> Cohort:
    analysis = AnalysisSection(criteria=criteria, filters=tuple(filters))
    return apply_criteria(data, replace(data.study, analysis=analysis))


DAY = st.sampled_from(["2020-01-01", "2020-01-10", "2020-03-01", None, "bad"])
PERSON = st.tuples(
    st.sampled_from(["F", "M", None]), st.sampled_from(["40", "70", "x", None]), DAY, DAY
)
ROW = st.tuples(st.integers(0, 5), DAY, st.sampled_from(["PD", "SD", None]))
BOUND = st.none() | st.integers(-20, 60)


def _ordered(bounds: tuple[int | None, int | None]) -> tuple[int | None, int | None]:
    low, high = bounds
    return (high, low) if low is not None and high is not None and low > high else bounds


WINDOW = st.tuples(BOUND, BOUND).map(_ordered).filter(lambda pair: pair != (None, None))
ROW_PARTS = st.lists(
    st.builds(OneOf, column=st.just("result"), values=st.sampled_from([("PD",), ("SD", "PD")]),
              excludes=st.booleans())
    | st.builds(IsKnown, column=st.sampled_from(["result", "date"]), excludes=st.booleans()),
    max_size=2,
).map(tuple)  # fmt: skip
SINGLE = st.one_of(
    st.builds(OneOf, column=st.just("sex"), values=st.sampled_from([("F",), ("M",), ()]),
              excludes=st.booleans()),
    st.builds(Between, column=st.just("age"), low=st.sampled_from([None, 50]),
              high=st.sampled_from([None, 60]), excludes=st.booleans()),
    st.builds(IsKnown, column=st.sampled_from(["sex", "age"]), excludes=st.booleans()),
    st.builds(lambda window, excludes: DaysBetween("seen", "start", *window, excludes=excludes),
              WINDOW, st.booleans()),
    st.builds(
        lambda window, where, k, excludes: HasRow(
            "assessments", where, k, "date", "begin", None, *window, excludes=excludes
        ),
        WINDOW, ROW_PARTS, st.integers(1, 2), st.booleans(),
    ),
    st.builds(HasRow, table=st.just("assessments"), where=ROW_PARTS, at_least=st.integers(1, 2)),
)  # fmt: skip
INNER = st.one_of(
    *(st.builds(kind, parts=st.lists(SINGLE, min_size=2, max_size=2).map(tuple),
                excludes=st.booleans()) for kind in (AllOf, AnyOf))
)  # fmt: skip
COMPOUND = st.one_of(
    *(st.builds(kind, parts=st.lists(SINGLE | INNER, min_size=2, max_size=3).map(tuple),
                excludes=st.booleans()) for kind in (AllOf, AnyOf))
)  # fmt: skip


def with_choices(criterion: Any, missing: Any, enabled: bool) -> Any:
    return replace(criterion, missing=missing, enabled=enabled)


ANY = st.builds(
    with_choices, SINGLE | COMPOUND, st.sampled_from(["keep", "drop", "only"]), st.booleans()
)


def cohort_from(people: list[tuple[Any, ...]], rows: list[tuple[Any, ...]]) -> Cohort:
    n = len(people)
    patients: dict[str, list[Any]] = {"id": [f"p{i}" for i in range(n)]}
    for place, name in enumerate(("sex", "age", "start", "seen")):
        patients[name] = [person[place] for person in people]
    mine = [row for row in rows if row[0] < n]
    table = {
        "id": [f"p{row[0]}" for row in mine],
        "date": [row[1] for row in mine],
        "result": [row[2] for row in mine],
    }
    patients |= {"death": [None] * n, "cycles": [None] * n}
    return cohort(patients, table if mine else {"id": ["p0"], "date": [None], "result": [None]})


def read_day(text: str | None) -> dt.date | None:
    return None if text in (None, "bad") else dt.date.fromisoformat(str(text))


def oracle(criterion: Any, person: tuple[Any, ...], rows: list[tuple[Any, ...]]) -> bool | None:
    """Decide a condition of one patient in plain Python, ``None`` where it is open."""
    sex, age, start, seen = person

    def inside(value: float | None, low: Any, high: Any) -> bool | None:
        if value is None:
            return None
        return (low is None or value >= low) and (high is None or value <= high)

    def days(end: str | None) -> float | None:
        last, first = read_day(end), read_day(start)
        return None if last is None or first is None else (last - first).days

    def negated(value: bool | None, part: Any) -> bool | None:
        return value if value is None or not part.excludes else not value

    def both(values: list[bool | None]) -> bool | None:
        if False in values:
            return False
        return None if None in values else True

    def on_row(part: Any, row: tuple[Any, ...]) -> bool | None:
        text = row[1] if part.column == "date" else row[2]
        if isinstance(part, IsKnown):
            return negated(text is not None, part)
        return negated(None if text is None else text in part.values, part)

    match criterion:
        case OneOf():
            return None if sex is None else sex in criterion.values
        case Between():
            number = None if age in (None, "x") else float(age)
            return inside(number, criterion.low, criterion.high)
        case IsKnown():
            return (sex if criterion.column == "sex" else age) is not None
        case DaysBetween():
            return inside(days(seen), criterion.low, criterion.high)
        case HasRow():
            found = []
            for row in rows:
                parts = [on_row(part, row) for part in criterion.where]
                if criterion.date is not None:
                    parts.append(inside(days(row[1]), criterion.low, criterion.high))
                found.append(both(parts))
            if found.count(True) >= criterion.at_least:
                return True
            return None if len(found) - found.count(False) >= criterion.at_least else False
        case AllOf():
            return both([negated(oracle(part, person, rows), part) for part in criterion.parts])
        case _:
            opposite = [
                None if value is None else not value
                for value in (negated(oracle(p, person, rows), p) for p in criterion.parts)
            ]
            none = both(opposite)
            return None if none is None else not none


PEOPLE = st.lists(PERSON, min_size=1, max_size=6)
TABLE = st.lists(ROW, max_size=8)


@settings(max_examples=60)
@given(PEOPLE, TABLE, ANY)
def test_every_condition_is_decided_as_by_hand(
    people: list[tuple[Any, ...]], rows: list[tuple[Any, ...]], criterion: Any
) -> None:
    outcome = evaluate(cohort_from(people, rows), criterion)
    if not any(row[0] < len(people) for row in rows):
        rows = [(0, None, None)]
    for place, person in enumerate(people):
        met = oracle(criterion, person, [row for row in rows if row[0] == place])
        stays = None if met is None else met is not criterion.excludes
        assert outcome.unknown[place] == (met is None)
        expected = {
            "keep": stays is False, "drop": stays is not True, "only": stays is not None,
        }["drop" if isinstance(criterion, IsKnown) else criterion.missing]  # fmt: skip
        assert outcome.leaves[place] == expected
        if outcome.for_missing[place]:
            assert outcome.leaves[place]
        if outcome.leaves[place] and outcome.unknown[place]:
            assert outcome.for_missing[place]


@settings(max_examples=40)
@given(PEOPLE, TABLE, st.lists(ANY, max_size=4), st.lists(ANY, max_size=1))
def test_the_flow_adds_up_and_nobody_leaves_without_a_reason(
    people: list[tuple[Any, ...]],
    rows: list[tuple[Any, ...]],
    criteria: list[Any],
    filters: list[Any],
) -> None:
    data = applied(cohort_from(people, rows), *criteria, filters=filters)
    n, gone = len(people), []
    in_force = [item for item in (*criteria, *filters) if item.enabled]
    assert len(data.flow.steps) == len(in_force)
    for step, criterion in zip(data.flow.steps, in_force, strict=True):
        assert (step.n_before, step.n_before - step.n_excluded) == (n, step.n_after)
        assert step.n_missing_excluded <= step.n_excluded == len(step.subjects)
        assert step.n_not_verifiable <= step.n_after
        leaves = evaluate(data, criterion).leaves
        assert all(leaves[data.subjects.tolist().index(who)] for who in step.subjects)
        n = step.n_after
        gone += step.subjects
    assert data.flow.n_end == n == data.n
    assert sorted([*gone, *data.analysed]) == sorted(data.subjects), "each once, in or out"
    assert load_study(dump_study(data.study)) == data.study


@settings(max_examples=40)
@given(PEOPLE, TABLE, st.lists(ANY, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_order_changes_attributions_only_and_off_and_on_is_identity(
    people: list[tuple[Any, ...]], rows: list[tuple[Any, ...]], criteria: list[Any], random: Any
) -> None:
    data = cohort_from(people, rows)
    shuffled = [*criteria]
    random.shuffle(shuffled)
    first = applied(data, *criteria)
    assert np.array_equal(first.included, applied(data, *shuffled).included)
    off = applied(first, *(replace(item, enabled=False) for item in criteria))
    assert off.n == off.n_in_file
    again = applied(off, *criteria)
    assert again.flow == first.flow
    assert again.fingerprint == first.fingerprint
    assert np.array_equal(again.included, first.included)
