"""Words from a file are shown as they are, whatever they would mean elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from tests.pages.driver import (
    COHORT,
    DATA,
    PATHS,
    SURVIVAL,
    chart,
    checked,
    confirm,
    curves,
    drop,
    go,
    start,
    study_file,
    table,
)

HOSTILE = (
    "<i>cell</i>",
    "$x$",
    ":red[x]",
    "=1+1",
    "软组织肉瘤",
    "a*b_c|d",
    "[here](http://x.org)",
    "<script>alert(1)</script>",
    ":material/delete:",
    "# big",
)
COLUMN = "group <b>$y$</b>"
FILE = "<b>$f$ :red[f].csv"
# What Markdown, HTML or an icon would make of the words above when they are not escaped.
LIVE = re.compile(
    r"(?<!\\)<(?:i|b|script)>|(?<!\\)\$[xyf](?<!\\)\$|(?<!\\):red(?<!\\)\[|(?<!\\)a\*b"
    r"|(?<!\\)\[here|(?<!\\):material/delete:|^# big"
)


def hostile_file() -> str:
    rows = [f'{n},{n % 17 + 1},{n % 3 % 2},"{HOSTILE[n % len(HOSTILE)]}"' for n in range(1, 61)]
    return f'id,time (months),status,"{COLUMN}"\n' + "\n".join(rows) + "\n"


def with_hostile_file() -> AppTest:
    at = drop(start(), {FILE: hostile_file()})
    (code,) = at.session_state["workspace"].study.definitions.endpoints
    return confirm(at, code, unit="months", events=["1"])


def strings(message: Message) -> Iterator[tuple[str, str]]:
    """Give every text of an element, with the name of its field."""
    for field, value in message.ListFields():
        for item in [value] if isinstance(value, str | Message) else _listed(value):
            if isinstance(item, str):
                yield field.name, item
            elif isinstance(item, Message):
                yield from strings(item)


def _listed(value: Any) -> list[Any]:
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, bytes) else []


def elements(at: AppTest) -> Iterator[Any]:
    """Give the elements whose words Markdown is made of."""
    kinds = (
        "title", "subheader", "caption", "markdown", "info", "warning", "error", "success",
        "button", "pills", "segmented_control", "toggle", "checkbox", "text_input", "selectbox",
        "number_input", "download_button", "expander", "tabs",
    )  # fmt: skip
    for kind in kinds:
        for element in getattr(at, kind):
            yield kind, element


# Fields that the browser takes as text, identifiers or settings, not as Markdown.
PLAIN_FIELDS = {"id", "options", "raw_values", "raw_value", "default", "url", "form_id", "icon"}


@pytest.mark.parametrize("path", PATHS)
def test_no_word_of_a_file_is_taken_for_markup(path: str) -> None:
    at = go(with_hostile_file(), path)
    if path == SURVIVAL:
        checked(at.selectbox(key="w:km.by").set_value(_grouping(at)).run())
    if path == COHORT:
        checked(at.button(key="criteria.add").click().run())
        checked(at.selectbox(key="w:criterion.new.column").set_value(_grouping(at)).run())
    seen = 0
    for kind, element in elements(at):
        for field, text in strings(element.proto):
            if field in PLAIN_FIELDS and not (kind == "pills" and field == "options"):
                continue
            seen += 1
            if text.startswith("<div"):
                # A block of HTML is no Markdown up to its first blank line
                assert "\n\n" not in text, text
                assert not re.search("<(?:i|script)>|<b>[^0-9]*<", text), text
                continue
            harmless = text.replace(":material/delete:", "") if kind == "button" else text
            assert not LIVE.search(harmless), f"{kind}.{field}: {text}"
    assert seen > 5


def _grouping(at: AppTest) -> str:
    (key,) = [
        key
        for key, variable in at.session_state["workspace"].study.definitions.variables.items()
        if (variable.column or key) == COLUMN
    ]
    return key


def test_names_of_levels_come_through_whole() -> None:
    at = go(with_hostile_file(), SURVIVAL)
    key = _grouping(at)
    checked(at.selectbox(key="w:km.by").set_value(key).run())
    assert sorted(at.pills(key=f"w:km.levels.{key}").value) == sorted(HOSTILE)
    text = next(m.value for m in at.markdown if 'class="sts-table"' in m.value)
    drawn = "".join(str(trace) for trace in chart(at)["data"])
    for level in HOSTILE:
        escaped = level.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert f'<td class="">{escaped}</td>' in text, level
        assert escaped in drawn, level
    assert "<i>" not in drawn
    assert "<script" not in drawn
    assert len(curves(at)) >= len(HOSTILE)
    assert "60 of 60 patients in the file analysed" in table(at)


def test_study_with_such_words_comes_back_from_its_file() -> None:
    at = with_hostile_file()
    study = at.session_state["workspace"].study
    again = drop(start(), {FILE: hostile_file(), "study.yaml": study_file(at)})
    assert again.session_state["workspace"].study == study
    go(again, DATA)
