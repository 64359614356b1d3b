"""Rows of treatment: start, stop, drug and reason, and what is wrong with them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from sts_core.checks import check_cohort
from sts_core.exposures import counted_texts, exposure_findings, exposures_of
from sts_core.findings import FindingCode, Severity, StudyError
from sts_core.study import dump_study, load_study
from sts_core.table_rows import Trouble
from tests.assessment_cohorts import cohort_with

ROWS = """id,drug,from,to,mg,why
P1,Anlotinib,2021-01-01,2021-03-01,12,progression
P1,Anlotinib,2021-03-22,2021-03-02,12,
P2,Pazopanib,2021-02-01,ongoing,800,
P2,,2021-02-08,,,toxicity
P3,Anlotinib,2021-02-01,2021-02-28,x,
"""
FULL = (
    "{exposures: {start: from, stop: to, origin: start_date, drug: drug, dose: mg, reason: why, "
    "ongoing: to, ongoing_values: [ongoing]}}"
)


def test_every_column_is_read_row_by_row() -> None:
    cohort = cohort_with(FULL, exposures=ROWS)
    found = exposures_of(cohort)
    assert exposures_of(cohort) is found
    assert (found.n, found.n_with_rows) == (5, 3)
    assert found.row.tolist() == [2, 3, 4, 5, 6]
    assert found.drug.tolist() == ["Anlotinib", "Anlotinib", "Pazopanib", None, "Anlotinib"]
    assert found.start.tolist()[1] == dt.date(2021, 3, 22)
    assert found.stop.tolist() == [dt.date(2021, 3, 1), None, None, None, dt.date(2021, 2, 28)]
    np.testing.assert_array_equal(found.start_day, [0, 80, 0, 7, np.nan])
    np.testing.assert_array_equal(found.stop_day, [59, np.nan, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found.dose, [12, 12, 800, np.nan, np.nan])
    assert found.reason.tolist() == ["progression", None, None, "toxicity", None]
    assert found.ongoing.tolist() == [False, False, True, False, False]
    assert found.stop_before_start.tolist() == [False, True, False, False, False]
    assert counted_texts(found.drug) == {"Anlotinib": 3, "Pazopanib": 1}


def test_what_is_wrong_is_said_with_its_rows() -> None:
    cohort = cohort_with(FULL, exposures=ROWS)
    said = {(f.code, f.severity, f.rows) for f in exposure_findings(cohort)}
    assert said == {
        (FindingCode.DATES_OUT_OF_ORDER, Severity.ERROR, (3,)),
        (FindingCode.NUMBER_UNREADABLE, Severity.WARNING, (6,)),
        (FindingCode.ROW_WITHOUT_DATE, Severity.WARNING, (6,)),  # P3 has no start_date
    }
    assert set(exposure_findings(cohort)) <= set(check_cohort(cohort))


def test_a_stop_that_is_no_date_is_said_when_nothing_was_said_about_the_word() -> None:
    definition = "{exposures: {start: from, stop: to}}"
    problems = exposures_of(cohort_with(definition, exposures=ROWS)).problems
    assert (Trouble.DATE_UNREADABLE, (4,), ("ongoing",)) in [
        (p.trouble, p.rows, p.values) for p in problems
    ]


def test_without_a_stop_a_row_is_a_single_dose_of_the_drug_named() -> None:
    text = "id,TX1_DATE\nP1,2021-01-01\nP1,2021-01-22\nP2,\n"
    cohort = cohort_with("{exposures: {start: TX1_DATE, name: Drug 1}}", exposures=text)
    found = exposures_of(cohort)
    assert found.drug.tolist() == ["Drug 1"] * 3
    assert found.stop.tolist() == found.start.tolist()
    assert [(f.code, f.rows) for f in exposure_findings(cohort)] == [
        (FindingCode.ROW_WITHOUT_DATE, (4,))
    ]


def test_study_days_have_no_day_zero_unless_it_is_said() -> None:
    text = "id,a,b\nP1,1,14\nP2,-1,1\n"
    days = "times: days, origin: start_date"
    found = exposures_of(
        cohort_with(f"{{exposures: {{start: a, stop: b, {days}}}}}", exposures=text)
    )
    np.testing.assert_array_equal(found.start_day, [0, -1])
    assert found.stop.tolist() == [dt.date(2021, 1, 14), dt.date(2021, 2, 1)]
    zero = cohort_with(
        f"{{exposures: {{start: a, stop: b, first_day: 0, {days}}}}}", exposures=text
    )
    assert exposures_of(zero).stop.tolist() == [dt.date(2021, 1, 15), dt.date(2021, 2, 2)]


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(StudyError) as none:
        exposures_of(cohort_with("{}"))
    assert none.value.findings[0].code is FindingCode.TABLE_MISSING
    gone = cohort_with("{exposures: {start: begin}}", exposures=ROWS)
    assert [f.column for f in exposure_findings(gone)] == ["begin"]
    assert exposure_findings(cohort_with("{}")) == ()


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("{stop: b}", "start"),
        ("{start: a, stop: a}", "two columns"),
        ("{start: a, ongoing_values: [y]}", "ongoing"),
        ("{start: a, times: weeks}", "times"),
    ],
)
def test_a_study_file_that_makes_no_sense_is_refused(definition: str, words: str) -> None:
    with pytest.raises(StudyError) as error:
        load_study(f"definitions: {{exposures: {definition}}}")
    assert words in " ".join(str(finding) for finding in error.value.findings)


def test_a_study_file_keeps_it() -> None:
    study = cohort_with(FULL, exposures=ROWS).study
    assert load_study(dump_study(study)) == study
