"""The cohort beside another set on the Cohort page."""

from __future__ import annotations

from tests.pages.driver import COHORT, checked, click, go, shown, study_of, with_sample

BESIDE = "Beside another set"


def test_the_cohort_is_compared_with_the_file_and_with_a_saved_set() -> None:
    at = go(with_sample(1), COHORT)
    at.session_state["cohort.tab"] = BESIDE
    checked(at.run())
    assert "This cohort (N = 51)" in shown(at)
    assert "Whole file (N = 71)" in shown(at)
    assert "51 patients in both sets, 0 only in this cohort, 20 only in the whole file." in shown(
        at
    )
    at.text_input(key="w:sets.name").set_value("Whole file")
    (save,) = [button for button in at.button if button.label == "Save"]
    checked(save.click().run())
    assert [error.value for error in at.error if "is taken" in error.value]
    at.text_input(key="w:sets.name").set_value("As published")
    (save,) = [button for button in at.button if button.label == "Save"]
    checked(save.click().run())
    assert list(study_of(at).analysis.saved_sets) == ["As published"]
    checked(at.toggle(key="w:criteria.on.0").set_value(False).run())
    checked(at.selectbox(key="w:sets.against").set_value("As published").run())
    assert "As published (N = 51)" in shown(at)
    click(at, "basket.set_comparison")
    assert study_of(at).report.items[-1]["against"] == "As published"
    click(at, "sets.forget")
    assert study_of(at).analysis.saved_sets == {}
    assert at.selectbox(key="w:sets.against").value == ""
