"""The whole state of the data at a glance: open questions first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from pages._ui import state
from pages._ui.inputs import plain
from sts_core.cohort import Cohort
from sts_core.display import counted
from sts_core.findings import Finding
from sts_core.overview import EndpointLine, OpenQuestion, VariableLine, overview

MAX_QUESTIONS = 8


def at_a_glance(cohort: Cohort, findings: Sequence[Finding]) -> None:
    """Show what is open, the endpoints, the outcomes and every column."""
    found = overview(cohort, findings)
    _questions(found.questions)
    if found.endpoints:
        st.markdown("**Endpoints**")
        for first in range(0, len(found.endpoints), 3):
            columns = st.columns(3)
            for place, line in zip(columns, found.endpoints[first : first + 3], strict=False):
                with place, st.container(border=True, height="stretch"):
                    _endpoint(line)
    st.markdown("**Outcomes**")
    st.markdown("\n".join(f"- {plain(line)}" for line in found.outcomes))
    st.markdown("**Columns and variables**")
    _variables(found.variables)


def _questions(questions: Sequence[OpenQuestion]) -> None:
    if not questions:
        st.success("No question is open.", icon=":material/task_alt:")
        return
    with st.container(border=True, key="open-questions"):
        noun = "question" if len(questions) == 1 else "questions"
        st.markdown(f":material/help: **{len(questions)} open {noun}**")
        for number, question in enumerate(questions[:MAX_QUESTIONS]):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(question.text), width="stretch")
                st.button(
                    question.part.value, key=f"question.{number}", icon=":material/arrow_forward:",
                    type="tertiary", help=question.hint or None,
                    on_click=partial(state.open_tab, "data", question.part.value),
                )  # fmt: skip
        if len(questions) > MAX_QUESTIONS:
            st.caption(f"and {len(questions) - MAX_QUESTIONS} more, under Findings.")


def _endpoint(line: EndpointLine) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(line.label)}** ({plain(line.code)})", width="stretch")
        if line.confirmed:
            st.badge("Confirmed", icon=":material/check:", color="green")
        else:
            st.badge("To confirm", icon=":material/help:", color="orange")
    if line.problem:
        st.caption(plain(line.problem))
        return
    kinds = ""
    if len(line.events) > 1:
        kinds = f" ({', '.join(f'{plain(kind)} {n}' for kind, n in line.events)})"
    lost = f", {line.n_lost} without a usable time" if line.n_lost else ""
    st.caption(f"{counted(line.n, 'patient')}, {counted(line.n_event, 'event')}{kinds}{lost}")


def _variables(lines: Sequence[VariableLine]) -> None:
    rows = {
        "Name": [line.name for line in lines],
        "Column": [line.column for line in lines],
        "Used as": [line.role for line in lines],
        "Type": [", ".join(filter(None, (line.kind, line.unit))) for line in lines],
        "When known": [line.known for line in lines],
        "Missing": [
            None if line.share_missing is None else 100 * line.share_missing for line in lines
        ],
        "Distribution": [list(line.bars) or None for line in lines],
        "Values": [line.levels for line in lines],
    }
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        height=min(35 * (len(lines) + 1) + 3, 640),
        column_config={
            "Name": st.column_config.TextColumn(width=170, pinned=True),
            "Column": st.column_config.TextColumn(width=150),
            "Used as": st.column_config.TextColumn(width=150),
            "Type": st.column_config.TextColumn(width=120),
            "When known": st.column_config.TextColumn(width=120),
            "Missing": st.column_config.ProgressColumn(
                format="%.0f%%", min_value=0, max_value=100, width=90
            ),
            "Distribution": st.column_config.BarChartColumn(y_min=0, width=110),
            "Values": st.column_config.TextColumn(width="large"),
        },
    )
