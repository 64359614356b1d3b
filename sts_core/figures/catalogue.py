"""Which figures an analysis has: the drawing side of the registry of analyses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sts_core.analysis import kaplan_meier as km
from sts_core.figures.marks import Figure
from sts_core.figures.survival_curve import survival_curve

FIGURES: dict[str, Callable[[Any], Figure]] = {km.KIND: survival_curve}


def figure_of(kind: str, result: Any) -> Figure | None:
    """Draw a result, or give ``None`` when its kind has no figure."""
    draw = FIGURES.get(kind)
    return draw(result) if draw else None
