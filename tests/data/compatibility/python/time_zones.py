"""zoneinfo with the system's data, and TZ for the C library."""
import json
import os
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

facts = {}
berlin = ZoneInfo("Europe/Berlin")
summer = datetime(2024, 7, 1, 12, tzinfo=berlin)
winter = datetime(2024, 1, 1, 12, tzinfo=berlin)
facts["offsets"] = [str(summer.utcoffset()), str(winter.utcoffset())]
facts["names"] = [summer.tzname(), winter.tzname()]
facts["kathmandu"] = summer.astimezone(ZoneInfo("Asia/Kathmandu")).isoformat()
facts["fold"] = datetime(2024, 10, 27, 2, 30, tzinfo=berlin, fold=1).utcoffset() == timedelta(hours=1)
facts["available"] = len(available_timezones()) > 400
try:
    ZoneInfo("Mars/Olympus")
except ZoneInfoNotFoundError as error:
    facts["unknown"] = type(error).__name__
os.environ["TZ"] = "America/New_York"
time.tzset()
facts["C library"] = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(1_700_000_000))
facts["local"] = datetime.fromtimestamp(1_700_000_000).astimezone().isoformat()
facts["utc"] = datetime.fromtimestamp(1_700_000_000, timezone.utc).isoformat()
assert facts["kathmandu"] == "2024-07-01T15:45:00+05:45"
assert facts["C library"] == "2023-11-14 17:13 EST"
print(json.dumps(facts))
