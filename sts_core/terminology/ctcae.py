"""CTCAE v5.0: its terms and classes, which grades each has, and the names that mean them.

Nothing that is looked up is remembered: it may be the text of a patient's file.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

VERSION: Final = "CTCAE v5.0"
FOLDER: Final = Path(__file__).parent

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAS_CJK = re.compile(f"[{_CJK}]")
_NOT_A_LETTER = re.compile(rf"[^0-9a-zα-ω{_CJK}]+")
_REMARK = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*")
# One key for British and American spelling; what a rule makes need be no word.
_SPELLING = (
    ("aemia", "emia"), ("aem", "em"), ("aes", "es"), ("aed", "ed"), ("aec", "ec"), ("paen", "pen"),
    ("oea", "ea"), ("oed", "ed"), ("oes", "es"), ("oet", "et"), ("leuc", "leuk"),
    ("isation", "ization"), ("ised", "ized"), ("ising", "izing"),
    ("tumour", "tumor"), ("colour", "color"), ("odour", "odor"), ("fibre", "fiber"),
    ("haemo", "hemo"), ("pruritis", "pruritus"), ("sulph", "sulf"),
)  # fmt: skip
# The same rise or fall in other words; compared only, never shown.
_CHINESE = (
    ("增高", "升高"), ("上升", "升高"), ("偏高", "升高"),
    ("降低", "减少"), ("减低", "减少"), ("下降", "减少"), ("偏低", "减少"),
    ("返流", "反流"), ("粘膜", "黏膜"),
)  # fmt: skip
_ENGLISH = {
    "elevated": "increased", "elevation": "increased", "raised": "increased",
    "increase": "increased", "rise": "increased", "reduced": "decreased",
    "reduction": "decreased", "decrease": "decreased",
    "lowered": "decreased", "aches": "ache", "headaches": "headache", "rashes": "rash",
}  # fmt: skip
_SMALL = frozenset({"of", "in", "the", "level", "levels"})


@dataclass(frozen=True, slots=True)
class CtcaeTerm:
    """A term of CTCAE v5.0.

    Attributes
    ----------
    name, system_organ_class
        As CTCAE spells them.
    grades
        Grades that it defines; many terms have none at either end.
    """

    name: str
    system_organ_class: str
    grades: frozenset[int]


@dataclass(frozen=True, slots=True)
class Synonym:
    """Another name of a term.

    Attributes
    ----------
    name
        The other name.
    term
        The CTCAE term that it stands for.
    language
        "en" or "zh".
    source
        Where the name and its assignment come from; "ours" for those of this project.
    """

    name: str
    term: str
    language: str
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """A CTCAE term for a name in a file.

    Attributes
    ----------
    term
        The term.
    how
        What led to it: "CTCAE term", "CTCAE term, other spelling", or "synonym".
    source
        Source of the synonym; empty for a term of CTCAE itself.
    """

    term: CtcaeTerm
    how: str
    source: str = ""


def read_csv(name: str) -> list[dict[str, str]]:
    """Read a data file of this package."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def terms() -> Mapping[str, CtcaeTerm]:
    """Give every term of CTCAE v5.0 by its name, in the order of the document."""
    return {
        row["term"]: CtcaeTerm(
            row["term"], row["system_organ_class"], frozenset(map(int, row["grades"]))
        )
        for row in read_csv("ctcae_v5.csv")
    }


@cache
def synonyms() -> tuple[Synonym, ...]:
    """Give every other name of a term."""
    return tuple(
        Synonym(row["synonym"], row["term"], row["language"], row["source"])
        for row in read_csv("synonyms.csv")
    )


def key_of(name: str) -> str:
    """Give what spellings of one name share.

    Case, width, blanks, hyphens and brackets make no difference, nor do British and American
    spelling; an arrow is a rise or a fall.
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    chinese = _HAS_CJK.search(text) is not None
    text = text.replace("↑", "升高" if chinese else " increased ")
    text = text.replace("↓", "减少" if chinese else " decreased ")
    for old, new in (*_SPELLING, *(_CHINESE if chinese else ())):
        text = text.replace(old, new)
    words = _NOT_A_LETTER.sub(" ", text).split()
    return "".join(_ENGLISH.get(word, word) for word in words)


def _sorted_key(name: str) -> str:
    """Give a key for a name whose words stand in another order; empty for a single word."""
    words = _NOT_A_LETTER.sub(" ", unicodedata.normalize("NFKC", name).casefold()).split()
    words = sorted(key_of(word) for word in words if word not in _SMALL)
    return " ".join(words) if len(words) > 1 else ""


@cache
def _known() -> dict[str, Found]:
    """Give the term of every known key; names of CTCAE itself come before synonyms."""
    found = {key_of(name): Found(term, "CTCAE term") for name, term in terms().items()}
    ambiguous = _ambiguous()
    for item in synonyms():
        key = key_of(item.name)
        if key not in ambiguous:
            found.setdefault(key, Found(terms()[item.term], "synonym", item.source))
    return found


@cache
def _ambiguous() -> dict[str, tuple[CtcaeTerm, ...]]:
    """Give the terms of names that have several."""
    meant: dict[str, dict[str, CtcaeTerm]] = {}
    for item in synonyms():
        meant.setdefault(key_of(item.name), {})[item.term] = terms()[item.term]
    return {key: tuple(found.values()) for key, found in meant.items() if len(found) > 1}


def candidates(name: str) -> tuple[CtcaeTerm, ...]:
    """Give the terms of which a name could mean any ("transaminases increased"); often none."""
    return _ambiguous().get(key_of(name), ())


def knows(name: str) -> bool:
    """Whether a name is a term or a synonym as it stands, be it of one term or of several."""
    key = key_of(name)
    return key in _known() or key in _ambiguous()


@cache
def _known_in_any_order() -> dict[str, Found | None]:
    """Give the term of names with their words sorted; ``None`` where that means two terms."""
    out: dict[str, Found | None] = {}
    names = [*((name, _known()[key_of(name)]) for name in terms())]
    names += [
        (item.name, found)
        for item in synonyms()
        if (found := _known().get(key_of(item.name))) is not None
    ]
    for name, found in names:
        key = _sorted_key(name)
        if key:
            other = out.setdefault(key, found)
            if other is not None and other.term is not found.term:
                out[key] = None
    return out


def find(name: str) -> Found | None:
    """Find the CTCAE term that a name stands for.

    The name itself is looked up first, then with its words in another order, then without a
    remark in brackets; a class before ``>>`` is left aside.

    Returns
    -------
    Found or None
        ``None`` when no term and no synonym is spelled so: nothing is guessed from likeness.
    """
    name = name.rpartition(">>")[2]
    key = key_of(name)
    if not key or key in _ambiguous():
        return None
    found = _known().get(key)
    if found is None:
        found = _known_in_any_order().get(_sorted_key(name))
    if found is None:
        without = _REMARK.sub(" ", unicodedata.normalize("NFKC", name)).strip()
        return find(without) if key_of(without) not in ("", key) else None
    if not found.source and " ".join(name.split()).casefold() != found.term.name.casefold():
        return Found(found.term, "CTCAE term, other spelling")
    return found
