"""Tumour assessments whose visits stand in columns: the visits, their columns, and their change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pages._ui import widgets
from pages._ui.inputs import choose, choose_one, plain
from pages._ui.outcome_parts import MAX_VALUES, apply, column_names
from sts_core.analysis.adverse_events import value_counts
from sts_core.cohort import Cohort
from sts_core.display import counted
from sts_core.study import RESPONSE_LEVELS, AssessmentDefinition, Scalar, Study, VisitColumns
from sts_core.values import text_of

_NONE = "(none)"
_NEW = "(another visit)"
_SCHEDULED = "(no date: by schedule)"
_RESULTS = {
    "overall": "Overall response",
    "target_sum": "Sum of target lesions",
    "target_response": "Response of target lesions",
    "non_target": "Non-target lesions",
    "new_lesion": "New lesion",
    "node_short_axis": "Nodal short axis",
}
LAST_DAY = 7300


def visits_in_columns(cohort: Cohort, definition: AssessmentDefinition) -> AssessmentDefinition:
    """Show the visits with their columns, and give the definition as it is changed here."""
    role = definition.table
    table = cohort.tables[role]
    st.caption(
        f"Visits in columns, one row a patient, in “{plain(table.sheet or table.file)}”. Each "
        "visit becomes an assessment of each patient who has anything there."
    )
    parts = [name for name in _RESULTS if any(getattr(item, name) for item in definition.visits)]
    st.dataframe(
        [_row(visit, parts) for visit in definition.visits], hide_index=True, width="stretch",
        column_config={"Visit": st.column_config.TextColumn(pinned=True)},
    )  # fmt: skip
    new = definition
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if definition.size_columns:
            unit: Any = choose_one(
                "Sizes are in", ["mm", "cm"], "visits.unit", kept=definition.size_unit
            )
            new = replace(new, size_unit=unit)
        if any(visit.day is not None for visit in definition.visits):
            options = [_NONE, *column_names(cohort, "subjects")]
            origin = choose(
                "Scheduled days count from", options, "visits.origin",
                kept=definition.origin or _NONE,
                help="The day of this date is day 0; with it, scheduled visits have a date.",
            )  # fmt: skip
            new = replace(new, origin=None if origin == _NONE else origin)
    new = replace(new, new_lesion_values=_lesion_values(cohort, definition))
    with st.expander("Change, add or remove a visit", icon=":material/edit:"):
        _change(cohort, definition)
    return new


def _lesion_values(cohort: Cohort, definition: AssessmentDefinition) -> tuple[Scalar, ...]:
    """Ask which values mean a new lesion, at whatever visit they stand."""
    kept = definition.new_lesion_values
    frame = cohort.tables[definition.table].frame
    counts = Counter[str]()
    for name in definition.new_lesion_columns:
        if name in frame.columns:
            counts.update(value_counts(cohort, definition.table, name))
    if not counts or len(counts) > MAX_VALUES:
        return kept
    wanted = {text_of(value) for value in kept}
    start = [value for value in counts if value in wanted]
    chosen = widgets.pills(
        "New lesion is yes when it is",
        list(counts),
        "visits.new.values",
        start,
        format_func=lambda value: f"{plain(value)} ({counted(counts[value], 'row')})",
    )
    return kept if chosen == start else tuple(value for value in counts if value in chosen)


def _row(visit: VisitColumns, parts: Sequence[str]) -> dict[str, str]:
    when = visit.date if visit.date is not None else f"day {visit.day}, by schedule"
    row = {"Visit": visit.name, "Date": when}
    return row | {_RESULTS[name]: getattr(visit, name) or "" for name in parts}


def _change(cohort: Cohort, definition: AssessmentDefinition) -> None:
    names = [visit.name for visit in definition.visits]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = choose("Visit", [*names, _NEW], "visits.which")
        if len(names) > 1 and chosen in names:
            rest = tuple(visit for visit in definition.visits if visit.name != chosen)
            widgets.button(
                "Remove this visit",
                "visits.remove",
                apply,
                (_with(cohort.study, replace(definition, visits=rest)),),
                about=chosen,
                icon=":material/delete:",
            )
    old = next((visit for visit in definition.visits if visit.name == chosen), None)
    made = visit_form(cohort, definition.table, old, f"visits.form.{chosen}")
    if made is None:
        return
    visits = [made if visit is old else visit for visit in definition.visits]
    try:
        new = replace(definition, visits=tuple(visits if old is not None else [*visits, made]))
    except ValueError:
        st.error("Another visit has this name.")
        return
    apply(_with(cohort.study, new))
    st.rerun()


def visit_form(
    cohort: Cohort, role: str, old: VisitColumns | None, key: str
) -> VisitColumns | None:
    """Ask for the columns of one visit; give it once the form is sent and complete."""
    columns = column_names(cohort, role)

    def column(label: str, part: str, first: str, kept: str | None) -> str | None:
        gone = [kept] if kept is not None and kept not in columns else []
        found = choose(label, [first, *gone, *columns], f"{key}.{part}", kept=kept or first)
        return None if found == first else found

    with st.form(f"{key}.form", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = widgets.text_input(
                "Name",
                f"{key}.name",
                old.name if old else "",
                max_chars=60,
                placeholder="Week 6",
            )
            date = column("Date", "date", _SCHEDULED, old.date if old else None)
            day = widgets.number_input(
                "Scheduled day", f"{key}.day", (old.day or 0) if old else 0,
                min_value=-LAST_DAY, max_value=LAST_DAY, step=1,
                help="Days after the start; counts where no column has the date.",
            )  # fmt: skip
        found: dict[str, Any] = {}
        with st.container(horizontal=True):
            for part, label in _RESULTS.items():
                found[part] = column(label, part, _NONE, getattr(old, part) if old else None)
        if not widgets.submitted("Save this visit", f"{key}.save", type="primary"):
            return None
    try:
        return VisitColumns(
            name=name.strip(), date=date, day=None if date is not None else int(day), **found
        )
    except ValueError:
        st.error("A visit needs a name and at least one column of what was found.")
        return None


def meanings(cohort: Cohort, definition: AssessmentDefinition, unknown: Sequence[str]) -> None:
    """Ask what values in columns of responses mean that nothing was said about."""
    values = list(dict.fromkeys((*unknown, *definition.codes)))[:40]
    if not values:
        return
    title = f"What values mean ({len(unknown)} not known)" if unknown else "What values mean"
    with (
        st.expander(title, icon=":material/translate:", expanded=bool(unknown)),
        st.form("visits.codes", border=False),
    ):
        chosen: dict[str, str] = {}
        for first in range(0, len(values), 4):
            places = st.columns(4)
            for place, value in zip(places, values[first : first + 4], strict=False):
                with place:
                    chosen[value] = choose(
                        plain(value), [_NONE, *RESPONSE_LEVELS], f"visits.code.{value}",
                        kept=definition.codes.get(value, _NONE), names={_NONE: "(not known)"},
                    )  # fmt: skip
        if not widgets.submitted("Save what they mean", "visits.meanings.save"):
            return
    codes = {value: level for value, level in chosen.items() if level != _NONE}
    apply(_with(cohort.study, replace(definition, codes=codes)))
    st.rerun()


def _with(study: Study, definition: AssessmentDefinition) -> Study:
    return replace(study, definitions=replace(study.definitions, assessments=definition))
