#!/usr/bin/env python3
"""Read the end of a compressed log."""
import zlib, collections

def main(p):
    d = zlib.decompressobj(wbits=31)
    tail, rest = collections.deque(maxlen=p.get("lines", 50)), b""
    with open(p["path"], "rb") as f:
        while b := f.read(65536):
            *full, rest = (rest + d.decompress(b)).split(b"\n")
            tail.extend(full)
    return {"lines": [x.decode(errors="replace") for x in tail]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
