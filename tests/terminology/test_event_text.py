from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.terminology.event_text import HeaderTerm, header_term, read_cell
from sts_core.terminology.grading import (
    STATED,
    MarkKind,
    grade_of,
    read_mark,
    says_none,
    stated_grade,
)
from sts_core.values import MISSING_CODES


def said(text: str) -> list[tuple[str, int]]:
    return [(event.term, event.grade) for event in read_cell(text).events]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("高血压2级; 蛋白尿1级", [("高血压", 2), ("蛋白尿", 1)]),
        ("hypertension G2, rash G1", [("hypertension", 2), ("rash", 1)]),
        ("Fatigue (grade 2) / Nausea", [("Fatigue", 2), ("Nausea", 0)]),
        ("皮疹Ⅰ度，乏力II级", [("皮疹", 1), ("乏力", 2)]),
        ("neutropenia 3, anemia gr 1", [("neutropenia", 3), ("anemia", 1)]),
        ("Nausea, grade 2", [("Nausea", 2)]),
        ("恶心、呕吐2级", [("恶心", 0), ("呕吐", 2)]),
        ("恶心/呕吐2级", [("恶心/呕吐", 2)]),
        ("ALT/AST升高2级", [("ALT/AST升高", 2)]),
        ("高血压/蛋白尿", [("高血压", 0), ("蛋白尿", 0)]),
        ("1、高血压2级；2、蛋白尿1级", [("高血压", 2), ("蛋白尿", 1)]),
        ("①高血压2级②蛋白尿1级", [("高血压", 2), ("蛋白尿", 1)]),
        ("1. hypertension G2 2. rash G1", [("hypertension", 2), ("rash", 1)]),
        ("G1: nausea, fatigue; G3: hypertension",
         [("nausea", 1), ("fatigue", 1), ("hypertension", 3)]),
        ("1级：恶心、乏力；3级：高血压", [("恶心", 1), ("乏力", 1), ("高血压", 3)]),
        ("2级高血压，II度骨髓抑制", [("高血压", 2), ("骨髓抑制", 2)]),
        ("高血压2级蛋白尿1级", [("高血压", 2), ("蛋白尿", 1)]),
        ("高血压2级伴蛋白尿1级", [("高血压", 2), ("蛋白尿", 1)]),
        ("2级高血压1级蛋白尿", [("高血压", 2), ("蛋白尿", 1)]),
        ("Ⅲ度房室传导阻滞", [("III度房室传导阻滞", 0)]),
        ("Mobitz type I, G2", [("Mobitz type I", 2)]),
        ("血小板减少Ⅳ°", [("血小板减少", 4)]),
        ("Pain, abdominal G1", [("Pain, abdominal", 1)]),
        ("rash G2; Skin and subcutaneous tissue disorders - Other, specify G1",
         [("rash", 2), ("Skin and subcutaneous tissue disorders - Other, specify", 1)]),
        ("Neoplasms benign, malignant and unspecified (incl cysts and polyps) - Other, specify G2",
         [("Neoplasms benign, malignant and unspecified (incl cysts and polyps) - Other, specify",
           2)]),
        ("无力1级", [("无力", 1)]),
        ("rash grade 2 resolved", [("rash", 2)]),
        ("高血压2级，已缓解", [("高血压", 2)]),
        ("hypertension (G2, related), rash", [("hypertension", 2), ("rash", 0)]),
        ("hypertension G1→G3", [("hypertension", 3)]),
        ("hypertension: 2\nrash: 1", [("hypertension", 2), ("rash", 1)]),
        ("Hypertension1级", [("Hypertension", 1)]),
        ("COVID-19", [("COVID-19", 0)]),
        ("diabetes type 2", [("diabetes type 2", 0)]),
        ("hypertension and proteinuria G1", [("hypertension", 0), ("proteinuria", 1)]),
        ("hypertension G2 (2021-05-03)", [("hypertension", 2)]),
        ("rash G2 something new", [("rash", 2), ("something new", 0)]),
        ("hypertension 0; rash 2", [("rash", 2)]),
        ("Hypertension grade 2. Rash grade 1", [("Hypertension", 2), ("Rash", 1)]),
        ("A(B G2 / rash G1 / nausea G3", [("A(B", 2), ("rash", 1), ("nausea", 3)]),
        ("胸闷", [("胸闷", 0)]),
        ("G2", [("", 2)]),
    ],
)  # fmt: skip
def test_cells_with_several_events(text: str, events: list[tuple[str, int]]) -> None:
    assert said(text) == events


@pytest.mark.parametrize(
    "text",
    ["none", "None.", "无", "-", "/", "0", "no", "无不良反应", "未见明显不良反应", "无明显不适",
     "No adverse events", "no obvious toxicity observed", "无高血压", "no fever", "高血压0级"],
)  # fmt: skip
def test_cells_that_say_there_was_no_event(text: str) -> None:
    read = read_cell(text)
    assert read.events == ()
    assert read.denied


@pytest.mark.parametrize("text", ["resolved", "2021-05-03", "好转", "  ", ";;"])
def test_cells_of_which_nothing_can_be_made(text: str) -> None:
    read = read_cell(text)
    assert (read.events, read.denied) == ((), False)


@pytest.mark.parametrize(
    "text", ["Grade 3-4 neutropenia", "neutropenia grade 7", "蛋白尿2+", "蛋白尿(++)", "腹泻1-2级"]
)
def test_what_is_no_single_grade_leaves_the_event_without_one(text: str) -> None:
    (event,) = read_cell(text).events
    assert event.term in ("neutropenia", "蛋白尿", "腹泻")
    assert (event.grade, event.graded, event.readable) == (0, True, False)


def test_a_sentence_is_not_taken_for_a_name() -> None:
    (event,) = read_cell("she " + "felt rather strange and unwell " * 3).events
    assert not event.readable
    assert not event.graded


@given(st.text(max_size=60))
def test_no_text_is_lost_or_breaks_the_reading(text: str) -> None:
    read = read_cell(text)
    for event in read.events:
        assert event.grade in range(6)
        assert event.term or event.graded
    assert isinstance(header_term(text).term, str)
    read_mark(text, MISSING_CODES)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Hypertension (grade)", HeaderTerm("Hypertension", False, True)),
        ("AE_Hypertension", HeaderTerm("Hypertension", True, False)),
        ("高血压", HeaderTerm("高血压", False, False)),
        ("高血压分级", HeaderTerm("高血压", False, True)),
        ("高血压（级）", HeaderTerm("高血压", False, True)),
        ("高血压(0-5级)", HeaderTerm("高血压", False, True)),
        ("皮疹（有/无）", HeaderTerm("皮疹", False, True)),
        ("ae_hand_foot_syndrome", HeaderTerm("hand foot syndrome", True, False)),
        ("不良反应_高血压", HeaderTerm("高血压", True, False)),
        ("Max grade diarrhea", HeaderTerm("diarrhea", False, True)),
        ("TRAE: Fatigue", HeaderTerm("Fatigue", True, False)),
        ("AE.diarrhea.grade", HeaderTerm("diarrhea", True, False)),
        ("Neoplasms benign, malignant and unspecified (incl cysts and polyps) - Other, specify",
         HeaderTerm("Neoplasms benign, malignant and unspecified (incl cysts and polyps) - Other, "
                    "specify", False, False)),
        ("AE", HeaderTerm("AE", False, False)),
        ("", HeaderTerm("", False, False)),
    ],
)  # fmt: skip
def test_terms_in_headers(header: str, found: HeaderTerm) -> None:
    assert header_term(header) == found


@pytest.mark.parametrize(
    ("cell", "kind", "grade", "readable"),
    [
        (3, "event", 3, True), ("G2", "event", 2, True), ("Grade 3", "event", 3, True),
        ("3级", "event", 3, True), ("III", "event", 3, True), ("yes", "event", 0, True),
        ("有", "event", 0, True), ("√", "event", 0, True), (True, "event", 0, True),
        ("2级，已缓解", "event", 2, True), (0, "no_event", 0, True), ("0", "no_event", 0, True),
        ("无", "no_event", 0, True), ("-", "no_event", 0, True), (False, "no_event", 0, True),
        ("G0", "no_event", 0, True), (None, "not_recorded", 0, True), ("", "not_recorded", 0, True),
        ("unknown", "not_recorded", 0, True), ("severe", "event", 0, False),
        ("2-3", "event", 0, False), (6, "event", 0, False), (2.5, "event", 0, False),
        ("G1-2", "event", 0, False), (-1, "event", 0, False),
    ],
)  # fmt: skip
def test_marks_under_a_term(cell: object, kind: str, grade: int, readable: bool) -> None:
    mark = read_mark(cell, MISSING_CODES - {"-"})
    assert (mark.kind, mark.grade, mark.readable) == (MarkKind(kind), grade, readable)


def test_numbers_that_are_yes_and_no() -> None:
    assert read_mark(1, MISSING_CODES, yes_no=True).grade == 0
    assert read_mark(0, MISSING_CODES, yes_no=True).kind is MarkKind.NO_EVENT
    assert not read_mark(3, MISSING_CODES, yes_no=True).readable


@pytest.mark.parametrize("text", ["nausea", "无力", "north", "normal saline reaction", "10"])
def test_other_words_do_not_say_none(text: str) -> None:
    assert not says_none(text)


def test_a_stated_grade_is_one_number_from_0_to_5() -> None:
    found = {
        text: STATED.search(text) for text in ("G2", "grade 6", "II级", "G2-3", "3-3级", "2.5级")
    }
    read = {text: stated_grade(match) if match else -1 for text, match in found.items()}
    assert read == {
        "G2": 2, "grade 6": None, "II级": 2, "G2-3": None, "3-3级": 3, "2.5级": None,
    }  # fmt: skip
    assert grade_of("CTCAE grade 4") == 4
