"""Adverse events in three forms on the Data page: proposed, chosen by hand, mapped to CTCAE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from sts_core.study import AdverseEventDefinition, Status, load_study
from sts_core.terminology.ctcae import VERSION
from tests.pages.driver import (
    DATA,
    checked,
    click,
    drop,
    go,
    shown,
    start,
    study_file,
    study_of,
    table,
    with_sample,
)

SAFETY = "pages/safety.py"
HEADER = "id,time (months),status,AE_Rash,皮疹分级,AE_Bleeding,listed,said\n"
CELLS = [
    "0,2,0,rash G1,Rash G1; 皮疹2级",
    "1,0,3,none,none",
    "G2,1,无,Nausea grade 3,出血2级",
    ",,,,",
    "yes,3,-,none,Nausea 1 / Rash 3",
    "0,0,0,none,无",
]
WIDE = HEADER + "".join(
    f"p{n},{n + 2},{'Dead' if n % 2 else 'Alive'},{cells}\n" for n, cells in enumerate(CELLS * 2, 1)
)


def events_of(at: AppTest) -> AdverseEventDefinition:
    found = study_of(at).definitions.adverse_events
    assert found is not None
    return found


def with_columns(at: AppTest, form: str, columns: list[str]) -> AppTest:
    """Choose a form and its columns by hand."""
    checked(at.selectbox(key="w:ae.choose.form").set_value(form).run())
    checked(at.multiselect(key=f"w:ae.choose.{form}.columns.subjects").set_value(columns).run())
    return at


def test_columns_of_the_patient_table_are_proposed_and_confirmed() -> None:
    rows = [line.rsplit(",", 2)[0] for line in WIDE.splitlines()]
    at = drop(start(), {"wide.csv": "\n".join(rows) + "\n"})
    proposed = events_of(at)
    assert proposed.columns == ("AE_Rash", "皮疹分级", "AE_Bleeding")
    assert not {"ae_rash", "ae_bleeding"} & set(study_of(at).definitions.variables)
    click(at, "ae.delete")
    with_columns(at, "wide", ["AE_Rash", "皮疹分级", "AE_Bleeding"])
    assert "Events found: Rash (6), 皮疹 (6) and Bleeding (2)." in shown(at)
    click(at, "ae.choose.use")
    definition = events_of(at)
    assert definition == proposed
    assert (definition.form, definition.table, definition.status) == (
        "wide", "subjects", Status.GUESSED,
    )  # fmt: skip
    text = shown(at)
    assert "Recorded as one column a term, in the patient table" in text
    assert "14 events in 8 of 12 patients analysed; nothing is recorded of 2 patients" in text
    assert (
        "2 of 3 names in the file would have a term of CTCAE v5.0, so that 2 would be left" in text
    )
    assert "Rash maculo-papular" in text
    checked(at.segmented_control(key="w:ae.terms").set_value("ctcae").run())
    assert events_of(at).terms == "ctcae"
    assert "2 of 3 names in the file have a term" in shown(at)
    click(at, "ae.confirm")
    assert load_study(study_file(at)).definitions.adverse_events == events_of(at)
    text = shown(go(at, SAFETY))
    assert "Rash maculo-papular" in table(at)
    assert "Counted by the name of the file: Bleeding" in table(at)
    assert "nothing at all is recorded of 2 patients" in table(at)
    assert "Nothing is recorded about adverse events of 2 of 12 patients" in text
    checked(at.toggle(key="w:safety.class").set_value(True).run())
    assert "Skin and subcutaneous tissue disorders" in table(at)


def editing(monkeypatch: pytest.MonkeyPatch, terms: Mapping[str, str]) -> None:
    """Let the table of names come back as if these terms had been chosen in it."""

    real = streamlit.data_editor

    def edited(rows: Any, **settings: Any) -> Any:
        if VERSION not in settings["column_config"]:
            return real(rows, **settings)
        column = settings["column_config"][VERSION]
        assert set(terms.values()) <= set(column["type_config"]["options"])
        return [{**row, VERSION: terms.get(row["Name in the file"], row[VERSION])} for row in rows]

    monkeypatch.setattr("streamlit.data_editor", edited)


def apply_terms(at: AppTest) -> AppTest:
    (button,) = [item for item in at.button if item.label == "Apply these terms"]
    return checked(button.click().run())


def test_many_names_are_mapped_by_hand_at_once_and_undone_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = drop(start(), {"wide.csv": WIDE})
    if study_of(at).definitions.adverse_events is not None:
        click(at, "ae.delete")
    with_columns(at, "cells", ["said"])
    click(at, "ae.choose.use")
    assert events_of(at).form == "cells"
    apply_terms(at)
    assert "No term was changed" in shown(at)
    editing(monkeypatch, {"出血": "Epistaxis", "Rash": "(name of the file)", "Nausea": "Vomiting"})
    apply_terms(at)
    mapped = {"出血": "Epistaxis", "Rash": "", "Nausea": "Vomiting"}
    assert (events_of(at).terms, events_of(at).mapped) == ("ctcae", mapped)
    assert "3 of 4 names in the file have a term" in shown(at)
    editing(monkeypatch, {"出血": "(by CTCAE and its synonyms)"})
    apply_terms(at)
    assert events_of(at).mapped == {"Rash": "", "Nausea": "Vomiting"}
    click(at, "undo")
    assert events_of(at).mapped == mapped
    assert "Epistaxis" in table(go(at, SAFETY))
    go(at, DATA)
    click(at, "undo")
    assert events_of(at).mapped == {}


def test_the_sample_can_be_counted_by_ctcae() -> None:
    at = with_sample()
    before = table(go(at, SAFETY))
    assert "Thrombocytopenia" in before
    go(at, DATA)
    checked(at.segmented_control(key="w:ae.terms").set_value("ctcae").run())
    text = table(go(at, SAFETY))
    assert "Platelet count decreased" in text
    assert "Thrombocytopenia" not in text
    assert "Terms and classes: CTCAE v5.0" in text


def test_another_table_is_asked_for_its_columns() -> None:
    at = with_sample()
    click(at, "ae.delete")
    checked(at.selectbox(key="w:ae.choose.form").set_value("wide").run())
    assert "Which columns stand for one event each?" in shown(at)
    assert not [button for button in at.button if button.key == "ae.choose.use"]
