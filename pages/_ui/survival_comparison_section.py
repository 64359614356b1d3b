"""Comparison of survival between groups: tests, differences, and the landmark analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, cast

import streamlit as st

from pages._ui import state, widgets
from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.groupings import merged_groups
from pages._ui.inputs import (
    baseline_grouping_names,
    choose,
    choose_one,
    later_grouping_names,
    plain,
    shown_name,
    toggle,
    typed,
)
from pages._ui.long_work import long_work
from pages._ui.patient_lists import count_html
from pages._ui.show import export_menu, in_words, show_figure, show_losses, show_table
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.landmark import known_on_choices, left_out_by_landmark
from sts_core.analysis.survival_comparison import (
    KIND,
    SurvivalComparisonResult,
    SurvivalComparisonSpec,
    is_ordered,
    survival_comparison,
)
from sts_core.analysis.survival_comparison_report import (
    comparison_table,
    group_tests_table,
    methods_sentence,
    more_tables,
    pairs_table,
    rates_table,
    result_sentences,
)
from sts_core.cohort import Cohort
from sts_core.derive import levels_of
from sts_core.display import DisplayTable, counted, escape
from sts_core.figures.marks import Figure
from sts_core.figures.survival_curve import survival_curve
from sts_core.study import TimeUnit
from sts_core.values import number_of

#: Patients times bootstrap samples up to which the click waits for them.
QUICK_CELLS = 4_000_000
_NOBODY = ""
_USUAL_LANDMARK = {
    TimeUnit.DAYS: 90.0, TimeUnit.WEEKS: 12.0, TimeUnit.MONTHS: 3.0, TimeUnit.YEARS: 0.25,
}  # fmt: skip
_PAIRS = {"all": "every pair", "reference": "each against the reference", "none": "none"}
_FROM = {"zero": "time zero", "landmark": "a landmark"}


@dataclass(frozen=True, slots=True)
class _Start:
    """From when times count, and what patients are grouped by there."""

    by: str | None
    levels: tuple[str, ...] | None
    landmark: float | None = None
    known_on: str | None = None


def survival_comparison_section(cohort: Cohort, spec: KaplanMeierSpec) -> None:
    """Show how the groups of the curves compare, or groups from a landmark on.

    Parameters
    ----------
    cohort
        Patients.
    spec
        The curves of the page: its endpoint, groups, levels and times are compared.
    """
    kept = state.view(KIND)
    unit = spec.time_unit or cohort.study.definitions.endpoints[spec.endpoint].display_unit
    start = _choose_start(cohort, spec, kept, unit)
    if start.by is None:
        st.info(
            "Choose at “Compare by” what to compare, or a landmark for groups that are formed "
            "after time zero.",
            icon=":material/info:",
        )
        return
    place = st.container(horizontal=True, vertical_alignment="bottom")
    with place, st.popover("Tests and strata", icon=":material/tune:"):
        asked = _choose_tests(cohort, start, kept)
    wanted = SurvivalComparisonSpec(
        endpoint=spec.endpoint,
        by=start.by,
        levels=start.levels,
        conf_level=spec.conf_level,
        convention=spec.convention,
        landmarks=spec.landmarks,
        mean_horizon=spec.mean_horizon,
        landmark=start.landmark,
        known_on=start.known_on,
        time_unit=spec.time_unit,
        population=spec.population,
        **asked,
    )
    state.set_view(
        KIND,
        {
            "strata": list(wanted.strata),
            "fleming_harrington": wanted.fleming_harrington and list(wanted.fleming_harrington),
            "trend": wanted.trend,
            "scores": wanted.scores and list(wanted.scores),
            "pairs": wanted.pairs,
            "start": "zero" if start.landmark is None else "landmark",
            "landmark": start.landmark or kept.get("landmark"),
            "by": start.by if start.landmark is not None else kept.get("by"),
            "known_on": start.known_on,
        },
    )
    result = _result(cohort, wanted)
    if result.n == 0:
        st.info(
            "No patient is left at this landmark." if start.landmark is not None
            else "No patient of this selection has a time for this endpoint.",
            icon=":material/info:",
        )  # fmt: skip
        _left_out(cohort, result)
        show_losses(result.losses, cohort, spec.endpoint, spec.population)
        return
    _show(cohort, spec, result, place)


def _show(cohort: Cohort, curves: KaplanMeierSpec, result: SurvivalComparisonResult,
          place: Any) -> None:  # fmt: skip
    spec = result.spec
    figure = None if spec.landmark is None else partial(_landmark_figure, cohort, curves, spec)
    with place:
        export_menu(
            f"{spec.endpoint}-comparison",
            figure=figure,
            tables=lambda: [comparison_table(result), *more_tables(result)],
            notes=[methods_sentence(result), *result_sentences(result)],
            key="comparison",
        )
        whole = replace(spec, resamples=SurvivalComparisonSpec.resamples)
        if spec.landmark is None:
            add_to_report(whole)
        else:
            add_to_report(whole, "comparison")
            add_to_report(_from_landmark(curves, spec), "curves")
    for flag in result.flags:
        st.warning(plain(flag), icon=":material/warning:")
    if figure is not None:
        show_figure(figure(), key="comparison.figure")
    _show_tables(
        result.flags,
        {
            "Tests between the groups": group_tests_table(result),
            f"Differences from {result.reference}": comparison_table(result),
            "Differences at chosen times": rates_table(result),
            "Pairs of groups": pairs_table(result),
        },
    )
    _left_out(cohort, result)
    in_words(methods_sentence(result), result_sentences(result))


def _left_out(cohort: Cohort, result: SurvivalComparisonResult) -> None:
    """Offer the lists of those whom the landmark leaves out."""
    landmark = result.landmark
    if landmark is None:
        return
    event, ended = (
        count_html(members, cohort, counted(n, "patient")) if n else "nobody"
        for members, n in zip(
            left_out_by_landmark(result.spec),
            (landmark.n_event_before, landmark.n_ended_before),
            strict=True,
        )
    )
    words = escape(landmark.words, "html")
    st.markdown(
        f'<div class="left-out">Left out by the landmark at {words}: {event} with the event, '
        f"{ended} with the end of follow-up by then.</div>",
        unsafe_allow_html=True,
    )


def _show_tables(said: Sequence[str], tables: Mapping[str, DisplayTable | None]) -> None:
    """Show tables under each other; a note stands once, under the last table that it is of.

    ``said`` are notes that stand above them all.
    """
    later: list[tuple[str, ...]] = [tuple(said)]
    shown = [(title, table) for title, table in tables.items() if table is not None]
    for _, table in reversed(shown):
        later.append((*later[-1], *table.footnotes))
    for (title, table), below in zip(shown, reversed(later[:-1]), strict=True):
        st.markdown(f"**{plain(title)}**")
        own = tuple(note for note in table.footnotes if note not in below)
        show_table(replace(table, footnotes=own))


def _landmark_figure(
    cohort: Cohort, curves: KaplanMeierSpec, spec: SurvivalComparisonSpec
) -> Figure:
    """Draw the curves from the landmark on."""
    return survival_curve(compute(kaplan_meier, cohort, _from_landmark(curves, spec)))


def _from_landmark(curves: KaplanMeierSpec, spec: SurvivalComparisonSpec) -> KaplanMeierSpec:
    return replace(
        curves, by=spec.by, levels=spec.levels, landmark=spec.landmark, known_on=spec.known_on
    )


def _result(cohort: Cohort, spec: SurvivalComparisonSpec) -> SurvivalComparisonResult:
    """Compare at once; the bootstrap of a large cohort only when it is asked for."""
    if cohort.n * spec.resamples <= QUICK_CELLS:
        found: SurvivalComparisonResult = compute(survival_comparison, cohort, spec)
        return found
    with_intervals = long_work(
        "comparison.bootstrap",
        (cohort.fingerprint, spec),
        lambda tick: survival_comparison(cohort, spec, tick),
        label="Compute intervals of the differences of medians",
        title=f"{spec.resamples:,} bootstrap samples of each group",
        help="Takes longer with many patients; everything else on this tab is there without it.",
    )
    if isinstance(with_intervals, SurvivalComparisonResult):
        return with_intervals
    without: SurvivalComparisonResult = compute(
        survival_comparison, cohort, replace(spec, resamples=0)
    )
    return without


def _choose_start(
    cohort: Cohort, spec: KaplanMeierSpec, kept: dict[str, Any], unit: TimeUnit
) -> _Start:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = choose_one(
            "Times count from", list(_FROM), "comparison.start", kept=kept.get("start"),
            names=_FROM,
            help="Groups that are formed after time zero (a response, a toxicity) are compared "
            "from a landmark only: before it, whoever belongs to the better group had to live "
            "long enough to be in it.",
        )  # fmt: skip
        if start == "zero":
            return _Start(spec.by, spec.levels)
        later = later_grouping_names(cohort)
        offered = {key: f"{name} (after time zero)" for key, name in later.items()}
        offered |= baseline_grouping_names(cohort)
        if not offered:
            return _Start(None, None)
        by = choose("Groups", list(offered), "comparison.by", kept=kept.get("by"), names=offered)
        if by in later:
            with st.popover("Merge groups", icon=":material/merge:"):
                merged_groups(cohort, by, key="comparison.merge", view=KIND)
        landmark = _choose_landmark(unit, kept.get("landmark"))
        known = known_on_choices(cohort, cohort.study.definitions.endpoints[spec.endpoint])
        known_on = _NOBODY
        if by in later and known:
            variables = cohort.study.definitions.variables
            known_names = {
                _NOBODY: "not stated",
                **{key: shown_name(key, variables[key]) for key in known},
            }
            known_on = choose(
                "Group became known on", list(known_names), "comparison.known_on",
                kept=kept.get("known_on"), names=known_names,
                help="Whoever's date is later than the landmark, or empty, is in a group of its "
                "own: not by the landmark.",
            )  # fmt: skip
    levels = spec.levels if by == spec.by else None
    return _Start(by, levels, landmark, known_on or None)


def _choose_landmark(unit: TimeUnit, kept: float | None) -> float:
    usual = _USUAL_LANDMARK[unit]
    text = typed(
        f"Landmark, {unit.value}",
        f"comparison.landmark.{unit.value}",
        kept=f"{kept or usual:g}",
        width=160,
        help="A time that is chosen before the data are seen, for instance that of the first or "
        "second scan.",
    )
    number = number_of(text)
    if number is None or not 0 < float(number) < 1e9:
        st.error("Write one time above 0.")
        return usual
    return float(number)


def _choose_tests(cohort: Cohort, start: _Start, kept: dict[str, Any]) -> dict[str, Any]:
    """Offer strata, trend, pairs and the exponents of a further test."""
    names = {key: name for key, name in baseline_grouping_names(cohort).items() if key != start.by}
    strata = widgets.multiselect(
        "Stratified by",
        list(names),
        "comparison.strata",
        [key for key in kept.get("strata") or () if key in names],
        format_func=lambda key: names[key],
        help="Variables known before time zero. Stratified numbers stand beside the others.",
    )
    levels = levels_of(cohort, start.by or "").levels if start.landmark is None else ()
    n_groups = len(start.levels if start.levels is not None else levels)
    trend: bool | None = None
    scores: tuple[float, ...] | None = None
    if n_groups > 2:
        ordered = is_ordered(cohort, start.by)
        trend = toggle(
            "Trend over the groups in their order", f"comparison.trend.{start.by}",
            kept=ordered if kept.get("trend") is None else bool(kept["trend"]),
        )  # fmt: skip
        if trend:
            scores = _choose_scores(n_groups, kept.get("scores"))
    pairs = "all"
    if n_groups != 2:
        pairs = choose_one(
            "Pairs of groups (P adjusted by Holm's rule)", list(_PAIRS), "comparison.pairs",
            kept=kept.get("pairs"), names=_PAIRS,
        )  # fmt: skip
    return {
        "strata": tuple(key for key in names if key in strata),
        "trend": trend,
        "scores": scores,
        "pairs": cast("Literal['all', 'reference', 'none']", pairs),
        "fleming_harrington": _choose_exponents(kept.get("fleming_harrington")),
    }


def _choose_scores(n_groups: int, kept: list[float] | None) -> tuple[float, ...] | None:
    usual = ", ".join(str(i) for i in range(n_groups))
    start = ", ".join(f"{score:g}" for score in kept) if kept and len(kept) == n_groups else ""
    text = typed(
        "Scores of the groups, for the trend",
        f"comparison.scores.{n_groups}",
        kept=start,
        placeholder=usual,
        help=f"{n_groups} numbers with commas between; empty for {usual}.",
    )
    numbers = _numbers(text)
    if text.strip() and (numbers is None or len(numbers) != n_groups):
        st.error(f"Write {n_groups} numbers with commas between, or leave the field empty.")
        return None
    return numbers or None


def _choose_exponents(kept: list[float] | None) -> tuple[float, float] | None:
    text = typed(
        "Fleming-Harrington test, rho and gamma",
        "comparison.fh",
        kept=", ".join(f"{x:g}" for x in kept) if kept else "",
        placeholder="none",
        help="Weight S^rho (1 − S)^gamma: 1, 0 weighs early differences, 0, 1 late ones, 1, 1 "
        "those between. Two numbers with a comma between; empty for no such test.",
    )
    numbers = _numbers(text)
    if not text.strip():
        return None
    if numbers is None or len(numbers) != 2 or min(numbers) < 0:
        st.error("Write two numbers not below 0 with a comma between, or leave the field empty.")
        return None
    return numbers[0], numbers[1]


def _numbers(text: str) -> tuple[float, ...] | None:
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    found = [number_of(part) for part in parts]
    if any(number is None or abs(float(number)) >= 1e9 for number in found):
        return None
    return tuple(float(number) for number in found if number is not None)
