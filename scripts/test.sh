#!/usr/bin/env bash
# Usage: scripts/test.sh [CTEST OPTIONS...]
# Installs missing packages, builds the release preset, runs every test: ctest (unit, property, golden, layering,
# licences) and pytest (tests/cli, whole files at a time). The last line is `N passed, N failed, N skipped`; the exit code is 0 only if nothing
# failed. Tests on real measurements look for ../shared/data ($CATHOSCOPE_TEST_DATA) and are skipped without it; where
# the folder exists, a skipped one counts as failed.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

"$root/scripts/build.sh" release
results=$root/build/release/test-results

say "ctest"
run_ctest release "$results/ctest.xml" "$@"

say "pytest tests/cli"
run_pytest "${CATHOSCOPE_BINARY:-$root/build/release/bin/cathoscope}" "$results/pytest.xml"

data=${CATHOSCOPE_TEST_DATA:-$root/../shared/data}
strict=()
[ ! -d "$data" ] || strict=(--data-skips-fail)
"$python" -B "$root/scripts/tally.py" "${strict[@]}" "$results/ctest.xml" "$results/pytest.xml"
