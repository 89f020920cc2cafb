#!/usr/bin/env bash
# Usage: scripts/sanitize.sh [--fast] [asan|tsan] [MODULE...]
# Builds modules with clang's sanitizers (default: asan = address and undefined behaviour) and runs their unit and property
# tests. Default modules: every one with such tests, except those that use libtorch, whose own code the sanitizers cannot
# see. --fast leaves out cases tagged [slow]: those that take about a second or more in a release build, ten here, and go
# through code that quicker cases go through as well. The last line is `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

fast=""
if [ "${1:-}" = --fast ]; then
  fast=1
  shift
fi
preset=asan
case "${1:-}" in
  asan | tsan)
    preset=$1
    shift
    ;;
esac

# targets_of MODULE: the test programs it has.
targets_of() {
  local kind
  for kind in unit property; do
    compgen -G "$root/tests/$kind/$1/*_test.cpp" >/dev/null && printf 'test_%s_%s\n' "$kind" "$1"
  done
  return 0
}

modules=("$@")
if [ "${#modules[@]}" -eq 0 ]; then
  for folder in "$root"/src/*/; do
    name=$(basename "$folder")
    uses_torch "$name" || modules+=("$name")
  done
fi
targets=()
for module in "${modules[@]}"; do
  while read -r target; do targets+=("$target"); done < <(targets_of "$module")
done
[ "${#targets[@]}" -gt 0 ] || die "no unit or property tests for: ${modules[*]}"

ensure_packages
configure "$preset"
compile "$preset" "${targets[@]/#/--target=}"

# slow_cases: one regular expression that finds them; signs other than letters and figures are any sign to it.
slow_cases() {
  local target
  for target in "${targets[@]}"; do
    "$root/build/$preset/bin/$target" --list-test-names-only "[slow]" || true # exits with their number
  done | sed -e 's/^ *//' -e '/^$/d' -e 's/[^A-Za-z0-9 ]/./g' | paste -sd '|'
}

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$root/tests/lsan-suppressions.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
pattern="^(unit|property)/($(IFS="|"; printf "%s" "${modules[*]}")):"
report=$root/build/$preset/test-results/ctest.xml
slow=""
[ -z "$fast" ] || slow=$(slow_cases)
run_ctest "$preset" "$report" -R "$pattern" ${slow:+-E ":($slow)\$"}
"$python" -B "$root/scripts/tally.py" "$report"
