"""A page in the making: text that is measured, wrapped and written, and what frames a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from sts_core.figures.fonts import METRICS, FontMetrics
from sts_core.figures.marks import (
    Dash,
    Figure,
    FloatArray,
    Role,
)
from sts_core.figures.placed import (
    ASCENT,
    Anchor,
    Placed,
    PlacedArea,
    PlacedFigure,
    PlacedPanel,
    PlacedPath,
    PlacedText,
    Tone,
)
from sts_core.figures.theme import DASH_PATTERNS, FigureSize

LINE_HEIGHT = 1.28
SMALL = 0.88
BOLD = 600
#: Steps closer than this on paper (0.035 mm) are drawn as one.
INVISIBLE = 0.1
MORE_NOTES = "More notes: in the speaker's notes."


def wrap(
    text: str, width: float, size: float, metrics: FontMetrics = METRICS, weight: int = 400
) -> tuple[str, ...]:
    """Break text into lines no wider than ``width``.

    Breaks at spaces and hyphens, between Chinese characters, and inside a word only where the
    word alone is too wide.
    """
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for token in _TOKEN.findall(paragraph):
            candidate = line + token
            if metrics.width(candidate.rstrip(), size, weight) <= width:
                line = candidate
                continue
            if line.strip():
                lines.append(line.rstrip())
            line = token.lstrip()
            while metrics.width(line.rstrip(), size, weight) > width and len(line) > 1:
                cut = len(line) - 1
                while cut > 1 and metrics.width(line[:cut], size, weight) > width:
                    cut -= 1
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line.rstrip())
    return tuple(lines)


# a run of spaces with the word after it up to a hyphen, or one Chinese character; a no-break space
# is a part of its word
_SPACE, _CHINESE = r"[^\S\u00a0]", r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_TOKEN = re.compile(rf"{_SPACE}*[{_CHINESE}]|{_SPACE}*(?:[^\s{_CHINESE}-]|\u00a0)*-?|{_SPACE}+")


class Sheet:
    """Collects placed items with one text size and one set of metrics."""

    def __init__(self, size: FigureSize, metrics: FontMetrics) -> None:
        self.size = size
        self.metrics = metrics
        self.items: list[Placed] = []
        self.areas: list[PlacedArea] = []

    @property
    def text(self) -> float:
        """Size of ordinary text."""
        return self.size.text

    @property
    def small(self) -> float:
        """Size of text in tables and keys."""
        return max(self.size.text * SMALL, self.size.least)

    @property
    def note(self) -> float:
        """Size of footnotes."""
        return max(self.size.text * self.size.note, self.size.least)

    @property
    def line(self) -> float:
        """Width of a curve."""
        return self.size.line

    def measure(self, text: str, size: float | None = None, weight: int = 400) -> float:
        """Give the width of a line of text."""
        return self.metrics.width(text, self.text if size is None else size, weight)

    def wrapped(
        self, text: str, width: float, size: float | None = None, weight: int = 400
    ) -> tuple[str, ...]:
        """Break text into lines no wider than ``width``."""
        return wrap(text, width, self.text if size is None else size, self.metrics, weight)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float | None = None,
        role: Role = Role.TEXT,
        weight: int = 400,
        anchor: Anchor = "start",
        rotation: Literal[0, 90] = 0,
        name: str = "",
    ) -> None:
        """Write one line of text with its anchor on the baseline."""
        if not text.strip():
            return
        size = self.text if size is None else size
        length = self.metrics.width(text, size, weight)
        self.items.append(
            PlacedText(float(x), float(y), text, size, length, role, weight, anchor, rotation, name)
        )

    def paragraph(
        self,
        x: float,
        top: float,
        text: str,
        width: float,
        *,
        size: float | None = None,
        role: Role = Role.TEXT,
        weight: int = 400,
        name: str = "",
    ) -> float:
        """Write wrapped lines from ``top`` and give the y below them."""
        size = self.text if size is None else size
        for line in self.wrapped(text, width, size, weight):
            self.write(x, top + ASCENT * size, line, size=size, role=role, weight=weight, name=name)
            top += LINE_HEIGHT * size
        return top

    def stroke(
        self,
        points: Sequence[tuple[float, float]] | FloatArray,
        role: Role,
        width: float,
        *,
        dash: Dash = Dash.SOLID,
        tone: Tone = "full",
        name: str = "",
    ) -> None:
        """Draw a line."""
        self.items.append(
            PlacedPath(
                (np.asarray(points, dtype=float),),
                role,
                width,
                dash_lengths(dash, width),
                tone=tone,
                name=name,
            )
        )

    def fill(
        self,
        points: Sequence[tuple[float, float]] | FloatArray,
        role: Role,
        *,
        tone: Tone = "full",
        name: str = "",
        stroke: Role | None = None,
        width: float = 0.0,
        dash: Dash = Dash.SOLID,
    ) -> None:
        """Draw an area."""
        self.items.append(
            PlacedPath(
                (np.asarray(points, dtype=float),),
                stroke=stroke,
                width=width,
                dash=dash_lengths(dash, width),
                fill=role,
                closed=True,
                tone=tone,
                name=name,
            )
        )


def dash_lengths(dash: Dash, width: float) -> tuple[float, ...]:
    """Give on and off lengths in points for a line of a width."""
    return tuple(part * width for part in DASH_PATTERNS[dash])


def rectangle(left: float, top: float, right: float, bottom: float) -> FloatArray:
    """Give the corners of a rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def place_heading(sheet: Sheet, figure: Figure, width: float, top: float) -> float:
    """Write stamp, title and subtitle and give the y below them."""
    left = sheet.size.margin
    if figure.stamp:
        # first and in its own line, so that no crop that keeps the curves' top loses it unseen
        for line in sheet.wrapped(figure.stamp, width, sheet.small, BOLD):
            sheet.write(
                left + width,
                top + ASCENT * sheet.small,
                line,
                size=sheet.small,
                role=Role.STAMP,
                weight=BOLD,
                anchor="end",
                name="Stamp",
            )
            top += LINE_HEIGHT * sheet.small
        top += 1.0
    if figure.title and sheet.size.show_title:
        top = sheet.paragraph(
            left, top, figure.title, width, size=sheet.text * 1.15, weight=BOLD, name="Title"
        )
    if figure.subtitle:
        top = sheet.paragraph(left, top, figure.subtitle, width, role=Role.MUTED, name="Subtitle")
    return top + 3.0


def footnote_height(sheet: Sheet, figure: Figure, width: float) -> float:
    """Give the height of the footnotes with the gap above them."""
    if not figure.footnotes:
        return 0.0
    lines = len(sheet.wrapped(" ".join(figure.footnotes), width, sheet.note))
    return lines * LINE_HEIGHT * sheet.note + 5.0


def shortened_notes(figure: Figure, size: FigureSize, metrics: FontMetrics, n_lines: int) -> Figure:
    """Keep the last notes, which tell whom and which data a figure shows, in ``n_lines``."""
    sheet = Sheet(size, metrics)
    width = size.width - 2 * size.margin
    kept: tuple[str, ...] = (MORE_NOTES,)
    for note in reversed(figure.footnotes):
        longer = (note, *kept)
        if len(sheet.wrapped(" ".join(longer), width, sheet.note)) > n_lines:
            break
        kept = longer
    return figure if len(kept) > len(figure.footnotes) else replace(figure, footnotes=kept)


def place_footnotes(sheet: Sheet, figure: Figure, width: float, top: float) -> float:
    """Write the footnotes as one paragraph and give the y below them."""
    if not figure.footnotes:
        return top
    return sheet.paragraph(
        sheet.size.margin,
        top + 5.0,
        " ".join(figure.footnotes),
        width,
        size=sheet.note,
        role=Role.MUTED,
        name="Footnotes",
    )


def finish(
    sheet: Sheet,
    figure: Figure,
    width: float,
    height: float,
    panels: Sequence[PlacedPanel],
) -> PlacedFigure:
    """Close the page."""
    return PlacedFigure(
        width, height, tuple(sheet.items), tuple(panels), figure.title, figure.alt, sheet.text,
        tuple(sheet.areas),
    )  # fmt: skip
