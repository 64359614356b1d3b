"""Length of follow-up: Kaplan-Meier with event and censoring in each other's place."""

from __future__ import annotations

from enum import StrEnum

from numpy.typing import ArrayLike

from sts_core.estimators.product_limit import ProductLimit, curve_from_counts, product_limit


class FollowUpTies(StrEnum):
    """Whether who has the event at ``t`` could still have been censored at ``t``.

    ``EVENTS_LEAVE_FIRST``: no, the potential follow-up is longer than ``t`` (R's prodlim with
    ``reverse = TRUE``, scikit-survival). ``FLIPPED``: yes, the event indicator is simply inverted
    (R's survfit, SPSS).
    """

    EVENTS_LEAVE_FIRST = "prodlim"
    FLIPPED = "flip"


def reverse_product_limit(
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    ties: FollowUpTies | str = FollowUpTies.EVENTS_LEAVE_FIRST,
) -> ProductLimit:
    """Estimate the distribution of the potential follow-up time.

    Parameters
    ----------
    time, event, entry
        Follow-up as in :func:`~.product_limit.product_limit`; ``event`` is the study's event.
    ties
        Convention for an event and a censoring at the same time.

    Returns
    -------
    ProductLimit
        ``n_event`` counts the censorings (the end of follow-up), ``n_censor`` the study's events.
        With ``EVENTS_LEAVE_FIRST``, ``n_risk`` excludes the events at the same time. Its quantiles
        are those of follow-up.

    References
    ----------
    Schemper M, Smith TL. Control Clin Trials 1996;17:343-346.
    """
    return reverse_curve(product_limit(time, event, entry=entry), ties)


def reverse_curve(
    curve: ProductLimit, ties: FollowUpTies | str = FollowUpTies.EVENTS_LEAVE_FIRST
) -> ProductLimit:
    """Do as :func:`reverse_product_limit` for the patients of a curve that is there already."""
    flipped = FollowUpTies(ties) is FollowUpTies.FLIPPED
    return curve_from_counts(
        n=curve.n,
        time=curve.time,
        n_risk=curve.n_risk if flipped else curve.n_risk - curve.n_event,
        n_event=curve.n_censor,
        n_censor=curve.n_event,
        entry_time=curve.entry_time,
        tolerance=curve.tolerance,
    )
