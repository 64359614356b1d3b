"""Patients and their visits from one table: what never changes is the patient's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.assessments import assessments_of
from sts_core.derive import levels_of, survival_data
from sts_core.exposures import exposures_of
from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.reading.agreed_rows import agreed_rows
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.reading.workbook import Workbook
from sts_core.study import RowChoice, Status, Study, TableSource, dump_study, load_study
from tests.doubles import book_of, cohort_of

CELLS = st.sampled_from([None, "", "unk", "a", "b", 1, 1.0, True])


@given(
    rows=st.lists(st.tuples(st.sampled_from(["p", "q", "r", None]), CELLS), min_size=1, max_size=9)
)
def test_a_patient_has_what_all_known_rows_agree_on(
    rows: list[tuple[str | None, object]],
) -> None:
    ids = np.array([who for who, _ in rows], dtype=object)
    frame = pd.DataFrame({"x": pd.Series([cell for _, cell in rows], dtype=object)})
    agreed = agreed_rows(frame, ids)
    whose = dict.fromkeys(who for who, _ in rows if who is not None)
    assert [rows[at][0] for at in agreed.first] == list(whose)
    for place, who in enumerate(whose):
        own = [cell for other, cell in rows if other == who]
        known = [cell for cell in own if cell not in (None, "", "unk")]
        said = {"1" if cell in (1, 1.0) and cell is not True else str(cell) for cell in known}
        differs = bool(agreed.differing.get("x", np.zeros(len(whose), bool))[place])
        assert differs == (len(said) > 1)
        expected = None if differs else known[0] if known else own[0]
        assert agreed.frame["x"].iloc[place] is expected


N = range(1, 31)


def visits(**more: list[object]) -> dict[str, list[object]]:
    """Three visits of thirty patients: sex in the first row only, the end in the last only."""
    return {
        "Patient ID": [f"P{n}" for n in N for _ in "abc"],
        "Sex": [cell for n in N for cell in ("FM"[n % 2], None, "unk")],
        "Site": [f"C{n % 3}" for n in N for _ in "abc"],
        "First dose": [f"2020-01-{n:02d}" for n in N for _ in "abc"],
        "Death date": [c for n in N for c in (None, None, None if n % 2 else f"2021-05-{n:02d}")],
        "Last contact": [c for n in N for c in (None, None, f"2021-06-{n:02d}" if n % 2 else None)],
        "Visit date": [f"2020-{2 * k:02d}-{n % 28 + 1:02d}" for n in N for k in (1, 2, 3)],
        "SLD": [10 * k + n for n in N for k in (5, 4, 6)],
        "Response": [c for _ in N for c in (None, "PR", "PD")],
        "ECOG": [(n + k) % 2 for n in N for k in (1, 2, 2)],
        **more,
    }


def confirmed(study: Study) -> Study:
    source = replace(study.data.tables["subjects"], subject_id_status=Status.CONFIRMED)
    return replace(
        study, data=replace(study.data, tables={**study.data.tables, "subjects": source})
    )


def proposed(cells: dict[str, list[object]]) -> tuple[Study, list[Workbook]]:
    books = [book_of(cells, file="visits.csv")]
    return propose_study(books).study, books


def test_one_table_gives_patients_and_assessments_in_one_step() -> None:
    books = [book_of(visits(), file="visits.csv")]
    proposal = propose_study(books)
    study = proposal.study
    assert {role: source.file for role, source in study.data.tables.items()} == {
        "subjects": "visits.csv", "assessments": "visits.csv",
    }  # fmt: skip
    assert study.data.tables["subjects"].take is RowChoice.AGREED
    assert set(study.definitions.variables) == {"sex", "primary_site"}
    (asked,) = [item for item in proposal.questions if item.kind is QuestionKind.ROWS]
    assert asked.guess == "agreed"
    assert "describes the patient: “Sex”, “Site”, “First dose”, “Death date”, “Last contact”." in (
        asked.reason
    )
    assert asked.reason.endswith(
        "What changes stays with the rows: “Visit date”, “SLD”, “Response”, “ECOG”."
    )
    with pytest.raises(StudyError):
        assemble(study, books)  # nobody has confirmed it
    kept = confirmed(study)
    assert load_study(dump_study(kept)) == kept
    cohort = assemble(kept, books)
    assert cohort.n == 30
    assert cohort.tables["subjects"].rows.tolist() == [2 + 3 * at for at in range(30)]
    assert levels_of(cohort, "sex").values.tolist() == ["Male", "Female"] * 15
    assert survival_data(cohort, "OS").event.sum() == 15
    read = assessments_of(cohort)
    assert (read.n, read.n_with_rows) == (90, 30)
    assert not [item for item in cohort.findings if item.code is FindingCode.ROWS_DISAGREE]


def test_a_contradiction_within_one_patient_is_not_known_and_named() -> None:
    cells = visits()
    cells["Sex"][4], cells["Sex"][3] = "F", "M"
    study, books = proposed(cells)
    cohort = assemble(confirmed(study), books)
    (finding,) = [item for item in cohort.findings if item.code is FindingCode.ROWS_DISAGREE]
    assert (finding.severity, finding.column, finding.rows) == (Severity.WARNING, "Sex", (5, 6, 7))
    assert "differs between the rows of 1 patient: it is not known for this patient" in str(finding)
    assert levels_of(cohort, "sex").values[1] is None


def test_what_changes_in_more_than_one_patient_is_no_patient_column() -> None:
    cells = visits()
    for at in (3, 6):
        cells["Site"][at] = "other"
    study, _ = proposed(cells)
    assert set(study.definitions.variables) == {"sex"}


def test_patients_entered_twice_count_once_when_it_is_confirmed() -> None:
    cells: dict[str, list[object]] = {
        "id": [f"P{n}" for n in (*range(1, 20), 3)],
        "Response": ["PR", "SD"] * 10,
        "SLD": list(range(20)),
        "First dose": ["2020-01-01"] * 20,
    }
    cells["sex"] = ["F"] * 19 + ["M"]
    cells["Surname"] = [f"Miller{n}" for n in range(20)]  # left out, and the question stays
    study, books = proposed(cells)
    assert set(study.data.tables) == {"subjects"}
    assert study.data.tables["subjects"].take is RowChoice.AGREED
    (asked,) = [item for item in propose_study(books).questions if item.kind is QuestionKind.ROWS]
    assert (
        "has one row a patient, but 1 patient has several. Were these entered twice" in asked.text
    )
    assert "“sex” (1 patient)" in asked.reason
    assert asked.reason.endswith("not known there until the rows are corrected.")
    with pytest.raises(StudyError):
        assemble(study, books)
    cohort = assemble(confirmed(study), books)
    assert cohort.n == 19
    assert levels_of(cohort, "sex").values.tolist() == ["F", "F", None] + ["F"] * 16
    codes = [(item.code, item.rows) for item in cohort.findings]
    assert (FindingCode.ROWS_DISAGREE, (4, 21)) in codes


def test_doses_alone_give_patients_and_treatment() -> None:
    cells = {
        "id": ["a", "a", "b", "b", "c", "c"], "sex": [*"FFMMFF"], "drug": [*"xyxyxy"],
        "start date": [f"2020-0{n}-01" for n in range(1, 7)],
    }  # fmt: skip
    study, books = proposed(cells)
    assert set(study.data.tables) == {"subjects", "exposures"}
    assert exposures_of(assemble(confirmed(study), books)).n == 6


def test_another_table_can_be_taken_by_what_its_rows_agree_on_too() -> None:
    source = TableSource(file="v.csv", subject_id="id", take=RowChoice.AGREED)
    cells = {"id": ["a", "a", None, "b"], "x": [None, "1", "2", "3"], "y": ["1", "2", "3", "4"]}
    cohort = cohort_of({"id": ["a", "b"]}, subject_id="id", others={"v": (source, cells)})
    table = cohort.tables["v"]
    assert (table.column("x").tolist(), table.column("y").tolist()) == (["1", "3"], [None, "4"])
    assert cohort.joins["v"].rows_without_id == (4,)
