"""Cumulative incidence, Gray's test and Fine-Gray regression, against R's survival and cmprsk."""

from __future__ import annotations

import csv
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from sts_core.estimators.cumulative_incidence import (
    CumulativeIncidence,
    cumulative_incidence,
    incidence_limits,
)
from sts_core.estimators.fine_gray import FineGrayFit, fine_gray
from sts_core.estimators.gray_test import gray_test
from validation.suite import (
    ALL,
    Comparison,
    Floats,
    Key,
    SuiteResult,
    read_results,
    run_script,
)

name: Final = "Competing risks"

TOLERANCE_ITERATED: Final = 1e-6
_AT_ZERO: Final = "limit at an incidence of 0 (R's plain scale prints 0 to 0)"
_AT_ONE: Final = "limit at an incidence of 1, where the scale has no width"
_LATE: Final = (
    "standard error or limit with delayed entry (R gives the jackknife, ours Greenwood's)"
)
_R_ERROR: Final = "Gray's test: R ends in an error for all causes of the cohort"
_R_NO_TEST: Final = "Gray's test: R cannot invert the covariance and prints -1"
_NO_TEST: Final = "Gray's test: tied events in so small a cohort that R's variance is not positive"
_ENTRY_AT_FIRST_TIME: Final = (
    "Fine-Gray: the last entry is at the first time, where R's finegray leaves late entry out"
)
_NO_FIT: Final = "Fine-Gray: not estimable in ours; R did not converge, failed or diverged"

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class CompetingCohort:
    """Follow-up of one made-up cohort with competing events, and covariates."""

    time: Floats
    cause: Ints
    n_causes: int
    entry: Floats
    group: NDArray[np.str_]
    stratum: Ints
    x: Floats
    regression: bool

    @property
    def has_entry(self) -> bool:
        """Whether anybody came under observation late."""
        return bool(np.any(self.entry > 0))


def random_cohort(seed: int, case: int) -> CompetingCohort:
    """Make a cohort of 1 to 300 subjects with 2 or 3 causes, tied or not, censored or not."""
    rng = np.random.default_rng([seed, 4, case])
    n = round(math.exp(rng.uniform(0, math.log(300))))
    n_causes = int(rng.choice([2, 2, 3]))
    n_groups = int(rng.integers(1, 6))
    group = rng.choice(n_groups, size=n, p=rng.dirichlet(np.full(n_groups, 2.0)))
    x = np.column_stack([rng.normal(size=n), rng.integers(0, 2, size=n)])
    effect = np.exp(rng.choice([0.0, 0.6]) * (x @ [0.5, -0.8]))
    typical = float(rng.choice([9.0, 30.0, 400.0]))
    scale = typical * np.exp(rng.normal(scale=0.5, size=(n_causes, n_groups)))[:, group]
    scale[0] *= effect
    if rng.random() < 0.15:
        scale[rng.integers(n_causes)] *= 1e6  # a cause that nobody has
    latent = scale * rng.weibull(rng.choice([0.7, 1.0, 2.0]), size=(n_causes, n))
    heaviness = rng.choice([0.0, 0.3, 1.0, 4.0, 30.0])
    censored_at = np.full(n, np.inf)
    if heaviness:
        censored_at = rng.uniform(0, 3 * typical / heaviness, size=n)
    time = np.minimum(latent.min(axis=0), censored_at)
    cause = np.where(latent.min(axis=0) <= censored_at, latent.argmin(axis=0) + 1, 0)
    grain = float(rng.choice([0.0, 0.0, 0.1, 1.0, typical / 4]))
    if grain:
        time = np.round(time / grain) * grain
    # R reads the censoring distribution at time 0 by averaging tied points; a regression with
    # somebody censored there would compare two definitions
    regression = n >= 12 and not np.any((time == 0) & (cause == 0))
    entry = np.zeros(n)
    if rng.random() < 0.2:
        time = time + (grain or 0.01)
        late = rng.random(n) < rng.uniform(0.1, 1.0)
        entry = np.where(late, time * rng.uniform(0, 0.95, size=n), 0.0)
        if grain:
            entry = np.floor(entry / grain) * grain
        entry = np.where(time - entry > 1e-3 * np.maximum(1, time), entry, 0.0)
    return CompetingCohort(
        time=time,
        cause=cause.astype(np.int64),
        n_causes=n_causes,
        entry=entry,
        group=np.array([f"g{code}" for code in group]),
        stratum=rng.integers(0, int(rng.choice([1, 2, 4])), size=n),
        x=x,
        regression=bool(regression),
    )


def run(n: int, seed: int) -> SuiteResult:
    """Compare ``n`` random cohorts with R.

    Returns
    -------
    SuiteResult
        Disagreements are values with ``|ours - R| > 1e-8 * max(1, |R|)`` (1e-6 for regression
        coefficients and their variance), and values that one side gives and the other does not.
    """
    cohorts = [random_cohort(seed, case) for case in range(n)]
    comparison = Comparison(_run_r(cohorts))
    for case, cohort in enumerate(cohorts):
        _compare_curves(comparison, case, cohort)
        if cohort.cause.any():
            if not cohort.has_entry:
                _compare_tests(comparison, case, cohort)
            if cohort.regression:
                _compare_regression(comparison, case, cohort)
    return comparison.result(name, len(cohorts))


def cuminc_variance(curve: CumulativeIncidence, row: int) -> Floats:
    """Give the variance that R's ``cuminc`` prints, by its formula, at every time of a curve.

    It counts the events of each cause as a process of its own, with a correction for ties:
    ``Σ (S / n)² [(1 - r)² e(d) + r² e(d')]`` with ``r = (F(t) - F_i) / S_i``, ``d`` events of the
    cause and ``d'`` of the others, and ``e(d) = d (1 - (d - 1) / (n - 1))``.
    """
    risk = curve.n_risk.astype(np.float64)
    before = np.concatenate([[1.0], curve.survival[:-1]])[: risk.size]
    own = curve.n_event[row].astype(np.float64)
    other = curve.n_event.sum(axis=0) - own
    estimate = curve.estimate[row]

    def corrected(d: Floats) -> Floats:
        return d * (1 - np.maximum(d - 1, 0) / np.maximum(risk - 1, 1))

    variance = np.empty(risk.size)
    for i in range(risk.size):
        rise = estimate[i] - estimate[: i + 1]
        left = curve.survival[: i + 1]
        r = np.divide(rise, left, out=np.zeros(i + 1), where=left > 0)
        # R leaves out the competing events after which nobody is left
        spread = (1 - r) ** 2 * corrected(own)[: i + 1] + r**2 * corrected(other)[: i + 1]
        weight = np.divide(before, risk, out=np.zeros(risk.size), where=risk > 0)[: i + 1] ** 2
        variance[i] = float(np.sum(weight * spread))
    return variance


def _compare_curves(comparison: Comparison, case: int, cohort: CompetingCohort) -> None:
    groups = sorted(set(cohort.group.tolist()))
    parts = {ALL: np.ones(cohort.time.size, dtype=np.bool_)}
    if len(groups) > 1:
        parts |= {g: cohort.group == g for g in groups}
    for group, who in parts.items():
        curve = cumulative_incidence(
            cohort.time[who],
            cohort.cause[who],
            cohort.n_causes,
            entry=cohort.entry[who] if cohort.has_entry else None,
        )
        comparison.equal(case, "time", group, curve.time)
        comparison.equal(case, "n_risk", group, curve.n_risk)
        comparison.equal(case, "n_censor", group, curve.n_censor)
        comparison.equal(case, "none", group, curve.survival)
        for row in range(cohort.n_causes):
            comparison.equal(case, f"n_event.{row + 1}", group, curve.n_event[row])
            comparison.equal(case, f"incidence.{row + 1}", group, curve.estimate[row])
            if cohort.has_entry:
                _set_apart(comparison, case, f"std_error.{row + 1}", group)
            else:
                comparison.equal(case, f"std_error.{row + 1}", group, curve.std_error[row])
        together = cumulative_incidence(
            cohort.time[who],
            cohort.cause[who] > 0,
            1,
            entry=cohort.entry[who] if cohort.has_entry else None,
        )
        # of a single cause, Greenwood's formula; R has none where nobody is left
        nobody = together.survival == 0
        comparison.equal(case, "any_event.std_error", group, together.std_error[0], apart=nobody)
        for conf_type in ("plain", "log", "log-log", "logit"):
            low, high = incidence_limits(curve, conf_type=conf_type)
            for row in range(cohort.n_causes):
                at_zero = curve.estimate[row] == 0
                at_one = curve.estimate[row] == 1
                comparison.skip(_AT_ZERO, int(at_zero.sum()) if conf_type == "plain" else 0)
                comparison.skip(_AT_ONE, int(at_one.sum()))
                for side, ours in (("lower", low), ("upper", high)):
                    quantity = f"{conf_type}.{side}.{row + 1}"
                    if cohort.has_entry:
                        _set_apart(comparison, case, quantity, group)
                        continue
                    comparison.equal(
                        case, quantity, group, ours[row],
                        apart=at_one | (at_zero & (conf_type == "plain")),
                    )  # fmt: skip
        if group == ALL and not cohort.has_entry and cohort.cause.any() and curve.n > 1:
            for row in range(cohort.n_causes):
                if curve.n_event[row].any():
                    comparison.equal(case, f"cuminc.{row + 1}", group, curve.estimate[row])
                    comparison.equal(
                        case, f"cuminc_variance.{row + 1}", group, cuminc_variance(curve, row)
                    )


def _set_apart(comparison: Comparison, case: int, quantity: str, group: str) -> None:
    theirs = comparison.theirs(case, quantity, group)
    comparison.skip(_LATE, 0 if theirs is None else theirs.size)


def _compare_tests(comparison: Comparison, case: int, cohort: CompetingCohort) -> None:
    groups = sorted(set(cohort.group.tolist()))
    if len(groups) < 2:
        return
    code = np.searchsorted(groups, cohort.group)
    for stratified in (False, True):
        if stratified and np.unique(cohort.stratum).size < 2:
            continue
        kind = f"gray{'_stratified' if stratified else ''}"
        for of in np.unique(cohort.cause[cohort.cause > 0]).tolist():
            quantity = f"{kind}.{of}"
            ours = gray_test(
                cohort.time, cohort.cause, code, len(groups), of=of,
                strata=cohort.stratum if stratified else None,
            )  # fmt: skip
            theirs = comparison.theirs(case, quantity)
            if comparison.theirs(case, f"{kind}.error") is not None:
                comparison.skip(f"{_R_ERROR} ({ours.reason or 'a test in ours'})")
            elif theirs is None:
                comparison.disagree(case, quantity, ALL, "R has none")
            elif theirs[0] == -1:
                comparison.skip(_R_NO_TEST)
                if ours.df == len(groups) - 1:
                    comparison.disagree(case, quantity, ALL, "R has no test, ours a full one")
            elif ours.reason is not None:
                comparison.skip(_NO_TEST)
            else:
                comparison.equal(
                    case, quantity, ALL, [ours.statistic, ours.p_value, float(ours.df)]
                )


def _compare_regression(comparison: Comparison, case: int, cohort: CompetingCohort) -> None:
    groups = sorted(set(cohort.group.tolist()))
    dummies = [(cohort.group == g).astype(float) for g in groups[1:]]
    x = np.column_stack([cohort.x, *dummies])
    for of in sorted({1, 2} & set(cohort.cause.tolist())):
        where = f"crr.{of}"
        failed = comparison.theirs(case, f"{where}.error") is not None
        parts = {
            part: comparison.theirs(case, f"{where}.{part}")
            for part in ("converged", "coefficients", "variance", "log_likelihood")
        }
        entry = cohort.entry if cohort.has_entry else None
        if entry is not None and entry.max() == cohort.time.min():
            comparison.skip(_ENTRY_AT_FIRST_TIME)
            continue
        fit = fine_gray(cohort.time, cohort.cause, x, of=of, entry=entry)
        if any(reason is not None for reason in fit.reasons):
            comparison.skip(_NO_FIT)
            if not _r_has_no_fit(failed, parts, fit):
                comparison.disagree(case, where, ALL, f"ours {fit.reasons}, R a fit")
            continue
        if failed:
            comparison.disagree(case, where, ALL, "R failed, ours is a fit")
            continue
        for part, ours in (
            ("coefficients", fit.coefficients),
            ("variance", fit.covariance.ravel()),
            ("log_likelihood", [fit.log_likelihood]),
        ):
            comparison.equal(case, f"{where}.{part}", ALL, ours, tolerance=TOLERANCE_ITERATED)


def _r_has_no_fit(failed: bool, parts: dict[str, Floats | None], fit: FineGrayFit) -> bool:
    """Tell whether R failed, did not converge, or went towards infinity where ours says so."""
    coefficients = parts["coefficients"]
    if failed or coefficients is None or parts["converged"] is None:
        return True
    if parts["converged"][0] == 0:
        return True
    # R stops somewhere on the way; a level whose reference is on it, too, may stand anywhere
    open_ended = np.array([reason is not None for reason in fit.reasons])
    return bool(np.any(np.isnan(coefficients)) or np.any(np.abs(coefficients[open_ended]) > 8))


def _run_r(cohorts: list[CompetingCohort]) -> dict[Key, Floats]:
    """Let R work on all cohorts; they are made up, so that a temporary file holds no patient."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / file for file in ("cohorts.csv", "results.txt")]
        with paths[0].open("w", newline="") as stream:
            write_cohorts(stream, dict(enumerate(cohorts)))
        run_script(__file__, *paths)
        return dict(read_results(paths[1]))


def write_cohorts(stream: TextIO, cohorts: dict[int, CompetingCohort]) -> None:
    """Write cohorts as the R scripts read them, every number with all its digits."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        ["case", "time", "cause", "causes", "entry", "group", "stratum", "x1", "x2", "regression"]
    )
    for case, c in cohorts.items():
        for i in range(c.time.size):
            writer.writerow(
                [
                    case, repr(float(c.time[i])), int(c.cause[i]), c.n_causes,
                    repr(float(c.entry[i])), c.group[i], int(c.stratum[i]),
                    repr(float(c.x[i, 0])), int(c.x[i, 1]), int(c.regression),
                ]
            )  # fmt: skip
