"""The rules of an endpoint from dates, each option with what it would change."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import plain, toggle
from sts_core.analysis.endpoint_rules import RuleChoice, RuleOption, rule_choices
from sts_core.cohort import Cohort
from sts_core.display import counted, format_estimate
from sts_core.study import Study, TimeUnit


def rules(cohort: Cohort, code: str) -> None:
    """Offer the rules of one endpoint; nothing is computed before they are opened."""
    opened = toggle(
        "Rules, and what each would change", f"rules.open.{code}",
        kept=state.remembered(f"rules.open.{code}", False),
    )  # fmt: skip
    state.remember(f"rules.open.{code}", opened)
    if not opened:
        return
    choices = rule_choices(cohort, code)
    unit = cohort.study.definitions.endpoints[code].display_unit
    st.caption(
        "Each line shows this endpoint under one option, all other rules as they are: patients, "
        "events and the median with its 95% confidence interval."
    )
    for number, choice in enumerate(choices):
        _choice(code, number, choice, unit)


def _choice(code: str, number: int, choice: RuleChoice, unit: TimeUnit) -> None:
    current = next((at for at, option in enumerate(choice.options) if option.current), None)
    key = f"rules.{code}.{number}"
    widgets.radio(
        choice.name,
        range(len(choice.options)),
        key,
        current,
        format_func=lambda at: plain(choice.options[at].label),
        captions=[_caption(option, unit) for option in choice.options],
        on_change=partial(_apply, key, choice),
        help=choice.help,
    )


def _caption(option: RuleOption, unit: TimeUnit) -> str:
    if option.problem:
        return f"can't be computed: {plain(option.problem)}"
    events = f"{counted(option.n_event, 'event')}{f' ({option.events})' if option.events else ''}"
    median = "NE" if option.median is None else format_estimate(option.median)
    changed = "" if option.current else f"; {counted(option.n_changed, 'patient')} changed"
    text = f"{counted(option.n, 'patient')}, {events}, median {median} {unit.value}{changed}"
    return plain(text)


def _apply(key: str, choice: RuleChoice) -> None:
    at = state.widget_value(key)
    if at is None or choice.options[at].current:
        return
    study: Study = choice.options[at].study
    state.change_study(study)
    state.forget_widgets()
