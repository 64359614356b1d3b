"""Which values of a status column are events: a guess with its reason, or none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sts_core.reading.vocabulary import Words, vocabulary, words_of
from sts_core.study.types import Scalar

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,8})")
_SMALL = re.compile(r"-?\d")
_MAX_VALUES = 8
# "1 = dead, 0 = alive" and "1 means event"; else "dead = 1"
_LEGEND = re.compile(
    r"(?<![\d.])(-?\d{1,3})\s*(?:=|\bmeans\b|\bis\b|为|表示|代表)\s*([^\W\d_][^\d,;、()\[\]/|=]*)",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]+)[)\]}]")
_PAIR = re.compile(
    r"(?<![\d.])(\d{1,2})(?:\s*[:.-]\s*|\s+|(?=[\u4e00-\u9fff]|[A-Z]{2}))"
    r"([^\W\d_]+(?:[ -][^\W\d_]+)*)"
)
_SEPARATORS = " ,;、/|"
_LEGEND_AFTER = re.compile(r"([^\W\d_]+)\s*=\s*(-?\d)(?!\d)")
# A whole header under which a 1 is as often a survivor as a death.
_SURVIVAL = ("survival",)
_TRUE, _FALSE = {"true", "t"}, {"false", "f"}


@dataclass(frozen=True, slots=True)
class Coding:
    """A guess about a status column.

    Attributes
    ----------
    events
        Kind of event -> values; empty when the file does not say.
    censored
        Values without event.
    reason
        Why.
    by_words
        Whether every value is a word that says it.
    """

    events: dict[str, tuple[Scalar, ...]]
    censored: tuple[Scalar, ...]
    reason: str
    by_words: bool = False

    def says(self, names: Mapping[str, str]) -> str | None:
        """Give the guess in words; ``names`` holds meanings of codes."""
        if not self.events and not self.censored:
            return None

        def written(values: tuple[Scalar, ...]) -> str:
            texts = [str(value) for value in values]
            return " or ".join(
                f"{text} ({names[text]})" if names.get(text, text) != text else text
                for text in texts
            )

        parts = [f"{written(values)} = {kind}" for kind, values in self.events.items()]
        if self.censored:
            parts.append(f"{written(self.censored)} = censored")
        return "; ".join(parts)


def scalar(text: str) -> Scalar:
    """Give a text as the study file writes it: whole numbers without quotes."""
    return int(text) if _WHOLE.fullmatch(text) and text != "-0" else text


def legend_of(header: str) -> tuple[dict[str, str], Words]:
    """Read the meaning of codes that a header gives, as ``Status (0 = alive, 1 = dead)`` does.

    Returns
    -------
    tuple
        Code -> meaning, and the comparable words of the header without them.
    """
    plain = unicodedata.normalize("NFKC", header)
    found = {code: text.strip() for code, text in _LEGEND.findall(plain)}
    bare = _LEGEND.sub(" ", plain)
    if not found:
        found, bare = _legend_in_brackets(plain)
    if not found:  # "OS, dead=1" is the status of death
        known = vocabulary().status
        found = {code: text for text, code in _LEGEND_AFTER.findall(plain) if known.get(text)}
        bare = _LEGEND_AFTER.sub(r" \1 " if len(found) < 2 else " ", plain)
    return found, words_of(bare) or words_of(plain)


def _legend_in_brackets(header: str) -> tuple[dict[str, str], str]:
    """Read "(0: no, 1: yes)" and "(0否1是)": nothing but codes, each with a meaning of its own."""
    for inside in _BRACKETS.findall(header):
        found = dict(_PAIR.findall(inside))
        rest = _PAIR.sub(" ", inside).strip(_SEPARATORS)
        if len(found) > 1 and not rest and len(set(found.values())) == len(found):
            return found, header.replace(inside, " ")
    return {}, header


def looks_like_status(texts: Mapping[str, int], labels: Mapping[str, str]) -> bool:
    """Whether values could be those of a status: few, and mostly words or small codes.

    A stray value (``lost`` among 0 and 1) hides no status; what it means is then asked.
    """
    if not 1 <= len(texts) <= _MAX_VALUES:
        return False
    known = vocabulary()
    n_like = sum(
        count
        for text, count in texts.items()
        if known.status.get(word := labels.get(text, text))
        or known.lexicons["yes_no"].get(word)
        or _SMALL.fullmatch(word)
    )
    return n_like > 0.5 * sum(texts.values())


def guess_coding(
    texts: Mapping[str, int],
    header: Words,
    event: str,
    *,
    labels: Mapping[str, str] | None = None,
    medians: Mapping[str, float] | None = None,
) -> Coding:
    """Guess which values of a status column are events.

    Parameters
    ----------
    texts
        Known values with their number of rows.
    header
        Words of the column's header.
    event
        Kind of event of this endpoint.
    labels
        Meaning of codes, where the file says it.
    medians
        Median time of the rows with each value; the censored ones tend to be longer.
    """
    labels = labels or {}
    by_words = _by_words(texts, event, labels)
    if by_words is not None:
        return by_words
    one_known = _by_one_word(texts, event, labels)
    if one_known is not None:
        return one_known
    words = vocabulary()
    codes = {labels.get(text, text).casefold(): text for text in texts}
    if len(codes) != len(texts):
        return Coding({}, (), "The values can't be told apart by their case; say which is which.")
    yes = next((text for code, text in codes.items() if _is(code, "Yes", _TRUE | {"1"})), None)
    no = next((text for code, text in codes.items() if _is(code, "No", _FALSE | {"0"})), None)
    if set(texts) == {"1", "2"}:
        return _one_two(header, event, medians)
    if {yes, no} - {None} != set(texts) or len(texts) > 2:
        return Coding(
            {}, (), "The file doesn't say what these values mean; name the events of each kind."
        )
    if set(header) & words.censor_code:
        return _coding(event, no, yes, "By the CDISC rule, CNSR = 0 is the event and 1 is censored")
    if set(header) & words.censor_ambiguous or header == _SURVIVAL:
        return _by_times(event, yes, no, medians)
    if words.inverse.match(header):
        return _coding(
            event, no, yes, f"The header asks whether it did not happen; {yes} is no event"
        )
    reason = f"{yes if yes is not None else 'A 1'} usually means that the event happened"
    if len(texts) == 1:
        (only,) = texts
        reason += f"; {only} is the only value of the column, so that nothing speaks against it"
    return _coding(event, yes, no, reason + _shown(medians))


def _is(code: str, level: str, others: set[str]) -> bool:
    return code in others or vocabulary().lexicons["yes_no"].get(code) == level


def _coding(event: str, happened: str | None, not_: str | None, reason: str) -> Coding:
    return Coding(
        {} if happened is None else {event: (scalar(happened),)},
        () if not_ is None else (scalar(not_),),
        f"{reason}.",
    )


def _by_words(texts: Mapping[str, int], event: str, labels: Mapping[str, str]) -> Coding | None:
    """Read words such as Dead and Alive; ``None`` when a value is no such word."""
    status = vocabulary().status
    kinds = {text: status.get(labels.get(text, text)) for text in texts}
    if None in kinds.values() or not texts:
        return None
    events: dict[str, tuple[Scalar, ...]] = {}
    for text, kind in kinds.items():
        if kind is not None and kind != "censored":
            name = event if kind == "event" else kind
            events[name] = (*events.get(name, ()), scalar(text))
    censored = tuple(scalar(text) for text, kind in kinds.items() if kind == "censored")
    return Coding(events, censored, "The words say it.", by_words=True)


def _by_one_word(texts: Mapping[str, int], event: str, labels: Mapping[str, str]) -> Coding | None:
    """Read a header such as ``OS (1 = censored)``: of two codes, the other is the opposite."""
    named = [text for text in texts if vocabulary().status.get(labels.get(text, text))]
    if len(texts) != 2 or len(named) != 1 or named[0] not in labels:
        return None
    (code,) = named
    (other,) = set(texts) - {code}
    said = f"The header says that {code} is {labels[code]}"
    if vocabulary().status.get(labels[code]) == "censored":
        return _coding(event, other, code, said)
    return _coding(event, code, other, said)


def _one_two(header: Words, event: str, medians: Mapping[str, float] | None) -> Coding:
    if set(header) & (vocabulary().censor_code | vocabulary().censor_ambiguous):
        return Coding({}, (), "1 and 2 under this header can mean either." + _shown(medians))
    reason = "With 1 and 2, 2 is usually the event (as in R's lung data)"
    return _coding(event, "2", "1", reason + _shown(medians))


def _by_times(
    event: str, yes: str | None, no: str | None, medians: Mapping[str, float] | None
) -> Coding:
    """Headers such as "censor" are used both ways: the longer times are likely the censored."""
    ambiguous = "Headers like this are used both ways (1 = censored, and 1 = event)"
    if yes is None or no is None or not medians or {yes, no} - set(medians):
        return Coding({}, (), f"{ambiguous}; the file doesn't say which.")
    if medians[yes] == medians[no]:
        return Coding({}, (), f"{ambiguous}; the times don't tell which." + _shown(medians))
    happened, not_ = (yes, no) if medians[yes] < medians[no] else (no, yes)
    return _coding(
        event,
        happened,
        not_,
        f"{ambiguous}; the longer times are likelier censored{_shown(medians)}",
    )


def _shown(medians: Mapping[str, float] | None) -> str:
    if not medians or len(medians) < 2:
        return ""
    parts = ", ".join(f"{text}: {value:g}" for text, value in sorted(medians.items()))
    return f" (median time by value: {parts})"


def median_times(status: np.ndarray, time: np.ndarray) -> dict[str, float]:
    """Give the median time of the rows with each status value.

    Parameters
    ----------
    status
        Texts, ``None`` where missing; object array (n,).
    time
        Times, NaN where missing; float array (n,).
    """
    good = np.isfinite(time)
    different = {text for text in status[good] if text is not None}
    return {text: float(np.median(time[good & (status == text)])) for text in different}
