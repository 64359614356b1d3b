"""Tables whose ids are not those of the patients: what both look like, and which columns agree."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
import pandas as pd

from sts_core.reading.sheet import id_rank
from sts_core.reading.vocabulary import Words, words_of
from sts_core.values import texts

#: Share of the different values of a column that must be those of the other one.
MIN_SHARE = 0.5
_FEWEST = 3
#: Rows that are looked at before a whole column is.
_GLANCE = 500
#: Ids of which the form is looked at.
_LOOKED_AT = 2000
_SIGNS = {"-": "dash", ".": "dot", "/": "slash", "_": "underscore", " ": "blank"}
_MOST_RUNS = 7
_DATED = re.compile(r"^\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}")
_FRACTION = re.compile(r"^[+-]?\d*[.,]\d+$")
_WEAK = frozenset({("no",), ("number",), ("nr",), ("序号",)})
# Numbers that run from 1 on agree with those of any other column that does.
_SPARSE = 4


@dataclass(frozen=True, slots=True)
class OtherIds:
    """Two columns that hold the same ids, where those chosen do not.

    Attributes
    ----------
    column
        Column of the table.
    patient_column
        Column of the patient table; ``None`` for its patient id.
    n_ids, n_matched
        Different values of ``column``, and those that are found in the patient table.
    """

    column: str
    patient_column: str | None
    n_ids: int
    n_matched: int


def form_of(ids: Iterable[str | None]) -> str:
    """Say in words what ids look like, without any of them: ``1 letter, 3 digits``.

    Parameters
    ----------
    ids
        Canonical texts; ``None`` counts as nothing.

    Returns
    -------
    str
        The most frequent form, with "most often" before it where there are others; empty without
        an id.
    """
    kinds: Counter[tuple[str, ...]] = Counter()
    sizes: dict[tuple[str, ...], list[list[int]]] = {}
    different = dict.fromkeys(text for text in ids if text is not None)
    every = -(-len(different) // _LOOKED_AT) or 1  # spread over all: running ids grow longer
    for text in islice(different, None, None, every):
        runs = [(kind, len(list(group))) for kind, group in groupby(text, _kind)]
        form = tuple(kind for kind, _ in runs)
        kinds[form] += 1
        sizes.setdefault(form, [[] for _ in runs])
        for seen, (_, size) in zip(sizes[form], runs, strict=True):
            seen.append(size)
    if not kinds:
        return ""
    ((form, _),) = kinds.most_common(1)
    often = "most often " if len(kinds) > 1 else ""
    if len(form) > _MOST_RUNS:
        lengths = [sum(run) for run in zip(*sizes[form], strict=True)]
        return f"{often}{_span(lengths)} characters of several kinds"
    parts = [_in_words(kind, seen) for kind, seen in zip(form, sizes[form], strict=True)]
    return often + ", ".join(parts)


def _kind(sign: str) -> str:
    if unicodedata.east_asian_width(sign) == "F":
        return "full-width character"
    if sign.isdecimal():
        return "digit"
    return "letter" if sign.isalpha() else _SIGNS.get(sign, "sign")


def _in_words(kind: str, sizes: list[int]) -> str:
    return f"{_span(sizes)} {kind}" + ("es" if kind == "dash" else "s") * (max(sizes) > 1)


def _span(sizes: list[int]) -> str:
    low, high = min(sizes), max(sizes)
    return str(low) if low == high else f"{low} to {high}"


def other_ids(
    frame: pd.DataFrame, column: str | None, patients: pd.DataFrame, patient_id: str
) -> OtherIds | None:
    """Look for a column of each table that holds the same ids.

    Dates and numbers with a fraction are no ids. Small whole numbers agree by chance with those of
    any column that counts from 1: they are taken only under headers that are names of an id.

    Parameters
    ----------
    frame, column
        A table, and its column that is taken for the ids.
    patients, patient_id
        The patient table, and its patient id.

    Returns
    -------
    OtherIds or None
        The two columns of which the most different values agree; ``None`` where fewer than half
        of those of the table, or fewer than three, do.
    """
    mine = _keys(patients, patient_id)
    best: tuple[float, int, OtherIds] | None = None
    for name in map(str, frame.columns):
        glance = {text for text in texts(frame[name].iloc[:_GLANCE]).tolist() if text is not None}
        if not any(_enough(glance, known) for known in mine.values()):
            continue
        own = {text for text in texts(frame[name]).tolist() if text is not None}
        if len(own) < _FEWEST or not _could_be_ids(own):
            continue
        for other, known in mine.items():
            if (name, other) == (column, patient_id):
                continue
            n = len(own & known.keys())
            if n < max(_FEWEST, MIN_SHARE * len(own)) or not _told(name, other, own & known.keys()):
                continue
            found = OtherIds(name, None if other == patient_id else other, len(own), n)
            rank = (n / len(own), n, found)
            if best is None or rank[:2] > best[:2]:
                best = rank
    return best[2] if best is not None else None


def _keys(patients: pd.DataFrame, patient_id: str) -> dict[str, Mapping[str, None]]:
    """Give the values of the columns of the patient table that tell its rows apart."""
    found: dict[str, Mapping[str, None]] = {}
    for name in dict.fromkeys((patient_id, *map(str, patients.columns))):
        cells = texts(patients[name])
        known = [text for text in cells.tolist() if text is not None]
        if name != patient_id and len(known) < max(_FEWEST, MIN_SHARE * len(cells)):
            continue
        different = dict.fromkeys(known)
        if name == patient_id or (len(different) == len(known) and _could_be_ids(different)):
            found[name] = different
    return found


def _enough(glance: set[str], known: Mapping[str, None]) -> bool:
    return len(glance & known.keys()) >= max(1.0, MIN_SHARE / 2 * len(glance))


def _could_be_ids(values: Iterable[str]) -> bool:
    marks = np.array([bool(_DATED.match(text) or _FRACTION.match(text)) for text in values])
    return bool(marks.mean() < MIN_SHARE)


def _told(name: str, other: str, shared: set[str]) -> bool:
    """Whether values that two columns share are ids, by what they are or by their headers."""
    if not counting(shared):
        return True
    words, theirs = words_of(name), words_of(other)
    return _names_id(words) and (_names_id(theirs) or words == theirs)


def _names_id(words: Words) -> bool:
    return words not in _WEAK and id_rank(words) is not None


def counting(values: Iterable[str]) -> bool:
    """Whether values are whole numbers close to each other, as those that run from 1 on."""
    found = list(values)
    if not all(text.isdecimal() for text in found):
        return False
    numbers = [int(text) for text in found]
    return not numbers or max(numbers) <= _SPARSE * max(len(numbers), _FEWEST)
