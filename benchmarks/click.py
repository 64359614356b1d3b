"""Part b: from a click on a histotype to the repainted curve, beside a bare page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, FilePayload, Page

from benchmarks.bare_page import HISTOTYPES, MARK
from benchmarks.browser import (
    APP,
    BARE,
    Server,
    go,
    new_context,
    running_browser,
    running_server,
    settled,
)
from benchmarks.study import sample_cohort
from benchmarks.timing import Part, Row, at_most_ratio, at_most_seconds, in_turns, seconds_text
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier, survival_table
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.figures.survival_curve import survival_curve
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.render.plotly import to_plotly
from sts_core.study import Study, TableSource, dump_study

MANY: Final = 10_000
CLICKS: Final = 16
WARM_UP: Final = 4
AGAIN: Final = 8
SEED: Final = 20261123
# A repaint is over when nothing below the chart has changed for so long.
QUIET_MS: Final = 400
CHART: Final = ".js-plotly-plot"
BARE_TEXT: Final = ".bare-groups"
_SHOWN: Final = {
    CHART: "[...document.querySelector('.js-plotly-plot').data]"
    ".some(trace => trace.mode === 'lines' && trace.text && trace.name === name)",
    BARE_TEXT: f"document.querySelector('.bare-groups').textContent.replace('{MARK}', '')"
    ".split('; ').includes(name)",
}


def many_patients(n: int = MANY) -> tuple[bytes, Study]:
    """Make patients from the sample's: drawn with replacement, each with times of its own.

    Returns
    -------
    tuple
        A file of comma-separated values, and a study file for it; no patient stands behind them.
    """
    cohort = sample_cohort()
    rng = np.random.default_rng(SEED)
    sample = cohort.tables["subjects"].frame
    frame = sample.iloc[rng.integers(0, len(sample), n)].reset_index(drop=True)
    frame["patient_id"] = [f"SYN-{number:05d}" for number in range(1, n + 1)]
    start = pd.to_datetime(frame["first_dose_date"])
    shorter = rng.uniform(0.3, 1.0, n)
    for name in ("progression_date", "death_date", "last_assessment_date", "last_contact_date"):
        known = frame[name].notna().to_numpy()
        days = (pd.to_datetime(frame[name]) - start).dt.days[known] * shorter[known]
        end = start[known] + pd.to_timedelta(np.ceil(days), unit="D")
        frame[name] = end.dt.strftime("%Y-%m-%d").reindex(frame.index)
    frame["first_dose_date"] = start.dt.strftime("%Y-%m-%d")
    study = cohort.study
    source = TableSource(
        file="cohort.csv",
        subject_id="patient_id",
        subject_id_status=study.data.tables["subjects"].subject_id_status,
    )
    study = replace(
        study,
        data=replace(study.data, tables={"subjects": source}),
        definitions=replace(study.definitions, adverse_events=None),
    )
    return frame.to_csv(index=False).encode(), study


@dataclass(slots=True)
class Clicker:
    """A page with groups that can be toggled; ``toggle`` gives seconds from click to paint."""

    page: Page
    watched: str
    shown: set[str]

    def toggle(self, name: str) -> float:
        """Click on a group and wait until what it changes is painted and at rest."""
        page = self.page
        expected = name not in self.shown
        group = page.get_by_test_id("stButtonGroup").filter(has_text="Groups of this comparison")
        page.evaluate("selector => bench.watch(selector)", self.watched)
        group.get_by_role("button", name=name, exact=True).click()
        # Polled seldom, so that waiting costs the page nothing
        page.wait_for_function(
            f"""([name, expected]) => bench.last > 0
                && performance.now() - bench.last > {QUIET_MS}
                && document.querySelector('[data-testid=stApp]').dataset.testScriptState
                    === 'notRunning'
                && ({_SHOWN[self.watched]}) === expected""",
            arg=[name, expected],
            polling=100,
        )
        self.shown ^= {name}
        return float(page.evaluate("(bench.last - bench.clicked) / 1000"))


def open_bare(browser: Browser, server: Server) -> Clicker:
    """Open the bare page's widgets."""
    page = new_context(browser).new_page()
    page.goto(f"{server.url}/survival")
    page.locator(BARE_TEXT).wait_for()
    settled(page)
    return Clicker(page, BARE_TEXT, set(HISTOTYPES))


def open_sample(browser: Browser, server: Server) -> Clicker:
    """Open the sample's curves by histotype."""
    page = new_context(browser).new_page()
    page.goto(server.url)
    page.get_by_role("button", name="Sarcoma cohort, 51 patients").click()
    return _survival(page, 51)


def open_many(browser: Browser, server: Server) -> Clicker:
    """Upload the large file and open its curves by histotype."""
    data, study = many_patients()
    page = new_context(browser).new_page()
    page.goto(server.url)
    uploader = page.locator("input[type=file]").first
    uploader.wait_for(state="attached")
    choices = dump_study(study).encode()
    uploader.set_input_files(
        [
            FilePayload(name="cohort.csv", mimeType="text/csv", buffer=data),
            FilePayload(name="study.yaml", mimeType="application/yaml", buffer=choices),
        ]
    )
    return _survival(page, MANY)


def _survival(page: Page, n: int) -> Clicker:
    page.locator(".cohort-line").get_by_text(f"{n} of {n} patients").wait_for()
    settled(page)
    go(page, "Survival")
    page.locator(f"{CHART} .scatterlayer path.js-line").first.wait_for(state="attached")
    settled(page)
    return Clicker(page, CHART, set(HISTOTYPES))


def new_combinations(names: tuple[str, ...] = HISTOTYPES) -> Iterator[str]:
    """Give one group after the other to toggle; no set of groups comes twice (Gray code)."""
    for step in range(1, 2 ** len(names)):
        yield names[(step & -step).bit_length() - 1]


def measure() -> Part:
    """Click in turns on the bare page, with 51 and with 10,000 patients."""
    with ExitStack() as stack:
        bare_server = stack.enter_context(running_server(BARE))
        app_server = stack.enter_context(running_server(APP))
        browser = stack.enter_context(running_browser())
        clickers = {
            "bare": open_bare(browser, bare_server),
            "51": open_sample(browser, app_server),
            "many": open_many(browser, app_server),
        }

        def task(clicker: Clicker, names: Iterator[str]) -> Callable[[], float]:
            return lambda: clicker.toggle(next(names))

        taken = in_turns(
            {key: task(clicker, new_combinations()) for key, clicker in clickers.items()},
            CLICKS,
            warm_up=WARM_UP,
        )
        # The same group off and on: both sets of groups were computed by the second click
        again = in_turns(
            {
                key: task(clicker, iter(["Others"] * (AGAIN + 2)))
                for key, clicker in clickers.items()
            },
            AGAIN,
            warm_up=2,
        )
    rows = []
    for key, label, limit in (("51", "51", 0.2), ("many", f"{MANY:,}", 0.4)):
        goals = (
            at_most_seconds(taken[key], limit),
            at_most_ratio(taken[key], taken["bare"], 2.5),
        )
        rows.append(
            Row("b", f"click to curve, {label} patients, groups not seen before", taken[key],
                taken["bare"], "bare page", goals)
        )  # fmt: skip
        rows.append(
            Row("b", f"click to curve, {label} patients, groups seen before", again[key],
                again["bare"], "bare page")
        )  # fmt: skip
    return Part(
        tuple(rows),
        (
            "A click on one of nine histotypes on the Survival page, in Chromium without a window "
            "or a graphics card, server and browser on the same machine. From the time stamp of "
            "the press to the second frame after the last change below the chart. The bare page "
            "has the same widgets and a line of text instead of chart and table, and computes "
            f"nothing. The {MANY:,} patients are drawn from the sample's with other times, "
            "uploaded as a file with its study file. "
            f"{CLICKS} clicks each, in turns, after {WARM_UP} to warm up; every click makes a set "
            "of groups that was not computed before. Seen before: one histotype off and on, "
            "computed already.",
            f"What the server computes for a click that is not cached: {server_split()}.",
        ),
    )


def server_split() -> str:
    """Say what the parts of a click cost on the server, at both sizes."""
    data, study = many_patients()
    sample = sample_cohort()
    large = assemble(study, [read_bytes("cohort.csv", data)])
    return "; ".join(
        f"{cohort.n_in_file:,} patients: {_split(apply_criteria(cohort, cohort.study))}"
        for cohort in (sample, large)
    )


def _split(cohort: Cohort) -> str:
    spec = KaplanMeierSpec("PFS", "histotype")
    spent: dict[str, list[float]] = {}

    def timed(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        begin = time.perf_counter()
        result = function(*arguments)
        spent.setdefault(name, []).append(time.perf_counter() - begin)
        return result

    for _ in range(5):
        result = timed("estimates", kaplan_meier, cohort, spec)
        figure = timed("figure", survival_curve, result)
        timed("as Plotly", to_plotly, figure)
        timed("table", survival_table, result)
    return ", ".join(f"{name} {seconds_text(sorted(times)[2])}" for name, times in spent.items())
