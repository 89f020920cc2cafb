#!/usr/bin/env bash
# Usage: scripts/build-web.sh
# Rebuilds src/report/page/three.min.js, the part of three.js that the report's 3-D view uses, with npm and esbuild at the
# versions of web/package-lock.json. Only for those who change web/: the result is committed with its licence, and neither
# the build nor the tests need npm or the network.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

command -v npm >/dev/null || die "npm is not here: install Node.js 18 or newer"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$root"/web/{package.json,package-lock.json,three_entry.js} "$scratch"
cd "$scratch"
npm ci --no-audit --no-fund >&2
# A classic script: modules do not load from file://. `</script` cannot occur inside one.
node_modules/.bin/esbuild three_entry.js --bundle --minify --format=iife --global-name=Three --target=es2020 \
  --legal-comments=inline --outfile=three.min.js >&2
! grep -qi '</script' three.min.js || die "three.min.js contains </script: it cannot be inlined"
cp three.min.js "$root/src/report/page/three.min.js"
cp node_modules/three/LICENSE "$root/src/report/page/three.LICENSE.txt"
say "src/report/page/three.min.js: $(wc -c <"$root/src/report/page/three.min.js") bytes, three.js $(sed -n 's/.*"version": "\(.*\)".*/\1/p' node_modules/three/package.json)"
