"""A table of which no row belongs to a patient is not there: it never means "none"."""

from sts_core.analysis.plan import specs_of
from sts_core.findings import FindingCode, Severity
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study import load_study

PATIENTS = read_bytes("patients.csv", b"id,sex\nP1,F\nP2,M\n")
EVENTS = read_bytes("events.csv", b"patient,term,grade\n1,Rash,2\n2,Rash,3\n")
STUDY = load_study("""
data:
  tables:
    subjects: {file: patients.csv, subject_id: id}
    adverse_events: {file: events.csv, subject_id: patient}
definitions:
  adverse_events: {term: term, grade: grade}
""")


def test_no_match_at_all_is_an_error_and_no_adverse_events_are_counted():
    cohort = assemble(STUDY, [PATIENTS, EVENTS])
    assert "adverse_events" not in cohort.tables
    (finding,) = [item for item in cohort.findings if item.severity is Severity.ERROR]
    assert finding.code is FindingCode.SUBJECT_UNMATCHED
    assert finding.count == 2
    assert not [spec for spec in specs_of(cohort) if spec.kind == "adverse_events"]
