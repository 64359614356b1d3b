"""Results by cohort and spec, kept for this session only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages._ui.looked_at import note_comparisons
from sts_core.cohort import Cohort


class _Asked:
    """A spec within a key: there it is what it prints, its type and every choice.

    Taken apart field by field it would cost a tenth of a click.
    """

    __slots__ = ("spec",)

    def __init__(self, spec: Any) -> None:
        self.spec = spec


def _function_name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@st.cache_data(
    scope="session",
    max_entries=128,
    ttl=3600,
    show_spinner=False,
    hash_funcs={
        "sts_core.cohort.Cohort": lambda cohort: cohort.fingerprint,
        "builtins.function": _function_name,
        _Asked: lambda asked: repr(asked.spec),
    },
)
def _computed(analysis: Callable[[Cohort, Any], Any], cohort: Cohort, asked: _Asked) -> Any:
    return analysis(cohort, asked.spec)


def compute(analysis: Callable[[Cohort, Any], Any], cohort: Cohort, spec: Any) -> Any:
    """Run an analysis, or give the result of the same cohort and spec, and count what it compares.

    The key is the cohort's fingerprint, never its tables: those are hashed by a sample when large.
    Equal specs print the same, and others print otherwise: they hold words, numbers and truth
    values only.
    """
    result = _computed(analysis, cohort, _Asked(spec))
    note_comparisons(analysis, cohort, spec, result)
    return result
