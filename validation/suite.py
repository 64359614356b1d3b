"""What a suite of comparisons with R gives back."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SuiteResult:
    """Outcome of one suite of comparisons.

    Parameters
    ----------
    name : str
        Name of the suite.
    cases : int
        Number of data sets that were compared.
    comparisons : int
        Number of single values that were compared.
    disagreements : list of str
        One line for each value outside the tolerance; empty when everything agrees.
    max_error : float
        Largest ``|ours - R| / max(1, |R|)`` among the compared values.
    skipped : dict of str to int
        Cases or values counted apart, by reason.
    """

    name: str
    cases: int
    comparisons: int
    disagreements: list[str] = field(default_factory=list)
    max_error: float = 0.0
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether something was compared and nothing disagreed."""
        return self.comparisons > 0 and not self.disagreements
