"""What pages show: figures, tables, findings, downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from pages._ui import state, widgets
from pages._ui.chart import chart
from pages._ui.inputs import plain
from pages._ui.patient_lists import count_html, count_link, counted_html, place_html
from sts_core.analysis.cox import MultivariableModel
from sts_core.analysis.followed import loss_sentences
from sts_core.analysis.provenance import exploratory_stamp
from sts_core.analysis.response import Share
from sts_core.cohort import Cohort
from sts_core.derive import Loss, unreadable_endpoints
from sts_core.display import (
    REASONS,
    DisplayTable,
    Format,
    counted,
    escape,
    format_number,
    format_percent,
    unbroken,
)
from sts_core.export.xlsx import write_workbook
from sts_core.figures.counted import counted_in, counts_table
from sts_core.figures.fonts import METRICS
from sts_core.figures.layout import layout
from sts_core.figures.marks import Diagram, Figure
from sts_core.figures.placed import PlacedArea, PlacedFigure
from sts_core.figures.theme import DARK, JOURNAL_DOUBLE, LIGHT, SLIDE, FigureSize
from sts_core.findings import Finding, Severity, worst_first
from sts_core.members import HEADING, CountedText, Members
from sts_core.overview import Part
from sts_core.render import pptx, print
from sts_core.render.plotly import to_plotly

_ICONS = {
    Severity.ERROR: ":material/error:",
    Severity.WARNING: ":material/warning:",
    Severity.NOTE: ":material/info:",
}
#: Pixels that a chart is laid out for: it stretches beyond, and is scrolled where there are fewer.
CHART_WIDTH = 900
#: Up to so many columns a table keeps its own width: numbers stay near what they are of.
NARROW_COLUMNS = 2
SCREEN_DIAGRAM = FigureSize("screen", 310.0, None, 9.0, 1.2, 240.0, show_title=False)


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def show_figure(figure: Figure, *, key: str, cohort: Cohort | None = None) -> None:
    """Draw a figure in the browser: a diagram as a picture that scales, all else in place.

    Parameters
    ----------
    figure
        The figure; what it counts opens the list of the patients.
    key
        Name of the place.
    cohort
        The cohort that it is of; the session's when ``None``.
    """
    if isinstance(figure.body, Diagram):
        _show_diagram(figure, cohort or state.workspace().cohort)
        return
    dark = is_dark()
    drawn = to_plotly(figure, dark=dark, width=CHART_WIDTH)
    cohort = cohort or state.workspace().cohort
    counts = {}
    if cohort is not None:
        counts = {
            name: state.count_key(members, cohort) for name, members in counted_in(figure).items()
        }
    chart(drawn, alt=figure.alt, dark=dark, min_width=CHART_WIDTH, key=key, counts=counts)
    if cohort is not None and counts:
        _list_counts(figure, cohort, key)


def _list_counts(figure: Figure, cohort: Cohort, key: str) -> None:
    """Offer all that a click on the figure opens as a table, which keys and readers reach too."""
    place = st.expander(
        "Patients in the figure", icon=":material/groups:", key=f"{key}.patients",
        on_change="rerun",
    )  # fmt: skip
    if not place.open:
        return
    table = counts_table(figure)
    if table is not None:
        with place:
            st.caption("Each number opens the list of its patients, as a click on the figure does.")
            st.markdown(table_html(table, cohort), unsafe_allow_html=True)


def show_page(figure: Figure, size: FigureSize) -> None:
    """Show a figure as its files have it, at its own size on a screen."""
    picture = print.render(figure, "svg", size)
    st.image(picture.decode(), width=round(size.width * 96 / 72), alt=figure.alt)
    st.caption(f"As the files have it, {size.name}.")


def _show_diagram(figure: Figure, cohort: Cohort | None) -> None:
    """Show a diagram, with what it counts as places that can be clicked."""
    placed = layout(figure, SCREEN_DIAGRAM, METRICS)
    picture = print.to_svg(placed, DARK if is_dark() else LIGHT)
    with st.container(key="diagram", gap=None):
        st.image(picture.decode(), width="stretch", alt=figure.alt)
        if cohort is not None:
            places = "".join(_place_html(area, placed, cohort) for area in placed.areas)
            st.markdown(f'<div class="places">{places}</div>', unsafe_allow_html=True)


def _place_html(area: PlacedArea, placed: PlacedFigure, cohort: Cohort) -> str:
    left, right = (100 * x / placed.width for x in (area.left, area.right))
    top, bottom = (100 * y / placed.height for y in (area.top, area.bottom))
    where = f"left:{left:.3f}%;top:{top:.3f}%;width:{right - left:.3f}%;height:{bottom - top:.3f}%"
    return place_html(area.members, cohort, area.label, where)


def show_table(table: DisplayTable, *, cohort: Cohort | None = None) -> None:
    """Show a table with its footnotes.

    Parameters
    ----------
    table
        The table; its counts open the list of their patients.
    cohort
        The cohort that it is of; the session's when ``None``.
    """
    st.markdown(table_html(table, cohort or state.workspace().cohort), unsafe_allow_html=True)


def table_html(table: DisplayTable, cohort: Cohort | None = None) -> str:
    """Give a table as HTML, every word of a file escaped, with counts of a cohort as buttons."""

    def written(at: int, key: str, text: str) -> str:
        if isinstance(text, CountedText):
            return counted_html(text, cohort)
        members = table.members.get((at, key))
        # of nobody there is no list
        if members is None or cohort is None or text in ("", "0"):
            return escape(text, "html")
        return count_html(members, cohort, text)

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
        f'<th class="{_class(place in numeric, column.quiet)}">'
        f"{written(HEADING, column.key, unbroken(column.label))}</th>"
        for place, column in enumerate(table.columns)
    )
    body = []
    for at, (raw, row) in enumerate(zip(table.rows, table.formatted(), strict=True)):
        indent = int(str(raw.get("_indent") or 0))
        kind = "heading" if raw.get("_heading") else ""
        cells = [
            f'<td class="{_class(place in numeric, table.columns[place].quiet)}"'
            + (f' style="padding-left:{0.6 + 1.1 * indent}rem"' if place == 0 and indent else "")
            + f">{written(at, table.columns[place].key, text)}</td>"
            for place, text in enumerate(row)
        ]
        body.append(f'<tr class="{kind}">{"".join(cells)}</tr>')
    notes = "".join(f"<p>{counted_html(note, cohort)}</p>" for note in table.footnotes)
    stamp = f'<p class="stamp">{escape(table.stamp, "html")}</p>' if table.stamp else ""
    narrow = ' class="narrow"' if len(table.columns) <= NARROW_COLUMNS else ""
    return (
        f'<div class="sts-table">{stamp}<table{narrow}><thead>{top}<tr>{head}</tr></thead>'
        f'<tbody>{"".join(body)}</tbody></table><div class="notes">{notes}</div></div>'
    )


def without_notes(table: DisplayTable, *above: DisplayTable) -> DisplayTable:
    """Leave out the footnotes that stand under a table above it on the same page."""
    said = {note for one in above for note in one.footnotes}
    return replace(table, footnotes=tuple(n for n in table.footnotes if n not in said))


def _class(numeric: bool, quiet: bool) -> str:
    return " ".join(name for name, wanted in (("num", numeric), ("quiet-p", quiet)) if wanted)


def show_findings(findings: Sequence[Finding], *, title: str = "What was found") -> None:
    """List findings, worst first, with place and what to do."""
    if not findings:
        return
    st.subheader(title, anchor=False)
    rows = "".join(
        f'<tr><td><span class="severity {finding.severity.value}">'
        f"{finding.severity.value.capitalize()}</span></td>"
        f"<td>{escape(finding.message, 'html')}</td><td>{escape(finding.where, 'html')}</td>"
        f"<td>{escape(finding.hint, 'html')}</td></tr>"
        for finding in worst_first(findings)
    )
    st.markdown(
        '<div class="sts-table findings"><table><thead><tr><th></th><th>What</th><th>Where</th>'
        f"<th>What to do</th></tr></thead><tbody>{rows}</tbody></table></div>",
        unsafe_allow_html=True,
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
    page: Callable[[], Figure] | None = None,
    size: FigureSize | None = None,
    tables: Callable[[], Sequence[DisplayTable]] | None = None,
    notes: Sequence[str] = (),
    key: str,
) -> None:
    """Offer a figure as slide and files, and tables as a workbook; made on the click.

    ``page`` draws the figure for files where it differs from that of the slide, and ``size`` is
    their page, 170 mm wide when ``None``.
    """
    with st.popover("Export", icon=":material/download:"):
        if figure is not None:
            make = figure
            st.caption("Figure")
            _download("PowerPoint slide, editable", f"{name}.pptx", PPTX_TYPE, key,
                      lambda: pptx.render(make()))  # fmt: skip
            if size is not None:
                st.caption(f"Figure on a page of {size.name}" if size is not SLIDE
                           else "Figure as a slide")  # fmt: skip
            formats: tuple[tuple[str, print.Format, str], ...] = (
                ("PDF, vector", "pdf", "application/pdf"),
                ("SVG, vector", "svg", "image/svg+xml"),
                ("PNG, 300 dpi", "png", "image/png"),
                ("TIFF, 600 dpi", "tiff", "image/tiff"),
            )
            for label, ending, mime in formats:
                _download(label, f"{name}.{ending}", mime, key,
                          partial(_drawn, page or make, ending, size))  # fmt: skip
        if tables is not None:
            list_tables = tables
            st.caption("Table")
            _download("Excel workbook of the numbers", f"{name}.xlsx", XLSX_TYPE, key,
                      lambda: write_workbook(list_tables(), notes))  # fmt: skip


def _drawn(make: Callable[[], Figure], file_format: print.Format, size: FigureSize | None) -> bytes:
    # a page of 170 mm goes on to a further one in a PDF
    return print.render(make(), file_format, None if size is JOURNAL_DOUBLE else size)


def rate_card(
    name: str,
    share: Share,
    denominator: str,
    beside: Share,
    other_denominator: str,
    *,
    cohort: Cohort,
    members: Members,
) -> None:
    """Show a rate large with its interval, and the same with the other denominator small.

    ``members`` are the patients whom both count.
    """
    level = f"{share.estimate.conf_level:.0%}"
    with st.container(border=True, gap="xsmall"):
        if share.estimate.value is None:
            st.metric(name, "not estimable")
            _card_stamp(cohort)
            reason = share.estimate.reason
            st.caption(REASONS[reason] if reason else "")
            return
        st.metric(name, f"{format_percent(share.estimate.value)}%")
        _card_stamp(cohort)
        st.markdown(
            f"**{share.count} of {share.total}** ({plain(denominator)}); {level} CI "
            f"{format_percent(share.estimate.low)} to {format_percent(share.estimate.high)}% "
            f"({share.estimate.method})"
        )
        if beside.estimate.value is not None:
            limits = (
                f"{format_percent(beside.estimate.low)} to {format_percent(beside.estimate.high)}"
            )
            st.caption(
                f"{beside.count} of {beside.total} {plain(other_denominator)}: "
                f"{format_percent(beside.estimate.value)}% ({limits}%)"
            )
        count_link(members, cohort, share.count)


def count_card(
    name: str, count: int, total: int | None, *, cohort: Cohort, members: Members
) -> None:
    """Show patients with something, of how many where that is said, and offer their list."""
    share = None
    if total is not None:
        percent = f"{format_percent(count / total)}%" if total else "no patients"
        share = f"{percent} of {counted(total, 'patient')}" if total else percent
    with st.container(border=True, gap=None, height="stretch"):
        st.metric(name, count, delta=share, delta_color="off", delta_arrow="off")
        _card_stamp(cohort)
        count_link(members, cohort, count)


def _card_stamp(cohort: Cohort) -> None:
    """Say on a card that its number is of an exploratory subset: cards are read alone."""
    if cohort.exploratory:
        stamp = escape(exploratory_stamp(cohort.n, cohort.n_in_file), "html")
        st.markdown(f'<div class="card-stamp">{stamp}</div>', unsafe_allow_html=True)


def model_line(model: MultivariableModel) -> None:
    """Say what the multivariable model rests on."""
    parts = [
        f"Multivariable model: {counted(model.n, 'patient')}, {counted(model.n_event, 'event')}"
    ]
    if model.n_excluded:
        parts.append(f"{model.n_excluded} left out for a missing value")
    if model.events_per_parameter is not None:
        parts.append(f"{format_number(model.events_per_parameter)} events per parameter")
    if model.concordance is not None and model.concordance.value is not None:
        parts.append(f"concordance {format_number(model.concordance.value, 3)}")
    text = "; ".join(parts) + "."
    few = model.events_per_parameter is not None and model.events_per_parameter < 10
    if few:
        st.warning(
            f"{text} Fewer than ten events per parameter: these estimates are unstable.",
            icon=":material/warning:",
        )
    else:
        st.caption(text)


def in_words(methods: str, sentences: Sequence[str]) -> None:
    """Offer the methods and results sentences."""
    with st.expander("In words, for the paper", icon=":material/article:"):
        st.markdown(f"**Methods.** {plain(methods)}")
        st.markdown(f"**Results.** {plain(' '.join(sentences))}")


def empty_state(
    title: str, text: str, *, link: str = "Go to the Data page", tab: str | None = None
) -> None:
    """Say what is missing, and where to get it: the Data page, or one of its tabs."""
    with st.container(border=True):
        st.subheader(title, anchor=False)
        st.write(text)
        if tab is None:
            st.page_link("pages/data.py", label=link, icon=":material/table_view:")
        elif widgets.pressed(link, "empty.go", type="primary", icon=":material/table_view:"):
            state.open_tab("data", tab)
            st.switch_page("pages/data.py")


PPTX_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _download(label: str, file: str, mime: str, key: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        label, make, file, mime, key=f"{key}:{file}", on_click="ignore", width="stretch"
    )


def no_endpoint(cohort: Cohort) -> None:
    """Say that no endpoint can be estimated, why, and where to settle it."""
    endpoints = cohort.study.definitions.endpoints
    lacking = [
        f"{plain(endpoints[code].label)}: {plain(findings[0].message)}"
        for code, findings in unreadable_endpoints(cohort).items()
        if endpoints[code].is_confirmed
    ]
    if lacking:
        empty_state(
            "The files lack what the endpoints are read from",
            " ".join(lacking),
            link="Choose other columns",
            tab=Part.ENDPOINTS.value,
        )
        return
    empty_state(
        "No endpoint is confirmed yet",
        "A time to an event can be estimated once somebody has confirmed what the event is, and in "
        "which unit a column of times is. The Data page asks for both.",
        link="Confirm endpoints",
        tab=Part.ENDPOINTS.value,
    )


def show_losses(
    losses: Sequence[Loss], cohort: Cohort, endpoint: str, population: str | None
) -> None:
    """List who of a population an endpoint can't use, and why."""
    sentences = loss_sentences(losses, endpoint, population)
    if sentences:
        items = "".join(f"<li>{counted_html(sentence, cohort)}</li>" for sentence in sentences)
        st.markdown(f'<ul class="losses">{items}</ul>', unsafe_allow_html=True)
