"""The same figure in three media: marks end at the same data, whoever draws them."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from pptx import Presentation
from pptx.oxml.ns import qn

from sts_core.analysis.curve_options import CurveOptions
from sts_core.display import escape
from sts_core.figures.layout import layout
from sts_core.figures.marks import SmallMultiples
from sts_core.figures.survival_curve import survival_curve
from sts_core.figures.theme import SLIDE
from sts_core.render.plotly import to_plotly
from sts_core.render.pptx import LEFT, TOP, render
from sts_core.render.print import to_svg
from tests.figures.cases import HISTOTYPES, HOSTILE, SIZES_OF_NINE, forest, result_of

SVG = "{http://www.w3.org/2000/svg}"
CASES = {
    "two": ((25, 26), HISTOTYPES),
    "nine": ((11, 6, 6, 5, 5, 3, 3, 3, 9), HISTOTYPES),
    "hostile": ((9,) * len(HOSTILE), HOSTILE),
}


def data_of(points, frame):
    """Give points of the page in data units."""
    x = (points[:, 0] - frame.left) / frame.width * frame.panel.x.high
    return np.column_stack((x, (frame.bottom - points[:, 1]) / frame.height))


def svg_paths(placed):
    found = {}
    for node in ElementTree.fromstring(to_svg(placed)).iter(f"{SVG}path"):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", node.get("d"))]
        points = np.array(numbers).reshape(-1, 2)
        found.setdefault(node.get("aria-label"), []).append(points)
    return found


def pptx_paths(figure):
    """Read freeforms back into points of the figure's page."""
    (slide,) = Presentation(io.BytesIO(render(figure))).slides
    found = {}
    for shape in next(s for s in slide.shapes if s.shape_type == 6).shapes:
        for path in shape._element.iter(qn("a:path")):
            scale_x = shape.width / int(path.get("w")) if int(path.get("w")) else 0.0
            scale_y = shape.height / int(path.get("h")) if int(path.get("h")) else 0.0
            points = [
                (shape.left + int(p.get("x")) * scale_x, shape.top + int(p.get("y")) * scale_y)
                for p in path.iter(qn("a:pt"))
            ]
            found.setdefault(shape.name, []).append(
                np.array(points) / 12700 - np.array([LEFT, TOP])
            )
    return found


@pytest.mark.parametrize("case", CASES)
def test_curves_end_alike_on_screen_paper_and_slide(case):
    sizes, names = CASES[case]
    result = result_of(sizes, names)
    figure = survival_curve(result, CurveOptions(arrangement="together"))
    placed = layout(figure, SLIDE)
    assert placed.height == pytest.approx(SLIDE.height)  # the slide is not scaled
    (frame,) = placed.panels
    paper, slide = svg_paths(placed), pptx_paths(figure)
    screen = to_plotly(figure)["data"]
    for group in result.groups:
        name = f"Kaplan-Meier curve: {group.label}"
        on_paper = [data_of(points, frame) for points in paper[name]]
        on_slide = [data_of(points, frame) for points in slide[name]]
        on_screen = [
            np.column_stack((t["x"], t["y"]))
            for t in screen
            if t.get("name") == escape(group.label, "plotly")
            and t["mode"] == "lines"
            and "hovertemplate" in t
        ]
        end = (group.max_time / result.unit_factor, float(group.steps.estimate[-1]))
        for parts in (on_paper, on_slide, on_screen):
            assert parts[0][0] == pytest.approx((0.0, 1.0), abs=0.005)
            assert parts[-1][-1] == pytest.approx(end, abs=0.02)
        # every fall of the curve, not only its end
        for time, survival in zip(group.steps.time, group.steps.estimate, strict=True):
            spot = np.array([time / result.unit_factor, survival])
            for parts in (on_paper, on_slide, on_screen):
                gaps = np.abs(np.vstack(parts) - spot) / np.array([frame.panel.x.high, 1.0])
                assert gaps.sum(axis=1).min() < 0.004


@pytest.mark.parametrize("case", CASES)
def test_censoring_ticks_stand_alike(case):
    sizes, names = CASES[case]
    result = result_of(sizes, names)
    figure = survival_curve(result, CurveOptions(arrangement="together"))
    placed = layout(figure, SLIDE)
    (frame,) = placed.panels
    paper, slide = svg_paths(placed), pptx_paths(figure)
    screen = [t for t in to_plotly(figure)["data"] if "customdata" in t]
    with_ticks = [g for g in result.groups if len(g.censor_times)]
    assert len(screen) == len(with_ticks)
    for group, trace in zip(with_ticks, screen, strict=True):
        times = sorted(set(group.censor_times / result.unit_factor))
        assert trace["x"] == pytest.approx(times, rel=1e-5)
        for media in (paper, slide):
            points = data_of(np.vstack(media[f"Censored: {group.label}"]), frame)
            assert sorted(set(np.round(points[:, 0], 2))) == pytest.approx(
                sorted({round(t, 2) for t in times}), abs=0.04
            )


def screen_panels(drawn, n):
    """Give where 0 and 1 of both axes of each panel stand, by what is written at its ticks."""
    (ticks,) = [t for t in drawn["data"] if t["name"] == "Numbers at the axis"]
    upright = [a for a in drawn["layout"]["annotations"] if a["text"] in ("0", "100")]
    panels = []
    for x, y, text in zip(*(np.array_split(ticks[key], n) for key in ("x", "y", "text")),
                          strict=True):  # fmt: skip
        unit = (x[-1] - x[0]) / float(text[-1])
        zero = max(a["y"] for a in upright if a["text"] == "0" and a["y"] < y[0])
        one = max(a["y"] for a in upright if a["text"] == "100" and a["y"] < zero)
        panels.append((np.array([x[0], zero]), np.array([unit, one - zero])))
    return panels


def test_each_panel_shows_its_own_curve_on_every_medium():
    result = result_of(SIZES_OF_NINE)
    figure = survival_curve(result)
    assert isinstance(figure.body, SmallMultiples)
    placed = layout(figure, SLIDE)
    drawn = to_plotly(figure)
    paper, screen = svg_paths(placed), drawn["data"]
    slide = pptx_paths(figure)
    assert len(placed.panels) == len(result.groups)
    panels = screen_panels(drawn, len(result.groups))
    (numbers,) = [t for t in screen if t["name"] == "Numbers under the axis"]
    under = np.column_stack((numbers["x"], numbers["y"]))
    places = [*zip(result.groups, placed.panels, panels, strict=True)]
    for group, frame, (corner, unit) in places:
        name = f"Kaplan-Meier curve: {group.label}"
        on_screen = [
            (np.column_stack((t["x"], t["y"])) - corner) / unit
            for t in screen
            if t["name"] == group.label and t["mode"] == "lines" and "hovertemplate" in t
        ]
        for parts in (
            [data_of(points, frame) for points in paper[name]],
            [data_of(points, frame) for points in slide[name]],
            on_screen,
        ):
            corners = np.vstack(parts)
            for time, survival in zip(group.steps.time, group.steps.estimate, strict=True):
                gaps = np.abs(corners - np.array([time / result.unit_factor, survival]))
                assert (gaps / np.array([frame.panel.x.high, 1.0])).sum(axis=1).min() < 0.02
        along, down = ((under - corner) / np.array([unit[0], 1])).T
        own = (along >= -0.01) & (along <= frame.panel.x.high + 0.01) & (down > 0) & (down < 80)
        assert [numbers["text"][i] for i in np.flatnonzero(own)] == [
            str(n) for row in (group.risk.at_risk, group.risk.events, group.risk.censored)
            for n in row
        ]  # fmt: skip
        assert along[own] == pytest.approx(list(frame.panel.x.ticks) * 3, abs=0.01)


def test_panels_on_the_screen_end_with_their_axis():
    figure = survival_curve(result_of(SIZES_OF_NINE, horizon=6))
    drawn = to_plotly(figure)
    panels = screen_panels(drawn, len(SIZES_OF_NINE))
    high = figure.body.charts[0].panel.x.high
    for small, (corner, unit) in zip(figure.body.charts, panels, strict=True):
        own = [t for t in drawn["data"] if t["name"] == small.name]
        assert own
        ends = [(np.array(t["x"]) - corner[0]) / unit[0] for t in own]
        assert max(end.max() for end in ends) <= high + 1e-4
        assert min(end.min() for end in ends) >= 0
        heights = [(np.array(t["y"]) - corner[1]) / unit[1] for t in own]
        assert all(height.min() > -1e-6 and height.max() < 1 + 1e-6 for height in heights)
    starts, widths = zip(*((corner[0], unit[0] * high) for corner, unit in panels), strict=True)
    for shape in drawn["layout"]["shapes"]:
        if shape["xref"] != "x":
            continue
        places = [float(x) for x in re.findall(r"[MLH](-?[\d.]+)", shape["path"])]
        for x in places:
            assert any(a - 0.01 <= x <= a + w + 0.01 for a, w in zip(starts, widths, strict=True))


def test_forest_points_stand_alike():
    figure = forest()
    placed = layout(figure, SLIDE)
    first = placed.panels[0]
    screen = next(t for t in to_plotly(figure)["data"] if t["name"] == "Estimates")
    assert screen["x"] == [3.1, 0.3]
    squares = svg_paths(placed)
    for label, value in (("2-3", 3.1), (HISTOTYPES[6], 0.3)):
        (square,) = [
            points
            for points in squares[f"Estimate: {label}"]
            if points[:, 0].max() < first.right and len(points) == 4
        ]
        centre = (square[:, 0].min() + square[:, 0].max()) / 2
        assert centre == pytest.approx(float(first.x(value)), abs=0.02)
