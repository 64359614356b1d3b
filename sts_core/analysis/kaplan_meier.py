"""Product-limit survival, overall or by group, with log-rank and follow-up."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.hazard_ratio import (
    GroupHazardRatio,
    footnotes_of,
    hazard_ratios,
    reference_of,
    sentence_of,
)
from sts_core.analysis.provenance import Provenance, provenance_of
from sts_core.cohort import Cohort
from sts_core.derive import Levels, Loss, SurvivalData, levels_of, rule_sentences, survival_data
from sts_core.display import (
    REASONS,
    Column,
    DisplayTable,
    Format,
    counted,
    format_estimate,
    format_number,
    format_p,
    format_percent,
    joined,
    lower_first,
    round_half_up,
)
from sts_core.estimates import (
    Estimate,
    NotEstimable,
    TestResult,
    estimate_or_reason,
    not_estimable,
)
from sts_core.estimators.follow_up import FollowUpTies, reverse_curve
from sts_core.estimators.log_rank import log_rank
from sts_core.estimators.product_limit import (
    ProductLimit,
    Quantile,
    at_risk_from_curve,
    confidence_limits,
    product_limit,
    quantiles,
    survival_at,
)
from sts_core.estimators.tied_times import align_ties
from sts_core.results import ResultRow
from sts_core.study.types import TimeUnit

KIND: Final = "kaplan_meier"
UNRELIABLE_AT_RISK = 5
UNRELIABLE_SHARE = 0.10
DEFAULT_LANDMARKS: dict[TimeUnit, tuple[float, ...]] = {
    TimeUnit.DAYS: (90, 180, 365),
    TimeUnit.WEEKS: (12, 24, 52),
    TimeUnit.MONTHS: (6, 12, 24),
    TimeUnit.YEARS: (1, 3, 5),
}
TICK_STEPS: dict[TimeUnit, tuple[float, ...]] = {
    TimeUnit.DAYS: (1, 5, 10, 30, 60, 90, 180, 365, 730, 1460, 2920),
    TimeUnit.WEEKS: (1, 2, 4, 8, 12, 26, 52, 104, 208, 416),
    TimeUnit.MONTHS: (0.5, 1, 2, 3, 6, 12, 24, 36, 48, 60, 120, 240),
    TimeUnit.YEARS: (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20),
}
MAX_TICKS = 9


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class KaplanMeierSpec:
    """What to estimate.

    Parameters
    ----------
    endpoint
        Code of the endpoint.
    by
        Key of a variable or a grouping; everyone together when ``None``.
    levels
        Groups of this comparison, in any order; all when ``None``.
    conf_level, conf_type
        Coverage of intervals, and the scale on which they are symmetric.
    landmarks
        Times at which survival is read, in the display unit; the unit's usual ones when ``None``,
        none when empty.
    tick_step, horizon
        Distance of the axis ticks and end of the axis, in the display unit; chosen when ``None``.
    follow_up_ties
        Whether patients with an event leave before those censored at the same time.
    """

    endpoint: str
    by: str | None = None
    levels: tuple[str, ...] | None = None
    conf_level: float = 0.95
    conf_type: Literal["log-log", "log", "plain", "logit", "arcsin"] = "log-log"
    landmarks: tuple[float, ...] | None = None
    tick_step: float | None = None
    horizon: float | None = None
    follow_up_ties: Literal["prodlim", "flip"] = "prodlim"
    kind: Literal["kaplan_meier"] = KIND

    def __post_init__(self) -> None:
        if not 0 < self.conf_level < 1:
            raise ValueError(f"conf_level must lie in (0, 1), but was {self.conf_level}")
        for name in ("tick_step", "horizon"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0, but was {value}")
        for mark in self.landmarks or ():
            if not 0 <= mark < math.inf:
                raise ValueError(f"landmarks must be finite and not below 0, but one was {mark}")


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A curve at its distinct times, in the raw unit; time 0 is not among them by itself."""

    time: np.ndarray
    n_risk: np.ndarray
    n_event: np.ndarray
    n_censor: np.ndarray
    estimate: np.ndarray
    std_error: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray


@dataclass(frozen=True, slots=True)
class Rate:
    """Survival at a chosen time (display unit), and how many are still at risk there."""

    at: float
    estimate: Estimate
    n_risk: int


@dataclass(frozen=True, slots=True)
class RiskCounts:
    """At each tick: at risk n(T >= t), events and censored n(T < t).

    The three sum to all patients, but for those who have not entered yet.
    """

    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    censored: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalGroup:
    """One curve with what is read from it; times in the raw unit.

    Attributes
    ----------
    label
        Level of the grouping; "All patients" without one.
    slot
        Colour slot, ``None`` for grey.
    n, n_event
        Patients and events.
    events_by_kind
        Events of each kind.
    median, quartiles
        Time by which half (a quarter, three quarters) had the event.
    rates
        Survival at the landmarks.
    follow_up
        Median of the reverse Kaplan-Meier curve; not estimable where nobody is censored.
    censor_times, censor_subjects
        Where the ticks stand, and whose they are.
    """

    label: str
    slot: int | None
    n: int
    n_event: int
    events_by_kind: dict[str, int]
    steps: Steps
    median: Estimate
    quartiles: tuple[Estimate, Estimate]
    rates: tuple[Rate, ...]
    follow_up: Estimate
    max_time: float
    max_is_censored: bool
    censor_times: np.ndarray
    censor_subjects: tuple[str, ...]
    risk: RiskCounts

    @property
    def unreliable_from(self) -> float | None:
        """Time from which fewer than max(5, 10 %) are at risk; ``None`` when that never happens."""
        limit = max(UNRELIABLE_AT_RISK, UNRELIABLE_SHARE * self.n)
        few = np.flatnonzero(self.steps.n_risk < limit)
        return float(self.steps.time[few[0]]) if len(few) else None


@dataclass(frozen=True, slots=True, eq=False)
class KaplanMeierResult:
    """Curves, comparison and follow-up of one endpoint.

    Attributes
    ----------
    unit, display_unit, unit_factor
        Unit of all raw times; unit for readers; raw divided by the factor is in it.
    ticks
        Axis ticks in the display unit; the risk counts stand at them.
    overall
        Everyone of the comparison together.
    groups
        The comparison's groups in the study's order, also empty ones; else ``overall`` alone.
    all_levels
        Every level of the grouping, chosen or not.
    n_unknown_group
        Patients left out because their group is not known.
    losses
        Patients without a usable time, by reason.
    delayed_entry
        Whether patients come under observation after time zero.
    add_one_day
        Whether the day of the start counts as day 1.
    rules
        Rules of follow-up in force, as sentences.
    hazard_ratios
        Of each group against the reference group, in the order of ``groups``; empty without a
        comparison of at least two.
    """

    spec: KaplanMeierSpec
    endpoint_label: str
    time_zero: str
    from_dates: bool
    by_label: str | None
    unit: TimeUnit
    display_unit: TimeUnit
    unit_factor: float
    ticks: tuple[float, ...]
    overall: SurvivalGroup
    groups: tuple[SurvivalGroup, ...]
    all_levels: tuple[str, ...]
    logrank: TestResult | None
    n_unknown_group: int
    n_other_groups: int
    losses: tuple[Loss, ...]
    provenance: Provenance
    footnotes: tuple[str, ...]
    delayed_entry: bool = False
    add_one_day: bool = False
    rules: tuple[str, ...] = ()
    hazard_ratios: tuple[GroupHazardRatio, ...] = ()

    @property
    def is_comparison(self) -> bool:
        """Whether there are groups to compare."""
        return self.spec.by is not None


def kaplan_meier(cohort: Cohort, spec: KaplanMeierSpec) -> KaplanMeierResult:
    """Estimate survival of the patients analysed.

    Parameters
    ----------
    cohort
        Patients with their endpoint; those without a usable time are counted in ``losses``.
    spec
        What to estimate.

    Returns
    -------
    KaplanMeierResult
        Times are in the endpoint's own unit; conversion happens at display only.

    References
    ----------
    .. [1] Kaplan and Meier, J Am Stat Assoc 53 (1958) 457-481.
    .. [2] Brookmeyer and Crowley, Biometrics 38 (1982) 29-41: interval of the median.
    .. [3] Schemper and Smith, Control Clin Trials 17 (1996) 343-346: follow-up.
    """
    data = _with_aligned_ties(survival_data(cohort, spec.endpoint))
    endpoint = data.endpoint
    unit, display_unit, factor = endpoint.raw_unit, endpoint.display_unit, endpoint.display_factor
    levels = levels_of(cohort, spec.by) if spec.by else None
    chosen = _chosen_levels(levels, spec)
    # the number of a chosen group, -1 in any other one, -2 where the group is not known
    number_of: dict[str | None, int] = {None: -2, **{level: i for i, level in enumerate(chosen)}}
    labels = () if levels is None else levels.values[data.position].tolist()
    codes = np.array([number_of.get(label, -1) for label in labels], dtype=np.int64)
    used = np.ones(data.n, dtype=bool) if levels is None else codes >= 0
    time, event = data.time[used], data.event
    entry = None if data.entry is None else data.entry[used]
    horizon = spec.horizon or (float(time.max()) / factor if len(time) else 1.0)
    ticks = axis_ticks(horizon, display_unit, spec.tick_step)
    landmarks = DEFAULT_LANDMARKS[display_unit] if spec.landmarks is None else spec.landmarks

    def one_group(mask: np.ndarray, label: str, slot: int | None) -> SurvivalGroup:
        return _group(data, event, mask, label, slot, spec, ticks, landmarks, factor)

    overall = one_group(used, "All patients", 0)
    groups: tuple[SurvivalGroup, ...] = (overall,)
    test: TestResult | None = None
    ratios: tuple[GroupHazardRatio, ...] = ()
    if levels is not None:
        groups = tuple(
            one_group(codes == i, level, levels.slots[level]) for i, level in enumerate(chosen)
        )
        test = log_rank(
            time, event[used], codes[used], levels=range(len(chosen)), entry=entry
        ).to_test_result()
        ratios = hazard_ratios(
            time, event[used], codes[used], chosen,
            reference=levels.reference, entry=entry, conf_level=spec.conf_level,
        )  # fmt: skip
    unknown = int(np.count_nonzero(codes == number_of[None]))
    result = KaplanMeierResult(
        spec=spec,
        endpoint_label=endpoint.label,
        time_zero=endpoint.time_zero,
        from_dates=endpoint.from_dates,
        by_label=levels.label if levels else None,
        unit=unit,
        display_unit=display_unit,
        unit_factor=factor,
        ticks=ticks,
        overall=overall,
        groups=groups,
        all_levels=levels.levels if levels else (),
        logrank=test,
        n_unknown_group=unknown,
        n_other_groups=data.n - int(used.sum()) - unknown,
        losses=data.losses,
        provenance=provenance_of(cohort),
        footnotes=(),
        delayed_entry=entry is not None,
        add_one_day=endpoint.from_dates and endpoint.add_one_day,
        rules=rule_sentences(cohort, endpoint, data),
        hazard_ratios=ratios,
    )
    return replace(result, footnotes=_footnotes(result))


def _with_aligned_ties(data: SurvivalData) -> SurvivalData:
    """Make times that differ only by rounding equal, over all groups together as R does."""
    if data.entry is None:
        return replace(data, time=align_ties(data.time)[0])
    time, entry = align_ties(data.time, data.entry)
    return replace(data, time=time, entry=entry)


def _chosen_levels(levels: Levels | None, spec: KaplanMeierSpec) -> tuple[str, ...]:
    if levels is None:
        return ()
    if spec.levels is None:
        return levels.levels
    return tuple(level for level in levels.levels if level in spec.levels)


def axis_ticks(horizon: float, unit: TimeUnit, step: float | None = None) -> tuple[float, ...]:
    """Give ticks from 0 to the first one at or past the horizon.

    Parameters
    ----------
    horizon
        Last time to show, in ``unit``.
    unit
        Decides which steps are usual (3, 6 or 12 months).
    step
        Distance; the smallest usual one with at most nine ticks when ``None``.
    """
    if step is None:
        usual = TICK_STEPS[unit]
        step = next((s for s in usual if horizon / s <= MAX_TICKS - 1), None)
        step = step or usual[-1] * math.ceil(horizon / usual[-1] / (MAX_TICKS - 1))
    count = max(1, math.ceil(round(horizon / step, 9)))
    return tuple(round(i * step, 9) for i in range(count + 1))


def _as_estimate(found: Quantile, reason: NotEstimable) -> Estimate:
    return Estimate(
        None if math.isnan(found.value) else found.value,
        None if math.isnan(found.low) else found.low,
        None if math.isnan(found.high) else found.high,
        found.conf_level,
        found.method,
        (found.reason or reason) if math.isnan(found.value) else None,
        found.low_reason,
        found.high_reason,
    )


def _group(
    data: SurvivalData,
    events: np.ndarray,
    mask: np.ndarray,
    label: str,
    slot: int | None,
    spec: KaplanMeierSpec,
    ticks: Sequence[float],
    landmarks: Sequence[float],
    factor: float,
) -> SurvivalGroup:
    time, event = data.time[mask], events[mask]
    entry = None if data.entry is None else data.entry[mask]
    curve = product_limit(time, event, entry=entry)
    low, high = confidence_limits(curve, spec.conf_level, spec.conf_type)

    def times_of(of: ProductLimit, *probabilities: float) -> list[Estimate]:
        found = quantiles(of, probabilities, spec.conf_level, spec.conf_type)
        return [_as_estimate(one, NotEstimable.NOT_REACHED) for one in found]

    at = survival_at(curve, [mark * factor for mark in landmarks], spec.conf_level, spec.conf_type)
    rates = tuple(
        Rate(
            float(mark),
            estimate_or_reason(
                float(at.estimate[i]),
                float(at.conf_low[i]),
                float(at.conf_high[i]),
                conf_level=spec.conf_level,
                method=spec.conf_type,
                reason=at.reason[i] or NotEstimable.BEYOND_FOLLOW_UP,
                limit_reason=at.limit_reason[i] or NotEstimable.NO_EVENTS,
            ),
            int(at.n_risk[i]),
        )
        for i, mark in enumerate(landmarks)
    )
    lower, median, upper = times_of(curve, 0.25, 0.5, 0.75)
    reverse = reverse_curve(curve, FollowUpTies(spec.follow_up_ties))
    counts = at_risk_from_curve(curve, [tick * factor for tick in ticks])
    censored = np.argsort(time, kind="stable")
    censored = censored[~event[censored]]
    last = float(time.max()) if len(time) else 0.0
    return SurvivalGroup(
        label=label,
        slot=slot,
        n=len(time),
        n_event=int(event.sum()),
        events_by_kind=dict(Counter(data.kind[mask & events].tolist())),
        steps=Steps(
            curve.time, curve.n_risk, curve.n_event, curve.n_censor,
            curve.estimate, curve.std_error, low, high,
        ),
        median=median,
        quartiles=(lower, upper),
        rates=rates,
        follow_up=(
            times_of(reverse, 0.5)[0]
            if len(censored) or not len(time)
            # follow-up ended for nobody: its distribution is not known, however long it was
            else not_estimable(
                NotEstimable.NO_CENSORING, conf_level=spec.conf_level, method=spec.conf_type
            )
        ),
        max_time=last,
        max_is_censored=bool(len(time)) and not bool(event[time == last].any()),
        censor_times=time[censored],
        censor_subjects=tuple(data.subject[mask][censored]),
        risk=RiskCounts(
            tuple(int(n) for n in counts.n_risk),
            tuple(int(n) for n in counts.n_event),
            tuple(int(n) for n in counts.n_censor),
        ),
    )  # fmt: skip


# --- table ---------------------------------------------------------------------------------------


def survival_table(result: KaplanMeierResult) -> DisplayTable:
    """Give patients, events, median, rates and follow-up by group."""
    unit = result.display_unit.value
    level = f"{_percent(result.spec.conf_level)} CI"
    stub = result.by_label or "Group"
    columns = [
        Column("group", stub),
        Column("n", "N", Format.INTEGER),
        Column("events", "Events", Format.INTEGER),
        Column("median", f"Median, {unit} ({level})", Format.ESTIMATE),
    ]
    for rate in result.overall.rates:
        at = _short(rate.at)
        when = f"At {at} {unit}"
        columns.append(Column(f"rate_{at}", f"% ({level})", Format.ESTIMATE_PERCENT, spanner=when))
        columns.append(Column(f"risk_{at}", "At risk", Format.INTEGER, spanner=when))
    if result.hazard_ratios:
        columns.append(Column("hazard_ratio", f"HR ({level})", Format.ESTIMATE, decimals=2))
    columns.append(Column("follow_up", f"Follow-up, {unit} ({level})", Format.ESTIMATE))
    shown = list(result.groups)
    if result.is_comparison:
        shown.append(result.overall)
    ratio_of = {ratio.group: ratio.hazard_ratio for ratio in result.hazard_ratios}
    rows = []
    for group in shown:
        row: dict[str, str | int | Estimate | None] = {
            "group": "All of these" if result.is_comparison and group is result.overall
            else group.label,
            "n": group.n,
            "events": group.n_event,
            "median": group.median.scaled(result.unit_factor),
            "follow_up": group.follow_up.scaled(result.unit_factor),
        }  # fmt: skip
        for rate in group.rates:
            row[f"rate_{_short(rate.at)}"] = rate.estimate
            row[f"risk_{_short(rate.at)}"] = rate.n_risk
        if result.hazard_ratios:
            row["hazard_ratio"] = None if group is result.overall else ratio_of[group.label]
        rows.append(row)
    by = f" by {lower_first(result.by_label)}" if result.by_label else ""
    return DisplayTable(
        f"{result.endpoint_label}{by}", tuple(columns), tuple(rows), result.footnotes
    )


def _percent(conf_level: float) -> str:
    """Write a coverage with as many decimals as it has: 95%, 97.5%."""
    return f"{100 * conf_level:g}%"


def _short(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


# --- words ---------------------------------------------------------------------------------------


def _scope(result: KaplanMeierResult) -> str | None:
    """Say over how many of the levels the comparison runs; ``None`` when over all."""
    if not result.is_comparison or len(result.groups) == len(result.all_levels):
        return None
    return f"over {len(result.groups)} of {len(result.all_levels)} levels of {result.by_label}"


def loss_sentences(losses: Iterable[Loss]) -> tuple[str, ...]:
    """Say how many patients an analysis can't use, and why."""
    return tuple(
        f"{counted(len(loss.subjects), 'patient')} not included: {loss.reason.value}"
        f"{f' (“{loss.column}”)' if loss.column else ''}."
        for loss in losses
    )


def _footnotes(result: KaplanMeierResult) -> tuple[str, ...]:
    spec = result.spec
    notes = [
        f"{counted(result.overall.n, 'patient')}, {counted(result.overall.n_event, 'event')}. "
        f"Kaplan-Meier estimates, {_percent(spec.conf_level)} confidence intervals on the "
        f"{spec.conf_type} scale; NR, not reached; NE, not estimable."
    ]
    if result.logrank is not None:
        scope = _scope(result)
        text = _test_text(result.logrank)
        notes.append(f"Log-rank test, two-sided{f', {scope}' if scope else ''}: {text}.")
    if result.is_comparison:
        notes += footnotes_of(result.hazard_ratios, len(result.groups))
    month = (
        " (a month is 30.4375 days)"
        if result.unit is not result.display_unit
        and {result.unit, result.display_unit} & {TimeUnit.MONTHS, TimeUnit.YEARS}
        else ""
    )
    if result.from_dates:
        plus = " plus one" if result.add_one_day else ""
        notes.append(
            f"Times are whole days, end minus start{plus}; "
            f"shown in {result.display_unit.value}{month}."
        )
    elif result.unit is not result.display_unit:
        notes.append(
            f"Times are recorded in {result.unit.value} and shown in "
            f"{result.display_unit.value}{month}."
        )
    if result.delayed_entry:
        notes.append("Patients count as at risk from their entry on (delayed entry).")
    notes.append(
        "At risk counts times at or after the tick, events and censored those before it; "
        "a survival rate includes its own time. Follow-up by reverse Kaplan-Meier"
        + (
            ", events leaving before censorings at the same time."
            if spec.follow_up_ties == "prodlim"
            else ", event indicator flipped."
        )
    )
    uncensored = [
        group.label
        for group in dict.fromkeys((*result.groups, result.overall))
        if group.follow_up.reason is NotEstimable.NO_CENSORING
    ]
    if uncensored:
        who = f" in {joined(uncensored)}" if result.is_comparison else ""
        notes.append(f"Follow-up NE{who}: {REASONS[NotEstimable.NO_CENSORING]}.")
    if result.n_unknown_group:
        notes.append(
            f"{counted(result.n_unknown_group, 'patient')} not included: "
            f"{result.by_label} not known."
        )
    if result.n_other_groups:
        notes.append(
            f"{counted(result.n_other_groups, 'patient')} in groups that this comparison "
            "leaves out."
        )
    notes += result.rules
    notes += loss_sentences(result.losses)
    notes += result.provenance.footnotes
    return tuple(notes)


def _test_text(test: TestResult) -> str:
    if test.p_value is None or test.statistic is None:
        return f"not estimable ({REASONS[test.reason]})" if test.reason else "not estimable"
    p_value = format_p(test.p_value)
    relation = "" if p_value[0] in "<>" else "= "
    return f"χ² = {round_half_up(test.statistic, 2)}, df = {test.df}, P {relation}{p_value}"


def methods_sentence(result: KaplanMeierResult) -> str:
    """Say how it was done, for the methods section."""
    spec = result.spec
    text = (
        f"{result.endpoint_label} was estimated by the Kaplan-Meier method, with "
        f"{_percent(spec.conf_level)} confidence intervals on the {spec.conf_type} scale"
    )
    if result.is_comparison:
        text += ", and compared between groups by the two-sided log-rank test"
        if reference_of(result.hazard_ratios) is not None:
            text += " and by hazard ratios of a Cox proportional hazards model"
    return text + "; follow-up was estimated by the reverse Kaplan-Meier method."


def result_sentences(result: KaplanMeierResult) -> tuple[str, ...]:
    """Say what was found, without causal words; right when nothing is reached."""
    unit, level = result.display_unit.value, _percent(result.spec.conf_level)
    endpoint = _in_sentence(result.endpoint_label)
    out = ["No group of this comparison is chosen."] if not result.groups else []
    for group in result.groups:
        who = f"In {group.label}" if result.is_comparison else "In all patients"
        if group.n == 0:
            out.append(f"{who}, there are no patients." if result.is_comparison
                       else "There are no patients.")  # fmt: skip
            continue
        share = format_percent(group.n_event / group.n)
        counts = f"{group.n_event} of {counted(group.n, 'patient')} with an event, {share}%"
        if group.n_event == 0:
            out.append(f"{who}, no event was seen in {counted(group.n, 'patient')}.")
        elif group.median.value is None:
            out.append(
                f"{who} ({counts}), median {endpoint} "
                f"was not reached{_limits(group.median.scaled(result.unit_factor), level, unit)}."
            )
        else:
            median = group.median.scaled(result.unit_factor)
            out.append(
                f"{who} ({counts}), median {endpoint} was "
                f"{format_estimate(median, interval=False)} {unit}{_limits(median, level)}."
            )
    if result.logrank is not None and len(result.groups) > 1:
        scope = _scope(result)
        compared = [group.label for group in result.groups if group.n > 0]
        between = f" between {joined(compared)}" if len(compared) > 1 else ""
        out.append(
            f"Log-rank test{between}{f' ({scope})' if scope else ''}: {_test_text(result.logrank)}."
        )
    ratios = sentence_of(result.hazard_ratios)
    if ratios is not None:
        out.append(ratios)
    follow_up = result.overall.follow_up.scaled(result.unit_factor)
    if follow_up.value is not None:
        out.append(
            f"Median follow-up was {format_estimate(follow_up, interval=False)} {unit}"
            f"{_limits(follow_up, level)}."
        )
    return tuple(out)


def _in_sentence(label: str) -> str:
    """Give a label without its capitals, but leave abbreviations ("OS", "PFS by RECIST")."""
    return re.sub(r"\b[A-Z][a-z]+\b", lambda word: word[0].lower(), label)


def _limits(estimate: Estimate, level: str, unit: str = "") -> str:
    if estimate.low is None and estimate.high is None:
        return ""
    low, high = format_number(estimate.low), format_number(estimate.high)
    return f" ({level} CI {low} to {high}{f' {unit}' if unit else ''})"


# --- rows and R ----------------------------------------------------------------------------------


def result_rows(result: KaplanMeierResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row, times in the raw unit."""
    spec, unit = result.spec, result.unit.value
    base = ResultRow(
        KIND, "", dataset=result.provenance.dataset, endpoint=spec.endpoint, group_var=spec.by
    )
    rows: list[ResultRow] = []
    shown = [(group.label if spec.by else None, group) for group in result.groups]
    if spec.by:
        shown.append((None, result.overall))
    for label, group in shown:
        mine = replace(base, group=label, n=group.n, events=group.n_event)
        rows.append(replace(mine, statistic="n", value=float(group.n), r="yes"))
        rows.append(replace(mine, statistic="events", value=float(group.n_event), r="yes"))
        rows += [
            replace(mine, statistic="events_by_kind", term=kind, value=float(count))
            for kind, count in group.events_by_kind.items()
        ]
        timed = replace(mine, unit=unit, r="yes")
        rows.append(replace(timed, statistic="median").of_estimate(group.median))
        for name, quartile in zip(("quartile_25", "quartile_75"), group.quartiles, strict=True):
            rows.append(replace(timed, statistic=name).of_estimate(quartile))
        rows.append(
            replace(timed, statistic="follow_up_median", r="formula").of_estimate(group.follow_up)
        )
        for rate in group.rates:
            at = f"{_short(rate.at)} {result.display_unit.value}"
            row = replace(mine, statistic="survival_rate", term=at, unit="proportion", r="yes")
            rows.append(row.of_estimate(rate.estimate))
            rows.append(
                replace(mine, statistic="n_risk", term=at, value=float(rate.n_risk), r="yes")
            )
    if result.logrank is not None:
        both = replace(
            base, statistic="logrank", n=result.overall.n, events=result.overall.n_event, r="yes"
        )
        rows += both.of_test(result.logrank)
    for ratio in result.hazard_ratios:
        mine = replace(base, group=ratio.group, n=ratio.n, events=ratio.n_event, r="yes")
        row = replace(mine, statistic="hazard_ratio").of_estimate(ratio.hazard_ratio)
        rows.append(replace(row, method=f"Cox, {ratio.ties.value}, Wald"))
        if ratio.test is not None:
            rows.append(replace(mine, statistic="hazard_ratio").of_test(ratio.test)[2])
    rows.append(
        replace(
            base,
            statistic="n_not_included",
            value=float(sum(len(loss.subjects) for loss in result.losses) + result.n_unknown_group),
        )
    )
    return tuple(rows)


def r_code(result: KaplanMeierResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``d`` of the patients of this comparison, with ``time`` (raw
    unit), ``event`` (1 or 0), ``group`` where there are groups (a factor, the reference first),
    and ``entry`` where entry is delayed. A rate after the last time is carried forward by R, and
    "not estimable" here.
    """
    spec = result.spec
    times = ", ".join(repr(rate.at * result.unit_factor) for rate in result.overall.rates)
    entry = "d$entry, " if result.delayed_entry else ""
    known = "0, d$entry, d$time" if result.delayed_entry else "0, d$time"
    interval = f'conf.type = "{spec.conf_type}", conf.int = {spec.conf_level}'
    lines = ["library(survival)", f"y <- Surv({entry}d$time, d$event)"]
    if spec.follow_up_ties == "prodlim":
        lines += [
            "# follow-up: who has the event leaves just before those censored at the same time",
            f"gap <- min(diff(sort(unique(c({known})))), 1) / 2",
            f"reverse <- Surv({entry}d$time - gap * d$event, 1 - d$event)",
        ]
    else:
        lines.append(f"reverse <- Surv({entry}d$time, 1 - d$event)")
    groups = ", d$group" if spec.by else ""
    lines += [
        f'for (group in list(rep("all", nrow(d)){groups})) {{',
        f"  fit <- survfit(y ~ group, {interval})",
        "  print(fit)",
        "  print(quantile(fit, c(0.25, 0.5, 0.75)))",
    ]
    if times:
        lines.append(f"  print(summary(fit, times = c({times}), extend = TRUE))")
    lines += [f"  print(quantile(survfit(reverse ~ group, {interval}), 0.5))", "}"]
    if spec.by and result.delayed_entry:
        lines += [
            "# survdiff knows no entry: the score test of the exact Cox model is the log-rank test",
            'test <- coxph(y ~ d$group, ties = "exact")$score',
            "df <- length(unique(d$group)) - 1",
            "print(c(chisq = test, df = df, p = pchisq(test, df, lower.tail = FALSE)))",
        ]
    elif spec.by:
        lines.append("print(survdiff(y ~ d$group))")
    if reference_of(result.hazard_ratios) is not None:
        lines += [
            "group <- factor(d$group)  # its first level is the reference",
            "control <- coxph.control(eps = 1e-11, iter.max = 200)",
            f'fit <- coxph(y ~ group, ties = "{result.hazard_ratios[0].ties.value}", '
            "control = control)",
            f"print(summary(fit, conf.int = {spec.conf_level}))",
        ]
    return "\n".join(lines) + "\n"
