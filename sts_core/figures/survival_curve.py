"""The Kaplan-Meier figure: curves, bands, censoring ticks, key and the table under the axis."""

from __future__ import annotations

import numpy as np

from sts_core.analysis.kaplan_meier import KaplanMeierResult, SurvivalGroup
from sts_core.analysis.provenance import SYNTHETIC_STAMP
from sts_core.display import (
    format_estimate,
    format_number,
    format_p,
    joined,
    lower_first,
    round_half_up,
    rounded_half_up,
)
from sts_core.figures.marks import (
    Axis,
    Band,
    CensorTicks,
    Chart,
    Dash,
    Figure,
    FloatArray,
    Key,
    KeyEntry,
    Mark,
    NumberedTexts,
    Panel,
    Role,
    Rule,
    StepLine,
    StripGroup,
    StripRow,
    TableStrip,
)
from sts_core.figures.theme import slot_dash, slot_role

_MAX_BANDS = 3
_MAX_MEDIANS = 4
_MAX_TICKS = 300


def survival_curve(
    result: KaplanMeierResult,
    *,
    show_interval: bool | None = None,
    show_risk_table: bool = True,
    show_censored: bool = True,
    show_median: bool | None = None,
    title: str | None = None,
    x_title: str | None = None,
    y_title: str | None = None,
) -> Figure:
    """Draw survival curves.

    Parameters
    ----------
    result
        What was estimated. Nothing is estimated, filtered or rounded anew here.
    show_interval
        Pointwise intervals as bands; ``None`` draws them for up to three groups, above which
        bands would hide the curves.
    show_risk_table
        At risk, events and censored under the axis, at the axis's own ticks.
    show_censored
        Ticks where patients were censored; a group with more than 300 of them has none, because
        they would hide its curve.
    show_median
        Dashed lines from one half to the medians; ``None`` draws them for up to four groups.
    title, x_title, y_title
        In place of the ones made from the result.

    Returns
    -------
    Figure
        With a curve for every group that has patients; empty groups stay in key and table.
    """
    groups = result.groups
    bands = len(groups) <= _MAX_BANDS if show_interval is None else show_interval
    marks: list[Mark] = []
    if bands:
        marks += [_band(result, group) for group in groups if group.n]
    if len(groups) <= _MAX_MEDIANS if show_median is None else show_median:
        marks += _median_lines(result)
    for group in groups:
        if group.n:
            marks.append(_curve(result, group))
    if show_censored:
        marks += [_censor_ticks(result, group) for group in groups if _has_ticks(group)]
    zero = f" from {result.time_zero}" if result.time_zero else ""
    x_label = x_title or f"{result.display_unit.value.capitalize()}{zero}"
    end = max((*result.ticks, result.spec.horizon or 0.0))
    panel = Panel(
        x=Axis(0.0, end, result.ticks, tuple(_short(tick) for tick in result.ticks), x_label),
        y=Axis(
            0.0,
            1.0,
            (0.0, 0.25, 0.5, 0.75, 1.0),
            ("0", "25", "50", "75", "100"),
            y_title or f"{result.endpoint_label}, %",
            grid=True,
        ),
        marks=tuple(marks),
    )
    by = f" by {lower_first(result.by_label)}" if result.by_label else ""
    return Figure(
        body=Chart(
            panel,
            key=_key(result, show_censored=show_censored),
            strip=_risk_table(result) if show_risk_table else None,
        ),
        title=f"{result.endpoint_label}{by}" if title is None else title,
        footnotes=result.footnotes + _drawing_notes(result, show_censored=show_censored),
        stamp=SYNTHETIC_STAMP if result.provenance.synthetic else "",
        alt=_alt(result),
    )


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


def _curve(result: KaplanMeierResult, group: SurvivalGroup) -> StepLine:
    steps = group.steps
    factor = result.unit_factor
    x, y = _from_start(np.asarray(steps.time, dtype=float) / factor, steps.estimate, 1.0)
    faded = group.unreliable_from
    return StepLine(
        x=x,
        y=y,
        x_end=max(group.max_time / factor, float(x[-1])),
        role=slot_role(group.slot),
        dash=_dash(result, group),
        name=group.label,
        faded_from=None if faded is None else faded / factor,
        hover=_step_texts(result, group),
        kind="Kaplan-Meier curve",
    )


def _step_texts(result: KaplanMeierResult, group: SurvivalGroup) -> NumberedTexts:
    """Say what each step tells under the pointer, the first of them for time 0."""
    steps, unit = group.steps, result.display_unit.value
    level = f"{result.spec.conf_level:.0%} CI"
    known = np.isfinite(steps.conf_low) & np.isfinite(steps.conf_high)
    left = steps.n_risk - steps.n_event - steps.n_censor
    columns = (
        rounded_half_up(np.asarray(steps.time, dtype=float) / result.unit_factor, 1),
        rounded_half_up(steps.estimate, 1, percent=True),
        rounded_half_up(steps.conf_low, 1, percent=True),
        rounded_half_up(steps.conf_high, 1, percent=True),
        steps.n_risk.astype(float),
        left.astype(float),
    )
    begin = (group.label, "\n", 0, f" {unit}: ", 1, f"%\n{level} ")
    end = ("\n", 4, " at risk, ", 5, " after it")
    return NumberedTexts(
        patterns=(
            (group.label, f"\n0 {unit}: 100%, {group.n} at risk"),
            (*begin, 2, " to ", 3, "%", *end),
            # a single step with no interval (nobody left, or no event so far) says so
            (*begin, "NE", *end),
        ),
        pattern=np.concatenate(([0], np.where(known, 1, 2))),
        columns=tuple(np.concatenate(([0.0], column)) for column in columns),
        decimals=(1, 1, 1, 1, 0, 0),
    )


def _band(result: KaplanMeierResult, group: SurvivalGroup) -> Band:
    steps = group.steps
    times = np.asarray(steps.time, dtype=float) / result.unit_factor
    x, low = _from_start(times, steps.conf_low, 1.0)
    _, high = _from_start(times, steps.conf_high, 1.0)
    return Band(
        x=x,
        low=low,
        high=high,
        x_end=max(group.max_time / result.unit_factor, float(x[-1])),
        role=slot_role(group.slot),
        name=group.label,
    )


def _censor_ticks(result: KaplanMeierResult, group: SurvivalGroup) -> CensorTicks:
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
        f"{group.label}\nCensored at {round_half_up(float(time) / result.unit_factor, 1)} {unit}: "
        f"{_named(ids)}"
        for time, ids in zip(times, subjects, strict=True)
    )
    return CensorTicks(
        x=np.asarray(times, dtype=float) / result.unit_factor,
        y=height,
        role=slot_role(group.slot),
        name=group.label,
        subjects=subjects,
        hover=hover,
    )


def _has_ticks(group: SurvivalGroup) -> bool:
    return 0 < len(group.censor_times) <= _MAX_TICKS


def _named(subjects: tuple[str, ...], limit: int = 5) -> str:
    if len(subjects) <= limit:
        return ", ".join(subjects)
    return f"{', '.join(subjects[:limit])} and {len(subjects) - limit} more"


def _median_lines(result: KaplanMeierResult) -> list[Mark]:
    reached = [
        (group, group.median.value / result.unit_factor)
        for group in result.groups
        if group.median.value is not None
    ]
    if not reached:
        return []
    furthest = max(median for _, median in reached)
    lines: list[Mark] = [Rule("y", 0.5, Role.MUTED, 0.0, furthest, Dash.SHORT_DASH, "Half")]
    lines += [
        Rule("x", median, slot_role(group.slot), 0.0, 0.5, Dash.SHORT_DASH, group.label)
        for group, median in reached
    ]
    return lines


def _key(result: KaplanMeierResult, *, show_censored: bool) -> Key:
    level = f"{result.spec.conf_level:.0%} CI"
    entries = tuple(
        KeyEntry(
            group.label,
            slot_role(group.slot),
            _dash(result, group),
            (
                str(group.n),
                str(group.n_event),
                format_estimate(group.median.scaled(result.unit_factor)),
            ),
        )
        for group in result.groups
    )
    notes: tuple[str, ...] = ()
    if result.logrank is not None:
        notes = (_test_note(result),)
    any_censored = any(_has_ticks(group) for group in result.groups)
    return Key(
        entries=entries,
        headers=("n", "Events", f"Median, {result.display_unit.value}\n({level})"),
        notes=notes,
        symbols=(KeyEntry("Censored", Role.MUTED, sample="tick"),)
        if show_censored and any_censored
        else (),
    )


def _test_note(result: KaplanMeierResult) -> str:
    test = result.logrank
    assert test is not None
    p_value = format_p(test.p_value)
    relation = "" if p_value[0] in "<>" else "= "
    text = f"Log-rank P {relation}{p_value}" if test.p_value is not None else "Log-rank P: NE"
    if len(result.groups) < len(result.all_levels):
        what = lower_first(result.by_label) if result.by_label else "group"
        text += f", over {len(result.groups)} of {len(result.all_levels)} ({what})"
    return text


def _risk_table(result: KaplanMeierResult) -> TableStrip:
    groups = []
    for group in result.groups:
        rows = (
            ("At risk", group.risk.at_risk),
            ("Events", group.risk.events),
            ("Censored", group.risk.censored),
        )
        groups.append(
            StripGroup(
                group.label if result.is_comparison else "",
                slot_role(group.slot),
                _dash(result, group),
                tuple(StripRow(name, tuple(str(n) for n in cells)) for name, cells in rows),
            )
        )
    return TableStrip(result.ticks, tuple(groups))


def _drawing_notes(result: KaplanMeierResult, *, show_censored: bool) -> tuple[str, ...]:
    notes = []
    if any(group.unreliable_from is not None for group in result.groups):
        notes.append("Curves are faint where fewer than 5 patients, or 10%, are at risk.")
    if show_censored and any(len(group.censor_times) > _MAX_TICKS for group in result.groups):
        notes.append(
            f"Ticks are left out where a group has more than {_MAX_TICKS} censored patients."
        )
    return tuple(notes)


def _alt(result: KaplanMeierResult) -> str:
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
        parts.append(f"{group.label}: {group.n} patients, {group.n_event} events, {reached}")
    text = f"Kaplan-Meier curves of {lower_first(result.endpoint_label)}{by}. "
    text += "; ".join(parts) + "."
    if result.logrank is not None:
        text += f" {_test_note(result)}, between {joined([g.label for g in result.groups])}."
    return text


def _short(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else f"{number:g}"
