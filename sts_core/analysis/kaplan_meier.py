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

from sts_core.analysis.comparison import groups_in_words
from sts_core.analysis.conventions import SurvivalMethods, by_convention, survival_methods
from sts_core.analysis.curve_options import CurveOptions, counts_every_death
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
    at_landmark,
    from_landmark,
    refuse_groups_formed_later,
)
from sts_core.analysis.provenance import Provenance, provenance_of, says_subset
from sts_core.cohort import Cohort
from sts_core.derive import Levels, Loss, SurvivalData, levels_of, rule_sentences, survival_data
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
from sts_core.estimators.tied_times import align_follow_up
from sts_core.members import HasTime, Members, TimeState, of_group
from sts_core.populations import cohort_of
from sts_core.results import ResultRow
from sts_core.study.types import ConventionName, Endpoint, TimeUnit

KIND: Final = "kaplan_meier"
MAX_RATES_IN_WORDS: Final = 3
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
#: A stated distance is widened above this.
MOST_TICKS = 100


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


def few_at_risk_from(time: np.ndarray, n_risk: np.ndarray, n: int) -> float | None:
    """Give the time after which a curve rests on few patients until its end.

    Parameters
    ----------
    time, n_risk
        Distinct times of a curve, and how many have a time at or after each; shape (k,).
    n
        Patients of the group.

    Returns
    -------
    float or None
        Last time at which max(5, 10 %) or more are at risk: after it there are fewer. 0 where there
        never are so many, ``None`` where there are until the curve's last step.
    """
    enough = np.flatnonzero(n_risk >= max(UNRELIABLE_AT_RISK, UNRELIABLE_SHARE * n))
    if not len(enough):
        return 0.0 if len(time) else None
    return float(time[enough[-1]]) if enough[-1] + 1 < len(time) else None


@dataclass(frozen=True, slots=True)
class Rate:
    """Survival at a chosen time (display unit), and how many are still at risk there."""

    at: float
    estimate: Estimate
    n_risk: int


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
        Events of each kind.
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
class KaplanMeierResult:
    """Curves, comparison and follow-up of one endpoint.

    Attributes
    ----------
    methods
        How curves are read: the convention in force, and what was chosen against it.
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
    logrank, other_tests
        Log-rank test, and what the convention sets beside it; ``None`` and empty without groups.
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
    other_tests: tuple[TestResult, ...] = ()
    every_death: bool = False
    landmark: Landmark | None = None
    group_notes: tuple[str, ...] = ()

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
    followed = follow(cohort, spec)
    cohort, data, endpoint = followed.cohort, followed.data, followed.endpoint
    levels, chosen, codes, used = followed.levels, followed.chosen, followed.codes, followed.used
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
            one_group(codes == i, level, levels.slots[level]) for i, level in enumerate(chosen)
        )
        tests = [
            log_rank(
                time, event[used], codes[used],
                levels=range(len(chosen)), entry=entry, weights=weights,
            ).to_test_result()
            for weights in methods.convention.log_rank_weights
        ]  # fmt: skip
        ratios = hazard_ratios(
            time, event[used], codes[used], chosen,
            reference=levels.reference, entry=entry, ties=methods.convention.ties,
            conf_level=spec.conf_level,
        )  # fmt: skip
    unknown = int(np.count_nonzero(codes == _UNKNOWN))
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
        n_unknown_group=unknown,
        n_other_groups=data.n - int(used.sum()) - unknown,
        losses=data.losses,
        provenance=provenance_of(cohort, spec.by),
        footnotes=(),
        delayed_entry=entry is not None,
        add_one_day=endpoint.from_dates and endpoint.add_one_day,
        rules=rule_sentences(cohort, endpoint, data),
        hazard_ratios=ratios,
        other_tests=tuple(tests[1:]),
        every_death=counts_every_death(endpoint),
        landmark=followed.landmark,
        group_notes=group_notes(followed.cohort, spec.by),
    )
    return replace(result, footnotes=_footnotes(result))


_OTHER, _UNKNOWN = -1, -2


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Who is followed, and in which group.

    Attributes
    ----------
    cohort
        With the population of the spec.
    data, endpoint
        Times of everybody with a usable one, ties made equal; the endpoint in the unit shown.
    levels, chosen
        Levels of the grouping, and those that are compared; ``None`` and empty without one.
    codes
        Number of each patient's group in ``chosen``; below 0 in another one or where it is not
        known; empty without a grouping.
    used
        Whose times count; shape of ``data.time``.
    landmark
        From which on times count, if from any.
    """

    cohort: Cohort
    data: SurvivalData
    endpoint: Endpoint
    levels: Levels | None
    chosen: tuple[str, ...]
    codes: np.ndarray
    used: np.ndarray
    landmark: Landmark | None


def follow(cohort: Cohort, spec: KaplanMeierSpec) -> Followed:
    """Settle who is followed, from when on, and in which group."""
    cohort = cohort_of(cohort, spec.population)
    refuse_groups_formed_later(cohort, spec.by, spec.landmark)
    data = _with_aligned_ties(survival_data(cohort, spec.endpoint))
    endpoint = data.endpoint
    if spec.time_unit is not None:
        endpoint = replace(endpoint, display_unit=spec.time_unit)
    levels = levels_of(cohort, spec.by) if spec.by else None
    landmark: Landmark | None = None
    if spec.landmark is not None:
        data, levels, landmark = at_landmark(
            cohort,
            replace(data, endpoint=endpoint),
            spec.by,
            levels,
            at=spec.landmark,
            known_on=spec.known_on,
        )
        endpoint = data.endpoint
    chosen = _chosen_levels(levels, spec)
    number_of: dict[str | None, int] = {
        None: _UNKNOWN, **{level: i for i, level in enumerate(chosen)}
    }  # fmt: skip
    labels = () if levels is None else levels.values[data.position].tolist()
    codes = np.array([number_of.get(label, _OTHER) for label in labels], dtype=np.int64)
    used = np.ones(data.n, dtype=bool) if levels is None else codes >= 0
    return Followed(cohort, data, endpoint, levels, chosen, codes, used, landmark)


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


def _with_aligned_ties(data: SurvivalData) -> SurvivalData:
    """Make times that differ only by rounding equal, over all groups together as R does."""
    time, entry = align_follow_up(data.time, data.entry)
    return replace(data, time=time, entry=entry)


def _chosen_levels(levels: Levels | None, spec: KaplanMeierSpec) -> tuple[str, ...]:
    if levels is None:
        return ()
    if spec.levels is None:
        return levels.levels
    return tuple(level for level in levels.levels if level in spec.levels)


def axis_ticks(
    horizon: float, unit: TimeUnit, step: float | None = None, *, cut: bool = False
) -> tuple[float, ...]:
    """Give ticks from 0 to the first one at or past the horizon.

    Parameters
    ----------
    horizon
        Last time to show, in ``unit``.
    unit
        Decides which steps are usual (3, 6 or 12 months).
    step
        Distance; the smallest usual one with at most nine ticks when ``None``. A distance that
        would give over a hundred ticks is taken a whole number of times.
    cut
        Whether the axis ends at the horizon itself, after the last tick before it.
    """
    if step is None:
        usual = TICK_STEPS[unit]
        step = next((s for s in usual if horizon / s <= MAX_TICKS - 1), None)
        step = step or usual[-1] * math.ceil(horizon / usual[-1] / (MAX_TICKS - 1))
    step *= max(1, math.ceil(horizon / step / MOST_TICKS))
    times = round(horizon / step, 9)
    count = max(1, math.ceil(times)) if not cut else math.floor(times)
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

    def times_of(of: ProductLimit, *probabilities: float) -> list[Estimate]:
        if methods.quantile_interval == "symmetric":
            found = tuple(symmetric_quantile(of, share, conf_level) for share in probabilities)
        else:
            found = quantiles(of, probabilities, conf_level, scale, methods.quantile_rule)
        return [_as_estimate(one, NotEstimable.NOT_REACHED) for one in found]

    at = survival_at(
        curve, [mark * factor for mark in landmarks], conf_level, scale,
        extend=methods.convention.carries_forward,
    )  # fmt: skip
    rates = tuple(
        Rate(
            float(mark),
            estimate_or_reason(
                float(at.estimate[i]),
                float(at.conf_low[i]),
                float(at.conf_high[i]),
                conf_level=conf_level,
                method=scale.value,
                reason=at.reason[i] or NotEstimable.BEYOND_FOLLOW_UP,
                limit_reason=at.limit_reason[i] or NotEstimable.NO_EVENTS,
            ),
            int(at.n_risk[i]),
        )
        for i, mark in enumerate(landmarks)
    )
    lower, median, upper = times_of(curve, 0.25, 0.5, 0.75)
    reverse = reverse_curve(curve, methods.follow_up_ties)
    counts = at_risk_from_curve(curve, [tick * factor for tick in ticks])
    censored = np.argsort(time, kind="stable")
    censored = censored[~event[censored]]
    first, last = (float(time.min()), float(time.max())) if len(time) else (0.0, 0.0)
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
            row[f"rate_{_short(rate.at)}"] = rate.estimate
            row[f"risk_{_short(rate.at)}"] = rate.n_risk
            members[place, f"risk_{_short(rate.at)}"] = time_members(
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
    level = f"{_percent(result.spec.conf_level)} CI"
    shown = _shown_groups(result)
    kinds = dict.fromkeys(kind for _, group in shown for kind in group.events_by_kind)
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
            "events_of_n": f"{group.n_event}/{group.n}",
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
    by = f" by {lower_first(result.by_label)}" if result.by_label else ""
    return f"{result.endpoint_label}{by}"


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
        f"{result.methods.conf_type.value} scale; NR, not reached; NE, not estimable."
    ]
    notes += result.group_notes
    if result.landmark is not None:
        notes += result.landmark.notes
    if result.logrank is not None:
        scope = _scope(result)
        text = _test_text(result.logrank, result.provenance)
        notes.append(f"Log-rank test, two-sided{f', {scope}' if scope else ''}: {text}.")
        notes += [
            f"{_TEST_NAMES[test.name]}, two-sided{f', {scope}' if scope else ''}: "
            f"{_test_text(test, result.provenance)}."
            for test in result.other_tests
        ]
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
        "a survival rate includes its own time."
    )
    notes += _follow_up_notes(result)
    notes += result.methods.notes
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


def _test_text(test: TestResult, provenance: Provenance) -> str:
    if test.p_value is None or test.statistic is None:
        return f"not estimable ({REASONS[test.reason]})" if test.reason else "not estimable"
    p = provenance.p(test.p_value)
    return f"χ² = {round_half_up(test.statistic, 2)}, df = {test.df}, {p}"


def methods_sentence(result: KaplanMeierResult) -> str:
    """Say how it was done, for the methods section."""
    spec = result.spec
    text = (
        f"{result.endpoint_label} was estimated by the Kaplan-Meier method, with "
        f"{_percent(spec.conf_level)} confidence intervals on the "
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
        if group.rates and len(result.groups) <= MAX_RATES_IN_WORDS:
            out.append(f"{who}, {_rates_text(group, unit, level)}.")
    if result.logrank is not None and len(result.groups) > 1:
        scope = _scope(result)
        compared = [group.label for group in result.groups if group.n > 0]
        between = f" between {groups_in_words(compared)}" if len(compared) > 1 else ""
        found = _test_text(result.logrank, result.provenance)
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
        found, at = rate.estimate, f"{_short(rate.at)} {unit}"
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
    base = ResultRow(
        KIND,
        "",
        dataset=result.provenance.dataset,
        population=result.provenance.population,
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
        for test in result.other_tests:
            name = test.name.replace("-", "_")
            rows += replace(both, statistic=name, r="none").of_test(test)
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
    if landmark is not None:
        for name, count in (
            ("n_event_before_landmark", landmark.n_event_before),
            ("n_ended_before_landmark", landmark.n_ended_before),
        ):
            rows.append(replace(base, statistic=name, value=float(count)))
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
