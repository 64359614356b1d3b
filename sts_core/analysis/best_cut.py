"""The cut of a number that separates an endpoint most, with the P value of the search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sts_core.cohort import Cohort
from sts_core.derive import numbers_of, survival_data, variable_of
from sts_core.display import REASONS, counted, format_p, lower_first
from sts_core.estimators.maximally_selected import (
    MaximallySelected,
    maximally_selected_log_rank,
)
from sts_core.estimators.permutation import RESAMPLES

WARNING = (
    "A cut that is chosen by the endpoint makes the groups look more different than they are: the "
    "ordinary P value, hazard ratio and intervals of this comparison know nothing of the search. "
    "Report the corrected P, and confirm the cut in other patients."
)


@dataclass(frozen=True, slots=True)
class BestCut:
    """The best cut of a number for an endpoint.

    Attributes
    ----------
    label, unit
        Of the number.
    endpoint_label
        Of the endpoint.
    found
        The cut with its statistic and both corrected P values, or why there is none.
    n_unknown
        Patients with a time whose number is not known.
    """

    label: str
    unit: str | None
    endpoint_label: str
    found: MaximallySelected
    n_unknown: int

    @property
    def value(self) -> str:
        """The cut with its unit."""
        return f"{self.found.cut:g}{f' {self.unit}' if self.unit else ''}"

    @property
    def sentence(self) -> str:
        """Say where the best cut is and what its P is, corrected for the search."""
        found = self.found
        endpoint = lower_first(self.endpoint_label)
        if found.reason is not None:
            return f"{self.label} has no best cut for {endpoint}: {REASONS[found.reason]}."
        return (
            f"The cut of {self.label} with the largest log-rank statistic for {endpoint} is at "
            f"{self.value}, among {counted(found.n_cuts, 'cut')} with at least "
            f"{100 * found.smallest_share:g}% of {counted(found.n, 'patient')} on each side; "
            f"{self.p_words}."
        )

    @property
    def p_words(self) -> str:
        """Both corrected P values, by what they were corrected."""
        found = self.found
        text = (
            f"P corrected for the search: {format_p(found.p_approximate)} "
            "(Lausen and Schumacher 1992)"
        )
        if found.resamples:
            text += (
                f", {format_p(found.p_permutation)} (permutation, {found.resamples:,} random ways, "
                f"seed {found.seed})"
            )
        return text


def best_cut(
    cohort: Cohort,
    endpoint: str,
    key: str,
    *,
    resamples: int = RESAMPLES,
    tick: Callable[[float], None] | None = None,
) -> BestCut:
    """Find the best cut among the patients analysed.

    Parameters
    ----------
    cohort
        Patients with their endpoint.
    endpoint
        Code of the endpoint.
    key
        Key of a number; what its cut points make of it does not matter.
    resamples
        Random ways for the permutation P; none when 0.
    tick
        Told the share that is done; it may raise to stop the work.

    Raises
    ------
    KeyError
        When the study has no such endpoint.
    """
    data = survival_data(cohort, endpoint)
    values = numbers_of(cohort, key).values[data.position]
    known = np.isfinite(values)
    entry = None if data.entry is None else data.entry[known]
    order = np.lexsort((data.event[known], data.time[known], values[known]))
    variable = variable_of(cohort, key)
    return BestCut(
        label=variable.label,
        unit=variable.unit,
        endpoint_label=data.endpoint.label,
        found=maximally_selected_log_rank(
            values[known][order],
            data.time[known][order],
            data.event[known][order],
            entry=None if entry is None else entry[order],
            resamples=resamples,
            tick=tick,
        ),
        n_unknown=int(np.count_nonzero(~known)),
    )
