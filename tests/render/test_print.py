from __future__ import annotations

import dataclasses
import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from sts_core.figures.layout import layout
from sts_core.figures.theme import (
    BLACK_AND_WHITE,
    DARK,
    JOURNAL_DOUBLE,
    JOURNAL_SINGLE,
    LIGHT,
    SLOT_ROLES,
)
from sts_core.render.print import prepare_fonts, render, subset_font, to_png, to_svg, to_tiff
from tests.figures.cases import HOSTILE, figures
from tests.figures.test_pages import tall_forest

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = figures()


def svg_of(name, **options) -> ElementTree.Element:
    return ElementTree.fromstring(render(FIGURES[name], "svg", **options))


@pytest.mark.parametrize("name", FIGURES)
def test_svg_is_well_formed_and_has_all_words(name):
    root = svg_of(name)
    placed = layout(FIGURES[name], JOURNAL_DOUBLE)
    assert root.find(f"{SVG}title").text == placed.title
    assert root.find(f"{SVG}desc").text == placed.alt
    assert [node.text for node in root.iter(f"{SVG}text")] == [text.text for text in placed.texts]
    assert float(root.get("width").removesuffix("pt")) == pytest.approx(placed.width, abs=0.01)
    tags = {node.tag for node in root.iter()}
    assert tags == {f"{SVG}{t}" for t in ("svg", "title", "desc", "style", "rect", "path", "text")}


def test_svg_embeds_the_letters_it_uses():
    style = svg_of("hostile names").find(f"{SVG}style").text
    assert "IBM Plex Sans" in style
    assert "Noto Sans SC" in style
    assert style.count("data:font/woff2;base64,") == 3  # regular, semi-bold, Chinese
    assert "http" not in style
    plain = svg_of("2 groups").find(f"{SVG}style").text
    assert "Noto Sans SC" not in plain


def test_a_subset_font_has_the_wanted_letters_only():
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(subset_font("Noto Sans SC", 400, "瘤"))) as font:
        assert set(font.getBestCmap()) == {ord("瘤")}


def test_fonts_that_were_prepared_are_those_that_figures_embed():
    subset_font.cache_clear()
    prepare_fonts()
    prepared = subset_font.cache_info().misses
    svg_of("2 groups")
    assert subset_font.cache_info().hits >= 1
    assert subset_font.cache_info().misses <= prepared + 1, "letters beyond ASCII, in one weight"


@pytest.mark.parametrize("name", FIGURES)
def test_pdf_embeds_truetype_fonts(name):
    data = render(FIGURES[name], "pdf")
    assert data.startswith(b"%PDF")
    assert b"/FontFile2" in data
    assert b"/Type3" not in data
    assert b"IBMPlexSans" in data
    assert (b"NotoSansSC" in data) == any(
        "\u4e00" <= c <= "\u9fff"
        for text in layout(FIGURES[name], JOURNAL_DOUBLE).texts
        for c in text.text
    )


def test_pdf_page_has_the_width_of_two_columns():
    data = render(FIGURES["2 groups"], "pdf")
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", data)
    assert box is not None
    assert float(box.group(1)) == pytest.approx(170 / 25.4 * 72, abs=0.1)


def test_png_and_tiff_say_their_resolution():
    placed = layout(FIGURES["2 groups"], JOURNAL_SINGLE)
    with Image.open(io.BytesIO(to_png(placed))) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.width == pytest.approx(84 / 25.4 * 300, abs=1)
        assert image.text["Description"] == placed.alt
    with Image.open(io.BytesIO(to_tiff(placed))) as image:
        assert image.mode == "RGB"
        assert image.info["dpi"] == (600, 600)
        assert image.info["compression"] == "tiff_lzw"
        assert image.width == pytest.approx(84 / 25.4 * 600, abs=1)


@pytest.mark.parametrize("file_format", ["svg", "pdf", "png"])
def test_the_same_figure_gives_the_same_bytes(file_format):
    assert render(FIGURES["forest"], file_format) == render(FIGURES["forest"], file_format)


def test_the_stamp_is_in_every_file():
    stamped = FIGURES["2 groups"]
    bare = dataclasses.replace(stamped, stamp="", footnotes=())
    words = [node.text for node in svg_of("2 groups").iter(f"{SVG}text")]
    assert "Synthetic data, not patients" in words
    # on paper: something is drawn in the stamp's colour
    colour = bytes.fromhex(LIGHT.colours["stamp"].lstrip("#"))
    for figure, expected in ((stamped, True), (bare, False)):
        with Image.open(io.BytesIO(render(figure, "png"))) as image:
            pixels = image.convert("RGB").tobytes()
        found = any(pixels[i : i + 3] == colour for i in range(0, len(pixels), 3))
        assert found is expected


@pytest.mark.parametrize("palette", [LIGHT, DARK, BLACK_AND_WHITE], ids=lambda p: p.name)
def test_palettes_change_colours_only(palette):
    root = svg_of("2 groups", palette=palette)
    strokes = {node.get("stroke") for node in root.iter(f"{SVG}path")}
    assert {palette.colour(role) for role in SLOT_ROLES[:2]} <= strokes
    assert root.find(f"{SVG}rect").get("fill") == palette.background
    shapes = [node.get("d") for node in root.iter(f"{SVG}path")]
    assert shapes == [node.get("d") for node in svg_of("2 groups").iter(f"{SVG}path")]


def test_groups_differ_by_line_style_in_black_and_white():
    root = svg_of("9 groups", palette=BLACK_AND_WHITE)
    dashes = {
        node.get("aria-label"): node.get("stroke-dasharray")
        for node in root.iter(f"{SVG}path")
        if (node.get("aria-label") or "").startswith("Key: ") and node.get("stroke-width")
    }
    slots = [
        dash for label, dash in dashes.items() if label not in {"Key: Others", "Key: Censored"}
    ]
    assert len(slots) == len(set(slots)) == 8


def test_hostile_names_stay_words():
    data = render(FIGURES["hostile names"], "svg").decode()
    assert "<script" not in data
    assert "<i>" not in data
    words = {node.text for node in ElementTree.fromstring(data).iter(f"{SVG}text")}
    assert set(HOSTILE) <= words


def test_a_control_character_does_not_break_the_file():
    figure = dataclasses.replace(FIGURES["flow"], title="a\x00b\x0b\ud800", alt="\x07")
    root = ElementTree.fromstring(to_svg(layout(figure, JOURNAL_DOUBLE)))
    assert root.find(f"{SVG}title").text == "a\ufffdb\ufffd\ufffd"


def test_letters_no_font_has_are_drawn_without_a_warning():
    figure = dataclasses.replace(FIGURES["flow"], title="ribbon 🎗")
    assert render(figure, "png").startswith(b"\x89PNG")
    assert render(figure, "pdf").startswith(b"%PDF")
    assert "🎗" in render(figure, "svg").decode()


def test_a_pdf_of_a_long_forest_has_several_pages():
    long = render(tall_forest(40), "pdf")
    pages = re.findall(rb"/Type /Page\b", long)
    assert len(pages) > 1
    assert long == render(tall_forest(40), "pdf")
    assert len(re.findall(rb"/Type /Page\b", render(FIGURES["forest"], "pdf"))) == 1
    (width,) = {float(w) for w in re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+)", long)}
    assert width == pytest.approx(170 * 72 / 25.4, abs=0.1)
