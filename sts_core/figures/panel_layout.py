"""Axes and marks of a panel, from data units to points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sts_core.figures.marks import (
    Arrow,
    Axis,
    Backdrop,
    Band,
    Bar,
    CensorTicks,
    Dash,
    FloatArray,
    Line,
    PointInterval,
    Role,
    Rule,
    Scale,
    StepLine,
    Text,
)
from sts_core.figures.placed import (
    ASCENT,
    DESCENT,
    PlacedPanel,
    PlacedPath,
    Tone,
)
from sts_core.figures.sheet import (
    BOLD,
    INVISIBLE,
    LINE_HEIGHT,
    Sheet,
    rectangle,
)


def x_axis_height(sheet: Sheet, axis: Axis, width: float) -> float:
    """Give the height of tick labels and title."""
    if not axis.visible:
        return 0.0
    height = 5.0 + LINE_HEIGHT * sheet.text
    if axis.title:
        height += LINE_HEIGHT * sheet.text * len(sheet.wrapped(axis.title, width)) + 1.0
    return height


def legible_labels(
    axis: Axis, width: float, measure: Callable[[str], float], gap: float
) -> tuple[str, ...]:
    """Blank tick labels that would run into each other on an axis of a width.

    Every second, third... label is kept, counted from 1 on a ratio's axis and from the first one
    elsewhere, so that what is left is as regular as the ticks.
    """
    labels = axis.tick_labels
    # what is blank already leaves its room to its neighbours
    written = [i for i, label in enumerate(labels) if label]
    if not written:
        return labels
    places = axis.fraction(np.array(axis.ticks)) * width
    halves = np.array([measure(label) / 2 for label in labels])
    one = axis.ticks.index(1.0) if axis.scale is Scale.LOG and 1.0 in axis.ticks else -1
    origin = written.index(one) if one in written else 0
    for stride in range(1, len(written) + 1):
        kept = [i for number, i in enumerate(written) if (number - origin) % stride == 0]
        ends = places[kept][1:] - halves[kept][1:]
        if (ends - places[kept][:-1] - halves[kept][:-1] >= gap).all():
            break
    return tuple(label if i in kept else "" for i, label in enumerate(labels))


def thinned_ticks(
    axis: Axis, width: float, widest: float, measure: Callable[[str], float]
) -> tuple[Axis, tuple[int, ...]]:
    """Blank labels of ticks whose cells under the axis would run into each other.

    Parameters
    ----------
    axis, width
        The axis, and its length.
    widest
        Width of the widest cell.
    measure
        Gives the width of a label.

    Returns
    -------
    Axis, tuple of int
        With the labels that are left, and the numbers of their ticks: every second, third...
    """
    n = len(axis.ticks)
    if n < 2:
        return axis, tuple(range(n))
    gap = float(np.diff(axis.fraction(np.array(axis.ticks)))[0]) * width
    needed = max(widest, max(measure(label) for label in axis.tick_labels)) + 4.0
    stride = max(1, int(np.ceil(needed / gap - 1e-9)))
    kept = tuple(range(0, n, stride))
    labels = tuple(label if i in kept else "" for i, label in enumerate(axis.tick_labels))
    return replace(axis, tick_labels=labels), kept


def draw_x_axis(sheet: Sheet, frame: PlacedPanel) -> float:
    """Draw the x axis and give the y below it."""
    axis = frame.panel.x
    if not axis.visible:
        return frame.bottom
    y = frame.bottom
    thin = 0.5 * max(sheet.line, 1.0)
    sheet.stroke([(frame.left, y), (frame.right, y)], Role.AXIS, thin, name="x axis")
    places = frame.x(np.array(axis.ticks)) if axis.ticks else np.empty(0)
    if len(places):
        sheet.items.append(
            PlacedPath(
                tuple(np.array([(x, y), (x, y + 3.0)]) for x in places),
                Role.AXIS,
                thin,
                name="x ticks",
            )
        )
    baseline = y + 5.0 + ASCENT * sheet.text
    # two labels never run into each other; the tick stays
    labels = legible_labels(axis, frame.width, sheet.measure, 2.0)
    for x, label in zip(places, labels, strict=True):
        sheet.write(float(x), baseline, label, anchor="middle", name="x tick label")
    y += 5.0 + LINE_HEIGHT * sheet.text
    if axis.title:
        y += 1.0
        for line in sheet.wrapped(axis.title, frame.width):
            sheet.write(
                frame.left + frame.width / 2,
                y + ASCENT * sheet.text,
                line,
                anchor="middle",
                name="x title",
            )
            y += LINE_HEIGHT * sheet.text
    return y


def draw_y_axis(sheet: Sheet, frame: PlacedPanel) -> None:
    """Draw the y axis with its title."""
    axis = frame.panel.y
    if not axis.visible:
        return
    x = frame.left
    thin = 0.5 * max(sheet.line, 1.0)
    sheet.stroke([(x, frame.top), (x, frame.bottom)], Role.AXIS, thin, name="y axis")
    places = frame.y(np.array(axis.ticks)) if axis.ticks else np.empty(0)
    if len(places):
        sheet.items.append(
            PlacedPath(
                tuple(np.array([(x, y), (x - 3.0, y)]) for y in places),
                Role.AXIS,
                thin,
                name="y ticks",
            )
        )
    for y, label in zip(places, axis.tick_labels, strict=True):
        sheet.write(x - 5.0, float(y) + 0.35 * sheet.text, label, anchor="end", name="y tick label")
    if not axis.title:
        return
    widest = max((sheet.measure(label) for label in axis.tick_labels), default=0.0)
    lines, size = _y_title(sheet, axis.title, frame.height)
    most = len(y_title_lines(sheet, axis.title))
    while len(lines) > most and size > sheet.size.least:
        # a panel lower than was expected: smaller type, not more lines than there is room for
        size = max(sheet.size.least, 0.9 * size)
        lines = sheet.wrapped(axis.title, frame.height, size)
    centre = frame.top + frame.height / 2
    for number, line in enumerate(lines):
        overshoot = sheet.measure(line, size) / 2 - (centre - sheet.size.margin)
        after = (len(lines) - 1 - number) * LINE_HEIGHT * size
        sheet.write(
            x - 7.0 - widest - DESCENT * sheet.text - after,
            centre + max(0.0, overshoot),
            line,
            size=size,
            anchor="middle",
            rotation=90,
            name="y title",
        )


#: Share of a page of fixed height that a panel has at least.
_LEAST_SHARE = 0.36
#: How much smaller a title along the y axis is written before it is broken into lines.
_SMALLEST_TITLE = 0.8


def y_title_lines(sheet: Sheet, title: str) -> tuple[str, ...]:
    """Give the lines that a title along the y axis may need on a page."""
    size = sheet.size
    height = size.plot_height if size.height is None else _LEAST_SHARE * size.height
    return _y_title(sheet, title, height)[0] if title else ()


def _y_title(sheet: Sheet, title: str, height: float) -> tuple[tuple[str, ...], float]:
    length = sheet.measure(title)
    fitting = sheet.text * min(1.0, height / max(length, 1e-9))
    if fitting >= max(sheet.size.least, _SMALLEST_TITLE * sheet.text):
        return (title,), fitting
    return sheet.wrapped(title, height, sheet.small), sheet.small


def shape_name(kind: str, name: str) -> str:
    """Name a shape for whoever edits the file: what it is, and whose."""
    return f"{kind}: {name}" if name else kind


def draw_panel(sheet: Sheet, frame: PlacedPanel) -> None:
    """Draw grid lines and marks."""
    panel = frame.panel
    for axis, upright in ((panel.x, True), (panel.y, False)):
        if not axis.grid:
            continue
        lines = []
        for tick in axis.ticks:
            at = float((frame.x if upright else frame.y)(tick))
            ends = (
                [(at, frame.top), (at, frame.bottom)]
                if upright
                else [(frame.left, at), (frame.right, at)]
            )
            lines.append(np.array(ends))
        if lines:
            sheet.items.append(
                PlacedPath(tuple(lines), Role.GRID, 0.5 * max(sheet.line, 1.0), name="Grid")
            )
    for mark in panel.marks:
        match mark:
            case StepLine():
                _draw_step_line(sheet, frame, mark)
            case Line():
                _draw_line(sheet, frame, mark)
            case Backdrop():
                _draw_backdrop(sheet, frame, mark)
            case Band():
                _draw_band(sheet, frame, mark)
            case CensorTicks():
                _draw_censor_ticks(sheet, frame, mark)
            case PointInterval():
                _draw_point_interval(sheet, frame, mark)
            case Bar():
                _draw_bar(sheet, frame, mark)
            case Rule():
                draw_rule(sheet, frame, mark)
            case Text():
                sheet.write(
                    float(frame.x(mark.x)),
                    float(frame.y(mark.y)) + 0.35 * sheet.text,
                    mark.text,
                    role=mark.role,
                    anchor=mark.anchor,
                    weight=BOLD if mark.bold else 400,
                )
            case Arrow():
                draw_arrow(
                    sheet,
                    (float(frame.x(mark.x0)), float(frame.y(mark.y0))),
                    (float(frame.x(mark.x1)), float(frame.y(mark.y1))),
                    mark.role,
                )


def clipped_points(frame: PlacedPanel, x: FloatArray, y: FloatArray) -> FloatArray:
    """Place corners of a step line, cut off at the ends of the x axis."""
    axis = frame.panel.x
    low, high = min(axis.low, axis.high), max(axis.low, axis.high)
    inside = (x >= low) & (x <= high)
    if not inside.all():
        # the last corner before the end carries the line to it
        beyond = np.flatnonzero(x > high)
        stop = int(beyond[0]) if len(beyond) else len(x)
        before = np.flatnonzero(x < low)
        start = int(before[-1]) if len(before) else 0
        x, y = np.clip(x[start : stop + 1], low, high), y[start : stop + 1].copy()
        if len(beyond) and len(y) > 1:
            y[-1] = y[-2]
    return np.column_stack((frame.x(x), frame.y(y)))


def visible_steps(points: FloatArray) -> FloatArray:
    """Leave out corners that fall on the same spot of the paper as the one before."""
    if len(points) <= 2:
        return points
    spots = np.round(points / INVISIBLE)
    kept = np.ones(len(points), dtype=bool)
    kept[1:-1] = (spots[1:-1] != spots[:-2]).any(axis=1)
    return points[kept]


def _draw_step_line(sheet: Sheet, frame: PlacedPanel, mark: StepLine) -> None:
    x, y = mark.corners()
    if len(x) == 0:
        return
    limit = mark.faded_from
    parts: list[tuple[FloatArray, FloatArray, Tone]] = [(x, y, "full")]
    if limit is not None and limit < x[-1]:
        cut = int(np.searchsorted(x, limit, side="right"))
        level = float(y[max(cut - 1, 0)])
        at = max(limit, float(x[0]))
        parts = [
            (np.append(x[:cut], at), np.append(y[:cut], level), "full"),
            (np.insert(x[cut:], 0, at), np.insert(y[cut:], 0, level), "faded"),
        ]
    for part_x, part_y, tone in parts:
        if len(part_x) < 2:
            continue
        points = visible_steps(clipped_points(frame, part_x, part_y))
        if len(points) > 1 and np.ptp(points, axis=0).any():
            sheet.stroke(
                points,
                mark.role,
                sheet.line,
                dash=mark.dash,
                tone=tone,
                name=shape_name(mark.kind, mark.name),
            )


def _draw_line(sheet: Sheet, frame: PlacedPanel, mark: Line) -> None:
    for x, y in mark.pieces():
        inside = (x >= frame.panel.x.low) & (x <= frame.panel.x.high)
        points = np.column_stack((frame.x(x[inside]), frame.y(y[inside])))
        if len(points) > 1:
            name = shape_name(mark.kind, mark.name)
            sheet.stroke(points, mark.role, 0.8 * sheet.line, dash=mark.dash, name=name)


def backdrop_points(frame: PlacedPanel, mark: Backdrop) -> list[FloatArray]:
    """Place the curves behind, each as corners of a step line."""
    return [
        visible_steps(clipped_points(frame, *line.corners())) for line in mark.lines if len(line.x)
    ]


def _draw_backdrop(sheet: Sheet, frame: PlacedPanel, mark: Backdrop) -> None:
    curves = tuple(points for points in backdrop_points(frame, mark) if len(points) > 1)
    if curves:
        sheet.items.append(PlacedPath(curves, mark.role, 0.6 * sheet.line, name="Other groups"))


def _draw_band(sheet: Sheet, frame: PlacedPanel, mark: Band) -> None:
    rings = []
    for x, low, high in mark.pieces():
        lower = visible_steps(clipped_points(frame, x, low))
        upper = visible_steps(clipped_points(frame, x, high))
        if len(lower) > 1:
            rings.append(np.vstack((upper, lower[::-1])))
    if rings:
        sheet.items.append(
            PlacedPath(
                tuple(rings),
                fill=mark.role,
                closed=True,
                tone="band",
                name=shape_name("Interval", mark.name),
            )
        )


def _draw_censor_ticks(sheet: Sheet, frame: PlacedPanel, mark: CensorTicks) -> None:
    inside = mark.x <= max(frame.panel.x.low, frame.panel.x.high)
    if not inside.any():
        return
    points = np.column_stack((frame.x(mark.x[inside]), frame.y(mark.y[inside])))
    _, first = np.unique(np.round(points / (2 * INVISIBLE)), axis=0, return_index=True)
    half = 0.32 * sheet.text
    sheet.items.append(
        PlacedPath(
            tuple(np.array([(x, y - half), (x, y + half)]) for x, y in points[np.sort(first)]),
            mark.role,
            0.75 * sheet.line,
            name=shape_name("Censored", mark.name),
        )
    )


def _draw_point_interval(sheet: Sheet, frame: PlacedPanel, mark: PointInterval) -> None:
    axis = frame.panel.x
    y = float(frame.y(mark.y))
    name = shape_name("Estimate", mark.name)
    low_end, high_end = min(axis.low, axis.high), max(axis.low, axis.high)
    half = 0.36 * sheet.text * max(0.45, float(np.sqrt(mark.size)))
    if mark.low is not None or mark.high is not None:
        low = low_end if mark.low is None else mark.low
        high = high_end if mark.high is None else mark.high
        if low <= high_end and high >= low_end:
            x0 = float(frame.x(max(low, low_end)))
            x1 = float(frame.x(min(high, high_end)))
            sheet.stroke([(x0, y), (x1, y)], mark.role, sheet.line, name=name)
            tip = 0.42 * sheet.text
            # an open or clipped end points on
            if low < low_end or mark.low is None:
                sheet.fill(
                    [(x0 - 1, y), (x0 + tip, y - tip / 2), (x0 + tip, y + tip / 2)], mark.role
                )
            if high > high_end or mark.high is None:
                sheet.fill(
                    [(x1 + 1, y), (x1 - tip, y - tip / 2), (x1 - tip, y + tip / 2)], mark.role
                )
    if not low_end <= mark.x <= high_end:
        return
    x = float(frame.x(mark.x))
    if mark.shape == "square":
        ring = rectangle(x - half, y - half, x + half, y + half)
    elif mark.shape == "diamond":
        ring = np.array([(x - 1.4 * half, y), (x, y - half), (x + 1.4 * half, y), (x, y + half)])
    else:
        turn = np.linspace(0, 2 * np.pi, 25)[:-1]
        ring = np.column_stack((x + half * np.cos(turn), y + half * np.sin(turn)))
    sheet.fill(ring, mark.role, name=name)


def _draw_bar(sheet: Sheet, frame: PlacedPanel, mark: Bar) -> None:
    low, high = mark.position - mark.thickness / 2, mark.position + mark.thickness / 2
    if mark.orientation == "vertical":
        xs, ys = frame.x(np.array([low, high])), frame.y(np.array([mark.start, mark.end]))
    else:
        xs, ys = frame.x(np.array([mark.start, mark.end])), frame.y(np.array([low, high]))
    sheet.fill(
        rectangle(float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())),
        mark.role,
        name=mark.name,
    )


def draw_rule(sheet: Sheet, frame: PlacedPanel, mark: Rule) -> None:
    """Draw a reference line."""
    width = 0.6 * sheet.line
    if mark.axis == "x":
        x = float(frame.x(mark.at))
        y0 = frame.bottom if mark.start is None else float(frame.y(mark.start))
        y1 = frame.top if mark.end is None else float(frame.y(mark.end))
        points = [(x, y0), (x, y1)]
    else:
        y = float(frame.y(mark.at))
        x0 = frame.left if mark.start is None else float(frame.x(mark.start))
        x1 = frame.right if mark.end is None else float(frame.x(mark.end))
        points = [(x0, y), (x1, y)]
    sheet.stroke(
        points, mark.role, width, dash=mark.dash, name=shape_name("Reference line", mark.name)
    )


def draw_arrow(
    sheet: Sheet,
    start: tuple[float, float],
    end: tuple[float, float],
    role: Role,
    name: str = "",
    *,
    dash: Dash = Dash.SOLID,
) -> None:
    """Draw a line with a filled tip at ``end``."""
    tip = 0.5 * sheet.text
    direction = np.subtract(end, start)
    length = float(np.hypot(*direction))
    if length == 0:
        return
    along = direction / length
    across = np.array([-along[1], along[0]])
    base = np.asarray(end) - along * tip
    line = [start, (float(base[0]), float(base[1]))]
    sheet.stroke(line, role, 0.7 * sheet.line, dash=dash, name=name)
    sheet.fill(
        np.array([end, base + across * tip * 0.42, base - across * tip * 0.42]), role, name=name
    )
