"""Page tests find a widget by the name of its choice, also after the program has set it."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1.element_tree import ElementList


@pytest.fixture(autouse=True)
def _widgets_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``at.selectbox(key="w:km.by")`` give the widget of any generation."""

    def find(self: Any, key: str) -> Any:
        for element in self:
            found = getattr(element, "key", None)
            if found is not None and found.split("|")[0] == key:
                return element
        raise KeyError(key)

    monkeypatch.setattr(ElementList, "__call__", find)
