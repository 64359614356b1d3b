"""Missing codes and number marks on the Data page."""

from __future__ import annotations

import pytest

from sts_core.study import load_study
from tests.pages.driver import checked, click, drop, shown, start, study_file, study_of

pytestmark = pytest.mark.pages

FILE = "id;time (months);status;age;ldh\n" + "".join(
    f"p{n};{n + 2};{'dead' if n % 2 else 'alive'};{-99 if n < 3 else 40 + n};"
    f"{'1.500' if n < 2 else f'2{n},5'}\n"
    for n in range(12)
)


def test_codes_and_marks_are_shown_with_their_effect_and_undone():
    at = drop(start(), {"clinic.csv": FILE})
    checked(at.text_input(key="w:reading.codes.subjects").set_value("-99; alive").run())
    assert "“status”: known in 12 of 12 rows, then in 6" in shown(at)
    assert "“age”: known" not in shown(at)  # the code is the variable's own already
    click(at, "reading.codes.use")
    assert study_of(at).data.tables["subjects"].missing_codes == ("-99", "alive")
    assert "This would change" not in shown(at)
    checked(at.selectbox(key="w:reading.column.subjects").set_value("ldh").run())
    marks = at.radio(key="w:reading.marks.subjects.ldh")
    checked(marks.set_value(",.").run())
    click(at, "reading.marks.use")
    found = study_of(at).data.tables["subjects"].columns["ldh"]
    assert (found.decimal, found.thousands, found.status) == (",", ".", "confirmed")
    assert load_study(study_file(at)).data == study_of(at).data
    click(at, "undo")
    click(at, "undo")
    assert study_of(at).data.tables["subjects"].missing_codes == ()


def test_a_code_that_stands_nowhere_is_said_to_change_nothing():
    at = drop(start(), {"clinic.csv": FILE})
    checked(at.text_input(key="w:reading.codes.subjects").set_value("banana").run())
    assert "No cell of this table would be read in another way." in shown(at)


def test_an_assumption_is_agreed_with_in_the_overview():
    at = drop(start(), {"clinic.csv": FILE.replace("1.500", "1,500").replace(",5\n", ",555\n")})
    asked = [button for button in at.button if button.label == "That is right"]
    assert len(asked) == 2, shown(at)
    assert "“ldh” can be read in two ways" in shown(at)
    checked(asked[0].click().run())
    asked = [button for button in at.button if button.label == "That is right"]
    checked(asked[0].click().run())
    assert not [button for button in at.button if button.label == "That is right"]
    assert "“ldh” can be read in two ways" not in shown(at)


def test_dates_of_assessments_that_read_two_ways_are_asked():
    patients = "id,time (months),status\n" + "".join(
        f"p{n},{n + 3},{'dead' if n % 2 else 'alive'}\n" for n in range(6)
    )
    visits = "id,assessment date,overall response\n" + "".join(
        f"p{n % 6},0{1 + n % 5}/0{1 + n % 7}/2021,{('SD', 'PR', 'PD')[n % 3]}\n" for n in range(12)
    )
    at = drop(start(), {"patients.csv": patients, "assessments.csv": visits})
    assert "The dates of “assessment date” can be read in two ways" in shown(at)
    checked(at.selectbox(key="w:reading.table").set_value("assessments").run())
    order = at.segmented_control(key="w:reading.order.assessments.assessment date")
    assert "“assessment date” can be read two ways" in order.label
    assert order.options == [
        "day, month, year: 2021-01-01 to 2021-07-05", "month, day, year: 2021-01-01 to 2021-05-07",
    ] or len(order.options) == 2  # fmt: skip
    checked(order.set_value("mdy").run())
    found = study_of(at).data.tables["assessments"].columns["assessment date"]
    assert (found.date_order, found.status) == ("mdy", "confirmed")
    assert "“assessment date” can be read" not in shown(at)


def test_years_of_two_digits_are_asked_and_kept() -> None:
    rows = "".join(
        f"p{n};1{n}.0{1 + n}.{38 + 9 * n};1{n}.03.{18 + n % 3};"
        f"{'' if n % 2 else f'2{n}.11.21'};2{n}.11.21\n"
        for n in range(6)
    )
    at = drop(start(), {"a.csv": f"id;date of birth;first dose;date of death;last contact\n{rows}"})
    assert "Years of two digits in a.csv: 4 columns of dates" in shown(at)
    assert "have years of two digits, which are not read" in shown(at)
    birth = at.selectbox(key="w:reading.years.subjects.date of birth")
    assert birth.value.startswith("(not said")
    assert birth.options[1].startswith("day, month, year; all years in the 1900s: ages 3")
    assert "1938" not in shown(at), "no date of birth is shown"
    assert at.button(key="reading.years.use.subjects").disabled
    click(at, "reading.years.first.subjects")
    columns = study_of(at).data.tables["subjects"].columns
    assert {(item.date_order, item.last_year, item.status) for item in columns.values()} == {
        ("dmy", columns["last contact"].last_year, "confirmed")
    }
    assert "Years of two digits in a.csv" not in shown(at)
    assert "6 patients, 3 events" in shown(at)
    assert load_study(study_file(at)).data == study_of(at).data
    contact = at.selectbox(key="w:reading.years.subjects.last contact")
    other = next(option for option in contact.options if "all years in the 1900s" in option)
    checked(contact.set_value(other).run())
    assert study_of(at).data.tables["subjects"].columns["last contact"].last_year == 1999
    click(at, "undo")
    assert study_of(at).data.tables["subjects"].columns == columns
