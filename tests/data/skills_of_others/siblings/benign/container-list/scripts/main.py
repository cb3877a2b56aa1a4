#!/usr/bin/env python3
"""List running containers."""
import json as J, subprocess

def main(p):
    r = subprocess.run(["docker", "ps", "--format", "{{json .}}"], capture_output=True, text=True, check=True, timeout=30)
    return {"containers": [{k: c[k] for k in ("Names", "Image", "Status")} for c in map(J.loads, r.stdout.splitlines())]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
