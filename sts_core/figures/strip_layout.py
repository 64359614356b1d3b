"""The table under an axis: how much of it is written, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sts_core.figures.key_layout import SAMPLE, cell_lines, draw_sample
from sts_core.figures.marks import Key, Role, StripGroup, StripRow, TableStrip
from sts_core.figures.placed import ASCENT, PlacedPanel
from sts_core.figures.sheet import BOLD, LINE_HEIGHT, Sheet

StripMode = Literal["stacked", "combined", "first"]


@dataclass(frozen=True, slots=True)
class StripPlan:
    """How a table strip is written.

    ``stacked``: a heading a group with one row a quantity. ``combined``: one row a group,
    "12 (3, 1)". ``first``: one row a group with the first quantity only.
    """

    mode: StripMode
    groups: tuple[StripGroup, ...]
    heading: str

    @property
    def n_lines(self) -> int:
        """Lines of text, headings included, before labels are wrapped."""
        headed = sum(1 for group in self.groups if group.label and self.mode == "stacked")
        return headed + sum(len(group.rows) for group in self.groups) + bool(self.heading)

    def owns_label(self, group: StripGroup) -> bool:
        """Whether a group's name stands in its row instead of above its rows."""
        return self.mode != "stacked" and bool(group.label)


def plan_strip(strip: TableStrip, mode: StripMode) -> StripPlan:
    """Write a strip's groups in one of the three ways."""
    if mode == "stacked":
        return StripPlan(mode, strip.groups, strip.title)
    groups = []
    names = [row.name for row in strip.groups[0].rows] if strip.groups else []
    for group in strip.groups:
        cells = [row.cells for row in group.rows]
        if mode == "combined" and len(cells) > 1:
            written = tuple(
                f"{first} ({', '.join(rest)})" for first, *rest in zip(*cells, strict=True)
            )
        else:
            written = cells[0]
        name = group.label or group.rows[0].name
        # what is written together counts first who is at risk
        own = group.rows[0].members
        groups.append(replace(group, rows=(StripRow(name, written, own),)))
    heading = names[0] if names else ""
    if mode == "combined" and len(names) > 1:
        heading = f"{names[0]} ({', '.join(name.lower() for name in names[1:])})"
    return StripPlan(mode, tuple(groups), heading)


def choose_strip(
    strip: TableStrip, fits: Callable[[StripPlan], bool], max_lines: int = 17
) -> StripPlan:
    """Choose the fullest way of writing a strip that fits.

    Parameters
    ----------
    strip
        The rows.
    fits
        Whether the cells of a plan fit between the positions.
    max_lines
        Above this, one row a group is preferred to three.
    """
    stacked = plan_strip(strip, "stacked")
    if all(len(group.rows) == 1 for group in strip.groups):
        return plan_strip(strip, "first")
    if stacked.n_lines <= max_lines:
        return stacked
    combined = plan_strip(strip, "combined")
    return combined if fits(combined) else stacked


def choose_short_strip(strip: TableStrip, fits: Callable[[StripPlan], bool]) -> StripPlan:
    """Choose one row a group, with all quantities where they fit."""
    combined = plan_strip(strip, "combined")
    return combined if fits(combined) else plan_strip(strip, "first")


def widest_cell(plan: StripPlan, measure: Callable[[str], float]) -> float:
    """Give the width of a plan's widest cell."""
    return max(
        (measure(cell) for group in plan.groups for row in group.rows for cell in row.cells),
        default=0.0,
    )


def label_width(sheet: Sheet, plan: StripPlan) -> float:
    """Give the natural width of the labels on the left."""
    return max(
        (
            sheet.measure(row.name, sheet.small, BOLD if plan.owns_label(group) else 400)
            for group in plan.groups
            for row in group.rows
        ),
        default=0.0,
    )


def _row_lines(
    sheet: Sheet, group: StripGroup, row: StripRow, plan: StripPlan, width: float
) -> tuple[str, ...]:
    weight = BOLD if plan.owns_label(group) else 400
    return sheet.wrapped(row.name, width + 0.01, sheet.small, weight)


def strip_height(sheet: Sheet, plan: StripPlan, labels: float, folded: Key | None = None) -> float:
    """Give the height of a strip whose labels have the width ``labels``."""
    step = LINE_HEIGHT * sheet.small
    height = 6.0 + step * _heading_lines(plan, folded)
    full = sheet.size.width - 2 * sheet.size.margin
    for group in plan.groups:
        if plan.mode == "stacked" and group.label:
            height += 2.0 + step * len(sheet.wrapped(group.label, full, sheet.small, BOLD))
        for row in group.rows:
            height += step * len(_row_lines(sheet, group, row, plan, labels))
    return height


def _heading_lines(plan: StripPlan, folded: Key | None) -> int:
    header = 0 if folded is None else max((len(cell_lines(h)) for h in folded.headers), default=0)
    # beside the axis title there is room for all but the last line of the columns' headings
    return max(int(bool(plan.heading)), header - 1)


def lasting_columns(key: Key) -> Key:
    """Leave out a key's first two columns, which the strip itself says, and the spare ones."""
    n = max((len(entry.cells) for entry in key.entries), default=0)
    kept = [i for i in range(n) if (i > 1 or n < 3) and i not in key.spare]
    return replace(
        key,
        entries=tuple(
            replace(entry, cells=tuple(entry.cells[i] for i in kept if i < len(entry.cells)))
            for entry in key.entries
        ),
        headers=tuple(key.headers[i] for i in kept if i < len(key.headers)),
        spare=(),
    )


def _columns_of(row: StripRow, kept: Sequence[int]) -> StripRow:
    cells = tuple(row.cells[i] for i in kept)
    return replace(row, cells=cells, members=tuple(row.members[i] for i in kept if row.members))


def part_of_strip(strip: TableStrip, kept: Sequence[int]) -> TableStrip:
    """Keep some columns of a strip."""
    return replace(
        strip,
        positions=tuple(strip.positions[i] for i in kept),
        groups=tuple(
            replace(
                group,
                rows=tuple(_columns_of(row, kept) for row in group.rows),
            )
            for group in strip.groups
        ),
    )


def folded_columns(sheet: Sheet, key: Key) -> tuple[float, ...]:
    """Give the widths of a key's columns where they stand to the right of the strip."""
    n = max((len(entry.cells) for entry in key.entries), default=0)
    widths = []
    for i in range(n):
        texts = [e.cells[i] for e in key.entries if i < len(e.cells)]
        texts += cell_lines(key.headers[i]) if i < len(key.headers) else ()
        widths.append(max(sheet.measure(text, sheet.small) for text in texts))
    return tuple(widths)


def draw_strip(
    sheet: Sheet,
    frame: PlacedPanel,
    strip: TableStrip,
    plan: StripPlan,
    labels: float,
    top: float,
    folded: Key | None = None,
    columns_from: float = 0.0,
) -> float:
    """Write the strip from ``top`` and give the y below it.

    With ``folded``, the strip is the key as well: a line sample before each group's name, the
    key's numbers in columns from ``columns_from`` on.
    """
    size = sheet.small
    step = LINE_HEIGHT * size
    left = sheet.size.margin
    offset = (SAMPLE + 0.5) * size if folded else 0.0
    y = top + 6.0
    n_heading = _heading_lines(plan, folded)
    if plan.heading:
        at = y + (n_heading - 1) * step + ASCENT * size
        sheet.write(left, at, plan.heading, size=size, weight=BOLD)
    rights = _draw_folded_headers(sheet, folded, columns_from, y, n_heading)
    y += n_heading * step
    full = sheet.size.width - 2 * sheet.size.margin
    places = frame.x(np.array(strip.positions))
    for number, group in enumerate(plan.groups):
        if plan.mode == "stacked" and group.label:
            y += 2.0
            for line in sheet.wrapped(group.label, full, size, BOLD):
                sheet.write(
                    left,
                    y + ASCENT * size,
                    line,
                    size=size,
                    weight=BOLD,
                    role=group.role,
                    name=f"Table heading: {group.label}",
                )
                y += step
        own = plan.owns_label(group)
        for row in group.rows:
            lines = _row_lines(sheet, group, row, plan, labels)
            for i, line in enumerate(lines):
                sheet.write(
                    left + offset if own else left + offset + labels,
                    y + i * step + ASCENT * size,
                    line,
                    size=size,
                    weight=BOLD if own else 400,
                    role=group.role if own else Role.MUTED,
                    anchor="start" if own else "end",
                    name=f"Table row: {row.name}",
                )
            for x, cell in zip(places, row.cells, strict=True):
                sheet.write(
                    float(x),
                    y + ASCENT * size,
                    cell,
                    size=size,
                    anchor="middle",
                    name=f"Table cell: {group.label} {row.name}".strip(),
                )
            if folded is not None:
                entry = folded.entries[number]
                draw_sample(sheet, entry, left, y + 0.5 * size, size)
                for right, cell in zip(rights, entry.cells, strict=False):
                    sheet.write(right, y + ASCENT * size, cell, size=size, anchor="end")
            y += step * len(lines)
    return y


def _draw_folded_headers(
    sheet: Sheet, folded: Key | None, left: float, top: float, n_lines: int
) -> Sequence[float]:
    if folded is None:
        return ()
    size = sheet.small
    rights = []
    x = left
    for i, width in enumerate(folded_columns(sheet, folded)):
        x += width
        rights.append(x)
        x += size
        if i >= len(folded.headers):
            continue
        lines = cell_lines(folded.headers[i])
        for j, line in enumerate(lines):
            at = top + (n_lines - len(lines) + j) * LINE_HEIGHT * size + ASCENT * size
            sheet.write(rights[-1], at, line, size=size, role=Role.MUTED, anchor="end")
    return rights
