"""Best response and adverse events chosen by hand: columns, and what their values mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from pages._ui import adverse_event_card, assessment_cards, state, widgets
from pages._ui.inputs import choose, choose_one, plain, shown_name
from pages._ui.outcome_parts import apply, column_names, heading, problems, row_filter
from sts_core.analysis.response import assessment_text, response_counts
from sts_core.cohort import Cohort
from sts_core.derive import is_categorical, levels_of, variable_of
from sts_core.display import counted
from sts_core.findings import StudyError
from sts_core.reading.proposal import ColumnEvidence
from sts_core.reading.response import guess_assessment, meaning_of
from sts_core.study import (
    Measured,
    ResponseDefinition,
    Scalar,
    Status,
    Study,
    Variable,
)

MAX_LEVELS = 20
_ROLES = {
    "response": "objective response",
    "control": "disease control only",
    "progression": "progression",
    "not_evaluable": "not evaluable",
    "neither": "not named",
}
_ROLE_OF = {
    "CR": "response", "PR": "response", "SD": "control", "PD": "progression", "NE": "not_evaluable",
}  # fmt: skip
_CHOOSE = "(choose)"
_CONFIRMATION = {"unknown": "not stated", "yes": "confirmed", "no": "not confirmed"}


def outcomes(cohort: Cohort, evidence: Mapping[str, ColumnEvidence]) -> None:
    """Show best response and adverse events, each with what it rests on and how to change it."""
    with st.container(border=True, key="outcome-response"):
        _response_card(cohort, evidence)
    with st.container(border=True, key="outcome-adverse-events"):
        adverse_event_card.card(cohort)
    with st.container(border=True, key="outcome-assessments"):
        assessment_cards.assessments(cohort)
    with st.container(border=True, key="outcome-exposures"):
        assessment_cards.exposures(cohort)


# --- best response -------------------------------------------------------------------------------


def _with_response(study: Study, definition: ResponseDefinition | None) -> Study:
    return replace(study, definitions=replace(study.definitions, response=definition))


def _response_card(cohort: Cohort, evidence: Mapping[str, ColumnEvidence]) -> None:
    definition = cohort.study.definitions.response
    heading(
        "Best overall response", definition.status if definition else None,
        _with_response(cohort.study, None), "response",
    )  # fmt: skip
    if definition is None:
        st.write(
            "No column of best response (CR, PR, SD, PD, NE) was recognised or chosen. That is no "
            "response rate of 0%: choose the column here if the file has one."
        )
        _choose_response(cohort)
        return
    try:
        variable = variable_of(cohort, definition.variable)
        _response_source(definition, variable, evidence)
        new = _assessment(_meanings(cohort, definition), definition)
    except StudyError as error:
        problems(error)
        with st.expander("Choose another column", expanded=True):
            _choose_response(cohort)
        return
    if new != definition:
        state.change_study(_with_response(cohort.study, new))
        st.rerun()
    try:
        found = response_counts(cohort)
        st.caption(
            f"{found.objective_response} with objective response, {found.disease_control} with "
            f"disease control, {found.not_evaluable} not evaluable, {found.not_recorded} not "
            f"recorded, of {counted(found.n, 'patient')} analysed. "
            f"{plain(assessment_text(definition))}"
        )
        usable = True
    except StudyError as error:
        problems(error)
        usable = False
    with st.container(horizontal=True, vertical_alignment="center"):
        if definition.status is not Status.CONFIRMED:
            widgets.button(
                "Confirm best response",
                "response.confirm",
                apply,
                (_with_response(cohort.study, replace(new, status=Status.CONFIRMED)),),
                type="primary",
                disabled=not usable,
            )
        with st.popover("Choose another column", icon=":material/view_column:"):
            _choose_response(cohort)


def _response_source(
    definition: ResponseDefinition, variable: Variable, evidence: Mapping[str, ColumnEvidence]
) -> None:
    column = variable.column or definition.variable
    text = f"In “{column}”"
    if variable.table != "subjects":
        text += f" of the table “{variable.table}”"
    for name, values in variable.rows.items():
        text += f", rows where {name} is {', '.join(map(str, values))}"
    found = evidence.get(column if variable.table == "subjects" else f"{variable.table}.{column}")
    if found is not None and found.reason:
        text += f". Taken for this because: {found.reason}"
    st.caption(f"{plain(text)}.")


def _role_in(definition: ResponseDefinition, level: str) -> str:
    for role, levels in (
        ("response", definition.responders),
        ("control", definition.controlled),
        ("progression", definition.progression),
        ("not_evaluable", definition.not_evaluable),
    ):
        if level in levels:
            return role
    return "neither"


def _meanings(cohort: Cohort, definition: ResponseDefinition) -> ResponseDefinition:
    """Ask what each level means."""
    found = levels_of(cohort, definition.variable)
    if len(found.levels) > MAX_LEVELS:
        st.warning(
            f"“{plain(found.label)}” has {len(found.levels)} different values and can't be a "
            "best response."
        )
        return definition
    counts = Counter(value for value in found.values.tolist() if value is not None)
    roles: dict[str, str] = {}
    with st.container(horizontal=True):
        for level in found.levels:
            role = _role_in(definition, level)
            roles[level] = widgets.selectbox(
                f"{plain(level)} ({counted(counts[level], 'patient')})",
                list(_ROLES),
                f"response.level.{definition.variable}.{level}",
                role,
                format_func=lambda option: _ROLES[option],
                width=205,
            )
    before = {level: _role_in(definition, level) for level in found.levels}
    return definition if roles == before else _with_meanings(definition, roles)


def _with_meanings(definition: ResponseDefinition, roles: Mapping[str, str]) -> ResponseDefinition:
    """Give the definition with the levels' meaning; levels that it doesn't speak of stay."""

    def those(*wanted: str, others: Sequence[str]) -> tuple[str, ...]:
        named = [level for level, role in roles.items() if role in wanted]
        return (*named, *(level for level in others if level not in roles))

    return replace(
        definition,
        responders=those("response", others=definition.responders),
        controlled=those("response", "control", others=definition.controlled),
        progression=those("progression", others=definition.progression),
        not_evaluable=those("not_evaluable", others=definition.not_evaluable),
    )


def _assessment(new: ResponseDefinition, old: ResponseDefinition) -> ResponseDefinition:
    """Ask how responses were assessed; what is left empty is called not stated."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        criteria = widgets.text_input(
            "Criteria",
            "response.criteria",
            old.criteria,
            placeholder="for instance: RECIST 1.1",
            max_chars=60,
            width=210,
        ).strip()
        said = {None: "unknown", True: "yes", False: "no"}[old.confirmed]
        confirmed = choose_one(
            "Responses were", list(_CONFIRMATION), "response.confirmed", kept=said,
            names=_CONFIRMATION,
        )  # fmt: skip
        assessor = widgets.text_input(
            "Assessed by",
            "response.assessor",
            old.assessor or "",
            placeholder="for instance: investigator",
            max_chars=60,
            width=210,
        ).strip()
        days = widgets.number_input(
            "Shortest stable disease, days",
            "response.days",
            old.minimum_stable_days,
            min_value=1,
            max_value=3650,
            step=1,
            placeholder="not stated",
            width=230,
        )
    return replace(
        new,
        criteria=criteria,
        confirmed={"unknown": None, "yes": True, "no": False}[confirmed],
        assessor=assessor or None,
        minimum_stable_days=None if days is None else int(days),
    )


def _choose_response(cohort: Cohort) -> None:
    """Offer a table, a column of it, and the rows that count."""
    tables = {
        role: f"{role} ({table.file}{f' · {table.sheet}' if table.sheet else ''})"
        for role, table in cohort.tables.items()
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = choose("Table", list(tables), "response.choose.table", names=tables)
        known = {
            key: shown_name(key, variable)
            for key, variable in cohort.study.definitions.variables.items()
            if is_categorical(variable) and variable.table == role
        }
        named = {cohort.study.definitions.variables[key].column or key for key in known}
        names = known | {
            name: name
            for name in column_names(cohort, role)
            if name not in named and name not in known
        }
        if not names:
            st.info("This table has no column but the patient id.")
            return
        # nothing is chosen yet: the first column would only by chance be the one
        key = choose(
            "Column", [_CHOOSE, *names], f"response.choose.column.{role}", names=names
        )  # fmt: skip
        if key == _CHOOSE:
            return
        rows: dict[str, tuple[Scalar, ...]] = {}
        if role != "subjects" and key not in known:
            rows = row_filter(cohort, role, {}, f"response.choose.{role}")
    study, definition = _chosen_response(cohort, role, key, rows)
    try:
        trial = replace(cohort, study=study)
        levels = levels_of(trial, definition.variable)
    except StudyError as error:
        problems(error)
        return
    counts = Counter(value for value in levels.values.tolist() if value is not None)
    shown = ", ".join(f"{level} ({counts[level]})" for level in levels.levels[:MAX_LEVELS])
    n_known = sum(counts.values())
    st.caption(
        f"{plain(shown)}; known for {n_known} of {counted(len(levels.values), 'patient')}."
        if shown
        else "It holds no value."
    )
    roles = {level: _ROLE_OF.get(meaning_of(level) or "", "neither") for level in levels.levels}
    empty = replace(definition, responders=(), controlled=(), progression=(), not_evaluable=())
    many = len(levels.levels) > MAX_LEVELS
    if many:
        st.warning(f"{len(levels.levels)} different values can't be a best response.")
    widgets.button(
        "Use this column",
        "response.choose.use",
        apply,
        (_with_response(study, _with_meanings(empty, roles)),),
        type="primary",
        disabled=many or not levels.levels,
    )


def _chosen_response(
    cohort: Cohort, role: str, key: str, rows: dict[str, tuple[Scalar, ...]]
) -> tuple[Study, ResponseDefinition]:
    """Give the study with the column as a variable known only after time zero."""
    variables = dict(cohort.study.definitions.variables)
    if key in variables and variables[key].table == role:
        variable = variables[key]
    else:
        column = key
        variable = Variable(label=column, column=column, table=role, rows=rows)
        base = re.sub(r"\W+", "_", column).strip("_").lower() or "response"
        key, number = base, 1
        while key in variables:
            number += 1
            key = f"{base}_{number}"
    variables[key] = replace(variable, measured=Measured.POST_BASELINE, status=Status.CONFIRMED)
    definitions = replace(cohort.study.definitions, variables=variables)
    guess = guess_assessment((variable.column or key, variable.label))
    return replace(cohort.study, definitions=definitions), replace(guess, variable=key)
