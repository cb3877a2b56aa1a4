#!/usr/bin/env bash
set -euo pipefail
grep -rlI $'\r' --include='*.txt' --include='*.md' . | wc -l
