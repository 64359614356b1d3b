# Sourced by the other scripts: what the operating system has to give, and how to ask for it.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

# apt_install PACKAGE...: as root only (see can_install); waits for another apt to finish.
apt_install() {
    say "Installing with apt: $*"
    local log
    log=$(mktemp)
    if DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null >"$log" 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
            install --no-install-recommends "$@" </dev/null >>"$log" 2>&1; then
        rm -f "$log"
    else
        tail -n 30 "$log" >&2
        rm -f "$log"
        return 1
    fi
}

# Ubuntu has Chromium as a snap only, which a test cannot drive.
is_ubuntu() { [ "$(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-}")" = ubuntu ]; }
