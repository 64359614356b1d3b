"""A slide deck of figures and tables, all of it native and editable."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Pt

from sts_core.analysis.provenance import SYNTHETIC_STAMP, joined_stamps
from sts_core.display import Column, DisplayTable, Format, escape, unbroken
from sts_core.export.report import Report, Section
from sts_core.figures.fonts import METRICS
from sts_core.figures.layout import layout
from sts_core.figures.marks import Chart, Diagram, SmallMultiples
from sts_core.figures.pages import shared
from sts_core.figures.sheet import MORE_NOTES, wrap
from sts_core.figures.theme import MIN_SLIDE_TEXT, OFFICE_FONT, SLIDE, palette_of
from sts_core.render.pptx import (
    BOTTOM,
    LEFT,
    TOP,
    WIDTH,
    add_figure,
    add_figure_slides,
    add_slide,
    add_stamp,
    new_presentation,
    set_notes,
)

_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
_RULE = "0F1820"
_TEXT: RGBColor = RGBColor.from_string(_RULE)  # type: ignore[no-untyped-call]
_MUTED: RGBColor = RGBColor.from_string("4A5663")  # type: ignore[no-untyped-call]
_SIZES = (17.0, 16.0, 15.0, 14.0, 13.0, 12.0, 11.0, MIN_SLIDE_TEXT)
_ROW = 1.6  # row height by text size
_LINE = 1.25
_STUB = 230.0  # width from which the first column is wrapped
_GAP = 8.0
_STAMP_HEIGHT = 20.0
_TABLE_HEADING = 26.0  # height of the name of a further table on a slide
_STACK_GAP = 10.0
_STACK_SIZES = (13.0, 12.0, 11.0)
#: Lines that footnotes may have under a table; all of them stand in the speaker's notes.
_MOST_NOTES = 7
#: A table of no more rows stands under its figure where both are legible there.
_SHORT_TABLE = 6
_LEAST_PLOT = 0.36  # of the slide's content, for a figure that has a table under it


def write_deck(report: Report) -> bytes:
    """Write a report as a 16:9 presentation.

    Every slide has its footnotes; methods and results sentences stand in the speaker's notes. A
    short table stands under its figure, and short tables of one analysis share a slide. Nothing is
    smaller than :data:`sts_core.figures.theme.MIN_SLIDE_TEXT`.
    """
    presentation = new_presentation()
    _title_slide(presentation, report)
    provenance = report.provenance
    synthetic = SYNTHETIC_STAMP if provenance.synthetic else ""

    def stamp_of(table: DisplayTable) -> str:
        # a table may be of another analysis population than the report
        return joined_stamps(table.stamp or provenance.subset_stamp, synthetic)

    waiting: list[Section] = []  # tables of one analysis, which share slides
    for section in report.sections:
        if section.figure is not None or section.methods:
            _stacked_slides(presentation, waiting, stamp_of)
            waiting = []
        if section.figure is None:
            waiting.append(section)
            continue
        if _together(presentation, section):
            continue
        for slide in add_figure_slides(presentation, section.figure):
            _speaker_notes(slide, section)
        if section.table is not None and section.table.rows:
            _table_slides(presentation, section, section.table, stamp_of(section.table))
    _stacked_slides(presentation, waiting, stamp_of)
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def _title_slide(presentation: Any, report: Report) -> None:
    slide = add_slide(presentation, report.provenance.title)
    add_stamp(slide, report.provenance.stamp)
    box = slide.shapes.add_textbox(Pt(LEFT), Pt(TOP + 36), Pt(WIDTH), Pt(300))
    frame = box.text_frame
    frame.word_wrap = True
    for number, line in enumerate(report.record):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.space_after = Pt(8)
        _run(paragraph, line, 16, bold=False, colour=_TEXT)


def _speaker_notes(slide: Any, section: Section) -> None:
    text = " ".join((section.methods, *section.sentences, *section.footnotes)).strip()
    set_notes(slide, text)


def _together(presentation: Any, section: Section) -> bool:
    """Draw a short table under its figure; say whether there was room for both."""
    figure, table = section.figure, section.table
    if figure is None or table is None or not 0 < len(table.rows) <= _SHORT_TABLE:
        return False
    if isinstance(figure.body, Diagram | SmallMultiples):
        return False
    grid = _Grid(table, MIN_SLIDE_TEXT + 1)
    if not grid.fits:
        grid = _Grid(table, MIN_SLIDE_TEXT)
    if not grid.fits:
        return False
    table_height = grid.height(range(len(table.rows)))
    notes = _Notes(section.footnotes, most=4)
    room = BOTTOM - TOP - table_height - notes.height - 2 * _GAP
    bare = replace(figure, footnotes=())
    if isinstance(figure.body, Chart) and len(figure.body.panel.marks) == 0:
        return False
    size = replace(SLIDE, height=room)
    placed = layout(bare, size, METRICS)
    least = _LEAST_PLOT * (BOTTOM - TOP) if isinstance(figure.body, Chart) else 0.0
    if placed.height > room + 0.01 or placed.panels[0].height < least:
        return False
    slide = add_slide(presentation, figure.title)
    add_figure(slide, placed, LEFT, TOP, palette_of(figure), room=(WIDTH, room))
    _draw_table(slide, grid, range(len(table.rows)), TOP + room + _GAP)
    notes.write(slide)
    _speaker_notes(slide, section)
    return True


class _Grid:
    """A table measured at a size of text: widths of columns and heights of rows."""

    def __init__(self, table: DisplayTable, size: float) -> None:
        columns = tuple(replace(one, label=unbroken(one.label)) for one in table.columns)
        self.table, self.size = replace(table, columns=columns), size
        self.cells = table.formatted()
        natural = [self._natural(place) for place in range(len(table.columns))]
        least = [self._least(place) for place in range(len(table.columns))]
        self.fits = sum(least) <= WIDTH
        self.unwrapped = sum(natural) <= WIDTH
        self.widths = _fitted(natural, least, WIDTH)

    def _natural(self, place: int) -> float:
        """Give the width of a column's longest cell, with its heading wrapped at spaces."""
        longest = max((self._measure(row[place]) for row in self.cells), default=0.0)
        if place == 0:
            longest = min(longest, _STUB)
        return max(longest * 1.06 + 12.0, self._least(place))

    def _least(self, place: int) -> float:
        """Give the width of a column's longest word."""
        texts = [self.table.columns[place].label, *(row[place] for row in self.cells)]
        words = [word for text in texts for word in (text.split(" ") if place else _pieces(text))]
        return max((self._measure(word) for word in words), default=0.0) * 1.06 + 12.0

    def _measure(self, text: str) -> float:
        return METRICS.width(text, self.size, 600)

    def _lines(self, texts: Sequence[str]) -> int:
        return max(
            len(wrap(text, max((width - 8.0) / 1.06, 1.0), self.size, METRICS, 600))
            for text, width in zip(texts, self.widths, strict=True)
        )

    @property
    def header_rows(self) -> int:
        """Two where columns have a heading in common."""
        return 2 if any(column.spanner for column in self.table.columns) else 1

    @property
    def header_height(self) -> float:
        """Height of all heading rows."""
        lines = self._lines([column.label for column in self.table.columns])
        return self.size * (_ROW * self.header_rows + (lines - 1) * _LINE)

    def row_height(self, row: int) -> float:
        """Height of a row with its wrapped cells."""
        return self.size * (_ROW + (self._lines(self.cells[row]) - 1) * _LINE)

    def height(self, rows: Sequence[int]) -> float:
        """Height of the table with some of its rows."""
        return self.header_height + sum(self.row_height(row) for row in rows)

    def pages(self, room: float) -> list[list[int]]:
        """Share rows among slides, about equally; a heading stays with its rows."""
        room -= self.header_height
        parts: list[list[int]] = []
        used = 0.0
        for number, row in enumerate(self.table.rows):
            height = self.row_height(number)
            # a heading with what is indented under it stays whole, unless it fills a slide
            if parts and row.get("_indent") and used + height <= room:
                parts[-1].append(number)
                used += height
            else:
                parts.append([number])
                used = height
        heights = [sum(self.row_height(row) for row in part) for part in parts]
        return [[row for part in page for row in parts[part]] for page in shared(heights, room)]


def _pieces(text: str) -> list[str]:
    """Give what a wrapped stub can't break: words, or the characters of Chinese text."""
    return [line for word in text.split() for line in (wrap(word, 120.0, MIN_SLIDE_TEXT))]


def _fitted(natural: Sequence[float], least: Sequence[float], room: float) -> list[float]:
    """Share the width of a slide: what is spare is spread, what is missing is wrapped."""
    total = sum(natural)
    if total <= room:
        spare = room - total
        others = max(0.0, spare - 60.0) / max(1, len(natural) - 1)
        return [natural[0] + min(spare, 60.0), *(width + others for width in natural[1:])]
    give = sum(natural) - sum(least)
    share = min(1.0, (total - room) / give) if give > 0 else 0.0
    widths = [wide - share * (wide - low) for wide, low in zip(natural, least, strict=True)]
    scale = min(1.0, room / sum(widths))
    return [width * scale for width in widths]


class _Notes:
    """Footnotes of a slide, as many as there is room for; all stand in the speaker's notes."""

    def __init__(self, notes: Sequence[str], most: int = _MOST_NOTES) -> None:
        width = WIDTH / 1.06
        self.text = " ".join(notes)
        kept: tuple[str, ...] = tuple(notes)
        if len(wrap(self.text, width, MIN_SLIDE_TEXT)) > most:
            kept = (MORE_NOTES,)
            for note in reversed(notes):
                if len(wrap(" ".join((note, *kept)), width, MIN_SLIDE_TEXT)) > most:
                    break
                kept = (note, *kept)
            self.text = " ".join(kept)
        lines = len(wrap(self.text, width, MIN_SLIDE_TEXT)) if kept else 0
        self.height = lines * MIN_SLIDE_TEXT * _LINE

    def write(self, slide: Any) -> None:
        """Write them at the foot of a slide."""
        if not self.text:
            return
        box = slide.shapes.add_textbox(
            Pt(LEFT), Pt(BOTTOM - self.height), Pt(WIDTH), Pt(self.height)
        )
        box.name = "Footnotes"
        frame = box.text_frame
        frame.word_wrap = True
        frame.vertical_anchor = MSO_ANCHOR.BOTTOM
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        _run(frame.paragraphs[0], self.text, MIN_SLIDE_TEXT, bold=False, colour=_MUTED)


def _table_slides(presentation: Any, section: Section, table: DisplayTable, stamp: str) -> None:
    """Lay a table on as many slides as it needs, with its heading on each."""
    notes = _Notes(section.footnotes)
    top = TOP + (_STAMP_HEIGHT if stamp else 0.0)
    room = BOTTOM - top - notes.height - _GAP
    drawn = [
        (grid, rows)
        for part in _column_parts(table)
        for grid, pages in [_best(part, room)]
        for rows in pages
    ]
    for place, (grid, rows) in enumerate(drawn, start=1):
        more = f" ({place} of {len(drawn)})" if len(drawn) > 1 else ""
        slide = add_slide(presentation, f"{table.title}{more}")
        add_stamp(slide, stamp)
        _draw_table(slide, grid, rows, top)
        notes.write(slide)
        _speaker_notes(slide, section)


def _stacked_slides(
    presentation: Any, sections: Sequence[Section], stamp_of: Callable[[DisplayTable], str]
) -> None:
    """Put short tables of one analysis on a slide together, as many as it holds."""
    left = [one for one in sections if one.table is not None and one.table.rows]
    while left:
        first = left[0]
        assert first.table is not None
        stamp = stamp_of(first.table)
        stack = _stack(left, stamp)
        if len(stack) < 2:
            left.pop(0)
            _table_slides(presentation, first, first.table, stamp)
            continue
        together, left = left[: len(stack)], left[len(stack) :]
        slide = add_slide(presentation, first.title)
        add_stamp(slide, stamp)
        top = TOP + (_STAMP_HEIGHT if stamp else 0.0)
        for number, (section, grid) in enumerate(zip(together, stack, strict=True)):
            if number:
                _table_heading(slide, section.title, top)
                top += _TABLE_HEADING
            _draw_table(slide, grid, range(len(grid.cells)), top)
            top += grid.height(range(len(grid.cells))) + _STACK_GAP
        _notes_of(together).write(slide)
        words = [text for one in together for text in (one.methods, *one.sentences) if text]
        footnotes = dict.fromkeys(note for one in together for note in one.footnotes)
        set_notes(slide, " ".join((*words, *footnotes)))


def _notes_of(sections: Sequence[Section]) -> _Notes:
    return _Notes(tuple(dict.fromkeys(note for one in sections for note in one.footnotes)))


def _stack(sections: Sequence[Section], stamp: str) -> list[_Grid]:
    """Give the first tables that fit on a slide below each other, in the largest text."""
    best: list[_Grid] = []
    for size in _STACK_SIZES:
        grids: list[_Grid] = []
        used = 0.0
        for section in sections:
            assert section.table is not None
            grid = _Grid(section.table, size)
            height = grid.height(range(len(grid.cells))) + (_TABLE_HEADING if grids else 0.0)
            room = BOTTOM - TOP - (_STAMP_HEIGHT if stamp else 0.0) - _GAP
            room -= _notes_of(sections[: len(grids) + 1]).height
            if not (grid.fits and grid.unwrapped) or used + height > room:
                break
            used += height + _STACK_GAP
            grids.append(grid)
        if len(grids) > len(best):
            best = grids
    return best


def _table_heading(slide: Any, title: str, top: float) -> None:
    box = slide.shapes.add_textbox(Pt(LEFT), Pt(top), Pt(WIDTH), Pt(_TABLE_HEADING))
    box.name = "Heading of a table"
    frame = box.text_frame
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.BOTTOM
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    _run(frame.paragraphs[0], title, 14.0, bold=True, colour=_TEXT)


def _best(table: DisplayTable, room: float) -> tuple[_Grid, list[list[int]]]:
    """Give the largest text that needs no more slides, nor broken cells, than the smallest."""
    grids = [grid for grid in (_Grid(table, size) for size in _SIZES) if grid.fits]
    grids = [grid for grid in grids if grid.unwrapped] or grids
    trials = [(grid, grid.pages(room)) for grid in grids or [_Grid(table, MIN_SLIDE_TEXT)]]
    fewest = len(trials[-1][1])
    return next(trial for trial in trials if len(trial[1]) <= fewest)


def _column_parts(table: DisplayTable) -> list[DisplayTable]:
    """Share columns that don't fit beside each other among tables, the first column in each."""
    if _Grid(table, MIN_SLIDE_TEXT).fits or len(table.columns) < 3:
        return [table]
    groups: list[list[Column]] = []
    for column in table.columns[1:]:
        if groups and column.spanner and groups[-1][-1].spanner == column.spanner:
            groups[-1].append(column)
        else:
            groups.append([column])
    stub = table.columns[0]
    parts: list[list[Column]] = [[stub]]
    for group in groups:
        longer = replace(table, columns=(*parts[-1], *group))
        if len(parts[-1]) > 1 and not _Grid(longer, MIN_SLIDE_TEXT).fits:
            parts.append([stub])
        parts[-1] += group
    return [replace(table, columns=tuple(part)) for part in parts]


def _draw_table(slide: Any, grid: _Grid, rows: Sequence[int], top: float) -> None:
    table, size, widths = grid.table, grid.size, grid.widths
    cells = [grid.cells[row] for row in rows]
    spanners = [column.spanner or "" for column in table.columns]
    header_rows = grid.header_rows
    n_rows = header_rows + len(cells)
    frame = slide.shapes.add_table(
        n_rows, len(table.columns), Pt(LEFT), Pt(top), Pt(sum(widths)), Pt(grid.height(rows))
    )
    frame.name = f"Table: {escape(table.title, 'xml')}"
    drawn = frame.table
    properties = drawn._tbl.tblPr
    properties.set("bandRow", "0")
    properties.set("firstRow", "1")
    style = properties.find(qn("a:tableStyleId"))
    if style is not None:
        style.text = _NO_STYLE
    for place, width in enumerate(widths):
        drawn.columns[place].width = Pt(width)
    for place in range(header_rows):
        last = place == header_rows - 1
        height = grid.header_height - size * _ROW * (header_rows - 1) if last else size * _ROW
        drawn.rows[place].height = Pt(height)
    for offset, row in enumerate(rows):
        drawn.rows[header_rows + offset].height = Pt(grid.row_height(row))
    if header_rows == 2:
        _spanner_row(drawn, spanners, size)
    for place, column in enumerate(table.columns):
        cell = drawn.cell(header_rows - 1, place)
        _write(cell, column.label, size, bold=True,
               right=place > 0 and column.format is not Format.TEXT)  # fmt: skip
        _border(cell, bottom=True, top=header_rows == 1)
        if header_rows == 2:
            _border(drawn.cell(0, place), top=True)
    for offset, (texts, number) in enumerate(zip(cells, rows, strict=True)):
        raw = table.rows[number]
        bold = bool(raw.get("_heading"))
        for place, text in enumerate(texts):
            cell = drawn.cell(header_rows + offset, place)
            right = place > 0 and table.columns[place].format is not Format.TEXT
            _write(cell, text, size, bold=bold, right=right)
            if place == 0:
                cell.margin_left = Pt(3 + 10 * int(str(raw.get("_indent") or 0)))
            if offset == len(cells) - 1:
                _border(cell, bottom=True)


def _spanner_row(grid: Any, spanners: Sequence[str], size: float) -> None:
    for place in range(len(spanners)):
        # also what a merged cell hides has a height
        _write(grid.cell(0, place), "", size, bold=False, right=False)
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
