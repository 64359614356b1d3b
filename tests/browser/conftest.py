"""One server and one browser for all tests, a profile and a watch for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.serving import (
    ARGUMENTS,
    WAIT_MS,
    Server,
    Watch,
    browser_path,
    running_server,
)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests that need no fresh one."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser; each test gets a profile of its own in it."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser_path(playwright), args=ARGUMENTS, headless=True
        )
        yield chromium
        chromium.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fail the test on any request to another host and on any error in the console."""
    watching = Watch()
    yield watching
    assert not watching.foreign
    assert not watching.complaints


@pytest.fixture
def open_page(browser: Browser, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Give a function that opens an address in a fresh profile."""
    contexts: list[BrowserContext] = []

    def opened(url: str, **options: object) -> Page:
        context = browser.new_context(
            viewport={"width": 1400, "height": 1000}, accept_downloads=True, **options
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        context.on("page", watch.attach)
        page = context.new_page()
        page.goto(url)
        return page

    yield opened
    # Before the watch is read, so that what comes late is counted too
    for context in contexts:
        context.close()
