"""The figure that changes in place, as the server sends it, and the program that draws it."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from importlib.metadata import version
from pathlib import Path

import plotly
import pytest
from starlette.applications import Starlette

import app
from pages._server.chart_library import LIBRARY_PATH, ROUTES, chart_library
from pages._ui.chart import NAME
from pages._ui.show import CHART_WIDTH
from sts_core.render.plotly import CONFIG
from tests.pages.driver import ROOT, SURVIVAL, charts, checked, go, with_sample


def answer_of(path: str, accept: str = "") -> tuple[int, dict[str, str], bytes]:
    """Ask for a path as a server does; give status, headers and body."""
    sent: list[dict[str, object]] = []
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": b"", "headers": [(b"accept-encoding", accept.encode())],
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asyncio.run(Starlette(routes=list(ROUTES))(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(part["body"] for part in sent[1:])


def test_the_element_holds_the_figure_and_what_it_says() -> None:
    at = go(with_sample(), SURVIVAL)
    (figure,) = charts(at)
    assert set(figure) == {
        "data",
        "layout",
        "config",
        "alt",
        "dark",
        "minWidth",
        "counts",
        "script",
    }
    assert figure["config"] == CONFIG
    assert figure["alt"].startswith("Kaplan-Meier curves of ")
    assert figure["minWidth"] == CHART_WIDTH
    assert figure["script"] == LIBRARY_PATH
    assert figure["layout"]["height"] > 400
    assert [trace for trace in figure["data"] if trace.get("meta", {}).get("texts")]


def test_a_change_keeps_the_element() -> None:
    at = go(with_sample(), SURVIVAL)

    def element():
        (found,) = [e.proto for e in at.get("bidi_component") if e.proto.component_name == NAME]
        return found

    before = element()
    (pills,) = [group for group in at.get("button_group") if "km.levels" in str(group.key)]
    checked(pills.set_value(list(pills.value)[:2]).run())
    after = element()
    assert after.json != before.json
    assert (after.id, after.js_content, after.css_content) == (
        before.id,
        before.js_content,
        before.css_content,
    )


def test_the_program_asks_no_other_host_and_writes_no_markup() -> None:
    program = (ROOT / "pages/_ui/chart.js").read_text("utf-8")
    assert program.isascii()
    # the name of a language, which is no address
    assert "http" not in program.replace('"http://www.w3.org/2000/svg"', "", 1)
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", program)


@pytest.mark.parametrize("prefix", ["/", "/survival/", "/dashboard/sarcoma/"])
@pytest.mark.parametrize("accept", ["gzip, br", "identity"])
def test_the_library_is_that_of_the_installed_package(prefix: str, accept: str) -> None:
    status, headers, body = answer_of(prefix + LIBRARY_PATH, accept)
    assert status == 200
    assert version("plotly") in LIBRARY_PATH
    compressed = "gzip" in accept
    assert headers.get("content-encoding") == ("gzip" if compressed else None)
    script = gzip.decompress(body) if compressed else body
    package = Path(plotly.__file__).parent / "package_data/plotly.min.js"
    assert script == package.read_bytes()
    assert script.lstrip().startswith(b"/**\n* plotly.js v")
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert headers["vary"] == "Accept-Encoding"


def test_the_library_is_compressed_once() -> None:
    plain, compressed = chart_library()
    assert chart_library()[1] is compressed
    assert gzip.decompress(compressed) == plain
    assert len(compressed) < 0.4 * len(plain)


def test_no_other_file_is_served() -> None:
    folder = LIBRARY_PATH.rpartition("/")[0]
    for path in (f"{folder}/other.js", f"{folder}/../plotly.min.js", f"{LIBRARY_PATH}/x"):
        assert answer_of(f"/{path}")[0] == 404


def test_the_app_serves_the_library() -> None:
    assert list(app.app._user_routes) == list(ROUTES)


def test_figures_are_strict_json() -> None:
    (figure,) = charts(go(with_sample(), SURVIVAL))
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure
