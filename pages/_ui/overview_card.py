"""The whole state of the data at a glance: open questions first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import plain
from pages._ui.outcome_parts import apply
from sts_core.cohort import Cohort
from sts_core.display import counted, escape
from sts_core.findings import Finding
from sts_core.overview import EndpointLine, OpenQuestion, Part, VariableLine, overview

MAX_QUESTIONS = 8
#: Columns that are drawn at once; the rest on request.
MAX_COLUMNS = 150


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
                    if not line.confirmed:
                        st.button(
                            "Look and confirm", key=f"overview.confirm.{line.code}",
                            icon=":material/arrow_forward:", on_click=state.open_tab,
                            args=("data", Part.ENDPOINTS.value),
                        )  # fmt: skip
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
        st.markdown(f":material/help: **{len(questions)} open {noun}** – nothing rests on a guess")
        for number, question in enumerate(questions[:MAX_QUESTIONS]):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(question.text), width="stretch")
                if question.agreed is not None:
                    widgets.button(
                        "That is right",
                        f"question.agree.{number}",
                        partial(apply, question.agreed),
                        about=question,
                        icon=":material/check:",
                        help="What was assumed is confirmed; undo takes it back.",
                    )
                if question.part is not None:
                    st.button(
                        question.part.value, key=f"question.{number}",
                        icon=":material/arrow_forward:",
                        type="secondary" if number else "primary", help=question.hint or None,
                        on_click=partial(state.open_tab, "data", question.part.value),
                    )  # fmt: skip
            if question.part is None:
                st.caption(plain(question.hint))
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
    # plain HTML: the grid of the browser takes longer to load than the rest of the page
    shown = lines
    if len(lines) > MAX_COLUMNS and not st.toggle(
        f"All {len(lines)} columns", key="overview.all", help="Wide files take a moment to draw."
    ):
        shown = lines[:MAX_COLUMNS]
    rows = "".join(_row(line) for line in shown)
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    st.markdown(
        '<div class="sts-table overview"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>",
        unsafe_allow_html=True,
    )
    if len(shown) < len(lines):
        st.caption(f"The first {len(shown)} of {len(lines)} columns.")


_HEADS = ("Name", "Column", "Used as", "Type", "When known", "Missing", "Distribution", "Values")


def _row(line: VariableLine) -> str:
    kind = ", ".join(filter(None, (line.kind, line.unit)))
    words = [
        f'<td class="{style}">{escape(text, "html")}</td>'
        for text, style in (
            (line.name, "name"), (line.column if line.column != line.name else "", "quiet"),
            (line.role, ""), (kind, ""), (line.known, "short"),
        )
    ]  # fmt: skip
    missing = _missing(line.share_missing)
    values = escape(line.levels, "html")
    return (
        f'<tr>{"".join(words)}<td class="short">{missing}</td><td>{_bars(line)}</td>'
        f'<td class="values">{values}</td></tr>'
    )


def _missing(share: float | None) -> str:
    """Give a share of patients as a small meter with its percent."""
    if share is None:
        return ""
    percent = 100 * share
    text = "<1%" if 0 < percent < 1 else f"{percent:.0f}%"
    return (
        f'<span class="meter"><span style="width:{percent:.1f}%"></span></span>'
        f'<span class="percent">{text}</span>'
    )


def _bars(line: VariableLine) -> str:
    """Give patients by level or by bin as small bars."""
    most = max(line.bars, default=0)
    if not most:
        return ""
    bars = "".join(f'<span style="height:{100 * n / most:.0f}%"></span>' for n in line.bars)
    counts = escape(", ".join(map(str, line.bars)), "html")
    return f'<span class="bars" title="Patients: {counts}">{bars}</span>'
