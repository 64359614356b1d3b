"""Which sheet is which table, who is a patient, which rows count, and how tables were joined."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import choose, plain
from sts_core.cohort import Cohort
from sts_core.display import counted, joined
from sts_core.findings import FindingCode, StudyError, listed_rows
from sts_core.reading import RawTable
from sts_core.reading.assembly import find_table
from sts_core.reading.linkage import RULES, Join
from sts_core.reading.proposal import QuestionKind, TableEvidence, TableKind
from sts_core.reading.recognise import role_of
from sts_core.reading.revise import give_role, roles_of
from sts_core.reading.several_rows import row_options
from sts_core.reading.table_kinds import USUAL_ROLES
from sts_core.study import IdRule, RowChoice, Scalar, Status, Study, TableSource
from sts_core.values import text_of, texts

_NO_ID = "(each row is a patient)"
_ALONE = "(nothing: it is the id)"
_NO_FILTER = "(all rows)"
_ASK = ""
_UNUSED = ""
MAX_FILTER_VALUES = 60
#: Of more tables, those that ask nothing are folded.
MAX_TABLES = 3
_ROLES = {
    "subjects": "Patients",
    "assessments": "Tumour assessments",
    "lesions": "Lesions",
    "exposures": "Treatment: drugs, lines",
    "adverse_events": "Adverse events",
    "time_to_event": "Times to an event",
}
_KINDS = {
    TableKind.ONE_ROW: "Further columns",
    TableKind.OTHER: "Other table",
    TableKind.UNUSED: "Other table",
    TableKind.DICTIONARY: "Other table",
}
_TAKES = {
    _ASK: "(please choose)",
    RowChoice.AGREED: "each id is a patient; what all its rows agree on counts",
    RowChoice.FIRST: "each id is a patient; its first row counts",
    RowChoice.LAST: "each id is a patient; its last row counts",
    RowChoice.EARLIEST: "each id is a patient; its earliest row counts",
    RowChoice.LATEST: "each id is a patient; its latest row counts",
    RowChoice.EACH: "each row is a patient, also where an id repeats",
}


_OF_SEVERAL: dict[str, str] = {
    RowChoice.NONE: "(none yet)",
    RowChoice.FIRST: "the first row",
    RowChoice.LAST: "the last row",
    RowChoice.EARLIEST: "the earliest row",
    RowChoice.LATEST: "the latest row",
    RowChoice.BEST: "the best response",
    RowChoice.WORST: "the worst response",
}
_VISITS = "visits"


def tables(workspace: state.Workspace) -> None:
    """Show every table with its role and how it was joined; ask who is a patient."""
    study = workspace.study
    if study is None:
        return
    listed = workspace.proposal.tables if workspace.proposal else ()
    roles = roles_of(study, workspace.workbooks)
    with st.container(border=True, key="tables"):
        more: list[TableEvidence] = []
        if len(roles) > 1 or "subjects" not in study.data.tables:
            st.markdown("**Tables**")
            ordered = _in_order(listed, roles)
            if len(ordered) > MAX_TABLES and workspace.cohort is not None:
                asking = _asking(workspace.cohort, study)
                more = [
                    item for item in ordered if roles.get((item.file, item.sheet)) not in asking
                ]
            shown = [item for item in ordered if item not in more]
            for number, evidence in enumerate(shown):
                _table(workspace, study, evidence, roles, number)
        if not more:
            _patients(workspace, study)
            return
        n_used = sum(roles.get((item.file, item.sheet)) is not None for item in more)
        parts = [f"{n_used} joined"] * bool(n_used)
        parts += [f"{len(more) - n_used} not used"] * (n_used < len(more))
        with st.expander(
            f"{counted(len(more), 'more table')}: {', '.join(parts)}; patient id and rows used",
            icon=":material/table_rows:", key="tables-more",
        ):  # fmt: skip
            for number, evidence in enumerate(more, start=len(shown)):
                _table(workspace, study, evidence, roles, number)
            _patients(workspace, study)


def _asking(cohort: Cohort, study: Study) -> set[str]:
    """Give the roles of the tables that must be seen: the patients, and those with a question."""
    found = {"subjects"}
    for role, join in cohort.joins.items():
        source = study.data.tables.get(role)
        several = source is not None and source.take is RowChoice.NONE and join.n_subjects_several
        if join.better is not None or join.n_ids_unmatched or join.rows_without_id or several:
            found.add(role)
    return found


def _in_order(
    listed: Sequence[TableEvidence], roles: Mapping[tuple[str, str | None], str | None]
) -> list[TableEvidence]:
    """Put the patients first, then what is used, then the rest."""

    def rank(item: TableEvidence) -> int:
        role = roles.get((item.file, item.sheet))
        return 0 if role == "subjects" else 2 if role is None else 1

    return sorted(listed, key=rank)


def _name(item: TableEvidence) -> str:
    return f"{item.file} · {item.sheet}" if item.sheet else item.file


def _table(
    workspace: state.Workspace,
    study: Study,
    item: TableEvidence,
    roles: Mapping[tuple[str, str | None], str | None],
    number: int,
) -> None:
    place = (item.file, item.sheet)
    role = roles.get(place)
    free = role_of(item.sheet or item.file, study.data.tables)
    other = free if role is None or role in USUAL_ROLES else role
    names = {**_ROLES, other: _KINDS.get(item.kind, "Other table"), _UNUSED: "Not used"}
    if role is None and item.kind is TableKind.DICTIONARY:
        names[_UNUSED] = "Data dictionary"
    key = re.sub(r"\W+", "_", f"{item.file}.{item.sheet or ''}")
    label: Literal["visible", "collapsed"] = "visible" if number == 0 else "collapsed"
    with st.container(key=f"table-row-{number}", gap=None):
        words, right = st.columns([5, 4], vertical_alignment="top")
        with right:
            choice, id_part = st.columns(2)
        with choice:
            chosen = widgets.selectbox(
                "Role",
                list(names),
                f"table.role.{key}",
                role or _UNUSED,
                format_func=names.__getitem__,
                label_visibility=label,
                help="What the rows of this table are." if number == 0 else None,
            )
        source = study.data.tables.get(role) if role else None
        with id_part:
            if source is not None and role != "subjects":
                _id_column(workspace, study, str(role), source, key)
        with words, st.container(gap=None):
            st.markdown(f"**{plain(_name(item))}**" if role else plain(_name(item)))
            st.caption(_facts(item, role, source))
            if source is not None and role is not None and role != "subjects":
                _join_line(workspace.cohort, study, role, source)
                if source.take is not None:
                    _who_has_several(workspace.cohort, role)
        if source is not None and role not in (None, "subjects") and source.take is not None:
            with right:
                _several_rows(workspace, study, item, str(role), source)
    if chosen != (role or _UNUSED):
        _give_role(workspace, study, place, chosen or None)


def _facts(item: TableEvidence, role: str | None, source: TableSource | None) -> str:
    parts = [f"{counted(item.n_rows, 'row')}, {counted(item.n_columns, 'column')}"]
    if item.subject_id and item.kind is not TableKind.DICTIONARY:
        each = "one row each" if item.rows_per_id <= 1 else f"up to {item.rows_per_id} rows each"
        ids = counted(item.n_ids, "id")
        columns = (*source.id_with, item.subject_id) if source is not None else (item.subject_id,)
        where = joined([f"“{plain(name)}”" for name in columns])
        parts.append(f"{ids} in {where}, {each}")
    if (role is not None) == (item.role is not None):
        parts.append(plain(item.reason))
    return "; ".join(parts) + "."


def _id_column(
    workspace: state.Workspace, study: Study, role: str, source: TableSource, key: str
) -> None:
    try:
        table = find_table(workspace.workbooks, source, role)
    except StudyError:
        return
    columns = [str(name) for name in table.frame.columns]
    options = columns if source.subject_id in columns else ["", *columns]
    column = widgets.selectbox(
        "Patient id",
        options,
        f"table.id.{key}",
        source.subject_id or "",
        label_visibility="collapsed",
        format_func=lambda name: f"by {name}" if name else "",
        help="The column with the ids of the patient table.",
    )
    if column and column != source.subject_id:
        _set_source(study, replace(source, subject_id=column), role)


def _join_line(cohort: Cohort | None, study: Study, role: str, source: TableSource) -> None:
    """Say in numbers how a table was joined, and offer a looser comparison of ids if one helps."""
    join: Join | None = cohort.joins.get(role) if cohort is not None else None
    if join is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/join_inner: {plain(join_text(join))}", width="stretch")
        if join.better is not None:
            widgets.button(
                f"Match {counted(join.n_better, 'more id')}",
                f"table.rule.{role}",
                _set_rule,
                (study, role, source, join.better),
                icon=":material/link:",
                help=f"They match when {RULES[join.better]}. Only if they are the same patients.",
            )
        if join.other is not None:
            widgets.button(
                f"Match by “{plain(join.other.column)}”",
                f"table.other.{role}",
                _set_columns,
                (study, role, source, join),
                icon=":material/link:",
                help=plain(other_text(join, study)) + " Only if they are the same patients.",
            )
        if join.patient_column is not None:
            widgets.button(
                "Match by the patient id",
                f"table.by_id.{role}",
                _change,
                (study, replace(source, patient_column=None), role),
                icon=":material/link_off:",
                help=f"Not by “{plain(join.patient_column)}” of the patient table.",
            )
        if join.rule is not IdRule.EXACT:
            widgets.button(
                "Match exactly",
                f"table.exact.{role}",
                _set_rule,
                (study, role, source, IdRule.EXACT),
                icon=":material/link_off:",
                help="Only ids that are written alike are the same patient.",
            )


def _who_has_several(cohort: Cohort | None, role: str) -> None:
    """Name the patients of whom several rows stand where one is expected."""
    for finding in cohort.findings if cohort is not None else ():
        if finding.code is FindingCode.SUBJECT_REPEATED and finding.table == role:
            st.caption(f":material/help: {plain(finding.message)}")


def _several_rows(
    workspace: state.Workspace, study: Study, item: TableEvidence, role: str, source: TableSource
) -> None:
    """Ask which row counts of patients who have several where others have one."""
    try:
        table = find_table(workspace.workbooks, source, role)
    except StudyError:
        return
    if source.subject_id not in table.frame.columns:
        return
    options = row_options(table)
    names = _OF_SEVERAL | {_VISITS: "none: the rows are visits"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        take = choose(
            "Which row of a patient counts",
            [*options.choices, *([_VISITS] if "assessments" not in study.data.tables else [])],
            f"table.take.{role}", kept=source.take, names=names,
        )  # fmt: skip
        by = (
            options.dates if take in (RowChoice.EARLIEST, RowChoice.LATEST)
            else options.responses if take in (RowChoice.BEST, RowChoice.WORST)
            else ()
        )  # fmt: skip
        take_by = (
            choose("By", by, f"table.take_by.{role}", kept=source.take_by) if len(by) > 1
            else next(iter(by), None)
        )  # fmt: skip
    if take == _VISITS:
        _give_role(workspace, study, (item.file, item.sheet), "assessments")
        return
    new = replace(source, take=RowChoice(take), take_by=take_by)
    if new != source:
        _set_source(study, new, role)


def join_text(join: Join) -> str:
    """Give the report of a join in one or two sentences."""
    text = f"{join.n_ids_matched} of {counted(join.n_ids, 'id')} match"
    if join.patient_column is not None:
        text += f" “{join.patient_column}” of the patient table"
    if join.rule is not IdRule.EXACT:
        text += f" ({RULES[join.rule]})"
    if join.rows_unmatched:
        ids = counted(join.n_ids_unmatched, "unknown id")
        n = len(join.rows_unmatched)
        text += f"; {counted(n, 'row')} of {ids}: {listed_rows(join.rows_unmatched)}"
    if join.rows_without_id:
        n = len(join.rows_without_id)
        text += f"; {counted(n, 'row')} without an id: {listed_rows(join.rows_without_id)}"
    with_row = join.n_subjects - join.n_subjects_without_row
    text += f". {with_row} of {counted(join.n_subjects, 'patient')} have a row here"
    if join.n_subjects_several:
        text += f", {join.n_subjects_several} of them several"
    if join.n_subjects_without_row:
        text += f"; of {join.n_subjects_without_row} nothing is recorded here"
    return text + "."


def other_text(join: Join, study: Study) -> str:
    """Say which two columns hold the same ids, where those that are chosen do not."""
    if join.other is None:
        return ""
    source = study.data.tables.get("subjects")
    column = join.other.patient_column or (source.subject_id if source is not None else None)
    return (
        f"{join.other.n_matched} of {counted(join.other.n_ids, 'id')} in “{join.other.column}” "
        f"are found in “{column}” of the patient table."
    )


def _set_columns(study: Study, role: str, source: TableSource, join: Join) -> None:
    if join.other is not None:
        column, theirs = join.other.column, join.other.patient_column
        _change(study, replace(source, subject_id=column, patient_column=theirs), role)


def _patients(workspace: state.Workspace, study: Study) -> None:
    """Ask for the id, the rows and, where an id repeats, which row of a patient counts."""
    source = study.data.tables.get("subjects")
    if source is None:
        st.info("Choose above which table holds the patients.", icon=":material/help:")
        return
    try:
        table = find_table(workspace.workbooks, source, "subjects")
    except StudyError:
        return
    columns = [str(name) for name in table.frame.columns]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        subject_id = choose(
            "Patient id of the patient table" if len(study.data.tables) > 1 else "Patient id",
            [_NO_ID, *columns], "table.id", kept=source.subject_id or _NO_ID,
            help="One row per patient: an id that stands twice is reported.",
        )  # fmt: skip
        _together_with(workspace, study, source, table)
        filter_column = choose(
            "Use only rows where",
            [_NO_FILTER, *(name for name in columns if name not in source.left_out)],
            "table.filter",
            kept=next(iter(source.rows), _NO_FILTER),
            help="For files with several rows per patient, for instance a visit.",
        )  # fmt: skip
    rows = _filter_values(table, source, filter_column)
    new = replace(
        source,
        file=table.file,
        sheet=table.sheet,
        subject_id=None if subject_id == _NO_ID else subject_id,
        id_with=source.id_with if subject_id == source.subject_id else (),
        rows=rows if rows or filter_column == _NO_FILTER else source.rows,
    )
    if (new.subject_id, _as_text(new.rows)) != (source.subject_id, _as_text(source.rows)):
        confirmed = Status.CONFIRMED if new.take is None else source.subject_id_status
        _set_source(study, replace(new, subject_id_status=confirmed))
    _row_question(workspace, study, source, table)


def _together_with(
    workspace: state.Workspace, study: Study, source: TableSource, table: RawTable
) -> None:
    """Offer a second column of the id, where a number repeats over centres; all tables follow."""
    if source.subject_id not in table.frame.columns or len(source.id_with) > 1:
        return
    n_rows, n_ids = _rows_and_ids(table, source)
    if not source.id_with and n_rows == n_ids:
        return
    columns = [str(name) for name in table.frame.columns if name != source.subject_id]
    chosen = choose(
        "Together with", [_ALONE, *columns], "table.id_with",
        kept=next(iter(source.id_with), _ALONE),
        help="Where the numbers of patients begin anew in each centre, centre and number together "
        "are the id.",
    )  # fmt: skip
    parts = () if chosen == _ALONE else (chosen,)
    if parts == source.id_with:
        return
    tables = {"subjects": replace(source, id_with=parts)}
    for role, other in study.data.tables.items():
        if role != "subjects":
            tables[role] = _with_parts(workspace, role, other, parts)
    state.change_study(replace(study, data=replace(study.data, tables=tables)))
    state.forget_widgets()
    st.rerun()


def _with_parts(
    workspace: state.Workspace, role: str, source: TableSource, parts: tuple[str, ...]
) -> TableSource:
    """Join the ids of another table likewise, where it has the columns."""
    try:
        table = find_table(workspace.workbooks, replace(source, id_with=()), role)
    except StudyError:
        return source
    own = {str(name) for name in table.frame.columns} - {source.subject_id}
    return replace(source, id_with=parts if set(parts) <= own else ())


def _row_question(
    workspace: state.Workspace, study: Study, source: TableSource, table: RawTable
) -> None:
    """Ask which row of a patient counts, where an id repeats."""
    if source.subject_id is None or source.subject_id not in table.frame.columns:
        return
    n_rows, n_ids = _rows_and_ids(table, source)
    if n_ids == n_rows:
        return
    open_ = source.take is None or source.subject_id_status is not Status.CONFIRMED
    if open_:
        st.warning(
            f"**{counted(n_rows, 'row')} for {counted(n_ids, 'patient')}.** Rows that are visits, "
            "samples or parameters are not patients. "
            f"{_of_both(workspace) or _which_row(workspace)}",
            icon=":material/help:",
        )
    also = _also_read_as(workspace, study, table)
    if also:
        st.caption(
            f":material/table_rows: The rows are also read as {joined(also)}. That can be changed "
            "under “Response and adverse events”."
        )
    columns = [str(name) for name in table.frame.columns]
    telling = [name for name in _telling_columns(workspace) if name in columns]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        take = choose(
            "Who is a patient", list(_TAKES), "table.take", kept=source.take or _ASK, names=_TAKES
        )
        take_by = source.take_by
        if take in (RowChoice.EARLIEST, RowChoice.LATEST):
            ordered = [*telling, *(name for name in columns if name not in telling)]
            take_by = choose("By", ordered, "table.take_by", kept=source.take_by)
        wanted = replace(
            source,
            take=RowChoice(take) if take else None,
            take_by=take_by if take in (RowChoice.EARLIEST, RowChoice.LATEST) else None,
            subject_id_status=Status.CONFIRMED,
        )
        if open_ or wanted != source:
            widgets.button(
                "Confirm",
                "table.take.confirm",
                _confirm,
                (study, wanted),
                type="primary",
                icon=":material/check:",
                disabled=not take,
            )
        else:
            st.badge("Confirmed", icon=":material/check:", color="green")


def _also_read_as(workspace: state.Workspace, study: Study, table: RawTable) -> tuple[str, ...]:
    """Name what else the rows of the patient table are, in words."""
    found = []
    for role, source in study.data.tables.items():
        if role != "subjects" and role in _ROLES:
            try:
                other = find_table(workspace.workbooks, source, role)
            except StudyError:
                continue
            same = (other.file, other.sheet) == (table.file, table.sheet)
            found += [_ROLES[role].lower()] * same
    return tuple(found)


def _rows_and_ids(table: RawTable, source: TableSource) -> tuple[int, int]:
    """Count the rows with an id that the filter leaves, and the different ids among them."""
    ids = texts(table.frame[str(source.subject_id)])
    wanted = {
        column: {text_of(value) for value in values}
        for column, values in source.rows.items()
        if column in table.frame.columns
    }
    kept = ids.tolist()
    for column, values in wanted.items():
        cells = texts(table.frame[column], frozenset()).tolist()
        kept = [text if cell in values else None for text, cell in zip(kept, cells, strict=True)]
    known = [text for text in kept if text is not None]
    return len(known), len(set(known))


def _telling_columns(workspace: state.Workspace) -> tuple[str, ...]:
    questions = workspace.proposal.questions if workspace.proposal else ()
    for question in questions:
        if question.table != "subjects":
            continue
        if question.kind in (QuestionKind.ROWS, QuestionKind.SUBJECT_ID):
            return tuple(name for name in question.columns if name != question.guess)
    return ()


def _which_row(workspace: state.Workspace) -> str:
    columns = ", ".join(f"“{plain(name)}”" for name in _telling_columns(workspace))
    apart = f"What tells the rows apart: {columns}." if columns else "No column tells them apart."
    return f"Which row of a patient counts? No number is shown before that is said. {apart}"


def _of_both(workspace: state.Workspace) -> str:
    """Say what is the patients' and what the rows', where both come from this table."""
    for question in workspace.proposal.questions if workspace.proposal else ():
        if question.kind is QuestionKind.ROWS and question.guess == RowChoice.AGREED:
            _, _, which = question.reason.partition(". ")
            both = "stays with the rows" in which
            what = (
                "take both from this table: the patients, one row each, and the rows themselves"
                if both
                else "count each patient once"
            )
            return f"Confirm to {what}. No number is shown before. {plain(which)}"
    return ""


def _filter_values(
    table: RawTable, source: TableSource, filter_column: str
) -> dict[str, tuple[Scalar, ...]]:
    if filter_column == _NO_FILTER:
        return {}
    cells = texts(table.frame[filter_column], frozenset())
    values = sorted({value for value in cells if value is not None})
    kept = [text_of(value) for value in source.rows.get(filter_column, ())]
    if len(values) > MAX_FILTER_VALUES:
        st.info(f"“{plain(filter_column)}” has {len(values)} values: too many to choose from.")
        return {}
    picked = widgets.pills(
        f"{plain(filter_column)} is",
        values,
        f"table.values.{filter_column}",
        [value for value in values if value in kept],
        format_func=plain,
    )
    return {filter_column: tuple(value for value in values if value in picked)} if picked else {}


def _as_text(rows: Mapping[str, Sequence[Scalar]]) -> dict[str, list[str | None]]:
    """Give a row filter by the texts of its values: 1 and "1" are the same."""
    return {column: [text_of(value) for value in values] for column, values in rows.items()}


def _give_role(
    workspace: state.Workspace, study: Study, place: tuple[str, str | None], role: str | None
) -> None:
    new, proposal = give_role(study, workspace.workbooks, place, role)
    state.put(state.with_study(replace(workspace, proposal=proposal), new))
    state.forget_widgets()
    if role is not None and role not in new.data.tables:
        reasons = [item for item in proposal.findings if (item.file, item.sheet) == place]
        state.leave_notice("The table can't have this role.", reasons)
    st.rerun()


def _set_rule(study: Study, role: str, source: TableSource, rule: IdRule) -> None:
    _change(study, replace(source, id_rule=rule), role)


def _confirm(study: Study, source: TableSource) -> None:
    _change(study, source, "subjects")


def _change(study: Study, source: TableSource, role: str) -> None:
    tables = {**study.data.tables, role: source}
    state.change_study(replace(study, data=replace(study.data, tables=tables)))
    state.forget_widgets()


def _set_source(study: Study, source: TableSource, role: str = "subjects") -> None:
    _change(study, source, role)
    st.rerun()
