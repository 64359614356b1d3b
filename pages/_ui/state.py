"""The only module that touches ``st.session_state``.

One immutable :class:`Workspace` holds what the user has; pure functions make the next one, and
undo and redo are a :class:`History` of others. Widgets are seeded from the workspace or from
``remembered`` values, never the other way round, so that a choice survives a change of page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from pages._ui.job import Job
from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.findings import Finding, StudyError, worst_first
from sts_core.members import Members
from sts_core.reading import Workbook
from sts_core.reading.answers import unanswered
from sts_core.reading.assembly import assemble
from sts_core.reading.profile import profile_table
from sts_core.reading.progress import Progress, Stage
from sts_core.reading.recognise import Proposal, propose_study
from sts_core.reading.redcap import apply_dictionaries
from sts_core.reading.revise import add_files, remove_file
from sts_core.study import Study

_WORKSPACE, _HISTORY, _SHELL, _NOTICE, _CHOICES, _JOB, _COUNTS, _WORK, _SEEDS, _PRESSED = (
    "workspace", "history", "shell", "notice", "choices", "job", "counts", "work", "seeds",
    "pressed",
)  # fmt: skip
_LATE, _REVISION, _TABLES, _LATEST = "late", "revision", "tables", "latest"
MAX_UNDO = 50
#: Counts on the screen whose patients can be listed; the oldest are forgotten.
MAX_COUNTS = 20_000
_NOTHING = object()


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """Everything that one user has in this session.

    Attributes
    ----------
    workbooks
        Files as read; in memory only.
    proposal
        What was recognised, with its evidence.
    study
        The choices.
    cohort
        The patients under these choices, or ``None`` when they can't be put together.
    findings
        What is wrong or worth knowing.
    recognised
        Whether the choices began with what was recognised, not with a study file.
    """

    workbooks: tuple[Workbook, ...] = ()
    proposal: Proposal | None = None
    study: Study | None = None
    cohort: Cohort | None = None
    findings: tuple[Finding, ...] = ()
    recognised: bool = False

    @property
    def has_data(self) -> bool:
        """Whether a file is loaded."""
        return bool(self.workbooks)


def opened(
    workbooks: Sequence[Workbook], study: Study | None = None, progress: Progress | None = None
) -> Workspace:
    """Give the workspace of freshly read files, under a study file when there is one."""
    workbooks = apply_dictionaries(workbooks)
    if progress is not None:
        _look_at_columns(workbooks, progress)
    proposal = propose_study(workbooks, progress=progress)
    start = Workspace(tuple(workbooks), proposal, recognised=study is None)
    return with_study(start, study or proposal.study, progress)


def _look_at_columns(workbooks: Sequence[Workbook], progress: Progress) -> None:
    """Look at all cells, the first half of recognition; the second takes what is found here."""
    tables = [table for book in workbooks for table in book.sheets]
    n_all, before = sum(len(table.frame.columns) for table in tables), 0
    for table in tables:

        def look(n_columns: int, before: int = before) -> None:
            done = before + n_columns
            progress.report(Stage.RECOGNISING, done, 0.5 * done / n_all)

        profile_table(table, look)
        before += len(table.frame.columns)
    progress.report(Stage.RECOGNISING, n_all, 0.5)


def extended(
    current: Workspace, more: Sequence[Workbook], progress: Progress | None = None
) -> Workspace:
    """Give the workspace with further files; every choice stays."""
    if current.study is None:
        return opened(more, progress=progress)
    if progress is not None:
        _look_at_columns(more, progress)
    study, proposal, books = add_files(current.study, current.workbooks, more, progress)
    return with_study(
        replace(current, workbooks=books, proposal=proposal, cohort=None), study, progress
    )


def without_file(current: Workspace, file: str) -> Workspace:
    """Give the workspace without one of its files; every choice about the others stays."""
    assert current.study is not None
    study, proposal, books = remove_file(current.study, current.workbooks, file)
    return with_study(replace(current, workbooks=books, proposal=proposal, cohort=None), study)


def with_study(workspace: Workspace, study: Study, progress: Progress | None = None) -> Workspace:
    """Give the workspace under other choices.

    The cohort is put together again only when the tables' definitions changed.
    """
    old = workspace.cohort
    if progress is not None:
        progress.report(Stage.CHECKING, 0, 0.0)
    try:
        if old is not None and old.study.data == study.data:
            cohort = apply_criteria(old, study)
        else:
            cohort = apply_criteria(assemble(study, workspace.workbooks), study)
        noticed = workspace.proposal.findings if workspace.recognised and workspace.proposal else ()
        noticed = unanswered(noticed, study)
        findings = worst_first(dict.fromkeys((*check_cohort(cohort, progress), *noticed)))
    except StudyError as error:
        return replace(workspace, study=study, cohort=None, findings=error.findings)
    return replace(workspace, study=study, cohort=cohort, findings=findings)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Former workspaces, and those that undo took back.

    Attributes
    ----------
    past
        The oldest first.
    future
        The next one first.
    """

    past: tuple[Workspace, ...] = ()
    future: tuple[Workspace, ...] = ()

    def after_change(self, former: Workspace) -> History:
        """Give the history after a change; what was taken back before it is gone."""
        return History((*self.past, former)[-MAX_UNDO:])

    def back(self, current: Workspace) -> tuple[Workspace, History]:
        """Give the workspace before the last change, and the history then."""
        if not self.past:
            return current, self
        return self.past[-1], History(self.past[:-1], (current, *self.future))

    def forth(self, current: Workspace) -> tuple[Workspace, History]:
        """Give the workspace that the last undo took back, and the history then."""
        if not self.future:
            return current, self
        return self.future[0], History((*self.past, current), self.future[1:])


@dataclass(slots=True, eq=False)
class Latest:
    """What the user has, for a download: it is made beside the session's runs.

    Attributes
    ----------
    workspace
        As of the last change.
    at_rest
        Set while no run is under way.
    """

    workspace: Workspace
    at_rest: threading.Event = field(default_factory=threading.Event)


def latest() -> Latest:
    """Give what may be read of the session outside its runs."""
    found: Latest = st.session_state.setdefault(_LATEST, Latest(workspace()))
    return found


def _set_workspace(new: Workspace) -> None:
    st.session_state[_WORKSPACE] = new
    latest().workspace = new


def workspace() -> Workspace:
    """Give the session's workspace; an empty one at first."""
    found: Workspace = st.session_state.setdefault(_WORKSPACE, Workspace())
    return found


def put(new: Workspace, *, undoable: bool = True) -> None:
    """Make a workspace the session's, keeping the former one for undo."""
    former = workspace()
    if undoable and former.has_data:
        _let_go(former)
        st.session_state[_HISTORY] = history().after_change(former)
    if undoable:
        st.session_state[_REVISION] = revision() + 1
    _set_workspace(new)
    # counts of a cohort that is no longer on the screen; what a page showed last changes none
    prints = [kept.cohort.fingerprint if kept.cohort else "" for kept in (former, new)]
    if prints[0] != prints[1]:
        st.session_state.pop(_COUNTS, None)


def revision() -> int:
    """Count the changes of what the user has; what a page shows is no change."""
    found: int = st.session_state.get(_REVISION, 0)
    return found


def count_key(members: Members, cohort: Cohort) -> str:
    """Give the name by which the browser asks who is behind a count."""
    counts: dict[str, tuple[Members, Cohort]] = st.session_state.setdefault(_COUNTS, {})
    key = f"{hash((members, cohort.fingerprint, cohort.n)) & 0xFFFFFFFFFFFFFFFF:x}"
    counts[key] = (members, cohort)
    if len(counts) > MAX_COUNTS:
        del counts[next(iter(counts))]
    return key


def behind_count(key: str) -> tuple[Members, Cohort] | None:
    """Give what a name stands for; ``None`` for one of former choices."""
    counts: dict[str, tuple[Members, Cohort]] = st.session_state.get(_COUNTS, {})
    return counts.get(key)


def _let_go(former: Workspace) -> None:
    """Forget what was read of a workspace; it can be read again when it is wanted back."""
    if former.cohort is not None:
        former.cohort.read.clear()


def history() -> History:
    """Give what can be taken back, and done again."""
    found: History = st.session_state.get(_HISTORY, History())
    return found


def change_study(study: Study) -> None:
    """Change the choices, keep the data."""
    if study != workspace().study:
        put(with_study(workspace(), study))


def can_undo() -> bool:
    """Whether there is something to take back."""
    return bool(history().past)


def can_redo() -> bool:
    """Whether there is something that was taken back."""
    return bool(history().future)


def undo() -> None:
    """Take the last change back; the widgets follow."""
    _step(history().back(workspace()))


def redo() -> None:
    """Do again what was taken back last; the widgets follow."""
    _step(history().forth(workspace()))


def _step(to: tuple[Workspace, History]) -> None:
    current = workspace()
    if to[0] is not current:
        _let_go(current)
        _set_workspace(to[0])
        st.session_state[_HISTORY] = to[1]
        st.session_state[_REVISION] = revision() + 1
        forget_widgets()


def forget_widgets() -> None:
    """Let widgets be seeded anew from the workspace."""
    for seed in _seeds().values():
        seed.is_let_go = True


def set_view(kind: str, spec: dict[str, Any]) -> None:
    """Remember what a page shows, in the study file, without a step of undo."""
    current = workspace()
    if current.study is None or current.study.analysis.views.get(kind) == spec:
        return
    views = {**current.study.analysis.views, kind: spec}
    _put_quietly(replace(current.study, analysis=replace(current.study.analysis, views=views)))


def forget_looked_at() -> None:
    """Let the study file no longer name comparisons that were looked at."""
    study = workspace().study
    if study is not None and study.analysis.looked_at:
        _put_quietly(replace(study, analysis=replace(study.analysis, looked_at=())))


def _put_quietly(study: Study) -> None:
    """Change what decides no number, without a step of undo."""
    current = workspace()
    cohort = None if current.cohort is None else current.cohort.with_views(study)
    put(replace(current, study=study, cohort=cohort), undoable=False)


def view(kind: str) -> dict[str, Any]:
    """Give what a page showed last."""
    study = workspace().study
    return dict(study.analysis.views.get(kind, {})) if study else {}


@dataclass(slots=True)
class _Seed:
    """A widget of a page, and what the server last knew of its value.

    Attributes
    ----------
    key
        Its name in the session.
    generation
        How often the program has set it to another value.
    value
        The last known value.
    is_let_go
        Whether its value gives way to that from where the choice is kept.
    labels
        Words that the browser was given for its options.
    """

    key: str
    value: Any
    generation: int = 0
    is_let_go: bool = False
    labels: Mapping[str, str] | None = None


def _seeds() -> dict[str, _Seed]:
    found: dict[str, _Seed] = st.session_state.setdefault(_SEEDS, {})
    return found


def seeded(
    key: str,
    value: Any,
    options: Collection[Any] | None = None,
    labels: Mapping[str, str] | None = None,
) -> str:
    """Seed a widget, and give its key in the session.

    A widget that was not on the last page has lost its value, and one that was let go gives it up:
    it then gets ``value``, which comes from where the choice is kept. So does one whose value is
    no longer among the options.

    A widget that gets another value than the browser was told is another widget: a run that is
    interrupted leaves its messages unsent, and a browser that does not know the new value would
    send the former one back, as if a person had chosen it. For the same reason each widget needs
    its value as its default (see :mod:`pages._ui.widgets`).

    Parameters
    ----------
    key
        Name of the choice.
    value
        What it is at first.
    options
        Values that it may have; all when not given.
    labels
        Words for the options, where they can change: the browser keeps those that it was given
        with the value.
    """
    seed = _seeds().get(key)
    current = _NOTHING if seed is None else st.session_state.get(seed.key, _NOTHING)
    chosen = current if isinstance(current, list) else [current]
    fits = options is None or all(item in options for item in chosen)
    if seed is not None and key in _late():  # what was chosen is still to be taken over
        seed.is_let_go = False
    if current is _NOTHING or not fits or (seed is not None and seed.is_let_go):
        seed = _sow(key, value)
    assert seed is not None
    if labels is not None:
        if seed.labels is not None and seed.labels != labels:
            seed = _sow(key, st.session_state[seed.key], anew=True)
        seed.labels = dict(labels)
    seed.value = st.session_state[seed.key]
    return seed.key


def _sow(key: str, value: Any, *, anew: bool = False) -> _Seed:
    """Set a widget's value; with another one than before, or anew, it is another widget."""
    seed = _seeds().get(key)
    if seed is None:
        seed = _seeds()[key] = _Seed(f"w:{key}", value)
    elif anew or st.session_state.get(seed.key, seed.value) != value:
        seed.generation += 1
        seed.key = f"w:{key}|{seed.generation}"
    seed.is_let_go = False
    st.session_state[seed.key] = value
    return seed


def synced(key: str, value: Any, page: str) -> str:
    """Set a widget that several pages have to what the workspace holds, and give its key.

    For a widget whose callback changes the workspace: the two differ only where the workspace was
    changed elsewhere, and then it is the one that is right. On another page the widget is another
    one, to which the session's value does not belong although it has the same key.
    """
    seed = _seeds().get(key)
    if (
        seed is None
        or (st.session_state.get(seed.key, _NOTHING) != value and key not in _late())
        or remembered(f"synced.{key}") != page
    ):
        seed = _sow(key, value)
    seed.is_let_go = False
    remember(f"synced.{key}", page)
    seed.value = st.session_state[seed.key]
    return seed.key


def widget_value(key: str) -> Any:
    """Give a widget's current value, in its callback or once it is seeded."""
    seed = _seeds().get(key)
    return None if seed is None or seed.is_let_go else st.session_state.get(seed.key)


def drop_widget(key: str) -> None:
    """Let one widget be seeded anew."""
    seed = _seeds().get(key)
    if seed is not None:
        seed.is_let_go = True


#: A row's name and a column.
Cell = tuple[Hashable, str]


@dataclass(slots=True)
class _EditedTable:
    """A table that a person edits, as its browser has it.

    Attributes
    ----------
    key
        Its name in the session.
    cells
        What the browser was given to edit; by row.
    generation
        How often the program has set it to something else.
    said
        What the browser says of cells; it says all of it each time.
    taken
        What of it was taken over already.
    edits
        Cells that were edited and not taken over yet.
    is_drawn
        Whether it has been on a page.
    """

    key: str
    cells: dict[Hashable, dict[str, Any]]
    generation: int = 0
    said: dict[Cell, Any] = field(default_factory=dict)
    taken: dict[Cell, Any] = field(default_factory=dict)
    edits: dict[Cell, Any] = field(default_factory=dict)
    is_drawn: bool = False


def edited_table(
    key: str, cells: Mapping[Hashable, Mapping[str, Any]]
) -> tuple[str, dict[Hashable, dict[str, Any]]]:
    """Give the key of a table that is edited, and what its browser is to be given.

    While the table shows what was edited in it, it stays the same one, with the cells that it began
    with: other cells make a browser drop what was typed since it sent something last. A cell that
    the program set to something else, or other rows, make it another table.

    Parameters
    ----------
    key
        Name of the table.
    cells
        Those that can be edited, by the row's name and the column, as they are now.

    Returns
    -------
    str
        Key in the session.
    dict
        Cells to be given to the browser.
    """
    tables: dict[str, _EditedTable] = st.session_state.setdefault(_TABLES, {})
    now = {name: dict(row) for name, row in cells.items()}
    table = tables.get(key)
    heard = None if table is None else st.session_state.get(table.key)
    if table is None:
        table = tables[key] = _EditedTable(f"w:{key}", now)
    names = list(table.cells)
    table.said = {
        (names[place], column): value
        for place, row in (heard or {}).get("edited_rows", {}).items()
        for column, value in row.items()
    }
    table.edits |= {
        cell: value
        for cell, value in table.said.items()
        if table.taken.get(cell, _NOTHING) != value
    }
    is_other = list(now) != names or any(
        table.said.get((name, column), table.cells[name][column]) != value
        for name, row in now.items()
        for column, value in row.items()
        if (name, column) not in table.edits
    )
    if is_other or (heard is None and table.is_drawn):  # or it was away: its browser's is a new one
        table.generation += 1
        table.key, table.cells = f"w:{key}|{table.generation}", now
        table.said, table.taken = {}, {}
    return table.key, table.cells


def take_edits(key: str) -> dict[Hashable, dict[str, Any]]:
    """Give, once, the cells that were edited, by the row's name and the column."""
    table: _EditedTable = st.session_state[_TABLES][key]
    table.is_drawn, table.taken = True, table.said
    found: dict[Hashable, dict[str, Any]] = {}
    for (name, column), value in table.edits.items():
        found.setdefault(name, {})[column] = value
    table.edits = {}
    return found


def _late() -> set[str]:
    found: set[str] = st.session_state.setdefault(_LATE, set())
    return found


def run_or_wait(key: str, seen: int, change: Callable[[], object]) -> None:
    """Run a widget's callback, or let it wait for the run that draws the widget anew.

    A callback made before the study was changed last would put a study back that lacks the
    change, such as the text that was typed just before a click.

    Parameters
    ----------
    key
        Name of the choice.
    seen
        :func:`revision` when the callback was made.
    change
        The callback.
    """
    if seen == revision():
        change()
    else:
        _late().add(key)


def take_late(key: str) -> bool:
    """Say, once, whether a widget's callback was left for this run."""
    if key not in _late():
        return False
    _late().discard(key)
    return True


def press(key: str, about: object = None) -> None:
    """Note in its callback that a button was pressed, and what it was about."""
    st.session_state.setdefault(_PRESSED, {})[key] = about


def take_press(key: str, about: object = None) -> bool:
    """Say, once, whether a button was pressed, and was about the same thing then."""
    pressed: dict[str, object] = st.session_state.get(_PRESSED, {})
    return key in pressed and pressed.pop(key) == about


def rest() -> None:
    """Mark that a run came to its end; presses and changes that it had no use for are forgotten."""
    latest().at_rest.set()
    st.session_state.pop(_PRESSED, None)
    st.session_state.pop(_LATE, None)


def remembered(key: str, default: Any = None) -> Any:
    """Give a choice of a page that is no part of the study."""
    return st.session_state.setdefault(_CHOICES, {}).get(key, default)


def remember(key: str, value: Any) -> None:
    """Keep a choice of a page that is no part of the study."""
    st.session_state.setdefault(_CHOICES, {})[key] = value


def job() -> Job | None:
    """Give the reading of files that is under way, or done and not taken yet."""
    found: Job | None = st.session_state.get(_JOB)
    return found


def set_job(new: Job | None) -> None:
    """Begin a job, or forget it; one that is still at work is stopped."""
    former = job()
    if former is not None:
        former.cancel()
    st.session_state[_JOB] = new


def work(key: str, identity: object) -> Job | None:
    """Give the long work that was begun under a key, if it is about the same thing."""
    found: tuple[object, Job] | None = st.session_state.get(_WORK, {}).get(key)
    return found[1] if found is not None and found[0] == identity else None


def set_work(key: str, identity: object, new: Job | None) -> None:
    """Begin long work under a key, or forget it; what was at work under it is stopped."""
    kept: dict[str, tuple[object, Job]] = st.session_state.setdefault(_WORK, {})
    former = kept.pop(key, None)
    if former is not None:
        former[1].cancel()
    if new is not None:
        kept[key] = (identity, new)


def uploaded(key: str) -> list[tuple[str, bytes]]:
    """Give name and bytes of the files in an uploader."""
    files = st.session_state.get(key) or []
    return [(file.name, file.getvalue()) for file in files]


def notice() -> tuple[str, tuple[Finding, ...]] | None:
    """Give the message left by the last action, to be shown."""
    left = st.session_state.get(_NOTICE)
    if left is None:
        return None
    message, findings, _ = left
    st.session_state[_NOTICE] = (message, findings, True)
    return message, findings


def leave_notice(message: str, findings: Sequence[Finding] = ()) -> None:
    """Leave a message for the next run."""
    st.session_state[_NOTICE] = (message, tuple(findings), False)


def drop_shown_notice() -> None:
    """Let go of a message that a run showed to its end; a run that is begun anew shows it again."""
    left = st.session_state.get(_NOTICE)
    if left is not None and left[2]:
        del st.session_state[_NOTICE]


def open_tab(tabs: str, name: str) -> None:
    """Open one of the tabs of a page."""
    st.session_state[f"{tabs}.tab"] = name


def is_open_tab(tabs: str, name: str) -> bool:
    """Say whether one of the tabs of a page is the open one."""
    return bool(st.session_state.get(f"{tabs}.tab") == name)


def enter_shell() -> None:
    """Mark that the router is running this page."""
    latest().at_rest.clear()
    st.session_state[_SHELL] = True


def leave_shell() -> None:
    """Mark that the router is done."""
    st.session_state[_SHELL] = False


def in_shell() -> bool:
    """Whether the router is running this page."""
    return bool(st.session_state.get(_SHELL))
