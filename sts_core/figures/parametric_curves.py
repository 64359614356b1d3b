"""Parametric curves laid over the Kaplan-Meier figure, faint past the last observed time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.parametric_survival import (
    NAMES,
    FamilyFit,
    ParametricGroup,
    ParametricSurvivalResult,
    extrapolation_warning,
)
from sts_core.display import joined, lower_first
from sts_core.figures.marks import Dash, Figure, KeyEntry, Role, StepLine
from sts_core.figures.survival_curve import survival_curve
from sts_core.figures.theme import slot_role

_DASHES: dict[str, Dash] = {
    "exponential": Dash.DOTTED,
    "weibull": Dash.DASHED,
    "log-normal": Dash.DASH_DOT,
    "log-logistic": Dash.SHORT_DASH,
    "generalised gamma": Dash.LONG_DASH,
}
# slot 5 is too near slot 0, which the Kaplan-Meier curve has
_COLOURS = {family: slot_role(slot) for family, slot in zip(NAMES, (1, 2, 3, 4, 6), strict=True)}


def parametric_curves(
    result: ParametricSurvivalResult, options: CurveOptions | None = None
) -> Figure:
    """Draw the families that the spec names over the Kaplan-Meier curves.

    Parameters
    ----------
    result
        What was fitted. Nothing is estimated anew here.
    options
        How to draw it; what the result's spec says when ``None``. It is drawn as survival.

    Returns
    -------
    Figure
        Among groups a family has its line style and the group its colour, by default each in a
        panel of its own; alone, a family has a colour, too.
    """
    options = result.spec.drawing if options is None else options
    options = replace(options, shown="survival", medians=False)
    if options.arrangement == "auto" and len(result.groups) > 1:
        # line styles tell the families apart here, so that groups get a panel each
        options = replace(options, arrangement="panels")
    if len(result.spec.drawn) > 1 and options.intervals is None:
        options = replace(options, intervals=False)
    drawn = [family for family in NAMES if family in result.spec.drawn]
    grouped = result.curves.is_comparison
    over = {
        group.label: tuple(
            _line(result, group, one, grouped)
            for one in group.fits
            if one.family.value in drawn and one.fit.reason is None and group.observed.n
        )
        for group in result.groups
    }
    symbols = tuple(
        KeyEntry(NAMES[family], Role.MUTED if grouped else _COLOURS[family], _DASHES[family])
        for family in drawn
    )
    # what is compared here are families, not groups
    observed = replace(result.curves, logrank=None, hazard_ratios=())
    figure = survival_curve(observed, options, over=over, symbols=symbols)
    warning = extrapolation_warning(result)
    names = joined([lower_first(NAMES[family]) for family in drawn])
    return replace(
        figure,
        footnotes=result.footnotes + ((warning,) if warning else ()),
        alt=f"{figure.alt} Laid over them: {names or 'no'} curves.",
    )


def _line(
    result: ParametricSurvivalResult, group: ParametricGroup, one: FamilyFit, grouped: bool
) -> StepLine:
    factor = result.curves.unit_factor
    x = result.points / factor
    seen = group.observed
    # a step holds until the next point, so that its height is that of the middle
    middle = np.append((one.curve[:-1] + one.curve[1:]) / 2, one.curve[-1])
    return StepLine(
        x=x,
        y=middle,
        x_end=float(x[-1]),
        role=slot_role(seen.slot) if grouped else _COLOURS[one.family.value],
        dash=_DASHES[one.family.value],
        name=f"{seen.label}, {lower_first(NAMES[one.family.value])}"
        if grouped
        else NAMES[one.family.value],
        faded_from=seen.max_time / factor if seen.max_time / factor < float(x[-1]) else None,
        kind="Parametric curve",
    )
