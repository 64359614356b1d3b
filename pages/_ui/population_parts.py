"""Analysis populations: which one a page shows, all treated beside it, and their definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

import streamlit as st

from pages._ui import state, widgets
from pages._ui.compute import compute
from pages._ui.criteria_builder import criterion_editor, words_for
from pages._ui.inputs import choose, plain
from pages._ui.patient_lists import count_html
from pages._ui.show import export_menu, show_table
from sts_core.analysis.selection_effect import (
    MAIN_RESULTS,
    EffectSpec,
    MainResult,
    SelectionEffect,
    effect_table,
    selection_effect,
)
from sts_core.cohort import Cohort
from sts_core.criteria import names_of_no_criterion, reference_of
from sts_core.display import counted, escape, joined
from sts_core.findings import StudyError
from sts_core.members import Members
from sts_core.populations import (
    EFFICACY,
    SingleCriterion,
    cohort_of,
    criteria_of,
    differs,
    has_late_criteria,
    populations_of,
    single_criteria,
    takes_late_criteria,
    usual_populations,
    with_single,
)
from sts_core.study import Criterion, Population, Study

_BASES = {
    "all": "all criteria",
    "time_zero": "criteria known at time zero",
    "none": "no criteria",
}
_OPEN = "population.open"


def choose_population(
    cohort: Cohort, key: str, *, usual: str = EFFICACY, kept: str | None = None
) -> str | None:
    """Offer the populations with their numbers of patients; ``None`` for the usual one.

    Where the study defines the efficacy population otherwise, its key is given.
    """
    known = populations_of(cohort.study)
    names = {}
    for name, population in known.items():
        try:
            names[name] = f"{population.label} ({cohort_of(cohort, name).n})"
        except StudyError:
            continue  # a column of its own criteria is gone: the Cohort page says so
    if usual not in names:
        return None
    chosen = choose(
        "Population", list(names), f"{key}.population", kept=kept or usual, names=names,
        help="What each of them is stands on the Cohort page.",
    )  # fmt: skip
    # a study may define the efficacy population otherwise than by all criteria
    as_usual = usual != EFFICACY or not differs(cohort.study, EFFICACY)
    return None if chosen == usual and as_usual else chosen


def all_treated_line(
    cohort: Cohort,
    population: str | None,
    result: MainResult,
    sentence: Callable[[SelectionEffect], str],
) -> None:
    """Say what the page's result is in all treated, where criteria known later are in force."""
    study = cohort.study
    if not has_late_criteria(study):
        return
    shown = populations_of(study)[population or EFFICACY]
    if not takes_late_criteria(study, shown):
        return
    effect = _effect(cohort, (result,))
    text = "" if effect is None else sentence(effect)
    if effect is not None and effect.n_removed and text:
        st.markdown(f":small[:orange[:material/schedule: {plain(text)}]]")


def _effect(cohort: Cohort, results: tuple[MainResult, ...]) -> SelectionEffect | None:
    """Compute both sides; ``None`` where a population can't be made, which is a finding."""
    spec = EffectSpec(cohort.study.analysis.conf_level, results)
    try:
        found: SelectionEffect = compute(selection_effect, cohort, spec)
    except StudyError:
        return None
    return found


def all_treated_table(cohort: Cohort) -> None:
    """Show the main results of all treated patients beside those under all criteria."""
    if not has_late_criteria(cohort.study):
        return
    effect = _effect(cohort, MAIN_RESULTS)
    if effect is None:
        return
    if not effect.n_removed:
        st.caption(
            "The criteria known only after time zero remove nobody: all treated patients are "
            "analysed."
        )
        return
    table = effect_table(effect)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("All treated beside", anchor=False, width="stretch")
        export_menu("all-treated-beside", tables=lambda: [table], key="effect")
    show_table(table)


# --- definitions ---------------------------------------------------------------------------------


def populations_editor(cohort: Cohort) -> None:
    """Show what each population is, and let it be changed."""
    known = populations_of(cohort.study)
    with st.expander(f"Analysis populations ({len(known)})", icon=":material/groups:"):
        st.caption(
            "Named sets of patients that pages and reports use. Safety does not take over what is "
            "known only after time zero."
        )
        for key, population in known.items():
            _one(cohort, key, population)
        widgets.button(
            "Add a population",
            "population.add",
            _add,
            (cohort.study,),
            icon=":material/add:",
        )


def with_population(study: Study, key: str, population: Population | None) -> Study:
    """Give the study with a population changed or added, or without it."""
    populations = {**study.analysis.populations}
    if population is None:
        populations.pop(key, None)
    else:
        populations[key] = population
    if usual_populations(study).get(key) == populations.get(key):
        populations.pop(key, None)  # nothing is said of a usual one that is as usual
    return replace(study, analysis=replace(study.analysis, populations=populations))


def _one(cohort: Cohort, key: str, population: Population) -> None:
    study = cohort.study
    opened = state.remembered(_OPEN) == key
    with st.container(border=True, gap="small", key=f"population-card-{key}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            _name_and_size(cohort, key, population)
            st.button(
                "Close" if opened else "Change", key=f"population.open.{key}", type="tertiary",
                icon=":material/close:" if opened else ":material/edit:",
                on_click=state.remember, args=(_OPEN, None if opened else key),
            )  # fmt: skip
            if key in study.analysis.populations:
                usual = key in usual_populations(study)
                widgets.button(
                    "As usual" if usual else "Remove",
                    f"population.drop.{key}",
                    state.change_study,
                    (with_population(study, key, None),),
                    type="tertiary",
                    icon=":material/restart_alt:" if usual else ":material/delete:",
                )
        own = [plain(words_for(cohort, item)) for item in population.own if item.enabled]
        n = len(criteria_of(study, replace(population, own=())))
        text = f"{_BASES[population.criteria].capitalize()}{_single_words(study, population)}"
        of_its_own = f"; of its own: {joined(own)}" if own else ""
        st.markdown(f":small[{text} ({n} in force){of_its_own}.]")
        if opened:
            _change(cohort, key, population)


def _single_words(study: Study, population: Population) -> str:
    """Name single criteria that are left out or kept."""
    gone = names_of_no_criterion(study, population)
    words = ""
    for verb, names in ((" without", population.without), (" but also", population.also)):
        known = [f"“{plain(name)}”" for name in names if name not in gone]
        words += f"{verb} {joined(known)}" if known else ""
    return words


def _name_and_size(cohort: Cohort, key: str, population: Population) -> None:
    try:
        n = cohort_of(cohort, key).n
    except StudyError as error:
        problem = plain(str(error.findings[0].message))
        st.markdown(f"**{plain(population.label)}**: :orange[{problem}]", width="stretch")
        return
    size = counted(n, "patient")
    listed = count_html(Members(population=key), cohort, size) if n else size
    name = escape(population.label, "html")
    st.markdown(
        f'<div class="named-count"><span>{name}:</span> {listed}</div>',
        width="stretch",
        unsafe_allow_html=True,
    )


def _change(cohort: Cohort, key: str, population: Population) -> None:
    study = cohort.study

    def put(new: Population) -> None:
        state.change_study(with_population(study, key, new))

    def on_label() -> None:
        label = str(state.widget_value(f"population.label.{key}") or "").strip()
        if label:
            put(replace(population, label=label))

    def on_basis() -> None:
        basis = state.widget_value(f"population.basis.{key}")
        if basis in _BASES:
            chosen = cast("Literal['all', 'time_zero', 'none']", basis)
            put(replace(population, criteria=chosen, without=(), also=()))

    widgets.text_input(
        "Name",
        f"population.label.{key}",
        population.label,
        page="Cohort",
        on_change=on_label,
    )
    widgets.segmented_control(
        "It takes",
        list(_BASES),
        f"population.basis.{key}",
        population.criteria,
        page="Cohort",
        format_func=lambda basis: _BASES[basis],
        required=True,
        on_change=on_basis,
        help="Choosing here lets go of what was said of single criteria below.",
    )
    _single_criteria(cohort, key, population, put)
    for place, item in enumerate(population.own):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            st.markdown(plain(words_for(cohort, item)), width="stretch")
            widgets.button(
                "",
                f"population.own.{key}.{place}",
                put,
                (replace(population, own=(*population.own[:place], *population.own[place + 1 :])),),
                about=item,
                icon=":material/delete:",
                type="tertiary",
                help="Remove this criterion",
            )
    form = f"population.form.{key}"
    if not state.remembered(form):
        st.button(
            "Add a criterion of its own", icon=":material/add:", key=f"population.more.{key}",
            on_click=state.remember, args=(form, True),
        )  # fmt: skip
        return

    def close() -> None:
        state.remember(form, False)
        state.forget_widgets()

    criterion_editor(
        cohort, population.own, None, f"population.new.{key}",
        lambda new_study, own: with_population(new_study, key, replace(population, own=own)),
        before=criteria_of(study, replace(population, own=())), close=close,
    )  # fmt: skip


def _single_criteria(
    cohort: Cohort, key: str, population: Population, put: Callable[[Population], None]
) -> None:
    """Let single criteria of the study apply to a population, or not, each with its count."""
    study = cohort.study
    try:
        singles = single_criteria(cohort, key)
    except StudyError:
        return  # the size of the population says what is missing
    if singles:
        st.markdown("Of these criteria:")
    names = [reference_of(single.criterion) for single in singles]
    for place, single in enumerate(singles):

        def on_switch(place: int = place, criterion: Criterion = single.criterion) -> None:
            taken = bool(state.widget_value(f"population.single.{key}.{place}"))
            put(with_single(population, criterion, taken=taken))

        words = plain(words_for(cohort, single.criterion))
        widgets.toggle(
            f"{words}: :gray[{_single_count(single)}]",
            f"population.single.{key}.{place}",
            single.taken,
            page="Cohort",
            on_change=on_switch,
            help="Criteria of this name are switched together."
            if names.count(names[place]) > 1
            else None,
        )
    for name in names_of_no_criterion(study, population):
        does = "leave out" if name in population.without else "keep"
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            st.markdown(
                f":orange[:material/warning: “{plain(name)}” is no longer among the criteria: "
                f"there is nothing to {does}.]",
                width="stretch",
            )
            widgets.button(
                "Forget it",
                f"population.forget.{key}.{name}",
                put,
                (population.forgetting([name]),),
                type="tertiary",
            )


def _single_count(single: SingleCriterion) -> str:
    if not single.criterion.enabled:
        return "switched off above"
    if single.taken:
        return f"removes {single.n}"
    return f"not here; would remove {single.n} more" if single.n else "not here; would remove none"


def _add(study: Study) -> None:
    known = populations_of(study)
    number = 1
    while f"population_{number}" in known:
        number += 1
    key = f"population_{number}"
    state.change_study(with_population(study, key, Population(f"Population {number}", "time_zero")))
    state.remember(_OPEN, key)
