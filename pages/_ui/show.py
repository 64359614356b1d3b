"""What pages show: figures, tables, findings, downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from pages._ui import state
from pages._ui.inputs import plain
from sts_core.analysis.kaplan_meier import loss_sentences
from sts_core.derive import Loss
from sts_core.display import DisplayTable, Format, escape
from sts_core.export.xlsx import write_workbook
from sts_core.figures.marks import Diagram, Figure
from sts_core.figures.theme import DARK, LIGHT, FigureSize
from sts_core.findings import Finding, Severity, worst_first
from sts_core.render import pptx, print
from sts_core.render.plotly import CONFIG, to_plotly

_ICONS = {
    Severity.ERROR: ":material/error:",
    Severity.WARNING: ":material/warning:",
    Severity.NOTE: ":material/info:",
}
SCREEN_DIAGRAM = FigureSize("screen", 310.0, None, 9.0, 1.2, 240.0, show_title=False)


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def show_figure(figure: Figure, *, key: str) -> None:
    """Draw a figure in the browser: a diagram as a picture that scales, all else by Plotly."""
    if isinstance(figure.body, Diagram):
        palette = DARK if is_dark() else LIGHT
        picture = print.render(figure, "svg", SCREEN_DIAGRAM, palette)
        st.image(picture.decode(), width="stretch", alt=figure.alt)
        return
    st.plotly_chart(
        to_plotly(figure, dark=is_dark()),
        key=key,
        theme=None,
        config=CONFIG,
        alt=figure.alt,
    )


def show_table(table: DisplayTable) -> None:
    """Show a table with its footnotes."""
    st.markdown(table_html(table), unsafe_allow_html=True)


def table_html(table: DisplayTable) -> str:
    """Give a table as HTML, every word of a file escaped."""
    numeric = {
        place for place, column in enumerate(table.columns) if column.format is not Format.TEXT
    }
    spanners = [column.spanner or "" for column in table.columns]
    top = ""
    if any(spanners):
        cells, place = [], 0
        while place < len(spanners):
            width = 1
            while place + width < len(spanners) and spanners[place + width] == spanners[place]:
                width += 1
            name = escape(spanners[place], "html")
            cells.append(f'<th colspan="{width}" class="{"span" if name else ""}">{name}</th>')
            place += width
        top = f"<tr>{''.join(cells)}</tr>"
    head = "".join(
        f'<th class="{"num" if place in numeric else ""}">{escape(column.label, "html")}</th>'
        for place, column in enumerate(table.columns)
    )
    body = []
    for raw, row in zip(table.rows, table.formatted(), strict=True):
        indent = int(str(raw.get("_indent") or 0))
        kind = "heading" if raw.get("_heading") else ""
        cells = [
            f'<td class="{"num" if place in numeric else ""}"'
            + (f' style="padding-left:{0.6 + 1.1 * indent}rem"' if place == 0 and indent else "")
            + f">{escape(text, 'html')}</td>"
            for place, text in enumerate(row)
        ]
        body.append(f'<tr class="{kind}">{"".join(cells)}</tr>')
    notes = "".join(f"<p>{escape(note, 'html')}</p>" for note in table.footnotes)
    return (
        f'<div class="sts-table"><table><thead>{top}<tr>{head}</tr></thead>'
        f'<tbody>{"".join(body)}</tbody></table><div class="notes">{notes}</div></div>'
    )


def show_findings(findings: Sequence[Finding], *, title: str = "What was found") -> None:
    """List findings, worst first, with place and what to do."""
    if not findings:
        return
    rows = [
        {
            "": finding.severity.value.capitalize(),
            "What": finding.message,
            "Where": finding.where,
            "What to do": finding.hint,
        }
        for finding in worst_first(findings)
    ]
    st.subheader(title, anchor=False)
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_config={
            "": st.column_config.TextColumn(width="small"),
            "What": st.column_config.TextColumn(width="large"),
            "Where": st.column_config.TextColumn(width="medium"),
            "What to do": st.column_config.TextColumn(width="large"),
        },
    )


def show_notice() -> None:
    """Show the message that the last action left, if any."""
    left = state.notice()
    if left is None:
        return
    message, findings = left
    worst = {finding.severity for finding in findings}
    if Severity.ERROR in worst:
        st.error(plain(message), icon=_ICONS[Severity.ERROR])
    elif message:
        st.success(plain(message), icon=":material/check_circle:")
    for finding in worst_first(findings):
        text = f"{plain(finding.message)} {plain(finding.hint)}"
        where = f"  \n{plain(finding.where)}" if finding.where else ""
        box = st.error if finding.severity is Severity.ERROR else st.info
        box(text + where, icon=_ICONS[finding.severity])


def export_menu(
    name: str,
    *,
    figure: Callable[[], Figure] | None = None,
    tables: Callable[[], Sequence[DisplayTable]] | None = None,
    notes: Sequence[str] = (),
    key: str,
) -> None:
    """Offer a figure as slide, SVG, PDF and PNG, and tables as a workbook; made on the click."""
    with st.popover("Export", icon=":material/download:"):
        if figure is not None:
            make = figure
            st.caption("Figure")
            _download("PowerPoint slide, editable", f"{name}.pptx", _PPTX, key,
                      lambda: pptx.render(make()))  # fmt: skip
            formats: tuple[tuple[str, print.Format, str], ...] = (
                ("PDF, vector", "pdf", "application/pdf"),
                ("SVG, vector", "svg", "image/svg+xml"),
                ("PNG, 300 dpi", "png", "image/png"),
            )
            for label, ending, mime in formats:
                _download(label, f"{name}.{ending}", mime, key,
                          partial(_drawn, make, ending))  # fmt: skip
        if tables is not None:
            list_tables = tables
            st.caption("Table")
            _download("Excel workbook of the numbers", f"{name}.xlsx", _XLSX, key,
                      lambda: write_workbook(list_tables(), notes))  # fmt: skip


def _drawn(make: Callable[[], Figure], file_format: print.Format) -> bytes:
    return print.render(make(), file_format)


_PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _download(label: str, file: str, mime: str, key: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        label, make, file, mime, key=f"{key}:{file}", on_click="ignore", width="stretch"
    )


def no_endpoint() -> None:
    """Say that no endpoint is confirmed, and where to do it."""
    with st.container(border=True):
        st.subheader("No endpoint is confirmed yet", anchor=False)
        st.write(
            "A time to an event can be estimated once somebody has said which value of the status "
            "column is the event, and in which unit the time is. The Data page asks for both."
        )
        st.page_link("pages/data.py", label="Confirm endpoints", icon=":material/table_view:")


def show_losses(losses: Sequence[Loss]) -> None:
    """List who an endpoint can't use, and why."""
    for sentence in loss_sentences(losses):
        st.markdown(f"- {plain(sentence)}")
