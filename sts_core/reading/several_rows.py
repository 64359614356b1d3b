"""Tables with one row a patient but for a few: which of the rows of these few counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from sts_core.reading.assembly import take_rows
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.reading.sheet import Sheet, SheetKind, is_response, profile_sheet
from sts_core.reading.vocabulary import vocabulary
from sts_core.reading.workbook import RawTable
from sts_core.study.types import RowChoice, TableSource

_MAX_SHARE = 0.2
_FEWEST = 5


def nearly_one_row(sheet: Sheet) -> bool:
    """Whether a table has one row a patient, but for one or at most a fifth of them.

    A row of such a table describes a patient; a second one was entered twice, or is a visit, which
    nobody but a person can say.
    """
    if not sheet.ids_repeat or sheet.raw.part is not None:
        return False
    if sheet.kind is SheetKind.ASSESSMENTS and not _has_best_response(sheet):
        return False
    if sheet.kind not in (SheetKind.PLAIN, SheetKind.ASSESSMENTS) or sheet.parameter("code"):
        return False
    if any(vocabulary().assessments.whole(words) == "visit" for words in sheet.words.values()):
        return False
    sizes = pd.Series(sheet.ids()).value_counts()
    n_several = int((sizes > 1).sum())
    return len(sizes) >= _FEWEST and n_several <= max(1, _MAX_SHARE * len(sizes))


def _has_best_response(sheet: Sheet) -> bool:
    """Whether a column is named as the best response, not as that of a visit."""
    return any(
        ({"best", "bor"} & set(words) or any("最佳" in word for word in words))
        and is_response(sheet.profiles[name])
        for name, words in sheet.words.items()
    )


def as_one_row(sheet: Sheet, source: TableSource) -> Sheet:
    """Give such a table with one row a patient; what its columns hold is told by all rows."""
    chosen, _ = take_rows(sheet.raw.frame, sheet.ids(), replace(source, take=RowChoice.FIRST))
    one = sheet.with_rows(chosen)
    name = str(sheet.id_column)
    profiles = {**sheet.profiles, name: one.profiles[name]}
    return replace(one, profiles=profiles, kind=SheetKind.PLAIN)


def ask_row(role: str, sheet: Sheet) -> Question | None:
    """Ask which row counts of the patients who have several; ``None`` where they say the same."""
    ids = sheet.ids()
    rows = sheet.raw.frame.astype(str).assign(**{str(sheet.id_column): ids})
    sizes = rows.drop_duplicates()[str(sheet.id_column)].value_counts()
    several = sizes[sizes > 1]
    if several.empty:
        return None
    who = "1 patient has" if len(several) == 1 else f"{len(several)} patients have"
    return Question(
        QuestionKind.ROWS,
        f"data.tables.{role}.take",
        f"“{sheet.raw.label}” has one row a patient, but {who} several. Which of them counts?",
        "Until it is said, what this table says of them is not known.",
        options=tuple(choice.value for choice in row_options(sheet.raw).choices),
        table=role,
        columns=(str(sheet.id_column),),
    )


@dataclass(frozen=True, slots=True)
class RowOptions:
    """What can be chosen for a table of which a patient has several rows.

    Attributes
    ----------
    choices
        Which row may count.
    dates
        Columns of dates, by which a row can be the earliest or the latest.
    responses
        Columns of tumour responses, by which a row can be the best or the worst.
    """

    choices: tuple[RowChoice, ...]
    dates: tuple[str, ...]
    responses: tuple[str, ...]


def row_options(table: RawTable) -> RowOptions:
    """Say which choices the columns of a table allow."""
    sheet = profile_sheet(table)
    dated = tuple(name for name, profile in sheet.profiles.items() if profile.is_date)
    responses = tuple(name for name, profile in sheet.profiles.items() if is_response(profile))
    choices = [RowChoice.NONE, RowChoice.FIRST, RowChoice.LAST]
    choices += [RowChoice.EARLIEST, RowChoice.LATEST] * bool(dated)
    choices += [RowChoice.BEST, RowChoice.WORST] * bool(responses)
    return RowOptions(tuple(choices), dated, responses)
