"""Fine and Gray's regression by variables, with reference levels and who is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sts_core.analysis.cox import EncodedCovariate, step_of
from sts_core.estimates import Estimate, NotEstimable, TestResult, not_estimable
from sts_core.estimators.fine_gray import FineGrayFit, fine_gray, fine_gray_wald
from sts_core.estimators.product_limit import normal_quantile


@dataclass(frozen=True, slots=True)
class RatioTerm:
    """A subdistribution hazard ratio: of a level against the reference, or of a number's step."""

    label: str
    n: int
    n_event: int
    ratio: Estimate
    coefficient: float | None
    std_error: float | None
    test: TestResult | None

    @property
    def is_reference(self) -> bool:
        """Whether the others are compared with this level."""
        return self.ratio.reason is NotEstimable.REFERENCE


@dataclass(frozen=True, slots=True)
class RatioVariable:
    """A variable of the regression with its terms, and the test of all of them."""

    key: str
    label: str
    is_factor: bool
    terms: tuple[RatioTerm, ...]
    test: TestResult


@dataclass(frozen=True, slots=True)
class FineGrayModel:
    """Fine and Gray's regression of the kind of interest.

    Attributes
    ----------
    n, n_event, n_competing
        Patients in it, and their events.
    missing
        Variables that are not known for everyone, with how many of whom they are not.
    n_excluded
        Patients left out for one or more of them.
    n_parameters
        Coefficients that are neither constant nor collinear.
    reason
        Why there is no model at all.
    """

    variables: tuple[RatioVariable, ...]
    n: int
    n_event: int
    n_competing: int
    missing: tuple[tuple[str, str, int], ...]
    n_excluded: int
    n_parameters: int
    reason: NotEstimable | None = None


def subdistribution_model(
    encoded: Sequence[EncodedCovariate],
    time: np.ndarray,
    cause: np.ndarray,
    used: np.ndarray,
    entry: np.ndarray | None,
    conf_level: float,
    reason: NotEstimable | None,
) -> FineGrayModel:
    """Fit the regression of the first cause.

    Parameters
    ----------
    encoded
        Variables in their order, over all patients with a time.
    time, cause
        Times, and 1 for the event of interest, above for others, 0 where censored; shape (n,).
    used
        Who belongs to the comparison; shape (n,).
    entry
        Times from which on patients are under observation; shape (n,). None of them late when
        ``None``.
    conf_level
        Coverage of intervals.
    reason
        Why nothing is to be fitted.
    """
    rows = used & np.logical_and.reduce([variable.known for variable in encoded])
    designs = [variable.design(rows) for variable in encoded]
    columns = np.hstack([block[rows] for block, _ in designs])
    late = None if entry is None else entry[rows]
    fit = None if reason else fine_gray(time[rows], cause[rows], columns, entry=late)
    variables, start = [], 0
    for variable, (block, shown) in zip(encoded, designs, strict=True):
        span = range(start, start + block.shape[1])
        start = span.stop
        variables.append(_ratios(variable, rows, cause == 1, fit, span, shown, conf_level, reason))
    aliased = (NotEstimable.NO_VARIATION, NotEstimable.COLLINEAR)
    return FineGrayModel(
        variables=tuple(variables),
        n=int(rows.sum()),
        n_event=int(np.count_nonzero(cause[rows] == 1)),
        n_competing=int(np.count_nonzero(cause[rows] > 1)),
        missing=tuple(
            (variable.key, variable.label, int((used & ~variable.known).sum()))
            for variable in encoded
            if (used & ~variable.known).any()
        ),
        n_excluded=int((used & ~rows).sum()),
        n_parameters=0 if fit is None else sum(why not in aliased for why in fit.reasons),
        reason=reason,
    )


def _ratios(
    variable: EncodedCovariate,
    rows: np.ndarray,
    event: np.ndarray,
    fit: FineGrayFit | None,
    span: range,
    shown: tuple[int, ...],
    conf_level: float,
    reason: NotEstimable | None,
) -> RatioVariable:
    nothing = reason or NotEstimable.NO_SUBJECTS

    def term(column: int | None, label: str, n: int, n_event: int) -> RatioTerm:
        if fit is None or column is None:
            lost = not_estimable(nothing, conf_level=conf_level, method="Wald")
            return RatioTerm(
                label, n, n_event, lost, None, None, TestResult("Wald", reason=nothing)
            )
        why = fit.reasons[column]
        test = fine_gray_wald(fit, [column])
        if why is not None:
            lost = not_estimable(why, conf_level=conf_level, method="Wald")
            return RatioTerm(label, n, n_event, lost, None, None, test)
        return _ratio_term(fit, column, label, n, n_event, test, conf_level)

    if variable.codes is None:
        terms = [term(span[0], step_of(variable), int(rows.sum()), int((rows & event).sum()))]
    else:
        counts, events = variable.counts(rows), variable.counts(rows & event)
        reference = variable.reference_code(rows)
        column_of = dict(zip(shown, span, strict=True))
        terms = []
        for code, label in enumerate(variable.levels):
            n, n_event = int(counts[code]), int(events[code])
            if code == reference:
                ratio = not_estimable(NotEstimable.REFERENCE, conf_level=conf_level, method="Wald")
                terms.append(RatioTerm(label, n, n_event, ratio, None, None, None))
            elif n:
                terms.append(term(column_of[code], label, n, n_event))
    none = TestResult("Wald", reason=nothing if fit is None else NotEstimable.NO_VARIATION)
    return RatioVariable(
        variable.key,
        variable.label,
        variable.codes is not None,
        tuple(terms),
        none if fit is None or not len(span) else fine_gray_wald(fit, list(span)),
    )


def _ratio_term(
    fit: FineGrayFit, column: int, label: str, n: int, n_event: int, test: TestResult, level: float
) -> RatioTerm:
    coefficient, error = float(fit.coefficients[column]), float(fit.std_errors[column])
    z = normal_quantile(level)
    exponents = (coefficient, coefficient - z * error, coefficient + z * error)
    with np.errstate(over="ignore"):
        value, low, high = (float(np.exp(exponent)) for exponent in exponents)
    if math.isinf(value):
        lost = not_estimable(NotEstimable.NOT_CONVERGED, conf_level=level, method="Wald")
        return RatioTerm(label, n, n_event, lost, coefficient, error, test)
    high_reason = NotEstimable.LIMIT_NOT_REACHED if math.isinf(high) else None
    ratio = Estimate(
        value, low, None if high_reason else high, level, "Wald", None, None, high_reason
    )
    return RatioTerm(label, n, n_event, ratio, coefficient, error, test)
