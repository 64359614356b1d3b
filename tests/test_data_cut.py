"""The next data cut: structure against the study file, and two cuts patient by patient."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.analysis.data_cuts import backward_sentences, compare_cuts, cut_table
from sts_core.data_cut import data_changes, remembering
from sts_core.findings import FindingCode, Severity
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.study import Status, dump_study, load_study
from tests.doubles import book_of

N = 8
BASE = {
    "patient_id": [f"src-{n}" for n in range(N)],
    "sex": ["m", "f"] * 4,
    "time (months)": [5, 7, 9, 12, 14, 15, 18, 20],
    "status": ["dead", "alive"] * 4,
    "best response": ["PR", "SD", "PD", "SD"] * 2,
}


def cut(columns, study=None):
    book = book_of(columns)
    if study is None:
        study = propose_study([book]).study
        endpoints = {
            code: replace(item, events_status=Status.CONFIRMED, unit_status=Status.CONFIRMED)
            for code, item in study.definitions.endpoints.items()
        }
        study = replace(study, definitions=replace(study.definitions, endpoints=endpoints))
    return assemble(study, [book])


def without(columns, *rows):
    return {
        name: [cell for at, cell in enumerate(cells) if at not in rows]
        for name, cells in columns.items()
    }


def edited(name, row, value, columns=BASE):
    cells = list(columns[name])
    cells[row] = value
    return {**columns, name: cells}


# --- the study file remembers --------------------------------------------------------------------


def test_the_study_file_remembers_sizes_and_columns_and_no_value():
    text = dump_study(remembering(cut(BASE)))
    study = load_study(text)
    seen = study.data.tables["subjects"].seen
    assert (seen.rows, seen.patients, seen.columns) == (N, N, tuple(BASE))
    assert "src-" not in text
    assert data_changes(cut(BASE, study)) == ()
    assert data_changes(cut(BASE)) == ()  # never kept


def test_a_file_that_differs_says_in_what():
    study = remembering(cut(BASE))
    changed = {name: cells for name, cells in without(BASE, 0, 1).items() if name != "sex"}
    changed["Sex of patient"] = ["m"] * 6
    found = data_changes(cut(changed, study))
    assert {item.code for item in found} == {FindingCode.DATA_CHANGED}
    texts = [item.message for item in found]
    assert "6 patients (then 8)" in texts[0]
    gone = next(item for item in found if item.column == "sex")
    assert gone.severity is Severity.WARNING
    assert "the study rests on it" in gone.message
    assert "A new column: “Sex of patient”." in texts


def test_a_renamed_column_is_suggested_and_an_unused_one_is_a_note():
    columns = {**BASE, "remark_1x": ["a"] * N}
    study = remembering(cut(columns))
    changed = {**BASE, "remark_1y": ["a"] * N}
    (gone,) = [item for item in data_changes(cut(changed, study)) if item.column == "remark_1x"]
    assert gone.severity is Severity.NOTE
    assert "“remark_1y”" in gone.hint


DATED = {
    "patient_id": [f"p{n}" for n in range(12)],
    "site": ["Limb"] * 8 + ["Trunk"] * 4,
    "age": [40 + n for n in range(12)],
    "time (months)": [5.0 + n for n in range(12)],
    "status": ["dead", "alive"] * 6,
    "first dose date": [f"2{n % 5}/01/2021" for n in range(12)],
    "death date": [f"2{n % 5}/03/2021" if n < 6 else None for n in range(12)],
    "last contact date": [f"2{n % 5}/04/2021" for n in range(12)],
}


def kept_with(levels):
    """Give the study as it was kept with levels of the site."""
    study = cut(DATED).study
    (key,) = [key for key in study.definitions.variables if key.endswith("site")]
    variable = replace(study.definitions.variables[key], levels=levels)
    variables = {**study.definitions.variables, key: variable}
    study = replace(study, definitions=replace(study.definitions, variables=variables))
    return load_study(dump_study(remembering(cut(DATED, study))))


@pytest.mark.parametrize(
    ("column", "cells", "said"),
    [
        ("age", [12 * (40 + n) for n in range(12)], "now around 550 (then around 46): its unit"),
        ("age", [38 + n for n in range(12)], ""),
        ("first dose date", [f"01/2{n % 5}/2021" for n in range(12)], "as month/day/year; then"),
        ("first dose date", [f"2021-01-2{n % 5}" for n in range(12)], "reads one way only"),
        ("first dose date", [f"0{1 + n % 5}/01/2021" for n in range(12)], "told in two ways"),
        ("site", ["Limb"] * 8 + ["Trunk"] * 3 + ["Head"], "A new level of “Primary site”: “Head”."),
        ("site", ["Limb"] * 12, "No patient has a level of “Primary site” any more: “Trunk”."),
        ("site", ["Limb"] * 11 + ["Skin"], "A new level of “Primary site”: “Skin”."),
        ("site", ["Trunk"] * 8 + ["Limb"] * 4, ""),
    ],
)
def test_units_orders_and_levels_that_differ_are_said(column, cells, said):
    study = kept_with(("Limb", "Trunk", "Skin"))
    found = data_changes(cut({**DATED, column: cells}, study))
    messages = [item.message for item in found]
    assert messages == [] if not said else any(said in text for text in messages)
    assert all(item.column == column for item in found)


def test_a_part_of_a_merged_level_that_is_gone_is_said():
    study = kept_with(("Limb", "Trunk", "Skin"))
    (key,) = [name for name, item in study.definitions.variables.items() if item.levels]
    variable = replace(study.definitions.variables[key], merged={"Surface": ("Trunk", "Skin")})
    definitions = replace(study.definitions, variables={key: variable})
    kept = remembering(cut(DATED, replace(study, definitions=definitions)))
    assert kept.data.tables["subjects"].seen.absent == {key: ("Skin",)}
    assert data_changes(cut(DATED, kept)) == ()
    (found,) = data_changes(cut({**DATED, "site": ["Limb"] * 10 + ["Skin", "Skin"]}, kept))[1:]
    assert found.message == "No patient has a level of “Primary site” any more: “Trunk”."
    new, _ = data_changes(cut({**DATED, "site": ["Limb"] * 9 + ["Skin", "Skin", "Head"]}, kept))
    assert new.message == "2 new levels of “Primary site”: “Head”, “Skin”."


def test_levels_that_nobody_stated_are_counted_and_no_name_is_kept():
    study = kept_with(())
    assert not {"Limb", "Trunk"} & {*dump_study(study).split()}
    changed = {**DATED, "site": ["Limb"] * 8 + ["Trunk"] * 3 + ["Head"]}
    (found,) = data_changes(cut(changed, study))
    assert found.message == "“Primary site” has 3 levels (then 2)."


def test_a_median_of_few_patients_is_not_kept():
    assert remembering(cut(BASE)).data.tables["subjects"].seen.sizes == {}


# --- two cuts ------------------------------------------------------------------------------------


def test_the_same_cut_twice_has_no_difference():
    one = cut(BASE)
    found = compare_cuts(one, cut(BASE, one.study))
    assert (found.new, found.gone, found.changed, found.columns) == ((), (), (), ())
    assert backward_sentences(found) == ()
    (item,) = found.endpoints
    assert item.n == (N, N)
    assert item.median[0] == item.median[1]


def test_new_gone_and_changed_patients_are_named_by_their_rows():
    former = cut(without(BASE, 6, 7))
    now = edited("status", 0, "dead", without(BASE, 0))  # row 2: patient 1 of the former
    found = compare_cuts(former, cut(now, former.study))
    assert found.n == (6, 7)
    assert found.new == (7, 8)
    assert found.gone == (2,)
    assert found.changed == (2,)
    (column,) = found.columns
    assert (column.column, column.n_other, column.rows) == ("status", 1, (2,))


def test_what_goes_backwards_is_said():
    former = cut(BASE)
    now = edited("status", 0, "alive")
    now = edited("time (months)", 3, 6, now)
    now = edited("sex", 2, None, now)
    said = " ".join(backward_sentences(compare_cuts(former, cut(now, former.study))))
    assert "the event of 1 patient is gone (row 2)" in said
    assert "the follow-up of 1 patient has become shorter (row 5)" in said
    assert "“sex” was known then and is empty now in 1" in said


def test_an_event_found_late_is_no_shrinking():
    former = cut(edited("time (months)", 1, 30))
    now = edited("status", 1, "dead", edited("time (months)", 1, 20))
    found = compare_cuts(former, cut(now, former.study))
    assert found.endpoints[0].n_new_events == 1
    assert backward_sentences(found) == ()


def test_rates_and_medians_stand_side_by_side_without_ids():
    former = cut(BASE)
    now = cut(edited("best response", 1, "PR"), former.study)
    found = compare_cuts(former, now)
    then, today = found.rates["Objective response"]
    assert (then.value, today.value) == (2 / 8, 3 / 8)
    assert found.n_response_changed == 1
    table = cut_table(found)
    written = "\n".join(" ".join(row) for row in table.formatted())
    assert "Patients in the file 8 8" in written
    assert "Objective response, % (95% CI) 25.0 (3.2, 65.1) 37.5 (8.5, 75.5)" in written
    assert "src-" not in written


@given(
    st.sets(st.integers(0, N - 1), max_size=3),
    st.lists(
        st.tuples(st.integers(0, N - 1), st.sampled_from(["sex", "best response"]),
                  st.sampled_from(["m", "f", "PR", "SD", None])),
        max_size=5,
    ),
)  # fmt: skip
def test_random_edits_are_found_exactly(removed, edits):
    columns = {name: list(cells) for name, cells in BASE.items()}
    for row, name, value in edits:
        columns[name][row] = value
    former = cut(BASE)
    now = without(columns, *removed)
    kept = [at for at in range(N) if at not in removed]
    found = compare_cuts(former, cut(now, former.study))
    assert found.gone == tuple(at + 2 for at in sorted(removed))
    assert found.new == ()
    expected = {
        name: tuple(
            place + 2 for place, at in enumerate(kept) if columns[name][at] != BASE[name][at]
        )
        for name in ("sex", "best response")
    }
    assert {item.column: item.rows for item in found.columns} == {
        name: rows for name, rows in expected.items() if rows
    }
    assert found.changed == tuple(sorted({row for rows in expected.values() for row in rows}))


def test_an_endpoint_that_one_cut_lacks_is_empty_there():
    former = cut({name: cells for name, cells in BASE.items() if name != "status"})
    now = cut(BASE)
    found = compare_cuts(replace(former, study=now.study), now)
    assert found.endpoints[0].median[0] is None
    assert found.endpoints[0].median[1] is not None
    assert cut_table(found).formatted()


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_rows_does_not_matter(order):
    former = cut(BASE)
    now = cut({name: cells[::order] for name, cells in BASE.items()}, former.study)
    assert compare_cuts(former, now).columns == ()


def test_another_spelling_of_the_same_is_no_change():
    dated = {
        **BASE,
        "first dose date": [f"2021-05-{day:02d}" for day in range(1, N + 1)],
        "death date": ["2023-01-05", None] * 4,
        "last contact": ["2023-01-05"] * N,
    }
    former = cut(dated)
    now = {
        **dated,
        "sex": ["Male", "Female"] * 4,
        "time (months)": [f"{value}.0" for value in BASE["time (months)"]],
        "best response": ["PR ", "Stable disease", "PD", "SD"] * 2,
        "first dose date": [f"2021年5月{day}日" for day in range(1, N + 1)],
    }
    study = former.study
    variables = {
        key: replace(item, codes={**item.codes, "Stable disease": "SD"})
        if item.column == "best response"
        else item
        for key, item in study.definitions.variables.items()
    }
    study = replace(study, definitions=replace(study.definitions, variables=variables))
    assert study.definitions.endpoints["OS"].label
    found = compare_cuts(cut(dated, study), cut(now, study))
    assert found.columns == ()
    assert found.changed == ()
