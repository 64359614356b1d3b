"""Which of the patients analysed belong to which group of a comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort
from sts_core.derive import levels_of
from sts_core.display import Cell, counted, joined, lower_first
from sts_core.estimates import NotEstimable, TestResult, not_estimable
from sts_core.members import Count, CountedText, FromLandmark, HasLevel, Members

ALL_PATIENTS = "All patients"
#: Groups up to which a sentence names each of them.
MAX_NAMED = 8


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One group: its name, colour slot, and who is in it (boolean over the file's patients)."""

    label: str
    slot: int | None
    mask: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Groups of a comparison among the patients analysed.

    Attributes
    ----------
    by, by_label
        Key and name of what they are grouped by; ``None`` for everyone together.
    overall
        Everyone in any of the groups.
    groups
        In the study's order, also empty ones; just ``overall`` without a grouping.
    all_levels
        Every level of the grouping, chosen or not.
    n_unknown, n_other
        Patients analysed whose group isn't known, or isn't one of those compared.
    """

    by: str | None
    by_label: str | None
    overall: Member
    groups: tuple[Member, ...]
    all_levels: tuple[str, ...]
    n_unknown: int
    n_other: int

    @property
    def scope(self) -> str | None:
        """Say over how many of the levels it runs; ``None`` when over all."""
        return scope_words(self.by_label, len(self.groups), len(self.all_levels))

    def footnotes(self, population: str | None) -> tuple[str, ...]:
        """Say who of a population is left out, and of how many levels these are."""
        compared = (f"Compared {self.scope}.",) if self.scope else ()
        if self.by is None or self.by_label is None:
            return compared
        out = left_out_notes(
            self.by,
            self.by_label,
            [group.label for group in self.groups],
            self.all_levels,
            (self.n_unknown, self.n_other),
            Members(population=population),
        )
        return (*compared, *out)


def comparison(cohort: Cohort, by: str | None, levels: tuple[str, ...] | None) -> Comparison:
    """Split the patients analysed into groups.

    Parameters
    ----------
    cohort
        Patients; those not analysed are in no group.
    by
        Key of a variable or a grouping; everyone together when ``None``.
    levels
        Groups wanted, in any order; all of the study when ``None``.

    Raises
    ------
    StudyError
        When there is no such variable.
    """
    if by is None:
        everyone = Member(ALL_PATIENTS, 0, cohort.included.copy())
        return Comparison(None, None, everyone, (everyone,), (), 0, 0)
    found = levels_of(cohort, by)
    chosen = tuple(level for level in found.levels if levels is None or level in levels)
    groups = tuple(
        Member(
            level,
            found.slots[level],
            cohort.included & np.array([value == level for value in found.values], dtype=bool),
        )
        for level in chosen
    )
    used = np.zeros(len(cohort.included), dtype=bool)
    for group in groups:
        used |= group.mask
    unknown = cohort.included & np.array([value is None for value in found.values], dtype=bool)
    return Comparison(
        by,
        found.label,
        Member(ALL_PATIENTS, 0, used),
        groups,
        found.levels,
        int(unknown.sum()),
        int((cohort.included & ~used & ~unknown).sum()),
    )


def left_out_notes(
    by: str,
    label: str,
    chosen: Sequence[str],
    levels: Sequence[str],
    counts: tuple[int, int],
    among: Members,
    landmark: FromLandmark | None = None,
) -> tuple[str, ...]:
    """Say who is in no group that is compared: group not known, or one that is left out.

    Parameters
    ----------
    by, label
        The grouping.
    chosen, levels
        Groups compared, and all there are.
    counts
        Patients whose group is not known, and those in other groups.
    among
        Of whom these are.
    landmark
        By which groups are known, if by any.
    """
    unknown, other = counts
    notes: list[str] = []
    if unknown:
        who = among.and_also(HasLevel(by, (None,), landmark))
        notes.append(
            CountedText.of(patients_listed(unknown, who), f" not included: {label} not known.")
        )
    if other:
        others = tuple(level for level in levels if level not in chosen)
        who = among.and_also(HasLevel(by, others, landmark))
        notes.append(
            CountedText.of(
                patients_listed(other, who), " in groups that this comparison leaves out."
            )
        )
    return tuple(notes)


def recodings(cohort: Cohort, keys: Sequence[str]) -> dict[str, str]:
    """Find variables that say the same as an earlier one in other words ("ARM" and "ARMCD").

    Parameters
    ----------
    cohort
        Only the patients analysed count.
    keys
        Variables with levels, or groupings, in order.

    Returns
    -------
    dict
        Key -> the first key whose levels stand one to one for its own, with the same patients not
        known. A variable in which no two levels have patients is no recoding of another.
    """
    columns = {key: levels_of(cohort, key).values[cohort.included] for key in keys}
    return same_partition(columns)


def same_partition(columns: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Give each column that splits its rows as an earlier one does -> that earlier one.

    ``None`` is a value that isn't known; columns with fewer than two known values are left out.
    """
    first: dict[bytes, str] = {}
    found = {}
    for key, values in columns.items():
        codes, known = pd.factorize(np.asarray(values, dtype=object), use_na_sentinel=True)
        if len(known) < 2:
            continue
        earlier = first.setdefault(codes.tobytes(), key)
        if earlier != key:
            found[key] = earlier
    return found


def scope_words(by_label: str | None, n_groups: int, n_levels: int) -> str | None:
    """Say over how many of the levels of a grouping a comparison runs; ``None`` when over all."""
    if by_label is None or n_groups == n_levels:
        return None
    return f"over {n_groups} of {n_levels} levels of {by_label}"


def by_words(by_label: str | None) -> str:
    """Write `` by sex`` for a title; empty without a grouping."""
    return f" by {lower_first(by_label)}" if by_label else ""


def patients(n: int) -> str:
    """Write ``1 patient`` or ``n patients``."""
    return counted(n, "patient")


def patients_listed(n: int, members: Members) -> Count:
    """Write ``1 patient`` or ``n patients``, with who they are."""
    return Count(patients(n), members)


def groups_in_words(names: Sequence[str]) -> str:
    """Name the groups of a comparison within a sentence, or count them where they are many."""
    return joined(list(names)) if len(names) <= MAX_NAMED else counted(len(names), "group")


def percent_level(conf_level: float) -> str:
    """Write a coverage as ``95%`` or ``97.5%``."""
    return f"{100 * conf_level:g}%"


def p_cell(test: TestResult | None) -> Cell:
    """Give the cell of a test's P value, or of the reason why there is none."""
    if test is None:
        return None
    if test.p_value is not None:
        return test.p_value
    return not_estimable(test.reason or NotEstimable.NOT_CONVERGED)


def r_string(text: str) -> str:
    r"""Write text as a string of the R language.

    JSON's escapes (``\"``, ``\\``, ``\n``, ``\u0007``) are R's too.
    """
    return json.dumps(text.replace("\0", ""), ensure_ascii=False)


def r_strings(texts: tuple[str, ...]) -> str:
    """Write texts as a character vector of the R language."""
    return f"c({', '.join(map(r_string, texts))})" if texts else "character(0)"
