from __future__ import annotations

import numpy as np
import pytest

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.figures.marks import Band, CensorTicks, Chart, Role, Rule, StepLine
from sts_core.figures.survival_curve import survival_curve
from tests.cohorts import endpoint, make_cohort
from tests.figures.cases import HISTOTYPES, SIZES_OF_NINE, result_of


def chart_of(result, **options):
    options = {"arrangement": "together", **options}
    body = survival_curve(result, CurveOptions(**options)).body
    assert isinstance(body, Chart)
    return body


def marks_of(chart, kind):
    return [mark for mark in chart.panel.marks if isinstance(mark, kind)]


def test_curve_starts_at_one_and_repeats_the_estimates():
    result = result_of((25, 26))
    lines = marks_of(chart_of(result), StepLine)
    assert [line.name for line in lines] == list(HISTOTYPES[:2])
    for line, group in zip(lines, result.groups, strict=True):
        assert (line.x[0], line.y[0]) == (0.0, 1.0)
        assert line.y[1:].tolist() == group.steps.estimate.tolist()
        assert line.x[1:] == pytest.approx(group.steps.time / 30.4375)
        assert line.x_end == pytest.approx(group.max_time / 30.4375)
        assert len(line.hover) == len(line.x)


def test_a_fall_at_time_zero_is_drawn():
    cohort = make_cohort({"time": [0, 0, 30.4375, 60.875], "status": [1, 0, 1, 0]})
    (line,) = marks_of(chart_of(kaplan_meier(cohort, KaplanMeierSpec("OS"))), StepLine)
    assert line.x.tolist() == [0.0, 0.0, 1.0, 2.0]
    assert line.y.tolist() == [1.0, 0.75, 0.375, 0.375]


def test_censored_subjects_are_named_and_on_their_curve():
    cohort = make_cohort({"time": [10, 20, 20, 30, 5], "status": [1, 0, 0, 1, 0]})
    result = kaplan_meier(cohort, KaplanMeierSpec("OS"))
    (ticks,) = marks_of(chart_of(result), CensorTicks)
    assert (ticks.x * 30.4375).tolist() == pytest.approx([5, 20])
    assert ticks.y.tolist() == pytest.approx([1.0, 0.75])
    assert ticks.subjects == (("S005",), ("S002", "S003"))
    assert "S002, S003" in ticks.hover[1]
    assert "0.7 months" in ticks.hover[1]


def test_source_ids_never_reach_the_figure():
    cohort = make_cohort({"time": [10, 20], "status": [1, 0]})
    figure = survival_curve(kaplan_meier(cohort, KaplanMeierSpec("OS")))
    assert "source-" not in repr(figure)


def test_risk_table_has_the_axis_ticks_and_sums_to_n():
    result = result_of((25, 26))
    chart = chart_of(result)
    assert chart.strip is not None
    assert chart.strip.positions == chart.panel.x.ticks == result.ticks
    for strip, group in zip(chart.strip.groups, result.groups, strict=True):
        assert [row.name for row in strip.rows] == ["At risk", "Events", "Censored"]
        for column in zip(*(row.cells for row in strip.rows), strict=True):
            assert sum(int(cell) for cell in column) == group.n


def test_parts_can_be_left_out():
    result = result_of((25, 26))
    chart = chart_of(
        result,
        intervals=False,
        risk_rows="none",
        censored=False,
        medians=False,
    )
    assert chart.strip is None
    assert {type(mark) for mark in chart.panel.marks} == {StepLine}
    assert chart.key is not None
    assert chart.key.symbols == ()


def test_bands_follow_the_limits_and_stay_away_from_many_groups():
    result = result_of((25, 26))
    bands = marks_of(chart_of(result), Band)
    for band, group in zip(bands, result.groups, strict=True):
        np.testing.assert_array_equal(band.low[1:], group.steps.conf_low)
        np.testing.assert_array_equal(band.high[1:], group.steps.conf_high)
    many = result_of(SIZES_OF_NINE)
    assert marks_of(chart_of(many), Band) == []
    assert len(marks_of(chart_of(many, intervals=True), Band)) == 9


@pytest.mark.parametrize(
    ("sizes", "shown"), [((13, 13, 13, 12), True), ((11, 10, 10, 10, 10), False)]
)
def test_median_lines_are_for_up_to_four_groups_unless_asked_for(sizes, shown):
    result = result_of(sizes)
    assert any(group.median.value is not None for group in result.groups)
    assert bool(marks_of(chart_of(result), Rule)) is shown
    assert marks_of(chart_of(result, medians=True), Rule)
    assert marks_of(chart_of(result, medians=False), Rule) == []


def test_median_lines_end_at_the_medians():
    result = result_of((25, 26))
    rules = marks_of(chart_of(result), Rule)
    medians = [g.median.value / 30.4375 for g in result.groups if g.median.value is not None]
    assert [rule.at for rule in rules if rule.axis == "x"] == pytest.approx(medians)
    (half,) = [rule for rule in rules if rule.axis == "y"]
    assert (half.at, half.start) == (0.5, 0.0)
    assert half.end == pytest.approx(max(medians))


def test_no_median_line_where_none_is_reached():
    cohort = make_cohort({"time": [10, 20, 30], "status": [0, 0, 0]})
    chart = chart_of(kaplan_meier(cohort, KaplanMeierSpec("OS")))
    assert marks_of(chart, Rule) == []
    assert chart.key is not None
    assert chart.key.entries[0].cells[:3] == ("3", "0", "NR")


def test_colours_stay_when_groups_are_switched_off():
    whole = result_of(SIZES_OF_NINE)
    part = result_of(SIZES_OF_NINE, levels=(HISTOTYPES[7], HISTOTYPES[2], HISTOTYPES[8]))
    before = {line.name: (line.role, line.dash) for line in marks_of(chart_of(whole), StepLine)}
    after = {line.name: (line.role, line.dash) for line in marks_of(chart_of(part), StepLine)}
    assert list(after) == [HISTOTYPES[2], HISTOTYPES[7], HISTOTYPES[8]]
    assert all(before[name] == look for name, look in after.items())
    assert after[HISTOTYPES[8]][0] is Role.OTHER
    key = chart_of(part).key
    assert key is not None
    assert "over 3 of 9" in key.notes[0]


def test_tail_is_faded_from_where_few_are_left():
    result = result_of((25, 26))
    for line, group in zip(marks_of(chart_of(result), StepLine), result.groups, strict=True):
        assert group.unreliable_from is not None
        assert line.faded_from == pytest.approx(group.unreliable_from / 30.4375)


def test_many_censored_have_no_ticks_and_a_note_instead():
    result = result_of((2000, 20))
    assert len(result.groups[0].censor_times) > 300 > len(result.groups[1].censor_times) > 0
    figure = survival_curve(result)
    assert isinstance(figure.body, Chart)
    assert [t.name for t in marks_of(figure.body, CensorTicks)] == [HISTOTYPES[1]]
    assert any("more than 300 censored" in note for note in figure.footnotes)
    hidden = survival_curve(result, CurveOptions(censored=False))
    assert not any("more than 300 censored" in note for note in hidden.footnotes)


def test_words_name_endpoint_unit_and_time_zero():
    figure = survival_curve(result_of((25, 26)))
    assert isinstance(figure.body, Chart)
    assert figure.body.panel.y.title == "Overall survival, %"
    assert figure.body.panel.x.title == "Months from first dose"
    assert figure.title == "Overall survival by histotype"
    assert figure.stamp == "Synthetic data, not patients"
    assert "25 patients" in figure.alt
    assert "Log-rank P" in figure.alt
    named = survival_curve(result_of((25, 26)), CurveOptions(title="T", x_title="X", y_title="Y"))
    assert isinstance(named.body, Chart)
    assert (named.title, named.body.panel.x.title, named.body.panel.y.title) == ("T", "X", "Y")


def test_patients_are_not_stamped():
    assert survival_curve(result_of((9,), synthetic=False)).stamp == ""


def test_horizon_ends_the_axis_not_the_numbers():
    cut = result_of((25, 26), horizon=6.0)
    whole = result_of((25, 26))
    axis = chart_of(cut).panel.x
    assert axis.high == axis.ticks[-1] == 6.0
    assert marks_of(chart_of(cut), StepLine)[0].x_end > 6.0
    cells = [[entry.cells[:3] for entry in chart_of(result).key.entries] for result in (cut, whole)]
    assert cells[0] == cells[1]


@pytest.mark.parametrize(
    ("label", "title"),
    [
        ("Time to event", "Without event, %"),
        ("Time to progression", "Without progression, %"),
        ("Duration of response", "Still in response, %"),
        ("Overall survival", "Overall survival, %"),
        ("Time to", "Time to, %"),
    ],
)
def test_the_axis_names_a_share_and_not_a_time(label: str, title: str) -> None:
    cohort = make_cohort(
        {"time": [1, 2], "status": [1, 0]}, endpoints={"OS": endpoint(label=label)}
    )
    figure = survival_curve(kaplan_meier(cohort, KaplanMeierSpec("OS")))
    assert figure.body.panel.y.title == title
