"""One row of each patient, with what all rows of the patient agree on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sts_core.values import distinct_cells, missing_codes, text_of

# One patient, or so small a share of those with several rows, was entered wrongly: the column is
# still one of patients, and not known for them.
_FEW_SHARE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class AgreedRows:
    """One row a patient.

    Attributes
    ----------
    frame
        In the order of the patients' first rows; a cell is the one that all rows of the patient
        that know it agree on, and ``None`` where two say different things.
    first
        Row of the given table that is the first of each, integer array (patients,).
    differing
        Column -> patients whose rows say different things, boolean array (patients,); only
        columns with such patients.
    n_several
        Patients with several rows.
    """

    frame: pd.DataFrame
    first: np.ndarray
    differing: Mapping[str, np.ndarray]
    n_several: int

    @property
    def of_visits(self) -> frozenset[str]:
        """Columns that describe rows and not patients: they differ in more than a very few."""
        few = max(1, int(_FEW_SHARE * self.n_several))
        return frozenset(
            name
            for name, differs in self.differing.items()
            if differs.sum() > few or 2 * differs.sum() > self.n_several
        )


def agreed_rows(frame: pd.DataFrame, ids: np.ndarray, codes: tuple[str, ...] = ()) -> AgreedRows:
    """Give each patient one row of what the patient's rows agree on.

    A blank, and a code for "not known", agrees with anything.

    Parameters
    ----------
    frame
        Rows of the table.
    ids
        Patient of each row, ``None`` where missing; object array (rows,). Rows without an id are
        nobody's.
    codes
        Texts that mean "not known", besides the usual ones.
    """
    known = np.array([value is not None for value in ids], dtype=bool)
    at = np.flatnonzero(known)
    owner, different = pd.factorize(ids[at])
    n = len(different)
    _, first = np.unique(owner, return_index=True)
    first = at[first]
    missing = missing_codes(codes)
    columns: dict[str, np.ndarray] = {}
    differing = {}
    for name in map(str, frame.columns):
        cells, place = distinct_cells(frame[name].iloc[at])
        said = [text_of(cell) for cell in cells]
        numbers: dict[str, int] = {}
        code = np.array(
            [
                -1 if text is None or text.casefold() in missing
                else numbers.setdefault(text, len(numbers))
                for text in said
            ],
            dtype=np.int64,
        )[place]  # fmt: skip
        filled = np.flatnonzero(code >= 0)
        low = np.full(n, len(numbers), dtype=np.int64)
        high = np.full(n, -1, dtype=np.int64)
        np.minimum.at(low, owner[filled], code[filled])
        np.maximum.at(high, owner[filled], code[filled])
        differs = high > low
        column = frame[name].to_numpy(dtype=object)
        out = column[first]  # a code for "not known" stays as it is written
        whose, where = np.unique(owner[filled], return_index=True)
        out[whose] = column[at[filled[where]]]
        out[differs] = None
        columns[name] = out
        if differs.any():
            differing[name] = differs
    n_several = int((np.bincount(owner, minlength=n) > 1).sum()) if n else 0
    one = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    return AgreedRows(one, first, differing, n_several)
