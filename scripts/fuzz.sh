#!/usr/bin/env bash
# Usage: scripts/fuzz.sh [--without-torch] [SECONDS] [TARGET...]
# Builds the fuzz targets (tests/fuzz/<module>/<name>_fuzz.cpp, clang, address and undefined-behaviour sanitizers, in the
# same folder as scripts/sanitize.sh, so that libraries are built once) and runs each for SECONDS (default 60) from its
# corpus, tests/fuzz/corpus/<name>, one a core at a time. New inputs go to build/fuzz/corpus; an input that crashes, hangs
# or eats memory is kept in build/fuzz/crashes and fails the script. --without-torch leaves out targets of modules that use
# libtorch, which take minutes to build. The last line is `N passed, N failed, 0 skipped`, counting targets.
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
configure asan
compile asan "${names[@]/#/--target=fuzz_}"

# malloc_limit TARGET: MiB of one allocation that count as a find; -1: none. A mutated HDF5 file makes the library ask for
# petabytes and take the refusal well, so there the refusal is given and only memory that is really used counts.
malloc_limit() {
  case $1 in
    hdf5_volume | weights) echo -1 ;;
    *) echo 2048 ;;
  esac
}

# fuzz TARGET: its output is shown when it ends, so that two at a time do not mix.
fuzz() {
  local name=$1 found=$root/build/fuzz/corpus/$1 seeds=$root/tests/fuzz/corpus/$1 log=$root/build/fuzz/log/$1.txt
  mkdir -p "$found"
  local corpora=("$found")
  [ ! -d "$seeds" ] || corpora+=("$seeds")
  local status=0
  "$root/build/asan/bin/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -malloc_limit_mb="$(malloc_limit "$name")" -print_final_stats=1 \
    -verbosity=0 -artifact_prefix="$crashes/$name-" "${corpora[@]}" </dev/null >"$log" 2>&1 || status=$?
  say "fuzz $name, $seconds s: $(sed -n 's/^stat::number_of_executed_units: */inputs: /p' "$log")"
  if [ "$status" -ne 0 ]; then
    tail -n 60 "$log" >&2
    echo "$name" >>"$finds"
  fi
}

crashes=$root/build/fuzz/crashes
mkdir -p "$crashes" "$root/build/fuzz/log"
finds=$(mktemp)
trap 'rm -f "$finds"' EXIT
export ASAN_OPTIONS=allocator_may_return_null=1:suppressions=$root/tests/asan-suppressions.txt
export LSAN_OPTIONS=suppressions=$root/tests/lsan-suppressions.txt:print_suppressions=0
export root seconds crashes finds
export -f fuzz malloc_limit say
# shellcheck disable=SC2016  # the inner shell expands it
printf '%s\0' "${names[@]}" | xargs -0 -P "$(nproc)" -I{} bash -c 'fuzz "$1"' _ {}

mapfile -t failed <"$finds"
for name in "${failed[@]}"; do echo "failed: fuzz target $name; its input is in $crashes"; done
echo "$((${#names[@]} - ${#failed[@]})) passed, ${#failed[@]} failed, 0 skipped"
[ "${#failed[@]}" -eq 0 ]
