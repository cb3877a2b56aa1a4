"""What the starter skills answer: right results, and refusals that name the field.

That every skill is well-formed and refuses what is no request is in test_starter_skills.py.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SKILLS = Path(__file__).parents[2] / "node" / "skilllite" / "starter_skills"
TIMEOUT_S = 60
Arguments = dict[str, Any]


def run(name: str, arguments: Arguments) -> tuple[int, Any]:
    """Return exit status and value; skip when the skill's interpreter is missing."""
    scripts = SKILLS / name / "scripts"
    command = [sys.executable, "-B", "-E", "-s", "-S", str(scripts / "main.py")]
    for tool, entry in (("node", "main.js"), ("jq", "main.sh")):
        if (scripts / entry).exists():
            if shutil.which(tool) is None:
                pytest.skip(f"{tool} is not installed")
            command = ["node" if tool == "node" else "bash", str(scripts / entry)]
    done = subprocess.run(
        command,
        input=json.dumps(arguments).encode(),
        capture_output=True,
        timeout=TIMEOUT_S,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        check=False,
    )
    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout.decode("utf-8"))


def answer(name: str, arguments: Arguments) -> Any:
    status, value = run(name, arguments)

    assert status == 0, value
    return value


def check_answer(name: str, arguments: Arguments, expected: Arguments) -> None:
    """Check the fields that are expected; the types too, since 3 and 3.0 are equal in Python."""
    value = answer(name, arguments)

    found = {field: value.get(field) for field in expected}
    assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)


def check_error(name: str, arguments: Arguments, words: str) -> None:
    status, value = run(name, arguments)

    assert status == 1
    assert words in value["error"]
    assert "the skill failed" not in value["error"]


def binary(operation: str, a: object, b: object) -> Arguments:
    return {"operation": operation, "a": a, "b": b}


@pytest.mark.parametrize(
    ("operation", "a", "b", "result"),
    [
        ("add", 15, 27, 42),
        ("add", 0.1, 0.2, 0.3),
        ("add", -5, 5, 0),
        ("add", 1, 0.5, 1.5),
        ("subtract", 10**30, 1, 10**30 - 1),
        ("subtract", 0.3, 0.1, 0.2),
        ("multiply", 10**999, 9, 9 * 10**999),
        ("multiply", 1.1, 1.1, 1.21),
        ("multiply", -3, 0.0, -0.0),
        ("divide", 7, 2, 3.5),
        ("divide", 6, 2, 3),
        ("divide", -7, 7, -1),
        ("divide", 1, 3, 1 / 3),
        ("divide", 10**40, 10**20 + 1, 10**40 / (10**20 + 1)),
        ("divide", 1, 0.1, 10.0),
    ],
)
def test_calculator(operation: str, a: float, b: float, result: float) -> None:
    arguments = binary(operation, a, b)

    check_answer("calculator", arguments, arguments | {"result": result})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (binary("divide", 1, 0), "b must not be zero"),
        (binary("divide", 1, 0.0), "b must not be zero"),
        (binary("add", True, 1), "a must be a number"),
        (binary("add", 1, "2"), "b must be a number"),
        (binary("add", 1, None), "b must be a number"),
        ({"operation": "add", "a": 1}, "b must be a number"),
        (binary("add", math.inf, 1), "a must be a finite number"),
        (binary("add", math.nan, 1), "a must be a finite number"),
        (binary("add", 10**1000, 1), "a must have at most 1000 digits"),
        (binary("multiply", 1e300, 1e300), "too large"),
        (binary("add", 10**400, 0.5), "too large"),
        (binary("power", 2, 3), "operation must be one of add, subtract, multiply, divide"),
    ],
)
def test_calculator_refuses(arguments: Arguments, words: str) -> None:
    check_error("calculator", arguments, words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"words": 0, "sentences": 0, "paragraphs": 0, "lines": 0, "average_word_length": 0.0}),
        ("One two. Three!", {"words": 3, "sentences": 2, "paragraphs": 1}),
        ("Dr. Smith paid 3.14 dollars, i.e. a lot. Done.", {"words": 9, "sentences": 2}),
        ("One\n\nTwo\nthree\n\n\n", {"words": 3, "sentences": 2, "paragraphs": 2, "lines": 6}),
        ("can't well-known don\u2019t", {"words": 3, "longest_words": ["well-known", "can't"]}),
        ("你好\uff0c世界。再见\uff01", {"words": 6, "sentences": 2}),
        ("東京へ行く", {"words": 5}),
        ("안녕하세요 세계", {"words": 2}),
        ("हिन्दी भाषा", {"words": 2}),
        ("Cafe\u0301 cafe\u0301", {"words": 2, "distinct_words": 1}),
        ("a B b", {"most_common_words": [{"word": "b", "count": 2}, {"word": "a", "count": 1}]}),
        ("word " * 200, {"reading_time_seconds": 60}),
        ("...", {"words": 0, "sentences": 0}),
        ("U.S.A. at 5 p.m.", {"words": 4, "sentences": 1}),
        ("_a_ b", {"words": 2, "longest_words": ["a", "b"]}),
    ],
)
def test_text_statistics(text: str, expected: Arguments) -> None:
    check_answer("text-statistics", {"text": text, "top": 2}, expected)


def test_text_statistics_counts_characters_by_kind() -> None:
    value = answer("text-statistics", {"text": "Aé 1\n😀", "case_sensitive": True})

    assert value["characters"] == {
        "total": 6,
        "without_spaces": 4,
        "letters": 2,
        "digits": 1,
        "spaces": 2,
        "other": 1,
        "utf8_bytes": 10,
    }


@pytest.mark.parametrize("text", ["." * 900_000 + "a", "." + "'" * 900_000 + "a", "a." * 450_000])
def test_text_statistics_survives_text_that_is_all_stops(text: str) -> None:
    answer("text-statistics", {"text": text})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": 7}, "text must be a string"),
        ({"text": "x" * 1_000_001}, "text has 1000001 characters; at most 1000000"),
        ({"text": "x", "top": -1}, "top must be an integer from 0 to 200"),
        ({"text": "x", "words_per_minute": 1}, "words_per_minute must be an integer from 50"),
        ({"text": "x", "case_sensitive": "no"}, "case_sensitive must be true or false"),
    ],
)
def test_text_statistics_refuses(arguments: Arguments, words: str) -> None:
    check_error("text-statistics", arguments, words)


@pytest.mark.parametrize(
    ("text", "delimiter", "header", "types"),
    [
        ("a,b\n1,x\n2,y\n", "comma", True, ["integer", "text"]),
        ("1,x\n2,y\n", "comma", False, ["integer", "text"]),
        ("a;b\n1,5;x, y\n2,5;z\n", "semicolon", True, ["number", "text"]),
        ("a\tb\n1\t2\n", "tab", True, ["integer", "integer"]),
        ("a|b\n1.5|2\n2|3\n", "pipe", True, ["number", "integer"]),
        ('name,note\nx,"one, two"\ny,"line\nbreak"\n', "comma", True, ["text", "text"]),
        ("d,t\n2024-01-02,2024-01-02T10:00\n", "comma", True, ["date", "datetime"]),
        ("d\n2024-02-30\n", "comma", True, ["text"]),
        ("zip,ok\n01234,yes\n00501,no\n", "comma", True, ["text", "boolean"]),
        ("a,b\n,\n,x\n", "comma", True, ["empty", "text"]),
        ("one\ntwo\n", "comma", True, ["text"]),
        ("\ufeffa,b\r\n1,2\r\n", "comma", True, ["integer", "integer"]),
    ],
)
def test_csv_summary_finds_the_form(
    text: str, delimiter: str, header: bool, types: list[str]
) -> None:
    value = answer("csv-summary", {"text": text})

    assert (value["delimiter"], value["header"]) == (delimiter, header)
    assert [column["type"] for column in value["columns"]] == types


def test_csv_summary_calculates_the_figures_of_a_column() -> None:
    text = "city,n\nA,2\nB,4\nA,4\nC,NA\nD,10\n"

    value = answer("csv-summary", {"text": text, "top": 1})

    assert value["rows"] == 5
    assert value["columns"] == [
        {
            **{"name": "city", "type": "text", "count": 5, "missing": 0, "distinct": 4},
            **{"shortest": 1, "longest": 1, "top": [{"value": "A", "count": 2}]},
        },
        {
            **{"name": "n", "type": "integer", "count": 4, "missing": 1, "distinct": 3},
            **{"min": 2, "max": 10, "sum": 20, "mean": 5.0, "median": 4.0},
            **{"stdev": 3.46410161514, "top": [{"value": "4", "count": 2}]},
        },
    ]


def test_csv_summary_reports_rows_of_another_width_and_names_every_column() -> None:
    value = answer("csv-summary", {"text": "a,,a\n1,2,3\n4,5\n6,7,8,9\n", "header": "yes"})

    assert [column["name"] for column in value["columns"]] == ["a", "column 2", "a (2)"]
    assert (value["short_rows"], value["long_rows"]) == (1, 1)


def test_csv_summary_takes_a_persons_word_for_the_header() -> None:
    value = answer("csv-summary", {"text": "Ann,Oslo\nBob,Rome\n", "header": "no"})

    assert value["rows"] == 2
    assert [column["name"] for column in value["columns"]] == ["column 1", "column 2"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": ""}, "text must hold at least one row"),
        ({"text": "\n ,\n"}, "text must hold at least one row"),
        ({"text": "a\nb", "delimiter": ";"}, "delimiter must be one of auto, comma"),
        ({"text": "1," * 600}, "text has 601 columns; at most 500"),
        ({"text": "a", "header": True}, "header must be one of auto, yes, no"),
        ({"text": "a", "top": 99}, "top must be an integer from 0 to 20"),
    ],
)
def test_csv_summary_refuses(arguments: Arguments, words: str) -> None:
    check_error("csv-summary", arguments, words)


@pytest.mark.parametrize(
    ("value", "source", "target", "result"),
    [
        (1, "km", "m", 1000),
        (1, "mile", "km", 1.609344),
        (12, "inches", "feet", 1),
        (0.1, "m", "mm", 100),
        (1, "lb", "g", 453.59237),
        (16, "ounces", "pounds", 1),
        (100, "C", "F", 212),
        (-40, "fahrenheit", "celsius", -40),
        (0, "K", "C", -273.15),
        (1, "gallon", "l", 3.785411784),
        (1, "gallon", "cups", 16),
        (1, "hectare", "square metres", 10000),
        (36, "km/h", "m/s", 10),
        (1, "knot", "km/h", 1.852),
        (2, "days", "hours", 48),
        (1, "KiB", "B", 1024),
        (1, "MB", "KiB", 976.5625),
        (8, "Mbit", "MB", 1),
        (1, "atm", "Pa", 101325),
        (1, "kWh", "MJ", 3.6),
        (180, "degrees", "rad", math.pi),
        (1, "turn", "deg", 360),
        (5, "KM", "Metres", 5000),
    ],
)
def test_unit_conversion(value: float, source: str, target: str, result: float) -> None:
    arguments = {"value": value, "from": source, "to": target}

    check_answer("unit-conversion", arguments, {"result": result})


@pytest.mark.parametrize(
    ("value", "decimals", "result"), [(0.125, 2, 0.13), (-0.125, 2, -0.13), (2.5, 0, 3)]
)
def test_unit_conversion_rounds_halves_away_from_zero(
    value: float, decimals: int, result: float
) -> None:
    arguments = {"value": value, "from": "m", "to": "m", "decimals": decimals}

    check_answer("unit-conversion", arguments, {"result": result})


def test_every_unit_converts_to_itself_and_no_spelling_stands_for_two() -> None:
    units = answer("unit-conversion", {"operation": "list"})["units"]
    spellings = [
        spelling
        for listed in units.values()
        for unit in listed
        for spelling in (unit["symbol"], *unit["names"])
    ]

    assert len(units) == 11
    assert len(spellings) == len(set(spellings))
    for listed in units.values():
        last = listed[-1]
        name = last["names"][-1] if last["names"] else last["symbol"]
        arguments = {"value": 7, "from": name, "to": last["symbol"]}
        check_answer("unit-conversion", arguments, {"result": 7})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"value": 1, "from": "kg", "to": "m"}, "kg is a unit of mass, m of length"),
        ({"value": 1, "from": "parsnip", "to": "m"}, "from must be a unit"),
        ({"value": 1, "from": "mJ", "to": "J"}, "from is not clear"),
        ({"value": 1, "from": "mb", "to": "B"}, "may mean MB or Mbit"),
        ({"value": -300, "from": "C", "to": "K"}, "value is below absolute zero"),
        ({"value": "1", "from": "m", "to": "m"}, "value must be a number"),
        ({"value": True, "from": "m", "to": "m"}, "value must be a number"),
        ({"value": 10**101, "from": "m", "to": "m"}, "value must be at most 1e100"),
        ({"value": 1, "from": "m"}, "to is missing"),
        ({"value": 1, "from": " ", "to": "m"}, "from must be a unit"),
        ({"value": 1, "from": "m", "to": "m", "decimals": 16}, "decimals must be an integer"),
        ({"operation": "list", "quantity": "love"}, "quantity must be one of length"),
    ],
)
def test_unit_conversion_refuses(arguments: Arguments, words: str) -> None:
    check_error("unit-conversion", arguments, words)


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ({"date": "2024-01-31", "months": 1}, "2024-02-29"),
        ({"date": "2023-01-31", "months": 1}, "2023-02-28"),
        ({"date": "2024-02-29", "years": 1}, "2025-02-28"),
        ({"date": "2024-12-31", "days": 1}, "2025-01-01"),
        ({"date": "2024-03-01", "days": -1}, "2024-02-29"),
        ({"date": "2024-05-15", "years": 1, "months": -13, "weeks": 1}, "2024-04-22"),
        ({"date": "2024-03-29", "business_days": 1}, "2024-04-01"),
        ({"date": "2024-03-29", "business_days": 1, "holidays": ["2024-04-01"]}, "2024-04-02"),
        ({"date": "2024-04-01", "business_days": -1}, "2024-03-29"),
        ({"date": "2024-03-30", "business_days": 0}, "2024-03-30"),
        ({"date": "2024-12-31T23:30", "minutes": 45}, "2025-01-01T00:15:00"),
        ({"date": "2024-12-31T23:30+02:00", "hours": 1}, "2025-01-01T00:30:00+02:00"),
    ],
)
def test_dates_are_added(arguments: Arguments, result: str) -> None:
    check_answer("date-arithmetic", arguments | {"operation": "add"}, {"result": result})


@pytest.mark.parametrize(
    ("start", "end", "days", "calendar", "business"),
    [
        ("2024-01-31", "2024-03-01", 30, (0, 1, 1), 22),
        ("2024-02-29", "2025-02-28", 365, (1, 0, 0), 261),
        ("2024-03-29", "2024-02-29", -29, (0, 1, 0), -21),
        ("2024-05-05", "2024-05-05", 0, (0, 0, 0), 0),
        ("2024-05-03", "2024-05-06", 3, (0, 0, 3), 1),
        ("0001-01-01", "9999-12-31", 3652058, (9998, 11, 30), 2608614),
    ],
)
def test_dates_are_compared(
    start: str, end: str, days: int, calendar: tuple[int, int, int], business: int
) -> None:
    spans = dict(zip(("years", "months", "days"), calendar, strict=True))

    check_answer(
        "date-arithmetic",
        {"operation": "difference", "date": start, "other": end},
        {"days": days, "calendar": spans, "business_days": business},
    )


def test_a_difference_of_times_counts_seconds_across_offsets() -> None:
    check_answer(
        "date-arithmetic",
        {
            "operation": "difference",
            "date": "2024-01-01T12:00+02:00",
            "other": "2024-01-01T12:00:30+01:00",
        },
        {"seconds": 3630, "days": 0},
    )


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-12-30", {"weekday": "Monday", "iso_week": "2025-W01", "quarter": 4}),
        ("2021-01-03", {"weekday": "Sunday", "iso_week_date": "2020-W53-7", "business_day": False}),
        ("2024-02-29", {"day_of_year": 60, "leap_year": True, "days_in_month": 29}),
        ("1900-03-01T10:00", {"leap_year": False, "day_of_year": 60}),
    ],
)
def test_dates_are_described(date: str, expected: Arguments) -> None:
    check_answer("date-arithmetic", {"operation": "describe", "date": date}, expected)


def has_time_zones() -> bool:
    status, _ = run(
        "date-arithmetic",
        {"operation": "convert_zone", "date": "2024-01-01T00:00Z", "to_zone": "Europe/Berlin"},
    )
    return status == 0


@pytest.mark.parametrize(
    ("date", "source", "target", "result", "ambiguous"),
    [
        ("2024-07-01T12:00", "Europe/Berlin", "America/New_York", "2024-07-01T06:00:00-04:00", 0),
        ("2024-01-01T01:00", "Asia/Kolkata", "UTC", "2023-12-31T19:30:00+00:00", 0),
        ("2024-10-27T02:30", "Europe/Berlin", "UTC", "2024-10-27T00:30:00+00:00", 1),
        ("2024-07-01T12:00+05:30", None, "+01:00", "2024-07-01T07:30:00+01:00", 0),
    ],
)
def test_times_move_between_zones(
    date: str, source: str | None, target: str, result: str, ambiguous: int
) -> None:
    if source is not None and not has_time_zones():
        pytest.skip("no time zone data on this machine")
    given = {} if source is None else {"from_zone": source}

    check_answer(
        "date-arithmetic",
        {"operation": "convert_zone", "date": date, "to_zone": target, **given},
        {"result": result, "ambiguous": bool(ambiguous)},
    )


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    if not has_time_zones():
        pytest.skip("no time zone data on this machine")

    arguments = {"date": "2024-03-31T02:30", "from_zone": "Europe/Berlin", "to_zone": "UTC"}

    check_error("date-arithmetic", arguments | {"operation": "convert_zone"}, "does not exist")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"operation": "describe", "date": "2024-02-30"}, "date is no real date"),
        ({"operation": "describe", "date": "tomorrow"}, "date must be a date such as"),
        ({"operation": "describe", "date": "20240101"}, "date must be a date such as"),
        ({"operation": "add", "date": "2024-01-01"}, "at least one of years"),
        ({"operation": "add", "date": "9999-12-31", "days": 1}, "outside the years 1 to 9999"),
        ({"operation": "subtract", "date": "0001-01-01", "months": 1}, "outside the years"),
        ({"operation": "add", "date": "2024-01-01", "hours": 1}, "date must have a time of day"),
        ({"operation": "add", "date": "2024-01-01", "days": 1.5}, "days must be an integer"),
        ({"operation": "add", "date": "2024-01-01", "days": 1, "holidays": [1]}, "holidays must"),
        ({"operation": "difference", "date": "2024-01-01"}, "other is missing"),
        (
            {"operation": "difference", "date": "2024-01-01T00:00Z", "other": "2024-01-01T00:00"},
            "must both have an offset",
        ),
        (
            {"operation": "convert_zone", "date": "2024-01-01T00:00", "to_zone": "UTC"},
            "from_zone is missing",
        ),
        (
            {"operation": "convert_zone", "date": "2024-01-01T00:00Z", "to_zone": "../../etc"},
            "to_zone",
        ),
        (
            {"operation": "convert_zone", "date": "0001-01-01T00:00+10:00", "to_zone": "UTC"},
            "outside the years",
        ),
    ],
)
def test_date_arithmetic_refuses(arguments: Arguments, words: str) -> None:
    check_error("date-arithmetic", arguments, words)


SHOP = {
    "items": [
        {"name": "pen", "price": 2, "tags": ["blue", "new"]},
        {"name": "lamp", "price": 30.5, "sold": True},
        {"name": "desk", "price": None, "in": {"stock": {"count": 3}}},
    ],
    "my key": {"a.b": 1},
}


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("items[0].name", "pen"),
        ("$.items[-1].in.stock.count", 3),
        ("['my key'][\"a.b\"]", 1),
        ("items[*].name", ["pen", "lamp", "desk"]),
        ("items[1:].name", ["lamp", "desk"]),
        ("items[::-1].name", ["desk", "lamp", "pen"]),
        ("items[?price > 10].name", ["lamp"]),
        ("items[?price >= 2 && price < 10].name", ["pen"]),
        ("items[?name == 'pen' || sold == true].name", ["pen", "lamp"]),
        ("items[?!(sold)].name", ["pen", "desk"]),
        ("items[?price == null].name", ["desk"]),
        ("items[?sold == 1].name", []),
        ("items[?tags contains 'new'].name", ["pen"]),
        ("items[?name contains 'e'].name", ["pen", "desk"]),
        ("items[?in.stock.count == 3].name", ["desk"]),
        ("items[*].tags[0]", ["blue"]),
        ("items[?tags.length() == 2].name", ["pen"]),
        ("..count", [3]),
        ("items.length()", 3),
        ("keys()", ["items", "my key"]),
        ("items[*].name | sort() | first()", "desk"),
        ("items[?price != null].price | sum()", 32.5),
        ("items[?price != null].price | max()", 30.5),
        ("items[*].tags | flatten() | length()", 2),
        ("items[0].tags.type()", "list"),
        ("['my key'].*", [1]),
        ("items[*].nothing", []),
    ],
)
def test_json_query(path: str, result: object) -> None:
    check_answer("json-query", {"data": SHOP, "path": path}, {"result": result})


def test_json_query_reads_json_in_a_text() -> None:
    check_answer("json-query", {"json": "[1, 2.5]", "path": "[1]"}, {"result": 2.5})


def test_json_query_compares_values_as_json_does() -> None:
    arguments = {"data": [1, True, 1.0, "1", [1], [True]], "path": "$ | unique()"}

    check_answer("json-query", arguments, {"result": [1, True, "1", [1], [True]]})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("items[", "position 6"),
        ("items[0", "position 7: expected ']'"),
        ("items[0]name", "position 8"),
        ("items..", "position 7: expected a name after '..'"),
        ("items[?price > ]", "position 15"),
        ("items[?name == pen]", "quote a string as in 'pen'"),
        ("items[?'x']", "expected one of =="),
        ("items[?" + "(" * 30, "nested more than 20 levels"),
        ("items[::0]", "step of a slice must not be 0"),
        ("items.shout()", "no function shout"),
        ("items[0].colour", 'no key "colour"; keys: "name", "price", "tags"'),
        ("items[7]", "index 7 is outside a list of 3"),
        ("items.name", "needs an object, but the value there is list"),
        ("items[*].price | sum()", "needs a list of numbers"),
        ("items[0].tags.keys()", "keys() needs an object, not list"),
        ("a" * 1001, "path has 1001 characters"),
    ],
)
def test_json_query_refuses(path: str, words: str) -> None:
    check_error("json-query", {"data": SHOP, "path": path}, words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"path": "a"}, "exactly one of data"),
        ({"path": "a", "data": 1, "json": "1"}, "exactly one of data"),
        ({"path": "a", "json": "[1,"}, "json is not valid JSON"),
        ({"path": "a", "json": "[NaN]"}, "NaN is no JSON number"),
        ({"path": "a", "json": "1e999"}, "too large"),
        ({"data": {}}, "path is missing"),
    ],
)
def test_json_query_refuses_data(arguments: Arguments, words: str) -> None:
    check_error("json-query", arguments, words)


@pytest.mark.parametrize(
    ("arguments", "digest"),
    [
        # Published test vectors: FIPS 180 and 202, RFC 1321, RFC 7693, RFC 4231, ITU-T V.42.
        ({"data": "abc", "algorithm": "md5"}, "900150983cd24fb0d6963f7d28e17f72"),
        ({"data": "abc", "algorithm": "sha1"}, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            {"data": "abc"},
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            {"data": "616263", "encoding": "hex", "algorithm": "sha3_256"},
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        ),
        (
            {"data": "YWJj", "encoding": "base64", "algorithm": "blake2s"},
            "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
        ),
        ({"data": "123456789", "algorithm": "crc32"}, "cbf43926"),
        ({"data": "", "algorithm": "md5", "output": "base64"}, "1B2M2Y8AsgTpgAmY7PhCfg=="),
        (
            {"operation": "hmac", "data": "what do ya want for nothing?", "key": "Jefe"},
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ],
)
def test_hashing(arguments: Arguments, digest: str) -> None:
    check_answer("hashing", {"operation": "digest"} | arguments, {"digest": digest})


@pytest.mark.parametrize(
    ("expected", "output", "matches"),
    [
        ("900150983CD24FB0D6963F7D28E17F72", "hex", True),
        ("900150983cd24fb0d6963f7d28e17f73", "hex", False),
        ("kAFQmDzST7DWlj99KOF_cg", "base64", True),
    ],
)
def test_hashing_verifies(expected: str, output: str, matches: bool) -> None:
    arguments = {"operation": "verify", "algorithm": "md5", "data": "abc", "expected": expected}

    value = answer("hashing", arguments | {"output": output})

    assert value["matches"] is matches
    assert "broken" in value["note"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"operation": "digest", "data": "x", "algorithm": "rot13"}, "algorithm must be one of"),
        ({"operation": "digest", "data": "xyz", "encoding": "hex"}, "data is not valid hex"),
        ({"operation": "digest", "data": "*", "encoding": "base64"}, "data is not valid base64"),
        ({"operation": "digest", "data": "ä", "encoding": "hex"}, "data is not valid hex"),
        ({"operation": "digest", "data": "x", "key": "k"}, 'field "key" is not known'),
        ({"operation": "hmac", "data": "x"}, "key is missing"),
        ({"operation": "hmac", "data": "x", "key": ""}, "key must not be empty"),
        ({"operation": "hmac", "data": "x", "key": "k", "algorithm": "crc32"}, "crc32 is none"),
        ({"operation": "verify", "data": "x"}, "expected is missing"),
        ({"operation": "verify", "data": "x", "expected": "ab"}, "expected must hold 32 bytes"),
    ],
)
def test_hashing_refuses(arguments: Arguments, words: str) -> None:
    check_error("hashing", arguments, words)


def test_regex_finds_groups_and_positions() -> None:
    value = answer("regex-extraction", {"pattern": r"(?P<key>\w+)=(\d+)?", "text": "a=1 b="})

    assert value["truncated"] is False
    assert value["matches"] == [
        {"match": "a=1", "start": 0, "end": 3, "groups": ["a", "1"], "named": {"key": "a"}},
        {"match": "b=", "start": 4, "end": 6, "groups": ["b", None], "named": {"key": "b"}},
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"pattern": "x", "text": "abc"}, {"count": 0, "truncated": False, "matches": []}),
        ({"pattern": ".", "text": "abc", "limit": 3}, {"count": 3, "truncated": False}),
        ({"pattern": ".", "text": "abcd", "limit": 3}, {"count": 3, "truncated": True}),
        ({"pattern": "é", "text": "É", "flags": ["ignore_case"]}, {"count": 1}),
        ({"pattern": "^b$", "text": "a\nb", "flags": ["multiline"]}, {"count": 1}),
        ({"operation": "test", "pattern": "b+", "text": "abbc"}, {"matches": True}),
        ({"operation": "test", "pattern": "^b", "text": "ab"}, {"matches": False}),
        (
            {"operation": "replace", "pattern": "(a)(n)", "text": "banana", "replacement": r"\2\1"},
            {"count": 2, "text": "bnanaa"},
        ),
        (
            {"operation": "replace", "pattern": "a", "text": "aaa", "replacement": "b", "limit": 1},
            {"count": 1, "text": "baa"},
        ),
        (
            {"operation": "split", "pattern": r"\s*,\s*", "text": "a , b,c"},
            {"count": 3, "parts": ["a", "b", "c"]},
        ),
        ({"operation": "split", "pattern": "(-)", "text": "a-b"}, {"parts": ["a", "b"]}),
    ],
)
def test_regex(arguments: Arguments, expected: Arguments) -> None:
    check_answer("regex-extraction", arguments, expected)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pattern": "[", "text": ""}, "pattern is not a regular expression: unterminated"),
        ({"pattern": "a{99999999999}", "text": ""}, "pattern is not a regular expression"),
        ({"pattern": "(" * 999, "text": ""}, "pattern"),
        ({"pattern": "a" * 1001, "text": ""}, "pattern has 1001 characters"),
        ({"pattern": "a", "text": "", "flags": ["turbo"]}, "flags must hold only ignore_case"),
        ({"pattern": "a", "text": "", "limit": 0}, "limit must be an integer from 1"),
        ({"pattern": "a", "text": "", "replacement": "b"}, 'field "replacement" is not known'),
        ({"operation": "replace", "pattern": "a", "text": "a"}, "replacement is missing"),
        (
            {"operation": "replace", "pattern": "a", "text": "a", "replacement": r"\1"},
            "replacement does not fit the pattern",
        ),
        (
            {"operation": "replace", "pattern": "a", "text": "a" * 2000, "replacement": "b" * 999},
            "grows beyond 1000000 characters",
        ),
    ],
)
def test_regex_refuses(arguments: Arguments, words: str) -> None:
    check_error("regex-extraction", arguments, words)


def test_a_runaway_regex_is_stopped_with_a_reason() -> None:
    arguments = {"pattern": "(a+)+$", "text": "a" * 60 + "!"}

    check_error("regex-extraction", arguments, "pattern needs more than 3 seconds")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# One #\n## Two\n", "<h1>One</h1>\n<h2>Two</h2>"),
        ("Title\n=====\nSub\n---", "<h1>Title</h1>\n<h2>Sub</h2>"),
        ("#no heading", "<p>#no heading</p>"),
        (
            "a *b* **c** ***d***",
            "<p>a <em>b</em> <strong>c</strong> <em><strong>d</strong></em></p>",
        ),
        ("snake_case_word and 2 * 3 * 4", "<p>snake_case_word and 2 * 3 * 4</p>"),
        ("**bold _both_** ~~gone~~", "<p><strong>bold <em>both</em></strong> <del>gone</del></p>"),
        ("`a < *b*` ``x`y``", "<p><code>a &lt; *b*</code> <code>x`y</code></p>"),
        (r"\*not\* &copy; AT&T", "<p>*not* © AT&amp;T</p>"),
        ("one  \ntwo\\\nthree\nfour", "<p>one<br>\ntwo<br>\nthree\nfour</p>"),
        ("```py\n<x>\n```", '<pre><code class="language-py">&lt;x&gt;\n</code></pre>'),
        ("~~~\n```\n~~~\n", "<pre><code>```\n</code></pre>"),
        ("    code\n\n\tmore", "<pre><code>code\n\nmore\n</code></pre>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("- a\n\n- b", "<ul>\n<li><p>a</p></li>\n<li><p>b</p></li>\n</ul>"),
        ("- a\n  - b\n- c", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul></li>\n<li>c</li>\n</ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("- [x] done", '<ul>\n<li><input type="checkbox" disabled checked> done</li>\n</ul>'),
        ("> a\nb\n> - c", "<blockquote>\n<p>a\nb</p>\n<ul>\n<li>c</li>\n</ul>\n</blockquote>"),
        ("a\n\n***\n\n- - -", "<p>a</p>\n<hr>\n<hr>"),
        ('[a *b*](/x "T")', '<p><a href="/x" title="T">a <em>b</em></a></p>'),
        ("[a][r]\n\n[R]: https://x.org 'T'", '<p><a href="https://x.org" title="T">a</a></p>'),
        ("![alt *b*](i.png)", '<p><img src="i.png" alt="alt b"></p>'),
        (
            "<https://x.org/?a=1&b=2>",
            '<p><a href="https://x.org/?a=1&amp;b=2">https://x.org/?a=1&amp;b=2</a></p>',
        ),
        ("[outer [inner](/i)](/o)", '<p>[outer <a href="/i">inner</a>](/o)</p>'),
        (
            "a | b\n:-|-:\n1 | `x`",
            '<table>\n<thead>\n<tr><th style="text-align: left">a</th>'
            '<th style="text-align: right">b</th></tr>\n</thead>\n<tbody>\n'
            '<tr><td style="text-align: left">1</td>'
            '<td style="text-align: right"><code>x</code></td>'
            "</tr>\n</tbody>\n</table>",
        ),
        ("In 1986\n1986. is no list", "<p>In 1986\n1986. is no list</p>"),
        ("", ""),
    ],
)
def test_markdown(text: str, html: str) -> None:
    check_answer("markdown-to-html", {"text": text}, {"html": html})


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x](&#1;javascript:alert(1))",
        "[x](vbscript:x) [y](data:text/html,x)",
        "![x](javascript:alert(1)) ![y](data:image/svg+xml,x)",
        "[x][r]\n\n[r]: javascript:alert(1)",
        "<javascript:alert(1)>",
        '[x](/a"onclick="b) ![a"b](/c "d\\"e")',
        '```a"onload="b\nx\n```',
        "| <b> |\n|---|\n| <i> |",
        "# <b onclick=x>",
    ],
)
def test_markdown_lets_nothing_through_that_runs(text: str) -> None:
    html = answer("markdown-to-html", {"text": text, "heading_ids": True})["html"]

    for tag in html.replace("</", "<").split("<")[1:]:
        name, _, attributes = tag.split(">")[0].partition(" ")
        assert name in {
            *("p", "a", "img", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "h1"),
        }
        quoted = attributes.split('"')
        assert all(
            part.strip(" ") in {"", "href=", "src=", "alt=", "title=", "id=", "class="}
            for part in quoted[::2]
        )
        assert not any("script:" in part or "data:" in part for part in quoted[1::2])


def test_markdown_lists_headings_with_unique_ids() -> None:
    text = "# A *b*\n\n## Same\n\n## Same\n\n## Same-1\n\n# ?"

    value = answer("markdown-to-html", {"text": text, "heading_ids": True})

    assert [heading["text"] for heading in value["headings"]] == [
        *("A b", "Same", "Same", "Same-1", "?"),
    ]
    ids = [heading["id"] for heading in value["headings"]]
    assert ids[:3] == ["a-b", "same", "same-1"]
    assert len(set(ids)) == len(ids)


def test_markdown_makes_a_whole_page() -> None:
    value = answer("markdown-to-html", {"text": "# A & B", "document": True})

    assert value["html"].startswith("<!DOCTYPE html>")
    assert "<title>A &amp; B</title>" in value["html"]


@pytest.mark.parametrize(
    "text",
    [
        "*_" * 100_000,
        "[" * 200_000,
        "> " * 5_000 + "x",
        "- " * 5_000 + "x",
        "`" * 9 + " ` " * 9_999,
    ],
)
def test_markdown_survives_text_that_is_all_marks(text: str) -> None:
    answer("markdown-to-html", {"text": text})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": "x" * 500_001}, "text has 500001 characters"),
        ({"text": "x", "heading_ids": "yes"}, "heading_ids must be true or false"),
        ({"text": "x", "title": 1}, "title must be a string"),
    ],
)
def test_markdown_refuses(arguments: Arguments, words: str) -> None:
    check_error("markdown-to-html", arguments, words)


def texts(before: str, after: str, **more: object) -> Arguments:
    return {"before": before, "after": after, **more}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (texts("", ""), {"equal": True, "similarity": 1.0, "diff": ""}),
        (texts("a\n", "a\n"), {"equal": True, "similarity": 1.0, "diff": "", "unchanged": 1}),
        (
            texts("a\nb\nc\n", "a\nx\nc\n"),
            {
                "diff": "--- before\n+++ after\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n",
                "similarity": 0.6667,
            },
        ),
        (
            texts("", "a\n", before_name="old.txt", after_name="new.txt"),
            {"diff": "--- old.txt\n+++ new.txt\n@@ -0,0 +1 @@\n+a\n", "added": 1, "removed": 0},
        ),
        (
            texts("a", "a\n"),
            {"diff": "--- before\n+++ after\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
        ),
        (
            texts("1\n2\n3\n4\n5\n6\n7\n", "1\n2\nx\n4\n5\n6\ny\n", context=0),
            {"diff": "--- before\n+++ after\n@@ -3 +3 @@\n-3\n+x\n@@ -7 +7 @@\n-7\n+y\n"},
        ),
        (texts("A  b\n", "a b\n", ignore_case=True, ignore_whitespace=True), {"equal": True}),
        (texts("A\n", "a\n", ignore_whitespace=True), {"equal": False}),
        (
            texts("the quick fox", "the slow fox", operation="words"),
            {"marked": "the [-quick-]{+slow+} fox", "added": 1, "removed": 1, "similarity": 0.8},
        ),
        (texts("你好世界", "你们世界", operation="words"), {"marked": "你[-好-]{+们+}世界"}),
        (
            texts("a", "a b", operation="words"),
            {"changes": [{"kind": "equal", "text": "a"}, {"kind": "insert", "text": " b"}]},
        ),
    ],
)
def test_diff(arguments: Arguments, expected: Arguments) -> None:
    check_answer("diff", arguments, expected)


def test_diff_finds_scattered_changes_in_a_long_text() -> None:
    before = "".join(f"{number}\n" for number in range(30_000))
    after = "".join(f"{number}\n" for number in range(30_000) if number % 7)

    value = answer("diff", texts(before, after, context=0))

    assert (value["removed"], value["added"]) == (4286, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"before": "a"}, "after is missing"),
        (texts("\n" * 50_001, ""), "before has 50001 lines; at most 50000"),
        (texts("", "a " * 30_000, operation="words"), "after has 60000 words and signs"),
        (texts("a", "b", context=101), "context must be an integer from 0 to 100"),
        (texts("a", "b", after_name="x\ny"), "after_name must not hold a line break"),
    ],
)
def test_diff_refuses(arguments: Arguments, words: str) -> None:
    check_error("diff", arguments, words)


@pytest.mark.parametrize(
    ("operation", "text", "result"),
    [
        ("slugify", "Crème Brûlée & Straße!", "creme-brulee-strasse"),
        ("slugify", "Ünïcode's Ёлка", "uenicodes-yolka"),
        ("slugify", "  --  ", ""),
        ("slugify", "北京 2024", "北京-2024"),
        ("title_case", "the lord of the rings", "The Lord of the Rings"),
        ("title_case", "a tale: the end of NASA and", "A Tale: The End of NASA And"),
        ("sentence_case", "HELLO THERE. how ARE you?", "Hello there. How are you?"),
        ("sentence_case", "(a) 3.14 is PI\n\nnew", "(A) 3.14 is pi\n\nNew"),
        ("upper_case", "straße", "STRASSE"),
        ("lower_case", "ÀÉ", "àé"),
        ("camel_case", "parse HTTP header", "parseHttpHeader"),
        ("pascal_case", "snake_case_word", "SnakeCaseWord"),
        ("snake_case", "parseHTTPHeader2", "parse_http_header2"),
        ("kebab_case", "XMLHttpRequest", "xml-http-request"),
        ("constant_case", "max-line width", "MAX_LINE_WIDTH"),
        ("snake_case", "the user's ID", "the_users_id"),
        ("transliterate", "Łódź, Åland, Москва, Αθήνα", "Lodz, Aland, Moskva, Athina"),
        ("transliterate", "Cafe\u0301 日本", "Cafe 日本"),
        ("reverse", "ae\u0301👨‍👩‍👧x", "x👨‍👩‍👧e\u0301a"),
        ("squeeze", "  a \t b\r\n\n\n\n c ", "a b\n\nc"),
    ],
)
def test_text_transform(operation: str, text: str, result: str) -> None:
    arguments = {"operation": operation, "text": text}

    check_answer("text-transform", arguments, {"operation": operation, "result": result})


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ({"operation": "slugify", "text": "A b", "separator": "_"}, "a_b"),
        ({"operation": "slugify", "text": "A b", "separator": ""}, "ab"),
        ({"operation": "wrap", "text": "the quick brown fox", "width": 10}, "the quick\nbrown fox"),
        ({"operation": "wrap", "text": "abcdefgh", "width": 3}, "abc\ndef\ngh"),
        ({"operation": "wrap", "text": "a\nb\n\n\nc", "width": 9}, "a b\n\nc"),
        ({"operation": "truncate", "text": "the quick brown", "length": 12}, "the quick…"),
        ({"operation": "truncate", "text": "short", "length": 5}, "short"),
        ({"operation": "truncate", "text": "abcdefgh", "length": 5, "ellipsis": "..."}, "ab..."),
        ({"operation": "truncate", "text": "👍🏽👍🏽👍🏽", "length": 2}, "👍🏽…"),
        ({"operation": "truncate", "text": "abc", "length": 0}, ""),
    ],
)
def test_text_transform_with_options(arguments: Arguments, result: str) -> None:
    check_answer("text-transform", arguments, {"result": result})


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ("reverse", "👩‍👩‍👧" * 24_000 + "é"),
        ("slugify", "\u0301" * 100_000 + "\u0323" * 100_000),
        ("sentence_case", "\n" * 200_000),
    ],
)
def test_text_transform_ends_soon_however_long_the_text(operation: str, text: str) -> None:
    value = answer("text-transform", {"operation": operation, "text": text})

    if operation == "reverse":
        assert value["result"] == "é" + text[:-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"operation": "reverse"}, "text is missing"),
        ({"operation": "reverse", "text": 1}, "text is missing or no string"),
        ({"operation": "reverse", "text": "x" * 200_001}, "text must have at most 200000"),
        ({"operation": "wrap", "text": "x"}, "width is missing: it must be an integer"),
        ({"operation": "wrap", "text": "x", "width": 0}, "width must be an integer from 1 to 1000"),
        ({"operation": "truncate", "text": "x", "length": 1.5}, "length must be an integer"),
        ({"operation": "slugify", "text": "x", "separator": "/"}, "separator must be one of"),
        ({"operation": "reverse", "text": "x", "width": 3}, 'field "width" is not known'),
        ({"operation": "truncate", "text": "x", "length": 1, "ellipsis": "\n"}, "ellipsis must be"),
    ],
)
def test_text_transform_refuses(arguments: Arguments, words: str) -> None:
    check_error("text-transform", arguments, words)


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ({"operation": "sort", "text": "b\r\na\n\nÄ\n10\n9\n"}, ["", "10", "9", "a", "b", "Ä"]),
        ({"operation": "sort", "text": "10\n9\n-1", "numeric": True}, ["-1", "9", "10"]),
        ({"operation": "sort", "text": "b\nA\nc", "ignore_case": True}, ["A", "b", "c"]),
        ({"operation": "sort", "text": "a\nb", "order": "descending"}, ["b", "a"]),
        ({"operation": "unique", "text": "b\na\nb\nB"}, ["b", "a", "B"]),
        ({"operation": "unique", "text": "b\nB\na", "ignore_case": True}, ["b", "a"]),
        ({"operation": "reverse", "text": "a\nb\n"}, ["b", "a"]),
        ({"operation": "head", "text": "a\nb\nc", "lines": 2}, ["a", "b"]),
        ({"operation": "head", "text": "a", "lines": 0}, []),
        ({"operation": "tail", "text": "a\nb\nc", "lines": 2}, ["b", "c"]),
        ({"operation": "tail", "text": "\n".join("abcdefghijkl")}, list("cdefghijkl")),
        ({"operation": "number", "text": "a\n\\t $x", "start": 9}, ["9\ta", "10\t\\t $x"]),
        ({"operation": "filter", "text": "a.b\naxb", "contains": "."}, ["a.b"]),
        ({"operation": "filter", "text": "a\nb", "contains": "a", "invert": True}, ["b"]),
        ({"operation": "filter", "text": "ÄB\nc", "contains": "äb", "ignore_case": True}, ["ÄB"]),
        ({"operation": "filter", "text": "-e\nx", "contains": "-e"}, ["-e"]),
        ({"operation": "filter", "text": "$(id) `id`\nx", "contains": "$(id)"}, ["$(id) `id`"]),
        ({"operation": "filter", "text": "a", "contains": "z"}, []),
        ({"operation": "sort", "text": ""}, []),
        ({"operation": "sort", "text": "\n"}, [""]),
    ],
)
def test_line_tools(arguments: Arguments, lines: list[str]) -> None:
    check_answer("line-tools", arguments, {"count": len(lines), "lines": lines})


def test_line_tools_count_the_most_frequent_line_first() -> None:
    value = answer("line-tools", {"operation": "count", "text": "a b\n\nc\nc\n 010\n10"})

    assert [(entry["line"], entry["count"]) for entry in value["counts"]] == [
        *(("c", 2), ("a b", 1), ("", 1), (" 010", 1), ("10", 1)),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"operation": "sort"}, "text is missing"),
        ({"operation": "sort", "text": 1}, "text is missing or no string"),
        ({"operation": "sort", "text": "x\0y"}, "U+0000"),
        ({"operation": "sort", "text": "\n" * 50_001}, "text must have at most 50000 lines"),
        ({"operation": "sort", "text": "x" * 500_001}, "text must have at most 500000 characters"),
        ({"operation": "sort", "text": "x", "order": "random"}, "order must be one of ascending"),
        ({"operation": "sort", "text": "x", "numeric": 1}, "numeric must be true or false"),
        ({"operation": "sort", "text": "x", "lines": 1}, 'field "lines" is not known'),
        ({"operation": "head", "text": "x", "lines": -1}, "lines must be an integer from 0"),
        ({"operation": "head", "text": "x", "lines": 1.5}, "lines must be an integer from 0"),
        ({"operation": "number", "text": "x", "start": "1"}, "start must be an integer"),
        ({"operation": "filter", "text": "x"}, "contains is missing"),
        ({"operation": "filter", "text": "x", "contains": "a\nb"}, "a string of one line"),
        ({"operation": "filter", "text": "x", "contains": "y" * 1001}, "at most 1000 characters"),
    ],
)
def test_line_tools_refuse(arguments: Arguments, words: str) -> None:
    check_error("line-tools", arguments, words)
