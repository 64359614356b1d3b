from __future__ import annotations

import pytest

from sts_core.analysis.population_ends import PopulationEnd
from sts_core.cohort import FlowDiagram, FlowStep
from sts_core.figures.flow_diagram import flow_diagram
from sts_core.figures.layout import layout
from sts_core.figures.marks import Diagram
from sts_core.figures.pages import layout_pages
from sts_core.figures.theme import JOURNAL_DOUBLE, PRINT_PAGE, SLIDE, FigureSize
from sts_core.members import Members, of_flow
from tests.figures.cases import FLOW


def test_every_number_of_the_flow_is_written():
    figure = flow_diagram(FLOW)
    assert isinstance(figure.body, Diagram)
    words = [line.text for box in figure.body.boxes for line in box.lines]
    assert words[0] == "Patients in the file: 62"
    assert words[-1] == "Analysed: 51"
    assert [w for w in words if w.startswith("Excluded")] == [
        "Excluded: 2",
        "Excluded: 6",
        "Excluded: 3",
        "Excluded: 0",
    ]
    assert "2 of them only because the value is missing" in words
    assert "Kept, not verifiable: 3" in words
    assert "Known only after time zero" in words
    removed = sum(step.n_excluded for step in FLOW.steps)
    assert FLOW.n_start - removed == FLOW.n_end


def test_each_step_hangs_on_the_trunk():
    placed = layout(flow_diagram(FLOW), JOURNAL_DOUBLE)
    boxes = [path for path in placed.paths if path.name.startswith("Box:")]
    start, *sides, end = boxes
    trunk = (start.subpaths[0][:, 0].min() + start.subpaths[0][:, 0].max()) / 2
    tops = [box.subpaths[0][:, 1].min() for box in boxes]
    assert tops == sorted(tops)
    assert all(box.subpaths[0][:, 0].min() > trunk for box in sides)
    assert end.subpaths[0][:, 0].min() == start.subpaths[0][:, 0].min()
    arrows = [path for path in placed.paths if path.name == "Arrow" and path.fill is None]
    assert len(arrows) == len(FLOW.steps) + 1


def test_without_criteria_all_are_analysed():
    figure = flow_diagram(FlowDiagram(12))
    assert "Analysed: 12" in figure.alt
    assert len(layout(figure, JOURNAL_DOUBLE).texts) == 3


ENDS = (
    PopulationEnd("safety", "Safety population", 54, 3),
    PopulationEnd("response_evaluable", "Response-evaluable population", 49, 0),
)


def long_flow(n_steps: int) -> FlowDiagram:
    steps = tuple(
        FlowStep(
            f"Criterion {number} with words enough to need more than one line of its box",
            100 - number, 1, 0, number % 2, 99 - number, excludes=bool(number % 3),
            after_time_zero=number == 4, exploratory=number == n_steps - 1,
        )
        for number in range(n_steps)
    )  # fmt: skip
    return FlowDiagram(100, steps)


def test_populations_end_the_flow_below_and_beside():
    figure = flow_diagram(FLOW, populations=ENDS)
    assert isinstance(figure.body, Diagram)
    beside, end, within = figure.body.boxes[-3:]
    assert [line.text for line in beside.lines] == [
        "Safety population: 54",
        "with 3 of those excluded above",
    ]
    assert beside.dashed
    assert [line.text for line in end.lines] == ["Analysed: 51"]
    assert [line.text for line in within.lines] == ["Response-evaluable population: 49"]
    assert figure.alt.endswith("Safety population: 54. Response-evaluable population: 49.")


def test_a_filter_is_dashed_and_says_that_it_is_exploratory():
    body = flow_diagram(long_flow(3)).body
    assert isinstance(body, Diagram)
    *formal, filtered = [box for box in body.boxes if box.column == 1]
    assert filtered.dashed
    assert not any(box.dashed for box in formal)
    assert "Exploratory filter" in [line.text for line in filtered.lines]
    placed = layout(flow_diagram(long_flow(3)), JOURNAL_DOUBLE)
    dashed = [path for path in placed.paths if path.name.startswith("Box") and path.dash]
    assert len(dashed) == 1


def test_reasons_tell_what_was_not_met_from_what_excluded():
    steps = long_flow(3).steps
    assert steps[0].reason.startswith("Not met: Criterion 0")
    assert steps[1].reason.startswith("Criterion 1")
    assert FlowStep("Excluded: second tumour", 2, 1, 0, 0, 1).reason == "Second tumour"


@pytest.mark.parametrize("size", [JOURNAL_DOUBLE, PRINT_PAGE, SLIDE])
def test_fifteen_criteria_go_on_and_keep_every_number(size: FigureSize):
    figure = flow_diagram(long_flow(15), populations=ENDS, synthetic=True)
    pages = layout_pages(figure, size)
    words = [text.text for page in pages for text in page.texts]
    assert sum(word.startswith("Excluded: ") for word in words) == 15
    for end in ("Analysed: 85", "Safety population: 54"):
        assert words.count(end) == 1
    assert " ".join(words).count("evaluable population: 49") == 1
    for page in pages:
        assert size.room is None or page.height <= size.room + 0.01
        for text in page.texts:
            left, _, right, _ = text.box()
            assert left >= -0.01
            assert right <= page.width + 0.01


def test_what_is_counted_lies_where_it_can_be_clicked():
    placed = layout(flow_diagram(FLOW, populations=ENDS), JOURNAL_DOUBLE)
    counted = [area.members for area in placed.areas]
    assert of_flow("file") in counted
    assert Members() in counted
    assert Members(population="safety") in counted
    for number, step in enumerate(FLOW.steps):
        assert of_flow("excluded", number) in counted
        assert (of_flow("missing", number) in counted) == bool(step.n_missing_excluded)
        assert (of_flow("not_verifiable", number) in counted) == bool(step.n_not_verifiable)
    for area in placed.areas:
        assert 0 <= area.left < area.right <= placed.width
        assert 0 <= area.top < area.bottom <= placed.height
