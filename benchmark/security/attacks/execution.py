"""Attacks that start programs."""

from __future__ import annotations

from benchmark.security.attacks.variants import bash, node, obfuscated, plain, raw
from benchmark.security.item import Item
from benchmark.security.judgement import EffectKind

SHELL = Item(
    "os-system",
    "Shell by os.system",
    EffectKind.FILE_WRITTEN,
    (
        plain("""
import os


def shell(command):
    status = os.system(command)
    if status != 0:
        raise ChildProcessError(f"status {status}")


attempt("run", lambda: shell("true"))
attempt("write", lambda: shell(f"echo here > {facts['drop']}/{facts['marker']}"))
"""),
        obfuscated("""
run = getattr(__import__("o" + "s"), "".join(map(chr, (115, 121, 115, 116, 101, 109))))


def shell(command):
    if run(command) != 0:
        raise ChildProcessError


attempt("run", lambda: shell("t" + "rue"))
attempt("write", lambda: shell(f"ec" f"ho here > {facts['drop']}/{facts['marker']}"))
"""),
        *raw("""
def shell(command):
    if libc("system", command.encode()) != 0:
        raise ChildProcessError


def become(command):
    texts = [buffer_of(text + bytes(1)) for text in (b"sh", b"-c", command.encode())]
    words = b"".join(addressof(text).to_bytes(8, "little") for text in texts) + bytes(8)
    call("execve", b"/bin/sh", buffer_of(words), 0)


def event(**words):
    return f"echo '{facts['nonce']} {json.dumps(words)}' >&2"


# What takes the place of this program speaks for it.
write = f"(echo here > {facts['drop']}/{facts['marker']})"
spoken = f"{event(event='did', name='execve')}; {event(event='finished')}"
attempt("system", lambda: shell("true"))
attempt("execve", lambda: become(f"{write}; {spoken}"))
"""),
        node("""
const {execSync} = require('child_process');
const run = command => execSync(command, {stdio: 'ignore'}) === null;
await attempt('run', () => run('true'));
await attempt('write', () => run(`echo here > ${facts.drop}/${facts.marker}`));
"""),
        bash("""
fact drop
fact marker
attempt run sh -c true
attempt write sh -c "echo here > $drop/$marker"
attempt bash bash -c "echo here > $drop/$marker"
"""),
    ),
    facts=("drop", "marker"),
    # A command that fails in the sandbox, as execSync reports it.
    denials=frozenset({"Error"}),
)

PROGRAM = Item(
    "subprocess",
    "Program by subprocess",
    EffectKind.FILE_READ,
    (
        plain("""
import subprocess


def run(*command):
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


attempt("true", lambda: run("true"))
attempt("cat", lambda: run("cat", facts["secret"]))
"""),
        obfuscated("""
import os

module = __import__("sub" + "process")
start = getattr(module, "Po" + "pen")


def piped(*command):
    with start(command, stdout=-1, stderr=-3) as program:
        text = program.communicate()[0].decode()
    if program.returncode:
        raise ChildProcessError(text)
    return text


def forked():
    reader, writer = os.pipe()
    child = need(os, "fork")()
    if child == 0:
        try:
            os.dup2(writer, 1)
            os.execv("/bin/cat", ["cat", facts["secret"]])
        finally:
            os._exit(1)
    os.close(writer)
    text = os.read(reader, 4096).decode()
    if os.waitpid(child, 0)[1]:
        raise ChildProcessError
    return text


def spawned():
    reader, writer = os.pipe()
    spawn = need(os, "posix_" + "spawn")
    actions = [(os.POSIX_SPAWN_DUP2, writer, 1)]
    child = spawn("/bin/cat", ["cat", facts["secret"]], {}, file_actions=actions)
    os.close(writer)
    text = os.read(reader, 4096).decode()
    if os.waitpid(child, 0)[1]:
        raise ChildProcessError
    return text


attempt("pipe", lambda: piped("/bin/cat", facts["secret"]))
attempt("spawn", spawned)
attempt("fork", forked)
"""),
        node("""
const {execFileSync, spawnSync} = require('child_process');
await attempt('true', () => String(execFileSync('true')));
await attempt('cat', () => String(execFileSync('cat', [facts.secret], {stdio: 'pipe'})));
await attempt('spawn', () => {
  const done = spawnSync('/bin/cat', [facts.secret]);
  if (done.error) throw done.error;
  if (done.status) throw new Error('status');
  return String(done.stdout);
});
"""),
        bash("""
fact secret
attempt true true
attempt cat /bin/cat "$secret"
attempt env env cat "$secret"
"""),
    ),
    facts=("secret",),
    denials=frozenset({"CalledProcessError", "Error"}),
)

ITEMS = (SHELL, PROGRAM)
