"""Weighted tests, trend, differences and proportional hazards between groups, against R."""

from __future__ import annotations

import csv
import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sts_core.estimators.cox import cox_fit
from sts_core.estimators.cox_residuals import proportional_hazards_test
from sts_core.estimators.log_rank import log_rank, log_rank_trend
from sts_core.estimators.product_limit import product_limit
from sts_core.estimators.survival_difference import rate_difference, restricted_mean_difference
from sts_core.estimators.tied_times import align_ties
from validation.kaplan_meier import random_cohort
from validation.suite import TOLERANCE, Floats, SuiteResult, relative_errors, run_script

name: Final = "Comparisons between groups"

FITTED: Final = frozenset({"zph", "stratified hr"})
"""Quantities of an iterated fit, compared with a tolerance of 1e-6."""

Key = tuple[int, str]


@dataclass(frozen=True)
class Groups:
    """Follow-up of one cohort with groups and strata, nobody entering late."""

    time: Floats
    event: NDArray[np.bool_]
    group: NDArray[np.str_]
    stratum: NDArray[np.str_]


def numbers_of(cohort: Groups, quantity: str) -> list[float]:
    """Give what ``comparison.R`` gives under a name; NaN where not estimable."""
    time, event, group = cohort.time, cohort.event, cohort.group
    strata = cohort.stratum if quantity.startswith("stratified") else None
    what = quantity.removeprefix("stratified ")
    levels = sorted(set(group.tolist()))
    if what == "trend":
        return [_or_nan(log_rank_trend(log_rank(time, event, group)).statistic)]
    if what == "zph":
        columns = (group[:, None] == np.array(levels[1:])[None, :]).astype(float)
        fit = cox_fit(time, event, columns)
        test = proportional_hazards_test(
            fit, time, event, columns, terms=[range(len(levels) - 1)]
        ).terms[0]
        return [_or_nan(test.statistic), _or_nan(test.df), _or_nan(test.p_value)]
    if what == "hr" or what.startswith(("rate", "rmean")):
        return _of_two(cohort, what, [group == level for level in levels[:2]])
    rho = gamma = 0.0
    if what.startswith("fh"):
        _, first, second = what.split()
        what, rho, gamma = "fleming-harrington", float(first), float(second)
    tested = log_rank(time, event, group, strata=strata, weights=what, rho=rho, gamma=gamma)
    return [tested.statistic, float(tested.df)]


def _or_nan(number: float | None) -> float:
    return math.nan if number is None else float(number)


def _of_two(cohort: Groups, what: str, two: Sequence[NDArray[np.bool_]]) -> list[float]:
    """Give the second group against the first."""
    if what == "hr":
        both = two[0] | two[1]
        fit = cox_fit(
            cohort.time[both],
            cohort.event[both],
            two[1][both].astype(float),
            strata=cohort.stratum[both],
        )
        return [math.exp(fit.coefficients[0]), float(fit.std_errors[0])]
    # ties are decided over the whole cohort, as R does
    (aligned,) = align_ties(cohort.time)
    first, second = (product_limit(aligned[mask], cohort.event[mask]) for mask in two)
    end = min(first.last_time, second.last_time)
    found = (
        restricted_mean_difference(second, first, 0.9 * end)
        if what == "rmean"
        else rate_difference(second, first, float(what.split()[1]) * end, extend=True)
    )
    return [found.value, found.std_error, found.p_value]


def run(n: int, seed: int) -> SuiteResult:
    """Compare ``n`` random cohorts with R; those with a late entry or one group are left out.

    Parameters
    ----------
    n
        Number of cohorts.
    seed
        Start of the random numbers; the same seed makes the same cohorts.

    Returns
    -------
    SuiteResult
        Disagreements are values with ``|ours - R| > tolerance * max(1, |R|)``, and values that R
        gives and ours does not; those that only ours gives are counted.
    """
    cohorts: dict[int, Groups] = {}
    case = -1
    while len(cohorts) < n:
        case += 1
        made = random_cohort(seed, case)
        if not made.has_entry and len(set(made.group.tolist())) > 1:
            cohorts[case] = Groups(made.time, made.event, made.group, made.stratum)
    theirs = _run_r(cohorts)
    count, largest = 0, 0.0
    disagreements: list[str] = []
    skipped: Counter[str] = Counter()
    for (place, quantity), reference in theirs.items():
        mine = np.asarray(numbers_of(cohorts[place], quantity))
        if mine.shape != reference.shape or np.any(np.isnan(mine)):
            disagreements.append(f"case {place}, {quantity}: ours {mine}, R {reference}")
            continue
        if quantity not in FITTED and mine.size == 2 and mine[1] != reference[1]:
            # groups that never meet in a stratum cost a degree of freedom in ours
            skipped["groups never at risk together (R inverts a nearly singular matrix)"] += 1
            continue
        error = relative_errors(mine, reference)
        count += error.size
        tolerance = 1e-6 if quantity in FITTED else TOLERANCE
        if float(error.max()) > tolerance:
            disagreements.append(f"case {place}, {quantity}: ours {mine}, R {reference}")
        largest = max(largest, float(error.max()))
    return SuiteResult(name, len(cohorts), count, disagreements, largest, dict(skipped))


def _run_r(cohorts: dict[int, Groups]) -> dict[Key, Floats]:
    """Let one R process work on all cohorts."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "cohorts.csv"), Path(folder, "results.csv")
        with given.open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            rows.writerow(["case", "time", "event", "entry", "group", "stratum"])
            for case, cohort in cohorts.items():
                rows.writerows(
                    [case, repr(float(time)), int(event), 0.0, group, stratum]
                    for time, event, group, stratum in zip(
                        cohort.time, cohort.event, cohort.group, cohort.stratum, strict=True
                    )
                )
        run_script(__file__, given, found)
        values: dict[Key, list[float]] = {}
        with found.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                values.setdefault((int(row["case"]), row["quantity"]), []).append(
                    float(row["value"])
                )
    return {key: np.array(numbers) for key, numbers in values.items()}
