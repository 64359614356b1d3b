from __future__ import annotations

import dataclasses
import itertools
import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.display import format_percent, round_half_up
from sts_core.figures.fonts import METRICS
from sts_core.figures.marks import (
    Arrow,
    Axis,
    Bar,
    Chart,
    Figure,
    Line,
    Panel,
    Role,
    Rule,
    SmallChart,
    SmallMultiples,
    StepLine,
    Text,
)
from sts_core.figures.survival_curve import survival_curve
from sts_core.figures.theme import DARK, LIGHT
from sts_core.render.plotly import CONFIG, MAX_LABEL, MAX_STEPS, TICK, _safe, to_plotly
from tests.cohorts import DEGENERATE
from tests.figures.cases import HISTOTYPES, HOSTILE, figures, result_of

FIGURES = figures()


def curves(drawn, name):
    return [t for t in drawn["data"] if t.get("name") == name and "hovertemplate" in t
            and t["mode"] == "lines"]  # fmt: skip


def texts_of(trace):
    """Write the texts of a curve's points, as the page does."""
    told = trace["meta"]["texts"]
    words = [
        "".join(
            part if isinstance(part, str)
            else f"{told['columns'][part][row]:.{told['decimals'][part]}f}"
            for part in told["patterns"][which]
        )
        for row, which in enumerate(told["pattern"])
    ]  # fmt: skip
    return [words[(point + told["skip"]) // 2] for point in range(len(trace["x"]))]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_plain_json_that_plotly_accepts(name, dark):
    drawn = to_plotly(FIGURES[name], dark)
    written = json.dumps(drawn, allow_nan=False)
    assert len(written) < 300_000
    go.Figure(json.loads(written))
    assert drawn["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    palette = DARK if dark else LIGHT
    assert palette.colour(Role.TEXT) in written
    assert (LIGHT if dark else DARK).colour(Role.TEXT) not in written


@pytest.mark.parametrize("name", DEGENERATE)
def test_awkward_cohorts_are_drawn(name):
    cohort = DEGENERATE[name]()
    for by in (None, "group"):
        drawn = to_plotly(survival_curve(kaplan_meier(cohort, KaplanMeierSpec("OS", by=by))))
        go.Figure(json.loads(json.dumps(drawn, allow_nan=False)))


def test_axes_are_those_of_the_figure_and_fixed():
    figure = FIGURES["2 groups"]
    assert isinstance(figure.body, Chart)
    page = to_plotly(figure)["layout"]
    axis = figure.body.panel.x
    assert page["xaxis"]["tickvals"] == list(axis.ticks)
    assert page["xaxis"]["range"] == [axis.low, axis.high]
    assert page["yaxis"]["range"] == [0.0, 1.0]
    assert page["xaxis"]["fixedrange"] is page["yaxis"]["fixedrange"] is True
    assert page["yaxis"]["title"]["text"] == "Overall survival, %"


def test_the_table_shares_the_axis_of_the_curve():
    figure = FIGURES["2 groups"]
    assert isinstance(figure.body, Chart)
    assert figure.body.strip is not None
    drawn = to_plotly(figure)
    (strip,) = [t for t in drawn["data"] if t.get("mode") == "text"]
    assert strip["xaxis"] == "x"
    expected = [c for g in figure.body.strip.groups for r in g.rows for c in r.cells]
    assert strip["text"] == expected
    assert strip["x"] == list(figure.body.panel.x.ticks) * 6
    assert drawn["layout"]["yaxis2"]["domain"][1] < drawn["layout"]["yaxis"]["domain"][0]


def legend_of(drawn):
    """Words of the legend by place: pixels from its left, row counted from above."""
    high = [a for a in drawn["layout"]["annotations"] if a.get("yanchor") == "top"
            and a["xref"] == "paper" and a.get("x") == 0]  # fmt: skip
    rows = sorted({a["yshift"] for a in high}, reverse=True)
    return {a["text"]: (a["xshift"], rows.index(a["yshift"])) for a in high}


def test_the_legend_names_every_curve_and_can_not_be_clicked():
    drawn = to_plotly(FIGURES["4 groups"])
    assert drawn["layout"]["showlegend"] is False
    assert not any(trace.get("showlegend") for trace in drawn["data"])
    assert list(legend_of(drawn)) == [*HISTOTYPES[:4], "Censored"]
    samples = [s for s in drawn["layout"]["shapes"] if s.get("xsizemode") == "pixel"]
    # one stroke a curve in the curve's own look, two for the censoring tick
    assert len(samples) == 4 + 2
    for name, sample in zip(HISTOTYPES[:4], samples, strict=False):
        line = curves(drawn, name)[0]["line"]
        assert (sample["line"]["color"], sample["line"]["dash"]) == (line["color"], line["dash"])
    assert list(legend_of(to_plotly(FIGURES["1 groups"]))) == ["All patients", "Censored"]


def test_the_symbol_of_censoring_ends_before_the_headings_of_the_numbers():
    figure = survival_curve(result_of((25, 26)))
    key = figure.body.key
    entries = tuple(
        dataclasses.replace(entry, label=label)
        for entry, label in zip(key.entries, "AB", strict=True)
    )
    body = dataclasses.replace(figure.body, key=dataclasses.replace(key, entries=entries))
    drawn = to_plotly(dataclasses.replace(figure, body=body))
    begins, _ = legend_of(drawn)["Censored"]
    heads = [a for a in drawn["layout"]["annotations"]
             if a.get("xanchor") == "right" and a["text"] == "n"]  # fmt: skip
    (head,) = heads
    assert begins + METRICS.width("Censored", 13) < head["xshift"] - METRICS.width("n", 12) - 5


@pytest.mark.parametrize("width", [700.0, 900.0, 1400.0])
def test_entries_of_the_legend_fill_rows_and_stay_inside(width):
    figure = FIGURES["9 groups"]
    drawn = to_plotly(figure, width=width)
    margin = drawn["layout"]["margin"]
    placed = legend_of(drawn)
    assert set(HISTOTYPES) <= set(placed)
    by_row: dict[int, list[tuple[float, float]]] = {}
    for text, (x, row) in placed.items():
        by_row.setdefault(row, []).append((x, x + METRICS.width(text, 13)))
    room = width - margin["l"] - margin["r"]
    for spans in by_row.values():
        spans.sort()
        assert spans[0][0] >= -margin["l"]
        assert spans[-1][1] <= room + 1
        for (_, end), (start, _) in itertools.pairwise(spans):
            assert end < start
    total = sum(METRICS.width(text, 13) + 58 for text in placed)
    assert len(by_row) <= total // room + 2
    # rows have room above the panel
    assert margin["t"] >= 20 * len(by_row)


def test_a_name_wider_than_the_figure_is_written_in_lines():
    result = result_of((25, 26))
    long = "A very long name of a group " * 8
    figure = survival_curve(result)
    key = figure.body.key
    entries = (dataclasses.replace(key.entries[0], label=long), *key.entries[1:])
    body = dataclasses.replace(figure.body, key=dataclasses.replace(key, entries=entries))
    drawn = to_plotly(dataclasses.replace(figure, body=body))
    (text,) = [text for text in legend_of(drawn) if text.startswith("A very long")]
    lines = text.split("<br>")
    assert len(lines) > 1
    assert all(METRICS.width(line, 13) < 900 for line in lines)
    assert drawn["layout"]["margin"]["t"] >= 20 * (len(lines) + 1)


def test_names_in_the_table_under_the_axis_leave_the_width_to_the_curves():
    drawn = to_plotly(FIGURES["9 groups"])
    labels = [a for a in drawn["layout"]["annotations"] if a["yref"] == "y2"]
    assert len(labels) >= 9
    for label in labels:
        assert METRICS.width(label["text"], 12, label["font"]["weight"]) <= MAX_LABEL + 0.5
    assert drawn["layout"]["margin"]["l"] < MAX_LABEL + 50


def test_hover_tells_time_survival_interval_and_number_at_risk():
    result = result_of((25, 26))
    drawn = to_plotly(survival_curve(result))
    first = curves(drawn, HISTOTYPES[0])[0]
    group = result.groups[0]
    texts = texts_of(first)
    assert texts[0].endswith("100%, 25 at risk")
    step = texts[2]
    assert HISTOTYPES[0] in step
    assert f"{group.steps.n_risk[0]} at risk" in step
    assert "95% CI" in step
    assert "months" in step
    assert first["hovertemplate"] == "%{text}<extra></extra>"


@pytest.mark.parametrize("name", ["1 groups", "4 groups", "many patients", "hostile names"])
def test_each_point_of_a_curve_tells_its_own_step(name):
    figure = FIGURES[name]
    drawn = to_plotly(figure)
    for mark in figure.body.panel.marks:
        if not isinstance(mark, StepLine):
            continue
        for trace in curves(drawn, _safe(mark.name)):
            skip, texts = trace["meta"]["texts"]["skip"], texts_of(trace)
            for i, text in enumerate(texts):
                if (i + skip) % 2 == 0:  # where a step begins; its other point is its end
                    at = np.flatnonzero(np.isclose(mark.x, trace["x"][i], rtol=1e-5, atol=1e-9))
                    assert text in [_safe(mark.hover[step]) for step in at]
                elif i:
                    assert text == texts[i - 1]
                else:  # a faint part begins where the bold one ends
                    level = np.flatnonzero(np.isclose(mark.y, trace["y"][i], rtol=1e-5))
                    assert text in [_safe(mark.hover[step]) for step in level]


def test_hover_is_written_as_tables_are():
    result = result_of((25, 26))
    group = result.groups[0]
    line = next(m for m in survival_curve(result).body.panel.marks if isinstance(m, StepLine))
    steps, interval = group.steps, 0
    for i, text in enumerate(line.hover[1:]):
        low, high = float(steps.conf_low[i]), float(steps.conf_high[i])
        limits = "NE"
        if np.isfinite(low):
            limits, interval = f"{format_percent(low)} to {format_percent(high)}%", interval + 1
        after = steps.n_risk[i] - steps.n_event[i] - steps.n_censor[i]
        at = round_half_up(float(steps.time[i]) / result.unit_factor, 1)
        assert text == (
            f"{group.label}\n{at} months: {format_percent(float(steps.estimate[i]))}%\n"
            f"95% CI {limits}\n{steps.n_risk[i]} at risk, {after} after it"
        )
    assert interval > 10
    assert line.hover[0] == f"{group.label}\n0 months: 100%, 25 at risk"


def test_censoring_ticks_carry_study_ids():
    result = result_of((25, 26))
    drawn = to_plotly(survival_curve(result))
    marks = [t for t in drawn["data"] if "customdata" in t]
    found = [s for trace in marks for point in trace["customdata"] for s in point]
    assert sorted(found) == sorted(s for g in result.groups for s in g.censor_subjects)
    assert all(len(t["text"]) == len(t["x"]) == len(t["customdata"]) for t in marks)


@pytest.mark.parametrize("strip", [True, False])
def test_strokes_of_censoring_ticks_stand_where_the_pointer_finds_them(strip):
    drawn = to_plotly(
        survival_curve(result_of((25, 26)), CurveOptions(risk_rows="all" if strip else "none"))
    )
    page = drawn["layout"]
    places = [t for t in drawn["data"] if "customdata" in t]
    strokes = [s for s in page["shapes"] if s["type"] == "path"]
    assert len(places) == len(strokes) == 2
    low, high = page["yaxis"].get("domain", (0, 1))
    margin = page["margin"]
    inner = page["height"] - margin["t"] - margin["b"]
    for trace, stroke in zip(places, strokes, strict=True):
        assert (stroke["xref"], stroke["yref"]) == (trace["xaxis"], "paper")
        parts = [re.split("[,V]", part) for part in stroke["path"].split("M")[1:]]
        x, bottom, top = np.array(parts, dtype=float).T
        assert x == pytest.approx(trace["x"], rel=1e-5)
        assert (bottom + top) / 2 == pytest.approx(
            low + np.array(trace["y"]) * (high - low), abs=1e-5
        )
        assert (top - bottom) * inner == pytest.approx(TICK, abs=0.2)


def test_nine_panels_are_few_things_for_a_browser():
    # each of them costs a browser 0.2 to 2 ms at every click
    drawn = to_plotly(FIGURES["9 panels"])
    page = drawn["layout"]
    assert sum(name[1:5] == "axis" for name in page) == 2
    assert not page["xaxis"]["visible"]
    # a curve and its faint end in each, places of ticks, and numbers at and under the axes
    assert len(drawn["data"]) <= 2 * 9 + 3
    # its interval, median and censored patients in each; grid, axes, grey curves, the key's symbol
    assert len(page["shapes"]) <= 3 * 9 + 6
    # name and numbers of each; ticks and rows of three lines of panels; what stands around
    assert len(page["annotations"]) <= 2 * 9 + 3 * (5 + 3) + 6
    assert len(json.dumps(drawn)) < 65_000
    larger = to_plotly(survival_curve(result_of((300,) * 9)))
    assert len(json.dumps(larger)) < 400_000


def test_the_pointer_finds_nothing_of_the_next_panel():
    drawn = to_plotly(FIGURES["9 panels"])
    heads = [a for a in drawn["layout"]["annotations"] if a["text"] in HISTOTYPES]
    starts = sorted({a["x"] for a in heads})
    (ticks,) = [t for t in drawn["data"] if t["name"] == "Numbers at the axis"]
    per_panel = len(ticks["x"]) // 9
    ends = [max(ticks["x"][i * per_panel : (i + 1) * per_panel]) for i in range(len(starts))]
    for end, start in zip(ends, starts[1:], strict=False):
        assert start - end >= drawn["layout"]["hoverdistance"] - 0.01


def test_small_panels_draw_every_mark_or_say_that_they_can_not():
    axis = Axis(0.0, 4.0, (0.0, 2.0, 4.0), ("0", "2", "4"), grid=True)
    line = Line(np.array([0.0, 2.0, 6.0]), np.array([1.0, 0.5, 0.2]), Role.SLOT_0, name="Fitted")
    marks = (line, Rule("y", 0.5), Rule("x", 2.0, start=0.0, end=0.5))
    small = SmallChart("A", Role.SLOT_0, "n 3", Panel(axis, Axis(0.0, 1.0, title="y"), marks))
    drawn = to_plotly(Figure(SmallMultiples((small, dataclasses.replace(small, name="B")))))
    lines = [t for t in drawn["data"] if t["name"] == "Fitted"]
    assert [len(t["x"]) for t in lines] == [2, 2]
    assert lines[0]["y"] == lines[1]["y"]
    (rules,) = [s for s in drawn["layout"]["shapes"] if s["line"]["width"] == 1.2]
    # all of an axis, and from 0 to 0.5, twice
    ends = np.array(re.findall(r"M([\d.]+),([\d.]+)", rules["path"]), dtype=float)
    assert len(ends) == 4
    assert ends[1, 1] - ends[0, 1] == pytest.approx(lines[0]["y"][1] - lines[0]["y"][0])
    panel = dataclasses.replace(small.panel, marks=(Text(1, 0.5, "words"),))
    with pytest.raises(ValueError, match="hold no text"):
        to_plotly(Figure(SmallMultiples((dataclasses.replace(small, panel=panel),))))


def test_long_curves_are_thinned_on_the_screen():
    drawn = to_plotly(FIGURES["many patients"])
    for name in HISTOTYPES[:2]:
        whole = sum(len(t["x"]) for t in curves(drawn, name))
        assert 100 < whole <= 2 * (MAX_STEPS + 2) + 2
    short = to_plotly(FIGURES["1 groups"])
    result = result_of((51,))
    drawn_points = sum(len(t["x"]) for t in curves(short, "All patients"))
    assert drawn_points >= 2 * (len(result.overall.steps.time) + 1)


def test_steps_are_doubled_points_not_left_to_plotly():
    for trace in curves(to_plotly(FIGURES["2 groups"]), HISTOTYPES[0]):
        assert trace["line"]["shape"] == "linear"
        for i in range(len(trace["x"]) - 1):
            level = trace["y"][i] == trace["y"][i + 1]
            upright = trace["x"][i] == trace["x"][i + 1]
            assert level or upright


def test_the_stamp_is_on_the_screen_when_it_is_set():
    def words(figure):
        return [a["text"] for a in to_plotly(figure)["layout"]["annotations"]]

    for name, figure in FIGURES.items():
        stamped = dataclasses.replace(figure, stamp="Synthetic data, not patients")
        assert "Synthetic data, not patients" in words(stamped), name
        bare = dataclasses.replace(figure, stamp="")
        assert "Synthetic data, not patients" not in words(bare), name


@pytest.mark.parametrize("name", ["hostile names", "forest", "flow"])
def test_names_cannot_become_markup(name):
    written = json.dumps(to_plotly(FIGURES[name]), ensure_ascii=False)
    assert "<script" not in written
    assert "<i>" not in written
    assert "&lt;script" in written
    assert HOSTILE[0] in written


def test_nothing_is_uploaded_or_asked_from_elsewhere():
    assert CONFIG["showSendToCloud"] is False
    assert "toImage" in CONFIG["modeBarButtonsToRemove"]
    assert "http" not in json.dumps(to_plotly(FIGURES["9 groups"]))


def test_ratio_axis_is_logarithmic():
    page = to_plotly(FIGURES["forest"])["layout"]
    for key in ("xaxis", "xaxis2"):
        assert page[key]["type"] == "log"
        assert page[key]["range"] == pytest.approx([-1, 1])
        assert page[key]["tickvals"] == [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0]
    assert page["xaxis"]["domain"][1] < page["xaxis2"]["domain"][0]


def test_bars_words_and_arrows_are_drawn():
    panel = Panel(
        Axis(0, 3),
        Axis(-1, 1),
        (
            Bar(1, 0, -0.4, 0.8, Role.SLOT_1, name="b", subjects=("S001",), hover="S001: -40%"),
            Text(2, 0.5, "<b>words</b>", bold=True),
            Arrow(0, 0, 1, 1),
        ),
    )
    drawn = to_plotly(Figure(Chart(panel)))
    (bar,) = [t for t in drawn["data"] if t["type"] == "bar"]
    assert (bar["x"], bar["y"], bar["base"], bar["customdata"]) == ([1], [-0.4], [0], [["S001"]])
    texts = [a["text"] for a in drawn["layout"]["annotations"]]
    assert texts == ["&lt;b&gt;words&lt;/b&gt;", ""]
    go.Figure(drawn)
