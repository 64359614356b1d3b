"""Files into the session: uploads, samples and study files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages._ui import state
from sts_core.findings import Finding, StudyError
from sts_core.reading import Workbook, read_bytes
from sts_core.study import Study, dump_study, load_study

_SAMPLE_FOLDER = Path(__file__).resolve().parents[2] / "sample_data"
DATA_TYPES = [
    "xlsx", "xlsm", "xls", "xlsb", "ods", "csv", "tsv", "txt", "sav", "zsav", "dta", "sas7bdat",
    "xpt",
]  # fmt: skip
STUDY_TYPES = ["yaml", "yml"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A synthetic cohort that ships with the app."""

    label: str
    text: str
    file: str
    study: str


SAMPLES = (
    Sample(
        "Sarcoma cohort, 51 patients",
        "Synthetic patients with the published counts of a real study of immunotherapy plus "
        "antiangiogenic therapy.",
        "sts_cohort.xlsx",
        "study.yaml",
    ),
    Sample(
        "The same with 20 patients screened out",
        "Shows criteria, values that can't be verified, and the flow diagram.",
        "sts_screening.xlsx",
        "study_screening.yaml",
    ),
)


def open_sample(sample: Sample) -> None:
    """Load a sample with its study file: nothing is left to confirm."""
    book = read_bytes(sample.file, (_SAMPLE_FOLDER / sample.file).read_bytes())
    study = load_study((_SAMPLE_FOLDER / sample.study).read_text("utf-8"), name=sample.study)
    state.put(state.opened([book], study))
    state.forget_widgets()
    state.leave_notice(f"{sample.label}: loaded.")


def uploader(label: str, *, compact: bool = False) -> None:
    """Offer a place to drop files; each drop is read once and its bytes are let go."""
    key = f"upload.{state.remembered('uploads', 0)}"
    st.file_uploader(
        label,
        type=[*DATA_TYPES, *STUDY_TYPES],
        accept_multiple_files=True,
        key=key,
        on_change=_on_drop,
        args=(key,),
        label_visibility="collapsed" if compact else "visible",
    )


def _on_drop(key: str) -> None:
    """Read what was dropped; on any trouble, what was loaded stays loaded."""
    dropped = state.uploaded(key)
    if not dropped:
        return
    books: list[Workbook] = []
    study: Study | None = None
    findings: list[Finding] = []
    for name, data in dropped:
        try:
            if name.rsplit(".", 1)[-1].lower() in STUDY_TYPES:
                study = load_study(data.decode("utf-8", errors="replace"), name=name)
            else:
                books.append(read_bytes(name, data))
        except StudyError as error:
            findings += error.findings
    state.remember("uploads", state.remembered("uploads", 0) + 1)
    _take(books, study, findings)


def _take(books: list[Workbook], study: Study | None, findings: list[Finding]) -> None:
    current = state.workspace()
    if not books and study is None:
        kept = " What was loaded before is still there." if current.has_data else ""
        state.leave_notice(f"The file could not be used.{kept}", findings)
        return
    if not books:
        books = list(current.workbooks)
        if not books:
            state.put(state.Workspace(study=study))
            state.leave_notice(
                "Your choices are loaded. Now drop the data file that they belong to."
            )
            return
    study = study or (current.study if not current.has_data else None)
    state.put(state.opened(books, study))
    state.forget_widgets()
    names = ", ".join(book.file for book in books)
    state.leave_notice(f"Loaded: {names}.", findings)


def study_text(study: Study | None) -> str:
    """Give choices as a study file; it holds no patient data.

    A download is made outside the session's run: what it needs is handed to it.
    """
    return dump_study(study) if study else ""
