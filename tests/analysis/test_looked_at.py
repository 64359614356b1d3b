from __future__ import annotations

import io
from dataclasses import replace

from pptx import Presentation

from sts_core.analysis.looked_at import (
    Comparison,
    comparisons_of,
    comparisons_table,
    looked_at_before,
    n_on_other_data,
    remembering_comparisons,
    together,
)
from sts_core.analysis.plan import Done
from sts_core.analysis.registry import ANALYSES
from sts_core.cohort import Cohort
from sts_core.display import Format
from sts_core.estimators.multiplicity import holm
from sts_core.export.deck import write_deck
from sts_core.export.report import build_report
from sts_core.export.results import results_document
from sts_core.study import OneOf, dump_study, load_study
from tests.analysis.test_exploratory import filtered, results, under, unfiltered, words_of


def family(data: Cohort, done: tuple[Done, ...]) -> dict[str, Comparison]:
    return {
        one.key: one
        for item in done
        for one in comparisons_of(
            data, item.analysis.kind, item.spec, item.analysis.rows(item.result)
        )
    }


def labels(data: Cohort, done: tuple[Done, ...]) -> list[str]:
    return [one.label for one in family(data, done).values()]


def test_a_question_counts_once_however_many_tests_answer_it() -> None:
    found = labels(unfiltered(), results("none"))
    # by the log-rank test of the curves, and by the five tests of the comparison
    assert found.count("Overall survival by group") == 1
    # in the baseline table, and crossed
    assert found.count("Sex by group") == 1
    assert "Age by group" in found
    assert found.count("Overall survival by group: A against B") == 1
    # their hazard ratio answers the same question
    assert "Overall survival by group: B against A" not in found
    assert "Overall survival by group: B against A, rate at 12 months" in found
    assert "Overall survival and sex (univariable Cox regression)" in found
    assert "Overall survival and group: B (multivariable Cox regression)" in found
    assert not [label for label in found if "model" in label or "proportional" in label]
    assert len(found) == len(set(found))


def test_other_patients_are_another_comparison() -> None:
    whole = family(unfiltered(), results("none"))
    subset = family(filtered(), results("quiet"))
    assert not whole.keys() & subset.keys()
    assert {one.exploratory for one in subset.values()} == {True}
    assert {(one.n, one.n_in_file) for one in subset.values()} == {(40, 60)}
    again = family(unfiltered(), results("none"))
    assert whole.keys() == again.keys()


def test_the_list_adjusts_over_the_whole_family_on_request() -> None:
    found = tuple(family(unfiltered(), results("none")).values())
    plain = comparisons_table(found, adjusted=False)
    assert [column.key for column in plain.columns] == ["label", "patients", "p_value"]
    table = comparisons_table(found, adjusted=True)
    assert [row["p_value"] for row in table.rows] == [one.p_value for one in found]
    assert [row["holm"] for row in table.rows] == list(holm([one.p_value for one in found]))
    assert table.columns[-1].format is Format.P_VALUE
    n = len(found)
    assert f"{n} comparisons with a P value" in table.footnotes[0]
    assert f"{n * 0.05:.1f} of {n} are expected below 0.05" in table.footnotes[0]


def test_the_study_file_continues_the_count_and_names_no_group() -> None:
    data = unfiltered()
    seen = tuple(family(data, results("none")).values())
    text = dump_study(remembering_comparisons(data.study, data, seen))
    assert "against" not in text
    # what a group is called is no part of a question
    assert not {one.question for one in seen} & {
        one.label for one in seen if one.label[-1] in "ABC"
    }
    study = load_study(text)
    again = data.with_views(study)
    assert again.fingerprint == data.fingerprint, "no number depends on it"
    before = looked_at_before(again)
    assert [(one.key, one.p_value, one.n) for one in before] == [
        (one.key, one.p_value, one.n) for one in seen
    ]
    assert {one.before for one in before} == {True}
    # a comparison that is looked at again counts once, under its full name
    both = together(before, seen[:3])
    assert len(both) == len(seen)
    assert [one.label for one in both[:3]] == [one.label for one in seen[:3]]
    table = comparisons_table(both, adjusted=False)
    n = len(seen)
    assert f"{n} comparisons with a P value looked at, {n} of them before" in table.footnotes[0]
    # kept again, nothing is added
    assert remembering_comparisons(study, again, both).analysis.looked_at == (
        study.analysis.looked_at
    )


def test_comparisons_of_another_data_cut_are_kept_and_counted_apart() -> None:
    data = unfiltered()
    seen = tuple(family(data, results("none")).values())
    study = remembering_comparisons(data.study, data, seen)
    cut = replace(data, study=study, data_hash="another cut")
    assert looked_at_before(cut) == ()
    assert n_on_other_data(cut) == len(seen)
    new = replace(seen[0], key="new", data="another cut"[:16])
    kept = remembering_comparisons(study, cut, (new,)).analysis.looked_at
    assert [one.key for one in kept] == [*(one.key for one in seen), "new"]
    table = comparisons_table((new,), adjusted=True, n_on_other_data=len(seen))
    assert f"{len(seen)} comparisons more on other data cuts" in table.footnotes[1]


def test_a_comparison_is_of_the_population_that_was_chosen() -> None:
    late = OneOf("best_response", ("PD",), excludes=True, after_time_zero=True)
    data = under((), criteria=(late,))
    analysis = ANALYSES["cross_table"]
    spec = analysis.spec_type(rows="sex", columns="group", tests=True, population="treated")
    rows = analysis.rows(analysis.compute(data, spec))
    (one,) = comparisons_of(data, "cross_table", spec, rows)
    assert (one.n, data.n < 60) == (60, True)


def test_a_report_and_its_numbers_say_how_many_were_looked_at() -> None:
    data, done = unfiltered(), results("none")
    n = len(family(data, done))
    (one, *_) = family(data, done).values()
    more = (replace(one, key="a", p_value=0.01), replace(one, key="b", exploratory=True, p_value=1))
    report = build_report(data, done, more)
    sentence = (
        f"Of {n + 2} comparisons that were looked at with a P value, {n} are reported, not "
        "adjusted for their number."
    )
    assert report.methods[-1] == report.record[-1] == sentence
    deck = Presentation(io.BytesIO(write_deck(report)))
    assert sentence in words_of(deck.slides[0].shapes)
    counts = results_document(data, done, more)["provenance"]["comparisons"]
    low = sum(one.p_value < 0.05 for one in family(data, done).values())
    assert counts == {
        "looked_at": n + 2, "looked_at_below_0_05": low + 1, "looked_at_exploratory": 1,
        "looked_at_on_other_data": 0, "reported": n,
    }  # fmt: skip
    # also without a session, from the study file
    study = remembering_comparisons(data.study, data, more)
    again = results_document(data.with_views(study), done)["provenance"]
    assert again["comparisons"]["looked_at"] == n + 2
    assert again["study_sha256"] == results_document(data, done)["provenance"]["study_sha256"]


def test_a_report_says_how_many_comparisons_it_holds() -> None:
    report = build_report(unfiltered(), results("none"))
    n = len(family(unfiltered(), results("none")))
    assert report.methods[-1] == (
        f"{n} comparisons with a P value are reported, not adjusted for their number."
    )
    assert build_report(unfiltered(), ()).methods == ()
