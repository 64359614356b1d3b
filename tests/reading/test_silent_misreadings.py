"""Files of a tired data manager: each trap is read right, asked or named, and never in silence."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest

from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.derive import numbers_of, survival_data
from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import Proposal
from sts_core.reading.recognise import propose_study
from tests.confirming import confirmed

N = 24
TIMES = [str(2 + 2 * n) for n in range(N)]
LIVES = [("Alive", "Dead")[n % 2] for n in range(N)]
IDS = [f"P{n}" for n in range(N)]


def text_of(columns: dict[str, Sequence[str]], mark: str = ",") -> str:
    rows = zip(*columns.values(), strict=True)
    return "".join(f"{mark.join(row)}\n" for row in [tuple(columns), *rows])


def read(content: str) -> Workbook:
    return read_bytes("a.csv", content.encode())


def workbook(columns: dict[str, Sequence[Any]]) -> Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(columns))
    for row in zip(*columns.values(), strict=True):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return read_bytes("a.xlsx", out.getvalue())


def taken(book: Workbook) -> tuple[Proposal, Cohort]:
    proposal = propose_study([book])
    return proposal, assemble(confirmed(proposal.study), [book])


def of_code(found: Sequence[Finding], code: FindingCode) -> list[Finding]:
    return [item for item in found if item.code is code]


def test_a_progression_without_a_date_is_named() -> None:
    says = [("No", "Yes")[n % 2] for n in range(N)]
    when = ["2020-05-11" if n % 4 == 1 else "" for n in range(N)]
    columns = {
        "id": IDS, "Start": ["2020-01-01"] * N, "Progression": says, "Progression date": when,
        "Last contact": ["2021-01-15"] * N,
    }  # fmt: skip
    proposal, cohort = taken(read(text_of(columns)))
    (finding,) = of_code(proposal.findings, FindingCode.ENDPOINT_SOURCES_DIFFER)
    assert "“Progression” says of 6 patients that it happened" in finding.message
    assert finding.rows == (5, 9, 13, 17, 21, 25)
    assert sum(kind is not None for kind in survival_data(cohort, "PFS").kind) == 6
    complete = {**columns, "Progression date": ["2020-05-11" if n % 2 else "" for n in range(N)]}
    proposal, _ = taken(read(text_of(complete)))
    assert not of_code(proposal.findings, FindingCode.ENDPOINT_SOURCES_DIFFER)


def test_who_died_is_no_status_of_progression() -> None:
    proposal, _ = taken(read(text_of({"id": IDS, "OS": TIMES, "PFS": TIMES, "status": LIVES})))
    endpoints = proposal.study.definitions.endpoints
    assert endpoints["OS"].events == {"death": ("Dead",)}
    assert (endpoints["PFS"].events, endpoints["PFS"].censored) == ({}, ())
    (asked,) = [q for q in proposal.questions if q.endpoint == "PFS" and "which values" in q.text]
    assert "“status” says who died" in asked.reason
    named = {"id": IDS, "PFS": TIMES, "PFS status": LIVES}
    proposal, _ = taken(read(text_of(named)))
    assert proposal.study.definitions.endpoints["PFS"].events == {"death": ("Dead",)}


def test_points_that_part_thousands_are_asked() -> None:
    columns = {
        "id": IDS, "LDH": [f"1.{200 + n}" for n in range(N)],
        "OS (days)": [f"1.{100 + n}" if n % 2 else f"{900 + n}" for n in range(N)],
        "status": LIVES,
    }  # fmt: skip
    proposal, cohort = taken(read(text_of(columns, ";")))
    asked = of_code(proposal.findings, FindingCode.NUMBER_AMBIGUOUS)
    assert {item.column for item in asked} == {"LDH", "OS (days)"}
    assert "It is assumed that it parts thousands (1.200 is 1200)" in asked[0].message
    assert numbers_of(cohort, "ldh").values.tolist() == [1200.0 + n for n in range(N)]
    assert sorted(survival_data(cohort, "OS").time)[-1] == 1123.0


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        ([f"1.{200 + n}" for n in range(N)], ","),
        ([f"0.{200 + n}" for n in range(N)], ";"),
        ([f"{n}.5" if n % 2 else f"1.{200 + n}" for n in range(N)], ";"),
        ([f"1.{200 + n}" if n % 2 else f"{1000 + n}" for n in range(N)], ";"),
    ],
)
def test_points_that_are_decimal_marks_stay_so(cells: list[str], mark: str) -> None:
    columns = {"id": IDS, "ratio": cells, "OS (days)": TIMES, "status": LIVES}
    proposal, cohort = taken(read(text_of(columns, mark)))
    assert not of_code(proposal.findings, FindingCode.NUMBER_AMBIGUOUS)
    assert numbers_of(cohort, "ratio").values.tolist() == [float(cell) for cell in cells]


def test_two_orders_in_one_column_of_dates_are_named() -> None:
    start = [f"{1 + n:02d}/0{1 + n % 9}/2020" for n in range(N)]
    start[5] = "03/18/2020"
    columns = {"id": IDS, "First dose": start, "Death": ["2021-12-03"] * N}
    _, cohort = taken(read(text_of(columns)))
    (finding,) = of_code(check_cohort(cohort), FindingCode.DATE_ORDERS_MIXED)
    assert "1 of its dates read only as month/day/year" in finding.message
    assert "3 read both ways and may be wrong" in finding.message
    assert finding.rows == (7,)
    start[5] = "18/03/2020"
    _, cohort = taken(read(text_of({**columns, "First dose": start})))
    assert not of_code(check_cohort(cohort), FindingCode.DATE_ORDERS_MIXED)


def test_a_column_half_of_each_order_says_so_when_it_is_asked() -> None:
    start = [f"03/{13 + n % 15}/2020" if n % 2 else f"{13 + n % 15}/03/2020" for n in range(N)]
    columns = {"id": IDS, "First dose": start, "Death": ["2021-12-03"] * N}
    proposal = propose_study([read(text_of(columns))])
    (asked,) = [item for item in proposal.questions if "day/month/year" in item.text]
    assert asked.reason.startswith("The column mixes both: 12 of its dates read only as")


def test_day_numbers_under_the_usual_name_of_a_date_are_dates() -> None:
    book = workbook({
        "id": IDS,
        "First dose": [dt.datetime(2020, 1, 1 + n) if n % 3 else 43900 + n for n in range(N)],
        "Death": [None if n % 2 else "2021-03-10" for n in range(N)],
        "Last contact": [44500 + n for n in range(N)],
    })  # fmt: skip
    proposal, cohort = taken(book)
    endpoint = proposal.study.definitions.endpoints["OS"]
    assert endpoint.last_contact == ("Last contact",)
    assert len(survival_data(cohort, "OS").time) == N
    dose = workbook({"id": IDS, "Death": [n % 2 for n in range(N)], "Last contact": [1e6] * N})
    assert not propose_study([dose]).study.definitions.endpoints


def test_notes_above_a_row_of_totals_are_no_patients() -> None:
    content = text_of({"id": IDS, "OS months": TIMES, "status": LIVES, "sex": ["M", "F"] * 12})
    content += ",,,\nNote: OS from diagnosis,,,\n* censored at last visit,,,\nMedian,22.5,,\n"
    _, cohort = taken(read(content))
    assert cohort.n == N
    assert len(of_code(cohort.findings, FindingCode.ROWS_LEFT_OUT)) == 2


def test_names_that_are_repeated_in_other_letters_are_no_patient() -> None:
    lines = text_of({"id": IDS, "OS months": TIMES, "status": LIVES}).splitlines()
    lines.insert(10, "ID,OS Months,Status")
    _, cohort = taken(read("\n".join(lines)))
    assert cohort.n == N
    (finding,) = of_code(cohort.findings, FindingCode.ROWS_LEFT_OUT)
    assert finding.rows == (11,)


@pytest.mark.parametrize("text", ["1.23E+15", "1,23E+15", "9.9e16"])
def test_ids_that_a_spreadsheet_rounded_are_named(text: str) -> None:
    ids = [*IDS[:-1], f'"{text}"' if "," in text else text]
    _, cohort = taken(read(text_of({"id": ids, "OS months": TIMES, "status": LIVES})))
    (finding,) = of_code(cohort.findings, FindingCode.SUBJECT_ID_DIGITS_LOST)
    assert (finding.count, finding.rows) == (1, (N + 1,))
    assert text not in finding.message, "no id of a patient is quoted"
    _, cohort = taken(read(text_of({"id": IDS, "OS months": TIMES, "status": LIVES})))
    assert not of_code(cohort.findings, FindingCode.SUBJECT_ID_DIGITS_LOST)


def test_rounded_ids_that_repeat_say_why() -> None:
    ids = ["1.23E+15" if n < 6 else text for n, text in enumerate(IDS)]
    book = read(text_of({"id": ids, "OS months": TIMES, "status": LIVES}))
    with pytest.raises(StudyError) as caught:
        assemble(propose_study([book]).study, [book])
    codes = {item.code for item in caught.value.findings}
    assert FindingCode.SUBJECT_ID_DIGITS_LOST in codes
    assert codes & {FindingCode.SUBJECT_REPEATED, FindingCode.ROWS_NOT_PATIENTS}


def test_long_numbers_as_ids_of_a_workbook_are_named() -> None:
    ids = [1234567890123456780 + 1000 * n for n in range(N)]
    book = workbook({"id": ids, "OS months": list(map(int, TIMES)), "status": LIVES})
    _, cohort = taken(book)
    (finding,) = of_code(cohort.findings, FindingCode.SUBJECT_ID_DIGITS_LOST)
    assert finding.count == N


def test_a_question_mark_behind_a_word_is_asked() -> None:
    cells = [("alive", "dead", "dead?")[n % 3] for n in range(N)]
    proposal = propose_study([read(text_of({"id": IDS, "OS months": TIMES, "Status": cells}))])
    assert proposal.study.definitions.endpoints["OS"].events == {}
    sexes = [("M", "F", "M?")[n % 3] for n in range(N)]
    proposal = propose_study([read(text_of({"id": IDS, "sex": sexes}))])
    assert proposal.study.definitions.variables["sex"].codes == {"M": "Male", "F": "Female"}


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([f"{n} m" if n % 3 else f"{30 * n} d" for n in range(1, N + 1)], "with “d”, “m” in the"),
        ([f"{n}+" if n % 2 else f"{n}" for n in range(1, N + 1)], "with “+” in the cell"),
        (['"<5"' if n % 4 == 0 else f"{5 + n}" for n in range(N)], "with “<” in the cell"),
        ([f"{n},5" if n % 2 else f"{n}.5" for n in range(N)], "some numbers have a comma"),
    ],
)
def test_times_that_are_no_plain_numbers_say_why(cells: list[str], why: str) -> None:
    columns = {"id": IDS, "OS": cells, "status": LIVES}
    proposal = propose_study([read(text_of(columns, ";"))])
    (finding,) = of_code(proposal.findings, FindingCode.ENDPOINT_NOT_FOUND)
    assert f"“OS”: {'' if why.startswith('some') else 'numbers '}{why}" in finding.message
    assert why in proposal.evidence["OS"].reason


def test_labels_with_digits_are_not_quoted() -> None:
    cells = [f"{n}{chr(65 + n)}" for n in range(N)]
    proposal = propose_study([read(text_of({"id": IDS, "sample": cells, "x": TIMES}))])
    assert "in the cell" not in proposal.evidence["sample"].reason


def test_dates_that_a_spreadsheet_made_of_levels_are_named() -> None:
    scores = [dt.datetime(2021, 2, 1) if n % 4 == 0 else str(n % 3) for n in range(N)]
    book = workbook({"id": IDS, "ECOG": scores, "OS months": list(map(int, TIMES)),
                     "status": LIVES})  # fmt: skip
    _, cohort = taken(book)
    (finding,) = of_code(check_cohort(cohort), FindingCode.LEVEL_IS_DATE)
    assert (finding.column, finding.count) == ("ECOG", 6)
    times = [dt.datetime(1900, 1, 12) if n % 4 == 0 else n for n in range(N)]
    proposal = propose_study([workbook({"id": IDS, "OS months": times, "status": LIVES})])
    (finding,) = of_code(proposal.findings, FindingCode.ENDPOINT_NOT_FOUND)
    assert "“OS months”: some cells are dates" in finding.message


def test_days_before_months_after_the_year_are_named() -> None:
    start = [f"2020-{1 + n:02d}-0{1 + n % 9}" for n in range(N)]
    _, cohort = taken(read(text_of({"id": IDS, "First dose": start, "Death": ["2021-12-03"] * N})))
    (finding,) = of_code(check_cohort(cohort), FindingCode.DATE_ORDERS_MIXED)
    assert "12 dates of “First dose” read only as year-day-month" in finding.message


def test_survival_of_a_one_may_be_either() -> None:
    ones = [("0", "1")[n % 2] for n in range(N)]
    proposal, _ = taken(read(text_of({"id": IDS, "OS months": TIMES, "Survival": ones})))
    (asked,) = [item for item in proposal.questions if "which values" in item.text]
    assert "used both ways" in asked.reason
    proposal, _ = taken(read(text_of({"id": IDS, "OS months": TIMES, "Survived": ones})))
    assert proposal.study.definitions.endpoints["OS"].events == {"death": (0,)}


def test_apostrophes_in_front_of_cells_are_left_off() -> None:
    columns = {
        "id": [f"'{text}" for text in IDS], "age": [f"'{40 + n}" for n in range(N)],
        "OS months": [f"'{text}" for text in TIMES], "status": LIVES,
        "other": ["O'Neil", "'quoted'"] * 12,
    }  # fmt: skip
    proposal, cohort = taken(read(text_of(columns)))
    (finding,) = of_code(cohort.findings, FindingCode.APOSTROPHES_LEFT_OFF)
    assert "“id”, “age”, “OS months” begins" in finding.message
    assert numbers_of(cohort, "age").values[0] == 40.0
    assert len(survival_data(cohort, "OS").time) == N
    assert "'quoted'" in proposal.evidence["other"].samples


def test_codes_written_as_decimals_for_a_blank_cell_are_the_codes() -> None:
    columns = {
        "id": IDS, "ECOG": ["1.0", "0.0", ""] * 8, "OS months": TIMES,
        "OS event": ["1.0", "0.0", "1.0", ""] * 6, "albumin": ["1.0", "2.5"] * 12,
        "German thousands": ["1.000", "2.000"] * 12,
    }  # fmt: skip
    _, cohort = taken(read(text_of(columns)))
    assert cohort.study.definitions.endpoints["OS"].events == {"death": (1,)}
    assert cohort.study.definitions.variables["ecog"].levels == ("0", "1")
    frame = cohort.tables["subjects"].frame
    assert set(frame["albumin"]) == {"1.0", "2.5"}
    assert set(frame["German thousands"]) == {"1.000", "2.000"}


def test_a_list_of_codes_is_no_patient_table_beside_one_with_a_patient_twice() -> None:
    rows = {"id": [*IDS, "P3"], "age": [str(40 + n) for n in range(N)] + ["43"],
            "OS (months)": [*TIMES, TIMES[3]], "status": [*LIVES, LIVES[3]]}  # fmt: skip
    book = openpyxl.Workbook()
    patients, codes = book.active, book.create_sheet("Codes")
    assert patients is not None
    patients.title = "Patients"
    for row in (tuple(rows), *zip(*rows.values(), strict=True)):
        patients.append(row)
    for code in (("Code", "Meaning"), (0, "alive"), (1, "dead")):
        codes.append(code)
    out = io.BytesIO()
    book.save(out)
    proposal, cohort = taken(read_bytes("a.xlsx", out.getvalue()))
    assert proposal.study.data.tables["subjects"].sheet == "Patients"
    assert list(cohort.source_ids.values()) == IDS
    assert of_code(proposal.findings, FindingCode.ROWS_NOT_PATIENTS)
    assert survival_data(cohort, "OS").n == N


def test_sums_without_a_label_are_named_and_cost_a_short_table_no_ids() -> None:
    rows = "".join(f"P{n},{40 + n},{5 + n},{n % 2}\n" for n in range(5))
    proposal, cohort = taken(read(f"id,age,OS (months),death\n{rows},210,,\n"))
    assert proposal.study.data.tables["subjects"].subject_id == "id"
    assert list(cohort.source_ids.values()) == IDS[:5]
    assert survival_data(cohort, "OS").event.sum() == 2
    (finding,) = of_code(check_cohort(cohort), FindingCode.SUBJECT_MISSING)
    assert finding.rows == (7,)
