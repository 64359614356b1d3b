"""Parametric survival against R's ``survreg``; the generalised gamma against what it contains."""

from __future__ import annotations

import csv
import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np

from sts_core.estimates import NotEstimable
from sts_core.estimators.parametric_survival import (
    Family,
    ParametricFit,
    parametric_fit,
    quantile_interval,
)
from validation.kaplan_meier import RandomCohort, random_cohort
from validation.suite import Floats, SuiteResult, numbers_of_r, run_script

name: Final = "Parametric survival"

TOLERANCE: Final = 1e-6
_IN_R: Final = {
    Family.EXPONENTIAL: "exponential",
    Family.WEIBULL: "weibull",
    Family.LOG_NORMAL: "lognormal",
    Family.LOG_LOGISTIC: "loglogistic",
}
_BORDER: Final = (
    "events fall together or nearly so: ours is not estimable, R stops on the way or fails"
)
_R_FAILED: Final = "R did not converge or gives NaN; ours has a gradient of 0"
_FEW: Final = "fewer events than parameters; not compared"


def run(n: int, seed: int) -> SuiteResult:
    """Compare ``n`` random cohorts without delayed entry and without an event at 0 with R.

    Returns
    -------
    SuiteResult
        Disagreements are values with ``|ours - R| > 1e-6 * max(1, |R|)``, and generalised gammas
        whose likelihood is below that of the Weibull or log-normal, which are special cases.
    """
    cohorts: list[RandomCohort] = []
    case = 0
    while len(cohorts) < n:
        cohort = random_cohort(seed, case)
        case += 1
        if not cohort.has_entry and not np.any((cohort.time == 0) & cohort.event):
            cohorts.append(cohort)
    theirs = _run_r(cohorts)
    disagreements: list[str] = []
    skipped: Counter[str] = Counter()
    count, largest = 0, 0.0
    for number, cohort in enumerate(cohorts):
        fits = {family: parametric_fit(cohort.time, cohort.event, family) for family in Family}
        for family, label in _IN_R.items():
            fit = fits[family]
            if fit.reason is NotEstimable.NO_EVENTS:
                continue
            if fit.reason is NotEstimable.TOO_FEW:
                skipped[_FEW] += 1
                continue
            parameters = theirs.get((number, f"{label}.parameters"))
            if fit.reason is not None:
                skipped[_BORDER] += 1
                if parameters is not None and parameters[1] > math.log(1e-3):
                    disagreements.append(f"case {number}, {label}: ours {fit.reason}, R a fit")
                continue
            if parameters is None or np.any(np.isnan(parameters)):
                skipped[_R_FAILED] += 1
                continue
            for quantity, ours in _values(fit).items():
                reference = theirs[number, f"{label}.{quantity}"]
                error = np.abs(ours - reference) / np.maximum(1, np.abs(reference))
                count += ours.size
                largest = max(largest, float(error.max()))
                if not np.all(error <= TOLERANCE):
                    worst = int(np.argmax(error))
                    disagreements.append(
                        f"case {number}, {label}, {quantity}: ours {ours[worst]:.17g}, "
                        f"R {reference[worst]:.17g}"
                    )
        gamma = fits[Family.GENERALISED_GAMMA]
        if gamma.reason is None:
            for family in (Family.WEIBULL, Family.LOG_NORMAL):
                inside = fits[family]
                if inside.reason is None:
                    count += 1
                    if gamma.log_likelihood < inside.log_likelihood - 1e-7:
                        disagreements.append(
                            f"case {number}, generalised gamma {gamma.log_likelihood:.17g} below "
                            f"{family} {inside.log_likelihood:.17g}"
                        )
    return SuiteResult(name, len(cohorts), count, disagreements, largest, dict(skipped))


def _values(fit: ParametricFit) -> dict[str, Floats]:
    k = fit.n_parameters
    return {
        "parameters": np.array([fit.location, math.log(fit.scale)]),
        "covariance": fit.covariance[:k, :k].ravel(),
        "log_likelihood": np.array([fit.log_likelihood]),
        "criteria": np.array([fit.aic, fit.bic]),
        "log_median": np.log(quantile_interval(fit)),
    }


def _run_r(cohorts: list[RandomCohort]) -> dict[tuple[int, str], Floats]:
    """Let R work on all cohorts; they are made up, so that a temporary file holds no patient."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / file for file in ("cohorts.csv", "results.txt")]
        with paths[0].open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["case", "time", "event"])
            for case, cohort in enumerate(cohorts):
                rows = zip(cohort.time.tolist(), cohort.event.tolist(), strict=True)
                writer.writerows([case, repr(time), int(event)] for time, event in rows)
        run_script(__file__, *paths)
        found = {}
        for line in paths[1].read_text().splitlines():
            case_text, quantity, values = line.split("|")
            found[int(case_text), quantity] = numbers_of_r(values)
        return found
