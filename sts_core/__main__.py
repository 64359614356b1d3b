"""The same analyses without a browser.

``python -m sts_core inspect FILE...`` says what was recognised and proposes a study file.
``python -m sts_core analyse --study STUDY.yaml [--data FILE...] --out DIR`` writes
``results.json``, ``tables.xlsx`` and the figures as SVG.

Exit status: 0 done, 3 data or study file refused, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.plan import Done, run_plan
from sts_core.checks import check_cohort
from sts_core.criteria import apply_criteria
from sts_core.export.results import results_document, results_json
from sts_core.export.xlsx import write_workbook
from sts_core.figures.catalogue import figure_of, for_files
from sts_core.figures.theme import PAGES
from sts_core.findings import Finding, FindingCode, Severity, StudyError, worst_first
from sts_core.reading import Limits, Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.recognise import propose_study
from sts_core.reading.redcap import apply_dictionaries
from sts_core.reading.report import inspection_text
from sts_core.render.print import render
from sts_core.study import Study, load_study

REFUSED = 3
COMMAND_LINE_LIMITS = Limits(
    max_upload_mb=2_000, max_rows=2_000_000, max_cells=200_000_000, memory_mb=16_384,
    max_expanded_mb=8_000, deadline_seconds=600,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m sts_core", description="Cohort analyses without a browser."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    inspect = commands.add_parser("inspect", help="say what is recognised in files")
    inspect.add_argument("files", nargs="+", type=Path, metavar="FILE")
    analyse = commands.add_parser("analyse", help="compute everything a study file asks for")
    analyse.add_argument("--study", required=True, type=Path, metavar="STUDY.yaml")
    analyse.add_argument(
        "--data", nargs="+", type=Path, metavar="FILE",
        help="data files; by default those that the study file names, beside it",
    )  # fmt: skip
    analyse.add_argument("--out", required=True, type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    if options.command == "analyse":
        try:
            options.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"--out {options.out} can't be made: {error.strerror}")
    try:
        if options.command == "inspect":
            books = apply_dictionaries([_read(path) for path in options.files])
            _say(inspection_text(books, propose_study(books)))
        else:
            _analyse(options.study, options.data, options.out)
    except StudyError as error:
        for finding in worst_first(error.findings):
            _complain(finding)
        return REFUSED
    return 0


def _read(path: Path) -> Workbook:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StudyError(
            Finding(
                FindingCode.FILE_UNREADABLE,
                Severity.ERROR,
                f"The file can't be opened: {error.strerror}.",
                "Check its path and that it may be read.",
                file=path.name,
            )
        ) from None
    return read_bytes(path.name, data, COMMAND_LINE_LIMITS)


def _load(path: Path) -> Study:
    try:
        return load_study(path.read_text("utf-8"), name=path.name)
    except (OSError, UnicodeDecodeError):
        raise StudyError(
            Finding(
                FindingCode.STUDY_FILE_INVALID,
                Severity.ERROR,
                "The study file can't be opened as UTF-8 text.",
                "Check its path.",
                file=path.name,
            )
        ) from None


def _analyse(study_path: Path, data: Sequence[Path] | None, out: Path) -> None:
    study = _load(study_path)
    if data is None:
        named = dict.fromkeys(
            source.file for source in study.data.tables.values() if source.file is not None
        )
        data = [study_path.parent / Path(name).name for name in named]
    books = apply_dictionaries([_read(path) for path in data])
    cohort = apply_criteria(assemble(study, books), study)
    done = run_plan(cohort)
    for finding in check_cohort(cohort):
        _complain(finding)
    (out / "results.json").write_text(results_json(results_document(cohort, done)), "utf-8")
    tables = [table for item in done for table in item.tables]
    notes = dict.fromkeys(item.analysis.methods(item.result) for item in done)
    (out / "tables.xlsx").write_bytes(write_workbook(tables, list(notes)))
    for number, item in enumerate(done, start=1):
        figure = figure_of(item.analysis.kind, item.result)
        if figure is not None:
            name = f"{number:02d}_{_file_name(item)}.svg"
            drawn = replace(figure, title=item.titled(figure.title))
            drawing = getattr(item.spec, "drawing", CurveOptions())
            page = PAGES[drawing.size]
            (out / name).write_bytes(render(for_files(drawn, drawing), "svg", page))
    _say(f"{cohort.n} of {cohort.n_in_file} patients analysed; {len(done)} analyses in {out}")


def _file_name(item: Done) -> str:
    names = ("endpoint", "by", "population")
    parts = [item.analysis.kind, *(getattr(item.spec, name, "") for name in names)]
    return re.sub(r"[^\w-]+", "_", "_".join(str(part) for part in parts if part))[:60].lower()


def _say(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")


def _complain(finding: Finding) -> None:
    sys.stderr.write(f"{finding.severity.value}: {finding}\n")


if __name__ == "__main__":
    raise SystemExit(main())
