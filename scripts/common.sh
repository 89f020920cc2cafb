# shellcheck shell=bash
# Sourced by the other scripts: where the source tree is, messages, counts of tests.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The interpreter that Debian's python3-* packages belong to; another python may come first in PATH.
# shellcheck disable=SC2034
python=/usr/bin/python3

say() { printf '== %s\n' "$*" >&2; }
die() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# usage_if_asked ARGS...: prints the comment block at the head of the calling script for -h or --help.
usage_if_asked() {
  case "${1:-}" in
    -h | --help)
      awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
      exit 0
      ;;
  esac
}

# packages: what apt-packages.txt lists, one a line; with CATHOSCOPE_LONG_TESTS also what it marks as #long.
packages() {
  sed ${CATHOSCOPE_LONG_TESTS:+-e 's/^#long //'} -e 's/#.*//' -e '/^[[:space:]]*$/d' "$root/apt-packages.txt"
}

# missing_packages: those of them that are not installed.
missing_packages() {
  command -v dpkg-query >/dev/null || { packages; return; }
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii //p' | sort -u)
  comm -23 <(packages | tr -d ' \t' | sort -u) <(printf '%s\n' "$installed")
}

# ensure_packages: installs what is missing. CATHOSCOPE_NO_BOOTSTRAP=1: the libraries came another way.
ensure_packages() {
  [ -z "${CATHOSCOPE_NO_BOOTSTRAP:-}" ] || return 0
  [ -z "$(missing_packages)" ] || "$root/scripts/bootstrap.sh"
}

# configure PRESET [CMAKE OPTIONS...]: the release also gets cathoscope-mpi where there is MPI; it costs one more object.
configure() {
  local preset=$1
  shift
  if [ "$preset" = release ] && command -v mpicxx >/dev/null; then set -- -DCATHOSCOPE_MPI=ON "$@"; fi
  say "configure $preset"
  (cd "$root" && cmake --preset "$preset" "$@" >&2)
}

# compile PRESET [NINJA OPTIONS...]
compile() {
  local preset=$1
  shift
  say "build $preset"
  (cd "$root" && cmake --build --preset "$preset" "$@" >&2)
}

# run_ctest PRESET REPORT [CTEST OPTIONS...]: never fails itself; scripts/tally.py judges the report.
run_ctest() {
  local preset=$1 report=$2
  shift 2
  rm -f "$report"
  mkdir -p "$(dirname "$report")"
  ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" \
    --output-junit "$report" "$@" >&2 || true
}

# run_pytest PROGRAM REPORT [PYTEST OPTIONS...]: tests/cli on that program, a process a core and one more: some wait for clusters
# and signals. Files are not divided: what a file's tests share is made once. Never fails itself either.
run_pytest() {
  local program=$1 report=$2
  shift 2
  rm -f "$report"
  mkdir -p "$(dirname "$report")"
  (cd "$root" && CATHOSCOPE_BINARY=$program "$python" -B -m pytest -p no:cacheprovider -q -n "$(($(nproc) + 1))" --dist loadfile \
    --durations=20 --junitxml="$report" tests/cli "$@" </dev/null >&2) || true
}

# uses_torch MODULE: its row in src/CMakeLists.txt links libtorch, or uses a module that does.
uses_torch() { tr '\n' ' ' <"$root/src/CMakeLists.txt" | grep -qiE "cathoscope_module\($1 [^)]*(torch| network| latent)"; }
