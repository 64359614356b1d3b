"""Kaplan-Meier curves of the groups that were chosen, with their table and words."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages._ui import state
from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.figure_options import figure_options
from pages._ui.inputs import plain
from pages._ui.show import (
    export_menu,
    in_words,
    show_figure,
    show_losses,
    show_page,
    show_table,
    without_notes,
)
from sts_core.analysis.curve_options import about_of, counts_every_death
from sts_core.analysis.hazard_flags import HazardFlags, flag_words, hazard_flags
from sts_core.analysis.kaplan_meier import (
    KIND,
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
from sts_core.figures.theme import PAGES

#: Patients times groups up to which curves are looked at for crossings on every click.
CHEAP_CELLS = 20_000


def survival_curves(cohort: Cohort, spec: KaplanMeierSpec) -> None:
    """Show curves, table and sentences of a comparison, with their exports."""
    kept = state.view(KIND)
    endpoint = cohort.study.definitions.endpoints[spec.endpoint]
    unit = spec.time_unit or endpoint.display_unit
    place = st.container(horizontal=True)
    with place:
        groups = spec.levels or ()
        chosen = figure_options(
            "km.figure", kept.get("figure") or {}, unit, groups,
            about=about_of(spec.endpoint, spec.by),
            cumulative=counts_every_death(endpoint),
        )  # fmt: skip
    state.set_view(KIND, {**kept, "figure": chosen.document()})
    # nothing of the drawing is computed anew when a word or a colour changes
    bare = replace(spec, tick_step=chosen.tick_step, horizon=chosen.horizon)
    result: KaplanMeierResult = compute(kaplan_meier, cohort, bare)
    if result.overall.n == 0:
        st.info(
            "No patient of this selection has a time for this endpoint.", icon=":material/info:"
        )
        show_losses(result.losses, cohort, spec.endpoint, spec.population)
        return
    spec = replace(bare, drawing=chosen.drawing)
    result = replace(result, spec=spec)

    def figure() -> Figure:
        """Draw the curves as the page shows them."""
        return survival_curve(result)

    def page() -> Figure:
        """Draw them as files have them."""
        return chosen.for_files(figure())

    if chosen.preview:
        show_page(page(), PAGES[chosen.drawing.size])
    else:
        show_figure(figure(), key="km.figure")
    under_figure = st.container()
    with place:  # the figure waits for none of what follows
        export_menu(
            f"{spec.endpoint}-kaplan-meier",
            figure=figure,
            page=page,
            size=PAGES[chosen.drawing.size],
            tables=lambda: [survival_table(result), more_estimates_table(result)],
            notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
            key="km",
        )
        add_to_report(spec)
    show_table(survival_table(result))
    with st.expander(
        "More estimates: quartiles, restricted mean, follow-up, range", icon=":material/table:"
    ):
        show_table(without_notes(more_estimates_table(result), survival_table(result)))
    in_words(methods_sentence(result), result_sentences(result))
    with under_figure:
        _flag(cohort, bare, result)


def _flag(cohort: Cohort, spec: KaplanMeierSpec, result: KaplanMeierResult) -> None:
    """Say in a line that a hazard ratio is no single number here, and where to look."""
    if len(result.groups) < 2 or result.overall.n * len(result.groups) > CHEAP_CELLS:
        return
    flags: HazardFlags = compute(hazard_flags, cohort, replace(spec, tick_step=None, horizon=None))
    text = flag_words(
        flags, result.provenance, result.unit_factor, result.display_unit.value
    )  # fmt: skip
    if text is None:
        return
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", wrap=False, key="hazard-flag"
    ):
        st.markdown(
            f":orange[:material/warning:] {plain(text)}: a hazard ratio is then an average over "
            "time.",
            width="stretch",
        )
        st.button(
            "What to look at in its place", type="tertiary", icon=":material/arrow_forward:",
            key="km.flag", on_click=state.open_tab, args=("survival", "Comparisons"),
        )  # fmt: skip
