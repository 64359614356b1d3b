"""Choices are one file: into the same data they give the same numbers, to the last digit."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sts_core.analysis.registry import ANALYSES
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.data_cut import data_changes, remembering
from sts_core.disclosure import rare_names
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.workbook import Workbook
from sts_core.study import (
    Between,
    Grouping,
    IsInRange,
    IsKnown,
    Measured,
    OneOf,
    Study,
    Variable,
    dump_study,
    load_study,
)
from tests.analysis.test_exploratory import SPECS, filtered, unfiltered

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"
ASKED: tuple[dict[str, Any], ...] = (
    {"kind": "baseline", "variables": ("sex", "age", "young"), "by": "sex", "tests": True},
    {"kind": "cross_table", "rows": "immunotherapy_drug", "columns": "sex", "tests": True},
    {"kind": "response", "by": "line_grouped"},
    {"kind": "kaplan_meier", "endpoint": "PFS", "by": "immunotherapy_drug"},
    {"kind": "cox", "endpoint": "OS", "covariates": ("sex", "young")},
)


@functools.cache
def book() -> Workbook:
    name = "sts_screening.xlsx"
    return read_bytes(name, (SAMPLE / name).read_bytes())


@functools.cache
def chosen() -> Study:
    """A study in which something of every kind was chosen."""
    study = load_study((SAMPLE / "study_screening.yaml").read_text("utf-8"))
    definitions = study.definitions
    variables = {
        **definitions.variables,
        "young": Variable(
            label="Younger than 45", derived=IsInRange("age", below=45.0),
            measured=Measured.BASELINE,
        ),
    }  # fmt: skip
    levels = ("1", "2")
    groupings = {
        **definitions.groupings,
        "line_grouped": Grouping(
            label="Line", variable="treatment_line", groups={"Early": levels}, rest="Late"
        ),
    }
    criteria = (*study.analysis.criteria[:-1], replace(study.analysis.criteria[-1], enabled=False))
    analysis = replace(
        study.analysis,
        criteria=criteria,
        filters=(
            OneOf("sex", ("Female",), enabled=False),
            Between("age", low=25.5, high=71.0),
            IsKnown("histotype"),
        ),
        conf_level=0.9,
        conf_type="plain",
        report_exploratory_p=True,
    )
    return replace(
        study,
        randomised=True,
        definitions=replace(definitions, variables=variables, groupings=groupings),
        analysis=analysis,
    )


def numbers(cohort: Cohort, asked: Sequence[dict[str, Any]] = ASKED) -> list[tuple[Any, ...]]:
    """Every number, table and sentence of some analyses."""
    out: list[tuple[Any, ...]] = [tuple(cohort.flow.steps)]
    for document in asked:
        analysis = ANALYSES[document["kind"]]
        result = analysis.compute(cohort, analysis.spec_type(**document))
        tables = [analysis.table(result), *analysis.more_tables(result)]
        out.append((
            analysis.kind, analysis.rows(result), analysis.sentences(result),
            [(table.title, table.formatted(), table.footnotes) for table in tables],
        ))  # fmt: skip
    return out


def opened(study: Study, source: Workbook | None = None) -> Cohort:
    return apply_criteria(assemble(study, [source or book()]), study)


def test_the_same_data_give_the_same_numbers_to_the_last_digit() -> None:
    before = opened(chosen())
    assert before.exploratory
    assert 0 < before.n < before.n_in_file
    text = dump_study(remembering(before))
    after = opened(load_study(text))
    assert after.fingerprint == before.fingerprint
    assert numbers(after) == numbers(before)
    assert data_changes(after) == ()
    assert dump_study(remembering(after)) == text


def test_no_analysis_is_left_out_of_that() -> None:
    assert {document["kind"] for document in SPECS} == set(ANALYSES)
    before = filtered()
    again = apply_criteria(unfiltered(), load_study(dump_study(before.study)))
    assert again.fingerprint == before.fingerprint
    assert numbers(again, SPECS) == numbers(before, SPECS)


def test_what_was_chosen_decides_the_numbers() -> None:
    plain = opened(replace(chosen(), analysis=replace(chosen().analysis, filters=())))
    assert numbers(plain) != numbers(opened(chosen()))


def test_the_file_holds_the_choices_and_no_patient() -> None:
    cohort = opened(chosen())
    text = dump_study(remembering(cohort))
    for choice in ("young", "Early", "25.5", "report_exploratory_p", "randomised", "histotype"):
        assert choice in text
    frame = cohort.tables["subjects"].frame
    assert not [cell for cell in frame["patient_id"] if re.search(rf"\b{cell}\b", text)]
    assert not [day for day in map(str, frame["first_dose_date"]) if day[:10] in text]
    assert rare_names(cohort) == ()  # of a synthetic cohort; see the tests of disclosure


def test_the_next_data_cut_says_which_columns_levels_and_counts_differ() -> None:
    kept = load_study(dump_study(remembering(opened(chosen()))))
    later = []
    for sheet in book().sheets:
        frame = sheet.frame
        if "patient_id" in frame and "sex" in frame:
            frame = frame.drop(columns="rhabdomyosarcoma_type").iloc[:-3].copy()
            frame.loc[frame.index[0], "sex"] = "not stated here"
            frame["new_column"] = 1
            sheet = replace(sheet, frame=frame, row_numbers=sheet.row_numbers[:-3])
        later.append(sheet)
    cohort = opened(kept, replace(book(), sheets=tuple(later)))
    said = " ".join(finding.message for finding in data_changes(cohort))
    n = cohort.n_in_file
    assert f"{n} patients (then {n + 3})" in said
    assert "rhabdomyosarcoma_type" in said
    assert "new_column" in said
    assert "not stated here" in said or "Sex" in said


def test_no_choice_gets_into_an_address() -> None:
    sources = [*(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    assert len(sources) > 30
    for path in sources:
        text = path.read_text("utf-8")
        assert "query_params" not in text, path
        assert not re.search(r"\bbind\s*=", text), path
