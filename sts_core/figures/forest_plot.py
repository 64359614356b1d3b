"""The forest plot: estimates with intervals in rows, beside their words and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sts_core.display import format_estimate, format_p
from sts_core.estimates import Estimate
from sts_core.figures.marks import (
    Axis,
    Dash,
    Figure,
    Mark,
    Panel,
    PointInterval,
    Role,
    RowGrid,
    Rule,
    Scale,
    TextCell,
    TextColumn,
)
from sts_core.members import Members

# the axis is symmetric about 1; the first that shows all points is taken
_RATIO_AXES: tuple[tuple[float, ...], ...] = (
    (0.25, 0.5, 1.0, 2.0, 4.0),
    (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0),
    (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0),
    (0.01, 0.1, 1.0, 10.0, 100.0),
    (0.001, 0.1, 1.0, 10.0, 1000.0),
)


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One row of a forest plot.

    Attributes
    ----------
    label
        The variable (a heading) or the level.
    heading
        Whether the row only names what follows.
    estimates
        One a panel: the estimate, ``None`` for a cell that stays empty. An estimate without a
        value is written with its reason's short form and drawn not at all.
    p_values
        One a panel, or empty when P is not shown; ``None`` leaves the cell empty.
    counts
        Texts of the columns on the left, "n" and "Events" for instance.
    weight
        Events, by whose share the marker's area is drawn.
    alone
        Whether the row belongs to no heading above it (a number among variables with levels).
    members
        The patients that the row rests on.
    """

    label: str
    heading: bool = False
    estimates: tuple[Estimate | None, ...] = ()
    p_values: tuple[float | None, ...] = ()
    counts: tuple[str, ...] = ()
    weight: float = 1.0
    alone: bool = False
    members: Members | None = None


def forest_plot(
    rows: Sequence[ForestRow],
    *,
    panels: Sequence[str] = ("",),
    count_headers: Sequence[str] = ("n", "Events"),
    measure: str = "HR",
    scale: Literal["ratio", "proportion"] = "ratio",
    show_p: bool = True,
    reference_line: float | None = None,
    title: str = "",
    subtitle: str = "",
    favours: tuple[str, str] | None = None,
    footnotes: Sequence[str] = (),
    stamp: str = "",
    quiet_p: bool = False,
    conf_level: float = 0.95,
    decimals: int | None = None,
) -> Figure:
    """Draw estimates with their intervals by row.

    Parameters
    ----------
    rows
        From the top.
    panels
        Headings of the panels, one for each place in ``estimates``; all share one axis.
    count_headers
        Headings of ``counts``.
    measure
        What is estimated, for headings and axis.
    scale
        ``ratio``: log axis with a solid line at 1. ``proportion``: shares in [0, 1] on an axis
        from 0 to 100%.
    show_p
        Whether a column of P values follows each panel's numbers.
    reference_line
        An overall estimate, drawn dashed.
    favours
        What lies left and right of 1; only of treatments that were assigned at random.
    stamp
        What stands out at the top on the right.
    quiet_p
        Whether P values are greyed and labelled exploratory.
    decimals
        Of the written numbers; 2 for ratios and 1 for percentages when ``None``.

    Returns
    -------
    Figure
        Intervals that leave the axis end in arrows; the text has them in full.

    Raises
    ------
    ValueError
        When a row has another number of estimates than there are panels.
    """
    for row in rows:
        if not row.heading and len(row.estimates) != len(panels):
            raise ValueError(
                f"row {row.label!r} has {len(row.estimates)} estimates for {len(panels)} panels"
            )
    items: list[TextColumn | Panel] = [_label_column(rows)]
    for i, header in enumerate(count_headers):
        items.append(
            TextColumn(
                header,
                tuple(TextCell(row.counts[i] if i < len(row.counts) else "") for row in rows),
                align="end",
            )
        )
    percent = scale == "proportion"
    digits = decimals if decimals is not None else (1 if percent else 2)
    level = f"{conf_level:.0%} CI"
    axis = _proportion_axis(measure) if percent else _ratio_axis(rows, measure, favours)
    largest = max((row.weight for row in rows if not row.heading), default=1.0) or 1.0
    with_p = show_p and any(row.p_values for row in rows)
    for place, name in enumerate(panels):
        if place:  # an arrow at the panel's edge keeps away from the numbers before it
            items.append(TextColumn("", (TextCell(""),) * len(rows)))
        items.append(_panel(rows, place, axis, name, largest, reference_line, percent=percent))
        spanner = name if len(panels) > 1 else ""
        items.append(
            TextColumn(
                f"{measure}{', %' if percent else ''} ({level})",
                tuple(_estimate_cell(row, place, digits, percent=percent) for row in rows),
                spanner=spanner,
            )
        )
        if with_p:
            items.append(
                TextColumn(
                    "P\n(exploratory)" if quiet_p else "P",
                    tuple(_p_cell(row, place, quiet=quiet_p) for row in rows),
                    align="end",
                    spanner=spanner,
                )
            )
    return Figure(
        body=RowGrid(len(rows), tuple(items), tuple(_stripes(rows)), tuple(_blocks(rows))),
        title=title,
        subtitle=subtitle,
        footnotes=tuple(footnotes),
        stamp=stamp,
        alt=_alt(rows, panels, measure, digits, percent=percent),
    )


def _label_column(rows: Sequence[ForestRow]) -> TextColumn:
    has_headings = any(row.heading for row in rows)
    return TextColumn(
        "",
        tuple(
            TextCell(
                row.label,
                bold=row.heading,
                indent=1 if has_headings and not (row.heading or row.alone) else 0,
            )
            for row in rows
        ),
    )


def _stripes(rows: Sequence[ForestRow]) -> list[int]:
    """Shade every second block of rows, a block being a heading with its levels."""
    if not any(row.heading for row in rows):
        return list(range(1, len(rows), 2))
    starts = _blocks(rows)
    return [i for i in range(len(rows)) if sum(start <= i for start in starts) % 2 == 0]


def _blocks(rows: Sequence[ForestRow]) -> list[int]:
    """Give the rows that begin something: a heading, or a row under none."""
    starts, under = [], False
    for i, row in enumerate(rows):
        if row.heading or row.alone or not under:
            starts.append(i)
        under = row.heading or (under and not row.alone)
    return starts


def _estimate_cell(row: ForestRow, place: int, digits: int, *, percent: bool) -> TextCell:
    if row.heading or row.estimates[place] is None:
        return TextCell("")
    estimate = row.estimates[place]
    assert estimate is not None
    role = Role.TEXT if estimate.is_estimable else Role.MUTED
    return TextCell(format_estimate(estimate, digits, percent=percent), role)


def _p_cell(row: ForestRow, place: int, *, quiet: bool) -> TextCell:
    if place >= len(row.p_values) or row.p_values[place] is None:
        return TextCell("")
    return TextCell(format_p(row.p_values[place]), Role.MUTED if quiet else Role.TEXT)


def _panel(
    rows: Sequence[ForestRow],
    place: int,
    axis: Axis,
    name: str,
    largest: float,
    reference_line: float | None,
    *,
    percent: bool,
) -> Panel:
    marks: list[Mark] = []
    if not percent:
        marks.append(Rule("x", 1.0, Role.AXIS, dash=Dash.SOLID, name="No difference"))
    if reference_line is not None:
        marks.append(Rule("x", reference_line, Role.REFERENCE, dash=Dash.DASHED, name="Overall"))
    for i, row in enumerate(rows):
        if row.heading:
            continue
        estimate = row.estimates[place]
        if estimate is None or estimate.value is None or not math.isfinite(estimate.value):
            continue
        marks.append(
            PointInterval(
                x=estimate.value,
                y=float(i),
                low=estimate.low,
                high=estimate.high,
                role=Role.SLOT_0,
                size=max(row.weight, 0.0) / largest,
                name=row.label,
                hover=f"{row.label}\n"
                + format_estimate(estimate, 1 if percent else 2, percent=percent),
                members=row.members,
            )
        )
    n = max(len(rows), 1)
    return Panel(
        x=axis,
        y=Axis(n - 0.5, -0.5, visible=False),
        marks=tuple(marks),
        title=name,
    )


def _ratio_axis(rows: Sequence[ForestRow], measure: str, favours: tuple[str, str] | None) -> Axis:
    """Choose a symmetric log axis for all points and for intervals within 0.1 to 10."""
    estimates = [e for row in rows for e in row.estimates if e is not None and e.value is not None]
    points = [e.value for e in estimates if e.value is not None and e.value > 0]
    ends = [end for e in estimates for end in (e.low, e.high) if end is not None and end > 0]
    logs = [abs(math.log10(point)) for point in points]
    logs += [min(abs(math.log10(end)), 1.0) for end in ends]
    furthest = 10 ** max(logs, default=0.0)
    ticks = next(
        (axis for axis in _RATIO_AXES if furthest <= axis[-1] * (1 + 1e-9)), _RATIO_AXES[-1]
    )
    title = f"{measure} (log scale)"
    if favours is not None:
        title = f"← {favours[0]}    {measure}    {favours[1]} →"
    return Axis(ticks[0], ticks[-1], ticks, tuple(f"{tick:g}" for tick in ticks), title, Scale.LOG)


def _proportion_axis(measure: str) -> Axis:
    ticks = (0.0, 0.25, 0.5, 0.75, 1.0)
    return Axis(0.0, 1.0, ticks, ("0", "25", "50", "75", "100"), f"{measure}, %", grid=True)


def _alt(
    rows: Sequence[ForestRow],
    panels: Sequence[str],
    measure: str,
    digits: int,
    *,
    percent: bool,
) -> str:
    parts = []
    heading = ""
    for row in rows:
        if row.heading:
            heading = row.label
            continue
        values = [
            f"{f'{name} ' if name else ''}{format_estimate(estimate, digits, percent=percent)}"
            for name, estimate in zip(panels, row.estimates, strict=True)
            if estimate is not None
        ]
        who = f"{heading}, {row.label}" if heading else row.label
        parts.append(f"{who}: {', '.join(values) or 'no estimate'}")
    unit = ", %" if percent else ""
    return f"Forest plot of {measure}{unit}. {'; '.join(parts)}."
