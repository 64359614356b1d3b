"""Few patients with two rows in a table of one: the others are joined, and these are asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sts_core.cohort import Cohort
from sts_core.derive import levels_of
from sts_core.findings import Finding, FindingCode
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.reading.several_rows import row_options
from sts_core.study import RowChoice, Study, dump_study, load_study

N = 12
WORDS = ("CR", "PR", "SD", "PD")
PATIENTS = "id,sex\n" + "".join(f"P{n},{'FM'[n % 2]}\n" for n in range(1, N + 1))
RESPONSE = "id,best_response,seen\n" + "".join(
    f"P{n},{WORDS[n % 4]},2020-01-{n:02d}\n" for n in range(1, N + 1)
)
#: P3 (row 4) has PD on 3 January; here it has NE and PR later.
AGAIN = "P3,PR,2020-03-01\nP3,NE,2020-02-01\n"
ONCE = [WORDS[n % 4] for n in range(1, N + 1)]


def files(response: str) -> list[Workbook]:
    return [
        read_bytes("patients.csv", PATIENTS.encode()), read_bytes("response.csv", response.encode())
    ]  # fmt: skip


def repeated(cohort: Cohort) -> list[Finding]:
    return [item for item in cohort.findings if item.code is FindingCode.SUBJECT_REPEATED]


def responses(cohort: Cohort) -> list[str | None]:
    return list(levels_of(cohort, "best_response").values)


@pytest.fixture(scope="module")
def proposed() -> tuple[Study, list[Workbook]]:
    books = files(RESPONSE + AGAIN)
    return propose_study(books).study, books


def test_the_others_are_joined_and_who_has_two_rows_is_not_known(
    proposed: tuple[Study, list[Workbook]],
) -> None:
    study, books = proposed
    cohort = assemble(study, books)
    assert responses(cohort) == [None if n == 2 else word for n, word in enumerate(ONCE)]
    (said,) = repeated(cohort)
    assert "S003 (rows 4, 14, 15)" in said.message
    assert (said.rows, said.table, said.column) == ((4, 14, 15), "response", "id")
    questions = [
        question
        for question in propose_study(books).questions
        if question.kind is QuestionKind.ROWS
    ]
    assert [question.path for question in questions] == ["data.tables.response.take"]
    assert study.definitions.response is not None


@pytest.mark.parametrize(
    ("take", "by", "expected"),
    [
        (RowChoice.FIRST, None, "PD"),
        (RowChoice.LAST, None, "NE"),
        (RowChoice.EARLIEST, "seen", "PD"),
        (RowChoice.LATEST, "seen", "PR"),
        (RowChoice.BEST, "best_response", "PR"),
        (RowChoice.WORST, "best_response", "PD"),
    ],
)
def test_the_row_that_is_chosen_counts_and_the_study_file_keeps_it(
    proposed: tuple[Study, list[Workbook]], take: RowChoice, by: str | None, expected: str
) -> None:
    study, books = proposed
    source = replace(study.data.tables["response"], take=take, take_by=by)
    tables = {**study.data.tables, "response": source}
    study = load_study(dump_study(replace(study, data=replace(study.data, tables=tables))))
    cohort = assemble(study, books)
    assert responses(cohort) == [expected if n == 2 else word for n, word in enumerate(ONCE)]
    assert repeated(cohort) == []
    assert take in row_options(books[1].sheets[0]).choices


def test_rows_that_say_the_same_count_once_and_nothing_is_asked() -> None:
    books = files(RESPONSE + RESPONSE.splitlines()[3] + "\n")
    proposal = propose_study(books)
    assert not [item for item in proposal.questions if item.kind is QuestionKind.ROWS]
    cohort = assemble(proposal.study, books)
    assert responses(cohort) == ONCE
    assert [item.severity.value for item in repeated(cohort)] == ["note"]


@pytest.mark.parametrize(
    ("table", "role"),
    [
        # every second patient has two rows: these are no slips
        ("id,score\n" + "".join(f"P{n},{n}\n" for n in (*range(1, 13), *range(1, 7))), None),
        ("id,visit,score\n" + "".join(f"P{n},1,{n}\n" for n in range(1, 9)) + "P3,2,5\n", None),
        ("id,date,response\n" + "".join(f"P{n},2020-01-0{n},{WORDS[n % 4]}\n" for n in range(1, 9))
         + "P3,2020-02-03,PD\n", "assessments"),
        # of so few, one says nothing
        ("id,score\nP1,1\nP2,2\nP3,3\nP3,4\n", None),
        ("id,AEDECOD,AETOXGR\nP1,x,1\nP2,y,2\nP3,z,3\nP3,x,1\n", "adverse_events"),
    ],
)  # fmt: skip
def test_tables_of_visits_and_events_stay_what_they_are(table: str, role: str | None) -> None:
    roles = propose_study(files(table)).study.data.tables
    assert [name for name in roles if name != "subjects"] == ([role] if role else [])
    assert all(source.take is not RowChoice.NONE for source in roles.values())
