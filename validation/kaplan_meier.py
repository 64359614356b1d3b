"""Kaplan-Meier, what is read from it, and the log-rank family, against R's survival."""

from __future__ import annotations

import csv
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sts_core.estimators.follow_up import FollowUpTies, reverse_curve
from sts_core.estimators.log_rank import LogRank, log_rank, log_rank_trend
from sts_core.estimators.product_limit import (
    ConfType,
    ProductLimit,
    confidence_limits,
    product_limit,
    quantile,
    restricted_mean,
    survival_at,
)
from sts_core.estimators.tied_times import align_ties
from validation.suite import (
    ALL,
    TOLERANCE,
    Bools,
    Comparison,
    Floats,
    Key,
    SuiteResult,
    read_results,
    run_script,
)

name: Final = "Kaplan-Meier and log-rank"

_PROBABILITIES: Final = (0.25, 0.5, 0.75)
# At a survival of 1 these scales have no interval; R prints 1 to 1 before the first time of a
# curve and NA after it. We give none in both places.
_AT_ONE: Final = "limit before the first time (R prints 1)"
_NEVER_MEET: Final = "groups never at risk together (R inverts a singular matrix)"
_R_ERROR: Final = "R gives an error, ours no full test"
_SCORE_ZERO: Final = "Cox score test of R 0 or missing, ours is not estimable"
_R_NO_TEST: Final = "R prints chi-square 0 without a test, ours is not estimable"


@dataclass(frozen=True)
class RandomCohort:
    """Follow-up of one made-up cohort, with times at which to read its curve."""

    time: Floats
    event: NDArray[np.bool_]
    entry: Floats
    group: NDArray[np.str_]
    stratum: NDArray[np.str_]
    chosen: Floats
    horizon: float

    @property
    def has_entry(self) -> bool:
        """Whether anybody came under observation late."""
        return bool(np.any(self.entry > 0))


def random_cohort(seed: int, case: int) -> RandomCohort:
    """Make a cohort of 2 to 300 subjects: ties, censoring from none to all, groups of any size."""
    rng = np.random.default_rng([seed, case])
    n = round(math.exp(rng.uniform(math.log(2), math.log(300))))
    n_groups = int(rng.integers(1, 7))
    group = rng.choice(n_groups, size=n, p=rng.dirichlet(np.full(n_groups, 2.0)))
    effect = rng.choice([0.0, 0.5, 1.5])
    mean = rng.choice([9.0, 30.0, 400.0]) * np.exp(effect * rng.normal(size=n_groups))[group]
    latent = mean * rng.weibull(rng.choice([0.7, 1.0, 2.0]), size=n)
    heaviness = rng.choice([0.0, 0.3, 1.0, 4.0, 30.0])
    typical = float(np.median(mean))
    censored_at = np.full(n, np.inf)
    if heaviness:
        censored_at = rng.uniform(0, 3 * typical / heaviness, size=n)
    if rng.random() < 0.3:
        censored_at = np.minimum(censored_at, typical * rng.uniform(0.3, 1.5))
    time = np.minimum(latent, censored_at)
    event = latent <= censored_at

    grain = float(rng.choice([0.0, 0.0, 0.01, 0.1, 1.0, typical / 4]))
    if grain:
        time = np.round(time / grain) * grain
    entry = np.zeros(n)
    if rng.random() < 0.25:
        time = time + (grain or 0.01)
        late = rng.random(n) < rng.uniform(0.1, 1.0)
        entry = np.where(late, time * rng.uniform(0, 0.95, size=n), 0.0)
        if grain:
            entry = np.floor(entry / grain) * grain
        entry = np.where(time - entry > 1e-3 * np.maximum(1, time), entry, 0.0)
    elif grain and rng.random() < 0.3:
        # The same time from another sum of floating point numbers.
        time = np.where(rng.random(n) < 0.5, time / 30.4375 * 30.4375, time)
        time = time + np.where(time > 0, rng.choice([0.0, 1e-12, 3e-11], size=n), 0.0)
    n_strata = int(rng.choice([1, 2, 4]))
    largest = float(time.max())
    chosen = np.unique(np.round(largest * rng.uniform(0, 1.3, size=5), 3) + 0.00037)
    chosen = np.concatenate([[0.0], chosen])
    if not np.any(np.diff(np.unique(time)) < 1e-6):
        chosen = np.unique(np.concatenate([chosen, rng.choice(time, size=2)]))
    return RandomCohort(
        time=time,
        event=event,
        entry=entry,
        group=np.array([f"g{code}" for code in group]),
        stratum=np.array([f"s{code}" for code in rng.integers(0, n_strata, size=n)]),
        chosen=chosen,
        horizon=max(largest * rng.uniform(0.2, 1.3), 1e-6),
    )


def run(n: int, seed: int) -> SuiteResult:
    """Compare ``n`` random cohorts with R.

    Parameters
    ----------
    n
        Number of cohorts.
    seed
        Start of the random numbers; the same seed makes the same cohorts.

    Returns
    -------
    SuiteResult
        Disagreements are values with ``|ours - R| > 1e-8 * max(1, |R|)``, and values that one side
        gives and the other does not.
    """
    cohorts = [random_cohort(seed, case) for case in range(n)]
    comparison = Comparison(_run_r(cohorts))
    for case, cohort in enumerate(cohorts):
        _compare_curves(comparison, case, cohort)
        _compare_tests(comparison, case, cohort)
    return comparison.result(name, len(cohorts))


def _compare_curves(comparison: Comparison, case: int, cohort: RandomCohort) -> None:
    # Ties are decided over the whole cohort, as R does, and the groups taken from it.
    time, entry = cohort.time, None
    if cohort.has_entry:
        entry = np.where(cohort.entry > 0, cohort.entry, -np.inf)
        time, entry = align_ties(time, entry)
    else:
        (time,) = align_ties(time)
    groups = sorted(set(cohort.group.tolist()))
    parts = {ALL: np.ones(time.size, dtype=np.bool_)}
    if len(groups) > 1:
        parts |= {g: cohort.group == g for g in groups}
    for group, who in parts.items():
        curve = product_limit(
            time[who], cohort.event[who], entry=None if entry is None else entry[who]
        )
        _compare_curve(comparison, case, group, curve, cohort)
        flip = reverse_curve(curve, FollowUpTies.FLIPPED)
        comparison.equal(case, "flip.surv", group, flip.estimate)
        found = [quantile(flip, p) for p in _PROBABILITIES]
        values = [q.value for q in found] + [q.low for q in found] + [q.high for q in found]
        comparison.equal(case, "flip.quantile", group, values)


def _compare_curve(
    comparison: Comparison, case: int, group: str, curve: ProductLimit, cohort: RandomCohort
) -> None:
    def equal(quantity: str, ours: ArrayLike, apart: Bools | None = None) -> None:
        comparison.equal(case, quantity, group, ours, apart=apart)

    equal("time", curve.time)
    equal("n_risk", curve.n_risk)
    equal("n_event", curve.n_event)
    equal("n_censor", curve.n_censor)
    equal("surv", curve.estimate)
    equal("std_err_log", np.sqrt(curve.greenwood))
    before = cohort.chosen < curve.time[0]
    for conf_type in ConfType:
        low, high = confidence_limits(curve, 0.95, conf_type)
        equal(f"{conf_type}.lower", low)
        equal(f"{conf_type}.upper", high)
        found = [quantile(curve, p, 0.95, conf_type) for p in _PROBABILITIES]
        equal(f"{conf_type}.quantile", [q.value for q in found])
        equal(f"{conf_type}.quantile_lower", [q.low for q in found])
        equal(f"{conf_type}.quantile_upper", [q.high for q in found])
        read = survival_at(curve, cohort.chosen, 0.95, conf_type, extend=True)
        apart = None if conf_type in (ConfType.PLAIN, ConfType.LOG) else before
        comparison.skip(_AT_ONE, 0 if apart is None else 2 * int(apart.sum()))
        equal(f"{conf_type}.at_lower", read.conf_low, apart)
        equal(f"{conf_type}.at_upper", read.conf_high, apart)

    at = survival_at(curve, cohort.chosen, extend=True)
    equal("at.surv", at.estimate)
    equal("at.std_err", at.std_error)
    equal("at.cumulative_events", at.n_event)
    if not cohort.has_entry:
        equal("at.n_risk", at.n_risk)

    horizon = max(cohort.horizon, float(curve.time[0]))
    for quantity, end in (("rmean", horizon), ("rmean_to_last", curve.last_time)):
        mean = restricted_mean(curve, end, extend=True) if end > 0 else restricted_mean(curve)
        equal(quantity, [mean.value, mean.std_error])


def _compare_tests(comparison: Comparison, case: int, cohort: RandomCohort) -> None:
    entry = cohort.entry if cohort.has_entry else None
    if entry is None:
        for rho in (0.0, 0.5, 1.0, 2.0):
            _compare_test(
                comparison, case, f"survdiff{rho:g}", _weighted(cohort, rho, stratified=False)
            )
        if len(set(cohort.stratum.tolist())) > 1:
            for rho in (0.0, 0.5, 1.0):
                _compare_test(
                    comparison, case, f"stratified{rho:g}", _weighted(cohort, rho, stratified=True)
                )

    plain = log_rank(cohort.time, cohort.event, cohort.group, entry=entry)
    trend = log_rank_trend(plain)
    for quantity, ours in (
        ("score_trend", None if trend.statistic is None else [trend.statistic]),
        ("score_groups", None if plain.reason else [plain.statistic, plain.df]),
    ):
        theirs = comparison.theirs(case, quantity)
        if theirs is None:
            continue
        if ours is not None:
            comparison.equal(case, quantity, ALL, ours)
        elif np.isnan(theirs[0]) or theirs[0] < TOLERANCE:
            comparison.skip(_SCORE_ZERO)
        else:
            comparison.disagree(case, quantity, ALL, f"ours none, R {theirs[0]:.17g}")


def _weighted(cohort: RandomCohort, rho: float, *, stratified: bool) -> LogRank:
    return log_rank(
        cohort.time,
        cohort.event,
        cohort.group,
        strata=cohort.stratum if stratified else None,
        weights="fleming-harrington",
        rho=rho,
    )


def _compare_test(comparison: Comparison, case: int, quantity: str, ours: LogRank) -> None:
    counted = int(np.count_nonzero(ours.expected > 0))
    if comparison.theirs(case, f"{quantity}.error") is not None:
        comparison.skip(f"{_R_ERROR} ({ours.reason or 'fewer df'})")
        if ours.reason is None and ours.df >= counted - 1:
            comparison.disagree(case, quantity, ALL, "R gives an error, ours a full test")
        return
    comparison.equal(case, f"{quantity}.observed", ALL, ours.observed)
    comparison.equal(case, f"{quantity}.expected", ALL, ours.expected)
    comparison.equal(case, f"{quantity}.variance", ALL, ours.variance.ravel())
    theirs = comparison.theirs(case, f"{quantity}.chisq")
    if ours.reason is not None:
        comparison.skip(_R_NO_TEST)
        if theirs is None or theirs[0] != 0:
            comparison.disagree(case, quantity, ALL, f"ours {ours.reason}, R a test")
    elif ours.df < counted - 1:
        comparison.skip(_NEVER_MEET)
    else:
        comparison.equal(case, f"{quantity}.chisq", ALL, [ours.statistic, ours.df, ours.p_value])


def _run_r(cohorts: list[RandomCohort]) -> dict[Key, Floats]:
    """Let R work on all cohorts; they are made up, so that a temporary file holds no patient."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / file for file in ("cohorts.csv", "times.csv", "results.txt")]
        write_cohorts(cohorts, paths[0], paths[1])
        run_script(__file__, *paths)
        return dict(read_results(paths[2]))


def write_cohorts(cohorts: list[RandomCohort], follow_up: Path, times: Path) -> None:
    """Write the cohorts, and the times at which each is read, for an R script."""
    with follow_up.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["case", "time", "event", "entry", "group", "stratum"])
        for case, c in enumerate(cohorts):
            for row in zip(c.time, c.event, c.entry, c.group, c.stratum, strict=True):
                time, event, entry, group, stratum = row
                writer.writerow(
                    [case, repr(float(time)), int(event), repr(float(entry)), group, stratum]
                )
    with times.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["case", "time", "horizon"])
        for case, c in enumerate(cohorts):
            writer.writerows([case, repr(float(t)), repr(c.horizon)] for t in c.chosen)


def read_cohorts(follow_up: Path, times: Path) -> list[RandomCohort]:
    """Read what :func:`write_cohorts` wrote."""
    with follow_up.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with times.open(newline="") as stream:
        read_at = list(csv.DictReader(stream))
    cohorts = []
    for case in dict.fromkeys(row["case"] for row in rows):
        mine = [row for row in rows if row["case"] == case]
        chosen = [row for row in read_at if row["case"] == case]
        cohorts.append(
            RandomCohort(
                time=np.array([float(row["time"]) for row in mine]),
                event=np.array([row["event"] == "1" for row in mine]),
                entry=np.array([float(row["entry"]) for row in mine]),
                group=np.array([row["group"] for row in mine]),
                stratum=np.array([row["stratum"] for row in mine]),
                chosen=np.array([float(row["time"]) for row in chosen]),
                horizon=float(chosen[0]["horizon"]),
            )
        )
    return cohorts
