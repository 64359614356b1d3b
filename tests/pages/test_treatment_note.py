"""Treatments compared in a cohort that is not randomised, and their baseline one click away."""

from __future__ import annotations

from tests.pages.driver import (
    COHORT,
    DATA,
    SURVIVAL,
    chart,
    checked,
    go,
    shown,
    study_of,
    table,
    with_sample,
)

MARK = "(unadjusted, not randomised)"
NOTE = "Unadjusted, not randomised"


def test_the_baseline_table_by_a_drug_is_one_click_from_its_curves() -> None:
    at = go(with_sample(), SURVIVAL)
    assert NOTE not in shown(at)
    checked(at.selectbox(key="w:km.by").set_value("immunotherapy_drug").run())
    assert f"{NOTE}: patients with another immunotherapy drug" in shown(at)
    assert "Unadjusted, not randomised: immunotherapy drug was not assigned at random" in table(at)
    assert chart(at)
    checked(at.button(key="treatment.baseline.km").click().run())
    assert [title.value for title in at.title] == ["Cohort"]
    assert at.selectbox(key="w:baseline.by").value == "immunotherapy_drug"
    assert study_of(at).analysis.views["baseline"]["by"] == "immunotherapy_drug"


def test_a_randomised_study_says_so_and_a_variable_can_stop_being_a_treatment() -> None:
    at = go(with_sample(), DATA)
    checked(at.selectbox(key="w:variable.edit").set_value("immunotherapy_drug").run())
    assert at.toggle(key="w:variable.treats.immunotherapy_drug").value is True
    checked(at.toggle(key="w:study.randomised").set_value(True).run())
    assert study_of(at).randomised
    checked(go(at, SURVIVAL).selectbox(key="w:km.by").set_value("immunotherapy_drug").run())
    assert NOTE not in shown(at)
    go(at, DATA)
    checked(at.toggle(key="w:study.randomised").set_value(False).run())
    checked(at.toggle(key="w:variable.treats.immunotherapy_drug").set_value(False).run())
    assert not study_of(at).definitions.variables["immunotherapy_drug"].treatment
    assert not [toggle for toggle in at.toggle if toggle.key == "w:study.randomised"]
    assert NOTE not in shown(go(at, SURVIVAL))
    assert [title.value for title in go(at, COHORT).title] == ["Cohort"]
