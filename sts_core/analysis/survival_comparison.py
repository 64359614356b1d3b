"""Comparison of survival between groups: tests, trend, pairs, differences, proportional hazards."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import percent_level
from sts_core.analysis.conventions import by_convention, survival_methods
from sts_core.analysis.curve_reading import DEFAULT_LANDMARKS
from sts_core.analysis.followed import Followed, FollowedResult, follow
from sts_core.analysis.group_rules import group_notes
from sts_core.analysis.hazard_flags import (
    MAX_NAMED,
    Crossing,
    HazardFlags,
    crosses_at,
    flag_words,
    proportionality,
)
from sts_core.analysis.hazard_ratio import (
    GroupHazardRatio,
    hazard_ratios,
)
from sts_core.analysis.landmark import (
    Landmark,
    from_landmark,
    refuse_covariates_known_later,
)
from sts_core.analysis.provenance import provenance_of
from sts_core.cohort import Cohort
from sts_core.derive import (
    SurvivalData,
    levels_of,
    rule_sentences,
    variable_of,
)
from sts_core.display import (
    format_estimate,
    format_number,
    joined,
)
from sts_core.estimates import Estimate, NotEstimable, TestResult, not_estimable
from sts_core.estimators.bootstrap_median import (
    RESAMPLES,
    bootstrap_medians,
    percentile_difference,
)
from sts_core.estimators.cox_likelihood import Ties
from sts_core.estimators.log_rank import LogRankWeights, log_rank, log_rank_trend
from sts_core.estimators.multiplicity import holm
from sts_core.estimators.permutation import (
    RESAMPLES as PERMUTATIONS,
)
from sts_core.estimators.permutation import (
    PermutationTest,
    permutation_log_rank,
)
from sts_core.estimators.product_limit import ProductLimit, product_limit, quantile
from sts_core.estimators.survival_difference import (
    Difference,
    rate_difference,
    restricted_mean_difference,
)
from sts_core.members import FromLandmark
from sts_core.study.types import ConventionName, TimeUnit, VariableKind

KIND: Final = "survival_comparison"
FEW_EVENTS: Final = 10
"""Fewer events than these, and a permutation P stands beside that of the log-rank test."""
NO_INTERVAL: Final = "none"
"""Method of a difference of medians without a bootstrap."""
MAX_PAIRED: Final = 12
"""Groups up to which every pair is tested; beyond, each against the reference."""

WeightsName = Literal[
    "log-rank", "gehan-breslow", "tarone-ware", "peto-peto", "peto-peto (S-tilde)",
    "modified peto-peto",
]  # fmt: skip
USUAL_TESTS: Final[tuple[WeightsName, ...]] = (
    "log-rank", "gehan-breslow", "tarone-ware", "peto-peto", "modified peto-peto",
)  # fmt: skip
TEST_NAMES: Final[dict[str, str]] = {
    "log-rank": "Log-rank (Mantel-Cox)",
    "gehan-breslow": "Gehan-Breslow (weight n; SPSS: Breslow)",
    "tarone-ware": "Tarone-Ware (weight √n)",
    "peto-peto": "Peto-Peto (weight S; R: survdiff, rho = 1)",
    "peto-peto (S-tilde)": "Peto-Peto (weight S̃; Klein and Moeschberger)",
    "modified peto-peto": "Modified Peto-Peto (weight S̃·n/(n + 1); Andersen)",
}


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class SurvivalComparisonSpec:
    """What to compare, and how.

    Parameters
    ----------
    endpoint
        Code of the endpoint.
    by
        Key of a variable or a grouping; nothing is compared when ``None``.
    levels
        Groups of this comparison, in any order; all when ``None``.
    conf_level
        Coverage of intervals.
    convention
        Whose rules decide where programs differ; that of the study when ``None``.
    tests
        Weighted tests of the log-rank family; the log-rank test is always among them.
    fleming_harrington
        Exponents rho and gamma of a further test, with the weight ``S^rho (1 - S)^gamma``.
    strata
        Variables known at baseline whose levels together are strata of the tests and of the hazard
        ratios; the unstratified ones stand beside.
    trend
        Whether to test for a trend over the groups in their order; where they are ordered when
        ``None``.
    scores
        One number a group for the trend, over all groups of the comparison; 0, 1, 2 when ``None``.
    pairs
        Which pairs of groups to test, where there are more than two groups.
    landmarks
        Times at which rates are compared, in the display unit; the unit's usual ones when ``None``.
    mean_horizon
        End of the restricted means, in the display unit; the smallest of the groups' largest times
        when ``None``.
    landmark, known_on
        Time from which on times count, and when a group became known, as for the curves.
    resamples
        Bootstrap samples for the difference of medians; no interval when 0.
    permutations
        Ways that are drawn for a permutation P where not all can be counted.
    seed
        Start of the random numbers.
    time_unit
        Display unit in place of the endpoint's.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    """

    endpoint: str
    by: str | None = None
    levels: tuple[str, ...] | None = None
    conf_level: float = 0.95
    convention: ConventionName | None = None
    tests: tuple[WeightsName, ...] = USUAL_TESTS
    fleming_harrington: tuple[float, float] | None = None
    strata: tuple[str, ...] = ()
    trend: bool | None = None
    scores: tuple[float, ...] | None = None
    pairs: Literal["all", "reference", "none"] = "all"
    landmarks: tuple[float, ...] | None = None
    mean_horizon: float | None = None
    landmark: float | None = None
    known_on: str | None = None
    resamples: int = RESAMPLES
    permutations: int = PERMUTATIONS
    seed: int = 1
    time_unit: TimeUnit | None = None
    population: str | None = None
    kind: Literal["survival_comparison"] = KIND

    def __post_init__(self) -> None:
        if not 0 < self.conf_level < 1:
            raise ValueError(f"conf_level must lie in (0, 1), but was {self.conf_level}")
        for name in ("mean_horizon", "landmark"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be above 0, but was {value}")
        for number in (*(self.landmarks or ()), *(self.fleming_harrington or ())):
            if not 0 <= number < math.inf:
                raise ValueError(f"times and exponents must not be below 0, but one was {number}")
        if self.resamples < 0 or self.permutations < 1:
            raise ValueError("resamples must not be below 0, nor permutations below 1")
        if self.known_on is not None and self.landmark is None:
            raise ValueError("known_on belongs to a landmark")


@dataclass(frozen=True, slots=True)
class GroupTest:
    """A test over all groups, and the same within strata (``None`` without strata)."""

    key: str
    label: str
    test: TestResult
    stratified: TestResult | None = None


@dataclass(frozen=True, slots=True)
class PairTest:
    """Log-rank test of two groups alone, and its P adjusted by Holm over all pairs."""

    one: str
    other: str
    test: TestResult
    adjusted_p: float | None


@dataclass(frozen=True, slots=True)
class TimedDifference:
    """A difference at a time, or up to it (display unit), with its z test."""

    at: float
    estimate: Estimate
    test: TestResult


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """A group against the reference group; times in the raw unit, as group less reference.

    Attributes
    ----------
    group, reference
        Their names.
    n, n_event
        Patients and events of the group.
    hazard_ratio, stratified_hazard_ratio
        By Cox models; the second ``None`` without strata.
    median
        Difference of medians. Without a limit where no bootstrap was made.
    n_not_reached
        Bootstrap samples without both medians.
    rates
        Differences of survival probabilities.
    mean
        Difference of restricted means; ``None`` where no horizon can be had.
    crosses_at
        Where the two curves cross; ``None`` where they don't.
    """

    group: str
    reference: str
    n: int
    n_event: int
    hazard_ratio: GroupHazardRatio
    stratified_hazard_ratio: GroupHazardRatio | None
    median: Estimate
    n_not_reached: int
    rates: tuple[TimedDifference, ...]
    mean: TimedDifference | None
    crosses_at: float | None


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalComparisonResult(FollowedResult):
    """Comparisons of one endpoint between groups.

    Attributes
    ----------
    groups
        Names of the groups with their patients and events, in the study's order.
    reference
        Group that the others are compared with; ``None`` where nobody is in any.
    tests
        Over all groups; the first is the log-rank test.
    trend
        Over the groups in their order; ``None`` where none was asked for.
    permutation
        ``None`` where there are enough events.
    pairs
        Empty for fewer than three groups.
    differences
        Each other group with patients against the reference.
    proportional_hazards
        Score test of the Cox model over all groups; ``None`` where nothing is compared.
    mean_horizon
        End of the restricted means, in the display unit; ``None`` where none can be had.
    strata_label, n_strata, n_unknown_stratum
        What the strata are made of, how many have patients, and how many patients the stratified
        numbers leave out because theirs is not known.
    ties
        Of the Cox models.
    group_notes
        How the groups are made, where they are not those of the file.
    """

    spec: SurvivalComparisonSpec
    groups: tuple[tuple[str, int, int], ...]
    n: int
    n_event: int
    reference: str | None
    tests: tuple[GroupTest, ...]
    trend: GroupTest | None
    scores: tuple[float, ...]
    permutation: PermutationTest | None
    pairs: tuple[PairTest, ...]
    ratios: tuple[GroupHazardRatio, ...]
    differences: tuple[GroupDifference, ...]
    proportional_hazards: TestResult | None
    mean_horizon: float | None
    strata_label: str | None
    n_strata: int
    n_unknown_stratum: int
    ties: Ties
    methods_addition: str
    convention_notes: tuple[str, ...]
    landmark: Landmark | None
    group_notes: tuple[str, ...] = ()

    @property
    def counted_from(self) -> FromLandmark | None:
        """The landmark from which times count; ``None`` for time zero."""
        return from_landmark(self.spec)

    @property
    def is_flagged(self) -> bool:
        """Whether hazards are not proportional, or curves cross."""
        return bool(self.flags)

    @property
    def flags(self) -> tuple[str, ...]:
        """Say what speaks against reading a hazard ratio as one number, and what to look at."""
        text = flag_words(
            HazardFlags(
                self.proportional_hazards,
                tuple(
                    Crossing(one.group, one.reference, one.crosses_at)
                    for one in self.differences
                    if one.crosses_at is not None
                ),
            ),
            self.provenance, self.unit_factor, self.display_unit.value,
        )  # fmt: skip
        if text is None:
            return ()
        crossing = {one.group for one in self.differences if one.crosses_at is not None}
        means = [
            f"{one.group}, {estimate_words(one.mean.estimate, self)}"
            for one in self.differences
            if one.mean is not None
            and one.mean.estimate.value is not None
            and (one.group in crossing or not crossing)
        ]
        text += ": a hazard ratio is then an average over time."
        if not means:
            return (f"{text} Compare survival at chosen times in its place.",)
        more = "; the others are in the table" if len(means) > MAX_NAMED else ""
        return (
            f"{text} Look in its place at the mean time up to {format_number(self.mean_horizon)} "
            f"{self.display_unit.value} less that of {self.reference}: "
            f"{'; '.join(means[:MAX_NAMED])}{more}.",
        )


def survival_comparison(
    cohort: Cohort,
    spec: SurvivalComparisonSpec,
    tick: Callable[[float], None] | None = None,
) -> SurvivalComparisonResult:
    """Compare survival between groups.

    Parameters
    ----------
    cohort
        Patients with their endpoint; those without a usable time are counted in ``losses``.
    spec
        What to compare.
    tick
        Told the share of the bootstrap that is done; it may raise to stop the work.

    Returns
    -------
    SurvivalComparisonResult
        Everything that can't be estimated says why; fewer than two groups have no comparison.

    Raises
    ------
    StudyError
        When a variable isn't there, for groups formed after time zero without a landmark, and for
        strata known only after time zero.
    KeyError
        When the study has no such endpoint.

    References
    ----------
    .. [1] Mantel, Cancer Chemother Rep 50 (1966) 163-170; the other weights in
       :mod:`sts_core.estimators.log_rank`.
    .. [2] Holm, Scand J Stat 6 (1979) 65-70: pairs.
    .. [3] Efron, J Am Stat Assoc 76 (1981) 312-319: bootstrap of medians.
    .. [4] Royston and Parmar, Stat Med 30 (2011) 2409-2421: restricted means.
    .. [5] Grambsch and Therneau, Biometrika 81 (1994) 515-526: proportional hazards.
    """
    followed = follow(cohort, spec, landmark=spec.landmark, known_on=spec.known_on)
    refuse_covariates_known_later(followed.cohort, spec.strata)
    return _Comparing.of(followed, spec).result(tick)


@dataclass(frozen=True, slots=True, eq=False)
class _Comparing:
    """The patients compared, sorted so that the order of the file changes no number."""

    spec: SurvivalComparisonSpec
    followed: Followed
    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None
    codes: np.ndarray
    strata: np.ndarray | None
    strata_label: str | None

    @classmethod
    def of(cls, followed: Followed, spec: SurvivalComparisonSpec) -> _Comparing:
        cohort, data, codes = followed.cohort, followed.data, followed.codes
        strata = _strata(cohort, spec.strata, data)
        entered = np.zeros(data.n) if data.entry is None else data.entry
        within = np.zeros(data.n, dtype=np.int64) if strata is None else strata
        order = np.lexsort((within, codes, data.event, entered, data.time))
        order = order[codes[order] >= 0]
        labels_of_strata = [variable_label(cohort, key) for key in spec.strata]
        return cls(
            spec, followed, data.time[order], data.event[order],
            None if data.entry is None else data.entry[order], codes[order],
            None if strata is None else strata[order],
            joined(labels_of_strata) if labels_of_strata else None,
        )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        return self.followed.chosen

    @property
    def k(self) -> int:
        return len(self.names)

    def part(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Give time, event and entry of some of the patients."""
        return self.time[mask], self.event[mask], None if self.entry is None else self.entry[mask]

    def curve(self, code: int) -> ProductLimit:
        time, event, entry = self.part(self.codes == code)
        return product_limit(time, event, entry=entry)

    def log_rank(
        self, weights: str, mask: np.ndarray | None = None, *, stratified: bool = False
    ) -> TestResult:
        used = np.ones(len(self.time), dtype=bool) if mask is None else mask
        strata = None
        if stratified:
            assert self.strata is not None
            used = used & (self.strata >= 0)
            strata = self.strata[used]
        time, event, entry = self.part(used)
        rho, gamma = (
            (self.spec.fleming_harrington or (0.0, 0.0))
            if weights == LogRankWeights.FLEMING_HARRINGTON.value
            else (0.0, 0.0)
        )
        return log_rank(
            time, event, self.codes[used], levels=range(self.k), strata=strata, entry=entry,
            weights=weights, rho=rho, gamma=gamma,
        ).to_test_result()  # fmt: skip

    def result(self, tick: Callable[[float], None] | None) -> SurvivalComparisonResult:
        spec, followed = self.spec, self.followed
        cohort, endpoint, levels = followed.cohort, followed.endpoint, followed.levels
        methods = survival_methods(cohort.study, convention=spec.convention)
        ties = Ties(methods.convention.ties)
        sizes = np.bincount(self.codes, minlength=max(self.k, 1))
        events = np.bincount(self.codes[self.event], minlength=max(self.k, 1))
        compares = self.k >= 2
        ratios: tuple[GroupHazardRatio, ...] = ()
        within: tuple[GroupHazardRatio, ...] = ()
        if compares and levels is not None:
            reference = levels.reference
            ratios = hazard_ratios(
                self.time, self.event, self.codes, self.names,
                reference=reference, entry=self.entry, ties=ties, conf_level=spec.conf_level,
            )  # fmt: skip
            if self.strata is not None:
                used = self.strata >= 0
                time, event, entry = self.part(used)
                within = hazard_ratios(
                    time, event, self.codes[used], self.names, reference=ratios[0].reference
                    if ratios else reference, entry=entry, strata=self.strata[used], ties=ties,
                    conf_level=spec.conf_level,
                )  # fmt: skip
        base = ratios[0].reference if ratios else None
        curves = [self.curve(code) for code in range(self.k)] if base is not None else []
        horizon = self._horizon(sizes)
        known = np.ones(len(self.time), dtype=bool) if self.strata is None else self.strata >= 0
        return SurvivalComparisonResult(
            spec=spec,
            endpoint_label=endpoint.label,
            time_zero=endpoint.time_zero,
            from_dates=endpoint.from_dates,
            add_one_day=endpoint.from_dates and endpoint.add_one_day,
            by_label=levels.label if levels else None,
            unit=endpoint.raw_unit,
            display_unit=endpoint.display_unit,
            unit_factor=endpoint.display_factor,
            groups=tuple(
                (name, int(sizes[i]), int(events[i])) for i, name in enumerate(self.names)
            ),
            n=len(self.time),
            n_event=int(self.event.sum()),
            reference=base,
            tests=self._tests() if compares else (),
            trend=self._trend(cohort) if compares else None,
            scores=self._scores,
            permutation=self._permutation() if compares else None,
            pairs=self._pairs(base) if self.k > 2 else (),
            ratios=ratios,
            differences=()
            if base is None
            else self._differences(ratios, within, curves, horizon, methods.quantile_rule.value,
                                   methods.convention.carries_forward, tick),
            proportional_hazards=self._proportional_hazards(ties) if compares else None,
            mean_horizon=None if horizon is None else horizon / endpoint.display_factor,
            strata_label=self.strata_label,
            n_strata=0 if self.strata is None else len(np.unique(self.strata[self.strata >= 0])),
            n_unknown_stratum=int(np.count_nonzero(~known)),
            ties=ties,
            methods_addition=by_convention(methods.convention),
            convention_notes=methods.notes,
            all_levels=levels.levels if levels else (),
            n_unknown_group=followed.n_unknown_group,
            n_other_groups=followed.n_other_groups,
            losses=followed.data.losses,
            landmark=followed.landmark,
            delayed_entry=self.entry is not None,
            rules=rule_sentences(
                cohort, spec.endpoint, endpoint, followed.data, from_landmark(spec)
            ),
            provenance=provenance_of(cohort, spec.by),
            group_notes=group_notes(cohort, spec.by),
        )  # fmt: skip

    @property
    def _scores(self) -> tuple[float, ...]:
        stated = self.spec.scores
        return stated if stated is not None else tuple(float(i) for i in range(self.k))

    def _horizon(self, sizes: np.ndarray) -> float | None:
        if self.spec.mean_horizon is not None:
            return self.spec.mean_horizon * self.followed.endpoint.display_factor
        ends = [float(self.time[self.codes == code].max()) for code in np.flatnonzero(sizes)]
        end = min(ends) if ends else 0.0
        return end if end > 0 else None

    def _tests(self) -> tuple[GroupTest, ...]:
        names: list[str] = list(dict.fromkeys(("log-rank", *self.spec.tests)))
        found = [
            GroupTest(
                name,
                TEST_NAMES[name],
                self.log_rank(name),
                None if self.strata is None else self.log_rank(name, stratified=True),
            )
            for name in names
        ]
        if self.spec.fleming_harrington is not None:
            rho, gamma = self.spec.fleming_harrington
            name = LogRankWeights.FLEMING_HARRINGTON.value
            found.append(
                GroupTest(
                    name,
                    f"Fleming-Harrington (rho = {rho:g}, gamma = {gamma:g})",
                    self.log_rank(name),
                    None if self.strata is None else self.log_rank(name, stratified=True),
                )
            )
        return tuple(found)

    def _trend(self, cohort: Cohort) -> GroupTest | None:
        wanted = self.spec.trend
        if wanted is None:
            wanted = self.k > 2 and is_ordered(cohort, self.spec.by)
        if not wanted:
            return None
        scores = self._scores
        label = f"Trend, log-rank (scores {', '.join(f'{score:g}' for score in scores)})"
        if len(scores) != self.k or not all(math.isfinite(score) for score in scores):
            nothing = TestResult("log-rank trend", reason=NotEstimable.NO_VARIATION)
            return GroupTest("trend", label, nothing)

        def tested(used: np.ndarray, strata: np.ndarray | None) -> TestResult:
            time, event, entry = self.part(used)
            over_all = log_rank(
                time, event, self.codes[used], levels=range(self.k), strata=strata, entry=entry
            )
            return log_rank_trend(over_all, scores)

        everyone = np.ones(len(self.time), dtype=bool)
        within = None
        if self.strata is not None:
            known = self.strata >= 0
            within = tested(known, self.strata[known])
        return GroupTest("trend", label, tested(everyone, None), within)

    def _permutation(self) -> PermutationTest | None:
        if not 0 < int(self.event.sum()) < FEW_EVENTS:
            return None
        return permutation_log_rank(
            self.time, self.event, self.codes, self.k, entry=self.entry,
            resamples=self.spec.permutations, seed=self.spec.seed,
        )  # fmt: skip

    def _pairs(self, reference: str | None) -> tuple[PairTest, ...]:
        which = self.spec.pairs
        if which == "all" and self.k > MAX_PAIRED:
            which = "reference"
        filled = np.flatnonzero(np.bincount(self.codes, minlength=self.k)).tolist()
        if len(filled) < 3:
            return ()
        chosen = [
            (one, other)
            for one, other in combinations(filled, 2)
            if which == "all"
            or (which == "reference" and reference in (self.names[one], self.names[other]))
        ]
        tests = [
            self.log_rank("log-rank", (self.codes == one) | (self.codes == other))
            for one, other in chosen
        ]
        adjusted = holm([test.p_value for test in tests])
        return tuple(
            PairTest(self.names[one], self.names[other], test, p_value)
            for (one, other), test, p_value in zip(chosen, tests, adjusted, strict=True)
        )

    def _proportional_hazards(self, ties: Ties) -> TestResult:
        return proportionality(
            self.time, self.event, self.codes, self.k, entry=self.entry, ties=ties
        )

    def _differences(
        self,
        ratios: Sequence[GroupHazardRatio],
        within: Sequence[GroupHazardRatio],
        curves: Sequence[ProductLimit],
        horizon: float | None,
        rule: str,
        extend: bool,
        tick: Callable[[float], None] | None,
    ) -> tuple[GroupDifference, ...]:
        spec, level = self.spec, self.spec.conf_level
        factor = self.followed.endpoint.display_factor
        marks = spec.landmarks
        if marks is None:
            marks = DEFAULT_LANDMARKS[self.followed.endpoint.display_unit]
        base = next(i for i, one in enumerate(ratios) if one.is_reference)
        shown = [i for i, curve in enumerate(curves) if i != base and curve.n]
        medians = self._bootstrap((base, *shown), rule, tick)
        found = []
        for i in shown:
            median, n_lost = self._median_difference(
                curves[i], curves[base], medians.get(i), medians.get(base), rule
            )
            rates = tuple(
                TimedDifference(
                    float(mark),
                    *_estimated(
                        rate_difference(
                            curves[i], curves[base], mark * factor, level, extend=extend
                        ),
                        "Greenwood",
                    ),
                )
                for mark in marks
            )
            mean = None
            if horizon is not None:
                area = restricted_mean_difference(
                    curves[i], curves[base], horizon, level, extend=extend
                )
                mean = TimedDifference(horizon / factor, *_estimated(area, "normal"))
            found.append(
                GroupDifference(
                    group=self.names[i],
                    reference=self.names[base],
                    n=curves[i].n,
                    n_event=curves[i].total_events,
                    hazard_ratio=ratios[i],
                    stratified_hazard_ratio=within[i] if within else None,
                    median=median,
                    n_not_reached=n_lost,
                    rates=rates,
                    mean=mean,
                    crosses_at=crosses_at(curves[i], curves[base]),
                )
            )
        return tuple(found)

    def _bootstrap(
        self, codes: Sequence[int], rule: str, tick: Callable[[float], None] | None
    ) -> dict[int, np.ndarray]:
        """Give medians of bootstrap samples by group, each group with a stream of its own."""
        if not self.spec.resamples:
            return {}
        found = {}
        for place, code in enumerate(codes):
            time, event, entry = self.part(self.codes == code)

            def told(share: float, place: int = place) -> None:
                if tick is not None:
                    tick((place + share) / len(codes))

            found[code] = bootstrap_medians(
                time, event, entry=entry, resamples=self.spec.resamples,
                rng=np.random.default_rng([self.spec.seed, code]), rule=rule, tick=told,
            )  # fmt: skip
        return found

    def _median_difference(
        self,
        one: ProductLimit,
        other: ProductLimit,
        of_one: np.ndarray | None,
        of_other: np.ndarray | None,
        rule: str,
    ) -> tuple[Estimate, int]:
        level, method = self.spec.conf_level, "bootstrap percentile"
        value = quantile(one, rule=rule).value - quantile(other, rule=rule).value
        if of_one is None or of_other is None:
            if math.isnan(value):
                nothing = not_estimable(
                    NotEstimable.NOT_REACHED, conf_level=level, method=NO_INTERVAL
                )
                return nothing, 0
            return Estimate(value, None, None, level, NO_INTERVAL), 0
        interval = percentile_difference(of_one, of_other, level)
        if math.isnan(value):
            return (
                not_estimable(NotEstimable.NOT_REACHED, conf_level=level, method=method),
                interval.n_not_reached,
            )
        if interval.reason is not None:
            reason = interval.reason
            return (
                Estimate(value, None, None, level, method, None, reason, reason),
                interval.n_not_reached,
            )
        return Estimate(value, interval.low, interval.high, level, method), interval.n_not_reached


def variable_label(cohort: Cohort, key: str) -> str:
    """Name a variable or a grouping."""
    grouping = cohort.study.definitions.groupings.get(key)
    return grouping.label if grouping else variable_of(cohort, key).label


def is_ordered(cohort: Cohort, by: str | None) -> bool:
    """Say whether the groups of a variable have an order: ordered levels, or a number that is cut.

    A merged comparison has none, whatever its variable.
    """
    if by is None or by in cohort.study.definitions.groupings:
        return False
    variable = variable_of(cohort, by)
    return variable.kind is VariableKind.ORDERED or bool(variable.cuts)


def _strata(cohort: Cohort, keys: Sequence[str], data: SurvivalData) -> np.ndarray | None:
    """Give the stratum of each patient with a time, -1 where one of the variables is unknown."""
    if not keys:
        return None
    columns = [levels_of(cohort, key).values[data.position].tolist() for key in keys]
    number_of: dict[tuple[str, ...], int] = {}
    together = list(zip(*columns, strict=True))
    for cells in sorted({cells for cells in together if None not in cells}):
        number_of[cells] = len(number_of)
    return np.array([number_of.get(cells, -1) for cells in together], dtype=np.int64)


def _estimated(found: Difference, method: str) -> tuple[Estimate, TestResult]:
    level = found.conf_level
    if found.reason is not None:
        nothing = not_estimable(found.reason, conf_level=level, method=method)
        return nothing, TestResult("z", reason=found.reason)
    if found.spread_reason is not None:
        why = found.spread_reason
        return (
            Estimate(found.value, None, None, level, method, None, why, why),
            TestResult("z", reason=why),
        )
    return (
        Estimate(found.value, found.low, found.high, level, method),
        TestResult("z", found.z, None, found.p_value),
    )


def estimate_words(estimate: Estimate, result: SurvivalComparisonResult) -> str:
    """Write a time in the unit of display with its interval, unless none was asked for."""
    shown = estimate.scaled(result.unit_factor)
    level = percent_level(result.spec.conf_level)
    text = f"{format_estimate(shown, interval=False)} {result.display_unit.value}"
    if shown.method == NO_INTERVAL:
        return text
    if shown.low is None or shown.high is None:
        return f"{text} ({level} CI not estimable)"
    return f"{text} ({level} CI {format_number(shown.low)} to {format_number(shown.high)})"
