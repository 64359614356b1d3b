from __future__ import annotations

import dataclasses
import io

import pytest
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.oxml.ns import qn
from pptx.slide import Slide

from sts_core.figures.layout import layout
from sts_core.figures.theme import SLIDE
from sts_core.render.pptx import render
from tests.figures.cases import HISTOTYPES, HOSTILE, figures

FIGURES = figures()
SLIDES: dict[str, Slide] = {}


def slide_of(figure):
    presentation = Presentation(io.BytesIO(render(figure)))
    assert presentation.slide_width / presentation.slide_height == pytest.approx(16 / 9)
    (slide,) = presentation.slides
    return slide


def group_of(slide):
    (group,) = [s for s in slide.shapes if s.shape_type == MSO_SHAPE_TYPE.GROUP]
    return group


def slide_named(name):
    if name not in SLIDES:
        SLIDES[name] = slide_of(FIGURES[name])
    return SLIDES[name]


@pytest.mark.parametrize("name", FIGURES)
def test_a_slide_is_native_shapes_in_one_group(name):
    slide = slide_named(name)
    group = group_of(slide)
    kinds = {shape.shape_type for shape in group.shapes}
    native = {MSO_SHAPE_TYPE.FREEFORM, MSO_SHAPE_TYPE.TEXT_BOX, MSO_SHAPE_TYPE.AUTO_SHAPE}
    assert {MSO_SHAPE_TYPE.FREEFORM, MSO_SHAPE_TYPE.TEXT_BOX} <= kinds <= native
    ids = [element.get("id") for element in slide._element.iter(qn("p:cNvPr"))]
    assert len(ids) == len(set(ids))
    assert not list(slide._element.iter(qn("p:pic")))
    assert not list(slide._element.iter(qn("p:style")))
    assert group._element.nvGrpSpPr.cNvPr.get("descr") == FIGURES[name].alt
    assert slide.shapes.title.text_frame.text == FIGURES[name].title
    # no empty placeholder is left to say "Click to add text"
    assert len(list(slide.placeholders)) == 1


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_leaves_the_slide(name):
    slide = slide_named(name)
    width, height = 960 * 12700, 540 * 12700
    for shape in group_of(slide).shapes:
        if shape.rotation:
            continue
        assert shape.left >= 0, shape.name
        assert shape.top >= 0, shape.name
        assert shape.left + shape.width <= width, (shape.name, shape.has_text_frame)
        assert shape.top + shape.height <= height, shape.name


@pytest.mark.parametrize("name", FIGURES)
def test_all_words_are_there_in_a_font_that_offices_have(name):
    group = group_of(slide_named(name))
    boxes = [s for s in group.shapes if s.shape_type == MSO_SHAPE_TYPE.TEXT_BOX]
    assert [b.text_frame.text for b in boxes] == [
        t.text for t in layout(FIGURES[name], SLIDE).texts
    ]
    for box in boxes:
        assert box.text_frame.word_wrap is False
        for run in box.text_frame.paragraphs[0].runs:
            assert run.font.name == "Arial"
            assert run._r.rPr.find(qn("a:ea")).get("typeface") == "Microsoft YaHei"


def test_curves_bands_and_ticks_have_names():
    group = group_of(slide_named("2 groups"))
    names = [shape.name for shape in group.shapes]
    for level in HISTOTYPES[:2]:
        for kind in ("Kaplan-Meier curve", "Interval", "Censored", "Key"):
            assert f"{kind}: {level}" in names


def test_bands_are_transparent_and_lines_dashed():
    group = group_of(slide_named("2 groups"))
    (band,) = [s for s in group.shapes if s.name == f"Interval: {HISTOTYPES[0]}"]
    assert 5_000 < int(next(band._element.spPr.iter(qn("a:alpha"))).get("val")) < 30_000
    curves = [s for s in group.shapes if s.name == f"Kaplan-Meier curve: {HISTOTYPES[1]}"]
    for curve in curves:
        line = curve._element.spPr.find(qn("a:ln"))
        assert [child.tag for child in line] == [
            qn(f"a:{t}") for t in ("solidFill", "custDash", "miter")
        ]
        assert all(path.get("fill") == "none" for path in curve._element.iter(qn("a:path")))
        assert curve._element.spPr.find(qn("a:noFill")) is not None


def test_the_stamp_is_on_the_slide_when_it_is_set():
    def words(figure):
        return [s.text_frame.text for s in group_of(slide_of(figure)).shapes if s.has_text_frame]

    stamped = FIGURES["4 groups"]
    assert "Synthetic data, not patients" in words(stamped)
    bare = dataclasses.replace(stamped, stamp="", footnotes=())
    assert "Synthetic data, not patients" not in words(bare)


def test_hostile_names_stay_words():
    group = group_of(slide_named("hostile names"))
    words = " ".join(s.text_frame.text for s in group.shapes if s.has_text_frame)
    for name in HOSTILE:
        assert all(part in words for part in name.split())


def test_control_characters_do_not_break_the_file():
    figure = dataclasses.replace(FIGURES["flow"], title="a\x00b\x0b", alt="\x07")
    assert slide_of(figure).shapes.title.text_frame.text == "a\ufffdb\ufffd"


def test_several_figures_make_several_slides():
    data = render([FIGURES["forest"], FIGURES["flow"]])
    slides = Presentation(io.BytesIO(data)).slides
    assert [s.shapes.title.text_frame.text for s in slides] == [
        "Cox regression",
        "Patients and criteria",
    ]
