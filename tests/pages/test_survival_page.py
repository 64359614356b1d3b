"""The Survival page: the numbers of the core, the groups that are switched on, the choices kept."""

from __future__ import annotations

import pytest

from sts_core.analysis.kaplan_meier import (
    KaplanMeierSpec,
    kaplan_meier,
    more_estimates_table,
    survival_table,
)
from sts_core.analysis.plan import usual_report
from sts_core.analysis.software_conventions import (
    SoftwareConventionsSpec,
    estimates_table,
    more_tables,
    software_conventions,
)
from sts_core.criteria import apply_criteria
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study import TimeUnit, load_study
from tests.pages.driver import (
    COHORT,
    DATA,
    PATHS,
    ROOT,
    SURVIVAL,
    TINY,
    chart,
    charts,
    checked,
    click,
    cohort_line,
    confirm,
    curves,
    drop,
    go,
    shown,
    start,
    study_file,
    study_of,
    table,
    with_sample,
    with_tiny,
)

HISTOTYPES = "w:km.levels.histotype"


def sample_cohort():
    folder = ROOT / "sample_data"
    book = read_bytes("sts_cohort.xlsx", (folder / "sts_cohort.xlsx").read_bytes())
    study = load_study((folder / "study.yaml").read_text("utf-8"), name="study.yaml")
    return apply_criteria(assemble(study, [book]), study)


@pytest.mark.parametrize("endpoint", ["PFS", "OS"])
@pytest.mark.parametrize("by", [None, "histotype", "sex", "asps_ccs"])
def test_page_shows_the_numbers_of_the_core(endpoint: str, by: str | None) -> None:
    at = go(with_sample(), SURVIVAL)
    checked(at.selectbox(key="w:km.endpoint").set_value(endpoint).run())
    checked(at.selectbox(key="w:km.by").set_value(by or "").run())
    result = kaplan_meier(sample_cohort(), KaplanMeierSpec(endpoint=endpoint, by=by))
    expected = survival_table(result)
    text = table(at)
    for row in expected.formatted():
        assert " ".join(" ".join(row).split()) in text
    if by is not None:
        assert "Log-rank test" in text
        names = [group.label for group in result.groups if group.n]
        assert [name for name in curves(at) if name in names] == names


def test_published_numbers_of_the_sample() -> None:
    at = go(with_sample(), SURVIVAL)
    checked(at.selectbox(key="w:km.by").set_value("").run())
    # Li et al. 2024: 51 patients, 38 with progression or death
    line = next(row for row in at.markdown if "sts-table" in row.value)
    assert "51 of 51 patients in the file analysed" in table(at), line
    result = kaplan_meier(sample_cohort(), KaplanMeierSpec(endpoint="PFS"))
    assert f"All patients 51 {result.overall.n_event}" in table(at)


def test_switching_a_group_off_changes_this_comparison_and_nothing_else() -> None:
    at = go(with_sample(), SURVIVAL)
    before, line, all_curves = shown(at), cohort_line(at), curves(at)
    levels = at.pills(key=HISTOTYPES).value
    kept = [levels[3], levels[0], levels[5]]
    checked(at.pills(key=HISTOTYPES).set_value(kept).run())
    # In the study's order, not in that of the clicks
    assert curves(at) == [levels[0], levels[3], levels[5]] != all_curves
    assert "over 3 of 9" in shown(at)
    assert "over 3 of 9" not in before
    assert f"{levels[1]} " not in table(at).split("All of these")[0]
    assert "df = 2" in table(at)
    assert cohort_line(at) == line
    for path in PATHS:
        assert cohort_line(go(at, path)) == line
    assert study_of(at).analysis.criteria == study_of(with_sample()).analysis.criteria


def test_two_groups_switched_on_give_the_test_between_those_two() -> None:
    at = go(with_sample(), SURVIVAL)
    levels = at.pills(key=HISTOTYPES).value
    checked(at.pills(key=HISTOTYPES).set_value([levels[0], levels[1]]).run())
    spec = KaplanMeierSpec(endpoint="PFS", by="histotype", levels=(levels[0], levels[1]))
    result = kaplan_meier(sample_cohort(), spec)
    assert result.logrank is not None
    assert f"χ² = {result.logrank.statistic:.2f}, df = 1" in table(at)


@pytest.mark.parametrize("n", [0, 1])
def test_page_stands_with_no_group_or_one(n: int) -> None:
    at = go(with_sample(), SURVIVAL)
    levels = at.pills(key=HISTOTYPES).value[:n]
    checked(at.pills(key=HISTOTYPES).set_value(levels).run())
    assert cohort_line(at).count("51 of 51") == 1
    assert "χ²" not in (table(at) if n else "")
    go(at, DATA)
    go(at, SURVIVAL)


def test_choices_are_there_after_another_page_was_open() -> None:
    at = go(with_sample(), SURVIVAL)
    checked(at.selectbox(key="w:km.endpoint").set_value("OS").run())
    checked(at.selectbox(key="w:km.by").set_value("sex").run())
    checked(at.pills(key="w:km.levels.sex").set_value(["Female"]).run())
    checked(at.selectbox(key="w:km.conf_type").set_value("plain").run())
    checked(at.text_input(key="w:km.landmarks.months").set_value("3, 9").run())
    before = shown(at)
    for path in (DATA, COHORT, SURVIVAL):
        go(at, path)
    assert at.selectbox(key="w:km.endpoint").value == "OS"
    assert at.selectbox(key="w:km.by").value == "sex"
    assert at.pills(key="w:km.levels.sex").value == ["Female"]
    assert at.selectbox(key="w:km.conf_type").value == "plain"
    assert at.text_input(key="w:km.landmarks.months").value == "3, 9"
    assert "At 9 months" in table(at)
    assert shown(at) == before


def test_the_convention_of_the_study_is_followed_on_every_page() -> None:
    at = go(with_sample(), SURVIVAL)
    assert "Convention: this app's own" in shown(at)
    checked(at.selectbox(key="w:km.quantiles").set_value("symmetric").run())
    assert "Chosen in place of what the convention says: symmetric intervals of medians" in shown(
        at
    )
    assert study_of(at).analysis.views["kaplan_meier"]["quantile_interval"] == "symmetric"
    checked(at.selectbox(key="w:km.quantiles").set_value("auto").run())
    checked(at.selectbox(key="w:km.convention").set_value("SPSS").run())
    assert study_of(at).analysis.convention == "SPSS"
    assert "Convention: this app" not in shown(at)
    cohort = apply_criteria(sample_cohort(), study_of(at))
    result = kaplan_meier(cohort, KaplanMeierSpec(endpoint="PFS", by="histotype"))
    for made in (survival_table(result), more_estimates_table(result)):
        for row in made.formatted():
            assert " ".join(" ".join(row).split()) in shown(at)
    assert "Tarone-Ware test" in table(at)
    assert "Breslow's handling of ties" in shown(go(at, "pages/prognosis.py"))
    go(at, SURVIVAL)
    assert at.selectbox(key="w:km.convention").value == "SPSS"
    checked(at.text_input(key="w:km.mean_horizon.months").set_value("none").run())
    assert "Write one time above 0" in shown(at)
    checked(at.text_input(key="w:km.mean_horizon.months").set_value("12").run())
    assert "up to 12.0 months, as chosen" in shown(at)


def test_other_programs_stand_side_by_side() -> None:
    at = go(with_sample(), SURVIVAL)
    checked(at.selectbox(key="w:km.by").set_value("sex").run())
    at.session_state["survival.tab"] = "Other programs"
    checked(at.run())
    spec = SoftwareConventionsSpec(endpoint="PFS", by="sex")
    found = software_conventions(sample_cohort(), spec)
    tables = (estimates_table(found), *more_tables(found))
    assert len(tables) == 3
    for made in tables:
        for row in made.formatted():
            assert " ".join(" ".join(row).split()) in shown(at)
    for reason in found.reasons:
        assert " ".join(reason.partition(": ")[2].split()) in shown(at)
    click(at, "basket.software_conventions")
    (item,) = study_of(at).report.items
    assert (item["kind"], item["by"]) == ("software_conventions", "sex")
    go(at, "pages/report.py")
    assert "the same cohort in several programs" in shown(at)
    again = load_study(study_file(at), name="study.yaml")
    assert again.report.items == (item,)


def test_groups_of_each_variable_are_kept_apart() -> None:
    at = go(with_sample(), SURVIVAL)
    levels = at.pills(key=HISTOTYPES).value
    checked(at.pills(key=HISTOTYPES).set_value(levels[:2]).run())
    checked(at.selectbox(key="w:km.by").set_value("sex").run())
    assert len(at.pills(key="w:km.levels.sex").value) == 2
    checked(at.selectbox(key="w:km.by").set_value("histotype").run())
    assert at.pills(key=HISTOTYPES).value == levels[:2]


@pytest.mark.parametrize("text", ["three", "-3", "", "0", "1,2,3,4,5,6,7,8,9", "nan", "inf"])
def test_times_that_cannot_be_read_are_refused_in_words(text: str) -> None:
    at = go(with_sample(), SURVIVAL)
    before = table(at)
    checked(at.text_input(key="w:km.landmarks.months").set_value(text).run())
    assert "Write times above 0" in shown(at)
    assert table(at) == before


def test_groups_are_merged_under_a_name_and_apart_again() -> None:
    at = go(with_sample(), SURVIVAL)
    levels = list(at.pills(key=HISTOTYPES).value)
    at.pills(key="w:merge.levels.histotype").set_value(levels[1:4])
    at.text_input(key="w:merge.name.histotype").set_value("Some")
    submit = next(item for item in at.button if item.label == "Compare merged groups")
    checked(submit.click().run())
    (key,) = [name for name in study_of(at).definitions.groupings if name != "asps_ccs"]
    assert at.selectbox(key="w:km.by").value == key
    assert at.pills(key=f"w:km.levels.{key}").value == ["Some", "Others"]
    result = kaplan_meier(
        apply_criteria(sample_cohort(), study_of(at)), KaplanMeierSpec(endpoint="PFS", by=key)
    )
    for row in survival_table(result).formatted():
        assert " ".join(" ".join(row).split()) in table(at)
    click(at, "merge.remove")
    assert key not in study_of(at).definitions.groupings
    go(at, SURVIVAL)


def test_variable_known_only_later_is_not_offered() -> None:
    at = go(with_sample(), SURVIVAL)
    offered = at.selectbox(key="w:km.by")
    assert "Best overall response" not in offered.options
    assert "Best overall response" in offered.proto.help
    assert "Histotype" in offered.options


def test_legend_of_the_chart_switches_nothing_by_itself() -> None:
    figure = chart(go(with_sample(), SURVIVAL))
    # the legend is drawn as text and lines: Plotly's own, which switches curves, is off
    assert figure["layout"]["showlegend"] is False
    assert not any(trace.get("showlegend") for trace in figure["data"])


def test_three_patients_by_hand() -> None:
    at = go(with_tiny(), SURVIVAL)
    # 3.5, 7, 12+: 2/3 after the first, 1/3 after the second, which is the first below a half
    assert "All patients 3 2 7.0 (3.5, NE) 66.7" in table(at)
    line = next(t for t in chart(at)["data"] if t.get("mode") == "lines" and t.get("meta"))
    assert line["x"][0] == 0
    assert {round(y, 4) for y in line["y"]} <= {1.0, 0.6667, 0.3333}


def test_options_of_the_figure_are_drawn_kept_and_reported() -> None:
    at = go(with_sample(), SURVIVAL)
    checked(at.selectbox(key="w:km.by").set_value("sex").run())
    at.text_input(key="w:km.figure.horizon.months").set_value("18")
    at.selectbox(key="w:km.figure.step.months").set_value("6")
    at.segmented_control(key="w:km.figure.scale").set_value("proportion")
    at.segmented_control(key="w:km.figure.shown").set_value("cumulative")
    at.segmented_control(key="w:km.figure.rows").set_value("at_risk")
    at.segmented_control(key="w:km.figure.size").set_value("single")
    at.text_input(key="w:km.figure.y.PFS by sex").set_value("<i>Relapsed</i>")
    checked(at.text_input(key="w:km.figure.name.Female").set_value("Women").run())
    page = chart(at)["layout"]
    assert page["xaxis"]["tickvals"] == [0.0, 6.0, 12.0, 18.0]
    assert page["xaxis"]["range"] == [0.0, 18.0]
    assert page["yaxis"]["ticktext"][-1] == "1.00"
    assert page["yaxis"]["title"]["text"] == "&lt;i&gt;Relapsed&lt;/i&gt;"
    assert "Women" in curves(at)
    assert "Female" not in curves(at)
    # the table is about the data, and names groups as they are there
    assert "Female" in table(at)
    rising = next(t for t in chart(at)["data"] if t["name"] == "Women" and t.get("meta"))
    assert rising["y"][0] == 0.0
    assert max(rising["y"]) <= 1.0
    (rows,) = [t for t in chart(at)["data"] if t.get("mode") == "text"]
    assert len(rows["text"]) == 2 * 4
    click(at, "basket.kaplan_meier")
    (item,) = study_of(at).report.items
    assert item["drawing"]["labels"] == [["Female", "Women"]]
    assert (item["horizon"], item["tick_step"], item["drawing"]["size"]) == (18.0, 6.0, "single")
    cohort = at.session_state["workspace"].cohort
    usual = [spec for spec in usual_report(cohort) if spec.kind == "kaplan_meier"]
    for spec in usual:
        assert (spec.horizon, spec.tick_step) == (18.0, 6.0), spec.endpoint
        assert (spec.drawing.scale, spec.drawing.size) == ("proportion", "single")
        assert spec.drawing.y_title is None  # a title is that of one figure
    before = chart(at)
    again = load_study(study_file(at), name="study.yaml")
    assert again.analysis.views["kaplan_meier"]["figure"]["drawing"]["y_title"] == (
        "<i>Relapsed</i>"
    )
    for path in (DATA, SURVIVAL):
        go(at, path)
    assert chart(at) == before
    # words are about one figure, and wait for it
    checked(at.selectbox(key="w:km.endpoint").set_value("OS").run())
    assert "Relapsed" not in str(chart(at))
    checked(at.selectbox(key="w:km.endpoint").set_value("PFS").run())
    assert chart(at) == before
    checked(at.toggle(key="w:km.figure.preview").set_value(True).run())
    assert not charts(at)
    assert any("84 mm" in caption.value for caption in at.caption)
    with_notes = at.get("image")[0].proto.imgs[0].url
    checked(at.toggle(key="w:km.figure.notes").set_value(False).run())
    assert at.get("image")[0].proto.imgs[0].url != with_notes


def test_a_menu_that_is_opened_late_shows_what_was_chosen() -> None:
    at = go(with_sample(), SURVIVAL)
    checked(at.text_input(key="w:km.figure.horizon.months").set_value("18").run())
    levels = at.pills(key=HISTOTYPES).value
    checked(at.pills(key=HISTOTYPES).set_value(levels[:2]).run())
    # what the session gave it has gone to a browser that had no such widget yet
    horizon = at.text_input(key="w:km.figure.horizon.months").proto
    assert (horizon.set_value, horizon.default) == (False, "18")
    notes = at.toggle(key="w:km.figure.notes").proto
    assert (notes.set_value, notes.default) == (False, True)
    size = at.segmented_control(key="w:km.figure.size").proto
    assert (size.set_value, list(size.default)) == (False, [0])
    step = at.selectbox(key="w:km.figure.step.months").proto
    assert (step.set_value, step.default) == (False, 0)


def test_another_unit_of_time_is_one_for_figure_table_and_rates() -> None:
    at = go(with_sample(), SURVIVAL)
    checked(at.selectbox(key="w:km.by").set_value("").run())
    checked(at.selectbox(key="w:km.unit").set_value("weeks").run())
    assert chart(at)["layout"]["xaxis"]["title"]["text"].startswith("Weeks")
    spec = KaplanMeierSpec(endpoint="PFS", time_unit=TimeUnit.WEEKS)
    for row in survival_table(kaplan_meier(sample_cohort(), spec)).formatted():
        assert " ".join(" ".join(row).split()) in table(at)


def test_one_less_survival_is_not_offered_where_death_competes() -> None:
    at = go(with_tiny(), SURVIVAL)  # its event is a death
    assert at.segmented_control(key="w:km.figure.shown").options
    text = TINY.replace("Dead", "Relapsed")
    at = confirm(drop(start(), {"tiny.csv": text}), "TTE", unit="months", events=["Relapsed"])
    go(at, SURVIVAL)
    keys = [control.key for control in at.segmented_control]
    assert "w:km.figure.scale" in keys
    assert "w:km.figure.shown" not in keys
    assert "death from another cause competes" in shown(at)
