"""What headers and parameter names say about how a response was assessed."""

from __future__ import annotations

import pytest

from sts_core.reading import read_bytes
from sts_core.reading.recognise import propose_study
from sts_core.reading.response import guess_assessment, meaning_of


@pytest.mark.parametrize(
    ("words", "criteria", "confirmed", "assessor"),
    [
        (("Confirmed Best Overall Response by Investigator",), "", True, "investigator"),
        (("Best Confirmed Overall Response by BICR",), "", True, "independent review"),
        (("Unconfirmed best response (RECIST v1.1)",), "RECIST 1.1", False, None),
        (("BOR_RECIST_1_1",), "RECIST 1.1", None, None),
        (("iRECIST best response",), "iRECIST", None, None),
        (("最佳疗效（研究者，未确认）",), "", False, "investigator"),
        (("best_response",), "", None, None),
        (("confirmed BOR", "unconfirmed BOR"), "", None, None),
        ((), "", None, None),
    ],
)
def test_only_what_is_written_is_taken(
    words: tuple[str, ...], criteria: str, confirmed: bool | None, assessor: str | None
) -> None:
    found = guess_assessment(words)
    assert (found.criteria, found.confirmed, found.assessor) == (criteria, confirmed, assessor)
    assert found.minimum_stable_days is None


def test_parameter_names_of_a_long_table_are_evidence() -> None:
    subjects = "USUBJID,AGE\n" + "".join(f"P{n},{40 + n}\n" for n in range(1, 9))
    words = ("CR", "PR", "SD", "PD", "SD", "PR", "NE", "PD")
    name = "Confirmed Best Overall Response by Investigator"
    rows = "USUBJID,PARAMCD,PARAM,AVALC,AVISIT\n" + "".join(
        f"P{n},BESRSPI,{name},{word},\nP{n},OVRINV,Response by Investigator,{word},W8\n"
        for n, word in enumerate(words, 1)
    )
    proposal = propose_study(
        [read_bytes("adsl.csv", subjects.encode()), read_bytes("adrs.csv", rows.encode())]
    )
    definition = proposal.study.definitions.response
    assert definition is not None
    assert definition.confirmed is True
    assert definition.assessor == "investigator"
    assert definition.criteria == ""
    assert any(name in found.reason for found in proposal.evidence.values())


@pytest.mark.parametrize(
    ("level", "meaning"), [("完全缓解", "CR"), ("partial response", "PR"), ("x", None)]
)
def test_a_level_means_a_category(level: str, meaning: str | None) -> None:
    assert meaning_of(level) == meaning
