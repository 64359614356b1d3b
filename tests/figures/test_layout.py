from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.figures.fonts import METRICS
from sts_core.figures.layout import layout
from sts_core.figures.marks import Axis, Chart, Scale
from sts_core.figures.panel_layout import legible_labels
from sts_core.figures.placed import PlacedFigure, PlacedText
from sts_core.figures.sheet import wrap
from sts_core.figures.survival_curve import survival_curve
from sts_core.figures.theme import JOURNAL_DOUBLE, JOURNAL_SINGLE, SIZES, SLIDE
from tests.cohorts import DEGENERATE
from tests.figures.cases import HISTOTYPES, SIZES_OF_NINE, figures, result_of

FIGURES = figures()


def overlapping(texts: list[PlacedText], slack: float = 0.3) -> list[tuple[str, str]]:
    found = []
    for first, second in itertools.combinations(texts, 2):
        a, b = first.box(), second.box()
        # lines of one paragraph lie close; only inked areas may not meet
        if (
            a[0] + slack < b[2]
            and b[0] + slack < a[2]
            and a[1] + slack + 0.1 * first.size < b[3]
            and b[1] + slack + 0.1 * second.size < a[3]
        ):
            found.append((first.text, second.text))
    return found


def assert_on_page(placed: PlacedFigure) -> None:
    for text in placed.texts:
        left, top, right, bottom = text.box()
        inside = (
            left >= -0.01
            and top >= -0.01
            and right <= placed.width + 0.01
            and bottom <= placed.height + 0.01
        )
        assert inside, (text, placed.width, placed.height)
    for path in placed.paths:
        for points in path.subpaths:
            assert np.isfinite(points).all()
            assert (points >= -0.01).all(), path.name
            assert (points <= np.array([placed.width, placed.height]) + 0.01).all(), path.name


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
@pytest.mark.parametrize("name", FIGURES)
def test_nothing_leaves_the_page_and_no_text_covers_text(name, size):
    placed = layout(FIGURES[name], size)
    assert_on_page(placed)
    assert overlapping(list(placed.texts)) == []


@pytest.mark.parametrize("size", [JOURNAL_SINGLE, SLIDE], ids=lambda size: size.name)
@pytest.mark.parametrize("name", DEGENERATE)
def test_awkward_cohorts_are_drawn(name, size):
    cohort = DEGENERATE[name]()
    for by in (None, "group"):
        figure = survival_curve(kaplan_meier(cohort, KaplanMeierSpec("OS", by=by)))
        placed = layout(figure, size)
        assert_on_page(placed)
        assert overlapping(list(placed.texts)) == []


@pytest.mark.parametrize("name", FIGURES)
def test_a_page_of_fixed_width_and_height_is_kept(name):
    placed = layout(FIGURES[name], SLIDE)
    assert placed.width == pytest.approx(SLIDE.width, abs=0.01)
    if name not in {"hostile names", "forest"}:
        assert placed.height == pytest.approx(SLIDE.height, abs=0.01)


@pytest.mark.parametrize("name", FIGURES)
def test_stamp_is_placed_whenever_it_is_set(name):
    figure = dataclasses.replace(FIGURES[name], stamp="Synthetic data, not patients")
    for size in SIZES:
        stamps = [t.text for t in layout(figure, size).texts if t.name == "Stamp"]
        assert " ".join(stamps) == "Synthetic data, not patients"
    bare = dataclasses.replace(figure, stamp="")
    assert all(text.name != "Stamp" for text in layout(bare, SLIDE).texts)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_table_columns_stand_on_the_ticks_of_the_curve(size):
    figure = FIGURES["2 groups"]
    assert isinstance(figure.body, Chart)
    assert figure.body.strip is not None
    placed = layout(figure, size)
    (frame,) = placed.panels
    ticks = frame.x(np.array(figure.body.panel.x.ticks))
    cells = [t for t in placed.texts if t.name.startswith("Table cell")]
    rows = {(t.name, round(t.y, 3)) for t in cells}
    assert len(cells) == len(rows) * len(ticks)
    for row in rows:
        places = [t.x for t in cells if (t.name, round(t.y, 3)) == row]
        assert places == pytest.approx(list(ticks))
    (tick_marks,) = [path for path in placed.paths if path.name == "x ticks"]
    assert [float(p[0, 0]) for p in tick_marks.subpaths] == pytest.approx(list(ticks))


def test_every_number_of_the_table_is_written_also_when_it_is_combined():
    result = result_of(SIZES_OF_NINE)
    figure = survival_curve(result, CurveOptions(arrangement="together"))
    written = [t.text for t in layout(figure, SLIDE).texts if t.name.startswith("Table cell")]
    expected = [
        f"{at_risk} ({events}, {censored})"
        for group in result.groups
        for at_risk, events, censored in zip(
            group.risk.at_risk, group.risk.events, group.risk.censored, strict=True
        )
    ]
    assert written == expected


@pytest.mark.parametrize("name", ["1 groups", "2 groups", "4 groups", "9 groups"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_no_words_cover_a_curve(name, size):
    placed = layout(FIGURES[name], size)
    (frame,) = placed.panels
    inside = [
        text
        for text in placed.texts
        if frame.left < text.box()[0] < frame.right and frame.top < text.box()[1] < frame.bottom
    ]
    curves = [path for path in placed.paths if path.name.startswith("Kaplan-Meier curve")]
    assert curves
    for text, path in itertools.product(inside, curves):
        left, top, right, bottom = text.box()
        for points in path.subpaths:
            low = np.minimum(points[:-1], points[1:])
            high = np.maximum(points[:-1], points[1:])
            hit = (
                (low[:, 0] < right)
                & (high[:, 0] > left)
                & (low[:, 1] < bottom)
                & (high[:, 1] > top)
            )
            assert not hit.any(), (text.text, path.name)


def test_the_key_goes_inside_where_there_is_room_and_leaves_where_not():
    def key_place(figure, size):
        placed = layout(figure, size)
        (frame,) = placed.panels
        (entry,) = [
            t for t in placed.texts if t.text == HISTOTYPES[0] and not t.name.startswith("Table")
        ]
        return frame.top < entry.y < frame.bottom

    short = survival_curve(result_of((25, 26)), CurveOptions(rates=False, hazard_ratios=False))
    assert key_place(short, JOURNAL_DOUBLE)
    assert not key_place(FIGURES["9 groups"], JOURNAL_DOUBLE)


def test_a_curve_is_cut_off_at_the_end_of_the_axis():
    result = result_of((25, 26), horizon=4.0)
    placed = layout(survival_curve(result), JOURNAL_DOUBLE)
    (frame,) = placed.panels
    kinds = ("Kaplan-Meier curve", "Interval", "Censored")
    drawn = [path for path in placed.paths if path.name.startswith(kinds)]
    right = max(float(points[:, 0].max()) for path in drawn for points in path.subpaths)
    assert right == pytest.approx(frame.right)
    lowest = max(
        float(path.subpaths[0][:, 1].max())
        for path in drawn
        if path.name.startswith("Kaplan-Meier curve")
    )
    seen = [
        float(g.steps.estimate[g.steps.time <= 4.0 * result.unit_factor].min())
        for g in result.groups
    ]
    assert lowest == pytest.approx(float(frame.y(min(seen))), abs=0.2)


def test_curves_keep_a_third_of_a_slide_beside_nine_groups():
    (frame,) = layout(FIGURES["9 groups"], SLIDE).panels
    assert frame.height > 0.33 * SLIDE.height
    assert frame.width > 0.5 * SLIDE.width


def test_curves_fall_where_the_estimates_say():
    result = result_of((25, 26))
    placed = layout(survival_curve(result), JOURNAL_DOUBLE)
    (frame,) = placed.panels
    for group in result.groups:
        parts = [p for p in placed.paths if p.name == f"Kaplan-Meier curve: {group.label}"]
        corners = np.vstack([p.subpaths[0] for p in parts])
        for time, survival in zip(group.steps.time, group.steps.estimate, strict=True):
            spot = np.array(
                [
                    float(frame.x(float(time) / result.unit_factor)),
                    float(frame.y(float(survival))),
                ]
            )
            assert np.abs(corners - spot).sum(axis=1).min() < 0.25


@given(
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")),
        max_size=60,
    ),
    st.floats(12, 200),
)
def test_wrapped_lines_fit_and_lose_nothing(text, width):
    lines = wrap(text, width, 9.0)
    for line in lines:
        assert METRICS.width(line, 9.0) <= width + 0.01 or len(line.strip()) <= 1
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_long_names_are_wrapped_at_words_and_hyphens():
    assert wrap("Malignant peripheral nerve sheath tumor", 90, 9.0) == (
        "Malignant",
        "peripheral nerve",
        "sheath tumor",
    ) or all(METRICS.width(line, 9.0) <= 90 for line in wrap(HISTOTYPES[6], 90, 9.0))
    assert wrap("progression-free", 60, 9.0) == ("progression-", "free")
    assert wrap("软组织肉瘤", 28, 9.0) == ("软组织", "肉瘤")


def test_tick_labels_thin_out_evenly_around_one():
    ratio = Axis(0.1, 10.0, TICKS, tuple(f"{t:g}" for t in TICKS), scale=Scale.LOG)
    assert legible_labels(ratio, 500.0, measured, 4.0) == ratio.tick_labels
    assert legible_labels(ratio, 100.0, measured, 4.0) == ("", "0.25", "", "1", "", "4", "")
    assert legible_labels(ratio, 60.0, measured, 4.0) == ("0.1", "", "", "1", "", "", "10")
    months = Axis(0.0, 36.0, (0.0, 12.0, 24.0, 36.0), ("0", "12", "24", "36"))
    assert legible_labels(months, 40.0, measured, 4.0) == ("0", "", "24", "")
    assert legible_labels(Axis(0.0, 1.0), 40.0, measured, 4.0) == ()


TICKS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)


def measured(text):
    return 6.0 * len(text)
