"""Attacks on other processes of the host."""

from __future__ import annotations

from benchmark.security.attacks.variants import bash, node, obfuscated, plain, raw
from benchmark.security.item import Item
from benchmark.security.judgement import EffectKind

LIST = Item(
    "list-processes",
    "List processes",
    EffectKind.PROCESS_SEEN,
    (
        plain("""
import os


def names():
    seen = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                seen.append(file.read().partition(b"\\0")[0].decode("utf-8", "replace"))
        except OSError:
            pass
    return seen


attempt("names", names)
"""),
        obfuscated("""
system = __import__("o" + "s")
attempt("processes:session", lambda: getattr(system, "get" + "sid")(facts["victim"]))
attempt("processes:group", lambda: getattr(system, "get" + "pgid")(facts["victim"]))
attempt("pidfd", lambda: need(system, "pidfd_" + "open")(facts["victim"]))
attempt("name", lambda: open(f"/proc/{facts['victim']}/cmdline").read())
"""),
        *raw("""
attempt("processes:getsid", lambda: call("getsid", facts["victim"]))
attempt("kill 0", lambda: call("kill", facts["victim"], 0))
"""),
        node("""
function name(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\\0')[0];
  } catch (error) {
    return null;
  }
}
const numbers = () => fs.readdirSync('/proc').filter(each => /^\\d+$/.test(each));
await attempt('names', () => numbers().map(name));
"""),
        bash("""
names() {
  local file name count=0
  for file in /proc/[0-9]*/cmdline; do
    IFS= read -r -d '' name <"$file" && echo "$name" && count=$((count + 1))
  done
  ((count))
}
attempt names names
attempt ps ps -eo args
"""),
    ),
    facts=("victim",),
)

SIGNAL = Item(
    "signal",
    "Signal a process",
    EffectKind.PROCESS_HURT,
    (
        plain("""
import os
import signal

attempt("kill", lambda: os.kill(facts["victim"], signal.SIGKILL))
"""),
        obfuscated("""
system = __import__("o" + "s")
signals = __import__("sig" + "nal")
attempt("group", lambda: getattr(system, "kill" + "pg")(facts["victim"], 9))


def by_descriptor():
    descriptor = need(system, "pidfd_" + "open")(facts["victim"])
    need(signals, "pidfd_send_" + "signal")(descriptor, 9)


attempt("pidfd", by_descriptor)
"""),
        *raw("""
attempt("kill", lambda: call("kill", facts["victim"], 9))
attempt("tgkill", lambda: call("tgkill", facts["victim"], facts["victim"], 9))
attempt("group", lambda: call("kill", -facts["victim"], 9))
"""),
        node("""
await attempt('kill', () => process.kill(facts.victim, 'SIGKILL'));
"""),
        bash("""
fact victim
attempt kill kill -9 "$victim"
attempt group kill -9 -- "-$victim"
"""),
    ),
    facts=("victim",),
)

ITEMS = (LIST, SIGNAL)
