"""From files as read to a proposed study file: every guess with its evidence, nothing assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sts_core.findings import Finding, FindingCode, Severity, listed, worst_first
from sts_core.reading.assembly import rows_matching
from sts_core.reading.coding import scalar
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
from sts_core.reading.proposal import (
    ColumnEvidence,
    ColumnRole,
    Proposal,
    Question,
    QuestionKind,
)
from sts_core.reading.sheet import Sheet, SheetKind, is_response, profile_sheet, row_filters
from sts_core.reading.variables import VariableGuess, guess_variables
from sts_core.reading.vocabulary import vocabulary, words_of
from sts_core.reading.workbook import Workbook
from sts_core.study.types import (
    AdverseEventDefinition,
    ColumnFormat,
    DataSection,
    Definitions,
    Endpoint,
    ResponseDefinition,
    Scalar,
    Study,
    TableSource,
    TimeUnit,
    Variable,
)
from sts_core.values import DateOrder, date_of

__all__ = ["ColumnEvidence", "ColumnRole", "Proposal", "Question", "QuestionKind", "propose_study"]

_SUBJECT_WORDS = ("patient", "patients", "subject", "subjects", "adsl", "demographics", "baseline")
_SUBJECT_CHINESE = ("患者", "病人", "基本信息", "受试者")
_MIN_OVERLAP = 0.5


@dataclass(slots=True)
class _Draft:
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
    adverse_events: AdverseEventDefinition | None = None
    cutoff_column: str | None = None
    synthetic: bool = False

    def say(self, role: str, column: str, what: ColumnRole, why: str) -> None:
        """Note what a column was taken for; the first word stands."""
        self.roles.setdefault(role, {}).setdefault(column, (what, why))


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
    draft = _Draft()
    sheets = [profile_sheet(raw) for book in workbooks for raw in book.sheets]
    kept = _without_dictionaries(sheets, draft)
    subjects = _choose_subjects(kept, draft)
    if subjects is None:
        return _finish(draft)
    others = [sheet for sheet in kept if sheet is not subjects.sheet]
    _add_subjects(subjects, draft)
    for sheet in others:
        _add_other(sheet, subjects.sheet, draft)
    if subjects.long_format:
        _add_long_endpoints(subjects, draft)
    _add_variables(draft)
    _ask(draft)
    return _finish(draft)


# ------------------------------------------------------------------------------------- sheets


def _without_dictionaries(sheets: list[Sheet], draft: _Draft) -> list[Sheet]:
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


@dataclass(frozen=True, slots=True, eq=False)
class _Subjects:
    """The patient table; ``row_filter`` picks one row a patient out of a long table."""

    sheet: Sheet
    row_filter: tuple[str, tuple[str, ...]] | None = None

    @property
    def long_format(self) -> bool:
        return self.row_filter is not None


def _choose_subjects(sheets: list[Sheet], draft: _Draft) -> _Subjects | None:
    one_row = [sheet for sheet in sheets if sheet.kind is SheetKind.PLAIN and not sheet.ids_repeat]
    with_id = [sheet for sheet in one_row if sheet.id_column is not None]
    if one_row:
        return _Subjects(max(with_id or one_row, key=_patient_score))
    # patients without an event aren't in a table of adverse events
    long = [sheet for sheet in sheets if sheet.kind is not SheetKind.ADVERSE_EVENTS]
    long.sort(key=_patient_score, reverse=True)
    long.sort(key=lambda sheet: sheet.kind is not SheetKind.TIME_TO_EVENT)
    for sheet in long:
        filters = row_filters(sheet)
        if filters:
            column, levels = filters[0]
            draft.questions.append(
                Question(
                    QuestionKind.ROWS,
                    f"data.tables.subjects.rows.{column}",
                    f"“{sheet.raw.label}” has several rows a patient: its rows aren't patients. "
                    f"With one value of “{column}” each patient has one row; which one describes "
                    "the patients?",
                    f"{sheet.n_rows} rows, {_n_ids(sheet)} patients.",
                    guess=levels[0],
                    options=levels,
                    columns=(column,),
                )
            )
            draft.findings.append(_rows_not_patients(sheet, f"rows with {column} = {levels[0]}"))
            return _Subjects(sheet, filters[0])
    plain = [sheet for sheet in sheets if sheet.kind is SheetKind.PLAIN]
    if plain:
        sheet = max(plain, key=_patient_score)
        draft.questions.append(
            Question(
                QuestionKind.SUBJECT_ID,
                "data.tables.subjects.subject_id",
                f"“{sheet.id_column}” repeats, and no column picks one row a patient. Are the rows "
                "of this table patients, or visits, samples or events of patients?",
                f"{sheet.n_rows} rows, {_n_ids(sheet)} patients.",
                guess=sheet.id_column,
                columns=(sheet.id_column,) if sheet.id_column else (),
            )
        )
        draft.findings.append(_rows_not_patients(sheet, None))
        return _Subjects(sheet)
    draft.findings.append(
        Finding(
            FindingCode.TABLE_MISSING,
            Severity.ERROR,
            "No table has one row per patient.",
            f"There is: {listed([f'“{sheet.raw.label}”' for sheet in sheets]) or 'nothing'}. "
            "Add the file or sheet with the patients, or choose the table on the Data page.",
            table="subjects",
        )
    )
    return None


def _n_ids(sheet: Sheet) -> int:
    return sheet.profiles[sheet.id_column].n_distinct if sheet.id_column else sheet.n_rows


def _rows_not_patients(sheet: Sheet, taken: str | None) -> Finding:
    what = f"; {taken} are taken for the patients" if taken else ""
    return Finding(
        FindingCode.ROWS_NOT_PATIENTS,
        Severity.WARNING,
        f"“{sheet.raw.label}” has {sheet.n_rows} rows for {_n_ids(sheet)} patients{what}.",
        "Choose on the Data page which rows describe the patients, or delete the rows that were "
        "entered twice.",
        file=sheet.raw.file,
        sheet=sheet.raw.sheet,
        column=sheet.id_column,
        count=sheet.n_rows,
        table="subjects",
    )


def _patient_score(sheet: Sheet) -> tuple[float, int, int]:
    """Say how much a sheet looks like the patient table."""
    known = vocabulary()
    words = words_of(sheet.raw.label)
    named = any(word in _SUBJECT_WORDS for word in words) or any(
        part in sheet.raw.label for part in _SUBJECT_CHINESE
    )
    concepts = {
        match.concept
        for parts in sheet.words.values()
        if (match := known.variables.match(parts)) is not None and match.exact
    }
    return 5.0 * named + len(concepts), sheet.n_rows, len(sheet.profiles)


def _source(sheet: Sheet, rows: dict[str, tuple[Scalar, ...]] | None = None) -> TableSource:
    return TableSource(
        file=sheet.raw.file,
        sheet=sheet.raw.sheet,
        subject_id=sheet.id_column,
        rows=rows or {},
        columns=_formats(sheet),
    )


# -------------------------------------------------------------------------------------- dates


def _is_dated(sheet: Sheet, name: str) -> bool:
    return is_date_column(sheet, name)


def _formats(sheet: Sheet) -> dict[str, ColumnFormat]:
    """Give the reading rule of each column that needs one."""
    formats = {}
    orders = _orders(sheet)
    for name, profile in sheet.profiles.items():
        if _is_dated(sheet, name):
            if orders.get(name) not in (None, "ymd"):
                formats[name] = ColumnFormat(date_order=orders[name])
        elif profile.is_numeric and profile.decimal == "," and not profile.is_whole:
            formats[name] = ColumnFormat(decimal=",")
    return formats


def _orders(sheet: Sheet) -> dict[str, DateOrder]:
    """Give the order of each column of dates; an ambiguous one follows its neighbours."""
    known: dict[DateOrder, int] = {}
    for name, profile in sheet.profiles.items():
        if _is_dated(sheet, name) and len(profile.orders) == 1 and profile.orders[0] != "ymd":
            known[profile.orders[0]] = known.get(profile.orders[0], 0) + 1
    usual: DateOrder = max(known, key=lambda order: known[order]) if known else "dmy"
    return {
        name: profile.orders[0] if len(profile.orders) == 1 else usual
        for name, profile in sheet.profiles.items()
        if _is_dated(sheet, name) and profile.orders
    }


def _ask_orders(role: str, sheet: Sheet, draft: _Draft) -> None:
    orders = _orders(sheet)
    clear = {
        name: order
        for name, order in orders.items()
        if not sheet.profiles[name].is_ambiguous and order != "ymd"
    }
    for name, order in orders.items():
        profile = sheet.profiles[name]
        if not profile.is_ambiguous:
            continue
        example = next(
            text
            for text in profile.counts
            if date_of(text) is None and date_of(text, "dmy") != date_of(text, "mdy")
        )
        reason = (
            f"Other columns of this table read as {_order_words(order)} only ({listed([*clear])})."
            if clear
            else "Every date in this column reads both ways."
        )
        options = []
        for option in ("dmy", "mdy"):
            read = date_of(example, option)
            meant = f": {example} is {read.day} {read:%B} {read.year}" if read else ""
            options.append(f"{option}{meant}")
        draft.questions.append(
            Question(
                QuestionKind.DATE_ORDER,
                f"data.tables.{role}.columns.{name}.date_order",
                f"Is “{name}” written {_order_words('dmy')} or {_order_words('mdy')}?",
                reason,
                guess=order,
                options=tuple(options),
                table=role,
                columns=(name,),
            )
        )
        draft.findings.append(
            Finding(
                FindingCode.DATE_AMBIGUOUS,
                Severity.WARNING,
                f"The dates of “{name}” can be read two ways; {_order_words(order)} is assumed.",
                "Confirm the order of day and month on the Data page.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                column=name,
                count=profile.n_known,
                table=role,
            )
        )


def _order_words(order: str) -> str:
    return {"dmy": "day/month/year", "mdy": "month/day/year"}.get(order, "year-month-day")


# ----------------------------------------------------------------------------------- subjects


def _add_subjects(subjects: _Subjects, draft: _Draft) -> None:
    sheet = subjects.sheet
    rows: dict[str, tuple[Scalar, ...]] = {}
    if subjects.row_filter is not None:
        column, levels = subjects.row_filter
        rows[column] = (scalar(levels[0]),)
        draft.say("subjects", column, ColumnRole.PARAMETER, "picks one row a patient")
    draft.tables["subjects"] = _source(sheet, rows)
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
    _ask_orders("subjects", sheet, draft)
    for dated in date_columns(sheet, {}):
        if dated.use == "cutoff" and draft.cutoff_column is None:
            draft.cutoff_column = dated.name
            draft.say("subjects", dated.name, ColumnRole.DATE, "date of the data cut-off")
    if not subjects.long_format and sheet.kind is SheetKind.PLAIN:
        _add_endpoints("subjects", sheet, draft)


def _add_endpoints(role: str, sheet: Sheet, draft: _Draft) -> None:
    """Take the endpoints of a table with one row a patient; dates before rounded times."""
    orders = _orders(sheet)
    dated = {guess.code: guess for guess in from_dates(sheet, role, date_columns(sheet, orders))}
    timed = {guess.code: guess for guess in from_times(sheet, role)}
    for code in dict.fromkeys((*dated, *timed)):
        if code in draft.endpoints:
            continue
        chosen = dated.get(code) or timed[code]
        if code in dated and code in timed:
            if timed[code].n_usable > dated[code].n_usable:
                chosen = timed[code]
            _compare(sheet, dated[code], timed[code], orders, chosen, draft)
            other = timed[code] if chosen is dated[code] else dated[code]
            for name in other.columns:
                if name not in chosen.columns:
                    what = ColumnRole.TIME if name == other.endpoint.time else ColumnRole.STATUS
                    what = ColumnRole.DATE if _is_dated(sheet, name) else what
                    draft.say(role, name, what, f"{code} is taken from {_origin(chosen)} instead")
        _take(role, chosen, draft)


def _origin(guess: Guess) -> str:
    return "the dates" if guess.endpoint.from_dates else "the column of times"


def _take(role: str, guess: Guess, draft: _Draft) -> None:
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


def _compare(
    sheet: Sheet,
    dated: Guess,
    timed: Guess,
    orders: Mapping[str, DateOrder],
    chosen: Guess,
    draft: _Draft,
) -> None:
    events, times = disagreement(sheet, dated, timed, orders)
    code_source = "the dates are" if chosen is dated else "the column of times is"
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
                    f"{_sentence(f'{code_source} used')} Look at these rows, and choose the "
                    "source on the Data page.",
                    file=sheet.raw.file,
                    sheet=sheet.raw.sheet,
                    column=timed.endpoint.event if places is events else timed.endpoint.time,
                    rows=tuple(int(row) for row in rows[places]),
                    count=len(places),
                    table="subjects",
                )
            )


def _add_long_endpoints(subjects: _Subjects, draft: _Draft) -> None:
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
        draft.tables[role] = _source(sheet)
        draft.sheets[role] = sheet
        for guess in guesses:
            _take(role, guess, draft)


# --------------------------------------------------------------------------------- other tables


def _add_other(sheet: Sheet, subjects: Sheet, draft: _Draft) -> None:
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
                _take("time_to_event", guess, draft)
    elif sheet.kind is SheetKind.PLAIN and not sheet.ids_repeat:
        _add_second_patient_table(sheet, draft)
    else:
        draft.findings.append(_unused(sheet, "it is not known what its rows are", Severity.WARNING))


def _add_second_patient_table(sheet: Sheet, draft: _Draft) -> None:
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


def _take_table(role: str, sheet: Sheet, draft: _Draft) -> None:
    draft.tables[role] = _source(sheet)
    draft.sheets[role] = sheet
    if sheet.id_column:
        draft.say(role, sheet.id_column, ColumnRole.SUBJECT_ID, "has the ids of the patient table")
    _ask_orders(role, sheet, draft)


def _linked(sheet: Sheet, subjects: Sheet) -> Sheet | None:
    """Choose the column with the patient table's ids; ``None`` when too few agree."""
    if subjects.id_column is None:
        return None
    known = set(subjects.ids()) - {None}
    names = [sheet.id_column] if sheet.id_column else []
    if subjects.id_column in sheet.profiles:
        names.insert(0, subjects.id_column)
    names += [name for name, profile in sheet.profiles.items() if not profile.is_date]
    for name in dict.fromkeys(names):
        candidate = replace(sheet, id_column=name)
        own = set(candidate.ids()) - {None}
        if own and len(own & known) >= _MIN_OVERLAP * len(own) and len(own) > 1:
            return candidate
    return None


def _adverse_events(sheet: Sheet, draft: _Draft) -> AdverseEventDefinition:
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


def _note_assessments(sheet: Sheet, draft: _Draft) -> None:
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


# --------------------------------------------------------------------------------- variables


def _add_variables(draft: _Draft) -> None:
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


def _same_sheet(first: TableSource | None, second: TableSource) -> bool:
    return first is not None and (first.file, first.sheet) == (second.file, second.sheet)


def _response_columns(sheet: Sheet) -> set[str]:
    return {name for name, profile in sheet.profiles.items() if is_response(profile)}


def _note_ignored(ignored: list[VariableGuess], sheet: Sheet, draft: _Draft) -> None:
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


# ---------------------------------------------------------------------------------- questions


def _ask(draft: _Draft) -> None:
    if not draft.endpoints:
        sheet = draft.sheets["subjects"]
        draft.questions.append(
            Question(
                QuestionKind.ENDPOINT,
                "definitions.endpoints",
                "No endpoint was recognised. Which columns hold the time and the status, or the "
                "dates?",
            )
        )
        draft.findings.append(
            Finding(
                FindingCode.ENDPOINT_NOT_FOUND,
                Severity.WARNING,
                f"No endpoint was recognised in “{sheet.raw.label}”: no time with a status, and no "
                "dates of an event.",
                "Choose the columns of the endpoint on the Data page.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                table="subjects",
            )
        )
    for code, guess in draft.guesses.items():
        endpoint = guess.endpoint
        path = f"definitions.endpoints.{code}"
        says = guess.coding.says(_meanings(draft, endpoint)) if guess.coding else None
        if endpoint.event is not None and guess.coding is not None:
            text = f"{endpoint.label}: which values of “{endpoint.event}” are events?"
            reason = f"{guess.reason} {guess.coding.reason}"
        else:
            text = f"{endpoint.label}: does every date in these columns stand for an event?"
            reason = guess.reason
            says = "; ".join(
                f"a date in “{name}” = {kind}" for kind, name in endpoint.event_dates.items()
            )
        draft.questions.append(
            Question(
                QuestionKind.EVENT_CODING,
                f"{path}.events",
                text,
                reason,
                guess=says,
                table=endpoint.table,
                endpoint=code,
                columns=guess.columns,
                counts=guess.counts,
            )
        )
        if not endpoint.from_dates:
            draft.questions.append(
                Question(
                    QuestionKind.TIME_UNIT,
                    f"{path}.unit",
                    f"{endpoint.label}: what is the unit of “{endpoint.time}”?",
                    _sentence(guess.unit_reason),
                    guess=endpoint.unit.value if endpoint.unit else None,
                    options=tuple(unit.value for unit in TimeUnit),
                    table=endpoint.table,
                    endpoint=code,
                    columns=(endpoint.time,) if endpoint.time else (),
                )
            )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _meanings(draft: _Draft, endpoint: Endpoint) -> dict[str, str]:
    sheet = draft.sheets.get(endpoint.table)
    if sheet is None or endpoint.event is None:
        return {}
    texts = sheet.profiles[endpoint.event].counts
    return {text: sheet.label_of(endpoint.event, text) for text in texts}


# ----------------------------------------------------------------------------------- the result


def _evidence(draft: _Draft) -> dict[str, ColumnEvidence]:
    out = {}
    for role, sheet in draft.sheets.items():
        known = draft.roles.get(role, {})
        for name, profile in sheet.profiles.items():
            if role != "subjects" and name not in known:
                continue
            what, why = known.get(name, (ColumnRole.IGNORED, "nothing was recognised"))
            secret = what is ColumnRole.SUBJECT_ID or (role, name) in draft.hidden
            dated = _is_dated(sheet, name)
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
            if dated and not secret and profile.first_date and profile.last_date:
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


def _finish(draft: _Draft) -> Proposal:
    study = Study(
        title=_title(draft),
        synthetic=draft.synthetic,
        data=DataSection(tables=draft.tables),
        definitions=Definitions(
            endpoints=draft.endpoints,
            variables=draft.variables,
            response=_response(draft),
            adverse_events=draft.adverse_events,
            cutoff_column=draft.cutoff_column,
        ),
    )
    order = list(QuestionKind)
    first = (QuestionKind.ROWS, QuestionKind.SUBJECT_ID, QuestionKind.ENDPOINT)
    questions = sorted(
        draft.questions,
        key=lambda question: (question.kind not in first, 0 if question.endpoint else -1),
    )
    assert set(order) >= {question.kind for question in questions}
    return Proposal(
        study=study,
        evidence=_evidence(draft),
        questions=tuple(questions),
        findings=worst_first(draft.findings),
    )


def _response(draft: _Draft) -> ResponseDefinition | None:
    variable = draft.variables.get("best_response")
    if variable is None or not {"CR", "PR", "SD"} <= set(variable.levels):
        return None
    return ResponseDefinition(variable="best_response")


def _title(draft: _Draft) -> str:
    source = draft.tables.get("subjects")
    if source is None or not source.file:
        return "Untitled study"
    return source.file.rsplit(".", 1)[0]
