"""The partial likelihood of Cox models, with its derivatives, for many models at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from sts_core.estimators.risk_sets import RiskSets
from sts_core.estimators.tied_times import BoolArray, FloatArray, IntArray

BLOCK_CELLS: Final = 262_144
"""Cells of a covariate block worked on at a time when all columns together would not fit caches."""


class Ties(StrEnum):
    """How subjects with events at the same time share the risk set."""

    EFRON = "efron"
    BRESLOW = "breslow"


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodTerms:
    """The likelihood and its derivatives at one set of coefficients, for b models.

    Parameters
    ----------
    value : array of float, shape (b,)
        Log partial likelihood.
    score : array of float, shape (b, p)
        First derivative.
    information : array of float, shape (b, p, p)
        Minus the second derivative.
    """

    value: FloatArray
    score: FloatArray
    information: FloatArray

    def take(self, models: IntArray | BoolArray) -> LikelihoodTerms:
        """Keep some of the models."""
        return LikelihoodTerms(self.value[models], self.score[models], self.information[models])


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Weights and means over risk sets, one column for each term of the likelihood.

    Parameters
    ----------
    eta : array of float, shape (b, r)
        Linear predictor.
    risk : array of float, shape (b, r)
        Case weight times relative hazard, over a common factor ``exp(shift)``.
    shift : array of float, shape (b, 1)
    denominator : array of float, shape (b, t)
        Sum of ``risk`` over the risk set, less the tied part.
    mean : array of float, shape (b, p, t)
        Weighted mean of the covariates over the risk set, less the tied part.
    hazard : array of float, shape (b, t)
        Weight of the term over its denominator: the increment of the baseline hazard.
    """

    eta: FloatArray
    risk: FloatArray
    shift: FloatArray
    denominator: FloatArray
    mean: FloatArray
    hazard: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PartialLikelihood:
    """b Cox models with p columns each over the same risk sets.

    With Breslow's method an event time is one term of the likelihood. With Efron's the d events of
    an event time are d terms: in the j-th, the fraction (j - 1) / d of those who have the event is
    out of the risk set (Efron 1977, J Am Stat Assoc 72:557).

    Parameters
    ----------
    sets : RiskSets
        r sorted rows, k event times, e events.
    x : array of float, shape (b, p, r)
        Covariates, centred and scaled; 0 in rows that a model leaves out.
    weight : array of float, shape (b, r) or (1, r)
        Case weights; 0 in rows that a model leaves out.
    event_weight : array of float, shape (b, e) or (1, e)
    term_group : array of int, shape (t,), or None
        Event time of each term; ``None`` when terms are event times.
    term_weight : array of float, shape (b, t) or (1, t)
    term_fraction : array of float, shape (b, t) or (1, t), or None
        Fraction of the tied events that is out; ``None`` when it is 0 throughout.
    tied : array of int, shape (q,)
        Events, and with Efron's method terms, at event times with more than one event.
    tied_start, tied_place : array of int
        First member of each such time within ``tied``, and the time of each member, shape (q,).
    """

    sets: RiskSets
    x: FloatArray
    weight: FloatArray
    event_weight: FloatArray
    term_group: IntArray | None
    term_weight: FloatArray
    term_fraction: FloatArray | None
    tied: IntArray
    tied_start: IntArray
    tied_place: IntArray

    def take(self, models: IntArray | BoolArray) -> PartialLikelihood:
        """Keep some of the models."""

        def part(array: FloatArray) -> FloatArray:
            return array if array.shape[0] == 1 else array[models]

        fraction = self.term_fraction
        x = self.x[models]
        shared = self.weight.shape[0] == 1
        if shared:
            return replace(self, x=x)
        return replace(
            self,
            x=x,
            weight=part(self.weight),
            event_weight=part(self.event_weight),
            term_weight=part(self.term_weight),
            term_fraction=None if fraction is None else part(fraction),
        )

    def by_term(self, values: FloatArray) -> FloatArray:
        """Spread values of event times over terms; (..., k) to (..., t)."""
        return values if self.term_group is None else values[..., self.term_group]

    def by_group(self, values: FloatArray) -> FloatArray:
        """Sum values of terms over event times; (..., t) to (..., k)."""
        return values if self.term_group is None else self.sets.per_group(values)

    def moments(self, beta: FloatArray) -> Moments:
        """Compute weights and means over the risk sets.

        Parameters
        ----------
        beta
            Coefficients of the scaled covariates, shape (b, p).

        Returns
        -------
        Moments
        """
        eta = np.matmul(beta[:, None, :], self.x)[:, 0, :]
        shift = eta.max(axis=-1, keepdims=True)
        risk = np.exp(eta - shift)
        risk *= self.weight
        denominator = self._reduced(risk)
        hazard = np.divide(
            self.term_weight,
            denominator,
            out=np.zeros_like(denominator),
            where=np.broadcast_to(self.term_weight > 0, denominator.shape),
        )
        models, columns, rows = self.x.shape
        if models * columns * rows <= 8 * BLOCK_CELLS:
            mean = self._reduced(risk[:, None, :] * self.x)
        else:
            mean = np.empty((models, columns, denominator.shape[-1]))
            for column in range(columns):
                mean[:, column] = self._reduced(risk * self.x[:, column])
        mean /= np.where(self.term_weight > 0, denominator, 1.0)[:, None, :]
        return Moments(eta, risk, shift, denominator, mean, hazard)

    def _reduced(self, values: FloatArray) -> FloatArray:
        """Sum over the risk set of each term, less the tied part."""
        sums = self.by_term(self.sets.totals(values))
        if self.term_fraction is None:
            return sums
        # Most times of a large cohort have one event; only the others need the tied part.
        members = values[..., self.sets.event_rows[self.tied]]
        out = np.add.reduceat(members, self.tied_start, axis=-1)[..., self.tied_place]
        fraction = self.term_fraction[:, self.tied]
        sums[..., self.tied] -= (fraction if values.ndim == 2 else fraction[:, None, :]) * out
        return sums

    def expected(
        self, moments: Moments, multiplier: FloatArray | None = None, *, weighted: bool = True
    ) -> FloatArray:
        """Sum the hazard over the time that each row is at risk.

        Parameters
        ----------
        moments
            From :meth:`moments`.
        multiplier
            Factor on each event time's hazard, shape (k,).
        weighted
            Whether to multiply with case weight and relative hazard: the expected number of events.

        Returns
        -------
        array
            Shape (b, r).
        """
        hazard = moments.hazard
        if multiplier is not None:
            hazard = hazard * self.by_term(multiplier)
        expected = self.sets.exposure(self.by_group(hazard))
        if self.term_fraction is not None:
            out = self.by_group(hazard * self.term_fraction)[..., self.sets.event_group]
            expected[..., self.sets.event_rows] -= out
        return np.asarray(expected * moments.risk) if weighted else expected

    def information(
        self,
        moments: Moments,
        expected: FloatArray,
        multiplier: FloatArray | None = None,
    ) -> FloatArray:
        """Compute minus the second derivative, each event time's part times a multiplier."""
        term_weight = self.term_weight
        if multiplier is not None:
            term_weight = term_weight * self.by_term(multiplier)
        return _cross_products(self.x, expected) - _cross_products(moments.mean, term_weight)

    def at(self, beta: FloatArray) -> LikelihoodTerms:
        """Evaluate the likelihood and its derivatives.

        Parameters
        ----------
        beta
            Coefficients of the scaled covariates, shape (b, p).

        Returns
        -------
        LikelihoodTerms
            Where a sum over a risk set underflows, the value is NaN or minus infinity.
        """
        with np.errstate(all="ignore"):
            moments = self.moments(beta)
            expected = self.expected(moments)
            rows = self.sets.event_rows
            event_eta = moments.eta[:, rows]
            log_sums = np.log(np.where(self.term_weight > 0, moments.denominator, 1.0))
            value = (self.event_weight * event_eta).sum(axis=-1) - (
                self.term_weight * (log_sums + moments.shift)
            ).sum(axis=-1)
            observed_less_expected = -expected
            observed_less_expected[:, rows] += self.event_weight
            score = np.matmul(self.x, observed_less_expected[:, :, None])[:, :, 0]
            return LikelihoodTerms(value, score, self.information(moments, expected))


def _cross_products(x: FloatArray, weight: FloatArray) -> FloatArray:
    """Compute x diag(weight) x' for x of shape (b, p, m), in blocks that stay in the cache."""
    models, columns, length = x.shape
    if models * columns * length <= 2 * BLOCK_CELLS:
        return np.asarray(np.matmul(x * weight[:, None, :], x.transpose(0, 2, 1)))
    result = np.zeros((models, columns, columns))
    block = max(1, BLOCK_CELLS // max(1, models * columns))
    for first in range(0, length, block):
        part = x[:, :, first : first + block]
        weighted = part * weight[:, None, first : first + block]
        result += np.matmul(weighted, part.transpose(0, 2, 1))
    return result


def partial_likelihood(
    sets: RiskSets, x: FloatArray, weight: FloatArray, ties: Ties
) -> PartialLikelihood:
    """Prepare the terms of the likelihood for a way of handling ties.

    Parameters
    ----------
    sets
        Risk sets with at least one event.
    x
        Covariates of the sorted rows, shape (b, p, r).
    weight
        Case weights of the sorted rows, 0 for rows left out; shape (b, r) or (1, r).
    ties
        Handling of ties.

    Returns
    -------
    PartialLikelihood
    """
    event_weight = weight[:, sets.event_rows]
    total = sets.per_group(event_weight)
    if ties is Ties.BRESLOW or sets.n_groups == sets.event_rows.size:
        nothing = np.zeros(0, dtype=np.int64)
        return PartialLikelihood(
            sets, x, weight, event_weight, None, total, None, nothing, nothing, nothing
        )
    size = np.diff(np.append(sets.event_start, sets.event_rows.size))
    tied = np.flatnonzero(size[sets.event_group] > 1)
    place = sets.event_group[tied]
    is_first = np.ones(tied.size, dtype=np.bool_)
    is_first[1:] = place[1:] != place[:-1]
    counted = (event_weight > 0).astype(np.float64)
    number = np.maximum(sets.per_group(counted), 1.0)[:, sets.event_group]
    earlier = np.cumsum(counted, axis=-1) - counted
    earlier -= earlier[:, sets.event_start][:, sets.event_group]
    return PartialLikelihood(
        sets,
        x,
        weight,
        event_weight,
        sets.event_group,
        np.where(counted > 0, total[:, sets.event_group] / number, 0.0),
        np.where(counted > 0, earlier / number, 0.0),
        tied,
        np.flatnonzero(is_first),
        np.cumsum(is_first) - 1,
    )
