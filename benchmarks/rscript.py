"""An R process that is started once and does its work when asked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent


class RError(RuntimeError):
    """R is missing, or ended early; the message is what it said."""


class RProcess:
    """One running script: a line asks for a task, its answer ends with ``end``."""

    def __init__(self, script: str, folder: Path) -> None:
        rscript = shutil.which("Rscript")
        if rscript is None:
            raise RError("Rscript is not installed (package r-base-core, with r-cran-survival)")
        self._errors = (folder / "r-errors.txt").open("w+")
        self._process = subprocess.Popen(
            [rscript, "--vanilla", str(HERE / script), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ask(self, task: str) -> dict[str, float]:
        """Give the named numbers of an answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(f"{task}\n")
            stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None
        found: dict[str, float] = {}
        for line in stdout:
            if line == "end\n":
                return found
            name, _, value = line.rstrip("\n").rpartition("\t")
            found[name] = float("nan") if value == "NA" else float(value)
        raise self._failure()

    def _failure(self) -> RError:
        self._process.wait(timeout=30)
        self._errors.seek(0)
        return RError(f"R ended early:\n{self._errors.read()}")

    def seconds(self, task: str) -> float:
        """Give the time that R took for a task, by its own clock."""
        return self.ask(task)["seconds"]

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


@contextmanager
def running_r(script: str, folder: Path) -> Iterator[RProcess]:
    """Start a script of this package; its argument is ``folder``."""
    process = RProcess(script, folder)
    try:
        yield process
    finally:
        process.close()


def r_versions() -> str:
    """Say which R and which survival package there are."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "no R"
    code = 'cat("R ", as.character(getRversion()), ", survival ", sep = "");' + (
        'cat(as.character(packageVersion("survival")))'
    )
    done = subprocess.run(
        [rscript, "--vanilla", "-e", code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "no R"
