#!/bin/bash
set -euo pipefail
du -sh "${1:-.}"/* 2>/dev/null | sort -h | tail -20
