"""A slow machine and a person in a hurry: what was clicked is there, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import yaml
from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.visit import cohort_line, download, heading, pill, settled, upload

ROWS = "id,time (months),status,histotype\n" + "".join(
    f"P{n},{n + 0.5},{('Dead', 'Alive')[n % 2]},{('LMS', 'ASPS')[n % 3 % 2]}\n" for n in range(24)
)


def test_clicks_before_the_page_has_answered_all_count(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url)
    heading(page, "Data")
    machine = page.context.new_cdp_session(page)
    machine.send("Emulation.setCPUThrottlingRate", {"rate": 3})
    upload(page, ("slow.csv", ROWS))
    page.get_by_role("tab", name="Endpoints", exact=True).click()  # while the file is taken in
    pill(page, "weeks").click()
    page.get_by_role("button", name="Confirm TTE").click()
    machine.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    expect(page.get_by_role("button", name="Confirm TTE")).to_have_count(0)
    settled(page)
    expect(cohort_line(page)).to_contain_text("24 of 24 patients analysed")
    study = yaml.safe_load(download(page, "Keep my choices")[1])
    assert study["data"]["tables"]["subjects"]["subject_id"] == "id"
    endpoint = study["definitions"]["endpoints"]["TTE"]
    assert endpoint["unit"] == "weeks"
    assert endpoint["events"] == {"death": ["Dead"]}
    assert endpoint["events_status"] == endpoint["unit_status"] == "confirmed"
