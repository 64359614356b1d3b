"""Figures for the screen: plain dictionaries for Plotly, with hover and study ids on the marks.

The unplaced figure is taken with its own ticks and ranges, so that screen and file show the same
axes. The dictionaries hold only JSON types, for ``Plotly.react``. Footnotes are not drawn: the page
writes them below the figure as text that can be selected.

Words and lines that only stand there (texts, annotations, shapes) are the page's to write, for
speed: each annotation has both anchors, and lines of a text stand on the side of its anchor.

Texts of the many points of a curve are left to the page, in ``meta["texts"]`` of a trace: the parts
of each of ``patterns`` are words or the number of a column; ``pattern`` (of each text), ``columns``
and their ``decimals`` say what is written; point ``i`` has the text ``(i + skip) // 2``.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sts_core.display import escape
from sts_core.figures.end_labels import EndPlan, apart, plan_ends
from sts_core.figures.fonts import METRICS
from sts_core.figures.layout import layout
from sts_core.figures.marks import (
    Arrow,
    Axis,
    Backdrop,
    Band,
    Bar,
    CensorTicks,
    Chart,
    Dash,
    Diagram,
    Figure,
    FloatArray,
    Key,
    KeyEntry,
    Line,
    NumberedTexts,
    Panel,
    PointInterval,
    Role,
    RowGrid,
    Rule,
    Scale,
    SmallChart,
    SmallMultiples,
    StepLine,
    StripRow,
    TableStrip,
    Text,
    TextColumn,
    thin_steps,
)
from sts_core.figures.multiples_layout import caption_lines
from sts_core.figures.panel_layout import (
    backdrop_points,
    clipped_points,
    legible_labels,
    thinned_ticks,
)
from sts_core.figures.placed import PlacedPanel, PlacedPath, PlacedText
from sts_core.figures.sheet import dash_lengths, wrap
from sts_core.figures.strip_layout import (
    StripPlan,
    choose_strip,
    part_of_strip,
    widest_cell,
)
from sts_core.figures.theme import (
    DARK,
    FONT_FALLBACK,
    FONT_FAMILY,
    LIGHT,
    FigureSize,
    Palette,
)

FONT = f"{FONT_FAMILY}, {FONT_FALLBACK}, Arial, sans-serif"
TEXT = 13
SMALL = 12
ROW = 18.0
PLOT_HEIGHT = 380.0
#: Of names in the table under the axis, in pixels; longer ones are wrapped.
MAX_LABEL = 150.0
MAX_STEPS = 400
LINE = 2.0
TICK = 12.6
#: No camera, no upload, no links.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "modeBarButtonsToRemove": [
        "toImage",
        "select2d",
        "lasso2d",
        "autoScale2d",
        "sendDataToCloud",
    ],
    "responsive": True,
}

Json = dict[str, Any]


def to_plotly(figure: Figure, dark: bool = False, *, width: float = 900.0) -> Json:
    """Give a figure as ``{"data": [...], "layout": {...}}``.

    Parameters
    ----------
    figure
        What to draw.
    dark
        Whether it stands on a dark page; the background itself stays transparent.
    width
        Room to expect in pixels, for decisions on wrapping; the chart stretches with its place.

    Returns
    -------
    dict
        JSON types only. The alternative text is ``figure.alt``, for the element that holds it.
    """
    palette = DARK if dark else LIGHT
    if isinstance(figure.body, Chart):
        return _chart(figure, figure.body, palette, width)
    if isinstance(figure.body, SmallMultiples):
        return _small_multiples(figure, figure.body, palette, width)
    if isinstance(figure.body, RowGrid):
        return _row_grid(figure, figure.body, palette, width)
    return _diagram(figure, figure.body, palette, width)


def _safe(text: str) -> str:
    """Escape text and keep its line breaks."""
    return _safe_part(text).removesuffix("<br>")


# the ends of lines for ``str.splitlines``
_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def _safe_part(text: str) -> str:
    """Escape a part of a text, which may end with a line break."""
    return escape(_LINE_END.sub("\n", text), "plotly").replace("\n", "<br>")


def _font(palette: Palette, role: Role = Role.TEXT, size: float = TEXT, weight: int = 400) -> Json:
    return {"family": FONT, "size": size, "color": palette.colour(role), "weight": weight}


def _with_opacity(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


#: Below so many numbers, one after the other is faster.
_FEW = 150


def _numbers(values: FloatArray) -> list[float | None]:
    # six digits are far below a pixel and a third of the bytes
    if len(values) < _FEW:
        rounded = [float(f"{value:.6g}") for value in np.asarray(values).tolist()]
    else:
        rounded = _six_digits(np.asarray(values, dtype=np.float64)).tolist()
    return [value if math.isfinite(value) else None for value in rounded]


def _six_digits(values: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        places = 5.0 - np.floor(np.log10(np.abs(values)))
    usual = np.isfinite(places) & (np.abs(places) <= 22)
    # powers of ten up to the 22nd are exact, so that the quotient is the nearest number
    shift = 10.0 ** np.where(usual, np.abs(places), 0.0)
    more, fewer = usual & (places >= 0), usual & (places < 0)
    rounded = values.copy()
    rounded[more] = np.rint(values[more] * shift[more]) / shift[more]
    rounded[fewer] = np.rint(values[fewer] / shift[fewer]) * shift[fewer]
    return rounded


def _dash(dash: Dash, width: float = LINE) -> str:
    lengths = dash_lengths(dash, width)
    return ",".join(f"{length:g}px" for length in lengths) if lengths else "solid"


def _base_layout(palette: Palette, height: float) -> Json:
    return {
        "template": {},
        "height": round(height),
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": _font(palette),
        "hovermode": "closest",
        "hoverdistance": 30,
        "dragmode": False,
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": palette.background,
            "bordercolor": palette.colour(Role.AXIS),
            "font": _font(palette, size=SMALL),
            "align": "left",
        },
        "shapes": [],
        "annotations": [],
    }


def _margin(left: float, right: float, top: float, bottom: float) -> Json:
    return {"l": round(left), "r": round(right), "t": round(top), "b": round(bottom), "pad": 0}


def _annotation(
    text: str, font: Json, *, xref: str = "paper", yref: str = "paper", **place: Any
) -> Json:
    return {"text": text, "font": font, "showarrow": False, "xref": xref, "yref": yref, **place}


def _stamp(figure: Figure, palette: Palette, top: float) -> list[Json]:
    if not figure.stamp:
        return []
    return [
        _annotation(
            _safe(figure.stamp),
            _font(palette, Role.STAMP, SMALL, 600),
            x=1,
            y=1,
            xanchor="right",
            yanchor="top",
            yshift=round(top) - 2,
        )
    ]


def _axis(axis: Axis, palette: Palette, *, upright: bool) -> Json:
    line = palette.colour(Role.AXIS)
    low, high = axis.low, axis.high
    ticks: list[float] = list(axis.ticks)
    if axis.scale is Scale.LOG:
        low, high = math.log10(low), math.log10(high)
    return {
        "type": "log" if axis.scale is Scale.LOG else "linear",
        "range": [low, high],
        "autorange": False,
        "fixedrange": True,
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [_safe(label) for label in axis.tick_labels],
        "tickfont": _font(palette, size=TEXT),
        "title": {
            "text": _safe(axis.title) if axis.visible else "",
            "font": _font(palette, size=TEXT),
            "standoff": 8,
        },
        "showgrid": axis.grid,
        "gridcolor": palette.colour(Role.GRID),
        "gridwidth": 1,
        "zeroline": False,
        "visible": axis.visible,
        "showline": axis.visible,
        "linecolor": line,
        "linewidth": 1,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": line,
        "automargin": False,
        "tickangle": 0,
        "layer": "below traces",
        "side": "left" if upright else "bottom",
    }


# ------------------------------------------------------------------------------------------ chart


def _chart(figure: Figure, chart: Chart, palette: Palette, width: float) -> Json:
    chart = _with_legible_ticks(chart, width)
    panel = chart.panel
    plan = None
    label_width = 0.0
    left, right, half = 24.0, 28.0, 0.0
    ends = _planned_ends(chart, width)
    if ends is not None:
        right = max(right, ends.width + _END_GAP + 8.0)
    if panel.y.visible:
        widest = max((METRICS.width(t, TEXT) for t in panel.y.tick_labels), default=0.0)
        y_title = _title_lines(panel.y, PLOT_HEIGHT)
        left += widest + (TEXT * (0.3 + 1.3 * len(y_title)) if panel.y.title else 0.0)
    if chart.strip is not None and chart.strip.groups:
        plan, label_width = _plan_strip(chart.strip, panel.x, width, left)
        cells = [row.cells[0] for group in plan.groups for row in group.rows if row.cells]
        half = max((METRICS.width(cell, SMALL) / 2 for cell in cells), default=0.0)
        left = max(left, label_width + half + 16.0)
        right = max(right, widest_cell(plan, lambda cell: METRICS.width(cell, SMALL)) / 2 + 6.0)
    rows = _strip_rows(plan, label_width) if plan else []
    x_title = _title_lines(panel.x, width - left - right)
    axis_height = 30.0 + (TEXT * (0.5 + 1.3 * len(x_title)) if panel.x.title else 0.0)
    strip_height = len(rows) * ROW + 6.0 if rows else 0.0
    notes = list(chart.key.notes) if chart.key else []
    key = chart.key
    if key is not None and ends is not None:
        key = replace(key, entries=(), headers=())
    legend = _Legend([], [])
    if key is not None:
        legend = _place_legend(key, left, width - left - right)
    legend_height = legend.height + 6.0 if legend.entries else 0.0
    notes_height = len(notes) * ROW + 4.0 if notes else 0.0
    top = 10.0 + (20.0 if figure.stamp else 0.0) + legend_height + notes_height
    inner = PLOT_HEIGHT + (axis_height + strip_height if rows else 0.0)
    bottom = 8.0 if rows else axis_height + 8.0

    page = _base_layout(palette, top + inner + bottom)
    page["margin"] = {
        "l": round(left),
        "r": round(right),
        "t": round(top),
        "b": round(bottom),
        "pad": 0,
    }
    page["xaxis"] = {**_axis(panel.x, palette, upright=False), "anchor": "y"}
    page["xaxis"]["title"]["text"] = _broken(x_title) if panel.x.visible else ""
    page["yaxis"] = {
        **_axis(panel.y, palette, upright=True),
        "domain": [round(1 - PLOT_HEIGHT / inner, 5), 1],
    }
    if panel.y.visible:
        page["yaxis"]["title"]["text"] = _broken(y_title)
    data = _panel_traces(panel, palette, page, "x", "y")
    if ends is not None:
        _write_ends(ends, panel, palette, page)
    if key is not None:
        _write_legend(legend, palette, page, lift=notes_height + legend_height)
        role = key.notes_role
        page["annotations"] += [
            _annotation(
                _safe(note),
                _font(palette, role, size=SMALL, weight=500),
                x=0,
                y=1,
                xanchor="left",
                yanchor="bottom",
                yshift=round((len(notes) - 1 - i) * ROW) + 7,
            )
            for i, note in enumerate(notes)
        ]
    page["annotations"] += _stamp(figure, palette, top)
    if rows and chart.strip is not None:
        page["yaxis2"] = {
            "domain": [0, round(strip_height / inner, 5)],
            "range": [len(rows) - 0.2, -0.6],
            "visible": False,
            "fixedrange": True,
            "autorange": False,
        }
        data.append(_strip_trace(chart.strip, rows, palette))
        page["annotations"] += _strip_labels(rows, palette, left, half)
    return {"data": data, "layout": page}


def _title_lines(axis: Axis, length: float) -> tuple[str, ...]:
    return wrap(axis.title, length, TEXT, METRICS)


def _broken(lines: Sequence[str]) -> str:
    return "<br>".join(escape(line, "plotly") for line in lines)


def _plan_strip(
    strip: TableStrip, axis: Axis, width: float, left: float
) -> tuple[StripPlan, float]:
    def label_width_of(plan: StripPlan) -> float:
        weight = 400 if plan.mode == "stacked" else 600
        widths = [
            METRICS.width(row.name, SMALL, weight) for group in plan.groups for row in group.rows
        ]
        return min(max(widths, default=0.0), MAX_LABEL)

    def fits(plan: StripPlan) -> bool:
        inner = width - max(left, label_width_of(plan) + 24.0) - 28.0
        places = np.sort(axis.fraction(np.array(strip.positions))) * inner
        if len(places) < 2:
            return True
        widest = widest_cell(plan, lambda cell: METRICS.width(cell, SMALL))
        return bool(widest + 6.0 <= float(np.diff(places).min()))

    plan = choose_strip(strip, fits)
    return plan, label_width_of(plan)


class _StripLine:
    """One line of the table under the axis: a label and perhaps cells."""

    __slots__ = ("at_left", "bold", "cells", "counts", "label", "role")

    def __init__(
        self,
        label: str,
        cells: tuple[str, ...],
        role: Role,
        *,
        bold: bool,
        at_left: bool,
        counts: Sequence[str | None] = (),
    ) -> None:
        self.counts = counts
        self.label = label
        self.cells = cells
        self.role = role
        self.bold = bold
        self.at_left = at_left


def _strip_rows(plan: StripPlan, label_width: float) -> list[_StripLine]:
    lines = []
    if plan.heading:
        lines.append(_StripLine(plan.heading, (), Role.TEXT, bold=True, at_left=True))
    for group in plan.groups:
        if plan.mode == "stacked" and group.label:
            lines.append(_StripLine(group.label, (), group.role, bold=True, at_left=True))
        own = plan.mode != "stacked" and bool(group.label)
        for row in group.rows:
            pieces = wrap(row.name, label_width + 0.01, SMALL, METRICS, 600 if own else 400)
            for i, piece in enumerate(pieces):
                lines.append(
                    _StripLine(
                        piece,
                        row.cells if i == 0 else (),
                        group.role if own else Role.MUTED,
                        bold=own,
                        at_left=own,
                        counts=_counts_of(row),
                    )
                )
    return lines


def _counts_of(row: StripRow) -> list[str | None]:
    """Name whom each cell of a row counts; nobody where the number is 0."""
    if not row.members:
        return [None] * len(row.cells)
    return [
        None if cell == "0" else members.key
        for cell, members in zip(row.cells, row.members, strict=True)
    ]


def _strip_trace(strip: TableStrip, rows: Sequence[_StripLine], palette: Palette) -> Json:
    # one text trace on the curve's own x axis: columns can't drift from the ticks
    x, y, text, counts = [], [], [], []
    for number, row in enumerate(rows):
        for position, cell, count in zip(strip.positions, row.cells, row.counts, strict=False):
            x.append(float(position))
            y.append(number)
            text.append(escape(cell, "plotly"))
            counts.append(count)
    return {
        "type": "scatter",
        "mode": "text",
        "x": x,
        "y": y,
        "text": text,
        "xaxis": "x",
        "yaxis": "y2",
        "textposition": "middle center",
        "textfont": _font(palette, size=SMALL),
        # no words of its own, but it can be clicked
        "hoverinfo": "none" if any(counts) else "skip",
        "meta": {"counts": counts},
        "cliponaxis": False,
        "showlegend": False,
        "name": "Numbers under the axis",
    }


def _strip_labels(
    rows: Sequence[_StripLine], palette: Palette, left: float, half: float
) -> list[Json]:
    labels = []
    for number, row in enumerate(rows):
        place: Json = (
            {"xanchor": "left", "xshift": -round(left) + 2}
            if row.at_left
            else {"xanchor": "right", "xshift": -round(half) - 8}
        )
        labels.append(
            _annotation(
                _safe(row.label),
                _font(palette, row.role, SMALL, 600 if row.bold else 400),
                yref="y2",
                x=0,
                y=number,
                yanchor="middle",
                **place,
            )
        )
    return labels


_SAMPLE = 30.0
_LEGEND_ROW = 20.0


#: Up to so many curves have their numbers beside their names.
_TABLE_ENTRIES = 4
_COLUMN_GAP = 22.0
_HEADER_ROW = 15.0


class _LegendEntry:
    """Where an entry stands, in pixels right of and below the legend's corner."""

    __slots__ = ("bottom", "entry", "lines", "x", "y")

    def __init__(self, entry: KeyEntry, lines: tuple[str, ...], x: float, y: float) -> None:
        self.entry = entry
        self.lines = lines
        self.x = x
        self.y = y
        self.bottom = y + len(lines) * _LEGEND_ROW


class _Legend:
    """Entries, and numbers in columns: right end, middle, text and role of each."""

    __slots__ = ("entries", "numbers")

    def __init__(
        self, entries: list[_LegendEntry], numbers: list[tuple[float, float, str, Role]]
    ) -> None:
        self.entries = entries
        self.numbers = numbers

    @property
    def height(self) -> float:
        """Pixels from the corner to the lowest entry's end."""
        return max((entry.bottom for entry in self.entries), default=0.0)


def _place_legend(key: Key, left: float, width: float) -> _Legend:
    """Write few entries with their numbers; else fill rows above the panel.

    Rows begin at the page's own margin where that saves one.
    """
    table = _legend_table(key, left, width)
    if table is not None:
        return table
    entries = (*key.entries, *key.symbols)
    if len(entries) < 2 and key.entries:
        return _Legend([], [])
    if not entries:
        return _Legend([], [])
    above = _fill_rows(entries, width)
    wider = _fill_rows(entries, width + left - 6.0)
    if wider[-1].bottom >= above[-1].bottom:
        return _Legend(above, [])
    for place in wider:
        place.x -= left - 6.0
    return _Legend(wider, [])


def _legend_table(key: Key, left: float, width: float) -> _Legend | None:
    """Set entries below each other with their numbers in columns; ``None`` without room."""
    if not key.headers or not 0 < len(key.entries) <= _TABLE_ENTRIES:
        return None
    kept = list(range(len(key.headers)))
    headers = [header.splitlines() for header in key.headers]
    widths = [
        max(
            *(METRICS.width(line, SMALL) for line in [*headers[i], ""]),
            *(METRICS.width(entry.cells[i], SMALL) for entry in key.entries),
        )
        for i in kept
    ]
    longest = max(METRICS.width(entry.label, TEXT) for entry in key.entries)
    symbols = sum(METRICS.width(symbol.label, TEXT) + _SAMPLE + 12.0 for symbol in key.symbols)
    least = min(max(longest, symbols - _SAMPLE), 150.0)

    def room(columns: Sequence[int]) -> float:
        taken = sum(widths[i] + _COLUMN_GAP for i in columns)
        return width + left - 6.0 - _SAMPLE - 8.0 - taken

    while kept and room(kept) < least:
        spare = [i for i in kept if i in key.spare]
        if not spare:
            return None
        kept.remove(spare[-1])
    # what the symbols take stays left of the first column's heading
    label_width = min(max(longest, symbols - 12.0 - _SAMPLE - 8.0), room(kept))
    taken = label_width + _SAMPLE + 8.0 + sum(widths[i] + _COLUMN_GAP for i in kept)
    start = 0.0 if taken <= width else -(left - 6.0)
    deepest = max(len(headers[i]) for i in kept)
    top = max(deepest * _HEADER_ROW + 4.0, _LEGEND_ROW)
    placed: list[_LegendEntry] = []
    numbers: list[tuple[float, float, str, Role]] = []
    rights = []
    x = start + _SAMPLE + 8.0 + label_width
    for i in kept:
        x += _COLUMN_GAP + widths[i]
        rights.append(x)
        for line, text in enumerate(headers[i]):
            middle = top - 4.0 - (len(headers[i]) - line - 0.5) * _HEADER_ROW
            numbers.append((x, middle, text, Role.MUTED))
    y = top
    for entry in key.entries:
        lines = wrap(entry.label, label_width + 0.01, TEXT, METRICS)
        placed.append(_LegendEntry(entry, lines, start, y))
        numbers += [
            (right, y + _LEGEND_ROW / 2, entry.cells[i], Role.TEXT)
            for right, i in zip(rights, kept, strict=True)
        ]
        y = placed[-1].bottom
    x, symbols_top = start, top - 4.0 - (_HEADER_ROW + _LEGEND_ROW) / 2
    for symbol in key.symbols:
        placed.append(_LegendEntry(symbol, (symbol.label,), x, symbols_top))
        x += METRICS.width(symbol.label, TEXT) + _SAMPLE + 12.0
    return _Legend(placed, numbers)


def _fill_rows(entries: Sequence[KeyEntry], width: float) -> list[_LegendEntry]:
    """Give each entry its own width; Plotly's legend would give all that of the widest."""
    placed: list[_LegendEntry] = []
    x = y = below = 0.0
    for entry in entries:
        lines = wrap(entry.label, width - _SAMPLE - 8.0, TEXT, METRICS)
        needed = _SAMPLE + 8.0 + max(METRICS.width(line, TEXT) for line in lines)
        if x and x + needed > width:
            x, y = 0.0, below
        placed.append(_LegendEntry(entry, lines, x, y))
        below = max(below, placed[-1].bottom)
        x += needed + 20.0
    # the last one tells how high the whole is, also where an entry before it has more lines
    placed[-1].bottom = below
    return placed


def _write_legend(legend: _Legend, palette: Palette, page: Json, lift: float) -> None:
    """Write the legend ``lift`` pixels above the panel; nothing in it can be clicked."""
    page["annotations"] += [
        _annotation(
            _safe(text),
            _font(palette, role, SMALL),
            x=0,
            y=1,
            xanchor="right",
            yanchor="middle",
            xshift=round(right),
            yshift=round(lift - middle),
        )
        for right, middle, text, role in legend.numbers
    ]
    for place in legend.entries:
        colour = palette.colour(place.entry.role)
        middle = lift - place.y - _LEGEND_ROW / 2
        page["annotations"].append(
            _annotation(
                "<br>".join(escape(line, "plotly") for line in place.lines),
                _font(palette),
                x=0,
                y=1,
                xanchor="left",
                yanchor="top",
                align="left",
                borderpad=0,
                xshift=round(place.x + _SAMPLE + 5.0),
                yshift=round(middle + 0.68 * TEXT),
            )
        )
        for x0, y0, x1, y1, width in _sample_lines(place.entry):
            page["shapes"].append(
                {
                    "type": "line",
                    "xref": "paper",
                    "yref": "paper",
                    "xsizemode": "pixel",
                    "ysizemode": "pixel",
                    "xanchor": 0,
                    "yanchor": 1,
                    "x0": round(place.x) + x0,
                    "x1": round(place.x) + x1,
                    "y0": round(middle) + y0,
                    "y1": round(middle) + y1,
                    "line": {
                        "color": colour,
                        "width": width,
                        "dash": _dash(place.entry.dash) if width == LINE else "solid",
                    },
                }
            )


def _sample_lines(entry: KeyEntry) -> list[tuple[float, float, float, float, float]]:
    """Give the strokes of a sample as ends and width, in pixels from the middle of its left."""
    if entry.sample == "box":
        return [(_SAMPLE - 16.0, 0.0, _SAMPLE - 4.0, 0.0, 12.0)]
    if entry.sample == "tick":
        middle = _SAMPLE / 2
        return [(0.0, 0.0, _SAMPLE, 0.0, 1.5), (middle, -5.0, middle, 5.0, 1.5)]
    return [(0.0, 0.0, _SAMPLE, 0.0, LINE)]


# -------------------------------------------------------------------------------- names at the ends

_END_GAP = 14.0


def _planned_ends(chart: Chart, width: float) -> EndPlan | None:
    """Break the names at the ends into lines; ``None`` where they don't fit beside the panel."""
    if not chart.ends:
        return None
    plan = plan_ends(
        chart.ends,
        width,
        lambda text, room: wrap(text, room, SMALL, METRICS, 600),
        lambda text: METRICS.width(text, SMALL, 600),
    )
    return plan if plan.heights(SMALL).sum() <= PLOT_HEIGHT else None


def _write_ends(plan: EndPlan, panel: Panel, palette: Palette, page: Json) -> None:
    values = np.array([end.y for end in plan.ends])
    wanted = (1 - panel.y.fraction(values)) * PLOT_HEIGHT
    placed = apart(wanted, plan.heights(SMALL), 0.0, PLOT_HEIGHT)
    line = {"color": palette.colour(Role.BACKDROP), "width": 1}
    for end, lines, shift in zip(plan.ends, plan.lines, placed - wanted, strict=True):
        page["annotations"].append(
            _annotation(
                "<br>".join(escape(part, "plotly") for part in lines),
                _font(palette, end.role, SMALL, 600),
                yref="y",
                x=1,
                y=end.y,
                xanchor="left",
                yanchor="middle",
                align="left",
                xshift=round(_END_GAP),
                yshift=-round(float(shift), 1),
            )
        )
        look = {"type": "line", "layer": "below", "line": line}
        page["shapes"] += [
            {
                **look, "xref": "x", "yref": "y",
                "x0": end.x, "x1": panel.x.high, "y0": end.y, "y1": end.y,
            },
            {
                **look, "xref": "paper", "yref": "y", "xsizemode": "pixel", "ysizemode": "pixel",
                "xanchor": 1, "yanchor": end.y,
                "x0": 0, "x1": _END_GAP - 2, "y0": 0, "y1": -round(float(shift), 1),
            },
        ]  # fmt: skip


# --------------------------------------------------------------------------------- small multiples

_TINY = 11
_SMALL_ROW = 15
_TITLE_ROW = 16.0
_SMALL_PLOT = 135
_LEAST_PANEL = 185.0
#: Least pixels between panels; from so far the pointer finds a mark.
_SMALL_REACH = 18
#: Steps of a curve in a small panel; there are hardly more pixels.
_SMALL_STEPS = 200
#: Of a curve that only stands behind another one.
_BACKDROP_STEPS = 40


def _small_multiples(figure: Figure, body: SmallMultiples, palette: Palette, width: float) -> Json:
    """Draw all panels on one sheet, of pixels right of and below its corner.

    A subplot with axes of its own for each panel would take the browser several times as long.
    """
    first = body.charts[0]
    cells = {cell for chart in body.charts for row in chart.rows for cell in row.cells}
    widest = max((METRICS.width(cell, _TINY) for cell in cells), default=0.0)
    names = max((METRICS.width(row.name, _TINY) for row in first.rows), default=0.0)
    marks = max((METRICS.width(label, SMALL) for label in first.panel.y.tick_labels), default=0.0)
    left, right = max(marks + 14.0, names + widest / 2 + 16.0), max(14.0, widest / 2 + 6.0)
    gap = max(_SMALL_REACH, widest + 6.0)
    inner = round(width - left - right)
    n = len(body.charts)
    columns = max(1, min(n, int((inner + gap) / (_LEAST_PANEL + gap))))
    columns = math.ceil(n / math.ceil(n / columns))
    panel_width = (inner - gap * (columns - 1)) / columns
    x_axis, kept = thinned_ticks(
        first.panel.x, panel_width, widest, lambda label: METRICS.width(label, SMALL)
    )
    rows = [body.charts[i : i + columns] for i in range(0, n, columns)]
    written = [_head_lines(chart, panel_width) for chart in body.charts]
    heads = [
        max(len(lines) for lines in written[i : i + columns]) * _SMALL_ROW + 6
        for i in range(0, n, columns)
    ]
    strip = len(first.rows) * _SMALL_ROW if body.positions else 0
    below = 24 + strip + 14
    inside = sum(heads) + len(rows) * (_SMALL_PLOT + below)
    y_title = wrap(first.panel.y.title, 0.8 * inner, SMALL, METRICS, 600)
    x_title = _title_lines(x_axis, inner)
    top = 10.0 + (20.0 if figure.stamp else 0.0) + len(body.notes) * ROW
    top += 6.0 + len(y_title) * _TITLE_ROW
    bottom = TEXT * (0.5 + 1.3 * len(x_title)) + 4.0
    page = _base_layout(palette, round(top) + inside + round(bottom))
    page["margin"] = _margin(left, right, top, bottom)
    # no farther than the next panel
    page["hoverdistance"] = _SMALL_REACH
    page["xaxis"] = _unseen_axis(0, inner)
    page["yaxis"] = _unseen_axis(inside, 0)
    _write_above(body, palette, page, y_title)
    frames: list[PlacedPanel] = []
    y_top = 0.0
    for row, head in zip(rows, heads, strict=True):
        y_top += head
        for column, chart in enumerate(row):
            at = column * (panel_width + gap)
            panel = replace(chart.panel, x=x_axis)
            frames.append(PlacedPanel(at, y_top, panel_width, _SMALL_PLOT, panel))
        y_top += _SMALL_PLOT + below
    paths = _Paths(inner, inside)
    data = _sheet_marks(frames, paths, palette)
    _draw_sheet_axes(frames, paths, page, palette)
    page["shapes"] += paths.shapes()
    data.append(_sheet_tick_labels(frames, palette))
    for lines, frame in zip(written, frames, strict=True):
        _write_head(lines, frame, page, palette)
        if strip and frame.left == 0:
            page["annotations"] += [
                _annotation(
                    _safe(line.name), _font(palette, Role.MUTED, _TINY), yref="y", x=0,
                    y=_strip_row(frame, i), xanchor="right", yanchor="middle",
                    xshift=-round(widest / 2) - 8, yshift=2,
                )
                for i, line in enumerate(first.rows)
            ]  # fmt: skip
    if strip:
        data.append(_sheet_numbers(body, frames, kept, palette))
    for trace in data:
        trace |= {"showlegend": False, "xaxis": "x", "yaxis": "y"}
    page["annotations"] += _stamp(figure, palette, top)
    if x_axis.title:
        page["annotations"].append(
            _annotation(
                _broken(x_title), _font(palette, size=TEXT), x=0.5, y=0, xanchor="center",
                yanchor="top", yshift=0,
            )
        )  # fmt: skip
    return {"data": data, "layout": page}


def _unseen_axis(low: float, high: float) -> Json:
    return {"range": [low, high], "visible": False, "fixedrange": True, "autorange": False}


def _sheet_marks(frames: Sequence[PlacedPanel], paths: _Paths, palette: Palette) -> list[Json]:
    """Give what the pointer finds as traces, and all else as paths."""
    curves: list[Json] = []
    ticks: list[Json] = []
    behind: dict[tuple[int, int], FloatArray] = {}
    for frame in frames:
        for mark in frame.panel.marks:
            match mark:
                case StepLine():
                    curves += _step_line(_placed_steps(mark, frame), palette, _SMALL_STEPS)
                case Line():
                    curves += _line(_placed_line(mark, frame), palette)
                case Backdrop():
                    shown = _behind(mark, frame, behind)
                    paths.lines(shown, _look(palette.colour(mark.role), 1), 3)
                case Band():
                    paths.areas(_band_rings(mark, frame), palette, mark.role)
                case Rule():
                    paths.lines([_rule_ends(mark, frame)], _rule_line(mark, palette), 1)
                case CensorTicks():
                    placed = _placed_ticks(mark, frame)
                    ticks.append(_censor_ticks(placed))
                    paths.strokes(placed, palette)
                case _:
                    raise ValueError(f"small multiples hold no {type(mark).__name__.lower()}")
    return [*curves, *_joined(ticks)]


class _Paths:
    """Paths on a sheet, those of one look together: a browser sets up each shape by itself."""

    __slots__ = ("found", "height", "width")

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self.found: dict[str, tuple[int, Json, list[str]]] = {}

    def add(self, depth: int, look: Json, drawn: Sequence[str]) -> None:
        """Keep parts of a path until all are known; what has less depth lies on what has more."""
        self.found.setdefault(f"{depth} {look}", (depth, look, []))[2].extend(drawn)

    def lines(self, parts: Sequence[FloatArray], line: Json, depth: int) -> None:
        """Draw lines through points, below the curves."""
        self.add(
            depth,
            {"xref": "x", "yref": "y", "layer": "below", "line": line},
            [_path(points) for points in parts if len(points) > 1],
        )

    def areas(self, rings: Sequence[FloatArray], palette: Palette, role: Role) -> None:
        """Fill areas, below the curves."""
        colour = _with_opacity(palette.colour(role), palette.band_opacity)
        look = {"xref": "x", "yref": "y", "layer": "below", "fillcolor": colour}
        self.add(2, {**look, "line": {"width": 0}}, [f"{_path(ring)}Z" for ring in rings])

    def strokes(self, mark: CensorTicks, palette: Palette) -> None:
        """Draw ticks, of which the upper ones stand out of their panel."""
        # a path of which one direction is in parts of the paper is not cut off at the axis
        scale = TICK / 2
        drawn = [
            f"M{x:.6g},{1 - (y + scale) / self.height:.6f}V{1 - (y - scale) / self.height:.6f}"
            for x, y in zip(mark.x.tolist(), mark.y.tolist(), strict=True)
        ]
        line = _look(palette.colour(mark.role), 1.5)
        self.add(0, {"xref": "x", "yref": "paper", "layer": "above", "line": line}, drawn)

    def straight(
        self, drawn: Sequence[tuple[float, float, float, float]], line: Json, depth: int
    ) -> None:
        """Draw level and upright lines from (x, y) to (x, y), also in the margins."""
        w, h = self.width, self.height
        self.add(
            depth,
            {"xref": "paper", "yref": "paper", "layer": "below", "line": line},
            [
                f"M{x0 / w:.5f},{1 - y0 / h:.6f}"
                + (f"V{1 - y1 / h:.6f}" if x0 == x1 else f"H{x1 / w:.5f}")
                for x0, y0, x1, y1 in drawn
            ],
        )

    def shapes(self) -> list[Json]:
        """Give the paths, the lowest first."""
        return [
            {"type": "path", "path": "".join(drawn), **look}
            for _, look, drawn in sorted(self.found.values(), key=lambda one: -one[0])
            if drawn
        ]


def _look(colour: str, width: float, dash: str = "solid") -> Json:
    return {"color": colour, "width": width, "dash": dash}


def _path(points: FloatArray) -> str:
    """Write a line through points; what is level or upright takes one number each."""
    written = [f"M{points[0, 0]:.6g},{points[0, 1]:.6g}"]
    at_x, at_y = points[0].tolist()
    for x, y in points[1:].tolist():
        if y == at_y:
            written.append(f"H{x:.6g}")
        elif x == at_x:
            written.append(f"V{y:.6g}")
        else:
            written.append(f"L{x:.6g},{y:.6g}")
        at_x, at_y = x, y
    return "".join(written)


def _placed_steps(mark: StepLine, frame: PlacedPanel) -> StepLine:
    """Place a curve on the sheet, cut off at the axis's end; its texts may be more."""
    end = frame.panel.x.high
    seen = mark.x <= end
    faded = mark.faded_from
    return replace(
        mark,
        x=frame.x(mark.x[seen]),
        y=frame.y(mark.y[seen]),
        x_end=float(frame.x(min(mark.x_end, end))),
        faded_from=None if faded is None else float(frame.x(faded)),
    )


def _placed_line(mark: Line, frame: PlacedPanel) -> Line:
    x = np.where(mark.x <= frame.panel.x.high, mark.x, np.nan)
    return replace(mark, x=frame.x(x), y=frame.y(mark.y))


def _placed_ticks(mark: CensorTicks, frame: PlacedPanel) -> CensorTicks:
    seen = np.asarray(mark.x) <= frame.panel.x.high
    return replace(
        mark,
        x=frame.x(np.asarray(mark.x)[seen]),
        y=frame.y(np.asarray(mark.y)[seen]),
        subjects=tuple(itertools.compress(mark.subjects, seen)),
        hover=tuple(itertools.compress(mark.hover, seen)),
    )


def _behind(
    mark: Backdrop, frame: PlacedPanel, known: dict[tuple[int, int], FloatArray]
) -> list[FloatArray]:
    """Place curves that stand behind many panels of the same axes: their corners, known once."""
    found = []
    corner = np.array([frame.left, frame.top])
    for line in mark.lines:
        key = (id(line.x), id(line.y))
        if key not in known:
            chosen = thin_steps(len(line.x), _BACKDROP_STEPS, line.y)
            thinned = StepLine(line.x[chosen], line.y[chosen], line.x_end, line.role)
            placed = backdrop_points(frame, Backdrop((thinned,)))
            known[key] = (placed[0] if placed else np.empty((0, 2))) - corner
        found.append(known[key] + corner)
    return found


def _band_rings(mark: Band, frame: PlacedPanel) -> list[FloatArray]:
    return [
        np.vstack((clipped_points(frame, x, high), clipped_points(frame, x, low)[::-1]))
        for x, low, high in _thinned_band(mark, _SMALL_STEPS).pieces()
    ]


def _rule_ends(mark: Rule, frame: PlacedPanel) -> FloatArray:
    along = frame.panel.y if mark.axis == "x" else frame.panel.x
    start = along.low if mark.start is None else mark.start
    end = along.high if mark.end is None else mark.end
    across = np.full(2, mark.at)
    x, y = (across, [start, end]) if mark.axis == "x" else ([start, end], across)
    return np.column_stack((frame.x(np.array(x)), frame.y(np.array(y))))


def _joined(traces: Sequence[Json]) -> list[Json]:
    """Put the points of ticks into one trace: what they say names whose they are."""
    if not traces:
        return []
    first = traces[0]
    parts = ("x", "y", "text", "customdata")
    joined = {part: [one for trace in traces for one in trace[part]] for part in parts}
    counts = [key for trace in traces for key in trace["meta"]["counts"]]
    return [{**first, **joined, "name": "Censored", "meta": {"counts": counts}}]


def _draw_sheet_axes(
    frames: Sequence[PlacedPanel], paths: _Paths, page: Json, palette: Palette
) -> None:
    """Draw grid and axes of all panels; only the first of a row has ticks at its upright axis."""
    grid: list[tuple[float, float, float, float]] = []
    axes: list[tuple[float, float, float, float]] = []
    for frame in frames:
        x, y = frame.panel.x, frame.panel.y
        columns = frame.x(np.array(x.ticks)).tolist()
        rows = frame.y(np.array(y.ticks)).tolist()
        if x.grid:
            grid += [(at, frame.top, at, frame.bottom) for at in columns if at > frame.left]
        if y.grid:
            grid += [(frame.left, at, frame.right, at) for at in rows if at < frame.bottom]
        axes += [
            (frame.left, frame.top, frame.left, frame.bottom),
            (frame.left, frame.bottom, frame.right, frame.bottom),
            *((at, frame.bottom, at, frame.bottom + 4) for at in columns),
        ]
        if frame.left == 0:
            axes += [(0, at, -4, at) for at in rows]
            page["annotations"] += [
                _annotation(
                    _safe(label), _font(palette, size=SMALL), yref="y", x=0, y=at,
                    xanchor="right", yanchor="middle", xshift=-7,
                )
                for at, label in zip(rows, y.tick_labels, strict=True)
            ]  # fmt: skip
    paths.straight(axes, _look(palette.colour(Role.AXIS), 1), 1)
    paths.straight(grid, _look(palette.colour(Role.GRID), 1), 4)


def _sheet_tick_labels(frames: Sequence[PlacedPanel], palette: Palette) -> Json:
    places = [
        (at, frame.bottom + 16, _safe(label))
        for frame in frames
        for x in [frame.panel.x]
        for at, label in zip(frame.x(np.array(x.ticks)).tolist(), x.tick_labels, strict=True)
        if label
    ]
    return _sheet_texts(places, _font(palette, size=SMALL), "Numbers at the axis")


def _strip_row(frame: PlacedPanel, row: int) -> float:
    return frame.bottom + 24 + (row + 0.5) * _SMALL_ROW


def _sheet_numbers(
    body: SmallMultiples,
    frames: Sequence[PlacedPanel],
    kept: Sequence[int],
    palette: Palette,
) -> Json:
    places = [
        (columns[i], _strip_row(frame, row), escape(line.cells[i], "plotly"))
        for chart, frame in zip(body.charts, frames, strict=True)
        for columns in [frame.x(np.array(body.positions)).tolist()]
        for row, line in enumerate(chart.rows)
        for i in kept
    ]
    counts = [own[i] for chart in body.charts for own in map(_counts_of, chart.rows) for i in kept]
    trace = _sheet_texts(places, _font(palette, size=_TINY), "Numbers under the axis")
    # no words of its own, but it can be clicked
    return {**trace, "hoverinfo": "none" if any(counts) else "skip", "meta": {"counts": counts}}


def _sheet_texts(places: Sequence[tuple[float, float, str]], font: Json, name: str) -> Json:
    return {
        "type": "scatter",
        "mode": "text",
        "x": [round(x, 2) for x, _, _ in places],
        "y": [y for _, y, _ in places],
        "text": [text for _, _, text in places],
        "textposition": "middle center",
        "textfont": font,
        "hoverinfo": "skip",
        "cliponaxis": False,
        "name": name,
    }


def _head_lines(chart: SmallChart, width: float) -> list[tuple[str, Role, int]]:
    """Give the lines above a panel with their role and weight: whose it is, and its numbers."""
    name = wrap(chart.name, width, SMALL, METRICS, 600)
    caption = caption_lines(
        chart.caption,
        width,
        lambda text, room: wrap(text, room, _TINY, METRICS),
        lambda text: METRICS.width(text, _TINY),
    )
    return [
        *((line, chart.role, 600) for line in name),
        *((line, Role.MUTED, 400) for line in caption),
    ]


def _write_head(
    lines: Sequence[tuple[str, Role, int]], frame: PlacedPanel, page: Json, palette: Palette
) -> None:
    lift = 3
    for own in (400, 600):
        part = [(text, role) for text, role, weight in lines if weight == own]
        if not part:
            continue
        size = SMALL if own > 400 else _TINY
        page["annotations"].append(
            _annotation(
                _broken([text for text, _ in part]),
                _font(palette, part[0][1], size, own),
                xref="x", yref="y", x=round(frame.left, 2), y=frame.top,
                xanchor="left", yanchor="bottom", align="left", yshift=lift,
            )
        )  # fmt: skip
        lift += round(1.3 * size * len(part)) + 1


def _write_above(
    body: SmallMultiples, palette: Palette, page: Json, y_title: Sequence[str]
) -> None:
    """Write the notes, then what the upright axes are and what the symbols mean."""
    lift = len(y_title) * _TITLE_ROW
    page["annotations"] += [
        _annotation(
            _safe(note), _font(palette, body.notes_role, size=SMALL, weight=500), x=0, y=1,
            xanchor="left", yanchor="bottom",
            yshift=round((len(body.notes) - 1 - i) * ROW + lift) + 8,
        )
        for i, note in enumerate(body.notes)
    ]  # fmt: skip
    page["annotations"].append(
        _annotation(
            _broken(y_title), _font(palette, size=SMALL, weight=600), x=0, y=1,
            xanchor="left", yanchor="bottom", align="left", yshift=4,
        )
    )  # fmt: skip
    x = max(METRICS.width(line, SMALL, 600) for line in y_title) + 30.0
    placed: list[_LegendEntry] = []
    for symbol in body.symbols:
        placed.append(_LegendEntry(symbol, (symbol.label,), x, 0.0))
        x += METRICS.width(symbol.label, TEXT) + _SAMPLE + 12.0
    _write_legend(_Legend(placed, []), palette, page, lift=_LEGEND_ROW)


def _with_legible_ticks(chart: Chart, width: float) -> Chart:
    """Leave out labels and columns where ticks stand closer than their numbers are wide."""
    strip = chart.strip
    if strip is None or strip.positions != chart.panel.x.ticks:
        return chart
    cells = [cell for group in strip.groups for row in group.rows for cell in row.cells]
    widest = max((METRICS.width(cell, SMALL) for cell in cells), default=0.0)
    x, kept = thinned_ticks(
        chart.panel.x, 0.72 * width, widest, lambda label: METRICS.width(label, TEXT)
    )
    if len(kept) == len(x.ticks):
        return chart
    return replace(chart, panel=replace(chart.panel, x=x), strip=part_of_strip(strip, kept))


# ------------------------------------------------------------------------------------------ marks


def _panel_traces(
    panel: Panel, palette: Palette, page: Json, x: str, y: str, height: float = PLOT_HEIGHT
) -> list[Json]:
    traces: list[Json] = []
    for mark in panel.marks:
        match mark:
            case StepLine():
                traces += _step_line(mark, palette)
            case Band():
                traces += _band(mark, palette)
            case CensorTicks():
                traces.append(_censor_ticks(mark))
                page["shapes"].append(_strokes(mark, panel, palette, page, (x, y), height))
            case Line():
                traces += _line(mark, palette)
            case Rule():
                page["shapes"].append(_rule(mark, palette, x, y))
            case Text():
                page["annotations"].append(
                    _annotation(
                        _safe(mark.text),
                        _font(palette, mark.role, TEXT, 600 if mark.bold else 400),
                        xref=x,
                        yref=y,
                        x=_axis_value(panel.x, mark.x),
                        y=_axis_value(panel.y, mark.y),
                        xanchor={"start": "left", "middle": "center", "end": "right"}[mark.anchor],
                        yanchor="middle",
                    )
                )
            case Arrow():
                page["annotations"].append(_arrow(mark, panel, palette, x, y))
            case Bar() | PointInterval():
                pass
            case Backdrop():
                raise ValueError("only small multiples have curves behind a panel's own")
    bars = [mark for mark in panel.marks if isinstance(mark, Bar)]
    traces += [_bar(bar, palette) for bar in bars]
    if bars:
        page["barmode"] = "overlay"
    points = [mark for mark in panel.marks if isinstance(mark, PointInterval)]
    traces += _point_intervals(points, panel.x, palette)
    for trace in traces:
        trace.setdefault("showlegend", False)
        trace["xaxis"], trace["yaxis"] = x, y
    return traces


def _axis_value(axis: Axis, value: float) -> float:
    # annotations on a log axis take the exponent, shapes and traces the value
    return math.log10(value) if axis.scale is Scale.LOG else float(value)


def _step_line(mark: StepLine, palette: Palette, limit: int = MAX_STEPS) -> list[Json]:
    if len(mark.x) == 0:
        return []
    chosen = thin_steps(len(mark.x), limit, mark.y)
    thinned = StepLine(mark.x[chosen], mark.y[chosen], mark.x_end, mark.role)
    x, y = thinned.corners()
    cut = len(x)
    if mark.faded_from is not None:
        cut = int(np.searchsorted(x, mark.faded_from, side="right"))
    parts = [(slice(0, cut), 1.0), (slice(max(cut - 1, 0), len(x)), palette.faded_opacity)]
    counts: Json = {} if mark.members is None else {"counts": mark.members.key}
    texts = [_step_texts(mark, chosen, part) for part, _ in parts]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": _numbers(x[part]),
            "y": _numbers(y[part]),
            "name": _safe(mark.name),
            **said,
            "meta": {**said.get("meta", {}), **counts},
            "hovertemplate": "%{text}<extra></extra>",
            "line": {
                "color": palette.colour(mark.role),
                "width": LINE,
                "dash": _dash(mark.dash),
                "shape": "linear",
                "simplify": False,
            },
            "opacity": opacity,
        }
        for (part, opacity), said in zip(parts, texts, strict=True)
        if len(x[part]) > 1
    ]


def _step_texts(mark: StepLine, chosen: NDArray[np.intp], points: slice) -> Json:
    """Give what some points of a line say; each of the chosen steps has two points."""
    shown = chosen[points.start // 2 : (points.stop + 1) // 2]
    skip = points.start % 2
    if isinstance(mark.hover, NumberedTexts):
        texts = mark.hover
        return {
            "meta": {
                "texts": {
                    "patterns": [
                        [_safe_part(part) if isinstance(part, str) else part for part in parts]
                        for parts in texts.patterns
                    ],
                    "pattern": texts.pattern[shown].tolist(),
                    "columns": [
                        _whole_or_not(column[shown], decimals)
                        for column, decimals in zip(texts.columns, texts.decimals, strict=True)
                    ],
                    "decimals": list(texts.decimals),
                    "skip": skip,
                }
            }
        }
    words = [_safe(mark.hover[i] if mark.hover else mark.name) for i in shown]
    return {"text": [words[(i + skip) // 2] for i in range(points.stop - points.start)]}


def _whole_or_not(values: FloatArray, decimals: int) -> list[int] | list[float | None]:
    if decimals == 0 and bool(np.isfinite(values).all()):
        whole: list[int] = values.astype(np.int64).tolist()
        return whole
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _thinned_band(mark: Band, limit: int) -> Band:
    if len(mark.x) <= limit:
        return mark
    middle = np.where(np.isfinite(mark.low), mark.low, 0.0)
    chosen = thin_steps(len(mark.x), limit, middle)
    return Band(
        mark.x[chosen], mark.low[chosen], mark.high[chosen], mark.x_end, mark.role, mark.name
    )


def _band(mark: Band, palette: Palette) -> list[Json]:
    traces = []
    for x, low, high in _thinned_band(mark, MAX_STEPS).pieces():
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": _numbers(np.concatenate((x, x[::-1], x[:1]))),
                "y": _numbers(np.concatenate((high, low[::-1], high[:1]))),
                "name": _safe(mark.name),
                "fill": "toself",
                "fillcolor": _with_opacity(palette.colour(mark.role), palette.band_opacity),
                "line": {"width": 0, "color": palette.colour(mark.role)},
                "hoverinfo": "skip",
            }
        )
    return traces


def _line(mark: Line, palette: Palette) -> list[Json]:
    words = [_safe(text) for text in mark.hover]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": _numbers(x),
            "y": _numbers(y),
            "name": _safe(mark.name),
            "line": {"color": palette.colour(mark.role), "width": 1.6, "dash": _dash(mark.dash)},
            **(
                {"text": words, "hovertemplate": "%{text}<extra></extra>"}
                if len(words) == len(x)
                else {"hoverinfo": "skip"}
            ),
        }
        for x, y in mark.pieces()
    ]


def _strokes(
    mark: CensorTicks,
    panel: Panel,
    palette: Palette,
    page: Json,
    axes: tuple[str, str],
    height: float,
) -> Json:
    """Draw the ticks of a curve as one path: a browser styles every marker by itself.

    Upright it is in parts of the paper's height, because a path in units of an axis ends at its
    edge, where a tick on a curve that has not fallen yet would lose its upper half.
    """
    low, high = page[_layout_name(axes[1])].get("domain", (0.0, 1.0))
    y = low + (high - low) * panel.y.fraction(np.asarray(mark.y, dtype=float))
    half = TICK / 2 * (high - low) / height
    # a path of which one direction is in parts of the paper is not cut off at the axis
    inside = np.asarray(mark.x) <= max(panel.x.low, panel.x.high)
    path = "".join(
        f"M{place:.6g},{middle - half:.6f}V{middle + half:.6f}"
        for place, middle in zip(mark.x[inside].tolist(), y[inside].tolist(), strict=True)
    )
    return {
        "type": "path",
        "path": path,
        "xref": axes[0],
        "yref": "paper",
        "layer": "above",
        "line": {"color": palette.colour(mark.role), "width": 1.5},
    }


def _layout_name(axis: str) -> str:
    """Give the name in the layout of an axis that traces call "x" or "y2"."""
    return f"{axis[0]}axis{axis[1:]}"


def _censor_ticks(mark: CensorTicks) -> Json:
    """Give the places of ticks, for the pointer; their strokes are a path."""
    return {
        "type": "scatter",
        "mode": "none",
        "x": _numbers(mark.x),
        "y": _numbers(mark.y),
        "name": _safe(mark.name),
        "text": [_safe(text) for text in mark.hover],
        "customdata": [list(subjects) for subjects in mark.subjects],
        "meta": {"counts": [members.key for members in mark.members()]},
        "hovertemplate": "%{text}<extra></extra>",
    }


def _rule_line(mark: Rule, palette: Palette) -> Json:
    return _look(palette.colour(mark.role), 1.2, _dash(mark.dash, 1.2))


def _rule(mark: Rule, palette: Palette, x: str, y: str) -> Json:
    upright = mark.axis == "x"
    whole = f"{y if upright else x} domain"
    along = {
        "start": 0 if mark.start is None else mark.start,
        "end": 1 if mark.end is None else mark.end,
    }
    ref = whole if mark.start is None and mark.end is None else (y if upright else x)
    shape: Json = {"type": "line", "layer": "below", "line": _rule_line(mark, palette)}
    if upright:
        shape |= {"xref": x, "yref": ref, "x0": mark.at, "x1": mark.at}
        shape |= {"y0": along["start"], "y1": along["end"]}
    else:
        shape |= {"xref": ref, "yref": y, "y0": mark.at, "y1": mark.at}
        shape |= {"x0": along["start"], "x1": along["end"]}
    return shape


def _arrow(mark: Arrow, panel: Panel, palette: Palette, x: str, y: str) -> Json:
    return {
        "text": "",
        "showarrow": True,
        "arrowhead": 2,
        "arrowwidth": 1.2,
        "arrowcolor": palette.colour(mark.role),
        "xref": x,
        "yref": y,
        "axref": x,
        "ayref": y,
        "x": _axis_value(panel.x, mark.x1),
        "y": _axis_value(panel.y, mark.y1),
        "ax": _axis_value(panel.x, mark.x0),
        "ay": _axis_value(panel.y, mark.y0),
    }


def _bar(mark: Bar, palette: Palette) -> Json:
    upright = mark.orientation == "vertical"
    along, across = ("y", "x") if upright else ("x", "y")
    return {
        "type": "bar",
        "orientation": "v" if upright else "h",
        across: [mark.position],
        along: [mark.end - mark.start],
        "base": [mark.start],
        "width": [mark.thickness],
        "name": _safe(mark.name),
        "text": [_safe(mark.hover or mark.name)],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "customdata": [list(mark.subjects)],
        "marker": {"color": palette.colour(mark.role), "line": {"width": 0}},
    }


def _point_intervals(points: Sequence[PointInterval], axis: Axis, palette: Palette) -> list[Json]:
    if not points:
        return []
    low_end, high_end = min(axis.low, axis.high), max(axis.low, axis.high)
    traces: list[Json] = []
    for role in dict.fromkeys(point.role for point in points):
        colour = palette.colour(role)
        own = [point for point in points if point.role is role]
        line_x: list[float | None] = []
        line_y: list[float | None] = []
        tip_x: list[float] = []
        tip_y: list[float] = []
        tips: list[str] = []
        for point in own:
            if point.low is None and point.high is None:
                continue
            low = low_end if point.low is None else point.low
            high = high_end if point.high is None else point.high
            if low > high_end or high < low_end:
                continue
            line_x += [max(low, low_end), min(high, high_end), None]
            line_y += [point.y, point.y, None]
            if point.low is None or low < low_end:
                tip_x.append(low_end)
                tip_y.append(point.y)
                tips.append("triangle-left")
            if point.high is None or high > high_end:
                tip_x.append(high_end)
                tip_y.append(point.y)
                tips.append("triangle-right")
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": line_x,
                "y": line_y,
                "line": {"color": colour, "width": LINE},
                "hoverinfo": "skip",
                "name": "Intervals",
            }
        )
        if tips:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": tip_x,
                    "y": tip_y,
                    "marker": {"symbol": tips, "size": 10, "color": colour},
                    "hoverinfo": "skip",
                    "cliponaxis": False,
                    "name": "Beyond the axis",
                }
            )
        inside = [point for point in own if low_end <= point.x <= high_end]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [point.x for point in inside],
                "y": [point.y for point in inside],
                "text": [_safe(point.hover or point.name) for point in inside],
                "meta": {"counts": [point.members and point.members.key for point in inside]},
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "symbol": [point.shape for point in inside],
                    "size": [12.0 * max(0.45, math.sqrt(point.size)) for point in inside],
                    "color": colour,
                    "opacity": 1,
                    "line": {"width": 0},
                },
                "cliponaxis": False,
                "name": "Estimates",
            }
        )
    return traces


# --------------------------------------------------------------------------------------- row grid

_GAP = 18.0
_INDENT = 14.0


def _row_grid(figure: Figure, grid: RowGrid, palette: Palette, width: float) -> Json:
    first_panel = next((i for i, it in enumerate(grid.items) if isinstance(it, Panel)), None)
    if first_panel is None:
        raise ValueError("a row grid needs at least one panel")
    columns = {
        i: _column_width(item) for i, item in enumerate(grid.items) if isinstance(item, TextColumn)
    }
    panels = [i for i, item in enumerate(grid.items) if isinstance(item, Panel)]
    after = {
        panel: [i for i in columns if i > panel and not any(panel < other < i for other in panels)]
        for panel in panels
    }
    label_limit = 0.26 * width
    lines = dict.fromkeys(range(grid.n_rows), 1)
    wrapped: dict[tuple[int, int], tuple[str, ...]] = {}
    if 0 in columns and columns[0] > label_limit:
        columns[0] = label_limit
    for i, column_width in columns.items():
        item = grid.items[i]
        assert isinstance(item, TextColumn)
        for row, cell in enumerate(item.cells):
            pieces = wrap(
                cell.text,
                column_width - cell.indent * _INDENT + 0.01,
                TEXT,
                METRICS,
                600 if cell.bold else 400,
            )
            wrapped[i, row] = pieces
            lines[row] = max(lines[row], len(pieces))
    left = 6.0 + sum(columns[i] + _GAP for i in columns if i < first_panel)
    right = 6.0 + sum(columns[i] + _GAP for i in after[panels[-1]])
    between = {p: sum(columns[i] + _GAP for i in after[p]) + _GAP for p in panels[:-1]}
    inner = max(width - left - right, 120.0 * len(panels) + sum(between.values()))
    share = (inner - sum(between.values())) / len(panels)
    heights = [lines[row] * ROW + 6.0 for row in range(grid.n_rows)]
    header_lines = max(
        (len(item.header.splitlines()) for item in grid.items if isinstance(item, TextColumn)),
        default=0,
    )
    spanners = any(
        (item.spanner if isinstance(item, TextColumn) else item.title) for item in grid.items
    )
    top = 12.0 + (20.0 if figure.stamp else 0.0) + header_lines * ROW + (24.0 if spanners else 0.0)
    bottom = 56.0
    total = sum(heights)
    page = _base_layout(palette, top + total + bottom)
    page["margin"] = _margin(left, right, top, bottom)
    edges = np.concatenate(([0.0], np.cumsum(heights)))
    centres = (edges[:-1] + edges[1:]) / 2
    rows_axis: Json = {
        "range": [total, 0.0],
        "visible": False,
        "fixedrange": True,
        "autorange": False,
    }
    page["yaxis"] = rows_axis
    for row in grid.striped:
        edge = {"y0": float(edges[row]), "y1": float(edges[row + 1]), "yref": "y"}
        page["shapes"] += _stripe(edge, left, right, palette)
    data: list[Json] = []
    start = 0.0
    domain_ends: dict[int, float] = {}
    for number, place in enumerate(panels):
        panel = grid.items[place]
        assert isinstance(panel, Panel)
        name = "x" if number == 0 else f"x{number + 1}"
        domain = [start / inner, (start + share) / inner]
        domain_ends[place] = domain[1]
        page[f"xaxis{'' if number == 0 else number + 1}"] = {
            **_axis(panel.x, palette, upright=False),
            "domain": [round(end, 5) for end in domain],
            "anchor": "y",
            "ticktext": [
                _safe(label)
                for label in legible_labels(
                    panel.x, share, lambda label: METRICS.width(label, TEXT), 4.0
                )
            ],
        }
        traces = _panel_traces(panel, palette, page, name, "y")
        for trace in traces:
            # rows are numbers in the figure and pixels here, because wrapped rows are higher
            trace["y"] = [None if y is None else float(centres[int(y)]) for y in trace["y"]]
        data += traces
        if panel.title:
            page["annotations"].append(
                _header(
                    panel.title, palette, (domain[0] + domain[1]) / 2, "center",
                    header_lines * ROW + 6.0,
                )
            )  # fmt: skip
        start += share + between.get(place, 0.0)
    _write_columns(grid, columns, after, first_panel, domain_ends, wrapped, centres, palette, page)
    page["annotations"] += _stamp(figure, palette, top)
    return {"data": data, "layout": page}


def _stripe(edge: Json, left: float, right: float, palette: Palette) -> list[Json]:
    """Shade a row over panels and both margins."""
    look = {
        "type": "rect",
        "layer": "below",
        "xref": "paper",
        "line": {"width": 0},
        "fillcolor": palette.colour(Role.STRIPE),
        **edge,
    }
    pixels = {"xsizemode": "pixel"}
    return [
        {**look, "x0": 0, "x1": 1},
        {**look, **pixels, "xanchor": 0, "x0": -round(left) + 2, "x1": 0},
        {**look, **pixels, "xanchor": 1, "x0": 0, "x1": round(right) - 2},
    ]


def _column_width(column: TextColumn) -> float:
    cells = [
        METRICS.width(cell.text, TEXT, 600 if cell.bold else 400) + cell.indent * _INDENT
        for cell in column.cells
    ]
    headers = [METRICS.width(line, TEXT, 600) for line in column.header.splitlines()]
    return max([0.0, *cells, *headers])


def _header(
    text: str, palette: Palette, x: float, anchor: str, lift: float, shift: float = 0.0
) -> Json:
    return _annotation(
        _safe(text),
        _font(palette, weight=600),
        x=x,
        y=1,
        xanchor=anchor,
        yanchor="bottom",
        align=anchor,
        xshift=round(shift),
        yshift=round(lift),
    )


def _write_columns(
    grid: RowGrid,
    columns: dict[int, float],
    after: dict[int, list[int]],
    first_panel: int,
    domain_ends: dict[int, float],
    wrapped: dict[tuple[int, int], tuple[str, ...]],
    centres: FloatArray,
    palette: Palette,
    page: Json,
) -> None:
    places: dict[int, tuple[float, float]] = {}
    shift = 0.0
    for i in reversed([i for i in columns if i < first_panel]):
        shift -= columns[i] + _GAP
        places[i] = (0.0, shift)
    for panel, owned in after.items():
        shift = _GAP
        for i in owned:
            places[i] = (domain_ends[panel], shift)
            shift += columns[i] + _GAP
    for i, (x, offset) in places.items():
        item = grid.items[i]
        assert isinstance(item, TextColumn)
        anchor = {"start": "left", "middle": "center", "end": "right"}[item.align]
        offset += {"start": 0.0, "middle": 0.5, "end": 1.0}[item.align] * columns[i]
        if item.header:
            page["annotations"].append(_header(item.header, palette, x, anchor, 2.0, offset))
        for row, cell in enumerate(item.cells):
            if not cell.text:
                continue
            page["annotations"].append(
                _annotation(
                    "<br>".join(escape(piece, "plotly") for piece in wrapped[i, row]),
                    _font(palette, cell.role, TEXT, 600 if cell.bold else 400),
                    yref="y",
                    x=x,
                    y=float(centres[row]),
                    xanchor=anchor,
                    yanchor="middle",
                    align=anchor,
                    xshift=round(offset + (cell.indent * _INDENT if item.align == "start" else 0)),
                )
            )


# ---------------------------------------------------------------------------------------- diagram


def _diagram(figure: Figure, diagram: Diagram, palette: Palette, width: float) -> Json:
    """Draw a diagram at its own size in pixels, centred, however wide its place is."""
    size = FigureSize("screen", min(width, 720.0), None, float(TEXT), 1.4, 0.0, show_title=False)
    placed = layout(Figure(diagram), size)
    top = 26.0 if figure.stamp else 4.0
    page = _base_layout(palette, placed.height + top)
    page["margin"] = {"l": 0, "r": 0, "t": round(top), "b": 0}
    hidden: Json = {"visible": False, "range": [0, 1], "fixedrange": True, "autorange": False}
    page["xaxis"], page["yaxis"] = dict(hidden), dict(hidden)
    middle = placed.width / 2
    for item in placed.items:
        if isinstance(item, PlacedText):
            page["annotations"].append(_placed_text(item, middle, palette))
        else:
            page["shapes"] += _placed_path(item, middle, palette)
    page["annotations"] += _stamp(figure, palette, top)
    empty = {"type": "scatter", "x": [], "y": [], "hoverinfo": "skip", "showlegend": False}
    return {"data": [empty], "layout": page}


def _placed_text(item: PlacedText, middle: float, palette: Palette) -> Json:
    return _annotation(
        escape(item.text, "plotly"),
        _font(palette, item.role, item.size, item.weight),
        x=0.5,
        y=1,
        xanchor={"start": "left", "middle": "center", "end": "right"}[item.anchor],
        yanchor="middle",
        xshift=round(item.x - middle, 1),
        yshift=-round(item.y - 0.32 * item.size, 1),
    )


def _placed_path(item: PlacedPath, middle: float, palette: Palette) -> list[Json]:
    look: Json = {
        "layer": "below",
        "xref": "paper",
        "yref": "paper",
        "xsizemode": "pixel",
        "ysizemode": "pixel",
        "xanchor": 0.5,
        "yanchor": 1,
        "line": {
            "width": item.width,
            "color": palette.colour(item.stroke) if item.stroke else "rgba(0,0,0,0)",
        },
    }
    shapes = []
    for points in item.subpaths:
        # pixels from the anchor, y upwards
        placed = [(round(x - middle, 1), -round(y, 1)) for x, y in points.tolist()]
        path = "M" + "L".join(f"{x},{y}" for x, y in placed) + ("Z" if item.closed else "")
        shape = {**look, "type": "path", "path": path}
        if item.fill is not None:
            shape["fillcolor"] = palette.colour(item.fill)
        shapes.append(shape)
    return shapes
