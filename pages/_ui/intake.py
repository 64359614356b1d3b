"""Files into the session: uploads, samples and study files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from pages._ui import state
from pages._ui.inputs import choose_one, plain
from pages._ui.job import Job, session_is_there
from pages._ui.show import XLSX_TYPE
from sts_core.display import counted
from sts_core.export.template import write_template
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.reading import Limits, Workbook, read_bytes
from sts_core.reading.messages import recognition_too_long
from sts_core.reading.progress import Progress, Stage, Step, TookTooLong
from sts_core.study import Study, load_study

_SAMPLE_FOLDER = Path(__file__).resolve().parents[2] / "sample_data"
DATA_TYPES = [
    "xlsx", "xlsm", "xls", "xlsb", "ods", "csv", "tsv", "txt", "sav", "zsav", "dta", "sas7bdat",
    "xpt",
]  # fmt: skip
STUDY_TYPES = ["yaml", "yml"]
# Up to here a file is mostly read before a bar would have been seen.
SMALL_BYTES, SMALL_SECONDS = 2_000_000, 2.0
LOOK_SECONDS = 0.3
MAX_NAMED = 3
_OWN_ERROR = Finding(
    FindingCode.APP_FAILED,
    Severity.ERROR,
    "This is an error of the app itself; it says nothing about your data.",
    "Tell whoever runs the app: its log says where it happened, without any patient data.",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A synthetic cohort that ships with the app."""

    label: str
    text: str
    file: str
    study: str


SAMPLES = (
    Sample(
        "Sarcoma cohort, 51 patients",
        "Synthetic patients with the published counts of a real study of immunotherapy plus "
        "antiangiogenic therapy.",
        "sts_cohort.xlsx",
        "study.yaml",
    ),
    Sample(
        "The same with 20 patients screened out",
        "Shows criteria, values that can't be verified, and the flow diagram.",
        "sts_screening.xlsx",
        "study_screening.yaml",
    ),
)


def open_sample(sample: Sample) -> None:
    """Load a sample with its study file: nothing is left to confirm."""
    state.set_job(None)
    state.put(sample_workspace(sample))
    state.forget_widgets()
    state.leave_notice(f"{sample.label}: loaded.")


_sample_workspaces: dict[str, state.Workspace] = {}
_sample_lock = threading.Lock()


def sample_workspace(sample: Sample) -> state.Workspace:
    """Give a sample as it is when opened; kept for all sessions, since no patient is in it."""
    with _sample_lock:
        if sample.file not in _sample_workspaces:
            data = (_SAMPLE_FOLDER / sample.file).read_bytes()
            book = read_bytes(sample.file, data, own=True)
            text = (_SAMPLE_FOLDER / sample.study).read_text("utf-8")
            study = load_study(text, name=sample.study)
            _sample_workspaces[sample.file] = state.opened([book], study)
        return _sample_workspaces[sample.file]


def prepare_first_sample() -> None:
    """Read the sample that most look at before somebody asks for it."""
    sample_workspace(SAMPLES[0])


def drop_key(name: str) -> str:
    """Give a key that is another one after each drop of files."""
    return f"{name}.{state.remembered('uploads', 0)}"


def loaded_files(workspace: state.Workspace) -> None:
    """Name the files that are loaded; of many, the first ones, and the others in a tip."""
    names = [
        f"{book.file} ({counted(sum(len(sheet.frame) for sheet in book.sheets), 'row')})"
        for book in workspace.workbooks
    ]
    first = names if len(names) <= MAX_NAMED else names[: MAX_NAMED - 1]
    more = len(names) - len(first)
    text = plain(", ".join(first)) + (f" and {more} more files" if more else "")
    st.markdown(
        f":material/description: {text}", width="stretch",
        help=plain(", ".join(names[len(first) :])) if more else None,
    )  # fmt: skip


def uploader(label: str, *, compact: bool = False) -> None:
    """Offer a place to drop files; each drop is read once, beside the page, and let go."""
    key = drop_key("upload")
    st.file_uploader(
        label,
        type=[*DATA_TYPES, *STUDY_TYPES],
        accept_multiple_files=True,
        key=key,
        on_change=_on_drop,
        args=(key,),
        label_visibility="collapsed" if compact else "visible",
    )


_ADD, _REPLACE = "Add to these files", "Replace these files"


def add_or_replace() -> None:
    """Ask what becomes of the files that are loaded when others are dropped."""
    chosen = choose_one(
        "Files that are dropped here", [_REPLACE, _ADD], "upload.adds",
        kept=state.remembered("adds", _REPLACE),
        help="Added tables are joined by patient id, and every choice stays; a file of the same "
        "name takes the place of the former one. New files in place of these begin anew.",
    )  # fmt: skip
    state.remember("adds", chosen)


def remove_files(workspace: state.Workspace) -> None:
    """Offer to let go of each file but that of the patients."""
    study = workspace.study
    patients = study.data.tables.get("subjects") if study is not None else None
    if patients is None or len(workspace.workbooks) < 2:
        return
    for number, book in enumerate(workspace.workbooks):
        # a patient table without a file's name is that of the only or the first file
        if book.file != (patients.file or workspace.workbooks[0].file):
            st.button(
                f"Remove {plain(book.file)}", icon=":material/delete:", key=f"remove.{number}",
                on_click=_remove, args=(book.file,), width="stretch",
                help="What its tables gave goes with it; every other choice stays.",
            )  # fmt: skip


def _remove(file: str) -> None:
    state.remember("uploads", state.remembered("uploads", 0) + 1)  # the list closes
    state.put(state.without_file(state.workspace(), file))
    state.forget_widgets()
    state.leave_notice(f"Removed: {file}. Undo brings it back.")


def accepted_types() -> None:
    """Say which files are taken: the uploader marks another or a larger one in red only."""
    types = ", ".join(f".{ending}" for ending in (*DATA_TYPES, *STUDY_TYPES))
    size = Limits.from_environment().max_upload_mb
    st.caption(
        f"Files that can be read: {types}, up to {size} MB each. A file marked in red was not "
        "taken: it is of another kind, or larger."
    )


def _on_drop(key: str) -> None:
    """Begin to read what was dropped; small files are waited for, so that nothing flickers."""
    dropped = state.uploaded(key)
    if not dropped:
        return
    state.remember("uploads", state.remembered("uploads", 0) + 1)
    size = sum(len(data) for _, data in dropped)
    names = ", ".join(name for name, _ in dropped)
    adds = state.remembered("adds") == _ADD
    work = partial(read_dropped, dropped, state.workspace(), adds)
    job = Job(work, session_is_there(), names)
    state.set_job(job)
    if size <= SMALL_BYTES:
        job.wait(SMALL_SECONDS)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of dropped files.

    Attributes
    ----------
    workspace
        What is loaded now; ``None`` leaves the former one.
    message, findings
        What is said about it.
    added, to
        Files that were added, and to what.
    """

    workspace: state.Workspace | None
    message: str
    findings: tuple[Finding, ...] = ()
    added: tuple[Workbook, ...] = ()
    to: state.Workspace | None = None


def read_dropped(
    dropped: Sequence[tuple[str, bytes]],
    current: state.Workspace,
    adds: bool,
    progress: Progress,
) -> Outcome:
    """Read files, recognise and check them; it touches no session.

    Parameters
    ----------
    dropped
        Name and bytes of each file.
    current
        What was loaded when they were dropped.
    adds
        Whether tables join those that are loaded instead of taking their place.
    progress
        Told how far the work has come.

    Raises
    ------
    Cancelled
        If the work was stopped.
    """
    limits = Limits.from_environment()
    progress.allow(limits.recognise_seconds)
    books: list[Workbook] = []
    study: Study | None = None
    findings: list[Finding] = []
    for name, data in dropped:
        try:
            if name.rsplit(".", 1)[-1].lower() in STUDY_TYPES:
                study = load_study(data.decode("utf-8", errors="replace"), name=name)
            else:
                books.append(read_bytes(name, data, progress=progress))
        except StudyError as error:
            findings += error.findings
        except TookTooLong:
            said = recognition_too_long(name, limits.recognise_seconds)
            return _not_used(current, [*findings, said])
    if not books and study is None:
        return _not_used(current, findings)
    if not books:
        books = list(current.workbooks)
        if not books:
            return Outcome(
                state.Workspace(study=study),
                "Your choices are loaded. Now drop the data file that they belong to.",
                tuple(findings),
            )
    return _in_time(
        partial(_recognised, books, study, current, adds), books, current, findings, progress
    )


def _in_time(
    work: Callable[[tuple[Finding, ...], Progress], Outcome],
    books: Sequence[Workbook], current: state.Workspace, findings: Sequence[Finding],
    progress: Progress,
) -> Outcome:  # fmt: skip
    """Give what comes of files that were read, or say that it takes too long."""
    try:
        with progress.own_work():
            return work(tuple(findings), progress)
    except TookTooLong:
        largest = max(books, key=lambda book: sum(sheet.frame.size for sheet in book.sheets))
        said = recognition_too_long(largest.file, Limits.from_environment().recognise_seconds)
        return _not_used(current, [*findings, said])


def _recognised(
    books: Sequence[Workbook], study: Study | None, current: state.Workspace, adds: bool,
    findings: tuple[Finding, ...], progress: Progress,
) -> Outcome:  # fmt: skip
    names = ", ".join(book.file for book in books)
    if adds and current.has_data and study is None:
        workspace = state.extended(current, books, progress)
        return Outcome(workspace, f"Added: {names}.", findings, tuple(books), current)
    study = study or (current.study if not current.has_data else None)
    workspace = state.opened(books, study, progress)
    former = " Undo brings back what was loaded before, with its choices."
    return Outcome(workspace, f"Loaded: {names}.{former if current.has_data else ''}", findings)


def _not_used(current: state.Workspace, findings: Sequence[Finding]) -> Outcome:
    return Outcome(None, f"The file could not be used.{_kept_words(current)}", tuple(findings))


def _kept_words(current: state.Workspace) -> str:
    return " What was loaded before is still there." if current.has_data else ""


def take_outcome() -> None:
    """Make what a finished job gave the session's, before the page is drawn."""
    job = state.job()
    if job is None or not job.finished:
        return
    outcome: Outcome | None = job.outcome
    if job.failed:
        kept = _kept_words(state.workspace())
        outcome = Outcome(None, f"The files were not loaded.{kept}", (_OWN_ERROR,))
    elif outcome is None:
        state.leave_notice(_cancelled_words())
    state.set_job(None)
    if outcome is None:
        return
    current = state.workspace()
    if outcome.added and outcome.to is not current and current.has_data:
        _add_to(current, outcome, job.title)
        take_outcome()
        return
    if outcome.workspace is not None:
        state.put(outcome.workspace)
        state.forget_widgets()
    state.leave_notice(outcome.message, outcome.findings)


def _add_to(current: state.Workspace, outcome: Outcome, title: str) -> None:
    """Add files, already read, to what was changed while they were read: it must not be lost."""

    def work(progress: Progress) -> Outcome:
        progress.allow(Limits.from_environment().recognise_seconds)
        add = partial(_recognised, outcome.added, None, current, True)
        return _in_time(add, outcome.added, current, outcome.findings, progress)

    job = Job(work, session_is_there(), title)
    state.set_job(job)
    job.wait(SMALL_SECONDS)


def _cancelled_words() -> str:
    return f"Reading was cancelled.{_kept_words(state.workspace())}"


def _cancel() -> None:
    if state.job() is not None:
        state.set_job(None)
        state.leave_notice(_cancelled_words())


def show_progress() -> None:
    """Show the job that is under way, with a way to stop it."""
    if state.job() is not None:
        with st.container(border=True):
            _progress()


@st.fragment(run_every=LOOK_SECONDS)
def _progress() -> None:
    job = state.job()
    if job is None or job.finished:  # taken, or stopped: the whole page follows
        st.rerun()
    step = job.progress.step
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(step.share or 0.0, text=f"**{plain(job.title)}**: {step_words(step)}")
    right.button("Cancel", icon=":material/close:", key="intake.cancel", on_click=_cancel,
                 width="stretch")  # fmt: skip


def step_words(step: Step) -> str:
    """Say what is being done and how far it has come."""
    match step.stage:
        case Stage.WAITING:
            return "waiting until other files are read"
        case Stage.READING:
            rows = f", {step.done:,} rows" if step.done else ""
            return f"1 of 3, reading{rows}"
        case Stage.TAKING_OVER:
            return f"1 of 3, taking over columns, {step.done} done"
        case Stage.RECOGNISING:
            return f"2 of 3, recognising columns, {step.done} done"
        case Stage.CHECKING:
            return f"3 of 3, putting the patients together and checking, {step.done} done"
        case Stage.COMPUTING:
            return "computing"


def template_button(key: str) -> None:
    """Offer the workbook to fill in."""
    st.download_button(
        "Template to fill in", write_template, "sts_cohort_template.xlsx", XLSX_TYPE,
        icon=":material/table_view:", on_click="ignore", key=key,
        help="An empty workbook with lists to choose from and a data dictionary. Filled in, it "
        "comes in without any mapping.",
    )  # fmt: skip
