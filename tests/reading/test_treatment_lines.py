"""Lines of treatment: never patients, never treatment in silence, counted for each patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.derivations import count_of_rows
from sts_core.derive import derivation_sentence, levels_of, numbers_of, origin_of
from sts_core.exposures import exposure_findings, exposures_of
from sts_core.findings import FindingCode, StudyError
from sts_core.populations import SAFETY, usual_populations
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.reading.revise import add_files, give_role
from sts_core.study import CountOfRows, Measured, Status, Study, dump_study, load_study
from tests.assessment_cohorts import cohort_with
from tests.doubles import book_of

LINES = """id,line,regimen,from,to
P1,1,AI,2020-01-01,2020-03-01
P1,2,Anlotinib,2021-01-01,2021-02-01
P1,2,Pembrolizumab,2021-01-01,2021-02-01
P1,3,Pazopanib,2021-06-01,2021-07-01
P2,1,AI,2021-02-01,2021-03-01
P3,1,AI,2020-01-01,2020-02-01
P3,2,Gem,2019-01-01,2019-02-01
"""
EXPOSURES = "start: from, stop: to, drug: regimen, line: line"


def of_index(index: str) -> tuple[list[tuple[str, str]], list[FindingCode]]:
    cohort = cohort_with(f"{{exposures: {{{EXPOSURES}{index}}}}}", exposures=LINES)
    found = exposures_of(cohort)
    assert found.n + found.n_other_rows == 7
    rows = list(zip(found.subject.tolist(), found.drug.tolist(), strict=True))
    return rows, [item.code for item in exposure_findings(cohort)]


def test_only_rows_of_the_line_that_is_studied_count() -> None:
    wrong = FindingCode.DATES_OUT_OF_ORDER  # of P3
    assert of_index("") == ([], [FindingCode.LINE_NOT_CHOSEN, wrong])
    assert of_index(", index: first") == ([("S001", "AI"), ("S002", "AI"), ("S003", "AI")], [wrong])
    assert of_index(", index: last") == (
        [("S001", "Pazopanib"), ("S002", "AI"), ("S003", "Gem")], [wrong],
    )  # fmt: skip
    assert of_index(", index: at_start, index_start: start_date") == (
        [("S001", "Anlotinib"), ("S001", "Pembrolizumab"), ("S002", "AI")],
        [FindingCode.LINE_NOT_CHOSEN, wrong],
    )
    assert len(of_index(", index: every")[0]) == 7


@pytest.mark.parametrize("wrong", ["index: first", "line: line, index: at_start"])
def test_half_an_answer_is_refused(wrong: str) -> None:
    with pytest.raises(StudyError):
        load_study(f"definitions: {{exposures: {{start: a, {wrong}}}}}")


OF = "kind: numeric, derived: {kind: count_of_rows, table: exposures"
COUNTS = (
    f"lines: {{label: Lines, {OF}, of: line}}}}",
    f"rows: {{label: Rows, {OF}}}}}",
    f"prior: {{label: Prior, {OF}, of: line, date: from, before: start_date}}}}",
    "pretreated: {label: Pretreated, derived: {kind: is_in_range, of: prior, at_least: 1}}",
)


def test_lines_are_counted_and_nobody_without_a_row_has_none() -> None:
    text = LINES + "P2,,AI,2020-02-01,\nP2,2,AI,,\n"
    cohort = cohort_with(f"{{variables: {{{', '.join(COUNTS)}}}}}", exposures=text)
    nan = np.nan
    np.testing.assert_array_equal(numbers_of(cohort, "lines").values, [3, nan, 2, nan])
    np.testing.assert_array_equal(numbers_of(cohort, "rows").values, [4, 3, 2, nan])
    # P2: a row without a line came before, and one without a date may have; P3 has no start
    np.testing.assert_array_equal(numbers_of(cohort, "prior").values, [1, nan, nan, nan])
    assert levels_of(cohort, "pretreated").values.tolist() == ["Yes", None, None, None]
    assert (
        "how many different “line” the table “exposures” has of a patient dated (“from”) before"
        in (derivation_sentence(cohort, "prior"))
    )
    assert origin_of(cohort, "prior") == "prior"
    without = cohort_with(f"{{variables: {{{COUNTS[0]}}}}}")
    with pytest.raises(StudyError) as error:
        numbers_of(without, "lines")
    assert error.value.findings[0].code is FindingCode.TABLE_MISSING


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.sampled_from(["a", "b", None]),
            st.sampled_from(["counts", "open", "not"]),
        ),
        max_size=7,
    )
)  # fmt: skip
def test_a_count_lies_between_all_completions(rows: list[tuple[int, str | None, str]]) -> None:
    owner = np.array([who for who, _, _ in rows], dtype=np.int64)
    values = np.array([value for _, value, _ in rows], dtype=object)
    counts = np.array([what == "counts" for *_, what in rows], dtype=bool)
    open_ = np.array([what == "open" for *_, what in rows], dtype=bool)
    found = count_of_rows(owner, 3, values, counts, open_)
    for who in range(3):
        own = [(value, what) for other, value, what in rows if other == who]
        if not own:
            assert np.isnan(found.low[who])
            continue
        sizes: list[set[str]] = [set()]
        for at, (value, what) in enumerate(own):
            options = [value] if value is not None else ["a", "b", f"new {at}"]
            grown = [{*done, option} for done in sizes for option in options]
            sizes = {"counts": grown, "open": [*sizes, *grown], "not": sizes}[what]
        possible = {len(done) for done in sizes}
        assert found.low[who] <= min(possible)
        assert found.high[who] == max(possible)


N = range(1, 9)
PATIENTS = book_of(
    {"id": [f"P{n}" for n in N], "sex": ["F", "M"] * 4,
     "Start of treatment": [f"2020-03-0{n}" for n in N],
     "Death date": [f"2022-03-0{n}" for n in N]},
    file="patients.csv",
)  # fmt: skip
#: Patient n has 1 + n % 3 lines; the last one starts on the day of the study's treatment.
OWN = [(n, k, 1 + n % 3) for n in N for k in range(1, 2 + n % 3)]
SHEET = {
    "id": [f"P{n}" for n, _, _ in OWN],
    "治疗线数": [k for _, k, _ in OWN],
    "治疗方案": ["AI" if k == 1 else "安罗替尼" for _, k, _ in OWN],
    "开始日期": [f"{2020 - last + k}-03-0{n}" for n, k, last in OWN],
    "最佳疗效": ["PD" for _ in OWN],
}


def accepted(study: Study) -> Study:
    found = study.definitions.exposures
    assert found is not None
    answered = replace(
        found, index="at_start", index_start="Start of treatment", status=Status.CONFIRMED
    )
    return replace(study, definitions=replace(study.definitions, exposures=answered))


def test_a_sheet_of_lines_is_treatment_with_a_question_and_two_counts() -> None:
    books = [PATIENTS, book_of(SHEET, file="lines.csv")]
    proposal = propose_study(books)
    study = proposal.study
    assert set(study.data.tables) == {"subjects", "exposures"}
    found = study.definitions.exposures
    assert found is not None
    assert (found.line, found.drug, found.start) == ("治疗线数", "治疗方案", "开始日期")
    assert found.index is None
    (asked,) = [item for item in proposal.questions if item.kind is QuestionKind.ROWS]
    assert "Which line is the treatment that is studied?" in asked.text
    assert "In 8 of 8 patients a line starts on the day in “Start of treatment”." in asked.reason
    variables = study.definitions.variables
    assert variables["number_of_lines"].measured is Measured.POST_BASELINE
    assert variables["prior_lines"].measured is Measured.BASELINE
    assert variables["prior_lines"].derived == CountOfRows(
        "exposures", "治疗线数", date="开始日期", before="Start of treatment"
    )
    cohort = assemble(study, books)
    assert FindingCode.LINE_NOT_CHOSEN in {item.code for item in exposure_findings(cohort)}
    assert exposures_of(cohort).n == 0
    np.testing.assert_array_equal(numbers_of(cohort, "prior_lines").values, [n % 3 for n in N])
    kept = accepted(study)
    assert load_study(dump_study(kept)) == kept
    assert exposures_of(assemble(kept, books)).line.tolist() == [str(1 + n % 3) for n in N]
    assert usual_populations(kept)[SAFETY].own == ()


def test_counts_come_and_go_with_their_table() -> None:
    books = [PATIENTS]
    study, _, books = add_files(
        propose_study(books).study, books, [book_of(SHEET, file="lines.csv")]
    )
    assert {"number_of_lines", "prior_lines"} <= set(study.definitions.variables)
    without, _ = give_role(study, books, ("lines.csv", None), None)
    assert not {"number_of_lines", "prior_lines"} & set(without.definitions.variables)


def test_a_line_that_never_changes_at_visits_makes_them_no_treatment() -> None:
    visits = {
        "id": [f"P{n}" for n in N for _ in "ab"], "line": [1 + n % 2 for n in N for _ in "ab"],
        "regimen": ["AI"] * 16, "visit date": [f"2020-0{k}-0{n}" for n in N for k in (4, 6)],
        "SLD": list(range(16)),
    }  # fmt: skip
    study = propose_study([PATIENTS, book_of(visits, file="v.csv")]).study
    assert set(study.data.tables) == {"subjects", "assessments"}
