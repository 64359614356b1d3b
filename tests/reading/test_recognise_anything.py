"""Whatever a spreadsheet holds: a proposal that can be read back, and findings, never a crash."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sts_core.checks import check_cohort
from sts_core.findings import StudyError
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.reading.report import inspection_text
from sts_core.study import Status, dump_study, load_study
from tests.doubles import raw_table, workbook

HEADERS = st.sampled_from(
    ["id", "USUBJID", "patient", "编号", "sex", "性别", "age", "ECOG", "stage", "histology",
     "病理类型", "OS", "OS days", "PFS(月)", "os_status", "death", "status", "time", "Censor",
     "CNSR", "AVAL", "AVALU", "PARAMCD", "PARAM", "AVALC", "entry", "first dose date",
     "death date", "进展日期", "末次随访", "data cutoff", "birth date", "best response", "term",
     "grade", "AETOXGR", "related", "TRTEMFL", "visit", "date", "comment", "name", "variable",
     "description", "type", "x", "%", ""]
)  # fmt: skip
WORDS = st.sampled_from(
    ["a", "b", "P1", "P2", "P3", "0", "1", "2", "Dead", "Alive", "yes", "no", "M", "F", "男",
     "CR", "PD", "NA", ".", "[Unknown]", "DAYS", "OS", "PFS", "1/2/2020", "13/2/2020",
     "2/13/2020", "2020-05-01", "2021年5月3日", "44000", "1,5", "1.5", "<5", "Stage II", "III",
     "LMS", "=1+1", "<b>"]
)  # fmt: skip
CELLS = st.one_of(
    st.none(),
    WORDS,
    st.booleans(),
    st.integers(-5, 60000),
    st.floats(allow_nan=True, allow_infinity=True),
    st.datetimes(dt.datetime(1890, 1, 1), dt.datetime(2110, 1, 1)),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)


@st.composite
def sheets(draw: st.DrawFn, name: str) -> Any:
    n_rows = draw(st.integers(1, 6))
    names = draw(st.lists(HEADERS, min_size=1, max_size=7, unique=True))
    columns = {
        header: draw(
            st.lists(CELLS, min_size=n_rows, max_size=n_rows)
            | st.lists(st.sampled_from(["P1", "P2", "P3"]), min_size=n_rows, max_size=n_rows)
            | st.lists(st.sampled_from(["0", "1"]), min_size=n_rows, max_size=n_rows)
        )
        for header in names
    }
    label = draw(st.sampled_from([None, "Patients", "Adverse events", "Data dictionary", name]))
    return raw_table(columns, file=f"{name}.csv", sheet=label, hidden=draw(st.booleans()))


@given(sheets("first"), st.none() | sheets("second"))
def test_any_workbook_gives_a_proposal_or_findings(first: Any, second: Any) -> None:
    books = [workbook(first, file="first.csv")]
    if second is not None:
        books.append(workbook(second, file="second.csv"))
    proposal = propose_study(books)
    study = proposal.study
    assert load_study(dump_study(study)) == study
    for code, endpoint in study.definitions.endpoints.items():
        assert endpoint.events_status is Status.GUESSED
        assert any(question.endpoint == code for question in proposal.questions)
    assert inspection_text(books, proposal)
    try:
        cohort = assemble(study, books)
    except StudyError as error:
        found = error.findings
    else:
        found = check_cohort(cohort)
    for finding in (*found, *proposal.findings):
        assert finding.message.endswith(".")
        assert finding.hint.endswith("."), finding.code
