"""The list behind a count: by pointer and by keys, from a table, a box and a curve."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from pages._ui.intake import SAMPLES
from tests.browser.serving import Server
from tests.browser.visit import chart, go, heading, settled

# Where the first number at risk after the start stands, and what it is
_AT_RISK = """() => {
    const plot = document.querySelector(".js-plotly-plot");
    const trace = plot.data.find((one) => one.name === "Numbers under the axis");
    const at = trace.meta.counts.findIndex((count, place) => count && place > 0);
    const along = plot._fullLayout[trace.xaxis.replace("x", "xaxis")];
    const down = plot._fullLayout[trace.yaxis.replace("y", "yaxis")];
    const box = plot.getBoundingClientRect();
    return [box.left + along._offset + along.d2p(trace.x[at]),
            box.top + down._offset + down.d2p(trace.y[at]), Number(trace.text[at])];
}"""


@pytest.fixture
def screening(server: Server, open_page: Callable[..., Page]) -> Page:
    """Give the Cohort page with the sample of patients who were screened."""
    page = open_page(server.url)
    heading(page, "Data")
    page.get_by_role("button", name=SAMPLES[1].label).click()
    expect(page.locator(".cohort-line")).to_contain_text("patients analysed")
    go(page, "Cohort")
    return page


def listed(page: Page) -> Locator:
    """Give the open list."""
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_test_id("stDataFrame")).to_be_visible()
    return dialog


def close(page: Page) -> None:
    """Close the list."""
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    settled(page)


def test_a_box_of_the_flow_and_a_number_of_the_table_open_their_list(screening: Page) -> None:
    box = screening.get_by_role("button", name=re.compile(r"^Excluded: 3 Second primary"))
    box.click()
    expect(listed(screening)).to_contain_text("3 patients excluded: second primary tumour")
    close(screening)
    count = screening.get_by_role("button", name="27 (52.9)").first
    count.focus()
    screening.keyboard.press("Enter")
    expect(listed(screening)).to_contain_text("27 patients: Age group ≥54")
    close(screening)


def test_keys_reach_what_a_click_on_a_figure_opens(screening: Page) -> None:
    go(screening, "Survival")
    assert chart(screening).curves
    screening.locator("summary", has_text="Patients in the figure").focus()
    screening.keyboard.press("Enter")
    count = screening.get_by_role("button", name="10 events", exact=True)
    expect(count).to_be_visible()
    count.focus()
    screening.keyboard.press("Enter")
    expect(listed(screening)).to_contain_text("10 patients with an event")
    close(screening)


def test_a_number_under_a_curve_opens_its_list(screening: Page) -> None:
    go(screening, "Survival")
    assert chart(screening).curves
    x, y, n = screening.evaluate(_AT_RISK)
    screening.mouse.move(x - 2, y - 2)
    screening.mouse.move(x, y)
    screening.wait_for_timeout(300)
    screening.mouse.click(x, y)
    expect(listed(screening)).to_contain_text(f"{n} patient")
