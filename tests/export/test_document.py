from __future__ import annotations

import functools
import io
import zipfile

import pytest
from docx import Document
from docx.oxml.ns import qn
from lxml import etree
from PIL import Image
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pydantic import TypeAdapter

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.plan import Done
from sts_core.analysis.provenance import provenance_of
from sts_core.analysis.registry import ANALYSES, spec_from
from sts_core.display import Column, DisplayTable, Format
from sts_core.export.deck import write_deck
from sts_core.export.document import write_document
from sts_core.export.report import Report, Section, build_report
from sts_core.figures.fonts import METRICS
from sts_core.figures.layout import layout
from sts_core.figures.marks import Role
from sts_core.figures.theme import BLACK_AND_WHITE, DOCUMENT, LIGHT
from sts_core.render.print import DOCUMENT_DPI, to_picture, to_png
from sts_core.study import Measured, TimeUnit, Variable
from tests.cohorts import make_cohort
from tests.export.test_deck import awkward_report, report_with
from tests.figures.cases import figures
from tests.figures.test_pages import flow, tall_forest

MM = 36000


@functools.cache
def awkward_document():
    return write_document(awkward_report())


def pictures(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(n) for n in archive.namelist() if n.startswith("word/media/")]


def test_pictures_are_small_and_sharp():
    data = awkward_document()
    made = pictures(data)
    assert len(made) == len(Document(io.BytesIO(data)).inline_shapes) > 6
    assert len(data) < 120_000 * len(made)
    for picture in made:
        with Image.open(io.BytesIO(picture)) as image:
            assert image.info["dpi"][0] == pytest.approx(DOCUMENT_DPI, abs=1)
            assert image.width >= 170 / 25.4 * DOCUMENT_DPI - 2


def test_every_picture_says_what_it_shows_and_fits_its_page():
    document = Document(io.BytesIO(awkward_document()))
    assert document.inline_shapes
    for shape in document.inline_shapes:
        assert len(shape._inline.docPr.get("descr")) > 20
        assert shape.width <= 170.5 * MM
        assert shape.height <= 230 * MM


def test_a_long_forest_and_flow_have_several_pictures_with_their_number():
    sections = [Section(f.title, f, None, "", (), ()) for f in (tall_forest(20), flow(30))]
    document = Document(io.BytesIO(write_document(report_with(*sections))))
    titles = [p.text for p in document.paragraphs if " of " in p.text and p.text.endswith(")")]
    assert len(document.inline_shapes) == len(titles) > 3
    assert any(t.startswith("Hazard ratios (1 of ") for t in titles)
    assert any(t.startswith("Patients and criteria (2 of ") for t in titles)
    alts = [s._inline.docPr.get("descr") for s in document.inline_shapes]
    assert all(alt.startswith("Part ") for alt in alts)


def test_few_colours_look_like_all_of_them():
    import numpy as np

    placed = layout(figures()["9 groups"], DOCUMENT)
    few, full = to_picture(placed, dpi=120), to_png(placed, dpi=120)
    with Image.open(io.BytesIO(few)) as one, Image.open(io.BytesIO(full)) as other:
        assert one.size == other.size
        gap = np.asarray(one.convert("RGB"), int) - np.asarray(other.convert("RGB"), int)
    assert np.abs(gap).max() <= 24
    assert np.abs(gap).mean() < 0.5
    assert len(few) < 0.5 * len(full)


def test_tables_repeat_their_headings_and_keep_rows_whole():
    document = Document(io.BytesIO(awkward_document()))
    assert len(document.tables) == 9  # of three Kaplan-Meier analyses two each
    for table in document.tables:
        rows = [row._tr for row in table.rows]
        assert rows[0].find(qn("w:trPr")).find(qn("w:tblHeader")) is not None
        assert all(row.find(qn("w:trPr")).find(qn("w:cantSplit")) is not None for row in rows)
        widths = [cell.width for cell in table.rows[-1].cells]
        assert sum(widths) <= 170.5 * MM


def test_a_figure_is_in_deck_and_document_as_its_page_drew_it():
    drawing = CurveOptions(
        title="Relapse in women and men",
        labels=(("F", "Women"),),
        risk_rows="at_risk",
        black_and_white=True,
    )
    spec = KaplanMeierSpec("OS", by="sex", horizon=10.0, time_unit=TimeUnit.WEEKS, drawing=drawing)
    written = TypeAdapter(KaplanMeierSpec).dump_python(spec, mode="json")
    assert spec_from(written) == spec
    cohort = make_cohort(
        {"time": [10, 20, 30, 50, 60, 70], "status": [1, 0, 1, 1, 0, 1], "sex": list("FMFMFM")},
        variables={"sex": Variable("Sex", levels=("F", "M"), measured=Measured.BASELINE)},
    )
    analysis = ANALYSES["kaplan_meier"]
    report = build_report(cohort, (Done(analysis, spec, analysis.compute(cohort, spec)),))
    document = Document(io.BytesIO(write_document(report)))
    assert "Relapse in women and men" in [p.text for p in document.paragraphs]
    (shape,) = [s for s in document.inline_shapes if "Women" in s._inline.docPr.get("descr")]
    assert "weeks" in shape._inline.docPr.get("descr")
    slides = Presentation(io.BytesIO(write_deck(report))).slides
    (slide,) = [s for s in slides if s.shapes.title.text == "Relapse in women and men"]
    (group,) = [s for s in slide.shapes if s.shape_type == MSO_SHAPE_TYPE.GROUP]
    words = {s.text_frame.text for s in group.shapes if s.has_text_frame}
    assert {"Women", "M", "At risk", "Weeks from first dose"} <= words
    assert "Censored" not in {s.text for s in [*group.shapes] if s.name.startswith("Table row")}
    assert (
        BLACK_AND_WHITE.colour(Role.SLOT_0).lstrip("#") in etree.tostring(group._element).decode()
    )
    assert LIGHT.colour(Role.SLOT_1).lstrip("#") not in etree.tostring(group._element).decode()


def test_no_word_of_a_narrow_table_is_broken():
    columns = [Column("stub", "Variable")]
    columns += [
        Column(f"{part}{n}", label, Format.TEXT)
        for n in range(4)
        for part, label in (("hr", "HR (95% CI)"), ("p", "P (exploratory)"))
    ]
    row = {column.key: "0.32 (0.11, 0.89)" if column.key[0] == "h" else "0.041"
           for column in columns}  # fmt: skip
    table = DisplayTable("Many columns", tuple(columns), ({**row, "stub": "Histotype"},))
    report = Report(provenance_of(make_cohort({"time": [1], "status": [1]})), (
        Section("Many columns", None, table, "", (), ()),
    ))  # fmt: skip
    (grid,) = Document(io.BytesIO(write_document(report))).tables
    size = 6.5 if len(columns) > 10 else 7.5
    for place, column in enumerate(table.columns):
        for word in column.label.split():
            room = grid.rows[0].cells[place].width.pt - 5.5
            assert METRICS.width(word, size, 600) <= room, (column.label, room)
    total = sum(cell.width.mm for cell in grid.rows[0].cells)
    assert total <= 170.5


def test_no_word_of_a_heading_over_one_column_is_broken():
    columns = (
        Column("group", "Best response"),
        Column("n", "N", Format.INTEGER),
        Column("median", "months", Format.ESTIMATE, spanner="Difference of medians"),
        *(
            Column(f"c{n}", "A wide heading (95% CI)", Format.ESTIMATE, spanner="Up to 3.2 months")
            for n in range(5)
        ),
    )
    table = DisplayTable("Landmark", columns, ({"group": "CR", "n": 1, "median": "NR"},))
    report = Report(
        provenance_of(make_cohort({"time": [1], "status": [1]})),
        (Section("Landmark", None, table, "", (), ()),),
    )
    (grid,) = Document(io.BytesIO(write_document(report))).tables
    room = grid.rows[0].cells[2].width.pt - 5.5
    assert METRICS.width("Difference", 7.5, 600) <= room
    assert {run.font.size.pt for run in grid.rows[0].cells[2].paragraphs[0].runs} == {7.5}
    assert any("(95%\u00a0CI)" in cell.text for cell in grid.rows[1].cells)


def test_notes_of_one_analysis_are_said_once():
    table = DisplayTable("One", (Column("a", "A"),), ({"a": "x"},))
    common = ("First.", "Second.", "Third.")

    def section(title, methods, *notes):
        return Section(title, None, table, methods, (), (*common, *notes))

    parts = (
        section("One", "Done.", "Of one."),
        section("Two", "", "Of two."),
        section("Other", "Done, too."),
    )
    report = Report(provenance_of(make_cohort({"time": [1], "status": [1]})), parts)
    document = Document(io.BytesIO(write_document(report)))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts.count("First.") == 2  # an analysis of its own has its own notes
    assert texts.count("Of one.") == texts.count("Of two.") == 1
    assert texts.count("The other notes are those of the table above.") == 1
