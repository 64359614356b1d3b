"""Widths of text in the bundled fonts, and what of a text they can draw."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sts_core.figures.theme import FONT_FALLBACK, FONT_FAMILY

FONTS_FOLDER = Path(__file__).parent / "fonts_data"
#: File of each (family, weight).
FONT_FILES: Mapping[tuple[str, int], str] = {
    (FONT_FAMILY, 400): "IBMPlexSans-Regular.ttf",
    (FONT_FAMILY, 500): "IBMPlexSans-Medium.ttf",
    (FONT_FAMILY, 600): "IBMPlexSans-SemiBold.ttf",
    (FONT_FALLBACK, 400): "NotoSansSC-Regular.ttf",
}
REPLACEMENT = "?"


# advance widths of Arial for U+0020 to U+007E, in thousandths of the em: facts of the font
_ARIAL_REGULAR = (
    278,
    278,
    355,
    556,
    556,
    889,
    667,
    191,
    333,
    333,
    389,
    584,
    278,
    333,
    278,
    278,
    556,
    556,
    556,
    556,
    556,
    556,
    556,
    556,
    556,
    556,
    278,
    278,
    584,
    584,
    584,
    556,
    1015,
    667,
    667,
    722,
    722,
    667,
    611,
    778,
    722,
    278,
    500,
    667,
    556,
    833,
    722,
    778,
    667,
    778,
    722,
    667,
    611,
    722,
    667,
    944,
    667,
    667,
    611,
    278,
    278,
    278,
    469,
    556,
    333,
    556,
    556,
    500,
    556,
    556,
    278,
    556,
    556,
    222,
    222,
    500,
    222,
    833,
    556,
    556,
    556,
    556,
    333,
    500,
    278,
    556,
    500,
    722,
    500,
    500,
    500,
    334,
    260,
    334,
    584,
)
_ARIAL_BOLD = (
    278,
    333,
    474,
    556,
    556,
    889,
    722,
    238,
    333,
    333,
    389,
    584,
    278,
    333,
    278,
    278,
    556,
    556,
    556,
    556,
    556,
    556,
    556,
    556,
    556,
    556,
    333,
    333,
    584,
    584,
    584,
    611,
    975,
    722,
    722,
    722,
    722,
    667,
    611,
    778,
    722,
    278,
    556,
    722,
    611,
    833,
    722,
    778,
    667,
    778,
    722,
    667,
    611,
    722,
    667,
    944,
    667,
    667,
    611,
    333,
    278,
    333,
    584,
    556,
    333,
    556,
    611,
    556,
    611,
    556,
    333,
    611,
    611,
    278,
    278,
    556,
    278,
    889,
    611,
    611,
    611,
    611,
    389,
    556,
    333,
    611,
    556,
    778,
    556,
    556,
    500,
    389,
    280,
    389,
    584,
)


class FontMetrics(Protocol):
    """What a layout asks of a font."""

    def width(self, text: str, size: float, weight: int = 400) -> float:
        """Give the width of one line of text in the unit of ``size``."""


@dataclass(frozen=True, slots=True)
class FontTable:
    """Advance widths by code point, in units of the em, and the vertical extent."""

    advances: Mapping[int, float]
    ascent: float
    descent: float


def font_path(family: str, weight: int) -> Path:
    """Give the TrueType file of a bundled family and weight."""
    return FONTS_FOLDER / FONT_FILES[family, weight]


@functools.cache
def font_table(family: str, weight: int) -> FontTable:
    """Read the advance widths of a bundled font once."""
    from fontTools.ttLib import TTFont

    with TTFont(font_path(family, weight), lazy=True) as font:
        em = font["head"].unitsPerEm
        metrics = font["hmtx"].metrics
        advances = {code: metrics[name][0] / em for code, name in font.getBestCmap().items()}
        return FontTable(advances, font["hhea"].ascent / em, -font["hhea"].descent / em)


class BundledMetrics:
    """Measures so that a line fits in the bundled fonts and in Arial alike.

    Slides are written in Arial, which clinicians' computers have; everything else in IBM Plex
    Sans, and in Noto Sans SC what it lacks. Taking the wider of the two gives one layout for
    all. Kerning is left out: it only makes lines shorter.
    """

    def width(self, text: str, size: float, weight: int = 400) -> float:
        """Give the width of one line of text in the unit of ``size``."""
        bundled = font_table(FONT_FAMILY, weight).advances
        arial = _ARIAL_REGULAR if weight < 500 else _ARIAL_BOLD
        total = office = 0.0
        for character in text:
            code = ord(character)
            advance = bundled.get(code)
            if advance is None:
                advance = _fallback_advance(character)
            total += advance
            office += arial[code - 32] / 1000 if 32 <= code < 127 else advance
        return max(total, office) * size


def _fallback_advance(character: str) -> float:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Cc"}:
        return 0.0
    advance = font_table(FONT_FALLBACK, 400).advances.get(ord(character))
    return 1.0 if advance is None else advance


def family_of(character: str) -> str | None:
    """Give the bundled family that draws a character, or ``None``."""
    code = ord(character)
    if code in font_table(FONT_FAMILY, 400).advances:
        return FONT_FAMILY
    return FONT_FALLBACK if code in font_table(FONT_FALLBACK, 400).advances else None


def drawable(text: str) -> str:
    """Replace what neither bundled font can draw, for media that can't borrow another font."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if family_of(character) is not None:
            kept.append(character)
        elif unicodedata.category(character) not in {"Cf", "Cc", "Mn"}:
            kept.append(REPLACEMENT)
    return "".join(kept)


METRICS = BundledMetrics()
