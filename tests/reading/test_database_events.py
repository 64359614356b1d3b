"""Endpoints from exports with events: the same numbers as with one row a patient."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.cohort import Cohort
from sts_core.derive import survival_data
from sts_core.findings import FindingCode
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.reading.redcap import apply_dictionaries
from sts_core.reading.workbook import Part
from sts_core.study import Status, Study

SAMPLE = Path(__file__).parents[2] / "sample_data" / "sts_cohort.xlsx"
OWN = ("sex", "age", "histotype", "first_dose_date")
OUTCOME = ("progression_date", "last_assessment_date", "death_date", "last_contact_date")
LABELS = {
    "record_id": "Record ID", "redcap_event_name": "Event Name",
    "redcap_repeat_instrument": "Repeat Instrument", "redcap_repeat_instance": "Repeat Instance",
    "sex": "Sex", "age": "Age", "histotype": "Histotype", "first_dose_date": "Date of first dose",
    "progression_date": "Date of progression", "last_assessment_date": "Date of last assessment",
    "death_date": "Date of death", "last_contact_date": "Date of last contact",
}  # fmt: skip
EVENTS = {"baseline_arm_1": "Baseline (Arm 1: A)", "follow_up_arm_1": "Follow up (Arm 1: A)",
          "month_3_arm_1": "Month 3 (Arm 1: A)", "month_6_arm_1": "Month 6 (Arm 1: A)"}  # fmt: skip
Row = dict[str, object]


@pytest.fixture(scope="module")
def sample() -> list[Row]:
    frame = read_bytes(SAMPLE.name, SAMPLE.read_bytes(), own=True).sheets[0].frame
    rows: list[Row] = frame[["patient_id", *OWN, *OUTCOME]].to_dict("records")
    for row in rows:
        row["record_id"] = row.pop("patient_id")
        for name, cell in row.items():
            if isinstance(cell, dt.datetime):
                row[name] = cell.date().isoformat()
    return rows


def text(rows: Sequence[Row], names: Mapping[str, str] | None = None) -> bytes:
    columns = [name for name in LABELS if any(name in row for row in rows)]
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([(names or {}).get(name, name) for name in columns])
    for row in rows:
        writer.writerow([row.get(name) for name in columns])
    return stream.getvalue().encode()


def event(row: Row, name: str, columns: Sequence[str], **more: object) -> Row:
    kept: Row = {column: row[column] for column in ("record_id", *columns)}
    return kept | {"redcap_event_name": name} | more


def in_two_events(sample: Sequence[Row]) -> list[Row]:
    return [
        made
        for row in sample
        for made in (
            event(row, "baseline_arm_1", OWN),
            event(row, "follow_up_arm_1", OUTCOME),
        )
    ]


def _before(day: object, days: int) -> str:
    return (dt.date.fromisoformat(str(day)) - dt.timedelta(days)).isoformat()


def in_repeated_forms(sample: Sequence[Row], *, of_event: bool) -> list[Row]:
    """A follow-up on which nothing happened comes before the last one."""
    rows = []
    for row in sample:
        earlier = {
            name: _before(row[name], 5) for name in ("last_assessment_date", "last_contact_date")
        }
        earlier_row = row | {"progression_date": None, "death_date": None} | earlier
        rows.append(event(row, "baseline_arm_1", OWN))
        for number, one in enumerate((earlier_row, row), start=1):
            if of_event:
                rows.append(event(one, f"month_{3 * number}_arm_1", OUTCOME))
            else:
                rows.append(
                    event(
                        one, "baseline_arm_1", OUTCOME, redcap_repeat_instrument="follow_up",
                        redcap_repeat_instance=number,
                    )
                )  # fmt: skip
    return rows


def cohort_of(*files: tuple[str, bytes]) -> tuple[Cohort, Study, list[Workbook]]:
    books = apply_dictionaries([read_bytes(name, data) for name, data in files])
    study = propose_study(books).study
    endpoints = {
        code: replace(item, events_status=Status.CONFIRMED, unit_status=Status.CONFIRMED)
        for code, item in study.definitions.endpoints.items()
    }
    study = replace(study, definitions=replace(study.definitions, endpoints=endpoints))
    return assemble(study, books), study, books


def same_numbers(one: Cohort, other: Cohort) -> None:
    assert one.n == other.n == 51
    for code in ("PFS", "OS"):
        first, second = survival_data(one, code), survival_data(other, code)
        assert np.array_equal(first.time, second.time)
        assert first.kind.tolist() == second.kind.tolist()
        medians = [
            kaplan_meier(cohort, KaplanMeierSpec(endpoint=code)).overall.median
            for cohort in (one, other)
        ]
        assert medians[0] == medians[1]
        assert medians[0].low is not None


@pytest.fixture(scope="module")
def plain(sample: list[Row]) -> Cohort:
    return cohort_of(("plain.csv", text(sample)))[0]


@pytest.mark.parametrize("labelled", [False, True])
def test_start_and_end_in_two_events_give_the_numbers_of_one_row_a_patient(
    sample: list[Row], plain: Cohort, *, labelled: bool
) -> None:
    rows = in_two_events(sample)
    if labelled:
        rows = [row | {"redcap_event_name": EVENTS[str(row["redcap_event_name"])]} for row in rows]
    data = text(rows, LABELS if labelled else None)
    cohort, study, books = cohort_of(("export.csv", data))
    same_numbers(cohort, plain)
    assert len(survival_data(cohort, "PFS").time) == 51
    patients, followed = books[0].sheets
    assert (patients.part, followed.part) == (Part.PATIENTS, Part.EVENT)
    assert list(study.data.tables) == ["subjects"]  # nothing stands twice
    progression = study.definitions.endpoints["PFS"].event_dates["progression"]
    assert patients.origins[progression].event.casefold().replace("_", " ") == "follow up"
    assert not [item for item in books[0].findings
                if item.code is FindingCode.COLUMN_IN_SEVERAL_EVENTS]  # fmt: skip


def test_names_without_a_meaning_are_told_by_the_dictionary(
    sample: list[Row], plain: Cohort
) -> None:
    short = {name: f"v{place}" for place, name in enumerate((*OWN, *OUTCOME))}
    head = "Variable / Field Name,Form Name,Field Type,Field Label\n"
    dictionary = head + "".join(f"{short[name]},form,text,{LABELS[name]}\n" for name in short)
    data = text(in_two_events(sample), short)
    cohort, study, _ = cohort_of(("export.csv", data), ("dictionary.csv", dictionary.encode()))
    assert study.definitions.endpoints["PFS"].start == short["first_dose_date"]
    same_numbers(cohort, plain)


@pytest.mark.parametrize("of_event", [True, False])
def test_of_several_follow_ups_the_first_event_and_the_last_contact_are_proposed(
    sample: list[Row], plain: Cohort, *, of_event: bool
) -> None:
    data = text(in_repeated_forms(sample, of_event=of_event))
    cohort, study, books = cohort_of(("export.csv", data))
    patients = books[0].sheets[0]
    assert len(patients.frame) == 51
    pfs = study.definitions.endpoints["PFS"]
    assert pfs.last_contact == ("last_assessment_date (latest)",)
    # a date that a patient has once needs no choice, unless its form may come again
    assert pfs.event_dates["progression"] == (
        "progression_date" if of_event else "progression_date (earliest)"
    )
    same_numbers(cohort, plain)
    (said,) = [item for item in books[0].findings
               if item.code is FindingCode.COLUMN_IN_SEVERAL_EVENTS]  # fmt: skip
    assert "“last_contact_date”" in said.message
    names = set(patients.frame.columns)
    assert {"last_contact_date (earliest)", "last_contact_date (latest)"} <= names
    assert ({"last_contact_date (month_3)", "last_contact_date (month_6)"} <= names) is of_event
    variables = {item.column or key for key, item in study.definitions.variables.items()}
    assert not any("(" in name for name in variables)
    # the visits stay a table of their own, which counts nobody
    if not of_event:
        assert [part.part for part in books[0].sheets] == [Part.PATIENTS, Part.REPEATED]
        assert len(books[0].sheets[1].frame) == 102
    # a study file holds nothing but names: under it the same comes out
    assert apply_dictionaries(books)[0].sheets[0] is patients


def test_dates_that_can_be_read_two_ways_are_in_the_order_of_the_rows(
    sample: list[Row], plain: Cohort
) -> None:
    data = text(in_repeated_forms(sample, of_event=False)).decode()
    data = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3/\2/\1", data)
    cohort, study, _ = cohort_of(("export.csv", data.encode()))
    assert study.definitions.endpoints["PFS"].last_contact == ("last_assessment_date (last)",)
    same_numbers(cohort, plain)


def parted(csv_text: str) -> Workbook:
    return apply_dictionaries([read_bytes("export.csv", csv_text.encode())])[0]


def cells(book: Workbook, column: str) -> list[object]:
    return list(book.sheets[0].frame[column])


HEAD = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,"


def test_the_same_column_in_several_events_keeps_the_value_of_each() -> None:
    book = parted(
        HEAD + "ecog,site,status\n"
        "1,baseline_arm_1,,,0,limb,\n1,week_6_arm_1,,,1,limb,\n1,week_12_arm_1,,,,,dead\n"
        "2,baseline_arm_1,,,1,trunk,\n2,week_6_arm_1,,,1,,alive\n"
        "3,baseline_arm_1,,,NA,,\n3,week_6_arm_1,,,2,head,\n3,week_12_arm_1,,,3,,\n"
    )
    assert cells(book, "ecog") == ["0", "1", "NA"]  # what baseline says, and what it doesn't
    assert cells(book, "ecog (week_6)") == ["1", "1", "2"]
    assert cells(book, "ecog (week_12)") == [None, None, "3"]
    assert cells(book, "ecog (first)") == ["0", "1", "2"]
    assert cells(book, "ecog (last)") == ["1", "1", "3"]
    # no patient has two different ones: there is nothing to choose
    assert cells(book, "site") == ["limb", "trunk", "head"]
    assert cells(book, "status") == ["dead", "alive", None]
    (said,) = [item for item in book.findings if item.code is FindingCode.COLUMN_IN_SEVERAL_EVENTS]
    assert said.count == 1
    assert "“ecog (week_12)”" in said.message


def test_nobody_is_lost_who_has_no_row_in_the_event_of_the_others() -> None:
    book = parted(
        HEAD + "sex,start,death_date\n"
        "1,baseline_arm_1,,,m,2020-01-01,\n1,end_arm_1,,,,,2021-01-01\n"
        "2,start_arm_2,,,f,2020-02-01,\n2,end_arm_2,,,,,\n"
        "3,baseline_arm_1,,,f,2020-03-01,\n"
        ",baseline_arm_1,,,m,2020-04-01,\n"
    )
    assert cells(book, "record_id") == ["1", "2", "3", None]
    assert cells(book, "sex") == ["m", "f", "f", "m"]
    assert cells(book, "start") == ["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"]
    assert cells(book, "death_date") == ["2021-01-01", None, None, None]
    (said,) = [item for item in book.findings if item.code is FindingCode.ROWS_SPLIT]
    assert "and 1 patient who has rows of other events only" in said.message


def test_events_whose_names_differ_in_the_letter_of_the_arm_alone_stay_apart() -> None:
    book = parted(
        HEAD + "sex,weight\n"
        "1,baseline_arm_1,,,m,\n1,follow_up_month_12_arm_1,,,,70\n1,follow_up_month_12_arm_1b,,,,72\n"
    )
    assert cells(book, "weight (follow_up_month_12)") == ["70"]
    assert cells(book, "weight (follow_up_month_12_b)") == ["72"]


def test_boxes_and_states_of_forms_need_no_choice() -> None:
    book = parted(
        HEAD + "sex,pain___1,demographics_complete,weight\n"
        "1,baseline_arm_1,,,m,1,2,70\n1,week_6_arm_1,,,,0,0,71\n"
        "2,baseline_arm_1,,,f,0,2,60\n2,week_6_arm_1,,,,0,0,60\n"
    )
    assert cells(book, "pain___1") == ["1", "0"]
    names = list(book.sheets[0].frame.columns)
    assert [name for name in names if "(" in name] == [
        "weight (week_6)", "weight (first)", "weight (last)",
    ]  # fmt: skip
    assert cells(book, "demographics_complete") == ["2", "2"]


def test_what_identifies_a_person_stays_marked_in_every_column_made_of_it() -> None:
    dictionary = (
        "Variable / Field Name,Form Name,Field Type,Field Label,Identifier?\n"
        "record_id,form,text,Record,\nsex,form,text,Sex,\ncontact,form,text,Whom to call,y\n"
    )
    data = (
        HEAD + "sex,contact\n1,baseline_arm_1,,,m,Ann\n1,week_6_arm_1,,,,Bea\n"
        "2,baseline_arm_1,,,f,Cleo\n2,week_6_arm_1,,,,Dan\n"
    )
    book, _ = apply_dictionaries(
        [read_bytes("a.csv", data.encode()), read_bytes("d.csv", dictionary.encode())]
    )
    assert book.sheets[0].private == {
        "contact", "contact (week_6)", "contact (first)", "contact (last)",
    }  # fmt: skip
    assert book.sheets[0].column_labels["contact (last)"] == "Whom to call (last)"


def test_repeated_rows_are_no_patients_even_where_each_has_one() -> None:
    book = parted(
        HEAD + "drug,sex\n"
        "1,dose_arm_1,dosing,1,A,\n2,dose_arm_1,dosing,1,B,\n3,dose_arm_1,dosing,1,B,\n"
        "1,baseline_arm_1,,,,m\n2,baseline_arm_1,,,,f\n"
    )
    assert book.sheets[0].sheet == "baseline"
    assert cells(book, "record_id") == ["1", "2"]
    assert propose_study([book]).study.data.tables["subjects"].sheet == "baseline"


def test_assessments_of_single_events_are_visits_of_the_patients() -> None:
    head = "record_id,redcap_event_name,sex,first_dose_date,scan_date,target_sum,overall_response\n"
    rows = "".join(
        f"{n},baseline_arm_1,{'mf'[n % 2]},2020-01-01,2019-12-2{n},{50 + n},\n"
        f"{n},week_6_arm_1,,,2020-02-1{n},{40 + n},SD\n"
        f"{n},week_12_arm_1,,,2020-04-1{n},30,{'PR' if n % 2 else 'PD'}\n"
        for n in range(1, 9)
    )
    book = parted(head + rows)
    found = propose_study([book]).study.definitions.assessments
    assert found is not None
    assert [(visit.name, visit.date, visit.target_sum) for visit in found.visits] == [
        ("Baseline", "scan_date", "target_sum"),
        ("Week 6", "scan_date (week_6)", "target_sum (week_6)"),
        ("Week 12", "scan_date (week_12)", "target_sum (week_12)"),
    ]
