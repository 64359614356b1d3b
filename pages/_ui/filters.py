"""Filters for exploring, in the sidebar of every page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import plain
from sts_core.cohort import Cohort
from sts_core.criteria import describe
from sts_core.filters import (
    Filterable,
    Setting,
    Shape,
    before_filters,
    filter_names,
    filter_of,
    filterable,
    is_shown_by,
    place_of,
    setting_of,
    with_filter,
    with_filters,
)
from sts_core.findings import StudyError
from sts_core.study import Criterion, Study

_VIEW = "filters"
#: Up to so many levels are shown as pills, more in a list.
_MAX_PILLS = 8
#: And up to so many characters, which fit beside a count in the sidebar.
_MAX_PILL_TEXT = 26


def sidebar_filters(cohort: Cohort, page: str) -> None:
    """Show the filters with the number of patients that they leave, and offer another."""
    study = cohort.study
    n = sum(item.enabled for item in study.analysis.filters)
    shown = _shown(study)
    with (
        st.sidebar,
        st.container(key="sidebar-filters", gap="small"),
        st.expander(
            "Filters",
            icon=":material/tune:",
            expanded=bool(n or shown),
            key="filter.panel",
            type="compact",
        ),
    ):
        if n:
            _count(cohort)
            _report_p(study, page)
        drawn: set[int] = set()
        for key in shown:
            place = _control(cohort, key, page)
            if place is not None:
                drawn.add(place)
        for place, item in enumerate(study.analysis.filters):
            if place not in drawn:
                _in_words(cohort, place, item)
        _add(cohort, shown, page)
        if study.analysis.filters or shown:
            with st.container(horizontal=True, gap="small", key="filter-actions", wrap=False):
                widgets.button(
                    "Clear all",
                    "filters.clear",
                    _clear,
                    type="tertiary",
                    icon=":material/filter_alt_off:",
                )
                st.button(
                    "", key="filters.undo", on_click=state.undo, type="tertiary",
                    icon=":material/undo:", disabled=not state.can_undo(),
                    help="Takes the last change back, on any page",
                )  # fmt: skip
        elif not n:
            st.caption("For exploring: what is narrowed here is marked exploratory everywhere.")


def stranded_filters(study: Study) -> None:
    """Offer to take filters off with which there is no cohort any more."""
    if study.analysis.filters:
        with st.sidebar, st.container(key="sidebar-filters"):
            st.caption("A filter may name a column that this file does not have.")
            widgets.button(
                "Clear all filters",
                "filters.clear",
                _clear,
                icon=":material/filter_alt_off:",
            )


def _shown(study: Study) -> tuple[str, ...]:
    """Give the variables with a control: those that were opened, and those in force."""
    opened = state.view(_VIEW).get("variables", ())
    filtered = (item.column for item in study.analysis.filters if hasattr(item, "column"))
    return tuple(dict.fromkeys((*opened, *filtered)))


def _count(cohort: Cohort) -> None:
    """Say how many patients the filters leave, of those who meet the criteria."""
    there = int(before_filters(cohort).sum())
    share = cohort.n / there if there else 0.0
    st.markdown(
        f'<div class="filter-count"><b>{cohort.n}</b> of {there} patients'
        f'<span class="meter"><span style="width:{100 * share:.0f}%"></span></span></div>',
        unsafe_allow_html=True,
    )


def _report_p(study: Study, page: str) -> None:
    """Offer to report P values under filters like any other; the study file and exports say so."""

    def change() -> None:
        wanted = bool(state.widget_value("filter.report_p"))
        current = state.workspace().study or study
        analysis = replace(current.analysis, report_exploratory_p=wanted)
        state.change_study(replace(current, analysis=analysis))

    widgets.toggle(
        "Report P values",
        "filter.report_p",
        study.analysis.report_exploratory_p,
        page=page,
        on_change=change,
        help="Under filters P values are grey and labelled exploratory: subsets that were looked "
        "for in the data give small ones by chance. Every export says it when they are reported "
        "all the same.",
    )


def _control(cohort: Cohort, key: str, page: str) -> int | None:
    """Show the control of a variable; give the place of the filter that it shows."""
    try:
        variable = filterable(cohort, key)
    except StudyError:
        return None  # its column is gone: the filter stays as words, with a way to take it off
    place = place_of(cohort.study, variable)
    if place is None and any(
        not is_shown_by(variable, item)
        for item in cohort.study.analysis.filters
        if getattr(item, "column", None) == key
    ):
        return None  # a filter that no control can show stands there in words
    setting = setting_of(variable, None if place is None else cohort.study.analysis.filters[place])
    with st.container(key=f"filter-block-{key}", gap=None):
        unit = f" ({variable.unit})" if variable.unit else ""
        _heading(f"{variable.label}{unit}", f"filter.remove.{key}", partial(_remove, key))
        changed = partial(_changed, key)
        if variable.shape is Shape.LEVELS:
            _levels(variable, setting, changed, page)
        elif variable.shape is not Shape.KNOWN:
            _range(variable, setting, changed, page)
        if variable.n_unknown:
            widgets.checkbox(
                f"Keep {variable.n_unknown} not known",
                f"filter.unknown.{key}",
                setting.keep_unknown,
                page=page,
                on_change=changed,
            )
        elif variable.shape is Shape.KNOWN:
            st.caption("Nothing to narrow: one value, known of everybody.")
        if variable.after_time_zero:
            st.caption(
                ":orange[Known only after time zero: this takes patients by what happened later.]"
            )
    return place


def _heading(label: str, key: str, remove: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap=None, wrap=False):
        st.markdown(f"**{plain(label)}**", width="stretch")
        st.button(
            "", icon=":material/close:", key=key, on_click=remove, type="tertiary",
            help="Take this filter off",
        )  # fmt: skip


def _levels(variable: Filterable, setting: Setting, changed: Any, page: str) -> None:
    """Offer levels with their counts; none chosen is all of them."""
    counts = dict(zip(variable.levels, variable.counts, strict=True))
    key = f"filter.levels.{variable.key}"
    few = len(variable.levels) <= _MAX_PILLS and all(
        len(level) <= _MAX_PILL_TEXT for level in variable.levels
    )
    if few:
        widgets.pills(
            variable.label, variable.levels, key, setting.levels, page=page, on_change=changed,
            format_func=lambda level: f"{plain(level)} :gray[{counts[level]}]",
            label_visibility="collapsed",
        )  # fmt: skip
    else:
        widgets.multiselect(
            variable.label, variable.levels, key, setting.levels, page=page, on_change=changed,
            format_func=lambda level: f"{level} ({counts[level]})",
            placeholder=f"All {len(variable.levels)} levels", label_visibility="collapsed",
        )  # fmt: skip


def _range(variable: Filterable, setting: Setting, changed: Any, page: str) -> None:
    """Offer a range; the patients change when the handle is let go."""
    dates = variable.shape is Shape.DATES
    widgets.range_slider(
        variable.label, (variable.low, variable.high), f"filter.range.{variable.key}",
        (setting.low, setting.high), page=page, on_change=changed,
        step=dt.timedelta(days=1) if dates else variable.step, label_visibility="collapsed",
        format="YYYY-MM-DD" if dates else f"%.{variable.decimals}f",
    )  # fmt: skip
    if variable.is_open_above:
        st.caption(f"{variable.high:g} means that or older.")


def _in_words(cohort: Cohort, place: int, item: Criterion) -> None:
    """Show a filter that no control shows: switched off, an exclusion, or several in one."""
    try:
        text = describe(cohort, item)
    except StudyError:
        text = item.label or "A filter whose column is not in this file"
    with st.container(key=f"filter-words-{place}"):
        _heading(
            text if item.enabled else f"Off: {text}",
            f"filter.words.{place}",
            partial(_remove_place, place),
        )


def _add(cohort: Cohort, shown: Sequence[str], page: str) -> None:
    names = {key: name for key, name in filter_names(cohort).items() if key not in shown}
    if names:
        widgets.selectbox(
            "Add a filter",
            list(names),
            "filter.add",
            None,
            page=page,
            format_func=lambda key: names[key],
            placeholder="Add a filter …",
            label_visibility="collapsed",
            on_change=_open,
        )


def _open() -> None:
    """Open the control of the variable that was chosen; it removes nobody yet."""
    key = state.widget_value("filter.add")
    if key is not None:
        opened = state.view(_VIEW).get("variables", ())
        state.set_view(_VIEW, {"variables": [*(name for name in opened if name != key), key]})


def _changed(key: str) -> None:
    """Put what a control says into the study."""
    cohort = state.workspace().cohort
    if cohort is None:
        return
    variable = filterable(cohort, key)
    place = place_of(cohort.study, variable)
    setting = setting_of(variable, None if place is None else cohort.study.analysis.filters[place])
    if variable.shape is Shape.LEVELS:
        chosen = state.widget_value(f"filter.levels.{key}") or ()
        setting = replace(setting, levels=tuple(chosen))
    elif variable.shape is not Shape.KNOWN:
        low, high = state.widget_value(f"filter.range.{key}")
        setting = replace(setting, low=low, high=high)
    if variable.n_unknown:
        setting = replace(setting, keep_unknown=bool(state.widget_value(f"filter.unknown.{key}")))
    opened = state.view(_VIEW).get("variables", ())
    if key not in opened:
        state.set_view(_VIEW, {"variables": [*opened, key]})
    state.change_study(
        with_filter(state.workspace().study or cohort.study, place, filter_of(variable, setting))
    )


def _remove(key: str) -> None:
    """Take a variable's filter off, and its control with it."""
    workspace = state.workspace()
    _close(key)
    if workspace.cohort is not None:
        place = place_of(workspace.cohort.study, filterable(workspace.cohort, key))
        if place is not None:
            _remove_place(place)


def _close(key: str) -> None:
    opened = state.view(_VIEW).get("variables", ())
    state.set_view(_VIEW, {"variables": [name for name in opened if name != key]})


def _remove_place(place: int) -> None:
    study = state.workspace().study
    if study is not None:
        state.change_study(with_filter(study, place, None))


def _clear() -> None:
    """Take every filter off, and every control with it."""
    study = state.workspace().study
    if study is not None:
        state.change_study(with_filters(study, ()))
        state.set_view(_VIEW, {"variables": []})
