"""How the groups of a comparison are made, for its footnotes: cuts, crossings and merged levels."""

from __future__ import annotations

from typing import Final

from sts_core.analysis.best_cut import WARNING, best_cut
from sts_core.cohort import Cohort
from sts_core.derive import cut_levels, derivation_sentence, levels_of, variable_of
from sts_core.display import counted, joined
from sts_core.study.types import Grouping, Variable

MAX_LEVELS_NAMED: Final = 8
_RULES: Final = {
    "median": "the median, worked out when the groups were made",
    "tertiles": "the tertiles, worked out when the groups were made",
    "quartiles": "the quartiles, worked out when the groups were made",
}


def group_notes(cohort: Cohort, by: str | None) -> tuple[str, ...]:
    """Say how groups are made, where they are not those of the file.

    Parameters
    ----------
    cohort
        Patients.
    by
        Key of a variable or a grouping; no note when ``None``.

    Returns
    -------
    tuple of str
        Of a best cut also its corrected P in the patients analysed, and the warning.
    """
    if by is None:
        return ()
    grouping = cohort.study.definitions.groupings.get(by)
    if grouping is not None:
        return (_merged(cohort, grouping), *group_notes(cohort, grouping.variable))
    variable = variable_of(cohort, by)
    notes = [sentence] if (sentence := derivation_sentence(cohort, by)) else []
    if variable.cuts:
        notes += _cut(cohort, by, variable)
    return tuple(notes)


def _merged(cohort: Cohort, grouping: Grouping) -> str:
    parts = [f"{name}, {_named(levels)}" for name, levels in grouping.groups.items()]
    if grouping.rest:
        parts.append(f"{grouping.rest}, all other levels")
    base = levels_of(cohort, grouping.variable).label
    return f"Groups of {base}: {'; '.join(parts)}."


def _named(levels: tuple[str, ...]) -> str:
    if len(levels) <= MAX_LEVELS_NAMED:
        return joined(levels)
    rest = len(levels) - MAX_LEVELS_NAMED
    return f"{', '.join(levels[:MAX_LEVELS_NAMED])} and {counted(rest, 'other level')}"


def _cut(cohort: Cohort, key: str, variable: Variable) -> list[str]:
    unit = f" {variable.unit}" if variable.unit else ""
    cuts = joined([f"{cut:g}" for cut in sorted(variable.cuts)])
    names = [variable.codes.get(level, level) for level in cut_levels(variable.cuts)]
    text = f"{variable.label}: cut at {cuts}{unit}"
    if variable.cut_rule in _RULES:
        text += f" ({_RULES[variable.cut_rule]})"
    elif not variable.codes and variable.cut_rule != "best" and _says_cut(variable.label, cuts):
        return []
    if variable.codes:
        pairs = zip(names, cut_levels(variable.cuts), strict=True)
        text += f": {'; '.join(f'{name}, {level}' for name, level in pairs)}"
    if variable.cut_rule != "best":
        return [f"{text}."]
    return [f"{text}, which the data chose.", *best_cut_notes(cohort, key, variable)]


def _says_cut(label: str, cuts: str) -> bool:
    """Whether the name of the groups says already where they are cut."""
    return label.endswith(f"cut at {cuts}")


def best_cut_notes(cohort: Cohort, key: str, variable: Variable) -> tuple[str, ...]:
    """Give the corrected P of a cut that the data chose, and the warning; else nothing."""
    endpoint = variable.cut_for
    if variable.cut_rule != "best" or endpoint not in cohort.study.definitions.endpoints:
        return (WARNING,) if variable.cut_rule == "best" else ()
    now = best_cut(cohort, endpoint, key, resamples=0)
    return (now.sentence, WARNING)
