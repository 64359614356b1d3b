"""What the privacy gate leaves out, and what it must not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.checks import check_cohort
from sts_core.derive import numbers_of
from sts_core.findings import FindingCode
from sts_core.reading import read_bytes
from sts_core.reading.ages import ages
from sts_core.reading.assembly import assemble
from sts_core.reading.privacy import AGE_COLUMN, PrivateKind, private_columns
from sts_core.reading.recognise import propose_study
from sts_core.study import Status, dump_study, load_study
from tests.doubles import book_of

ROOT = Path(__file__).parents[2]
N = 12
IDS = [f"P{number:02d}" for number in range(N)]
FAMILIES, GIVEN = "王李张刘陈杨黄赵吴周徐孙", "伟娜敏静杰洋勇磊军芳强艳"
HAN = [family + given for family, given in zip(FAMILIES, GIVEN, strict=True)]
NOTES = [f"Seen in clinic {n}, feels better, wishes to go on with it" for n in range(N)]


def chinese_id(number: int) -> str:
    """Give an identity number with a right check digit."""
    digits = f"1101051960{number % 12 + 1:02d}{number % 27 + 1:02d}{number:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


def found_in(columns):
    (table,) = book_of({"patient_id": IDS, **columns}).sheets
    return {name: item.kind for name, item in private_columns(table).items()}


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("Patient name", HAN, PrivateKind.NAME),
        ("姓名", HAN, PrivateKind.NAME),
        ("对象", HAN, PrivateKind.NAME),
        ("who", [f"Miller{n}, Anna" for n in "ABCDEFGHIJKL"], PrivateKind.NAME),
        ("Nachname", ["Schmidt"] * N, PrivateKind.NAME),
        ("MRN", list(range(880000, 880000 + N)), PrivateKind.RECORD_NUMBER),
        ("住院号", list(range(880000, 880000 + N)), PrivateKind.RECORD_NUMBER),
        ("号码", [chinese_id(n) for n in range(N)], PrivateKind.IDENTITY_NUMBER),
        ("ref", [f"{n + 100}-45-67{n:02d}" for n in range(N)], PrivateKind.IDENTITY_NUMBER),
        ("x", ["943 476 5919"] * N, PrivateKind.IDENTITY_NUMBER),
        ("reach", [f"138{n:08d}" for n in range(N)], PrivateKind.CONTACT),
        ("reach", [f"+49 171 55512{n:02d}" for n in range(N)], PrivateKind.CONTACT),
        ("reach", [f"(030) 555 12{n:02d}" for n in range(N)], PrivateKind.CONTACT),
        ("reach", [f"someone{n}@example.org" for n in range(N)], PrivateKind.CONTACT),
        ("Home address", ["1 Main Street"] * N, PrivateKind.CONTACT),
        ("Date of birth", ["1950-01-31"] * N, PrivateKind.BIRTH_DATE),
        ("出生年份", [1950] * N, PrivateKind.BIRTH_DATE),
        ("备注", NOTES, PrivateKind.FREE_TEXT),
        ("story", NOTES, PrivateKind.FREE_TEXT),
        ("Religion", ["none"] * N, PrivateKind.NO_PLACE),
        ("职业", ["农民"] * N, PrivateKind.NO_PLACE),
    ],
)
def test_what_is_left_out(header, cells, kind):
    assert found_in({header: cells}) == {header: kind}


@pytest.mark.parametrize(
    ("label", "cells", "kind"),
    [
        ("Patient name", ["x"] * N, PrivateKind.NAME),
        ("Full name of the patient", HAN, PrivateKind.NAME),
        ("Date of birth", ["1950-01-31"] * N, PrivateKind.BIRTH_DATE),
        ("Home address", ["1 Main Street"] * N, PrivateKind.CONTACT),
        ("Date of the telephone number check", ["2021-05-03", "2021-06-03"] * 6, None),
        ("Name of the first drug", ["anlotinib", "pazopanib"] * 6, None),
        ("Age at diagnosis", list(range(40, 40 + N)), None),
    ],
)
def test_a_label_says_what_a_header_of_letters_and_digits_does_not(label, cells, kind):
    (table,) = book_of({"patient_id": IDS, "f12": cells}).sheets
    found = private_columns(replace(table, column_labels={"f12": label}))
    assert [(item.kind, item.why) for item in found.values()] == (
        [] if kind is None else [(kind, "its label says so")]
    )


def test_dates_decades_before_all_others_are_births_whatever_their_name():
    columns = {
        "d1": [f"19{50 + n}-03-04" for n in range(N)],
        "d2": [f"2021-03-{n + 1:02d}" for n in range(N)],
        "d3": [f"2022-03-{n + 1:02d}" for n in range(N)],
    }
    assert found_in(columns) == {"d1": PrivateKind.BIRTH_DATE}


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Drug name", ["Anlotinib", "Apatinib"] * 6),
        ("name of first drug", ["Anlotinib", "Apatinib"] * 6),
        ("histotype", ["平滑肌肉瘤", "脂肪肉瘤", "滑膜肉瘤"] * 4),
        ("部位", ["左腿", "右腿", "胸壁", "腹部"] * 3),
        ("site", ["limb", "trunk"] * 6),
        ("centre", ["Berlin", "Paris", "Wien"] * 4),
        ("country", ["DE", "FR"] * 6),
        ("race", ["A", "B"] * 6),
        ("ethnicity", ["A", "B"] * 6),
        ("contact date", [f"2021-05-{n + 1:02d}" for n in range(N)]),
        ("seen", ["2021-05-03"] * 8 + ["soon", "later", "bad", "?"]),
        ("first_dose_date", [f"{n + 1}/5/2021" for n in range(N)]),
        ("发生日期", [f"2021年5月{n + 1}日" for n in range(N)]),
        ("不良事件发生日", [f"2021-05-{n + 1:02d}" for n in range(N)]),
        ("last contact", [f"2021年5月{n + 1}日" for n in range(N)]),
        ("platelets", [150_000 + 1_000 * n for n in range(N)]),
        ("LDH", [200.5 + n for n in range(N)]),
        ("code", [f"10-{n:02d}" for n in range(N)]),
        ("stage", ["II", "III"] * 6),
        ("TNM", [f"T{n % 4}N0M0" for n in range(N)]),
        ("dose", ["12 mg", "10 mg"] * 6),
        ("mobile disease", ["yes", "no"] * 6),
        ("lymph node note", ["a", "b"] * 6),
        ("patient_id", IDS),
    ],
)
def test_what_is_not_left_out(header, cells):
    assert found_in({header: cells}) == {}


def test_the_projects_own_files_lose_nothing():
    files = [*(ROOT / "sample_data").glob("*.xlsx"), *(ROOT / "tests/reference").glob("*.csv")]
    files = [path for path in files if not path.stem.endswith("_results")]  # numbers, no patients
    assert len(files) > 5
    for path in files:
        for table in read_bytes(path.name, path.read_bytes()).sheets:
            assert private_columns(table) == {}, (path.name, table.sheet)


def cohort(columns, change=lambda study: study):
    book = book_of({"patient_id": IDS, **columns})
    study = change(propose_study([book]).study)
    return assemble(load_study(dump_study(study)), [book])


BIRTHS = {
    "sex": ["m", "f"] * 6,
    "Date of birth": ["1950-06-15"] * 11 + [None],
    "first dose date": ["2020-06-14", "2020-06-15", *["2020-06-16"] * 10],
    "death date": ["2021-06-14"] * 12,
}


def test_the_age_is_derived_before_the_birth_date_is_left_out():
    found = cohort(BIRTHS)
    frame = found.tables["subjects"].frame
    assert "Date of birth" not in frame.columns
    values = numbers_of(found, "age").values
    assert values[:3].tolist() == [69.0, 70.0, 70.0]
    assert np.isnan(values[11])
    assert found.study.data.tables["subjects"].left_out == {"Date of birth": "birth_date"}
    assert found.study.definitions.variables["age"].column == AGE_COLUMN


def test_an_age_of_the_file_stays_the_age_and_is_compared_with_the_birth_date():
    found = cohort({**BIRTHS, "age": [68, 70, 70, 71, 69, 60, *[70] * 6]})
    assert found.study.definitions.variables["age"].column in (None, "age")
    assert numbers_of(found, "age").values[5] == 60
    assert found.study.data.tables["subjects"].age_at == "first dose date"
    (finding,) = [item for item in check_cohort(found) if item.code is FindingCode.AGE_CONTRADICTED]
    assert finding.rows == (7,)  # one year more or less is a way of counting
    assert "Date of birth" in finding.message
    assert "1950" not in str(finding)


def test_an_age_at_diagnosis_is_compared_at_the_diagnosis():
    columns = {
        **BIRTHS,
        "diagnosis date": ["2010-01-01"] * 12,
        "age at diagnosis years": [59, 60] * 6,
    }
    found = cohort(columns)
    assert found.study.data.tables["subjects"].age_at == "diagnosis date"
    codes = {item.code for item in check_cohort(found)}
    assert FindingCode.AGE_CONTRADICTED not in codes


@given(
    st.dates(dt.date(1900, 1, 1), dt.date(2010, 1, 1)),
    st.dates(dt.date(2010, 1, 2), dt.date(2030, 1, 1)),
)
def test_an_age_is_the_number_of_birthdays(born, at):
    years = 0
    while True:
        try:
            birthday = born.replace(year=born.year + years + 1)
        except ValueError:  # 29 February: a year older on 1 March
            birthday = dt.date(born.year + years + 1, 3, 1)
        if birthday > at:
            break
        years += 1
    when = np.array([at], dtype="datetime64[D]")
    assert ages(pd.Series([born], dtype=object), None, when) == [years]
    assert ages(pd.Series([born.year], dtype=object), None, when) == [at.year - born.year]


def test_an_age_that_can_not_be_is_not_known():
    when = np.array(["2020-01-01", "2020-01-01", "NaT", "2020-01-01"], dtype="datetime64[D]")
    births = pd.Series(["2021-01-01", 1750, "1950-01-01", "unknown"], dtype=object)
    assert ages(births, None, when) == [None, None, None, None]


def test_what_a_person_lets_in_stays_and_is_found_no_more():
    def let_in(study):
        source = study.data.tables["subjects"]
        source = replace(source, left_out={}, let_in=("Religion",))
        return replace(study, data=replace(study.data, tables={"subjects": source}))

    columns = {"Religion": ["a", "b"] * 6, "sex": ["m", "f"] * 6}
    assert "Religion" not in cohort(columns).tables["subjects"].frame.columns
    found = cohort(columns, let_in)
    assert "Religion" in found.tables["subjects"].frame.columns
    assert found.left_out == {}


def test_an_older_study_file_is_no_way_around_the_gate():
    def old(study):
        source = replace(study.data.tables["subjects"], left_out={})
        return replace(study, data=replace(study.data, tables={"subjects": source}))

    found = cohort({"phone": [f"138{n:08d}" for n in range(N)]}, old)
    assert "phone" not in found.tables["subjects"].frame.columns
    assert [finding.code for finding in found.findings] == [FindingCode.COLUMN_PRIVATE]
    assert "138" not in str(found.findings[0])


def test_what_a_confirmed_variable_rests_on_was_let_in_by_a_person():
    def confirm(study):
        from sts_core.study import Variable

        variable = Variable("Insurance", column="insurance", status=Status.CONFIRMED)
        source = replace(study.data.tables["subjects"], left_out={})
        return replace(
            study,
            data=replace(study.data, tables={"subjects": source}),
            definitions=replace(study.definitions, variables={"insurance": variable}),
        )

    found = cohort({"insurance": ["a", "b"] * 6}, confirm)
    assert "insurance" in found.tables["subjects"].frame.columns


def test_a_column_left_out_by_hand_is_gone_and_the_id_never():
    def by_hand(study):
        source = study.data.tables["subjects"]
        source = replace(source, left_out={"sex": "by_hand", "patient_id": "by_hand"})
        return replace(
            study,
            data=replace(study.data, tables={"subjects": source}),
            definitions=replace(study.definitions, variables={}),
        )

    found = cohort({"sex": ["m", "f"] * 6}, by_hand)
    assert list(found.tables["subjects"].frame.columns) == ["patient_id"]


def test_names_under_the_heading_of_a_section_are_names_even_if_few_repeat() -> None:
    names = [HAN[at % 3] for at in range(N)]
    found = found_in({"患者 2023年 姓名": names, "Name of first drug": ["A", "B"] * 6})
    assert found == {"患者 2023年 姓名": PrivateKind.NAME}


@pytest.mark.parametrize("header", ["Referring doctor", "主治医师", "Attending physician"])
def test_doctors_have_no_place(header: str) -> None:
    assert found_in({header: ["Dr. A", "Dr. B"] * 6}) == {header: PrivateKind.NO_PLACE}
