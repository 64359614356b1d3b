"""Figures for slides: native PowerPoint shapes that can be recoloured, moved and retyped.

Every curve, band, tick row, line of text and box becomes a shape with a name; all of them are in
one group that carries the alternative text. No picture and no embedded workbook: what travels
with the slide is what is seen on it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape as xml_escape
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from sts_core.display import escape
from sts_core.figures.fonts import METRICS
from sts_core.figures.marks import Figure, Role
from sts_core.figures.pages import layout_pages
from sts_core.figures.placed import ASCENT, PlacedFigure, PlacedPath, PlacedText
from sts_core.figures.sheet import LINE_HEIGHT
from sts_core.figures.theme import (
    LIGHT,
    OFFICE_FONT,
    OFFICE_FONT_EAST_ASIAN,
    SLIDE,
    FigureSize,
    Palette,
    palette_of,
)

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.shapes.group import GroupShape
    from pptx.slide import Slide

EMU = 12700  # in a point
SLIDE_WIDTH, SLIDE_HEIGHT = 960.0, 540.0
LEFT, TOP = 48.0, 68.0
WIDTH = SLIDE_WIDTH - 2 * LEFT
#: Where the content of a slide ends.
BOTTOM = TOP + SLIDE.height if SLIDE.height else SLIDE_HEIGHT
STAMP_SIZE = 11.5
_TITLE_ONLY = 5
_NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


def render(
    figures: Figure | Sequence[Figure],
    size: FigureSize = SLIDE,
    palette: Palette | None = None,
) -> bytes:
    """Write a presentation with one slide a figure, or more where a figure needs them.

    Parameters
    ----------
    figures
        One or several.
    size
        Page of each figure; what needs more goes on to a further slide.
    palette
        Colours; those that each figure asks for when ``None``.
    """
    presentation = new_presentation()
    for figure in [figures] if isinstance(figures, Figure) else figures:
        add_figure_slides(presentation, figure, size, palette)
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def new_presentation() -> Presentation:
    """Give an empty 16:9 presentation."""
    from pptx import api
    from pptx.util import Pt

    presentation = api.Presentation()
    presentation.slide_width = Pt(SLIDE_WIDTH)
    presentation.slide_height = Pt(SLIDE_HEIGHT)
    return presentation


def add_figure_slides(
    presentation: Presentation,
    figure: Figure,
    size: FigureSize = SLIDE,
    palette: Palette | None = None,
) -> list[Slide]:
    """Add as many slides as a figure needs: its title as theirs, each part as one group.

    The speaker's notes have all footnotes, also those that a slide has no room for.
    """
    slides = []
    palette = palette or palette_of(figure)
    for placed in layout_pages(figure, size, METRICS):
        slide = add_slide(presentation, placed.title, palette)
        add_figure(slide, placed, LEFT, TOP, palette)
        set_notes(slide, " ".join(figure.footnotes))
        slides.append(slide)
    return slides


def add_slide(presentation: Presentation, title: str, palette: Palette = LIGHT) -> Slide:
    """Add a slide with nothing but its title."""
    slide: Slide = presentation.slides.add_slide(presentation.slide_layouts[_TITLE_ONLY])
    set_title(slide, title, palette)
    return slide


def set_notes(slide: Slide, text: str) -> None:
    """Write the speaker's notes."""
    frame = slide.notes_slide.notes_text_frame
    if text and frame is not None:
        frame.text = escape(text, "xml")


def add_stamp(slide: Slide, text: str, palette: Palette = LIGHT) -> None:
    """Write the stamp of synthetic data where figures have it, at the top on the right."""
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Pt

    if not text:
        return
    box = slide.shapes.add_textbox(Pt(LEFT), Pt(TOP), Pt(WIDTH), Pt(LINE_HEIGHT * STAMP_SIZE))
    box.name = "Stamp"
    frame = box.text_frame
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.word_wrap = True
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT
    run = paragraph.add_run()
    run.text = escape(text, "xml")
    _set_font(run, STAMP_SIZE, palette.colour(Role.STAMP), bold=True)


def set_title(slide: Slide, title: str, palette: Palette = LIGHT) -> None:
    """Write the slide's title in its own placeholder, where outline and readers find it."""
    from pptx.enum.text import MSO_ANCHOR
    from pptx.util import Pt

    shape = slide.shapes.title
    if shape is None:
        return
    shape.left, shape.top = Pt(LEFT), Pt(14)
    shape.width, shape.height = Pt(WIDTH), Pt(TOP - 16)
    frame = shape.text_frame
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    frame.margin_left = frame.margin_right = 0
    paragraph = frame.paragraphs[0]
    paragraph.alignment = 1
    run = paragraph.add_run()
    run.text = escape(title, "xml")
    length = METRICS.width(title, 26, 600)
    size = 26 if length <= WIDTH else 20 if length <= 2.2 * WIDTH else 14
    _set_font(run, size, palette.colour(Role.TEXT), bold=True)


def add_figure(
    slide: Slide,
    placed: PlacedFigure,
    left: float,
    top: float,
    palette: Palette = LIGHT,
    *,
    room: tuple[float, float] | None = None,
) -> GroupShape:
    """Draw a placed figure as one group of native shapes.

    Parameters
    ----------
    slide
        Where to draw.
    placed
        What to draw; it is scaled down as a whole when it is larger than ``room``.
    left, top
        Corner of the figure's page on the slide, in points.
    room
        Width and height available in points; to the slide's right and lower margin when ``None``.
    """
    width, height = room or (SLIDE_WIDTH - LEFT - left, BOTTOM - top)
    scale = min(1.0, width / placed.width, height / placed.height)
    left += max(0.0, (width - scale * placed.width) / 2)
    group = slide.shapes.add_group_shape()
    group.name = f"Figure: {escape(placed.title, 'xml')}"
    tree: Any = group._element
    tree.nvGrpSpPr.cNvPr.set("descr", escape(placed.alt, "xml"))
    pen = _Pen(left, top, scale, palette, first_id=group.shape_id + 1)
    for item in placed.items:
        xml = pen.text(item) if isinstance(item, PlacedText) else pen.path(item)
        if xml:
            tree.append(_parsed(xml))
    _set_extents(tree, left, top, placed.width * scale, placed.height * scale)
    return group


def _parsed(xml: str) -> Any:
    from pptx.oxml import parse_xml

    return parse_xml(xml)


def _emu(points: float) -> int:
    return round(points * EMU)


def _set_extents(tree: Any, left: float, top: float, width: float, height: float) -> None:
    """Give the group its place; its children are in the slide's own units."""
    corner, extent = (_emu(left), _emu(top)), (_emu(width), _emu(height))
    properties = _parsed(
        f"<p:grpSpPr {_NAMESPACES}><a:xfrm>"
        f'<a:off x="{corner[0]}" y="{corner[1]}"/><a:ext cx="{extent[0]}" cy="{extent[1]}"/>'
        f'<a:chOff x="{corner[0]}" y="{corner[1]}"/><a:chExt cx="{extent[0]}" cy="{extent[1]}"/>'
        "</a:xfrm></p:grpSpPr>"
    )
    tree.replace(tree.grpSpPr, properties)


class _Pen:
    """Writes shapes as XML: the library's own builder takes seconds for a curve of 5,000 steps.

    Shapes get no ``p:style``, through which the theme would add a shadow and a colour.
    """

    def __init__(
        self, left: float, top: float, scale: float, palette: Palette, first_id: int
    ) -> None:
        self.left, self.top, self.scale, self.palette = left, top, scale, palette
        self.next_id = first_id

    def _head(self, name: str, *, textbox: bool = False) -> str:
        own, self.next_id = self.next_id, self.next_id + 1
        kind = '<p:cNvSpPr txBox="1"/>' if textbox else "<p:cNvSpPr/>"
        named = quoteattr(escape(name, "xml") or "Shape")
        return f'<p:nvSpPr><p:cNvPr id="{own}" name={named}/>{kind}<p:nvPr/></p:nvSpPr>'

    def _colour(self, role: Role, opacity: float = 1.0) -> str:
        value = self.palette.colour(role).lstrip("#")
        alpha = f'<a:alpha val="{round(opacity * 100_000)}"/>' if opacity < 1 else ""
        return f'<a:solidFill><a:srgbClr val="{value}">{alpha}</a:srgbClr></a:solidFill>'

    def path(self, item: PlacedPath) -> str:
        """Write lines or areas as one freeform, or a rectangle as a rectangle."""
        subpaths = [
            np.rint((points * self.scale + np.array([self.left, self.top])) * EMU).astype(int)
            for points in item.subpaths
            if len(points) > 1
        ]
        if not subpaths:
            return ""
        corners = np.vstack(subpaths)
        x0, y0 = (int(v) for v in corners.min(axis=0))
        width, height = (int(v) for v in np.ptp(corners, axis=0))
        opacity = {
            "full": 1.0,
            "band": self.palette.band_opacity,
            "faded": self.palette.faded_opacity,
        }[item.tone]
        if item.closed and len(subpaths) == 1 and _is_rectangle(subpaths[0]):
            shape = '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        else:
            shape = _geometry(subpaths, (x0, y0), (width, height), item)
        fill = "<a:noFill/>" if item.fill is None else self._colour(item.fill, opacity)
        return (
            f"<p:sp {_NAMESPACES}>{self._head(item.name)}<p:spPr><a:xfrm>"
            f'<a:off x="{x0}" y="{y0}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
            f"{shape}{fill}{self._outline(item, opacity)}</p:spPr></p:sp>"
        )

    def _outline(self, item: PlacedPath, opacity: float) -> str:
        if item.stroke is None:
            return "<a:ln><a:noFill/></a:ln>"
        # lengths of dashes are in thousandths of a percent of the line's width
        parts = [round(part / item.width * 100_000) for part in item.dash]
        stops = "".join(
            f'<a:ds d="{on}" sp="{off}"/>' for on, off in zip(parts[::2], parts[1::2], strict=True)
        )
        dash = f"<a:custDash>{stops}</a:custDash>" if stops else ""
        width = _emu(max(item.width * self.scale, 0.25))
        return (
            f'<a:ln w="{width}" cap="flat">{self._colour(item.stroke, opacity)}{dash}'
            "<a:miter/></a:ln>"
        )

    def text(self, item: PlacedText) -> str:
        """Write one line of text in a box of its own that never wraps."""
        size = item.size * self.scale
        # room on both sides: another font in Arial's place must not move the line
        width = item.length * self.scale * 1.06 + 4.0
        height = LINE_HEIGHT * size
        x, y = self.left + item.x * self.scale, self.top + item.y * self.scale
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[item.anchor]
        turn = ""
        if item.rotation == 90:
            # the box is turned about its centre, so that is what has to be placed
            left = x - (ASCENT - 0.5 * LINE_HEIGHT) * size - width / 2
            top = y - (0.5 - before) * width - height / 2
            turn = ' rot="16200000"'
        else:
            left, top = x - before * width, y - (ASCENT + 0.12) * size
            # a line as long as the page keeps its spare room on the slide
            width = min(width, max(SLIDE_WIDTH - left, item.length * self.scale))
        align = {"start": "l", "middle": "ctr", "end": "r"}[item.anchor]
        points = round(size * 2) * 50  # hundredths of a point, in halves
        bold = 1 if item.weight >= 600 else 0
        return (
            f"<p:sp {_NAMESPACES}>{self._head(item.name or 'Text', textbox=True)}<p:spPr>"
            f'<a:xfrm{turn}><a:off x="{_emu(left)}" y="{_emu(top)}"/>'
            f'<a:ext cx="{_emu(width)}" cy="{_emu(height)}"/></a:xfrm>'
            '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:noFill/></p:spPr>'
            '<p:txBody><a:bodyPr wrap="none" lIns="0" tIns="0" rIns="0" bIns="0" anchor="t">'
            f'<a:noAutofit/></a:bodyPr><a:lstStyle/><a:p><a:pPr algn="{align}"/><a:r>'
            f'<a:rPr lang="en-US" sz="{points}" b="{bold}" dirty="0">{self._colour(item.role)}'
            f'<a:latin typeface="{OFFICE_FONT}"/><a:ea typeface="{OFFICE_FONT_EAST_ASIAN}"/>'
            f"</a:rPr><a:t>{xml_escape(escape(item.text, 'xml'))}</a:t></a:r></a:p></p:txBody>"
            "</p:sp>"
        )


def _is_rectangle(points: NDArray[np.int_]) -> bool:
    return len(points) == 4 and len({*points[:, 0]}) == len({*points[:, 1]}) == 2


def _geometry(
    subpaths: Sequence[NDArray[np.int_]],
    corner: tuple[int, int],
    extent: tuple[int, int],
    item: PlacedPath,
) -> str:
    strokes = []
    for points in subpaths:
        own = [f'<a:pt x="{x}" y="{y}"/>' for x, y in (points - np.array(corner)).tolist()]
        strokes.append(f"<a:moveTo>{own[0]}</a:moveTo>")
        strokes += [f"<a:lnTo>{point}</a:lnTo>" for point in own[1:]]
        if item.closed:
            strokes.append("<a:close/>")
    # an open line has no inside, also not when somebody clicks "fill"
    hollow = "" if item.fill else ' fill="none"'
    return (
        "<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/>"
        '<a:rect l="0" t="0" r="r" b="b"/><a:pathLst>'
        f'<a:path w="{extent[0]}" h="{extent[1]}"{hollow}>{"".join(strokes)}</a:path>'
        "</a:pathLst></a:custGeom>"
    )


def _set_font(run: Any, size: float, colour: str, *, bold: bool) -> None:
    from pptx.dml.color import RGBColor
    from pptx.util import Pt

    make: Any = RGBColor
    font = run.font
    font.name = OFFICE_FONT
    font.size = Pt(size)
    font.bold = bold
    font.color.rgb = make(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))
    font._element.append(_parsed(f'<a:ea {_NAMESPACES} typeface="{OFFICE_FONT_EAST_ASIAN}"/>'))
