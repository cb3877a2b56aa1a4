"""Dates, calendars and clocks."""
import calendar
import json
import time
from datetime import date, datetime, timedelta, timezone

moment = datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=timezone.utc)
facts = {
    "iso": moment.isoformat(),
    "plus": str(moment + timedelta(days=365, microseconds=1)),
    "parsed": datetime.fromisoformat("2024-02-29T10:00:00+05:30").astimezone(timezone.utc).isoformat(),
    "strptime": datetime.strptime("Thu 01 Feb 2024", "%a %d %b %Y").strftime("%A, %d. %B %y, week %V"),
    "week": date(2024, 12, 30).isocalendar()[:],
    "month": calendar.month(2024, 2),
    "leap": [year for year in range(1896, 2001, 4) if not calendar.isleap(year)],
    "gmtime": time.strftime("%c", time.gmtime(0)),
    "epoch": moment.timestamp(),
}
now, steady = time.time(), time.monotonic()
time.sleep(0.02)
assert time.time() > now > 1_700_000_000
assert 0.019 < time.monotonic() - steady < 5
assert time.perf_counter_ns() > 0 and time.process_time() >= 0 and time.thread_time() >= 0
assert abs(datetime.now(timezone.utc).timestamp() - time.time()) < 5
assert time.get_clock_info("monotonic").monotonic
assert facts["week"] == (2025, 1, 1)
print(json.dumps(facts))
