"""How groups are made, in footnotes; and the best cut with the P value of its search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sts_core.analysis.best_cut import WARNING, best_cut
from sts_core.analysis.cox import CoxSpec, cox
from sts_core.analysis.group_rules import group_notes
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.survival_comparison import SurvivalComparisonSpec, survival_comparison
from sts_core.analysis.survival_comparison_report import comparison_table
from sts_core.cohort import Cohort
from sts_core.display import format_p
from sts_core.estimates import NotEstimable
from sts_core.estimators.maximally_selected import maximally_selected_log_rank
from sts_core.study import (
    Combination,
    Grouping,
    Measured,
    Study,
    TimeUnit,
    Variable,
    VariableKind,
    dump_study,
    load_study,
)
from tests.cohorts import endpoint, make_cohort

RNG = np.random.default_rng(11)
AGE = RNG.integers(20, 80, 60)
COLUMNS: dict[str, list[Any]] = {
    "time": [int(t) for t in 1 + RNG.exponential(np.where(AGE < 50, 40, 8))],
    "status": [int(e) for e in RNG.random(60) < 0.85],
    "age": [int(a) for a in AGE],
    "sex": [str(s) for s in RNG.choice(["f", "m"], 60)],
    "group": [str(g) for g in RNG.choice([f"level {n}" for n in range(12)], 60)],
}
COLUMNS["age"][0] = None
NUMBER = Variable("Age", VariableKind.NUMERIC, unit="years", measured=Measured.BASELINE)


def cut(rule: str, *cuts: float, **more: Any) -> Variable:
    return Variable(
        "Age group", VariableKind.ORDERED, column="age", unit="years", cuts=cuts,
        measured=Measured.BASELINE, **{"cut_rule": rule, **more},
    )  # fmt: skip


def cohort_with(**variables: Variable) -> Cohort:
    return make_cohort(
        COLUMNS,
        endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)},
        variables={
            "age": NUMBER,
            "sex": Variable("Sex", measured=Measured.BASELINE),
            "group": Variable("Group", measured=Measured.BASELINE),
            **variables,
        },
        groupings={
            "some": Grouping(
                "Some", "group", {"Few": ("level 1", "level 2"),
                                  "Many": tuple(f"level {n}" for n in range(3, 12))}, "Rest",
            )
        },
    )  # fmt: skip


def test_each_way_to_make_groups_is_said() -> None:
    cohort = cohort_with(
        half=cut("median", 50), third=cut("tertiles", 40, 60),
        own=cut("stated", 45, codes={"<45": "young", "≥45": "old"}),
        both=Variable("Sex and age", derived=Combination(("sex", "own"), ", ")),
    )  # fmt: skip
    assert group_notes(cohort, None) == ()
    assert group_notes(cohort, "sex") == ()
    assert group_notes(cohort, "half") == (
        "Age group: cut at 50 years (the median, worked out when the groups were made).",
    )
    assert group_notes(cohort, "third") == (
        "Age group: cut at 40 and 60 years (the tertiles, worked out when the groups were made).",
    )
    assert group_notes(cohort, "own") == ("Age group: cut at 45 years: young, <45; old, ≥45.",)
    (crossed,) = group_notes(cohort, "both")
    assert crossed.startswith("Sex and age: ")
    assert "not known in 1 of 60 patients" in crossed
    (merged,) = group_notes(cohort, "some")
    assert merged.startswith("Groups of Group: Few, level 1 and level 2; Many, level 3, level 4")
    assert merged.endswith("and 1 other level; Rest, all other levels.")


def test_the_rule_stands_in_every_footnote_and_comes_back_from_the_study_file() -> None:
    cohort = cohort_with(half=cut("median", 50))
    (note,) = group_notes(cohort, "half")
    assert note in kaplan_meier(cohort, KaplanMeierSpec("OS", "half")).footnotes
    compared = survival_comparison(cohort, SurvivalComparisonSpec("OS", "half", resamples=0))
    assert note in comparison_table(compared).footnotes
    text = dump_study(cohort.study)
    again: Study = load_study(text, name="study.yaml")
    assert again.definitions.variables["half"].cut_rule == "median"
    assert "cut_rule" not in dump_study(cohort_with(own=cut("stated", 45)).study)


def test_the_best_cut_is_that_of_the_estimator_over_those_whose_number_is_known() -> None:
    found = best_cut(cohort_with(), "OS", "age", resamples=200)
    known = np.arange(1, 60)
    expected = maximally_selected_log_rank(
        np.array(COLUMNS["age"][1:], dtype=float),
        np.array(COLUMNS["time"])[known],
        np.array(COLUMNS["status"])[known].astype(bool),
        resamples=200,
    )
    assert (found.found.cut, found.n_unknown, found.found.n) == (expected.cut, 1, 59)
    assert found.found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.found.p_approximate < 0.01
    assert f"is at {expected.cut:g} years, among" in found.sentence
    written = format_p(expected.p_approximate)
    assert f"P corrected for the search: {written} (Lausen and Schumacher 1992)" in found.sentence
    assert ", 0.0050 (permutation, 200 random ways, seed 1)" in found.sentence


def test_groups_of_a_best_cut_carry_the_corrected_p_and_the_warning() -> None:
    cohort = cohort_with(best=cut("best", 50, cut_for="OS"), gone=cut("best", 50, cut_for="PFS"))
    notes = group_notes(cohort, "best")
    assert notes[0] == "Age group: cut at 50 years, which the data chose."
    assert "P corrected for the search" in notes[1]
    assert "permutation" not in notes[1]
    assert notes[2] == WARNING
    assert group_notes(cohort, "gone")[1:] == (WARNING,)
    for text in notes:
        assert text in kaplan_meier(cohort, KaplanMeierSpec("OS", "best")).footnotes
    prognosis = cox(cohort, CoxSpec("OS", ("best", "sex")))
    assert {notes[1], WARNING} <= set(prognosis.footnotes)
    assert WARNING not in cox(cohort, CoxSpec("OS", ("sex",))).footnotes


def test_no_best_cut_is_said_with_its_reason() -> None:
    same = {**COLUMNS, "age": [50] * 60}
    cohort = make_cohort(same, variables={"age": NUMBER})
    found = best_cut(cohort, "OS", "age", resamples=10)
    assert found.found.reason is NotEstimable.NO_VARIATION
    assert found.sentence == (
        "Age has no best cut for overall survival: all patients have the same value."
    )
