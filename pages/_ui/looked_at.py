"""What has been compared with a P value: in this session, and before as the study file says."""

from __future__ import annotations

from typing import Any

from pages._ui import state
from sts_core.analysis.looked_at import (
    MANY,
    Comparison,
    comparisons_of,
    data_mark,
    looked_at_before,
    together,
)
from sts_core.analysis.registry import ANALYSES
from sts_core.cohort import Cohort
from sts_core.display import counted

_LOOKED, _SEEN, _PLACE = "looked_at", "looked_at.seen", "looked_at.place"


def note_comparisons(analysis: Any, cohort: Cohort, spec: Any, result: Any) -> None:
    """Remember the comparisons of a result that a page is about to show."""
    kind = getattr(spec, "kind", None)
    if kind not in ANALYSES or ANALYSES[kind].compute is not analysis:
        return
    seen: frozenset[tuple[str, str]] = state.remembered(_SEEN, frozenset())
    this = (cohort.fingerprint, repr(spec))
    if this in seen:
        return
    state.remember(_SEEN, seen | {this})
    found = comparisons_of(cohort, kind, spec, ANALYSES[kind].rows(result))
    state.remember(_LOOKED, together(_remembered(), found))
    place = state.remembered(_PLACE)
    if place is not None:
        _write(place, cohort)


def count_in(place: Any, cohort: Cohort) -> None:
    """Write the count at a place of the page, now and whenever the page compares something more."""
    # what a study file names stays in the family, also when another one takes its place
    state.remember(_LOOKED, together(looked_at_before(cohort), _remembered()))
    state.remember(_PLACE, place)
    _write(place, cohort)


def _write(place: Any, cohort: Cohort) -> None:
    n = len(looked_at(cohort))
    if n:
        text = f"{counted(n, 'comparison')} with a P value looked at"
        place.markdown(f":orange[:material/warning: {text}]" if n >= MANY else text)


def _remembered() -> tuple[Comparison, ...]:
    found: tuple[Comparison, ...] = state.remembered(_LOOKED, ())
    return found


def looked_at(cohort: Cohort) -> tuple[Comparison, ...]:
    """Give the comparisons of these data, in the order in which they were looked at."""
    return tuple(one for one in _remembered() if one.data == data_mark(cohort))


def forget_comparisons() -> None:
    """Begin the list anew, also that of the study file."""
    state.remember(_LOOKED, ())
    state.remember(_SEEN, frozenset())
    state.forget_looked_at()
