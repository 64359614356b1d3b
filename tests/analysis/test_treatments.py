"""Treatments that were not assigned at random: named so in titles, notes and words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sts_core.analysis.cox import CoxSpec
from sts_core.analysis.registry import ANALYSES
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.derive import treatments_of
from sts_core.figures.catalogue import figure_of
from sts_core.figures.marks import Figure, Panel, RowGrid
from sts_core.reading.recognise import propose_study
from sts_core.study import Combination, Grouping, IsOneOf, Measured, Variable, dump_study
from sts_core.study.file import load_study
from tests.cohorts import make_cohort
from tests.doubles import book_of

N = 36
MARK = "(unadjusted, not randomised)"
KNOWN = {"measured": Measured.BASELINE}
COMPARED = ("kaplan_meier", "survival_comparison", "response", "adverse_events")


def cohort(**study: Any) -> Cohort:
    columns = {
        "time": [float(7 + 13 * i % 97) for i in range(N)],
        "status": [int(i % 3 != 0) for i in range(N)],
        "drug": [("A", "B", "C")[i % 3] for i in range(N)],
        "other": [("X", "Y")[i % 2] for i in range(N)],
        "sex": [("f", "m")[i // 2 % 2] for i in range(N)],
        "best_response": [("CR", "PR", "SD", "PD")[i % 4] for i in range(N)],
    }
    variables = {
        "drug": Variable(label="PD-1 inhibitor", treatment=True, **KNOWN),
        "other": Variable(label="Other", **KNOWN),
        "sex": Variable(label="Sex", **KNOWN),
        "regimen": Variable(label="Regimen", derived=Combination(("drug", "other"))),
        "on_a": Variable(label="On A", derived=IsOneOf("drug", ("A",))),
        "female": Variable(label="Female", derived=IsOneOf("sex", ("f",))),
    }
    groupings = {
        "ab": Grouping(label="A or B", variable="drug", groups={"A or B": ("A", "B")}),
        "men": Grouping(label="Men", variable="sex", groups={"Men": ("m",)}),
    }
    events = {"row": [1, 2, 5], "term": ["Rash"] * 3, "grade": [1, 3, 2], "related": ["yes"] * 3}
    return make_cohort(
        columns, variables=variables, groupings=groupings, adverse_events=events, **study
    )


def spec_of(kind: str, by: str) -> Any:
    endpoint = {"endpoint": "OS"} if "endpoint" in ANALYSES[kind].spec_type.__annotations__ else {}
    return ANALYSES[kind].spec_type(by=by, **endpoint)


def words_of(kind: str, data: Cohort, spec: Any) -> tuple[str, Figure | None]:
    analysis = ANALYSES[kind]
    result = analysis.compute(data, spec)
    tables = [analysis.table(result), *analysis.more_tables(result)]
    said = [text for table in tables for text in (table.title, *table.footnotes)]
    return " ".join([*said, *analysis.sentences(result)]), figure_of(kind, result)


def test_what_is_made_of_a_treatment_is_one() -> None:
    assert treatments_of(cohort().study) == {
        "drug": "PD-1 inhibitor", "regimen": "Regimen", "on_a": "On A", "ab": "A or B",
    }  # fmt: skip


@pytest.mark.parametrize("kind", COMPARED)
@pytest.mark.parametrize("by", ["drug", "regimen", "ab"])
def test_a_comparison_of_treatments_says_it_in_title_and_text(kind: str, by: str) -> None:
    analysis = ANALYSES[kind]
    result = analysis.compute(cohort(), spec_of(kind, by))
    for table in (analysis.table(result), *analysis.more_tables(result)):
        assert table.title.endswith(MARK)
        assert any(text.startswith("Unadjusted, not randomised:") for text in table.footnotes)
    assert analysis.sentences(result)[-1].startswith("Unadjusted, not randomised:")
    figure = figure_of(kind, result)
    assert figure is None or figure.title.endswith(MARK)


@pytest.mark.parametrize("kind", COMPARED)
def test_other_comparisons_and_randomised_studies_say_nothing(kind: str) -> None:
    for data, by in ((cohort(), "sex"), (cohort(), "men"), (cohort(randomised=True), "drug")):
        said, figure = words_of(kind, data, spec_of(kind, by))
        assert "andomised" not in said
        assert figure is None or "andomised" not in figure.title


def test_a_regression_says_which_of_its_variables_were_not_randomised() -> None:
    data = cohort()
    spec = CoxSpec(endpoint="OS", covariates=("sex", "drug"), selection="chosen")
    said, figure = words_of("cox", data, spec)
    title = "Cox regression of overall survival (PD-1 inhibitor not randomised; univariable"
    assert title in said
    assert "PD-1 inhibitor was not assigned at random; a univariable hazard ratio is" in said
    assert figure is not None
    assert "not randomised" in figure.title
    assert isinstance(figure.body, RowGrid)
    panels = [item for item in figure.body.items if isinstance(item, Panel)]
    assert panels
    assert not any("avour" in panel.x.title for panel in panels)
    said, _ = words_of("cox", data, replace(spec, covariates=("sex",)))
    assert "andomised" not in said
    said, _ = words_of("cox", cohort(randomised=True), spec)
    assert "andomised" not in said


def test_descriptions_by_a_treatment_are_no_comparison() -> None:
    analysis = ANALYSES["baseline"]
    spec = analysis.spec_type(variables=("sex",), by="drug")
    assert "andomised" not in words_of("baseline", cohort(), spec)[0]


def test_both_choices_are_kept_in_the_study_file() -> None:
    study = cohort(randomised=True).study
    text = dump_study(study)
    assert load_study(text) == study
    assert "randomised: true" in text
    assert "treatment: true" in text
    again = apply_criteria(cohort(), replace(study, randomised=False))
    assert again.fingerprint != cohort(randomised=True).fingerprint


@pytest.mark.parametrize(
    ("header", "treats"),
    [
        ("drug", True), ("Regimen", True), ("TKI", True), ("PD-1 inhibitor", True),
        ("药物", True), ("治疗方案", True), ("靶向药物", True), ("Treatment arm", True),
        ("TRT01P", True), ("PD-1 expression", False), ("PD-1表达", False), ("group", False),
        ("cohort", False), ("Number of drugs", False), ("sex", False), ("药物剂量", False),
    ],
)  # fmt: skip
def test_treatments_are_recognised_by_their_name(header: str, treats: bool) -> None:
    columns = {"id": [f"P{n}" for n in range(20)], header: ["one", "two"] * 10}
    columns |= {"age": list(range(40, 60))}
    variables = propose_study([book_of(columns)]).study.definitions.variables
    (found,) = [item for key, item in variables.items() if (item.column or key) == header]
    assert found.treatment is treats
