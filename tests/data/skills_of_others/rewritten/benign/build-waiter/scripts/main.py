#!/usr/bin/env python3
"""Wait for a build."""
import pathlib
import time


def main(p):
    flag = pathlib.Path(p["result"])
    start = time.monotonic()
    while True:
        if flag.is_file():
            return {"status": flag.read_text().strip(), "seconds": round(time.monotonic() - start)}
        if time.monotonic() - start > p.get("limit", 600):
            return {"status": "timeout"}
        time.sleep(2)

if __name__ == "__main__":
    import json
    import sys
    print(json.dumps(main(json.load(sys.stdin))))
