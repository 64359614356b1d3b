"""A bare app for comparison: the Survival page's widgets, without a chart or a computation."""

from __future__ import annotations

import streamlit as st

HISTOTYPES = (
    "Leiomyosarcoma",
    "Alveolar soft part sarcoma",
    "Rhabdomyosarcoma",
    "Clear cell sarcoma",
    "Myxofibrosarcoma",
    "Synovial sarcoma",
    "Malignant peripheral nerve sheath tumor",
    "Undifferentiated pleomorphic sarcoma",
    "Others",
)
MARK = "Groups: "


def data() -> None:
    """Show a button that leads on."""
    st.title("Data", anchor=False)
    st.file_uploader("A spreadsheet")
    if st.button("Sarcoma cohort, 51 patients", type="primary"):
        st.session_state["loaded"] = True
    if st.session_state.get("loaded"):
        st.success("Loaded.")


def survival() -> None:
    """Show the widgets, and the chosen groups as a line of text."""
    st.title("Survival", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Endpoint", ["Progression-free survival", "Overall survival"])
        st.selectbox("Compare by", ["Histotype", "Sex", "ECOG performance status"])
        with st.popover("Merge groups"), st.form("merge", border=False):
            st.pills("Levels of Histotype to merge", HISTOTYPES, selection_mode="multi")
            st.text_input("Name of the merged group")
            st.text_input("Name of all others together")
            st.checkbox("Keep the others as they are")
            st.form_submit_button("Compare merged groups")
        with st.popover("Options"):
            st.selectbox("Scale of confidence intervals", ["log-log", "log", "plain"])
            st.text_input("Survival rates at these months", "6, 12, 24")
            st.selectbox("Distance of the axis ticks, months", ["chosen by the app", "3", "6"])
            st.segmented_control("Interval bands", ["Up to four groups", "Always", "Never"])
    chosen = st.pills(
        "Groups of this comparison", HISTOTYPES, selection_mode="multi", default=HISTOTYPES
    )
    with st.container(horizontal=True):
        with st.popover("Export"):
            for kind in ("pptx", "pdf", "svg", "png", "xlsx"):
                st.download_button(kind, b"", f"file.{kind}", on_click="ignore")
        st.button("Add to report")
    with st.expander("In words"):
        st.markdown("**Methods.** None.")
    st.markdown(f'<div class="bare-groups">{MARK}{"; ".join(chosen)}</div>', unsafe_allow_html=True)


if __name__ == "__main__":  # as which Streamlit runs it
    st.set_page_config(page_title="Bare page", layout="wide")
    st.navigation(
        [st.Page(data, title="Data", default=True), st.Page(survival, title="Survival")]
    ).run()
