"""Whom a figure counts: what its marks carry is what the analysis counted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sts_core.analysis.cox import CoxSpec, cox
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.patient_list import members_of
from sts_core.analysis.response import ResponseSpec, response
from sts_core.cohort import FlowDiagram
from sts_core.figures.catalogue import cox_forest, response_forest
from sts_core.figures.counted import counted_in
from sts_core.figures.flow_diagram import flow_diagram
from sts_core.figures.marks import Chart, SmallMultiples
from sts_core.figures.survival_curve import survival_curve
from sts_core.members import Members
from sts_core.render.plotly import to_plotly
from sts_core.study import Variable
from tests.cohorts import make_cohort

COHORT = make_cohort(
    {
        "time": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "status": [1, 0, 1, 1, 0, 1, 1, 0, 0, 1],
        "group": ["A", "B", "A", "B", "A", "B", "A", "B", None, "B"],
        "many": ["1", "2", "3", "4", "5", "1", "2", "3", "4", "5"],
        "best_response": ["PR", "PD", "SD", "CR", None, "NE", "PR", "SD", "PD", "PD"],
    },
    variables={"group": Variable("Group"), "many": Variable("Many")},
)


def sizes(counted: dict[str, Members]) -> list[int]:
    return sorted(int(members_of(COHORT, members).sum()) for members in counted.values())


def test_curves_list_their_group_and_ticks_who_was_censored() -> None:
    result = kaplan_meier(COHORT, KaplanMeierSpec("OS", by="group"))
    figure = survival_curve(result)
    assert isinstance(figure.body, Chart)
    marks = replace(figure, body=replace(figure.body, strip=None))
    censored = [1] * sum(len(group.censor_times) for group in result.groups)
    assert sizes(counted_in(marks)) == sorted([*censored, *(group.n for group in result.groups)])
    drawn = to_plotly(figure)["data"]
    named = [trace["meta"]["counts"] for trace in drawn if "counts" in (trace.get("meta") or {})]
    flat = {key for one in named for key in (one if isinstance(one, list) else [one]) if key}
    assert flat <= counted_in(figure).keys()
    assert counted_in(marks).keys() <= flat
    assert json.loads(json.dumps(named)) == named


@pytest.mark.parametrize("by", [None, "group", "many"])
def test_numbers_under_the_curves_are_the_lengths_of_their_lists(by: str | None) -> None:
    figure = survival_curve(kaplan_meier(COHORT, KaplanMeierSpec("OS", by=by, tick_step=0.1)))
    body = figure.body
    assert isinstance(body, Chart | SmallMultiples)
    if isinstance(body, Chart):
        assert body.strip is not None
        rows = [row for group in body.strip.groups for row in group.rows]
    else:
        rows = [row for chart in body.charts for row in chart.rows]
    for row in rows:
        listed = [int(members_of(COHORT, members).sum()) for members in row.members]
        assert [str(n) for n in listed] == [*row.cells], row.name
    strips = [trace for trace in to_plotly(figure)["data"]
              if trace["name"] == "Numbers under the axis"]  # fmt: skip
    keys = {key for trace in strips for key in trace["meta"]["counts"] if key}
    assert keys
    assert keys <= counted_in(figure).keys()
    for trace in strips:
        for text, key in zip(trace["text"], trace["meta"]["counts"], strict=True):
            assert key is not None or text == "0"


def test_points_of_a_forest_list_the_patients_they_rest_on() -> None:
    by_group = response(COHORT, ResponseSpec(by="group"))
    forest = response_forest(by_group)
    assert forest is not None
    shown = [by_group.overall.n, *(group.n for group in by_group.groups)]
    assert sizes(counted_in(forest)) == sorted(shown)
    ratios = cox(COHORT, CoxSpec("OS", ("group",)))
    shown = [level.n for level in ratios.covariates[0].levels if not level.is_reference]
    assert sizes(counted_in(cox_forest(ratios))) == sorted(shown)


def test_a_diagram_says_where_its_counts_lie_and_has_no_marks() -> None:
    assert counted_in(flow_diagram(FlowDiagram(3))) == {}
