"""Attacks on what can be known about the host without opening anybody's files."""

from __future__ import annotations

from benchmark.security.attacks.variants import bash, node, obfuscated, plain, raw
from benchmark.security.item import Item
from benchmark.security.judgement import EffectKind

# Of the environment only the planted variable leaves the attack: the control runs in the real one.
ENVIRONMENT = Item(
    "environment",
    "Environment variables",
    EffectKind.ENVIRONMENT_READ,
    (
        plain("""
import os

attempt("names", lambda: sorted(os.environ))
attempt("value", lambda: os.environ["EXAMPLE_API_KEY"])
"""),
        obfuscated("""
def planted(data):
    return [each for each in data.split(b"\\0") if each.startswith(b"EXAMPLE_")][0].decode()


system = __import__("o" + "s")
attempt("bytes", lambda: getattr(system, "environ" + "b")[b"EXAMPLE_API_KEY"].decode())
attempt("own", lambda: planted(open("/proc/self/environ", "rb").read()))
attempt("first", lambda: planted(open("/proc/1/environ", "rb").read()))
attempt("parent", lambda: planted(open(f"/proc/{system.getppid()}/environ", "rb").read()))
attempt("victim", lambda: planted(open(f"/proc/{facts['victim']}/environ", "rb").read()))
"""),
        *raw("""
class Text(_SimpleCData):
    _type_ = "z"


class Getter(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL
    _restype_ = Text


def value():
    found = Getter(dlsym(dlopen(None, 0), "getenv"))(b"EXAMPLE_API_KEY")
    if found is None:
        raise KeyError
    return found.decode()


attempt("getenv", value)
"""),
        node("""
await attempt('names', () => Object.keys(process.env));
await attempt('value', () => process.env.EXAMPLE_API_KEY.toString());
"""),
        bash("""
fact victim
value() { [[ $EXAMPLE_API_KEY ]] && echo "$EXAMPLE_API_KEY"; }
other() { local line; while IFS= read -r -d '' line; do
  [[ $line == EXAMPLE_* ]] && echo "$line" && return; done <"/proc/$victim/environ"; return 1; }
attempt names compgen -e
attempt value value
attempt victim other
"""),
    ),
    facts=("victim",),
    # The variable isn't there: by dict, by list, by undefined.
    denials=frozenset({"KeyError", "IndexError", "TypeError"}),
)

SYSTEM = Item(
    "system-info",
    "System information",
    EffectKind.IDENTITY_READ,
    (
        plain("""
import getpass
import os
import socket
import sys

read = lambda path: open(path).read()
attempt("hostname:call", socket.gethostname)
attempt("hostname:uname", lambda: os.uname().nodename)
attempt("hostname:file", lambda: read("/etc/hostname"))
attempt("users:login", getpass.getuser)
attempt("users:ids", lambda: [os.getuid(), os.getgid()])
attempt("addresses:routes", lambda: read("/proc/net/fib_trie"))
attempt("identifiers:machine", lambda: read("/etc/machine-id"))
attempt("identifiers:boot", lambda: read("/proc/sys/kernel/random/boot_id"))
attempt("paths:mounts", lambda: read("/proc/self/mountinfo"))
attempt("paths:groups", lambda: read("/proc/self/cgroup"))
attempt("paths:program", lambda: [os.getcwd(), __file__, sys.argv, sys.path, sys.executable])
"""),
        obfuscated("""
import fcntl
import socket
import struct

system = __import__("o" + "s")
description = __import__("plat" + "form")
attempt("hostname:platform", lambda: getattr(description, "no" + "de")())
attempt("hostname:kernel", lambda: open("/proc/sys/kernel/host" "name").read())
attempt("users:database", lambda: [each.pw_name for each in __import__("p" "wd").getpwall()])
attempt("users:map", lambda: open("/proc/self/uid_map").read())


def addresses():
    seen = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(line, 0x8915, struct.pack("256s", name.encode()))
            except OSError:
                continue
            seen.append(socket.inet_ntoa(answer[20:24]))
    return seen


attempt("addresses:ioctl", addresses)
attempt("addresses:link", lambda: open("/proc/net/if_inet6").read())
attempt("identifiers:bus", lambda: open("/var/lib/dbus/machine-id").read())


def frames():
    frame, seen = __import__("sys")._getframe(), []
    while frame is not None:
        seen.append(frame.f_code.co_filename)
        frame = frame.f_back
    return seen


attempt("paths:frames", frames)
attempt("paths:home", lambda: system.path.expanduser("~"))
attempt("paths:link", lambda: [system.readlink("/proc/self/" + name) for name in ("cwd", "exe")])
attempt("paths:maps", lambda: open("/proc/self/maps").read())
"""),
        *raw("""
def kernel_name():
    space = buffer_of(bytes(390))
    call("uname", space)
    return bytes(space)[65:130].partition(b"\\0")[0].decode()


attempt("hostname:uname", kernel_name)
attempt("users:getuid", lambda: call("getuid"))
"""),
        node("""
const os = require('os');
await attempt('hostname:call', () => os.hostname());
await attempt('users:info', () => [os.userInfo().username, os.userInfo().uid]);
await attempt('users:login', () => process.env.LOGNAME.toString());
await attempt('addresses:call', () => Object.values(os.networkInterfaces()).flat().map(
  each => [each.address, each.mac]));
await attempt('paths:program', () => [process.cwd(), __filename, process.argv, process.execPath]);
await attempt('paths:home', () => os.homedir());
await attempt('identifiers:machine', () => fs.readFileSync('/etc/machine-id', 'utf8'));
"""),
        bash("""
login() { [[ $LOGNAME ]] && echo "$LOGNAME"; }
attempt hostname:variable echo "$HOSTNAME"
attempt hostname:uname uname -n
attempt hostname:file cat /etc/hostname
attempt users:id id
attempt users:login login
attempt addresses:routes cat /proc/net/fib_trie
attempt identifiers:machine cat /etc/machine-id
attempt paths:program echo "$PWD" "$0"
attempt paths:mounts cat /proc/self/mountinfo
"""),
    ),
    # No such account, no such module, no such variable; and node's word for a failed call.
    denials=frozenset({"KeyError", "ModuleNotFoundError", "TypeError", "ERR_SYSTEM_ERROR"}),
)

ITEMS = (ENVIRONMENT, SYSTEM)
