"""Ready-made criteria: found in English and Chinese files, and named where something is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sample_data.translate_sts_cohort import chinese_workbook
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria, known_after_time_zero
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.ready_criteria import ReadyCriterion, ready_criteria
from sts_core.reading.recognise import propose_study
from sts_core.study import (
    AnalysisSection,
    AssessmentDefinition,
    Between,
    DaysBetween,
    Definitions,
    Endpoint,
    HasRow,
    IsKnown,
    OneOf,
    ResponseDefinition,
    TableSource,
    dump_study,
    load_study,
)
from tests.doubles import cohort_of

SCREENING = Path(__file__).parents[2] / "sample_data" / "sts_screening.xlsx"
REFERENCE = (
    "advanced", "not_surgical_resistant", "measurable", "second_primary", "immune_disease",
    "one_cycle", "no_assessment", "no_follow_up",
)  # fmt: skip


def english() -> bytes:
    return SCREENING.read_bytes()


def chinese() -> bytes:
    return chinese_workbook(SCREENING)


def recognised(data: bytes) -> Cohort:
    book = read_bytes("screening.xlsx", data)
    study = propose_study([book]).study
    return apply_criteria(assemble(study, [book]), study)


def by_key(cohort: Cohort) -> dict[str, ReadyCriterion]:
    return {item.key: item for item in ready_criteria(cohort)}


def under(cohort: Cohort, **changes: str) -> Cohort:
    ready = by_key(cohort)
    criteria = tuple(ready[key].criterion for key in REFERENCE)
    assert all(item is not None for item in criteria), [ready[key].lacks for key in REFERENCE]
    made = tuple(replace(item, **changes) for item in criteria)  # type: ignore[type-var, arg-type]
    analysis = AnalysisSection(criteria=made)
    return apply_criteria(cohort, replace(cohort.study, analysis=analysis))


@pytest.mark.parametrize("file", [english, chinese])
def test_the_eight_of_the_reference_study_leave_its_51(file: Callable[[], bytes]) -> None:
    """Of 71 screened, 51 are eligible; 48 where unknown counts as failing, as the sample says."""
    cohort = recognised(file())
    selected = under(cohort)
    assert (selected.n_in_file, selected.n) == (71, 51)
    assert len(selected.flow.steps) == 8
    assert all(step.n_excluded for step in selected.flow.steps)
    late = [step.label for step in selected.flow.steps if step.after_time_zero]
    assert late == [
        "Excluded: only one cycle of therapy", "Excluded: no baseline or response assessment",
        "Excluded: no follow-up data",
    ]  # fmt: skip
    assert under(cohort, missing="drop").n == 48
    assert load_study(dump_study(selected.study)) == selected.study


def test_what_is_known_only_later_is_seen_without_being_told() -> None:
    cohort = recognised(english())
    for key, item in by_key(cohort).items():
        assert item.criterion is not None, key
        assert known_after_time_zero(cohort, item.criterion) is item.criterion.after_time_zero, key


def test_what_a_file_lacks_is_named() -> None:
    cohort = cohort_of({"age": [40, 12], "measurable disease": ["maybe", "perhaps"]})
    ready = by_key(cohort)
    assert ready["adult"].criterion == Between("age", low=18, label="Age 18 or older")
    assert ready["second_primary"].lacks == ("a column such as “second primary”",)
    assert ready["measurable"].lacks == ("yes and no in “measurable disease”",)
    assert len(ready["not_surgical_resistant"].lacks) == 2
    assert ready["treated"].lacks == ("an endpoint from dates, whose start is time zero",)
    assert all((item.criterion is None) is bool(item.lacks) for item in ready.values())


def test_other_ways_are_taken_where_the_usual_column_is_not_there() -> None:
    definitions = Definitions(
        endpoints={"OS": Endpoint("OS", start="start", event_dates={"death": "death"},
                                  last_contact=("seen",))},
        response=ResponseDefinition("best"),
    )  # fmt: skip
    columns = {
        "id": ["a", "b"], "start": ["2020-01-01"] * 2, "death": [None] * 2, "best": ["PR", None],
        "seen": ["2020-05-01", "2020-01-01"], "second malignancy": ["no", "no"],
    }  # fmt: skip
    ready = by_key(cohort_of(columns, definitions, subject_id="id"))
    assert ready["no_assessment"].criterion == IsKnown(
        "best", label="Excluded: no baseline or response assessment", after_time_zero=True
    )
    assert ready["no_follow_up"].criterion == DaysBetween(
        "seen", "start", high=0, label="Excluded: no follow-up data", excludes=True,
        after_time_zero=True,
    )  # fmt: skip
    assert ready["second_primary"].criterion == OneOf(
        "second malignancy", ("yes",), label="Excluded: second primary tumour", excludes=True
    )
    with_rows = cohort_of(
        columns, replace(definitions, assessments=AssessmentDefinition(date="d", overall="r")),
        subject_id="id",
        others={"assessments": (TableSource(file="a.csv", subject_id="id"),
                                {"id": ["a"], "d": ["2020-03-01"], "r": ["PR"]})},
    )  # fmt: skip
    assert by_key(with_rows)["no_assessment"].criterion == HasRow(
        "assessments", date="d", origin="start", low=1, after_time_zero=True,
        label="Excluded: no baseline or response assessment",
    )  # fmt: skip
