"""Numbers that begin anew in each centre: centre and number together are the patient."""

from __future__ import annotations

import pytest

from sts_core.derive import survival_data
from sts_core.findings import FindingCode, StudyError
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.study import dump_study, load_study
from tests.doubles import book_of

PAIRS = [(centre, number) for centre in ("Berlin", "Essen", "Ulm") for number in range(1, 9)]
PATIENTS = {
    "Centre": [centre for centre, _ in PAIRS],
    "Patient no": [number for _, number in PAIRS],
    "Sex": ["F", "M", "F"] * 8,
    "OS days": [10 * at + 5 for at in range(24)],
    "Death": [at % 2 for at in range(24)],
}
#: Two events of every patient but those of Ulm; one row lacks its centre.
EVENTS = {
    "Center": [*[centre for centre, _ in PAIRS[:16] for _ in "ab"][:-1], None],
    "Patient no": [str(number) for _, number in PAIRS[:16] for _ in "ab"],
    "AE term": ["Rash", "Fever"] * 16,
    "Grade": [1, 2, 3, 4] * 8,
}


def test_centre_and_number_are_the_id_and_it_is_asked() -> None:
    books = [book_of(PATIENTS, file="p.csv"), book_of(EVENTS, file="ae.csv")]
    proposal = propose_study(books)
    study = proposal.study
    assert study.data.tables["subjects"].id_with == ("Centre",)
    assert study.data.tables["subjects"].take is None
    assert study.data.tables["adverse_events"].id_with == ("Center",)
    (asked,) = [item for item in proposal.questions if item.kind is QuestionKind.SUBJECT_ID]
    assert (asked.path, asked.guess) == ("data.tables.subjects.id_with", "Centre")
    assert "24 rows, 3 values of “Centre”, 24 pairs." in asked.reason
    assert FindingCode.ROWS_NOT_PATIENTS in {item.code for item in proposal.findings}
    assert load_study(dump_study(study)) == study
    cohort = assemble(study, books)
    assert cohort.n == 24
    assert cohort.source_ids["S009"] == "Essen / 1"
    assert survival_data(cohort, "OS").n == 24
    join = cohort.joins["adverse_events"]
    assert (join.n_ids, join.n_ids_matched, join.rows_without_id) == (16, 16, (33,))
    assert cohort.tables["adverse_events"].subject.tolist()[16] == "S009"


@pytest.mark.parametrize(
    "change",
    [
        {"Centre": ["Berlin"] * 24},  # three visits in one centre
        {"Patient no": list(range(24))},  # an id of its own
        {"Centre": [None] * 24},
        {"Patient no": [1, 1, 1, 1, 2, 2, 2, 2] * 3},  # twice in each centre
    ],
)
def test_other_repeats_are_not_by_centre(change: dict[str, list[object]]) -> None:
    proposal = propose_study([book_of({**PATIENTS, **change})])
    assert proposal.study.data.tables["subjects"].id_with == ()


def test_a_part_that_is_gone_or_is_the_id_itself_is_refused() -> None:
    text = "data: {tables: {subjects: {file: p.csv, subject_id: Patient no, id_with: [Hospital]}}}"
    with pytest.raises(StudyError) as error:
        assemble(load_study(text), [book_of(PATIENTS, file="p.csv")])
    assert error.value.findings[0].code is FindingCode.COLUMN_MISSING
    with pytest.raises(StudyError):
        load_study(text.replace("Hospital", "Patient no"))
