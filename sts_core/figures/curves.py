"""Curves over time in a figure, whatever they were estimated by: together, or a panel each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sts_core.analysis.curve_options import Arrangement, CurveOptions
from sts_core.figures.marks import (
    Axis,
    Backdrop,
    Band,
    CensorTicks,
    Chart,
    Dash,
    EndLabel,
    Key,
    KeyEntry,
    Mark,
    Panel,
    Role,
    Rule,
    SmallChart,
    SmallMultiples,
    StepLine,
    StripGroup,
    StripRow,
    TableStrip,
)

#: Up to so many curves share a panel where nothing else is chosen.
MOST_TOGETHER = 4
#: Above so many, curves share a panel whatever is chosen: nobody reads, and no browser draws, more.
MOST_PANELS = 30
_MAX_BANDS = 3
_MAX_MEDIANS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One group's curve with what belongs to it, in the unit of the axis.

    Parameters
    ----------
    name, role, dash
        Of the group; colour and line style stay when other groups are switched off.
    line
        ``None`` for a group without patients, which stays in key and table.
    band, ticks
        Its pointwise interval, and where patients were censored.
    half
        Where the curve crosses one half.
    cells
        Its numbers beside its name in the key.
    caption
        The same in words, above a panel of its own; parts that may be lines.
    rows
        Its rows under the axis, with a cell at each tick.
    over
        Further marks on top (a fitted curve).
    """

    name: str
    role: Role
    dash: Dash = Dash.SOLID
    line: StepLine | None = None
    band: Band | None = None
    ticks: CensorTicks | None = None
    half: float | None = None
    cells: tuple[str, ...] = ()
    caption: str = ""
    rows: tuple[StripRow, ...] = ()
    over: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class CurveFrame:
    """What curves share: the axes, and the words around them.

    Parameters
    ----------
    x, y
        Axes; the rows under the x axis stand at its ticks.
    headers, spare
        Headings of the key's cells, and those that a narrow place leaves out.
    notes
        Sentences beside the key (a test).
    quiet_notes
        Whether they are grey.
    named
        Whether the rows need their group's name.
    symbols
        What no group owns, in the key (a fitted family).
    """

    x: Axis
    y: Axis
    headers: tuple[str, ...] = ()
    spare: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    quiet_notes: bool = False
    named: bool = True
    symbols: tuple[KeyEntry, ...] = ()


def arrangement_of(options: CurveOptions, n_curves: int) -> Arrangement:
    """Give the arrangement that a number of curves gets."""
    if n_curves < 2 or n_curves > MOST_PANELS:
        return "together"
    if options.arrangement == "auto":
        return "together" if n_curves <= MOST_TOGETHER else "highlighted"
    return options.arrangement


def draw_curves(
    curves: Sequence[Curve], frame: CurveFrame, options: CurveOptions
) -> Chart | SmallMultiples:
    """Arrange curves in one panel, or in a panel each.

    Parameters
    ----------
    curves
        In order, also those of empty groups.
    frame
        Axes and words.
    options
        What is shown, and how it is arranged.

    Returns
    -------
    Chart or SmallMultiples
        The body of a figure.
    """
    arrangement = arrangement_of(options, len(curves))
    ticked = options.censored and any(curve.ticks is not None for curve in curves)
    symbols = (
        *((KeyEntry("Censored", Role.MUTED, sample="tick"),) if ticked else ()),
        *frame.symbols,
    )
    if arrangement in ("highlighted", "panels"):
        return SmallMultiples(
            charts=tuple(
                _small(curve, curves, frame, options, behind=arrangement == "highlighted")
                for curve in curves
            ),
            positions=frame.x.ticks if options.risk_rows != "none" else (),
            notes=frame.notes,
            quiet_notes=frame.quiet_notes,
            symbols=symbols,
        )
    marks: list[Mark] = []
    if len(curves) <= _MAX_BANDS if options.intervals is None else options.intervals:
        marks += [curve.band for curve in curves if curve.band is not None]
    if len(curves) <= _MAX_MEDIANS if options.medians is None else options.medians:
        marks += half_lines(curves, frame.x.high)
    marks += _lines(curves, options)
    key = Key(
        entries=tuple(
            KeyEntry(curve.name, curve.role, curve.dash, curve.cells) for curve in curves
        ),
        headers=frame.headers,
        notes=frame.notes,
        quiet_notes=frame.quiet_notes,
        symbols=symbols,
        spare=frame.spare,
    )
    return Chart(
        Panel(frame.x, frame.y, tuple(marks)),
        key=key,
        strip=_strip(curves, frame, options),
        ends=_ends(curves, frame) if arrangement == "direct" else (),
    )


def _lines(curves: Sequence[Curve], options: CurveOptions) -> list[Mark]:
    marks: list[Mark] = [curve.line for curve in curves if curve.line is not None]
    if options.censored:
        marks += [curve.ticks for curve in curves if curve.ticks is not None]
    return [*marks, *(mark for curve in curves for mark in curve.over)]


def half_lines(curves: Sequence[Curve], end: float) -> list[Mark]:
    """Give dashed lines from one half to where curves cross it, those on the axis."""
    crossed = [
        (curve, curve.half) for curve in curves if curve.half is not None and curve.half <= end
    ]
    if not crossed:
        return []
    furthest = max(half for _, half in crossed)
    rules = [Rule("y", 0.5, Role.MUTED, 0.0, furthest, Dash.SHORT_DASH, "Half")]
    rules += [
        Rule("x", half, curve.role, 0.0, 0.5, Dash.SHORT_DASH, curve.name)
        for curve, half in crossed
    ]
    return [*rules]


def _strip(curves: Sequence[Curve], frame: CurveFrame, options: CurveOptions) -> TableStrip | None:
    if options.risk_rows == "none":
        return None
    groups = tuple(
        StripGroup(curve.name if frame.named else "", curve.role, curve.dash, _rows(curve, options))
        for curve in curves
        if curve.rows
    )
    return TableStrip(frame.x.ticks, groups)


def _rows(curve: Curve, options: CurveOptions) -> tuple[StripRow, ...]:
    return curve.rows[:1] if options.risk_rows == "at_risk" else curve.rows


def _ends(curves: Sequence[Curve], frame: CurveFrame) -> tuple[EndLabel, ...]:
    """Name each curve where it ends, or where the axis does."""
    found = []
    for curve in curves:
        if curve.line is None:
            continue
        seen = curve.line.x <= frame.x.high
        x = min(curve.line.x_end, frame.x.high)
        found.append(EndLabel(x, float(curve.line.y[seen][-1]), curve.name, curve.role))
    return tuple(found)


def _small(
    curve: Curve,
    curves: Sequence[Curve],
    frame: CurveFrame,
    options: CurveOptions,
    *,
    behind: bool,
) -> SmallChart:
    marks: list[Mark] = []
    others = tuple(
        replace(other.line, hover=())
        for other in curves
        if other is not curve and other.line is not None
    )
    if behind and others:
        marks.append(Backdrop(others))
    if options.intervals is not False and curve.band is not None:
        marks.append(curve.band)
    if options.medians is not False:
        marks += half_lines([curve], frame.x.high)
    # alone in its panel, a curve needs no line style to be told from others
    plain = curve.line and replace(curve.line, dash=Dash.SOLID)
    marks += _lines([replace(curve, line=plain)], options)
    rows = () if options.risk_rows == "none" else _rows(curve, options)
    return SmallChart(
        curve.name, curve.role, curve.caption, Panel(frame.x, frame.y, tuple(marks)), rows
    )
