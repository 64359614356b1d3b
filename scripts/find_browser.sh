#!/usr/bin/env bash
# Prints the path of a Chromium that starts; installs one when there is none and this is root.
#
# Looked for in this order: $CHROMIUM, chromium, chromium-browser, google-chrome, Playwright's own.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh
venv=${VENV:-.venv}

# Ubuntu's chromium-browser may be a stub that only tells of a snap, so being there is not enough.
starts() {
    local answer
    answer=$(timeout 30 "$1" --version </dev/null 2>/dev/null) && [[ ${answer,,} =~ chrom(e|ium) ]]
}

playwrights_own() {
    "$venv/bin/python" - 2>/dev/null <<'PYTHON' || true
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
PYTHON
}

find_browser() {
    local candidate path
    for candidate in chromium chromium-browser google-chrome google-chrome-stable; do
        path=$(command -v "$candidate" 2>/dev/null) || continue
        if starts "$path"; then
            printf '%s\n' "$path"
            return 0
        fi
    done
    path=$(playwrights_own)
    if [ -n "$path" ] && [ -x "$path" ] && starts "$path"; then
        printf '%s\n' "$path"
        return 0
    fi
    return 1
}

# Playwright speaks to the browser through a program in its package, which needs a library of the system.
driver_starts() {
    local driver
    driver=$("$venv/bin/python" -c 'from playwright._impl._driver import compute_driver_executable as driver; print(driver()[0])')
    "$driver" --version </dev/null >/dev/null 2>&1
}

missing=()
driver_starts || missing+=(libatomic1)

browser=""
if [ -n "${CHROMIUM:-}" ]; then
    browser=$(command -v "$CHROMIUM" 2>/dev/null) && starts "$browser" ||
        die "CHROMIUM is set to $CHROMIUM, which does not start as a browser."
else
    browser=$(find_browser) || missing+=(chromium)
fi

playwright_install="$venv/bin/python -m playwright install"
if [ "${#missing[@]}" -gt 0 ] && can_install; then
    for package in "${missing[@]}"; do
        if [ "$package" = chromium ] && is_ubuntu; then
            say "Installing Playwright's Chromium"
            $playwright_install --with-deps chromium >&2 || true
        else
            apt_install "$package" || true
        fi
    done
    driver_starts || die "Playwright's driver does not start; run the tests without a browser: make test-core test-pages"
    [ -n "$browser" ] || browser=$(find_browser) ||
        die "No browser could be installed; set CHROMIUM=/path/to/chromium, or run the tests without one: make test-core"
elif [ "${#missing[@]}" -gt 0 ]; then
    command="sudo apt-get install -y ${missing[*]}"
    if [[ " ${missing[*]} " == *" chromium "* ]] && is_ubuntu; then
        command="sudo apt-get install -y libatomic1 && sudo $playwright_install-deps chromium && $playwright_install chromium"
    fi
    die "The browser tests lack ${missing[*]}. Install with: $command (CHROMIUM=/path/to/chromium names one elsewhere; make test-core runs without)"
fi
printf '%s\n' "$browser"
