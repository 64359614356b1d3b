"""From files as read to a proposed study file: every guess with its evidence, nothing assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.assembly import rows_matching
from sts_core.reading.coding import scalar
from sts_core.reading.draft import Draft, finish, take_endpoint
from sts_core.reading.endpoints import (
    Guess,
    by_row_filter,
    date_columns,
    disagreement,
    from_dates,
    from_parameters,
    from_times,
    is_date_column,
    outcome_columns,
)
from sts_core.reading.formats import ask_orders, formats_of, orders_of
from sts_core.reading.proposal import (
    ColumnEvidence,
    ColumnRole,
    Proposal,
    Question,
    QuestionKind,
)
from sts_core.reading.questions import ask_endpoints
from sts_core.reading.sheet import Sheet, SheetKind, is_response, profile_sheet
from sts_core.reading.subject_table import SubjectTable, choose_subjects
from sts_core.reading.variables import VariableGuess, guess_variables
from sts_core.reading.vocabulary import vocabulary, words_of
from sts_core.reading.workbook import Workbook
from sts_core.study.types import AdverseEventDefinition, Measured, Scalar, TableSource
from sts_core.values import DateOrder

__all__ = ["ColumnEvidence", "ColumnRole", "Proposal", "Question", "QuestionKind", "propose_study"]

_MIN_OVERLAP = 0.5


def propose_study(workbooks: Sequence[Workbook]) -> Proposal:
    """Recognise tables, endpoints and variables.

    Parameters
    ----------
    workbooks
        Files as read.

    Returns
    -------
    Proposal
        A study in which every guess is marked as one. Its questions must be answered before any
        survival number can be trusted; none of its answers is taken for granted.
    """
    draft = Draft()
    sheets = [profile_sheet(raw) for book in workbooks for raw in book.sheets]
    kept = _without_dictionaries(sheets, draft)
    subjects = choose_subjects(kept, draft)
    if subjects is None:
        return finish(draft)
    others = [sheet for sheet in kept if sheet is not subjects.sheet]
    _add_subjects(subjects, draft)
    for sheet in others:
        _add_other(sheet, subjects.sheet, draft)
    if subjects.long_format:
        _add_long_endpoints(subjects, draft)
    _add_variables(draft)
    _add_assessed_response(draft)
    ask_endpoints(draft)
    return finish(draft)


def _without_dictionaries(sheets: list[Sheet], draft: Draft) -> list[Sheet]:
    kept = []
    for sheet in sheets:
        if sheet.kind is SheetKind.DICTIONARY and len(sheets) > 1:
            draft.synthetic = draft.synthetic or _says_synthetic(sheet)
            draft.findings.append(
                _unused(sheet, "it describes columns and holds no patients", Severity.NOTE)
            )
        elif sheet.raw.hidden and any(not other.raw.hidden for other in sheets):
            draft.findings.append(_unused(sheet, "it is hidden", Severity.WARNING))
        else:
            kept.append(sheet)
    return kept


def _says_synthetic(sheet: Sheet) -> bool:
    """Whether a dictionary states that the data are made up; the study is then stamped so."""
    return any(
        "synthetic data" in text.casefold()
        for profile in sheet.profiles.values()
        for text in profile.counts
    )


def _unused(sheet: Sheet, why: str, severity: Severity) -> Finding:
    return Finding(
        FindingCode.SHEET_NOT_USED,
        severity,
        f"The table “{sheet.raw.label}” is not used: {why}.",
        "If that is wrong, choose its role on the Data page.",
        file=sheet.raw.file,
        sheet=sheet.raw.sheet,
    )


def _source_of(sheet: Sheet, rows: dict[str, tuple[Scalar, ...]] | None = None) -> TableSource:
    return TableSource(
        file=sheet.raw.file,
        sheet=sheet.raw.sheet,
        subject_id=sheet.id_column,
        rows=rows or {},
        columns=formats_of(sheet),
    )


def _add_subjects(subjects: SubjectTable, draft: Draft) -> None:
    sheet = subjects.sheet
    rows: dict[str, tuple[Scalar, ...]] = {}
    if subjects.row_filter is not None:
        column, levels = subjects.row_filter
        rows[column] = (scalar(levels[0]),)
        draft.say("subjects", column, ColumnRole.PARAMETER, "picks one row a patient")
    draft.tables["subjects"] = _source_of(sheet, rows)
    if rows:
        mask, _ = rows_matching(sheet.raw.frame, rows, file=None, sheet=None)
        sheet = sheet.with_rows(mask)
    draft.sheets["subjects"] = sheet
    if sheet.id_column is None:
        draft.findings.append(
            Finding(
                FindingCode.SUBJECT_ID_NOT_FOUND,
                Severity.NOTE,
                f"No column of “{sheet.raw.label}” identifies the patients: each of the "
                f"{sheet.n_rows} rows is taken for a patient.",
                "If a patient has several rows, or other tables are to be joined, choose the id "
                "on the Data page.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                count=sheet.n_rows,
                table="subjects",
            )
        )
    else:
        repeats = "; it repeats" if sheet.ids_repeat else ", and no value stands twice"
        draft.say(
            "subjects", sheet.id_column, ColumnRole.SUBJECT_ID,
            f"“{sheet.id_column}” is a usual name of a patient id{repeats}",
        )  # fmt: skip
    ask_orders("subjects", sheet, draft)
    for dated in date_columns(sheet, {}):
        if dated.use == "cutoff" and draft.cutoff_column is None:
            draft.cutoff_column = dated.name
            draft.say("subjects", dated.name, ColumnRole.DATE, "date of the data cut-off")
    if not subjects.long_format and sheet.kind is SheetKind.PLAIN:
        _add_endpoints("subjects", sheet, draft)


def _add_endpoints(role: str, sheet: Sheet, draft: Draft) -> None:
    """Take the endpoints of a table with one row a patient; dates before rounded times."""
    orders = orders_of(sheet)
    dated = {guess.code: guess for guess in from_dates(sheet, role, date_columns(sheet, orders))}
    timed = {guess.code: guess for guess in from_times(sheet, role)}
    for code in dict.fromkeys((*dated, *timed)):
        if code in draft.endpoints:
            continue
        chosen = dated.get(code) or timed[code]
        if code in dated and code in timed:
            if timed[code].n_usable > dated[code].n_usable:
                chosen = timed[code]
            _compare(role, sheet, dated[code], timed[code], orders, chosen, draft)
            other = timed[code] if chosen is dated[code] else dated[code]
            for name in other.columns:
                if name not in chosen.columns:
                    what = ColumnRole.TIME if name == other.endpoint.time else ColumnRole.STATUS
                    what = ColumnRole.DATE if is_date_column(sheet, name) else what
                    draft.say(role, name, what, f"{code} is taken from {_origin(chosen)} instead")
        take_endpoint(role, chosen, draft)


def _origin(guess: Guess) -> str:
    return "the dates" if guess.endpoint.from_dates else "the column of times"


def _compare(
    role: str,
    sheet: Sheet,
    dated: Guess,
    timed: Guess,
    orders: Mapping[str, DateOrder],
    chosen: Guess,
    draft: Draft,
) -> None:
    events, times = disagreement(sheet, dated, timed, orders)
    used = "The dates are used." if chosen is dated else "The column of times is used."
    rows = np.asarray(sheet.raw.row_numbers)
    for places, what in (
        (events, f"the status “{timed.endpoint.event}” says otherwise"),
        (times, f"the time in “{timed.endpoint.time}” is another"),
    ):
        if len(places):
            draft.findings.append(
                Finding(
                    FindingCode.ENDPOINT_SOURCES_DIFFER,
                    Severity.WARNING,
                    f"{dated.code} by its dates differs from the file's own column in "
                    f"{len(places)} patients: {what}.",
                    f"{used} Look at these rows, and choose the source on the Data page.",
                    file=sheet.raw.file,
                    sheet=sheet.raw.sheet,
                    column=timed.endpoint.event if places is events else timed.endpoint.time,
                    rows=tuple(int(row) for row in rows[places]),
                    count=len(places),
                    table=role,
                )
            )


def _add_long_endpoints(subjects: SubjectTable, draft: Draft) -> None:
    """Take endpoints from a table with one row an endpoint and patient."""
    sheet = subjects.sheet
    assert subjects.row_filter is not None
    column, levels = subjects.row_filter
    role = "time_to_event"
    if sheet.kind is SheetKind.TIME_TO_EVENT:
        guesses = from_parameters(sheet, role)
    else:
        guesses = by_row_filter(from_times(sheet, role), sheet, column, sorted(levels), role)
    if guesses and role not in draft.tables:
        draft.tables[role] = _source_of(sheet)
        draft.sheets[role] = sheet
        for guess in guesses:
            take_endpoint(role, guess, draft)


def _add_other(sheet: Sheet, subjects: Sheet, draft: Draft) -> None:
    linked = _linked(sheet, subjects)
    if linked is None:
        why = "no column has the ids of the patient table"
        draft.findings.append(_unused(sheet, why, Severity.WARNING))
        return
    sheet = linked
    if sheet.kind is SheetKind.ADVERSE_EVENTS and "adverse_events" not in draft.tables:
        _take_table("adverse_events", sheet, draft)
        draft.adverse_events = _adverse_events(sheet, draft)
    elif sheet.kind is SheetKind.ASSESSMENTS and "assessments" not in draft.tables:
        _take_table("assessments", sheet, draft)
        _note_assessments(sheet, draft)
    elif sheet.kind is SheetKind.TIME_TO_EVENT and "time_to_event" not in draft.tables:
        guesses = from_parameters(sheet, "time_to_event")
        _take_table("time_to_event", sheet, draft)
        for guess in guesses:
            if guess.code not in draft.endpoints:
                take_endpoint("time_to_event", guess, draft)
    elif sheet.kind is SheetKind.PLAIN and not sheet.ids_repeat:
        _add_second_patient_table(sheet, draft)
    else:
        draft.findings.append(_unused(sheet, "it is not known what its rows are", Severity.WARNING))


def _add_second_patient_table(sheet: Sheet, draft: Draft) -> None:
    role = role_of(sheet.raw.label, draft.tables)
    before = set(draft.endpoints)
    _add_endpoints(role, sheet, draft)
    if set(draft.endpoints) == before:
        why = "the patients come from another table, and it holds no further endpoint"
        draft.findings.append(_unused(sheet, why, Severity.WARNING))
        return
    _take_table(role, sheet, draft)


def role_of(label: str, taken: Mapping[str, object]) -> str:
    """Give a role to a table that has none of the usual ones."""
    stem = "_".join(words_of(label.rsplit(".", 1)[0])) or "table"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return name


def _take_table(role: str, sheet: Sheet, draft: Draft) -> None:
    draft.tables[role] = _source_of(sheet)
    draft.sheets[role] = sheet
    if sheet.id_column:
        draft.say(role, sheet.id_column, ColumnRole.SUBJECT_ID, "has the ids of the patient table")
    ask_orders(role, sheet, draft)


def _linked(sheet: Sheet, subjects: Sheet) -> Sheet | None:
    """Choose the column with the patient table's ids; ``None`` when too few agree."""
    if subjects.id_column is None:
        return None
    known = set(subjects.ids()) - {None}
    named = [sheet.id_column] if sheet.id_column else []
    if subjects.id_column in sheet.profiles:
        named.insert(0, subjects.id_column)
    others = [name for name, profile in sheet.profiles.items() if not profile.is_date]
    for name in dict.fromkeys((*named, *others)):
        candidate = replace(sheet, id_column=name)
        own = set(candidate.ids()) - {None}
        enough = len(own) > (0 if name in named else 2)  # "1" is a patient id, and a grade too
        if enough and len(own & known) >= _MIN_OVERLAP * len(own):
            return candidate
    return None


def _adverse_events(sheet: Sheet, draft: Draft) -> AdverseEventDefinition:
    """Tell the columns of adverse events by their headers; the more usual name wins."""
    known = vocabulary()
    found: dict[str, tuple[int, str]] = {}
    for name, words in sheet.words.items():
        concept = known.adverse_events.whole(words)
        rank = known.adverse_event_rank.get(words, len(known.adverse_event_rank))
        if concept is None or not sheet.profiles[name].n_known:
            continue
        if concept not in found or rank < found[concept][0]:
            found[concept] = (rank, name)
    names = {concept: name for concept, (_, name) in found.items()}
    for concept, what in (
        ("term", ColumnRole.TERM), ("grade", ColumnRole.GRADE), ("related", ColumnRole.RELATED),
        ("serious", ColumnRole.SERIOUS), ("onset", ColumnRole.DATE),
    ):  # fmt: skip
        if concept in names:
            draft.say("adverse_events", names[concept], what, "by its header")
    emergent = names.get("treatment_emergent")
    rows = {emergent: _positive_values(sheet, emergent)} if emergent else {}
    return AdverseEventDefinition(
        term=names["term"],
        grade=names["grade"],
        system_organ_class=names.get("body_system"),
        related=names.get("related"),
        related_values=_positive_values(sheet, names.get("related")),
        serious=names.get("serious"),
        serious_values=_positive_values(sheet, names.get("serious")),
        rows={name: values for name, values in rows.items() if values},
    )


def _positive_values(sheet: Sheet, name: str | None) -> tuple[Scalar, ...]:
    """Give the values that mean yes, or some degree of relation."""
    if name is None:
        return ()
    known = vocabulary()
    return tuple(
        scalar(text)
        for text in sorted(sheet.profiles[name].counts)
        if known.lexicons["yes_no"].get(text) == "Yes"
        or words_of(text) in known.related_values
        or text == "1"
    )


def _note_assessments(sheet: Sheet, draft: Draft) -> None:
    phrases = vocabulary().assessments
    for name, words in sheet.words.items():
        concept = phrases.whole(words)
        if concept == "response":
            draft.say("assessments", name, ColumnRole.RESPONSE, "words of a tumour response")
        elif concept == "date":
            draft.say("assessments", name, ColumnRole.DATE, "by its header")
    code = sheet.parameter("code")
    if code:
        draft.say("assessments", code, ColumnRole.PARAMETER, "says what a row is about")


def _add_variables(draft: Draft) -> None:
    sheet = draft.sheets["subjects"]
    taken = set(draft.roles.get("subjects", {}))
    for guess in draft.guesses.values():
        if _same_sheet(draft.tables.get(guess.endpoint.table), draft.tables["subjects"]):
            taken |= set(guess.columns)
    if sheet.parameter("code"):
        taken |= {
            name
            for name, words in sheet.words.items()
            if vocabulary().parameters.whole(words) and name not in _response_columns(sheet)
        }
    ignored: list[VariableGuess] = []
    for item in guess_variables(sheet, taken, outcome_columns(sheet)):
        if item.variable is None or item.key is None:
            ignored.append(item)
            draft.say("subjects", item.column, ColumnRole.IGNORED, item.reason)
            if item.private:
                draft.hidden.add(("subjects", item.column))
        else:
            draft.variables[item.key] = item.variable
            draft.say("subjects", item.column, ColumnRole.VARIABLE, item.reason)
    _note_ignored(ignored, sheet, draft)


def _add_assessed_response(draft: Draft) -> None:
    """Take best overall response from a table of assessments, when the patient table has none.

    A kind of row is wanted that no patient has twice and that is named as the best response
    (``PARAMCD = BESRSPI``): the response at a visit is not the best one.
    """
    sheet = draft.sheets.get("assessments")
    column = sheet.parameter("code") if sheet is not None else None
    if sheet is None or column is None or "best_response" in draft.variables:
        return
    for level in sorted(sheet.profiles[column].counts):
        rows: dict[str, tuple[Scalar, ...]] = {column: (scalar(level),)}
        mask, _ = rows_matching(sheet.raw.frame, rows, file=None, sheet=None)
        part = sheet.with_rows(mask)
        if part.ids_repeat or not _says_best(part, level):
            continue
        others = set(part.profiles) - _response_columns(part)
        for item in guess_variables(part, others, ()):
            if item.variable is not None:
                draft.variables["best_response"] = replace(
                    item.variable,
                    label="Best overall response",
                    column=item.column,
                    table="assessments",
                    rows=rows,
                    measured=Measured.POST_BASELINE,
                )
                draft.say("assessments", item.column, ColumnRole.RESPONSE, "the best response")
                return


def _says_best(sheet: Sheet, level: str) -> bool:
    """Whether a kind of row is named as the best response, by its code or its description."""
    code = level.casefold()
    described = sheet.parameter("label")
    texts = [*(sheet.profiles[described].counts if described else ()), level]
    return code.startswith(("bes", "bor", "cbor")) or any(
        {"best", "response"} <= set(words_of(text)) for text in texts
    )


def _same_sheet(first: TableSource | None, second: TableSource) -> bool:
    return first is not None and (first.file, first.sheet) == (second.file, second.sheet)


def _response_columns(sheet: Sheet) -> set[str]:
    return {name for name, profile in sheet.profiles.items() if is_response(profile)}


def _note_ignored(ignored: list[VariableGuess], sheet: Sheet, draft: Draft) -> None:
    by_reason: dict[str, list[str]] = {}
    for item in ignored:
        if "identifies a person" in item.reason:
            draft.findings.append(
                Finding(
                    FindingCode.COLUMN_PRIVATE,
                    Severity.WARNING,
                    f"“{item.column}” is not used: {item.reason}.",
                    "Better delete the column from the file before it is uploaded.",
                    file=sheet.raw.file,
                    sheet=sheet.raw.sheet,
                    column=item.column,
                    table="subjects",
                )
            )
        else:
            by_reason.setdefault(item.reason, []).append(item.column)
    for reason, columns in by_reason.items():
        named = listed([f"“{name}”" for name in columns])
        verb = "is" if len(columns) == 1 else "are"
        draft.findings.append(
            Finding(
                FindingCode.COLUMN_NOT_USED,
                Severity.NOTE,
                f"{named} {verb} no variable: {reason}.",
                "If that is wrong, add it as a variable on the Data page.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                column=columns[0] if len(columns) == 1 else None,
                count=len(columns),
                table="subjects",
            )
        )
