"""The Data page: files in, what is confirmed, what is refused, and the way back."""

from __future__ import annotations

import datetime as dt
import io
import re

import openpyxl
import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import intake
from tests.pages.driver import (
    AML,
    DATA,
    ROOT,
    SURVIVAL,
    TINY,
    charts,
    checked,
    click,
    cohort_line,
    confirm,
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


def workbook(**cells: object) -> bytes:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_upload_then_confirm_then_survival() -> None:
    at = drop(start(), {"aml.csv": AML})
    assert cohort_line(at).startswith("aml 23 of 23 patients analysed")
    assert "Please confirm" in shown(at)
    assert not charts(go(at, SURVIVAL))
    assert "No endpoint is confirmed yet" in shown(at)
    go(at, DATA)
    (code,) = study_of(at).definitions.endpoints
    at.segmented_control(key=f"w:endpoint.display.{code}").set_value("weeks")
    confirm(at, code, unit="weeks", events=["yes"])
    assert "18 events, 5 censored" in shown(at)
    go(at, SURVIVAL)
    at.selectbox(key="w:km.by").set_value("arm").run()
    assert not at.exception
    # R, survival 3.5-3: survfit (log-log) and survdiff of Surv(time, status) ~ x
    text = table(at)
    assert "maintained 11 7 31.0 (13.0, NE)" in text
    assert "not maintained 12 11 23.0 (5.0, 33.0)" in text
    assert "χ² = 3.40, df = 1, P = 0.065" in shown(at)


def test_nothing_is_confirmed_without_a_unit() -> None:
    at = drop(start(), {"a.csv": TINY.replace("time (months)", "time")})
    endpoints = study_of(at).definitions.endpoints
    (code,) = endpoints
    assert endpoints[code].unit is None
    assert at.button(key=f"endpoint.confirm.{code}").disabled
    assert "Still to choose: the unit of the time." in shown(at)
    confirm(at, code, unit="months", events=["Dead"])
    assert study_of(at).definitions.endpoints[code].is_confirmed
    assert "Still to choose" not in shown(at)


def test_nothing_is_confirmed_without_an_event() -> None:
    at = drop(start(), {"tiny.csv": TINY})
    at.pills(key="w:endpoint.events.TTE").set_value([]).run()
    assert "No value is an event yet." in shown(at)
    assert "Still to choose: which values mean that the event happened." in shown(at)
    assert at.button(key="endpoint.confirm.TTE").disabled


def test_other_event_gives_the_other_counts() -> None:
    at = drop(start(), {"tiny.csv": TINY})
    confirm(at, "TTE", unit="months", events=["Alive"])
    assert "1 event, 2 censored" in shown(at)


def refused_files() -> dict[str, tuple[str, bytes, str]]:
    """Give files that can't be used, with a word of what is said about each."""
    protected = (ROOT / "tests/reference/excel97.xls").read_bytes()[:2000]
    return {
        "empty": ("empty.csv", b"", "The file is empty."),
        "header only": ("header.csv", b"id,time,status\n", "row"),
        "a PDF named csv": ("paper.csv", b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "a PDF document"),
        "a picture named xlsx": ("scan.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture (PNG)"),
        "a damaged workbook": ("cut.xlsx", workbook(A1="id", A2=1)[:900], "damaged"),
        "cut off": ("old.xls", protected, "damaged"),
        "a far cell": ("far.xlsx", workbook(A1="id", A2=1, XFD1048576=1), "XFD1048576"),
        "random bytes": ("noise.csv", bytes(range(256)) * 40, "neither a spreadsheet nor"),
        "a study file that is none": ("study.yaml", b"- 1\n- 2\n", "study"),
        "broken YAML": ("study.yaml", b"title: [", "study"),
    }


@pytest.mark.parametrize("what", refused_files())
def test_refused_file_leaves_what_was_loaded(what: str) -> None:
    name, data, said = refused_files()[what]
    at = with_tiny()
    before = cohort_line(at)
    workspace = at.session_state["workspace"]
    drop(at, {name: data})
    (first, *others) = [element.value for element in at.error]
    assert "could not be used" in first
    assert "What was loaded before is still there." in shown(at)
    message = " ".join(others)
    assert said in shown(at), message
    assert "Traceback" not in message
    assert at.session_state["workspace"] is workspace
    assert cohort_line(at) == before
    text = table(go(at, SURVIVAL))
    assert "7.0 (3.5, NE)" in text


@pytest.mark.parametrize("what", refused_files())
def test_refused_first_file_says_why_and_leaves_the_page_usable(what: str) -> None:
    name, data, said = refused_files()[what]
    at = drop(start(), {name: data})
    assert said in shown(at)
    assert "before is still there" not in shown(at)
    drop(at, {"tiny.csv": TINY})
    assert cohort_line(at).startswith("tiny 3 of 3 patients analysed")
    assert not at.error


def test_good_file_beside_a_bad_one_is_taken_and_the_bad_one_named() -> None:
    at = drop(start(), {"tiny.csv": TINY, "bad.xlsx": b"\x89PNG\r\n\x1a\n" + bytes(50)})
    assert cohort_line(at).startswith("tiny 3 of 3 patients analysed")
    assert "a picture (PNG)" in shown(at)
    assert "bad.xlsx" in shown(at)


def test_oversized_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STS_MAX_UPLOAD_MB", "1")
    at = with_tiny()
    rows = "".join(f"p{n},{n % 60 + 1},Dead,LMS{'x' * 40}\n" for n in range(20_000))
    drop(at, {"large.csv": f"id,time (months),status,histotype\n{rows}"})
    assert "at most 1 MB are read" in shown(at)
    assert cohort_line(at).startswith("tiny 3 of 3")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,3,Dead,LMS\na,4,Alive,LMS\nb,5,Dead,X\n", "patient"),
        ("a,-3,Dead,LMS\nb,4,Alive,LMS\nc,5,Dead,X\n", "below zero"),
        ("a,soon,Dead,LMS\nb,4,Alive,LMS\nc,5,Dead,X\n", "number"),
        ("a,3,,LMS\nb,4,Alive,LMS\nc,5,Dead,X\n", "status"),
    ],
    ids=["id twice", "negative time", "time in words", "status missing"],
)
def test_doubtful_cells_are_found_with_their_rows(rows: str, said: str) -> None:
    header = TINY[: TINY.index("\n") + 1]
    at = drop(start(), {"tiny.csv": header + rows, "study.yaml": study_file(with_tiny())})
    found = [finding for finding in at.session_state["workspace"].findings if finding.rows]
    assert any(said in finding.message.lower() for finding in found), found
    assert all(finding.hint for finding in found)
    text = shown(at)
    for finding in found:
        assert " ".join(finding.message.split()) in text
        assert " ".join(finding.hint.split()) in text
    go(at, SURVIVAL)


def test_study_file_brings_everything_back() -> None:
    at = with_sample()
    go(at, SURVIVAL)
    at.selectbox(key="w:km.endpoint").set_value("OS").run()
    at.selectbox(key="w:km.by").set_value("sex").run()
    before, line, choices = table(at), cohort_line(at), study_file(at)
    for patient in ("S001", "1965", "SYN"):
        assert patient not in choices
    fresh = start()
    sample = (ROOT / "sample_data" / intake.SAMPLES[0].file).read_bytes()
    drop(fresh, {intake.SAMPLES[0].file: sample, "study.yaml": choices})
    assert cohort_line(fresh) == line
    go(fresh, SURVIVAL)
    assert fresh.selectbox(key="w:km.endpoint").value == "OS"
    assert fresh.selectbox(key="w:km.by").value == "sex"
    assert table(fresh) == before
    assert study_file(fresh) == choices


@pytest.mark.parametrize("first", ["data", "choices"])
def test_data_and_choices_may_come_one_after_the_other(first: str) -> None:
    files = {"data": {"tiny.csv": TINY}, "choices": {"study.yaml": study_file(with_tiny())}}
    at = drop(start(), files[first])
    drop(at, files["choices" if first == "data" else "data"])
    assert study_of(at).definitions.endpoints["TTE"].is_confirmed
    text = table(go(at, SURVIVAL))
    assert "7.0 (3.5, NE)" in text


def test_undo_takes_back_one_step_at_a_time() -> None:
    at = drop(start(), {"tiny.csv": TINY})
    assert at.button(key="undo").disabled
    confirm(at, "TTE", unit="months", events=["Dead"])
    click(at, "endpoint.delete.TTE")
    assert not study_of(at).definitions.endpoints
    click(at, "undo")
    assert study_of(at).definitions.endpoints["TTE"].is_confirmed
    click(at, "undo")
    assert not study_of(at).definitions.endpoints["TTE"].is_confirmed
    assert at.button(key="undo").disabled


def test_a_cohort_that_waits_for_undo_keeps_nothing_that_can_be_made_again() -> None:
    at = with_tiny()
    former = at.session_state["workspace"].cohort
    assert former.read
    click(at, "sample.again.0")
    assert not former.read
    click(at, "undo")
    assert at.session_state["workspace"].cohort is former
    assert former.read


def test_undo_brings_the_former_file_back() -> None:
    at = with_tiny()
    click(at, "sample.again.0")
    assert "51 of 51" in cohort_line(at)
    click(at, "undo")
    assert cohort_line(at).startswith("tiny 3 of 3")
    assert study_of(at).definitions.endpoints["TTE"].is_confirmed


def test_sessions_do_not_see_each_other() -> None:
    first, second = with_tiny(), start()
    assert "3 of 3" in cohort_line(first)
    assert isinstance(second, AppTest)
    assert not [m for m in second.markdown if 'class="cohort-line"' in m.value]
    drop(second, {"tiny.csv": TINY.replace("3.5", "9.5")})
    confirm(second, "TTE", unit="months", events=["Dead"])
    text = table(go(second, SURVIVAL))
    assert "9.5 (7.0, NE)" in text
    text = table(go(first, SURVIVAL))
    assert "7.0 (3.5, NE)" in text


def test_a_tab_is_drawn_from_when_it_is_opened_first() -> None:
    at = drop(start(opened=()), {"tiny.csv": TINY})
    assert "Endpoints" in [tab.label for tab in at.tabs]
    drawn = [tab.label for tab in at.tabs if len(tab.children)]
    assert drawn == ["Overview"]
    at.session_state["data.tab"] = "Findings"
    checked(at.run())
    assert [tab.label for tab in at.tabs if len(tab.children)] == ["Overview", "Findings"]


DATED = "id,first dose,progression,death,last seen\n" + "\n".join(
    f"p{n},2021-01-0{n + 1},{'2021-05' if n == 2 else f'2021-0{n + 2}-10'},"
    f"{'2021-09-01' if n % 2 else ''},2021-09-0{n + 1}"
    for n in range(6)
)


def test_rules_of_an_endpoint_stand_side_by_side_and_are_applied_by_a_click() -> None:
    at = drop(start(), {"dated.csv": DATED})
    assert "PFS" in study_of(at).definitions.endpoints
    checked(at.toggle(key="w:rules.open.PFS").set_value(True).run())
    radios = {item.label: item for item in at.radio if item.key.startswith("w:rules.PFS")}
    events = radios["An event is"]
    captions = list(events.proto.captions)
    assert captions[0].startswith("5 patients, 5 events")
    checked(radios["Incomplete dates (2021-05, 2021) are"].set_value(2).run())
    assert study_of(at).definitions.incomplete_dates == "middle"
    radios = {item.label: item for item in at.radio if item.key.startswith("w:rules.PFS")}
    assert next(iter(radios["An event is"].proto.captions)).startswith("6 patients, 6 events")
    checked(radios["An event is"].set_value(1).run())
    assert list(study_of(at).definitions.endpoints["PFS"].event_dates) == ["progression"]
    click(at, "undo")
    assert list(study_of(at).definitions.endpoints["PFS"].event_dates) == ["progression", "death"]


def test_time_to_progression_is_one_click_away_and_stands_beside_pfs() -> None:
    at = drop(start(), {"dated.csv": DATED})
    click(at, "endpoint.ttp")
    found = study_of(at).definitions.endpoints
    assert found["TTP"].event_dates == {"progression": "progression"}
    assert list(found["PFS"].event_dates) == ["progression", "death"]
    assert not found["TTP"].is_confirmed
    assert "last seen or death" in at.selectbox(key="w:endpoint.contact.TTP").options
    assert "endpoint.ttp" not in [button.key for button in at.button]
    click(at, "undo")
    assert "TTP" not in study_of(at).definitions.endpoints


def test_the_data_cut_off_is_a_day_or_the_latest_of_a_column_and_undone() -> None:
    at = drop(start(), {"dated.csv": DATED})
    assert "data cut-off not stated" in cohort_line(at)
    source = next(item for item in at.button_group if item.key == "w:cutoff.source")
    checked(source.set_value("date").run())
    assert study_of(at).definitions.cutoff is None  # nothing before a day is named
    checked(at.date_input(key="w:cutoff.day").set_value(dt.date(2021, 4, 1)).run())
    assert study_of(at).definitions.cutoff == "2021-04-01"
    assert "data cut-off 2021-04-01" in cohort_line(at)
    source = next(item for item in at.button_group if item.key == "w:cutoff.source")
    checked(source.set_value("column").run())
    column = at.selectbox(key="w:cutoff.column")
    assert "last seen" in column.options
    assert "id" not in column.options
    checked(column.set_value("last seen").run())
    definitions = study_of(at).definitions
    assert (definitions.cutoff, definitions.cutoff_column) == (None, "last seen")
    assert "data cut-off 2021-09-06" in cohort_line(at)
    click(at, "undo")
    assert study_of(at).definitions.cutoff == "2021-04-01"
    assert at.date_input(key="w:cutoff.day").value == dt.date(2021, 4, 1)


def test_a_question_opens_the_tab_where_it_is_settled() -> None:
    at = drop(start(opened=()), {"tiny.csv": TINY})
    assert "1 open question" in shown(at)
    click(at, "question.0")
    drawn = [tab.label for tab in at.tabs if len(tab.children)]
    assert drawn == ["Overview", "Endpoints"]
    table = next(item.value for item in at.markdown if "sts-table overview" in item.value)
    assert re.findall(r'<td class="name">(.*?)</td>', table) == [
        "Histotype", "id", "time (months)", "status",
    ]  # fmt: skip
    assert re.findall(r'class="bars" title="Patients: (.*?)"', table) != []


def test_a_wide_file_draws_its_first_columns_and_the_rest_when_asked() -> None:
    columns = [f"marker {n}" for n in range(200)]
    rows = "\n".join(
        ",".join([f"p{row}", str(row + 1), str(row % 2), *(str(row * n % 7) for n in range(200))])
        for row in range(12)
    )
    wide = ",".join(["id", "time (months)", "status", *columns]) + "\n" + rows
    at = drop(start(opened=()), {"wide.csv": wide})
    table = next(item.value for item in at.markdown if "sts-table overview" in item.value)
    assert table.count("<tr>") == 1 + 150
    assert "The first 150 of 203 columns." in shown(at)
    checked(at.toggle(key="overview.all").set_value(True).run())
    table = next(item.value for item in at.markdown if "sts-table overview" in item.value)
    assert table.count("<tr>") == 1 + 203


def test_the_sample_has_no_open_question() -> None:
    assert "No question is open." in shown(with_sample())


def test_what_waits_to_be_confirmed_is_said_first_and_one_click_leads_there():
    at = drop(start(), {"tiny.csv": TINY})
    assert "Time to event waits to be confirmed" in shown(at)
    click(at, "endpoints.waiting")
    assert at.session_state["data.tab"] == "Endpoints"
    assert "waits to be confirmed" not in shown(at)
    confirm(at, "TTE", unit="months", events=["Dead"])
    assert not [button for button in at.button if button.key == "endpoints.waiting"]


def test_a_french_file_comes_in_with_confirmations_alone():
    rows = "".join(
        f"P{n};{'H' if n % 2 else 'F'};{40 + n};{('RC', 'RP', 'MS', 'MP')[n % 4]};{n + 2},5;"
        f"{('Décédé', 'Vivant', 'perdu de vue')[n % 3]}\n"
        for n in range(12)
    )
    header = "N° patient;Sexe;Âge;Meilleure réponse;Survie globale (mois);Statut vital\n"
    at = drop(start(), {"cohorte.csv": header + rows})
    text = shown(at)
    assert "12 of 12 patients analysed" in text
    endpoint = study_of(at).definitions.endpoints["OS"]
    assert endpoint.events == {"death": ("Décédé",)}
    assert endpoint.censored == ("Vivant", "perdu de vue")
    assert not endpoint.is_confirmed
    click(at, "endpoint.confirm.OS")
    assert study_of(at).definitions.endpoints["OS"].is_confirmed
    go(at, SURVIVAL)
    assert "4 events" in shown(at) or "4 deaths" in shown(at)
