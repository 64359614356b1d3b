"""What happens once, when the server starts."""

from __future__ import annotations

import gc
import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pages._server.chart_library import chart_library

SPOOL_BYTES = 1 << 30
# What the first page and the first click would otherwise wait for
HEAVY_MODULES = (
    "pages._ui",
    "sts_core.analysis.registry",
    "sts_core.figures.catalogue",
    "sts_core.reading",
    "sts_core.render.plotly",
    "scipy.special",
)
_imported = threading.Event()
# without a server nobody imports in the background
_imported.set()


def prepare_server() -> None:
    """Close two holes of the server, before it answers its first request.

    A ``pages`` folder makes a fresh server run a page without the router until somebody has opened
    the root: the flag says that pages are declared. An upload above 1 MB is spooled to a file in
    the temp folder: patient data would touch the disk. Both names are private; a test holds the
    behaviour, and the versions are pinned.
    """
    from starlette.formparsers import MultiPartParser
    from streamlit.runtime.pages_manager import PagesManager

    PagesManager.uses_pages_directory = False
    MultiPartParser.spool_max_size = SPOOL_BYTES


def import_and_freeze(names: tuple[str, ...] = HEAVY_MODULES) -> None:
    """Import modules, and leave all that lives now out of later garbage collections.

    A full collection after every rerun costs 100 ms with these libraries loaded.
    """
    for name in names:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def wait_for_imports() -> None:
    """Wait until the server has imported what pages need.

    Two threads that import modules with circular imports can get one that is half made.
    """
    _imported.wait()


def _import_in_background() -> None:
    try:
        import_and_freeze()
    finally:
        # after an error too: the page then imports by itself, and says what is wrong
        _imported.set()
    importlib.import_module("pages._ui.intake").prepare_first_sample()


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    """Prepare the server; heavy imports go on while a browser fetches its first page."""
    prepare_server()
    _imported.clear()
    threads = [
        # compressing lets other threads run
        threading.Thread(target=chart_library, name="chart-library", daemon=True),
        threading.Thread(target=_import_in_background, name="imports", daemon=True),
    ]
    for thread in threads:
        thread.start()
    yield {}
    for thread in threads:
        thread.join()
