"""Cox regression: univariable and multivariable hazard ratios."""

from __future__ import annotations

import streamlit as st

from pages import _ui as ui
from pages._ui import state
from pages._ui.population_parts import choose_population
from pages._ui.treatment_note import treatment_note
from sts_core.analysis.cox import (
    KIND,
    CoxSpec,
    cox,
    cox_table,
    methods_sentence,
    result_sentences,
)
from sts_core.figures.catalogue import cox_forest

ctx = ui.page("Prognosis")
kept = state.view(KIND)
with st.container(horizontal=True, vertical_alignment="bottom"):
    endpoint = ui.choose_endpoint(ctx.cohort, "cox.endpoint", kept=kept.get("endpoint"))
    if endpoint is None:
        ui.no_endpoint(ctx.cohort)
        st.stop()
    population = choose_population(ctx.cohort, "cox", kept=kept.get("population"))
    selection = ui.choose_one(
        "Into the multivariable model",
        ["screening", "chosen"],
        "cox.selection",
        kept=kept.get("selection"),
        names={"screening": "univariable P < 0.05", "chosen": "all chosen variables"},
        help="Selection by P is the rule of the reference study; it makes the final intervals too "
        "narrow. Choosing beforehand, with at most one parameter per ten events, is sounder.",
    )
ctx = ctx.of(population)
covariates = ui.choose_covariates(ctx.cohort, "cox.covariates", kept=kept.get("covariates"))
if not covariates:
    st.info("Choose at least one variable.", icon=":material/info:")
    st.stop()
treatment_note(ctx.cohort, covariates, "cox", is_model=True)
spec = CoxSpec(
    endpoint=endpoint,
    covariates=covariates,
    selection="screening" if selection == "screening" else "chosen",
    conf_level=ctx.study.analysis.conf_level,
    population=population,
)
state.set_view(
    KIND,
    {
        "endpoint": endpoint,
        "covariates": list(covariates),
        "selection": selection,
        "population": population,
    },
)
result = ui.compute(cox, ctx.cohort, spec)
if result.n == 0:
    st.info("No patient of this selection has a time for this endpoint.", icon=":material/info:")
    ui.show_losses(result.losses, ctx.cohort, endpoint, population)
    st.stop()
if result.model is not None:
    ui.model_line(result.model)


def figure():
    """Draw both models side by side."""
    return cox_forest(result)


ui.show_figure(figure(), key="cox.figure")
with st.container(horizontal=True):
    ui.export_menu(
        f"{endpoint}-cox",
        figure=figure,
        tables=lambda: [cox_table(result)],
        notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
        key="cox",
    )
    ui.add_to_report(spec)
ui.show_table(cox_table(result))
ui.in_words(methods_sentence(result), result_sentences(result))
