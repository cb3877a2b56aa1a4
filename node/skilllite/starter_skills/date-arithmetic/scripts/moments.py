"""How dates, times and time zones are read from a request and written into an answer."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

import contract

DATE_CHARACTERS_MAX = 40
ZONE_CHARACTERS_MAX = 64
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}\S*", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*", re.ASCII)


def moment(request: contract.Request, name: str) -> date:
    """Return the field as a `datetime` if it has a time of day, else as a plain `date`."""
    return parse(contract.text(request, name, characters_max=DATE_CHARACTERS_MAX), name)


def parse(text: str, name: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        if _DATE_TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError as error:
        raise contract.Refusal(f"{name} is no real date: {contract.shown(text)}: {error}") from None
    raise contract.Refusal(
        f"{name} must be a date such as 2024-02-29 or a date and time such as "
        f"2024-02-29T18:30 or 2024-02-29T18:30+01:00, not {contract.shown(text)}"
    )


def day_of(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def zone(request: contract.Request, name: str) -> tzinfo:
    """Return the named zone, UTC, or a fixed offset such as +05:30."""
    text = contract.text(request, name, characters_max=ZONE_CHARACTERS_MAX)
    if text.upper() in ("UTC", "Z"):
        return UTC
    offset = _OFFSET.fullmatch(text)
    if offset and int(offset[2]) < 24 and int(offset[3]) < 60:
        size = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-size if offset[1] == "-" else size)
    return _named_zone(text, name)


def _named_zone(text: str, name: str) -> tzinfo:
    import zoneinfo

    if _ZONE_NAME.fullmatch(text):
        try:
            return zoneinfo.ZoneInfo(text)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
    try:
        zoneinfo.ZoneInfo("Europe/London")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise contract.Refusal(
            f"{name}: this machine has no time zone data, so only UTC and offsets such as +01:00 "
            "are known"
        ) from None
    raise contract.Refusal(
        f"{name} must be a zone such as Europe/Berlin, UTC, or an offset such as +05:30, "
        f"not {contract.shown(text)}"
    )
