"""What a user does in the app: open, upload, choose, read, download."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from pages._ui.shell import PAGES

TITLES = [entry.title for entry in PAGES]
_CHART = """(chart) => ({
    curves: [...new Set(chart.data.filter(t => t.mode === 'lines' && t.text).map(t => t.name))],
    colours: chart.data.filter(t => t.mode === 'lines' && t.text).map(t => t.line.color),
    texts: [...chart.parentElement.querySelectorAll('text')].map(t => t.textContent).filter(t => t),
    drawn: chart.querySelectorAll('.scatterlayer path.js-line').length,
})"""


@dataclass(slots=True)
class Drawn:
    """A chart as the browser holds it."""

    curves: list[str]
    colours: list[str]
    texts: list[str]
    drawn: int


def settled(page: Page) -> None:
    """Wait until the app has nothing more to do."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def heading(page: Page, title: str) -> None:
    """Wait for a page's heading."""
    expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
    settled(page)


def menu(page: Page) -> list[str]:
    """Give the entries of the menu."""
    links = page.get_by_test_id("stSidebarNavLink")
    expect(links.first).to_be_visible()
    return [text.split("\n")[-1].strip() for text in links.all_inner_texts()]


def go(page: Page, title: str) -> None:
    """Change to a page by the menu."""
    links = page.get_by_test_id("stSidebarNavLink")
    links.filter(has_text=re.compile(rf"{re.escape(title)}$")).click()
    heading(page, title)


def open_tab(page: Page, name: str) -> None:
    """Open one of the tabs of a page."""
    page.get_by_role("tab", name=name, exact=True).click()
    # a tab is empty until the run that its first opening begins
    filled = page.locator("[role=tabpanel]:visible [data-testid=stElementContainer]")
    expect(filled.first).to_be_visible()
    settled(page)


def upload(page: Page, *files: tuple[str, bytes | str] | Path) -> None:
    """Drop files into the page's uploader, opening its popover when there is one.

    Either all with name and content, or all by their path.
    """
    popover = page.get_by_test_id("stPopoverButton").filter(has_text="Other files")
    uploader = page.locator("input[type=file]")
    expect(uploader.or_(popover).first).to_be_attached()
    if popover.count():  # beside it, the page has the uploader of a former data cut
        popover.click()
        uploader = page.get_by_test_id("stPopoverBody").locator("input[type=file]")
    paths = [file for file in files if isinstance(file, Path)]
    uploader.first.set_input_files(
        paths
        or [
            {
                "name": name,
                "mimeType": "application/octet-stream",
                "buffer": data.encode() if isinstance(data, str) else data,
            }
            for name, data in (file for file in files if not isinstance(file, Path))
        ]
    )


def cohort_line(page: Page) -> Locator:
    """Give the line that says who is analysed."""
    return page.locator(".cohort-line")


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a list."""
    page.get_by_role("combobox", name=re.compile(label)).click()
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def pill(page: Page, name: str) -> Locator:
    """Give a pill (or one of a few options side by side) by its name."""
    return (
        page.get_by_test_id("stButtonGroup")
        .get_by_role("button", name=name)
        .or_(page.get_by_test_id("stButtonGroup").get_by_role("radio", name=name))
        .first
    )


def chart(page: Page) -> Drawn:
    """Give the chart of the page, once it is drawn."""
    plot = page.locator(".js-plotly-plot").first
    expect(plot.locator(".scatterlayer path.js-line").first).to_be_attached()
    return Drawn(**plot.evaluate(_CHART))


def download(page: Page, label: str) -> tuple[str, bytes]:
    """Press a download in the export menu; give name and bytes."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    path = Path(waiting.value.path())
    return waiting.value.suggested_filename, path.read_bytes()
