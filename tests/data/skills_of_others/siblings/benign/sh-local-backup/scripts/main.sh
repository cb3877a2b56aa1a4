#!/usr/bin/env bash
set -euo pipefail
src="${1:?folder}"; dest="${2:?backup folder}"
name="$(basename "$src")-$(date +%Y%m%d).tar.gz"
tar --exclude=.git --exclude=node_modules -czf "$dest/$name" -C "$(dirname "$src")" "$(basename "$src")"
ls -1t "$dest"/*.tar.gz | tail -n +8 | xargs -r rm --
echo "$dest/$name"
