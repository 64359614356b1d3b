"""What the privacy gate left out, and the way to let a column in or to leave one out by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import plain
from sts_core.cohort import Cohort
from sts_core.derive import variable_of
from sts_core.display import counted, joined
from sts_core.reading.assembly import needed_columns
from sts_core.reading.privacy import AGE_COLUMN, KIND_WORDS, PrivateColumn, PrivateKind
from sts_core.study import HasRow, Study, TableSource, conditions_of

_NONE = "(choose a column)"


def privacy(cohort: Cohort) -> None:
    """Show what was left out before anything was shown, and why."""
    items = [(role, item) for role, columns in cohort.left_out.items() for item in columns]
    with st.expander(_summary(items), icon=":material/shield_person:", key="privacy"):
        if items:
            st.caption(
                "These columns were left out before anything was shown or computed: no page, file "
                "or message holds a value of them. They stay in your file."
            )
        else:
            st.caption(
                "No column looks like a name, a number or an address of a person, a date of birth "
                "or free text. If one does not belong in the analysis, leave it out here."
            )
        for number, (role, item) in enumerate(items):
            _row(cohort, role, item, number)
        source = cohort.study.data.tables["subjects"]
        if source.birth_date is not None and AGE_COLUMN in cohort.tables["subjects"].frame.columns:
            st.caption(
                f"The age in whole years was derived first, from “{plain(source.birth_date)}” at "
                f"“{plain(source.age_at)}”; where the file has an age too, the two are compared."
            )
        _leave_out(cohort)


def _summary(items: list[tuple[str, PrivateColumn]]) -> str:
    if not items:
        return "Privacy: no column was left out"
    counts = Counter(KIND_WORDS[item.kind] for _, item in items)
    kinds = joined([f"{words} ({n})" if n > 1 else words for words, n in counts.items()])
    verb = "was" if len(items) == 1 else "were"
    return f"Privacy: {counted(len(items), 'column')} {verb} left out: {kinds}"


def _row(cohort: Cohort, role: str, item: PrivateColumn, number: int) -> None:
    table = cohort.tables[role]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{plain(item.column)}** ({plain(table.sheet or table.file)}): "
            f"{KIND_WORDS[item.kind]}; {plain(item.why)}",
            width="stretch",
        )
        with st.popover("Let in", key=f"privacy.in.{number}"):
            st.write(
                "Its values can then be seen on this page and can reach tables, figures and files. "
                "Only do this when the analysis needs them and you may use them."
            )
            widgets.button(
                "Let it in",
                f"privacy.let_in.{number}",
                _let_in,
                (cohort.study, role, item.column),
                about=(role, item.column),
                type="primary",
            )


def _let_in(study: Study, role: str, column: str) -> None:
    source = study.data.tables[role]
    rest = {name: kind for name, kind in source.left_out.items() if name != column}
    kept = source.let_in if column in source.let_in else (*source.let_in, column)
    new = replace(source, left_out=rest, let_in=kept)
    state.change_study(_with_source(study, role, new))
    state.leave_notice(
        f"“{column}” is let in. To use it, add it as a variable in the table of variables."
    )


def _leave_out(cohort: Cohort) -> None:
    """Offer to leave out any column that nothing rests on."""
    options = {
        f"{table.sheet or table.file}: {name}": (role, str(name))
        for role, table in cohort.tables.items()
        for name in table.frame.columns
        if name not in (cohort.study.data.tables[role].subject_id, AGE_COLUMN)
    }
    with st.form("privacy.form", border=False):
        chosen = widgets.selectbox(
            "Leave out another column", [_NONE, *options], "privacy.column", _NONE,
            help="It is then on no page and in no file; the study file remembers it.",
        )  # fmt: skip
        if widgets.submitted("Leave it out", "privacy.leave_out") and chosen != _NONE:
            role, column = options[chosen]
            users = _users(cohort, role, column)
            if users:
                st.error(
                    f"“{plain(column)}” is used by {plain(joined(users))}: remove these first."
                )
            else:
                state.drop_widget("privacy.column")
                state.change_study(left_out_by_hand(cohort.study, role, column))
                st.rerun()


def _users(cohort: Cohort, role: str, column: str) -> list[str]:
    """Name what rests on a column."""
    definitions = cohort.study.definitions
    users = [
        f"“{variable_of(cohort, key).label}”"
        for key, variable in definitions.variables.items()
        if variable.table == role and column == (variable.column or key) and not variable.derived
    ]
    if not users and column in needed_columns(cohort.study, role):
        users = ["an endpoint, an outcome or a table"]
    rules = cohort.study.analysis.every_criterion
    parts = [part for rule in rules for part in conditions_of(rule)]
    asked = (
        any(column in part.columns for part in parts)
        if role == "subjects"
        else any(
            isinstance(part, HasRow) and part.table == role and column in part.table_columns
            for part in parts
        )
    )
    if asked:
        users.append("a criterion")
    return users


def left_out_by_hand(study: Study, role: str, column: str) -> Study:
    """Give the study without a column of a table."""
    source = study.data.tables[role]
    new = replace(
        source,
        left_out={**source.left_out, column: PrivateKind.BY_HAND.value},
        let_in=tuple(name for name in source.let_in if name != column),
    )
    return _with_source(study, role, new)


def _with_source(study: Study, role: str, source: TableSource) -> Study:
    tables = {**study.data.tables, role: source}
    return replace(study, data=replace(study.data, tables=tables))
