from __future__ import annotations

import dataclasses
import functools
import io
import itertools

import numpy as np
import pytest
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.oxml.ns import qn

from sts_core.analysis.cox import CoxSpec
from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.plan import Done
from sts_core.analysis.provenance import SYNTHETIC_STAMP
from sts_core.analysis.registry import ANALYSES
from sts_core.analysis.response import ResponseSpec
from sts_core.display import Column, DisplayTable, Format
from sts_core.export.deck import write_deck
from sts_core.export.report import Report, Section, build_report
from sts_core.figures.theme import MIN_SLIDE_TEXT
from sts_core.study import Measured, Variable, VariableKind
from tests.cohorts import make_cohort
from tests.figures.test_pages import CHINESE, LEVELS, flow, tall_forest

EMU = 12700
SLIDE_WIDTH, SLIDE_HEIGHT = 960 * EMU, 540 * EMU
HISTOTYPES = (*(f"{name} {i}" for i, name in enumerate(LEVELS)), *(f"亚型 {i}" for i in range(5)))


def awkward_report(*, synthetic=True):
    """A report of 90 patients: nine histotypes, 13 variables, long and Chinese names."""
    random = np.random.default_rng(5)
    n = 90
    columns = {
        "time": [float(t) for t in np.ceil(random.exponential(300, n)) + 5],
        "status": [int(s) for s in random.integers(0, 2, n)],
        "histotype": [HISTOTYPES[i % 9] for i in range(n)],
        "age": [int(a) for a in random.integers(18, 80, n)],
        "best_response": [("CR", "PR", "SD", "PD")[i % 4] for i in range(n)],
    }
    variables = {
        "histotype": Variable(label="Histotype", levels=HISTOTYPES, measured=Measured.BASELINE),
        "age": Variable(
            label="Age at first dose, in years",
            kind=VariableKind.NUMERIC,
            measured=Measured.BASELINE,
        ),
    }
    for v in range(12):
        key = f"v{v}"
        levels = tuple(f"{name} {v}" for name in LEVELS[:3])
        columns[key] = [levels[int(i)] for i in random.integers(0, 3, n)]
        variables[key] = Variable(
            label=f"Variable {v} {CHINESE[: v % 7]}", levels=levels, measured=Measured.BASELINE
        )
    cohort = make_cohort(columns, variables=variables, synthetic=synthetic, title=CHINESE)
    covariates = (*(f"v{v}" for v in range(12)), "age")
    specs = (
        ResponseSpec(),
        ResponseSpec(by="histotype"),
        KaplanMeierSpec("OS"),
        KaplanMeierSpec("OS", by="histotype"),
        KaplanMeierSpec("OS", by="v0"),
        CoxSpec("OS", covariates=covariates, selection="screening"),
    )
    done = [Done(ANALYSES[s.kind], s, ANALYSES[s.kind].compute(cohort, s)) for s in specs]
    return build_report(cohort, done)


@functools.cache
def awkward_deck():
    report = awkward_report()
    extra = [
        Section(f.title, f, None, "", (), f.footnotes) for f in (tall_forest(13), flow(9), flow(30))
    ]
    report = dataclasses.replace(report, sections=(*report.sections, *extra))
    return read(report)


def read(report):
    return list(Presentation(io.BytesIO(write_deck(report))).slides)


def shapes_of(slide):
    for shape in slide.shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from shape.shapes
        else:
            yield shape


def report_with(*sections, synthetic=True):
    return dataclasses.replace(awkward_report(synthetic=synthetic), sections=sections)


def table_of(n_rows, n_columns=4, *, blocks=0):
    columns = [Column("c0", "Level")]
    columns += [Column(f"c{i}", f"Column {i}", Format.TEXT) for i in range(1, n_columns)]
    rows = []
    for r in range(n_rows):
        heading = blocks and r % blocks == 0
        row = {f"c{i}": f"{r}:{i} (0.12, 3.45)" for i in range(1, n_columns)}
        row["c0"] = f"row {r} {LEVELS[r % 4]}"
        row |= {"_heading": True} if heading else {"_indent": 1} if blocks else {}
        rows.append(row)
    return DisplayTable("Made up", tuple(columns), tuple(rows), ("A note.",))


def test_no_shape_leaves_its_slide():
    slides = awkward_deck()
    assert len(slides) > 15
    for number, slide in enumerate(slides, start=1):
        for shape in shapes_of(slide):
            if shape.rotation:
                continue
            where = (number, shape.name)
            assert shape.left >= 0, where
            assert shape.top >= 0, where
            assert shape.left + shape.width <= SLIDE_WIDTH, where
            assert shape.top + shape.height <= SLIDE_HEIGHT, where


def test_nothing_on_a_slide_is_smaller_than_the_rule():
    sizes = [
        int(size)
        for slide in awkward_deck()
        for run in slide._element.iter(qn("a:rPr"), qn("a:defRPr"))
        if (size := run.get("sz"))
    ]
    assert len(sizes) > 1000
    assert min(sizes) >= 100 * MIN_SLIDE_TEXT
    for slide in awkward_deck():
        for run in slide._element.iter(qn("a:r")):
            assert run.find(qn("a:rPr")).get("sz"), run.text


def test_no_two_texts_of_a_forest_or_flow_overlap():
    seen = 0
    for slide in awkward_deck():
        title = slide.shapes.title.text_frame.text
        if not title.startswith(("Hazard ratios", "Patients and criteria", "Objective response")):
            continue
        seen += 1
        boxes = []
        for shape in shapes_of(slide):
            if shape.shape_type != MSO_SHAPE_TYPE.TEXT_BOX or shape.rotation:
                continue
            # the room on both sides for another font in Arial's place is no ink
            slack = 0.03 * shape.width + 2 * EMU
            boxes.append(
                (shape.left + slack, shape.top + 0.2 * shape.height, shape.left + shape.width
                 - slack, shape.top + 0.85 * shape.height, shape.text_frame.text)
            )  # fmt: skip
        for a, b in itertools.combinations(boxes, 2):
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (title, a[4], b[4])
    assert seen >= 6


def test_every_slide_of_synthetic_data_has_the_stamp():
    for slide in awkward_deck():
        words = [s.text_frame.text for s in shapes_of(slide) if s.has_text_frame]
        assert SYNTHETIC_STAMP in words, slide.shapes.title.text_frame.text
    bare = read(report_with(Section("T", None, table_of(3), "", (), ()), synthetic=False))
    for slide in bare:
        assert SYNTHETIC_STAMP not in [s.text_frame.text for s in slide.shapes if s.has_text_frame]


def test_tables_and_notes_do_not_meet():
    found = 0
    for slide in awkward_deck():
        tables = [s for s in slide.shapes if s.has_table]
        notes = [s for s in slide.shapes if s.name == "Footnotes"]
        for table, note in itertools.product(tables, notes):
            found += 1
            assert sum(row.height for row in table.table.rows) == pytest.approx(
                table.height, abs=2 * EMU
            )
            assert table.top + table.height <= note.top + EMU
    assert found >= 4


def test_a_short_table_stands_under_its_figure():
    slides = {s.shapes.title.text_frame.text: s for s in awkward_deck()}
    slide = slides["Overall survival"]
    (table,) = [s for s in slide.shapes if s.has_table]
    (group,) = [s for s in slide.shapes if s.shape_type == MSO_SHAPE_TYPE.GROUP]
    assert table.top >= group.top + group.height - EMU
    assert table.table.cell(2, 0).text_frame.text == "All patients"
    curve = next(s for s in group.shapes if s.name == "y axis")
    assert curve.height > 150 * EMU


def test_short_tables_of_one_analysis_share_a_slide():
    def section(name, n_rows, methods=""):
        made = dataclasses.replace(table_of(n_rows), title=name, footnotes=("Said by all.", name))
        return Section(name, None, made, methods, (), made.footnotes)

    deck = read(report_with(section("One", 3, "Done."), section("Two", 4), section("Three", 1)))
    slides = deck[1:]
    tables = [[s for s in slide.shapes if s.has_table] for slide in slides]
    assert [len(found) for found in tables] == [3]
    texts = [s.text_frame.text for s in slides[0].shapes if s.has_text_frame]
    assert {"Two", "Three"} <= set(texts)
    assert sum(text.count("Said by all.") for text in texts) == 1
    # another analysis begins a slide of its own
    other = read(report_with(section("One", 3, "Done."), section("Two", 4, "Done, too.")))
    assert len(other) == 3


def test_a_table_of_one_row_is_large():
    alone = dataclasses.replace(table_of(1), footnotes=())
    (slide,) = read(report_with(Section("One", None, alone, "Done.", (), ())))[1:]
    sizes = {run.get("sz") for run in slide._element.iter(qn("a:rPr")) if run.get("sz")}
    assert max(int(size) for size in sizes if int(size) < 2000) == 1700


def test_pages_of_a_table_are_about_equally_full_and_keep_blocks():
    slides = read(report_with(Section("T", None, table_of(45, blocks=5), "", (), ())))[1:]
    counts = []
    for slide in slides:
        (table,) = [s.table for s in slide.shapes if s.has_table]
        stubs = [row.cells[0].text_frame.text for row in list(table.rows)[1:]]
        assert int(stubs[0].split()[1]) % 5 == 0
        counts.append(len(stubs))
    assert sum(counts) == 45
    assert len(counts) > 1
    assert max(counts) - min(counts) <= 5


def test_a_table_too_wide_for_a_slide_goes_on_with_its_first_column():
    slides = read(report_with(Section("T", None, table_of(4, 24), "", (), ())))[1:]
    assert len(slides) > 1
    headings = []
    for slide in slides:
        (table,) = [s.table for s in slide.shapes if s.has_table]
        names = [cell.text_frame.text for cell in table.rows[0].cells]
        assert names[0] == "Level"
        headings += names[1:]
        assert {row.cells[0].text_frame.text.split()[1] for row in list(table.rows)[1:]} == set(
            "0123"
        )
    assert headings == [f"Column {i}" for i in range(1, 24)]


def test_notes_that_have_no_room_stand_in_the_speakers_notes():
    notes = tuple(f"Definition {i}, {'of something that takes words ' * 6}." for i in range(12))
    slides = read(report_with(Section("T", None, table_of(3), "Methods.", ("Found.",), notes)))
    (box,) = [s for s in slides[1].shapes if s.name == "Footnotes"]
    assert box.text_frame.text.endswith("More notes: in the speaker's notes.")
    assert "Definition 11" in box.text_frame.text
    assert "Definition 0," not in box.text_frame.text
    spoken = slides[1].notes_slide.notes_text_frame.text
    for note in notes:
        assert note in spoken
    assert spoken.startswith("Methods. Found.")


def test_a_report_of_nothing_has_its_title():
    empty = report_with()
    assert isinstance(empty, Report)
    (slide,) = read(empty)
    assert slide.shapes.title.text_frame.text == CHINESE


def test_no_cell_of_a_table_is_higher_than_its_text():
    # an empty cell without a size has 18 points, and its row grows
    for slide in awkward_deck():
        for cell in slide._element.iter(qn("a:tc")):
            for paragraph in cell.iter(qn("a:p")):
                properties = paragraph.find(qn("a:pPr"))
                assert properties is not None
                assert int(properties.find(qn("a:defRPr")).get("sz")) <= 1700
