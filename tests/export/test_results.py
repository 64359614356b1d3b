"""results.json: valid to its schema, reproducible, and nothing of a single patient in it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sts_core.analysis.plan import run_plan
from sts_core.cohort import Cohort
from sts_core.estimates import NotEstimable
from sts_core.export.results import results_document, results_json
from sts_core.results import SCHEMA_VERSION, ResultRow
from sts_core.study import AnalysisSection, Between, OneOf, dump_study
from tests.cohorts import DEGENERATE_COMPLETE, make_cohort

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
COLUMNS = {
    "time": [1, 2, 3, 4, 5, 6],
    "status": [1, 0, 1, 1, 0, 1],
    "group": ["A", "B", "B", "A", "B", None],
    "age": [33, 44, 55, 66, 77, None],
}


def document(cohort: Cohort) -> dict[str, Any]:
    return results_document(cohort, run_plan(cohort))


def read_back(cohort: Cohort) -> Any:
    return json.loads(results_json(document(cohort)))


def test_the_schema_is_a_schema_and_strict() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    row = SCHEMA["$defs"]["row"]
    fields = [field.name for field in dataclasses.fields(ResultRow)]
    assert row["required"] == fields
    assert list(row["properties"]) == fields
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION


@pytest.mark.parametrize("name", DEGENERATE_COMPLETE)
def test_documents_are_valid(name: str) -> None:
    VALIDATOR.validate(read_back(DEGENERATE_COMPLETE[name]()))


@pytest.mark.parametrize(
    "change",
    [
        lambda doc: doc["rows"][0].pop("method"),
        lambda doc: doc["rows"][0].update(p_value=0.5),
        lambda doc: doc["rows"][0].update(value="51"),
        lambda doc: doc["rows"][0].update(value=None),
        lambda doc: doc["rows"][0].update(status="not_estimable"),
        lambda doc: doc["rows"][0].update(conf_level=95),
        lambda doc: doc["provenance"].update(data_sha256="x"),
        lambda doc: doc["provenance"].pop("flow"),
        lambda doc: doc.update(schema_version=2),
        lambda doc: doc.update(patients=[]),
        lambda doc: doc["analyses"][0].update(methods=""),
    ],
)
def test_the_schema_refuses_what_is_wrong(change: Any) -> None:
    made = read_back(make_cohort(COLUMNS))
    VALIDATOR.validate(made)
    change(made)
    assert not VALIDATOR.is_valid(made)


def test_rows_are_those_of_the_analyses_in_order() -> None:
    cohort = make_cohort(COLUMNS)
    done = run_plan(cohort)
    made = results_document(cohort, done)
    expected = [row.as_dict() for item in done for row in item.analysis.rows(item.result)]
    assert made["rows"] == expected
    assert json.loads(results_json(made))["rows"] == expected  # no digit is lost on the way
    assert [item["spec"]["by"] for item in made["analyses"] if "by" in item["spec"]] == [
        item.spec.by for item in done if hasattr(item.spec, "by")
    ]


def test_provenance_tells_data_study_and_selection() -> None:
    criteria = (
        Between("age", low=40, missing="drop", label="Age 40 or more"),
        OneOf("group", ("A",), excludes=True, label="Not in A"),
    )
    cohort = make_cohort(COLUMNS, analysis=AnalysisSection(criteria=criteria), synthetic=True)
    made = document(cohort)["provenance"]
    assert (made["patients_in_file"], made["patients_analysed"]) == (6, cohort.n)
    assert cohort.n == 3
    assert [step["label"] for step in made["flow"]] == ["Age 40 or more", "Not in A"]
    before = 6
    for step in made["flow"]:
        assert step["n_before"] == before
        assert step["n_before"] - step["n_excluded"] == step["n_after"]
        before = step["n_after"]
    assert made["flow"][0]["n_missing_excluded"] == 1
    assert made["data_sha256"] == cohort.data_hash
    assert made["study_sha256"] == hashlib.sha256(dump_study(cohort.study).encode()).hexdigest()
    assert made["synthetic"] is True
    assert made["exploratory"] is False


def test_filters_mark_document_and_rows() -> None:
    analysis = AnalysisSection(filters=(OneOf("group", ("B",)),))
    made = document(make_cohort(COLUMNS, analysis=analysis))
    assert made["provenance"]["exploratory"] is True
    assert {row["dataset"] for row in made["rows"]} == {"exploratory"}


def test_the_same_data_and_choices_give_the_same_text() -> None:
    first, second = (results_json(document(make_cohort(COLUMNS))) for _ in range(2))
    assert first == second
    other = AnalysisSection(conf_level=0.9)
    assert results_json(document(make_cohort(COLUMNS, analysis=other))) != first


def test_words_stay_readable() -> None:
    text = results_json(document(DEGENERATE_COMPLETE["awkward names"]()))
    assert "平滑肌肉瘤" in text
    assert "Größe über 5 cm" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_does_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        results_json({"rows": [{"value": number}]})


def test_nothing_of_a_single_patient_is_in_it() -> None:
    cohort = make_cohort(COLUMNS)
    text = results_json(document(cohort))
    for word in [*cohort.source_ids.values(), *cohort.subjects, "source-"]:
        assert str(word) not in text


def test_every_statistic_and_reason_is_explained() -> None:
    text = (ROOT / "docs" / "results.md").read_text("utf-8")
    missing = set()
    for make in DEGENERATE_COMPLETE.values():
        for row in document(make())["rows"]:
            name = re.sub(r"_(df|p)$", "_chi_square", row["statistic"])
            # the first of three rows stands for a test, one model and one test for their like
            like = name.replace("multivariable", "univariable").replace("likelihood_ratio", "wald")
            like = re.sub(r"^model_(wald|score)", "model_likelihood_ratio", like)
            like = re.sub(r"^(patients_grade)_\d$", r"\1_1", like)
            if not {f"`{part}`" for part in (row["statistic"], like) if f"`{part}`" in text}:
                missing.add((row["analysis"], row["statistic"]))
    assert missing == set()
    for reason in NotEstimable:
        assert f"| `{reason.value}` |" in text
