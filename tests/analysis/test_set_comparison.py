"""This cohort beside the whole file or a saved set."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from sts_core.analysis.set_comparison import (
    FILE,
    THIS,
    SetComparisonSpec,
    r_code,
    result_rows,
    result_sentences,
    set_comparison,
    set_table,
)
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.disclosure import rare_names, without_names
from sts_core.display import CountShare
from sts_core.estimates import Estimate
from sts_core.findings import StudyError
from sts_core.study import (
    AnalysisSection,
    Measured,
    OneOf,
    Variable,
    VariableKind,
    dump_study,
    load_study,
)
from tests.cohorts import make_cohort

MEN, WOMEN = OneOf("sex", ("m",)), OneOf("sex", ("f",), label="Women")
AGES = [30, 40, 50, 60, 70, 80]


def cohort(criteria: tuple[OneOf, ...] = (), **analysis: Any) -> Cohort:
    known = {"measured": Measured.BASELINE}
    columns = {
        "time": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
        "status": [1, 1, 0, 1, 1, 0],
        "sex": ["m", "m", "m", "f", "f", "f"],
        "site": ["x", "y", "y", "x", "x", None],
        "age": AGES,
        "best_response": ["CR", "PD", "SD", "PR", "PD", None],
    }
    variables = {
        "sex": Variable(label="Sex", **known),
        "site": Variable(label="Site", **known),
        "age": Variable(label="Size", kind=VariableKind.NUMERIC, **known),
    }
    events = {
        "row": [1, 1, 4, 5], "term": ["Rash", "Pain", "Rash", "Pain"], "grade": [1, 3, 4, 2],
        "related": ["yes", "no", "no", "yes"],
    }  # fmt: skip
    section = AnalysisSection(criteria=criteria, **analysis)
    return make_cohort(columns, variables=variables, adverse_events=events, analysis=section)


def cells(data: Cohort, spec: SetComparisonSpec) -> dict[tuple[str, str], tuple[Any, Any]]:
    table = set_table(set_comparison(data, spec))
    found, heading = {}, ""
    for row in table.rows:
        if row.get("_heading"):
            heading = str(row["what"])
        else:
            found[heading, str(row["what"])] = (row["set_0"], row["set_1"])
    return found


SPEC = SetComparisonSpec(variables=("sex", "site", "age"))


def test_the_whole_file_stands_beside_the_patients_analysed() -> None:
    found = cells(cohort((MEN,)), SPEC)
    assert found["Site", "x"] == (CountShare(1, 3), CountShare(3, 5))
    assert found["Site", "Not known"] == (0, 1)
    size = found["Size", "Median (quartiles)"]
    assert [one.centre for one in size] == [40, 55]
    assert (size[0].low, size[0].high) == (35, 45)
    assert found["Best overall response", "Objective response"] == (
        CountShare(1, 3), CountShare(2, 6),
    )  # fmt: skip
    assert found["Best overall response", "Disease control"] == (CountShare(2, 3), CountShare(3, 6))
    # whatever the cause, of the patients of each set
    severe = found["Adverse events, whatever the cause", "Grade 3 or more"]
    assert severe == (CountShare(1, 3), CountShare(2, 6))
    medians = found["Overall survival", "Median, months (95% CI)"]
    assert all(isinstance(median, Estimate) for median in medians)
    # the men's curve: 2/3 at 10, 1/3 at 20; everyone's: 5/6, 4/6, then 4/9 at 40
    assert medians[0].value == pytest.approx(20 / 30.4375)
    assert medians[1].value == pytest.approx(40 / 30.4375)
    assert found["Overall survival", "Events"] == (CountShare(2, 3), CountShare(4, 6))


def test_sets_that_share_patients_are_not_tested_and_it_is_said() -> None:
    result = set_comparison(cohort((MEN,)), SPEC)
    assert (result.n_both, result.are_disjoint) == (3, False)
    assert result.differences == {}
    table = set_table(result)
    assert "difference" not in [column.key for column in table.columns]
    said = " ".join((*table.footnotes, *result_sentences(result)))
    assert "3 patients in both sets, 0 only in this cohort, 3 only in the whole file." in said
    assert "The sets share patients and are not independent: nothing is tested" in said
    assert " P " not in said


def test_disjoint_sets_have_standardised_differences_by_hand() -> None:
    data = cohort((MEN,), saved_sets={"Women": (WOMEN,)})
    result = set_comparison(data, replace(SPEC, against="Women"))
    assert result.are_disjoint
    assert [one.label for one in result.sets] == [THIS, "Women"]
    assert result.sets[1].rests_on == ("Women",)
    # means 40 and 70, both variances 100
    assert result.differences["age"] == pytest.approx(3.0)
    # shares of y: 2/3 and 0
    expected = (2 / 3) / math.sqrt((2 / 3 * 1 / 3 + 0) / 2)
    assert result.differences["site"] == pytest.approx(expected)
    headings = {row["what"]: row.get("difference") for row in set_table(result).rows}
    assert headings["Size"] == pytest.approx(3.0)


def test_a_saved_set_is_everybody_whom_its_own_criteria_leave() -> None:
    data = cohort((MEN,), filters=(OneOf("site", ("x",)),), saved_sets={"All": (), "W": (WOMEN,)})
    assert data.n == 1
    everyone = set_comparison(data, SetComparisonSpec(against="All"))
    assert everyone.sets[1].n == 6
    assert set_comparison(data, SetComparisonSpec(against="W")).sets[1].n == 3
    table = set_table(everyone)
    assert table.stamp == "Exploratory subset, n = 1 of 6"
    with pytest.raises(StudyError) as caught:
        set_comparison(data, SetComparisonSpec(against="gone"))
    assert "no saved set “gone” (known: All, W)" in caught.value.findings[0].message


def test_every_number_is_a_row_and_r_can_give_it() -> None:
    result = set_comparison(cohort((MEN,)), SPEC)
    rows = {
        (row.statistic, row.group, row.term, row.level): row.value for row in result_rows(result)
    }
    assert rows["n", THIS, None, None] == 3
    assert rows["n", FILE, None, None] == 6
    assert rows["n_in_both", None, None, None] == 3
    assert rows["count", FILE, "site", "x"] == 3
    assert rows["median", THIS, "age", None] == 40
    assert rows["n_grade_3_5", FILE, None, None] == 2
    assert rows["objective_response_rate", THIS, None, None] == pytest.approx(1 / 3)
    assert "survfit" in r_code(result)


def test_saved_sets_are_kept_in_the_study_file_without_rare_names() -> None:
    data = cohort((MEN,), saved_sets={"Women": (WOMEN,)})
    assert load_study(dump_study(data.study)) == data.study
    rare = rare_names(data)
    assert {item.name for item in rare} >= {"m", "f"}
    clean = without_names(data.study, rare).study
    assert clean.analysis.saved_sets == {"Women": ()}
    assert apply_criteria(data, clean).n == 6
