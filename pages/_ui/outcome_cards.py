"""Best response and adverse events chosen by hand: columns, and what their values mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import streamlit as st

from pages._ui import state
from pages._ui.inputs import choose, choose_one, plain, shown_name
from sts_core.analysis.adverse_events import AdverseEventSpec, adverse_events, value_counts
from sts_core.analysis.response import assessment_text, response_counts
from sts_core.cohort import Cohort
from sts_core.derive import is_categorical, levels_of, variable_of
from sts_core.display import counted
from sts_core.findings import StudyError
from sts_core.reading.proposal import ColumnEvidence
from sts_core.reading.response import guess_assessment, meaning_of
from sts_core.study import (
    AdverseEventDefinition,
    Measured,
    ResponseDefinition,
    Scalar,
    Status,
    Study,
    Variable,
)
from sts_core.values import text_of

MAX_LEVELS = 20
MAX_VALUES = 40
_NONE = "(none)"
_ALL_ROWS = "(all rows)"
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
_CONFIRMATION = {"unknown": "not stated", "yes": "confirmed", "no": "not confirmed"}


def outcomes(cohort: Cohort, evidence: Mapping[str, ColumnEvidence]) -> None:
    """Show best response and adverse events, each with what it rests on and how to change it."""
    with st.container(border=True, key="outcome-response"):
        _response_card(cohort, evidence)
    with st.container(border=True, key="outcome-adverse-events"):
        _adverse_events_card(cohort)


def _heading(title: str, status: Status | None, remove: Study, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="stretch")
        if status is None:
            st.badge("Not chosen", icon=":material/remove:", color="gray")
            return
        if status is Status.CONFIRMED:
            st.badge("Confirmed", icon=":material/check:", color="green")
        else:
            st.badge("To confirm", icon=":material/help:", color="orange")
        st.button(
            "", icon=":material/delete:", type="tertiary", key=f"{key}.delete",
            help="Remove it from the study; undo brings it back",
            on_click=_apply, args=(remove,),
        )  # fmt: skip


def _apply(study: Study) -> None:
    state.change_study(study)
    state.forget_widgets()


def _problems(error: StudyError) -> None:
    for finding in error.findings:
        st.error(plain(str(finding)))


def _column_names(cohort: Cohort, role: str) -> list[str]:
    """Give the columns of a table but the one of patient ids."""
    source = cohort.study.data.tables.get(role)
    own = source.subject_id if source else None
    return [str(name) for name in cohort.tables[role].frame.columns if name != own]


def _row_filter(
    cohort: Cohort, role: str, kept: Mapping[str, Sequence[Scalar]], key: str
) -> dict[str, tuple[Scalar, ...]]:
    """Ask which rows of a table count, by the values of one column."""
    first = next(iter(kept), _ALL_ROWS)
    columns = _column_names(cohort, role)
    gone = [first] if first != _ALL_ROWS and first not in columns else []
    column = choose(
        "Only rows where", [_ALL_ROWS, *gone, *columns], f"{key}.rows", kept=first
    )  # fmt: skip
    if column == _ALL_ROWS:
        return {}
    rest = {name: tuple(values) for name, values in kept.items() if name not in (first, column)}
    chosen = _values(cohort, role, column, kept.get(column, ()), f"{key}.rows", "is")
    return {column: chosen, **rest} if chosen else rest


def _values(
    cohort: Cohort, role: str, column: str, kept: Sequence[Scalar], key: str, verb: str
) -> tuple[Scalar, ...]:
    """Ask which values of a column are meant, each with its number of rows."""
    counts = value_counts(cohort, role, column)
    if len(counts) > MAX_VALUES:
        st.info(f"“{plain(column)}” has {len(counts)} values: too many to choose from.")
        return tuple(kept)
    wanted = {text_of(value) for value in kept}
    start = [value for value in counts if value in wanted]
    chosen = st.pills(
        f"{plain(column)} {verb}", list(counts), selection_mode="multi",
        key=state.seeded(f"{key}.values.{column}", start, counts),
        format_func=lambda value: f"{plain(value)} ({counted(counts[value], 'row')})",
    )  # fmt: skip
    if chosen == start:
        return tuple(kept)
    return tuple(value for value in counts if value in chosen)


# --- best response -------------------------------------------------------------------------------


def _with_response(study: Study, definition: ResponseDefinition | None) -> Study:
    return replace(study, definitions=replace(study.definitions, response=definition))


def _response_card(cohort: Cohort, evidence: Mapping[str, ColumnEvidence]) -> None:
    definition = cohort.study.definitions.response
    _heading(
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
        _problems(error)
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
        _problems(error)
        usable = False
    with st.container(horizontal=True, vertical_alignment="center"):
        if definition.status is not Status.CONFIRMED:
            st.button(
                "Confirm best response", type="primary", key="response.confirm",
                disabled=not usable, on_click=_apply,
                args=(_with_response(cohort.study, replace(new, status=Status.CONFIRMED)),),
            )  # fmt: skip
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
            roles[level] = st.selectbox(
                f"{plain(level)} ({counted(counts[level], 'patient')})",
                list(_ROLES),
                key=state.seeded(f"response.level.{definition.variable}.{level}", role, _ROLES),
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
        criteria = st.text_input(
            "Criteria", key=state.seeded("response.criteria", old.criteria),
            placeholder="for instance: RECIST 1.1", max_chars=60, width=210,
        ).strip()  # fmt: skip
        said = {None: "unknown", True: "yes", False: "no"}[old.confirmed]
        confirmed = choose_one(
            "Responses were", list(_CONFIRMATION), "response.confirmed", kept=said,
            names=_CONFIRMATION,
        )  # fmt: skip
        assessor = st.text_input(
            "Assessed by", key=state.seeded("response.assessor", old.assessor or ""),
            placeholder="for instance: investigator", max_chars=60, width=210,
        ).strip()  # fmt: skip
        days = st.number_input(
            "Shortest stable disease, days", min_value=1, max_value=3650, step=1,
            key=state.seeded("response.days", old.minimum_stable_days),
            placeholder="not stated", width=230,
        )  # fmt: skip
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
            for name in _column_names(cohort, role)
            if name not in named and name not in known
        }
        if not names:
            st.info("This table has no column but the patient id.")
            return
        key = choose("Column", list(names), f"response.choose.column.{role}", names=names)
        rows: dict[str, tuple[Scalar, ...]] = {}
        if role != "subjects" and key not in known:
            rows = _row_filter(cohort, role, {}, f"response.choose.{role}")
    study, definition = _chosen_response(cohort, role, key, rows)
    try:
        trial = replace(cohort, study=study)
        levels = levels_of(trial, definition.variable)
    except StudyError as error:
        _problems(error)
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
    st.button(
        "Use this column", type="primary", key="response.choose.use",
        disabled=many or not levels.levels, on_click=_apply,
        args=(_with_response(study, _with_meanings(empty, roles)),),
    )  # fmt: skip


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


# --- adverse events ------------------------------------------------------------------------------


def _with_events(study: Study, definition: AdverseEventDefinition | None) -> Study:
    return replace(study, definitions=replace(study.definitions, adverse_events=definition))


def _adverse_events_card(cohort: Cohort) -> None:
    definition = cohort.study.definitions.adverse_events
    _heading(
        "Adverse events", definition.status if definition else None,
        _with_events(cohort.study, None), "ae",
    )  # fmt: skip
    tables = [role for role in cohort.tables if role != "subjects"]
    if definition is None or definition.table not in tables:
        if definition is not None:
            st.warning(f"The table “{plain(definition.table)}” isn't there.")
        _choose_events(cohort, tables)
        return
    new = replace(_event_columns(cohort, definition), status=definition.status)
    if new != definition:
        state.change_study(_with_events(cohort.study, new))
        st.rerun()
    try:
        counts = adverse_events(cohort, AdverseEventSpec(related_only=False)).any_event.overall
        text = f"{counted(counts.n_events, 'event')} in {counts.n_any} of "
        text += f"{counted(counts.n, 'patient')} analysed"
        if definition.related is not None and definition.related_values:
            related = adverse_events(cohort, AdverseEventSpec()).any_event.overall
            text += (
                f"; treatment-related: {counted(related.n_events, 'event')} in "
                f"{counted(related.n_any, 'patient')}"
            )
        st.caption(f"{text}.")
        usable = True
    except StudyError as error:
        _problems(error)
        usable = False
    if definition.status is not Status.CONFIRMED:
        st.button(
            "Confirm adverse events", type="primary", key="ae.confirm", disabled=not usable,
            on_click=_apply,
            args=(_with_events(cohort.study, replace(new, status=Status.CONFIRMED)),),
        )  # fmt: skip


def _choose_events(cohort: Cohort, tables: Sequence[str]) -> None:
    """Offer a table and its column of terms; the other columns are asked afterwards."""
    if not tables:
        st.write(
            "There is no sheet or file with one row per adverse event (patient id, term, grade). "
            "That does not mean that there were none. Add it under “Other files”, or give its "
            "sheet a role above; then its columns can be chosen here."
        )
        return
    st.write("Which table has one row per adverse event, and which column names the event?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = choose(
            "Table", tables, "ae.choose.table",
            kept="adverse_events" if "adverse_events" in tables else None,
        )  # fmt: skip
        columns = _column_names(cohort, role)
        if not columns:
            st.info("This table has no column but the patient id.")
            return
        term = choose("Term", columns, f"ae.choose.term.{role}")
    st.button(
        "Use this table", type="primary", key="ae.choose.use", on_click=_apply,
        args=(_with_events(cohort.study, AdverseEventDefinition(term=term, table=role)),),
    )  # fmt: skip


def _event_columns(cohort: Cohort, old: AdverseEventDefinition) -> AdverseEventDefinition:
    role = old.table
    columns = _column_names(cohort, role)

    def column(label: str, part: str, kept: str | None) -> str | None:
        gone = [kept] if kept is not None and kept not in columns else []
        chosen = choose(
            label, [_NONE, *gone, *columns], f"ae.{part}", kept=kept or _NONE,
            names={name: f"{name} (not in this sheet)" for name in gone},
        )  # fmt: skip
        return None if chosen == _NONE else chosen

    with st.container(horizontal=True):
        gone = [] if old.term in columns else [old.term]
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
        return _values(cohort, role, name, kept if name == was else (), f"ae.{part}", verb)

    related_values = meant(related, "related", "means related to treatment when it is")
    serious_values = meant(serious, "serious", "means serious when it is")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = _row_filter(cohort, role, old.rows, "ae")
        version = st.text_input(
            "Terminology and version", key=state.seeded("ae.version", old.version or ""),
            placeholder="for instance: CTCAE 5.0", max_chars=60, width=240,
        ).strip()  # fmt: skip
    return replace(
        old, term=term, grade=grade, system_organ_class=organ_class, related=related,
        related_values=related_values, serious=serious, serious_values=serious_values, rows=rows,
        version=version or None,
    )  # fmt: skip
