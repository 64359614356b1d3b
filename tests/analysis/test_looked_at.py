from __future__ import annotations

from sts_core.analysis.looked_at import Comparison, comparisons_of, comparisons_table
from sts_core.analysis.plan import Done
from sts_core.cohort import Cohort
from sts_core.display import Format
from sts_core.estimators.multiplicity import holm
from sts_core.export.report import build_report
from tests.analysis.test_exploratory import filtered, results, unfiltered


def family(data: Cohort, done: tuple[Done, ...]) -> dict[tuple[str, ...], Comparison]:
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


def test_a_report_says_how_many_comparisons_it_holds() -> None:
    report = build_report(unfiltered(), results("none"))
    n = len(family(unfiltered(), results("none")))
    assert report.methods[-1] == (
        f"{n} comparisons with a P value are reported, not adjusted for their number."
    )
    assert build_report(unfiltered(), ()).methods == ()
