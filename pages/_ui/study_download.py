"""The study file as a download; names of small groups go into it only when a person says so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import streamlit as st

from pages._ui import state
from pages._ui.inputs import plain
from pages._ui.looked_at import looked_at
from sts_core.analysis.looked_at import Comparison, remembering_comparisons
from sts_core.data_cut import remembering
from sts_core.disclosure import MIN_PATIENTS, RareName, rare_names, without_names
from sts_core.study import Study, dump_study

_HELP = (
    "Columns, codes, endpoints, criteria, views and the count of comparisons as a file without any "
    "patient data. "
    "Drop it with the same data, or the next data cut, and everything is as it is now."
)
MAX_SHOWN = 30
_BEGIN_SECONDS, _PATIENCE_SECONDS = 0.6, 20.0


def keep_choices(workspace: state.Workspace) -> None:
    """Offer the choices as a file; ask first where it would name groups of few patients."""
    seen = looked_at(workspace.cohort) if workspace.cohort is not None else ()
    study, rare = _to_be_kept(workspace, seen)
    if study is None or not rare:
        _download("Keep my choices", "keep", seen, ())
        return
    with st.popover("Keep my choices", icon=":material/bookmark:", help=_HELP, key="keep.ask"):
        st.markdown(
            f"The file would name groups of fewer than {MIN_PATIENTS} patients. Such a name can "
            "point to a person. May these stand in the file?"
        )
        st.markdown("\n".join(_lines(rare)))
        with st.container(horizontal=True):
            _download("Yes, save with these names", "keep", seen, rare)
            _download("No, save without them", "keep.without", seen, ())
        losses = "; ".join(map(plain, without_names(study, rare).losses))
        st.caption(f"Without them, to be chosen again: {losses}.")


def _to_be_kept(
    workspace: state.Workspace, seen: Sequence[Comparison]
) -> tuple[Study | None, tuple[RareName, ...]]:
    """Give the choices as a file holds them, and the names in it that have to be asked about."""
    study, cohort = workspace.study, workspace.cohort
    if study is None or cohort is None:
        return study, ()
    study = remembering_comparisons(remembering(cohort), cohort, seen)
    return study, rare_names(cohort, study)


def kept_text(
    latest: state.Latest, seen: Sequence[Comparison], agreed: Sequence[RareName], seconds: float
) -> str:
    """Give the study file as of the end of whatever was begun before the click.

    A text that is typed is sent by the click that leaves its field, which may be this one; a name
    of few patients that came with it was not agreed to, and is left out.

    Parameters
    ----------
    latest
        What the user has.
    seen
        Comparisons that were looked at.
    agreed
        Names of few patients that may stand in the file.
    seconds
        How long a run takes to begin.
    """
    time.sleep(seconds)
    latest.at_rest.wait(_PATIENCE_SECONDS)
    study, rare = _to_be_kept(latest.workspace, seen)
    if study is None:
        return ""
    names = {(item.variable, item.name) for item in agreed}
    return dump_study(
        without_names(
            study, (item for item in rare if (item.variable, item.name) not in names)
        ).study
    )


def _lines(rare: tuple[RareName, ...]) -> list[str]:
    by_variable: dict[str, list[str]] = {}
    for item in rare[:MAX_SHOWN]:
        by_variable.setdefault(item.label, []).append(f"{plain(item.name)} ({item.n})")
    lines = [f"- {plain(label)}: {', '.join(names)}" for label, names in by_variable.items()]
    more = len(rare) - MAX_SHOWN
    return [*lines, f"- and {more} more"] if more > 0 else lines


def _download(label: str, key: str, seen: Sequence[Comparison], agreed: Sequence[RareName]) -> None:
    st.download_button(
        label, partial(kept_text, state.latest(), seen, agreed, _BEGIN_SECONDS), "study.yaml",
        "application/yaml", icon=":material/bookmark:", on_click="ignore", key=key, help=_HELP,
    )  # fmt: skip
