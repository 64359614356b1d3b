"""The Kaplan-Meier figure: curves, bands, censoring ticks, key and the table under the axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierResult, SurvivalGroup, time_members
from sts_core.display import (
    counted,
    format_estimate,
    format_number,
    joined,
    lower_first,
    round_half_up,
    rounded_half_up,
)
from sts_core.estimates import Estimate
from sts_core.figures.curves import MOST_PANELS, MOST_TOGETHER, Curve, CurveFrame, draw_curves
from sts_core.figures.marks import (
    Axis,
    Band,
    CensorTicks,
    Dash,
    Figure,
    FloatArray,
    KeyEntry,
    Mark,
    NumberedTexts,
    StepLine,
    StripRow,
)
from sts_core.figures.theme import slot_dash, slot_role
from sts_core.members import Count, CountedText, TimeState

_MAX_TICKS = 300
#: Rates beside the curves; the table under the figure has all of them.
_MAX_RATES = 3


def survival_curve(
    result: KaplanMeierResult,
    options: CurveOptions | None = None,
    *,
    over: Mapping[str, tuple[Mark, ...]] | None = None,
    symbols: tuple[KeyEntry, ...] = (),
) -> Figure:
    """Draw survival curves.

    Parameters
    ----------
    result
        What was estimated. Nothing is estimated, filtered or rounded anew here.
    options
        How to draw it; what the result's spec says when ``None``. A group with more than 300
        censored patients has no ticks, because they would hide its curve.
    over, symbols
        Further marks on top of a group's curve, and what they are in the key (fitted curves).

    Returns
    -------
    Figure
        With a curve for every group that has patients; empty groups stay in key and table.
    """
    options = result.spec.drawing if options is None else options
    curves = [_drawn(result, group, options) for group in result.groups]
    if over:
        curves = [
            replace(curve, over=over.get(group.label, ()))
            for curve, group in zip(curves, result.groups, strict=True)
        ]
    zero = f" from {result.time_zero}" if result.time_zero else ""
    by = f" by {lower_first(result.by_label)}" if result.by_label else ""
    frame = CurveFrame(
        x=Axis(
            0.0,
            result.spec.horizon or max(result.ticks),
            result.ticks,
            tuple(_short(tick) for tick in result.ticks),
            options.x_title or f"{result.display_unit.value.capitalize()}{zero}",
        ),
        y=_y_axis(result, options),
        headers=_headers(result, options),
        spare=_spare(result, options),
        notes=() if result.logrank is None else (_test_note(result),),
        quiet_notes=result.provenance.quiet_p,
        named=result.is_comparison,
        symbols=symbols,
    )
    what = result.endpoint_label
    if _is_cumulative(result, options):
        what = f"Cumulative probability of an event ({_quoted(result)})"
    return Figure(
        body=draw_curves(curves, frame, options),
        title=f"{options.title or f'{what}{by}'}{result.provenance.title_mark}",
        footnotes=result.footnotes + _drawing_notes(result, options),
        stamp=result.provenance.stamp,
        alt=_alt(result, options),
        black_and_white=options.black_and_white,
    )


def _is_cumulative(result: KaplanMeierResult, options: CurveOptions) -> bool:
    """Whether one less survival is drawn; never where death competes with the event."""
    return options.shown == "cumulative" and result.every_death


def _quoted(result: KaplanMeierResult) -> str:
    return lower_first(result.endpoint_label)


def _share_named(endpoint: str) -> str:
    """Name the share that a curve is of: of “Time to progression”, those without progression."""
    for named, share in (("time to ", "Without "), ("duration of ", "Still in ")):
        if endpoint.casefold().startswith(named) and endpoint[len(named) :].strip():
            return share + lower_first(endpoint[len(named) :].strip())
    return endpoint


def _y_axis(result: KaplanMeierResult, options: CurveOptions) -> Axis:
    what = _share_named(result.endpoint_label)
    if _is_cumulative(result, options):
        what = "Cumulative probability of an event"
    percent = options.scale == "percent"
    marks = (0.0, 0.25, 0.5, 0.75, 1.0)
    labels = ("0", "25", "50", "75", "100") if percent else ("0", "0.25", "0.50", "0.75", "1.00")
    title = options.y_title or (f"{what}, %" if percent else what)
    return Axis(0.0, 1.0, marks, labels, title, grid=True)


def _drawn(result: KaplanMeierResult, group: SurvivalGroup, options: CurveOptions) -> Curve:
    rows: tuple[tuple[str, tuple[int, ...], TimeState], ...] = (
        ("At risk", group.risk.at_risk, "at_risk"),
        ("Events", group.risk.events, "event_before"),
        ("Censored", group.risk.censored, "censored_before"),
    )
    named = options.label_of(group.label)
    present = group.n > 0
    falling = not _is_cumulative(result, options)
    median = group.median.value
    return Curve(
        name=named,
        role=slot_role(group.slot),
        dash=_dash(result, group),
        line=_curve(result, group, named, falling=falling) if present else None,
        band=_band(result, group, named, falling=falling) if present else None,
        ticks=_censor_ticks(result, group, named, falling=falling) if _has_ticks(group) else None,
        half=None if median is None else median / result.unit_factor,
        cells=_cells(result, group, options),
        caption=_caption(result, group, options),
        rows=tuple(
            StripRow(
                name,
                tuple(str(n) for n in cells),
                tuple(time_members(result, group, state, tick) for tick in result.ticks),
            )
            for name, cells, state in rows
        ),
    )


def _rates_shown(result: KaplanMeierResult, options: CurveOptions) -> range:
    """Give the landmarks, in rising order, that lie on the axis."""
    end = result.spec.horizon or max(result.ticks)
    on_axis = sum(rate.at <= end for rate in result.overall.rates)
    return range(min(on_axis, _MAX_RATES) if options.rates else 0)


def _level(result: KaplanMeierResult) -> str:
    return f"{100 * result.spec.conf_level:g}% CI"


def _headers(result: KaplanMeierResult, options: CurveOptions) -> tuple[str, ...]:
    unit, level = result.display_unit.value, _level(result)
    scale = "%, " if options.scale == "percent" else ""
    rates = tuple(
        f"At {_short(result.overall.rates[i].at)} {unit}\n({scale}{level})"
        for i in _rates_shown(result, options)
    )
    ratio = (f"Hazard ratio\n({level})",) if _has_ratios(result, options) else ()
    return ("n", "Events", f"Median, {unit}\n({level})", *rates, *ratio)


def _spare(result: KaplanMeierResult, options: CurveOptions) -> tuple[int, ...]:
    """Give the columns that a narrow place leaves out: rates, and ratios of many groups."""
    ratios = _has_ratios(result, options) and len(result.groups) > MOST_TOGETHER
    n = len(_rates_shown(result, options)) + int(ratios)
    return (*range(3, 3 + n),)


def _has_ratios(result: KaplanMeierResult, options: CurveOptions) -> bool:
    return options.hazard_ratios and bool(result.hazard_ratios)


def _ratio_text(result: KaplanMeierResult, group: SurvivalGroup) -> str:
    found = {ratio.group: ratio.hazard_ratio for ratio in result.hazard_ratios}
    return format_estimate(found[group.label], decimals=2)


def _cells(
    result: KaplanMeierResult, group: SurvivalGroup, options: CurveOptions
) -> tuple[str, ...]:
    rates = tuple(
        _rate_text(_shown_estimate(result, group.rates[i].estimate, options), options)
        for i in _rates_shown(result, options)
    )
    median = format_estimate(group.median.scaled(result.unit_factor))
    ratio = (_ratio_text(result, group),) if _has_ratios(result, options) else ()
    return (str(group.n), str(group.n_event), median, *rates, *ratio)


def _shown_estimate(result: KaplanMeierResult, rate: Estimate, options: CurveOptions) -> Estimate:
    if not _is_cumulative(result, options) or rate.value is None:
        return rate
    low = None if rate.high is None else 1 - rate.high
    high = None if rate.low is None else 1 - rate.low
    return Estimate(
        1 - rate.value, low, high, rate.conf_level, rate.method, rate.reason,
        rate.high_reason, rate.low_reason,
    )  # fmt: skip


def _rate_text(rate: Estimate, options: CurveOptions, interval: bool = True) -> str:
    if options.scale == "percent":
        return format_estimate(rate, percent=True, interval=interval)
    return format_estimate(rate, decimals=2, interval=interval)


def _caption(result: KaplanMeierResult, group: SurvivalGroup, options: CurveOptions) -> str:
    if not group.n:
        return "No patients"
    median = format_estimate(group.median.scaled(result.unit_factor))
    parts = [f"n {group.n}, {counted(group.n_event, 'event')}", f"median {median}"]
    if _has_ratios(result, options):
        parts.append(f"HR {_ratio_text(result, group)}")
    shown = _rates_shown(result, options)
    if shown:
        times = ", ".join(_short(group.rates[i].at) for i in shown)
        rates = ", ".join(
            _rate_text(_shown_estimate(result, group.rates[i].estimate, options), options, False)
            for i in shown
        )
        percent = "%" if options.scale == "percent" else ""
        parts.append(f"{percent} at {times} {result.display_unit.value}: {rates}".strip())
    return "\n".join(parts)


def _dash(result: KaplanMeierResult, group: SurvivalGroup) -> Dash:
    return slot_dash(group.slot) if result.is_comparison else Dash.SOLID


def _from_start(
    times: FloatArray, values: FloatArray, first: float
) -> tuple[FloatArray, FloatArray]:
    """Let a curve begin at time 0, where the kernel's first row may be later."""
    if len(times) and times[0] == 0:
        # a drop at time 0 itself: the curve starts at one and falls at once
        return np.concatenate(([0.0], times)), np.concatenate(([first], values))
    return np.insert(times, 0, 0.0), np.insert(values, 0, first)


def _curve(
    result: KaplanMeierResult, group: SurvivalGroup, named: str, *, falling: bool
) -> StepLine:
    steps = group.steps
    factor = result.unit_factor
    x, y = _from_start(np.asarray(steps.time, dtype=float) / factor, steps.estimate, 1.0)
    faded = group.unreliable_from
    return StepLine(
        x=x,
        y=y if falling else 1 - y,
        x_end=max(group.max_time / factor, float(x[-1])),
        role=slot_role(group.slot),
        dash=_dash(result, group),
        name=named,
        faded_from=None if faded is None else faded / factor,
        hover=_step_texts(result, group, named, falling=falling),
        kind="Kaplan-Meier curve",
        members=time_members(result, group),
        numbers=_numbers(result, group),
    )


def _numbers(result: KaplanMeierResult, group: SurvivalGroup) -> CountedText:
    n_censored = group.n - group.n_event
    return CountedText.of(
        Count(counted(group.n, "patient"), time_members(result, group)),
        ", ",
        Count(counted(group.n_event, "event"), time_members(result, group, "event")),
        ", ",
        Count(f"{n_censored} censored", time_members(result, group, "censored")),
    )


def _step_texts(
    result: KaplanMeierResult, group: SurvivalGroup, named: str, *, falling: bool
) -> NumberedTexts:
    """Say what each step tells under the pointer, the first of them for time 0."""
    steps, unit = group.steps, result.display_unit.value
    estimate, low, high = steps.estimate, steps.conf_low, steps.conf_high
    if not falling:
        estimate, low, high = 1 - estimate, 1 - high, 1 - low
    known = np.isfinite(steps.conf_low) & np.isfinite(steps.conf_high)
    left = steps.n_risk - steps.n_event - steps.n_censor
    columns = (
        rounded_half_up(np.asarray(steps.time, dtype=float) / result.unit_factor, 1),
        rounded_half_up(estimate, 1, percent=True),
        rounded_half_up(low, 1, percent=True),
        rounded_half_up(high, 1, percent=True),
        steps.n_risk.astype(float),
        left.astype(float),
    )
    begin = (named, "\n", 0, f" {unit}: ", 1, f"%\n{_level(result)} ")
    end = ("\n", 4, " at risk, ", 5, " after it")
    return NumberedTexts(
        patterns=(
            (named, f"\n0 {unit}: {100 if falling else 0}%, {group.n} at risk"),
            (*begin, 2, " to ", 3, "%", *end),
            # a single step with no interval (nobody left, or no event so far) says so
            (*begin, "NE", *end),
        ),
        pattern=np.concatenate(([0], np.where(known, 1, 2))),
        columns=tuple(np.concatenate(([0.0], column)) for column in columns),
        decimals=(1, 1, 1, 1, 0, 0),
    )


def _band(result: KaplanMeierResult, group: SurvivalGroup, named: str, *, falling: bool) -> Band:
    steps = group.steps
    times = np.asarray(steps.time, dtype=float) / result.unit_factor
    x, low = _from_start(times, steps.conf_low, 1.0)
    _, high = _from_start(times, steps.conf_high, 1.0)
    if not falling:
        low, high = 1 - high, 1 - low
    return Band(
        x=x,
        low=low,
        high=high,
        x_end=max(group.max_time / result.unit_factor, float(x[-1])),
        role=slot_role(group.slot),
        name=named,
    )


def _censor_ticks(
    result: KaplanMeierResult, group: SurvivalGroup, named: str, *, falling: bool
) -> CensorTicks:
    steps, unit = group.steps, result.display_unit.value
    times, first = np.unique(group.censor_times, return_index=True)
    last = np.append(first[1:], len(group.censor_times))
    place = np.searchsorted(steps.time, times, side="right") - 1
    # before the first step nobody has had the event
    height = np.where(place >= 0, np.asarray(steps.estimate)[np.maximum(place, 0)], 1.0)
    subjects = tuple(
        group.censor_subjects[start:stop] for start, stop in zip(first, last, strict=True)
    )
    hover = tuple(
        f"{named}\nCensored at {round_half_up(float(time) / result.unit_factor, 1)} {unit}: "
        f"{_named(ids)}"
        for time, ids in zip(times, subjects, strict=True)
    )
    return CensorTicks(
        x=np.asarray(times, dtype=float) / result.unit_factor,
        y=height if falling else 1 - height,
        role=slot_role(group.slot),
        name=named,
        subjects=subjects,
        hover=hover,
    )


def _has_ticks(group: SurvivalGroup) -> bool:
    return 0 < len(group.censor_times) <= _MAX_TICKS


def _named(subjects: tuple[str, ...], limit: int = 5) -> str:
    if len(subjects) <= limit:
        return ", ".join(subjects)
    return f"{', '.join(subjects[:limit])} and {len(subjects) - limit} more"


def _test_note(result: KaplanMeierResult) -> str:
    test = result.logrank
    assert test is not None
    found = test.p_value is not None
    text = f"Log-rank {result.provenance.p(test.p_value)}" if found else "Log-rank P: NE"
    if len(result.groups) < len(result.all_levels):
        what = lower_first(result.by_label) if result.by_label else "group"
        text += f", over {len(result.groups)} of {len(result.all_levels)} ({what})"
    return text


def _drawing_notes(result: KaplanMeierResult, options: CurveOptions) -> tuple[str, ...]:
    notes = []
    follow_up = result.overall.follow_up
    if follow_up.value is not None:
        text = format_estimate(follow_up.scaled(result.unit_factor))
        notes.append(f"Median follow-up ({_level(result)}): {text} {result.display_unit.value}.")
    if options.shown == "cumulative":
        notes.append(
            "Cumulative probability is one less the Kaplan-Meier estimate."
            if result.every_death
            else "Drawn as survival: death from another cause competes with this event, and one "
            "less the Kaplan-Meier estimate would be too high for its cumulative probability."
        )
    if any(group.unreliable_from is not None for group in result.groups):
        notes.append("Curves are faint where fewer than 5 patients, or 10%, are at risk.")
    if options.censored and any(len(group.censor_times) > _MAX_TICKS for group in result.groups):
        notes.append(
            f"Ticks are left out where a group has more than {_MAX_TICKS} censored patients."
        )
    if len(result.groups) > MOST_PANELS:
        notes.append(f"More than {MOST_PANELS} groups share one panel.")
    return tuple(notes)


def _alt(result: KaplanMeierResult, options: CurveOptions) -> str:
    unit = result.display_unit.value
    by = f" by {lower_first(result.by_label)}" if result.by_label else ""
    parts = []
    for group in result.groups:
        median = group.median.scaled(result.unit_factor)
        reached = (
            f"median {format_number(median.value)} {unit}"
            if median.value is not None
            else "median not reached"
        )
        named = options.label_of(group.label)
        parts.append(f"{named}: {group.n} patients, {group.n_event} events, {reached}")
    what = "Cumulative probability" if _is_cumulative(result, options) else "Kaplan-Meier curves"
    text = f"{what} of {lower_first(result.endpoint_label)}{by}. "
    text += "; ".join(parts) + "."
    if result.logrank is not None:
        names = [options.label_of(group.label) for group in result.groups]
        text += f" {_test_note(result)}, between {joined(names)}."
    return text


def _short(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else f"{number:g}"
