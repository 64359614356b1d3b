"""Mapping and recoding by hand on the Data page: every change in the study, and undone again."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from pages._ui import state
from pages._ui.study_download import kept_text
from pages._ui.variable_editor import parse_cuts, with_cuts, with_merged, with_names, with_order
from sts_core.data_cut import remembering
from sts_core.derive import levels_of
from sts_core.disclosure import rare_names
from sts_core.study import (
    CountOf,
    IsInRange,
    IsOneOf,
    Measured,
    Nested,
    Variable,
    VariableKind,
    dump_study,
    load_study,
)
from tests.pages.driver import (
    COHORT,
    checked,
    click,
    drop,
    edit_cells,
    go,
    shown,
    start,
    study_of,
    table_id,
    with_sample,
    with_tiny,
)

SITES = [("a<b>", 4), ("_x_", 3), ("$a$", 2), ("骨", 6)]
HOSTILE = "id,time (months),status,site <i>,drug1,drug2\n" + "".join(
    f"P{n},{n + 1},{'Dead' if n % 2 else 'Alive'},{site},d{n % 3},{'e' if n % 4 else ''}\n"
    for n, site in enumerate(site for site, times in SITES for _ in range(times))
)


def levels(at: AppTest, key: str) -> dict[str | None, int]:
    found = levels_of(at.session_state["workspace"].cohort, key)
    values = found.values.tolist()
    return {level: values.count(level) for level in (*found.levels, None)}


def edit(at: AppTest, key: str) -> AppTest:
    return checked(at.selectbox(key="w:variable.edit").set_value(key).run())


def choose(at: AppTest, **values: object) -> AppTest:
    for name, value in values.items():
        key = f"w:derive.{name.replace('__', '.')}"
        kind = "multiselect" if isinstance(value, list) else "selectbox"
        checked(getattr(at, kind)(key=key).set_value(value).run())
    return at


def test_number_of_metastatic_organs_none_or_single_against_multiple() -> None:
    at = with_sample()
    organs = [f"metastasis_{organ}" for organ in ("lung", "bone", "liver", "pancreas", "brain")]
    choose(at, how="count_of", count__of=organs)
    assert "None or single" in shown(at)
    tag = ".".join(organs)
    assert at.multiselect(key=f"w:derive.count.yes.{tag}").value == ["yes"], "each level once"
    at.text_input(key="w:derive.label").set_value("Number of metastatic organs").run()
    click(at, "derive.add")
    key = "number_of_metastatic_organs"
    variable = study_of(at).definitions.variables[key]
    assert variable.derived == CountOf(tuple(organs), ("yes",), ("no",))
    assert variable.measured is Measured.BASELINE
    # the same as the column of the sample that holds the number
    expected = levels(at, "organs_metastatic")
    assert levels(at, key) == expected
    assert sum(expected.values()) == 51
    again = load_study(dump_study(study_of(at)))
    assert again.definitions.variables[key] == variable
    click(at, "undo")
    assert key not in study_of(at).definitions.variables


def test_a_column_that_an_endpoint_uses_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real, tables = streamlit.data_editor, []

    def kept(rows: Any, **settings: Any) -> Any:
        tables.append(rows)
        return real(rows, **settings)

    monkeypatch.setattr("streamlit.data_editor", kept)
    at = with_tiny()
    rows = {row["Column"]: row for table in tables for row in table if "Known in" in row}
    ((code, used),) = study_of(at).definitions.endpoints.items()
    for name, role in ((used.time, "time"), (used.event, "status")):
        assert rows[name]["Type"] == "no variable"
        assert rows[name]["Why"].startswith(f"{role} of {code}")


def test_rhabdomyosarcoma_embryonal_and_pleomorphic() -> None:
    at = with_sample()
    choose(at, how="nested", nested__of="histotype", nested__by="rhabdomyosarcoma_type")
    at.text_input(key="w:derive.label").set_value("Histotype and type").run()
    click(at, "derive.add")
    variable = study_of(at).definitions.variables["histotype_and_type"]
    assert variable.derived == Nested("histotype", "rhabdomyosarcoma_type", ("Rhabdomyosarcoma",))
    assert variable.measured is Measured.UNKNOWN
    counts = levels(at, "histotype_and_type")
    assert counts["Rhabdomyosarcoma: embryonal"] == 1
    assert counts["Rhabdomyosarcoma: pleomorphic"] == 5
    assert "Rhabdomyosarcoma" not in counts


def test_a_regimen_from_two_drug_columns() -> None:
    at = with_sample()
    drugs = ["antiangiogenic_drug", "immunotherapy_drug"]
    choose(at, how="combination", combine__of=drugs)
    at.text_input(key="w:derive.label").set_value("Regimen").run()
    click(at, "derive.add")
    counts = levels(at, "regimen")
    assert sum(counts.values()) == 51
    assert all(" + " in level for level in counts if level)


def test_a_yes_or_no_by_a_threshold() -> None:
    at = with_sample()
    choose(at, how="is_in_range", range__of="age")
    checked(at.number_input(key="w:derive.range.low.age").set_value(54.0).run())
    at.text_input(key="w:derive.label").set_value("54 or older").run()
    click(at, "derive.add")
    (key,) = [
        key
        for key, variable in study_of(at).definitions.variables.items()
        if variable.derived == IsInRange("age", at_least=54.0)
    ]
    assert levels(at, key) == {"No": 24, "Yes": 27, None: 0}


def test_the_median_is_worked_out_once_and_written_as_a_cut_point() -> None:
    at = edit(with_sample(), "age")
    click(at, "variable.new.Median.age")
    variable = study_of(at).definitions.variables["age_grouped"]
    assert variable.cuts == (54.0,)
    assert levels(at, "age_grouped") == {"<54": 24, "≥54": 27, None: 0}
    at.text_input(key="w:variable.cuts.age_grouped").set_value("40, 60").run()
    assert study_of(at).definitions.variables["age_grouped"].cuts == (40.0, 60.0)
    assert study_of(at).definitions.variables["age"].cuts == ()


def test_levels_are_merged_ordered_compared_and_separated_again() -> None:
    at = edit(with_sample(), "primary_site")
    at.multiselect(key="w:variable.merge.primary_site").set_value(["trunk", "others"]).run()
    at.text_input(key="w:variable.merge.name.primary_site").set_value("Not limb").run()
    click(at, "variable.merge.do.primary_site")
    assert levels(at, "primary_site") == {"limb": 28, "Not limb": 23, None: 0}
    assert study_of(at).definitions.variables["primary_site"].reference == "Not limb"
    at.selectbox(key="w:variable.move.primary_site").set_value("Not limb").run()
    click(at, "variable.order.First.primary_site")
    assert [*levels(at, "primary_site")] == ["Not limb", "limb", None]
    at.selectbox(key="w:variable.reference.primary_site").set_value("limb").run()
    assert study_of(at).definitions.variables["primary_site"].reference == "limb"
    click(at, "variable.separate.0.primary_site")
    assert levels(at, "primary_site") == {"trunk": 17, "others": 6, "limb": 28, None: 0}
    for _ in range(4):
        click(at, "undo")
    assert [*levels(at, "primary_site")] == ["limb", "trunk", "others", None]


def test_what_was_mapped_by_hand_stays_after_another_upload() -> None:
    rows = [
        f"P{n},{n + 1},{n % 2},{('LMS', 'RMS', 'UPS', 'n.d.')[n % 4]},"
        f"{('', 'embryonal')[n % 2]},{n % 2},{n // 2 % 2},{('A', 'B')[n % 2]},{n % 3},{20 + n}"
        for n in range(40)
    ]
    names = "id,time (months),status,histotype,rms type,lung,liver,drug1,drug2,age"
    at = drop(start(), {"a.csv": "\n".join([names, *rows])})
    variables = study_of(at).definitions.variables
    column = {variable.column or key: key for key, variable in variables.items()}
    choose(at, how="count_of", count__of=[column["lung"], column["liver"]])
    click(at, "derive.add")
    choose(at, how="combination", combine__of=[column["drug1"], column["drug2"]])
    click(at, "derive.add")
    histotype, site = column["histotype"], edit(at, column["histotype"])
    merged = list(study_of(at).definitions.variables[histotype].levels[:2])
    site.multiselect(key=f"w:variable.merge.{histotype}").set_value(merged).run()
    site.text_input(key=f"w:variable.merge.name.{histotype}").set_value("Both").run()
    click(at, f"variable.merge.do.{histotype}")
    edit(at, column["age"])
    click(at, f"variable.new.Median.{column['age']}")
    before = study_of(at).definitions.variables
    assert len(before) == len(variables) + 3
    checked(at.segmented_control(key="w:upload.adds").set_value("Add to these files").run())
    drop(at, {"more.csv": "id,stage\n" + "".join(f"P{n},{'I' * (n % 3 + 1)}\n" for n in range(40))})
    after = study_of(at)
    assert before.items() < after.definitions.variables.items(), "nothing but the stage is new"
    assert load_study(dump_study(after)).definitions == after.definitions


def _cut(*, later: bool) -> str:
    names = (
        "id,time (months),status,histotype,rms type,site,stage,grade,score,lung,liver,drug1,drug2"
    )
    site = ("limb", "trunk", "retroperitoneum", "viscera" if later else "head")
    rows = [
        f"P{n},{n + 1},{n % 2},{('LMS', 'RMS')[n % 2]},"
        f"{('', 'embryonal', '', 'pleomorphic')[n % 4]},{site[n % 4]},"
        f"{('I', 'II', 'III', 'n.d.')[n // 2 % 4]},{n % 3},{20 + n},{n % 2},{n // 2 % 2},"
        f"{('A', 'B')[n % 2]},{('C', 'D')[n // 3 % 2]}"
        for n in range(44 if later else 40)
    ]
    return "\n".join([names, *rows])


def test_all_that_was_mapped_by_hand_stays_in_the_study_file_and_with_the_next_data_cut() -> None:
    at = drop(start(), {"cut.csv": _cut(later=False)})
    variables = study_of(at).definitions.variables
    key = {variable.column or name: name for name, variable in variables.items()}
    first = next(item.value for item in at.dataframe if "-w:variables." in item.proto.id)
    rows = {str(name): place for place, name in enumerate(first["Column"])}
    table = table_id(at)
    cells = {
        rows["grade"]: {"Type": "ordered groups", "Known": "before time zero"},
        rows["score"]: {"Known": "after time zero"},
        rows["stage"]: {"Type": "ordered groups", "Name": "Stage at start"},
    }
    edit_cells(at, table, cells)
    key["grade"] = next(
        name for name, item in study_of(at).definitions.variables.items()
        if (item.column or name) == "grade"
    )  # fmt: skip
    edit(at, key["stage"])
    at.multiselect(key=f"w:variable.missing.{key['stage']}").set_value(["n.d."]).run()
    site = edit(at, key["site"])
    site.selectbox(key=f"w:variable.reference.{key['site']}").set_value("Trunk").run()
    site.selectbox(key=f"w:variable.move.{key['site']}").set_value("Retroperitoneum").run()
    click(site, f"variable.order.First.{key['site']}")
    site.multiselect(key=f"w:variable.merge.{key['site']}").set_value(["Limb", "head"]).run()
    click(site, f"variable.merge.do.{key['site']}")
    edit(at, key["score"])
    click(at, f"variable.new.Median.{key['score']}")
    choose(at, how="count_of", count__of=[key["lung"], key["liver"]])
    click(at, "derive.add")
    choose(at, how="combination", combine__of=[key["drug1"], key["drug2"]])
    click(at, "derive.add")
    choose(at, how="nested", nested__of=key["histotype"], nested__by=key["rms type"])
    click(at, "derive.add")
    choose(at, how="is_one_of", one__of=key["stage"])
    checked(at.multiselect(key=f"w:derive.one.values.{key['stage']}").set_value(["III"]).run())
    click(at, "derive.add")
    made = study_of(at).definitions.variables
    assert len(made) >= len(variables) + 5
    derived = [item.derived for item in made.values() if isinstance(item.derived, IsOneOf)]
    assert [(item.of, item.values) for item in derived] == [(key["stage"], ("III",))]
    assert made[key["grade"]].kind is VariableKind.ORDERED
    assert made[key["grade"]].measured is Measured.BASELINE
    assert made[key["score"]].measured is Measured.POST_BASELINE
    assert made[key["stage"]].kind is VariableKind.ORDERED
    assert made[key["stage"]].label == "Stage at start"
    assert made[key["stage"]].missing_codes == ("n.d.",)
    assert made[key["site"]].reference == "Trunk"
    assert [*made[key["site"]].merged.values()] == [("Limb", "head")]
    n = 0
    while study_of(at).definitions.variables != variables:
        click(at, "undo")
        n += 1
    go(at, COHORT)
    for _ in range(n):
        click(at, "redo")
    assert study_of(at).definitions.variables == made
    file = dump_study(remembering(at.session_state["workspace"].cohort))
    same = drop(start(), {"cut.csv": _cut(later=False), "study.yaml": file})
    assert study_of(same).definitions == study_of(at).definitions
    assert "Since the choices were kept" not in shown(same)
    later = drop(start(), {"cut2.csv": _cut(later=True), "study.yaml": file})
    assert study_of(later).definitions == study_of(at).definitions
    said = shown(later)
    assert "A new level of “Primary site”: “viscera”." in said
    assert "No patient has a level of “Primary site” any more: “head”." in said


def test_a_value_becomes_not_known() -> None:
    at = edit(with_sample(), "primary_site")
    at.multiselect(key="w:variable.missing.primary_site").set_value(["others"]).run()
    assert levels(at, "primary_site")[None] == 6
    assert study_of(at).definitions.variables["primary_site"].missing_codes == ("others",)


def test_words_of_a_file_go_through_editor_and_form() -> None:
    at = drop(start(), {"h.csv": HOSTILE})
    key = next(
        key
        for key, variable in study_of(at).definitions.variables.items()
        if "site" in (variable.column or key)
    )
    edit(at, key)
    at.multiselect(key=f"w:variable.merge.{key}").set_value(["a<b>", "_x_"]).run()
    click(at, f"variable.merge.do.{key}")
    assert levels(at, key)["a<b> or _x_"] == 7
    choose(at, how="is_one_of", one__of=key)
    checked(at.multiselect(key=f"w:derive.one.values.{key}").set_value(["骨"]).run())
    click(at, "derive.add")
    assert not at.exception
    assert levels(at, next(reversed(study_of(at).definitions.variables)))["Yes"] == 6


def test_small_groups_are_named_in_the_file_only_when_said_so() -> None:
    at = with_tiny()
    assert "Leiomyosarcoma (" in shown(at)
    labels = [button.proto.label for button in at.get("download_button")]
    assert "Yes, save with these names" in labels
    assert "No, save without them" in labels
    assert "Keep my choices" not in labels


def test_the_file_has_what_came_with_the_click_and_no_name_that_was_not_asked_about() -> None:
    at = drop(start(), {"hostile.csv": HOSTILE})
    before: state.Workspace = at.session_state["workspace"]
    latest = state.Latest(before)
    (key,) = [name for name, item in study_of(at).definitions.variables.items() if "site" in name]
    edit(at, key)
    unit = "w:variable.reference." + key
    checked(at.selectbox(key=unit).set_value("骨").run())
    named: state.Workspace = at.session_state["workspace"]
    rare = rare_names(named.cohort)
    assert {item.name for item in rare} == {"a<b>", "_x_", "$a$"}
    kept: list[str] = []
    waits = threading.Thread(target=lambda: kept.append(kept_text(latest, (), (), 0.0)))
    waits.start()
    latest.workspace = named  # by the run that the click interrupted the typing for
    assert not kept
    latest.at_rest.set()
    waits.join(10)
    asked = kept_text(latest, (), rare, 0.0)
    assert load_study(kept[0]).definitions.variables[key].reference == "骨"
    assert "_x_" not in kept[0]
    assert "_x_" in asked
    assert kept_text(state.Latest(state.Workspace(), latest.at_rest), (), (), 0.0) == ""


def test_names_of_synthetic_patients_are_not_asked_about() -> None:
    labels = [button.proto.label for button in with_sample().get("download_button")]
    assert "Keep my choices" in labels
    assert "No, save without them" not in labels


VARIABLE = Variable(
    label="Site", levels=("Limb", "Trunk", "Head"), codes={"l": "Limb"}, reference="Limb",
    merged={"Not limb": ("Trunk", "Head")}, colours={"Limb": 3},
)  # fmt: skip


def test_a_renamed_level_keeps_its_place_reference_and_colour() -> None:
    new = with_names(VARIABLE, {"l": "Extremity", "Trunk": "Torso", "Head": "Head"})
    assert new.codes == {"l": "Extremity", "Trunk": "Torso"}
    assert new.levels == ("Extremity", "Torso", "Head")
    assert new.reference == "Extremity"
    assert new.merged == {"Not limb": ("Torso", "Head")}
    assert new.colours == {"Extremity": 3}
    assert with_names(VARIABLE, {"l": "Limb", "Trunk": "", "Head": "Head"}) == VARIABLE


def test_merging_ordering_and_cutting_leave_nothing_stale() -> None:
    assert with_merged(VARIABLE, ["Limb"], "Not limb")["merged"] == {
        "Not limb": ("Trunk", "Head", "Limb")
    }
    assert with_order(VARIABLE, ["Limb", "Not limb"], "Not limb", 0)["levels"] == (
        "Trunk", "Head", "Limb",
    )  # fmt: skip
    cut = Variable(label="Age", cuts=(54.0,), codes={"<54": "young"}, reference="young")
    assert with_cuts(cut, (60.0,))["codes"] == {}
    assert with_cuts(cut, (54.0, 60.0))["codes"] == {"<54": "young"}


def test_cut_points_as_people_write_them() -> None:
    assert parse_cuts("60, 40") == (40.0, 60.0)
    assert parse_cuts("40；60") == (40.0, 60.0)
    assert parse_cuts("") == ()
    assert parse_cuts("forty") is None
