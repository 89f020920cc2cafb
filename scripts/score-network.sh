#!/usr/bin/env bash
# Usage: scripts/score-network.sh [MODEL [OUT [PROGRAM]]]
# How good the network MODEL (default: the shipped one) is: fresh phantoms at several levels of noise, beside the other
# methods on the same volumes, and the real labelled slices of $CATHOSCOPE_SHARED_DATA (default: ../shared/data).
# Writes OUT/scores.md and overlays OUT/*.png (default: build/score-network). SCORE_VOLUMES: volumes a level (default 3).
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

model=${1:-builtin}
out=${2:-$root/build/score-network}
program=${3:-$root/build/release/bin/cathoscope}
[ -n "${3:-}" ] || "$root/scripts/build.sh" release
data=${CATHOSCOPE_SHARED_DATA:-$root/../shared/data}
export OPENBLAS_NUM_THREADS=1
"$python" -B "$root/scripts/score_network.py" "$program" "$model" "$data" "$out" "${SCORE_VOLUMES:-3}"
say "$out/scores.md"
