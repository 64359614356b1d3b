"""What criteria on what happened after time zero do: results beside those of all treated."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from sts_core.analysis.adverse_events import (
    AdverseEventSpec,
    GradeCounts,
    adverse_events,
    line_members,
)
from sts_core.analysis.comparison import patients, percent_level
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.provenance import Provenance, provenance_of
from sts_core.analysis.response import ResponseRates, ResponseSpec, Share, response
from sts_core.cohort import Cohort, FlowStep
from sts_core.criteria import LATE_EFFECT
from sts_core.display import (
    Cell,
    Column,
    CountShare,
    DisplayTable,
    Format,
    counted,
    format_estimate,
    format_number,
    format_percent,
    joined,
    lower_first,
)
from sts_core.estimates import Estimate
from sts_core.findings import StudyError
from sts_core.members import Members
from sts_core.populations import (
    EFFICACY,
    TREATED,
    cohort_of,
    differs,
    has_late_criteria,
    population_named,
)

MainResult = Literal["response", "survival", "safety"]
MAIN_RESULTS: Final[tuple[MainResult, ...]] = ("response", "survival", "safety")


@dataclass(frozen=True, slots=True)
class EffectSpec:
    """What to compute of both populations.

    Parameters
    ----------
    conf_level
        Coverage of intervals.
    results
        Which of the main results; what a sentence does not say need not be computed for it.
    """

    conf_level: float = 0.95
    results: tuple[MainResult, ...] = MAIN_RESULTS


@dataclass(frozen=True, slots=True)
class EndpointMedian:
    """Median of an endpoint in one of the two populations, in its display unit."""

    code: str
    label: str
    unit: str
    n: int
    n_event: int
    median: Estimate


@dataclass(frozen=True, slots=True)
class Side:
    """The main results of one population.

    Attributes
    ----------
    label, n
        Its name, and its patients.
    rates
        Objective response and disease control of all its patients; ``None`` where not recorded,
        or not asked for.
    medians
        Of every confirmed endpoint, in order; empty when not asked for.
    events
        Patients by worst grade of any event; ``None`` where adverse events or their grades are not
        recorded, or not asked for.
    severe_members
        Who had one of grade 3 or higher.
    """

    label: str
    n: int
    rates: ResponseRates | None
    medians: tuple[EndpointMedian, ...]
    events: GradeCounts | None
    severe_members: Members | None = None

    @property
    def severe(self) -> CountShare | None:
        """Patients with an adverse event of grade 3 or higher."""
        if self.events is None:
            return None
        return CountShare(self.events.n_grade_3_4 + self.events.n_grade_5, self.events.n)


@dataclass(frozen=True, slots=True, eq=False)
class SelectionEffect:
    """Results under all criteria, and in all treated patients.

    Attributes
    ----------
    selected, treated
        The two populations.
    late
        Criteria in force that are known only after time zero, with whom they remove.
    event_label
        What the events are ("Any treatment-related adverse event").
    provenance
        Of the patients that all criteria leave.
    treated_takes
        Which criteria apply to all treated, in words.
    """

    selected: Side
    treated: Side
    late: tuple[FlowStep, ...]
    event_label: str
    conf_level: float
    provenance: Provenance
    treated_takes: str = "the criteria known at time zero only"

    @property
    def n_removed(self) -> int:
        """Treated patients whom the criteria known only later remove."""
        return self.treated.n - self.selected.n


def selection_effect(cohort: Cohort, spec: EffectSpec) -> SelectionEffect:
    """Compute the main results under all criteria, and under those known at time zero only.

    Parameters
    ----------
    cohort
        Patients with their criteria; filters apply to both sides.
    spec
        What to compute.

    Returns
    -------
    SelectionEffect
        What is not recorded or can't be computed is ``None``; nothing is raised for it.
    """
    sides = {key: _side(cohort, key, spec) for key in (EFFICACY, TREATED)}
    (selected, label), (treated, _) = sides[EFFICACY], sides[TREATED]
    whole = cohort_of(cohort, EFFICACY)
    return SelectionEffect(
        selected=selected,
        treated=treated,
        late=tuple(step for step in whole.flow.steps if step.after_time_zero),
        event_label=label,
        conf_level=spec.conf_level,
        provenance=provenance_of(whole),
        treated_takes=(
            "as the study defines this population"
            if TREATED in cohort.study.analysis.populations
            else "the criteria known at time zero only"
        ),
    )


def _side(cohort: Cohort, key: str, spec: EffectSpec) -> tuple[Side, str]:
    study = cohort.study
    one = cohort_of(cohort, key)
    rates = None
    if "response" in spec.results and study.definitions.response is not None:
        with suppress(StudyError):  # what is wrong stands on the page of response
            rates = response(one, ResponseSpec(conf_level=spec.conf_level)).overall.of_all
    medians = []
    endpoints = study.definitions.endpoints if "survival" in spec.results else {}
    for code, endpoint in endpoints.items():
        if not endpoint.is_confirmed:
            continue
        try:
            found = kaplan_meier(one, KaplanMeierSpec(code, conf_level=spec.conf_level))
        except StudyError:
            continue  # and that of an endpoint on the Data page
        medians.append(
            EndpointMedian(
                code, endpoint.label, found.display_unit.value, found.overall.n,
                found.overall.n_event, found.overall.median.scaled(found.unit_factor),
            )
        )  # fmt: skip
    events, label, members = None, "", None
    if "safety" in spec.results and study.definitions.adverse_events is not None:
        with suppress(StudyError):
            table = adverse_events(one, AdverseEventSpec(population=key))
            if table.has_grades:
                events, label = table.any_event.overall, table.any_event.label
                members = line_members(table, table.any_event, grades=(3, 4, 5))
    name = population_named(study, key).label
    if key == EFFICACY and not differs(study, key):
        name = "All criteria"
    return Side(name, one.n, rates, tuple(medians), events, members), label


def effect_table(result: SelectionEffect) -> DisplayTable:
    """Give both sides in columns."""
    level = percent_level(result.conf_level)
    sides = (("selected", result.selected), ("treated", result.treated))
    rows: list[dict[str, Cell]] = []
    members = {
        (0, "selected"): Members(population=EFFICACY),
        (0, "treated"): Members(population=TREATED),
    }

    def add(what: str, cells: dict[str, Cell]) -> None:
        rows.append({"what": what, **cells})

    add("Patients", {key: str(side.n) for key, side in sides})
    for what, name in (
        ("Objective response rate", "objective_response"),
        ("Disease control rate", "disease_control"),
    ):
        if any(side.rates is not None for _, side in sides):
            add(
                f"{what}, % ({level} CI)",
                {
                    key: getattr(side.rates, name).estimate.scaled(0.01) if side.rates else None
                    for key, side in sides
                },
            )
    codes = dict.fromkeys(item.code for _, side in sides for item in side.medians)
    for code in codes:
        found = {key: _median(side, code) for key, side in sides}
        first = next(item for item in found.values() if item is not None)
        what = f"Median {lower_first(first.label)}, {first.unit} ({level} CI)"
        add(what, {key: item.median if item else None for key, item in found.items()})
    if any(side.events is not None for _, side in sides):
        members |= {
            (len(rows), key): side.severe_members
            for key, side in sides
            if side.severe_members is not None
        }
        what = f"{result.event_label}, grade 3 or higher, patients (%)"
        add(what, {key: side.severe for key, side in sides})
    table = DisplayTable(
        "With and without the criteria known only after time zero",
        (
            Column("what", ""),
            Column("selected", result.selected.label, Format.ESTIMATE),
            Column("treated", result.treated.label, Format.ESTIMATE),
        ),
        tuple(rows),
        (
            f"{result.treated.label}: {result.treated_takes}.",
            *result.provenance.footnotes,
        ),
        members,
    )
    return result.provenance.marked(table)


def _median(side: Side, code: str) -> EndpointMedian | None:
    return next((item for item in side.medians if item.code == code), None)


def _lead(result: SelectionEffect) -> str:
    takes = result.treated_takes.removeprefix("the ")
    return f"In all treated patients ({takes}, n = {result.treated.n})"


def _rate(share: Share, level: str) -> str:
    if share.estimate.value is None:
        return "not estimable"
    low, high = (format_percent(limit) for limit in (share.estimate.low, share.estimate.high))
    return (
        f"{format_percent(share.estimate.value)}% "
        f"({share.count} of {share.total}; {level} CI {low} to {high}%)"
    )


def response_sentence(result: SelectionEffect) -> str:
    """Say what the rates are in all treated patients; empty where response isn't recorded."""
    rates, level = result.treated.rates, percent_level(result.conf_level)
    if rates is None:
        return ""
    return (
        f"{_lead(result)}: ORR {_rate(rates.objective_response, level)}, "
        f"DCR {_rate(rates.disease_control, level)}."
    )


def survival_sentence(result: SelectionEffect, code: str) -> str:
    """Say what the median of an endpoint is in all treated patients; empty for an unknown one."""
    found, level = _median(result.treated, code), percent_level(result.conf_level)
    if found is None:
        return ""
    median = found.median
    value = format_estimate(median, interval=False)
    value = {"NR": "not reached", "NE": "not estimable"}.get(value, f"{value} {found.unit}")
    low, high = (
        "NE" if limit is None else format_number(limit) for limit in (median.low, median.high)
    )
    return (
        f"{_lead(result)}: median {lower_first(found.label)} {value} ({level} CI {low} to {high}; "
        f"{counted(found.n_event, 'event')} in {patients(found.n)})."
    )


def safety_sentence(result: SelectionEffect) -> str:
    """Say how many of all treated had a severe event; empty where grades are not recorded."""
    severe = result.treated.severe
    if severe is None:
        return ""
    share = format_percent(severe.count / severe.total) if severe.total else "NE"
    return (
        f"{_lead(result)}: {lower_first(result.event_label)} of grade 3 or higher in "
        f"{severe.count} of {severe.total} ({share}%)."
    )


def criteria_methods(cohort: Cohort) -> str:
    """Say in one sentence or two how patients were selected; empty without criteria."""
    steps = [step for step in cohort.flow.steps if not step.exploratory]
    if not steps:
        return ""
    listed = "; ".join(lower_first(step.label) for step in steps)
    text = f"Patients were selected by these criteria, in this order: {listed}."
    kept = sum(step.n_not_verifiable for step in steps)
    if kept:
        text += (
            " Patients of whom a criterion could not be verified stayed in where nothing else was "
            "stated."
        )
    if has_late_criteria(cohort.study):
        late = [step for step in steps if step.after_time_zero]
        if late:
            names = joined([lower_first(step.label) for step in late])
            text += (
                f" Known only after time zero: {names}. Leaving these patients out {LATE_EFFECT}; "
                "results of all treated patients are therefore given beside."
            )
    return text
