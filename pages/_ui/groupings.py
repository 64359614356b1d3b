"""Merging levels of a variable under a name, from the page that compares them."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import plain
from sts_core.cohort import Cohort
from sts_core.derive import levels_of
from sts_core.study import Grouping, Study


def merged_groups(
    cohort: Cohort, by: str, *, key: str = "merge", view: str = "kaplan_meier"
) -> None:
    """Offer to merge levels under a name, or to remove a merged comparison.

    Parameters
    ----------
    cohort
        Patients.
    by
        Variable whose levels are merged, or a merged comparison.
    key
        First part of the widgets' keys.
    view
        Kind of the view that compares by what is made.
    """
    grouping = cohort.study.definitions.groupings.get(by)
    if grouping is not None:
        st.markdown(f"**{plain(grouping.label)}**")
        for name, parts in grouping.groups.items():
            st.markdown(f"- {plain(name)}: {plain(', '.join(parts))}")
        if grouping.rest:
            st.markdown(f"- {plain(grouping.rest)}: all other levels")
        if widgets.pressed("Remove this comparison", f"{key}.remove"):
            state.change_study(without_grouping(cohort.study, by))
            state.set_view(view, {**state.view(view), "by": None, "levels": None})
            state.forget_widgets()
            st.rerun()
        return
    levels = levels_of(cohort, by)
    with st.form(f"{key}.form", border=False):
        chosen = widgets.pills(
            f"Levels of {plain(levels.label)} to merge",
            levels.levels,
            f"{key}.levels.{by}",
            [],
            format_func=plain,
        )
        name = widgets.text_input(
            "Name of the merged group",
            f"{key}.name.{by}",
            placeholder="for instance: ASPS or CCS",
        )
        rest = widgets.text_input("Name of all others together", f"{key}.rest.{by}", "Others")
        keep_others = widgets.checkbox("Keep the others as they are", f"{key}.keep.{by}", False)
        if widgets.submitted("Compare merged groups", f"{key}.do", type="primary"):
            problem = _problem(chosen, name, rest, levels.levels, keep_others)
            if problem:
                st.error(problem)
            else:
                study, made = with_grouping(
                    cohort, by, tuple(chosen), name.strip(),
                    None if keep_others else rest.strip(),
                )  # fmt: skip
                state.change_study(study)
                state.set_view(view, {**state.view(view), "by": made, "levels": None})
                state.forget_widgets()
                st.rerun()


def _problem(
    chosen: list[str], name: str, rest: str, levels: tuple[str, ...], keep_others: bool
) -> str:
    """Say why these groups can't be compared; empty when they can."""
    if not chosen:
        return "Choose at least one level."
    if not name.strip():
        return "Give the merged group a name."
    if len(chosen) == len(levels):
        return "Leave at least one level for the others."
    others = [level for level in levels if level not in chosen]
    names = others if keep_others else [rest.strip()]
    if not keep_others and not rest.strip():
        return "Give the others a name."
    if name.strip() in names:
        return "The names of the groups must differ."
    return ""


def with_grouping(
    cohort: Cohort, variable: str, chosen: tuple[str, ...], name: str, rest: str | None
) -> tuple[Study, str]:
    """Add a merged comparison to the study; give the study and the comparison's key."""
    levels = levels_of(cohort, variable)
    members = tuple(level for level in levels.levels if level in chosen)
    groups = {name: members}
    label = f"{levels.label}: {name}"
    if rest is None:
        groups |= {level: (level,) for level in levels.levels if level not in chosen}
    else:
        label += f" vs {rest}"
    existing = cohort.study.definitions.groupings
    base = re.sub(r"\W+", "_", f"{variable}_{name}").strip("_").lower() or "grouping"
    key, number = base, 1
    while key in existing or key in cohort.study.definitions.variables:
        number += 1
        key = f"{base}_{number}"
    grouping = Grouping(label=label, variable=variable, groups=groups, rest=rest)
    definitions = replace(cohort.study.definitions, groupings={**existing, key: grouping})
    return replace(cohort.study, definitions=definitions), key


def without_grouping(study: Study, key: str) -> Study:
    """Remove a merged comparison."""
    groupings = {name: value for name, value in study.definitions.groupings.items() if name != key}
    return replace(study, definitions=replace(study.definitions, groupings=groupings))
