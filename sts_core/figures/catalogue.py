"""Which figure an analysis has: the drawing side of the registry of analyses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sts_core.analysis import competing_risks as cr
from sts_core.analysis import cox as cx
from sts_core.analysis import kaplan_meier as km
from sts_core.analysis import parametric_survival as ps
from sts_core.analysis import response as rs
from sts_core.analysis.cox import (
    Covariate,
    CovariateLevel,
    CoxResult,
    Model,
    level_members,
    overall_test,
)
from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.response import ResponseResult, Share, response_members
from sts_core.display import lower_first
from sts_core.figures.cumulative_incidence import cumulative_incidence_curve
from sts_core.figures.forest_plot import ForestRow, forest_plot
from sts_core.figures.marks import Figure
from sts_core.figures.parametric_curves import parametric_curves
from sts_core.figures.survival_curve import survival_curve
from sts_core.members import Count, CountedText

_PANELS = {"univariable": "Univariable", "multivariable": "Multivariable"}


def response_forest(result: ResponseResult) -> Figure | None:
    """Draw objective response by group with its exact interval; ``None`` without groups."""
    if not result.is_comparison:
        return None
    rows = []
    for at, group in enumerate(result.groups):
        share = group.rates(result.spec.denominator).objective_response
        rows.append(
            ForestRow(
                label=group.label,
                estimates=(share.estimate,),
                counts=_rated(result, share, at),
                weight=float(max(share.total, 1)),
                members=response_members(result, result.spec.denominator, at),
            )
        )
    overall = result.overall.rates(result.spec.denominator).objective_response
    rows.append(
        ForestRow(
            label="All of these",
            estimates=(overall.estimate,),
            counts=_rated(result, overall, None),
            weight=float(max(overall.total, 1)),
            members=response_members(result, result.spec.denominator),
        )
    )
    return forest_plot(
        rows,
        count_headers=("Responses", "Patients"),
        measure="Objective response rate",
        scale="proportion",
        show_p=False,
        reference_line=overall.estimate.value,
        title=f"Objective response by {lower_first(result.by_label or '')}"
        f"{result.provenance.title_mark}",
        footnotes=result.footnotes,
        stamp=result.provenance.stamp,
        conf_level=result.spec.conf_level,
    )


def _rated(result: ResponseResult, share: Share, group: int | None) -> tuple[str, str]:
    """Write responses and patients of a row, with who they are."""
    responders = response_members(result, "objective_response", group)
    patients = response_members(result, result.spec.denominator, group)
    return (
        CountedText.of(Count(str(share.count), responders)),
        CountedText.of(Count(str(share.total), patients)),
    )


def cox_forest(result: CoxResult) -> Figure:
    """Draw hazard ratios on a log axis, both models side by side, reference levels named."""
    models: list[Model] = []
    if result.spec.shows_univariable:
        models.append("univariable")
    if result.spec.shows_multivariable and (result.model is not None or not models):
        models.append("multivariable")
    rows = []
    for covariate in result.covariates:
        if covariate.is_factor:
            tests = [
                overall_test(covariate, model, result.convention.factor_test) for model in models
            ]
            rows.append(
                ForestRow(
                    label=covariate.label,
                    heading=True,
                    p_values=tuple(test.p_value if test else None for test in tests),
                )
            )
        for level in covariate.levels:
            terms = [level.term(model) for model in models]
            rows.append(
                ForestRow(
                    label=_level_label(covariate, level),
                    estimates=tuple(term.hazard_ratio if term else None for term in terms),
                    p_values=tuple(
                        term.test.p_value if term and term.test else None for term in terms
                    ),
                    counts=(
                        CountedText.of(
                            Count(str(level.n), level_members(result, covariate, level))
                        ),
                        CountedText.of(
                            Count(
                                str(level.n_event),
                                level_members(result, covariate, level, "event"),
                            )
                        ),
                    ),
                    weight=float(max(level.n_event, 1)),
                    alone=not covariate.is_factor,
                    members=level_members(result, covariate, level),
                )
            )
    return forest_plot(
        rows,
        panels=tuple(_PANELS[model] for model in models),
        title=f"Hazard ratios for {lower_first(result.endpoint_label)}"
        f"{result.provenance.title_mark}",
        footnotes=result.footnotes,
        stamp=result.provenance.stamp,
        quiet_p=result.provenance.quiet_p,
        conf_level=result.spec.conf_level,
    )


def _level_label(covariate: Covariate, level: CovariateLevel) -> str:
    if covariate.is_factor:
        return level.label
    return f"{covariate.label}, {level.label}"


FIGURES: dict[str, Callable[[Any], Figure | None]] = {
    km.KIND: survival_curve,
    rs.KIND: response_forest,
    cx.KIND: cox_forest,
    cr.KIND: cumulative_incidence_curve,
    ps.KIND: parametric_curves,
}


def for_files(figure: Figure, drawing: CurveOptions) -> Figure:
    """Give a figure as files have it: with its footnotes, or without where so chosen."""
    return figure if drawing.notes else replace(figure, footnotes=())


def figure_of(kind: str, result: Any) -> Figure | None:
    """Draw a result, or give ``None`` when its kind has no figure."""
    draw = FIGURES.get(kind)
    return draw(result) if draw else None
