"""Each rule of plausibility: what it finds, in which rows, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.checks import check_cohort
from sts_core.findings import FindingCode, Severity
from sts_core.plausibility import plausibility
from sts_core.query_list import WITHHELD, queries, query_table
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.reading.redcap import apply_dictionaries
from sts_core.study import (
    DataSection,
    Definitions,
    Endpoint,
    Status,
    Study,
    TableSource,
    TimeUnit,
    Variable,
    VariableKind,
)
from tests.cohorts import endpoint, make_cohort
from tests.doubles import book_of

REFERENCE = Path(__file__).parent / "reference"
N = 20
CODES = FindingCode
NUMBER = VariableKind.NUMERIC


def found(cohort, code):
    """Give severity and rows of what a rule found; each rule says a thing once."""
    return [(item.severity, item.rows) for item in plausibility(cohort) if item.code is code]


def times(**changes):
    columns = {
        "time": [100 + 10 * n for n in range(N)],
        "status": [n % 2 for n in range(N)],
    }
    return {**columns, **changes}


def test_clean_data_give_nothing():
    assert plausibility(make_cohort(times())) == ()


@pytest.mark.parametrize(
    ("unit", "factor", "likely"),
    [
        (TimeUnit.MONTHS, 6.5, "days"),
        (TimeUnit.YEARS, 0.3, "months"),
        (TimeUnit.YEARS, 5, "days"),
        (TimeUnit.DAYS, 0.05, "months"),
        (TimeUnit.DAYS, 0.002, "years"),
        (TimeUnit.WEEKS, 30, "days"),
    ],
)
def test_a_unit_that_does_not_go_with_the_times(unit, factor, likely):
    columns = times(time=[factor * (100 + n) for n in range(N)])
    cohort = make_cohort(columns, endpoints={"OS": endpoint(unit=unit)})
    (finding,) = [item for item in plausibility(cohort) if item.code is CODES.TIME_UNIT_DOUBTFUL]
    assert finding.message.endswith(f"that looks like {likely}.")
    assert finding.column == "time"


@pytest.mark.parametrize(
    ("unit", "factor"), [(TimeUnit.MONTHS, 0.2), (TimeUnit.DAYS, 1), (TimeUnit.YEARS, 0.05)]
)
def test_a_unit_that_may_well_be(unit, factor):
    columns = times(time=[factor * (100 + n) for n in range(N)])
    cohort = make_cohort(columns, endpoints={"OS": endpoint(unit=unit)})
    assert not found(cohort, CODES.TIME_UNIT_DOUBTFUL)


def test_a_status_without_any_time():
    cohort = make_cohort(times(time=[None] * N))
    assert found(cohort, CODES.TIMES_ABSENT) == [(Severity.ERROR, ())]


def test_times_of_the_dead_only():
    columns = times(time=[100 + n if n % 2 else None for n in range(2 * N)],
                    status=[n % 2 for n in range(2 * N)])  # fmt: skip
    cohort = make_cohort(columns)
    assert found(cohort, CODES.TIMES_OF_EVENTS_ONLY) == [(Severity.ERROR, ())]
    assert not found(cohort, CODES.EVERYBODY_HAS_EVENT)


def test_everybody_has_the_event():
    cohort = make_cohort(times(status=[1] * N))
    assert found(cohort, CODES.EVERYBODY_HAS_EVENT) == [(Severity.WARNING, ())]
    few = make_cohort({"time": [1, 2, 3], "status": [1, 1, 1]})
    assert not found(few, CODES.EVERYBODY_HAS_EVENT)


def both(os_time, pfs_time, os_status=(0,), pfs_status=("prog",)):
    n = len(os_time)
    progression = Endpoint(
        label="Progression-free survival", time="pfs", unit=TimeUnit.DAYS,
        unit_status=Status.CONFIRMED, event="pfs_status",
        events={"progression": ("prog",), "death": ("dead",)}, censored=("none",),
        events_status=Status.CONFIRMED, time_zero="first dose",
    )  # fmt: skip
    columns = {
        "time": os_time,
        "status": [os_status[at % len(os_status)] for at in range(n)],
        "pfs": pfs_time,
        "pfs_status": [pfs_status[at % len(pfs_status)] for at in range(n)],
    }
    return make_cohort(columns, endpoints={"OS": endpoint(), "PFS": progression})


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=12))
def test_overall_survival_shorter_than_progression_free(pairs):
    cohort = both([a for a, _ in pairs], [b for _, b in pairs])
    expected = tuple(row for row, (a, b) in enumerate(pairs, start=2) if a < b - 2)
    assert found(cohort, CODES.ENDPOINTS_CONTRADICT) == (
        [(Severity.ERROR, expected)] if expected else []
    )


def test_only_the_rows_of_the_endpoint_are_named():
    n = 3
    long = {
        "id": [f"p{at}" for at in range(n)] * 2,
        "PARAMCD": ["OS"] * n + ["PFS"] * n,
        "AVAL": [10, 50, 60, 40, 45, 50],
        "CNSR": [0] * 2 * n,
    }
    shape = endpoint(time="AVAL", event="CNSR", events={"death": (0,)}, censored=(1,), table="tte")
    books = [book_of({"id": [f"p{at}" for at in range(n)]}, file="a.csv"),
             book_of(long, file="b.csv")]  # fmt: skip
    study = Study(
        data=DataSection(
            {"subjects": TableSource(file="a.csv", subject_id="id"),
             "tte": TableSource(file="b.csv", subject_id="id")}
        ),
        definitions=Definitions(
            endpoints={
                "OS": dataclasses.replace(shape, rows={"PARAMCD": ("OS",)}),
                "PFS": dataclasses.replace(shape, rows={"PARAMCD": ("PFS",)}),
            }
        ),
    )  # fmt: skip
    assert found(assemble(study, books), CODES.ENDPOINTS_CONTRADICT) == [(Severity.ERROR, (2,))]


def test_dead_by_one_endpoint_and_alive_by_the_other():
    cohort = both([10, 20, 30], [10, 20, 30], os_status=(0, 1, 0), pfs_status=("dead",))
    assert found(cohort, CODES.ENDPOINTS_CONTRADICT) == [(Severity.ERROR, (2, 4))]


def test_rows_after_the_death():
    dated = Endpoint(
        label="Overall survival", start="start", event_dates={"death": "died"},
        last_contact=("seen",), events_status=Status.CONFIRMED,
    )  # fmt: skip
    cohort = make_cohort(
        {"start": ["2021-01-01"] * 2, "died": ["2021-06-01", None], "seen": ["2021-08-01"] * 2},
        endpoints={"OS": dated},
        adverse_events={
            "row": [1, 1, 2],
            "term": ["Rash", "Fatigue", "Rash"],
            "grade": [1, 2, 1],
            "related": ["yes"] * 3,
            "onset": ["2021-05-01", "2021-07-01", "2022-01-01"],
        },
    )
    assert found(cohort, CODES.DATED_AFTER_DEATH) == [(Severity.WARNING, (3,))]


@pytest.mark.parametrize(
    ("name", "values", "rows"),
    [
        ("ECOG", [0, 1, 5, 6, -1, 1.5, None], (5, 6, 7)),
        ("Karnofsky", [100, 110, 90], (3,)),
        ("ki67_percent", [12.5, 101], (3,)),
        ("age", [12, 300], ()),
    ],
)
def test_values_outside_the_scale_of_their_name(name, values, rows):
    variables = {name.lower(): Variable(name, column=name, kind=NUMBER)}
    cohort = make_cohort({name: values}, endpoints={}, variables=variables)
    assert found(cohort, CODES.VALUE_IMPOSSIBLE) == ([(Severity.ERROR, rows)] if rows else [])


def test_a_slipped_decimal_point_is_a_note_and_a_skewed_value_is_none():
    variables = {"crp": Variable("CRP", kind=NUMBER)}
    slipped = make_cohort(
        {"crp": [5 + n % 4 for n in range(30)] + [650]}, endpoints={}, variables=variables
    )
    assert found(slipped, CODES.VALUE_FAR_OUT) == [(Severity.NOTE, (32,))]
    skewed = make_cohort(
        {"crp": [1 + 2 ** (n / 3) for n in range(30)]}, endpoints={}, variables=variables
    )
    assert not found(skewed, CODES.VALUE_FAR_OUT)


def test_rows_that_are_alike_in_all_but_the_id():
    columns = {f"c{at}": [f"{at}-{n}" for n in range(N)] for at in range(6)}
    for cells in columns.values():
        cells[7] = cells[3]
    cohort = make_cohort(columns, endpoints={})
    assert found(cohort, CODES.SUBJECT_SUSPECTED_TWICE) == [(Severity.WARNING, (5, 9))]
    few_levels = make_cohort({f"c{at}": ["a", "b"] * 10 for at in range(6)}, endpoints={})
    assert not found(few_levels, CODES.SUBJECT_SUSPECTED_TWICE)


def test_a_line_that_does_not_follow_the_prior_ones():
    variables = {
        "line": Variable("Line", kind=NUMBER), "prior_lines": Variable("Prior", kind=NUMBER),
    }  # fmt: skip
    cohort = make_cohort(
        {"line": [1, 2, 3, None], "prior_lines": [0, 1, 1, 2]}, endpoints={}, variables=variables
    )
    assert found(cohort, CODES.LINE_CONTRADICTED) == [(Severity.WARNING, (4,))]


def test_a_response_that_is_the_status_in_disguise():
    disguised = times(best_response=[("CR", "PD")[n % 2] for n in range(N)])
    assert len(found(make_cohort(disguised), CODES.RESPONSE_DOUBTFUL)) == 1
    apart = times(best_response=[("CR", "PD", "SD")[n % 3] for n in range(N)])
    assert not found(make_cohort(apart), CODES.RESPONSE_DOUBTFUL)


def test_a_list_of_responders_alone_gives_no_rate():
    only = times(best_response=[("CR", "PR", "PR", None, None)[n % 5] for n in range(N)])
    (finding,) = [
        item for item in plausibility(make_cohort(only)) if item.code is CODES.RESPONSE_DOUBTFUL
    ]
    n = sum(cell is not None for cell in only["best_response"])
    assert f"All {n} patients" in finding.message
    assert f"of {N - n} it is not recorded" in finding.message
    everybody = times(best_response=["PR"] * N)
    assert not found(make_cohort(everybody), CODES.RESPONSE_DOUBTFUL)
    with_others = {**only, "best_response": [*only["best_response"][:-1], "SD"]}
    assert not found(make_cohort(with_others), CODES.RESPONSE_DOUBTFUL)


def test_an_organ_that_the_sex_does_not_have():
    variables = {"sex": Variable("Sex"), "site": Variable("Site")}
    cohort = make_cohort(
        {"sex": ["male", "female", "男", "female"], "site": ["Uterine", "uterine", "子宫", "Limb"]},
        endpoints={}, variables=variables,
    )  # fmt: skip
    assert found(cohort, CODES.SEX_CONTRADICTED) == [(Severity.WARNING, (2, 4))]


def test_criteria_hide_no_wrong_value():
    from sts_core.criteria import apply_criteria
    from sts_core.study import AnalysisSection, OneOf

    variables = {"ecog": Variable("ECOG", kind=NUMBER), "arm": Variable("Arm")}
    cohort = make_cohort({"ecog": [0, 9], "arm": ["a", "b"]}, endpoints={}, variables=variables)
    only = AnalysisSection(criteria=(OneOf("arm", ("a",)),))
    cohort = apply_criteria(cohort, dataclasses.replace(cohort.study, analysis=only))
    assert cohort.n == 1
    assert found(cohort, CODES.VALUE_IMPOSSIBLE) == [(Severity.ERROR, (3,))]


# --- the query list ------------------------------------------------------------------------------


def test_a_query_names_row_patient_and_value_but_not_the_patients_id():
    book = book_of({"patient_id": ["a", "b", "A"], "ECOG": [1, 7, 2], "sex": ["m", "f", "m"]})
    study = propose_study([book]).study
    cohort = assemble(study, [book])
    listed = queries(cohort, check_cohort(cohort))
    assert [item.severity for item in listed] == sorted(
        (item.severity for item in listed), key=list(Severity).index
    )
    (ecog,) = [item for item in listed if item.rule is CODES.VALUE_IMPOSSIBLE]
    assert (ecog.row, ecog.subject, ecog.column, ecog.value) == (3, "S002", "ECOG", "7")
    assert ecog.suggestion
    ids = [item for item in listed if item.column == "patient_id" and item.row is not None]
    assert all(item.value == WITHHELD for item in ids)
    table = query_table(listed)
    assert len(table.rows) == len(listed)
    assert "This file holds values of patients." in table.footnotes[0]


def test_dates_are_given_as_they_are_read():
    variables = {"when": Variable("When", kind=VariableKind.DATE)}
    cohort = make_cohort({"when": [dt.date(1900, 1, 1), "soon"]}, endpoints={}, variables=variables)
    listed = queries(cohort, check_cohort(cohort))
    assert {(item.row, item.value) for item in listed} == {(2, "1900-01-01"), (3, "soon")}


def test_a_column_that_is_not_there_stops_no_other_rule():
    variables = {
        "ecog": Variable("ECOG", kind=NUMBER),
        "far": Variable("Far", column="nothing", kind=NUMBER),
    }
    cohort = make_cohort({"ecog": [9] * 3}, endpoints={}, variables=variables)
    assert found(cohort, CODES.VALUE_IMPOSSIBLE) == [(Severity.ERROR, (2, 3, 4))]


# --- a workbook with planted errors --------------------------------------------------------------

PLANTED = {(5, "DxDate", "1945-05-13"), (6, "Gender", "F"), (17, "Age", "36"),
           (105, "T_Stage", "T6")}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "planted"), [("data_entry_with_errors.xlsx", PLANTED), ("data_entry.xlsx", set())]
)
def test_each_planted_error_is_found_and_nothing_else_is_an_error(name, planted):
    books = apply_dictionaries([read_bytes(name, (REFERENCE / name).read_bytes())])
    cohort = assemble(propose_study(books).study, books)
    errors = [
        item for item in queries(cohort, check_cohort(cohort)) if item.severity is Severity.ERROR
    ]
    assert {(item.row, item.column, item.value) for item in errors} == planted
    assert len(errors) == len(planted)
    assert all(item.rule is CODES.VALUE_NOT_IN_DICTIONARY for item in errors)
