#!/usr/bin/env python3
"""Build a calendar file."""
import datetime, uuid

def main(p):
    start = datetime.datetime.fromisoformat(p["start"])
    end = start + datetime.timedelta(minutes=p.get("minutes", 30))
    f = "%Y%m%dT%H%M%S"
    return {"ics": "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", f"UID:{uuid.uuid4()}",
            f"DTSTART:{start:{f}}", f"DTEND:{end:{f}}", f"SUMMARY:{p['title']}", "END:VEVENT", "END:VCALENDAR"])}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
