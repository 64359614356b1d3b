"""Recognition of assessments and of treatment by row."""

from __future__ import annotations

import pytest

from sts_core.assessments import assessments_of
from sts_core.exposures import exposures_of
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import Status, dump_study, load_study
from tests.doubles import book_of

N = 6
PATIENTS = {"patient_id": [f"p{n}" for n in range(N)], "sex": ["m", "f"] * 3}
IDS = [f"p{n % N}" for n in range(2 * N)]
DATES = [f"2021-0{1 + n // N}-1{n % N}" for n in range(2 * N)]


def proposed(columns, file):
    books = [book_of(PATIENTS, file="patients.csv"), book_of(columns, file=file)]
    study = propose_study(books).study
    assert load_study(dump_study(study)) == study
    return study.definitions, assemble(study, books)


@pytest.mark.parametrize(
    ("headers", "new"),
    [
        (("assessment date", "target sum", "overall response", "new lesion"), "yes"),
        (("评估日期", "靶病灶总和", "总体疗效", "新病灶"), "有"),
    ],
)
def test_assessments_in_english_and_chinese(headers, new):
    date, size, overall, lesion = headers
    columns = {
        "patient_id": IDS,
        date: DATES,
        size: [float(30 + n) for n in range(2 * N)],
        overall: ["SD", "PR", "PD"] * 4,
        lesion: ["no" if new == "yes" else "无", new] * N,
    }
    definitions, cohort = proposed(columns, "assessments.csv")
    found = definitions.assessments
    assert (found.date, found.target_sum, found.overall, found.new_lesion) == headers
    assert found.new_lesion_values == (new,)
    assert found.status is Status.GUESSED
    read = assessments_of(cohort)
    assert read.n == 2 * N
    assert read.target_sum.tolist() == columns[size]
    assert read.new_lesion.tolist() == [False, True] * N


def test_a_parameter_file_takes_the_rows_of_visits_and_guesses_no_others():
    columns = {
        "patient_id": IDS * 2,
        "PARAMCD": ["OVRLRESP"] * 2 * N + ["BESRSPI"] * 2 * N,
        "AVALC": ["SD", "PR"] * 2 * N,
        "ADT": DATES * 2,
    }
    definitions, cohort = proposed(columns, "adrs.csv")
    assert definitions.assessments.rows == {"PARAMCD": ("OVRLRESP",)}
    assert assessments_of(cohort).n == 2 * N
    other = {**columns, "PARAMCD": ["BESRSPI"] * 2 * N + ["X"] * 2 * N}
    assert proposed(other, "adrs.csv")[0].assessments is None


def test_treatment_by_row():
    columns = {
        "patient_id": IDS,
        "drug name": ["Anlotinib", "Sintilimab"] * N,
        "start date": DATES,
        "stop date": [date.replace("2021", "2022") for date in DATES],
        "dose": [12, 200] * N,
        "reason for stopping": ["progression", "toxicity"] * N,
    }
    definitions, cohort = proposed(columns, "exposures.csv")
    found = definitions.exposures
    assert (found.drug, found.start, found.stop) == ("drug name", "start date", "stop date")
    assert (found.dose, found.reason) == ("dose", "reason for stopping")
    read = exposures_of(cohort)
    assert len(read.subject) == 2 * N
    assert not read.stop_before_start.any()


def test_single_doses_with_a_numbered_header():
    columns = {"patient_id": IDS, "TX1_DATE_INT": DATES, "dose": [1.0, 2.0] * N}
    definitions, cohort = proposed(columns, "drug1_admin.csv")
    assert definitions.exposures.start == "TX1_DATE_INT"
    assert definitions.exposures.stop is None
    assert len(exposures_of(cohort).subject) == 2 * N
