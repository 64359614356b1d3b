"""A figure in the page that changes in place, where ``st.plotly_chart`` is built anew.

The element's data, as JSON, are ``data``, ``layout``, ``config``, ``alt``, ``dark``,
``minWidth``, ``counts`` and ``script``; texts of a curve, words and lines are written in the
browser, as :mod:`sts_core.render.plotly` says. Without a browser they are read as
``json.loads(element.proto.json)`` of the elements that ``AppTest.get("bidi_component")`` gives,
those whose ``proto.component_name`` is ``NAME``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pages._server.chart_library import LIBRARY_PATH
from sts_core.render.plotly import CONFIG

NAME = "sts_chart"
# The app fades what a rerun has not reached yet; a figure that changes in place would flicker
_CSS = """
.sts-chart {position: relative; isolation: isolate; width: 100%; overflow: auto hidden;}
.sts-chart > [role="img"] {width: 100%;}
.sts-chart > .sts-written {
    position: absolute; overflow: visible; pointer-events: none; white-space: pre;
}
.sts-chart .main-svg:has(> .hoverlayer) {z-index: 1;}
.sts-chart > p:empty {display: none;}
.sts-chart > p {position: absolute; top: 0; margin: 1rem 0; max-width: 40rem;}
[data-testid="stElementContainer"]:has(.sts-chart) {opacity: 1 !important; transition: none;}
"""
_mount = st.components.v2.component(
    NAME,
    css=_CSS,
    js=Path(__file__).with_name("chart.js").read_text("utf-8"),
    isolate_styles=False,  # Plotly puts its own style sheet into the page's head
)


def expect_charts() -> None:
    """Let the browser fetch the chart library on a page that has no figure yet."""
    _mount(key="chart.expected", data={"script": LIBRARY_PATH})


def chart(
    figure: dict[str, Any],
    *,
    alt: str,
    dark: bool,
    key: str,
    min_width: int = 0,
    counts: Mapping[str, str] | None = None,
) -> None:
    """Draw a figure, or change the one that stands there to it.

    Parameters
    ----------
    figure
        ``{"data": [...], "layout": {...}}`` of JSON types; the layout names its height.
    alt
        What the figure shows, for those who can't see it.
    dark
        Whether its colours are those of the dark theme.
    min_width
        Pixels below which its texts would run into each other: it is scrolled then.
    key
        Name of the place: the figure with the same one is changed, not replaced.
    counts
        What to ask for when a mark is clicked, by what the mark has under ``meta.counts``.
    """
    data = {
        **figure,
        "config": CONFIG,
        "alt": alt,
        "dark": dark,
        "minWidth": min_width,
        "counts": dict(counts or {}),
        "script": LIBRARY_PATH,
    }
    _mount(key=key, data=data)
