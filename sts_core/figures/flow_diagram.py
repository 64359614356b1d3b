"""The flow diagram: from all patients in the file to those analysed."""

from __future__ import annotations

from sts_core.analysis.provenance import SYNTHETIC_STAMP, exploratory_stamp, joined_stamps
from sts_core.cohort import FlowDiagram, FlowStep
from sts_core.figures.marks import (
    Box,
    BoxLine,
    Connector,
    Diagram,
    Figure,
    Role,
)


def flow_diagram(
    flow: FlowDiagram,
    *,
    title: str = "Patients and criteria",
    start_label: str = "Patients in the file",
    end_label: str = "Analysed",
    synthetic: bool = False,
    footnotes: tuple[str, ...] = (),
) -> Figure:
    """Draw who was assessed, who left at each criterion and who is analysed.

    Parameters
    ----------
    flow
        The steps; each says how many left, and how many of them only for a missing value.
    title, start_label, end_label
        Words of the figure.
    synthetic
        Whether the stamp of synthetic data is drawn.
    footnotes
        Below the diagram.

    Returns
    -------
    Figure
        The trunk on the left, a box to the right for each criterion, also for one that removes
        nobody: that it was applied is part of the record.
    """
    boxes = [Box("start", 0, 0, (BoxLine(f"{start_label}: {flow.n_start}", bold=True),))]
    connectors = []
    for i, step in enumerate(flow.steps):
        boxes.append(
            Box(f"step_{i}", i + 1, 1, _step_lines(step), passed_on=f"Remaining: {step.n_after}")
        )
        connectors.append(Connector("start", f"step_{i}", "side"))
    boxes.append(
        Box(
            "end",
            len(flow.steps) + 1,
            0,
            (BoxLine(f"{end_label}: {flow.n_end}", bold=True),),
            emphasis=True,
        )
    )
    connectors.append(Connector("start", "end", "down"))
    exploratory = any(step.exploratory for step in flow.steps)
    removed = "; ".join(f"{step.label}: {step.n_excluded}" for step in flow.steps)
    return Figure(
        body=Diagram(tuple(boxes), tuple(connectors)),
        title=title,
        footnotes=footnotes,
        stamp=joined_stamps(
            exploratory_stamp(flow.n_end, flow.n_start) if exploratory else "",
            SYNTHETIC_STAMP if synthetic else "",
        ),
        alt=(
            f"Flow diagram. {start_label}: {flow.n_start}. "
            f"{f'Removed by {removed}. ' if removed else ''}{end_label}: {flow.n_end}."
        ),
    )


def _step_lines(step: FlowStep) -> tuple[BoxLine, ...]:
    lines = [
        BoxLine(step.label),
        BoxLine(f"Excluded: {step.n_excluded}", bold=step.n_excluded > 0),
    ]
    if step.n_missing_excluded:
        lines.append(
            BoxLine(
                f"{step.n_missing_excluded} of them only because the value is missing",
                role=Role.MUTED,
            )
        )
    if step.n_not_verifiable:
        lines.append(BoxLine(f"Kept, not verifiable: {step.n_not_verifiable}", role=Role.MUTED))
    if step.after_time_zero:
        lines.append(BoxLine("Known only after time zero", role=Role.STAMP))
    return tuple(lines)
