"""Tumour assessments and treatment by row: their columns by hand, and what was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from pages._ui import widgets
from pages._ui.inputs import choose, choose_one, plain
from pages._ui.outcome_parts import apply, column_names, heading, problems, row_filter, values_meant
from pages._ui.visit_card import meanings, visit_form, visits_in_columns
from sts_core.assessments import assessment_findings, assessments_of
from sts_core.cohort import Cohort
from sts_core.display import counted
from sts_core.exposures import exposure_findings, exposures_of
from sts_core.findings import Finding, StudyError
from sts_core.study import (
    AssessmentDefinition,
    CountOfRows,
    ExposureDefinition,
    Status,
    Study,
)
from sts_core.table_rows import Trouble

_NONE = "(none)"
_INDEX = {
    "": "(please choose)",
    "at_start": "the line that starts on a day of the patient table",
    "first": "the first line of each patient",
    "last": "the last line of each patient",
    "every": "every line",
}
_RESULTS = {
    "target_sum": "Sum of target lesions",
    "node_short_axis": "Nodal short axis",
    "target_response": "Response of target lesions",
    "non_target": "Non-target lesions",
    "overall": "Overall response",
    "visit": "Visit",
}


def _other_tables(cohort: Cohort) -> list[str]:
    return [role for role in cohort.tables if role != "subjects"]


def _column(cohort: Cohort, role: str, label: str, key: str, kept: str | None) -> str | None:
    options = [_NONE, *column_names(cohort, role)]
    chosen = choose(label, options, f"{key}.{role}", kept=kept or _NONE)
    return None if chosen == _NONE else chosen


def _name(cohort: Cohort, role: str) -> str:
    table = cohort.tables[role]
    return table.sheet or table.file


def _begin(cohort: Cohort, title: str, text: str, key: str, start: Callable[[str], None]) -> None:
    """Offer a table to begin with."""
    heading(title, None, cohort.study, key)
    roles = _other_tables(cohort)
    if not roles:
        st.caption(f"{text} No such table is here: add its sheet or file above.")
        return
    st.caption(text)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {role: _name(cohort, role) for role in roles}
        role = choose("Table", roles, f"{key}.table", names=names)
        if widgets.pressed("Choose its columns", f"{key}.begin"):
            start(role)


def assessments(cohort: Cohort) -> None:
    """Show the tumour assessments, or offer to choose their table."""
    study = cohort.study
    definition = study.definitions.assessments
    key = "visits"
    if definition is None:
        _begin_assessments(cohort, key)
        return
    heading("Tumour assessments", definition.status, _with_assessments(study, None), key)
    role = definition.table
    if role not in cohort.tables:
        st.error(f"The table “{plain(role)}” isn't there: add its file, or remove the assessments.")
        return
    if definition.visits:
        new = visits_in_columns(cohort, definition)
        meanings(cohort, definition, _read_assessments(cohort))
        _confirm(cohort, definition, new, _with_assessments, key)
        return
    changed: dict[str, Any] = {}
    with st.container(horizontal=True):
        when = _column(cohort, role, "Date", f"{key}.date", definition.date)
        if when is None:
            changed["day"] = _column(cohort, role, "Study day", f"{key}.day", definition.day)
        for name in ("overall", "target_response", "non_target"):
            changed[name] = _column(
                cohort, role, _RESULTS[name], f"{key}.{name}", getattr(definition, name)
            )
    with st.container(horizontal=True):
        for name in ("target_sum", "node_short_axis", "visit"):
            changed[name] = _column(
                cohort, role, _RESULTS[name], f"{key}.{name}", getattr(definition, name)
            )
        lesion = _column(cohort, role, "New lesion", f"{key}.new", definition.new_lesion)
        evaluable = _column(cohort, role, "Evaluable", f"{key}.evaluable", definition.evaluable)
    unit: Any = definition.size_unit
    if changed["target_sum"] or changed["node_short_axis"]:
        unit = choose_one("Sizes are in", ["mm", "cm"], f"{key}.unit", kept=definition.size_unit)
    lesion_values = values_of(
        cohort, role, lesion, definition.new_lesion, definition.new_lesion_values, f"{key}.new"
    )
    evaluable_values = values_of(
        cohort, role, evaluable, definition.evaluable, definition.evaluable_values,
        f"{key}.evaluable",
    )  # fmt: skip
    rows = row_filter(cohort, role, definition.rows, key)
    day = changed.pop("day", None)
    if when is None and day is None:
        st.error("Choose the column of the date, or of the study day.")
        return
    changed |= _origin(cohort, key, definition, by_day=when is None)
    try:
        new = replace(
            definition,
            date=when,
            day=day,
            size_unit=unit,
            new_lesion=lesion,
            new_lesion_values=lesion_values,
            evaluable=evaluable,
            evaluable_values=evaluable_values,
            rows=rows,
            **changed,
        )
    except ValueError:
        st.error("Choose at least one column that says what was found.")
        return
    meanings(cohort, definition, _read_assessments(cohort))
    _confirm(cohort, definition, new, _with_assessments, key)


def _origin(
    cohort: Cohort,
    key: str,
    definition: AssessmentDefinition | ExposureDefinition,
    *,
    by_day: bool,
) -> dict[str, Any]:
    """Ask from which date of a patient days are counted, and which number that day has."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        options = [_NONE, *column_names(cohort, "subjects")]
        origin = choose(
            "Days count from", options, f"{key}.origin", kept=definition.origin or _NONE,
            help="A date of the patient table. It turns dates into days, or study days into dates.",
        )  # fmt: skip
        changed: dict[str, Any] = {"origin": None if origin == _NONE else origin}
        if by_day:
            first = choose_one(
                "That day is", ["1", "0"], f"{key}.first", kept=str(definition.first_day),
                names={"1": "day 1 (no day 0)", "0": "day 0"},
            )  # fmt: skip
            changed["first_day"] = int(first)
    return changed


def _read_assessments(cohort: Cohort) -> list[str]:
    """Say what was read; give the values of responses that nothing was said about."""
    try:
        read = assessments_of(cohort)
    except StudyError as error:
        problems(error)
        return []
    n_out = f"; {counted(read.n_other_rows, 'other row')}" if read.n_other_rows else ""
    st.caption(
        f"{counted(read.n, 'assessment')} of {counted(read.n_with_rows, 'patient')}, "
        f"{int(read.evaluable.sum())} evaluable{n_out}."
    )
    _findings(assessment_findings(cohort))
    unknown = [item for item in read.problems if item.trouble is Trouble.VALUE_UNKNOWN]
    return list(dict.fromkeys(value for item in unknown for value in item.values))


def _begin_assessments(cohort: Cohort, key: str) -> None:
    """Offer a table with a row an assessment, or with visits in columns."""

    def begin(role: str) -> None:
        columns = column_names(cohort, role)
        if len(columns) < 2:
            st.error("The table needs a column of dates and one of results.")
            return
        first = AssessmentDefinition(date=columns[0], overall=columns[1], table=role)
        apply(_with_assessments(cohort.study, first))
        st.rerun()

    _begin(
        cohort, "Tumour assessments",
        "One row an assessment: its date, and target sum, response or new lesions.", key, begin,
    )  # fmt: skip
    with st.expander("Visits in columns, one row a patient", icon=":material/view_column:"):
        names = {role: _name(cohort, role) for role in cohort.tables}
        role = choose("Table", list(names), f"{key}.wide", names=names)
        st.caption("Name the columns of the first visit; more visits are added afterwards.")
        made = visit_form(cohort, role, None, f"{key}.first.{role}")
        if made is not None:
            apply(_with_assessments(cohort.study, AssessmentDefinition(visits=(made,), table=role)))
            st.rerun()


def values_of(
    cohort: Cohort,
    role: str,
    column: str | None,
    before: str | None,
    kept: tuple[Any, ...],
    key: str,
) -> tuple[Any, ...]:
    """Ask which values of a column mean yes."""
    if column is None:
        return ()
    return values_meant(cohort, role, column, kept if column == before else (), key, "yes is")


def exposures(cohort: Cohort) -> None:
    """Show treatment by row, or offer to choose its table."""
    study = cohort.study
    definition = study.definitions.exposures
    key = "treatment"
    if definition is None:

        def begin(role: str) -> None:
            columns = column_names(cohort, role)
            if columns:
                apply(_with_exposures(study, ExposureDefinition(start=columns[0], table=role)))
                st.rerun()

        _begin(
            cohort, "Treatment by row",
            "One row a drug and a period, or a dose: drug, start, stop, reason of stopping.",
            key, begin,
        )  # fmt: skip
        return
    heading("Treatment by row", definition.status, _with_exposures(study, None), key)
    role = definition.table
    if role not in cohort.tables:
        st.error(f"The table “{plain(role)}” isn't there: add its file, or remove the treatment.")
        return
    with st.container(horizontal=True):
        start = choose(
            "Start", column_names(cohort, role), f"{key}.start.{role}", kept=definition.start
        )
        stop = _column(cohort, role, "Stop", f"{key}.stop", definition.stop)
        drug = _column(cohort, role, "Drug", f"{key}.drug", definition.drug)
        dose = _column(cohort, role, "Dose", f"{key}.dose", definition.dose)
        reason = _column(cohort, role, "Reason of stopping", f"{key}.reason", definition.reason)
        ongoing = _column(cohort, role, "Still ongoing", f"{key}.ongoing", definition.ongoing)
    ongoing_values = values_of(
        cohort, role, ongoing, definition.ongoing, definition.ongoing_values, f"{key}.ongoing"
    )
    line, index, index_start = _line(cohort, definition, key)
    rows = row_filter(cohort, role, definition.rows, key)
    times: Any = choose_one(
        "Start and stop are", ["dates", "days"], f"{key}.times", kept=definition.times,
        names={"dates": "dates", "days": "study days"},
    )  # fmt: skip
    origin = _origin(cohort, key, definition, by_day=times == "days")
    if stop == start:
        st.error("Start and stop are two columns; for single doses leave the stop out.")
        return
    new = replace(
        definition, start=start, stop=stop, drug=drug, dose=dose, reason=reason, rows=rows,
        ongoing=ongoing, ongoing_values=ongoing_values, times=times, line=line, index=index,
        index_start=index_start, **origin,
    )  # fmt: skip
    try:
        read = exposures_of(cohort)
    except StudyError as error:
        problems(error)
    else:
        drugs = len({name for name in read.drug if name is not None})
        st.caption(
            f"{counted(len(read.subject), 'row')} of {counted(len(set(read.subject)), 'patient')}"
            + (f", {counted(drugs, 'drug')}." if drugs else ".")
            + (f" {counted(read.n_other_rows, 'row')} of other lines." if read.lines else "")
        )
        _findings(exposure_findings(cohort))
    if new.line is None or new.index is not None or new != definition:
        _confirm(cohort, definition, new, _with_exposures, key)


def _line(
    cohort: Cohort, definition: ExposureDefinition, key: str
) -> tuple[str | None, Any, str | None]:
    """Ask for the column of the line of treatment, and which line is the one that is studied."""
    role = definition.table
    with st.container(horizontal=True):
        line = _column(cohort, role, "Line of treatment", f"{key}.line", definition.line)
        if line is None:
            return None, None, None
        asked = choose(
            "The treatment that is studied is", list(_INDEX), f"{key}.index.{role}",
            kept=definition.index or "", names=_INDEX,
            help="Rows of other lines don't count as that treatment. They stay in the table, for "
            "criteria and for the number of lines.",
        )  # fmt: skip
        if asked != "at_start":
            return line, asked or None, None
        columns = column_names(cohort, "subjects")
        started = choose(
            "It starts on the day in", columns, f"{key}.index_start",
            kept=definition.index_start or _proposed_start(cohort, columns),
        )  # fmt: skip
    return line, asked, started


def _proposed_start(cohort: Cohort, columns: list[str]) -> str:
    """Give the date before which lines are counted as prior, or that of an endpoint's start."""
    definitions = cohort.study.definitions
    named = [
        item.derived.before
        for item in definitions.variables.values()
        if isinstance(item.derived, CountOfRows)
    ]
    named += [item.start for item in definitions.endpoints.values() if item.table == "subjects"]
    return next((name for name in named if name in columns and name is not None), columns[0])


def _findings(found: tuple[Finding, ...] | list[Finding]) -> None:
    for finding in found:
        st.warning(plain(str(finding)))


def _confirm(
    cohort: Cohort, old: Any, new: Any, put: Callable[[Study, Any], Study], key: str
) -> None:
    """Take changes over at once, and offer to confirm what was only recognised."""
    if new != old:
        apply(put(cohort.study, replace(new, status=old.status)))
        st.rerun()
    if old.status is not Status.CONFIRMED and widgets.pressed(
        "Confirm", f"{key}.confirm", type="primary"
    ):
        apply(put(cohort.study, replace(new, status=Status.CONFIRMED)))
        st.rerun()


def _with_assessments(study: Study, definition: AssessmentDefinition | None) -> Study:
    return replace(study, definitions=replace(study.definitions, assessments=definition))


def _with_exposures(study: Study, definition: ExposureDefinition | None) -> Study:
    return replace(study, definitions=replace(study.definitions, exposures=definition))
