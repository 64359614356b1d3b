"""The cohort beside the whole file or a saved set, on the page of the cohort."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages._ui import state, widgets
from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.inputs import choose, choose_covariates, plain
from pages._ui.show import export_menu, in_words, show_findings, show_table
from sts_core.analysis.set_comparison import (
    FILE,
    KIND,
    THIS,
    SetComparisonSpec,
    methods_sentence,
    result_sentences,
    set_comparison,
    set_table,
)
from sts_core.cohort import Cohort
from sts_core.findings import StudyError
from sts_core.study import Criterion, Study

_FILE = ""
_MAX_NAME = 60


def compared_sets(cohort: Cohort) -> None:
    """Show the patients analysed beside another set, and keep the present criteria as one."""
    kept = state.view(KIND)
    saved = cohort.study.analysis.saved_sets
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {_FILE: FILE, **{name: name for name in saved}}
        against = choose(
            "This cohort beside", list(names), "sets.against",
            kept=kept.get("against") or _FILE, names=names,
            help="Everybody in the file, or the patients whom saved criteria leave.",
        )  # fmt: skip
        _save(cohort)
        if against:
            widgets.button(
                "Forget this set",
                "sets.forget",
                _forget,
                (cohort.study, against),
                about=against,
                icon=":material/delete:",
                type="tertiary",
            )
    variables = choose_covariates(cohort, "sets.variables", kept=kept.get("variables"))
    spec = SetComparisonSpec(
        against=against or None, variables=variables, conf_level=cohort.study.analysis.conf_level
    )
    state.set_view(KIND, {"against": against or None, "variables": list(variables)})
    try:
        result = compute(set_comparison, cohort, spec)
    except StudyError as error:
        show_findings(error.findings, title="Why the sets can't be compared")
        return
    with st.container(horizontal=True):
        export_menu(
            "sets-side-by-side",
            tables=lambda: [set_table(result)],
            notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
            key="sets",
        )
        add_to_report(spec)
    show_table(set_table(result))
    in_words(methods_sentence(result), result_sentences(result))


def _save(cohort: Cohort) -> None:
    """Offer to keep the criteria and filters in force under a name."""
    with (
        st.popover("Save this set", icon=":material/bookmark_add:"),
        st.form("sets.form", border=False),
    ):
        in_force = _in_force(cohort.study)
        st.caption(
            f"Keeps the criteria and filters in force now ({len(in_force)}) in the study file, to "
            "compare other patients with."
        )
        name = widgets.text_input("Name", "sets.name", max_chars=_MAX_NAME).strip()
        if widgets.submitted("Save", "sets.save", type="primary"):
            problem = _problem(name, cohort.study)
            if problem:
                st.error(problem)
            else:
                state.drop_widget("sets.name")
                _put(cohort.study, {**cohort.study.analysis.saved_sets, name: in_force})
                st.rerun()


def _in_force(study: Study) -> tuple[Criterion, ...]:
    items = (*study.analysis.criteria, *study.analysis.filters)
    return tuple(item for item in items if item.enabled)


def _problem(name: str, study: Study) -> str:
    """Say why a set can't have a name; empty when it can."""
    if not name:
        return "Give the set a name."
    if name in (THIS, FILE):
        return f"“{plain(name)}” is taken; choose another name."
    if name in study.analysis.saved_sets:
        return f"There is a set “{plain(name)}” already; forget it first, or choose another name."
    return ""


def _put(study: Study, sets: dict[str, tuple[Criterion, ...]]) -> None:
    state.change_study(replace(study, analysis=replace(study.analysis, saved_sets=sets)))


def _forget(study: Study, name: str) -> None:
    sets = study.analysis.saved_sets
    _put(study, {key: items for key, items in sets.items() if key != name})
