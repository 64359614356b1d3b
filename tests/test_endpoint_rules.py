"""Endpoints from dates: every rule against a plain row-by-row recount, by hand and against R."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.analysis.endpoint_rules import (
    duration_of_response,
    rule_choices,
    time_to_progression,
)
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.checks import check_cohort
from sts_core.derive import EndRule, rule_sentences, survival_data
from sts_core.findings import FindingCode, StudyError
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import (
    AssessmentDefinition,
    DataSection,
    Definitions,
    Endpoint,
    IncompleteDates,
    ResponseDefinition,
    Status,
    Study,
    TableSource,
    TimeUnit,
    Variable,
    dump_study,
    load_study,
)
from sts_core.values import dates, filled_date, incomplete_date_of
from tests.cohorts import make_cohort
from tests.doubles import book_of

REFERENCE = Path(__file__).parent / "reference"
PFS = Endpoint(
    label="Progression-free survival",
    start="start",
    event_dates={"progression": "progressed", "death": "died"},
    last_contact=("seen",),
    events_status=Status.CONFIRMED,
)
COLUMNS = ("start", "progressed", "died", "seen", "therapy")


def cohort_of(rows, endpoint=PFS, **definitions):
    columns = {name: [row[at] for row in rows] for at, name in enumerate(COLUMNS)}
    cohort = make_cohort(columns, endpoints={"PFS": endpoint})
    study = cohort.study
    changed = replace(study, definitions=replace(study.definitions, **definitions))
    assert load_study(dump_study(changed)) == changed
    return replace(cohort, study=changed)


def outcome(cohort, code="PFS"):
    """Give time and kind of each patient who has a time."""
    data = survival_data(cohort, code)
    return {
        int(place): (float(time), kind)
        for place, time, kind in zip(data.position, data.time, data.kind, strict=True)
    }


# --- a plain recount -----------------------------------------------------------------------------


def recounted(row, endpoint, cutoff):
    """Work out one patient as a person would: a pile of dates, one rule after the other."""
    start, progressed, died, seen, therapy = (
        None if cell is None else dt.date.fromisoformat(cell) for cell in row
    )
    if start is None:
        return None
    happened = [
        (date, order, kind)
        for order, (kind, date) in enumerate((("progression", progressed), ("death", died)))
        if date is not None and kind in endpoint.event_dates
    ]
    kind = None
    if happened:
        end, _, kind = min(happened)
    elif seen is not None:
        end = seen
    elif endpoint.no_contact == "start":
        end = start
    else:
        return None
    if endpoint.longest_gap_days is not None and kind is not None:
        before = seen if seen is not None and start <= seen else start
        if before < end and (end - before).days > endpoint.longest_gap_days:
            end, kind = before, None
    if endpoint.new_therapy and therapy is not None and therapy < end:
        if endpoint.at_new_therapy == "censor":
            end, kind = therapy, None
        elif endpoint.at_new_therapy == "event":
            end, kind = therapy, "new therapy"
    if cutoff is not None and endpoint.cutoff and end > cutoff:
        end, kind = cutoff, None
    days = (end - start).days + (1 if endpoint.add_one_day else 0)
    return (float(days), kind) if days >= 0 else None


DAY = st.integers(0, 400).map(lambda n: (dt.date(2021, 1, 1) + dt.timedelta(n)).isoformat())
MAYBE = st.one_of(st.none(), DAY)
ROWS = st.lists(st.tuples(MAYBE, MAYBE, MAYBE, MAYBE, MAYBE), min_size=1, max_size=12)
RULES = st.builds(
    lambda **changes: replace(PFS, **changes),
    event_dates=st.sampled_from(
        [PFS.event_dates, {"progression": "progressed"}, {"death": "died"}]
    ),
    no_contact=st.sampled_from(["lose", "start"]),
    longest_gap_days=st.sampled_from([None, 1, 60, 150]),
    new_therapy=st.sampled_from([None, "therapy"]),
    at_new_therapy=st.sampled_from(["ignore", "censor", "event"]),
    add_one_day=st.booleans(),
    cutoff=st.booleans(),
)


@given(ROWS, RULES, st.one_of(st.none(), DAY))
def test_every_rule_agrees_with_a_plain_recount(rows, endpoint, cutoff):
    cohort = cohort_of(rows, endpoint, cutoff=cutoff)
    day = None if cutoff is None else dt.date.fromisoformat(cutoff)
    expected = {
        place: found
        for place, row in enumerate(rows)
        if (found := recounted(row, endpoint, day)) is not None
    }
    assert outcome(cohort) == expected
    data = survival_data(cohort, "PFS")
    assert data.n + sum(len(loss.subjects) for loss in data.losses) == len(rows)


@settings(max_examples=10)
@given(ROWS, RULES)
def test_what_is_in_force_is_one_of_the_options_and_all_can_be_computed(rows, endpoint):
    cohort = cohort_of(rows, endpoint)
    for choice in rule_choices(cohort, "PFS"):
        assert sum(option.current for option in choice.options) >= 1, choice.name
        for option in choice.options:
            other = replace(cohort, study=option.study)
            assert option.problem or option.n == survival_data(other, "PFS").n


# --- by hand -------------------------------------------------------------------------------------

ONE = ("2021-01-01", "2021-07-01", None, "2021-02-01", "2021-05-01")


@pytest.mark.parametrize(
    ("changes", "expected", "rule"),
    [
        ({}, (181.0, "progression"), None),
        ({"add_one_day": True}, (182.0, "progression"), None),
        ({"event_dates": {"death": "died"}}, (31.0, None), None),
        ({"longest_gap_days": 112}, (31.0, None), EndRule.GAP),
        ({"longest_gap_days": 150}, (181.0, "progression"), None),
        ({"new_therapy": "therapy"}, (120.0, None), EndRule.NEW_THERAPY),
        ({"new_therapy": "therapy", "at_new_therapy": "event"}, (120.0, "new therapy"), None),
        ({"new_therapy": "therapy", "at_new_therapy": "ignore"}, (181.0, "progression"), None),
    ],
)
def test_each_rule_by_hand(changes, expected, rule):
    cohort = cohort_of([ONE], replace(PFS, **changes))
    assert outcome(cohort) == {0: expected}
    assert survival_data(cohort, "PFS").ended_by.tolist() == [rule]


def test_an_assessment_on_the_day_of_the_event_leaves_it_an_event():
    row = ("2021-01-01", "2021-07-01", None, "2021-07-01", None)
    cohort = cohort_of([row], replace(PFS, longest_gap_days=30))
    assert outcome(cohort) == {0: (181.0, "progression")}
    never = ("2021-01-01", "2021-07-01", None, None, None)
    cohort = cohort_of([never], replace(PFS, longest_gap_days=30))
    assert outcome(cohort) == {0: (0.0, None)}


def test_an_event_on_the_day_of_the_next_therapy_counts():
    row = ("2021-01-01", "2021-05-01", None, None, "2021-05-01")
    cohort = cohort_of([row], replace(PFS, new_therapy="therapy"))
    assert outcome(cohort) == {0: (120.0, "progression")}


def test_a_patient_never_seen_is_lost_or_censored_at_day_0():
    row = ("2021-01-01", None, None, None, None)
    assert outcome(cohort_of([row])) == {}
    cohort = cohort_of([row], replace(PFS, no_contact="start"))
    assert outcome(cohort) == {0: (0.0, None)}
    assert (
        "censored at the start (n = 1)"
        in rule_sentences(
            cohort, "PFS", replace(PFS, no_contact="start"), survival_data(cohort, "PFS")
        )[0]
    )


def test_rules_belong_to_endpoints_from_dates():
    with pytest.raises(ValueError, match="belong to endpoints from dates"):
        Endpoint(label="x", time="t", longest_gap_days=100)
    with pytest.raises(ValueError, match="at least 1"):
        replace(PFS, longest_gap_days=0)


def test_the_rules_in_force_stand_under_table_and_figure():
    cohort = cohort_of([ONE] * 3, replace(PFS, new_therapy="therapy", longest_gap_days=500))
    notes = " ".join(kaplan_meier(cohort, KaplanMeierSpec("PFS")).footnotes)
    assert "follow-up is censored at the next therapy (n = 3)" in notes
    assert "more than 500 days after the last contact before it is censored there (n = 0)" in notes


# --- the table of assessments ---------------------------------------------------------------------

VISITS = {
    "id": ["a", "a", "a", "b", "c"],
    "date": ["2020-12-20", "2021-02-01", "2021-07-01", "2021-03-01", "2021-04-01"],
    "overall": ["SD", "SD", "PD", "NE", "PR"],
}
PATIENTS = {
    "id": ["a", "b", "c", "d"],
    "start": ["2021-01-01"] * 4,
    "progressed": ["2021-07-01", None, None, None],
    "best": ["SD", "SD", "CR", "SD"],
}


def assessed(**changes):
    shape = Endpoint(
        label="PFS", start="start", event_dates={"progression": "progressed"}, assessed=True,
        events_status=Status.CONFIRMED, **changes,
    )  # fmt: skip
    study = Study(
        data=DataSection(
            {"subjects": TableSource(file="p.csv", subject_id="id"),
             "assessments": TableSource(file="v.csv", subject_id="id")}
        ),
        definitions=Definitions(
            endpoints={"PFS": shape},
            variables={"best": Variable("Best")},
            response=ResponseDefinition(variable="best"),
            assessments=AssessmentDefinition(date="date", overall="overall"),
        ),
    )  # fmt: skip
    books = [book_of(PATIENTS, file="p.csv"), book_of(VISITS, file="v.csv")]
    return assemble(study, books)


def test_censoring_at_the_last_evaluable_assessment_of_the_table():
    # b was seen once, not evaluable; d never
    assert outcome(assessed()) == {0: (181.0, "progression"), 2: (90.0, None)}
    found = outcome(assessed(no_contact="start"))
    assert found == {0: (181.0, "progression"), 1: (0.0, None), 2: (90.0, None), 3: (0.0, None)}


def test_missed_assessments_are_counted_from_the_one_before_the_event():
    assert outcome(assessed(longest_gap_days=112))[0] == (31.0, None)  # not the scan of December
    assert outcome(assessed(longest_gap_days=150))[0] == (181.0, "progression")
    notes = rule_sentences(cohort := assessed(), "PFS", cohort.study.definitions.endpoints["PFS"],
                           survival_data(cohort, "PFS"))  # fmt: skip
    assert "censored at their last evaluable assessment" in notes[0]
    names = {choice.name: choice for choice in rule_choices(cohort, "PFS")}
    options = names["Without an event, censored at"].options
    assert options[0].label == "the last evaluable assessment, by its table"
    assert options[0].current


def test_a_best_response_better_than_every_assessment_is_found():
    (finding,) = [
        item for item in check_cohort(assessed())
        if item.code is FindingCode.RESPONSE_CONTRADICTED
    ]  # fmt: skip
    assert finding.rows == (4,)


# --- duration of response, time to treatment failure ---------------------------------------------

COURSES = {
    "id": ["a", "b", "c", "d", "e"],
    "start": ["2021-01-01"] * 5,
    "responded": ["2021-03-01", "2021-03-11", None, None, "2021-02-01"],
    "progressed": ["2021-07-01", None, "2021-02-01", None, None],
    "died": [None, None, None, None, "2021-05-01"],
    "stopped": ["2021-06-01", None, "2021-02-01", "2021-04-01", None],
    "seen": ["2021-07-01", "2021-09-07", "2021-02-01", "2021-06-01", "2021-05-01"],
    "months": [4.0, 6.0, None, 1.0, 3.0],
    "gone": ["yes", "no", "yes", "no", "yes"],
    "best": ["PR", "CR", "PD", None, "PR"],
}
SCANS = {
    "id": ["a", "a", "a", "b", "b", "c", "e", "e"],
    "date": ["2020-12-01", "2021-03-01", "2021-05-01", "2021-03-11", "2021-05-01", "2021-02-01",
             "2021-02-01", "2021-02-15"],
    "overall": ["CR", "PR", "PR", "iCR", "iPR", "PD", "SD", "PR"],
}  # fmt: skip


def courses(response: ResponseDefinition | None, **shape):
    endpoint = Endpoint(label="Duration", events_status=Status.CONFIRMED, **shape)
    study = Study(
        data=DataSection(
            {"subjects": TableSource(file="p.csv", subject_id="id"),
             "assessments": TableSource(file="v.csv", subject_id="id")}
        ),
        definitions=Definitions(
            endpoints={"PFS": endpoint},
            variables={"best": Variable("Best")},
            response=response,
            assessments=AssessmentDefinition(date="date", overall="overall"),
        ),
    )  # fmt: skip
    return assemble(study, [book_of(COURSES, file="p.csv"), book_of(SCANS, file="v.csv")])


FROM_DATES = {
    "start": "start", "event_dates": {"progression": "progressed", "death": "died"},
    "last_contact": ("seen",),
}  # fmt: skip
BEST = ResponseDefinition(variable="best")


def losses(cohort):
    return {loss.reason.value: loss.rows for loss in survival_data(cohort, "PFS").losses}


def test_duration_of_response_by_hand():
    # from the day of the response: a 2021-03-01 to 07-01, b 03-11 to 09-07, e 02-01 to its death
    by_column = courses(BEST, responders=True, **{**FROM_DATES, "start": "responded"})
    expected = {0: (122.0, "progression"), 1: (180.0, None), 4: (89.0, "death")}
    assert outcome(by_column) == expected
    who = {"no objective response": (4,), "best overall response not known": (5,)}
    assert losses(by_column) == who
    # by the table of assessments: the scan of a in December is before the start, e was SD at first
    pfs = courses(BEST, **FROM_DATES).study.definitions.endpoints["PFS"]
    found = duration_of_response(pfs)
    by_scans = courses(BEST, responders=True, first_response=True, **FROM_DATES)
    shape = by_scans.study.definitions.endpoints["PFS"]
    assert replace(shape, label=found.label, time_zero=found.time_zero) == found
    assert outcome(by_scans) == {**expected, 4: (75.0, "death")}
    assert losses(by_scans) == who
    notes = rule_sentences(by_scans, "PFS", shape, survival_data(by_scans, "PFS"))
    assert notes == (
        "Only patients with CR or PR as best overall response count.",
        "Rules of follow-up: time starts at the first assessment with CR or PR.",
    )


def test_duration_of_response_from_a_column_of_times():
    timed = courses(
        BEST, responders=True, time="months", unit=TimeUnit.MONTHS, unit_status=Status.CONFIRMED,
        event="gone", events={"event": ("yes",)}, censored=("no",),
    )  # fmt: skip
    # the time of d is not one of a responder; that c has none is no defect
    assert outcome(timed) == {0: (4.0, "event"), 1: (6.0, None), 4: (3.0, "event")}
    assert losses(timed) == {
        "no objective response": (4,), "best overall response not known": (5,),
    }  # fmt: skip
    assert rule_sentences(
        timed, "PFS", timed.study.definitions.endpoints["PFS"], survival_data(timed, "PFS")
    ) == ("Only patients with CR or PR as best overall response count.",)
    messages = [str(item) for item in check_cohort(timed)]
    assert not any("no objective response" in text for text in messages)
    assert any("no known best overall response" in text for text in messages)


def test_responders_need_a_definition_of_response():
    with pytest.raises(StudyError) as refused:
        survival_data(courses(None, responders=True, **FROM_DATES), "PFS")
    assert "how the best overall response is recorded isn't defined" in str(
        refused.value.findings[0]
    )
    with pytest.raises(ValueError, match="belong to endpoints from dates"):
        Endpoint(label="DOR", time="months", first_response=True)


def test_time_to_treatment_failure_by_hand():
    failing = courses(
        None, start="start", last_contact=("seen",),
        event_dates={
            "progression": "progressed", "death": "died", "end of treatment": "stopped"
        },
    )  # fmt: skip
    # of c treatment ended on the day of progression, which is named first
    assert outcome(failing) == {
        0: (151.0, "end of treatment"), 1: (249.0, None), 2: (31.0, "progression"),
        3: (90.0, "end of treatment"), 4: (120.0, "death"),
    }  # fmt: skip


# --- incomplete dates ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "known"),
    [
        ("2021-05", (2021, 5)), ("2021/5", (2021, 5)), ("2021.05", (2021, 5)),
        ("2021年5月", (2021, 5)), ("05/2021", (2021, 5)), ("May 2021", (2021, 5)),
        ("2021", (2021, None)), ("2021年", (2021, None)), (2021, (2021, None)),
        (2021.0, (2021, None)), ("2021-13", None), ("2021-05-03", None), (44000, None),
        ("soon", None), (True, None), (None, None), ("5", None), (2021.5, None),
    ],
)  # fmt: skip
def test_what_is_an_incomplete_date(cell, known):
    assert incomplete_date_of(cell) == known


@pytest.mark.parametrize(
    ("rule", "month", "year"),
    [
        ("first", "2024-02-01", "2024-01-01"),
        ("middle", "2024-02-15", "2024-07-01"),
        ("last", "2024-02-29", "2024-12-31"),
        ("leave_out", None, None),
    ],
)
def test_how_a_rule_fills_them_in(rule, month, year):
    for known, expected in (((2024, 2), month), ((2024, None), year)):
        found = filled_date(*known, rule)
        assert (None if found is None else found.isoformat()) == expected
    read = dates(pd.Series(["2024-02", "2024-03-05", "x", None], dtype=object), incomplete=rule)
    assert read.incomplete.tolist() == [True, False, False, False]
    assert read.unreadable.tolist() == [month is None, False, True, False]


def test_incomplete_dates_are_left_out_and_named_until_a_rule_is_chosen():
    rows = [("2021-01-01", "2021-05", None, "2021-06-01", None), ONE]
    cohort = cohort_of(rows)
    assert outcome(cohort) == {1: (181.0, "progression")}
    (finding,) = [x for x in check_cohort(cohort) if x.code is FindingCode.DATE_INCOMPLETE]
    assert (finding.column, finding.rows) == ("progressed", (2,))
    middle = cohort_of(rows, incomplete_dates=IncompleteDates.MIDDLE)
    assert outcome(middle)[0] == (134.0, "progression")
    assert (
        "15th of the month" in rule_sentences(middle, "PFS", PFS, survival_data(middle, "PFS"))[0]
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # the 15th would be before the start
        (("2021-05-20", "2021-05", None, "2021-09-01", None), (0.0, "progression")),
        # the 15th would be after the death
        (("2021-01-01", "2021-05", "2021-05-10", "2021-05-08", None), (129.0, "progression")),
        # a death is not before the last contact
        (("2021-01-01", None, "2021-05", "2021-05-20", None), (139.0, "death")),
        # a start is not after the progression
        (("2021-05", "2021-05-03", None, None, None), (0.0, "progression")),
    ],
)
def test_a_filled_date_keeps_the_order_of_the_known_ones(row, expected):
    cohort = cohort_of([row], incomplete_dates=IncompleteDates.MIDDLE)
    assert outcome(cohort) == {0: expected}


# --- public data and R ---------------------------------------------------------------------------


def test_the_dates_of_the_pancreatic_trial_give_its_published_times_exactly():
    name = "asaur_pancreatic.csv"
    book = read_bytes(name, (REFERENCE / name).read_bytes())
    study = propose_study([book]).study
    cohort = assemble(study, [book])
    with (REFERENCE / "asaur_pancreatic2.csv").open(encoding="utf-8") as file:
        published = list(csv.DictReader(file))
    assert len(published) == cohort.n == 41
    for code, column in (("PFS", "pfs"), ("OS", "os")):
        data = survival_data(cohort, code)
        assert data.position.tolist() == list(range(41))
        assert data.time.tolist() == [float(row[column]) for row in published]
        assert data.event.tolist() == [row["status"] == "1" for row in published]


def test_four_sets_of_rules_agree_with_r():
    with (REFERENCE / "endpoint_rules_cohort.csv").open(encoding="utf-8") as file:
        rows = [tuple(row[name] or None for name in COLUMNS) for row in csv.DictReader(file)]
    with (REFERENCE / "endpoint_rules_results.csv").open(encoding="utf-8") as file:
        results = list(csv.DictReader(file))
    sets = {
        "plain": PFS,
        "day_0": replace(PFS, no_contact="start", add_one_day=True),
        "therapy": replace(PFS, new_therapy="therapy"),
        "gap": replace(PFS, longest_gap_days=100, no_contact="start"),
    }
    for name, endpoint in sets.items():
        found = outcome(cohort_of(rows, endpoint, cutoff="2022-06-30"))
        expected = {
            int(row["patient"]) - 1: (float(row["time"]), row["kind"] or None)
            for row in results
            if row["rules"] == name
        }
        assert found == expected, name


# --- side by side --------------------------------------------------------------------------------


def test_options_stand_side_by_side_with_patients_events_and_median():
    rows = [ONE, ("2021-01-01", None, "2021-03-01", "2021-02-20", None),
            ("2021-01-01", None, None, "2021-12-01", None),
            ("2021-01-01", None, None, None, None)]  # fmt: skip
    cohort = cohort_of(rows)
    choices = {choice.name: choice for choice in rule_choices(cohort, "PFS")}
    kinds = {option.label: option for option in choices["An event is"].options}
    both = kinds["progression or death, whichever is first"]
    assert (both.current, both.n, both.n_event, both.n_changed) == (True, 3, 2, 0)
    assert both.events == "progression 1, death 1"
    ttp = kinds["progression only"]
    assert (ttp.current, ttp.n, ttp.n_event, ttp.n_changed) == (False, 3, 1, 1)
    lost = choices["Without any date of an event or contact"].options
    assert [(option.n, option.current) for option in lost] == [(3, True), (4, False)]
    assert lost[1].median.value is not None
    starts = choices["Time starts at"].options
    assert {option.label for option in starts} >= {"start", "therapy"}


def test_time_to_progression_censors_a_death_without_progression_on_its_day():
    rows = [ONE, ("2021-01-01", None, "2021-03-01", None, None),
            ("2021-01-01", None, None, "2021-01-31", None)]  # fmt: skip
    found = time_to_progression(PFS)
    assert found.label == "Time to progression"
    assert found.last_contact == ("seen", "died")
    assert outcome(cohort_of(rows, found))[1] == (59.0, None)
    assert outcome(cohort_of(rows, found))[2] == (30.0, None)
    assert time_to_progression(found) is None


def test_an_option_that_can_not_be_computed_says_why():
    cohort = cohort_of([ONE])
    gone = replace(PFS, last_contact=("nothing",))
    study = replace(cohort.study, definitions=Definitions(endpoints={"PFS": gone}))
    broken = replace(cohort, study=study)
    with pytest.raises(Exception, match="column_missing"):
        rule_choices(broken, "PFS")


def test_times_of_a_column_have_no_such_rules():
    assert rule_choices(make_cohort({"time": [1, 2], "status": [1, 0]}), "OS") == ()
    assert np.array_equal(
        survival_data(make_cohort({"time": [1, 2], "status": [1, 0]}), "OS").time, [1, 2]
    )
