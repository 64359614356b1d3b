"""What a study file says of few patients: names of small groups, and the file without them.

A study file holds no patient, but the name of a group with one patient in it may point to that
patient. Such names are written only when a person says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sts_core.adverse_event_forms import patients_by_name
from sts_core.assessments import standard_level
from sts_core.cohort import Cohort
from sts_core.criteria import reference_of
from sts_core.derivations import NO, YES
from sts_core.derive import counts_of, cut_levels, is_categorical, levels_of, raw_levels
from sts_core.findings import StudyError
from sts_core.reading.vocabulary import vocabulary
from sts_core.study.types import (
    AdverseEventDefinition,
    AssessmentDefinition,
    CountOf,
    Criterion,
    Definitions,
    Derivation,
    ExposureDefinition,
    Grouping,
    HasRow,
    IsOneOf,
    Nested,
    OneOf,
    Scalar,
    Status,
    Study,
    Variable,
    conditions_of,
)
from sts_core.terminology.ctcae import key_of
from sts_core.values import number_of, text_of, texts

MIN_PATIENTS = 5
_EVENTS = "adverse events"
_NOT_NAMED = "(not named)"
_KEYWORD = re.compile(r"[a-z_0-9.%+-][\w.%+-]*|\w{0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RareName:
    """A name of fewer than :data:`MIN_PATIENTS` patients that a study file would hold.

    Attributes
    ----------
    variable
        Key of the variable, or column, of which it is a level or a value in the file.
    label
        Name of that variable.
    name
        The level, or the value.
    n
        Patients in the file who have it; at least 1.
    """

    variable: str
    label: str
    name: str
    n: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """A study without certain names, and what that costs.

    Attributes
    ----------
    study
        The study to be written.
    losses
        What a reader of the file will have to choose again, one phrase each.
    """

    study: Study
    losses: tuple[str, ...]


def rare_names(cohort: Cohort, study: Study | None = None) -> tuple[RareName, ...]:
    """Give the names in the study file that fewer than five patients of the data file have.

    Levels, the values that codes begin with, parts of merged levels, values that criteria,
    groupings and derived variables name, and those that endpoints, assessments, treatment and
    adverse events give a meaning to, and those that stand in what was written by hand or looked at
    (titles, labels of criteria, names of sets, compared groups). Numbers and usual words ("yes",
    "dead", "PD") of the last two point to nobody. Names that the program gives (groups of a cut,
    yes and no), names of nobody and those of synthetic patients are not among them.

    Parameters
    ----------
    cohort
        Whose patients count.
    study
        What is to be written, where that is more than the cohort's own study.
    """
    study = cohort.study if study is None else study
    if study.synthetic:
        return ()  # no person stands behind these names
    found: dict[tuple[str, str], RareName] = {}
    for key, named in _named(study).items():
        try:
            counts, label = cohort.kept(("named", key), partial(_counts, cohort, key))
        except StudyError:
            continue  # nothing is known of a variable whose column isn't there
        supplied = _supplied(study.definitions.variables.get(key))
        for name in named:
            n = counts.get(name, 0)
            if 0 < n < MIN_PATIENTS and name not in supplied:
                found[key, name] = RareName(key, label, name, n)
    for item in _in_words(cohort, study):
        found.setdefault((item.variable, item.name), item)
    for (role, column), values in _row_values(study).items():
        for name, n in _patients_by_text(cohort, role, column).items():
            if name in values and 0 < n < MIN_PATIENTS:
                key = _rows_key(role, column)
                found[key, name] = RareName(key, f"{column} of {role}", name, n)
    for name, n in _mapped_names(cohort).items():
        if 0 < n < MIN_PATIENTS:
            found[_EVENTS, name] = RareName(_EVENTS, "Adverse events", name, n)
    for (role, column), meant in _meant(study).items():
        counts = _patients_by_text(cohort, role, column)
        for name in meant:
            n = counts.get(name, 0)
            if 0 < n < MIN_PATIENTS and not _says_nothing(name):
                key = _rows_key(role, column)
                found[key, name] = RareName(key, column, name, n)
    return tuple(found.values())


def _supplied(variable: Variable | None) -> set[str]:
    """Give the names that the program itself gives to a variable's levels."""
    if variable is None:
        return set()
    return {*cut_levels(variable.cuts), *((YES, NO) if variable.derived is not None else ())}


def _in_words(cohort: Cohort, study: Study) -> list[RareName]:
    """Give the levels of few patients that stand within words of the study file."""
    found: list[RareName] = []
    texts_ = _words(study)
    for key, variable in study.definitions.variables.items():
        if not texts_ or not is_categorical(variable):
            continue
        try:
            counts, label = cohort.kept(("named", key), partial(_counts, cohort, key))
        except StudyError:
            continue
        supplied = _supplied(variable)
        found += [
            RareName(key, label, name, n)
            for name, n in counts.items()
            if 0 < n < MIN_PATIENTS
            and name not in supplied
            and any(_stands_in(name, text) for text in texts_)
            and not _says_nothing(name)
        ]
    return found


def _words(study: Study) -> list[str]:
    """Give what a person wrote and what was compared, in words."""
    analysis = study.analysis
    return [
        *(one.question for one in analysis.looked_at),
        *(item.label for item in analysis.every_criterion if item.label),
        *analysis.saved_sets,
        *(text for document in _documents(study) for text in _written_in(document)),
    ]


def _written_in(document: Mapping[str, Any]) -> list[str]:
    """Give the texts of a document that are no keyword of the program or key of a variable."""
    return [text for text in _texts_in(document) if not _KEYWORD.fullmatch(text)]


def _pattern(name: str) -> str:
    """Give what finds a name in words; in a script without spaces it may stand anywhere."""
    return rf"(?<!\w){re.escape(name)}(?!\w)" if name.isascii() else re.escape(name)


def _stands_in(name: str, text: str) -> bool:
    return name in text and re.search(_pattern(name), text) is not None


def _rows_key(role: str, column: str) -> str:
    return f"rows of {role}: {column}"


def _row_values(study: Study) -> dict[tuple[str, str], set[str]]:
    """Give the values that criteria ask for in other tables, by role and column."""
    named: dict[tuple[str, str], set[str]] = {}
    for item in study.analysis.every_criterion:
        for part in conditions_of(item):
            if isinstance(part, HasRow):
                for where in _one_of(part):
                    named.setdefault((part.table, where.column), set()).update(_texts(where.values))
    return named


def _one_of(rows: HasRow) -> tuple[OneOf, ...]:
    return tuple(where for where in rows.where if isinstance(where, OneOf))


def _patients_by_text(cohort: Cohort, role: str, column: str) -> dict[str, int]:
    """Count the patients who have each text in a column of a table."""
    table = cohort.tables.get(role)
    if table is None or column not in table.frame.columns:
        return {}  # nothing is known of a column that isn't there
    cells = texts(table.column(column), frozenset())
    pairs = {
        (subject, text)
        for subject, text in zip(table.subject.tolist(), cells.tolist(), strict=True)
        if text is not None and subject is not None
    }
    return dict(Counter(text for _, text in pairs))


def _says_nothing(name: str) -> bool:
    """Say whether a value is a number or a usual word (yes, dead, PD), which points to nobody."""
    words = vocabulary()
    return (
        number_of(name) is not None
        or words.status.get(name) is not None
        or words.lexicons["yes_no"].get(name) is not None
        or words.lexicons["response"].get(name) is not None
        or standard_level(name) is not None
    )


def _meant(study: Study) -> dict[tuple[str, str], dict[str, None]]:
    """Give the values of the file that endpoints, assessments and the like give a meaning to.

    By role of the table and column.
    """
    meant: dict[tuple[str, str], dict[str, None]] = {}

    def add(role: str, column: str | None, values: Iterable[Scalar]) -> None:
        if column is not None:
            meant.setdefault((role, column), {}).update(dict.fromkeys(_texts(values)))

    definitions = study.definitions
    for endpoint in definitions.endpoints.values():
        named = [value for values in endpoint.events.values() for value in values]
        add(endpoint.table, endpoint.event, (*named, *endpoint.censored))
    visits = definitions.assessments
    if visits is not None:
        for column in visits.response_columns:
            add(visits.table, column, visits.codes)
        for column in visits.new_lesion_columns:
            add(visits.table, column, visits.new_lesion_values)
        add(visits.table, visits.evaluable, visits.evaluable_values)
    treatment = definitions.exposures
    if treatment is not None:
        add(treatment.table, treatment.ongoing, treatment.ongoing_values)
    events = definitions.adverse_events
    if events is not None:
        add(events.table, events.related, events.related_values)
        add(events.table, events.serious, events.serious_values)
    for item in (visits, treatment, events):
        if item is not None:
            for column, values in item.rows.items():
                add(item.table, column, values)
    return meant


def _mapped_names(cohort: Cohort) -> dict[str, int]:
    """Count the patients of each recorded name of adverse events that was mapped by hand."""
    definition = cohort.study.definitions.adverse_events
    if definition is None or not definition.mapped:
        return {}
    try:
        counts = patients_by_name(cohort)
    except StudyError:
        return {}  # nothing is known of events whose columns aren't there
    return {name: counts.get(key_of(name), 0) for name in definition.mapped}


def _texts(values: Iterable[Scalar]) -> list[str]:
    return [text for text in map(text_of, values) if text is not None]


def _of_derivation(derived: Derivation) -> Mapping[str, list[str]]:
    match derived:
        case IsOneOf():
            return {derived.of: _texts(derived.values)}
        case CountOf():
            named = _texts((*derived.yes, *derived.no))
            return dict.fromkeys(derived.of, named)
        case Nested():
            return {derived.of: _texts(derived.split)}
        case _:
            return {}


def _named(study: Study) -> dict[str, dict[str, None]]:
    """Give every name in a study file by the variable, column or grouping that it belongs to."""
    named: dict[str, dict[str, None]] = {}

    def add(key: str, names: Iterable[str]) -> None:
        named.setdefault(key, {}).update(dict.fromkeys(names))

    definitions = study.definitions
    for key, variable in definitions.variables.items():
        add(key, _names_in(variable))
        if variable.derived is not None:
            for of, names in _of_derivation(variable.derived).items():
                add(of, names)
    for key, grouping in definitions.groupings.items():
        add(grouping.variable, (part for parts in grouping.groups.values() for part in parts))
        add(key, [*grouping.groups, *([grouping.rest] if grouping.rest else [])])
    for item in study.analysis.every_criterion:
        for part in conditions_of(item):
            if isinstance(part, OneOf):
                add(part.column, _texts(part.values))
    for document in _documents(study):
        inside = _texts_in(document)
        for of in {*inside} & {*definitions.variables, *definitions.groupings}:
            add(of, inside)
        for of in ("by", "variable"):
            if isinstance(document.get(of), str):
                add(document[of], inside)
    return named


def _documents(study: Study) -> tuple[Mapping[str, Any], ...]:
    """Give what pages, plan and report remember of analyses."""
    analysis = study.analysis
    return (*analysis.specs, *analysis.views.values(), *study.report.items)


def _texts_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for pair in value.items() for part in pair for text in _texts_in(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in _texts_in(part)]
    return []


def _names_in(variable: Variable) -> list[str]:
    parts = [name for names in variable.merged.values() for name in names]
    reference = [variable.reference] if variable.reference else []
    return [
        *variable.levels, *reference, *variable.codes, *variable.codes.values(), *variable.merged,
        *parts, *variable.colours,
    ]  # fmt: skip


def _counts(cohort: Cohort, key: str) -> tuple[Mapping[str, int], str]:
    """Count the patients of each name of a variable: in the file, coded, and merged.

    The same text may stand for two groups, say a value in the file and a level; the smaller counts.
    """
    levels = levels_of(cohort, key)
    stages = [counts_of(levels.values)]
    grouped = key in cohort.study.definitions.groupings
    variable = cohort.study.definitions.variables.get(key)
    if not grouped and variable is not None and (is_categorical(variable) or variable.cuts):
        raw = counts_of(raw_levels(cohort, key))
        coded: dict[str, int] = {}
        for text, n in raw.items():
            level = variable.codes.get(text, text)
            coded[level] = coded.get(level, 0) + n
        stages += [raw, coded]
    smallest: dict[str, int] = {}
    for stage in stages:
        for name, n in stage.items():
            smallest[name] = min(n, smallest.get(name, n))
    return smallest, levels.label


def without_names(study: Study, names: Iterable[RareName]) -> Withheld:
    """Give a study that does not hold certain names, and what is lost by that.

    Levels lose their stated place, codes and merged levels their entries. A criterion, a grouping
    or a derived variable that names one of them would mean something else without it: it is left
    out, with everything that rests on it.
    """
    rare: dict[str, set[str]] = {}
    for item in names:
        rare.setdefault(item.variable, set()).add(item.name)
    every = {name for those in rare.values() for name in those}
    losses: list[str] = []
    definitions = study.definitions
    gone: set[str] = set()
    variables: dict[str, Variable] = {}
    for key, variable in definitions.variables.items():
        derived = variable.derived
        named = _of_derivation(derived) if derived is not None else {}
        if any(rare.get(of, set()) & {*texts} for of, texts in named.items()):
            gone.add(key)
            losses.append(f"the derived variable “{variable.label}”")
        else:
            variables[key] = _pruned(variable, rare.get(key, set()), losses)
    while resting := {
        key
        for key, variable in variables.items()
        if variable.derived is not None and gone & {*variable.derived.inputs}
    }:
        losses += [
            f"“{variables.pop(key).label}”, which rests on another that is left out"
            for key in sorted(resting)
        ]
        gone |= resting
    groupings: dict[str, Grouping] = {}
    for key, grouping in definitions.groupings.items():
        parts = {part for parts in grouping.groups.values() for part in parts}
        if (
            grouping.variable in gone
            or parts & rare.get(grouping.variable, set())
            or {*grouping.groups, grouping.rest} & rare.get(key, set())
        ):
            gone.add(key)
            losses.append(f"the comparison “{grouping.label}”")
        else:
            groupings[key] = grouping

    def says_one(text: str) -> bool:
        return any(_stands_in(name, text) for name in every)

    def kept(items: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        out = []
        for item in items:
            if gone & {*item.columns} or _names_one(item, rare):
                asked = item.columns or tuple(
                    part.table for part in conditions_of(item) if isinstance(part, HasRow)
                )
                where = ", ".join(f"“{name}”" for name in asked)
                losses.append(f"a criterion on {where}: more patients may be analysed")
            elif item.label and says_one(item.label):
                losses.append(f"the label of a criterion on “{', '.join(item.columns)}”")
                out.append(replace(item, label=""))
            else:
                out.append(item)
        return tuple(out)

    def clean(document: Mapping[str, Any]) -> bool:
        return not (gone | every) & {*_texts_in(document)} and not any(
            map(says_one, _written_in(document))
        )

    def unnamed_question(text: str) -> str:
        for name in sorted(every, key=len, reverse=True):
            text = re.sub(_pattern(name), _NOT_NAMED, text)
        return text

    analysis = study.analysis
    specs = tuple(spec for spec in analysis.specs if clean(spec))
    items = tuple(item for item in study.report.items if clean(item))
    if len(specs) < len(analysis.specs) or len(items) < len(study.report.items):
        losses.append("analyses and report items that name these groups")
    response = definitions.response
    if response is not None and response.variable in gone:
        response = None
        losses.append("the response")
    events = definitions.adverse_events
    if events is not None and rare.get(_EVENTS, set()) & {*events.mapped}:
        mapped = {name: to for name, to in events.mapped.items() if name not in rare[_EVENTS]}
        definitions = replace(definitions, adverse_events=replace(events, mapped=mapped))
        losses.append("CTCAE terms chosen by hand for names of adverse events")
    definitions = _without_meanings(definitions, rare, losses)
    criteria = kept(analysis.criteria)
    unnamed = {reference_of(item) for item in analysis.criteria if item not in criteria}
    named_sets = {name for name in analysis.saved_sets if says_one(name)}
    if named_sets:
        losses.append("saved sets that are named after these groups")
    new = replace(
        study,
        definitions=_with(definitions, variables, groupings, response),
        analysis=replace(
            analysis,
            criteria=criteria,
            filters=kept(analysis.filters),
            saved_sets={
                name: kept(items)
                for name, items in analysis.saved_sets.items()
                if name not in named_sets
            },
            populations={
                key: replace(population.forgetting(unnamed), own=kept(population.own))
                for key, population in analysis.populations.items()
            },
            specs=specs,
            views={name: view for name, view in analysis.views.items() if clean(view)},
            looked_at=tuple(
                replace(one, question=unnamed_question(one.question)) for one in analysis.looked_at
            ),
        ),
        report=replace(study.report, items=items),
    )
    return Withheld(new, tuple(dict.fromkeys(losses)))


def _names_one(criterion: Criterion, rare: Mapping[str, set[str]]) -> bool:
    """Say whether a criterion names one of these names, in whatever part."""
    for part in conditions_of(criterion):
        if isinstance(part, OneOf) and {*_texts(part.values)} & rare.get(part.column, set()):
            return True
        if isinstance(part, HasRow) and any(
            {*_texts(where.values)} & rare.get(_rows_key(part.table, where.column), set())
            for where in _one_of(part)
        ):
            return True
    return False


def _without_meanings(
    definitions: Definitions, rare: Mapping[str, set[str]], losses: list[str]
) -> Definitions:
    """Give definitions that give no meaning to certain values.

    A value of a status, a code and a value that means yes are taken out alone; what would count
    other rows without them is left out whole.
    """

    def withheld(role: str, column: str | None, values: Iterable[Scalar]) -> set[str]:
        named = rare.get(_rows_key(role, column), set()) if column is not None else set()
        return named & {*_texts(values)}

    def kept(values: tuple[Scalar, ...], gone: set[str]) -> tuple[Scalar, ...]:
        return tuple(value for value in values if text_of(value) not in gone)

    def other_rows(
        item: AssessmentDefinition | ExposureDefinition | AdverseEventDefinition,
    ) -> bool:
        return any(withheld(item.table, column, values) for column, values in item.rows.items())

    endpoints = dict(definitions.endpoints)
    for code, endpoint in definitions.endpoints.items():
        events = {
            kind: kept(values, withheld(endpoint.table, endpoint.event, values))
            for kind, values in endpoint.events.items()
        }
        censored = kept(
            endpoint.censored, withheld(endpoint.table, endpoint.event, endpoint.censored)
        )
        if events != endpoint.events or censored != endpoint.censored:
            endpoints[code] = replace(
                endpoint,
                events={kind: values for kind, values in events.items() if values},
                censored=censored,
                events_status=Status.GUESSED,
            )
            losses.append(f"“{endpoint.label}”: what values of its status mean")
    visits = definitions.assessments
    if visits is not None:
        coded = {
            value
            for column in visits.response_columns
            for value in withheld(visits.table, column, visits.codes)
        }
        lesions = {
            value
            for column in visits.new_lesion_columns
            for value in withheld(visits.table, column, visits.new_lesion_values)
        }
        if (
            lesions
            or other_rows(visits)
            or withheld(visits.table, visits.evaluable, visits.evaluable_values)
        ):
            visits = None
            losses.append("the columns of tumour assessments")
        elif coded:
            codes = {value: level for value, level in visits.codes.items() if value not in coded}
            visits = replace(visits, codes=codes)
            losses.append("what values of tumour assessments mean")
    treatment = definitions.exposures
    if treatment is not None and (
        other_rows(treatment)
        or withheld(treatment.table, treatment.ongoing, treatment.ongoing_values)
    ):
        treatment = None
        losses.append("the columns of treatment by row")
    events_by = definitions.adverse_events
    if events_by is not None:
        if other_rows(events_by):
            events_by = None
            losses.append("the columns of adverse events")
        else:
            related = withheld(events_by.table, events_by.related, events_by.related_values)
            serious = withheld(events_by.table, events_by.serious, events_by.serious_values)
            if related or serious:
                events_by = replace(
                    events_by,
                    related_values=kept(events_by.related_values, related),
                    serious_values=kept(events_by.serious_values, serious),
                    status=Status.GUESSED,
                )
                losses.append("which values mean related or serious")
    return replace(
        definitions,
        endpoints=endpoints,
        assessments=visits,
        exposures=treatment,
        adverse_events=events_by,
    )


def _with(
    definitions: Definitions,
    variables: dict[str, Variable],
    groupings: dict[str, Grouping],
    response: Any,
) -> Definitions:
    return replace(definitions, variables=variables, groupings=groupings, response=response)


def _pruned(variable: Variable, names: set[str], losses: list[str]) -> Variable:
    """Give a variable without certain names."""
    if not names & {*_names_in(variable)}:
        return variable
    merged = {
        name: tuple(part for part in parts if part not in names)
        for name, parts in variable.merged.items()
        if name not in names
    }
    merged = {name: parts for name, parts in merged.items() if parts}
    codes = {
        value: level
        for value, level in variable.codes.items()
        if value not in names and level not in names
    }
    lost = [
        what
        for what, changed in (
            ("the reference", variable.reference in names),
            ("merged levels", merged != variable.merged),
            ("names of values", codes != variable.codes),
            ("the place or colour of levels", bool(names & {*variable.levels, *variable.colours})),
        )
        if changed
    ]
    losses.append(f"“{variable.label}”: {', '.join(lost)}")
    return replace(
        variable,
        levels=tuple(level for level in variable.levels if level not in names),
        reference=None if variable.reference in names else variable.reference,
        codes=codes,
        merged=merged,
        colours={name: slot for name, slot in variable.colours.items() if name not in names},
    )
