"""What every result carries about its origin: selection, cut-off, stamps."""

from __future__ import annotations

from dataclasses import dataclass

from sts_core.cohort import Cohort
from sts_core.derive import cutoff_date

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
        Those in force, as phrases with the number removed.
    cutoff
        Data cut-off, ISO date.
    synthetic
        Whether no patient stands behind the data; it is stamped on everything.
    exploratory
        Whether filters are in force.
    fingerprint
        First characters of the cohort's fingerprint.
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

    @property
    def dataset(self) -> str:
        """Name of the set of patients in ``results.json``."""
        return "exploratory" if self.exploratory else "analysed"

    @property
    def footnotes(self) -> tuple[str, ...]:
        """Selection, cut-off and stamps as sentences."""
        notes = []
        selection = f"{self.n_analysed} of {self.n_in_file} patients in the file analysed"
        if self.criteria:
            selection += f"; criteria: {'; '.join(self.criteria)}"
        if self.filters:
            selection += f"; exploratory filters: {'; '.join(self.filters)}"
        notes.append(f"{selection}.")
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

    def phrases(exploratory: bool) -> tuple[str, ...]:
        return tuple(
            f"{step.label} (removed {step.n_excluded})"
            for step in cohort.flow.steps
            if step.exploratory is exploratory
        )

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
    )
