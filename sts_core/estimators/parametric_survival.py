"""Parametric survival: five families fitted by maximum likelihood to one group.

All are families of the logarithm of time: ``log T = location + scale * W`` with ``W`` of a known
shape. Times may be in any unit; the location is the logarithm of a time in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sts_core.estimates import NotEstimable
from sts_core.estimators.product_limit import normal_quantile
from sts_core.estimators.tied_times import FloatArray, check_survival_data, read_only

MAX_ITERATIONS: Final = 60
_MET = 1e-20
_SMALLEST_SCALE = 1e-4
_SHAPE_GRID = (-16.0, -8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
_FIRST_SHAPES = (4, 5, 6)
_NORMAL_SHAPE = 1e-5
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Family(StrEnum):
    """Shape of the distribution of survival times."""

    EXPONENTIAL = "exponential"
    WEIBULL = "weibull"
    LOG_NORMAL = "log-normal"
    LOG_LOGISTIC = "log-logistic"
    GENERALISED_GAMMA = "generalised gamma"


N_PARAMETERS: Final = {
    Family.EXPONENTIAL: 1,
    Family.WEIBULL: 2,
    Family.LOG_NORMAL: 2,
    Family.LOG_LOGISTIC: 2,
    Family.GENERALISED_GAMMA: 3,
}


@dataclass(frozen=True, slots=True, eq=False)
class ParametricFit:
    """A family fitted to one group.

    Parameters
    ----------
    family
        Which one.
    location, scale, shape
        Of the logarithm of time: ``mu``, ``sigma`` and, of the generalised gamma, ``Q`` (Weibull
        at 1, log-normal at 0). The scale of the exponential is 1. NaN where not estimable.
    covariance
        Of ``(location, log scale, shape)``, as many as the family has; inverse of the observed
        information.
    log_likelihood
        At the maximum, of the times themselves.
    n, n_event
        Subjects and events.
    reason
        Why there is no fit.
    """

    family: Family
    location: float
    scale: float
    shape: float
    covariance: FloatArray
    log_likelihood: float
    n: int
    n_event: int
    reason: NotEstimable | None = None

    @property
    def n_parameters(self) -> int:
        """Free parameters of the family."""
        return N_PARAMETERS[self.family]

    @property
    def aic(self) -> float:
        """Akaike's criterion, ``2 k - 2 log L``."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion with the number of subjects, ``k log n - 2 log L``, as R has it."""
        if self.reason is not None:
            return math.nan
        return self.n_parameters * math.log(self.n) - 2 * self.log_likelihood

    @property
    def parameters(self) -> FloatArray:
        """Location, log scale and shape, as many as are free."""
        every = np.array([self.location, math.log(self.scale), self.shape])
        return every[: self.n_parameters]


def parametric_fit(
    time: ArrayLike, event: ArrayLike, family: Family | str, *, entry: ArrayLike | None = None
) -> ParametricFit:
    """Fit a family by maximum likelihood.

    Parameters
    ----------
    time, event, entry
        Follow-up as in :func:`~.product_limit.product_limit`; shape (n,). Who is censored at time
        0 tells nothing and stays in ``n``.
    family
        Which family.

    Returns
    -------
    ParametricFit
        With a reason in place of numbers: ``NO_SUBJECTS``, ``NO_EVENTS``, ``EVENT_AT_ZERO`` (none
        of the densities is defined there), ``TOO_FEW`` (fewer events than
        parameters, or fewer than three distinct times for a generalised gamma), or
        ``NOT_CONVERGED`` (the likelihood rises towards a border, as where all events fall
        together).

    Raises
    ------
    ValueError
        On data that cannot be follow-up data, or an unknown family.

    References
    ----------
    Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, chapter 2; Prentice
    RL. Biometrika 1974;61:539-544 (generalised gamma).
    """
    family = Family(family)
    times, events, entries = check_survival_data(time, event, entry)
    n, n_event = times.size, int(np.count_nonzero(events))
    reason: NotEstimable | None = None
    if n == 0:
        reason = NotEstimable.NO_SUBJECTS
    elif n_event == 0:
        reason = NotEstimable.NO_EVENTS
    elif np.any(times[events] == 0):
        reason = NotEstimable.EVENT_AT_ZERO
    elif n_event < N_PARAMETERS[family] or (
        family is Family.GENERALISED_GAMMA and np.unique(times[events]).size < 3
    ):
        reason = NotEstimable.TOO_FEW
    if reason is None:
        late = np.zeros(0) if entries is None else entries[np.isfinite(entries)]
        sample = _Sample(
            *(_Counted.of(part) for part in (times[events], times[~events & (times > 0)], late))
        )
        found = _fit(sample, family)
        if found is not None:
            location, scale, shape, value = found
            covariance = _covariance(sample, family, location, scale, shape)
            if covariance is not None:
                return ParametricFit(
                    family, location, scale, shape, read_only(covariance), value, n, n_event
                )
        reason = NotEstimable.NOT_CONVERGED
    nothing = np.full((N_PARAMETERS[family],) * 2, np.nan)
    nan = math.nan
    return ParametricFit(family, nan, nan, nan, nothing, nan, n, n_event, reason)


def survival_of(fit: ParametricFit, times: ArrayLike) -> FloatArray:
    """Give the fitted survival at times in the unit of the data; NaN where there is no fit."""
    return _survival(fit.family, fit.parameters, np.asarray(times, dtype=np.float64))


def survival_interval(
    fit: ParametricFit, time: float, conf_level: float = 0.95
) -> tuple[float, float, float]:
    """Give the fitted survival at one time with its interval.

    The interval is symmetric on the scale ``log(-log S)``, its width by the delta method. There is
    none where the survival, or one a hair's breadth of the parameters beside it, is 0 or 1.
    """
    at = np.array([time])
    value = float(_survival(fit.family, fit.parameters, at)[0])
    if not 0 < value < 1:
        return value, math.nan, math.nan

    def scaled(parameters: FloatArray) -> float:
        hazard = -float(_log_survival(fit.family, parameters, at)[0])
        return math.log(hazard) if 0 < hazard < math.inf else math.nan

    centre, error = scaled(fit.parameters), _delta_error(fit, scaled)
    width = normal_quantile(conf_level) * error
    with np.errstate(over="ignore"):  # far past the data the limits are 0 and 1
        low, high = np.exp(-np.exp([centre + width, centre - width])).tolist()
    return value, low, high


def quantile_interval(
    fit: ParametricFit, probability: float = 0.5, conf_level: float = 0.95
) -> tuple[float, float, float]:
    """Give the time by which a share had the event, with an interval symmetric in its logarithm."""

    def scaled(parameters: FloatArray) -> float:
        return _log_quantile(fit.family, parameters, probability)

    centre, error = scaled(fit.parameters), _delta_error(fit, scaled)
    width = normal_quantile(conf_level) * error
    with np.errstate(over="ignore"):
        value, low, high = np.exp([centre, centre - width, centre + width]).tolist()
    return value, low, high


def _delta_error(fit: ParametricFit, function: Callable[[FloatArray], float]) -> float:
    at = fit.parameters
    slope = np.empty(at.size)
    for j in range(at.size):
        step = np.zeros(at.size)
        step[j] = 1e-5 * max(1.0, abs(float(at[j])))
        slope[j] = (function(at + step) - function(at - step)) / (2 * step[j])
    variance = float(slope @ fit.covariance @ slope)
    return math.sqrt(max(0.0, variance)) if math.isfinite(variance) else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """Logarithms of the distinct times of some subjects, and how many have each."""

    logs: FloatArray
    counts: FloatArray

    @classmethod
    def of(cls, times: FloatArray) -> _Counted:
        distinct, counts = np.unique(times, return_counts=True)
        return cls(np.log(distinct), counts.astype(np.float64))

    @property
    def n(self) -> float:
        return float(self.counts.sum())

    def sum(self, values: FloatArray) -> float:
        return float(self.counts @ values)


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Times of events, of censorings, and of delayed entries."""

    event: _Counted
    censored: _Counted
    entry: _Counted


def _fit(sample: _Sample, family: Family) -> tuple[float, float, float, float] | None:
    """Give location, scale, shape and log likelihood; ``None`` without a maximum."""
    if family is Family.EXPONENTIAL:
        lived, watched, missed = (
            part.sum(np.exp(part.logs)) for part in (sample.event, sample.censored, sample.entry)
        )
        location = math.log((lived + watched - missed) / sample.event.n)
        return location, 1.0, 1.0, _terms(sample, _WEIBULL, location, 0.0)[0]
    first = sample.event.logs[0]
    if sample.event.logs.size == 1 and not np.any(sample.censored.logs > first):
        return None  # all events at the last time: the narrower the likelier
    if family is not Family.GENERALISED_GAMMA:
        found = _newton(sample, _SHAPES[family])
        if found is None:
            return None
        shape = {Family.WEIBULL: 1.0, Family.LOG_NORMAL: 0.0}.get(family, math.nan)
        return found[0], math.exp(found[1]), shape, found[2]
    return _fit_generalised_gamma(sample)


def _fit_generalised_gamma(sample: _Sample) -> tuple[float, float, float, float] | None:
    """Climb the likelihood profiled over the shape, which is smooth where a joint one is not."""
    start: tuple[float, float] | None = None
    profile: dict[float, tuple[float, float, float]] = {}

    def value(q: float) -> float:
        nonlocal start
        if q not in profile:
            found = None if start is None else _newton(sample, _gamma_shape(q), start)
            found = found or _newton(sample, _gamma_shape(q))
            if found is None:
                return -math.inf
            profile[q] = found
            start = found[:2]
        return profile[q][2]

    at = max(_FIRST_SHAPES, key=lambda i: value(_SHAPE_GRID[i]))
    while True:  # outwards, as long as it rises
        beside = [i for i in (at - 1, at + 1) if 0 <= i < len(_SHAPE_GRID)]
        better = max(beside, key=lambda i: value(_SHAPE_GRID[i]))
        if not value(_SHAPE_GRID[better]) > value(_SHAPE_GRID[at]):
            break
        at = better
    best = _SHAPE_GRID[at]
    if not math.isfinite(value(best)) or at in (0, len(_SHAPE_GRID) - 1):
        return None
    from scipy.optimize import minimize_scalar

    start = profile[best][:2]

    def depth(q: float) -> float:
        found = value(float(q))
        return -found if math.isfinite(found) else 1e6 - value(best)

    refined = minimize_scalar(
        depth, method="bounded", options={"xatol": 1e-7},
        bounds=(_SHAPE_GRID[at - 1], _SHAPE_GRID[at + 1]),
    )  # fmt: skip
    q = float(refined.x)
    if value(q) < value(best):
        q = best
    location, log_scale, found = profile[q]
    return location, math.exp(log_scale), q, found


_Curve = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Log density and log survival of ``W``, each with its first two derivatives."""

    density: _Curve
    survival: _Curve


def _weibull_density(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    e = np.exp(w)
    return w - e, 1 - e, -e


def _weibull_survival(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    e = np.exp(w)
    return -e, -e, -e


def _normal_density(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return -0.5 * w**2 - _HALF_LOG_2PI, -w, -np.ones_like(w)


def _normal_survival(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    from scipy.special import log_ndtr

    log_s: FloatArray = log_ndtr(-w)
    r = np.exp(_normal_density(w)[0] - log_s)
    return log_s, -r, -r * (r - w)


def _logistic_density(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    log_s, _, bend = _logistic_survival(w)
    p = -np.expm1(log_s)
    return w + 2 * log_s, 1 - 2 * p, 2 * bend


def _logistic_survival(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    log_s = -np.logaddexp(0.0, w)
    p = -np.expm1(log_s)
    return log_s, -p, -p * (1 - p)


_WEIBULL: Final = _Shape(_weibull_density, _weibull_survival)
_NORMAL: Final = _Shape(_normal_density, _normal_survival)
_SHAPES: Final = {
    Family.EXPONENTIAL: _WEIBULL,
    Family.WEIBULL: _WEIBULL,
    Family.LOG_NORMAL: _NORMAL,
    Family.LOG_LOGISTIC: _Shape(_logistic_density, _logistic_survival),
}


def _gamma_shape(q: float) -> _Shape:
    """Give Prentice's log gamma shape: Weibull at 1, normal at 0."""
    if abs(q) < _NORMAL_SHAPE:
        return _NORMAL
    from scipy.special import gammainc, gammaincc, gammaln

    k = q**-2
    if k > 1e4:  # Stirling: the difference of large numbers would lose digits
        constant = -_HALF_LOG_2PI - 1 / (12 * k)
    else:
        constant = math.log(abs(q)) + k * math.log(k) - k - float(gammaln(k))
    below = gammaincc if q > 0 else gammainc

    def density(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        u = q * w
        small = np.abs(u) < 1e-2
        series = -(0.5 + u / 6 + u**2 / 24 + u**3 / 120 + u**4 / 720 + u**5 / 5040)
        direct = np.divide(u - np.expm1(u), u**2, out=np.zeros_like(u), where=~small)
        bend = np.where(small, series, direct)
        return constant + w**2 * bend, -np.expm1(u) / q, -np.exp(u)

    def survival(w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        log_s = np.log(below(k, k * np.exp(q * w)))
        log_f, slope, _ = density(w)
        r = np.exp(log_f - log_s)
        return log_s, -r, -r * (slope + r)

    return _Shape(density, survival)


def _terms(
    sample: _Sample, shape: _Shape, location: float, log_scale: float
) -> tuple[float, FloatArray, FloatArray]:
    """Give log likelihood, gradient and second derivatives in location and log scale."""
    scale = math.exp(log_scale)
    value = -sample.event.n * log_scale - sample.event.sum(sample.event.logs)
    slope = np.array([0.0, -sample.event.n])
    bend = np.zeros((2, 2))
    for part, curve, sign in (
        (sample.event, shape.density, 1.0),
        (sample.censored, shape.survival, 1.0),
        (sample.entry, shape.survival, -1.0),
    ):
        if not part.logs.size:
            continue
        w = (part.logs - location) / scale
        g, first, second = curve(w)
        value += sign * part.sum(g)
        slope += sign * np.array([-part.sum(first) / scale, -part.sum(w * first)])
        mixed = part.sum(first + w * second) / scale
        bend += sign * np.array(
            [
                [part.sum(second) / scale**2, mixed],
                [mixed, part.sum(w * first + w**2 * second)],
            ]
        )
    return value, slope, bend


def _newton(
    sample: _Sample, shape: _Shape, start: tuple[float, float] | None = None
) -> tuple[float, float, float] | None:
    """Give location, log scale and log likelihood at the maximum; ``None`` where there is none."""
    if start is None:
        parts = (sample.event, sample.censored)
        n = sum(part.n for part in parts)
        mean = sum(part.sum(part.logs) for part in parts) / n
        spread = math.sqrt(sum(part.sum((part.logs - mean) ** 2) for part in parts) / n)
        middle = sample.event.sum(sample.event.logs) / sample.event.n
        at = np.array([middle, math.log(max(spread, 0.1))])
    else:
        at = np.array(start)
    with np.errstate(all="ignore"):
        value, slope, bend = _terms(sample, shape, float(at[0]), float(at[1]))
        if not math.isfinite(value):
            return None
        for _ in range(MAX_ITERATIONS):
            step = _uphill(slope, bend)
            decrement = float(step @ slope)
            if not math.isfinite(decrement):
                return None
            if decrement <= _MET * max(1.0, abs(value)):
                return float(at[0]), float(at[1]), value
            step /= max(1.0, float(np.abs(step).max()) / 2.0)
            for halving in range(30):
                trial = at + step / 2**halving
                if trial[1] < math.log(_SMALLEST_SCALE):
                    return None  # a scale that goes to 0: all events fall together
                new = _terms(sample, shape, float(trial[0]), float(trial[1]))
                promised = 1e-4 * decrement / 2**halving
                if math.isfinite(new[0]) and new[0] >= value + promised - 1e-13 * abs(value):
                    break
            else:
                return None if decrement > 1e-9 else (float(at[0]), float(at[1]), value)
            if new[0] <= value and decrement < 1e-12:
                return float(trial[0]), float(trial[1]), max(new[0], value)
            at = trial
            value, slope, bend = new
    return None


def _uphill(slope: FloatArray, bend: FloatArray) -> FloatArray:
    """Give Newton's step, turned uphill where the likelihood is not concave."""
    values, vectors = np.linalg.eigh(-bend) if np.all(np.isfinite(bend)) else (None, None)
    if values is None or vectors is None:
        return np.full(slope.size, np.nan)
    safe = np.maximum(np.abs(values), 1e-10 * float(np.abs(values).max()))
    step: FloatArray = vectors @ ((vectors.T @ slope) / safe)
    return step


def _covariance(
    sample: _Sample, family: Family, location: float, scale: float, shape: float
) -> FloatArray | None:
    """Invert the observed information; ``None`` where it is not positive."""
    log_scale = math.log(scale)
    k = N_PARAMETERS[family]
    with np.errstate(all="ignore"):
        if family is not Family.GENERALISED_GAMMA:
            information = -_terms(sample, _SHAPES[family], location, log_scale)[2][:k, :k]
        else:
            information = np.empty((3, 3))
            information[:2, :2] = -_terms(sample, _gamma_shape(shape), location, log_scale)[2]
            h = 1e-4
            up = _terms(sample, _gamma_shape(shape + h), location, log_scale)
            here = _terms(sample, _gamma_shape(shape), location, log_scale)
            down = _terms(sample, _gamma_shape(shape - h), location, log_scale)
            mixed = -(up[1] - down[1]) / (2 * h)
            information[2, :2] = information[:2, 2] = mixed
            information[2, 2] = -(up[0] - 2 * here[0] + down[0]) / h**2
    if not np.all(np.isfinite(information)) or np.linalg.eigvalsh(information)[0] <= 0:
        return None
    return np.asarray(np.linalg.inv(information))


def _survival(family: Family, parameters: FloatArray, times: FloatArray) -> FloatArray:
    with np.errstate(under="ignore"):
        return np.asarray(np.exp(_log_survival(family, parameters, times)))


def _log_survival(family: Family, parameters: FloatArray, times: FloatArray) -> FloatArray:
    location = float(parameters[0])
    scale = math.exp(float(parameters[1])) if parameters.size > 1 else 1.0
    shape = (
        _gamma_shape(float(parameters[2]))
        if family is Family.GENERALISED_GAMMA
        else _SHAPES[family]
    )
    log_survival: FloatArray = np.zeros(times.shape)
    later = times > 0
    with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
        w = (np.log(times[later]) - location) / scale
        log_survival[later] = shape.survival(w)[0]
    log_survival[np.isnan(times)] = np.nan
    if math.isnan(location):
        log_survival[:] = np.nan
    return log_survival


def _log_quantile(family: Family, parameters: FloatArray, probability: float) -> float:
    """Give the logarithm of the time at which survival is ``1 - probability``."""
    from scipy.special import gammainccinv, gammaincinv, ndtri

    if family is Family.LOG_NORMAL:
        w = float(ndtri(probability))
    elif family is Family.LOG_LOGISTIC:
        w = math.log(probability / (1 - probability))
    elif family is not Family.GENERALISED_GAMMA:
        w = math.log(-math.log(1 - probability))
    else:
        q = float(parameters[2])
        k = q**-2 if abs(q) >= _NORMAL_SHAPE else math.inf
        if math.isinf(k):
            w = float(ndtri(probability))
        else:
            invert = gammainccinv if q > 0 else gammaincinv
            w = math.log(float(invert(k, 1 - probability)) / k) / q
    scale = math.exp(float(parameters[1])) if parameters.size > 1 else 1.0
    return float(parameters[0]) + scale * w
