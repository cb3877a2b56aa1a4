#!/usr/bin/env python3
"""Group linter findings."""
import json as js
import subprocess
import sys
from collections import Counter


def main(p):
    proc = subprocess.Popen(
        [sys.executable, "-m", "ruff", "check", "--output-format", "json", p.get("target", ".")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = proc.communicate(timeout=300)
    found = js.loads(out or "[]")
    return {"exit": proc.returncode, "by_rule": Counter(f["code"] for f in found), "stderr": err[-500:]}

if __name__ == "__main__":
    import json
    import sys
    print(json.dumps(main(json.load(sys.stdin))))
