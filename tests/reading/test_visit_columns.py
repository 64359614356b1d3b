"""Recognition of assessments and of treatment by row."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.assessments import assessments_of
from sts_core.exposures import exposures_of
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import (
    AssessmentDefinition,
    Definitions,
    Status,
    TableSource,
    VisitColumns,
    dump_study,
    load_study,
)
from tests.doubles import book_of, cohort_of

N = 6
PATIENTS = {"patient_id": [f"p{n}" for n in range(N)], "sex": ["m", "f"] * 3}
IDS = [f"p{n % N}" for n in range(2 * N)]
DATES = [f"2021-0{1 + n // N}-1{n % N}" for n in range(2 * N)]


def proposed(columns, file):
    books = [book_of(PATIENTS, file="patients.csv"), book_of(columns, file=file)]
    study = propose_study(books).study
    assert load_study(dump_study(study)) == study
    return study.definitions, assemble(study, books)


@pytest.mark.parametrize(
    ("headers", "new"),
    [
        (("assessment date", "target sum", "overall response", "new lesion"), "yes"),
        (("评估日期", "靶病灶总和", "总体疗效", "新病灶"), "有"),
    ],
)
def test_assessments_in_english_and_chinese(headers, new):
    date, size, overall, lesion = headers
    columns = {
        "patient_id": IDS,
        date: DATES,
        size: [float(30 + n) for n in range(2 * N)],
        overall: ["SD", "PR", "PD"] * 4,
        lesion: ["no" if new == "yes" else "无", new] * N,
    }
    definitions, cohort = proposed(columns, "assessments.csv")
    found = definitions.assessments
    assert (found.date, found.target_sum, found.overall, found.new_lesion) == headers
    assert found.new_lesion_values == (new,)
    assert found.status is Status.GUESSED
    read = assessments_of(cohort)
    assert read.n == 2 * N
    assert read.target_sum.tolist() == columns[size]
    assert read.new_lesion.tolist() == [False, True] * N


def test_a_parameter_file_takes_the_rows_of_visits_and_guesses_no_others():
    columns = {
        "patient_id": IDS * 2,
        "PARAMCD": ["OVRLRESP"] * 2 * N + ["BESRSPI"] * 2 * N,
        "AVALC": ["SD", "PR"] * 2 * N,
        "ADT": DATES * 2,
    }
    definitions, cohort = proposed(columns, "adrs.csv")
    assert definitions.assessments.rows == {"PARAMCD": ("OVRLRESP",)}
    assert assessments_of(cohort).n == 2 * N
    other = {**columns, "PARAMCD": ["BESRSPI"] * 2 * N + ["X"] * 2 * N}
    assert proposed(other, "adrs.csv")[0].assessments is None


def test_treatment_by_row():
    columns = {
        "patient_id": IDS,
        "drug name": ["Anlotinib", "Sintilimab"] * N,
        "start date": DATES,
        "stop date": [date.replace("2021", "2022") for date in DATES],
        "dose": [12, 200] * N,
        "reason for stopping": ["progression", "toxicity"] * N,
    }
    definitions, cohort = proposed(columns, "exposures.csv")
    found = definitions.exposures
    assert (found.drug, found.start, found.stop) == ("drug name", "start date", "stop date")
    assert (found.dose, found.reason) == ("dose", "reason for stopping")
    read = exposures_of(cohort)
    assert len(read.subject) == 2 * N
    assert not read.stop_before_start.any()


def test_single_doses_with_a_numbered_header():
    columns = {"patient_id": IDS, "TX1_DATE_INT": DATES, "dose": [1.0, 2.0] * N}
    definitions, cohort = proposed(columns, "drug1_admin.csv")
    assert definitions.exposures.start == "TX1_DATE_INT"
    assert definitions.exposures.stop is None
    assert len(exposures_of(cohort).subject) == 2 * N


def test_one_row_of_treatment_a_patient_in_a_table_that_says_so():
    columns = {
        "患者编号": IDS[:N], "药物": ["安罗替尼", "帕唑帕尼"] * 3, "开始日期": DATES[:N],
        "停药日期": [date.replace("2021", "2022") for date in DATES[:N]],
    }  # fmt: skip
    definitions, cohort = proposed(columns, "用药.csv")
    assert (definitions.exposures.drug, definitions.exposures.stop) == ("药物", "停药日期")
    assert exposures_of(cohort).n == N
    assert proposed(columns, "second sheet.csv")[0].exposures is None


# --- visits in columns ---------------------------------------------------------------------------


def wide(columns, others=()):
    books = [book_of({**PATIENTS, **columns}, file="patients.csv"), *others]
    proposal = propose_study(books)
    assert load_study(dump_study(proposal.study)) == proposal.study
    return proposal, assemble(proposal.study, books)


ENGLISH = {
    "diagnosis date": ["2020-01-01"] * N,
    "first dose date": [f"2021-01-0{n + 1}" for n in range(N)],
    "SLD_baseline": [50, 60, 70, 80, 90, None],
    "SLD_wk6": [40, 60, None, 100, 90, None],
    "Response week 6": ["PR", "SD", "NE", "PD", "SD", None],
    "New lesion wk6": ["no", "no", None, "yes", "no", None],
    "SLD_wk12": [30, 65, None, None, 120, None],
    "Response week 12": ["PR", "SD", None, None, "PD", None],
}


def test_visits_of_scheduled_weeks_in_columns():
    proposal, cohort = wide(ENGLISH)
    found = proposal.study.definitions.assessments
    assert [(visit.name, visit.day) for visit in found.visits] == [
        ("Baseline", 0), ("Week 6", 42), ("Week 12", 84),
    ]  # fmt: skip
    assert (found.table, found.status, found.origin) == ("subjects", "guessed", "first dose date")
    assert found.new_lesion_values == ("yes",)
    evidence = proposal.evidence["Response week 6"]
    assert "overall response at the visit “Week 6”, scheduled for day 42" in evidence.reason
    read = assessments_of(cohort)
    assert not read.problems
    assert read.n == 5 + 5 + 3
    first = read.subject == "S001"
    assert read.visit[first].tolist() == ["Baseline", "Week 6", "Week 12"]
    assert read.day[first].tolist() == [0, 42, 84]
    assert read.date[first].astype(str).tolist() == ["2021-01-01", "2021-02-12", "2021-03-26"]
    assert read.target_sum[first].tolist() == [50, 40, 30]
    assert read.overall[first].tolist() == [None, "PR", "PR"]
    assert read.new_lesion[read.subject == "S004"].tolist() == [None, True]
    assert "S006" not in read.subject  # blank at every visit: no assessment, and no empty row
    keys = proposal.study.definitions.variables
    assert not {key for key in keys if "wk" in key or "week" in key}
    assert any("baseline" in key for key in keys)
    assert found.overall_columns == ("Response week 6", "Response week 12")


def test_visits_with_dates_in_chinese_columns():
    columns = {
        "首次用药日期": [f"2021-01-0{n + 1}" for n in range(N)],
        "第1次评估日期": ["2021年2月12日", "2021-02-13", None, "2021-02-15", None, None],
        "第1次评估结果": ["部分缓解", "疾病稳定", None, "PD", "SD", None],
        "第2次评估日期": ["2021年3月26日", None, None, None, None, None],
        "第2次评估结果": ["疾病进展", None, None, None, None, None],
        "第3次评估日期": [None] * N,
        "第3次评估结果": [None] * N,
        "末次随访日期": ["2022-01-01"] * N,
        "死亡日期": ["2021-12-01", None, None, None, None, None],
    }
    proposal, cohort = wide(columns)
    found = proposal.study.definitions.assessments
    assert [visit.name for visit in found.visits] == [f"Assessment {n}" for n in (1, 2, 3)]
    assert found.codes["部分缓解"] == "PR"
    read = assessments_of(cohort)
    assert read.overall.tolist() == ["PR", "PD", "SD", "PD", "SD"]
    assert read.date.astype(str).tolist() == [
        "2021-02-12", "2021-03-26", "2021-02-13", "2021-02-15", "NaT",
    ]  # fmt: skip
    (problem,) = read.problems  # a result without its date is named where it stands
    assert (problem.column, problem.rows) == ("第1次评估日期", (6,))
    survival = proposal.study.definitions.endpoints["OS"]
    assert survival.last_contact == ("末次随访日期",)


@pytest.mark.parametrize(
    "columns",
    [
        {"response 1": ["PR", "SD"] * 3, "response 2": ["SD", "PD"] * 3},  # when was that?
        {"week 6 response": ["PR", "SD"] * 3},  # one visit alone
        {"week 6 response": ["good", "bad"] * 3, "week 12 response": ["good", "bad"] * 3},
        {"hb_week6": [9, 8] * 3, "hb_week12": [9, 8] * 3},
        {"SLD_wk6": ["big", "small"] * 3, "SLD_wk12": ["big", "small"] * 3},
    ],
)
def test_a_series_that_says_nothing_of_when_or_what_is_no_visit(columns):
    assert wide(columns)[0].study.definitions.assessments is None


def test_rows_of_assessments_come_before_visits_in_columns():
    long = book_of(
        {"patient_id": IDS, "assessment date": DATES, "overall response": ["SD", "PR", "PD"] * 4},
        file="assessments.csv",
    )
    proposal, _ = wide(ENGLISH, [long])
    assert proposal.study.definitions.assessments.table == "assessments"
    (finding,) = [item for item in proposal.findings if "hold tumour assessments too" in str(item)]
    assert finding.table == "subjects"


def test_visits_in_columns_of_a_second_sheet():
    imaging = {
        "patient_id": PATIENTS["patient_id"],
        "Scan 1 date": ["2021-02-01"] * N, "Scan 1 RECIST 1.1": ["SD", "PR"] * 3,
        "Scan 2 date": ["2021-04-01"] * N, "Scan 2 RECIST 1.1": ["PD", "PR"] * 3,
    }  # fmt: skip
    _, cohort = wide({}, [book_of(imaging, file="imaging.csv")])
    read = assessments_of(cohort)
    assert read.definition.table == "imaging"
    assert read.overall.tolist() == ["SD", "PD", "PR", "PR"] * 3


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["PR", "SD", "PD", "NE", None]),
            st.sampled_from([12, 30, 45, None]),
            st.sampled_from(["2021-03-01", "2021-04-01", None]),
        ),
        min_size=6, max_size=18,
    )
)  # fmt: skip
def test_wide_and_long_give_the_same(cells):
    """A long table of the same visits, by a definition of its own, holds the same assessments."""
    n_visits = len(cells) // 3
    ids = ["a", "b", "c"]
    at = {(who, visit): cells[3 * visit + who] for who in range(3) for visit in range(n_visits)}
    columns: dict[str, list[object]] = {"id": list(ids)}
    visits = []
    for visit in range(n_visits):
        for place, name in enumerate(("response", "sum", "date")):
            columns[f"{name} {visit}"] = [at[who, visit][place] for who in range(3)]
        visits.append(
            VisitColumns(
                str(visit), date=f"date {visit}", overall=f"response {visit}",
                target_sum=f"sum {visit}",
            )
        )  # fmt: skip
    in_columns = AssessmentDefinition(visits=tuple(visits), table="subjects")
    broad = cohort_of(columns, Definitions(assessments=in_columns), subject_id="id")
    rows = [(who, visit) for who in range(3) for visit in range(n_visits)]
    rows = [place for place in rows if any(cell is not None for cell in at[place])]
    if not rows:
        assert assessments_of(broad).n == 0
        return
    cells_of_rows = {
        "id": [ids[who] for who, _ in rows],
        **{name: [at[row][place] for row in rows]
           for place, name in enumerate(("response", "sum", "date"))},
    }  # fmt: skip
    by_row = AssessmentDefinition(date="date", overall="response", target_sum="sum")
    source = TableSource(file="assessments.csv", subject_id="id")
    tall = cohort_of(
        {"id": ids}, Definitions(assessments=by_row), subject_id="id",
        others={"assessments": (source, cells_of_rows)},
    )  # fmt: skip
    first, second = assessments_of(broad), assessments_of(tall)
    for name in ("subject", "position", "date", "target_sum", "overall", "evaluable"):
        a, b = getattr(first, name).tolist(), getattr(second, name).tolist()
        assert str(a) == str(b), name
    troubles = [{problem.trouble for problem in read.problems} for read in (first, second)]
    assert troubles[0] == troubles[1]
