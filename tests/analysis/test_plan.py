"""What is computed when nobody clicks."""

from __future__ import annotations

import dataclasses

import pytest

from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.plan import (
    MAX_GROUPS,
    baseline_covariates,
    baseline_groupings,
    run_plan,
    specs_of,
    unconfirmed,
)
from sts_core.analysis.registry import ANALYSES, spec_from
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.findings import FindingCode, StudyError
from sts_core.study import (
    AnalysisSection,
    Between,
    Grouping,
    Measured,
    Status,
    Study,
    TimeUnit,
    Variable,
    VariableKind,
)
from tests.cohorts import DEGENERATE, DEGENERATE_COMPLETE, endpoint, make_cohort

COLUMNS = {
    "time": [1, 2, 3, 4, 5, 6],
    "status": [1, 0, 1, 1, 0, 1],
    "group": ["A", "B", "C", "A", "B", "C"],
}


def cohort_with(**analysis: object) -> Cohort:
    return make_cohort(COLUMNS, analysis=AnalysisSection(**analysis))  # type: ignore[arg-type]


def messages(error: pytest.ExceptionInfo[StudyError]) -> str:
    assert {finding.code for finding in error.value.findings} == {FindingCode.STUDY_FILE_INVALID}
    return " ".join(finding.message for finding in error.value.findings)


# --- the usual set -------------------------------------------------------------------------------


def test_every_endpoint_overall_and_by_every_baseline_grouping() -> None:
    cohort = make_cohort(
        COLUMNS,
        endpoints={"OS": endpoint(), "PFS": endpoint(label="PFS")},
        groupings={"merged": Grouping("A or not", "group", {"A": ("A",)}, rest="Not A")},
        analysis=AnalysisSection(conf_level=0.9, conf_type="log"),
    )
    specs = [spec for spec in specs_of(cohort) if isinstance(spec, KaplanMeierSpec)]
    assert [(spec.endpoint, spec.by) for spec in specs] == [
        (code, by) for code in ("OS", "PFS") for by in (None, "group", "merged")
    ]
    assert {(spec.conf_level, spec.conf_type) for spec in specs} == {(0.9, "log")}


@pytest.mark.parametrize(
    ("variable", "is_used"),
    [
        (Variable("G", measured=Measured.BASELINE), True),
        (Variable("G", kind=VariableKind.ORDERED, measured=Measured.BASELINE), True),
        (Variable("G", measured=Measured.POST_BASELINE), False),
        (Variable("G", measured=Measured.UNKNOWN), False),
        (Variable("G", kind=VariableKind.NUMERIC, measured=Measured.BASELINE), False),
        (Variable("G", kind=VariableKind.DATE, measured=Measured.BASELINE), False),
    ],
)
def test_only_what_is_known_at_baseline_groups_by_itself(variable: Variable, is_used: bool) -> None:
    cohort = make_cohort(COLUMNS, variables={"group": variable})
    assert baseline_groupings(cohort) == (("group",) if is_used else ())


@pytest.mark.parametrize(
    ("n_levels", "is_used"), [(1, False), (2, True), (MAX_GROUPS, True), (MAX_GROUPS + 1, False)]
)
def test_one_level_or_too_many_are_no_comparison(n_levels: int, is_used: bool) -> None:
    levels = [f"L{i}" for i in range(n_levels)]
    n = len(levels)
    cohort = make_cohort({"time": [1] * n, "status": [1] * n, "group": levels})
    assert bool(baseline_groupings(cohort)) is is_used


def test_response_and_safety_are_asked_where_they_are_defined() -> None:
    kinds = {spec.kind for spec in specs_of(DEGENERATE["one group"]())}
    assert kinds == {"baseline", "kaplan_meier", "cox"}
    complete = {spec.kind for spec in specs_of(DEGENERATE_COMPLETE["one group"]())}
    # the others are for a person to ask: what to cross, what competes, what a curve is laid over
    assert complete == {*kinds, "response", "adverse_events"}


def test_a_column_enters_a_regression_once() -> None:
    variables = {
        "age": Variable("Age", kind=VariableKind.NUMERIC, measured=Measured.BASELINE),
        "age_group": Variable("Age", column="age", cuts=(50.0,), measured=Measured.BASELINE),
        "later": Variable("Later", column="group", measured=Measured.POST_BASELINE),
        "size": Variable("Size", kind=VariableKind.NUMERIC, measured=Measured.BASELINE),
    }
    ages = {"age": [30, 40, 50, 60, 70, 80], "size": [1, 2, 3, 4, 5, 6]}
    cohort = make_cohort({**COLUMNS, **ages}, variables=variables)
    assert baseline_covariates(cohort) == ("age_group", "size")


# --- what the study file asks for ----------------------------------------------------------------


def test_listed_specs_replace_the_usual_set() -> None:
    document = {"kind": "kaplan_meier", "endpoint": "OS", "levels": ["A", "B"], "by": "group"}
    cohort = cohort_with(specs=(document,))
    assert specs_of(cohort) == (KaplanMeierSpec("OS", by="group", levels=("A", "B")),)
    (done,) = run_plan(cohort)
    assert done.analysis is ANALYSES["kaplan_meier"]
    assert done.result.overall.n == 4


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"kind": "cox_model"}, "there is no analysis “cox_model”"),
        ({}, "there is no analysis “None”"),
        ({"kind": ["kaplan_meier"]}, "there is no analysis"),
        ({"kind": {"a": 1}}, "there is no analysis"),
        ({"kind": "kaplan_meier"}, "endpoint: Field required"),
        ({"kind": "kaplan_meier", "endpoint": "OS", "colour": 1}, "colour: "),
        ({"kind": "kaplan_meier", "endpoint": "OS", "conf_level": 95}, "conf_level must lie in"),
        ({"kind": "kaplan_meier", "endpoint": "OS", "conf_type": "x"}, "conf_type: "),
        ({"kind": "kaplan_meier", "endpoint": "DFS"}, "there is no endpoint “DFS”"),
    ],
)
def test_a_wrong_spec_is_a_finding_with_its_path(document: dict[str, object], says: str) -> None:
    good = {"kind": "kaplan_meier", "endpoint": "OS"}
    with pytest.raises(StudyError) as error:
        run_plan(cohort_with(specs=(good, document)))
    assert says in messages(error)
    assert "analysis.specs" in messages(error)


def test_the_path_of_a_wrong_spec_has_its_number() -> None:
    with pytest.raises(StudyError) as error:
        spec_from({"kind": "kaplan_meier", "endpoint": 1, "by": 2}, where="analysis.specs.4")
    text = messages(error)
    assert "analysis.specs.4.endpoint: " in text
    assert "analysis.specs.4.by: " in text


# --- confirmation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"events_status": Status.GUESSED},
        {"unit_status": Status.GUESSED},
        {"unit": None},
    ],
)
def test_nothing_is_computed_from_a_guess(changes: dict[str, object]) -> None:
    cohort = make_cohort(
        COLUMNS, endpoints={"PFS": endpoint(), "OS": endpoint(label="Death", **changes)}
    )
    with pytest.raises(StudyError) as error:
        run_plan(cohort)
    (finding,) = error.value.findings
    assert finding.code is FindingCode.STUDY_UNCONFIRMED
    assert "“Death” (OS)" in finding.message


def test_dates_need_no_unit() -> None:
    plain = endpoint()
    dated = dataclasses.replace(
        plain, time=None, unit=None, unit_status=Status.GUESSED, start="a",
        event_dates={"death": "b"}, event=None, events={}, censored=(),
    )  # fmt: skip
    study = make_cohort(COLUMNS, endpoints={"OS": dated}).study
    assert unconfirmed(study) == ()
    assert unconfirmed(Study()) == ()


def test_results_come_in_the_order_of_the_specs() -> None:
    cohort = make_cohort(COLUMNS, endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)})
    done = run_plan(cohort)
    assert tuple(item.spec for item in done) == specs_of(cohort)
    for item in done:
        assert item.analysis is ANALYSES[item.spec.kind]
        assert item.result.spec == item.spec


def test_an_endpoint_in_a_table_that_is_not_there_is_a_finding() -> None:
    cohort = make_cohort(COLUMNS, endpoints={"OS": endpoint(table="time_to_event")})
    with pytest.raises(StudyError) as error:
        run_plan(cohort)
    (finding,) = error.value.findings
    assert finding.code is FindingCode.TABLE_MISSING
    assert "time_to_event" in finding.message


def test_all_treated_stand_beside_where_a_criterion_is_known_only_later() -> None:
    early = Between("time", low=3, after_time_zero=True, label="Three days on study")
    cohort = make_cohort(
        {"time": [1, 2, 3, 4], "status": [1, 0, 1, 1], "best_response": ["PD", "SD", "CR", "PR"]},
        analysis=AnalysisSection(criteria=(early,)),
    )
    done = run_plan(cohort)
    titles = {item.tables[0].title: item.result.overall.n for item in done}
    assert sorted(titles.values()) == [2, 2, 4, 4]
    assert all(n == (4 if title.endswith(" (all treated)") else 2) for title, n in titles.items())
    assert {row.population for item in done for row in item.analysis.rows(item.result)} == {
        "efficacy", "treated",
    }  # fmt: skip
    off = dataclasses.replace(early, enabled=False)
    study = dataclasses.replace(cohort.study, analysis=AnalysisSection(criteria=(off,)))
    assert {item.spec.population for item in run_plan(apply_criteria(cohort, study))} == {None}
