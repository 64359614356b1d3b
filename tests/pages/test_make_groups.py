"""Groups made on the Survival page: numbers cut, variables crossed, responses merged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pages._ui import make_groups
from sts_core.analysis.best_cut import WARNING, best_cut
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier, survival_table
from sts_core.analysis.plan import baseline_groupings
from sts_core.criteria import apply_criteria
from sts_core.derive import levels_of
from sts_core.study import dump_study, load_study
from tests.pages.driver import SURVIVAL, checked, click, go, shown, study_of, table, with_sample
from tests.pages.test_comparisons_tab import sample_cohort


def survival(by: str = "sex") -> Any:
    at = go(with_sample(), SURVIVAL)
    return checked(at.selectbox(key="w:km.by").set_value(by).run())


def how(at: Any, way: str) -> Any:
    return checked(at.segmented_control(key="w:groups.how").set_value(way).run())


def compared(at: Any) -> str:
    """Give the variable that the page compares by, its table checked against the core."""
    key = at.selectbox(key="w:km.by").value
    cohort = apply_criteria(sample_cohort(), study_of(at))
    result = kaplan_meier(cohort, KaplanMeierSpec("PFS", key))
    for row in survival_table(result).formatted():
        assert " ".join(" ".join(row).split()) in table(at)
    again = load_study(dump_study(study_of(at)), name="study.yaml")
    assert again.definitions.variables == study_of(at).definitions.variables
    return str(key)


def test_a_number_is_cut_at_median_tertiles_and_a_stated_value() -> None:
    at = how(survival(""), "cut")
    ages = np.array([float(cell) for cell in sample_cohort().tables["subjects"].column("age")])
    assert at.selectbox(key="w:groups.cut.of").value == "age"
    click(at, "groups.add")
    key = compared(at)
    variable = study_of(at).definitions.variables[key]
    assert (variable.cut_rule, variable.column) == ("median", "age")
    assert variable.cuts == (float(np.median(ages)),)
    assert f"cut at {np.median(ages):g} years (the median" in table(at)

    checked(how(at, "cut").segmented_control(key="w:groups.cut.rule").set_value("stated").run())
    checked(at.text_input(key="w:groups.cut.at.age").set_value("30; x").run())
    assert "Write cut points as numbers" in shown(at)
    checked(at.text_input(key="w:groups.cut.at.age").set_value("30, 60").run())
    checked(at.text_input(key="w:groups.cut.name.age.stated.30 and 60").set_value("Ages").run())
    low, high = int((ages < 30).sum()), int((ages >= 60).sum())
    assert f"<30: {low}; 30 to <60: {51 - low - high}; ≥60: {high}; not known: 0" in shown(at)
    click(at, "groups.add")
    assert compared(at) == "ages"
    assert "Ages: cut at 30 and 60 years." in table(at)

    # what was made here can be removed here
    how(at, "merge")
    click(at, "groups.remove")
    assert "ages" not in study_of(at).definitions.variables
    assert key in study_of(at).definitions.variables
    go(at, SURVIVAL)


def test_the_best_cut_comes_with_its_corrected_p_and_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = how(survival("sex"), "cut")
    checked(at.segmented_control(key="w:groups.cut.rule").set_value("best").run())
    found = best_cut(sample_cohort(), "PFS", "age")
    assert found.sentence in shown(at)
    assert WARNING in shown(at)
    click(at, "groups.add")
    key = compared(at)
    variable = study_of(at).definitions.variables[key]
    assert (variable.cut_rule, variable.cut_for) == ("best", "PFS")
    assert variable.cuts == (found.found.cut,)
    assert WARNING in table(at)
    assert "P corrected for the search" in table(at)
    # of a large cohort the search runs beside the page, when asked for
    monkeypatch.setattr(make_groups, "QUICK_PATIENTS", 0)
    how(at, "cut")
    checked(at.segmented_control(key="w:groups.cut.rule").set_value("best").run())
    assert "P corrected" not in shown(at).replace(table(at), "")
    click(at, "groups.best.begin")
    for _ in range(50):
        if found.sentence in shown(at):
            break
        checked(at.run())
    assert found.sentence in shown(at)


def test_two_variables_are_crossed() -> None:
    at = how(survival("sex"), "cross")
    checked(at.selectbox(key="w:groups.cross.one").set_value("sex").run())
    checked(at.selectbox(key="w:groups.cross.other").set_value("ecog").run())
    assert "Male, 0-1: " in shown(at)
    click(at, "groups.add")
    key = compared(at)
    levels = levels_of(apply_criteria(sample_cohort(), study_of(at)), key)
    assert levels.levels == ("Male, 0-1", "Male, 2-3", "Female, 0-1", "Female, 2-3")
    assert "Sex and ECOG performance status: " in table(at)


def test_responses_are_merged_where_they_can_be_compared() -> None:
    at = survival("sex")
    at.session_state["survival.tab"] = "Comparisons"
    checked(at.run())
    checked(at.segmented_control(key="w:comparison.start").set_value("landmark").run())
    at.pills(key="w:comparison.merge.levels.best_response").set_value(["CR", "PR"])
    at.text_input(key="w:comparison.merge.name.best_response").set_value("Responders")
    submit = [item for item in at.button if item.label == "Compare merged groups"][-1]
    checked(submit.click().run())
    (key,) = [name for name in study_of(at).definitions.groupings if name != "asps_ccs"]
    at.session_state["survival.tab"] = "Comparisons"
    checked(at.run())
    assert at.selectbox(key="w:comparison.by").value == key
    assert at.selectbox(key="w:km.by").value == "sex"
    assert key not in at.selectbox(key="w:km.by").options
    label = study_of(at).definitions.groupings[key].label
    assert label not in at.selectbox(key="w:km.by").options
    # nor is it a covariate, or among the analyses that nobody asked for
    cohort = apply_criteria(sample_cohort(), study_of(at))
    assert key not in baseline_groupings(cohort)
    assert "asps_ccs" in baseline_groupings(cohort)
    click(at, "basket.kaplan_meier")
    click(at, "basket.survival_comparison")
    assert [(item["kind"], item["by"], item["landmark"]) for item in study_of(at).report.items] == [
        ("kaplan_meier", key, 3.0),
        ("survival_comparison", key, 3.0),
    ]
    assert "Groups of Best overall response: Responders, CR and PR; Others, all other" in shown(at)
