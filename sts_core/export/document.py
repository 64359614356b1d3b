"""A Word document: native tables, figures as pictures, words and footnotes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from sts_core import __version__
from sts_core.display import DisplayTable, Format, escape, unbroken
from sts_core.export.report import Report, Section
from sts_core.figures.fonts import METRICS
from sts_core.figures.pages import layout_pages
from sts_core.figures.placed import PlacedFigure
from sts_core.figures.theme import (
    DOCUMENT,
    OFFICE_FONT,
    OFFICE_FONT_EAST_ASIAN,
    Palette,
    palette_of,
)
from sts_core.render.print import to_picture

_MUTED = RGBColor(0x4A, 0x56, 0x63)
_STAMP = RGBColor(0x9A, 0x34, 0x12)
_INK = RGBColor(0x0F, 0x18, 0x20)
_WIDTH, _HEIGHT = 170.0, 200.0  # room of a figure, mm
_MOST_SAID_AGAIN = 3  # notes from which on a further table refers to those of the table before
_NOTES_ABOVE = "The other notes are those of the table above."
_WIDE_TABLE = 8  # columns from which the text is smaller


def write_document(report: Report) -> bytes:
    """Write a report as a docx file (A4)."""
    document = Document()
    _page(document.sections[0])
    _styles(document)
    document.add_heading(escape(report.provenance.title, "xml"), level=0)
    for note in report.provenance.record:
        _paragraph(document, note, size=9.5, colour=_MUTED)
    above: tuple[str, ...] = ()  # notes of the tables of the same analysis
    for section in report.sections:
        follows = section.figure is None and not section.methods
        above = above if follows else ()
        left_out = [note for note in section.footnotes if note in above]
        own = tuple(note for note in section.footnotes if note not in above)
        if len(left_out) >= _MOST_SAID_AGAIN:
            notes = (*own, _NOTES_ABOVE)
            _section(document, replace(section, footnotes=notes))
        else:
            _section(document, section)
        above = (*above, *own) if section.table is not None else ()
    document.add_heading("Methods and provenance", level=1)
    for sentence in report.methods:
        _paragraph(document, sentence)
    _paragraph(
        document,
        f"Data and choices have the fingerprint {report.provenance.fingerprint}; "
        f"computed by STS Cohort Dashboard {__version__}.",
        colour=_MUTED,
    )
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _page(section: Any) -> None:
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin = section.bottom_margin = Mm(18)


def _styles(document: Any) -> None:
    for name, size in (("Normal", 10.5), ("Title", 20), ("Heading 1", 14)):
        style = document.styles[name]
        style.font.name = OFFICE_FONT
        style.font.size = Pt(size)
        style.font.color.rgb = _INK
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for slot in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{slot}"), None)
        fonts.set(qn("w:hAnsi"), OFFICE_FONT)
        fonts.set(qn("w:eastAsia"), OFFICE_FONT_EAST_ASIAN)


def _paragraph(
    document: Any,
    text: str,
    *,
    size: float | None = None,
    colour: RGBColor | None = None,
    bold: bool = False,
) -> Any:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_after = Pt(3)
    run = paragraph.add_run(escape(text, "xml"))
    run.bold = bold or None
    if size is not None:
        run.font.size = Pt(size)
    if colour is not None:
        run.font.color.rgb = colour
    return paragraph


def _section(document: Any, section: Section) -> None:
    document.add_heading(escape(section.title, "xml"), level=1)
    if section.sentences:
        _paragraph(document, " ".join(section.sentences))
    if section.figure is not None:
        # title and footnotes are the document's own text
        figure = replace(section.figure, title="", footnotes=())
        pages = layout_pages(figure, DOCUMENT, METRICS)
        for number, placed in enumerate(pages, start=1):
            if len(pages) > 1:
                _paragraph(
                    document, f"{section.figure.title} ({number} of {len(pages)})", bold=True
                ).paragraph_format.keep_with_next = True
            _picture(document, placed, section.title, palette_of(section.figure))
    if section.table is not None and section.table.rows:
        if section.table.stamp:
            _paragraph(
                document, section.table.stamp, bold=True, colour=_STAMP
            ).paragraph_format.keep_with_next = True
        _table(document, section.table)
    for number, note in enumerate(section.footnotes):
        paragraph = _paragraph(document, note, size=8, colour=_MUTED)
        if number == 0:
            paragraph.paragraph_format.space_before = Pt(5)


def _picture(document: Any, placed: PlacedFigure, title: str, palette: Palette) -> None:
    width = min(_WIDTH, _HEIGHT * placed.width / placed.height)
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    picture = io.BytesIO(to_picture(placed, palette))
    shape = paragraph.add_run().add_picture(picture, width=Mm(width))
    properties = shape._inline.docPr
    properties.set("descr", escape(placed.alt, "xml"))
    properties.set("title", escape(title, "xml"))


def _table(document: Any, table: DisplayTable) -> None:
    spanners = [column.spanner or "" for column in table.columns]
    header_rows = 2 if any(spanners) else 1
    cells = table.formatted()
    grid = document.add_table(rows=header_rows + len(cells), cols=len(table.columns))
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    _column_widths(grid, table, cells)
    if header_rows == 2:
        _spanner_row(grid.rows[0], spanners, _text_size(table))
    _fill(
        grid.rows[header_rows - 1],
        [unbroken(column.label) for column in table.columns],
        table,
        bold=True,
    )
    for number, row in enumerate(cells):
        raw = table.rows[number]
        _fill(grid.rows[header_rows + number], row, table, bold=bool(raw.get("_heading")),
              indent=int(str(raw.get("_indent") or 0)))  # fmt: skip
    for row in grid.rows[:header_rows]:
        _row_property(row, "w:tblHeader")
    for row in grid.rows:
        _row_property(row, "w:cantSplit")
    _rule(grid.rows[0], "top")
    _rule(grid.rows[header_rows - 1], "bottom")
    _rule(grid.rows[-1], "bottom")


def _column_widths(grid: Any, table: DisplayTable, cells: Sequence[Sequence[str]]) -> None:
    """Share the width of the page by the longest cell of each column."""
    grid.autofit = False
    _cell_margins(grid)
    size = _text_size(table)

    def widest(texts: Iterable[str]) -> float:
        return max((METRICS.width(text, size, 600) for text in texts), default=0.0) * 1.14 + 6.5

    wanted, least = [], []
    for place, column in enumerate(table.columns):
        heading, texts = unbroken(column.label).split(" "), [row[place] for row in cells]
        if column.spanner and _is_alone(table, place):
            heading += column.spanner.split()
        word = widest([*heading, *(part for text in texts for part in text.split())])
        width = widest([*heading, *texts])
        wanted.append(max(min(width, 130.0), word) if place == 0 else width)
        least.append(min(word, wanted[-1]))
    widths = _shared(wanted, least, _WIDTH * 72 / 25.4)
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = Pt(width)
    # by rows: asking a column for its cells walks through the whole table each time
    for row in grid._tbl.tr_lst:
        for cell, width in zip(row.tc_lst, widths, strict=True):
            cell.width = Pt(width)


def _is_alone(table: DisplayTable, place: int) -> bool:
    """Say whether a column shares the heading above it with none of its neighbours."""
    near = table.columns[max(0, place - 1) : place + 2]
    return sum(column.spanner == table.columns[place].spanner for column in near) == 1


def _shared(wanted: Sequence[float], least: Sequence[float], room: float) -> list[float]:
    """Narrow columns to the room: first those whose words can stand on more lines."""
    over = sum(wanted) - room
    if over <= 0:
        return list(wanted)
    slack = sum(wanted) - sum(least)
    if over > slack:
        return [width * room / sum(least) for width in least]
    return [
        width - (width - word) * over / slack for width, word in zip(wanted, least, strict=True)
    ]


def _text_size(table: DisplayTable) -> float:
    """Give smaller text to a table of many columns."""
    if len(table.columns) < _WIDE_TABLE:
        return 9.0
    return 7.5 if len(table.columns) <= 10 else 6.5


def _cell_margins(grid: Any) -> None:
    """Narrow the room beside the text of cells; python-docx has no call for it."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), "55")
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    grid._tbl.tblPr.append(margins)


def _spanner_row(row: Any, spanners: Sequence[str], size: float) -> None:
    place = 0
    while place < len(spanners):
        end = place
        while end + 1 < len(spanners) and spanners[end + 1] == spanners[place]:
            end += 1
        cell = row.cells[place]
        if spanners[place]:
            cell = cell.merge(row.cells[end]) if end > place else cell
            _cell(cell, spanners[place], bold=True, alignment=WD_ALIGN_PARAGRAPH.CENTER, size=size)
        place = end + 1


def _fill(
    row: Any, texts: Sequence[str], table: DisplayTable, *, bold: bool, indent: int = 0
) -> None:
    size = _text_size(table)
    for place, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
        right = place > 0 and table.columns[place].format is not Format.TEXT
        _cell(
            cell, text, bold=bold,
            alignment=WD_ALIGN_PARAGRAPH.RIGHT if right else WD_ALIGN_PARAGRAPH.LEFT,
            size=size,
        )  # fmt: skip
        if place == 0 and indent:
            cell.paragraphs[0].paragraph_format.left_indent = Mm(4 * indent)


def _cell(cell: Any, text: str, *, bold: bool, alignment: Any, size: float = 9.0) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = alignment
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1)
    run = paragraph.add_run(escape(text, "xml"))
    run.font.size = Pt(size)
    run.bold = bold


def _row_property(row: Any, name: str) -> None:
    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement(name))


def _rule(row: Any, side: str) -> None:
    """Draw a rule above or below a row; python-docx has no call for it."""
    for cell in row.cells:
        properties = cell._tc.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = OxmlElement("w:tcBorders")
            properties.append(borders)
        if borders.find(qn(f"w:{side}")) is not None:
            continue
        edge = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", "8"), ("space", "0"), ("color", "0F1820")):
            edge.set(qn(f"w:{key}"), value)
        borders.append(edge)
