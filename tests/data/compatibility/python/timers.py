"""Signals and timers of the process itself."""
import faulthandler
import json
import select
import signal
import threading
import time

facts, ticks = {}, []


def tick(number, frame):
    ticks.append((signal.Signals(number).name, frame is not None))


signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
deadline = time.monotonic() + 10
while len(ticks) < 3 and time.monotonic() < deadline:
    signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0)
facts["ticks"] = ticks[:3]
signal.signal(signal.SIGVTALRM, tick)
signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
while ticks[-1][0] != "SIGVTALRM" and time.monotonic() < deadline:
    pass
facts["virtual"] = ticks[-1]


class TooSlow(Exception):
    pass


def give_up(number, frame):
    raise TooSlow


signal.signal(signal.SIGALRM, give_up)
signal.alarm(1)
try:
    time.sleep(30)
except TooSlow:
    facts["alarm"] = True
facts["left"] = signal.alarm(0)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
signal.raise_signal(signal.SIGUSR1)
facts["pending"] = [int(number) for number in signal.sigpending()] == [int(signal.SIGUSR1)]
facts["waited"] = int(signal.sigwait({signal.SIGUSR1})) == int(signal.SIGUSR1)
facts["timed"] = signal.sigtimedwait({signal.SIGUSR1}, 0.01)
facts["select"] = select.select([], [], [], 0.01)
signal.signal(signal.SIGUSR2, tick)
signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR2)
facts["thread"] = ticks[-1]
with open("trace", "w+") as file:
    faulthandler.enable(file)
    faulthandler.dump_traceback(file, all_threads=False)
    file.seek(0)
    facts["trace"] = "main.py" in file.read()
    faulthandler.disable()
print(json.dumps(facts))
