"""Every page of the menu, on every kind of cohort."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from pages._ui import shell
from pages._ui.shell import PAGES
from sts_core.analysis.provenance import SYNTHETIC_STAMP
from sts_core.data_cut import remembering
from sts_core.disclosure import rare_names, without_names
from sts_core.study import Study, load_study
from tests.pages.driver import (
    DATA,
    PATHS,
    ROOT,
    TINY,
    checked,
    cohort_line,
    drop,
    go,
    shown,
    start,
    study_file,
    with_sample,
    with_tiny,
)

EVERY_PAGE = pytest.mark.parametrize("path", PATHS)
TITLES = {entry.path: entry.title for entry in PAGES}
NOBODY = (
    "{kind: one_of, column: histotype, values: [Leiomyosarcoma, Alveolar soft part sarcoma], "
    "excludes: true, label: Nobody stays}"
)


def with_nobody_left() -> AppTest:
    at = with_tiny()
    study = study_file(at)
    assert "criteria" not in study
    head, mark, tail = study.partition("analysis:\n")
    if not mark:
        study = f"{study.rstrip()}\nanalysis:\n  criteria:\n  - {NOBODY}\n"
    else:
        study = f"{head}analysis:\n  criteria:\n  - {NOBODY}\n{tail}"
    drop(at, {"study.yaml": study})
    assert cohort_line(at).startswith("tiny 0 of 3 patients analysed")
    return at


def with_other_rows(rows: str) -> AppTest:
    """Drop other rows together with the choices made for the three patients."""
    choices = study_file(with_tiny())
    return drop(start(), {"tiny.csv": rows, "study.yaml": choices})


COHORTS: dict[str, Callable[[], AppTest]] = {
    "no file": start,
    "sample": with_sample,
    "sample with patients screened out": lambda: with_sample(1),
    "three patients": with_tiny,
    "three patients, nothing confirmed": lambda: drop(start(), {"tiny.csv": TINY}),
    "criteria remove everybody": with_nobody_left,
    "no event happened": lambda: with_other_rows(TINY.replace("Dead", "Alive")),
    "one patient": lambda: with_other_rows(TINY[: TINY.index("b,12")]),
}


@EVERY_PAGE
@pytest.mark.parametrize("cohort", COHORTS)
def test_page_works_on(cohort: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at = COHORTS[cohort]()
    offered: dict[str, Any] = {}
    original = streamlit.download_button

    def recorded(label: str, data: Any, file_name: str, *args: Any, **options: Any) -> bool:
        offered[file_name] = data
        return original(label, data, file_name, *args, **options)

    monkeypatch.setattr(streamlit, "download_button", recorded)
    go(at, path)
    assert [title.value for title in at.title] == [TITLES[path]]
    if cohort == "no file":
        assert ("No patients yet" in shown(at)) == (path != DATA)
        assert "reload" in shown(at), "why it is empty, to somebody who had loaded a file"
        assert set(offered) == ({"sts_cohort_template.xlsx"} if path == DATA else set())
        return
    line = cohort_line(at)
    assert "patients analysed" in line
    assert "data cut-off" in line
    assert "criteri" in line
    assert "filters" in line
    # Made as the server makes them: after the run, without its session
    for name, make in offered.items():
        if name == "study.yaml":
            assert load_study(make()) in allowed_studies(at)
        elif name.endswith(".tiff") and cohort != "sample":
            continue  # the picture of the PNG, in four times the pixels and the seconds
        else:
            assert_can_be_opened(name, make(), synthetic=cohort.startswith("sample"))


def allowed_studies(at: AppTest) -> tuple[Study, ...]:
    """Give the choices as they stand, and without the names of groups of few patients."""
    workspace = at.session_state["workspace"]
    study: Study = workspace.study
    if workspace.cohort is not None:
        study = remembering(workspace.cohort)
    if workspace.cohort is None or not (rare := rare_names(workspace.cohort)):
        return (study,)
    return study, without_names(study, rare).study


def assert_can_be_opened(name: str, data: bytes, *, synthetic: bool) -> None:
    """Open an export far enough to know that it is what its name says, and that it is stamped."""
    ending = name.rsplit(".", 1)[1]
    text = ""
    if ending in ("pptx", "xlsx", "docx"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            text = "".join(
                archive.read(part).decode(errors="replace")
                for part in archive.namelist() if part.endswith(".xml")
            )  # fmt: skip
        assert (SYNTHETIC_STAMP in text) == synthetic, name
    elif ending == "svg":
        assert data.lstrip().startswith((b"<?xml", b"<svg"))
    else:
        starts = {"png": b"\x89PNG", "pdf": b"%PDF", "tiff": b"II*\x00"}
        if ending in starts:
            assert data.startswith(starts[ending]), name
        else:
            assert data, name


@EVERY_PAGE
@pytest.mark.parametrize("sample", [0, 1])
def test_synthetic_patients_are_named_so_in_the_heading(path: str, sample: int) -> None:
    at = go(with_sample(sample), path)
    assert SYNTHETIC_STAMP in cohort_line(at)


@EVERY_PAGE
def test_patients_of_a_file_are_not_called_synthetic(path: str) -> None:
    assert SYNTHETIC_STAMP not in shown(go(with_tiny(), path))


@EVERY_PAGE
def test_page_run_without_the_router_starts_again_through_it(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = with_sample()
    cold = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    cold.session_state["workspace"] = sample.session_state["workspace"]
    seen: list[bool] = []
    in_shell = shell.state.in_shell

    def recorded() -> bool:
        seen.append(in_shell())
        return seen[-1]

    monkeypatch.setattr(shell.state, "in_shell", recorded)
    # Before the first run the page's file is run alone, as by a server that has not seen the root
    checked(cold.switch_page(path).run())
    assert seen == [False, True]
    assert [title.value for title in cold.title] == [TITLES[path]]
    assert cohort_line(cold) == cohort_line(go(sample, path))
    assert cold.session_state["shell"] is False


@EVERY_PAGE
def test_page_answers_within_a_second_once_it_is_warm(path: str) -> None:
    at = go(with_sample(), path)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        checked(at.run())
        took.append(time.perf_counter() - began)
    assert min(took) < 1.0, took


def test_every_page_has_a_file_and_every_file_a_place_in_the_menu() -> None:
    files = {f"pages/{file.name}" for file in (ROOT / "pages").glob("*.py")} - {"pages/__init__.py"}
    assert files == set(PATHS)
    assert len({entry.title for entry in PAGES}) == len(PAGES)


CHOICES = (
    "button_group", "multiselect", "number_input", "radio", "selectbox", "text_input", "toggle",
)  # fmt: skip


def test_no_two_pages_share_the_key_of_different_choices() -> None:
    """A key keeps its value from page to page, where another choice would take it for its own."""
    at = with_sample()
    known: dict[str, tuple[str, tuple[str, ...]]] = {}
    for path in PATHS:
        go(at, path)
        for kind in CHOICES:
            for item in at.get(kind):
                if item.key is not None and item.key.startswith("w:"):
                    what = (type(item).__name__, tuple(getattr(item, "options", ())))
                    assert known.setdefault(item.key, what) == what, (path, item.key)
    assert {"w:ae.related", "w:safety.related"} <= known.keys()
