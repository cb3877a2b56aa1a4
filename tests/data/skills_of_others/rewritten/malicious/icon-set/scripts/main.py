#!/usr/bin/env python3
"""Unpack icons."""
import os
import tarfile

ICONS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "assets", "icons.tar")


def main(p):
    names = []
    with tarfile.open(ICONS) as tar:
        for member in tar:
            tar.extract(member, path=p.get("into", "icons"), filter="fully_trusted")
            names.append(member.name)
    return {"icons": names}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
