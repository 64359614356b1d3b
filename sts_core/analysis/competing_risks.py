"""Cumulative incidence of one kind of event where others compete, with its comparisons."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import (
    by_words,
    groups_in_words,
    p_cell,
    patients,
    patients_listed,
    percent_level,
    r_string,
    r_strings,
)
from sts_core.analysis.conventions import survival_methods
from sts_core.analysis.cox import encode_covariate
from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.curve_reading import (
    DEFAULT_LANDMARKS,
    Rate,
    axis_ticks,
    chosen_time,
    few_at_risk_from,
    rates_at,
)
from sts_core.analysis.followed import FollowedResult, emptied_note, follow, kinds_of
from sts_core.analysis.landmark import (
    refuse_covariates_known_later,
)
from sts_core.analysis.provenance import provenance_of, says_subset
from sts_core.analysis.subdistribution import FineGrayModel, subdistribution_model
from sts_core.cohort import Cohort
from sts_core.derive import rule_sentences
from sts_core.display import (
    REASONS,
    Cell,
    Column,
    DisplayTable,
    Format,
    counted,
    format_estimate,
    format_number,
    joined,
    lower_first,
)
from sts_core.estimates import (
    Estimate,
    NotEstimable,
    TestResult,
    not_estimable,
)
from sts_core.estimators.cumulative_incidence import (
    competing_counts,
    cumulative_incidence,
    incidence_at,
    incidence_limits,
)
from sts_core.estimators.gray_test import NAME as GRAY
from sts_core.estimators.gray_test import gray_test
from sts_core.estimators.product_limit import ConfType
from sts_core.members import (
    AnyHolds,
    Count,
    CountedText,
    HasLevel,
    HasTime,
    HasValue,
    Members,
    TimeState,
    of_group,
)
from sts_core.results import ResultRow
from sts_core.study.types import TimeUnit

KIND: Final = "competing_risks"
FEW_EVENTS_PER_PARAMETER: Final = 10.0


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class CompetingRisksSpec:
    """What to estimate.

    Parameters
    ----------
    endpoint
        Code of an endpoint with at least two kinds of event; the first event counts.
    event_kind
        Kind of event of interest; all other kinds compete. The endpoint's first when ``None``.
    by
        Key of a variable or a grouping; everyone together when ``None``.
    levels
        Groups of this comparison, in any order; all when ``None``.
    conf_level, conf_type
        Coverage of intervals, and the scale on which they are symmetric; that of the study, else
        of its convention, when ``None``.
    landmarks
        Times at which the incidence is read, in the display unit; the unit's usual ones when
        ``None``, none when empty.
    tick_step, horizon
        Distance of the axis ticks and end of the axis, in the display unit; chosen when ``None``.
    covariates
        Keys of variables in the Fine-Gray regression besides ``by``.
    time_unit
        Display unit in place of the endpoint's.
    stacked
        Draw the incidences of all kinds on top of each other.
    drawing
        How the figure is drawn.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    """

    endpoint: str
    event_kind: str | None = None
    by: str | None = None
    levels: tuple[str, ...] | None = None
    conf_level: float = 0.95
    conf_type: Literal["log-log", "log", "plain", "logit", "arcsin"] | None = None
    landmarks: tuple[float, ...] | None = None
    tick_step: float | None = None
    horizon: float | None = None
    covariates: tuple[str, ...] = ()
    time_unit: TimeUnit | None = None
    stacked: bool = False
    drawing: CurveOptions = CurveOptions()
    population: str | None = None
    kind: Literal["competing_risks"] = KIND

    def __post_init__(self) -> None:
        if not 0 < self.conf_level < 1:
            raise ValueError(f"conf_level must lie in (0, 1), but was {self.conf_level}")
        for name in ("tick_step", "horizon"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be above 0, but was {value}")
        for mark in self.landmarks or ():
            if not 0 <= mark < math.inf:
                raise ValueError(f"landmarks must be finite and not below 0, but one was {mark}")
        if len(set(self.covariates)) < len(self.covariates):
            raise ValueError(f"covariates must differ, but were {', '.join(self.covariates)}")


@dataclass(frozen=True, slots=True, eq=False)
class KindIncidence:
    """One kind of event in one group.

    Attributes
    ----------
    kind
        Name of the kind in the study file.
    n_event
        Patients whose first event is of this kind.
    estimate, std_error, conf_low, conf_high
        At each time of the group.
    rates
        At the landmarks.
    """

    kind: str
    n_event: int
    estimate: np.ndarray
    std_error: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class CompetingRiskCounts:
    """At each tick: at risk n(T >= t); events of interest, competing and censored n(T < t).

    The four sum to all patients, but for those who have not entered yet.
    """

    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    competing: tuple[int, ...]
    censored: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class IncidenceGroup:
    """One group with what is read from its curves; times in the raw unit.

    Attributes
    ----------
    label, slot
        Level of the grouping, and its colour slot.
    n, n_competing
        Patients, and those whose first event is of a competing kind.
    time, n_risk, n_censor
        At each distinct time.
    interest, others
        The kind of interest, and those that compete with it.
    event_free
        Probability of no event of any kind at each time.
    risk
        Counts under the figure.
    """

    label: str
    slot: int | None
    n: int
    n_competing: int
    time: np.ndarray
    n_risk: np.ndarray
    n_censor: np.ndarray
    event_free: np.ndarray
    interest: KindIncidence
    others: tuple[KindIncidence, ...]
    max_time: float
    risk: CompetingRiskCounts

    @property
    def kinds(self) -> tuple[KindIncidence, ...]:
        """All kinds of event, the one of interest first."""
        return (self.interest, *self.others)

    @property
    def unreliable_from(self) -> float | None:
        """Time after which fewer than max(5, 10 %) are at risk; ``None`` when that never is."""
        return few_at_risk_from(self.time, self.n_risk, self.n)


@dataclass(frozen=True, slots=True, eq=False)
class CompetingRisksResult(FollowedResult):
    """Cumulative incidences and their comparison.

    Attributes
    ----------
    kinds
        Every kind of event that the endpoint names.
    event_kind
        The one of interest.
    conf_type
        Scale of the intervals.
    tests
        Gray's test of each kind, the one of interest first; empty without a comparison.
    model
        Fine-Gray regression; ``None`` without groups and covariates.
    reason
        Why nothing is estimated.
    """

    spec: CompetingRisksSpec
    kinds: tuple[str, ...]
    event_kind: str
    conf_type: ConfType
    ticks: tuple[float, ...]
    landmarks: tuple[float, ...]
    overall: IncidenceGroup
    groups: tuple[IncidenceGroup, ...]
    tests: tuple[tuple[str, TestResult], ...]
    model: FineGrayModel | None
    footnotes: tuple[str, ...]
    reason: NotEstimable | None = None

    @property
    def gray(self) -> TestResult | None:
        """Gray's test of the kind of interest."""
        return self.tests[0][1] if self.tests else None

    @property
    def competing_kinds(self) -> tuple[str, ...]:
        """The kinds that compete."""
        return tuple(kind for kind in self.kinds if kind != self.event_kind)


def competing_risks(cohort: Cohort, spec: CompetingRisksSpec) -> CompetingRisksResult:
    """Estimate the cumulative incidence of one kind of event where others compete with it.

    Parameters
    ----------
    cohort
        Patients with their endpoint; those without a usable time are counted in ``losses``.
    spec
        What to estimate.

    Returns
    -------
    CompetingRisksResult
        Nothing is estimable (``ONE_KIND``) where the endpoint names a single kind of event. A kind
        that the endpoint does not name is taken for its first.

    Raises
    ------
    StudyError
        When a variable isn't there, and for groups and covariates known only after time zero.
    KeyError
        When the study has no such endpoint.

    References
    ----------
    .. [1] Aalen and Johansen, Scand J Stat 5 (1978) 141-150.
    .. [2] Gray, Ann Stat 16 (1988) 1141-1154.
    .. [3] Fine and Gray, J Am Stat Assoc 94 (1999) 496-509; with late entry Geskus, Biometrics 67
       (2011) 39-49.
    """
    followed = follow(cohort, spec)
    cohort, data, endpoint = followed.cohort, followed.data, followed.endpoint
    levels, chosen, codes, used = followed.levels, followed.chosen, followed.codes, followed.used
    refuse_covariates_known_later(cohort, spec.covariates)
    time, entry = data.time, data.entry
    kinds = kinds_of(endpoint)
    interest = spec.event_kind if spec.event_kind in kinds else kinds[0]
    ordered = (interest, *(kind for kind in kinds if kind != interest))
    number_of: dict[str | None, int] = {
        None: 0, **{kind: i for i, kind in enumerate(ordered, start=1)},
    }  # fmt: skip
    cause = np.array([number_of[kind] for kind in data.kind.tolist()], dtype=np.int64)
    unit, display_unit, factor = endpoint.raw_unit, endpoint.display_unit, endpoint.display_factor
    conf_type = survival_methods(cohort.study, conf_type=spec.conf_type).conf_type
    horizon = spec.horizon or (float(time[used].max()) / factor if used.any() else 1.0)
    ticks = axis_ticks(horizon, display_unit, spec.tick_step, cut=spec.horizon is not None)
    landmarks = DEFAULT_LANDMARKS[display_unit] if spec.landmarks is None else spec.landmarks
    reason = NotEstimable.ONE_KIND if len(kinds) < 2 else None
    read = _Reading(ordered, spec.conf_level, conf_type, ticks, landmarks, factor, reason)

    def one_group(mask: np.ndarray, label: str, slot: int | None) -> IncidenceGroup:
        return read.group(
            time[mask], cause[mask], None if entry is None else entry[mask], label, slot
        )

    overall = one_group(used, "All patients", 0)
    groups: tuple[IncidenceGroup, ...] = (overall,)
    tests: tuple[tuple[str, TestResult], ...] = ()
    if levels is not None:
        groups = tuple(
            one_group(codes == i, level, levels.slots[level]) for i, level in enumerate(chosen)
        )
        why = reason or (NotEstimable.DELAYED_ENTRY if entry is not None else None)
        tests = tuple(
            (
                kind,
                TestResult(GRAY, reason=why)
                if why
                else gray_test(
                    time[used], cause[used], codes[used], len(chosen),
                    of=number_of[kind], n_causes=len(ordered),
                ).to_test_result(),
            )
            for kind in ordered
        )  # fmt: skip
    keys = tuple(dict.fromkeys((*((spec.by,) if spec.by else ()), *spec.covariates)))
    model = None
    if keys:
        encoded = [encode_covariate(cohort, data, key) for key in keys]
        model = subdistribution_model(encoded, time, cause, used, entry, spec.conf_level, reason)
    result = CompetingRisksResult(
        spec=spec,
        endpoint_label=endpoint.label,
        time_zero=endpoint.time_zero,
        kinds=kinds,
        event_kind=interest,
        conf_type=conf_type,
        from_dates=endpoint.from_dates,
        by_label=levels.label if levels else None,
        unit=unit,
        display_unit=display_unit,
        unit_factor=factor,
        ticks=ticks,
        landmarks=landmarks,
        overall=overall,
        groups=groups,
        all_levels=levels.levels if levels else (),
        tests=tests,
        model=model,
        n_unknown_group=followed.n_unknown_group,
        n_other_groups=followed.n_other_groups,
        losses=data.losses,
        provenance=provenance_of(cohort, spec.by),
        footnotes=(),
        delayed_entry=entry is not None,
        add_one_day=endpoint.from_dates and endpoint.add_one_day,
        rules=rule_sentences(cohort, spec.endpoint, endpoint, data),
        reason=reason,
    )
    return replace(result, footnotes=_footnotes(result))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How every group of a comparison is read."""

    ordered: tuple[str, ...]
    conf_level: float
    conf_type: ConfType
    ticks: tuple[float, ...]
    landmarks: tuple[float, ...]
    factor: float
    reason: NotEstimable | None

    def group(
        self,
        time: np.ndarray,
        cause: np.ndarray,
        entry: np.ndarray | None,
        label: str,
        slot: int | None,
    ) -> IncidenceGroup:
        curve = cumulative_incidence(time, cause, len(self.ordered), entry=entry)
        low, high = incidence_limits(curve, self.conf_level, self.conf_type)
        marks = [mark * self.factor for mark in self.landmarks]
        kinds = []
        for row, kind in enumerate(self.ordered):
            at = incidence_at(curve, row + 1, marks, self.conf_level, self.conf_type)
            rates = rates_at(self.landmarks, at, self.conf_level, self.conf_type.value)
            if self.reason is not None:
                nothing = not_estimable(
                    self.reason, conf_level=self.conf_level, method=self.conf_type.value
                )
                rates = tuple(replace(rate, estimate=nothing) for rate in rates)
            kinds.append(
                KindIncidence(
                    kind, int(np.count_nonzero(cause == row + 1)), curve.estimate[row],
                    curve.std_error[row], low[row], high[row], rates,
                )
            )  # fmt: skip
        counts = competing_counts(curve, [tick * self.factor for tick in self.ticks])
        return IncidenceGroup(
            label=label,
            slot=slot,
            n=len(time),
            n_competing=int(np.count_nonzero(cause > 1)),
            time=curve.time,
            n_risk=curve.n_risk,
            n_censor=curve.n_censor,
            event_free=curve.survival,
            interest=kinds[0],
            others=tuple(kinds[1:]),
            max_time=float(time.max()) if len(time) else 0.0,
            risk=CompetingRiskCounts(
                tuple(int(n) for n in counts.n_risk),
                tuple(int(n) for n in counts.n_event[0]),
                tuple(int(n) for n in counts.n_event[1:].sum(axis=0)),
                tuple(int(n) for n in counts.n_censor),
            ),
        )


# --- tables --------------------------------------------------------------------------------------


def incidence_table(result: CompetingRisksResult) -> DisplayTable:
    """Give patients, events, competing events and incidences by group."""
    level = percent_level(result.spec.conf_level)
    columns = [
        Column("group", result.by_label or "Group"),
        Column("n", "N", Format.INTEGER),
        Column("events", _first_upper(result.event_kind), Format.INTEGER),
        Column("competing", "Competing events", Format.INTEGER),
    ]
    for mark in result.landmarks:
        at = chosen_time(mark)
        when = f"At {at} {result.display_unit.value}"
        columns.append(
            Column(f"rate_{at}", f"% ({level} CI)", Format.ESTIMATE_PERCENT, spanner=when)
        )
        columns.append(Column(f"risk_{at}", "At risk", Format.INTEGER, spanner=when))
    rows = []
    members: dict[tuple[int, str], Members] = {}
    for place, (label, group) in enumerate(_shown_groups(result)):
        row: dict[str, Cell] = {
            "group": label,
            "n": group.n,
            "events": group.interest.n_event,
            "competing": group.n_competing,
        }
        for rate in group.interest.rates:
            row[f"rate_{chosen_time(rate.at)}"] = rate.estimate
            row[f"risk_{chosen_time(rate.at)}"] = rate.n_risk
            members[place, f"risk_{chosen_time(rate.at)}"] = incidence_members(
                result, group, "at_risk", rate.at
            )
        members[place, "n"] = incidence_members(result, group)
        members[place, "events"] = incidence_members(result, group, "event", kind=result.event_kind)
        members[place, "competing"] = incidence_members(result, group, "event", competing=True)
        rows.append(row)
    table = DisplayTable(_title(result), tuple(columns), tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


def kinds_table(result: CompetingRisksResult) -> DisplayTable:
    """Give the incidence of every kind of event by group; with "no event" they add up to 100."""
    level = percent_level(result.spec.conf_level)
    unit = result.display_unit.value
    columns = (
        Column("kind", "First event"),
        Column("events", "Patients", Format.INTEGER),
        *(
            Column(
                f"rate_{chosen_time(mark)}", f"% ({level} CI)", Format.ESTIMATE_PERCENT,
                spanner=f"At {chosen_time(mark)} {unit}",
            )
            for mark in result.landmarks
        ),
    )  # fmt: skip
    rows: list[dict[str, Cell]] = []
    members: dict[tuple[int, str], Members] = {}
    for label, group in _shown_groups(result):
        who = Count(f"(N = {group.n})", incidence_members(result, group))
        rows.append({"kind": CountedText.of(f"{label} ", who), "_heading": True})
        for one in group.kinds:
            row: dict[str, Cell] = {
                "kind": _first_upper(one.kind), "events": one.n_event, "_indent": 1,
            }  # fmt: skip
            row |= {f"rate_{chosen_time(rate.at)}": rate.estimate for rate in one.rates}
            members[len(rows), "events"] = incidence_members(result, group, "event", kind=one.kind)
            rows.append(row)
    notes = (result.footnotes[0], *result.provenance.footnotes)
    title = f"{_title(result)}: every kind of event"
    return result.provenance.marked(DisplayTable(title, columns, tuple(rows), notes, members))


def ratio_table(result: CompetingRisksResult) -> DisplayTable | None:
    """Give the subdistribution hazard ratios; ``None`` where no regression was asked for."""
    model = result.model
    if model is None:
        return None
    level = percent_level(result.spec.conf_level)
    columns = (
        Column("term", "Variable"),
        Column("n", "N", Format.INTEGER),
        Column("events", _first_upper(result.event_kind), Format.INTEGER),
        Column("ratio", f"Subdistribution HR ({level} CI)", Format.ESTIMATE, decimals=2),
        Column("p", "P", Format.P_VALUE),
    )
    rows: list[dict[str, Cell]] = []
    members: dict[tuple[int, str], Members] = {}
    complete = incidence_members(result, result.overall).and_also(
        *(HasValue(variable.key) for variable in model.variables)
    )
    had_event = HasTime(result.spec.endpoint, "event", event_kind=result.event_kind)
    for variable in model.variables:
        if variable.is_factor:
            rows.append({"term": variable.label, "_heading": True, "p": p_cell(variable.test)})
        for term in variable.terms:
            own = (HasLevel(variable.key, (term.label,)),) if variable.is_factor else ()
            members[len(rows), "n"] = complete.and_also(*own)
            members[len(rows), "events"] = complete.and_also(*own, had_event)
            label = term.label if variable.is_factor else f"{variable.label}, {term.label}"
            row: dict[str, Cell] = {
                "term": label,
                "n": term.n,
                "events": term.n_event,
                "ratio": "1 (ref)" if term.is_reference else term.ratio,
                "_indent": int(variable.is_factor),
            }
            if term.test is not None:
                row["p"] = p_cell(term.test)
            rows.append(row)
    title, notes = f"{_title(result)}: Fine-Gray regression", _model_notes(result, model)
    return result.provenance.marked(DisplayTable(title, columns, tuple(rows), notes, members))


def more_tables(result: CompetingRisksResult) -> tuple[DisplayTable, ...]:
    """Give the tables besides the main one; none where nothing is estimated."""
    if result.reason is not None:
        return ()
    ratios = ratio_table(result)
    return (kinds_table(result), *((ratios,) if ratios is not None else ()))


def incidence_members(
    result: CompetingRisksResult,
    group: IncidenceGroup,
    state: TimeState = "usable",
    at: float | None = None,
    *,
    kind: str | None = None,
    competing: bool = False,
) -> Members:
    """Describe the patients of a group with a time to the event, ``at`` in the display unit.

    ``kind`` is that of their first event; with ``competing`` it is any but the one of interest.
    """
    not_kind = None
    if competing and len(result.competing_kinds) == 1:
        (kind,) = result.competing_kinds
    elif competing:
        not_kind = result.event_kind
    groups = result.groups if group is result.overall else (group,)
    levels = tuple(one.label for one in groups)
    among = of_group(result.spec.by, levels, population=result.spec.population)
    raw = None if at is None else at * result.unit_factor
    return among.and_also(HasTime(result.spec.endpoint, state, raw, kind, not_kind))


def _model_notes(result: CompetingRisksResult, model: FineGrayModel) -> tuple[str, ...]:
    everyone = incidence_members(result, result.overall)
    known = tuple(HasValue(variable.key) for variable in model.variables)
    unknown = AnyHolds(tuple(HasValue(one.key, known=False) for one in model.variables))
    notes: list[str] = [
        CountedText.of(
            patients_listed(model.n, everyone.and_also(*known)),
            ", ",
            Count(
                counted(model.n_event, "event"),
                incidence_members(result, result.overall, "event", kind=result.event_kind).and_also(
                    *known
                ),
            ),
            f" ({lower_first(result.event_kind)}), ",
            Count(
                counted(model.n_competing, "competing event"),
                incidence_members(result, result.overall, "event", competing=True).and_also(*known),
            ),
            ". Fine-Gray regression: ratios of the "
            "subdistribution hazard, which say whether more or fewer patients come to this event, "
            f"not how fast those still at risk do; robust {percent_level(result.spec.conf_level)} "
            "confidence intervals, tied times by Breslow's approximation.",
        )
    ]
    if model.reason is not None:
        notes.append(f"Not estimable: {REASONS[model.reason]}.")
    elif result.delayed_entry:
        notes.append(
            "Delayed entry: who had a competing event stays at risk with weights for censoring and "
            "for entry (Geskus); the intervals take these weights as known."
        )
    if model.n_excluded:
        which = [
            CountedText.of(
                f"{label} (", Count(str(n), everyone.and_also(HasValue(key, known=False))), ")"
            )
            for key, label, n in model.missing
        ]
        notes.append(
            CountedText.of(
                patients_listed(model.n_excluded, everyone.and_also(unknown)),
                " not included, a value is not known: ",
                CountedText.joined(which, ", "),
                ".",
            )
        )
    if model.n_parameters and model.n_event < FEW_EVENTS_PER_PARAMETER * model.n_parameters:
        notes.append(
            f"{format_number(model.n_event / model.n_parameters)} events per parameter; below "
            f"{FEW_EVENTS_PER_PARAMETER:g} these estimates are unstable."
        )
    found = {
        term.ratio.reason
        for variable in model.variables
        for term in variable.terms
        if term.ratio.reason not in (None, NotEstimable.REFERENCE, model.reason)
    }
    notes += sorted(f"NE: {REASONS[why]}." for why in found if why is not None)
    notes += result.provenance.footnotes
    return tuple(notes)


def _shown_groups(result: CompetingRisksResult) -> list[tuple[str, IncidenceGroup]]:
    if not result.is_comparison:
        return [(result.overall.label, result.overall)]
    return [*((group.label, group) for group in result.groups), ("All of these", result.overall)]


def _title(result: CompetingRisksResult) -> str:
    by = by_words(result.by_label)
    return f"Cumulative incidence of {lower_first(result.event_kind)} ({result.endpoint_label}){by}"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- words ---------------------------------------------------------------------------------------


def _competing(result: CompetingRisksResult) -> str:
    return joined([lower_first(kind) for kind in result.competing_kinds])


def _footnotes(result: CompetingRisksResult) -> tuple[str, ...]:
    overall, level = result.overall, percent_level(result.spec.conf_level)
    notes: list[str] = [
        CountedText.of(
            patients_listed(overall.n, incidence_members(result, overall)),
            ", ",
            Count(
                counted(overall.interest.n_event, "event"),
                incidence_members(result, overall, "event", kind=result.event_kind),
            ),
            f" ({lower_first(result.event_kind)}), ",
            Count(
                counted(overall.n_competing, "competing event"),
                incidence_members(result, overall, "event", competing=True),
            ),
            f" ({_competing(result)})" if result.competing_kinds else "",
            f". Cumulative incidence by Aalen and Johansen, {level} confidence intervals on the "
            f"{result.conf_type.value} scale; only the first event of a patient counts; NE, not "
            "estimable.",
        )
    ]
    if result.reason is not None:
        notes.append(f"Nothing is estimated: {REASONS[result.reason]}.")
    scope = f", {result.scope}" if result.scope else ""
    notes += [
        f"Gray's test of {lower_first(kind)}, two-sided{scope}: "
        f"{result.provenance.test_words(test)}."
        for kind, test in result.tests
    ]
    notes += result.time_notes
    for group in dict.fromkeys((*result.groups, overall)):
        notes += emptied_note(result, group.label, group.time, group.n_risk, group.event_free)
    notes.append(
        "At risk counts times at or after the tick, events and censored those before it; an "
        "incidence includes its own time."
    )
    notes += result.left_out_notes
    notes += result.closing_notes
    return tuple(notes)


def methods_sentence(result: CompetingRisksResult) -> str:
    """Say how it was done, for the methods section."""
    level = percent_level(result.spec.conf_level)
    kind, endpoint = lower_first(result.event_kind), lower_first(result.endpoint_label)
    if result.reason is not None:
        return (
            f"The cumulative incidence of {kind} ({endpoint}) was not estimated, because no event "
            "competes with it."
        )
    text = (
        f"The cumulative incidence of {kind} ({endpoint}), with {_competing(result)} as competing "
        f"{'event' if len(result.competing_kinds) == 1 else 'events'}, was estimated by the "
        f"Aalen-Johansen method, with {level} confidence intervals on the "
        f"{result.conf_type.value} scale"
    )
    if result.tests and not result.delayed_entry:
        text += ", and compared between groups by Gray's test"
    if result.model is not None and result.model.reason is None:
        covariates = len(result.model.variables) - int(result.is_comparison)
        text += "; subdistribution hazard ratios were estimated by Fine-Gray regression"
        if result.delayed_entry:
            text += " weighted for delayed entry"
        if covariates:
            names = [lower_first(variable.label) for variable in result.model.variables]
            text += f" with {joined(names)} as {'covariate' if len(names) == 1 else 'covariates'}"
    return text + "."


@says_subset
def result_sentences(result: CompetingRisksResult) -> tuple[str, ...]:
    """Say what was found, without causal words; right when nothing can be estimated."""
    kind = lower_first(result.event_kind)
    out = ["No group of this comparison is chosen."] if not result.groups else []
    if result.reason is not None:
        return (
            f"The endpoint “{result.endpoint_label}” has a single kind of event ({kind}); a "
            "cumulative incidence with competing events needs at least two.",
        )
    for group in result.groups:
        who = f"In {group.label}" if result.is_comparison else "In all patients"
        if group.n == 0:
            out.append(f"{who}, there are no patients." if result.is_comparison
                       else "There are no patients.")  # fmt: skip
            continue
        counts = (
            f"{group.interest.n_event} of {patients(group.n)} with {kind} and {group.n_competing} "
            "with a competing event first"
        )
        read = [rate for rate in group.interest.rates if rate.estimate.value is not None]
        if not read:
            out.append(f"{who}: {counts}.")
            continue
        rates = [
            f"{format_estimate(rate.estimate, percent=True, interval=False)}% at "
            f"{chosen_time(rate.at)} {result.display_unit.value}{_limits(rate.estimate)}"
            for rate in read
        ]
        out.append(f"{who} ({counts}), the cumulative incidence of {kind} was {joined(rates)}.")
    compared = [group.label for group in result.groups if group.n > 0]
    between = f" between {groups_in_words(compared)}" if len(compared) > 1 else ""
    scope = f" ({result.scope})" if result.scope else ""
    out += [
        f"Gray's test of {lower_first(name)}{between}{scope}: {result.provenance.test_words(test)}."
        for name, test in result.tests
    ]
    out += _ratio_sentences(result)
    return tuple(out)


def _ratio_sentences(result: CompetingRisksResult) -> list[str]:
    if result.model is None or result.model.reason is not None:
        return []
    out = []
    for variable in result.model.variables:
        reference = next((term.label for term in variable.terms if term.is_reference), None)
        for term in variable.terms:
            if term.is_reference or term.ratio.value is None:
                continue
            what = (
                f"{term.label} against {reference}"
                if variable.is_factor
                else f"{variable.label}, {term.label}"
            )
            p_value = term.test.p_value if term.test else None
            p_text = f"; {result.provenance.p(p_value)}" if p_value is not None else ""
            level = percent_level(term.ratio.conf_level)
            out.append(
                f"Subdistribution hazard ratio of {lower_first(result.event_kind)}, {what}: "
                f"{format_number(term.ratio.value, 2)} ({level} CI "
                f"{format_number(term.ratio.low, 2)} to {format_number(term.ratio.high, 2)}"
                f"{p_text})."
            )
    return out


def _limits(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = format_number(100 * estimate.low), format_number(100 * estimate.high)
    return f" ({percent_level(estimate.conf_level)} CI {low} to {high})"


# --- rows and R ----------------------------------------------------------------------------------


def result_rows(result: CompetingRisksResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row."""
    spec = result.spec
    base = replace(result.provenance.row(KIND), endpoint=spec.endpoint, group_var=spec.by)
    by_package = result.conf_type is not ConfType.ARCSIN and not result.delayed_entry
    rows: list[ResultRow] = []
    shown = [(group.label if spec.by else None, group) for group in result.groups]
    if spec.by:
        shown.append((None, result.overall))
    for label, group in shown:
        mine = replace(base, group=label, n=group.n)
        rows.append(replace(mine, statistic="n", value=float(group.n), r="yes"))
        for one in group.kinds:
            of_kind = replace(mine, level=one.kind, events=one.n_event)
            rows.append(
                replace(of_kind, statistic="events_by_kind", value=float(one.n_event), r="yes")
            )
            for rate in one.rates:
                row = replace(
                    of_kind, statistic="cumulative_incidence", term=_at(result, rate.at),
                    unit="proportion", r="yes" if by_package else "none",
                )  # fmt: skip
                rows.append(row.of_estimate(rate.estimate))
        rows += [
            replace(
                mine, statistic="n_risk", term=_at(result, rate.at), value=float(rate.n_risk),
                r="yes",
            )
            for rate in group.interest.rates
        ]  # fmt: skip
    for kind, test in result.tests:
        both = replace(base, statistic="gray", level=kind, n=result.overall.n, r="yes")
        rows += both.of_test(test)
    if result.model is not None:
        rows += _model_rows(base, result.model)
    rows.append(replace(base, statistic="n_not_included", value=float(result.n_not_included)))
    return tuple(rows)


def _at(result: CompetingRisksResult, mark: float) -> str:
    return f"{chosen_time(mark)} {result.display_unit.value}"


def _model_rows(base: ResultRow, model: FineGrayModel) -> list[ResultRow]:
    rows = [
        replace(base, statistic=f"fine_gray_{name}", value=float(value), r="yes")
        for name, value in (
            ("n", model.n),
            ("events", model.n_event),
            ("competing_events", model.n_competing),
            ("n_excluded", model.n_excluded),
        )
    ]
    for variable in model.variables:
        for term in variable.terms:
            if term.is_reference:
                continue
            mine = replace(
                base, term=variable.key, level=term.label if variable.is_factor else None,
                n=term.n, events=term.n_event, r="yes",
            )  # fmt: skip
            ratio = replace(mine, statistic="subdistribution_hazard_ratio")
            rows.append(replace(ratio.of_estimate(term.ratio), method="Fine-Gray, Wald"))
            if term.test is not None:
                rows.append(ratio.of_test(term.test)[2])
        if variable.is_factor:
            whole = replace(base, statistic="fine_gray_wald", term=variable.key, r="formula")
            rows += whole.of_test(variable.test)
    return rows


def r_code(result: CompetingRisksResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``d`` of the patients of this comparison, with ``time`` (raw
    unit), ``status`` (0 censored, 1 the kind of interest, then the others in the order that the
    code states), ``group`` where there are groups (a factor, the reference first), the covariates
    under their keys, and ``entry`` where entry is delayed.
    """
    ordered = (result.event_kind, *result.competing_kinds)
    lines = [
        "library(survival)",
        "library(cmprsk)",
        f"kinds <- {r_strings(ordered)}  # status 1, 2, ...",
    ]
    if result.reason is not None:
        return "\n".join([*lines, "# a single kind of event: nothing competes"]) + "\n"
    entry = "d$entry, " if result.delayed_entry else ""
    groups = ", d$group" if result.spec.by else ""
    scale = result.conf_type.value
    if result.conf_type is ConfType.ARCSIN:
        lines.append("# survfit has no arcsine interval for several kinds; the estimates are equal")
        scale = "plain"
    if result.delayed_entry:
        lines.append("# with delayed entry survfit gives the jackknife: the intervals differ")
    times = ", ".join(repr(mark * result.unit_factor) for mark in result.landmarks)
    lines += [
        "d$id <- seq_len(nrow(d))",
        f'status <- factor(d$status, 0:{len(ordered)}, c("none", kinds))',
        f"y <- Surv({entry}d$time, status)",
        f'for (group in list(rep("all", nrow(d)){groups})) {{',
        f"  fit <- survfit(y ~ group, id = d$id, conf.type = {r_string(scale)}, "
        f"conf.int = {result.spec.conf_level})",
        *(
            [
                f"  found <- summary(fit, times = c({times}), extend = TRUE)",
                "  print(found)",
                "  print(cbind(found$lower, found$upper))",
            ]
            if times
            else ["  print(fit)"]
        ),
        "}",
    ]
    if result.spec.by and not result.delayed_entry:
        lines.append("print(cuminc(d$time, d$status, d$group)$Tests)")
    if result.model is not None and result.model.reason is None:
        names = [
            "group" if variable.key == result.spec.by else variable.key
            for variable in result.model.variables
        ]
        lines += [
            f"m <- d[complete.cases(d[{r_strings(tuple(names))}]), ]",
            f"x <- model.matrix(reformulate(sprintf('`%s`', {r_strings(tuple(names))})), "
            "droplevels(m))[, -1, drop = FALSE]",
        ]
        if result.delayed_entry:
            lines += [
                f'm$status <- factor(m$status, 0:{len(ordered)}, c("none", kinds))',
                "w <- finegray(Surv(entry, time, status) ~ id, m, etype = kinds[1], id = id)",
                "x <- x[match(w$id, m$id), , drop = FALSE]",
                "fit <- coxph(Surv(w$fgstart, w$fgstop, w$fgstatus) ~ x, weights = w$fgwt, "
                'cluster = w$id, ties = "breslow", '
                "control = coxph.control(eps = 1e-11, iter.max = 200))",
            ]
        else:
            lines.append(
                "fit <- crr(m$time, m$status, x, failcode = 1, gtol = 1e-11, maxiter = 200)"
            )
        lines.append(f"print(summary(fit, conf.int = {result.spec.conf_level}))")
    return "\n".join(lines) + "\n"
