"""Print this machine's pip settings as one pip.conf, for use in another root on this machine.

    python scripts/host_pip.py conf    the settings that say where packages come from
    python scripts/host_pip.py paths   the local files and folders that these settings name

Run by a Python that has pip.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Where packages come from and how to get there; nothing about where they go.
WANTED = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "proxy",
    "cert",
    "client-cert",
    "constraint",
    "timeout",
    "retries",
)


def settings() -> dict[str, str]:
    """Return the settings in force; the environment goes before files, as in pip."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    chosen: dict[str, str] = {}
    ranks: dict[str, int] = {}
    for line in listed.splitlines():
        name, _, quoted = line.partition("=")
        section, _, key = name.partition(".")
        key = key.removeprefix("default-")
        rank = {"global": 1, "install": 2, ":env:": 3}.get(section, 0)
        if key in WANTED and rank > ranks.get(key, 0):
            chosen[key], ranks[key] = str(ast.literal_eval(quoted)), rank
    return chosen


def local_paths(chosen: dict[str, str]) -> list[Path]:
    """Return the existing paths that the settings name; of a local index the folder around it."""
    paths = set()
    for key, value in chosen.items():
        for word in value.split():
            path = Path(unquote(urlsplit(word).path) if word.startswith("file:") else word)
            if not path.is_absolute() or not path.exists():
                continue
            # Pages of an index point to files beside it.
            paths.add(path.parent if key.endswith("index-url") else path)
    return sorted(paths)


def main() -> int:
    """Print what is asked for."""
    chosen = settings()
    if sys.argv[1:] == ["conf"]:
        print("[global]")
        for key, value in chosen.items():
            print(f"{key} = " + "\n    ".join(value.split()))
    elif sys.argv[1:] == ["paths"]:
        for path in local_paths(chosen):
            print(path)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
