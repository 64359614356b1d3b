"""Streamlit's inputs, each with its value as its default.

A value that the program sets reaches the browser with one run's messages, and those are dropped
when a further click interrupts that run. A widget that the browser then builds from its default
must show the same value: it sends what it shows with the next click, as if a person had chosen it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from pages._ui import state


def selectbox(
    label: str,
    options: Sequence[Any],
    key: str,
    start: Any = None,
    *,
    labels: Mapping[str, str] | None = None,
    page: str | None = None,
    **more: Any,
) -> Any:
    """Offer one of several options in a list; ``start`` of ``None`` leaves it open.

    Parameters
    ----------
    label, options
        As of ``st.selectbox``, to which ``more`` goes too.
    key
        Name of the choice.
    start
        Value from where the choice is kept.
    labels
        Words for the options, where they can change.
    page
        For a widget that several pages have, and whose callback changes the workspace.
    """
    may_be = options if start is not None else [*options, None]
    widget = _seeded(key, start, may_be, page, labels)
    index = _place(options, state.widget_value(key))
    return _drawn(st.selectbox, key, label, options, index=index, key=widget, **more)


def radio(label: str, options: Sequence[Any], key: str, start: Any = None, **more: Any) -> Any:
    """Offer one of a few options, one a line; ``start`` of ``None`` leaves it open."""
    widget = state.seeded(key, start, [*options, None])
    index = _place(options, state.widget_value(key))
    return _drawn(st.radio, key, label, options, index=index, key=widget, **more)


def segmented_control(
    label: str,
    options: Sequence[Any],
    key: str,
    start: Any = None,
    *,
    page: str | None = None,
    **more: Any,
) -> Any:
    """Offer one of a few options side by side; ``start`` of ``None`` leaves it open."""
    widget = _seeded(key, start, [*options, None], page)
    value = state.widget_value(key)
    return _drawn(st.segmented_control, key, label, options, default=value, key=widget, **more)


def pills(
    label: str,
    options: Sequence[Any],
    key: str,
    start: Sequence[Any],
    *,
    page: str | None = None,
    **more: Any,
) -> list[Any]:
    """Offer any of some options as pills."""
    widget = _seeded(key, list(start), options, page)
    value = state.widget_value(key)
    return list(
        _drawn(
            st.pills, key, label, options, selection_mode="multi", default=value, key=widget, **more
        )
    )  # fmt: skip


def multiselect(
    label: str,
    options: Sequence[Any],
    key: str,
    start: Sequence[Any],
    *,
    page: str | None = None,
    **more: Any,
) -> list[Any]:
    """Offer any of many options in a list; with ``accept_new_options`` others can be typed."""
    may_be = None if more.get("accept_new_options") else options
    widget = _seeded(key, list(start), may_be, page)
    value = state.widget_value(key)
    return list(_drawn(st.multiselect, key, label, options, default=value, key=widget, **more))


def toggle(label: str, key: str, start: bool, *, page: str | None = None, **more: Any) -> bool:
    """Offer a switch."""
    return _switch(st.toggle, label, key, start, page, more)


def checkbox(label: str, key: str, start: bool, *, page: str | None = None, **more: Any) -> bool:
    """Offer a tick."""
    return _switch(st.checkbox, label, key, start, page, more)


def _switch(
    draw: Callable[..., bool], label: str, key: str, start: bool, page: str | None,
    more: Mapping[str, Any],
) -> bool:  # fmt: skip
    widget = _seeded(key, start, None, page)
    return bool(_drawn(draw, key, label, bool(state.widget_value(key)), key=widget, **more))


def text_input(
    label: str, key: str, start: str = "", *, page: str | None = None, **more: Any
) -> str:
    """Offer a line of text."""
    widget = _seeded(key, start, None, page)
    value = state.widget_value(key) or ""
    return str(_drawn(st.text_input, key, label, value, key=widget, **more) or "")


def number_input(
    label: str, key: str, start: float | None = None, *, place: Any = st, **more: Any
) -> Any:
    """Offer a number, at a place of the page; ``start`` of ``None`` leaves it open."""
    if start is not None and isinstance(more.get("step"), float):
        start = float(start)
    widget = state.seeded(key, start)
    value = state.widget_value(key)
    return _drawn(place.number_input, key, label, value=value, key=widget, **more)


def date_input(
    label: str, key: str, start: dt.date | None = None, *, place: Any = st, **more: Any
) -> Any:
    """Offer a day, at a place of the page; ``start`` of ``None`` leaves it open."""
    widget = state.seeded(key, start)
    value = state.widget_value(key)
    return _drawn(place.date_input, key, label, value=value, key=widget, **more)


def range_slider(
    label: str, ends: tuple[Any, Any], key: str, start: tuple[Any, Any], *, page: str, **more: Any
) -> Any:
    """Offer a range of numbers or of dates between two ends, on several pages."""
    widget = state.synced(key, start, page)
    value = state.widget_value(key)
    return _drawn(st.slider, key, label, *ends, value=value, key=widget, **more)


def edited_table(
    rows: Mapping[Hashable, Mapping[str, Any]], key: str, columns: Sequence[str], **more: Any
) -> dict[Hashable, dict[str, Any]]:
    """Offer a table of which some columns can be edited; give what was edited since the last run.

    It stays as it is while one edits it, so that nothing that is typed in it meanwhile is lost, and
    an edit belongs to the row in which it was made, whatever has become of the others.

    Parameters
    ----------
    rows
        The cells to be shown, by the row's name and the column.
    key
        Name of the table.
    columns
        Those that can be edited.
    more
        As of ``st.data_editor``.

    Returns
    -------
    dict
        New values by the row's name and the column.
    """
    widget, given = state.edited_table(
        key, {name: {column: row[column] for column in columns} for name, row in rows.items()}
    )
    fixed = dict.fromkeys(column for row in rows.values() for column in row)
    st.data_editor(
        [{**row, **given[name]} for name, row in rows.items()], key=widget,
        disabled=[column for column in fixed if column not in columns], hide_index=True, **more,
    )  # fmt: skip
    return state.take_edits(key)


def _seeded(
    key: str, start: Any, options: Collection[Any] | None, page: str | None,
    labels: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """Give the key of an input that belongs to one page, or to several."""
    if page is not None:
        return state.synced(key, start, page)
    return state.seeded(key, start, options, labels)


def _place(options: Sequence[Any], value: Any) -> int | None:
    return list(options).index(value) if value in options else None


def _drawn(draw: Callable[..., Any], name: str, *args: Any, **more: Any) -> Any:
    """Draw an input, whose callback waits when the study is no longer the one it was made for."""
    change = more.pop("on_change", None)
    if change is None:
        return draw(*args, **more)
    act = partial(change, *more.pop("args", ()))
    chosen = draw(*args, on_change=partial(state.run_or_wait, name, state.revision(), act), **more)
    if state.take_late(name):
        act()
        st.rerun()
    return chosen


def pressed(label: str, key: str, *, about: object = None, **more: Any) -> bool:
    """Offer a button, and say whether it was pressed.

    The press is kept until the run that reaches the button, also when another click interrupts
    the run that it began.

    Parameters
    ----------
    label, key
        As of ``st.button``, to which ``more`` goes too.
    about
        What the button acts on, where another thing can take its place: a press on what is no
        longer there is for nothing.
    """
    st.button(label, key=key, on_click=state.press, args=(key, about), **more)
    return state.take_press(key, about) and not more.get("disabled")


def submitted(label: str, key: str, **more: Any) -> bool:
    """Offer the button of a form, and say whether it was pressed; kept like any press."""
    st.form_submit_button(label, key=key, on_click=state.press, args=(key,), **more)
    return state.take_press(key)


def button(
    label: str,
    key: str,
    on_click: Callable[..., object],
    args: tuple[Any, ...] = (),
    *,
    about: object = None,
    **more: Any,
) -> None:
    """Offer a button that changes the study.

    It acts in the run that draws it anew: what was typed just before the click, and any change
    that came between, is in ``args`` then.
    """
    if pressed(label, key, about=about, **more):
        on_click(*args)
        st.rerun()
