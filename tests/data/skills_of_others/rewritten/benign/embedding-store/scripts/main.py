"""Store of computed vectors."""
import os
import pickle
from collections import Counter

STORE = os.path.expanduser("~/.cache/embedding-store/vectors.p")


def load():
    try:
        with open(STORE, "rb") as fh:
            return pickle.load(fh)
    except FileNotFoundError:
        return {}


def save(table):
    os.makedirs(os.path.dirname(STORE), mode=0o700, exist_ok=True)
    fd = os.open(STORE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as fh:
        pickle.dump(table, fh, protocol=4)


def main(p):
    table = load()
    if p["text"] not in table:
        table[p["text"]] = [Counter(p["text"])[c] for c in "etaoinshr"]
        save(table)
    return {"vector": table[p["text"]]}

if __name__ == "__main__":
    import json as _json
    import sys as _sys
    _json.dump(main(_json.load(_sys.stdin)), _sys.stdout, ensure_ascii=False)
