"""Hazard ratios between groups: against published numbers, R, the prognosis analysis, at edges."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sts_core.analysis.cox import CoxSpec, cox
from sts_core.analysis.hazard_ratio import (
    MAX_COMPARED,
    footnotes_of,
    hazard_ratios,
    reference_of,
    sentence_of,
)
from sts_core.analysis.kaplan_meier import (
    KaplanMeierSpec,
    kaplan_meier,
    methods_sentence,
    r_code,
    result_rows,
    result_sentences,
    survival_table,
)
from sts_core.cohort import Cohort
from sts_core.estimates import NotEstimable
from sts_core.study import Grouping, Measured, Variable
from tests.cohorts import make_cohort

REFERENCE = Path(__file__).parents[1] / "reference"

# Freireich et al., Blood 1963;21:699-716: weeks in remission; 6-mercaptopurine and placebo.
TIME = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
TIME += [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
EVENT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0] + [1] * 21
GROUP = ["6-MP"] * 21 + ["placebo"] * 21


def freireich(reference: str | None = None) -> Cohort:
    variable = Variable(label="Arm", reference=reference, measured=Measured.BASELINE)
    columns = {"time": TIME, "status": EVENT, "arm": GROUP}
    return make_cohort(columns, variables={"arm": variable})


def random_cohort(seed: int = 5, n: int = 80) -> Cohort:
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {
        "time": [int(t) for t in rng.integers(1, 60, n)],
        "status": [int(e) for e in rng.random(n) < 0.6],
        "group": [str(g) for g in rng.choice(["A", "B", "C", "D"], n)],
    }
    columns["group"][3] = None
    return make_cohort(
        columns,
        variables={"group": Variable(label="Group", reference="C", measured=Measured.BASELINE)},
        groupings={"merged": Grouping("A or B", "group", {"A or B": ("A", "B")}, "others")},
    )


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        ("efron", (0.2076, 0.0925, 0.4659, 1.572125, 0.412397)),
        ("breslow", (0.2211, 0.0991, 0.4934, 1.509191, 0.409564)),
    ],
)
def test_freireich_as_published(ties: str, expected: tuple[float, ...]) -> None:
    time, event = np.array(TIME, dtype=float), np.array(EVENT, dtype=bool)
    codes = np.array([GROUP.index(name) // 21 for name in GROUP])
    treated, placebo = hazard_ratios(
        time, event, codes, ("6-MP", "placebo"), reference="placebo", ties=ties
    )
    ratio = treated.hazard_ratio
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx(expected[:3], abs=5e-5)
    assert treated.coefficient == pytest.approx(-expected[3], abs=1e-6)
    assert treated.std_error == pytest.approx(expected[4], abs=1e-6)
    assert placebo.is_reference
    assert placebo.test is None
    assert (treated.n, treated.n_event, placebo.n, placebo.n_event) == (21, 9, 21, 21)


def test_public_cohort_against_r() -> None:
    rows = csv.DictReader((REFERENCE / "cox_public_results.csv").read_text("utf-8").splitlines())
    expected = {row["level"]: row for row in rows if row["reference"] == "DDLPS"}
    cells = list(csv.DictReader((REFERENCE / "tcga_sarc_2017.csv").read_text("utf-8").splitlines()))
    names = tuple(sorted({row["short histo"] for row in cells}))
    found = hazard_ratios(
        np.array([float(row["OS days"]) for row in cells]),
        np.array([row["OS status"] == "Dead" for row in cells]),
        np.array([names.index(row["short histo"]) for row in cells]),
        names,
        reference="DDLPS",
    )
    assert len(found) == 5
    for one in found:
        if one.group == "DDLPS":
            assert one.is_reference
            continue
        r = expected[one.group]
        ratio = one.hazard_ratio
        assert (ratio.value, ratio.low, ratio.high) == pytest.approx(
            (float(r["hr"]), float(r["low"]), float(r["high"])), rel=1e-8
        )
        assert one.test is not None
        assert one.test.p_value == pytest.approx(float(r["p"]), rel=1e-7)


@pytest.mark.parametrize("by", ["group", "merged"])
def test_a_comparison_has_the_hazard_ratios_of_the_prognosis_page(by: str) -> None:
    cohort = random_cohort()
    curves = kaplan_meier(cohort, KaplanMeierSpec("OS", by=by))
    prognosis = cox(cohort, CoxSpec("OS", (by,), model="univariable")).covariates[0]
    assert reference_of(curves.hazard_ratios) == prognosis.reference
    assert len(curves.hazard_ratios) == len(prognosis.levels) > 1
    for one, level in zip(curves.hazard_ratios, prognosis.levels, strict=True):
        term = level.univariable
        assert one.group == level.level
        assert (one.n, one.n_event) == (term.n, term.n_event)
        assert one.hazard_ratio.reason == term.hazard_ratio.reason
        if term.hazard_ratio.value is not None and one.test is not None and term.test is not None:
            mine, theirs = one.hazard_ratio, term.hazard_ratio
            assert (mine.value, mine.low, mine.high) == pytest.approx(
                (theirs.value, theirs.low, theirs.high), rel=1e-10
            )
            assert one.test.p_value == pytest.approx(term.test.p_value, rel=1e-9)


def test_the_study_file_names_the_reference() -> None:
    for reference, other in (("placebo", "6-MP"), ("6-MP", "placebo"), (None, "placebo")):
        result = kaplan_meier(freireich(reference), KaplanMeierSpec("OS", by="arm"))
        assert reference_of(result.hazard_ratios) == (reference or "6-MP")
        (row,) = [
            row for row in result_rows(result) if row.statistic == "hazard_ratio" and row.value
        ]
        assert row.group == other
        assert row.value == pytest.approx(0.2076 if other == "6-MP" else 1 / 0.2076, rel=5e-4)


def test_table_words_rows_and_r_speak_of_the_same_ratio() -> None:
    result = kaplan_meier(freireich("placebo"), KaplanMeierSpec("OS", by="arm"))
    table = survival_table(result)
    at = [column.key for column in table.columns].index("hazard_ratio")
    assert table.columns[at].label == "HR (95% CI)"
    cells = [row[at] for row in table.formatted()]
    assert cells == ["0.21 (0.09, 0.47)", "1 (reference)", ""]
    assert any("HR, hazard ratio against placebo: Cox model, Efron's" in n for n in table.footnotes)
    assert (
        "Hazard ratio against placebo (Cox model): 6-MP, 0.21 (95% CI 0.09 to 0.47)."
        in result_sentences(result)
    )
    assert "hazard ratios of a Cox proportional hazards model" in methods_sentence(result)
    rows = {(row.statistic, row.group): row for row in result_rows(result)}
    assert rows["hazard_ratio", "placebo"].reason == "reference"
    assert rows["hazard_ratio_p", "6-MP"].value == pytest.approx(0.000138, abs=1e-6)
    assert "coxph(y ~ group" in r_code(result)


def test_fewer_groups_than_the_study_has_are_compared_with_the_first_of_them() -> None:
    cohort = random_cohort()
    result = kaplan_meier(cohort, KaplanMeierSpec("OS", by="group", levels=("B", "D")))
    assert reference_of(result.hazard_ratios) == "B"
    assert [one.group for one in result.hazard_ratios] == ["B", "D"]
    alone = kaplan_meier(cohort, KaplanMeierSpec("OS", by="group", levels=("B",)))
    assert alone.hazard_ratios == ()
    assert "hazard_ratio" not in [column.key for column in survival_table(alone).columns]
    assert kaplan_meier(cohort, KaplanMeierSpec("OS")).hazard_ratios == ()


def test_a_group_without_events_is_not_estimable_and_says_why() -> None:
    time = np.array([1.0, 7, 3, 9, 4, 8])
    event = np.array([True, True, False, False, True, False])
    codes = np.array([0, 0, 1, 1, 2, 2])
    found = hazard_ratios(time, event, codes, ("A", "B", "C", "nobody"))
    assert [one.hazard_ratio.reason for one in found] == [
        NotEstimable.REFERENCE, NotEstimable.SEPARATION, None, NotEstimable.NO_SUBJECTS,
    ]  # fmt: skip
    notes = footnotes_of(found, 4)
    assert "HR not estimable for B: no events in a level, or events in one level only." in notes
    assert "HR not estimable for nobody: no patients." in notes
    text = sentence_of(found)
    assert text is not None
    assert "B, not estimable (no events in a level" in text
    assert "nobody" not in text


def test_no_events_no_patients_and_too_many_groups() -> None:
    time, nobody = np.array([1.0, 2.0]), np.zeros(2, dtype=bool)
    found = hazard_ratios(time, nobody, np.array([0, 1]), ("A", "B"))
    assert found[1].hazard_ratio.reason is NotEstimable.NO_EVENTS
    empty = hazard_ratios(np.zeros(0), nobody[:0], np.zeros(0, dtype=np.int64), ("A", "B"))
    assert reference_of(empty) is None
    assert footnotes_of(empty, 2) == ()
    assert sentence_of(empty) is None
    n = MAX_COMPARED + 1
    many = tuple(f"group {number}" for number in range(n))
    codes = np.arange(n)
    assert hazard_ratios(np.arange(1.0, n + 1), codes > 3, codes, many) == ()
    assert footnotes_of((), n) == (f"Hazard ratios are given for up to {MAX_COMPARED} groups.",)


def test_strata_and_the_order_of_rows() -> None:
    rng = np.random.default_rng(2)
    time, event = rng.integers(1, 30, 60).astype(float), rng.random(60) < 0.7
    codes, strata = rng.integers(0, 2, 60), rng.integers(0, 3, 60)
    order = rng.permutation(60)
    one = hazard_ratios(time, event, codes, ("A", "B"), strata=strata)[1].hazard_ratio
    other = hazard_ratios(time[order], event[order], codes[order], ("A", "B"),
                          strata=strata[order])[1].hazard_ratio  # fmt: skip
    plain = hazard_ratios(time, event, codes, ("A", "B"))[1].hazard_ratio
    assert one.value == pytest.approx(other.value, rel=1e-12)
    assert one.value != plain.value
