"""Two sets of patients side by side: those analysed, and the whole file or a saved set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.adverse_events import (
    ANY_EVENT,
    AdverseEventSpec,
    GradeCounts,
    adverse_events,
)
from sts_core.analysis.baseline import BaselineSpec, Characteristic, NumberSummary, baseline
from sts_core.analysis.comparison import patients, patients_listed, percent_level, r_string
from sts_core.analysis.conventions import convention_of
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.provenance import Provenance, provenance_of, says_subset
from sts_core.analysis.response import (
    ResponseRates,
    ResponseSpec,
    Share,
    response,
    response_members,
)
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.derive import endpoints_here, numbers_of
from sts_core.display import (
    Cell,
    Column,
    CountShare,
    DisplayTable,
    Format,
    Spread,
    format_estimate,
    format_percent,
    joined,
    lower_first,
)
from sts_core.estimates import Estimate
from sts_core.estimators.group_tests import (
    mean_difference_standardised,
    share_difference_standardised,
)
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.members import (
    HEADING,
    Condition,
    Count,
    CountedText,
    HadEvent,
    HasLevel,
    HasTime,
    HasValue,
    InSet,
    Members,
    OtherSet,
)
from sts_core.populations import SAFETY
from sts_core.results import ResultRow
from sts_core.study.types import Criterion, Study

KIND: Final = "set_comparison"
THIS, FILE = "This cohort", "Whole file"
_T = TypeVar("_T")


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class SetComparisonSpec:
    """What the patients analysed are compared with.

    Parameters
    ----------
    against
        Name of a saved set of the study file; everybody in the file when ``None``.
    variables
        Characteristics that are described, in order.
    conf_level
        Coverage of intervals.
    """

    against: str | None = None
    variables: tuple[str, ...] = ()
    conf_level: float = 0.95
    kind: Literal["set_comparison"] = KIND


@dataclass(frozen=True, slots=True)
class SetOfPatients:
    """One of the two sets.

    Attributes
    ----------
    label
        Its name.
    n
        Patients.
    rests_on
        The criteria and filters that made it, as phrases.
    characteristics
        In the order of the spec.
    response
        Rates of all its patients; ``None`` where response is not recorded.
    medians
        Patients, events and median by endpoint, in the endpoint's display unit.
    grades
        Patients by worst grade of any adverse event; ``None`` where grades are not recorded.
    members
        Who they are.
    with_response
        Who has an objective response, and whose disease is controlled.
    """

    label: str
    n: int
    rests_on: tuple[str, ...]
    characteristics: tuple[Characteristic, ...]
    response: ResponseRates | None
    medians: dict[str, tuple[int, int, Estimate]]
    grades: GradeCounts | None
    members: Members
    with_response: tuple[Members, Members]


@dataclass(frozen=True, slots=True, eq=False)
class SetComparisonResult:
    """Both sets, and how far they are the same patients.

    Attributes
    ----------
    sets
        The patients analysed, and the others.
    n_both
        Patients in both.
    endpoints
        Code of each endpoint -> its name and unit.
    conf_type
        Scale of the intervals of medians.
    differences
        Standardised difference of each characteristic; empty unless the sets share no patient.
    """

    spec: SetComparisonSpec
    sets: tuple[SetOfPatients, SetOfPatients]
    n_both: int
    endpoints: dict[str, tuple[str, str]]
    conf_type: str
    differences: dict[str, float | None]
    provenance: Provenance
    footnotes: tuple[str, ...]

    @property
    def are_disjoint(self) -> bool:
        """Whether no patient is in both."""
        return self.n_both == 0


def saved_set(study: Study, name: str) -> tuple[Criterion, ...]:
    """Give the criteria of a saved set.

    Raises
    ------
    StudyError
        When the study has none of this name.
    """
    known = study.analysis.saved_sets
    if name not in known:
        raise StudyError(
            Finding(
                FindingCode.STUDY_FILE_INVALID,
                Severity.ERROR,
                f"There is no saved set “{name}” (known: {', '.join(known) or 'none'}).",
                "Save it on the Cohort page, or compare with the whole file.",
            )
        )
    return known[name]


def cohort_of_set(cohort: Cohort, name: str | None) -> Cohort:
    """Give the patients of a saved set, or with ``None`` everybody in the file.

    Raises
    ------
    StudyError
        When there is no such set, or a column of a criterion isn't there.
    """
    study = cohort.study
    criteria = () if name is None else saved_set(study, name)

    def make() -> Cohort:
        other = replace(study, analysis=replace(study.analysis, criteria=criteria, filters=()))
        return apply_criteria(cohort, other)

    return cohort.kept(("other set", repr(criteria)), make)


def set_comparison(cohort: Cohort, spec: SetComparisonSpec) -> SetComparisonResult:
    """Describe the patients analysed and another set of the same file side by side.

    Parameters
    ----------
    cohort
        The patients analysed, with the whole file behind them.
    spec
        What they are compared with.

    Returns
    -------
    SetComparisonResult
        Nothing is tested. Standardised differences are given only where no patient is in both
        sets; else the sets are not independent.

    Raises
    ------
    StudyError
        When there is no such saved set, or a variable or a column of a criterion isn't there.
    """
    study = cohort.study
    other = cohort_of_set(cohort, spec.against)
    label = FILE if spec.against is None else spec.against
    if label == THIS:
        label = f"{THIS}, as saved"
    differences = {}
    if not (cohort.included & other.included).any():
        differences = {key: _difference(cohort, other, key, spec) for key in spec.variables}
    result = SetComparisonResult(
        spec=spec,
        sets=(
            _described(cohort, THIS, spec, Members()),
            _described(other, label, spec, Members(other_set=OtherSet(spec.against))),
        ),
        n_both=int((cohort.included & other.included).sum()),
        endpoints={
            code: (endpoint.label, endpoint.display_unit.value)
            for code, endpoint in endpoints_here(cohort).items()
        },
        conf_type=study.analysis.conf_type or convention_of(study).conf_type,
        differences=differences,
        provenance=provenance_of(cohort),
        footnotes=(),
    )
    return replace(result, footnotes=_footnotes(result))


def _described(
    cohort: Cohort, label: str, spec: SetComparisonSpec, members: Members
) -> SetOfPatients:
    described = baseline(cohort, BaselineSpec(variables=spec.variables, numbers="median"))
    medians = {}
    for code in endpoints_here(cohort):
        curve = kaplan_meier(cohort, KaplanMeierSpec(endpoint=code, conf_level=spec.conf_level))
        overall = curve.overall
        medians[code] = (overall.n, overall.n_event, overall.median.scaled(curve.unit_factor))
    # adverse events of this very set, not of the study's safety population
    treated = cohort.as_population(SAFETY, cohort.included, cohort.flow)
    definitions = cohort.study.definitions
    rates = _or_none(lambda: response(cohort, ResponseSpec(conf_level=spec.conf_level)))
    events = _or_none(lambda: adverse_events(treated, AdverseEventSpec(related_only=False)))
    with_response = (members, members)
    if rates is not None:
        objective, controlled = (
            members.and_also(*response_members(rates, part).conditions)
            for part in ("objective_response", "disease_control")
        )
        with_response = (objective, controlled)
    return SetOfPatients(
        label=label,
        n=cohort.n,
        rests_on=tuple(step.label for step in cohort.flow.steps),
        characteristics=described.characteristics,
        response=rates.overall.of_all if definitions.response is not None and rates else None,
        medians=medians,
        grades=events.any_event.overall if events is not None and events.has_grades else None,
        members=members,
        with_response=with_response,
    )


def _or_none(compute: Callable[[], _T]) -> _T | None:
    """Give what can be computed; what is not recorded, or not as stated, has its own page."""
    try:
        return compute()
    except StudyError:
        return None


def _difference(cohort: Cohort, other: Cohort, key: str, spec: SetComparisonSpec) -> float | None:
    one, two = (
        baseline(each, BaselineSpec(variables=(key,), numbers="median")).characteristics[0]
        for each in (cohort, other)
    )
    if one.is_number:
        values = numbers_of(cohort, key).values
        groups = [values[each.included] for each in (cohort, other)]
        return mean_difference_standardised([group[np.isfinite(group)] for group in groups])
    counts = [[mine[0], yours[0]] for mine, yours in zip(one.counts, two.counts, strict=True)]
    return share_difference_standardised(np.array(counts, dtype=np.int64).reshape(-1, 2))


# --- table ---------------------------------------------------------------------------------------


def set_table(result: SetComparisonResult) -> DisplayTable:
    """Give both sets side by side: characteristics, response, medians, grade 3 or more."""
    columns = [Column("what", "")]
    columns += [
        Column(f"set_{at}", f"{one.label} (N = {one.n})", Format.SUMMARY)
        for at, one in enumerate(result.sets)
    ]
    if result.differences:
        columns.append(Column("difference", "Standardised difference", Format.NUMBER, decimals=2))
    rows: list[dict[str, Cell]] = []
    members = {(HEADING, f"set_{at}"): one.members for at, one in enumerate(result.sets)}

    def add(what: str, cells: tuple[Cell, Cell], *counted: Condition) -> None:
        """Add a row; of counts ``counted`` says of whom."""
        if counted:
            for at, one in enumerate(result.sets):
                members[len(rows), f"set_{at}"] = one.members.and_also(*counted)
        rows.append({"what": what, "set_0": cells[0], "set_1": cells[1], "_indent": 1})

    first, second = result.sets
    for mine, yours in zip(first.characteristics, second.characteristics, strict=True):
        unit = f", {mine.unit}" if mine.unit else ""
        difference = result.differences.get(mine.key)
        rows.append({"what": f"{mine.label}{unit}", "_heading": True, "difference": difference})
        if mine.is_number:
            decimals = max(mine.decimals, yours.decimals)
            add(
                "Median (quartiles)",
                (_spread(mine.numbers[0], decimals), _spread(yours.numbers[0], decimals)),
            )
        for at, level in enumerate(mine.levels):
            add(level, (_count(mine, at), _count(yours, at)), HasLevel(mine.key, (level,)))
        if mine.n_missing[0] or yours.n_missing[0]:
            add(
                "Not known",
                (mine.n_missing[0], yours.n_missing[0]),
                HasValue(mine.key, known=False),
            )
    if first.response is not None and second.response is not None:
        rows.append({"what": "Best overall response", "_heading": True})
        for place, (name, ours, theirs) in enumerate(
            (
                (
                    "Objective response",
                    first.response.objective_response,
                    second.response.objective_response,
                ),
                (
                    "Disease control",
                    first.response.disease_control,
                    second.response.disease_control,
                ),
            )
        ):
            for at, one in enumerate(result.sets):
                members[len(rows), f"set_{at}"] = one.with_response[place]
            add(name, (_share(ours), _share(theirs)))
            level = percent_level(result.spec.conf_level)
            add(f"{name}, {level} CI in %", (_limits(ours), _limits(theirs)))
    for code, (label, unit) in result.endpoints.items():
        rows.append({"what": label, "_heading": True})
        pairs = (first.medians[code], second.medians[code])
        level = percent_level(result.spec.conf_level)
        add(f"Median, {unit} ({level} CI)", (pairs[0][2], pairs[1][2]))
        add("Events", (_events(pairs[0]), _events(pairs[1])), HasTime(code, "event"))
    if first.grades is not None and second.grades is not None:
        rows.append({"what": "Adverse events, whatever the cause", "_heading": True})
        add(
            "Grade 3 or more",
            (_severe(first.grades), _severe(second.grades)),
            HadEvent(ANY_EVENT, grades=(3, 4, 5)),
        )
    title = f"{first.label} beside {_called(second)}"
    table = DisplayTable(title, tuple(columns), tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


def _spread(numbers: NumberSummary, decimals: int) -> Cell:
    return Spread(
        numbers.median, numbers.quartile_25, numbers.quartile_75, decimals=decimals,
        open_from=numbers.open_from,
    )  # fmt: skip


def _count(item: Characteristic, at: int) -> CountShare:
    return CountShare(item.counts[at][0], item.known[at][0])


def _share(share: Share) -> Cell:
    return CountShare(share.count, share.total) if share.estimate.is_estimable else "NE"


def _limits(share: Share) -> str:
    estimate = share.estimate
    if not estimate.is_estimable:
        return "NE"
    return f"{format_percent(estimate.low)} to {format_percent(estimate.high)}"


def _events(median: tuple[int, int, Estimate]) -> CountShare:
    return CountShare(median[1], median[0])


def _n_severe(grades: GradeCounts) -> int:
    return sum(grades.by_grade[2:])


def _severe(grades: GradeCounts) -> CountShare:
    return CountShare(_n_severe(grades), grades.n)


# --- words ---------------------------------------------------------------------------------------


def _overlap(result: SetComparisonResult) -> str:
    first, second = result.sets
    only = [one.n - result.n_both for one in result.sets]
    other = OtherSet(result.spec.against)
    in_second, not_in_first = InSet(other), InSet(inside=False)
    return CountedText.of(
        patients_listed(result.n_both, Members((in_second,))),
        " in both sets, ",
        Count(str(only[0]), Members((InSet(other, inside=False),))),
        f" only in {_called(first)}, ",
        Count(str(only[1]), Members((in_second, not_in_first), "file")),
        f" only in {_called(second)}.",
    )


def _called(one: SetOfPatients) -> str:
    """Name a set inside a sentence."""
    return {THIS: "this cohort", FILE: "the whole file"}.get(one.label, f"“{one.label}”")


def _footnotes(result: SetComparisonResult) -> tuple[str, ...]:
    first, second = result.sets
    notes = [
        "Patients, n (%); percentages are of those of whom the characteristic is known.",
        _overlap(result),
    ]
    if result.are_disjoint:
        if result.differences:
            notes.append(
                "Standardised difference: of means over the pooled standard deviation; of levels, "
                "Yang and Dalton's. Nothing is tested."
            )
    else:
        notes.append(
            "The sets share patients and are not independent: nothing is tested, and no "
            "standardised difference is given."
        )
    if first.response is not None:
        notes.append("Response rates are of all patients of a set, with exact intervals.")
    notes += [
        f"{one.label}: {'; '.join(one.rests_on) or 'no criteria'}." for one in (first, second)
    ]
    if first.grades is not None:
        notes.append("Adverse events are those of the patients of each set.")
    return (*notes, *result.provenance.footnotes)


def methods_sentence(result: SetComparisonResult) -> str:
    """Say how it was done, for the methods section."""
    text = (
        f"The patients analysed were described beside {_named(result.sets[1])}, by their baseline "
        "characteristics, response, medians of endpoints and adverse events"
    )
    if not result.are_disjoint:
        return f"{text}; as the sets share patients, they were not tested against each other."
    if result.differences:
        text += ", with standardised differences"
    return f"{text}; nothing was tested."


def _named(one: SetOfPatients) -> str:
    return "all patients in the file" if one.label == FILE else f"the set “{one.label}”"


@says_subset
def result_sentences(result: SetComparisonResult) -> tuple[str, ...]:
    """Say what was found: size, overlap, response and medians of both."""
    first, second = result.sets
    out = [
        f"{first.label}: {patients(first.n)}; {_called(second)}: {patients(second.n)}.",
        _overlap(result),
    ]
    if first.response is not None and second.response is not None:
        rates = [
            f"{format_percent(share.estimate.value)}%" if share.estimate.is_estimable else "NE"
            for share in (first.response.objective_response, second.response.objective_response)
        ]
        out.append(f"Objective response was seen in {joined(rates)}, in this order.")
    for code, (label, unit) in result.endpoints.items():
        found = joined([format_estimate(one.medians[code][2]) for one in result.sets])
        out.append(f"Median {lower_first(label)}, {unit}: {found}, in this order.")
    return tuple(out)


# --- rows and R ----------------------------------------------------------------------------------


def result_rows(result: SetComparisonResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row; ``group`` is the name of the set."""
    base = result.provenance.row(KIND)
    rows = [replace(base, statistic="n_in_both", value=float(result.n_both))]
    rows += [
        replace(
            base, statistic="standardised_difference", term=key, value=value,
            status="estimated" if value is not None else "not_estimable",
            reason=None if value is not None else "no_variation", r="formula",
        )
        for key, value in result.differences.items()
    ]  # fmt: skip
    for one in result.sets:
        mine = replace(base, group=one.label, n=one.n, r="yes")
        rows.append(replace(mine, statistic="n", value=float(one.n)))
        for item in one.characteristics:
            rows += _characteristic_rows(replace(mine, term=item.key), item)
        if one.response is not None:
            for statistic, share in (
                ("objective_response_rate", one.response.objective_response),
                ("disease_control_rate", one.response.disease_control),
            ):
                row = replace(
                    mine, statistic=statistic, unit="proportion", events=share.count,
                    denominator=share.total,
                )  # fmt: skip
                rows.append(row.of_estimate(share.estimate))
        for code, (n, n_event, median) in one.medians.items():
            row = replace(
                mine, statistic="median", endpoint=code, unit=result.endpoints[code][1], n=n,
                events=n_event,
            )  # fmt: skip
            rows.append(row.of_estimate(median))
        if one.grades is not None:
            rows.append(
                replace(
                    mine, statistic="n_grade_3_5", value=float(_n_severe(one.grades)),
                    denominator=one.grades.n,
                )
            )  # fmt: skip
    return tuple(rows)


def _characteristic_rows(base: ResultRow, item: Characteristic) -> list[ResultRow]:
    rows = [replace(base, statistic="n_missing", value=float(item.n_missing[0]))]
    rows += [
        replace(
            base, statistic="count", level=level, value=float(item.counts[at][0]),
            denominator=item.known[at][0],
        )
        for at, level in enumerate(item.levels)
    ]  # fmt: skip
    for numbers in item.numbers[:1]:
        for statistic in ("median", "quartile_25", "quartile_75"):
            value: float | None = getattr(numbers, statistic)
            rows.append(
                replace(
                    base, statistic=statistic, value=value, unit=item.unit,
                    status="estimated" if value is not None else "not_estimable",
                    reason=None if value is not None else "no_subjects",
                    r="none" if value is not None and value == numbers.open_from else base.r,
                )
            )  # fmt: skip
    return rows


def r_code(result: SetComparisonResult) -> str:
    """Give R code for the same numbers.

    The code expects data frames ``a`` and ``b``, the two sets, with a column a characteristic,
    ``responder`` and ``controlled`` (TRUE, FALSE), and for each endpoint its time and event.
    """
    level = result.spec.conf_level
    lines = [f"# {' '.join(f'{one.label}: {one.n} patients.' for one in result.sets)}"]
    lines = [" ".join(line.split()) for line in lines]
    lines += ["library(survival)", "for (d in list(a, b)) {"]
    for item in result.sets[0].characteristics:
        column = f"d[[{r_string(item.key)}]]"
        lines.append(
            f"  print(quantile({column}, c(.25, .5, .75), na.rm = TRUE))"
            if item.is_number
            else f'  print(table({column}, useNA = "ifany"))'
        )
    if result.sets[0].response is not None:
        for column in ("responder", "controlled"):
            lines.append(f"  print(binom.test(sum(d${column}), nrow(d), conf.level = {level}))")
    for code in result.endpoints:
        time, event = (f"d[[{r_string(f'{code}_{part}')}]]" for part in ("time", "event"))
        lines.append(
            f"  print(survfit(Surv({time}, {event}) ~ 1, conf.int = {level}, "
            f"conf.type = {r_string(result.conf_type)}))"
        )
    return "\n".join([*lines, "}"])
