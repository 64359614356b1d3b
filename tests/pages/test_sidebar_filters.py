"""Filters in the sidebar: on any page, kept across pages, undone, cleared, and always marked."""

from __future__ import annotations

import datetime as dt
import json

from streamlit.testing.v1 import AppTest

from sts_core.study import Between, IsKnown, OneOf
from tests.pages.driver import (
    COHORT,
    PATHS,
    SURVIVAL,
    TINY,
    chart,
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
)

RESPONSE = "pages/response.py"


def open_filter(at: AppTest, key: str) -> AppTest:
    """Choose a variable in "Add a filter"."""
    return checked(at.selectbox(key="w:filter.add").set_value(key).run())


def test_a_filter_is_set_on_one_page_and_stands_on_every_other() -> None:
    at = open_filter(go(with_sample(), SURVIVAL), "sex")
    assert "51 of 51 patients analysed" in cohort_line(at)
    assert "exploratory" not in cohort_line(at)  # an open control removes nobody
    checked(at.pills(key="w:filter.levels.sex").set_value(["Male"]).run())
    n = study_count(at)
    assert n < 51
    assert study_of(at).analysis.filters == (OneOf("sex", ("Male",)),)
    for path in PATHS:
        go(at, path)
        assert f"{n} of 51 patients analysed" in cohort_line(at), path
        assert "exploratory subset" in cohort_line(at), path
        assert at.pills(key="w:filter.levels.sex").value == ["Male"], path
    click(at, "filters.undo")
    assert "51 of 51 patients analysed" in cohort_line(at)
    assert at.pills(key="w:filter.levels.sex").value == []


def study_count(at: AppTest) -> int:
    count: int = at.session_state["workspace"].cohort.n
    return count


def test_ranges_of_numbers_and_dates_narrow_and_clear() -> None:
    at = open_filter(go(with_sample(), RESPONSE), "age")
    age = at.slider(key="w:filter.range.age")
    assert (age.min, age.max) == (15.0, 80.0)
    checked(age.set_value((54.0, 80.0)).run())
    assert study_of(at).analysis.filters == (Between("age", low=54.0),)
    older = study_count(at)
    open_filter(at, "first_dose_date")
    dates = at.slider(key="w:filter.range.first_dose_date")
    checked(dates.set_value((dt.date(2021, 1, 1), dates.value[1])).run())
    assert study_of(at).analysis.filters[1].low == "2021-01-01"
    assert study_count(at) < older
    go(at, COHORT)
    assert at.slider(key="w:filter.range.age").value == (54.0, 80.0)
    # switched off on the Cohort page, a filter is words in the sidebar, with a way to take it off
    checked(at.toggle(key="w:filters.on.0").set_value(False).run())
    assert "1 filter in force" in cohort_line(at)
    assert not [slider for slider in at.slider if slider.key == "w:filter.range.age"]
    click(at, "filter.words.0")
    assert len(study_of(at).analysis.filters) == 1
    click(at, "filters.clear")
    assert study_of(at).analysis.filters == ()
    assert not at.slider
    assert "51 of 51 patients analysed" in cohort_line(at)


def test_unknown_values_are_kept_until_asked_otherwise_and_travel_in_the_study_file() -> None:
    rows = TINY.replace("7,Dead,ASPS", "7,Dead,")
    at = go(drop(start(), {"t.csv": rows, "study.yaml": study_file(with_tiny())}), SURVIVAL)
    open_filter(at, "histotype")
    assert at.checkbox(key="w:filter.unknown.histotype").label == "Keep 1 not known"
    checked(at.checkbox(key="w:filter.unknown.histotype").set_value(False).run())
    assert study_of(at).analysis.filters == (IsKnown("histotype"),)
    assert "2 of 3 patients analysed" in cohort_line(at)
    checked(at.pills(key="w:filter.levels.histotype").set_value(["Leiomyosarcoma"]).run())
    assert study_of(at).analysis.filters == (
        OneOf("histotype", ("Leiomyosarcoma",), missing="drop"),
    )
    again = go(drop(start(), {"t.csv": rows, "study.yaml": study_file(at)}), SURVIVAL)
    assert "1 of 3 patients analysed" in cohort_line(again)
    assert again.pills(key="w:filter.levels.histotype").value == ["Leiomyosarcoma"]
    assert again.checkbox(key="w:filter.unknown.histotype").value is False
    click(again, "filter.remove.histotype")
    assert "3 of 3 patients analysed" in cohort_line(again)
    assert not [box for box in again.checkbox if box.key == "w:filter.unknown.histotype"]


def test_a_filter_whose_column_is_gone_can_be_cleared_anywhere() -> None:
    at = go(with_tiny(), SURVIVAL)
    open_filter(at, "histotype")
    checked(at.pills(key="w:filter.levels.histotype").set_value(["Leiomyosarcoma"]).run())
    without = "id,time (months),status\na,3.5,Dead\nb,12,Alive\nc,7,Dead\n"
    again = drop(start(), {"tiny.csv": without, "study.yaml": study_file(at)})
    assert again.session_state["workspace"].cohort is None
    click(again, "filters.clear")
    assert study_of(again).analysis.filters == ()


def test_p_values_under_filters_are_grey_and_labelled_until_one_click() -> None:
    at = open_filter(go(with_sample(), "pages/prognosis.py"), "sex")
    assert "P (exploratory)" not in table(at)
    assert chart(at)
    checked(at.pills(key="w:filter.levels.sex").set_value(["Female"]).run())
    stamp = "Exploratory subset, n = 26 of 51"
    (source,) = [item.value for item in at.markdown if 'class="sts-table"' in item.value]
    assert "P (exploratory)" in table(at)
    assert f'<p class="stamp">{stamp}</p>' in source
    assert 'class="num quiet-p"' in source
    assert stamp in json.dumps(chart(at), ensure_ascii=False)
    assert "exploratory P" in shown(at)
    checked(at.toggle(key="w:filter.report_p").set_value(True).run())
    assert study_of(at).analysis.report_exploratory_p
    assert "P (exploratory)" not in table(at)
    assert "P values are reported by choice" in table(at)
    assert stamp in table(at)
    assert at.toggle(key="w:filter.report_p").value is True
    assert go(at, RESPONSE).toggle(key="w:filter.report_p").value is True
    click(at, "filters.clear")
    assert not [toggle for toggle in at.toggle if toggle.key == "w:filter.report_p"]


def test_cards_under_filters_say_that_they_are_of_a_subset() -> None:
    at = open_filter(go(with_sample(), RESPONSE), "sex")
    assert "Exploratory subset" not in shown(at)
    checked(at.pills(key="w:filter.levels.sex").set_value(["Female"]).run())
    stamp = '<div class="card-stamp">Exploratory subset, n = 26 of 51</div>'
    for path, n_cards in ((RESPONSE, 2 + 5), ("pages/safety.py", 3)):
        stamps = [item for item in go(at, path).markdown if item.value == stamp]
        assert len(stamps) == len(at.metric) == n_cards, path
    # the count beside the name of the population is sent to the browser anew
    box = go(at, RESPONSE).selectbox(key="w:response.population")
    checked(at.pills(key="w:filter.levels.sex").set_value(["Male"]).run())
    box = at.selectbox(key="w:response.population")
    assert box.proto.raw_value == "Efficacy population (25)"
    click(at, "filters.clear")
    assert stamp not in " ".join(item.value for item in at.markdown)
