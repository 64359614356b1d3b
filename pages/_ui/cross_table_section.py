"""The cross-table of two variables on the page of the cohort."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages._ui import state
from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.inputs import choose, choose_one, grouping_names, toggle
from pages._ui.population_parts import choose_population
from pages._ui.show import export_menu, in_words, show_table
from sts_core.analysis.cross_table import (
    KIND,
    CrossTableSpec,
    cross_table,
    cross_table_display,
    methods_sentence,
    result_sentences,
)
from sts_core.cohort import Cohort

_SHARES = {"all": "all patients", "row": "the row", "column": "the column"}


def cross_tables(cohort: Cohort) -> None:
    """Show how two variables go together, with the choice of both."""
    names = grouping_names(cohort)
    if len(names) < 2:
        return
    kept = state.view(KIND)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        population = choose_population(cohort, "cross", kept=kept.get("population"))
        rows = choose("Rows", list(names), "cross.rows", kept=kept.get("rows"), names=names)
        others = [key for key in names if key != rows]
        columns = choose("Columns", others, "cross.columns", kept=kept.get("columns"), names=names)
        share: Any = choose_one(
            "Percentages of", list(_SHARES), "cross.share", kept=kept.get("share"), names=_SHARES
        )
        tests = toggle("P value", "cross.tests", kept=bool(kept.get("tests")))
    spec = CrossTableSpec(
        rows=rows, columns=columns, share=share, tests=tests, population=population
    )
    state.set_view(
        KIND,
        {
            "rows": rows,
            "columns": columns,
            "share": share,
            "tests": tests,
            "population": population,
        },
    )
    result = compute(cross_table, cohort, spec)
    with st.container(horizontal=True):
        export_menu(
            "cross-table",
            tables=lambda: [cross_table_display(result)],
            notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
            key="cross",
        )
        add_to_report(spec)
    show_table(cross_table_display(result))
    in_words(methods_sentence(result), result_sentences(result))
