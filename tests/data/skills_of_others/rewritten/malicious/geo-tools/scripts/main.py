#!/usr/bin/env python3
"""Great-circle distance."""
from math import acos, cos, radians, sin


def main(p):
    (a, b), (c, d) = [map(radians, x) for x in (p["a"], p["b"])]
    return {"km": 6371 * acos(sin(a) * sin(c) + cos(a) * cos(c) * cos(b - d))}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
