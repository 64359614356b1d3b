"""Placing a diagram: boxes in rows and columns, joined by arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sts_core.figures.fonts import FontMetrics
from sts_core.figures.marks import (
    Box,
    BoxLine,
    Dash,
    Diagram,
    Figure,
    Role,
)
from sts_core.figures.panel_layout import (
    draw_arrow,
)
from sts_core.figures.placed import (
    ASCENT,
    PlacedArea,
    PlacedFigure,
)
from sts_core.figures.sheet import (
    BOLD,
    LINE_HEIGHT,
    Sheet,
    finish,
    place_footnotes,
    place_heading,
    rectangle,
)
from sts_core.figures.theme import FigureSize


def place_diagram(
    figure: Figure, diagram: Diagram, size: FigureSize, metrics: FontMetrics
) -> PlacedFigure:
    """Place a diagram on a page; see :func:`sts_core.figures.layout.layout`."""
    placed = None
    for scale in (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.52):
        trial = replace(size, text=max(size.least, size.text * scale))
        placed = _draw_diagram(figure, diagram, trial, metrics)
        if size.room is None or placed.height <= size.room + 0.01:
            break
    assert placed is not None
    return placed


def _draw_diagram(
    figure: Figure, diagram: Diagram, size: FigureSize, metrics: FontMetrics
) -> PlacedFigure:
    sheet = Sheet(size, metrics)
    text = sheet.text
    step = LINE_HEIGHT * text
    content = size.width - 2 * size.margin
    top = place_heading(sheet, figure, content, size.margin)
    pad = 0.7 * text
    gap_x, gap_y = 2.6 * text, 1.15 * text
    n_columns = 1 + max((box.column for box in diagram.boxes), default=0)
    natural = [
        max(
            (
                sheet.measure(line.text, None, BOLD if line.bold else 400)
                for box in diagram.boxes
                if box.column == column and not box.narrow
                for line in box.lines
            ),
            default=0.0,
        )
        + 0.01
        for column in range(n_columns)
    ]
    room = content - gap_x * (n_columns - 1) - 2 * pad * n_columns
    inner = dict(enumerate(_shared_widths(natural, room)))
    widths = {column: inner[column] + 2 * pad for column in inner}
    used = sum(widths.values()) + gap_x * (n_columns - 1)
    lefts = {}
    x = size.margin + max(content - used, 0.0) / 2
    for column in range(n_columns):
        lefts[column] = x
        x += widths[column] + gap_x
    written = {
        box.key: [
            (piece, line)
            for line in box.lines
            for piece in sheet.wrapped(
                line.text, inner[box.column], None, BOLD if line.bold else 400
            )
        ]
        for box in diagram.boxes
    }
    edges: dict[str, tuple[float, float, float, float]] = {}
    bottom = top + 2.0
    for trunk in range(-(-n_columns // 2)):
        own = [box for box in diagram.boxes if box.column // 2 == trunk]
        y = top + 2.0
        for row in sorted({box.row for box in own}):
            beside = [box for box in own if box.row == row]
            height = max(len(written[box.key]) * step + 2 * pad for box in beside)
            for box in beside:
                high = len(written[box.key]) * step + 2 * pad
                box_top = y + (height - high) / 2
                left = lefts[box.column]
                edges[box.key] = (left, box_top, left + widths[box.column], box_top + high)
            bottom = max(bottom, y + height)
            y += height + gap_y
    _draw_connectors(sheet, diagram, edges, gap_x)
    for box in diagram.boxes:
        _draw_box(sheet, box, edges[box.key], written[box.key], pad)
    y = place_footnotes(sheet, figure, content, bottom)
    height = y + size.margin
    if size.height is not None:
        height = max(height, size.height)
    return finish(sheet, figure, size.width, height, ())


def _shared_widths(natural: Sequence[float], room: float) -> list[float]:
    """Share a width: columns that need less than an equal part leave the rest to the others."""
    widths = dict.fromkeys(range(len(natural)), 0.0)
    open_columns = sorted(widths, key=lambda column: natural[column])
    for place, column in enumerate(open_columns):
        widths[column] = min(natural[column], room / (len(open_columns) - place))
        room -= widths[column]
    return [widths[column] for column in range(len(natural))]


def _draw_connectors(
    sheet: Sheet,
    diagram: Diagram,
    edges: dict[str, tuple[float, float, float, float]],
    gap: float,
) -> None:
    for connector in diagram.connectors:
        start, end = edges[connector.start], edges[connector.end]
        trunk = (start[0] + start[2]) / 2
        dash = Dash.DASHED if connector.dashed else Dash.SOLID
        if connector.kind == "down":
            draw_arrow(sheet, (trunk, start[3]), (trunk, end[1]), Role.AXIS, "Arrow")
        elif connector.kind == "on":
            # from the foot of one trunk, up between the columns, to the head of the next
            foot, head = (start[1] + start[3]) / 2, (end[1] + end[3]) / 2
            between = end[0] - gap / 2
            way = [(start[2], foot), (between, foot), (between, head)]
            sheet.stroke(way, Role.AXIS, 0.7 * sheet.line, name="Arrow")
            draw_arrow(sheet, (between, head), (end[0], head), Role.AXIS, "Arrow")
        else:
            level = (end[1] + end[3]) / 2
            draw_arrow(sheet, (trunk, level), (end[0], level), Role.AXIS, "Arrow", dash=dash)


def _draw_box(
    sheet: Sheet,
    box: Box,
    edge: tuple[float, float, float, float],
    lines: Sequence[tuple[str, BoxLine]],
    pad: float,
) -> None:
    step = LINE_HEIGHT * sheet.text
    if box.members is not None:
        label = " ".join(line.text for line in box.lines[:2])
        sheet.areas.append(PlacedArea(*edge, label, box.members))
    sheet.fill(
        rectangle(*edge),
        Role.STRIPE if box.emphasis else Role.SURFACE,
        stroke=box.role,
        width=0.7 * sheet.line,
        dash=Dash.DASHED if box.dashed else Dash.SOLID,
        name=f"Box: {' '.join(line.text for line in box.lines[:2])}",
    )
    top = edge[1] + pad
    for text, line in lines:
        weight = BOLD if line.bold else 400
        sheet.write(edge[0] + pad, top + ASCENT * sheet.text, text, weight=weight, role=line.role)
        if line.members is not None:
            right = edge[0] + pad + sheet.measure(text, None, weight)
            sheet.areas.append(
                PlacedArea(edge[0] + pad, top, right, top + step, line.text, line.members)
            )
        top += step
