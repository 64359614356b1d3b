"""Product-limit survival, overall or by group, with log-rank and follow-up."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import (
    by_words,
    groups_in_words,
    patients_listed,
    percent_level,
)
from sts_core.analysis.conventions import SurvivalMethods, by_convention, survival_methods
from sts_core.analysis.curve_options import CurveOptions, counts_every_death
from sts_core.analysis.curve_reading import (
    DEFAULT_LANDMARKS,
    Rate,
    axis_ticks,
    chosen_time,
    few_at_risk_from,
    rates_at,
)
from sts_core.analysis.followed import FollowedResult, emptied_note, follow, kinds_of
from sts_core.analysis.group_rules import group_notes
from sts_core.analysis.hazard_ratio import (
    GroupHazardRatio,
    footnotes_of,
    hazard_ratios,
    reference_of,
    sentence_of,
)
from sts_core.analysis.landmark import (
    Landmark,
    from_landmark,
)
from sts_core.analysis.provenance import provenance_of, says_subset
from sts_core.cohort import Cohort
from sts_core.derive import SurvivalData, rule_sentences
from sts_core.display import (
    REASONS,
    Cell,
    Column,
    DisplayTable,
    Format,
    counted,
    format_estimate,
    format_number,
    format_percent,
    joined,
)
from sts_core.estimates import (
    Estimate,
    NotEstimable,
    TestResult,
    estimate_or_reason,
    not_estimable,
)
from sts_core.estimators.follow_up import FollowUpTies, reverse_curve
from sts_core.estimators.log_rank import LogRankWeights, log_rank
from sts_core.estimators.product_limit import (
    ProductLimit,
    Quantile,
    QuantileRule,
    at_risk_from_curve,
    confidence_limits,
    product_limit,
    quantiles,
    restricted_mean,
    survival_at,
    symmetric_quantile,
)
from sts_core.members import (
    Count,
    CountedText,
    FromLandmark,
    HasTime,
    Members,
    TimeState,
    of_group,
)
from sts_core.results import ResultRow
from sts_core.study.types import ConventionName, TimeUnit

KIND: Final = "kaplan_meier"
MAX_RATES_IN_WORDS: Final = 3


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
        Coverage of intervals, and the scale on which they are symmetric; the scale of the study
        when ``None``, else that of its convention.
    landmarks
        Times at which survival is read, in the display unit; the unit's usual ones when ``None``,
        none when empty.
    tick_step, horizon
        Distance of the axis ticks and end of the axis, in the display unit; chosen when ``None``.
    follow_up_ties
        Whether patients with an event leave before those censored at the same time.
    mean_horizon
        End of the restricted mean, in the display unit; by default the smallest of the groups'
        largest times (other conventions have other defaults).
    convention
        Whose rules decide what is ``None`` here; those of the study when ``None``.
    quantile_rule, quantile_interval
        Which time is the median on a stretch that is flat at exactly one half, and whether its
        interval is read from the band or symmetric.
    time_unit
        Display unit in place of the endpoint's.
    drawing
        How the figure is drawn.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    landmark
        Time, in the display unit, from which on times count, in those still under observation
        without an event; from time zero when ``None``.
    known_on
        With a landmark: key of the date (or time) on which a patient's group became known.
    """

    endpoint: str
    by: str | None = None
    levels: tuple[str, ...] | None = None
    conf_level: float = 0.95
    conf_type: Literal["log-log", "log", "plain", "logit", "arcsin"] | None = None
    landmarks: tuple[float, ...] | None = None
    tick_step: float | None = None
    horizon: float | None = None
    follow_up_ties: Literal["prodlim", "flip"] | None = None
    mean_horizon: float | None = None
    convention: ConventionName | None = None
    quantile_rule: Literal["midpoint", "midpoint-or-none", "first"] | None = None
    quantile_interval: Literal["band", "symmetric"] | None = None
    time_unit: TimeUnit | None = None
    drawing: CurveOptions = CurveOptions()
    population: str | None = None
    landmark: float | None = None
    known_on: str | None = None
    kind: Literal["kaplan_meier"] = KIND

    def __post_init__(self) -> None:
        if not 0 < self.conf_level < 1:
            raise ValueError(f"conf_level must lie in (0, 1), but was {self.conf_level}")
        for name in ("tick_step", "horizon", "mean_horizon", "landmark"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be above 0, but was {value}")
        for mark in self.landmarks or ():
            if not 0 <= mark < math.inf:
                raise ValueError(f"landmarks must be finite and not below 0, but one was {mark}")
        if self.quantile_interval == "symmetric" and self.quantile_rule not in (None, "first"):
            raise ValueError(
                "a symmetric interval belongs to the rule “first”, but quantile_rule was "
                f"{self.quantile_rule}"
            )
        if self.known_on is not None and self.landmark is None:
            raise ValueError("known_on belongs to a landmark")


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
class MeanTime:
    """Restricted mean: the area under the curve up to a horizon, all in the raw unit.

    The interval is that of the normal distribution; ``std_error`` is ``None`` where the mean is
    not estimable.
    """

    horizon: float | None
    estimate: Estimate
    std_error: float | None


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
        Events of each kind that somebody had, in the endpoint's order.
    median, quartiles
        Time by which half (a quarter, three quarters) had the event.
    rates
        Survival at the landmarks.
    follow_up
        Median of the reverse Kaplan-Meier curve; not estimable where nobody is censored.
    mean
        Restricted mean.
    min_time, min_is_censored, max_time, max_is_censored
        Smallest and largest time, and whether nobody had the event then; 0 without patients.
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
    mean: MeanTime
    min_time: float
    min_is_censored: bool
    max_time: float
    max_is_censored: bool
    censor_times: np.ndarray
    censor_subjects: tuple[str, ...]
    risk: RiskCounts

    @property
    def unreliable_from(self) -> float | None:
        """Time after which fewer than max(5, 10 %) are at risk; ``None`` when that never is."""
        return few_at_risk_from(self.steps.time, self.steps.n_risk, self.n)


@dataclass(frozen=True, slots=True, eq=False)
class KaplanMeierResult(FollowedResult):
    """Curves, comparison and follow-up of one endpoint.

    Attributes
    ----------
    methods
        How curves are read: the convention in force, and what was chosen against it.
    ticks
        Axis ticks in the display unit; the risk counts stand at them.
    overall
        Everyone of the comparison together.
    groups
        Without a comparison ``overall`` alone.
    logrank, other_tests
        Log-rank test, and what the convention sets beside it; ``None`` and empty without groups.
    landmark
        Where times begin to count, and who is left out before; ``None`` from time zero on.
    group_notes
        How the groups are made, where they are not those of the file.
    hazard_ratios
        Of each group against the reference group, in the order of ``groups``; empty without a
        comparison of at least two.
    every_death
        Whether death from any cause is an event, so that none competes with the others.
    """

    spec: KaplanMeierSpec
    methods: SurvivalMethods
    ticks: tuple[float, ...]
    overall: SurvivalGroup
    groups: tuple[SurvivalGroup, ...]
    logrank: TestResult | None
    footnotes: tuple[str, ...]
    hazard_ratios: tuple[GroupHazardRatio, ...] = ()
    other_tests: tuple[TestResult, ...] = ()
    every_death: bool = False
    landmark: Landmark | None = None

    @property
    def counted_from(self) -> FromLandmark | None:
        """The landmark from which times count; ``None`` for time zero."""
        return from_landmark(self.spec)

    group_notes: tuple[str, ...] = ()


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

    Raises
    ------
    StudyError
        When a variable isn't there, and for groups formed after time zero without a landmark.
    KeyError
        When the study has no such endpoint.

    References
    ----------
    .. [1] Kaplan and Meier, J Am Stat Assoc 53 (1958) 457-481.
    .. [2] Brookmeyer and Crowley, Biometrics 38 (1982) 29-41: interval of the median.
    .. [3] Schemper and Smith, Control Clin Trials 17 (1996) 343-346: follow-up.
    .. [4] Karrison, Control Clin Trials 18 (1997) 151-167: restricted mean.
    """
    followed = follow(cohort, spec, landmark=spec.landmark, known_on=spec.known_on)
    cohort, data, endpoint = followed.cohort, followed.data, followed.endpoint
    levels, codes, used = followed.levels, followed.codes, followed.used
    methods = survival_methods(
        cohort.study,
        convention=spec.convention,
        conf_type=spec.conf_type,
        quantile_rule=spec.quantile_rule,
        quantile_interval=spec.quantile_interval,
        follow_up_ties=spec.follow_up_ties,
    )
    unit, display_unit, factor = endpoint.raw_unit, endpoint.display_unit, endpoint.display_factor
    time, event = data.time[used], data.event
    entry = None if data.entry is None else data.entry[used]
    horizon = spec.horizon or (float(time.max()) / factor if len(time) else 1.0)
    ticks = axis_ticks(horizon, display_unit, spec.tick_step, cut=spec.horizon is not None)
    landmarks = DEFAULT_LANDMARKS[display_unit] if spec.landmarks is None else spec.landmarks
    mean_end = _mean_end(spec, methods, time, None if levels is None else codes[used], factor)

    def one_group(mask: np.ndarray, label: str, slot: int | None) -> SurvivalGroup:
        return _group(
            data, event, mask, label, slot, methods, spec.conf_level, ticks, landmarks, factor,
            mean_end,
        )  # fmt: skip

    overall = one_group(used, "All patients", 0)
    groups: tuple[SurvivalGroup, ...] = (overall,)
    tests: list[TestResult] = []
    ratios: tuple[GroupHazardRatio, ...] = ()
    if levels is not None:
        groups = tuple(
            one_group(codes == i, level, levels.slots[level])
            for i, level in enumerate(followed.chosen)
        )
        tests = [
            log_rank(
                time, event[used], codes[used],
                levels=range(len(followed.chosen)), entry=entry, weights=weights,
            ).to_test_result()
            for weights in methods.convention.log_rank_weights
        ]  # fmt: skip
        ratios = hazard_ratios(
            time, event[used], codes[used], followed.chosen,
            reference=levels.reference, entry=entry, ties=methods.convention.ties,
            conf_level=spec.conf_level,
        )  # fmt: skip
    result = KaplanMeierResult(
        spec=spec,
        methods=methods,
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
        logrank=tests[0] if tests else None,
        n_unknown_group=followed.n_unknown_group,
        n_other_groups=followed.n_other_groups,
        losses=data.losses,
        provenance=provenance_of(cohort, spec.by),
        footnotes=(),
        delayed_entry=entry is not None,
        add_one_day=endpoint.from_dates and endpoint.add_one_day,
        rules=rule_sentences(cohort, spec.endpoint, endpoint, data, from_landmark(spec)),
        hazard_ratios=ratios,
        other_tests=tuple(tests[1:]),
        every_death=counts_every_death(endpoint),
        landmark=followed.landmark,
        group_notes=group_notes(cohort, spec.by),
    )
    return replace(result, footnotes=_footnotes(result))


def _mean_end(
    spec: KaplanMeierSpec,
    methods: SurvivalMethods,
    time: np.ndarray,
    codes: np.ndarray | None,
    factor: float,
) -> float | None:
    """Give where restricted means end, in the raw unit; ``None`` for each group's largest time."""
    if spec.mean_horizon is not None:
        return spec.mean_horizon * factor
    if methods.convention.mean_horizon == "own" or not len(time):
        return None
    if methods.convention.mean_horizon == "largest" or codes is None:
        return float(time.max())
    largest = np.full(int(codes.max()) + 1, -1.0)
    np.maximum.at(largest, codes, time)
    return float(largest[largest >= 0].min())


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
    methods: SurvivalMethods,
    conf_level: float,
    ticks: Sequence[float],
    landmarks: Sequence[float],
    factor: float,
    mean_end: float | None,
) -> SurvivalGroup:
    time, event = data.time[mask], events[mask]
    entry = None if data.entry is None else data.entry[mask]
    curve = product_limit(time, event, entry=entry)
    scale = methods.conf_type
    low, high = confidence_limits(curve, conf_level, scale)

    def times_of(
        of: ProductLimit,
        *probabilities: float,
        band: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> list[Estimate]:
        if methods.quantile_interval == "symmetric":
            found = tuple(symmetric_quantile(of, share, conf_level) for share in probabilities)
        else:
            found = quantiles(
                of, probabilities, conf_level, scale, methods.quantile_rule, band=band
            )
        return [_as_estimate(one, NotEstimable.NOT_REACHED) for one in found]

    at = survival_at(
        curve, [mark * factor for mark in landmarks], conf_level, scale,
        extend=methods.convention.carries_forward,
    )  # fmt: skip
    lower, median, upper = times_of(curve, 0.25, 0.5, 0.75, band=(low, high))
    reverse = reverse_curve(curve, methods.follow_up_ties)
    counts = at_risk_from_curve(curve, [tick * factor for tick in ticks])
    of_kind = Counter(data.kind[mask & events].tolist())
    censored = np.argsort(time, kind="stable")
    censored = censored[~event[censored]]
    first, last = (float(time.min()), float(time.max())) if len(time) else (0.0, 0.0)
    return SurvivalGroup(
        label=label,
        slot=slot,
        n=len(time),
        n_event=int(event.sum()),
        events_by_kind={k: n for k in kinds_of(data.endpoint) if (n := of_kind[k])},
        steps=Steps(
            curve.time, curve.n_risk, curve.n_event, curve.n_censor,
            curve.estimate, curve.std_error, low, high,
        ),
        median=median,
        quartiles=(lower, upper),
        rates=rates_at(landmarks, at, conf_level, scale.value),
        follow_up=(
            times_of(reverse, 0.5)[0]
            if len(censored) or not len(time)
            # follow-up ended for nobody: its distribution is not known, however long it was
            else not_estimable(
                NotEstimable.NO_CENSORING, conf_level=conf_level, method=scale.value
            )
        ),
        mean=_mean_time(curve, mean_end, conf_level, methods),
        min_time=first,
        min_is_censored=bool(len(time)) and not bool(event[time == first].any()),
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


def _mean_time(
    curve: ProductLimit, end: float | None, conf_level: float, methods: SurvivalMethods
) -> MeanTime:
    method = "normal"
    if end is None and curve.n:
        end = curve.last_time
    if end is None or end <= 0 or not curve.n:
        why = NotEstimable.BEYOND_FOLLOW_UP if curve.n else NotEstimable.NO_SUBJECTS
        return MeanTime(end, not_estimable(why, conf_level=conf_level, method=method), None)
    found = restricted_mean(curve, end, conf_level, extend=methods.convention.carries_forward)
    # where nothing varies by then (no event), the formula gives an interval of no width
    spread = bool(found.std_error > 0)
    return MeanTime(
        end,
        estimate_or_reason(
            found.value, found.low if spread else math.nan, found.high if spread else math.nan,
            conf_level=conf_level, method=method,
            reason=found.reason or NotEstimable.BEYOND_FOLLOW_UP,
            limit_reason=NotEstimable.NO_VARIATION,
        ),
        None if math.isnan(found.std_error) else found.std_error,
    )  # fmt: skip


# --- table ---------------------------------------------------------------------------------------


def survival_table(result: KaplanMeierResult) -> DisplayTable:
    """Give patients, events, median, rates and hazard ratios by group."""
    unit = result.display_unit.value
    level = f"{percent_level(result.spec.conf_level)} CI"
    stub = result.by_label or "Group"
    columns = [
        Column("group", stub),
        Column("n", "N", Format.INTEGER),
        Column("events", "Events", Format.INTEGER),
        Column("median", f"Median, {unit} ({level})", Format.ESTIMATE),
    ]
    for rate in result.overall.rates:
        at = chosen_time(rate.at)
        when = f"At {at} {unit}"
        columns.append(Column(f"rate_{at}", f"% ({level})", Format.ESTIMATE_PERCENT, spanner=when))
        columns.append(Column(f"risk_{at}", "At risk", Format.INTEGER, spanner=when))
    if result.hazard_ratios:
        columns.append(Column("hazard_ratio", f"HR ({level})", Format.ESTIMATE, decimals=2))
    ratio_of = {ratio.group: ratio.hazard_ratio for ratio in result.hazard_ratios}
    rows = []
    members: dict[tuple[int, str], Members] = {}
    for place, (label, group) in enumerate(_shown_groups(result)):
        row: dict[str, Cell] = {
            "group": label,
            "n": group.n,
            "events": group.n_event,
            "median": group.median.scaled(result.unit_factor),
        }
        for rate in group.rates:
            row[f"rate_{chosen_time(rate.at)}"] = rate.estimate
            row[f"risk_{chosen_time(rate.at)}"] = rate.n_risk
            members[place, f"risk_{chosen_time(rate.at)}"] = time_members(
                result, group, "at_risk", rate.at
            )
        members[place, "n"] = time_members(result, group)
        members[place, "events"] = time_members(result, group, "event")
        if result.hazard_ratios:
            row["hazard_ratio"] = None if group is result.overall else ratio_of[group.label]
        rows.append(row)
    table = DisplayTable(_title(result), tuple(columns), tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


def more_estimates_table(result: KaplanMeierResult) -> DisplayTable:
    """Give events by kind, quartiles, restricted mean, follow-up and range of times by group."""
    unit, factor = result.display_unit.value, result.unit_factor
    level = f"{percent_level(result.spec.conf_level)} CI"
    shown = _shown_groups(result)
    kinds = tuple(result.overall.events_by_kind)
    columns = [
        Column("group", result.by_label or "Group"),
        Column("events_of_n", "Events/N"),
        *(
            Column(f"kind_{at}", kind, Format.INTEGER, spanner="Events by kind")
            for at, kind in enumerate(kinds)
            if len(kinds) > 1
        ),
        Column(
            "quartile_25", f"25% with the event ({level})", Format.ESTIMATE, spanner=f"Time, {unit}"
        ),
        Column(
            "quartile_75", f"75% with the event ({level})", Format.ESTIMATE, spanner=f"Time, {unit}"
        ),
        Column("mean", f"Mean ({level})", Format.ESTIMATE, spanner=f"Restricted mean, {unit}"),
        Column("mean_se", "SE", Format.NUMBER, decimals=2, spanner=f"Restricted mean, {unit}"),
        Column("follow_up", f"Follow-up, {unit} ({level})", Format.ESTIMATE),
        Column("range", f"Range, {unit}"),
    ]
    rows = []
    members = {
        (place, f"kind_{at}"): time_members(result, group, "event", kind=kind)
        for place, (_, group) in enumerate(shown)
        for at, kind in enumerate(kinds)
    }
    for label, group in shown:
        lower, upper = group.quartiles
        row: dict[str, Cell] = {
            "group": label,
            "events_of_n": CountedText.of(
                Count(str(group.n_event), time_members(result, group, "event")),
                "/",
                Count(str(group.n), time_members(result, group)),
            ),
            "quartile_25": lower.scaled(factor),
            "quartile_75": upper.scaled(factor),
            "mean": group.mean.estimate.scaled(factor),
            "mean_se": None if group.mean.std_error is None else group.mean.std_error / factor,
            "follow_up": group.follow_up.scaled(factor),
            "range": _range(group, factor),
        }
        if len(kinds) > 1:
            row |= {
                f"kind_{at}": group.events_by_kind.get(kind, 0) for at, kind in enumerate(kinds)
            }
        rows.append(row)
    base, *_ = result.footnotes
    one_kind = [f"Events: {kind}." for kind in kinds] if len(kinds) == 1 else []
    notes = (
        base,
        *one_kind,
        _mean_note(result),
        *_follow_up_notes(result),
        "Range: smallest to largest time; +, nobody had the event then (censored).",
        *result.methods.notes,
        *result.provenance.footnotes,
    )
    title = f"{_title(result)}: more estimates"
    table = DisplayTable(title, tuple(columns), tuple(rows), notes, members)
    return result.provenance.marked(table)


def _shown_groups(result: KaplanMeierResult) -> list[tuple[str, SurvivalGroup]]:
    """List what has a row in a table; everyone together comes last in a comparison."""
    if not result.is_comparison:
        return [(result.overall.label, result.overall)]
    return [*((group.label, group) for group in result.groups), ("All of these", result.overall)]


def _title(result: KaplanMeierResult) -> str:
    return f"{result.endpoint_label}{by_words(result.by_label)}"


def _range(group: SurvivalGroup, factor: float) -> str:
    if not group.n:
        return "NE"
    ends = (group.min_time, group.min_is_censored), (group.max_time, group.max_is_censored)
    return " to ".join(
        f"{format_number(time / factor)}{'+' if censored else ''}" for time, censored in ends
    )


def _mean_note(result: KaplanMeierResult) -> str:
    """Say up to where restricted means go, and why."""
    area = "Restricted mean: area under the curve"
    carried = " (a curve that ends before is carried on)"
    if result.spec.mean_horizon is not None:
        end, why = result.spec.mean_horizon * result.unit_factor, "as chosen"
    else:
        end = result.overall.mean.horizon or 0.0
        why = {
            "common": "the smallest of the groups' largest times",
            "largest": "the largest time of all groups",
            "own": "",
        }[result.methods.convention.mean_horizon]
        if not result.is_comparison:
            why = "the largest time"
        if not why:
            return f"{area} up to the largest time of each group; its interval is mean ± z SE."
    text = f"{area} up to {format_number(end / result.unit_factor)} {result.display_unit.value}"
    if not result.methods.convention.carries_forward:
        carried = ""
    return f"{text}, {why}{carried}; its interval is mean ± z SE."


def time_members(
    result: KaplanMeierResult,
    group: SurvivalGroup,
    state: TimeState = "usable",
    at: float | None = None,
    *,
    kind: str | None = None,
) -> Members:
    """Describe the patients of a group with a time to the event, ``at`` in the display unit."""
    groups = result.groups if group is result.overall else (group,)
    levels = tuple(one.label for one in groups)
    spec = result.spec
    landmark = from_landmark(spec)
    among = of_group(spec.by, levels, population=spec.population, landmark=landmark)
    raw = None if at is None else at * result.unit_factor
    return among.and_also(HasTime(spec.endpoint, state, raw, kind, landmark=landmark))


# --- words ---------------------------------------------------------------------------------------


def counts_in_words(result: KaplanMeierResult, group: SurvivalGroup) -> CountedText:
    """Write ``51 patients, 39 events``, with who they are."""
    return CountedText.of(
        patients_listed(group.n, time_members(result, group)),
        ", ",
        Count(counted(group.n_event, "event"), time_members(result, group, "event")),
    )


def _footnotes(result: KaplanMeierResult) -> tuple[str, ...]:
    spec = result.spec
    notes: list[str] = [
        CountedText.of(
            counts_in_words(result, result.overall),
            f". Kaplan-Meier estimates, {percent_level(spec.conf_level)} confidence intervals on "
            f"the {result.methods.conf_type.value} scale; NR, not reached; NE, not estimable.",
        )
    ]
    notes += result.group_notes
    if result.landmark is not None:
        notes += result.landmark.notes(spec)
    if result.logrank is not None:
        scope = result.scope
        text = result.provenance.test_words(result.logrank)
        notes.append(f"Log-rank test, two-sided{f', {scope}' if scope else ''}: {text}.")
        notes += [
            f"{_TEST_NAMES[test.name]}, two-sided{f', {scope}' if scope else ''}: "
            f"{result.provenance.test_words(test)}."
            for test in result.other_tests
        ]
    if result.is_comparison:
        notes += footnotes_of(result.hazard_ratios, len(result.groups))
    notes += result.time_notes
    for group in dict.fromkeys((*result.groups, result.overall)):
        steps = group.steps
        notes += emptied_note(result, group.label, steps.time, steps.n_risk, steps.estimate)
    notes.append(
        "At risk counts times at or after the tick, events and censored those before it; "
        "a survival rate includes its own time."
    )
    notes += _follow_up_notes(result)
    notes += result.methods.notes
    notes += result.left_out_notes
    notes += result.closing_notes
    return tuple(notes)


def _follow_up_notes(result: KaplanMeierResult) -> list[str]:
    """Say how follow-up is estimated, and where it can't be."""
    ties = (
        "events leaving before censorings at the same time"
        if result.methods.follow_up_ties is FollowUpTies.EVENTS_LEAVE_FIRST
        else "event indicator flipped"
    )
    notes = [f"Follow-up by reverse Kaplan-Meier, {ties}."]
    uncensored = [
        group.label
        for group in dict.fromkeys((*result.groups, result.overall))
        if group.follow_up.reason is NotEstimable.NO_CENSORING
    ]
    if uncensored:
        who = f" in {joined(uncensored)}" if result.is_comparison else ""
        notes.append(f"Follow-up NE{who}: {REASONS[NotEstimable.NO_CENSORING]}.")
    return notes


_TEST_NAMES: Final = {
    LogRankWeights.GEHAN_BRESLOW.value: "Gehan-Breslow test (weighted by the number at risk)",
    LogRankWeights.TARONE_WARE.value: "Tarone-Ware test (weighted by the root of that number)",
}


def methods_sentence(result: KaplanMeierResult) -> str:
    """Say how it was done, for the methods section."""
    spec = result.spec
    text = (
        f"{result.endpoint_label} was estimated by the Kaplan-Meier method, with "
        f"{percent_level(spec.conf_level)} confidence intervals on the "
        f"{result.methods.conf_type.value} scale"
    )
    if result.methods.quantile_interval == "symmetric":
        text += " and symmetric ones of medians"
    text += by_convention(result.methods.convention)
    if result.is_comparison:
        others = [_TEST_NAMES[test.name].split(" test")[0] for test in result.other_tests]
        text += (
            f", and compared between groups by two-sided {joined(['log-rank', *others])} tests"
            if others
            else ", and compared between groups by the two-sided log-rank test"
        )
        if reference_of(result.hazard_ratios) is not None:
            text += " and by hazard ratios of a Cox proportional hazards model"
    if result.landmark is not None:
        text += (
            f"; times count from a landmark at {result.landmark.words}, in patients still under "
            "observation without an event"
        )
    return text + "; follow-up was estimated by the reverse Kaplan-Meier method."


@says_subset
def result_sentences(result: KaplanMeierResult) -> tuple[str, ...]:
    """Say what was found, without causal words; right when nothing is reached."""
    unit, level = result.display_unit.value, percent_level(result.spec.conf_level)
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
        if group.rates and len(result.groups) <= MAX_RATES_IN_WORDS:
            out.append(f"{who}, {_rates_text(group, unit, level)}.")
    if result.logrank is not None and len(result.groups) > 1:
        scope = result.scope
        compared = [group.label for group in result.groups if group.n > 0]
        between = f" between {groups_in_words(compared)}" if len(compared) > 1 else ""
        found = result.provenance.test_words(result.logrank)
        out.append(f"Log-rank test{between}{f' ({scope})' if scope else ''}: {found}.")
    ratios = sentence_of(result.hazard_ratios)
    if ratios is not None:
        out.append(ratios)
    follow_up = result.overall.follow_up.scaled(result.unit_factor)
    if follow_up.value is not None:
        out.append(
            f"Median follow-up was {format_estimate(follow_up, interval=False)} {unit}"
            f"{_limits(follow_up, level)}."
        )
    elif follow_up.reason is NotEstimable.NOT_REACHED:
        out.append(f"Median follow-up was not reached{_limits(follow_up, level, unit)}.")
    elif follow_up.reason is not None and result.overall.n:
        out.append(f"Median follow-up is not estimable ({REASONS[follow_up.reason]}).")
    return tuple(out)


def _rates_text(group: SurvivalGroup, unit: str, level: str) -> str:
    """Say how many were without the event at the chosen times, and where nothing is known."""
    known, unknown = [], []
    for rate in group.rates:
        found, at = rate.estimate, f"{chosen_time(rate.at)} {unit}"
        if found.value is None:
            unknown.append(at)
            continue
        limits = ""
        if found.low is not None and found.high is not None:
            low, high = format_percent(found.low), format_percent(found.high)
            limits = f" ({level} CI {low} to {high})"
        known.append(f"{format_percent(found.value)}%{limits} at {at}")
    text = f"an estimated {joined(known)} were without the event" if known else ""
    if not unknown:
        return text
    beyond = f"follow-up gives no estimate at {joined(unknown)}"
    return f"{text}; {beyond}" if text else beyond


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
    landmark = result.landmark
    base = replace(
        result.provenance.row(KIND),
        endpoint=spec.endpoint,
        group_var=spec.by,
        landmark=None if landmark is None else landmark.words,
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
        rows += _range_rows(replace(mine, unit=unit, r="yes"), group)
        by_package = (
            result.methods.quantile_interval == "band"
            and result.methods.quantile_rule is QuantileRule.MIDPOINT
        )
        timed = replace(mine, unit=unit, r="yes" if by_package else "formula")
        rows.append(replace(timed, statistic="median").of_estimate(group.median))
        for name, quartile in zip(("quartile_25", "quartile_75"), group.quartiles, strict=True):
            rows.append(replace(timed, statistic=name).of_estimate(quartile))
        rows.append(
            replace(timed, statistic="follow_up_median", r="formula").of_estimate(group.follow_up)
        )
        rows += _mean_rows(replace(timed, r="yes"), group.mean, result)
        for rate in group.rates:
            at = f"{chosen_time(rate.at)} {result.display_unit.value}"
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
        for test in result.other_tests:
            name = test.name.replace("-", "_")
            rows += replace(both, statistic=name, r="none").of_test(test)
    for ratio in result.hazard_ratios:
        mine = replace(base, group=ratio.group, n=ratio.n, events=ratio.n_event, r="yes")
        row = replace(mine, statistic="hazard_ratio").of_estimate(ratio.hazard_ratio)
        rows.append(replace(row, method=f"Cox, {ratio.ties.value}, Wald"))
        if ratio.test is not None:
            rows.append(replace(mine, statistic="hazard_ratio").of_test(ratio.test)[2])
    rows.append(replace(base, statistic="n_not_included", value=float(result.n_not_included)))
    if landmark is not None:
        rows += landmark.rows(base)
    return tuple(rows)


def _range_rows(base: ResultRow, group: SurvivalGroup) -> list[ResultRow]:
    """Give the smallest and the largest time; the level says whether it is an event."""
    if not group.n:
        return []
    ends = (
        ("time_min", group.min_time, group.min_is_censored),
        ("time_max", group.max_time, group.max_is_censored),
    )
    return [
        replace(base, statistic=name, value=time, level="censored" if censored else "event")
        for name, time, censored in ends
    ]


def _mean_rows(base: ResultRow, mean: MeanTime, result: KaplanMeierResult) -> list[ResultRow]:
    """Give a restricted mean and its standard error; the term says up to where."""
    end = mean.horizon
    term = None if end is None else f"{end / result.unit_factor:.6g} {result.display_unit.value}"
    row = replace(base, statistic="restricted_mean", term=term).of_estimate(mean.estimate)
    reason = mean.estimate.reason
    error = replace(
        base, statistic="restricted_mean_se", term=term, value=mean.std_error,
        status="estimated" if mean.std_error is not None else "not_estimable",
        reason=reason.value if reason else None,
    )  # fmt: skip
    return [row, error]


def r_code(result: KaplanMeierResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``d`` of the patients of this comparison, with ``time`` (raw
    unit), ``event`` (1 or 0), ``group`` where there are groups (a factor, the reference first),
    and ``entry`` where entry is delayed. A rate after the last time is carried forward by R, and
    "not estimable" here unless the convention is R's.
    """
    spec, methods = result.spec, result.methods
    times = ", ".join(repr(rate.at * result.unit_factor) for rate in result.overall.rates)
    entry = "d$entry, " if result.delayed_entry else ""
    interval = f'conf.type = "{methods.conf_type.value}", conf.int = {spec.conf_level}'
    mean = result.overall.mean.horizon
    own = spec.mean_horizon is None and methods.convention.mean_horizon == "own"
    rmean = '"individual"' if own or mean is None else repr(mean)
    lines = ["library(survival)", f"y <- Surv({entry}d$time, d$event)"]
    if methods.follow_up_ties is FollowUpTies.EVENTS_LEAVE_FIRST:
        lines += [
            "# follow-up: who has the event leaves just before those censored at the same time",
            "reverse <- aeqSurv(y)",
            "k <- ncol(reverse)",
            "reverse[, k - 1] <- reverse[, k - 1] - 1e-9 * reverse[, k]",
            "reverse[, k] <- 1 - reverse[, k]",
        ]
    else:
        lines.append(f"reverse <- aeqSurv(Surv({entry}d$time, 1 - d$event))")
    lines += _R_QUANTILES[methods.quantile_interval, methods.quantile_rule]
    groups = ", d$group" if spec.by else ""
    lines += [
        f'for (group in list(rep("all", nrow(d)){groups})) {{',
        f"  fit <- survfit(y ~ group, {interval})",
        f"  try(print(fit, rmean = {rmean}))",
        f"  print(quantiles(fit, c(0.25, 0.5, 0.75), {spec.conf_level}))",
    ]
    if times:
        lines.append(f"  print(summary(fit, times = c({times}), extend = TRUE))")
    lines += [
        f"  follow_up <- survfit(reverse ~ group, {interval}, timefix = FALSE)",
        f"  print(quantiles(follow_up, 0.5, {spec.conf_level}))",
        "}",
    ]
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


_R_BY_CURVE = [
    "by_curve <- function(fit, one) {",
    "  if (is.null(fit$strata)) return(one(fit))",
    "  sapply(seq_along(fit$strata), function(k) one(fit[k]))",
    "}",
]
_R_PACKAGE = ["quantiles <- function(fit, p, level) quantile(fit, p)"]
_R_MIDPOINT_OR_NONE = [
    "# the middle of a flat stretch at exactly 1 - p, and NA where no step follows",
    "quantiles <- function(fit, p, level) {",
    "  at <- function(s, t, q) {",
    "    same <- which(abs(s - q) < 1.5e-8); below <- which(s < q - 1.5e-8)",
    "    if (!length(below)) NA else if (length(same)) (t[same[1]] + t[below[1]]) / 2",
    "    else t[below[1]]",
    "  }",
    "  one <- function(f) sapply(1 - p, function(q) sapply(",
    "    list(f$surv, f$lower, f$upper), at, f$time, q))",
    "  by_curve(fit, one)",
    "}",
]
_R_FIRST = [
    "# the first time at which at most 1 - p is left, on the curve and on its band",
    "quantiles <- function(fit, p, level) {",
    "  one <- function(f) sapply(1 - p, function(q) sapply(",
    "    list(f$surv, f$lower, f$upper), function(s) f$time[which(s <= q + 1.5e-8)[1]]))",
    "  by_curve(fit, one)",
    "}",
]
_R_SYMMETRIC = [
    "# the first time at which at most 1 - p is left, with the interval t -/+ z SE(S) / slope",
    "quantiles <- function(fit, p, level) {",
    "  one <- function(f) sapply(1 - p, function(q) {",
    "    e <- f$n.event > 0; t <- f$time[e]; s <- f$surv[e]; tol <- 1.5e-8",
    "    at <- which(s <= q + tol)[1]",
    "    u <- rev(which(s >= q + 0.05 - tol))[1]; l <- which(s <= q - 0.05 + tol)[1]",
    "    se <- (s * f$std.err[e])[at] * (t[l] - t[u]) / (s[u] - s[l])",
    "    z <- qnorm((1 + level) / 2)",
    "    c(t[at], max(0, t[at] - z * se), t[at] + z * se)",
    "  })",
    "  by_curve(fit, one)",
    "}",
]
_R_QUANTILES: Final = {
    ("band", QuantileRule.MIDPOINT): _R_PACKAGE,
    ("band", QuantileRule.MIDPOINT_OR_NONE): [*_R_BY_CURVE, *_R_MIDPOINT_OR_NONE],
    ("band", QuantileRule.FIRST): [*_R_BY_CURVE, *_R_FIRST],
    ("symmetric", QuantileRule.FIRST): [*_R_BY_CURVE, *_R_SYMMETRIC],
}
