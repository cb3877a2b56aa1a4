"""asyncio: tasks, threads behind it, timeouts, queues, streams over a pipe, signals."""
import asyncio
import json
import os
import signal
import time

facts = {}


async def double(number, delay):
    await asyncio.sleep(delay)
    return number * 2


async def consume(pile):
    found = []
    while (item := await pile.get()) is not None:
        found.append(item)
    return found


async def count_to(limit):
    for number in range(limit):
        yield number
        await asyncio.sleep(0)


async def main():
    facts["gather"] = await asyncio.gather(*(double(n, 0.01 - n / 1000) for n in range(5)))
    facts["to_thread"] = await asyncio.to_thread(sum, range(100))
    loop = asyncio.get_running_loop()
    facts["executor"] = await loop.run_in_executor(None, os.path.basename, "/a/b")
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)
    except TimeoutError:
        facts["timeout"] = True
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(double(n, 0)) for n in range(3)]
    facts["group"] = [task.result() for task in tasks]
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(60))
            group.create_task(asyncio.to_thread(int, "no number"))
    except* ValueError as errors:
        facts["error group"] = len(errors.exceptions)
    pile = asyncio.Queue(2)
    consumer = asyncio.create_task(consume(pile))
    for item in ("a", "b", "c", None):
        await pile.put(item)
    facts["queue"] = await consumer
    facts["generator"] = [number async for number in count_to(4)]
    task = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    facts["cancelled"] = (await asyncio.gather(task, return_exceptions=True))[0].__class__.__name__
    reading, writing = os.pipe()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading))
    os.write(writing, b"one\ntwo")
    os.close(writing)
    facts["pipe"] = [(await reader.readline()).decode(), (await reader.read()).decode()]
    heard = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, heard.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(heard.wait(), 5)
    facts["signal"] = heard.is_set()
    started = loop.time()
    later = loop.create_future()
    loop.call_later(0.02, later.set_result, "later")
    facts["call_later"] = await later
    assert loop.time() - started >= 0.019
    loop.call_soon_threadsafe(lambda: None)
    time.sleep(0)


asyncio.run(main())
asyncio.run(main(), debug=True)
assert facts["to_thread"] == 4950
print(json.dumps(facts))
