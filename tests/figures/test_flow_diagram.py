from __future__ import annotations

from sts_core.cohort import FlowDiagram
from sts_core.figures.flow_diagram import flow_diagram
from sts_core.figures.layout import layout
from sts_core.figures.marks import Diagram
from sts_core.figures.theme import JOURNAL_DOUBLE
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
