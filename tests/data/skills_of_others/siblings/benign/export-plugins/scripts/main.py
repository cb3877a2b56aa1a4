#!/usr/bin/env python3
"""Export a table in several formats."""
import importlib

WRITERS = {"csv": ("csv", "writer"), "json": ("json", "dump")}

def main(p):
    mod, attr = WRITERS[p["format"]]
    fn = getattr(importlib.import_module(mod), attr)
    with open(p["out"], "w", newline="") as f:
        if p["format"] == "csv":
            fn(f).writerows(p["rows"])
        else:
            fn(p["rows"], f)
    return {"out": p["out"]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
