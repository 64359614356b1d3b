"""Hazard ratios of two groups without a regression: from a log-rank test, and exact at ties."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import Estimate, NotEstimable, not_estimable
from sts_core.estimators.log_rank import LogRank, LogRankWeights
from sts_core.estimators.product_limit import normal_quantile
from sts_core.estimators.tied_times import FloatArray, align_follow_up, check_survival_data

_ITERATIONS = 200


def observed_over_expected(test: LogRank, conf_level: float = 0.95) -> Estimate:
    """Divide the second group's observed by expected events by the same of the first group.

    Parameters
    ----------
    test
        Unweighted log-rank test of two groups; the first is the reference.
    conf_level
        Coverage, in (0, 1).

    Returns
    -------
    Estimate
        With the interval ``exp(log ratio ± z sqrt(1 / E1 + 1 / E2))``; ``SEPARATION`` where a
        group has no event, ``NEVER_COMPARED`` where none is expected in one.

    References
    ----------
    Machin D, Cheung YB, Parmar M. Survival Analysis, 2nd ed., section 3.3.
    """
    _check(test)
    z = normal_quantile(conf_level)
    method = "observed over expected"
    reason = test.reason
    if reason is None and np.any(test.observed <= 0):
        reason = NotEstimable.SEPARATION
    elif reason is None and np.any(test.expected <= 0):
        reason = NotEstimable.NEVER_COMPARED
    if reason is not None:
        return not_estimable(reason, conf_level=conf_level, method=method)
    share = test.observed / test.expected
    error = math.sqrt(float(np.sum(1 / test.expected)))
    return _ratio(math.log(share[1] / share[0]), error, z, conf_level, method)


def peto_one_step(test: LogRank, conf_level: float = 0.95) -> Estimate:
    """Give ``exp((O - E) / V)`` of the second group, by Mantel-Haenszel's variance ``V``.

    Parameters
    ----------
    test
        Unweighted log-rank test of two groups; the first is the reference.
    conf_level
        Coverage, in (0, 1).

    Returns
    -------
    Estimate
        With the interval ``exp((O - E) / V ± z / sqrt(V))``; it exists without an event in one
        group too.

    References
    ----------
    Yusuf S et al. Prog Cardiovasc Dis 1985;27:335-371.
    """
    _check(test)
    z = normal_quantile(conf_level)
    method = "one step"
    variance = float(test.variance[1, 1])
    reason = test.reason or (NotEstimable.NEVER_COMPARED if variance <= 0 else None)
    if reason is not None:
        return not_estimable(reason, conf_level=conf_level, method=method)
    step = float(test.observed[1] - test.expected[1]) / variance
    return _ratio(step, 1 / math.sqrt(variance), z, conf_level, method)


def exact_at_ties(
    time: ArrayLike,
    event: ArrayLike,
    second: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> Estimate:
    """Fit Cox's model of two groups with the exact partial likelihood at tied times.

    Parameters
    ----------
    time, event, entry
        Follow-up of both groups together; shape (n,).
    second
        Whether a subject is in the second group; shape (n,).
    conf_level
        Coverage of the Wald interval, in (0, 1).

    Returns
    -------
    Estimate
        Hazard ratio of the second group against the first. ``SEPARATION`` where it goes to 0 or
        infinity, ``NEVER_COMPARED`` where no event compares anything.

    Notes
    -----
    At an event time with ``d`` events, ``n1`` and ``n0`` at risk, the number of events in the
    second group has a noncentral hypergeometric distribution; the likelihood is their product.

    References
    ----------
    Cox DR. J R Stat Soc B 1972;34:187-220, section 6.
    """
    z = normal_quantile(conf_level)
    method = "exact partial likelihood"
    times, events, entries = check_survival_data(time, event, entry)
    member = np.asarray(second, dtype=np.bool_)
    if member.shape != times.shape:
        raise ValueError(f"second must have shape {times.shape}, but has {member.shape}")
    times, entries = align_follow_up(times, entries)
    tables = _tables(times, events, member, entries)
    informative = [t for t in tables if t.low < t.high]
    if not informative:
        reason = NotEstimable.NO_EVENTS if not events.any() else NotEstimable.NEVER_COMPARED
        return not_estimable(reason, conf_level=conf_level, method=method)
    seen = sum(t.seen for t in informative)
    if seen in (sum(t.low for t in informative), sum(t.high for t in informative)):
        return not_estimable(NotEstimable.SEPARATION, conf_level=conf_level, method=method)
    slope = 0.0
    for _ in range(_ITERATIONS):
        moments = [t.moments(slope) for t in informative]
        information = math.fsum(spread for _, spread in moments)
        step = (seen - math.fsum(mean for mean, _ in moments)) / information
        slope += max(-1.0, min(1.0, step))
        if abs(step) < 1e-12 * max(1.0, abs(slope)):
            break
    else:
        return not_estimable(NotEstimable.NOT_CONVERGED, conf_level=conf_level, method=method)
    information = math.fsum(t.moments(slope)[1] for t in informative)
    return _ratio(slope, 1 / math.sqrt(information), z, conf_level, method)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """One event time: events of the second group, their possible numbers and log weights."""

    seen: int
    low: int
    high: int
    log_weights: FloatArray

    def moments(self, slope: float) -> tuple[float, float]:
        """Give mean and variance of the number of events in the second group."""
        number = np.arange(self.low, self.high + 1, dtype=np.float64)
        log_share = self.log_weights + slope * number
        share = np.exp(log_share - log_share.max())
        share /= share.sum()
        mean = float(share @ number)
        return mean, float(share @ (number - mean) ** 2)


def _tables(
    times: FloatArray,
    events: np.ndarray,
    member: np.ndarray,
    entries: FloatArray | None,
) -> list[_Table]:
    at, deaths = np.unique(times[events], return_counts=True)
    seen = np.bincount(np.searchsorted(at, times[events & member]), minlength=len(at))

    def at_risk(who: np.ndarray) -> np.ndarray:
        ordered = np.sort(times[who])
        count: np.ndarray = len(ordered) - np.searchsorted(ordered, at, side="left")
        if entries is not None:
            entered = np.sort(entries[who])
            count = count - (len(entered) - np.searchsorted(entered, at, side="left"))
        return count

    second, first = at_risk(member), at_risk(~member)
    found = []
    for d, k, n1, n0 in zip(
        deaths.tolist(), seen.tolist(), second.tolist(), first.tolist(), strict=True
    ):
        low, high = max(0, d - n0), min(d, n1)
        weights = np.array(
            [_log_choose(n1, i) + _log_choose(n0, d - i) for i in range(low, high + 1)]
        )
        found.append(_Table(k, low, high, weights))
    return found


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _check(test: LogRank) -> None:
    if len(test.groups) != 2 or test.weights is not LogRankWeights.LOG_RANK:
        raise ValueError("the test must be an unweighted log-rank test of two groups")


def _ratio(log_ratio: float, error: float, z: float, conf_level: float, method: str) -> Estimate:
    try:
        value, low, high = (math.exp(log_ratio + k * error) for k in (0.0, -z, z))
    except OverflowError:
        return not_estimable(NotEstimable.NOT_CONVERGED, conf_level=conf_level, method=method)
    return Estimate(value, low, high, conf_level, method)
