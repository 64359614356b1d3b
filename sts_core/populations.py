"""Analysis populations: named sets of patients, each with the criteria that apply to it.

The safety population is that of all treated patients: who left for what happened after time zero
(one cycle only, no assessment) was treated all the same.
"""

from __future__ import annotations

from typing import Final

from sts_core.cohort import Cohort, FlowDiagram
from sts_core.criteria import select
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.study.types import (
    Criterion,
    HasRow,
    IsKnown,
    OneOf,
    Population,
    Status,
    Study,
)

TREATED: Final = "treated"
EFFICACY: Final = "efficacy"
RESPONSE_EVALUABLE: Final = "response_evaluable"
SAFETY: Final = "safety"


def usual_populations(study: Study) -> dict[str, Population]:
    """Give the populations that a study has without naming any.

    Treated: the criteria known at time zero. Efficacy: all criteria. Response-evaluable, where
    response is recorded: of these, who has a response that could be evaluated. Safety: as treated,
    and where treatment is recorded by row and confirmed, with at least one such row.
    """
    found = {
        TREATED: Population("All treated", "time_zero"),
        EFFICACY: Population("Efficacy population", "all"),
    }
    response = study.definitions.response
    if response is not None:
        label = "Response recorded and evaluable"
        own: Criterion = (
            OneOf(
                response.variable, response.not_evaluable, label, excludes=True, missing="drop",
                after_time_zero=True,
            )
            if response.not_evaluable
            else IsKnown(response.variable, label, after_time_zero=True)
        )  # fmt: skip
        found[RESPONSE_EVALUABLE] = Population("Response-evaluable population", "all", (own,))
    exposures = study.definitions.exposures
    treated: tuple[Criterion, ...] = ()
    if (
        exposures is not None
        and exposures.status is Status.CONFIRMED
        and exposures.table in study.data.tables
    ):
        treated = (HasRow(exposures.table, label="Received any treatment"),)
    found[SAFETY] = Population("Safety population", "time_zero", treated)
    return found


def populations_of(study: Study) -> dict[str, Population]:
    """Give every population of a study by its key, the usual ones first."""
    return {**usual_populations(study), **study.analysis.populations}


def criteria_of(study: Study, population: Population) -> tuple[Criterion, ...]:
    """Give the criteria in force for a population, in order."""
    inherited = tuple(
        item
        for item in study.analysis.criteria
        if item.enabled
        and (
            population.criteria == "all"
            or (population.criteria == "time_zero" and not item.after_time_zero)
        )
    )
    return (*inherited, *(item for item in population.own if item.enabled))


def has_late_criteria(study: Study) -> bool:
    """Say whether a criterion in force is known only after time zero."""
    return any(item.enabled and item.after_time_zero for item in study.analysis.criteria)


def differs(study: Study, key: str) -> bool:
    """Say whether a population rests on other criteria than the whole list."""
    every = criteria_of(study, Population("", "all"))
    return criteria_of(study, population_named(study, key)) != every


def population_named(study: Study, key: str) -> Population:
    """Give a population by its key.

    Raises
    ------
    StudyError
        When the study has none of this key.
    """
    known = populations_of(study)
    if key not in known:
        raise StudyError(
            Finding(
                FindingCode.STUDY_FILE_INVALID,
                Severity.ERROR,
                f"There is no analysis population “{key}” (known: {', '.join(known)}).",
                "Name it under analysis.populations, or correct the analysis that asks for it.",
            )
        )
    return known[key]


def cohort_of(cohort: Cohort, population: str | None) -> Cohort:
    """Give the patients of an analysis population.

    Parameters
    ----------
    cohort
        The patients that the study's criteria leave, or any population of them.
    population
        Key of the population; ``None`` leaves the cohort as it is.

    Returns
    -------
    Cohort
        The same tables and choices with ``included``, ``flow`` and ``population`` of it;
        exploratory filters apply to every population.

    Raises
    ------
    StudyError
        When there is no such population, or a column of its criteria isn't there.
    """
    if population is None or cohort.population == population:
        return cohort
    return cohort.kept(("population", population), lambda: _made(cohort, population))


def _made(cohort: Cohort, key: str) -> Cohort:
    study = cohort.study
    if not cohort.population and not differs(study, key):
        return cohort.as_population(key, cohort.included, cohort.flow)
    criteria = criteria_of(study, population_named(study, key))
    included, flow = select(cohort, criteria, study.analysis.filters)
    return cohort.as_population(key, included, flow)


def flow_of(cohort: Cohort, population: str) -> FlowDiagram:
    """Give how a population came about."""
    return cohort_of(cohort, population).flow
