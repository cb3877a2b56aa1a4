"""Attributes, entries and operators of values that aren't the skill's own."""

from __future__ import annotations

import ast
import re
import sys

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python import folding
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.sizes import SIZE_MAX, NotKnown
from skilllite_sandbox.scan.python.values import MISSING, Value, all_taints, text_of, unknown
from skilllite_sandbox.scan.taint import Taint

OWN_ROOT = "@skill"
"""Stands for the folder of the skill in paths that begin with `__file__`."""

ENVIRONMENTS = frozenset({"os.environ", "os.environb", "posix.environ"})
DANGEROUS = re.compile(
    r"^(?:builtins\.)?(?:exec|eval|compile|__import__)$"
    r"|^(?:os|posix|nt)\.(?:system|popen\d?|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|fork|startfile)$"
    r"|^subprocess(?:\.|$)|^pty\.spawn$|^socket\.(?:socket|create_connection)$|^_?posixsubprocess"
    r"|^ctypes(?:\.|$)|^importlib\.import_module$|^(?:pickle|marshal)\.loads?$|^asyncio\.create_sub"
    r"|^urllib\.request\.urlopen$|^requests\.|^shutil\.rmtree$|^code\.|^runpy\.|^os$|^builtins$"
)
"""What nobody reaches by a detour unless it shall not be found."""

_HOMES = frozenset({"HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"})
_WALKED = frozenset(
    {"__subclasses__", "__globals__", "__bases__", "__mro__", "f_globals", "f_builtins", "gi_frame"}
)
_ORDINARY_VARIABLES = frozenset(
    {
        *("LANG", "LANGUAGE", "TZ", "TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PATH"),
        *("TMPDIR", "TEMP", "TMP", "PWD", "SHELL", "EDITOR", "PAGER", "COLORTERM", "PYTHONPATH"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DEBUG", "LOG_LEVEL", "VERBOSE"),
    }
)
"""Every program reads these, and none holds a secret."""
_CI = frozenset(
    {
        *("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TRAVIS", "JENKINS_URL", "PYTEST_CURRENT_TEST"),
        *("BUILDKITE", "CIRCLECI", "KUBERNETES_SERVICE_HOST", "SANDBOX", "DOCKER", "container"),
    }
)
_PATCHED = re.compile(
    r"^(?:builtins|os|sys|subprocess|socket|ssl|importlib|logging|urllib|requests|http|getpass"
    r"|hashlib|hmac|io|json|threading|pathlib|shutil|inspect|ast|types|httpx|openai|anthropic)(?:\.|$)"
)
_HOOKS = frozenset({"modules", "meta_path", "path_hooks", "displayhook", "exit", "excepthook"})
_SHELL_NAMES = frozenset({"_", "quit", "exit", "help", "copyright", "credits", "license"})
_HARMLESS_PATCH = re.compile(
    r"^sys\.(?:std(?:in|out|err)|path|argv|dont_write_bytecode|tracebacklimit|excepthook"
    r"|setrecursionlimit)|^json\.JSON|^logging\.(?:raiseExceptions|lastResort)|^os\.environ|^socket\.timeout"
)
_ASKED_BY_OTHERS = re.compile(
    r"^(?:http\.server|socketserver)\.\w+\(\)\.(?:rfile|request|path|headers)$"
    r"|^(?:flask|quart|bottle|sanic)\.request\.\w+$"
)
"""What whoever connects says."""
_ALIASES = {
    "posix": "os",
    "nt": "os",
    "_io": "io",
    "_socket": "socket",
    "_pickle": "pickle",
    "cPickle": "pickle",
    "urllib2": "urllib.request",
    "pathlib.PosixPath": "pathlib.Path",
    "pathlib.PurePath": "pathlib.Path",
    "os.path.os": "os",
    "platform.os": "os",
    "shutil.os": "os",
    "subprocess.os": "os",
    "glob.os": "os",
    "tempfile._os": "os",
    "random._os": "os",
    "random._urandom.__self__": "os",
    "posixpath": "os.path",
    "ntpath": "os.path",
}


def imported(run: Interpreter, name: str, node: ast.AST) -> None:
    """Take note of a module that is imported."""
    if name.partition(".")[0] in ("pynput", "keyboard"):
        run.do(Act.WATCH_USER, node, name)
    written = run.record_written.get(f"{name.partition('.')[0]}.py")
    if written is not None:
        run.flow(written, Sink.RUN_CODE, node, f"import {name}")


def star_import(name: str) -> dict[str, Value]:
    """Return the names that matter of `from NAME import *`."""
    known = {
        "os": ("system", "popen", "environ", "getenv", "remove", "listdir", "walk", "path", "fork"),
        "subprocess": ("run", "call", "Popen", "check_output", "check_call", "getoutput"),
        "socket": ("socket", "create_connection", "gethostname", "gethostbyname"),
        "base64": ("b64decode", "b32decode", "b85decode", "a85decode"),
        "ctypes": ("CDLL", "cdll", "CFUNCTYPE"),
        "pathlib": ("Path",),
        "shutil": ("rmtree", "copy"),
    }
    return {each: Value(ref=f"{name}.{each}") for each in known.get(name, ())}


def special(run: Interpreter, name: str) -> Value:
    """Return a name that every module has."""
    if name == "__file__":
        return Value(f"{OWN_ROOT}/{run.file}")
    if name == "__name__":
        return Value("__main__")
    return Value(ref="builtins") if name == "__builtins__" else Value()


def attribute(run: Interpreter, owner: Value, name: str, node: ast.AST) -> Value:
    """Return an attribute of something that isn't the skill's own."""
    if name == "f_locals":
        taint = run.taint(Datum.WATCHED, node, "what other code works on")
        return Value(taints=owner.taints | {taint})
    if owner.kind == "clock":
        if name in ("month", "day"):
            return Value(kind=name)
        if name in ("year", "timestamp", "isoformat", "strftime", "date", "replace"):
            return Value(kind="clock", ref=".clock")
        return Value()
    if name == "__base__" and owner.kind == "class-of":
        return owner
    literal = owner.const is not MISSING or owner.items is not None
    literal |= owner.kind in ("class-of", "walked") or owner.ref in ("object", "builtins.object")
    if name in ("__subclasses__", "__mro__", "__bases__") and not literal:
        return Value()  # of a class that isn't known: a registry of plug-ins
    if owner.ref in ("type", "builtins.type") and name in ("mro", "__subclasses__"):
        literal = True
    if name in _WALKED or (name == "mro" and literal and owner.ref):
        run.do(Act.WALK_OBJECTS, node, name)
        taint = run.taint(Datum.DECODED, node, f"reached through {name}")
        return Value(ref=f"?.{name}", kind="walked", taints=frozenset((taint,)))
    if owner.kind == "walked":
        return Value(ref=f"{owner.ref}.{name}", kind="walked", taints=owner.taints)
    if owner.const is not MISSING and owner.kind == "path":
        return _of_path(owner, name)
    if owner.kind == "file" and name == "name" and owner.attrs is not None:
        return owner.attrs.get("path", Value())
    if owner.kind in ("file", "socket"):
        return Value(ref=f".{name}", attrs={"self": owner}, kind="method", taints=owner.taints)
    if owner.const is not MISSING or owner.items is not None:
        return Value(ref=f".{name}", attrs={"self": owner}, kind="method", taints=owner.taints)
    if owner.attrs is not None and not owner.ref:
        return Value(ref=f".{name}", attrs={"self": owner}, kind="method", taints=owner.taints)
    if owner.ref:
        ref = f"{owner.ref}.{name}"
        if name in ("__dict__",):
            return Value(ref=owner.ref, kind="namespace", taints=owner.taints)
        ref = _ALIASES.get(ref, ref)
        if owner.ref in ENVIRONMENTS:
            return Value(ref=ref, attrs={"self": owner}, kind="method")
        try:
            return Value(folding.constant_of(ref))
        except NotKnown:
            pass
        if _ASKED_BY_OTHERS.match(ref):
            taint = run.taint(Datum.FETCHED, node, "a request")
            return Value(ref=ref, kind="fetched", taints=owner.taints | {taint})
        if ref in ("sys.executable",):
            return Value("python3")
        if ref in ("os.name", "sys.platform"):
            return Value()
        value = Value(ref=plain_name(ref), taints=owner.taints, attrs=owner.attrs)
        value.kind = "hidden" if owner.kind == "hidden" else ""
        value.owner = owner if owner.ref.endswith("()") else owner.owner
        return value
    value = Value(ref=f".{name}", attrs={"self": owner}, kind="method", taints=owner.taints)
    return value


def plain_name(ref: str) -> str:
    """Return the name that everyone uses for what has several."""
    first, _, rest = ref.partition(".")
    first = _ALIASES.get(first, first)
    return f"{first}.{rest}" if rest else first


def parent_of(path: str) -> str:
    """Return the folder of a path; above the skill there are others."""
    if path == OWN_ROOT or (path.startswith(f"{OWN_ROOT}/..") and path.endswith("..")):
        return f"{path}/.."
    return path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")


def _of_path(owner: Value, name: str) -> Value:
    text = str(owner.const)
    if name == "parent":
        return Value(parent_of(text), kind="path", taints=owner.taints)
    if name == "path":
        return owner
    if name in ("name", "stem", "suffix"):
        last = text.rpartition("/")[2]
        if name != "name" and UNKNOWN not in last:
            stem, dot, suffix = last.rpartition(".")
            last = (stem if dot else last) if name == "stem" else dot + suffix
        return Value(last, taints=owner.taints)
    if name == "parents":
        parents: list[Value] = []
        left = text
        while ("/" in left or left == OWN_ROOT) and len(parents) < 8:
            left = parent_of(left)
            parents.append(Value(left, kind="path", taints=owner.taints))
        return Value(items=parents, kind="list")
    return Value(ref=f".{name}", attrs={"self": owner}, kind="method", taints=owner.taints)


def item(run: Interpreter, owner: Value, key: Value, node: ast.AST) -> Value | None:
    """Return an entry of something that isn't the skill's own; None when it is."""
    if owner.ref in ENVIRONMENTS and owner.kind != "method":
        return variable(run, key, node)
    if owner.kind == "walked":
        return Value(ref=f"{owner.ref}.{key.text()}", kind="walked", taints=owner.taints)
    if owner.ref == "sys.modules" and key.is_const:
        return Value(ref=plain_name(str(key.const)), kind="hidden")
    if owner.ref in ("builtins", "globals()", "locals()") or owner.kind == "namespace":
        name = key.text()
        if owner.ref in ("globals()", "locals()"):
            found = run.modules.get(run.file)
            value = found.names.get(name) if found is not None else None
            if value is not None:
                return value
            return Value(ref="builtins", kind="hidden") if name.startswith("__bu") else Value()
        ref = f"{owner.ref}.{name}".removeprefix("builtins.")
        return Value(ref=ref, kind="hidden") if UNKNOWN not in ref else Value(ref=ref)
    if owner.ref.endswith("()") and owner.ref.startswith(("ctypes.", "cffi.")) and key.is_const:
        return Value(ref=f"{owner.ref}.{key.text()}")
    if owner.ref.startswith("sys.argv"):
        return Value(taints=frozenset((run.taint(Datum.INPUT, node, "arguments"),)))
    return None


def variable(run: Interpreter, key: Value, node: ast.AST, default: Value | None = None) -> Value:
    """Return one environment variable."""
    name = key.text()
    if name in _HOMES:
        return Value("~")
    if UNKNOWN in name:
        run.do(Act.READ_ENVIRONMENT, node, "variables")
        return Value(taints=frozenset((run.taint(Datum.ENVIRONMENT, node, "variables"),)))
    if name in _CI:
        return Value(kind="watched")
    if name in _ORDINARY_VARIABLES or name.startswith("LC_"):
        return default if default is not None else Value()
    run.do(Act.READ_VARIABLE, node, name)
    taint = run.taint(Datum.VARIABLE, node, name)
    if default is not None and isinstance(default.const, str):
        return default.with_taints((taint,))
    return Value(kind=f"variable {name}", taints=frozenset((taint,)))


def element(run: Interpreter, value: Value) -> Value:
    """Return what may be in a value that isn't known."""
    if value.kind == "walked":
        return Value(ref=value.ref, kind="walked", taints=value.taints)
    if value.kind == "paths":
        return Value(value.const, kind="path", taints=value.taints)
    if value.attrs and value.kind == "dict":
        return one_of(list(value.attrs.values())).with_taints(unknown(value).taints)
    if value.items:
        last = value.items[-1]
        return unknown(*value.items, value) if last.const is MISSING else last
    return Value(kind=value.kind if value.kind.startswith("fetched") else "", taints=value.taints)


def one_of(values: list[Value]) -> Value:
    """Return what stands for any of these: what tells most of it."""
    if all(each.items is not None for each in values):
        inside = [item for each in values for item in each.items or ()]
        return Value(items=inside[:ALTERNATIVES_MAX], kind="list")
    for each in values:
        if each.function is not None or is_dangerous(each.ref):
            return each
    texts = [each for each in values if isinstance(each.const, (str, bytes))]
    if texts:
        return max(
            texts, key=lambda each: (_COMMAND.search(each.text()) is not None, len(each.const))
        )
    return unknown(*values)


ALTERNATIVES_MAX = 256  # entries of a table that are looked at when the key isn't known
_COMMAND = re.compile(r"\b(?:curl|wget|nc|bash|base64|rm|ssh|scp)\b.*[|/-]|https?://")


def one_entry(taints: frozenset[Taint]) -> frozenset[Taint]:
    """Return the origins of one entry by its name: of settings that is one key, not all."""
    if not taints:
        return taints
    return frozenset(
        Taint(Datum.VARIABLE, each.file, each.line, each.detail)
        if each.datum in (Datum.SECRET, Datum.HOST_FILE)
        and _SETTINGS_FILE.search(each.detail)
        and not _ALL_SECRET.search(each.detail)
        else each
        for each in taints
    )


_ALL_SECRET = re.compile(r"^~/\.(?:docker|aws|ssh|gnupg|kube|netrc|pgpass|git-credentials)\b")
"""Files that have nothing but secrets in them."""
_SETTINGS_FILE = re.compile(r"(?:^|/)\.env(?:\.\w+)?$|^~/\.(?:config/)?[^/]+/[^/]*$|^~/\.[^/]+$")


def whole(run: Interpreter, value: Value, node: ast.AST) -> Value:
    """Return a value that is used as a whole: the environment then is read."""
    if value.ref in ENVIRONMENTS and value.kind != "method":
        return environment(run, node)
    inside = [*(value.items or ())[:64]]
    if value.attrs and value.kind == "dict":
        inside += list(value.attrs.values())[:64]
    if any(each.ref in ENVIRONMENTS and each.kind != "method" for each in inside):
        return environment(run, node)
    return value


def environment(run: Interpreter, node: ast.AST) -> Value:
    """Return all variables."""
    run.do(Act.READ_ENVIRONMENT, node, "the environment")
    taint = run.taint(Datum.ENVIRONMENT, node, "the environment")
    return Value(kind="environment", taints=frozenset((taint,)))


def operate(
    run: Interpreter, operation: ast.operator, left: Value, right: Value, node: ast.AST | None
) -> Value | None:
    """Return what an operator gives for values that have one of their own."""
    if isinstance(operation, ast.Div) and (left.kind == "path" or right.kind == "path"):
        text = text_of((left.text(), "/", right.text()))
        if right.text().startswith(("/", "~")):
            text = right.text()
        return Value(text, kind="path", taints=left.taints | right.taints)
    if isinstance(operation, ast.Mult) and node is not None:
        sizes = [
            len(each.const) for each in (left, right) if isinstance(each.const, (str, bytes))
        ] + [len(each.items) for each in (left, right) if each.items]
        counts = [each.const for each in (left, right) if isinstance(each.const, int)]
        if sizes and counts and sizes[0] * counts[0] > MEMORY_BYTES:
            run.do(Act.EXHAUST, node, f"{counts[0]} times as large")
        most = ITEMS_REPEATED_MAX if left.items or right.items else SIZE_MAX
        if sizes and counts and sizes[0] * counts[0] > most:
            return Value(kind=f"sized {sizes[0] * counts[0]}")
    if isinstance(operation, ast.BitOr) and any(
        "PROT_EXEC" in each.ref or each.kind == "executable" for each in (left, right)
    ):
        return Value(kind="executable")
    if isinstance(operation, ast.BitOr) and left.ref.startswith("os.O_"):
        return Value(ref=f"{left.ref}|{right.ref}")
    if isinstance(operation, ast.BitOr) and (left.ref in ENVIRONMENTS or right.ref in ENVIRONMENTS):
        return environment(run, node) if node is not None else None
    if isinstance(operation, ast.Sub) and "clock" in (left.kind, right.kind):
        return Value(kind="elapsed")
    if isinstance(operation, (ast.Add, ast.Sub)) and left.kind == "clock":
        return Value(kind="clock")
    return None


CALLBACK_ARGUMENTS = 4  # a client, its data, a message, properties
ITEMS_REPEATED_MAX = 4096  # of a list that is repeated; nobody hides anything in one
DISK_BYTES = 1 << 38  # of one file: more than a skill ever writes
MEMORY_BYTES = 4 << 30  # above what machines of people have to spare


def set_attribute(run: Interpreter, owner: Value, name: str, value: Value, node: ast.AST) -> None:
    """Take note of an attribute that is replaced in something of others."""
    if "from_address" in owner.ref and name in ("value", "raw", "contents"):
        run.do(Act.TAMPER, node, "memory is written by its address")
        return
    if value.function is not None and name.startswith("on_") and owner.ref.endswith("()"):
        told = Value(taints=frozenset((run.taint(Datum.FETCHED, node, "a message"),)))
        run.call_function(value.function, [told] * CALLBACK_ARGUMENTS, {}, node)
    if owner.kind == "request" or owner.ref.endswith("()"):  # it is in it from then on
        owner.taints |= all_taints(whole(run, value, node))
    if owner.ref == "sys" and name == "argv":
        run.arguments = value
    if not owner.ref or owner.ref.endswith("()") or owner.kind in ("class", "method"):
        return
    ref = f"{owner.ref}.{name}"
    if "unverified" in value.ref or ref == "ssl._create_default_https_context":
        run.do(Act.TRUST_ANY, node, ref)
        return
    # One function of others for another is a setting.
    replaces = value.function is not None or name == "__code__"
    if (owner.ref == "sys" and name not in _HOOKS) or (
        owner.ref == "builtins" and name in _SHELL_NAMES
    ):
        return
    if "()" in owner.ref:
        return
    if _PATCHED.match(ref) and not _HARMLESS_PATCH.match(ref) and replaces:
        run.do(Act.TAMPER, node, f"{ref} is replaced")
        if value.function is not None:
            passes = Value(taints=frozenset((run.taint(Datum.WATCHED, node, ref),)))
            run.call_function(value.function, [passes] * CALLBACK_ARGUMENTS, {}, node)


def set_item(run: Interpreter, owner: Value, key: Value, value: Value, node: ast.AST) -> None:
    """Take note of an entry that is replaced in something of others."""
    if owner.ref.endswith("()") or owner.owner is not None:
        owner.taints |= all_taints(value)
        if owner.owner is not None:
            owner.owner.taints |= all_taints(value)
    elif owner.ref in ("sys.modules", "builtins") or owner.kind == "namespace":
        name = key.text()
        if owner.ref == "sys.modules" and name.partition(".")[0] not in sys.stdlib_module_names:
            return
        if name in ("_", "__main__") or UNKNOWN in name:
            return
        if value.function is not None or value.ref or value.attrs is not None:
            run.do(Act.TAMPER, node, f"{owner.ref}[{key.text()}] is replaced")
    elif owner.ref in ENVIRONMENTS and key.text() in (
        *("LD_PRELOAD", "PYTHONSTARTUP", "BASH_ENV", "PROMPT_COMMAND", "DYLD_INSERT_LIBRARIES"),
    ):
        run.do(Act.TAMPER, node, f"{key.text()} is set")


def is_dangerous(ref: str) -> bool:
    """Tell whether reaching this by a detour is meant to hide it."""
    return bool(DANGEROUS.match(ref))
