"""Placing a chart: its panel, its key and the table under the same axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sts_core.display import joined
from sts_core.figures.end_labels import END_GAP, EndPlan, draw_ends, plan_ends
from sts_core.figures.fonts import FontMetrics
from sts_core.figures.key_layout import SAMPLE, KeyBlock, draw_key, free_corner, measure_key
from sts_core.figures.marks import Chart, Figure, Key, TableStrip
from sts_core.figures.panel_layout import (
    draw_panel,
    draw_x_axis,
    draw_y_axis,
    thinned_ticks,
    x_axis_height,
    y_title_lines,
)
from sts_core.figures.placed import PlacedFigure, PlacedPanel
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
from sts_core.figures.strip_layout import (
    StripPlan,
    choose_short_strip,
    choose_strip,
    draw_strip,
    folded_columns,
    label_width,
    lasting_columns,
    part_of_strip,
    strip_height,
    widest_cell,
)
from sts_core.figures.theme import FigureSize

Chooser = Callable[[TableStrip, Callable[[StripPlan], bool]], StripPlan]
_LEAST_WIDTH, _LEAST_HEIGHT = 60.0, 60.0
#: A table that leaves the panel less of a page of fixed height than this is shortened.
_PANEL_SHARE = 0.5
#: Below this share the words are made smaller and notes are left out, step by step.
_LEAST_SHARE = 0.5
#: Scale of the text, and lines of footnotes (all of them for ``None``).
_STEPS = ((0.92, None), (0.92, 3), (0.85, 2), (0.78, 2))


@dataclass(frozen=True, slots=True)
class _Margins:
    """What stands left, right and below a panel."""

    left: float
    right: float
    plan: StripPlan | None
    labels: float
    folded: Key | None = None
    columns_from: float = 0.0  # from the panel's right edge
    ends: EndPlan | None = None


def place_chart(
    figure: Figure, chart: Chart, size: FigureSize, metrics: FontMetrics
) -> PlacedFigure:
    """Place a chart on a page; see :func:`sts_core.figures.layout.layout`."""
    placed = _placed_with(figure, chart, size, metrics)
    if size.height is None:
        return placed
    for scale, n_lines in _STEPS:
        if placed.panels[0].height >= _LEAST_SHARE * size.height:
            break
        smaller = replace(size, text=max(size.text * scale, size.least))
        shorter = figure if n_lines is None else shortened_notes(figure, smaller, metrics, n_lines)
        placed = _placed_with(shorter, chart, smaller, metrics)
    return placed


def _placed_with(
    figure: Figure, chart: Chart, size: FigureSize, metrics: FontMetrics
) -> PlacedFigure:
    sheet = Sheet(size, metrics)
    content = size.width - 2 * size.margin
    top = place_heading(sheet, figure, content, size.margin)
    chart = _with_legible_ticks(sheet, chart)
    margins = _margins(sheet, chart, choose_strip)
    frame = _frame(sheet, figure, chart, margins, top)
    if (
        size.height is not None
        and margins.plan is not None
        and margins.plan.mode == "stacked"
        and frame.height < _PANEL_SHARE * size.height
    ):
        margins = _margins(sheet, chart, choose_short_strip)
        frame = _frame(sheet, figure, chart, margins, top)
    if margins.ends is not None:
        if margins.ends.heights(sheet.small).sum() > frame.height:
            # more names than lines beside the panel: a key then
            return _placed_with(figure, replace(chart, ends=()), size, metrics)
        chart = _without_entries(chart)
    inside: KeyBlock | None = None
    if chart.key is not None:
        inside = _inside(sheet, chart.key, frame)
        if inside is None and size.height is not None and _is_foldable(chart):
            margins = _margins(sheet, chart, choose_short_strip, fold=True)
            frame = _frame(sheet, figure, chart, margins, top)
            rest = replace(chart.key, entries=(), headers=())
            inside = _inside(sheet, rest, frame)
            if inside is None:
                top = _key_above(sheet, rest, margins.left, top)
                frame = _frame(sheet, figure, chart, margins, top)
        elif inside is None:
            top = _key_above(sheet, chart.key, margins.left, top)
            frame = _frame(sheet, figure, chart, margins, top)
    if chart.panel.title:
        sheet.write(frame.left, frame.top - 5.0, chart.panel.title, weight=BOLD)
    draw_panel(sheet, frame)
    if margins.ends is not None:
        draw_ends(sheet, frame, margins.ends)
    if inside is not None:
        draw_key(sheet, inside)
    draw_y_axis(sheet, frame)
    y = draw_x_axis(sheet, frame)
    if margins.plan is not None and chart.strip is not None:
        y = draw_strip(
            sheet,
            frame,
            chart.strip,
            margins.plan,
            margins.labels,
            y,
            margins.folded,
            frame.right + margins.columns_from,
        )
    y = place_footnotes(sheet, _noted(figure, chart, margins.plan), content, y)
    height = y + size.margin
    if size.height is not None:
        height = max(height, size.height)
    return finish(sheet, figure, frame.right + margins.right, height, (frame,))


def _without_entries(chart: Chart) -> Chart:
    key = chart.key
    return replace(chart, key=key and replace(key, entries=(), headers=(), spare=()))


def _with_legible_ticks(sheet: Sheet, chart: Chart) -> Chart:
    """Leave out labels and columns where ticks stand closer than their numbers are wide."""
    strip = chart.strip
    if strip is None or strip.positions != chart.panel.x.ticks:
        return chart
    size = sheet.size
    widest = max(
        (
            sheet.measure(cell, sheet.small)
            for group in strip.groups
            for row in group.rows
            for cell in row.cells
        ),
        default=0.0,
    )
    # on a page of fixed height the key's columns may stand beside the panel
    share = 0.66 if size.height is None else 0.44
    x, kept = thinned_ticks(chart.panel.x, share * size.width, widest, sheet.measure)
    if kept == tuple(range(len(x.ticks))):
        return chart
    return replace(chart, panel=replace(chart.panel, x=x), strip=part_of_strip(strip, kept))


def _noted(figure: Figure, chart: Chart, plan: StripPlan | None) -> Figure:
    """Say what the table under the axis had no room for."""
    if plan is None or plan.mode != "first" or chart.strip is None:
        return figure
    names = [row.name.lower() for group in chart.strip.groups[:1] for row in group.rows[1:]]
    if not names:
        return figure
    left_out = f"Left out under the axis for want of room: {joined(names)}."
    return replace(figure, footnotes=(left_out, *figure.footnotes))


def _frame(
    sheet: Sheet, figure: Figure, chart: Chart, margins: _Margins, top: float
) -> PlacedPanel:
    """Give the panel's place under a heading that ends at ``top``."""
    size = sheet.size
    width = max(size.width - margins.left - margins.right, _LEAST_WIDTH)
    top += 4.0 + (LINE_HEIGHT * sheet.text if chart.panel.title else 0.0)
    height = size.plot_height
    if size.height is not None:
        below = x_axis_height(sheet, chart.panel.x, width) + size.margin
        noted = _noted(figure, chart, margins.plan)
        below += footnote_height(sheet, noted, size.width - 2 * size.margin)
        if margins.plan is not None:
            below += strip_height(sheet, margins.plan, margins.labels, margins.folded)
        height = max(size.height - top - below, _LEAST_HEIGHT)
    return PlacedPanel(margins.left, top, width, height, chart.panel)


def _inside(sheet: Sheet, key: Key, frame: PlacedPanel) -> KeyBlock | None:
    block = measure_key(sheet, key, 0.66 * frame.width, compact=True)
    if block is None or block.cramped:
        return None
    corner = free_corner(frame, block.width, block.height, sheet)
    return None if corner is None else replace(block, left=corner[0], top=corner[1])


def _key_above(sheet: Sheet, key: Key, left: float, top: float) -> float:
    """Write the key between heading and panel and give the y below it."""
    right = sheet.size.width - sheet.size.margin
    block = measure_key(sheet, key, right - left, compact=False)
    if block is not None and (block.cramped or block.width > right - left + 0.01):
        # the margin of the page gives more room than that of the panel
        left = sheet.size.margin
        block = measure_key(sheet, key, right - left, compact=False)
    if block is not None and (block.cramped or block.width > right - left + 0.01):
        block = measure_key(sheet, key, right - left, compact=False, stacked=True)
    if block is None:
        return top
    draw_key(sheet, replace(block, left=left, top=top))
    return top + block.height + 5.0


def _is_foldable(chart: Chart) -> bool:
    """Whether each group of the strip is an entry of the key, in the same order."""
    if chart.strip is None or chart.key is None:
        return False
    labels = [group.label for group in chart.strip.groups]
    return bool(labels) and labels == [entry.label for entry in chart.key.entries]


def _margins(sheet: Sheet, chart: Chart, choose: Chooser, *, fold: bool = False) -> _Margins:
    size, axis = sheet.size, chart.panel.y
    left = size.margin
    if axis.visible:
        left += max((sheet.measure(label) for label in axis.tick_labels), default=0.0) + 7.0
        left += LINE_HEIGHT * sheet.text * len(y_title_lines(sheet, axis.title))
    x_axis = chart.panel.x
    tick_places = x_axis.fraction(np.array(x_axis.ticks)) if x_axis.ticks else np.empty(0)
    overhang = [0.0]
    overhang += [
        sheet.measure(label) / 2 - (1 - float(at)) * 0.6 * size.width
        for at, label in zip(tick_places, x_axis.tick_labels, strict=True)
    ]
    ends = None
    if chart.ends:
        ends = plan_ends(
            chart.ends,
            size.width,
            lambda text, width: sheet.wrapped(text, width, sheet.small, BOLD),
            lambda text: sheet.measure(text, sheet.small, BOLD),
        )
        overhang.append(END_GAP * sheet.text + ends.width)
    strip = chart.strip
    if strip is None or not strip.groups:
        return _Margins(left, size.margin + max(overhang) + 2.0, None, 0.0, ends=ends)
    key = lasting_columns(chart.key) if fold and chart.key is not None else None
    widths = folded_columns(sheet, key) if key is not None else ()
    columns = sum(widths) + sheet.small * len(widths)
    offset = (SAMPLE + 0.5) * sheet.small if fold else 0.0
    most = (0.24 if fold else 0.3) * size.width
    places = x_axis.fraction(np.array(strip.positions))

    def half_cell(plan: StripPlan) -> float:
        return widest_cell(plan, lambda cell: sheet.measure(cell, sheet.small)) / 2

    def left_of(plan: StripPlan) -> float:
        labels = min(label_width(sheet, plan), most)
        return max(left, size.margin + offset + labels + 6.0 + half_cell(plan))

    def fits(plan: StripPlan) -> bool:
        inner = size.width - size.margin - left_of(plan) - columns
        inner -= max(half_cell(plan), *overhang)
        gaps = np.diff(np.sort(places)) * inner
        return not len(gaps) or bool(2 * half_cell(plan) + 4.0 <= float(gaps.min()))

    plan = choose(strip, fits)
    half = half_cell(plan)
    overhang += [half - (1 - float(at)) * 0.6 * size.width for at in places]
    columns_from = max(overhang) + sheet.small
    right = size.margin + max(overhang) + 2.0
    if fold:
        right = size.margin + columns_from + columns - sheet.small
    labels = min(label_width(sheet, plan), most)
    return _Margins(left_of(plan), right, plan, labels, key, columns_from, ends)
