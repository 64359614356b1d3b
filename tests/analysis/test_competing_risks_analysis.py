"""Competing risks on a cohort: the kernels' numbers, counts that add up, words at their edges."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from sts_core.analysis.competing_risks import (
    CompetingRisksSpec,
    competing_risks,
    incidence_table,
    kinds_table,
    methods_sentence,
    more_tables,
    r_code,
    ratio_table,
    result_rows,
    result_sentences,
)
from sts_core.analysis.followed import kinds_of
from sts_core.analysis.looked_at import comparisons_of
from sts_core.analysis.patient_list import members_of
from sts_core.estimates import NotEstimable
from sts_core.estimators.cumulative_incidence import cumulative_incidence, incidence_at
from sts_core.estimators.fine_gray import fine_gray
from sts_core.estimators.gray_test import gray_test
from sts_core.figures.cumulative_incidence import cumulative_incidence_curve
from sts_core.figures.marks import Chart, SmallMultiples, StepLine
from sts_core.render.plotly import to_plotly
from sts_core.study import Measured, Variable
from tests.cohorts import endpoint, make_cohort

KINDS = {"progression": (1,), "death": (2,), "second cancer": (3,)}
VARIABLES = {
    "group": Variable(label="Group", levels=("A", "B", "C"), measured=Measured.BASELINE),
    "age": Variable(label="Age", kind="numeric", unit="years", measured=Measured.BASELINE),
}


def columns(n=120, seed=8, largest=2):
    rng = np.random.default_rng(seed)
    age = rng.integers(30, 80, n)
    return {
        "time": [int(t) for t in np.ceil(rng.exponential(400, n))],
        "status": [int(s) for s in rng.integers(0, largest + 1, n)],
        "group": [str(g) for g in rng.choice(["A", "B"], n)],
        "age": [None if i % 17 == 0 else int(a) for i, a in enumerate(age)],
    }


def cohort_of(data, **changes):
    kinds = changes.pop("events", {"progression": (1,), "death": (2,)})
    return make_cohort(
        data,
        endpoints={"OS": endpoint(label="Event-free survival", events=kinds, **changes)},
        variables=VARIABLES,
    )


def test_numbers_are_those_of_the_kernels():
    data = columns()
    cohort = cohort_of(data)
    spec = CompetingRisksSpec("OS", by="group", covariates=("age",), landmarks=(6, 12))
    result = competing_risks(cohort, spec)
    time, cause = np.array(data["time"], float), np.array(data["status"])
    group = np.array(data["group"])
    for name, found in zip("AB", result.groups[:2], strict=True):
        curve = cumulative_incidence(time[group == name], cause[group == name], 2)
        read = incidence_at(curve, 1, [6 * 30.4375, 12 * 30.4375])
        assert [rate.estimate.value for rate in found.interest.rates] == read.estimate.tolist()
        assert [rate.estimate.low for rate in found.interest.rates] == read.conf_low.tolist()
    codes = (group == "B").astype(int)
    for (kind, test), of in zip(result.tests, (1, 2), strict=True):
        expected = gray_test(time, cause, codes, 3, of=of)
        assert (kind, test.statistic, test.df) == (
            ("progression", "death")[of - 1], expected.statistic, 1,
        )  # fmt: skip
    known = np.array([a is not None for a in data["age"]])
    x = np.column_stack([codes[known], np.array([a for a in data["age"] if a is not None], float)])
    fit = fine_gray(time[known], cause[known], x)
    by_group, age = result.model.variables
    assert by_group.terms[1].coefficient == pytest.approx(fit.coefficients[0], abs=1e-12)
    assert age.terms[0].std_error == pytest.approx(fit.std_errors[1], abs=1e-12)
    assert (result.model.n, result.model.n_excluded) == (int(known.sum()), int((~known).sum()))
    assert "not included, a value is not known: Age (8)" in " ".join(ratio_table(result).footnotes)


def test_another_kind_of_interest_changes_places_only():
    cohort = cohort_of(columns(largest=3), events=KINDS)
    first = competing_risks(cohort, CompetingRisksSpec("OS", by="group"))
    other = competing_risks(cohort, CompetingRisksSpec("OS", "death", by="group"))
    assert kinds_of(cohort.study.definitions.endpoints["OS"]) == tuple(KINDS)
    assert (first.event_kind, other.event_kind) == ("progression", "death")
    assert dict(first.tests) == dict(other.tests)
    assert other.competing_kinds == ("progression", "second cancer")
    for mine, theirs in zip(first.groups, other.groups, strict=True):
        rates = {one.kind: [rate.estimate for rate in one.rates] for one in mine.kinds}
        assert rates == {one.kind: [r.estimate for r in one.rates] for one in theirs.kinds}
        total = sum(one.estimate for one in mine.kinds) + mine.event_free
        np.testing.assert_allclose(total, 1, atol=1e-12)


def test_counts_under_the_figure_add_up_and_patients_can_be_listed():
    data = columns()
    cohort = cohort_of(data)
    result = competing_risks(cohort, CompetingRisksSpec("OS", by="group"))
    for group in (*result.groups, result.overall):
        risk = group.risk
        for parts in zip(risk.at_risk, risk.events, risk.competing, risk.censored, strict=True):
            assert sum(parts) == group.n
    table = incidence_table(result)
    for (place, key), who in table.members.items():
        assert int(members_of(cohort, who).sum()) == table.rows[place][key]
    figure = cumulative_incidence_curve(result)
    assert isinstance(figure.body, Chart)
    assert [strip.label for strip in figure.body.strip.groups] == ["A", "B", "C"]
    rows = figure.body.strip.groups[0].rows
    assert [row.name for row in rows] == ["At risk", "Progression", "Death", "Censored"]
    lines = [mark for mark in figure.body.panel.marks if isinstance(mark, StepLine)]
    assert [line.name for line in lines] == ["A", "B"]  # nobody is in C
    for line, group in zip(lines, result.groups, strict=False):
        assert line.y[0] == 0
        np.testing.assert_array_equal(line.y[1:], group.interest.estimate)
    # the highest band decides where the axis ends
    highest = max(np.nanmax(group.interest.conf_high) for group in result.groups[:2])
    assert highest > 0.4
    assert figure.body.panel.y.high == 1
    rare = {**data, "status": [s if i < 30 else 0 for i, s in enumerate(data["status"])]}
    low = competing_risks(cohort_of(rare), CompetingRisksSpec("OS", by="group"))
    axis = cumulative_incidence_curve(low)
    assert axis.body.panel.y.high == 0.4
    assert "The upright axis ends at 40%." in axis.footnotes
    assert re.search(r"Gray's test, progression: P = 0\.\d+", figure.body.key.notes[0])


def test_kinds_together_and_on_top_of_each_other():
    cohort = cohort_of(columns(largest=3), events=KINDS)
    alone = cumulative_incidence_curve(competing_risks(cohort, CompetingRisksSpec("OS")))
    assert [entry.label for entry in alone.body.key.entries] == [
        "Progression", "Death", "Second cancer",
    ]  # fmt: skip
    assert len(alone.body.strip.groups) == 1
    assert [row.name for row in alone.body.strip.groups[0].rows][2] == "Competing events"
    stacked = competing_risks(cohort, CompetingRisksSpec("OS", stacked=True))
    figure = cumulative_incidence_curve(stacked)
    bands = figure.body.panel.marks[:3]
    np.testing.assert_allclose(bands[1].low, bands[0].high)
    np.testing.assert_allclose(bands[2].high[1:], 1 - stacked.overall.event_free, atol=1e-12)
    by = competing_risks(cohort, CompetingRisksSpec("OS", by="group", stacked=True))
    panels = cumulative_incidence_curve(by)
    assert isinstance(panels.body, SmallMultiples)
    written = to_plotly(panels, dark=False, width=900)["layout"]["annotations"]
    # the kinds stand beside each other above the panels
    places = [note["x"] for note in written if note["text"] in ("Death", "Second cancer")]
    shifts = [note.get("xshift") for note in written if note["text"] in ("Death", "Second cancer")]
    assert len(places) == 2
    assert len(set(zip(places, shifts, strict=True))) == 2


def test_one_kind_estimates_nothing_and_says_why():
    cohort = cohort_of(columns(largest=1), events={"progression": (1,)})
    result = competing_risks(cohort, CompetingRisksSpec("OS", by="group"))
    assert result.reason is NotEstimable.ONE_KIND
    assert {row[-2] for row in incidence_table(result).formatted()} == {"NE"}
    assert result.gray.reason is NotEstimable.ONE_KIND
    assert result.model.reason is NotEstimable.ONE_KIND
    assert cumulative_incidence_curve(result) is None
    assert more_tables(result) == ()
    assert "needs at least two" in result_sentences(result)[0]
    assert "no event competes" in methods_sentence(result)
    assert "nothing competes" in r_code(result)
    estimates = [row for row in result_rows(result) if row.statistic == "cumulative_incidence"]
    assert {row.reason for row in estimates} == {"one_kind"}


def test_delayed_entry_has_estimates_and_a_regression_but_no_test():
    data = columns()
    data["late"] = [t // 2 for t in data["time"]]
    result = competing_risks(cohort_of(data, entry="late"), CompetingRisksSpec("OS", by="group"))
    assert result.overall.interest.rates[0].estimate.value is not None
    assert result.gray.reason is NotEstimable.DELAYED_ENTRY
    assert result.model.reason is None
    ratios = [term for variable in result.model.variables for term in variable.terms]
    assert any(term.ratio.value is not None for term in ratios)
    assert "delayed entry" in " ".join(result.footnotes)
    assert "as known" in " ".join(ratio_table(result).footnotes)
    assert "weighted for delayed entry" in methods_sentence(result)
    assert "Gray's test" not in methods_sentence(result)
    assert "finegray" in r_code(result)
    assert "cuminc" not in r_code(result)
    first = {**data, "time": [3, *data["time"][1:]], "status": [1, *data["status"][1:]]}
    first["late"] = [0, *(t // 2 + 3 for t in first["time"][1:])]
    emptied = competing_risks(cohort_of(first, entry="late"), CompetingRisksSpec("OS"))
    assert emptied.overall.event_free[0] == 0
    assert any(
        note.startswith("All patients: all at risk at 0.1 months (n = 1) had the event")
        for note in emptied.footnotes
    )


def test_a_kind_that_nobody_had_and_all_censored():
    data = columns()
    none = {**data, "status": [2 if s == 1 else s for s in data["status"]]}
    result = competing_risks(cohort_of(none), CompetingRisksSpec("OS", by="group"))
    assert result.gray.reason is NotEstimable.NO_EVENTS
    assert result.overall.interest.rates[0].estimate.value == 0
    assert "incidence of progression was 0.0% at 6 months" in " ".join(result_sentences(result))
    nobody = {**data, "status": [0] * len(data["status"])}
    result = competing_risks(cohort_of(nobody), CompetingRisksSpec("OS", by="group"))
    assert result.gray.reason is NotEstimable.NO_EVENTS
    terms = [term for variable in result.model.variables for term in variable.terms]
    assert {term.ratio.reason for term in terms[1:]} == {NotEstimable.NO_EVENTS}


def test_words_and_tables():
    result = competing_risks(
        cohort_of(columns()), CompetingRisksSpec("OS", by="group", covariates=("age",))
    )
    text = " ".join(result_sentences(result))
    assert re.search(
        r"In A \(\d+ of \d+ patients with progression and \d+ with a competing event first\), the "
        r"cumulative incidence of progression was [\d.]+% at 6 months \(95% CI [\d.]+ to [\d.]+\)",
        text,
    )
    assert re.search(r"Gray's test of death between A and B: χ² = [\d.]+, df = 1, P ", text)
    assert re.search(r"Subdistribution hazard ratio of progression, B against A: [\d.]+ \(", text)
    assert "with death as competing event, was estimated" in methods_sentence(result)
    assert "with group and age as covariates" in methods_sentence(result)
    assert [table.title.partition(": ")[2] for table in more_tables(result)] == [
        "every kind of event", "Fine-Gray regression",
    ]  # fmt: skip
    kinds = [str(row["kind"]) for row in kinds_table(result).rows]
    assert kinds[1:3] == ["Progression", "Death"]
    code = r_code(result)
    assert 'kinds <- c("progression", "death")' in code
    assert "crr(m$time, m$status, x, failcode = 1" in code


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conf_level": 95}, "conf_level must lie in"),
        ({"horizon": 0}, "horizon must be above 0"),
        ({"landmarks": (-1.0,)}, "landmarks must be finite"),
        ({"covariates": ("age", "age")}, "covariates must differ"),
    ],
)
def test_wrong_choices_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CompetingRisksSpec("OS"), **change)


def test_each_question_counts_once_among_the_comparisons_looked_at():
    data = columns()
    data["group"] = ["C" if i % 3 == 0 else g for i, g in enumerate(data["group"])]
    cohort = cohort_of(data)
    spec = CompetingRisksSpec("OS", by="group", covariates=("age",))
    found = comparisons_of(cohort, spec.kind, spec, result_rows(competing_risks(cohort, spec)))
    assert [one.label for one in found] == [
        "Event-free survival: cumulative incidence of progression by group",
        "Event-free survival: cumulative incidence of death by group",
        "Event-free survival and group: B (Fine-Gray regression)",
        "Event-free survival and group: C (Fine-Gray regression)",
        "Event-free survival and age (Fine-Gray regression)",
    ]
