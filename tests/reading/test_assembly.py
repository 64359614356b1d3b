from __future__ import annotations

import numpy as np
import pytest

from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.reading.assembly import assemble, find_table
from sts_core.study import DataSection, Study, TableSource
from tests.doubles import FILE, book_of, cohort_of, raw_table, workbook


def codes(error: StudyError) -> list[FindingCode]:
    return [finding.code for finding in error.findings]


def study_of(**tables: TableSource) -> Study:
    return Study(data=DataSection(tables))


def test_patients_get_running_ids_in_file_order() -> None:
    cohort = cohort_of({"id": ["b", "a", "c"]}, subject_id="id")
    assert cohort.subjects.tolist() == ["S001", "S002", "S003"]
    assert dict(cohort.source_ids) == {"S001": "b", "S002": "a", "S003": "c"}
    assert cohort.n == cohort.n_in_file == 3
    assert cohort.row_of("S003") == 4


def test_without_an_id_each_row_is_a_patient() -> None:
    cohort = cohort_of({"x": ["1", "1"]})
    assert cohort.n == 2
    assert dict(cohort.source_ids) == {"S001": "row 2", "S002": "row 3"}


def test_ids_of_many_patients_keep_one_width() -> None:
    cohort = cohort_of({"x": [str(n) for n in range(1000)]})
    assert cohort.subjects[0] == "S0001"
    assert cohort.subjects[-1] == "S1000"


def test_rows_without_id_are_left_out_and_said() -> None:
    cohort = cohort_of({"id": ["a", None, " ", "NA", "b"]}, subject_id="id")
    assert cohort.n == 2
    (finding,) = cohort.findings
    assert finding.code is FindingCode.SUBJECT_MISSING
    assert finding.rows == (3, 4, 5)
    assert finding.count == 3


def test_a_repeated_id_is_refused_with_its_rows() -> None:
    with pytest.raises(StudyError) as caught:
        cohort_of({"id": ["a", "b", "a ", "c"]}, subject_id="id")
    (finding,) = caught.value.findings
    assert finding.code is FindingCode.SUBJECT_REPEATED
    assert finding.rows == (2, 4)
    assert finding.column == "id"


def test_an_error_never_quotes_a_cell() -> None:
    with pytest.raises(StudyError) as caught:
        cohort_of({"id": ["Mary Smith", "Mary Smith"]}, subject_id="id")
    assert "Mary" not in str(caught.value)


def test_a_missing_id_column_names_those_that_look_alike() -> None:
    with pytest.raises(StudyError) as caught:
        cohort_of({"patient_id": ["a"]}, subject_id="patientid")
    (finding,) = caught.value.findings
    assert finding.code is FindingCode.COLUMN_MISSING
    assert "patient_id" in finding.hint


def test_a_row_filter_keeps_its_rows_and_their_numbers() -> None:
    source = TableSource(file=FILE, subject_id="id", rows={"PARAMCD": ("OS",)})
    cells = {"id": ["a", "a", "b", "b"], "PARAMCD": ["PFS", "OS", "PFS", "OS"]}
    cohort = cohort_of(cells, source=source)
    assert cohort.n == 2
    assert cohort.tables["subjects"].rows.tolist() == [3, 5]


def test_a_row_filter_may_ask_for_a_number() -> None:
    source = TableSource(file=FILE, subject_id="id", rows={"etype": (1,)})
    cohort = cohort_of({"id": ["a", "a"], "etype": ["1", "2"]}, source=source)
    assert cohort.n == 1


def test_a_row_filter_may_ask_for_a_word_that_elsewhere_means_missing() -> None:
    source = TableSource(file=FILE, rows={"country": ("NA",)})
    cohort = cohort_of({"country": ["NA", "CN", "NA"]}, source=source)
    assert cohort.n == 2


def test_a_row_filter_without_a_row_is_said() -> None:
    source = TableSource(file=FILE, rows={"PARAMCD": ("XX",)})
    cohort = cohort_of({"PARAMCD": ["OS"]}, source=source)
    assert cohort.n == 0
    assert [finding.code for finding in cohort.findings] == [FindingCode.ROW_FILTER_EMPTY]


def test_other_tables_are_joined_by_id_and_strangers_said() -> None:
    cohort = cohort_of(
        {"id": ["a", "b"]},
        subject_id="id",
        others={
            "adverse_events": (
                TableSource(file="ae.csv", subject_id="patient"),
                {"patient": ["b", "x", "b", None], "term": ["Fatigue", "Rash", "Pain", "Cough"]},
            )
        },
    )
    table = cohort.tables["adverse_events"]
    assert table.subject.tolist() == ["S002", "S002"]
    assert table.column("term").tolist() == ["Fatigue", "Pain"]
    assert table.rows.tolist() == [2, 4]
    (finding,) = cohort.findings
    assert finding.code is FindingCode.SUBJECT_UNMATCHED
    assert finding.severity is Severity.WARNING
    assert finding.rows == (3, 5)


def test_numeric_and_written_ids_are_the_same_patient() -> None:
    cohort = cohort_of(
        {"id": [1.0, 2.0]},
        subject_id="id",
        others={"visits": (TableSource(file="visits.csv", subject_id="id"), {"id": ["2", "1"]})},
    )
    assert cohort.tables["visits"].subject.tolist() == ["S002", "S001"]


def test_a_study_without_patients_is_refused() -> None:
    with pytest.raises(StudyError) as caught:
        assemble(Study(), [book_of({"x": ["1"]})])
    assert codes(caught.value) == [FindingCode.TABLE_MISSING]


def test_the_next_data_cut_may_have_another_file_name() -> None:
    book = book_of({"id": ["a"]}, file="cut_2.csv")
    assert assemble(study_of(subjects=TableSource(file="cut_1.csv")), [book]).n == 1


def test_of_several_files_the_named_one_is_taken() -> None:
    books = [book_of({"id": ["a"]}, file="a.csv"), book_of({"id": ["b", "c"]}, file="b.csv")]
    assert assemble(study_of(subjects=TableSource(file="b.csv")), books).n == 2
    with pytest.raises(StudyError) as caught:
        assemble(study_of(subjects=TableSource(file="c.csv")), books)
    assert "a.csv" in caught.value.findings[0].hint


def test_a_sheet_is_found_by_its_name() -> None:
    first = raw_table({"x": ["1"]}, sheet="Notes")
    second = raw_table({"x": ["1", "2"]}, sheet="Patients")
    books = [workbook(first, second)]
    assert find_table(books, TableSource(file=FILE, sheet="Patients"), "subjects") is second
    with pytest.raises(StudyError) as caught:
        find_table(books, TableSource(file=FILE, sheet="Visits"), "subjects")
    assert "Patients" in caught.value.findings[0].hint


def test_the_hash_of_the_data_does_not_depend_on_the_order_of_files() -> None:
    books = [book_of({"id": ["a"]}, file="a.csv"), book_of({"id": ["b"]}, file="b.csv")]
    study = study_of(subjects=TableSource(file="a.csv"))
    assert assemble(study, books).data_hash == assemble(study, books[::-1]).data_hash


def test_everybody_is_included_before_criteria() -> None:
    cohort = cohort_of({"id": ["a", "b"]}, subject_id="id")
    assert np.array_equal(cohort.included, [True, True])
    assert cohort.flow.n_start == cohort.flow.n_end == 2
