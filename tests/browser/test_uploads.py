"""Uploads that must not touch the disk, and uploads that must not bring anything down."""

from __future__ import annotations

import io
import os
import random
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server, Watch, running_server
from tests.browser.visit import chart, choose, cohort_line, go, heading, open_tab, settled, upload

HOSTILE = (
    "<i>cell</i>",
    "$x$",
    ":red[x]",
    "=1+1",
    "软组织肉瘤",
    "a*b_c|d",
    "<img src=x onerror=y>",
)
_WRITE_FLAGS = 0o3


class DiskWatch:
    """Looks, as fast as it can, for files that a process and its children have open for writing."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.pid = pid
        self.folder = folder
        self.seen: set[str] = set()
        self.rounds = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> DiskWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.rounds += 1
            self.seen.update(str(path) for path in self.folder.rglob("*"))
            for pid in (self.pid, *self._children()):
                self._look_at(pid)
            time.sleep(0.001)

    def _children(self) -> list[int]:
        found: list[int] = []
        for task in Path(f"/proc/{self.pid}/task").glob("*/children"):
            try:
                found += [int(pid) for pid in task.read_text().split()]
            except OSError:
                continue
        return found

    def _look_at(self, pid: int) -> None:
        try:
            handles = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            return
        for handle in handles:
            try:
                target = os.readlink(f"/proc/{pid}/fd/{handle}")
                # Sockets, pipes and memory have no path; a nameless temporary file has one
                if not target.startswith("/") or target.startswith(("/dev/", "/proc/", "/memfd:")):
                    continue
                facts = Path(f"/proc/{pid}/fdinfo/{handle}").read_text()
            except OSError:
                continue
            flags = next(line for line in facts.splitlines() if line.startswith("flags:"))
            if int(flags.split()[1], 8) & _WRITE_FLAGS:
                self.seen.add(target)


def large_csv(n_bytes: int) -> str:
    """Give a patient table of about so many bytes."""
    pick = random.Random(1)
    rows = ["patient,time (months),status,histotype,note"]
    size = 0
    while size < n_bytes:
        n = len(rows)
        rows.append(f"P{n},{pick.randint(1, 90)},{pick.choice(('Dead', 'Alive'))},LMS,{'x' * 200}")
        size += len(rows[-1]) + 1
    return "\n".join(rows) + "\n"


def wide_csv(n_rows: int) -> str:
    """Give a patient table of 40 columns, made fast and read in some seconds."""
    pick = random.Random(2)
    tails = [",".join(str(pick.randint(1, 500)) for _ in range(36)) for _ in range(1000)]
    markers = ",".join(f"marker {number}" for number in range(1, 37))
    rows = [f"patient,time (months),status,histotype,{markers}"]
    rows += [
        f"P{n},{pick.randint(1, 90)},{('Dead', 'Alive')[n % 2]},LMS,{tails[n % 1000]}"
        for n in range(1, n_rows + 1)
    ]
    return "\n".join(rows) + "\n"


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="open files are read from /proc")


@LINUX
def test_upload_of_5_mb_is_nowhere_written(open_page: Callable[..., Page], tmp_path: Path) -> None:
    content = large_csv(5_000_000)
    n_rows = content.count("\n") - 1
    with running_server(environment={"TMPDIR": str(tmp_path)}) as fresh:
        page = open_page(fresh.url)
        heading(page, "Data")
        with DiskWatch(fresh.process.pid, tmp_path) as disk:
            upload(page, ("large.csv", content))
            expect(cohort_line(page)).to_contain_text(f"{n_rows} of {n_rows} patients analysed")
            settled(page)
        assert disk.rounds > 50
        assert not disk.seen
        assert not list(tmp_path.iterdir())
        page.close()


@LINUX
def test_watch_of_the_disk_sees_an_upload_that_is_written(
    open_page: Callable[..., Page], watch: Watch, tmp_path: Path
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    script = tmp_path / "other_app.py"
    script.write_text(
        "import streamlit as st\nfile = st.file_uploader('File')\nst.write(file is None)\n"
    )
    with running_server(script, {"TMPDIR": str(folder)}) as fresh:
        page = open_page(fresh.url)
        expect(page.get_by_text("True")).to_be_visible()
        with DiskWatch(fresh.process.pid, folder) as disk:
            upload(page, ("large.csv", large_csv(5_000_000)))
            expect(page.get_by_text("False")).to_be_visible()
        # The server's own way: a nameless file in the temp folder
        assert any(str(folder) in path for path in disk.seen)
        page.close()
    # This script has no folder with the fonts that the settings name
    fonts = [complaint for complaint in watch.complaints if "/app/static/fonts/" in complaint]
    assert watch.complaints == fonts
    watch.complaints.clear()


def far_cell() -> bytes:
    """Give a workbook of 5 kB with one cell in the last corner."""
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"], book.active["XFD1048576"] = "id", "x", 1
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def bomb() -> bytes:
    """Give a workbook of some kB whose sheet unpacks to 80 MB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"<v>1</v>" * 10_000_000)
    return stream.getvalue()


def test_files_that_kill_readers_leave_the_app_and_the_cohort(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url)
    heading(page, "Data")
    page.get_by_role("button", name="Sarcoma cohort, 51 patients").click()
    expect(cohort_line(page)).to_contain_text("51 of 51")
    for name, data, said in (
        ("far.xlsx", far_cell(), "XFD1048576"),
        ("far-spelt-otherwise.csv", far_cell(), "XFD1048576"),
        ("empty.csv", b"", "The file is empty."),
        ("paper.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF document"),
        ("bomb.xlsx", bomb(), "unpacks to"),
        ("cut-off.xlsx", far_cell()[:-400], "damaged"),
        ("page.xls", b"<html><table><tr><td>1</td></tr></table></html>", "a web page"),
        ("wide.csv", ",".join(f"c{n}" for n in range(5000)).encode(), "5,000 columns"),
        ("open.csv", b'id,note\n1,ok\n2,"open\n3,lost\n', "quotation mark"),
    ):
        upload(page, (name, data))
        expect(page.get_by_text("What was loaded before is still there.")).to_be_visible()
        expect(page.get_by_test_id("stAlert").filter(has_text=said).first).to_be_visible()
        settled(page)
        expect(cohort_line(page)).to_contain_text("51 of 51 patients analysed")
        assert server.process.poll() is None
        assert server.is_up()
        go(page, "Cohort")
        go(page, "Data")
    go(page, "Survival")
    assert chart(page).drawn > 3


def test_names_of_levels_are_shown_as_they_are_written(
    server: Server, open_page: Callable[..., Page]
) -> None:
    rows = [f'{n},{n % 19 + 1},{n % 3 % 2},"{HOSTILE[n % len(HOSTILE)]}"' for n in range(1, 71)]
    content = 'id,time (months),status,"group $x$ <i>"\n' + "\n".join(rows) + "\n"
    page = open_page(server.url)
    heading(page, "Data")
    upload(page, ("$f$ :red[f] <i>g.csv", content))
    expect(cohort_line(page)).to_contain_text("70 of 70 patients analysed")
    expect(cohort_line(page)).to_contain_text("$f$ :red[f] <i>g")
    main = page.get_by_test_id("stMain")
    # Neither formula nor colour nor italics nor picture has been made of any of it
    live = ".katex, i, em, img[src=x]"
    # The app's own icons are coloured too, and hold no text of the file
    coloured = (
        "found => found.filter(e => "
        "e.textContent !== e.querySelector('[role=img]')?.textContent).length"
    )
    assert main.locator(live).count() == 0
    assert main.locator("[class*='stMarkdownColoredText']").evaluate_all(coloured) == 0
    open_tab(page, "Endpoints")
    confirm = page.get_by_role("button", name="Confirm ")
    confirm.click()
    expect(confirm).to_have_count(0)
    go(page, "Survival")
    choose(page, "Compare by", "Group $x$ <i>")
    expect(page.get_by_text("df = 6").first).to_be_visible()
    offered = page.get_by_test_id("stButtonGroup").last.inner_text()
    table = page.locator(".sts-table").first.inner_text()
    drawn = " ".join(chart(page).texts)
    for level in HOSTILE:
        assert level in offered, level
        assert level in table, level
        assert level in drawn, level
    assert main.locator(live).count() == 0
    assert main.locator("[class*='stMarkdownColoredText']").evaluate_all(coloured) == 0


def test_reading_shows_how_far_it_is_and_can_be_cancelled(
    server: Server, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    n_rows = 150_000
    # The browser takes a file from its path in a moment; bytes go through the test's own channel
    large = tmp_path / "large.csv"
    large.write_text(wide_csv(n_rows))
    page = open_page(server.url)
    heading(page, "Data")
    page.get_by_role("button", name="Sarcoma cohort, 51 patients").click()
    expect(cohort_line(page)).to_contain_text("51 of 51")
    settled(page)
    upload(page, large)
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    expect(page.get_by_test_id("stProgress")).to_contain_text("large.csv")
    expect(page.get_by_test_id("stProgress")).to_contain_text("of 3")
    cancel.click()
    expect(page.get_by_text("Reading was cancelled.")).to_be_visible()
    expect(cancel).to_have_count(0)
    expect(cohort_line(page)).to_contain_text("51 of 51 patients analysed")
    page.keyboard.press("Escape")
    upload(page, large)
    expect(cohort_line(page)).to_contain_text(
        f"{n_rows} of {n_rows} patients analysed", timeout=60_000
    )
    expect(cancel).to_have_count(0)
