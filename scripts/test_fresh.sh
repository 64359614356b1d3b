#!/usr/bin/env bash
# Proves `make run` and `make test` on a machine that has nothing: a bare Debian with git, make and python3,
# as an ordinary user. Before each missing piece is installed, the message about it is checked.
#
#     make test-fresh            everything, with the browser tests (about 15 minutes)
#     make test-fresh CORE=1     make run and make test-core
#
# What is tested is the last commit. SUITE takes another release than this machine's.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh
# shellcheck source=scripts/bare_root.sh
. scripts/bare_root.sh
GOAL=test-fresh

# ------------------------------------------------------------------ inside the namespaces
inside() {
    local root=$1 port=$2 user=clinician path
    local app=/home/$user/app
    local shell=(env -i "HOME=/home/$user" "USER=$user" LANG=C.UTF-8 TERM=dumb
        PATH=/usr/local/bin:/usr/bin:/bin)
    for path in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        if [ -n "${!path:-}" ]; then shell+=("$path=${!path}"); fi
    done

    mount_system "$root"
    while IFS= read -r path; do
        if [ -d "$path" ]; then
            mkdir -p "$root$path"
            mount --bind "$path" "$root$path"
            mount -o remount,bind,ro "$root$path"
        elif [ -f "$path" ]; then
            # Elsewhere, since installing packages writes the bundle of certificates anew.
            mkdir -p "$root/srv/host$(dirname "$path")"
            cp "$path" "$root/srv/host$path"
            sed -i "s#\\(^\\|[ =]\\)$path\$#\\1/srv/host$path#" "$root/etc/pip.conf"
        fi
    done <"$root/../paths"

    as_user() { chroot --userspec=$user:$user "$root" "${shell[@]}" bash -c "cd ~ && $*"; }
    as_root() { chroot "$root" "${shell[@]}" HOME=/root DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c "$*"; }

    # refused COMMAND WORDS: the command has to fail with one line that holds the words.
    refused() {
        local output
        if output=$(as_user "$1" 2>&1 </dev/null); then
            die "FAILED: '$1' passed although something is missing"
        fi
        line=$(grep -F "$2" <<<"$output") || die "FAILED: '$1' did not say '$2' but: $output"
        say "   said: $line"
        [ "$(wc -l <<<"$line")" = 1 ] || die "FAILED: more than one line"
    }
    # The command that the message names, run as the message says.
    obey() {
        local command
        command=$(grep -oE 'apt-get install -y [a-z0-9 .+-]*[a-z0-9]' <<<"$line" | head -1)
        say "   obeying: $command"
        as_root "apt-get -q update >/dev/null && $command >/tmp/apt.log 2>&1" || die "FAILED: $command"
    }

    chroot "$root" useradd --create-home --shell /bin/bash $user
    step "git clone as $user"
    as_user "git -c advice.detachedHead=false clone --quiet /srv/app.bundle app && cd app && git log -1 --format='   %h %s'"

    step "make run without the module venv: refused in one line"
    refused "cd $app && make run PORT=$port" "sudo apt-get install"
    obey

    # starts SECONDS: make run answers within so many seconds, with the page too.
    starts() {
        local log=$root/home/$user/run.log server began=$SECONDS
        # A session of its own, so that its whole group can be ended.
        as_user "exec setsid --wait bash -c 'echo \$\$ >~/run.pid; cd $app; exec make run PORT=$port >~/run.log 2>&1 </dev/null'" &
        server=$!
        until as_user "python3 -c \"import urllib.request as u; assert u.urlopen('http://localhost:$port/_stcore/health', timeout=3).read() == b'ok'\"" 2>/dev/null; do
            kill -0 "$server" 2>/dev/null || { cat "$log" >&2; die "FAILED: make run ended"; }
            [ $((SECONDS - began)) -lt "$1" ] || { cat "$log" >&2; die "FAILED: no answer in $1 s"; }
            sleep 1
        done
        as_user "python3 -c \"import urllib.request as u; page = u.urlopen('http://localhost:$port/', timeout=10); assert page.status == 200 and b'<html' in page.read()\"" ||
            die "FAILED: no page"
        say "   answered after $((SECONDS - began)) s"
        kill -TERM -- "-$(cat "$root/home/$user/run.pid")"
        wait "$server" 2>/dev/null || true
        if grep -qiE 'traceback|exception' "$log"; then cat "$log" >&2; die "FAILED: an exception"; fi
    }
    step "make run, first time"
    starts 900
    step "make run, second time: nothing to install"
    starts 60
    if grep -q Installing "$root/home/$user/run.log"; then die "FAILED: installed again"; fi

    if [ -n "${CORE:-}" ]; then
        step "make test-core"
        as_user "cd $app && make test-core </dev/null"
    else
        step "make test-browser without a browser: refused in one line"
        refused "cd $app && make test-browser" "sudo apt-get install"
        obey
        step "make test"
        as_user "cd $app && make test </dev/null"
    fi
    step "The clone is as it was: nothing but ignored files was added"
    as_user "cd $app && test -z \"\$(git status --porcelain)\"" || die "FAILED: $(as_user "cd $app && git status --short")"
    say "PASSED in $SECONDS s"
}

step() { printf '\n== %4d s  %s\n' "$SECONDS" "$*" >&2; }

if [ "${1:-}" = --inside ]; then
    inside "$2" "$3"
    exit
fi

# ------------------------------------------------------------------ outside
need_root_tools mmdebstrap git
python=$(host_python)
if [ -n "$(git status --porcelain)" ]; then say "Note: changes that are not committed are not tested."; fi

work=$(mktemp -d "${TMPDIR:-/var/tmp}/test-fresh.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
chmod 711 "$work" # apt downloads as a user of its own
step "A bare system"
make_bare_root "$work/root" git make python3
cp /etc/resolv.conf "$work/root/etc/resolv.conf"
cp /etc/hosts "$work/root/etc/hosts"
"$python" scripts/host_pip.py conf >"$work/root/etc/pip.conf"
"$python" scripts/host_pip.py paths >"$work/paths"
git bundle create --quiet "$work/root/srv/app.bundle" HEAD

# 8501 unless something of this machine has it.
port=$("$python" - <<'PYTHON'
import socket

for port in (8501, 0):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(probe.getsockname()[1])
        break
PYTHON
)
unshare --mount --pid --fork --kill-child --mount-proc -- "$0" --inside "$work/root" "$port"
