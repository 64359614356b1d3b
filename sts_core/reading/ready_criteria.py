"""Criteria that are ready-made: what each asks for, and whether this file has it.

The criteria are words in a data file; here their columns are found, by usual headers in English and
Chinese, by what the study says of them, or in another table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sts_core.cohort import Cohort
from sts_core.derive import has_cells, levels_of, numbers_of
from sts_core.findings import StudyError
from sts_core.reading.vocabulary import Phrases, is_chinese, read_words, vocabulary, words_of
from sts_core.study.types import (
    AllOf,
    Between,
    Criterion,
    DaysBetween,
    HasRow,
    IsKnown,
    OneOf,
    conditions_of,
)

_MAX_LEVELS = 12


@dataclass(frozen=True, slots=True)
class ReadyCriterion:
    """A ready-made criterion, as far as this file has what it asks for.

    Attributes
    ----------
    key, label, origin
        Its key in the data file, its sentence, and whose criterion it is.
    criterion
        It, with the columns of this file; ``None`` when something is missing.
    lacks
        What is missing, one phrase each; empty when nothing is.
    """

    key: str
    label: str
    origin: str
    criterion: Criterion | None
    lacks: tuple[str, ...] = ()

    @property
    def excludes(self) -> bool:
        """Whether it removes those who meet it."""
        return self.label.startswith("Excluded: ")


class _LacksError(Exception):
    """Something that a way asks for is not in the file; its text says what."""


@lru_cache(maxsize=1)
def _library() -> Mapping[str, Mapping[str, Any]]:
    criteria: Mapping[str, Mapping[str, Any]] = read_words("criteria.yaml")["criteria"]
    return criteria


def ready_criteria(cohort: Cohort) -> tuple[ReadyCriterion, ...]:
    """Give every ready-made criterion, with its columns in this file or what is missing.

    Parameters
    ----------
    cohort
        The patients; column names, values and the study's definitions decide.
    """
    return tuple(_ready(cohort, key, item) for key, item in _library().items())


def _ready(cohort: Cohort, key: str, item: Mapping[str, Any]) -> ReadyCriterion:
    lacks: tuple[str, ...] = ()
    for way in item["ways"]:
        parts: list[Criterion] = []
        missing: list[str] = []
        for condition in way["all"]:
            try:
                parts.append(_in_files(cohort, _condition(cohort, condition)))
            except _LacksError as error:
                missing.append(str(error))
        if not missing:
            whole = parts[0] if len(parts) == 1 else AllOf(tuple(parts))
            excludes = item.get("excludes") == "yes"
            made = replace(
                whole,
                label=item["label"],
                excludes=whole.excludes is not excludes,
                after_time_zero=item.get("late") == "yes",
            )
            return ReadyCriterion(key, item["label"], item["origin"], made)
        lacks = lacks or tuple(missing)  # the usual way is the one to be told of
    return ReadyCriterion(key, item["label"], item["origin"], None, lacks)


def _in_files(cohort: Cohort, criterion: Criterion) -> Criterion:
    """Give a condition back whose columns are there, also those that the study only names."""
    for part in conditions_of(criterion):
        for name in () if isinstance(part, HasRow) else part.columns:
            if not has_cells(cohort, name):
                raise _LacksError(f"the column of “{name}”")
    return criterion


def _condition(cohort: Cohort, condition: Mapping[str, Any]) -> Criterion:
    """Give a condition on what this file has.

    Raises
    ------
    _LacksError
        When it doesn't have it.
    """
    if "table" in condition:
        return _no_row(cohort, condition["table"])
    if "role" in condition:
        return _of_role(cohort, condition)
    if "concept" in condition:
        column = _of_concept(cohort, condition["concept"])
        return _in_range(cohort, column, condition)
    column = _of_headers(cohort, condition["headers"])
    return OneOf(column, _values(cohort, column, condition["holds"]))


def _no_row(cohort: Cohort, role: str) -> Criterion:
    definition = cohort.study.definitions.assessments
    start = _start(cohort)
    if definition is None or role not in cohort.tables or definition.table != role:
        raise _LacksError(f"a table of {role.replace('_', ' ')}")
    if definition.date is not None and start is not None:
        return HasRow(role, date=definition.date, origin=start, low=1, excludes=True)
    if definition.day is not None:
        return HasRow(role, study_day=definition.day, low=1, excludes=True)
    return HasRow(role, excludes=True)


def _start(cohort: Cohort) -> str | None:
    for endpoint in cohort.study.definitions.endpoints.values():
        if endpoint.start is not None and endpoint.table == "subjects":
            return endpoint.start
    return None


def _of_role(cohort: Cohort, condition: Mapping[str, Any]) -> Criterion:
    definitions = cohort.study.definitions
    role = condition["role"]
    if role == "response":
        if definitions.response is None:
            raise _LacksError("the best overall response")
        # met by those of whom it is not known
        return IsKnown(definitions.response.variable, excludes=condition["known"] == "no")
    start = _start(cohort)
    if start is None:
        raise _LacksError("an endpoint from dates, whose start is time zero")
    if role == "start":
        return IsKnown(start)
    for endpoint in definitions.endpoints.values():
        for column in endpoint.last_contact if endpoint.start == start else ():
            if column != start and endpoint.table == "subjects":
                return DaysBetween(column, start, high=int(condition["at_most_days"]))
    raise _LacksError("a date of the last contact")


def _of_concept(cohort: Cohort, concept: str) -> str:
    """Find the variable, or the column, of a usual characteristic."""
    known = vocabulary()
    if concept in cohort.study.definitions.variables:
        return concept
    found = []
    for name in _columns(cohort):
        match = known.variables.match(words_of(name))
        if match is not None and match.concept == concept and match.exact:
            found.append((match.rank, name))
    if not found:
        raise _LacksError(f"a column of {known.variable_concepts[concept].label.casefold()}")
    return min(found)[1]


def _in_range(cohort: Cohort, column: str, condition: Mapping[str, Any]) -> Criterion:
    try:
        read = numbers_of(cohort, column)
    except StudyError:
        raise _LacksError(f"the column of “{column}”") from None
    if not (~(read.missing | read.unreadable)).any():
        raise _LacksError(f"numbers in “{column}”")
    low, high = condition.get("at_least"), condition.get("at_most")
    return Between(
        column, None if low is None else float(low), None if high is None else float(high)
    )


def _columns(cohort: Cohort) -> Sequence[str]:
    return [str(name) for name in cohort.tables["subjects"].frame.columns]


def _of_headers(cohort: Cohort, headers: Sequence[str]) -> str:
    """Find the column with one of these headers: a whole one first, else the longest part."""
    phrases = Phrases({"it": headers})
    found = []
    for name in _columns(cohort):
        match = phrases.match(words_of(name))
        if match is not None:
            found.append((not match.exact, match.rank, -match.length, name))
    if not found:
        raise _LacksError(f"a column such as “{headers[0]}”")
    column = min(found)[-1]
    variables = cohort.study.definitions.variables
    for key, variable in variables.items():
        if (variable.column or key) == column and not variable.cuts and not variable.rows:
            return key
    return column


def _values(cohort: Cohort, column: str, wanted: str) -> tuple[str, ...]:
    """Give the levels of a column that mean yes, or that mean no."""
    try:
        levels = levels_of(cohort, column).levels
    except StudyError:
        raise _LacksError(f"the column of “{column}”") from None
    if not 1 <= len(levels) <= _MAX_LEVELS:
        raise _LacksError(f"yes and no in “{column}”")
    lexicon = vocabulary().lexicons["yes_no"]
    meaning = {level: lexicon.get(level) for level in levels}
    if {*levels} <= {"0", "1"}:
        meaning = {"0": "No", "1": "Yes"}
    if not any(meaning.values()):
        raise _LacksError(f"yes and no in “{column}”")
    word = wanted.capitalize()
    found = tuple(level for level, means in meaning.items() if means == word)
    if found:
        return found
    # nobody has it now; the next data cut may spell it as the other one is spelt
    other = next(level for level, means in meaning.items() if means)
    if is_chinese(other):
        return ("是" if wanted == "yes" else "否",)
    return (word if other[:1].isupper() else wanted,)
