"""Files: which place a path names, what reading it brings and what writing it does."""

from __future__ import annotations

import ast
import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import (
    ACTS_OF_WRITING,
    UNKNOWN,
    Place,
    is_precious,
    normal_path,
    place_of,
    place_written,
)
from skilllite_sandbox.scan.python.hosts.names import OWN_ROOT
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import Value, all_taints
from skilllite_sandbox.scan.taint import Taint

_READ = {
    Place.SECRET: (Act.READ_SECRET, Datum.SECRET),
    Place.ENVIRONMENT: (Act.READ_ENVIRONMENT, Datum.SECRET),
    Place.SYSTEM: (Act.READ_SYSTEM, Datum.SYSTEM),
    Place.HOST: (Act.READ_HOST_FILE, Datum.HOST_FILE),
    Place.SETTINGS: (Act.READ_HOST_FILE, Datum.HOST_FILE),
    Place.RIGHTS: (Act.READ_HOST_FILE, Datum.HOST_FILE),
    Place.KEYS: (Act.WATCH_USER, Datum.WATCHED),
    Place.DEVICE: (Act.READ_HOST_FILE, Datum.HOST_FILE),
}
_MEMORY = re.compile(r"^/proc/(?!self/)[^/]+/mem$|^/proc/kcore$")
_PACKAGE_SETTINGS = re.compile(
    r"^(?:~|/etc)/.*(?:pip\.conf|pip\.ini|\.npmrc|npmrc|\.condarc|\.yarnrc(?:\.yml)?|\.gemrc"
    r"|\.cargo/config(?:\.toml)?|\.ssh/config|\.docker/config\.json|\.m2/settings\.xml)$"
)
_DOT_ENV = re.compile(r"(?:^|/)\.env(?:\.(?!example|sample|template)\w+)?$")


_SHARED = re.compile(r"/(?:var/)?tmp/|/dev/shm/")
"""Where every user writes: a name of one's own choice there may be somebody else's already."""


def path_text(value: Value) -> str:
    """Return a path as the tables know it, `UNKNOWN` for what isn't known of it."""
    text = value.text()
    return normal_path(text) if text[:1] in "~$/%." or ":" in text else text


def read(run: Interpreter, path: Value, node: ast.AST) -> Value:
    """Return what is in the file at a path."""
    text = path_text(path)
    if (own := own_file(run, text)) is not None:
        return own
    if (written := run.record_written.get(text)) is not None and text != UNKNOWN:
        return written
    act, datum = _READ.get(place_of(text.replace(UNKNOWN, "*")), (None, None))
    if _MEMORY.search(text):
        act, datum = Act.READ_SECRET, Datum.SECRET
    if _DOT_ENV.search(text):
        # Beside the skill it holds the skill's own keys; to send it as a whole is another matter.
        beside = text[:1] not in ("~", "/") and UNKNOWN not in text and ".." not in text
        act, datum = Act.READ_VARIABLE if beside else Act.READ_SECRET, Datum.SECRET
    if path.has(Datum.FOUND_NAMES) and run.sought and datum in (None, Datum.HOST_FILE):
        act, datum, text = Act.READ_SECRET, Datum.SECRET, run.sought
    if act is None or datum is None:
        taints = path.taints if path.has(Datum.SECRET, Datum.HOST_FILE) else frozenset()
        if path.has(Datum.FOUND_NAMES):
            taints |= {run.taint(Datum.FOUND, node, "files that it looks around for")}
        return Value(taints=taints)
    run.do(act, node, text)
    return Value(taints=frozenset((run.taint(datum, node, text),)))


def written_to(run: Interpreter, path: Value) -> Value | None:
    """Return what was written to a path; None when it isn't known to be written."""
    text = path_text(path)
    found = run.record_written.get(text) if text != UNKNOWN else None
    return found or run.record_written.get(path.text().rpartition("/")[2] or UNKNOWN)


def temporary(ref: str, line: int) -> Value | None:
    """Return what a function of `tempfile` makes; None when it makes nothing."""
    path = Value(f"{_TEMPORARY}{line}")
    name = ref.removeprefix("tempfile.")
    if name in ("gettempdir", "mkdtemp", "mktemp", "TemporaryDirectory"):
        return Value("@temporary" if name == "gettempdir" else path.const)
    if name.endswith("TemporaryFile"):
        return Value(ref="open()", kind="file", attrs={"path": path, "mode": Value("w+")})
    if name == "mkstemp":
        opened = Value(ref="open()", kind="file", attrs={"path": path, "mode": Value("w+")})
        return Value(items=[opened, path], kind="tuple")
    return None


_TEMPORARY = "@temporary/of-line-"
"""Begins a name that nobody else can have."""


def own_file(run: Interpreter, text: str) -> Value | None:
    """Return the content of a file of the skill; None when it is none."""
    own = own_path(run, text)
    if own is None:
        return None
    source = run.files[own]
    taint = run.taint(Datum.OWN_FILE, ast.Pass(), own)
    content: object = source.text if source.text or not source.data else source.data
    return Value(content, kind=f"own {own}", taints=frozenset((taint,)))


def resource(run: Interpreter, name: str) -> Value | None:
    """Return the content of a data file of the skill's package by its name."""
    if not name or UNKNOWN in name:
        return None
    for path in run.files:
        if path == name or path.endswith(f"/{name}"):
            return own_file(run, f"{OWN_ROOT}/{path}")
    return None


def own_path(run: Interpreter, text: str) -> str | None:
    """Return which file of the skill a path names; None when it is none."""
    if UNKNOWN in text or not text:
        return None
    if text.startswith(OWN_ROOT):
        candidates = [text.removeprefix(OWN_ROOT).lstrip("/")]
    elif text.startswith(("/", "~")):
        return None
    else:
        folder = run.file.rpartition("/")[0]
        candidates = [text, f"{folder}/{text}", f"{folder}/../{text}"]
    for candidate in candidates:
        parts: list[str] = []
        for part in candidate.split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        if "/".join(parts) in run.files:
            return "/".join(parts)
    return None


def write(run: Interpreter, path: Value, content: Value, node: ast.AST) -> None:
    """Take note of what is written to a path."""
    text = path_text(path)
    shown = text.replace(UNKNOWN, "*")
    acts = ACTS_OF_WRITING.get(place_written(shown), ())
    for act in acts or ((Act.WRITE_HOST_FILE,) if _SHARED.match(text) else ()):
        run.do(act, node, text)
    if _PACKAGE_SETTINGS.search(shown):
        run.do(Act.PERSIST, node, text)
    if shown.endswith(".pth") and "import" in content.text():
        run.do(Act.PERSIST, node, text)
    encrypted = "encrypt" in content.ref and not content.has(Datum.INPUT, Datum.VARIABLE)
    if UNKNOWN in text and text != UNKNOWN and encrypted:
        run.do(Act.DESTROY, node, f"{text} is encrypted")
    if "*" in shown and is_precious(shown) and _overwrites(content):
        run.do(Act.DESTROY, node, text)
    if text.startswith(OWN_ROOT) and text.endswith((".py", ".js", ".sh")):
        fetched = frozenset(each for each in all_taints(content) if each.datum is Datum.FETCHED)
        run.record.flow(fetched, Sink.RUN_CODE, run.file, run.line(node), "a script of its own")
    if text.endswith("_history") and place_of(text) is Place.SECRET and _overwrites(content):
        run.do(Act.DISARM, node, text)
    if text.startswith(OWN_ROOT) and text.endswith("SKILL.md"):
        run.do(Act.CHANGE_AGENT, node, text)
    if Act.PERSIST in acts or Act.WRITE_HOST_FILE in acts:
        sink = Sink.PERSIST if Act.PERSIST in acts else Sink.WRITE_HOST_FILE
        run.flow(content, sink, node, text)
    if place_of(shown) is not Place.SECRET and not text.startswith(_TEMPORARY):
        copied = frozenset(each for each in all_taints(content) if _is_kept_apart(each))
        run.record.flow(copied, Sink.COPY, run.file, run.line(node), text)
    if run.endless:
        run.do(Act.EXHAUST, node, "the disk, in a loop without an end")
    if text != UNKNOWN:
        kept = run.record_written
        kept[text] = content
        kept[text.rpartition("/")[2]] = content


def _is_kept_apart(taint: Taint) -> bool:
    """Tell whether something came from a place that only its owner reads."""
    beside = _DOT_ENV.search(taint.detail)
    return taint.datum is Datum.SECRET and not beside and place_of(taint.detail) is Place.SECRET


def _overwrites(content: Value) -> bool:
    """Tell whether nothing of a file is left in what is written over it."""
    if content.const in ("", b""):
        return True
    return "encrypt" in content.ref or content.ref in ("os.urandom()", "secrets.token_bytes()")


def remove(run: Interpreter, path: Value, node: ast.AST, *, tree: bool) -> None:
    """Take note of what is removed."""
    text = path_text(path).replace(UNKNOWN, "*")
    while "/*/*" in text:
        text = text.replace("/*/*", "/*")
    if text.endswith("_history") and place_of(text) is Place.SECRET:
        run.do(Act.DISARM, node, text)
    named = not tree and path.has(Datum.INPUT)  # one file, as the caller names it
    if text != "*" and is_precious(text) and not named:
        run.do(Act.DESTROY, node, text)
    elif text.startswith(("/", "~")) and place_of(text) is not Place.OWN:
        run.do(Act.WRITE_HOST_FILE, node, text)


def opened(run: Interpreter, args: list[Value], mode: str, node: ast.AST) -> Value:
    """Return an open file."""
    path = args[0] if args else Value()
    if any(letter in mode for letter in "wax+"):
        return Value(
            ref="open()", kind="file", attrs={"path": path, "mode": Value(mode)}, taints=path.taints
        )
    content = read(run, path, node)
    return Value(
        content.const,
        ref="open()",
        kind="file",
        attrs={"path": path, "content": content, "mode": Value(mode)},
        taints=all_taints(content),
    )


def listed(run: Interpreter, path: Value, node: ast.AST, pattern: str = "*") -> Value:
    """Return the paths in a folder."""
    text = path.text()
    joined = pattern if pattern.startswith(("/", "~")) else f"{text}/{pattern}"
    joined = joined.replace("**", "*").replace("*", UNKNOWN)
    found = run.taint(Datum.FOUND_NAMES, node, joined)
    return Value(joined, kind="paths", taints=path.taints | {found})
