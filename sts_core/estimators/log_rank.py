"""Log-rank test and its weighted relatives, for any number of groups, with strata."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sts_core.estimates import NotEstimable, TestResult
from sts_core.estimators.chi_square import chi_square_p
from sts_core.estimators.tied_times import (
    BoolArray,
    FloatArray,
    IntArray,
    align_follow_up,
    check_survival_data,
    read_only,
    refuse_entry_at_exit,
)

# Cells of the table "event time by group" that are held at once.
_CELLS_AT_ONCE: Final = 1_000_000


class LogRankWeights(StrEnum):
    """Weight of an event time; ``n`` is the number at risk, ``S`` the pooled survival before it."""

    LOG_RANK = "log-rank"
    """1 (Mantel-Cox)."""
    GEHAN_BRESLOW = "gehan-breslow"
    """``n``."""
    TARONE_WARE = "tarone-ware"
    """``sqrt(n)``."""
    PETO_PETO = "peto-peto"
    """``S``, as in R's ``survdiff(rho = 1)``."""
    PETO_PETO_TILDE = "peto-peto (S-tilde)"
    """Product of ``1 - d / (n + 1)`` up to and including the time (Klein and Moeschberger)."""
    MODIFIED_PETO = "modified peto-peto"
    """The same times ``n / (n + 1)`` (Andersen)."""
    FLEMING_HARRINGTON = "fleming-harrington"
    """``S ** rho * (1 - S) ** gamma``."""


@dataclass(frozen=True, slots=True, eq=False)
class LogRank:
    """A log-rank test.

    Parameters
    ----------
    groups
        Labels in the order of the arrays; length k.
    n, n_event
        Subjects and events of each group, unweighted; shape (k,).
    observed, expected
        Weighted sums of observed and expected events, over strata; shape (k,).
    variance
        Covariance of ``observed - expected``; shape (k, k).
    statistic, df, p_value
        Chi-square, its degrees of freedom, upper tail; NaN, 0 and NaN where not estimable.
    weights, rho, gamma
        What was asked for.
    n_strata
        Strata with subjects in them.
    reason
        Why there is no test.
    """

    groups: tuple[object, ...]
    n: IntArray
    n_event: IntArray
    observed: FloatArray
    expected: FloatArray
    variance: FloatArray
    statistic: float
    df: int
    p_value: float
    weights: LogRankWeights
    rho: float
    gamma: float
    n_strata: int
    reason: NotEstimable | None = None

    def to_test_result(self) -> TestResult:
        """Give name, statistic, df and P, or the reason why there is none."""
        return _test_result(self.weights.value, self.statistic, self.df, self.reason)


def _test_result(name: str, statistic: float, df: int, reason: NotEstimable | None) -> TestResult:
    if reason is not None:
        return TestResult(name, reason=reason)
    return TestResult(name, statistic, df, chi_square_p(statistic, df))


def log_rank(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    levels: Sequence[object] | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    weights: LogRankWeights | str = LogRankWeights.LOG_RANK,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRank:
    """Test whether survival differs between groups.

    Parameters
    ----------
    time, event, entry
        Follow-up of all groups together, as in :func:`~.product_limit.product_limit`; shape (n,).
    group
        Group of each subject; shape (n,).
    levels
        All groups in the order of the result, also those without subjects. By default the groups
        that occur, sorted.
    strata
        Stratum of each subject; shape (n,). Numbers at risk, weights and variance are taken within
        strata and summed.
    weights
        Which test of the family.
    rho, gamma
        Exponents of the Fleming-Harrington weights; only with those.

    Returns
    -------
    LogRank
        With reason ``NO_SUBJECTS``, ``ONE_GROUP`` (fewer than two groups with subjects),
        ``NO_EVENTS``, or ``NEVER_COMPARED`` (groups are never at risk together at an event that
        some survive, or only one group was at risk at any event).

    Raises
    ------
    ValueError
        On data that cannot be follow-up data, a subject outside ``levels``, a missing group or
        stratum, and exponents without their weights.

    Notes
    -----
    Observed and expected events and their hypergeometric variance follow Mantel and Cox. Groups
    with no expected event (never at risk at one) do not count, as in R's ``survdiff``. Where groups
    never meet in a risk set (each confined to its own strata or times), the test is the sum over
    the sets of groups that do meet, and loses a degree of freedom for every further set.

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966;50:163-170; Peto R, Peto J. J R Stat Soc A 1972;135:185-207;
    Gehan EA. Biometrika 1965;52:203-223; Tarone RE, Ware J. Biometrika 1977;64:156-160; Harrington
    DP, Fleming TR. Biometrika 1982;69:553-566; Klein JP, Moeschberger ML. Survival Analysis, 2nd
    ed., table 7.3.
    """
    kind = LogRankWeights(weights)
    if kind is LogRankWeights.PETO_PETO:
        if rho or gamma:
            raise ValueError("rho and gamma belong to the Fleming-Harrington weights")
        rho = 1.0
    elif kind is not LogRankWeights.FLEMING_HARRINGTON and (rho or gamma):
        raise ValueError("rho and gamma belong to the Fleming-Harrington weights")
    if not (rho >= 0 and gamma >= 0 and math.isfinite(rho) and math.isfinite(gamma)):
        raise ValueError("rho and gamma must be finite and not negative")

    times, events, entries = check_survival_data(time, event, entry)
    times, entries = align_follow_up(times, entries)
    if entries is not None:
        refuse_entry_at_exit(times, entries)
    labels, codes = _codes(group, times.size, levels, "group")
    stratum = None if strata is None else _codes(strata, times.size, None, "strata")[1]

    k = len(labels)
    observed, expected, variance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    n_strata = 0
    for members in _by_stratum(times, stratum):
        n_strata += 1
        part = _one_stratum(
            times[members],
            events[members],
            codes[members],
            None if entries is None else entries[members],
            k,
            kind,
            rho,
            gamma,
        )
        observed += part[0]
        expected += part[1]
        variance += part[2]

    n = np.bincount(codes, minlength=k)
    n_event = np.bincount(codes[events], minlength=k)
    statistic, df = _statistic(observed, expected, variance)
    reason = _why_not(n, n_event, df)
    return LogRank(
        groups=labels,
        n=read_only(n.astype(np.int64)),
        n_event=read_only(n_event.astype(np.int64)),
        observed=read_only(observed),
        expected=read_only(expected),
        variance=read_only(variance),
        statistic=statistic if reason is None else math.nan,
        df=df if reason is None else 0,
        p_value=chi_square_p(statistic, df) if reason is None else math.nan,
        weights=kind,
        rho=rho,
        gamma=gamma,
        n_strata=n_strata,
        reason=reason,
    )


def log_rank_trend(result: LogRank, scores: ArrayLike | None = None) -> TestResult:
    """Test for a trend of the hazard over ordered groups, with one degree of freedom.

    Parameters
    ----------
    result
        The test over the groups, in their order.
    scores
        One finite score a group; shape (k,). By default 0, 1, 2, ... over all groups.

    Returns
    -------
    TestResult
        Statistic ``(Σ s_g (O_g - E_g))² / (s' V s)``.

    References
    ----------
    Tarone RE. Biometrika 1975;62:679-682.
    """
    k = len(result.groups)
    score = np.arange(k, dtype=np.float64) if scores is None else np.asarray(scores, np.float64)
    if score.shape != (k,) or not np.all(np.isfinite(score)):
        raise ValueError(f"scores must be {k} finite numbers, one a group")
    name = f"{result.weights.value} trend"
    if result.reason is not None:
        return TestResult(name, reason=result.reason)
    score = score - float(score.mean())
    variance = float(score @ result.variance @ score)
    scale = float(np.max(np.abs(score))) ** 2 * float(np.max(np.diag(result.variance)))
    if variance <= 1e-12 * scale or scale == 0:
        return TestResult(name, reason=NotEstimable.NO_VARIATION)
    difference = float(score @ (result.observed - result.expected))
    return _test_result(name, difference**2 / variance, 1, None)


def _codes(
    values: ArrayLike, n: int, levels: Sequence[object] | None, name: str
) -> tuple[tuple[object, ...], IntArray]:
    array = np.asarray(values)
    if array.shape != (n,):
        raise ValueError(f"{name} must have shape ({n},), but has {array.shape}")
    if array.dtype.kind == "f" and np.any(np.isnan(array)):
        raise ValueError(f"{name} must not be missing")
    if array.dtype == object and any(v is None or v != v for v in array):
        raise ValueError(f"{name} must not be missing")
    distinct, inverse = np.unique(array, return_inverse=True)
    found = distinct.tolist()
    if levels is None:
        return tuple(found), inverse.astype(np.int64)
    position = {level: i for i, level in enumerate(levels)}
    if len(position) != len(levels):
        raise ValueError(f"levels of {name} must differ")
    unknown = sum(level not in position for level in found)
    if unknown:
        raise ValueError(f"{unknown} of the values of {name} are not among its levels")
    to_code = np.array([position[level] for level in found], dtype=np.int64)
    codes = to_code[inverse] if found else np.zeros(0, dtype=np.int64)
    return tuple(levels), codes


def _by_stratum(times: FloatArray, stratum: IntArray | None) -> Iterator[NDArray[np.intp]]:
    """Yield the subjects of each stratum in order of time."""
    if stratum is None:
        if times.size:
            yield np.argsort(times)
        return
    order = np.lexsort((times, stratum))
    edges = np.flatnonzero(np.diff(stratum[order])) + 1
    for members in np.split(order, edges):
        if members.size:
            yield members


def _one_stratum(
    times: FloatArray,
    events: BoolArray,
    codes: IntArray,
    entries: FloatArray | None,
    k: int,
    kind: LogRankWeights,
    rho: float,
    gamma: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum observed, expected and covariance over the event times of one stratum.

    The subjects come in order of time, so that ``last`` below is in order too.
    """
    event_times = times[events]
    event_times = event_times[np.diff(event_times, prepend=-1.0) > 0]
    n_times = event_times.size
    if n_times == 0:
        return np.zeros(k), np.zeros(k), np.zeros((k, k))
    # A subject is at risk at the event times in [first, last).
    last = np.searchsorted(event_times, times, side="right")
    first = (
        np.zeros(times.size, dtype=np.intp)
        if entries is None
        else np.searchsorted(event_times, entries, side="right")
    )
    coming = np.bincount(first, minlength=n_times + 1)
    going = np.bincount(last, minlength=n_times + 1)
    at_risk = np.cumsum(coming - going)[:n_times].astype(np.float64)
    dead = np.bincount(last[events] - 1, minlength=n_times).astype(np.float64)
    weight = _weights(at_risk, dead, kind, rho, gamma)
    observed = np.zeros(k)
    np.add.at(observed, codes[events], weight[last[events] - 1])

    hazard = weight * dead / at_risk
    # With one subject at risk there is no variance; d = n = 1 makes the numerator 0.
    spread = weight**2 * dead * (at_risk - dead) / np.maximum(at_risk - 1, 1) / at_risk
    expected, variance = np.zeros(k), np.zeros((k, k))
    for rows, table in _risk_sets(first, last, codes, n_times, k):
        expected += hazard[rows] @ table
        variance -= table.T @ (table * (spread[rows] / at_risk[rows])[:, None])
        variance[np.diag_indices(k)] += spread[rows] @ table
    return observed, expected, variance


def _weights(
    at_risk: FloatArray, dead: FloatArray, kind: LogRankWeights, rho: float, gamma: float
) -> FloatArray:
    if kind is LogRankWeights.LOG_RANK:
        return np.ones_like(at_risk)
    if kind is LogRankWeights.GEHAN_BRESLOW:
        return at_risk
    if kind is LogRankWeights.TARONE_WARE:
        return np.sqrt(at_risk)
    if kind in (LogRankWeights.PETO_PETO_TILDE, LogRankWeights.MODIFIED_PETO):
        through = np.cumprod(1 - dead / (at_risk + 1))
        if kind is LogRankWeights.MODIFIED_PETO:
            through *= at_risk / (at_risk + 1)
        return np.asarray(through, dtype=np.float64)
    before = np.concatenate([[1.0], np.cumprod(1 - dead / at_risk)[:-1]])
    return np.asarray(before**rho * (1 - before) ** gamma, dtype=np.float64)


def _risk_sets(
    first: NDArray[np.intp], last: NDArray[np.intp], codes: IntArray, n_times: int, k: int
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield the numbers at risk, event time by group, in pieces that fit into memory.

    ``last`` is in ascending order.
    """
    rows_at_once = max(1, _CELLS_AT_ONCE // k)
    by_first = np.argsort(first, kind="stable")
    coming, going = (first[by_first], codes[by_first]), (last, codes)
    current = np.zeros(k, dtype=np.int64)
    for begin in range(0, n_times, rows_at_once):
        end = min(begin + rows_at_once, n_times)
        change = np.zeros((end - begin) * k, dtype=np.int64)
        for sign, (ordered, of_group) in ((1, coming), (-1, going)):
            some = slice(*np.searchsorted(ordered, [begin, end]))
            cell = (ordered[some] - begin) * k + of_group[some]
            change += sign * np.bincount(cell, minlength=change.size)
        table = current + np.cumsum(change.reshape(end - begin, k), axis=0)
        current = table[-1]
        yield slice(begin, end), table.astype(np.float64)


def _statistic(
    observed: FloatArray, expected: FloatArray, variance: FloatArray
) -> tuple[float, int]:
    """Give chi-square and degrees of freedom; 0 degrees if there is nothing to compare."""
    difference = observed - expected
    kept: list[int] = []
    for members in _groups_that_meet(variance, expected > 0):
        kept.extend(members[1:])
    if not kept:
        return math.nan, 0
    part = variance[np.ix_(kept, kept)]
    return float(difference[kept] @ np.linalg.solve(part, difference[kept])), len(kept)


def _groups_that_meet(variance: FloatArray, counted: BoolArray) -> list[list[int]]:
    """Split the groups into sets joined by a covariance.

    A covariance is a sum of terms of one sign, so that it is exactly 0 if two groups were never at
    risk together at an event that somebody survived. Within a set the covariance matrix lacks one
    rank and dropping any one group makes it regular.
    """
    waiting = set(np.flatnonzero(counted).tolist())
    sets: list[list[int]] = []
    while waiting:
        start = min(waiting)
        waiting.remove(start)
        members, front = [start], [start]
        while front:
            row = variance[front.pop()]
            found = [other for other in waiting if row[other] != 0]
            waiting.difference_update(found)
            members.extend(found)
            front.extend(found)
        sets.append(sorted(members))
    return sets


def _why_not(n: IntArray, n_event: IntArray, df: int) -> NotEstimable | None:
    if n.sum() == 0:
        return NotEstimable.NO_SUBJECTS
    if np.count_nonzero(n) < 2:
        return NotEstimable.ONE_GROUP
    if n_event.sum() == 0:
        return NotEstimable.NO_EVENTS
    if df == 0:
        return NotEstimable.NEVER_COMPARED
    return None
