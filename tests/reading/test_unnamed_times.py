"""Times and status columns that only short names pair: proposed and asked, never taken."""

from __future__ import annotations

import pytest

from sts_core.checks import check_cohort
from sts_core.findings import FindingCode
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.reading.sheet import profile_sheet
from sts_core.reading.unnamed_times import pairs_of
from tests.doubles import book_of, raw_table

N = range(40)
CELLS = {
    "group": [n % 3 for n in N],
    "t1": [7 * n + 1 for n in N],
    "t2": [7 * n + 1 for n in N],
    "d1": [n % 2 for n in N],
    "d2": [int(n % 4 == 0) for n in N],
    "d3": [int(n % 4 != 3) for n in N],
    "z1": [20 + n for n in N],
    "z3": [n % 2 for n in N],
}


def test_pairs_are_proposed_and_nothing_is_confirmed() -> None:
    books = [book_of(CELLS, file="bmt.csv")]
    proposal = propose_study(books)
    endpoints = proposal.study.definitions.endpoints
    assert {code: (item.time, item.event) for code, item in endpoints.items()} == {
        "T1": ("t1", "d1"), "T2": ("t2", "d2"),
    }  # fmt: skip
    assert not any(item.is_confirmed for item in endpoints.values())
    assert {item.unit for item in endpoints.values()} == {None}
    first = proposal.questions[0]
    assert first.kind is QuestionKind.ENDPOINT
    assert "“t1” with “d1”, “t2” with “d2”? And times to what?" in first.text
    (finding,) = [item for item in proposal.findings if item.code is FindingCode.ENDPOINT_NOT_FOUND]
    assert "“d3” may be a status too, without a time of its own." in finding.message
    assert not {"t1", "d1", "t2", "d2"} & set(proposal.study.definitions.variables)
    waiting = [
        item
        for item in check_cohort(assemble(proposal.study, books))
        if item.code is FindingCode.STUDY_UNCONFIRMED
    ]
    assert len(waiting) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"d1": [n % 3 for n in N]},  # three values
        {"t1": [-1, *range(39)]},  # negative
        {"t1": [n % 5 for n in N]},  # a grade
        {"t1": [f"2020-01-{n % 28 + 1:02d}" for n in N]},  # a date
    ],
)
def test_what_can_be_no_time_or_status_is_no_pair(change: dict[str, list[object]]) -> None:
    cells = {"t1": CELLS["t1"], "d1": CELLS["d1"], **change}
    assert pairs_of(profile_sheet(raw_table(cells))) == []


def test_other_names_and_a_recognised_endpoint_give_no_pair() -> None:
    assert pairs_of(profile_sheet(raw_table({"age": CELLS["t1"], "sex": CELLS["d1"]}))) == []
    named = {**CELLS, "OS_days": CELLS["t1"], "death": CELLS["d1"]}
    assert set(propose_study([book_of(named)]).study.definitions.endpoints) == {"OS"}
