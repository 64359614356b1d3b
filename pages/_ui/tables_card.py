"""Which sheet is the patient table, who is a patient, and which rows count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from pages._ui import state
from pages._ui.inputs import choose, plain
from sts_core.findings import StudyError
from sts_core.reading.assembly import find_table
from sts_core.study import Scalar, Status, Study, TableSource
from sts_core.values import text_of, texts

_NO_ID = "(each row is a patient)"
_NO_FILTER = "(all rows)"
MAX_FILTER_VALUES = 60


def patient_table(workspace: state.Workspace) -> None:
    """Show and change sheet, id column and row filter of the patient table."""
    study = workspace.study
    if study is None:
        return
    sheets = {
        f"{book.file} · {sheet.sheet}" if sheet.sheet else book.file: (book.file, sheet.sheet)
        for book in workspace.workbooks
        for sheet in book.sheets
    }
    source = study.data.tables.get("subjects", TableSource())
    try:
        table = find_table(workspace.workbooks, source, "subjects")
    except StudyError:
        table = workspace.workbooks[0].sheets[0]
    current = next(
        (name for name, place in sheets.items() if place == (table.file, table.sheet)), None
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = choose("Patient table", list(sheets), "table.sheet", kept=current)
        file, sheet = sheets[chosen]
        if (file, sheet) != (table.file, table.sheet):
            _set_source(study, replace(source, file=file, sheet=sheet, subject_id=None, rows={}))
        columns = [str(name) for name in table.frame.columns]
        subject_id = choose(
            "Patient id", [_NO_ID, *columns], "table.id", kept=source.subject_id or _NO_ID,
            help="One row per patient: an id that stands twice is reported.",
        )  # fmt: skip
        filter_column = choose(
            "Use only rows where", [_NO_FILTER, *columns], "table.filter",
            kept=next(iter(source.rows), _NO_FILTER),
            help="For files with several rows per patient, for instance PARAMCD.",
        )  # fmt: skip
    rows: dict[str, tuple[Scalar, ...]] = {}
    if filter_column != _NO_FILTER:
        values = sorted({value for value in texts(table.frame[filter_column]) if value is not None})
        kept = [text_of(value) for value in source.rows.get(filter_column, ())]
        if len(values) > MAX_FILTER_VALUES:
            st.info(f"“{plain(filter_column)}” has {len(values)} values: too many to choose from.")
        else:
            picked = st.pills(
                f"{plain(filter_column)} is", values, selection_mode="multi", format_func=plain,
                key=state.seeded(f"table.values.{filter_column}",
                                 [value for value in values if value in kept], values),
            )  # fmt: skip
            if picked:
                rows = {filter_column: tuple(value for value in values if value in picked)}
    new = replace(
        source,
        file=table.file,
        sheet=table.sheet,
        subject_id=None if subject_id == _NO_ID else subject_id,
        rows=rows if rows or filter_column == _NO_FILTER else source.rows,
    )
    if (new.subject_id, _as_text(new.rows)) != (source.subject_id, _as_text(source.rows)):
        _set_source(study, replace(new, subject_id_status=Status.CONFIRMED))


def _as_text(rows: Mapping[str, Sequence[Scalar]]) -> dict[str, list[str | None]]:
    """Give a row filter by the texts of its values: 1 and "1" are the same."""
    return {column: [text_of(value) for value in values] for column, values in rows.items()}


def _set_source(study: Study, source: TableSource) -> None:
    tables = {**study.data.tables, "subjects": source}
    state.change_study(replace(study, data=replace(study.data, tables=tables)))
    state.forget_widgets()
    st.rerun()
