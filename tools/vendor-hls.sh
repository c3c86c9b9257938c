#!/usr/bin/env bash
# Brings the pinned hls.js from its npm package into public/vendor/hls: tools/vendor-hls.sh [--check].
# --check only proves that the files there are the recorded ones.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.7.4
# The sum of the package itself: another archive under this version is refused.
package_sha256=e4ab3d5d13f7cca9ef241d098f39686e19fd451831ba07dc9943482fd5ff75c7
target=public/vendor/hls
files=(hls.light.min.mjs hls.min.mjs hls.worker.js)

if [ "${1:-}" != --check ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  archive=$work/$(npm pack "hls.js@$version" --pack-destination "$work" --silent)
  echo "$package_sha256  $archive" | sha256sum --check --quiet
  tar -xzf "$archive" -C "$work"
  mkdir -p "$target"
  for file in "${files[@]}"; do
    # Their source maps are several times larger and are not served; a dangling reference is an error in the console.
    sed '/^\/\/# sourceMappingURL=/d' "$work/package/dist/$file" > "$target/$file"
  done
  cp "$work/package/LICENSE" "$target/LICENSE"
  echo "$version" > "$target/VERSION"
  (cd "$target" && sha256sum "${files[@]}" LICENSE VERSION > SHA256SUMS)
fi

[ "$(cat "$target/VERSION")" = "$version" ] || { echo "vendor-hls: $target holds another version than $version" >&2; exit 1; }
(cd "$target" && sha256sum --check --strict --quiet SHA256SUMS)
echo "vendor-hls: hls.js $version is whole"
