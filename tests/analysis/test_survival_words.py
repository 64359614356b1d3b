"""Sentences and tables of survival at every edge: not reached, no event, one time, one patient."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    kaplan_meier,
    methods_sentence,
    more_estimates_table,
    result_sentences,
    survival_table,
)
from sts_core.analysis.survival_comparison import (
    SurvivalComparisonSpec,
    survival_comparison,
)
from sts_core.analysis.survival_comparison_report import (
    methods_sentence as comparison_methods,
)
from sts_core.analysis.survival_comparison_report import (
    result_sentences as comparison_sentences,
)
from sts_core.cohort import Cohort
from sts_core.estimates import NotEstimable
from sts_core.study import AnalysisSection, Measured, TimeUnit, Variable
from sts_core.study.types import ConventionName
from tests.cohorts import endpoint, make_cohort
from tests.test_architecture import CAUSAL

NAMES: tuple[ConventionName, ...] = ("app", "R", "SPSS")
EDGES: dict[str, tuple[list[float], list[int], list[str | None]]] = {
    "nobody": ([], [], []),
    "one patient, event": ([3], [1], ["A"]),
    "one patient, censored": ([3], [0], ["A"]),
    "one patient at time 0": ([0], [1], ["A"]),
    "everybody at time 0": ([0, 0, 0, 0], [1, 0, 1, 0], ["A", "A", "B", "B"]),
    "all censored": ([3, 4, 5, 6], [0, 0, 0, 0], ["A", "A", "B", "B"]),
    "all events at one time": ([5, 5, 5, 5], [1, 1, 1, 1], ["A", "A", "B", "B"]),
    "an event and a censoring together": ([5, 5, 5, 7], [1, 0, 1, 0], ["A", "A", "B", "B"]),
    "exactly one half": ([1, 2, 3, 4], [1, 1, 0, 0], ["A", "A", "A", "A"]),
    "exactly one half, last an event": ([1, 2, 3, 4], [1, 0, 0, 1], ["A", "A", "A", "A"]),
    "no event in one group": ([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], list("AAABBB")),
    "groups alike": ([1, 1, 2, 2, 3, 3, 4, 4], [1] * 8, list("ABABABAB")),
    "groups never together": ([1, 2, 3, 11, 12, 13], [1, 1, 1, 1, 1, 1], list("AAABBB")),
    "a group not known": ([1, 2, 3, 4], [1, 1, 0, 1], ["A", None, "B", None]),
    "one group gone before the first event": ([1, 2, 5, 6, 7], [0, 0, 1, 1, 0], list("BBAAA")),
    "last censored": ([1, 2, 3, 40], [1, 1, 1, 0], list("ABAB")),
}


def cohort_of(edge: str, name: ConventionName = "app") -> Cohort:
    time, status, group = EDGES[edge]
    return make_cohort(
        {"time": time, "status": status, "group": group},
        endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)},
        analysis=AnalysisSection(convention=name),
    )


def run(edge: str, name: ConventionName = "app", **spec: Any) -> KaplanMeierResult:
    return kaplan_meier(
        cohort_of(edge, name), KaplanMeierSpec("OS", **{"landmarks": (0, 2, 100), **spec})
    )


def check(sentence: str) -> None:
    assert sentence.endswith(".")
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b|∞|\s\s|\.\.|\(\)|\b[01]\.000\b", sentence)
    assert not CAUSAL.search(sentence), sentence


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("edge", EDGES)
def test_every_edge_is_said_in_sentences(edge: str, name: ConventionName) -> None:
    for by in (None, "group"):
        result = run(edge, name, by=by)
        for sentence in (*result_sentences(result), methods_sentence(result), *result.footnotes):
            check(sentence)
        for table in (survival_table(result), more_estimates_table(result)):
            for cells in table.formatted():
                assert not any(re.search(r"nan|None|inf\b", cell) for cell in cells)
        # what the sentences say is what the table says
        text = " ".join(result_sentences(result))
        for group in result.groups:
            if group.n and group.n_event and group.median.value is None:
                assert group.median.reason is NotEstimable.NOT_REACHED
                assert "was not reached" in text
            if group.n and not group.n_event:
                assert "no event was seen in" in text


@pytest.mark.parametrize("edge", EDGES)
def test_comparisons_are_said_at_every_edge(edge: str) -> None:
    result = survival_comparison(cohort_of(edge), SurvivalComparisonSpec("OS", "group"))
    for sentence in (*comparison_sentences(result), comparison_methods(result)):
        check(sentence)


def test_words_of_some_edges() -> None:
    said = {edge: result_sentences(run(edge)) for edge in EDGES}
    assert said["nobody"] == ("There are no patients.",)
    assert said["one patient, censored"] == (
        "In all patients, no event was seen in 1 patient.",
        "In all patients, an estimated 100.0% at 0 days and 100.0% at 2 days were without the "
        "event; follow-up gives no estimate at 100 days.",
        "Median follow-up was 3.0 days.",
    )
    assert said["one patient at time 0"][1] == (
        "In all patients, an estimated 0.0% at 0 days, 0.0% at 2 days and 0.0% at 100 days were "
        "without the event."
    )
    # flat at one half from 2 on, and nothing follows: the middle of 2 and the last time, or 2
    assert "was 3.0 days" in said["exactly one half"][0]
    assert "was 2.0 days" in result_sentences(run("exactly one half", "SPSS"))[0]
    alike = result_sentences(run("groups alike", by="group"))
    assert "Log-rank test between A and B: χ² = 0.00, df = 1, P >0.999." in alike
    # not “all patients have the same value”, which is not so
    why = "patients who differ are never at risk together at an event that some survive"
    gone = result_sentences(run("one group gone before the first event", by="group"))
    assert f"Log-rank test between A and B: not estimable ({why})." in gone
    assert f"Hazard ratio against A (Cox model): B, not estimable ({why})." in gone
    empty = make_cohort(
        {"time": [1, 2], "status": [1, 0], "group": ["A", "A"]},
        variables={"group": Variable(label="Group", levels=("A", "B"), measured=Measured.BASELINE)},
    )
    alone = comparison_sentences(survival_comparison(empty, SurvivalComparisonSpec("OS", "group")))
    assert alone[0] == (
        "The log-rank test of overall survival is not estimable (fewer than two groups with "
        "patients)."
    )
    together = run("groups never together", by="group")
    assert together.logrank is not None
    assert together.logrank.p_value is not None
    carried = result_sentences(run("last censored", "R", by=None))
    assert "at 100 days were without the event" in carried[1]
    assert "follow-up gives no estimate at 100 days" in said["last censored"][1]


# --- numbers at the edges ------------------------------------------------------------------------


def test_two_hundred_groups() -> None:
    rng = np.random.default_rng(8)
    n = 1000
    labels = [f"g{k:03}" for k in range(200)]
    cohort = make_cohort(
        {
            "time": rng.integers(0, 60, n).tolist(),
            "status": rng.integers(0, 2, n).tolist(),
            "group": [labels[k % 200] for k in range(n)],
        },
        endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)},
    )
    result = kaplan_meier(cohort, KaplanMeierSpec("OS", by="group"))
    assert len(result.groups) == 200
    assert sum(group.n for group in result.groups) == result.overall.n == n
    assert sum(group.n_event for group in result.groups) == result.overall.n_event
    assert result.logrank is not None
    assert result.logrank.df == 199
    assert len(survival_table(result).rows) == 201
    for at in range(len(result.ticks)):
        assert sum(g.risk.at_risk[at] for g in result.groups) == result.overall.risk.at_risk[at]


def test_a_million_patients_have_the_curve_of_their_counts() -> None:
    from sts_core.estimators.product_limit import product_limit, quantile

    # each of 1000 times has 600 events and 400 censorings
    time = np.tile(np.arange(1, 1001), 1000)
    event = np.repeat(np.arange(1000) < 600, 1000)
    curve = product_limit(time, event)
    at_risk = 1_000_000 - 1000 * np.arange(1000)
    expected = np.cumprod(1 - 600 / at_risk)
    assert curve.n_risk.tolist() == at_risk.tolist()
    np.testing.assert_allclose(curve.estimate, expected, rtol=1e-12)
    assert quantile(curve).value == 1 + int(np.argmax(expected < 0.5))
