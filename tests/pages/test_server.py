"""The server's start-up, and the settings that it runs under."""

from __future__ import annotations

import asyncio
import gc
import io
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.formparsers import MultiPartParser
from streamlit.runtime.pages_manager import PagesManager

from pages._ui.server import SPOOL_BYTES, lifespan, prepare_server
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
    import sys

    before = gc.get_freeze_count()
    prepare_server()
    assert gc.get_freeze_count() > before + 10_000
    assert {"numpy", "pandas", "sts_core.figures.survival_curve"} <= set(sys.modules)


def test_server_is_prepared_when_the_app_starts() -> None:
    async def enter() -> bool | None:
        async with lifespan(None) as state:
            assert state == {}
            return PagesManager.uses_pages_directory

    assert asyncio.run(enter()) is False


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
