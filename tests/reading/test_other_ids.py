"""A table whose ids are not the patients': one finding, what both look like, what would match."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sts_core.adverse_event_forms import event_list
from sts_core.checks import check_cohort
from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.reading.assembly import assemble
from sts_core.reading.linkage import id_key
from sts_core.reading.other_ids import OtherIds, form_of, other_ids
from sts_core.reading.proposal import QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.study import IdRule, TableSource
from sts_core.study.file import dump_study, load_study
from tests.doubles import book_of, raw_table

N = range(1, 13)
MRN = [70001 + 7 * n for n in N]
PATIENTS = book_of(
    {"Patient ID": [f"P{n:03d}" for n in N], "Hospital no": MRN, "sex": ["F", "M"] * 6},
    file="patients.csv",
)
#: Two events of each of eleven patients, with ids of another registry.
AES = {
    "Patient ID": [f"{n}-{4000 + 13 * n}" for n in N for _ in "ab"],
    "MRN": [number if at else None for at, number in enumerate(MRN) for _ in "ab"],
    "Term": ["Rash", "Nausea"] * 12,
    "Grade": [1, 2, 3, 4] * 6,
}
STUDY = load_study("""
data:
  tables:
    subjects: {file: patients.csv, subject_id: Patient ID}
    adverse_events: {file: ae.csv, subject_id: Patient ID}
definitions:
  endpoints:
    TTE: {label: Time, table: adverse_events, time: Grade, event: Term, events: {death: [Rash]},
          censored: [Nausea], unit: days}
  adverse_events: {term: Term, grade: Grade}
analysis:
  criteria:
    - {kind: has_row, label: Has events, table: adverse_events}
""")


@pytest.mark.parametrize(
    ("ids", "form"),
    [
        (["P001", "P002"], "1 letter, 3 digits"),
        (["1", "12", None], "1 to 2 digits"),
        (["01-001", "02-112"], "2 digits, 1 dash, 3 digits"),
        (["\uff30\uff11"], "2 full-width characters"),
        (["a b_c.d/e-f#g"], "13 characters of several kinds"),
        (["张001", "李0012"], "1 letter, 3 to 4 digits"),
        ([None], ""),
    ],
)
def test_a_form_is_said_in_words_without_an_id(ids: list[str | None], form: str) -> None:
    assert form_of(ids) == form


def test_one_cause_is_one_finding_with_forms_columns_and_the_ones_that_agree() -> None:
    cohort = assemble(STUDY, [PATIENTS, book_of(AES, file="ae.csv")])
    errors = [item for item in check_cohort(cohort) if item.severity is Severity.ERROR]
    (finding,) = errors
    assert finding.code is FindingCode.SUBJECT_UNMATCHED
    assert finding.message == (
        "“ae.csv” is not used: none of its 12 ids in “Patient ID” (1 to 2 digits, 1 dash, "
        "4 digits) is one of the 12 in “Patient ID” of “patients.csv” (1 letter, 3 digits)."
    )
    assert finding.hint == (
        "11 of 11 ids in “MRN” are those of “Hospital no” of “patients.csv”: choose these columns "
        "on the Data page."
    )
    assert not any(text in str(finding) for text in ("P001", "4013", "70008"))
    with pytest.raises(StudyError) as refused:
        event_list(cohort)
    assert refused.value.findings == (finding,)
    found = cohort.joins["adverse_events"].other
    assert found == OtherIds("MRN", "Hospital no", 11, 11)
    tables = dict(STUDY.data.tables)
    tables["adverse_events"] = replace(
        tables["adverse_events"], subject_id=found.column, patient_column=found.patient_column
    )
    chosen = replace(STUDY, data=replace(STUDY.data, tables=tables))
    assert load_study(dump_study(chosen)) == chosen
    joined = assemble(chosen, [PATIENTS, book_of(AES, file="ae.csv")])
    assert joined.tables["adverse_events"].subject.tolist()[:3] == ["S002", "S002", "S003"]
    assert joined.joins["adverse_events"].rows_without_id == (2, 3)


def test_a_second_numbering_is_proposed_and_asked() -> None:
    books = [PATIENTS, book_of(AES, file="ae.csv")]
    proposal = propose_study(books)
    source = proposal.study.data.tables["adverse_events"]
    assert (source.subject_id, source.patient_column) == ("MRN", "Hospital no")
    (asked,) = [item for item in proposal.questions if item.kind is QuestionKind.ID_RULE]
    assert asked.path == "data.tables.adverse_events.patient_column"
    assert asked.reason.startswith("11 of 11 ids")
    assert FindingCode.TABLES_DIFFER in {item.code for item in proposal.findings}
    assert assemble(proposal.study, books).joins["adverse_events"].n_rows_matched == 22


def test_grades_and_running_numbers_are_nobodys_ids() -> None:
    patients = book_of({"id": list(N), "sex": ["F", "M"] * 6}, file="patients.csv")
    events = {**AES, "Row": list(range(1, 25)), "MRN": ["x"] * 24}
    proposal = propose_study([patients, book_of(events, file="ae.csv")])
    assert set(proposal.study.data.tables) == {"subjects"}
    (finding,) = [item for item in proposal.findings if item.code is FindingCode.SHEET_NOT_USED]
    assert "none of its 12 ids in “Patient ID”" in finding.message
    frame = raw_table(events).frame
    assert other_ids(frame, "Patient ID", raw_table({"id": list(N)}).frame, "id") is None
    named = frame.rename(columns={"Row": "Subject ID"})
    found = other_ids(named, "Patient ID", raw_table({"id": list(N)}).frame, "id")
    assert found == OtherIds("Subject ID", None, 24, 12)


def test_without_an_id_of_the_patients_that_is_the_cause() -> None:
    tables = {"subjects": TableSource(file="patients.csv"),
              "ae": TableSource(file="ae.csv", subject_id="Patient ID")}  # fmt: skip
    study = replace(STUDY, data=replace(STUDY.data, tables=tables))
    cohort = assemble(study, [PATIENTS, book_of(AES, file="ae.csv")])
    (finding,) = [item for item in cohort.findings if item.severity is Severity.ERROR]
    assert "no column of “patients.csv” is chosen as the patient id" in finding.message


def test_signs_are_forgiven_under_a_rule_of_their_own() -> None:
    for other in ("01001", "01/001", "\uff10\uff11\uff0d001", "01 001"):
        assert id_key("01-001", IdRule.SIGNS) == id_key(other, IdRule.SIGNS)
    assert id_key("1-001", IdRule.SIGNS) != id_key("01-001", IdRule.SIGNS)
    assert id_key("--", IdRule.SIGNS) == "--"
