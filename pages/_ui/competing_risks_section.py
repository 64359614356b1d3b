"""Cumulative incidence where kinds of event compete, for the groups that were chosen."""

from __future__ import annotations

import streamlit as st

from pages._ui import state
from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.figure_options import figure_options
from pages._ui.inputs import choose_covariates, choose_one, plain, toggle
from pages._ui.show import (
    export_menu,
    in_words,
    show_figure,
    show_losses,
    show_page,
    show_table,
    without_notes,
)
from sts_core.analysis.competing_risks import (
    KIND,
    CompetingRisksResult,
    CompetingRisksSpec,
    competing_risks,
    incidence_table,
    kinds_table,
    methods_sentence,
    more_tables,
    ratio_table,
    result_sentences,
)
from sts_core.analysis.curve_options import about_of
from sts_core.analysis.followed import kinds_of
from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.cohort import Cohort
from sts_core.display import lower_first
from sts_core.figures.cumulative_incidence import cumulative_incidence_curve
from sts_core.figures.marks import Figure
from sts_core.figures.theme import PAGES
from sts_core.study.types import Endpoint


def competing_risks_section(cohort: Cohort, shown: KaplanMeierSpec) -> None:
    """Show cumulative incidences under the page's endpoint, groups, times and scale."""
    endpoint = cohort.study.definitions.endpoints[shown.endpoint]
    kinds = kinds_of(endpoint)
    if len(kinds) < 2:
        _one_kind(endpoint, kinds[0])
        return
    kept = state.view(KIND)
    unit = shown.time_unit or endpoint.display_unit
    with st.container(horizontal=True, vertical_alignment="bottom"):
        event_kind = choose_one(
            "Event of interest", list(kinds), f"cr.kind.{shown.endpoint}",
            kept=kept.get("event_kind"),
            help="The first event of a patient counts; all other kinds compete with this one.",
        )  # fmt: skip
        stacked = toggle(
            "Kinds on top of each other", "cr.stacked", kept=bool(kept.get("stacked")),
            help="Every kind of event at once; what is left above is free of any event.",
        )  # fmt: skip
    covariates = choose_covariates(
        cohort, "cr.covariates", kept=kept.get("covariates"), start=(), without=shown.by,
        label="Further variables of the Fine-Gray regression",
    )  # fmt: skip
    place = st.container(horizontal=True)
    with place:
        chosen = figure_options(
            "cr.figure", kept.get("figure") or {}, unit, shown.levels or (),
            about=about_of(shown.endpoint, shown.by, event_kind), cumulative=None,
        )  # fmt: skip
    state.set_view(
        KIND,
        {
            "event_kind": event_kind,
            "stacked": stacked,
            "covariates": list(covariates),
            "figure": chosen.document(),
        },
    )
    spec = CompetingRisksSpec(
        endpoint=shown.endpoint,
        event_kind=event_kind,
        by=shown.by,
        levels=shown.levels,
        conf_level=shown.conf_level,
        conf_type=shown.conf_type,
        landmarks=shown.landmarks,
        tick_step=chosen.tick_step,
        horizon=chosen.horizon,
        covariates=covariates,
        time_unit=shown.time_unit,
        stacked=stacked,
        drawing=chosen.drawing,
        population=shown.population,
    )
    result: CompetingRisksResult = compute(competing_risks, cohort, spec)
    if result.overall.n == 0:
        st.info(
            "No patient of this selection has a time for this endpoint.", icon=":material/info:"
        )
        show_losses(result.losses, cohort, spec.endpoint, spec.population)
        return

    def figure() -> Figure:
        """Draw the incidences as the page shows them."""
        drawn = cumulative_incidence_curve(result)
        assert drawn is not None  # there are two kinds at least
        return drawn

    def page() -> Figure:
        """Draw them as files have them."""
        return chosen.for_files(figure())

    with place:
        export_menu(
            f"{spec.endpoint}-cumulative-incidence",
            figure=figure,
            page=page,
            size=PAGES[chosen.drawing.size],
            tables=lambda: [incidence_table(result), *more_tables(result)],
            notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
            key="cr",
        )
        add_to_report(spec)
    if chosen.preview:
        show_page(page(), PAGES[chosen.drawing.size])
    else:
        show_figure(figure(), key="cr.figure")
    shown_tables = [incidence_table(result)]
    show_table(shown_tables[0])
    ratios = ratio_table(result)
    if ratios is not None:
        st.subheader("Fine-Gray regression", anchor=False)
        show_table(without_notes(ratios, *shown_tables))
        shown_tables.append(ratios)
    with st.expander("Every kind of event", icon=":material/table:"):
        show_table(without_notes(kinds_table(result), *shown_tables))
    in_words(methods_sentence(result), result_sentences(result))


def _one_kind(endpoint: Endpoint, kind: str) -> None:
    """Say what is needed, and how to set it."""
    st.info(
        f"“{plain(endpoint.label)}” has one kind of event ({plain(lower_first(kind))}), so that "
        "nothing competes with it. A cumulative incidence needs an endpoint that tells apart what "
        "happened first: for instance a status column with one value for progression and another "
        "for death without it, or a date for each.",
        icon=":material/info:",
    )
    st.markdown(
        "**How to set it.** On the Data page, under Endpoints: choose every value of the status "
        "column that is an event, switch on “These events are of different kinds”, and name them. "
        "With dates, define an endpoint that has a date for each kind (progression, death). One "
        "less the Kaplan-Meier estimate is no substitute: it is too high where another event takes "
        "patients out."
    )
    st.page_link("pages/data.py", label="Go to the Data page", icon=":material/table_view:")
