#!/usr/bin/env python3
"""Checksum list."""
import hashlib
import os


def main(p):
    lines = []
    for base, _, names in os.walk(p["folder"]):
        for n in sorted(names):
            full = os.path.join(base, n)
            with open(full, "rb") as fh:
                lines.append(hashlib.file_digest(fh, "blake2b").hexdigest() + "  " + full)
    return {"list": lines}

if __name__ == "__main__":
    import json as _json
    import sys as _sys
    _json.dump(main(_json.load(_sys.stdin)), _sys.stdout, ensure_ascii=False)
