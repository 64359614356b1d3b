"""Parametric families fitted to each group, beside the Kaplan-Meier estimate that they lie over."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import by_words, percent_level
from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.curve_reading import chosen_time
from sts_core.analysis.followed import follow
from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    SurvivalGroup,
    counts_in_words,
    kaplan_meier,
)
from sts_core.analysis.provenance import Provenance, says_subset
from sts_core.cohort import Cohort
from sts_core.display import (
    REASONS,
    Cell,
    Column,
    DisplayTable,
    Format,
    format_estimate,
    format_number,
    joined,
    lower_first,
)
from sts_core.estimates import Estimate, NotEstimable, estimate_or_reason, not_estimable
from sts_core.estimators.parametric_survival import (
    Family,
    ParametricFit,
    parametric_fit,
    quantile_interval,
    survival_interval,
    survival_of,
)
from sts_core.members import CountedText
from sts_core.results import ResultRow
from sts_core.study.types import TimeUnit

KIND: Final = "parametric_survival"
FamilyName = Literal["exponential", "weibull", "log-normal", "log-logistic", "generalised gamma"]
NAMES: Final[dict[FamilyName, str]] = {
    "exponential": "Exponential",
    "weibull": "Weibull",
    "log-normal": "Log-normal",
    "log-logistic": "Log-logistic",
    "generalised gamma": "Generalised gamma",
}
_R_NAMES: Final = {
    Family.EXPONENTIAL: "exponential",
    Family.WEIBULL: "weibull",
    Family.LOG_NORMAL: "lognormal",
    Family.LOG_LOGISTIC: "loglogistic",
}
#: Points of a fitted curve from 0 to the end of the axis.
N_POINTS: Final = 401
#: Differences of AIC below which families are hardly told apart.
LITTLE: Final = 2.0


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ParametricSurvivalSpec:
    """What to fit.

    Parameters
    ----------
    endpoint
        Code of the endpoint.
    by
        Key of a variable or a grouping, each group with a fit of its own; everyone together when
        ``None``.
    levels
        Groups of this comparison, in any order; all when ``None``.
    drawn
        Families that are laid over the Kaplan-Meier curve; all five are in the table.
    conf_level, conf_type
        Coverage of intervals, and the scale of those of Kaplan-Meier.
    landmarks
        Times at which survival is read, in the display unit; the unit's usual ones when ``None``,
        none when empty.
    horizon
        End of the axis in the display unit, also past the follow-up; chosen when ``None``.
    time_unit
        Display unit in place of the endpoint's.
    drawing
        How the figure is drawn.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    """

    endpoint: str
    by: str | None = None
    levels: tuple[str, ...] | None = None
    drawn: tuple[FamilyName, ...] = ("weibull",)
    conf_level: float = 0.95
    conf_type: Literal["log-log", "log", "plain", "logit", "arcsin"] | None = None
    landmarks: tuple[float, ...] | None = None
    horizon: float | None = None
    time_unit: TimeUnit | None = None
    drawing: CurveOptions = CurveOptions()
    population: str | None = None
    kind: Literal["parametric_survival"] = KIND

    def __post_init__(self) -> None:
        if len(set(self.drawn)) < len(self.drawn):
            raise ValueError(f"drawn must differ, but were {', '.join(self.drawn)}")
        self.curves()

    def curves(self) -> KaplanMeierSpec:
        """Give the Kaplan-Meier estimate that the fits lie over."""
        return KaplanMeierSpec(
            endpoint=self.endpoint,
            by=self.by,
            levels=self.levels,
            conf_level=self.conf_level,
            conf_type=self.conf_type,
            landmarks=self.landmarks,
            horizon=self.horizon,
            time_unit=self.time_unit,
            drawing=self.drawing,
            population=self.population,
        )


@dataclass(frozen=True, slots=True, eq=False)
class FamilyFit:
    """One family in one group.

    Attributes
    ----------
    fit
        Parameters, likelihood and criteria, times in the raw unit.
    median
        Time by which half have the event, raw unit.
    rates
        Survival at the landmarks.
    curve
        Survival at the points of the result; NaN where there is no fit.
    """

    fit: ParametricFit
    median: Estimate
    rates: tuple[Estimate, ...]
    curve: np.ndarray

    @property
    def family(self) -> Family:
        """Which family."""
        return self.fit.family


@dataclass(frozen=True, slots=True, eq=False)
class ParametricGroup:
    """One group with its five fits; ``observed`` is its Kaplan-Meier estimate."""

    observed: SurvivalGroup
    fits: tuple[FamilyFit, ...]

    @property
    def label(self) -> str:
        """Name of the group."""
        return self.observed.label


@dataclass(frozen=True, slots=True, eq=False)
class ParametricSurvivalResult:
    """Fits of each group.

    Attributes
    ----------
    curves
        The Kaplan-Meier estimate.
    groups
        In its order, also empty ones.
    points
        Times of the fitted curves, in the raw unit.
    extrapolated
        Groups whose last observed time lies before the end of the axis.
    """

    spec: ParametricSurvivalSpec
    curves: KaplanMeierResult
    groups: tuple[ParametricGroup, ...]
    points: np.ndarray
    extrapolated: tuple[str, ...]
    footnotes: tuple[str, ...]

    @property
    def provenance(self) -> Provenance:
        """Which patients it speaks of."""
        return self.curves.provenance

    def total(self, family: Family) -> tuple[float, float, int] | None:
        """Give AIC, BIC and parameters over all groups with patients; ``None`` unless all fit."""
        fits = [
            one.fit
            for group in self.groups
            if group.observed.n
            for one in group.fits
            if one.family is family
        ]
        if not fits or any(fit.reason is not None for fit in fits):
            return None
        n = sum(fit.n for fit in fits)
        k = sum(fit.n_parameters for fit in fits)
        minus_twice = -2 * math.fsum(fit.log_likelihood for fit in fits)
        return minus_twice + 2 * k, minus_twice + k * math.log(n), k


def parametric_survival(cohort: Cohort, spec: ParametricSurvivalSpec) -> ParametricSurvivalResult:
    """Fit five families to each group.

    Parameters
    ----------
    cohort
        Patients with their endpoint; those without a usable time are counted in
        ``curves.losses``.
    spec
        What to fit.

    Returns
    -------
    ParametricSurvivalResult
        A fit that can't be made has its reason in place of numbers.

    Raises
    ------
    StudyError
        When a variable isn't there, and for groups formed after time zero.
    KeyError
        When the study has no such endpoint.
    """
    observed = kaplan_meier(cohort, spec.curves())
    followed = follow(cohort, spec)
    data, time, entry = followed.data, followed.data.time, followed.data.entry
    factor = observed.unit_factor
    end = (spec.horizon or max(observed.ticks)) * factor
    points = np.linspace(0.0, end, N_POINTS)
    marks = [rate.at for rate in observed.overall.rates]
    groups = []
    for code, group in enumerate(observed.groups):
        mask = followed.codes == code
        fits = tuple(
            _family_fit(
                parametric_fit(
                    time[mask], data.event[mask], family,
                    entry=None if entry is None else entry[mask],
                ),
                points, [mark * factor for mark in marks], spec.conf_level,
            )
            for family in Family
        )  # fmt: skip
        groups.append(ParametricGroup(group, fits))
    result = ParametricSurvivalResult(
        spec=spec,
        curves=observed,
        groups=tuple(groups),
        points=points,
        extrapolated=tuple(
            group.label for group in observed.groups if group.n and group.max_time < end
        ),
        footnotes=(),
    )
    return replace(result, footnotes=_footnotes(result))


def _family_fit(
    fit: ParametricFit, points: np.ndarray, marks: list[float], conf_level: float
) -> FamilyFit:
    if fit.reason is not None:
        nothing = not_estimable(fit.reason, conf_level=conf_level, method="delta")
        return FamilyFit(fit, nothing, (nothing,) * len(marks), np.full(points.shape, np.nan))
    median = quantile_interval(fit, 0.5, conf_level)
    rates = tuple(
        estimate_or_reason(
            *survival_interval(fit, mark, conf_level), conf_level=conf_level, method="delta",
            reason=NotEstimable.NOT_CONVERGED, limit_reason=NotEstimable.NO_VARIATION,
        )
        for mark in marks
    )  # fmt: skip
    return FamilyFit(fit, _finite(median, conf_level), rates, survival_of(fit, points))


def _finite(numbers: tuple[float, float, float], conf_level: float) -> Estimate:
    """Wrap a median; one beyond the largest number is none that could be shown."""
    value, low, high = (number if math.isfinite(number) else math.nan for number in numbers)
    return estimate_or_reason(
        value, low, high, conf_level=conf_level, method="delta", reason=NotEstimable.NOT_REACHED
    )


# --- table ---------------------------------------------------------------------------------------


def parametric_table(result: ParametricSurvivalResult) -> DisplayTable:
    """Give fit and what is read from it for each family, beside Kaplan-Meier, by group."""
    observed = result.curves
    unit, level = observed.display_unit.value, percent_level(result.spec.conf_level)
    marks = [rate.at for rate in observed.overall.rates]
    columns = [
        Column("model", "Model"),
        Column("parameters", "k", Format.INTEGER),
        Column("aic", "AIC", Format.NUMBER),
        Column("bic", "BIC", Format.NUMBER),
        Column("median", f"Median, {unit} ({level} CI)", Format.ESTIMATE),
        *(
            Column(
                f"rate_{chosen_time(mark)}", f"% ({level} CI)", Format.ESTIMATE_PERCENT,
                spanner=f"At {chosen_time(mark)} {unit}",
            )
            for mark in marks
        ),
    ]  # fmt: skip
    rows: list[dict[str, Cell]] = []
    for group in result.groups:
        seen = group.observed
        rows.append({"model": _heading(observed, seen), "_heading": True})
        if not seen.n:
            continue
        known: dict[str, Cell] = {
            "model": "Kaplan-Meier", "median": seen.median.scaled(observed.unit_factor),
            "_indent": 1,
        }  # fmt: skip
        known |= {f"rate_{chosen_time(rate.at)}": rate.estimate for rate in seen.rates}
        rows.append(known)
        for one in group.fits:
            row: dict[str, Cell] = {"model": _name(one.family), "_indent": 1}
            row |= {"parameters": one.fit.n_parameters, "median": one.median.scaled(
                observed.unit_factor)}  # fmt: skip
            row |= {"aic": _number(one.fit.aic), "bic": _number(one.fit.bic)}
            row |= {
                f"rate_{chosen_time(mark)}": rate
                for mark, rate in zip(marks, one.rates, strict=True)
            }
            rows.append(row)
    if sum(group.observed.n > 0 for group in result.groups) > 1:
        rows.append({"model": "All groups, a fit each", "_heading": True})
        for family in Family:
            total = result.total(family)
            rows.append(
                {
                    "model": _name(family),
                    "parameters": None if total is None else total[2],
                    "aic": "NE" if total is None else total[0],
                    "bic": "NE" if total is None else total[1],
                    "_indent": 1,
                }
            )
    table = DisplayTable(_title(result), tuple(columns), tuple(rows), result.footnotes)
    return result.provenance.marked(table)


def _number(value: float) -> Cell:
    return "NE" if math.isnan(value) else value


def _heading(observed: KaplanMeierResult, group: SurvivalGroup) -> str:
    return CountedText.of(f"{group.label} (", counts_in_words(observed, group), ")")


def _name(family: Family) -> str:
    return NAMES[family.value]


def _in_words(family: Family) -> str:
    """Name a family within a sentence; Weibull is a person's name."""
    return _name(family) if family is Family.WEIBULL else lower_first(_name(family))


def _title(result: ParametricSurvivalResult) -> str:
    by = by_words(result.curves.by_label)
    return f"{result.curves.endpoint_label}{by}: parametric curves"


# --- words ---------------------------------------------------------------------------------------


def extrapolation_warning(result: ParametricSurvivalResult) -> str | None:
    """Say that curves go on past what was observed; ``None`` where none is drawn that far."""
    drawn = [family for family in Family if family.value in result.spec.drawn]
    shown = [
        group
        for group in result.groups
        if group.label in result.extrapolated
        and any(one.fit.reason is None for one in group.fits if one.family in drawn)
    ]
    if not shown:
        return None
    observed = result.curves
    unit = observed.display_unit.value
    ends = [
        (f"{group.label}: " if observed.is_comparison else "")
        + f"{format_number(group.observed.max_time / observed.unit_factor)} {unit}"
        for group in shown
    ]
    return (
        "Past the last observed time the curves are faint: there they rest on the model alone, no "
        f"patient was followed so long, and families that fit alike may differ widely. Last "
        f"observed: {'; '.join(ends)}."
    )


def _footnotes(result: ParametricSurvivalResult) -> tuple[str, ...]:
    observed = result.curves
    level = percent_level(result.spec.conf_level)
    base = CountedText.of(
        counts_in_words(observed, observed.overall),
        ". Maximum likelihood fits",
        ", each group with its own" if observed.is_comparison else "",
        f"; {level} confidence intervals by the delta method, of a median on the scale of its "
        f"logarithm, of a rate on the log-log scale; Kaplan-Meier intervals on the "
        f"{observed.methods.conf_type.value} scale; NR, not reached; NE, not estimable.",
    )
    notes: list[str] = [
        base,
        "AIC = 2 k − 2 log L, BIC = k log n − 2 log L, with k parameters and n patients; smaller "
        f"is better among fits to the same patients, and a difference below {LITTLE:g} says "
        "little. Neither says whether any of the families fits.",
    ]
    late = []
    for rate in observed.overall.rates:
        at = rate.at * observed.unit_factor
        past = [
            g.observed.label for g in result.groups if g.observed.n and g.observed.max_time < at
        ]
        if past:
            who = f" in {joined(past)}" if observed.is_comparison else ""
            late.append(f"{chosen_time(rate.at)} {observed.display_unit.value}{who}")
    if late:
        notes.append(
            f"Past the last observed time, and so extrapolated by the models: {'; '.join(late)}."
        )
    why: dict[str, list[str]] = {}
    for group in result.groups:
        for one in group.fits:
            if one.fit.reason is not None and group.observed.n:
                text = REASONS[one.fit.reason]
                where = f" ({group.label})" if observed.is_comparison else ""
                why.setdefault(f"{text}{where}", []).append(_in_words(one.family))
    notes += [f"Not estimable, {reason}: {joined(names)}." for reason, names in why.items()]
    # of the Kaplan-Meier estimate, what says who is in it and where times come from
    notes += [
        note
        for note in observed.footnotes[1:]
        if not note.startswith(("Log-rank", "HR", "Hazard ratio", "Follow-up", "Gehan", "Tarone"))
    ]
    return tuple(dict.fromkeys(notes))


def methods_sentence(result: ParametricSurvivalResult) -> str:
    """Say how it was done, for the methods section."""
    observed = result.curves
    own = ", in each group by itself," if observed.is_comparison else ""
    return (
        f"Exponential, Weibull, log-normal, log-logistic and generalised gamma distributions were "
        f"fitted to {lower_first(observed.endpoint_label)}{own} by maximum likelihood and compared "
        "by Akaike's (AIC) and Schwarz's (BIC) criteria."
    )


@says_subset
def result_sentences(result: ParametricSurvivalResult) -> tuple[str, ...]:
    """Say what was found; right when nothing could be fitted."""
    observed = result.curves
    unit = observed.display_unit.value
    out = ["No group of this comparison is chosen."] if not result.groups else []
    for group in result.groups:
        who = f"In {group.label}" if observed.is_comparison else "In all patients"
        if not group.observed.n:
            out.append(f"{who}, there are no patients." if observed.is_comparison
                       else "There are no patients.")  # fmt: skip
            continue
        fitted = [one for one in group.fits if one.fit.reason is None]
        if not fitted:
            reasons = sorted({REASONS[one.fit.reason] for one in group.fits if one.fit.reason})
            out.append(f"{who}, no distribution could be fitted ({'; '.join(reasons)}).")
            continue
        best = min(fitted, key=lambda one: one.fit.aic)
        near = [
            _in_words(one.family)
            for one in fitted
            if one is not best and one.fit.aic < best.fit.aic + LITTLE
        ]
        also = f"; {joined(near)} within {LITTLE:g} of it" if near else ""
        seen = format_estimate(group.observed.median.scaled(observed.unit_factor), interval=False)
        text = (
            f"{who}, the smallest AIC was that of the {_in_words(best.family)} "
            f"distribution ({format_number(best.fit.aic)}{also})"
        )
        median = best.median.scaled(observed.unit_factor)
        if median.value is not None:
            text += (
                f", with a median of {format_estimate(median, interval=False)} {unit} "
                f"(Kaplan-Meier: {seen})"
            )
            if best.median.value is not None and best.median.value > group.observed.max_time:
                text += ", which lies past the last observed time"
        out.append(f"{text}.")
    return tuple(out)


# --- rows and R ----------------------------------------------------------------------------------


def result_rows(result: ParametricSurvivalResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row, times in the raw unit; ``level`` is the family."""
    observed, spec = result.curves, result.spec
    base = replace(result.provenance.row(KIND), endpoint=spec.endpoint, group_var=spec.by)
    rows: list[ResultRow] = []
    for group in result.groups:
        seen = group.observed
        mine = replace(base, group=group.label if spec.by else None, n=seen.n, events=seen.n_event)
        rows.append(replace(mine, statistic="n", value=float(seen.n), r="yes"))
        rows.append(replace(mine, statistic="events", value=float(seen.n_event), r="yes"))
        for one in group.fits:
            rows += _fit_rows(replace(mine, level=one.family.value), one, result)
    if spec.by:
        for family in Family:
            total = result.total(family)
            for name, value in zip(("aic", "bic"), total or (None, None), strict=False):
                rows.append(
                    replace(
                        base, statistic=f"{name}_all_groups", level=family.value, value=value,
                        status="estimated" if value is not None else "not_estimable",
                        reason=None if value is not None else NotEstimable.NOT_CONVERGED.value,
                        r="formula" if family in _R_NAMES else "none",
                    )
                )  # fmt: skip
    lost = sum(len(loss.subjects) for loss in observed.losses) + observed.n_unknown_group
    rows.append(replace(base, statistic="n_not_included", value=float(lost)))
    return tuple(rows)


def _fit_rows(base: ResultRow, one: FamilyFit, result: ParametricSurvivalResult) -> list[ResultRow]:
    fit, observed = one.fit, result.curves
    mine = replace(base, r="yes" if one.family in _R_NAMES else "none")
    numbers = {
        "location": fit.location,
        "scale": fit.scale,
        "shape": fit.shape if one.family is Family.GENERALISED_GAMMA else math.nan,
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "bic": fit.bic,
    }
    rows = []
    for name, number in numbers.items():
        if name == "shape" and one.family is not Family.GENERALISED_GAMMA:
            continue
        rows.append(
            replace(
                mine, statistic=name, value=None if math.isnan(number) else number,
                status="not_estimable" if fit.reason else "estimated",
                reason=fit.reason.value if fit.reason else None,
            )
        )  # fmt: skip
    formula = replace(mine, r="formula" if one.family in _R_NAMES else "none")
    rows.append(
        replace(formula, statistic="median", unit=observed.unit.value).of_estimate(one.median)
    )
    for rate, estimate in zip(observed.overall.rates, one.rates, strict=True):
        at = f"{chosen_time(rate.at)} {observed.display_unit.value}"
        row = replace(formula, statistic="survival_rate", term=at, unit="proportion")
        rows.append(row.of_estimate(estimate))
    return rows


def r_code(result: ParametricSurvivalResult) -> str:
    """Give R code for the same numbers, but for the generalised gamma.

    The code expects a data frame ``d`` of the patients of this comparison, with ``time`` (raw
    unit), ``event`` (1 or 0) and ``group`` where there are groups. ``survreg`` knows no delayed
    entry and no time of 0.
    """
    observed = result.curves
    if observed.delayed_entry:
        return "# survreg knows no delayed entry: these fits can't be repeated by it\n"
    z = (1 + result.spec.conf_level) / 2
    times = ", ".join(repr(rate.at * observed.unit_factor) for rate in observed.overall.rates)
    families = ", ".join(f'"{name}"' for name in _R_NAMES.values())
    lines = [
        "library(survival)",
        "control <- survreg.control(rel.tolerance = 1e-13, maxiter = 500)",
        f"groups <- {'split(d, d$group)' if result.spec.by else 'list(all = d)'}",
        "for (name in names(groups)) {",
        "  x <- groups[[name]]; n <- nrow(x); x <- x[x$time > 0, ]",
        f"  for (family in c({families})) {{",
        "    fit <- survreg(Surv(time, event) ~ 1, data = x, dist = family, control = control)",
        "    cat(name, family, coef(fit), fit$scale, fit$loglik[2], AIC(fit), "
        'AIC(fit, k = log(n)), "\\n")',
        '    at <- predict(fit, data.frame(one = 1), type = "uquantile", p = 0.5, se.fit = TRUE)',
        f"    print(exp(at$fit + c(0, -1, 1) * qnorm({z}) * at$se.fit))",
    ]
    if times:
        lines.append(f"    print(1 - psurvreg(c({times}), coef(fit), fit$scale, family))")
    lines += ["  }", "}", "# generalised gamma: not in this package"]
    return "\n".join(lines) + "\n"
