"""Placing a figure on a page: marks in data units become paths and text in points.

Everything that depends on the size of text is settled here, once, with the widths of the bundled
fonts: margins, wrapped labels, the table under the axis, a corner for the key that no curve
passes through. The renderers for print and for slides draw what is placed and nothing else, so
they can't differ. The origin is the top left corner of the page; y runs down; lengths are in
points (1/72 inch).
"""

from __future__ import annotations

from sts_core.figures.chart_layout import place_chart
from sts_core.figures.diagram_layout import place_diagram
from sts_core.figures.fonts import METRICS, FontMetrics
from sts_core.figures.grid_layout import place_rows
from sts_core.figures.marks import Chart, Figure, RowGrid, SmallMultiples
from sts_core.figures.multiples_layout import place_multiples
from sts_core.figures.placed import PlacedFigure
from sts_core.figures.theme import JOURNAL_DOUBLE, FigureSize


def layout(
    figure: Figure, size: FigureSize = JOURNAL_DOUBLE, metrics: FontMetrics = METRICS
) -> PlacedFigure:
    """Place a figure on a page.

    Parameters
    ----------
    figure
        What to draw.
    size
        The page and its text size. Without a height the page is as high as the content needs.
        Content that can't fit makes the page larger; nothing is ever clipped.
    metrics
        Widths of text.

    Returns
    -------
    PlacedFigure
        Paths and lines of text in points.
    """
    body = figure.body
    if isinstance(body, Chart):
        return place_chart(figure, body, size, metrics)
    if isinstance(body, SmallMultiples):
        return place_multiples(figure, body, size, metrics)
    if isinstance(body, RowGrid):
        return place_rows(figure, body, size, metrics)
    return place_diagram(figure, body, size, metrics)
