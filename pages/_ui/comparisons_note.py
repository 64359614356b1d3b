"""How many comparisons have been looked at, with Holm-adjusted P values on request."""

from __future__ import annotations

import streamlit as st

from pages._ui import widgets
from pages._ui.looked_at import count_in, forget_comparisons, looked_at
from pages._ui.show import export_menu, show_table
from sts_core.analysis.looked_at import comparisons_table, n_on_other_data
from sts_core.cohort import Cohort


def comparisons_note(cohort: Cohort) -> None:
    """Say in the sidebar how many comparisons have been looked at; a click lists them."""
    # The button stands there before anything was compared, out of sight until the count is written:
    # what a page compares is known only after the sidebar was drawn
    with st.sidebar, st.container(key="sidebar-comparisons", gap=None):
        with st.container(key="comparisons-count"):
            count_in(st.empty(), cohort)
        if widgets.pressed(
            "List, with Holm-adjusted P",
            "looked_at.open",
            icon=":material/functions:",
            type="tertiary",
            help="Of 20 comparisons without a true difference, one has a P value below 0.05 by "
            "chance.",
        ):
            _listed(cohort)


@st.dialog("Comparisons looked at", width="large")
def _listed(cohort: Cohort) -> None:
    found = looked_at(cohort)
    adjusted = st.toggle("Holm-adjusted P values", key="looked_at.holm")
    table = comparisons_table(found, adjusted=adjusted, n_on_other_data=n_on_other_data(cohort))
    with st.container(horizontal=True):
        export_menu("comparisons-looked-at", tables=lambda: [table], key="looked_at")
        st.button(
            "Begin anew", key="looked_at.forget", icon=":material/restart_alt:", type="tertiary",
            on_click=forget_comparisons, help="Forgets the list; what you have seen you have seen.",
        )  # fmt: skip
    show_table(table)
