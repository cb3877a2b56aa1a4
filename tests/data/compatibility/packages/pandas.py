import io
import json
import sqlite3
import sys

import pandas as pd

n = json.load(sys.stdin)["n"]

sales = pd.DataFrame(
    {
        "town": ["Oslo", "Bergen", "Oslo", "Tromsø"],
        "when": pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-02", "2024-03-31"]),
        "amount": [10.5, 20.0, 30.25, None],
    }
)
sales.to_csv("/tmp/sales.csv", index=False)
read = pd.read_csv("/tmp/sales.csv", parse_dates=["when"])
pd.testing.assert_frame_equal(read, sales, check_dtype=False)

with sqlite3.connect(":memory:") as base:
    sales.to_sql("sales", base, index=False)
    total = pd.read_sql("select sum(amount) as total from sales", base)["total"].item()

towns = pd.DataFrame({"town": ["Oslo", "Bergen"], "people": [700_000, 290_000]})
merged = sales.merge(towns, on="town", how="left")
by_month = sales.groupby(sales["when"].dt.to_period("M"))["amount"].sum()
pivot = sales.pivot_table(index="town", values="amount", aggfunc="sum")
sales.to_pickle("/tmp/sales.pickle")
assert pd.read_pickle("/tmp/sales.pickle").equals(sales)
lines = io.StringIO('{"a": 1}\n{"a": 2}\n')
local = pd.Timestamp("2024-03-31 02:30", tz="UTC").tz_convert("Europe/Oslo")

print(
    json.dumps(
        {
            "total": total,
            "unknown": int(merged["people"].isna().sum()),
            "months": {str(month): amount for month, amount in by_month.items()},
            "oslo": pivot.loc["Oslo", "amount"].item(),
            "rolling": pd.Series(range(n + 2)).rolling(2).mean().dropna().tolist(),
            "lines": pd.read_json(lines, lines=True)["a"].tolist(),
            "local": local.isoformat(),
            "text": sales["town"].str.casefold().str.len().tolist(),
            "query": len(sales.query("amount > 15 and town != 'Bergen'")),
        }
    )
)
