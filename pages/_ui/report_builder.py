"""The list of the report's items, and its files."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages._ui import state, widgets
from pages._ui.basket import as_document, with_items
from pages._ui.compute import compute
from pages._ui.inputs import plain
from pages._ui.looked_at import looked_at
from pages._ui.show import PPTX_TYPE, XLSX_TYPE
from sts_core.analysis.plan import Done, usual_report
from sts_core.analysis.registry import ANALYSES, spec_from
from sts_core.cohort import Cohort
from sts_core.export.deck import write_deck
from sts_core.export.document import write_document
from sts_core.export.report import Report, build_report
from sts_core.export.results import results_document, results_json
from sts_core.export.xlsx import write_workbook
from sts_core.findings import StudyError

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def items(cohort: Cohort) -> tuple[Done, ...]:
    """Show the items with their order; give those that can be computed."""
    documents = cohort.study.report.items
    done = []
    for place, document in enumerate(documents):
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", wrap=False,
            key=f"item-{place}",
        ):  # fmt: skip
            item = _computed(cohort, document)
            if item is not None:
                done.append(item)
                title = plain(item.tables[0].title)
                st.markdown(f"**{place + 1}.** {title}", width="stretch")
            _buttons(cohort, documents, place)
    if not documents:
        st.info(
            "Nothing is in the report yet. “Add to report” on an analysis page puts it here as it "
            "is there, or begin with the usual set.",
            icon=":material/info:",
        )
    widgets.button(
        "Add the usual set",
        "report.usual",
        _add_usual,
        (cohort,),
        icon=":material/playlist_add:",
        help="Response, survival overall and by histotype, Cox regression, adverse events: what "
        "this file has.",
    )
    return tuple(done)


def _computed(cohort: Cohort, document: dict[str, Any]) -> Done | None:
    try:
        spec = spec_from(document, where="report.items")
        analysis = ANALYSES[spec.kind]
        return Done(analysis, spec, compute(analysis.compute, cohort, spec))
    except (StudyError, KeyError) as error:
        reasons = (
            " ".join(finding.message for finding in error.findings)
            if isinstance(error, StudyError)
            else "Its endpoint is no longer defined."
        )
        st.warning(f"This item can't be computed any more. {plain(reasons)}")
        return None


def _buttons(cohort: Cohort, documents: tuple[dict[str, Any], ...], place: int) -> None:
    def moved(to: int) -> tuple[dict[str, Any], ...]:
        out = list(documents)
        if 0 <= to < len(out):
            out[place], out[to] = out[to], out[place]
        return tuple(out)

    without = (*documents[:place], *documents[place + 1 :])
    for icon, label, new, off in (
        ("arrow_upward", "Move up", moved(place - 1), place == 0),
        ("arrow_downward", "Move down", moved(place + 1), place == len(documents) - 1),
        ("delete", "Remove", without, False),
    ):
        widgets.button(
            "",
            f"report.{icon}.{place}",
            _set,
            (cohort, new),
            about=new,
            icon=f":material/{icon}:",
            help=label,
            type="tertiary",
            disabled=off,
        )


def _set(cohort: Cohort, documents: tuple[dict[str, Any], ...]) -> None:
    state.change_study(with_items(cohort.study, documents))


def _add_usual(cohort: Cohort) -> None:
    present = cohort.study.report.items
    new = [as_document(spec) for spec in usual_report(cohort)]
    _set(cohort, (*present, *(document for document in new if document not in present)))


def downloads(cohort: Cohort, done: tuple[Done, ...]) -> None:
    """Offer the deck, the document, the workbook and the numbers; made on the click."""
    # a download is made outside the session's run
    seen = looked_at(cohort)

    def report() -> Report:
        return build_report(cohort, done, seen)

    def workbook() -> bytes:
        made = report()
        tables = [section.table for section in made.sections if section.table is not None]
        return write_workbook(tables, [*made.methods, *made.provenance.record])

    def numbers() -> bytes:
        return results_json(results_document(cohort, done, seen)).encode()

    for label, text, file, mime, icon, make in (
        ("PowerPoint deck", "One finding after the other; native shapes and tables, all editable.",
         "report.pptx", PPTX_TYPE, "slideshow", lambda: write_deck(report())),
        ("Word document", "Native tables, figures, methods and results in words.",
         "report.docx", _DOCX, "description", lambda: write_document(report())),
        ("Excel workbook", "Every table as numbers, with the notes.",
         "report.xlsx", XLSX_TYPE, "table_view", workbook),
        ("results.json", "Every number as a row, for your statistician.",
         "results.json", "application/json", "data_object", numbers),
    ):  # fmt: skip
        st.download_button(
            label, make, file, mime, icon=f":material/{icon}:", on_click="ignore",
            key=f"report.{file}", width="stretch", disabled=not done,
        )  # fmt: skip
        st.caption(text)
