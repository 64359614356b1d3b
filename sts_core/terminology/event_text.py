"""Several adverse events in one cell, and a term in the header of a column, as people write them.

``"高血压2级; 蛋白尿1级"``, ``"Fatigue (grade 2) / Nausea"``, ``"neutropenia 3, anemia gr 1"``.
Whatever can't be told apart stays one event; nothing that was written is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from sts_core.terminology.ctcae import find, knows, terms
from sts_core.terminology.grading import GRADES, STATED, says_none, stated_grade, value_of

#: A longer part of a cell that is no known name is a sentence, not the name of an event.
MAX_TERM: Final = 60
_OPEN, _CLOSE = "([【", ")]】"
_CIRCLED = re.compile("[①-⑳⑴-⒇⒈-⒛]")
_NUMBERED = re.compile(r"(^|[;\n,])\s*\d{1,2}\s*[、.)]\s*(?=[^\d\s])")
_NUMBERED_WITHIN = re.compile(r"\s\d{1,2}\s*[、.)]\s*(?=[^\d\s])")
_FULL_STOP = re.compile(r"(?<=[\d级級度°)])\.\s+(?=[^\d\s])")
_SOFT = re.compile(r"\s*[/+&]\s*|\s+and\s+|[和及与伴]", re.IGNORECASE)
_LEADING = re.compile(r"^(?:and|with|plus)\s+|^[伴和及与并]", re.IGNORECASE)
_BARE = re.compile(
    r"(?P<before>.*?)(?P<gap>[\s:=(\[-]+|(?<=[㐀-䶿一-鿿]))(?P<grade>[0-5]|I{1,3}|IV|V)\s*[)\]]?$"
)
_BARE_ALONE = re.compile(r"^[(\[]?\s*(\d+|I{1,3}|IV|V)\s*[)\]]?$")
_NUMBER_OF_SOMETHING = re.compile(
    r"(?:type|factor|stage|class|degree|nerve|lead|phase|cycle|day|line|[型期类天周])$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\s*[(\[]?\s*(?:[1-4]\s*\+|\++|\+[/-]-?)\s*[)\]]?$")
_HEADED = re.compile(rf"^\s*(?P<grade>{STATED.pattern})\s*:\s*(?=\S)", re.IGNORECASE)
_REMARK = re.compile(
    r"^(?:(?:possibly|probably|definitely|treatment|drug|not|un)?[\s-]*related"
    r"|(?:fully\s+|partially\s+|not\s+)?(?:resolved|recovered|improved)|recovering|ongoing|persistent"
    r"|serious|non-?serious|sae"
    r"|(?:已|未|经?.{0,8}治疗后|.{0,4}停药后|.{0,4}处理后)?"
    r"(?:好转|缓解|恢复|痊愈|消失|持续中?|未愈)"
    r"|(?:与.{0,6})?(?:可能|很可能|肯定)?(?:相关|有关|无关)"
    r"|(?:非)?严重|可耐受|对症治疗|对症处理)$",
    re.IGNORECASE,
)
_COMMA = "\ue000"
_EDGES = " \t.,;:、。-_=*·•"

_AE = (
    r"(?:tr|te|ir)?ae(?:s|term)?|tox(?:icity|icities)?|adverse[\s_.-]*(?:events?|reactions?)"
    r"|side[\s_.-]*effects?|ctcae(?:[\s_.-]*v?5(?:\.0)?)?"
)
_AE_ZH = (
    r"(?:治疗相关|药物相关|免疫相关)?"
    r"(?:不良反应|不良事件|毒副反应|副反应|副作用|毒性)"
)
_HEADER_BEFORE = re.compile(
    rf"^(?:(?:max(?:imum|imal)?|worst|highest|grade|gr)[\s_.:-]+(?=\S)|(?:{_AE})[\s_.:-]+(?=\S)|{_AE_ZH}[\s_.:-]*(?=\S))",
    re.IGNORECASE,
)
_HEADER_AFTER = re.compile(
    rf"(?:[\s_.:-]+(?:{_AE}|{_AE_ZH}|max(?:imum)?|worst|highest|grade|gr|g|grading|severity)"
    r"|[\s_.:-]*(?:最高|最大|最重)?(?:分级|级别|等级|程度|分度)"
    r"|[\s_.:-]*[(\[【]\s*(?:ctcae[\s:]*)?(?:(?:max(?:imum)?|worst|highest)\s*)?"
    r"(?:grade|gr\.?|g|级|度|分级|级别|等级)?\s*(?:[0-5]\s*[-~–—至]\s*[345]\s*[级度]?)?"
    r"(?:yes\s*/\s*no|y\s*/\s*n|no\s*/\s*yes|0\s*/\s*1|1\s*/\s*0|有\s*/\s*无|是\s*/\s*否|无\s*/\s*有|否\s*/\s*是)?"
    r"\s*[)\]】])\s*$",
    re.IGNORECASE,
)


_ABOUT_EVENTS = re.compile(rf"(?<![a-z])(?:{_AE})(?![a-z])|{_AE_ZH}", re.IGNORECASE)
_MOST_MARKS = 4


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """An event that a cell names.

    Attributes
    ----------
    term
        As written, without its grade; empty where only a grade is written.
    grade
        1 to 5; 0 where not known.
    graded
        Whether something stands there as its grade.
    readable
        Whether term and grade were understood. A range ("3-4"), a number that is no grade, and a
        sentence where a name belongs are not.
    """

    term: str
    grade: int = 0
    graded: bool = False
    readable: bool = True


@dataclass(frozen=True, slots=True)
class CellEvents:
    """What a cell with several events says.

    Attributes
    ----------
    events
        In the order of the text.
    denied
        Whether it says of an event, or of all, that there was none.
    """

    events: tuple[WrittenEvent, ...]
    denied: bool


@dataclass(frozen=True, slots=True)
class HeaderTerm:
    """The term that a header names.

    Attributes
    ----------
    term
        Without "AE", "(grade)" and the like.
    of_event, of_grade
        Whether such a word stands there that is about adverse events, or about grades.
    """

    term: str
    of_event: bool
    of_grade: bool


def header_term(header: str) -> HeaderTerm:
    """Give the term of ``"Hypertension (grade)"``, ``"AE_Hypertension"`` or ``"高血压分级"``."""
    text = unicodedata.normalize("NFKC", header).strip()
    if knows(text) and not text.endswith((")", "]")):
        return HeaderTerm(text, of_event=False, of_grade=False)
    removed = ""
    for _ in range(_MOST_MARKS):
        for pattern in (_HEADER_BEFORE, _HEADER_AFTER):
            found = pattern.search(text)
            if found is not None:
                removed = f"{removed} {found.group()} "
                text = (text[: found.start()] + text[found.end() :]).strip()
    if " " not in text:
        text = re.sub(r"[_.]+", " ", text)
    of_event = _ABOUT_EVENTS.search(removed) is not None
    of_grade = bool(removed.strip(_EDGES)) and not of_event
    return HeaderTerm(text.strip(" _.:-"), of_event, of_grade)


def read_cell(text: str) -> CellEvents:
    """Give the events that a cell names.

    Parameters
    ----------
    text
        The cell, line breaks included.

    Returns
    -------
    CellEvents
        Neither an event nor a denial: nothing could be made of the text.

    Notes
    -----
    Semicolons, line breaks, ``、`` and commas stand between events, but a comma inside a CTCAE
    term or before its grade does not; a slash, a plus and words like "and" do where what is left
    and right of them are events for themselves. A grade in front of a colon ("G1: nausea, rash")
    is that of all events up to the next semicolon.
    """
    plain = _CIRCLED.sub(";", text)
    plain = unicodedata.normalize("NFKC", plain).replace("\r", "\n").replace("\t", " ")
    if says_none(plain):
        return CellEvents((), denied=True)
    plain = _with_commas_kept(plain)
    numbered = _NUMBERED.match(plain) is not None
    plain = _NUMBERED.sub(r"\1", plain)
    if numbered:
        plain = _NUMBERED_WITHIN.sub(";", plain)
    plain = _FULL_STOP.sub(";", plain)
    events: list[WrittenEvent] = []
    for line in _outside_brackets(plain, ";\n。|"):
        events += _line(line)
    found = tuple(
        replace(event, term=event.term.replace(_COMMA, ","))
        for event in events
        if not _denies(event)
    )
    return CellEvents(found, denied=len(found) < len(events))


def _with_commas_kept(text: str) -> str:
    """Mark commas inside terms of CTCAE ("… - Other, specify"), so that nothing is split there."""
    if "specify" in text.casefold():
        for name in terms():
            if "," in name:
                kept = name.replace(",", _COMMA)
                text = re.sub(re.escape(name), kept, text, flags=re.IGNORECASE)
    return text


def _denies(event: WrittenEvent) -> bool:
    """Whether it is said that the event did not happen: its grade is 0."""
    return event.graded and event.readable and not event.grade


def _line(line: str) -> list[WrittenEvent]:
    """Read what stands between semicolons."""
    events: list[WrittenEvent] = []
    heading: WrittenEvent | None = None
    for part in _joined(_outside_brackets(line, ",、")):
        headed = _HEADED.match(part)
        if headed is not None:
            part = part[headed.end() :]
            heading = _with_grade("", stated_grade(headed))
        for piece in _pieces(part):
            event = _event(piece)
            if event is None:
                continue
            again = event.graded and not event.term and not _denies(event)
            if again and events and not _denies(events[-1]):
                events[-1] = _worse(events[-1], event)
                continue
            if heading is not None and not event.graded:
                event = replace(
                    event, grade=heading.grade, graded=True,
                    readable=event.readable and heading.readable,
                )  # fmt: skip
            events.append(event)
    return events


def _worse(event: WrittenEvent, again: WrittenEvent) -> WrittenEvent:
    """Give an event with a further grade of it ("G1 → G3"): the worst that can be read."""
    return replace(
        event,
        grade=max(event.grade, again.grade),
        graded=True,
        readable=event.readable and again.readable,
    )


def _in_brackets(text: str) -> list[bool]:
    """Say of each character whether it stands in a bracket that is opened and closed."""
    inside, opened = [False] * len(text), list[int]()
    for at, mark in enumerate(text):
        if mark in _OPEN:
            opened.append(at)
        elif mark in _CLOSE and opened:
            start = opened.pop()
            inside[start : at + 1] = [True] * (at + 1 - start)
    return inside


def _outside_brackets(text: str, marks: str) -> list[str]:
    """Split at marks that stand in no bracket."""
    parts, start = [], 0
    for at, inside in enumerate(_in_brackets(text)):
        if not inside and text[at] in marks:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _joined(parts: list[str]) -> Iterator[str]:
    """Put parts together again that are one term of CTCAE, or a term and its grade."""
    at = 0
    while at < len(parts):
        for end in range(min(at + 4, len(parts)), at + 1, -1):
            together = ", ".join(parts[at:end])
            if any(_is_term(part) is False for part in parts[at + 1 : end]) and _is_term(together):
                yield together
                at = end
                break
        else:
            yield parts[at]
            at += 1


def _is_term(text: str) -> bool:
    """Whether a text with at most one grade is a name that is known."""
    if len(STATED.findall(text)) > 1:
        return False
    event = _event(text)
    if event is None or not event.term:
        return False
    return knows(event.term) or (find(event.term) is not None and "(" not in event.term)


def _pieces(part: str) -> Iterator[str]:
    """Split at a slash, "and" and the like where events stand on both sides, and after grades."""
    whole = _event(part) if len(STATED.findall(part)) < 2 else None
    if whole is not None and whole.term and knows(whole.term):
        yield part
        return
    for piece in _softly(part):
        grades = [*STATED.finditer(piece)]
        if len(grades) == 1 and _cleaned(piece[: grades[0].start()]):
            yield piece[: grades[0].end()]
            rest = _cleaned(piece[grades[0].end() :].strip(_OPEN + _CLOSE + " ,"))
            if rest and not _REMARK.match(rest):
                yield rest
        elif len(grades) < 2:
            yield piece
        elif _cleaned(piece[: grades[0].start()]):
            ends = [0, *(grade.end() for grade in grades)]
            yield from (piece[a:b] for a, b in pairwise(ends))
            rest = _cleaned(piece[ends[-1] :])
            if rest and not _REMARK.match(rest):
                yield rest
        else:
            starts = [*(grade.start() for grade in grades), len(piece)]
            yield from (piece[a:b] for a, b in pairwise(starts))


def _softly(part: str) -> Iterator[str]:
    """Split at soft marks; at each, what is left of it must be an event for itself."""
    inside = _in_brackets(part)
    marks = [
        mark
        for mark in _SOFT.finditer(part)
        if mark.start() > 0 and mark.end() < len(part) and not inside[mark.start()]
    ]
    bounds = [0, *(place for mark in marks for place in mark.span()), len(part)]
    pieces = [part[a:b] for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
    every_known = len(pieces) > 1 and all(_is_term(piece) for piece in pieces)
    start = 0
    for mark in marks:
        left = part[start : mark.start()]
        graded = [*STATED.finditer(left)]
        ends_graded = bool(graded) and not left[graded[-1].end() :].strip()
        spaced = mark.group().strip() == "/" and mark.group()[0].isspace()
        spaced = spaced and mark.group()[-1].isspace()
        if every_known or ends_graded or spaced:
            yield left
            start = mark.end()
    yield part[start:]


def _cleaned(text: str) -> str:
    return text.strip(_EDGES)


def _with_grade(term: str, grade: int | None) -> WrittenEvent:
    readable = grade is not None
    return WrittenEvent(term, grade or 0, graded=True, readable=readable)


def _event(piece: str) -> WrittenEvent | None:
    """Read one event, of grade 0 for "none" and "no fever"; ``None`` for a remark or a date."""
    text = _cleaned(piece)
    if not text or _REMARK.match(text):
        return None
    if says_none(text) and not _BARE_ALONE.match(text):
        return _with_grade("", 0)
    if knows(text) and not _AMOUNT.search(text):
        return WrittenEvent(text)
    if re.fullmatch(r"[\d\s./年月日:~-]{6,}", text):
        return None  # a date
    alone = _BARE_ALONE.match(text)
    if alone is not None:
        number = value_of(alone[1])
        return _with_grade("", int(number) if number in (0, *GRADES) else None)
    event = _graded(text)
    term = _without_leading(event.term)
    denied = re.sub(r"^(?:no|without|denies|无|未见|没有)\s*", "", term, flags=re.IGNORECASE)
    if denied != term and not knows(term) and knows(denied) and not event.graded:
        return _with_grade(denied, 0)
    if len(term) > MAX_TERM and find(term) is None:
        return replace(event, term=term, readable=False)
    return replace(event, term=term)


def _graded(text: str) -> WrittenEvent:
    """Tell the grade from the term."""
    match = STATED.search(text)
    if match is not None:
        term = f"{text[: match.start()]} {text[match.end() :]}"
        opened = sum(term.count(mark) for mark in _OPEN) - sum(term.count(mark) for mark in _CLOSE)
        if opened:  # "(G2, related)": the bracket was opened before the grade, and closed after
            term = term.strip(_EDGES + _OPEN + _CLOSE)
            kept = _cleaned(text[: match.start()])
            term = kept if kept else term
        return _with_grade(" ".join(_cleaned(term).split()), stated_grade(match))
    amount = _AMOUNT.search(text)
    if amount is not None and _cleaned(text[: amount.start()]):
        return _with_grade(_cleaned(text[: amount.start()]), None)
    bare = _BARE.match(text)
    if bare is not None:
        before = _cleaned(bare["before"])
        if before and not _NUMBER_OF_SOMETHING.search(before):
            return _with_grade(before, int(value_of(bare["grade"])))
    return WrittenEvent(text)


def _without_leading(term: str) -> str:
    shorter = _LEADING.sub("", term).strip(_EDGES + "/+&→")
    return shorter if shorter != term and (knows(shorter) or not knows(term)) else term
