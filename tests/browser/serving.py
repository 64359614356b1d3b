"""A server of its own, a browser, and an eye on what the page asks for or complains of."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page, Playwright

from pages._ui.shell import PAGES

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
WAIT_MS = 20_000
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # What a page asks of another host is recorded, and gets nowhere
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]

# Opened at /survival, Streamlit's client asks first whether the app lives below that path
_PROBE = re.compile(r"^/[^/]+/_stcore/(?:health|host-config)$")


@dataclass(slots=True)
class Server:
    """A running app."""

    url: str
    process: subprocess.Popen[bytes]

    def page_url(self, path: str) -> str:
        """Give the address of a page of the menu; the first one has the bare address."""
        return self.url if path == PAGES[0].path else f"{self.url}/{Path(path).stem}"

    def is_up(self) -> bool:
        """Whether the server answers that it is well."""
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return bool(answer.read() == b"ok")
        except (urllib.error.URLError, OSError):
            return False


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    script: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Start the app (or another script) as its users do, and end it afterwards."""
    port = free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", str(script or "app.py"),
        "--server.port", str(port),
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.is_up():
            assert process.poll() is None, f"the server ended with status {process.returncode}"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def browser_path(playwright: Playwright) -> str:
    """Find Chromium: the environment's, the system's, or Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        assert found, f"CHROMIUM is set to {named}, which is no program"
        return found
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    own = playwright.chromium.executable_path
    if not Path(own).exists():
        pytest.fail("No Chromium: install it, or set CHROMIUM=/path/to/chromium")
    return own


@dataclass
class Watch:
    """What pages asked of other hosts, and what the browser complained of."""

    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    n_requests: int = 0

    def saw(self, url: str) -> None:
        """Note a request."""
        self.n_requests += 1
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in (
            "127.0.0.1",
            "localhost",
        ):
            self.foreign.append(url)

    def attach(self, page: Page) -> None:
        """Watch a page and what it opens."""
        page.on("request", lambda request: self.saw(request.url))
        page.on("websocket", lambda socket: self.saw(socket.url))
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        url = str(message.location.get("url", ""))
        if "404" in message.text and _PROBE.search(urlsplit(url).path):
            return
        self.complaints.append(f"{message.text} ({url})")
