"""A database in scratch and one in memory, with transactions, full text and a write-ahead log."""
import json
import sqlite3
import threading

facts = {}
file = sqlite3.connect("notes.db")
file.execute("PRAGMA journal_mode = WAL")
file.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, weight REAL)")
with file:
    file.executemany("INSERT INTO notes (text, weight) VALUES (?, ?)", [("äöü", 1.5), ("b", 2.25)])
try:
    with file:
        file.execute("INSERT INTO notes (text) VALUES ('lost')")
        file.execute("INSERT INTO notes (text) VALUES (NULL)")
except sqlite3.IntegrityError as error:
    facts["refused"] = str(error)
facts["rows"] = file.execute("SELECT id, text, weight FROM notes ORDER BY id").fetchall()


def read_in_thread():
    other = sqlite3.connect("notes.db")
    facts["in a thread"] = other.execute("SELECT count(*) FROM notes").fetchone()
    other.close()


reader = threading.Thread(target=read_in_thread)
reader.start()
reader.join()
file.close()

again = sqlite3.connect("file:notes.db?mode=ro", uri=True)
facts["kept"] = again.execute("SELECT sum(weight) FROM notes").fetchone()
again.close()

memory = sqlite3.connect(":memory:")
memory.create_function("twice", 1, lambda value: value * 2)
memory.execute("CREATE VIRTUAL TABLE texts USING fts5(body)")
memory.executemany("INSERT INTO texts VALUES (?)", [("the quick fox",), ("a lazy dog",)])
facts["found"] = memory.execute("SELECT body FROM texts WHERE texts MATCH 'lazy'").fetchall()
facts["twice"] = memory.execute("SELECT twice(21)").fetchone()
facts["dump"] = len(list(memory.iterdump())) > 3
memory.commit()
target = sqlite3.connect("copy.db")
memory.backup(target)
facts["backup"] = target.execute("SELECT count(*) FROM texts").fetchone()
assert facts["twice"] == (42,)
assert facts["in a thread"] == (2,)
print(json.dumps(facts))
