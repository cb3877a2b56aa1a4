import sqlite3
def run(p):
    c = sqlite3.connect(":memory:")
    c.execute("create table t(a, b)")
    c.executemany("insert into t values(?,?)", p["rows"])
    return {"rows": c.execute(p["sql"]).fetchall()}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
