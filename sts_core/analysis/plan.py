"""What is computed when nobody clicks: what the study file asks for, or the usual analyses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sts_core.analysis.adverse_events import AdverseEventSpec
from sts_core.analysis.baseline import BaselineSpec
from sts_core.analysis.comparison import recodings
from sts_core.analysis.cox import CoxSpec
from sts_core.analysis.curve_options import about_of, drawing_of
from sts_core.analysis.kaplan_meier import KIND as KAPLAN_MEIER
from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.landmark import is_formed_later
from sts_core.analysis.registry import ANALYSES, Analysis, spec_from
from sts_core.analysis.response import ResponseSpec
from sts_core.cohort import Cohort
from sts_core.derive import (
    endpoints_here,
    groupings_here,
    is_categorical,
    levels_of,
    origin_of,
    variables_here,
)
from sts_core.display import DisplayTable, lower_first
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.populations import EFFICACY, TREATED, differs, has_late_criteria, populations_of
from sts_core.study.types import Endpoint, Measured, Study, VariableKind

MAX_GROUPS = 30


@dataclass(frozen=True, slots=True)
class Done:
    """An analysis, what was asked of it, and what it found."""

    analysis: Analysis
    spec: Any
    result: Any

    @property
    def tables(self) -> tuple[DisplayTable, ...]:
        """Its tables, titled with the population that was asked for."""
        return tuple(
            replace(table, title=self.titled(table.title))
            for table in self.analysis.tables(self.result)
        )

    def titled(self, title: str) -> str:
        """Give a title with the population that was asked for, where populations differ."""
        label = self.result.provenance.population_label
        if getattr(self.spec, "population", None) is None or not label:
            return title
        return f"{title} ({lower_first(label)})"


def unconfirmed(study: Study) -> tuple[Finding, ...]:
    """Name every endpoint whose event coding or unit nobody has confirmed."""
    return tuple(
        Finding(
            FindingCode.STUDY_UNCONFIRMED,
            Severity.ERROR,
            f"{_open_question(endpoint)} of “{endpoint.label}” ({code}) is not confirmed.",
            "Confirm it on the Data page, or set events_status and unit_status to confirmed in the "
            "study file after checking them.",
            column=endpoint.event or endpoint.time,
        )
        for code, endpoint in study.definitions.endpoints.items()
        if not endpoint.is_confirmed
    )


def _open_question(endpoint: Endpoint) -> str:
    """Say what nobody has looked at; dates have no unit, and without a status no coding."""
    if not endpoint.from_dates:
        return "The event coding or the unit"
    return "The choice of dates" if endpoint.event is None else "The event coding"


def specs_of(cohort: Cohort) -> tuple[Any, ...]:
    """Give the specs that the study file lists, else the usual set for its endpoints.

    Where criteria are in force that are known only after time zero, response and survival of all
    treated patients stand beside those of the efficacy population.

    Raises
    ------
    StudyError
        When a listed spec is wrong.
    """
    analysis = cohort.study.analysis
    if analysis.specs:
        return tuple(
            spec_from(document, where=f"analysis.specs.{number}")
            for number, document in enumerate(analysis.specs)
        )
    definitions = cohort.study.definitions
    groupings = baseline_groupings(cohort)
    covariates = baseline_covariates(cohort)
    level = analysis.conf_level
    late = has_late_criteria(cohort.study)
    specs: list[Any] = [BaselineSpec(variables=covariates)] if covariates else []
    if definitions.response is not None:
        specs += [ResponseSpec(by=by, conf_level=level) for by in (None, *groupings)]
        if late:
            specs.append(ResponseSpec(conf_level=level, population=TREATED))
    for code in definitions.endpoints:
        specs += [
            KaplanMeierSpec(endpoint=code, by=by, conf_level=level, conf_type=analysis.conf_type)
            for by in (None, *groupings)
        ]
        if late:
            specs.append(
                KaplanMeierSpec(
                    endpoint=code, conf_level=level, conf_type=analysis.conf_type,
                    population=TREATED,
                )
            )  # fmt: skip
        if covariates:
            specs.append(
                CoxSpec(
                    endpoint=code, covariates=covariates, selection="screening", conf_level=level
                )
            )
    if definitions.adverse_events and definitions.adverse_events.table in cohort.tables:
        related = (True, False) if definitions.adverse_events.related else (False,)
        specs += [AdverseEventSpec(related_only=only) for only in related]
    return _of_efficacy(cohort.study, specs)


def _of_efficacy(study: Study, specs: Sequence[Any]) -> tuple[Any, ...]:
    """Let analyses be of the efficacy population where a study defines it otherwise.

    Adverse events are of the safety population.
    """
    if not differs(study, EFFICACY):
        return tuple(specs)
    return tuple(
        spec
        if isinstance(spec, AdverseEventSpec) or spec.population is not None
        else replace(spec, population=EFFICACY)
        for spec in specs
    )


def usual_report(cohort: Cohort) -> tuple[Any, ...]:
    """Give what a cohort paper usually shows, from baseline characteristics to adverse events.

    Survival and response are also shown by the first baseline grouping; only endpoints that a
    person has confirmed are taken. Curves are estimated and drawn as the Survival page was set.
    """
    definitions = cohort.study.definitions
    groupings = baseline_groupings(cohort)
    by = "histotype" if "histotype" in groupings else next(iter(groupings), None)
    both = (None, by) if by else (None,)
    level = cohort.study.analysis.conf_level
    specs: list[Any] = []
    described = _shown_baseline(cohort)
    if described is not None:
        specs.append(described)
    if definitions.response is not None:
        specs += [ResponseSpec(by=group, conf_level=level) for group in both]
    shown = cohort.study.analysis.views.get("cox", {}).get("covariates") or ()
    known = {*variables_here(cohort), *groupings_here(cohort)}
    covariates = tuple(key for key in shown if key in known) or baseline_covariates(cohort)
    for code in endpoints_here(cohort):
        specs += [_shown_curves(cohort, code, group) for group in both]
        if covariates:
            specs.append(CoxSpec(endpoint=code, covariates=covariates, selection="screening"))
    if definitions.adverse_events and definitions.adverse_events.table in cohort.tables:
        specs.append(AdverseEventSpec())
    return _of_efficacy(cohort.study, specs)


def _shown_curves(cohort: Cohort, code: str, by: str | None) -> KaplanMeierSpec:
    """Give curves with the estimates and the drawing that were chosen on their page.

    Times that were chosen (rates, horizons, ticks) are in the page's unit: they are taken for
    endpoints that are shown in the same one.
    """
    study = cohort.study
    usual = KaplanMeierSpec(
        endpoint=code, by=by, conf_level=study.analysis.conf_level,
        conf_type=study.analysis.conf_type,
    )  # fmt: skip
    kept = study.analysis.views.get(KAPLAN_MEIER) or {}
    figure = kept.get("figure")
    figure = figure if isinstance(figure, Mapping) else {}
    endpoints = study.definitions.endpoints
    shown = endpoints.get(kept.get("endpoint") or "")
    unit = kept.get("time_unit")
    chosen: dict[str, Any] = {
        "drawing": drawing_of(figure, about_of(code, by)),
        **{
            name: kept[name]
            for name in ("conf_type", "quantile_interval", "time_unit")
            if kept.get(name) is not None
        },
    }
    if unit is not None or (
        shown is not None and shown.display_unit is endpoints[code].display_unit
    ):
        times = {
            "landmarks": kept.get("landmarks"),
            "mean_horizon": kept.get("mean_horizon"),
            "tick_step": figure.get("tick_step"),
            "horizon": figure.get("horizon"),
        }
        chosen |= {name: value for name, value in times.items() if value is not None}
    try:
        return replace(usual, **chosen)
    except ValueError:  # a view of another version decides nothing
        return usual


def _shown_baseline(cohort: Cohort) -> BaselineSpec | None:
    """Give the baseline table as its page shows it, or of all baseline variables."""
    kept = cohort.study.analysis.views.get("baseline")
    if kept:
        try:
            shown = spec_from({**kept, "kind": "baseline"}, where="analysis.views.baseline")
            assert isinstance(shown, BaselineSpec)
            names = {*shown.variables, *(key for block in shown.blocks for key in block.variables)}
            known = {*variables_here(cohort), *groupings_here(cohort)}
            populations = {None, *populations_of(cohort.study)}
            if (
                names
                and names <= known
                and shown.by in {None, *known}
                and (shown.population in populations)
            ):
                return shown
        except StudyError:
            pass  # a view of another version decides nothing
    covariates = baseline_covariates(cohort)
    return BaselineSpec(variables=covariates) if covariates else None


def baseline_covariates(cohort: Cohort) -> tuple[str, ...]:
    """Give every variable known at baseline that a regression can take, one for each column.

    Of several variables on one column (age, and age in groups) the first with levels is taken, and
    of several that say the same in other words (ARM, ARMCD) the first.
    """
    variables = variables_here(cohort)
    usable = {
        key: variable
        for key, variable in variables.items()
        if variable.measured is Measured.BASELINE
        and (
            2 <= len(levels_of(cohort, key).levels) <= MAX_GROUPS
            if is_categorical(variable)
            else variable.kind is VariableKind.NUMERIC
        )
    }
    chosen: dict[str, str] = {}
    for wanted in (True, False):
        for key, variable in usable.items():
            if is_categorical(variable) is wanted:
                chosen.setdefault(origin_of(cohort, key), key)
    taken = [key for key in variables if key in chosen.values()]
    again = recodings(cohort, [key for key in taken if is_categorical(variables[key])])
    return tuple(key for key in taken if key not in again)


def baseline_groupings(cohort: Cohort) -> tuple[str, ...]:
    """Give merged comparisons and variables with levels, of what is known at baseline.

    Of several that say the same in other words (ARM, ARMCD) the first is given.
    """
    variables = [
        key
        for key, variable in variables_here(cohort).items()
        if is_categorical(variable) and variable.measured is Measured.BASELINE
    ]
    usable = [
        key
        for key in (
            *variables,
            *(key for key in groupings_here(cohort) if not is_formed_later(cohort, key)),
        )
        if 2 <= len(levels_of(cohort, key).levels) <= MAX_GROUPS
    ]
    again = recodings(cohort, usable)
    return tuple(key for key in usable if key not in again)


def run_plan(cohort: Cohort) -> tuple[Done, ...]:
    """Compute everything that the study asks for.

    Raises
    ------
    StudyError
        When an endpoint is not confirmed, a spec is wrong, or a column isn't there.
    """
    waiting = unconfirmed(cohort.study)
    if waiting:
        raise StudyError(waiting)
    out = []
    for spec in specs_of(cohort):
        analysis = ANALYSES[spec.kind]
        endpoint = getattr(spec, "endpoint", None)
        if endpoint is not None and endpoint not in cohort.study.definitions.endpoints:
            raise StudyError(
                Finding(
                    FindingCode.STUDY_FILE_INVALID,
                    Severity.ERROR,
                    f"analysis.specs: there is no endpoint “{endpoint}”.",
                    "Define it under definitions.endpoints, or correct the spec.",
                )
            )
        out.append(Done(analysis, spec, analysis.compute(cohort, spec)))
    return tuple(out)
