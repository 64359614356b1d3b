"""Where a flow ends: populations with patients whom a late criterion excluded, and those within."""

from __future__ import annotations

from sts_core.analysis.population_ends import PopulationEnd, population_ends
from sts_core.study import AnalysisSection, Between, OneOf, Population
from tests.cohorts import make_cohort

COLUMNS = {
    "time": [1, 2, 3, 4, 5],
    "status": [1, 0, 1, 1, 0],
    "age": [10, 40, 50, 60, 70],
    "cycles": ["1", "1", "2", "2", "2"],
    "best_response": ["PR", "PD", "NE", None, "SD"],
}


def test_populations_beyond_and_within_the_patients_analysed() -> None:
    analysis = AnalysisSection(
        criteria=(
            Between("age", low=18),
            OneOf("cycles", ("1",), excludes=True, after_time_zero=True),
        ),
        populations={"old": Population("Aged 60 or more", "all", (Between("age", low=60),))},
    )
    cohort = make_cohort(COLUMNS, analysis=analysis)
    assert cohort.n == 3
    assert population_ends(cohort) == (
        PopulationEnd("treated", "All treated", 4, 1),
        PopulationEnd("response_evaluable", "Response-evaluable population", 1, 0),
        PopulationEnd("safety", "Safety population", 4, 1),
        PopulationEnd("old", "Aged 60 or more", 2, 0),
    )


def test_a_population_whose_column_is_gone_is_left_out() -> None:
    analysis = AnalysisSection(
        populations={"gone": Population("Gone", "all", (OneOf("nowhere", ("x",)),))}
    )
    columns = {name: cells for name, cells in COLUMNS.items() if name != "best_response"}
    assert population_ends(make_cohort(columns, analysis=analysis)) == ()
