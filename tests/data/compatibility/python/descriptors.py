"""Descriptors below the streams: pipes, dup, select, poll, epoll, socket pairs, buffers."""
import io
import json
import os
import select
import selectors
import socket
import sys

facts = {}
reading, writing = os.pipe()
os.write(writing, b"abc")
copied = os.dup(reading)
facts["piped"] = os.read(copied, 10).decode()
facts["select"] = [len(ready) for ready in select.select([reading], [writing], [], 0)]
poll = select.poll()
poll.register(writing, select.POLLOUT)
facts["poll"] = poll.poll(1000)[0][1] == select.POLLOUT
with select.epoll() as epoll:
    epoll.register(writing, select.EPOLLOUT)
    facts["epoll"] = len(epoll.poll(1))
with selectors.DefaultSelector() as selector:
    selector.register(writing, selectors.EVENT_WRITE, "tag")
    facts["selector"] = [key.data for key, _ in selector.select(1)]
facts["eventfd"] = os.eventfd_read(os.eventfd(5))
os.set_blocking(reading, False)
try:
    os.read(reading, 1)
except BlockingIOError as error:
    facts["blocking"] = error.errno
facts["inheritable"] = os.get_inheritable(reading)
left, right = socket.socketpair()
left.sendall(b"over a pair")
facts["pair"] = right.recv(100).decode()
saved = os.dup(1)
with open("captured", "w+b") as file:
    sys.stdout.flush()
    os.dup2(file.fileno(), 1)
    print("to the file")
    sys.stdout.flush()
    os.dup2(saved, 1)
    file.seek(0)
    facts["captured"] = file.read().decode()
facts["buffered"] = io.BufferedReader(io.BytesIO(b"x" * 10_000), 16).read(5).decode()
facts["streams"] = [sys.stdin.fileno(), sys.stdout.fileno(), sys.stderr.fileno()]
facts["terminal"] = [os.isatty(fd) for fd in (0, 1, 2)]
facts["universal"] = io.TextIOWrapper(io.BytesIO(b"a\r\nb\rc"), newline=None).read()
print(json.dumps(facts))
