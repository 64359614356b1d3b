"""What a person must say about each endpoint before its numbers can be trusted."""

from __future__ import annotations

from dataclasses import replace

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.draft import Draft
from sts_core.reading.endpoints import date_columns, has_short_years
from sts_core.reading.gap_codes import Gaps, gaps_in
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.reading.sheet import Sheet
from sts_core.reading.variables import VariableGuess, why_no_number
from sts_core.reading.vocabulary import vocabulary
from sts_core.study.types import Endpoint, TimeUnit
from sts_core.values import missing_codes, texts


def ask_endpoints(draft: Draft) -> None:
    """Ask for the events and the unit of each endpoint; for the columns where there is none."""
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
                f"No endpoint was recognised in “{sheet.raw.label}”: no time with a status, and "
                f"{_lacking_dates(sheet)}.{_unread_times(sheet)}",
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


def _unread_times(sheet: Sheet) -> str:
    """Name columns with the name of a time whose cells can't be read as numbers."""
    named = [
        f"“{name}”: {why}."
        for name, profile in sheet.profiles.items()
        if not profile.is_numeric
        and vocabulary().time_of.match(sheet.words[name], drop=frozenset(vocabulary().units))
        and (why := why_no_number(profile)) is not None
    ]
    return " " + " ".join(named) if named else ""


def _lacking_dates(sheet: Sheet) -> str:
    """Say what dates lack for an endpoint: those of an event, or of the start."""
    short = [name for name, profile in sheet.profiles.items() if has_short_years(profile)]
    if short:
        named = listed([f"“{name}”" for name in short])
        return f"dates with years of two digits in {named}; write them in full, as 2021-05-03"
    columns = date_columns(sheet, {})
    events = [f"“{column.name}”" for column in columns if column.use in ("event", "end")]
    if not events:
        return "no dates of an event"
    if any(column.use == "start" for column in columns):
        return f"too few patients with a start and an end ({listed(events)})"
    return f"beside {listed(events)} no date of the start (first dose, diagnosis, randomisation)"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _meanings(draft: Draft, endpoint: Endpoint) -> dict[str, str]:
    sheet = draft.sheets.get(endpoint.table)
    if sheet is None or endpoint.event is None:
        return {}
    texts = sheet.profiles[endpoint.event].counts
    return {text: sheet.label_of(endpoint.event, text) for text in texts}


def ask_codes(role: str, guess: VariableGuess, key: str, sheet: Sheet, draft: Draft) -> None:
    """Ask whether numbers that stand apart in a variable mean "not known"."""
    gaps = guess.gaps
    taken = [text for text in gaps.codes if text not in gaps.labelled]
    if not taken and not gaps.doubtful:
        return
    path = f"definitions.variables.{key}.missing_codes"
    if taken:
        assumed = "They count as “not known”."
        hint = "If they are numbers, take them off the missing codes of the variable"
    else:
        assumed = "They count as values."
        hint = "If they mean “not known”, add them to the missing codes of the variable"
    _ask(
        role, guess.column, gaps, sheet, draft, path=path, assumed=assumed,
        hint=f"{hint} on the Data page.", guess=", ".join(taken) or None,
    )  # fmt: skip


def ask_time_codes(draft: Draft) -> None:
    """Ask whether a 999 among the times of an endpoint is a time.

    It is read as "not known" in the whole table where it is nothing else in any of its columns.
    """
    seen = set()
    for endpoint in draft.endpoints.values():
        role, column = endpoint.table, endpoint.time
        sheet = draft.sheets.get(role)
        if column is None or sheet is None or (role, column) in seen:
            continue
        seen.add((role, column))
        gaps = gaps_in(sheet.profiles[column], sheet.raw.frame[column], {})
        # a time below zero is refused by the rules, whatever it was meant to be
        codes = tuple(text for text in gaps.codes if not text.startswith(("-", "\N{MINUS SIGN}")))
        if not codes:
            continue
        counts = tuple(n for text, n in zip(gaps.codes, gaps.n, strict=False) if text in codes)
        gaps = replace(gaps, codes=codes, doubtful=(), n=counts)
        free = not any(_holds(sheet, name, codes, draft) for name in sheet.profiles)
        path = f"data.tables.{role}.missing_codes"
        if free:
            source = draft.tables[role]
            known = dict.fromkeys((*source.missing_codes, *codes))
            draft.tables[role] = replace(source, missing_codes=tuple(known))
        _ask(
            role, column, gaps, sheet, draft, path=path,
            assumed="They count as “not known”: these patients have no time."
            if free
            else "They count as times, because the same numbers are values of other columns.",
            hint="If they are times, take them off under “How cells are read” on the Data page."
            if free
            else "If they mean “not known”, blank these cells in the file.",
            guess=", ".join(codes) if free else None,
        )  # fmt: skip


def _holds(sheet: Sheet, name: str, codes: tuple[str, ...], draft: Draft) -> bool:
    """Whether a column has one of the codes as a value of its own."""
    cells = sheet.raw.frame[name]
    found = set(codes) & set(texts(cells, missing_codes()))
    if not found:
        return False
    if name in {endpoint.time for endpoint in draft.endpoints.values()}:
        return not found <= set(gaps_in(sheet.profiles[name], cells, {}).codes)
    return not any(
        (item.column or key) == name and found <= set(item.missing_codes)
        for key, item in draft.variables.items()
    )


def _ask(
    role: str, column: str, gaps: Gaps, sheet: Sheet, draft: Draft, *,
    path: str, assumed: str, hint: str, guess: str | None,
) -> None:  # fmt: skip
    counts = tuple(
        (text, n)
        for text, n in zip((*gaps.codes, *gaps.doubtful), gaps.n, strict=True)
        if text not in gaps.labelled
    )
    named = listed([f"{text} ({n})" for text, n in counts])
    n = sum(count for _, count in counts)
    rest = f"the other numbers run from {gaps.rest[0]:g} to {gaps.rest[1]:g}" if gaps.rest else ""
    draft.questions.append(
        Question(
            QuestionKind.MISSING_CODE,
            path,
            f"“{column}”: does {named} mean “not known”?",
            _sentence(rest) if rest else "",
            guess=f"{guess} = not known" if guess else None,
            table=role,
            columns=(column,),
            counts=counts,
        )
    )
    draft.findings.append(
        Finding(
            FindingCode.CODE_SUSPECTED,
            Severity.WARNING,
            f"“{column}” holds {named}, which look like codes for “not known”"
            + (f": {rest}" if rest else "")
            + f". {assumed}",
            hint,
            file=sheet.raw.file,
            sheet=sheet.raw.sheet,
            column=column,
            count=n,
            table=role,
        )
    )
