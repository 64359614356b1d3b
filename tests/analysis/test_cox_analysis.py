from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sts_core.analysis.cox import (
    Covariate,
    CoxResult,
    CoxSpec,
    Term,
    cox,
    cox_table,
    methods_sentence,
    overall_test,
    r_code,
    result_rows,
    result_sentences,
)
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.estimates import NotEstimable
from sts_core.findings import FindingCode, StudyError
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study.file import load_study
from sts_core.study.types import Grouping, Variable, VariableKind
from tests.cohorts import endpoint, make_cohort

REFERENCE = Path(__file__).parents[1] / "reference"
SAMPLE = Path(__file__).parents[2] / "sample_data"
EXPECTED = list(csv.DictReader((REFERENCE / "cox_analysis_results.csv").read_text().splitlines()))
ALL = ("histotype", "grade", "age", "size")
VARIABLES = {
    "histotype": Variable(
        label="Histotype", levels=("UPS", "LMS", "Myxofibrosarcoma", "Synovial"), reference="LMS"
    ),
    "grade": Variable(label="Grade", kind=VariableKind.ORDERED),
    "age": Variable(label="Age", kind=VariableKind.NUMERIC, unit="years"),
    "size": Variable(label="Size", kind=VariableKind.NUMERIC, unit="cm"),
}


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    rows = csv.DictReader((REFERENCE / "cox_analysis_cohort.csv").read_text().splitlines())
    columns: dict[str, list[str | None]] = {}
    for row in rows:
        for name, cell in row.items():
            columns.setdefault(name, []).append(cell or None)
    del columns["id"]
    columns["status"] = columns.pop("event")
    return make_cohort(columns, variables=VARIABLES)


@pytest.fixture(scope="module")
def results(cohort: Cohort) -> dict[str, CoxResult]:
    return {
        ties: cox(cohort, CoxSpec("OS", ALL, ties=ties, per=(("age", 10.0),)))
        for ties in ("efron", "breslow")
    }


def covariate(result: CoxResult, key: str) -> Covariate:
    return next(item for item in result.covariates if item.key == key)


def terms(item: Covariate, model: str = "univariable") -> dict[str | None, Term]:
    return {level.level: getattr(level, model) for level in item.levels}


def _whole_model(result: CoxResult, statistic: str) -> float:
    model = result.model
    assert model is not None
    found = {
        "n": model.n,
        "events": model.n_event,
        "lr": model.likelihood_ratio.statistic,
        "wald": model.wald.statistic,
        "score": model.score.statistic,
        "concordance": model.concordance.value if model.concordance else None,
    }[statistic]
    assert found is not None
    return float(found)


def _of_variable(item: Covariate, model: str, level: str, statistic: str) -> float | None:
    if statistic in ("hr", "low", "high", "p"):
        term = terms(item, model)[level or None]
        assert term.test is not None
        ratio = term.hazard_ratio
        return {
            "hr": ratio.value,
            "low": ratio.low,
            "high": ratio.high,
            "p": term.test.p_value,
        }[statistic]
    tests = getattr(item, model)
    return {
        "wald": tests.wald.statistic,
        "wald_p": tests.wald.p_value,
        "lr": tests.likelihood_ratio.statistic if tests.likelihood_ratio else None,
        "n": item.n,
        "events": item.n_event,
    }[statistic]


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("model", ["univariable", "multivariable"])
def test_every_number_is_rs(results: dict[str, CoxResult], ties: str, model: str) -> None:
    compared = 0
    for row in EXPECTED:
        if (row["ties"], row["model"]) != (ties, model):
            continue
        expected = float(row["value"])
        found: float | None
        if row["term"]:
            item = covariate(results[ties], row["term"])
            found = _of_variable(item, model, row["level"], row["statistic"])
        else:
            found = _whole_model(results[ties], row["statistic"])
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6), row
        compared += 1
    assert compared == {"univariable": 44, "multivariable": 39}[model]


def test_reference_row_is_present_and_empty(results: dict[str, CoxResult]) -> None:
    item = covariate(results["efron"], "histotype")
    assert [level.level for level in item.levels][:2] == ["UPS", "LMS"]
    assert item.reference == "LMS"
    for model in ("univariable", "multivariable"):
        term = terms(item, model)["LMS"]
        assert term.hazard_ratio.reason is NotEstimable.REFERENCE
        assert term.test is None
        assert term.n > 0
    cells = cox_table(results["efron"]).formatted()
    assert [row[3] for row in cells if row[0] == "LMS"] == ["1 (reference)"]


def test_levels_add_up_to_those_known(results: dict[str, CoxResult]) -> None:
    result = results["efron"]
    for item in result.covariates:
        assert sum(level.n for level in item.levels) == item.n
        assert sum(level.n_event for level in item.levels) == item.n_event
        assert item.n + item.n_missing + item.n_unreadable == result.n
    assert result.model is not None
    for item in result.covariates:
        assert sum(term.n for term in terms(item, "multivariable").values()) == result.model.n
    assert result.model.n + result.model.n_excluded == result.n
    assert {label: n for _, label, n in result.model.missing} == {
        "Histotype": 5,
        "Grade": 9,
        "Age": 7,
    }


def test_overall_p_only_for_more_than_two_levels(results: dict[str, CoxResult]) -> None:
    result = results["efron"]
    for model in ("univariable", "multivariable"):
        test = overall_test(covariate(result, "histotype"), model)  # type: ignore[arg-type]
        assert test is not None
        assert test.df == 3
        assert overall_test(covariate(result, "grade"), model) is None  # type: ignore[arg-type]
        assert overall_test(covariate(result, "age"), model) is None  # type: ignore[arg-type]
    rows = {row["variable"]: row for row in cox_table(result).rows}
    assert rows["Histotype"]["univariable_p"] == pytest.approx(0.0347, abs=1e-4)
    assert "univariable_p" not in rows["Grade"]
    assert any("likelihood ratio" in note for note in result.footnotes)


def test_table_has_both_models_under_spanners(results: dict[str, CoxResult]) -> None:
    table = cox_table(results["efron"])
    spanners = [column.spanner for column in table.columns]
    assert spanners == [None] * 3 + ["Univariable"] * 2 + ["Multivariable"] * 2
    rows = {row["variable"]: row for row in table.rows}
    assert rows["Age, per 10 years"]["n"] == 153
    assert rows["Size, per 1 cm"]["events"] == 113
    text = dict(zip((row[0] for row in table.formatted()), table.formatted(), strict=False))
    assert text["UPS"][3:] == ["1.90 (1.20, 3.02)", "0.0064", "1.57 (0.99, 2.51)", "0.057"]


def test_swapping_the_reference_inverts(cohort: Cohort) -> None:
    def of(reference: str) -> Term:
        variable = Variable(label="Grade", levels=("2", "3"), reference=reference)
        columns = {
            name: list(cohort.tables["subjects"].frame[name])
            for name in ("time", "status", "grade")
        }
        made = make_cohort(columns, variables={"grade": variable})
        result = cox(made, CoxSpec("OS", ("grade",)))
        return terms(covariate(result, "grade"))[{"2": "3", "3": "2"}[reference]]

    forward, backward = of("2"), of("3")
    assert forward.coefficient is not None
    assert backward.coefficient == pytest.approx(-forward.coefficient, rel=1e-9)
    assert backward.hazard_ratio.low == pytest.approx(1 / (forward.hazard_ratio.high or 0))


def test_unit_of_a_number_scales_the_coefficient_only(cohort: Cohort) -> None:
    one = cox(cohort, CoxSpec("OS", ("age",)))
    ten = cox(cohort, CoxSpec("OS", ("age",), per=(("age", 10.0),)))
    by_one, by_ten = (terms(covariate(result, "age"))[None] for result in (one, ten))
    assert by_one.coefficient is not None
    assert by_ten.coefficient == pytest.approx(10 * by_one.coefficient, rel=1e-9)
    assert by_one.test is not None
    assert by_ten.test is not None
    assert by_ten.test.p_value == pytest.approx(by_one.test.p_value)
    assert covariate(one, "age").levels[0].label == "per 1 year"


def test_screening_enters_by_the_wald_p_of_all_levels_strictly(cohort: Cohort) -> None:
    result = cox(cohort, CoxSpec("OS", ALL, selection="screening"))
    assert [item.key for item in result.covariates if item.entered] == ["histotype", "age"]
    assert result.model is not None
    assert result.model.covariates == ("histotype", "age")
    p_value = covariate(result, "age").univariable.wald.p_value
    assert p_value is not None
    at_threshold = cox(cohort, CoxSpec("OS", ALL, selection="screening", entry_p=p_value))
    assert not covariate(at_threshold, "age").entered
    above = math.nextafter(p_value, 1)
    assert covariate(
        cox(cohort, CoxSpec("OS", ALL, selection="screening", entry_p=above)), "age"
    ).entered
    note = next(note for note in result.footnotes if note.startswith("Entry"))
    assert "Histotype and Age" in note
    assert "too narrow" in note


def test_screening_without_a_hit_says_so(cohort: Cohort) -> None:
    result = cox(cohort, CoxSpec("OS", ("size",), selection="screening"))
    assert result.model is None
    assert covariate(result, "size").entered is False
    assert any("no multivariable model" in text for text in result_sentences(result))
    assert any("no variable met it" in note for note in result.footnotes)
    spanners = [column.spanner for column in cox_table(result).columns]
    assert "Univariable" in spanners
    assert "Multivariable" not in spanners


def test_only_some_covariates_may_enter(cohort: Cohort) -> None:
    result = cox(cohort, CoxSpec("OS", ALL, multivariable=("age", "grade")))
    assert result.model is not None
    assert result.model.covariates == ("grade", "age")
    assert covariate(result, "size").multivariable is None
    assert terms(covariate(result, "size"), "multivariable") == {None: None}
    single = cox(cohort, CoxSpec("OS", ALL, model="univariable"))
    assert single.model is None
    assert len(cox_table(single).columns) == 5
    joint = cox(cohort, CoxSpec("OS", ALL, model="multivariable"))
    table = cox_table(joint)
    assert len(table.columns) == 5
    rows = {row["variable"]: row for row in table.rows}
    assert joint.model is not None
    assert rows["Age, per 1 year"]["n"] == joint.model.n


def small(columns: Mapping[str, Sequence[Any]], **variables: Variable) -> Cohort:
    return make_cohort(columns, variables=variables)


TIME = [3, 5, 6, 8, 9, 12, 13, 17, 20, 22]


def test_level_without_events_is_not_a_hazard_ratio_of_zero() -> None:
    made = small(
        {"time": TIME, "status": [1, 1, 1, 0, 1, 0, 0, 0, 1, 1], "g": list("AAABBCCCBA")},
        g=Variable(label="G"),
    )
    result = cox(made, CoxSpec("OS", ("g",)))
    found = terms(covariate(result, "g"))
    assert found["C"].hazard_ratio.value is None
    assert found["C"].hazard_ratio.reason is NotEstimable.SEPARATION
    assert found["C"].test is not None
    assert found["C"].test.p_value is None
    assert found["B"].hazard_ratio.value is not None
    row = next(row for row in cox_table(result).formatted() if row[0] == "C")
    assert row == ["C", "3", "0", "NE", "NE", "NE", "NE"]
    assert any("G: C" in note and "no events" in note for note in result.footnotes)
    assert covariate(result, "g").univariable.likelihood_ratio is not None


def test_empty_and_missing_reference_levels() -> None:
    variable = Variable(label="G", levels=("Z", "A", "B", "Y"), reference="Z")
    made = small({"time": TIME, "status": [1] * 10, "g": list("AABBABABAB")}, g=variable)
    result = cox(made, CoxSpec("OS", ("g",)))
    item = covariate(result, "g")
    assert item.reference == "A"
    assert item.moved_reference == "Z"
    found = terms(item)
    assert found["Z"].hazard_ratio.reason is NotEstimable.NO_SUBJECTS
    assert found["Y"].hazard_ratio.reason is NotEstimable.NO_SUBJECTS
    assert found["B"].hazard_ratio.value is not None
    assert any("compared with A instead" in note for note in result.footnotes)


def test_one_level_only_is_no_comparison() -> None:
    made = small({"time": TIME, "status": [1] * 10, "g": ["A"] * 10}, g=Variable(label="G"))
    item = covariate(cox(made, CoxSpec("OS", ("g",))), "g")
    assert item.univariable.wald.reason is NotEstimable.NO_VARIATION
    assert terms(item)["A"].hazard_ratio.reason is NotEstimable.REFERENCE


def test_one_variable_that_determines_another_is_named() -> None:
    made = small(
        {
            "time": TIME,
            "status": [1] * 10,
            "a": [4, 1, 7, 2, 9, 3, 8, 5, 0, 6],
            "b": [8, 2, 14, 4, 18, 6, 16, 10, 0, 12],
        },
        a=Variable(label="A", kind=VariableKind.NUMERIC),
        b=Variable(label="B", kind=VariableKind.NUMERIC),
    )
    result = cox(made, CoxSpec("OS", ("a", "b")))
    joint = [terms(item, "multivariable")[None] for item in result.covariates]
    assert joint[0].hazard_ratio.value is not None
    assert joint[1].hazard_ratio.reason is NotEstimable.COLLINEAR
    assert result.model is not None
    assert result.model.n_parameters == 1
    assert any("determined by the other variables: B" in note for note in result.footnotes)


def test_few_events_per_parameter_are_said() -> None:
    made = small(
        {"time": TIME, "status": [1] * 10, "a": [4, 1, 7, 2, 9, 3, 8, 5, 0, 6],
         "g": list("ABABBABAAB")},
        a=Variable(label="A", kind=VariableKind.NUMERIC),
        g=Variable(label="G"),
    )  # fmt: skip
    result = cox(made, CoxSpec("OS", ("a", "g")))
    assert result.model is not None
    assert result.model.events_per_parameter == 5.0
    assert any("Fewer than 10 events per parameter" in note for note in result.footnotes)


def test_words_in_a_number_are_left_out_and_counted() -> None:
    made = small(
        {"time": TIME, "status": [1] * 10, "a": ["4", "1", "ca. 7", None, 9, 3, 8, 5, 0, 6]},
        a=Variable(label="A", kind=VariableKind.NUMERIC),
    )
    result = cox(made, CoxSpec("OS", ("a",)))
    item = covariate(result, "a")
    assert (item.n, item.n_missing, item.n_unreadable) == (8, 1, 1)
    assert any("not known: A 2" in note for note in result.footnotes)


def test_merged_groups_are_covariates() -> None:
    made = make_cohort(
        {"time": TIME, "status": [1] * 10, "g": list("ABCABCABCA")},
        variables={"g": Variable(label="G")},
        groupings={"ab": Grouping("A or B", "g", {"A/B": ("A", "B")}, rest="rest")},
    )
    item = covariate(cox(made, CoxSpec("OS", ("ab",))), "ab")
    assert [level.level for level in item.levels] == ["A/B", "rest"]
    assert [level.n for level in item.levels] == [7, 3]


def test_dates_are_refused() -> None:
    made = small(
        {"time": TIME, "status": [1] * 10, "d": ["2020-01-01"] * 10},
        d=Variable(label="Visit", kind=VariableKind.DATE),
    )
    with pytest.raises(StudyError) as caught:
        cox(made, CoxSpec("OS", ("d",)))
    assert "“Visit” is a date" in caught.value.findings[0].message


def test_unknown_variable_is_refused(cohort: Cohort) -> None:
    with pytest.raises(StudyError) as caught:
        cox(cohort, CoxSpec("OS", ("ages",)))
    assert caught.value.findings[0].code is FindingCode.COLUMN_MISSING


def test_delayed_entry_has_no_concordance() -> None:
    columns = {"time": TIME, "status": [1] * 10, "start": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
               "a": [4, 1, 7, 2, 9, 3, 8, 5, 0, 6]}  # fmt: skip
    made = make_cohort(
        columns,
        endpoints={"OS": endpoint(entry="start")},
        variables={"a": Variable(label="A", kind=VariableKind.NUMERIC)},
    )
    result = cox(made, CoxSpec("OS", ("a",)))
    assert result.late_entry
    assert result.model is not None
    assert result.model.concordance is None
    assert any("delayed entry" in note for note in result.footnotes)
    assert "Surv(entry, time, event)" in r_code(result)


def test_every_awkward_cohort_gives_a_table_without_a_false_number(degenerate: Cohort) -> None:
    result = cox(degenerate, CoxSpec("OS", ("group",)))
    for item in result.covariates:
        for level in item.levels:
            for term in (level.univariable, level.multivariable):
                if term is None or term.hazard_ratio.value is None:
                    continue
                assert 1e-4 < term.hazard_ratio.value < 1e4
    assert cox_table(result).formatted()
    assert all(isinstance(text, str) for text in result_sentences(result))
    assert methods_sentence(result).endswith(".")
    for row in result_rows(result):
        assert row.value is None or math.isfinite(row.value)
        assert (row.status == "not_estimable") == (row.value is None)
    assert r_code(result)


@settings(max_examples=25)
@given(st.permutations(range(12)), st.floats(0.01, 100))
def test_row_order_and_unit_of_time_change_nothing(order: list[int], factor: float) -> None:
    time = [3, 5, 5, 8, 9, 12, 13, 17, 17, 22, 25, 30]
    status = [1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1]
    group = list("ABABBABAABBA")

    def ratio(rows: Sequence[int], scale: float) -> Term:
        made = small(
            {
                "time": [time[i] * scale for i in rows],
                "status": [status[i] for i in rows],
                "g": [group[i] for i in rows],
            },
            g=Variable(label="G"),
        )
        return terms(covariate(cox(made, CoxSpec("OS", ("g",))), "g"))["B"]

    plain, other = ratio(range(12), 1.0), ratio(order, factor)
    assert other.coefficient == pytest.approx(plain.coefficient, abs=1e-9)
    assert other.std_error == pytest.approx(plain.std_error, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covariates": ()}, "at least one"),
        ({"covariates": ("a", "a")}, "must differ"),
        ({"entry_p": 5}, "entry_p"),
        ({"conf_level": 95}, "conf_level"),
        ({"multivariable": ("z",)}, "besides"),
        ({"per": (("a", 0.0),)}, "per must"),
    ],
)
def test_specs_that_mean_nothing_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CoxSpec(**{"endpoint": "OS", "covariates": ("a",), **change})


def test_spec_goes_through_a_study_file() -> None:
    adapter = TypeAdapter(CoxSpec)
    spec = CoxSpec("OS", ("a", "b"), selection="screening", per=(("a", 10.0),))
    assert adapter.validate_python(adapter.dump_python(spec, mode="json")) == spec
    assert hash(spec) == hash(adapter.validate_python(adapter.dump_python(spec, mode="json")))
    with pytest.raises(ValidationError):
        adapter.validate_python({"endpoint": "OS", "covariates": ["a"], "ties": "exact"})


def test_words_of_the_file_stay_strings_in_r() -> None:
    key = 'a`; system("x")'
    made = make_cohort(
        {"time": TIME, "status": [1] * 10, key: list("ABABABABAB")},
        variables={key: Variable(label="A")},
    )
    code = r_code(cox(made, CoxSpec("OS", (key,))))
    assert r'd[["a`; system(\"x\")"]]' in code
    assert r'`a\`; system("x")`' in code


def _public(name: str, code: str) -> Cohort:
    text = (REFERENCE / f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    if name == "tern_adtte":
        rows = [row for row in rows if row["PARAMCD"] == code]
        outcome = endpoint(time="AVAL", event="CNSR", events={"event": (0,)}, censored=(1,))
        variables = {"group": Variable(label="Arm", column="ARM", reference="A: Drug X")}
    else:
        outcome = endpoint(
            time="OS days", event="OS status", events={"death": ("Dead",)}, censored=("Alive",)
        )
        variables = {
            "group": Variable(label="Histotype", column="short histo", reference="DDLPS"),
            "margin": Variable(
                label="Residual tumour",
                column="residual tumor",
                merged={"not R0": ("R1", "R2", "RX")},
                missing_codes=(),
                reference="not R0",
            ),
        }
    columns = {key: [row[key] or None for row in rows] for key in rows[0]}
    return make_cohort(columns, endpoints={code: outcome}, variables=variables)


PUBLIC = list(
    csv.DictReader((REFERENCE / "cox_public_results.csv").read_text(encoding="utf-8").splitlines())
)


@pytest.mark.parametrize(
    "row", PUBLIC, ids=[f"{row['cohort']}-{row['endpoint']}-{row['level']}" for row in PUBLIC]
)
def test_public_cohorts_agree_with_r(row: dict[str, str]) -> None:
    key = "margin" if row["reference"] == "not R0" else "group"
    made = _public(row["cohort"], row["endpoint"])
    result = cox(made, CoxSpec(row["endpoint"], (key,)))
    item = covariate(result, key)
    term = terms(item)[row["level"]]
    assert item.reference == row["reference"]
    assert term.test is not None
    assert result.model is not None
    assert result.model.concordance is not None
    found = (
        *(getattr(term.hazard_ratio, name) for name in ("value", "low", "high")),
        term.test.p_value,
        result.model.likelihood_ratio.statistic,
        result.model.concordance.value,
    )
    expected = [float(row[name]) for name in ("hr", "low", "high", "p", "lr", "concordance")]
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_sample_screens_as_the_published_study_did() -> None:
    study = load_study((SAMPLE / "study.yaml").read_text(encoding="utf-8"))
    book = read_bytes("sts_cohort.xlsx", (SAMPLE / "sts_cohort.xlsx").read_bytes())
    made = apply_criteria(assemble(study, [book]), study)
    keys = ("sex", "age_group", "ecog", "treatment_line_group", "prior_radiotherapy")
    result = cox(made, CoxSpec("PFS", keys, selection="screening"))
    assert result.n == 51
    for item in result.covariates:
        p_value = item.univariable.wald.p_value
        assert p_value is not None
        assert item.entered is (p_value < 0.05)
    assert covariate(result, "ecog").entered
    assert covariate(result, "ecog").reference == "2-3"
    assert [level.n for level in covariate(result, "ecog").levels] == [28, 23]
    assert "Synthetic data, not patients." in result.footnotes
