"""Refuse files that must not be committed: tables that could hold patients, archives, big files.

    python scripts/check_files.py [FILE ...]

Without arguments all files of the repository are checked. Exit status 1 when one is refused.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent

DATA_SUFFIXES = frozenset(
    """
    .xls .xlsx .xlsm .xlsb .ods .csv .tsv .sav .zsav .por .dta .sas7bdat .xpt .parquet .feather
    .arrow .rds .rdata .rda .mdb .accdb .sqlite .db .pkl .pickle .npy .npz .zip .7z .rar .gz
    """.split()  # noqa: SIM905 - one suffix a line would be longer
)
# Zip container (also xlsx, docx, pptx) and OLE2 container (xls, encrypted Office files).
CONTAINER_SIGNATURES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
MAX_BYTES = 1_000_000
MAX_FONT_BYTES = 8_000_000
FONT_SUFFIXES = frozenset({".ttf", ".otf", ".woff2"})


def may_hold_data(path: PurePosixPath) -> bool:
    """Whether tables belong there: synthetic samples, published numbers, vocabularies and terms."""
    parts = path.parts
    return (
        parts[:1] == ("sample_data",)
        or parts[:2] == ("tests", "reference")
        or (
            parts[:1] == ("sts_core",) and not {"vocabulary", "terminology"}.isdisjoint(parts[1:-1])
        )
    )


def refusal(path: PurePosixPath, content: bytes) -> str | None:
    """Return the reason why a file is refused, or ``None``.

    Parameters
    ----------
    path : PurePosixPath
        Path inside the repository.
    content : bytes
        What the file holds.
    """
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if not may_hold_data(path):
        if suffixes & DATA_SUFFIXES:
            return "a data file; tables belong to sample_data/ or tests/reference/, never patients"
        if content.startswith(CONTAINER_SIGNATURES):
            return "an Office file or an archive under another name"
    limit = MAX_FONT_BYTES if path.suffix.lower() in FONT_SUFFIXES else MAX_BYTES
    if len(content) > limit:
        return f"{len(content):,} bytes; at most {limit:,}"
    return None


def repository_files(root: Path = ROOT) -> Iterator[PurePosixPath]:
    """Yield what git tracks or would track; without git, all files outside hidden folders."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        for path in root.rglob("*"):
            relative = path.relative_to(root)
            hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
            if path.is_file() and not hidden:
                yield PurePosixPath(relative.as_posix())
        return
    for name in listed.decode().split("\0"):
        if name:
            yield PurePosixPath(name)


def refused(paths: Iterable[PurePosixPath], root: Path = ROOT) -> list[str]:
    """Return one line for each refused file."""
    lines = []
    for path in paths:
        file = root / path
        if not file.is_file() or file.is_symlink():
            continue
        reason = refusal(path, file.read_bytes())
        if reason:
            lines.append(f"{path}: {reason}")
    return lines


def main(arguments: list[str]) -> int:
    """Check the named files, or all."""
    named = [PurePosixPath(Path(name).resolve().relative_to(ROOT).as_posix()) for name in arguments]
    paths = named or sorted(repository_files())
    lines = refused(paths)
    for line in lines:
        print(f"Refused: {line}", file=sys.stderr)
    if not lines:
        print(f"{len(paths)} files, none refused")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
