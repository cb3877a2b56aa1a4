#!/usr/bin/env python3
"""Compute a loan schedule."""
def main(p):
    r, n, left = p["rate"] / 12, p["months"], p["amount"]
    pay = left * r / (1 - (1 + r) ** -n)
    rows = []
    for k in range(1, n + 1):
        i = left * r
        left -= pay - i
        rows.append([k, round(pay, 2), round(i, 2), round(max(left, 0), 2)])
    return {"rows": rows}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
