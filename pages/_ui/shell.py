"""The frame around every page: menu, guard, cohort line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException

from pages._ui import criteria_builder, filters, intake, patient_lists, state
from pages._ui.comparisons_note import comparisons_note
from pages._ui.show import show_notice
from sts_core.analysis.provenance import SYNTHETIC_STAMP
from sts_core.cohort import Cohort
from sts_core.derive import cutoff_date
from sts_core.display import escape
from sts_core.members import Count, CountedText, Members, of_flow
from sts_core.populations import cohort_of
from sts_core.study import Study

NAME = "STS Cohort Dashboard"
PAGE_ICON = "static/icon.png"
SIDEBAR_PIXELS = 250


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu."""

    path: str
    title: str
    icon: str
    section: str


COHORT_PAGE = "pages/cohort.py"
PAGES = (
    Entry("pages/data.py", "Data", ":material/table_view:", "Cohort"),
    Entry(COHORT_PAGE, "Cohort", ":material/filter_alt:", "Cohort"),
    Entry("pages/response.py", "Response", ":material/bar_chart:", "Analysis"),
    Entry("pages/survival.py", "Survival", ":material/show_chart:", "Analysis"),
    Entry("pages/prognosis.py", "Prognosis", ":material/forest:", "Analysis"),
    Entry("pages/safety.py", "Safety", ":material/medical_services:", "Analysis"),
    Entry("pages/report.py", "Report", ":material/slideshow:", "Paper"),
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a page works with: patients and choices."""

    cohort: Cohort
    study: Study

    def of(self, population: str | None) -> Context:
        """Give the same with the patients of an analysis population."""
        return Context(cohort_of(self.cohort, population), self.study)


def menu() -> st.Page:
    """Declare the pages, and give the one that was asked for."""
    sections: dict[str, list[st.Page]] = {}
    for number, entry in enumerate(PAGES):
        sections.setdefault(entry.section, []).append(
            st.Page(entry.path, title=entry.title, icon=entry.icon, default=number == 0)
        )
    return st.navigation(sections)


def route() -> None:
    """Run the page that the address names."""
    st.set_page_config(
        page_title=NAME, page_icon=PAGE_ICON, layout="wide", initial_sidebar_state=SIDEBAR_PIXELS
    )
    current = menu()
    state.enter_shell()
    complete = True
    try:
        current.run()
    except RerunException:
        complete = False
        raise
    finally:
        state.leave_shell()
        if complete:
            state.drop_shown_notice()
            state.rest()


def page(title: str) -> Context:
    """Begin a page that works on patients; without any it says so, and the run ends here.

    Parameters
    ----------
    title
        Heading of the page.
    """
    context = open_page(title)
    if context is None:
        _empty_state(state.workspace().has_data)
        st.stop()
    return context


def open_page(title: str) -> Context | None:
    """Begin a page: guard, heading, cohort line; ``None`` when there are no patients yet."""
    if not state.in_shell():
        # The page was run without the router: declare the menu and start again through it
        menu()
        st.rerun()
    intake.take_outcome()
    st.markdown(_STYLE, unsafe_allow_html=True)
    st.title(title, anchor=False)
    if title != "Data":  # which says it at a place of its own
        with st.container():
            show_notice()
            intake.show_progress()
    workspace = state.workspace()
    if workspace.cohort is None or workspace.study is None:
        if workspace.study is not None:
            filters.stranded_filters(workspace.study)
            if title == "Cohort":
                criteria_builder.stranded_criteria(workspace.study)
        return None
    _cohort_line(workspace.cohort)
    filters.sidebar_filters(workspace.cohort, title)
    comparisons_note(workspace.cohort)
    patient_lists.listen()
    return Context(workspace.cohort, workspace.study)


def lazy_tabs(
    key: str, contents: Mapping[str, Callable[[], None]], *, stay_drawn: bool = True
) -> None:
    """Show tabs that are drawn from when they are first opened.

    Parameters
    ----------
    key
        Name of the tabs in the session.
    contents
        Title of each tab, and what draws it.
    stay_drawn
        Whether a tab that was open stays drawn, so that what was begun in it is still there;
        otherwise only the open one is, which costs less at each click.
    """
    opened = state.remembered(f"{key}.tabs", frozenset()) if stay_drawn else frozenset()
    tabs = st.tabs(list(contents), on_change="rerun", key=f"{key}.tab")
    opened |= {name for name, tab in zip(contents, tabs, strict=True) if tab.open}
    state.remember(f"{key}.tabs", opened)
    for (name, draw), tab in zip(contents.items(), tabs, strict=True):
        if name in opened:
            with tab:
                draw()


def _cohort_line(cohort: Cohort) -> None:
    study = cohort.study
    parts = [
        _pill(
            f"{_listed(Members(), cohort, cohort.n)} of "
            f"{_listed(of_flow('file'), cohort, cohort.n_in_file)} patients analysed",
            "analysed",
        ),
        _pill(f"data cut-off <b>{cutoff}</b>" if (cutoff := cutoff_date(cohort)) is not None
              else "data cut-off not stated"),
        _pill(_in_force("criterion", "criteria", study.analysis.criteria)),
        _pill(_in_force("filter", "filters", study.analysis.filters)),
    ]  # fmt: skip
    if cohort.exploratory:
        parts.append(_pill("exploratory subset", "warn"))
    if study.synthetic:
        parts.append(_pill(SYNTHETIC_STAMP, "stamp"))
    title = escape(study.title, "html")
    st.markdown(
        f'<div class="cohort-line"><span class="study">{title}</span>{"".join(parts)}</div>',
        unsafe_allow_html=True,
    )


def _listed(members: Members, cohort: Cohort, n: int) -> str:
    return patient_lists.counted_html(CountedText.of(Count(str(n), members)), cohort)


def _in_force(one: str, many: str, items: tuple[object, ...]) -> str:
    n = sum(bool(getattr(item, "enabled", False)) for item in items)
    return f"no {many}" if n == 0 else f"<b>{n}</b> {one if n == 1 else many} in force"


def _pill(text: str, kind: str = "") -> str:
    return f'<span class="pill {kind}">{text}</span>'


def _empty_state(has_data: bool) -> None:
    with st.container(border=True):
        if has_data:
            st.subheader("The patient table is not ready", anchor=False)
            st.write(
                "The file is loaded, but its patients can't be put together yet. "
                "The Data page says what is missing and what to do."
            )
        else:
            st.subheader("No patients yet", anchor=False)
            st.write(
                "Upload a spreadsheet with one row per patient on the Data page, "
                "or look around with the synthetic sample first. After a reload of the page, "
                "files are dropped there again: nothing is kept."
            )
        st.page_link("pages/data.py", label="Go to the Data page", icon=":material/table_view:")


_STYLE = """<style>
.cohort-line {display:flex; flex-wrap:wrap; gap:.4rem .5rem; align-items:center;
  padding:.15rem 0 .6rem 0; font-size:.86rem; line-height:1.5;}
.cohort-line .study {font-weight:600; margin-right:.4rem;}
.cohort-line .pill {border:1px solid color-mix(in srgb, currentColor 22%, transparent);
  border-radius:999px; padding:.08rem .65rem; white-space:nowrap;}
.cohort-line .pill.analysed button.count:first-child {font-weight:700;}
.cohort-line .pill.stamp {background:#FCF0E4; color:#8A430B; border-color:#E3B98F; font-weight:600;}
.cohort-line .pill.warn {background:#FBF5DF; color:#735603; border-color:#DCC98A; font-weight:600;}
[data-testid="stMainBlockContainer"] {padding:2.6rem 2.6rem 3rem 2.6rem; max-width:1560px;}
[data-testid="stCheckbox"] .stMarkdownEllipsis {white-space:normal; overflow:visible;}
[class*="st-key-criterion-card"], [class*="st-key-population-card"] {padding:.55rem .8rem;
  gap:.3rem;}
[class*="st-key-population-card"] .stMarkdown p,
[class*="st-key-criterion-card"] .stMarkdown p {font-size:.92rem; line-height:1.4;}
[data-testid^="stBaseButton-primary"]:not(:disabled),
[data-testid^="stBaseButton-primary"]:not(:disabled) * {
  color:light-dark(#fff, #0f1820) !important;}
.sts-table {overflow-x:auto; font-size:.86rem; line-height:1.45; margin:.3rem 0 .8rem 0;}
.sts-table table {border-collapse:collapse; width:100%; border:0; margin:0;}
.sts-table table.narrow {width:auto; min-width:min(30rem, 100%);}
.sts-table th, .sts-table td {border:0 !important; padding:.3rem .45rem; text-align:left;
  vertical-align:top;}
.sts-table thead th {font-weight:600; vertical-align:bottom;
  border-bottom:1px solid currentColor !important;}
.sts-table thead tr:first-child th {border-top:1.5px solid currentColor !important;}
.sts-table thead th.span {text-align:center;}
.sts-table tbody tr:last-child td {border-bottom:1.5px solid currentColor !important;}
.sts-table tbody tr:hover td {background:color-mix(in srgb, currentColor 5%, transparent);}
.sts-table tr.heading td {font-weight:600;}
.sts-table .quiet-p {color:light-dark(#5B6875, #95A3B1);}
.sts-table p.stamp {margin:0 0 .2rem 0; font-size:.8rem; font-weight:600;
  color:light-dark(#9A3412, #FDBA74);}
.card-stamp {margin:.3rem 0 1rem 0; font-size:.78rem; font-weight:600; line-height:1.3;
  text-wrap:balance; color:light-dark(#9A3412, #FDBA74);}
.sts-table .num {text-align:right; font-variant-numeric:tabular-nums;}
.sts-table td.num {white-space:nowrap;}
[data-testid="stElementContainer"]:has(.sts-counts) {position:absolute; height:0;}
button.count {all:unset; cursor:pointer; font:inherit; color:inherit; border-radius:2px;
  text-decoration:underline dotted transparent; text-underline-offset:.2em;}
.sts-table .notes button.count, .losses button.count, .criterion-words button.count {
  text-decoration-color:color-mix(in srgb, currentColor 45%, transparent);}
button.count:hover, .sts-table .notes button.count:hover, .losses button.count:hover,
.criterion-words button.count:hover {
  text-decoration-color:currentColor;}
button.count:focus-visible {outline:2px solid currentColor; outline-offset:2px;}
.st-key-diagram {position:relative; max-width:38rem;}
.st-key-diagram > [data-testid="stElementContainer"]:has(.places) {position:absolute; inset:0;
  pointer-events:none;}
.st-key-diagram [data-testid="stMarkdownContainer"]:has(> .places) {position:static;}
.places {position:absolute; inset:0;}
.places button.place {all:unset; position:absolute; cursor:pointer; pointer-events:auto;
  border-radius:3px;}
.places button.place:hover {background:color-mix(in srgb, currentColor 8%, transparent);}
.places button.place:focus-visible {outline:2px solid currentColor;}
.sts-table.revealed {max-height:560px; overflow:auto;}
.sts-table.revealed td:nth-child(-n+2) {white-space:nowrap;}
.losses {font-size:.9rem; margin:0 0 1rem 0; padding-left:1.2rem;}
.criterion-words {font-size:.85rem; line-height:1.45; margin:0 0 1rem 0;}
.criterion-words button.count {font-weight:600;}
.left-out {font-size:.86rem; margin:.1rem 0 .85rem 0;}
.named-count {margin:0 0 1rem 0; font-size:.9rem;}
.named-count > span {font-weight:600;}
.count-link {margin:.1rem 0 .85rem 0;}
.count-link button.count {font-size:.82rem; opacity:.78;
  text-decoration-color:color-mix(in srgb, currentColor 55%, transparent);}
.count-link button.count:hover {opacity:1; text-decoration-color:currentColor;}
.sts-table.findings td {border-bottom:1px solid color-mix(in srgb, currentColor 14%, transparent)
  !important;}
.sts-table.queries {max-height:640px; overflow:auto;}
.sts-table.queries td {border-bottom:1px solid color-mix(in srgb, currentColor 10%, transparent)
  !important; overflow-wrap:anywhere;}
.sts-table.queries tr.query td {padding-top:.7rem; font-weight:600;}
.sts-table.queries .severity {margin-right:.35rem; font-weight:500;}
.sts-table.queries .hint {font-weight:400; opacity:.78;}
.sts-table.overview td {border-bottom:1px solid color-mix(in srgb, currentColor 12%, transparent)
  !important;}
.sts-table.overview {max-height:640px; overflow:auto;}
.sts-table.overview td.name {font-weight:600; min-width:8rem; max-width:14rem;}
.sts-table.overview td.quiet {opacity:.75; overflow-wrap:break-word; min-width:7.5rem;
  max-width:13rem;}
.sts-table.overview td.short {white-space:nowrap;}
.sts-table.overview td.values {min-width:9rem; max-width:34rem; overflow-wrap:anywhere;}
.meter {display:inline-block; width:3.2rem; height:.45rem; border-radius:.25rem; overflow:hidden;
  margin-right:.4rem; background:color-mix(in srgb, currentColor 13%, transparent);}
.meter > span {display:block; height:100%; background:light-dark(#B4632A, #E0A06C);}
.percent {display:inline-block; font-variant-numeric:tabular-nums;}
.bars {display:inline-flex; align-items:flex-end; gap:1px; width:6rem; height:1.25rem;}
.bars > span {flex:1 1 0; min-height:1px; max-width:1rem; background:light-dark(#33658A, #7FB2D6);}
[class*="st-key-criterion-icons"] button {min-height:1.7rem; padding:.1rem .2rem;
  min-width:1.75rem;}
.spread {margin-bottom:1rem;}
.spread .kept-bars {display:flex; align-items:flex-end; gap:1px; height:2.1rem; width:7rem;
  border-bottom:1px solid color-mix(in srgb, currentColor 35%, transparent);}
.spread.wide .kept-bars {height:4.2rem; width:15rem;}
.spread .bar {flex:1 1 0; height:100%; min-width:2px; max-width:2.2rem; display:flex;
  flex-direction:column; justify-content:flex-end;}
.spread .bar.unknown {margin-left:.35rem; opacity:.6;}
.spread .bar b, .spread .key b {display:block; background:light-dark(#33658A, #7FB2D6);}
.spread .bar i, .spread .key i {display:block; background:repeating-linear-gradient(45deg,
  light-dark(#B4632A, #E0A06C) 0 2px, transparent 2px 4px);}
.spread .ends {display:flex; justify-content:space-between; font-size:.72rem; opacity:.8;}
.spread .key {display:flex; align-items:center; gap:.3rem; font-size:.72rem; opacity:.85;}
.spread .key b, .spread .key i {width:.7rem; height:.7rem; margin-left:.3rem;}
.severity {font-weight:600; font-size:.8rem; border-radius:999px; padding:.05rem .55rem;
  border:1px solid color-mix(in srgb, currentColor 35%, transparent);}
.severity.error {color:light-dark(#96252D, #F2AAAF);}
.severity.warning {color:light-dark(#8A430B, #F0BF94);}
.severity.note {color:light-dark(#3A4653, #B7C2CD);}
.sts-table .notes {margin-top:.5rem; font-size:.8rem; opacity:.78;}
.sts-table .notes p {margin:0 0 .12rem 0; font-size:inherit; max-width:70rem;}
.st-key-sidebar-filters {font-size:.86rem;}
.st-key-sidebar-filters p {font-size:.86rem; line-height:1.35;}
.st-key-sidebar-filters [data-testid="stCaptionContainer"] p {font-size:.78rem;}
.st-key-sidebar-filters [data-testid="stExpanderDetails"] {padding:.2rem 0 0 0; gap:.55rem;}
.st-key-sidebar-filters [class*="st-key-filter-block-"] {padding-bottom:.35rem;
  border-bottom:1px solid color-mix(in srgb, currentColor 12%, transparent);}
.st-key-sidebar-filters button {min-height:1.7rem;}
.st-key-sidebar-filters [data-testid^="stBaseButton-pills"] {padding:.05rem .5rem;}
.st-key-sidebar-filters [data-testid="stSliderThumbValue"] {font-size:.78rem;}
.st-key-sidebar-filters [data-testid="stSlider"] {padding:0 .45rem;}
.st-key-sidebar-comparisons {margin-top:.8rem; padding-top:.6rem;
  border-top:1px solid color-mix(in srgb, currentColor 18%, transparent);}
.st-key-sidebar-comparisons:not(:has(.st-key-comparisons-count p)) {display:none;}
.st-key-sidebar-comparisons [data-testid="stMarkdownContainer"] p {font-size:.82rem;
  line-height:1.35;}
.st-key-sidebar-comparisons button {min-height:1.7rem; padding-left:0;}
.st-key-sidebar-filters [data-baseweb="tag"] {height:auto; max-width:100%;}
.st-key-sidebar-filters [data-baseweb="tag"] span {white-space:normal; max-width:100%;
  font-size:.8rem; line-height:1.25;}
.filter-count .meter {display:block; width:100%; margin:.25rem 0 0 0;}
[data-testid="stSidebarUserContent"] {padding:0 0 2rem 0;}
@media (max-width:1000px) {
  [data-testid="stMainBlockContainer"] {padding:2.6rem 1.2rem 3rem 1.2rem;}
  .cohort-line .pill {white-space:normal;}
  .st-key-side-by-side [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"]) {
    flex-wrap:wrap;}
  .st-key-side-by-side [data-testid="stColumn"] {flex:1 1 100%; min-width:100%;}
}
[data-testid="stMainBlockContainer"] h1 {padding:0 0 .1rem 0;}
</style>"""
