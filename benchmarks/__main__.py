"""Measure the speed: ``python -m benchmarks [--only a,b,c,d,e]``.

A full run writes ``docs/performance.md``; a run of some parts only prints them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.rscript import RError, r_versions
from benchmarks.timing import Part, Row, load_text, seconds_text

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
PACKAGES: Final = ("numpy", "pandas", "scipy", "streamlit", "plotly", "playwright")
TITLES: Final = {
    "a": "All numbers of a study",
    "b": "A click",
    "c": "A million rows",
    "d": "The start",
    "e": "A large file",
}


def _study() -> Part:
    from benchmarks import study

    return study.measure()


def _click() -> Part:
    from benchmarks import click

    return click.measure()


def _kernels() -> Part:
    from benchmarks import kernels

    return kernels.measure()


def _start() -> Part:
    from benchmarks import start

    return start.measure()


def _intake() -> Part:
    from benchmarks import intake

    return intake.measure()


PARTS: Final[dict[str, Callable[[], Part]]] = {
    "a": _study, "b": _click, "c": _kernels, "d": _start, "e": _intake,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen parts, print the table, and write the page after a full run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the speed.")
    parser.add_argument(
        "--only", default="a,b,c,d,e", metavar="PARTS",
        help="a: study numbers, b: click, c: a million rows, d: start, e: large file (as in a,c)",
    )  # fmt: skip
    wanted = sorted(set(parser.parse_args(arguments).only.replace(" ", "").split(",")))
    unknown = [letter for letter in wanted if letter not in PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)} (known: a, b, c, d, e)")
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    begin = time.perf_counter()
    load = load_text()
    done: dict[str, Part] = {}
    for letter in wanted:
        print(f"{letter}: {TITLES[letter]} ...", flush=True)
        try:
            done[letter] = PARTS[letter]()
        except RError as error:
            print(f"Nothing measured: {error}", file=sys.stderr)
            return 1
        for row in done[letter].rows:
            print(f"   {_printed(row)}", flush=True)
    minutes = (time.perf_counter() - begin) / 60
    print(f"Done in {minutes:.1f} minutes; {machine()}")
    missed = [row.task for part in done.values() for row in part.rows if not _met(row)]
    print(f"Goals not met: {'; '.join(missed) if missed else 'none'}")
    if len(done) == len(PARTS):
        PAGE.write_text(page_text(done, minutes, load), "utf-8")
        print(f"Written: {PAGE.relative_to(PAGE.parents[1])}")
    return 0


def _met(row: Row) -> bool:
    return all(goal.met for goal in row.goals)


def _printed(row: Row) -> str:
    goals = "; ".join(f"{goal.text}: {'met' if goal.met else 'NOT MET'}" for goal in row.goals)
    return (
        f"{row.task}: {seconds_text(median(row.ours))}, {row.other_name} "
        f"{seconds_text(median(row.other))}, ratio {row.ratio:.2f}"
        + (f" ({goals})" if goals else "")
    )


def machine() -> str:
    """Say on what the numbers were made."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), "
        f"Python {platform.python_version()}, {packages}, {r_versions()}"
    )


def page_text(done: dict[str, Part], minutes: float, load: str) -> str:
    """Write the page of the documentation."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    lines = [
        "# Performance",
        "",
        "Written by `make bench` (`python -m benchmarks`); numbers of other machines differ, their",
        "ratios less. Each line is measured in one run beside what it is compared with, in turns;",
        "medians, with the smallest and largest repetition behind. No test depends on a time.",
        "",
        f"{today}, {minutes:.1f} minutes, {load} at the start. {machine()}.",
        "",
        "| | task | this app | beside | ratio | goal |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_table_row(row) for part in done.values() for row in part.rows]
    missed = [row for part in done.values() for row in part.rows if not _met(row)]
    lines += ["", "Goals not met: " + ("; ".join(r.task for r in missed) if missed else "none.")]
    for letter, part in done.items():
        lines += ["", f"## {letter}. {TITLES[letter]}"]
        for paragraph in part.text:
            lines += ["", paragraph]
    return "\n".join(lines) + "\n"


def _table_row(row: Row) -> str:
    goals = "<br>".join(
        f"{goal.text}: {'met' if goal.met else '**not met**'}" for goal in row.goals
    )
    return (
        f"| {row.part} | {row.task} | {_range(row.ours)} | {row.other_name} {_range(row.other)} "
        f"| {row.ratio:.2f} | {goals or '–'} |"
    )


def _range(times: Sequence[float]) -> str:
    ends = f"{seconds_text(min(times))} to {seconds_text(max(times))}"
    return f"{seconds_text(median(times))} ({ends}; {len(times)})"


if __name__ == "__main__":
    raise SystemExit(main())
