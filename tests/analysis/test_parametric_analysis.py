"""Parametric curves on a cohort: the kernels' numbers by group, words, what lies past follow-up."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import kaplan_meier
from sts_core.analysis.parametric_survival import (
    ParametricSurvivalSpec,
    extrapolation_warning,
    methods_sentence,
    parametric_survival,
    parametric_table,
    r_code,
    result_rows,
    result_sentences,
)
from sts_core.estimates import NotEstimable
from sts_core.estimators.parametric_survival import (
    Family,
    parametric_fit,
    quantile_interval,
    survival_of,
)
from sts_core.figures.marks import StepLine
from sts_core.figures.parametric_curves import parametric_curves
from sts_core.study import Measured, Variable
from tests.cohorts import endpoint, make_cohort

VARIABLES = {
    "group": Variable(label="Group", levels=("A", "B", "C"), measured=Measured.BASELINE),
}


def columns(n=90, seed=6):
    rng = np.random.default_rng(seed)
    return {
        "time": [int(t) for t in np.ceil(rng.weibull(1.4, n) * 300)],
        "status": [int(s) for s in rng.random(n) < 0.7],
        "group": [str(g) for g in rng.choice(["A", "B"], n)],
    }


def cohort_of(data, **changes):
    return make_cohort(data, endpoints={"OS": endpoint(**changes)}, variables=VARIABLES)


def test_numbers_are_those_of_the_kernels_by_group():
    data = columns()
    cohort = cohort_of(data)
    spec = ParametricSurvivalSpec("OS", by="group", landmarks=(6, 12))
    result = parametric_survival(cohort, spec)
    time, event = np.array(data["time"], float), np.array(data["status"])
    for name, group in zip("AB", result.groups[:2], strict=True):
        mine = np.array(data["group"]) == name
        for one in group.fits:
            fit = parametric_fit(time[mine], event[mine], one.family)
            assert (one.fit.location, one.fit.aic) == (fit.location, fit.aic)
            value, low, high = quantile_interval(fit)
            assert (one.median.value, one.median.low, one.median.high) == (value, low, high)
            at = survival_of(fit, [6 * 30.4375, 12 * 30.4375])
            np.testing.assert_allclose([rate.value for rate in one.rates], at, rtol=1e-12)
            np.testing.assert_array_equal(one.curve, survival_of(fit, result.points))
    observed = kaplan_meier(cohort, spec.curves())
    assert [group.observed.median for group in result.groups] == [
        group.median for group in observed.groups
    ]
    weibull = [group.fits[1].fit for group in result.groups[:2]]
    aic, bic, k = result.total(Family.WEIBULL)
    assert (aic, k) == (pytest.approx(sum(fit.aic for fit in weibull)), 4)
    log_likelihood = sum(fit.log_likelihood for fit in weibull)
    assert bic == pytest.approx(4 * np.log(90) - 2 * log_likelihood)


def test_table_rows_and_words():
    cohort = cohort_of(columns())
    result = parametric_survival(cohort, ParametricSurvivalSpec("OS", by="group"))
    cells = parametric_table(result).formatted()
    assert [row[0] for row in cells[1:7]] == [
        "Kaplan-Meier", "Exponential", "Weibull", "Log-normal", "Log-logistic",
        "Generalised gamma",
    ]  # fmt: skip
    assert cells[-6][0] == "All groups, a fit each"
    text = " ".join(result_sentences(result))
    assert re.search(r"In A, the smallest AIC was that of the [a-z-]+ distribution \([\d.]+", text)
    assert "In C, there are no patients." in text
    methods = methods_sentence(result)
    assert "fitted to overall survival, in each group by itself, by maximum likelihood" in methods
    assert "compared by Akaike's (AIC) and Schwarz's (BIC) criteria" in methods
    assert "weibull" not in text
    statistics = {row.statistic for row in result_rows(result)}
    assert {"location", "scale", "shape", "aic", "bic", "aic_all_groups", "median"} <= statistics
    assert "survreg(Surv(time, event) ~ 1" in r_code(result)


def test_curves_go_on_faintly_past_the_last_observed_time():
    data = columns()
    cohort = cohort_of(data)
    drawn = ("weibull", "generalised gamma")
    spec = ParametricSurvivalSpec("OS", drawn=drawn, horizon=60, landmarks=(12, 48))
    result = parametric_survival(cohort, spec)
    assert result.points[-1] == pytest.approx(60 * 30.4375)
    last = max(data["time"]) / 30.4375
    assert f"Last observed: {last:.1f} months" in extrapolation_warning(result)
    figure = parametric_curves(result)
    assert figure.footnotes[-1] == extrapolation_warning(result)
    assert "extrapolated by the models: 48 months." in " ".join(figure.footnotes)
    lines = [
        mark for mark in figure.body.panel.marks
        if isinstance(mark, StepLine) and mark.kind == "Parametric curve"
    ]  # fmt: skip
    assert [line.name for line in lines] == ["Weibull", "Generalised gamma"]
    for line, one in zip(lines, (result.groups[0].fits[1], result.groups[0].fits[4]), strict=True):
        assert line.faded_from == pytest.approx(last)
        assert line.x_end == 60
        # the drawn height is at most half a step away from the curve
        steps = np.abs(np.diff(one.curve)).max()
        assert np.abs(line.y - one.curve).max() <= steps
    assert len({line.role for line in lines}) == 2
    assert [symbol.label for symbol in figure.body.key.symbols] == [
        "Censored", "Weibull", "Generalised gamma",
    ]  # fmt: skip
    inside = parametric_survival(cohort, ParametricSurvivalSpec("OS", drawn=drawn, horizon=6))
    assert extrapolation_warning(inside) is None


def test_by_group_colours_are_the_groups_and_nothing_is_drawn_without_a_fit():
    data = columns()
    data["group"] = ["C" if i < 4 else g for i, g in enumerate(data["group"])]
    data["status"] = [0 if i < 4 else s for i, s in enumerate(data["status"])]
    result = parametric_survival(cohort_of(data), ParametricSurvivalSpec("OS", by="group"))
    assert {one.fit.reason for one in result.groups[2].fits} == {NotEstimable.NO_EVENTS}
    assert "Not estimable, no events (C): exponential, Weibull" in " ".join(result.footnotes)
    assert "no distribution could be fitted (no events)" in " ".join(result_sentences(result))
    assert result.total(Family.WEIBULL) is None
    assert [chart.name for chart in parametric_curves(result).body.charts] == ["A", "B", "C"]
    figure = parametric_curves(result, CurveOptions(arrangement="together"))
    marks = figure.body.panel.marks
    fitted = [m for m in marks if isinstance(m, StepLine) and m.kind == "Parametric curve"]
    observed = {m.name: m.role for m in marks if isinstance(m, StepLine) and m not in fitted}
    assert [line.name for line in fitted] == ["A, weibull", "B, weibull"]
    assert [line.role for line in fitted] == [observed["A"], observed["B"]]


def test_an_event_at_time_zero_has_its_reason():
    data = columns()
    data["time"][0], data["status"][0] = 0, 1
    result = parametric_survival(cohort_of(data), ParametricSurvivalSpec("OS"))
    assert {one.fit.reason for one in result.groups[0].fits} == {NotEstimable.EVENT_AT_ZERO}
    assert "an event at time 0" in " ".join(result.footnotes)


def test_wrong_choices_are_refused():
    with pytest.raises(ValueError, match="drawn must differ"):
        ParametricSurvivalSpec("OS", drawn=("weibull", "weibull"))
    with pytest.raises(ValueError, match="conf_level must lie in"):
        ParametricSurvivalSpec("OS", conf_level=95)
