"""Several tables on the Data page: roles, joins in plain numbers, and who is a patient."""

from __future__ import annotations

import pytest

from sts_core.findings import FindingCode
from sts_core.study import CountOfRows, IdRule, RowChoice
from tests.pages.driver import (
    SURVIVAL,
    checked,
    click,
    cohort_line,
    confirm,
    drop,
    go,
    shown,
    start,
    study_of,
)

PATIENTS = "id,sex\nP-1,F\nP-2,M\nP-3,F\n"
SITES = "id,site\np-1,x\nP-2,y\n9,z\n"
VISITS = "id,visit,sex,score\na,1,F,3\na,2,F,4\nb,1,M,5\nb,2,M,6\nc,1,F,7\nc,2,F,8\n"


def test_ids_spelled_otherwise_are_offered_and_joined_on_a_click_only() -> None:
    at = drop(start(), {"patients.csv": PATIENTS, "sites.csv": SITES})
    assert "1 of 3 ids match; 2 rows of 2 unknown ids: rows 2, 4." in shown(at)
    assert "of 2 nothing is recorded here" in shown(at)
    click(at, "table.rule.sites")
    assert study_of(at).data.tables["sites"].id_rule is IdRule.SPELLING
    assert "2 of 3 ids match (case, blanks" in shown(at)
    click(at, "table.exact.sites")
    assert "1 of 3 ids match;" in shown(at)


def test_a_role_is_one_choice_away_and_undone() -> None:
    at = drop(start(), {"patients.csv": PATIENTS, "sites.csv": SITES})
    assert "sites" in {item.table for item in study_of(at).definitions.variables.values()}
    at.selectbox(key="w:table.role.sites_csv_").set_value("").run()
    assert list(study_of(at).data.tables) == ["subjects"]
    assert set(study_of(at).definitions.variables) == {"sex"}
    at.selectbox(key="w:table.role.sites_csv_").set_value("exposures").run()
    assert list(study_of(at).data.tables) == ["subjects", "exposures"]
    click(at, "undo")
    click(at, "undo")
    assert "sites" in study_of(at).data.tables


def test_a_further_file_is_added_and_one_of_the_same_name_replaces() -> None:
    at = drop(start(), {"patients.csv": PATIENTS})
    at.segmented_control(key="w:upload.adds").set_value("Add to these files").run()
    drop(at, {"groups.csv": "id,grp\nP-1,x\nP-2,y\nP-3,x\n"})
    assert list(study_of(at).data.tables) == ["subjects", "groups"]
    drop(at, {"patients.csv": PATIENTS + "P-4,F\n"})
    assert list(study_of(at).data.tables) == ["subjects", "groups"]
    assert "4 of 4 patients analysed" in cohort_line(at)
    assert "3 of 4 patients have a row here; of 1 nothing is recorded here" in shown(at)


@pytest.mark.parametrize(("take", "n"), [(RowChoice.LAST, 3), (RowChoice.EACH, 6)])
def test_no_number_before_it_is_said_who_is_a_patient(take: RowChoice, n: int) -> None:
    at = drop(start(), {"visits.csv": VISITS})
    workspace = at.session_state["workspace"]
    assert workspace.cohort is None
    assert FindingCode.ROWS_NOT_PATIENTS in {item.code for item in workspace.findings}
    assert "6 rows for 3 patients." in shown(at)
    assert "visit" in shown(at)
    at.selectbox(key="w:table.take").set_value(take).run()
    assert at.session_state["workspace"].cohort is None
    click(at, "table.take.confirm")
    assert f"{n} of {n} patients analysed" in cohort_line(at)


def test_without_a_patient_table_one_can_be_chosen() -> None:
    events = "USUBJID,AEDECOD,AETOXGR\na,x,1\na,y,2\nb,x,3\n"
    at = drop(start(), {"adae.csv": events, "other.csv": "USUBJID,AEDECOD,AETOXGR\nc,x,1\nc,y,2\n"})
    assert at.session_state["workspace"].cohort is None
    assert "Choose above which table holds the patients." in shown(at)
    at.selectbox(key="w:table.role.adae_csv_").set_value("subjects").run()
    assert "3 rows for 2 patients." in shown(at)


def test_a_single_table_without_patients_can_be_given_its_role() -> None:
    at = drop(start(), {"ae.csv": "id,term,grade\na,Rash,1\na,Fever,2\nb,Rash,3\n"})
    assert at.session_state["workspace"].cohort is None
    assert "3 rows, 3 columns; 2 ids in “id”" in shown(at)
    at.selectbox(key="w:table.role.ae_csv_").set_value("subjects").run()
    assert "3 rows for 2 patients." in shown(at)
    assert at.session_state["workspace"].cohort is None


@pytest.mark.parametrize(
    ("header", "rest", "said"),
    [
        ("id,time,status,eye", (",5,1,left", ",5,1,right"), "What tells the rows apart: “eye”."),
        ("id,time,status", (",5,1", ",5,1"), "No column tells them apart."),
    ],
)
def test_a_repeated_id_is_asked_about_with_what_tells_its_rows_apart(
    header: str, rest: tuple[str, str], said: str
) -> None:
    rows = "".join(f"{patient}{text}\n" for patient in range(1, 9) for text in rest)
    at = drop(start(), {"eyes.csv": f"{header}\n{rows}"})
    asked = shown(at)
    assert "16 rows for 8 patients" in asked
    assert said in asked


def test_dates_of_two_events_of_a_database_make_an_endpoint() -> None:
    head = "record_id,redcap_event_name,sex,first_dose_date,progression_date,last_contact_date\n"
    rows = "".join(
        f"{n},baseline_arm_1,{'FM'[n % 2]},2020-01-0{n},,\n"
        f"{n},month_3_arm_1,,,,2020-04-0{n}\n"
        f"{n},month_6_arm_1,,,{'2020-06-01' if n > 3 else ''},2020-07-0{n}\n"
        for n in range(1, 7)
    )
    at = drop(start(), {"export.csv": head + rows})
    assert "6 of 6 patients analysed" in cohort_line(at)
    assert "the rows of the patients have its columns" in shown(at)
    pfs = study_of(at).definitions.endpoints["PFS"]
    assert pfs.last_contact == ("last_contact_date (latest)",)
    contact = at.selectbox(key="w:endpoint.contact.PFS")
    assert "last_contact_date (month_3)" in contact.options
    assert "progression_date · month_6" in at.selectbox(
        key="w:endpoint.date.PFS.progression").options  # fmt: skip
    assert "6 patients with a time, 3 events, 3 censored." in shown(at)
    assert "“last_contact_date” is filled more than once for some patients; “latest” counts." in (
        shown(at)
    )
    click(at, "endpoint.confirm.PFS")
    assert study_of(at).definitions.endpoints["PFS"].is_confirmed


def test_a_patient_with_two_rows_in_a_table_of_one_is_named_and_settled_by_a_choice() -> None:
    numbers = range(1, 7)
    patients = "id,sex\n" + "".join(f"P-{n},{'FM'[n % 2]}\n" for n in numbers)
    response = "id,best_response\n" + "".join(f"P-{n},{'SD' if n < 3 else 'PR'}\n" for n in numbers)
    at = drop(start(), {"patients.csv": patients, "response.csv": response + "P-3,PD\n"})
    assert "S003 (rows 4, 8)" in shown(at)
    table = study_of(at).data.tables["response"]
    assert table.take is RowChoice.NONE
    at.selectbox(key="w:table.take.response").set_value(RowChoice.WORST).run()
    table = study_of(at).data.tables["response"]
    assert (table.take, table.take_by) == (RowChoice.WORST, "best_response")
    assert "S003 (rows 4, 8)" not in shown(at)
    at.selectbox(key="w:table.take.response").set_value("visits").run()
    assert list(study_of(at).data.tables) == ["subjects", "assessments"]
    click(at, "undo")
    assert study_of(at).data.tables["response"].take is RowChoice.WORST


def test_of_many_tables_only_those_with_a_question_are_unfolded() -> None:
    more = {
        f"t{n}.csv": f"id,x{n}\n" + "".join(f"P-{k},{k * n}\n" for k in (1, 2, 3)) for n in range(5)
    }
    at = drop(start(), {"patients.csv": PATIENTS, "sites.csv": SITES, **more})
    (folded,) = [item for item in at.expander if "more tables" in item.label]
    assert folded.label == "5 more tables: 5 joined; patient id and rows used"
    inside = {box.key for box in folded.selectbox}
    assert "w:table.role.t0_csv_" in inside
    assert "w:table.id" in inside
    assert not {"w:table.role.patients_csv_", "w:table.role.sites_csv_"} & inside
    assert "patients.csv (3 rows), sites.csv (3 rows) and 5 more files" in shown(at)
    at.selectbox(key="w:table.role.t0_csv_").set_value("").run()
    (folded,) = [item for item in at.expander if "more tables" in item.label]
    assert folded.label.startswith("5 more tables: 4 joined, 1 not used")


def test_ids_of_another_numbering_are_one_message_and_the_columns_that_agree_one_click() -> None:
    numbers = range(1, 7)
    patients = "id,Hospital no,sex\n" + "".join(f"P-{n},{900 + n},F\n" for n in numbers)
    visits = "id,Hospital no,x\n" + "".join(
        f"9/{n}0,{900 + n if n < 5 else ''},1\n" for n in numbers
    )
    at = drop(start(), {"patients.csv": patients, "more.csv": visits})
    assert "none of its 6 ids in “id” (1 digit, 1 slash, 2 digits) is one of the 6 in “id” of" in (
        shown(at)
    )
    at.selectbox(key="w:table.role.more_csv_").set_value("more").run()
    errors = [item for item in at.session_state["workspace"].findings if item.severity == "error"]
    assert [item.code for item in errors] == [FindingCode.SUBJECT_UNMATCHED]
    click(at, "table.other.more")
    source = study_of(at).data.tables["more"]
    assert (source.subject_id, source.patient_column) == ("Hospital no", "Hospital no")
    assert "4 of 4 ids match “Hospital no” of the patient table" in shown(at)
    click(at, "table.by_id.more")
    assert study_of(at).data.tables["more"].patient_column is None


def test_visits_alone_are_patients_and_assessments_in_one_step() -> None:
    rows = "".join(
        f"P{n},{'FM'[n % 2]},2020-0{k}-0{n},{10 * n + k},{'' if k == 1 else 'SD'}\n"
        for n in range(1, 8)
        for k in (1, 2, 3)
    )
    at = drop(start(), {"visits.csv": f"id,sex,Visit date,SLD,Response\n{rows}"})
    assert at.session_state["workspace"].cohort is None
    asked = shown(at)
    assert "21 rows for 7 patients." in asked
    assert "What never changes within a patient describes the patient: “sex”." in asked
    assert "The rows are also read as tumour assessments." in asked
    click(at, "table.take.confirm")
    assert "7 of 7 patients analysed" in cohort_line(at)
    cohort = at.session_state["workspace"].cohort
    assert cohort.tables["subjects"].frame["Visit date"].isna().all()
    assert len(cohort.tables["assessments"].frame) == 21
    assert set(study_of(at).definitions.variables) == {"sex"}


def test_of_lines_of_treatment_it_is_asked_which_one_is_studied() -> None:
    numbers = range(1, 8)
    patients = "id,sex,Start of treatment,Death date\n" + "".join(
        f"P{n},F,2020-03-0{n},2022-01-0{n}\n" for n in numbers
    )
    lines = "id,Line,Regimen,Start date\n" + "".join(
        f"P{n},{k},AI,{2018 + k}-03-0{n}\n" for n in numbers for k in range(1, 2 + n % 3)
    )
    at = drop(start(), {"patients.csv": patients, "lines.csv": lines})
    assert "its columns are of lines of treatment" in shown(at)
    assert "nobody has said which line is the treatment that is studied" in shown(at)
    assert {"number_of_lines", "prior_lines"} <= set(study_of(at).definitions.variables)
    assert "treatment.confirm" not in {button.key for button in at.button}
    checked(at.selectbox(key="w:treatment.index.exposures").set_value("at_start").run())
    found = study_of(at).definitions.exposures
    assert (found.line, found.index_start) == ("Line", "Start of treatment")
    assert "5 rows of 5 patients, 1 drug. 9 rows of other lines." in shown(at)
    click(at, "treatment.confirm")
    assert study_of(at).definitions.exposures.status == "confirmed"
    checked(at.selectbox(key="w:derive.how").set_value("count_of_rows").run())
    checked(at.selectbox(key="w:derive.rows.of.exposures").set_value("Regimen").run())
    click(at, "derive.add")
    derived = [item.derived for item in study_of(at).definitions.variables.values()]
    assert CountOfRows("exposures", "Regimen") in derived


def test_two_sources_of_one_endpoint_are_compared_and_unnamed_pairs_can_be_named() -> None:
    numbers = range(1, 8)
    adsl = "USUBJID,TRTSDT,DTHDT,LSTALVDT\n" + "".join(
        f"X{n},2020-01-01,{'2021-01-01' if n % 2 else ''},2021-01-01\n" for n in numbers
    )
    adtte = "USUBJID,PARAMCD,PARAM,AVAL,AVALU,CNSR\n" + "".join(
        f"X{n},OS,Overall Survival,{367 + 90 * (n == 3)},DAYS,{1 - n % 2}\n" for n in numbers
    )
    at = drop(start(), {"adsl.csv": adsl, "adtte.csv": adtte})
    said = "OS by the parameters of “adtte.csv” and from the dates of “adsl.csv”: 1 patient has"
    assert said in shown(at)
    pairs = "t1,d1,z1\n" + "".join(f"{9 * n},{n % 2},{n % 3}\n" for n in range(20))
    drop(at, {"pairs.csv": pairs})
    assert "“t1” with “d1” may be times with their status" in shown(at)
    checked(at.text_input(key="w:endpoint.label.T1").set_value("Time to relapse").run())
    endpoint = study_of(at).definitions.endpoints["T1"]
    assert endpoint.label == "Time to relapse"
    assert not endpoint.is_confirmed


def test_numbers_that_begin_anew_in_each_centre_are_ids_with_the_centre() -> None:
    rows = "".join(f"{centre},{n},{'FM'[n % 2]}\n" for centre in "ABC" for n in range(1, 8))
    events = "".join(f"{centre},{n},x\n" for centre in "AB" for n in range(1, 8) for _ in "ab")
    at = drop(start(), {"p.csv": f"Centre,Patient no,Sex\n{rows}",
                        "v.csv": f"Centre,Patient no,AE term\n{events}"})  # fmt: skip
    assert "21 of 21 patients analysed" in cohort_line(at)
    assert "together are taken for the patient id, which makes 21 patients" in shown(at)
    at.selectbox(key="w:table.id_with").set_value("(nothing: it is the id)").run()
    assert study_of(at).data.tables["subjects"].id_with == ()
    assert "21 rows for 7 patients." in shown(at)
    checked(at.selectbox(key="w:table.id_with").set_value("Centre").run())
    assert "21 of 21 patients analysed" in cohort_line(at)


def test_of_an_arm_and_its_code_the_arm_in_words_is_offered() -> None:
    rows = "".join(
        f"{n},{n + 3},{n % 2},ARM {'AB'[n % 2]},{'AB'[n % 2]}: Drug\n" for n in range(12)
    )
    at = drop(start(), {"adsl.csv": f"id,OS months,OS event,ARMCD,ARM\n{rows}"})
    confirm(at, "OS", unit="months", events=["1"])
    go(at, SURVIVAL)
    offered = at.selectbox(key="w:km.by").options
    assert "Arm" in offered
    assert "ARMCD" not in offered
    assert "Same grouping as Arm: ARMCD." in at.selectbox(key="w:km.by").help
