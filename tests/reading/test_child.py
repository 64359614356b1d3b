"""The reading process: whatever a file does to it, the server goes on and nothing is written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading import Limits, child, read_bytes
from sts_core.reading.content import FileKind
from sts_core.reading.parsing import LENGTH, MAGIC
from sts_core.reading.refusal import Reason, Refusal

CSV = b"id,sex\n1,M\n2,F\n"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the system sets no such limits")


def workbook_bytes(**cells: object) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Data"
    for place, value in cells.items():
        book.active[place] = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def refused(name: str, data: bytes, limits: Limits | None = None) -> Finding:
    with pytest.raises(StudyError) as caught:
        read_bytes(name, data, limits)
    (finding,) = caught.value.findings
    assert finding.message
    assert finding.hint
    assert finding.file == name
    return finding


def start_with(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Let the reading process run something else."""
    head = child._START.replace("main()\n", "")
    assert head != child._START
    monkeypatch.setattr(child, "_START", head + textwrap.dedent(body))


def test_far_cell_that_kills_the_reader_is_named_instead() -> None:
    data = workbook_bytes(A1="id", A2="x", XFD1048576=1)
    assert len(data) < 6000
    finding = refused("a.xlsx", data)
    assert finding.code is FindingCode.FILE_CELL_TOO_FAR
    assert finding.sheet == "Data"
    assert "XFD1048576" in finding.message


@LINUX
def test_reader_that_aborts_is_contained() -> None:
    source = zipfile.ZipFile(io.BytesIO(workbook_bytes(A1="id", A2="x", XFD1048576=1)))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            # Spelt so that the scan doesn't see it.
            target.writestr(name, content.replace(b'r="XFD1048576"', b"r='XFD1048576'"))
    assert refused("a.xlsx", stream.getvalue()).code is FindingCode.FILE_READER_STOPPED
    assert len(read_bytes("a.csv", CSV).sheets[0].frame) == 2


def test_password_protected_workbook() -> None:
    from msoffcrypto.format.ooxml import OOXMLFile

    stream = io.BytesIO()
    OOXMLFile(io.BytesIO(workbook_bytes(A1="id", A2="x"))).encrypt("secret", stream)
    finding = refused("a.xlsx", stream.getvalue())
    assert finding.code is FindingCode.FILE_PROTECTED
    assert "password" in finding.message


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_rows=100), FindingCode.FILE_TOO_LARGE),
        (Limits(max_columns=3), FindingCode.FILE_TOO_LARGE),
        (Limits(max_cells=1000), FindingCode.FILE_TOO_LARGE),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_too_large_a_table_is_refused(name: str, limits: Limits, code: FindingCode) -> None:
    rows = [["id", "a", "b", "c"], *([str(n), "1", "2", "3"] for n in range(300))]
    if name == "a.csv":
        data = "\n".join(",".join(row) for row in rows).encode()
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        stream = io.BytesIO()
        book.save(stream)
        data = stream.getvalue()
    finding = refused(name, data, limits)
    assert finding.code is code
    assert any(number in finding.message for number in ("100", "at most 3", "1,000"))


def test_rows_at_the_limit_are_read() -> None:
    data = b"id,a\n" + b"1,2\n" * 100 + b",\n" * 5000
    assert len(read_bytes("a.csv", data, Limits(max_rows=100)).sheets[0].frame) == 100


def test_too_many_bytes_are_refused_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start_with(monkeypatch, "os._exit(9)")
    finding = refused("a.csv", b"x" * 1_500_000, Limits(max_upload_mb=1))
    assert finding.code is FindingCode.FILE_TOO_LARGE
    assert "1.5 MB" in finding.message


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STS_MAX_COLUMNS", "1")
    monkeypatch.setenv("STS_READ_SECONDS", "7.5")
    assert Limits.from_environment() == Limits(max_columns=1, deadline_seconds=7.5)
    assert refused("a.csv", CSV).code is FindingCode.FILE_TOO_LARGE
    for bad in ("0", "-3", "many", "nan", "1e9"):
        monkeypatch.setenv("STS_MAX_ROWS", bad)
        with pytest.raises(ValueError, match="STS_MAX_ROWS"):
            Limits.from_environment()
    with pytest.raises(ValueError, match="max_rows"):
        Limits(max_rows=0)


def test_deadline_ends_the_process_and_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    start_with(
        monkeypatch,
        """
        import subprocess, time
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        time.sleep(60)
        """,
    )
    began = time.monotonic()
    finding = refused("a.csv", CSV, Limits(deadline_seconds=0.5))
    assert finding.code is FindingCode.FILE_TOOK_TOO_LONG
    assert "0.5 seconds" in finding.message
    assert time.monotonic() - began < 5


@LINUX
def test_memory_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"".join(b"%d,%d\n" % (n, n * 7) for n in range(400_000))
    limits = Limits(memory_mb=60, max_rows=500_000)
    finding = refused("a.csv", b"id,n\n" + rows, limits)
    assert finding.code in (
        FindingCode.FILE_NEEDS_TOO_MUCH_MEMORY,
        FindingCode.FILE_READER_STOPPED,
    )
    start_with(
        monkeypatch,
        """
        while True:
            os.write(1, bytes(1000000))
        """,
    )
    assert refused("a.csv", CSV, limits).code is FindingCode.FILE_NEEDS_TOO_MUCH_MEMORY


@LINUX
@pytest.mark.parametrize("signal", ["SIGABRT", "SIGKILL", "SIGSEGV"])
def test_killed_process_is_a_finding(monkeypatch: pytest.MonkeyPatch, signal: str) -> None:
    start_with(
        monkeypatch,
        f"""
        import resource, signal
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), signal.{signal})
        """,
    )
    assert refused("a.csv", CSV).code is FindingCode.FILE_READER_STOPPED


GRID = {
    "sheet": None,
    "hidden": False,
    "names": None,
    "first_column": 0,
    "n_rows": 1,
    "n_columns": 1,
    "facts": {},
}
ROW = b"\1\0\0\0"


def packed(content: object) -> bytes:
    encoded = json.dumps(content).encode()
    return LENGTH.pack(len(encoded)) + encoded


def reply(header: object, tail: bytes = b"") -> bytes:
    return MAGIC + packed(header) + tail


def column(values: object, codes: bytes) -> bytes:
    return packed(values) + codes


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello",
        MAGIC,
        MAGIC + LENGTH.pack(2**60) + b"{}",
        reply([]),
        reply({}),
        reply({"refusal": "nonsense", "facts": {}}),
        reply({"grids": [GRID]}),
        reply({"grids": [GRID]}, ROW),
        reply({"grids": [GRID]}, ROW + LENGTH.pack(2**60) + b"[]"),
        reply({"grids": [GRID]}, ROW + column(["", "x"], b"\2\0\0\0")),
        reply({"grids": [GRID]}, ROW + column(["", "x"], b"\xff\xff\xff\xff")),
        reply({"grids": [GRID]}, ROW + column(["", "x"], b"\1\0\0\0surplus")),
        reply({"grids": [{**GRID, "n_rows": -1}]}),
        reply({"grids": [{**GRID, "n_columns": -1}]}, b""),
        reply({"grids": [{**GRID, "n_columns": 2**40}]}, ROW + column(["", "x"], b"\1\0\0\0")),
        reply({"grids": [GRID]}, ROW + column([["list"]], b"\0\0\0\0")),
        reply({"grids": [GRID]}, ROW + column([{"d": "never"}], b"\0\0\0\0")),
        reply({"grids": [{**GRID, "names": []}]}, ROW + column(["", "x"], b"\1\0\0\0")),
        MAGIC + LENGTH.pack(200_000) + b"[" * 200_000,
    ],
)
def test_answer_of_a_corrupted_process_is_refused(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(child, "_run", lambda *_: bytearray(answer))
    with pytest.raises(Refusal) as caught:
        child.read_in_child(FileKind.TEXT, CSV, Limits())
    assert caught.value.reason is Reason.STOPPED


@given(st.binary(max_size=200))
def test_no_answer_raises_anything_but_a_refusal(answer: bytes) -> None:
    for head in (b"", MAGIC, MAGIC + LENGTH.pack(len(answer))):
        with pytest.raises((Refusal, ValueError, KeyError, TypeError, IndexError, AttributeError)):
            child._decode(bytearray(head + answer))


@LINUX
def test_process_gives_up_its_rights_and_is_light(monkeypatch: pytest.MonkeyPatch) -> None:
    start_with(
        monkeypatch,
        """
        import json, resource
        from sts_core.reading import parsing
        parsing.restrict(parsing.Limits(memory_mb=1000, deadline_seconds=20))
        report = {name: resource.getrlimit(getattr(resource, name))[0] for name in
                  ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_CPU", "RLIMIT_AS")}
        report["heavy"] = [m for m in ("pandas", "numpy", "streamlit") if m in sys.modules]
        report["environment"] = sorted(os.environ)
        sys.stdout.write(json.dumps(report))
        """,
    )
    monkeypatch.setenv("STS_SECRET", "token")
    report = json.loads(child._run(b"", b"", Limits(), 20))
    assert report["RLIMIT_CORE"] <= 1
    assert report["RLIMIT_FSIZE"] == 0
    assert report["RLIMIT_NPROC"] == 0
    assert report["RLIMIT_CPU"] == 25
    assert report["RLIMIT_AS"] == 1_000_000_000
    assert report["heavy"] == []
    assert "STS_SECRET" not in report["environment"]


def test_small_table_is_read_quickly() -> None:
    durations = []
    for _ in range(3):
        began = time.perf_counter()
        read_bytes("a.csv", CSV)
        durations.append(time.perf_counter() - began)
    assert min(durations) < 0.7


def test_files_are_read_from_several_threads() -> None:
    results: dict[int, int] = {}

    def work(number: int) -> None:
        data = b"id,x\n" + b"1,2\n" * number
        results[number] = len(read_bytes("a.csv", data).sheets[0].frame)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == {number: number for number in range(1, 7)}


def test_waiting_for_other_files_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_SLOTS", threading.BoundedSemaphore(1))
    with child._SLOTS:
        finding = refused("a.csv", CSV, Limits(deadline_seconds=0.1))
    assert "wait" in finding.message
    assert len(read_bytes("a.csv", CSV).sheets[0].frame) == 2


WATCH = """
import os, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
CHANGES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate", "shutil.copyfile",
           "tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect"}
def watch(event, details):
    if event in CHANGES:
        report(event, details)
    elif event == "open" and isinstance(details[2], int) and details[2] & WRITES:
        if details[0] != os.devnull and not isinstance(details[0], int):
            report(event, details)
sys.addaudithook(watch)
"""
CHILD_WATCH = "def report(event, details):\n    import os\n    os._exit(77)\n" + WATCH


def run_watched(
    tmp_path: Path, work: str, child_extra: str = ""
) -> subprocess.CompletedProcess[str]:
    """Read files in a fresh interpreter, with both processes watched for writing."""
    script = "\n".join(
        [
            "seen = []",
            "def report(event, details):\n    seen.append(event)",
            "import base64, json, sys, tempfile",
            "import pandas",
            "from sts_core.reading import child, read_bytes",
            f"child._START = {(CHILD_WATCH + child_extra)!r} + child._START",
            "files = json.loads(sys.stdin.read())",
            WATCH,
            work,
            "print(json.dumps(seen))",
        ]
    )
    files = {
        "a.csv": CSV,
        "b.xlsx": workbook_bytes(A1="id", A2="x", B1="n", B2=3),
        "c.csv": b"id,x\n" + b"abcdefgh,12345678\n" * 200_000,
    }
    import base64

    encoded = {name: base64.b64encode(data).decode() for name, data in files.items()}
    return subprocess.run(
        [sys.executable, "-B", "-c", script],
        input=json.dumps(encoded),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            **os.environ,
            "TMPDIR": str(tmp_path),
            "PYTHONPATH": str(Path(child.__file__).parents[2]),
        },
    )


READ_ALL = """
for name, data in files.items():
    assert len(read_bytes(name, base64.b64decode(data)).sheets[0].frame) > 0
"""


def test_nothing_is_written_to_the_disk(tmp_path: Path) -> None:
    done = run_watched(tmp_path, READ_ALL)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    assert list(tmp_path.iterdir()) == []


def test_the_watch_would_see_a_file(tmp_path: Path) -> None:
    done = run_watched(tmp_path, "tempfile.TemporaryFile().close()")
    assert done.returncode == 0, done.stderr
    assert "open" in json.loads(done.stdout)
    noticed = run_watched(tmp_path, READ_ALL, f"open({str(tmp_path / 'leak')!r}, 'w').write('x')\n")
    assert noticed.returncode != 0
    assert "file_reader_stopped" in noticed.stderr


@LINUX
def test_process_could_not_fill_a_file_if_it_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leak = tmp_path / "leak"
    start_with(
        monkeypatch,
        f"""
        from sts_core.reading import parsing
        parsing.restrict(parsing.Limits())
        try:
            with open({str(leak)!r}, "wb", buffering=0) as stream:
                stream.write(b"patient")
        except OSError:
            sys.stdout.write("refused")
        """,
    )
    assert bytes(child._run(b"", b"", Limits(), 20)) == b"refused"
    assert leak.read_bytes() == b""


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a.ods", "a.sav", "a.dta", "a.sas7bdat", "a.xpt"]),
    st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode())),
)
@example("a.csv", b"\xff\xfe\x00")
@example("a.csv", b'"')
@example(
    "a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + b"W\0o\0r\0k\0b\0o\0o\0k\0\0\0"
)
@example("a.xlsx", b"PK\x05\x06" + bytes(18))
@example("a.dta", b"\x72\x02" + bytes(300))
@example("a.sas7bdat", bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c") + bytes(500))
def test_any_bytes_are_a_table_or_a_finding(name: str, data: bytes) -> None:
    n_rows: list[int] = []
    findings: tuple[Finding, ...] = ()
    try:
        n_rows = [len(table.frame) for table in read_bytes(name, data).sheets]
    except StudyError as error:
        findings = error.findings
    assert bool(n_rows) is not bool(findings)
    assert all(n_rows)
    assert all(finding.message and finding.hint for finding in findings)


@pytest.mark.parametrize("name", ["sts_cohort.xlsx", "sts_screening.xlsx"])
def test_a_file_of_the_app_reads_the_same_without_a_process(name: str) -> None:
    data = (Path(__file__).parents[2] / "sample_data" / name).read_bytes()
    apart, here = read_bytes(name, data), read_bytes(name, data, own=True)
    assert (here.sha256, here.findings) == (apart.sha256, apart.findings)
    for one, other in zip(here.sheets, apart.sheets, strict=True):
        assert one.sheet == other.sheet
        pd.testing.assert_frame_equal(one.frame, other.frame)
