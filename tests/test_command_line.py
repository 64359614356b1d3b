"""The command line: its files, its exit status, and what it keeps to itself."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import jsonschema
import openpyxl
import pytest

from sts_core.__main__ import main
from sts_core.reading import read_bytes
from sts_core.study import load_study

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"
SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))


class Run(NamedTuple):
    status: int
    out: Path
    text: str


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("analyse") / "new" / "folder"
    with pytest.MonkeyPatch.context() as patch:
        said = io.StringIO()
        patch.setattr("sys.stdout", said)
        status = main(["analyse", "--study", str(SAMPLE / "study.yaml"), "--out", str(out)])
    return Run(status, out, said.getvalue())


def small_study(folder: Path, **changes: str) -> Path:
    """Put a study with one analysis, and its data, into a folder."""
    text = (SAMPLE / "study.yaml").read_text("utf-8")
    assert "\nanalysis:\n" in text
    text = text.replace(
        "\nanalysis:\n",
        "\nanalysis:\n  specs: [{kind: kaplan_meier, endpoint: OS}]\n",
    )
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "study.yaml"
    path.write_text(text, "utf-8")
    shutil.copy(SAMPLE / "sts_cohort.xlsx", folder)
    return path


# --- analyse -------------------------------------------------------------------------------------


def test_analyse_succeeds_and_says_what_it_did(sample: Run) -> None:
    assert sample.status == 0
    assert sample.text.startswith("51 of 51 patients analysed; ")


def test_results_are_valid_and_complete(sample: Run) -> None:
    results = json.loads((sample.out / "results.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(results)
    rows = {
        (row["endpoint"], row["group_var"], row["group"], row["statistic"]): row
        for row in results["rows"]
        if row["analysis"] == "kaplan_meier"
    }
    overall = rows["PFS", None, None, "median"]
    assert round(overall["value"] / 30.4375, 1) == 5.8  # as the article has it
    assert rows["PFS", "ecog", "0-1", "n"]["value"] + rows["PFS", "ecog", "2-3", "n"]["value"] == 51
    assert rows["PFS", "ecog", None, "logrank_p"]["value"] < 0.001
    assert rows["OS", None, None, "median"]["status"] == "not_estimable"
    endpoints = {row["endpoint"] for row in results["rows"]}
    assert {"PFS", "OS"} <= endpoints


def test_no_patient_is_in_any_file(sample: Run) -> None:
    book = read_bytes("sts_cohort.xlsx", (SAMPLE / "sts_cohort.xlsx").read_bytes())
    frame = next(sheet.frame for sheet in book.sheets if sheet.sheet == "Patients")
    identifiers = [str(value) for value in frame["patient_id"]]
    assert len(identifiers) == 51
    assert all(name.startswith("SYN-") for name in identifiers)
    dates = {
        str(value)[:10]
        for column in frame.columns
        if column.endswith("_date")
        for value in frame[column].dropna()
    }
    assert len(dates) > 100
    cutoff = "2023-02-01"
    for path in sample.out.iterdir():
        data = path.read_bytes()
        if path.suffix == ".xlsx":
            with ZipFile(io.BytesIO(data)) as archive:
                text = "".join(
                    archive.read(name).decode() for name in archive.namelist() if "xl/" in name
                )
        else:
            text = data.decode()
        assert "SYN-" not in text, path.name
        assert not re.search(r"\bS0\d\d\b", text), path.name
        found = set(re.findall(r"\b20\d\d-\d\d-\d\d\b", text))
        assert not (found & dates) - {cutoff}, path.name


def test_figures_are_svg(sample: Run) -> None:
    figures = sorted(sample.out.glob("*.svg"))
    assert len(figures) >= 2
    for path in figures:
        root = ET.fromstring(path.read_bytes())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert sum(1 for _ in root.iter()) > 20
        assert re.fullmatch(r"\d\d+_[\w-]+\.svg", path.name)


def test_tables_hold_numbers_and_no_formula(sample: Run) -> None:
    book = openpyxl.load_workbook(sample.out / "tables.xlsx")
    results = json.loads((sample.out / "results.json").read_text("utf-8"))
    assert book.sheetnames[-1] == "Notes"
    curves = [a for a in results["analyses"] if a["spec"]["kind"] == "kaplan_meier"]
    assert len(book.sheetnames) == len(results["analyses"]) + len(curves) + 1  # two tables a curve
    for sheet in book.worksheets:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"n", "s"}
    first = next(
        sheet for sheet in book.worksheets if sheet["A1"].value == "Progression-free survival"
    )
    headings = [cell.value for cell in first[3]]
    values = dict(zip(headings, [cell.value for cell in first[4]], strict=True))
    assert values["N"] == 51
    assert isinstance(values["Median, months (95% CI)"], float)
    notes = [row[0].value for row in book["Notes"].iter_rows()]
    assert any("Kaplan-Meier" in note for note in notes)


def test_every_output_is_one_that_was_announced(sample: Run) -> None:
    assert {path.suffix for path in sample.out.iterdir()} == {".json", ".xlsx", ".svg"}


def test_data_may_lie_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = small_study(tmp_path)
    elsewhere = tmp_path / "next cut.xlsx"
    (tmp_path / "sts_cohort.xlsx").rename(elsewhere)
    arguments = ["analyse", "--study", str(study), "--out", str(tmp_path / "out")]
    assert main(arguments) == 3
    assert main([*arguments, "--data", str(elsewhere)]) == 0
    assert "51 of 51 patients analysed; 1 analyses" in capsys.readouterr().out
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert [item["spec"]["endpoint"] for item in results["analyses"]] == ["OS"]


def test_figures_have_the_page_and_the_footnotes_that_were_chosen(tmp_path: Path) -> None:
    drawn = "{kind: kaplan_meier, endpoint: OS}, {kind: kaplan_meier, endpoint: OS, drawing: "
    study = small_study(
        tmp_path,
        **{"{kind: kaplan_meier, endpoint: OS}": f"{drawn}{{size: single, notes: false}}}}"},
    )
    assert main(["analyse", "--study", str(study), "--out", str(tmp_path / "out")]) == 0
    usual, chosen = (path.read_text("utf-8") for path in sorted((tmp_path / "out").glob("*.svg")))
    widths = [ET.fromstring(text).get("width") for text in (usual, chosen)]
    assert widths == ["481.89pt", "238.11pt"]
    note = "Follow-up by reverse Kaplan-Meier, events leaving before"
    assert (note in usual, note in chosen) == (True, False)


# --- refused -------------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], study: Path, *more: str) -> str:
    out = study.parent / "out"
    assert main(["analyse", "--study", str(study), "--out", str(out), *more]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    assert not (out / "results.json").exists()
    return captured.err


def test_an_unconfirmed_study_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = small_study(tmp_path, **{"events_status: confirmed": "events_status: guessed"})
    message = refused(capsys, study)
    assert message.count("is not confirmed") == 2  # both endpoints at once
    assert "(PFS)" in message


def test_missing_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "study.yaml" in refused(capsys, tmp_path / "study.yaml")
    study = small_study(tmp_path)
    assert "none.xlsx" in refused(capsys, study, "--data", str(tmp_path / "none.xlsx"))
    (tmp_path / "sts_cohort.xlsx").unlink()
    assert "sts_cohort.xlsx" in refused(capsys, study)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        (b"title: [", "can't be read"),
        (b"- 1", "holds no settings"),
        (b"colour: red", "colour"),
        (b"schema_version: 2", "schema_version"),
        (b"title: x", "no table of patients"),
    ],
)
def test_a_wrong_study_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, says: str
) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    assert says in refused(capsys, path)


def test_wrong_data_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = small_study(tmp_path)
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", "utf-8")
    refused(capsys, study, "--data", str(other))
    other.write_bytes(b"")
    refused(capsys, study, "--data", str(other))
    study.write_text(study.read_text("utf-8").replace("first_dose_date", "dose_one"), "utf-8")
    assert "There is no column “dose_one”" in refused(capsys, study)


def test_a_wrong_spec_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = small_study(tmp_path, **{"{kind: kaplan_meier, endpoint: OS}": "{kind: x}"})
    assert "there is no analysis “x”" in refused(capsys, study)


# --- wrong arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["analyze"],
        ["analyse"],
        ["analyse", "--study", "study.yaml"],
        ["inspect"],
        ["inspect", "--out", "x", "a.csv"],
    ],
)
def test_wrong_arguments_end_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: python -m sts_core" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_is_a_wrong_argument(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "file"
    taken.write_text("x", "utf-8")
    with pytest.raises(SystemExit) as end:
        main(["analyse", "--study", str(SAMPLE / "study.yaml"), "--out", str(taken)])
    assert end.value.code == 2
    assert "can't be made" in capsys.readouterr().err
    assert taken.read_text("utf-8") == "x"


# --- inspect -------------------------------------------------------------------------------------


def test_inspect_proposes_a_study_file_that_can_be_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["inspect", str(SAMPLE / "sts_cohort.xlsx")]) == 0
    text = capsys.readouterr().out
    assert "Patients: 51 rows" in text
    start = re.search(r"^title: ", text, re.MULTILINE)
    assert start is not None
    study = load_study(text[start.start() :])
    assert study.data.tables["subjects"].subject_id == "patient_id"
    assert study.definitions.endpoints
    assert not any(item.is_confirmed for item in study.definitions.endpoints.values())


def test_inspect_refuses_what_is_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    assert main(["inspect", str(empty)]) == 3
    assert capsys.readouterr().err.startswith("error: ")
    assert main(["inspect", str(tmp_path / "none.csv")]) == 3
