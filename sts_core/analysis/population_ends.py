"""Where the flow of patients ends: the analysis populations with their sizes."""

from __future__ import annotations

from dataclasses import dataclass

from sts_core.cohort import Cohort
from sts_core.findings import StudyError
from sts_core.populations import cohort_of, differs, populations_of


@dataclass(frozen=True, slots=True)
class PopulationEnd:
    """An analysis population that is not just the patients analysed.

    Attributes
    ----------
    key, label
        Of the study.
    n
        Patients of it.
    n_beyond
        How many of them are not among the patients analysed.
    """

    key: str
    label: str
    n: int
    n_beyond: int


def population_ends(cohort: Cohort) -> tuple[PopulationEnd, ...]:
    """Give the populations of a study that rest on other criteria than the whole list.

    Parameters
    ----------
    cohort
        The patients that all criteria leave. A population of which a column isn't there is left
        out: the analysis that asks for it says so.
    """
    found = []
    for key, population in populations_of(cohort.study).items():
        if not differs(cohort.study, key):
            continue
        try:
            members = cohort_of(cohort, key).included
        except StudyError:
            continue
        beyond = int((members & ~cohort.included).sum())
        found.append(PopulationEnd(key, population.label, int(members.sum()), beyond))
    return tuple(found)
