"""Each page by its address, as the first thing that a fresh server is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from pages._ui.shell import NAME, PAGES, Entry
from tests.browser.serving import Server, Watch, running_server
from tests.browser.visit import TITLES, cohort_line, go, heading, menu, settled


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_first_request_of_a_fresh_server_shows_the_whole_app(
    entry: Entry, open_page: Callable[..., Page]
) -> None:
    with running_server() as fresh:
        page = open_page(fresh.page_url(entry.path))
        heading(page, entry.title)
        # A list made of file names would begin with "app", in lower case
        assert menu(page) == TITLES
        assert NAME in page.title() or entry.title in page.title()
        # The guard of the page would start again through the router: the address must stay
        assert page.url.rstrip("/").endswith(entry.path.split("/")[1][:-3]) or entry is PAGES[0]
        page.close()


def test_every_page_with_the_sample(server: Server, open_page: Callable[..., Page]) -> None:
    page = open_page(server.url)
    heading(page, TITLES[0])
    page.get_by_role("button", name="Sarcoma cohort, 51 patients").click()
    expect(cohort_line(page)).to_contain_text("51 of 51 patients analysed")
    for title in [*TITLES[1:], TITLES[0]]:
        go(page, title)
        expect(cohort_line(page)).to_contain_text("51 of 51 patients analysed")
        expect(cohort_line(page)).to_contain_text("Synthetic data, not patients")
        assert page.get_by_test_id("stException").count() == 0
        wider = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{title} is wider than the window"


def test_fonts_and_icon_come_from_this_server(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url)
    heading(page, TITLES[0])
    family = page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily")
    assert "IBM Plex Sans" in family
    assert page.evaluate(
        "document.fonts.ready.then(() => document.fonts.check('16px \"IBM Plex Sans\"'))"
    )
    icons = page.evaluate("[...document.querySelectorAll('link[rel~=icon]')].map(l => l.href)")
    assert icons
    assert all(icon.startswith(server.url) or icon.startswith("data:") for icon in icons)


@pytest.mark.parametrize("misdeed", ["request", "console", "exception"])
def test_watch_sees_what_it_is_there_for(
    misdeed: str, server: Server, open_page: Callable[..., Page], watch: Watch
) -> None:
    page = open_page(server.url)
    heading(page, TITLES[0])
    assert watch.n_requests > 10
    code = {
        "request": "fetch('https://stats.invalid/x').catch(() => 0)",
        "console": "console.error('complaint')",
        "exception": "setTimeout(() => { throw new Error('thrown') }, 0)",
    }[misdeed]
    page.evaluate(code)
    page.wait_for_timeout(300)
    settled(page)
    if misdeed == "request":
        assert watch.foreign == ["https://stats.invalid/x"]
    else:
        assert len(watch.complaints) == 1
    watch.foreign.clear()
    watch.complaints.clear()
