"""`python -m skilllite` is the `skilllite` command."""

from __future__ import annotations

import sys

from skilllite.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
