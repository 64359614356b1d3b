"""The Cohort page: criteria and filters, their counts, their order, and the flow."""

from __future__ import annotations

import dataclasses
import json

import pytest
from streamlit.testing.v1 import AppTest

from sts_core.cohort import Cohort
from tests.pages.driver import (
    COHORT,
    PATHS,
    SURVIVAL,
    TINY,
    checked,
    click,
    cohort_line,
    drop,
    go,
    shown,
    start,
    study_file,
    study_of,
    table,
    with_sample,
    with_tiny,
    words,
)


def cohort_of(at: AppTest) -> Cohort:
    return at.session_state["workspace"].cohort


def switch(at: AppTest, place: int, on: bool, part: str = "criteria") -> AppTest:
    return checked(at.toggle(key=f"w:{part}.on.{place}").set_value(on).run())


def add(at: AppTest, part: str, column: str, values: list[str], effect: str = "stay") -> AppTest:
    checked(at.selectbox(key=f"w:{part}.new.column").set_value(column).run())
    at.segmented_control(key=f"w:{part}.new.effect.{column}").set_value(effect)
    checked(at.pills(key=f"{part}.new.values.{column}").set_value(values).run())
    return click(at, f"{part}.new.add")


def test_every_criterion_of_the_study_is_a_switch_with_its_count() -> None:
    at = go(with_sample(1), COHORT)
    cohort = cohort_of(at)
    criteria = study_of(at).analysis.criteria
    switches = [item for item in at.toggle if item.key.startswith("w:criteria.on.")]
    assert len(switches) == len(criteria) == 9
    text = shown(at)
    for step in cohort.flow.steps:
        assert f"Removes {step.n_excluded}" in text
    assert f"{cohort.n} of 71 patients analysed" in cohort_line(at)
    assert cohort.n == 51


def test_switching_a_criterion_changes_the_cohort_everywhere_and_back() -> None:
    at = go(with_sample(1), COHORT)
    removed = [step.n_excluded for step in cohort_of(at).flow.steps]
    last = max(place for place, count in enumerate(removed) if count)
    switch(at, last, False)
    n = 51 + removed[last]
    assert f"{n} of 71 patients analysed" in cohort_line(at)
    assert "8 criteria in force" in cohort_line(at)
    assert f"it would remove {removed[last]}" in shown(at)
    for path in PATHS:
        assert f"{n} of 71 patients analysed" in cohort_line(go(at, path)), path
    go(at, COHORT)
    assert at.toggle(key=f"w:criteria.on.{last}").value is False
    switch(at, last, True)
    assert "51 of 71 patients analysed" in cohort_line(at)


def test_undo_takes_a_switch_back_and_the_switch_follows() -> None:
    at = go(with_sample(1), COHORT)
    before = cohort_line(at)
    switch(at, 0, False)
    assert cohort_line(at) != before
    click(at, "undo")
    assert cohort_line(at) == before
    assert at.toggle(key="w:criteria.on.0").value is True


def test_order_moves_patients_between_criteria_and_nobody_in_or_out() -> None:
    at = go(with_sample(1), COHORT)
    analysed = cohort_of(at).analysed.tolist()
    labels = [item.label for item in study_of(at).analysis.criteria]
    assert at.button(key="criteria.arrow_upward.0").disabled
    click(at, "criteria.arrow_downward.0")
    moved = [item.label for item in study_of(at).analysis.criteria]
    assert moved == [labels[1], labels[0], *labels[2:]]
    assert cohort_of(at).analysed.tolist() == analysed
    flow = cohort_of(at).flow
    assert flow.n_start - sum(step.n_excluded for step in flow.steps) == flow.n_end == 51


def test_missing_values_are_kept_until_asked_otherwise() -> None:
    rows = TINY.replace("7,Dead,ASPS", "7,Dead,")
    at = go(drop(start(), {"t.csv": rows, "study.yaml": study_file(with_tiny())}), COHORT)
    add(at, "criteria", "histotype", ["Leiomyosarcoma"])
    assert "2 of 3 patients analysed" in cohort_line(at)
    assert "Not verifiable, kept: 1." in shown(at)
    checked(at.selectbox(key="w:criteria.missing.0").set_value("drop").run())
    assert "1 of 3 patients analysed" in cohort_line(at)
    assert "1 of them only because the value is not known" in shown(at)


def test_filter_marks_everything_exploratory_until_it_is_removed() -> None:
    at = go(with_tiny(), COHORT)
    add(at, "filters", "histotype", ["Alveolar soft part sarcoma"])
    for path in PATHS:
        line = cohort_line(go(at, path))
        assert "2 of 3 patients analysed" in line, path
        assert "1 filter in force" in line, path
        assert "exploratory subset" in line, path
    click(go(at, COHORT), "filters.delete.0")
    assert "3 of 3 patients analysed" in cohort_line(at)
    assert "exploratory" not in cohort_line(at)


def test_excluding_criterion_leaves_the_others() -> None:
    at = go(with_tiny(), COHORT)
    add(at, "criteria", "histotype", ["Alveolar soft part sarcoma"], effect="leave")
    assert cohort_of(at).analysed.tolist() == ["S001"]
    go(at, SURVIVAL)
    assert "All patients 1 1 3.5" in table(at)


def test_flow_diagram_is_a_picture_with_its_words_as_alternative() -> None:
    at = go(with_sample(1), COHORT)
    (picture,) = at.image
    proto = picture.proto.imgs[0]
    assert proto.url.startswith("data:image/svg+xml") or proto.url.endswith(".svg")
    assert "71" in proto.alt
    assert "51" in proto.alt


def test_criteria_survive_the_study_file() -> None:
    at = go(with_tiny(), COHORT)
    add(at, "criteria", "histotype", ["Alveolar soft part sarcoma"])
    switch(at, 0, False)
    again = drop(start(), {"tiny.csv": TINY, "study.yaml": study_file(at)})
    assert "3 of 3 patients analysed" in cohort_line(go(again, COHORT))
    assert again.toggle(key="w:criteria.on.0").value is False
    switch(again, 0, True)
    assert "2 of 3 patients analysed" in cohort_line(again)


def test_number_and_date_columns_are_asked_for_a_range() -> None:
    at = go(with_sample(), COHORT)
    checked(at.selectbox(key="w:criteria.new.column").set_value("age").run())
    low = at.number_input(key="criteria.new.low.age")
    checked(low.set_value(54.0).run())
    click(at, "criteria.new.add")
    ages = list(cohort_of(at).tables["subjects"].frame["age"])
    expected = sum(float(age) >= 54 for age in ages)
    assert 0 < expected < 51
    assert f"{expected} of 51 patients analysed" in cohort_line(at)
    checked(at.selectbox(key="w:filters.new.column").set_value("first_dose_date").run())
    assert at.date_input(key="filters.new.from.first_dose_date").value is not None


def test_criterion_whose_column_is_gone_is_reported_and_can_be_removed() -> None:
    at = go(with_tiny(), COHORT)
    add(at, "criteria", "histotype", ["Alveolar soft part sarcoma"])
    choices = study_file(at)
    without = "id,time (months),status\na,3.5,Dead\nb,12,Alive\nc,7,Dead\n"
    again = drop(start(), {"tiny.csv": without, "study.yaml": choices})
    said = shown(again) + json.dumps(
        [dataclasses.asdict(finding) for finding in again.session_state["workspace"].findings],
        default=str,
    )
    assert "histotype" in said
    for path in PATHS:
        go(again, path)


@pytest.mark.parametrize("column", ["id", "time (months)", "status"])
def test_a_criterion_can_be_asked_of_any_column(column: str) -> None:
    at = go(with_tiny(), COHORT)
    assert column in at.selectbox(key="w:criteria.new.column").options
    checked(at.selectbox(key="w:criteria.new.column").set_value(column).run())


# --- baseline characteristics --------------------------------------------------------------------


def test_the_baseline_table_of_the_sample_is_the_published_one() -> None:
    text = table(go(with_sample(), COHORT))
    assert "Characteristic All patients (N = 51)" in text
    for row in ("Male 25 (49.0)", "Leiomyosarcoma 11 (21.6)", "Lung metastasis 33 (64.7)"):
        assert row in text
    assert "P values" not in text


def test_groups_differences_and_tests_are_shown_on_request() -> None:
    at = go(with_sample(), COHORT)
    checked(at.selectbox(key="w:baseline.by").set_value("ecog").run())
    text = table(at)
    assert "0-1 (N = 28) 2-3 (N = 23) All patients (N = 51) Standardised difference" in text
    assert "Pearson's chi-square test" not in text
    checked(at.toggle(key="w:baseline.tests").set_value(True).run())
    assert "P values are two-sided and not adjusted. Pearson's chi-square test: Sex" in table(at)
    assert study_of(at).analysis.views["baseline"]["by"] == "ecog"


def test_a_block_is_made_and_taken_apart() -> None:
    at = go(with_sample(), COHORT)
    click(at, "baseline.block.0.remove")
    text = table(at)
    assert "Metastasis present" not in text
    assert "Lung metastasis yes 33 (64.7) no 18 (35.3)" in text
    at.multiselect(key="baseline.block.variables").set_value(["metastasis_lung", "metastasis_bone"])
    at.text_input(key="baseline.block.label").set_value("Metastases")
    checked(next(item for item in at.button if item.label == "Add the block").click().run())
    text = table(at)
    assert "Metastases Lung metastasis 33 (64.7) Bone metastasis 18 (35.3)" in text
    assert len(study_of(at).analysis.views["baseline"]["blocks"]) == 1


def test_without_a_variable_the_table_says_what_to_do() -> None:
    at = go(with_sample(), COHORT)
    click(at, "baseline.block.0.remove")
    checked(at.multiselect(key="w:baseline.variables").set_value([]).run())
    assert "Choose at least one variable." in shown(at)


def test_two_drugs_are_crossed_as_in_the_supplement() -> None:
    at = go(with_sample(), COHORT)
    checked(at.selectbox(key="w:cross.rows").set_value("immunotherapy_drug").run())
    checked(at.selectbox(key="w:cross.columns").set_value("antiangiogenic_drug").run())
    tables = [words(item.value) for item in at.markdown if 'class="sts-table"' in item.value]
    crossed = next(text for text in tables if "Together" in text)
    assert crossed.startswith("Antiangiogenic drug Immunotherapy drug Anlotinib Apatinib")
    assert "Together 39 (76.5) 6 (11.8) 1 (2.0) 2 (3.9) 3 (5.9) 51 (100.0)" in crossed
    assert study_of(at).analysis.views["cross_table"]["rows"] == "immunotherapy_drug"
