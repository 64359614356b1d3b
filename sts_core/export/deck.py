"""A slide deck: one figure or table a slide, all of it native and editable."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Pt

from sts_core.display import DisplayTable, Format, escape
from sts_core.export.report import Report, Section
from sts_core.figures.fonts import METRICS
from sts_core.figures.theme import OFFICE_FONT
from sts_core.render.pptx import add_figure_slide, new_presentation, set_title

_LEFT, _TOP, _WIDTH, _HEIGHT = 48.0, 84.0, 864.0, 540.0
_NOTES_HEIGHT = 64.0
_TITLE_ONLY = 5
_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
_RULE = "0F1820"
_TEXT: RGBColor = RGBColor.from_string(_RULE)  # type: ignore[no-untyped-call]
_MUTED: RGBColor = RGBColor.from_string("4A5663")  # type: ignore[no-untyped-call]
_SIZES = (12.0, 11.0, 10.0, 9.0, 8.0)
_SMALLEST = 9.0  # text that is still read from the back of a room
_ROW = 1.6  # row height by text size
_LINE = 1.25


def write_deck(report: Report) -> bytes:
    """Write a report as a 16:9 presentation.

    Every slide has its footnotes; methods and results sentences stand in the speaker's notes.
    """
    presentation = new_presentation()
    _title_slide(presentation, report)
    for section in report.sections:
        if section.figure is not None:
            slide = add_figure_slide(presentation, section.figure)
            _speaker_notes(slide, section)
        if section.table is not None and section.table.rows:
            _table_slides(presentation, section)
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def _title_slide(presentation: Any, report: Report) -> None:
    slide = presentation.slides.add_slide(presentation.slide_layouts[_TITLE_ONLY])
    set_title(slide, report.provenance.title)
    box = slide.shapes.add_textbox(Pt(_LEFT), Pt(_TOP + 20), Pt(_WIDTH), Pt(300))
    frame = box.text_frame
    frame.word_wrap = True
    for number, line in enumerate(report.provenance.footnotes):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.space_after = Pt(8)
        _run(paragraph, line, 16, bold=False, colour=_TEXT)


def _speaker_notes(slide: Any, section: Section) -> None:
    text = " ".join((section.methods, *section.sentences)).strip()
    slide.notes_slide.notes_text_frame.text = escape(text, "xml")


def _table_slides(presentation: Any, section: Section) -> None:
    """Lay a table on as many slides as it needs, with its heading on each."""
    table = section.table
    if table is None:
        return
    cells = table.formatted()
    room = _HEIGHT - _TOP - _NOTES_HEIGHT - 24.0
    header_rows = 2 if any(column.spanner for column in table.columns) else 1
    fitting = [s for s in _SIZES if sum(_natural_widths(table, cells, s)) <= _WIDTH]
    # the largest text that needs no more slides than the smallest legible one
    fewest = len(_pages(table, cells, _SMALLEST, room, header_rows))
    size = next(
        (
            s
            for s in fitting
            if s >= _SMALLEST and len(_pages(table, cells, s, room, header_rows)) <= fewest
        ),
        fitting[0] if fitting else _SIZES[-1],
    )
    widths = _fitted(_natural_widths(table, cells, size), _WIDTH)
    pages = _pages(table, cells, size, room, header_rows)
    for place, page in enumerate(pages, start=1):
        slide = presentation.slides.add_slide(presentation.slide_layouts[_TITLE_ONLY])
        more = f" ({place} of {len(pages)})" if len(pages) > 1 else ""
        set_title(slide, f"{table.title}{more}")
        _draw_table(slide, table, [cells[i] for i in page], page, widths, size)
        _footnotes(slide, section.footnotes)
        _speaker_notes(slide, section)


def _pages(
    table: DisplayTable,
    cells: Sequence[Sequence[str]],
    size: float,
    room: float,
    header_rows: int,
) -> list[list[int]]:
    """Share rows among slides; a heading never stands last on one."""
    widths = _fitted(_natural_widths(table, cells, size), _WIDTH)
    head = header_rows * size * _ROW + size * _LINE
    pages: list[list[int]] = [[]]
    used = head
    for number, row in enumerate(cells):
        height = _row_height(row, widths, size)
        if pages[-1] and used + height > room:
            carried: list[int] = []
            while len(pages[-1]) > 1 and table.rows[pages[-1][-1]].get("_heading"):
                carried.insert(0, pages[-1].pop())
            pages.append(carried)
            used = head + sum(_row_height(cells[i], widths, size) for i in carried)
        pages[-1].append(number)
        used += height
    return pages


def _natural_widths(
    table: DisplayTable, cells: Sequence[Sequence[str]], size: float
) -> list[float]:
    """Give the width of each column's longest cell, a long stub or heading wrapped."""
    widths = []
    for place, column in enumerate(table.columns):
        texts = [row[place] for row in cells]
        longest = max((METRICS.width(text, size, 600) for text in texts), default=0.0)
        words = max(METRICS.width(word, size, 600) for word in [*column.label.split(), " "])
        if place == 0:
            longest = min(longest, 230.0)
        widths.append(max(longest, words) * 1.06 + 12.0)
    return widths


def _fitted(widths: list[float], room: float) -> list[float]:
    total = sum(widths)
    if total <= room:
        spare = room - total
        return [widths[0] + min(spare, 60.0), *(
            width + max(0.0, spare - 60.0) / max(1, len(widths) - 1) for width in widths[1:]
        )]  # fmt: skip
    return [width * room / total for width in widths]


def _row_height(row: Sequence[str], widths: Sequence[float], size: float) -> float:
    lines = max(
        max(1, -(-int(METRICS.width(text, size, 600) * 1.06) // max(1, int(width - 10))))
        for text, width in zip(row, widths, strict=True)
    )
    return size * (_ROW + (lines - 1) * _LINE)


def _draw_table(
    slide: Any,
    table: DisplayTable,
    cells: Sequence[Sequence[str]],
    numbers: Sequence[int],
    widths: Sequence[float],
    size: float,
) -> None:
    spanners = [column.spanner or "" for column in table.columns]
    header_rows = 2 if any(spanners) else 1
    n_rows = header_rows + len(cells)
    frame = slide.shapes.add_table(
        n_rows, len(table.columns), Pt(_LEFT), Pt(_TOP), Pt(sum(widths)),
        Pt(n_rows * size * _ROW),
    )  # fmt: skip
    frame.name = f"Table: {escape(table.title, 'xml')}"
    grid = frame.table
    properties = grid._tbl.tblPr
    properties.set("bandRow", "0")
    properties.set("firstRow", "1")
    style = properties.find(qn("a:tableStyleId"))
    if style is not None:
        style.text = _NO_STYLE
    for place, width in enumerate(widths):
        grid.columns[place].width = Pt(width)
    for place in range(n_rows):
        grid.rows[place].height = Pt(size * _ROW)
    if header_rows == 2:
        _spanner_row(grid, spanners, size)
    for place, column in enumerate(table.columns):
        cell = grid.cell(header_rows - 1, place)
        _write(cell, column.label, size, bold=True, right=place > 0)
        _border(cell, bottom=True, top=header_rows == 1)
        if header_rows == 2:
            _border(grid.cell(0, place), top=True)
    for offset, (row, number) in enumerate(zip(cells, numbers, strict=True)):
        raw = table.rows[number]
        bold = bool(raw.get("_heading"))
        for place, text in enumerate(row):
            cell = grid.cell(header_rows + offset, place)
            right = place > 0 and table.columns[place].format is not Format.TEXT
            _write(cell, text, size, bold=bold, right=right)
            if place == 0:
                cell.margin_left = Pt(3 + 10 * int(str(raw.get("_indent") or 0)))
            if offset == len(cells) - 1:
                _border(cell, bottom=True)


def _spanner_row(grid: Any, spanners: Sequence[str], size: float) -> None:
    place = 0
    while place < len(spanners):
        end = place
        while end + 1 < len(spanners) and spanners[end + 1] == spanners[place]:
            end += 1
        cell = grid.cell(0, place)
        if spanners[place] and end > place:
            cell.merge(grid.cell(0, end))
        _write(cell, spanners[place], size, bold=True, right=False, centre=True)
        place = end + 1


def _write(
    cell: Any, text: str, size: float, *, bold: bool, right: bool, centre: bool = False
) -> None:
    cell.margin_top = cell.margin_bottom = Pt(1.5)
    cell.margin_left = cell.margin_right = Pt(3)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.background()
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.CENTER if centre else PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
    # an empty cell is as high as the text it would hold
    paragraph.font.size = Pt(size)
    if text:
        _run(paragraph, text, size, bold=bold, colour=_TEXT)


def _run(paragraph: Any, text: str, size: float, *, bold: bool, colour: RGBColor) -> None:
    run = paragraph.add_run()
    run.text = escape(text, "xml")
    run.font.name = OFFICE_FONT
    run.font.size = Pt(size)
    run.font.bold = bold
    run.font.color.rgb = colour


def _border(cell: Any, *, bottom: bool = False, top: bool = False) -> None:
    """Draw a rule above or below a cell; python-pptx has no call for it."""
    properties = cell._tc.get_or_add_tcPr()
    for wanted, name in ((top, "a:lnT"), (bottom, "a:lnB")):
        if not wanted:
            continue
        line = properties.makeelement(qn(name), {"w": "9525", "cap": "flat", "cmpd": "sng"})
        fill = line.makeelement(qn("a:solidFill"), {})
        fill.append(fill.makeelement(qn("a:srgbClr"), {"val": _RULE}))
        line.append(fill)
        # borders stand before the cell's fill
        properties.insert(0 if name == "a:lnT" else len(properties.findall(qn("a:lnT"))), line)


def _footnotes(slide: Any, footnotes: Sequence[str]) -> None:
    box = slide.shapes.add_textbox(
        Pt(_LEFT), Pt(_HEIGHT - _NOTES_HEIGHT - 8), Pt(_WIDTH), Pt(_NOTES_HEIGHT)
    )
    box.name = "Footnotes"
    frame = box.text_frame
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.BOTTOM
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    text = " ".join(footnotes)
    length = METRICS.width(text, 9, 400)
    size = 9.0 if length < 4.6 * _WIDTH else 7.5 if length < 7.0 * _WIDTH else 6.5
    _run(frame.paragraphs[0], text, size, bold=False, colour=_MUTED)
