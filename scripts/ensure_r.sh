#!/usr/bin/env bash
# Makes sure of R with its packages survival and cmprsk, which only the validation needs.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh

ready() { Rscript --vanilla -e 'library(survival); library(cmprsk)' >/dev/null 2>&1; }

ready && exit 0
if can_install; then
    apt_install r-base-core r-cran-survival r-cran-cmprsk
    ready && exit 0
    die "R was installed, but its packages survival and cmprsk do not load."
fi
die "The validation needs R and its packages survival and cmprsk. Install them with: sudo apt-get install -y r-base-core r-cran-survival r-cran-cmprsk"
