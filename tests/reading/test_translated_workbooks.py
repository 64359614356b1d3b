"""The sample in other languages, without a study file, gives the same results as in English."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from types import ModuleType
from typing import Any

import openpyxl
import pytest

from sts_core.analysis.plan import run_plan
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.export.results import results_document
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import VariableKind
from tests.confirming import confirmed

SAMPLE = Path(__file__).parents[2] / "sample_data"


LANGUAGES = ("french", "spanish", "italian", "portuguese")


def translator() -> ModuleType:
    path = SAMPLE / "translate_sts_cohort.py"
    spec = importlib.util.spec_from_file_location("translate_sts_cohort", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def translated() -> bytes:
    content: bytes = translator().chinese_workbook()
    return content


@pytest.fixture(scope="module")
def english() -> Cohort:
    return cohort_of(read_bytes("sts_cohort.xlsx", (SAMPLE / "sts_cohort.xlsx").read_bytes()))


@pytest.fixture(scope="module")
def chinese(translated: bytes) -> Cohort:
    return cohort_of(read_bytes("软组织肉瘤.xlsx", translated))


def cohort_of(book: Workbook) -> Cohort:
    study = confirmed(propose_study([book]).study)
    return apply_criteria(assemble(study, [book]), study)


def rows_of(cohort: Cohort) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = results_document(cohort, run_plan(cohort))["rows"]
    return rows


def test_the_workbook_is_chinese(translated: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(translated))
    assert book.sheetnames == ["患者", "不良事件", "数据字典"]
    patients = book["患者"]
    first = {cell.value: patients.cell(2, cell.column).value for cell in patients[1]}
    assert first["性别"] == "男"
    assert first["首次用药日期"] == 43441, "a day number"
    assert first["末次随访日期"] == "2022年12月31日"


def test_its_tables_and_endpoints_are_those_of_the_english_one(
    english: Cohort, chinese: Cohort
) -> None:
    first, second = english.study.definitions, chinese.study.definitions
    assert set(chinese.tables) == set(english.tables) == {"subjects", "adverse_events"}
    assert list(second.endpoints) == list(first.endpoints)
    assert second.response == first.response
    assert chinese.study.synthetic


@pytest.fixture(scope="module")
def expected(english: Cohort) -> list[dict[str, Any]]:
    return rows_of(english)


def test_every_row_of_the_results_is_the_same_to_the_last_digit(
    expected: list[dict[str, Any]], chinese: Cohort
) -> None:
    assert len(expected) > 500
    assert rows_of(chinese) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_european_languages_give_the_same_results_too(
    language: str, english: Cohort, expected: list[dict[str, Any]]
) -> None:
    cohort = cohort_of(read_bytes(f"{language}.xlsx", translator().european_workbook(language)))
    first, second = english.study.definitions, cohort.study.definitions
    assert set(cohort.tables) == set(english.tables)
    assert list(second.endpoints) == list(first.endpoints)
    assert second.response == first.response
    kept = [key for key, item in first.variables.items() if item.kind is not VariableKind.DATE]
    assert set(kept) <= set(second.variables)
    assert len(second.variables) == len(first.variables)
    assert cohort.study.synthetic
    assert rows_of(cohort) == expected
