"""Times and status columns that only their short names pair: proposed, and asked about."""

from __future__ import annotations

import re
from dataclasses import replace

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.draft import Draft, take_endpoint
from sts_core.reading.endpoints import Guess, guess_of_pair, is_date_column
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.reading.sheet import Sheet

_TIME = re.compile(r"^(t|tt|time|dur|duration|days|months)[\s_.-]*(\w{0,3})$", re.IGNORECASE)
_STATUS = re.compile(
    r"^(d|s|e|c|st|ev|status|event|ind|indicator|delta|dead|cens|fail)[\s_.-]*(\w{0,3})$",
    re.IGNORECASE,
)
_FEWEST_TIMES = 10
_MIN_DIFFERENT = 0.25
_MAX_PAIRS = 8


def propose_unnamed(role: str, sheet: Sheet, draft: Draft) -> None:
    """Propose pairs of a time and a status that no name says anything of (``t1`` and ``d1``).

    They are endpoints that wait for an answer, as any guess does: what they are times to, the
    events and the unit are all open.

    Parameters
    ----------
    role, sheet
        A table with one row a patient in which no endpoint was recognised.
    draft
        Takes the endpoints, one question and one finding.
    """
    statuses = _statuses(sheet)
    pairs = pairs_of(sheet)[:_MAX_PAIRS]
    taken = []
    for time, status in pairs:
        code = re.sub(r"\W+", "", time).upper()
        guess = guess_of_pair(sheet, role, code, f"{time} with {status}", time, status)
        if guess is None or code in draft.endpoints:
            continue
        take_endpoint(role, _asking(guess, time, status), draft)
        taken.append(f"“{time}” with “{status}”")
    if not taken:
        return
    draft.questions.append(
        Question(
            QuestionKind.ENDPOINT,
            "definitions.endpoints",
            f"No column is named as an endpoint. Are these times with their status: "
            f"{listed(taken)}? And times to what?",
            "Each is a number, and a 0 or 1 under the same short name but for its beginning. Any "
            "that is no endpoint is to be removed.",
            columns=tuple(name for pair in pairs for name in pair),
            table=role,
        )
    )
    left = [f"“{name}”" for name in statuses.values() if name not in {end for _, end in pairs}]
    alone = f" {listed(left)} may be a status too, without a time of its own." if left else ""
    draft.findings.append(
        Finding(
            FindingCode.ENDPOINT_NOT_FOUND,
            Severity.WARNING,
            f"No column of “{sheet.raw.label}” is named as an endpoint. By their values and short "
            f"names, {listed(taken)} may be times with their status; what to, the file does not "
            f"say.{alone}",
            "Look them up in the description of the data. On the Data page, confirm those that are "
            "endpoints and remove the others.",
            file=sheet.raw.file,
            sheet=sheet.raw.sheet,
            count=len(taken),
            table=role,
        )
    )


def pairs_of(sheet: Sheet) -> list[tuple[str, str]]:
    """Give times and 0-or-1 columns whose headers differ in their beginning only, as in ``t1, d1``.

    A time is a number that is never negative and differs between patients; ``d`` or ``s`` without
    a further letter or digit pairs with a bare ``t``.
    """
    statuses, pairs = _statuses(sheet), []
    for name, profile in sheet.profiles.items():
        found = _TIME.match(name.strip())
        if found is None or not profile.is_numeric or is_date_column(sheet, name):
            continue
        many = profile.n_distinct >= max(_FEWEST_TIMES, _MIN_DIFFERENT * profile.n_known)
        status = statuses.get(found[2].casefold())
        if many and status is not None and profile.low is not None and profile.low >= 0:
            pairs.append((name, status))
    return pairs


def _statuses(sheet: Sheet) -> dict[str, str]:
    """Give the columns of 0 and 1 with a short name, by what follows its beginning."""
    statuses: dict[str, str] = {}
    for name, profile in sheet.profiles.items():
        found = _STATUS.match(name.strip())
        if found and profile.complete and {*profile.counts} == {"0", "1"}:
            statuses.setdefault(found[2].casefold(), name)
    return statuses


def _asking(guess: Guess, time: str, status: str) -> Guess:
    reason = (
        f"No name says so: “{time}” is a number and “{status}” is 0 or 1, under the same short "
        "name but for its beginning."
    )
    return replace(guess, reason=reason)
