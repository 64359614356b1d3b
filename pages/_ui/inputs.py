"""Inputs that pages share: one function each, their value kept when a page is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import streamlit as st

from pages._ui import state, widgets
from pages._ui.compute import compute
from sts_core.analysis.comparison import recodings
from sts_core.analysis.conventions import CONVENTIONS
from sts_core.analysis.curve_reading import DEFAULT_LANDMARKS
from sts_core.analysis.landmark import is_formed_later
from sts_core.analysis.plan import baseline_covariates
from sts_core.cohort import Cohort
from sts_core.derive import endpoints_here, groupings_here, is_categorical, variables_here
from sts_core.display import escape, joined
from sts_core.study import Measured, Status, Study, TimeUnit, Variable, VariableKind
from sts_core.study.types import ConventionName
from sts_core.values import number_of

EVERYONE = ""
ConfType = Literal["log-log", "log", "plain", "logit", "arcsin"]


def plain(text: object) -> str:
    """Make words from a file harmless in a label."""
    return escape(str(text), "markdown")


def choose(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    kept: str | None = None,
    names: Mapping[str, str] | None = None,
    help: str | None = None,
) -> str:
    """Offer one of several options in a list, beginning with the one that was kept."""
    start = kept if kept is not None and kept in options else options[0]
    chosen: str = widgets.selectbox(
        label, options, key, start, labels=names, format_func=_namer(names), help=help
    )
    return chosen


def choose_one(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    kept: str | None = None,
    names: Mapping[str, str] | None = None,
    help: str | None = None,
) -> str:
    """Offer one of a few options side by side."""
    start = kept if kept is not None and kept in options else options[0]
    name = _namer(names)
    chosen: str | None = widgets.segmented_control(
        label,
        options,
        key,
        start,
        format_func=lambda option: plain(name(option)),
        help=help,
        required=True,
    )
    return start if chosen is None else chosen


def typed(
    label: str,
    key: str,
    *,
    kept: str = "",
    placeholder: str | None = None,
    help: str | None = None,
    max_chars: int | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> str:
    """Offer a line of text."""
    return widgets.text_input(
        label, key, kept, placeholder=placeholder, help=help, max_chars=max_chars, width=width
    )


def toggle(label: str, key: str, *, kept: bool = False, help: str | None = None) -> bool:
    """Offer a switch."""
    return widgets.toggle(label, key, kept, help=help)


def toggled_levels(
    label: str, levels: Sequence[str], key: str, *, kept: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Offer the groups of a comparison as pills; the order is the study's, not the clicks'."""
    start = [level for level in levels if kept is None or level in kept]
    chosen = widgets.pills(label, levels, key, start, format_func=plain)
    return tuple(level for level in levels if level in chosen)


def _namer(names: Mapping[str, str] | None) -> Callable[[Any], str]:
    """Name options in a list, which shows text as it is."""
    return str if names is None else lambda option: names.get(option, str(option))


def choose_endpoint(cohort: Cohort, key: str, *, kept: str | None = None) -> str | None:
    """Offer the endpoints that are confirmed and in the files; ``None`` when there is none."""
    ready = {code: endpoint.label for code, endpoint in endpoints_here(cohort).items()}
    if not ready:
        return None
    return choose("Endpoint", list(ready), key, kept=kept, names=ready)


def shown_name(key: str, variable: Variable) -> str:
    """Name a variable; a guessed name that hides the file's own is followed by that one."""
    column = variable.column or key

    def words(text: str) -> str:
        return " ".join(text.casefold().replace("_", " ").split())

    hidden = variable.status is Status.GUESSED and words(column) != words(variable.label)
    return f"{variable.label} ({column})" if hidden else variable.label


def _same_as(cohort: Cohort, names: Mapping[str, str]) -> dict[str, str]:
    """Give each variable with levels that says the same as an earlier one -> that one's key.

    Those with a name of their own stay, before those that are called as their column: the arm in
    words, and not its code.
    """
    definitions = cohort.study.definitions
    keys = [
        key
        for key in names
        if key in definitions.groupings or is_categorical(definitions.variables[key])
    ]
    as_column = {key for key in keys if key not in definitions.groupings
                 and names[key] == (definitions.variables[key].column or key)}  # fmt: skip
    keys.sort(key=as_column.__contains__)
    found: dict[str, str] = compute(recodings, cohort, tuple(keys))
    return found


def _same_text(same: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Name those that are left out beside the one that says the same."""
    return " ".join(
        f"Same grouping as {plain(names[first])}: "
        f"{joined([plain(names[key]) for key, other in same.items() if other == first])}."
        for first in dict.fromkeys(same.values())
    )


def grouping_names(cohort: Cohort) -> dict[str, str]:
    """Give what patients may be grouped by: groupings, and variables known before time zero."""
    named = {key: grouping.label for key, grouping in groupings_here(cohort).items()}
    named |= {
        key: shown_name(key, variable)
        for key, variable in variables_here(cohort).items()
        if is_categorical(variable) and variable.measured is not Measured.POST_BASELINE
    }
    return named


def baseline_grouping_names(cohort: Cohort) -> dict[str, str]:
    """Give what patients may be grouped by from time zero on, merged or as it is."""
    names = grouping_names(cohort)
    return {key: name for key, name in names.items() if not is_formed_later(cohort, key)}


def later_grouping_names(cohort: Cohort) -> dict[str, str]:
    """Give what patients may be grouped by only from a landmark on, merged or as it is."""
    later = {
        key: grouping.label
        for key, grouping in groupings_here(cohort).items()
        if is_formed_later(cohort, key)
    }
    later |= {
        key: shown_name(key, variable)
        for key, variable in variables_here(cohort).items()
        if is_categorical(variable) and variable.measured is Measured.POST_BASELINE
    }
    return later


def choose_grouping(cohort: Cohort, key: str, *, kept: str | None = None) -> str | None:
    """Offer everyone together, or groups."""
    known = baseline_grouping_names(cohort)
    same = _same_as(cohort, known)
    offered = {name: text for name, text in known.items() if name not in same or name == kept}
    names = {EVERYONE: "All patients together", **offered}
    later = later_grouping_names(cohort).values()
    text = "Variables known before time zero, and merged groups."
    if later:
        text += (
            " Not offered, because known only afterwards (groups formed later make survival look "
            f"longer than it is; from a landmark on they can be compared on the Survival page): "
            f"{', '.join(plain(label) for label in later)}."
        )
    if same:
        text += f" {_same_text(same, known)}"
    chosen = choose("Compare by", list(names), key, kept=kept or EVERYONE, names=names, help=text)
    return chosen or None


@dataclass(frozen=True, slots=True)
class SurvivalOptions:
    """How curves are estimated."""

    conf_type: ConfType | None
    quantile_interval: Literal["band", "symmetric"] | None
    mean_horizon: float | None
    landmarks: tuple[float, ...] | None
    time_unit: TimeUnit | None


_CONVENTIONS: dict[ConventionName, str] = {
    "app": "this app's own",
    "R": "R (survival)",
    "SPSS": "SPSS",
}
_CONF_TYPES = {
    "auto": "of the convention",
    "log-log": "log-log",
    "log": "log",
    "plain": "plain (symmetric)",
    "logit": "logit",
    "arcsin": "arcsine",
}


_QUANTILE_INTERVALS = {
    "auto": "of the convention",
    "band": "from the band",
    "symmetric": "symmetric (SPSS)",
}


def survival_options(cohort: Cohort, endpoint: str, kept: Mapping[str, Any]) -> SurvivalOptions:
    """Offer the unit, the convention, the scale of intervals and times."""
    usual = cohort.study.definitions.endpoints[endpoint].display_unit
    with st.popover("Estimates", icon=":material/settings:"):
        units = ["auto", *(unit.value for unit in TimeUnit)]
        shown = choose(
            "Times are shown in", units, "km.unit", kept=kept.get("time_unit") or "auto",
            names={**{unit: unit for unit in units}, "auto": f"{usual.value} (of the endpoint)"},
        )  # fmt: skip
        unit = usual if shown == "auto" else TimeUnit(shown)
        if kept.get("time_unit") != (None if shown == "auto" else shown):
            # times that were kept are in another unit
            kept = {**kept, "landmarks": None, "mean_horizon": None}
        _choose_convention(cohort.study)
        convention, of_study = (
            CONVENTIONS[cohort.study.analysis.convention], cohort.study.analysis.conf_type
        )  # fmt: skip
        whose = "study" if of_study else "convention"
        conf_type = choose(
            "Scale of confidence intervals", list(_CONF_TYPES), "km.conf_type",
            kept=kept.get("conf_type") or "auto",
            names={
                **_CONF_TYPES, "auto": f"of the {whose} ({of_study or convention.conf_type.value})"
            },
            help="The scale on which an interval is symmetric; software differs in its default.",
        )  # fmt: skip
        interval = choose(
            "Intervals of medians and quartiles", list(_QUANTILE_INTERVALS), "km.quantiles",
            kept=kept.get("quantile_interval") or "auto", names=_QUANTILE_INTERVALS,
            help="Read from the band of the curve, or symmetric about the median by the formula "
            "published for SPSS, cut at 0.",
        )  # fmt: skip
        defaults = DEFAULT_LANDMARKS[unit]
        marks = ", ".join(f"{mark:g}" for mark in kept.get("landmarks") or defaults)
        text = typed(
            f"Survival rates at these {unit.value}", f"km.landmarks.{unit.value}", kept=marks,
            help="Numbers with commas between, for instance 3, 6, 12.",
        )  # fmt: skip
        landmarks = parse_landmarks(text)
        if landmarks is None:
            st.error("Write times above 0 as numbers with commas between, for instance 3, 6, 12.")
        mean_horizon = _choose_mean_horizon(unit, kept.get("mean_horizon"))
    return SurvivalOptions(
        None if conf_type == "auto" else cast("ConfType", conf_type),
        None if interval == "auto" else cast('Literal["band", "symmetric"]', interval),
        mean_horizon,
        None if landmarks in (None, defaults) else landmarks,
        None if shown == "auto" else unit,
    )


def _choose_convention(study: Study) -> None:
    """Offer whose rules decide, for the whole study."""
    key = "km.convention"
    widgets.selectbox(
        "Convention of the study", list(_CONVENTIONS), key, study.analysis.convention,
        format_func=lambda name: _CONVENTIONS[name],
        on_change=_set_convention, args=(key,),
        help="Whose rules decide where programs differ: intervals, medians, ties, P of factors, "
        "tests beside the log-rank test, P of 2×2 tables. On every page, by published formulas.",
    )  # fmt: skip


def _set_convention(key: str) -> None:
    study, chosen = state.workspace().study, state.widget_value(key)
    if study is not None and chosen is not None:
        state.change_study(replace(study, analysis=replace(study.analysis, convention=chosen)))


def _choose_mean_horizon(unit: TimeUnit, kept: float | None) -> float | None:
    """Offer the end of the restricted mean; ``None`` for that of the convention."""
    text = typed(
        f"Restricted mean up to, {unit.value}",
        f"km.mean_horizon.{unit.value}",
        kept=f"{kept:g}" if kept else "",
        placeholder="chosen by the convention",
        help="Empty: the smallest of the groups' largest times (R's convention: the largest of "
        "all; SPSS's: each group's own).",
    )
    if not text.strip():
        return None
    number = number_of(text)
    if number is None or not 0 < number < math.inf:
        st.error("Write one time above 0, or leave the field empty.")
        return None
    return float(number)


def parse_landmarks(text: str) -> tuple[float, ...] | None:
    """Read times written with commas between; ``None`` when they can't be read."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    found = [number_of(part) for part in parts]
    if not found or len(found) > 8 or any(number is None or number <= 0 for number in found):
        return None
    return tuple(sorted({float(number) for number in found if number is not None}))


def choose_covariates(
    cohort: Cohort,
    key: str,
    *,
    kept: Sequence[str] | None = None,
    start: Sequence[str] | None = None,
    without: str | None = None,
    label: str = "Variables",
) -> tuple[str, ...]:
    """Offer variables for a regression; the order is the study's, not the clicks'.

    Nothing kept, it begins with ``start``, else with every variable known at baseline.
    """
    names = {
        name: shown_name(name, variable)
        for name, variable in variables_here(cohort).items()
        if variable.measured is not Measured.POST_BASELINE
        and variable.kind is not VariableKind.DATE
    }
    names |= {
        name: grouping.label
        for name, grouping in groupings_here(cohort).items()
        if not is_formed_later(cohort, name)
    }
    names.pop(without or "", None)
    if not names:
        return ()
    same = _same_as(cohort, names)
    usual = kept or (baseline_covariates(cohort) if start is None else start)
    begin = [name for name in usual if name in names]
    offered = [name for name in names if name not in same or name in begin]
    chosen = widgets.multiselect(
        label,
        offered,
        key,
        begin,
        format_func=lambda name: names[name],
        help="Known before time zero. A number enters per unit, levels against their reference."
        + (f" {_same_text(same, names)}" if same else ""),
    )
    return tuple(name for name in names if name in chosen)
