#!/usr/bin/env bash
# Usage: scripts/demo.sh [RUN OPTIONS...]
# Installs missing packages, builds, makes a small synthetic electrode with this program's own generator, and takes it
# from grey values to the report on its particles. Options go to `cathoscope run`, e.g. --threads 1. Safe to run again:
# finished stages are kept. Ends by printing where the results and the report are.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

"$root/scripts/build.sh" release
cathoscope=$root/build/release/bin/cathoscope
# The paths of configs/demo.yaml: its input below runs/demo-input, its results in runs/demo.
input=$root/runs/demo-input
results=$root/runs/demo

if [ ! -e "$input/electrode.yaml" ]; then
  say "a synthetic electrode in $input"
  rm -rf "$input.partial"
  "$cathoscope" phantom --preset demo --output "$input.partial"
  mkdir -p "$(dirname "$input")"
  rm -rf "$input"
  mv "$input.partial" "$input"
fi

say "cathoscope run configs/demo.yaml"
"$cathoscope" run "$root/configs/demo.yaml" --output "$results" "$@"

say "done: everything here is synthetic, nothing was measured"
shown=0
for name in '*/attributes.csv' '*/contributions.csv' '*/summary.json'; do
  for file in "$results"/$name; do
    [ -e "$file" ] || continue
    printf '%s\n' "$file"
    shown=$((shown + 1))
  done
done
[ "$shown" -gt 0 ] || die "the run ended without results in $results"
[ -e "$results/report.html" ] || die "the run ended without a report in $results"
say "open the report in a browser:"
printf '%s\n' "$results/report.html"
