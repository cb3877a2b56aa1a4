"""Steps in the calendar: months that keep to the month's end, business days, and the way back."""

from __future__ import annotations

from collections.abc import Set
from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import TypeVar

import contract

SATURDAY = 5  # date.weekday() of the first day off
BUSINESS_DAYS_PER_WEEK = 5

Moment = TypeVar("Moment", bound=date)


def add_months(start: Moment, months: int) -> Moment:
    """Return the same day of another month, or that month's last day: 31 January + 1 = 29 February.

    A `datetime` stays one and keeps its time of day and its offset.
    """
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError
    return start.replace(
        year=year, month=month + 1, day=min(start.day, days_in_month(year, month + 1))
    )


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


def is_business_day(day: date, holidays: Set[date]) -> bool:
    return day.weekday() < SATURDAY and day not in holidays


def business_steps(start: date, count: int, holidays: Set[date]) -> timedelta:
    """Return the distance to the count-th business day after (or before) start."""
    step = timedelta(days=1 if count > 0 else -1)
    day = start
    for _ in range(abs(count)):
        day += step
        while not is_business_day(day, holidays):
            day += step
    return day - start


def business_days_between(start: date, end: date, holidays: Set[date]) -> int:
    """Return how many business days lie after start, up to and including end; negative backwards.

    So it undoes `business_steps`. Counted by whole weeks: the range may span ten thousand years.
    """
    if end < start:
        # Stepping back from start, start itself is the one that doesn't count.
        day = timedelta(days=1)
        return -_count(end, start - day, holidays)
    return _count(start + timedelta(days=1), end, holidays) if end > start else 0


def _count(first: date, last: date, holidays: Set[date]) -> int:
    days = (last - first).days + 1
    weeks, rest = divmod(days, 7)
    count = weeks * BUSINESS_DAYS_PER_WEEK
    count += sum((first.weekday() + offset) % 7 < SATURDAY for offset in range(rest))
    return count - sum(1 for day in holidays if first <= day <= last and day.weekday() < SATURDAY)


def calendar_difference(start: date, end: date) -> dict[str, int]:
    """Return years, months and days that lead from the earlier date to the later one."""
    earlier, later = min(start, end), max(start, end)
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    if add_months(earlier, months) > later:
        months -= 1
    days = (later - add_months(earlier, months)).days
    return {"years": months // 12, "months": months % 12, "days": days}


def holidays_in(values: object, most: int) -> frozenset[date]:
    """Return the days off that the request lists."""
    from moments import day_of, parse

    if not isinstance(values, list) or len(values) > most:
        raise contract.Refusal(f"holidays must be a list of at most {most} dates")
    if not all(isinstance(value, str) for value in values):
        raise contract.Refusal("holidays must hold strings such as 2024-12-25")
    return frozenset(day_of(parse(value, "holidays")) for value in values)
