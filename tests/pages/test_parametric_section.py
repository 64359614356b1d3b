"""The tab of parametric curves: the numbers of the core, what is drawn, the axis past follow-up."""

from __future__ import annotations

from sts_core.analysis.parametric_survival import (
    ParametricSurvivalSpec,
    parametric_survival,
    parametric_table,
)
from tests.pages.driver import (
    SURVIVAL,
    charts,
    checked,
    click,
    curves,
    go,
    shown,
    study_of,
    with_sample,
    with_tiny,
)


def test_families_are_laid_over_the_curves() -> None:
    at = with_sample()
    at.session_state["survival.tab"] = "Parametric curves"
    go(at, SURVIVAL)
    checked(at.selectbox(key="w:km.by").set_value("sex").run())
    checked(at.pills(key="w:ps.drawn").set_value(["weibull", "log-normal"]).run())
    spec = ParametricSurvivalSpec("PFS", by="sex", drawn=("weibull", "log-normal"))
    result = parametric_survival(at.session_state["workspace"].cohort, spec)
    text = shown(at)
    for row in parametric_table(result).formatted():
        assert " ".join(" ".join(row).split()) in text
    assert "Past the last observed time the curves are faint" in text
    names = curves(at)
    assert {"Male", "Female", "Male, weibull", "Female, log-normal"} <= set(names)
    assert len(charts(at)) == 1
    checked(at.toggle(key="w:ps.figure.preview").set_value(True).run())
    with_notes = at.get("image")[0].proto.imgs[0].url
    checked(at.toggle(key="w:ps.figure.notes").set_value(False).run())
    assert at.get("image")[0].proto.imgs[0].url != with_notes
    click(at, "basket.parametric_survival")
    (item,) = study_of(at).report.items
    assert (item["drawn"], item["by"]) == (["weibull", "log-normal"], "sex")


def test_two_events_give_reasons_in_place_of_a_gamma() -> None:
    at = with_tiny()
    at.session_state["survival.tab"] = "Parametric curves"
    go(at, SURVIVAL)
    assert "Not estimable, too few patients or events: generalised gamma." in shown(at)
