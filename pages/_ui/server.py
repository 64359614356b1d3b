"""What happens once, when the server starts."""

from __future__ import annotations

import gc
import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

SPOOL_BYTES = 1 << 30
# What the first click would otherwise wait for
HEAVY_MODULES = (
    "scipy.special",
    "sts_core.analysis.registry",
    "sts_core.figures.catalogue",
    "sts_core.reading",
    "sts_core.render.plotly",
)
# More than a second to import, and needed for the concordance of a model only: they follow when
# the server has answered for a while. Whoever is there before imports them by asking.
LATER_MODULES = ("sksurv.metrics",)
LATER_SECONDS = 15.0


def prepare_server() -> None:
    """Close three holes of the server, and take the heavy imports out of the first click.

    A ``pages`` folder makes a fresh server run a page without the router until somebody has opened
    the root: the flag says that pages are declared. An upload above 1 MB is spooled to a file in
    the temp folder: patient data would touch the disk. And a full garbage collection after every
    rerun costs 100 ms with these libraries loaded: frozen objects are left out of it. Two of the
    names are private; a test holds the behaviour, and the versions are pinned.
    """
    from starlette.formparsers import MultiPartParser
    from streamlit.runtime.pages_manager import PagesManager

    PagesManager.uses_pages_directory = False
    MultiPartParser.spool_max_size = SPOOL_BYTES

    import_and_freeze(HEAVY_MODULES)


def import_and_freeze(names: tuple[str, ...]) -> None:
    """Import modules, and leave all that lives now out of later garbage collections."""
    for name in names:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    """Prepare the server before it answers its first request."""
    prepare_server()
    later = threading.Timer(LATER_SECONDS, import_and_freeze, args=(LATER_MODULES,))
    later.daemon = True
    later.start()
    yield {}
    later.cancel()
