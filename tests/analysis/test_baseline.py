"""Baseline characteristics: against base R, by a plain recount, and at the edges."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.analysis.baseline import (
    BaselineBlock,
    BaselineSpec,
    baseline,
    baseline_table,
    methods_sentence,
    r_code,
    result_rows,
    result_sentences,
)
from sts_core.analysis.plan import usual_report
from sts_core.criteria import apply_criteria
from sts_core.estimates import NotEstimable
from sts_core.estimators.group_tests import SIMULATED
from sts_core.findings import StudyError
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study import AnalysisSection, Grouping, OneOf, Variable, VariableKind, load_study
from tests.cohorts import make_cohort

REFERENCE = Path(__file__).parents[1] / "reference"
NUMBER = VariableKind.NUMERIC


def described(columns, spec, **more):
    return baseline(make_cohort(columns, endpoints={}, **more), spec)


def cells(result):
    """Give the table's rows as written, by the heading that they stand under."""
    found, heading = {}, ""
    table = baseline_table(result)
    for raw, row in zip(table.rows, table.formatted(), strict=True):
        if raw.get("_heading"):
            heading = row[0]
            found[heading, ""] = row[1:]
        else:
            found[heading, row[0]] = row[1:]
    return found


# --- against R -----------------------------------------------------------------------------------


def public_sets():
    """Columns of three public cohorts, the group, and which of them are numbers."""
    from lifelines.datasets import load_lung
    from sksurv.datasets import load_veterans_lung_cancer

    lung = load_lung()
    yield "lung", lung, "sex", ("ph.ecog",), ("age", "ph.karno", "meal.cal", "wt.loss")
    veteran = load_veterans_lung_cancer()[0].rename(
        columns={
            "Age_in_years": "age",
            "Karnofsky_score": "karno",
            "Months_from_Diagnosis": "diagtime",
            "Celltype": "celltype",
        }
    )
    veteran["trt"] = veteran["Treatment"].map({"standard": "1", "test": "2"})
    veteran["prior"] = veteran["Prior_therapy"].map({"no": "0", "yes": "10"})
    yield "veteran", veteran, "celltype", ("trt", "prior"), ("age", "karno", "diagtime")
    with (REFERENCE / "tcga_sarc_2017.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sarc = {name: [row[name] for row in rows] for name in rows[0]}
    yield "sarc", sarc, "short histo", ("residual tumor", "OS status"), ("OS days",)


def plain_cells(column):
    def plain(cell):
        if isinstance(cell, float):
            return None if np.isnan(cell) else cell
        return cell.item() if hasattr(cell, "item") else cell

    return [plain(cell) for cell in column]


SETS = {name: (frame, by, levels, numbers) for name, frame, by, levels, numbers in public_sets()}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("numbers_as", ["median", "mean", "by_rule"])
def test_public_cohorts_agree_with_base_r(name, numbers_as):
    frame, by, factors, numbers = SETS[name]
    keys = (by, *factors, *numbers)
    variables = {
        key: Variable(key, kind=NUMBER if key in numbers else VariableKind.CATEGORICAL)
        for key in keys
    }
    spec = BaselineSpec(variables=keys[1:], by=by, numbers=numbers_as, tests=True)
    result = described({key: plain_cells(frame[key]) for key in keys}, spec, variables=variables)
    ours = {
        (row.term or "", row.level or "", row.group or "all", row.statistic): row.value
        for row in result_rows(result)
    }
    compared = 0
    with (REFERENCE / "baseline_public_results.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["cohort"] != name:
                continue
            term, statistic = row["term"], row["statistic"]
            value = np.nan if row["value"] == "NA" else float(row["value"])
            if statistic == "looks_normal":
                if numbers_as == "by_rule":
                    item = next(c for c in result.characteristics if c.key == term)
                    assert item.by_mean is bool(value), term
                continue
            if statistic.endswith("_test_p"):
                if statistic != f"{numbers_as}_test_p":
                    continue
                statistic = "test_p"
            found = ours[term, row["level"], row["group"] or "all", statistic]
            if row["value"] == "NA":  # too many tables for R: ours come from random ones
                assert (
                    next(c for c in result.characteristics if c.key == term).test.name == SIMULATED
                )
                continue
            assert found == pytest.approx(value, rel=1e-9, abs=1e-7), row
            compared += 1
    assert compared > 30


# --- a plain recount -----------------------------------------------------------------------------

patients_ = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", None]),
        st.sampled_from(["x", "y", "z", None]),
        st.one_of(st.none(), st.integers(-5, 5)),
        st.sampled_from(["yes", "no", None]),
        st.sampled_from(["yes", "no", None]),
    ),
    min_size=1,
    max_size=25,
)


@given(patients_)
def test_counts_are_those_of_a_plain_loop(rows):
    columns = dict(zip(("arm", "level", "size", "lung", "bone"), map(list, zip(*rows, strict=True)),
                       strict=True))  # fmt: skip
    variables = {
        "arm": Variable("Arm", levels=("A", "B")),
        "level": Variable("Level", levels=("x", "y", "z")),
        "size": Variable("Size", kind=NUMBER),
        "lung": Variable("Lung"),
        "bone": Variable("Bone"),
    }
    spec = BaselineSpec(
        variables=("level", "size"),
        by="arm",
        blocks=(BaselineBlock("Metastasis", ("lung", "bone"), "yes"),),
        tests=True,
        differences=True,
    )
    result = described(columns, spec, variables=variables)
    assert result.columns == ("A", "B", "All patients")
    level, size, block = result.characteristics
    for at, arms in enumerate((("A",), ("B",), ("A", "B"))):
        mine = [row for row in rows if row[0] in arms]
        assert result.sizes[at] == len(mine)
        for name, counts in zip(level.levels, level.counts, strict=True):
            assert counts[at] == sum(row[1] == name for row in mine)
        assert level.n_missing[at] == sum(row[1] is None for row in mine)
        assert level.known[0][at] + level.n_missing[at] == len(mine)
        known = sorted(row[2] for row in mine if row[2] is not None)
        assert size.numbers[at].n == len(known)
        assert size.n_missing[at] == len(mine) - len(known)
        if known:
            assert size.numbers[at].minimum == known[0]
            assert size.numbers[at].mean == pytest.approx(sum(known) / len(known))
        for place in (0, 1):
            values = [row[3 + place] for row in mine]
            assert block.counts[place][at] == values.count("yes")
            assert block.known[place][at] == len(values) - values.count(None)
        assert block.n_missing[at] == sum(row[3] is None and row[4] is None for row in mine)
    assert result.n_unknown_group == sum(row[0] is None for row in rows)
    table = baseline_table(result)
    assert len(table.formatted()) == len(table.rows)
    assert methods_sentence(result)
    assert result_sentences(result)


# --- words and edges -----------------------------------------------------------------------------

SIX = {
    "arm": ["A", "A", "A", "B", "B", "B"],
    "sex": ["m", "f", "f", "m", None, "m"],
    "age": [54, 61, 47, 70, 33, None],
    "lung": ["yes", "yes", "no", "no", "yes", None],
    "bone": ["no", "yes", "no", "no", "no", None],
}
VARIABLES = {
    "arm": Variable("Arm"),
    "sex": Variable("Sex", levels=("m", "f")),
    "age": Variable("Age", kind=NUMBER, unit="years"),
    "lung": Variable("Lung"),
    "bone": Variable("Bone"),
}


def six(**changes):
    spec = BaselineSpec(variables=("sex", "age"), numbers="median")
    return described(SIX, dataclasses.replace(spec, **changes), variables=VARIABLES)


def test_the_table_of_six_patients_by_hand():
    assert cells(six()) == {
        ("Sex", ""): [""],
        ("Sex", "m"): ["3 (60)"],
        ("Sex", "f"): ["2 (40)"],
        ("Sex", "Not known"): ["1"],
        ("Age, years", ""): [""],
        ("Age, years", "Median (range)"): ["54 (33, 70)"],
        ("Age, years", "Interquartile range"): ["47.0 to 61.0"],
        ("Age, years", "Not known"): ["1"],
    }


def test_groups_stand_beside_everyone_together_with_difference_and_p():
    found = six(by="arm", tests=True, differences=True)
    table = baseline_table(found)
    assert [column.label for column in table.columns] == [
        "Characteristic", "A (N = 3)", "B (N = 3)", "All patients (N = 6)",
        "Standardised difference", "P",
    ]  # fmt: skip
    rows = cells(found)
    assert rows["Sex", "f"][:3] == ["2 (67)", "0", "2 (40)"]
    assert rows["Age, years", "Median (range)"][:3] == ["54 (47, 61)", "51.5 (33.0, 70.0)",
                                                        "54 (33, 70)"]  # fmt: skip
    # of the tables with margins 3, 2 and 3, 2 this one and the two at either end: 1/10 + 3/10 ...
    assert found.characteristics[0].test.p_value == pytest.approx(0.4)
    note = " ".join(found.footnotes)
    assert "Fisher's exact test: Sex." in note
    assert "Mann-Whitney test: Age." in note


def test_a_variable_is_not_tested_against_itself():
    found = six(variables=("arm", "sex"), by="arm", tests=True, differences=True)
    assert found.characteristics[0].test is None
    assert found.characteristics[0].difference is None
    assert found.characteristics[1].test is not None


def test_a_mean_has_its_standard_deviation_and_range():
    rows = cells(six(numbers="mean"))
    assert rows["Age, years", "Mean (SD)"] == ["53.0 (14.1)"]
    assert rows["Age, years", "Range"] == ["33 to 70"]


def test_a_block_counts_each_of_its_variables_and_takes_them_out_of_the_list():
    block = BaselineBlock("Metastasis", ("lung", "bone"), "yes")
    found = six(variables=("lung", "sex"), blocks=(block,))
    assert [item.label for item in found.characteristics] == ["Metastasis", "Sex"]
    later = six(variables=("sex",), blocks=(block,))
    assert [item.label for item in later.characteristics] == ["Sex", "Metastasis"]
    rows = cells(found)
    assert rows["Metastasis", "Lung"] == ["3 (60)"]
    assert rows["Metastasis", "Bone"] == ["1 (20)"]
    assert rows["Metastasis", "Not known"] == ["1"]
    assert "A patient can be in several rows of one block." in found.footnotes


def test_each_row_of_a_block_is_compared_as_its_variable_is():
    block = BaselineBlock("Metastasis", ("lung", "bone"), "yes")
    chosen = {"by": "arm", "tests": True, "differences": True}
    found = six(variables=(), blocks=(block,), **chosen)
    alone = six(variables=("lung", "bone"), **chosen)
    rows, single = cells(found), cells(alone)
    for name in ("Lung", "Bone"):
        assert rows["Metastasis", name][-2:] == single[name, ""][-2:] != ["", ""]
    assert rows["Metastasis", ""][-2:] == ["", ""]
    assert "Fisher's exact test: Lung and Bone." in " ".join(found.footnotes)
    compared = [
        (row.term, row.statistic, row.value)
        for row in result_rows(alone)
        if row.statistic == "standardised_difference" or row.statistic == "p_value"
    ]
    assert compared
    assert {*compared} <= {(row.term, row.statistic, row.value) for row in result_rows(found)}
    assert 'for (v in c("lung", "bone")) {' in r_code(found)


@pytest.mark.parametrize(
    ("n", "decimals", "written"),
    [(99, None, "33 (33)"), (100, None, "33 (33.0)"), (99, 1, "33 (33.3)"), (300, 0, "33 (11)")],
)
def test_percentages_of_few_patients_have_no_decimal(n, decimals, written):
    columns = {"sex": ["m"] * 33 + ["f"] * (n - 33)}
    found = described(
        columns, BaselineSpec(("sex",), percent_decimals=decimals), variables=VARIABLES
    )
    assert cells(found)["Sex", "m"] == [written]


def test_only_patients_analysed_are_described():
    cohort = make_cohort(SIX, endpoints={}, variables=VARIABLES)
    only = AnalysisSection(criteria=(OneOf("arm", ("A",)),))
    cohort = apply_criteria(cohort, dataclasses.replace(cohort.study, analysis=only))
    found = baseline(cohort, BaselineSpec(variables=("sex",)))
    assert found.sizes == (3,)
    assert cells(found)["Sex", "m"] == ["1 (33)"]


def test_merged_groups_are_a_variable_like_any_other():
    grouping = Grouping("Arms", "arm", {"first": ("A",)}, rest="other")
    found = described(
        SIX, BaselineSpec(variables=("g",), by="g"), variables=VARIABLES, groupings={"g": grouping}
    )
    assert found.columns == ("first", "other", "All patients")
    assert cells(found)["Arms", "first"] == ["3 (100)", "0", "3 (50)"]


def test_nothing_known_is_said():
    columns = {"arm": ["A", "B"], "age": [None, None], "sex": [None, None]}
    found = described(
        columns, BaselineSpec(variables=("age", "sex"), by="arm", tests=True), variables=VARIABLES
    )
    assert cells(found)["Age, years", "Median (range)"] == ["NE", "NE", "NE", ""]
    assert found.characteristics[0].test.reason is NotEstimable.NO_SUBJECTS
    assert "Age is not known of any patient." in result_sentences(found)
    assert "No test for Age and Sex" in " ".join(found.footnotes)


def test_a_date_is_refused_with_what_to_do():
    variables = {"when": Variable("Start", kind=VariableKind.DATE)}
    with pytest.raises(StudyError) as refused:
        described({"when": ["2021-05-03"]}, BaselineSpec(variables=("when",)), variables=variables)
    (finding,) = refused.value.findings
    assert "“Start” is a date" in finding.message
    assert finding.hint


def test_wrong_specs_are_refused():
    with pytest.raises(ValueError, match="named once"):
        BaselineSpec(variables=("a", "a"))
    with pytest.raises(ValueError, match="percent_decimals"):
        BaselineSpec(percent_decimals=9)
    with pytest.raises(ValueError, match="at least one variable"):
        BaselineBlock("x", (), "yes")


def test_sentences_and_r_code_name_what_was_done():
    found = six(by="arm", tests=True)
    assert methods_sentence(found) == (
        "Baseline characteristics, by arm are given as number of patients with percentage and, for "
        "numbers, as median with range; P values are from Fisher's exact test and Mann-Whitney "
        "test."
    )
    assert result_sentences(found)[0] == "6 patients were analysed."
    assert "Sex: m in 3 (60%) and f in 2 (40%); not known of 1 patient." in result_sentences(found)
    code = r_code(found)
    assert 'c("sex")' in code
    assert "wilcox.test" in code


# --- the reference study -------------------------------------------------------------------------

PUBLISHED = {
    "Sex": {"Male": "25 (49.0)", "Female": "26 (51.0)"},
    # the article prints 45.1 and 54.9 %, which are not 24 and 27 of 51
    "Age group": {"<54": "24 (47.1)", "≥54": "27 (52.9)"},
    "ECOG performance status": {"0-1": "28 (54.9)", "2-3": "23 (45.1)"},
    "Histotype": {
        "Leiomyosarcoma": "11 (21.6)",
        "Alveolar soft part sarcoma": "6 (11.8)",
        "Rhabdomyosarcoma": "6 (11.8)",
        "Clear cell sarcoma": "5 (9.8)",
        "Myxofibrosarcoma": "5 (9.8)",
        "Synovial sarcoma": "3 (5.9)",
        "Malignant peripheral nerve sheath tumor": "3 (5.9)",
        "Undifferentiated pleomorphic sarcoma": "3 (5.9)",
        "Others": "9 (17.6)",
    },
    "Primary site": {"limb": "28 (54.9)", "trunk": "17 (33.3)", "others": "6 (11.8)"},
    "Metastasis present": {
        "Lung metastasis": "33 (64.7)",
        "Bone metastasis": "18 (35.3)",
        "Liver metastasis": "6 (11.8)",
        "Pancreas metastasis": "5 (9.8)",
        "Brain metastasis": "3 (5.9)",
    },
    "Treatment line": {"1": "12 (23.5)", "2": "24 (47.1)", "≥3": "15 (29.4)"},
    "Prior chemotherapy": {"yes": "32 (62.7)", "no": "19 (37.3)"},
    "Prior radiotherapy": {"yes": "9 (17.6)", "no": "42 (82.4)"},
    "Prior antiangiogenic therapy": {"yes": "21 (41.2)", "no": "30 (58.8)"},
    "Prior immunotherapy": {"yes": "4 (7.8)", "no": "47 (92.2)"},
}


def test_the_sample_gives_the_published_table_in_its_form() -> None:
    folder = Path(__file__).parents[2] / "sample_data"
    study = load_study((folder / "study.yaml").read_text("utf-8"))
    book = read_bytes("sts_cohort.xlsx", (folder / "sts_cohort.xlsx").read_bytes())
    cohort = apply_criteria(assemble(study, [book]), study)
    spec = usual_report(cohort)[0]
    assert isinstance(spec, BaselineSpec)
    found = cells(baseline(cohort, spec))
    headings = [heading for heading, row in found if not row]
    assert headings == list(PUBLISHED)
    for heading, rows in PUBLISHED.items():
        shown = {row: written for (above, row), (written,) in found.items() if above == heading}
        assert {row: text for row, text in shown.items() if row} == rows


def test_ages_above_89_are_given_as_90_or_older_everywhere():
    age = Variable(label="Age", kind=NUMBER, unit="years")
    columns = {"age": [30, 41, 60, 95, 97], "size": [30, 41, 60, 95, 97]}
    size = Variable(label="Size", kind=NUMBER, unit="mm")
    cohort = make_cohort(columns, endpoints={}, variables={"age": age, "size": size})
    result = baseline(cohort, BaselineSpec(variables=("age", "size"), numbers="median"))
    shown = cells(result)
    assert shown["Age, years", "Median (range)"] == ["60 (30, ≥90)"]
    assert shown["Age, years", "Interquartile range"] == ["41.0 to ≥90"]
    assert shown["Size, mm", "Median (range)"] == ["60 (30, 97)"]
    assert "range 30 to ≥90" in " ".join(result_sentences(result))
    rows = [row for row in result_rows(result) if row.term == "age"]
    oldest = next(row for row in rows if row.statistic == "maximum")
    assert (oldest.value, oldest.r) == (90.0, "none")
    quartile = next(row for row in rows if row.statistic == "quartile_75")
    assert quartile.value == 90.0
    assert next(row for row in rows if row.statistic == "mean").value == pytest.approx(64.6)
