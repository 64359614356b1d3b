"""The flow diagram: from all patients in the file to those analysed."""

from __future__ import annotations

from collections.abc import Sequence

from sts_core.analysis.population_ends import PopulationEnd
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
from sts_core.members import Members, of_flow


def flow_diagram(
    flow: FlowDiagram,
    *,
    title: str = "Patients and criteria",
    start_label: str = "Patients in the file",
    end_label: str = "Analysed",
    populations: Sequence[PopulationEnd] = (),
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
    populations
        Analysis populations besides the patients analysed: those within them stand below, those
        with patients whom a criterion excluded beside the trunk.
    synthetic
        Whether the stamp of synthetic data is drawn.
    footnotes
        Below the diagram.

    Returns
    -------
    Figure
        The trunk on the left, a box to the right for each criterion, also for one that removes
        nobody: that it was applied is part of the record. The box of a filter is dashed.

    References
    ----------
    .. [1] von Elm et al., Lancet 370 (2007) 1453-1457: STROBE, item 13c.
    """
    boxes = [
        Box(
            "start", 0, 0, (BoxLine(f"{start_label}: {flow.n_start}", bold=True),),
            members=of_flow("file"),
        )
    ]  # fmt: skip
    connectors = []
    for i, step in enumerate(flow.steps):
        boxes.append(
            Box(
                f"step_{i}",
                i + 1,
                1,
                _step_lines(step, i),
                passed_on=f"Remaining: {step.n_after}",
                members=of_flow("excluded", i),
                passed_members=of_flow("remaining", i),
                dashed=step.exploratory,
            )
        )
        connectors.append(Connector("start", f"step_{i}", "side", dashed=step.exploratory))
    row = len(flow.steps) + 1
    beside = [end for end in populations if end.n_beyond]
    within = [end for end in populations if not end.n_beyond]
    if beside:
        boxes.append(Box("beside", row, 1, _population_lines(beside), dashed=True))
        connectors.append(Connector("start", "beside", "side", dashed=True))
        row += 1
    boxes.append(
        Box(
            "end",
            row,
            0,
            (BoxLine(f"{end_label}: {flow.n_end}", bold=True),),
            emphasis=True,
            members=Members(),
        )
    )
    connectors.append(Connector("start", "end", "down"))
    if within:
        boxes.append(Box("within", row + 1, 0, _population_lines(within), narrow=True))
        connectors.append(Connector("end", "within", "down"))
    exploratory = any(step.exploratory for step in flow.steps)
    removed = "; ".join(f"{step.label}: {step.n_excluded}" for step in flow.steps)
    ends = "".join(f" {end.label}: {end.n}." for end in populations)
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
            f"{f'Removed by {removed}. ' if removed else ''}{end_label}: {flow.n_end}.{ends}"
        ),
    )


def _step_lines(step: FlowStep, number: int) -> tuple[BoxLine, ...]:
    lines = [
        BoxLine(f"Excluded: {step.n_excluded}", bold=step.n_excluded > 0),
        BoxLine(step.reason),
    ]
    if step.exploratory:
        lines.append(BoxLine("Exploratory filter", role=Role.STAMP))
    if step.after_time_zero:
        lines.append(BoxLine("Known only after time zero", role=Role.STAMP))
    if step.n_missing_excluded:
        lines.append(
            BoxLine(
                f"{step.n_missing_excluded} of them only because the value is missing",
                role=Role.MUTED,
                members=of_flow("missing", number),
            )
        )
    if step.n_not_verifiable:
        lines.append(
            BoxLine(
                f"Kept, not verifiable: {step.n_not_verifiable}",
                role=Role.MUTED,
                members=of_flow("not_verifiable", number),
            )
        )
    return tuple(lines)


def _population_lines(ends: Sequence[PopulationEnd]) -> tuple[BoxLine, ...]:
    lines = []
    for end in ends:
        lines.append(
            BoxLine(f"{end.label}: {end.n}", bold=True, members=Members(population=end.key))
        )
        if end.n_beyond:
            lines.append(BoxLine(f"with {end.n_beyond} of those excluded above", role=Role.MUTED))
    return tuple(lines)
