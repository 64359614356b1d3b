"""The survival analysis as a whole, under three conventions, against R's survival."""

from __future__ import annotations

import hashlib
import math
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from sts_core.analysis.conventions import CONVENTIONS
from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    SurvivalGroup,
    kaplan_meier,
)
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.estimates import Estimate, NotEstimable
from sts_core.estimators.two_group_hazard import exact_at_ties
from sts_core.reading.assembly import assemble
from sts_core.reading.workbook import RawTable, Workbook
from sts_core.study import (
    DataSection,
    Definitions,
    Endpoint,
    Measured,
    Status,
    Study,
    TableSource,
    TimeUnit,
    Variable,
)
from validation.kaplan_meier import RandomCohort, random_cohort, write_cohorts
from validation.suite import ALL, Comparison, SuiteResult, read_results, run_script

name: Final = "Conventions app, R, SPSS"

ITERATED: Final = 1e-6
#: Cohorts whose results by R are stored for the tests.
STORED: Final = 15
STORED_SEED: Final = 7
_AT_ONE: Final = "limit at a survival of 1 (R prints 1 before the first time)"
_WARNED: Final = "R warns that a hazard ratio may be infinite, or errs; ours is not estimable"
_FINITE: Final = "R warns that a hazard ratio may be infinite; ours is finite"
_NOTHING: Final = "R prints NA or 0 for a group that is never at risk at an event beside another"


def cohort_of(made: RandomCohort) -> Cohort:
    """Give a random cohort as the program reads it from a table."""
    n = len(made.time)
    cells: dict[str, list[Any]] = {
        "id": [f"s{i}" for i in range(n)],
        "time": made.time.tolist(),
        "status": made.event.astype(int).tolist(),
        "group": made.group.tolist(),
        "entry": made.entry.tolist(),
    }
    frame = pd.DataFrame({key: pd.Series(cell, dtype=object) for key, cell in cells.items()})
    table = RawTable(
        file="t.csv", sheet=None, frame=frame, header_row=1, row_numbers=np.arange(2, n + 2)
    )
    endpoint = Endpoint(
        label="Overall survival", time="time", unit=TimeUnit.DAYS, unit_status=Status.CONFIRMED,
        event="status", events={"death": (1,)}, censored=(0,), events_status=Status.CONFIRMED,
        display_unit=TimeUnit.DAYS, entry="entry" if made.has_entry else None,
    )  # fmt: skip
    study = Study(
        data=DataSection({"subjects": TableSource(file="t.csv", subject_id="id")}),
        definitions=Definitions(
            endpoints={"OS": endpoint},
            variables={
                "group": Variable(
                    label="Group", levels=tuple(sorted(set(made.group.tolist()))),
                    measured=Measured.BASELINE,
                )
            },
        ),
    )  # fmt: skip
    digest = hashlib.sha256(frame.to_csv().encode()).hexdigest()
    return apply_criteria(assemble(study, [Workbook("t.csv", digest, (table,))]), study)


def run(n: int, seed: int) -> SuiteResult:
    """Analyse ``n`` random cohorts under each convention, and the same with R.

    Parameters
    ----------
    n
        Number of cohorts.
    seed
        Start of the random numbers.

    Returns
    -------
    SuiteResult
        Hazard ratios count as equal within 1e-6, all else within 1e-8.
    """
    made = [random_cohort(seed, case) for case in range(n)]
    with tempfile.TemporaryDirectory() as folder:
        return compare(made, ask_r(made, Path(folder)))


def ask_r(made: list[RandomCohort], folder: Path) -> Path:
    """Write cohorts into a folder and let R analyse them; give the file of its results."""
    paths = [folder / f"conventions_{file}" for file in ("cohorts.csv", "times.csv", "results.txt")]
    write_cohorts(made, paths[0], paths[1])
    run_script(__file__, *paths)
    return paths[2]


def compare(made: list[RandomCohort], results: Path) -> SuiteResult:
    """Compare ours with R's results of the same cohorts."""
    comparison = _Comparison(dict(read_results(results)))
    for case, cohort in enumerate(made):
        comparison.compare_case(case, cohort)
    return comparison.result(name, len(made))


class _Comparison(Comparison):
    """Our values of a cohort beside R's, under each convention."""

    def compare_case(self, case: int, made: RandomCohort) -> None:
        """Compare one cohort under each convention."""
        cohort = cohort_of(made)
        landmarks = tuple(float(t) for t in made.chosen)
        for convention in CONVENTIONS:
            spec = KaplanMeierSpec("OS", by="group", landmarks=landmarks, convention=convention)
            result = kaplan_meier(cohort, spec)
            for group in result.groups:
                self.compare_group(case, convention, group.label, group)
            self.compare_group(case, convention, ALL, result.overall)
            if len(result.groups) > 1 and convention != "R":
                self.compare_ratios(case, result, CONVENTIONS[convention].ties)
            if convention == "app":
                self.compare_counts(case, made, result)
        if len(set(made.group.tolist())) == 2:
            self.compare_exact(case, made)

    def compare_group(self, case: int, convention: str, label: str, group: SurvivalGroup) -> None:
        """Compare what is read from one curve."""

        def equal(quantity: str, ours: list[float]) -> None:
            self.equal(case, f"{convention}.{quantity}", label, ours)

        lower, upper = group.quartiles
        equal("quantiles", [v for one in (lower, group.median, upper) for v in _three(one)])
        rates = [_three(rate.estimate) for rate in group.rates]
        equal("rate", [value for value, _, _ in rates])
        for place, quantity in ((1, "rate_low"), (2, "rate_high")):
            ours = [rate[place] for rate in rates]
            theirs = self.theirs(case, f"{convention}.{quantity}", label)
            if theirs is not None:
                for at, rate in enumerate(group.rates):
                    # at a survival of 1 a log-log interval has no width
                    if rate.estimate.low_reason is NotEstimable.NO_EVENTS and theirs[at] == 1:
                        ours[at] = 1.0
                        self.skip(_AT_ONE)
            equal(quantity, ours)
        error = group.mean.std_error
        equal("mean", [_three(group.mean.estimate)[0], math.nan if error is None else error])
        equal("follow_up", _three(group.follow_up))

    def compare_ratios(self, case: int, result: KaplanMeierResult, ties: str) -> None:
        """Compare the hazard ratios beside the curves."""
        ratios = [one for one in result.hazard_ratios if not one.is_reference]
        missing = [one for one in ratios if one.coefficient is None]
        if self.theirs(case, f"cox.{ties}.apart") is not None:
            self.skip(_WARNED if missing else _FINITE)
            return
        theirs = self.theirs(case, f"cox.{ties}.coefficients")
        lost = [] if theirs is None else [
            at
            for at, one in enumerate(ratios)
            if one in missing and (math.isnan(theirs[at]) or theirs[at] == 0)
        ]  # fmt: skip
        self.skip(_NOTHING, len(lost))
        for quantity, ours in (
            ("coefficients", [one.coefficient for one in ratios]),
            ("std_errors", [one.std_error for one in ratios]),
        ):
            numbers = [math.nan if value is None else value for value in ours]
            reference = self.theirs(case, f"cox.{ties}.{quantity}")
            for at in lost if reference is not None else ():
                numbers[at] = float(reference[at])
            self.equal(case, f"cox.{ties}.{quantity}", ALL, numbers, tolerance=ITERATED)

    def compare_exact(self, case: int, made: RandomCohort) -> None:
        """Compare the exact partial likelihood of two groups."""
        second = made.group == max(made.group.tolist())
        if self.theirs(case, "cox.exact.apart") is not None:
            found = exact_at_ties(made.time, made.event, second)
            self.skip(_WARNED if found.value is None else _FINITE)
            return
        theirs = self.theirs(case, "cox.exact.coefficients")
        if theirs is None:
            return
        found = exact_at_ties(made.time, made.event, second)
        if found.value is None and (math.isnan(theirs[0]) or theirs[0] == 0):
            self.theirs(case, "cox.exact.std_errors")
            self.skip(_NOTHING)
            return
        value, _, high = _three(found)
        z = 1.959963984540054
        self.equal(case, "cox.exact.coefficients", ALL, [math.log(value)], tolerance=ITERATED)
        self.equal(
            case, "cox.exact.std_errors", ALL, [math.log(high / value) / z], tolerance=ITERATED
        )

    def compare_counts(self, case: int, made: RandomCohort, result: KaplanMeierResult) -> None:
        """Compare the numbers under the figure with a plain count at every tick."""
        for group in (*result.groups, result.overall):
            who = made.group == group.label if group is not result.overall else made.time >= 0
            time, event, entry = made.time[who], made.event[who], made.entry[who]
            for at, tick in enumerate(result.ticks):
                slack = 1e-9 * max(1.0, tick)
                before = time < tick - slack
                entered = (entry < tick - slack) | (entry <= 0)
                plain = (
                    int(np.count_nonzero(~before & entered)),
                    int(np.count_nonzero(before & event)),
                    int(np.count_nonzero(before & ~event)),
                )
                risk = group.risk
                ours = (risk.at_risk[at], risk.events[at], risk.censored[at])
                self.compared(3)
                if ours != plain:
                    self.disagree(case, f"tick {tick:g}", group.label, f"{ours}, counted {plain}")


def _three(estimate: Estimate) -> list[float]:
    return [
        math.nan if value is None else value
        for value in (estimate.value, estimate.low, estimate.high)
    ]


if __name__ == "__main__":  # python -m validation.conventions tests/reference
    ask_r([random_cohort(STORED_SEED, case) for case in range(STORED)], Path(sys.argv[1]))
