"""The patients behind a count: who they are, and what matters of each, without naming anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from sts_core.adverse_event_forms import event_list
from sts_core.analysis.adverse_events import patients_with
from sts_core.analysis.landmark import Landmark, at_landmark
from sts_core.analysis.set_comparison import FILE, cohort_of_set
from sts_core.cohort import Cohort
from sts_core.derive import (
    OLDEST_SHOWN,
    Levels,
    SurvivalData,
    dates_filled,
    dates_of,
    is_age,
    is_categorical,
    levels_of,
    numbers_of,
    survival_data,
    variable_of,
)
from sts_core.display import (
    Cell,
    Column,
    DisplayTable,
    Format,
    counted,
    format_bounded,
    format_number,
    joined,
    lower_first,
)
from sts_core.estimators.tied_times import align_with_tolerance
from sts_core.findings import StudyError
from sts_core.members import (
    AnyHolds,
    Condition,
    EndedByRule,
    FromLandmark,
    HadEvent,
    HasLevel,
    HasNothingRecorded,
    HasNoTime,
    HasTime,
    HasValue,
    InFlow,
    InSet,
    IsNamed,
    Members,
    OtherSet,
)
from sts_core.populations import cohort_of, differs, population_named
from sts_core.study.types import TimeUnit, VariableKind

#: A list shows so many patients; of more it says so.
MOST_LISTED: Final = 2000
#: Endpoints that a list shows unasked.
MOST_ENDPOINTS: Final = 3
#: All levels together are named one by one up to so many.
MANY_LEVELS: Final = 3


# --- who -----------------------------------------------------------------------------------------


def members_of(cohort: Cohort, members: Members) -> np.ndarray:
    """Find who is behind a count.

    Parameters
    ----------
    cohort
        The cohort that the count is of.
    members
        What they have in common.

    Returns
    -------
    ndarray
        Whether each patient of the file is one of them, boolean array (n,).

    Raises
    ------
    StudyError
        When a column that a condition speaks of isn't there.
    """
    return _found(_cohort_of(cohort, members), members)


def _found(cohort: Cohort, members: Members) -> np.ndarray:
    found = np.ones(cohort.n_in_file, dtype=bool)
    if members.among == "analysed":
        found &= cohort.included
    for condition in members.conditions:
        found &= _holds(cohort, condition)
    return found


def _cohort_of(cohort: Cohort, members: Members) -> Cohort:
    """Give the cohort that a count is of."""
    if members.other_set is not None:
        cohort = cohort_of_set(cohort, members.other_set.name)
    return cohort_of(cohort, members.population)


def _holds(cohort: Cohort, condition: Condition) -> np.ndarray:
    match condition:
        case HasLevel():
            values = _levels(cohort, condition).values
            wanted = set(condition.levels)
            return np.array([value in wanted for value in values.tolist()], dtype=bool)
        case HasValue():
            known = _is_known(cohort, condition.variable)
            return known if condition.known else ~known
        case InFlow():
            return _in_flow(cohort, condition)
        case HasTime():
            return _has_time(cohort, condition)
        case HadEvent():
            return patients_with(cohort, condition)
        case HasNoTime():
            return _has_no_time(cohort, condition)
        case EndedByRule():
            return _ended_by_rule(cohort, condition)
        case HasNothingRecorded():
            return event_list(cohort).silent
        case InSet(other=other, inside=inside):
            those = cohort if other is None else cohort_of_set(cohort, other.name)
            return those.included if inside else ~those.included
        case AnyHolds(conditions=conditions):
            found = np.zeros(cohort.n_in_file, dtype=bool)
            for one in conditions:
                found |= _holds(cohort, one)
            return found
        case IsNamed():
            return _named(cohort, condition.subjects)


def _named(cohort: Cohort, subjects: Sequence[str]) -> np.ndarray:
    wanted = set(subjects)
    return np.array([subject in wanted for subject in cohort.subjects.tolist()], dtype=bool)


def _has_levels(cohort: Cohort, key: str) -> bool:
    if key in cohort.study.definitions.groupings:
        return True
    variable = variable_of(cohort, key)
    return is_categorical(variable) or bool(variable.cuts)


def _is_known(cohort: Cohort, key: str) -> np.ndarray:
    if _has_levels(cohort, key):
        values = levels_of(cohort, key).values
        return np.array([value is not None for value in values], dtype=bool)
    if variable_of(cohort, key).kind is VariableKind.DATE:
        return np.array(~np.isnat(dates_of(cohort, key).values), dtype=bool)
    return np.array(~np.isnan(numbers_of(cohort, key).values), dtype=bool)


def _in_flow(cohort: Cohort, condition: InFlow) -> np.ndarray:
    flow = cohort.flow
    if condition.part in ("removed", "removed_late"):
        formal = [step for step in flow.steps if not step.exploratory]
        late = condition.part == "removed_late"
        return _named(
            cohort,
            [s for step in formal if step.after_time_zero or not late for s in step.subjects],
        )
    if condition.part == "file" or condition.step is None:
        return np.ones(cohort.n_in_file, dtype=bool)
    step = flow.steps[condition.step]
    match condition.part:
        case "excluded":
            return _named(cohort, step.subjects)
        case "missing":
            return _named(cohort, step.subjects_missing)
        case "not_verifiable":
            return _named(cohort, step.subjects_not_verifiable)
        case _:
            gone = [s for before in flow.steps[: condition.step + 1] for s in before.subjects]
            return ~_named(cohort, gone)


def _has_no_time(cohort: Cohort, condition: HasNoTime) -> np.ndarray:
    losses = survival_data(cohort, condition.endpoint).losses
    wanted = (condition.reason, condition.column)
    return _named(
        cohort,
        [s for loss in losses if (loss.reason.value, loss.column) == wanted for s in loss.subjects],
    )


def _ended_by_rule(cohort: Cohort, condition: EndedByRule) -> np.ndarray:
    data = survival_data(cohort, condition.endpoint)
    if condition.rule is None:
        return dates_filled(cohort, data.endpoint)
    if condition.landmark is not None:
        _, data, *_ = _from_landmark(cohort, condition.landmark)
    found = np.zeros(cohort.n_in_file, dtype=bool)
    if data.ended_by is not None:
        ended = np.array([rule == condition.rule for rule in data.ended_by.tolist()], dtype=bool)
        found[data.position[ended]] = True
    return found


def _from_landmark(
    cohort: Cohort, landmark: FromLandmark, by: str | None = None
) -> tuple[SurvivalData, SurvivalData, Levels | None, Landmark]:
    """Give the times from time zero, those from a landmark, the groups known by then, and it."""
    data = survival_data(cohort, landmark.endpoint)
    if landmark.time_unit is not None:
        unit = TimeUnit(landmark.time_unit)
        data = replace(data, endpoint=replace(data.endpoint, display_unit=unit))
    levels = None if by is None else levels_of(cohort, by)
    later, levels, done = at_landmark(
        cohort, data, by, levels, at=landmark.at, known_on=landmark.known_on
    )
    return data, later, levels, done


def _levels(cohort: Cohort, condition: HasLevel) -> Levels:
    if condition.landmark is not None:
        _, _, levels, _ = _from_landmark(cohort, condition.landmark, condition.variable)
        assert levels is not None
        return levels
    return levels_of(cohort, condition.variable)


def _has_time(cohort: Cohort, condition: HasTime) -> np.ndarray:
    data = survival_data(cohort, condition.endpoint)
    if condition.landmark is not None:
        whole, later, *_ = _from_landmark(cohort, condition.landmark)
        if condition.state in ("event_by_landmark", "ended_by_landmark"):
            gone = ~np.isin(whole.position, later.position)
            wanted = whole.event if condition.state == "event_by_landmark" else ~whole.event
            found = np.zeros(cohort.n_in_file, dtype=bool)
            found[whole.position[gone & wanted]] = True
            return found
        data = later
    event = data.event
    chosen = np.ones(data.n, dtype=bool)
    if condition.state == "event":
        chosen = event
    elif condition.state == "censored":
        chosen = ~event
    elif condition.at is not None and data.n:
        # as numbers at risk are counted
        times = (data.time,) if data.entry is None else (data.time, data.entry)
        (time, *entry), tolerance = align_with_tolerance(*times)
        before = time < condition.at - tolerance
        match condition.state:
            case "at_risk":
                chosen = ~before
                if entry:
                    # an entry at or before 0 is none
                    chosen &= (entry[0] <= 0) | (entry[0] < condition.at - tolerance)
            case "event_before":
                chosen = before & event
            case "censored_before":
                chosen = before & ~event
    if condition.event_kind is not None:
        chosen = chosen & (data.kind == condition.event_kind)
    if condition.not_kind is not None:
        chosen = chosen & (data.kind != condition.not_kind)
    found = np.zeros(cohort.n_in_file, dtype=bool)
    found[data.position[chosen]] = True
    return found


# --- in words ------------------------------------------------------------------------------------


def members_title(cohort: Cohort, members: Members, n: int) -> str:
    """Say what a count is: ``12 patients excluded: ECOG 2 or more``."""
    return _title(_cohort_of(cohort, members), members, n)


def _title(cohort: Cohort, members: Members, n: int) -> str:
    direct: list[str] = []
    levels: list[str] = []
    for condition in members.conditions:
        words = _words(cohort, condition)
        (levels if isinstance(condition, HasLevel | HasValue | AnyHolds) else direct).append(words)
    text = counted(n, "patient")
    if direct:
        text += f" {joined(direct)}"
    elif not levels and members.other_set is None:
        text += " analysed" if members.among == "analysed" else " in the file"
    if members.other_set is not None:
        text += f" ({_set_words(members.other_set)})"
    population = cohort.population
    if population and members.among == "analysed" and differs(cohort.study, population):
        text += f" ({lower_first(population_named(cohort.study, population).label)})"
    return f"{text}: {'; '.join(levels)}" if levels else text


_FLOW_WORDS: dict[str, str] = {
    "excluded": "excluded",
    "missing": "excluded only for a missing value",
    "not_verifiable": "kept, not verifiable",
    "remaining": "remaining after",
    "removed": "removed by criteria",
    "removed_late": "removed by criteria known only after time zero",
}


def _words(cohort: Cohort, condition: Condition) -> str:
    match condition:
        case HasLevel():
            every = set(_levels(cohort, condition).levels)
            if len(every) > MANY_LEVELS and set(condition.levels) == every:
                return f"{_label(cohort, condition.variable)} known"
            named = ["not known" if level is None else level for level in condition.levels]
            return f"{_label(cohort, condition.variable)} {joined(named, 'or') or 'nothing'}"
        case HasValue():
            known = "known" if condition.known else "not known"
            return f"{_label(cohort, condition.variable)} {known}"
        case InFlow(part=part, step=step):
            if part == "file":
                return "in the file"
            if step is None:
                return _FLOW_WORDS[part]
            where = cohort.flow.steps[step]
            left = part in ("excluded", "missing")
            return f"{_FLOW_WORDS[part]}: {lower_first(where.reason) if left else where.label}"
        case HasTime():
            return _time_words(cohort, condition)
        case HasNoTime(endpoint=code, reason=reason, column=column):
            cell = f" (“{column}”)" if column else ""
            return f"without a time ({_endpoint(cohort, code)}): {reason}{cell}"
        case EndedByRule(endpoint=code, rule=rule):
            return f"({_endpoint(cohort, code)}): {rule or 'an incomplete date is filled in'}"
        case HasNothingRecorded():
            return "of whom nothing is recorded about adverse events"
        case InSet(other=other, inside=inside):
            name = "the patients analysed" if other is None else _set_words(other)
            return f"{'' if inside else 'not '}in {name}"
        case AnyHolds(conditions=conditions):
            return joined([_words(cohort, one) for one in conditions], "or")
        case HadEvent():
            return _event_words(condition)
        case IsNamed():
            return condition.label


def _endpoint(cohort: Cohort, code: str) -> str:
    return cohort.study.definitions.endpoints[code].label


def _set_words(other: OtherSet) -> str:
    return lower_first(FILE) if other.name is None else f"“{other.name}”"


def _label(cohort: Cohort, key: str) -> str:
    grouping = cohort.study.definitions.groupings.get(key)
    return grouping.label if grouping else variable_of(cohort, key).label


def _time_words(cohort: Cohort, condition: HasTime) -> str:
    endpoint = cohort.study.definitions.endpoints[condition.endpoint]
    landmark = condition.landmark
    by_landmark = ""
    if landmark is not None:
        whole, later, _, done = _from_landmark(cohort, landmark)
        by_landmark = f" by the landmark at {done.words}"
        kept = condition.state not in ("event_by_landmark", "ended_by_landmark")
        endpoint = later.endpoint if kept else whole.endpoint
    of = f"({endpoint.label})"
    at = ""
    if condition.at is not None:
        time = condition.at / endpoint.display_factor
        decimals = 0 if float(time).is_integer() else 1
        at = f" {format_number(time, decimals)} {endpoint.display_unit.value}"
    kind = f" of the kind {condition.event_kind}" if condition.event_kind else ""
    if condition.not_kind:
        kind = f" of another kind than {condition.not_kind}"
    match condition.state:
        case "usable":
            return f"with a known time {of}"
        case "event_by_landmark":
            return f"with an event{by_landmark} {of}"
        case "ended_by_landmark":
            return f"with the end of follow-up{by_landmark} {of}"
        case "event":
            return f"with an event{kind} {of}"
        case "censored":
            return f"censored {of}"
        case "at_risk":
            return f"at risk at{at} {of}"
        case "event_before":
            return f"with an event{kind} before{at} {of}"
        case _:
            return f"censored before{at} {of}"


def _event_words(condition: HadEvent) -> str:
    text = f"with {condition.label[:1].lower()}{condition.label[1:]}"
    if condition.grades is None:
        return text
    if condition.grades == (0,):
        return f"{text}, grade not known"
    return f"{text}, worst grade {joined([str(grade) for grade in condition.grades], 'or')}"


# --- the list ------------------------------------------------------------------------------------


def list_columns(cohort: Cohort) -> dict[str, str]:
    """Give what a list can show of each patient: key of a variable -> its label.

    Neither ids, nor columns that were left out for privacy, nor dates without a time zero to count
    from.
    """
    source = cohort.study.data.tables.get("subjects")
    private = {name: {gone.column for gone in those} for name, those in cohort.left_out.items()}
    found = {}
    for key, variable in cohort.study.definitions.variables.items():
        column = variable.column or key
        if column in private.get(variable.table, ()) or (source and column == source.subject_id):
            continue
        if variable.kind is VariableKind.DATE and _origin(cohort) is None:
            continue
        found[key] = variable.label
    return found


def patient_list(cohort: Cohort, members: Members, further: Sequence[str] = ()) -> DisplayTable:
    """List the patients behind a count by their study ids.

    Parameters
    ----------
    cohort
        The cohort that the count is of.
    members
        What they have in common; the columns that it speaks of are shown.
    further
        Keys of more variables.

    Returns
    -------
    DisplayTable
        In the order of the file, at most :data:`MOST_LISTED`. Dates are days since time zero; ages
        above 89 are ``≥90``. No id of the source, no date, and no column that was left out.

    Raises
    ------
    StudyError
        When a column isn't there.
    """
    cohort = _cohort_of(cohort, members)
    found = _found(cohort, members)
    n = int(found.sum())
    at = np.flatnonzero(found)[:MOST_LISTED]
    offered = list_columns(cohort)
    groupings = cohort.study.definitions.groupings
    everybody = cohort if cohort.included[at].all() else _with_everybody(cohort)
    columns = [Column("subject", "Patient"), Column("row", "Row in the file", Format.INTEGER)]
    table = cohort.tables["subjects"]
    row_of = dict(zip(table.subject.tolist(), table.rows.tolist(), strict=True))
    subjects = cohort.subjects[at].tolist()
    cells: list[list[Cell]] = [list(subjects), [row_of.get(subject) for subject in subjects]]

    def add(column: Column, values: Sequence[Cell]) -> None:
        columns.append(column)
        cells.append([values[place] for place in at])

    for key in dict.fromkeys((*_keys_of(cohort, members), *further)):
        if key in offered or key in groupings or _may_be_shown(cohort, key):
            add(*_variable_cells(cohort, key))
    for code in _endpoints_of(cohort, members):
        for column, values in _time_cells(everybody, code):
            add(column, values)
    for column_of in (_response_cells, _grade_cells):
        shown = column_of(cohort)
        if shown is not None and shown[0].key not in {column.key for column in columns}:
            add(*shown)
    rows: list[dict[str, Cell]] = [
        {column.key: values[place] for column, values in zip(columns, cells, strict=True)}
        for place in range(len(at))
    ]
    return DisplayTable(
        _title(cohort, members, n), tuple(columns), tuple(rows), _notes(cohort, columns, n)
    )


def _with_everybody(cohort: Cohort) -> Cohort:
    """Give the cohort with everyone in it, to read times of patients who are not analysed."""
    return replace(cohort, included=np.ones(cohort.n_in_file, dtype=bool))


def _keys_of(cohort: Cohort, members: Members) -> list[str]:
    """Give the variables that the conditions speak of."""
    keys: list[str] = []
    for condition in members.conditions:
        match condition:
            case AnyHolds(conditions=conditions):
                keys += _keys_of(cohort, Members(conditions))
            case HasLevel() | HasValue():
                keys.append(condition.variable)
            case InFlow(step=step) if step is not None:
                keys += cohort.flow.steps[step].columns
    return keys


def _endpoints_of(cohort: Cohort, members: Members) -> tuple[str, ...]:
    asked = [
        item.endpoint
        for item in members.conditions
        if isinstance(item, HasTime | HasNoTime | EndedByRule)
    ]
    return tuple(dict.fromkeys((*asked, *cohort.study.definitions.endpoints)))[:MOST_ENDPOINTS]


def _may_be_shown(cohort: Cohort, key: str) -> bool:
    """Say whether a plain column of the patient table, which a criterion asks for, may be shown."""
    definitions = cohort.study.definitions
    table, source = cohort.tables["subjects"], cohort.study.data.tables.get("subjects")
    if key in definitions.variables or key not in table.frame.columns:
        return False
    private = {gone.column for gone in cohort.left_out.get("subjects", ())}
    if key in private or (source is not None and key == source.subject_id):
        return False
    read = dates_of(cohort, key)
    # a date that nobody defined as one
    return bool((read.missing | read.unreadable).all())


def _variable_cells(cohort: Cohort, key: str) -> tuple[Column, list[Cell]]:
    label = _label(cohort, key)
    if _has_levels(cohort, key):
        return Column(key, label), ["" if v is None else v for v in levels_of(cohort, key).values]
    variable = variable_of(cohort, key)
    if variable.kind is VariableKind.DATE:
        origin = _origin(cohort)
        if origin is None:
            return Column(key, label), [""] * cohort.n_in_file
        days = (dates_of(cohort, key).values - origin).astype("timedelta64[D]")
        cells: list[Cell] = [None if np.isnat(day) else int(day.astype(np.int64)) for day in days]
        return Column(key, f"{label}, study day", Format.INTEGER), cells
    unit = f", {variable.unit}" if variable.unit else ""
    numbers = numbers_of(cohort, key).values.tolist()
    known = [None if np.isnan(number) else number for number in numbers]
    if is_age(key, variable) and any(v is not None and v > OLDEST_SHOWN - 1 for v in known):
        written: list[Cell] = [
            ""
            if number is None
            else format_bounded(
                OLDEST_SHOWN if number > OLDEST_SHOWN - 1 else number,
                0 if float(number).is_integer() else 1,
                OLDEST_SHOWN,
            )
            for number in known
        ]
        return Column(key, f"{label}{unit}"), written
    whole = all(number is None or float(number).is_integer() for number in known)
    return (
        Column(key, f"{label}{unit}", Format.INTEGER if whole else Format.NUMBER, decimals=2),
        [None if number is None else int(number) if whole else number for number in known],
    )


def _origin(cohort: Cohort) -> np.ndarray | None:
    """Give the date of time zero of each patient, from the first endpoint with one."""
    for endpoint in cohort.study.definitions.endpoints.values():
        if endpoint.from_dates and endpoint.start is not None and endpoint.table == "subjects":
            try:
                origin: np.ndarray = dates_of(cohort, endpoint.start).values
            except StudyError:
                continue
            return origin
    return None


def _time_cells(cohort: Cohort, code: str) -> list[tuple[Column, list[Cell]]]:
    try:
        data = survival_data(cohort, code)
    except StudyError:
        return []  # the page of the endpoint says what is missing
    endpoint = data.endpoint
    times: list[Cell] = [None] * cohort.n_in_file
    states: list[Cell] = ["not analysed"] * cohort.n_in_file
    for place, time, kind in zip(data.position, data.time.tolist(), data.kind, strict=True):
        times[place] = time / endpoint.display_factor
        states[place] = "censored" if kind is None else str(kind)
    place_of = {subject: place for place, subject in enumerate(cohort.subjects.tolist())}
    for loss in data.losses:
        for subject in loss.subjects:
            states[place_of[subject]] = f"no time: {loss.reason.value}"
    unit = endpoint.display_unit.value
    return [
        (Column(f"{code}.time", f"{code}, {unit}", Format.NUMBER, decimals=1), times),
        (Column(f"{code}.status", f"{code} status"), states),
    ]


def _response_cells(cohort: Cohort) -> tuple[Column, list[Cell]] | None:
    definition = cohort.study.definitions.response
    if definition is None:
        return None
    try:
        return _variable_cells(cohort, definition.variable)
    except StudyError:
        return None  # the page of response says what is missing


def _grade_cells(cohort: Cohort) -> tuple[Column, list[Cell]] | None:
    if cohort.study.definitions.adverse_events is None:
        return None
    try:
        recorded = event_list(cohort)
    except StudyError:
        return None  # the page of safety says what is missing
    if not recorded.has_grades:
        return None
    events = recorded.events
    worst = np.zeros(cohort.n_in_file, dtype=np.int64)
    np.maximum.at(worst, events.position, events.grade)
    had = np.bincount(events.position, minlength=cohort.n_in_file) > 0
    cells: list[Cell] = [
        "no event" if not any_ else "grade not known" if grade == 0 else str(grade)
        for any_, grade in zip(had.tolist(), worst.tolist(), strict=True)
    ]
    return Column("worst_grade", "Worst grade, any adverse event"), cells


def _notes(cohort: Cohort, columns: Sequence[Column], n: int) -> tuple[str, ...]:
    notes = []
    if n > MOST_LISTED:
        notes.append(f"The first {MOST_LISTED} of {n} in the order of the file.")
    if any(column.label.endswith(", study day") for column in columns):
        notes.append("Study day: days since time zero; 0 is the day itself.")
    if cohort.exploratory:
        notes.append("Exploratory: filters are in force.")
    return tuple(notes)
