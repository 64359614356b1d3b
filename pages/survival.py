"""Kaplan-Meier curves of one endpoint, overall and by group."""

from __future__ import annotations

import streamlit as st

from pages import _ui as ui
from pages._ui import groupings, state
from sts_core.analysis.kaplan_meier import (
    KIND,
    KaplanMeierSpec,
    kaplan_meier,
    methods_sentence,
    result_sentences,
    survival_table,
)
from sts_core.derive import levels_of
from sts_core.figures.survival_curve import survival_curve

ctx = ui.page("Survival")
kept = state.view(KIND)

with st.container(horizontal=True, vertical_alignment="bottom"):
    endpoint = ui.choose_endpoint(ctx.cohort, "km.endpoint", kept=kept.get("endpoint"))
    if endpoint is None:
        ui.no_endpoint()
        st.stop()
    by = ui.choose_grouping(ctx.cohort, "km.by", kept=kept.get("by"))
    if by is not None:
        groupings.merge_menu(ctx.cohort, by)
    options = ui.survival_options(ctx.cohort, endpoint, kept)


@st.fragment
def comparison(endpoint: str) -> None:
    """Show the groups and their curves; a click on a group runs only this again."""
    levels = None
    if by is not None:
        all_levels = levels_of(ctx.cohort, by).levels
        same = kept.get("by") == by
        levels = ui.toggled_levels(
            "Groups of this comparison",
            all_levels,
            f"km.levels.{by}",
            kept=(kept.get("levels") if same else state.remembered(f"km.levels.{by}")),
        )
        state.remember(f"km.levels.{by}", list(levels))

    spec = KaplanMeierSpec(
        endpoint=endpoint,
        by=by,
        levels=levels,
        conf_level=ctx.study.analysis.conf_level,
        conf_type=options.conf_type,
        landmarks=options.landmarks,
        tick_step=options.tick_step,
    )
    state.set_view(
        KIND,
        {
            "endpoint": endpoint,
            "by": by,
            "levels": None if levels is None else list(levels),
            "conf_type": options.conf_type,
            "landmarks": None if options.landmarks is None else list(options.landmarks),
            "tick_step": options.tick_step,
            "show_interval": options.show_interval,
        },
    )

    result = ui.compute(kaplan_meier, ctx.cohort, spec)
    if levels == ():
        st.info("No group is switched on: choose at least one.", icon=":material/info:")
        return
    if result.overall.n == 0:
        st.info(
            "No patient of this selection has a time for this endpoint.", icon=":material/info:"
        )
        ui.show_losses(result.losses)
        return

    def figure():
        """Draw the curves as the page shows them."""
        return survival_curve(result, show_interval=options.show_interval)

    ui.show_figure(figure(), key="km.figure")
    with st.container(horizontal=True):
        ui.export_menu(
            f"{endpoint}-kaplan-meier",
            figure=figure,
            tables=lambda: [survival_table(result)],
            notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
            key="km",
        )
        ui.add_to_report(spec)
    ui.show_table(survival_table(result))
    ui.in_words(methods_sentence(result), result_sentences(result))


comparison(endpoint)
