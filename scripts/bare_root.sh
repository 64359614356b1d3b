# Sourced by the tests that need a bare Debian: makes one with mmdebstrap from this machine's own sources.
# shellcheck shell=bash

# need_root_tools PACKAGE...: this has to be root; the packages are installed if missing.
need_root_tools() {
    local package missing=()
    [ "$(id -u)" = 0 ] || die "This makes a system of its own and needs root: sudo make $GOAL"
    for package in "$@"; do
        command -v "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ "${#missing[@]}" = 0 ] || apt_install "${missing[@]}"
}

# A Python of this machine that has pip and can tell its settings.
host_python() {
    local candidate
    for candidate in "${VENV:-.venv}/bin/python" python3 /usr/bin/python3; do
        if "$candidate" -m pip --version >/dev/null 2>&1; then
            printf '%s' "$candidate"
            return
        fi
    done
    die "No Python with pip here to tell where packages come from. Run first: make setup"
}

# make_bare_root TARGET PACKAGE...: TARGET is a folder or a .tar file.
make_bare_root() {
    local target=$1 sources=() options=() file suite
    shift
    suite=${SUITE:-$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")}
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/{debian,ubuntu}.sources; do
        if [ -f "$file" ] && grep -qE '^(deb |URIs:)' "$file"; then sources+=("$file"); fi
    done
    # How this machine reaches its mirrors: proxies, time checks, retries.
    while IFS= read -r line; do
        options+=("--aptopt=$line")
    done < <(apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv)' || true)
    say "Making a bare $suite with: $*"
    mmdebstrap --quiet --variant=apt --include="$(
        IFS=,
        printf '%s' "$*"
    )" "${options[@]}" "$suite" "$target" "${sources[@]}"
}

# inside ROOT: mounts what a running system has. Call it in a mount namespace of its own only.
mount_system() {
    local root=$1
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
}
