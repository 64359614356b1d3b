"""The cards of assessments and of treatment on the Data page."""

from __future__ import annotations

import pytest

from tests.pages.driver import checked, click, drop, shown, start, study_of, with_tiny

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
