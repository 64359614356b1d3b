"""Names of small groups: found wherever a study file holds them, and left out with their costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.disclosure import rare_names, without_names
from sts_core.study import (
    AnalysisSection,
    Combination,
    Definitions,
    Endpoint,
    Grouping,
    IsOneOf,
    LookedAt,
    OneOf,
    Population,
    ReportSection,
    Status,
    Study,
    Variable,
    VariableKind,
    dump_study,
    load_study,
)
from tests.assessment_cohorts import cohort_with as tables_with
from tests.cohorts import make_cohort
from tests.doubles import cohort_of

CELLS: dict[str, list[Any]] = {
    "h": ["LMS"] * 6 + ["Zebra"] * 2 + ["lms typo"] + [None],
    "age": [30, 40, 50, 60, 70, 80, 90, 35, 45, 55],
}
HISTOTYPE = Variable(
    label="Histotype", levels=("LMS", "Zebra", "UPS"), reference="Zebra",
    codes={"lms typo": "LMS"}, colours={"Zebra": 1},
)  # fmt: skip


def cohort_with(definitions: Definitions, analysis: AnalysisSection | None = None) -> Cohort:
    cohort = cohort_of(CELLS, definitions)
    study = replace(cohort.study, analysis=analysis or AnalysisSection())
    return apply_criteria(cohort, study)


def names(cohort: Cohort) -> dict[str, int]:
    return {item.name: item.n for item in rare_names(cohort)}


def written(study: Study) -> str:
    text = dump_study(study)
    assert load_study(text) == study
    return text


def test_levels_and_values_of_few_patients_are_found_and_those_of_nobody_are_not() -> None:
    cohort = cohort_with(Definitions(variables={"h": HISTOTYPE}))
    assert names(cohort) == {"Zebra": 2, "lms typo": 1}


def test_without_them_the_file_holds_none() -> None:
    cohort = cohort_with(Definitions(variables={"h": HISTOTYPE}))
    withheld = without_names(cohort.study, rare_names(cohort))
    text = written(withheld.study)
    assert "Zebra" in dump_study(cohort.study)
    assert "Zebra" not in text
    assert "typo" not in text
    assert "UPS" in text
    assert withheld.losses == (
        "“Histotype”: the reference, names of values, the place or colour of levels",
    )
    assert withheld.study.definitions.variables["h"].levels == ("LMS", "UPS")


def test_whatever_would_mean_something_else_is_left_out_whole() -> None:
    definitions = Definitions(
        variables={
            "h": Variable(label="H", merged={"Others": ("Zebra", "UPS"), "Z": ("Zebra",)}),
            "z": Variable(label="Is zebra", derived=IsOneOf("h", ("Zebra",))),
            "zz": Variable(label="Crossed", derived=Combination(("z", "age"))),
        },
        groupings={
            "g": Grouping("Rare", "h", {"Rare ones": ("Zebra",)}, "The rest"),
            "k": Grouping("Kept", "h", {"LMS or UPS": ("LMS", "UPS")}),
        },
    )
    analysis = AnalysisSection(
        criteria=(OneOf("h", ("LMS", "Zebra")), OneOf("h", ("LMS",))),
        specs=({"kind": "kaplan_meier", "endpoint": "OS", "by": "z"},),
        views={"kaplan_meier": {"by": "h", "levels": ["Zebra"]}, "cox": {"by": "h"}},
        populations={"p": Population("P", without=("h is LMS or Zebra", "h is LMS"))},
    )
    cohort = cohort_with(definitions, analysis)
    study = replace(cohort.study, report=ReportSection(({"kind": "km", "by": "g"},)))
    cohort = replace(cohort, study=study)
    withheld = without_names(study, rare_names(cohort))
    text = written(withheld.study)
    assert "Zebra" not in text
    kept = withheld.study
    assert [*kept.definitions.variables] == ["h"]
    assert [*kept.definitions.groupings] == ["k"]
    assert kept.analysis.criteria == (OneOf("h", ("LMS",)),)
    assert kept.analysis.populations == {"p": Population("P", without=("h is LMS",))}
    assert kept.analysis.specs == ()
    assert kept.analysis.views == {"cox": {"by": "h"}}
    assert kept.report.items == ()
    said = "; ".join(withheld.losses)
    for word in ("Is zebra", "Crossed", "Rare", "criterion", "analyses"):
        assert word in said


LOOKED = LookedAt("k", "PFS by Histotype: Zebra vs Others", 0.03, 10, 10, "abc")


@pytest.mark.parametrize(
    "analysis",
    [
        AnalysisSection(views={"cross": {"rows": "h", "reference": "Zebra"}}),
        AnalysisSection(views={"cox": {"covariates": ["h"], "references": {"h": "Zebra"}}}),
        AnalysisSection(views={"figure": {"title": "Zebra"}}),
        AnalysisSection(specs=({"kind": "kaplan_meier", "title": "Survival of Zebra, n = 2"},)),
        AnalysisSection(looked_at=(LOOKED,)),
        AnalysisSection(criteria=(OneOf("h", ("LMS",), label="LMS, no Zebra"),)),
        AnalysisSection(filters=(OneOf("h", ("LMS",), label="LMS, no Zebra"),)),
        AnalysisSection(saved_sets={"Without Zebra": (OneOf("h", ("LMS",)),)}),
    ],
)
def test_a_name_in_what_was_written_or_looked_at_is_asked_about(analysis: AnalysisSection) -> None:
    cohort = cohort_with(Definitions(variables={"h": Variable(label="Histotype")}), analysis)
    assert names(cohort) == {"Zebra": 2}
    withheld = without_names(cohort.study, rare_names(cohort))
    assert "Zebra" not in written(withheld.study)
    kept = withheld.study.analysis
    assert len(kept.looked_at) == len(analysis.looked_at)  # they still count
    assert [one.question for one in kept.looked_at] == [
        "PFS by Histotype: (not named) vs Others" for _ in analysis.looked_at
    ]
    assert len(kept.criteria) == len(analysis.criteria)
    assert len(kept.filters) == len(analysis.filters)


def test_a_word_that_only_holds_the_name_says_nothing() -> None:
    words = AnalysisSection(views={"figure": {"title": "Zebras by LMS", "numbers": "median"}})
    assert names(cohort_with(Definitions(variables={"h": Variable(label="H")}), words)) == {}


def test_names_that_the_program_gives_say_nothing() -> None:
    definitions = Definitions(
        variables={
            "old": Variable(label="Old", column="age", kind=VariableKind.ORDERED, cuts=(85.0,),
                            levels=("<85", "≥85"), reference="≥85"),
            "lms": Variable(label="LMS", derived=IsOneOf("h", ("LMS",)), levels=("Yes", "No")),
        }
    )  # fmt: skip
    assert names(cohort_with(definitions)) == {}
    named = replace(definitions.variables["old"], codes={"≥85": "The oldest"}, levels=())
    assert names(cohort_with(Definitions(variables={"old": named}))) == {"The oldest": 1}


LEVEL = st.sampled_from(["alpha", "beta", "gamma", "delta", None])


@given(st.lists(LEVEL, min_size=1, max_size=20), st.data())
def test_no_name_of_a_small_group_is_ever_written(cells: list[Any], data: st.DataObject) -> None:
    names_ = st.sampled_from(["alpha", "beta", "gamma", "delta"])
    some = st.lists(names_, max_size=3, unique=True).map(tuple)
    variable = Variable(
        label="H",
        levels=data.draw(some),
        codes=data.draw(st.dictionaries(names_, names_, max_size=2)),
        merged=data.draw(st.dictionaries(names_, some, max_size=2)),
        reference=data.draw(st.none() | names_),
    )
    definitions = Definitions(
        variables={"h": variable, "d": Variable(label="D", derived=IsOneOf("h", ("beta",)))}
    )
    cohort = cohort_of({"h": cells}, definitions)
    rare = rare_names(cohort)
    withheld = without_names(cohort.study, rare)
    text = written(withheld.study)
    for item in rare:
        assert item.name not in text
    for name in ("alpha", "beta", "gamma", "delta"):
        n = cells.count(name)
        if 0 < n < 5:
            assert name not in text, "a value of the file that few patients have"
    if not rare:
        assert withheld.study == cohort.study
        assert withheld.losses == ()


# --- values that a definition gives a meaning to -------------------------------------------------

VISITS = """id,when,seen,lesion,kept
P1,2021-02-15,grew in Bern,no,read
P2,2021-02-15,grew in Bern,no,read
P3,2021-02-15,SD,brain of a pilot,read
P4,2021-02-15,SD,no,read by Dr X
P4,2021-03-15,SD,no,read by Dr X
"""
DOSES = "id,from,to,why\nP1,2021-01-01,on trial of Y,\nP2,2021-01-01,2021-02-01,\n"
MEANT = (
    "{{assessments: {{date: when, overall: seen, codes: {{'grew in Bern': PD}}, {visits}}}, "
    "exposures: {{start: from, stop: to, ongoing: to, ongoing_values: [on trial of Y]}}}}"
)


def meaning(visits: str) -> Cohort:
    return tables_with(MEANT.format(visits=visits), assessments=VISITS, exposures=DOSES)


def test_values_of_assessments_and_treatment_are_looked_at() -> None:
    cohort = meaning("new_lesion: lesion, new_lesion_values: [brain of a pilot]")
    assert names(cohort) == {"grew in Bern": 2, "brain of a pilot": 1, "on trial of Y": 1}
    withheld = without_names(cohort.study, rare_names(cohort))
    text = written(withheld.study)
    assert not any(name in text for name in ("grew in Bern", "pilot", "trial of Y"))
    assert withheld.losses == (
        "the columns of tumour assessments", "the columns of treatment by row",
    )  # fmt: skip


def test_a_code_is_taken_out_alone_and_rows_with_their_definition() -> None:
    cohort = meaning("rows: {kept: [read]}")
    assert names(cohort) == {"grew in Bern": 2, "read": 3, "on trial of Y": 1}
    coded = [item for item in rare_names(cohort) if item.name == "grew in Bern"]
    withheld = without_names(cohort.study, coded)
    assert withheld.losses == ("what values of tumour assessments mean",)
    assert withheld.study.definitions.assessments is not None
    assert withheld.study.definitions.assessments.codes == {}
    rest = without_names(cohort.study, rare_names(cohort))
    assert rest.study.definitions.assessments is None
    assert "read" not in written(rest.study)


def test_statuses_in_words_of_few_patients_are_named_and_usual_words_are_not() -> None:
    columns = {"t": [1, 2, 3, 4], "s": ["dead", "alive", "fell from mast", 1]}
    status = Endpoint(
        label="OS", time="t", event="s", events={"death": ("dead", "fell from mast", 1)},
        censored=("alive",), events_status=Status.CONFIRMED,
    )  # fmt: skip
    cohort = cohort_of(columns, Definitions(endpoints={"OS": status}))
    assert names(cohort) == {"fell from mast": 1}
    withheld = without_names(cohort.study, rare_names(cohort)).study.definitions.endpoints["OS"]
    assert withheld.events == {"death": ("dead", 1)}
    assert withheld.events_status is Status.GUESSED


def test_values_that_mean_related_are_asked_again() -> None:
    cohort = make_cohort(
        {"time": [1, 2], "status": [1, 0]},
        adverse_events={
            "row": [1, 2], "term": ["Rash"] * 2, "grade": [1, 1],
            "related": ["Dr X says", "no"],
        },
    )  # fmt: skip
    events = cohort.study.definitions.adverse_events
    assert events is not None
    definitions = replace(
        cohort.study.definitions,
        adverse_events=replace(events, related="related", related_values=("Dr X says",)),
    )
    cohort = replace(cohort, study=replace(cohort.study, definitions=definitions))
    assert "Dr X says" in names(cohort)
    withheld = without_names(cohort.study, rare_names(cohort)).study.definitions.adverse_events
    assert withheld is not None
    assert withheld.related_values == ()
    assert withheld.status is Status.GUESSED
