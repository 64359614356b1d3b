"""The whole state of a study at a glance: what is open, endpoints, outcomes and variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate

import numpy as np

from sts_core.cohort import Cohort
from sts_core.derive import (
    OLDEST_SHOWN,
    column_summary,
    counts_of,
    dates_of,
    is_age,
    is_categorical,
    levels_of,
    numbers_of,
    shown_ages,
    survival_data,
)
from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading.answers import agreed_with
from sts_core.study.types import Measured, Status, Study, Variable, VariableKind

N_BINS = 12
MAX_BARS = 12
MAX_LETTERS = 240


class Part(StrEnum):
    """Where on the Data page something is settled."""

    ENDPOINTS = "Endpoints"
    OUTCOMES = "Response and adverse events"
    VARIABLES = "Variables"


_SETTLED_IN: dict[FindingCode, Part | None] = {
    FindingCode.COLUMN_MISSING: None,
    FindingCode.SUBJECT_UNMATCHED: None,
    FindingCode.STUDY_UNCONFIRMED: Part.ENDPOINTS,
    FindingCode.ENDPOINT_NOT_FOUND: Part.ENDPOINTS,
    FindingCode.EVENT_VALUE_UNKNOWN: Part.ENDPOINTS,
    FindingCode.TIME_UNIT_DOUBTFUL: Part.ENDPOINTS,
    FindingCode.DATE_AMBIGUOUS: None,
    FindingCode.DATE_CENTURY_OPEN: None,
    FindingCode.DATE_INCOMPLETE: Part.ENDPOINTS,
    FindingCode.ENDPOINT_SOURCES_DIFFER: Part.ENDPOINTS,
    FindingCode.RESPONSE_DOUBTFUL: Part.OUTCOMES,
    FindingCode.CODE_SUSPECTED: Part.VARIABLES,
    FindingCode.NUMBER_AMBIGUOUS: None,
    FindingCode.LEVEL_UNKNOWN: Part.VARIABLES,
    FindingCode.LEVEL_NOT_NAMED: Part.VARIABLES,
}


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """Something that only a person can settle, and where.

    Attributes
    ----------
    text, hint
        What is asked, and what to do.
    part
        The tab in which it is settled; ``None`` above the tabs.
    agreed
        The study when what was assumed is right; ``None`` where nothing was.
    """

    text: str
    hint: str
    part: Part | None
    agreed: Study | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """One endpoint: patients with a time, events by kind, patients lost, whether confirmed."""

    code: str
    label: str
    n: int
    events: tuple[tuple[str, int], ...]
    n_lost: int
    confirmed: bool
    problem: str = ""

    @property
    def n_event(self) -> int:
        """Events of all kinds."""
        return sum(n for _, n in self.events)


@dataclass(frozen=True, slots=True)
class VariableLine:
    """One variable, or one column that is none.

    Attributes
    ----------
    name, column
        Name in figures, and header in the file.
    role
        What it is used for.
    kind, unit, known
        Type, unit and when it is known, in words.
    share_missing
        Patients of whom it is not known, in [0, 1].
    bars
        Patients by level or by bin of its numbers; empty where nothing may be shown.
    levels
        Its levels or its range, in words.
    """

    name: str
    column: str
    role: str
    kind: str
    unit: str
    known: str
    share_missing: float | None
    bars: tuple[int, ...]
    levels: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything in its order: what is open comes first."""

    questions: tuple[OpenQuestion, ...]
    endpoints: tuple[EndpointLine, ...]
    outcomes: tuple[str, ...]
    variables: tuple[VariableLine, ...]


_KINDS = {
    VariableKind.CATEGORICAL: "groups",
    VariableKind.ORDERED: "ordered groups",
    VariableKind.NUMERIC: "number",
    VariableKind.DATE: "date",
}
_KNOWN = {
    Measured.BASELINE: "before time zero",
    Measured.POST_BASELINE: "after time zero",
    Measured.UNKNOWN: "not stated",
}


def overview(cohort: Cohort, findings: Sequence[Finding]) -> Overview:
    """Gather the state of a study.

    Parameters
    ----------
    cohort
        All patients of the file count for variables, the patients analysed for endpoints.
    findings
        What was found; those that a person settles become questions.
    """
    return Overview(
        questions=_questions(cohort, findings),
        endpoints=tuple(_endpoint(cohort, code) for code in cohort.study.definitions.endpoints),
        outcomes=_outcomes(cohort),
        variables=cohort.kept(("overview",), lambda: _variables(cohort)),
    )


def _questions(cohort: Cohort, findings: Sequence[Finding]) -> tuple[OpenQuestion, ...]:
    found = [
        OpenQuestion(
            finding.message,
            finding.hint,
            _SETTLED_IN[finding.code],
            agreed_with(cohort.study, finding),
        )
        for finding in findings
        if finding.code in _SETTLED_IN and not _is_settled(cohort, finding)
    ]
    definitions = cohort.study.definitions
    if definitions.response is not None and definitions.response.status is not Status.CONFIRMED:
        found.append(
            OpenQuestion(
                "The best response was recognised and waits for a look.",
                "Look at its column and at what its values mean, and confirm.",
                Part.OUTCOMES,
            )
        )
    events = definitions.adverse_events
    if events is not None and events.status is not Status.CONFIRMED:
        found.append(
            OpenQuestion(
                "The adverse events were recognised and wait for a look.",
                "Look at their columns, and confirm.",
                Part.OUTCOMES,
            )
        )
    for item, what in (
        (definitions.assessments, "tumour assessments were"),
        (definitions.exposures, "columns of treatment by row were"),
    ):
        if item is not None and item.status is not Status.CONFIRMED:
            found.append(
                OpenQuestion(
                    f"The {what} recognised and wait for a look.",
                    "Look at their columns, and confirm.",
                    Part.OUTCOMES,
                )
            )
    return tuple(dict.fromkeys(found))


def _is_settled(cohort: Cohort, finding: Finding) -> bool:
    """Say whether nothing is left to be said: the column isn't shown, or its rule was looked at."""
    left_out = cohort.left_out.get(finding.table or "subjects", ())
    if any(item.column == finding.column for item in left_out):
        return True
    if finding.code is FindingCode.SUBJECT_UNMATCHED:  # asked where another spelling would match
        join = cohort.joins.get(finding.table or "")
        return join is None or (join.better is None and join.other is None)
    by_endpoint = (FindingCode.DATE_INCOMPLETE, FindingCode.ENDPOINT_SOURCES_DIFFER)
    endpoints = cohort.study.definitions.endpoints.values()
    return finding.code in by_endpoint and all(endpoint.is_confirmed for endpoint in endpoints)


def _endpoint(cohort: Cohort, code: str) -> EndpointLine:
    endpoint = cohort.study.definitions.endpoints[code]
    try:
        data = survival_data(cohort, code)
    except StudyError as error:
        return EndpointLine(
            code, endpoint.label, 0, (), 0, endpoint.is_confirmed, error.findings[0].message
        )
    kinds = Counter(str(kind) for kind in data.kind if kind is not None)
    lost = sum(len(loss.subjects) for loss in data.losses)
    return EndpointLine(
        code, endpoint.label, data.n, tuple(kinds.items()), lost, endpoint.is_confirmed
    )


def _outcomes(cohort: Cohort) -> tuple[str, ...]:
    definitions = cohort.study.definitions
    said = []
    response = definitions.response
    if response is None:
        said.append("Best response: none in this file.")
    else:
        variable = definitions.variables.get(response.variable)
        name = variable.label if variable else response.variable
        confirmed = "confirmed" if response.status is Status.CONFIRMED else "to confirm"
        said.append(f"Best response: “{name}”, {confirmed}.")
    events = definitions.adverse_events
    if events is None or events.table not in cohort.tables:
        said.append("Adverse events: none recorded in these files.")
    else:
        table = cohort.tables[events.table]
        confirmed = "confirmed" if events.status is Status.CONFIRMED else "to confirm"
        n_rows, n_patients = len(table.frame), len(set(table.subject.tolist()))
        n_columns = len(events.columns)
        where = (
            f"{n_rows} rows of {n_patients} patients in"
            if events.form == "long"
            else f"in {n_columns} {'column' if n_columns == 1 else 'columns'} of"
        )
        said.append(f"Adverse events: {where} “{table.sheet or table.file}”, {confirmed}.")
    visits, treatment = definitions.assessments, definitions.exposures
    if visits is not None and visits.table in cohort.tables:
        confirmed = "confirmed" if visits.status is Status.CONFIRMED else "to confirm"
        form = f"{len(visits.visits)} visits in columns of" if visits.visits else "by row in"
        place = cohort.tables[visits.table]
        said.append(f"Tumour assessments: {form} “{place.sheet or place.file}”, {confirmed}.")
    if treatment is not None and treatment.table in cohort.tables:
        confirmed = "confirmed" if treatment.status is Status.CONFIRMED else "to confirm"
        place = cohort.tables[treatment.table]
        said.append(f"Treatment: by row in “{place.sheet or place.file}”, {confirmed}.")
    return tuple(said)


def _variables(cohort: Cohort) -> tuple[VariableLine, ...]:
    definitions = cohort.study.definitions
    lines = []
    shown: set[str] = set()
    for key, variable in definitions.variables.items():
        lines.append(_variable(cohort, key, variable))
        if variable.table == "subjects" and variable.derived is None:
            shown.add(variable.column or key)
    roles = column_roles(cohort)
    for name in map(str, cohort.tables["subjects"].frame.columns):
        if name in shown:
            continue
        role = roles.get(name, "not used")
        summary = column_summary(cohort, name, show_values=role != "patient id")
        missing = 1 - summary.n_known / summary.n if summary.n else None
        lines.append(
            VariableLine(name, name, role, "", "", "", missing, (),
                         summary.text if role != "not used" else "")
        )  # fmt: skip
    for columns in cohort.left_out.values():
        lines += [
            VariableLine(item.column, item.column, "left out", "", "", "", None, (), "(not shown)")
            for item in columns
        ]
    return tuple(lines)


def column_roles(cohort: Cohort) -> dict[str, str]:
    """Say what columns of the patient table are used for, besides variables."""
    roles: dict[str, str] = {}
    source = cohort.study.data.tables.get("subjects")
    if source is not None and source.subject_id is not None:
        roles[source.subject_id] = "patient id"
    for code, endpoint in cohort.study.definitions.endpoints.items():
        if endpoint.table != "subjects":
            continue
        used = [
            (endpoint.time, "time"), (endpoint.event, "status"), (endpoint.start, "start"),
            (endpoint.entry, "entry"), (endpoint.new_therapy, "next therapy"),
            *((name, f"date of {kind}") for kind, name in endpoint.event_dates.items()),
            *((name, "last contact") for name in endpoint.last_contact),
        ]  # fmt: skip
        for name, what in used:
            if name is not None:
                before = roles.get(name)
                roles[name] = f"{before}; {what} of {code}" if before else f"{what} of {code}"
    visits = cohort.study.definitions.assessments
    if visits is not None and visits.table == "subjects":
        for name in visits.columns:
            roles.setdefault(name, "tumour assessment")
    if cohort.study.definitions.cutoff_column:
        roles.setdefault(cohort.study.definitions.cutoff_column, "data cut-off")
    return roles


def _variable(cohort: Cohort, key: str, variable: Variable) -> VariableLine:
    column = "(derived)" if variable.derived is not None else variable.column or key
    response = cohort.study.definitions.response
    role = "best response" if response and response.variable == key else "variable"
    role = "; ".join(filter(None, [role, column_roles(cohort).get(variable.column or key, "")]))
    n = len(cohort.subjects)
    try:
        bars, n_known, text = _distribution(cohort, key, variable)
    except StudyError as error:
        return VariableLine(
            variable.label, column, role, _KINDS[variable.kind], variable.unit or "",
            _KNOWN[variable.measured], None, (), error.findings[0].message,
        )  # fmt: skip
    return VariableLine(
        name=variable.label,
        column=column,
        role=role,
        kind=_KINDS[variable.kind],
        unit=variable.unit or "",
        known=_KNOWN[variable.measured],
        share_missing=1 - n_known / n if n else None,
        bars=bars,
        levels=text,
    )


def _distribution(cohort: Cohort, key: str, variable: Variable) -> tuple[tuple[int, ...], int, str]:
    """Give patients by level or bin, how many are known, and levels or range in words."""
    if is_categorical(variable) or variable.cuts:
        found = levels_of(cohort, key)
        counts = counts_of(found.values)
        bars = tuple(counts.get(level, 0) for level in found.levels[:MAX_BARS])
        return bars, sum(counts.values()), _named(found.levels[:MAX_BARS], len(found.levels))
    if variable.kind is VariableKind.DATE:
        dates = dates_of(cohort, key).values
        known = dates[~np.isnat(dates)]
        days = known.astype("int64").astype(float)
        text = f"{known.min()} to {known.max()}" if len(known) else ""
        return _bins(days), len(known), text
    values = numbers_of(cohort, key).values
    numbers = values[np.isfinite(values)]
    if not len(numbers):
        return (), 0, ""
    places = np.quantile(numbers, [0.0, 0.5, 1.0])
    oldest = np.inf
    if is_age(key, variable):
        places, oldest = shown_ages(places), OLDEST_SHOWN
    low, median, high = (f"{'≥' if place >= oldest else ''}{place:g}" for place in places)
    return _bins(numbers), len(numbers), f"{low} to {high}, median {median}"


def _bins(numbers: np.ndarray) -> tuple[int, ...]:
    if not len(numbers) or np.ptp(numbers) == 0:
        return (len(numbers),) if len(numbers) else ()
    counts, _ = np.histogram(numbers, bins=min(N_BINS, max(2, len(np.unique(numbers)))))
    return tuple(int(count) for count in counts)


def _named(levels: Sequence[str], n: int) -> str:
    """Name levels, of many long ones the first, and say how many there are besides."""
    ends = accumulate(len(level) for level in levels)
    shown = max(sum(end <= MAX_LETTERS for end in ends), min(n, 2))
    more = n - shown
    return ", ".join(levels[:shown]) + (f" and {more} more" if more > 0 else "")
