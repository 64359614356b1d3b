"""The server's start-up, and the settings that it runs under."""

from __future__ import annotations

import ast
import asyncio
import gc
import io
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.formparsers import MultiPartParser
from streamlit import delta_generator, env_util
from streamlit.runtime.pages_manager import PagesManager

from pages._server import startup
from pages._server.startup import (
    HEAVY_MODULES,
    NEXT_MODULES,
    SPOOL_BYTES,
    first_page_is_sent,
    import_and_freeze,
    lifespan,
    prepare_server,
    wait_for_imports,
)
from tests.pages.driver import ROOT

CONFIG = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1 << 20)
    yield
    gc.unfreeze()


def test_pages_are_declared_before_the_first_request() -> None:
    prepare_server()
    assert PagesManager.uses_pages_directory is False
    manager = PagesManager(str(ROOT / "app.py"))
    assert manager.uses_pages_directory is False


def test_the_first_page_does_not_look_through_all_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(env_util, "is_repl", lambda: asked.append("whether this is a server"))
    monkeypatch.setattr(delta_generator, "_use_warning_has_been_displayed", False)
    # Without the preparation it does: this is what the preparation is for
    delta_generator._maybe_print_use_warning()
    assert asked.pop()
    monkeypatch.setattr(delta_generator, "_use_warning_has_been_displayed", False)
    prepare_server()
    delta_generator._maybe_print_use_warning()
    assert not asked


def test_no_upload_that_is_allowed_is_spooled_to_disk() -> None:
    prepare_server()
    assert MultiPartParser.spool_max_size == SPOOL_BYTES
    allowed = CONFIG["server"]["maxUploadSize"] * 1_000_000
    assert allowed * 2 < SPOOL_BYTES


def test_parser_keeps_a_large_part_in_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    body = b"".join(
        [
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n',
            b"x" * 3_000_000,
            b"\r\n--b--\r\n",
        ]
    )

    async def stream():
        yield body

    def rolled() -> bool:
        from starlette.datastructures import Headers

        async def parse() -> bool:
            headers = Headers({"content-type": "multipart/form-data; boundary=b"})
            form = await MultiPartParser(headers, stream()).parse()
            file = form["f"].file
            on_disk = file._rolled
            assert isinstance(file._file, io.BytesIO) != on_disk
            await form.close()
            return on_disk

        return asyncio.run(parse())

    # Without the preparation the part goes to disk: this is what the preparation is for
    assert rolled() is True
    prepare_server()
    assert rolled() is False


def test_heavy_libraries_are_loaded_and_left_out_of_garbage_collection() -> None:
    before = gc.get_freeze_count()
    import_and_freeze()
    assert gc.get_freeze_count() > before + 10_000
    assert {"numpy", "pandas", "sts_core.figures.survival_curve"} <= set(sys.modules)


@pytest.mark.parametrize(("page", "names"), [("data", HEAVY_MODULES), ("survival", NEXT_MODULES)])
def test_no_page_imports_at_first_what_could_be_there_already(
    page: str, names: tuple[str, ...]
) -> None:
    modules = {f"pages._ui.{path.stem}" for path in (ROOT / "pages/_ui").glob("*.py")}
    needed = {
        name
        for node in ast.walk(ast.parse((ROOT / f"pages/{page}.py").read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{one.name}" for one in node.names))
    } & modules
    assert len(needed) > 5
    # the package imports the state itself
    assert needed - {*names, *HEAVY_MODULES} <= {"pages._ui.state"}


def test_server_is_prepared_when_the_app_starts() -> None:
    async def enter() -> bool | None:
        async with lifespan(None) as state:
            assert state == {}
            return PagesManager.uses_pages_directory

    assert asyncio.run(enter()) is False


def test_a_page_waits_for_the_imports_of_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = threading.Event()
    order: list[str] = []

    def slowly() -> None:
        assert may_go_on.wait(20)
        order.append("imported")

    monkeypatch.setattr(startup, "import_and_freeze", slowly)

    def page() -> None:
        wait_for_imports()
        order.append("page")

    async def run() -> None:
        async with lifespan(None):
            visitor = threading.Thread(target=page)
            visitor.start()
            visitor.join(0.1)
            assert visitor.is_alive()
            may_go_on.set()
            visitor.join(20)

    asyncio.run(run())
    assert order == ["imported", "page"]


def test_preparations_wait_for_the_first_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from pages._ui import intake
    from sts_core.render import print

    order: list[str] = []
    prepared, done = threading.Event(), threading.Event()

    def imported(names: tuple[str, ...] = HEAVY_MODULES) -> None:
        known = {HEAVY_MODULES: "heavy", NEXT_MODULES: "next"}
        order.append(known.get(names, ", ".join(names)))

    def prepare() -> None:
        order.append("sample")
        prepared.set()

    monkeypatch.setattr(startup, "import_and_freeze", imported)

    def fonts() -> None:
        order.append("fonts")
        done.set()

    monkeypatch.setattr(intake, "prepare_first_sample", prepare)
    monkeypatch.setattr(print, "prepare_fonts", fonts)
    monkeypatch.setattr(startup, "LATER_SECONDS", 0.01)

    async def run() -> None:
        async with lifespan(None):
            wait_for_imports()
            assert not prepared.wait(0.1)
            order.append("page")
            first_page_is_sent()
            assert done.wait(20)

    asyncio.run(run())
    assert order == ["heavy", "page", "sample", "next", "scipy.special, sksurv.metrics", "fonts"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_imports_that_fail_leave_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ImportError("not there")

    monkeypatch.setattr(startup, "import_and_freeze", fail)

    async def run() -> None:
        async with lifespan(None):
            pass

    asyncio.run(run())
    visitor = threading.Thread(target=wait_for_imports, daemon=True)
    visitor.start()
    visitor.join(20)
    assert not visitor.is_alive()


def test_a_server_answers_before_the_core_is_imported() -> None:
    code = (
        "import sys, runpy; runpy.run_path('app.py', run_name='app');"
        "sys.exit(any(n in sys.modules for n in ('pandas', 'pages._ui', 'sts_core')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_first_sample_is_read_before_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    from pages._ui import intake

    intake.prepare_first_sample()
    first = intake.sample_workspace(intake.SAMPLES[0])

    def never(*_: object) -> None:
        raise AssertionError("a sample was read again")

    monkeypatch.setattr(intake, "read_bytes", never)
    assert intake.sample_workspace(intake.SAMPLES[0]) is first
    assert first.cohort is not None
    assert first.cohort.n_in_file == 51


def test_app_hands_the_preparation_to_the_server() -> None:
    source = (ROOT / "app.py").read_text("utf-8")
    namespace: dict[str, object] = {"__name__": "app", "__file__": str(ROOT / "app.py")}
    exec(compile(source, "app.py", "exec"), namespace)
    assert namespace["app"]._user_lifespan is lifespan


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("server", "address", "127.0.0.1"),
        ("server", "showEmailPrompt", False),
        ("server", "maxUploadSize", 50),
        ("server", "disconnectedSessionTTL", 3600),
        ("browser", "gatherUsageStats", False),
        ("client", "toolbarMode", "viewer"),
        ("client", "showErrorDetails", "none"),
        ("client", "showErrorLinks", False),
        ("client", "disableDataExport", True),
    ],
)
def test_settings_are_those_in_force(section: str, key: str, value: object) -> None:
    from streamlit import config

    assert CONFIG[section][key] == value
    assert config.get_option(f"{section}.{key}") == value


def test_pages_do_not_write_nor_ask_the_outside() -> None:
    banned = ("open(", "tempfile", "requests", "urllib", "httpx", "socket")
    files = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]
    assert len(files) > 10
    for file in files:
        text = file.read_text("utf-8")
        for word in banned:
            assert f" {word}" not in text, f"{file.name}: {word}"


def test_icon_of_the_page_is_a_local_file() -> None:
    from pages._ui.shell import PAGE_ICON

    assert (ROOT / PAGE_ICON).read_bytes().startswith(b"\x89PNG")
