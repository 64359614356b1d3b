"""The baseline table on the page of the cohort: variables, groups, blocks and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from pages._ui import state, widgets
from pages._ui.basket import add_to_report
from pages._ui.compute import compute
from pages._ui.inputs import (
    choose,
    choose_covariates,
    choose_grouping,
    plain,
    shown_name,
    toggle,
)
from pages._ui.population_parts import choose_population
from pages._ui.show import export_menu, in_words, show_findings, show_table
from sts_core.analysis.baseline import (
    KIND,
    BaselineBlock,
    BaselineSpec,
    baseline,
    baseline_table,
    methods_sentence,
    result_sentences,
)
from sts_core.analysis.registry import spec_from
from sts_core.cohort import Cohort
from sts_core.derive import is_categorical, levels_of, variables_here
from sts_core.findings import StudyError
from sts_core.study import Measured

_NUMBERS = {
    "by_rule": "mean or median, by rule",
    "median": "median (range)",
    "mean": "mean (SD)",
}
_DECIMALS = {"None": "decimals by number of patients", "0": "no decimal", "1": "one decimal"}
_YES = ("yes", "present", "positive", "true", "1", "有", "是", "阳性")


def baseline_characteristics(cohort: Cohort) -> None:
    """Show the characteristics of the patients analysed, with the choices that make the table."""
    kept = state.view(KIND)
    variables = choose_covariates(cohort, "baseline.variables", kept=kept.get("variables"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        population = choose_population(cohort, "baseline", kept=kept.get("population"))
        by = choose_grouping(cohort, "baseline.by", kept=kept.get("by"))
        numbers: Any = choose(
            "Numbers are shown as", list(_NUMBERS), "baseline.numbers",
            kept=kept.get("numbers"), names=_NUMBERS,
            help="By rule: the mean where Shapiro-Wilk's test gives no P below 0.05 in any group, "
            "else the median.",
        )  # fmt: skip
        decimals = choose(
            "Percentages have", list(_DECIMALS), "baseline.decimals",
            kept=str(kept.get("percent_decimals")), names=_DECIMALS,
            help="By number: no decimal of fewer than 100 patients, where one patient is more than "
            "1%, else one.",
        )  # fmt: skip
    differences, tests = bool(kept.get("differences", True)), bool(kept.get("tests"))
    with st.container(horizontal=True, vertical_alignment="center"):
        blocks = _blocks(cohort, _kept_blocks(kept))
        if by is not None:
            differences = toggle(
                "Standardised differences", "baseline.differences", kept=differences,
                help="How far groups lie apart, whatever their size.",
            )  # fmt: skip
            tests = toggle(
                "P values", "baseline.tests", kept=tests,
                help="Which test made each P stands under the table. In a cohort that was not "
                "randomised, P says little about balance.",
            )  # fmt: skip
    if not variables and not blocks:
        st.info("Choose at least one variable.", icon=":material/info:")
        return
    spec = BaselineSpec(
        variables=variables,
        by=by,
        numbers=numbers,
        blocks=blocks,
        differences=differences,
        tests=tests,
        percent_decimals=None if decimals == "None" else int(decimals),
        population=population,
    )
    state.set_view(KIND, {name: value for name, value in _view(spec).items() if name != "kind"})
    try:
        result = compute(baseline, cohort, spec)
    except StudyError as error:
        show_findings(error.findings, title="Why there is no baseline table")
        return
    with st.container(horizontal=True):
        export_menu(
            "baseline",
            tables=lambda: [baseline_table(result)],
            notes=[methods_sentence(result), *result_sentences(result), *result.footnotes],
            key="baseline",
        )
        add_to_report(spec)
    show_table(baseline_table(result))
    in_words(methods_sentence(result), result_sentences(result))


def _view(spec: BaselineSpec) -> dict[str, Any]:
    view: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(spec).items()
    }
    view["blocks"] = [
        {**block, "variables": list(block["variables"])} for block in asdict(spec)["blocks"]
    ]
    return view


def _kept_blocks(kept: dict[str, Any]) -> tuple[BaselineBlock, ...]:
    try:
        spec = spec_from({"kind": KIND, "blocks": kept.get("blocks", [])})
    except StudyError:
        return ()  # of another version of the study file
    blocks: tuple[BaselineBlock, ...] = spec.blocks
    return blocks


def _blocks(cohort: Cohort, kept: Sequence[BaselineBlock]) -> tuple[BaselineBlock, ...]:
    """Offer to put yes-or-no variables into one block of rows."""
    variables = variables_here(cohort)
    yes_of = {}
    for key, variable in variables.items():
        if is_categorical(variable) and variable.measured is not Measured.POST_BASELINE:
            levels = levels_of(cohort, key).levels
            yes = next((level for level in levels if level.casefold() in _YES), None)
            if yes is not None and len(levels) <= 2:
                yes_of[key] = yes
    blocks = [block for block in kept if set(block.variables) <= set(variables)]
    taken = {key for block in blocks for key in block.variables}
    free = [key for key in yes_of if key not in taken]
    if not yes_of and not blocks:
        return ()
    with st.popover("Rows of one block", icon=":material/table_rows:"):
        for number, block in enumerate(blocks):
            with st.container(horizontal=True, vertical_alignment="center"):
                names = ", ".join(variables[key].label for key in block.variables)
                st.markdown(f"**{plain(block.label)}**: {plain(names)}", width="stretch")
                if widgets.pressed("Remove", f"baseline.block.{number}.remove", about=block):
                    _keep(blocks[:number] + blocks[number + 1 :])
                    st.rerun()
        st.caption("Yes-or-no variables as rows under one heading: sites of metastasis, say.")
        with st.form("baseline.block.form", border=False):
            chosen = widgets.multiselect(
                "Variables", free, "baseline.block.variables", [],
                format_func=lambda key: shown_name(key, variables[key]),
            )  # fmt: skip
            label = widgets.text_input(
                "Heading", "baseline.block.label", placeholder="for instance: Metastasis"
            )
            if widgets.submitted("Add the block", "baseline.block.add", type="primary"):
                problem = _problem(chosen, label, yes_of)
                if problem:
                    st.error(problem)
                else:
                    state.drop_widget("baseline.block.variables")
                    state.drop_widget("baseline.block.label")
                    yes = yes_of[chosen[0]]
                    _keep([*blocks, BaselineBlock(label.strip(), tuple(chosen), yes)])
                    st.rerun()
    return tuple(blocks)


def _problem(chosen: Sequence[str], label: str, yes_of: dict[str, str]) -> str:
    """Say why there can be no such block; empty when there can."""
    if not chosen:
        return "Choose at least one variable."
    if not label.strip():
        return "Give the block a heading."
    if len({yes_of[key] for key in chosen}) > 1:
        return "The variables say yes in different words: give them the same on the Data page."
    return ""


def _keep(blocks: Sequence[BaselineBlock]) -> None:
    view = state.view(KIND)
    plain_blocks = [
        {"label": block.label, "variables": list(block.variables), "yes": block.yes}
        for block in blocks
    ]
    state.set_view(KIND, {**view, "blocks": plain_blocks})
