"""Criteria and filters as switches in an order, each with what it removes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import streamlit as st

from pages._ui import state
from pages._ui.inputs import choose, choose_one, plain
from sts_core.cohort import Cohort, FlowStep
from sts_core.criteria import describe, evaluate
from sts_core.derive import dates_of, levels_of, numbers_of, variable_of
from sts_core.findings import StudyError
from sts_core.study import (
    Between,
    Criterion,
    IsKnown,
    Measured,
    OneOf,
    Study,
    VariableKind,
)

Part = Literal["criteria", "filters"]
MAX_LEVELS = 60
_MISSING = {"keep": "Unknown: kept", "drop": "Unknown: removed"}


def _with(study: Study, part: Part, items: tuple[Criterion, ...]) -> Study:
    analysis = (
        replace(study.analysis, criteria=items)
        if part == "criteria"
        else replace(study.analysis, filters=items)
    )
    return replace(study, analysis=analysis)


def _items(study: Study, part: Part) -> tuple[Criterion, ...]:
    return study.analysis.criteria if part == "criteria" else study.analysis.filters


def _apply(study: Study, part: Part, items: tuple[Criterion, ...]) -> None:
    state.change_study(_with(study, part, items))
    state.forget_widgets()


def step_of(cohort: Cohort, part: Part) -> Mapping[int, FlowStep]:
    """Give the flow step of each criterion that is switched on, by its place in the list."""
    steps = iter(step for step in cohort.flow.steps if step.exploratory is (part == "filters"))
    return {
        place: next(steps) for place, item in enumerate(_items(cohort.study, part)) if item.enabled
    }


def list_criteria(cohort: Cohort, part: Part) -> None:
    """Show the criteria (or filters) with their switches, counts and order."""
    items = _items(cohort.study, part)
    steps = step_of(cohort, part)
    for place, item in enumerate(items):
        with st.container(border=True, key=f"{part}-{place}"):
            _one(cohort, part, items, place, item, steps.get(place))
    if not items:
        st.caption(
            "No criteria: every patient in the file is analysed."
            if part == "criteria"
            else "No filters. A filter explores a subset and marks every result as exploratory."
        )


def _one(
    cohort: Cohort,
    part: Part,
    items: tuple[Criterion, ...],
    place: int,
    item: Criterion,
    step: FlowStep | None,
) -> None:
    study = cohort.study

    def changed(new: Criterion) -> tuple[Criterion, ...]:
        return (*items[:place], new, *items[place + 1 :])

    def on_switch() -> None:
        enabled = bool(state.widget_value(f"{part}.on.{place}"))
        state.change_study(_with(study, part, changed(replace(item, enabled=enabled))))

    def on_missing() -> None:
        missing = state.widget_value(f"{part}.missing.{place}")
        if missing in _MISSING:
            state.change_study(_with(study, part, changed(replace(item, missing=missing))))

    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.toggle(
            plain(describe(cohort, item)),
            key=state.seeded(f"{part}.on.{place}", item.enabled),
            on_change=on_switch,
            width="stretch",
        )
        with st.container(horizontal=True, gap=None, width="content", wrap=False):
            _move_button(study, part, items, place, place - 1, "arrow_upward", "Move up")
            _move_button(study, part, items, place, place + 1, "arrow_downward", "Move down")
            st.button(
                "",
                icon=":material/delete:",
                key=f"{part}.delete.{place}",
                help="Remove it from the list; undo brings it back",
                type="tertiary",
                on_click=_apply,
                args=(study, part, (*items[:place], *items[place + 1 :])),
            )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        # a caption is faded, and its warning with it
        st.markdown(f":small[{_count_text(cohort, item, step)}]", width="stretch")
        if not isinstance(item, IsKnown):
            st.selectbox(
                "What happens to patients whose value is not known",
                list(_MISSING),
                key=state.seeded(f"{part}.missing.{place}", item.missing),
                format_func=lambda option: _MISSING[option],
                label_visibility="collapsed",
                on_change=on_missing,
                width=165,
            )


def _move_button(
    study: Study,
    part: Part,
    items: tuple[Criterion, ...],
    place: int,
    to: int,
    icon: str,
    label: str,
) -> None:
    st.button(
        "",
        icon=f":material/{icon}:",
        key=f"{part}.{icon}.{place}",
        disabled=not 0 <= to < len(items),
        help=label,
        type="tertiary",
        on_click=_apply,
        args=(study, part, _swapped(items, place, to)),
    )


def _swapped(items: tuple[Criterion, ...], first: int, second: int) -> tuple[Criterion, ...]:
    out = list(items)
    if 0 <= second < len(out):
        out[first], out[second] = out[second], out[first]
    return tuple(out)


def _count_text(cohort: Cohort, item: Criterion, step: FlowStep | None) -> str:
    """Say how many patients a criterion removes, and how many only for a missing value."""
    if step is None:
        outcome = evaluate(cohort, item)
        return f"Off. On its own it would remove {int(outcome.leaves.sum())}."
    text = f"Removes **{step.n_excluded}**"
    if step.n_missing_excluded:
        text += f", {step.n_missing_excluded} of them only because the value is not known"
    text += f"; {step.n_after} stay."
    if step.n_not_verifiable:
        text += f" Not verifiable, kept: {step.n_not_verifiable}."
    if step.after_time_zero:
        text += (
            " :orange[Known only after time zero: removing these patients takes out early "
            "progressions, deaths and toxicity.]"
        )
    return text


def add_criterion(cohort: Cohort, part: Part) -> None:
    """Offer a new criterion on any column of the patient table."""
    variables = cohort.study.definitions.variables
    used = {variable.column or key for key, variable in variables.items()}
    columns = [str(name) for name in cohort.tables["subjects"].frame.columns]
    names = {key: variable.label for key, variable in variables.items()}
    names |= {name: name for name in columns if name not in used and name not in names}
    what = "criterion" if part == "criteria" else "filter"
    if not names:
        return
    with st.popover(f"Add a {what}", icon=":material/add:", width="stretch"):
        column = choose("Column", list(names), f"{part}.new.column", names=names)
        try:
            criterion = _new_criterion(cohort, part, column)
        except StudyError as error:
            for finding in error.findings:
                st.error(plain(str(finding)))
            return
        if criterion is None:
            return
        leaves = int((evaluate(cohort, criterion).leaves & cohort.included).sum())
        st.markdown(
            f"{plain(describe(cohort, criterion))}: removes **{leaves}** "
            f"of the {cohort.n} patients analysed now."
        )
        if st.button(f"Add this {what}", type="primary", key=f"{part}.new.add"):
            _apply(cohort.study, part, (*_items(cohort.study, part), criterion))
            st.rerun()


def _new_criterion(cohort: Cohort, part: Part, column: str) -> Criterion | None:
    variable = variable_of(cohort, column)
    effect = choose_one(
        "Patients who meet it", ["stay", "leave"], f"{part}.new.effect.{column}",
        names={"stay": "stay", "leave": "are excluded"},
    )  # fmt: skip
    later = variable.measured is Measured.POST_BASELINE
    if variable.kind is VariableKind.DATE:
        known = dates_of(cohort, column).values
        known = known[known == known]
        if not len(known):
            st.info("No date in this column can be read.")
            return None
        low = st.date_input("From", value=known.min().item(), key=f"{part}.new.from.{column}")
        high = st.date_input("To", value=known.max().item(), key=f"{part}.new.to.{column}")
        return Between(column, low.isoformat(), high.isoformat(), excludes=effect == "leave",
                       after_time_zero=later)  # fmt: skip
    values = numbers_of(cohort, column)
    is_number = variable.kind is VariableKind.NUMERIC and not variable.cuts
    if is_number or (
        column not in cohort.study.definitions.variables
        and not values.unreadable.any()
        and len(levels_of(cohort, column).levels) > 12
    ):
        known = values.values[values.values == values.values]
        if not len(known):
            st.info("No number in this column can be read.")
            return None
        unit = f", {plain(variable.unit)}" if variable.unit else ""
        low = st.number_input(
            f"From{unit}", value=float(known.min()), key=f"{part}.new.low.{column}"
        )
        high = st.number_input(
            f"To{unit}", value=float(known.max()), key=f"{part}.new.high.{column}"
        )
        return Between(column, low, high, excludes=effect == "leave", after_time_zero=later)
    levels = levels_of(cohort, column).levels
    if len(levels) > MAX_LEVELS:
        st.info(
            f"This column has {len(levels)} different values; only whether it is known can be "
            "asked."
        )
        return IsKnown(column, excludes=effect == "leave", after_time_zero=later)
    chosen = st.pills(
        "Values", levels, selection_mode="multi", format_func=plain,
        key=f"{part}.new.values.{column}",
    )  # fmt: skip
    if not chosen:
        st.caption("Choose the values that meet it.")
        return None
    return OneOf(
        column, tuple(level for level in levels if level in chosen),
        excludes=effect == "leave", after_time_zero=later,
    )  # fmt: skip
