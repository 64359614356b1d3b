"""The patients behind a count: the dialog that a click on a number, a box or a mark opens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui import state
from pages._ui.inputs import plain
from sts_core.analysis.patient_list import list_columns, patient_list
from sts_core.cohort import Cohort
from sts_core.display import Column, DisplayTable, Format, escape
from sts_core.findings import StudyError
from sts_core.members import Count, CountedText, Members

_ROW_PIXELS = 34
#: Data whose own ids are shown, by hash: of this session, and of no other file.
_REVEALED = "revealed_ids"
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


def counted_html(text: str, cohort: Cohort | None) -> str:
    """Give words as HTML in which every count of patients opens their list."""
    if not isinstance(text, CountedText) or cohort is None:
        return escape(text, "html")
    return "".join(
        count_html(part.members, cohort, part.text)
        # of nobody there is no list
        if isinstance(part, Count) and re.search(r"[1-9]", part.text)
        else escape(part.text if isinstance(part, Count) else part, "html")
        for part in text.parts
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
    id_column = _id_column(cohort)
    if id_column is not None and _reveals(cohort):
        st.markdown(_with_ids(table, cohort, id_column), unsafe_allow_html=True)
        notes = [
            f"“{id_column}”: the ids of your file, shown on this screen until this session ends "
            "or the switch is off. They go into no export, study file, report or link; other "
            "columns that name a patient stay hidden."
        ]
    else:
        columns = {column.key: [row[column.key] for row in table.rows] for column in table.columns}
        st.dataframe(
            columns,
            hide_index=True,
            row_height=_ROW_PIXELS,
            height=min((1 + len(table.rows)) * _ROW_PIXELS + 2, 560),
            column_config={column.key: _configured(column) for column in table.columns},
            alt=table.title,
        )
        notes = []
    notes = ["Study ids count the patients in the order of the file.", *notes, *table.footnotes]
    st.caption(plain(" ".join(notes)))


def _id_column(cohort: Cohort) -> str | None:
    """Give the column that names the patients in the file; ``None`` where rows have to."""
    source = cohort.study.data.tables.get("subjects")
    return None if source is None else source.subject_id


def _reveals(cohort: Cohort) -> bool:
    """Offer to show the ids of the file; the answer is kept for these data in this session."""
    shown: bool = st.toggle(
        "Show the ids of my file",
        value=state.remembered(_REVEALED) == cohort.data_hash,
        key="list.reveal",
        help="To find a patient in your own records. Off in every new session.",
    )
    state.remember(_REVEALED, cohort.data_hash if shown else None)
    return shown


def _with_ids(table: DisplayTable, cohort: Cohort, id_column: str) -> str:
    """Give the list with the ids of the file as HTML, of which nothing can be downloaded."""
    aligned = ["", *("" if one.format is Format.TEXT else "num" for one in table.columns)]
    first, *others = [escape(column.label, "html") for column in table.columns]
    names = (first, escape(id_column, "html"), *others)
    head = "".join(f'<th class="{at}">{n}</th>' for at, n in zip(aligned, names, strict=True))
    body = ""
    for row, cells in zip(table.rows, table.formatted(), strict=True):
        source_id = cohort.source_ids[str(row["subject"])]
        written = [escape(cell, "html") for cell in (cells[0], source_id, *cells[1:])]
        row_html = "".join(
            f'<td class="{at}">{cell}</td>' for at, cell in zip(aligned, written, strict=True)
        )
        body += f"<tr>{row_html}</tr>"
    return (
        '<div class="sts-table revealed"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _configured(column: Column) -> Any:
    if column.format is Format.INTEGER:
        return st.column_config.NumberColumn(column.label, format="%d")
    if column.format is Format.NUMBER:
        return st.column_config.NumberColumn(column.label, format=f"%.{column.decimals}f")
    return st.column_config.TextColumn(column.label)
