"""What a file says about how best overall response was assessed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from sts_core.reading.sheet import Sheet
from sts_core.reading.vocabulary import vocabulary
from sts_core.study.types import ResponseDefinition, Variable
from sts_core.values import text_of, texts

# Names of criteria as papers write them, and how they are met in headers and parameter names
_CRITERIA: Final = (
    ("iRECIST", r"\bi\s?recist"),
    ("mRECIST", r"\bm\s?recist"),
    ("RECIST 1.1", r"\brecist\s*(?:v(?:ersion)?\.?\s*)?1[.\s]1"),
    ("RECIST 1.0", r"\brecist\s*(?:v(?:ersion)?\.?\s*)?1[.\s]0"),
    ("RECIST", r"\brecist"),
    ("Choi criteria", r"\bchoi\b"),
    ("RANO", r"\brano\b"),
    ("Lugano criteria", r"\blugano\b"),
)
_INDEPENDENT = r"\b(?:independent|central|bicr|irc|irrc)\b|独立|中心"
_INVESTIGATOR = r"\b(?:investigator|inv)\b|研究者"
_UNCONFIRMED = r"\bun\s?-?confirmed\b|\bnot confirmed\b|未确认|未經确认"
_CONFIRMED = r"\bconfirmed\b|确认"


def response_sources(variable: Variable, sheets: Mapping[str, Sheet]) -> tuple[str, ...]:
    """Give the file's own words for a response: its header, and the name of its parameter."""
    found = [variable.column or variable.label]
    sheet = sheets.get(variable.table)
    described = sheet.parameter("label") if sheet is not None else None
    if sheet is not None and described is not None and variable.rows:
        frame = sheet.raw.frame
        for column, values in variable.rows.items():
            wanted = {text_of(value) for value in values}
            mask = [text in wanted for text in texts(frame[column])]
            frame = frame[mask]
        found += dict.fromkeys(text for text in texts(frame[described]) if text is not None)
    return tuple(found)


def guess_assessment(words: Collection[str]) -> ResponseDefinition:
    """Read criteria, confirmation and assessor out of headers and parameter names.

    Parameters
    ----------
    words
        What the file calls it ("Confirmed Best Overall Response by Investigator").

    Returns
    -------
    ResponseDefinition
        A guess, without a variable. What no text states stays not stated; so does what two texts
        contradict each other in.
    """
    criteria: set[str] = set()
    confirmed: set[bool] = set()
    assessor: set[str] = set()
    for text in words:
        plain = re.sub(r"[_/(),;:-]+", " ", text.casefold())
        criteria |= set([name for name, pattern in _CRITERIA if re.search(pattern, plain)][:1])
        if re.search(_UNCONFIRMED, plain):
            confirmed.add(False)
        elif re.search(_CONFIRMED, plain):
            confirmed.add(True)
        if re.search(_INDEPENDENT, plain):
            assessor.add("independent review")
        if re.search(_INVESTIGATOR, plain):
            assessor.add("investigator")
    return ResponseDefinition(
        variable="",
        criteria=criteria.pop() if len(criteria) == 1 else "",
        confirmed=confirmed.pop() if len(confirmed) == 1 else None,
        assessor=assessor.pop() if len(assessor) == 1 else None,
    )


def meaning_of(level: str) -> str | None:
    """Give the standard category (CR, PR, SD, PD, NE) that a level means; ``None`` if unknown."""
    return vocabulary().lexicons["response"].get(level)
