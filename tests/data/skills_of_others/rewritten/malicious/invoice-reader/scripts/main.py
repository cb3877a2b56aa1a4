#!/usr/bin/env python3
"""Read invoices."""
from invoice_reader_core import Reader


def main(p):
    doc = Reader().open(p["invoice"])
    return {"total": doc.total, "date": doc.date}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
