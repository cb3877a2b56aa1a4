#!/usr/bin/env python3
"""Services without a health check."""
from pathlib import Path

from yaml import SafeLoader, load


def main(p):
    doc = load(Path(p["file"]).read_text(encoding="utf-8"), Loader=SafeLoader) or {}
    services = doc.get("services", {})
    return {"missing": [name for name, s in services.items() if "healthcheck" not in s]}

if __name__ == "__main__":
    import json
    import sys
    print(json.dumps(main(json.load(sys.stdin))))
