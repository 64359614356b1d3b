"""Comparison of groups: the numbers of the estimators, by hand, and every word at its edge."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from sts_core.analysis.cox import CoxSpec, cox
from sts_core.analysis.hazard_flags import Crossing, HazardFlags, flag_words, hazard_flags
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.provenance import provenance_of
from sts_core.analysis.registry import ANALYSES
from sts_core.analysis.survival_comparison import (
    KIND,
    SurvivalComparisonResult,
    SurvivalComparisonSpec,
    survival_comparison,
)
from sts_core.analysis.survival_comparison_report import (
    comparison_table,
    group_tests_table,
    methods_sentence,
    more_tables,
    pairs_table,
    r_code,
    rates_table,
    result_rows,
    result_sentences,
)
from sts_core.cohort import Cohort
from sts_core.estimates import NotEstimable
from sts_core.estimators.log_rank import log_rank, log_rank_trend
from sts_core.estimators.product_limit import product_limit, quantile, restricted_mean, survival_at
from sts_core.findings import StudyError
from sts_core.study import AnalysisSection, Measured, TimeUnit, Variable, VariableKind
from tests.cohorts import AWKWARD_NAMES, endpoint, make_cohort

# Freireich et al., Blood 1963;21:699-716: weeks in remission; 6-mercaptopurine and placebo.
TIME = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
TIME += [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
EVENT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0] + [1] * 21
ARM = ["6-MP"] * 21 + ["placebo"] * 21
WEEKS = endpoint(unit=TimeUnit.WEEKS, display_unit=TimeUnit.WEEKS)


def run(cohort: Cohort, by: str | None = "group", **spec: Any) -> SurvivalComparisonResult:
    return survival_comparison(cohort, SurvivalComparisonSpec("OS", by, **spec))


def freireich(**more: Any) -> Cohort:
    return make_cohort(
        {"time": TIME, "status": EVENT, "group": ARM},
        endpoints={"OS": WEEKS},
        variables={"group": Variable(label="Arm", reference="placebo", measured=Measured.BASELINE)},
        **more,
    )


def in_days(columns: dict[str, list[Any]], **variable: Any) -> Cohort:
    return make_cohort(
        columns,
        endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)},
        variables={
            "group": Variable(label="Group", measured=Measured.BASELINE, **variable),
            "sex": Variable(label="Sex", measured=Measured.BASELINE),
        },
    )


def three_groups(n: int = 90, seed: int = 4) -> dict[str, list[Any]]:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    return {
        "time": [int(t) for t in 1 + rng.exponential(np.array([60, 25, 10])[group])],
        "status": [int(e) for e in rng.random(n) < 0.8],
        "group": ["ABC"[g] for g in group],
        "sex": [str(s) for s in rng.choice(["f", "m"], n)],
    }


# --- numbers -------------------------------------------------------------------------------------


def test_freireich_as_published() -> None:
    result = run(freireich(), landmarks=(10.0,), mean_horizon=20)
    tests = {one.key: one.test.statistic for one in result.tests}
    # the values of R's survdiff and of SPSS's Breslow and Tarone
    assert tests["log-rank"] == pytest.approx(16.7929, abs=5e-5)
    assert tests["gehan-breslow"] == pytest.approx(13.4579, abs=5e-5)
    assert tests["tarone-ware"] == pytest.approx(15.1236, abs=5e-5)
    assert tests["peto-peto"] == pytest.approx(14.4572, abs=5e-5)
    # R's cox.zph, transform km
    assert result.proportional_hazards is not None
    assert result.proportional_hazards.statistic == pytest.approx(0.0229, abs=5e-5)
    (one,) = result.differences
    assert (one.group, one.reference) == ("6-MP", "placebo")
    assert one.hazard_ratio.hazard_ratio.value == pytest.approx(0.2076, abs=5e-5)
    assert one.median.value == 23 - 8
    # too many samples of 6-MP, in which 9 of 21 relapsed, lack a median
    assert one.n_not_reached > 100
    assert one.median.low_reason is NotEstimable.NOT_REACHED
    assert one.mean is not None
    # 6-MP up to 20 weeks: 16.1165, standard error 1.2516
    arms = [product_limit(TIME[i : i + 21], EVENT[i : i + 21]) for i in (0, 21)]
    means = [restricted_mean(arm, 20) for arm in arms]
    assert means[0].value == pytest.approx(16.1165, abs=5e-5)
    assert one.mean.estimate.value == pytest.approx(means[0].value - means[1].value, rel=1e-12)
    spread = np.hypot(means[0].std_error, means[1].std_error)
    assert one.mean.test.statistic == pytest.approx(one.mean.estimate.value / spread, rel=1e-12)
    (rate,) = one.rates
    at_ten = [survival_at(arm, [10]) for arm in arms]
    assert rate.estimate.value == pytest.approx(at_ten[0].estimate[0] - at_ten[1].estimate[0])
    assert result.permutation is None
    assert result.pairs == ()
    assert not result.is_flagged


def test_spss_convention_takes_breslow_and_the_first_time() -> None:
    result = run(freireich(analysis=AnalysisSection(convention="SPSS")))
    assert result.differences[0].hazard_ratio.hazard_ratio.value == pytest.approx(0.2211, abs=5e-5)
    assert "Breslow's handling of ties" in methods_sentence(result)


def test_tests_and_hazard_ratios_are_those_of_curves_and_prognosis() -> None:
    cohort = in_days(three_groups())
    result = run(cohort)
    curves = kaplan_meier(cohort, KaplanMeierSpec("OS", "group"))
    assert curves.logrank is not None
    first = result.tests[0].test
    assert first.statistic == pytest.approx(curves.logrank.statistic, rel=1e-12)
    prognosis = cox(cohort, CoxSpec("OS", ("group",), model="univariable")).covariates[0]
    for ratio, level in zip(result.ratios, prognosis.levels, strict=True):
        expected = level.univariable.hazard_ratio
        if expected.value is not None:
            assert ratio.hazard_ratio.value == pytest.approx(expected.value, rel=1e-10)
    for one in result.differences:
        shown = {group.label: group for group in curves.groups}
        median = shown[one.group].median.value, shown[one.reference].median.value
        assert None not in median
        assert one.median.value == pytest.approx(median[0] - median[1])


def test_pairs_are_tested_alone_and_adjusted_by_holm() -> None:
    columns = three_groups()
    result = run(in_days(columns))
    time, event = np.array(columns["time"], float), np.array(columns["status"], bool)
    group = np.array(columns["group"])
    raw = {}
    for pair in result.pairs:
        mask = (group == pair.one) | (group == pair.other)
        alone = log_rank(time[mask], event[mask], group[mask])
        assert pair.test.statistic == pytest.approx(alone.statistic, rel=1e-12)
        raw[pair.one, pair.other] = alone.p_value
    assert list(raw) == [("A", "B"), ("A", "C"), ("B", "C")]
    words = " ".join(result_sentences(result))
    assert "P adjusted by Holm's rule was below 0.05 for " in words
    assert "differ" not in words.replace("ifference", "")
    # Holm by hand: the smallest times 3, the next times 2, never falling
    running = 0.0
    for rank, (places, p_value) in enumerate(sorted(raw.items(), key=lambda item: item[1])):
        running = max(running, min(1.0, (3 - rank) * p_value))
        found = next(p for p in result.pairs if (p.one, p.other) == places)
        assert found.adjusted_p == pytest.approx(running, rel=1e-12)
    against = run(in_days(columns), pairs="reference")
    assert [(p.one, p.other) for p in against.pairs] == [("A", "B"), ("A", "C")]
    assert run(in_days(columns), pairs="none").pairs == ()


def test_trend_where_groups_are_ordered_or_when_asked() -> None:
    columns = three_groups()
    ordered = run(in_days(columns, kind=VariableKind.ORDERED, levels=("A", "B", "C")))
    assert ordered.trend is not None
    over_all = log_rank(columns["time"], columns["status"], columns["group"])
    assert ordered.trend.test.statistic == pytest.approx(
        log_rank_trend(over_all).statistic, rel=1e-12
    )
    assert run(in_days(columns)).trend is None
    scored = run(in_days(columns), trend=True, scores=(0.0, 1.0, 5.0))
    assert scored.trend is not None
    assert scored.trend.test.statistic == pytest.approx(
        log_rank_trend(over_all, [0, 1, 5]).statistic, rel=1e-12
    )
    assert "scores 0, 1, 5" in scored.trend.label
    wrong = run(in_days(columns), trend=True, scores=(0.0, 1.0))
    assert wrong.trend is not None
    assert wrong.trend.test.p_value is None


def test_stratified_numbers_stand_beside_the_others() -> None:
    columns = three_groups()
    columns["sex"][:2] = [None, None]
    result = run(in_days(columns), strata=("sex",), fleming_harrington=(0.0, 1.0))
    known = [i for i, sex in enumerate(columns["sex"]) if sex is not None]
    some = {name: [cells[i] for i in known] for name, cells in columns.items()}
    expected = log_rank(some["time"], some["status"], some["group"], strata=some["sex"])
    assert result.tests[0].stratified is not None
    assert result.tests[0].stratified.statistic == pytest.approx(expected.statistic, rel=1e-12)
    late = log_rank(
        columns["time"], columns["status"], columns["group"],
        weights="fleming-harrington", gamma=1,
    )  # fmt: skip
    assert result.tests[-1].test.statistic == pytest.approx(late.statistic, rel=1e-12)
    assert (result.n_strata, result.n_unknown_stratum, result.strata_label) == (2, 2, "Sex")
    assert all(one.stratified_hazard_ratio is not None for one in result.differences)
    spanners = {column.spanner for column in group_tests_table(result).columns}
    assert {"Unstratified", "Stratified by sex"} <= spanners
    assert any(
        "2 patients whose stratum is not known" in n for n in group_tests_table(result).footnotes
    )
    statistics = {row.statistic for row in result_rows(result)}
    assert {"stratified_test_p", "stratified_hazard_ratio"} <= statistics


def test_few_events_have_a_permutation_p() -> None:
    columns = {
        "time": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "status": [1, 1, 1, 1, 0, 0, 0, 0, 0, 1],
        "group": ["A"] * 4 + ["B"] * 6,
    }
    result = run(in_days(columns))
    assert result.permutation is not None
    assert result.permutation.is_exact
    # of 210 ways to choose who is in A, only this one is as extreme
    assert result.permutation.p_value == pytest.approx(1 / 210)
    text = " ".join(cell for row in group_tests_table(result).formatted() for cell in row)
    assert "permutation (exact, all ways to deal out the groups)" in text
    assert "By permutation, with 5 events" in " ".join(result_sentences(result))


def test_the_interval_of_medians_can_be_left_for_later() -> None:
    cohort = in_days(three_groups())
    without, full = run(cohort, resamples=0), run(cohort)
    for one, other in zip(without.differences, full.differences, strict=True):
        assert one.median.value == other.median.value
        assert one.median.low is None
        assert one.median.reason is None
        assert other.median.low is not None
        assert other.median.low <= other.median.value <= (other.median.high or np.inf)
    at = [column.key for column in comparison_table(without).columns].index("median")
    shown = [row[at] for row in comparison_table(without).formatted()]
    assert all(re.fullmatch(r"(−?\d+\.\d)?", cell) for cell in shown)
    assert "No interval of the difference of medians" in " ".join(
        comparison_table(without).footnotes
    )
    told: list[float] = []
    again = survival_comparison(cohort, SurvivalComparisonSpec("OS", "group"), told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert [one.median for one in again.differences] == [one.median for one in full.differences]


def test_a_median_that_too_many_samples_lack_has_no_interval() -> None:
    columns = {
        "time": list(range(1, 31)) * 2,
        "status": [1, 0, 0] * 10 + [1] * 30,
        "group": ["A"] * 30 + ["B"] * 30,
    }
    (one,) = run(in_days(columns)).differences
    assert one.n_not_reached > 100
    curves = [product_limit(columns["time"][i : i + 30], columns["status"][i : i + 30])
              for i in (0, 30)]  # fmt: skip
    if np.isnan(quantile(curves[0]).value):
        assert one.median.reason is NotEstimable.NOT_REACHED
    else:
        assert one.median.low_reason is NotEstimable.NOT_REACHED
        assert "(95% CI not estimable)" in " ".join(result_sentences(run(in_days(columns))))


def test_crossing_curves_and_hazards_that_are_not_proportional_are_flagged() -> None:
    rng = np.random.default_rng(2)
    early = np.where(rng.random(60) < 0.5, rng.exponential(3, 60), 60 + rng.exponential(5, 60))
    late = 20 + rng.exponential(8, 60)
    columns = {
        "time": [float(t) for t in np.concatenate([early, late]).round(1)],
        "status": [1] * 120,
        "group": ["A"] * 60 + ["B"] * 60,
    }
    result = run(in_days(columns), mean_horizon=40)
    assert result.differences[0].crosses_at is not None
    assert result.proportional_hazards is not None
    assert result.proportional_hazards.p_value is not None
    assert result.proportional_hazards.p_value < 0.001
    (flag,) = result.flags
    assert flag.startswith("Hazards are not proportional (P <0.001) and the curve of B (near ")
    assert "a hazard ratio is then an average over time" in flag
    assert "Look in its place at the mean time up to 40.0 days less that of A: B, " in flag
    curves = KaplanMeierSpec("OS", by="group")
    flags = hazard_flags(in_days(columns), curves)
    assert flags.proportional_hazards == result.proportional_hazards
    (crossing,) = flags.crossings
    assert crossing == Crossing("B", "A", result.differences[0].crosses_at)
    assert flag.startswith(str(flag_words(flags, result.provenance, result.unit_factor, "days")))
    assert flag in comparison_table(result).footnotes
    assert flag in result_sentences(result)
    assert {"curves_cross_at"} < {row.statistic for row in result_rows(result)}


def test_flags_name_a_few_groups_and_count_the_others() -> None:
    many = tuple(Crossing(f"G{i}", "R", float(i)) for i in range(1, 12))
    provenance = provenance_of(in_days({"time": [1], "status": [1], "group": ["A"]}))
    text = flag_words(HazardFlags(None, many), provenance, 1.0, "days")
    assert text is not None
    assert text.startswith("The curves of G1 (near 1.0 days), ")
    assert text.endswith("G5 (near 5.0 days) and 6 other groups cross that of R")
    assert flag_words(HazardFlags(), provenance, 1.0, "days") is None


def test_flags_of_the_curves_survive_groups_without_patients() -> None:
    for levels in (("A",), ("A", "C"), ("C", "D"), ("A", "B", "C")):
        cohort = in_days(
            {"time": [1, 2, 3], "status": [1, 0, 1], "group": ["A", "A", "B"]},
            levels=("A", "B", "C"),
        )
        flags = hazard_flags(cohort, KaplanMeierSpec("OS", by="group", levels=levels))
        assert flags.crossings == ()
        wanted = survival_comparison(cohort, SurvivalComparisonSpec("OS", "group", levels=levels))
        assert flags.proportional_hazards == wanted.proportional_hazards


def test_groups_formed_later_need_a_landmark() -> None:
    columns = {
        "time": [2, 5, 8, 9, 12, 14, 20, 22],
        "status": [1, 1, 0, 1, 1, 0, 1, 1],
        "best_response": ["PD", "PR", "PR", "SD", "SD", "PR", "PR", "SD"],
    }
    cohort = make_cohort(columns, endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)})
    with pytest.raises(StudyError) as refused:
        run(cohort, "best_response")
    assert "Choose a landmark" in refused.value.findings[0].hint
    result = run(cohort, "best_response", landmark=5)
    assert result.n == 6
    assert result.landmark is not None
    assert (result.landmark.n_event_before, result.landmark.n_ended_before) == (2, 0)
    assert any(
        "at or before the landmark are left out" in n for n in comparison_table(result).footnotes
    )
    assert {row.landmark for row in result_rows(result)} == {"5 days"}
    assert "a landmark at 5 days" in methods_sentence(result)


# --- edges and words -----------------------------------------------------------------------------


def test_nothing_to_compare_is_said() -> None:
    cohort = in_days(three_groups())
    for by, levels in ((None, None), ("group", ("A",)), ("group", ())):
        result = run(cohort, by, levels=levels)
        assert result.tests == ()
        assert "not compared" in methods_sentence(result)
        assert result_sentences(result) == ("No two groups are compared for overall survival.",)
        assert comparison_table(result).footnotes
        assert pairs_table(result) is None
        assert rates_table(result) is None
        assert r_code(result).startswith("#")


def test_an_empty_level_and_a_group_without_events_are_named() -> None:
    columns = {
        "time": [3, 5, 8, 13, 21, 34],
        "status": [1, 1, 1, 0, 0, 0],
        "group": ["A", "A", "A", "C", "C", "C"],
    }
    result = run(in_days(columns, levels=("A", "B", "C")))
    assert [name for name, _, _ in result.groups] == ["A", "B", "C"]
    assert [one.group for one in result.differences] == ["C"]
    assert result.pairs == ()
    notes = comparison_table(result).footnotes
    assert "HR not estimable for C: no events in a level, or events in one level only." in notes
    assert result.differences[0].median.reason is NotEstimable.NOT_REACHED
    for sentence in (*result_sentences(result), methods_sentence(result), *notes):
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b", sentence)


def test_the_order_of_rows_changes_no_number() -> None:
    columns = three_groups()
    order = np.random.default_rng(1).permutation(len(columns["time"]))
    shuffled = {name: [cells[i] for i in order] for name, cells in columns.items()}
    spec = {"strata": ("sex",), "fleming_harrington": (1.0, 1.0)}
    one, other = (result_rows(run(in_days(c), **spec)) for c in (columns, shuffled))
    assert one == other


def test_no_words_of_the_file_reach_the_r_code_and_none_of_a_patient_the_rows() -> None:
    n = len(AWKWARD_NAMES)
    columns = {
        "time": list(range(1, 4 * n + 1)),
        "status": [1, 0] * (2 * n),
        "group": [name for name in AWKWARD_NAMES for _ in range(4)],
    }
    cohort = in_days(columns)
    result = run(cohort, strata=())
    code = r_code(result)
    assert not any(name in code for name in AWKWARD_NAMES)
    words = [*map(repr, result_rows(result)), *result_sentences(result)]
    assert not any("source-" in text or "S001" in text for text in words)
    for table in (comparison_table(result), *more_tables(result)):
        keys = [column.key for column in table.columns]
        assert len(set(keys)) == len(keys)
        assert all(len(row) == len(keys) for row in table.formatted())


def test_delayed_entry_is_part_of_every_number() -> None:
    rng = np.random.default_rng(6)
    time = rng.integers(10, 60, 60)
    columns = {
        "time": [int(t) for t in time],
        "status": [int(e) for e in rng.random(60) < 0.7],
        "group": [str(g) for g in rng.choice(["A", "B"], 60)],
        "late": [int(t) for t in rng.integers(0, 9, 60)],
    }
    late = endpoint(display_unit=TimeUnit.DAYS, entry="late")
    result = run(make_cohort(columns, endpoints={"OS": late}))
    expected = log_rank(columns["time"], columns["status"], columns["group"], entry=columns["late"])
    assert result.tests[0].test.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert any("delayed entry" in note for note in group_tests_table(result).footnotes)


def test_a_wrong_spec_is_refused_with_its_value() -> None:
    for wrong in (
        {"conf_level": 95}, {"landmark": 0.0}, {"mean_horizon": -1.0}, {"resamples": -1},
        {"fleming_harrington": (-1.0, 0.0)}, {"known_on": "x"}, {"permutations": 0},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"must|belongs"):
            SurvivalComparisonSpec("OS", "group", **wrong)
    assert ANALYSES[KIND].compute is survival_comparison
