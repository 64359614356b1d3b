"""Hazard ratios between the groups of a comparison, by the Cox model of the prognosis analysis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sts_core.analysis.comparison import percent_level
from sts_core.display import REASONS, format_estimate, format_number, joined
from sts_core.estimates import Estimate, NotEstimable, TestResult, not_estimable
from sts_core.estimators.cox import CoxFit, cox_fit, wald_test
from sts_core.estimators.cox_likelihood import Ties
from sts_core.estimators.product_limit import normal_quantile

MAX_COMPARED: Final = 30
"""Groups for which hazard ratios are given; more than these have none."""
TIES_NAMES: Final = {Ties.EFRON: "Efron", Ties.BRESLOW: "Breslow"}


@dataclass(frozen=True, slots=True)
class GroupHazardRatio:
    """The hazard of one group against that of the reference group.

    Attributes
    ----------
    group, reference
        Names of both; ``reference`` is ``None`` where no group has patients.
    hazard_ratio
        With its Wald interval; reason ``REFERENCE`` for the reference group itself.
    coefficient, std_error
        Log hazard ratio, ``None`` where not estimable.
    test
        Wald test of the coefficient; ``None`` for the reference group.
    n, n_event
        Patients and events of the group.
    ties
        Handling of tied times in the model.
    """

    group: str
    reference: str | None
    hazard_ratio: Estimate
    coefficient: float | None
    std_error: float | None
    test: TestResult | None
    n: int
    n_event: int
    ties: Ties = Ties.EFRON

    @property
    def is_reference(self) -> bool:
        """Whether the others are compared with this group."""
        return self.hazard_ratio.reason is NotEstimable.REFERENCE


def hazard_ratios(
    time: np.ndarray,
    event: np.ndarray,
    codes: np.ndarray,
    groups: Sequence[str],
    *,
    reference: str | None = None,
    entry: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    ties: Ties | str = Ties.EFRON,
    conf_level: float = 0.95,
) -> tuple[GroupHazardRatio, ...]:
    """Compare the hazard of each group with that of the reference group.

    Parameters
    ----------
    time, event, entry
        Follow-up of the patients compared; shape (n,).
    codes
        Number of each patient's group in ``groups``; shape (n,).
    groups
        Names in the study's order, also of groups without patients.
    reference
        Group to compare with; the first one with patients when ``None`` or without patients.
    strata
        Stratum of each patient; shape (n,).
    ties
        Efron's or Breslow's handling of tied times.
    conf_level
        Coverage of the Wald intervals, in (0, 1).

    Returns
    -------
    tuple of GroupHazardRatio
        One a group, the reference among them, in the order of ``groups``: coefficients of one
        model, so that they are those of the variable's univariable Cox model where all groups are
        compared. Empty for fewer than two groups and for more than :data:`MAX_COMPARED`. A group
        without events (or with all of them) has no finite hazard ratio: ``SEPARATION``.

    References
    ----------
    Cox DR. J R Stat Soc B 1972;34:187-220.
    """
    ties = Ties(ties)
    if not 2 <= len(groups) <= MAX_COMPARED:
        return ()
    counts = np.bincount(codes, minlength=len(groups))
    events = np.bincount(codes[event], minlength=len(groups))
    filled = np.flatnonzero(counts)
    stated = groups.index(reference) if reference in groups else -1
    base = stated if stated in filled else (int(filled[0]) if len(filled) else -1)
    shown = [int(code) for code in filled if code != base]
    fit = _fit(time, event, codes, shown, entry, strata, ties) if shown else None
    found = []
    for code, group in enumerate(groups):
        coefficient: float | None = None
        std_error: float | None = None
        test: TestResult | None = None
        if fit is not None and code in shown:
            column = shown.index(code)
            ratio = ratio_of(fit, column, conf_level)
            test = wald_test(fit, [column])
            if fit.reasons[column] is None:
                coefficient = float(fit.coefficients[column])
                std_error = float(fit.std_errors[column])
        else:
            reason = NotEstimable.REFERENCE if code == base else NotEstimable.NO_SUBJECTS
            ratio = not_estimable(reason, conf_level=conf_level, method="Wald")
            if code != base:
                test = TestResult("Wald", reason=reason)
        found.append(
            GroupHazardRatio(
                group,
                groups[base] if base >= 0 else None,
                ratio,
                coefficient,
                std_error,
                test,
                int(counts[code]),
                int(events[code]),
                ties,
            )
        )
    return tuple(found)


def _fit(
    time: np.ndarray,
    event: np.ndarray,
    codes: np.ndarray,
    shown: Sequence[int],
    entry: np.ndarray | None,
    strata: np.ndarray | None,
    ties: Ties,
) -> CoxFit:
    """Fit a column for each group shown; sorted first, so that the file's order changes no bit."""
    entered = np.zeros(len(time)) if entry is None else entry
    order = np.lexsort((codes, event, entered, time))
    columns = codes[order][:, None] == np.array(shown, dtype=np.int64)[None, :]
    return cox_fit(
        time[order],
        event[order],
        columns.astype(np.float64),
        entry=None if entry is None else entry[order],
        strata=None if strata is None else strata[order],
        ties=ties,
    )


def ratio_of(fit: CoxFit, column: int, conf_level: float) -> Estimate:
    """Give the hazard ratio of one coefficient with its Wald interval, or why there is none.

    A limit beyond the largest number is left out (``LIMIT_NOT_REACHED``), an estimate beyond it is
    ``NOT_CONVERGED``.
    """
    reason = fit.reasons[column]
    if reason is not None:
        return not_estimable(reason, conf_level=conf_level, method="Wald")
    coefficient, std_error = float(fit.coefficients[column]), float(fit.std_errors[column])
    z = normal_quantile(conf_level)
    value, low, high = (_exp(coefficient + k * std_error) for k in (0.0, -z, z))
    if value is None:  # nothing that could be shown
        return not_estimable(NotEstimable.NOT_CONVERGED, conf_level=conf_level, method="Wald")
    limit = NotEstimable.LIMIT_NOT_REACHED
    return Estimate(
        value, low, high, conf_level, "Wald", None,
        limit if low is None else None, limit if high is None else None,
    )  # fmt: skip


def _exp(exponent: float) -> float | None:
    try:
        return math.exp(exponent)
    except OverflowError:
        return None


def reference_of(ratios: Sequence[GroupHazardRatio]) -> str | None:
    """Name the group that the others are compared with; ``None`` where there is none."""
    return ratios[0].reference if ratios else None


def footnotes_of(ratios: Sequence[GroupHazardRatio], n_groups: int) -> tuple[str, ...]:
    """Say how the hazard ratios were made, and why some are missing.

    Parameters
    ----------
    ratios
        Those of a comparison.
    n_groups
        Groups of the comparison.
    """
    if n_groups > MAX_COMPARED:
        return (f"Hazard ratios are given for up to {MAX_COMPARED} groups.",)
    reference = reference_of(ratios)
    if reference is None:
        return ()
    level = percent_level(ratios[0].hazard_ratio.conf_level)
    notes = [
        f"HR, hazard ratio against {reference}: Cox model, {TIES_NAMES[ratios[0].ties]}'s handling "
        f"of ties, Wald {level} confidence interval."
    ]
    missing: dict[NotEstimable, list[str]] = {}
    for ratio in ratios:
        reason = ratio.hazard_ratio.reason
        if reason is not None and reason is not NotEstimable.REFERENCE:
            missing.setdefault(reason, []).append(ratio.group)
    notes += [
        f"HR not estimable for {joined(groups)}: {REASONS[reason]}."
        for reason, groups in missing.items()
    ]
    return tuple(notes)


def sentence_of(ratios: Sequence[GroupHazardRatio]) -> str | None:
    """Give the hazard ratios in words; ``None`` where no two groups have patients."""
    reference = reference_of(ratios)
    said = []
    for one in ratios:
        ratio = one.hazard_ratio
        if ratio.reason in (NotEstimable.REFERENCE, NotEstimable.NO_SUBJECTS):
            continue
        if ratio.value is None:
            reason = REASONS[ratio.reason] if ratio.reason else "not estimable"
            said.append(f"{one.group}, not estimable ({reason})")
            continue
        low, high = format_number(ratio.low, 2), format_number(ratio.high, 2)
        said.append(
            f"{one.group}, {format_estimate(ratio, 2, interval=False)} "
            f"({percent_level(ratio.conf_level)} CI {low} to {high})"
        )
    if reference is None or not said:
        return None
    return f"Hazard ratio against {reference} (Cox model): {'; '.join(said)}."
