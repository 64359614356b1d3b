from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.derive import dates_of, levels_of, numbers_of, survival_data, time_range
from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import ColumnRole, Proposal, Question, QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.study import (
    Measured,
    RowChoice,
    Status,
    Study,
    TimeUnit,
    Variable,
    VariableKind,
    dump_study,
    load_study,
)
from tests.doubles import book_of, raw_table, workbook

SAMPLE = Path(__file__).parents[2] / "sample_data" / "sts_cohort.xlsx"
IDS = [f"P{number:02d}" for number in range(1, 13)]
TIMES = ["5", "17", "60", "122", "200", "271", "330", "402", "517", "640", "801", "999"]
TWELVE = range(12)


def propose(columns: dict[str, list[Any]], **more: Any) -> Proposal:
    return propose_study([book_of(columns, **more)])


def cycle(*cells: Any) -> list[Any]:
    return [cells[at % len(cells)] for at in TWELVE]


def asked(proposal: Proposal, kind: QuestionKind, endpoint: str | None = None) -> list[Question]:
    return [
        item
        for item in proposal.questions
        if item.kind is kind and (endpoint is None or item.endpoint == endpoint)
    ]


def finding_codes(proposal: Proposal) -> set[FindingCode]:
    return {finding.code for finding in proposal.findings}


def variable(header: str, cells: list[Any], **more: Any) -> Variable:
    variables = propose({"id": IDS, header: cells}, **more).study.definitions.variables
    (found,) = variables.values()
    return found


# ------------------------------------------------------------------------------- every guess


def all_statuses(study: Study) -> set[Status]:
    found = {source.subject_id_status for source in study.data.tables.values()}
    for source in study.data.tables.values():
        found |= {format_.status for format_ in source.columns.values()}
    for endpoint in study.definitions.endpoints.values():
        found |= {endpoint.events_status, endpoint.unit_status}
    return found | {item.status for item in study.definitions.variables.values()}


@pytest.fixture(scope="module")
def sample() -> Workbook:
    return read_bytes(SAMPLE.name, SAMPLE.read_bytes())


def test_nothing_is_confirmed_by_the_program(sample: Workbook) -> None:
    assert all_statuses(propose_study([sample]).study) == {Status.GUESSED}


def test_a_proposal_is_a_study_file(sample: Workbook) -> None:
    study = propose_study([sample]).study
    assert load_study(dump_study(study)) == study


def test_nothing_recognisable_is_still_a_proposal() -> None:
    proposal = propose({"a": ["x", "y"], "b": [None, None]})
    assert asked(proposal, QuestionKind.ENDPOINT)
    assert FindingCode.ENDPOINT_NOT_FOUND in finding_codes(proposal)


# --------------------------------------------------------------------------- status columns


@pytest.mark.parametrize(
    ("header", "cells", "events", "censored"),
    [
        ("OS status", cycle("Dead", "Alive"), {"death": ("Dead",)}, ("Alive",)),
        ("vital_status", cycle("DECEASED", "LIVING"), {"death": ("DECEASED",)}, ("LIVING",)),
        ("OS_STATUS", cycle("1:DECEASED", "0:LIVING"), {"death": ("1:DECEASED",)}, ("0:LIVING",)),
        ("生存状态", cycle("死亡", "存活"), {"death": ("死亡",)}, ("存活",)),
        ("是否死亡", cycle("是", "否"), {"death": ("是",)}, ("否",)),
        ("Death", cycle("0", "1"), {"death": (1,)}, (0,)),
        ("os_event", cycle(1.0, 0.0), {"death": (1,)}, (0,)),
        ("OS event", cycle(True, False), {"death": ("true",)}, ("false",)),
        ("OS event", cycle("Yes", "No"), {"death": ("Yes",)}, ("No",)),
        ("alive", cycle("1", "0"), {"death": (0,)}, (1,)),
        ("alive", cycle("yes", "no"), {"death": ("no",)}, ("yes",)),
        ("status", cycle("1", "2"), {"death": (2,)}, (1,)),
        ("Status (0: alive, 1: dead)", cycle("0", "1"), {"death": (1,)}, (0,)),
        ("结局（0死亡 1存活）", cycle("0", "1"), {"death": (0,)}, (1,)),
        ("死亡(1否2是)", cycle("1", "2"), {"death": (2,)}, (1,)),
        ("Last status", cycle("DOD", "NED"), {"death": ("DOD",)}, ("NED",)),
        (
            "OS status",
            cycle("Progression/death", "Ongoing"),
            {"progression or death": ("Progression/death",)},
            ("Ongoing",),
        ),
        ("Exitus", cycle("yes", "no"), {"death": ("yes",)}, ("no",)),
        ("OS CNSR", cycle("0", "1"), {"death": (0,)}, (1,)),
        ("status", cycle("DOD", "AWD", "NED"), {"death": ("DOD",)}, ("AWD", "NED")),
        ("status", cycle("0", "1", "2"), {}, ()),
        ("status", cycle("1", "2", "3"), {}, ()),
        ("OS censor", cycle("1", "2"), {}, ()),
    ],
)
def test_what_an_event_is(
    header: str, cells: list[Any], events: dict[str, Any], censored: tuple[Any, ...]
) -> None:
    proposal = propose({"id": IDS, "OS days": TIMES, header: cells})
    endpoint = proposal.study.definitions.endpoints["OS"]
    assert endpoint.event == header
    given = {
        kind.replace(" from the disease", ""): values for kind, values in endpoint.events.items()
    }
    assert given == events
    assert set(endpoint.censored) == set(censored)
    (question,) = asked(proposal, QuestionKind.EVENT_CODING, "OS")
    assert sum(count for _, count in question.counts) == 12
    assert (question.guess is None) == (not events)
    assert question.reason


def test_a_censor_column_is_used_both_ways_so_the_times_speak_and_it_is_asked() -> None:
    short_is_one = ["1"] * 6 + ["0"] * 6
    short_is_zero = ["0"] * 6 + ["1"] * 6
    for cells, event in ((short_is_one, 1), (short_is_zero, 0)):
        proposal = propose({"id": IDS, "OS days": TIMES, "Censor": cells})
        endpoint = proposal.study.definitions.endpoints["OS"]
        assert endpoint.events == {"death": (event,)}
        (question,) = asked(proposal, QuestionKind.EVENT_CODING)
        assert "both ways" in question.reason


def test_a_status_in_words_is_preferred_to_one_in_codes() -> None:
    proposal = propose(
        {
            "time": TIMES,
            "status": cycle("0", "1", "2"),
            "event": cycle("censored", "death.other.causes", "death.malignant.melanoma"),
        }
    )
    (endpoint,) = proposal.study.definitions.endpoints.values()
    assert endpoint.event == "event"
    assert set(endpoint.events) == {"death from another cause", "death from the disease"}


def test_value_labels_of_a_statistics_file_say_what_codes_mean() -> None:
    labels = {"vital": {1: "Alive", 2: "Dead"}, "sex": {1.0: "Male", 2.0: "Female"}}
    raw = raw_table(
        {"id": IDS, "OS days": TIMES, "vital": cycle(1, 2), "sex": cycle(2.0, 1.0)},
        value_labels=labels,
    )
    proposal = propose_study([workbook(raw)])
    endpoint = proposal.study.definitions.endpoints["OS"]
    assert endpoint.events == {"death": (2,)}
    assert endpoint.censored == (1,)
    assert proposal.study.definitions.variables["sex"].codes == {"1": "Male", "2": "Female"}
    (question,) = asked(proposal, QuestionKind.EVENT_CODING)
    assert question.guess == "2 (Dead) = death; 1 (Alive) = censored"


# ------------------------------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("header", "code", "unit"),
    [
        ("OS days", "OS", TimeUnit.DAYS),
        ("OS_days", "OS", TimeUnit.DAYS),
        ("osdays", "OS", TimeUnit.DAYS),
        ("OS (d)", "OS", TimeUnit.DAYS),
        ("OS.time.in.weeks", "OS", TimeUnit.WEEKS),
        ("os_months", "OS", TimeUnit.MONTHS),
        ("OS(月)", "OS", TimeUnit.MONTHS),
        ("总生存期（月）", "OS", TimeUnit.MONTHS),
        ("Overall survival (mo)", "OS", TimeUnit.MONTHS),
        ("Overall survival time (yr)", "OS", TimeUnit.YEARS),
        ("OS", "OS", None),
        ("overall survival from diagnosis, months", "OS", TimeUnit.MONTHS),
    ],
)
def test_times_and_their_units(header: str, code: str, unit: TimeUnit | None) -> None:
    proposal = propose({"id": IDS, header: TIMES, "death": cycle("0", "1")})
    endpoint = proposal.study.definitions.endpoints[code]
    assert endpoint.time == header
    assert endpoint.unit is unit
    (question,) = asked(proposal, QuestionKind.TIME_UNIT)
    assert question.guess == (unit.value if unit else None)
    if unit is None:
        assert "5 to 999" in question.reason


@pytest.mark.parametrize(
    ("time", "status", "code"),
    [
        ("PFS(月)", "进展", "PFS"),
        ("pfs_months", "pfs_event", "PFS"),
        ("pfs_m", "pfs_ev", "PFS"),
        ("osmonths", "osind", "OS"),
        ("PFI.time", "PFI", "PFI"),
        ("DFI.time", "DFI", "DFI"),
        ("RFS days", "RFS status", "RFS"),
        ("rfstime", "status", "RFS"),
        ("rtime", "recur", "RFS"),
        ("dtime", "death", "OS"),
        ("futime", "death", "OS"),
        ("futime", "fustat", "TTE"),
        ("time", "status", "TTE"),
        ("timeWeeks", "delta", "TTE"),
        ("survTime", "status", "TTE"),
        ("times", "patient.vital_status", "OS"),
        ("随访时间(月)", "结局", "TTE"),
        ("DFS", "DFS.status", "DFS"),
        ("ptime", "pstat", "TTP"),
    ],
)
def test_which_endpoint_a_time_and_a_status_are(time: str, status: str, code: str) -> None:
    proposal = propose({"id": IDS, time: TIMES, status: cycle("0", "1")})
    (found,) = proposal.study.definitions.endpoints
    assert found == code
    endpoint = proposal.study.definitions.endpoints[code]
    assert (endpoint.time, endpoint.event) == (time, status)
    assert proposal.evidence[time].role is ColumnRole.TIME
    assert proposal.evidence[status].role is ColumnRole.STATUS


def test_one_time_column_may_serve_two_endpoints() -> None:
    proposal = propose(
        {
            "id": IDS,
            "OS days": TIMES,
            "OS status": cycle("Dead", "Alive"),
            "DSS status": cycle("1", "0", "NA"),
        }
    )
    endpoints = proposal.study.definitions.endpoints
    assert {code: item.time for code, item in endpoints.items()} == {
        "OS": "OS days", "DSS": "OS days",
    }  # fmt: skip
    assert endpoints["DSS"].event == "DSS status"
    (question,) = asked(proposal, QuestionKind.EVENT_CODING, "DSS")
    assert "only the status differs" in question.reason


def test_a_time_that_only_patients_with_the_event_have_is_no_endpoint() -> None:
    days = [text if at < 4 else "NA" for at, text in enumerate(TIMES)]
    proposal = propose({"id": IDS, "RFS days": days, "RFS status": cycle("Yes", "No")})
    assert not proposal.study.definitions.endpoints


def test_survival_that_only_the_dead_have_is_an_endpoint_with_an_error() -> None:
    """Everybody has an overall survival: the blanks are what is wrong, and are said."""
    days = [text if at % 4 == 0 else "NA" for at, text in enumerate(TIMES * 4)]
    dead = ["Yes" if at % 4 == 0 else "No" for at in range(48)]
    ids = [f"P{at:02d}" for at in range(48)]
    book = book_of({"id": ids, "OS days": days, "Dead": dead})
    study = propose_study([book]).study
    assert list(study.definitions.endpoints) == ["OS"]
    found = {finding.code for finding in check_cohort(assemble(study, [book]))}
    assert FindingCode.TIMES_OF_EVENTS_ONLY in found
    to_death = propose(
        {"id": IDS, "days to death": [*TIMES[:4], *["NA"] * 8], "OS status": cycle("Dead", "Alive")}
    )
    assert not to_death.study.definitions.endpoints


def test_a_response_written_as_codes_is_no_best_response() -> None:
    proposal = propose({"id": IDS, "response": cycle(0, 1), "疗效评价 转移部位": cycle("肺", "骨")})
    found = proposal.study.definitions
    assert found.response is None
    assert [set(item.levels) for item in found.variables.values()] == [{"0", "1"}, {"肺", "骨"}]
    assert VariableKind.ORDERED not in {item.kind for item in found.variables.values()}


def test_a_date_without_its_day_contradicts_no_status() -> None:
    progressed = [f"2021-{month:02d}-15" for month in range(2, 8)]
    columns = {
        "id": IDS,
        "first dose date": ["2021-01-15"] * 12,
        "progression date": [*progressed[:4], "2021-06", "2021-07", *[None] * 6],
        "last contact": ["2022-01-15"] * 12,
        "PFS months": [*range(1, 7), *[12] * 6],
        "PFS status": [*["yes"] * 6, *["no"] * 6],
    }
    said = [item for item in propose(columns).findings if "by its dates differs" in item.message]
    assert said == []
    columns["PFS status"] = [*["yes"] * 3, *["no"] * 9]
    (differs,) = [
        item for item in propose(columns).findings if "by its dates differs" in item.message
    ]
    assert differs.rows == (5,)


def test_two_spellings_of_one_histotype_are_that_histotype() -> None:
    cells = ["UPS/MFH", "Leiomyosarcoma (LMS)", "embryonal RMS", "LMS/UPS"]
    found = variable("Histology", cycle(*cells))
    assert found.codes == {
        "UPS/MFH": "Undifferentiated pleomorphic sarcoma",
        "Leiomyosarcoma (LMS)": "Leiomyosarcoma",
        "embryonal RMS": "Embryonal rhabdomyosarcoma",
    }
    assert "LMS/UPS" in found.levels


def test_a_performance_status_is_its_number() -> None:
    found = variable("ECOG", cycle("ECOG 1", "PS 0", "1分", "2", "0-1分", "0"))
    assert found.levels == ("0", "0-1", "1", "2")
    assert found.codes == {"ECOG 1": "1", "PS 0": "0", "1分": "1", "0-1分": "0-1"}


@pytest.mark.parametrize("header", ["病案号", "MRN", "Hospital No."])
def test_a_record_number_is_the_id_where_nothing_else_is(header: str) -> None:
    (source,) = propose({header: IDS, "Age": TIMES}).study.data.tables.values()
    assert source.subject_id == header
    (source,) = propose({header: IDS, "Patient": IDS, "Age": TIMES}).study.data.tables.values()
    assert source.subject_id == "Patient"
    assert header in source.left_out


def test_ages_with_their_unit_are_ages() -> None:
    found = variable("年龄", [f"{at + 40}岁" for at in TWELVE])
    assert (found.label, found.kind) == ("Age", VariableKind.NUMERIC)


def test_the_number_in_a_study_is_an_id() -> None:
    (source,) = propose({"Study No.": IDS, "Age": TIMES}).study.data.tables.values()
    assert source.subject_id == "Study No."


def test_a_range_stands_between_its_ends() -> None:
    assert variable("ECOG", cycle("0-1", "2", "1", "0")).levels == ("0", "0-1", "1", "2")


def test_one_parameter_only_is_one_row_a_patient() -> None:
    proposal = propose({"id": IDS, "AVAL": TIMES, "CNSR": cycle(0, 1), "PARAMCD": ["OS"] * 12})
    assert list(proposal.study.definitions.endpoints) == ["OS"]
    assert not asked(proposal, QuestionKind.ROWS)
    assert FindingCode.ROWS_NOT_PATIENTS not in finding_codes(proposal)


def test_times_with_a_decimal_comma_have_a_range_and_an_entry() -> None:
    times = [f"{at + 2},5" for at in TWELVE]
    columns = {"id": IDS, "OS months": times, "Dead": cycle("Yes", "No"), "entry": ["0,5"] * 12}
    book = book_of(columns, decimal_comma=True)
    study = propose_study([book]).study
    endpoint = replace(study.definitions.endpoints["OS"], entry="entry")
    endpoints = {"OS": endpoint}
    study = replace(study, definitions=replace(study.definitions, endpoints=endpoints))
    cohort = assemble(study, [book])
    assert time_range(cohort, endpoint) == (8.0, 13.5)
    entry = survival_data(cohort, "OS").entry
    assert entry is not None
    assert set(entry.tolist()) == {0.5}


def test_a_time_without_a_status_makes_no_endpoint() -> None:
    proposal = propose({"id": IDS, "OS days": TIMES})
    assert not proposal.study.definitions.endpoints
    assert proposal.study.definitions.variables["os_days"].measured is Measured.POST_BASELINE


def test_delayed_entry_is_recognised() -> None:
    entry = [str(int(text) // 10) for text in TIMES]
    proposal = propose({"id": IDS, "futime": TIMES, "death": cycle("0", "1"), "entry": entry})
    assert proposal.study.definitions.endpoints["OS"].entry == "entry"


# ------------------------------------------------------------------------------------- dates

ON = ["12/16/2005", "1/6/2006", "2/3/2006", "3/30/2006", "4/27/2006", "5/7/2006"]
PD = ["2/2/2006", "2/26/2006", "8/2/2006", ".", "6/28/2006", "7/10/2006"]
DEAD = ["10/19/2006", "4/19/2006", "1/19/2007", "5/11/2006", "5/26/2007", "8/11/2006"]


def test_text_dates_give_endpoints_and_their_only_order() -> None:
    proposal = propose({"stage": ["M", "LA"] * 3, "onstudy": ON, "progression": PD, "death": DEAD})
    study = proposal.study
    assert set(study.definitions.endpoints) == {"OS", "PFS"}
    pfs = study.definitions.endpoints["PFS"]
    assert pfs.start == "onstudy"
    assert pfs.event_dates == {"progression": "progression", "death": "death"}
    formats = study.data.tables["subjects"].columns
    assert {name: format_.date_order for name, format_ in formats.items()} == {
        "onstudy": "mdy", "progression": "mdy", "death": "mdy",
    }  # fmt: skip
    assert not asked(proposal, QuestionKind.DATE_ORDER)
    cohort = assemble(study, [book_of({"onstudy": ON, "progression": PD, "death": DEAD})])
    data = survival_data(cohort, "PFS")
    assert data.time.tolist() == [48, 51, 180, 42, 62, 64]
    assert data.kind.tolist()[3] == "death"


def test_dates_that_read_two_ways_are_asked_with_what_each_means() -> None:
    first = ["1/2/2020", "3/4/2020", "5/6/2020"]
    later = ["2/3/2021", "4/5/2021", "6/7/2021"]
    proposal = propose({"first dose date": first, "date of death": later})
    questions = asked(proposal, QuestionKind.DATE_ORDER)
    assert [question.columns for question in questions] == [
        ("first dose date",),
        ("date of death",),
    ]
    assert "1 February 2020" in questions[0].options[0]
    assert "2 January 2020" in questions[0].options[1]
    format_ = proposal.study.data.tables["subjects"].columns["first dose date"]
    assert format_.date_order == "dmy"
    assert format_.status is Status.GUESSED
    assert FindingCode.DATE_AMBIGUOUS in finding_codes(proposal)


def test_an_ambiguous_column_is_guessed_like_its_neighbours_and_still_asked() -> None:
    proposal = propose(
        {"first dose date": ["1/2/2020", "3/4/2020"], "date of death": ["2/28/2021", "4/5/2021"]}
    )
    formats = proposal.study.data.tables["subjects"].columns
    assert formats["first dose date"].date_order == "mdy"
    (question,) = asked(proposal, QuestionKind.DATE_ORDER)
    assert question.columns == ("first dose date",)
    assert "date of death" in question.reason


def test_dates_on_which_day_and_month_agree_need_no_question() -> None:
    proposal = propose({"first dose date": ["5/5/2020", "6/6/2020"], "death date": [None, None]})
    assert not asked(proposal, QuestionKind.DATE_ORDER)


def test_day_numbers_are_dates_under_a_header_that_says_so_only() -> None:
    serials = [44000 + 10 * at for at in TWELVE]
    proposal = propose({"id": IDS, "首次用药日期": serials, "platelets": serials})
    variables = proposal.study.definitions.variables
    assert variables["首次用药日期"].kind is VariableKind.DATE
    assert variables["platelets"].kind is VariableKind.NUMERIC


def test_one_wrong_cell_makes_a_date_column_no_text() -> None:
    cells = ["2020-01-01"] * 11 + ["sometime 2020"]
    proposal = propose({"id": IDS, "diagnosis date": cells})
    assert proposal.study.definitions.variables["diagnosis_date"].kind is VariableKind.DATE


def test_a_vital_status_is_kept_beside_the_date_of_death() -> None:
    proposal = propose(
        {
            "id": IDS,
            "first dose": ["2020-01-01"] * 12,
            "death date": ["2020-06-01" if at % 3 == 0 else None for at in TWELVE],
            "last contact": ["2020-06-01"] * 12,
            "vital status": ["Dead" if at % 3 == 0 else "Alive" for at in TWELVE],
        }
    )
    endpoint = proposal.study.definitions.endpoints["OS"]
    assert endpoint.event == "vital status"
    assert endpoint.event_dates == {"death": "death date"}
    assert endpoint.time_zero == "start of treatment"


def test_one_column_for_death_or_last_contact_takes_its_meaning_from_the_status() -> None:
    proposal = propose(
        {
            "id": IDS,
            "diagnosis date": ["2020-01-01"] * 12,
            "date of death or last follow-up": ["2021-01-01"] * 12,
            "status": cycle("x", "y"),
            "vital status": cycle("Dead", "Alive"),
        }
    )
    endpoint = proposal.study.definitions.endpoints["OS"]
    assert endpoint.event_dates == {}
    assert endpoint.last_contact == ("date of death or last follow-up",)
    assert endpoint.events == {"death": ("Dead",)}


def dated_and_timed(**changes: list[Any]) -> dict[str, list[Any]]:
    died = [dt.date(2020, 1, 1) + dt.timedelta(days=30 * at) if at % 2 else None for at in TWELVE]
    return {
        "id": IDS,
        "first_dose_date": [dt.date(2020, 1, 1)] * 12,
        "death_date": died,
        "last_contact_date": [day or dt.date(2020, 12, 31) for day in died],
        "os_days": [30 * at if at % 2 else 365 for at in TWELVE],
        "os_event": [at % 2 for at in TWELVE],
        **changes,
    }


def test_dates_are_preferred_to_times_that_say_the_same() -> None:
    proposal = propose(dated_and_timed())
    assert proposal.study.definitions.endpoints["OS"].from_dates
    assert FindingCode.ENDPOINT_SOURCES_DIFFER not in finding_codes(proposal)
    assert proposal.evidence["os_days"].role is ColumnRole.TIME
    assert "os_days" not in proposal.study.definitions.variables


def test_dates_and_times_that_disagree_are_said_with_their_rows() -> None:
    times = [30 * at if at % 2 else 365 for at in TWELVE]
    times[3] = 700
    events = [at % 2 for at in TWELVE]
    events[4] = 1
    proposal = propose(dated_and_timed(os_days=times, os_event=events))
    differing = [
        item for item in proposal.findings if item.code is FindingCode.ENDPOINT_SOURCES_DIFFER
    ]
    assert {(item.column, item.rows) for item in differing} == {
        ("os_event", (6,)),
        ("os_days", (5,)),
    }


def test_dates_of_an_event_without_a_start_say_what_is_lacking() -> None:
    ends = {"Date of death": cycle("2021-05-03", None), "Last seen": cycle("2021-06-03")}
    for more, lacks in (
        ({}, "beside “Date of death” no date of the start"),
        ({"First dose": ["2020-01-01", *[None] * 11]}, "too few patients with a start and an end"),
    ):
        proposal = propose({"id": IDS, "sex": cycle("F", "M"), **ends, **more})
        (finding,) = [f for f in proposal.findings if f.code is FindingCode.ENDPOINT_NOT_FOUND]
        assert lacks in finding.message


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_statuses_without_a_name_the_next_column_belongs_to_a_time(turned: bool) -> None:
    pairs = [("time", "status", cycle("1", "2")), ("PFS", "Censor", cycle("0", "1", "1"))]
    columns: dict[str, list[Any]] = {"id": IDS}
    for time, status, cells in reversed(pairs) if turned else pairs:
        columns |= {time: TIMES, status: cells}
    endpoints = propose(columns).study.definitions.endpoints
    assert {code: (item.time, item.event) for code, item in endpoints.items()} == {
        "TTE": ("time", "status"),
        "PFS": ("PFS", "Censor"),
    }


def test_codes_that_the_file_calls_responses_are_the_best_response() -> None:
    labels = {"BESTRESP": {1: "CR", 2: "Partial response", 3: "SD", 4: "PD", 9: "Not evaluable"}}
    cells = cycle("1", "2", "3", "4", "9", "2")
    found = propose({"id": IDS, "BESTRESP": cells}, value_labels=labels).study.definitions
    assert found.variables["best_response"].levels == ("CR", "PR", "SD", "PD", "NE")
    assert found.variables["best_response"].codes["2"] == "PR"
    assert found.response is not None
    assert (found.response.responders, found.response.not_evaluable) == (("CR", "PR"), ("NE",))


def test_german_file_is_recognised_as_the_english_one() -> None:
    event = cycle("03.02.2021", None)
    proposal = propose(
        {
            "Patienten-Nr": IDS,
            "Geschlecht": cycle("männlich", "weiblich"),
            "Alter (Jahre)": [str(40 + at) for at in TWELVE],
            "Histologie": cycle("Leiomyosarkom", "Synovialsarkom", "dediff. Liposarkom"),
            "Bestes Ansprechen": cycle("partielle Remission", "stabile Erkrankung", "Progress"),
            "Datum des Therapiebeginns": cycle("13.01.2020"),
            "Therapiebeginn": cycle("13.01.2020"),
            "Progressionsdatum": event,
            "Sterbedatum": event,
            "Letzter Kontakt": cycle("23.12.2021"),
            "Verstorben": cycle("ja", "nein"),
        }
    )
    found = proposal.study.definitions
    overall, free = found.endpoints["OS"], found.endpoints["PFS"]
    assert (overall.start, overall.event) == ("Therapiebeginn", "Verstorben")
    assert (overall.events, overall.censored) == ({"death": ("ja",)}, ("nein",))
    assert free.event_dates == {"progression": "Progressionsdatum", "death": "Sterbedatum"}
    assert found.variables["sex"].levels == ("Female", "Male")
    assert found.variables["age"].kind is VariableKind.NUMERIC
    assert "Dedifferentiated liposarcoma" in found.variables["histotype"].levels
    assert found.variables["best_response"].levels[:4] == ("CR", "PR", "SD", "PD")
    assert proposal.evidence["Patienten-Nr"].role is ColumnRole.SUBJECT_ID


@pytest.mark.parametrize(
    ("header", "unit"), [("OS (Monate)", "months"), ("Gesamtüberleben in Tagen", "days")]
)
def test_german_unit_in_a_header(header: str, unit: str) -> None:
    found = propose({"id": IDS, header: TIMES, "Tod": cycle("ja", "nein")}).study.definitions
    assert found.endpoints["OS"].unit == TimeUnit(unit)
    assert found.endpoints["OS"].events == {"death": ("ja",)}


# ----------------------------------------------------------------------- CDISC and long files


def test_parameters_take_the_place_of_dates_that_censor_nobody() -> None:
    adsl = {**ADSL, "TRTSDT": ["2020-01-01"] * 12, "DTHDT": cycle("2020-06-01", None)}
    long = adtte(("OS",))
    long["PARAM"] = ["Overall Survival (days)"] * 12
    for first, second in (("adsl.csv", "adtte.csv"), ("z.csv", "a.csv")):
        books = [book_of(adsl, file=first), book_of(long, file=second)]
        proposal = propose_study(books)
        endpoint = proposal.study.definitions.endpoints["OS"]
        assert (endpoint.table, endpoint.event) == ("time_to_event", "CNSR")
        assert endpoint.label == "Overall Survival", "results may be in months"
        assert "instead" in proposal.evidence["DTHDT"].reason
        data = survival_data(assemble(proposal.study, books), "OS")
        assert (data.n, int(data.event.sum())) == (12, 6)


def adtte(codes: tuple[str, ...] = ("PFS", "OS", "TNE")) -> dict[str, list[Any]]:
    units = {"TNE": "COUNT"}
    rows = [(subject, code) for subject in IDS for code in codes]
    return {
        "STUDYID": ["AB12345"] * len(rows),
        "USUBJID": [f"AB-{subject}" for subject, _ in rows],
        "SUBJID": [subject for subject, _ in rows],
        "ARM": ["A: Drug X" if int(subject[1:]) % 2 else "B: Placebo" for subject, _ in rows],
        "PARAMCD": [code for _, code in rows],
        "PARAM": [{"OS": "Overall Survival"}.get(code, code) for _, code in rows],
        "AVAL": [str(10.5 + at) for at in range(len(rows))],
        "AVALU": [units.get(code, "DAYS") for _, code in rows],
        "CNSR": [str(at % 2) for at in range(len(rows))],
    }


ADSL = {
    "USUBJID": [f"AB-{subject}" for subject in IDS],
    "SUBJID": IDS,
    "ARMCD": cycle("ARM A", "ARM B"),
    "ARM": cycle("A: Drug X", "B: Placebo"),
    "SEX": cycle("F", "M"),
}


def test_cdisc_tables_get_their_roles_and_cnsr_is_inverse() -> None:
    ae = {"USUBJID": ["AB-P01"] * 3, "AEDECOD": ["x", "y", "z"], "AETOXGR": ["1", "3", "5"],
          "AEREL": ["Y", "N", "Y"], "AESER": ["N", "N", "Y"], "AETERM": ["a", "b", "c"],
          "TRTEMFL": ["Y", "Y", None]}  # fmt: skip
    rs = {"USUBJID": ["AB-P01", "AB-P01", "AB-P02"], "PARAMCD": ["OVRINV"] * 3,
          "AVALC": ["PR", "PD", "SD"], "ADT": ["2020-01-01"] * 3}  # fmt: skip
    books = [
        book_of(ADSL, file="adsl.csv"),
        book_of(adtte(), file="adtte.csv"),
        book_of(ae, file="adae.csv"),
        book_of(rs, file="adrs.csv"),
    ]
    proposal = propose_study(books)
    tables = proposal.study.data.tables
    assert {role: source.file for role, source in tables.items()} == {
        "subjects": "adsl.csv", "time_to_event": "adtte.csv", "adverse_events": "adae.csv",
        "assessments": "adrs.csv",
    }  # fmt: skip
    assert {source.subject_id for source in tables.values()} == {"USUBJID"}
    definitions = proposal.study.definitions
    assert set(definitions.endpoints) == {"OS", "PFS"}, "a count is no endpoint"
    endpoint = definitions.endpoints["OS"]
    assert endpoint.label == "Overall Survival"
    assert endpoint.events == {"death": (0,)}
    assert endpoint.censored == (1,)
    assert endpoint.unit is TimeUnit.DAYS
    assert endpoint.rows == {"PARAMCD": ("OS",)}
    assert definitions.variables["arm"].column == "ARM"
    events = definitions.adverse_events
    assert events is not None
    assert (events.term, events.grade, events.related) == ("AEDECOD", "AETOXGR", "AEREL")
    assert events.related_values == ("Y",)
    assert events.rows == {"TRTEMFL": ("Y",)}
    assert proposal.evidence["time_to_event.CNSR"].role is ColumnRole.STATUS
    data = survival_data(assemble(proposal.study, books), "OS")
    assert data.n == 12
    assert data.event.sum() == 6


def test_every_other_value_of_cnsr_is_censored() -> None:
    columns = adtte(("OS",))
    columns["CNSR"] = cycle("0", "1", "2")
    proposal = propose_study([book_of(ADSL, file="adsl.csv"), book_of(columns, file="adtte.csv")])
    endpoint = proposal.study.definitions.endpoints["OS"]
    assert endpoint.events == {"death": (0,)}
    assert endpoint.censored == (1, 2)


def test_the_patients_of_a_file_of_parameters_alone_are_its_ids_once_confirmed() -> None:
    proposal = propose(adtte())
    tables = proposal.study.data.tables
    assert (tables["subjects"].rows, tables["subjects"].take) == ({}, RowChoice.FIRST)
    assert tables["time_to_event"].rows == {}
    (question,) = asked(proposal, QuestionKind.ROWS)
    assert "36 rows, 12 patients" in question.reason
    assert question.columns[0] == "PARAMCD"
    assert set(question.options) == {"agreed", "first", "last", "earliest", "latest", "each"}
    assert FindingCode.ROWS_NOT_PATIENTS in finding_codes(proposal)
    assert set(proposal.study.definitions.variables) == {"arm"}
    with pytest.raises(StudyError) as error:
        assemble(proposal.study, [book_of(adtte())])
    assert error.value.findings[-1].code is FindingCode.ROWS_NOT_PATIENTS
    cohort = assemble(confirmed(proposal.study), [book_of(adtte())])
    assert cohort.n == 12
    assert survival_data(cohort, "PFS").n == 12


def confirmed(study: Study) -> Study:
    source = replace(study.data.tables["subjects"], subject_id_status=Status.CONFIRMED)
    tables = {**study.data.tables, "subjects": source}
    return replace(study, data=replace(study.data, tables=tables))


def test_patients_without_one_of_the_parameters_are_not_lost() -> None:
    columns = adtte(("OS", "PFS"))
    kept = [at for at in range(24) if at not in (0, 3)]  # P01 has no OS, P02 no PFS
    columns = {name: [cells[at] for at in kept] for name, cells in columns.items()}
    proposal = propose(columns)
    cohort = assemble(confirmed(proposal.study), [book_of(columns)])
    assert cohort.n == 12
    data = survival_data(cohort, "OS")
    assert data.n == 11
    assert [(loss.reason.value, loss.subjects) for loss in data.losses] == [
        ("no row for this endpoint", ("S001",))
    ]


def test_what_differs_between_the_rows_of_a_patient_describes_no_patient() -> None:
    columns = {
        "id": [subject for subject in IDS for _ in range(2)],
        "visit": ["baseline", "week 6"] * 12,
        "sex": ["F", "F", "M", "M"] * 6,
        "ECOG": [0, 1] * 12,
    }
    proposal = propose(columns)
    assert set(proposal.study.definitions.variables) == {"sex"}
    assert "differs between the rows" in proposal.evidence["ECOG"].reason
    (question,) = asked(proposal, QuestionKind.ROWS)
    assert "visit" in question.columns


def test_two_rows_a_patient_become_two_endpoints() -> None:
    columns = {
        "id": [subject for subject in IDS for _ in range(2)],
        "sex": [1, 1, 0, 0] * 6,
        "time": [str(at) for at in range(100, 124)],
        "status": ["1", "0", "0"] * 8,
        "etype": ["2", "1"] * 12,
    }
    proposal = propose(columns)
    endpoints = proposal.study.definitions.endpoints
    assert {code: item.rows for code, item in endpoints.items()} == {
        "TTE_1": {"etype": (1,)}, "TTE_2": {"etype": (2,)},
    }  # fmt: skip
    cohort = assemble(confirmed(proposal.study), [book_of(columns)])
    assert cohort.n == 12
    assert survival_data(cohort, "TTE_1").n == 12
    assert asked(proposal, QuestionKind.ROWS)


def test_repeated_ids_without_a_filter_are_asked_never_counted_as_patients() -> None:
    columns = {"id": [subject for subject in IDS for _ in range(2)],
               "time": [str(at % 7) for at in range(24)], "status": ["1", "0"] * 12}  # fmt: skip
    columns["status"][1] = "1"
    columns["status"][2] = "0"
    proposal = propose(columns)
    (question,) = asked(proposal, QuestionKind.SUBJECT_ID)
    assert "24 rows, 12 patients" in question.reason
    assert proposal.study.data.tables["subjects"].subject_id == "id"


def test_adverse_events_alone_hold_no_patients() -> None:
    proposal = propose({"USUBJID": ["a", "a", "b"], "AEDECOD": ["x", "y", "x"],
                        "AETOXGR": ["1", "2", "3"]})  # fmt: skip
    assert finding_codes(proposal) == {FindingCode.TABLE_MISSING}
    assert proposal.study.data.tables == {}


# -------------------------------------------------------------------------- tables and sheets


def test_without_an_id_each_row_is_a_patient_and_that_is_said() -> None:
    proposal = propose({"sex": cycle("M", "F")})
    assert proposal.study.data.tables["subjects"].subject_id is None
    assert FindingCode.SUBJECT_ID_NOT_FOUND in finding_codes(proposal)


@pytest.mark.parametrize(
    "header", ["id", "Patient ID", "USUBJID", "subject", "编号", "患者编号", "TCGA barcode", "No."]
)
def test_names_of_a_patient_id(header: str) -> None:
    proposal = propose({header: IDS, "sex": cycle("M", "F")})
    assert proposal.study.data.tables["subjects"].subject_id == header
    evidence = proposal.evidence[header]
    assert evidence.role is ColumnRole.SUBJECT_ID
    assert evidence.samples == ()
    assert evidence.counts == ()


def test_a_number_of_something_is_no_id() -> None:
    proposal = propose({"number": cycle("1", "2", "3"), "sex": cycle("M", "F")})
    assert proposal.study.data.tables["subjects"].subject_id is None


def sheets() -> list[Any]:
    patients = raw_table({"ID": IDS, "Gender": cycle("m", "f", "F")}, sheet="DataEntry")
    dictionary = raw_table(
        {"VariableName": ["ID", "Gender"], "Description": ["id", "sex"], "Type": ["c", "c"]},
        sheet="DataDictionary",
    )
    events = raw_table(
        {"Patient": [IDS[0], IDS[0], IDS[1]], "AE term": ["Fatigue", "Rash", "Rash"],
         "CTCAE grade": [1, 3, 2], "Related": ["Possible", "Unrelated", "Definite"]},
        sheet="Toxicity",
    )  # fmt: skip
    survival = raw_table(
        {"ID": IDS[::-1], "OS months": TIMES, "Death": cycle("0", "1")}, sheet="Survival"
    )
    secret = raw_table({"ID": IDS, "x": TIMES}, sheet="Old", hidden=True)
    return [dictionary, events, survival, patients, secret]


def test_sheets_get_their_roles() -> None:
    book = workbook(*sheets())
    proposal = propose_study([book])
    tables = proposal.study.data.tables
    assert {role: source.sheet for role, source in tables.items()} == {
        "subjects": "DataEntry", "adverse_events": "Toxicity", "survival": "Survival",
    }  # fmt: skip
    assert tables["adverse_events"].subject_id == "Patient"
    definitions = proposal.study.definitions
    assert definitions.endpoints["OS"].table == "survival"
    assert definitions.adverse_events is not None
    assert definitions.adverse_events.related_values == ("Definite", "Possible")
    unused = [item.sheet for item in proposal.findings if item.code is FindingCode.SHEET_NOT_USED]
    assert sorted(map(str, unused)) == ["DataDictionary", "Old"]
    cohort = assemble(proposal.study, [book])
    assert survival_data(cohort, "OS").time[0] == 999
    assert levels_of(cohort, "sex").levels == ("Female", "Male")


def test_a_table_of_strangers_is_not_joined() -> None:
    other = book_of({"id": ["x", "y", "z"], "OS days": ["1", "2", "3"], "death": ["1", "0", "1"]},
                    file="other.csv")  # fmt: skip
    proposal = propose_study([book_of({"id": IDS, "sex": cycle("M", "F")}), other])
    assert set(proposal.study.data.tables) == {"subjects"}
    (finding,) = [item for item in proposal.findings if item.code is FindingCode.SHEET_NOT_USED]
    assert finding.severity is Severity.WARNING
    assert finding.file == "other.csv"


def test_a_dictionary_that_says_synthetic_stamps_the_study() -> None:
    dictionary = raw_table(
        {"column": ["id"], "meaning": ["Synthetic data, not patients."], "values": ["x"]},
        sheet="Data dictionary",
    )
    patients = raw_table({"id": IDS, "sex": cycle("M", "F")}, sheet="Patients")
    assert propose_study([workbook(dictionary, patients)]).study.synthetic
    assert not propose_study([workbook(patients)]).study.synthetic


# --------------------------------------------------------------------------------- variables


@pytest.mark.parametrize(
    ("header", "cells", "kind", "levels", "measured"),
    [
        ("ECOG", cycle(1, 0, 2), "ordered", ("0", "1", "2"), "baseline"),
        ("ECOG评分", cycle("ECOG 1", "ECOG 0"), "ordered", ("ECOG 0", "ECOG 1"), "baseline"),
        ("Stage", cycle("III", "I", "IV", "II"), "ordered", ("I", "II", "III", "IV"), "baseline"),
        ("分期", cycle("Ⅳ期", "Ⅱ期", "Ⅲ期"), "ordered", ("Ⅱ期", "Ⅲ期", "Ⅳ期"), "baseline"),
        ("T_Stage", cycle("T2", "T0", "T4"), "ordered", ("T0", "T2", "T4"), "baseline"),
        ("FNCLCC grade", cycle("G3", "G1", "G2"), "ordered", ("G1", "G2", "G3"), "baseline"),
        ("risk", cycle("high", "low", "medium"), "ordered", ("low", "medium", "high"), "unknown"),
        ("age group", cycle("75-79", "66-69", "80+"), "ordered", ("66-69", "75-79", "80+"),
         "baseline"),
        ("ECOG PS", cycle("2-3", "0-1"), "ordered", ("0-1", "2-3"), "baseline"),
        ("treatment_line", cycle(3, 1, 2), "ordered", ("1", "2", "3"), "baseline"),
        ("depth", cycle("deep", "superficial"), "categorical", ("deep", "superficial"), "baseline"),
        ("primary site", cycle("others", "limb", "trunk"), "categorical",
         ("Limb", "Trunk", "Others"), "baseline"),
        ("cluster", cycle("M3", "M1"), "categorical", ("M1", "M3"), "unknown"),
        ("CN cluster", cycle(3, 1, 2), "categorical", ("1", "2", "3"), "unknown"),
        ("Tumor status", cycle("WITH TUMOR", "TUMOR FREE"), "categorical",
         ("TUMOR FREE", "WITH TUMOR"), "post_baseline"),
        ("new tumor event", cycle("YES", "NO"), "categorical", ("No", "Yes"), "post_baseline"),
        ("既往化疗", cycle("是", "否"), "categorical", ("No", "Yes"), "baseline"),
        ("off treatment reason", cycle("Toxicity", "Progression"), "categorical",
         ("Progression", "Toxicity"), "post_baseline"),
    ],
)  # fmt: skip
def test_levels_in_order_and_when_known(
    header: str, cells: list[Any], kind: str, levels: tuple[str, ...], measured: str
) -> None:
    found = variable(header, cells)
    assert found.kind == kind
    assert found.levels == levels
    assert found.measured == measured


@pytest.mark.parametrize(
    ("header", "cells", "unit"),
    [
        ("Age", [str(40 + at) for at in TWELVE], "years"),
        ("年龄", [40.0, 50.0, *range(51, 61)], "years"),
        ("tumor size (cm)", ["1.5", "2", "NA", "7.5", *map(str, range(8, 16))], None),
        ("nodes", [str(at * at) for at in TWELVE], None),
    ],
)
def test_numbers(header: str, cells: list[Any], unit: str | None) -> None:
    found = variable(header, cells)
    assert found.kind is VariableKind.NUMERIC
    assert found.unit == unit


def test_a_decimal_comma_becomes_the_rule_of_its_column() -> None:
    cells = [f"{at},5" for at in TWELVE]
    proposal = propose({"id": IDS, "tumor size": cells}, decimal_comma=True)
    assert proposal.study.data.tables["subjects"].columns["tumor size"].decimal == ","
    cohort = assemble(proposal.study, [book_of({"id": IDS, "tumor size": cells})])
    assert numbers_of(cohort, "tumour_size").values[3] == 3.5


def test_spellings_of_sex_are_one_level() -> None:
    found = variable("Gender", cycle("M", "f", "F", "male"))
    assert found.levels == ("Female", "Male")
    assert found.codes == {"M": "Male", "f": "Female", "F": "Female", "male": "Male"}
    assert variable("sex", cycle(1, 2)).codes == {}, "1 and 2 say nothing"


def test_capitals_alone_make_no_level() -> None:
    found = variable("laterality", cycle("Left", "left", "Left", "Right"))
    assert found.levels == ("Left", "Right")
    assert found.codes == {"left": "Left"}


def test_response_in_words_is_recognised_under_any_name() -> None:
    cells = cycle("Complete Response", "Progressive Disease", "NA", "Stable Disease")
    proposal = propose({"id": IDS, "treatment outcome at tcga followup": cells})
    found = proposal.study.definitions.variables["best_response"]
    assert found.column == "treatment outcome at tcga followup"
    assert found.levels == ("CR", "PR", "SD", "PD", "NE")
    assert found.codes["Stable Disease"] == "SD"
    assert found.measured is Measured.POST_BASELINE
    assert proposal.study.definitions.response is not None
    assert proposal.study.definitions.response.variable == "best_response"


def test_chinese_response() -> None:
    found = variable("最佳疗效", cycle("部分缓解", "疾病稳定", "疾病进展"))
    assert found.codes == {"部分缓解": "PR", "疾病稳定": "SD", "疾病进展": "PD"}


def test_synonyms_of_histotypes_get_the_standard_name() -> None:
    plain = variable("short histo", cycle("DDLPS", "STLMS", "UPS"))
    assert plain.codes == {
        "DDLPS": "Dedifferentiated liposarcoma",
        "STLMS": "Soft tissue leiomyosarcoma",
        "UPS": "Undifferentiated pleomorphic sarcoma",
    }
    elsewhere = variable("histology", cycle("AS", "squamous", "small cell", "adeno"))
    assert elsewhere.codes == {}, "two letters mean other things where no sarcoma stands"
    mixed = variable("histology", cycle("MFH", "UPS", "Alveolar soft-part sarcoma", "ASPS"))
    assert mixed.levels == ("Alveolar soft part sarcoma", "Undifferentiated pleomorphic sarcoma")
    chinese = variable("病理类型", cycle("平滑肌肉瘤", "腺泡状软组织肉瘤(ASPS)", "其他"))
    assert chinese.levels == ("Alveolar soft part sarcoma", "Leiomyosarcoma", "Others")


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Patient name", [f"Name {at}" for at in TWELVE]),
        ("姓名", cycle("张三", "李四")),
        ("phone", [str(13800000000 + at) for at in TWELVE]),
        ("Date of birth", ["1950-01-01"] * 11 + ["1960-02-03"]),
        ("comments", cycle("fine", "seen in clinic")),
        ("history of illness", [f"a long story of patient {at}, told at length" for at in TWELVE]),
        ("SUBJID", [f"s{at}" for at in TWELVE]),
        ("city", [f"town {at}" for at in TWELVE]),
        ("empty", [None] * 12),
        ("constant", ["x"] * 12),
    ],
)
def test_what_is_no_variable(header: str, cells: list[Any]) -> None:
    proposal = propose({"USUBJID": IDS, "sex": cycle("M", "F"), header: cells})
    assert set(proposal.study.definitions.variables) == {"sex"}
    evidence = proposal.evidence[header]
    assert evidence.role is ColumnRole.IGNORED
    assert evidence.reason
    codes = finding_codes(proposal)
    assert codes & {FindingCode.COLUMN_NOT_USED, FindingCode.COLUMN_PRIVATE}


@pytest.mark.parametrize("header", ["Patient name", "phone", "comments", "birth date"])
def test_no_value_of_a_column_that_identifies_someone_is_shown(header: str) -> None:
    proposal = propose({"id": IDS, header: [f"1950-01-{at + 1:02d}" for at in TWELVE]})
    evidence = proposal.evidence[header]
    assert evidence.samples == ()
    assert evidence.counts == ()
    assert evidence.low is None
    assert "1950" not in dump_study(proposal.study)


def test_two_columns_of_one_meaning_keep_apart() -> None:
    proposal = propose(
        {"id": IDS, "histology": cycle("leiomyosarcoma", "liposarcoma"),
         "histotype": cycle("LMS", "LPS")}
    )  # fmt: skip
    variables = proposal.study.definitions.variables
    assert variables["histotype"].column is None
    assert variables["histology"].label == "Histology"


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("metastasis_to_skin", "Metastasis to skin"),
        ("ldh_level", "LDH level"),
        ("Mutation Load", "Mutation Load"),
        ("yearsSmoking", "Years Smoking"),
        ("mRNA cluster", "mRNA cluster"),
    ],
)
def test_labels_are_the_headers_made_readable(header: str, label: str) -> None:
    assert variable(header, cycle("a", "b")).label.casefold() == label.casefold()


def test_evidence_counts_what_is_there() -> None:
    evidence = propose({"id": IDS, "ecog": [*cycle(0, 1)[:10], None, "NA"]}).evidence["ecog"]
    assert (evidence.n, evidence.n_missing, evidence.n_distinct) == (12, 2, 2)
    assert dict(evidence.counts) == {"0": 5, "1": 5}
    assert "ECOG" in evidence.reason


# ------------------------------------------------------------------------- the sample, twice


def test_the_sample_is_recognised(sample: Workbook) -> None:
    study = propose_study([sample]).study
    assert study.synthetic
    assert set(study.data.tables) == {"subjects", "adverse_events"}
    definitions = study.definitions
    assert set(definitions.endpoints) == {"OS", "PFS"}
    assert all(item.from_dates for item in definitions.endpoints.values())
    assert definitions.cutoff_column == "data_cutoff"
    baseline = {
        key for key, item in definitions.variables.items() if item.measured is Measured.BASELINE
    }
    assert baseline >= {
        "sex", "age", "ecog", "histotype", "primary_site", "metastasis_lung", "metastasis_bone",
        "metastasis_liver", "metastasis_pancreas", "metastasis_brain", "treatment_line",
        "prior_chemotherapy", "prior_radiotherapy", "prior_antiangiogenic", "prior_immunotherapy",
        "antiangiogenic_drug", "immunotherapy_drug", "n_metastatic_organs",
    }  # fmt: skip
    assert definitions.variables["best_response"].measured is Measured.POST_BASELINE
    cohort = assemble(study, [sample])
    assert survival_data(cohort, "PFS").n == survival_data(cohort, "OS").n == 51
    assert survival_data(cohort, "OS").event.sum() == 15


HEADERS = {
    "patient_id": "患者编号", "sex": "性别", "age": "年龄", "ecog": "ECOG评分",
    "histotype": "病理类型", "rhabdomyosarcoma_type": "横纹肌肉瘤类型", "primary_site": "原发部位",
    "metastasis_lung": "肺转移",
    "metastasis_bone": "骨转移", "metastasis_liver": "肝转移", "metastasis_pancreas": "胰腺转移",
    "metastasis_brain": "脑转移", "n_metastatic_organs": "转移器官数", "treatment_line": "治疗线数",
    "prior_chemotherapy": "既往化疗", "prior_radiotherapy": "既往放疗",
    "prior_antiangiogenic": "既往抗血管治疗", "prior_immunotherapy": "既往免疫治疗",
    "antiangiogenic_drug": "抗血管药物", "immunotherapy_drug": "免疫治疗药物", "cycles": "周期数",
    "first_dose_date": "首次用药日期", "best_response": "最佳疗效", "progression_date": "进展日期",
    "death_date": "死亡日期", "vital_status": "生存状态", "last_assessment_date": "末次评估日期",
    "last_contact_date": "末次随访日期", "off_treatment_reason": "停药原因",
    "data_cutoff": "数据截止日期", "pfs_months": "PFS(月)", "pfs_event": "PFS状态",
    "os_months": "OS（月）", "os_event": "OS状态",
}  # fmt: skip
CELLS = {
    "Male": "男", "Female": "女", "yes": "是", "no": "否", "Alive": "存活", "Dead": "死亡",
    "limb": "四肢", "trunk": "躯干", "others": "其他", "Others": "其他",
    "Leiomyosarcoma": "平滑肌肉瘤", "Alveolar soft part sarcoma": "腺泡状软组织肉瘤",
    "Rhabdomyosarcoma": "横纹肌肉瘤", "Clear cell sarcoma": "透明细胞肉瘤",
    "Myxofibrosarcoma": "黏液纤维肉瘤", "Synovial sarcoma": "滑膜肉瘤",
    "Malignant peripheral nerve sheath tumor": "恶性外周神经鞘瘤",
    "Undifferentiated pleomorphic sarcoma": "未分化多形性肉瘤",
    "embryonal": "胚胎性", "pleomorphic": "多形性", "CR": "完全缓解", "PR": "部分缓解",
    "SD": "疾病稳定", "PD": "疾病进展", "Anlotinib": "安罗替尼", "Apatinib": "阿帕替尼",
    "Lenvatinib": "仑伐替尼", "Regorafenib": "瑞戈非尼", "Pazopanib": "培唑帕尼",
    "Pembrolizumab": "帕博利珠单抗", "Sintilimab": "信迪利单抗", "Camrelizumab": "卡瑞利珠单抗",
    "Toripalimab": "特瑞普利单抗", "Tislelizumab": "替雷利珠单抗",
    "Disease progression": "疾病进展", "Completed two years": "完成两年",
    "Patient's wish": "患者意愿", "On treatment": "治疗中", "Toxicity": "毒性",
}  # fmt: skip


def chinese_cell(cell: Any, header: str, row: int) -> Any:
    if isinstance(cell, dt.datetime | pd.Timestamp):
        if header in ("死亡日期", "末次随访日期") or row % 2:
            return f"{cell.year}年{cell.month}月{cell.day}日"
        return (cell.date() - dt.date(1899, 12, 30)).days
    return CELLS.get(cell, cell) if isinstance(cell, str) else cell


@pytest.fixture(scope="module")
def chinese(sample: Workbook) -> Workbook:
    patients = next(sheet for sheet in sample.sheets if sheet.sheet == "Patients")
    columns = {
        HEADERS[name]: [
            chinese_cell(cell, HEADERS[name], row) for row, cell in enumerate(patients.frame[name])
        ]
        for name in patients.frame.columns
        if name in HEADERS
    }
    return workbook(raw_table(columns, file="队列.xlsx", sheet="患者"), file="队列.xlsx")


def cohorts(sample: Workbook, chinese: Workbook) -> tuple[Cohort, Cohort]:
    return (
        assemble(propose_study([sample]).study, [sample]),
        assemble(propose_study([chinese]).study, [chinese]),
    )


def test_a_chinese_workbook_gives_the_very_same_endpoints(
    sample: Workbook, chinese: Workbook
) -> None:
    english, translated = cohorts(sample, chinese)
    assert set(translated.study.definitions.endpoints) == {"OS", "PFS"}
    for code in ("OS", "PFS"):
        first, second = survival_data(english, code), survival_data(translated, code)
        assert np.array_equal(first.time, second.time)
        assert first.kind.tolist() == second.kind.tolist()
        assert first.endpoint.label == second.endpoint.label


def test_a_chinese_workbook_gives_the_very_same_variables(
    sample: Workbook, chinese: Workbook
) -> None:
    english, translated = cohorts(sample, chinese)
    first, second = english.study.definitions.variables, translated.study.definitions.variables
    dates_only = {"last_dose_date", "first_evaluation_date"}
    assert set(second) == set(first) - dates_only
    for key, item in second.items():
        assert (item.label, item.kind, item.measured) == (
            first[key].label, first[key].kind, first[key].measured,
        )  # fmt: skip
        if item.kind is VariableKind.NUMERIC:
            assert np.array_equal(
                numbers_of(english, key).values, numbers_of(translated, key).values
            )
        else:
            one, other = levels_of(english, key), levels_of(translated, key)
            assert one.levels == other.levels
            assert one.values.tolist() == other.values.tolist()


def test_a_date_variable_reads_the_same_in_both(sample: Workbook, chinese: Workbook) -> None:
    english, translated = cohorts(sample, chinese)
    for name in ("first_dose_date", "death_date"):
        first = dates_of(english, name).values
        second = dates_of(translated, HEADERS[name]).values
        assert np.array_equal(first, second, equal_nan=True)


def test_the_order_of_the_files_changes_nothing(sample: Workbook) -> None:
    other = replace(sample, sheets=sample.sheets[::-1])
    first, second = propose_study([sample]).study, propose_study([other]).study
    assert dump_study(first) == dump_study(second)


def test_an_endpoint_of_parameters_is_compared_with_the_dates_whose_place_it_takes() -> None:
    """One event, one time and one missing row differ; the day of the start does not count."""
    n = range(1, 13)
    start = dt.date(2020, 1, 1)
    end = [start + dt.timedelta(days=100 * k) for k in n]
    adsl = book_of(
        {"USUBJID": [f"X-{k}" for k in n], "SEX": ["F", "M"] * 6,
         "TRTSDT": ["2020-01-01"] * 12,
         "DTHDT": [str(day) if k % 2 else None for k, day in zip(n, end, strict=True)],
         "LSTALVDT": [str(day) for day in end]},
        file="adsl.csv",
    )  # fmt: skip
    own = [(k, 100 * k + 1 + 30 * (k == 4), 1 - k % 2 if k != 5 else 1) for k in n if k != 12]
    adtte = book_of(
        {"USUBJID": [f"X-{k}" for k, _, _ in own], "PARAMCD": ["OS"] * 11,
         "AVAL": [time for _, time, _ in own], "AVALU": ["DAYS"] * 11,
         "CNSR": [censored for *_, censored in own]},
        file="adtte.csv",
    )  # fmt: skip
    for books in ([adsl, adtte], [adtte, adsl]):
        proposal = propose_study(books)
        assert proposal.study.definitions.endpoints["OS"].table == "time_to_event"
        found = [
            item for item in proposal.findings if item.code is FindingCode.ENDPOINT_SOURCES_DIFFER
        ]
        assert [(item.table, item.rows, item.count) for item in found] == [
            ("time_to_event", (6,), 1), ("time_to_event", (5,), 1), ("subjects", (13,), 1),
        ]  # fmt: skip
        assert "1 patient has the event in one of them only" in found[0].message
        assert "1 patient has another time" in found[1].message
        assert "1 patient has it by “adsl.csv” and has no row for it" in found[2].message


def test_another_data_cut_is_not_joined_and_further_patients_are_said_to_be_some() -> None:
    cells = {"ID": IDS, "Gender": cycle("M", "F"), "OS months": TIMES, "Death": cycle("0", "1")}
    former = {name: column[:8] for name, column in cells.items()}
    strangers = {**former, "ID": [f"Z-{n}" for n in range(8)]}
    book = workbook(
        raw_table(former, sheet="2022"), raw_table(cells, sheet="2023"),
        raw_table(strangers, sheet="Ulm"),
    )  # fmt: skip
    proposal = propose_study([book])
    assert {role: item.sheet for role, item in proposal.study.data.tables.items()} == {
        "subjects": "2023"
    }
    said = {item.sheet: item for item in proposal.findings if item.sheet in ("2022", "Ulm")}
    assert "8 of its 8 ids, as another data cut would" in said["2022"].message
    assert "choose the other for the patients" in said["2022"].hint
    assert "put the rows of both below each other in one sheet" in said["Ulm"].hint


@pytest.mark.parametrize(
    "header",
    [
        "疗效(1CR 2PR 3SD 4PD)",
        "BOR (1=CR, 2=PR, 3=SD, 4=PD)",
        "Best response [1: CR; 2: PR; 3: SD; 4: PD]",
    ],
)
def test_codes_that_the_header_calls_responses_are_the_best_response(header: str) -> None:
    book = book_of({"id": IDS, header: cycle("1", "2", "3", "4", "")})
    proposal = propose_study([book])
    response = proposal.study.definitions.response
    assert response is not None
    cohort = assemble(proposal.study, [book])
    levels = list(levels_of(cohort, response.variable).values[:5])
    assert levels == ["CR", "PR", "SD", "PD", None]
