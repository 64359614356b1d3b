"""Cohorts for tests: a builder, and the awkward ones that every analysis has to survive."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.reading.assembly import assemble
from sts_core.reading.workbook import RawTable, Workbook
from sts_core.study import (
    AnalysisSection,
    DataSection,
    Definitions,
    Endpoint,
    Grouping,
    Measured,
    Status,
    Study,
    TableSource,
    TimeUnit,
    Variable,
)


def endpoint(**changes: Any) -> Endpoint:
    """Overall survival from the columns ``time`` (days) and ``status`` (1, 0), confirmed."""
    plain = Endpoint(
        label="Overall survival",
        time="time",
        unit=TimeUnit.DAYS,
        unit_status=Status.CONFIRMED,
        event="status",
        events={"death": (1,)},
        censored=(0,),
        events_status=Status.CONFIRMED,
        time_zero="first dose",
    )
    return dataclasses.replace(plain, **changes)


def make_cohort(
    columns: Mapping[str, Sequence[Any]],
    *,
    endpoints: Mapping[str, Endpoint] | None = None,
    variables: Mapping[str, Variable] | None = None,
    groupings: Mapping[str, Grouping] | None = None,
    analysis: AnalysisSection | None = None,
    title: str = "Test",
    **study: Any,
) -> Cohort:
    """Build a cohort from columns, by the same way as an uploaded file takes.

    Parameters
    ----------
    columns
        Cells of the patient table; an ``id`` column is added.
    endpoints
        ``OS`` from ``time`` and ``status`` when not given.
    variables
        ``group`` with the levels of the file when not given and there is such a column.
    """
    n = len(next(iter(columns.values())))
    cells = {"id": [f"source-{number}" for number in range(1, n + 1)], **columns}
    frame = pd.DataFrame({name: pd.Series(list(column), dtype=object) for name, column in
                          cells.items()})  # fmt: skip
    frame = frame.astype(object).where(frame.notna(), None)
    if variables is None:
        variables = (
            {"group": Variable(label="Group", measured=Measured.BASELINE)}
            if "group" in columns
            else {}
        )
    made = Study(
        title=title,
        data=DataSection(tables={"subjects": TableSource(file="t.csv", subject_id="id")}),
        definitions=Definitions(
            endpoints={"OS": endpoint()} if endpoints is None else dict(endpoints),
            variables=dict(variables),
            groupings=dict(groupings or {}),
        ),
        analysis=analysis or AnalysisSection(),
        **study,
    )
    table = RawTable(
        file="t.csv", sheet=None, frame=frame, header_row=1, row_numbers=tuple(range(2, n + 2))
    )
    return apply_criteria(assemble(made, [Workbook("t.csv", "0" * 64, (table,))]), made)


AWKWARD_NAMES = ("high grade", "Größe über 5 cm", "平滑肌肉瘤", "<b>bold</b>", "=1+1", "a*b_c|d")

_LEVELS = {"group": Variable(label="Group", levels=("A", "B", "C"), measured=Measured.BASELINE)}


def _levels(
    time: Sequence[Any], status: Sequence[Any], group: Sequence[Any]
) -> Callable[[], Cohort]:
    return lambda: make_cohort({"time": time, "status": status, "group": group}, variables=_LEVELS)


DEGENERATE: dict[str, Callable[[], Cohort]] = {
    "nobody": _levels([], [], []),
    "one subject, event": _levels([5], [1], ["A"]),
    "one subject, censored": _levels([5], [0], ["A"]),
    "one group": _levels([1, 2, 3, 4], [1, 0, 1, 1], ["A"] * 4),
    "all censored": _levels([1, 2, 3, 4], [0] * 4, ["A", "A", "B", "B"]),
    "all events at one time": _levels([7] * 6, [1] * 6, ["A", "A", "B", "B", "C", "C"]),
    "a group not known": _levels([1, 2, 3, 4, 5], [1, 1, 0, 1, 1], ["A", None, "B", "NA", "B"]),
    "a level with nobody": _levels([1, 2, 3, 4], [1, 1, 1, 0], ["A", "C", "A", "C"]),
    "a group without events": _levels([1, 2, 3, 4], [1, 1, 0, 0], ["A", "A", "B", "B"]),
    "times of zero": _levels([0, 0, 0, 3], [1, 0, 1, 1], ["A", "A", "B", "B"]),
    "all times zero": _levels([0, 0, 0], [1, 0, 1], ["A", "B", "B"]),
    "nobody usable": _levels([None, "x", -3], [1, 1, 1], ["A", "B", "C"]),
    "status not known": _levels([4, 5, 6], [None, 1, 9], ["A", "B", "B"]),
    "awkward names": lambda: make_cohort(
        {
            "time": [3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610],
            "status": [1, 0] * 6,
            "group": [name for name in AWKWARD_NAMES for _ in range(2)],
        },
        title="<i>Straße</i> = 1 & 软组织",
        variables={"group": Variable(label="=Größe <b>组</b>", measured=Measured.BASELINE)},
        endpoints={"OS": endpoint(label="Überleben <b>gesamt</b>")},
    ),
}
