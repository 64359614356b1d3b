"""The cards of assessments and of treatment on the Data page."""

from __future__ import annotations

import pytest

from tests.pages.driver import (
    checked,
    click,
    drop,
    shown,
    start,
    study_file,
    study_of,
    with_tiny,
)

pytestmark = pytest.mark.pages

PATIENTS = "id,time (months),status,sex\n" + "\n".join(
    f"p{n},{n + 3},{'dead' if n % 2 else 'alive'},m" for n in range(6)
)
VISITS = "id,assessment date,target sum,overall response,new lesion\n" + "\n".join(
    f"p{n % 6},2021-0{1 + n // 6}-1{n % 6},{30 + n},{('SD', 'PR', 'PD')[n % 3]},"
    f"{'yes' if n % 4 == 0 else 'no'}"
    for n in range(12)
)
DOSES = "id,drug name,start date,stop date\n" + "\n".join(
    f"p{n},Anlotinib,2021-01-1{n},2021-0{n + 2}-01" for n in range(6)
)


def opened():
    return drop(
        start(), {"patients.csv": PATIENTS, "assessments.csv": VISITS, "exposures.csv": DOSES}
    )


def test_what_was_recognised_is_shown_confirmed_and_changed():
    at = opened()
    text = shown(at)
    assert "12 assessments of 6 patients, 12 evaluable." in text
    assert "6 rows of 6 patients, 1 drug." in text
    click(at, "visits.confirm")
    assert study_of(at).definitions.assessments.status == "confirmed"
    checked(at.selectbox(key="w:visits.new.assessments").set_value("(none)").run())
    found = study_of(at).definitions.assessments
    assert (found.new_lesion, found.new_lesion_values) == (None, ())
    click(at, "undo")
    assert study_of(at).definitions.assessments.new_lesion == "new lesion"


def test_they_are_removed_and_chosen_anew_by_hand():
    at = opened()
    click(at, "treatment.delete")
    assert study_of(at).definitions.exposures is None
    checked(at.selectbox(key="w:treatment.table").set_value("exposures").run())
    click(at, "treatment.begin")
    checked(at.selectbox(key="w:treatment.start.exposures").set_value("start date").run())
    assert study_of(at).definitions.exposures.start == "start date"
    assert "6 rows of 6 patients." in shown(at)


def test_without_such_tables_the_cards_say_so():
    assert shown(with_tiny()).count("No such table is here: add its sheet or file above.") == 2


WIDE = "id,time (months),status,first dose date,SLD_baseline,SLD_wk6,Response wk6,NL wk12,R12\n" + (
    "".join(
        f"p{n},{n + 3},{'dead' if n % 2 else 'alive'},2021-01-0{n + 1},{50 + n},{40 + n},"
        f"{('SD', 'PR', 'maybe')[n % 3] if n != 2 else 'PD'},{'yes' if n == 3 else 'no'},"
        f"{'PR' if n < 3 else 'worse'}\n"
        for n in range(6)
    )
)


def test_visits_in_columns_are_confirmed_changed_and_kept():
    at = drop(start(), {"wide.csv": WIDE.replace("maybe", "SD")})
    text = shown(at)
    assert "Visits in columns, one row a patient, in “wide.csv”." in text
    assert "12 assessments of 6 patients, 12 evaluable." in text
    assert "The tumour assessments were recognised and wait for a look." in text
    click(at, "visits.confirm")
    found = study_of(at).definitions.assessments
    assert (found.status, found.origin) == ("confirmed", "first dose date")
    # a visit by hand, whose response has a word of its own
    checked(at.selectbox(key="w:visits.which").set_value("(another visit)").run())
    key = "w:visits.form.(another visit)"
    at.text_input(key=f"{key}.name").set_value("Week 12")
    at.number_input(key=f"{key}.day").set_value(84)
    at.selectbox(key=f"{key}.overall").set_value("R12")
    at.selectbox(key=f"{key}.new_lesion").set_value("NL wk12")
    (save,) = [item for item in at.button if item.label == "Save this visit"]
    checked(save.click().run())
    found = study_of(at).definitions.assessments
    assert [(visit.name, visit.day) for visit in found.visits] == [
        ("Baseline", 0), ("Week 6", 42), ("Week 12", 84),
    ]  # fmt: skip
    assert "a value stands that nothing was said about" in shown(at)
    at.selectbox(key="w:visits.code.worse").set_value("PD")
    (save,) = [item for item in at.button if item.label == "Save what they mean"]
    checked(save.click().run())
    assert study_of(at).definitions.assessments.codes == {"worse": "PD"}
    checked(at.pills(key="w:visits.new.values").set_value(["yes"]).run())
    assert study_of(at).definitions.assessments.new_lesion_values == ("yes",)
    assert "nothing was said about" not in shown(at)
    kept = study_file(at)
    again = drop(start(), {"wide.csv": WIDE.replace("maybe", "SD"), "study.yaml": kept})
    assert study_of(again).definitions.assessments == study_of(at).definitions.assessments
    checked(at.selectbox(key="w:visits.which").set_value("Week 6").run())
    click(at, "visits.remove")
    visits = study_of(at).definitions.assessments.visits
    assert [visit.name for visit in visits] == ["Baseline", "Week 12"]


def test_visits_in_columns_are_begun_by_hand():
    at = drop(start(), {"wide.csv": WIDE})
    click(at, "visits.delete")
    assert study_of(at).definitions.assessments is None
    key = "w:visits.first.subjects"
    at.text_input(key=f"{key}.name").set_value("Last")
    at.selectbox(key=f"{key}.overall").set_value("R12")
    (save,) = [item for item in at.button if item.label == "Save this visit"]
    checked(save.click().run())
    (visit,) = study_of(at).definitions.assessments.visits
    assert (visit.name, visit.day, visit.overall) == ("Last", 0, "R12")


def test_study_days_and_ongoing_treatment_are_chosen_by_hand():
    patients = "id,time (months),status,first dose date\n" + "\n".join(
        f"p{n},{n + 3},{'dead' if n % 2 else 'alive'},2021-01-0{n + 1}" for n in range(6)
    )
    visits = "id,ady,overall response\n" + "\n".join(f"p{n},{43 + n},SD" for n in range(6))
    doses = "id,drug,from,to\n" + "\n".join(
        f"p{n},A,{1 + n},{'ongoing' if n == 5 else 50 + n}" for n in range(6)
    )
    files = {"patients.csv": patients, "visits.csv": visits, "doses.csv": doses}
    at = drop(start(), files)
    checked(at.selectbox(key="w:visits.table").set_value("visits").run())
    click(at, "visits.begin")
    checked(at.selectbox(key="w:visits.date.visits").set_value("(none)").run())
    checked(at.selectbox(key="w:visits.day.visits").set_value("ady").run())
    checked(at.selectbox(key="w:visits.origin").set_value("first dose date").run())
    found = study_of(at).definitions.assessments
    assert (found.date, found.day, found.origin, found.first_day) == (
        None, "ady", "first dose date", 1,
    )  # fmt: skip
    assert "6 assessments of 6 patients, 6 evaluable." in shown(at)
    checked(at.selectbox(key="w:treatment.table").set_value("doses").run())
    click(at, "treatment.begin")
    checked(at.selectbox(key="w:treatment.start.doses").set_value("from").run())
    checked(at.selectbox(key="w:treatment.stop.doses").set_value("to").run())
    checked(at.selectbox(key="w:treatment.ongoing.doses").set_value("to").run())
    checked(at.pills(key="w:treatment.ongoing.values.to").set_value(["ongoing"]).run())
    checked(at.segmented_control(key="w:treatment.times").set_value("days").run())
    found = study_of(at).definitions.exposures
    assert (found.start, found.stop, found.times) == ("from", "to", "days")
    assert found.ongoing_values == ("ongoing",)
    assert "6 rows of 6 patients" in shown(at)
