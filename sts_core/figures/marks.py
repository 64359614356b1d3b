"""Marks on panels: what a figure shows, free of any drawing library.

A figure is made of few marks in data coordinates. It names *roles* instead of colours, so that a
theme can draw it in light, dark or black and white, and it carries the words that belong to it:
titles, footnotes, the stamp of synthetic data, alternative text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from sts_core.members import IsNamed, Members

FloatArray = NDArray[np.float64]


class Role(StrEnum):
    """What a mark stands for; the theme knows its colour."""

    SLOT_0 = "slot_0"
    SLOT_1 = "slot_1"
    SLOT_2 = "slot_2"
    SLOT_3 = "slot_3"
    SLOT_4 = "slot_4"
    SLOT_5 = "slot_5"
    SLOT_6 = "slot_6"
    SLOT_7 = "slot_7"
    OTHER = "other"
    REFERENCE = "reference"
    MUTED = "muted"
    TEXT = "text"
    AXIS = "axis"
    GRID = "grid"
    SURFACE = "surface"
    STRIPE = "stripe"
    STAMP = "stamp"
    BACKDROP = "backdrop"


class Dash(StrEnum):
    """Line styles; each colour slot has one, so that grey prints stay legible."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"
    DASH_DOT = "dash_dot"
    LONG_DASH = "long_dash"
    DASH_DOT_DOT = "dash_dot_dot"
    SHORT_DASH = "short_dash"
    LONG_DOT = "long_dot"


class Scale(StrEnum):
    """How data map to an axis."""

    LINEAR = "linear"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis with its explicit range and ticks; renderers never choose their own.

    Parameters
    ----------
    low, high
        Ends of the axis in data units. ``low`` may lie above ``high`` for an axis that runs down.
    ticks, tick_labels
        Positions and what is written there; of one length.
    title
        With the unit.
    scale
        On a log axis both ends and all ticks must be positive.
    grid
        Whether thin lines run across the panel at the ticks.
    visible
        Whether the axis line, ticks and labels are drawn.
    """

    low: float
    high: float
    ticks: tuple[float, ...] = ()
    tick_labels: tuple[str, ...] = ()
    title: str = ""
    scale: Scale = Scale.LINEAR
    grid: bool = False
    visible: bool = True

    def __post_init__(self) -> None:
        if len(self.ticks) != len(self.tick_labels):
            raise ValueError(
                f"ticks and tick_labels must have one length, but have {len(self.ticks)} "
                f"and {len(self.tick_labels)}"
            )
        if not (np.isfinite(self.low) and np.isfinite(self.high)) or self.low == self.high:
            raise ValueError(f"an axis needs two finite ends, but got {self.low} and {self.high}")
        if self.scale is Scale.LOG and min((self.low, self.high, *self.ticks)) <= 0:
            raise ValueError("a log axis needs positive ends and ticks")

    def fraction(self, values: FloatArray | float) -> FloatArray:
        """Give positions along the axis, 0 at ``low`` and 1 at ``high``; not clipped."""
        numbers = np.asarray(values, dtype=float)
        low, high = self.low, self.high
        if self.scale is Scale.LOG:
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.log10(numbers)
            low, high = float(np.log10(low)), float(np.log10(high))
        scaled: FloatArray = (numbers - low) / (high - low)
        return scaled


@dataclass(frozen=True, slots=True, eq=False)
class StepLine:
    """A line that holds each value until the next position (a survival curve).

    Parameters
    ----------
    x, y
        Shape (n,); ``y[i]`` holds from ``x[i]`` to ``x[i + 1]``.
    x_end
        Where the last value stops.
    faded_from
        Position from which the line is drawn faintly, because few are left at risk.
    hover
        One text a step for the screen.
    kind
        What the line is, for the name of its shape ("Kaplan-Meier curve").
    members
        Whose line it is.
    numbers
        How many these are, and how many had the event, in words that say whom they count.
    """

    x: FloatArray
    y: FloatArray
    x_end: float
    role: Role
    dash: Dash = Dash.SOLID
    name: str = ""
    faded_from: float | None = None
    hover: Sequence[str] = ()
    kind: str = "Curve"
    members: Members | None = None
    numbers: str = ""

    def corners(self) -> tuple[FloatArray, FloatArray]:
        """Give the line's corners, each jump as two points."""
        return step_corners(self.x, self.y, self.x_end)


@dataclass(frozen=True, slots=True, eq=False)
class NumberedTexts(Sequence[str]):
    """Texts that differ in their numbers, so that a screen can write them by itself.

    Parameters
    ----------
    patterns
        The parts of a text in order: words, or the number of a column.
    pattern
        Which pattern each text has; shape (n,).
    columns
        Numbers that are rounded already; each of shape (n,).
    decimals
        Of each column, as they are written.
    """

    patterns: tuple[tuple[str | int, ...], ...]
    pattern: NDArray[np.intp]
    columns: tuple[FloatArray, ...]
    decimals: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.pattern)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self[i] for i in range(*place.indices(len(self))))
        return "".join(
            part
            if isinstance(part, str)
            else f"{self.columns[part][place]:.{self.decimals[part]}f}"
            for part in self.patterns[self.pattern[place]]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The area between two step lines; it breaks where a limit is not a number."""

    x: FloatArray
    low: FloatArray
    high: FloatArray
    x_end: float
    role: Role
    name: str = ""

    def pieces(self) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Give (x, low, high) of the corners of each unbroken piece."""
        known = np.isfinite(self.low) & np.isfinite(self.high)
        ends = np.append(self.x[1:], self.x_end)
        pieces = []
        start = None
        for i in range(len(known) + 1):
            if i < len(known) and known[i]:
                start = i if start is None else start
                continue
            if start is not None:
                part = slice(start, i)
                last = float(ends[i - 1])
                x, low = step_corners(self.x[part], self.low[part], last)
                _, high = step_corners(self.x[part], self.high[part], last)
                pieces.append((x, low, high))
                start = None
        return pieces


@dataclass(frozen=True, slots=True, eq=False)
class CensorTicks:
    """Short upright ticks on a curve where subjects were censored."""

    x: FloatArray
    y: FloatArray
    role: Role
    name: str = ""
    subjects: tuple[tuple[str, ...], ...] = ()
    hover: tuple[str, ...] = ()

    def members(self) -> list[Members]:
        """Describe the patients of each tick."""
        return [
            Members((IsNamed(subjects, f"censored here ({self.name})" if self.name else
                             "censored here"),))
            for subjects in self.subjects
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PointInterval:
    """A point with its horizontal interval; ends outside the axis become arrows.

    ``size`` is the share (0 to 1] of the largest marker; ``low`` and ``high`` may be missing;
    ``members`` are the patients that it rests on.
    """

    x: float
    y: float
    low: float | None
    high: float | None
    role: Role
    size: float = 1.0
    shape: Literal["square", "circle", "diamond"] = "square"
    name: str = ""
    hover: str = ""
    members: Members | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle from ``start`` to ``end`` along one axis, centred on the other."""

    position: float
    start: float
    end: float
    thickness: float
    role: Role
    orientation: Literal["vertical", "horizontal"] = "vertical"
    name: str = ""
    subjects: tuple[str, ...] = ()
    hover: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight reference line at one value of an axis, over all of the other or a part."""

    axis: Literal["x", "y"]
    at: float
    role: Role = Role.REFERENCE
    start: float | None = None
    end: float | None = None
    dash: Dash = Dash.DASHED
    name: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Words at a point of the data."""

    x: float
    y: float
    text: str
    role: Role = Role.TEXT
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """A straight arrow between two points of the data."""

    x0: float
    y0: float
    x1: float
    y1: float
    role: Role = Role.TEXT


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line through points, without steps (a fitted curve); it breaks at what is no number."""

    x: FloatArray
    y: FloatArray
    role: Role
    dash: Dash = Dash.SOLID
    name: str = ""
    kind: str = "Fitted curve"
    hover: tuple[str, ...] = ()

    def pieces(self) -> list[tuple[FloatArray, FloatArray]]:
        """Give the points of each unbroken piece."""
        known = np.isfinite(self.x) & np.isfinite(self.y)
        breaks = np.flatnonzero(np.diff(known.astype(int))) + 1
        parts = np.split(np.arange(len(known)), breaks)
        return [(self.x[part], self.y[part]) for part in parts if len(part) > 1 and known[part[0]]]


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """Other curves, thin and grey behind the one that a panel is about."""

    lines: tuple[StepLine, ...]
    role: Role = Role.BACKDROP


Mark = StepLine | Line | Backdrop | Band | CensorTicks | PointInterval | Bar | Rule | Text | Arrow


@dataclass(frozen=True, slots=True)
class Panel:
    """Marks on a pair of axes; later marks lie above earlier ones."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class StripRow:
    """One row of a table strip: a name and a cell for each position.

    ``members`` are the patients whom each cell counts; empty where that isn't said.
    """

    name: str
    cells: tuple[str, ...]
    members: tuple[Members, ...] = ()


@dataclass(frozen=True, slots=True)
class StripGroup:
    """The rows of one group; an empty label leaves the heading out."""

    label: str
    role: Role
    dash: Dash
    rows: tuple[StripRow, ...]


@dataclass(frozen=True, slots=True)
class TableStrip:
    """Rows of text under a panel, each cell centred on its position of the x axis."""

    positions: tuple[float, ...]
    groups: tuple[StripGroup, ...]
    title: str = ""

    def __post_init__(self) -> None:
        for group in self.groups:
            for row in group.rows:
                if len(row.cells) != len(self.positions):
                    raise ValueError(
                        f"row {row.name!r} has {len(row.cells)} cells for "
                        f"{len(self.positions)} positions"
                    )


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One line of the key: a line sample, the group's name and its numbers."""

    label: str
    role: Role
    dash: Dash = Dash.SOLID
    cells: tuple[str, ...] = ()
    sample: Literal["line", "tick", "box", "none"] = "line"


@dataclass(frozen=True, slots=True)
class Key:
    """The legend, with a column of numbers a group where wanted, and notes below it.

    Parameters
    ----------
    entries, headers
        Lines of the key, and the headings of their cells.
    notes
        Sentences below.
    symbols
        Explain marks that no group owns (the tick of a censored subject).
    spare
        Columns that a narrow place leaves out.
    quiet_notes
        Whether the notes are grey; they say themselves why.
    """

    entries: tuple[KeyEntry, ...]
    headers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    symbols: tuple[KeyEntry, ...] = ()
    spare: tuple[int, ...] = ()
    quiet_notes: bool = False

    @property
    def notes_role(self) -> Role:
        """Colour of the notes."""
        return Role.MUTED if self.quiet_notes else Role.TEXT


@dataclass(frozen=True, slots=True)
class EndLabel:
    """A name beside the end of a curve, to the right of the panel."""

    x: float
    y: float
    text: str
    role: Role


@dataclass(frozen=True, slots=True)
class Chart:
    """One panel with its key and the table strip under the same axis.

    ``ends`` names curves at their ends; the key is drawn in its place where there is no room.
    """

    panel: Panel
    key: Key | None = None
    strip: TableStrip | None = None
    ends: tuple[EndLabel, ...] = ()


@dataclass(frozen=True, slots=True)
class SmallChart:
    """One of several charts side by side: whose it is, its numbers in words, its panel and rows.

    Parts of the ``caption`` end with line breaks, which are commas where it fits in one line.
    """

    name: str
    role: Role
    caption: str
    panel: Panel
    rows: tuple[StripRow, ...] = ()


@dataclass(frozen=True, slots=True)
class SmallMultiples:
    """Charts of equal axes side by side, one a group.

    Parameters
    ----------
    charts
        In order; titles and ticks of their axes are the same, and so are the names of their rows.
    positions
        Of the cells of the rows, on the x axis.
    notes
        Sentences above the charts.
    symbols
        Explain marks that no group owns.
    quiet_notes
        Whether the notes are grey; they say themselves why.
    """

    charts: tuple[SmallChart, ...]
    positions: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    symbols: tuple[KeyEntry, ...] = ()
    quiet_notes: bool = False

    @property
    def notes_role(self) -> Role:
        """Colour of the notes."""
        return Role.MUTED if self.quiet_notes else Role.TEXT

    def __post_init__(self) -> None:
        if not self.charts:
            raise ValueError("small multiples need at least one chart")


@dataclass(frozen=True, slots=True)
class TextCell:
    """A cell beside the panels of a row grid."""

    text: str
    role: Role = Role.TEXT
    bold: bool = False
    indent: int = 0


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of text with one cell a row; ``spanner`` is shared by neighbours."""

    header: str
    cells: tuple[TextCell, ...]
    align: Literal["start", "middle", "end"] = "start"
    spanner: str = ""


@dataclass(frozen=True, slots=True)
class RowGrid:
    """Text columns and panels side by side over common rows (a forest plot).

    Row ``i`` lies at ``y = i`` in every panel, counted from the top.

    Parameters
    ----------
    n_rows, items, striped
        Number of rows, columns from the left, and the rows that are shaded.
    blocks
        First rows of what belongs together (a variable and its levels); none are as many blocks
        as rows. A page ends before one of them.
    whole
        The grid that this one is a part of; its columns are as wide as there.
    """

    n_rows: int
    items: tuple[TextColumn | Panel, ...]
    striped: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()
    whole: RowGrid | None = None

    def __post_init__(self) -> None:
        for item in self.items:
            if isinstance(item, TextColumn) and len(item.cells) != self.n_rows:
                raise ValueError(
                    f"column {item.header!r} has {len(item.cells)} cells for {self.n_rows} rows"
                )


@dataclass(frozen=True, slots=True)
class BoxLine:
    """A line of words in a box of a diagram; ``members`` are the patients that it counts."""

    text: str
    bold: bool = False
    role: Role = Role.TEXT
    members: Members | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a diagram in a cell of its grid; the layout gives it its size.

    ``passed_on`` says what is left below a box at the side; it is written where the diagram goes
    on in a second trunk or on another page. ``members`` are the patients that the box counts, and
    ``passed_members`` those who are left; ``dashed`` is the border of what is exploratory. A
    ``narrow`` box is as wide as the others of its column let it be.
    """

    key: str
    row: int
    column: int
    lines: tuple[BoxLine, ...]
    role: Role = Role.AXIS
    emphasis: bool = False
    passed_on: str = ""
    members: Members | None = None
    passed_members: Members | None = None
    dashed: bool = False
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Connector:
    """An arrow between two boxes; to the side it leaves the trunk between two rows.

    ``on`` leads from the foot of one trunk to the head of the next one beside it.
    """

    start: str
    end: str
    kind: Literal["down", "side", "on"] = "down"
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes in a grid of rows and columns, joined by arrows (a flow diagram).

    The first box is where it starts, then come the steps at the side, then where it ends.
    """

    boxes: tuple[Box, ...]
    connectors: tuple[Connector, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A whole figure: its body, the words around it and what it says in one sentence.

    Parameters
    ----------
    body
        A chart, small multiples, a row grid or a diagram.
    title, subtitle
        Above the body; empty ones take no room.
    footnotes
        Below the body, in order.
    stamp
        Says that the data are synthetic or of an exploratory subset, or empty. Every renderer
        draws it when it is set, and no renderer has a switch for it.
    alt
        Alternative text for readers who don't see the figure.
    black_and_white
        Whether files are drawn without colours; the screen always has them.
    """

    body: Chart | SmallMultiples | RowGrid | Diagram
    title: str = ""
    subtitle: str = ""
    footnotes: tuple[str, ...] = field(default=())
    stamp: str = ""
    alt: str = ""
    black_and_white: bool = False


def step_corners(x: FloatArray, y: FloatArray, x_end: float) -> tuple[FloatArray, FloatArray]:
    """Give the corners of a step line that holds ``y[i]`` from ``x[i]`` to the next position.

    Points are doubled explicitly: a polygon of forward and reversed lines comes out slanted if
    the drawing library is left to make the steps.
    """
    if len(x) == 0:
        return np.empty(0), np.empty(0)
    positions = np.append(np.repeat(np.asarray(x, dtype=float), 2)[1:], float(x_end))
    return positions, np.repeat(np.asarray(y, dtype=float), 2)


def thin_steps(n: int, limit: int, y: Sequence[float] | FloatArray) -> NDArray[np.intp]:
    """Choose at most ``limit`` of ``n`` steps, spread evenly over the fall of ``y``.

    First and last are always kept. Only for drawing; numbers are never taken from thinned steps.
    """
    if n <= limit:
        return np.arange(n)
    height = np.abs(np.diff(np.asarray(y, dtype=float), prepend=float(y[0])))
    # the small slope keeps a long flat part from losing all its points
    travelled = np.cumsum(height / max(float(height.sum()), 1e-300) + 0.25 / n)
    wanted = np.linspace(travelled[0], travelled[-1], limit)
    chosen = np.searchsorted(travelled, wanted - 1e-12)
    return np.unique(np.clip(np.concatenate(([0], chosen, [n - 1])), 0, n - 1))[: limit + 2]
