"""Questions of recognition are open until the study answers them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sts_core.findings import FindingCode
from sts_core.reading.answers import agreed_with, unanswered
from sts_core.reading.recognise import propose_study
from sts_core.study import dump_study, load_study
from tests.confirming import confirmed
from tests.doubles import book_of

N = 24
COLUMNS = {
    "id": [f"p{n}" for n in range(N)],
    "age": [40 + n for n in range(N - 4)] + [-99] * 4,
    "cells": [f"{n + 1},{100 + n}" for n in range(N)],
}
ASKED = (FindingCode.CODE_SUSPECTED, FindingCode.NUMBER_AMBIGUOUS, FindingCode.ENDPOINT_NOT_FOUND)


def open_codes(proposal, study):
    return {item.code for item in unanswered(proposal.findings, study)} & {*ASKED}


def test_each_question_is_closed_by_agreeing_with_it():
    proposal = propose_study([book_of(COLUMNS)])
    study = proposal.study
    assert open_codes(proposal, study) == {*ASKED}
    for code in ASKED[:2]:
        (finding,) = [item for item in proposal.findings if item.code is code]
        study = agreed_with(study, finding)
        assert code not in open_codes(proposal, load_study(dump_study(study)))
    (missing,) = [item for item in proposal.findings if item.code is ASKED[2]]
    assert agreed_with(study, missing) is None


@pytest.mark.parametrize("column", ["time (months)", "time (days)"])
def test_a_code_among_times_is_answered_with_the_endpoint(column):
    times = [float(3 + n % 30) for n in range(N - 4)] + [9999.0] * 4
    proposal = propose_study(
        [book_of({"id": COLUMNS["id"], column: times, "status": ["dead", "alive"] * 12})]
    )
    assert open_codes(proposal, proposal.study) == {FindingCode.CODE_SUSPECTED}
    assert open_codes(proposal, confirmed(proposal.study)) == set()
    without = replace(proposal.study, definitions=replace(proposal.study.definitions, endpoints={}))
    assert open_codes(proposal, without) == set()
