from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from sts_core.figures.fonts import FONT_FILES, FONTS_FOLDER, METRICS, drawable, family_of, font_path
from sts_core.figures.theme import FONT_FALLBACK, FONT_FAMILY

WEB = Path(__file__).parents[2] / "static" / "fonts"
WEB_FONTS = (
    "IBMPlexSans-Regular.woff2",
    "IBMPlexSans-Medium.woff2",
    "IBMPlexSans-SemiBold.woff2",
    "NotoSansSC-Regular.woff2",
)


def test_fonts_are_bundled_with_their_licences_and_stay_small():
    for name in WEB_FONTS:
        with TTFont(WEB / name) as font:
            assert font.flavor == "woff2"
    for folder in (WEB, FONTS_FOLDER):
        for licence in ("OFL-IBMPlexSans.txt", "OFL-NotoSansSC.txt"):
            assert "SIL OPEN FONT LICENSE" in (folder / licence).read_text().upper()
    total = sum(path.stat().st_size for folder in (WEB, FONTS_FOLDER) for path in folder.iterdir())
    assert total <= 8_000_000


@pytest.mark.parametrize(("family", "weight"), list(FONT_FILES))
def test_family_names_are_what_the_renderers_ask_for(family, weight):
    with TTFont(font_path(family, weight)) as font:
        names = {font["name"].getDebugName(i) for i in (1, 16)}
        assert family in names
        assert font["OS/2"].fsType == 0  # free to embed


def test_widths_are_those_of_the_font():
    # in Plex every digit is 600/1000 em; in Arial 556, so the wider counts
    assert METRICS.width("0123", 10.0) == pytest.approx(24.0)
    assert METRICS.width("软组织", 10.0) == pytest.approx(30.0)
    assert METRICS.width("", 10.0) == 0
    assert METRICS.width("W", 10.0) >= 9.43  # Arial's W is wider than Plex's
    assert METRICS.width("e\u0301", 10.0) == pytest.approx(METRICS.width("e", 10.0))
    assert METRICS.width("Median", 9.0, 600) > METRICS.width("Median", 9.0)


def test_characters_find_their_family():
    assert family_of("A") == FONT_FAMILY
    assert family_of("≥") == FONT_FAMILY
    assert family_of("χ") == FONT_FAMILY
    assert family_of("瘤") == FONT_FALLBACK
    assert family_of("🎗") is None


def test_what_no_font_has_is_replaced_not_dropped():
    assert drawable("A🎗瘤") == "A?瘤"
    assert drawable("a\u2068b\x07") == "ab"
    assert drawable("e\u0301") == "é"


def test_all_of_gb2312_but_a_few_rare_characters_is_there():
    missing = 0
    for row in range(0xB0, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                character = bytes((row, cell)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            missing += family_of(character) is None
    assert missing <= 33
