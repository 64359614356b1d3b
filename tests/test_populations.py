"""Analysis populations: which criteria apply, what the default analyses use, and the study file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.analysis.adverse_events import AdverseEventSpec, adverse_events
from sts_core.analysis.baseline import BaselineSpec, baseline
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.plan import specs_of, usual_report
from sts_core.analysis.provenance import provenance_of
from sts_core.analysis.response import ResponseSpec, response
from sts_core.analysis.selection_effect import EffectSpec, effect_table, selection_effect
from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.criteria import LATE_EFFECT, apply_criteria, evaluate, reference_of
from sts_core.findings import FindingCode, StudyError
from sts_core.populations import (
    cohort_of,
    criteria_of,
    populations_of,
    single_criteria,
    takes,
    usual_populations,
    with_criteria,
    with_single,
)
from sts_core.study import (
    AnalysisSection,
    Between,
    Criterion,
    DataSection,
    ExposureDefinition,
    HasRow,
    OneOf,
    Population,
    Status,
    TableSource,
    dump_study,
    load_study,
)
from tests.cohorts import make_cohort

EARLY = Between("time", low=3, after_time_zero=True, label="At least 3 days on study")
GROUP_A = OneOf("group", ("A",), missing="drop")


def cohort(*criteria: Criterion, **analysis: object) -> Cohort:
    return make_cohort(
        {
            "time": [1, 2, 3, 4, 5, 6],
            "status": [1, 1, 1, 0, 1, 0],
            "group": ["A", "B", "A", "A", "B", "A"],
            "best_response": ["PD", "PD", "CR", None, "PR", "NE"],
        },
        adverse_events={
            "row": [1, 2, 3], "term": ["Fever", "Fever", "Rash"], "grade": [5, 3, 1],
            "related": ["yes", "yes", "yes"],
        },
        analysis=AnalysisSection(criteria=criteria, **analysis),  # type: ignore[arg-type]
    )  # fmt: skip


def members(data: Cohort, key: str) -> str:
    return " ".join(who.removeprefix("S00") for who in cohort_of(data, key).analysed)


def test_each_population_has_its_criteria() -> None:
    data = cohort(GROUP_A, EARLY)
    assert members(data, "treated") == "1 3 4 6"
    assert members(data, "efficacy") == "3 4 6"
    assert members(data, "response_evaluable") == "3"
    assert members(data, "safety") == "1 3 4 6"
    assert [*populations_of(data.study)] == ["treated", "efficacy", "response_evaluable", "safety"]


def test_safety_does_not_inherit_what_is_known_later_and_the_others_do() -> None:
    data = cohort(EARLY)
    assert adverse_events(data, AdverseEventSpec()).overall.n == 6
    assert adverse_events(data, AdverseEventSpec(population="efficacy")).overall.n == 4
    assert response(data, ResponseSpec()).overall.n == 4
    assert response(data, ResponseSpec(population="treated")).overall.n == 6
    assert kaplan_meier(data, KaplanMeierSpec("OS")).overall.n == 4
    assert kaplan_meier(data, KaplanMeierSpec("OS", population="treated")).overall.n == 6
    assert baseline(data, BaselineSpec(("group",), population="safety")).provenance.n_analysed == 6


def test_where_nothing_is_known_only_later_all_populations_are_the_same() -> None:
    data = cohort(GROUP_A)
    for key in ("treated", "efficacy", "safety"):
        assert members(data, key) == "1 3 4 6"
    result = adverse_events(data, AdverseEventSpec())
    assert result.provenance.footnotes == provenance_of(data).footnotes
    assert "population" not in " ".join(result.footnotes)


def test_a_result_names_its_population_where_they_differ() -> None:
    data = cohort(EARLY)
    safety = adverse_events(data, AdverseEventSpec())
    assert "6 of 6 patients in the file analysed (safety population)." in safety.footnotes
    efficacy = " ".join(response(data, ResponseSpec()).footnotes)
    assert "4 of 6 patients in the file analysed (efficacy population)" in efficacy
    assert "At least 3 days on study (n = 2, known only after time zero)." in efficacy
    assert f"A criterion known only after time zero {LATE_EFFECT}." in efficacy


def test_treatment_recorded_by_row_decides_safety_once_it_is_confirmed() -> None:
    data = cohort()
    for status, n in ((Status.GUESSED, 0), (Status.CONFIRMED, 1)):
        exposures = ExposureDefinition("from", status=status)
        study = replace(
            data.study,
            definitions=replace(data.study.definitions, exposures=exposures),
            data=DataSection({**data.study.data.tables, "exposures": TableSource(file="x.csv")}),
        )
        own = usual_populations(study)["safety"].own
        assert len(own) == n
        assert all(isinstance(item, HasRow) for item in own)


def test_a_study_file_names_populations_of_its_own_and_changes_the_usual_ones() -> None:
    own = {
        "safety": Population("Everyone in the file", "none"),
        "group_b": Population("Group B", "time_zero", (OneOf("group", ("B",)),)),
    }
    data = cohort(GROUP_A, EARLY, populations=own)
    assert members(data, "safety") == "1 2 3 4 5 6"
    assert members(data, "group_b") == ""
    assert load_study(dump_study(data.study)) == data.study
    assert cohort_of(data, "group_b").flow.n_end == 0
    assert adverse_events(data, AdverseEventSpec()).overall.n == 6


def test_a_population_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(StudyError) as caught:
        response(cohort(), ResponseSpec(population="itt"))
    assert "“itt”" in caught.value.findings[0].message


def test_two_populations_have_two_fingerprints() -> None:
    data = cohort(EARLY)
    found = {cohort_of(data, key).fingerprint for key in populations_of(data.study)}
    assert len(found | {data.fingerprint}) == 5


CRITERION = st.builds(
    lambda column, late, missing, enabled: replace(
        column, after_time_zero=late, missing=missing, enabled=enabled
    ),
    st.sampled_from([GROUP_A, EARLY, OneOf("best_response", ("PD",), excludes=True)]),
    st.booleans(),
    st.sampled_from(["keep", "drop", "only"]),
    st.booleans(),
)


@settings(max_examples=30)
@given(st.lists(CRITERION, max_size=4), st.lists(CRITERION, max_size=1))
def test_populations_are_nested_and_every_flow_adds_up(
    criteria: list[Criterion], filters: list[Criterion]
) -> None:
    data = cohort(*criteria, filters=tuple(filters))
    data = apply_criteria(data)
    treated, efficacy, evaluable = (
        set(cohort_of(data, key).analysed) for key in ("treated", "efficacy", "response_evaluable")
    )
    assert evaluable <= efficacy <= treated
    assert efficacy == set(data.analysed)
    for key, population in populations_of(data.study).items():
        one = cohort_of(data, key)
        n = one.n_in_file
        for step in one.flow.steps:
            assert step.n_before == n
            n -= step.n_excluded
        assert n == one.flow.n_end == one.n
        out = {who for step in one.flow.steps for who in step.subjects}
        assert out | set(one.analysed) == set(data.subjects)
        in_force = [*criteria_of(data.study, population), *(f for f in filters if f.enabled)]
        kept = [
            who for place, who in enumerate(data.subjects)
            if not any(evaluate(data, item).leaves[place] for item in in_force)
        ]  # fmt: skip
        assert kept == one.analysed.tolist()


# --- single criteria ------------------------------------------------------------------------------

#: What GROUP_A, which has no label, is called.
IN_GROUP_A = "group is A"


def test_a_population_leaves_a_single_criterion_out_or_keeps_it() -> None:
    own = {
        "most": Population("All but one", "all", without=(IN_GROUP_A,)),
        "early": Population("Early and one late", "time_zero", also=(EARLY.label,)),
        "one": Population("One alone", "none", also=(EARLY.label,)),
    }
    data = cohort(GROUP_A, EARLY, populations=own)
    assert members(data, "most") == members(data, "one") == "3 4 5 6"
    assert members(data, "early") == members(data, "efficacy") == "3 4 6"
    # in the order of the study, and none that is switched off
    assert criteria_of(data.study, own["early"]) == (GROUP_A, EARLY)
    off = cohort(GROUP_A, replace(EARLY, enabled=False), populations=own)
    assert members(off, "one") == "1 2 3 4 5 6"
    result = kaplan_meier(data, KaplanMeierSpec("OS", population="most"))
    assert "4 of 6 patients in the file analysed (all but one)" in " ".join(result.footnotes)
    assert load_study(dump_study(data.study)) == data.study
    text = "title: t\nanalysis: {populations: {p: {label: P, without: [x], also: [x]}}}"
    with pytest.raises(StudyError) as caught:
        load_study(text)
    assert "both left out" in caught.value.findings[0].message


def test_a_criterion_that_is_changed_is_the_same_to_a_population() -> None:
    kept = Population("All but one", "all", without=(IN_GROUP_A,))
    study = cohort(GROUP_A, EARLY, populations={"most": kept}).study

    def names(*criteria: Criterion) -> tuple[str, ...]:
        return with_criteria(study, criteria).analysis.populations["most"].without

    assert names(replace(GROUP_A, values=("B",)), EARLY) == ("group is B",)
    assert names(replace(GROUP_A, label="In A"), EARLY) == ("In A",)
    for same in ((EARLY, GROUP_A), (replace(GROUP_A, enabled=False), EARLY), (EARLY,)):
        assert names(*same) == (IN_GROUP_A,)
    # a copy keeps the name: both are left out
    both = (GROUP_A, GROUP_A, EARLY)
    assert not any(takes(kept, item) for item in both[:2])
    copied = with_criteria(study, both)
    changed = with_criteria(copied, (GROUP_A, replace(GROUP_A, values=("B",)), EARLY))
    assert changed.analysis.populations["most"].without == (IN_GROUP_A,)


def test_a_criterion_that_is_gone_changes_nothing_and_is_named() -> None:
    own = {
        "most": Population("All but one", "all", without=("Gone",)),
        "one": Population("One alone", "none", also=("Gone too",)),
    }
    data = cohort(EARLY, populations=own)
    assert members(data, "most") == "3 4 5 6"
    assert members(data, "one") == "1 2 3 4 5 6"
    found = [x for x in check_cohort(data) if x.code is FindingCode.POPULATION_CRITERION_GONE]
    assert [x.message for x in found] == [
        "The population “All but one” (most) leaves out a criterion “Gone”, which is not among the "
        "criteria.",
        "The population “One alone” (one) keeps a criterion “Gone too”, which is not among the "
        "criteria.",
    ]
    assert own["most"].forgetting(["Gone"]) == Population("All but one", "all")


@given(
    st.lists(st.sampled_from([GROUP_A, EARLY, Between("time", high=5), OneOf("status", ("1",))]),
             unique=True, max_size=4),
    st.sampled_from(["all", "time_zero", "none"]),
    st.data(),
)  # fmt: skip
@settings(max_examples=15)
def test_counts_of_single_criteria_are_what_a_click_does(
    criteria: list[Criterion], base: str, data: st.DataObject
) -> None:
    population = Population("P", base)  # type: ignore[arg-type]
    chosen = data.draw(st.lists(st.sampled_from(criteria), unique=True)) if criteria else []
    for item in chosen:
        population = with_single(population, item, taken=not takes(population, item))
    whole = cohort(*criteria, populations={"p": population})
    n = cohort_of(whole, "p").n
    for single in single_criteria(whole, "p"):
        assert single.taken is (single.criterion in criteria_of(whole.study, population))
        clicked = with_single(population, single.criterion, taken=not single.taken)
        after = cohort_of(cohort(*criteria, populations={"p": clicked}), "p").n
        if not single.taken:
            assert n - after == single.n
        else:
            assert 0 <= after - n <= single.n  # another criterion may remove some of them
        again = with_single(clicked, single.criterion, taken=single.taken)
        assert {*again.without} == {*population.without}
        assert {*again.also} == {*population.also}
    removed = sum(single.n for single in single_criteria(whole, "p") if single.taken)
    assert removed == whole.n_in_file - n


def test_the_name_of_a_criterion_needs_no_file() -> None:
    assert reference_of(EARLY) == "At least 3 days on study"
    assert reference_of(replace(EARLY, label="", excludes=True)) == "Excluded: time at least 3"


def test_an_efficacy_population_of_its_own_is_that_of_the_usual_analyses() -> None:
    own = {"efficacy": Population("Efficacy population", "all", without=(EARLY.label,))}
    data = cohort(GROUP_A, EARLY, populations=own)
    specs = specs_of(data)
    asked = {type(spec).__name__: spec.population for spec in specs}
    assert asked["ResponseSpec"] == "treated", "beside it"
    assert asked.pop("AdverseEventSpec") is None
    assert "efficacy" in {spec.population for spec in specs}
    assert {spec.population for spec in usual_report(data)} == {None, "efficacy"}
    mine = response(data, ResponseSpec(population="efficacy"))
    assert (mine.overall.n, mine.provenance.population) == (4, "efficacy")
    # whoever asks for none has the patients that all criteria leave, and they are called so
    every = response(data, ResponseSpec())
    assert (every.overall.n, every.provenance.population) == (3, "all_criteria")
    assert "3 of 6 patients in the file analysed (all criteria)" in " ".join(every.footnotes)
    table = effect_table(selection_effect(data, EffectSpec()))
    assert [column.label for column in table.columns[1:]] == ["Efficacy population", "All treated"]
    usual = effect_table(selection_effect(cohort(GROUP_A, EARLY), EffectSpec()))
    assert [column.label for column in usual.columns[1:]] == ["All criteria", "All treated"]
