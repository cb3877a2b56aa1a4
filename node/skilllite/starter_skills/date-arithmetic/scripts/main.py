"""Calculate with dates: add and subtract, compare, describe, and move between time zones."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta, tzinfo

import contract
from calendar_steps import (
    add_months,
    business_days_between,
    business_steps,
    calendar_difference,
    days_in_month,
    holidays_in,
    is_business_day,
)
from moments import day_of, moment, zone

UNITS_MAX = {  # largest count of each unit: no more than fits between the years 1 and 9999
    "years": 9_998,
    "months": 119_987,
    "weeks": 521_722,
    "days": 3_652_058,
    "business_days": 100_000,  # counted one by one
    "hours": 87_649_415,
    "minutes": 5_258_964_959,
    "seconds": 315_537_897_599,
}
TIME_UNITS = ("hours", "minutes", "seconds")
HOLIDAYS_MAX = 1_000
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def answer(request: contract.Request) -> object:
    operation = contract.choice(request, "operation", tuple(OPERATIONS))
    try:
        return {"operation": operation} | OPERATIONS[operation](request)
    except OverflowError:
        raise contract.Refusal("the result lies outside the years 1 to 9999") from None


def add(request: contract.Request) -> dict[str, object]:
    return shifted(request, 1)


def subtract(request: contract.Request) -> dict[str, object]:
    return shifted(request, -1)


def shifted(request: contract.Request, sign: int) -> dict[str, object]:
    """Apply the units from large to small, as a person would on a calendar."""
    contract.only_fields(request, ("operation", "date", "holidays", *UNITS_MAX))
    start = moment(request, "date")
    counts = {
        name: sign * contract.integer(request, name, low=-most, high=most, default=0)
        for name, most in UNITS_MAX.items()
    }
    if not any(name in request for name in UNITS_MAX):
        raise contract.Refusal(f"at least one of {', '.join(UNITS_MAX)} must be given")
    if not isinstance(start, datetime) and any(name in request for name in TIME_UNITS):
        raise contract.Refusal("date must have a time of day to add hours, minutes or seconds")
    holidays = holidays_in(request.get("holidays", []), HOLIDAYS_MAX)

    end = add_months(start, counts["years"] * 12 + counts["months"])
    end += timedelta(weeks=counts["weeks"], days=counts["days"])
    end += business_steps(day_of(end), counts["business_days"], holidays)
    end += timedelta(**{name: counts[name] for name in TIME_UNITS})
    return {"date": start.isoformat(), "result": end.isoformat(), "weekday": weekday(end)}


def difference(request: contract.Request) -> dict[str, object]:
    contract.only_fields(request, ("operation", "date", "other", "holidays"))
    start, end = moment(request, "date"), moment(request, "other")
    holidays = holidays_in(request.get("holidays", []), HOLIDAYS_MAX)
    first, last = day_of(start), day_of(end)
    result: dict[str, object] = {
        "date": start.isoformat(),
        "other": end.isoformat(),
        "days": (last - first).days,
        "calendar": calendar_difference(first, last),
        "business_days": business_days_between(first, last, holidays),
    }
    if isinstance(start, datetime) and isinstance(end, datetime):
        if (start.tzinfo is None) != (end.tzinfo is None):
            raise contract.Refusal("date and other must both have an offset, or neither")
        seconds = (end - start).total_seconds()
        result["seconds"] = int(seconds) if seconds == int(seconds) else seconds
    return result


def describe(request: contract.Request) -> dict[str, object]:
    contract.only_fields(request, ("operation", "date", "holidays"))
    holidays = holidays_in(request.get("holidays", []), HOLIDAYS_MAX)
    day = day_of(moment(request, "date"))
    iso = day.isocalendar()
    return {
        "date": day.isoformat(),
        "weekday": weekday(day),
        "iso_week": f"{iso.year:04}-W{iso.week:02}",
        "iso_week_date": f"{iso.year:04}-W{iso.week:02}-{iso.weekday}",
        "day_of_year": day.timetuple().tm_yday,
        "quarter": (day.month + 2) // 3,
        "days_in_month": days_in_month(day.year, day.month),
        "leap_year": days_in_month(day.year, 2) == 29,
        "business_day": is_business_day(day, holidays),
    }


def convert_zone(request: contract.Request) -> dict[str, object]:
    contract.only_fields(request, ("operation", "date", "from_zone", "to_zone"))
    start = moment(request, "date")
    if not isinstance(start, datetime):
        raise contract.Refusal("date must have a time of day to convert it between time zones")
    target = zone(request, "to_zone")
    if start.tzinfo is not None:
        if "from_zone" in request:
            raise contract.Refusal("from_zone must be left out when date has an offset")
        located, ambiguous = start, False
    else:
        located, ambiguous = locate(start, zone(request, "from_zone"))
    result = located.astimezone(target)
    return {
        "date": located.isoformat(),
        "result": result.isoformat(),
        "weekday": weekday(result),
        "ambiguous": ambiguous,
    }


def locate(wall_time: datetime, source: tzinfo) -> tuple[datetime, bool]:
    """Return the moment a clock in the zone showed this time, and whether it showed it twice.

    Of two moments in autumn the first is taken; a time that spring skips never was.
    """
    located = wall_time.replace(tzinfo=source)
    again = located.replace(fold=1)
    if located.utcoffset() == again.utcoffset():
        return located, False
    if located.utcoffset() < again.utcoffset():
        raise contract.Refusal(
            f"date {wall_time.isoformat()} does not exist in {source}: the clocks skip it"
        )
    return located, True


def weekday(day: date) -> str:
    return WEEKDAYS[day.weekday()]


OPERATIONS = {
    "add": add,
    "subtract": subtract,
    "difference": difference,
    "describe": describe,
    "convert_zone": convert_zone,
}

if __name__ == "__main__":
    sys.exit(contract.serve(answer))
