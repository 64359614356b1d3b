"""Conventions: one public trial under the rules of this app, of R and of SPSS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sts_core.analysis.baseline import BaselineSpec, baseline
from sts_core.analysis.conventions import CONVENTIONS
from sts_core.analysis.cox import CoxSpec, cox, cox_table
from sts_core.analysis.cox import methods_sentence as cox_methods
from sts_core.analysis.cross_table import CrossTableSpec, cross_table
from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    kaplan_meier,
    methods_sentence,
    more_estimates_table,
    r_code,
    result_rows,
    survival_table,
)
from sts_core.cohort import Cohort
from sts_core.estimates import Estimate, NotEstimable
from sts_core.estimators.group_tests import FISHER, PEARSON
from sts_core.study import AnalysisSection, TimeUnit, Variable
from sts_core.study.types import ConventionName
from tests.cohorts import endpoint, make_cohort
from validation import conventions
from validation.kaplan_meier import read_cohorts

REFERENCE = Path(__file__).parents[1] / "reference"

# Freireich et al., Blood 1963;21:699-716: weeks in remission; 6-mercaptopurine and placebo.
MP = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
NAMES: tuple[ConventionName, ...] = ("app", "R", "SPSS")


def freireich(**analysis: Any) -> Cohort:
    return make_cohort(
        {
            "time": MP + PLACEBO,
            "status": [1] * 9 + [0] * 12 + [1] * 21,
            "group": ["6-MP"] * 21 + ["placebo"] * 21,
        },
        endpoints={"OS": endpoint(unit=TimeUnit.WEEKS, display_unit=TimeUnit.WEEKS)},
        variables={
            "group": Variable(label="Group", levels=("placebo", "6-MP"), reference="placebo")
        },
        analysis=AnalysisSection(**analysis),
    )


def run(name: ConventionName = "app", **spec: Any) -> KaplanMeierResult:
    return kaplan_meier(
        freireich(convention=name),
        KaplanMeierSpec("OS", **{"by": "group", "landmarks": (10, 40), **spec}),
    )


def near(estimate: Estimate, *numbers: float | None, abs: float = 5e-4) -> bool:
    found = (estimate.value, estimate.low, estimate.high)
    return all(
        a is None if b is None else a == pytest.approx(b, abs=abs)
        for a, b in zip(found, numbers, strict=True)
    )


# --- published numbers ---------------------------------------------------------------------------

# point, limits of the median of both groups: R 4.2.2 with survival 3.5-3; SPSS's by its formula
MEDIANS = {
    "app": ((8, 4, 11), (23, 13, None)),
    "R": ((8, 4, 12), (23, 16, None)),
    "SPSS": ((8, 4.729, 11.271), (23, 12.700, 33.300)),
}


@pytest.mark.parametrize("name", NAMES)
def test_medians(name: ConventionName) -> None:
    for group, numbers in zip(run(name).groups, MEDIANS[name], strict=True):
        assert near(group.median, *numbers)


@pytest.mark.parametrize(
    ("name", "hazard_ratio"),
    [
        ("app", (0.2076, 0.0925, 0.4659)),
        ("R", (0.2076, 0.0925, 0.4659)),
        ("SPSS", (0.2211, 0.0991, 0.4934)),
    ],
)
def test_hazard_ratio_here_and_in_the_regression(
    name: ConventionName, hazard_ratio: tuple[float, float, float]
) -> None:
    assert near(run(name).hazard_ratios[1].hazard_ratio, *hazard_ratio, abs=5e-5)
    result = cox(freireich(convention=name), CoxSpec("OS", ("group",)))
    level = result.covariates[0].levels[1]
    assert near(level.univariable.hazard_ratio, *hazard_ratio, abs=5e-5)
    assert result.ties.value == CONVENTIONS[name].ties


def test_tests_beside_the_log_rank_test() -> None:
    for name in NAMES:
        result = run(name)
        assert result.logrank is not None
        assert result.logrank.statistic == pytest.approx(16.7929, abs=5e-5)
    assert run("R").other_tests == run("app").other_tests == ()
    found = {test.name: test.statistic for test in run("SPSS").other_tests}
    assert found == {
        "gehan-breslow": pytest.approx(13.4579, abs=5e-5),
        "tarone-ware": pytest.approx(15.1236, abs=5e-5),
    }


@pytest.mark.parametrize(
    ("name", "horizon", "means"),
    [
        # R: print(survfit(...), rmean = 23), "common", "individual"
        ("app", 23, ((8.6667, 1.37739), (17.9092, 1.55319))),
        ("R", 35, ((8.6667, 1.37739), (23.2874, 2.82747))),
        ("SPSS", None, ((8.6667, 1.37739), (23.2874, 2.82747))),
    ],
)
def test_restricted_means(
    name: ConventionName, horizon: float | None, means: tuple[tuple[float, float], ...]
) -> None:
    result = run(name)
    for group, (mean, error) in zip(result.groups, means, strict=True):
        assert group.mean.estimate.value == pytest.approx(mean, abs=5e-4)
        assert group.mean.std_error == pytest.approx(error, abs=5e-4)
        assert group.mean.horizon == (group.max_time if horizon is None else horizon)


def test_survival_beyond_the_last_time() -> None:
    for name in NAMES:
        placebo, treated = (group.rates for group in run(name).groups)
        assert placebo[1].estimate.value == 0  # after a last event it is known
        assert treated[0].estimate.value == pytest.approx(0.7529, abs=5e-5)
        last = treated[1].estimate
        if name == "R":
            assert near(last, 0.448, 0.249, 0.807)
        else:
            assert last.reason is NotEstimable.BEYOND_FOLLOW_UP
        assert treated[1].n_risk == 0


def test_follow_up() -> None:
    # R: quantile(survfit(Surv(time, 1 - status) ~ group), 0.5)
    assert near(run("R").groups[1].follow_up, 25, 17, None)
    assert run("R").groups[0].follow_up.reason is NotEstimable.NO_CENSORING
    ties = make_cohort(
        {"time": [5, 5, 8, 8, 10, 12, 12, 15, 15, 20], "status": [1, 0, 1, 0, 0, 1, 0, 0, 1, 0]},
        endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)},
    )
    found = {
        name: kaplan_meier(ties, KaplanMeierSpec("OS", convention=name)).overall.follow_up.value
        for name in NAMES
    }
    assert found == {"app": 12, "R": 15, "SPSS": 15}


def test_a_flat_stretch_at_exactly_one_half() -> None:
    cohort = make_cohort(
        {"time": list(range(1, 9)), "status": [1] * 8},
        endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)},
    )
    medians = {
        name: kaplan_meier(cohort, KaplanMeierSpec("OS", convention=name)).overall.median.value
        for name in NAMES
    }
    assert medians == {"app": 4.5, "R": 4.5, "SPSS": 4}


# 15 of 25 against 8 of 26; R: chisq.test with and without correction, fisher.test
TWO_BY_TWO = {
    "time": [1] * 51,
    "status": [1] * 51,
    "group": ["A"] * 25 + ["B"] * 26,
    "sign": ["yes"] * 15 + ["no"] * 10 + ["yes"] * 8 + ["no"] * 18,
}


@pytest.mark.parametrize("name", NAMES)
def test_two_rows_by_two_columns(name: ConventionName) -> None:
    variables = {key: Variable(label=key.capitalize()) for key in ("group", "sign")}
    cohort = make_cohort(TWO_BY_TWO, variables=variables, analysis=AnalysisSection(convention=name))
    crossed = cross_table(cohort, CrossTableSpec("sign", "group", tests=True))
    described = baseline(cohort, BaselineSpec(("sign",), by="group", tests=True))
    (item,) = described.characteristics
    for test, others in ((crossed.test, crossed.other_tests), (item.test, item.other_tests)):
        assert test is not None
        assert test.p_value == pytest.approx(0.0360, abs=5e-5)
        found = [other.p_value for other in others]
        assert found == ([] if name != "SPSS" else pytest.approx([0.0694, 0.0505], abs=5e-5))
    for notes in (crossed.footnotes, described.footnotes):
        assert sum(note.startswith("Convention: ") for note in notes) == 1
        assert any("Yates's correction, P = 0.069" in note for note in notes) is (name == "SPSS")


def test_few_expected_are_tested_exactly_but_by_pearson_in_spss() -> None:
    few = {**TWO_BY_TWO, "sign": ["yes"] * 3 + ["no"] * 22 + ["yes"] + ["no"] * 25}
    variables = {key: Variable(label=key.capitalize()) for key in ("group", "sign")}
    for name in NAMES:
        cohort = make_cohort(few, variables=variables, analysis=AnalysisSection(convention=name))
        test = cross_table(cohort, CrossTableSpec("sign", "group", tests=True)).test
        assert test is not None
        assert test.name == (PEARSON if name == "SPSS" else FISHER)


# --- random cohorts ------------------------------------------------------------------------------


def test_random_cohorts_agree_with_r_under_every_convention() -> None:
    made = read_cohorts(REFERENCE / "conventions_cohorts.csv", REFERENCE / "conventions_times.csv")
    found = conventions.compare(made, REFERENCE / "conventions_results.txt")
    assert found.cases == conventions.STORED
    assert found.comparisons > 5_000
    assert found.disagreements == []


# --- what is said --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_footnote_and_methods_sentence_names_the_convention(name: ConventionName) -> None:
    own = name == "app"
    words = "this app's own" if own else f"{name}'s, by its published formula"
    result = run(name)
    regression = cox(freireich(convention=name), CoxSpec("OS", ("group",)))
    for table in (survival_table(result), more_estimates_table(result), cox_table(regression)):
        assert sum(f"Convention: {words}" in note for note in table.footnotes) == 1
    for sentence in (methods_sentence(result), cox_methods(regression)):
        assert (f"in {name}'s convention by its published formula" in sentence) is not own


def test_a_choice_of_ones_own_wins_and_is_said() -> None:
    result = run("SPSS", conf_type="plain")
    assert result.groups[0].median.method == "plain"
    assert result.methods.quantile_interval == "band"
    (note,) = [text for text in result.footnotes if text.startswith("Chosen in place")]
    assert "intervals on the plain scale and intervals of medians from the band" in note
    of_study = kaplan_meier(
        freireich(convention="R", conf_type="log-log"), KaplanMeierSpec("OS", by="group")
    )
    assert near(of_study.groups[1].median, 23, 13, None)
    assert any("intervals on the log-log scale" in text for text in of_study.footnotes)
    assert not any(text.startswith("Chosen in place") for text in run("R").footnotes)
    symmetric = run(quantile_interval="symmetric")
    assert near(symmetric.groups[1].median, 23, 12.7, 33.3)
    assert "symmetric ones of medians" in methods_sentence(symmetric)
    breslow = cox(freireich(), CoxSpec("OS", ("group",), ties="breslow"))
    assert any("Breslow's handling of ties was chosen" in text for text in breslow.footnotes)


def test_a_symmetric_interval_has_a_rule_of_its_own() -> None:
    with pytest.raises(ValueError, match="belongs to the rule"):
        KaplanMeierSpec("OS", quantile_interval="symmetric", quantile_rule="midpoint")


def test_p_of_a_factor_follows_the_convention() -> None:
    cohort = {
        "time": [3, 5, 6, 7, 8, 9, 10, 12, 14, 15, 18, 20],
        "status": [1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1],
        "group": list("ABCABCABCABC"),
    }
    found = {}
    for name in NAMES:
        result = cox(
            make_cohort(cohort, analysis=AnalysisSection(convention=name)),
            CoxSpec("OS", ("group",), ties="efron"),
        )
        factor = result.covariates[0].univariable
        row = cox_table(result).rows[0]
        expected = factor.likelihood_ratio if name == "app" else factor.wald
        assert expected is not None
        assert row["univariable_p"] == expected.p_value
        found[name] = row["univariable_p"]
    assert found["app"] != found["R"] == found["SPSS"]


def test_rows_and_code_follow_the_convention() -> None:
    rows = {(row.statistic, row.group): row for row in result_rows(run("SPSS"))}
    assert rows["median", "6-MP"].method == "symmetric"
    assert rows["median", "6-MP"].r == "formula"
    assert rows["tarone_ware_chi_square", None].value == pytest.approx(15.1236, abs=5e-5)
    assert rows["restricted_mean", "6-MP"].term == "35 weeks"
    assert rows["restricted_mean", "placebo"].term == "23 weeks"
    assert (rows["time_max", "6-MP"].value, rows["time_max", "6-MP"].level) == (35, "censored")
    assert 'rmean = "individual"' in r_code(run("SPSS"))
    assert "rmean = 23.0" in r_code(run("app"))
    assert 'ties = "breslow"' in r_code(run("SPSS"))


def test_the_table_of_more_estimates() -> None:
    table = more_estimates_table(run("app"))
    assert [column.label for column in table.columns] == [
        "Group", "Events/N", "25% with the event (95% CI)", "75% with the event (95% CI)",
        "Mean (95% CI)", "SE", "Follow-up, weeks (95% CI)", "Range, weeks",
    ]  # fmt: skip
    assert table.formatted()[1] == [
        "6-MP", "9/21", "13.0 (6.0, 22.0)", "NR (23.0, NE)", "17.9 (14.9, 21.0)", "1.55",
        "25.0 (11.0, 32.0)", "6.0 to 35.0+",
    ]  # fmt: skip
    assert "Events: death." in table.footnotes
    assert any(
        "up to 23.0 weeks, the smallest of the groups' largest times" in note
        for note in table.footnotes
    )
    beyond = more_estimates_table(run("app", mean_horizon=36.0))
    assert [cells[4:6] for cells in beyond.formatted()] == [["8.7 (6.0, 11.4)", "1.38"], ["NE", ""],
                                                           ["NE", ""]]  # fmt: skip
    assert any("up to 36.0 weeks, as chosen" in note for note in beyond.footnotes)


def test_events_of_several_kinds_have_a_column_each() -> None:
    cohort = make_cohort(
        {"time": [1, 2, 3, 4], "status": [1, 2, 0, 1], "group": list("ABAB")},
        endpoints={
            "OS": endpoint(events={"progression": (1,), "death": (2,)}, display_unit=TimeUnit.DAYS)
        },
    )
    table = more_estimates_table(kaplan_meier(cohort, KaplanMeierSpec("OS", by="group")))
    labels = [column.label for column in table.columns]
    at = labels.index("progression")
    assert labels[at + 1] == "death"
    assert [cells[at : at + 2] for cells in table.formatted()] == [
        ["1", "0"], ["1", "1"], ["2", "1"],
    ]  # fmt: skip
