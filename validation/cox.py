"""Cox models against R's ``coxph``: ``python -m validation.cox --n 100``."""

from __future__ import annotations

import argparse
import csv
import math
import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sts_core.estimates import NotEstimable, TestResult
from sts_core.estimators.concordance import concordance
from sts_core.estimators.cox import CoxFit, cox_fit
from sts_core.estimators.cox_residuals import (
    TimeTransform,
    proportional_hazards_test,
    schoenfeld_residuals,
    score_residuals,
)
from sts_core.estimators.tied_times import align_ties
from validation.suite import Floats, SuiteResult, numbers_of_r, run_script

name: Final = "Cox regression"

TOLERANCE: Final = 1e-6
_WARNED: Final = "fits where R warns of an infinite coefficient or of no convergence: ours not estimable, proven by linear programming"  # noqa: E501
_NO_FIT: Final = "fits without an event or where R gives an error: ours not estimable"
_OVERFLOW: Final = (
    "fits where R's iteration overflows: linear programming proves a finite maximum, our score is 0"
)
_ROUNDING: Final = (
    "fits without any comparison in a risk set, where R prints 0 with a standard error above 1e5"
)
_UNDECIDED: Final = "of these, fits that ours calls not converged"
_PRINTED_NA: Final = "fits where R prints NA for a coefficient that goes to infinity: ours not estimable, proven by linear programming"  # noqa: E501
_ZPH_ILL: Final = "proportional hazards tests that R cannot invert or that have no information"
_NOT_ALIASED: Final = (NotEstimable.SEPARATION, NotEstimable.NOT_CONVERGED)


@dataclass(frozen=True)
class RandomModel:
    """Follow-up and covariates of one made-up cohort, and how to fit them."""

    time: Floats
    event: NDArray[np.bool_]
    covariates: Floats
    entry: Floats | None
    stratum: NDArray[np.int64] | None
    weight: Floats | None
    ties: str

    def fit(self) -> CoxFit:
        """Fit with the project's estimator."""
        return cox_fit(
            self.time,
            self.event,
            self.covariates,
            entry=self.entry,
            strata=self.stratum,
            weights=self.weight,
            ties=self.ties,
        )


def random_model(seed: int, case: int) -> RandomModel:
    """Make a cohort of 5 to 300 subjects with 1 to 5 covariates of any kind."""
    rng = np.random.default_rng([seed, case])
    n = round(math.exp(rng.uniform(math.log(5), math.log(300))))
    kinds = rng.choice(["normal", "binary", "factor", "skewed"], size=int(rng.integers(1, 4)))
    columns: list[Floats] = []
    for kind in kinds:
        if kind == "normal":
            columns.append(rng.normal(rng.choice([0.0, 60.0]), rng.choice([0.3, 1.0, 12.0]), n))
        elif kind == "skewed":
            columns.append(np.exp(rng.normal(0, 1.2, n)).round(1))
        elif kind == "binary":
            columns.append((rng.random(n) < rng.choice([0.08, 0.3, 0.5])).astype(float))
        else:
            level = rng.choice(4, size=n, p=rng.dirichlet(np.full(4, 1.5)))
            columns.extend((level == k).astype(float) for k in (1, 2, 3))
    columns = columns[:5]
    odd = rng.random()
    if odd < 0.05:
        columns.append(np.full(n, 2.5))
    elif odd < 0.1 and len(columns) < 5:
        columns.append(columns[0] * 2 + 1)
    x = np.column_stack(columns[:5])
    scale = np.maximum(x.std(axis=0), 1e-9)
    effect = rng.normal(0, rng.choice([0.0, 0.5, 1.2]), x.shape[1])
    eta = ((x - x.mean(axis=0)) / scale * (x.std(axis=0) > 0)) @ effect
    latent = 9.0 * rng.weibull(1.2, n) * np.exp(-np.clip(eta, -4, 4))
    censored_at = rng.uniform(0, rng.choice([15.0, 40.0, 400.0]), n)
    time = np.minimum(latent, censored_at)
    event = latent <= censored_at
    rounding = rng.choice(["none", "tenths", "months", "days"])
    if rounding == "tenths":
        time = np.round(time, 1)
    elif rounding == "months":
        time = np.ceil(time)
    elif rounding == "days":
        # The same day reached by two roads differs in the last binary digit.
        days = np.ceil(time * 30.4375)
        time = np.where(rng.random(n) < 0.5, days / 30.4375, days * (1 / 30.4375))
    time = np.maximum(time, 0.01)
    entry = None
    if rng.random() < 0.2:
        entry = np.where(rng.random(n) < 0.5, 0.0, time * rng.uniform(0, 0.9, n))
        entry = np.where(time - entry < 1e-3, 0.0, entry.round(3))
        entry = np.where(entry >= time, 0.0, entry)
    stratum = rng.integers(0, rng.integers(2, 25), n) if rng.random() < 0.25 else None
    weight = rng.choice([0.5, 1.0, 2.0, 3.25], n) if rng.random() < 0.2 else None
    ties = "breslow" if rng.random() < 0.35 else "efron"
    return RandomModel(time, event, x, entry, stratum, weight, ties)


def infinite_coefficients(model: RandomModel, fit: CoxFit) -> list[bool]:
    """Tell which coefficients go to infinity, by linear programming.

    The likelihood rises for ever in a direction exactly when, at every event time, all who have the
    event have the largest value of the direction's score among those at risk.
    """
    from scipy.optimize import linprog

    kept = [
        j
        for j, reason in enumerate(fit.reasons)
        if reason
        not in (
            NotEstimable.NO_VARIATION,
            NotEstimable.NEVER_COMPARED,
            NotEstimable.COLLINEAR,
        )
    ]
    x = model.covariates[:, kept]
    spread = np.ptp(x, axis=0)
    x = (x - x.mean(axis=0)) / spread
    times = align_ties(model.time, np.zeros(0) if model.entry is None else model.entry)
    time, entry = times[0], np.zeros(model.time.size) if model.entry is None else times[1]
    rows = []
    for i in np.flatnonzero(model.event):
        at_risk = (time >= time[i]) & ((entry < time[i]) | (entry <= 0))
        if model.stratum is not None:
            at_risk &= model.stratum == model.stratum[i]
        rows.append(x[at_risk] - x[i])
    differences = np.unique(np.round(np.vstack(rows), 13), axis=0)
    infinite = [False] * len(fit.reasons)
    for place, j in enumerate(kept):
        for sign in (1.0, -1.0):
            goal = np.zeros(len(kept))
            goal[place] = -sign
            best = linprog(goal, differences, np.zeros(len(differences)), bounds=(-1, 1))
            infinite[j] |= bool(best.success and best.fun < -1e-6)
    return infinite


def run(n: int, seed: int) -> SuiteResult:
    """Fit ``n`` random models with R and with ours and compare every number.

    Parameters
    ----------
    n
        Number of models.
    seed
        Start of the random numbers.

    Returns
    -------
    SuiteResult
    """
    models = [random_model(seed, case) for case in range(n)]
    comparison = _Comparison()
    for case, reference in enumerate(_fit_with_r(models)):
        comparison.case = case
        comparison.compare_model(models[case], reference)
    return SuiteResult(
        name,
        n,
        comparison.count,
        comparison.disagreements,
        comparison.max_error,
        dict(comparison.skipped),
    )


def _fit_with_r(models: list[RandomModel]) -> list[dict[str, str]]:
    results: list[dict[str, str]] = [{} for _ in models]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / part for part in ("cohorts.csv", "models.csv", "results.txt")]
        with paths[0].open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                ["case", "time", "event", "entry", "stratum", "weight"]
                + [f"x{j + 1}" for j in range(5)]
            )
            for case, model in enumerate(models):
                width = model.covariates.shape[1]
                for i in range(model.time.size):
                    x = [repr(float(v)) for v in model.covariates[i]] + ["NA"] * (5 - width)
                    writer.writerow(
                        [
                            case,
                            repr(float(model.time[i])),
                            int(model.event[i]),
                            0 if model.entry is None else repr(float(model.entry[i])),
                            1 if model.stratum is None else int(model.stratum[i]),
                            1 if model.weight is None else repr(float(model.weight[i])),
                            *x,
                        ]
                    )
        with paths[1].open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["case", "columns", "ties", "entry", "strata", "weights"])
            for case, model in enumerate(models):
                options = (model.entry, model.stratum, model.weight)
                writer.writerow(
                    [case, model.covariates.shape[1], model.ties]
                    + [int(option is not None) for option in options]
                )
        run_script(__file__, *paths)
        for line in paths[2].read_text(encoding="utf-8").splitlines():
            case_text, quantity, values = line.split("|", 2)
            results[int(case_text)][quantity] = values
    return results


def _is_rounding(reference: dict[str, str]) -> bool:
    """Tell whether all that R estimated is 0 with a variance that only rounding can make."""
    coefficients = [v for v in reference["coefficients"].split() if v != "NA"]
    largest = max(float(v) for v in reference.get("covariance", "0").split())
    return bool(coefficients) and all(float(v) == 0 for v in coefficients) and largest > 1e10


class _Comparison:
    """Counts of what agreed, what did not and what was set apart."""

    def __init__(self) -> None:
        self.case = 0
        self.count = 0
        self.max_error = 0.0
        self.disagreements: list[str] = []
        self.skipped: Counter[str] = Counter()

    def disagree(self, text: str) -> None:
        self.disagreements.append(f"case {self.case}: {text}")

    def values(self, quantity: str, ours: ArrayLike, reference: str) -> None:
        mine = np.asarray(ours, dtype=np.float64).ravel()
        theirs = numbers_of_r(reference)
        if mine.shape != theirs.shape:
            self.disagree(f"{quantity}: {mine.size} values, R has {theirs.size}")
            return
        self.count += mine.size
        missing = np.isnan(theirs)
        if np.any(np.isnan(mine) != missing):
            self.disagree(f"{quantity}: {mine}, R has {theirs}")
            return
        errors = np.abs(mine - theirs)[~missing] / np.maximum(1, np.abs(theirs[~missing]))
        if errors.size:
            worst = float(errors.max())
            self.max_error = max(self.max_error, worst)
            if not worst <= TOLERANCE:
                self.disagree(f"{quantity}: off by {worst:.2e}; {mine[:6]}, R has {theirs[:6]}")

    def test(self, quantity: str, ours: TestResult, reference: str) -> None:
        if ours.statistic is None:
            self.disagree(f"{quantity}: not estimable ({ours.reason}), R has {reference}")
        else:
            self.values(quantity, [ours.statistic], reference)

    def compare_separation(
        self, model: RandomModel, fit: CoxFit, reference: dict[str, str]
    ) -> None:
        """Prove by linear programming which coefficients go to infinity."""
        printed = reference.get("coefficients", "").split()
        if "error" in reference or "warning" in reference:
            self.skipped[_WARNED] += 1
        elif "NA" in printed:
            self.skipped[_PRINTED_NA] += 1
        else:
            self.disagree(f"{fit.reasons}, R gives {printed} without a warning")
        if NotEstimable.NOT_CONVERGED in fit.reasons:
            self.skipped[_UNDECIDED] += 1
        ours = [reason is NotEstimable.SEPARATION for reason in fit.reasons]
        proven = infinite_coefficients(model, fit)
        # R names those that it takes for infinite; finite ones so far out count among them.
        named = re.findall(r"before variable +([0-9,]+)", reference.get("warning", ""))
        suspected = {int(j) - 1 for part in named for j in part.split(",") if j}
        wrong = [
            j
            for j, reason in enumerate(fit.reasons)
            if (proven[j] and reason is None) or (ours[j] and not proven[j] and j not in suspected)
        ]
        self.count += len(ours)
        if wrong:
            self.disagree(f"{fit.reasons}, by linear programming infinite: {proven}")

    def compare_overflow(self, model: RandomModel, fit: CoxFit) -> None:
        """Prove that there is a finite maximum, and that ours is it: the score there is 0."""
        self.skipped[_OVERFLOW] += 1
        options: dict[str, Any] = {
            "entry": model.entry,
            "strata": model.stratum,
            "weights": model.weight,
        }
        residuals = score_residuals(fit, model.time, model.event, model.covariates, **options)
        weight = np.ones(model.time.size) if model.weight is None else model.weight
        in_std_errors = np.abs(weight @ residuals) * fit.std_errors
        self.count += in_std_errors.size
        if any(infinite_coefficients(model, fit)) or not np.all(in_std_errors < TOLERANCE):
            self.disagree(f"{fit.coefficients}, where R overflows, is no maximum")

    def compare_model(self, model: RandomModel, reference: dict[str, str]) -> None:
        fit = model.fit()
        going = [j for j, reason in enumerate(fit.reasons) if reason in _NOT_ALIASED]
        if going or (fit.n_events and "error" not in reference and "warning" in reference):
            self.compare_separation(model, fit, reference)
            return
        if fit.is_estimable and "overflow" in reference.get("error", ""):
            self.compare_overflow(model, fit)
            return
        if "error" in reference or fit.n_events == 0:
            self.skipped[_NO_FIT] += 1
            if fit.is_estimable:
                self.disagree(f"{fit.coefficients}, but R says: {reference.get('error')}")
            return
        if fit.rank == 0 and _is_rounding(reference):
            self.skipped[_ROUNDING] += 1
            return
        self.values("coefficients", fit.coefficients, reference["coefficients"])
        self.values("n", [fit.n, fit.n_events], reference["n"])
        aliased = np.isnan(fit.coefficients)
        # R prints variance 0 and score residual of a column that it left out.
        if "log_likelihood" in reference:
            self.values(
                "log-likelihood",
                [fit.log_likelihood_null, fit.log_likelihood],
                reference["log_likelihood"],
            )
            covariance = np.where(aliased[:, None] | aliased[None, :], 0.0, fit.covariance)
            self.values("covariance", covariance, reference["covariance"])
        if fit.rank == 0:
            return
        self.test("score test", fit.score_test, reference["score_test"])
        self.test("Wald test", fit.wald_test, reference["wald_test"])
        predictor = fit.linear_predictor
        self.values("linear predictor", predictor - predictor.mean(), reference["linear_predictor"])
        if "concordance" in reference:
            # R multiplies covariates out in another order: scores that tie must tie in both.
            c = concordance(model.time, model.event, predictor.round(9), strata=model.stratum)
            self.values("concordance", [c.estimate], reference["concordance"])
        data = (model.time, model.event, model.covariates)
        options: dict[str, Any] = {
            "entry": model.entry,
            "strata": model.stratum,
            "weights": model.weight,
        }
        if aliased.any() or "schoenfeld_sums" not in reference:
            return
        residuals = score_residuals(fit, *data, **options)
        self.values("score residuals", residuals.T, reference["score_residuals"])
        squares = (schoenfeld_residuals(fit, *data, **options).residuals ** 2).sum(axis=0)
        self.values("Schoenfeld residuals", squares, reference["schoenfeld_sums"])
        for transform in TimeTransform:
            tests = proportional_hazards_test(fit, *data, transform=transform, **options)
            both = [*tests.terms, tests.overall]
            ill = any(test.statistic is None for test in both)
            if f"zph_{transform}" not in reference or ill:
                self.skipped[_ZPH_ILL] += 1
                if not ill:
                    self.disagree(f"{transform}: {both}, R cannot invert")
                continue
            self.values(
                f"zph {transform}",
                np.array([t.statistic for t in both], dtype=float),
                reference[f"zph_{transform}"],
            )


def main() -> int:
    """Run this suite alone."""
    parser = argparse.ArgumentParser(prog="python -m validation.cox", description=__doc__)
    parser.add_argument("--n", type=int, default=100, help="random models")
    parser.add_argument("--seed", type=int, default=20261123, help="start of the random numbers")
    options = parser.parse_args()
    result = run(options.n, options.seed)
    print(
        f"{result.name}: {result.cases} models, {result.comparisons:,} values, largest error "
        f"{result.max_error:.1e}, {len(result.disagreements)} disagreeing"
    )
    for reason, count in result.skipped.items():
        print(f"set apart: {count:,} {reason}")
    for line in result.disagreements[:20]:
        print(line)
    return 0 if result.agrees else 1


if __name__ == "__main__":
    raise SystemExit(main())
