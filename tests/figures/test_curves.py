"""Curves in any arrangement: what stands where, over random cohorts."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.analysis.curve_options import CurveOptions, counts_every_death
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.display import format_estimate
from sts_core.figures.curves import MOST_PANELS, MOST_TOGETHER, arrangement_of
from sts_core.figures.end_labels import apart
from sts_core.figures.layout import layout
from sts_core.figures.marks import (
    Axis,
    Backdrop,
    Band,
    Chart,
    Dash,
    Figure,
    Line,
    Panel,
    Role,
    Rule,
    SmallMultiples,
    StepLine,
)
from sts_core.figures.survival_curve import survival_curve
from sts_core.figures.theme import BLACK_AND_WHITE, SIZES, SLIDE, palette_of
from sts_core.render.plotly import PLOT_HEIGHT, to_plotly
from sts_core.study import Measured, TimeUnit, Variable
from sts_core.study.types import DAYS_PER_UNIT
from tests.cohorts import endpoint, make_cohort
from tests.figures.cases import HISTOTYPES, SIZES_OF_NINE, result_of
from tests.figures.test_layout import assert_on_page, overlapping

#: A Chinese name, a long one, and one that can't be broken.
NAMES = ("软组织肉瘤和其他", "A", "Undifferentiated pleomorphic sarcoma, not otherwise specified",
         "Dedifferentiatedliposarcomaofretroperitoneum", "Others", "B2")  # fmt: skip


def cohort_of(seed, n_groups, n, censored, *, rounded):
    """Make patients in groups, tied where times are rounded."""
    random = np.random.default_rng(seed)
    group = random.integers(0, n_groups, n)
    time = random.exponential(300 * (1 + group)) + 1
    time = np.ceil(time / 30) * 30 if rounded else np.ceil(time)
    status = (random.random(n) >= censored).astype(int)
    names = np.array(NAMES)[group]
    columns = {"time": time.tolist(), "status": status.tolist(), "group": names.tolist()}
    levels = Variable("Group", levels=NAMES[:n_groups], measured=Measured.BASELINE)
    return make_cohort(columns, variables={"group": levels}), time, status, names


def steps_of(figure):
    """Give the curves by their names, from whichever panel has them."""
    body = figure.body
    panels = [body.panel] if isinstance(body, Chart) else [small.panel for small in body.charts]
    return {m.name: m for panel in panels for m in panel.marks if isinstance(m, StepLine)}


def crossed(placed):
    """Give every text whose box a curve or a censoring tick runs through."""
    kinds = ("Kaplan-Meier curve", "Other groups", "Censored")
    paths = [p for p in placed.paths if p.name.startswith(kinds) and "Key" not in p.name]
    ends = [(points[:-1], points[1:]) for path in paths for points in path.subpaths]
    if not ends:
        return []
    first = np.vstack([a for a, _ in ends])
    last = np.vstack([b for _, b in ends])
    low, high = np.minimum(first, last), np.maximum(first, last)
    found = []
    for text in placed.texts:
        left, top, right, bottom = text.box()
        hit = (low[:, 0] < right) & (high[:, 0] > left) & (low[:, 1] < bottom) & (high[:, 1] > top)
        if hit.any():
            found.append((text.name, text.text))
    return found


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    n_groups=st.integers(1, 6),
    n=st.integers(1, 200),
    censored=st.sampled_from([0.0, 0.2, 0.6, 0.95, 1.0]),
    rounded=st.booleans(),
    arrangement=st.sampled_from(["together", "direct", "highlighted", "panels"]),
    shown=st.sampled_from(["survival", "cumulative"]),
    size=st.sampled_from(SIZES),
)
def test_no_words_cover_a_curve_of_any_cohort(
    seed, n_groups, n, censored, rounded, arrangement, shown, size
):
    cohort, *_ = cohort_of(seed, n_groups, n, censored, rounded=rounded)
    result = kaplan_meier(cohort, KaplanMeierSpec("OS", by="group"))
    options = CurveOptions(arrangement=arrangement, shown=shown)
    placed = layout(survival_curve(result, options), size)
    assert placed.panels
    assert crossed(placed) == []


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    n_groups=st.integers(1, 6),
    n=st.integers(1, 150),
    unit=st.sampled_from(list(TimeUnit)),
    step=st.sampled_from([None, 0.5, 6.0]),
    horizon=st.sampled_from([None, 3.0, 17.0]),
    arrangement=st.sampled_from(["together", "highlighted"]),
)
def test_rows_under_the_axis_are_a_naive_count_at_its_own_ticks(
    seed, n_groups, n, unit, step, horizon, arrangement
):
    cohort, times, events, names = cohort_of(seed, n_groups, n, 0.4, rounded=True)
    spec = KaplanMeierSpec(
        "OS", by="group", time_unit=unit, tick_step=step, horizon=horizon,
        drawing=CurveOptions(arrangement=arrangement),
    )  # fmt: skip
    result = kaplan_meier(cohort, spec)
    body = survival_curve(result).body
    if isinstance(body, Chart):
        assert body.strip is not None
        axis, positions = body.panel.x, body.strip.positions
        rows = {group.label: group.rows for group in body.strip.groups}
    else:
        axis, positions = body.charts[0].panel.x, body.positions
        rows = {small.name: small.rows for small in body.charts}
    assert positions == axis.ticks
    assert axis.high == (horizon or axis.ticks[-1])
    for name in NAMES[:n_groups]:
        time, event = times[names == name], events[names == name]
        for place, tick in enumerate(axis.ticks):
            # times are whole days, and a tick that is meant to be one is one
            at = tick * DAYS_PER_UNIT[unit]
            at = round(at) if abs(at - round(at)) < 1e-6 else at
            counted = [
                int((time >= at).sum()),
                int(((time < at) & (event == 1)).sum()),
                int(((time < at) & (event == 0)).sum()),
            ]
            assert [int(row.cells[place]) for row in rows[name]] == counted
            assert sum(counted) == len(time)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 120), rounded=st.booleans())
def test_a_curve_is_faint_exactly_where_few_are_at_risk(seed, n, rounded):
    cohort, times, _, names = cohort_of(seed, 2, n, 0.4, rounded=rounded)
    result = kaplan_meier(cohort, KaplanMeierSpec("OS", by="group"))
    for name, line in steps_of(survival_curve(result)).items():
        time = times[names == name]
        limit = max(5, 0.1 * len(time))
        for at in np.unique(time) - 0.5:  # between two days, up to the last one
            few = (time >= at).sum() < limit
            faint = line.faded_from is not None and at / 30.4375 > line.faded_from
            assert faint == few


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(1, 12)), min_size=1, max_size=8),
)
def test_names_are_moved_apart_and_no_further_than_need_be(places):
    centres, heights = (np.array(part) for part in zip(*places, strict=True))
    moved = apart(centres, heights, 0.0, 100.0)
    order = np.argsort(centres, kind="stable")
    tops, bottoms = (moved - heights / 2)[order], (moved + heights / 2)[order]
    assert (tops[1:] >= bottoms[:-1] - 1e-9).all()
    assert tops[0] >= -1e-9
    assert bottoms[-1] <= 100 + 1e-9
    if (np.diff(centres[order]) >= (heights[order][1:] + heights[order][:-1]) / 2).all() and (
        centres - heights / 2 >= 0
    ).all() and (centres + heights / 2 <= 100).all():  # fmt: skip
        assert moved == pytest.approx(centres)


def test_more_than_four_groups_have_a_panel_each_unless_something_else_is_chosen():
    auto = CurveOptions()
    assert [arrangement_of(auto, n) for n in (1, 2, MOST_TOGETHER)] == ["together"] * 3
    assert arrangement_of(auto, MOST_TOGETHER + 1) == "highlighted"
    assert arrangement_of(CurveOptions(arrangement="direct"), 9) == "direct"
    assert arrangement_of(CurveOptions(arrangement="panels"), MOST_PANELS) == "panels"
    # one curve has nothing to be told from
    assert arrangement_of(CurveOptions(arrangement="panels"), 1) == "together"


def test_two_hundred_groups_are_drawn_in_one_panel_within_reason():
    result = result_of((3,) * 200, tuple(f"Group {i}" for i in range(200)))
    figure = survival_curve(result, CurveOptions(arrangement="highlighted"))
    assert isinstance(figure.body, Chart)
    assert any("share one panel" in note for note in figure.footnotes)
    assert len(json.dumps(to_plotly(figure))) < 1_000_000
    assert len(steps_of(figure)) == 200


def test_each_panel_has_its_curve_in_colour_over_all_others_in_grey():
    result = result_of(SIZES_OF_NINE)
    body = survival_curve(result).body
    assert isinstance(body, SmallMultiples)
    together = steps_of(survival_curve(result, CurveOptions(arrangement="together")))
    for small in body.charts:
        (own,) = [m for m in small.panel.marks if isinstance(m, StepLine)]
        (behind,) = [m for m in small.panel.marks if isinstance(m, Backdrop)]
        assert small.panel.marks[0] is behind
        assert (own.name, own.role, own.dash) == (small.name, small.role, Dash.SOLID)
        assert own.role is together[small.name].role
        assert [line.name for line in behind.lines] == [n for n in HISTOTYPES if n != small.name]
        assert sum(isinstance(m, Band) for m in small.panel.marks) == 1
    alone = survival_curve(result, CurveOptions(arrangement="panels")).body
    assert isinstance(alone, SmallMultiples)
    assert not any(isinstance(m, Backdrop) for small in alone.charts for m in small.panel.marks)


def test_a_panel_says_the_numbers_of_the_result():
    result = result_of(SIZES_OF_NINE)
    body = survival_curve(result).body
    assert isinstance(body, SmallMultiples)
    for small, group, ratio in zip(body.charts, result.groups, result.hazard_ratios, strict=True):
        first, median, hazard, rates = small.caption.split("\n")
        assert first.startswith(f"n {group.n}, {group.n_event} event")
        assert median == f"median {format_estimate(group.median.scaled(result.unit_factor))}"
        assert hazard == f"HR {format_estimate(ratio.hazard_ratio, 2)}"
        shown = [format_estimate(r.estimate, percent=True, interval=False) for r in group.rates]
        assert rates == f"% at 6, 12, 24 months: {', '.join(shown)}"
    assert body.notes == (next(n for n in body.notes if n.startswith("Log-rank P")),)


def test_an_empty_group_keeps_its_panel_and_its_place_in_the_key():
    names = ("A", "B", "C", "D", "Nobody")
    cohort = make_cohort(
        {"time": [5, 9, 12, 20], "status": [1, 0, 1, 1], "group": list("ABCD")},
        variables={"group": Variable("Group", levels=names, measured=Measured.BASELINE)},
    )
    result = kaplan_meier(cohort, KaplanMeierSpec("OS", by="group"))
    for arrangement in ("together", "direct", "highlighted"):
        figure = survival_curve(result, CurveOptions(arrangement=arrangement))
        assert "Nobody" not in steps_of(figure)
        words = " ".join(text.text for text in layout(figure).texts)
        assert "Nobody" in words
        json.dumps(to_plotly(figure), allow_nan=False)
    body = survival_curve(result).body
    assert isinstance(body, SmallMultiples)
    assert body.charts[-1].caption == "No patients"


def test_names_at_the_ends_stand_in_the_order_of_the_curves_and_need_no_key():
    result = result_of((11, 10, 10, 10, 10))
    figure = survival_curve(result, CurveOptions(arrangement="direct"))
    for size in SIZES:
        placed = layout(figure, size)
        (frame,) = placed.panels
        labels = [t for t in placed.texts if t.name.startswith("Curve label")]
        assert {t.name.removeprefix("Curve label: ") for t in labels} == set(HISTOTYPES[:5])
        assert all(t.box()[0] > frame.right for t in labels)
        assert all(frame.top - 3 < t.y < frame.bottom + 3 for t in labels)
        ends = {line.name: line.y[-1] for line in steps_of(figure).values()}
        first = {t.name.removeprefix("Curve label: "): t.y for t in reversed(labels)}
        for one, other in itertools.combinations(ends, 2):
            if ends[one] > ends[other]:
                assert first[one] < first[other]
        # nothing says the same a second time
        assert not any(p.name.startswith("Key:") and p.name[5:] in HISTOTYPES for p in placed.paths)
    page = to_plotly(figure)["layout"]
    named = [a for a in page["annotations"] if a["text"] in HISTOTYPES and a["yref"] == "y"]
    assert len(named) == 5
    assert all(a["x"] == 1 and a["xanchor"] == "left" for a in named)


def test_more_names_than_lines_beside_the_panel_become_a_key():
    names = tuple(f"Group {i}" for i in range(40))
    result = result_of((3,) * 40, names)
    figure = survival_curve(result, CurveOptions(arrangement="direct", risk_rows="none"))
    placed = layout(figure, SIZES[0])
    assert not any(t.name.startswith("Curve label") for t in placed.texts)
    assert set(names) <= {t.text for t in placed.texts}
    drawn = to_plotly(figure)["layout"]["annotations"]
    assert set(names) <= {a["text"] for a in drawn}
    assert not any(a["x"] == 1 and a["text"] in names for a in drawn)
    assert PLOT_HEIGHT < 40 * 16


def test_cumulative_probability_is_one_less_survival_with_its_limits_exchanged():
    result = result_of((25, 26))
    falling = survival_curve(result)
    rising = survival_curve(result, CurveOptions(shown="cumulative"))
    for name, line in steps_of(falling).items():
        other = steps_of(rising)[name]
        np.testing.assert_allclose(other.y, 1 - line.y, atol=1e-15)
        assert other.faded_from == line.faded_from
        assert other.hover[0] == f"{name}\n0 months: 0%, {result_n(result, name)} at risk"
    assert isinstance(falling.body, Chart)
    assert isinstance(rising.body, Chart)
    for one, other in zip(bands(falling.body), bands(rising.body), strict=True):
        np.testing.assert_allclose(other.low, 1 - one.high)
        np.testing.assert_allclose(other.high, 1 - one.low)
    # crossing one half is the same time
    assert rules(falling.body) == rules(rising.body)
    assert rising.body.panel.y.title == "Cumulative probability of an event, %"
    assert any("one less the Kaplan-Meier" in note for note in rising.footnotes)
    assert rising.body.key is not None
    assert falling.body.key is not None
    entry, former = rising.body.key.entries[0], falling.body.key.entries[0]
    assert entry.cells[:3] == former.cells[:3]
    rate = result.groups[0].rates[0].estimate
    assert entry.cells[3].split(" ")[0] == f"{100 - 100 * rate.value:.1f}"


def result_n(result, name):
    return next(group.n for group in result.groups if group.label == name)


def bands(chart):
    return [m for m in chart.panel.marks if isinstance(m, Band)]


def rules(chart):
    return [(m.axis, m.at) for m in chart.panel.marks if isinstance(m, Rule)]


@pytest.mark.parametrize(
    ("kinds", "counts"),
    [
        ({"death": (1,)}, True),
        ({"progression or death": (1,)}, True),
        ({"progression": (1,), "death": (2,)}, True),
        ({"progression": (1,)}, False),
        ({"death from the disease": (1,)}, False),
        ({"event": (1,)}, False),
        ({"relapse": (1,), "death by another cause": (2,)}, False),
    ],
)
def test_one_less_survival_is_drawn_only_where_every_death_is_an_event(kinds, counts):
    of = endpoint(events=kinds, censored=(0,) if len(kinds) > 1 else (0, 2))
    assert counts_every_death(of) is counts
    cohort = make_cohort({"time": [5, 9, 12, 20], "status": [1, 0, 1, 0]}, endpoints={"OS": of})
    result = kaplan_meier(cohort, KaplanMeierSpec("OS"))
    figure = survival_curve(result, CurveOptions(shown="cumulative"))
    (line,) = steps_of(figure).values()
    assert line.y[0] == (0.0 if counts else 1.0)
    assert any("competes" in note for note in figure.footnotes) is not counts


def test_words_of_the_figure_change_the_figure_only():
    result = result_of((25, 26))
    options = CurveOptions(
        title="<b>T</b>", x_title="Time", y_title="S", labels=((HISTOTYPES[0], "LMS"), ("?", "x"))
    )
    figure = survival_curve(result, options)
    assert (figure.title, list(steps_of(figure))) == ("<b>T</b>", ["LMS", HISTOTYPES[1]])
    assert isinstance(figure.body, Chart)
    assert figure.body.strip is not None
    assert [group.label for group in figure.body.strip.groups] == ["LMS", HISTOTYPES[1]]
    assert figure.body.key is not None
    assert figure.body.key.entries[0].label == "LMS"
    assert "LMS: 25 patients" in figure.alt
    assert HISTOTYPES[0] not in figure.alt
    with pytest.raises(ValueError, match="at most 200"):
        CurveOptions(title="x" * 201)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_a_long_title_of_the_y_axis_is_broken_into_lines_beside_the_panel(size):
    title = "Probability that nothing of what was counted has happened, 无进展生存率, " * 2
    placed = layout(survival_curve(result_of((25, 26)), CurveOptions(y_title=title[:200])), size)
    lines = [t for t in placed.texts if t.name == "y title"]
    assert "".join("".join(t.text for t in lines).split()) == "".join(title[:200].split())
    assert_on_page(placed)
    assert overlapping(list(placed.texts)) == []
    (frame,) = placed.panels
    assert frame.width > 0.4 * size.width


def test_scale_rows_and_rates_follow_the_options():
    result = result_of((25, 26))
    chart = survival_curve(result, CurveOptions(scale="proportion", risk_rows="at_risk")).body
    assert isinstance(chart, Chart)
    assert chart.panel.y.tick_labels == ("0", "0.25", "0.50", "0.75", "1.00")
    assert chart.panel.y.title == "Overall survival"
    assert chart.strip is not None
    assert all([row.name for row in g.rows] == ["At risk"] for g in chart.strip.groups)
    assert chart.key is not None
    value = result.groups[0].rates[0].estimate.value
    assert chart.key.entries[0].cells[3].startswith(f"{value:.2f} (")
    bare = survival_curve(result, CurveOptions(rates=False, hazard_ratios=False)).body
    assert isinstance(bare, Chart)
    assert bare.key is not None
    assert len(bare.key.headers) == 3
    # a rate past the end of the axis is not beside the curves
    cut = dataclasses.replace(result, spec=dataclasses.replace(result.spec, horizon=8.0))
    short = survival_curve(cut).body
    assert isinstance(short, Chart)
    assert short.key is not None
    assert [h for h in short.key.headers if h.startswith("At ")] == ["At 6 months\n(%, 95% CI)"]


def test_close_ticks_lose_labels_and_columns_together_and_stay_apart():
    cohort, *_ = cohort_of(5, 3, 180, 0.3, rounded=False)
    spec = KaplanMeierSpec("OS", by="group", tick_step=1.0)
    result = kaplan_meier(cohort, spec)
    assert len(result.ticks) > 30
    figure = survival_curve(result, CurveOptions(arrangement="together"))
    for size in SIZES:
        placed = layout(figure, size)
        labels = sorted(t.x for t in placed.texts if t.name == "x tick label")
        cells = {round(t.x, 3) for t in placed.texts if t.name.startswith("Table cell")}
        assert cells == {round(x, 3) for x in labels}
        row = [t for t in placed.texts if t.name == f"Table cell: {NAMES[1]} At risk"] or [
            t for t in placed.texts if t.name.startswith(f"Table cell: {NAMES[1]}")
        ]
        spans = sorted(t.box()[::2] for t in row)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))
    drawn = to_plotly(figure)
    axis = drawn["layout"]["xaxis"]
    shown = [v for v, text in zip(axis["tickvals"], axis["ticktext"], strict=True) if text]
    (strip,) = [t for t in drawn["data"] if t["mode"] == "text"]
    assert sorted(set(strip["x"])) == shown


def test_black_and_white_is_for_files_and_every_slide():
    figure = survival_curve(result_of((25, 26)), CurveOptions(black_and_white=True))
    assert palette_of(figure) is BLACK_AND_WHITE
    assert "#000000" not in json.dumps(to_plotly(figure))


def test_a_fitted_curve_is_drawn_over_the_steps_on_every_medium():
    x = np.linspace(0, 12, 30)
    y = np.exp(-x / 6)
    y[10] = np.nan
    fitted = Line(x, y, Role.SLOT_1, Dash.DASHED, "Weibull")
    assert [len(part) for part, _ in fitted.pieces()] == [10, 19]
    body = survival_curve(result_of((25, 26))).body
    assert isinstance(body, Chart)
    panel = dataclasses.replace(body.panel, marks=(*body.panel.marks, fitted))
    figure = Figure(dataclasses.replace(body, panel=panel))
    placed = layout(figure, SLIDE)
    drawn = [p for p in placed.paths if p.name == "Fitted curve: Weibull"]
    assert sum(len(points) for p in drawn for points in p.subpaths) == 29
    traces = [t for t in to_plotly(figure)["data"] if t["name"] == "Weibull"]
    assert [len(t["x"]) for t in traces] == [10, 19]
    (frame,) = placed.panels
    start = drawn[0].subpaths[0][0]
    assert start == pytest.approx((frame.left, frame.top))


def test_a_line_beyond_the_axis_is_cut():
    axis = Axis(0.0, 5.0, (0.0, 5.0), ("0", "5"))
    line = Line(np.linspace(0, 10, 11), np.linspace(1, 0, 11), Role.SLOT_0)
    figure = Figure(Chart(Panel(axis, Axis(0.0, 1.0), (line,))))
    placed = layout(figure)
    (path,) = [p for p in placed.paths if p.name.startswith("Fitted curve")]
    (frame,) = placed.panels
    assert path.subpaths[0][:, 0].max() == pytest.approx(frame.right)


def test_the_caption_names_the_median_follow_up():
    result = result_of((25, 26))
    note = next(n for n in survival_curve(result).footnotes if n.startswith("Median follow-up"))
    assert format_estimate(result.overall.follow_up.scaled(result.unit_factor)) in note
