"""No value of a column that the gate left out is in any file, log, message or page."""

from __future__ import annotations

import functools
import io
import logging
import zipfile
from pathlib import Path

import pytest

from sts_core.__main__ import main
from sts_core.analysis.plan import Done, usual_report
from sts_core.analysis.registry import ANALYSES
from sts_core.checks import check_cohort
from sts_core.criteria import apply_criteria
from sts_core.export.deck import write_deck
from sts_core.export.document import write_document
from sts_core.export.report import build_report
from sts_core.export.results import results_document, results_json
from sts_core.export.xlsx import write_workbook
from sts_core.findings import FindingCode
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import dump_study, load_study

N = 24
HAN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋"


def canaries():
    """Give private columns, each value found nowhere else; names of two characters are in it."""
    return {
        "Patient name": [f"Zebra{n}, Quagga{n}" for n in range(N)],
        "患者姓名": [f"{HAN[n]}麒麟" for n in range(N)],
        "MRN": [f"7731{n:04d}" for n in range(N)],
        "手机": [f"1399911{n:04d}" for n in range(N)],
        "mail": [f"okapi{n}@example.org" for n in range(N)],
        "Date of birth": [f"19{30 + n}-11-17" for n in range(N)],
        "Religion": [f"Xenurine{n % 3}" for n in range(N)],
        "备注": [f"Pangolin {n} came to the clinic and told a long story" for n in range(N)],
    }


PLAIN = {
    "patient_id": [f"SRC-{n:03d}" for n in range(N)],
    "sex": [("m", "f")[n % 2] for n in range(N)],
    "histotype": [("LMS", "ASPS", "UPS")[n % 3] for n in range(N)],
    "first dose date": [f"2021-01-{n % 27 + 1:02d}" for n in range(N)],
    "death date": [f"2022-0{n % 9 + 1}-05" if n % 3 else "" for n in range(N)],
    "last contact date": ["2022-12-05"] * N,
    "best response": [("PR", "SD", "PD")[n % 3] for n in range(N)],
}
WORDS = (
    "Zebra", "Quagga", "麒麟", "7731", "1399911", "okapi", "-11-17", "Xenurine", "Pangolin",
    "SRC-0",
)  # fmt: skip


@functools.cache
def file():
    columns = {**PLAIN, **canaries()}
    lines = [",".join(f'"{name}"' for name in columns)]
    lines += [",".join(f'"{cells[n]}"' for cells in columns.values()) for n in range(N)]
    return "\n".join(lines).encode()


@functools.cache
def opened():
    book = read_bytes("clinic.csv", file())
    proposal = propose_study([book])
    study = load_study(confirmed(dump_study(proposal.study)))
    return book, proposal, apply_criteria(assemble(study, [book]), study)


def confirmed(text):
    """Answer every question with what was guessed."""
    from dataclasses import replace

    from sts_core.study import Status

    study = load_study(text)
    endpoints = {
        code: replace(item, events_status=Status.CONFIRMED, unit_status=Status.CONFIRMED)
        for code, item in study.definitions.endpoints.items()
    }
    definitions = replace(study.definitions, endpoints=endpoints)
    return dump_study(replace(study, definitions=definitions))


def clean(text):
    found = [word for word in WORDS if word in text]
    assert not found, (found, text[:200])


def in_zip(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(
            archive.read(name).decode("utf-8", "ignore") for name in archive.namelist()
        )


@functools.cache
def done():
    cohort = opened()[2]
    specs = usual_report(cohort)
    assert {spec.kind for spec in specs} >= {"baseline", "response", "kaplan_meier", "cox"}
    return tuple(Done(ANALYSES[s.kind], s, ANALYSES[s.kind].compute(cohort, s)) for s in specs)


def test_the_file_does_hold_what_is_looked_for():
    text = file().decode()
    assert all(word in text for word in WORDS)


def test_every_private_column_is_left_out_and_the_age_is_there():
    _, proposal, cohort = opened()
    assert set(proposal.study.data.tables["subjects"].left_out) == set(canaries())
    frame = cohort.tables["subjects"].frame
    assert not set(canaries()) & set(frame.columns)
    assert "age" in cohort.study.definitions.variables


def test_proposal_study_file_and_findings_hold_nothing():
    _, proposal, cohort = opened()
    clean(dump_study(proposal.study))
    clean(repr(proposal.evidence))
    clean(repr(proposal.questions))
    for finding in (*proposal.findings, *check_cohort(cohort)):
        clean(str(finding))
    clean("\n".join(map(str, cohort.tables["subjects"].frame.drop(columns="patient_id").values)))


@pytest.mark.parametrize("make", [write_deck, write_document])
def test_office_files_hold_nothing(make):
    cohort = opened()[2]
    clean(in_zip(make(build_report(cohort, done()))))


def test_tables_results_and_r_code_hold_nothing():
    cohort = opened()[2]
    tables = [item.analysis.table(item.result) for item in done()]
    clean(in_zip(write_workbook(tables, ["notes"])))
    clean(results_json(results_document(cohort, done())))
    for item in done():
        clean(item.analysis.r_code(item.result))
        clean(" ".join(item.analysis.sentences(item.result)))


def test_the_command_line_prints_and_writes_nothing(tmp_path: Path, capsys, caplog):
    caplog.set_level(logging.DEBUG)
    (tmp_path / "clinic.csv").write_bytes(file())
    (tmp_path / "study.yaml").write_text(dump_study(opened()[2].study), "utf-8")
    assert main(["inspect", str(tmp_path / "clinic.csv")]) == 0
    out = tmp_path / "out"
    assert main(["analyse", "--study", str(tmp_path / "study.yaml"), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    clean(printed.out)
    clean(printed.err)
    clean(caplog.text)
    written = list(out.iterdir())
    assert written
    for path in written:
        data = path.read_bytes()
        clean(in_zip(data) if path.suffix == ".xlsx" else data.decode("utf-8"))


def test_a_data_dictionary_makes_no_message_quote_a_column_that_is_left_out():
    from sts_core.query_list import queries
    from sts_core.reading.redcap import apply_dictionaries

    data = "patient_id,sex,Religion,ECOG\n" + "\n".join(
        f"SRC-{n},m,{'Xenurine' if n == 3 else 'a'},{n % 3}" for n in range(N)
    )
    dictionary = (
        "VariableName,Description,Type,Minimum,Maximum,Levels\n"
        'patient_id,id,character,,,\nsex,Sex,category,,,"m=Male,f=Female"\n'
        'Religion,Religion,category,,,"a=A,b=B"\nECOG,ECOG,integer,0,5,\n'
    )
    books = apply_dictionaries(
        [read_bytes("data.csv", data.encode()), read_bytes("dictionary.csv", dictionary.encode())]
    )
    proposal = propose_study(books)
    cohort = assemble(proposal.study, books)
    assert "Religion" not in cohort.tables["subjects"].frame.columns
    findings = (*proposal.findings, *check_cohort(cohort))
    assert any(item.code is FindingCode.VALUE_NOT_IN_DICTIONARY for item in findings)
    for item in (*findings, *queries(cohort, findings)):
        clean(str(item))


# --- columns that look private and are used all the same -----------------------------------------


def test_no_message_quotes_a_private_column_that_somebody_chose():
    """A name as status, religion as a variable, remarks as grades: counts are said, no value."""
    from dataclasses import replace

    from sts_core.data_cut import data_changes, remembering
    from sts_core.study import (
        AdverseEventDefinition,
        CountOf,
        Endpoint,
        TimeUnit,
        Variable,
        VariableKind,
    )

    columns = {**PLAIN, **canaries(), "days": [str(n + 1) for n in range(N)]}
    lines = [",".join(columns)]
    lines += [",".join(f'"{cells[n]}"' for cells in columns.values()) for n in range(N)]
    book = read_bytes("clinic.csv", "\n".join(lines).encode())
    study = propose_study([book]).study
    source = study.data.tables["subjects"]
    private = tuple(canaries())
    source = replace(source, left_out={}, let_in=private, birth_date=None, age_at=None)
    misused = Endpoint(
        label="Misused", time="days", unit=TimeUnit.DAYS, event="Patient name",
        events={"death": ("x",)}, censored=("y",),
    )  # fmt: skip
    variables = {
        "r": Variable("Religion", column="Religion", levels=("none",)),
        "n": Variable("Number", column="MRN", kind=VariableKind.NUMERIC),
        "c": Variable("Count", derived=CountOf(("r",), yes=("none",), no=("other",))),
    }
    definitions = replace(
        study.definitions,
        endpoints={"E": misused},
        variables=variables,
        response=None,
        adverse_events=AdverseEventDefinition(
            term="备注", grade="mail", table="subjects", terms="ctcae"
        ),
    )
    study = replace(
        study, data=replace(study.data, tables={"subjects": source}), definitions=definitions
    )
    cohort = apply_criteria(assemble(study, [book]), study)
    assert cohort.guarded["subjects"] >= {"Patient name", "Religion", "备注", "mail"}
    kept = remembering(cohort)
    absent = replace(
        kept.definitions,
        variables={**variables, "r": replace(variables["r"], levels=("Xenurine0", "none"))},
    )
    later = apply_criteria(assemble(replace(kept, definitions=absent), [book]), kept)
    findings = (*check_cohort(cohort), *data_changes(replace(later, study=replace(
        kept, definitions=absent))))  # fmt: skip
    codes = {item.code for item in findings}
    assert codes >= {
        FindingCode.EVENT_VALUE_UNKNOWN, FindingCode.LEVEL_UNKNOWN, FindingCode.GRADE_OUT_OF_RANGE,
        FindingCode.TERM_NOT_IN_CTCAE, FindingCode.DATA_CHANGED,
    }  # fmt: skip
    for finding in findings:
        clean(str(finding))


def test_a_date_of_birth_that_reads_two_ways_is_asked_without_quoting_it():
    columns = {
        **PLAIN,
        "Date of birth": [f"0{n % 9 + 1}/0{n % 8 + 1}/1944" for n in range(N)],
        "MRN": [f"7731,{100 + n}" for n in range(N)],
    }
    lines = [",".join(columns)]
    lines += [",".join(f'"{cells[n]}"' for cells in columns.values()) for n in range(N)]
    proposal = propose_study([read_bytes("clinic.csv", "\n".join(lines).encode())])
    said = [str(item) for item in proposal.findings]
    assert any("can be read in two ways, so that an age may be a year" in text for text in said)
    for text in (*said, repr(proposal.questions), repr(proposal.evidence)):
        assert "1944" not in text
        assert "7731" not in text
