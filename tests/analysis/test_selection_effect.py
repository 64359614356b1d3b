"""All treated beside: the same analyses on two populations, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

from sts_core.analysis.plan import run_plan
from sts_core.analysis.selection_effect import (
    EffectSpec,
    criteria_methods,
    effect_table,
    response_sentence,
    safety_sentence,
    selection_effect,
    survival_sentence,
)
from sts_core.cohort import Cohort
from sts_core.criteria import LATE_EFFECT, apply_criteria
from sts_core.export.report import build_report
from sts_core.study import AnalysisSection, Between, OneOf
from tests.cohorts import DEGENERATE_COMPLETE, make_cohort

EARLY = Between("time", low=3, after_time_zero=True, label="Three days on study")


def cohort() -> Cohort:
    """Six patients: two die on days 1 and 2, one of them with a fatal event."""
    return make_cohort(
        {
            "time": [1, 2, 3, 4, 5, 6],
            "status": [1, 1, 1, 1, 0, 1],
            "best_response": ["PD", "PD", "CR", "SD", "PR", "NE"],
        },
        adverse_events={
            "row": [1, 2, 3], "term": ["Fever", "Rash", "Rash"], "grade": [5, 3, 1],
            "related": ["yes", "yes", "yes"],
        },
        analysis=AnalysisSection(criteria=(EARLY,)),
    )  # fmt: skip


def test_both_sides_by_hand() -> None:
    effect = selection_effect(cohort(), EffectSpec())
    assert (effect.selected.n, effect.treated.n, effect.n_removed) == (4, 6, 2)
    for side, responders, controlled, severe, median in (
        (effect.selected, 2, 3, 0, 4.0),
        (effect.treated, 2, 3, 2, 3.5),
    ):
        assert side.rates is not None
        assert side.rates.objective_response.count == responders
        assert side.rates.objective_response.total == side.n
        assert side.rates.disease_control.count == controlled
        assert side.severe is not None
        assert (side.severe.count, side.severe.total) == (severe, side.n)
        # 4 patients: S falls to 3/4, 1/2 (day 4), and to 0 on day 6; 6 patients: to 1/2 on day 3
        (found,) = side.medians
        expected = 5.0 if side is effect.selected else median
        assert found.median.value is not None
        assert abs(found.median.value * 30.4375 - expected) < 1e-9


def test_the_table_and_the_sentences_say_both() -> None:
    effect = selection_effect(cohort(), EffectSpec())
    table = effect_table(effect)
    cells = {row[0]: row[1:] for row in table.formatted()}
    assert cells["Patients"] == ["4", "6"]
    assert cells["Objective response rate, % (95% CI)"] == [
        "50.0 (6.8, 93.2)", "33.3 (4.3, 77.7)",
    ]  # fmt: skip
    severe = "Any treatment-related adverse event, grade 3 or higher, patients (%)"
    assert cells[severe] == ["0", "2 (33.3)"]
    assert LATE_EFFECT in " ".join(table.footnotes)
    lead = "In all treated patients (criteria known at time zero only, n = 6): "
    assert response_sentence(effect).startswith(f"{lead}ORR 33.3% (2 of 6; 95% CI 4.3 to 77.7%)")
    assert survival_sentence(effect, "OS").startswith(f"{lead}median overall survival 0.1")
    assert survival_sentence(effect, "PFS") == ""
    assert safety_sentence(effect).endswith("of grade 3 or higher in 2 of 6 (33.3%).")


def test_the_report_holds_it_only_while_such_a_criterion_is_in_force() -> None:
    data = cohort()
    sections = build_report(data, run_plan(data)).sections
    assert sections[1].title == "With and without the criteria known only after time zero"
    assert "Known only after time zero: three days on study." in sections[0].methods
    idle = Between("time", low=0, after_time_zero=True)
    study = replace(data.study, analysis=AnalysisSection(criteria=(idle,)))
    assert len(build_report(apply_criteria(data, study), ()).sections) == 1, "it removes nobody"
    off = replace(EARLY, enabled=False)
    study = replace(data.study, analysis=AnalysisSection(criteria=(off,)))
    other = build_report(apply_criteria(data, study), ())
    assert [section.title for section in other.sections] == ["Patients and criteria"]
    assert other.sections[0].methods == ""


def test_methods_name_the_criteria_in_their_order() -> None:
    data = cohort()
    criteria = (OneOf("best_response", ("NE",), excludes=True), EARLY)
    text = criteria_methods(apply_criteria(data, replace(
        data.study, analysis=AnalysisSection(criteria=criteria))))  # fmt: skip
    assert "in this order: excluded: Best response is NE; three days on study." in text


def test_it_survives_every_awkward_cohort() -> None:
    for make in DEGENERATE_COMPLETE.values():
        data = make()
        late = Between("time", low=4, after_time_zero=True)
        data = apply_criteria(data, replace(data.study, analysis=AnalysisSection(criteria=(late,))))
        table = effect_table(selection_effect(data, EffectSpec()))
        assert all(isinstance(cell, str) for row in table.formatted() for cell in row)


def test_what_is_not_asked_for_is_not_computed() -> None:
    data = cohort()
    whole = selection_effect(data, EffectSpec())
    for result, fields in (
        ("response", {"rates"}),
        ("survival", {"medians"}),
        ("safety", {"events", "severe_members"}),
    ):
        part = selection_effect(data, EffectSpec(results=(result,)))
        for mine, all_of_it in ((part.selected, whole.selected), (part.treated, whole.treated)):
            for field in ("rates", "medians", "events", "severe_members"):
                expected = getattr(all_of_it, field) if field in fields else None
                assert (getattr(mine, field) or None) == expected, (result, field)
    assert survival_sentence(
        selection_effect(data, EffectSpec(results=("survival",))), "OS"
    ) == survival_sentence(whole, "OS")
