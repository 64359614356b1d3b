"""What a person must say about each endpoint before its numbers can be trusted."""

from __future__ import annotations

from sts_core.findings import Finding, FindingCode, Severity
from sts_core.reading.draft import Draft
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.study.types import Endpoint, TimeUnit


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


def _meanings(draft: Draft, endpoint: Endpoint) -> dict[str, str]:
    sheet = draft.sheets.get(endpoint.table)
    if sheet is None or endpoint.event is None:
        return {}
    texts = sheet.profiles[endpoint.event].counts
    return {text: sheet.label_of(endpoint.event, text) for text in texts}
