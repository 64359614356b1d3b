"""One variable by hand: codes, merged levels, order, reference, cut points, missing codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import choose, plain
from pages._ui.show import show_table
from sts_core.cohort import Cohort
from sts_core.derive import (
    cut_levels,
    derivation_sentence,
    is_categorical,
    levels_of,
    natural_order,
    numbers_of,
    raw_levels,
    suggested_cuts,
)
from sts_core.display import Cell, Column, DisplayTable, Format, counted
from sts_core.findings import StudyError
from sts_core.study import Status, Study, Variable, VariableKind
from sts_core.study.types import CutRule
from sts_core.values import number_of

MAX_VALUES = 500
MAX_ORDERED = 80
CUTS_WANTED = "The cut points are numbers with commas between, at least one."
_FILE, _PATIENTS, _LEVEL = "Value in the file", "Patients", "Level"
_PARTS = {"Median": 2, "Tertiles": 3, "Quartiles": 4}
_RULES: dict[str, CutRule] = {
    "Median": "median", "Tertiles": "tertiles", "Quartiles": "quartiles",
}  # fmt: skip


def editor(cohort: Cohort) -> None:
    """Offer the details of one variable; every change is in force at once and can be undone."""
    variables = cohort.study.definitions.variables
    if not variables:
        return
    names = {key: variable.label for key, variable in variables.items()}
    key = choose(
        "Variable to edit", list(names), "variable.edit", names=names,
        kept=state.remembered("variable.edit"),
    )  # fmt: skip
    state.remember("variable.edit", key)
    variable = variables[key]
    try:
        if sentence := derivation_sentence(cohort, key):
            st.caption(plain(sentence))
        _basics(cohort, key, variable)
        if is_categorical(variable) or variable.cuts:
            _treatment(cohort, key, variable)
            _groups(cohort, key, variable)
        elif variable.kind is VariableKind.NUMERIC:
            _number(cohort, key, variable)
        else:
            known = sum(level is not None for level in levels_of(cohort, key).values)
            st.caption(f"A date, known in {known} of {len(cohort.subjects)} patients.")
    except StudyError as error:
        for finding in error.findings:
            st.error(plain(str(finding)))


def put_variable(study: Study, key: str, variable: Variable) -> None:
    """Define a variable, new or anew, and show it."""
    variables = {**study.definitions.variables, key: variable}
    state.change_study(replace(study, definitions=replace(study.definitions, variables=variables)))
    state.remember("variable.edit", key)
    state.forget_widgets()


def free_key(cohort: Cohort, label: str) -> str:
    """Make a key of a name that no variable, grouping or column has."""
    definitions = cohort.study.definitions
    columns = map(str, cohort.tables["subjects"].frame.columns)
    taken = {*definitions.variables, *definitions.groupings, *columns}
    base = re.sub(r"\W+", "_", label).strip("_").lower() or "variable"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key


def _change(cohort: Cohort, key: str, variable: Variable, **changes: Any) -> None:
    put_variable(cohort.study, key, replace(variable, **changes, status=Status.CONFIRMED))


def _basics(cohort: Cohort, key: str, variable: Variable) -> None:
    def on_unit() -> None:
        unit = str(state.widget_value(f"variable.unit.{key}") or "").strip()
        _change(cohort, key, variable, unit=unit or None)

    def on_missing() -> None:
        chosen = state.widget_value(f"variable.missing.{key}") or ()
        codes = tuple(dict.fromkeys(text for item in chosen if (text := str(item).strip())))
        _change(cohort, key, variable, missing_codes=codes)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        if variable.kind is VariableKind.NUMERIC or variable.cuts:
            widgets.text_input(
                "Unit",
                f"variable.unit.{key}",
                variable.unit or "",
                max_chars=30,
                on_change=on_unit,
                width=160,
            )
        unread = replace(variable, missing_codes=())
        values = _values(with_variable(cohort, key, unread), key) if not variable.cuts else {}
        options = [*dict.fromkeys((*variable.missing_codes, *list(values)[:MAX_VALUES]))]
        widgets.multiselect(
            "Values that mean “not known” in this column",
            options,
            f"variable.missing.{key}",
            list(variable.missing_codes),
            format_func=lambda value: f"{value} ({values[value]})" if value in values else value,
            accept_new_options=True,
            on_change=on_missing,
            placeholder="none besides blank, NA, unknown ...",
            width="stretch",
        )


def _treatment(cohort: Cohort, key: str, variable: Variable) -> None:
    """Ask whether a variable says how patients were treated, and whether that was by chance."""

    def on_treatment() -> None:
        _change(cohort, key, variable, treatment=bool(state.widget_value(f"variable.treats.{key}")))

    with st.container(horizontal=True, vertical_alignment="center"):
        widgets.toggle(
            "A treatment: drug, regimen or arm",
            f"variable.treats.{key}",
            variable.treatment,
            on_change=on_treatment,
            help="Survival and response compared by a treatment that was not assigned at random "
            "are titled “unadjusted, not randomised”.",
        )
        if variable.treatment:
            randomised_switch(cohort)


def randomised_switch(cohort: Cohort) -> None:
    """Ask whether the study assigned treatments at random."""

    def change() -> None:
        wanted = bool(state.widget_value("study.randomised"))
        state.change_study(replace(cohort.study, randomised=wanted))

    widgets.toggle(
        "Assigned at random in this study",
        "study.randomised",
        cohort.study.randomised,
        on_change=change,
    )


def with_variable(cohort: Cohort, key: str, variable: Variable) -> Cohort:
    """Give the cohort as it would be with a variable, for a look before it is decided."""
    definitions = cohort.study.definitions
    variables = {**definitions.variables, key: variable}
    study = replace(cohort.study, definitions=replace(definitions, variables=variables))
    return replace(cohort, study=study)


def _values(cohort: Cohort, key: str) -> dict[str, int]:
    """Count the values that codes begin with, in natural order."""
    counts = Counter(value for value in raw_levels(cohort, key) if value is not None)
    return {value: counts[value] for value in sorted(counts, key=natural_order)}


def _number(cohort: Cohort, key: str, variable: Variable) -> None:
    values = numbers_of(cohort, key).values
    known = values[values == values]
    if not len(known):
        st.info("No number in this column can be read.")
        return
    st.caption(_range(known, len(cohort.subjects)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = widgets.text_input(
            "Cut into groups at",
            f"variable.cuts.{key}",
            "",
            placeholder="for instance 54, or 40, 60",
            help="A patient at the cut point belongs to the upper group.",
            width=280,
        )
        for name, parts in _PARTS.items():
            widgets.button(
                name,
                f"variable.new.{name}.{key}",
                _add_groups,
                (cohort, key, variable, suggested_cuts(values, parts), _RULES[name]),
                help="The cut points are worked out once, now, and written into the study file.",
            )
        cuts = parse_cuts(text)
        widgets.button(
            "Add as groups",
            f"variable.new.cuts.{key}",
            _add_groups,
            (cohort, key, variable, cuts or ()),
            type="primary",
        )
    if text.strip() and cuts is None:
        st.error("Write cut points as numbers with commas between, for instance 40, 60.")
    elif cuts:
        trial = replace(variable, kind=VariableKind.ORDERED, cuts=cuts)
        show_counts(with_variable(cohort, key, trial), key)


def _range(known: Any, n: int) -> str:
    return f"{known.min():g} to {known.max():g}, known in {len(known)} of {counted(n, 'patient')}."


def _add_groups(
    cohort: Cohort,
    key: str,
    variable: Variable,
    cuts: tuple[float, ...],
    rule: CutRule = "stated",
) -> None:
    """Add the groups as a variable of their own: the number stays what it is."""
    if not cuts:
        state.leave_notice(CUTS_WANTED)
        return
    label = f"{variable.label}, grouped"
    put_variable(cohort.study, free_key(cohort, label), grouped(key, variable, label, cuts, rule))


def grouped(
    key: str,
    variable: Variable,
    label: str,
    cuts: tuple[float, ...],
    rule: CutRule,
    cut_for: str | None = None,
) -> Variable:
    """Give a variable of the groups that cut points of a number make."""
    return replace(
        variable,
        label=label,
        column=None if variable.derived else variable.column or key,
        kind=VariableKind.ORDERED,
        cuts=cuts,
        cut_rule=rule,
        cut_for=cut_for,
        status=Status.CONFIRMED,
    )


def parse_cuts(text: str) -> tuple[float, ...] | None:
    """Read cut points with commas between; ``None`` when they can't be read."""
    parts = [part.strip() for part in re.split("[,;，；]", text) if part.strip()]
    found = [number_of(part) for part in parts]
    if len(found) > 20 or any(number is None for number in found):
        return None
    return tuple(sorted({float(number) for number in found if number is not None}))


def _groups(cohort: Cohort, key: str, variable: Variable) -> None:
    if variable.cuts:
        _cuts(cohort, key, variable)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _names(cohort, key, variable)
        _merge(cohort, key, variable)
    with right:
        show_counts(cohort, key)
        _order(cohort, key, variable)


def _cuts(cohort: Cohort, key: str, variable: Variable) -> None:
    def on_cuts() -> None:
        cuts = parse_cuts(str(state.widget_value(f"variable.cuts.{key}") or ""))
        if cuts:
            _change(cohort, key, variable, **with_cuts(variable, cuts))
        else:
            state.leave_notice(CUTS_WANTED)

    now = ", ".join(f"{cut:g}" for cut in variable.cuts)
    widgets.text_input(
        "Cut points",
        f"variable.cuts.{key}",
        now,
        on_change=on_cuts,
        help="A patient at the cut point belongs to the upper group.",
        width=280,
    )
    values = numbers_of(cohort, key).values
    known = values[values == values]
    if len(known):
        st.caption(_range(known, len(cohort.subjects)))


def with_cuts(variable: Variable, cuts: tuple[float, ...]) -> dict[str, Any]:
    """Give what changes with other cut points: names of groups that are gone go too."""
    groups = {*cut_levels(cuts)}
    codes = {group: name for group, name in variable.codes.items() if group in groups}
    return {
        "cuts": cuts, "cut_rule": "stated", "cut_for": None,
        "codes": codes, "levels": (), "merged": {}, "reference": None, "colours": {},
    }  # fmt: skip


def _names(cohort: Cohort, key: str, variable: Variable) -> None:
    counts = _values(cohort, key)
    if len(counts) > MAX_VALUES:
        st.info(f"{len(counts)} different values: too many to name one by one.")
        return
    unknown = len(cohort.subjects) - sum(counts.values())
    rows: dict[Hashable, dict[str, Any]] = {
        value: {_FILE: value, _PATIENTS: n, _LEVEL: variable.codes.get(value, value)}
        for value, n in counts.items()
    }
    st.markdown("**Before**: what the file holds, and the level that it means")
    edits = widgets.edited_table(
        rows,
        f"variable.names.{cohort.data_hash[:8]}.{key}",
        (_LEVEL,),
        height=min(36 * (len(rows) + 1) + 4, 400),
        column_config={
            _FILE: st.column_config.TextColumn(width="medium"),
            _PATIENTS: st.column_config.NumberColumn(width="small"),
            _LEVEL: st.column_config.TextColumn("Level (type to rename)", max_chars=80),
        },
    )
    st.caption(f"Not known: {unknown}. Two values with the same level are one group.")
    levels = {str(value): str(row[_LEVEL]) for value, row in rows.items()}
    levels |= {
        str(value): str(edit[_LEVEL] or "").strip()
        for value, edit in edits.items()
        if value in levels
    }
    changed = with_names(variable, levels)
    if changed != variable:
        put_variable(cohort.study, key, replace(changed, status=Status.CONFIRMED))
        st.rerun()


def with_names(variable: Variable, levels: Mapping[str, str]) -> Variable:
    """Give a variable with other names for the values of its column.

    A level whose only value was renamed keeps its place, merging, reference and colour.

    Parameters
    ----------
    variable
        The variable as it is.
    levels
        Value in the file -> level; an empty level means the value itself.
    """
    codes = {
        value: level for value, level in variable.codes.items() if value not in levels
    }  # values of another data cut
    codes |= {value: level for value, level in levels.items() if level and level != value}
    if codes == variable.codes:
        return variable
    renamed: dict[str, str] = {}
    still = {codes.get(value, value) for value in (*levels, *codes)}
    for value, level in levels.items():
        old, new = variable.codes.get(value, value), level or value
        if old != new and old not in still:
            renamed[old] = new

    def name(level: str) -> str:
        return renamed.get(level, level)

    return replace(
        variable,
        codes=codes,
        levels=tuple(dict.fromkeys(map(name, variable.levels))),
        reference=name(variable.reference) if variable.reference else None,
        merged={
            group: tuple(dict.fromkeys(map(name, parts)))
            for group, parts in variable.merged.items()
        },
        colours={name(level): slot for level, slot in variable.colours.items()},
    )


def show_counts(cohort: Cohort, key: str) -> None:
    """Show the levels as analyses use them."""
    found = levels_of(cohort, key)
    counts = Counter(found.values)
    rows: list[dict[str, Cell]] = [
        {
            "level": f"{level} (reference)" if level == found.reference else level,
            "n": counts[level],
        }
        for level in found.levels
    ]
    rows.append({"level": "Not known", "n": counts[None]})
    columns = (Column("level", "After"), Column("n", "Patients", Format.INTEGER))
    with st.container(height=400 if len(rows) > 12 else "content", border=False):
        show_table(DisplayTable(found.label, columns, tuple(rows)))


def _order(cohort: Cohort, key: str, variable: Variable) -> None:
    found = levels_of(cohort, key)
    levels = found.levels
    if len(levels) < 2:
        return
    if len(levels) > MAX_ORDERED:
        st.info(f"{len(levels)} levels: merge some to put them in an order.")
        return

    def on_reference() -> None:
        chosen = state.widget_value(f"variable.reference.{key}")
        if chosen in levels:
            _change(cohort, key, variable, reference=chosen)

    start = found.reference if found.reference in levels else levels[0]
    widgets.selectbox(
        "Reference: the level that others are compared with",
        levels,
        f"variable.reference.{key}",
        start,
        on_change=on_reference,
    )
    kept = state.remembered(f"variable.moved.{key}")
    level = choose("Move the level", levels, f"variable.move.{key}", kept=kept)
    with st.container(horizontal=True):
        for name, icon, place in (
            ("First", "vertical_align_top", 0),
            ("Earlier", "arrow_upward", levels.index(level) - 1),
            ("Later", "arrow_downward", levels.index(level) + 1),
            ("Last", "vertical_align_bottom", len(levels) - 1),
        ):
            widgets.button(
                name,
                f"variable.order.{name}.{key}",
                _move,
                (cohort, key, variable, level, place),
                icon=f":material/{icon}:",
                disabled=not 0 <= place < len(levels) or place == levels.index(level),
            )


def _move(cohort: Cohort, key: str, variable: Variable, level: str, place: int) -> None:
    state.remember(f"variable.moved.{key}", level)
    levels = levels_of(cohort, key).levels
    _change(cohort, key, variable, **with_order(variable, levels, level, place))


def with_order(variable: Variable, levels: Sequence[str], level: str, place: int) -> dict[str, Any]:
    """Give the levels in another order; parts of a merged level stay beside each other."""
    ordered = [name for name in levels if name != level]
    ordered.insert(place, level)
    parts = [part for name in ordered for part in variable.merged.get(name, (name,))]
    return {"levels": tuple(dict.fromkeys(parts))}


def _merge(cohort: Cohort, key: str, variable: Variable) -> None:
    levels = [level for level in levels_of(cohort, key).levels if level not in variable.merged]
    for number, (name, parts) in enumerate(variable.merged.items()):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{plain(name)}**: {', '.join(plain(part) for part in parts)}", width="stretch"
            )
            widgets.button(
                "Separate",
                f"variable.separate.{number}.{key}",
                _separate,
                (cohort, key, variable, name),
                about=name,
                icon=":material/call_split:",
            )
    if len(levels) < 2 and not variable.merged:
        return
    widget = f"variable.merge.{key}"
    chosen = widgets.multiselect(
        "Merge levels into one",
        levels,
        widget,
        [],
        placeholder="choose two or more",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = widgets.text_input(
            "Name of the merged level",
            f"variable.merge.name.{key}",
            "",
            max_chars=80,
            placeholder=" or ".join(chosen[:3]),
        ).strip()
        widgets.button(
            "Merge",
            f"variable.merge.do.{key}",
            _do_merge,
            (cohort, key, variable, tuple(chosen), name),
            icon=":material/merge:",
            disabled=not chosen,
        )


def _do_merge(
    cohort: Cohort, key: str, variable: Variable, chosen: tuple[str, ...], name: str
) -> None:
    if len(chosen) < 2 and name not in variable.merged:
        state.leave_notice("Choose two levels or more, or give the name of a merged level.")
        return
    name = name or " or ".join(chosen)
    others = {*levels_of(cohort, key).levels} - {*chosen, *variable.merged}
    if name in others:
        state.leave_notice(f"“{name}” is a level that is not merged: choose another name.")
        return
    _change(cohort, key, variable, **with_merged(variable, chosen, name))


def with_merged(variable: Variable, chosen: Sequence[str], name: str) -> dict[str, Any]:
    """Give the merged levels with one more; of a name that is there, the levels join it."""
    parts = (*variable.merged.get(name, ()), *chosen)
    reference = name if variable.reference in parts else variable.reference
    return {
        "merged": {**variable.merged, name: tuple(dict.fromkeys(parts))},
        "reference": reference,
    }


def _separate(cohort: Cohort, key: str, variable: Variable, name: str) -> None:
    merged = {group: parts for group, parts in variable.merged.items() if group != name}
    reference = variable.reference
    if reference == name and name not in variable.merged[name]:
        reference = variable.merged[name][0]
    _change(cohort, key, variable, merged=merged, reference=reference)
