"""Who is behind a count: the number in a cell is the length of its list, and nobody is named."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts_core.analysis.adverse_events import AdverseEventSpec
from sts_core.analysis.baseline import BaselineBlock, BaselineSpec
from sts_core.analysis.competing_risks import CompetingRisksSpec, competing_risks
from sts_core.analysis.competing_risks import more_tables as competing_tables
from sts_core.analysis.cox import CoxSpec
from sts_core.analysis.cross_table import CrossTableSpec
from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.landmark import left_out_by_landmark
from sts_core.analysis.parametric_survival import ParametricSurvivalSpec
from sts_core.analysis.patient_list import (
    MOST_LISTED,
    list_columns,
    members_of,
    members_title,
    patient_list,
)
from sts_core.analysis.plan import baseline_covariates, specs_of
from sts_core.analysis.registry import ANALYSES
from sts_core.analysis.response import ResponseSpec
from sts_core.analysis.selection_effect import EffectSpec, effect_table, selection_effect
from sts_core.analysis.set_comparison import SetComparisonSpec, set_comparison, set_table
from sts_core.analysis.software_conventions import SoftwareConventionsSpec
from sts_core.analysis.survival_comparison import SurvivalComparisonSpec, survival_comparison
from sts_core.analysis.survival_comparison_report import comparison_table
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.derive import levels_of
from sts_core.display import CountShare, DisplayTable, Format
from sts_core.figures.catalogue import figure_of
from sts_core.figures.counted import MOST_TICKS, counted_in, counts_table
from sts_core.figures.cumulative_incidence import cumulative_incidence_curve
from sts_core.figures.flow_diagram import flow_diagram
from sts_core.figures.marks import Chart, Figure, SmallMultiples, StepLine
from sts_core.figures.survival_curve import survival_curve
from sts_core.findings import StudyError
from sts_core.members import (
    HEADING,
    Count,
    CountedText,
    HadEvent,
    HasLevel,
    HasTime,
    IsNamed,
    Members,
    of_flow,
)
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study import (
    AnalysisSection,
    Between,
    IsKnown,
    Measured,
    OneOf,
    TimeUnit,
    Variable,
    VariableKind,
    load_study,
)
from tests.cohorts import DEGENERATE_COMPLETE, endpoint, make_cohort

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


def sample_cohort(data: str, choices: str) -> Cohort:
    study = load_study((SAMPLE / choices).read_text("utf-8"))
    book = read_bytes(data, (SAMPLE / data).read_bytes())
    return apply_criteria(assemble(study, [book]), study)


@pytest.fixture(scope="module")
def sample() -> Cohort:
    return sample_cohort("sts_cohort.xlsx", "study.yaml")


@pytest.fixture(scope="module")
def screening() -> Cohort:
    return sample_cohort("sts_screening.xlsx", "study_screening.yaml")


def tables_of(cohort: Cohort, spec: Any) -> tuple[DisplayTable, ...]:
    analysis = ANALYSES[spec.kind]
    return analysis.tables(analysis.compute(cohort, spec))


def count_in(cell: object) -> int | None:
    """Give the patients that a cell counts."""
    if isinstance(cell, CountShare):
        return cell.count
    return cell if isinstance(cell, int) and not isinstance(cell, bool) else None


def check_every_count(cohort: Cohort, spec: Any) -> int:
    """Compare each count with its list; every count has one."""
    return sum(check_table(cohort, table, spec) for table in tables_of(cohort, spec))


def check_table(cohort: Cohort, table: DisplayTable, spec: Any = None) -> int:
    n_checked = 0
    for at, row in enumerate(table.rows):
        for column in table.columns:
            count = count_in(row.get(column.key))
            if count is None or column.format not in (Format.INTEGER, Format.SUMMARY):
                continue
            if column.key.endswith(("df", "parameters")):
                continue  # degrees of freedom and parameters count no patients
            members = table.members.get((at, column.key))
            assert members is not None, (spec, at, column)
            assert int(members_of(cohort, members).sum()) == count, (spec, row, column, members)
            n_checked += 1
    for (at, key), members in table.members.items():
        if at == HEADING:
            (label,) = (column.label for column in table.columns if column.key == key)
            assert label.endswith(f"(N = {members_of(cohort, members).sum()})")
            n_checked += 1
    cells = [cell for row in table.rows for cell in row.values() if isinstance(cell, str)]
    return n_checked + sum(check_text(cohort, text) for text in (*cells, *table.footnotes))


#: A number of patients as sentences write it.
IN_WORDS = re.compile(r"\b\d+ patients?\b|\bn = \d+|\(N = \d+\)")


def check_text(cohort: Cohort, text: str) -> int:
    """Compare each count of a sentence with its list; no number of patients is without one."""
    parts = text.parts if isinstance(text, CountedText) else (text,)
    assert "".join(part.text if isinstance(part, Count) else part for part in parts) == text
    counts = [part for part in parts if isinstance(part, Count)]
    for part in parts:
        if isinstance(part, Count):
            (number,) = re.findall(r"\d+", part.text)
            assert int(members_of(cohort, part.members).sum()) == int(number), (text, part)
            assert members_title(cohort, part.members, int(number))
        elif "Exploratory subset" not in part:
            assert not IN_WORDS.search(part), (text, part)
    return len(counts)


def check_figure(cohort: Cohort, figure: Figure) -> int:
    """Compare the table of a figure's counts with their lists; all that can be clicked is in it."""
    table = counts_table(figure)
    assert table is not None
    texts = [cell for row in table.rows for cell in row.values()]
    listed = {who.key for who in table.members.values()}
    for text in (*texts, *table.footnotes):
        if isinstance(text, CountedText):
            listed |= {who.key for *_, who in text.counts}
    assert {*counted_in(figure)} <= listed
    return check_table(cohort, table)


def every_spec(cohort: Cohort) -> list[Any]:
    """Give the usual analyses, and those that the usual ones leave out."""
    definitions = cohort.study.definitions
    groups = [key for key in definitions.variables if key in ("group", "histotype", "sex")]
    by = groups[0] if groups else None
    covariates = baseline_covariates(cohort) or tuple(groups)
    specs: list[Any] = [*specs_of(cohort)]
    specs += [BaselineSpec(variables=covariates, by=by), BaselineSpec(covariates)]
    specs += [
        CoxSpec(endpoint=code, covariates=covariates, model="multivariable")
        for code in definitions.endpoints
    ]
    if definitions.response is not None:
        specs.append(ResponseSpec(by=by, denominator="evaluable"))
    if definitions.adverse_events is not None:
        specs += [
            AdverseEventSpec(by=by, related_only=related, group_by_class=True)
            for related in (True, False)
        ]
    if len(covariates) > 1 and by is not None:
        other = next((key for key in groups if key != by), None)
        specs += [CrossTableSpec(rows=by, columns=other)] if other else []
    for code in definitions.endpoints:
        specs += [
            SurvivalComparisonSpec(code, by=by, resamples=0),
            ParametricSurvivalSpec(code, by=by),
            SoftwareConventionsSpec(code, by=by),
        ]
    specs.append(SetComparisonSpec(variables=tuple(groups)))
    return specs


# --- the invariant -------------------------------------------------------------------------------


def test_every_count_of_the_sample_is_the_length_of_its_list(sample: Cohort) -> None:
    checked = sum(check_every_count(sample, spec) for spec in every_spec(sample))
    assert checked > 500


@pytest.mark.parametrize("arrangement", ["together", "direct", "highlighted"])
def test_what_a_click_on_a_figure_opens_stands_in_a_table_too(
    sample: Cohort, arrangement: Any
) -> None:
    drawing = CurveOptions(arrangement=arrangement)
    for spec in (
        KaplanMeierSpec("PFS", by="histotype", drawing=drawing),
        KaplanMeierSpec("OS", drawing=drawing),
        ParametricSurvivalSpec("PFS", by="sex", drawing=drawing),
        ResponseSpec(by="histotype"),
        CoxSpec("PFS", covariates=("sex", "age", "histotype"), model="multivariable"),
    ):
        figure = figure_of(spec.kind, ANALYSES[spec.kind].compute(sample, spec))
        assert figure is not None
        assert check_figure(sample, figure) >= 8, spec
    table = counts_table(flow_diagram(sample.flow))
    assert table is None, "its boxes are buttons by themselves"


def test_marks_of_very_many_censored_patients_are_not_listed_one_by_one() -> None:
    n = MOST_TICKS + 20
    cohort = make_cohort({"time": [*range(1, n + 1)], "status": [0] * (n - 1) + [1]})
    figure = survival_curve(kaplan_meier(cohort, KaplanMeierSpec("OS")))
    table = counts_table(figure)
    assert table is not None
    assert table.footnotes == (
        "The marks of censored patients are too many to be listed one by one.",
    )
    assert f"{n - 1} censored" in str(table.rows[0]["what"])


def test_counts_of_groups_that_are_compared_leave_the_others_out(sample: Cohort) -> None:
    levels = levels_of(sample, "histotype").levels[1:3]
    found = [
        check_every_count(sample, spec)
        for spec in (
            BaselineSpec(("sex",), by="histotype", levels=levels),
            KaplanMeierSpec("OS", by="histotype", levels=levels),
            ResponseSpec(by="histotype", levels=levels),
            AdverseEventSpec(by="histotype", levels=levels),
            CompetingRisksSpec("PFS", by="histotype", levels=levels),
        )
    ]
    assert min(found) >= 8


@pytest.mark.parametrize("name", DEGENERATE_COMPLETE)
def test_awkward_cohorts(name: str) -> None:
    cohort = DEGENERATE_COMPLETE[name]()
    for spec in every_spec(cohort):
        try:
            check_every_count(cohort, spec)
        except StudyError:
            # the analysis itself says why it can't be done
            with pytest.raises(StudyError):
                tables_of(cohort, spec)


@st.composite
def cohorts(draw: st.DrawFn) -> Cohort:
    """Draw patients with holes, criteria that drop or keep them, and a filter."""
    n = draw(st.integers(1, 14))

    def column(cells: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(cells, min_size=n, max_size=n))

    columns = {
        "time": column(st.sampled_from([None, "x", -1, 0, 1, 2.5, 30, 365, 366])),
        "status": column(st.sampled_from([0, 1, 1, None])),
        "group": column(st.sampled_from(["A", "B", "C", None])),
        "sex": column(st.sampled_from(["f", "m", "NA"])),
        "age": column(st.sampled_from([None, 18, 54, 89, 90, 97])),
        "lung": column(st.sampled_from(["yes", "no", None])),
        "liver": column(st.sampled_from(["yes", "no", None])),
        "best_response": column(st.sampled_from(["CR", "PR", "SD", "PD", "NE", None])),
    }
    events = draw(
        st.lists(
            st.tuples(
                st.integers(1, n),
                st.sampled_from(["Nausea", "nausea ", "Fatigue", None]),
                st.sampled_from([None, 1, 2, 3, 4, 5, 9]),
                st.sampled_from(["yes", "no", None]),
            ),
            max_size=12,
        )
    )
    adverse = {
        name: [event[at] for event in events]
        for at, name in enumerate(("row", "term", "grade", "related"))
    }
    baseline = {"measured": Measured.BASELINE}
    variables = {
        "group": Variable(label="Group", levels=("A", "B", "C"), **baseline),
        "sex": Variable(label="Sex", **baseline),
        "age": Variable(label="Age", kind=VariableKind.NUMERIC, unit="years", **baseline),
        "lung": Variable(label="Lung", **baseline),
        "liver": Variable(label="Liver", **baseline),
    }
    missing = draw(st.sampled_from(["keep", "drop", "only_missing"][:2]))
    analysis = AnalysisSection(
        criteria=(
            Between("age", low=18, high=95, missing=missing),
            IsKnown("status"),
            OneOf("sex", ("m",), excludes=True, missing=missing, enabled=draw(st.booleans())),
        ),
        filters=(OneOf("group", ("A", "B"), enabled=draw(st.booleans())),),
    )
    return make_cohort(
        columns, variables=variables, adverse_events=adverse, analysis=analysis,
        endpoints={"OS": endpoint(), "EFS": endpoint(label="EFS", entry=None)},
    )  # fmt: skip


@given(cohorts())
@settings(max_examples=12)
def test_random_cohorts(cohort: Cohort) -> None:
    block = BaselineBlock("Metastasis", ("lung", "liver"), "yes")
    keys = ("age", "sex", "group", "lung")
    for spec in (
        BaselineSpec(keys, by="group", blocks=(block,)),
        BaselineSpec(keys, blocks=(block,)),
        CrossTableSpec("sex", "group"),
        KaplanMeierSpec("OS", by="sex", landmarks=(0, 1, 12)),
        CoxSpec("OS", ("sex", "age", "group"), model="multivariable"),
        CoxSpec("EFS", ("age", "group")),
        AdverseEventSpec(by="group"),
        AdverseEventSpec(related_only=False),
    ):
        check_every_count(cohort, spec)
    with_response = {*cohort.study.definitions.variables} & {"best_response"}
    if with_response and any(v is not None for v in cohort.tables["subjects"].column("time")):
        check_every_count(cohort, ResponseSpec(by="group"))
    check_flow(cohort)


LANDMARKS: tuple[dict[str, Any], ...] = (
    {},
    {"landmark": 3.0},
    {"landmark": 90.0, "time_unit": TimeUnit.DAYS},
    {"landmark": 1.0, "known_on": "known"},
)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("choice", LANDMARKS)
def test_groups_compared_from_time_zero_and_from_a_landmark(
    choice: dict[str, Any], late: bool
) -> None:
    n = 60
    rng = np.random.default_rng(4)
    days = [int(day) for day in rng.integers(5, 700, n)]
    columns = {
        # the landmarks lie exactly on times of some
        "time": [91.3125, 90, 90, 30.4375, 20, *days[5:]],
        "status": [1, 1, 0, 0, 1, *(int(x) for x in rng.integers(0, 2, n - 5))],
        "group": [("A", "B", None)[at % 3] for at in range(n)],
        "known": [None if at % 5 == 0 else at * 2 for at in range(n)],
        # some are under observation from time zero on, others from a tick on
        "entry": [(0, 4, 61, -3)[at % 4] if at > 5 else 0 for at in range(n)],
    }
    later = {"measured": Measured.POST_BASELINE if choice else Measured.BASELINE}
    cohort = make_cohort(
        columns,
        variables={
            "group": Variable(label="Group", levels=("A", "B"), **later),
            "known": Variable(label="Known on", kind=VariableKind.NUMERIC, **later),
        },
        endpoints={"OS": endpoint(entry="entry" if late else None)},
    )
    spec = SurvivalComparisonSpec("OS", by="group", resamples=0, **choice)
    result = survival_comparison(cohort, spec)
    assert check_table(cohort, comparison_table(result)) >= 4
    curves = KaplanMeierSpec("OS", by="group", landmarks=(0, 1, 5), tick_step=2, **choice)
    assert check_every_count(cohort, curves) >= 12
    figure = survival_curve(kaplan_meier(cohort, curves))
    assert check_figure(cohort, figure) > 40
    for group in figure.body.strip.groups:  # type: ignore[union-attr]
        for row in group.rows:
            listed = [str(members_of(cohort, who).sum()) for who in row.members]
            assert listed == [*row.cells], row.name
    if result.landmark is not None:
        event, ended = left_out_by_landmark(spec)
        assert members_of(cohort, event).sum() == result.landmark.n_event_before > 0
        assert members_of(cohort, ended).sum() == result.landmark.n_ended_before > 0
        table = patient_list(cohort, event)
        assert " with an event by the landmark at " in table.title


@pytest.mark.parametrize("n_kinds", [2, 3])
def test_competing_risks_in_tables_and_figures(n_kinds: int) -> None:
    n = 45
    rng = np.random.default_rng(n_kinds)
    kinds = {"progression": (1,), "death": (2,), "second cancer": (3,)}
    chosen = dict([*kinds.items()][:n_kinds])
    cohort = make_cohort(
        {
            "time": [int(day) for day in rng.integers(0, 40, n) * 10],
            "status": [int(one) for one in rng.integers(0, n_kinds + 1, n)],
            "group": [("A", "B", "C", None)[at % 4] for at in range(n)],
            "age": [None if at % 7 == 0 else 40 + at for at in range(n)],
        },
        variables={
            "group": Variable(label="Group", measured=Measured.BASELINE),
            "age": Variable(label="Age", kind=VariableKind.NUMERIC, measured=Measured.BASELINE),
        },
        endpoints={"OS": endpoint(events=chosen)},
    )
    for spec in (
        CompetingRisksSpec("OS", covariates=("age",), tick_step=2),
        CompetingRisksSpec("OS", by="group", levels=("A", "B"), covariates=("age",), tick_step=2),
        CompetingRisksSpec("OS", by="group", event_kind="death", stacked=True, tick_step=2),
    ):
        assert check_every_count(cohort, spec) >= 3
        result = competing_risks(cohort, spec)
        assert sum(check_table(cohort, table) for table in competing_tables(result)) >= n_kinds
        figure = cumulative_incidence_curve(result)
        assert figure is not None
        assert check_figure(cohort, figure) > 20
        body = figure.body
        assert isinstance(body, Chart | SmallMultiples)
        if isinstance(body, Chart):
            assert body.strip is not None
            rows = [row for group in body.strip.groups for row in group.rows]
        else:
            rows = [row for chart in body.charts for row in chart.rows]
        for row in rows:
            listed = [str(members_of(cohort, who).sum()) for who in row.members]
            assert listed == [*row.cells], row.name
        panels = [body.panel] if isinstance(body, Chart) else [one.panel for one in body.charts]
        lines = [mark for panel in panels for mark in panel.marks if isinstance(mark, StepLine)]
        by_group = spec.by is not None and not spec.stacked
        wanted = [
            group.n if by_group else one.n_event
            for group in result.groups
            for one in (group.kinds[:1] if by_group else group.kinds)
        ]
        listed_n = [int(members_of(cohort, line.members).sum()) for line in lines if line.members]
        assert sorted(listed_n) == sorted(n for n in wanted if n)


def test_all_treated_beside_lists_both_sides(screening: Cohort) -> None:
    table = effect_table(selection_effect(screening, EffectSpec()))
    for key in ("selected", "treated"):
        listed = int(members_of(screening, table.members[0, key]).sum())
        assert str(listed) == table.rows[0][key]
    title = members_title(screening, table.members[0, "treated"], 57)
    assert title == "57 patients analysed (all treated)"


def test_severe_events_of_all_treated_are_listed() -> None:
    late = OneOf("best_response", ("PR",), excludes=True, after_time_zero=True)
    cohort = old_cohort(analysis=AnalysisSection(criteria=(late,)))
    table = effect_table(selection_effect(cohort, EffectSpec()))
    (severe,) = (at for at, row in enumerate(table.rows) if isinstance(row["treated"], CountShare))
    found = {}
    for key in ("selected", "treated"):
        found[key] = int(members_of(cohort, table.members[severe, key]).sum())
        assert found[key] == count_in(table.rows[severe][key])
    assert found == {"selected": 0, "treated": 1}


def test_both_sets_of_a_comparison_list_their_patients(screening: Cohort) -> None:
    variables = ("sex", "age", "histotype")
    (first, *_) = levels_of(screening, "histotype").levels
    saved = {"Of one histotype": (OneOf("histotype", (first,)),), "Nobody": (OneOf("sex", ("x",)),)}
    analysis = dataclasses.replace(screening.study.analysis, saved_sets=saved)
    study = dataclasses.replace(screening.study, analysis=analysis)
    cohort = apply_criteria(screening, study)
    titles = {}
    for name in (None, *saved):
        spec = SetComparisonSpec(name, variables=variables)
        table = set_table(set_comparison(cohort, spec))
        assert check_table(cohort, table) >= 20
        titles[name] = patient_list(cohort, table.members[HEADING, "set_1"]).title
    assert titles == {
        None: "71 patients (whole file)",
        "Of one histotype": f"{len(levels_with(cohort, first))} patients (“Of one histotype”)",
        "Nobody": "0 patients (“Nobody”)",
    }


def levels_with(cohort: Cohort, level: str) -> list[str]:
    return [one for one in levels_of(cohort, "histotype").values if one == level]


def check_flow(cohort: Cohort) -> None:
    """Compare each number of the flow with its list; parts of a step never overlap."""
    left = np.ones(cohort.n_in_file, dtype=bool)
    for at, step in enumerate(cohort.flow.steps):
        parts = {
            part: members_of(cohort, of_flow(part, at))  # type: ignore[arg-type]
            for part in ("excluded", "missing", "not_verifiable", "remaining")
        }
        assert parts["excluded"].sum() == step.n_excluded
        assert parts["missing"].sum() == step.n_missing_excluded
        assert parts["not_verifiable"].sum() == step.n_not_verifiable
        assert parts["remaining"].sum() == step.n_after
        assert not (parts["missing"] & ~parts["excluded"]).any()
        assert not (parts["not_verifiable"] & ~parts["remaining"]).any()
        assert (left == (parts["excluded"] | parts["remaining"])).all()
        left = parts["remaining"]
    assert (left == cohort.included).all()
    assert members_of(cohort, of_flow("file")).all()
    assert (members_of(cohort, Members()) == cohort.included).all()


def test_the_flow_of_the_sample(screening: Cohort) -> None:
    assert len(screening.flow.steps) >= 8
    check_flow(screening)


# --- what a list shows ---------------------------------------------------------------------------

OLD = {
    "time": [10, 20, 365.25, None],
    "status": [1, 0, 1, 1],
    "age": [54, 93, 97, 61],
    "group": ["A", "B", "A", None],
    "best_response": ["PR", "PD", None, "SD"],
}


def old_cohort(**changes: Any) -> Cohort:
    variables = {
        "age": Variable(label="Age", kind=VariableKind.NUMERIC, unit="years"),
        "group": Variable(label="Group"),
    }
    events = {"row": [1, 1, 2], "term": ["Nausea", "Rash", "Rash"], "grade": [2, 3, None],
              "related": ["yes"] * 3}  # fmt: skip
    return make_cohort(OLD, variables=variables, adverse_events=events, **changes)


def written(table: DisplayTable) -> list[dict[str, str]]:
    heads = [column.label for column in table.columns]
    return [dict(zip(heads, line, strict=True)) for line in table.formatted()]


def test_a_list_says_what_matters_of_each_patient() -> None:
    found = patient_list(old_cohort(), Members((HasLevel("group", ("A", "B")),)), ("age",))
    assert found.title == "3 patients: Group A or B"
    assert written(found) == [
        {
            "Patient": "S001", "Row in the file": "2", "Group": "A", "Age, years": "54",
            "OS, months": "0.3", "OS status": "death", "Best response": "PR",
            "Worst grade, any adverse event": "3",
        },
        {
            "Patient": "S002", "Row in the file": "3", "Group": "B", "Age, years": "≥90",
            "OS, months": "0.7", "OS status": "censored", "Best response": "PD",
            "Worst grade, any adverse event": "grade not known",
        },
        {
            "Patient": "S003", "Row in the file": "4", "Group": "A", "Age, years": "≥90",
            "OS, months": "12.0", "OS status": "death", "Best response": "",
            "Worst grade, any adverse event": "no event",
        },
    ]  # fmt: skip


def test_patients_who_are_not_analysed_have_their_times_too() -> None:
    criteria = (Between("age", low=60, label="Age 60 or more"),)
    cohort = old_cohort(analysis=AnalysisSection(criteria=criteria))
    found = patient_list(cohort, of_flow("excluded", 0))
    assert found.title == "1 patient excluded: not met: Age 60 or more"
    (row,) = written(found)
    assert (row["Patient"], row["Age, years"], row["OS status"]) == ("S001", "54", "death")
    lost = patient_list(cohort, Members((IsNamed(("S004",), "chosen"),)))
    assert written(lost)[0]["OS status"] == "no time: time missing"


@pytest.mark.parametrize(
    ("members", "title"),
    [
        (Members(), "4 patients analysed"),
        (of_flow("file"), "4 patients in the file"),
        (Members((HasTime("OS", "event"),)), "4 patients with an event (Overall survival)"),
        (
            Members((HasTime("OS", "at_risk", 365.25), HasLevel("group", (None,)))),
            "4 patients at risk at 12 months (Overall survival): Group not known",
        ),
        (
            Members((HadEvent("Nausea", term="Nausea", grades=(3, 4)),)),
            "4 patients with nausea, worst grade 3 or 4",
        ),
    ],
)
def test_titles_say_what_the_count_is(members: Members, title: str) -> None:
    assert members_title(old_cohort(), members, 4) == title


def test_an_exploratory_list_says_so() -> None:
    filters = (OneOf("group", ("A",)),)
    cohort = old_cohort(analysis=AnalysisSection(filters=filters))
    assert "Exploratory: filters are in force." in patient_list(cohort, Members()).footnotes
    assert patient_list(old_cohort(), Members()).footnotes == ()


def test_a_list_names_nobody_and_gives_no_date(sample: Cohort) -> None:
    further = tuple(list_columns(sample))
    everyone = patient_list(sample, of_flow("file"), further)
    assert len(everyone.rows) == sample.n_in_file
    text = json.dumps(everyone.formatted(), ensure_ascii=False)
    cells = {cell for line in everyone.formatted() for cell in line}
    assert not cells & {*sample.source_ids.values()}
    assert "20" in text
    assert not any(f"{year}-" in text for year in range(1900, 2030))
    days = [column.label for column in everyone.columns if column.label.endswith("study day")]
    assert days
    assert "Study day: days since time zero; 0 is the day itself." in everyone.footnotes


def test_columns_that_privacy_leaves_out_and_ids_are_not_offered() -> None:
    cohort = old_cohort()
    gone = type("Gone", (), {"column": "age"})()
    guarded = dataclasses.replace(cohort, left_out={"subjects": (gone,)})
    assert "age" in list_columns(cohort)
    assert "age" not in list_columns(guarded)
    assert "Age, years" not in written(patient_list(guarded, Members(), ("age",)))[0]


def test_a_long_list_says_that_it_is_cut() -> None:
    n = MOST_LISTED + 1
    cohort = make_cohort({"time": [1] * n, "status": [1] * n})
    found = patient_list(cohort, Members())
    assert found.title == f"{n} patients analysed"
    assert len(found.rows) == MOST_LISTED
    assert found.footnotes == (f"The first {MOST_LISTED} of {n} in the order of the file.",)
