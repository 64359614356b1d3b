"""Kaplan-Meier curves of the groups that were chosen, with their table and words."""

from __future__ import annotations

import streamlit as st

from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.inputs import SurvivalOptions
from pages._ui.show import export_menu, in_words, show_figure, show_losses, show_table
from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    kaplan_meier,
    methods_sentence,
    more_estimates_table,
    result_sentences,
    survival_table,
)
from sts_core.cohort import Cohort
from sts_core.figures.marks import Figure
from sts_core.figures.survival_curve import survival_curve


def survival_curves(cohort: Cohort, spec: KaplanMeierSpec, options: SurvivalOptions) -> None:
    """Show curves, table and sentences of a comparison, with their exports."""
    result: KaplanMeierResult = compute(kaplan_meier, cohort, spec)
    if result.overall.n == 0:
        st.info(
            "No patient of this selection has a time for this endpoint.", icon=":material/info:"
        )
        show_losses(result.losses)
        return

    def figure() -> Figure:
        """Draw the curves as the page shows them."""
        return survival_curve(result)

    show_figure(figure(), key="km.figure")
    with st.container(horizontal=True):
        export_menu(
            f"{spec.endpoint}-kaplan-meier",
            figure=figure,
            tables=lambda: [survival_table(result), more_estimates_table(result)],
            notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
            key="km",
        )
        add_to_report(spec)
    show_table(survival_table(result))
    with st.expander("More estimates: quartiles, restricted mean, range", icon=":material/table:"):
        show_table(more_estimates_table(result))
    in_words(methods_sentence(result), result_sentences(result))
