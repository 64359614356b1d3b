"""The form of one criterion: a column, rows of another table, or several conditions together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import choose, choose_one, plain
from sts_core.cohort import Cohort
from sts_core.criteria import definition_of, name_of
from sts_core.derive import variable_of
from sts_core.filters import Filterable, Shape, filter_names, filterable
from sts_core.row_values import RowValues, holds_dates, row_values
from sts_core.study import (
    AllOf,
    AnyOf,
    AssessmentDefinition,
    Between,
    Criterion,
    DaysBetween,
    ExposureDefinition,
    HasRow,
    IsKnown,
    OneOf,
    RowCondition,
    Scalar,
    VariableKind,
)
from sts_core.values import text_of

_ASKS = {"column": "A column", "rows": "Rows of another table", "several": "Several conditions"}
_EARLIEST, _LATEST = dt.date(1900, 1, 1), dt.date(2100, 12, 31)
_ANY_TIME = "any"


def condition_of(cohort: Cohort, key: str, start: Criterion | None) -> Criterion | None:
    """Ask for a condition: of a column, of rows of another table, or several together.

    Parameters
    ----------
    cohort
        Everybody in the file.
    key
        Prefix of the widgets.
    start
        The condition that the form begins with.

    Returns
    -------
    Criterion or None
        ``None`` as long as something is missing; what that is stands in the form.
    """
    has_tables = len(cohort.tables) > 1
    asks = [name for name in _ASKS if name != "rows" or has_tables]
    kept = "rows" if isinstance(start, HasRow) else "column"
    if isinstance(start, AllOf | AnyOf):
        kept = "several"
    what = choose_one("It asks for", asks, f"{key}.asks", kept=kept, names=_ASKS)
    if what == "several":
        return _several(cohort, key, start)
    if what == "rows":
        return _rows(cohort, key, start if isinstance(start, HasRow) else None)
    return _column(cohort, key, start)


# --- one column of the patient table -------------------------------------------------------------


def _column(
    cohort: Cohort, key: str, start: Criterion | None, *, negatable: bool = False
) -> Criterion | None:
    """Ask for a condition on a column; where it can be negated, that is one of its verbs."""
    names = filter_names(cohort)
    kept = None
    if isinstance(start, OneOf | Between | IsKnown | DaysBetween):
        kept = start.column
        if kept not in names:
            names = {**names, kept: name_of(cohort, kept)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = choose("Column or variable", list(names), f"{key}.column", kept=kept, names=names)
        same = start if kept == column else None
        shown = filterable(cohort, column)
        shape = _shape(cohort, shown)
        how = _verb(f"{key}.how.{column}", shape, same, negatable=negatable, days=True)
    if shape is Shape.KNOWN:
        st.caption("It has too many different values: only whether it is known can be asked.")
    found: Criterion | None
    match how.removeprefix(_NOT):
        case "known":
            found = IsKnown(column)
        case "values":
            values = [text_of(value) for value in same.values] if isinstance(same, OneOf) else []
            chosen = _pick(shown.levels, shown.counts, f"{key}.values.{column}", values)
            found = OneOf(column, chosen) if chosen else None
        case "days":
            found = _days(cohort, key, column, same if isinstance(same, DaysBetween) else None)
        case _:
            between = same if isinstance(same, Between) else None
            low, high = _bounds(shape, shown, f"{key}.{column}", between)
            found = None if low is None and high is None else Between(column, low, high)
    return found and replace(found, excludes=how.startswith(_NOT))


_NOT = "not "
_VERBS = {
    "values": ("is one of", "is none of"),
    "range": ("lies between", "lies outside"),
    "days": ("lies so many days from", "does not lie so many days from"),
    "known": ("is known", "is not known"),
}


def _verb(
    key: str, shape: Shape, start: Criterion | None, *, negatable: bool, days: bool = False
) -> str:
    """Ask how a column is asked for; the opposite of a condition begins with "not "."""
    kinds = {
        Shape.LEVELS: ("values", "known"),
        Shape.NUMBERS: ("range", "known"),
        Shape.DATES: ("range", "days", "known") if days else ("range", "known"),
        Shape.KNOWN: ("known",),
    }[shape]
    names = {kind: _VERBS[kind][0] for kind in kinds}
    if negatable:
        names |= {f"{_NOT}{kind}": _VERBS[kind][1] for kind in kinds}
    kept = _kind_of(start)
    if kept is not None and kept not in names:
        names[kept] = _VERBS[kept][0]  # a criterion of a study file may ask otherwise
    if kept is not None and negatable and start is not None and start.excludes:
        kept = f"{_NOT}{kept}"
    return choose("Condition", list(names), key, kept=kept, names=names)


def _shape(cohort: Cohort, shown: Filterable) -> Shape:
    """Give how a column is asked for: one with a single number is a range, and so are all dates."""
    definitions = cohort.study.definitions
    if shown.key in definitions.groupings or shown.shape in (Shape.NUMBERS, Shape.DATES):
        return shown.shape
    if shown.key in definitions.variables:
        kind = variable_of(cohort, shown.key).kind
        wanted = {VariableKind.NUMERIC: Shape.NUMBERS, VariableKind.DATE: Shape.DATES}
        return wanted.get(kind, shown.shape) if shown.shape is Shape.KNOWN else shown.shape
    return Shape.DATES if holds_dates(cohort, shown.key) else shown.shape


def _kind_of(criterion: Criterion | None) -> str | None:
    match criterion:
        case OneOf():
            return "values"
        case Between():
            return "range"
        case DaysBetween():
            return "days"
        case IsKnown():
            return "known"
        case _:
            return None


def _asked(what: str, more: str = "") -> None:
    """Say what is missing; a caption would fade its colour."""
    st.markdown(f":small[:orange[{what}] {more}]")


def _pick(
    levels: Sequence[str],
    counts: Sequence[int],
    key: str,
    kept: Sequence[str | None],
    whose: str = "analysed now",
) -> tuple[Scalar, ...]:
    count_of = dict(zip(levels, counts, strict=True))
    start = [level for level in levels if level in kept]
    chosen = widgets.pills(
        "Values that meet it",
        levels,
        key,
        start,
        format_func=lambda level: f"{plain(level)} ({count_of[level]})",
    )
    if not chosen:
        _asked("Choose the values that meet it.", f"In brackets: patients {whose}.")
    return tuple(level for level in levels if level in chosen)


def _bounds(
    shape: Shape, shown: Filterable | RowValues, key: str, kept: Between | None
) -> tuple[float | str | None, float | str | None]:
    """Ask for the ends of a range; an empty one is open."""
    columns = st.columns(2)
    if shape is Shape.DATES:
        days = []
        for place, (label, bound) in zip(
            columns,
            (("From", kept.low if kept else None), ("To", kept.high if kept else None)),
            strict=True,
        ):
            seed = dt.date.fromisoformat(bound) if isinstance(bound, str) else None
            days.append(
                widgets.date_input(
                    label, f"{key}.{label}", seed, place=place,
                    min_value=_EARLIEST, max_value=_LATEST, format="YYYY-MM-DD",
                )
            )  # fmt: skip
        _range_note(days, shown)
        low, high = (None if day is None else day.isoformat() for day in days)
        return _in_order(low, high)
    numbers = []
    for place, (label, bound) in zip(
        columns,
        (("At least", kept.low if kept else None), ("At most", kept.high if kept else None)),
        strict=True,
    ):
        seed_number = None if bound is None or isinstance(bound, str) else float(bound)
        unit = f", {plain(shown.unit)}" if shown.unit else ""
        decimals = max(shown.decimals, 0 if seed_number in (None, round(seed_number or 0)) else 2)
        numbers.append(
            widgets.number_input(
                f"{label}{unit}", f"{key}.{label}", seed_number, place=place,
                step=float(shown.step), format=f"%.{decimals}f", placeholder="no limit",
            )
        )  # fmt: skip
    _range_note(numbers, shown)
    return _in_order(*numbers)


def _range_note(ends: Sequence[Any], shown: Filterable | RowValues) -> None:
    known = ""
    if shown.low is not None and shown.high is not None:
        low, high = (
            f"{end:.{shown.decimals}f}" if isinstance(end, float | int) else str(end)
            for end in (shown.low, shown.high)
        )
        more = " or more" if isinstance(shown, Filterable) and shown.is_open_above else ""
        known = f" The file has {plain(low)} to {plain(high)}{more}."
    if all(end is None for end in ends):
        _asked("Give at least one end;", f"an empty one is open.{known}")
    else:
        st.caption(f"Both ends belong to it; an empty one is open.{known}")


def _in_order(low: Any, high: Any) -> tuple[Any, Any]:
    if low is not None and high is not None and low > high:
        st.error("The first end is above the second one.")
        return None, None
    return low, high


def _date_columns(cohort: Cohort) -> dict[str, str]:
    """Give the dates of the patient table with their names, time zero first."""
    definitions = cohort.study.definitions
    found: dict[str, None] = {}
    for endpoint in definitions.endpoints.values():
        if endpoint.table == "subjects":
            named = (endpoint.start, *endpoint.event_dates.values(), *endpoint.last_contact)
            found |= dict.fromkeys(name for name in named if name is not None)
    own = {variable.column or key: key for key, variable in definitions.variables.items()}
    keys = dict.fromkeys(own.get(name, name) for name in found)
    keys |= dict.fromkeys(
        key for key, item in definitions.variables.items() if item.kind is VariableKind.DATE
    )
    return {key: name_of(cohort, key) for key in keys}


def _days(cohort: Cohort, key: str, column: str, start: DaysBetween | None) -> DaysBetween | None:
    others = {name: text for name, text in _date_columns(cohort).items() if name != column}
    if start is not None and start.since not in others:
        others[start.since] = name_of(cohort, start.since)
    if not others:
        _asked("There is no other date in the patient table.")
        return None
    since = choose("Counted from", list(others), f"{key}.since.{column}",
                   kept=start.since if start else None, names=others)  # fmt: skip
    low, high = _window(f"{key}.{column}", start)
    if low is None and high is None:
        return None
    return DaysBetween(column, since, low, high)


def _window(key: str, start: DaysBetween | HasRow | None) -> tuple[int | None, int | None]:
    columns = st.columns(2)
    ends = [
        widgets.number_input(
            label, f"{key}.{label}", bound, place=place, step=1, format="%d",
            placeholder="no limit",
        )
        for place, label, bound in zip(
            columns, ("From day", "To day"),
            (start.low if start else None, start.high if start else None), strict=True,
        )
    ]  # fmt: skip
    days = "Day 0 is that very day, 28 is four weeks later, -28 four weeks before."
    if all(end is None for end in ends):
        _asked("Give at least one end.", days)
    else:
        st.caption(days)
    low, high = _in_order(*ends)
    return (None if low is None else int(low), None if high is None else int(high))


# --- rows of another table -----------------------------------------------------------------------


def _rows(cohort: Cohort, key: str, start: HasRow | None) -> HasRow | None:
    roles = [role for role in cohort.tables if role != "subjects"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = choose(
            "Table", roles, f"{key}.table", kept=start.table if start else None,
            names={role: role.replace("_", " ") for role in roles},
        )  # fmt: skip
        same = start if start is not None and start.table == role else None
        at_least = widgets.number_input(
            "At least so many rows",
            f"{key}.rows.{role}",
            same.at_least if same else 1,
            min_value=1,
            step=1,
            width=170,
        )
    parts = same.where if same else ()
    numbers = _numbers(f"{key}.where.{role}", len(parts))
    where: list[RowCondition] = []
    complete = True
    for number in numbers:
        with st.container(border=True):
            begin = parts[number] if number < len(parts) else None
            found = _row_condition(cohort, role, f"{key}.{role}.{number}", begin)
            _drop_button(f"{key}.where.{role}", numbers, number, least=0)
        complete = complete and found is not None
        if found is not None:
            where.append(found)
    _more_button("Add a condition on these rows", f"{key}.where.{role}", numbers)
    made: dict[str, Any] = {}
    when = _row_time(cohort, role, key, same)
    if when is None:
        complete = False
    else:
        made = when
    return HasRow(role, tuple(where), int(at_least), **made) if complete else None


def _row_time(cohort: Cohort, role: str, key: str, start: HasRow | None) -> dict[str, Any] | None:
    """Ask for the days that count; empty for any day, ``None`` while something is missing."""
    definition = definition_of(cohort.study, role)
    days: dict[str, str] = {}
    match definition:
        case AssessmentDefinition(date=str(date)):
            days[f"date:{date}"] = date
        case AssessmentDefinition(day=str(day)):
            days[f"day:{day}"] = day
        case ExposureDefinition():
            days[f"{'date' if definition.times == 'dates' else 'day'}:{definition.start}"] = (
                definition.start
            )
    for column in map(str, cohort.tables[role].frame.columns):
        if row_values(cohort, role, column).shape is Shape.DATES:
            days.setdefault(f"date:{column}", column)
    kept = None
    if start is not None:
        for form, asked in (("date", start.date), ("day", start.study_day)):
            if asked is not None:
                kept = f"{form}:{asked}"
                days.setdefault(kept, asked)
    if not days:
        return {}
    names = {_ANY_TIME: "at any time", **{name: f"by {text}" for name, text in days.items()}}
    chosen = choose("When", list(names), f"{key}.when.{role}", kept=kept, names=names)
    if chosen == _ANY_TIME:
        return {}
    kind, _, column = chosen.partition(":")
    if kind == "day":
        low, high = _window(f"{key}.{role}", start)
        return None if low is None and high is None else {
            "study_day": column, "low": low, "high": high,
        }  # fmt: skip
    origins = _date_columns(cohort)
    if start is not None and start.origin is not None and start.origin not in origins:
        origins[start.origin] = name_of(cohort, start.origin)
    if not origins:
        _asked("There is no date in the patient table to count days from.")
        return None
    origin = choose(
        "Days counted from", list(origins), f"{key}.origin.{role}",
        kept=start.origin if start else None, names=origins,
    )  # fmt: skip
    low, high = _window(f"{key}.{role}", start)
    if low is None and high is None:
        return None
    return {"date": column, "origin": origin, "low": low, "high": high}


def _row_condition(
    cohort: Cohort, role: str, key: str, start: RowCondition | None
) -> RowCondition | None:
    columns = [str(name) for name in cohort.tables[role].frame.columns]
    source = cohort.study.data.tables.get(role)
    if source is not None and source.subject_id in columns:
        columns.remove(source.subject_id)
    if not columns:
        _asked("This table has no column besides the patient.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = choose("Column", columns, f"{key}.column", kept=start.column if start else None)
        same = start if start is not None and start.column == column else None
        shown = row_values(cohort, role, column)
        how = _verb(f"{key}.how.{column}", shown.shape, same, negatable=True)
    negated, how = how.startswith(_NOT), how.removeprefix(_NOT)
    if how == "known":
        return IsKnown(column, excludes=negated)
    if how == "values":
        kept = [text_of(value) for value in same.values] if isinstance(same, OneOf) else []
        chosen = _pick(shown.levels, shown.counts, f"{key}.values.{column}", kept, "in the file")
        return OneOf(column, chosen, excludes=negated) if chosen else None
    between = same if isinstance(same, Between) else None
    low, high = _bounds(shown.shape, shown, f"{key}.{column}", between)
    return None if low is None and high is None else Between(column, low, high, excludes=negated)


# --- several conditions --------------------------------------------------------------------------


def _several(
    cohort: Cohort, key: str, start: Criterion | None, *, nested: bool = False
) -> Criterion | None:
    names = {"all": "all of them hold (and)", "any": "at least one holds (or)"}
    joined = choose_one(
        "It is met when", list(names), f"{key}.joined",
        kept="any" if isinstance(start, AnyOf) else "all", names=names,
    )  # fmt: skip
    parts: Sequence[Criterion] = ()
    if isinstance(start, AllOf | AnyOf):
        parts = start.parts
    elif start is not None:
        parts = (replace(start, excludes=False),)  # a single condition becomes the first of several
    numbers = _numbers(f"{key}.parts", max(2, len(parts)))
    found: list[Criterion] = []
    complete = True
    for place, number in enumerate(numbers):
        with st.container(border=True):
            begin = parts[number] if number < len(parts) else None
            st.markdown(f"**{'and' if joined == 'all' else 'or'}**" if place else "**Condition**")
            part = _part(cohort, f"{key}.part.{number}", begin, nested=nested)
            _drop_button(f"{key}.parts", numbers, number, least=2)
        if part is None:
            complete = False
        else:
            found.append(part)
    _more_button("Add a condition", f"{key}.parts", numbers)
    if not complete or len(found) < 2:
        return None
    return AllOf(tuple(found)) if joined == "all" else AnyOf(tuple(found))


def _part(cohort: Cohort, key: str, start: Criterion | None, *, nested: bool) -> Criterion | None:
    """Ask for one of several conditions; one level deep it may be a group of its own."""
    names = {"column": _ASKS["column"]}
    if len(cohort.tables) > 1:
        names["rows"] = _ASKS["rows"]
    if not nested:
        names["several"] = "A group in brackets"
    kept = "rows" if isinstance(start, HasRow) else "column"
    if isinstance(start, AllOf | AnyOf):
        kept = "several"
    what = "column"
    if len(names) > 1:
        what = choose_one("It asks for", list(names), f"{key}.asks", kept=kept, names=names)
    if what == "several":
        group = _several(cohort, key, start, nested=True)
        opposite = isinstance(start, AllOf | AnyOf) and start.excludes
        negated = widgets.toggle(
            "The group as a whole must not hold",
            f"{key}.group.not",
            opposite,
        )
        return group and replace(group, excludes=negated)
    if what == "column":
        return _column(cohort, key, start, negatable=True)
    rows = _rows(cohort, key, start if isinstance(start, HasRow) else None)
    none = widgets.toggle(
        "There are fewer such rows than that",
        f"{key}.fewer",
        start is not None and start.excludes,
        help="One row at least, and fewer than that: none.",
    )
    return rows and replace(rows, excludes=none)


def _numbers(key: str, n: int) -> tuple[int, ...]:
    """Give the numbers of the conditions of a form; a removed one's number stays free."""
    kept = state.remembered("criterion.numbers", {})
    return cast("tuple[int, ...]", kept.get(key, tuple(range(n))))


def _set_numbers(key: str, numbers: tuple[int, ...]) -> None:
    kept: Mapping[str, tuple[int, ...]] = state.remembered("criterion.numbers", {})
    state.remember("criterion.numbers", {**kept, key: numbers})


def _drop_button(key: str, numbers: tuple[int, ...], number: int, *, least: int) -> None:
    if len(numbers) > least:
        st.button(
            "Remove this condition", icon=":material/close:", type="tertiary",
            key=f"{key}.drop.{number}", on_click=_set_numbers,
            args=(key, tuple(other for other in numbers if other != number)),
        )  # fmt: skip


def _more_button(label: str, key: str, numbers: tuple[int, ...]) -> None:
    st.button(
        label, icon=":material/add:", key=f"{key}.more", on_click=_set_numbers,
        args=(key, (*numbers, max(numbers, default=-1) + 1)),
    )  # fmt: skip


def forget_numbers() -> None:
    """Let the next form begin with the conditions of its own criterion."""
    state.remember("criterion.numbers", {})
