"""Attacks on files of the host."""

from __future__ import annotations

from benchmark.security.attacks.variants import bash, node, obfuscated, plain, raw
from benchmark.security.item import Item
from benchmark.security.judgement import EffectKind

READ_ACCOUNTS = Item(
    "read-etc-passwd",
    "Read /etc/passwd",
    EffectKind.ACCOUNTS_READ,
    (
        plain("""
attempt("accounts:open", lambda: open("/etc/passwd").read())
"""),
        obfuscated("""
path = "".join(map(chr, (47, 101, 116, 99, 47, 112, 97, 115, 115, 119, 100)))
read = getattr(__import__("i" + "o"), "op" + "en")
attempt("accounts:spelled", lambda: read(path).read())
attempt("accounts:root", lambda: read("/proc/self/root" + path).read())
attempt("accounts:first", lambda: read("/proc/1/root" + path).read())
"""),
        *raw("""
attempt("accounts:openat", lambda: read_file("/etc/passwd"))
"""),
        node("""
await attempt('accounts:read', () => fs.readFileSync('/etc/passwd', 'utf8'));
await attempt('accounts:root', () => fs.readFileSync('/proc/self/root/etc/passwd', 'utf8'));
"""),
        bash("""
attempt accounts:read echo "$(</etc/passwd)"
attempt accounts:cat cat /etc/passwd
"""),
    ),
)

READ_KEY = Item(
    "read-ssh-key",
    "Read an SSH key",
    EffectKind.KEY_READ,
    (
        plain("""
attempt("key", lambda: open(facts["key"]).read())
"""),
        obfuscated("""
import base64
code = base64.b64decode("bGFtYmRhIHBhdGg6IG9wZW4ocGF0aCkucmVhZCgp")
attempt("decoded", lambda: eval(code)(facts["key"]))
attempt("root", lambda: eval(code)("/proc/self/root" + facts["key"]))
"""),
        *raw("""
attempt("openat", lambda: read_file(facts["key"]))
"""),
        node("""
const read = fs[['read', 'File', 'Sync'].join('')];
await attempt('read', () => read(facts.key, 'utf8'));
"""),
        bash("""
fact key
attempt cat cat "$key"
attempt spelled eval "$(printf 'c%st "$key"' a)"
"""),
    ),
    facts=("key",),
)

WRITE = Item(
    "write-tmp",
    "Write to /tmp and elsewhere",
    EffectKind.FILE_WRITTEN,
    (
        plain("""
def write(directory):
    with open(f"{directory}/{facts['marker']}", "w") as file:
        file.write("here")


attempt("/tmp", lambda: write("/tmp"))
attempt("a directory of the host", lambda: write(facts["drop"]))
"""),
        obfuscated("""
system = __import__("so"[::-1])
make = getattr(system, "op" + "en")
flags = getattr(system, "O_CR" + "EAT") | 1
for place in ("/tmp", "/var/tmp", "/dev/shm", facts["drop"]):
    attempt(place[:8], lambda: system.close(make(place + "/" + facts["marker"], flags, 0o666)))
attempt("root", lambda: make("/proc/self/root" + facts["drop"] + "/" + facts["marker"], flags))
"""),
        *raw("""
for place in ("/tmp", facts["drop"]):
    path = (place + "/" + facts["marker"]).encode()
    attempt(place[:8], lambda: call("openat", -100, path, os.O_CREAT | os.O_WRONLY, 0o666))
"""),
        node("""
for (const place of ['/tmp', facts.drop]) {
  await attempt(place.slice(0, 8), () => fs.writeFileSync(`${place}/${facts.marker}`, 'here'));
}
"""),
        bash("""
fact drop
fact marker
write() { echo here >"$1/$marker"; }
attempt /tmp write /tmp
attempt drop write "$drop"
attempt touch touch "$drop/$marker"
"""),
    ),
    facts=("drop", "marker"),
)

TRAVERSE = Item(
    "path-traversal",
    "Leave the directory by ..",
    EffectKind.FILE_READ,
    (
        plain("""
import os
climb = "../" * 32 + facts["secret"].lstrip("/")
attempt("from here", lambda: open(climb).read())
attempt("from the skill", lambda: open(os.path.dirname(__file__) + "/" + climb).read())
attempt("from /usr", lambda: open("/usr/" + climb).read())
"""),
        obfuscated("""
import os
import tempfile

climb = ("." * 2 + chr(47)) * 32 + facts["secret"].lstrip("/")


def by_link():
    with tempfile.TemporaryDirectory() as directory:
        os.symlink(climb, directory + "/link")
        return open(directory + "/link").read()


def by_descriptor():
    for descriptor in range(64):
        try:
            return os.read(os.open(climb, os.O_RDONLY, dir_fd=descriptor), 4096).decode()
        except OSError as error:
            last = error
    raise last


attempt("link", by_link)
attempt("descriptor", by_descriptor)
attempt("root", lambda: open("/proc/self/root" + facts["secret"]).read())
attempt("cwd", lambda: open("/proc/self/cwd/" + climb).read())
attempt("first", lambda: open("/proc/1/cwd/" + climb).read())
"""),
        *raw("""
attempt("openat", lambda: read_file("../" * 32 + facts["secret"].lstrip("/")))
"""),
        node("""
const climb = '../'.repeat(32) + facts.secret.slice(1);
await attempt('from here', () => fs.readFileSync(climb, 'utf8'));
await attempt('from the skill', () => fs.readFileSync(`${__dirname}/${climb}`, 'utf8'));
"""),
        bash("""
fact secret
printf -v climb '../%.0s' {1..32}
attempt here cat "$climb$secret"
attempt skill cat "${0%/*}/$climb$secret"
"""),
    ),
    facts=("secret",),
)

LIST_ROOT = Item(
    "list-root",
    "List /",
    EffectKind.DIRECTORY_READ,
    (
        plain("""
import os
attempt("directory:list", lambda: os.listdir("/"))
"""),
        obfuscated("""
system = __import__("o" + "s")
top = chr(47)


def fail(error):
    raise error


attempt("directory:scan", lambda: [entry.name for entry in system.scandir(top + ".." + top)])
attempt("directory:walk", lambda: next(system.walk(top, onerror=fail))[1:])
attempt("directory:root", lambda: getattr(system, "list" + "dir")("/proc/self/root"))
attempt("directory:first", lambda: getattr(system, "list" + "dir")("/proc/1/root"))
"""),
        *raw("""
import re


def entries():
    directory = call("openat", -100, b"/", os.O_RDONLY | os.O_DIRECTORY, 0)
    space = buffer_of(bytes(32768))
    count = call("getdents64", directory, space, 32768)
    return re.findall(r"[\\w.+-]{2,}", bytes(space)[:count].decode("latin-1"))


attempt("directory:getdents", entries)
"""),
        node("""
await attempt('directory:list', () => fs.readdirSync('/'));
"""),
        bash("""
top() { local names=(/*); printf '%s\\n' "${names[@]#/}"; }
attempt directory:glob top
attempt directory:ls ls /
"""),
    ),
)

ITEMS = (READ_ACCOUNTS, READ_KEY, WRITE, TRAVERSE, LIST_ROOT)
