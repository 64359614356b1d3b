"""What stands beside a comparison of treatments that were not assigned at random."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import plain
from pages._ui.shell import COHORT_PAGE
from sts_core.analysis.baseline import KIND
from sts_core.cohort import Cohort
from sts_core.derive import treatments_of
from sts_core.display import lower_first


def treatment_note(
    cohort: Cohort, keys: Sequence[str | None], place: str, *, is_model: bool = False
) -> None:
    """Say that a comparison is not randomised, with the baseline table by that treatment.

    Parameters
    ----------
    cohort
        The patients.
    keys
        What is compared, or the variables of a regression; the first treatment among them counts.
    place
        Name of the place, for its button.
    is_model
        Whether it stands beside a regression.
    """
    treatments = {} if cohort.study.randomised else treatments_of(cohort.study)
    key = next((key for key in keys if key in treatments), None)
    if key is None:
        return
    name = plain(lower_first(treatments[key]))
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"treatment-{place}", wrap=False
    ):
        st.markdown(
            f":material/balance: **Not randomised**: a univariable hazard ratio of {name} is "
            "unadjusted, a multivariable one adjusted for the model's variables only."
            if is_model
            else f":material/balance: **Unadjusted, not randomised**: patients with another {name} "
            "may differ in more than that.",
            width="stretch",
        )
        if widgets.pressed(
            f"Baseline table by {name}",
            f"treatment.baseline.{place}",
            icon=":material/table_chart:",
            help="Opens the Cohort page with the characteristics side by side. A study that "
            "assigned treatments at random says so on the Data page, under Variables.",
        ):
            state.set_view(KIND, {**state.view(KIND), "by": key})
            state.drop_widget("baseline.by")
            state.open_tab("cohort", "Baseline characteristics")
            st.switch_page(COHORT_PAGE)
