"""What the rows of a sheet are taken for, and why."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sts_core.reading.proposal import TableKind
from sts_core.reading.sheet import Sheet, SheetKind
from sts_core.reading.treatment_lines import is_of_lines
from sts_core.reading.vocabulary import Phrases, read_words, words_of

#: Roles that analyses know; any other role is a table of its own.
USUAL_ROLES: Mapping[str, TableKind] = {
    kind.value: kind
    for kind in (
        TableKind.SUBJECTS, TableKind.ASSESSMENTS, TableKind.LESIONS, TableKind.EXPOSURES,
        TableKind.ADVERSE_EVENTS, TableKind.TIME_TO_EVENT,
    )
}  # fmt: skip
_OF_SHEET = {
    SheetKind.ADVERSE_EVENTS: (
        TableKind.ADVERSE_EVENTS, "it has a term and a grade of adverse events",
    ),
    SheetKind.ASSESSMENTS: (TableKind.ASSESSMENTS, "it has tumour responses by visit or parameter"),
    SheetKind.TIME_TO_EVENT: (
        TableKind.TIME_TO_EVENT, "it has parameters (PARAMCD) with a time (AVAL) and CNSR",
    ),
    SheetKind.DICTIONARY: (TableKind.DICTIONARY, "it describes columns and holds no patients"),
}  # fmt: skip


def kind_of(sheet: Sheet) -> tuple[TableKind, str]:
    """Say what the rows of a sheet are, and what speaks for it.

    A table that is nothing else is one of patients when no id stands twice; otherwise its rows are
    not known.
    """
    if sheet.kind in _OF_SHEET:
        return _OF_SHEET[sheet.kind]
    for kind, (names, headers) in _known().items():
        found = {headers.whole(words) for words in sheet.words.values()} - {None}
        if "line" in found and not is_of_lines(sheet):  # that of a patient, at every visit
            found -= {"line", "drug"}
        named = names.whole(words_of(sheet.raw.label.rsplit(".", 1)[0])) is not None
        if sheet.ids_repeat and (len(found) >= 2 or (named and found)):
            what = "lines of treatment" if "line" in found else kind.value
            return kind, f"its columns are of {what}, and a patient has several rows"
        if named and {"drug", "period"} <= found:  # one row of each patient is a row of treatment
            return kind, f"its name and its columns are of {kind.value}"
    if not sheet.ids_repeat:
        why = "no id stands twice" if sheet.id_column else "no column repeats as an id would"
        return TableKind.ONE_ROW, why
    return TableKind.UNUSED, "a patient has several rows, and it is not known what they are"


@lru_cache(maxsize=1)
def _known() -> dict[TableKind, tuple[Phrases, Phrases]]:
    words = read_words("tables.yaml")
    return {
        kind: (Phrases({"name": words[kind]["names"]}), Phrases(words[kind]["headers"]))
        for kind in (TableKind.LESIONS, TableKind.EXPOSURES)
    }
