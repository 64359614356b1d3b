"""Under filters every number carries the mark: tables, figures, sentences and every export."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import openpyxl
import pytest
from docx import Document
from pptx import Presentation

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.plan import Done
from sts_core.analysis.provenance import provenance_of
from sts_core.analysis.registry import ANALYSES
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.display import Column, DisplayTable, Format, p_phrase
from sts_core.export.deck import write_deck
from sts_core.export.document import write_document
from sts_core.export.report import Report, build_report
from sts_core.export.results import results_document, results_json
from sts_core.export.xlsx import write_workbook
from sts_core.figures.catalogue import figure_of
from sts_core.figures.marks import Chart, Figure, Role, RowGrid, TextColumn
from sts_core.figures.survival_curve import survival_curve
from sts_core.figures.theme import LIGHT
from sts_core.render.plotly import to_plotly
from sts_core.study import AnalysisSection, Measured, OneOf, Variable, VariableKind, dump_study
from sts_core.study.file import load_study
from tests.cohorts import endpoint, make_cohort

N = 60
STAMP = "Exploratory subset, n = 40 of 60"
# a P value in a sentence; the rule of entry into a model is none
P_VALUE = re.compile(r"(?<!Wald )\bP (?:= |<|>)")
_CHOSEN: tuple[dict[str, Any], ...] = (
    {"kind": "baseline", "variables": ("age", "sex"), "by": "group", "tests": True},
    {"kind": "kaplan_meier", "endpoint": "OS", "by": "group"},
    {"kind": "survival_comparison", "endpoint": "OS", "by": "group"},
    {"kind": "competing_risks", "endpoint": "TTP", "by": "group", "covariates": ("age",)},
    {"kind": "response", "by": "group"},
    {"kind": "cross_table", "rows": "sex", "columns": "group", "tests": True},
    {"kind": "cox", "endpoint": "OS", "covariates": ("group", "age", "sex")},
    {"kind": "set_comparison", "variables": ("age", "sex")},
    {"kind": "adverse_events"},
)


def _usual(kind: str) -> dict[str, Any]:
    """Ask an analysis that is not listed what it needs, by group where it can."""
    usual = {"endpoint": "OS", "by": "group", "covariates": ("age",)}
    fields = {field.name for field in dataclasses.fields(ANALYSES[kind].spec_type)}
    return {"kind": kind} | {name: value for name, value in usual.items() if name in fields}


SPECS = (
    *_CHOSEN,
    *(_usual(kind) for kind in ANALYSES if kind not in {item["kind"] for item in _CHOSEN}),
)


@functools.cache
def unfiltered() -> Cohort:
    random = np.random.default_rng(11)
    columns = {
        "time": [float(t) for t in np.ceil(random.exponential(300, N)) + 5],
        "status": [int(s) for s in random.integers(0, 2, N)],
        "ended": [int(s) for s in random.integers(0, 3, N)],
        "group": [("A", "B", "C")[i % 3] for i in range(N)],
        "site": [("one", "two", "three")[i // 20] for i in range(N)],
        "sex": ["f" if s else "m" for s in random.integers(0, 2, N)],
        "age": [int(a) for a in random.integers(18, 80, N)],
        "best_response": [("CR", "PR", "SD", "PD")[i % 4] for i in range(N)],
    }
    known = {"measured": Measured.BASELINE}
    variables = {
        "group": Variable(label="Group", **known),
        "site": Variable(label="Site", **known),
        "sex": Variable(label="Sex", **known),
        "age": Variable(label="Age", kind=VariableKind.NUMERIC, **known),
    }
    events = {"row": [1, 2, 5], "term": ["Rash"] * 3, "grade": [1, 3, 2], "related": ["yes"] * 3}
    kinds = {"progression": (1,), "death": (2,)}
    endpoints = {"OS": endpoint(), "TTP": endpoint(label="TTP", event="ended", events=kinds)}
    return make_cohort(columns, endpoints=endpoints, variables=variables, adverse_events=events)


def under(filters: tuple[OneOf, ...], **analysis: Any) -> Cohort:
    data = unfiltered()
    section = AnalysisSection(filters=filters, **analysis)
    return apply_criteria(data, replace(data.study, analysis=section))


@functools.cache
def filtered(report_p: bool = False) -> Cohort:
    return under((OneOf("site", ("one", "two")),), report_exploratory_p=report_p)


def done(data: Cohort) -> tuple[Done, ...]:
    out = []
    for document in SPECS:
        analysis = ANALYSES[document["kind"]]
        spec = analysis.spec_type(**document)
        out.append(Done(analysis, spec, analysis.compute(data, spec)))
    return tuple(out)


@functools.cache
def results(kind: str) -> tuple[Done, ...]:
    data = {"none": unfiltered(), "quiet": filtered(), "reported": filtered(report_p=True)}[kind]
    return done(data)


def texts(figure: Figure) -> list[str]:
    body = figure.body
    if isinstance(body, Chart):
        return list(body.key.notes) if body.key else []
    if isinstance(body, RowGrid):
        columns = [item for item in body.items if isinstance(item, TextColumn)]
        return [column.header for column in columns]
    return []


@pytest.mark.parametrize("place", range(len(SPECS)), ids=lambda at: str(SPECS[at]["kind"]))
def test_p_values_are_labelled_and_the_number_is_stamped(place: int) -> None:
    item = results("quiet")[place]
    table = item.analysis.table(item.result)
    assert table.stamp == STAMP
    for column in table.columns:
        if column.format is Format.P_VALUE:
            assert column.quiet
            assert column.label == "P (exploratory)"
    said = [*item.analysis.sentences(item.result), *table.footnotes]
    assert said[0] == f"{STAMP}."
    assert f"{STAMP}: P values are exploratory, not confirmatory." in table.footnotes
    for text in said:
        for found in P_VALUE.finditer(text):
            assert text[: found.start()].endswith("exploratory "), text
    assert {row.dataset for row in item.analysis.rows(item.result)} == {"exploratory"}
    figure = figure_of(item.analysis.kind, item.result)
    if figure is not None:
        assert figure.stamp == STAMP
        for text in texts(figure):
            assert "exploratory" in text or not re.search(r"\bP\b", text)


@pytest.mark.parametrize("place", range(len(SPECS)), ids=lambda at: str(SPECS[at]["kind"]))
def test_reporting_them_anyway_takes_the_label_off_and_leaves_the_stamp(place: int) -> None:
    item = results("reported")[place]
    table = item.analysis.table(item.result)
    assert table.stamp == STAMP
    assert not [column for column in table.columns if column.quiet]
    said = " ".join((*item.analysis.sentences(item.result), *table.footnotes))
    assert "exploratory P" not in said
    assert f"{STAMP}: P values are reported by choice, and are not confirmatory." in said


@pytest.mark.parametrize("place", range(len(SPECS)), ids=lambda at: str(SPECS[at]["kind"]))
def test_formal_criteria_mark_nothing(place: int) -> None:
    item = results("none")[place]
    table = item.analysis.table(item.result)
    assert table.stamp == ""
    said = " ".join((*item.analysis.sentences(item.result), *table.footnotes))
    assert "xploratory" not in said
    assert not [column for column in table.columns if column.quiet]
    formal = under(()).study
    criteria = replace(formal.analysis, criteria=(OneOf("site", ("one", "two")),))
    chosen = apply_criteria(unfiltered(), replace(formal, analysis=criteria))
    assert provenance_of(chosen).stamp == ""
    assert provenance_of(chosen).n_analysed == 40


def test_p_values_were_there_to_be_marked() -> None:
    said = [
        text
        for item in results("quiet")
        for text in (
            *item.analysis.sentences(item.result),
            *item.analysis.table(item.result).footnotes,
        )
    ]
    assert sum(len(re.findall(r"exploratory P", text)) for text in said) >= 5


def test_the_log_rank_p_of_a_figure_is_grey_and_says_why() -> None:
    item = results("quiet")[1]
    figure = figure_of("kaplan_meier", item.result)
    assert figure is not None
    assert isinstance(figure.body, Chart)
    assert figure.body.key is not None
    assert figure.body.key.quiet_notes
    assert figure.body.key.notes[0].startswith("Log-rank exploratory P ")
    forest = figure_of("cox", results("quiet")[6].result)
    assert forest is not None
    assert isinstance(forest.body, RowGrid)
    columns = [item for item in forest.body.items if isinstance(item, TextColumn)]
    (p_values,) = [column for column in columns if column.header == "P\n(exploratory)"][:1]
    assert {cell.role for cell in p_values.cells if cell.text} == {Role.MUTED}


@pytest.mark.parametrize("arrangement", ["together", "panels"])
def test_the_screen_greys_the_log_rank_p_in_every_arrangement(arrangement: str) -> None:
    figure = survival_curve(
        results("quiet")[1].result, options=CurveOptions(arrangement=arrangement)
    )
    drawn = to_plotly(figure, dark=False, width=900)
    notes = [note for note in drawn["layout"]["annotations"] if "Log-rank" in note["text"]]
    assert [note["font"]["color"] for note in notes] == [LIGHT.colour(Role.MUTED)]


def report_of(kind: str) -> Report:
    return build_report(filtered(report_p=kind == "reported"), results(kind))


def test_slides_carry_the_stamp() -> None:
    for slide in Presentation(io.BytesIO(write_deck(report_of("quiet")))).slides:
        assert STAMP in words_of(slide.shapes), words_of(slide.shapes)
    first = Presentation(io.BytesIO(write_deck(report_of("reported")))).slides[0]
    assert "P values are reported by choice" in words_of(first.shapes)


def test_a_slide_counts_the_patients_of_its_own_table() -> None:
    late = OneOf("best_response", ("PD",), excludes=True, after_time_zero=True)
    data = under((OneOf("site", ("one", "two")),), criteria=(late,))
    analysis = ANALYSES["cross_table"]
    spec = analysis.spec_type(rows="sex", columns="group", population="treated")
    report = build_report(data, (Done(analysis, spec, analysis.compute(data, spec)),))
    last = [*Presentation(io.BytesIO(write_deck(report))).slides][-1]
    assert STAMP in words_of(last.shapes)
    assert data.n < 40


def words_of(shapes: Any) -> str:
    parts = [
        words_of(shape.shapes) if hasattr(shape, "shapes") else shape.text_frame.text
        for shape in shapes
        if hasattr(shape, "shapes") or shape.has_text_frame
    ]
    return " ".join(" ".join(parts).split())


def test_the_document_and_the_workbook_carry_the_stamp() -> None:
    report = report_of("quiet")
    document = Document(io.BytesIO(write_document(report)))
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    tables = [section.table for section in report.sections if section.table is not None]
    assert len(tables) >= len(SPECS)
    assert [text for text in paragraphs if text == STAMP] == [STAMP] * len(tables), paragraphs
    book = openpyxl.load_workbook(io.BytesIO(write_workbook(tables)))
    for sheet in book.worksheets:
        assert sheet.cell(2, 1).value == STAMP


def test_results_json_says_whether_p_values_are_reported_by_choice() -> None:
    for kind, reported in (("quiet", False), ("reported", True)):
        data = filtered(report_p=reported)
        document = json.loads(results_json(results_document(data, results(kind))))
        assert document["provenance"]["exploratory"] is True
        assert document["provenance"]["exploratory_p_reported"] is reported
    document = results_document(unfiltered(), results("none"))
    assert document["provenance"]["exploratory_p_reported"] is False


def test_the_choice_is_kept_in_the_study_file() -> None:
    study = filtered(report_p=True).study
    assert load_study(dump_study(study)) == study
    assert "report_exploratory_p: true" in dump_study(study)


@pytest.mark.parametrize(
    ("p_value", "written"), [(0.0312, "P = 0.031"), (0.0002, "P <0.001"), (None, "P = NE")]
)
def test_p_in_a_sentence(p_value: float | None, written: str) -> None:
    assert p_phrase(p_value) == written
    assert p_phrase(p_value, exploratory=True) == f"exploratory {written}"


def test_a_table_without_filters_is_left_as_it_is() -> None:
    table = DisplayTable("T", (Column("p", "P", Format.P_VALUE),), ({"p": 0.04},))
    assert provenance_of(unfiltered()).marked(table) is table
