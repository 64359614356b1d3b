"""Cohorts for tests: a builder, and the awkward ones that every analysis has to survive."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.reading.assembly import assemble
from sts_core.reading.workbook import RawTable, Workbook
from sts_core.study import (
    AdverseEventDefinition,
    AnalysisSection,
    DataSection,
    Definitions,
    Endpoint,
    Grouping,
    Measured,
    ResponseDefinition,
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
    adverse_events: Mapping[str, Sequence[Any]] | None = None,
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
    adverse_events
        Cells of the table of adverse events: ``row`` (number of the patient, from 1), ``term``,
        ``grade`` and ``related`` ("yes", "no").

    A column ``best_response`` is taken as the best overall response.
    """
    n = len(next(iter(columns.values())))
    cells = {"id": [f"source-{number}" for number in range(1, n + 1)], **columns}
    frame = _frame(cells)
    if variables is None:
        variables = (
            {"group": Variable(label="Group", measured=Measured.BASELINE)}
            if "group" in columns
            else {}
        )
    variables = dict(variables)
    if "best_response" in columns:
        variables.setdefault(
            "best_response",
            Variable(
                label="Best response",
                levels=("CR", "PR", "SD", "PD", "NE"),
                measured=Measured.POST_BASELINE,
            ),
        )
    sources = {"subjects": TableSource(file="t.csv", subject_id="id")}
    books = [_book("t.csv", frame)]
    if adverse_events is not None:
        events = dict(adverse_events)
        events["id"] = [f"source-{number}" for number in events.pop("row")]
        sources["adverse_events"] = TableSource(file="ae.csv", subject_id="id")
        books.append(_book("ae.csv", _frame(events)))
    made = Study(
        title=title,
        data=DataSection(tables=sources),
        definitions=Definitions(
            endpoints={"OS": endpoint()} if endpoints is None else dict(endpoints),
            variables=variables,
            groupings=dict(groupings or {}),
            response=ResponseDefinition("best_response") if "best_response" in columns else None,
            adverse_events=None
            if adverse_events is None
            else AdverseEventDefinition(
                term="term", grade="grade", related="related", related_values=("yes",)
            ),
        ),
        analysis=analysis or AnalysisSection(),
        **study,
    )
    return apply_criteria(assemble(made, books), made)


def _frame(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {name: pd.Series(list(cells), dtype=object) for name, cells in columns.items()}
    )
    return frame.astype(object).where(frame.notna(), None)


def _book(file: str, frame: pd.DataFrame) -> Workbook:
    table = RawTable(
        file=file, sheet=None, frame=frame, header_row=1,
        row_numbers=np.arange(2, len(frame) + 2),
    )  # fmt: skip
    return Workbook(file, hashlib.sha256(file.encode()).hexdigest(), (table,))


AWKWARD_NAMES = ("high grade", "Größe über 5 cm", "平滑肌肉瘤", "<b>bold</b>", "=1+1", "a*b_c|d")

_LEVELS = {"group": Variable(label="Group", levels=("A", "B", "C"), measured=Measured.BASELINE)}


def _case(
    time: Sequence[Any], status: Sequence[Any], group: Sequence[Any], **rest: Any
) -> dict[str, Any]:
    columns = {"time": time, "status": status, "group": group}
    return {"columns": columns, "variables": _LEVELS, **rest}


_AWKWARD: dict[str, dict[str, Any]] = {
    "nobody": _case([], [], []),
    "one subject, event": _case([5], [1], ["A"]),
    "one subject, censored": _case([5], [0], ["A"]),
    "one group": _case([1, 2, 3, 4], [1, 0, 1, 1], ["A"] * 4),
    "all censored": _case([1, 2, 3, 4], [0] * 4, ["A", "A", "B", "B"]),
    "all events at one time": _case([7] * 6, [1] * 6, ["A", "A", "B", "B", "C", "C"]),
    "a group not known": _case([1, 2, 3, 4, 5], [1, 1, 0, 1, 1], ["A", None, "B", "NA", "B"]),
    "a level with nobody": _case([1, 2, 3, 4], [1, 1, 1, 0], ["A", "C", "A", "C"]),
    "a group without events": _case([1, 2, 3, 4], [1, 1, 0, 0], ["A", "A", "B", "B"]),
    "times of zero": _case([0, 0, 0, 3], [1, 0, 1, 1], ["A", "A", "B", "B"]),
    "all times zero": _case([0, 0, 0], [1, 0, 1], ["A", "B", "B"]),
    "nobody usable": _case([None, "x", -3], [1, 1, 1], ["A", "B", "C"]),
    "status not known": _case([4, 5, 6], [None, 1, 9], ["A", "B", "B"]),
    "awkward names": _case(
        [3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610],
        [1, 0] * 6,
        [name for name in AWKWARD_NAMES for _ in range(2)],
        title="<i>Straße</i> = 1 & 软组织",
        variables={"group": Variable(label="=Größe <b>组</b>", measured=Measured.BASELINE)},
        endpoints={"OS": endpoint(label="Überleben <b>gesamt</b>")},
    ),
}


def _complete(case: dict[str, Any]) -> Cohort:
    """Add responses and adverse events that are as thin as the times."""
    n = len(case["columns"]["time"])
    responses = ("PD", "CR", None, "NE", "SD", "PR", "not done")
    with_event = range(1, n // 2 + 1)
    response = [responses[i % len(responses)] for i in range(n)]
    events = {
        "row": [*with_event, *with_event],
        "term": [AWKWARD_NAMES[i % len(AWKWARD_NAMES)] for i in with_event] * 2,
        "grade": [*(i % 5 + 1 for i in with_event), *(None for _ in with_event)],
        "related": ["yes" for _ in with_event] + ["no" for _ in with_event],
    }
    columns = {**case["columns"], "best_response": response}
    return make_cohort(**{**case, "columns": columns}, adverse_events=events)


# by name: times, status and group only; and the same with best response and adverse events
DEGENERATE: dict[str, Callable[[], Cohort]] = {
    name: functools.partial(make_cohort, **case) for name, case in _AWKWARD.items()
}
DEGENERATE_COMPLETE: dict[str, Callable[[], Cohort]] = {
    name: functools.partial(_complete, case) for name, case in _AWKWARD.items()
}
