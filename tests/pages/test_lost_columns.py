"""A study file beside data that lack one of its columns: pages stay up and say what is gone."""

from __future__ import annotations

import pytest

from tests.pages.driver import (
    COHORT,
    PATHS,
    SURVIVAL,
    click,
    confirm,
    drop,
    go,
    shown,
    start,
    study_file,
    study_of,
)

ROWS = "".join(
    f"{i},{'FM'[i % 2]},{i % 3},{40 + i},{3 + i},{int(i % 4 != 0)},{('PR', 'SD', 'PD')[i % 3]}\n"
    for i in range(1, 31)
)
HEADER = "id,sex,ecog,age,time_months,dead,best_response\n"


def kept_choices() -> str:
    """Give the study file of the complete data."""
    at = drop(start(), {"cut.csv": HEADER + ROWS})
    confirm(at, next(iter(study_of(at).definitions.endpoints)), unit="months", events=["1"])
    return study_file(at)


@pytest.fixture(scope="module")
def choices() -> str:
    """Give the study file of the complete data, made once."""
    return kept_choices()


@pytest.mark.parametrize("lost", ["ecog", "age", "time_months", "dead", "best_response"])
def test_a_lost_column_takes_no_page_down(choices: str, lost: str) -> None:
    at = drop(start(), {"cut.csv": HEADER.replace(lost, "other") + ROWS, "study.yaml": choices})
    assert f"“{lost}”" in shown(at)
    for path in PATHS:
        go(at, path)
    if lost in ("time_months", "dead"):
        go(at, SURVIVAL)
        assert "The files lack what the endpoints are read from" in shown(at)
        assert f"“{lost}”" in shown(at)
    if lost == "ecog":
        go(at, SURVIVAL)
        assert "ecog" not in at.selectbox(key="w:km.by").options
    go(at, "pages/report.py")
    click(at, "report.usual")
    assert "can't be computed" not in shown(at) or lost == "best_response"
    assert lost in study_file(at)  # nothing that was chosen is lost


def test_the_cohort_page_has_its_table_of_what_is_left(choices: str) -> None:
    at = drop(start(), {"cut.csv": HEADER.replace("ecog", "other") + ROWS, "study.yaml": choices})
    go(at, COHORT)
    assert "Sex" in shown(at)
