"""Nothing that a person did is lost, and nothing that nobody chose is taken for a choice.

Streamlit ends a run when a further click arrives, and its messages stay unsent; a browser that is
behind sends what it last knew. Both are remade here without a browser.
"""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.driver import (
    COHORT,
    DATA,
    PATHS,
    SURVIVAL,
    checked,
    click,
    edit_cells,
    go,
    run_with,
    shown,
    study_of,
    table_id,
    with_sample,
    with_tiny,
)


def _inputs(at: AppTest) -> list[Any]:
    kinds = (
        "selectbox", "multiselect", "pills", "segmented_control", "radio", "toggle", "checkbox",
        "text_input", "number_input", "date_input", "slider",
    )  # fmt: skip
    found = [item for kind in kinds for item in getattr(at, kind)]
    return [item for item in found if item.key and item.key.startswith("w:")]


def _default(item: Any) -> Any:
    """Give what a browser shows that knows nothing but the default."""
    proto = item.proto
    match item.type:
        case "selectbox" | "radio":
            return proto.options[proto.default] if proto.HasField("default") else None
        case "multiselect":
            return [proto.options[place] for place in proto.default]
        case "button_group" | "pills" | "segmented_control":
            return [proto.options[place].content for place in proto.default]
        case "slider":
            return list(proto.default)
        case "number_input":
            return proto.default if proto.HasField("default") else None
        case "date_input":
            return list(proto.default)
        case _:
            return proto.default


def _value(item: Any) -> Any:
    """Give what the app goes by, as the browser would show it."""
    proto = item.proto
    match item.type:
        case "selectbox" | "radio":
            return None if item.value is None else item.format_func(item.value)
        case "multiselect":
            return [item.format_func(value) for value in item.value]
        case "button_group" | "pills" | "segmented_control":
            chosen = item.value if isinstance(item.value, list) else [item.value]
            return [item.format_func(value) for value in chosen if value is not None]
        case "slider":
            return [pytest.approx(value) for value in item.value] if proto.data_type < 2 else None
        case "date_input":
            return [] if item.value is None else [item.value.strftime("%Y-%m-%d")]
        case "number_input":
            return item.value
        case "toggle" | "checkbox":
            return bool(item.value)
        case _:
            return item.value or ""


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_that_was_told_nothing_shows_what_the_app_goes_by(path: str) -> None:
    at = go(with_sample(), path)
    for by in ("histotype", "sex"):
        if path == SURVIVAL:
            checked(at.selectbox(key="w:km.by").set_value(by).run())
    inputs = _inputs(at)
    assert inputs or path == "pages/report.py"
    for item in inputs:
        value = _value(item)
        assert value is None or _default(item) == value, item.key


def test_a_choice_that_was_undone_does_not_come_back_with_the_next_click() -> None:
    at = go(with_sample(), SURVIVAL)
    convention = at.selectbox(key="w:km.convention").set_value("R")
    former, sent = convention.id, convention.format_func("R")
    checked(at.run())
    assert study_of(at).analysis.convention == "R"
    go(at, COHORT)
    checked(at.button(key="undo").click().run())
    go(at, SURVIVAL)
    assert study_of(at).analysis.convention == "app"
    run_with(at, **{former: {"string_value": sent}})
    assert study_of(at).analysis.convention == "app"
    assert at.selectbox(key="w:km.convention").value == "app"


def test_another_file_does_not_inherit_what_the_browser_showed_of_the_former() -> None:
    at = with_tiny()
    row = at.selectbox(key="w:table.id")
    assert row.value == "id"
    first = row.id
    checked(row.set_value(row.options[0]).run())
    assert study_of(at).data.tables["subjects"].subject_id is None
    checked(at.button(key="undo").click().run())
    assert study_of(at).data.tables["subjects"].subject_id == "id"
    run_with(at, **{first: {"string_value": row.options[0]}})
    assert study_of(at).data.tables["subjects"].subject_id == "id"


def test_text_typed_just_before_a_click_is_not_lost() -> None:
    at = go(with_sample(), DATA)
    checked(at.selectbox(key="w:variable.edit").set_value("age").run())
    at.text_input(key="w:variable.unit.age").set_value("Jahre")
    missing = at.multiselect(key="w:variable.missing.age")
    missing.set_value([missing.options[0].split(" (")[0]])
    at.text_input(key="w:variable.cuts.age").set_value("54")
    at.button(key="variable.new.cuts.age").click()
    checked(at.run())  # the browser's four messages, taken together
    variables = study_of(at).definitions.variables
    assert variables["age"].unit == "Jahre"
    assert len(variables["age"].missing_codes) == 1
    made = [item for item in variables.values() if item.column == "age" and item.cuts == (54.0,)]
    assert len(made) == 1


def test_the_name_typed_just_before_merging_is_the_name() -> None:
    at = go(with_sample(), DATA)
    checked(at.selectbox(key="w:variable.edit").set_value("primary_site").run())
    checked(
        at.multiselect(key="w:variable.merge.primary_site").set_value(["trunk", "others"]).run()
    )
    at.text_input(key="w:variable.merge.name.primary_site").set_value("Not limb")
    at.button(key="variable.merge.do.primary_site").click()
    checked(at.run())
    assert study_of(at).definitions.variables["primary_site"].merged == {
        "Not limb": ("trunk", "others")
    }


def test_two_switches_in_one_message_both_count() -> None:
    at = go(with_sample(1), COHORT)
    criteria = study_of(at).analysis.criteria
    assert len(criteria) > 1
    assert all(item.enabled for item in criteria[:2])
    for place in range(2):
        at.toggle(key=f"w:criteria.on.{place}").set_value(False)
    checked(at.run())
    assert [item.enabled for item in study_of(at).analysis.criteria[:2]] == [False, False]


def _interrupted() -> None:
    import streamlit as st

    from pages._ui import widgets

    if st.session_state.pop("interrupt", False):
        st.rerun()
    if widgets.pressed("Go", "go"):
        st.session_state["n"] = st.session_state.get("n", 0) + 1
    st.write(f"pressed {st.session_state.get('n', 0)} times")


def test_a_press_outlives_a_run_that_is_interrupted() -> None:
    at = AppTest.from_function(_interrupted).run()
    at.session_state["interrupt"] = True
    at.button(key="go").click().run()
    assert "pressed 1 times" in shown(checked(at))
    assert "pressed 1 times" in shown(checked(at.run()))


def _taken_away() -> None:
    import streamlit as st

    from pages._ui import state, widgets

    items = st.session_state.setdefault("items", ["a", "b", "c"])
    if st.session_state.pop("twice", False):  # the second press of a double click, come late
        state.press("drop", items[0])
        items = st.session_state["items"] = items[1:]
    widgets.button("Drop", "drop", items.pop, (0,), about=items[0])
    st.write(f"left: {''.join(items)}")


def test_a_double_click_removes_one_thing() -> None:
    at = AppTest.from_function(_taken_away).run()
    at.session_state["twice"] = True
    assert "left: bc" in shown(checked(at.run()))
    at.button(key="drop").click().run()
    assert "left: c" in shown(checked(at))


def _labels(at: AppTest, *keys: str) -> list[str]:
    return [study_of(at).definitions.variables[key].label for key in keys]


def test_cells_edited_one_after_the_other_all_count() -> None:
    at = go(with_sample(), DATA)
    name = table_id(at)
    edit_cells(at, name, {0: {"Name": "Geschlecht"}})
    # the second is sent by a browser that has not heard of the first
    edit_cells(at, name, {0: {"Name": "Geschlecht"}, 1: {"Name": "Alter"}})
    assert _labels(at, "sex", "age") == ["Geschlecht", "Alter"]
    assert table_id(at) == name  # one goes on typing in the same table
    edit_cells(at, name, {0: {"Name": "Sex"}, 1: {"Name": "Alter"}})
    assert _labels(at, "sex", "age") == ["Sex", "Alter"]


def test_an_edit_that_was_undone_does_not_come_back() -> None:
    at = go(with_sample(), DATA)
    first = table_id(at)
    edit_cells(at, first, {0: {"Name": "Geschlecht", "Known": "not stated"}})
    click(at, "undo")
    assert _labels(at, "sex") == ["Sex"]
    second = table_id(at)
    assert second != first
    edit_cells(at, first, {0: {"Name": "Geschlecht"}})
    assert _labels(at, "sex") == ["Sex"]
    edit_cells(at, second, {1: {"Type": "no variable"}})
    assert "age" not in study_of(at).definitions.variables
    assert _labels(at, "sex", "ecog") == ["Sex", "ECOG performance status"]


def test_a_name_for_what_is_no_variable_is_refused_in_words() -> None:
    at = go(with_sample(), DATA)
    before, name = study_of(at), table_id(at)
    edit_cells(at, name, {5: {"Name": "Subtype"}})
    assert study_of(at) == before
    assert "no variable has no name" in shown(at)
    assert table_id(at) != name  # shows again what is in force


def _names() -> None:
    import streamlit as st

    from pages._ui import state, widgets

    cells = st.session_state.setdefault("cells", {"a": {"Name": "A"}, "b": {"Name": "B"}})
    if st.session_state.pop("interrupt", False):  # a run that ended before it took the edits over
        state.edited_table("names", cells)
        st.rerun()
    if gone := st.session_state.pop("gone", None):
        del cells[gone]
    for row, edit in widgets.edited_table(cells, "names", ("Name",)).items():
        if row in cells:
            cells[row] |= edit
    st.write(" ".join(row["Name"] for row in cells.values()))


def test_an_edit_outlives_a_run_that_is_interrupted_and_stays_in_its_row() -> None:
    at = AppTest.from_function(_names).run()
    name = table_id(at)
    at.session_state["interrupt"] = True
    edit_cells(at, name, {0: {"Name": "Anna"}})
    assert "Anna B" in shown(at)
    assert table_id(at) == name
    at.session_state["gone"] = "a"
    edit_cells(at, name, {0: {"Name": "Anna"}, 1: {"Name": "Bert"}})
    assert "Bert" in shown(at)
    assert table_id(at) != name
    assert "Bert" in shown(checked(at.run()))


def test_a_form_that_was_sent_is_read_before_it_is_emptied() -> None:
    at = go(with_sample(), COHORT)
    at.multiselect(key="w:baseline.block.variables").set_value(["prior_chemotherapy"])
    at.text_input(key="w:baseline.block.label").set_value("Before")
    checked(at.button(key="baseline.block.add").click().run())
    *_, block = study_of(at).analysis.views["baseline"]["blocks"]
    assert (block["label"], block["variables"]) == ("Before", ["prior_chemotherapy"])
    assert at.multiselect(key="w:baseline.block.variables").value == []
    assert at.text_input(key="w:baseline.block.label").value == ""
