"""Ready-made criteria: those whose columns this file has, and what the others lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import plain
from sts_core.cohort import Cohort
from sts_core.criteria import describe, remaining, step_of
from sts_core.display import joined
from sts_core.populations import with_criteria
from sts_core.reading.ready_criteria import ReadyCriterion, ready_criteria
from sts_core.study import AllOf, Criterion, IsKnown


def ready_made(cohort: Cohort) -> None:
    """Offer ready-made criteria, each with what it would remove of the patients analysed now."""
    with st.popover("Ready-made criteria", icon=":material/playlist_add_check:"):
        found = cohort.kept(("ready criteria",), lambda: ready_criteria(cohort))
        items = cohort.study.analysis.criteria
        for origin in dict.fromkeys(item.origin for item in found):
            group = [item for item in found if item.origin == origin]
            _group(cohort, origin, group, items)


def _group(
    cohort: Cohort, origin: str, group: Sequence[ReadyCriterion], items: Sequence[Criterion]
) -> None:
    new = [item for item in group if item.criterion and not is_asked(item.criterion, items)]
    with st.container(horizontal=True, vertical_alignment="center"):
        name = "Of the reference study (Li et al. 2024)" if origin != "Usual" else "Usual ones"
        st.markdown(f"**{name}**", width="stretch")
        if len(new) > 1:
            added = tuple(item.criterion for item in new if item.criterion)
            widgets.button(
                f"Add these {len(new)}",
                f"ready.all.{origin}",
                _add,
                (cohort, added),
                icon=":material/playlist_add:",
            )
    for item in group:
        if item.criterion is None:
            st.markdown(f":small[:gray[{plain(item.label)}. Needs {plain(joined(item.lacks))}.]]")
            continue
        _offer(cohort, item, item.criterion, items)


def _offer(
    cohort: Cohort, item: ReadyCriterion, criterion: Criterion, items: Sequence[Criterion]
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        asked = plain(describe(cohort, replace(criterion, label="", excludes=False)))
        if is_asked(criterion, items):
            st.markdown(f"{plain(item.label)}  \n:small[:gray[in the list already]]",
                        width="stretch")  # fmt: skip
            return
        left = remaining(cohort, items)
        step = step_of(cohort, criterion, left)
        text = f"{asked}: would remove {step.n_excluded} of {step.n_before}"
        if step.n_not_verifiable:
            text += f"; {step.n_not_verifiable} not verifiable"
        late = " :orange[Known only after time zero.]" if criterion.after_time_zero else ""
        st.markdown(f"{plain(item.label)}  \n:small[{text}.{late}]", width="stretch")
        widgets.button(
            "Add",
            f"ready.add.{item.key}",
            _add,
            (cohort, (criterion,)),
            icon=":material/add:",
        )


def _add(cohort: Cohort, new: tuple[Criterion, ...]) -> None:
    study = state.workspace().study or cohort.study
    state.change_study(with_criteria(study, (*study.analysis.criteria, *new)))
    state.forget_widgets()


def _question(criterion: Criterion) -> Criterion:
    """Give what a criterion asks, without its words and switches."""
    plain_one = replace(criterion, label="", enabled=True, after_time_zero=False, excludes=False)
    return plain_one if isinstance(plain_one, IsKnown) else replace(plain_one, missing="keep")


def is_asked(criterion: Criterion, items: Sequence[Criterion]) -> bool:
    """Say whether a list asks the same already, be it in several criteria."""
    asked = {repr(_question(item)) for item in items}
    if repr(_question(criterion)) in asked:
        return True
    return isinstance(criterion, AllOf) and all(
        repr(_question(part)) in asked for part in criterion.parts
    )
