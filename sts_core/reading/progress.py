"""How far long work (reading, resampling) has come, and the way to stop it from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What is being done, in this order."""

    WAITING = "waiting"
    READING = "reading"
    TAKING_OVER = "taking over"
    RECOGNISING = "recognising"
    CHECKING = "checking"
    COMPUTING = "computing"


class Cancelled(Exception):  # noqa: N818  an order that was followed, not a failure
    """The work was stopped because somebody asked for it."""


class TookTooLong(Exception):  # noqa: N818  an order that was given before
    """The work was stopped because the time allowed for it is over."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far one stage has come.

    Attributes
    ----------
    stage
        What is being done.
    done
        Rows read, or columns looked at; nothing where only the share is known.
    share
        Part of this stage that is done, 0 to 1; ``None`` where the whole is not known.
    """

    stage: Stage
    done: int = 0
    share: float | None = None


class Progress:
    """Reports of the working thread, and the wish of another one that it ends.

    The worker calls :meth:`report`, which raises :class:`Cancelled` after :meth:`cancel`; work
    that can't look at it (a process) is ended by what :meth:`ending` was given.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._step = Step(Stage.WAITING)
        self._cancelled = False
        self._end: Callable[[], None] | None = None
        self._until = float("inf")
        self._allowed = float("inf")
        self._spent = 0.0

    @property
    def step(self) -> Step:
        """The last report."""
        return self._step

    @property
    def cancelled(self) -> bool:
        """Whether the work is to stop."""
        return self._cancelled

    def cancel(self) -> None:
        """Ask the work to stop; a second time changes nothing."""
        with self._lock:
            first, self._cancelled = not self._cancelled, True
            end = self._end
        if first and end is not None:
            end()

    def report(self, stage: Stage, done: int = 0, share: float | None = None) -> None:
        """Say how far the work has come.

        Raises
        ------
        Cancelled
            If the work is to stop.
        TookTooLong
            If the time that was allowed is over.
        """
        self.look()
        self._step = Step(stage, done, share)

    def look(self) -> None:
        """End the work if it is to end, and say nothing.

        Raises
        ------
        Cancelled
            If the work is to stop.
        TookTooLong
            If the time that was allowed is over.
        """
        if self._cancelled:
            raise Cancelled
        if time.monotonic() > self._until:
            raise TookTooLong

    def allow(self, seconds: float) -> None:
        """Give all blocks of :meth:`own_work` together so many seconds."""
        self._allowed = seconds

    @contextmanager
    def own_work(self) -> Iterator[None]:
        """Count the time of this block, which ends at the first report after what is allowed."""
        begin = time.monotonic()
        self._until = begin + self._allowed - self._spent
        try:
            yield
        finally:
            self._spent += time.monotonic() - begin
            self._until = float("inf")

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Name what stops the work of this block; called at once when it is too late already."""
        with self._lock:
            self._end = end
            cancelled = self._cancelled
        try:
            if cancelled:
                end()
            yield
        finally:
            with self._lock:
                self._end = None
