"""Work of one session in a thread of its own, so that its page can show it and stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from sts_core.reading.progress import Cancelled, Progress

_LOOK_SECONDS = 0.5
# A browser that lost its connection for a moment comes back to its session.
GRACE_SECONDS = 5.0


class Job:
    """One piece of long work, begun at once.

    The thread touches neither the page nor the session: whoever looks takes ``outcome`` when
    ``finished``. When the session ends before, so does the work.

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
        except Exception:  # noqa: BLE001  a trace in the log could quote a patient
            self.failed = True
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


def session_is_there() -> Callable[[], bool]:
    """Give a function that says whether this session still has a browser."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    server, session = runtime.get_instance(), context.session_id
    return lambda: server.is_active_session(session)
