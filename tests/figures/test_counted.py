"""Whom a figure counts: what its marks carry is what the analysis counted."""

from __future__ import annotations

import json

from sts_core.analysis.cox import CoxSpec, cox
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.patient_list import members_of
from sts_core.analysis.response import ResponseSpec, response
from sts_core.cohort import FlowDiagram
from sts_core.figures.catalogue import cox_forest, response_forest
from sts_core.figures.counted import counted_in
from sts_core.figures.flow_diagram import flow_diagram
from sts_core.figures.survival_curve import survival_curve
from sts_core.members import Members
from sts_core.render.plotly import to_plotly
from tests.cohorts import make_cohort

COHORT = make_cohort(
    {
        "time": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "status": [1, 0, 1, 1, 0, 1, 1, 0, 0, 1],
        "group": ["A", "B", "A", "B", "A", "B", "A", "B", None, "B"],
        "best_response": ["PR", "PD", "SD", "CR", None, "NE", "PR", "SD", "PD", "PD"],
    }
)


def sizes(counted: dict[str, Members]) -> list[int]:
    return sorted(int(members_of(COHORT, members).sum()) for members in counted.values())


def test_curves_list_their_group_and_ticks_who_was_censored() -> None:
    result = kaplan_meier(COHORT, KaplanMeierSpec("OS", by="group"))
    figure = survival_curve(result)
    counted = counted_in(figure)
    censored = [1] * sum(len(group.censor_times) for group in result.groups)
    assert sizes(counted) == sorted([*censored, *(group.n for group in result.groups)])
    drawn = to_plotly(figure)["data"]
    named = [trace["meta"]["counts"] for trace in drawn if "counts" in (trace.get("meta") or {})]
    flat = {key for one in named for key in (one if isinstance(one, list) else [one])}
    assert flat == counted.keys()
    assert json.loads(json.dumps(named)) == named


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
