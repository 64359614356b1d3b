"""Names at the ends of curves: to the right of the panel, apart from each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sts_core.figures.marks import EndLabel, FloatArray, Role
from sts_core.figures.placed import ASCENT, PlacedPanel
from sts_core.figures.sheet import BOLD, LINE_HEIGHT, Sheet

#: From the panel's edge to the names, in the text's size.
END_GAP = 1.0
_WIDEST = 0.26  # share of the page
_AIR = 0.25  # between two names, in the text's size


@dataclass(frozen=True, slots=True)
class EndPlan:
    """Names broken into lines, and how wide they are."""

    ends: tuple[EndLabel, ...]
    lines: tuple[tuple[str, ...], ...]
    width: float

    def heights(self, size: float) -> FloatArray:
        """Give the height of each name with the air around it."""
        lines = np.array([len(lines) for lines in self.lines], dtype=float)
        return lines * LINE_HEIGHT * size + _AIR * size


def plan_ends(
    ends: Sequence[EndLabel],
    page_width: float,
    wrap: Callable[[str, float], tuple[str, ...]],
    measure: Callable[[str], float],
) -> EndPlan:
    """Break names into lines that leave most of the page to the curves."""
    lines = tuple(wrap(end.text, _WIDEST * page_width) for end in ends)
    width = max((measure(line) for name in lines for line in name), default=0.0)
    return EndPlan(tuple(ends), lines, width)


def apart(centres: FloatArray, heights: FloatArray, low: float, high: float) -> FloatArray:
    """Move centres as little as need be until nothing overlaps and all lies between two ends.

    Parameters
    ----------
    centres, heights
        Where each wants to be, and how high it is; shape (n,).
    low, high
        Ends of the room, which is at least as high as all of them together.
    """
    order = np.argsort(centres, kind="stable")
    tall = heights[order]
    # without the heights before it, each must lie at or after the one before
    before = np.cumsum(tall) - tall / 2
    blocks: list[tuple[float, int]] = []
    for wanted in centres[order] - before:
        value, count = float(wanted), 1
        while blocks and blocks[-1][0] > value:
            other, size = blocks.pop()
            value = (value * count + other * size) / (count + size)
            count += size
        blocks.append((value, count))
    placed = np.concatenate([np.full(count, value) for value, count in blocks])
    placed = np.clip(placed, low, high - float(tall.sum())) + before
    out = np.empty(len(centres))
    out[order] = placed
    return out


def draw_ends(sheet: Sheet, frame: PlacedPanel, plan: EndPlan) -> None:
    """Write the names right of the panel, each with a thin line from the end of its curve."""
    size = sheet.small
    heights = plan.heights(size)
    wanted = np.array([float(frame.y(end.y)) for end in plan.ends])
    centres = apart(wanted, heights, frame.top, frame.bottom)
    left = frame.right + END_GAP * sheet.text
    for end, lines, at, centre in zip(plan.ends, plan.lines, wanted, centres, strict=True):
        start = float(frame.x(end.x))
        sheet.stroke(
            [(start + 1.5, float(at)), (frame.right + 2.0, float(at)), (left - 2.0, float(centre))],
            Role.BACKDROP,
            0.4 * sheet.line,
            name=f"To the name: {end.text}",
        )
        top = float(centre) - len(lines) * LINE_HEIGHT * size / 2
        for number, line in enumerate(lines):
            sheet.write(
                left,
                top + number * LINE_HEIGHT * size + ASCENT * size,
                line,
                size=size,
                weight=BOLD,
                role=end.role,
                name=f"Curve label: {end.text}",
            )
