"""The sample in Chinese, without a study file, gives the very same results as in English."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
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
from tests.confirming import confirmed

SAMPLE = Path(__file__).parents[2] / "sample_data"


@pytest.fixture(scope="module")
def translated() -> bytes:
    path = SAMPLE / "translate_sts_cohort.py"
    spec = importlib.util.spec_from_file_location("translate_sts_cohort", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    content: bytes = module.chinese_workbook()
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


def test_every_row_of_the_results_is_the_same_to_the_last_digit(
    english: Cohort, chinese: Cohort
) -> None:
    first, second = rows_of(english), rows_of(chinese)
    assert len(first) > 500
    assert second == first
