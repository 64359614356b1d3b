"""Assessments are read as they stand: dates, sizes, responses, and what can't be read is said."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.assessments import (
    assessment_findings,
    assessments_of,
    last_evaluable,
    n_evaluable,
    standard_level,
)
from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.study import dump_study, load_study
from sts_core.study.types import RESPONSE_LEVELS
from sts_core.table_rows import Trouble
from tests.assessment_cohorts import cohort_with

VISITS = """id,when,visit,sum,node,target,nontarget,new,overall
P1,2020-12-20,Baseline,80,,,,,
P1,2021-02-15,Week 6,60,12,PR,Non-CR/Non-PD,no,PR
P1,2021-04-01,Week 12,,,NE,,,NE
P1,2021-05-13,Week 18,95,21,PD,PD,YES,PD
P2,2021-03-15,Week 6,40.5,,SD,,no,SD
P9,2021-03-15,Week 6,44,,SD,,no,SD
P3,2021-03-15,Week 6,,,,,,
"""
FULL = (
    "{assessments: {date: when, origin: start_date, visit: visit, target_sum: sum, "
    "node_short_axis: node, target_response: target, non_target: nontarget, new_lesion: new, "
    "new_lesion_values: ['YES'], overall: overall}}"
)


def days(*texts: str | None) -> list[dt.date | None]:
    return [None if text is None else dt.date.fromisoformat(text) for text in texts]


def test_every_column_is_read_row_by_row() -> None:
    found = assessments_of(cohort_with(FULL, assessments=VISITS))
    assert found.n == 6  # P9 is nobody in the patient table
    assert found.n_other_rows == 0
    assert found.n_with_rows == 3
    assert found.subject.tolist() == ["S001", "S001", "S001", "S001", "S002", "S003"]
    assert found.position.tolist() == [0, 0, 0, 0, 1, 2]
    assert found.row.tolist() == [2, 3, 4, 5, 6, 8]
    assert found.date.tolist() == days(
        "2020-12-20", "2021-02-15", "2021-04-01", "2021-05-13", "2021-03-15", "2021-03-15"
    )
    np.testing.assert_array_equal(found.day, [-12, 45, 90, 132, 42, np.nan])
    np.testing.assert_array_equal(found.target_sum, [80, 60, np.nan, 95, 40.5, np.nan])
    np.testing.assert_array_equal(found.node_short_axis, [np.nan, 12, np.nan, 21, np.nan, np.nan])
    assert found.target_response.tolist() == [None, "PR", "NE", "PD", "SD", None]
    assert found.non_target.tolist() == [None, "NON-CR/NON-PD", None, "PD", None, None]
    assert found.new_lesion.tolist() == [None, False, None, True, False, None]
    assert found.overall.tolist() == [None, "PR", "NE", "PD", "SD", None]
    assert found.visit.tolist()[:2] == ["Baseline", "Week 6"]
    # NE can't be evaluated, nor a row in which nothing was recorded
    assert found.evaluable.tolist() == [True, True, False, True, True, False]
    # one patient has no start: study days can't be counted, and this is said
    assert [(p.trouble, p.rows) for p in found.problems] == [(Trouble.ORIGIN_MISSING, (8,))]


def test_it_is_read_once_and_can_not_be_changed() -> None:
    cohort = cohort_with(FULL, assessments=VISITS)
    found = assessments_of(cohort)
    assert assessments_of(cohort) is found
    with pytest.raises(ValueError, match="read-only"):
        found.date[0] = np.datetime64("2021-01-01")


def test_patients_left_out_by_criteria_keep_their_rows() -> None:
    cohort = cohort_with(
        FULL,
        assessments=VISITS,
        analysis="{criteria: [{kind: one_of, column: id, values: [P2]}]}",
    )
    found = assessments_of(cohort)
    assert found.n == 6
    assert found.subject[cohort.included[found.position]].tolist() == ["S002"]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("CR", "CR"), ("pr", "PR"), (" sd ", "SD"), ("Non-CR/Non-PD", "NON-CR/NON-PD"),
        ("NON CR NON PD", "NON-CR/NON-PD"), ("non-CR/PD", "NON-CR/NON-PD"), ("iupd", "iUPD"),
        ("iCPD", "iCPD"), ("NED", "NED"), ("PD?", None), ("部分缓解", None), ("1", None),
        ("PD (new lesion)", None), ("N", None), ("", None),
    ],
)  # fmt: skip
def test_a_level_is_known_by_its_letters_only(text: str, level: str | None) -> None:
    assert standard_level(text) == level


def test_codes_come_before_the_usual_spelling() -> None:
    assert standard_level("PD", {"PD": "iUPD"}) == "iUPD"
    assert standard_level("部分缓解", {"部分缓解": "PR"}) == "PR"
    assert {standard_level(level) for level in RESPONSE_LEVELS} == set(RESPONSE_LEVELS)


def test_values_without_a_meaning_are_said_with_their_rows_and_count_as_not_known() -> None:
    text = "id,d,r\nP1,2021-02-01,PR\nP1,2021-03-01,better\nP2,2021-02-03,better\nP2,2021-03-03,5\n"
    cohort = cohort_with("{assessments: {date: d, overall: r, codes: {'5': PD}}}", assessments=text)
    found = assessments_of(cohort)
    assert found.overall.tolist() == ["PR", None, None, "PD"]
    assert found.evaluable.tolist() == [True, False, False, True]
    [problem] = found.problems
    assert (problem.trouble, problem.column) == (Trouble.VALUE_UNKNOWN, "r")
    assert (problem.rows, problem.values) == ((3, 4), ("better",))
    [finding] = assessment_findings(cohort)
    assert finding.code is FindingCode.VALUE_NOT_UNDERSTOOD
    assert (finding.rows, finding.count, finding.column) == ((3, 4), 2, "r")
    assert "better" not in str(finding)  # a value of the file stands in no finding


def test_a_missing_code_with_a_meaning_is_known() -> None:
    text = "id,d,r\nP1,2021-02-01,NA\nP2,2021-02-01,PR\n"
    plain = cohort_with("{assessments: {date: d, overall: r}}", assessments=text)
    assert assessments_of(plain).overall.tolist() == [None, "PR"]
    coded = cohort_with("{assessments: {date: d, overall: r, codes: {NA: NE}}}", assessments=text)
    assert assessments_of(coded).overall.tolist() == ["NE", "PR"]


def test_a_missing_code_of_the_table_is_not_known() -> None:
    text = "id,d,s\nP1,2021-02-01,999\nP2,2021-02-01,40\n"
    cohort = cohort_with(
        "{assessments: {date: d, target_sum: s}}", assessments=text, codes="['999']"
    )
    found = assessments_of(cohort)
    np.testing.assert_array_equal(found.target_sum, [np.nan, 40])
    assert found.problems == ()


def test_sums_that_are_no_sums() -> None:
    text = (
        "id,d,s\nP1,2021-02-01,-4\nP1,2021-03-01,about 40\nP2,2021-02-01,NE\n"
        "P2,2021-03-01,0\nP4,2021-03-15,1 240.5\n"
    )
    cohort = cohort_with("{assessments: {date: d, target_sum: s}}", assessments=text)
    found = assessments_of(cohort)
    np.testing.assert_array_equal(found.target_sum, [np.nan, np.nan, np.nan, 0, 1240.5])
    assert found.evaluable.tolist() == [False, False, False, True, True]
    assert {(f.code, f.severity, f.rows) for f in assessment_findings(cohort)} == {
        (FindingCode.NUMBER_UNREADABLE, Severity.WARNING, (3,)),
        (FindingCode.SIZE_NEGATIVE, Severity.ERROR, (2,)),
    }


def test_centimetres_become_millimetres() -> None:
    text = "id,d,s,n\nP1,2021-02-01,4.5,1.2\n"
    cohort = cohort_with(
        "{assessments: {date: d, target_sum: s, node_short_axis: n, size_unit: cm}}",
        assessments=text,
    )
    found = assessments_of(cohort)
    assert (found.target_sum[0], found.node_short_axis[0]) == (45.0, 12.0)


@pytest.mark.parametrize(
    ("sums", "unit", "doubted"),
    [
        ([3.2, 4.1, 5.6, 7.9, 12.0], "mm", True),
        ([3.2, 4.1, 5.6, 7.9, 12.0], "cm", False),
        ([32, 41, 56, 79, 120], "mm", False),
        ([0, 0, 0, 0, 0, 32, 41, 56, 79, 120], "mm", False),  # gone, not small
        ([3.2, 4.1], "mm", False),  # too few to tell
    ],
)
def test_sums_in_mm_that_look_like_cm_are_doubted(
    sums: list[float], unit: str, doubted: bool
) -> None:
    rows = "".join(f"P1,2021-03-{i + 1:02d},{size}\n" for i, size in enumerate(sums))
    cohort = cohort_with(
        f"{{assessments: {{date: d, target_sum: s, size_unit: {unit}}}}}",
        assessments=f"id,d,s\n{rows}",
    )
    codes = [finding.code for finding in assessment_findings(cohort)]
    assert codes == ([FindingCode.SIZE_UNIT_DOUBTFUL] if doubted else [])


def test_two_assessments_on_one_day_are_noted_and_both_kept() -> None:
    text = "id,d,r\nP1,2021-02-01,PR\nP2,2021-02-01,SD\nP1,2021-02-01,SD\nP1,,SD\nP1,,SD\n"
    cohort = cohort_with("{assessments: {date: d, overall: r}}", assessments=text)
    assert assessments_of(cohort).n == 5
    noted = {(f.code, f.severity, f.rows) for f in assessment_findings(cohort)}
    assert noted == {
        (FindingCode.ASSESSMENT_REPEATED, Severity.NOTE, (2, 4)),
        (FindingCode.ROW_WITHOUT_DATE, Severity.WARNING, (5, 6)),
    }


def test_a_date_that_can_not_be_read_is_an_error_once() -> None:
    text = "id,d,r\nP1,soon,PR\nP1,31.02.2021,SD\nP2,2021-02-30,SD\nP2,none,SD\nP2,20210301,SD\n"
    cohort = cohort_with("{assessments: {date: d, overall: r}}", assessments=text)
    found = assessments_of(cohort)
    assert found.date.tolist() == [None] * 4 + days("2021-03-01")
    listed = {(f.code, f.rows) for f in assessment_findings(cohort)}
    # “none” says that there is no date
    assert listed == {
        (FindingCode.DATE_UNREADABLE, (2, 3, 4)), (FindingCode.ROW_WITHOUT_DATE, (5,)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first_day", "offsets", "dates"),
    [
        # CDISC: day 1 is the day of the start, the day before is -1
        (1, [-1, 0, 7, np.nan], ["2020-12-31", "2021-01-01", "2021-01-08", None]),
        (0, [-1, 1, 8, np.nan], ["2020-12-31", "2021-01-02", "2021-01-09", None]),
    ],
)
def test_study_days_become_dates_by_the_origin(
    first_day: int, offsets: list[float], dates: list[str | None]
) -> None:
    text = "id,ady,r\nP1,-1,SD\nP1,1,SD\nP1,8,PR\nP3,8,PR\n"
    cohort = cohort_with(
        f"{{assessments: {{day: ady, origin: start_date, first_day: {first_day}, overall: r}}}}",
        assessments=text,
    )
    found = assessments_of(cohort)
    # the day of P3 is known, its date is not
    np.testing.assert_array_equal(found.day[:3], offsets[:3])
    assert found.day[3] == 7 + (first_day == 0)
    assert found.date.tolist() == days(*dates)


def test_study_days_without_an_origin_have_no_date() -> None:
    text = "id,ady,r\nP1,1,SD\nP1,8.5,PR\nP2,,SD\n"
    cohort = cohort_with("{assessments: {day: ady, overall: r}}", assessments=text)
    found = assessments_of(cohort)
    assert np.isnat(found.date).all()
    np.testing.assert_array_equal(found.day, [0, np.nan, np.nan])
    assert {(p.trouble, p.rows) for p in found.problems} == {
        (Trouble.NUMBER_UNREADABLE, (3,)), (Trouble.DATE_MISSING, (4,)),
    }  # fmt: skip


def test_an_explicit_column_says_what_can_be_evaluated() -> None:
    text = "id,d,ok,r\nP1,2021-02-01,Y,NE\nP1,2021-03-01,N,PR\nP2,2021-02-01,,PR\n"
    cohort = cohort_with(
        "{assessments: {date: d, overall: r, evaluable: ok, evaluable_values: ['Y']}}",
        assessments=text,
    )
    assert assessments_of(cohort).evaluable.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("row", "evaluable"),
    [
        ("NE,,,", False),
        ("NE,PD,,", True),
        ("NE,,YES,", True),
        ("NE,,no,", False),
        ("NE,,,PD", True),  # the overall response decides
        ("PR,,,NE", False),
        (",,no,", True),
        (",,not evaluable,", True),  # no code says so: a known value that is no yes
    ],
)
def test_without_such_a_column_the_response_says_it(row: str, evaluable: bool) -> None:
    text = f"id,d,target,nontarget,new,overall\nP1,2021-02-01,{row}\n"
    definition = FULL.replace("target_sum: sum, node_short_axis: node, ", "")
    definition = definition.replace("date: when", "date: d").replace("visit: visit, ", "")
    found = assessments_of(cohort_with(definition, assessments=text))
    assert found.evaluable.tolist() == [evaluable]


def test_rows_are_chosen_by_a_column() -> None:
    text = (
        "id,PARAMCD,ADT,AVALC\nP1,OVRLRESP,2021-02-01,PR\nP1,BESRSPI,2021-02-01,CR\n"
        "P1,OVRLRESP,2021-03-01,PD\n"
    )
    cohort = cohort_with(
        "{assessments: {date: ADT, overall: AVALC, rows: {PARAMCD: [OVRLRESP]}}}", assessments=text
    )
    found = assessments_of(cohort)
    assert found.overall.tolist() == ["PR", "PD"]
    assert (found.n_other_rows, found.problems) == (1, ())


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(StudyError) as none:
        assessments_of(cohort_with("{}"))
    assert none.value.findings[0].code is FindingCode.TABLE_MISSING
    with pytest.raises(StudyError) as table:
        assessments_of(cohort_with("{assessments: {date: d, overall: r}}"))
    assert table.value.findings[0].code is FindingCode.TABLE_MISSING
    cohort = cohort_with(
        "{assessments: {date: d, overall: r, origin: begin}}",
        assessments="id,d,x\nP1,2021-01-01,PR\n",
    )
    with pytest.raises(StudyError) as column:
        assessments_of(cohort)
    assert [f.column for f in column.value.findings] == ["r"]
    assert assessment_findings(cohort) == column.value.findings
    assert assessment_findings(cohort_with("{}")) == ()


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("{overall: r}", "a date or a study day"),
        ("{date: d, day: e, overall: r}", "one of the two"),
        ("{date: d}", "what was found"),
        ("{date: d, overall: r, new_lesion_values: [y]}", "new_lesion"),
        ("{date: d, overall: r, evaluable_values: [y]}", "evaluable"),
        ("{date: d, overall: r, codes: {x: better}}", "better"),
        ("{date: d, overall: r, size_unit: inch}", "size_unit"),
        ("{date: d, overall: r, first_day: 2}", "first_day"),
    ],
)
def test_a_study_file_that_makes_no_sense_is_refused(definition: str, words: str) -> None:
    with pytest.raises(StudyError) as error:
        load_study(f"definitions: {{assessments: {definition}}}")
    assert words in " ".join(str(finding) for finding in error.value.findings)


def test_a_study_file_keeps_it() -> None:
    study = cohort_with(FULL, assessments=VISITS).study
    assert load_study(dump_study(study)) == study
    assert study.definitions.assessments is not None
    assert study.definitions.assessments.columns == (
        "when", "visit", "sum", "node", "target", "nontarget", "new", "overall",
    )  # fmt: skip


# --- the last assessment -------------------------------------------------------------------------


def test_the_last_evaluable_assessment_before_a_day() -> None:
    found = assessments_of(cohort_with(FULL, assessments=VISITS))
    assert last_evaluable(found).tolist() == days("2021-05-13", "2021-03-15", None, None)
    bound = np.array(["2021-05-13", "NaT", "2021-06-01", "NaT"], "datetime64[D]")
    assert last_evaluable(found, bound).tolist() == days("2021-05-13", "2021-03-15", None, None)
    # that of 1 April could not be evaluated
    earlier = last_evaluable(found, bound, same_day=False)
    assert earlier.tolist() == days("2021-02-15", "2021-03-15", None, None)
    start = np.array(["2021-03-01"] * 4, "datetime64[D]")
    assert last_evaluable(found, bound, since=start, same_day=False).tolist() == days(
        None, "2021-03-15", None, None
    )
    assert n_evaluable(found).tolist() == [3, 1, 0, 0]


def test_without_any_row_nobody_has_a_last_assessment() -> None:
    found = assessments_of(
        cohort_with(
            "{assessments: {date: d, overall: r, rows: {r: [SD]}}}",
            assessments="id,d,r\nP1,2021-01-01,PR\n",
        )
    )
    assert found.n == 0
    assert np.isnat(last_evaluable(found)).all()
    assert len(last_evaluable(found)) == 4


_day = st.dates(dt.date(2021, 1, 1), dt.date(2021, 1, 20))
_rows = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.none() | _day,
        st.sampled_from(["CR", "PR", "SD", "PD", "NE", "", "?", "better"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(
    rows=_rows,
    before=st.lists(st.none() | _day, min_size=4, max_size=4),
    since=st.lists(st.none() | _day, min_size=4, max_size=4),
    same_day=st.booleans(),
)
def test_the_last_assessment_agrees_with_a_recount(
    rows: list[tuple[int, dt.date | None, str]],
    before: list[dt.date | None],
    since: list[dt.date | None],
    same_day: bool,
) -> None:
    lines = "".join(f"P{number},{date or ''},{level}\n" for number, date, level in rows)
    found = assessments_of(
        cohort_with("{assessments: {date: d, overall: r}}", assessments=f"id,d,r\n{lines}")
    )
    bounds = (np.array(before, "datetime64[D]"), np.array(since, "datetime64[D]"))
    given_dates = last_evaluable(found, bounds[0], since=bounds[1], same_day=same_day)
    for place in range(4):
        best: dt.date | None = None
        for number, date, level in rows:
            if number != place + 1 or date is None or level not in ("CR", "PR", "SD", "PD"):
                continue
            upper, lower = before[place], since[place]
            if upper is not None and (date > upper or (date == upper and not same_day)):
                continue
            if lower is not None and date < lower:
                continue
            best = date if best is None or date > best else best
        assert given_dates[place].item() == best
