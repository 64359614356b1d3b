"""A click on a count opens the list of its patients, without their ids in the file."""

from __future__ import annotations

import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import patient_lists
from sts_core.analysis.patient_list import list_columns, patient_list
from sts_core.analysis.plan import Done, specs_of
from sts_core.analysis.registry import ANALYSES
from sts_core.export.report import build_report
from sts_core.export.results import results_document, results_json
from sts_core.members import of_flow
from tests.pages.driver import (
    COHORT,
    SURVIVAL,
    TINY,
    chart,
    checked,
    confirm,
    drop,
    go,
    shown,
    start,
    study_file,
    with_sample,
    words,
)

RESPONSE, SAFETY, PROGNOSIS = "pages/response.py", "pages/safety.py", "pages/prognosis.py"
COUNT = re.compile(r'data-count="(\w+)" [^>]*>(.*?)</button>')


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give what the browser reports; a test writes the name of a count into it."""
    reported: dict[str, str] = {}
    monkeypatch.setattr(patient_lists, "_listen", lambda **_: dict(reported))
    return reported


def counts(at: AppTest) -> list[tuple[str, str]]:
    """Give the names and texts of the counts on a page."""
    return [pair for element in at.markdown for pair in COUNT.findall(element.value)]


def opened(at: AppTest, asked: dict[str, str], key: str) -> Any:
    """Click a count, and give the table of the list."""
    asked["count"] = key
    checked(at.run())
    asked.clear()
    (frame,) = at.dataframe
    return frame.value


def test_every_page_lists_the_patients_of_its_counts(asked: dict[str, str]) -> None:
    at = with_sample(1)
    sources = {*at.session_state["workspace"].cohort.source_ids.values()}
    for path in (COHORT, RESPONSE, SURVIVAL, PROGNOSIS):
        go(at, path)
        found = counts(at)
        assert found, path
        by_number = {int(match[0]): key for key, text in found
                     if (match := re.findall(r"\d+(?= \(|$| patient)", text))}  # fmt: skip
        number, key = max(by_number.items())
        listed = opened(at, asked, key)
        assert len(listed) == number, path
        assert listed["subject"].str.match("S[0-9]+$").all()
        assert not {str(cell) for cell in listed.to_numpy().ravel()} & sources


def test_counts_in_footnotes_and_in_the_table_of_a_figure_open_their_patients(
    asked: dict[str, str],
) -> None:
    at = go(with_sample(1), SURVIVAL)
    assert "Each number opens the list" not in shown(at), "made when it is opened"
    at.session_state["km.figure.patients"] = True
    checked(at.run())
    assert "Leiomyosarcoma: 11 patients, 10 events, 1 censored" in shown(at)
    found = {text: key for key, text in counts(at)}
    for text, number in (
        ("10 events", 10), ("20", 20), ("6", 6), ("71", 71), ("39 events", 39), ("39", 39),
    ):  # fmt: skip
        assert len(opened(at, asked, found[text])) == number, text
    assert "39/51" in shown(at), "events and patients of More estimates"


def test_counts_of_criteria_and_of_the_line_below_the_heading_open_their_patients(
    asked: dict[str, str],
) -> None:
    at = go(with_sample(1), COHORT)
    (line,) = [item.value for item in at.markdown if 'class="cohort-line"' in item.value]
    assert [text for _, text in COUNT.findall(line)] == ["51", "71"]
    cards = [item.value for item in at.markdown if 'class="criterion-words"' in item.value]
    assert len(cards) == 9
    third = COUNT.findall(cards[2])
    assert [text for _, text in third] == ["3", "67", "64", "1"]
    for key, text in (*COUNT.findall(line), *third):
        assert len(opened(at, asked, key)) == int(text)


def test_who_has_no_time_is_listed_where_nothing_else_is_shown(asked: dict[str, str]) -> None:
    file = TINY + "d,,Dead,Other one\ne,,Alive,Other one\n"
    at = confirm(drop(start(), {"t.csv": file}), "TTE", unit="months", events=["Dead"])
    go(at, SURVIVAL)
    checked(at.selectbox(key="w:km.by").set_value("histotype").run())
    checked(at.pills(key="w:km.levels.histotype").set_value(["Other one"]).run())
    assert "2 patients not included: time missing" in shown(at)
    key = next(key for key, text in counts(at) if text == "2 patients")
    assert [*opened(at, asked, key)["subject"]] == ["S004", "S005"]


def test_further_columns_and_the_cards_of_safety(asked: dict[str, str]) -> None:
    at = go(with_sample(0), SAFETY)
    cards = [(key, text) for key, text in counts(at) if text.startswith("List ")]
    (key, text), *_ = cards
    assert text == "List the 39 patients"
    listed = opened(at, asked, key)
    assert len(listed) == 39
    assert listed["worst_grade"].isin(["1", "2", "3", "4"]).all()
    asked["count"] = key
    checked(at.run())
    checked(at.multiselect[0].set_value(["age"]).run())
    assert "age" in at.dataframe[0].value.columns


def test_a_count_of_former_choices_opens_nothing(asked: dict[str, str]) -> None:
    at = go(with_sample(1), COHORT)
    asked["count"] = "0123"
    checked(at.run())
    assert not at.dataframe


def test_words_of_a_count_stay_words(asked: dict[str, str]) -> None:
    at = go(with_sample(0), RESPONSE)
    tables = [words(item.value) for item in at.markdown if 'class="sts-table"' in item.value]
    assert "button" not in " ".join(tables)


def test_a_click_on_a_curve_asks_for_a_count_that_is_known(asked: dict[str, str]) -> None:
    at = go(with_sample(0), SURVIVAL)
    counts_of_chart = chart(at)["counts"]
    named = [trace["meta"]["counts"] for trace in chart(at)["data"]
             if "counts" in (trace.get("meta") or {})]  # fmt: skip
    first = named[0]
    listed = opened(at, asked, counts_of_chart[first])
    assert 0 < len(listed) <= 51
    # of nobody, a 0 under the axis, there is no list
    asked_for = {key for one in named for key in (one if isinstance(one, list) else [one]) if key}
    assert asked_for <= {*counts_of_chart}


def test_ids_of_the_file_are_shown_on_request_and_leave_the_screen_nowhere(
    asked: dict[str, str],
) -> None:
    at = go(with_sample(1), COHORT)
    cohort = at.session_state["workspace"].cohort
    sources = {*cohort.source_ids.values()}
    asked["count"] = next(key for key, text in counts(at) if text.startswith("57"))
    checked(at.run())
    switch = at.toggle(key="list.reveal")
    assert not switch.value, "off until somebody asks"
    assert not any(source in on_screen(at) for source in sources)
    checked(switch.set_value(True).run())
    assert not at.dataframe, "a grid could be downloaded"
    (listed,) = [item.value for item in at.markdown if "sts-table revealed" in item.value]
    ids = re.findall('<tr><td class="">(S[0-9]+)</td><td class="">([^<]+)</td>', listed)
    assert len(ids) == 57
    assert all(cohort.source_ids[subject] == source for subject, source in ids)
    assert "They go into no export, study file, report or link" in shown(at)
    # another list of this session shows them too; nothing that leaves the session has one
    asked["count"] = next(key for key, text in counts(at) if text.startswith("51"))
    checked(at.run())
    assert at.toggle(key="list.reveal").value
    asked.clear()
    workspace = at.session_state["workspace"]
    made = []
    for spec in specs_of(workspace.cohort)[:2]:
        analysis = ANALYSES[spec.kind]
        made.append(Done(analysis, spec, analysis.compute(workspace.cohort, spec)))
    leaving = [
        study_file(at),
        repr(dict(at.query_params)),
        results_json(results_document(workspace.cohort, made)),
        repr(build_report(workspace.cohort, made)),
        repr(
            patient_list(workspace.cohort, of_flow("file"), tuple(list_columns(workspace.cohort)))
        ),
    ]
    assert not [source for source in sources for text in leaving if source in text]
    # another file begins with the switch off
    at = with_sample(0)
    go(at, RESPONSE)
    asked["count"] = counts(at)[0][0]
    checked(at.run())
    assert not at.toggle(key="list.reveal").value


def on_screen(at: AppTest) -> str:
    """Give all words of a page and of its grids."""
    return "\n".join([shown(at), *(frame.value.to_csv() for frame in at.dataframe)])
