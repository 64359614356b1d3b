"""What is computed when nobody clicks: what the study file asks for, or the usual analyses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sts_core.analysis.kaplan_meier import KaplanMeierSpec
from sts_core.analysis.registry import ANALYSES, Analysis, spec_from
from sts_core.cohort import Cohort
from sts_core.derive import is_categorical, levels_of
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.study.types import Measured, Study

MAX_GROUPS = 30


@dataclass(frozen=True, slots=True)
class Done:
    """An analysis, what was asked of it, and what it found."""

    analysis: Analysis
    spec: Any
    result: Any


def unconfirmed(study: Study) -> tuple[Finding, ...]:
    """Name every endpoint whose event coding or unit nobody has confirmed."""
    return tuple(
        Finding(
            FindingCode.STUDY_UNCONFIRMED,
            Severity.ERROR,
            f"The event coding or the unit of “{endpoint.label}” ({code}) is not confirmed.",
            "Confirm it on the Data page, or set events_status and unit_status to confirmed in the "
            "study file after checking them.",
            column=endpoint.event or endpoint.time,
        )
        for code, endpoint in study.definitions.endpoints.items()
        if not endpoint.is_confirmed
    )


def specs_of(cohort: Cohort) -> tuple[Any, ...]:
    """Give the specs that the study file lists, else the usual set for its endpoints.

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
    return tuple(
        KaplanMeierSpec(
            endpoint=code, by=by, conf_level=analysis.conf_level, conf_type=analysis.conf_type
        )
        for code in cohort.study.definitions.endpoints
        for by in (None, *baseline_groupings(cohort))
    )


def baseline_groupings(cohort: Cohort) -> tuple[str, ...]:
    """Give the merged comparisons and every variable with levels that is known at baseline."""
    definitions = cohort.study.definitions
    variables = [
        key
        for key, variable in definitions.variables.items()
        if is_categorical(variable) and variable.measured is Measured.BASELINE
    ]
    return tuple(
        key
        for key in (*variables, *definitions.groupings)
        if 2 <= len(levels_of(cohort, key).levels) <= MAX_GROUPS
    )


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
