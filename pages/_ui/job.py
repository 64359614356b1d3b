"""Work of one session in a thread of its own, so that its page can show it and stop it."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from sts_core.reading.progress import Cancelled, Progress

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
# A browser that lost its connection for a moment comes back to its session.
GRACE_SECONDS = 5.0
_MAX_FRAMES = 30


class Job:
    """One piece of long work, begun at once.

    The thread touches neither the page nor the session: whoever looks takes ``outcome`` when
    ``finished``. When the session ends before, so does the work. After an error that nobody
    expected ``failed`` is true; the log then has its type and place, never its message, which
    could quote a patient.

    Parameters
    ----------
    work
        Gives the outcome; it looks at its progress often, and ends when that says so.
    is_wanted
        Whether somebody still waits for it.
    title
        What is being done, for the page.
    """

    def __init__(
        self, work: Callable[[Progress], Any], is_wanted: Callable[[], bool], title: str
    ) -> None:
        self.title = title
        self.progress = Progress()
        self.outcome: Any = None
        self.failed = False
        self._work: Callable[[Progress], Any] | None = work
        self._is_wanted = is_wanted
        self._done = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def finished(self) -> bool:
        """Whether the work has ended, in whatever way."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; say whether it came."""
        return self._done.wait(seconds)

    def cancel(self) -> None:
        """Stop the work; what it would have given is lost."""
        self.progress.cancel()

    def _run(self) -> None:
        work, self._work = self._work, None  # it holds the files
        assert work is not None
        try:
            self.outcome = work(self.progress)
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001  whatever it is, the page must go on
            self.failed = True
            _LOG.error("Work beside a page failed: %s", _type_and_place(error))
        finally:
            del work
            self._done.set()

    def _watch(self) -> None:
        last_wanted = time.monotonic()
        while not self._done.wait(_LOOK_SECONDS):
            if self._is_wanted():
                last_wanted = time.monotonic()
            elif time.monotonic() - last_wanted > GRACE_SECONDS:
                self.cancel()
                return


def _type_and_place(error: BaseException) -> str:
    """Give type and frames of an error, and of those behind it: no message and no value."""
    parts: list[str] = []
    found: BaseException | None = error
    while found is not None:
        frames = traceback.extract_tb(found.__traceback__, limit=-_MAX_FRAMES)
        places = ", ".join(f"{frame.filename}:{frame.lineno}" for frame in frames)
        parts.append(f"{type(found).__qualname__} at {places}")
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return "; after ".join(parts)


def session_is_there() -> Callable[[], bool]:
    """Give a function that says whether this session still has a browser."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    server, session = runtime.get_instance(), context.session_id
    return lambda: server.is_active_session(session)
