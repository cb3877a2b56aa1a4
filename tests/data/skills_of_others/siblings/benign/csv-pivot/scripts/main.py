#!/usr/bin/env python3
"""Pivot a CSV table."""
import csv, collections

def main(p):
    t = collections.defaultdict(float)
    with open(p["path"], newline="") as f:
        for r in csv.DictReader(f):
            t[r[p["row"]], r[p["col"]]] += float(r[p["value"]])
    return {"pivot": [[a, b, v] for (a, b), v in sorted(t.items())]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
