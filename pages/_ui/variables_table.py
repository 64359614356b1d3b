"""Variables with their evidence, in a table that can be edited."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from pages._ui import state, widgets
from pages._ui.derivation_form import derivation_form
from pages._ui.variable_editor import editor
from sts_core.cohort import Cohort
from sts_core.derive import (
    column_summary,
    derivation_sentence,
    variable_summary,
)
from sts_core.findings import StudyError
from sts_core.overview import column_roles
from sts_core.reading.proposal import ColumnEvidence
from sts_core.study import Measured, Status, Study, Variable, VariableKind

_KINDS = {
    VariableKind.CATEGORICAL: "groups",
    VariableKind.ORDERED: "ordered groups",
    VariableKind.NUMERIC: "number",
    VariableKind.DATE: "date",
}
_KIND_OF = {name: kind for kind, name in _KINDS.items()}
_KNOWN = {
    Measured.BASELINE: "before time zero",
    Measured.POST_BASELINE: "after time zero",
    Measured.UNKNOWN: "not stated",
}
_MEASURED_OF = {name: measured for measured, name in _KNOWN.items()}
_LEFT_OUT = "no variable"
_EDITED = ("Name", "Type", "Known")


def variables(cohort: Cohort, evidence: Mapping[str, ColumnEvidence]) -> None:
    """Show every column of the patient table with what it was taken for; each can be changed."""
    rows = _rows(cohort, evidence)
    edits = widgets.edited_table(
        rows,
        f"variables.{cohort.data_hash[:8]}",
        _EDITED,
        width="stretch",
        height=min(36 * (len(rows) + 1) + 4, 560),
        column_order=["Column", "Name", "Type", "Known", "Values", "Known in", "Why"],
        column_config={
            "Column": st.column_config.TextColumn(width=170, pinned=True),
            "Name": st.column_config.TextColumn("Name in figures", width=190, max_chars=80),
            "Type": st.column_config.SelectboxColumn(
                options=[*_KIND_OF, _LEFT_OUT], required=True, width=130
            ),
            "Known": st.column_config.SelectboxColumn(
                "When known", options=list(_MEASURED_OF), required=True, width=140,
                help="Survival is compared only by what was known before time zero.",
            ),
            "Values": st.column_config.TextColumn(width="large"),
            "Known in": st.column_config.TextColumn("Filled in", width="small"),
            "Why": st.column_config.TextColumn("Taken for this because", width="medium"),
        },
    )  # fmt: skip
    if edits:
        study = _edited(cohort.study, rows, edits)
        still_used = used_by_others(study)
        if study == cohort.study:
            state.leave_notice("A column that is no variable has no name: choose its type first.")
        elif still_used:
            state.leave_notice(f"{'; '.join(still_used)}: leave that out first, or make it anew.")
        else:
            state.change_study(study)
        st.rerun()
    derivation_form(cohort)
    with st.container(border=True):
        editor(cohort)


def used_by_others(study: Study) -> list[str]:
    """Name what would lose a variable that it is made of."""
    variables = study.definitions.variables
    before = state.workspace().study
    gone = {*before.definitions.variables} - {*variables} if before else set()
    return [
        f"“{variable.label}” is made of “{before.definitions.variables[name].label}”"
        for variable in variables.values()
        if variable.derived is not None and before is not None
        for name in variable.derived.inputs
        if name in gone
    ]


def _rows(cohort: Cohort, evidence: Mapping[str, ColumnEvidence]) -> dict[Hashable, dict[str, Any]]:
    """Give the cells of each row, by the column, and the variable if it isn't its first one."""
    variables = cohort.study.definitions.variables
    by_column: dict[str, list[str]] = {}
    for key, known in variables.items():
        if known.table == "subjects" and known.derived is None:
            by_column.setdefault(known.column or key, []).append(key)
    source = cohort.study.data.tables["subjects"]
    roles = column_roles(cohort)
    rows: dict[Hashable, dict[str, Any]] = {}
    for name in map(str, cohort.tables["subjects"].frame.columns):
        if name == source.subject_id:
            continue
        reason = evidence[name].reason if name in evidence else ""
        why = "; ".join(filter(None, [roles.get(name), reason]))
        hidden = name in evidence and not evidence[name].counts and not evidence[name].samples
        summary = column_summary(cohort, name, show_values=not hidden)
        for number, key in enumerate(by_column.get(name, [""])):
            variable = variables.get(key)
            rows[name, key if number else ""] = {
                "_key": key,
                "Column": name,
                "Name": variable.label if variable else name,
                "Type": _KINDS[variable.kind] if variable else _LEFT_OUT,
                "Known": _KNOWN[variable.measured if variable else Measured.UNKNOWN],
                "Values": summary.text,
                "Known in": f"{summary.n_known} of {summary.n}",
                "Why": why,
            }
    for key, known in variables.items():
        if known.table != "subjects" or known.derived:
            rows["", key] = {
                "_key": key,
                "Column": "(made of others)"
                if known.derived
                else f"{known.column or key} ({known.table})",
                "Name": known.label,
                "Type": _KINDS[known.kind],
                "Known": _KNOWN[known.measured],
                **_made(cohort, key),
            }
    return rows


def _made(cohort: Cohort, key: str) -> dict[str, str]:
    """Give the cells of a variable that is no column of the patient table."""
    try:
        summary = variable_summary(cohort, key)
        why = derivation_sentence(cohort, key) or "joined by patient id"
    except StudyError as error:
        said = " ".join(finding.message for finding in error.findings)
        return {"Values": "", "Known in": "", "Why": said}
    known = f"{summary.n_known} of {summary.n}"
    return {"Values": summary.text, "Known in": known, "Why": why}


def _edited(
    study: Study,
    rows: Mapping[Hashable, Mapping[str, Any]],
    edits: Mapping[Hashable, Mapping[str, Any]],
) -> Study:
    """Give the study with the edits of the table."""
    variables = dict(study.definitions.variables)
    for name, edit in edits.items():
        if name not in rows:  # gone in the meantime
            continue
        old, new = rows[name], {**rows[name], **edit}
        key = old["_key"]
        if new["Type"] == _LEFT_OUT:
            variables.pop(key, None)
            continue
        known = variables.get(key)
        variable = known or Variable(label=old["Column"], column=old["Column"])
        key = key or _free_key(study, old["Column"])
        variables[key] = replace(
            variable,
            label=str(new["Name"] or old["Column"]).strip() or old["Column"],
            kind=_KIND_OF[new["Type"]],
            measured=_MEASURED_OF[new["Known"]],
            status=Status.CONFIRMED,
        )
    return replace(study, definitions=replace(study.definitions, variables=variables))


def _free_key(study: Study, column: str) -> str:
    base = re.sub(r"\W+", "_", column).strip("_").lower() or "variable"
    key, number = base, 1
    while key in study.definitions.variables or key in study.definitions.groupings:
        number += 1
        key = f"{base}_{number}"
    return key
