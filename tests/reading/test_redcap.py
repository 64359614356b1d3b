"""Exports of a data-capture system with their dictionary, and dictionaries in general."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from sts_core.findings import Finding, FindingCode
from sts_core.reading import RawTable, Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.reading.redcap import apply_dictionaries
from tests.doubles import raw_table, workbook

DICTIONARY = (
    "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Field Note,'
    "Text Validation Type OR Show Slider Number,Identifier?\n"
    "record_id,demographics,,text,Record ID,,,,\n"
    "surname,demographics,,text,Family name,,,,y\n"
    'sex,demographics,,radio,<b>Sex</b> at birth,"1, Male | 2, Female",,,\n'
    'symptom,demographics,,checkbox,Symptoms,"1, Pain | 2, Swelling, painless | -9, Unknown",,,\n'
    "smoker,demographics,,yesno,Ever smoked,,,,\n"
    'bmi,demographics,,calc,Body mass index,"round([weight]/[height]^2,1)",,,\n'
    "ae_term,adverse_events,,text,Term,,,,\n"
    "ae_grade,adverse_events,,text,Grade,,,,\n"
)
DATA = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,surname,sex,"
    "symptom___1,symptom___2,symptom____9,smoker,bmi,ae_term,ae_grade\n"
    "1,baseline_arm_1,,,Abel,1,1,0,0,1,22.5,,\n"
    "1,visit_2_arm_1,,,,,,,,,23.0,,\n"
    "1,baseline_arm_1,adverse_events,1,,,,,,,,Rash,2\n"
    "1,baseline_arm_1,adverse_events,2,,,,,,,,Fever,1\n"
    "2,baseline_arm_2,,,Berg,2,0,1,0,0,27.1,,\n"
    "2,visit_2_arm_2,,,,,,,,,27.0,,\n"
    "3,baseline_arm_1,,,Cohn,2,0,0,1,0,31.0,,\n"
)


def read(name: str, text: str) -> Workbook:
    return read_bytes(name, text.encode())


def found(book: Workbook, code: FindingCode) -> list[Finding]:
    return [finding for finding in book.findings if finding.code is code]


@pytest.fixture(scope="module")
def books() -> list[Workbook]:
    return [read("data.csv", DATA), read("dictionary.csv", DICTIONARY)]


def tables(book: Workbook) -> dict[str | None, RawTable]:
    return {table.sheet: table for table in book.sheets}


@pytest.mark.parametrize("dictionary_first", [False, True])
def test_dictionary_gives_columns_and_codes_their_meaning(
    books: list[Workbook], *, dictionary_first: bool
) -> None:
    given = books[::-1] if dictionary_first else books
    applied = {book.file: book for book in apply_dictionaries(given)}
    assert list(applied) == [book.file for book in given]
    patients = applied["data.csv"].sheets[0]
    assert patients.column_labels["sex"] == "Sex at birth"
    assert patients.column_labels["symptom___2"] == "Symptoms: Swelling, painless"
    assert patients.column_labels["symptom____9"] == "Symptoms: Unknown"
    assert patients.value_labels["sex"] == {"1": "Male", "2": "Female"}
    assert patients.value_labels["symptom___1"] == {"0": "No", "1": "Yes"}
    assert patients.value_labels["smoker"] == {"0": "No", "1": "Yes"}
    assert "bmi" not in patients.value_labels  # a calculation is no list of codes
    assert patients.private == {"surname"}
    (dictionary,) = applied["dictionary.csv"].sheets
    assert dictionary.dictionary
    assert found(applied["data.csv"], FindingCode.DICTIONARY_APPLIED)


def test_rows_of_visits_and_repeated_forms_become_tables_of_their_own(
    books: list[Workbook],
) -> None:
    book, _ = apply_dictionaries(books)
    parts = tables(book)
    assert list(parts) == ["baseline", "visit_2", "adverse_events"]
    assert parts["baseline"].frame["record_id"].tolist() == ["1", "2", "3"]
    assert parts["baseline"].row_numbers.tolist() == [2, 6, 8]
    assert parts["visit_2"].frame["bmi"].tolist() == ["23.0", "27.0"]
    events = parts["adverse_events"].frame
    assert events[["record_id", "ae_term", "ae_grade"]].to_numpy().tolist() == [
        ["1", "Rash", "2"],
        ["1", "Fever", "1"],
    ]
    assert "surname" not in events.columns
    assert sum(len(part.frame) for part in book.sheets) == len(books[0].sheets[0].frame)
    (finding,) = found(book, FindingCode.ROWS_SPLIT)
    assert "3 rows of “baseline”" in finding.message


def test_doing_it_again_changes_nothing(books: list[Workbook]) -> None:
    once = apply_dictionaries(books)
    twice = apply_dictionaries(once)
    assert [list(tables(book)) for book in twice] == [list(tables(book)) for book in once]
    assert [book.findings for book in twice] == [book.findings for book in once]


def test_only_the_baseline_rows_are_patients_and_the_name_stays_out(
    books: list[Workbook],
) -> None:
    applied = apply_dictionaries(books)
    proposal = propose_study(applied)
    cohort = assemble(proposal.study, applied)
    assert cohort.n_in_file == 3
    assert proposal.study.data.tables["subjects"].sheet == "baseline"
    columns = {
        variable.column or key for key, variable in proposal.study.definitions.variables.items()
    }
    assert "surname" not in columns
    assert "Abel" not in repr(proposal.evidence)


def test_labelled_export_is_parted_and_its_name_column_marked() -> None:
    data = (
        "Record ID,Event Name,Repeat Instrument,Repeat Instance,Family name,Sex at birth\n"
        "1,Baseline (Arm 1: Drug A),,,Abel,Male\n"
        "1,Visit 2 (Arm 1: Drug A),,,,\n"
        "2,Baseline (Arm 2: Drug B),,,Berg,Female\n"
    )
    book, _ = apply_dictionaries([read("labels.csv", data), read("dd.csv", DICTIONARY)])
    assert list(tables(book)) == ["Baseline", "Visit 2"]
    assert book.sheets[0].private == {"Family name"}
    assert book.sheets[0].frame["Sex at birth"].tolist() == ["Male", "Female"]


def test_labelled_export_of_a_project_without_events_is_parted_by_its_repeated_form() -> None:
    data = (
        "Study ID,Repeat Instrument,Repeat Instance,Sex,Complete?,Adverse event,Grade,Complete?\n"
        "1,,,Male,Complete,,,\n"
        "1,Adverse events,1,,,Rash,Grade 2,Complete\n"
        "1,Adverse events,2,,,Fever,Grade 1,Complete\n"
        "2,,,Female,Complete,,,\n"
    )
    (book,) = apply_dictionaries([read("labels.csv", data)])
    assert list(tables(book)) == ["patients", "Adverse events"]
    assert book.sheets[0].frame["Sex"].tolist() == ["Male", "Female"]
    assert propose_study([book]).study.data.tables["adverse_events"].subject_id == "Study ID"


def test_plain_tables_are_the_very_same_objects() -> None:
    plain = [read("a.csv", "id,event name,x\n1,a,2\n2,b,3\n"), read("b.csv", "id,y\n1,2\n2,3\n")]
    applied = apply_dictionaries(plain)
    assert [book.sheets[0] for book in applied] == [book.sheets[0] for book in plain]
    assert [book.findings for book in applied] == [book.findings for book in plain]


def test_dictionary_sheet_of_a_workbook_and_a_value_that_it_does_not_list() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "DataDictionary"
    for row in (
        ["VariableName", "Description (optional)", "Type", "Minimum", "Levels"],
        ["ID", "patient number", "character", None, None],
        ["Gender", "Gender of the patient", "category", None, "m=Male,f=Female"],
        ["Stage", "Stage at diagnosis", "category", None, "T1,T2"],
        ["Dead", "Dead at last contact", "category", None, "0: no; 1: yes"],
    ):
        sheet.append(row)
    data = workbook.create_sheet("Data")
    for row in (
        ["ID", "Gender", "Stage", "Dead"], [1, "m", "T1", 0], [2, "F", "T2", 1], [3, "f", "T1", 1],
    ):  # fmt: skip
        data.append(row)
    stream = io.BytesIO()
    workbook.save(stream)
    (book,) = apply_dictionaries([read_bytes("a.xlsx", stream.getvalue())])
    assert [table.dictionary for table in book.sheets] == [True, False]
    table = book.sheets[1]
    assert table.value_labels == {
        "Gender": {"m": "Male", "f": "Female"},
        "Dead": {0: "no", 1: "yes"},
    }
    assert table.column_labels["Stage"] == "Stage at diagnosis"
    (finding,) = found(book, FindingCode.VALUE_NOT_IN_DICTIONARY)
    assert (finding.column, finding.rows) == ("Gender", (3,))
    assert "F”" not in finding.message  # what stands there is in the query list, when asked for
    assert "holds a value that the data dictionary doesn't list, in 1 row" in finding.message


def test_dictionary_of_other_data_is_not_applied() -> None:
    other = read("other.csv", "id,age,os\n1,50,3\n2,61,4\n")
    applied, dictionary = apply_dictionaries([other, read("dd.csv", DICTIONARY)])
    assert applied.sheets[0].column_labels == {}
    assert dictionary.sheets[0].dictionary  # by its columns alone
    assert found(applied, FindingCode.DICTIONARY_APPLIED) == []


def test_table_with_a_column_called_variable_is_no_dictionary() -> None:
    long = read("long.csv", "id,variable,label,values\n1,age,Age,50\n2,age,Age,61\n")
    patients = read("p.csv", "id,age\n1,50\n2,61\n")
    applied = apply_dictionaries([long, patients])
    assert [book.sheets[0].dictionary for book in applied] == [False, False]


@pytest.mark.parametrize(
    "listed", ["Male, Female", "Male; Female", "Male, Female; blank: not asked", "Male/Female"]
)
def test_plain_levels_of_a_dictionary_are_no_codes(listed: str) -> None:
    dictionary = f'variable,description,values\nid,Patient,\nsex,Sex of the patient,"{listed}"\n'
    data = "id,sex\n1,Male\n2,Female\n3,Male\n"
    book = next(
        book
        for book in apply_dictionaries([read("data.csv", data), read("dictionary.csv", dictionary)])
        if book.file == "data.csv"
    )
    assert book.sheets[0].value_labels == {}
    assert found(book, FindingCode.VALUE_NOT_IN_DICTIONARY) == []


def test_sample_is_not_relabelled_by_its_own_dictionary() -> None:
    path = Path(__file__).parents[2] / "sample_data" / "sts_cohort.xlsx"
    (book,) = apply_dictionaries([read_bytes(path.name, path.read_bytes())])
    assert found(book, FindingCode.VALUE_NOT_IN_DICTIONARY) == []
    assert all(dict(sheet.value_labels) == {} for sheet in book.sheets)


def test_plain_levels_and_bounds_of_a_dictionary_are_compared_with_the_cells() -> None:
    columns = {
        "ID": ["1", "2", "3", "4"],
        "Age": ["45", "36", "70", "111"],
        "Stage": ["T0", "T1", "T6", "T1"],
        "Diagnosis": ["2019-02-01", "1945-05-13", "2020-01-01", "2020-01-01"],
        "Death": ["2019-03-01", "2020-01-01", "2019-12-31", None],
    }
    dictionary = {
        "VariableName": list(columns),
        "Description": ["id", "age", "stage", "diagnosis", "death"],
        "Type": ["character", "numeric", "category", "date", "date"],
        "Minimum": [None, "40", None, "2019-01-01", "Diagnosis"],
        "Maximum": [None, "110", None, "today", None],
        "Levels": [None, None, "T0,T1,T2", None, None],
    }
    book = workbook(raw_table(columns, sheet="Data"), raw_table(dictionary, sheet="Dictionary"))
    found = {
        item.column: (item.rows, item.message)
        for item in apply_dictionaries([book])[0].findings
        if item.code is FindingCode.VALUE_NOT_IN_DICTIONARY
    }
    assert {column: rows for column, (rows, _) in found.items()} == {
        "Age": (3, 5), "Stage": (4,), "Diagnosis": (3,), "Death": (4,),
    }  # fmt: skip
    assert "below 40 or above 110" in found["Age"][1]
    assert "below “Diagnosis”" in found["Death"][1]


def test_dictionary_with_short_headers_is_recognised() -> None:
    (book, _) = apply_dictionaries(
        [
            read_bytes("data.csv", b"patient_id,sex,ecog\np1,m,0\np2,x,1\np3,f,2\n"),
            read_bytes(
                "dictionary.csv",
                b"Name,Label,Type,Min,Max,Allowed values\n"
                b'sex,Sex,category,,,"m=Male,f=Female"\necog,ECOG,integer,0,5,\n',
            ),
        ]
    )
    assert book.sheets[0].column_labels["ecog"] == "ECOG"
    (finding,) = found(book, FindingCode.VALUE_NOT_IN_DICTIONARY)
    assert (finding.column, finding.rows) == ("sex", (3,))
