"""Parametric curves over Kaplan-Meier, for the groups that were chosen."""

from __future__ import annotations

import streamlit as st

from pages._ui import state, widgets
from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.figure_options import figure_options
from pages._ui.show import export_menu, in_words, show_figure, show_losses, show_page, show_table
from sts_core.analysis.curve_options import about_of
from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.parametric_survival import (
    KIND,
    NAMES,
    ParametricSurvivalResult,
    ParametricSurvivalSpec,
    extrapolation_warning,
    methods_sentence,
    parametric_survival,
    parametric_table,
    result_sentences,
)
from sts_core.cohort import Cohort
from sts_core.figures.marks import Figure
from sts_core.figures.parametric_curves import parametric_curves
from sts_core.figures.theme import PAGES


def parametric_section(cohort: Cohort, shown: KaplanMeierSpec) -> None:
    """Fit distributions to the page's endpoint and groups, and lay them over its curves."""
    kept = state.view(KIND)
    endpoint = cohort.study.definitions.endpoints[shown.endpoint]
    start = [name for name in NAMES if name in kept.get("drawn", ("weibull",))]
    chosen = widgets.pills(
        "Laid over the Kaplan-Meier curves",
        list(NAMES),
        "ps.drawn",
        start,
        format_func=lambda name: NAMES[name],
        help="All five are in the table below. The axis may go on past the follow-up: set its end "
        "under Figure.",
    )
    drawn = tuple(name for name in NAMES if name in chosen)
    place = st.container(horizontal=True)
    with place:
        figure_choices = figure_options(
            "ps.figure", kept.get("figure") or {}, shown.time_unit or endpoint.display_unit,
            shown.levels or (), about=about_of(shown.endpoint, shown.by), cumulative=None,
        )  # fmt: skip
    state.set_view(KIND, {"drawn": list(drawn), "figure": figure_choices.document()})
    spec = ParametricSurvivalSpec(
        endpoint=shown.endpoint,
        by=shown.by,
        levels=shown.levels,
        drawn=drawn,
        conf_level=shown.conf_level,
        conf_type=shown.conf_type,
        landmarks=shown.landmarks,
        horizon=figure_choices.horizon,
        time_unit=shown.time_unit,
        drawing=figure_choices.drawing,
        population=shown.population,
    )
    result: ParametricSurvivalResult = compute(parametric_survival, cohort, spec)
    if result.curves.overall.n == 0:
        st.info(
            "No patient of this selection has a time for this endpoint.", icon=":material/info:"
        )
        show_losses(result.curves.losses, cohort, spec.endpoint, spec.population)
        return

    def figure() -> Figure:
        """Draw the curves as the page shows them."""
        return parametric_curves(result)

    def page() -> Figure:
        """Draw them as files have them."""
        return figure_choices.for_files(figure())

    with place:
        export_menu(
            f"{spec.endpoint}-parametric",
            figure=figure,
            page=page,
            size=PAGES[figure_choices.drawing.size],
            tables=lambda: [parametric_table(result)],
            notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
            key="ps",
        )
        add_to_report(spec)
    warning = extrapolation_warning(result)
    if warning:
        st.warning(warning, icon=":material/warning:")
    if figure_choices.preview:
        show_page(page(), PAGES[figure_choices.drawing.size])
    else:
        show_figure(figure(), key="ps.figure")
    show_table(parametric_table(result))
    in_words(methods_sentence(result), result_sentences(result))
