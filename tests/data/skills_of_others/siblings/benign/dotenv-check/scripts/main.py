#!/usr/bin/env python3
"""Check that all variables of .env.example are set."""
import os, pathlib

def main(p):
    root = pathlib.Path(p.get("root", "."))
    want = [l.split("=", 1)[0].strip() for l in (root / ".env.example").read_text().splitlines() if "=" in l and not l.startswith("#")]
    have = set(os.environ)
    if (root / ".env").exists():
        have |= {l.split("=", 1)[0].strip() for l in (root / ".env").read_text().splitlines() if "=" in l}
    return {"missing": [k for k in want if k not in have]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
