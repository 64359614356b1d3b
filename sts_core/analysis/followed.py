"""Who is followed for an endpoint, in which group, and what every result says of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from sts_core.analysis.comparison import left_out_notes, patients_listed, scope_words
from sts_core.analysis.landmark import Landmark, at_landmark, refuse_groups_formed_later
from sts_core.analysis.provenance import Provenance
from sts_core.cohort import Cohort
from sts_core.derive import NEW_THERAPY, Levels, Loss, SurvivalData, levels_of, survival_data
from sts_core.display import counted, format_number
from sts_core.estimators.tied_times import align_follow_up
from sts_core.members import CountedText, FromLandmark, HasNoTime, HasTime, Members
from sts_core.populations import cohort_of
from sts_core.study.types import Endpoint, TimeUnit

_OTHER: Final = -1
_UNKNOWN: Final = -2


class _Question(Protocol):
    """What analyses of times by group have in common."""

    @property
    def endpoint(self) -> str: ...
    @property
    def by(self) -> str | None: ...
    @property
    def levels(self) -> tuple[str, ...] | None: ...
    @property
    def time_unit(self) -> TimeUnit | None: ...
    @property
    def population(self) -> str | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Who is followed, and in which group.

    Attributes
    ----------
    cohort
        With the population of the spec.
    data, endpoint
        Times of everybody with a usable one, ties made equal; the endpoint in the unit shown.
    levels, chosen
        Levels of the grouping, and those that are compared; ``None`` and empty without one.
    codes
        Number of each patient's group in ``chosen``, 0 without a grouping; below 0 in another
        group or where it is not known. Shape of ``data.time``.
    landmark
        From which on times count, if from any.
    """

    cohort: Cohort
    data: SurvivalData
    endpoint: Endpoint
    levels: Levels | None
    chosen: tuple[str, ...]
    codes: np.ndarray
    landmark: Landmark | None

    @property
    def used(self) -> np.ndarray:
        """Whose times count; shape of ``data.time``."""
        used: np.ndarray = self.codes >= 0
        return used

    @property
    def n_unknown_group(self) -> int:
        """Patients whose group is not known."""
        return int(np.count_nonzero(self.codes == _UNKNOWN))

    @property
    def n_other_groups(self) -> int:
        """Patients in groups that are not compared."""
        return int(np.count_nonzero(self.codes == _OTHER))


def follow(
    cohort: Cohort,
    spec: _Question,
    *,
    landmark: float | None = None,
    known_on: str | None = None,
) -> Followed:
    """Settle who is followed, from when on, and in which group.

    Parameters
    ----------
    cohort, spec
        Patients, and what is asked of them.
    landmark
        Time, in the display unit, from which on times count; time zero when ``None``.
    known_on
        With a landmark: key of the date (or time) on which a patient's group became known.

    Raises
    ------
    StudyError
        When a variable isn't there, and for groups formed after time zero without a landmark.
    KeyError
        When the study has no such endpoint.
    """
    cohort = cohort_of(cohort, spec.population)
    refuse_groups_formed_later(cohort, spec.by, landmark)
    data = survival_data(cohort, spec.endpoint)
    # over all groups together, as R does
    time, entry = align_follow_up(data.time, data.entry)
    endpoint = data.endpoint
    if spec.time_unit is not None:
        endpoint = replace(endpoint, display_unit=spec.time_unit)
    data = replace(data, time=time, entry=entry, endpoint=endpoint)
    levels = levels_of(cohort, spec.by) if spec.by else None
    from_then: Landmark | None = None
    if landmark is not None:
        data, levels, from_then = at_landmark(
            cohort, data, spec.by, levels, at=landmark, known_on=known_on
        )
    chosen: tuple[str, ...] = ()
    codes = np.zeros(data.n, dtype=np.int64)
    if levels is not None:
        wanted = levels.levels if spec.levels is None else spec.levels
        chosen = tuple(level for level in levels.levels if level in wanted)
        number_of: dict[str | None, int] = {
            None: _UNKNOWN, **{level: i for i, level in enumerate(chosen)},
        }  # fmt: skip
        labels = levels.values[data.position].tolist()
        codes = np.array([number_of.get(label, _OTHER) for label in labels], dtype=np.int64)
    return Followed(cohort, data, data.endpoint, levels, chosen, codes, from_then)


def kinds_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Give the kinds of event that an endpoint names, in its order."""
    named = tuple(endpoint.event_dates or endpoint.events)
    if endpoint.new_therapy is not None and endpoint.at_new_therapy == "event":
        named += (NEW_THERAPY,)
    return tuple(dict.fromkeys(named)) or ("event",)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FollowedResult:
    """What every result about patients who are followed says of them.

    Attributes
    ----------
    spec
        What was asked.
    endpoint_label, time_zero
        Name of the endpoint, and what its times count from.
    from_dates, add_one_day
        Whether times are differences of dates, and whether the day of the start counts as day 1.
    by_label
        Name of the grouping; ``None`` without one.
    unit, display_unit, unit_factor
        Unit of all raw times; unit for readers; raw divided by the factor is in it.
    groups
        The comparison's groups in the study's order, also empty ones.
    all_levels
        Every level of the grouping, chosen or not.
    n_unknown_group, n_other_groups
        Patients left out because their group is not known, or is not compared.
    losses
        Patients without a usable time, by reason.
    delayed_entry
        Whether patients come under observation after time zero.
    rules
        Rules of follow-up in force, as sentences.
    """

    spec: _Question
    endpoint_label: str
    time_zero: str
    from_dates: bool
    add_one_day: bool
    by_label: str | None
    unit: TimeUnit
    display_unit: TimeUnit
    unit_factor: float
    groups: tuple[object, ...]
    all_levels: tuple[str, ...]
    n_unknown_group: int
    n_other_groups: int
    losses: tuple[Loss, ...]
    delayed_entry: bool
    rules: tuple[str, ...]
    provenance: Provenance

    @property
    def is_comparison(self) -> bool:
        """Whether there are groups to compare."""
        return self.by_label is not None

    @property
    def scope(self) -> str | None:
        """Say over how many of the levels the comparison runs; ``None`` when over all."""
        return scope_words(self.by_label, len(self.groups), len(self.all_levels))

    @property
    def n_not_included(self) -> int:
        """Patients without a usable time, and those whose group is not known."""
        return sum(len(loss.subjects) for loss in self.losses) + self.n_unknown_group

    @property
    def time_notes(self) -> tuple[str, ...]:
        """Say where times come from, in which unit they are shown, and since when they count."""
        unit, shown = self.unit, self.display_unit
        notes = []
        month = (
            " (a month is 30.4375 days)"
            if unit is not shown and {unit, shown} & {TimeUnit.MONTHS, TimeUnit.YEARS}
            else ""
        )
        if self.from_dates:
            one = " plus one" if self.add_one_day else ""
            notes.append(
                f"Times are whole days, end minus start{one}; shown in {shown.value}{month}."
            )
        elif unit is not shown:
            notes.append(f"Times are recorded in {unit.value} and shown in {shown.value}{month}.")
        return (*notes, *self.entry_notes)

    @property
    def entry_notes(self) -> tuple[str, ...]:
        """Say that patients come under observation late, where they do."""
        if not self.delayed_entry:
            return ()
        return ("Patients count as at risk from their entry on (delayed entry).",)

    @property
    def left_out_notes(self) -> tuple[str, ...]:
        """Say who is in none of the groups."""
        spec, landmark = self.spec, self.counted_from
        if spec.by is None or self.by_label is None:
            return ()
        wanted = self.all_levels if spec.levels is None else spec.levels
        with_time = HasTime(spec.endpoint, landmark=landmark)
        return left_out_notes(
            spec.by,
            self.by_label,
            wanted,
            self.all_levels,
            (self.n_unknown_group, self.n_other_groups),
            Members((with_time,), population=spec.population),
            landmark,
        )

    @property
    def counted_from(self) -> FromLandmark | None:
        """The landmark from which times count; ``None`` for time zero."""
        return None

    @property
    def closing_notes(self) -> tuple[str, ...]:
        """Say by which rules patients were followed, who has no time, and who was selected."""
        losses = loss_sentences(self.losses, self.spec.endpoint, self.spec.population)
        return (*self.rules, *losses, *self.provenance.footnotes)


def emptied_note(
    result: FollowedResult, label: str, time: np.ndarray, n_risk: np.ndarray, survival: np.ndarray
) -> tuple[str, ...]:
    """Say that a curve is settled by a risk set that was emptied while others enter later.

    With delayed entry the first patients at risk can be few; once all of them have had the event,
    nothing that happens to those who enter later changes the estimate.

    Parameters
    ----------
    result
        For its unit.
    label
        Whose curve it is.
    time, n_risk, survival
        Distinct times of the curve, numbers at risk and probability of no event; shape (k,).
    """
    gone = np.flatnonzero(survival == 0)
    if not len(gone) or gone[0] + 1 == len(time):
        return ()
    at = int(gone[0])
    later = int(n_risk[at + 1 :].max())
    return (
        f"{label}: all at risk at {format_number(float(time[at]) / result.unit_factor)} "
        f"{result.display_unit.value} (n = {n_risk[at]}) had the event, so that the estimate "
        f"changes no more, although later risk sets hold up to {counted(later, 'patient')} "
        "(delayed entry).",
    )


def loss_sentences(
    losses: Iterable[Loss], endpoint: str, population: str | None
) -> tuple[str, ...]:
    """Say how many patients of a population an endpoint can't use, and why."""
    return tuple(
        CountedText.of(
            patients_listed(
                len(loss.subjects),
                Members(
                    (HasNoTime(endpoint, loss.reason.value, loss.column),), population=population
                ),
            ),
            f" not included: {loss.reason.value}{f' (“{loss.column}”)' if loss.column else ''}.",
        )
        for loss in losses
    )
