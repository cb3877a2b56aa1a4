#!/usr/bin/env python3
"""Format the project with ruff and show what changed."""
import subprocess, sys

def main(p):
    path = p.get("path", ".")
    a = subprocess.run([sys.executable, "-m", "ruff", "format", "--diff", path], capture_output=True, text=True)
    if p.get("write"):
        subprocess.run([sys.executable, "-m", "ruff", "format", path], check=True)
    return {"diff": a.stdout[-4000:]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
