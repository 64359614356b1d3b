"""Whom a figure counts: the descriptions that its marks carry, for a screen that can be clicked."""

from __future__ import annotations

from collections.abc import Iterator

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
)
from sts_core.members import Members


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
