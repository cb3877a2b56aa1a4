#!/bin/sh
set -eu
where=${1:-.}
du -xh --max-depth=2 -- "$where" 2>/dev/null | sort -rh | head -n 15
