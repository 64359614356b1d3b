"""What the cards of response and of adverse events share: heading, columns, rows, values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import choose, plain
from sts_core.analysis.adverse_events import value_counts
from sts_core.cohort import Cohort
from sts_core.display import counted
from sts_core.findings import StudyError
from sts_core.study import Scalar, Status, Study
from sts_core.values import text_of

MAX_VALUES = 40
_ALL_ROWS = "(all rows)"


def heading(title: str, status: Status | None, remove: Study, key: str) -> None:
    """Show the title of a card, whether it is confirmed, and a button to remove it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="stretch")
        if status is None:
            st.badge("Not chosen", icon=":material/remove:", color="gray")
            return
        if status is Status.CONFIRMED:
            st.badge("Confirmed", icon=":material/check:", color="green")
        else:
            st.badge("To confirm", icon=":material/help:", color="orange")
        widgets.button(
            "",
            f"{key}.delete",
            apply,
            (remove,),
            icon=":material/delete:",
            type="tertiary",
            help="Remove it from the study; undo brings it back",
        )


def apply(study: Study) -> None:
    """Take over a study; all widgets begin anew with what it says."""
    state.change_study(study)
    state.forget_widgets()


def problems(error: StudyError) -> None:
    """Show why something can't be counted."""
    for finding in error.findings:
        st.error(plain(str(finding)))


def column_names(cohort: Cohort, role: str) -> list[str]:
    """Give the columns of a table but the one of patient ids."""
    source = cohort.study.data.tables.get(role)
    own = source.subject_id if source else None
    return [str(name) for name in cohort.tables[role].frame.columns if name != own]


def row_filter(
    cohort: Cohort, role: str, kept: Mapping[str, Sequence[Scalar]], key: str
) -> dict[str, tuple[Scalar, ...]]:
    """Ask which rows of a table count, by the values of one column."""
    first = next(iter(kept), _ALL_ROWS)
    columns = column_names(cohort, role)
    gone = [first] if first != _ALL_ROWS and first not in columns else []
    column = choose(
        "Only rows where", [_ALL_ROWS, *gone, *columns], f"{key}.rows", kept=first
    )  # fmt: skip
    if column == _ALL_ROWS:
        return {}
    rest = {name: tuple(values) for name, values in kept.items() if name not in (first, column)}
    chosen = values_meant(cohort, role, column, kept.get(column, ()), f"{key}.rows", "is")
    return {column: chosen, **rest} if chosen else rest


def values_meant(
    cohort: Cohort, role: str, column: str, kept: Sequence[Scalar], key: str, verb: str
) -> tuple[Scalar, ...]:
    """Ask which values of a column are meant, each with its number of rows."""
    counts = value_counts(cohort, role, column)
    if len(counts) > MAX_VALUES:
        st.info(f"“{plain(column)}” has {len(counts)} values: too many to choose from.")
        return tuple(kept)
    wanted = {text_of(value) for value in kept}
    start = [value for value in counts if value in wanted]
    chosen = widgets.pills(
        f"{plain(column)} {verb}",
        list(counts),
        f"{key}.values.{column}",
        start,
        format_func=lambda value: f"{plain(value)} ({counted(counts[value], 'row')})",
    )
    if chosen == start:
        return tuple(kept)
    return tuple(value for value in counts if value in chosen)
