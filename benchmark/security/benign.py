"""Well-behaved skills: a sandbox that stops these has stopped nothing worth stopping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmark.security.prelude import Language


@dataclass(frozen=True, slots=True)
class Benign:
    """A skill, what it is given, and the only right answer."""

    name: str
    description: str
    language: Language
    source: str
    given: dict[str, Any]
    answer: Any


def _python(name: str, description: str, source: str, given: dict[str, Any], answer: Any) -> Benign:
    return Benign(name, description, Language.PYTHON, source.lstrip(), given, answer)


BENIGN: tuple[Benign, ...] = (
    _python(
        "joins-paths",
        "Joins and splits paths as text.",
        """
import json
import os.path
import sys

parts = json.load(sys.stdin)["parts"]
path = os.path.normpath(os.path.join(*parts))
print(json.dumps({"path": path, "extension": os.path.splitext(path)[1]}))
""",
        {"parts": ["reports", "..", "data", "sales.csv"]},
        {"path": "data/sales.csv", "extension": ".csv"},
    ),
    _python(
        "finds-dates",
        "Finds dates in a text by a regular expression.",
        """
import json
import re
import sys

text = json.load(sys.stdin)["text"]
print(json.dumps(re.findall(r"\\d{4}-\\d{2}-\\d{2}", text)))
""",
        {"text": "from 2024-02-29 to 2025-03-01"},
        ["2024-02-29", "2025-03-01"],
    ),
    _python(
        "sorts-records",
        "Sorts JSON records by a field.",
        """
import json
import sys

given = json.load(sys.stdin)
print(json.dumps(sorted(given["records"], key=lambda record: record[given["by"]])))
""",
        {"by": "n", "records": [{"n": 2}, {"n": 1}]},
        [{"n": 1}, {"n": 2}],
    ),
    _python(
        "keeps-files",
        "Writes lines to a temporary file and reads them again.",
        """
import json
import os
import sys
import tempfile

lines = json.load(sys.stdin)["lines"]
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "lines.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\\n".join(lines))
    with open(path, encoding="utf-8") as file:
        again = file.read().splitlines()
    print(json.dumps({"same": again == lines, "bytes": os.path.getsize(path)}))
""",
        {"lines": ["eins", "zwei", "drei"]},
        {"same": True, "bytes": 14},
    ),
    _python(
        "adds-in-threads",
        "Adds ranges of numbers in a pool of threads.",
        """
import json
import sys
from concurrent.futures import ThreadPoolExecutor

ends = json.load(sys.stdin)["ends"]
with ThreadPoolExecutor(4) as pool:
    print(json.dumps(list(pool.map(lambda end: sum(range(end)), ends))))
""",
        {"ends": [10, 100, 1000, 10000, 5]},
        [45, 4950, 499500, 49995000, 10],
    ),
    _python(
        "asks-a-database",
        "Groups sales with SQLite in memory and in a file.",
        """
import json
import os
import sqlite3
import sys
import tempfile

rows = json.load(sys.stdin)["rows"]
totals = []
for place in (":memory:", os.path.join(tempfile.gettempdir(), "sales.db")):
    base = sqlite3.connect(place)
    base.execute("create table sales (city text, amount integer)")
    base.executemany("insert into sales values (?, ?)", rows)
    base.commit()
    totals.append(base.execute("select city, sum(amount) from sales group by city").fetchall())
    base.close()
    if place != ":memory:":
        os.remove(place)
print(json.dumps(totals[0] if totals[0] == totals[1] else None))
""",
        {"rows": [["Bonn", 3], ["Ulm", 4], ["Bonn", 5]]},
        [["Bonn", 8], ["Ulm", 4]],
    ),
    _python(
        "calculates",
        "Evaluates arithmetic by walking its syntax tree.",
        """
import ast
import json
import operator
import sys

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


def value_of(node):
    if isinstance(node, ast.Expression):
        return value_of(node.body)
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](value_of(node.left), value_of(node.right))
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    raise ValueError("only numbers, + - and *")


print(json.dumps(value_of(ast.parse(json.load(sys.stdin)["expression"], mode="eval"))))
""",
        {"expression": "6 * (3 + 5) - 6"},
        42,
    ),
    _python(
        "waits-together",
        "Runs coroutines at once with asyncio.",
        """
import asyncio
import json
import sys


async def double(number):
    await asyncio.sleep(0.01)
    return 2 * number


async def main(numbers):
    return await asyncio.gather(*map(double, numbers))


print(json.dumps(asyncio.run(main(json.load(sys.stdin)["numbers"]))))
""",
        {"numbers": [1, 2, 3]},
        [2, 4, 6],
    ),
    _python(
        "reads-tables",
        "Reads CSV and adds a column.",
        """
import csv
import io
import json
import sys

rows = list(csv.DictReader(io.StringIO(json.load(sys.stdin)["csv"])))
print(json.dumps({"rows": len(rows), "total": sum(int(row["n"]) for row in rows)}))
""",
        {"csv": "name,n\r\nA,1\r\nB,2\r\n"},
        {"rows": 2, "total": 3},
    ),
    _python(
        "fingerprints",
        "Hashes text, and packs it.",
        """
import base64
import hashlib
import json
import sys
import zlib

data = json.load(sys.stdin)["text"].encode()
packed = base64.b64encode(zlib.compress(data))
same = zlib.decompress(base64.b64decode(packed)) == data
print(json.dumps({"sha256": hashlib.sha256(data).hexdigest()[:8], "same": same}))
""",
        {"text": "abc"},
        {"sha256": "ba7816bf", "same": True},
    ),
    _python(
        "tells-the-time",
        "Converts a moment between time zones.",
        """
import datetime
import json
import sys
import zoneinfo

moment = datetime.datetime.fromisoformat(json.load(sys.stdin)["utc"])
there = moment.astimezone(zoneinfo.ZoneInfo("Asia/Kolkata"))
print(json.dumps(there.isoformat()))
""",
        {"utc": "2024-06-01T12:00:00+00:00"},
        "2024-06-01T17:30:00+05:30",
    ),
    _python(
        "reckons-exactly",
        "Adds money as decimals and averages it.",
        """
import decimal
import json
import statistics
import sys

prices = [decimal.Decimal(text) for text in json.load(sys.stdin)["prices"]]
print(json.dumps({"sum": str(sum(prices)), "mean": str(statistics.mean(prices))}))
""",
        {"prices": ["0.10", "0.20", "0.30"]},
        {"sum": "0.60", "mean": "0.2"},
    ),
    _python(
        "reads-markup",
        "Counts elements of an XML document.",
        """
import collections
import json
import sys
import xml.etree.ElementTree as tree

root = tree.fromstring(json.load(sys.stdin)["xml"])
print(json.dumps(collections.Counter(element.tag for element in root.iter())))
""",
        {"xml": "<a><b/><b/></a>"},
        {"a": 1, "b": 2},
    ),
    _python(
        "reads-its-own-files",
        "Lists the scripts of its own directory.",
        """
import json
import pathlib
import sys

json.load(sys.stdin)
here = pathlib.Path(__file__).resolve().parent
print(json.dumps({"scripts": sorted(path.name for path in here.glob("*.py"))}))
""",
        {},
        {"scripts": ["main.py"]},
    ),
    _python(
        "holds-much",
        "Sorts a million numbers in memory.",
        """
import json
import random
import sys

count = json.load(sys.stdin)["count"]
numbers = random.Random(1).sample(range(count), count)
numbers.sort()
print(json.dumps(numbers[-1]))
""",
        {"count": 1_000_000},
        999_999,
    ),
    Benign(
        "counts-in-node",
        "Counts words with JavaScript.",
        Language.NODE,
        """
const {text} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const counts = {};
for (const word of text.split(' ')) counts[word] = (counts[word] || 0) + 1;
console.log(JSON.stringify(counts));
""".lstrip(),
        {"text": "a b a"},
        {"a": 2, "b": 1},
    ),
    Benign(
        "hashes-in-node",
        "Hashes and sorts with JavaScript, in promises.",
        Language.NODE,
        """
const crypto = require('crypto');
const {words} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const digest = async word => crypto.createHash('sha256').update(word).digest('hex').slice(0, 8);
Promise.all(words.map(digest)).then(found => console.log(JSON.stringify(found.sort())));
""".lstrip(),
        {"words": ["abc", ""]},
        ["ba7816bf", "e3b0c442"],
    ),
    Benign(
        "pipes-in-bash",
        "Sorts lines in a pipe and keeps them in a temporary file.",
        Language.BASH,
        """
read -r input
file="$(mktemp)"
printf '%s' "$input" | tr -dc 'a-z\\n,' | tr ',' '\\n' | sort -r >"$file"
printf '"%s"\\n' "$(head -n 1 "$file")"
rm -f "$file"
""".lstrip(),
        {"x": "b,c,a"},
        "xb",
    ),
)
