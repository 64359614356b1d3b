"""Other programs: one trial by the rules of five, the ratios without a model, and the words."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.looked_at import comparisons_of
from sts_core.analysis.registry import ANALYSES
from sts_core.analysis.software_conventions import (
    KIND,
    MAX_SHOWN,
    SoftwareConventionsResult,
    SoftwareConventionsSpec,
    estimates_table,
    family_table,
    more_tables,
    of_curves,
    r_code,
    ratios_table,
    result_rows,
    software_conventions,
)
from sts_core.cohort import Cohort
from sts_core.estimates import NotEstimable
from sts_core.estimators.cox import cox_fit
from sts_core.estimators.log_rank import log_rank
from sts_core.estimators.two_group_hazard import (
    exact_at_ties,
    observed_over_expected,
    peto_one_step,
)
from sts_core.study import TimeUnit
from tests.analysis.test_conventions import freireich
from tests.cohorts import endpoint, make_cohort

REFERENCE = Path(__file__).parents[1] / "reference"


def run(cohort: Cohort, **spec: Any) -> SoftwareConventionsResult:
    return software_conventions(
        cohort, SoftwareConventionsSpec("OS", **{"by": "group", "landmarks": (10, 40), **spec})
    )


def days(time: list[Any], status: list[Any], group: list[Any]) -> Cohort:
    return make_cohort(
        {"time": time, "status": status, "group": group},
        endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)},
    )


# --- the trial -----------------------------------------------------------------------------------


def test_the_trial_under_every_program() -> None:
    table = estimates_table(run(freireich()))
    rows = [cells for cells in table.formatted() if not cells[0].startswith("placebo")]
    treated = {
        cells[0]: cells[1:] for cells in rows[rows.index(["6-MP (N\u00a0=\u00a021)", *[""] * 5]) :]
    }
    own = treated["This app (in force)".replace(" ", "\u00a0")]
    assert own == ["23.0 (13.0, NE)", "75.3 (50.3, 88.9)", "NE", "17.9 (14.9, 21.0)",
                   "25.0 (11.0, 32.0)"]  # fmt: skip
    assert treated["R"] == ["23.0 (16.0, NE)", "75.3 (58.6, 96.8)", "44.8 (24.9, 80.7)",
                            "23.3 (17.7, 28.8)", "25.0 (17.0, NE)"]  # fmt: skip
    assert treated["SPSS"][0] == "23.0 (12.7, 33.3)"
    assert treated["SAS"][:4] == ["23.0 (13.0, NE)", "75.3 (50.3, 88.9)", "NE", ""]
    assert treated["Prism"][0] == "23.0"
    never = run(days([1, 2, 3, 4, 5], [1, 0, 0, 0, 0], list("AAAAA")), by=None)
    medians = {cells[0]: cells[1] for cells in estimates_table(never).formatted()}
    # no interval by a rule that is not known, not even of a median that is not reached
    assert (medians["Prism"], medians["SAS"]) == ("NR", "NR (1.0, NE)")


def test_the_hazard_ratios_of_the_trial() -> None:
    cells = [row[1] for row in ratios_table(run(freireich())).formatted()]
    assert cells == [
        "0.208 (0.093, 0.466)",
        "0.221 (0.099, 0.493)",
        "0.196 (0.084, 0.459)",
        "0.239 (0.113, 0.505)",
        "0.194 (0.089, 0.425)",
    ]


def test_the_log_rank_family_of_the_trial() -> None:
    cells = [row[1] for row in family_table(run(freireich())).formatted()]
    assert cells == ["16.79", "13.46", "15.12", "14.46"]


def test_a_choice_of_ones_own_has_a_row_of_its_own() -> None:
    with_choice = estimates_table(run(freireich(), conf_type="plain"))
    assert [row["program"] for row in with_choice.rows][1] == "As shown on this page"
    of_study = run(freireich(convention="SPSS", conf_type="log"))
    labels = [str(row["program"]) for row in estimates_table(of_study).rows]
    assert labels.count("SPSS\u00a0(in\u00a0force)") == 2
    # what the study has chosen by hand doesn't reach the other programs
    rows = estimates_table(run(freireich())).formatted()
    rows_of_study = estimates_table(of_study).formatted()
    assert [row[1:] for row in rows if row[0] == "SAS"] == [
        row[1:] for row in rows_of_study if row[0] == "SAS"
    ]


# --- words ---------------------------------------------------------------------------------------


def test_reasons_say_where_numbers_differ() -> None:
    reasons = run(freireich()).reasons
    assert reasons[0].startswith("Median: the same in every program")
    assert any("Here this changes what is printed in 6-MP." in text for text in reasons)
    flat = run(days(list(range(1, 9)) * 2, [1] * 16, ["A"] * 8 + ["B"] * 8)).reasons
    assert "SPSS its beginning" in flat[0]
    same = run(days([1, 2, 3, 4], [1, 1, 1, 1], list("ABAB")), landmarks=())
    assert not any("beyond the last time" in text for text in same.reasons)


AWKWARD = {
    "nobody": ([], [], []),
    "one patient": ([3], [1], ["A"]),
    "all censored": ([3, 4, 5], [0, 0, 0], ["A", "B", "A"]),
    "an empty second group": ([3, 4, 5], [1, 0, 1], ["A", "A", "A"]),
    "a group without events": ([3, 4, 5, 6], [1, 0, 1, 0], ["A", "B", "A", "B"]),
    "time 0": ([0, 0, 5, 6], [1, 0, 1, 0], ["A", "B", "A", "B"]),
    "many groups": (list(range(1, 41)), [1] * 40, [f"g{n % (MAX_SHOWN + 3)}" for n in range(40)]),
}


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("by", [None, "group"])
def test_awkward_cohorts_are_put_side_by_side(name: str, by: str | None) -> None:
    time, status, group = AWKWARD[name]
    found = run(days(time, status, group), by=by)
    for table in (estimates_table(found), *more_tables(found)):
        assert table.rows
        for cells in table.formatted():
            assert not any(re.search(r"\bnan\b|\binf\b|None", cell) for cell in cells)
    for reason in found.reasons:
        assert reason.endswith(".")
        assert not re.search(r"\bnan\b|None|\bbecause of\b|\beffect\b", reason)
    assert len(more_tables(found)) == bool(found.tests) + bool(found.ratios)
    assert bool(found.tests) is (by is not None and bool(time))


def test_programs_agree_where_no_rule_decides() -> None:
    # no tie, no flat stretch at one half, a last event: points are the same everywhere
    found = run(days([1, 2, 3, 5, 7], [1, 1, 1, 1, 1], list("AAAAA")), by=None)
    medians = {program.result.overall.median.value for program in found.programs}
    assert medians == {3}


# --- ratios without a model ----------------------------------------------------------------------


def test_ratios_by_hand() -> None:
    # times 1 (A), 2 (B), 3 (A), 4 (B): E of A 4/3, of B 8/3, V = 13/18
    test = log_rank([1, 2, 3, 4], [1, 1, 1, 1], ["A", "B", "A", "B"])
    assert observed_over_expected(test).value == pytest.approx((2 / (8 / 3)) / (2 / (4 / 3)))
    assert peto_one_step(test).value == pytest.approx(np.exp((2 - 8 / 3) / (13 / 18)))


def test_exact_at_ties_agrees_with_r() -> None:
    with (REFERENCE / "two_group_results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40
    for row in rows:
        numbers = {
            key: np.array([float(part) for part in row[key].split()])
            for key in ("time", "event", "second", "entry")
        }
        entry = numbers["entry"] if numbers["entry"].any() else None
        found = exact_at_ties(numbers["time"], numbers["event"], numbers["second"], entry=entry)
        if row["coefficient"] == "":
            assert found.reason in (NotEstimable.SEPARATION, NotEstimable.NEVER_COMPARED)
            continue
        assert found.value is not None
        assert np.log(found.value) == pytest.approx(float(row["coefficient"]), abs=1e-6)
        assert found.high is not None
        error = np.log(found.high / found.value) / 1.959963984540054
        assert error == pytest.approx(float(row["std_error"]), rel=1e-6)


def test_exact_is_a_cox_model_without_ties() -> None:
    rng = np.random.default_rng(5)
    time, event = rng.exponential(size=60), rng.random(60) < 0.7
    second = rng.random(60) < 0.4
    found = exact_at_ties(time, event, second)
    fit = cox_fit(time, event, second[:, None].astype(float))
    assert found.value is not None
    assert np.log(found.value) == pytest.approx(fit.coefficients[0], abs=1e-8)


def test_ratios_that_do_not_exist_say_why() -> None:
    no_event_in_b = log_rank([1, 2, 3, 4], [1, 0, 1, 0], ["A", "B", "A", "B"])
    assert observed_over_expected(no_event_in_b).reason is NotEstimable.SEPARATION
    assert peto_one_step(no_event_in_b).value is not None
    assert exact_at_ties([1, 2, 3, 4], [1, 0, 1, 0], [0, 1, 0, 1]).reason is (
        NotEstimable.SEPARATION
    )
    assert exact_at_ties([1, 2], [0, 0], [0, 1]).reason is NotEstimable.NO_EVENTS
    assert exact_at_ties([1, 2], [1, 1], [1, 1]).reason is NotEstimable.NEVER_COMPARED
    with pytest.raises(ValueError, match="two groups"):
        observed_over_expected(log_rank([1, 2, 3], [1, 1, 1], ["A", "B", "C"]))


# --- as an item of a report ----------------------------------------------------------------------


def test_the_rows_of_the_trial_name_their_program() -> None:
    found = run(freireich())
    rows = {(row.statistic, row.group, row.term, row.level): row for row in result_rows(found)}
    spss = rows["median", "6-MP", None, "SPSS"]
    assert spss.value == 23
    assert spss.low == pytest.approx(12.70, abs=0.005)
    assert spss.high == pytest.approx(33.30, abs=0.005)
    prism = rows["median", "6-MP", None, "Prism"]
    assert (prism.value, prism.low, prism.high) == (23, None, None)
    assert ("restricted_mean", "6-MP", "35 months", "SAS") not in rows
    assert not any(key[0] == "restricted_mean" and key[3] in ("SAS", "Prism") for key in rows)
    assert rows["test_chi_square", None, "log-rank", None].value == pytest.approx(16.7929, abs=5e-5)
    ratio = rows["hazard_ratio", "6-MP", "Cox model, Breslow's handling of ties", "placebo"]
    assert ratio.value == pytest.approx(0.2211, abs=5e-5)
    assert {row.analysis for row in rows.values()} == {KIND}
    code = r_code(found)
    assert 'ties = "exact"' in code
    assert code.count("# --- by the rules of") == 5


def test_its_log_rank_test_is_the_comparison_of_the_curves() -> None:
    cohort = freireich()
    curves = KaplanMeierSpec("OS", by="group")
    keys = []
    for spec in (curves, of_curves(curves)):
        analysis = ANALYSES[spec.kind]
        found = analysis.compute(cohort, spec)
        keys.append([
            one.key for one in comparisons_of(cohort, spec.kind, spec, analysis.rows(found))
        ])  # fmt: skip
    assert keys[0] == keys[1] != []


def test_delayed_entry_is_said_where_a_program_takes_none() -> None:
    cohort = make_cohort(
        {"time": [4, 5, 6, 7], "entry": [0, 1, 2, 3], "status": [1, 1, 0, 1],
         "group": ["A", "B", "A", "B"]},
        endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS, entry="entry")},
    )  # fmt: skip
    assert any(reason.startswith("Delayed entry: ") for reason in run(cohort).reasons)
    assert not any(reason.startswith("Delayed entry") for reason in run(freireich()).reasons)
    assert "survdiff(y ~ d$group, rho = 1)" not in r_code(run(cohort))
