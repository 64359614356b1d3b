"""What a layout gives: paths and lines of text in points, and where panels lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sts_core.figures.marks import (
    FloatArray,
    Panel,
    Role,
)
from sts_core.members import Members

ASCENT = 0.80
DESCENT = 0.24
Tone = Literal["full", "band", "faded"]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True, eq=False)
class PlacedPath:
    """Lines or areas in points; each subpath has shape (n, 2)."""

    subpaths: tuple[FloatArray, ...]
    stroke: Role | None = None
    width: float = 0.0
    dash: tuple[float, ...] = ()
    fill: Role | None = None
    closed: bool = False
    tone: Tone = "full"
    name: str = ""


@dataclass(frozen=True, slots=True)
class PlacedText:
    """One line of text; ``x, y`` is the anchor on the baseline.

    ``rotation`` is 0, or 90 for text that runs upwards. ``length`` is the measured width.
    """

    x: float
    y: float
    text: str
    size: float
    length: float
    role: Role = Role.TEXT
    weight: int = 400
    anchor: Anchor = "start"
    rotation: Literal[0, 90] = 0
    name: str = ""

    def box(self) -> tuple[float, float, float, float]:
        """Give left, top, right and bottom of the inked area, generously."""
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.length
        if self.rotation == 90:
            return (
                self.x - ASCENT * self.size,
                self.y - self.length + before,
                self.x + DESCENT * self.size,
                self.y + before,
            )
        return (
            self.x - before,
            self.y - ASCENT * self.size,
            self.x - before + self.length,
            self.y + DESCENT * self.size,
        )


Placed = PlacedPath | PlacedText


@dataclass(frozen=True, slots=True)
class PlacedPanel:
    """Where a panel's data area lies on the page."""

    left: float
    top: float
    width: float
    height: float
    panel: Panel
    row_centres: tuple[float, ...] = ()

    @property
    def right(self) -> float:
        """Right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Bottom edge."""
        return self.top + self.height

    def x(self, values: FloatArray | float) -> FloatArray:
        """Give page positions of data on the x axis."""
        placed: FloatArray = self.left + self.panel.x.fraction(values) * self.width
        return placed

    def y(self, values: FloatArray | float) -> FloatArray:
        """Give page positions of data on the y axis, or of rows in a row grid."""
        if self.row_centres:
            rows = np.asarray(values, dtype=float)
            centres = np.asarray(self.row_centres)
            # half rows reach to the middle between neighbours
            placed: FloatArray = np.interp(rows, np.arange(len(centres)), centres)
            return placed
        upwards: FloatArray = self.bottom - self.panel.y.fraction(values) * self.height
        return upwards


@dataclass(frozen=True, slots=True)
class PlacedArea:
    """Where on the page patients are counted, for the screen; ``label`` is what stands there."""

    left: float
    top: float
    right: float
    bottom: float
    label: str
    members: Members


@dataclass(frozen=True, slots=True)
class PlacedFigure:
    """A laid out figure: what to draw, in order, on a page of ``width`` by ``height`` points."""

    width: float
    height: float
    items: tuple[Placed, ...]
    panels: tuple[PlacedPanel, ...]
    title: str
    alt: str
    text_size: float
    areas: tuple[PlacedArea, ...] = ()

    @property
    def paths(self) -> tuple[PlacedPath, ...]:
        """All paths."""
        return tuple(item for item in self.items if isinstance(item, PlacedPath))

    @property
    def texts(self) -> tuple[PlacedText, ...]:
        """All lines of text."""
        return tuple(item for item in self.items if isinstance(item, PlacedText))
