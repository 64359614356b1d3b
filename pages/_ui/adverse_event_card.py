"""Adverse events chosen by hand: their form, their columns, and the names they are counted by."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, cast

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import choose, choose_one, plain
from pages._ui.outcome_parts import (
    apply,
    column_names,
    heading,
    problems,
    row_filter,
    values_meant,
)
from sts_core.adverse_event_forms import (
    RecordedTerm,
    merged_terms,
    recorded_terms,
    with_terms,
)
from sts_core.analysis.adverse_events import AdverseEventSpec, adverse_events
from sts_core.cohort import Cohort
from sts_core.display import counted, joined
from sts_core.findings import StudyError
from sts_core.study import AdverseEventDefinition, Scalar, Status, Study
from sts_core.terminology.ctcae import VERSION, terms

Form = Literal["long", "wide", "cells"]
_NONE = "(none)"
_KEEP = "(name of the file)"
_BY_ITSELF = "(by CTCAE and its synonyms)"
_SHOWN_MERGES = 4
_FORMS = {
    "long": "one row an event",
    "wide": "one column a term",
    "cells": "several events in a cell",
}
_NUMBERS = {"grades": "grades (0 is no event)", "yes_no": "1 for yes, 0 for no"}
_TERMS = {"as_recorded": "as the file has them", "ctcae": f"terms of {VERSION}"}


def card(cohort: Cohort) -> None:
    """Show how adverse events are recorded and counted, and how to change it."""
    definition = cohort.study.definitions.adverse_events
    heading(
        "Adverse events", definition.status if definition else None,
        _with_events(cohort.study, None), "ae",
    )  # fmt: skip
    if definition is None or definition.table not in cohort.tables:
        if definition is not None:
            st.warning(f"The table “{plain(definition.table)}” isn't there.")
        _choose(cohort)
        return
    asked = _long_columns if definition.form == "long" else _across_columns
    new = replace(asked(cohort, definition), status=definition.status)
    if new != definition:
        state.change_study(_with_events(cohort.study, new))
        st.rerun()
    usable = _counts(cohort, definition)
    if usable:
        _names(cohort, definition)
    with st.container(horizontal=True, vertical_alignment="center"):
        if definition.status is not Status.CONFIRMED:
            widgets.button(
                "Confirm adverse events",
                "ae.confirm",
                apply,
                (_with_events(cohort.study, replace(new, status=Status.CONFIRMED)),),
                type="primary",
                disabled=not usable,
            )
        with st.popover("Choose another form or table", icon=":material/view_column:"):
            _choose(cohort)


def _with_events(study: Study, definition: AdverseEventDefinition | None) -> Study:
    return replace(study, definitions=replace(study.definitions, adverse_events=definition))


def _counts(cohort: Cohort, definition: AdverseEventDefinition) -> bool:
    """Say what is counted; whether it can be."""
    try:
        found = adverse_events(cohort, AdverseEventSpec(related_only=False))
        counts = found.any_event.overall
        text = f"{counted(counts.n_events, 'event')} in {counts.n_any} of "
        text += f"{counted(counts.n, 'patient')} analysed"
        if found.n_silent:
            text += f"; nothing is recorded of {counted(found.n_silent, 'patient')}"
        if definition.related is not None and definition.related_values:
            related = adverse_events(cohort, AdverseEventSpec()).any_event.overall
            text += (
                f"; treatment-related: {counted(related.n_events, 'event')} in "
                f"{counted(related.n_any, 'patient')}"
            )
    except StudyError as error:
        problems(error)
        return False
    st.caption(f"{text}.")
    return True


# --- form and columns ----------------------------------------------------------------------------


def _choose(cohort: Cohort) -> None:
    """Offer a form, a table, and its columns; what depends on them is asked afterwards."""
    # a list: buttons in a popover don't show what is chosen before it was opened once
    form = cast("Form", choose("Adverse events are recorded as", list(_FORMS), "ae.choose.form",
                               names=_FORMS))  # fmt: skip
    if form == "long":
        _choose_long(cohort)
    else:
        _choose_across(cohort, form)


def _choose_long(cohort: Cohort) -> None:
    tables = [role for role in cohort.tables if role != "subjects"]
    if not tables:
        st.write(
            "There is no sheet or file with one row per adverse event (patient id, term, grade). "
            "That does not mean that there were none. Add it under “Other files”, or give its "
            "sheet a role above; then its columns can be chosen here. If the patient table has a "
            "column for each event, or a column in which events are listed, choose that form."
        )
        return
    st.write("Which table has one row per adverse event, and which column names the event?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = choose(
            "Table", tables, "ae.choose.table",
            kept="adverse_events" if "adverse_events" in tables else None,
        )  # fmt: skip
        columns = column_names(cohort, role)
        if not columns:
            st.info("This table has no column but the patient id.")
            return
        term = choose("Term", columns, f"ae.choose.term.{role}")
    widgets.button(
        "Use this table",
        "ae.choose.use",
        apply,
        (_with_events(cohort.study, AdverseEventDefinition(term=term, table=role)),),
        type="primary",
    )


def _choose_across(cohort: Cohort, form: Form) -> None:
    st.write(
        "Which columns stand for one event each? Their cells hold its grade (3, G3, III), or yes "
        "and no."
        if form == "wide"
        else "Which columns list events with their grades (“hypertension G2; rash G1”)?"
    )
    role = choose("Table", list(cohort.tables), f"ae.choose.{form}.table")
    columns = column_names(cohort, role)
    key = f"ae.choose.{form}.columns.{role}"
    chosen = widgets.multiselect(
        "Columns",
        columns,
        key,
        [],
    )
    numbers = "grades"
    if form == "wide":
        numbers = choose("Numbers are", list(_NUMBERS), "ae.choose.numbers", names=_NUMBERS)
    if not chosen:
        return
    made = AdverseEventDefinition(
        form=form, table=role, columns=tuple(name for name in columns if name in chosen),
        numbers=cast("Literal['grades', 'yes_no']", numbers),
    )  # fmt: skip
    trial = replace(cohort, study=_with_events(cohort.study, made))
    try:
        found = recorded_terms(trial)
    except StudyError as error:
        problems(error)
        return
    shown = joined([f"{item.name} ({item.n_events})" for item in _frequent(found)[:8]])
    rest = len(found) - 8
    st.caption(
        f"Events found: {plain(shown)}{f' and {rest} more names' if rest > 0 else ''}."
        if found
        else "No event is found in these columns."
    )
    widgets.button(
        "Use these columns",
        "ae.choose.use",
        apply,
        (_with_events(cohort.study, made),),
        type="primary",
        disabled=not found,
    )


def _frequent(found: Sequence[RecordedTerm]) -> list[RecordedTerm]:
    return sorted(found, key=lambda item: (-item.n_events, item.name))


def _across_columns(cohort: Cohort, old: AdverseEventDefinition) -> AdverseEventDefinition:
    columns = column_names(cohort, old.table)
    options = [*columns, *(name for name in old.columns if name not in columns)]
    where = "the patient table" if old.table == "subjects" else f"the table “{old.table}”"
    st.caption(plain(f"Recorded as {_FORMS[old.form]}, in {where}."))
    chosen = widgets.multiselect(
        "Columns",
        options,
        "ae.columns",
        list(old.columns),
    )
    kept = tuple(name for name in options if name in chosen)
    same = set(kept) == set(old.columns)
    numbers: str = old.numbers
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if old.form == "wide":
            numbers = choose_one(
                "Numbers are", list(_NUMBERS), "ae.numbers", kept=old.numbers, names=_NUMBERS
            )
        rows = row_filter(cohort, old.table, old.rows, "ae")
        version = _version(old)
    if not kept:
        st.info("Choose at least one column, or remove the adverse events.")
    return replace(
        old, columns=old.columns if same or not kept else kept, rows=rows, version=version,
        numbers=cast("Literal['grades', 'yes_no']", numbers),
    )  # fmt: skip


def _version(old: AdverseEventDefinition) -> str | None:
    said = widgets.text_input(
        "Terminology and version",
        "ae.version",
        old.version or "",
        placeholder="for instance: CTCAE 5.0",
        max_chars=60,
        width=240,
    )
    return said.strip() or None


def _long_columns(cohort: Cohort, old: AdverseEventDefinition) -> AdverseEventDefinition:
    role = old.table
    columns = column_names(cohort, role)

    def column(label: str, part: str, kept: str | None) -> str | None:
        gone = [kept] if kept is not None and kept not in columns else []
        chosen = choose(
            label, [_NONE, *gone, *columns], f"ae.{part}", kept=kept or _NONE,
            names={name: f"{name} (not in this sheet)" for name in gone},
        )  # fmt: skip
        return None if chosen == _NONE else chosen

    with st.container(horizontal=True):
        gone = [] if old.term is None or old.term in columns else [old.term]
        term = choose("Term", [*gone, *columns], "ae.term", kept=old.term)
        grade = column("Grade (1-5)", "grade", old.grade)
        organ_class = column("System organ class", "class", old.system_organ_class)
        related = column("Related to treatment", "related", old.related)
        serious = column("Serious", "serious", old.serious)

    def meant(
        name: str | None, part: Literal["related", "serious"], verb: str
    ) -> tuple[Scalar, ...]:
        was = old.related if part == "related" else old.serious
        kept = old.related_values if part == "related" else old.serious_values
        if name is None:
            return ()
        if name not in columns:
            return kept
        return values_meant(cohort, role, name, kept if name == was else (), f"ae.{part}", verb)

    related_values = meant(related, "related", "means related to treatment when it is")
    serious_values = meant(serious, "serious", "means serious when it is")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = row_filter(cohort, role, old.rows, "ae")
        version = _version(old)
    return replace(
        old, term=term, grade=grade, system_organ_class=organ_class, related=related,
        related_values=related_values, serious=serious, serious_values=serious_values, rows=rows,
        version=version,
    )  # fmt: skip


# --- names ---------------------------------------------------------------------------------------


def _names(cohort: Cohort, definition: AdverseEventDefinition) -> None:
    """Show what each name of the file would be in CTCAE, and offer to count by that."""
    found = recorded_terms(cohort)
    if not found:
        return
    chosen = choose_one(
        "Count events by names", list(_TERMS), "ae.terms", kept=definition.terms, names=_TERMS,
        help="Names that mean the same term come together; a patient then counts once, at the "
        "worst grade of all of them.",
    )  # fmt: skip
    if chosen != definition.terms:
        picked = cast("Literal['as_recorded', 'ctcae']", chosen)
        state.change_study(_with_events(cohort.study, replace(definition, terms=picked)))
        st.rerun()
    st.caption(plain(_effect(found, mapped=definition.terms == "ctcae")))
    unmapped = sum(item.counted.term is None for item in found)
    title = f"Names in the file and their terms ({len(found)}"
    title += f", {unmapped} of them without a term)" if unmapped else ")"
    with st.expander(title, icon=":material/translate:", key="ae.names"):
        _terms_of_names(definition, found, cohort.study)


def _terms_of_names(
    definition: AdverseEventDefinition, found: Sequence[RecordedTerm], study: Study
) -> None:
    """Show the term of each name, and take any number of them by hand at once."""
    rows = [_row(item) for item in found]
    # other rows than those that were edited must not take over what was edited
    said = zlib.crc32(repr((definition.mapped, [item.name for item in found])).encode())
    with st.form(f"ae.terms.form.{said}", border=False):
        edited = st.data_editor(
            rows,
            key=f"ae.editor.{said}",
            hide_index=True,
            width="stretch",
            height=min(36 * (len(found) + 1) + 4, 420),
            disabled=[name for name in rows[0] if name != VERSION],
            column_config={
                "Name in the file": st.column_config.TextColumn(width=200, pinned=True),
                "Events": st.column_config.NumberColumn(width=70),
                "Patients": st.column_config.NumberColumn(width=75),
                "Without grade": st.column_config.NumberColumn(width=110),
                VERSION: st.column_config.SelectboxColumn(
                    f"{VERSION} (click to change)", width=260, required=True,
                    options=[_BY_ITSELF, _KEEP, *terms()],
                ),
                "Because": st.column_config.TextColumn(width=300),
            },
        )  # fmt: skip
        sent = widgets.submitted(
            "Apply these terms", "ae.terms.apply", icon=":material/check:",
            help="All changes at once; undo takes them back together.",
        )  # fmt: skip
    if not sent:
        return
    chosen = {
        item.name: {_BY_ITSELF: None, _KEEP: ""}.get(term, term)
        for item, before, after in zip(found, rows, edited, strict=True)
        if (term := str(after[VERSION])) != before[VERSION]
    }
    if not chosen:
        st.info("No term was changed: click a cell of the column of terms to choose another.")
        return
    state.drop_widget("ae.terms")
    state.change_study(_with_events(study, with_terms(definition, chosen)))
    st.rerun()


def _effect(found: Sequence[RecordedTerm], *, mapped: bool) -> str:
    """Say in numbers what counting by CTCAE does."""
    with_term = [item for item in found if item.counted.term is not None]
    n_after = len({item.counted.name for item in with_term}) + len(found) - len(with_term)
    verb = "have" if mapped else "would have"
    text = (
        f"{len(with_term)} of {counted(len(found), 'name')} in the file {verb} a term of {VERSION}"
    )
    merged = merged_terms(found)
    if not merged:
        return f"{text}; none of them come together."
    text += f", so that {n_after} {'are' if mapped else 'would be'} left. Together: "
    shown = [f"{' + '.join(names)} → {name}" for name, names in [*merged.items()][:_SHOWN_MERGES]]
    rest = len(merged) - _SHOWN_MERGES
    return f"{text}{'; '.join(shown)}{f'; and {rest} more' if rest > 0 else ''}."


def _row(item: RecordedTerm) -> dict[str, str | int]:
    because = item.counted.how
    if item.counted.source:
        because += f" ({item.counted.source})"
    if item.candidates:
        because = f"could mean {joined([term.name for term in item.candidates], 'or')}"
    return {
        "Name in the file": item.name,
        "Events": item.n_events,
        "Patients": item.n_patients,
        "Without grade": item.n_ungraded,
        VERSION: item.counted.term.name if item.counted.term else _KEEP,
        "Because": because,
    }
