#!/usr/bin/env bash
# Builds the container image and runs it as `docker run --read-only --tmpfs /tmp` would, without a Docker
# engine: buildah with chroot isolation on a base made by mmdebstrap, then a mount namespace with a
# read-only root, and a network namespace that reaches nothing but itself.
#
# BASE_IMAGE takes an image to build on instead; buildah has to be able to get it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh
# shellcheck source=scripts/bare_root.sh
. scripts/bare_root.sh
GOAL="image-test"

step() { printf '\n== %4d s  %s\n' "$SECONDS" "$*" >&2; }

# ------------------------------------------------------------------ inside the namespaces
inside() {
    local image=$1 config=$2 python=$3 root=$2.root
    mkdir "$root"
    mount --bind "$image" "$root"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount_system "$root"
    mount -o remount,bind,ro "$root"
    "$python" scripts/run_image.py "$root" "$config"
}

if [ "${1:-}" = --inside ]; then
    inside "$2" "$3" "$4"
    exit
fi

# ------------------------------------------------------------------ outside
need_root_tools mmdebstrap buildah
python=$(host_python)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/test-image.XXXXXX")
container=""
storage=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
finish() {
    if [ -n "$container" ]; then buildah "${storage[@]}" umount "$container" >/dev/null 2>&1 || true; fi
    rm -rf --one-file-system "$work"
}
trap finish EXIT

base=${BASE_IMAGE:-}
if [ -z "$base" ]; then
    step "A base image"
    make_bare_root "$work/base.tar" python3 python3-venv ca-certificates
    base=localhost/base
    scratch=$(buildah "${storage[@]}" from scratch)
    buildah "${storage[@]}" add --quiet "$scratch" "$work/base.tar" / >/dev/null
    buildah "${storage[@]}" commit --quiet --rm "$scratch" "$base" >/dev/null
    rm "$work/base.tar"
fi

step "The image"
"$python" scripts/host_pip.py conf >"$work/pip.conf"
options=()
while IFS= read -r path; do
    options+=(--volume "$path:$path:ro")
done < <("$python" scripts/host_pip.py paths)
buildah "${storage[@]}" bud --isolation chroot --format docker --layers=false --pull=false --quiet \
    --build-arg "BASE_IMAGE=$base" --secret "id=pip_conf,src=$work/pip.conf" "${options[@]}" \
    --tag localhost/sts-cohort-dashboard . </dev/null >"$work/build.log" 2>&1 ||
    { tail -n 40 "$work/build.log" >&2; die "FAILED: the build"; }

container=$(buildah "${storage[@]}" from --pull=false localhost/sts-cohort-dashboard)
image=$(buildah "${storage[@]}" mount "$container")
buildah "${storage[@]}" inspect --type image localhost/sts-cohort-dashboard \
    >"$work/config.json"
say "   $(du -sm --apparent-size "$image" | cut -f1) MB unpacked"

step "Without an engine: read-only root, /tmp in memory, no network"
unshare --mount --pid --fork --kill-child --net -- \
    "$0" --inside "$image" "$work/config.json" "$(command -v "$python")"
say "PASSED in $SECONDS s"
