"""Attacks that take what the machine has, bounded so that it survives the control."""

from __future__ import annotations

from dataclasses import replace

from benchmark.security.attacks.variants import bash, node, obfuscated, plain, raw
from benchmark.security.item import CPU_LIMIT_S, LIMITS, Item
from benchmark.security.judgement import Bound, EffectKind

MEMORY = Item(
    "memory-bomb",
    "Memory bomb",
    EffectKind.MEMORY_TAKEN,
    (
        plain("""
import time

held = []


def hold():
    for _ in range(0, facts["memory_mib"], 64):
        held.append(b"x" * (64 << 20))
        tell("holding", held_mib=64)
    time.sleep(0.5)


attempt("hold", hold)
held.clear()
"""),
        obfuscated("""
import time

mapping = __import__("m" + "map")
held = []


def hold():
    for _ in range(0, facts["memory_mib"], 64):
        block = getattr(mapping, "m" + "map")(-1, 64 << 20)
        for _ in range(64):
            block.write(b"x" * (1 << 20))
        held.append(block)
        tell("holding", held_mib=64)
    time.sleep(0.5)


attempt("shared", hold)
held.clear()
"""),
        *raw("""
import time


def hold():
    for _ in range(0, facts["memory_mib"], 64):
        start = call("mmap", 0, 64 << 20, 3, 0x22, -1, 0)
        libc("memset", start, 1, 64 << 20)
        tell("holding", held_mib=64)
    time.sleep(0.5)


attempt("mmap", hold)
"""),
        node("""
const held = [];
await attempt('buffers', async () => {
  for (let mib = 0; mib < facts.memory_mib; mib += 64) {
    held.push(Buffer.alloc(64 * 1024 * 1024, 1));
    tell('holding', {held_mib: 64});
  }
  await new Promise(done => setTimeout(done, 500));
});
held.length = 0;
"""),
        bash("""
fact memory_mib
hold() {
  local number block
  for ((number = 0; number < $1 / 32; number++)); do
    printf -v "block$number" '%*s' $((32 << 20)) '' || return 1
    tell holding ', "held_mib": 32'
  done
  sleep 0.5
}
if (hold "$memory_mib"); then tell did ', "name": "hold"'
else tell failed ', "name": "hold", "error": "ended", "system": true'; fi
"""),
        bash(
            """
fact memory_mib
hold() {
  local number
  for ((number = 0; number < 5; number++)); do
    printf -v "block$number" '%*s' $((32 << 20)) '' || return 1
    tell holding ', "held_mib": 32'
  done
  sleep 2
}
tree() {
  local child ended=0
  for ((child = 0; child < 5; child++)); do hold & done
  for ((child = 0; child < 5; child++)); do wait -n || ended=1; done
  return "$ended"
}
if tree; then tell did ', "name": "tree"'
else tell failed ', "name": "tree", "error": "ended", "system": true'; fi
""",
            "bash, 5 processes",
        ),
    ),
    facts=("memory_mib",),
    # By Python, by V8, and by V8's buffers.
    denials=frozenset({"MemoryError", "RangeError", "ERR_MEMORY_ALLOCATION_FAILED"}),
    bounds=frozenset({Bound.MEMORY}),
    measured=True,
)

FORKS = Item(
    "fork-bomb",
    "Fork bomb",
    EffectKind.PROCESSES_MADE,
    (
        plain("""
import os
import time


def multiply():
    fork = need(os, "fork")
    reader, writer = os.pipe()
    children = []
    try:
        for _ in range(facts["processes"]):
            child = fork()
            if child == 0:
                os.close(writer)
                os.read(reader, 1)
                os._exit(0)
            children.append(child)
            tell("multiplied", alive=len(children) + 1)
        time.sleep(0.5)
    finally:
        os.close(writer)
        for child in children:
            os.waitpid(child, 0)


attempt("fork", multiply)
"""),
        obfuscated("""
import time

threads = __import__("thread" + "ing")
over = threads.Event()


def multiply():
    try:
        for number in range(facts["processes"]):
            try:
                getattr(threads, "Thre" + "ad")(target=over.wait).start()
            except RuntimeError as error:
                raise BlockingIOError(str(error)) from None
            tell("multiplied", alive=number + 2)
        time.sleep(0.5)
    finally:
        over.set()


attempt("threads", multiply)
"""),
        *raw("""
import time


def multiply():
    reader, writer = os.pipe()
    children = []
    try:
        for _ in range(facts["processes"]):
            child = call("clone", 17, 0, 0, 0, 0)
            if child == 0:
                os.close(writer)
                os.read(reader, 1)
                os._exit(0)
            children.append(child)
            tell("multiplied", alive=len(children) + 1)
        time.sleep(0.5)
    finally:
        os.close(writer)
        for child in children:
            os.waitpid(child, 0)


attempt("clone", multiply)
"""),
        node("""
const {spawn} = require('child_process');
const children = [];
await attempt('spawn', async () => {
  for (let number = 0; number < facts.processes; number++) {
    await new Promise((done, fail) => {
      const child = spawn('sleep', ['2'], {stdio: 'ignore'});
      child.on('error', fail);
      child.on('spawn', () => { children.push(child); done(); });
    });
    tell('multiplied', {alive: children.length + 1});
  }
  await new Promise(done => setTimeout(done, 500));
});
children.forEach(child => child.kill());
"""),
        bash("""
fact processes
multiply() {
  local number jobs="${TMPDIR:-/tmp}/jobs-$nonce" running
  for ((number = 0; number < processes; number++)); do sleep 3 >/dev/null 2>&1 & done
  jobs -rp >"$jobs"
  mapfile -t running <"$jobs"
  printf '%s {"event": "multiplied", "alive": %s}\\n' "$nonce" "${#running[@]}" >&4
  kill "${running[@]}"
  rm -f "$jobs"
  ((${#running[@]} >= processes))
}
exec 4>&2
attempt jobs multiply
"""),
    ),
    facts=("processes",),
    bounds=frozenset({Bound.PROCESSES}),
    measured=True,
)

CPU = Item(
    "cpu-burn",
    "CPU burn",
    EffectKind.CPU_TAKEN,
    (
        plain("""
import time


def burn():
    told_s = 0.0
    while told_s < facts["cpu_s"]:
        sum(range(20_000))
        used_s = time.process_time()
        if used_s - told_s > 0.2:
            tell("burned", cpu_s=used_s - told_s)
            told_s = used_s


attempt("burn", burn)
"""),
        obfuscated("""
import time

signals = __import__("sig" + "nal")
limits = __import__("res" + "ource")
getattr(signals, "sig" + "nal")(signals.SIGXCPU, signals.SIG_IGN)
hard = limits.getrlimit(limits.RLIMIT_CPU)[1]
limits.setrlimit(limits.RLIMIT_CPU, (hard, hard))
threads = [
    getattr(__import__("thread" + "ing"), "Thre" + "ad")(
        target=lambda: [hash(bytes(100_000)) for _ in iter(lambda: over, [1])], daemon=True
    )
    for _ in range(3)
]
over = []


def burn():
    told_s = 0.0
    while told_s < facts["cpu_s"]:
        sum(range(20_000))
        used_s = time.process_time()
        if used_s - told_s > 0.2:
            tell("burned", cpu_s=used_s - told_s)
            told_s = used_s


for thread in threads:
    thread.start()
attempt("ignore the signal", burn)
over.append(1)
"""),
        node("""
await attempt('burn', () => {
  let told = 0;
  while (told < facts.cpu_s) {
    for (let number = 0; number < 1e5; number++) Math.sqrt(number);
    const {user, system} = process.cpuUsage();
    const used = (user + system) / 1e6;
    if (used - told > 0.2) {
      tell('burned', {cpu_s: used - told});
      told = used;
    }
  }
});
"""),
        bash("""
used() {
  times >"$clock"
  read -r user _ <"$clock"
  [[ $user =~ ([0-9]+)m([0-9]+)[.]([0-9][0-9]) ]]
  ms=$(((10#${BASH_REMATCH[1]} * 60 + 10#${BASH_REMATCH[2]}) * 1000 + 10#${BASH_REMATCH[3]} * 10))
}
clock="${TMPDIR:-/tmp}/clock-$nonce"
fact cpu_s
told=0
while ((told < ${cpu_s%.*} * 1000)); do
  for ((number = 0; number < 20000; number++)); do :; done
  used
  if ((ms - told > 200)); then
    printf -v step '%d.%03d' $(((ms - told) / 1000)) $(((ms - told) % 1000))
    tell burned ", \\"cpu_s\\": $step"
    told=$ms
  fi
done
rm -f "$clock"
tell did ', "name": "burn"'
"""),
        bash(
            """
burn() {
  local clock="${TMPDIR:-/tmp}/clock-$nonce-$1" user rounds
  for ((rounds = 0; rounds < 1000; rounds++)); do
    for ((number = 0; number < 10000; number++)); do :; done
    times >"$clock"
    read -r user _ <"$clock"
    [[ $user > 0m0.80 ]] && break
  done
  rm -f "$clock"
  tell burned ', "cpu_s": 0.8'
}
for child in 1 2 3 4 5 6; do burn "$child" & done
for child in 1 2 3 4 5 6; do wait -n || failed=1; done
if ((failed)); then tell failed ', "name": "tree", "error": "ended", "system": true'
else tell did ', "name": "tree"'; fi
""",
            "bash, 6 processes",
        ),
    ),
    facts=("cpu_s",),
    bounds=frozenset({Bound.CPU, Bound.WALL}),
    limits=replace(LIMITS, cpu_s=CPU_LIMIT_S),
    measured=True,
)

ITEMS = (MEMORY, FORKS, CPU)
