"""How curves are drawn: a popover beside the figure, in sections."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st
from pydantic import TypeAdapter

from pages._ui import state
from pages._ui.inputs import choose, choose_one, plain, toggle, typed
from sts_core.analysis.curve_options import (
    MAX_WORDS,
    Arrangement,
    CurveOptions,
    kept_drawing,
    kept_words,
)
from sts_core.analysis.curve_reading import TICK_STEPS
from sts_core.figures.catalogue import for_files
from sts_core.figures.marks import Figure
from sts_core.study.types import TimeUnit
from sts_core.values import number_of

_AUTO = {"auto": "Automatic", "on": "Always", "off": "Never"}
_CHOICE = {"auto": None, "on": True, "off": False}
_ARRANGEMENTS: dict[Arrangement, str] = {
    "auto": "Automatic: more than four groups in a panel each",
    "together": "Together, with a key",
    "direct": "Together, named at their ends",
    "highlighted": "A panel each, the others in grey",
    "panels": "A panel each, alone",
}
_ROWS = {"all": "At risk, events, censored", "at_risk": "At risk", "none": "Nothing"}
_SIZES = {"double": "170 mm", "single": "84 mm", "slide": "Slide 16:9"}
_WIDTH = 400
#: Groups from which their names are asked for in a box that scrolls.
_MANY_NAMES = 5
_MOST_NAMES = 30


@dataclass(frozen=True, slots=True)
class FigureChoices:
    """What was chosen for a figure of curves; times in the display unit.

    Attributes
    ----------
    drawing
        How it is drawn.
    tick_step, horizon
        Distance of the axis ticks and end of the axis; ``None`` where the app chooses.
    preview
        Whether the exported page is shown in place of the figure.
    words
        Titles of each figure, by what it is about.
    """

    drawing: CurveOptions
    tick_step: float | None
    horizon: float | None
    preview: bool
    words: dict[str, dict[str, str]]

    def for_files(self, figure: Figure) -> Figure:
        """Give a figure as files have it: with its footnotes, or without."""
        return for_files(figure, self.drawing)

    def document(self) -> dict[str, Any]:
        """Give the choices as the study file holds them."""
        return {
            "tick_step": self.tick_step,
            "horizon": self.horizon,
            "drawing": TypeAdapter(CurveOptions).dump_python(self.drawing, mode="json"),
            "words": self.words,
        }


def figure_options(
    key: str,
    kept: Mapping[str, Any],
    unit: TimeUnit,
    groups: Sequence[str],
    *,
    about: str,
    cumulative: bool | None,
) -> FigureChoices:
    """Offer axes, what is shown, words and the page of files.

    Parameters
    ----------
    key
        Beginning of the widgets' keys.
    kept
        What :meth:`FigureChoices.document` gave.
    unit
        Of the time axis.
    groups
        Names of the groups shown; none without a comparison.
    about
        Endpoint and grouping: the titles of one figure are not those of another.
    cumulative
        Whether one less survival may be drawn; never where another event competes. ``None`` where
        there is no such choice.
    """
    old = kept_drawing(kept)
    with st.popover("Figure", icon=":material/tune:"), st.container(width=_WIDTH):
        axes, parts, words, file = st.tabs(["Axes", "Shown", "Words", "File"])
        with axes:
            horizon, step = _time_axis(key, kept, unit)
            scale = choose_one(
                "Scale", ["percent", "proportion"], f"{key}.scale", kept=old.scale,
                names={"percent": "0 to 100%", "proportion": "0 to 1"},
            )  # fmt: skip
            shown = "survival"
            if cumulative:
                shown = choose_one(
                    "Curve", ["survival", "cumulative"], f"{key}.shown", kept=old.shown,
                    names={
                        "survival": "Survival",
                        "cumulative": "Cumulative probability of an event",
                    },
                )  # fmt: skip
            elif cumulative is not None:
                st.caption(
                    "The cumulative probability of an event is not offered as one less survival: "
                    "death from another cause competes with the events of this endpoint."
                )
        with parts:
            arrangement = "auto"
            if len(groups) > 1:
                arrangement = choose(
                    "Groups", list(_ARRANGEMENTS), f"{key}.arrangement", kept=old.arrangement,
                    names={str(name): text for name, text in _ARRANGEMENTS.items()},
                )  # fmt: skip
            intervals = _three(f"{key}.bands", "Interval bands", old.intervals)
            medians = _three(f"{key}.medians", "Lines to the medians", old.medians)
            rows = choose_one(
                "Under the axis", list(_ROWS), f"{key}.rows", kept=old.risk_rows, names=_ROWS
            )
            censored = toggle("Ticks of censored patients", f"{key}.censored", kept=old.censored)
            rates = toggle("Rates beside the curves", f"{key}.rates", kept=old.rates)
            ratios = len(groups) > 1 and toggle(
                "Hazard ratios beside the curves", f"{key}.ratios", kept=old.hazard_ratios
            )
        with words:
            all_words = kept_words(kept)
            own = all_words.pop(about, {})
            title = _words(f"{key}.title.{about}", "Title", own.get("title"))
            y_title = _words(f"{key}.y.{about}", "Upright axis", own.get("y_title"))
            x_title = _words(f"{key}.x.{about}", "Time axis", own.get("x_title"))
            named = {"title": title, "y_title": y_title, "x_title": x_title}
            own = {name: text for name, text in named.items() if text is not None}
            if own:
                all_words[about] = own
            labels = _labels(key, groups, dict(old.labels))
        with file:
            size = choose_one(
                "Page of PDF, SVG, PNG and TIFF", list(_SIZES), f"{key}.size", kept=old.size,
                names=_SIZES, help="One or two columns of a journal, or a slide.",
            )  # fmt: skip
            grey = toggle(
                "Black and white", f"{key}.grey", kept=old.black_and_white,
                help="Groups differ by line style. For files and slides.",
            )  # fmt: skip
            notes = toggle(
                "Footnotes below the figure", f"{key}.notes", kept=old.notes,
                help="A journal prints them in its own type. Slides always have them, and the "
                "stamp of synthetic data stays.",
            )  # fmt: skip
            preview = toggle(
                "Show the page as it is exported", f"{key}.preview",
                kept=bool(state.remembered(f"{key}.preview")),
            )  # fmt: skip
            state.remember(f"{key}.preview", preview)
    drawing = CurveOptions(
        scale=cast("Any", scale),
        shown=cast("Any", shown),
        arrangement=cast("Arrangement", arrangement if len(groups) > 1 else old.arrangement),
        intervals=intervals,
        medians=medians,
        censored=censored,
        risk_rows=cast("Any", rows),
        rates=rates,
        hazard_ratios=ratios if len(groups) > 1 else old.hazard_ratios,
        title=title,
        x_title=x_title,
        y_title=y_title,
        labels=labels,
        size=cast("Any", size),
        black_and_white=grey,
        notes=notes,
    )
    return FigureChoices(drawing, step, horizon, preview, all_words)


def _time_axis(
    key: str, kept: Mapping[str, Any], unit: TimeUnit
) -> tuple[float | None, float | None]:
    end = kept.get("horizon")
    text = typed(
        f"The axis ends at, {unit.value}", f"{key}.horizon.{unit.value}",
        kept=f"{end:g}" if end else "", placeholder="the longest follow-up",
    )  # fmt: skip
    horizon = number_of(text) if text.strip() else None
    if text.strip() and (horizon is None or not 0 < horizon < math.inf):
        st.error("Write one time above 0, or leave the field empty.")
        horizon = None
    steps = ["auto", *(f"{step:g}" for step in TICK_STEPS[unit])]
    former = kept.get("tick_step")
    step = choose(
        f"Distance of the axis ticks, {unit.value}", steps, f"{key}.step.{unit.value}",
        kept=f"{former:g}" if former else "auto", names={"auto": "chosen by the app"},
    )  # fmt: skip
    return horizon, None if step == "auto" else float(step)


def _three(key: str, label: str, kept: bool | None) -> bool | None:
    start = {None: "auto", True: "on", False: "off"}[kept]
    return _CHOICE[choose_one(label, list(_AUTO), key, kept=start, names=_AUTO)]


def _words(key: str, label: str, kept: str | None) -> str | None:
    text = typed(
        label, key, kept=kept or "", placeholder="as the app writes it", max_chars=MAX_WORDS
    )
    return text.strip() or None


def _labels(
    key: str, groups: Sequence[str], kept: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Offer other names in this figure; those of groups that are not shown are kept."""
    if not groups:
        return tuple(kept.items())
    if len(groups) > _MOST_NAMES:
        st.caption(f"Groups can be renamed where there are at most {_MOST_NAMES}.")
        return tuple(kept.items())
    st.caption("Names of the groups in this figure only")
    found = dict(kept)
    with st.container(height=260 if len(groups) > _MANY_NAMES else "content", border=False):
        for group in groups:
            text = _words(f"{key}.name.{group}", plain(group), kept.get(group))
            found.pop(group, None)
            if text is not None and text != group:
                found[group] = text
    return tuple(found.items())
