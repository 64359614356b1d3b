"""Variables that say the same in other words: found, offered once, never together in a model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.analysis.comparison import recodings, same_partition
from sts_core.analysis.cox import CoxSpec, cox, cox_table, result_rows
from sts_core.analysis.plan import baseline_covariates, baseline_groupings
from sts_core.cohort import Cohort
from sts_core.study import AnalysisSection, Measured, OneOf, Variable
from tests.cohorts import DEGENERATE_COMPLETE, make_cohort

ARM = ["drug", "drug", "placebo", "both", "placebo", "both", None, "drug"] * 4
CODE = {"drug": "1", "placebo": "2", "both": "9", None: None}
SEX = ["m", "f", "m", "m", "f", "f", "m", "f"] * 4


def three_arms(**more: object) -> Cohort:
    columns = {
        "time": [(7 * n) % 31 + 1 for n in range(32)],
        "status": [int(n % 3 > 0) for n in range(32)],
        "ARM": ARM,
        "ARMCD": [CODE[arm] for arm in ARM],
        "sex": SEX,
        "ACTARM": [arm and f"{arm} (given)" for arm in ARM],
        "site": ["one"] * 32,
        "country": ["X"] * 32,
    }
    variables = {
        name: Variable(label=f"The {name}", measured=Measured.BASELINE)
        for name in ("ARM", "ARMCD", "sex", "ACTARM", "site", "country")
    }
    return make_cohort(columns, variables=variables, **more)  # type: ignore[arg-type]


KEYS = ("ARM", "ARMCD", "sex", "ACTARM", "site", "country")


def test_recodings_name_the_first() -> None:
    assert recodings(three_arms(), KEYS) == {"ARMCD": "ARM", "ACTARM": "ARM"}
    assert recodings(three_arms(), KEYS[::-1]) == {"ARMCD": "ACTARM", "ARM": "ACTARM"}


def test_a_patient_not_known_in_one_only_makes_another_grouping() -> None:
    first = np.array(["a", "b", "a", None], dtype=object)
    assert same_partition({"x": first, "y": np.array(["1", "2", "1", "2"], dtype=object)}) == {}
    same = np.array(["2", "1", "2", None], dtype=object)
    assert same_partition({"x": first, "y": same}) == {"y": "x"}


def test_only_the_patients_analysed_count() -> None:
    columns = {
        "time": [1, 2, 3, 4, 5], "status": [1] * 5,
        "x": ["a", "a", "b", "b", "a"], "y": ["1", "1", "2", "2", "2"],
    }  # fmt: skip
    variables = {name: Variable(label=name, measured=Measured.BASELINE) for name in "xy"}
    assert recodings(make_cohort(columns, variables=variables), ("x", "y")) == {}
    fewer = AnalysisSection(filters=(OneOf(column="time", values=("5",), excludes=True),))
    cohort = make_cohort(columns, variables=variables, analysis=fewer)
    assert cohort.n == 4
    assert recodings(cohort, ("x", "y")) == {"y": "x"}


def test_usual_analyses_take_the_first_of_them() -> None:
    cohort = three_arms()
    assert baseline_groupings(cohort) == ("ARM", "sex")
    assert baseline_covariates(cohort) == ("ARM", "sex")


def test_they_are_never_together_in_a_model() -> None:
    result = cox(three_arms(), CoxSpec("OS", ("ARM", "ARMCD", "sex", "ACTARM")))
    assert result.model is not None
    assert result.model.covariates == ("ARM", "sex")
    alone = cox(three_arms(), CoxSpec("OS", ("ARM", "sex")))
    assert alone.model == result.model
    again = {c.key: c.same_as for c in result.covariates}
    assert again == {"ARM": None, "ARMCD": "The ARM", "sex": None, "ACTARM": "The ARM"}
    assert "The ARMCD: same grouping as The ARM" in " ".join(result.footnotes)
    assert "determined by the other variables" not in " ".join(result.footnotes)
    first, second = result.covariates[:2]
    assert second.multivariable is None
    assert all(level.multivariable is None for level in second.levels)
    # the same test, alone
    assert first.univariable.wald.p_value == pytest.approx(second.univariable.wald.p_value)
    assert cox_table(result).formatted()
    for row in result_rows(result):
        if row.term in ("ARMCD", "ACTARM"):
            assert not row.statistic.startswith("multivariable")


def test_a_factor_that_cannot_be_tested_for_entry_is_named() -> None:
    columns = {
        "time": list(range(1, 13)),
        "status": [1, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0],
        "group": list("AABBABABCCCC"),
    }
    result = cox(make_cohort(columns), CoxSpec("OS", ("group",), selection="screening"))
    (group,) = result.covariates
    assert group.entered is False
    assert group.univariable.wald.p_value is None
    # R, survival 3.5-3: anova(coxph(Surv(time, status) ~ group)) gives chisq 9.7656, df 2
    ratio = group.univariable.likelihood_ratio
    assert ratio is not None
    assert ratio.statistic == pytest.approx(9.765623, abs=1e-5)
    assert ratio.p_value == pytest.approx(0.00757568, abs=1e-7)
    text = " ".join(result.footnotes)
    assert "Not entered, because this P is not estimable: Group (no events in a level" in text


@given(
    st.lists(st.sampled_from(["a", "b", "c", None]), max_size=12),
    st.permutations(["x", "y", "z"]),
)
def test_renaming_levels_is_always_found(values: list[str | None], names: list[str]) -> None:
    other = dict(zip(["a", "b", "c"], names, strict=True))
    first = np.array(values, dtype=object)
    second = np.array([value and other[value] for value in values], dtype=object)
    several = len(set(values) - {None}) > 1
    assert same_partition({"one": first, "two": second}) == ({"two": "one"} if several else {})


@pytest.mark.parametrize("name", DEGENERATE_COMPLETE)
def test_awkward_cohorts(name: str) -> None:
    cohort = DEGENERATE_COMPLETE[name]()
    assert set(recodings(cohort, ("group", "best_response"))) <= {"best_response"}
