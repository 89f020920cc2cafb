#!/usr/bin/env bash
# Usage: scripts/fuzz.sh [--without-torch] [SECONDS] [TARGET...]
# Builds the fuzz targets (tests/fuzz/<module>/<name>_fuzz.cpp, clang, address and undefined-behaviour sanitizers) and
# runs each for SECONDS (default 60) from its corpus, tests/fuzz/corpus/<name>. New inputs go to build/fuzz/corpus; an
# input that crashes, hangs or eats memory is kept in build/fuzz/crashes and fails the script. --without-torch leaves out
# targets of modules that use libtorch, which take minutes to build. The last line is `N passed, N failed, 0 skipped`,
# counting targets.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

without_torch=""
if [ "${1:-}" = --without-torch ]; then
  without_torch=1
  shift
fi
seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || die "SECONDS is a whole number, not '$seconds'"
shift || true
names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
  for file in "$root"/tests/fuzz/*/*_fuzz.cpp; do
    module=$(basename "$(dirname "$file")")
    # a target of the pipeline takes single files of it, not the module (tests/fuzz/CMakeLists.txt)
    if [ -n "$without_torch" ] && [ "$module" != pipeline ] && uses_torch "$module"; then continue; fi
    [ -e "$file" ] && names+=("$(basename "$file" _fuzz.cpp)")
  done
fi
if [ "${#names[@]}" -eq 0 ]; then
  say "there are no fuzz targets"
  echo "0 passed, 0 failed, 0 skipped"
  exit 0
fi

ensure_packages
configure fuzz
compile fuzz "${names[@]/#/--target=fuzz_}"

# malloc_limit TARGET: MiB of one allocation that count as a find; -1: none. A mutated HDF5 file makes the library ask for petabytes
# and take the refusal well, so there the refusal is given and only memory that is really used counts.
export ASAN_OPTIONS=allocator_may_return_null=1
malloc_limit() {
  case $1 in
    hdf5_volume | weights) echo -1 ;;
    *) echo 2048 ;;
  esac
}

passed=0
failed=0
crashes=$root/build/fuzz/crashes
for name in "${names[@]}"; do
  found=$root/build/fuzz/corpus/$name
  seeds=$root/tests/fuzz/corpus/$name
  mkdir -p "$found" "$crashes"
  corpora=("$found")
  [ ! -d "$seeds" ] || corpora+=("$seeds")
  say "fuzz $name, $seconds s"
  if "$root/build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -malloc_limit_mb="$(malloc_limit "$name")" \
    -verbosity=0 -artifact_prefix="$crashes/$name-" "${corpora[@]}" </dev/null >&2; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: fuzz target $name; its input is in $crashes"
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
