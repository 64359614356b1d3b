"""Whom a figure counts: what its marks carry, for a screen that can be clicked, and as a table."""

from __future__ import annotations

from collections.abc import Iterator

from sts_core.display import Cell, Column, DisplayTable, Format, format_number
from sts_core.figures.marks import (
    CensorTicks,
    Chart,
    Diagram,
    Figure,
    Panel,
    PointInterval,
    RowGrid,
    SmallMultiples,
    StepLine,
    StripRow,
    TableStrip,
    TextColumn,
)
from sts_core.members import Count, CountedText, Members


def counted_in(figure: Figure) -> dict[str, Members]:
    """Give the patients behind every mark and number of a figure, by their description's key."""
    found = [members for panel in _panels(figure) for members in _of_panel(panel)]
    found += [members for row in _rows(figure) for members in row.members]
    return {members.key: members for members in found}


def _panels(figure: Figure) -> Iterator[Panel]:
    match figure.body:
        case Chart():
            yield figure.body.panel
        case RowGrid():
            yield from (item for item in figure.body.items if isinstance(item, Panel))
        case Diagram():
            return
        case multiples:
            yield from (chart.panel for chart in multiples.charts)


def _rows(figure: Figure) -> Iterator[StripRow]:
    match figure.body:
        case Chart(strip=TableStrip(groups=groups)):
            yield from (row for group in groups for row in group.rows)
        case SmallMultiples(charts=charts):
            yield from (row for chart in charts for row in chart.rows)
        case _:
            return


def _of_panel(panel: Panel) -> Iterator[Members]:
    for mark in panel.marks:
        if isinstance(mark, CensorTicks):
            yield from mark.members()
        elif isinstance(mark, StepLine | PointInterval) and mark.members is not None:
            yield mark.members


TITLE = "Patients in the figure"
#: Marks of censored patients are listed one by one up to so many in a figure.
MOST_TICKS = 150


def counts_table(figure: Figure) -> DisplayTable | None:
    """Give everything that a figure counts as a table, for those who don't use a pointer.

    Parameters
    ----------
    figure
        Not a diagram, whose boxes are reached one by one.

    Returns
    -------
    DisplayTable
        A heading for each curve with its numbers, the rows under the axis with a column for each of
        their times, and the marks of censored patients as notes; of a forest, a row for each point.
        ``None`` where the figure counts nobody.
    """
    if isinstance(figure.body, RowGrid):
        return _points(figure.body)
    if isinstance(figure.body, Diagram):
        return None
    parts = [*_curves_with_rows(figure.body)]
    axis = next(_panels(figure)).x
    positions = _positions(figure.body)
    label_of = dict(zip(axis.ticks, axis.tick_labels, strict=True))
    columns = [Column("what", "Curve")]
    columns += [
        Column(f"at_{at}", label_of.get(x, f"{x:g}"), Format.INTEGER, spanner=axis.title)
        for at, x in enumerate(positions)
    ]
    rows: list[dict[str, Cell]] = []
    members: dict[tuple[int, str], Members] = {}
    for lines, strips in parts:
        rows += [
            {"what": CountedText.of(f"{line.name}: " if line.name else "", line.numbers),
             "_heading": True}
            for line in lines
        ]  # fmt: skip
        for strip in strips:
            members |= {(len(rows), f"at_{at}"): who for at, who in enumerate(strip.members)}
            cells: dict[str, Cell] = {f"at_{at}": int(n) for at, n in enumerate(strip.cells)}
            rows.append({"what": strip.name, "_indent": 1, **cells})
    if not rows:
        return None
    return DisplayTable(TITLE, tuple(columns), tuple(rows), _tick_notes(figure), members)


def _curves_with_rows(
    body: Chart | SmallMultiples,
) -> Iterator[tuple[list[StepLine], tuple[StripRow, ...]]]:
    """Give curves with the rows that belong to them; rows of all curves come last."""

    def lines(panel: Panel) -> list[StepLine]:
        found = [mark for mark in panel.marks if isinstance(mark, StepLine)]
        return [line for line in found if line.numbers]

    if isinstance(body, SmallMultiples):
        for chart in body.charts:
            yield lines(chart.panel), chart.rows
        return
    groups = [] if body.strip is None else [*body.strip.groups]
    for line in lines(body.panel):
        own = [group for group in groups if group.label == line.name]
        groups = [group for group in groups if group not in own]
        yield [line], tuple(row for group in own for row in group.rows)
    for group in groups:
        yield [], group.rows


def _positions(body: Chart | SmallMultiples) -> tuple[float, ...]:
    if isinstance(body, SmallMultiples):
        return body.positions if any(chart.rows for chart in body.charts) else ()
    return body.strip.positions if body.strip is not None else ()


def _tick_notes(figure: Figure) -> tuple[str, ...]:
    """List the marks of censored patients, unless there are very many."""
    ticks = [
        mark
        for panel in _panels(figure)
        for mark in panel.marks
        if isinstance(mark, CensorTicks) and mark.subjects
    ]
    if sum(len(mark.subjects) for mark in ticks) > MOST_TICKS:
        return ("The marks of censored patients are too many to be listed one by one.",)
    return tuple(
        CountedText.of(
            f"Censored{f', {mark.name}' if mark.name else ''}: ",
            CountedText.joined(
                [
                    CountedText.of(Count(str(len(subjects)), who), f" at {format_number(float(x))}")
                    for x, subjects, who in zip(mark.x, mark.subjects, mark.members(), strict=True)
                ],
                ", ",
            ),
            ".",
        )
        for mark in ticks
    )


def _points(grid: RowGrid) -> DisplayTable | None:
    """List the rows of a forest with the columns that count patients."""
    texts = [item for item in grid.items if isinstance(item, TextColumn)]
    counting = [
        column
        for column in texts
        if any(isinstance(cell.text, CountedText) for cell in column.cells)
    ]
    if not counting:
        return None
    stub = texts[0]
    columns = [Column("row", stub.header or "Row")]
    columns += [
        Column(f"count_{at}", column.header, Format.INTEGER) for at, column in enumerate(counting)
    ]
    rows: list[dict[str, Cell]] = [
        {
            "row": stub.cells[place].text,
            "_indent": stub.cells[place].indent,
            "_heading": stub.cells[place].bold,
            **{f"count_{at}": column.cells[place].text for at, column in enumerate(counting)},
        }
        for place in range(grid.n_rows)
    ]
    return DisplayTable(TITLE, tuple(columns), tuple(rows))
