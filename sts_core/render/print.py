"""Figures for paper: SVG, PDF, PNG and TIFF from placed paths and text.

SVG is written directly: named groups, text that stays text, the used letters of the bundled fonts
embedded. PDF, PNG and TIFF are drawn by a bare matplotlib ``Figure`` without axes (no ``pyplot``,
which keeps global state). Nothing is measured or moved here; that is the layout's work.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape as xml_escape
from xml.sax.saxutils import quoteattr

import numpy as np

from sts_core.display import escape
from sts_core.figures.fonts import METRICS, drawable, family_of, font_path
from sts_core.figures.layout import layout
from sts_core.figures.marks import Figure, FloatArray
from sts_core.figures.pages import layout_pages
from sts_core.figures.placed import Anchor, PlacedFigure, PlacedPath, PlacedText
from sts_core.figures.theme import (
    FONT_FALLBACK,
    FONT_FAMILY,
    JOURNAL_DOUBLE,
    LIGHT,
    PRINT_PAGE,
    FigureSize,
    Palette,
    palette_of,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

Format = Literal["svg", "pdf", "png", "tiff"]
_ALIGNMENT: dict[Anchor, Literal["left", "center", "right"]] = {
    "start": "left",
    "middle": "center",
    "end": "right",
}
PNG_DPI = 300
#: What word processors reduce pictures to when they save.
DOCUMENT_DPI = 220
_PICTURE_COLOURS = 256
TIFF_DPI = 600
MEDIA_TYPES: dict[Format, str] = {
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "png": "image/png",
    "tiff": "image/tiff",
}


def render(
    figure: Figure,
    file_format: Format,
    size: FigureSize | None = None,
    palette: Palette | None = None,
) -> bytes:
    """Lay a figure out and draw it.

    Parameters
    ----------
    figure
        What to draw.
    file_format
        ``svg``, ``pdf``, ``png`` (300 dpi) or ``tiff`` (600 dpi, LZW).
    size
        Page and text size; 170 mm wide when not given, and a PDF then has a further page for what
        is higher than A4.
    palette
        Colours; those that the figure asks for when ``None``.

    Returns
    -------
    bytes
        The file; the same figure always gives the same bytes.
    """
    palette = palette or palette_of(figure)
    if file_format == "pdf":
        return to_pdf(layout_pages(figure, size or PRINT_PAGE, METRICS), palette)
    placed = layout(figure, size or JOURNAL_DOUBLE, METRICS)
    match file_format:
        case "svg":
            return to_svg(placed, palette)
        case "png":
            return to_png(placed, palette)
        case "tiff":
            return to_tiff(placed, palette)


# -------------------------------------------------------------------------------------------- SVG


def to_svg(placed: PlacedFigure, palette: Palette = LIGHT, *, embed_fonts: bool = True) -> bytes:
    """Write an SVG document in points, with title, description and selectable text."""
    width, height = _number(placed.width), _number(placed.height)
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}" role="img">',
        f"<title>{_xml(placed.title)}</title>",
        f"<desc>{_xml(placed.alt)}</desc>",
    ]
    if embed_fonts:
        parts.append(f"<style>{_font_faces(placed.texts)}</style>")
    parts.append(f'<rect width="{width}" height="{height}" fill="{palette.background}"/>')
    parts += [
        _svg_path(item, palette) if isinstance(item, PlacedPath) else _svg_text(item, palette)
        for item in placed.items
    ]
    parts.append("</svg>\n")
    return "\n".join(parts).encode()


def _xml(text: str) -> str:
    return xml_escape(escape(text, "xml"))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _svg_path(item: PlacedPath, palette: Palette) -> str:
    data = []
    for points in item.subpaths:
        data.append("M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points))
        if item.closed:
            data.append("Z")
    opacity = _opacity(item, palette)
    look = [f'fill="{palette.colour(item.fill)}"' if item.fill else 'fill="none"']
    if item.fill and opacity < 1:
        look.append(f'fill-opacity="{opacity}"')
    if item.stroke:
        look.append(f'stroke="{palette.colour(item.stroke)}" stroke-width="{_number(item.width)}"')
        if item.dash:
            look.append(f'stroke-dasharray="{" ".join(_number(part) for part in item.dash)}"')
        if opacity < 1:
            look.append(f'stroke-opacity="{opacity}"')
    name = f" aria-label={quoteattr(escape(item.name, 'xml'))}" if item.name else ""
    return f'<path d="{"".join(data)}" {" ".join(look)}{name}/>'


def _opacity(item: PlacedPath, palette: Palette) -> float:
    return {"full": 1.0, "band": palette.band_opacity, "faded": palette.faded_opacity}[item.tone]


def _svg_text(item: PlacedText, palette: Palette) -> str:
    turn = f' transform="rotate(-90 {_number(item.x)} {_number(item.y)})"' if item.rotation else ""
    weight = f' font-weight="{item.weight}"' if item.weight != 400 else ""
    anchor = f' text-anchor="{item.anchor}"' if item.anchor != "start" else ""
    return (
        f'<text x="{_number(item.x)}" y="{_number(item.y)}" font-size="{_number(item.size)}"'
        f" font-family=\"'{FONT_FAMILY}', '{FONT_FALLBACK}', Arial, sans-serif\""
        f'{weight}{anchor}{turn} fill="{palette.colour(item.role)}" xml:space="preserve">'
        f"{_xml(item.text)}</text>"
    )


_ASCII = "".join(map(chr, range(0x20, 0x7F)))


def _font_faces(texts: Iterable[PlacedText]) -> str:
    used: dict[tuple[str, int], set[str]] = {}
    for item in texts:
        for character in item.text:
            family = family_of(character)
            if family == FONT_FAMILY:
                # all of ASCII, so that figures share a font: making one takes a tenth of a second
                used.setdefault((family, item.weight), set(_ASCII)).add(character)
            elif family == FONT_FALLBACK:
                used.setdefault((family, 400), set()).add(character)
    faces = []
    for (family, weight), characters in sorted(used.items()):
        data = base64.b64encode(subset_font(family, weight, "".join(sorted(characters)))).decode()
        faces.append(
            f"@font-face{{font-family:'{family}';font-weight:{weight};"
            f"src:url(data:font/woff2;base64,{data}) format('woff2')}}"
        )
    return "".join(faces)


def prepare_fonts() -> None:
    """Make the fonts that almost every SVG embeds, before one is asked for."""
    for weight in (400, 600):
        subset_font(FONT_FAMILY, weight, _ASCII)


@functools.lru_cache(maxsize=32)
def subset_font(family: str, weight: int, characters: str) -> bytes:
    """Give a WOFF2 font with the given characters of a bundled font."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = ["kern"]
    options.notdef_outline = True
    # lazily: what the subset leaves out is not taken apart, which halves the time
    with TTFont(font_path(family, weight), recalcTimestamp=False, lazy=True) as font:
        subsetter = Subsetter(options)
        subsetter.populate(text=characters)
        subsetter.subset(font)
        font.flavor = "woff2"
        out = io.BytesIO()
        font.save(out)
    return out.getvalue()


# ------------------------------------------------------------------------------- PDF, PNG and TIFF


def to_pdf(placed: PlacedFigure | Sequence[PlacedFigure], palette: Palette = LIGHT) -> bytes:
    """Write a PDF with embedded TrueType fonts and a page for each placed figure."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    pages = [placed] if isinstance(placed, PlacedFigure) else placed
    out = io.BytesIO()
    metadata = {
        "Title": escape(pages[0].title, "xml") or None,
        "Subject": escape(pages[0].alt, "xml") or None,
        "CreationDate": None,
    }
    # 42 embeds TrueType outlines, which journals ask for; type 3 is often refused
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(out, metadata=metadata) as file:
        for page in pages:
            file.savefig(draw(page, palette), facecolor=palette.background)
    return out.getvalue()


def to_png(placed: PlacedFigure, palette: Palette = LIGHT, dpi: int = PNG_DPI) -> bytes:
    """Write a PNG with its resolution in the file."""
    out = io.BytesIO()
    draw(placed, palette).savefig(
        out,
        format="png",
        dpi=dpi,
        facecolor=palette.background,
        metadata={"Description": placed.alt, "Software": None},
    )
    return out.getvalue()


def to_picture(placed: PlacedFigure, palette: Palette = LIGHT, dpi: int = DOCUMENT_DPI) -> bytes:
    """Write a PNG of a third of the size, with the 256 colours that come nearest to all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure = draw(placed, palette)
    figure.set_dpi(dpi)
    figure.set_facecolor(palette.background)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    few = image.quantize(
        _PICTURE_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    out = io.BytesIO()
    few.save(out, format="PNG", dpi=(dpi, dpi))
    return out.getvalue()


def to_tiff(placed: PlacedFigure, palette: Palette = LIGHT, dpi: int = TIFF_DPI) -> bytes:
    """Write an RGB TIFF, LZW compressed, with its resolution in the file."""
    from PIL import Image

    raw = io.BytesIO(to_png(placed, palette, dpi))
    out = io.BytesIO()
    with Image.open(raw) as image:
        image.convert("RGB").save(out, format="TIFF", compression="tiff_lzw", dpi=(dpi, dpi))
    return out.getvalue()


@functools.cache
def _register_fonts() -> None:
    from dataclasses import replace

    from matplotlib import font_manager

    manager = font_manager.fontManager
    for weight in (400, 500, 600):
        manager.addfont(str(font_path(FONT_FAMILY, weight)))
    manager.addfont(str(font_path(FONT_FALLBACK, 400)))
    (fallback,) = [e for e in manager.ttflist if e.fname == str(font_path(FONT_FALLBACK, 400))][-1:]
    # the one weight stands in for the others, so that looking for them finds it without a warning
    manager.ttflist += [replace(fallback, weight=weight) for weight in (500, 600)]


def draw(placed: PlacedFigure, palette: Palette = LIGHT) -> MatplotlibFigure:
    """Draw placed items on a matplotlib ``Figure`` of the page's size."""
    from matplotlib.figure import Figure as MatplotlibFigure
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.text import Text
    from matplotlib.transforms import Affine2D

    _register_fonts()
    figure = MatplotlibFigure(figsize=(placed.width / 72, placed.height / 72))
    # page points with y down -> inches with y up
    to_page = (
        Affine2D().scale(1 / 72, -1 / 72).translate(0, placed.height / 72) + figure.dpi_scale_trans
    )
    for item in placed.items:
        if isinstance(item, PlacedText):
            figure.add_artist(
                Text(
                    item.x / 72,
                    (placed.height - item.y) / 72,
                    drawable(item.text),
                    transform=figure.dpi_scale_trans,
                    color=palette.colour(item.role),
                    fontsize=item.size,
                    fontfamily=[FONT_FAMILY, FONT_FALLBACK],
                    fontweight=item.weight,
                    horizontalalignment=_ALIGNMENT[item.anchor],
                    verticalalignment="baseline",
                    rotation=item.rotation,
                    rotation_mode="anchor",
                    parse_math=False,
                )
            )
            continue
        vertices, codes = _path_arrays(item)
        opacity = _opacity(item, palette)
        figure.add_artist(
            PathPatch(
                Path(vertices, codes),
                transform=to_page,
                facecolor=palette.colour(item.fill) if item.fill else "none",
                edgecolor=palette.colour(item.stroke) if item.stroke else "none",
                linewidth=item.width if item.stroke else 0.0,
                linestyle=(0.0, item.dash) if item.dash else "solid",
                alpha=opacity if opacity < 1 else None,
                capstyle="butt",
                joinstyle="miter",
            )
        )
    return figure


def _path_arrays(item: PlacedPath) -> tuple[FloatArray, FloatArray]:
    from matplotlib.path import Path

    vertices, codes = [], []
    for points in item.subpaths:
        vertices.append(points)
        own = np.full(len(points), Path.LINETO, dtype=Path.code_type)
        own[0] = Path.MOVETO
        codes.append(own)
        if item.closed:
            vertices.append(points[:1])
            codes.append(np.array([Path.CLOSEPOLY], dtype=Path.code_type))
    return np.vstack(vertices), np.concatenate(codes)
