"""Reading files beside the page: the same result, a cancel, a session that ends."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from pages._ui import intake, job, state
from pages._ui.job import Job
from sts_core.reading import read_bytes
from sts_core.reading.progress import Progress, Stage, Step
from tests.pages.driver import (
    DATA,
    SURVIVAL,
    TINY,
    checked,
    click,
    cohort_line,
    drop,
    go,
    settled,
    shown,
    study_of,
    with_tiny,
)


class Stages(Progress):
    def __init__(self) -> None:
        super().__init__()
        self.stages: list[Stage] = []
        self.shares: list[float] = []

    def report(self, stage: Stage, done: int = 0, share: float | None = None) -> None:
        super().report(stage, done, share)
        self.stages.append(stage)
        if stage is Stage.RECOGNISING:
            self.shares.append(share or 0.0)


def endless(progress: Progress) -> None:
    while True:
        progress.report(Stage.READING)
        time.sleep(0.005)


def test_read_beside_the_page_gives_what_reading_at_once_gives() -> None:
    progress = Stages()
    files = [("tiny.csv", TINY.encode())]
    outcome = intake.read_dropped(files, state.Workspace(), False, progress)
    at_once = state.opened([read_bytes("tiny.csv", TINY.encode())])
    assert outcome.workspace is not None
    assert outcome.workspace.study == at_once.study
    assert outcome.workspace.findings == at_once.findings
    assert outcome.workspace.cohort is not None
    assert at_once.cohort is not None
    assert outcome.workspace.cohort.fingerprint == at_once.cohort.fingerprint
    order = list(dict.fromkeys(progress.stages))
    assert order == [Stage.READING, Stage.TAKING_OVER, Stage.RECOGNISING, Stage.CHECKING]
    assert all(intake.step_words(Step(stage)) for stage in Stage)
    assert progress.shares == sorted(progress.shares), "a bar never goes back"
    assert progress.shares[-1] > 0.8


def test_cancel_leaves_what_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    at = with_tiny()
    before = at.session_state["workspace"]
    monkeypatch.setattr(intake, "SMALL_SECONDS", 0.05)
    monkeypatch.setattr(intake, "read_dropped", lambda *given: endless(given[-1]))
    checked(at.file_uploader[0].set_value([("b.csv", b"id,x\n1,2\n", "text/csv")]).run())
    running: Job = at.session_state["job"]
    assert not running.finished
    assert cohort_line(at).startswith("tiny 3 of 3")
    click(at, "intake.cancel")
    assert running.wait(5)
    assert "Reading was cancelled. What was loaded before is still there." in shown(at)
    assert at.session_state["workspace"] is before
    monkeypatch.undo()
    drop(at, {"two.csv": TINY})
    assert cohort_line(at).startswith("two 3 of 3")


def test_new_files_stop_those_that_are_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    at = with_tiny()
    monkeypatch.setattr(intake, "SMALL_SECONDS", 0.05)
    monkeypatch.setattr(intake, "read_dropped", lambda *given: endless(given[-1]))
    checked(at.file_uploader[0].set_value([("b.csv", b"id,x\n1,2\n", "text/csv")]).run())
    former: Job = at.session_state["job"]
    monkeypatch.undo()
    drop(at, {"two.csv": TINY})
    assert former.wait(5)
    assert former.progress.cancelled
    assert cohort_line(at).startswith("two 3 of 3")


def test_recognition_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    at = with_tiny()
    before = at.session_state["workspace"]
    monkeypatch.setenv("STS_RECOGNISE_SECONDS", "0.000001")
    drop(at, {"two.csv": TINY})
    assert at.session_state["workspace"] is before
    assert "recognise and check its columns took longer than 1e-06 seconds" in shown(at)
    assert "What was loaded before is still there." in shown(at)
    monkeypatch.undo()
    assert cohort_line(drop(at, {"two.csv": TINY})).startswith("two 3 of 3")


def test_failure_of_the_work_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(*given: object) -> None:
        try:
            {}["Jane Doe"]
        except KeyError:
            raise ValueError("cell: Jane Doe") from None

    at = with_tiny()
    monkeypatch.setattr(intake, "read_dropped", fails)
    checked(at.file_uploader[0].set_value([("b.csv", b"id,x\n1,2\n", "text/csv")]).run())
    assert "an error of the app itself" in shown(at)
    assert "could not be used" not in shown(at)
    assert "What was loaded before is still there." in shown(at)
    assert cohort_line(at).startswith("tiny 3 of 3")
    (record,) = [record for record in caplog.records if record.name == job.__name__]
    line = fails.__code__.co_firstlineno + 4
    assert "ValueError at " in record.getMessage()
    assert record.getMessage().endswith(f"{__file__}:{line}")
    assert record.exc_info is None
    assert "Jane Doe" not in shown(at) + caplog.text + "".join(capfd.readouterr())


def test_log_names_the_error_behind_an_error(caplog: pytest.LogCaptureFixture) -> None:
    def fails(progress: Progress) -> None:
        try:
            int("Jane Doe")
        except ValueError as error:
            raise RuntimeError("Jane Doe") from error

    work = Job(fails, lambda: True, "a.csv")
    assert work.wait(5)
    assert work.failed
    (record,) = [record for record in caplog.records if record.name == job.__name__]
    first = fails.__code__.co_firstlineno
    assert f"{__file__}:{first + 4}; after ValueError at {__file__}:{first + 2}" in caplog.text
    assert record.getMessage().count("Error at ") == 2
    assert "Jane Doe" not in caplog.text


def test_file_of_no_use_is_no_error_of_the_app(caplog: pytest.LogCaptureFixture) -> None:
    at = with_tiny()
    drop(at, {"empty.csv": ""})
    assert "could not be used" in shown(at)
    assert "error of the app" not in shown(at)
    assert not [record for record in caplog.records if record.name == job.__name__]


def test_added_files_keep_every_choice_and_others_begin_anew() -> None:
    at = with_tiny()
    before: state.Workspace = at.session_state["workspace"]
    assert before.study is not None
    label = next(iter(before.study.definitions.variables.values())).label
    drop(at, {"stages.csv": "id,stage\na,I\nb,II\nc,I\n"})
    assert "Loaded: stages.csv. Undo brings back" in shown(
        at
    )  # in place of the former, unless said otherwise
    replaced: state.Workspace = at.session_state["workspace"]
    assert [book.file for book in replaced.workbooks] == ["stages.csv"]
    click(at, "undo")
    assert at.session_state["workspace"] is before
    asked = at.segmented_control(key="w:upload.adds")
    checked(asked.set_value("Add to these files").run())
    drop(at, {"stages.csv": "id,stage\na,I\nb,II\nc,I\n"})
    assert "Added: stages.csv" in shown(at)
    added: state.Workspace = at.session_state["workspace"]
    assert [book.file for book in added.workbooks] == ["tiny.csv", "stages.csv"]
    assert added.study is not None
    assert {**before.study.definitions.endpoints}.items() <= {
        **added.study.definitions.endpoints
    }.items()
    assert label in [item.label for item in added.study.definitions.variables.values()]
    assert cohort_line(at).startswith("tiny 3 of 3")


def test_what_is_changed_while_files_are_read_is_not_lost_by_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = with_tiny()
    checked(at.segmented_control(key="w:upload.adds").set_value("Add to these files").run())
    real, may_go = intake.read_dropped, threading.Event()

    def slowly(*given: Any) -> intake.Outcome:
        assert may_go.wait(20)
        return real(*given)

    monkeypatch.setattr(intake, "read_dropped", slowly)
    monkeypatch.setattr(intake, "SMALL_SECONDS", 0.05)
    stages = b"id,stage\na,I\nb,II\nc,I\n"
    checked(at.file_uploader[0].set_value([("stages.csv", stages, "text/csv")]).run())
    (code,) = study_of(at).definitions.endpoints
    click(at, f"endpoint.delete.{code}")
    assert not study_of(at).definitions.endpoints
    go(at, SURVIVAL)  # the next page shows what is read as well, and takes it
    assert any(button.key == "intake.cancel" for button in at.button)
    may_go.set()
    settled(at)
    assert "Added: stages.csv." in shown(at)
    study = study_of(at)
    assert not study.definitions.endpoints
    assert "stage" in {item.column or key for key, item in study.definitions.variables.items()}
    click(go(at, DATA), "undo")
    assert not study_of(at).definitions.endpoints
    assert [book.file for book in at.session_state["workspace"].workbooks] == ["tiny.csv"]


def test_one_of_several_files_is_removed_and_comes_back_by_undo() -> None:
    at = with_tiny()
    alone: state.Workspace = at.session_state["workspace"]
    assert not [button for button in at.button if str(button.key).startswith("remove.")]
    asked = at.segmented_control(key="w:upload.adds")
    checked(asked.set_value("Add to these files").run())
    drop(at, {"st*ges.csv": "id,stage\na,I\nb,II\nc,I\n"})
    added: state.Workspace = at.session_state["workspace"]
    assert [str(b.key) for b in at.button if str(b.key).startswith("remove.")] == ["remove.1"]
    click(at, "remove.1")  # of the file of the patients there is no such button
    assert "Removed: st*ges.csv. Undo brings it back." in shown(at)
    left: state.Workspace = at.session_state["workspace"]
    assert [book.file for book in left.workbooks] == ["tiny.csv"]
    assert left.study == alone.study
    assert cohort_line(at).startswith("tiny 3 of 3")
    click(at, "undo")
    assert at.session_state["workspace"] is added


def test_work_of_a_session_that_ended_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(job, "_LOOK_SECONDS", 0.02)
    there = threading.Event()
    there.set()
    work = Job(endless, there.is_set, "a.csv")
    assert not work.wait(0.3)
    there.clear()
    assert work.wait(5)
    assert work.outcome is None
    assert not work.failed
