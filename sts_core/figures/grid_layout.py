"""Placing a row grid: columns of text and panels over common rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sts_core.figures.fonts import FontMetrics
from sts_core.figures.marks import (
    Figure,
    Panel,
    Role,
    RowGrid,
    TextColumn,
)
from sts_core.figures.panel_layout import (
    draw_panel,
    draw_x_axis,
    x_axis_height,
)
from sts_core.figures.placed import (
    ASCENT,
    Anchor,
    PlacedFigure,
    PlacedPanel,
)
from sts_core.figures.sheet import (
    BOLD,
    LINE_HEIGHT,
    Sheet,
    finish,
    footnote_height,
    place_footnotes,
    place_heading,
    rectangle,
)
from sts_core.figures.theme import FigureSize


def place_rows(
    figure: Figure, grid: RowGrid, size: FigureSize, metrics: FontMetrics
) -> PlacedFigure:
    """Place a row grid on a page; see :func:`sts_core.figures.layout.layout`."""
    trial, widths = _fitting(grid, size, metrics)
    page_width = max(size.width, sum(widths) + 2 * trial.margin)
    sheet = Sheet(replace(trial, width=page_width), metrics)
    content = page_width - 2 * trial.margin
    top = place_heading(sheet, figure, content, trial.margin)
    return _draw_grid(sheet, figure, grid, widths, top, page_width)


def row_heights(grid: RowGrid, size: FigureSize, metrics: FontMetrics) -> list[float]:
    """Give the height of every row on a page, without the air of a half empty one."""
    trial, widths = _fitting(grid, size, metrics)
    sheet = Sheet(trial, metrics)
    gap = _COLUMN_GAP * sheet.text
    return _heights(
        sheet, grid, [(item, width - gap) for item, width in zip(grid.items, widths, strict=True)]
    )


def _fitting(
    grid: RowGrid, size: FigureSize, metrics: FontMetrics
) -> tuple[FigureSize, list[float]]:
    """Make the text smaller until all columns fit beside each other."""
    for scale in (1.0, 0.9, 0.8, 0.72, 0.65):
        trial = replace(size, text=max(size.least, size.text * scale))
        widths = _grid_widths(Sheet(trial, metrics), grid)
        if sum(widths) + 2 * trial.margin <= size.width + 0.01:
            break
        if size.height is None and scale <= 0.72:
            break
    return trial, widths


def _heights(
    sheet: Sheet, grid: RowGrid, columns: Sequence[tuple[TextColumn | Panel, float]]
) -> list[float]:
    step = LINE_HEIGHT * sheet.text
    return [
        step
        * max(
            [
                len(_cell_lines(sheet, item, row, width))
                for item, width in columns
                if isinstance(item, TextColumn)
            ]
            or [1]
        )
        + 0.32 * sheet.text
        for row in range(grid.n_rows)
    ]


_PANEL_LEAST = 11.0  # width in ems
_PANEL_NARROWEST = 7.0
_CELL_LEAST = 6.0
_COLUMN_GAP = 1.1
_INDENT = 1.0


def _cell_lines(sheet: Sheet, column: TextColumn, row: int, width: float) -> tuple[str, ...]:
    cell = column.cells[row]
    weight = BOLD if cell.bold else 400
    return sheet.wrapped(cell.text, width - cell.indent * _INDENT * sheet.text + 0.01, None, weight)


def _grid_widths(sheet: Sheet, grid: RowGrid) -> list[float]:
    """Give the width of every item; the first column is wrapped where room is short.

    After it the panels give way, then, for the smallest text only, the other columns.
    """
    grid = grid.whole or grid
    gap = _COLUMN_GAP * sheet.text
    widths: list[float] = []
    panels = [i for i, item in enumerate(grid.items) if isinstance(item, Panel)]
    for item in grid.items:
        if isinstance(item, Panel):
            widths.append(_PANEL_LEAST * sheet.text + gap)
            continue
        header = max(
            (sheet.measure(line, None, BOLD) for line in item.header.splitlines()), default=0.0
        )
        cells = [
            sheet.measure(cell.text, None, BOLD if cell.bold else 400)
            + cell.indent * _INDENT * sheet.text
            for cell in item.cells
        ]
        widths.append(max([header, *cells]) + gap)
    spare = sheet.size.width - 2 * sheet.size.margin - sum(widths)
    if spare < 0 and grid.items and isinstance(grid.items[0], TextColumn):
        least = 11 * sheet.text
        taken = min(-spare, max(widths[0] - least, 0.0))
        widths[0] -= taken
        spare += taken
    if spare < 0 and sheet.text <= sheet.size.least + 0.01:
        least_of = {
            i: (_PANEL_NARROWEST if i in panels else _CELL_LEAST) * sheet.text + gap
            for i in range(len(widths))
        }
        for group in (panels, [i for i in range(1, len(widths)) if i not in panels]):
            give = {i: max(widths[i] - least_of[i], 0.0) for i in group}
            total = sum(give.values())
            if spare < 0 < total:
                share = min(1.0, -spare / total)
                for i in group:
                    widths[i] -= share * give[i]
                spare += share * total
    if spare > 0 and panels:
        share = spare / len(panels)
        for i in panels:
            widths[i] += share
    return widths


def _draw_grid(
    sheet: Sheet,
    figure: Figure,
    grid: RowGrid,
    widths: Sequence[float],
    top: float,
    page_width: float,
) -> PlacedFigure:
    size, text = sheet.size, sheet.text
    gap = _COLUMN_GAP * text
    lefts = np.concatenate(([0.0], np.cumsum(widths)[:-1])) + size.margin
    columns = [
        (item, float(left), width - gap)
        for item, left, width in zip(grid.items, lefts, widths, strict=True)
    ]
    top = _draw_grid_headers(sheet, columns, top)
    heights = _heights(sheet, grid, [(item, width) for item, _, width in columns])
    footer = max(
        (
            x_axis_height(sheet, item.x, width)
            for item, _, width in columns
            if isinstance(item, Panel)
        ),
        default=0.0,
    )
    content = page_width - 2 * size.margin
    if size.height is not None and grid.n_rows:
        room = size.height - top - footer - footnote_height(sheet, figure, content) - size.margin
        extra = (room - sum(heights)) / grid.n_rows
        # a half empty slide looks better with air between the rows, but not too much of it
        heights = [height + min(max(extra, 0.0), 0.9 * text) for height in heights]
    edges = top + np.concatenate(([0.0], np.cumsum(heights)))
    centres = tuple(float(c) for c in (edges[:-1] + edges[1:]) / 2)
    for row in grid.striped:
        sheet.fill(
            rectangle(size.margin, edges[row], page_width - size.margin, edges[row + 1]),
            Role.STRIPE,
            name="Stripe",
        )
    frames = []
    y = float(edges[-1])
    for item, left, width in columns:
        if isinstance(item, TextColumn):
            _draw_text_column(sheet, item, left, width, centres)
            continue
        frame = PlacedPanel(left, top, width, float(edges[-1]) - top, item, centres)
        frames.append(frame)
        draw_panel(sheet, frame)
        y = max(y, draw_x_axis(sheet, frame))
    y = place_footnotes(sheet, figure, content, y)
    height = y + size.margin
    if size.height is not None:
        height = max(height, size.height)
    return finish(sheet, figure, page_width, height, frames)


def _draw_grid_headers(
    sheet: Sheet, columns: Sequence[tuple[TextColumn | Panel, float, float]], top: float
) -> float:
    text = sheet.text
    step = LINE_HEIGHT * text
    spanners: list[tuple[str, float, float]] = []
    for item, left, width in columns:
        spanner = item.spanner if isinstance(item, TextColumn) else item.title
        if spanners and spanner and spanners[-1][0] == spanner:
            spanners[-1] = (spanner, spanners[-1][1], left + width)
        else:
            spanners.append((spanner, left, left + width))
    if any(name for name, _, _ in spanners):
        for name, left, right in spanners:
            if not name:
                continue
            sheet.write(
                (left + right) / 2,
                top + ASCENT * text,
                name,
                weight=BOLD,
                anchor="middle",
                name="Spanner",
            )
            sheet.stroke(
                [(left, top + step + 0.5), (right, top + step + 0.5)], Role.AXIS, 0.4 * sheet.line
            )
        top += step + 2.5
    heads = [
        (item, left, width, item.header.splitlines())
        for item, left, width in columns
        if isinstance(item, TextColumn)
    ]
    deepest = max((len(lines) for *_, lines in heads), default=0)
    for item, left, width, lines in heads:
        x = _anchored(item.align, left, width)
        for i, line in enumerate(lines):
            y = top + (deepest - len(lines) + i) * step + ASCENT * text
            sheet.write(x, y, line, weight=BOLD, anchor=item.align, name="Column heading")
    top += deepest * step + 1.5
    if heads:
        left = columns[0][1]
        right = columns[-1][1] + columns[-1][2]
        sheet.stroke([(left, top), (right, top)], Role.AXIS, 0.5 * sheet.line, name="Rule")
    return top + 2.0


def _anchored(anchor: Anchor, left: float, width: float) -> float:
    return left + {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * width


def _draw_text_column(
    sheet: Sheet, column: TextColumn, left: float, width: float, centres: Sequence[float]
) -> None:
    text = sheet.text
    step = LINE_HEIGHT * text
    for row, cell in enumerate(column.cells):
        lines = _cell_lines(sheet, column, row, width)
        y = centres[row] - (len(lines) - 1) * step / 2 + 0.35 * text
        x = _anchored(column.align, left, width)
        if column.align == "start":
            x += cell.indent * _INDENT * text
        for line in lines:
            sheet.write(
                x,
                y,
                line,
                role=cell.role,
                weight=BOLD if cell.bold else 400,
                anchor=column.align,
                name=f"Cell: {column.header}".strip(),
            )
            y += step
