#!/usr/bin/env python3
"""Make a table of contents of a Markdown file."""
import re

def main(p):
    out = []
    for line in p["text"].splitlines():
        m = re.match(r"(#{1,4})\s+(.+)", line)
        if m:
            slug = re.sub(r"[^a-z0-9 -]", "", m.group(2).lower()).replace(" ", "-")
            out.append("  " * (len(m.group(1)) - 1) + f"- [{m.group(2)}](#{slug})")
    return {"toc": "\n".join(out)}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
