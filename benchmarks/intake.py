"""Part e: a csv of 200,000 patients and 40 columns, from its bytes to a checked cohort."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from statistics import median
from typing import Final, TypeVar

import pandas as pd

from benchmarks.large_table import large_csv
from benchmarks.timing import Part, Row, at_most_seconds, clocked, in_turns, seconds_text
from sts_core.checks import check_cohort
from sts_core.criteria import apply_criteria
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study

ROWS: Final = 200_000
REPEATS: Final = 3
LIMIT: Final = 10.0
STAGES: Final = ("read", "recognise", "put together", "check")
_T = TypeVar("_T")


def measure() -> Part:
    """Take the file in, in turns with pandas' own reader."""
    data = large_csv(ROWS)
    stages: list[dict[str, float]] = []

    def ours() -> float:
        stages.append(_taken_in(data))
        return sum(stages[-1].values())

    pandas = clocked(lambda: pd.read_csv(io.BytesIO(data), dtype=str))
    taken = in_turns({"ours": ours, "pandas": pandas}, REPEATS)
    task = f"{ROWS:,} patients x 40 columns of csv read, recognised and checked"
    goal = at_most_seconds(taken["ours"], LIMIT)
    row = Row("e", task, taken["ours"], taken["pandas"], "pandas.read_csv", (goal,))
    spent = ", ".join(
        f"{stage} {seconds_text(median(times[stage] for times in stages[1:]))}" for stage in STAGES
    )
    return Part(
        (row,),
        (
            f"A file of {len(data) / 1e6:.0f} MB with ids, dates as text, numbers, levels in "
            "English and Chinese, free text, missing codes and two status columns. Beside it "
            "pandas reads the same bytes as text: no delimiter or encoding is looked for, no "
            "limits hold, nothing is recognised or checked.",
            f"Where the time goes: {spent}.",
        ),
    )


def _taken_in(data: bytes) -> dict[str, float]:
    taken: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], _T]) -> _T:
        begin = time.perf_counter()
        result = work()
        taken[stage] = time.perf_counter() - begin
        return result

    book = timed("read", lambda: read_bytes("large.csv", data))
    study = timed("recognise", lambda: propose_study([book])).study
    cohort = timed("put together", lambda: apply_criteria(assemble(study, [book]), study))
    timed("check", lambda: check_cohort(cohort))
    if cohort.n != ROWS:
        raise ValueError(f"{cohort.n} patients of {ROWS}")
    return taken
