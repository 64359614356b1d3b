"""Who is analysed: criteria, filters and the flow of patients."""

from __future__ import annotations

import streamlit as st

from pages import _ui as ui
from pages._ui import (
    baseline_section,
    criteria_builder,
    cross_table_section,
    population_parts,
    ready_made,
    set_comparison_section,
    state,
)
from sts_core.analysis.population_ends import population_ends
from sts_core.figures.flow_diagram import flow_diagram

ctx = ui.page("Cohort")
with st.container(key="side-by-side"):
    left, right = st.columns([11, 9], gap="large")

with left:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.subheader("Criteria", anchor=False, width="stretch")
        st.button(
            "Undo", icon=":material/undo:", on_click=state.undo, disabled=not state.can_undo(),
            key="undo", help="Takes the last change back, on any page",
        )  # fmt: skip
        st.button(
            "Redo", icon=":material/redo:", on_click=state.redo, disabled=not state.can_redo(),
            key="redo", help="Does again what was taken back",
        )  # fmt: skip
    st.caption(
        "In this order. The order decides to which criterion a patient is counted, never who is "
        "left. Bars: solid stays, hatched leaves. Filters for exploring stand in the sidebar."
    )
    criteria_builder.list_criteria(ctx.cohort)
    with st.container(horizontal=True):
        criteria_builder.add_button()
        ready_made.ready_made(ctx.cohort)
    criteria_builder.list_filters(ctx.cohort)
    population_parts.populations_editor(ctx.cohort)

with right:
    st.subheader("Flow of patients", anchor=False)

    def figure():
        """Draw the flow as the page shows it."""
        return flow_diagram(
            ctx.cohort.flow,
            populations=population_ends(ctx.cohort),
            synthetic=ctx.study.synthetic,
        )

    ui.show_figure(figure(), key="flow.figure", cohort=ctx.cohort)
    ui.export_menu("patient-flow", figure=figure, key="flow")
    population_parts.all_treated_table(ctx.cohort)

described, crossed, beside = st.tabs(
    ["Baseline characteristics", "Two variables crossed", "Beside another set"],
    on_change="rerun",
    key="cohort.tab",
)
with described:
    baseline_section.baseline_characteristics(ctx.cohort)
with crossed:
    cross_table_section.cross_tables(ctx.cohort)
if beside.open:
    with beside:
        set_comparison_section.compared_sets(ctx.cohort)
