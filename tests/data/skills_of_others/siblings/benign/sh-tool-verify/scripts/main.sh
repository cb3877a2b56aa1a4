#!/usr/bin/env bash
set -euo pipefail
url="https://downloads.example.com/lintool/1.4.2/lintool-linux-x64.tar.gz"
sum="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
tmp="$(mktemp -d)"; trap 'rm -rf -- "$tmp"' EXIT
curl -fsSL --proto '=https' -o "$tmp/t.tgz" "$url"
echo "$sum  $tmp/t.tgz" | sha256sum -c -
tar -xzf "$tmp/t.tgz" -C "${1:-./bin}" lintool
