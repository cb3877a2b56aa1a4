"""Thread pools and everything by which threads wait for each other."""
import json
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

facts = {}
with ThreadPoolExecutor(max_workers=4) as pool:
    facts["map"] = list(pool.map(lambda n: n * n, range(20)))
    facts["completed"] = sorted(done.result() for done in as_completed(pool.submit(pow, 2, n) for n in range(5)))
    failed = pool.submit(lambda: 1 / 0)
    facts["failed"] = type(failed.exception()).__name__

count = 0
lock = threading.Lock()


def add():
    global count
    for _ in range(1000):
        with lock:
            count += 1


workers = [threading.Thread(target=add, name=f"adder-{n}") for n in range(8)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
facts["count"] = count
assert count == 8000

jobs, results = queue.Queue(maxsize=2), queue.PriorityQueue()


def consume():
    while (job := jobs.get()) is not None:
        results.put(-job)
        jobs.task_done()
    jobs.task_done()


consumer = threading.Thread(target=consume)
consumer.start()
for job in (*range(10), None):
    jobs.put(job, timeout=5)
jobs.join()
consumer.join()
facts["queue"] = [results.get_nowait() for _ in range(results.qsize())]

event, barrier, semaphore = threading.Event(), threading.Barrier(3), threading.BoundedSemaphore(2)
condition, seen, local = threading.Condition(), [], threading.local()
local.value = "main"


def meet(number):
    local.value = number
    with semaphore:
        barrier_place = None
    barrier_place = barrier.wait(5)
    with condition:
        seen.append((number, local.value, barrier_place in range(3)))
        condition.notify_all()


for number in range(3):
    threading.Thread(target=meet, args=(number,)).start()
with condition:
    facts["met"] = condition.wait_for(lambda: len(seen) == 3, 5)
facts["seen"] = sorted(seen)
facts["local"] = local.value
timer = threading.Timer(0.01, event.set)
timer.start()
facts["timer"] = event.wait(5)
facts["wait times out"] = threading.Event().wait(0.01)
facts["stack size"] = threading.stack_size(256 * 1024)
small = threading.Thread(target=time.sleep, args=(0.001,))
small.start()
small.join()
facts["native id"] = isinstance(threading.get_native_id(), int)
facts["main"] = threading.current_thread() is threading.main_thread()
facts["name"] = threading.main_thread().name
print(json.dumps(facts))
