"""What speaks against reading a hazard ratio as one number: drifting hazards, crossing curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sts_core.analysis.conventions import survival_methods
from sts_core.analysis.curve_reading import enough_at_risk
from sts_core.analysis.followed import follow
from sts_core.analysis.hazard_ratio import MAX_COMPARED
from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.provenance import Provenance
from sts_core.cohort import Cohort
from sts_core.display import counted, format_number, joined
from sts_core.estimates import NotEstimable, TestResult
from sts_core.estimators.cox import cox_fit
from sts_core.estimators.cox_likelihood import Ties
from sts_core.estimators.cox_residuals import proportional_hazards_test
from sts_core.estimators.product_limit import ProductLimit, product_limit
from sts_core.estimators.survival_difference import crossing_time

NOT_PROPORTIONAL: Final = 0.05
"""P of the proportional hazards test below which hazards are flagged."""
MAX_NAMED: Final = 6
"""Groups that a sentence names; it counts the others."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A group whose curve crosses that of the reference, and when, in the raw unit."""

    group: str
    reference: str
    at: float


@dataclass(frozen=True, slots=True)
class HazardFlags:
    """Test of proportional hazards over all groups, and the curves that cross the reference's.

    ``proportional_hazards`` is ``None`` where nothing is compared.
    """

    proportional_hazards: TestResult | None = None
    crossings: tuple[Crossing, ...] = ()


def hazard_flags(cohort: Cohort, spec: KaplanMeierSpec) -> HazardFlags:
    """Look for what the comparison of some curves is flagged for.

    Parameters
    ----------
    cohort
        Patients with their endpoint.
    spec
        The curves.

    Returns
    -------
    HazardFlags
        As :func:`sts_core.analysis.survival_comparison.survival_comparison` finds it for the same
        groups.
    """
    followed = follow(cohort, spec, landmark=spec.landmark, known_on=spec.known_on)
    k = len(followed.chosen)
    if k < 2 or followed.levels is None:
        return HazardFlags()
    data, codes = followed.data, followed.codes
    entered = np.zeros(data.n) if data.entry is None else data.entry
    order = np.lexsort((codes, data.event, entered, data.time))
    order = order[codes[order] >= 0]
    time, event, codes = data.time[order], data.event[order], codes[order]
    entry = None if data.entry is None else data.entry[order]
    ties = Ties(survival_methods(cohort.study, convention=spec.convention).convention.ties)
    sizes = np.bincount(codes, minlength=k)
    filled = np.flatnonzero(sizes)
    if not len(filled):
        return HazardFlags(proportionality(time, event, codes, k, entry=entry, ties=ties))
    stated = followed.levels.reference
    base = followed.chosen.index(stated) if stated in followed.chosen else -1
    base = base if base in filled else int(filled[0])
    curves = {
        int(code): product_limit(
            time[codes == code], event[codes == code],
            entry=None if entry is None else entry[codes == code],
        )
        for code in filled
    }  # fmt: skip
    crossings = []
    for code, curve in curves.items():
        at = None if code == base else crosses_at(curve, curves[base])
        if at is not None:
            crossings.append(Crossing(followed.chosen[code], followed.chosen[base], at))
    return HazardFlags(
        proportionality(time, event, codes, k, entry=entry, ties=ties), tuple(crossings)
    )


def proportionality(
    time: np.ndarray,
    event: np.ndarray,
    codes: np.ndarray,
    k: int,
    *,
    entry: np.ndarray | None,
    ties: Ties,
) -> TestResult:
    """Test that the hazards of groups are proportional: a score test of one Cox model.

    Parameters
    ----------
    time, event, entry
        Follow-up of the patients compared; shape (n,).
    codes
        Number of each patient's group, below ``k``; shape (n,).
    k
        Groups, also those without patients.
    ties
        Efron's or Breslow's handling of tied times.

    References
    ----------
    Grambsch and Therneau, Biometrika 81 (1994) 515-526.
    """
    name = "proportional hazards"
    filled = np.flatnonzero(np.bincount(codes, minlength=k))
    if len(filled) < 2:
        why = NotEstimable.ONE_GROUP if len(filled) else NotEstimable.NO_SUBJECTS
        return TestResult(name, reason=why)
    if k > MAX_COMPARED:
        return TestResult(name, reason=NotEstimable.TOO_FEW)
    columns = (codes[:, None] == filled[None, 1:]).astype(np.float64)
    fit = cox_fit(time, event, columns, entry=entry, ties=ties)
    return proportional_hazards_test(
        fit, time, event, columns, terms=[range(columns.shape[1])], entry=entry
    ).terms[0]


def crosses_at(one: ProductLimit, other: ProductLimit) -> float | None:
    """Say when two curves cross while enough are at risk in both; ``None`` where they don't."""
    return crossing_time(one, other, until=min(_reliable_until(one), _reliable_until(other)))


def _reliable_until(curve: ProductLimit) -> float:
    """Give the last time at which enough are at risk for a curve to be read."""
    enough = enough_at_risk(curve.n_risk, curve.n)
    return float(curve.time[enough].max()) if enough.any() else -1.0


def flag_words(
    flags: HazardFlags, provenance: Provenance, unit_factor: float, unit: str
) -> str | None:
    """Say what is flagged, without a stop; ``None`` where nothing is.

    Parameters
    ----------
    flags
        What was found.
    provenance
        Whom it is of: P values of a subset are marked.
    unit_factor, unit
        Raw times divided by the factor are in the unit shown.
    """
    found = []
    test = flags.proportional_hazards
    if test is not None and test.p_value is not None and test.p_value < NOT_PROPORTIONAL:
        found.append(f"hazards are not proportional ({provenance.p(test.p_value)})")
    if flags.crossings:
        named = [
            f"{one.group} (near {format_number(one.at / unit_factor)} {unit})"
            for one in flags.crossings
        ]
        curves = "curve of" if len(named) == 1 else "curves of"
        cross = "crosses" if len(named) == 1 else "cross"
        reference = flags.crossings[0].reference
        found.append(f"the {curves} {named_first(named)} {cross} that of {reference}")
    if not found:
        return None
    text = joined(found)
    return text[0].upper() + text[1:]


def named_first(names: Sequence[str]) -> str:
    """Join a few names, and count the others."""
    if len(names) <= MAX_NAMED:
        return joined(names)
    others = len(names) - MAX_NAMED + 1
    return joined([*names[: MAX_NAMED - 1], counted(others, "other group")])
