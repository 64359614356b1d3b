"""The card of what the privacy gate left out."""

from __future__ import annotations

import pytest

from tests.pages.driver import PATHS, checked, click, drop, go, shown, start, study_of, with_sample
from tests.test_privacy_everywhere import WORDS, canaries, file

pytestmark = pytest.mark.pages


def labels(at):
    return [item.label for item in at.expander]


def all_words(at):
    """Give every text that the page sent, those of widgets and tables included."""
    return "\n".join(repr(element.proto) for element in at.main) + shown(at)


def with_canaries():
    return drop(start(), {"clinic.csv": file()})


def test_the_card_names_columns_and_kinds_but_no_value():
    at = with_canaries()
    (label,) = [text for text in labels(at) if text.startswith("Privacy")]
    assert label.startswith("Privacy: 8 columns were left out: names of persons (2)")
    text = shown(at)
    for column in canaries():
        assert column in text
    assert "The age in whole years was derived first" in text
    assert not [word for word in WORDS if word in all_words(at)]


@pytest.mark.parametrize("path", PATHS)
def test_no_page_shows_a_value_of_a_column_that_is_left_out(path):
    at = go(with_canaries(), path)
    assert not [word for word in WORDS if word in all_words(at)]


def test_a_column_is_let_in_and_left_out_again_and_undone():
    at = with_canaries()
    columns = [item.column for item in at.session_state["workspace"].cohort.left_out["subjects"]]
    number = columns.index("Religion")
    click(at, f"privacy.let_in.{number}")
    source = study_of(at).data.tables["subjects"]
    assert source.let_in == ("Religion",)
    assert "Religion" not in source.left_out
    assert "Religion" in at.session_state["workspace"].cohort.tables["subjects"].frame.columns
    at.selectbox(key="w:privacy.column").set_value("clinic.csv: Religion")
    checked(next(item for item in at.button if item.label == "Leave it out").click().run())
    assert study_of(at).data.tables["subjects"].left_out["Religion"] == "by_hand"
    click(at, "undo")
    click(at, "undo")
    assert study_of(at).data.tables["subjects"].let_in == ()


def test_a_column_that_something_rests_on_is_not_left_out_by_hand():
    at = with_canaries()
    at.selectbox(key="w:privacy.column").set_value("clinic.csv: sex")
    checked(next(item for item in at.button if item.label == "Leave it out").click().run())
    assert "“sex” is used by “Sex”: remove these first." in [
        item.value.replace("\\", "") for item in at.error
    ]
    assert "sex" not in study_of(at).data.tables["subjects"].left_out


def test_the_sample_loses_no_column():
    assert "Privacy: no column was left out" in labels(with_sample())
