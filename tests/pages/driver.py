"""The app without a browser: start it, drop files, and read what a page shows."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from pages._ui.chart import NAME
from pages._ui.shell import PAGES
from sts_core.study import Study, dump_study

ROOT = Path(__file__).resolve().parents[2]
PATHS = [entry.path for entry in PAGES]
DATA, COHORT, SURVIVAL = "pages/data.py", "pages/cohort.py", "pages/survival.py"
assert {DATA, COHORT, SURVIVAL} <= set(PATHS)

# Embury 1977, in Miller 1997: 23 patients with leukaemia; weeks to relapse.
AML_ROWS = [
    *[(t, "yes", "maintained") for t in (9, 13, 18, 23, 31, 34, 48)],
    *[(t, "no", "maintained") for t in (13, 28, 45, 161)],
    *[(t, "yes", "not maintained") for t in (5, 5, 8, 8, 12, 23, 27, 30, 33, 43, 45)],
    (16, "no", "not maintained"),
]
AML = "id,weeks to relapse,relapse,arm\n" + "".join(
    f"P{n},{t},{status},{arm}\n" for n, (t, status, arm) in enumerate(AML_ROWS, 1)
)
TINY = "id,time (months),status,histotype\na,3.5,Dead,LMS\nb,12,Alive,ASPS\nc,7,Dead,ASPS\n"


DATA_TABS = ("Overview", "Endpoints", "Response and adverse events", "Variables", "Findings")


def start(opened: Sequence[str] = DATA_TABS) -> AppTest:
    """Open the app in a session of its own, in which these tabs of Data have been open."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    at.session_state["choices"] = {"data.tabs": frozenset(opened)}
    return checked(at.run())


def checked(at: AppTest) -> AppTest:
    """Give the app, after a run that ended without an exception."""
    assert not at.exception, [error.value for error in at.exception]
    return at


def go(at: AppTest, path: str) -> AppTest:
    """Change to a page."""
    return checked(at.switch_page(path).run())


def run_with(at: AppTest, **stale: Any) -> AppTest:
    """Run once more with what the browser holds, and with a value of a widget it held before."""
    states = at._tree.get_widget_states()
    for name, value in stale.items():
        states.widgets.add(id=name, **value)
    return checked(at._run(states))


def table_id(at: AppTest) -> str:
    """Give the first table that can be edited, as the browser names it."""
    return str(next(item.proto.id for item in at.dataframe if "-w:" in item.proto.id))


def edit_cells(at: AppTest, name: str, cells: Mapping[int, Mapping[str, str]]) -> AppTest:
    """Edit cells; the browser says all that was edited in a table since it began."""
    said = {"edited_rows": cells, "added_rows": [], "deleted_rows": []}
    return run_with(at, **{name: {"string_value": json.dumps(said)}})


def click(at: AppTest, key: str) -> AppTest:
    """Press a button that can be pressed."""
    button = at.button(key=key)
    assert not button.disabled, key
    return checked(button.click().run())


def drop(at: AppTest, files: Mapping[str, bytes | str]) -> AppTest:
    """Drop files on the Data page."""
    dropped = [
        (name, data.encode() if isinstance(data, str) else data, "application/octet-stream")
        for name, data in files.items()
    ]
    checked(at.file_uploader[0].set_value(dropped).run())
    return settled(at)


def settled(at: AppTest) -> AppTest:
    """Wait until files are read, as a browser does that asks again and again."""
    until = time.monotonic() + 30
    while any(button.key == "intake.cancel" for button in at.button):
        assert time.monotonic() < until, "the files were not read in time"
        time.sleep(0.1)
        checked(at.run())
    return at


def confirm(at: AppTest, code: str, *, unit: str, events: list[str]) -> AppTest:
    """Answer what the event is and the unit of time of an endpoint."""
    at.segmented_control(key=f"w:endpoint.unit.{code}").set_value(unit)
    checked(at.pills(key=f"w:endpoint.events.{code}").set_value(events).run())
    return click(at, f"endpoint.confirm.{code}")


def with_sample(number: int = 0) -> AppTest:
    """Open the app with a sample."""
    return click(start(), f"sample.{number}")


def with_tiny() -> AppTest:
    """Open the app with three patients, their endpoint confirmed."""
    return confirm(drop(start(), {"tiny.csv": TINY}), "TTE", unit="months", events=["Dead"])


def study_of(at: AppTest) -> Study:
    """Give the session's choices."""
    return at.session_state["workspace"].study


def study_file(at: AppTest) -> str:
    """Give what "Keep my choices" gives."""
    return dump_study(study_of(at))


def words(source: str) -> str:
    """Give Markdown or HTML as the words that a reader sees."""
    plain = re.sub(r"<style>.*?</style>", " ", source, flags=re.DOTALL)
    plain = re.sub(r"</?button(?: [^>]*)?>", "", plain)  # a count within a sentence
    plain = re.sub(r"</?(?:div|span|b|table|thead|tbody|tr|th|td|p)(?: [^>]*)?>", " ", plain)
    plain = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", plain)
    return " ".join(html.unescape(plain).replace("**", "").split())


def shown(at: AppTest) -> str:
    """Give all words of a page but those of its widgets and charts."""
    kinds = ("title", "subheader", "caption", "markdown", "info", "warning", "error", "success")
    return "\n".join(words(element.value) for kind in kinds for element in getattr(at, kind))


def cohort_line(at: AppTest) -> str:
    """Give the line below the heading that says who is analysed."""
    found = [element.value for element in at.markdown if 'class="cohort-line"' in element.value]
    assert len(found) == 1, found
    return words(found[0])


def table(at: AppTest, having: str = "") -> str:
    """Give the words of the page's first table that has some words."""
    found = [words(item.value) for item in at.markdown if 'class="sts-table"' in item.value]
    wanted = [text for text in found if having in text]
    assert wanted, having
    return wanted[0]


def charts(at: AppTest) -> list[dict[str, Any]]:
    """Give the page's charts: data and layout as Plotly takes them."""
    own = [part for part in at.get("bidi_component") if part.proto.component_name == NAME]
    return [json.loads(part.proto.json) for part in own]


def chart(at: AppTest) -> dict[str, Any]:
    """Give the page's first chart."""
    return charts(at)[0]


def curves(at: AppTest) -> list[str]:
    """Give the names of the curves of the page's first chart, in their order."""
    names = [trace["name"] for trace in chart(at)["data"] if trace.get("mode") == "lines"]
    return list(dict.fromkeys(names))
