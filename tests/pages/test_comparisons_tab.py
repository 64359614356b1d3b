"""The tab Comparisons: the numbers of the core, the landmark, long work that can be stopped."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import long_work, survival_comparison_section
from sts_core.analysis.survival_comparison import (
    KIND,
    SurvivalComparisonResult,
    SurvivalComparisonSpec,
    survival_comparison,
)
from sts_core.analysis.survival_comparison_report import comparison_table, more_tables
from sts_core.criteria import apply_criteria
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study import dump_study, load_study
from tests.pages.driver import (
    COHORT,
    ROOT,
    SURVIVAL,
    charts,
    checked,
    click,
    go,
    shown,
    study_of,
    with_sample,
)


def sample_cohort() -> Any:
    folder = ROOT / "sample_data"
    book = read_bytes("sts_cohort.xlsx", (folder / "sts_cohort.xlsx").read_bytes())
    study = load_study((folder / "study.yaml").read_text("utf-8"), name="study.yaml")
    return apply_criteria(assemble(study, [book]), study)


def comparisons(by: str = "sex") -> AppTest:
    at = go(with_sample(), SURVIVAL)
    checked(at.selectbox(key="w:km.by").set_value(by).run())
    at.session_state["survival.tab"] = "Comparisons"
    return checked(at.run())


def rows_of(result: SurvivalComparisonResult) -> list[str]:
    tables = (comparison_table(result), *more_tables(result))
    return [" ".join(" ".join(row).split()) for table in tables for row in table.formatted()]


def has_all(at: AppTest, **spec: Any) -> SurvivalComparisonResult:
    """Check that the tab shows every row of the core's tables."""
    result = survival_comparison(sample_cohort(), SurvivalComparisonSpec("PFS", **spec))
    text = shown(at)
    for row in rows_of(result):
        assert row in text
    return result


def test_the_tab_shows_the_numbers_of_the_core_and_keeps_what_was_asked() -> None:
    at = comparisons("ecog")
    has_all(at, by="ecog", trend=None)
    assert at.button(key="basket.survival_comparison").label == "Add to report"
    checked(at.multiselect(key="w:comparison.strata").set_value(["sex"]).run())
    checked(at.text_input(key="w:comparison.fh").set_value("0, 1").run())
    asked = {"by": "ecog", "strata": ("sex",), "fleming_harrington": (0.0, 1.0)}
    has_all(at, **asked)
    assert "Stratified by sex" in shown(at)
    click(at, "basket.survival_comparison")
    (item,) = study_of(at).report.items
    assert (item["kind"], item["strata"], item["resamples"]) == (KIND, ["sex"], 2000)
    before = shown(at)
    go(at, COHORT)
    go(at, SURVIVAL)
    at.session_state["survival.tab"] = "Comparisons"
    checked(at.run())
    assert shown(at) == before
    again = load_study(dump_study(study_of(at)), name="study.yaml")
    assert again.analysis.views[KIND]["fleming_harrington"] == [0.0, 1.0]
    checked(at.text_input(key="w:comparison.fh").set_value("1").run())
    assert "Write two numbers" in shown(at)


def test_pairs_and_trend_of_several_groups() -> None:
    at = comparisons("treatment_line")
    result = has_all(at, by="treatment_line", trend=True)
    assert result.trend is not None
    assert len(result.pairs) == 3
    assert at.toggle(key="w:comparison.trend.treatment_line").value is True
    checked(at.text_input(key="w:comparison.scores.3").set_value("0, 1, 4").run())
    has_all(at, by="treatment_line", trend=True, scores=(0.0, 1.0, 4.0))
    checked(at.segmented_control(key="w:comparison.pairs").set_value("reference").run())
    has_all(at, by="treatment_line", trend=True, scores=(0.0, 1.0, 4.0), pairs="reference")


def test_groups_formed_after_time_zero_are_compared_from_a_landmark_only() -> None:
    at = comparisons("")
    assert "Choose at “Compare by” what to compare" in shown(at)
    assert "Best overall response" not in at.selectbox(key="w:km.by").options
    checked(at.segmented_control(key="w:comparison.start").set_value("landmark").run())
    groups = at.selectbox(key="w:comparison.by")
    assert groups.value == "best_response"
    assert "Best overall response (after time zero)" in groups.options
    has_all(at, by="best_response", landmark=3.0)
    text = shown(at)
    assert "at or before the landmark are left out" in text
    assert "Left out by the landmark at 3 months: " in text
    assert "survival still looks longer than it is" in text
    assert charts(at)
    # with another date, groups are those that were known by then
    checked(at.text_input(key="w:comparison.landmark.months").set_value("6").run())
    has_all(at, by="best_response", landmark=6.0)
    checked(at.text_input(key="w:comparison.landmark.months").set_value("soon").run())
    assert "Write one time above 0" in shown(at)
    checked(at.text_input(key="w:comparison.landmark.months").set_value("500").run())
    assert "No patient is left at this landmark" in shown(at)


def test_a_long_bootstrap_runs_beside_the_page_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(survival_comparison_section, "QUICK_CELLS", 0)
    at = comparisons("sex")
    has_all(at, by="sex", resamples=0)

    going, told = threading.Event(), []

    def slow(cohort: Any, spec: Any, tick: Any = None) -> SurvivalComparisonResult:
        if tick is not None:
            until = time.monotonic() + 20
            while not going.is_set() and time.monotonic() < until:
                tick(0.4)
                told.append(spec)
                time.sleep(0.02)
        return survival_comparison(cohort, spec, tick)

    monkeypatch.setattr(survival_comparison_section, "survival_comparison", slow)
    monkeypatch.setattr(long_work, "WAIT_SECONDS", 0.0)
    click(at, "comparison.bootstrap.begin")
    assert "2,000 bootstrap samples of each group" in [bar.proto.text for bar in at.get("progress")]
    click(at, "comparison.bootstrap.stop")
    assert at.button(key="comparison.bootstrap.begin").label.startswith("Compute intervals")
    click(at, "comparison.bootstrap.begin")
    going.set()
    until = time.monotonic() + 20
    while any(button.key == "comparison.bootstrap.stop" for button in at.button):
        assert time.monotonic() < until
        time.sleep(0.1)
        checked(at.run())
    has_all(at, by="sex")
    assert told


def test_work_that_fails_says_so_without_a_word_of_the_data(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(cohort: Any, spec: Any, tick: Any = None) -> SurvivalComparisonResult:
        if tick is not None:
            raise RuntimeError("S001 Leiomyosarcoma")
        return survival_comparison(cohort, spec)

    monkeypatch.setattr(survival_comparison_section, "QUICK_CELLS", 0)
    monkeypatch.setattr(survival_comparison_section, "survival_comparison", broken)
    at = comparisons("sex")
    click(at, "comparison.bootstrap.begin")
    checked(at.run())
    assert "This is an error of the app itself" in shown(at)
    assert "Leiomyosarcoma" not in caplog.text


def test_a_flag_stands_at_the_curves_and_once_on_the_tab() -> None:
    at = go(with_sample(), SURVIVAL)
    assert not any("average over time" in one.value for one in at.markdown)
    checked(at.selectbox(key="w:km.by").set_value("metastasis_liver").run())
    spec = SurvivalComparisonSpec("PFS", by="metastasis_liver")
    (flag,) = survival_comparison(sample_cohort(), spec).flags
    words = flag.partition(" Look")[0]
    assert words.startswith("Hazards are not proportional (P = 0.0049)")
    # the line under the figure
    assert sum(words in line for line in shown(at).splitlines()) == 1
    click(at, "km.flag")
    assert at.session_state["survival.tab"] == "Comparisons"
    # the box above the tables, and the sentence for the paper
    assert sum(flag in line for line in shown(at).splitlines()) == 2
