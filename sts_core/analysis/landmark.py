"""Landmark analysis: time counts from a landmark, in those still at risk of the event there.

Groups that become known after time zero (a response, a toxicity) must not be compared from time
zero: whoever is to belong to the better group has to live long enough for it. From a landmark on,
with groups as they were known by then, this advantage is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from sts_core.cohort import Cohort
from sts_core.derive import (
    Levels,
    SurvivalData,
    dates_of,
    numbers_of,
    variable_of,
    variables_here,
)
from sts_core.display import counted
from sts_core.estimators.tied_times import TOLERANCE
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.members import (
    Count,
    CountedText,
    FromLandmark,
    HasLevel,
    HasTime,
    Members,
    TimeState,
)
from sts_core.results import ResultRow
from sts_core.study.types import Endpoint, Measured, TimeUnit, VariableKind

NOT_YET = "Not by the landmark"
"""Group of those in whom what forms the groups became known after the landmark, or never."""

_LEFT_OUT: Final[tuple[TimeState, TimeState]] = ("event_by_landmark", "ended_by_landmark")


@dataclass(frozen=True, slots=True)
class Landmark:
    """Where a landmark analysis begins, and who is not in it.

    Attributes
    ----------
    at
        The landmark, in the unit of display.
    unit
        That unit, in words.
    n_event_before, n_ended_before
        Patients with the event, and with the end of follow-up, at or before the landmark.
    known_on
        Name of the variable that says when a group became known; ``None`` where none was named.
    n_not_yet
        Patients of the analysis whose group became known later or never.
    groups_later
        Name of the grouping, where it is formed after time zero.
    """

    at: float
    unit: str
    n_event_before: int
    n_ended_before: int
    known_on: str | None = None
    n_not_yet: int = 0
    groups_later: str | None = None

    @property
    def n_before(self) -> int:
        """Patients with a usable time who are left out."""
        return self.n_event_before + self.n_ended_before

    @property
    def words(self) -> str:
        """The landmark with its unit ("3 months")."""
        return _in_words(self.at, self.unit)

    def notes(self, spec: _LandmarkSpec) -> tuple[str, ...]:
        """Say who is left out of an analysis, and what is known of the groups."""
        event, ended = left_out_by_landmark(spec)
        notes: list[str] = [
            CountedText.of(
                f"Landmark analysis at {self.words}: times count from there. ",
                Count(counted(self.n_event_before, "patient"), event),
                " with the event and ",
                Count(str(self.n_ended_before), ended),
                " with the end of follow-up at or before the landmark are left out.",
            )
        ]
        if self.known_on is not None and spec.by is not None:
            landmark = from_landmark(spec)
            not_yet = Members(
                (
                    HasLevel(spec.by, (NOT_YET,), landmark),
                    HasTime(spec.endpoint, landmark=landmark),
                ),
                population=spec.population,
            )
            notes.append(
                CountedText.of(
                    f"Groups as known by the landmark, by {self.known_on}: in ",
                    Count(str(self.n_not_yet), not_yet),
                    f" it is later or empty (“{NOT_YET}”).",
                )
            )
        elif self.groups_later is not None:
            notes.append(
                f"{self.groups_later} is taken as recorded over the whole follow-up: where it "
                "became known after the landmark, survival still looks longer than it is. A date "
                "on which it became known, where the file has one, would mend this."
            )
        return tuple(notes)

    def rows(self, base: ResultRow) -> list[ResultRow]:
        """Give the counts of who is left out as rows."""
        counts = (
            ("n_event_before_landmark", self.n_event_before),
            ("n_ended_before_landmark", self.n_ended_before),
        )
        return [replace(base, statistic=name, value=float(count)) for name, count in counts]


class _LandmarkSpec(Protocol):
    """What analyses that may have a landmark have in common."""

    @property
    def endpoint(self) -> str: ...
    @property
    def by(self) -> str | None: ...
    @property
    def landmark(self) -> float | None: ...
    @property
    def known_on(self) -> str | None: ...
    @property
    def time_unit(self) -> TimeUnit | None: ...
    @property
    def population(self) -> str | None: ...


def from_landmark(spec: _LandmarkSpec) -> FromLandmark | None:
    """Describe the landmark that an analysis asks for; ``None`` where it asks for none."""
    if spec.landmark is None:
        return None
    unit = None if spec.time_unit is None else spec.time_unit.value
    return FromLandmark(spec.endpoint, spec.landmark, unit, spec.known_on)


def left_out_by_landmark(spec: _LandmarkSpec) -> tuple[Members, Members]:
    """Describe who is left out: with the event, and with the end of follow-up, by the landmark."""
    landmark = from_landmark(spec)
    event, ended = (
        Members((HasTime(spec.endpoint, state, landmark=landmark),), population=spec.population)
        for state in _LEFT_OUT
    )
    return event, ended


def _in_words(at: float, unit: str) -> str:
    return f"{at:g} {unit.removesuffix('s') if at == 1 else unit}"


def is_formed_later(cohort: Cohort, by: str | None) -> bool:
    """Say whether a grouping is formed after time zero."""
    if by is None:
        return False
    grouping = cohort.study.definitions.groupings.get(by)
    variable = variable_of(cohort, grouping.variable if grouping else by)
    return variable.measured is Measured.POST_BASELINE


def refuse_groups_formed_later(cohort: Cohort, by: str | None, landmark: float | None) -> None:
    """Refuse groups that are formed after time zero, unless a landmark is chosen.

    Raises
    ------
    StudyError
        When there is no landmark.
    """
    if by is None or landmark is not None or not is_formed_later(cohort, by):
        return
    raise StudyError(
        Finding(
            FindingCode.GROUP_AFTER_TIME_ZERO,
            Severity.ERROR,
            f"“{_label_of(cohort, by)}” is known only after time zero; groups formed later are "
            "not compared from time zero, because survival would look longer than it is in those "
            "who lived to be grouped.",
            "Choose a landmark, from which on the groups are compared.",
        )
    )


def refuse_covariates_known_later(cohort: Cohort, keys: Iterable[str]) -> None:
    """Refuse covariates and strata that are known only after time zero.

    Raises
    ------
    StudyError
        When there are any; it names them all.
    """
    findings = [
        Finding(
            FindingCode.GROUP_AFTER_TIME_ZERO,
            Severity.ERROR,
            f"“{_label_of(cohort, key)}” is known only after time zero, and can be neither a "
            "covariate nor a stratum of an analysis from time zero on: its ratio would be biased, "
            "because whoever has its value had to live long enough for it.",
            "Leave it out, or compare its groups from a landmark on.",
        )
        for key in keys
        if is_formed_later(cohort, key)
    ]
    if findings:
        raise StudyError(findings)


def _label_of(cohort: Cohort, key: str) -> str:
    grouping = cohort.study.definitions.groupings.get(key)
    return grouping.label if grouping else variable_of(cohort, key).label


def at_landmark(
    cohort: Cohort,
    data: SurvivalData,
    by: str | None,
    levels: Levels | None,
    *,
    at: float,
    known_on: str | None = None,
) -> tuple[SurvivalData, Levels | None, Landmark]:
    """Count times from a landmark, in those still under observation without an event.

    Parameters
    ----------
    cohort, data
        Patients, and their endpoint.
    by, levels
        What they are grouped by, and the groups; ``None`` without groups.
    at
        The landmark, above 0, in the endpoint's unit of display.
    known_on
        Key of the date, or of the time since time zero in the endpoint's own unit, on which a
        patient's group became known. Those in whom it is later than the landmark, or empty, form
        the group :data:`NOT_YET`.

    Returns
    -------
    data
        Patients whose time is above the landmark: whoever has the event exactly on it is left out.
    levels
        Groups as known by the landmark.
    landmark
        What was done.

    Raises
    ------
    StudyError
        When ``known_on`` is neither a date (of an endpoint from dates) nor a number.

    References
    ----------
    Anderson JR, Cain KC, Gelber RD. J Clin Oncol 1983;1:710-719.
    """
    endpoint = data.endpoint
    raw = at * endpoint.display_factor
    kept = data.time > raw + TOLERANCE * max(1.0, raw)
    entry = None if data.entry is None else np.maximum(data.entry[kept] - raw, 0.0)
    unit = endpoint.display_unit.value
    words = _in_words(at, unit)
    zero = f", {words} after {endpoint.time_zero}" if endpoint.time_zero else f" at {words}"
    later = replace(
        data,
        endpoint=replace(
            endpoint,
            label=f"{endpoint.label} after a landmark at {words}",
            time_zero=f"the landmark{zero}",
        ),
        subject=data.subject[kept],
        position=data.position[kept],
        time=data.time[kept] - raw,
        kind=data.kind[kept],
        entry=entry if entry is not None and np.any(entry > 0) else None,
        ended_by=None if data.ended_by is None else data.ended_by[kept],
    )
    landmark = Landmark(
        at=at,
        unit=unit,
        n_event_before=int(np.count_nonzero(~kept & data.event)),
        n_ended_before=int(np.count_nonzero(~kept & ~data.event)),
        groups_later=levels.label if levels is not None and is_formed_later(cohort, by) else None,
    )
    if levels is None or known_on is None:
        return later, levels, landmark
    known = _known_by(cohort, endpoint, known_on, raw)
    has_level = np.array([value is not None for value in levels.values], dtype=bool)
    values = levels.values.copy()
    values[~known & has_level] = NOT_YET
    names = tuple(dict.fromkeys((*levels.levels, NOT_YET)))
    not_yet = (~known & has_level)[later.position]
    return (
        later,
        replace(levels, levels=names, values=values, slots={NOT_YET: None, **levels.slots}),
        replace(
            landmark,
            known_on=variable_of(cohort, known_on).label,
            n_not_yet=int(np.count_nonzero(not_yet)),
        ),
    )


def known_on_choices(cohort: Cohort, endpoint: Endpoint) -> tuple[str, ...]:
    """Name the variables that can say when a group became known.

    Dates where the endpoint comes from dates of the patient table, else numbers known only after
    time zero.
    """
    variables = variables_here(cohort)
    if endpoint.from_dates:
        if endpoint.table != "subjects" or endpoint.rows:
            return ()
        return tuple(
            key
            for key, variable in variables.items()
            if variable.kind is VariableKind.DATE and (variable.column or key) != endpoint.start
        )
    return tuple(
        key
        for key, variable in variables.items()
        if variable.kind is VariableKind.NUMERIC and variable.measured is not Measured.BASELINE
    )


def _known_by(cohort: Cohort, endpoint: Endpoint, known_on: str, raw: float) -> np.ndarray:
    """Say of whom in the file the group was known by the landmark."""
    variable = variable_of(cohort, known_on)
    limit = raw + TOLERANCE * max(1.0, raw)
    if variable.kind is VariableKind.DATE and endpoint.from_dates and endpoint.start is not None:
        when = dates_of(cohort, known_on).values
        start = dates_of(cohort, endpoint.start).values
        days = (when - start).astype("timedelta64[D]").astype(np.float64)
        days[np.isnat(when) | np.isnat(start)] = np.inf
        known: np.ndarray = days + endpoint.add_one_day <= limit
        return known
    if variable.kind is VariableKind.NUMERIC and not endpoint.from_dates:
        numbers = numbers_of(cohort, known_on).values
        by_then: np.ndarray = np.where(np.isnan(numbers), np.inf, numbers) <= limit
        return by_then
    needed = "a date" if endpoint.from_dates else "a number"
    raise StudyError(
        Finding(
            FindingCode.STUDY_FILE_INVALID,
            Severity.ERROR,
            f"“{variable.label}” can't say when the groups became known: {needed} is needed.",
            "Choose another variable, or none.",
            column=variable.column or known_on,
        )
    )
