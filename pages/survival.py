"""Time to an event: curves, overall and by group, and what belongs to them."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages import _ui as ui
from pages._ui import state
from pages._ui.competing_risks_section import competing_risks_section
from pages._ui.make_groups import make_groups
from pages._ui.parametric_section import parametric_section
from pages._ui.population_parts import all_treated_line, choose_population
from pages._ui.software_conventions import other_programs
from pages._ui.survival_comparison_section import survival_comparison_section
from pages._ui.survival_curves import survival_curves
from pages._ui.treatment_note import treatment_note
from sts_core.analysis.kaplan_meier import KIND, KaplanMeierSpec
from sts_core.analysis.selection_effect import survival_sentence
from sts_core.derive import levels_of

ctx = ui.page("Survival")
kept = state.view(KIND)

with st.container(horizontal=True, vertical_alignment="bottom"):
    endpoint = ui.choose_endpoint(ctx.cohort, "km.endpoint", kept=kept.get("endpoint"))
    if endpoint is None:
        ui.no_endpoint(ctx.cohort)
        st.stop()
    population = choose_population(ctx.cohort, "km", kept=kept.get("population"))
    by = ui.choose_grouping(ctx.cohort, "km.by", kept=kept.get("by"))
    make_groups(ctx.of(population).cohort, endpoint, by)
    options = ui.survival_options(ctx.cohort, endpoint, kept)
all_treated_line(ctx.cohort, population, "survival", partial(survival_sentence, code=endpoint))
ctx = ctx.of(population)
treatment_note(ctx.cohort, [by], "km")


@st.fragment
def comparison(endpoint: str) -> None:
    """Show the groups and what is asked of them; a click on a group runs only this again."""
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
        quantile_interval=options.quantile_interval,
        landmarks=options.landmarks,
        mean_horizon=options.mean_horizon,
        time_unit=options.time_unit,
        population=population,
    )
    state.set_view(
        KIND,
        {
            "endpoint": endpoint,
            "population": population,
            "by": by,
            "levels": None if levels is None else list(levels),
            "conf_type": options.conf_type,
            "quantile_interval": options.quantile_interval,
            "mean_horizon": options.mean_horizon,
            "landmarks": None if options.landmarks is None else list(options.landmarks),
            "time_unit": options.time_unit and options.time_unit.value,
            "figure": state.view(KIND).get("figure"),
        },
    )
    if levels == ():
        st.info("No group is switched on: choose at least one.", icon=":material/info:")
        return
    ui.lazy_tabs(
        "survival",
        {
            "Curves": lambda: survival_curves(ctx.cohort, spec),
            "Comparisons": lambda: survival_comparison_section(ctx.cohort, spec),
            "Competing risks": lambda: competing_risks_section(ctx.cohort, spec),
            "Parametric curves": lambda: parametric_section(ctx.cohort, spec),
            "Other programs": lambda: other_programs(ctx.cohort, spec),
        },
        stay_drawn=False,
    )


comparison(endpoint)
