"""Placing small multiples: charts of equal axes in rows and columns, each with its own rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sts_core.figures.fonts import FontMetrics
from sts_core.figures.key_layout import SAMPLE, draw_sample
from sts_core.figures.marks import Axis, Figure, KeyEntry, Role, SmallChart, SmallMultiples
from sts_core.figures.panel_layout import draw_panel, draw_x_axis, draw_y_axis, thinned_ticks
from sts_core.figures.placed import ASCENT, PlacedFigure, PlacedPanel
from sts_core.figures.sheet import (
    BOLD,
    LINE_HEIGHT,
    Sheet,
    finish,
    footnote_height,
    place_footnotes,
    place_heading,
    shortened_notes,
)
from sts_core.figures.theme import FigureSize

#: Least width of a panel, in the text's size; the second one for two beside each other.
_NARROW, _NARROWEST = 12.0, 8.5
_SHAPE = 0.62  # height of a panel by its width
_FLATTEST = 0.38
_LOWEST = 5.5  # least height of a panel, in the text's size
#: On a page of fixed height: scale of the text, and parts of the captions.
_STEPS = ((1.0, 4), (0.92, 3), (0.85, 2), (0.77, 2))
#: The same on a page as high as need be.
_FREE_STEPS = ((1.0, 4), (1.0, 2))
_SLIDE_NOTES = 2


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where the columns stand, and how the axis is labelled there."""

    columns: int
    width: float
    lefts: tuple[float, ...]
    x: Axis
    kept: tuple[int, ...]

    def rows(self, charts: Sequence[SmallChart]) -> list[Sequence[SmallChart]]:
        """Give the charts of each row."""
        return [charts[i : i + self.columns] for i in range(0, len(charts), self.columns)]


def place_multiples(
    figure: Figure, body: SmallMultiples, size: FigureSize, metrics: FontMetrics
) -> PlacedFigure:
    """Place small multiples on a page; see :func:`sts_core.figures.layout.layout`.

    On a page of fixed height, charts that would stand in one row stand in two where this gives
    larger panels and text.
    """
    first = _fitted(figure, body, size, metrics)
    n = len(body.charts)
    in_a_row = len({panel.left for panel in first.panels}) == n > 2
    if size.height is None or not in_a_row:
        return first
    two_rows = _fitted(figure, body, size, metrics, math.ceil(n / 2))
    fits = two_rows.height <= size.height + 0.01
    return two_rows if fits and _legible(two_rows) > _legible(first) else first


def _legible(placed: PlacedFigure) -> float:
    """Measure how large panels and their text are."""
    panel = placed.panels[0]
    return panel.width * panel.height * placed.text_size**2


def _fitted(
    figure: Figure,
    body: SmallMultiples,
    size: FigureSize,
    metrics: FontMetrics,
    columns: int | None = None,
) -> PlacedFigure:
    """Place the charts in so many columns, as many as there may be when ``None``."""
    trial, shorter = size, figure
    for scale, parts in _STEPS if size.height is not None else _FREE_STEPS:
        trial = replace(size, text=max(size.least, size.text * scale))
        if size.height is not None:
            shorter = shortened_notes(figure, trial, metrics, _SLIDE_NOTES)
        placed = _place(shorter, _captioned(body, parts), trial, metrics, columns)
        if size.room is None or placed.height <= size.room + 0.01:
            break
    return placed


def _captioned(body: SmallMultiples, parts: int) -> SmallMultiples:
    """Keep the first parts of the captions."""
    return replace(
        body,
        charts=tuple(
            replace(chart, caption="\n".join(chart.caption.split("\n")[:parts]))
            for chart in body.charts
        ),
    )


def pages_of(
    figure: Figure, body: SmallMultiples, size: FigureSize, metrics: FontMetrics
) -> list[SmallMultiples]:
    """Share charts among pages, whole rows on each, about equally many."""
    assert size.room is not None
    grid = _grid(Sheet(_smallest(size), metrics), body)
    rows = grid.rows(body.charts)
    for count in range(1, len(rows) + 1):
        most = math.ceil(len(rows) / count)
        parts = [
            replace(body, charts=tuple(chart for row in rows[i : i + most] for chart in row))
            for i in range(0, len(rows), most)
        ]
        if all(
            place_multiples(figure, part, size, metrics).height <= size.room + 0.01
            for part in parts
        ):
            return parts
    return [replace(body, charts=tuple(row)) for row in rows]


def _smallest(size: FigureSize) -> FigureSize:
    if size.height is None:
        return size
    return replace(size, text=max(size.least, size.text * _STEPS[-1][0]))


def _place(
    figure: Figure,
    body: SmallMultiples,
    size: FigureSize,
    metrics: FontMetrics,
    columns: int | None = None,
) -> PlacedFigure:
    sheet = Sheet(size, metrics)
    content = size.width - 2 * size.margin
    top = place_heading(sheet, figure, content, size.margin)
    for note in body.notes:
        top = sheet.paragraph(
            size.margin, top, note, content, size=sheet.small, role=body.notes_role, name="Note"
        )
    top = _above(sheet, body, content, top)
    grid = _grid(sheet, body, columns)
    rows = grid.rows(body.charts)
    heads = [_head_height(sheet, row, grid.width) for row in rows]
    below = _below_height(sheet, body)
    title_lines = sheet.wrapped(grid.x.title, content) if grid.x.title else ()
    foot = len(title_lines) * LINE_HEIGHT * sheet.text + footnote_height(sheet, figure, content)
    height = min(_SHAPE * grid.width, size.plot_height)
    lowest = _LOWEST * sheet.text
    if size.room is not None:
        room = size.room - top - foot - size.margin - sum(heads) - below * len(rows)
        fixed = size.height is not None
        most = 0.8 * grid.width if fixed else height
        height = min(max(room / len(rows), lowest if fixed else _FLATTEST * grid.width), most)
    height = max(height, lowest)
    frames: list[PlacedPanel] = []
    for row, head in zip(rows, heads, strict=True):
        for number, chart in enumerate(row):
            frame = PlacedPanel(grid.lefts[number], top + head, grid.width, height, chart.panel)
            frames.append(_draw_chart(sheet, chart, frame, grid, body, first=number == 0))
        top += head + height + below
    for line in title_lines:
        sheet.write(
            size.width / 2, top + ASCENT * sheet.text, line, anchor="middle", name="x title"
        )
        top += LINE_HEIGHT * sheet.text
    y = place_footnotes(sheet, figure, content, top)
    page = y + size.margin
    if size.height is not None:
        page = max(page, size.height)
    return finish(sheet, figure, size.width, page, frames)


def _above(sheet: Sheet, body: SmallMultiples, content: float, top: float) -> float:
    """Write what the upright axes are, and what the symbols mean, in one line where it fits."""
    size = sheet.size
    step = LINE_HEIGHT * sheet.small
    title = body.charts[0].panel.y.title
    symbols = sum(_symbol_width(sheet, symbol) for symbol in body.symbols)
    if title:
        lines = sheet.wrapped(title, content, sheet.small, BOLD)
        alone = symbols and sheet.measure(lines[-1], sheet.small, BOLD) + symbols > content
        for line in lines:
            sheet.write(
                size.margin, top + ASCENT * sheet.small, line, size=sheet.small, weight=BOLD,
                name="y title",
            )  # fmt: skip
            top += step
        if not alone:
            top -= step
    x = size.margin + content - symbols
    for symbol in body.symbols:
        draw_sample(sheet, symbol, x, top + 0.5 * sheet.small, sheet.small)
        at = x + (SAMPLE + 0.5) * sheet.small
        sheet.write(at, top + ASCENT * sheet.small, symbol.label, size=sheet.small, role=Role.MUTED)
        x += _symbol_width(sheet, symbol)
    return top + (step if title or body.symbols else 0.0) + 3.0


def _symbol_width(sheet: Sheet, symbol: KeyEntry) -> float:
    return (SAMPLE + 1.0) * sheet.small + sheet.measure(symbol.label, sheet.small)


def _grid(sheet: Sheet, body: SmallMultiples, wanted: int | None = None) -> _Grid:
    size, first = sheet.size, body.charts[0]
    cells = [cell for chart in body.charts for row in chart.rows for cell in row.cells]
    widest = max((sheet.measure(cell, sheet.small) for cell in cells), default=0.0)
    names = [sheet.measure(row.name, sheet.small) for row in first.rows]
    marks = max((sheet.measure(label) for label in first.panel.y.tick_labels), default=0.0)
    left = size.margin + max(marks + 7.0, max(names, default=0.0) + widest / 2 + 5.0)
    last_label = max((sheet.measure(label) for label in first.panel.x.tick_labels), default=0.0)
    right = size.margin + max(widest, last_label) / 2
    gap = max(1.1 * sheet.text, max(widest, last_label) + 3.0)
    room = size.width - left - right
    n = len(body.charts)
    columns = 1
    for least in (_NARROW, _NARROWEST):
        if columns < 2:
            columns = max(1, min(n, int((room + gap) / (least * sheet.text + gap))))
    if wanted is not None:
        columns = min(columns, wanted)
    columns = math.ceil(n / math.ceil(n / columns))
    width = (room - gap * (columns - 1)) / columns
    x, kept = thinned_ticks(first.panel.x, width, widest, sheet.measure)
    lefts = tuple(left + i * (width + gap) for i in range(columns))
    return _Grid(columns, width, lefts, x, kept)


def caption_lines(
    caption: str,
    width: float,
    wrap: Callable[[str, float], tuple[str, ...]],
    measure: Callable[[str], float],
) -> tuple[str, ...]:
    """Give a caption as one line where it fits, else with a line for each of its parts."""
    if not caption:
        return ()
    whole = caption.replace("\n", ", ")
    return (whole,) if measure(whole) <= width else wrap(caption, width)


def _head_lines(
    sheet: Sheet, chart: SmallChart, width: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    caption = caption_lines(
        chart.caption,
        width,
        lambda text, room: sheet.wrapped(text, room, sheet.small),
        lambda text: sheet.measure(text, sheet.small),
    )
    return sheet.wrapped(chart.name, width, sheet.small, BOLD), caption


def _head_height(sheet: Sheet, row: Sequence[SmallChart], width: float) -> float:
    lines = max(sum(map(len, _head_lines(sheet, chart, width))) for chart in row)
    return lines * LINE_HEIGHT * sheet.small + 4.0


def _below_height(sheet: Sheet, body: SmallMultiples) -> float:
    rows = len(body.charts[0].rows) if body.positions else 0
    axis = 5.0 + LINE_HEIGHT * sheet.text
    return axis + rows * LINE_HEIGHT * sheet.small + 0.9 * sheet.text


def _draw_chart(
    sheet: Sheet,
    chart: SmallChart,
    frame: PlacedPanel,
    grid: _Grid,
    body: SmallMultiples,
    *,
    first: bool,
) -> PlacedPanel:
    size = sheet.small
    step = LINE_HEIGHT * size
    name, caption = _head_lines(sheet, chart, frame.width)
    # names stand on the panel: a longer one in the row leaves room above, not below
    y = frame.top - 4.0 - step * (len(name) + len(caption))
    for line in name:
        sheet.write(
            frame.left, y + ASCENT * size, line, size=size, weight=BOLD, role=chart.role,
            name=f"Panel: {chart.name}",
        )  # fmt: skip
        y += step
    for line in caption:
        sheet.write(
            frame.left, y + ASCENT * size, line, size=size, role=Role.MUTED,
            name=f"Numbers: {chart.name}",
        )  # fmt: skip
        y += step
    upright = chart.panel.y
    blank = tuple("" for _ in upright.tick_labels)
    panel = replace(
        chart.panel,
        x=replace(grid.x, title=""),
        y=replace(upright, title="", tick_labels=upright.tick_labels if first else blank),
    )
    frame = replace(frame, panel=panel)
    draw_panel(sheet, frame)
    draw_y_axis(sheet, frame)
    y = draw_x_axis(sheet, frame) + 1.0
    if not body.positions:
        return frame
    places = frame.x(np.array(body.positions))
    labels = max((sheet.measure(row.name, size) for row in chart.rows), default=0.0)
    for row in chart.rows:
        if first:
            sheet.write(
                sheet.size.margin + labels, y + ASCENT * size, row.name, size=size,
                role=Role.MUTED, anchor="end", name=f"Table row: {row.name}",
            )  # fmt: skip
        for i in grid.kept:
            sheet.write(
                float(places[i]), y + ASCENT * size, row.cells[i], size=size, anchor="middle",
                name=f"Table cell: {chart.name} {row.name}",
            )  # fmt: skip
        y += step
    return frame
