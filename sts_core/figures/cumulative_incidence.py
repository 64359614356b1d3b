"""The cumulative incidence figure: rising curves by group or by kind of event, or stacked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from sts_core.analysis.competing_risks import (
    CompetingRisksResult,
    IncidenceGroup,
    KindIncidence,
    incidence_members,
)
from sts_core.analysis.curve_options import CurveOptions
from sts_core.display import (
    counted,
    format_estimate,
    joined,
    lower_first,
    rounded_half_up,
)
from sts_core.estimates import Estimate
from sts_core.figures.curves import Curve, CurveFrame, draw_curves
from sts_core.figures.marks import (
    Axis,
    Band,
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
    SmallChart,
    SmallMultiples,
    StepLine,
    StripGroup,
    StripRow,
    TableStrip,
)
from sts_core.figures.theme import N_SLOTS, slot_dash, slot_role
from sts_core.members import Count, CountedText

_MAX_RATES = 3
_TOPS = (0.1, 0.2, 0.4, 1.0)


def cumulative_incidence_curve(
    result: CompetingRisksResult, options: CurveOptions | None = None
) -> Figure | None:
    """Draw cumulative incidences.

    Parameters
    ----------
    result
        What was estimated. Nothing is estimated, filtered or rounded anew here.
    options
        How to draw it; what the result's spec says when ``None``.

    Returns
    -------
    Figure or None
        With a curve of the kind of interest for every group, or, without groups, one for every
        kind; stacked, the kinds lie on top of each other. ``None`` where no kind competes.
    """
    if result.reason is not None:
        return None
    options = result.spec.drawing if options is None else options
    if result.spec.stacked:
        body: Chart | SmallMultiples = _stacked(result, options)
    else:
        curves = (
            [_of_group(result, group, options) for group in result.groups]
            if result.is_comparison
            else _of_kinds(result, options)
        )
        body = draw_curves(curves, _frame(result, options), options)
    return Figure(
        body=body,
        title=f"{options.title or _title(result)}{result.provenance.title_mark}",
        footnotes=result.footnotes + _drawing_notes(result),
        stamp=result.provenance.stamp,
        alt=_alt(result, options),
        black_and_white=options.black_and_white,
    )


def _title(result: CompetingRisksResult) -> str:
    by = f" by {lower_first(result.by_label)}" if result.by_label else ""
    if result.spec.stacked or not result.is_comparison:
        return f"Cumulative incidence ({result.endpoint_label}){by}"
    return f"Cumulative incidence of {lower_first(result.event_kind)}{by}"


def _frame(result: CompetingRisksResult, options: CurveOptions) -> CurveFrame:
    rates = _rates_shown(result, options)
    level, unit = _level(result), result.display_unit.value
    scale = "%, " if options.scale == "percent" else ""
    return CurveFrame(
        x=_x_axis(result, options),
        y=_y_axis(result, options),
        headers=(
            "n" if result.is_comparison else "Events",
            *(("Events", "Competing") if result.is_comparison else ()),
            *(f"At {_short(result.landmarks[i])} {unit}\n({scale}{level})" for i in rates),
        ),
        notes=tuple(_gray_notes(result)),
        quiet_notes=result.provenance.quiet_p,
        named=result.is_comparison,
    )


def _x_axis(result: CompetingRisksResult, options: CurveOptions) -> Axis:
    zero = f" from {result.time_zero}" if result.time_zero else ""
    return Axis(
        0.0,
        result.spec.horizon or max(result.ticks),
        result.ticks,
        tuple(_short(tick) for tick in result.ticks),
        options.x_title or f"{result.display_unit.value.capitalize()}{zero}",
    )


def _y_axis(result: CompetingRisksResult, options: CurveOptions) -> Axis:
    percent = options.scale == "percent"
    what = "Cumulative incidence"
    if result.is_comparison and not result.spec.stacked:
        what += f" of {lower_first(result.event_kind)}"
    top = _top(result)
    marks = tuple(top * i / 4 for i in range(5))
    labels = (
        tuple(f"{100 * mark:g}" for mark in marks)
        if percent
        else tuple(
            "0" if mark == 0 else f"{mark:.3f}" if top < 0.2 else f"{mark:.2f}" for mark in marks
        )
    )
    return Axis(
        0.0, top, marks, labels,
        options.y_title or (f"{what}, %" if percent else what), grid=True,
    )  # fmt: skip


def _top(result: CompetingRisksResult) -> float:
    """End the upright axis where it holds every curve and band: at 10, 20, 40 or 100%."""
    highest = 0.0
    for group in result.groups:
        if result.spec.stacked:
            highest = max(highest, 1 - float(np.min(group.event_free, initial=1.0)))
            continue
        shown = (group.interest,) if result.is_comparison else group.kinds
        for one in shown:
            known = np.concatenate([one.estimate, one.conf_high[np.isfinite(one.conf_high)]])
            highest = max(highest, float(np.max(known, initial=0.0)))
    return next((top for top in _TOPS if highest <= top), 1.0)


def _level(result: CompetingRisksResult) -> str:
    return f"{100 * result.spec.conf_level:g}% CI"


def _rates_shown(result: CompetingRisksResult, options: CurveOptions) -> range:
    end = result.spec.horizon or max(result.ticks)
    on_axis = sum(mark <= end for mark in result.landmarks)
    return range(min(on_axis, _MAX_RATES) if options.rates else 0)


def _rate_text(estimate: Estimate, options: CurveOptions, *, interval: bool = True) -> str:
    if options.scale == "percent":
        return format_estimate(estimate, percent=True, interval=interval)
    return format_estimate(estimate, decimals=2, interval=interval)


def _of_group(result: CompetingRisksResult, group: IncidenceGroup, options: CurveOptions) -> Curve:
    named = options.label_of(group.label)
    role, dash = slot_role(group.slot), slot_dash(group.slot)
    rates = [group.interest.rates[i].estimate for i in _rates_shown(result, options)]
    cells = (
        str(group.n),
        str(group.interest.n_event),
        str(group.n_competing),
        *(_rate_text(rate, options) for rate in rates),
    )
    return Curve(
        name=named,
        role=role,
        dash=dash,
        line=_line(result, group, group.interest, named, role, dash) if group.n else None,
        band=_band(result, group, group.interest, named, role) if group.n else None,
        cells=cells,
        caption=_caption(result, group, options),
        rows=_rows(result, group),
    )


def _of_kinds(result: CompetingRisksResult, options: CurveOptions) -> list[Curve]:
    """Give a curve for each kind of event in everyone together."""
    group = result.overall
    curves = []
    for place, one in enumerate(group.kinds):
        named, role, dash = _first_upper(one.kind), _kind_role(place), slot_dash(place % N_SLOTS)
        rates = [one.rates[i].estimate for i in _rates_shown(result, options)]
        curves.append(
            Curve(
                name=named,
                role=role,
                dash=dash,
                line=_line(result, group, one, named, role, dash) if group.n else None,
                band=_band(result, group, one, named, role) if group.n else None,
                cells=(str(one.n_event), *(_rate_text(rate, options) for rate in rates)),
                caption=counted(one.n_event, "event"),
                rows=_rows(result, group) if place == 0 else (),
            )
        )
    return curves


def _kind_role(place: int) -> Role:
    return slot_role(place % N_SLOTS)


def _caption(result: CompetingRisksResult, group: IncidenceGroup, options: CurveOptions) -> str:
    if not group.n:
        return "No patients"
    parts = [
        f"n {group.n}, {counted(group.interest.n_event, 'event')}",
        f"{group.n_competing} competing",
    ]
    shown = _rates_shown(result, options)
    if shown:
        times = ", ".join(_short(result.landmarks[i]) for i in shown)
        rates = ", ".join(
            _rate_text(group.interest.rates[i].estimate, options, interval=False) for i in shown
        )
        percent = "%" if options.scale == "percent" else ""
        parts.append(f"{percent} at {times} {result.display_unit.value}: {rates}".strip())
    return "\n".join(parts)


def _rows(result: CompetingRisksResult, group: IncidenceGroup) -> tuple[StripRow, ...]:
    rival = result.competing_kinds[0] if len(result.competing_kinds) == 1 else "Competing events"
    interest = result.event_kind
    listed = partial(incidence_members, result, group)
    rows = (
        ("At risk", group.risk.at_risk, partial(listed, "at_risk")),
        (_first_upper(interest), group.risk.events, partial(listed, "event_before", kind=interest)),
        (
            _first_upper(rival),
            group.risk.competing,
            partial(listed, "event_before", competing=True),
        ),
        ("Censored", group.risk.censored, partial(listed, "censored_before")),
    )
    return tuple(
        StripRow(
            name, tuple(str(n) for n in cells), tuple(members(at=tick) for tick in result.ticks)
        )
        for name, cells, members in rows
    )


def _from_start(times: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Let a curve begin with 0 at time 0."""
    return np.concatenate(([0.0], times)), np.concatenate(([0.0], values))


def _line(
    result: CompetingRisksResult,
    group: IncidenceGroup,
    one: KindIncidence,
    named: str,
    role: Role,
    dash: Dash,
) -> StepLine:
    factor = result.unit_factor
    x, y = _from_start(np.asarray(group.time, dtype=float) / factor, one.estimate)
    faded = group.unreliable_from
    return StepLine(
        x=x,
        y=y,
        x_end=max(group.max_time / factor, float(x[-1])),
        role=role,
        dash=dash if result.is_comparison else Dash.SOLID if role is Role.SLOT_0 else dash,
        name=named,
        faded_from=None if faded is None else faded / factor,
        hover=_step_texts(result, group, one, named),
        kind="Cumulative incidence curve",
        members=incidence_members(result, group)
        if result.is_comparison and not result.spec.stacked
        else incidence_members(result, group, "event", kind=one.kind),
        numbers=_numbers(result, group, one),
    )


def _numbers(
    result: CompetingRisksResult, group: IncidenceGroup, one: KindIncidence
) -> CountedText:
    """Say whom a line counts; the competing events belong to that of the event of interest."""
    parts: list[str | Count] = [
        Count(counted(group.n, "patient"), incidence_members(result, group)),
        ", ",
        Count(
            counted(one.n_event, "event"),
            incidence_members(result, group, "event", kind=one.kind),
        ),
    ]
    if one.kind == result.event_kind:
        competing = incidence_members(result, group, "event", competing=True)
        parts += [", ", Count(f"{group.n_competing} competing", competing)]
    n_censored = group.n - sum(kind.n_event for kind in group.kinds)
    censored = incidence_members(result, group, "censored")
    return CountedText.of(*parts, ", ", Count(f"{n_censored} censored", censored))


def _step_texts(
    result: CompetingRisksResult, group: IncidenceGroup, one: KindIncidence, named: str
) -> NumberedTexts:
    unit = result.display_unit.value
    known = np.isfinite(one.conf_low) & np.isfinite(one.conf_high)
    columns = (
        rounded_half_up(np.asarray(group.time, dtype=float) / result.unit_factor, 1),
        rounded_half_up(one.estimate, 1, percent=True),
        rounded_half_up(one.conf_low, 1, percent=True),
        rounded_half_up(one.conf_high, 1, percent=True),
        group.n_risk.astype(float),
    )
    begin = (named, "\n", 0, f" {unit}: ", 1, f"%\n{_level(result)} ")
    end = ("\n", 4, " at risk")
    return NumberedTexts(
        patterns=(
            (named, f"\n0 {unit}: 0%, {group.n} at risk"),
            (*begin, 2, " to ", 3, "%", *end),
            (*begin, "NE", *end),
        ),
        pattern=np.concatenate(([0], np.where(known, 1, 2))),
        columns=tuple(np.concatenate(([0.0], column)) for column in columns),
        decimals=(1, 1, 1, 1, 0),
    )


def _band(
    result: CompetingRisksResult, group: IncidenceGroup, one: KindIncidence, named: str, role: Role
) -> Band:
    times = np.asarray(group.time, dtype=float) / result.unit_factor
    x, low = _from_start(times, one.conf_low)
    _, high = _from_start(times, one.conf_high)
    return Band(
        x=x,
        low=low,
        high=high,
        x_end=max(group.max_time / result.unit_factor, float(x[-1])),
        role=role,
        name=named,
    )


def _stacked(result: CompetingRisksResult, options: CurveOptions) -> Chart | SmallMultiples:
    """Draw the kinds on top of each other; what is left above them is free of any event."""
    frame = _frame(result, options)
    kinds = [_first_upper(one.kind) for one in result.overall.kinds]
    if not result.is_comparison:
        entries = tuple(
            KeyEntry(name, _kind_role(place), Dash.SOLID, (str(one.n_event),), sample="box")
            for place, (name, one) in enumerate(zip(kinds, result.overall.kinds, strict=True))
        )
        strip = None
        if options.risk_rows != "none":
            rows = _rows(result, result.overall)
            rows = rows[:1] if options.risk_rows == "at_risk" else rows
            strip = TableStrip(frame.x.ticks, (StripGroup("", Role.SLOT_0, Dash.SOLID, rows),))
        return Chart(
            Panel(frame.x, frame.y, _layers(result, result.overall)),
            key=Key(entries, headers=("Events",)),
            strip=strip,
        )
    charts = []
    for group in result.groups:
        rows = _rows(result, group)
        rows = {"none": (), "at_risk": rows[:1], "all": rows}[options.risk_rows]
        charts.append(
            SmallChart(
                options.label_of(group.label),
                slot_role(group.slot),
                _caption(result, group, options),
                Panel(frame.x, frame.y, _layers(result, group) if group.n else ()),
                rows,
            )
        )
    return SmallMultiples(
        charts=tuple(charts),
        positions=frame.x.ticks if options.risk_rows != "none" else (),
        notes=frame.notes,
        symbols=tuple(
            KeyEntry(name, _kind_role(place), sample="box") for place, name in enumerate(kinds)
        ),
    )


def _layers(result: CompetingRisksResult, group: IncidenceGroup) -> tuple[Mark, ...]:
    times = np.asarray(group.time, dtype=float) / result.unit_factor
    below = np.zeros(len(times))
    bands: list[Mark] = []
    lines: list[Mark] = []
    for place, one in enumerate(group.kinds):
        above = np.minimum(below + one.estimate, 1.0)
        named = _first_upper(one.kind)
        x, low = _from_start(times, below)
        _, high = _from_start(times, above)
        end = max(group.max_time / result.unit_factor, float(x[-1]))
        if not one.n_event:
            continue
        bands.append(Band(x, low, high, end, _kind_role(place), named))
        line = _line(result, group, one, named, _kind_role(place), Dash.SOLID)
        lines.append(replace(line, y=high, dash=Dash.SOLID))
        below = above
    return (*bands, *reversed(lines))


def _gray_notes(result: CompetingRisksResult) -> list[str]:
    if not result.tests:
        return []
    kind, test = result.tests[0]
    found = "NE" if test.p_value is None else result.provenance.p(test.p_value)
    text = f"Gray's test, {lower_first(kind)}: {found}"
    if len(result.groups) < len(result.all_levels):
        what = lower_first(result.by_label) if result.by_label else "group"
        text += f", over {len(result.groups)} of {len(result.all_levels)} ({what})"
    return [text]


def _drawing_notes(result: CompetingRisksResult) -> tuple[str, ...]:
    notes = []
    if result.spec.stacked:
        notes.append(
            "The kinds of event lie on top of each other; what is left above them is the share of "
            "patients without any event."
        )
    if _top(result) < 1:
        notes.append(f"The upright axis ends at {100 * _top(result):g}%.")
    if any(group.unreliable_from is not None for group in result.groups):
        notes.append("Curves are faint where fewer than 5 patients, or 10%, are at risk.")
    return tuple(notes)


def _alt(result: CompetingRisksResult, options: CurveOptions) -> str:
    by = f" by {lower_first(result.by_label)}" if result.by_label else ""
    parts = [
        f"{options.label_of(group.label)}: {group.n} patients, "
        + joined([f"{one.n_event} with {lower_first(one.kind)}" for one in group.kinds])
        for group in result.groups
    ]
    text = f"Cumulative incidence curves ({result.endpoint_label}){by}. {'; '.join(parts)}."
    return " ".join([text, *(f"{note}." for note in _gray_notes(result))])


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else f"{number:g}"
