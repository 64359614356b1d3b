"""A Chinese workbook without a study file: upload, confirm, and the medians of the English one."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.visit import cohort_line, go, heading, open_tab, settled, upload

SAMPLE = Path(__file__).parents[2] / "sample_data"


def translated() -> bytes:
    path = SAMPLE / "translate_sts_cohort.py"
    spec = importlib.util.spec_from_file_location("translate_sts_cohort", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    content: bytes = module.chinese_workbook()
    return content


def medians_after_confirming(page: Page, name: str, data: bytes) -> list[str]:
    heading(page, "Data")
    upload(page, (name, data))
    expect(cohort_line(page)).to_contain_text("51 of 51 patients analysed")
    settled(page)
    open_tab(page, "Endpoints")
    confirm = page.get_by_role("button", name=re.compile("^Confirm "))
    expect(confirm.first).to_be_visible()
    while n_left := confirm.count():
        confirm.first.click()
        expect(confirm).to_have_count(n_left - 1)
        settled(page)
    go(page, "Survival")
    text = page.get_by_test_id("stMain").inner_text()
    return re.findall(r"\d+\.\d+ \(\d+\.\d+[^)]*\)", text)


def test_confirmed_medians_are_those_of_the_english_workbook(
    server: Server, open_page: Callable[..., Page]
) -> None:
    english = (SAMPLE / "sts_cohort.xlsx").read_bytes()
    first = medians_after_confirming(open_page(server.url), "sts_cohort.xlsx", english)
    second = medians_after_confirming(open_page(server.url), "队列.xlsx", translated())
    assert first
    assert second == first
