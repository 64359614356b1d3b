"""Rows of patients who have several where one is expected, and nobody has said which counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.workbook import RawTable

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """Rows of a table in which the rows of a few patients were not chosen among.

    Attributes
    ----------
    kept
        Rows that count, boolean array (rows,).
    findings
        Who has several rows, and where they are.
    """

    kept: np.ndarray
    findings: tuple[Finding, ...]


def without_choice(
    table: RawTable, role: str, column: str, frame: pd.DataFrame, subject: np.ndarray,
    rows: np.ndarray,
) -> Settled:  # fmt: skip
    """Leave out the rows of patients who have several, unless these say the same.

    Parameters
    ----------
    table, role, column
        The table, its role, and its column of ids.
    frame
        Its rows.
    subject
        Patient of each row, ``None`` for nobody; object array (rows,).
    rows
        Spreadsheet row of each row, integer array (rows,).
    """
    known = np.array([name is not None for name in subject], dtype=bool)
    kept = np.ones(len(frame), dtype=bool)
    twice = known & pd.Series(subject).duplicated(keep=False).to_numpy()
    if not twice.any():
        return Settled(kept, ())
    others = [name for name in frame.columns if name != column]
    told = frame[others].assign(**{column: subject})
    same = told.astype(str).duplicated(keep="first").to_numpy() & twice
    kept &= ~same
    again = np.zeros(len(frame), dtype=bool)
    here = np.flatnonzero(kept & known)
    again[here] = pd.Series(subject[here]).duplicated(keep=False).to_numpy()
    kept &= ~again
    findings = []
    if same.any():
        n = int(same.sum())
        findings.append(
            _finding(
                table, role, column, Severity.NOTE, rows[same],
                f"{'1 row' if n == 1 else f'{n} rows'} of “{table.label}” "
                f"{'says' if n == 1 else 'say'} the same as "
                "another one of the patient: each patient counts once.",
                "Nothing to do.",
            )
        )  # fmt: skip
    if again.any():
        who = tuple(dict.fromkeys(subject[again]))
        places = [
            f"{name} (rows {listed([str(row) for row in rows[again & (subject == name)]])})"
            for name in who[:_MOST_NAMED]
        ]
        more = f" and {len(who) - _MOST_NAMED} more" if len(who) > _MOST_NAMED else ""
        n, whom = len(who), "this patient" if len(who) == 1 else "these patients"
        verb = "1 patient has" if n == 1 else f"{n} patients have"
        findings.append(
            _finding(
                table, role, column, Severity.WARNING, rows[again],
                f"{verb} several rows in “{table.label}”, which has one a patient: "
                f"{', '.join(places)}{more}. What it says of {whom} is not known until a row is "
                "chosen; all others are joined.",
                "On the Data page, choose in the list of tables which row counts, or read the rows "
                "as visits; or delete the rows that were entered twice.",
            )
        )  # fmt: skip
    return Settled(kept, tuple(findings))


def _finding(
    table: RawTable, role: str, column: str, severity: Severity, rows: np.ndarray, message: str,
    hint: str,
) -> Finding:  # fmt: skip
    return Finding(
        FindingCode.SUBJECT_REPEATED, severity, message, hint, file=table.file, sheet=table.sheet,
        column=column, rows=tuple(int(row) for row in rows), count=len(rows), table=role,
    )  # fmt: skip
