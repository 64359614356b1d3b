"""What years of two digits mean: asked for each column of dates, with what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from pages._ui import state
from pages._ui.inputs import choose, plain
from sts_core.cohort import Cohort
from sts_core.display import counted, joined
from sts_core.reading.assembly import find_table
from sts_core.reading.short_years import ShortYears, short_year_columns, ways_to_read
from sts_core.study import ColumnFormat, Status, TableSource

_OPEN = "(not said: these dates are not read)"
_ORDERS = {
    "dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day",
}  # fmt: skip


def open_short_years(cohort: Cohort) -> None:
    """Ask what years of two digits mean, where nobody has said it; nothing is assumed."""
    for role, source in cohort.study.data.tables.items():
        ways = _ways(cohort, role, source)
        still_open = {
            name: found
            for name, found in ways.items()
            if source.columns.get(name, ColumnFormat()).confirmed_last_year is None
        }
        if still_open:
            with st.container(border=True, key=f"short-years-{role}"):
                _ask(cohort, role, source, still_open)


def short_years(cohort: Cohort, role: str, source: TableSource) -> None:
    """Offer to change what was said of the years of two digits of a table."""
    for name, ways in _ways(cohort, role, source).items():
        known = source.columns.get(name, ColumnFormat())
        if known.confirmed_last_year is None:
            continue
        options = {_key(way.order, way.last_year): way for way in ways}
        kept = _key(known.date_order, known.last_year)
        names = {key: _words(way) for key, way in options.items()}
        names.setdefault(kept, f"as in the study file: years up to {known.last_year}")
        chosen = choose(
            f"Years of two digits in “{name}”", list(names), f"reading.years.{role}.{name}",
            kept=kept, names=names,
        )  # fmt: skip
        if chosen != kept:
            _put(cohort, role, source, {name: options[chosen]})
            st.rerun()


def _ask(
    cohort: Cohort, role: str, source: TableSource, ways: Mapping[str, tuple[ShortYears, ...]]
) -> None:
    place = cohort.tables[role]
    st.markdown(
        f":material/help: **Years of two digits** in {plain(place.sheet or place.file)}: "
        f"{counted(len(ways), 'column')} of dates, which are not read before you say what they mean"
    )
    chosen: dict[str, ShortYears] = {}
    for name, found in ways.items():
        options = {_key(way.order, way.last_year): way for way in found}
        names = {_OPEN: _OPEN, **{key: _words(way) for key, way in options.items()}}
        key = choose(
            f"The dates of “{name}” are", list(names), f"reading.years.{role}.{name}", names=names
        )
        if key != _OPEN:
            chosen[name] = options[key]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Read them so", key=f"reading.years.use.{role}", type="primary",
            icon=":material/check:", disabled=not chosen,
            help=None if chosen else "Choose for one column at least.",
            on_click=_put, args=(cohort, role, source, chosen),
        )  # fmt: skip
        first = {name: found[0] for name, found in ways.items()}
        st.button(
            "The first way is right for all", key=f"reading.years.first.{role}",
            icon=":material/done_all:",
            help=plain("; ".join(f"{name}: {_words(way)}" for name, way in first.items())),
            on_click=_put, args=(cohort, role, source, first),
        )  # fmt: skip


def _ways(cohort: Cohort, role: str, source: TableSource) -> dict[str, tuple[ShortYears, ...]]:
    """Give the ways to read each column with years of two digits; births only as ages."""

    def find() -> dict[str, tuple[ShortYears, ...]]:
        raw = find_table(state.workspace().workbooks, replace(source, columns={}), role)
        gone = set(source.left_out) - {source.birth_date}
        columns = [name for name in short_year_columns(raw) if name not in gone]
        return ways_to_read(raw, source, [name for name in columns if name != source.subject_id])

    if role not in cohort.tables:
        return {}
    ways: dict[str, tuple[ShortYears, ...]] = cohort.kept(("short years", role), find)
    return ways


def _key(order: str | None, last_year: int | None) -> str:
    return f"{order} {last_year}"


def _words(way: ShortYears) -> str:
    """Say how a column is read, and what comes out; of births only the ages."""
    if way.age_low is not None:
        span = f"ages {way.age_low} to {way.age_high}"
    else:
        span = f"{way.first} to {way.last}"
    wrong = [
        f"{count} {words}"
        for count, words in (
            (way.n_unborn, "born after the day of the age"),
            (way.n_future, "after today"),
            (way.n_unreadable, "no date"),
        )
        if count
    ]
    but = f" (but {joined(wrong)})" if wrong else ""
    return f"{_ORDERS[way.order]}; {way.years}: {span}{but}"


def _put(cohort: Cohort, role: str, source: TableSource, chosen: Mapping[str, ShortYears]) -> None:
    columns = dict(source.columns)
    for name, way in chosen.items():
        columns[name] = replace(
            columns.get(name, ColumnFormat()),
            date_order=way.order, last_year=way.last_year, status=Status.CONFIRMED,
        )  # fmt: skip
    study = cohort.study
    tables = {**study.data.tables, role: replace(source, columns=columns)}
    state.change_study(replace(study, data=replace(study.data, tables=tables)))
    state.forget_widgets()
