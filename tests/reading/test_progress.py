"""Stages are told in order, and a cancel ends the reading process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from sts_core.checks import check_cohort
from sts_core.reading import child, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.content import FileKind
from sts_core.reading.limits import Limits
from sts_core.reading.parsing import STEP, STEP_MAGIC
from sts_core.reading.progress import Cancelled, Progress, Stage, Step, TookTooLong
from sts_core.reading.recognise import propose_study
from sts_core.reading.tabulation import tabulate

CSV = b"id,time (months),status,sex\n" + b"".join(
    b"P%d,%d,%s,%s\n" % (n, n % 60 + 1, (b"Dead", b"Alive")[n % 2], (b"M", b"F")[n % 3 % 2])
    for n in range(3000)
)
SLEEPER = "import time\ntime.sleep(60)\n"


class Noted(Progress):
    """Keeps every report."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []

    def report(self, stage: Stage, done: int = 0, share: float | None = None) -> None:
        super().report(stage, done, share)
        self.steps.append(self.step)


def start_with(monkeypatch: pytest.MonkeyPatch, body: str) -> list[int]:
    """Let the reading process run something else; give the ids of the processes."""
    head = child._START.replace("main()\n", "")
    monkeypatch.setattr(child, "_START", head + body)
    started: list[int] = []
    popen = child.subprocess.Popen

    def noted(*arguments: object, **options: object) -> object:
        process = popen(*arguments, **options)  # type: ignore[call-overload]
        started.append(process.pid)
        return process

    monkeypatch.setattr(child.subprocess, "Popen", noted)
    return started


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def read_in_thread(progress: Progress) -> tuple[threading.Thread, list[BaseException]]:
    ended: list[BaseException] = []

    def work() -> None:
        try:
            read_bytes("a.csv", CSV, progress=progress)
        except Cancelled as cancelled:
            ended.append(cancelled)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, ended


def test_cancel_kills_the_process_and_again_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = start_with(monkeypatch, SLEEPER)
    progress = Progress()
    thread, ended = read_in_thread(progress)
    wait_for(lambda: started)
    assert is_alive(started[0])
    progress.cancel()
    progress.cancel()
    thread.join(10)
    assert len(ended) == 1
    assert not is_alive(started[0])
    monkeypatch.undo()
    assert len(read_bytes("a.csv", CSV).sheets[0].frame) == 3000


def test_cancelled_before_it_began_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started = start_with(monkeypatch, SLEEPER)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        read_bytes("a.csv", CSV, progress=progress)
    assert not started


def test_cancel_ends_the_wait_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_SLOTS", threading.BoundedSemaphore(1))
    progress = Noted()
    with child._SLOTS:
        thread, ended = read_in_thread(progress)
        wait_for(lambda: progress.steps)
        assert {step.stage for step in progress.steps} == {Stage.WAITING}
        progress.cancel()
        thread.join(10)
    assert len(ended) == 1


def test_work_without_a_process_ends_at_its_next_report() -> None:
    book = read_bytes("a.csv", CSV)
    study = propose_study([book]).study
    cohort = assemble(study, [book])
    progress = Noted()
    assert check_cohort(cohort, progress) == check_cohort(cohort)
    assert {step.stage for step in progress.steps} == {Stage.CHECKING}
    shares = [step.share for step in progress.steps]
    assert shares == sorted(share for share in shares if share is not None)
    progress.cancel()
    with pytest.raises(Cancelled):
        check_cohort(cohort, progress)


def test_rows_are_told_before_the_reply() -> None:
    progress = Noted()
    reply = bytearray()
    told = [(2000, 0.25), (4000, -1.0), (6000, float("nan")), (8000, 1.0)]
    for n_rows, share in told:
        reply += STEP_MAGIC + STEP.pack(n_rows, share)
    half = reply[-5:]
    del reply[-5:]
    child._take_steps(reply, progress)
    assert [step.done for step in progress.steps] == [2000, 4000, 6000]
    reply += half + b"STSTABLE"
    child._take_steps(reply, progress)
    assert reply == b"STSTABLE"
    assert [step.share for step in progress.steps] == [0.25, None, None, 1.0]


def test_reports_change_nothing_in_what_is_read() -> None:
    progress = Noted()
    read = read_bytes("a.csv", CSV, progress=progress)
    assert read.sheets[0].frame.equals(read_bytes("a.csv", CSV).sheets[0].frame)
    assert progress.steps[0].stage is Stage.READING
    taken_over = [step for step in progress.steps if step.stage is Stage.TAKING_OVER]
    assert [step.done for step in taken_over] == [0, 1, 2, 3]


class Stopped(Noted):
    """Is cancelled, or runs out of time, at a report of one stage."""

    def __init__(self, stage: Stage, done: int, *, late: bool = False) -> None:
        super().__init__()
        self._at = (stage, done)
        self._late = late

    def report(self, stage: Stage, done: int = 0, share: float | None = None) -> None:
        if (stage, done) == self._at:
            if self._late:
                self._until = time.monotonic() - 1.0
            else:
                self.cancel()
        super().report(stage, done, share)


def test_work_of_the_app_itself_ends_at_the_next_column() -> None:
    with pytest.raises(Cancelled):
        read_bytes("a.csv", CSV, progress=Stopped(Stage.TAKING_OVER, 2))
    with pytest.raises(TookTooLong):
        read_bytes("a.csv", CSV, progress=Stopped(Stage.TAKING_OVER, 3, late=True))
    book = read_bytes("a.csv", CSV)
    progress = Stopped(Stage.RECOGNISING, 3)
    with pytest.raises(Cancelled):
        propose_study([book], progress=progress)
    assert [step.done for step in progress.steps] == [0, 1, 2]


def test_a_table_is_put_together_column_by_column() -> None:
    class Looked(Progress):
        n = 0

        def look(self) -> None:
            self.n += 1
            super().look()

    progress = Looked()
    (grid,) = child.read_here(FileKind.TEXT, CSV, Limits())
    assert tabulate("a.csv", grid, progress).table is not None
    assert progress.n == 8
    progress.cancel()
    with pytest.raises(Cancelled):
        tabulate("a.csv", grid, progress)


def test_time_is_counted_over_all_own_work_and_not_while_reading() -> None:
    progress = Progress()
    progress.allow(0.05)
    time.sleep(0.06)
    progress.report(Stage.READING)
    with progress.own_work():
        progress.report(Stage.TAKING_OVER)
        time.sleep(0.03)
    progress.report(Stage.READING)
    with progress.own_work():
        time.sleep(0.03)
        with pytest.raises(TookTooLong):
            progress.report(Stage.RECOGNISING)
