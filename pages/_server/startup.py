"""What happens once, when the server starts."""

from __future__ import annotations

import gc
import importlib
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

SPOOL_BYTES = 1 << 30
_SHORT_SWITCH_SECONDS = 0.0005
# What the first page and the first click would otherwise wait for: with all that the Data page is
# made of
HEAVY_MODULES = (
    "pages._ui",
    "sts_core.analysis.registry",
    "sts_core.figures.catalogue",
    "sts_core.reading",
    "sts_core.render.plotly",
    "pages._ui.data_cut",
    "pages._ui.endpoint_cards",
    "pages._ui.intake",
    "pages._ui.outcome_cards",
    "pages._ui.overview_card",
    "pages._ui.privacy_card",
    "pages._ui.query_list",
    "pages._ui.reading_card",
    "pages._ui.study_download",
    "pages._ui.tables_card",
    "pages._ui.variables_table",
)
# What the first curves need: it follows when the first page has been sent
NEXT_MODULES = (
    "pages._ui.competing_risks_section",
    "pages._ui.make_groups",
    "pages._ui.parametric_section",
    "pages._ui.population_parts",
    "pages._ui.software_conventions",
    "pages._ui.survival_comparison_section",
    "pages._ui.survival_curves",
    "pages._ui.treatment_note",
)
# Some pages need them, the first ones don't: they follow when the server has answered for a while,
# and then the fonts of pictures. Whoever is there before gets them by asking.
LATER_MODULES = ("scipy.special", "sksurv.metrics")
LATER_SECONDS = 15.0
# Preparations wait for the first page, but not for ever.
FIRST_PAGE_SECONDS = 10.0
_imported = threading.Event()
# without a server nobody imports in the background
_imported.set()
_first_page_sent = threading.Event()
_stopping = threading.Event()


def prepare_server() -> None:
    """Close two holes of the server, and spare its first page a search, before it answers.

    A ``pages`` folder makes a fresh server run a page without the router until somebody has opened
    the root: the flag says that pages are declared. An upload above 1 MB is spooled to a file in
    the temp folder: patient data would touch the disk. The first element of a process is held up
    by a look at the source of every module, for a warning to those who run a script without a
    server. All three names are private; a test holds the behaviour, and the versions are pinned.
    """
    from starlette.formparsers import MultiPartParser
    from streamlit import delta_generator
    from streamlit.runtime.pages_manager import PagesManager

    PagesManager.uses_pages_directory = False
    MultiPartParser.spool_max_size = SPOOL_BYTES
    delta_generator._use_warning_has_been_displayed = True


def import_and_freeze(names: tuple[str, ...] = HEAVY_MODULES) -> None:
    """Import modules, and leave all that lives now out of later garbage collections.

    A full collection after every rerun costs 100 ms with these libraries loaded. During the imports
    there is nothing to collect, nor at their end: what lives is set aside before the collector is
    let go, which would begin with a full collection. A server thread that wants to answer waits
    for this one no longer than the switch interval: it is short meanwhile, for the browser fetches
    its scripts just then.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SHORT_SWITCH_SECONDS)
    gc.disable()
    try:
        for name in names:
            importlib.import_module(name)
        gc.freeze()
    finally:
        gc.enable()
        sys.setswitchinterval(usual)


def wait_for_imports() -> None:
    """Wait until the server has imported what pages need.

    Two threads that import modules with circular imports can get one that is half made.
    """
    _imported.wait()


def first_page_is_sent() -> None:
    """Let the preparations go on that would have taken the processor from the first page."""
    _first_page_sent.set()


def _prepare_in_background() -> None:
    try:
        import_and_freeze()
    finally:
        # after an error too: the page then imports by itself, and says what is wrong
        _imported.set()
    _first_page_sent.wait(FIRST_PAGE_SECONDS)
    if _stopping.is_set():
        return
    importlib.import_module("pages._ui.intake").prepare_first_sample()
    import_and_freeze(NEXT_MODULES)
    if not _stopping.wait(LATER_SECONDS):
        import_and_freeze(LATER_MODULES)
        importlib.import_module("sts_core.render.print").prepare_fonts()


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    """Prepare the server; heavy imports go on while a browser fetches its first page."""
    prepare_server()
    for event in (_imported, _first_page_sent, _stopping):
        event.clear()
    thread = threading.Thread(target=_prepare_in_background, name="preparation", daemon=True)
    thread.start()
    yield {}
    for event in (_stopping, _first_page_sent):
        event.set()
    thread.join()
