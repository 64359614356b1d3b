"""Part c: the estimators at a million rows, beside R's survival."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.rscript import RProcess, running_r
from benchmarks.timing import Part, Row, at_most_ratio, clocked, differences, in_turns
from sts_core.estimators.cox import cox_fit
from sts_core.estimators.log_rank import log_rank
from sts_core.estimators.product_limit import product_limit, quantile

ROWS: Final = 1_000_000
SEED: Final = 20261123
REPEATS: Final = 3
# R stops the iteration at 1e-9 of the log likelihood, ours goes on to the maximum.
TOLERANCE: Final = 1e-6

Array = NDArray[np.float64]


def follow_up(
    n: int, *, in_days: bool
) -> tuple[Array, NDArray[np.bool_], NDArray[np.int64], Array]:
    """Make time, event, one of three groups, and eight covariates of subjects who don't exist."""
    rng = np.random.default_rng(SEED)
    group = rng.integers(0, 3, n)
    x = rng.normal(size=(n, 8))
    x[:, 4:] = (x[:, 4:] > 0).astype(float)
    hazard = np.exp(0.3 * x[:, 0] - 0.2 * x[:, 1] + 0.1 * x[:, 5] + 0.15 * group) / 500
    event_time, censored_at = rng.exponential(1 / hazard), rng.uniform(0, 1500, n)
    time = np.minimum(event_time, censored_at)
    return (np.ceil(time) if in_days else time), event_time <= censored_at, group, x


def measure() -> Part:
    """Time each estimator and their sum, after checking that they give the same numbers."""
    rows: list[Row] = []
    for in_days in (False, True):
        rows += _one_kind(in_days=in_days)
    return Part(
        tuple(rows),
        (
            f"{ROWS:,} subjects who don't exist, 3 groups, 8 covariates (4 of them 0 or 1), about "
            "half with an event; all times different, and the same in whole days, many of them "
            "tied. Kaplan-Meier: curve, log-log interval and median with its interval in each "
            "group (`survfit`, `quantile`); log-rank test (`survdiff`); Cox regression with "
            "Efron's ties (`coxph`). Both read the same binary file before the clock starts; "
            f"the numbers of both agree within {TOLERANCE:g}.",
            "`coxph` also builds a model frame and the concordance. The rows with `coxph.fit` "
            "compare with its fitting routine alone, residuals left out.",
        ),
    )


def _one_kind(*, in_days: bool) -> list[Row]:
    time_, event, group, x = follow_up(ROWS, in_days=in_days)
    names = np.array(["0", "1", "2"])

    def kaplan_meier() -> list[float]:
        found = []
        for code in range(len(names)):
            mine = group == code
            found.append(quantile(product_limit(time_[mine], event[mine]), 0.5))
        return [getattr(q, part) for part in ("value", "low", "high") for q in found]

    work: dict[str, Callable[[], list[float]]] = {
        "kaplan_meier": kaplan_meier,
        "log_rank": lambda: [log_rank(time_, event, group).statistic],
        "cox": lambda: cox_fit(time_, event, x).coefficients.tolist(),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "n.txt").write_text(str(ROWS))
        columns = [time_, event, group, *x.T]
        with (folder / "columns.bin").open("wb") as file:
            for column in columns:
                file.write(np.ascontiguousarray(column, dtype="<f8").tobytes())
        with running_r("kernels.R", folder) as r:
            _compare(work, r)
            tasks: dict[str, Callable[[], float]] = {}
            for key, function in work.items():
                tasks[key] = clocked(function)
                tasks[f"R {key}"] = _asking(r, key)
            tasks["R cox_routine"] = _asking(r, "cox_routine")
            taken = in_turns(tasks, REPEATS, warm_up=0)
    which = "in whole days" if in_days else "all times different"
    ours = tuple(sum(times) for times in zip(*(taken[key] for key in work), strict=True))
    other = tuple(sum(times) for times in zip(*(taken[f"R {key}"] for key in work), strict=True))
    labels = {"kaplan_meier": "Kaplan-Meier", "log_rank": "log-rank", "cox": "Cox"}
    total = Row(
        "c",
        f"Kaplan-Meier + log-rank + Cox, {ROWS:,} rows, {which}",
        ours,
        other,
        "R's survival",
        (at_most_ratio(ours, other, 1.0),),
    )
    single = [
        Row("c", f"{label}, {which}", taken[key], taken[f"R {key}"], f"R's `{function}`")
        for (key, label), function in zip(
            labels.items(), ("survfit", "survdiff", "coxph"), strict=True
        )
    ]
    bare = Row("c", f"Cox, {which}", taken["cox"], taken["R cox_routine"], "R's `coxph.fit`")
    return [total, *single, bare]


def _asking(r: RProcess, key: str) -> Callable[[], float]:
    return lambda: r.seconds(key)


def _compare(work: dict[str, Callable[[], list[float]]], r: RProcess) -> None:
    """Run each once on both sides, which also warms them up, and demand the same numbers."""
    for key, function in (*work.items(), ("cox_routine", work["cox"])):
        theirs = {name: value for name, value in r.ask(key).items() if name != "seconds"}
        ours = {str(at): value for at, value in enumerate(function(), start=1)}
        wrong = list(differences(ours, theirs, TOLERANCE))
        if wrong:
            raise RuntimeError(f"{key} differs from R's:\n" + "\n".join(wrong))
