"""How our values are held beside those of an R script, and what a suite gives back."""

from __future__ import annotations

import math
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

ALL: Final = "all"
"""Name of everybody together among the groups."""
TOLERANCE: Final = 1e-8

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Key = tuple[int, str, str]
"""Case, quantity and group of some values."""


@dataclass(frozen=True)
class SuiteResult:
    """Outcome of one suite of comparisons.

    Parameters
    ----------
    name : str
        Name of the suite.
    cases : int
        Number of data sets that were compared.
    comparisons : int
        Number of single values that were compared.
    disagreements : list of str
        One line for each value outside the tolerance; empty when everything agrees.
    max_error : float
        Largest ``|ours - R| / max(1, |R|)`` among the compared values.
    skipped : dict of str to int
        Cases or values counted apart, by reason.
    """

    name: str
    cases: int
    comparisons: int
    disagreements: list[str] = field(default_factory=list)
    max_error: float = 0.0
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether something was compared and nothing disagreed."""
        return self.comparisons > 0 and not self.disagreements


class Comparison:
    """Our values beside R's; every value of R must be asked for, or be counted as skipped."""

    def __init__(self, theirs: dict[Key, Floats]) -> None:
        self._theirs = theirs
        self._done: set[Key] = set()
        self._count = 0
        self._largest = 0.0
        self._disagreements: list[str] = []
        self._skipped: Counter[str] = Counter()

    def theirs(self, case: int, quantity: str, group: str = ALL) -> Floats | None:
        """Give R's values and note that they were looked at."""
        key = (case, quantity, group)
        self._done.add(key)
        return self._theirs.get(key)

    def skip(self, reason: str, count: int = 1) -> None:
        """Count values that are set apart."""
        if count:
            self._skipped[reason] += count

    def compared(self, count: int) -> None:
        """Count values that were compared elsewhere."""
        self._count += count

    def disagree(self, case: int, quantity: str, group: str, text: str) -> None:
        """Note a disagreement."""
        self._disagreements.append(f"case {case}, group {group}, {quantity}: {text}")

    def equal(
        self,
        case: int,
        quantity: str,
        group: str,
        ours: ArrayLike,
        *,
        apart: Bools | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        """Compare values, but for those set apart."""
        mine = np.atleast_1d(np.asarray(ours, dtype=np.float64))
        reference = self.theirs(case, quantity, group)
        if reference is None:
            self.disagree(case, quantity, group, "R has none")
            return
        if mine.shape != reference.shape:
            self.disagree(case, quantity, group, f"{mine.size} values, R {reference.size}")
            return
        if apart is not None:
            mine, reference = mine[~apart], reference[~apart]
        error = relative_errors(mine, reference)
        self._count += error.size
        self._largest = max(
            self._largest, float(np.max(error, initial=0.0, where=np.isfinite(error)))
        )
        if np.any(error > tolerance):
            worst = int(np.argmax(error))
            self.disagree(
                case, quantity, group, f"ours {mine[worst]:.17g}, R {reference[worst]:.17g}"
            )

    def result(self, name: str, cases: int) -> SuiteResult:
        """Close the books: what only R has is a disagreement."""
        for case, quantity, group in sorted(self._theirs.keys() - self._done):
            self.disagree(case, quantity, group, "only R has it")
        return SuiteResult(
            name, cases, self._count, self._disagreements, self._largest, dict(self._skipped)
        )


def relative_errors(ours: Floats, theirs: Floats) -> Floats:
    """Give ``|ours - R| / max(1, |R|)``; 0 if both are missing, infinite if one is."""
    error = np.full(ours.shape, np.inf)
    error[(np.isnan(ours) & np.isnan(theirs)) | (ours == theirs)] = 0.0
    finite = np.isfinite(ours) & np.isfinite(theirs)
    difference = np.abs(ours[finite] - theirs[finite])
    error[finite] = difference / np.maximum(1, np.abs(theirs[finite]))
    return error


def run_script(suite: str, *files: Path) -> None:
    """Let the R script beside a suite work on files; made up, they hold no patient.

    Parameters
    ----------
    suite
        ``__file__`` of the suite.
    *files
        What the script reads and writes.
    """
    script = Path(suite).with_suffix(".R")
    subprocess.run(
        ["Rscript", "--vanilla", str(script), *map(str, files)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def numbers_of_r(text: str) -> Floats:
    """Read numbers as R prints them, a space between them."""
    return np.array([math.nan if v == "NA" else float(v) for v in text.split()], dtype=np.float64)


def read_results(path: Path) -> Iterator[tuple[Key, Floats]]:
    """Read what an R script wrote: case, quantity, group and values of each line."""
    with path.open() as stream:
        for line in stream:
            case, quantity, group, values = line.rstrip("\n").split("|")
            yield (int(case), quantity, group), numbers_of_r(values)
