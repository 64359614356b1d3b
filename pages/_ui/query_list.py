"""The list of queries: every cell that was found wrong or doubtful, to be worked through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from pages._ui.inputs import choose, toggle
from pages._ui.show import XLSX_TYPE
from sts_core.cohort import Cohort
from sts_core.display import counted, escape, joined
from sts_core.export.xlsx import write_workbook
from sts_core.findings import Finding, Severity
from sts_core.query_list import Query, queries, query_table

#: Lines that the browser gets at once.
MAX_ROWS = 400
_PLACES = ("Row", "Patient", "Column", "Sheet")
_ALL = "(all)"
_PLURALS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_MEANING = "An error can't be true, a warning is probably wrong, a note is worth a look."


def query_list(cohort: Cohort, findings: Sequence[Finding]) -> None:
    """Show the findings cell by cell, and offer them as a workbook on purpose."""
    in_cells = [finding for finding in findings if finding.rows]
    if not in_cells:
        return
    counts = Counter[Severity]()
    for finding in in_cells:
        counts[finding.severity] += len(finding.rows)
    total = joined([counted(counts[kind], word) for kind, word in _PLURALS.items() if counts[kind]])
    st.subheader("Query list", anchor=False)
    st.caption(f"{total} in single cells. {_MEANING}")
    kinds = [kind.value for kind in _PLURALS if counts[kind]]
    columns = list(dict.fromkeys(finding.column for finding in in_cells if finding.column))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        severity = choose("Severity", [_ALL, *kinds], "queries.severity")
        column = choose("Column", [_ALL, *columns], "queries.column")
        with_values = toggle(
            "Show values from the file", "queries.values",
            help="Off, the list shows where to look; on, also what stands there.",
        )  # fmt: skip
    shown = [
        finding
        for finding in in_cells
        if severity in (_ALL, finding.severity.value) and column in (_ALL, finding.column)
    ]
    n_shown = sum(len(finding.rows) for finding in shown)
    _table(queries(cohort, shown, limit=MAX_ROWS), with_values=with_values)
    if n_shown > MAX_ROWS:
        st.caption(
            f"The first {MAX_ROWS} of {counted(n_shown, 'line')}, worst first; the workbook "
            "holds all of them."
        )
    _download(cohort, shown, n_shown)


def _table(shown: Sequence[Query], *, with_values: bool) -> None:
    """Draw the cells below the sentence that says what is wrong with them."""
    heads = ("Row", "Patient", "Column", "Value", "Sheet") if with_values else _PLACES
    parts = []
    for (severity, message, suggestion), found in groupby(shown, key=_said):
        parts.append(
            f'<tr class="query"><td colspan="{len(heads)}"><span class="severity '
            f'{severity.value}">{severity.value.capitalize()}</span> {escape(message, "html")} '
            f'<span class="hint">{escape(suggestion, "html")}</span></td></tr>'
        )
        parts += [_row(query, with_values=with_values) for query in found]
    titles = "".join(f"<th>{head}</th>" for head in heads)
    st.markdown(
        f'<div class="sts-table queries"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{''.join(parts)}</tbody></table></div>",
        unsafe_allow_html=True,
    )


def _said(query: Query) -> tuple[Severity, str, str]:
    return query.severity, query.message, query.suggestion


def _row(query: Query, *, with_values: bool) -> str:
    cells = ["" if query.row is None else str(query.row), query.subject or "", query.column or ""]
    if with_values:
        cells.append(query.value or "")
    cells.append(query.sheet or query.file or "")
    shown = [escape(cell, "html") for cell in cells]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in shown)}</tr>"


def _download(cohort: Cohort, shown: Sequence[Finding], n: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        agreed = st.checkbox(
            "I know that the workbook holds values of patients", key="queries.agreed"
        )
        st.download_button(
            f"Download {'1 query' if n == 1 else f'{n} queries'} (xlsx)",
            data=lambda: write_workbook([query_table(queries(cohort, shown))]),
            file_name="queries.xlsx",
            mime=XLSX_TYPE,
            icon=":material/download:",
            disabled=not agreed or not n,
            key="queries.download",
            on_click="ignore",
        )
