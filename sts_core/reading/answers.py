"""Questions of recognition that a study has answered since, and what agreeing with one gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sts_core.findings import Finding, FindingCode
from sts_core.study.types import ColumnFormat, Status, Study, Variable


def unanswered(findings: Iterable[Finding], study: Study) -> tuple[Finding, ...]:
    """Give the findings of recognition that still ask something, or that ask nothing.

    Parameters
    ----------
    findings
        As recognition gave them, before anybody said anything.
    study
        What has been said since.
    """
    return tuple(finding for finding in findings if not _is_answered(finding, study))


def _is_answered(finding: Finding, study: Study) -> bool:
    match finding.code:
        case FindingCode.ENDPOINT_NOT_FOUND:
            endpoints = study.definitions.endpoints.values()
            if finding.count:  # so many pairs of columns were proposed, which asks something
                return not endpoints or any(item.is_confirmed for item in endpoints)
            return bool(endpoints)
        case FindingCode.NUMBER_AMBIGUOUS | FindingCode.DATE_AMBIGUOUS:
            return _format(study, finding).status is Status.CONFIRMED
        case FindingCode.CODE_SUSPECTED:
            found = _variable(study, finding)
            if found is not None:
                return found[1].status is Status.CONFIRMED
            times = [
                endpoint
                for endpoint in study.definitions.endpoints.values()
                if (endpoint.table, endpoint.time) == (finding.table, finding.column)
            ]
            return all(endpoint.is_confirmed for endpoint in times)
        case _:
            return False


def agreed_with(study: Study, finding: Finding) -> Study | None:
    """Give the study in which what recognition assumed is confirmed; ``None`` where it did not."""
    if finding.code in (FindingCode.NUMBER_AMBIGUOUS, FindingCode.DATE_AMBIGUOUS):
        role = finding.table or "subjects"
        source = study.data.tables.get(role)
        if source is None or finding.column is None:
            return None
        format_ = replace(_format(study, finding), status=Status.CONFIRMED)
        if finding.code is FindingCode.DATE_AMBIGUOUS and format_.date_order is None:
            return None
        new = replace(source, columns={**source.columns, finding.column: format_})
        return replace(study, data=replace(study.data, tables={**study.data.tables, role: new}))
    if finding.code is FindingCode.CODE_SUSPECTED:
        found = _variable(study, finding)
        if found is None:
            return None
        key, variable = found
        variables = {**study.definitions.variables, key: replace(variable, status=Status.CONFIRMED)}
        return replace(study, definitions=replace(study.definitions, variables=variables))
    return None


def _format(study: Study, finding: Finding) -> ColumnFormat:
    source = study.data.tables.get(finding.table or "subjects")
    known = source.columns.get(finding.column or "") if source is not None else None
    return known or ColumnFormat()


def _variable(study: Study, finding: Finding) -> tuple[str, Variable] | None:
    return next(
        (
            (key, variable)
            for key, variable in study.definitions.variables.items()
            if (variable.table, variable.column or key) == (finding.table, finding.column)
            and variable.derived is None
        ),
        None,
    )
