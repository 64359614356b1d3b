"""Who is behind a count, described without naming anybody.

A table or a figure carries such descriptions beside its numbers. Who they are is looked up in the
cohort when somebody asks (:mod:`sts_core.analysis.patient_list`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

#: Row of a table's members that stands for the heading of a column.
HEADING = -1
FlowPart = Literal["file", "excluded", "missing", "not_verifiable", "remaining"]
TimeState = Literal[
    "usable", "event", "censored", "at_risk", "event_before", "censored_before",
    "event_by_landmark", "ended_by_landmark",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class FromLandmark:
    """A landmark from which times of an endpoint count.

    Parameters
    ----------
    endpoint
        Its code.
    at
        The landmark, in ``time_unit``.
    time_unit
        Display unit; the endpoint's own when ``None``.
    known_on
        Key of what says when a patient's group became known.
    """

    endpoint: str
    at: float
    time_unit: str | None = None
    known_on: str | None = None


@dataclass(frozen=True, slots=True)
class HasLevel:
    """A variable or a grouping has one of some levels; ``None`` among them is "not known".

    With ``landmark`` the levels are those known by then.
    """

    variable: str
    levels: tuple[str | None, ...]
    landmark: FromLandmark | None = None


@dataclass(frozen=True, slots=True)
class HasValue:
    """A variable, a number or levels, is known, or is not."""

    variable: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class InFlow:
    """A part of the flow: ``step`` counts from 0; without one it is all patients in the file.

    ``missing`` are those whom a step removes only for a missing value, ``not_verifiable`` those
    whom it keeps with one.
    """

    part: FlowPart
    step: int | None = None


@dataclass(frozen=True, slots=True)
class HasTime:
    """What is known of a time to an event.

    ``at`` is a time in the endpoint's own unit: ``at_risk`` is at it or later, the two others
    before it. ``event_kind`` is one of the endpoint's kinds of events, ``not_kind`` one that
    competes with those meant. With ``landmark`` times count from there, in those who are still
    followed without an event; ``event_by_landmark`` and ``ended_by_landmark`` are the others.
    """

    endpoint: str
    state: TimeState = "usable"
    at: float | None = None
    event_kind: str | None = None
    not_kind: str | None = None
    landmark: FromLandmark | None = None


@dataclass(frozen=True, slots=True)
class HadEvent:
    """Had an adverse event.

    Parameters
    ----------
    label
        What is counted, in words.
    related_only, serious_only
        Which events count.
    term, organ_class
        As counted; any when ``None``.
    grades
        Worst known grades, 0 for one that is not known; any when ``None``.
    """

    label: str
    related_only: bool = False
    serious_only: bool = False
    term: str | None = None
    organ_class: str | None = None
    grades: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class IsNamed:
    """Is one of some patients, by study id; ``label`` says what they have in common."""

    subjects: tuple[str, ...]
    label: str = ""


Condition = HasLevel | HasValue | InFlow | HasTime | HadEvent | IsNamed


@dataclass(frozen=True, slots=True)
class OtherSet:
    """A set that the patients analysed are compared with: a saved one, or everybody in the file."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Members:
    """Patients of whom all conditions hold.

    Parameters
    ----------
    conditions
        All of them; none are everyone.
    among
        The patients analysed, or all in the file.
    population
        Key of the analysis population that the count is of; the cohort's own when ``None``.
    other_set
        The set that the count is of, in place of the patients analysed.
    """

    conditions: tuple[Condition, ...] = ()
    among: Literal["analysed", "file"] = "analysed"
    population: str | None = None
    other_set: OtherSet | None = None

    @property
    def key(self) -> str:
        """A short name of the description, the same in every session."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def and_also(self, *conditions: Condition) -> Members:
        """Give those of them of whom further conditions hold."""
        return replace(self, conditions=(*self.conditions, *conditions))


def of_flow(part: FlowPart, step: int | None = None, *, population: str | None = None) -> Members:
    """Describe a part of the flow of patients, of the cohort or of an analysis population."""
    return Members((InFlow(part, step),), "file", population)


def of_group(
    by: str | None,
    levels: tuple[str, ...],
    *,
    population: str | None = None,
    landmark: FromLandmark | None = None,
) -> Members:
    """Describe patients analysed in any of some groups; everyone analysed without a grouping."""
    conditions = () if by is None else (HasLevel(by, levels, landmark),)
    return Members(conditions, population=population)
