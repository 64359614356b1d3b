"""Landmark analysis: who is left out, from when times count, and what is known of the groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    kaplan_meier,
    methods_sentence,
    result_rows,
    survival_table,
)
from sts_core.analysis.landmark import (
    NOT_YET,
    is_formed_later,
    known_on_choices,
    refuse_groups_formed_later,
)
from sts_core.analysis.plan import run_plan
from sts_core.cohort import Cohort
from sts_core.estimators.product_limit import product_limit
from sts_core.findings import FindingCode, StudyError
from sts_core.study import AnalysisSection, Grouping, Measured, TimeUnit, Variable, VariableKind
from tests.cohorts import endpoint, make_cohort


def days(columns: dict[str, list[Any]], **more: Any) -> Cohort:
    return make_cohort(columns, endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)}, **more)


def run(cohort: Cohort, **spec: Any) -> KaplanMeierResult:
    return kaplan_meier(cohort, KaplanMeierSpec("OS", **spec))


RESPONSES = {
    "time": [2, 5, 5, 6, 8, 9, 12, 14],
    "status": [1, 1, 0, 1, 0, 1, 1, 0],
    "best_response": ["PD", "PR", "PR", "PR", "SD", "PR", "SD", "PR"],
    "response_time": [None, 4, 4, 3, None, 7, None, 5],
}
LATER = {"response_time": Variable(label="Time of response", kind=VariableKind.NUMERIC)}


def test_whoever_has_the_event_or_the_end_on_the_landmark_is_left_out() -> None:
    result = run(days(RESPONSES), landmark=5)
    assert result.landmark is not None
    assert (result.landmark.n_event_before, result.landmark.n_ended_before) == (2, 1)
    assert result.overall.n == 5
    assert result.overall.steps.time.tolist() == [1, 3, 4, 7, 9]
    by_hand = product_limit([1, 3, 4, 7, 9], [1, 0, 1, 1, 0])
    assert result.overall.steps.estimate == pytest.approx(by_hand.estimate)
    assert result.time_zero == "the landmark, 5 days after first dose"
    assert result.endpoint_label == "Overall survival after a landmark at 5 days"
    assert any(
        "2 patients with the event and 1 with the end of follow-up at or before" in note
        for note in survival_table(result).footnotes
    )
    assert "a landmark at 5 days" in methods_sentence(result)
    rows = {row.statistic: row for row in result_rows(result)}
    assert rows["n_event_before_landmark"].value == 2
    assert rows["n_ended_before_landmark"].value == 1
    assert {row.landmark for row in rows.values()} == {"5 days"}
    assert run(days(RESPONSES)).landmark is None


def test_a_landmark_is_named_also_where_time_zero_has_no_words() -> None:
    unnamed = endpoint(display_unit=TimeUnit.DAYS, time_zero="")
    result = run(make_cohort(RESPONSES, endpoints={"OS": unnamed}), landmark=5)
    assert result.time_zero == "the landmark at 5 days"


def test_groups_as_they_were_known_by_the_landmark() -> None:
    cohort = days(RESPONSES, variables=LATER)
    assert known_on_choices(cohort, cohort.study.definitions.endpoints["OS"]) == ("response_time",)
    naive = run(cohort, by="best_response", landmark=5)
    note = "Best response is taken as recorded over the whole follow-up"
    assert any(note in text for text in naive.footnotes)
    assert {group.label: group.n for group in naive.groups if group.n} == {"PR": 3, "SD": 2}

    result = run(cohort, by="best_response", landmark=5, known_on="response_time")
    # time 9 responded at 7: not by day 5. The one at exactly 5 did.
    assert {group.label: group.n for group in result.groups if group.n} == {"PR": 2, NOT_YET: 3}
    assert result.landmark is not None
    assert result.landmark.n_not_yet == 3
    assert not any(note in text for text in result.footnotes)
    assert any("by Time of response: in 3 it is later or empty" in n for n in result.footnotes)


def test_months_are_not_rounded_and_one_of_them_is_singular() -> None:
    columns = {"time": [30, 31, 60, 90], "status": [1, 1, 1, 0]}
    result = run(make_cohort(columns), landmark=1)
    # a month is 30.4375 days: day 30 is before it, day 31 is not
    assert result.overall.n == 3
    assert result.overall.steps.time[0] == pytest.approx(31 - 30.4375)
    assert result.time_zero == "the landmark, 1 month after first dose"


def test_dates_say_when_a_group_became_known() -> None:
    dated = endpoint(
        time=None, unit=None, event=None, events={}, censored=(), start="start",
        event_dates={"death": "died"}, last_contact=("seen",), display_unit=TimeUnit.DAYS,
    )  # fmt: skip
    columns = {
        "start": ["2020-01-01"] * 4,
        "died": ["2020-03-01", None, "2020-02-10", None],
        "seen": [None, "2020-04-01", None, "2020-05-01"],
        "best_response": ["PR", "PR", "SD", "PR"],
        "responded": ["2020-01-20", "2020-03-15", None, "2020-01-31"],
    }
    cohort = make_cohort(
        columns,
        endpoints={"OS": dated},
        variables={"responded": Variable(label="Date of response", kind=VariableKind.DATE)},
    )
    assert known_on_choices(cohort, dated) == ("responded",)
    result = run(cohort, by="best_response", landmark=30, known_on="responded")
    assert {group.label: group.n for group in result.groups if group.n} == {"PR": 2, NOT_YET: 2}
    with pytest.raises(StudyError) as refused:
        run(cohort, by="best_response", landmark=30, known_on="best_response")
    assert "can't say when" in refused.value.findings[0].message


def test_delayed_entry_counts_from_the_landmark_too() -> None:
    columns = {"time": [9, 12, 20], "status": [1, 1, 0], "late": [0, 7, 3]}
    late = endpoint(display_unit=TimeUnit.DAYS, entry="late")
    result = run(make_cohort(columns, endpoints={"OS": late}), landmark=5)
    assert result.delayed_entry
    assert result.overall.steps.time.tolist() == [4, 7, 15]
    assert result.overall.steps.n_risk.tolist() == [3, 2, 1]
    early = run(make_cohort(columns, endpoints={"OS": late}), landmark=8)
    assert not early.delayed_entry


def test_groups_formed_later_are_blocked_until_a_landmark_is_chosen() -> None:
    groupings = {"any": Grouping("Any response", "best_response", {"yes": ("CR", "PR")}, "no")}
    cohort = days(
        {**RESPONSES, "group": ["A", "B"] * 4},
        groupings=groupings,
        variables={"group": Variable(label="Group", measured=Measured.BASELINE)},
    )
    for by in ("best_response", "any"):
        assert is_formed_later(cohort, by)
        refuse_groups_formed_later(cohort, by, 5)
        with pytest.raises(StudyError) as refused:
            refuse_groups_formed_later(cohort, by, None)
        assert refused.value.findings[0].code is FindingCode.GROUP_AFTER_TIME_ZERO
        assert "Choose a landmark" in refused.value.findings[0].hint
    for free in (None, "group"):
        assert not is_formed_later(cohort, free)
        refuse_groups_formed_later(cohort, free, None)


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "kaplan_meier", "by": "best_response"},
        {"kind": "kaplan_meier", "by": "any"},
        {"kind": "competing_risks", "by": "best_response"},
        {"kind": "competing_risks", "covariates": ["best_response"]},
        {"kind": "parametric_survival", "by": "any"},
        {"kind": "survival_comparison", "by": "any"},
        {"kind": "survival_comparison", "by": "group", "strata": ["any"]},
        {"kind": "survival_comparison", "by": "group", "strata": ["any"], "landmark": 5},
        {"kind": "cox", "covariates": ["group", "best_response"]},
    ],
)
def test_no_analysis_of_a_study_file_goes_round_the_landmark(document: dict[str, Any]) -> None:
    cohort = days(
        {**RESPONSES, "group": ["A", "B"] * 4},
        groupings={"any": Grouping("Any response", "best_response", {"yes": ("CR", "PR")}, "no")},
        variables={"group": Variable(label="Group", measured=Measured.BASELINE)},
        analysis=AnalysisSection(specs=({"endpoint": "OS", **document},)),
    )
    with pytest.raises(StudyError) as refused:
        run_plan(cohort)
    (finding,) = refused.value.findings
    assert finding.code is FindingCode.GROUP_AFTER_TIME_ZERO
    assert "response” is known only after time zero" in finding.message


def test_a_landmark_after_everybodys_end_leaves_nobody() -> None:
    result = run(days(RESPONSES), by="best_response", landmark=50)
    assert result.overall.n == 0
    assert result.landmark is not None
    assert result.landmark.n_before == 8
    with pytest.raises(ValueError, match="landmark must be above 0"):
        KaplanMeierSpec("OS", landmark=0)
    with pytest.raises(ValueError, match="known_on belongs to a landmark"):
        KaplanMeierSpec("OS", known_on="x")


def test_who_is_left_out_and_who_is_not_are_everybody() -> None:
    rng = np.random.default_rng(3)
    columns = {
        "time": [int(t) for t in rng.integers(0, 30, 50)],
        "status": [int(e) for e in rng.random(50) < 0.5],
    }
    cohort = days(columns)
    for at in (1, 7, 15):
        result = run(cohort, landmark=at)
        assert result.landmark is not None
        assert result.landmark.n_before + result.overall.n == cohort.n
