#!/usr/bin/env bash
# Makes the virtual environment and installs the pinned packages into it; does nothing when they are there.
#
#     scripts/setup.sh run    what the app needs
#     scripts/setup.sh dev    that, and the tools of tests, lint and types
#
# VENV names the folder (default .venv), PYTHON the interpreter (default: the first of python3.11,
# python3.12, python3 that is Python 3.11 or 3.12).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh

kind=${1:-run}
case $kind in
    run) files=(requirements.txt) ;;
    dev) files=(requirements.txt requirements-dev.txt) ;;
    *) die "usage: scripts/setup.sh run|dev" ;;
esac
venv=${VENV:-.venv}

# Two commands started together must not build one environment twice: hold this folder while at it.
if command -v flock >/dev/null 2>&1; then
    exec 9<.
    flock 9
fi

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

supported() { case $(version_of "$1") in 3.11 | 3.12) return 0 ;; *) return 1 ;; esac }

can_make_venv() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

# A system may hold several; one that can make an environment goes before one that cannot yet.
choose_python() {
    local candidate second=""
    for candidate in ${PYTHON:-python3.11 python3.12 python3 /usr/bin/python3}; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        supported "$candidate" || continue
        if can_make_venv "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
        second=${second:-$candidate}
    done
    printf '%s' "$second"
}

refuse_python() {
    local found
    found=$(version_of "${PYTHON:-python3}" || true)
    die "Python 3.11 or 3.12 is needed and ${PYTHON:-python3} is ${found:-not there}: install one (Debian 12: sudo apt-get install -y python3 python3-venv; Ubuntu 24.04: sudo apt-get install -y python3.12 python3.12-venv), or name one with PYTHON=/path/to/python3.12."
}

venv_works() { [ -x "$venv/bin/python" ] && supported "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

if ! venv_works; then
    python=$(choose_python)
    if [ -z "$python" ] && [ -z "${PYTHON:-}" ] && can_install && ! command -v python3 >/dev/null 2>&1; then
        apt_install python3 python3-venv
        python=$(choose_python)
    fi
    [ -n "$python" ] || refuse_python
    if ! can_make_venv "$python"; then
        package="python$(version_of "$python")-venv"
        can_install || die "$python lacks the module venv. Install it with: sudo apt-get install -y $package"
        apt_install "$package"
        can_make_venv "$python" || die "$python still cannot make an environment after installing $package."
    fi
    say "Making $venv with Python $(version_of "$python")"
    "$python" -m venv --clear "$venv"
fi

# One stamp for each kind: the hash of what was asked for and of the interpreter that has it.
stamp="$venv/installed-$kind"
wanted=$({
    cat "${files[@]}"
    "$venv/bin/python" -c 'import sys; print(sys.version, sys.prefix)'
} | sha256sum | cut -d' ' -f1)

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    say "Installing the packages of ${files[*]} into $venv (once; some minutes)"
    pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input install -qq --retries 5)
    # A package without a wheel is built with the pinned setuptools, not with the newest of the day.
    "${pip[@]}" "$(grep '^setuptools==' requirements.txt)"
    "${pip[@]}" --no-build-isolation --use-pep517 "${files[@]/#/--requirement=}"
    "$venv/bin/python" -m pip --disable-pip-version-check check >&2
    printf '%s\n' "$wanted" >"$stamp"
    # Development holds what the app needs, too.
    if [ "$kind" = dev ]; then
        {
            cat requirements.txt
            "$venv/bin/python" -c 'import sys; print(sys.version, sys.prefix)'
        } | sha256sum | cut -d' ' -f1 >"$venv/installed-run"
    fi
fi
