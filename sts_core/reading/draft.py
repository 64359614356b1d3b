"""A proposal in the making: what has been recognised so far, and its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sts_core.findings import Finding, FindingCode, Severity, listed, worst_first
from sts_core.reading.endpoints import Guess, date_columns, is_date_column
from sts_core.reading.privacy import AGE_COLUMN, PrivateKind, left_out, private_in
from sts_core.reading.progress import Progress
from sts_core.reading.proposal import (
    ColumnEvidence,
    ColumnRole,
    Proposal,
    Question,
    QuestionKind,
    TableEvidence,
)
from sts_core.reading.response import guess_assessment, response_sources
from sts_core.reading.sheet import Sheet
from sts_core.reading.vocabulary import words_of
from sts_core.study.types import (
    AdverseEventDefinition,
    AssessmentDefinition,
    DataSection,
    Definitions,
    Endpoint,
    ExposureDefinition,
    Measured,
    ResponseDefinition,
    Study,
    TableSource,
    Variable,
    VariableKind,
)


@dataclass(slots=True)
class Draft:
    """What has been gathered so far."""

    tables: dict[str, TableSource] = field(default_factory=dict)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    guesses: dict[str, Guess] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    roles: dict[str, dict[str, tuple[ColumnRole, str]]] = field(default_factory=dict)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    questions: list[Question] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    listed: list[TableEvidence] = field(default_factory=list)
    adverse_events: AdverseEventDefinition | None = None
    assessments: AssessmentDefinition | None = None
    visits: dict[str, AssessmentDefinition] = field(default_factory=dict)
    exposures: ExposureDefinition | None = None
    patient_columns: dict[tuple[str, str | None], str] = field(default_factory=dict)
    cutoff_column: str | None = None
    synthetic: bool = False
    progress: Progress = field(default_factory=Progress)

    def say(self, role: str, column: str, what: ColumnRole, why: str) -> None:
        """Note what a column was taken for; the first word stands."""
        self.roles.setdefault(role, {}).setdefault(column, (what, why))


def take_endpoint(role: str, guess: Guess, draft: Draft) -> None:
    """Put an endpoint into the draft, and say what its columns are."""
    endpoint = guess.endpoint
    draft.endpoints[guess.code] = endpoint
    draft.guesses[guess.code] = guess
    for name in guess.columns:
        if name == endpoint.time:
            what, why = ColumnRole.TIME, f"time of {guess.code}; unit: {guess.unit_reason}"
        elif name == endpoint.event:
            coding = guess.coding.reason if guess.coding else ""
            what, why = ColumnRole.STATUS, f"status of {guess.code}. {coding}"
        elif name == endpoint.entry:
            what, why = ColumnRole.ENTRY, f"delayed entry of {guess.code}"
        elif name in endpoint.rows:
            what, why = ColumnRole.PARAMETER, "says which endpoint a row is about"
        else:
            what, why = ColumnRole.DATE, f"date for {guess.code}. {guess.reason}"
        draft.say(role, name, what, why)


def evidence_of(draft: Draft) -> dict[str, ColumnEvidence]:
    """Give the evidence of every column; nothing of what identifies a patient is in it."""
    out = {}
    for role, sheet in draft.sheets.items():
        known = draft.roles.get(role, {})
        for name, profile in sheet.profiles.items():
            if role != "subjects" and name not in known:
                continue
            what, why = known.get(name, (ColumnRole.IGNORED, "nothing was recognised"))
            secret = what is ColumnRole.SUBJECT_ID or (role, name) in draft.hidden
            dated = is_date_column(sheet, name)
            kind = (
                "empty" if not profile.n_known
                else "date" if dated
                else "numeric" if profile.is_numeric
                else "categorical" if not secret and profile.complete
                else "text"
            )  # fmt: skip
            show_counts = not secret and not dated and profile.n_distinct <= 40
            low: float | str | None = profile.low if kind == "numeric" and not secret else None
            high: float | str | None = profile.high if kind == "numeric" and not secret else None
            if name in sheet.short_years:
                why = f"{why.rstrip('.')}; its years have two digits, and their century is asked"
            elif dated and not secret and profile.first_date and profile.last_date:
                low, high = profile.first_date.isoformat(), profile.last_date.isoformat()
            out[name if role == "subjects" else f"{role}.{name}"] = ColumnEvidence(
                column=name,
                table=role,
                role=what,
                kind=kind,
                n=profile.n,
                n_missing=profile.n_missing,
                n_distinct=profile.n_distinct,
                samples=() if secret else profile.samples,
                counts=profile.frequent if show_counts else (),
                low=low,
                high=high,
                orders=profile.orders if dated else (),
                reason=why,
            )
    return out


def _close_gate(draft: Draft) -> None:
    """Leave out what identifies a person or has no place, in every table; derive the age first."""
    for role, sheet in draft.sheets.items():
        known = draft.roles.get(role, {})
        taken = {name for name, (what, _) in known.items() if what is not ColumnRole.IGNORED}
        found = private_in(sheet, frozenset(taken))
        if not found:
            continue
        source = draft.tables[role]
        draft.tables[role] = replace(
            source,
            left_out={name: item.kind.value for name, item in found.items()},
            columns={
                name: format_
                for name, format_ in source.columns.items()
                if name not in found or found[name].kind is PrivateKind.BIRTH_DATE
            },
        )
        for name, item in found.items():
            draft.hidden.add((role, name))
            draft.say(role, name, ColumnRole.IGNORED, item.why)
            draft.findings.append(left_out(item, sheet.raw.file, sheet.raw.sheet, role))
    _say_nothing_of_hidden(draft)
    _derive_age(draft)


def _say_nothing_of_hidden(draft: Draft) -> None:
    """Withdraw what was asked or said of cells of columns that are left out: it may quote them."""
    draft.questions = [
        question
        for question in draft.questions
        if not any((question.table, name) in draft.hidden for name in question.columns)
    ]
    of_cells = (
        FindingCode.NUMBER_AMBIGUOUS, FindingCode.CODE_SUSPECTED, FindingCode.DATE_AMBIGUOUS,
    )  # fmt: skip
    draft.findings = [
        finding
        for finding in draft.findings
        if finding.code not in of_cells or (finding.table, finding.column) not in draft.hidden
    ]


def _derive_age(draft: Draft) -> None:
    """Give the patient table an age where it has a date of birth; beside its own, to compare."""
    source, sheet = draft.tables.get("subjects"), draft.sheets.get("subjects")
    if source is None or sheet is None:
        return
    births = [
        name for name, kind in source.left_out.items() if kind == PrivateKind.BIRTH_DATE.value
    ]
    starts = [
        endpoint.start
        for endpoint in draft.endpoints.values()
        if endpoint.table == "subjects" and endpoint.start is not None
    ]
    dated = date_columns(sheet, {})
    starts += [item.name for item in dated if item.use == "start"]
    own = draft.variables.get("age")
    if own is not None and "diagnosis" in words_of(own.column or "age"):
        starts = [item.name for item in dated if item.concept == "diagnosis"] + starts
    starts = [name for name in starts if name not in source.left_out]
    if not births or not starts:
        return
    draft.tables["subjects"] = replace(source, birth_date=births[0], age_at=starts[0])
    if sheet.profiles[births[0]].is_ambiguous:
        draft.findings.append(
            Finding(
                FindingCode.DATE_AMBIGUOUS,
                Severity.WARNING,
                f"The dates of “{births[0]}” can be read in two ways, so that an age may be a year "
                "off.",
                "Write them as 1950-05-03 in the file, or state their order in the study file "
                f"(data.tables.subjects.columns.{births[0]}.date_order).",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                column=births[0],
                table="subjects",
            )
        )
    if own is None:
        draft.variables["age"] = Variable(
            label="Age",
            kind=VariableKind.NUMERIC,
            column=AGE_COLUMN,
            unit="years",
            measured=Measured.BASELINE,
        )


def finish(draft: Draft) -> Proposal:
    """Make the proposal: tables and rows are asked first, then reading, then endpoints."""
    _close_gate(draft)
    study = Study(
        title=_title(draft),
        synthetic=draft.synthetic,
        data=DataSection(tables=draft.tables),
        definitions=Definitions(
            endpoints=draft.endpoints,
            variables=draft.variables,
            response=_response(draft),
            adverse_events=draft.adverse_events,
            assessments=draft.assessments,
            exposures=draft.exposures,
            cutoff_column=draft.cutoff_column,
        ),
    )
    first = (
        QuestionKind.ROWS, QuestionKind.SUBJECT_ID, QuestionKind.ID_RULE, QuestionKind.ENDPOINT,
    )  # fmt: skip
    questions = sorted(
        draft.questions,
        key=lambda question: (question.kind not in first, 0 if question.endpoint else -1),
    )
    return Proposal(
        study=study,
        evidence=evidence_of(draft),
        questions=tuple(questions),
        findings=worst_first(draft.findings),
        tables=tuple(draft.listed),
    )


def _response(draft: Draft) -> ResponseDefinition | None:
    variable = draft.variables.get("best_response")
    if variable is None or not {"CR", "PR", "SD"} <= set(variable.levels):
        return None
    sources = response_sources(variable, draft.sheets)
    assessed = replace(guess_assessment(sources), variable="best_response")
    if assessed != ResponseDefinition(variable="best_response"):
        known = draft.roles.setdefault(variable.table, {})
        column = variable.column or "best_response"
        what, why = known.get(column, (ColumnRole.RESPONSE, "the best response"))
        known[column] = (what, f"{why}; how it was assessed: {listed([f'“{s}”' for s in sources])}")
    return assessed


def _title(draft: Draft) -> str:
    source = draft.tables.get("subjects")
    if source is None or not source.file:
        return "Untitled study"
    return source.file.rsplit(".", 1)[0]
