"""Groups made on the page that compares them: a number cut, two variables crossed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

import streamlit as st

from pages._ui import state, widgets
from pages._ui.compute import compute
from pages._ui.groupings import merged_groups
from pages._ui.inputs import (
    baseline_grouping_names,
    choose,
    choose_one,
    plain,
    shown_name,
    typed,
)
from pages._ui.long_work import long_work
from pages._ui.variable_editor import free_key, grouped, parse_cuts, with_variable
from sts_core.analysis.best_cut import WARNING, BestCut, best_cut
from sts_core.cohort import Cohort
from sts_core.derive import levels_of, numbers_of, suggested_cuts, variable_of, variables_here
from sts_core.display import joined
from sts_core.study import Combination, Measured, Status, Variable, VariableKind
from sts_core.study.types import CutRule

_HOW = {"merge": "merge levels", "cut": "cut a number", "cross": "cross two variables"}
_RULES: Final[dict[CutRule, str]] = {
    "median": "median", "tertiles": "tertiles", "stated": "stated", "best": "best for the endpoint",
}  # fmt: skip
_RULE_NAMES: Final = {str(name): text for name, text in _RULES.items()}
_PARTS = {"median": 2, "tertiles": 3}
#: Patients up to which the click waits for the search of the best cut.
QUICK_PATIENTS = 1_000
MAX_CROSSED = 16
_VIEW = "kaplan_meier"


def make_groups(cohort: Cohort, endpoint: str, by: str | None) -> None:
    """Offer to merge levels, cut a number or cross two variables, and to compare what comes of it.

    Parameters
    ----------
    cohort
        Patients.
    endpoint
        Code of the endpoint of the page, for the best cut.
    by
        What the page compares by.
    """
    # another grouping closes it: what was made is compared now
    with st.popover("Make groups", icon=":material/merge:", key=f"groups.menu.{by}"):
        how = choose_one("How", list(_HOW), "groups.how", names=_HOW)
        if how == "merge":
            if by is None:
                st.caption("Choose at “Compare by” the variable whose levels are to be merged.")
            else:
                merged_groups(cohort, by)
                _offer_removal(cohort, by)
        elif how == "cut":
            _cut(cohort, endpoint)
        else:
            _cross(cohort)


def _compare_by(cohort: Cohort, label: str, variable: Variable) -> None:
    """Add a variable to the study, and compare by it."""
    key = free_key(cohort, label)
    definitions = cohort.study.definitions
    variables = {**definitions.variables, key: variable}
    state.change_study(replace(cohort.study, definitions=replace(definitions, variables=variables)))
    state.set_view(_VIEW, {**state.view(_VIEW), "by": key, "levels": None})
    state.forget_widgets()
    state.leave_notice(f"{label}: added.")


def _offer_removal(cohort: Cohort, by: str) -> None:
    """Offer to remove groups that were made here, unless something else is made of them."""
    definitions = cohort.study.definitions
    variable = definitions.variables.get(by)
    if variable is None or not (variable.cuts or isinstance(variable.derived, Combination)):
        return
    if any(item.variable == by for item in definitions.groupings.values()) or any(
        other.derived is not None and by in other.derived.inputs
        for other in definitions.variables.values()
    ):
        return

    def remove() -> None:
        rest = {key: value for key, value in definitions.variables.items() if key != by}
        state.change_study(replace(cohort.study, definitions=replace(definitions, variables=rest)))
        state.set_view(_VIEW, {**state.view(_VIEW), "by": None, "levels": None})
        state.forget_widgets()
        state.leave_notice(f"{variable.label}: removed.")

    st.button(f"Remove “{plain(variable.label)}”", key="groups.remove", on_click=remove,
              icon=":material/delete:")  # fmt: skip


def _numbers(cohort: Cohort) -> dict[str, str]:
    """Name the numbers that are not known only after time zero."""
    return {
        key: shown_name(key, variable)
        for key, variable in variables_here(cohort).items()
        if variable.kind is VariableKind.NUMERIC and variable.measured is not Measured.POST_BASELINE
    }


def _cut(cohort: Cohort, endpoint: str) -> None:
    names = _numbers(cohort)
    if not names:
        st.caption("No variable is a number that is known before time zero.")
        return
    key = choose("Number", list(names), "groups.cut.of", names=names)
    chosen = choose_one("Cut at", list(_RULES), "groups.cut.rule", names=_RULE_NAMES)
    rule = next(name for name in _RULES if name == chosen)
    values = numbers_of(cohort, key).values[cohort.included]
    cuts: tuple[float, ...] = ()
    if rule == "best":
        cuts = _best(cohort, endpoint, key)
    elif rule == "stated":
        text = typed(
            "Cut points", f"groups.cut.at.{key}",
            placeholder="for instance 54, or 40, 60",
            help="A patient at the cut point belongs to the upper group.",
        )  # fmt: skip
        found = parse_cuts(text)
        if text.strip() and found is None:
            st.error("Write cut points as numbers with commas between, for instance 40, 60.")
        cuts = found or ()
    else:
        cuts = suggested_cuts(values, _PARTS[rule])
        if not cuts:
            st.caption("The numbers are too much alike for such groups.")
    if not cuts:
        return
    variable = variable_of(cohort, key)
    at = joined([f"{cut:g}" for cut in cuts])
    label = _name(f"{variable.label}, cut at {at}", f"groups.cut.name.{key}.{rule}.{at}")
    made = grouped(key, variable, label, cuts, rule, endpoint if rule == "best" else None)
    _offer(cohort, label, made)


def _best(cohort: Cohort, endpoint: str, key: str) -> tuple[float, ...]:
    """Look for the best cut, and say what its P is worth."""
    if cohort.n <= QUICK_PATIENTS:
        found: BestCut | None = compute(_best_of, cohort, (endpoint, key))
    else:
        found = long_work(
            "groups.best",
            (cohort.fingerprint, endpoint, key),
            lambda tick: best_cut(cohort, endpoint, key, tick=tick),
            label="Look for the best cut",
            title="10,000 random ways to deal out the follow-up",
        )
    if found is None:
        return ()
    st.markdown(plain(found.sentence))
    if found.found.reason is not None:
        return ()
    st.warning(plain(WARNING), icon=":material/warning:")
    return (found.found.cut,)


def _best_of(cohort: Cohort, what: tuple[str, str]) -> BestCut:
    return best_cut(cohort, *what)


def _cross(cohort: Cohort) -> None:
    variables = cohort.study.definitions.variables
    names = {key: name for key, name in baseline_grouping_names(cohort).items() if key in variables}
    if len(names) < 2:
        st.caption("There are no two variables with levels that are known before time zero.")
        return
    one = choose("Variable", list(names), "groups.cross.one", names=names)
    others = {key: name for key, name in names.items() if key != one}
    other = choose("Crossed with", list(others), "groups.cross.other", names=others)
    label = _name(
        f"{variables[one].label} and {variables[other].label}", f"groups.cross.name.{one}.{other}"
    )
    both_known = {variables[one].measured, variables[other].measured} == {Measured.BASELINE}
    made = Variable(
        label=label,
        derived=Combination((one, other), ", "),
        measured=Measured.BASELINE if both_known else Measured.UNKNOWN,
        treatment=variables[one].treatment or variables[other].treatment,
        status=Status.CONFIRMED,
    )
    _offer(cohort, label, made)


def _name(usual: str, key: str) -> str:
    text = typed("Name in figures", key, placeholder=usual[:80], max_chars=80)
    return text.strip() or usual[:80]


def _offer(cohort: Cohort, label: str, made: Variable) -> None:
    """Show how many patients each group has, and add the groups on a click."""
    key = free_key(cohort, label)
    levels = levels_of(with_variable(cohort, key, made), key)
    counts = Counter(levels.values[cohort.included].tolist())
    shown = [f"{plain(level)}: {counts[level]}" for level in levels.levels[:MAX_CROSSED]]
    if len(levels.levels) > MAX_CROSSED:
        shown.append(f"{len(levels.levels) - MAX_CROSSED} more groups")
    st.caption("Patients. " + "; ".join(shown) + f"; not known: {counts[None]}.")
    widgets.button(
        "Compare these groups",
        "groups.add",
        _compare_by,
        (cohort, label, made),
        type="primary",
    )
