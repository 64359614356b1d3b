"""What stands under tables of the selection: few criteria by name, many by number."""

from __future__ import annotations

import pytest

from sts_core.analysis.provenance import NAMED_CRITERIA, provenance_of
from sts_core.criteria import apply_criteria
from sts_core.study.types import AnalysisSection, Between, OneOf
from tests.cohorts import make_cohort


def selected(n_criteria: int, *, late: int = 0):
    """Give a cohort of which each criterion removes one patient; the last ones are late."""
    criteria = tuple(
        OneOf("mark", (f"m{number}",), label=f"Mark {number}", excludes=True,
              after_time_zero=number >= n_criteria - late)
        for number in range(n_criteria)
    )  # fmt: skip
    columns = {
        "time": list(range(1, 13)),
        "status": [1] * 12,
        "mark": [f"m{number}" for number in range(12)],
    }
    return apply_criteria(make_cohort(columns, analysis=AnalysisSection(criteria=criteria)))


@pytest.mark.parametrize("n_criteria", [1, NAMED_CRITERIA])
def test_few_criteria_are_named_under_every_table(n_criteria: int) -> None:
    found = provenance_of(selected(n_criteria))
    assert found.footnotes == found.record
    assert "removed by criteria: mark 0 (n = 1)" in found.footnotes[0]


def test_many_criteria_are_counted_under_tables_and_named_in_the_record() -> None:
    n_criteria = NAMED_CRITERIA + 2
    found = provenance_of(selected(n_criteria, late=2))
    assert found.n_removed == n_criteria == 12 - found.n_analysed
    assert (
        "; 5 removed by 5 criteria (see the flow of patients), 2 of them by 2 known only after "
        "time zero."
    ) in found.footnotes[0]
    for number in range(n_criteria):
        assert f"mark {number} (n = 1" in found.record[0]
    assert "known only after time zero removes" in found.footnotes[1]
    assert found.footnotes[1:] == found.record[1:]


def test_a_criterion_not_met_says_so() -> None:
    cohort = make_cohort(
        {"time": [1, 2, 3], "status": [1, 1, 0], "size": [1, 2, 3]},
        analysis=AnalysisSection(criteria=(Between("size", low=2, label="Two or larger"),)),
    )
    assert "not met: Two or larger (n = 1)" in provenance_of(apply_criteria(cohort)).record[0]
