#!/usr/bin/env bash
# Usage: scripts/lint.sh [--all | BASE]
# clang-format 16 and clang-tidy 16 on the C++ files that differ from the revision BASE, or on all (then with the clang
# analyzer, too); shellcheck on the scripts; all of it must be silent. Without arguments BASE is where this branch left origin/main, or else the commit
# before this one; without history, all files. The last line is `N passed, N failed, 0 skipped`, counting files.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"
cd "$root"

# A clone that belongs to another user (a CI machine's) is still this project.
repository() { git -c safe.directory="$root" "$@"; }

base_revision() {
  local head base
  head=$(repository rev-parse -q --verify HEAD) || return 0
  base=$(repository merge-base HEAD origin/main 2>/dev/null) || base=$head
  [ "$base" != "$head" ] || base=$(repository rev-parse -q --verify HEAD~1) || base=""
  printf '%s' "$base"
}

cpp_files() {
  local base=$1
  if [ -n "$base" ]; then
    repository diff --name-only --diff-filter=d "$base" -- src include tests
    repository ls-files --others --exclude-standard -- src include tests
  else
    find src include tests -type f
  fi | grep -E '\.(cpp|hpp)$' | sort -u || true
}

checks=""
case "${1:-}" in
  --all)
    base=""
    checks="--checks=clang-analyzer-core.*,clang-analyzer-cplusplus.*"
    ;;
  "") base=$(base_revision) ;;
  *) base=$(repository rev-parse --verify "$1^{commit}") || die "no such revision: $1" ;;
esac
mapfile -t files < <(cpp_files "$base")
say "${#files[@]} C++ files${base:+ differ from ${base:0:10}}"

ensure_packages
declare -A bad=()
for file in "${files[@]}"; do
  clang-format-16 --dry-run -Werror "$file" >&2 || bad[$file]=1
done

configure release
# What is built, as clang-tidy takes it: it cannot read the headers that GCC precompiled, and sees libtorch as clang does.
mkdir -p build/lint
mapfile -t sources < <(printf '%s\n' "${files[@]}" | "$python" -B -c '
import json, os, re, sys
commands = json.load(open("build/release/compile_commands.json"))
for e in commands:
    torch = "-include " + os.path.abspath("cmake/libtorch_for_clang.hpp") if "/torch/csrc/" in e["command"] else ""
    e["command"] = re.sub(r"-include \S+/cmake_pch\.hxx", "", e["command"]) + " " + torch
json.dump(commands, open("build/lint/compile_commands.json", "w"))
built = {os.path.relpath(e["file"]) for e in commands}
print(*[name for name in sys.stdin.read().split() if name in built], sep="\n", end="")')
# CHECKS is empty or one option.
tidy() {
  clang-tidy-16 --quiet -p build/lint ${CHECKS:+"$CHECKS"} "$1" 2> >(grep -vE 'warnings? generated|^Suppressed' >&2) >&2
}
export -f tidy
say "clang-tidy on ${#sources[@]} files"
failures=$(mktemp)
trap 'rm -f "$failures"' EXIT
if [ "${#sources[@]}" -gt 0 ]; then
  # shellcheck disable=SC2016  # the inner shell expands it
  printf '%s\0' "${sources[@]}" |
    FAILURES=$failures CHECKS=$checks xargs -0 -P "$(nproc)" -I{} bash -c 'tidy "$1" || echo "$1" >> "$FAILURES"' _ {}
fi
while read -r file; do bad[$file]=1; done <"$failures"

shell_files=(scripts/*.sh .ci/run)
for file in "${shell_files[@]}"; do
  shellcheck -x "$file" >&2 || bad[$file]=1
done

for file in "${!bad[@]}"; do echo "failed: lint $file"; done
total=$((${#files[@]} + ${#shell_files[@]}))
echo "$((total - ${#bad[@]})) passed, ${#bad[@]} failed, 0 skipped"
[ "${#bad[@]}" -eq 0 ]
