"""What every result carries about its origin: selection, cut-off, stamps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Protocol, TypeVar

from sts_core.cohort import Cohort, FlowStep
from sts_core.criteria import LATE_EFFECT
from sts_core.derive import cutoff_date, treatments_of
from sts_core.display import (
    REASONS,
    DisplayTable,
    Format,
    joined,
    lower_first,
    p_phrase,
    round_half_up,
)
from sts_core.estimates import TestResult
from sts_core.members import Count, CountedText, Members, of_flow
from sts_core.populations import EFFICACY, differs, has_late_criteria, population_named
from sts_core.results import ResultRow

SYNTHETIC_STAMP = "Synthetic data, not patients"
#: Key of the patients that all criteria leave, where they are not the efficacy population.
ALL_CRITERIA = "all_criteria"
#: Up to so many criteria are named under every table; more only where the record stands.
NAMED_CRITERIA = 3


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which patients a result speaks of.

    Attributes
    ----------
    title
        Title of the study.
    n_in_file, n_analysed
        Patients in the file, and after criteria and filters.
    criteria, filters
        Those in force, as phrases with the number removed; criteria that removed nobody are only
        counted, in ``n_idle_criteria``.
    cutoff
        Data cut-off, ISO date.
    synthetic
        Whether no patient stands behind the data; it is stamped on everything.
    exploratory
        Whether filters are in force.
    fingerprint
        First characters of the cohort's fingerprint.
    population, population_label
        Key of the analysis population; its name, where the populations of the study differ.
    late_criteria
        Those of ``criteria`` that are known only after time zero.
    n_removed, n_removed_late
        Patients removed by criteria, and by those known only after time zero.
    report_p
        Whether somebody chose that P values under filters are reported like any other.
    treatment
        Name of the treatment that the groups were made by, in a study that is not randomised.
    modelled_treatments, adjusts
        Names of the treatments in a regression of such a study, and whether it has a
        multivariable model.
    listed_population
        Key by which lists find the population; ``None`` for the patients that all criteria leave.
    """

    title: str
    n_in_file: int
    n_analysed: int
    criteria: tuple[str, ...]
    filters: tuple[str, ...]
    cutoff: str | None
    synthetic: bool
    exploratory: bool
    fingerprint: str
    n_idle_criteria: int = 0
    population: str = EFFICACY
    population_label: str = ""
    late_criteria: tuple[str, ...] = ()
    n_removed: int = 0
    n_removed_late: int = 0
    report_p: bool = False
    treatment: str = ""
    modelled_treatments: tuple[str, ...] = ()
    adjusts: bool = False
    listed_population: str | None = None

    @property
    def title_mark(self) -> str:
        """What a title says of treatments that were not assigned at random; empty without any."""
        if self.treatment:
            return " (unadjusted, not randomised)"
        if not self.modelled_treatments:
            return ""
        named = joined([lower_first(label) for label in self.modelled_treatments])
        if self.adjusts:
            return f" ({named} not randomised; univariable unadjusted)"
        return f" ({named} unadjusted, not randomised)"

    @property
    def treatment_notes(self) -> tuple[str, ...]:
        """What follows for groups that were not made by chance, as sentences."""
        if self.treatment:
            return (
                f"Unadjusted, not randomised: {lower_first(self.treatment)} was not assigned at "
                "random, so that the groups may differ in more than that.",
            )
        if not self.modelled_treatments:
            return ()
        named = joined([lower_first(label) for label in self.modelled_treatments])
        was = "was" if len(self.modelled_treatments) == 1 else "were"
        multivariable = (
            ", a multivariable one adjusted for the other variables of its model only"
            if self.adjusts
            else ""
        )
        return (
            f"Not randomised: {named} {was} not assigned at random; a univariable hazard ratio is "
            f"unadjusted{multivariable}.",
        )

    @property
    def quiet_p(self) -> bool:
        """Whether P values are greyed and labelled exploratory."""
        return self.exploratory and not self.report_p

    @property
    def subset_stamp(self) -> str:
        """How many of how many under filters; empty without any."""
        if not self.exploratory:
            return ""
        return exploratory_stamp(self.n_analysed, self.n_in_file)

    @property
    def stamp(self) -> str:
        """What stands out on every figure: exploratory subset, synthetic data, or nothing."""
        return joined_stamps(self.subset_stamp, SYNTHETIC_STAMP if self.synthetic else "")

    def p(self, p_value: float | None) -> str:
        """Write a P value inside a sentence, labelled where it is exploratory."""
        return p_phrase(p_value, exploratory=self.quiet_p)

    def test_words(self, test: TestResult) -> str:
        """Write a chi-square test inside a sentence, or why there is none."""
        if test.p_value is None or test.statistic is None:
            return f"not estimable ({REASONS[test.reason]})" if test.reason else "not estimable"
        statistic = round_half_up(test.statistic, 2)
        return f"χ² = {statistic}, df = {test.df}, {self.p(test.p_value)}"

    def row(self, kind: str) -> ResultRow:
        """Give what the rows of an analysis of this kind have in common in ``results.json``."""
        return ResultRow(kind, "", dataset=self.dataset, population=self.population)

    def marked(self, table: DisplayTable) -> DisplayTable:
        """Mark a table: exploratory subset and P values, treatments that were not randomised."""
        if self.title_mark:
            table = replace(table, title=f"{table.title}{self.title_mark}")
        if not self.exploratory:
            return table
        columns = tuple(
            replace(column, label=f"{column.label} (exploratory)", quiet=True)
            if column.format is Format.P_VALUE and self.quiet_p
            else column
            for column in table.columns
        )
        return replace(table, columns=columns, stamp=self.subset_stamp)

    @property
    def dataset(self) -> str:
        """Name of the set of patients in ``results.json``."""
        return "exploratory" if self.exploratory else "analysed"

    @property
    def record(self) -> tuple[str, ...]:
        """Selection with every criterion, cut-off and stamps as sentences."""
        removed = CountedText.joined(self.criteria, "; ")
        return self._notes(CountedText.of("removed by criteria: ", removed))

    @property
    def footnotes(self) -> tuple[str, ...]:
        """The record as it stands under tables: many criteria are counted, not named."""
        if len(self.criteria) <= NAMED_CRITERIA:
            return self.record
        population = self.listed_population
        summary = CountedText.of(
            Count(str(self.n_removed), of_flow("removed", population=population)),
            f" removed by {len(self.criteria)} criteria (see the flow of patients)",
        )
        if self.late_criteria:
            summary = CountedText.of(
                summary,
                ", ",
                Count(str(self.n_removed_late), of_flow("removed_late", population=population)),
                f" of them by {len(self.late_criteria)} known only after time zero",
            )
        return self._notes(summary)

    def _notes(self, removed: str) -> tuple[str, ...]:
        notes: list[str] = []
        population = self.listed_population
        parts: list[str | Count] = [
            Count(str(self.n_analysed), Members(population=population)),
            " of ",
            Count(f"{self.n_in_file}", of_flow("file")),
            " patients in the file analysed",
        ]
        if self.population_label:
            parts.append(f" ({lower_first(self.population_label)})")
        if self.criteria:
            parts += ["; ", removed]
        if self.n_idle_criteria:
            more = " more" if self.criteria else ""
            word = "criterion" if self.n_idle_criteria == 1 else "criteria"
            parts.append(f"; {self.n_idle_criteria}{more} {word} in force removed nobody")
        if self.filters:
            parts += ["; exploratory filters: ", CountedText.joined(self.filters, "; ")]
        notes.append(CountedText.of(*parts, "."))
        if self.late_criteria:
            notes.append(f"A criterion known only after time zero {LATE_EFFECT}.")
        if self.cutoff:
            notes.append(f"Data cut-off {self.cutoff}.")
        if self.exploratory:
            said = (
                "P values are reported by choice, and are not confirmatory"
                if self.report_p
                else "P values are exploratory, not confirmatory"
            )
            notes.append(f"{self.subset_stamp}: {said}.")
        notes += self.treatment_notes
        if self.synthetic:
            notes.append(f"{SYNTHETIC_STAMP}.")
        return tuple(notes)


def exploratory_stamp(n: int, n_in_file: int) -> str:
    """Say that these are so many patients under filters, of so many in the file."""
    return f"Exploratory subset, n = {n} of {n_in_file}"


class HasProvenance(Protocol):
    """A result that knows which patients it speaks of."""

    @property
    def provenance(self) -> Provenance:
        """Which patients it speaks of."""


_R = TypeVar("_R", bound=HasProvenance)


def joined_stamps(*stamps: str) -> str:
    """Put stamps side by side; empty ones take no room."""
    return " · ".join(stamp for stamp in stamps if stamp)


def says_subset(sentences: Callable[[_R], tuple[str, ...]]) -> Callable[[_R], tuple[str, ...]]:
    """Let the sentences of a result begin with the subset that they are of, where it is one.

    They end with what a treatment that was not assigned at random means for them.
    """

    @wraps(sentences)
    def of_subset(result: _R) -> tuple[str, ...]:
        stamp = result.provenance.subset_stamp
        said = (*sentences(result), *result.provenance.treatment_notes)
        return (f"{stamp}.", *said) if stamp else said

    return of_subset


def _when(step: FlowStep) -> str:
    late = step.after_time_zero and not step.exploratory
    return ", known only after time zero" if late else ""


def provenance_of(
    cohort: Cohort,
    by: str | None = None,
    *,
    covariates: Sequence[str] = (),
    adjusts: bool = False,
) -> Provenance:
    """Give the provenance of results computed on a cohort.

    Parameters
    ----------
    cohort
        The patients.
    by
        What outcomes are compared by, if anything.
    covariates, adjusts
        Variables of a regression, and whether it has a multivariable model.
    """
    cutoff = cutoff_date(cohort)
    treatments = {} if cohort.study.randomised else treatments_of(cohort.study)

    def phrases(exploratory: bool, *, late: bool = False) -> tuple[str, ...]:
        return tuple(
            CountedText.of(
                f"{step.label if exploratory else lower_first(step.reason)} (",
                Count(
                    f"n = {step.n_excluded}",
                    of_flow("excluded", at, population=cohort.population or None),
                ),
                f"{_when(step)})",
            )
            for at, step in enumerate(cohort.flow.steps)
            if step.exploratory is exploratory
            and (exploratory or step.n_excluded)
            and (step.after_time_zero or not late)
        )

    def removed(*, late: bool) -> int:
        return sum(
            step.n_excluded
            for step in cohort.flow.steps
            if not step.exploratory and (step.after_time_zero or not late)
        )

    population = cohort.population or EFFICACY
    named = has_late_criteria(cohort.study) or differs(cohort.study, population)
    label = population_named(cohort.study, population).label if named else ""
    if not cohort.population and differs(cohort.study, EFFICACY):
        # the study defines its efficacy population otherwise
        population, label = ALL_CRITERIA, "all criteria"

    return Provenance(
        title=cohort.study.title,
        n_in_file=cohort.n_in_file,
        n_analysed=cohort.n,
        criteria=phrases(False),
        filters=phrases(True),
        cutoff=str(cutoff) if cutoff is not None else None,
        synthetic=cohort.study.synthetic,
        exploratory=cohort.exploratory,
        fingerprint=cohort.fingerprint[:12],
        n_idle_criteria=sum(
            not step.exploratory and step.n_excluded == 0 for step in cohort.flow.steps
        ),
        population=population,
        population_label=label,
        late_criteria=phrases(False, late=True),
        n_removed=removed(late=False),
        n_removed_late=removed(late=True),
        report_p=cohort.study.analysis.report_exploratory_p,
        treatment=treatments.get(by, "") if by is not None else "",
        modelled_treatments=tuple(treatments[key] for key in covariates if key in treatments),
        adjusts=adjusts,
        listed_population=cohort.population or None,
    )
