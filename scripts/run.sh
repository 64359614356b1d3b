#!/usr/bin/env bash
# Starts the app at http://localhost:PORT and stays in the foreground; Ctrl+C ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh
port=${1:-8501}
venv=${VENV:-.venv}

if "$venv/bin/python" - "$port" <<'PYTHON'; then
import socket
import sys

with socket.socket() as probe:
    probe.settimeout(1)
    sys.exit(0 if probe.connect_ex(("127.0.0.1", int(sys.argv[1]))) == 0 else 1)
PYTHON
    die "Port $port is already in use. Open http://localhost:$port if the app runs there, or take another: make run PORT=$((port + 1))"
fi

options=(--server.port "$port")
# Where there is a desktop, the page opens by itself.
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && [ -z "${CI:-}" ]; then
    options+=(--server.headless false)
fi
exec "$venv/bin/python" -m streamlit run app.py "${options[@]}"
