"""Who is analysed: ordered criteria and filters, and a flow that adds up.

Conditions are decided in three-valued logic (Kleene): a compound is unknown where its known parts
leave it open. What then becomes of the patient is said once, of the whole criterion.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce

import numpy as np

from sts_core.cohort import Cohort, FlowDiagram, FlowStep
from sts_core.derive import dates_of, levels_of, numbers_of, variable_of
from sts_core.reading.vocabulary import vocabulary, words_of
from sts_core.study.types import (
    AdverseEventDefinition,
    AllOf,
    AnyOf,
    AssessmentDefinition,
    Between,
    Condition,
    Criterion,
    DaysBetween,
    ExposureDefinition,
    HasRow,
    IsKnown,
    Measured,
    OneOf,
    Population,
    RowCondition,
    Scalar,
    Study,
    VariableKind,
    conditions_of,
)
from sts_core.table_rows import TableRows
from sts_core.values import text_of

_ONE_DAY = np.timedelta64(1, "D")
#: What a criterion on what happened after time zero does to results.
LATE_EFFECT = (
    "removes early progressions, deaths and toxicity, so that results look better than in all "
    "treated patients"
)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Whether a condition holds, in three values.

    Attributes
    ----------
    met
        It holds; boolean array (n,), false where unknown.
    unknown
        It can't be decided; boolean array (n,).
    """

    met: np.ndarray
    unknown: np.ndarray

    def __invert__(self) -> Truth:
        """Give the opposite; unknown stays unknown."""
        return Truth(~self.met & ~self.unknown, self.unknown)

    def __and__(self, other: Truth) -> Truth:
        """Give whether both hold: one that fails settles it, whatever the other."""
        met = self.met & other.met
        open_ = (self.met | self.unknown) & (other.met | other.unknown)
        return Truth(met, open_ & ~met)

    def __or__(self, other: Truth) -> Truth:
        """Give whether one holds: one that does settles it, whatever the other."""
        met = self.met | other.met
        return Truth(met, (self.unknown | other.unknown) & ~met)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a criterion says of every subject in the file.

    Attributes
    ----------
    leaves
        Would be removed by it, boolean array (n,); includes those only removed for a missing value.
    unknown
        It can't be decided, boolean array (n,).
    for_missing
        Leaves, but would stay if missing values were known and right; boolean array (n,).
    met
        Its condition holds, whatever becomes of the patient; boolean array (n,).
    """

    leaves: np.ndarray
    unknown: np.ndarray
    for_missing: np.ndarray
    met: np.ndarray


def evaluate(cohort: Cohort, criterion: Criterion) -> Outcome:
    """Say of every subject of the file whether a criterion removes it.

    Raises
    ------
    StudyError
        When its column or table isn't there.
    ValueError
        When a bound of a date is no ISO date.
    """
    return cohort.kept(("criterion", repr(criterion)), lambda: _evaluated(cohort, criterion))


def _evaluated(cohort: Cohort, criterion: Criterion) -> Outcome:
    truth, open_ = _truth(cohort, criterion), _truth(cohort, criterion, lenient=True)
    stays = ~truth if criterion.excludes else truth
    if isinstance(criterion, IsKnown):
        leaves = ~stays.met
    elif criterion.missing == "only":
        leaves = ~truth.unknown
    else:
        leaves = ~stays.met & ~truth.unknown
        if criterion.missing == "drop":
            leaves = leaves | truth.unknown
    for_missing = leaves & open_.unknown
    return Outcome(leaves, truth.unknown, for_missing, truth.met)


def _truth(cohort: Cohort, criterion: Criterion, *, lenient: bool = False) -> Truth:
    """Decide a condition.

    With ``lenient``, whether a value is known counts as unknown where it is missing: so are those
    found who would be judged otherwise if nothing were missing.
    """
    match criterion:
        case AllOf():
            return reduce(Truth.__and__, _parts(cohort, criterion.parts, lenient))
        case AnyOf():
            return reduce(Truth.__or__, _parts(cohort, criterion.parts, lenient))
        case HasRow():
            return _rows(cohort, criterion, lenient)
        case Between():
            return _within(cohort, criterion)
        case DaysBetween():
            return _days_between(cohort, criterion)
    values = levels_of(cohort, criterion.column).values
    unknown = np.array([value is None for value in values], dtype=bool)
    if isinstance(criterion, IsKnown):
        return _known(unknown, lenient)
    wanted = _texts(criterion.values)
    return Truth(np.array([value in wanted for value in values], dtype=bool) & ~unknown, unknown)


def _parts(cohort: Cohort, parts: Sequence[Criterion], lenient: bool) -> list[Truth]:
    found = [(part, _truth(cohort, part, lenient=lenient)) for part in parts]
    return [~truth if part.excludes else truth for part, truth in found]


def _known(missing: np.ndarray, lenient: bool) -> Truth:
    return Truth(~missing, missing if lenient else np.zeros_like(missing))


def _texts(values: Sequence[Scalar]) -> set[str]:
    return {text for text in map(text_of, values) if text is not None}


def _in_range(values: np.ndarray, known: np.ndarray, criterion: Between) -> Truth:
    met = known.copy()
    is_date = np.issubdtype(values.dtype, np.datetime64)
    with np.errstate(invalid="ignore"):
        for bound, compare in (
            (criterion.low, np.greater_equal),
            (criterion.high, np.less_equal),
        ):
            if bound is not None:
                met &= compare(values, _day(bound) if is_date else float(bound))
    return Truth(met, ~known)


def _day(bound: float | str) -> np.datetime64:
    return np.datetime64(dt.date.fromisoformat(str(bound)), "D")


def _asks_dates(criterion: Between) -> bool:
    return isinstance(criterion.low, str) or isinstance(criterion.high, str)


def _within(cohort: Cohort, criterion: Between) -> Truth:
    is_date = variable_of(cohort, criterion.column).kind is VariableKind.DATE
    if is_date or _asks_dates(criterion):
        read = dates_of(cohort, criterion.column)
    else:
        read = numbers_of(cohort, criterion.column)
    return _in_range(read.values, ~(read.missing | read.unreadable), criterion)


def _in_window(days: np.ndarray, low: int | None, high: int | None) -> Truth:
    """Say whether days lie in a window; unknown where they are NaN."""
    known = ~np.isnan(days)
    met = known.copy()
    with np.errstate(invalid="ignore"):
        if low is not None:
            met &= days >= low
        if high is not None:
            met &= days <= high
    return Truth(met, ~known)


def _days(end: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Give whole days from one date to another; NaN where one is not known."""
    days: np.ndarray = (end - start) / _ONE_DAY
    return days


def days_between(cohort: Cohort, criterion: DaysBetween) -> np.ndarray:
    """Give the days between the two dates, one a subject in file order; NaN where not known."""
    return _days(
        dates_of(cohort, criterion.column).values, dates_of(cohort, criterion.since).values
    )


def _days_between(cohort: Cohort, criterion: DaysBetween) -> Truth:
    return _in_window(days_between(cohort, criterion), criterion.low, criterion.high)


@dataclass(frozen=True, slots=True, eq=False)
class RowCounts:
    """Rows of a table that meet the conditions of a :class:`HasRow`, by subject in file order.

    Attributes
    ----------
    sure
        Rows that do, integer array (n,).
    possible
        Rows that do or can't be decided, integer array (n,).
    """

    sure: np.ndarray
    possible: np.ndarray


def row_counts(cohort: Cohort, criterion: HasRow, *, lenient: bool = False) -> RowCounts:
    """Count the rows that meet the conditions of a criterion on another table.

    Parameters
    ----------
    cohort
        Patients; rows of all patients of the file are counted.
    criterion
        Table, conditions and days. Only rows that the study's definition of that table counts.
    lenient
        Whether a missing value counts as "can't be decided" also where it is asked whether it is
        known.

    Raises
    ------
    StudyError
        When the table or a column isn't there.
    """
    definition = definition_of(cohort.study, criterion.table)
    rows = TableRows(
        cohort,
        criterion.table,
        columns=criterion.table_columns,
        rows={} if definition is None else definition.rows,
        first_day=getattr(definition, "first_day", 1),
    )
    truth = Truth(np.ones(rows.n, dtype=bool), np.zeros(rows.n, dtype=bool))
    codes = getattr(definition, "codes", {})
    for part in criterion.where:
        found = _row_truth(rows, part, codes, lenient)
        truth &= ~found if part.excludes else found
    if criterion.study_day is not None:
        _, days = rows.when(criterion.study_day, "day")
        truth &= _in_window(days, criterion.low, criterion.high)
    elif criterion.date is not None and criterion.origin is not None:
        dates, _ = rows.when(criterion.date, "date")
        origin = dates_of(cohort, criterion.origin).values[rows.position]
        truth &= _in_window(_days(dates, origin), criterion.low, criterion.high)
    n = len(cohort.subjects)
    return RowCounts(
        np.bincount(rows.position[truth.met], minlength=n),
        np.bincount(rows.position[truth.met | truth.unknown], minlength=n),
    )


def definition_of(
    study: Study, role: str
) -> AssessmentDefinition | ExposureDefinition | AdverseEventDefinition | None:
    """Give how the study defines a table with several rows a patient; ``None`` if it doesn't."""
    definitions = study.definitions
    known = (definitions.assessments, definitions.exposures, definitions.adverse_events)
    return next((item for item in known if item is not None and item.table == role), None)


def _row_truth(rows: TableRows, part: RowCondition, codes: dict[str, str], lenient: bool) -> Truth:
    if isinstance(part, Between):
        if _asks_dates(part):
            dates, _ = rows.when(part.column, "date")
            return _in_range(dates, ~np.isnat(dates), part)
        numbers = rows.number(part.column)
        return _in_range(numbers, ~np.isnan(numbers), part)
    wanted = _texts(part.values) if isinstance(part, OneOf) else set()
    texts = rows.text(part.column, keep=wanted)
    missing = np.array([text is None for text in texts], dtype=bool)
    if isinstance(part, IsKnown):
        return _known(missing, lenient)
    met = [text in wanted or codes.get(text) in wanted for text in texts]
    return Truth(np.array(met, dtype=bool) & ~missing, missing)


def _rows(cohort: Cohort, criterion: HasRow, lenient: bool) -> Truth:
    counts = row_counts(cohort, criterion, lenient=lenient)
    met = counts.sure >= criterion.at_least
    return Truth(met, (counts.possible >= criterion.at_least) & ~met)


# --- when it is known ----------------------------------------------------------------------------


def time_zero(study: Study) -> str | None:
    """Give the column of time zero: the start of the first endpoint from dates, if any."""
    endpoints = study.definitions.endpoints.values()
    return next((endpoint.start for endpoint in endpoints if endpoint.start is not None), None)


def known_after_time_zero(cohort: Cohort, criterion: Criterion) -> bool:
    """Say whether a criterion asks for what happened after time zero, as far as can be seen.

    That is: a variable known only afterwards, a column with a usual name of such, a time, status,
    event or last contact of an endpoint, the response, or rows of assessments, adverse events or
    treatment that are not asked for up to the day of time zero only. That there was any treatment
    at all is known at time zero.
    """
    later = _later_columns(cohort.study)
    return any(_is_later(cohort, part, later) for part in conditions_of(criterion))


def _is_later(cohort: Cohort, part: Condition, later: set[str]) -> bool:
    if isinstance(part, HasRow):
        if part.high is not None and part.high <= 0:
            return False
        definition = definition_of(cohort.study, part.table)
        treated = definition is not None and definition is cohort.study.definitions.exposures
        if (treated or part.table == "exposures") and part.at_least == 1 and not part.where:
            return False
        return definition is not None or part.table in (
            "assessments", "lesions", "exposures", "adverse_events", "time_to_event",
        )  # fmt: skip
    variables = cohort.study.definitions.variables
    groupings = cohort.study.definitions.groupings
    for name in part.columns:
        key = groupings[name].variable if name in groupings else name
        variable = variables.get(key)
        if variable is not None and variable.measured is Measured.POST_BASELINE:
            return True
        if key in later or (variable is not None and (variable.column or key) in later):
            return True
        if variable is None and _named_as_later(key):
            return True
    return False


def _named_as_later(column: str) -> bool:
    """Say whether the header of a column that is no variable speaks of what comes afterwards."""
    words, known = words_of(column), vocabulary()
    date = known.dates.match(words)
    if date is not None and known.date_use[date.concept] in ("event", "contact", "post_baseline"):
        return True
    concept = known.variables.match(words)
    measured = "" if concept is None else known.variable_concepts[concept.concept].measured
    return measured == Measured.POST_BASELINE.value


def _later_columns(study: Study) -> set[str]:
    """Give the columns of the patient table that endpoints and response are read from."""
    definitions = study.definitions
    found: set[str | None] = set()
    for endpoint in definitions.endpoints.values():
        if endpoint.table == "subjects":
            found |= {endpoint.time, endpoint.event, endpoint.new_therapy}
            found |= {*endpoint.event_dates.values(), *endpoint.last_contact}
    if definitions.response is not None:
        found.add(definitions.response.variable)
    return {name for name in found if name is not None}


# --- in words ------------------------------------------------------------------------------------


def describe(cohort: Cohort, criterion: Criterion) -> str:
    """Give a criterion as a plain phrase; its own label when it has one."""
    if criterion.label:
        return criterion.label
    return _described(criterion, partial(name_of, cohort))


def reference_of(criterion: Criterion) -> str:
    """Give the name by which a population speaks of a criterion: its label, or what it asks for.

    It depends on nothing but the criterion, so that it holds for any file.
    """
    return criterion.label or _described(criterion, str)


def _described(criterion: Criterion, named: Callable[[str], str]) -> str:
    phrase = _phrase(replace(criterion, excludes=False), named)
    return f"Excluded: {phrase}" if criterion.excludes else phrase


def name_of(cohort: Cohort, key: str) -> str:
    """Give the name of a grouping, a variable or a column of the patient table."""
    grouping = cohort.study.definitions.groupings.get(key)
    if grouping is not None:
        return grouping.label
    variables = cohort.study.definitions.variables
    if key not in variables:
        for variable in variables.values():
            if variable.column == key and variable.table == "subjects" and not variable.cuts:
                return variable.label
    return variable_of(cohort, key).label


def _phrase(criterion: Criterion, named: Callable[[str], str]) -> str:
    match criterion:
        case AllOf():
            return _joined(criterion.parts, named, " and ")
        case AnyOf():
            return _joined(criterion.parts, named, " or ")
        case HasRow():
            return _row_phrase(criterion, named)
        case DaysBetween():
            since = named(criterion.since)
            window = _window_phrase(criterion.low, criterion.high, since)
            return f"{named(criterion.column)} {_negated(criterion)}{window}"
        case _:
            return _value_phrase(criterion, named(criterion.column))


def _negated(criterion: Criterion) -> str:
    return "not " if criterion.excludes else ""


def _value_phrase(criterion: RowCondition, name: str) -> str:
    no = _negated(criterion)
    match criterion:
        case OneOf():
            values = " or ".join(str(text_of(value)) for value in criterion.values) or "nothing"
            return f"{name} is {no}{values}"
        case Between(low=None, high=high):
            return f"{name} {no}at most {_bound(high)}"
        case Between(low=low, high=None):
            return f"{name} {no}at least {_bound(low)}"
        case Between(low=low, high=high):
            return f"{name} {no}{_bound(low)} to {_bound(high)}"
        case _:
            return f"{name} is {no}known"


def _joined(parts: Sequence[Criterion], named: Callable[[str], str], word: str) -> str:
    phrases = [_phrase(part, named) for part in parts]
    return word.join(
        f"({phrase})" if " or " in phrase or " and " in phrase else phrase for phrase in phrases
    )


def _row_phrase(criterion: HasRow, named: Callable[[str], str]) -> str:
    table = criterion.table.replace("_", " ")
    n = criterion.at_least
    count = "at least one row" if n == 1 else f"at least {n} rows"
    if criterion.excludes:
        count = "no row" if n == 1 else f"fewer than {n} rows"
    text = f"{count[:1].upper()}{count[1:]} in {table}"
    if criterion.where:
        text += (
            f" with {' and '.join(_value_phrase(part, part.column) for part in criterion.where)}"
        )
    if criterion.low is not None or criterion.high is not None:
        origin = "time zero" if criterion.origin is None else named(criterion.origin)
        text += f", {_window_phrase(criterion.low, criterion.high, origin)}"
    return text


def _window_phrase(low: int | None, high: int | None, since: str) -> str:
    """Say a window of days in words: "within 28 days before first dose"."""
    match (low, high):
        case (0, 0):
            return f"on {since}"
        case (0, None):
            return f"on or after {since}"
        case (None, 0):
            return f"on or before {since}"
        case (1, None):
            return f"after {since}"
        case (None, -1):
            return f"before {since}"
        case (0, int(high)):
            return f"within {_count(high)} after {since}"
        case (int(low), 0):
            return f"within {_count(-low)} before {since}"
        case (int(low), int(high)) if low == -high:
            return f"within {_count(high)} of {since}"
        case (int(low), None):
            return (
                f"at least {_count(low)} after {since}"
                if low > 0
                else (f"at most {_count(-low)} before {since}, or later")
            )
        case (None, int(high)):
            return (
                f"at most {_count(high)} after {since}"
                if high > 0
                else (f"at least {_count(-high)} before {since}")
            )
    return f"{low} to {high} days after {since}"


def _count(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"


def _bound(value: float | str | None) -> str:
    return str(text_of(value))


def names_of_no_criterion(study: Study, population: Population) -> tuple[str, ...]:
    """Give the names of single criteria that a population speaks of and the study lacks."""
    known = {reference_of(item) for item in study.analysis.criteria}
    return tuple(name for name in (*population.without, *population.also) if name not in known)


# --- the flow ------------------------------------------------------------------------------------


def step_of(
    cohort: Cohort, criterion: Criterion, left: np.ndarray, *, exploratory: bool = False
) -> FlowStep:
    """Say what a criterion removes of those who are left.

    Parameters
    ----------
    cohort
        Everybody in the file.
    criterion
        Taken as switched on.
    left
        Who is there before it, boolean array (n,).
    exploratory
        Whether it is a filter.
    """
    outcome = evaluate(cohort, criterion)
    gone = left & outcome.leaves
    kept_unknown = left & outcome.unknown & ~outcome.leaves
    before = int(left.sum())
    return FlowStep(
        label=describe(cohort, criterion),
        n_before=before,
        n_excluded=int(gone.sum()),
        n_missing_excluded=int((gone & outcome.for_missing).sum()),
        n_not_verifiable=0 if criterion.missing == "only" else int(kept_unknown.sum()),
        n_after=before - int(gone.sum()),
        subjects=tuple(cohort.subjects[gone]),
        after_time_zero=criterion.after_time_zero,
        exploratory=exploratory,
        subjects_missing=tuple(cohort.subjects[gone & outcome.for_missing]),
        subjects_not_verifiable=()
        if criterion.missing == "only"
        else tuple(cohort.subjects[kept_unknown]),
        columns=criterion.columns,
        excludes=criterion.excludes,
    )


def select(
    cohort: Cohort, criteria: Sequence[Criterion], filters: Sequence[Criterion] = ()
) -> tuple[np.ndarray, FlowDiagram]:
    """Apply criteria and filters in order to everybody in the file.

    Those switched off are passed over.

    Returns
    -------
    tuple
        Who is left, boolean array (n,), and the flow.
    """
    left = np.ones(len(cohort.subjects), dtype=bool)
    steps = []
    for criterion, exploratory in (
        *((item, False) for item in criteria),
        *((item, True) for item in filters),
    ):
        if criterion.enabled:
            steps.append(step_of(cohort, criterion, left, exploratory=exploratory))
            left = left & ~evaluate(cohort, criterion).leaves
    return left, FlowDiagram(len(cohort.subjects), tuple(steps))


def remaining(
    cohort: Cohort, criteria: Sequence[Criterion], filters: Sequence[Criterion] = ()
) -> np.ndarray:
    """Say who is left by criteria and filters that are switched on, boolean array (n,)."""
    left = np.ones(len(cohort.subjects), dtype=bool)
    for criterion in (*criteria, *filters):
        if criterion.enabled:
            left &= ~evaluate(cohort, criterion).leaves
    return left


def apply_criteria(cohort: Cohort, study: Study | None = None) -> Cohort:
    """Select the subjects that a study's criteria and filters leave.

    Parameters
    ----------
    cohort
        Everybody in the file; an earlier selection is forgotten.
    study
        The study with the criteria; the cohort's own when ``None``.

    Returns
    -------
    Cohort
        The same tables with ``included`` and ``flow`` set. Order decides to which criterion a
        patient is attributed, never who is left.
    """
    study = study or cohort.study
    cohort = cohort.under(study)
    left, flow = select(cohort, study.analysis.criteria, study.analysis.filters)
    return cohort.with_selection(study, left, flow)
