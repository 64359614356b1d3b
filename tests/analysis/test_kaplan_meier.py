"""Kaplan-Meier on a cohort: by hand, against R, invariants, and every sentence at its edge."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sts_core.analysis.curve_reading import DEFAULT_LANDMARKS, axis_ticks
from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    SurvivalGroup,
    kaplan_meier,
    methods_sentence,
    more_estimates_table,
    r_code,
    result_rows,
    result_sentences,
    survival_table,
)
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.display import format_value
from sts_core.estimates import Estimate, NotEstimable, TestResult
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.results import ResultRow
from sts_core.study import AnalysisSection, Grouping, OneOf, Study, TimeUnit, Variable, load_study
from tests.cohorts import AWKWARD_NAMES, DEGENERATE, endpoint, make_cohort

REFERENCE = Path(__file__).parents[1] / "reference"
MONTH = 30.4375


def run(cohort: Cohort, **spec: Any) -> KaplanMeierResult:
    return kaplan_meier(cohort, KaplanMeierSpec("OS", **spec))


def days(time: list[Any], status: list[Any], group: list[Any] | None = None, **kw: Any) -> Cohort:
    columns = {"time": time, "status": status}
    if group is not None:
        columns["group"] = group
    return make_cohort(columns, endpoints={"OS": endpoint(display_unit=TimeUnit.DAYS)}, **kw)


def mixed(n: int = 60, seed: int = 3) -> dict[str, list[Any]]:
    """Follow-up with ties, censoring and three groups."""
    rng = np.random.default_rng(seed)
    return {
        "time": [int(t) for t in rng.integers(0, 40, n)],
        "status": [int(e) for e in rng.random(n) < 0.6],
        "group": [str(g) for g in rng.choice(["A", "B", "C"], n)],
    }


# --- by hand -------------------------------------------------------------------------------------


def test_a_small_set_by_hand() -> None:
    # at risk 5, 4, 2, 1: 4/5, then 3/4 of it, then nobody of the one left
    result = run(days([1, 2, 2, 4, 5], [1, 1, 0, 0, 1]), landmarks=(1, 2, 4, 5))
    group = result.overall
    assert group.steps.time.tolist() == [1, 2, 4, 5]
    assert group.steps.n_risk.tolist() == [5, 4, 2, 1]
    assert group.steps.n_event.tolist() == [1, 1, 0, 1]
    assert group.steps.n_censor.tolist() == [0, 1, 1, 0]
    assert group.steps.estimate == pytest.approx([0.8, 0.6, 0.6, 0.0], abs=1e-15)
    assert group.steps.std_error[:2] == pytest.approx(
        [0.8 * math.sqrt(1 / 20), 0.6 * math.sqrt(1 / 20 + 1 / 12)], rel=1e-14
    )
    assert group.median.value == 5
    assert [rate.estimate.value for rate in group.rates] == pytest.approx([0.8, 0.6, 0.6, 0.0])
    assert [rate.n_risk for rate in group.rates] == [5, 4, 2, 1]
    assert (group.n, group.n_event, group.events_by_kind) == (5, 3, {"death": 3})
    assert group.censor_times.tolist() == [2, 4]
    assert group.censor_subjects == ("S003", "S004")
    assert (group.max_time, group.max_is_censored) == (5, False)


def test_a_mean_without_an_event_has_no_interval_of_no_width() -> None:
    result = run(days([3, 5, 9, 4, 6, 9], [0, 0, 0, 1, 0, 1], list("AAABBB")), by="group")
    of_a, of_b = (group.mean.estimate for group in result.groups)
    assert (of_a.value, of_a.low, of_a.high) == (9.0, None, None)
    assert of_a.low_reason is NotEstimable.NO_VARIATION
    assert of_b.low is not None
    assert "9.0 (NE, NE)" in " ".join(more_estimates_table(result).formatted()[0])


def test_many_groups_are_counted_in_words_and_few_are_named() -> None:
    many = [f"G{n % 12}" for n in range(48)]
    sizes = {9: "9 groups", 8: "G0, G1, G2, G3, G4, G5, G6 and G7"}
    for n, words in sizes.items():
        levels = tuple(f"G{i}" for i in range(n))
        cohort = days([1 + i % 7 for i in range(48)], [1] * 48, many)
        text = " ".join(result_sentences(run(cohort, by="group", levels=levels)))
        assert f"Log-rank test between {words}" in text


def test_the_risk_counts_of_a_tick_sum_to_everyone() -> None:
    result = run(days([1, 2, 2, 4, 5], [1, 1, 0, 0, 1]), tick_step=1)
    risk = result.overall.risk
    assert result.ticks == (0, 1, 2, 3, 4, 5)
    assert risk.at_risk == (5, 5, 4, 2, 2, 1)
    assert risk.events == (0, 0, 1, 2, 2, 2)
    assert risk.censored == (0, 0, 0, 1, 1, 2)


def test_a_flat_of_exactly_one_half_gives_its_middle() -> None:
    assert run(days(list(range(1, 9)), [1] * 8)).overall.median.value == 4.5


def test_log_rank_by_hand() -> None:
    # times 1 (A), 2 (B), 3 (A), 4 (B): expected in A 1/2 + 1/3 + 1/2, variance 1/4 + 2/9 + 1/4
    test = run(days([1, 3, 2, 4], [1, 1, 1, 1], ["A", "A", "B", "B"]), by="group").logrank
    assert test is not None
    assert test.statistic == pytest.approx((2 - 4 / 3) ** 2 / (13 / 18), rel=1e-12)
    assert test.df == 1


# --- public cohorts, against R -------------------------------------------------------------------

TCGA = """
data: {tables: {subjects: {file: tcga_sarc_2017.csv}}}
definitions:
  endpoints:
    OS: {label: Overall survival, time: OS days, unit: days, unit_status: confirmed,
      event: OS status, events: {death: [Dead]}, censored: [Alive], events_status: confirmed}
    RFS: {label: Recurrence-free survival, time: RFS days, unit: days, unit_status: confirmed,
      event: RFS status, events: {relapse: [Relapse]}, censored: [Non-Relapse],
      events_status: confirmed}
    DSS: {label: Disease-specific survival, time: OS days, unit: days, unit_status: confirmed,
      event: DSS status, events: {death: [1]}, censored: [0], events_status: confirmed}
  variables: {residual tumor: {label: Residual tumour}}
  groupings: {residual: {label: Margin, variable: residual tumor, groups: {R0: [R0]},
    rest: not R0}}
"""
PANCREATIC = """
data: {tables: {subjects: {file: asaur_pancreatic.csv, columns: {
  onstudy: {date_order: mdy}, progression: {date_order: mdy}, death: {date_order: mdy}}}}}
definitions:
  endpoints:
    OS: {label: Overall survival, start: onstudy, event_dates: {death: death},
      events_status: confirmed}
    PFS: {label: Progression-free survival, start: onstudy,
      event_dates: {progression: progression, death: death}, events_status: confirmed}
"""
ADTTE = """
data:
  tables:
    subjects: {file: tern_adtte.csv, subject_id: USUBJID, rows: {PARAMCD: [OS]}}
    time_to_event: {file: tern_adtte.csv, subject_id: USUBJID}
definitions:
  endpoints:
    OS: {label: Overall survival, table: time_to_event, rows: {PARAMCD: [OS]}, time: AVAL,
      unit: days, unit_status: confirmed, event: CNSR, events: {death: [0]}, censored: [1],
      events_status: confirmed}
    PFS: {label: Progression-free survival, table: time_to_event, rows: {PARAMCD: [PFS]},
      time: AVAL, unit: days, unit_status: confirmed, event: CNSR, events: {event: [0]},
      censored: [1], events_status: confirmed}
"""
STUDIES = {"tcga_sarc_2017": TCGA, "asaur_pancreatic": PANCREATIC, "tern_adtte": ADTTE}


@pytest.fixture(scope="module")
def public() -> dict[str, Cohort]:
    made = {}
    for name, text in STUDIES.items():
        study = load_study(text)
        book = read_bytes(f"{name}.csv", (REFERENCE / f"{name}.csv").read_bytes())
        made[name] = apply_criteria(assemble(study, [book]), study)
    return made


def expected() -> Iterator[Any]:
    with (REFERENCE / "public_cohorts_expected.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = "-".join(row[key] for key in ("cohort", "endpoint", "group_var", "group"))
            yield pytest.param(row, id=name)


def same(found: float | None, text: str) -> bool:
    return found is None if text == "" else found == pytest.approx(float(text), rel=1e-12)


@pytest.mark.parametrize("row", list(expected()))
def test_public_cohorts_agree_with_r(public: dict[str, Cohort], row: dict[str, str]) -> None:
    for conf_type, short in (("log", "log"), ("log-log", "loglog")):
        spec = KaplanMeierSpec(row["endpoint"], by=row["group_var"] or None, conf_type=conf_type)
        result = kaplan_meier(public[row["cohort"]], spec)
        labels = {group.label: group for group in result.groups}
        group = labels[row["group"]] if row["group"] else result.overall
        assert (group.n, group.n_event) == (int(row["n"]), int(row["events"]))
        assert same(group.median.value, row["median"])
        assert same(group.median.low, row[f"{short}_low"])
        assert same(group.median.high, row[f"{short}_high"])
        if row["group"]:
            assert result.logrank is not None
            assert result.logrank.statistic == pytest.approx(float(row["chi_square"]), rel=1e-9)
            assert result.logrank.p_value == pytest.approx(float(row["p"]), rel=1e-8)
            assert result.logrank.df == int(row["df"])


def test_status_not_known_is_a_counted_loss(public: dict[str, Cohort]) -> None:
    result = kaplan_meier(public["tcga_sarc_2017"], KaplanMeierSpec("DSS"))
    assert [(loss.reason.value, len(loss.subjects)) for loss in result.losses] == [
        ("event status missing", 5)
    ]
    assert "5 patients not included: event status missing (“DSS status”)." in result.footnotes


# --- invariants ----------------------------------------------------------------------------------


def numbers(result: KaplanMeierResult) -> list[tuple[Any, ...]]:
    return [
        (row.statistic, row.group, row.term, row.value, row.low, row.high, row.reason)
        for row in result_rows(result)
    ]


def test_the_order_of_rows_changes_no_number() -> None:
    columns = mixed()
    order = np.random.default_rng(1).permutation(len(columns["time"]))
    shuffled = {name: [cells[i] for i in order] for name, cells in columns.items()}
    spec = {"by": "group", "landmarks": (5, 10, 20)}
    one, other = run(make_cohort(columns), **spec), run(make_cohort(shuffled), **spec)
    assert numbers(one) == numbers(other)
    assert one.ticks == other.ticks


def test_everyone_analysed_is_used_or_reported(degenerate: Cohort) -> None:
    result = run(degenerate, by="group")
    lost = sum(len(loss.subjects) for loss in result.losses)
    assert degenerate.n == (
        result.overall.n + result.n_unknown_group + result.n_other_groups + lost
    )
    assert sum(group.n for group in result.groups) == result.overall.n
    for group in (*result.groups, result.overall):
        risk = group.risk
        for counts in zip(risk.at_risk, risk.events, risk.censored, strict=True):
            assert sum(counts) == group.n


def test_days_and_months_of_the_same_times_agree() -> None:
    columns = mixed()
    in_days = run(make_cohort(columns), by="group", landmarks=(0.5, 1.0))
    months = {**columns, "time": [t / MONTH for t in columns["time"]]}
    in_months = run(
        make_cohort(months, endpoints={"OS": endpoint(unit=TimeUnit.MONTHS)}),
        by="group",
        landmarks=(0.5, 1.0),
    )
    assert in_days.logrank is not None
    assert in_months.logrank is not None
    assert in_days.logrank.statistic == pytest.approx(in_months.logrank.statistic, rel=1e-10)
    assert in_days.unit_factor == MONTH
    assert in_months.unit_factor == 1
    for a, b in zip(in_days.groups, in_months.groups, strict=True):
        assert a.median.value is not None
        assert b.median.value == pytest.approx(a.median.value / MONTH, rel=1e-12)
        assert [rate.estimate.value for rate in a.rates] == pytest.approx(
            [rate.estimate.value for rate in b.rates]
        )


def test_a_landmark_in_months_is_read_at_its_days() -> None:
    # 6 months are 182.625 days: 182 is before it, 183 after
    result = run(make_cohort({"time": [182, 183, 400], "status": [1, 1, 0]}), landmarks=(6,))
    assert result.overall.rates[0].estimate.value == pytest.approx(2 / 3)
    assert result.overall.rates[0].n_risk == 2


def test_chosen_levels_are_compared_as_if_the_others_were_not_there() -> None:
    columns = mixed()
    keep = [i for i, g in enumerate(columns["group"]) if g in ("A", "C")]
    subset = {name: [cells[i] for i in keep] for name, cells in columns.items()}
    toggled = run(make_cohort(columns), by="group", levels=("C", "A"))
    alone = run(make_cohort(subset), by="group")
    assert [group.label for group in toggled.groups] == ["A", "C"]  # the study's order
    assert toggled.logrank == alone.logrank
    assert toggled.overall.median == alone.overall.median
    assert [g.median for g in toggled.groups] == [g.median for g in alone.groups]
    assert toggled.n_other_groups == len(columns["group"]) - len(keep)
    assert any("over 2 of 3 levels of Group" in note for note in toggled.footnotes)
    assert any("(over 2 of 3 levels of Group)" in text for text in result_sentences(toggled))
    assert not any("levels of" in note for note in alone.footnotes)


def test_a_level_keeps_its_colour_when_others_go() -> None:
    columns = mixed()
    everyone = {g.label: g.slot for g in run(make_cohort(columns), by="group").groups}
    few = {g.label: g.slot for g in run(make_cohort(columns), by="group", levels=("C",)).groups}
    assert few == {"C": everyone["C"]}


def test_an_interval_of_another_level_is_wider() -> None:
    narrow, wide = (run(make_cohort(mixed()), conf_level=level) for level in (0.5, 0.99))
    low, high = narrow.overall.steps.conf_low, narrow.overall.steps.conf_high
    inside = (narrow.overall.steps.estimate > 0) & (narrow.overall.steps.estimate < 1)
    assert np.all(wide.overall.steps.conf_low[inside] < low[inside])
    assert np.all(wide.overall.steps.conf_high[inside] > high[inside])


def test_an_unknown_group_is_counted_and_said() -> None:
    result = run(DEGENERATE["a group not known"](), by="group")
    assert result.n_unknown_group == 2
    assert result.overall.n == 3
    assert "2 patients not included: Group not known." in result.footnotes


def test_losses_are_counted_by_reason() -> None:
    result = run(DEGENERATE["nobody usable"]())
    assert {loss.reason.value: loss.subjects for loss in result.losses} == {
        "time missing": ("S001",),
        "time not a number": ("S002",),
        "time below zero": ("S003",),
    }
    row = next(row for row in result_rows(result) if row.statistic == "n_not_included")
    assert row.value == 3


def test_a_merged_grouping_compares_its_groups() -> None:
    columns = mixed()
    grouping = Grouping("A against the rest", "group", {"A only": ("A",)}, rest="Rest")
    cohort = make_cohort(columns, groupings={"merged": grouping})
    merged, plain = run(cohort, by="merged"), run(cohort, by="group")
    assert [group.label for group in merged.groups] == ["A only", "Rest"]
    assert merged.groups[0].n == plain.groups[0].n
    assert merged.groups[0].median == plain.groups[0].median
    assert merged.groups[0].slot == plain.groups[0].slot
    assert merged.groups[1].n == plain.groups[1].n + plain.groups[2].n
    assert merged.by_label == "A against the rest"
    assert merged.n_unknown_group == 0


def test_a_grouping_without_a_rest_leaves_the_others_out() -> None:
    columns = mixed()
    grouping = Grouping("A against B", "group", {"A": ("A",), "B": ("B",)})
    result = run(make_cohort(columns, groupings={"ab": grouping}), by="ab")
    plain = run(make_cohort(columns), by="group", levels=("A", "B"))
    assert result.overall.n == plain.overall.n
    assert result.logrank == plain.logrank


def test_delayed_entry_counts_from_entry_on() -> None:
    cohort = make_cohort(
        {"time": [4, 6, 8, 9], "status": [1, 1, 1, 0], "start": [0, 5, 0, 9]},
        endpoints={"OS": endpoint(entry="start", display_unit=TimeUnit.DAYS)},
    )
    result = run(cohort)
    assert result.delayed_entry
    assert result.overall.steps.n_risk.tolist() == [2, 2, 1]  # at 4 the second has not entered
    assert [loss.reason.value for loss in result.losses] == ["entry not before the end"]
    assert "Patients count as at risk from their entry on (delayed entry)." in result.footnotes
    assert "Surv(d$entry, d$time, d$event)" in r_code(result)


def test_a_risk_set_emptied_before_others_enter_is_said() -> None:
    columns = {"time": [4, 20, 30, 35], "status": [1, 1, 0, 1], "start": [0, 10, 12, 25]}
    late = {"OS": endpoint(entry="start", display_unit=TimeUnit.DAYS)}
    result = run(make_cohort(columns, endpoints=late))
    assert result.overall.steps.estimate.tolist() == [0, 0, 0, 0]
    assert (
        "All patients: all at risk at 4.0 days (n = 1) had the event, so that the estimate changes "
        "no more, although later risk sets hold up to 2 patients (delayed entry)."
    ) in result.footnotes
    # nobody enters after the curve has come down to 0
    columns = {"time": [4, 20, 30, 35], "status": [1, 1, 1, 1], "start": [0, 2, 12, 3]}
    result = run(make_cohort(columns, endpoints=late))
    assert result.overall.steps.estimate[-1] == 0
    assert not any("later risk sets" in note for note in result.footnotes)


def test_kinds_of_event_stand_in_the_endpoints_order_whoever_comes_first() -> None:
    kinds = {"progression": (1,), "death": (2,), "second cancer": (3,)}
    columns = {"time": [4, 6, 8], "status": [2, 2, 1], "group": ["A", "B", "B"]}
    cohort = make_cohort(columns, endpoints={"OS": endpoint(events=kinds)})
    result = kaplan_meier(cohort, KaplanMeierSpec("OS", by="group"))
    assert [*result.overall.events_by_kind.items()] == [("progression", 1), ("death", 2)]
    table = more_estimates_table(result)
    shown = [column.label for column in table.columns if column.spanner == "Events by kind"]
    assert shown == ["progression", "death"]
    cells = [(row["kind_0"], row["kind_1"]) for row in table.rows]
    assert cells == [(0, 1), (1, 1), (1, 2)]


def test_criteria_decide_who_is_analysed() -> None:
    columns = mixed()
    keep = [i for i, g in enumerate(columns["group"]) if g == "A"]
    only = AnalysisSection(criteria=(OneOf("group", ("A",)),))
    chosen = run(make_cohort(columns, analysis=only))
    alone = run(make_cohort({name: [c[i] for i in keep] for name, c in columns.items()}))
    assert chosen.overall.median == alone.overall.median
    assert chosen.provenance.n_analysed == len(keep)
    assert not chosen.provenance.exploratory


def test_a_filter_marks_the_result_as_exploratory() -> None:
    cohort = make_cohort(mixed(), analysis=AnalysisSection(filters=(OneOf("group", ("A",)),)))
    result = run(cohort)
    assert {row.dataset for row in result_rows(result)} == {"exploratory"}
    assert any("P values are exploratory, not confirmatory" in note for note in result.footnotes)


# --- not estimable -------------------------------------------------------------------------------


def test_a_median_not_reached_has_a_reason_and_maybe_a_limit() -> None:
    group = run(days([1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 0, 0])).overall
    assert group.median.value is None
    assert group.median.reason is NotEstimable.NOT_REACHED
    assert group.median.low == 1
    assert group.median.high is None
    assert group.quartiles[0].value == 2


def test_a_rate_beyond_follow_up_is_not_carried_forward() -> None:
    last_censored = run(days([5, 10], [1, 0]), landmarks=(20,)).overall.rates[0]
    assert last_censored.estimate.reason is NotEstimable.BEYOND_FOLLOW_UP
    last_event = run(days([5, 10], [0, 1]), landmarks=(20,)).overall.rates[0]
    assert last_event.estimate.value == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nobody", NotEstimable.NO_SUBJECTS),
        ("one group", NotEstimable.ONE_GROUP),
        ("all censored", NotEstimable.NO_EVENTS),
        ("nobody usable", NotEstimable.NO_SUBJECTS),
    ],
)
def test_log_rank_says_why_there_is_none(name: str, reason: NotEstimable) -> None:
    test = run(DEGENERATE[name](), by="group").logrank
    assert test is not None
    assert (test.p_value, test.reason) == (None, reason)


def test_an_empty_level_stays_in_the_result() -> None:
    result = run(DEGENERATE["a level with nobody"](), by="group")
    assert [(g.label, g.n) for g in result.groups] == [("A", 2), ("B", 0), ("C", 2)]
    assert result.groups[1].median.reason is NotEstimable.NO_SUBJECTS
    assert result.logrank is not None
    assert result.logrank.df == 1


def test_choosing_no_level_gives_an_empty_comparison() -> None:
    result = run(make_cohort(mixed()), by="group", levels=())
    assert result.groups == ()
    assert result.overall.n == 0
    assert result_sentences(result) == ("No group of this comparison is chosen.",)
    assert survival_table(result).rows[0]["n"] == 0
    assert any("over 0 of 3 levels" in note for note in result.footnotes)


def test_the_curve_is_marked_where_few_are_at_risk() -> None:
    group = run(days(list(range(1, 21)), [1] * 20)).overall
    assert group.unreliable_from == 16  # five have a time of 16 or later, four a later one
    assert run(days([3] * 6, [1] * 6)).overall.unreliable_from is None
    assert run(days([3, 4], [1, 0])).overall.unreliable_from == 0


# --- the spec ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"conf_level": 95}, "conf_level must lie in"),
        ({"conf_level": 0.0}, "conf_level must lie in"),
        ({"tick_step": 0.0}, "tick_step must be above 0"),
        ({"horizon": -1.0}, "horizon must be above 0"),
        ({"landmarks": (-1.0,)}, "landmarks must be finite"),
        ({"landmarks": (math.inf,)}, "landmarks must be finite"),
        ({"conf_type": "loglog"}, "log-log"),
        ({"endpoint": 3}, "string"),
    ],
)
def test_a_wrong_spec_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KaplanMeierSpec(**{"endpoint": "OS", **wrong})


def test_landmarks_are_the_usual_ones_or_the_chosen_ones_or_none() -> None:
    cohort = make_cohort(mixed())
    usual = DEFAULT_LANDMARKS[TimeUnit.MONTHS]
    assert tuple(rate.at for rate in run(cohort).overall.rates) == usual
    assert tuple(rate.at for rate in run(cohort, landmarks=(3,)).overall.rates) == (3,)
    without = run(cohort, landmarks=())
    assert without.overall.rates == ()
    assert "summary" not in r_code(without)


@pytest.mark.parametrize(
    ("horizon", "unit", "step", "ticks"),
    [
        (0.0, TimeUnit.MONTHS, None, (0, 0.5)),
        (24.0, TimeUnit.MONTHS, None, (0, 3, 6, 9, 12, 15, 18, 21, 24)),
        (24.1, TimeUnit.MONTHS, None, (0, 6, 12, 18, 24, 30)),
        (5.0, TimeUnit.YEARS, 2, (0, 2, 4, 6)),
        (0.3, TimeUnit.YEARS, 0.1, (0, 0.1, 0.2, 0.3)),
    ],
)
def test_axis_ticks(
    horizon: float, unit: TimeUnit, step: float | None, ticks: tuple[float, ...]
) -> None:
    assert axis_ticks(horizon, unit, step) == ticks


@pytest.mark.parametrize("unit", TimeUnit)
def test_ticks_are_few_and_reach_the_horizon(unit: TimeUnit) -> None:
    for horizon in (0.01, 0.7, 1, 9, 13.3, 100, 999, 12_345, 9_999_999):
        ticks = axis_ticks(horizon, unit)
        assert len(ticks) <= 9
        assert ticks[-1] >= horizon
        assert ticks[-2] < horizon


# --- words ---------------------------------------------------------------------------------------


def test_sentences_of_a_usual_result() -> None:
    time = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    result = run(days(time, [1] * 10), landmarks=(25, 120))
    assert result_sentences(result) == (
        "In all patients (10 of 10 patients with an event, 100.0%), median overall survival was "
        "55.0 days (95% CI 10.0 to 80.0).",
        "In all patients, an estimated 80.0% (95% CI 40.9 to 94.6) at 25 days and 0.0% at 120 days "
        "were without the event.",
        "Median follow-up is not estimable (nobody is censored).",
    )
    seen = result_sentences(run(days([1, 2, 3, 4], [1, 0, 0, 0]), landmarks=(2, 9)))
    assert seen[1:] == (
        "In all patients, an estimated 75.0% (95% CI 12.8 to 96.1) at 2 days were without the "
        "event; follow-up gives no estimate at 9 days.",
        "Median follow-up was 3.0 days (95% CI 2.0 to NE).",
    )


def test_sentences_when_not_reached_name_a_known_limit() -> None:
    assert result_sentences(run(days([1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 0, 0])))[0] == (
        "In all patients (2 of 6 patients with an event, 33.3%), median overall survival "
        "was not reached (95% CI 1.0 to NE days)."
    )


def test_sentences_without_events_or_patients() -> None:
    assert result_sentences(run(days([4, 5, 6], [0, 0, 0])))[0] == (
        "In all patients, no event was seen in 3 patients."
    )
    assert result_sentences(run(days([4], [0])))[0] == (
        "In all patients, no event was seen in 1 patient."
    )
    assert result_sentences(run(DEGENERATE["nobody"]())) == ("There are no patients.",)
    assert result_sentences(run(days([4], [1])))[0].startswith(
        "In all patients (1 of 1 patient with an event, 100.0%)"
    )


def test_the_comparison_names_only_groups_with_patients() -> None:
    text = result_sentences(run(DEGENERATE["a level with nobody"](), by="group"))
    assert "In B, there are no patients." in text
    assert any(part.startswith("Log-rank test between A and C: χ² = ") for part in text)


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (0.9996, "P >0.999"),
        (0.00004, "P <0.001"),
        (0.0495, "P = 0.050"),
        (0.001, "P = 0.0010"),
        (0.999, "P = 0.999"),
    ],
)
def test_p_is_written_with_its_relation(p_value: float, words: str) -> None:
    result = run(make_cohort(mixed()), by="group")
    test = TestResult("log-rank", 1.234, 2, p_value)
    sentence = result_sentences(dataclasses.replace(result, logrank=test))
    assert f"Log-rank test between A, B and C: χ² = 1.23, df = 2, {words}." in sentence


def test_p_of_a_difference_as_small_as_can_be() -> None:
    # two equal groups, one time apart by one day: nothing to tell them apart
    time = [10, 20, 30, 40, 10, 20, 30, 41]
    result = run(days(time, [1] * 8, ["A"] * 4 + ["B"] * 4), by="group")
    assert result.logrank is not None
    assert result.logrank.p_value is not None
    assert 0.5 < result.logrank.p_value < 1
    assert not any("0.000" in text or "1.000" in text for text in result_sentences(result))


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("Overall survival", "overall survival"),
        ("OS", "OS"),
        ("PFS by RECIST", "PFS by RECIST"),
        ("Progression-Free Survival", "progression-free survival"),
    ],
)
def test_abbreviations_keep_their_capitals(label: str, written: str) -> None:
    cohort = make_cohort(mixed(), endpoints={"OS": endpoint(label=label)})
    assert f"median {written} was" in result_sentences(run(cohort))[0]


@pytest.mark.parametrize(
    ("level", "text"), [(0.9, "90%"), (0.95, "95%"), (0.975, "97.5%"), (0.999, "99.9%")]
)
def test_the_level_is_written_as_it_is(level: float, text: str) -> None:
    result = run(make_cohort(mixed()), conf_level=level)
    assert f"{text} confidence intervals" in result.footnotes[0]
    assert f"{text} confidence intervals" in methods_sentence(result)
    assert f"({text} CI " in result_sentences(result)[0]
    assert f"Median, months ({text} CI)" in [c.label for c in survival_table(result).columns]


def test_footnotes_say_what_was_done() -> None:
    text = " ".join(run(make_cohort(mixed(), synthetic=True), by="group").footnotes)
    for part in (
        "60 patients",
        "95% confidence intervals on the log-log scale",
        "NR, not reached; NE, not estimable",
        "Log-rank test, two-sided: χ² = ",
        "recorded in days and shown in months (a month is 30.4375 days)",
        "reverse Kaplan-Meier, events leaving before censorings at the same time",
        "Synthetic data, not patients.",
        "60 of 60 patients in the file analysed",
    ):
        assert part in text
    flipped = run(make_cohort(mixed()), follow_up_ties="flip")
    assert any("event indicator flipped" in note for note in flipped.footnotes)


@pytest.mark.parametrize("plus", [False, True])
def test_footnotes_say_how_days_are_counted(plus: bool) -> None:
    cohort = make_cohort(
        {"from": ["2020-01-01", "2020-01-01"], "dead": ["2020-01-11", None],
         "seen": ["2020-01-11", "2020-03-01"]},
        endpoints={"OS": dataclasses.replace(
            endpoint(), time=None, unit=None, event=None, events={}, censored=(), start="from",
            event_dates={"death": "dead"}, last_contact=("seen",), add_one_day=plus,
        )},
    )  # fmt: skip
    result = run(cohort)
    assert result.overall.steps.time.tolist() == [10 + plus, 60 + plus]
    rule = "end minus start plus one;" if plus else "end minus start;"
    assert any(rule in note for note in result.footnotes)


# --- table, rows, R code -------------------------------------------------------------------------


def test_the_table_is_the_result_in_display_units() -> None:
    result = run(make_cohort(mixed()), by="group", landmarks=(0.5, 1))
    table = survival_table(result)
    assert [row["group"] for row in table.rows] == ["A", "B", "C", "All of these"]
    assert table.title == "Overall survival by group"
    for row, group in zip(table.rows, (*result.groups, result.overall), strict=True):
        assert (row["n"], row["events"]) == (group.n, group.n_event)
        median = row["median"]
        assert isinstance(median, Estimate)
        assert group.median.value is not None
        assert median.value == group.median.value / MONTH
        assert row["rate_0.5"] is group.rates[0].estimate
        assert row["risk_1"] == group.rates[1].n_risk
    keys = [column.key for column in table.columns]
    assert len(set(keys)) == len(keys)
    assert all(set(row) == set(keys) for row in table.rows)


def test_a_median_not_reached_is_nr_in_the_table() -> None:
    table = survival_table(run(days([1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 0, 0])))
    column = next(column for column in table.columns if column.key == "median")
    assert format_value(table.rows[0]["median"], column) == "NR (1.0, NE)"


def of_group(rows: tuple[ResultRow, ...], label: str | None) -> dict[tuple[str, Any], ResultRow]:
    return {(row.statistic, row.term): row for row in rows if row.group == label}


def holds(row: ResultRow, estimate: Estimate) -> bool:
    return (row.value, row.low, row.high) == (estimate.value, estimate.low, estimate.high) and (
        row.status == ("estimated" if estimate.is_estimable else "not_estimable")
    )


def test_rows_hold_the_numbers_of_the_result(degenerate: Cohort) -> None:
    for by in (None, "group"):
        result = run(degenerate, by=by, landmarks=(0.1, 1))
        rows = result_rows(result)
        keys = [(row.statistic, row.group, row.term) for row in rows]
        assert len(set(keys)) == len(keys)
        assert {row.group_var for row in rows} == {by}
        groups: list[tuple[str | None, SurvivalGroup]] = [(None, result.overall)]
        if by:
            groups += [(group.label, group) for group in result.groups]
        for label, group in groups:
            mine = of_group(rows, label)
            assert mine["n", None].value == group.n
            assert mine["events", None].value == group.n_event
            assert holds(mine["median", None], group.median)
            assert holds(mine["quartile_25", None], group.quartiles[0])
            assert holds(mine["quartile_75", None], group.quartiles[1])
            assert holds(mine["follow_up_median", None], group.follow_up)
            assert mine["median", None].unit == "days"
            for rate, at in zip(group.rates, ("0.1 months", "1 months"), strict=True):
                assert holds(mine["survival_rate", at], rate.estimate)
                assert mine["n_risk", at].value == rate.n_risk
        if result.logrank is not None:
            everyone = of_group(rows, None)
            assert everyone["logrank_chi_square", None].value == result.logrank.statistic
            assert everyone["logrank_p", None].value == result.logrank.p_value


def test_every_row_without_a_number_says_why(degenerate: Cohort) -> None:
    for row in result_rows(run(degenerate, by="group")):
        if row.value is None:
            assert row.status == "not_estimable"
            assert row.reason
        else:
            assert row.status == "estimated"
            assert math.isfinite(row.value)


def test_r_code_has_what_the_rows_promise() -> None:
    result = run(make_cohort(mixed()), by="group", conf_type="log", conf_level=0.9, landmarks=(6,))
    code = r_code(result)
    assert 'survfit(y ~ group, conf.type = "log", conf.int = 0.9)' in code
    assert "summary(fit, times = c(182.625), extend = TRUE)" in code
    assert "print(survdiff(y ~ d$group))" in code
    assert "reverse[, k - 1] <- reverse[, k - 1] - 1e-9 * reverse[, k]" in code
    flipped = r_code(run(make_cohort(mixed()), follow_up_ties="flip"))
    assert "reverse <- aeqSurv(Surv(d$time, 1 - d$event))" in flipped
    assert "1e-9" not in flipped
    assert "survdiff" not in flipped


@pytest.mark.parametrize("conf_type", ["log-log", "log", "plain", "logit", "arcsin"])
def test_every_scale_is_named_everywhere(conf_type: Any) -> None:
    result = run(make_cohort(mixed()), conf_type=conf_type)
    assert result.overall.median.method == conf_type
    assert f"on the {conf_type} scale" in methods_sentence(result)
    assert f'conf.type = "{conf_type}"' in r_code(result)


def test_no_name_out_of_the_file_reaches_the_r_code() -> None:
    result = run(DEGENERATE["awkward names"](), by="group")
    code = r_code(result)
    for name in (*AWKWARD_NAMES, "<i>", "gesamt"):
        assert name not in code


def test_no_subject_is_in_rows_or_words(degenerate: Cohort) -> None:
    result = run(degenerate, by="group")
    words = [*map(repr, result_rows(result)), *result_sentences(result), *result.footnotes]
    for subject in degenerate.subjects:
        assert not any(str(subject) in text for text in words)
    assert not any("source-" in text for text in words)


def test_an_unknown_grouping_is_refused_by_name() -> None:
    from sts_core.findings import FindingCode, StudyError

    with pytest.raises(StudyError) as refused:
        run(make_cohort(mixed()), by="grup")
    finding = refused.value.findings[0]
    assert finding.code is FindingCode.COLUMN_MISSING
    assert "group" in finding.hint


def test_a_plain_column_of_the_file_can_be_the_grouping() -> None:
    cohort = make_cohort(mixed(), variables={"other": Variable(label="Other", column="group")})
    assert run(cohort, by="group").logrank == run(cohort, by="other").logrank
    assert isinstance(cohort.study, Study)


def test_follow_up_is_not_estimable_where_nobody_is_censored() -> None:
    result = run(days([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], ["A"] * 3 + ["B"] * 3), by="group")
    first, second = result.groups
    assert first.follow_up.value is None
    assert first.follow_up.reason is NotEstimable.NO_CENSORING
    assert second.follow_up.reason is not NotEstimable.NO_CENSORING
    assert "Follow-up NE in A: nobody is censored." in result.footnotes
    assert more_estimates_table(result).formatted()[0][-2] == "NE"
    everyone = run(days([1, 2, 3], [1, 1, 1]))
    assert "Follow-up NE: nobody is censored." in everyone.footnotes
    (row,) = [row for row in result_rows(everyone) if row.statistic == "follow_up_median"]
    assert (row.status, row.reason) == ("not_estimable", "no_censoring")
