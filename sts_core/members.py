"""Who is behind a count, described without naming anybody.

A table or a figure carries such descriptions beside its numbers. Who they are is looked up in the
cohort when somebody asks (:mod:`sts_core.analysis.patient_list`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

#: Row of a table's members that stands for the heading of a column.
HEADING = -1
FlowPart = Literal[
    "file", "excluded", "missing", "not_verifiable", "remaining", "removed", "removed_late"
]
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
    whom it keeps with one. ``removed`` are all whom criteria remove, ``removed_late`` those whom
    the ones known only after time zero do; they have no step.
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
class HasNoTime:
    """An endpoint can't use the patient, for a reason and a column as its losses name them."""

    endpoint: str
    reason: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class EndedByRule:
    """A rule of follow-up ended the patient's time, or filled in a date where it is ``None``.

    ``rule`` is named as by the endpoint's own times; with ``landmark`` only those count who are
    still followed there.
    """

    endpoint: str
    rule: str | None
    landmark: FromLandmark | None = None


@dataclass(frozen=True, slots=True)
class HasNothingRecorded:
    """Neither an adverse event nor its absence is recorded of the patient."""


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


@dataclass(frozen=True, slots=True)
class OtherSet:
    """A set that the patients analysed are compared with: a saved one, or everybody in the file."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class InSet:
    """Is in a set, or is not: the patients analysed, or another set."""

    other: OtherSet | None = None
    inside: bool = True


@dataclass(frozen=True, slots=True)
class AnyHolds:
    """At least one of some conditions holds."""

    conditions: tuple[Condition, ...]


Condition = (
    HasLevel
    | HasValue
    | InFlow
    | HasTime
    | HasNoTime
    | EndedByRule
    | HasNothingRecorded
    | HadEvent
    | IsNamed
    | InSet
    | AnyHolds
)


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


@dataclass(frozen=True, slots=True)
class Count:
    """Words that hold one number of patients, and whom it counts."""

    text: str
    members: Members


class CountedText(str):
    """A sentence or a cell of which some words count patients.

    For every writer it is its text; a screen lets each of its counts open the list.

    Attributes
    ----------
    counts
        Where each count begins and ends in the text, and whom it counts; in order.
    """

    counts: tuple[tuple[int, int, Members], ...] = ()

    @classmethod
    def of(cls, *parts: str | Count) -> CountedText:
        """Put words and counts together; texts that have counts of their own keep them."""
        text, counts = "", []
        for part in parts:
            words = part.text if isinstance(part, Count) else part
            if isinstance(part, Count):
                counts.append((len(text), len(text) + len(words), part.members))
            elif isinstance(part, CountedText):
                counts += [(len(text) + a, len(text) + b, who) for a, b, who in part.counts]
            text += words
        made = cls(text)
        made.counts = tuple(counts)
        return made

    @classmethod
    def joined(cls, parts: Sequence[str], separator: str) -> CountedText:
        """Put texts one after the other."""
        between = [item for part in parts for item in (separator, part)]
        return cls.of(*between[1:])

    @property
    def parts(self) -> tuple[str | Count, ...]:
        """Give the plain words and the counts in order."""
        found: list[str | Count] = []
        at = 0
        for start, end, members in self.counts:
            found += [str(self[at:start]), Count(str(self[start:end]), members)]
            at = end
        return (*(part for part in found if part != ""), str(self[at:]))


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
