"""Public cohorts, and made-up ones with the traps of others, from the file to the estimate."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sts_core.analysis.plan import run_plan
from sts_core.criteria import apply_criteria
from sts_core.derive import survival_data
from sts_core.findings import FindingCode, StudyError
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.study import Study, TimeUnit
from sts_core.study.types import Endpoint, RowChoice
from tests.confirming import confirmed
from tests.doubles import book_of

REFERENCE = Path(__file__).parents[1] / "reference"
TWELVE = range(12)
IDS = [str(number) for number in range(101, 113)]
TIMES = ["306", "455", "1010", "210", "883", "1022", "310", "361", "218", "166", "170", "654"]


def read(name: str) -> Workbook:
    return read_bytes(name, (REFERENCE / name).read_bytes())


def cycle(*cells: Any) -> list[Any]:
    return [cells[at % len(cells)] for at in TWELVE]


def expected(cohort: str, endpoint: str, group_var: str) -> dict[str, dict[str, str]]:
    with (REFERENCE / "public_cohorts_expected.csv").open(encoding="utf-8") as file:
        return {
            row["group"]: row
            for row in csv.DictReader(file)
            if (row["cohort"], row["endpoint"], row["group_var"]) == (cohort, endpoint, group_var)
        }


def computed(book: Workbook, endpoint: str, by: str | None) -> tuple[Study, list[dict[str, Any]]]:
    """Confirm the proposal as it is, and compute one curve with R's default interval."""
    study = confirmed(propose_study([book]).study)
    spec: dict[str, Any] = {"kind": "kaplan_meier", "endpoint": endpoint, "conf_type": "log"}
    if by is not None:
        spec["by"] = by
    study = replace(study, analysis=replace(study.analysis, specs=(spec,)))
    done = run_plan(apply_criteria(assemble(study, [book]), study))
    return study, [row.as_dict() for item in done for row in item.analysis.rows(item.result)]


def number(text: str) -> float | None:
    return float(text) if text else None


@pytest.mark.parametrize(
    ("file", "cohort", "endpoint", "header", "by"),
    [
        ("tcga_sarc_2017.csv", "tcga_sarc_2017", "OS", "", None),
        ("tcga_sarc_2017.csv", "tcga_sarc_2017", "OS", "short histo", "histotype"),
        ("tcga_sarc_2017.csv", "tcga_sarc_2017", "RFS", "", None),
        ("tcga_sarc_2017.csv", "tcga_sarc_2017", "DSS", "", None),
        ("asaur_pancreatic.csv", "asaur_pancreatic", "OS", "", None),
        ("asaur_pancreatic.csv", "asaur_pancreatic", "PFS", "stage", "stage"),
    ],
)
def test_a_public_file_gives_the_reference_numbers_with_confirmations_alone(
    file: str, cohort: str, endpoint: str, header: str, by: str | None
) -> None:
    wanted = expected(cohort, endpoint, header)
    assert wanted
    study, rows = computed(read(file), endpoint, by)
    codes = study.definitions.variables[by].codes if by else {}
    medians = {row["group"] or "": row for row in rows if row["statistic"] == "median"}
    for group, reference in wanted.items():
        found = medians[codes.get(group, group)]
        assert (found["n"], found["events"]) == (int(reference["n"]), int(reference["events"]))
        assert found["value"] == number(reference["median"])
        assert found["low"] == number(reference["log_low"])
        assert found["high"] == number(reference["log_high"])
    if by:
        (test,) = [row for row in rows if row["statistic"] == "logrank_chi_square"]
        assert test["value"] == pytest.approx(float(next(iter(wanted.values()))["chi_square"]))


def test_three_codings_of_a_status_in_one_file() -> None:
    endpoints = propose_study([read("tcga_sarc_2017.csv")]).study.definitions.endpoints
    assert {code: (item.events, item.censored) for code, item in endpoints.items()} == {
        "OS": ({"death": ("Dead",)}, ("Alive",)),
        "RFS": ({"recurrence": ("Relapse",)}, ("Non-Relapse",)),
        "DSS": ({"death from the disease": (1,)}, (0,)),
    }
    assert endpoints["DSS"].time == endpoints["OS"].time == "OS days"


def test_the_rows_of_parameters_are_never_patients() -> None:
    book = read("tern_adtte.csv")
    proposal = propose_study([book])
    assert FindingCode.ROWS_NOT_PATIENTS in {item.code for item in proposal.findings}
    endpoints = proposal.study.definitions.endpoints
    assert {code: (item.events, item.unit) for code, item in endpoints.items()} == {
        "OS": ({"death": (0,)}, TimeUnit.DAYS),
        "PFS": ({"progression or death": (0,)}, TimeUnit.DAYS),
    }


def coding_question(columns: dict[str, list[Any]], code: str) -> tuple[Study, Question]:
    proposal = propose_study([book_of(columns)])
    (question,) = [
        item
        for item in proposal.questions
        if item.kind is QuestionKind.EVENT_CODING and item.endpoint == code
    ]
    return proposal.study, question


@pytest.mark.parametrize(
    ("time", "status", "cells", "code", "events", "censored"),
    [
        ("time", "status", cycle("1", "2"), "TTE", {"event": (2,)}, (1,)),
        ("time", "status", cycle("0", "1", "2"), "TTE", {}, ()),
        ("survTime", "status", cycle("0", "2", "1"), "TTE", {}, ()),
        ("OS days", "OS status", [*cycle("0", "1")[:10], "7", "lost"], "OS", {}, ()),
        ("OS days", "Censor = 1 means event", cycle("1", "0"), "OS", {"death": (1,)}, (0,)),
        ("OS days", "OS (1 = censored)", cycle("1", "0"), "OS", {"death": (0,)}, (1,)),
        ("OS (mo)", "OS status (0=alive, 1=dead)", cycle("1", "0"), "OS", {"death": (1,)}, (0,)),
        ("生存（天）", "状态（1=死亡，0=存活）", cycle("1", "0"), "OS", {"death": (1,)}, (0,)),
        ("生存（天）", "状态（1=存活，2=死亡）", cycle("1", "2"), "OS", {"death": (2,)}, (1,)),
        ("OS days", "OS, dead=1", cycle("1", "0"), "OS", {"death": (1,)}, (0,)),
        ("OS days", "vital status", cycle("Dead"), "OS", {"death": ("Dead",)}, ()),
        ("OS days", "death", cycle("0"), "OS", {}, (0,)),
        ("OS days", "OS status", cycle("2"), "OS", {}, ()),
    ],
)  # fmt: skip
def test_the_event_is_proposed_with_counts_or_asked_and_never_taken_for_granted(
    time: str, status: str, cells: list[Any], code: str, events: Any, censored: Any
) -> None:
    study, question = coding_question({"id": IDS, time: TIMES, status: cells}, code)
    endpoint = study.definitions.endpoints[code]
    assert (endpoint.events, set(endpoint.censored)) == (events, set(censored))
    assert not endpoint.is_confirmed
    assert sum(count for _, count in question.counts) == 12
    assert (question.guess is None) == (not events and not censored)


def test_a_file_of_one_patient_has_its_endpoint() -> None:
    columns = {"id": ["1"], "OS days": ["5"], "death": ["1"]}
    study, question = coding_question(columns, "OS")
    assert "only value" in question.reason
    assert survival_data(assemble(study, [book_of(columns)]), "OS").n == 1


def test_two_rows_a_patient_are_endpoints_and_repeated_ids_are_refused() -> None:
    twice = {
        "id": [text for text in IDS for _ in range(2)],
        "time": [str(at + 100) for at in range(24)],
        "status": ["1", "0", "0"] * 8,
    }
    with_kind = {**twice, "etype": ["2", "1"] * 12}
    assert set(propose_study([book_of(with_kind)]).study.definitions.endpoints) == {
        "TTE_1", "TTE_2",
    }  # fmt: skip
    study = confirmed(propose_study([book_of(twice)]).study)
    with pytest.raises(StudyError):
        assemble(study, [book_of(twice)])


def dated(**changes: list[Any]) -> dict[str, list[Any]]:
    return {
        "id": IDS,
        "first dose date": ["2020-01-01"] * 12,
        "progression date": ["2020-05-01" if at % 2 else None for at in TWELVE],
        "last contact date": ["2021-05-01"] * 12,
        **changes,
    }


def test_a_date_column_with_many_unreadable_cells_is_proposed_and_they_are_listed() -> None:
    columns = dated(**{"progression date": cycle("2020-05-01", "2020-06-01", "in spring", None)})
    study, question = coding_question(columns, "PFS")
    assert "3 of 9 cells of “progression date” are no date" in question.reason
    cohort = assemble(study, [book_of(columns)])
    assert survival_data(cohort, "PFS").n == 9
    found = {item.code: item for item in survival_findings(study, columns)}
    assert found[FindingCode.DATE_UNREADABLE].rows == (4, 8, 12)


def survival_findings(study: Study, columns: dict[str, list[Any]]) -> list[Any]:
    from sts_core.checks import check_cohort

    return list(check_cohort(assemble(study, [book_of(columns)])))


def test_nobody_died_is_an_endpoint_without_events_and_said() -> None:
    columns = dated(**{"death date": [None] * 12})
    study, question = coding_question(columns, "OS")
    assert "“death date” is empty" in question.reason
    data = survival_data(assemble(study, [book_of(columns)]), "OS")
    assert (data.n, int(data.event.sum())) == (12, 0)


def test_codes_that_the_header_explains_are_named() -> None:
    columns = {"id": IDS, "性别（1=男，2=女）": cycle("1", "2", "2"), "const": ["x"] * 12}
    proposal = propose_study([book_of(columns)])
    sex = proposal.study.definitions.variables["sex"]
    assert sex.codes == {"1": "Male", "2": "Female"}
    reason = proposal.evidence["性别（1=男，2=女）"].reason
    assert "1 = Male (4)" in reason
    assert "2 = Female (8)" in reason
    assert "left out" in proposal.evidence["const"].reason


def estimated(study: Study, book: Workbook, endpoint: str) -> tuple[int, int, float | None]:
    """Give patients, events and the median of everyone together."""
    spec = {"kind": "kaplan_meier", "endpoint": endpoint, "conf_type": "log"}
    study = replace(study, analysis=replace(study.analysis, specs=(spec,)))
    (done,) = run_plan(apply_criteria(assemble(study, [book]), study))
    rows = [row.as_dict() for row in done.analysis.rows(done.result)]
    (median,) = [row for row in rows if row["statistic"] == "median"]
    return median["n"], median["events"], median["value"]


def test_a_row_of_each_kind_of_event_gives_each_patient_once_per_endpoint() -> None:
    """As in the adjuvant trial of colon cancer: recurrence is etype 1, death is etype 2."""
    columns = {
        "id": [text for text in IDS for _ in range(2)],
        "rx": [arm for at in TWELVE for arm in (("Obs", "Lev")[at % 2],) * 2],
        "time": [time for at in TWELVE for time in (str(200 + 10 * at), str(100 + 10 * at))],
        "status": [text for at in TWELVE for text in ("1" if at < 6 else "0", "1")],
        "etype": ["2", "1"] * 12,
    }
    book = book_of(columns)
    study = propose_study([book]).study
    with pytest.raises(StudyError):
        assemble(study, [book])  # nobody has said who is a patient
    study = confirmed(with_unit(study, TimeUnit.DAYS))
    assert estimated(study, book, "TTE_1") == (12, 12, 155.0)
    # the curve stays at one half from day 250 to the end, day 310
    assert estimated(study, book, "TTE_2") == (12, 6, 280.0)
    assert study.definitions.variables["arm"].levels == ("Lev", "Obs")


def with_unit(study: Study, unit: TimeUnit) -> Study:
    endpoints = {
        code: replace(item, unit=unit) for code, item in study.definitions.endpoints.items()
    }
    return replace(study, definitions=replace(study.definitions, endpoints=endpoints))


def test_two_infections_of_a_patient_are_two_rows_once_that_is_said() -> None:
    """As in the catheters of dialysis patients: the rows of an id may each count."""
    columns = {
        "id": [text for text in IDS[:6] for _ in range(2)],
        "time": TIMES,
        "status": cycle("1", "1", "0"),
        "sex": [text for at in range(6) for text in (str(1 + at % 2),) * 2],
    }
    book = book_of(columns)
    study = confirmed(with_unit(propose_study([book]).study, TimeUnit.DAYS))
    with pytest.raises(StudyError):
        assemble(study, [book])
    source = replace(study.data.tables["subjects"], take=RowChoice.EACH)
    study = replace(study, data=replace(study.data, tables={"subjects": source}))
    n, events, _ = estimated(study, book, "TTE")
    assert (n, events) == (12, 8)


def test_columns_without_names_that_say_anything_are_asked_or_chosen_by_hand() -> None:
    """As in the marrow transplants: t1 with d1, and t2 with d3, which no header tells."""
    columns = {"group": cycle("1", "2", "3"), "t1": TIMES, "d1": cycle("0", "1")}
    book = book_of(columns)
    proposal = propose_study([book])
    assert proposal.questions[0].kind is QuestionKind.ENDPOINT
    pair = proposal.study.definitions.endpoints["T1"]
    assert (pair.time, pair.event, pair.unit, pair.is_confirmed) == ("t1", "d1", None, False)
    by_hand = Endpoint(
        label="Overall survival", time="t1", unit=TimeUnit.DAYS, event="d1",
        events={"death": (1,)}, censored=(0,),
    )  # fmt: skip
    definitions = replace(proposal.study.definitions, endpoints={"OS": by_hand})
    study = confirmed(replace(proposal.study, definitions=definitions))
    n, events, median = estimated(study, book, "OS")
    assert (n, events) == (12, 6)
    assert median is not None


def test_a_third_value_of_a_status_is_an_event_of_another_kind_once_named() -> None:
    """As in prostate cancer: 1 is death from it, 2 is another death, 0 is alive."""
    columns = {"id": IDS, "survTime": TIMES, "status": cycle("0", "1", "2")}
    book = book_of(columns)
    study = with_unit(propose_study([book]).study, TimeUnit.MONTHS)
    with pytest.raises(StudyError):
        estimated(study, book, "TTE")
    endpoint = replace(
        study.definitions.endpoints["TTE"], events={"cancer": (1,), "other": (2,)}, censored=(0,)
    )
    study = replace(study, definitions=replace(study.definitions, endpoints={"TTE": endpoint}))
    assert estimated(confirmed(study), book, "TTE")[:2] == (12, 8)


def test_a_column_called_cens_in_which_one_is_the_event_comes_out_right_and_is_asked() -> None:
    """As in the breast cancer study: the shorter times have cens = 1, the event."""
    long = [str(1000 + at) for at in range(6)]
    short = [str(100 + at) for at in range(6)]
    columns = {"time": [*long, *short], "cens": ["0"] * 6 + ["1"] * 6}
    study, question = coding_question(columns, "TTE")
    assert study.definitions.endpoints["TTE"].events == {"event": (1,)}
    assert "used both ways" in question.reason
    turned, _ = coding_question({**columns, "cens": ["1"] * 6 + ["0"] * 6}, "TTE")
    assert turned.definitions.endpoints["TTE"].events == {"event": (0,)}


def test_times_below_zero_are_left_out_and_named() -> None:
    columns = {"id": IDS, "times": ["-7", *TIMES[1:]], "vital_status": cycle("1", "0")}
    book = book_of(columns)
    study = confirmed(with_unit(propose_study([book]).study, TimeUnit.DAYS))
    assert study.data.tables["subjects"].missing_codes == ()
    assert estimated(study, book, "OS")[0] == 11
    found = {item.code: item for item in survival_findings(study, columns)}
    assert found[FindingCode.TIME_NEGATIVE].rows == (2,)
