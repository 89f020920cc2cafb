#!/usr/bin/env bash
# Usage: scripts/gallery.sh [SEED...]
#        scripts/gallery.sh --docs     makes the pictures of docs/gallery.md in docs/images again
# Writes measured and synthetic slices under each other to gallery/ (ignored by git), to be looked at: the generator is
# good when you need to look twice. The measured slice is not part of the project; where it is absent only synthetic ones
# are written.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

# What docs/gallery.md shows. Measured inputs are not part of the project; without one of them its pictures stay as they are.
docs_pictures() {
  local data=${CATHOSCOPE_TEST_DATA:-$root/../shared/data} name file
  "$root/scripts/demo.sh" >/dev/null
  draw demo fig1a segmentation fig4c
  while read -r name file; do
    if [ ! -e "$data/$file" ]; then
      say "$data/$file is not there: pictures of $name are left as they are"
      continue
    fi
    "$cathoscope" run "$root/configs/$name.yaml" --set "electrodes[0].volume.path=$data/$file" \
      --set 'stages=[volume, segmentation, attributes, figures]'
    draw "$name" fig1a segmentation particles
  done <<'END'
nmc-nrel segmented_nmc_volume/nmc-1-cal_generatedCBD_bridge.tif
nano-ct nanoxct_nmc_slices/1.tif
sand sand_raw/sand_200x200x100_uint8.raw
END
}

# draw RUN FIGURE...: figures of runs/RUN, those that it has, as small PNG files.
draw() {
  local run=$1 figure
  shift
  for figure in "$@"; do
    [ -e "$root/runs/$run/figures/$figure.svg" ] || continue
    rsvg-convert --width 760 --background-color white --output "$scratch/large.png" "$root/runs/$run/figures/$figure.svg"
    "$python" - "$scratch/large.png" "$root/docs/images/gallery-$run-$figure.png" <<'END'
import os
import sys
from PIL import Image
for colours in (256, 128, 64, 32):
    Image.open(sys.argv[1]).convert("RGB").quantize(colours, method=Image.Quantize.MAXCOVERAGE).save(sys.argv[2], optimize=True)
    if os.path.getsize(sys.argv[2]) <= 250_000:
        break
END
    say "docs/images/gallery-$run-$figure.png"
  done
}

"$root/scripts/build.sh" release
cathoscope=$root/build/release/bin/cathoscope
measured=${CATHOSCOPE_TEST_DATA:-$root/../shared/data}/electrode_slices/example_xy.tif
[ $# -gt 0 ] || set -- 1 2 3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ "${1:-}" = --docs ]; then
  docs_pictures
  exit
fi
mkdir -p "$root/gallery"

for seed in "$@"; do
  # A slab three voxels thick across the width of the published volume, its damage by the crack statistics.
  "$cathoscope" phantom --preset paper10 --seed "$seed" --set "shape=[655, 3, 2048]" --set plant.planted=false \
    --output "$scratch/$seed"
  "$python" "$root/scripts/gallery.py" "$scratch/$seed" "$measured" "$root/gallery/slice-$seed.png"
  say "$root/gallery/slice-$seed.png"
done
