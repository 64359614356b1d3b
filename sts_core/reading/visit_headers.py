"""Headers of a visit's own columns: which visit, and what of it ("SLD_wk6", "第1次评估日期")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sts_core.reading.vocabulary import Phrases, is_chinese, read_words, words_of
from sts_core.study.types import DAYS_PER_MONTH

_TOKEN = re.compile(r"\d+|[a-z%]+|[㐀-䶿一-鿿豈-﫿]+")
_CRITERIA = re.compile(r"\bi?recist ?(?:v )?1 [01]\b")
_DIGITS = "零一二三四五六七八九"
_CHINESE_NUMBER = r"[一二三四五六七八九十]{1,3}|\d{1,3}"
_MAX_NUMBER = 520
_SIZES = ("mm", "cm")


@dataclass(frozen=True, slots=True)
class VisitHeader:
    """What a header says.

    Attributes
    ----------
    visit
        Name of the visit: "Baseline", "Week 6", "Assessment 2".
    day
        Days from the start that the name states; ``None`` where it is only a number in a series.
    concept
        What of the visit ("date", "overall", "target_sum" ...); ``None`` where the header names
        the visit alone.
    """

    visit: str
    day: int | None
    concept: str | None


@lru_cache(maxsize=1)
def _words() -> tuple[Mapping[str, Any], Phrases]:
    document = read_words("visits.yaml")
    concepts: dict[str, list[str]] = {
        concept: [*document["assessments"].get(concept, ()), *phrases]
        for concept, phrases in document["in_columns"].items()
    }
    for concept in ("non_target",):
        concepts[concept] = list(document["assessments"][concept])
    return document["markers"], Phrases(concepts, concepts)  # whole headers only


def _number(text: str) -> int | None:
    """Read 12, 十二, 二十 or 二十四."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.partition("十")
    if not ten:
        return _DIGITS.index(text) if text in _DIGITS else None
    if (tens and tens not in _DIGITS) or (ones and ones not in _DIGITS):
        return None
    return 10 * (_DIGITS.index(tens) if tens else 1) + (_DIGITS.index(ones) if ones else 0)


@lru_cache(maxsize=4096)
def visit_header(header: str) -> VisitHeader | None:
    """Read a header; ``None`` where it names no visit, or something that no assessment has.

    Parameters
    ----------
    header
        As the file has it.
    """
    text = _CRITERIA.sub("recist", " ".join(words_of(header)))
    tokens = _TOKEN.findall(text)
    found = _in_chinese(tokens) or _in_latin(tokens)
    if found is None:
        return None
    visit, day, rest = found
    concept = _concept(rest)
    return None if concept is _OTHER else VisitHeader(visit, day, concept)


_OTHER = "\N{MULTIPLICATION SIGN}"
_Found = tuple[str, int | None, list[str]]


def _named(kind: str, number: int) -> tuple[str, int | None] | None:
    if number > _MAX_NUMBER:
        return None
    if number == 0 and kind != "assessment":
        return "Baseline", 0
    days = {"week": 7.0, "month": DAYS_PER_MONTH, "day": 1.0}.get(kind)
    day = None if days is None else round(number * days)
    return f"{kind.capitalize()} {number}", day


def _in_latin(tokens: list[str]) -> _Found | None:
    markers, _ = _words()
    if tokens[:2] == ["pre", "treatment"] or "baseline" in tokens:
        return "Baseline", 0, [word for word in tokens if word not in ("pre", "baseline")]
    for kind in ("week", "month", "cycle", "day"):
        for at, word in enumerate(tokens):
            if word not in markers[kind]:
                continue
            for number_at in (at + 1, at - 1):
                if 0 <= number_at < len(tokens) and tokens[number_at].isdecimal():
                    named = _named(kind, int(tokens[number_at]))
                    if named is None:
                        return None
                    gone = {at, number_at}
                    rest = [part for place, part in enumerate(tokens) if place not in gone]
                    if kind == "cycle" and rest[:2] == ["d", "1"]:
                        rest = rest[2:]
                    return *named, rest
    for at, word in enumerate(tokens):
        if word in markers["baseline"]:
            return "Baseline", 0, [*tokens[:at], *tokens[at + 1 :]]
    numbers = [
        (at, int(markers["numbers"].get(word, word)))
        for at, word in enumerate(tokens)
        if word.isdecimal() or word in markers["numbers"]
    ]
    if len(numbers) != 1:
        return None  # none, or it is not clear which is the visit's
    at, number = numbers[0]
    named = _named("assessment", number)
    return None if named is None else (*named, [*tokens[:at], *tokens[at + 1 :]])


def _in_chinese(tokens: list[str]) -> _Found | None:
    markers, _ = _words()
    if not any(map(is_chinese, tokens)):
        return None
    text = " ".join(tokens)
    # "第 6 周" and "6 个 月" are runs of their own
    text = re.sub(r"(?<=[一-鿿]) (?=\d)|(?<=\d) (?=[一-鿿])", "", text)
    for kind in ("week", "month", "cycle", "day"):
        units = "|".join(word for word in markers[kind] if is_chinese(word))
        pattern = (
            rf"第?({_CHINESE_NUMBER})个?(?:{units})(?!期|份|前)|(?:{units})({_CHINESE_NUMBER})"
        )
        match = re.search(pattern, text)
        if match is not None:
            number = _number(match[1] or match[2])
            named = None if number is None else _named(kind, number)
            return None if named is None else (*named, _without(text, match))
    for word in sorted(filter(is_chinese, markers["baseline"]), key=len, reverse=True):
        if word in text:
            return "Baseline", 0, _TOKEN.findall(text.replace(word, " ", 1))
    match = re.search(rf"第?({_CHINESE_NUMBER}|首)次", text)
    if match is None:
        return None
    number = 1 if match[1] == "首" else _number(match[1])
    named = None if number is None else _named("assessment", number)
    return None if named is None else (*named, _without(text, match))


def _without(text: str, match: re.Match[str]) -> list[str]:
    return _TOKEN.findall(f"{text[: match.start()]} {text[match.end() :]}")


def _concept(rest: list[str]) -> str | None:
    """Give what is left as a concept; ``None`` for nothing, ``_OTHER`` for what is none."""
    markers, phrases = _words()
    kept = [word for word in rest if word not in _SIZES]
    if not kept:
        return None
    found = phrases.whole(tuple(words_of(" ".join(kept))))
    if found is not None:
        return found
    drop = sorted(markers["assessment"], key=len, reverse=True)
    bare: list[str] = []
    for word in kept:
        if is_chinese(word):
            for filler in drop:
                if is_chinese(filler):
                    word = word.removeprefix(filler).removesuffix(filler)
        elif word in drop:
            word = ""
        if word:
            bare.append(word)
    if not bare:
        return None
    return phrases.whole(tuple(words_of(" ".join(bare)))) or _OTHER
