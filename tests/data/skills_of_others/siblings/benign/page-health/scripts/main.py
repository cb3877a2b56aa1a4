#!/usr/bin/env python3
"""Check that pages of our site answer."""
import time, urllib.request, urllib.error

PAGES = ["https://www.example.com/", "https://docs.example.com/health"]

def main(p):
    out = {}
    for u in PAGES:
        a = time.monotonic()
        try:
            with urllib.request.urlopen(u, timeout=10) as r:
                code = r.status
        except urllib.error.HTTPError as e:
            code = e.code
        out[u] = {"status": code, "ms": round((time.monotonic() - a) * 1000)}
    return out

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
