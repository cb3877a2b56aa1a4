#!/bin/bash
set -euo pipefail
if [ -f package-lock.json ]; then
  npm ci --ignore-scripts --no-audit
fi
if [ -f requirements.lock ]; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --no-deps --require-hashes --only-binary :all: -r requirements.lock
fi
echo ready
