"""Who is analysed: ordered criteria and filters, and a flow that adds up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np

from sts_core.cohort import Cohort, FlowDiagram, FlowStep
from sts_core.derive import dates_of, levels_of, numbers_of, variable_of
from sts_core.study.types import Between, Criterion, IsKnown, OneOf, Study, VariableKind
from sts_core.values import text_of


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a criterion says of every subject in the file.

    Attributes
    ----------
    leaves
        Would be removed by it, boolean array (n,); includes those only removed for a missing value.
    unknown
        Its column holds nothing readable, boolean array (n,).
    """

    leaves: np.ndarray
    unknown: np.ndarray


def evaluate(cohort: Cohort, criterion: Criterion) -> Outcome:
    """Say of every subject of the file whether a criterion removes it.

    Raises
    ------
    StudyError
        When its column isn't there.
    ValueError
        When a bound of a date is no ISO date.
    """
    met, unknown = _met(cohort, criterion)
    if isinstance(criterion, IsKnown):
        return Outcome(~unknown if criterion.excludes else unknown, unknown)
    leaves = met if criterion.excludes else ~met
    leaves = np.where(unknown, criterion.missing == "drop", leaves).astype(bool)
    return Outcome(leaves, unknown)


def _met(cohort: Cohort, criterion: Criterion) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(criterion, Between):
        return _within(cohort, criterion)
    values = levels_of(cohort, criterion.column).values
    unknown = np.array([value is None for value in values], dtype=bool)
    if isinstance(criterion, IsKnown):
        return ~unknown, unknown
    wanted = {text_of(value) for value in criterion.values}
    return np.array([value in wanted for value in values], dtype=bool) & ~unknown, unknown


def _within(cohort: Cohort, criterion: Between) -> tuple[np.ndarray, np.ndarray]:
    bounds = (criterion.low, criterion.high)
    is_date = variable_of(cohort, criterion.column).kind is VariableKind.DATE or any(
        isinstance(bound, str) for bound in bounds
    )
    read = dates_of(cohort, criterion.column) if is_date else numbers_of(cohort, criterion.column)
    unknown = read.missing | read.unreadable
    met = ~unknown
    with np.errstate(invalid="ignore"):
        for bound, compare in zip(bounds, (np.greater_equal, np.less_equal), strict=True):
            if bound is not None:
                limit = (
                    np.datetime64(dt.date.fromisoformat(str(bound)), "D")
                    if is_date
                    else float(bound)
                )
                met = met & compare(read.values, limit)
    return met, unknown


def describe(cohort: Cohort, criterion: Criterion) -> str:
    """Give a criterion as a plain phrase; its own label when it has one."""
    if criterion.label:
        return criterion.label
    grouping = cohort.study.definitions.groupings.get(criterion.column)
    name = grouping.label if grouping else variable_of(cohort, criterion.column).label
    verb = "Excluded: " if criterion.excludes else ""
    match criterion:
        case OneOf():
            values = " or ".join(str(text_of(value)) for value in criterion.values) or "nothing"
            return f"{verb}{name} is {values}"
        case Between(low=None, high=high):
            return f"{verb}{name} at most {_bound(high)}"
        case Between(low=low, high=None):
            return f"{verb}{name} at least {_bound(low)}"
        case Between(low=low, high=high):
            return f"{verb}{name} {_bound(low)} to {_bound(high)}"
        case _:
            return f"{verb}{name} is known"


def _bound(value: float | str | None) -> str:
    return str(text_of(value))


def apply_criteria(cohort: Cohort, study: Study | None = None) -> Cohort:
    """Select the subjects that a study's criteria and filters leave.

    Parameters
    ----------
    cohort
        Everybody in the file; an earlier selection is forgotten.
    study
        The study with the criteria; the cohort's own when ``None``.

    Returns
    -------
    Cohort
        The same tables with ``included`` and ``flow`` set. Order decides to which criterion a
        patient is attributed, never who is left.
    """
    study = study or cohort.study
    cohort = replace(cohort, study=study)
    left = np.ones(len(cohort.subjects), dtype=bool)
    steps = []
    parts = [(item, False) for item in study.analysis.criteria]
    parts += [(item, True) for item in study.analysis.filters]
    for criterion, exploratory in parts:
        if not criterion.enabled:
            continue
        outcome = evaluate(cohort, criterion)
        gone = left & outcome.leaves
        missing = gone & outcome.unknown & (criterion.missing == "drop")
        kept_unknown = left & outcome.unknown & ~outcome.leaves
        before = int(left.sum())
        left = left & ~gone
        steps.append(
            FlowStep(
                label=describe(cohort, criterion),
                n_before=before,
                n_excluded=int(gone.sum()),
                n_missing_excluded=int(missing.sum()),
                n_not_verifiable=int(kept_unknown.sum()),
                n_after=int(left.sum()),
                subjects=tuple(cohort.subjects[gone]),
                after_time_zero=criterion.after_time_zero,
                exploratory=exploratory,
            )
        )
    return cohort.with_selection(study, left, FlowDiagram(len(cohort.subjects), tuple(steps)))
