"""The report: chosen analyses as slides, a Word document and a workbook."""

from __future__ import annotations

import streamlit as st

from pages import _ui as ui
from pages._ui import report_builder

ctx = ui.page("Report")
left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("In the report", anchor=False)
    st.caption(
        "The flow of patients comes first. Each item is computed anew on the patients analysed "
        "now: change a criterion, and the report follows."
    )
    items = report_builder.items(ctx.cohort)
with right:
    st.subheader("Take it along", anchor=False)
    report_builder.downloads(ctx.cohort, items)
