"""Gray's test: whether the cumulative incidence of one cause differs between groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sts_core.estimates import NotEstimable, TestResult
from sts_core.estimators.chi_square import chi_square_p
from sts_core.estimators.cumulative_incidence import check_causes
from sts_core.estimators.tied_times import (
    BoolArray,
    FloatArray,
    IntArray,
    align_ties,
    check_survival_data,
    read_only,
)

NAME: Final = "Gray"
_NO_INFORMATION: Final = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class GrayTest:
    """Gray's test over k groups.

    Parameters
    ----------
    n, n_event
        Subjects of each group, and those with an event of the cause tested; shape (k,).
    score
        Weighted sums of events beyond those expected, over strata; shape (k,); they add up to 0.
    variance
        Their covariance; shape (k, k).
    statistic, df, p_value
        Chi-square, its degrees of freedom, upper tail; NaN, 0 and NaN where not estimable.
    reason
        Why there is no test.
    """

    n: IntArray
    n_event: IntArray
    score: FloatArray
    variance: FloatArray
    statistic: float
    df: int
    p_value: float
    reason: NotEstimable | None = None

    def to_test_result(self) -> TestResult:
        """Give name, statistic, df and P, or the reason why there is none."""
        if self.reason is not None:
            return TestResult(NAME, reason=self.reason)
        return TestResult(NAME, self.statistic, self.df, self.p_value)


def gray_test(
    time: ArrayLike,
    cause: ArrayLike,
    group: ArrayLike,
    n_groups: int,
    *,
    of: int = 1,
    n_causes: int | None = None,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> GrayTest:
    """Test whether the cumulative incidence of one cause differs between groups.

    Parameters
    ----------
    time
        Times to the first event or to censoring, finite and not negative; shape (n,).
    cause
        Number of the event's cause from 1, 0 where censored; shape (n,).
    group
        Number of each subject's group, from 0 to ``n_groups - 1``; shape (n,).
    n_groups
        How many groups there are, also those without subjects.
    of
        The cause that is tested; all others compete.
    n_causes
        How many causes there are; the largest one that occurs when ``None``.
    strata
        Stratum of each subject, whole numbers; shape (n,). Scores and variances are summed.
    rho
        Exponent of the weight ``(1 - F) ** rho``, ``F`` the pooled incidence just before a time.

    Returns
    -------
    GrayTest
        With reason ``NO_SUBJECTS``, ``ONE_GROUP`` (fewer than two groups with subjects),
        ``NO_EVENTS`` (of this cause), or ``NO_VARIATION`` (nothing to compare, or tied events in a
        data set so small that the variance is not positive).

    Raises
    ------
    ValueError
        On data that cannot be follow-up data, and on a negative or infinite rho.

    Notes
    -----
    With ``Y`` at risk, ``S`` the survival from any event and ``F`` the incidence of the cause,
    both of a group and just before a time, let ``h = Y / S``, ``R = h (1 - F)``, and ``d`` the
    events of the cause. The score of group i is ``Σ w (d_i - d R_i / Σ R)``, and the pooled
    incidence rises by ``d / Σ h``. Variance: with ``a_ir = w h_r ([i = r] - h_i / Σ h)`` and
    ``c_ir`` its sum against the pooled ``dF / (1 - F)``, the sum over groups r of ``u u'`` against
    the variance of their events, where ``u = a + (1 - (1 - F) / S_r) (c_ir(∞) - c_ir)`` for events
    of the cause, and ``u = (1 - F) / S_r (c_ir(∞) - c_ir)`` for competing ones. Variances of tied
    events carry the factor ``1 - (d - 1) / (n - 1)``, as in R's ``cmprsk``.

    References
    ----------
    Gray RJ. Ann Stat 1988;16:1141-1154.
    """
    if not (math.isfinite(rho) and rho >= 0):
        raise ValueError(f"rho must be finite and not negative, but was {rho}")
    raw = np.asarray(cause)
    times, _, _ = check_survival_data(time, raw != 0)
    highest = int(raw.max()) if raw.size else 0
    causes = check_causes(raw, times.size, max(highest, of) if n_causes is None else n_causes)
    groups = check_causes(group, times.size, n_groups - 1)
    (times,) = align_ties(times)
    n = np.bincount(groups, minlength=n_groups)
    n_event = np.bincount(groups[causes == of], minlength=n_groups)
    score, variance = np.zeros(n_groups), np.zeros((n_groups, n_groups))
    for members in _strata(strata, times.size):
        part = _one_stratum(times[members], causes[members], groups[members], n_groups, of, rho)
        score += part[0]
        variance += part[1]
    statistic, df = _statistic(score, variance, n > 0)
    reason: NotEstimable | None = None
    if times.size == 0:
        reason = NotEstimable.NO_SUBJECTS
    elif np.count_nonzero(n) < 2:
        reason = NotEstimable.ONE_GROUP
    elif not n_event.any():
        reason = NotEstimable.NO_EVENTS
    elif df == 0:
        reason = NotEstimable.NO_VARIATION
    return GrayTest(
        n=read_only(n.astype(np.int64)),
        n_event=read_only(n_event.astype(np.int64)),
        score=read_only(score),
        variance=read_only(variance),
        statistic=math.nan if reason else statistic,
        df=0 if reason else df,
        p_value=math.nan if reason else chi_square_p(statistic, df),
        reason=reason,
    )


def _strata(strata: ArrayLike | None, n: int) -> list[BoolArray]:
    if strata is None:
        return [np.ones(n, dtype=np.bool_)] if n else []
    codes = np.asarray(strata)
    if codes.shape != (n,):
        raise ValueError(f"strata must have shape ({n},), but have {codes.shape}")
    return [np.asarray(codes == code, dtype=np.bool_) for code in np.unique(codes)]


def _one_stratum(
    times: FloatArray, causes: IntArray, groups: IntArray, k: int, of: int, rho: float
) -> tuple[FloatArray, FloatArray]:
    """Sum scores and their covariance over the event times of one stratum."""
    distinct = np.unique(times[causes > 0])
    m = distinct.size
    if m == 0:
        return np.zeros(k), np.zeros((k, k))

    def table(rows: BoolArray, place: IntArray) -> FloatArray:
        cell = place[rows] * k + groups[rows]
        counts: FloatArray = np.bincount(cell, minlength=(m + 1) * k).astype(np.float64)
        return counts.reshape(m + 1, k)

    # the last event time that a subject is at risk at, counted from 1; 0 for none
    last = np.searchsorted(distinct, times, side="right")
    everyone = np.ones(times.size, dtype=np.bool_)
    at_risk = np.cumsum(table(everyone, last)[::-1], axis=0)[::-1][1:]
    own = table(causes == of, last)[1:]
    other = table((causes > 0) & (causes != of), last)[1:]
    some = at_risk > 0

    def ratio(top: NDArray[np.floating], bottom: NDArray[np.floating]) -> FloatArray:
        """Divide, with 0 where the bottom is 0."""
        shape = np.broadcast_shapes(top.shape, bottom.shape)
        quotient: FloatArray = np.zeros(shape)
        np.divide(top, bottom, out=quotient, where=np.broadcast_to(bottom != 0, shape))
        return quotient

    survival = np.cumprod(1 - ratio(own + other, at_risk), axis=0)
    before = np.vstack([np.ones(k), survival[:-1]])
    incidence = np.cumsum(ratio(before * own, at_risk), axis=0)
    incidence_before = np.vstack([np.zeros(k), incidence[:-1]])
    h = ratio(at_risk, np.where(some, before, 0.0))
    total_h = h.sum(axis=1)
    d = own.sum(axis=1)
    pooled = np.cumsum(ratio(d, total_h))
    pooled_before = np.concatenate([[0.0], pooled[:-1]])
    # The pooled curve may pass 1 where groups end one after the other; R goes on there, too.
    free_before = 1 - pooled_before
    weight = np.maximum(free_before, 0.0) ** rho
    expected_share = h * (1 - incidence_before)
    total_share: FloatArray = np.sum(expected_share, axis=1, keepdims=True)
    score = (weight[:, None] * (own - d[:, None] * ratio(expected_share, total_share))).sum(0)

    variance = np.zeros((k, k))
    hazard = ratio(d, total_h * free_before)
    for r in np.flatnonzero(some.any(axis=0)):
        a = -h * ratio(h[:, r] * weight, total_h)[:, None]
        a[:, r] += weight * h[:, r]
        passed = np.cumsum(a * hazard[:, None], axis=0)
        rest = passed[-1] - passed
        free = ratio(1 - pooled, survival[:, r])[:, None]
        alive = survival[:, r] > 0
        # events of the cause, their hazard taken from all groups together
        ties = 1 - ratio(np.maximum(d - 1, 0.0), total_h * before[:, r] - 1)
        spread = ties * ratio(before[:, r] * d, total_h * at_risk[:, r])
        u = a + np.where(alive[:, None], 1 - free, 1.0) * rest
        variance += (u * np.where(d > 0, spread, 0.0)[:, None]).T @ u
        # competing events, of this group
        e = other[:, r]
        ties = 1 - ratio(np.maximum(e - 1, 0.0), at_risk[:, r] - 1)
        spread = ties * e * ratio(before[:, r], at_risk[:, r]) ** 2
        u = free * rest
        variance += (u * np.where(alive, spread, 0.0)[:, None]).T @ u
    return score, variance


def _statistic(score: FloatArray, variance: FloatArray, counted: BoolArray) -> tuple[float, int]:
    """Give chi-square and degrees of freedom; 0 degrees where nothing can be compared.

    The covariance lacks one rank, because scores add up to 0, and more where groups never meet.
    """
    kept = np.flatnonzero(counted)
    if kept.size < 2:
        return math.nan, 0
    part = variance[np.ix_(kept, kept)]
    values, vectors = np.linalg.eigh((part + part.T) / 2)
    largest = float(values[-1])
    if not largest > 0 or float(values[0]) < -1e-8 * largest:
        return math.nan, 0
    rank = values > _NO_INFORMATION * largest
    turned = vectors[:, rank].T @ score[kept]
    return float(np.sum(turned**2 / values[rank])), int(np.count_nonzero(rank))
