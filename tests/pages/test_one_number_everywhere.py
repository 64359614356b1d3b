"""What a page shows, the deck, the Word file and ``results.json`` hold the very same numbers."""

from __future__ import annotations

import functools
import io

import pytest
from docx import Document
from pptx import Presentation

from sts_core.analysis.plan import Done, usual_report
from sts_core.analysis.registry import ANALYSES
from sts_core.export.deck import write_deck
from sts_core.export.document import write_document
from sts_core.export.report import build_report
from sts_core.export.results import results_document
from tests.pages.driver import go, shown, table, with_sample, words

pytestmark = pytest.mark.pages

PAGE_OF = {
    "response": "pages/response.py",
    "cox": "pages/prognosis.py",
    "adverse_events": "pages/safety.py",
}


@functools.cache
def sample():
    """The sample as a session has it, with the usual report's analyses."""
    cohort = with_sample().session_state["workspace"].cohort
    specs = usual_report(cohort)
    return cohort, [Done(ANALYSES[s.kind], s, ANALYSES[s.kind].compute(cohort, s)) for s in specs]


def squeezed(cells):
    """Give a row's cells without blanks at their ends and the breaks of a narrow column."""
    return tuple(" ".join(cell.split()) for cell in cells)


def rows_of_deck(report):
    deck = Presentation(io.BytesIO(write_deck(report)))
    shapes = [shape for slide in deck.slides for shape in slide.shapes if shape.has_table]
    return {squeezed(c.text for c in row.cells) for shape in shapes for row in shape.table.rows}


def rows_of_document(report):
    tables = Document(io.BytesIO(write_document(report))).tables
    return {squeezed(cell.text for cell in row.cells) for part in tables for row in part.rows}


@pytest.mark.parametrize("rows_of", [rows_of_deck, rows_of_document])
def test_every_row_of_every_table_is_in_the_file(rows_of) -> None:
    cohort, done = sample()
    held = rows_of(build_report(cohort, done))
    kinds = {item.analysis.kind for item in done}
    assert kinds >= {"response", "kaplan_meier", "cox", "adverse_events"}
    for item in done:
        for row, cells in zip(
            (made := item.analysis.table(item.result)).rows, made.formatted(), strict=True
        ):
            if not row.get("_heading"):
                assert squeezed(cells) in held, (made.title, cells)


def test_every_row_of_the_usual_tables_is_on_its_page() -> None:
    at = with_sample()
    _, done = sample()
    for kind, path in PAGE_OF.items():
        on_page = table(go(at, path))
        # the page begins with the sample's comparison, the report with all patients
        wanted = [item for item in done if item.analysis.kind == kind]
        item = next((item for item in wanted if getattr(item.spec, "by", None)), wanted[0])
        for cells in item.analysis.table(item.result).formatted():
            for cell in cells:
                assert words(cell) in on_page, (kind, cell)


def test_results_json_holds_the_published_response_and_the_tables_counts() -> None:
    cohort, done = sample()
    rows = results_document(cohort, done)["rows"]

    def value(**wanted):
        found = {
            (row["value"], row.get("denominator"))
            for row in rows
            if all(row.get(key) == text for key, text in wanted.items())
        }
        assert len(found) == 1, (wanted, found)
        return found.pop()

    orr = value(analysis="response", statistic="objective_response_rate", group=None)
    dcr = value(analysis="response", statistic="disease_control_rate", group=None)
    assert "9 of 51" in (on_page := shown(go(with_sample(), PAGE_OF["response"])))
    assert "39 of 51" in on_page
    assert (orr, dcr) == ((9 / 51, 51), (39 / 51, 51))
    safety = next(item for item in done if item.analysis.kind == "adverse_events")
    for line in safety.result.lines:
        got = value(
            analysis="adverse_events", statistic="patients_any_grade", term=line.label,
            level=line.level, group=None,
        )  # fmt: skip
        assert got == (line.overall.n_any, safety.result.overall.n)
