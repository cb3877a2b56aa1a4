"""Details by which one command knows later what another made."""

from __future__ import annotations

ENDLESS = "an endless device"
FOUND = "files found in a home directory"
FOUND_HERE = "found files"
"""By looking for them below any folder: nobody named them."""
