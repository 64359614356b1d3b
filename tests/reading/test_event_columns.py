"""Columns of adverse events are recognised, with what speaks for them."""

from __future__ import annotations

from sts_core.analysis.adverse_events import AdverseEventSpec, adverse_events
from sts_core.findings import FindingCode
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import ColumnRole, Proposal
from sts_core.reading.recognise import propose_study
from sts_core.study import Status


def proposed(**files: str) -> Proposal:
    return propose_study([read_bytes(f"{name}.csv", text.encode()) for name, text in files.items()])


def patients(header: str, cells: list[str], n: int = 20) -> str:
    """A patient table with an endpoint, and further columns whose cells come round again."""
    rows = [f"p{at},{at + 1.5},{at % 2},{'MF'[at % 2]},{cells[at % len(cells)]}" for at in range(n)]
    return "\n".join([f"id,os months,death,sex,{header}", *rows]) + "\n"


def test_columns_named_as_events_or_grades_are_proposed_as_one_column_a_term() -> None:
    text = patients("AE_Hypertension,Rash (grade),高血压分级",
                    ["0,none,1", "1,G2,2", "2,G1,0", ",0,0", "3,-,"])  # fmt: skip
    found = proposed(t=text)
    definition = found.study.definitions.adverse_events
    assert definition is not None
    assert (definition.form, definition.table) == ("wide", "subjects")
    assert definition.columns == ("AE_Hypertension", "Rash (grade)", "高血压分级")
    assert (definition.status, definition.terms) == (Status.GUESSED, "as_recorded")
    assert set(found.study.definitions.variables) == {"sex"}
    evidence = found.evidence["AE_Hypertension"]
    assert evidence.role is ColumnRole.GRADE
    assert "12 of 12 events with a grade" in evidence.reason
    cohort = assemble(found.study, [read_bytes("t.csv", text.encode())])
    result = adverse_events(cohort, AdverseEventSpec())
    assert {line.label: line.overall.n_any for line in result.lines} == {
        "Any adverse event": 16, "Hypertension": 12, "Rash": 8, "高血压": 8,
    }  # fmt: skip


def test_three_graded_terms_are_events_but_yes_and_no_may_be_diseases_at_baseline() -> None:
    graded = proposed(t=patients("Hypertension,Fatigue,皮疹", ["0,1,2", "3,0,1", "0,2,0"]))
    definition = graded.study.definitions.adverse_events
    assert definition is not None
    assert definition.columns == ("Hypertension", "Fatigue", "皮疹")
    for cells in (["yes,no,no", "no,yes,no", "no,no,yes"], ["0,1,1", "1,0,1", "0,1,0"]):
        found = proposed(t=patients("Hypertension,Fatigue,Pain", cells))
        assert found.study.definitions.adverse_events is None
        assert {"hypertension", "fatigue", "pain"} <= set(found.study.definitions.variables)
    two = proposed(t=patients("Hypertension,Fatigue", ["0,1", "3,0", "0,2"]))
    assert two.study.definitions.adverse_events is None
    tumour = proposed(t=patients("Tumor grade,ECOG", ["1,0", "2,1", "3,2"]))
    assert tumour.study.definitions.adverse_events is None


def test_zeros_and_ones_are_no_grades() -> None:
    found = proposed(t=patients("AE_Hypertension,AE_Rash", ["0,1", "1,0", "0,0"]))
    definition = found.study.definitions.adverse_events
    assert definition is not None
    assert definition.numbers == "yes_no"
    assert "1 for yes" in found.evidence["AE_Rash"].reason


def test_cells_with_several_events_are_proposed_and_their_text_is_not_shown() -> None:
    cells = ["高血压2级；蛋白尿1级", "无", "皮疹Ⅰ度、乏力II级", "", "恶心3级"]
    for header in ("不良反应", "其他情况"):
        found = proposed(t=patients(header, cells))
        definition = found.study.definitions.adverse_events
        assert definition is not None, header
        assert (definition.form, definition.columns) == ("cells", (header,))
        evidence = found.evidence[header]
        assert evidence.role is ColumnRole.TERM
        assert (evidence.samples, evidence.counts) == ((), ())
        assert set(found.study.definitions.variables) == {"sex"}


def test_a_free_text_that_names_no_graded_events_stays_what_it_was() -> None:
    cells = ["lung; liver", "bone", "lung; bone", "none", "liver"]
    found = proposed(t=patients("metastatic sites", cells))
    assert found.study.definitions.adverse_events is None


def test_a_table_of_events_comes_before_columns_which_are_then_no_variables() -> None:
    events = "id,AE term,CTCAE grade\np1,Rash,2\np1,Nausea,1\np2,Rash,3\n"
    found = proposed(t=patients("AE_Rash", ["0", "1", "3"]), ae=events)
    definition = found.study.definitions.adverse_events
    assert definition is not None
    assert (definition.form, definition.table) == ("long", "adverse_events")
    assert set(found.study.definitions.variables) == {"sex"}
    said = [item for item in found.findings if item.code is FindingCode.COLUMN_NOT_USED]
    assert any("“AE_Rash”" in item.message and "adverse_events" in item.message for item in said)


def test_another_table_with_one_row_a_patient_is_looked_at_too() -> None:
    safety = "id,AE_Rash,AE_Nausea\n" + "".join(f"p{n},{n % 4},{n % 3}\n" for n in range(20))
    found = proposed(t=patients("arm", ["A", "B"]), safety=safety)
    definition = found.study.definitions.adverse_events
    assert definition is not None
    assert (definition.form, definition.table) == ("wide", "safety")
    assert not any("ae" in key for key in found.study.definitions.variables)


LONG = [f"hypertension G{n % 3 + 1}; rash G{n % 2 + 1}; nausea G{n % 4 + 1}; cough {n % 5}; day {n}"
        for n in range(40)]  # fmt: skip


def test_the_privacy_gate_keeps_remarks_out_but_not_what_is_named_adverse_events() -> None:
    text = patients("adverse events", LONG, 40)
    found = proposed(t=text)
    definition = found.study.definitions.adverse_events
    assert definition is not None
    assert definition.columns == ("adverse events",)
    cohort = assemble(found.study, [read_bytes("t.csv", text.encode())])
    assert adverse_events(cohort, AdverseEventSpec()).any_event.overall.n_any == 40
    for header in ("comments", "备注", "patient name"):
        text = patients(header, LONG, 40)
        found = proposed(t=text)
        assert found.study.definitions.adverse_events is None
        cohort = assemble(found.study, [read_bytes("t.csv", text.encode())])
        assert header not in cohort.tables["subjects"].frame.columns
