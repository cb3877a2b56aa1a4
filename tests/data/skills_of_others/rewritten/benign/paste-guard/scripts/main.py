"""Find credentials in a text."""
import re

from kinds import KINDS

COMPILED = [(kind, re.compile(rx)) for kind, rx in KINDS]


def main(p):
    found = []
    for number, line in enumerate(p["text"].splitlines(), 1):
        found += [{"line": number, "kind": kind} for kind, rx in COMPILED if rx.search(line)]
    return {"safe": not found, "found": found}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
