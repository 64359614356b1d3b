from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sts_core.analysis.response import (
    ResponseResult,
    ResponseSpec,
    methods_sentence,
    r_code,
    response,
    response_counts,
    response_table,
    result_rows,
    result_sentences,
)
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.estimates import NotEstimable
from sts_core.findings import FindingCode, StudyError
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study.file import load_study
from sts_core.study.types import Measured, ResponseDefinition, Variable
from tests.cohorts import DEGENERATE_COMPLETE, make_cohort

SAMPLE = Path(__file__).parents[2] / "sample_data"


def cohort_of(
    responses: Sequence[Any],
    groups: Sequence[Any] | None = None,
    definition: ResponseDefinition | None = ResponseDefinition(variable="best"),  # noqa: B008
    variable: Variable | None = None,
    group: Variable | None = None,
) -> Cohort:
    columns: dict[str, Sequence[Any]] = {
        "time": [10] * len(responses),
        "status": [1] * len(responses),
        "best": responses,
    }
    variables = {"best": variable or Variable(label="Best response")}
    if groups is not None:
        columns["group"] = groups
        variables["group"] = group or Variable(label="Group", measured=Measured.BASELINE)
    cohort = make_cohort(columns, variables=variables)
    definitions = dataclasses.replace(cohort.study.definitions, response=definition)
    return dataclasses.replace(
        cohort, study=dataclasses.replace(cohort.study, definitions=definitions)
    )


def written(result: ResponseResult) -> list[list[str]]:
    return response_table(result).formatted()


MIXED = ["CR", "PR", "PR", "SD", "PD", "NE", None, "unknown"]


def test_counts_and_both_denominators_by_hand() -> None:
    group = response(cohort_of(MIXED), ResponseSpec()).overall
    assert [share.count for share in group.counts] == [1, 2, 1, 1, 1]
    assert (group.n, group.n_evaluable, group.n_not_evaluable, group.n_not_recorded) == (8, 5, 1, 2)
    orr, dcr = group.of_all.objective_response, group.of_all.disease_control
    assert (orr.count, orr.total, dcr.count, dcr.total) == (3, 8, 4, 8)
    orr, dcr = group.of_evaluable.objective_response, group.of_evaluable.disease_control
    assert (orr.count, orr.total, dcr.count, dcr.total) == (3, 5, 4, 5)
    # betainv by R: binom.test(3, 5)
    assert orr.estimate.low == pytest.approx(0.1466328, abs=1e-7)
    assert orr.estimate.high == pytest.approx(0.9472550, abs=1e-7)


def test_levels_run_from_response_to_not_evaluable_whatever_the_file() -> None:
    result = response(cohort_of(["PD", "CR", "SD"]), ResponseSpec())
    assert result.levels == ("CR", "PR", "SD", "PD", "NE")
    assert [share.count for share in result.overall.counts] == [1, 0, 1, 1, 0]


@pytest.mark.parametrize("blank", [None, "", "unknown", "."])
def test_a_file_without_responses_never_says_zero_percent(blank: str | None) -> None:
    result = response(cohort_of([blank] * 4), ResponseSpec())
    for rates in (result.overall.of_all, result.overall.of_evaluable):
        for share in (rates.objective_response, rates.disease_control):
            assert share.estimate.value is None
            assert share.estimate.reason is NotEstimable.NOT_RECORDED
    cells = [cell for row in written(result) for cell in row]
    assert not any(cell.startswith("0.0") for cell in cells)
    assert "NE" in cells
    assert "not recorded in this file" in " ".join(result_sentences(result))
    shares = [row for row in result_rows(result) if row.statistic.endswith("_rate")]
    assert {row.status for row in shares} == {"not_estimable"}
    assert all(row.value is None and row.events is None for row in shares)


def test_everybody_progressing_is_zero_percent_with_an_interval() -> None:
    share = response(cohort_of(["PD"] * 12), ResponseSpec()).overall.of_all.objective_response
    assert share.estimate.value == 0.0
    assert share.estimate.high == pytest.approx(1 - 0.025 ** (1 / 12), rel=1e-12)


def test_study_without_a_response_says_so() -> None:
    with pytest.raises(StudyError) as caught:
        response(cohort_of(MIXED, definition=None), ResponseSpec())
    (finding,) = caught.value.findings
    assert finding.code is FindingCode.COLUMN_MISSING
    assert "no best overall response" in finding.message
    assert finding.hint


def test_values_that_nobody_named_are_refused_when_they_are_all() -> None:
    with pytest.raises(StudyError) as caught:
        response(cohort_of(["complete", "progress", None]), ResponseSpec())
    (finding,) = caught.value.findings
    assert finding.code is FindingCode.LEVEL_UNKNOWN
    assert "“complete”" in finding.message


def test_values_that_nobody_named_are_reported_when_they_are_some() -> None:
    result = response(cohort_of(["CR", "PD", "progress"]), ResponseSpec())
    (finding,) = result.findings
    assert finding.code is FindingCode.LEVEL_UNKNOWN
    assert result.unnamed == ("progress",)
    assert result.overall.of_all.objective_response.count == 1
    assert result.overall.of_all.objective_response.total == 3
    assert any("progress" in note for note in result.footnotes)


def test_codes_of_the_file_become_levels() -> None:
    variable = Variable(label="Best", codes={"完全缓解": "CR", "疾病进展": "PD"})
    result = response(cohort_of(["完全缓解", "疾病进展"], variable=variable), ResponseSpec())
    assert result.overall.of_all.objective_response.count == 1
    assert not result.findings


@pytest.mark.parametrize(
    "definition",
    [
        ResponseDefinition(variable="best", responders=()),
        ResponseDefinition(variable="best", not_evaluable=("NE", "SD")),
        ResponseDefinition(variable="best", progression=("PD", "SD")),
        ResponseDefinition(variable="best", progression=("PD", "NE")),
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(definition: ResponseDefinition) -> None:
    with pytest.raises(StudyError) as caught:
        response(cohort_of(MIXED, definition=definition), ResponseSpec())
    assert caught.value.findings[0].code is FindingCode.STUDY_FILE_INVALID


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (ResponseDefinition(variable="best"), "criteria not stated"),
        (ResponseDefinition(variable="best"), "not stated whether responses were confirmed"),
        (ResponseDefinition(variable="best"), "assessor not stated"),
        (ResponseDefinition(variable="best"), "shortest stable disease not stated"),
        (ResponseDefinition(variable="best", criteria="Choi"), "by Choi, not stated whether"),
        (ResponseDefinition(variable="best", confirmed=False), "responses not confirmed"),
        (ResponseDefinition(variable="best", confirmed=True), "responses confirmed"),
        (ResponseDefinition(variable="best", assessor="a committee"), "assessed by a committee"),
        (ResponseDefinition(variable="best", minimum_stable_days=56), "at least 56 days"),
    ],
)
def test_only_what_the_study_states_is_said(definition: ResponseDefinition, said: str) -> None:
    result = response(cohort_of(MIXED, definition=definition), ResponseSpec())
    text = " ".join([*result.footnotes, methods_sentence(result)])
    assert said in text
    assert "RECIST" not in text
    assert "42" not in text


def test_progression_is_what_the_study_says_it_is() -> None:
    definition = ResponseDefinition(variable="best", progression=("progress", "PD"))
    result = response(cohort_of(["CR", "PD", "progress"], definition=definition), ResponseSpec())
    assert not result.findings
    assert result.overall.of_all.objective_response.count == 1
    unnamed = dataclasses.replace(definition, progression=())
    result = response(cohort_of(["CR", "PD"], definition=unnamed), ResponseSpec())
    assert result.unnamed == ("PD",)


def test_an_old_study_file_without_progression_still_means_pd() -> None:
    text = "title: Old\ndefinitions:\n  response: {variable: best, minimum_stable_days: 42}\n"
    definition = load_study(text).definitions.response
    assert definition is not None
    assert definition.progression == ("PD",)
    assert definition.minimum_stable_days == 42
    assert definition.criteria == ""


def test_response_is_control_also_where_only_stable_disease_is_listed() -> None:
    definition = ResponseDefinition(variable="best", controlled=("SD",))
    result = response(cohort_of(MIXED, definition=definition), ResponseSpec())
    assert result.overall.of_all.disease_control.count == 4


GROUPS = ["A", "A", "B", "B", None, "B", "C", "A"]


def test_groups_keep_the_studys_levels_and_name_who_is_left_out() -> None:
    levels = Variable(label="Group", levels=("C", "B", "A", "D"), measured=Measured.BASELINE)
    cohort = cohort_of(MIXED, GROUPS, group=levels)
    result = response(cohort, ResponseSpec(by="group"))
    assert [group.label for group in result.groups] == ["C", "B", "A", "D"]
    assert [group.n for group in result.groups] == [1, 3, 3, 0]
    assert result.overall.n == 7
    assert result.n_unknown_group == 1
    nobody = result.groups[3].of_all.objective_response.estimate
    assert nobody.reason is NotEstimable.NO_SUBJECTS
    unrecorded = result.groups[0].of_all.objective_response.estimate
    assert unrecorded.reason is NotEstimable.NOT_RECORDED
    assert any("1 patient not included: Group not known" in note for note in result.footnotes)


def test_chosen_levels_only_change_this_comparison() -> None:
    cohort = cohort_of(MIXED, GROUPS)
    result = response(cohort, ResponseSpec(by="group", levels=("B", "A")))
    assert [group.label for group in result.groups] == ["A", "B"]
    assert result.all_levels == ("A", "B", "C")
    assert result.overall.n == 6
    assert result.n_other_groups == 1
    assert any("over 2 of 3 levels of Group" in note for note in result.footnotes)


def test_tables_hold_numbers_and_name_their_denominators() -> None:
    cohort = cohort_of(MIXED, GROUPS)
    single = response_table(response(cohort, ResponseSpec()))
    labels = [row["response"] for row in single.rows]
    assert "of all patients analysed" in labels
    assert "of evaluable patients" in labels
    assert "Not recorded" in labels
    table = response_table(response(cohort, ResponseSpec(by="group", denominator="evaluable")))
    rates = [column.label for column in table.columns if column.spanner == "Objective response"]
    assert rates == ["n", "% of evaluable (95% CI)", "% of all (95% CI)"]
    whole = dict(zip([c.key for c in table.columns], table.formatted()[-1], strict=True))
    assert whole["group"] == "All of these"
    assert (whole["n"], whole["evaluable"], whole["objective_response"]) == ("7", "4", "3")
    assert whole["objective_response_all"].startswith("42.9 (")
    assert whole["objective_response_evaluable"].startswith("75.0 (")


def test_one_denominator_is_enough_when_all_are_evaluable() -> None:
    cohort = cohort_of(["CR", "SD", "PD", "PD"], ["A", "A", "B", "B"])
    table = response_table(response(cohort, ResponseSpec(by="group")))
    rates = [column.label for column in table.columns if column.spanner == "Objective response"]
    assert rates == ["n", "% of all (95% CI)"]
    assert all(set(row) == {column.key for column in table.columns} for row in table.rows)


def test_order_of_rows_in_the_file_changes_nothing() -> None:
    forward = response(cohort_of(MIXED, GROUPS), ResponseSpec(by="group"))
    backward = response(cohort_of(MIXED[::-1], GROUPS[::-1]), ResponseSpec(by="group"))
    assert result_rows(forward) == result_rows(backward)


@given(
    st.lists(st.sampled_from(["CR", "PR", "SD", "PD", "NE", None]), max_size=25),
    st.sampled_from(["all", "evaluable"]),
)
def test_counts_always_add_up(values: list[str | None], denominator: Any) -> None:
    result = response(cohort_of(values), ResponseSpec(denominator=denominator))
    group = result.overall
    assert sum(share.count for share in group.counts) + group.n_not_recorded == group.n
    assert group.n_evaluable + group.n_not_evaluable + group.n_not_recorded == group.n
    orr = group.of_all.objective_response
    assert orr.count <= group.of_all.disease_control.count <= group.n_evaluable
    recorded = group.n_not_recorded < group.n
    assert (orr.estimate.value is None) is not recorded
    for row in result_rows(result):
        assert row.value is None or math.isfinite(row.value)
    assert written(result)
    assert result_sentences(result)


@pytest.mark.parametrize("by", [None, "group"])
@pytest.mark.parametrize("name", DEGENERATE_COMPLETE)
def test_every_awkward_cohort_adds_up(name: str, by: str | None) -> None:
    result = response(DEGENERATE_COMPLETE[name](), ResponseSpec(by=by))
    for group in (*result.groups, result.overall):
        counted = sum(share.count for share in group.counts)
        assert counted + group.n_not_recorded == group.n
        estimate = group.of_all.objective_response.estimate
        if group.n == 0:
            assert estimate.reason is NotEstimable.NO_SUBJECTS
        elif group.n_not_recorded == group.n:
            assert estimate.reason is NotEstimable.NOT_RECORDED
        else:
            assert estimate.value == group.of_all.objective_response.count / group.n
    assert written(result)
    assert result_sentences(result)
    for row in result_rows(result):
        assert (row.status == "not_estimable") == (row.value is None)
    assert methods_sentence(result).endswith(".")
    assert r_code(result)


def test_words_of_the_file_stay_strings_in_r() -> None:
    name = 'CR"); system("x'
    definition = ResponseDefinition(variable="best", responders=(name,), controlled=(name,))
    code = r_code(response(cohort_of([name, "PD"], definition=definition), ResponseSpec()))
    assert r'c("CR\"); system(\"x")' in code


def test_spec_reads_from_a_study_file_and_refuses_nonsense() -> None:
    adapter = TypeAdapter(ResponseSpec)
    spec = adapter.validate_python({"kind": "response", "by": "group", "denominator": "evaluable"})
    assert adapter.validate_python(adapter.dump_python(spec, mode="json")) == spec
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": "response", "denominator": "treated"})
    with pytest.raises(ValueError, match="95"):
        ResponseSpec(conf_level=95)


@pytest.fixture(scope="module")
def sample() -> Cohort:
    study = load_study((SAMPLE / "study.yaml").read_text(encoding="utf-8"))
    book = read_bytes("sts_cohort.xlsx", (SAMPLE / "sts_cohort.xlsx").read_bytes())
    return apply_criteria(assemble(study, [book]), study)


def test_sample_has_the_published_responses(sample: Cohort) -> None:
    result = response(sample, ResponseSpec())
    assert [share.count for share in result.overall.counts] == [1, 8, 30, 12, 0]
    orr = result.overall.of_all.objective_response
    assert (orr.count, orr.total) == (9, 51)
    assert orr.estimate.low == pytest.approx(0.084, abs=5e-4)
    assert orr.estimate.high == pytest.approx(0.309, abs=5e-4)
    dcr = result.overall.of_all.disease_control
    assert (dcr.count, dcr.total) == (39, 51)
    text = " ".join(result_sentences(result))
    assert "9 of 51 patients analysed (17.6%; 95% CI 8.4 to 30.9)" in text
    assert "39 of 51 patients analysed (76.5%" in text
    assert "Synthetic data, not patients." in result.footnotes
    assert "RECIST 1.1" in methods_sentence(result)


def test_sample_has_the_published_responses_by_histotype(sample: Cohort) -> None:
    result = response(sample, ResponseSpec(by="histotype"))
    found = {
        group.label: {
            level: share.count
            for level, share in zip(result.levels, group.counts, strict=True)
            if share.count
        }
        for group in result.groups
    }
    assert found["Alveolar soft part sarcoma"] == {"PR": 1, "SD": 5}
    assert found["Clear cell sarcoma"] == {"PR": 2, "SD": 2, "PD": 1}
    assert found["Rhabdomyosarcoma"] == {"PR": 1, "SD": 4, "PD": 1}
    assert sum(group.n for group in result.groups) == 51


@pytest.mark.parametrize("name", DEGENERATE_COMPLETE)
def test_plain_counts_are_those_of_the_result(name: str) -> None:
    cohort = DEGENERATE_COMPLETE[name]()
    counts, overall = response_counts(cohort), response(cohort, ResponseSpec()).overall
    assert (
        counts.n, counts.objective_response, counts.disease_control, counts.not_evaluable,
        counts.not_recorded,
    ) == (
        overall.n, overall.of_all.objective_response.count, overall.of_all.disease_control.count,
        overall.n_not_evaluable, overall.n_not_recorded,
    )  # fmt: skip
