"""How a file writes the grade of an adverse event, or that there was none."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sts_core.values import number_of, text_of

GRADES: Final = (1, 2, 3, 4, 5)
_ROMAN = {"i": 1.0, "ii": 2.0, "iii": 3.0, "iv": 4.0, "v": 5.0}
_VALUE = r"(?:\d+(?:\.\d+)?|i{1,3}|iv|v)"
_WORD = r"(?:(?:ctc(?:ae)?\s*)?(?:v\s?\d(?:\.\d)?\s*)?(?:grade|gr\.?|g)|ctc(?:ae)?)"
_TO = r"(?:[-~–—−至到]|to\b)"
# "3", "G3", "Grade 3", "CTCAE grade 3", "3级" (level), "3度" (degree); or I to V
_GRADE = re.compile(
    r"^(?:ctc(?:ae)?)?[\s-]*(?:grade|gr\.?|g)?\s*(?P<grade>\d+(?:\.\d+)?|i{1,3}|iv|v)\s*[级級度°]?$",
    re.IGNORECASE,
)
#: A grade that says so by a word or a unit ("G2", "grade 3-4", "II级"), with its brackets.
STATED = re.compile(
    rf"[(\[【]?\s*(?:(?<![a-z])(?:{_WORD})\s*[:=-]?\s*(?P<word>{_VALUE})(?![a-z\d])"
    rf"(?:\s*{_TO}\s*(?:grade|gr\.?|g)?\s*(?P<word_to>{_VALUE})(?![a-z\d]))?\s*[级級度°]?"
    rf"|(?P<unit>(?<![0-9.])\d+(?:\.\d+)?|(?<![0-9a-z.])(?:i{{1,3}}|iv|v))"
    rf"(?:\s*{_TO}\s*(?P<unit_to>{_VALUE}))?\s*[级級度°])"
    r"\s*[)\]】]?",
    re.IGNORECASE,
)
_NONE = frozenset(
    {
        "none", "no", "n", "nil", "0", "0.0", "-", "--", "—", "——", "/", "\\", "×", "absent",
        "negative", "normal", "false", "never", "not observed", "not present",
        "无", "無", "否", "没有", "未见", "未发生", "未出现", "阴性", "正常", "不存在",
    }
)  # fmt: skip
_WHAT_EN = (
    r"(?:adverse (?:events?|reactions?|effects?)|aes?|adrs?|traes?|teaes?|iraes?|toxicit(?:y|ies)"
    r"|side[ -]effects?|events?|reactions?|complaints?|symptoms?|discomfort)"
)
_WHAT_ZH = (
    r"(?:药物|治疗)?(?:相关)?(?:性)?"
    r"(?:不良反应|不良事件|副反应|副作用|毒副反应|毒性反应|毒性|毒副作用|反应|不适|异常|特殊|症状)"
)
_NOTHING = re.compile(
    rf"^(?:no|none|without)(?:\s+(?:obvious|significant|any|apparent|specific))?(?:\s+{_WHAT_EN})?"
    r"(?:\s+(?:were|was))?(?:\s+(?:reported|recorded|observed|noted|found|seen))?$"
    r"|^(?:无|無|未见|未发生|未出现|未诉|没有|未发现)(?:任何|明显|严重|特殊|其他|显著)?"
    rf"(?:{_WHAT_ZH})?(?:发生|出现)?$",
    re.IGNORECASE,
)
_PRESENT = frozenset(
    {
        "yes", "y", "true", "x", "√", "✓", "✔", "☑", "+", "present", "positive", "occurred",
        "有", "是", "阳性", "发生", "出现", "存在",
    }
)  # fmt: skip


class MarkKind(StrEnum):
    """What a cell under the name of an event says."""

    NOT_RECORDED = "not_recorded"
    NO_EVENT = "no_event"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Mark:
    """A cell of the column of one term.

    Attributes
    ----------
    kind
        Whether there was an event.
    grade
        1 to 5; 0 where not known.
    readable
        Whether the cell was understood; an event whose cell was not counts without a grade.
    """

    kind: MarkKind
    grade: int = 0
    readable: bool = True


def grade_of(cell: object, decimal: str = ".") -> float | None:
    """Read a cell as a grade: ``3``, ``"G3"``, ``"Grade 3"``, ``"III"``; ``None`` when it is none.

    A number outside 1 to 5 is given as it is.
    """
    number = number_of(cell, decimal)
    if number is not None:
        return number
    text = text_of(cell)
    match = _GRADE.match(unicodedata.normalize("NFKC", text)) if text else None
    return value_of(match["grade"]) if match else None


def value_of(text: str) -> float:
    """Give the number that digits or a Roman numeral up to V stand for."""
    lower = text.lower()
    return _ROMAN[lower] if lower in _ROMAN else float(text)


def stated_grade(match: re.Match[str]) -> int | None:
    """Give the grade of a match of :data:`STATED`; ``None`` for "3-4", "grade 7" and the like."""
    low, high = match["word"] or match["unit"], match["word_to"] or match["unit_to"]
    number = value_of(low)
    same = high is None or value_of(high) == number
    return int(number) if same and number in (0, *GRADES) else None


def says_none(text: str) -> bool:
    """Whether a text says that there was no event: "none", "无", "no adverse events", "-", "0"."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    plain = plain.strip(".。;,!") if len(plain) > 1 else plain
    return plain in _NONE or _NOTHING.match(plain) is not None


def read_mark(
    cell: object, codes: frozenset[str], *, yes_no: bool = False, decimal: str = "."
) -> Mark:
    """Read a cell of the column of one term.

    Parameters
    ----------
    cell
        As the file has it.
    codes
        Texts that mean "not known".
    yes_no
        Whether the numbers of the column are 1 for yes and 0 for no; otherwise they are grades.
    decimal
        Decimal mark of numbers in text.

    Returns
    -------
    Mark
        A cell that is neither blank nor says "none" is an event, whatever else it says.
    """
    text = text_of(cell)
    if text is None or text.casefold() in codes:
        return Mark(MarkKind.NOT_RECORDED)
    if says_none(text):
        return Mark(MarkKind.NO_EVENT)
    plain = unicodedata.normalize("NFKC", text).casefold()
    if plain in _PRESENT:
        return Mark(MarkKind.EVENT)
    number = number_of(cell, decimal)
    if yes_no and number is not None:
        return Mark(MarkKind.EVENT, readable=number == 1)
    grade = grade_of(cell, decimal)
    if grade is None:
        found = [*STATED.finditer(unicodedata.normalize("NFKC", text))]
        grade = stated_grade(found[0]) if len(found) == 1 else None
    if grade == 0:
        return Mark(MarkKind.NO_EVENT)
    if grade in GRADES:
        return Mark(MarkKind.EVENT, int(grade))
    return Mark(MarkKind.EVENT, readable=False)
