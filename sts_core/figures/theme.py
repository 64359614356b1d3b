"""Colours, line styles and sizes, defined once for every medium.

The eight slots were chosen so that each has a contrast of at least 3:1 against its background and
so that any two stay apart for readers with deuteranopia, protanopia and tritanopia; each slot has
a line style of its own besides. The study file assigns levels to slots; :func:`slot_of` is the
fallback by the level's place among all levels of the study, never among those shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sts_core.figures.marks import Dash, Figure, Role

N_SLOTS = 8
SLOT_ROLES: tuple[Role, ...] = (
    Role.SLOT_0,
    Role.SLOT_1,
    Role.SLOT_2,
    Role.SLOT_3,
    Role.SLOT_4,
    Role.SLOT_5,
    Role.SLOT_6,
    Role.SLOT_7,
)
SLOT_DASHES: tuple[Dash, ...] = tuple(Dash)

FONT_FAMILY = "IBM Plex Sans"
FONT_FALLBACK = "Noto Sans SC"
# clinicians' computers have Arial, not the bundled family
OFFICE_FONT = "Arial"
OFFICE_FONT_EAST_ASIAN = "Microsoft YaHei"


@dataclass(frozen=True, slots=True)
class Palette:
    """A colour (``#RRGGBB``) for each role on one background."""

    name: str
    background: str
    colours: Mapping[Role, str]
    band_opacity: float
    faded_opacity: float

    def colour(self, role: Role) -> str:
        """Give the colour of a role."""
        return self.colours[role]


def _palette(
    name: str,
    background: str,
    slots: Sequence[str],
    *,
    other: str,
    text: str,
    muted: str,
    axis: str,
    grid: str,
    stripe: str,
    stamp: str,
    backdrop: str,
    band_opacity: float,
    faded_opacity: float,
) -> Palette:
    colours = dict(zip(SLOT_ROLES, slots, strict=True))
    colours |= {
        Role.OTHER: other,
        Role.REFERENCE: muted,
        Role.MUTED: muted,
        Role.TEXT: text,
        Role.AXIS: axis,
        Role.GRID: grid,
        Role.SURFACE: background,
        Role.STRIPE: stripe,
        Role.STAMP: stamp,
        Role.BACKDROP: backdrop,
    }
    return Palette(name, background, colours, band_opacity, faded_opacity)


LIGHT = _palette(
    "light",
    "#FFFFFF",
    ("#1175B4", "#AE5400", "#0B554E", "#711388", "#D47008", "#2391EE", "#95071B", "#7E9471"),
    other="#706E6C",
    text="#1B232C",
    muted="#58626E",
    axis="#58626E",
    grid="#E4E8EC",
    stripe="#F3F5F7",
    stamp="#9A3412",
    backdrop="#C9CED4",
    band_opacity=0.13,
    faded_opacity=0.45,
)
DARK = _palette(
    "dark",
    "#12181F",
    ("#467EF3", "#F48F09", "#CCEDAF", "#BF9AEA", "#FFCB00", "#79E6FF", "#E14E31", "#74C594"),
    other="#91828C",
    text="#E6EAEF",
    muted="#A3ADB8",
    axis="#8A95A1",
    grid="#26303A",
    stripe="#1A222B",
    stamp="#FDBA74",
    backdrop="#3D4854",
    band_opacity=0.18,
    faded_opacity=0.5,
)
# line styles carry the groups here; the greys only help
BLACK_AND_WHITE = _palette(
    "black and white",
    "#FFFFFF",
    ("#000000", "#4D4D4D", "#1F1F1F", "#6B6B6B", "#000000", "#4D4D4D", "#1F1F1F", "#6B6B6B"),
    other="#767676",
    text="#000000",
    muted="#4D4D4D",
    axis="#333333",
    grid="#E2E2E2",
    stripe="#F4F4F4",
    stamp="#000000",
    backdrop="#C4C4C4",
    band_opacity=0.10,
    faded_opacity=0.5,
)


def palette_of(figure: Figure) -> Palette:
    """Give the colours that a figure has in files."""
    return BLACK_AND_WHITE if figure.black_and_white else LIGHT


#: On and off lengths in units of the line's width.
DASH_PATTERNS: Mapping[Dash, tuple[float, ...]] = {
    Dash.SOLID: (),
    Dash.DASHED: (5.0, 2.0),
    Dash.DOTTED: (1.4, 1.4),
    Dash.DASH_DOT: (5.0, 1.6, 1.2, 1.6),
    Dash.LONG_DASH: (9.0, 2.4),
    Dash.DASH_DOT_DOT: (6.0, 1.5, 1.2, 1.5, 1.2, 1.5),
    Dash.SHORT_DASH: (2.8, 1.4),
    Dash.LONG_DOT: (8.0, 1.6, 2.0, 1.6),
}


def slot_role(slot: int | None) -> Role:
    """Give the role of a slot; ``None`` or a slot beyond the last is grey."""
    return SLOT_ROLES[slot] if slot is not None and 0 <= slot < N_SLOTS else Role.OTHER


def slot_dash(slot: int | None) -> Dash:
    """Give the line style of a slot; grey is solid."""
    return SLOT_DASHES[slot] if slot is not None and 0 <= slot < N_SLOTS else Dash.SOLID


def slot_of(
    level: str, levels: Sequence[str], assigned: Mapping[str, int] | None = None
) -> int | None:
    """Give the colour slot of a level.

    Parameters
    ----------
    level
        The level, or the first member of a merged one.
    levels
        All levels of the study in their order, whether or not anybody is in them now, so that a
        filter doesn't change colours.
    assigned
        Slots that the study file fixes; levels named there give up their own place.

    Returns
    -------
    int or None
        0 to 7, or ``None`` for grey: an unknown level, or one for which no slot is left.
    """
    fixed = dict(assigned or {})
    if level in fixed:
        return fixed[level] if 0 <= fixed[level] < N_SLOTS else None
    free = [slot for slot in range(N_SLOTS) if slot not in fixed.values()]
    unassigned = [other for other in levels if other not in fixed]
    if level not in unassigned:
        return None
    place = unassigned.index(level)
    return free[place] if place < len(free) else None


def relative_luminance(colour: str) -> float:
    """Give the relative luminance of ``#RRGGBB`` as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Give the contrast ratio of two colours, 1 to 21, as WCAG 2 defines it."""
    bright, dim = sorted((relative_luminance(first), relative_luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@dataclass(frozen=True, slots=True)
class FigureSize:
    """A page to lay a figure out on; lengths in points (1/72 inch).

    Parameters
    ----------
    width
        Of the page.
    height
        Of the page, or ``None`` for as high as the content needs.
    text
        Size of ordinary text; small text is 0.88 of it.
    note
        Size of footnotes, as a share of ``text``.
    line
        Width of a curve.
    plot_height
        Height of a chart's panel where ``height`` is ``None``.
    least
        Smallest text on the page; what would need smaller text goes on to a further page.
    max_height
        Where ``height`` is ``None``: a row grid or a diagram higher than this goes on to a
        further page.
    """

    name: str
    width: float
    height: float | None
    text: float
    line: float
    plot_height: float
    show_title: bool = True
    margin: float = 4.0
    note: float = 0.88
    least: float = 5.5
    max_height: float | None = None

    @property
    def room(self) -> float | None:
        """Height that one page may take."""
        return self.height if self.height is not None else self.max_height


#: Points; nothing on a slide is written smaller, so that it is read from the back of a room.
MIN_SLIDE_TEXT = 10.0
MM = 72 / 25.4
JOURNAL_SINGLE = FigureSize("84 mm", 84 * MM, None, 8.0, 1.0, 150.0)
JOURNAL_DOUBLE = FigureSize("170 mm", 170 * MM, None, 9.0, 1.2, 240.0)
DOCUMENT = FigureSize(
    "A4 document", 170 * MM, None, 9.0, 1.2, 240.0, show_title=False, least=7.0, max_height=225 * MM
)
PRINT_PAGE = FigureSize("A4 page", 170 * MM, None, 9.0, 1.2, 240.0, least=7.0, max_height=250 * MM)
SLIDE = FigureSize(
    "Slide 16:9",
    864.0,
    456.0,
    13.0,
    1.8,
    250.0,
    show_title=False,
    note=0.77,
    least=MIN_SLIDE_TEXT,
)
SIZES: tuple[FigureSize, ...] = (JOURNAL_SINGLE, JOURNAL_DOUBLE, SLIDE)
#: Pages of exported files by their names in the study file.
PAGES: Mapping[str, FigureSize] = {
    "double": JOURNAL_DOUBLE,
    "single": JOURNAL_SINGLE,
    "slide": SLIDE,
}
