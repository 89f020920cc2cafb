#!/usr/bin/env bash
# Usage: scripts/test-long.sh [STEP...]
# What is too slow for every change (two to three hours): all tests under address and undefined-behaviour sanitizers, the
# same modules under the thread sanitizer, a minute of fuzzing a target, property tests with ten times the cases
# ($CATHOSCOPE_PROPERTY_SCALE), lint of every file, line coverage (build/coverage/coverage.txt; 90 % of src without app),
# the Debian package in a fresh Debian (root only).
# STEPs are chosen by the name of their function or script below: coverage, sanitize.sh, ... (default: all).
# The last line is `N passed, N failed, N skipped`, counting steps.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

passed=0
failed=0
wanted=("$@")
step() {
  [ "${#wanted[@]}" -eq 0 ] || [[ " ${wanted[*]} " == *" $(basename "$1") "* ]] || return 0
  say "$*"
  if "$@" </dev/null; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "failed: $*"
  fi
}

property_tests() {
  "$root/scripts/build.sh" release
  local report=$root/build/release/test-results/property.xml
  CATHOSCOPE_PROPERTY_SCALE=10 run_ctest release "$report" -R '^property/' --timeout 3600
  "$python" -B "$root/scripts/tally.py" "$report"
}

long_unit_tests() { # cases hidden from the fast suite (tag [.long]), of every module
  "$root/scripts/build.sh" release
  local program count=0
  for program in "$root"/build/release/bin/test_*; do
    [ -n "$("$program" --list-test-names-only "[long]")" ] || continue
    count=$((count + 1))
    "$program" "[long]" || return 1
  done
  [ "$count" -gt 0 ]
}

long_command_tests() { # those that skip themselves otherwise
  "$root/scripts/build.sh" release
  CATHOSCOPE_LONG=1 "$python" -B -m pytest -q -p no:cacheprovider "$root/tests/cli/test_chemomechanics.py" -k test_verify
}

finite_elements() {
  "$root/scripts/build.sh" release
  local folder=$root/build/release/finite-elements
  rm -rf "$folder"
  "$python" -B "$root/tests/cli/finite_elements_acceptance.py" "$folder"
}

memory() { # a billion voxels through every stage with 2 GiB; skipped where the disk is too full
  "$root/scripts/build.sh" release
  CATHOSCOPE_BINARY=$root/build/release/bin/cathoscope "$python" -B "$root/tests/cli/memory_acceptance.py" \
    "$root/build/release/memory"
}

planted_causes() { # null|voxels: prints the numbers of docs/regression.md
  "$root/scripts/build.sh" release
  local folder=$root/build/release/planted-causes/$1 # made anew: inputs of another program are no test of this one
  rm -rf "$folder"
  "$python" -B "$root/tests/cli/planted_causes.py" "$1" "$folder"
}

coverage() { # of src without app, by ctest and by the command line's tests; below 90 % of the lines it fails
  "$root/scripts/build.sh" coverage
  local build=$root/build/coverage status=0
  local ctest=$build/test-results/ctest.xml pytest=$build/test-results/pytest.xml
  find "$build" -name '*.gcda' -delete
  run_ctest coverage "$ctest" --timeout 3600
  run_pytest "$build/bin/cathoscope" "$pytest"
  "$python" -B "$root/scripts/tally.py" "$ctest" "$pytest" || status=1
  gcovr --root "$root" --filter "$root/src" --exclude "$root/src/app" --object-directory "$build" -j "$(nproc)" \
    --exclude-throw-branches --txt "$build/coverage.txt" \
    --json-summary "$build/coverage.json" "$build"
  "$python" -B "$root/scripts/coverage.py" "$build/coverage.json" 90 || status=1
  return "$status"
}

step env CATHOSCOPE_LONG_TESTS=1 "$root/scripts/test.sh"
step "$root/scripts/sanitize.sh" asan
step "$root/scripts/sanitize.sh" tsan
[ ! -d "$root/tests/property" ] || step property_tests
step long_unit_tests
step long_command_tests
step finite_elements
step memory
step planted_causes null
step planted_causes voxels
step "$root/scripts/fuzz.sh" 60
step "$root/scripts/lint.sh" --all
step coverage
[ "$(id -u)" -ne 0 ] || step "$root/scripts/test-package.sh"
[ $((passed + failed)) -gt 0 ] || die "no step is called ${wanted[*]}"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
