from __future__ import annotations

import dataclasses
import itertools
import json

import plotly.graph_objects as go
import pytest

from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.figures.fonts import METRICS
from sts_core.figures.marks import (
    Arrow,
    Axis,
    Bar,
    Chart,
    Figure,
    Panel,
    Role,
    Text,
)
from sts_core.figures.survival_curve import survival_curve
from sts_core.figures.theme import DARK, LIGHT
from sts_core.render.plotly import CONFIG, MAX_LABEL, MAX_STEPS, to_plotly
from tests.cohorts import DEGENERATE
from tests.figures.cases import HISTOTYPES, HOSTILE, figures, result_of

FIGURES = figures()


def curves(drawn, name):
    return [t for t in drawn["data"] if t.get("name") == name and "hovertemplate" in t
            and t["mode"] == "lines"]  # fmt: skip


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
    assert first["text"][0].endswith("100%, 25 at risk")
    step = first["text"][2]
    assert HISTOTYPES[0] in step
    assert f"{group.steps.n_risk[0]} at risk" in step
    assert "95% CI" in step
    assert "months" in step
    assert first["hovertemplate"] == "%{text}<extra></extra>"


def test_censoring_ticks_carry_study_ids():
    result = result_of((25, 26))
    drawn = to_plotly(survival_curve(result))
    marks = [t for t in drawn["data"] if "customdata" in t]
    found = [s for trace in marks for point in trace["customdata"] for s in point]
    assert sorted(found) == sorted(s for g in result.groups for s in g.censor_subjects)


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
