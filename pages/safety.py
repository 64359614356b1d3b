"""Adverse events by term and worst grade, of all patients treated."""

from __future__ import annotations

import streamlit as st

from pages import _ui as ui
from pages._ui import state
from pages._ui.population_parts import all_treated_line, choose_population
from pages._ui.treatment_note import treatment_note
from sts_core.analysis.adverse_events import (
    KIND,
    AdverseEventSpec,
    adverse_event_table,
    adverse_events,
    line_members,
    methods_sentence,
    result_sentences,
)
from sts_core.analysis.selection_effect import safety_sentence
from sts_core.findings import StudyError
from sts_core.populations import SAFETY, has_late_criteria, populations_of, takes_late_criteria

ctx = ui.page("Safety")
definition = ctx.study.definitions.adverse_events
if definition is None or definition.table not in ctx.cohort.tables:
    ui.empty_state(
        "No adverse events in this file",
        "No table of adverse events (one row per event, with patient id, term and grade) and no "
        "columns of them were recognised or chosen. This does not mean that there were none: they "
        "were not recorded here. Add the sheet or file on the Data page, and choose its columns "
        "there under "
        "“Response and adverse events”.",
        tab="Response and adverse events",
    )
    st.stop()

kept = state.view(KIND)
with st.container(horizontal=True, vertical_alignment="bottom"):
    population = choose_population(ctx.cohort, "ae", usual=SAFETY, kept=kept.get("population"))
    related = True
    if definition.related is not None:
        related = (
            ui.choose_one(
                "Events",
                ["related", "all"],
                "safety.related",
                kept="all" if kept.get("related_only") is False else "related",
                names={"related": "treatment-related", "all": "all, whatever the cause"},
            )
            == "related"
        )
    by = ui.choose_grouping(ctx.cohort, "safety.by", kept=kept.get("by"))
    threshold = ui.choose(
        "Terms seen in at least",
        ["0", "5", "10", "20"],
        "safety.threshold",
        kept=f"{kept.get('min_percent', 0):g}",
        names={"0": "any patient", "5": "5% of patients", "10": "10%", "20": "20%"},
    )
    by_class = False
    if definition.system_organ_class is not None or definition.terms == "ctcae":
        by_class = ui.toggle(
            "Group by class", "safety.class", kept=bool(kept.get("group_by_class"))
        )
treatment_note(ctx.cohort, [by], "ae")
all_treated_line(ctx.cohort, population or SAFETY, "safety", safety_sentence)
safety = populations_of(ctx.study)[SAFETY]
late = takes_late_criteria(ctx.study, safety)
if has_late_criteria(ctx.study) and population is None and not late:
    st.caption("Criteria known only after time zero do not apply to the safety population.")
try:
    ctx = ctx.of(population or SAFETY)
except StudyError as error:
    ui.show_findings(error.findings, title="Why there is no safety population")
    st.stop()
spec = AdverseEventSpec(
    by=by,
    related_only=related,
    min_percent=float(threshold),
    group_by_class=by_class,
    population=population,
)
state.set_view(
    KIND,
    {
        "by": by,
        "population": population,
        "related_only": related,
        "min_percent": float(threshold),
        "group_by_class": by_class,
    },
)
try:
    result = ui.compute(adverse_events, ctx.cohort, spec)
except StudyError as error:
    ui.show_findings(error.findings, title="Why adverse events can't be counted")
    st.stop()
counts = result.any_event.overall
with st.container(horizontal=True):
    cards: list[tuple[str, int, tuple[int, ...] | None]] = [
        (result.any_event.label, counts.n_any, None)
    ]
    if result.has_grades:
        cards.append(("Grade 3-4 at worst", counts.n_grade_3_4, (3, 4)))
        cards.append(("Grade 5", counts.n_grade_5, (5,)))
    for name, count, grades in cards:
        members = line_members(result, result.any_event, grades=grades)
        ui.count_card(name, count, counts.n, cohort=ctx.cohort, members=members)
ui.show_findings(result.findings, title="To look at")
with st.container(horizontal=True):
    ui.export_menu(
        "adverse-events",
        tables=lambda: [adverse_event_table(result)],
        notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
        key="ae",
    )
    ui.add_to_report(spec)
ui.show_table(adverse_event_table(result))
ui.in_words(methods_sentence(result), result_sentences(result))
