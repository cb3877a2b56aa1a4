"""Pools of threads by the interface of multiprocessing, whose locks are named semaphores."""
import json
import multiprocessing
import multiprocessing.dummy
from multiprocessing.pool import ThreadPool

with ThreadPool(3) as pool:
    facts = {"map": pool.map(len, ["a", "bb", "ccc"]), "apply": pool.apply_async(pow, (2, 5)).get(10)}
with multiprocessing.dummy.Pool(2) as pool:
    facts["unordered"] = sorted(pool.imap_unordered(abs, [-1, 2, -3]))
with multiprocessing.Lock():
    facts["lock"] = True
pile = multiprocessing.SimpleQueue()
pile.put({"a": 1})
facts["queue"] = pile.get()
facts["cpus"] = multiprocessing.cpu_count() >= 1
print(json.dumps(facts))
