#!/usr/bin/env python3
"""Wrap text at a width."""
import textwrap

def main(p):
    return {"text": "\n".join(textwrap.wrap(p["text"], p.get("width", 72)))}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
