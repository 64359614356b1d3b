"""Which rows of a table belong to which patient: by the id, and by a rule that is stated."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sts_core.reading.other_ids import OtherIds
from sts_core.study.types import IdRule

#: The rules as the app names them.
RULES: Mapping[IdRule, str] = {
    IdRule.EXACT: "ids as they are written",
    IdRule.SPELLING: "case, blanks, letter width and a “.0” are ignored",
    IdRule.SIGNS: "only letters and digits count (“P-01 A” is “p01a”)",
    IdRule.ZEROS: "leading zeros, case and blanks are ignored",
    IdRule.NUMBER: "only the last number of an id counts (“P-007” is “7”)",
}
_POINT_ZERO = re.compile(r"^([+-]?\d+)\.0+$")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_LAST_NUMBER = re.compile(r"(\d+)\D*$")


def id_key(text: str, rule: IdRule) -> str:
    """Give what two ids must share to be one patient's under a rule.

    Parameters
    ----------
    text
        Id as canonical text (see :func:`sts_core.values.text_of`).
    rule
        How alike two spellings must be.
    """
    if rule is IdRule.EXACT:
        return text
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    key = "".join(plain.casefold().split())
    if key.endswith("0") and (found := _POINT_ZERO.match(key)):
        key = found[1]
    if rule is IdRule.SPELLING:
        return key
    if rule is IdRule.SIGNS:
        return "".join(sign for sign in key if sign.isalnum()) or key
    if rule is IdRule.NUMBER and (found := _LAST_NUMBER.search(key)):
        key = found[1]
    return _ZEROS.sub("", key)


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """Rows of a table by patient.

    Attributes
    ----------
    subject
        Study id of each row, ``None`` where it belongs to nobody; object array (rows,).
    n_ids, n_ids_matched
        Different ids in the table, and those that are one patient's.
    n_ids_unclear
        Ids that the rule gives to several patients; their rows belong to nobody.
    no_id
        Rows without an id, boolean array (rows,).
    """

    subject: np.ndarray
    n_ids: int
    n_ids_matched: int
    n_ids_unclear: int
    no_id: np.ndarray

    @property
    def matched(self) -> np.ndarray:
        """Rows that belong to a patient, boolean array (rows,)."""
        found: np.ndarray = np.not_equal(self.subject, np.array(None, dtype=object)).astype(bool)
        return found


def link(ids: np.ndarray, patients: Mapping[str, Sequence[str]], rule: IdRule) -> Link:
    """Give each row of a table its patient.

    Parameters
    ----------
    ids
        Id of each row as canonical text, ``None`` where missing; object array (rows,).
    patients
        Id in the patient table -> the patients that have it: more than one where each row of a
        repeated id is a patient.
    rule
        How alike two spellings must be. A key that two patients share matches neither.
    """
    by_key: dict[str, set[str]] = {}
    for text, subjects in patients.items():
        by_key.setdefault(id_key(text, rule), set()).update(subjects)
    different = dict.fromkeys(text for text in ids.tolist() if text is not None)
    owner: dict[str | None, str | None] = {None: None}
    unclear = 0
    for text in different:
        found = by_key.get(id_key(text, rule), set())
        unclear += len(found) > 1
        owner[text] = next(iter(found)) if len(found) == 1 else None
    subject = np.empty(len(ids), dtype=object)
    subject[:] = [owner[text] for text in ids.tolist()]
    no_id = np.array([text is None for text in ids.tolist()], dtype=bool)
    n_matched = sum(name is not None for text, name in owner.items() if text is not None)
    return Link(subject, len(different), n_matched, unclear, no_id)


@dataclass(frozen=True, slots=True)
class Join:
    """How a table was joined to the patients, in numbers.

    Attributes
    ----------
    role, file, sheet, column
        Which table, and its column of ids.
    rule
        How ids were compared.
    n_subjects
        Patients of the patient table.
    n_rows, n_ids
        Rows of the table and different ids in it.
    n_ids_matched, n_ids_unclear
        Ids that are one patient's, and ids that the rule gives to several.
    n_subjects_without_row, n_subjects_several
        Patients without a row and with several; without a row means "not recorded".
    rows_unmatched, rows_without_id
        Spreadsheet rows of ids that are nobody's, and rows without an id; both are left out.
    better, n_better
        A rule under which more ids match, and how many more; it is offered, never taken.
    patient_column
        Column of the patient table with these ids, where that is not the patient id.
    other
        Two columns that hold the same ids, where fewer than half of these match.
    """

    role: str
    file: str
    sheet: str | None
    column: str
    rule: IdRule
    n_subjects: int
    n_rows: int
    n_ids: int
    n_ids_matched: int
    n_ids_unclear: int
    n_subjects_without_row: int
    n_subjects_several: int
    rows_unmatched: tuple[int, ...]
    rows_without_id: tuple[int, ...]
    better: IdRule | None = None
    n_better: int = 0
    patient_column: str | None = None
    other: OtherIds | None = None

    @property
    def n_ids_unmatched(self) -> int:
        """Ids that are nobody's."""
        return self.n_ids - self.n_ids_matched

    @property
    def n_rows_matched(self) -> int:
        """Rows that belong to a patient."""
        return self.n_rows - len(self.rows_unmatched) - len(self.rows_without_id)


def better_rule(
    ids: np.ndarray, patients: Mapping[str, Sequence[str]], used: Link, rule: IdRule
) -> tuple[IdRule | None, int]:
    """Look for the strictest rule that matches the most ids beyond those that match now.

    Returns
    -------
    tuple
        The rule and how many more ids match under it; ``None`` and 0 when no rule helps.
    """
    best, most = None, used.n_ids_matched
    if used.n_ids == used.n_ids_matched:
        return None, 0
    rules = list(IdRule)
    for other in rules[rules.index(rule) + 1 :]:
        found = link(ids, patients, other)
        if found.n_ids_matched > most:
            best, most = other, found.n_ids_matched
    return best, most - used.n_ids_matched


def alike(ids: Sequence[str]) -> set[str]:
    """Give the ids of which another differs in case, blanks or letter width only."""
    different = set(ids)
    spelt = Counter(id_key(text, IdRule.SPELLING) for text in different)
    if len(spelt) == len(different):
        return set()
    return {text for text in different if spelt[id_key(text, IdRule.SPELLING)] > 1}
