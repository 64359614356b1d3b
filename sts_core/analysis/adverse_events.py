"""Adverse events by term and grade: each patient once per term, at the worst grade."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.adverse_event_forms import (
    CountedName,
    EventList,
    Events,
    counted_name,
    event_findings,
    event_list,
    term_in,
)
from sts_core.analysis.comparison import (
    Comparison,
    by_words,
    comparison,
    patients,
    patients_listed,
    r_string,
)
from sts_core.analysis.provenance import Provenance, provenance_of, says_subset
from sts_core.cohort import Cohort
from sts_core.display import (
    Cell,
    Column,
    DisplayTable,
    Format,
    counted,
    format_percent,
    joined,
    lower_first,
)
from sts_core.findings import Finding, StudyError, listed
from sts_core.members import CountedText, HadEvent, HasNothingRecorded, Members, of_group
from sts_core.populations import SAFETY, cohort_of
from sts_core.reading.assembly import column_missing
from sts_core.results import ResultRow
from sts_core.study.types import AdverseEventDefinition
from sts_core.terminology.ctcae import VERSION
from sts_core.terminology.grading import GRADES
from sts_core.values import texts

KIND: Final = "adverse_events"
ANY_EVENT = "Any adverse event"
ANY_SERIOUS = "Any serious adverse event"
ANY_RELATED = "Any treatment-related adverse event"
ANY_SERIOUS_RELATED = "Any serious treatment-related adverse event"
TERM_NOT_RECORDED = "Term not recorded"
CLASS_NOT_RECORDED = "Class not recorded"
MOST_IN_SENTENCE = 5


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class AdverseEventSpec:
    """What to count.

    Parameters
    ----------
    by
        Key of a variable or a grouping for columns side by side; everyone together when ``None``.
    levels
        Groups of this comparison, in any order; all when ``None``.
    related_only
        Only events that the treatment caused; all of them where the file doesn't say.
    min_percent
        Terms seen in a smaller share of all patients, in percent, are not listed.
    group_by_class
        Whether terms stand under their system organ class.
    population
        Key of the analysis population; the safety population when ``None``.
    """

    by: str | None = None
    levels: tuple[str, ...] | None = None
    related_only: bool = True
    min_percent: float = 0.0
    group_by_class: bool = False
    population: str | None = None
    kind: Literal["adverse_events"] = KIND

    def __post_init__(self) -> None:
        if not 0 <= self.min_percent <= 100:
            raise ValueError(f"min_percent must lie in [0, 100], but was {self.min_percent}")


@dataclass(frozen=True, slots=True)
class GradeCounts:
    """Patients by the worst known grade of their events.

    Attributes
    ----------
    n
        Patients of the group, with and without events; the denominator.
    n_any
        Patients with an event, of whatever grade.
    by_grade
        Patients whose worst known grade is 1, 2, 3, 4, 5.
    n_grade_missing
        Patients none of whose events has a known grade; with ``by_grade`` they add up to ``n_any``.
    n_events
        Events, not patients.
    """

    n: int
    n_any: int
    by_grade: tuple[int, int, int, int, int]
    n_grade_missing: int
    n_events: int

    @property
    def n_grade_1_2(self) -> int:
        """Patients with grade 1 or 2 at worst."""
        return sum(self.by_grade[:2])

    @property
    def n_grade_3_4(self) -> int:
        """Patients with grade 3 or 4 at worst."""
        return sum(self.by_grade[2:4])

    @property
    def n_grade_5(self) -> int:
        """Patients with a fatal event."""
        return self.by_grade[4]


@dataclass(frozen=True, slots=True)
class AdverseEventLine:
    """One line: any event, a class, or a term.

    Attributes
    ----------
    level
        What the line counts.
    label
        Term or class as the file spells it most often.
    system_organ_class
        Class that the term stands under, when terms are grouped.
    groups, overall
        Counts of each group, in the result's order, and of everyone.
    """

    level: Literal["any", "serious", "class", "term"]
    label: str
    system_organ_class: str | None
    groups: tuple[GradeCounts, ...]
    overall: GradeCounts


@dataclass(frozen=True, slots=True)
class SafetyGroup:
    """A group's name, colour slot and number of patients."""

    label: str
    slot: int | None
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class AdverseEventResult:
    """Adverse events of the patients analysed.

    Attributes
    ----------
    related_only
        Whether only treatment-related events are counted: asked for, and recorded.
    has_grades
        Whether the study names a column of grades; without it no grade is counted.
    overall, groups
        Who was treated; ``groups`` is just ``overall`` without a grouping.
    lines
        Any event first, then any serious one where recorded, then terms by falling frequency, then
        by name; in classes when asked for.
    n_below_threshold
        Terms not listed because of ``min_percent``.
    n_relation_missing
        Events left out because it isn't known whether the treatment caused them.
    n_grade_unusable
        Events counted without a grade because theirs is no grade from 1 to 5.
    n_empty_rows
        Rows with neither term nor grade, which are no events.
    n_denied
        Rows that say that there was no event, one row an event.
    n_silent
        Patients of whom nothing is recorded, in one of the other two forms.
    names
        What each recorded name is counted as, when terms are those of CTCAE.
    """

    spec: AdverseEventSpec
    definition: AdverseEventDefinition
    related_only: bool
    has_grades: bool
    grouped_by_class: bool
    by_label: str | None
    overall: SafetyGroup
    groups: tuple[SafetyGroup, ...]
    all_levels: tuple[str, ...]
    lines: tuple[AdverseEventLine, ...]
    n_below_threshold: int
    n_relation_missing: int
    n_grade_unusable: int
    n_empty_rows: int
    n_denied: int
    n_silent: int
    names: tuple[tuple[str, CountedName], ...]
    n_unknown_group: int
    n_other_groups: int
    findings: tuple[Finding, ...]
    provenance: Provenance
    footnotes: tuple[str, ...]

    @property
    def is_comparison(self) -> bool:
        """Whether there are groups to compare."""
        return self.spec.by is not None

    @property
    def any_event(self) -> AdverseEventLine:
        """The line of any adverse event."""
        return self.lines[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """Events of the patients analysed: who (position in the file), what, how bad (0: not known)."""

    position: np.ndarray
    term: np.ndarray
    organ_class: np.ndarray
    grade: np.ndarray
    serious: np.ndarray
    term_names: tuple[str, ...]
    class_names: tuple[str, ...]


def adverse_events(cohort: Cohort, spec: AdverseEventSpec) -> AdverseEventResult:
    """Count patients with adverse events, among all patients analysed.

    Parameters
    ----------
    cohort
        Patients with their table of events, one row an event. A patient without a row had no
        event and stays in the denominator; rows of patients not analysed do not count.
    spec
        What to count.

    Returns
    -------
    AdverseEventResult
        A patient counts once per term, at the highest known grade; the grade is missing only when
        that of all events of the term is.

    Raises
    ------
    StudyError
        When the study records no adverse events, or a table or column of them isn't there.
    """
    cohort = cohort_of(cohort, spec.population or SAFETY)
    recorded = event_list(cohort)
    definition = recorded.definition
    split = comparison(cohort, spec.by, spec.levels)
    used = split.overall.mask
    mine = recorded.events.where(used[recorded.events.position])
    related_only = spec.related_only and recorded.relation_is_recorded
    n_relation_missing = int(mine.relation_missing.sum()) if related_only else 0
    if related_only:
        mine = mine.where(mine.related)
    mapped = definition.terms == "ctcae"
    names = _names(definition, mine) if mapped else {}
    classes = mapped or definition.system_organ_class is not None
    events = _named(mine, names, classes=classes)
    grouped = spec.group_by_class and classes
    header = (ANY_RELATED, ANY_SERIOUS_RELATED) if related_only else (ANY_EVENT, ANY_SERIOUS)
    serious_recorded = definition.serious is not None and bool(definition.serious_values)
    lines, n_below = _lines(
        events, split, spec, grouped, header if serious_recorded else header[:1]
    )
    result = AdverseEventResult(
        spec=spec,
        definition=definition,
        related_only=related_only,
        has_grades=recorded.has_grades,
        grouped_by_class=grouped,
        by_label=split.by_label,
        overall=SafetyGroup(split.overall.label, split.overall.slot, int(used.sum())),
        groups=tuple(SafetyGroup(g.label, g.slot, int(g.mask.sum())) for g in split.groups),
        all_levels=split.all_levels,
        lines=lines,
        n_below_threshold=n_below,
        n_relation_missing=n_relation_missing,
        n_grade_unusable=int(mine.unreadable.sum()),
        n_empty_rows=int(used[recorded.empty].sum()),
        n_denied=int(used[recorded.denied].sum()),
        n_silent=int((recorded.silent & used).sum()),
        names=tuple(names.items()),
        n_unknown_group=split.n_unknown,
        n_other_groups=split.n_other,
        findings=event_findings(recorded, used, mine),
        provenance=provenance_of(cohort, spec.by),
        footnotes=(),
    )
    return replace(result, footnotes=_footnotes(result, recorded, split))


def patients_with(cohort: Cohort, wanted: HadEvent) -> np.ndarray:
    """Find who had an event, as a line of the table counts them.

    Parameters
    ----------
    cohort
        Patients with their events; those who are not analysed are found as well.
    wanted
        The events that count, and the worst known grade among them.

    Returns
    -------
    ndarray
        Boolean array over the patients of the file.

    Raises
    ------
    StudyError
        As :func:`adverse_events`.
    """
    recorded = event_list(cohort)
    definition = recorded.definition
    # spelling is settled among the events that are counted
    mine = recorded.events.where(cohort.included[recorded.events.position])
    if wanted.related_only:
        mine = mine.where(mine.related)
    names = _names(definition, mine) if definition.terms == "ctcae" else {}
    events = _named(mine, names, classes=wanted.organ_class is not None)
    chosen = np.ones(len(events.position), dtype=bool)
    if wanted.serious_only:
        chosen &= events.serious
    for words, codes, labels in (
        (wanted.term, events.term, events.term_names),
        (wanted.organ_class, events.organ_class, events.class_names),
    ):
        if words is not None:
            chosen &= codes == (labels.index(words) if words in labels else -1)
    position = events.position[chosen]
    found: np.ndarray = np.bincount(position, minlength=cohort.n_in_file) > 0
    if wanted.grades is not None:
        worst = np.zeros(cohort.n_in_file, dtype=np.int64)
        np.maximum.at(worst, position, events.grade[chosen])
        found &= np.isin(worst, wanted.grades)
    return found


def value_counts(cohort: Cohort, role: str, column: str) -> dict[str, int]:
    """Count the rows of a table that hold each value of a column, the most frequent first.

    Missing codes count too: a study may mean "no" or "not related" by one of them.
    """
    table = cohort.tables[role]
    if column not in table.frame.columns:
        raise StudyError(
            column_missing(column, table.frame.columns, file=table.file, sheet=table.sheet)
        )
    found = Counter(text for text in texts(table.column(column)) if text is not None)
    return dict(found.most_common())


def same_term(term: str) -> str:
    """Give what two spellings of a term share: width, case and blanks make no difference."""
    return " ".join(unicodedata.normalize("NFKC", term).casefold().split())


def _names(definition: AdverseEventDefinition, events: Events) -> dict[str, CountedName]:
    """Give what each recorded name is counted as in CTCAE."""
    recorded = dict.fromkeys(text for text in events.term.tolist() if text is not None)
    return {text: counted_name(definition, text) for text in recorded}


def _named(events: Events, names: dict[str, CountedName], *, classes: bool) -> _Events:
    """Give events under the names and classes by which they are counted.

    The class is that of CTCAE where there is one, else the file's own.
    """
    term, organ_class = events.term, events.organ_class
    if names:
        term, organ_class = term.copy(), organ_class.copy()
        for at, text in enumerate(events.term.tolist()):
            found = names[text] if text is not None else None
            if found is not None:
                term[at] = found.name
                if found.term is not None:
                    organ_class[at] = found.term.system_organ_class
    codes, term_names = _coded(term, TERM_NOT_RECORDED)
    class_codes: np.ndarray = np.zeros(events.n, dtype=np.int64)
    class_names: tuple[str, ...] = ()
    if classes:
        class_codes, class_names = _coded(organ_class, CLASS_NOT_RECORDED)
    return _Events(
        events.position, codes, class_codes, events.grade, events.serious, term_names, class_names
    )


def _coded(words: np.ndarray, missing: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Give words a number whatever their spelling, and the most frequent spelling of each."""
    key_of = {word: "" if word is None else same_term(word) for word in dict.fromkeys(words)}
    keys = [key_of[word] for word in words]
    spelled: dict[str, Counter[str]] = {key: Counter() for key in keys}
    for word, count in Counter(words).items():
        spelled[key_of[word]][missing if word is None else word] += count
    number = {key: at for at, key in enumerate(spelled)}
    names = tuple(counter.most_common(1)[0][0] for counter in spelled.values())
    return np.array([number[key] for key in keys], dtype=np.int64), names


def _counts(
    events: _Events, chosen: np.ndarray, masks: Sequence[np.ndarray]
) -> tuple[GradeCounts, ...]:
    """Count patients by worst known grade among some events, for each group of patients."""
    position = events.position[chosen]
    n_patients = len(masks[0])
    n_events = np.bincount(position, minlength=n_patients)
    worst = np.zeros(n_patients, dtype=np.int64)
    np.maximum.at(worst, position, events.grade[chosen])
    out = []
    for mask in masks:
        affected = mask & (n_events > 0)
        grades = np.bincount(worst[affected], minlength=6)
        one, two, three, four, five = (int(count) for count in grades[1:6])
        out.append(
            GradeCounts(
                n=int(mask.sum()),
                n_any=int(affected.sum()),
                by_grade=(one, two, three, four, five),
                n_grade_missing=int(grades[0]),
                n_events=int(n_events[mask].sum()),
            )
        )
    return tuple(out)


def _lines(
    events: _Events,
    split: Comparison,
    spec: AdverseEventSpec,
    grouped: bool,
    header: tuple[str, ...],
) -> tuple[tuple[AdverseEventLine, ...], int]:
    """Give all lines in order, and how many terms the threshold hides."""
    masks = [split.overall.mask, *(group.mask for group in split.groups)]
    n = int(split.overall.mask.sum())

    def line(
        level: Literal["any", "serious", "class", "term"],
        label: str,
        chosen: np.ndarray,
        organ_class: str | None = None,
    ) -> AdverseEventLine:
        overall, *groups = _counts(events, chosen, masks)
        return AdverseEventLine(level, label, organ_class, tuple(groups), overall)

    def in_order(lines: list[AdverseEventLine]) -> list[AdverseEventLine]:
        return sorted(lines, key=lambda item: (-item.overall.n_any, same_term(item.label)))

    hidden = 0

    def terms(among: np.ndarray, organ_class: str | None) -> list[AdverseEventLine]:
        nonlocal hidden
        order = among[np.argsort(events.term[among], kind="stable")]
        codes, starts = np.unique(events.term[order], return_index=True)
        found = [
            line("term", events.term_names[code], chosen, organ_class)
            for code, chosen in zip(codes, np.split(order, starts[1:]), strict=False)
        ]
        often = [item for item in found if 100 * item.overall.n_any >= spec.min_percent * n]
        hidden += len(found) - len(often)
        return in_order(often)

    everything = np.arange(len(events.position))
    out = [line("any", header[0], everything)]
    out += [line("serious", label, np.flatnonzero(events.serious)) for label in header[1:]]
    if not grouped:
        return (*out, *terms(everything, None)), hidden
    classes = [
        line("class", name, np.flatnonzero(events.organ_class == code))
        for code, name in enumerate(events.class_names)
    ]
    code_of = {name: code for code, name in enumerate(events.class_names)}
    for item in in_order(classes):
        inside = terms(np.flatnonzero(events.organ_class == code_of[item.label]), item.label)
        if inside:
            out += [item, *inside]
    return tuple(out), hidden


# --- table ---------------------------------------------------------------------------------------


def adverse_event_table(result: AdverseEventResult) -> DisplayTable:
    """Give a row a term with patients of any grade, grade 3-4 and grade 5, each with its share."""
    shown = [*enumerate(result.groups)] if result.is_comparison else []
    blocks: list[tuple[str, str, int | None]] = [
        (f"g{at}_", f"{group.label} (N = {group.n})", at) for at, group in shown
    ]
    blocks.append(("", f"{result.overall.label} (N = {result.overall.n})", None))
    columns = [Column("term", "Adverse event")]
    grades = _grade_columns(result)
    for prefix, name, _ in blocks:
        for key, label in grades:
            spanner = f"{name}: {label}" if result.is_comparison else label
            columns.append(Column(f"{prefix}{key}", "n", Format.INTEGER, spanner=spanner))
            columns.append(Column(f"{prefix}{key}_share", "%", Format.PERCENT, spanner=spanner))
    rows = []
    members: dict[tuple[int, str], Members] = {}
    for place, line in enumerate(result.lines):
        row: dict[str, Cell] = {
            "term": line.label,
            "_indent": 1 if line.system_organ_class is not None else 0,
        }
        for prefix, _, at in blocks:
            counts = line.overall if at is None else line.groups[at]
            for key, _ in grades:
                count = int(getattr(counts, key))
                row[f"{prefix}{key}"] = count
                row[f"{prefix}{key}_share"] = count / counts.n if counts.n else None
                members[place, f"{prefix}{key}"] = line_members(
                    result, line, grades=_WORST_GRADES[key], group=at
                )
        rows.append(row)
    table = DisplayTable(_title(result), tuple(columns), tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


_WORST_GRADES: dict[str, tuple[int, ...] | None] = {
    "n_any": None, "n_grade_3_4": (3, 4), "n_grade_5": (5,), "n_grade_missing": (0,),
}  # fmt: skip


def line_members(
    result: AdverseEventResult,
    line: AdverseEventLine,
    *,
    grades: tuple[int, ...] | None = None,
    group: int | None = None,
) -> Members:
    """Describe the patients of a line, of some worst grades and of one group or of all."""
    groups = result.groups if group is None else result.groups[group : group + 1]
    among = of_group(
        result.spec.by,
        tuple(one.label for one in groups),
        population=result.spec.population or SAFETY,
    )
    return among.and_also(
        HadEvent(
            line.label,
            related_only=result.related_only,
            serious_only=line.level == "serious",
            term=line.label if line.level == "term" else None,
            organ_class=line.label if line.level == "class" else line.system_organ_class,
            grades=grades,
        )
    )


def _grade_columns(result: AdverseEventResult) -> tuple[tuple[str, str], ...]:
    columns = [("n_any", "Any grade")]
    if result.has_grades:
        columns += [("n_grade_3_4", "Grade 3-4"), ("n_grade_5", "Grade 5")]
        if any(line.overall.n_grade_missing for line in result.lines):
            columns.append(("n_grade_missing", "Grade not known"))
    return tuple(columns)


def _title(result: AdverseEventResult) -> str:
    kind = "Treatment-related adverse events" if result.related_only else "Adverse events"
    return kind + by_words(result.by_label)


# --- words ---------------------------------------------------------------------------------------


def _footnotes(
    result: AdverseEventResult, recorded: EventList, split: Comparison
) -> tuple[str, ...]:
    spec, definition = result.spec, result.definition
    notes: list[str] = [
        CountedText.of(
            "Shares are of all ",
            patients_listed(result.overall.n, _everyone(result)),
            " analysed, those without an adverse event included. Each patient counts once per term",
            ", at the worst known grade; grade 3-4 leaves out patients whose worst grade is 5."
            if result.has_grades
            else "; grades are not recorded.",
        )
    ]
    if result.related_only:
        values = joined([f"“{value}”" for value in definition.related_values], "or")
        notes.append(f"Treatment-related events only (“{definition.related}” is {values}).")
    elif spec.related_only:
        notes.append("Relation to treatment is not recorded: all adverse events are counted.")
    else:
        notes.append("All adverse events, whatever their cause.")
    if result.n_relation_missing:
        notes.append(
            f"{_events(result.n_relation_missing)} not counted: relation to treatment not known."
        )
    if definition.version and not result.names:
        notes.append(f"Terms and grades: {definition.version}.")
    notes += _name_notes(result)
    notes += _form_notes(result, recorded)
    if result.n_grade_unusable:
        notes.append(
            f"{_events(result.n_grade_unusable)} counted without a grade: not a grade from 1 to 5."
        )
    if spec.min_percent > 0:
        notes.append(
            f"Terms seen in at least {spec.min_percent:g}% of all patients; "
            f"{result.n_below_threshold} rarer ones are not listed, but counted under "
            f"{lower_first(result.any_event.label)}."
        )
    if spec.group_by_class and not result.grouped_by_class:
        notes.append("System organ classes are not recorded.")
    elif result.grouped_by_class:
        notes.append("A patient counts once per class, too.")
    if result.n_empty_rows:
        notes.append(f"{result.n_empty_rows} rows with neither term nor grade are no events.")
    if result.n_denied:
        notes.append(f"{counted(result.n_denied, 'row')} say that there was no event.")
    notes += split.footnotes(spec.population or SAFETY)
    notes += result.provenance.footnotes
    return tuple(notes)


def _name_notes(result: AdverseEventResult) -> list[str]:
    """Say how terms of CTCAE came about, and which names have none."""
    if result.definition.terms != "ctcae":
        return []
    graded = (
        f" Grades as recorded ({result.definition.version})." if result.definition.version else ""
    )
    by_key: dict[str, CountedName] = {same_term(text): name for text, name in result.names}
    kept = {same_term(text): text for text, name in result.names if name.term is None}
    text = (
        f"Terms and classes: {VERSION}; {len(by_key) - len(kept)} of {len(by_key)} recorded names "
        "were mapped to it."
    )
    if kept:
        text += f" Counted by the name of the file: {listed([*kept.values()])}."
    return [text + graded]


def _form_notes(result: AdverseEventResult, recorded: EventList) -> list[str]:
    """Say what follows from a form other than one row an event."""
    if result.definition.form == "long":
        return []
    n = len(recorded.columns)
    if result.definition.form == "wide":
        columns = (
            f"{n} columns, one for each term" if n > 1 else f"the column “{recorded.columns[0]}”"
        )
        text = f"Read from {columns}: several events of a term in one cell can't be told apart."
    else:
        named = listed([f"“{name}”" for name in recorded.columns])
        text = f"Read from the text of {named}, where a cell names several events."
    text += " A blank cell counts as no event"
    if not result.n_silent:
        return [f"{text}."]
    silent = _everyone(result).and_also(HasNothingRecorded())
    return [
        CountedText.of(
            f"{text}; nothing at all is recorded of ",
            patients_listed(result.n_silent, silent),
            ".",
        )
    ]


def _everyone(result: AdverseEventResult) -> Members:
    """Describe the patients of all groups that are compared."""
    return of_group(
        result.spec.by,
        tuple(group.label for group in result.groups),
        population=result.spec.population or SAFETY,
    )


def _events(n: int) -> str:
    return counted(n, "event")


def methods_sentence(result: AdverseEventResult) -> str:
    """Say how it was done, for the methods section."""
    definition = result.definition
    kind = "Treatment-related adverse events" if result.related_only else "Adverse events"
    mapped = definition.terms == "ctcae"
    version = f"terms mapped to {VERSION}" if mapped else definition.version
    graded = f" ({version})" if version else ""
    worst = ", at the worst grade" if result.has_grades else ""
    return (
        f"{kind}{graded} were counted once per patient and term{worst}, as shares of all patients "
        "analysed."
    )


@says_subset
def result_sentences(result: AdverseEventResult) -> tuple[str, ...]:
    """Say what was found, without causal words; right when there is no event."""
    kind = "treatment-related adverse event" if result.related_only else "adverse event"
    out = []
    n = result.overall.n
    counts = result.any_event.overall
    if n == 0:
        return ("There are no patients.",)
    if counts.n_any == 0:
        return (f"No {kind} was recorded in {patients(n)}.",)
    text = f"{counts.n_any} of {patients(n)} ({_share(counts.n_any, n)}) had at least one {kind}"
    if result.has_grades:
        severe, fatal = counts.n_grade_3_4, counts.n_grade_5
        text += f", {severe} ({_share(severe, n)}) at worst of grade 3-4"
        text += f" and {fatal} ({_share(fatal, n)}) of grade 5" if fatal else ", none of grade 5"
        if counts.n_grade_missing:
            text += f"; no grade is known for {patients(counts.n_grade_missing)}"
    out.append(f"{text}.")
    terms = [line for line in result.lines if line.level == "term"]
    often = sorted(terms, key=lambda line: -line.overall.n_any)[:MOST_IN_SENTENCE]
    if often:
        said = joined(
            [
                f"{line.label} ({line.overall.n_any}, {_share(line.overall.n_any, n)})"
                for line in often
            ]
        )
        out.append(f"The most frequent: {said}.")
    if result.is_comparison:
        out += [
            f"In {group.label}: {result.any_event.groups[at].n_any} of {patients(group.n)} "
            f"({_share(result.any_event.groups[at].n_any, group.n)})."
            if group.n
            else f"In {group.label}, there are no patients."
            for at, group in enumerate(result.groups)
        ]
    return tuple(out)


def _share(count: int, total: int) -> str:
    return f"{format_percent(count / total)}%"


# --- rows and R ----------------------------------------------------------------------------------


def result_rows(result: AdverseEventResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row; ``term`` is the event, ``level`` the kind of line."""
    base = replace(result.provenance.row(KIND), group_var=result.spec.by)
    method = "treatment-related" if result.related_only else "all"
    rows: list[ResultRow] = []
    shown: list[tuple[str | None, int | None]] = [(None, None)]
    if result.is_comparison:
        shown = [*((group.label, at) for at, group in enumerate(result.groups)), *shown]
    for line in result.lines:
        for label, at in shown:
            counts = line.overall if at is None else line.groups[at]
            mine = replace(
                base, group=label, term=line.label, level=line.level, n=counts.n,
                denominator=counts.n, method=method, r="yes",
            )  # fmt: skip
            rows.append(replace(mine, statistic="patients_any_grade", value=float(counts.n_any)))
            rows.append(
                replace(mine, statistic="events", value=float(counts.n_events), denominator=None)
            )
            if not result.has_grades:
                continue
            rows += [
                replace(mine, statistic=f"patients_grade_{grade}", value=float(count))
                for grade, count in zip(GRADES, counts.by_grade, strict=True)
            ]
            rows.append(
                replace(mine, statistic="patients_grade_3_4", value=float(counts.n_grade_3_4))
            )
            rows.append(
                replace(
                    mine,
                    statistic="patients_grade_missing",
                    value=float(counts.n_grade_missing),
                )
            )
    rows.append(replace(base, statistic="n", value=float(result.overall.n), r="yes"))
    rows.append(replace(base, statistic="terms_not_listed", value=float(result.n_below_threshold)))
    return tuple(rows)


def r_code(result: AdverseEventResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``ae`` with one row a counted event: ``subject``, ``term`` as
    recorded, ``grade`` (NA where not known); and ``n``, the number of patients analysed. From the
    other two forms such a list has to be made first, which the code says; names that are counted
    as a term of CTCAE are changed by the code.
    """
    comment = r_string(_title(result))
    return "\n".join(
        [
            f"# {comment}",
            *_r_form(result),
            f"stopifnot(n == {result.overall.n})",
            *_r_names(result),
            "worst <- function(grade) if (all(is.na(grade))) NA else max(grade, na.rm = TRUE)",
            "row <- function(events) {",
            "  grade <- tapply(events$grade, events$subject, worst)",
            "  c(any = length(grade), grade_3_4 = sum(grade %in% 3:4),",
            "    grade_5 = sum(grade %in% 5), not_known = sum(is.na(grade)))",
            "}",
            "counts <- rbind(any = row(ae), t(sapply(split(ae, tolower(ae$term)), row)))",
            "print(counts)",
            "print(round(100 * counts / n, 1))",
            "",
        ]
    )


def _r_form(result: AdverseEventResult) -> list[str]:
    """Say how the list of events comes from one column a term, or from cells with several."""
    definition = result.definition
    if definition.form == "long":
        return []
    columns = ", ".join(r_string(name) for name in definition.columns)
    names = ", ".join(r_string(term_in(name)) for name in definition.columns)
    if definition.form == "cells":
        return [
            "# ae: one row an event, from the text of the columns",
            f"# c({columns})",
            "# How a cell is read has no counterpart here: export the list, or write it by hand.",
        ]
    return [
        "# ae from a data frame d with one row a patient and one column a term, its cells numbers:",
        f"# columns <- c({columns})",
        "# ae <- data.frame(subject = rep(d$subject, length(columns)),",
        f"#   term = rep(c({names}), each = nrow(d)), grade = unlist(d[columns]))",
        "# ae <- ae[!is.na(ae$grade) & ae$grade > 0, ]"
        if definition.numbers == "grades"
        else "# ae <- transform(ae[!is.na(ae$grade) & ae$grade > 0, ], grade = NA)",
    ]


def _r_names(result: AdverseEventResult) -> list[str]:
    """Change recorded names to the terms by which they are counted."""
    changed = {
        text.lower(): name.name
        for text, name in result.names
        if name.term is not None and text.lower() != name.name.lower()
    }
    if not changed:
        return []
    pairs = [f"  {r_string(old)} = {r_string(new)}" for old, new in sorted(changed.items())]
    return [
        "name <- c(",
        ",\n".join(pairs),
        ")",
        "known <- tolower(ae$term) %in% names(name)",
        "ae$term[known] <- name[tolower(ae$term[known])]",
    ]
