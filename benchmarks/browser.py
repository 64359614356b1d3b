"""Servers and a browser for the parts that need them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

ROOT: Final = Path(__file__).resolve().parents[1]
APP: Final = ROOT / "app.py"
BARE: Final = Path(__file__).with_name("bare_page.py")
START_SECONDS: Final = 90
WAIT_MS: Final = 60_000
VIEWPORT: Final[ViewportSize] = {"width": 1400, "height": 1000}
_ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True, slots=True)
class Server:
    """A running app; ``started`` and ``ready`` are readings of ``time.perf_counter``."""

    url: str
    started: float
    ready: float


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(script: Path, root: Path = ROOT) -> Iterator[Server]:
    """Start an app in a process of its own, wait until it is healthy, and end it afterwards."""
    port = _free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)],
        cwd=root,
        env={**_environment(), "PYTHONPATH": str(root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while not _healthy(url):
            if process.poll() is not None:
                raise RuntimeError(f"the server of {script.name} ended: {process.returncode}")
            if time.perf_counter() - started > START_SECONDS:
                raise RuntimeError(f"the server of {script.name} did not start in time")
            time.sleep(0.01)
        yield Server(url, started, time.perf_counter())
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """Let Python keep what it compiled, as an installation does after its first start."""
    unwanted = "PYTHONDONTWRITEBYTECODE"
    return {name: value for name, value in os.environ.items() if name != unwanted}


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, OSError):
        return False


def browser_path() -> str:
    """Find Chromium: the environment's, else the system's."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError("No Chromium: install it, or set CHROMIUM=/path/to/chromium")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=_ARGUMENTS, headless=True
        )
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: Browser) -> BrowserContext:
    """Give a profile of its own, with an empty cache."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(WAIT_MS)
    context.add_init_script(PAINTS)
    return context


def settled(page: Page) -> None:
    """Wait until the app has nothing more to do."""
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
    )


def go(page: Page, title: str) -> None:
    """Change to a page by the menu."""
    page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()


# Every change below a watched element is noted with the time of the second frame after it: by
# then the browser has painted it. What is watched is found anew at each change of the document,
# because a chart may be replaced as a whole.
PAINTS: Final = """
window.bench = {
    watched: null, last: 0, waiting: false, begun: 0,
    clicked: 0,
    watch(selector) {
        this.watched = selector;
        this.last = 0;
    },
    changed() {
        if (this.waiting) return;
        this.waiting = true;
        requestAnimationFrame(() => {
            this.waiting = false;
            requestAnimationFrame(() => { this.last = performance.now(); });
        });
    },
};
document.addEventListener('pointerdown', event => {
    if (event.isTrusted) window.bench.clicked = event.timeStamp;
}, true);
const holds = (node, selector) => {
    const element = node instanceof Element ? node : node.parentElement;
    return !!element && (element.closest(selector) !== null
        || (element.querySelector(selector) !== null));
};
new MutationObserver(changes => {
    const bench = window.bench;
    if (!bench.watched) return;
    for (const change of changes) {
        const target = change.target instanceof Element
            ? change.target : change.target.parentElement;
        if (target && target.closest(bench.watched)) { bench.changed(); return; }
        for (const node of change.addedNodes) {
            if (holds(node, bench.watched)) { bench.changed(); return; }
        }
    }
}).observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true,
});
"""
