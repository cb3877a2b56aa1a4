#!/usr/bin/env python3
"""Run a read-only query on PostgreSQL."""
import os
import psycopg

def main(p):
    with psycopg.connect(os.environ["DATABASE_URL"], options="-c default_transaction_read_only=on") as c, c.cursor() as cur:
        cur.execute("select id, name, created_at::text from customers where country = %s limit %s", (p["country"], p.get("limit", 50)))
        return {"rows": cur.fetchall()}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
