"""Best overall response: objective response and disease control, overall and by group."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages import _ui as ui
from pages._ui import state
from pages._ui.population_parts import all_treated_line, choose_population
from pages._ui.treatment_note import treatment_note
from sts_core.analysis.response import (
    KIND,
    Rated,
    ResponseSpec,
    methods_sentence,
    response,
    response_members,
    response_table,
    result_sentences,
)
from sts_core.analysis.selection_effect import response_sentence
from sts_core.figures.catalogue import response_forest
from sts_core.findings import StudyError

ctx = ui.page("Response")
if ctx.study.definitions.response is None:
    ui.empty_state(
        "No response in this file",
        "No column of best overall response (CR, PR, SD, PD, NE) was recognised or chosen. This is "
        "not a response rate of 0%: it was not recorded. If the file has such a column, choose it "
        "on the Data page under “Response and adverse events”.",
        tab="Response and adverse events",
    )
    st.stop()

kept = state.view(KIND)
with st.container(horizontal=True, vertical_alignment="bottom"):
    population = choose_population(ctx.cohort, "response", kept=kept.get("population"))
    by = ui.choose_grouping(ctx.cohort, "response.by", kept=kept.get("by"))
    denominator = ui.choose_one(
        "Rates are of",
        ["all", "evaluable"],
        "response.denominator",
        kept=kept.get("denominator"),
        names={"all": "all patients analysed", "evaluable": "evaluable patients"},
    )
all_treated_line(ctx.cohort, population, "response", response_sentence)
ctx = ctx.of(population)
treatment_note(ctx.cohort, [by], "response")
spec = ResponseSpec(
    by=by,
    conf_level=ctx.study.analysis.conf_level,
    denominator="all" if denominator == "all" else "evaluable",
    population=population,
)
state.set_view(KIND, {"by": by, "denominator": denominator, "population": population})
try:
    overall = ui.compute(response, ctx.cohort, replace(spec, by=None))
    result = ui.compute(response, ctx.cohort, spec)
except StudyError as error:
    ui.show_findings(error.findings, title="Why there is no response rate")
    st.stop()

rates, other = overall.overall.of_all, overall.overall.of_evaluable
if spec.denominator == "evaluable":
    rates, other = other, rates
cards = st.columns(2)
named: tuple[tuple[str, Rated], ...] = (
    ("Objective response rate (ORR)", "objective_response"),
    ("Disease control rate (DCR)", "disease_control"),
)
for place, (name, rate) in zip(cards, named, strict=True):
    with place:
        ui.rate_card(
            name,
            getattr(rates, rate),
            rates.denominator_name,
            getattr(other, rate),
            other.denominator_name,
            cohort=ctx.cohort,
            members=response_members(overall, rate),
        )
with st.container(horizontal=True):
    for at, (level, count) in enumerate(zip(overall.levels, overall.overall.counts, strict=True)):
        ui.count_card(
            level,
            count.count,
            count.total,
            cohort=ctx.cohort,
            members=response_members(overall, at),
        )
    if overall.overall.n_not_recorded:
        ui.count_card(
            "Not recorded",
            overall.overall.n_not_recorded,
            overall.overall.n,
            cohort=ctx.cohort,
            members=response_members(overall, "not_recorded"),
        )

ui.show_findings(result.findings, title="To look at")


def figure():
    """Draw the rates by group."""
    return response_forest(result)


if result.is_comparison:
    ui.show_figure(figure(), key="response.figure")
with st.container(horizontal=True):
    ui.export_menu(
        "response",
        figure=figure if result.is_comparison else None,
        tables=lambda: (
            [response_table(overall)] + ([response_table(result)] if result.is_comparison else [])
        ),
        notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
        key="response",
    )
    ui.add_to_report(spec)
ui.show_table(response_table(result))
ui.in_words(methods_sentence(result), result_sentences(result))
