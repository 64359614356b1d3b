"""Long work off the click: a button that begins it, its progress, and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages._ui import state
from pages._ui.inputs import plain
from pages._ui.job import Job, session_is_there
from sts_core.reading.progress import Progress, Stage

LOOK_SECONDS = 0.3
# Up to here a result is waited for, so that nothing flickers.
WAIT_SECONDS = 0.5


def long_work(
    key: str,
    identity: object,
    work: Callable[[Callable[[float], None]], Any],
    *,
    label: str,
    title: str,
    help: str | None = None,
) -> Any | None:
    """Give what long work found, or offer to begin it; ``None`` until it has ended.

    Parameters
    ----------
    key
        Name of the work in the session; one at a time.
    identity
        What it is about, compared by equality: other data or choices are other work.
    work
        Does it, telling the share that is done; it touches neither the page nor the session.
    label, help
        Of the button that begins it.
    title
        What is being done, beside the bar.
    """
    job = state.work(key, identity)
    if job is not None and job.finished:
        if job.outcome is not None:
            return job.outcome
        if job.failed:
            st.error(
                "This is an error of the app itself; its log says where it happened, without any "
                "patient data.",
                icon=":material/error:",
            )
    elif job is not None:
        with st.container(border=True):
            _progress(key, identity, title)
        return None

    def begin() -> None:
        def report(progress: Progress) -> Any:
            return work(lambda share: progress.report(Stage.COMPUTING, 0, share))

        started = Job(report, session_is_there(), title)
        state.set_work(key, identity, started)
        started.wait(WAIT_SECONDS)

    st.button(label, icon=":material/calculate:", key=f"{key}.begin", on_click=begin, help=help)
    return None


@st.fragment(run_every=LOOK_SECONDS)
def _progress(key: str, identity: object, title: str) -> None:
    job = state.work(key, identity)
    if job is None or job.finished:  # done, or stopped: the whole page follows
        st.rerun()
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(job.progress.step.share or 0.0, text=plain(title))
    right.button(
        "Stop", icon=":material/close:", key=f"{key}.stop", width="stretch",
        on_click=state.set_work, args=(key, identity, None),
    )  # fmt: skip
