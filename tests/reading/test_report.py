from __future__ import annotations

from typing import Any

import pytest
import yaml

from sts_core.reading.recognise import propose_study
from sts_core.reading.report import inspection_text
from sts_core.study import load_study
from tests.doubles import book_of

COLUMNS: dict[str, list[Any]] = {
    "Patient ID": ["ZX-4711", "ZX-4712", "ZX-4713", "ZX-4714"],
    "Name": ["Ada Meyer", "Bo Wang", "Cy Smith", "Di Jones"],
    "comments": ["seen on Monday", "moved to Kiel", "seen on Monday", "ok"],
    "birth date": ["1950-03-04", "1961-07-08", "1970-01-02", "1971-01-02"],
    "sex": ["F", "M", "F", "F"],
    "first dose date": ["2019-03-14", "2019-04-15", "2019-05-16", "2019-06-17"],
    "OS months": ["12.34", "23.45", "34.56", "-4.5"],
    "death": ["0", "1", "0", "1"],
}


def text_of_report(columns: dict[str, list[Any]]) -> str:
    books = [book_of(columns)]
    return inspection_text(books, propose_study(books))


def test_the_report_has_what_was_recognised_the_study_file_and_the_findings() -> None:
    text = text_of_report(COLUMNS)
    for title in ("Files", "Tables", "Columns", "To confirm", "Findings", "Proposed study file"):
        assert f"{title}\n{'=' * len(title)}\n" in text
    assert "subjects: patients.csv, patient id “Patient ID”" in text
    assert "Counts: 0 (2), 1 (2)" in text
    assert "F (3), M (1)" in text
    assert "time below zero" in text


def test_the_study_file_in_the_report_can_be_loaded() -> None:
    text = text_of_report(COLUMNS)
    document = text.split("===================\n")[-1]
    assert load_study(document) == propose_study([book_of(COLUMNS)]).study
    assert yaml.safe_load(document)["schema_version"] == 1


@pytest.mark.parametrize(
    "column", ["Patient ID", "Name", "comments", "birth date", "first dose date"]
)
def test_no_id_no_free_text_and_no_single_date_is_printed(column: str) -> None:
    text = text_of_report(COLUMNS)
    for cell in COLUMNS[column]:
        if cell != "ok":
            assert cell not in text


def test_dates_that_read_two_ways_are_not_quoted() -> None:
    columns = {"first dose date": ["1/2/2020", "3/4/2020"], "death date": ["5/6/2021", "7/8/2021"]}
    text = text_of_report(columns)
    assert "day/month/year" in text
    for cells in columns.values():
        assert not any(cell in text for cell in cells)
    assert "February" not in text


def test_a_table_that_cannot_be_assembled_is_reported_not_raised() -> None:
    columns = {"id": ["a", "a", "b"], "time": ["1", "2", "3"], "status": ["1", "1", "0"]}
    text = text_of_report(columns)
    assert "error: 1 patient has more than one row" in text


def test_a_file_without_patients_has_no_study_tables_but_says_why() -> None:
    columns = {"USUBJID": ["a", "a"], "AEDECOD": ["x", "y"], "AETOXGR": ["1", "2"]}
    text = text_of_report(columns)
    assert "No table has one row per patient" in text
    assert "Tables\n======\nnot used: patients.csv, 2 rows, 3 columns" in text


def test_the_report_says_how_each_table_belongs_to_the_patients() -> None:
    patients = {"Patient ID": ["1", "2", "3"], "sex": ["F", "M", "F"], "age": ["50", "61", "72"]}
    doses = {"Patient ID": ["1", "2", "2", "9"], "drug": ["A", "B", "A", "A"], "dose": [*"1234"]}
    notes = {"what": ["x"], "why": ["y"]}
    books = [book_of(patients), book_of(doses, file="doses.csv"), book_of(notes, file="notes.csv")]
    text = inspection_text(books, propose_study(books))
    tables = text.split("Tables\n======\n")[1].split("\n\n")[0]
    assert "subjects: patients.csv, patient id “Patient ID”; 3 rows, 3 columns" in tables
    assert "not used: notes.csv, 1 row, 2 columns\n    none of its columns has the ids" in tables
    assert "exposures: doses.csv, patient id “Patient ID”; 4 rows, 3 columns" in tables
    assert "3 of 4 rows and 2 of 3 ids belong to patients (ids as they are written)" in tables
    assert "1 of 3 patients without a row, which means not known; 1 with several" in tables
