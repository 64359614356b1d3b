"""The template goes out, is filled in as a person would, and comes in with nothing to map."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sts_core.analysis.response import ResponseSpec, response
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.derive import survival_data
from sts_core.export.template import LISTS_SHEET, write_template
from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import load_study
from sts_core.study.template import DICTIONARY_SHEET, CellKind, template
from sts_core.study.types import Status

PATIENTS = [
    {
        "patient_id": f"{number:03d}",
        "sex": "Female" if number % 2 else "Male",
        "age": 30 + number,
        "ecog": number % 3,
        "histotype": "Leiomyosarcoma" if number % 2 else "Chordoma",
        "first_dose_date": dt.date(2021, 1, number),
        "best_response": ("CR", "PR", "SD", "PD")[number % 4],
        "progression_date": dt.date(2021, 6, number) if number % 2 else None,
        "last_assessment_date": dt.date(2021, 7, number),
        "vital_status": "Dead" if number % 4 == 0 else "Alive",
        "death_date": dt.date(2021, 9, number) if number % 4 == 0 else None,
        "last_contact_date": dt.date(2021, 10, number),
    }
    for number in range(1, 13)
]
EVENTS = [
    {"patient_id": "001", "term": "Hypertension", "ctcae_grade": 3, "related": "Yes"},
    {"patient_id": "002", "term": "Rash", "ctcae_grade": 1, "related": "No"},
]


def filled(
    patients: list[dict[str, Any]], events: list[dict[str, Any]] | None = None, **more: Any
) -> Workbook:
    """Fill the template in and read it."""
    book = openpyxl.load_workbook(io.BytesIO(write_template()))
    for title, rows in (("Patients", patients), ("Adverse events", events or [])):
        sheet = book[title]
        columns = {cell.value: cell.column for cell in sheet[1]}
        for name in more.get("added", ()):
            if title == "Patients":
                columns[name] = sheet.max_column + 1
                sheet.cell(1, columns[name], name)
        for at, row in enumerate(rows):
            for name, value in row.items():
                sheet.cell(3 + at, columns[name], value)
        for name in more.get("deleted", ()):
            if title == "Patients":
                sheet.delete_cols(columns[name])
    buffer = io.BytesIO()
    book.save(buffer)
    return read_bytes("filled.xlsx", buffer.getvalue())


def cohort_of(book: Workbook) -> Cohort:
    study = propose_study([book]).study
    return apply_criteria(assemble(study, [book]), study)


def test_each_column_has_its_check_and_the_dictionary_names_all() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_template()))
    assert book.sheetnames == ["Patients", "Adverse events", DICTIONARY_SHEET, LISTS_SHEET]
    assert book[LISTS_SHEET].sheet_state == "hidden"
    described = {(row[0], row[1]) for row in book[DICTIONARY_SHEET].iter_rows(values_only=True)}
    for sheet in template().sheets.values():
        page = book[sheet.title]
        assert [cell.value for cell in page[1]] == [column.name for column in sheet.columns]
        rules = {
            str(rule.sqref).split("1", 1)[0].rstrip("0123456789").split(":")[0]: rule
            for rule in page.data_validations.dataValidation
        }
        for column, cell in zip(sheet.columns, page[1], strict=True):
            letter = cell.column_letter
            rule = next(r for at, r in rules.items() if at.rstrip("0123456789") == letter)
            wanted = {CellKind.DATE: "date", CellKind.NUMBER: "whole", CellKind.TEXT: None}
            assert rule.type == wanted.get(column.kind, "list")
            assert (sheet.title, column.name) in described


def test_a_filled_template_leaves_nothing_to_ask() -> None:
    book = filled(PATIENTS, EVENTS)
    proposal = propose_study([book])
    assert proposal.questions == ()
    definitions = proposal.study.definitions
    assert set(definitions.endpoints) == {"OS", "PFS"}
    assert all(endpoint.is_confirmed for endpoint in definitions.endpoints.values())
    assert definitions.response is not None
    assert definitions.adverse_events is not None
    assert {v.status for v in definitions.variables.values()} == {Status.CONFIRMED}
    assert "fnclcc_grade" not in definitions.variables  # nobody filled it in
    assert [f.code for f in book.findings].count(FindingCode.TEMPLATE_EXAMPLE) == 2


def test_the_numbers_are_those_of_the_patients_entered() -> None:
    cohort = cohort_of(filled(PATIENTS, EVENTS))
    assert cohort.n == 12
    events = {code: int(survival_data(cohort, code).event.sum()) for code in ("OS", "PFS")}
    assert events == {"OS": 3, "PFS": 9}  # six progressions, and three deaths without one
    rate = response(cohort, ResponseSpec()).overall.of_all.objective_response
    assert (rate.count, rate.total) == (6, 12)


@pytest.mark.parametrize("column", ["vital_status", "progression_date", "best_response"])
def test_a_deleted_column_takes_only_what_needs_it(column: str) -> None:
    cohort = cohort_of(filled(PATIENTS, EVENTS, deleted=[column]))
    definitions = cohort.study.definitions
    assert (definitions.response is None) == (column == "best_response")
    assert "OS" in definitions.endpoints
    assert ("progression" in definitions.endpoints["PFS"].event_dates) == (
        column != "progression_date"
    )


def test_pasted_cells_in_another_case_mean_the_same() -> None:
    pasted = [{**row, "vital_status": str(row["vital_status"]).lower()} for row in PATIENTS]
    pasted[0]["sex"] = "female"
    events = [{**row, "related": str(row["related"]).upper()} for row in EVENTS]
    cohort = cohort_of(filled(pasted, events))
    definitions = cohort.study.definitions
    assert definitions.variables["sex"].codes == {"female": "Female"}
    assert definitions.endpoints["OS"].events == {"death": ("Dead", "dead")}
    assert definitions.adverse_events is not None
    assert definitions.adverse_events.related_values == ("Yes", "YES")


def test_a_column_of_ones_own_is_recognised_as_a_guess() -> None:
    rows = [{**row, "smoker": ("no", "yes")[at % 2]} for at, row in enumerate(PATIENTS)]
    study = propose_study([filled(rows, added=["smoker"])]).study
    own = [known for known in study.definitions.variables.values() if known.column == "smoker"]
    assert [known.status for known in own] == [Status.GUESSED]
    assert study.definitions.variables["sex"].status is Status.CONFIRMED
    assert study.definitions.adverse_events is None
    assert "adverse_events" not in study.data.tables


def test_an_empty_template_is_refused_in_words() -> None:
    with pytest.raises(StudyError) as refused:
        filled([])
    assert {finding.severity for finding in refused.value.findings} == {Severity.ERROR}
    assert all("example row" in finding.message for finding in refused.value.findings)


def test_the_sample_in_the_template_gives_the_samples_numbers() -> None:
    folder = Path(__file__).parents[2] / "sample_data"
    sample = read_bytes("sts_cohort.xlsx", (folder / "sts_cohort.xlsx").read_bytes())
    names = {column.name for column in template().sheets["subjects"].columns}
    frame = sample.sheets[0].frame
    given = [
        {name: value for name, value in row.items() if name in names and value is not None}
        for row in frame.to_dict("records")
    ]
    ours = cohort_of(filled(given))
    stated = load_study((folder / "study.yaml").read_text("utf-8"))
    stated = dataclasses.replace(  # the sample's own cut-off is a choice, not a column to fill in
        stated,
        analysis=dataclasses.replace(stated.analysis, criteria=()),
        definitions=dataclasses.replace(stated.definitions, cutoff=None),
    )
    theirs = apply_criteria(assemble(stated, [sample]), stated)
    assert ours.n == theirs.n == len(frame)
    for code in ("OS", "PFS"):
        mine, other = survival_data(ours, code), survival_data(theirs, code)
        assert mine.event.sum() == other.event.sum()
        assert sorted(mine.time) == sorted(other.time)
