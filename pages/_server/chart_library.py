"""The program that draws charts in the page, served from the installed Python package."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

#: Below the app's own address. The version is part of it, because browsers keep the file for good.
LIBRARY_PATH = f"chart-library/{version('plotly')}/plotly.min.js"
_FOR_GOOD = "public, max-age=31536000, immutable"


@cache
def chart_library() -> tuple[bytes, bytes]:
    """Give plotly.js as it is, and compressed."""
    plain = files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
    # once for good: left to itself the server would do it for every answer; a higher level takes
    # twice the time for 4% of the size
    return plain, gzip.compress(plain, 4)


def _serve(request: Request) -> Response:
    plain, compressed = chart_library()
    headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(compressed, headers=headers, media_type="text/javascript")
    return Response(plain, headers=headers, media_type="text/javascript")


#: Any prefix may stand before the path: a proxy may keep the one that it serves the app below.
ROUTES = (Route(f"/{{prefix:path}}{LIBRARY_PATH}", _serve),)
