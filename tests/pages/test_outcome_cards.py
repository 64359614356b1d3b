"""Response and adverse events chosen by hand, and endpoints that need an explicit answer."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from sts_core.study import Status, load_study
from tests.pages.driver import (
    DATA,
    TINY,
    checked,
    click,
    drop,
    go,
    shown,
    start,
    study_file,
    study_of,
    with_sample,
    with_tiny,
)

RESPONSE, SAFETY = "pages/response.py", "pages/safety.py"
OUTCOME = "id,time (months),status,outcome at best\n" + "".join(
    f"p{n},{n + 2},{'Dead' if n % 2 else 'Alive'},{word}\n"
    for n, word in enumerate(["shrunk", "shrunk", "same", "grown", "grown", "lost", ""], 1)
)


def choose(at: AppTest, key: str, value: str) -> AppTest:
    return checked(at.selectbox(key=f"w:{key}").set_value(value).run())


def test_response_is_chosen_by_hand_and_kept_in_the_study_file() -> None:
    at = drop(start(), {"o.csv": OUTCOME})
    if study_of(at).definitions.response is not None:
        click(at, "response.delete")
    assert "No response in this file" in shown(go(at, RESPONSE))
    assert "choose it on the Data page" in shown(at)
    go(at, DATA)
    assert not [item for item in at.button if item.key == "response.choose.use"]  # nothing chosen
    names = at.selectbox(key="w:response.choose.column.subjects").options
    (column,) = [name for name in names if "outcome" in name.lower()]
    at.selectbox(key="w:response.choose.column.subjects").set_value(
        next(key for key in (*study_of(at).definitions.variables, column)
             if key.replace("_", " ").startswith("outcome"))
    ).run()  # fmt: skip
    assert "known for 6 of 7 patients" in shown(at)
    click(at, "response.choose.use")
    definition = study_of(at).definitions.response
    assert definition is not None
    key = definition.variable
    assert (definition.responders, definition.criteria) == ((), "")
    for level, role in (
        ("shrunk", "response"), ("same", "control"), ("grown", "progression"),
        ("lost", "not_evaluable"),
    ):  # fmt: skip
        choose(at, f"response.level.{key}.{level}", role)
    assert "2 with objective response, 3 with disease control, 1 not evaluable" in shown(at)
    assert "criteria not stated" in shown(at)
    checked(at.text_input(key="w:response.criteria").set_value("Choi").run())
    checked(at.segmented_control(key="w:response.confirmed").set_value("no").run())
    checked(at.number_input(key="w:response.days").set_value(56).run())
    click(at, "response.confirm")
    kept = load_study(study_file(at)).definitions
    assert kept.response is not None
    assert kept.response.responders == ("shrunk",)
    assert set(kept.response.controlled) == {"shrunk", "same"}
    assert kept.response.progression == ("grown",)
    assert kept.response.not_evaluable == ("lost",)
    assert (kept.response.criteria, kept.response.confirmed) == ("Choi", False)
    assert kept.response.minimum_stable_days == 56
    assert kept.response.status is Status.CONFIRMED
    assert kept.variables[key].measured.value == "post_baseline"
    text = shown(go(at, RESPONSE))
    assert "by Choi, responses not confirmed, assessor not stated" in text
    assert "2 of 7" in text
    go(at, DATA)
    click(at, "response.delete")
    assert study_of(at).definitions.response is None
    click(at, "undo")
    assert study_of(at).definitions.response == kept.response


def test_sample_shows_what_its_response_and_events_rest_on() -> None:
    at = with_sample()
    text = shown(at)
    assert "9 with objective response, 39 with disease control" in text
    assert "by RECIST 1.1" in text
    assert "117 events in 41 of 51 patients analysed" in text
    before = study_of(at).definitions
    checked(at.run())
    assert study_of(at).definitions == before


def test_columns_of_adverse_events_are_changed_with_their_counts() -> None:
    at = with_sample()
    definition = study_of(at).definitions.adverse_events
    assert definition is not None
    assert definition.grade is not None
    choose(at, "ae.grade", "(none)")
    changed = study_of(at).definitions.adverse_events
    assert changed is not None
    assert changed.grade is None
    assert "grades are not recorded" in shown(go(at, SAFETY))
    go(at, DATA)
    click(at, "undo")
    assert study_of(at).definitions.adverse_events == definition
    click(at, "ae.delete")
    assert "No adverse events in this file" in shown(go(at, SAFETY))
    assert "Response and adverse events" in shown(at)
    go(at, DATA)
    choose(at, "ae.choose.term.adverse_events", definition.term)
    click(at, "ae.choose.use")
    assert "117 events in 41 of 51 patients analysed" in shown(at)
    assert definition.related is not None
    choose(at, "ae.related", definition.related)
    found = at.pills(key=f"w:ae.related.values.{definition.related}")
    assert all("row" in option for option in found.options)
    found.set_value([str(value) for value in definition.related_values])
    checked(at.run())
    again = study_of(at).definitions.adverse_events
    assert again is not None
    assert set(again.related_values) == set(definition.related_values)
    assert again.status is Status.GUESSED
    click(at, "ae.confirm")
    assert (
        load_study(study_file(at)).definitions.adverse_events
        == study_of(at).definitions.adverse_events
    )


def test_related_events_are_said_to_be_related_on_the_page() -> None:
    text = shown(go(with_sample(), SAFETY))
    assert "Any treatment-related adverse event" in text
    assert "Any adverse event" not in text


def test_nothing_to_choose_from_says_what_is_missing() -> None:
    text = shown(with_tiny())
    assert "There is no sheet or file with one row per adverse event" in text


@pytest.mark.parametrize(
    ("rows", "answer", "events"),
    [
        (TINY.replace("Dead", "Alive"), "nobody", 0),
        (TINY.replace("Alive", "Dead"), "everyone", 3),
    ],
)
def test_a_status_of_one_value_is_confirmed_by_an_explicit_answer(
    rows: str, answer: str, events: int
) -> None:
    at = drop(start(), {"t.csv": rows})
    (code,) = study_of(at).definitions.endpoints
    button = at.button(key=f"endpoint.confirm.{code}")
    assert button.disabled
    question = at.radio(key=f"w:endpoint.only.{code}")
    assert question.value is None
    assert all("3 " in option for option in question.options)
    checked(question.set_value(answer).run())
    click(at, f"endpoint.confirm.{code}")
    assert study_of(at).definitions.endpoints[code].is_confirmed
    text = shown(go(at, "pages/survival.py"))
    assert f"3 patients, {events} event" in text
    again = shown(go(at, DATA))
    assert "waits for an answer" not in again
    assert load_study(study_file(at)).definitions == study_of(at).definitions


def test_an_endpoint_is_defined_in_a_dialog() -> None:
    at = drop(start(), {"t.csv": "id,length,state,arm\na,3,x,k\nb,4,y,k\nc,5,x,m\n"})
    for code in list(study_of(at).definitions.endpoints):
        click(at, f"endpoint.delete.{code}")
    assert "No time to an event was recognised or defined" in shown(at)
    assert not any("needs attention" in item.value for item in at.success)
    click(at, "endpoint.define")
    checked(at.text_input(key="new.label").set_value("Overall survival").run())
    at.selectbox(key="w:new.time").set_value("length")
    at.selectbox(key="w:new.event").set_value("state")
    click(at, "new.add")
    made = study_of(at).definitions.endpoints["OS"]
    assert (made.time, made.event, made.is_confirmed) == ("length", "state", False)


COURSES = """id,start date,progression date,death date,last seen,treatment stop,best response
P1,2021-01-01,2021-07-01,,2021-07-01,2021-06-01,PR
P2,2021-01-01,,,2021-09-07,,CR
P3,2021-01-01,2021-02-01,,2021-02-01,2021-02-01,PD
P4,2021-01-01,,2021-05-01,2021-05-01,,PR
P5,2021-01-01,,,2021-06-01,2021-04-01,SD
"""
SCANS = """id,assessment date,overall response
P1,2021-03-01,PR
P2,2021-03-11,CR
P3,2021-02-01,PD
P4,2021-02-15,PR
P5,2021-03-01,SD
"""


def test_duration_of_response_and_time_to_treatment_failure_are_defined_by_hand() -> None:
    at = drop(start(), {"patients.csv": COURSES, "assessments.csv": SCANS})
    click(at, "endpoint.confirm.PFS")
    click(at, "endpoint.dor")
    assert "endpoint.dor" not in [button.key for button in at.button]
    made = study_of(at).definitions.endpoints["DOR"]
    assert (made.responders, made.first_response, made.is_confirmed) == (True, True, True)
    text = shown(at)
    assert "3 patients with a time, 2 events (progression 1, death 1), 1 censored" in text
    assert "2 without: 2 no objective response" in text
    assert load_study(study_file(at)).definitions == study_of(at).definitions
    # every patient's time from the start again
    checked(at.toggle(key="w:endpoint.response.DOR").set_value(False).run())
    checked(at.toggle(key="w:endpoint.responders.DOR").set_value(False).run())
    assert "5 patients with a time" in shown(at)
    click(at, "endpoint.define")
    checked(at.text_input(key="new.label").set_value("Time to treatment failure").run())
    checked(at.segmented_control(key="w:new.source").set_value("dates").run())
    for key, column in (
        ("start", "start date"), ("progression", "progression date"), ("death", "death date"),
        ("stop", "treatment stop"), ("contact", "last seen"),
    ):  # fmt: skip
        at.selectbox(key=f"w:new.{key}").set_value(column)
    click(at, "new.add")
    failure = study_of(at).definitions.endpoints["TTTF"]
    assert list(failure.event_dates) == ["progression", "death", "end of treatment"]
    assert "4 events (end of treatment 2, progression 1, death 1)" in shown(at)


def test_a_column_that_is_gone_is_chosen_again() -> None:
    choices = study_file(with_tiny())
    at = drop(start(), {"t.csv": TINY.replace("time (months)", "duration"), "study.yaml": choices})
    assert "choose another sheet or column" in shown(at)
    choose(at, "endpoint.time.TTE", "duration")
    endpoint = study_of(at).definitions.endpoints["TTE"]
    assert endpoint.time == "duration"
    assert not endpoint.is_confirmed
