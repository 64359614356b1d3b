"""Numbers that mean "not known", marks inside numbers, and words in a column of dates."""

from __future__ import annotations

from typing import Any

import pytest

from sts_core.derive import levels_of, numbers_of, survival_data
from sts_core.findings import FindingCode
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import Proposal, QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.study.types import VariableKind
from tests.confirming import confirmed
from tests.doubles import book_of

N = 12
BASE: dict[str, list[Any]] = {
    "id": [str(number) for number in range(101, 101 + N)],
    "OS days": [
        "306", "455", "1010", "210", "883", "1022", "310", "361", "218", "166", "170", "654",
    ],
    "OS status": ["0", "1"] * (N // 2),
}  # fmt: skip


def cycle(*cells: str) -> list[str]:
    return [cells[at % len(cells)] for at in range(N)]


def proposed(column: str, cells: list[str], **more: Any) -> Proposal:
    return propose_study([book_of({**BASE, column: cells}, **more)])


def codes_asked(proposal: Proposal) -> list[str | None]:
    return [item.guess for item in proposal.questions if item.kind is QuestionKind.MISSING_CODE]


@pytest.mark.parametrize(
    ("column", "cells", "codes", "kind"),
    [
        ("age", cycle("45", "67", "999", "52", "33"), ("999",), VariableKind.NUMERIC),
        ("ldh", cycle("120", "220", "-9", "330", "-1"), ("-9", "-1"), VariableKind.NUMERIC),
        ("size", cycle("4.5", "7", "99", "12"), ("99",), VariableKind.NUMERIC),
        ("margin", cycle("0", "1", "9", "1"), ("9",), VariableKind.CATEGORICAL),
        ("x", cycle("0", "1", "99"), ("99",), VariableKind.CATEGORICAL),
        ("sex", cycle("1", "2", "9"), ("9",), VariableKind.CATEGORICAL),
    ],
)
def test_a_code_that_stands_apart_counts_as_not_known_and_is_asked(
    column: str, cells: list[str], codes: tuple[str, ...], kind: VariableKind
) -> None:
    proposal = proposed(column, cells)
    (key,) = proposal.study.definitions.variables
    variable = proposal.study.definitions.variables[key]
    assert (variable.missing_codes, variable.kind) == (codes, kind)
    assert codes_asked(proposal) == [f"{', '.join(codes)} = not known"]
    assert "is taken for “not known”" in proposal.evidence[column].reason
    (finding,) = [item for item in proposal.findings if item.code is FindingCode.CODE_SUSPECTED]
    assert finding.count == sum(cell in codes for cell in cells)
    cohort = assemble(confirmed(proposal.study), [book_of({**BASE, column: cells})])
    n_known = N - finding.count
    if kind is VariableKind.NUMERIC:
        values = numbers_of(cohort, key).values
        assert (values == values).sum() == n_known
        assert values[values == values].max() < 999
    else:
        assert sum(level is not None for level in levels_of(cohort, key).values) == n_known


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("age", cycle("45", "67", "88", "99", "33")),
        ("weight", cycle("55", "99", "101", "72")),
        ("score", cycle("-1", "0.4", "-0.3", "1.2", "2.2")),
        ("platelets", cycle("150", "999", "420", "870")),
        ("nodes", cycle("0", "3", "9", "12", "5", "7")),
    ],
)
def test_a_number_among_others_of_its_size_stays_one(column: str, cells: list[str]) -> None:
    proposal = proposed(column, cells)
    assert codes_asked(proposal) == []
    assert not any(item.missing_codes for item in proposal.study.definitions.variables.values())


def test_a_nine_beside_several_levels_is_asked_and_stays() -> None:
    proposal = proposed("ecog", cycle("0", "1", "2", "9", "1"))
    assert codes_asked(proposal) == [None]
    variable = proposal.study.definitions.variables["ecog"]
    assert (variable.missing_codes, variable.levels) == ((), ("0", "1", "2", "9"))
    (finding,) = [item for item in proposal.findings if item.code is FindingCode.CODE_SUSPECTED]
    assert "They count as values" in finding.message


@pytest.mark.parametrize("meaning", ["Unknown", "not done", "Refused", "未知", "未查"])
def test_a_code_that_the_file_labels_as_unknown_is_no_level(meaning: str) -> None:
    labels = {"sex": {"1": "Male", "2": "Female", "9": meaning}}
    proposal = proposed("sex", cycle("1", "2", "9"), value_labels=labels)
    sex = proposal.study.definitions.variables["sex"]
    assert (sex.missing_codes, sex.levels) == (("9",), ("Female", "Male"))
    assert "9 (4) is labelled “not known”" in proposal.evidence["sex"].reason
    assert codes_asked(proposal) == []


def test_a_label_on_a_missing_code_alone_leaves_a_column_numeric() -> None:
    labels = {"age": {"998": "Unknown"}}
    proposal = proposed("age", cycle("45", "67", "998", "52"), value_labels=labels)
    age = proposal.study.definitions.variables["age"]
    assert (age.kind, age.missing_codes) == (VariableKind.NUMERIC, ("998",))


def test_a_code_among_times_is_no_time_where_it_is_nothing_else() -> None:
    columns = {**BASE, "OS days": [*BASE["OS days"][:-1], "9999"]}
    proposal = propose_study([book_of(columns)])
    assert proposal.study.data.tables["subjects"].missing_codes == ("9999",)
    assert codes_asked(proposal) == ["9999 = not known"]
    cohort = assemble(confirmed(proposal.study), [book_of(columns)])
    assert survival_data(cohort, "OS").n == N - 1


def test_a_code_among_times_that_is_a_value_elsewhere_is_said_and_stays() -> None:
    columns = {**BASE, "OS days": [*BASE["OS days"][:-1], "9999"], "dose": cycle("9999", "8700")}
    proposal = propose_study([book_of(columns)])
    assert proposal.study.data.tables["subjects"].missing_codes == ()
    (finding,) = [item for item in proposal.findings if item.code is FindingCode.CODE_SUSPECTED]
    assert "They count as times" in finding.message


@pytest.mark.parametrize(
    ("cells", "highest", "asked"),
    [
        (cycle("1,234", "2,345", "987", "12,345"), 12345.0, True),
        (cycle("1 234", "2 345", "987", "12 345"), 12345.0, False),
        (cycle("1.234,5", "2.345,1", "987,2", "12.345,8"), 12345.8, False),
        (cycle("1,234,567", "2,345", "987", "12,345.5"), 1234567.0, False),
        (cycle("0,987", "1,234", "2,345"), 2.345, False),
        (cycle("1.234", "2.345", "0.987"), 2.345, False),
    ],
)
def test_marks_inside_numbers_are_read_or_asked(
    cells: list[str], highest: float, asked: bool
) -> None:
    columns = {**BASE, "ldh": cells}
    proposal = propose_study([book_of(columns)])
    cohort = assemble(confirmed(proposal.study), [book_of(columns)])
    read = numbers_of(cohort, "ldh")
    assert not read.unreadable.any()
    assert read.values.max() == highest
    kinds = [item.kind for item in proposal.questions]
    assert (QuestionKind.DECIMAL in kinds) is asked
    found = {item.code for item in proposal.findings}
    assert (FindingCode.NUMBER_AMBIGUOUS in found) is asked


@pytest.mark.parametrize("word", ["无", "none", "-", "NA", "未进展", "not reached", "/"])
def test_a_word_in_place_of_the_date_of_an_event_keeps_the_patient_without_event(
    word: str,
) -> None:
    columns = {
        "编号": BASE["id"],
        "首次用药日期": ["2020-01-01"] * N,
        "末次随访": ["2021-05-01"] * N,
        "进展日期": cycle("2020-05-01", word, word, word, word, word),
    }
    proposal = propose_study([book_of(columns)])
    data = survival_data(assemble(confirmed(proposal.study), [book_of(columns)]), "PFS")
    assert (data.n, int(data.event.sum())) == (N, 2)
    (question,) = [item for item in proposal.questions if item.endpoint == "PFS"]
    assert (f"say “{word}”: read as no event" in question.reason) is (word not in ("-", "NA"))


def test_a_header_with_a_unit_is_a_number_whatever_its_other_words_mean() -> None:
    columns = {
        "id": [str(at) for at in range(40)],
        "yearsSmoking": [str(at % 20) for at in range(40)],
        "smoking": [("never", "former")[at % 2] for at in range(40)],
    }
    variables = propose_study([book_of(columns)]).study.definitions.variables
    kinds = {item.column or key: item.kind for key, item in variables.items()}
    assert kinds["yearsSmoking"] is VariableKind.NUMERIC
    assert kinds["smoking"] is VariableKind.CATEGORICAL
