"""The state of a study at a glance."""

from __future__ import annotations

import dataclasses

from sts_core.checks import check_cohort
from sts_core.derive import levels_of
from sts_core.overview import Part, overview
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import Measured, Status, Variable, VariableKind
from tests.cohorts import DEGENERATE, endpoint, make_cohort
from tests.doubles import book_of, raw_table, workbook

N = 12
TWO = {
    "id": [f"P{at}" for at in range(N)],
    "PFS months": [at + 1.5 for at in range(N)],
    "PFS status": ["yes", "no"] * 6,
    "OS months": [at + 2.5 for at in range(N)],
    "OS status": ["dead", "alive"] * 6,
}


def seen(cohort):
    return overview(cohort, check_cohort(cohort))


def test_an_open_endpoint_is_a_question_with_its_place():
    waiting = endpoint(events_status=Status.GUESSED)
    cohort = make_cohort({"time": [1, 2], "status": [1, 0]}, endpoints={"OS": waiting})
    (question,) = seen(cohort).questions
    assert question.part is Part.ENDPOINTS
    assert "Overall survival" in question.text
    assert question.hint
    assert seen(make_cohort({"time": [1, 2], "status": [1, 0]})).questions == ()


def test_endpoints_say_patients_events_by_kind_and_losses():
    two = endpoint(events={"progression": ("p",), "death": ("d",)}, censored=("n",))
    cohort = make_cohort(
        {"time": [1, 2, 3, None], "status": ["p", "d", "n", "p"]}, endpoints={"PFS": two}
    )
    (line,) = seen(cohort).endpoints
    assert (line.n, line.n_event, line.n_lost, line.confirmed) == (3, 2, 1, True)
    assert dict(line.events) == {"progression": 1, "death": 1}


def test_variables_have_their_type_share_missing_and_distribution():
    variables = {
        "sex": Variable("Sex", levels=("m", "f"), measured=Measured.BASELINE),
        "age": Variable("Age", kind=VariableKind.NUMERIC, unit="years"),
        "when": Variable("When", kind=VariableKind.DATE),
    }
    cohort = make_cohort(
        {
            "sex": ["m", "f", "m", None],
            "age": [10, 20, 30, 40],
            "when": ["2021-01-01", "2022-01-01", None, None],
            "other": ["a", "b", "c", "d"],
        },
        endpoints={},
        variables=variables,
    )
    lines = {line.name: line for line in seen(cohort).variables}
    assert lines["Sex"].bars == (2, 1)
    assert lines["Sex"].share_missing == 0.25
    assert (lines["Sex"].kind, lines["Sex"].known) == ("groups", "before time zero")
    assert (lines["Age"].kind, lines["Age"].unit) == ("number", "years")
    assert sum(lines["Age"].bars) == 4
    assert lines["Age"].levels == "10 to 40, median 25"
    assert lines["When"].levels == "2021-01-01 to 2022-01-01"
    assert lines["When"].share_missing == 0.5
    assert lines["other"].role == "not used"
    assert lines["id"].role == "patient id"
    assert lines["id"].levels == "(not shown)"


def test_the_oldest_ages_are_not_told_apart():
    years = Variable("Age", kind=VariableKind.NUMERIC, unit="years")
    columns = {"age(years)": [10, 89, 95, 97]}
    lines = seen(make_cohort(columns, endpoints={}, variables={"age(years)": years})).variables
    assert next(line.levels for line in lines if line.name == "Age") == "10 to ≥90, median ≥90"
    months = dataclasses.replace(years, unit="months")
    lines = seen(make_cohort(columns, endpoints={}, variables={"age(years)": months})).variables
    assert next(line.levels for line in lines if line.name == "Age") == "10 to 97, median 92"


def test_what_the_gate_left_out_is_listed_without_a_value():
    columns = {
        "patient_id": [f"p{n}" for n in range(N)],
        "phone": [f"138{n:08d}" for n in range(N)],
        "sex": ["m", "f"] * 6,
    }
    book = book_of(columns)
    cohort = assemble(propose_study([book]).study, [book])
    found = seen(cohort)
    (line,) = [line for line in found.variables if line.column == "phone"]
    assert (line.role, line.bars, line.levels) == ("left out", (), "(not shown)")
    assert "138" not in repr(found)
    assert "p3" not in repr(found)


def test_awkward_cohorts_have_an_overview():
    for make in DEGENERATE.values():
        cohort = make()
        found = seen(cohort)
        assert len(found.endpoints) == len(cohort.study.definitions.endpoints)
        for line in found.variables:
            assert line.share_missing is None or 0 <= line.share_missing <= 1
        for key, variable in cohort.study.definitions.variables.items():
            if variable.kind is VariableKind.CATEGORICAL:
                line = next(line for line in found.variables if line.name == variable.label)
                assert len(line.bars) == min(12, len(levels_of(cohort, key).levels))


def test_a_variable_whose_column_is_gone_says_so():
    variables = {"gone": Variable("Gone", column="nothing", kind=VariableKind.NUMERIC)}
    cohort = make_cohort({"a": [1]}, endpoints={}, variables=variables)
    (line,) = [line for line in overview(cohort, ()).variables if line.name == "Gone"]
    assert "no column" in line.levels
    broken = make_cohort({"time": [1], "status": [1]}, endpoints={"OS": endpoint(time="x")})
    (line,) = overview(broken, ()).endpoints
    assert "no column" in line.problem
    assert dataclasses.is_dataclass(line)


def test_a_column_that_is_gone_is_a_question_and_names_its_kin() -> None:
    study = propose_study([book_of(TWO)]).study
    renamed = {("PFS days" if name == "PFS months" else name): TWO[name] for name in TWO}
    cohort = assemble(study, [book_of(renamed)])
    (gone,) = [item for item in seen(cohort).questions if "no column" in item.text]
    assert gone.part is None
    assert "Did you mean “PFS days”, “PFS status”?" in gone.hint
    assert "OS months" not in gone.hint


def test_ids_that_match_in_another_spelling_are_a_question() -> None:
    patients = raw_table(
        {"id": [f"{at:03d}" for at in range(N)], "age": [40 + at for at in range(N)]}
    )
    more = raw_table({"id": list(range(N)), "ECOG": [0, 1] * 6}, file="more.csv")
    books = [workbook(patients), workbook(more, file="more.csv")]
    study = propose_study(books).study
    cohort = assemble(study, books)
    (question,) = [item for item in seen(cohort).questions if "more.csv" in item.text]
    assert question.part is None
    assert f"{N} more ids match" in question.hint
    unknown = raw_table({"id": ["x", "y", *range(2, N)], "ECOG": [0, 1] * 6}, file="more.csv")
    exact = raw_table({"id": [str(at) for at in range(N)], "age": [40 + at for at in range(N)]})
    books = [workbook(exact), workbook(unknown, file="more.csv")]
    cohort = assemble(propose_study(books).study, books)
    assert [item for item in seen(cohort).questions if "more.csv" in item.text] == []


def test_adverse_events_in_columns_are_no_rows() -> None:
    columns = {"id": list(range(N)), "AE_rash": [0, 1, 2] * 4, "AE_fever": ["G1", None] * 6}
    book = book_of(columns)
    cohort = assemble(propose_study([book]).study, [book])
    said = " ".join(seen(cohort).outcomes)
    assert "Adverse events: in 2 columns of “patients.csv”, to confirm." in said


def test_of_many_long_levels_the_first_are_named() -> None:
    names = [f"Level {at:02d} {'of a long name ' * 4}".strip() for at in range(N)]
    cohort = make_cohort({"kind": names * 2}, endpoints={}, variables={"kind": Variable("Kind")})
    (line,) = [line for line in seen(cohort).variables if line.name == "Kind"]
    assert line.levels == f"{', '.join(names[:3])} and 9 more"
    assert len(line.bars) == N
