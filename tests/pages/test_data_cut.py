"""The former data cut on the Data page."""

from __future__ import annotations

import pytest

from tests.pages.driver import PATHS, checked, click, confirm, drop, go, shown, start, study_file

pytestmark = pytest.mark.pages

FORMER = "id,time (months),status,arm\n" + "\n".join(
    f"p{n},{n + 3},{('alive', 'dead')[n % 2]},{'ab'[n % 2]}" for n in range(10)
)
NOW = (
    FORMER.replace("p2,5,alive", "p2,9,dead").replace("p3,6,dead", "p3,6,alive") + "\np10,4,dead,a"
)


def with_both():
    at = confirm(drop(start(), {"now.csv": NOW}), "TTE", unit="months", events=["dead"])
    uploader = next(item for item in at.get("file_uploader") if "former" in item.label)
    uploader.upload("former.csv", FORMER.encode(), "text/csv")
    return checked(at.run())


def test_two_cuts_stand_side_by_side():
    at = with_both()
    text = shown(at)
    assert "Patients in the file 10 11" in text
    assert "New patients: row 12 of this file." in text
    assert "the event of 1 patient is gone (row 5)" in text
    click(at, "former.remove")
    assert "Patients in the file" not in shown(at)


def test_the_study_file_says_in_the_next_cut_what_differs():
    at = confirm(drop(start(), {"now.csv": FORMER}), "TTE", unit="months", events=["dead"])
    from sts_core.data_cut import remembering
    from sts_core.study import dump_study

    kept = dump_study(remembering(at.session_state["workspace"].cohort))
    assert kept != study_file(at)
    later = drop(start(), {"later.csv": NOW.replace("arm", "group"), "study.yaml": kept})
    text = shown(later)
    assert "11 patients (then 10)" in text
    assert "The column “arm” is no longer there" in text


def test_the_other_pages_go_on_with_the_present_cut():
    at = with_both()
    for path in PATHS:
        go(at, path)
        assert at.session_state["workspace"].cohort.n == 11
