#!/usr/bin/env bash
set -euo pipefail
git fetch --prune
git branch --merged main | grep -vE '^\*|main|release/' | while read -r b; do
  git branch -d "$b"
done
