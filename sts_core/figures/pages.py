"""Sharing a figure among pages: what one page can't hold in legible text goes on to the next.

A row grid ends its pages before a block, so that a variable stays with its levels; every page has
the same columns and axis. A flow diagram first goes on in a second trunk beside the first one,
then on a further page, each time with a box that says who is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sts_core.display import lower_first
from sts_core.figures.diagram_layout import place_diagram
from sts_core.figures.fonts import METRICS, FontMetrics
from sts_core.figures.grid_layout import place_rows, row_heights
from sts_core.figures.layout import layout
from sts_core.figures.marks import (
    Axis,
    Box,
    BoxLine,
    Chart,
    Connector,
    Diagram,
    Figure,
    Mark,
    Panel,
    PointInterval,
    RowGrid,
    SmallMultiples,
    TableStrip,
    TextCell,
    TextColumn,
)
from sts_core.figures.multiples_layout import pages_of
from sts_core.figures.placed import PlacedFigure
from sts_core.figures.sheet import shortened_notes
from sts_core.figures.strip_layout import StripPlan, plan_strip
from sts_core.figures.theme import JOURNAL_DOUBLE, FigureSize

_TEXT_STEP = 0.5
#: Width of a page, in its text's size, from which two trunks of a diagram stand side by side.
_TWO_TRUNKS = 60.0
_MOST_PAGES = 200
#: Lines of footnotes on a slide of several; all of them stand in the speaker's notes.
_SLIDE_NOTES = 4
#: Share of a page below which a panel gives its table to a page of its own.
_LEAST_PANEL = 0.36

Row = tuple[int, bool]  # number of the row, and whether it is a heading that is repeated


def layout_pages(
    figure: Figure, size: FigureSize = JOURNAL_DOUBLE, metrics: FontMetrics = METRICS
) -> tuple[PlacedFigure, ...]:
    """Place a figure on as many pages as it needs.

    Parameters
    ----------
    figure
        What to draw.
    size
        The page. Without ``height`` and ``max_height`` there is one page, as high as needed.
    metrics
        Widths of text.

    Returns
    -------
    tuple of PlacedFigure
        At least one. Of several, each title ends in "(1 of 3)", and stamp, headings, axis and
        footnotes are on each.
    """
    whole = layout(figure, size, metrics)
    if size.room is None:
        return (whole,)
    if isinstance(figure.body, Chart) and size.height is not None:
        crowded = whole.panels[0].height < _LEAST_PANEL * size.height
        if (crowded or whole.height > size.height + 0.01) and figure.body.strip is not None:
            return _chart_pages(figure, figure.body, figure.body.strip, size, metrics)
    if whole.height <= size.room + 0.01:
        return (whole,)
    if isinstance(figure.body, SmallMultiples):
        parts = pages_of(figure, figure.body, size, metrics)
        shares = [replace(figure, body=part) for part in parts]
        return tuple(
            layout(_numbered(share, number, len(parts)), size, metrics)
            for number, share in enumerate(shares, start=1)
        )
    if isinstance(figure.body, RowGrid):
        grid = figure.body
        if size.height is not None:  # a slide that is one of several keeps its room for rows
            figure = shortened_notes(figure, size, metrics, _SLIDE_NOTES)
        return _grid_pages(figure, grid, size, metrics)
    if isinstance(figure.body, Diagram):
        return _diagram_pages(figure, figure.body, size, metrics) or (whole,)
    return (whole,)


def _text_sizes(size: FigureSize) -> list[float]:
    """Give text sizes to try: a page of free height keeps its own."""
    if size.height is None:
        return [size.text]
    steps = int((size.text - size.least) / _TEXT_STEP)
    return [*(size.text - i * _TEXT_STEP for i in range(steps + 1)), size.least]


def _numbered(figure: Figure, number: int, count: int) -> Figure:
    if count == 1:
        return figure
    return replace(
        figure,
        title=f"{figure.title} ({number} of {count})",
        alt=f"Part {number} of {count}. {figure.alt}",
    )


def shared(heights: Sequence[float], room: float) -> list[list[int]]:
    """Share consecutive parts among as few bins as possible, about equally full.

    A part that is higher than ``room`` has a bin of its own.
    """

    def filled(limit: float) -> list[list[int]]:
        bins: list[list[int]] = [[]]
        used = 0.0
        for number, height in enumerate(heights):
            if bins[-1] and used + height > limit + 1e-9:
                bins.append([])
                used = 0.0
            bins[-1].append(number)
            used += height
        return bins

    fewest = len(filled(room))
    low, high = 0.0, room
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if len(filled(middle)) <= fewest else (middle, high)
    return filled(high)


# ------------------------------------------------------------------------------------------ charts


def _chart_pages(
    figure: Figure, chart: Chart, strip: TableStrip, size: FigureSize, metrics: FontMetrics
) -> tuple[PlacedFigure, ...]:
    """Give the curves a page, and what stands under their axis and in their key the next."""
    key = chart.key
    short = key and replace(
        key, entries=tuple(replace(entry, cells=()) for entry in key.entries), headers=()
    )
    grid = _strip_grid(chart, strip)
    table = replace(figure, body=grid)
    trial = replace(size, text=max(size.least, 0.9 * size.text))
    shares = _row_pages(table, grid, trial, metrics)
    count = 1 + len(shares)
    curves = replace(figure, body=replace(chart, key=short, strip=None))
    pages = [layout(_numbered(curves, 1, count), size, metrics)]
    for number, rows in enumerate(shares, start=2):
        part = _part(grid, rows)
        page = _numbered(replace(figure, body=part), number, count)
        pages.append(place_rows(page, part, trial, metrics))
    return tuple(pages)


def _strip_grid(chart: Chart, strip: TableStrip) -> RowGrid:
    """Write the table under an axis, with the key's numbers, as rows of their own."""
    plan = plan_strip(strip, "combined")
    labels = [group.rows[0].name for group in plan.groups]
    key = chart.key
    matching = key is not None and [e.label for e in key.entries] == labels
    items: list[TextColumn | Panel] = [TextColumn("", tuple(TextCell(label) for label in labels))]
    for place, header in enumerate(key.headers if key is not None and matching else ()):
        assert key is not None
        if place in key.spare:
            continue
        cells = tuple(TextCell(entry.cells[place]) for entry in key.entries)
        items.append(TextColumn(header, cells, align="end"))
    ticks = dict(zip(chart.panel.x.ticks, chart.panel.x.tick_labels, strict=True))
    for place, position in enumerate(strip.positions):
        cells = tuple(TextCell(group.rows[0].cells[place]) for group in plan.groups)
        header = ticks.get(position, f"{position:g}")
        items.append(TextColumn(header, cells, align="end", spanner=_spanner(plan, chart)))
    return RowGrid(len(labels), tuple(items), tuple(range(1, len(labels), 2)))


def _spanner(plan: StripPlan, chart: Chart) -> str:
    title = chart.panel.x.title
    return f"{plan.heading} by {lower_first(title)}" if title else plan.heading


# --------------------------------------------------------------------------------------- row grids


def _grid_pages(
    figure: Figure, grid: RowGrid, size: FigureSize, metrics: FontMetrics
) -> tuple[PlacedFigure, ...]:
    trials = [replace(size, text=text) for text in _text_sizes(size)]
    shares = [_row_pages(figure, grid, trial, metrics) for trial in trials]
    fewest = min(len(share) for share in shares)
    # the largest text that needs no more pages than the smallest one
    trial, share = next(
        (trial, share) for trial, share in zip(trials, shares, strict=True) if len(share) == fewest
    )
    pages = []
    for number, rows in enumerate(share, start=1):
        part = replace(figure, body=_part(grid, rows))
        page = _numbered(part, number, len(share))
        assert isinstance(page.body, RowGrid)
        pages.append(place_rows(page, page.body, trial, metrics))
    return tuple(pages)


def _row_pages(
    figure: Figure, grid: RowGrid, size: FigureSize, metrics: FontMetrics
) -> list[list[Row]]:
    heights = row_heights(grid, size, metrics)
    free = replace(size, height=None)
    # the page without its rows: heading, column headings, axis, footnotes
    frame = place_rows(figure, grid, free, metrics).height - sum(heights)
    assert size.room is not None
    room = max(size.room - frame, max(heights) * 2)
    parts = [part for block in _blocks(grid) for part in _cut(grid, block, heights, room)]
    needed = [sum(heights[row] for row, _ in part) for part in parts]
    return [[row for part in page for row in parts[part]] for page in shared(needed, room)]


def _blocks(grid: RowGrid) -> Iterator[list[int]]:
    starts = sorted({0, *grid.blocks}) if grid.blocks else list(range(grid.n_rows))
    for start, end in zip(starts, [*starts[1:], grid.n_rows], strict=True):
        yield list(range(start, end))


def _is_heading(grid: RowGrid, row: int) -> bool:
    first = grid.items[0]
    return isinstance(first, TextColumn) and first.cells[row].bold


def _cut(
    grid: RowGrid, block: list[int], heights: Sequence[float], room: float
) -> Iterator[list[Row]]:
    """Cut a block only where it is longer than a page, its heading repeated."""
    repeated: list[Row] = [(block[0], True)] if _is_heading(grid, block[0]) else []
    part: list[Row] = []
    used = 0.0
    for row in block:
        if part and used + heights[row] > room:
            yield part
            part = list(repeated)
            used = sum(heights[number] for number, _ in part)
        part.append((row, False))
        used += heights[row]
    yield part


def _part(grid: RowGrid, rows: Sequence[Row]) -> RowGrid:
    places = {row: place for place, (row, repeated) in enumerate(rows) if not repeated}
    items: list[TextColumn | Panel] = []
    for number, item in enumerate(grid.items):
        if isinstance(item, Panel):
            items.append(
                replace(
                    item,
                    y=Axis(len(rows) - 0.5, -0.5, visible=False),
                    marks=tuple(_moved(item.marks, places)),
                )
            )
            continue
        cells = tuple(
            _continued(item.cells[row], first=number == 0) if repeated else item.cells[row]
            for row, repeated in rows
        )
        items.append(replace(item, cells=cells))
    striped = tuple(place for place, (row, _) in enumerate(rows) if row in grid.striped)
    return RowGrid(len(rows), tuple(items), striped, whole=grid)


def _continued(cell: TextCell, *, first: bool) -> TextCell:
    return replace(cell, text=f"{cell.text} (continued)" if first else "")


def _moved(marks: Sequence[Mark], places: dict[int, int]) -> Iterator[Mark]:
    for mark in marks:
        if not isinstance(mark, PointInterval):
            yield mark
        elif round(mark.y) in places:
            yield replace(mark, y=float(places[round(mark.y)]))


# ---------------------------------------------------------------------------------------- diagrams


def _diagram_pages(
    figure: Figure, diagram: Diagram, size: FigureSize, metrics: FontMetrics
) -> tuple[PlacedFigure, ...]:
    """Give the first way of sharing that fits; nothing where the diagram can't be shared."""
    steps = [box for box in diagram.boxes if box.column == 1 and box.passed_on]
    if len(steps) < 2 or tuple(steps) != diagram.boxes[1 : len(steps) + 1] or size.room is None:
        return ()
    beside = 2 if size.width >= _TWO_TRUNKS * size.text else 1
    best: tuple[PlacedFigure, ...] = ()
    for n_pages in range(1, min(len(steps), _MOST_PAGES) + 1):
        for text in _text_sizes(size):
            trial = replace(size, text=text)
            best = tuple(_drawn(figure, diagram, steps, n_pages, beside, trial, metrics))
            if all(page.height <= size.room + 0.01 for page in best):
                return best
    return best


def _drawn(
    figure: Figure,
    diagram: Diagram,
    steps: Sequence[Box],
    n_pages: int,
    beside: int,
    size: FigureSize,
    metrics: FontMetrics,
) -> Iterator[PlacedFigure]:
    width = (size.width / beside - 16.0 * size.text) * 0.9
    weights = [_n_lines(box, width, size, metrics) + 2.0 for box in steps]
    # what ends the flow besides the patients analysed stands in the last trunk
    ends = [box for box in diagram.boxes[len(steps) + 1 :] if not box.emphasis]
    weights[-1] += sum(_n_lines(box, width, size, metrics) + 2.0 for box in ends)
    trunks = _in_parts(weights, min(n_pages * beside, len(steps)))
    pages = [trunks[i : i + beside] for i in range(0, len(trunks), beside)]
    for number, page in enumerate(pages, start=1):
        body = _folded(diagram, steps, page)
        drawn = _numbered(replace(figure, body=body), number, len(pages))
        # a trial of its own size: the text is not made smaller again
        yield place_diagram(drawn, body, replace(size, least=size.text), metrics)


def _n_lines(box: Box, width: float, size: FigureSize, metrics: FontMetrics) -> float:
    return float(
        sum(-(-int(metrics.width(line.text, size.text, 600)) // int(width)) for line in box.lines)
    )


def _in_parts(weights: Sequence[float], count: int) -> list[list[int]]:
    """Share steps among ``count`` trunks at most, as equally as may be."""
    low, high = max(weights), sum(weights)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if len(shared(weights, middle)) <= count else (middle, high)
    return shared(weights, high)


def _folded(diagram: Diagram, steps: Sequence[Box], trunks: Sequence[Sequence[int]]) -> Diagram:
    """Give one page: a start, the steps and an end for each of its trunks."""
    start, ends = diagram.boxes[0], diagram.boxes[len(steps) + 1 :]
    last_row = steps[-1].row
    boxes: list[Box] = []
    connectors: list[Connector] = []
    for place, trunk in enumerate(trunks):
        column = 2 * place
        first, last = trunk[0], trunk[-1]
        head = _carried(steps[first - 1], f"from_{place}") if first else start
        is_last = last == len(steps) - 1
        feet = ends if is_last else (_carried(steps[last], f"to_{place}"),)
        boxes.append(replace(head, row=0, column=column))
        if place:
            connectors.append(Connector(boxes[-2].key, head.key, "on"))
        for row, step in enumerate(trunk, start=1):
            boxes.append(replace(steps[step], row=row, column=column + 1))
            box = steps[step]
            connectors.append(Connector(head.key, box.key, "side", dashed=box.dashed))
        below = len(trunk) - last_row if is_last else len(trunk) + 1
        boxes += [replace(foot, row=foot.row + below, column=foot.column + column) for foot in feet]
        connectors += (
            [
                replace(
                    connector, start=head.key if connector.start == start.key else connector.start
                )
                for connector in diagram.connectors
                if connector.end in {foot.key for foot in feet}
            ]
            if is_last
            else [Connector(head.key, feet[0].key, "down")]
        )
    return Diagram(tuple(boxes), tuple(connectors))


def _carried(step: Box, key: str) -> Box:
    line = BoxLine(step.passed_on, bold=True)
    return Box(key, 0, 0, (line,), members=step.passed_members)
