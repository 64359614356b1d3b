"""The next data cut on the Data page: this file against a former one."""

from __future__ import annotations

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import plain
from pages._ui.show import export_menu, show_findings, show_table
from sts_core.analysis.data_cuts import backward_sentences, compare_cuts, cut_table
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.data_cut import data_changes
from sts_core.display import counted
from sts_core.findings import Finding, StudyError, listed_rows
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.redcap import apply_dictionaries

_FORMER = "former.cut"
_UPLOADS = "former.uploads"
_PROBLEMS = "former.problems"


def data_cuts(cohort: Cohort) -> None:
    """Say what changed since the choices were kept, and compare with a former file."""
    changes = data_changes(cohort)
    former: tuple[Workbook, ...] = state.remembered(_FORMER, ())
    title = "Compare with a former data cut"
    if changes:
        title += f" ({counted(len(changes), 'difference')} from the data of the study file)"
    with st.expander(title, icon=":material/compare_arrows:", expanded=bool(former), key="cuts"):
        if changes:
            show_findings(changes, title="Since the choices were kept")
        if not former:
            key = f"former.{state.remembered(_UPLOADS, 0)}"
            st.file_uploader(
                "Files of the former data cut",
                accept_multiple_files=True,
                key=key,
                on_change=_on_drop,
                args=(key,),
                help="The present choices are applied to them. They are read in memory and kept "
                "for this session only.",
            )
            show_findings(state.remembered(_PROBLEMS, ()), title="Why they can't be compared")
            return
        _compared(cohort, former)


def _on_drop(key: str) -> None:
    dropped = state.uploaded(key)
    if not dropped:
        return
    state.remember(_UPLOADS, state.remembered(_UPLOADS, 0) + 1)
    books: list[Workbook] = []
    problems: list[Finding] = []
    for name, data in dropped:
        try:
            books.append(read_bytes(name, data))
        except StudyError as error:
            problems += error.findings
    state.remember(_PROBLEMS, tuple(problems))
    if books and not problems:
        state.remember(_FORMER, tuple(apply_dictionaries(books)))


def _forget() -> None:
    state.remember(_FORMER, ())


def _compared(cohort: Cohort, former: tuple[Workbook, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        names = ", ".join(book.file for book in former)
        st.markdown(f"Former data cut: **{plain(names)}**", width="stretch")
        widgets.button(
            "Remove it",
            "former.remove",
            _forget,
            icon=":material/close:",
        )
    try:
        then = cohort.kept(("former", _hash(former)), lambda: _cohort_of(cohort, former))
    except StudyError as error:
        show_findings(error.findings, title="Why they can't be compared")
        return
    comparison = cohort.kept(("cuts", _hash(former)), lambda: compare_cuts(then, cohort))
    for sentence in backward_sentences(comparison):
        st.warning(plain(sentence), icon=":material/undo:")
    table = cut_table(comparison)
    export_menu("data-cuts", tables=lambda: [table], notes=list(table.footnotes), key="cuts")
    show_table(table)
    lines = []
    if comparison.new:
        lines.append(f"New patients: {listed_rows(comparison.new)} of this file.")
    if comparison.gone:
        lines.append(f"Patients who are gone: {listed_rows(comparison.gone)} of the former file.")
    lines += [
        f"“{plain(item.column)}” differs in {counted(len(item.rows), 'patient')} "
        f"({item.n_filled} filled in, {item.n_emptied} emptied, {item.n_other} other): "
        f"{listed_rows(item.rows)}."
        for item in comparison.columns
    ]
    st.markdown("\n".join(f"- {line}" for line in lines) or "No column differs in any patient.")


def _hash(books: tuple[Workbook, ...]) -> tuple[str, ...]:
    return tuple(book.sha256 for book in books)


def _cohort_of(cohort: Cohort, books: tuple[Workbook, ...]) -> Cohort:
    """Put the former patients together under the present choices, whatever their files' names."""
    return apply_criteria(assemble(cohort.study, books), cohort.study)
