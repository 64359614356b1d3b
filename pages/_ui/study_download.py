"""The study file as a download; names of small groups go into it only when a person says so."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages._ui import intake, state
from pages._ui.inputs import plain
from pages._ui.looked_at import looked_at
from sts_core.analysis.looked_at import remembering_comparisons
from sts_core.data_cut import remembering
from sts_core.disclosure import MIN_PATIENTS, RareName, rare_names, without_names
from sts_core.study import Study

_HELP = (
    "Columns, codes, endpoints, criteria, views and the count of comparisons as a file without any "
    "patient data. "
    "Drop it with the same data, or the next data cut, and everything is as it is now."
)
MAX_SHOWN = 30


def keep_choices(workspace: state.Workspace) -> None:
    """Offer the choices as a file; ask first where it would name groups of few patients."""
    study = workspace.study
    if workspace.cohort is not None:
        seen = looked_at(workspace.cohort)
        study = remembering_comparisons(remembering(workspace.cohort), workspace.cohort, seen)
    rare = rare_names(workspace.cohort) if workspace.cohort is not None else ()
    if study is None or not rare:
        _download("Keep my choices", study, "keep")
        return
    with st.popover("Keep my choices", icon=":material/bookmark:", help=_HELP, key="keep.ask"):
        st.markdown(
            f"The file would name groups of fewer than {MIN_PATIENTS} patients. Such a name can "
            "point to a person. May these stand in the file?"
        )
        st.markdown("\n".join(_lines(rare)))
        withheld = without_names(study, rare)
        with st.container(horizontal=True):
            _download("Yes, save with these names", study, "keep")
            _download("No, save without them", withheld.study, "keep.without")
        losses = "; ".join(map(plain, withheld.losses))
        st.caption(f"Without them, to be chosen again: {losses}.")


def _lines(rare: tuple[RareName, ...]) -> list[str]:
    by_variable: dict[str, list[str]] = {}
    for item in rare[:MAX_SHOWN]:
        by_variable.setdefault(item.label, []).append(f"{plain(item.name)} ({item.n})")
    lines = [f"- {plain(label)}: {', '.join(names)}" for label, names in by_variable.items()]
    more = len(rare) - MAX_SHOWN
    return [*lines, f"- and {more} more"] if more > 0 else lines


def _download(label: str, study: Study | None, key: str) -> None:
    st.download_button(
        label, partial(intake.study_text, study), "study.yaml", "application/yaml",
        icon=":material/bookmark:", on_click="ignore", key=key, help=_HELP,
    )  # fmt: skip
