"""What was agreed on about the structure, checked in the source itself."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from sts_core.analysis.registry import ANALYSES, Analysis, spec_from
from sts_core.cohort import Cohort
from sts_core.display import DisplayTable
from sts_core.reading import read_bytes
from sts_core.reading.recognise import propose_study
from sts_core.reading.visit_headers import visit_header
from sts_core.reading.vocabulary import words_of
from sts_core.results import ResultRow
from tests.cohorts import DEGENERATE_COMPLETE

ROOT = Path(__file__).parents[1]
CORE = ROOT / "sts_core"
PAGES = ROOT / "pages"


@cache
def sources(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for folder in (CORE, PAGES) for path in sources(folder)}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever in the file it stands."""
    name = module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(up if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in MODULES else base


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


# --- who may import whom -------------------------------------------------------------------------

FOUNDATION = {"", "study", "findings", "estimates", "values"}
DATA = {*FOUNDATION, "cohort"}
# part of the core -> parts that it may import, besides itself ("" is sts_core, for its version)
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "findings": set(),
    "study": {"findings"},
    "values": set(),
    "estimates": set(),
    "members": set(),
    "display": {"estimates", "members"},
    "results": {"estimates"},
    "estimators": {"estimates"},
    "cohort": {"", "study", "findings", "values"},
    "terminology": {"values"},
    # recognition tries its guesses out; assembly knows none
    "reading": {*DATA, "derive", "terminology"},
    "derivations": {"study", "values"},
    "table_rows": {*DATA, "reading"},
    "assessments": {*DATA, "table_rows"},
    "exposures": {*DATA, "table_rows"},
    "adverse_event_forms": {*DATA, "reading", "terminology"},
    # its sentences say whom they count
    "derive": {*DATA, "derivations", "reading", "assessments", "members"},
    "disclosure": {
        *DATA, "derivations", "derive", "reading", "terminology", "adverse_event_forms",
        "assessments", "criteria",
    },
    "criteria": {*DATA, "derive", "reading", "table_rows"},
    "filters": {*DATA, "derive"},
    "plausibility": {*DATA, "derive", "reading", "assessments"},
    "row_values": {*DATA, "derive", "filters"},
    "distribution": {*DATA, "derive", "display", "criteria", "table_rows"},
    "populations": {*DATA, "criteria"},
    "checks": {
        *DATA, "derive", "criteria", "plausibility", "reading", "adverse_event_forms",
        "assessments", "exposures", "table_rows",
    },
    "cell_reading": DATA,
    "query_list": {*DATA, "display"},
    "data_cut": {*DATA, "derive", "reading"},
    "overview": {*DATA, "derive", "reading"},
    "analysis": {
        *DATA, "derive", "criteria", "populations", "checks", "reading", "display", "results",
        "estimators", "terminology", "adverse_event_forms", "members",
    },
    "figures": {"estimates", "study", "cohort", "derive", "display", "analysis", "members"},
    "render": {"display", "figures"},
    "export": {*DATA, "display", "populations", "results", "analysis", "figures", "render"},
    "__main__": {
        *DATA, "derive", "criteria", "checks", "reading", "display", "results", "analysis",
        "figures", "render", "export",
    },
}  # fmt: skip
# module -> further parts: the words of `inspect` speak of the cohort that the proposal gives
EXCEPTIONS = {"sts_core.reading.report": {"criteria", "checks", "display"}}
# what else of reading is needed later on: rows and columns of a table
READS_ONLY = {
    part: {"sts_core.reading.assembly"}
    for part in ("derive", "table_rows", "adverse_event_forms", "analysis", "data_cut")
} | {
    "criteria": {"sts_core.reading.vocabulary"},
    "disclosure": {"sts_core.reading.vocabulary"},
    "plausibility": {"sts_core.reading.vocabulary", "sts_core.reading.privacy"},
    "overview": {"sts_core.reading.answers"},
}


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", sources(CORE), ids=where)
def test_the_core_imports_in_one_direction(path: Path) -> None:
    module = module_name(path)
    mine = part_of(module)
    assert mine in MAY_IMPORT, f"{mine}: say in MAY_IMPORT what this part may import"
    for name in imports(path):
        assert name.partition(".")[0] not in ("pages", "app", "tests"), f"{module} imports {name}"
        if name.partition(".")[0] == "sts_core":
            other = part_of(name)
            allowed = {mine, *MAY_IMPORT[mine], *EXCEPTIONS.get(module, ())}
            assert other in allowed, f"{module} imports {name}"
            if other == "reading" and mine in READS_ONLY:
                assert name in READS_ONLY[mine], f"{module} imports {name}"


def test_no_module_needs_itself() -> None:
    """No cycle, not even one that an import inside a function hides."""
    graph = {
        name: {found for found in imports(path) if found in MODULES and found != name}
        for name, path in MODULES.items()
        if path.name != "__init__.py"
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above[above.index(name) :], name))
        if name not in done:
            for needed in graph.get(name, ()):
                visit(needed, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


# package -> where in the core it may be imported
ONLY_IN = {
    "streamlit": (),
    "plotly": ("render/plotly.py",),
    "matplotlib": ("render/print.py", "figures/fonts.py"),
    "lifelines": ("analysis/", "estimators/"),
    "sksurv": ("analysis/", "estimators/"),
    "statsmodels": ("analysis/", "estimators/"),
    "scipy": ("analysis/", "estimators/", "estimates.py"),
    "pptx": ("render/pptx.py", "export/deck.py"),
    "docx": ("export/document.py",),
    "xlsxwriter": ("export/xlsx.py", "export/template.py"),
    "openpyxl": ("reading/",),
    "python_calamine": ("reading/",),
    "pyreadstat": ("reading/",),
    "yaml": ("study/", "reading/"),
}
# what may reach out of the machine, or write to it
NEVER = {
    "requests", "urllib3", "httpx", "aiohttp", "http", "urllib", "ftplib", "smtplib", "kaleido",
    "pickle", "shelve", "sqlite3", "tempfile", "logging",
}  # fmt: skip


@pytest.mark.parametrize("path", sources(CORE), ids=where)
def test_a_library_stays_behind_its_door(path: Path) -> None:
    here = path.relative_to(CORE).as_posix()
    for package in packages(path) & set(ONLY_IN):
        assert here.startswith(ONLY_IN[package]) if ONLY_IN[package] else False, (
            f"{where(path)} imports {package}"
        )


@pytest.mark.parametrize("path", [*sources(CORE), *sources(PAGES)], ids=where)
def test_patient_data_stays_in_memory(path: Path) -> None:
    forbidden = packages(path) & NEVER
    if path == CORE / "reading" / "child.py":
        forbidden -= {"pickle"}  # the way between a process and its child
    if path == PAGES / "_ui" / "job.py":
        forbidden -= {"logging"}  # type and place of an error, never its message: test_intake.py
    assert not forbidden, f"{where(path)} imports {forbidden}"


def test_nothing_of_a_file_stays_in_what_the_process_keeps() -> None:
    """Caches with an argument live as long as the process: none may hold a file's words."""
    kept = {
        f"{where(path)}:{node.name}"
        for path in sources(CORE)
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef)
        and node.args.args
        and any("cache" in ast.unparse(decorator) for decorator in node.decorator_list)
    }
    assert kept == {
        "sts_core/figures/fonts.py:font_table",
        "sts_core/reading/vocabulary/__init__.py:_of_language",
        "sts_core/reading/vocabulary/__init__.py:words_of",
        "sts_core/reading/visit_headers.py:visit_header",
        "sts_core/render/print.py:subset_font",
    }
    sheet = "id,Zhang Zuoling week 6,status\nP1,PD,Dead\nP2,SD,Wang Xiaoming\n"
    proposal = propose_study([read_bytes("a.csv", sheet.encode())])
    assert proposal.study.data.tables
    assert words_of.cache_info().currsize == 0
    assert visit_header.cache_info().currsize == 0


def test_only_the_command_line_writes_files() -> None:
    for path in [*sources(CORE), *sources(PAGES)]:
        writes = [
            node.func.attr
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("write_text", "write_bytes", "to_csv", "to_excel", "to_pickle")
        ]
        assert not writes or path == CORE / "__main__.py", f"{where(path)}: {writes}"


def page_files() -> list[Path]:
    return sorted(path for path in PAGES.glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("path", page_files(), ids=where)
def test_a_page_computes_nothing_itself(path: Path) -> None:
    forbidden = packages(path) & {
        "numpy", "pandas", "scipy", "lifelines", "sksurv", "statsmodels", "plotly", "matplotlib",
    }  # fmt: skip
    assert not forbidden


def test_the_core_loads_without_streamlit() -> None:
    script = (
        "import importlib, pkgutil, sys, sts_core\n"
        "for module in pkgutil.walk_packages(sts_core.__path__, 'sts_core.'):\n"
        "    importlib.import_module(module.name)\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'streamlit', 'tornado', 'kaleido', 'pages', 'tests'}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr


# --- pages ---------------------------------------------------------------------------------------


def test_session_state_has_one_door() -> None:
    for path in [*sources(PAGES), ROOT / "app.py"]:
        touches = any(
            isinstance(node, ast.Attribute) and node.attr == "session_state"
            for node in ast.walk(tree(path))
        )
        assert touches <= (path == PAGES / "_ui" / "state.py"), where(path)


def test_inputs_and_presses_have_one_door() -> None:
    for path in [*sources(PAGES), ROOT / "app.py"]:
        if path in (PAGES / "_ui" / "widgets.py", PAGES / "_ui" / "state.py"):
            continue
        assert not calls_of(path, "seeded"), f"{where(path)}: take pages._ui.widgets"
        assert not calls_of(path, "synced"), f"{where(path)}: take pages._ui.widgets"
        assert not calls_of(path, "form_submit_button"), f"{where(path)}: take widgets.submitted"
        clears = [
            node
            for node in ast.walk(tree(path))
            if isinstance(node, ast.keyword) and node.arg == "clear_on_submit"
        ]
        assert not clears, f"{where(path)}: what is cleared before it is read is lost; drop_widget"
        statements = {id(node.value) for node in ast.walk(tree(path)) if isinstance(node, ast.Expr)}
        asked = [
            node
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call)
            and node.func in calls_of(path, "button")
            and id(node) not in statements
        ]
        assert not asked, f"{where(path)}: a press can be lost; take widgets.pressed"


def calls_of(path: Path, name: str) -> list[ast.AST]:
    return [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) == name
    ]


@pytest.mark.parametrize("path", [*sources(PAGES), ROOT / "app.py"], ids=where)
def test_a_cache_belongs_to_one_session(path: Path) -> None:
    if path.parent != PAGES / "_ui":
        assert not calls_of(path, "cache_resource")
    mentions = calls_of(path, "cache_data")
    with_scope = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and node.func in mentions
        and {"max_entries", "ttl"} <= {keyword.arg for keyword in node.keywords}
        and any(
            keyword.arg == "scope"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value == "session"
            for keyword in node.keywords
        )
    ]
    assert len(with_scope) == len(mentions), "scope='session', max_entries and ttl are needed"


def test_every_page_is_in_the_menu_and_every_entry_has_a_page() -> None:
    from pages._ui.shell import PAGES as ENTRIES

    paths = [entry.path for entry in ENTRIES]
    assert sorted(paths) == [where(path) for path in page_files()]
    assert len({entry.title for entry in ENTRIES}) == len(ENTRIES)


# --- sources -------------------------------------------------------------------------------------


def public_members() -> Iterator[tuple[str, ast.AST]]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for name, path in MODULES.items():
        if not name.startswith("sts_core"):
            continue
        if path.stat().st_size:
            yield name, tree(path)
        for node in tree(path).body:
            if isinstance(node, kinds) and not node.name.startswith("_"):
                yield f"{name}.{node.name}", node
                if isinstance(node, ast.ClassDef):
                    for item in node.body:
                        if isinstance(item, kinds) and not item.name.startswith("_"):
                            yield f"{name}.{node.name}.{item.name}", item


def test_everything_public_says_what_it_is() -> None:
    silent = [
        name
        for name, node in public_members()
        if not ast.get_docstring(node)  # type: ignore[arg-type]
    ]
    assert silent == []


def project_files() -> Iterator[Path]:
    suffixes = {".py", ".md", ".yaml", ".yml", ".toml", ".json", ".R", ".sh", ".txt", ".cfg"}
    skipped = {".venv", ".git", "node_modules", "__pycache__"}
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part not in (".streamlit",) for part in parts)
        if path.suffix in suffixes and path.is_file() and not hidden and not skipped & {*parts}:
            yield path


def test_no_drawer_for_everything() -> None:
    names = {"utils", "util", "helpers", "helper", "common", "misc"}
    drawers = [where(path) for path in project_files() if path.stem in names]
    assert drawers == []


# home folders and scratch folders of whoever wrote a line; the image's own folders are no such
FOREIGN_PATH = re.compile(
    r"(?<![\w.])/(?:(?:work|root|mnt)/\w|(?:home|Users)/[^/\s$]+/)|[A-Z]:\\Users\\"
)


def test_no_path_of_somebodys_machine() -> None:
    mine = Path(__file__)
    found = [
        f"{where(path)}:{number}"
        for path in project_files()
        if path != mine
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if FOREIGN_PATH.search(line)
    ]
    assert found == []


def test_no_scratch_path_in_the_program() -> None:
    for path in [*sources(CORE), *sources(PAGES), ROOT / "app.py"]:
        texts = [
            node.value
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert not [text for text in texts if re.search(r"(?:^|\s)/(?:tmp|var/tmp)\b", text)]


def test_the_licence_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "GPL-3.0-or-later"
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text("utf-8")[:200]


# --- every analysis ------------------------------------------------------------------------------

#: Words that claim a cause.
CAUSAL = re.compile(
    r"\b(?:because of|due to|owing to|thanks to|caus(?:e|ed|es|ing)|leads? to|led to|results? in"
    r"|improv\w+|prolong\w+|benefit\w*|protect\w*|reduc\w+|worsen\w*|impact\w*|influenc\w+)\b",
    re.IGNORECASE,
)
RESULTS_SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))
ROW_SCHEMA = jsonschema.Draft202012Validator(
    {**RESULTS_SCHEMA["$defs"]["row"], "$defs": RESULTS_SCHEMA["$defs"]}
)
analyses = pytest.mark.parametrize("analysis", ANALYSES.values(), ids=lambda item: item.kind)


def example_spec(analysis: Analysis, **more: Any) -> Any:
    """Give the smallest spec: the endpoint where it needs one, defaults elsewhere."""
    fields = {field.name: field for field in dataclasses.fields(analysis.spec_type)}
    needed = {
        "endpoint": "OS",
        "endpoints": ("OS",),
        "covariates": ("group",),
        "rows": "group",
        "columns": "best_response",
    }
    given = {
        name: needed[name]
        for name, field in fields.items()
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and name in needed
    }
    return analysis.spec_type(**given, **{k: v for k, v in more.items() if k in fields})


@analyses
def test_a_spec_comes_back_from_json(analysis: Analysis) -> None:
    adapter = TypeAdapter(analysis.spec_type)
    for spec in (
        example_spec(analysis),
        example_spec(analysis, by="group", levels=("A", "B"), landmarks=(1.5, 3.0)),
    ):
        assert adapter.validate_json(adapter.dump_json(spec)) == spec
        document = json.loads(adapter.dump_json(spec))
        assert document["kind"] == analysis.kind
        assert spec_from(document) == spec


@analyses
def test_a_spec_says_what_each_choice_means(analysis: Analysis) -> None:
    text = inspect.getdoc(analysis.spec_type) or ""
    for field in dataclasses.fields(analysis.spec_type):
        if field.name != "kind":
            assert re.search(rf"\b{field.name}\b", text), field.name


@analyses
@pytest.mark.parametrize("name", DEGENERATE_COMPLETE)
def test_an_analysis_survives_every_awkward_cohort(analysis: Analysis, name: str) -> None:
    cohort: Cohort = DEGENERATE_COMPLETE[name]()
    for by in (None, "group"):
        result = analysis.compute(cohort, example_spec(analysis, by=by))
        table = analysis.table(result)
        assert isinstance(table, DisplayTable)
        assert all(
            len(cells) == len(table.columns) and all(isinstance(cell, str) for cell in cells)
            for cells in table.formatted()
        )
        sentences = analysis.sentences(result)
        assert isinstance(sentences, tuple)
        for sentence in (*sentences, analysis.methods(result)):
            assert sentence
            assert sentence.endswith(".")
            assert not re.search(r"\bnan\b|\bNone\b|\binf\b", sentence)
            # a P of 0.9996 is ">0.999", and a comparison of groups shows no cause
            assert not re.search(r"P = (?:0\.000|1\.000)", sentence)
            assert not CAUSAL.search(sentence), sentence
        for more in analysis.more_tables(result):
            for cells in more.formatted():
                assert len(cells) == len(more.columns)
                assert not any(re.search(r"\bnan\b|\bNone\b|\binf\b", cell) for cell in cells)
        rows = analysis.rows(result)
        assert rows
        for row in rows:
            assert isinstance(row, ResultRow)
            assert row.analysis == analysis.kind
            plain = json.loads(json.dumps(row.as_dict(), allow_nan=False))
            assert not [error.message for error in ROW_SCHEMA.iter_errors(plain)]
        places = [
            (row.statistic, row.endpoint, row.group_var, row.group, row.term, row.level)
            for row in rows
        ]
        assert len(set(places)) == len(places), "two rows for one number"
        assert isinstance(analysis.r_code(result), str)


def test_every_analysis_module_is_registered() -> None:
    shared = {"__init__", "plan", "registry", "provenance"}
    modules = {
        path.stem for path in (CORE / "analysis").glob("*.py")
        if path.stem not in shared and hasattr(import_module(module_name(path)), "KIND")
    }  # fmt: skip
    registered = {analysis.compute.__module__.rpartition(".")[2] for analysis in ANALYSES.values()}
    assert modules == registered
    assert all(kind == analysis.kind for kind, analysis in ANALYSES.items())
