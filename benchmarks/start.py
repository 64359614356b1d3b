"""Part d: from a cold start to a healthy server and to the first curve, beside a bare app."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Final

from playwright.sync_api import Browser

from benchmarks.browser import (
    APP,
    BARE,
    go,
    new_context,
    running_browser,
    running_server,
)
from benchmarks.click import BARE_TEXT, CHART
from benchmarks.timing import Part, Row, at_most_more, seconds_text

REPEATS: Final = 3
MORE: Final = 2.0
_FRAMES: Final = """() => new Promise(
    done => requestAnimationFrame(() => requestAnimationFrame(done)))"""


STAGES: Final = ("healthy server", "first page", "sample loaded", "curves painted")


def measure() -> Part:
    """Start each app in turns, in a new process, with an empty browser cache."""
    taken: dict[str, list[tuple[float, ...]]] = {"bare": [], "app": []}
    scripts = {"bare": BARE, "app": APP}
    with running_browser() as browser:
        for round_number in range(1 + REPEATS):
            for name, script in scripts.items():
                times = _once(browser, script)
                if round_number:  # the first one fills the caches of the system and of Python
                    taken[name].append(times)
    rows = []
    for task, stage in (
        ("process start to healthy server", 0),
        ("process start to the sample's first curve", len(STAGES) - 1),
    ):
        ours = tuple(times[stage] for times in taken["app"])
        other = tuple(times[stage] for times in taken["bare"])
        goal = at_most_more(ours, other, MORE)
        rows.append(Row("d", task, ours, other, "bare app", (goal,)))
    spent = ", ".join(
        f"{stage} {_stage(taken['app'], at)} ({_stage(taken['bare'], at)})"
        for at, stage in enumerate(STAGES)
    )
    return Part(
        tuple(rows),
        (
            "A new server process and an empty browser cache each time, files in the system's "
            "cache, and modules compiled, as they are after the first start of an installation and "
            "in the container image. Healthy: `/_stcore/health` answers. Then a new browser "
            "profile opens the first page, loads the sample with its button and goes to the "
            "Survival page by the menu, each step as soon as the page allows, until the curves are "
            "painted. The bare app has the same two pages and steps without chart, data or table.",
            f"Where the time goes, each from the one before, in brackets the bare app: {spent}.",
        ),
    )


def _stage(taken: list[tuple[float, ...]], stage: int) -> str:
    return seconds_text(median(t[stage] - (t[stage - 1] if stage else 0.0) for t in taken))


def _once(browser: Browser, script: Path) -> tuple[float, ...]:
    """Give the seconds from the start of the process to each of the stages."""
    with running_server(script) as server:
        reached = [server.ready]
        context = new_context(browser)
        page = context.new_page()
        page.goto(server.url, wait_until="commit")
        sample = page.get_by_role("button", name="Sarcoma cohort, 51 patients")
        sample.wait_for()
        reached.append(time.perf_counter())
        sample.click()
        loaded = page.locator(".cohort-line").get_by_text("51 of 51 patients")
        (loaded if script == APP else page.get_by_text("Loaded.")).wait_for()
        reached.append(time.perf_counter())
        go(page, "Survival")
        curve = page.locator(f"{CHART} .scatterlayer path.js-line").first
        (curve if script == APP else page.locator(BARE_TEXT)).wait_for(state="attached")
        page.evaluate(_FRAMES)
        reached.append(time.perf_counter())
        context.close()
    return tuple(at - server.started for at in reached)
