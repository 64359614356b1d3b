from __future__ import annotations

import dataclasses
import itertools

import pytest

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.provenance import SYNTHETIC_STAMP
from sts_core.cohort import FlowDiagram, FlowStep
from sts_core.estimates import Estimate
from sts_core.figures.flow_diagram import flow_diagram
from sts_core.figures.forest_plot import ForestRow, forest_plot
from sts_core.figures.layout import layout
from sts_core.figures.marks import Panel, PointInterval, RowGrid
from sts_core.figures.pages import layout_pages, shared
from sts_core.figures.survival_curve import survival_curve
from sts_core.figures.theme import (
    DOCUMENT,
    JOURNAL_DOUBLE,
    MIN_SLIDE_TEXT,
    PRINT_PAGE,
    SLIDE,
)
from tests.cohorts import make_cohort
from tests.figures.cases import figures, result_of

LONG = "Undifferentiated pleomorphic sarcoma, NOS"
CHINESE = "未分化多形性肉瘤和其他软组织肉瘤患者"
LEVELS = (LONG, CHINESE, "yes", "Retroperitoneum/abdomen, excised before")
FIGURES = figures()


def tall_forest(n_variables, n_levels=3, *, synthetic=True):
    """Regression of many variables, with long and Chinese names; each level's HR is its own."""
    rows = []
    for v in range(n_variables):
        rows.append(ForestRow(f"Variable {v} {CHINESE[:v]}", heading=True, p_values=(0.5, None)))
        for level in range(n_levels):
            value = 0.2 + 0.01 * (v * n_levels + level)
            rows.append(
                ForestRow(
                    f"{v}.{level} {LEVELS[level % 4]}",
                    estimates=(Estimate(value, value / 2, value * 3), None),
                    p_values=(0.01, None),
                    counts=("20", "10"),
                )
            )
    rows.append(
        ForestRow(
            "Age, per 10 years",
            estimates=(Estimate(1.5, 1.1, 2.0), Estimate(1.4, 1.0, 2.0)),
            p_values=(0.01, 0.04),
            counts=("51", "39"),
            alone=True,
        )
    )
    return forest_plot(
        rows,
        panels=("Univariable", "Multivariable"),
        title="Hazard ratios",
        footnotes=("Wald intervals. " * 12,),
        stamp=SYNTHETIC_STAMP if synthetic else "",
    )


def flow(n_steps):
    steps, left = [], 500
    for number in range(n_steps):
        label = f"{number + 1}. {LEVELS[number % 4]}"
        steps.append(FlowStep(label, left, 3, 1, 2, left - 3, excludes=True,
                              after_time_zero=number % 3 == 0))  # fmt: skip
        left -= 3
    return flow_diagram(FlowDiagram(500, tuple(steps)), synthetic=True)


def overlaps(placed):
    """Give the pairs of lines of text whose inked areas meet."""
    found = []
    for first, second in itertools.combinations(placed.texts, 2):
        a, b = first.box(), second.box()
        if a[0] < b[2] - 0.5 and b[0] < a[2] - 0.5 and a[1] < b[3] - 1.5 and b[1] < a[3] - 1.5:
            found.append((first.text, second.text))
    return found


def is_legible(page, size):
    return min(text.size for text in page.texts) >= size.least - 1e-9


def test_a_long_forest_goes_on_and_no_variable_is_torn():
    figure = tall_forest(13)
    pages = layout_pages(figure, SLIDE)
    assert len(pages) > 1
    assert [page.title for page in pages] == [
        f"Hazard ratios ({i} of {len(pages)})" for i in range(1, len(pages) + 1)
    ]
    written = []
    for page in pages:
        assert page.height <= SLIDE.height + 0.01
        assert page.width <= SLIDE.width + 0.01
        assert is_legible(page, SLIDE)
        assert overlaps(page) == []
        names = [t.name for t in page.texts]
        assert {"Stamp", "Footnotes", "Column heading", "x tick label", "x title"} <= set(names)
        stub = [t.text for t in page.texts if t.name == "Cell:"]
        assert stub[0].startswith(("Variable", "Age"))
        written += [t for t in stub if t.startswith(("Variable", "Age"))]
        for v in range(13):
            if any(t.startswith(f"Variable {v} ") or t == f"Variable {v}" for t in stub):
                assert {f"{v}.{i}" for i in range(3)} <= {t.split(" ")[0] for t in stub}
    assert len(written) == 14


def test_all_parts_of_a_forest_have_the_same_columns_and_axis():
    pages = layout_pages(tall_forest(13), SLIDE)
    frames = [[(f.left, f.width, f.panel.x) for f in page.panels] for page in pages]
    assert all(frame == frames[0] for frame in frames)
    assert len({page.text_size for page in pages}) == 1


def test_every_estimate_is_drawn_once_beside_its_own_row():
    figure = tall_forest(13)
    assert isinstance(figure.body, RowGrid)
    whole = [m.x for m in figure.body.items[3].marks if isinstance(m, PointInterval)]
    drawn = []
    for page in layout_pages(figure, SLIDE):
        frame = page.panels[0]
        for mark in frame.panel.marks:
            if not isinstance(mark, PointInterval):
                continue
            drawn.append(mark.x)
            text = f"{mark.x:.2f} ("
            (beside,) = [t for t in page.texts if t.text.startswith(text) and t.x < frame.right * 2]
            assert beside.y == pytest.approx(float(frame.y(mark.y)), abs=beside.size)
    assert drawn == whole


def test_a_variable_longer_than_a_page_has_its_heading_again():
    pages = layout_pages(tall_forest(1, 40), SLIDE)
    assert len(pages) > 1
    for page in pages[1:]:
        assert any("(continued)" in t.text for t in page.texts)
        assert is_legible(page, SLIDE)
    levels = [t.text.split(" ")[0] for p in pages for t in p.texts if t.text.startswith("0.")]
    assert {f"0.{i}" for i in range(40)} <= set(levels)


def test_what_fits_stays_on_one_page():
    for name, figure in FIGURES.items():
        for size in (SLIDE, DOCUMENT, PRINT_PAGE, JOURNAL_DOUBLE):
            pages = layout_pages(figure, size)
            assert len(pages) == 1, name
            assert pages[0].title == figure.title
            assert is_legible(pages[0], size)
    assert len(layout_pages(tall_forest(30), JOURNAL_DOUBLE)) == 1


@pytest.mark.parametrize("size", [SLIDE, DOCUMENT, PRINT_PAGE], ids=lambda size: size.name)
@pytest.mark.parametrize("n_steps", [2, 5, 9, 17, 40])
def test_a_flow_of_any_length_is_legible(n_steps, size):
    figure = flow(n_steps)
    pages = layout_pages(figure, size)
    assert len(pages) <= max(1, -(-n_steps // 5))
    for page in pages:
        assert page.height <= size.room + 0.01
        assert page.width <= size.width + 0.01
        assert is_legible(page, size)
        assert overlaps(page) == []
        boxes = [p.subpaths[0] for p in page.paths if p.name.startswith("Box")]
        for one, other in itertools.combinations(boxes, 2):
            apart = (one.max(axis=0) < other.min(axis=0)) | (other.max(axis=0) < one.min(axis=0))
            assert apart.any()
        for text in page.texts:
            assert text.box()[0] >= 0
            assert text.box()[2] <= page.width
    words = [t.text for page in pages for t in page.texts]
    numbers = [w.split(".")[0] for w in words if w[0].isdigit() and w.split(".")[0].isdigit()]
    assert [int(n) for n in numbers if f"{n}. " in " ".join(words)] == list(range(1, n_steps + 1))
    assert "Patients in the file: 500" in words
    assert f"Analysed: {500 - 3 * n_steps}" in words


def test_a_folded_flow_says_who_is_left_on_both_sides():
    words = [t.text for page in layout_pages(flow(9), SLIDE) for t in page.texts]
    left = [int(w.split(": ")[1]) for w in words if w.startswith("Remaining: ")]
    assert left
    assert left[::2] == left[1::2]
    assert left == sorted(left, reverse=True)
    for n in set(left):
        # the last step before the fold is the one that leaves so many
        step = (500 - n) // 3
        places = [i for i, w in enumerate(words) if w == f"Remaining: {n}"]
        before = " ".join(words[: places[-1]])
        assert f"{step}. " in before
        assert f"{step + 1}. " not in before


def test_curves_of_nine_groups_have_half_of_the_slide():
    (page,) = layout_pages(FIGURES["9 groups"], SLIDE)
    frame = page.panels[0]
    axis = max(t.y for t in page.texts if t.name == "x title") - frame.bottom
    assert frame.height + axis >= 0.5 * SLIDE.height
    assert overlaps(page) == []
    notes = " ".join(t.text for t in page.texts if t.name == "Footnotes")
    assert "speaker's notes" in notes
    assert "More notes" not in " ".join(
        t.text for t in layout(FIGURES["1 groups"], SLIDE).texts if t.name == "Footnotes"
    )


def test_a_table_that_leaves_no_room_for_curves_has_its_own_page():
    names = tuple(f"{CHINESE} {i}" for i in range(24))
    figure = survival_curve(result_of((4,) * 24, names), CurveOptions(arrangement="together"))
    curves, *tables = layout_pages(figure, SLIDE)
    assert tables
    assert curves.title.endswith(f"(1 of {1 + len(tables)})")
    assert curves.panels[0].height >= 0.36 * SLIDE.height
    for page in (curves, *tables):
        assert page.height <= SLIDE.height + 0.01
        assert is_legible(page, SLIDE)
        assert overlaps(page) == []
    cells = [t.text for page in tables for t in page.texts]
    assert any("At risk (events, censored)" in text for text in cells)
    for name in names:
        assert name in cells


def test_panels_that_no_page_can_hold_go_on_to_the_next():
    names = tuple(f"{CHINESE} {i}" for i in range(24))
    figure = survival_curve(result_of((4,) * 24, names))
    for size in (SLIDE, DOCUMENT):
        pages = layout_pages(figure, size)
        assert len(pages) > 1
        assert sum(len(page.panels) for page in pages) == 24
        for page in pages:
            assert page.height <= size.room + 0.01
            assert is_legible(page, size)
            assert overlaps(page) == []
        words = [t.text for page in pages for t in page.texts if t.name.startswith("Panel")]
        for name in names:
            assert name.replace(" ", "") in "".join(words).replace(" ", "")


def test_five_panels_fill_a_slide():
    columns = {
        "time": [float(t) for t in range(1, 51)],
        "status": [1, 0] * 25,
        "group": [f"Group {i % 5}" for i in range(50)],
    }
    result = kaplan_meier(make_cohort(columns), KaplanMeierSpec("OS", by="group"))
    (page,) = layout_pages(survival_curve(result), SLIDE)
    assert len({panel.left for panel in page.panels}) == 3
    assert len({panel.top for panel in page.panels}) == 2
    assert max(panel.bottom for panel in page.panels) > 0.6 * SLIDE.height
    assert is_legible(page, SLIDE)


def test_parts_are_shared_about_equally():
    assert shared([1.0] * 10, 4.0) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert shared([1.0] * 9, 4.0) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert shared([9.0, 1.0], 4.0) == [[0], [1]]
    assert shared([2.0, 1.0], 4.0) == [[0, 1]]


def test_a_row_under_no_heading_is_neither_indented_nor_joined():
    body = tall_forest(2).body
    assert isinstance(body, RowGrid)
    assert body.blocks == (0, 4, 8)
    assert body.items[0].cells[8].indent == 0
    assert body.items[0].cells[7].indent == 1


def test_the_slide_states_the_smallest_text():
    assert SLIDE.least == MIN_SLIDE_TEXT == 10
    narrow = dataclasses.replace(SLIDE, width=600.0)
    (page, *_) = layout_pages(tall_forest(3), narrow)
    assert is_legible(page, narrow)
    assert page.width <= 600.0 + 0.01
    assert isinstance(page.panels[0].panel, Panel)
