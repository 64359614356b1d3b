"""Best overall response: counts, objective response and disease control, overall or by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import (
    Comparison,
    Member,
    by_words,
    comparison,
    patients,
    percent_level,
    r_string,
    r_strings,
)
from sts_core.analysis.provenance import Provenance, provenance_of, says_subset
from sts_core.cohort import Cohort
from sts_core.derive import Levels, levels_of, variable_of
from sts_core.display import (
    REASONS,
    Cell,
    Column,
    DisplayTable,
    Format,
    counted,
    format_percent,
    joined,
)
from sts_core.estimates import Estimate, NotEstimable, not_estimable
from sts_core.estimators.proportion import proportion
from sts_core.findings import Finding, FindingCode, Severity, StudyError, listed
from sts_core.members import Count, CountedText, HasLevel, Members, of_group
from sts_core.populations import cohort_of
from sts_core.results import ResultRow
from sts_core.study.types import ResponseDefinition

KIND: Final = "response"
Denominator = Literal["all", "evaluable"]
DENOMINATORS: tuple[Denominator, ...] = ("all", "evaluable")
_DENOMINATOR_NAMES: dict[Denominator, str] = {
    "all": "all patients analysed",
    "evaluable": "evaluable patients",
}
_SHORT_NAMES: dict[Denominator, str] = {"all": "all", "evaluable": "evaluable"}
_METHOD = "Clopper-Pearson"


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ResponseSpec:
    """What to count.

    Parameters
    ----------
    by
        Key of a variable or a grouping; everyone together when ``None``.
    levels
        Groups of this comparison, in any order; all when ``None``.
    conf_level
        Coverage of intervals.
    denominator
        Whose share the rates are: of all patients analysed (not evaluable and not recorded count
        as no response), or of those with a response that could be evaluated. Results always hold
        both; this one is shown first.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    """

    by: str | None = None
    levels: tuple[str, ...] | None = None
    conf_level: float = 0.95
    denominator: Denominator = "all"
    population: str | None = None
    kind: Literal["response"] = KIND

    def __post_init__(self) -> None:
        if not 0 < self.conf_level < 1:
            raise ValueError(f"conf_level must lie in (0, 1), but was {self.conf_level}")


@dataclass(frozen=True, slots=True)
class Share:
    """Patients with the property, of how many, and the proportion with its exact interval."""

    count: int
    total: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class ResponseRates:
    """Objective response and disease control with one denominator."""

    denominator: Denominator
    objective_response: Share
    disease_control: Share

    @property
    def denominator_name(self) -> str:
        """Whose share it is, in words."""
        return _DENOMINATOR_NAMES[self.denominator]


@dataclass(frozen=True, slots=True)
class ResponseGroup:
    """Responses of one group.

    Attributes
    ----------
    label, slot
        Level of the grouping, and its colour slot; "All patients" without one.
    n
        Patients.
    counts
        Patients with each response, in the result's order of levels; not evaluable is among them.
    n_evaluable, n_not_evaluable, n_not_recorded
        They add up to ``n``.
    of_all, of_evaluable
        The rates with either denominator.
    """

    label: str
    slot: int | None
    n: int
    counts: tuple[Share, ...]
    n_evaluable: int
    n_not_evaluable: int
    n_not_recorded: int
    of_all: ResponseRates
    of_evaluable: ResponseRates

    def rates(self, denominator: Denominator) -> ResponseRates:
        """Give the rates with one denominator."""
        return self.of_all if denominator == "all" else self.of_evaluable


@dataclass(frozen=True, slots=True, eq=False)
class ResponseResult:
    """Best overall response.

    Attributes
    ----------
    definition
        How the study records response.
    variable_label
        Name of the variable that holds it.
    levels
        Responses in order: responders, disease control, others, not evaluable.
    unnamed
        Levels found that the study file doesn't name; they count as neither.
    overall
        Everyone of the comparison together.
    groups
        In the study's order, also empty ones; just ``overall`` without a grouping.
    """

    spec: ResponseSpec
    definition: ResponseDefinition
    variable_label: str
    levels: tuple[str, ...]
    unnamed: tuple[str, ...]
    by_label: str | None
    overall: ResponseGroup
    groups: tuple[ResponseGroup, ...]
    all_levels: tuple[str, ...]
    n_unknown_group: int
    n_other_groups: int
    findings: tuple[Finding, ...]
    provenance: Provenance
    footnotes: tuple[str, ...]

    @property
    def is_comparison(self) -> bool:
        """Whether there are groups to compare."""
        return self.spec.by is not None


def response(cohort: Cohort, spec: ResponseSpec) -> ResponseResult:
    """Count best overall responses of the patients analysed.

    Parameters
    ----------
    cohort
        Patients with their response. A patient whose response is blank stays in the denominator
        of all patients and is counted as not recorded.
    spec
        What to count.

    Returns
    -------
    ResponseResult
        Where no patient of a group has a recorded response, rates are not estimable for the
        reason ``NOT_RECORDED``, never 0 %; ``NO_SUBJECTS`` for a group without patients.

    Raises
    ------
    StudyError
        When the study names no response, its variable isn't there, a level counts as two things,
        or no level that was found is named.
    """
    cohort = cohort_of(cohort, spec.population)
    recorded = _recorded(cohort)
    definition, found = recorded.definition, recorded.found
    levels, unnamed = recorded.levels, recorded.unnamed
    split = comparison(cohort, spec.by, spec.levels)

    def one_group(member: Member) -> ResponseGroup:
        return _group(member, found.values, levels, definition, spec.conf_level)

    overall = one_group(split.overall)
    result = ResponseResult(
        spec=spec,
        definition=definition,
        variable_label=found.label,
        levels=levels,
        unnamed=unnamed,
        by_label=split.by_label,
        overall=overall,
        groups=tuple(one_group(member) for member in split.groups) if spec.by else (overall,),
        all_levels=split.all_levels,
        n_unknown_group=split.n_unknown,
        n_other_groups=split.n_other,
        findings=((_levels_unnamed(unnamed, recorded.column, False),) if unnamed else ()),
        provenance=provenance_of(cohort, spec.by),
        footnotes=(),
    )
    return replace(result, footnotes=_footnotes(result, split))


@dataclass(frozen=True, slots=True, eq=False)
class _Recorded:
    """The column of best response as the study defines it; ``levels`` in the result's order."""

    definition: ResponseDefinition
    found: Levels
    column: str
    levels: tuple[str, ...]
    unnamed: tuple[str, ...]


def _recorded(cohort: Cohort) -> _Recorded:
    """Check the definition against what the column holds; raises as :func:`response` does."""
    definition = cohort.study.definitions.response
    if definition is None:
        raise StudyError(no_response_defined())
    _check_definition(definition)
    variable = variable_of(cohort, definition.variable)
    found = levels_of(cohort, definition.variable)
    present = {value for value in found.values if value is not None}
    named = {
        *definition.responders, *definition.controlled, *definition.progression,
        *definition.not_evaluable,
    }  # fmt: skip
    unnamed = tuple(level for level in found.levels if level in present and level not in named)
    column = variable.column or definition.variable
    if present and present <= set(unnamed):
        raise StudyError(_levels_unnamed(unnamed, column, True))
    levels = tuple(
        dict.fromkeys(
            (
                *definition.responders,
                *definition.controlled,
                *(
                    level
                    for level in (*found.levels, *definition.progression)
                    if level not in definition.not_evaluable
                ),
                *definition.not_evaluable,
            )
        )
    )
    return _Recorded(definition, found, column, levels, unnamed)


@dataclass(frozen=True, slots=True)
class ResponseCounts:
    """Patients analysed, by what their recorded best response counts as.

    Attributes
    ----------
    n
        Patients analysed.
    objective_response, disease_control
        Who responded, and who did or had stable disease.
    not_evaluable, not_recorded
        Who could not be assessed, and whose cell is blank.
    """

    n: int
    objective_response: int
    disease_control: int
    not_evaluable: int
    not_recorded: int


def response_counts(cohort: Cohort) -> ResponseCounts:
    """Count responses of the patients analysed, without any interval.

    Raises
    ------
    StudyError
        As :func:`response`.
    """
    recorded = _recorded(cohort)
    definition = recorded.definition
    by_level = Counter(recorded.found.values[cohort.included].tolist())
    responding = set(definition.responders)
    return ResponseCounts(
        n=by_level.total(),
        objective_response=sum(by_level[level] for level in responding),
        disease_control=sum(by_level[level] for level in responding | {*definition.controlled}),
        not_evaluable=sum(by_level[level] for level in definition.not_evaluable),
        not_recorded=by_level[None],
    )


def no_response_defined() -> Finding:
    """Say that the study has no best overall response."""
    return Finding(
        FindingCode.COLUMN_MISSING,
        Severity.ERROR,
        "This file has no best overall response, so that no response rate can be given.",
        "On the Data page, choose the column that holds each patient's best response "
        "(CR, PR, SD, PD, NE).",
    )


def _levels_unnamed(levels: tuple[str, ...], column: str, fatal: bool) -> Finding:
    quoted = listed([f"“{level}”" for level in levels])
    effect = (
        "so that no response rate can be given"
        if fatal
        else "which count as neither response nor disease control"
    )
    return Finding(
        FindingCode.LEVEL_UNKNOWN,
        Severity.ERROR if fatal else Severity.WARNING,
        f"Best response has values that the study file doesn't name ({quoted}), {effect}.",
        "On the Data page, say which of CR, PR, SD, PD and NE each value means.",
        column=column,
        count=len(levels),
    )


def _check_definition(definition: ResponseDefinition) -> None:
    good = {*definition.responders, *definition.controlled}
    problems = [
        f"{listed(sorted(both))} is {what} at once"
        for both, what in (
            ({*definition.not_evaluable} & good, "not evaluable and a response"),
            ({*definition.progression} & good, "progression and a response"),
            (
                {*definition.progression} & {*definition.not_evaluable},
                "progression and not evaluable",
            ),
        )
        if both
    ]
    if not definition.responders:
        problems.append("no level counts as objective response")
    if problems:
        problem = "; ".join(problems)
        raise StudyError(
            Finding(
                FindingCode.STUDY_FILE_INVALID,
                Severity.ERROR,
                f"definitions.response: {problem}.",
                "Correct the meaning of the levels on the Data page.",
            )
        )


def _group(
    member: Member,
    values: np.ndarray,
    levels: Sequence[str],
    definition: ResponseDefinition,
    conf_level: float,
) -> ResponseGroup:
    mine = values[member.mask]
    n = len(mine)
    by_level = dict.fromkeys(levels, 0)
    n_not_recorded = 0
    for value in mine:
        if value is None:
            n_not_recorded += 1
        else:
            by_level[value] += 1
    n_not_evaluable = sum(by_level[level] for level in definition.not_evaluable)
    n_evaluable = n - n_not_recorded - n_not_evaluable
    responding = set(definition.responders)
    # a response is control too, also where a study file lists only SD under control
    controlled = responding | set(definition.controlled)

    def share(members: set[str], total: int) -> Share:
        count = sum(by_level[level] for level in members)
        if n > 0 and n_not_recorded == n:
            nothing = not_estimable(
                NotEstimable.NOT_RECORDED, conf_level=conf_level, method=_METHOD
            )
            return Share(count, total, nothing)
        return Share(count, total, proportion(count, total, conf_level=conf_level))

    def rates(denominator: Denominator, total: int) -> ResponseRates:
        return ResponseRates(denominator, share(responding, total), share(controlled, total))

    return ResponseGroup(
        label=member.label,
        slot=member.slot,
        n=n,
        counts=tuple(share({level}, n) for level in levels),
        n_evaluable=n_evaluable,
        n_not_evaluable=n_not_evaluable,
        n_not_recorded=n_not_recorded,
        of_all=rates("all", n),
        of_evaluable=rates("evaluable", n_evaluable),
    )


# --- table ---------------------------------------------------------------------------------------


def response_table(result: ResponseResult) -> DisplayTable:
    """Give the counts and both rates: a row a response, or a row a group when there are groups."""
    return _by_group(result) if result.is_comparison else _by_response(result)


def _interval_label(result: ResponseResult) -> str:
    return f"% ({percent_level(result.spec.conf_level)} CI)"


def _by_response(result: ResponseResult) -> DisplayTable:
    group = result.overall
    columns = (
        Column("response", "Best overall response"),
        Column("n", "Patients", Format.INTEGER),
        Column("total", "Of", Format.INTEGER),
        Column("share", _interval_label(result), Format.ESTIMATE_PERCENT),
    )
    rows: list[dict[str, Cell]] = []
    members: dict[tuple[int, str], Members] = {}

    def add(label: str, share: Share, counted: Part, of: Part, indent: int = 0) -> None:
        members[len(rows), "n"] = response_members(result, counted)
        members[len(rows), "total"] = response_members(result, of)
        rows.append(
            {
                "response": label,
                "n": None if share.estimate.reason is NotEstimable.NOT_RECORDED else share.count,
                "total": share.total,
                "share": share.estimate,
                "_indent": indent,
            }
        )

    for at, (level, share) in enumerate(zip(result.levels, group.counts, strict=True)):
        add(level, share, at, "all")
    members[len(rows), "n"] = response_members(result, "not_recorded")
    members[len(rows), "total"] = response_members(result, "all")
    rows.append(
        {
            "response": "Not recorded",
            "n": group.n_not_recorded,
            "total": group.n,
            "share": None,
            "_indent": 0,
        }
    )
    for name, attribute in _RATES:
        rows.append({"response": f"{name} ({_members(result, attribute)})", "_heading": True})
        for denominator in _denominators(result.spec):
            rates = group.rates(denominator)
            share = getattr(rates, attribute)
            add(f"of {rates.denominator_name}", share, attribute, denominator, 1)
    table = DisplayTable(_title(result), columns, tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


Rated = Literal["objective_response", "disease_control"]
#: A response by its place among the result's levels, or a set of them.
Part = int | Rated | Denominator | Literal["not_evaluable", "not_recorded"]
_RATES: tuple[tuple[str, Rated], ...] = (
    ("Objective response", "objective_response"),
    ("Disease control", "disease_control"),
)


def response_members(result: ResponseResult, part: Part, group: int | None = None) -> Members:
    """Describe the patients with a response, in one group of the comparison or in all of them."""
    groups = result.groups if group is None else result.groups[group : group + 1]
    names = tuple(one.label for one in groups)
    among = of_group(result.spec.by, names, population=result.spec.population)
    definition = result.definition
    levels: tuple[str | None, ...]
    match part:
        case "all":
            return among
        case "objective_response":
            levels = definition.responders
        case "disease_control":
            levels = tuple(dict.fromkeys((*definition.responders, *definition.controlled)))
        case "evaluable":
            levels = tuple(
                level for level in result.levels if level not in definition.not_evaluable
            )
        case "not_evaluable":
            levels = definition.not_evaluable
        case "not_recorded":
            levels = (None,)
        case at:
            levels = (result.levels[at],)
    return among.and_also(HasLevel(definition.variable, levels))


def _denominators(spec: ResponseSpec) -> tuple[Denominator, ...]:
    """Give the chosen denominator first."""
    return DENOMINATORS if spec.denominator == "all" else DENOMINATORS[::-1]


def _by_group(result: ResponseResult) -> DisplayTable:
    """Give a row a group; the second denominator only where it differs from the first."""
    shown = (*result.groups, result.overall)
    differ = any(group.n_evaluable != group.n for group in shown)
    denominators = _denominators(result.spec) if differ else _denominators(result.spec)[:1]
    spanner = "Best overall response"
    columns = [
        Column("group", result.by_label or "Group"),
        Column("n", "Patients", Format.INTEGER),
        *([Column("evaluable", "Evaluable", Format.INTEGER)] if differ else []),
        *(
            Column(f"level_{i}", level, Format.INTEGER, spanner=spanner)
            for i, level in enumerate(result.levels)
        ),
        Column("not_recorded", "Not recorded", Format.INTEGER, spanner=spanner),
    ]
    for name, attribute in _RATES:
        columns.append(Column(attribute, "n", Format.INTEGER, spanner=name))
        columns += [
            Column(
                f"{attribute}_{denominator}",
                f"% of {_SHORT_NAMES[denominator]} ({percent_level(result.spec.conf_level)} CI)",
                Format.ESTIMATE_PERCENT,
                spanner=name,
            )
            for denominator in denominators
        ]
    rows = []
    members: dict[tuple[int, str], Members] = {}
    for place, group in enumerate(shown):
        parts: dict[str, Part] = {
            "n": "all",
            "evaluable": "evaluable",
            "not_recorded": "not_recorded",
            **{f"level_{i}": i for i in range(len(result.levels))},
            **{attribute: attribute for _, attribute in _RATES},
        }
        at = None if group is result.overall else place
        members.update(
            {(place, key): response_members(result, part, at) for key, part in parts.items()}
        )
        recorded = group.n_not_recorded < group.n or group.n == 0
        row: dict[str, Cell] = {
            "group": "All of these" if group is result.overall else group.label,
            "n": group.n,
            "evaluable": group.n_evaluable,
            "not_recorded": group.n_not_recorded,
        }
        for i, share in enumerate(group.counts):
            row[f"level_{i}"] = share.count if recorded else None
        for _, attribute in _RATES:
            row[attribute] = getattr(group.of_all, attribute).count if recorded else None
            for denominator in denominators:
                share = getattr(group.rates(denominator), attribute)
                row[f"{attribute}_{denominator}"] = share.estimate
        rows.append({column.key: row[column.key] for column in columns})
    table = DisplayTable(_title(result), tuple(columns), tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


def _title(result: ResponseResult) -> str:
    by = by_words(result.by_label)
    return f"Best overall response{by}"


# --- words ---------------------------------------------------------------------------------------


def _members(result: ResponseResult, attribute: str) -> str:
    definition = result.definition
    members = definition.responders
    if attribute == "disease_control":
        members = tuple(dict.fromkeys((*definition.responders, *definition.controlled)))
    return " + ".join(members)


def _footnotes(result: ResponseResult, split: Comparison) -> tuple[str, ...]:
    spec, definition, group = result.spec, result.definition, result.overall
    notes: list[str] = [
        assessment_text(definition),
        f"Objective response: {_members(result, 'objective_response')}. "
        f"Disease control: {_members(result, 'disease_control')}. "
        f"{percent_level(spec.conf_level)} confidence intervals are exact (Clopper-Pearson); "
        "NE as a value, not estimable.",
    ]

    def listed(n: int, part: Part) -> Count:
        return Count(str(n), response_members(result, part))

    notes.append(
        CountedText.of(
            "All patients analysed: ",
            listed(group.n, "all"),
            "; evaluable: ",
            listed(group.n_evaluable, "evaluable"),
            " (",
            listed(group.n_not_evaluable, "not_evaluable"),
            " not evaluable, ",
            listed(group.n_not_recorded, "not_recorded"),
            " not recorded). Among all patients, not evaluable and not recorded count as no "
            "response.",
        )
    )
    if group.n and group.n_not_recorded == group.n:
        notes.append("No response is recorded for these patients, so that there is no rate.")
    if result.unnamed:
        notes.append(
            f"Counted as neither response nor disease control, because the study file doesn't name "
            f"them: {joined(result.unnamed)}."
        )
    notes += split.footnotes(spec.population)
    notes += result.provenance.footnotes
    return tuple(notes)


def assessment_text(definition: ResponseDefinition) -> str:
    """Say how responses were assessed: what the study states, and what it doesn't."""
    parts = [f"by {definition.criteria}" if definition.criteria else "criteria not stated"]
    parts.append(
        {
            True: "responses confirmed",
            False: "responses not confirmed",
            None: "not stated whether responses were confirmed",
        }[definition.confirmed]
    )
    parts.append(
        f"assessed by {definition.assessor}" if definition.assessor else "assessor not stated"
    )
    days = definition.minimum_stable_days
    stable = (
        "shortest stable disease not stated"
        if days is None
        else f"stable disease lasts at least {counted(days, 'day')}"
    )
    first, *others = parts
    comma = " " if definition.criteria else ": "
    return f"Best overall response{comma}{', '.join([first, *others])}; {stable}."


def methods_sentence(result: ResponseResult) -> str:
    """Say how it was done, for the methods section."""
    spec, definition = result.spec, result.definition
    by = by_words(result.by_label)
    criteria = definition.criteria or "criteria that the study file doesn't state"
    return (
        f"Best overall response was assessed by {criteria}. The objective response rate "
        f"({_members(result, 'objective_response')}) and the disease control rate "
        f"({_members(result, 'disease_control')}) are shares of "
        f"{_DENOMINATOR_NAMES[spec.denominator]}{by}, with exact (Clopper-Pearson) "
        f"{percent_level(spec.conf_level)} confidence intervals."
    )


@says_subset
def result_sentences(result: ResponseResult) -> tuple[str, ...]:
    """Say what was found, without causal words; right when nothing is recorded."""
    spec = result.spec
    level = f"{percent_level(spec.conf_level)}"
    out = []
    for group in result.groups:
        who = f"In {group.label}" if result.is_comparison else "In all patients"
        rates = group.rates(spec.denominator)
        first = rates.objective_response.estimate
        if group.n == 0:
            out.append(f"{who}, there are no patients.")
            continue
        if first.value is None:
            reason = REASONS[first.reason] if first.reason else "not estimable"
            if first.reason is NotEstimable.NO_SUBJECTS:
                reason = "no evaluable patients"
            out.append(f"{who}, there is no response rate: {reason}.")
            continue
        seen = joined(
            [
                f"{share.count} {name}"
                for name, share in zip(result.levels, group.counts, strict=True)
                if share.count
            ]
        )
        text = f"{who}, best overall response was {seen or 'not evaluable in any'}"
        if group.n_not_recorded:
            text += f"; it was not recorded for {patients(group.n_not_recorded)}"
        out.append(f"{text}.")
        for name, attribute in _RATES:
            share = getattr(rates, attribute)
            out.append(
                f"{name} was seen in {share.count} of {share.total} {_noun(rates)} "
                f"({format_percent(share.estimate.value)}%; {level} CI "
                f"{format_percent(share.estimate.low)} to "
                f"{format_percent(share.estimate.high)})."
            )
    return tuple(out)


def _noun(rates: ResponseRates) -> str:
    return "evaluable patients" if rates.denominator == "evaluable" else "patients analysed"


# --- rows and R ----------------------------------------------------------------------------------


def result_rows(result: ResponseResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row; rates are proportions, ``term`` names the denominator."""
    spec = result.spec
    base = replace(result.provenance.row(KIND), group_var=spec.by)
    rows: list[ResultRow] = []
    shown = [(group.label if spec.by else None, group) for group in result.groups]
    if spec.by:
        shown.append((None, result.overall))
    for label, group in shown:
        mine = replace(base, group=label, n=group.n)
        rows.append(replace(mine, statistic="n", value=float(group.n), r="yes"))
        for level, share in zip(result.levels, group.counts, strict=True):
            row = replace(mine, statistic="best_overall_response", level=level, r="yes")
            if share.estimate.reason is NotEstimable.NOT_RECORDED:
                row = replace(row, status="not_estimable", reason=share.estimate.reason.value)
            else:
                row = replace(row, value=float(share.count), denominator=share.total)
            rows.append(row)
        for statistic, count in (
            ("n_evaluable", group.n_evaluable),
            ("n_not_evaluable", group.n_not_evaluable),
            ("n_not_recorded", group.n_not_recorded),
        ):
            rows.append(replace(mine, statistic=statistic, value=float(count), r="yes"))
        for denominator in DENOMINATORS:
            rates = group.rates(denominator)
            for name, attribute in (
                ("objective_response_rate", "objective_response"),
                ("disease_control_rate", "disease_control"),
            ):
                share = getattr(rates, attribute)
                recorded = share.estimate.reason is not NotEstimable.NOT_RECORDED
                row = replace(
                    mine,
                    statistic=name,
                    term=denominator,
                    unit="proportion",
                    events=share.count if recorded else None,
                    denominator=share.total,
                    r="yes",
                )
                rows.append(row.of_estimate(share.estimate))
    rows.append(replace(base, statistic="n_not_included", value=float(result.n_unknown_group)))
    return tuple(rows)


def r_code(result: ResponseResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``d`` with ``response`` (NA where not recorded) and ``group``.
    """
    spec, definition = result.spec, result.definition
    controlled = tuple(dict.fromkeys((*definition.responders, *definition.controlled)))
    groups = "split(d, d$group)" if spec.by else "list(d)"
    note = f" by {result.by_label}" if result.by_label else ""
    comment = " ".join(f"Best overall response{note}".split())
    return "\n".join(
        [
            f"# {comment}",
            f"responders <- {r_strings(definition.responders)}",
            f"controlled <- {r_strings(controlled)}",
            f"not_evaluable <- {r_strings(definition.not_evaluable)}",
            f"rate <- function(x, n) binom.test(x, n, conf.level = {spec.conf_level})",
            f"for (g in {groups}) {{",
            '  print(table(g$response, useNA = "ifany"))',
            "  evaluable <- !is.na(g$response) & !(g$response %in% not_evaluable)",
            "  for (n in c(nrow(g), sum(evaluable))) if (n > 0) {",
            "    print(rate(sum(g$response %in% responders), n))",
            "    print(rate(sum(g$response %in% controlled), n))",
            "  }",
            "}",
            f"# the variable is {r_string(result.definition.variable)}",
            "",
        ]
    )
