"""The patients behind a count: the dialog that a click on a number, a box or a mark opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui import state
from pages._ui.inputs import plain
from sts_core.analysis.patient_list import list_columns, patient_list
from sts_core.cohort import Cohort
from sts_core.display import Column, DisplayTable, Format, escape
from sts_core.findings import StudyError
from sts_core.members import Members

_ROW_PIXELS = 34
_listen = st.components.v2.component(
    "sts_counts",
    html='<span class="sts-counts" hidden></span>',
    js=Path(__file__).with_name("patient_lists.js").read_text("utf-8"),
    isolate_styles=False,
)


@st.fragment
def listen() -> None:
    """Open the list of a count that was clicked; the page itself is not run again."""
    asked = _listen(key="counts.asked", data={}, on_count_change=lambda: None).get("count")
    found = state.behind_count(str(asked)) if asked else None
    if found is not None:
        open_list(*found)


def open_list(members: Members, cohort: Cohort) -> None:
    """Open the list of the patients behind a count."""
    try:
        first = patient_list(cohort, members)
    except StudyError as error:
        problems = [plain(str(finding)) for finding in error.findings]
        st.dialog("Patients")(lambda: st.error("  \n".join(problems)))()
        return
    st.dialog(plain(first.title), width="large", icon=":material/groups:")(_show)(
        members, cohort, first
    )


def count_html(members: Members, cohort: Cohort, text: str) -> str:
    """Give words, as HTML, that open the list of the patients they speak of."""
    key = state.count_key(members, cohort)
    shown = escape(text, "html")
    return (
        f'<button type="button" class="count" data-count="{key}" '
        f'title="List the patients">{shown}</button>'
    )


def place_html(members: Members, cohort: Cohort, label: str, where: str) -> str:
    """Give a place of a picture, as HTML, that opens the list of the patients counted there."""
    key = state.count_key(members, cohort)
    name = escape(f"{label}: list the patients", "html")
    return (
        f'<button type="button" class="place" data-count="{key}" style="{where}" '
        f'aria-label="{name}" title="List the patients"></button>'
    )


def count_link(members: Members, cohort: Cohort, n: int) -> None:
    """Offer the list of the patients of a card, below its number."""
    if n:
        patients = "the patient" if n == 1 else f"the {n} patients"
        text = count_html(members, cohort, f"List {patients}")
        st.markdown(f'<div class="count-link">{text}</div>', unsafe_allow_html=True)


def _show(members: Members, cohort: Cohort, first: DisplayTable) -> None:
    offered = list_columns(cohort)
    shown = {column.key for column in first.columns}
    names = {key: label for key, label in offered.items() if key not in shown}
    further = st.multiselect(
        "Further columns", list(names), format_func=lambda key: plain(names[key]),
        placeholder="Choose what else to show",
    )  # fmt: skip
    table = patient_list(cohort, members, tuple(further)) if further else first
    if cohort.exploratory:
        st.badge("Exploratory subset", icon=":material/explore:", color="orange")
    columns = {column.key: [row[column.key] for row in table.rows] for column in table.columns}
    st.dataframe(
        columns,
        hide_index=True,
        row_height=_ROW_PIXELS,
        height=min((1 + len(table.rows)) * _ROW_PIXELS + 2, 560),
        column_config={column.key: _configured(column) for column in table.columns},
        alt=table.title,
    )
    notes = ("Study ids count the patients in the order of the file.", *table.footnotes)
    st.caption(plain(" ".join(notes)))


def _configured(column: Column) -> Any:
    if column.format is Format.INTEGER:
        return st.column_config.NumberColumn(column.label, format="%d")
    if column.format is Format.NUMBER:
        return st.column_config.NumberColumn(column.label, format=f"%.{column.decimals}f")
    return st.column_config.TextColumn(column.label)
