"""Cross-tables: by hand, by a plain recount, and at the edges."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.analysis.cross_table import (
    CrossTableSpec,
    cross_table,
    cross_table_display,
    methods_sentence,
    r_code,
    result_rows,
    result_sentences,
)
from sts_core.estimates import NotEstimable
from sts_core.findings import StudyError
from sts_core.study import Variable
from tests.cohorts import make_cohort

DRUGS = {
    "tki": ["Anlotinib"] * 5 + ["Apatinib"] * 3 + [None],
    "ici": ["Tislelizumab"] * 4 + ["Sintilimab"] * 2 + [None, "Sintilimab", "Sintilimab"],
}
VARIABLES = {"tki": Variable("Antiangiogenic drug"), "ici": Variable("Immunotherapy drug")}


def crossed(columns=None, **changes):
    cohort = make_cohort(columns or DRUGS, endpoints={}, variables=VARIABLES)
    return cross_table(cohort, CrossTableSpec(**{"rows": "tki", "columns": "ici", **changes}))


def test_the_drugs_of_nine_patients_by_hand():
    found = crossed()
    table = cross_table_display(found)
    assert [column.label for column in table.columns] == [
        "Antiangiogenic drug", "Sintilimab", "Tislelizumab", "Not known", "Together",
    ]  # fmt: skip
    assert table.formatted() == [
        ["Anlotinib", "1 (11.1)", "4 (44.4)", "0", "5 (55.6)"],
        ["Apatinib", "2 (22.2)", "0", "1 (11.1)", "3 (33.3)"],
        ["Not known", "1 (11.1)", "0", "0", "1 (11.1)"],
        ["Together", "4 (44.4)", "4 (44.4)", "1 (11.1)", "9 (100.0)"],
    ]
    assert table.title == "Antiangiogenic drug by immunotherapy drug"
    assert table.footnotes[0] == "Patients, n (%); percentages are of all patients shown."


def test_percentages_may_be_of_rows_or_of_columns():
    rows = cross_table_display(crossed(share="row")).formatted()
    assert rows[0] == ["Anlotinib", "1 (20.0)", "4 (80.0)", "0", "5 (100.0)"]
    columns = cross_table_display(crossed(share="column")).formatted()
    assert columns[0] == ["Anlotinib", "1 (25.0)", "4 (100.0)", "0", "5 (55.6)"]
    assert columns[-1] == ["Together", "4 (100.0)", "4 (100.0)", "1 (100.0)", "9 (100.0)"]


def test_the_association_is_that_of_known_pairs_and_named():
    found = crossed(tests=True)
    # margins 5, 2 and 3, 4: of 35 ways, those with 2, 1 and 0 of the two in the first column
    assert found.test.p_value == pytest.approx(1 / 7)
    note = " ".join(found.footnotes)
    assert "P = 0.143 (Fisher's exact test, two-sided)" in note
    assert methods_sentence(found).endswith("was tested by Fisher's exact test.")
    assert "fisher.test" in r_code(found)
    one = crossed({"tki": ["a", "a"], "ici": ["x", "y"]}, tests=True)
    assert one.test.reason is NotEstimable.NO_VARIATION
    assert "No test: both variables need two levels with patients (NE)." in one.footnotes


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y", "z", None])),
        min_size=1,
        max_size=30,
    )
)
def test_counts_are_those_of_a_plain_recount_and_add_up(pairs):
    found = crossed({"tki": [one for one, _ in pairs], "ici": [other for _, other in pairs]})
    seen = Counter(pairs)
    total = 0
    for row in result_rows(found):
        assert row.value == seen[row.level, row.group]
        total += int(row.value)
    assert total == len(pairs) == found.n
    assert result_sentences(found)
    shown = cross_table_display(found)
    assert shown.rows[-1]["total"].count == len(pairs)


def test_a_variable_is_not_crossed_with_itself_nor_with_one_that_is_not_there():
    with pytest.raises(ValueError, match="two different"):
        CrossTableSpec("tki", "tki")
    with pytest.raises(ValueError, match="percent_decimals"):
        CrossTableSpec("tki", "ici", percent_decimals=-1)
    with pytest.raises(StudyError):
        crossed(rows="nothing")


def test_nobody_known_is_said():
    found = crossed({"tki": [None, "a"], "ici": ["x", None]})
    assert result_sentences(found) == ("There is no patient of whom both variables are known.",)
