"""How the cells of a table are read: texts that mean "not known", marks in numbers, dates."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import choose, plain
from pages._ui.short_years_card import open_short_years, short_years
from sts_core.cell_reading import (
    MarkEffect,
    code_effects,
    columns_of_two_orders,
    columns_with_marks,
    mark_effects,
    order_effects,
)
from sts_core.cohort import Cohort
from sts_core.display import counted
from sts_core.study import ColumnFormat, Status, Study, TableSource

_NONE = "(choose a column)"
MAX_SHOWN = 12
_ORDERS = {"dmy": "day, month, year", "mdy": "month, day, year"}
_WAYS = {
    ".": "1,234.5: the point is the decimal mark",
    ",": "1234,5: the comma is the decimal mark",
    ",.": "1.234,5: the comma is the decimal mark, points part thousands",
}


def reading(cohort: Cohort) -> None:
    """Offer missing codes of a table, marks of its numbers and orders of its dates."""
    tables = cohort.study.data.tables
    open_short_years(cohort)
    codes = sum(len(source.missing_codes) for source in tables.values())
    title = "How cells are read: texts for “not known”, numbers, dates"
    if codes:
        title += f" ({counted(codes, 'further text')} for “not known”)"
    with st.expander(title, icon=":material/spellcheck:", key="reading"):
        roles = [role for role in tables if role in cohort.tables]
        role = roles[0]
        if len(roles) > 1:
            places = {name: cohort.tables[name] for name in roles}
            names = {name: table.sheet or table.file for name, table in places.items()}
            role = choose("Table", roles, "reading.table", names=names)
        _codes(cohort, role, tables[role])
        _marks(cohort, role, tables[role])
        _orders(cohort, role, tables[role])
        short_years(cohort, role, tables[role])


def _codes(cohort: Cohort, role: str, source: TableSource) -> None:
    said = widgets.text_input(
        "Further texts that mean “not known” in every column of this table",
        f"reading.codes.{role}",
        ", ".join(source.missing_codes),
        placeholder="for instance: -99, 999, not done",
        max_chars=400,
        help="With commas between. Blank, NA, n/a, ., -, ?, unknown, ND, 未知, 不详 and the like "
        "mean it anyway. A code that is a value elsewhere belongs to its variable alone.",
    )
    codes = tuple(dict.fromkeys(part.strip() for part in re.split(r"[,;]", said) if part.strip()))
    if codes == source.missing_codes:
        return
    effects = code_effects(cohort, role, codes)
    if not effects:
        st.info("No cell of this table would be read in another way.")
    else:
        lines = [
            f"- “{plain(item.column)}”: known in {item.n_known} of {counted(item.n_rows, 'row')}, "
            f"then in {item.n_known_then}"
            for item in effects[:MAX_SHOWN]
        ]
        if len(effects) > MAX_SHOWN:
            lines.append(f"- and {len(effects) - MAX_SHOWN} more columns")
        st.markdown("This would change:\n\n" + "\n".join(lines))
    widgets.button(
        "Use these texts",
        "reading.codes.use",
        _put,
        (cohort.study, role, replace(source, missing_codes=codes)),
        type="primary",
        icon=":material/check:",
    )


def _marks(cohort: Cohort, role: str, source: TableSource) -> None:
    columns = columns_with_marks(cohort, role)
    if not columns:
        st.caption("No column of this table writes numbers as text with a point or a comma.")
        return
    column = choose(
        "Column that writes numbers as text", [_NONE, *columns], f"reading.column.{role}"
    )
    if column == _NONE:
        return
    known = source.columns.get(column, ColumnFormat())
    effects = {
        f"{item.decimal}{item.thousands or ''}": item for item in mark_effects(cohort, role, column)
    }
    chosen = widgets.radio(
        "Its numbers are written as",
        list(effects),
        f"reading.marks.{role}.{column}",
        known.marks,
        format_func=_WAYS.__getitem__,
        captions=[_effect(item) for item in effects.values()],
    )
    if chosen == known.marks and known.status is Status.CONFIRMED:
        return
    item = effects[chosen]
    new = replace(known, decimal=item.decimal, thousands=item.thousands, status=Status.CONFIRMED)
    columns_then = {**source.columns, column: new}
    widgets.button(
        "Read it so",
        "reading.marks.use",
        _put,
        (cohort.study, role, replace(source, columns=columns_then)),
        type="primary",
        icon=":material/check:",
    )


def _orders(cohort: Cohort, role: str, source: TableSource) -> None:
    """Offer the order of day and month of each column of dates that reads both ways."""
    columns = columns_of_two_orders(cohort, role)
    if not columns:
        return
    formats = dict(source.columns)
    for column in columns:
        known = source.columns.get(column, ColumnFormat())
        spans = {
            item.order: f"{item.first} to {item.last}"
            for item in order_effects(cohort, role, column)
        }
        confirmed = known.date_order if known.status is Status.CONFIRMED else None
        names = {order: f"{_ORDERS[order]}: {span}" for order, span in spans.items()}
        chosen = widgets.segmented_control(
            f"The dates of “{plain(column)}” can be read two ways. They are",
            list(spans),
            f"reading.order.{role}.{column}",
            confirmed,
            format_func=names.__getitem__,
        )
        if chosen is not None and chosen != confirmed:
            formats[column] = replace(known, date_order=chosen, status=Status.CONFIRMED)
    if formats != source.columns:
        _put(cohort.study, role, replace(source, columns=formats))
        st.rerun()


def _effect(item: MarkEffect) -> str:
    if item.median is None:
        return f"no number; {counted(item.n_unreadable, 'row')} can't be read"
    text = f"{counted(item.n_numbers, 'number')}, {item.low:g} to {item.high:g}, median "
    text += f"{item.median:g}"
    if item.n_unreadable:
        text += f"; {counted(item.n_unreadable, 'row')} can't be read"
    return text


def _put(study: Study, role: str, source: TableSource) -> None:
    tables = {**study.data.tables, role: source}
    state.change_study(replace(study, data=replace(study.data, tables=tables)))
    state.forget_widgets()
