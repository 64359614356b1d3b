"""Why other programs give other numbers: the same cohort by the rules of each, side by side."""

from __future__ import annotations

import streamlit as st

from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.inputs import plain
from pages._ui.show import export_menu, show_losses, show_table, without_notes
from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.software_conventions import (
    SoftwareConventionsResult,
    estimates_table,
    family_table,
    methods_sentence,
    more_tables,
    of_curves,
    ratios_table,
    software_conventions,
)
from sts_core.cohort import Cohort


def other_programs(cohort: Cohort, spec: KaplanMeierSpec) -> None:
    """Show what this app, R, SPSS, SAS and Prism give for the cohort at hand, and why."""
    found: SoftwareConventionsResult = compute(software_conventions, cohort, of_curves(spec))
    if found.shown.overall.n == 0:
        st.info(
            "No patient of this selection has a time for this endpoint.", icon=":material/info:"
        )
        show_losses(found.shown.losses, cohort, spec.endpoint, spec.population)
        return
    st.subheader("Why does this differ from my SPSS / R / SAS / Prism result?", anchor=False)
    st.caption(
        "The same patients, endpoint and groups by the rules of each program. If your numbers are "
        "in none of the rows, the data differ: patients, dates, event coding or the unit of time. "
        "This app, R and SPSS can be chosen for the whole study under Estimates."
    )
    with st.container(horizontal=True):
        export_menu(
            f"{spec.endpoint}-programs",
            tables=lambda: [estimates_table(found), *more_tables(found)],
            notes=[methods_sentence(found), *found.reasons],
            key="programs",
        )
        add_to_report(found.spec)
    above = estimates_table(found)
    show_table(above)
    st.markdown("**Why they differ**")
    st.markdown("\n".join(f"- {_begun_bold(reason)}" for reason in found.reasons))
    if found.tests:
        st.markdown("**Tests of the log-rank family**")
        show_table(without_notes(family_table(found), above))
    if found.ratios:
        st.markdown("**Hazard ratios of two groups**")
        show_table(without_notes(ratios_table(found), above))


def _begun_bold(reason: str) -> str:
    """Set what a sentence is about in bold."""
    what, colon, rest = reason.partition(": ")
    return f"**{plain(what)}**{colon}{plain(rest)}" if colon else plain(reason)
