"""How many comparisons with a P value have been looked at, and what Holm's rule makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sts_core.analysis import adverse_events as ae
from sts_core.analysis import baseline as bl
from sts_core.analysis import competing_risks as cr
from sts_core.analysis import cox
from sts_core.analysis import cross_table as xt
from sts_core.analysis import kaplan_meier as km
from sts_core.analysis import software_conventions as sw
from sts_core.analysis import survival_comparison as sc
from sts_core.cohort import Cohort
from sts_core.display import Cell, Column, DisplayTable, Format, counted, lower_first
from sts_core.estimators.multiplicity import holm
from sts_core.populations import SAFETY, cohort_of
from sts_core.results import ResultRow
from sts_core.study.types import LookedAt, Study

#: From so many comparisons on, small P values are to be expected by chance alone.
MANY = 10
_SURVIVAL = (km.KIND, sc.KIND, sw.KIND)
#: Characters of a hash that are kept.
MARK = 16
#: Tests of what a model assumes, and of a model as a whole, compare nothing.
_NO_COMPARISON = ("proportional_hazards", "model_", "schoenfeld")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question that was answered with a P value.

    Attributes
    ----------
    key
        Hash of the question, the patients and the answer; the same comparison seen twice has one.
    label, question
        What was compared, in words; the second names no group.
    p_value
        Two-sided, not adjusted.
    n, n_in_file
        Patients analysed, and in the file.
    exploratory
        Whether filters were in force.
    data
        First characters of the files' hash: comparisons of other data are no part of the family.
    before
        Whether it was looked at before this session, as the study file says.
    """

    key: str
    label: str
    question: str
    p_value: float
    n: int
    n_in_file: int
    exploratory: bool
    data: str
    before: bool = False


def comparisons_of(
    cohort: Cohort, kind: str, spec: Any, rows: Iterable[ResultRow]
) -> tuple[Comparison, ...]:
    """Give the comparisons among the rows of a result.

    A question counts once for a result, however many tests answer it: the log-rank test stands for
    the weighted ones, and the Wald test of a variable for the likelihood ratio test; that of a pair
    of groups stands for their hazard ratio. Pairs of groups, levels against a reference, and
    differences at chosen times are questions of their own.
    """
    population = getattr(spec, "population", None)
    if population is None and kind == ae.KIND:
        population = SAFETY
    cohort = cohort_of(cohort, population)
    rows = [row for row in rows if row.value is not None and row.statistic.endswith("_p")]
    patients = hashlib.sha256(cohort.included.tobytes()).hexdigest()[:16]
    data = data_mark(cohort)
    found = {}
    for row in rows:
        question = _question(kind, spec, row, rows)
        if question is None or row.value is None:
            continue
        whole = (data, *question, patients, f"{row.value:.12g}")
        key = hashlib.sha256(repr(whole).encode()).hexdigest()[:MARK]
        found[key] = Comparison(
            key,
            _label(cohort.study, kind, spec, row),
            _label(cohort.study, kind, spec, row, groups=False),
            row.value,
            cohort.n,
            cohort.n_in_file,
            cohort.exploratory,
            data,
        )
    return tuple(found.values())


def data_mark(cohort: Cohort) -> str:
    """Give the first characters of the hash of a cohort's files."""
    return cohort.data_hash[:MARK]


def looked_at_before(cohort: Cohort) -> tuple[Comparison, ...]:
    """Give the comparisons of these data that the study file says were looked at."""
    return tuple(
        Comparison(
            one.key, one.question, one.question, one.p_value, one.n, one.n_in_file,
            one.exploratory, one.data, before=True,
        )
        for one in cohort.study.analysis.looked_at
        if one.data == data_mark(cohort)
    )  # fmt: skip


def n_on_other_data(cohort: Cohort) -> int:
    """Count what the study file says was looked at on other data cuts."""
    return len(cohort.study.analysis.looked_at) - len(looked_at_before(cohort))


def together(*families: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """Put comparisons together, each once; one that was seen again has its fuller name."""
    found: dict[str, Comparison] = {}
    for family in families:
        for one in family:
            former = found.get(one.key)
            found[one.key] = one if former is None else replace(one, before=former.before)
    return tuple(found.values())


def remembering_comparisons(study: Study, cohort: Cohort, seen: Iterable[Comparison]) -> Study:
    """Give the study with the comparisons of these data, and those of other data that it had.

    No group is named, and nothing belongs to a single patient.
    """
    mark = data_mark(cohort)
    others = tuple(one for one in study.analysis.looked_at if one.data != mark)
    records = tuple(
        LookedAt(
            one.key, one.question, one.p_value, one.n, one.n_in_file, one.data, one.exploratory
        )
        for one in together(looked_at_before(cohort), seen)
        if one.data == mark
    )
    return replace(study, analysis=replace(study.analysis, looked_at=(*others, *records)))


def _question(
    kind: str, spec: Any, row: ResultRow, rows: Sequence[ResultRow]
) -> tuple[str, ...] | None:
    """Name the question that a P value answers; ``None`` when another one stands for it."""
    if row.statistic.startswith(_NO_COMPARISON):
        return None
    endpoint, by = row.endpoint or "", row.group_var or ""
    if kind in _SURVIVAL:
        levels = "|".join(sorted(getattr(spec, "levels", None) or ()))
        pair = _pair(row)
        match row.statistic:
            case "logrank_p":
                return "survival", endpoint, by, levels
            case "test_p":
                return ("survival", endpoint, by, levels) if row.term == "log-rank" else None
            case "pair_p":
                return "pair", endpoint, by, pair
            case "hazard_ratio_p":
                ratios = sum(other.statistic == "hazard_ratio_p" for other in rows)
                tested = {_pair(other) for other in rows if other.statistic == "pair_p"}
                several = kind == sc.KIND and ratios > 1 and pair not in tested
                return ("pair", endpoint, by, pair) if several else None
            case "rate_difference_p" | "mean_difference_p":
                return row.statistic, endpoint, by, pair, row.term or ""
            case _:
                return None
    if kind == cr.KIND:
        return _incidence_question(spec, row, rows)
    if kind in (bl.KIND, xt.KIND):
        return "association", "|".join(sorted((by, row.term or "")))
    if kind == cox.KIND:
        model, _, test = row.statistic.partition("_")
        joint = "|".join(sorted(spec.covariates)) if model == "multivariable" else ""
        if test == "wald_p" and row.level is None:
            return "cox", endpoint, model, joint, row.term or ""
        levels_of_term = sum(
            other.statistic == row.statistic and other.term == row.term for other in rows
        )
        if test == "p" and levels_of_term > 1:
            return "cox", endpoint, model, joint, row.term or "", row.level or ""
        return None
    return (
        kind, row.statistic, endpoint, by, row.group or "", row.term or "", row.level or "",
    )  # fmt: skip


def _pair(row: ResultRow) -> str:
    """Name two groups that a row compares, in whichever order."""
    return "|".join(sorted((row.group or "", row.level or "")))


def _incidence_question(
    spec: Any, row: ResultRow, rows: Sequence[ResultRow]
) -> tuple[str, ...] | None:
    """Name a question of competing risks: Gray's test stands for that of the groups in Fine-Gray.

    Of two levels, or of a number, the ratio and the test of the variable are one question.
    """
    endpoint, by = row.endpoint or "", row.group_var or ""
    if row.statistic == "gray_p":
        levels = "|".join(sorted(spec.levels or ()))
        return "incidence", endpoint, by, levels, row.level or ""
    place = ("incidence", endpoint, spec.event_kind or "", by, row.term or "")
    if row.statistic == "fine_gray_wald_p":
        return None if row.term == by else place
    ratios = sum(other.statistic == row.statistic and other.term == row.term for other in rows)
    if ratios > 1:
        return (*place, row.level or "")
    return place if row.level is None else None


def _label(study: Study, kind: str, spec: Any, row: ResultRow, *, groups: bool = True) -> str:
    """Say what was compared; without ``groups`` no level of a variable is named."""
    if not groups:
        row = replace(row, group=None, level=None)
    definitions = study.definitions
    names = {key: variable.label for key, variable in definitions.variables.items()}
    names |= {key: grouping.label for key, grouping in definitions.groupings.items()}

    def named(key: str | None) -> str:
        return names.get(key or "", key or "")

    endpoint = definitions.endpoints.get(row.endpoint or "")
    what = endpoint.label if endpoint else row.endpoint or ""
    if kind in (bl.KIND, xt.KIND):
        return f"{named(row.term)} by {lower_first(named(row.group_var))}"
    if kind == cox.KIND:
        level = f": {row.level}" if row.level else ""
        model = row.statistic.partition("_")[0]
        return f"{what} and {lower_first(named(row.term))}{level} ({model} Cox regression)"
    if kind == cr.KIND:
        if row.statistic == "gray_p":
            by = lower_first(named(row.group_var))
            of = f" of {lower_first(row.level)}" if row.level else ""
            return f"{what}: cumulative incidence{of} by {by}"
        level = f": {row.level}" if row.level else ""
        return f"{what} and {lower_first(named(row.term))}{level} (Fine-Gray regression)"
    if kind not in _SURVIVAL:
        term = row.term if groups or row.term in names else None
        parts = [row.group, named(term), row.level]
        said = ", ".join(part for part in parts if part)
        by = f" by {lower_first(named(row.group_var))}" if row.group_var and not row.term else ""
        test = row.statistic.removesuffix("_p").replace("_", " ")
        return f"{what}{by}{f': {said}' if said else ''} ({test})"
    text = f"{what} by {lower_first(named(row.group_var))}" if row.group_var else what
    if row.group:
        against = f" against {row.level}" if row.level else ""
        text += f": {row.group}{against}"
    if row.statistic == "rate_difference_p":
        return f"{text}, rate at {row.term}"
    if row.statistic == "mean_difference_p":
        return f"{text}, restricted mean"
    levels = getattr(spec, "levels", None)
    if levels and groups and not row.group:
        text += f" ({', '.join(levels)})" if len(levels) <= 3 else f" ({len(levels)} groups)"
    return text


def comparisons_table(
    comparisons: Sequence[Comparison], *, adjusted: bool, n_on_other_data: int = 0
) -> DisplayTable:
    """List comparisons in the order in which they were looked at.

    Parameters
    ----------
    comparisons
        The family.
    adjusted
        Whether to add P values adjusted by Holm's rule over all of them.
    n_on_other_data
        How many were looked at on other data cuts of the study; they are no part of the family.
    """
    columns = [
        Column("label", "Comparison"),
        Column("patients", "Patients"),
        Column("p_value", "P", Format.P_VALUE),
    ]
    if adjusted:
        columns.append(Column("holm", "P, Holm-adjusted", Format.P_VALUE))
    corrected = holm([one.p_value for one in comparisons])
    rows: list[dict[str, Cell]] = [
        {
            "label": one.label,
            "patients": f"{one.n} of {one.n_in_file}{', exploratory' if one.exploratory else ''}",
            "p_value": one.p_value,
            "holm": p_value,
        }
        for one, p_value in zip(comparisons, corrected, strict=True)
    ]
    n, before = len(comparisons), sum(one.before for one in comparisons)
    said = f", {before} of them before, as the study file says" if before else ""
    notes = [
        f"{counted(n, 'comparison')} with a P value looked at{said}. Where none of them is a true "
        f"difference, {n * 0.05:.1f} of {n} are expected below 0.05 by chance."
    ]
    if n_on_other_data:
        notes.append(
            f"{counted(n_on_other_data, 'comparison')} more on other data cuts of this study, as "
            "the study file says, are not in this list."
        )
    if adjusted:
        notes.append(
            "Holm's adjustment over all of them: the probability of any wrong finding is held."
        )
    notes.append(
        "A question counts once for each set of patients, whatever the number of tests that answer "
        "it; what differs in patients, groups or definitions is another one."
    )
    shown = [{column.key: row[column.key] for column in columns} for row in rows]
    return DisplayTable("Comparisons looked at", tuple(columns), tuple(shown), tuple(notes))
