"""How curves over time are drawn: a part of their spec, so that page, report and file agree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.study.types import Endpoint

Arrangement = Literal["auto", "together", "direct", "highlighted", "panels"]
#: Characters of a title or a name.
MAX_WORDS = 200


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class CurveOptions:
    """How curves are drawn; nothing of it changes a number.

    Parameters
    ----------
    scale
        Of the axis: 0 to 100 or 0 to 1.
    shown
        Survival, or what is left of 1 ("cumulative"); the latter only where no competing event
        takes patients out, else survival is drawn and a note says why.
    arrangement
        ``together`` with a key, ``direct`` with names at the curves' ends, ``highlighted`` with a
        panel for each group over all others in grey, ``panels`` with a panel each; ``auto``
        draws up to four groups together and highlights each of more.
    intervals, medians
        Bands of pointwise intervals and lines to the medians; ``None`` leaves both out where many
        curves share a panel.
    censored
        Ticks where patients were censored.
    risk_rows
        Under the axis: at risk, events and censored, or at risk alone, or nothing.
    rates, hazard_ratios
        Whether the numbers beside the curves have the rates at the landmarks, and the hazard
        ratio of each group.
    title, x_title, y_title
        In place of the ones made from the result; ``None`` or empty for those.
    labels
        Pairs of a group and its name in this figure.
    size
        Page of exported files: 170 mm, 84 mm, or a 16:9 slide.
    black_and_white
        Whether exported files tell the groups apart by line style alone.
    notes
        Whether exported files have the footnotes, which a journal prints in its own type; a slide
        always has them.
    """

    scale: Literal["percent", "proportion"] = "percent"
    shown: Literal["survival", "cumulative"] = "survival"
    arrangement: Arrangement = "auto"
    intervals: bool | None = None
    medians: bool | None = None
    censored: bool = True
    risk_rows: Literal["all", "at_risk", "none"] = "all"
    rates: bool = True
    hazard_ratios: bool = True
    title: str | None = None
    x_title: str | None = None
    y_title: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    size: Literal["double", "single", "slide"] = "double"
    black_and_white: bool = False
    notes: bool = True

    def __post_init__(self) -> None:
        words = [self.title, self.x_title, self.y_title, *(name for _, name in self.labels)]
        for text in words:
            if text is not None and len(text) > MAX_WORDS:
                raise ValueError(f"a title or name has at most {MAX_WORDS} characters: {text!r}")

    def label_of(self, group: str) -> str:
        """Give a group's name in this figure."""
        return dict(self.labels).get(group) or group


def about_of(endpoint: str, by: str | None, event_kind: str | None = None) -> str:
    """Name what a figure is about: titles of one figure are not those of another."""
    kind = f", {event_kind}" if event_kind else ""
    return f"{endpoint}{kind} by {by}" if by else f"{endpoint}{kind}"


def kept_drawing(kept: Mapping[str, Any]) -> CurveOptions:
    """Read the drawing that a study file holds for a figure; what can't be read decides nothing."""
    try:
        return TypeAdapter(CurveOptions).validate_python(kept.get("drawing") or {})
    except ValidationError:
        return CurveOptions()


def kept_words(kept: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Read the titles that a study file holds, by what their figure is about."""
    try:
        return TypeAdapter(dict[str, dict[str, str]]).validate_python(kept.get("words") or {})
    except ValidationError:
        return {}


def drawing_of(kept: Mapping[str, Any], about: str) -> CurveOptions:
    """Give the kept drawing with the titles of one figure in place of those of the last."""
    words = kept_words(kept).get(about, {})
    drawing = kept_drawing(kept)
    try:
        return replace(
            drawing, title=words.get("title"), x_title=words.get("x_title"),
            y_title=words.get("y_title"),
        )  # fmt: skip
    except ValueError:  # a title that is too long was not given here
        return replace(drawing, title=None, x_title=None, y_title=None)


def counts_every_death(endpoint: Endpoint) -> bool:
    """Whether death from any cause is an event of an endpoint.

    Only then no death competes with its events, and one less the Kaplan-Meier estimate is the
    cumulative probability of an event.
    """
    kinds = endpoint.event_dates if endpoint.from_dates else endpoint.events
    return any(_DEATH.search(kind.casefold()) for kind in kinds)


# a death "from the disease" leaves the others out
_DEATH = re.compile(r"\bdeath\b(?! (from|by|due|of))")
