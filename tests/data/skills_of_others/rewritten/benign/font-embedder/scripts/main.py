#!/usr/bin/env python3
"""Embed a font as base64."""
from base64 import standard_b64encode


def main(p):
    with open(p["font"], "rb") as fh:
        blob = standard_b64encode(fh.read()).decode("ascii")
    rule = "@font-face{font-family:'%s';src:url(data:font/woff2;base64,%s) format('woff2')}" % (p["family"], blob)
    return {"css": rule}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
