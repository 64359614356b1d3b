"""Analysis populations: named sets of patients, each with the criteria that apply to it.

The safety population is that of all treated patients: who left for what happened after time zero
(one cycle only, no assessment) was treated all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sts_core.cohort import Cohort, FlowDiagram
from sts_core.criteria import evaluate, reference_of, select
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
        and (exposures.line is None or exposures.index == "every")
    ):
        treated = (HasRow(exposures.table, label="Received any treatment"),)
    found[SAFETY] = Population("Safety population", "time_zero", treated)
    return found


def populations_of(study: Study) -> dict[str, Population]:
    """Give every population of a study by its key, the usual ones first."""
    return {**usual_populations(study), **study.analysis.populations}


def takes(population: Population, criterion: Criterion) -> bool:
    """Say whether a criterion of the study applies to a population while it is in force."""
    name = reference_of(criterion)
    if name in population.without:
        return False
    return name in population.also or takes_usually(population, criterion)


def takes_usually(population: Population, criterion: Criterion) -> bool:
    """Say the same without what a population says of single criteria."""
    return population.criteria == "all" or (
        population.criteria == "time_zero" and not criterion.after_time_zero
    )


def with_single(population: Population, criterion: Criterion, *, taken: bool) -> Population:
    """Give a population to which a single criterion applies, or does not."""
    name = reference_of(criterion)
    usual = takes_usually(population, criterion)
    other = population.forgetting([name])
    if usual and not taken:
        return replace(other, without=(*other.without, name))
    if taken and not usual:
        return replace(other, also=(*other.also, name))
    return other


def with_criteria(study: Study, criteria: Sequence[Criterion]) -> Study:
    """Give the study with other criteria.

    Where one of them was changed in its place, populations that speak of it go on doing so.
    """
    former, new = study.analysis.criteria, tuple(criteria)
    populations = study.analysis.populations
    changed = [(a, b) for a, b in zip(former, new, strict=False) if a != b]
    if len(former) == len(new) and len(changed) == 1:
        old, now = (reference_of(item) for item in changed[0])
        if old not in [reference_of(item) for item in new]:
            populations = {key: _renamed(one, old, now) for key, one in populations.items()}
    return replace(study, analysis=replace(study.analysis, criteria=new, populations=populations))


def _renamed(population: Population, old: str, new: str) -> Population:
    without, also = (
        tuple(dict.fromkeys(new if name == old else name for name in listed))
        for listed in (population.without, population.also)
    )
    return replace(population, without=without, also=also)


@dataclass(frozen=True, slots=True)
class SingleCriterion:
    """One of the study's criteria, and what it does in a population.

    Attributes
    ----------
    criterion
        It may be switched off.
    taken
        Whether it applies.
    n
        Patients that it removes in the order of the criteria, or would remove besides.
    """

    criterion: Criterion
    taken: bool
    n: int


def single_criteria(cohort: Cohort, key: str) -> tuple[SingleCriterion, ...]:
    """Give what each of the study's criteria does in a population.

    Raises
    ------
    StudyError
        When there is no such population, or a column of a criterion isn't there.
    """
    study = cohort.study
    population = population_named(study, key)
    mine = cohort_of(cohort, key)
    steps = iter(mine.flow.steps)
    found = []
    for criterion in study.analysis.criteria:
        taken = takes(population, criterion)
        if not criterion.enabled:
            n = 0
        elif taken:
            n = next(steps).n_excluded
        else:
            n = int((evaluate(cohort, criterion).leaves & mine.included).sum())
        found.append(SingleCriterion(criterion, taken, n))
    return tuple(found)


def criteria_of(study: Study, population: Population) -> tuple[Criterion, ...]:
    """Give the criteria in force for a population, in order."""
    inherited = tuple(
        item for item in study.analysis.criteria if item.enabled and takes(population, item)
    )
    return (*inherited, *(item for item in population.own if item.enabled))


def has_late_criteria(study: Study) -> bool:
    """Say whether a criterion in force is known only after time zero."""
    return any(item.enabled and item.after_time_zero for item in study.analysis.criteria)


def takes_late_criteria(study: Study, population: Population) -> bool:
    """Say whether a criterion known only after time zero applies to a population."""
    return any(item.after_time_zero for item in criteria_of(study, population))


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
