"""Concordance: against every pair by hand, scikit-survival, R's stored numbers, and always."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sksurv.exceptions import NoComparablePairException
from sksurv.metrics import concordance_index_censored

from sts_core.estimates import NotEstimable
from sts_core.estimators.concordance import FEW_SUBJECTS, TIED_SCORE, Concordance, concordance

REFERENCE = Path(__file__).parents[1] / "reference"
# neighbours at, just below and just above the distance at which two scores are tied
SCORES = st.sampled_from([0.0, 6e-9, 1e-8, 2e-8, 3e-8, 0.1, 0.1 + 1e-8, 1.0, -1.0, 1e6, -1e300])
ROWS = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), SCORES | st.floats(-3, 3), st.integers(0, 2)),
    min_size=1,
    max_size=40,
)


def counts(found: Concordance) -> tuple[int, int, int]:
    return found.concordant, found.discordant, found.tied_risk


def pair_by_pair(time, event, risk, stratum) -> tuple[int, int, int]:
    more = less = same = 0
    for i in range(len(time)):
        for j in range(len(time)):
            later = time[j] > time[i] or (time[j] == time[i] and not event[j])
            if i == j or not event[i] or not later or stratum[i] != stratum[j]:
                continue
            if abs(risk[i] - risk[j]) <= TIED_SCORE:
                same += 1
            elif risk[i] > risk[j]:
                more += 1
            else:
                less += 1
    return more, less, same


@given(ROWS)
def test_every_pair_is_counted(rows: list[tuple[int, bool, float, int]]) -> None:
    time, event, risk, stratum = zip(*rows, strict=True)
    found = concordance(time, event, risk, strata=stratum)
    assert counts(found) == pair_by_pair(time, event, risk, stratum)
    assert found.n_pairs == sum(counts(found))
    assert (found.reason is None) == (found.n_pairs > 0)


@given(ROWS)
def test_counts_are_those_of_scikit_survival(rows: list[tuple[int, bool, float, int]]) -> None:
    time, event, risk, _ = (np.array(column) for column in zip(*rows, strict=True))
    found = concordance(time, event, risk, strata=np.zeros(len(time)))
    try:
        with np.errstate(invalid="ignore"):
            index, *expected = concordance_index_censored(event, time.astype(float), risk)[:4]
    except (NoComparablePairException, ValueError):
        assert np.isnan(found.estimate)
        return
    assert counts(found) == tuple(map(int, expected))
    assert found.estimate == pytest.approx(index, abs=1e-12, nan_ok=True)


@given(ROWS)
def test_few_subjects_are_counted_alike(rows: list[tuple[int, bool, float, int]]) -> None:
    time, event, risk, _ = zip(*rows, strict=True)
    few, own = (
        concordance(time, event, risk),
        concordance(time, event, risk, strata=[0] * len(rows)),
    )
    assert counts(few) == counts(own)
    assert few.reason == own.reason
    assert few.estimate == pytest.approx(own.estimate, abs=1e-12, nan_ok=True)


def test_scikit_survival_counts_few_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(event: np.ndarray, *arguments: object, **options: object) -> tuple[float, ...]:
        asked.append(len(event))
        return concordance_index_censored(event, *arguments, **options)

    monkeypatch.setattr("sksurv.metrics.concordance_index_censored", counted)
    for n in (FEW_SUBJECTS, FEW_SUBJECTS + 1):
        assert concordance(np.arange(n), np.ones(n, bool), -np.arange(n)).estimate == 1.0
    assert asked == [FEW_SUBJECTS]


@given(ROWS)
def test_turned_scores_turn_the_estimate(rows: list[tuple[int, bool, float, int]]) -> None:
    time, event, risk, _ = (np.array(column) for column in zip(*rows, strict=True))
    found, turned = concordance(time, event, risk), concordance(time, event, -risk)
    assert counts(turned) == (found.discordant, found.concordant, found.tied_risk)


@pytest.mark.parametrize("case", ["ties", "no ties", "strata"])
def test_counts_are_those_of_r(case: str) -> None:
    rows = pd.read_csv(REFERENCE / "concordance_cohorts.csv").query("case == @case")
    expected = pd.read_csv(REFERENCE / "concordance_results.csv").set_index("case").loc[case]
    strata = rows["stratum"] if case == "strata" else None
    found = concordance(rows["time"], rows["status"] == 1, rows["score"], strata=strata)
    assert counts(found) == tuple(expected[["concordant", "discordant", "tied.x"]].astype(int))
    assert found.estimate == pytest.approx(expected["concordance"], abs=1e-12)


def test_many_subjects() -> None:
    rng = np.random.default_rng(20261123)
    n = 3_000
    time, event = rng.integers(1, 400, n).astype(float), rng.random(n) < 0.6
    risk = rng.normal(size=n).round(2)
    expected = concordance_index_censored(event, time, risk)
    found = concordance(time, event, risk)
    assert counts(found) == tuple(map(int, expected[1:4]))
    assert found.estimate == pytest.approx(expected[0], abs=1e-12)


def test_counts_above_a_billion_are_exact() -> None:
    n = 70_000
    found = concordance(np.arange(n), np.ones(n, bool), -np.arange(n))
    assert counts(found) == (n * (n - 1) // 2, 0, 0)
    assert found.estimate == 1.0


def test_reasons() -> None:
    assert concordance([1, 2], [1, 1], [np.nan, np.inf]).reason is NotEstimable.NO_SUBJECTS
    assert concordance([2, 1], [0, 1], [0.0, np.nan]).reason is NotEstimable.NO_EVENTS
    assert concordance([3, 3], [1, 1], [0.0, 1.0]).reason is NotEstimable.TOO_FEW
