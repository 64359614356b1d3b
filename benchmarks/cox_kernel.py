"""Time the Cox estimator, beside R where it is installed: ``python -m benchmarks.cox_kernel``."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import Any, Final

import numpy as np

from sts_core.estimators.cox import cox_fit, cox_fit_many, wald_test

_R: Final = """
suppressPackageStartupMessages(library(survival)); set.seed(1)
many <- function(n, cores) {
  d <- data.frame(time = ceiling(rexp(n, 1 / 300)), event = runif(n) < 0.8)
  levels <- rep(c(2, 3, 5), c(13, 8, 5))
  for (j in 1:26) d[[paste0("x", j)]] <- factor(sample(levels[j], n, TRUE))
  d
}
for (n in c(51, 10000)) {
  d <- many(n)
  seconds <- min(replicate(if (n == 51) 5 else 1, system.time(for (j in 1:26)
    summary(coxph(as.formula(paste0("Surv(time, event) ~ x", j)), d)))["elapsed"]))
  cat("many", n, seconds, "\\n")
}
n <- 1e6
d <- data.frame(time = rexp(n, 1 / 300), event = runif(n) < 0.5, matrix(rnorm(n * 8), n))
d$time <- d$time * exp(-0.3 * d$X1)
f <- Surv(time, event) ~ X1 + X2 + X3 + X4 + X5 + X6 + X7 + X8
cat("one", n, system.time(coxph(f, d))["elapsed"], "\\n")
"""


def random_blocks(n: int, rng: np.random.Generator) -> tuple[Any, Any, list[Any]]:
    """Make follow-up in days and 26 factors of 2, 3 and 5 levels as dummy columns."""
    follow_up = np.ceil(rng.exponential(300, n))
    event = rng.random(n) < 0.8
    blocks = []
    for levels in [2] * 13 + [3] * 8 + [5] * 5:
        level = rng.integers(0, levels, n)
        blocks.append((level[:, None] == np.arange(1, levels)).astype(float))
    return follow_up, event, blocks


def best_of(repeats: int, work: Any) -> float:
    """Give the shortest of some runs, in seconds."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main() -> None:
    """Print one line a task."""
    rng = np.random.default_rng(1)
    ours: dict[tuple[str, int], float] = {}
    for n, repeats in ((51, 20), (10_000, 3)):
        data = random_blocks(n, rng)

        def work(data: tuple[Any, Any, list[Any]] = data) -> None:
            for fit in cox_fit_many(*data):
                wald_test(fit)

        ours["many", n] = best_of(repeats, work)
    n = 1_000_000
    x = rng.normal(size=(n, 8))
    follow_up = rng.exponential(300, n) * np.exp(-0.3 * x[:, 0])
    event = rng.random(n) < 0.5
    ours["one", n] = best_of(2, lambda: cox_fit(follow_up, event, x))

    theirs: dict[tuple[str, int], float] = {}
    if shutil.which("Rscript"):
        lines = subprocess.run(
            ["Rscript", "--vanilla", "-e", _R], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        for line in lines:
            task, rows, elapsed = line.split()
            theirs[task, int(float(rows))] = float(elapsed)
    names = {"many": "26 univariable fits with Wald tests", "one": "8 covariates, 1 fit"}
    for (task, n), seconds in ours.items():
        beside = ""
        if (task, n) in theirs:
            beside = f"   R {theirs[task, n]:8.3f} s   ratio {seconds / theirs[task, n]:.3f}"
        print(f"{names[task]:<36}{n:>10,} rows   ours {seconds:8.4f} s{beside}")


if __name__ == "__main__":
    main()
