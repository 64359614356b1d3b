"""Compare the estimators with R: ``python -m validation.run --n 100``.

Every suite makes its random data sets, lets one R process work on them, and compares value by
value. The exit status is 1 on any disagreement and 2 if R or one of its packages is missing.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import shutil
import subprocess
import sys
import time
from typing import Final, Protocol, cast

import numpy as np

import validation
from validation.suite import SuiteResult

_SHOWN: Final = 20


class Suite(Protocol):
    """A module of this package with a name and a function that compares ``n`` random data sets."""

    name: str

    def run(self, n: int, seed: int) -> SuiteResult:
        """Compare ``n`` data sets made from ``seed``."""


def suites() -> dict[str, Suite]:
    """Find the suites: every module beside this one that has ``name`` and ``run``."""
    found: dict[str, Suite] = {}
    for module_name in sorted(m.name for m in pkgutil.iter_modules(validation.__path__)):
        if module_name != "run":
            module = importlib.import_module(f"validation.{module_name}")
            if hasattr(module, "name") and hasattr(module, "run"):
                found[module_name] = cast(Suite, module)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the suites and print one table; give the exit status."""
    known = suites()
    parser = argparse.ArgumentParser(prog="python -m validation.run", description=__doc__)
    parser.add_argument("--n", type=int, default=100, help="random cohorts in each suite")
    parser.add_argument("--seed", type=int, default=20261123, help="start of the random numbers")
    parser.add_argument("--suite", action="append", choices=list(known), help="only these")
    options = parser.parse_args(arguments)
    if options.n < 1:
        parser.error("--n must be at least 1")
    versions = _versions_of_r()
    if versions is None:
        print(
            "R with its packages survival and cmprsk is needed: "
            "apt-get install r-base-core r-cran-survival r-cran-cmprsk",
            file=sys.stderr,
        )
        return 2
    print(f"{versions}; Python {sys.version.split()[0]}, numpy {np.__version__}")
    print(f"seed {options.seed}, {options.n} cohorts a suite\n")

    results: list[SuiteResult] = []
    columns = "{:<30}{:>8}{:>14}{:>14}{:>14}{:>9}"
    print(
        columns.format("suite", "cohorts", "comparisons", "largest error", "disagreeing", "seconds")
    )
    for suite in (known[key] for key in options.suite or known):
        begin = time.perf_counter()
        result = suite.run(options.n, options.seed)
        seconds = time.perf_counter() - begin
        print(
            columns.format(
                result.name,
                result.cases,
                f"{result.comparisons:,}",
                f"{result.max_error:.1e}",
                len(result.disagreements),
                f"{seconds:.1f}",
            ),
            flush=True,
        )
        results.append(result)

    print()
    for result in results:
        for reason, count in sorted(result.skipped.items()):
            print(f"{result.name}: {count:,} set apart: {reason}")
    for result in results:
        for line in result.disagreements[:_SHOWN]:
            print(f"{result.name}: {line}")
        if len(result.disagreements) > _SHOWN:
            print(f"{result.name}: and {len(result.disagreements) - _SHOWN} more")
        if not result.comparisons:
            print(f"{result.name}: nothing was compared")
    return 0 if results and all(result.agrees for result in results) else 1


def _versions_of_r() -> str | None:
    if shutil.which("Rscript") is None:
        return None
    command = (
        'cat(R.version.string, "survival", as.character(packageVersion("survival")), '
        '"cmprsk", as.character(packageVersion("cmprsk")))'
    )
    answer = subprocess.run(
        ["Rscript", "--vanilla", "-e", command], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() if answer.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
