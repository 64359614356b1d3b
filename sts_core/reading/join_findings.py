"""What is said of a table whose rows, all or some, belong to no patient."""

from __future__ import annotations

from dataclasses import dataclass

from sts_core.findings import Finding, FindingCode, Severity
from sts_core.reading.linkage import RULES, Join
from sts_core.reading.other_ids import OtherIds

# So many rows without an id are no oversight: ids are written once for several rows.
_MANY_BLANK = 0.3


@dataclass(frozen=True, slots=True)
class IdForms:
    """Where the ids of two tables stand, and what they look like.

    Attributes
    ----------
    table, patients
        Names of the table and of the patient table, as the user knows them.
    form, n_ids, patients_form
        Their ids in words, and how many different ones the table has.
    patient_column, n_patients
        Column of the patient table with the ids, ``None`` without one; and its patients.
    """

    table: str
    patients: str
    form: str
    n_ids: int
    patients_form: str
    patient_column: str | None
    n_patients: int


def none_matches(column: str, forms: IdForms) -> str:
    """Say that no id of a table is a patient's, with the columns and what ids look like."""
    if forms.patient_column is None:
        return (
            f"no row of “{forms.table}” can be given to a patient, since no column of "
            f"“{forms.patients}” is chosen as the patient id"
        )
    n_ids = forms.n_ids
    if not n_ids:
        return f"“{column}” of “{forms.table}” is blank"
    none = "its only id" if n_ids == 1 else f"none of its {n_ids} ids"
    verb = "is not one" if n_ids == 1 else "is one"
    return (
        f"{none} in “{column}” ({forms.form}) {verb} of the {forms.n_patients} in "
        f"“{forms.patient_column}” of “{forms.patients}” ({forms.patients_form})"
    )


def better_columns(other: OtherIds, forms: IdForms) -> str:
    """Say which two columns hold the same ids."""
    of = (
        f"“{other.patient_column}” of “{forms.patients}”"
        if other.patient_column is not None
        else f"the patients in “{forms.patient_column}”"
    )
    return (
        f"{other.n_matched} of {_counted(other.n_ids, 'id')} in “{other.column}” are those of {of}"
    )


def join_findings(join: Join, forms: IdForms) -> list[Finding]:
    """Say which rows belong to nobody, and whether other columns or a looser rule would help."""
    name = join.sheet or join.file
    any_matched = bool(join.n_rows_matched)
    offers = []
    if join.better:
        offers.append(
            f"{_counted(join.n_better, 'more id')} {'matches' if join.n_better == 1 else 'match'} "
            f"when {RULES[join.better]}: choose that on the Data page if they are the same "
            "patients."
        )
    if join.other is not None:
        offers.append(
            f"{better_columns(join.other, forms)}: choose these columns on the Data page."
        )
    if len(join.rows_without_id) >= _MANY_BLANK * max(join.n_rows, 1):
        offers.append(
            "If a blank id stands for the patient of the row above, fill the id into each of these "
            "rows."
        )
    elif not offers and any_matched:
        offers.append("Check the spelling of the ids in both tables.")
    elif not offers:
        offers.append(
            "In the list of tables on the Data page, choose the columns with the ids of both; or "
            "write the ids alike in both files. If these are other patients, choose “Not used”."
        )
    offer = " ".join(offers)

    def finding(severity: Severity, message: str, at: tuple[int, ...], n: int) -> Finding:
        return Finding(
            FindingCode.SUBJECT_UNMATCHED, severity, message, offer, file=join.file,
            sheet=join.sheet, column=join.column, rows=at, count=n, table=join.role,
        )  # fmt: skip

    if join.n_rows and not any_matched and not join.n_ids_unclear:
        message = f"“{forms.table}” is not used: {none_matches(join.column, forms)}."
        return [finding(Severity.ERROR, message, (), join.n_rows)]
    found = []
    lost = (*join.rows_unmatched, *join.rows_without_id)
    if lost:
        parts = []
        if join.rows_unmatched:
            unknown = _counted(join.n_ids_unmatched, "unknown id")
            parts.append(f"{_counted(len(join.rows_unmatched), 'row')} of {unknown}")
        if join.rows_without_id:
            parts.append(f"{_counted(len(join.rows_without_id), 'row')} without an id")
        verb, left = ("belongs", "is") if len(lost) == 1 else ("belong", "are")
        message = (
            f"{_counted(len(lost), 'row')} of “{name}” {verb} to no patient of the patient table "
            f"and {left} left out: {', '.join(parts)}."
        )
        severity = Severity.WARNING if any_matched else Severity.ERROR
        found.append(finding(severity, message, tuple(sorted(lost)), len(lost)))
    if join.n_ids_unclear:
        message = (
            f"{join.n_ids_unclear} ids of “{name}” fit several patients of the patient table: "
            "their rows are nobody's."
        )
        found.append(finding(Severity.WARNING, message, (), join.n_ids_unclear))
    return found


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
