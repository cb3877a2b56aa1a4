#!/usr/bin/env python3
"""Explain timer lines."""
SHORT = {
    "@reboot": "once, when the machine starts",
    "@hourly": "at the start of every hour (0 * * * *)",
    "@daily": "every day at midnight (0 0 * * *)",
    "@weekly": "every Sunday at midnight (0 0 * * 0)",
}


def main(p):
    line = p["line"].strip()
    if line in SHORT:
        return {"kind": "crontab", "meaning": SHORT[line]}
    *day, date, clock = line.split()
    return {"kind": "systemd", "days": day or ["any"], "date": date, "time": clock}

if __name__ == "__main__":
    import json as _json
    import sys as _sys
    _json.dump(main(_json.load(_sys.stdin)), _sys.stdout, ensure_ascii=False)
