"""Analysis populations in the app: chosen on each page, changed on Cohort, all treated beside."""

from __future__ import annotations

from dataclasses import replace

from sts_core.study import OneOf, Population, dump_study
from tests.pages.driver import (
    COHORT,
    ROOT,
    SURVIVAL,
    checked,
    click,
    drop,
    go,
    shown,
    start,
    study_file,
    study_of,
    table,
    with_sample,
)

RESPONSE = "pages/response.py"
SCREENING = (ROOT / "sample_data" / "sts_screening.xlsx").read_bytes()


def test_all_treated_stand_beside_and_pages_say_whose_number_it_is() -> None:
    at = go(with_sample(1), COHORT)
    text = shown(at)
    assert "Known only after time zero: it removes early progressions, deaths and toxicity" in text
    beside = next(item.value for item in at.markdown if "All treated</th>" in item.value)
    for cell in (">51<", ">57<", "17.6 (8.4, 30.9)", "15.8 (7.5, 27.9)"):
        assert cell in beside
    go(at, RESPONSE)
    assert "In all treated patients (criteria known at time zero only, n = 57): ORR 15.8%" in shown(
        at
    )
    box = at.selectbox(key="w:response.population")
    assert box.options == [
        "All treated (57)", "Efficacy population (51)", "Response-evaluable population (51)",
        "Safety population (57)",
    ]  # fmt: skip
    checked(box.set_value("treated").run())
    assert "In all treated patients" not in shown(at), "the page itself is of all treated now"
    assert "57 of 71 patients in the file analysed (all treated)" in shown(at)
    assert study_of(at).analysis.views["response"]["population"] == "treated"
    go(at, SURVIVAL)
    assert "median progression-free survival 5.0 months (95% CI 3.5 to 6.6; 44 events in" in shown(
        at
    )
    checked(at.selectbox(key="w:km.population").set_value("treated").run())
    assert " 56 44 " in table(at), "patients and events of all treated, as the line said before"


def test_baseline_and_crossed_variables_are_of_the_population_chosen_there() -> None:
    at = go(with_sample(1), COHORT)
    assert "All patients (N = 51)" in table(at, "Characteristic")
    checked(at.selectbox(key="w:baseline.population").set_value("treated").run())
    checked(at.selectbox(key="w:cross.population").set_value("safety").run())
    assert "All patients (N = 57)" in table(at, "Characteristic")
    assert "57 of 71 patients in the file analysed (all treated)" in table(at, "Characteristic")
    assert "57 of 71 patients in the file analysed (safety population)" in table(at, "Together")
    views = study_of(at).analysis.views
    assert views["baseline"]["population"] == "treated"
    assert views["cross_table"]["population"] == "safety"
    again = go(drop(start(), {"study.yaml": study_file(at), "b.xlsx": SCREENING}), COHORT)
    assert again.selectbox(key="w:baseline.population").value == "treated"
    assert "All patients (N = 57)" in table(again, "Characteristic")


def test_single_criteria_are_left_out_or_kept_with_their_counts() -> None:
    at = go(with_sample(1), COHORT)
    click(at, "population.open.efficacy")
    labels = [toggle.label for toggle in at.toggle if toggle.key and ".single." in toggle.key]
    assert labels[0] == ("Metastatic at diagnosis or progressed after treatment: :gray[removes 2]")
    assert len(labels) == 9
    checked(at.toggle(key="w:population.single.efficacy.6").set_value(False).run())
    changed = study_of(at).analysis.populations["efficacy"]
    name = "Excluded: only one cycle of therapy"
    assert changed.without == ("Only one cycle of therapy",) or changed.without == (name,)
    assert "Efficacy population: 54 patients" in shown(at)
    (gone,) = changed.without
    assert f"All criteria without “{gone}” (8 in force)" in shown(at)
    label = at.toggle(key="w:population.single.efficacy.6").label
    assert label.endswith(":gray[not here; would remove 3 more]")
    # where the name of a population is chosen, its patients are shown
    go(at, RESPONSE)
    assert at.selectbox(key="w:response.population").value == "efficacy"
    assert "54 of 71 patients in the file analysed (efficacy population)" in shown(at)
    go(at, COHORT)
    # safety keeps one that is known only later
    click(at, "population.open.efficacy")
    click(at, "population.open.safety")
    checked(at.toggle(key="w:population.single.safety.8").set_value(True).run())
    assert study_of(at).analysis.populations["safety"].also
    assert "but also" in shown(at)
    again = go(drop(start(), {"study.yaml": study_file(at), "b.xlsx": SCREENING}), COHORT)
    assert "Efficacy population: 54 patients" in shown(again)
    # the criterion is deleted: the population says that it speaks of none
    click(again, "criteria.delete.6")
    click(again, "population.open.efficacy")
    assert f"“{gone}” is no longer among the criteria: there is nothing to leave out." in shown(
        again
    )
    click(again, f"population.forget.efficacy.{gone}")
    assert "efficacy" not in study_of(again).analysis.populations
    assert "no longer among the criteria" not in shown(again)


def test_a_population_is_changed_added_and_kept_in_the_study_file() -> None:
    at = go(with_sample(1), COHORT)
    click(at, "population.open.safety")
    checked(at.segmented_control(key="w:population.basis.safety").set_value("none").run())
    assert study_of(at).analysis.populations == {"safety": Population("Safety population", "none")}
    assert "Safety population: 71 patients" in shown(at)
    click(at, "population.more.safety")
    checked(at.selectbox(key="w:population.new.safety.column").set_value("sex").run())
    checked(at.pills(key="w:population.new.safety.values.sex").set_value(["Female"]).run())
    click(at, "population.new.safety.take")
    changed = study_of(at).analysis.populations["safety"]
    assert changed.own == (OneOf("sex", ("Female",)),)
    click(at, "population.drop.safety")
    assert study_of(at).analysis.populations == {}
    click(at, "undo")
    assert study_of(at).analysis.populations == {"safety": changed}
    gone = Population("Safety population", "none", (OneOf("gone", ("x",)),))
    analysis = replace(study_of(at).analysis, populations={"safety": gone})
    broken = dump_study(replace(study_of(at), analysis=analysis))
    lost = go(drop(with_sample(1), {"study.yaml": broken}), "pages/safety.py")
    assert "“gone”" in shown(lost) or "No adverse events" in shown(lost)
    assert "“gone”" in shown(go(lost, COHORT))
    click(at, "population.add")
    assert "Population 1: 57 patients" in shown(at)
    again = drop(start(), {"study.yaml": study_file(at)})
    assert {*study_of(again).analysis.populations} == {"safety", "population_1"}
