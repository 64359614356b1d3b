"""A variable that stands in another table comes in by patient id, and unknown stays unknown."""

from dataclasses import replace

import pytest

from sts_core.analysis.response import ResponseSpec, response
from sts_core.criteria import apply_criteria
from sts_core.derive import levels_of, variable_summary
from sts_core.findings import FindingCode, StudyError
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import Variable, load_study

PATIENTS = b"""USUBJID,SEX,ARM
P1,F,A
P2,M,A
P3,F,B
P4,M,B
"""
RESPONSES = b"""USUBJID,PARAMCD,PARAM,AVALC,AVISITN
P1,BESRSPI,Best Confirmed Overall Response,CR,9
P2,BESRSPI,Best Confirmed Overall Response,PD,9
P4,BESRSPI,Best Confirmed Overall Response,PR,9
P1,OVRINV,Overall Response by visit,SD,1
P1,OVRINV,Overall Response by visit,CR,2
P2,OVRINV,Overall Response by visit,PD,1
P3,OVRINV,Overall Response by visit,SD,1
P4,OVRINV,Overall Response by visit,PR,1
"""
BOOKS = [read_bytes("adsl.csv", PATIENTS), read_bytes("adrs.csv", RESPONSES)]


def study_with(rows: str):
    return load_study(f"""
data:
  tables:
    subjects: {{file: adsl.csv, subject_id: USUBJID}}
    assessments: {{file: adrs.csv, subject_id: USUBJID}}
definitions:
  response: {{variable: best_response}}
  variables:
    arm: {{label: Arm, column: ARM}}
    best_response:
      {{label: Best overall response, column: AVALC, table: assessments, rows: {rows},
        levels: [CR, PR, SD, PD, NE]}}
""")


def cohort_with(rows: str):
    study = study_with(rows)
    return apply_criteria(assemble(study, BOOKS), study)


def test_values_are_joined_by_patient_and_a_missing_row_is_not_known():
    cohort = cohort_with("{PARAMCD: [BESRSPI]}")
    assert levels_of(cohort, "best_response").values.tolist() == ["CR", "PD", None, "PR"]
    summary = variable_summary(cohort, "best_response")
    assert (summary.n, summary.n_known, summary.text) == (4, 3, "CR (1), PD (1), PR (1)")


def test_a_patient_without_a_row_stays_in_the_denominator_as_not_recorded():
    result = response(cohort_with("{PARAMCD: [BESRSPI]}"), ResponseSpec(by="arm"))
    assert result.overall.n_not_recorded == 1
    of_all = result.overall.of_all.objective_response
    assert (of_all.count, of_all.total) == (2, 4)
    of_evaluable = result.overall.of_evaluable.objective_response
    assert (of_evaluable.count, of_evaluable.total) == (2, 3)
    assert [group.of_all.objective_response.count for group in result.groups] == [1, 1]


def test_several_rows_a_patient_are_refused():
    with pytest.raises(StudyError) as error:
        levels_of(cohort_with("{PARAMCD: [OVRINV]}"), "best_response")
    (finding,) = error.value.findings
    assert finding.code is FindingCode.SUBJECT_REPEATED
    assert finding.rows == (5, 6)


def test_a_table_that_is_not_there_is_named():
    cohort = cohort_with("{PARAMCD: [BESRSPI]}")
    variables = {"other": Variable(label="Other", column="AVALC", table="labs")}
    study = replace(
        cohort.study, definitions=replace(cohort.study.definitions, variables=variables)
    )
    with pytest.raises(StudyError) as error:
        levels_of(replace(cohort, study=study), "other")
    assert error.value.findings[0].code is FindingCode.TABLE_MISSING


def test_best_response_is_recognised_in_a_table_of_assessments():
    proposal = propose_study(BOOKS)
    variable = proposal.study.definitions.variables["best_response"]
    assert (variable.table, variable.column) == ("assessments", "AVALC")
    assert variable.rows == {"PARAMCD": ("BESRSPI",)}
    assert proposal.study.definitions.response.variable == "best_response"
