"""The criteria of the study in their order: what each asks and removes, and how to change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import streamlit as st

from pages._ui import state, widgets
from pages._ui.criterion_form import condition_of, forget_numbers
from pages._ui.inputs import choose_one, plain
from pages._ui.patient_lists import counted_html
from sts_core.cohort import Cohort, FlowStep
from sts_core.criteria import (
    LATE_EFFECT,
    describe,
    known_after_time_zero,
    remaining,
    step_of,
)
from sts_core.display import escape
from sts_core.distribution import Distribution, distribution
from sts_core.filters import with_filters
from sts_core.findings import StudyError
from sts_core.members import Count, CountedText, of_flow
from sts_core.populations import with_criteria
from sts_core.study import Criterion, IsKnown, Study

Criteria = tuple[Criterion, ...]
_MISSING = {
    "keep": "not known: stays", "drop": "not known: leaves", "only": "only those not known stay",
}  # fmt: skip
_MISSING_LONG = {
    "keep": "stay, not verifiable",
    "drop": "leave",
    "only": "are the only ones who stay",
}
_NEW = "new"
_OPEN = "criterion.open"


def _apply(study: Study, items: Criteria) -> None:
    state.change_study(with_criteria(study, items))
    _close()


def _open(place: int | str) -> None:
    state.forget_widgets()
    forget_numbers()
    state.remember(_OPEN, place)


def _close() -> None:
    state.forget_widgets()
    forget_numbers()
    state.remember(_OPEN, None)


def list_criteria(cohort: Cohort) -> None:
    """Show the criteria with their switches, counts, distributions and order."""
    items = cohort.study.analysis.criteria
    opened = state.remembered(_OPEN)
    for place, item in enumerate(items):
        opening = opened == place
        key = f"criterion-form-{place}" if opening else f"criterion-card-{place}"
        with st.container(border=True, gap="small", key=key):
            if opening:
                criterion_editor(
                    cohort, items, place, f"criterion.{place}",
                    lambda study, new: with_criteria(study, new),
                )  # fmt: skip
            else:
                _card(cohort, items, place, item)
    if not items:
        st.caption("No criteria: every patient in the file is analysed.")
    if opened == _NEW:
        with st.container(border=True, key="criterion-new"):
            criterion_editor(
                cohort, items, None, "criterion.new", lambda study, new: with_criteria(study, new)
            )


def stranded_criteria(study: Study) -> None:
    """List the criteria while the patients can't be put together: one of them may be why."""
    items = study.analysis.criteria
    if not items:
        return
    st.subheader("Criteria", anchor=False)
    st.caption("One that asks for what this file does not have keeps all patients from the pages.")
    for place, item in enumerate(items):

        def on_switch(place: int = place, item: Criterion = item) -> None:
            enabled = bool(state.widget_value(f"criteria.on.{place}"))
            new = (*items[:place], replace(item, enabled=enabled), *items[place + 1 :])
            state.change_study(with_criteria(study, new))

        words = _asked_for(item)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            widgets.toggle(
                plain(words),
                f"criteria.on.{place}",
                item.enabled,
                on_change=on_switch,
                width="stretch",
            )
            _icon("delete", "Remove it from the list; undo brings it back", place, True, study,
                  (*items[:place], *items[place + 1 :]))  # fmt: skip


def _asked_for(item: Criterion) -> str:
    """Name what a criterion asks for when the file doesn't have it."""
    asked = ", ".join(f"“{name}”" for name in item.columns) or "another table"
    return f"{item.label}: asks for {asked}" if item.label else f"Asks for {asked}"


def words_for(cohort: Cohort, item: Criterion) -> str:
    """Give a criterion in words, also one whose column is not in this file."""
    try:
        return describe(cohort, item)
    except StudyError:
        return _asked_for(item)


def add_button() -> None:
    """Offer to begin a new criterion."""
    st.button(
        "Add a criterion", icon=":material/add:", key="criteria.add", on_click=_open, args=(_NEW,),
        disabled=state.remembered(_OPEN) == _NEW,
    )  # fmt: skip


def list_filters(cohort: Cohort) -> None:
    """Show the filters of the sidebar with a switch, and the way to make one a criterion."""
    study = cohort.study
    filters = study.analysis.filters
    if not filters:
        return
    st.markdown("**Filters in the sidebar**, which mark every result as exploratory")
    for place, item in enumerate(filters):
        rest = (*filters[:place], *filters[place + 1 :])

        def on_switch(place: int = place, item: Criterion = item) -> None:
            enabled = bool(state.widget_value(f"filters.on.{place}"))
            new = (*filters[:place], replace(item, enabled=enabled), *filters[place + 1 :])
            state.change_study(with_filters(study, new))

        analysis = replace(study.analysis, criteria=(*study.analysis.criteria, item))
        formal = with_filters(replace(study, analysis=analysis), rest)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            widgets.toggle(
                plain(words_for(cohort, item)),
                f"filters.on.{place}",
                item.enabled,
                on_change=on_switch,
                width="stretch",
            )
            widgets.button(
                "Make it a criterion",
                f"filters.formal.{place}",
                state.change_study,
                (formal,),
                about=item,
                type="tertiary",
                icon=":material/gavel:",
                help="It becomes part of the study, and results are no longer exploratory for it",
            )


# --- one criterion -------------------------------------------------------------------------------


def _card(cohort: Cohort, items: Criteria, place: int, item: Criterion) -> None:
    study = cohort.study

    def changed(**values: Any) -> Criteria:
        return (*items[:place], replace(item, **values), *items[place + 1 :])

    def on_switch() -> None:
        enabled = bool(state.widget_value(f"criteria.on.{place}"))
        state.change_study(with_criteria(study, changed(enabled=enabled)))

    words = plain(words_for(cohort, item))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        widgets.toggle(
            f"In force: {words}",
            f"criteria.on.{place}",
            item.enabled,
            on_change=on_switch,
            label_visibility="collapsed",
            width="content",
        )
        st.markdown(words if item.enabled else f":gray[{words}]", width="stretch")
        with st.container(
            horizontal=True, gap=None, width="content", wrap=False, key=f"criterion-icons-{place}"
        ):
            _icon("arrow_upward", "Move up", place, place > 0, study, _swapped(items, place, -1))
            _icon("arrow_downward", "Move down", place, place < len(items) - 1, study,
                  _swapped(items, place, 1))  # fmt: skip
            st.button(
                "", icon=":material/edit:", key=f"criteria.edit.{place}", type="tertiary",
                help="Change it", on_click=_open, args=(place,),
            )  # fmt: skip
            _icon("content_copy", "Duplicate: the copy stands below, switched off", place, True,
                  study, _duplicated(items, place))  # fmt: skip
            _icon("delete", "Remove it from the list; undo brings it back", place, True, study,
                  (*items[:place], *items[place + 1 :]))  # fmt: skip
    try:
        left = remaining(cohort, items[:place])
        step = step_of(cohort, item, left)
        spread = distribution(cohort, item, left)
    except StudyError as error:
        for finding in error.findings:
            st.error(plain(str(finding)))
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", wrap=False):
        asked = escape(describe(cohort, replace(item, label="", excludes=False)), "html")
        unknown = "" if isinstance(item, IsKnown) else f"; {_MISSING[item.missing]}"
        counts = counted_html(_count_text(cohort, items, place, step), cohort)
        st.markdown(
            f'<div class="criterion-words">{asked}{unknown}.<br>{counts}</div>',
            width="stretch",
            unsafe_allow_html=True,
        )
        st.markdown(bars_html(spread), unsafe_allow_html=True, width="content")
    if item.after_time_zero:
        st.markdown(f":small[:orange[:material/schedule: {late_sentence()}]]")


def late_sentence() -> str:
    """Say what a criterion on what happened after time zero does."""
    return f"Known only after time zero: it {LATE_EFFECT}."


def _icon(icon: str, label: str, place: int, enabled: bool, study: Study, new: Criteria) -> None:
    widgets.button(
        "",
        f"criteria.{icon}.{place}",
        _apply,
        (study, new),
        about=new,
        icon=f":material/{icon}:",
        disabled=not enabled,
        help=label,
        type="tertiary",
    )


def _swapped(items: Criteria, place: int, by: int) -> Criteria:
    out = list(items)
    if 0 <= place + by < len(out):
        out[place], out[place + by] = out[place + by], out[place]
    return tuple(out)


def _duplicated(items: Criteria, place: int) -> Criteria:
    copy = replace(items[place], enabled=False)
    return (*items[: place + 1], copy, *items[place + 1 :])


def _count_text(cohort: Cohort, items: Criteria, place: int, step: FlowStep) -> str:
    """Say what a criterion removes, or would, and what switching it changes."""
    enabled = items[place].enabled
    number = sum(item.enabled for item in items[:place])
    text: str = (
        _removal_listed(step, number)
        if enabled
        else _removal(step, "Off. It would remove").replace("**", "")
    )
    other = replace(items[place], enabled=not enabled)
    n_now = cohort.n
    changed = (*items[:place], other, *items[place + 1 :])
    n_then = int(remaining(cohort, changed, cohort.study.analysis.filters).sum())
    if enabled and step.n_excluded and n_then - n_now != step.n_excluded:
        text = CountedText.of(text, f" Without it {n_then - n_now} more would be analysed.")
    elif not enabled and n_now - n_then != step.n_excluded:
        text += f" With it {n_then} would be analysed."
    return text


def _removal_listed(step: FlowStep, number: int) -> CountedText:
    """Say what a criterion in force removes, with who they are; ``number`` is its step."""
    before = of_flow("remaining", number - 1) if number else of_flow("file")
    parts: list[str | Count] = [
        "Removes ",
        Count(str(step.n_excluded), of_flow("excluded", number)),
        " of ",
        Count(str(step.n_before), before),
    ]
    if step.n_missing_excluded:
        missing = Count(str(step.n_missing_excluded), of_flow("missing", number))
        parts += [", ", missing, " of them only because a value is not known"]
    parts += ["; ", Count(str(step.n_after), of_flow("remaining", number)), " stay."]
    if step.n_not_verifiable:
        unknown = Count(str(step.n_not_verifiable), of_flow("not_verifiable", number))
        parts += [" Not verifiable, kept: ", unknown, "."]
    return CountedText.of(*parts)


def _removal(step: FlowStep, verb: str) -> str:
    text = f"{verb} **{step.n_excluded}** of {step.n_before}"
    if step.n_missing_excluded:
        text += f", {step.n_missing_excluded} of them only because a value is not known"
    text += f"; {step.n_after} stay."
    if step.n_not_verifiable:
        text += f" Not verifiable, kept: {step.n_not_verifiable}."
    return text


# --- the form ------------------------------------------------------------------------------------


def criterion_editor(
    cohort: Cohort,
    items: Criteria,
    place: int | None,
    key: str,
    put: Callable[[Study, Criteria], Study],
    *,
    before: Criteria = (),
    close: Callable[[], None] = _close,
) -> None:
    """Ask for a criterion, and show what it would remove before it is taken.

    Parameters
    ----------
    cohort
        Everybody in the file.
    items
        The list that it belongs to.
    place
        Its place there; ``None`` for a new one at the end.
    key
        Prefix of the widgets.
    put
        Gives the study with another such list.
    before
        Criteria that stand before that list.
    close
        Ends the form.
    """
    start = None if place is None else items[place]
    at = len(items) if place is None else place
    st.markdown("**New criterion**" if place is None else "**Change this criterion**")
    try:
        condition = condition_of(cohort, key, start)
        new = _with_choices(cohort, key, start, condition)
        if new is not None:
            _preview(cohort, (*before, *items[:at]), new, items, place, put)
    except StudyError as error:
        new = None
        for finding in error.findings:
            st.error(plain(str(finding)))

    with st.container(horizontal=True):
        is_taken = widgets.pressed(
            "Add it" if place is None else "Take the change",
            f"{key}.take",
            type="primary",
            icon=":material/check:",
        )
        st.button("Cancel", key=f"{key}.cancel", on_click=close)
    if not is_taken:
        return
    if new is None:
        st.warning("The criterion is not complete: the form above says what it needs.")
        return
    study = state.workspace().study or cohort.study
    state.change_study(put(study, (*items[:at], new, *items[at + 1 :])))
    close()
    st.rerun()


def _with_choices(
    cohort: Cohort, key: str, start: Criterion | None, condition: Criterion | None
) -> Criterion | None:
    """Ask what becomes of patients, and give the whole criterion."""
    effects = {"stay": "stay", "leave": "are excluded"}
    effect = choose_one(
        "Patients who meet it", list(effects), f"{key}.effect",
        kept="leave" if start is not None and start.excludes else "stay", names=effects,
    )  # fmt: skip
    missing = "keep"
    if not isinstance(condition, IsKnown):
        missing = choose_one(
            "Patients of whom it can't be told", list(_MISSING_LONG), f"{key}.missing",
            kept=start.missing if start is not None else "keep", names=_MISSING_LONG,
            help="Because a value is missing or can't be read.",
        )  # fmt: skip
    if condition is None:
        return None
    later = known_after_time_zero(cohort, condition)
    seed = later if start is None else start.after_time_zero
    if start is not None and later != known_after_time_zero(cohort, start):
        seed = later  # it asks for something else now
    late = widgets.toggle(
        "Known only after time zero",
        f"{key}.late.{later}",
        seed,
        help="Set by itself where the program can tell; change it where it is wrong.",
    )
    if late:
        st.markdown(f":small[:orange[{late_sentence()}]]")
    label = widgets.text_input(
        "In your own words",
        f"{key}.label",
        start.label if start else "",
        placeholder=describe(cohort, replace(condition, excludes=effect == "leave")),
        help="Shown in the flow and in the report; empty for the words of the program.",
    )
    choices: Mapping[str, Any] = {
        "label": label.strip(),
        "excludes": effect == "leave",
        "after_time_zero": late,
        "enabled": start.enabled if start is not None else True,
    }
    if isinstance(condition, IsKnown):
        return replace(condition, **choices)
    return cast("Criterion", replace(condition, missing=cast("Any", missing), **choices))


def _preview(
    cohort: Cohort,
    before: Criteria,
    new: Criterion,
    items: Criteria,
    place: int | None,
    put: Callable[[Study, Criteria], Study],
) -> None:
    """Say what the criterion would do, before it is taken."""
    left = remaining(cohort, before)
    step = step_of(cohort, new, left)
    at = len(items) if place is None else place
    analysis = put(cohort.study, (*items[:at], new, *items[at + 1 :])).analysis
    total = ""
    if new.enabled and analysis.criteria != cohort.study.analysis.criteria:
        then = int(remaining(cohort, analysis.criteria, analysis.filters).sum())
        total = f" Analysed: {cohort.n} now, **{then}** then."
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(
            bars_html(distribution(cohort, new, left), wide=True), unsafe_allow_html=True,
            width="content",
        )  # fmt: skip
        words = plain(describe(cohort, replace(new, label="")))
        removal = _removal(step, "Would remove")
        st.markdown(f"{words}.  \n{removal}{total}", width="stretch")


def bars_html(spread: Distribution, *, wide: bool = False) -> str:
    """Draw a distribution as bars: the part that stays solid, the part that leaves hatched."""
    bars = [*spread.bars]
    most = max((bar.n for bar in bars), default=0)
    most = max(most, spread.n_unknown)
    if not most:
        return ""

    def height(n: int) -> int:
        return max(6, round(94 * n / most)) if n else 0  # a single patient is seen, too

    def one(label: str, n: int, n_kept: int, kind: str = "") -> str:
        title = escape(f"{label}: {n} patients, {n_kept} stay", "html")
        return (
            f'<span class="bar {kind}" title="{title}">'
            f'<i style="height:{height(n - n_kept)}%"></i>'
            f'<b style="height:{height(n_kept)}%"></b></span>'
        )

    drawn = "".join(one(bar.label, bar.n, bar.n_kept) for bar in bars)
    if spread.n_unknown:
        drawn += one("Not known", spread.n_unknown, spread.n_unknown_kept, "unknown")
    ends = ""
    if wide:
        words = (spread.low, spread.high) if spread.is_range else ("", "")
        ends = "".join(f"<span>{escape(text, 'html')}</span>" for text in words if text)
        ends = f'<div class="ends">{ends}</div>' if ends else ""
        ends += '<div class="key"><b></b>stay<i></i>leave</div>'
    said = escape("; ".join(f"{bar.label}: {bar.n_kept} of {bar.n} stay" for bar in bars), "html")
    size = " wide" if wide else ""
    return (
        f'<div class="spread{size}"><div class="kept-bars" role="img" aria-label="{said}">'
        f"{drawn}</div>{ends}</div>"
    )
