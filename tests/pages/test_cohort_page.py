"""The Cohort page: criteria and filters, their counts, their order, and the flow."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

from streamlit.testing.v1 import AppTest

from sts_core.cohort import Cohort
from sts_core.study import (
    AllOf,
    AnalysisSection,
    AnyOf,
    Between,
    DaysBetween,
    HasRow,
    IsKnown,
    OneOf,
    dump_study,
)
from tests.pages.driver import (
    COHORT,
    PATHS,
    ROOT,
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


def add(at: AppTest, column: str, values: list[str], effect: str = "stay") -> AppTest:
    begin(at, column)
    at.segmented_control(key="w:criterion.new.effect").set_value(effect)
    checked(at.pills(key=f"w:criterion.new.values.{column}").set_value(values).run())
    return click(at, "criterion.new.take")


def begin(at: AppTest, column: str) -> AppTest:
    click(at, "criteria.add")
    return checked(at.selectbox(key="w:criterion.new.column").set_value(column).run())


def test_every_criterion_of_the_study_is_a_switch_with_its_count() -> None:
    at = go(with_sample(1), COHORT)
    cohort = cohort_of(at)
    criteria = study_of(at).analysis.criteria
    switches = [item for item in at.toggle if item.key.startswith("w:criteria.on.")]
    assert len(switches) == len(criteria) == 9
    text = shown(at)
    for step in cohort.flow.steps:
        assert f"Removes {step.n_excluded} of {step.n_before}" in text
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
    assert f"Off. It would remove {removed[last]} of" in shown(at)
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
    add(at, "histotype", ["Leiomyosarcoma"])
    assert "2 of 3 patients analysed" in cohort_line(at)
    assert "Not verifiable, kept: 1." in shown(at)
    click(at, "criteria.edit.0")
    checked(at.segmented_control(key="w:criterion.0.missing").set_value("drop").run())
    assert "Would remove 2 of 3, 1 of them only because a value is not known; 1 stay." in shown(at)
    assert "2 of 3 patients analysed" in cohort_line(at), "nothing changes before the click"
    click(at, "criterion.0.take")
    assert "1 of 3 patients analysed" in cohort_line(at)
    assert "1 of them only because a value is not known" in shown(at)
    assert "not known: leaves" in shown(at)
    click(at, "criteria.edit.0")
    checked(at.segmented_control(key="w:criterion.0.missing").set_value("only").run())
    click(at, "criterion.0.take")
    assert cohort_of(at).analysed.tolist() == ["S003"]


def test_excluding_criterion_leaves_the_others() -> None:
    at = go(with_tiny(), COHORT)
    add(at, "histotype", ["Alveolar soft part sarcoma"], effect="leave")
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
    add(at, "histotype", ["Alveolar soft part sarcoma"])
    switch(at, 0, False)
    again = drop(start(), {"tiny.csv": TINY, "study.yaml": study_file(at)})
    assert "3 of 3 patients analysed" in cohort_line(go(again, COHORT))
    assert again.toggle(key="w:criteria.on.0").value is False
    switch(again, 0, True)
    assert "2 of 3 patients analysed" in cohort_line(again)


def test_number_and_date_columns_are_asked_for_a_range() -> None:
    at = begin(go(with_sample(), COHORT), "age")
    known = study_of(at)
    click(at, "criterion.new.take")
    assert "The criterion is not complete" in shown(at)
    assert study_of(at) == known
    checked(at.number_input(key="w:criterion.new.age.At least").set_value(54.0).run())
    ages = list(cohort_of(at).tables["subjects"].frame["age"])
    expected = sum(float(age) >= 54 for age in ages)
    assert 0 < expected < 51
    assert f"Analysed: 51 now, {expected} then." in shown(at)
    click(at, "criterion.new.take")
    assert f"{expected} of 51 patients analysed" in cohort_line(at)
    begin(at, "first_dose_date")
    checked(at.date_input(key="w:criterion.new.first_dose_date.From").set_value(
        dt.date(2020, 1, 1)).run())  # fmt: skip
    click(at, "criterion.new.take")
    assert study_of(at).analysis.criteria[-2:] == (
        Between("age", 54.0), Between("first_dose_date", "2020-01-01"),
    )  # fmt: skip
    begin(at, "first_evaluation_date")
    checked(at.selectbox(key="w:criterion.new.how.first_evaluation_date").set_value("days").run())
    at.number_input(key="w:criterion.new.first_evaluation_date.From day").set_value(0)
    checked(at.number_input(key="w:criterion.new.first_evaluation_date.To day").set_value(60).run())
    assert "within 60 days after" in shown(at)
    assert at.toggle(key="w:criterion.new.late.True").value is True
    click(at, "criterion.new.take")
    assert study_of(at).analysis.criteria[-1] == DaysBetween(
        "first_evaluation_date", "first_dose_date", 0, 60, after_time_zero=True
    )


def test_several_conditions_are_joined_and_changed_in_place() -> None:
    at = go(with_sample(), COHORT)
    n = len(study_of(at).analysis.criteria)
    click(at, "criteria.edit.0")
    checked(at.segmented_control(key="w:criterion.0.asks").set_value("several").run())
    assert at.selectbox(key="w:criterion.0.part.0.column").value == "stage_advanced"
    click(at, "criterion.0.cancel")
    click(at, "criteria.add")
    checked(at.segmented_control(key="w:criterion.new.asks").set_value("several").run())
    at.selectbox(key="w:criterion.new.part.0.column").set_value("sex")
    checked(at.selectbox(key="w:criterion.new.part.1.column").set_value("ecog").run())
    at.selectbox(key="w:criterion.new.part.1.how.ecog").set_value("not values")
    at.pills(key="w:criterion.new.part.0.values.sex").set_value(["Female"])
    checked(at.pills(key="w:criterion.new.part.1.values.ecog").set_value(["0-1"]).run())
    assert "Sex is Female and ECOG performance status is not 0-1" in shown(at)
    n_both = int(shown(at).split(" then.")[0].rpartition(" ")[2])
    click(at, "criterion.new.take")
    both = AllOf((OneOf("sex", ("Female",)), OneOf("ecog", ("0-1",), excludes=True)))
    assert study_of(at).analysis.criteria[n:] == (both,)
    assert f"{n_both} of 51 patients analysed" in cohort_line(at)
    click(at, f"criteria.edit.{n}")
    checked(at.segmented_control(key=f"w:criterion.{n}.joined").set_value("any").run())
    click(at, f"criterion.{n}.take")
    assert study_of(at).analysis.criteria[n:] == (AnyOf(both.parts),)
    assert cohort_of(at).n > n_both
    click(at, f"criteria.content_copy.{n}")
    assert study_of(at).analysis.criteria[n:] == (
        AnyOf(both.parts),
        AnyOf(both.parts, enabled=False),
    )
    click(at, "undo")
    click(at, "undo")
    assert f"{n_both} of 51 patients analysed" in cohort_line(at)
    click(at, "redo")
    assert study_of(at).analysis.criteria[n:] == (AnyOf(both.parts),)
    click(at, "redo")
    assert len(study_of(at).analysis.criteria) == n + 2
    assert at.button(key="redo").disabled


def test_a_group_in_brackets_is_kept_when_the_criterion_is_changed() -> None:
    group = AnyOf((OneOf("sex", ("Female",)), Between("age", 60.0)), excludes=True)
    whole = AllOf((IsKnown("histotype"), group), label="Nested")
    study = study_of(with_tiny())
    study = dataclasses.replace(study, analysis=AnalysisSection(criteria=(whole,)))
    rows = "id,time (months),status,histotype,sex,age\n"
    rows += "a,3.5,Dead,LMS,Male,50\nb,1,Alive,ASPS,Female,7\n"
    at = go(drop(start(), {"tiny.csv": rows, "study.yaml": dump_study(study)}), COHORT)
    assert "1 of 2 patients analysed" in cohort_line(at)
    click(at, "criteria.edit.0")
    assert at.toggle(key="w:criterion.0.part.1.group.not").value is True
    checked(at.number_input(key="w:criterion.0.part.1.part.1.age.At least").set_value(40.0).run())
    click(at, "criterion.0.take")
    changed = dataclasses.replace(group, parts=(group.parts[0], Between("age", 40.0)))
    assert study_of(at).analysis.criteria == (
        AllOf((IsKnown("histotype"), changed), label="Nested"),
    )
    assert "0 of 2 patients analysed" in cohort_line(at)


def test_rows_of_another_table_are_asked_for() -> None:
    at = go(with_sample(), COHORT)
    click(at, "criteria.add")
    checked(at.segmented_control(key="w:criterion.new.asks").set_value("rows").run())
    click(at, "criterion.new.where.adverse_events.more")
    checked(at.selectbox(key="w:criterion.new.adverse_events.0.column").set_value("term").run())
    checked(at.pills(key="w:criterion.new.adverse_events.0.values.term").set_value(
        ["Anemia"]).run())  # fmt: skip
    checked(at.selectbox(key="w:criterion.new.when.adverse_events").set_value(
        "date:onset_date").run())  # fmt: skip
    checked(at.number_input(key="w:criterion.new.adverse_events.From day").set_value(0).run())
    assert "Known only after time zero: it removes early progressions" in shown(at)
    click(at, "criterion.new.take")
    rows = HasRow(
        "adverse_events", (OneOf("term", ("Anemia",)),), date="onset_date",
        origin="first_dose_date", low=0, after_time_zero=True,
    )  # fmt: skip
    assert study_of(at).analysis.criteria[-1] == rows
    assert 0 < cohort_of(at).n < 51


def test_criterion_whose_column_is_gone_is_reported_and_can_be_removed() -> None:
    at = go(with_tiny(), COHORT)
    add(at, "histotype", ["Alveolar soft part sarcoma"])
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
    study = dataclasses.replace(
        study_of(with_tiny()), analysis=AnalysisSection(criteria=(OneOf("stage", ("IV",)),))
    )
    lost = go(drop(start(), {"tiny.csv": TINY, "study.yaml": dump_study(study)}), COHORT)
    assert "Asks for “stage”" in lost.toggle(key="w:criteria.on.0").label
    click(lost, "criteria.delete.0")
    assert "3 of 3 patients analysed" in cohort_line(lost)
    click(lost, "undo")
    switch(lost, 0, False)
    assert "3 of 3 patients analysed" in cohort_line(lost)


def test_a_criterion_can_be_asked_of_any_column_but_the_id() -> None:
    at = begin(go(with_tiny(), COHORT), "histotype")
    options = at.selectbox(key="w:criterion.new.column").options
    assert {"time (months)", "status"} <= {*options}
    assert "id" not in options


# --- baseline characteristics --------------------------------------------------------------------


def test_the_baseline_table_of_the_sample_is_the_published_one() -> None:
    text = table(go(with_sample(), COHORT), "Characteristic ")
    assert "Characteristic All patients (N = 51)" in text
    for row in ("Male 25 (49.0)", "Leiomyosarcoma 11 (21.6)", "Lung metastasis 33 (64.7)"):
        assert row in text
    assert "P values" not in text


def test_decimals_of_percentages_are_chosen_and_kept() -> None:
    at = go(with_sample(), COHORT)
    decimals = at.selectbox(key="w:baseline.decimals")
    assert decimals.value == "1"
    checked(decimals.set_value("None").run())
    assert "Male 25 (49) Female 26 (51)" in table(at, "Characteristic ")
    assert study_of(at).analysis.views["baseline"]["percent_decimals"] is None


def test_groups_differences_and_tests_are_shown_on_request() -> None:
    at = go(with_sample(), COHORT)
    checked(at.selectbox(key="w:baseline.by").set_value("ecog").run())
    text = table(at, "Characteristic ")
    assert "0-1 (N = 28) 2-3 (N = 23) All patients (N = 51) Standardised difference" in text
    assert "Pearson's chi-square test" not in text
    checked(at.toggle(key="w:baseline.tests").set_value(True).run())
    assert "P values are two-sided and not adjusted. Pearson's chi-square test: Sex" in table(
        at, "Characteristic "
    )
    assert study_of(at).analysis.views["baseline"]["by"] == "ecog"


def test_a_block_is_made_and_taken_apart() -> None:
    at = go(with_sample(), COHORT)
    click(at, "baseline.block.0.remove")
    text = table(at, "Characteristic ")
    assert "Metastasis present" not in text
    assert "Lung metastasis yes 33 (64.7) no 18 (35.3)" in text
    at.multiselect(key="w:baseline.block.variables").set_value(
        ["metastasis_lung", "metastasis_bone"]
    )
    at.text_input(key="w:baseline.block.label").set_value("Metastases")
    checked(next(item for item in at.button if item.label == "Add the block").click().run())
    text = table(at, "Characteristic ")
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


def test_ready_made_criteria_are_added_at_once_and_one_by_one() -> None:
    data = (ROOT / "sample_data" / "sts_screening.xlsx").read_bytes()
    at = go(drop(start(), {"screening.xlsx": data}), COHORT)
    assert "71 of 71 patients analysed" in cohort_line(at)
    text = shown(at)
    assert "Second primary tumour is Yes: would remove 3 of 71" in text
    click(at, "ready.all.Li et al. 2024")
    assert "51 of 71 patients analysed" in cohort_line(at)
    assert "8 criteria in force" in cohort_line(at)
    assert shown(at).count("in the list already") == 8
    click(at, "ready.add.ecog_0_2")
    assert "9 criteria in force" in cohort_line(at)
    click(at, "undo")
    click(at, "undo")
    assert "71 of 71 patients analysed" in cohort_line(at)
    tiny = go(with_tiny(), COHORT)
    assert "Excluded: second primary tumour. Needs a column such as “second primary”." in shown(
        tiny
    )
    assert "in the list already" in shown(go(with_sample(1), COHORT))
