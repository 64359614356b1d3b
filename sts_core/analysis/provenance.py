"""What every result carries about its origin: selection, cut-off, stamps."""

from __future__ import annotations

from dataclasses import dataclass

from sts_core.cohort import Cohort
from sts_core.criteria import LATE_EFFECT
from sts_core.derive import cutoff_date
from sts_core.display import lower_first
from sts_core.populations import EFFICACY, differs, has_late_criteria, population_named

SYNTHETIC_STAMP = "Synthetic data, not patients"


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

    @property
    def dataset(self) -> str:
        """Name of the set of patients in ``results.json``."""
        return "exploratory" if self.exploratory else "analysed"

    @property
    def footnotes(self) -> tuple[str, ...]:
        """Selection, cut-off and stamps as sentences."""
        notes = []
        selection = f"{self.n_analysed} of {self.n_in_file} patients in the file analysed"
        if self.population_label:
            selection += f" ({lower_first(self.population_label)})"
        if self.criteria:
            selection += f"; removed by criteria: {'; '.join(self.criteria)}"
        if self.n_idle_criteria:
            more = " more" if self.criteria else ""
            word = "criterion" if self.n_idle_criteria == 1 else "criteria"
            selection += f"; {self.n_idle_criteria}{more} {word} in force removed nobody"
        if self.filters:
            selection += f"; exploratory filters: {'; '.join(self.filters)}"
        notes.append(f"{selection}.")
        if self.late_criteria:
            notes.append(
                f"Known only after time zero: {'; '.join(self.late_criteria)}. This {LATE_EFFECT}."
            )
        if self.cutoff:
            notes.append(f"Data cut-off {self.cutoff}.")
        if self.exploratory:
            notes.append(
                f"Exploratory subset, n = {self.n_analysed} of {self.n_in_file}: "
                "P values are not confirmatory."
            )
        if self.synthetic:
            notes.append(f"{SYNTHETIC_STAMP}.")
        return tuple(notes)


def provenance_of(cohort: Cohort) -> Provenance:
    """Give the provenance of results computed on a cohort."""
    cutoff = cutoff_date(cohort)

    def phrases(exploratory: bool, *, late: bool = False) -> tuple[str, ...]:
        return tuple(
            f"{step.label} (n = {step.n_excluded})"
            for step in cohort.flow.steps
            if step.exploratory is exploratory
            and (exploratory or step.n_excluded)
            and (step.after_time_zero or not late)
        )

    population = cohort.population or EFFICACY
    named = has_late_criteria(cohort.study) or differs(cohort.study, population)

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
        population_label=population_named(cohort.study, population).label if named else "",
        late_criteria=phrases(False, late=True),
    )
