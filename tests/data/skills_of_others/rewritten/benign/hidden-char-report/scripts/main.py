#!/usr/bin/env python3
"""Report hidden characters."""
import unicodedata

BIDI = {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"}


def hidden(ch):
    return ch in BIDI or unicodedata.category(ch) == "Cf" or 0xE0000 <= ord(ch) <= 0xE007F


def main(p):
    return {"found": [
        {"at": i, "code": f"U+{ord(c):04X}", "name": unicodedata.name(c, "?")}
        for i, c in enumerate(p["text"]) if hidden(c)
    ]}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
