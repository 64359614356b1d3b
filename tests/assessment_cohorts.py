"""Cohorts with tables of assessments and of treatment, for tests."""

from __future__ import annotations

from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study import load_study

PATIENTS = """id,start_date,end_date
P1,2021-01-01,2021-12-31
P2,2021-02-01,2021-12-31
P3,,2021-12-31
P4,2021-03-01,2021-12-31
"""


def cohort_with(
    definitions: str,
    *,
    assessments: str | None = None,
    exposures: str | None = None,
    patients: str = PATIENTS,
    analysis: str = "{}",
    codes: str = "[]",
) -> Cohort:
    """Build a cohort from tables as CSV text; the id column is ``id`` in each.

    Parameters
    ----------
    definitions
        The section of that name, as YAML in one line.
    assessments, exposures
        CSV text.
    patients
        CSV text of the patient table.
    analysis
        The section of that name, as YAML in one line.
    codes
        Missing codes of the tables of assessments and treatment.
    """
    texts = {"subjects": patients, "assessments": assessments, "exposures": exposures}
    books = [
        read_bytes(f"{role}.csv", text.encode()) for role, text in texts.items() if text is not None
    ]
    tables = "\n".join(
        f"    {role}: {{file: {role}.csv, subject_id: id, missing_codes: {codes}}}"
        for role, text in texts.items()
        if text is not None
    )
    study = load_study(
        f"data:\n  tables:\n{tables}\ndefinitions: {definitions}\nanalysis: {analysis}\n"
    )
    return apply_criteria(assemble(study, books), study)
