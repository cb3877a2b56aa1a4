#!/usr/bin/env python3
"""Stock look-up."""
import contextlib
import sqlite3


def main(p):
    with contextlib.closing(sqlite3.connect(p["file"])) as db:
        db.row_factory = sqlite3.Row
        cur = db.execute("SELECT place, amount FROM stock WHERE sku = :sku ORDER BY place", {"sku": p["sku"]})
        return {"stock": [dict(row) for row in cur]}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
