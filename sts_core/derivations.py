"""Variables made of others: levels and numbers of all subjects in, levels and numbers out.

Every function takes arrays of one length, one element a subject, with ``None`` (or NaN) where a
value is not known, and gives such an array. None of them knows a cohort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from sts_core.study.types import (
    Combination,
    CountOf,
    CountOfRows,
    Derivation,
    FirstKnown,
    IsInRange,
    IsOneOf,
    Nested,
    Scalar,
    WhetherKnown,
)
from sts_core.values import text_of

YES, NO = "Yes", "No"
UNSPECIFIED = "not specified"
MAX_LISTED_LEVELS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What a number can be: where it is known, ``low == high``; NaN where nothing is known.

    Attributes
    ----------
    low, high
        Float arrays (n,).
    """

    low: np.ndarray
    high: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The number where it is known, else NaN."""
        known: np.ndarray = np.where(self.low == self.high, self.low, np.nan)
        return known


def texts_of(values: Sequence[Scalar]) -> frozenset[str]:
    """Give values of a study file as the texts that levels are compared with."""
    return frozenset(text for text in map(text_of, values) if text is not None)


def _objects(values: Sequence[object]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def is_one_of(levels: np.ndarray, derived: IsOneOf) -> np.ndarray:
    """Say of each level whether it is one of those named."""
    wanted = texts_of(derived.values)
    return _objects([None if level is None else YES if level in wanted else NO for level in levels])


def is_in_range(numbers: Bounds, derived: IsInRange) -> np.ndarray:
    """Say of each number whether it lies in the range; the answer may be known before the number.

    A count of at least 2 is "at least 2", whatever the inputs are that are not known.
    """
    low = -np.inf if derived.at_least is None else derived.at_least
    high = np.inf if derived.below is None else derived.below
    with np.errstate(invalid="ignore"):
        inside = (numbers.low >= low) & (numbers.high < high)
        outside = (numbers.high < low) | (numbers.low >= high)
    return _objects(
        [YES if yes else NO if no else None for yes, no in zip(inside, outside, strict=True)]
    )


def whether_known(known: np.ndarray) -> np.ndarray:
    """Say Yes where something is known and No where it isn't; this itself always is known."""
    return _objects([YES if is_known else NO for is_known in known])


def count_of(inputs: Sequence[np.ndarray], derived: CountOf) -> Bounds:
    """Count the inputs that say yes; those not known may or may not."""
    yes, no = texts_of(derived.yes), texts_of(derived.no)
    n = len(inputs[0])
    sure, open_ = np.zeros(n), np.zeros(n)
    for levels in inputs:
        says_yes = np.array([level in yes for level in levels], dtype=bool)
        unknown = np.array(
            [
                level is None or (bool(no) and level not in yes and level not in no)
                for level in levels
            ],
            dtype=bool,
        )
        sure += says_yes
        open_ += unknown
    # nothing is known of somebody with no known input: that is no count at all
    nothing = open_ == len(inputs)
    low, high = np.where(nothing, np.nan, sure), np.where(nothing, np.nan, sure + open_)
    return Bounds(low, high)


def count_of_rows(
    owner: np.ndarray, n: int, values: np.ndarray | None, counts: np.ndarray, open_: np.ndarray
) -> Bounds:
    """Count the rows of each subject, or their different values.

    Parameters
    ----------
    owner
        Place of the subject of each row, integer array (rows,).
    n
        Subjects.
    values
        Value of each row, ``None`` where not known; object array (rows,). ``None`` counts rows.
    counts, open_
        Rows that count, and rows of which that is not known; boolean arrays (rows,).

    Returns
    -------
    Bounds
        NaN for a subject without a row. A row without a value may be one more or the same.
    """
    low, high = np.zeros(n), np.zeros(n)
    sure: dict[int, set[object]] = {}
    maybe: dict[int, set[object]] = {}
    for at, who in enumerate(owner.tolist()):
        known = values is None or values[at] is not None
        value = at if values is None or not known else values[at]
        if counts[at] and known:
            sure.setdefault(who, set()).add(value)
        elif counts[at] or open_[at]:
            maybe.setdefault(who, set()).add((known, value) if not known else value)
    for who in range(n):
        low[who] = len(sure.get(who, ()))
        high[who] = len(sure.get(who, set()) | maybe.get(who, set()))
    absent = np.ones(n, dtype=bool)
    absent[owner] = False
    low[absent], high[absent] = np.nan, np.nan
    return Bounds(low, high)


def combined(inputs: Sequence[np.ndarray], derived: Combination) -> np.ndarray:
    """Put the levels of each subject side by side."""

    def one(levels: tuple[str | None, ...]) -> str | None:
        known = [level for level in levels if level is not None]
        if not known or (len(known) < len(levels) and derived.one_missing == "unknown"):
            return None
        if derived.any_order:
            known = sorted(set(known))
        return derived.joined_by.join(known)

    return _objects([one(levels) for levels in zip(*inputs, strict=True)])


def nested(upper: np.ndarray, lower: np.ndarray, derived: Nested) -> np.ndarray:
    """Replace the levels that are split by "upper: lower"."""
    split = texts_of(derived.split)
    unspecified = UNSPECIFIED if derived.one_missing == "unspecified" else None

    def one(level: str | None, sublevel: str | None) -> str | None:
        if level is None or level not in split:
            return level
        second = sublevel if sublevel is not None else unspecified
        return None if second is None else f"{level}{derived.joined_by}{second}"

    return _objects([one(*pair) for pair in zip(upper, lower, strict=True)])


def first_known(inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Give of each subject the first level that is known."""
    return _objects(
        [
            next((level for level in levels if level is not None), None)
            for levels in zip(*inputs, strict=True)
        ]
    )


def order_of(derived: Derivation, orders: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Give the levels that a derivation can have, in the order that its inputs suggest.

    Parameters
    ----------
    derived
        The derivation.
    orders
        Levels of each input in order, also those without a patient.
    """
    match derived:
        case IsOneOf() | IsInRange() | WhetherKnown():
            return (NO, YES)
        case CountOf() | CountOfRows():
            return ()
        case Nested():
            split = texts_of(derived.split)
            return tuple(
                name
                for level in orders[0]
                for name in (
                    (f"{level}{derived.joined_by}{lower}" for lower in (*orders[1], UNSPECIFIED))
                    if level in split
                    else (level,)
                )
            )
        case FirstKnown():
            return tuple(dict.fromkeys(level for order in orders for level in order))
        case Combination():
            if np.prod([len(order) + 1 for order in orders], dtype=float) > MAX_LISTED_LEVELS:
                return ()
            whole = [(*order, None) for order in orders]
            made = [combined([_objects([level]) for level in row], derived)[0]
                    for row in product(*whole)]  # fmt: skip
            return tuple(dict.fromkeys(level for level in made if level is not None))


def in_words(derived: Derivation, names: Mapping[str, str]) -> str:
    """Say how a variable is made, as a phrase without a full stop.

    Parameters
    ----------
    derived
        The derivation.
    names
        Name of each input; the input's own key where there is none.
    """

    def name(key: str) -> str:
        return f"“{names.get(key, key)}”"

    def listed(values: Sequence[object], word: str) -> str:
        shown = [f"“{text_of(value)}”" for value in values]
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"

    def inputs(word: str = "and") -> str:
        shown = [name(key) for key in derived.inputs]
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"

    match derived:
        case IsOneOf():
            values = listed(derived.values, "or") if derived.values else "nothing"
            return f"whether {inputs()} is {values}"
        case IsInRange():
            parts = [] if derived.at_least is None else [f"at least {derived.at_least:g}"]
            parts += [] if derived.below is None else [f"below {derived.below:g}"]
            return f"whether {inputs()} is {' and '.join(parts)}"
        case WhetherKnown():
            return f"whether {inputs()} is known"
        case CountOf():
            no = ""
            if derived.no:
                no = f" (no: {listed(derived.no, 'or')}; any other level counts as not known)"
            return (
                f"how many of {inputs()} are {listed(derived.yes, 'or')}{no}"
                "; not known where one of them is not known and could change the group"
            )
        case Combination():
            missing = (
                "not known where one of them is not"
                if derived.one_missing == "unknown"
                else "where one of them is not known, the others alone"
            )
            order = "in any order" if derived.any_order else "in this order"
            return f"{inputs()} side by side, {order}; {missing}"
        case Nested():
            missing = (
                f"“{UNSPECIFIED}” where the latter is not known"
                if derived.one_missing == "unspecified"
                else "not known where the latter is not"
            )
            return (
                f"{name(derived.of)}, of which {listed(derived.split, 'and')} "
                f"{'is' if len(derived.split) == 1 else 'are'} split by {name(derived.by)}; "
                f"{missing}"
            )
        case FirstKnown():
            return f"the first known of {inputs()}"
        case CountOfRows():
            what = f"different “{derived.of}”" if derived.of is not None else "rows"
            before = (
                "" if derived.before is None else f" dated (“{derived.date}”) before {inputs()}"
            )
            return (
                f"how many {what} the table “{derived.table}” has of a patient{before}; not known "
                "without a row there"
            )
