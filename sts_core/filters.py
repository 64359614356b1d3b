"""Filters for exploring: what a variable can be narrowed to, and the criterion that does it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from sts_core.cohort import Cohort
from sts_core.derive import (
    OLDEST_SHOWN,
    counts_of,
    dates_of,
    is_age,
    levels_of,
    numbers_of,
    variable_of,
)
from sts_core.study.types import (
    Between,
    Criterion,
    IsKnown,
    Measured,
    Missing,
    OneOf,
    Study,
    VariableKind,
)
from sts_core.values import text_of

#: Above so many levels only whether a value is known can be asked.
MAX_LEVELS = 60
#: A column that is no variable and whose numbers take more values than this is asked for a range.
_MAX_CODES = 12
_MAX_STEPS = 200


class Shape(StrEnum):
    """How a variable is narrowed."""

    LEVELS = "levels"
    NUMBERS = "numbers"
    DATES = "dates"
    KNOWN = "known"
    """Only by whether it is known: there is one value, or there are too many levels."""


@dataclass(frozen=True, slots=True)
class Filterable:
    """What the patients of a file can be narrowed to by one variable.

    Attributes
    ----------
    key, label, unit
        Variable, grouping or column; its name; unit of its numbers.
    shape
        How it is narrowed.
    levels, counts
        Levels in the study's order, and the patients of each who meet the criteria, whatever the
        filters say.
    low, high
        Ends of the range in the whole file, widened to whole steps, as numbers or dates. An age
        above 89 ends at 90, which stands for all of them.
    step, decimals
        Distance of two values of a range of numbers, and decimals to write them with.
    n_unknown
        Patients who meet the criteria and whose value is not known or can't be read.
    after_time_zero
        Whether it is known only after time zero.
    """

    key: str
    label: str
    shape: Shape
    unit: str | None = None
    levels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    low: float | dt.date | None = None
    high: float | dt.date | None = None
    step: float = 1.0
    decimals: int = 0
    n_unknown: int = 0
    after_time_zero: bool = False

    @property
    def is_open_above(self) -> bool:
        """Whether its upper end stands for everything from there on."""
        return self.high == OLDEST_SHOWN and self.shape is Shape.NUMBERS


@dataclass(frozen=True, slots=True)
class Setting:
    """What a filter is set to.

    Parameters
    ----------
    levels
        Those that stay; none of them means all.
    low, high
        Ends of what stays; those of the variable mean no restriction.
    keep_unknown
        Whether patients stay whose value is not known.
    """

    levels: tuple[str, ...] = ()
    low: float | dt.date | None = None
    high: float | dt.date | None = None
    keep_unknown: bool = True


def filter_names(cohort: Cohort) -> dict[str, str]:
    """Give everything that can be filtered by, with its name: groupings, variables, columns."""
    definitions = cohort.study.definitions
    names = {key: variable.label for key, variable in definitions.variables.items()}
    names |= {key: grouping.label for key, grouping in definitions.groupings.items()}
    used = {variable.column or key for key, variable in definitions.variables.items()}
    source = cohort.study.data.tables.get("subjects")
    own = {source.subject_id} if source else set()
    for column in map(str, cohort.tables["subjects"].frame.columns):
        if column not in used | own:
            names.setdefault(column, column)
    return names


def before_filters(cohort: Cohort) -> np.ndarray:
    """Say who meets the criteria, whatever the filters say; boolean array (n,)."""
    filtered = {
        subject for step in cohort.flow.steps if step.exploratory for subject in step.subjects
    }
    # numpy compares each object with each: too slow for thousands of patients
    left = np.array([subject in filtered for subject in cohort.subjects], dtype=bool)
    there: np.ndarray = cohort.included | left
    return there


def filterable(cohort: Cohort, key: str) -> Filterable:
    """Say how the patients can be narrowed by a variable, a grouping or a column.

    Raises
    ------
    StudyError
        When there is no such variable, or its column isn't in the file.
    """
    return cohort.kept(("filterable", key), lambda: _narrowed_by(cohort, key))


def _narrowed_by(cohort: Cohort, key: str) -> Filterable:
    there = cohort.kept("before filters", lambda: before_filters(cohort))
    if key in cohort.study.definitions.groupings:
        return _by_levels(cohort, key, there, after_time_zero=False)
    variable = variable_of(cohort, key)
    later = variable.measured is Measured.POST_BASELINE
    if variable.kind is VariableKind.DATE:
        return _by_dates(cohort, key, there, later)
    is_number = variable.kind is VariableKind.NUMERIC and not variable.cuts
    if not is_number and key not in cohort.study.definitions.variables:
        read = numbers_of(cohort, key)
        is_number = bool(
            not read.unreadable.any() and len(np.unique(read.values[~read.missing])) > _MAX_CODES
        )
    if is_number:
        return _by_numbers(cohort, key, there, later)
    return _by_levels(cohort, key, there, later)


def _by_levels(cohort: Cohort, key: str, there: np.ndarray, after_time_zero: bool) -> Filterable:
    found = levels_of(cohort, key)
    counts = counts_of(found.values[there])
    many = not 1 <= len(found.levels) <= MAX_LEVELS
    unknown = np.array([value is None for value in found.values], dtype=bool)
    return Filterable(
        key,
        found.label,
        Shape.KNOWN if many else Shape.LEVELS,
        levels=() if many else found.levels,
        counts=() if many else tuple(counts.get(level, 0) for level in found.levels),
        n_unknown=int((unknown & there).sum()),
        after_time_zero=after_time_zero,
    )


def _by_dates(cohort: Cohort, key: str, there: np.ndarray, later: bool) -> Filterable:
    read = dates_of(cohort, key)
    unknown = read.missing | read.unreadable
    known = read.values[~unknown]
    start = Filterable(
        key,
        variable_of(cohort, key).label,
        Shape.KNOWN,
        n_unknown=int((unknown & there).sum()),
        after_time_zero=later,
    )
    if not len(known) or known.min() == known.max():
        return start
    return replace(start, shape=Shape.DATES, low=known.min().item(), high=known.max().item())


def _by_numbers(cohort: Cohort, key: str, there: np.ndarray, later: bool) -> Filterable:
    variable = variable_of(cohort, key)
    read = numbers_of(cohort, key)
    unknown = read.missing | read.unreadable
    known = read.values[~unknown]
    known = known[np.isfinite(known)]
    if is_age(key, variable):
        known = np.minimum(known, OLDEST_SHOWN)
    start = Filterable(
        key,
        variable.label,
        Shape.KNOWN,
        unit=variable.unit,
        n_unknown=int((unknown & there).sum()),
        after_time_zero=later,
    )
    if not len(known) or known.min() == known.max():
        return start
    whole = bool((known == np.floor(known)).all())
    step, decimals = _step(float(known.max() - known.min()), whole)
    return replace(
        start,
        shape=Shape.NUMBERS,
        low=round(math.floor(float(known.min()) / step) * step, decimals),
        high=round(math.ceil(float(known.max()) / step) * step, decimals),
        step=step,
        decimals=decimals,
    )


def _step(width: float, whole: bool) -> tuple[float, int]:
    """Give the smallest of 1, 2 or 5 times a power of ten that makes at most 200 steps."""
    exponent = math.floor(math.log10(width / _MAX_STEPS))
    while True:
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            if width / step <= _MAX_STEPS and not (whole and step < 1):
                return (round(step, max(0, -exponent)), max(0, -exponent))
        exponent += 1


def filter_of(variable: Filterable, setting: Setting) -> Criterion | None:
    """Give the criterion of a setting; ``None`` when it removes nobody, whoever comes.

    An end that is not moved is left open, so that no value of a patient gets into the study file.
    """
    missing: Missing = "keep" if setting.keep_unknown else "drop"
    later = variable.after_time_zero
    if variable.shape is Shape.LEVELS:
        chosen = tuple(level for level in variable.levels if level in setting.levels)
        if chosen and len(chosen) < len(variable.levels):
            return OneOf(variable.key, chosen, missing=missing, after_time_zero=later)
    elif variable.shape in (Shape.NUMBERS, Shape.DATES):
        low = None if setting.low == variable.low else _plain(setting.low)
        high = None if setting.high == variable.high else _plain(setting.high)
        if low is not None or high is not None:
            return Between(variable.key, low, high, missing=missing, after_time_zero=later)
    return None if setting.keep_unknown else IsKnown(variable.key, after_time_zero=later)


def _plain(bound: float | dt.date | None) -> float | str | None:
    return bound.isoformat() if isinstance(bound, dt.date) else bound


def setting_of(variable: Filterable, criterion: Criterion | None) -> Setting:
    """Give the setting of a criterion, as far as the variable's range and levels go."""
    start = Setting(low=variable.low, high=variable.high)
    match criterion:
        case OneOf():
            wanted = {text_of(value) for value in criterion.values}
            return replace(
                start,
                levels=tuple(level for level in variable.levels if level in wanted),
                keep_unknown=criterion.missing == "keep",
            )
        case Between():
            low, high = (
                _within(variable, bound, end)
                for bound, end in ((criterion.low, variable.low), (criterion.high, variable.high))
            )
            return Setting(low=low, high=high, keep_unknown=criterion.missing == "keep")
        case IsKnown():
            return replace(start, keep_unknown=False)
        case _:
            return start


def _within(
    variable: Filterable, bound: float | str | None, end: float | dt.date | None
) -> float | dt.date | None:
    low, high = variable.low, variable.high
    if bound is None or low is None or high is None:
        return end
    if isinstance(low, dt.date) and isinstance(high, dt.date):
        return min(max(dt.date.fromisoformat(str(bound)), low), high)
    if isinstance(low, dt.date) or isinstance(high, dt.date) or isinstance(bound, str):
        return end
    return min(max(float(bound), low), high)


def is_shown_by(variable: Filterable, criterion: Criterion) -> bool:
    """Say whether the control of a variable shows all that a criterion says."""
    return (
        isinstance(criterion, OneOf | Between | IsKnown)
        and criterion.column == variable.key
        and criterion.enabled
        and filter_of(variable, setting_of(variable, criterion)) == criterion
    )


def place_of(study: Study, variable: Filterable) -> int | None:
    """Give the place of the first filter that the variable's control shows."""
    for place, item in enumerate(study.analysis.filters):
        if is_shown_by(variable, item):
            return place
    return None


def with_filter(study: Study, place: int | None, criterion: Criterion | None) -> Study:
    """Give the study with a filter changed, added (no place) or taken off (no criterion)."""
    filters = study.analysis.filters
    new = () if criterion is None else (criterion,)
    if place is None:
        return with_filters(study, (*filters, *new))
    return with_filters(study, (*filters[:place], *new, *filters[place + 1 :]))


def with_filters(study: Study, filters: Sequence[Criterion]) -> Study:
    """Give the study with other filters."""
    return replace(study, analysis=replace(study.analysis, filters=tuple(filters)))
