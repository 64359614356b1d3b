"""Data in: upload or sample, what was recognised, what must be confirmed, what was found."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages import _ui as ui
from pages._ui import (
    data_cut,
    endpoint_cards,
    intake,
    outcome_cards,
    overview_card,
    privacy_card,
    query_list,
    reading_card,
    state,
    study_download,
    tables_card,
    variables_table,
)
from sts_core.cohort import Cohort

ctx = ui.open_page("Data")
with st.container():  # keeps its place without a message: the tabs below would start anew
    ui.show_notice()
intake.show_progress()
workspace = state.workspace()

if not workspace.has_data:
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(border=True, height="stretch"):
        st.subheader("Upload a spreadsheet", anchor=False)
        st.write(
            "One row per patient, with a date or a time for each endpoint; further sheets or "
            "files are joined by patient id. Column names may be in any language; "
            "you confirm what was recognised before anything is estimated."
        )
        intake.uploader("Excel, OpenDocument, CSV, SPSS, Stata or SAS; with it, or later, "
                        "a study file with your choices")  # fmt: skip
        intake.accepted_types()
        intake.template_button("template")
        st.caption(
            ":material/lock: The file is read in this server's memory only. It is not written to "
            "disk, not sent anywhere, and gone when the session ends or the page is reloaded; "
            "“Keep my choices” saves what you chose."
        )
    with right, st.container(border=True, height="stretch"):
        st.subheader("Or look around first", anchor=False)
        for number, sample in enumerate(intake.SAMPLES):
            st.button(
                sample.label, key=f"sample.{number}", on_click=intake.open_sample, args=(sample,),
                type="primary" if number == 0 else "secondary", width="stretch",
            )  # fmt: skip
            st.caption(sample.text)
    ui.expect_charts()
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    intake.loaded_files(workspace)
    study_download.keep_choices(workspace)
    st.button(
        "Undo", icon=":material/undo:", on_click=state.undo, disabled=not state.can_undo(),
        key="undo",
    )  # fmt: skip
    # another one after each drop: it would stay open above what is said of the files
    with st.popover("Other files", icon=":material/upload_file:", key=intake.drop_key("other")):
        intake.add_or_replace()
        intake.uploader("Files of data, or a study file that changes the choices")
        intake.accepted_types()
        intake.remove_files(workspace)
        for number, sample in enumerate(intake.SAMPLES):
            st.button(
                f"Sample: {sample.label}", key=f"sample.again.{number}",
                on_click=intake.open_sample, args=(sample,), width="stretch",
            )  # fmt: skip

with st.container():  # keeps its place as well
    if ctx is not None:
        endpoint_cards.waiting(ctx.cohort)
tables_card.tables(workspace)

if ctx is None:
    ui.show_findings(workspace.findings, title="Why there are no patients yet")
    st.stop()

with st.container(gap="xsmall"):
    privacy_card.privacy(ctx.cohort)
    reading_card.reading(ctx.cohort)
    data_cut.data_cuts(ctx.cohort)
evidence = workspace.proposal.evidence if workspace.proposal else {}


def found(cohort: Cohort) -> None:
    """List what the checks and the recognition found."""
    endpoints = cohort.study.definitions.endpoints
    if not endpoints:
        endpoint_cards.nothing_recognised()
    if workspace.findings:
        ui.show_findings(workspace.findings)
        query_list.query_list(cohort, workspace.findings)
    elif endpoints:
        st.success("Nothing was found that needs attention.", icon=":material/check_circle:")


ui.lazy_tabs(
    "data",
    {
        "Overview": partial(overview_card.at_a_glance, ctx.cohort, workspace.findings),
        "Endpoints": partial(endpoint_cards.endpoints, ctx.cohort),
        "Response and adverse events": partial(outcome_cards.outcomes, ctx.cohort, evidence),
        "Variables": partial(variables_table.variables, ctx.cohort, evidence),
        "Findings": partial(found, ctx.cohort),
    },
)
