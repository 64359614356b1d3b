from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.cohort import Cohort
from sts_core.derive import (
    LossReason,
    SurvivalData,
    cut_levels,
    cutoff_date,
    dates_of,
    levels_of,
    natural_order,
    numbers_of,
    status_counts,
    survival_data,
    variable_of,
)
from sts_core.estimators.product_limit import product_limit
from sts_core.findings import FindingCode, StudyError
from sts_core.study import (
    ColumnFormat,
    Definitions,
    Endpoint,
    Grouping,
    TableSource,
    TimeUnit,
    Variable,
    VariableKind,
)
from tests.doubles import FILE, cohort_of

TIMED = Endpoint(
    label="PFS",
    time="months",
    unit=TimeUnit.MONTHS,
    event="status",
    events={"progression": ("PD",), "death": ("Dead", 1)},
    censored=("Alive", 0),
)
DATED = Endpoint(
    label="PFS",
    start="start",
    event_dates={"progression": "progressed", "death": "died"},
    last_contact=("seen", "scanned"),
)


def derived(columns: dict[str, list[Any]], endpoint: Endpoint, **definitions: Any) -> SurvivalData:
    return survival_data(
        cohort_of(columns, Definitions(endpoints={"E": endpoint}, **definitions)), "E"
    )


def reasons(data: SurvivalData) -> dict[LossReason, tuple[int, ...]]:
    return {loss.reason: loss.rows for loss in data.losses}


# ------------------------------------------------------------------------ times with a status


def test_times_are_taken_as_they_are_and_events_by_kind() -> None:
    data = derived(
        {"months": ["5.83", 12, "0"], "status": ["PD", "Alive", "Dead"]},
        TIMED,
    )
    assert data.time.tolist() == [5.83, 12.0, 0.0]
    assert data.kind.tolist() == ["progression", None, "death"]
    assert data.event.tolist() == [True, False, True]
    assert data.subject.tolist() == ["S001", "S002", "S003"]
    assert data.losses == ()


def test_a_status_may_be_a_number_or_its_text() -> None:
    data = derived({"months": [1, 2, 3, 4], "status": [1.0, "1", 0, "0"]}, TIMED)
    assert data.kind.tolist() == ["death", "death", None, None]


def test_nobody_is_dropped_in_silence() -> None:
    data = derived(
        {
            "months": ["1", "NA", "soon", "-2", "3", "4", "5"],
            "status": ["PD", "PD", "PD", "PD", None, "relapsed", "Alive"],
        },
        TIMED,
    )
    assert reasons(data) == {
        LossReason.TIME_MISSING: (3,),
        LossReason.TIME_UNREADABLE: (4,),
        LossReason.TIME_NEGATIVE: (5,),
        LossReason.EVENT_MISSING: (6,),
        LossReason.EVENT_UNKNOWN: (7,),
    }
    assert data.n + sum(len(loss.subjects) for loss in data.losses) == 7
    unknown = next(loss for loss in data.losses if loss.reason is LossReason.EVENT_UNKNOWN)
    assert unknown.values == ("relapsed",)
    assert unknown.column == "status"


def test_a_status_that_means_missing_elsewhere_may_be_named() -> None:
    endpoint = replace(TIMED, events={"event": ("unknown",)}, censored=("-",))
    data = derived({"months": ["1", "2", "3"], "status": ["unknown", "-", "NA"]}, endpoint)
    assert data.kind.tolist() == ["event", None]
    assert reasons(data) == {LossReason.EVENT_MISSING: (4,)}


def test_cnsr_zero_is_an_event_when_the_study_file_says_so() -> None:
    endpoint = replace(TIMED, events={"event": (0,)}, censored=(1, 2))
    data = derived({"months": [1, 2, 3], "status": ["0", "1", "2"]}, endpoint)
    assert data.event.tolist() == [True, False, False]


def test_a_decimal_comma_is_read_by_the_column_format() -> None:
    cohort = cohort_of(
        {"months": ["5,5"], "status": ["PD"]},
        Definitions(endpoints={"E": TIMED}),
        source=TableSource(file=FILE, columns={"months": ColumnFormat(decimal=",")}),
    )
    assert survival_data(cohort, "E").time.tolist() == [5.5]


def test_delayed_entry_must_lie_before_the_end() -> None:
    endpoint = replace(TIMED, entry="entered")
    data = derived(
        {"months": [5, 5, 5], "status": ["PD"] * 3, "entered": ["2", "5", None]}, endpoint
    )
    assert data.entry is not None
    assert data.entry.tolist() == [2.0]
    assert reasons(data) == {LossReason.ENTRY_AFTER_END: (3,), LossReason.ENTRY_MISSING: (4,)}


@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-12, 1e-8])
def test_an_entry_that_differs_from_the_end_by_rounding_only_is_not_before_it(gap: float) -> None:
    # the same day, counted in months by two formulas
    endpoint = replace(TIMED, entry="entered")
    end = 100 / 30.4375
    cells = {"months": [end, 1e-7, 5.0], "status": ["PD"] * 3, "entered": [end - gap, 0.0, 4.9999]}
    data = derived(cells, endpoint)
    assert reasons(data) == {LossReason.ENTRY_AFTER_END: (2,)}
    assert data.entry is not None
    curve = product_limit(data.time, data.event, entry=data.entry)
    assert curve.n == 2


def test_only_those_analysed_are_derived() -> None:
    cohort = cohort_of(
        {"months": [1, 2], "status": ["PD", "PD"]}, Definitions(endpoints={"E": TIMED})
    )
    some = replace(cohort, included=np.array([False, True]))
    data = survival_data(some, "E")
    assert data.subject.tolist() == ["S002"]
    assert data.position.tolist() == [1]


def long_table(rows: dict[str, list[Any]], endpoint: Endpoint) -> Cohort:
    return cohort_of(
        {"id": ["a", "b", "c"]},
        Definitions(endpoints={"E": endpoint}),
        subject_id="id",
        others={"time_to_event": (TableSource(file="adtte.csv", subject_id="id"), rows)},
    )


ADTTE = {
    "id": ["a", "a", "b", "b"],
    "PARAMCD": ["OS", "PFS", "OS", "PFS"],
    "months": ["9", "3", "8", "2"],
    "status": ["0", "0", "1", "0"],
}
LONG = replace(
    TIMED, events={"event": (0,)}, censored=(1,), table="time_to_event", rows={"PARAMCD": ("OS",)}
)


def test_rows_of_one_parameter_are_picked_and_a_missing_row_is_a_loss() -> None:
    data = survival_data(long_table(ADTTE, LONG), "E")
    assert data.time.tolist() == [9.0, 8.0]
    assert data.event.tolist() == [True, False]
    assert data.losses[0].reason is LossReason.NO_ROW
    assert data.losses[0].subjects == ("S003",)
    assert data.losses[0].rows == ()


def test_several_rows_of_a_patient_are_refused() -> None:
    with pytest.raises(StudyError) as caught:
        survival_data(long_table(ADTTE, replace(LONG, rows={})), "E")
    (finding,) = caught.value.findings
    assert finding.code is FindingCode.SUBJECT_REPEATED
    assert finding.rows == (2, 3, 4, 5)


# ------------------------------------------------------------------------------------- dates


def dated(**columns: list[Any]) -> dict[str, list[Any]]:
    n = len(next(iter(columns.values())))
    empty = {name: [None] * n for name in ("progressed", "died", "seen", "scanned")}
    return {"start": ["2020-01-01"] * n, **empty, **columns}


def test_time_is_whole_days_to_the_first_event_or_the_last_contact() -> None:
    data = derived(
        dated(
            progressed=["2020-01-31", None, None],
            died=["2020-03-01", "2020-01-11", None],
            seen=["2020-03-01", "2020-01-11", "2020-02-01"],
            scanned=[None, None, "2020-03-01"],
        ),
        DATED,
    )
    assert data.time.tolist() == [30.0, 10.0, 60.0]
    assert data.kind.tolist() == ["progression", "death", None]


def test_events_on_one_day_count_as_the_first_named_kind() -> None:
    data = derived(dated(progressed=["2020-01-31"], died=["2020-01-31"]), DATED)
    assert data.kind.tolist() == ["progression"]


def test_the_start_may_count_as_day_one() -> None:
    data = derived(dated(died=["2020-01-01"]), replace(DATED, add_one_day=True))
    assert data.time.tolist() == [1.0]


def test_dates_after_the_cutoff_did_not_happen_yet() -> None:
    columns = dated(died=["2020-01-31", "2020-01-10"], seen=["2020-01-31", "2020-01-10"])
    data = derived(columns, DATED, cutoff="2020-01-11")
    assert data.time.tolist() == [10.0, 9.0]
    assert data.kind.tolist() == [None, "death"]
    whole = derived(columns, replace(DATED, cutoff=False), cutoff="2020-01-11")
    assert whole.time.tolist() == [30.0, 9.0]


def test_the_cutoff_may_come_from_a_column() -> None:
    cohort = cohort_of(
        {"cut": ["2020-01-11", "2020-01-12", None]}, Definitions(cutoff_column="cut")
    )
    assert cutoff_date(cohort) == np.datetime64("2020-01-12")
    assert cutoff_date(cohort_of({"cut": [None]}, Definitions(cutoff_column="cut"))) is None


def test_losses_of_dates() -> None:
    data = derived(
        {
            "start": [None, "1/2/2020", "2020-01-01", "2020-01-01", "2020-05-01", "2020-01-01"],
            "progressed": [None, None, "soon", None, None, None],
            "died": [None, None, None, None, "2020-01-01", None],
            "seen": ["2020-02-01"] * 3 + [None, None, "2020-02-01"],
            "scanned": [None] * 6,
        },
        DATED,
    )
    assert reasons(data) == {
        LossReason.START_MISSING: (2,),
        LossReason.START_UNREADABLE: (3,),
        LossReason.END_UNREADABLE: (4,),
        LossReason.END_MISSING: (5,),
        LossReason.TIME_NEGATIVE: (6,),
    }
    assert data.n == 1


VITAL = replace(
    DATED,
    event_dates={"death": "died"},
    last_contact=("seen",),
    event="vital",
    events={"death": ("Dead",)},
    censored=("Alive",),
)


def test_a_status_beside_dates_is_never_overruled_in_silence() -> None:
    data = derived(
        dated(
            vital=["Dead", "Alive", "Dead", "Alive", None, "lost"],
            died=["2020-01-11", None, None, "2020-01-11", "2020-01-11", None],
            seen=["2020-01-11"] * 6,
        ),
        VITAL,
    )
    assert data.time.tolist() == [10.0, 10.0, 10.0]
    assert data.kind.tolist() == ["death", None, "death"]
    assert reasons(data) == {
        LossReason.EVENT_DATE_MISSING: (4,),
        LossReason.EVENT_CONTRADICTED: (5,),
        LossReason.EVENT_UNKNOWN: (7,),
    }


def test_follow_up_that_ended_before_the_event_is_censored_there() -> None:
    data = derived(dated(vital=["Alive"], died=["2020-06-01"], seen=["2020-01-11"]), VITAL)
    assert data.time.tolist() == [10.0]
    assert data.kind.tolist() == [None]


def test_one_end_date_takes_its_meaning_from_the_status() -> None:
    endpoint = replace(VITAL, event_dates={})
    data = derived(dated(vital=["Dead", "Alive", None], seen=["2020-01-11"] * 3), endpoint)
    assert data.kind.tolist() == ["death", None]
    assert reasons(data) == {LossReason.EVENT_MISSING: (4,)}


def test_text_dates_follow_the_order_of_their_column() -> None:
    orders = {name: ColumnFormat(date_order="mdy") for name in ("start", "died")}
    cohort = cohort_of(
        dated(start=["12/16/2005"], died=["10/19/2006"]),
        Definitions(endpoints={"E": replace(DATED, event_dates={"death": "died"})}),
        source=TableSource(file=FILE, columns=orders),
    )
    assert survival_data(cohort, "E").time.tolist() == [307.0]


DAYS = st.none() | st.dates(dt.date(2019, 1, 1), dt.date(2022, 12, 31)) | st.just("unreadable")


@given(st.lists(st.tuples(DAYS, DAYS, DAYS, DAYS, DAYS), max_size=8))
def test_dates_derive_as_by_hand_and_nobody_is_lost_in_silence(rows: list[Any]) -> None:
    names = ("start", "progressed", "died", "seen", "scanned")
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    data = derived(columns, DATED)
    expected: list[tuple[int, str | None]] = []
    for start, progressed, died, seen, scanned in rows:
        if "unreadable" in (start, progressed, died, seen, scanned) or start is None:
            continue
        events = [(progressed, "progression")] * (progressed is not None)
        events += [(died, "death")] * (died is not None)
        contacts = [day for day in (seen, scanned) if day is not None]
        if events:
            end, kind = min(events, key=lambda event: event[0])
        elif contacts:
            end, kind = max(contacts), None
        else:
            continue
        if end >= start:
            expected.append(((end - start).days, kind))
    assert list(zip(data.time, data.kind, strict=True)) == expected
    assert data.n + sum(len(loss.subjects) for loss in data.losses) == len(rows)


def test_what_was_derived_is_kept_for_the_same_choices_only() -> None:
    columns = {"months": [1, 2, 3], "status": ["PD", "Dead", "Alive"], "g": ["a", "b", "a"]}
    cohort = cohort_of(
        columns, Definitions(endpoints={"E": TIMED}, variables={"g": Variable(label="G")})
    )
    data, levels = survival_data(cohort, "E"), levels_of(cohort, "g")
    assert survival_data(cohort, "E") is data
    assert levels_of(cohort, "g") is levels
    for shared in (data.time, data.kind, levels.values):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = shared[1]
    counts = status_counts(cohort, TIMED)
    counts.clear()
    assert status_counts(cohort, TIMED) == {"PD": 1, "Dead": 1, "Alive": 1}

    fewer = cohort.with_selection(cohort.study, np.array([True, False, True]), cohort.flow)
    assert survival_data(fewer, "E").time.tolist() == [1.0, 3.0]
    assert survival_data(cohort, "E").n == 3

    study = cohort.study
    shown = replace(study, analysis=replace(study.analysis, views={"survival": {"by": "g"}}))
    assert survival_data(cohort.with_views(shown), "E") is data
    merged = {"g": Variable(label="G", merged={"all": ("a", "b")})}
    other = replace(study, definitions=replace(study.definitions, variables=merged))
    assert levels_of(cohort.with_views(other), "g").levels == ("all",)
    assert levels_of(cohort, "g").levels == ("a", "b")

    cohort.read.clear()
    assert survival_data(cohort, "E").time.tolist() == data.time.tolist()


# --------------------------------------------------------------------------------- variables


def variables(columns: dict[str, list[Any]], **definitions: Variable) -> Cohort:
    return cohort_of(columns, Definitions(variables=definitions))


def test_levels_follow_the_study_and_new_ones_come_after() -> None:
    cohort = variables(
        {"g": ["3", "1", None, "10", "2", "NA"]}, g=Variable(label="Grade", levels=("3", "1"))
    )
    levels = levels_of(cohort, "g")
    assert levels.levels == ("3", "1", "2", "10")
    assert levels.values.tolist() == ["3", "1", None, "10", "2", None]
    assert levels.reference == "3"


def test_codes_then_merging() -> None:
    cohort = variables(
        {"site": ["四肢", "trunk", "head", "Limb"]},
        site=Variable(
            label="Site",
            codes={"四肢": "Limb", "trunk": "Trunk", "head": "Head"},
            levels=("Limb", "Trunk", "Head"),
            merged={"Not limb": ("Trunk", "Head")},
            reference="Not limb",
        ),
    )
    levels = levels_of(cohort, "site")
    assert levels.levels == ("Limb", "Not limb")
    assert levels.values.tolist() == ["Limb", "Not limb", "Not limb", "Limb"]
    assert levels.reference == "Not limb"


def test_a_number_is_cut_into_groups_closed_on_the_left() -> None:
    cohort = variables(
        {"age": ["53.9", "54", "80", "NA"]},
        age=Variable(label="Age", kind=VariableKind.NUMERIC, cuts=(54.0,)),
    )
    levels = levels_of(cohort, "age")
    assert levels.levels == ("<54", "≥54")
    assert levels.values.tolist() == ["<54", "≥54", "≥54", None]
    assert cut_levels((60.0, 50.0)) == ("<50", "50 to <60", "≥60")


def test_a_variable_may_have_another_name_than_its_column() -> None:
    cohort = variables(
        {"Alter": ["50", "x"]}, age=Variable(label="Age", column="Alter", kind=VariableKind.NUMERIC)
    )
    read = numbers_of(cohort, "age")
    assert read.values[0] == 50
    assert read.unreadable.tolist() == [False, True]


def test_a_variable_has_missing_codes_of_its_own() -> None:
    cohort = variables(
        {"a": ["99", "1"], "b": ["99", "1"]},
        a=Variable(label="A", missing_codes=("99",)),
        b=Variable(label="B"),
    )
    assert levels_of(cohort, "a").values.tolist() == [None, "1"]
    assert levels_of(cohort, "b").values.tolist() == ["99", "1"]


def test_a_plain_column_is_a_variable() -> None:
    cohort = variables({"x": ["b", "a"]})
    assert levels_of(cohort, "x").levels == ("a", "b")
    assert variable_of(cohort, "x").label == "x"


def test_an_unknown_variable_is_refused_by_name() -> None:
    with pytest.raises(StudyError) as caught:
        dates_of(variables({"start": ["2020-01-01"]}), "strat")
    assert "start" in caught.value.findings[0].hint


def test_a_grouping_merges_levels_and_may_leave_the_rest_out() -> None:
    cells = {"h": ["ASPS", "CCS", "LMS", None, "UPS"]}
    groups = {"ASPS or CCS": ("ASPS", "CCS")}
    for rest, expected in (("Rest", "Rest"), (None, None)):
        grouping = Grouping(label="G", variable="h", groups=groups, rest=rest)
        cohort = cohort_of(
            cells,
            Definitions(variables={"h": Variable(label="H")}, groupings={"g": grouping}),
        )
        levels = levels_of(cohort, "g")
        assert levels.values.tolist() == ["ASPS or CCS", "ASPS or CCS", expected, None, expected]
        assert levels.slots["ASPS or CCS"] == levels_of(cohort, "h").slots["ASPS"]


def test_colours_are_kept_and_never_shared_by_chance() -> None:
    cohort = variables({"h": list("abcdefghij")}, h=Variable(label="H", colours={"c": 0, "a": 5}))
    slots = levels_of(cohort, "h").slots
    assert slots["c"] == 0
    assert slots["a"] == 5
    used = [slot for slot in slots.values() if slot is not None]
    assert len(used) == len(set(used)) == 8
    assert list(slots.values()).count(None) == 2


def test_natural_order_puts_numbers_before_words() -> None:
    assert sorted(["10", "b", "2", "A"], key=natural_order) == ["2", "10", "A", "b"]


def test_status_values_are_counted_for_confirmation() -> None:
    cohort = cohort_of(
        {"months": [1, 2, 3, 4], "status": ["PD", "PD", None, "Alive"]},
        Definitions(endpoints={"E": TIMED}),
    )
    assert status_counts(cohort, TIMED) == {"PD": 2, "": 1, "Alive": 1}
