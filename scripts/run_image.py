"""Run an unpacked image as an engine would and check it; called by test_image.sh in its namespaces.

    python run_image.py ROOT CONFIG

ROOT is the image's root, mounted read-only with a /tmp in memory; CONFIG what `buildah inspect`
says of the image.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

COMPILERS = ("cc", "gcc", "g++", "c++", "clang", "tcc", "ld", "as", "make", "rustc", "go")
PATIENCE_SECONDS = 120


def loopback_up() -> None:
    """Switch on the one interface of a new network namespace (SIOCGIFFLAGS, SIOCSIFFLAGS)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(device, 0x8913, request))[1]
        fcntl.ioctl(device, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def expect(holds: bool, what: str) -> None:
    """Say what was checked, and stop when it does not hold."""
    print(f"   {'ok' if holds else 'FAILED'}: {what}", flush=True)
    if not holds:
        sys.exit(1)


def main(root: Path, config_file: Path) -> int:
    """Start the image's command, wait for its health check, run the sample."""
    config = json.loads(config_file.read_text(encoding="utf-8"))["Docker"]["config"]
    environment = dict(entry.split("=", 1) for entry in config["Env"])
    user, _, group = config["User"].partition(":")
    expect(user.isdigit() and int(user) > 0, f"the user is not root but {config['User']}")
    loopback_up()

    def enter() -> None:
        os.chroot(root)
        os.chdir(config["WorkingDir"])
        os.setgroups([])
        os.setgid(int(group))
        os.setuid(int(user))

    def start(command: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            env=environment,
            preexec_fn=enter,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(*command: str, seconds: float = 60) -> tuple[int, str]:
        with start(list(command)) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                output, _ = process.communicate()
                return -1, output
            return process.returncode, output

    write = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('x')"
    for place in ("/app/x", "/opt/venv/x", "/var/tmp/x", "/etc/x"):
        expect(run("python", "-c", write, place)[0] != 0, f"{place} cannot be written")
    expect(run("python", "-c", write, "/tmp/x")[0] == 0, "/tmp can be written")
    for name in COMPILERS:
        found = run("sh", "-c", f"command -v {name}")[1].strip()
        expect(not found, f"no {name} in the image{': ' + found if found else ''}")
    expect(run("python", "-m", "pip", "--version")[0] != 0, "no pip in the app's environment")

    health = config["Healthcheck"]["Test"]
    expect(health[0] == "CMD", "the health check needs no shell")
    server = start(config["Cmd"])
    began = time.monotonic()
    while (checked := run(*health[1:]))[0] != 0:
        if server.poll() is not None or time.monotonic() - began > PATIENCE_SECONDS:
            server.kill()
            print(server.communicate()[0], checked[1], file=sys.stderr)
            expect(False, "the health check passes")
        time.sleep(0.5)
    expect(True, f"the health check passes after {time.monotonic() - began:.1f} s")
    page = "import urllib.request as u; p = u.urlopen('http://127.0.0.1:8501/'); print(p.status)"
    expect(run("python", "-c", page)[1].strip() == "200", "the page is served")
    listening = Path("/proc/net/tcp").read_text(encoding="ascii")
    expect(f"00000000:{8501:04X}" in listening, "the port is open to the outside of the container")

    study, out = "sample_data/study.yaml", "/tmp/out"
    status, output = run(
        "python", "-m", "sts_core", "analyse", "--study", study, "--out", out, seconds=300
    )
    if status != 0:
        print(output, file=sys.stderr)
    expect(status == 0, "python -m sts_core analyse takes the sample")
    results = json.loads((root / "tmp/out/results.json").read_text(encoding="utf-8"))
    values = [row for row in results["rows"] if row.get("value") is not None]
    expect(len(values) > 0, f"results.json holds {len(values)} numbers")

    expect(server.poll() is None, "the server is still up")
    server.terminate()
    log = server.communicate(timeout=30)[0]
    expect("Traceback" not in log, "no trace in the server's log")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
