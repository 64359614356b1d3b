"""Numbers that stand for "not known", such as 999 among ages: by their label, or by their place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from sts_core.reading.profile import Profile
from sts_core.values import Cells, distinct_cells, is_missing, number_of, text_of

_BELOW = frozenset({-1.0, -7.0, -8.0, -9.0, -77.0, -88.0, -99.0, -888.0, -999.0, -9999.0})
_ABOVE = frozenset({88.0, 99.0, 888.0, 998.0, 999.0, 8888.0, 9998.0, 9999.0, 99999.0, 999999.0})
_DIGITS = frozenset({7.0, 8.0, 9.0})
_CANDIDATES = _BELOW | _ABOVE | _DIGITS
# Non renseigné or non-responder, no consta or no change, non précisé or not performed.
_EITHER = frozenset({"nr", "nc", "np"})
_MOST_LEVELS = 30
_LEVELS = frozenset({0.0, 1.0, 2.0, 3.0, 4.0})
# Words of a label, besides the usual codes for "not known".
_SAYS_UNKNOWN = frozenset(
    {
        "refused", "no answer", "no data", "not done", "not asked", "not assessed", "not tested",
        "not documented", "not stated", "not reported", "don't know", "do not know", "dont know",
        "not known", "unknown/missing", "missing/unknown", "value missing", "not determined",
        "未查", "未测", "未做", "未检", "未记录", "拒答", "不知道", "不清楚", "未知/缺失",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gaps:
    """Values of a column that look like codes for "not known".

    Attributes
    ----------
    codes
        Those that are taken for it, as texts.
    doubtful
        Those that may as well be numbers; they stay numbers.
    n
        Rows of each.
    labelled
        Those of which the file itself says it.
    rest
        Lowest and highest of the other numbers; ``None`` without any.
    """

    codes: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    n: tuple[int, ...] = ()
    labelled: frozenset[str] = frozenset()
    rest: tuple[float, float] | None = None

    @property
    def says(self) -> str:
        """Words for the evidence of the column; blank when every number is one."""
        return "".join(
            f"; {text} ({count}) is {'labelled' if text in self.labelled else 'taken for'} "
            "“not known”"
            for text, count in zip(self.codes, self.n, strict=False)
        )


NO_GAPS = Gaps()


def gaps_in(profile: Profile, cells: Cells, labels: Mapping[str, str]) -> Gaps:
    """Look for codes that mean "not known" in a column of numbers or of labelled codes.

    Parameters
    ----------
    profile
        Facts about the column.
    cells
        Its cells.
    labels
        Meaning of each value that the file or the header states, else the value.
    """
    labelled = [
        text
        for text, label in labels.items()
        if label != text and (is_missing(text_of(label)) or label.casefold() in _SAYS_UNKNOWN)
    ]
    if profile.is_numeric:
        numeric = _by_place(profile, cells, frozenset(labelled))
    else:
        numeric = Gaps(doubtful=_by_abbreviation(profile))
    # a code that has another meaning is a level
    kept = [text for text in numeric.codes if labels.get(text, text) == text]
    doubtful = tuple(text for text in numeric.doubtful if labels.get(text, text) == text)
    codes = tuple(dict.fromkeys((*labelled, *kept)))
    if not codes and not doubtful:
        return NO_GAPS
    counts = _counts(cells, {*codes, *doubtful})
    return Gaps(
        codes,
        doubtful,
        tuple(counts[text] for text in (*codes, *doubtful)),
        frozenset(labelled),
        numeric.rest,
    )


def _by_abbreviation(profile: Profile) -> tuple[str, ...]:
    """Give texts beside two other levels that may say "not known", or something else."""
    if not profile.complete or not 3 <= profile.n_distinct <= _MOST_LEVELS:
        return ()
    return tuple(text for text in profile.counts if text.casefold() in _EITHER)


def _counts(cells: Cells, wanted: set[str]) -> dict[str, int]:
    distinct, place = distinct_cells(cells)
    found = dict.fromkeys(wanted, 0)
    for cell, count in zip(distinct, np.bincount(place, minlength=len(distinct)), strict=True):
        text = text_of(cell)
        if text in found:
            found[text] += int(count)
    return found


def _by_place(profile: Profile, cells: Cells, labelled: frozenset[str]) -> Gaps:
    """Find usual codes that stand apart from all other numbers of the column."""
    low, high = profile.low, profile.high
    if low is None or high is None or not ({low, high} & _CANDIDATES or labelled):
        return NO_GAPS
    written: dict[float, list[str]] = {}
    values: dict[float, None] = {}
    for cell in distinct_cells(cells)[0]:
        number = number_of(cell, profile.decimal)
        if number is None:
            continue
        if labelled or number in _CANDIDATES:  # of most numbers the text is never asked for
            text = text_of(cell)
            if text is None or text in labelled:
                continue
            written.setdefault(number, []).append(text)
        values[number] = None
    apart = _apart(sorted(value for value in values if value not in _BELOW | _ABOVE), values)
    rest = [value for value in values if value not in apart]
    if len(rest) < 2:
        return NO_GAPS
    levels = sorted(value for value in rest if value not in _DIGITS)
    digits = [value for value in rest if value in _DIGITS]
    beside_levels = 9.0 in digits and len(levels) >= 2 and set(levels) <= _LEVELS
    # one more value beside yes and no is a code; beside more levels it may be a count
    sure = digits if beside_levels and len(levels) == 2 else []
    doubtful = digits if beside_levels and not sure else []
    others = [value for value in rest if value not in sure and value not in doubtful]
    return Gaps(
        tuple(text for value in (*apart, *sure) for text in written[value]),
        tuple(text for value in doubtful for text in written[value]),
        rest=(min(others), max(others)),
    )


def _apart(others: list[float], values: Collection[float]) -> list[float]:
    """Give the codes that are farther from all other numbers than these from each other."""
    if len(others) < 2:
        return []
    low, high = others[0], others[-1]
    above = [
        value
        for value in values
        if value in _ABOVE and value - high > high - low and value > 1.5 * high
    ]
    below = [value for value in values if value in _BELOW] if low >= 0 else []
    return sorted((*below, *above))
