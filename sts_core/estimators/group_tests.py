"""Tests of whether a characteristic differs between groups: counts, ranks and means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from sts_core.estimates import NotEstimable, TestResult
from sts_core.estimators.chi_square import chi_square_p

PEARSON = "Pearson's chi-square test"
YATES = "Pearson's chi-square test with Yates's correction"
FISHER = "Fisher's exact test"
FREEMAN_HALTON = "Fisher-Freeman-Halton exact test"
MANN_WHITNEY = "Mann-Whitney test"
KRUSKAL_WALLIS = "Kruskal-Wallis test"
WELCH = "Welch's t test"
ANOVA = "one-way analysis of variance"
N_SIMULATED = 100_000
SIMULATED = f"{FREEMAN_HALTON}, {N_SIMULATED:,} simulated tables"
SMALL_EXPECTED = 5.0
# As R does: tables count as "no more likely" when their probability agrees to this share.
_TOLERANCE = 1e-7
_MAX_WORK = 2_000_000
_MAX_EXACT_RANKS = 50


def association(table: np.ndarray) -> TestResult:
    """Test whether rows and columns of a table of counts are associated.

    Exact (Fisher, Freeman-Halton) when an expected count is below 5, else Pearson's chi-square
    without continuity correction. Rows and columns without anybody are left out.

    Parameters
    ----------
    table
        Counts of subjects, shape (levels, groups).

    Returns
    -------
    TestResult
        With the name of the test that the rule chose; an exact test has no statistic.

    Raises
    ------
    ValueError
        When a count is negative or no whole number.
    """
    counts = _occupied(table)
    if min(counts.shape) < 2:
        return _untestable(counts)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return exact_association(counts) if expected.min() < SMALL_EXPECTED else pearson(counts)


def pearson(table: np.ndarray) -> TestResult:
    """Test association by Pearson's chi-square, without Yates's correction.

    Parameters
    ----------
    table
        Counts of subjects, shape (levels, groups).

    References
    ----------
    .. [1] Pearson, Philosophical Magazine 50 (1900) 157-175.
    """
    counts = _occupied(table)
    if min(counts.shape) < 2:
        return _untestable(counts)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    df = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return TestResult(PEARSON, statistic, df, chi_square_p(statistic, df))


def yates(table: np.ndarray) -> TestResult:
    """Test association in a table of two rows and two columns with Yates's correction.

    Parameters
    ----------
    table
        Counts of subjects, shape (levels, groups). Each cell's distance from its expected count
        is made smaller by one half, or to 0 where it is less.

    Raises
    ------
    ValueError
        When more than two rows or two columns have subjects.

    References
    ----------
    .. [1] Yates, Suppl J R Stat Soc 1 (1934) 217-235.
    """
    counts = _occupied(table)
    if max(counts.shape, default=0) > 2:
        raise ValueError(f"Yates's correction is for 2 x 2 tables, but this one is {counts.shape}")
    if min(counts.shape) < 2:
        return replace(_untestable(counts), name=YATES)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    distance = np.abs(counts - expected)
    statistic = float(((distance - np.minimum(0.5, distance)) ** 2 / expected).sum())
    return TestResult(YATES, statistic, 1, chi_square_p(statistic, 1))


def is_two_by_two(table: np.ndarray) -> bool:
    """Say whether just two rows and two columns of a table of counts have subjects."""
    return _occupied(table).shape == (2, 2)


def exact_association(table: np.ndarray, *, seed: int = 20240715) -> TestResult:
    """Test association exactly: the share of tables with these margins that are no more likely.

    Parameters
    ----------
    table
        Counts of subjects, shape (levels, groups).
    seed
        For tables that are too large to be counted out: P then comes from random tables with the
        same margins, which the test's name says.

    References
    ----------
    .. [1] Freeman and Halton, Biometrika 38 (1951) 141-149.
    .. [2] Mehta and Patel, J Am Stat Assoc 78 (1983) 427-434: bounds that settle most tables.
    """
    counts = _occupied(table)
    if min(counts.shape) < 2:
        return _untestable(counts)
    name = FISHER if counts.shape == (2, 2) else FREEMAN_HALTON
    try:
        return TestResult(name, p_value=_counted_out(counts))
    except _TooManyTablesError:
        return TestResult(SIMULATED, p_value=_simulated(counts, seed))


def _occupied(table: np.ndarray) -> np.ndarray:
    counts = np.asarray(table)
    if counts.ndim != 2:
        raise ValueError(f"a table has two dimensions, but this one has {counts.ndim}")
    whole = counts.astype(np.int64)
    if (whole != counts).any() or (whole < 0).any():
        raise ValueError("counts must be whole numbers of 0 or more")
    kept: np.ndarray = whole[whole.sum(axis=1) > 0][:, whole.sum(axis=0) > 0]
    return kept


def _untestable(counts: np.ndarray) -> TestResult:
    if not counts.size:
        return TestResult(PEARSON, reason=NotEstimable.NO_SUBJECTS)
    one_group = counts.shape[1] < 2
    return TestResult(
        PEARSON, reason=NotEstimable.ONE_GROUP if one_group else NotEstimable.NO_VARIATION
    )


class _TooManyTablesError(Exception):
    """The tables with these margins can't be counted out in reasonable time."""


_State = tuple[int, ...]


def _counted_out(counts: np.ndarray) -> float:
    """Sum the probabilities of all tables that are no more likely than the one seen.

    Row after row (of the longer side) is filled; what is left of the column totals is a state.
    States are sorted, since columns with equal rests are alike. From each state, the most and the
    least likely way to the end bound all tables that go through it: most are settled there, all
    together, by the closed form of the sum over tables.
    """
    if counts.shape[0] < counts.shape[1]:
        counts = counts.T
    counts = counts[np.argsort(-counts.sum(axis=1), kind="stable")]
    rows = [int(total) for total in counts.sum(axis=1)]
    start = tuple(sorted(int(total) for total in counts.sum(axis=0)))
    log_factorial = [math.lgamma(k + 1) for k in range(sum(rows) + 1)]
    work = 0

    @cache
    def fillings(stage: int, state: _State) -> tuple[tuple[_State, float], ...]:
        """Give each way of filling one row: the state that it leaves, and its log weight."""
        nonlocal work
        found: list[tuple[_State, float]] = []
        last = len(state) - 1
        room = [0] * (last + 2)
        for at in range(last, -1, -1):
            room[at] = room[at + 1] + state[at]

        def fill(at: int, left: int, rest: list[int], weight: float) -> None:
            if at == last:
                found.append(
                    (tuple(sorted([*rest, state[at] - left])), weight - log_factorial[left])
                )
                return
            for here in range(max(0, left - room[at + 1]), min(left, state[at]) + 1):
                fill(at + 1, left - here, [*rest, state[at] - here], weight - log_factorial[here])

        fill(0, rows[stage], [], 0.0)
        work += len(found)
        if work > _MAX_WORK:
            raise _TooManyTablesError
        return tuple(found)

    @cache
    def bounds(stage: int, state: _State) -> tuple[float, float]:
        """Give the smallest and the largest log weight from a state to the end."""
        if stage == len(rows):
            return 0.0, 0.0
        low, high = math.inf, -math.inf
        for after, weight in fillings(stage, state):
            below, above = bounds(stage + 1, after)
            low, high = min(low, weight + below), max(high, weight + above)
        return low, high

    rest_of_rows = [
        log_factorial[sum(rows[stage:])] - sum(log_factorial[total] for total in rows[stage:])
        for stage in range(len(rows) + 1)
    ]

    def total(stage: int, state: _State) -> float:
        """Give the log of the summed weights of all ways from a state to the end."""
        return rest_of_rows[stage] - sum(log_factorial[left] for left in state)

    seen = -sum(log_factorial[int(count)] for count in counts.ravel())
    limit = seen + math.log1p(_TOLERANCE)
    whole = total(0, start)
    bounds(0, start)
    settled: list[float] = []
    alive: dict[_State, dict[float, float]] = {start: {0.0: 1.0}}
    for stage in range(len(rows)):
        following: dict[_State, dict[float, float]] = {}
        for state, pasts in alive.items():
            for after, weight in fillings(stage, state):
                low, high = bounds(stage + 1, after)
                for past, times in pasts.items():
                    reached = past + weight
                    if reached + high <= limit:  # every table on from here counts
                        settled.append(times * math.exp(reached + total(stage + 1, after) - whole))
                    elif reached + low <= limit:  # some do
                        among = following.setdefault(after, {})
                        key = round(reached, 10)
                        among[key] = among.get(key, 0.0) + times
                work += len(pasts)
                if work > _MAX_WORK:
                    raise _TooManyTablesError
        alive = following
    return min(1.0, math.fsum(settled))


def _simulated(counts: np.ndarray, seed: int) -> float:
    from scipy.special import gammaln
    from scipy.stats import random_table

    def log_weight(tables: np.ndarray) -> np.ndarray:
        weights: np.ndarray = -gammaln(tables + 1.0).sum(axis=(-2, -1))
        return weights

    drawn = random_table(counts.sum(axis=1), counts.sum(axis=0)).rvs(
        N_SIMULATED, random_state=np.random.default_rng(seed)
    )
    as_rare = log_weight(drawn) <= float(log_weight(counts)) + math.log1p(_TOLERANCE)
    return (1 + int(as_rare.sum())) / (1 + N_SIMULATED)


def rank_test(groups: Sequence[np.ndarray]) -> TestResult:
    """Test whether numbers tend to be larger in one group: Mann-Whitney or Kruskal-Wallis.

    Parameters
    ----------
    groups
        Known numbers of each group, float arrays of shape (n of the group,). Groups without a
        number are left out.

    Returns
    -------
    TestResult
        Two groups: Mann-Whitney, exact when both have fewer than 50 numbers and none is tied, else
        the normal approximation with corrections for ties and continuity, as R does. More groups:
        Kruskal-Wallis, corrected for ties.

    References
    ----------
    .. [1] Mann and Whitney, Ann Math Stat 18 (1947) 50-60.
    .. [2] Kruskal and Wallis, J Am Stat Assoc 47 (1952) 583-621.
    """
    known = _with_numbers(groups)
    name = MANN_WHITNEY if len(known) < 3 else KRUSKAL_WALLIS
    if (reason := _incomparable(known)) is not None:
        return TestResult(name, reason=reason)
    from scipy import stats

    if len(known) == 2:
        everything = np.concatenate(known)
        untied = len(np.unique(everything)) == len(everything)
        exact = untied and max(map(len, known)) < _MAX_EXACT_RANKS
        found = stats.mannwhitneyu(
            *known, method="exact" if exact else "asymptotic", use_continuity=True
        )
        return TestResult(name, float(found.statistic), p_value=float(found.pvalue))
    found = stats.kruskal(*known)
    return TestResult(name, float(found.statistic), len(known) - 1, float(found.pvalue))


def mean_test(groups: Sequence[np.ndarray]) -> TestResult:
    """Test whether means differ: Welch's t test for two groups, analysis of variance for more.

    Parameters
    ----------
    groups
        Known numbers of each group, float arrays of shape (n of the group,). Groups without a
        number are left out.

    Returns
    -------
    TestResult
        Not estimable when a group of two has a single number, or when nothing varies within the
        groups. The degrees of freedom of Welch's test are no whole number and are not given.

    References
    ----------
    .. [1] Welch, Biometrika 34 (1947) 28-35.
    """
    known = _with_numbers(groups)
    name = WELCH if len(known) < 3 else ANOVA
    if (reason := _incomparable(known)) is not None:
        return TestResult(name, reason=reason)
    if (len(known) == 2 and min(map(len, known)) < 2) or sum(map(len, known)) <= len(known):
        return TestResult(name, reason=NotEstimable.TOO_FEW)
    if not any(np.ptp(numbers) > 0 for numbers in known):
        return TestResult(name, reason=NotEstimable.NO_VARIATION)
    from scipy import stats

    if len(known) == 2:
        found = stats.ttest_ind(*known, equal_var=False)
        return TestResult(name, float(found.statistic), p_value=float(found.pvalue))
    found = stats.f_oneway(*known)
    return TestResult(name, float(found.statistic), len(known) - 1, float(found.pvalue))


def _with_numbers(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    arrays = [np.asarray(numbers, dtype=float) for numbers in groups]
    if any(not np.isfinite(numbers).all() for numbers in arrays):
        raise ValueError("groups must hold finite numbers only")
    return [numbers for numbers in arrays if len(numbers)]


def _incomparable(known: Sequence[np.ndarray]) -> NotEstimable | None:
    if not known:
        return NotEstimable.NO_SUBJECTS
    if len(known) < 2:
        return NotEstimable.ONE_GROUP
    if np.ptp(np.concatenate(known)) == 0:
        return NotEstimable.NO_VARIATION
    return None


def mean_difference_standardised(groups: Sequence[np.ndarray]) -> float | None:
    """Give the absolute standardised difference of means, the mean over all pairs of groups.

    Parameters
    ----------
    groups
        Known numbers of each group.

    Returns
    -------
    float or None
        Difference divided by the root of the mean of the two variances; ``None`` when a group has
        fewer than two numbers or nothing varies.

    References
    ----------
    .. [1] Austin, Stat Med 28 (2009) 3083-3107.
    """
    known = [np.asarray(numbers, dtype=float) for numbers in groups]
    if len(known) < 2 or min(map(len, known)) < 2:
        return None
    found = []
    for at, first in enumerate(known):
        for second in known[at + 1 :]:
            spread = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
            if spread == 0:
                return None
            found.append(abs(float(first.mean() - second.mean())) / spread)
    return math.fsum(found) / len(found)


def share_difference_standardised(table: np.ndarray) -> float | None:
    """Give the standardised difference of shares over levels, the mean over all pairs of groups.

    Parameters
    ----------
    table
        Counts of subjects, shape (levels, groups).

    Returns
    -------
    float or None
        Mahalanobis distance of the shares without the first level; ``None`` when a group is empty
        or only one level is seen.

    References
    ----------
    .. [1] Yang and Dalton, SAS Global Forum 2012, paper 335.
    """
    counts = np.asarray(table, dtype=float)
    counts = counts[counts.sum(axis=1) > 0]
    if counts.shape[0] < 2 or counts.shape[1] < 2 or (counts.sum(axis=0) == 0).any():
        return None
    shares = (counts / counts.sum(axis=0))[1:]
    found = []
    for first in range(shares.shape[1]):
        for second in range(first + 1, shares.shape[1]):
            p, q = shares[:, first], shares[:, second]
            spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
            difference = p - q
            if not difference.any():
                found.append(0.0)
                continue
            squared = float(difference @ np.linalg.pinv(spread, hermitian=True) @ difference)
            # groups that share no level at all are infinitely far apart
            if np.linalg.matrix_rank(spread, hermitian=True) == 0 or squared <= 0:
                return None
            found.append(math.sqrt(squared))
    return math.fsum(found) / len(found)
