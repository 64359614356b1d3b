"""Further files and other roles: what was entered stays, what is new is recognised."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sts_core.derive import levels_of
from sts_core.findings import FindingCode
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import QuestionKind, TableKind
from sts_core.reading.recognise import propose_study
from sts_core.reading.revise import add_files, give_role, remove_file, roles_of, with_files
from sts_core.study import IdRule, Status, TimeUnit
from tests.doubles import book_of

IDS = [f"P{number:02d}" for number in range(1, 13)]
PATIENTS = book_of(
    {"id": IDS, "sex": ["F", "M"] * 6, "OS days": [str(9 * at) for at in range(1, 13)],
     "death": ["1", "0", "0"] * 4},
    file="patients.csv",
)  # fmt: skip
EVENTS = book_of(
    {"id": ["P01", "P01", "P03", "P99"], "AE term": ["Rash", "Cough", "Rash", "Rash"],
     "grade": ["1", "3", "2", "2"]},
    file="ae.csv",
)  # fmt: skip
ENROLMENT = book_of({"id": IDS[::-1], "COHORT": ["A", "B"] * 6}, file="enrollment.csv")
LESIONS = book_of(
    {"id": [i for i in IDS for _ in range(2)], "lesion": ["1", "2"] * 12,
     "longest diameter": [str(at + 10) for at in range(24)]},
    file="lesions.csv",
)  # fmt: skip


def entered():
    study = propose_study([PATIENTS]).study
    os_ = replace(
        study.definitions.endpoints["OS"], unit=TimeUnit.DAYS, unit_status=Status.CONFIRMED,
        events_status=Status.CONFIRMED,
    )  # fmt: skip
    definitions = replace(study.definitions, endpoints={"OS": os_})
    return replace(study, title="Mine", definitions=definitions)


def test_a_further_file_adds_to_what_was_entered():
    study = entered()
    new, proposal, books = add_files(study, [PATIENTS], [EVENTS, ENROLMENT, LESIONS])
    assert list(new.data.tables) == ["subjects", "adverse_events", "enrollment", "lesions"]
    assert new.data.tables["subjects"] == study.data.tables["subjects"]
    assert new.definitions.endpoints == study.definitions.endpoints
    assert new.title == "Mine"
    assert new.definitions.adverse_events is not None
    cohort = assemble(new, books)
    assert cohort.joins["adverse_events"].rows_unmatched == (5,)
    assert levels_of(cohort, "arm").values[:2].tolist() == ["B", "A"]
    kinds = {item.file: item.kind for item in proposal.tables}
    assert kinds == {
        "patients.csv": TableKind.SUBJECTS, "ae.csv": TableKind.ADVERSE_EVENTS,
        "enrollment.csv": TableKind.ONE_ROW, "lesions.csv": TableKind.LESIONS,
    }  # fmt: skip


def test_a_file_of_the_same_name_takes_the_place_of_the_former():
    cut = book_of({"id": IDS[:6], "sex": ["F"] * 6, "OS days": ["9"] * 6, "death": ["1"] * 6},
                  file="patients.csv")  # fmt: skip
    assert with_files([PATIENTS, EVENTS], [cut]) == (cut, EVENTS)
    study = entered()
    new, _, books = add_files(study, [PATIENTS], [cut])
    assert new == study
    assert [book.sha256 for book in books] == [cut.sha256]
    assert assemble(new, books).n == 6


def test_a_file_is_removed_with_what_it_gave_and_nothing_else():
    study = entered()
    more, _, books = add_files(study, [PATIENTS], [EVENTS])
    assert more.definitions.adverse_events is not None
    left, proposal, kept = remove_file(more, books, "ae.csv")
    assert left == study
    assert [book.file for book in kept] == ["patients.csv"]
    assert [item.file for item in proposal.tables] == ["patients.csv"]
    with pytest.raises(ValueError, match="replaced, not removed"):
        remove_file(more, books, "patients.csv")


def test_a_role_is_taken_away_and_given_back():
    books = [PATIENTS, EVENTS]
    study, _, _ = add_files(entered(), [PATIENTS], [EVENTS])
    without, proposal = give_role(study, books, ("ae.csv", None), None)
    assert list(without.data.tables) == ["subjects"]
    assert without.definitions.adverse_events is None
    assert roles_of(without, books) == {("patients.csv", None): "subjects", ("ae.csv", None): None}
    (listed,) = [item for item in proposal.tables if item.file == "ae.csv"]
    assert (listed.role, listed.kind) == (None, TableKind.UNUSED)
    back, _ = give_role(without, books, ("ae.csv", None), "adverse_events")
    assert back == study


def test_a_table_that_nobody_knows_can_be_given_a_role():
    labs = book_of({"id": ["P01", "P01", "P02", "P03"], "value": ["1", "2", "3", "4"]},
                   file="labs.csv")  # fmt: skip
    books = [PATIENTS, labs]
    proposal = propose_study(books)
    assert list(proposal.study.data.tables) == ["subjects"]
    assert FindingCode.SHEET_NOT_USED in {item.code for item in proposal.findings}
    given, _ = give_role(proposal.study, books, ("labs.csv", None), "labs")
    assert assemble(given, books).tables["labs"].rows.tolist() == [2, 3, 4, 5]


def test_another_patient_table_keeps_what_is_said_of_the_same_columns():
    books = [PATIENTS, ENROLMENT]
    study, _, _ = add_files(entered(), [PATIENTS], [ENROLMENT])
    new, _ = give_role(study, books, ("enrollment.csv", None), "subjects")
    assert new.data.tables["subjects"].file == "enrollment.csv"
    assert new.definitions.endpoints["OS"].table == "patients"
    back, _ = give_role(study, books, ("patients.csv", None), "subjects")
    assert back.definitions.endpoints["OS"].is_confirmed


def test_a_column_of_two_tables_is_kept_once_or_named_with_its_table():
    same = book_of({"id": IDS, "sex": ["F", "M"] * 6, "site": ["x", "y"] * 6}, file="same.csv")
    variables = propose_study([PATIENTS, same]).study.definitions.variables
    assert [key for key, item in variables.items() if item.column == "sex" or key == "sex"] == [
        "sex"
    ]
    other = book_of({"id": IDS, "sex": ["M", "M"] * 5 + ["F", "M"]}, file="other.csv")
    proposal = propose_study([PATIENTS, other])
    variables = proposal.study.definitions.variables
    assert variables["other_sex"].table == "other"
    assert variables["other_sex"].column == "sex"
    (finding,) = [item for item in proposal.findings if item.code is FindingCode.TABLES_DIFFER]
    assert finding.rows == (2, 4, 6, 8, 10)
    assert (finding.file, finding.column) == ("other.csv", "sex")


def test_ids_spelled_otherwise_are_asked_about_and_not_joined():
    other = book_of({"id": [text.lower() for text in IDS], "COHORT": ["A", "B"] * 6},
                    file="enrollment.csv")  # fmt: skip
    proposal = propose_study([PATIENTS, other])
    (question,) = [item for item in proposal.questions if item.kind is QuestionKind.ID_RULE]
    assert question.guess == IdRule.SPELLING
    assert "12 of 12 ids match" in question.reason
    source = proposal.study.data.tables["enrollment"]
    assert source.id_rule is IdRule.EXACT
    cohort = assemble(proposal.study, [PATIENTS, other])
    assert "enrollment" not in cohort.tables
    assert cohort.joins["enrollment"].better is IdRule.SPELLING
    tables = {
        **proposal.study.data.tables,
        "enrollment": replace(source, id_rule=IdRule.SPELLING),
    }
    chosen = replace(proposal.study, data=replace(proposal.study.data, tables=tables))
    assert assemble(chosen, [PATIENTS, other]).joins["enrollment"].n_ids_matched == 12


def test_a_dictionary_that_comes_later_gives_codes_their_meaning_and_hides_what_identifies():
    patients = book_of({"record_id": IDS, "arm": ["1", "2"] * 6, "town": ["x", "y"] * 6},
                       file="export.csv")  # fmt: skip
    dictionary = book_of(
        {"Variable / Field Name": ["record_id", "arm", "town"],
         "Form Name": ["base"] * 3, "Field Type": ["text", "radio", "text"],
         "Field Label": ["Record", "Arm", "Town"],
         "Choices, Calculations, OR Slider Labels": [None, "1, Drug | 2, Placebo", None],
         "Identifier?": [None, None, "y"]},
        file="dictionary.csv",
    )  # fmt: skip
    study = propose_study([patients]).study
    new, proposal, books = add_files(study, [patients], [dictionary])
    assert list(new.data.tables) == ["subjects"]
    kinds = {item.file: item.kind for item in proposal.tables}
    assert kinds["dictionary.csv"] is TableKind.DICTIONARY
    assert "town" not in proposal.study.definitions.variables
    assert proposal.evidence["town"].samples == ()
    assert "town" in study.definitions.variables
    assert "town" not in new.definitions.variables
    assert new.definitions.variables["arm"].codes == {"1": "Drug", "2": "Placebo"}
    assert assemble(new, books).n == 12
