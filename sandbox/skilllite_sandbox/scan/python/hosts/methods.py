"""Methods of values: texts, lists, dicts, paths, files, and what has no name of its own."""

from __future__ import annotations

import ast

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python import folding
from skilllite_sandbox.scan.python.hosts import files, loading, network
from skilllite_sandbox.scan.python.hosts.conditions import GROWTH_BYTES, HUGE_BYTES, seek, size_of
from skilllite_sandbox.scan.python.hosts.names import (
    DISK_BYTES,
    ENVIRONMENTS,
    environment,
    one_entry,
    variable,
    whole,
)
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.sizes import SIZE_MAX, NotKnown
from skilllite_sandbox.scan.python.values import (
    ITEMS_MAX,
    MISSING,
    Value,
    all_taints,
    lift,
    plain,
    text_of,
    unknown,
)

Args = list[Value]
Keywords = dict[str, Value]
SUBSTITUTED_MAX = 64  # names of one template: a letter has a dozen
_GROWS = frozenset({"append", "extend", "add", "insert", "appendleft", "update", "write", "put"})


def call_method(
    run: Interpreter, me: Value, name: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    """Return what a method gives; None when it isn't known."""
    if me.kind == "partial" and me.attrs is not None:
        rest = [*(me.attrs["rest"].items or []), *args]
        return run.call(
            me.attrs["first"], rest, {**(me.attrs["keywords"].attrs or {}), **keywords}, node
        )
    if me.kind == "request":  # what is added to it leaves with it
        me.taints |= unknown(*(whole(run, each, node) for each in args)).taints
        return Value()
    if me.ref in ENVIRONMENTS:
        return _of_environment(run, name, args, node)
    if me.kind == "socket":
        return network.socket_method(run, me, name, args, node)
    if me.kind == "file" or me.ref == "open()":
        return _of_file(run, me, name, args, node)
    if me.kind in ("path", "paths"):
        return _of_path(run, me, name, args, keywords, node)
    if name in ("endswith", "startswith", "match", "fullmatch"):
        seek(run, [me, *args], args)
    if run.loops and name in _GROWS and any(size_of(each) >= HUGE_BYTES for each in args):
        run.do(Act.EXHAUST, node, "memory, in a loop")
    if run.endless and name in _GROWS and any(size_of(each) >= GROWTH_BYTES for each in args):
        run.do(Act.EXHAUST, node, "memory, in a loop without an end")
    if me.items is not None:
        return _of_list(run, me, name, args)
    if me.attrs is not None and me.kind == "dict":
        if name == "update" and args:
            args = [whole(run, args[0], node), *args[1:]]
        return _of_dict(me, name, args)
    if me.const is not MISSING:
        return _of_constant(run, me, name, args, keywords, node)
    loaded = loading.by_name(run, me, name, args, node)
    if loaded is not None:
        return loaded
    if name == "push" and run.remotes and (not me.ref or me.ref.startswith("git.")):
        return network.repository(run, node)
    if name in ("extractall", "extract"):
        return _extract(run, me, args, keywords, node)
    if name in ("system", "execve", "execl", "execv", "popen", "execlp", "execvp"):
        return None
    for each in (*args, *keywords.values()):
        if all_taints(me) and isinstance(each.const, str) and "." in each.const[:1024]:
            if name in ("save", "shot", "export", "to_csv", "dump", "screenshot"):
                run.record_written[each.const] = unknown(me)
        elif each.ref in ("io.BytesIO()", "io.StringIO()") and name in ("save", "dump"):
            each.taints |= all_taints(me)
    if name == "get" and args and isinstance(args[0].const, str) and me.taints:
        me = Value(kind=me.kind, taints=one_entry(all_taints(me)))
    made = unknown(me, *(whole(run, each, node) for each in (*args, *keywords.values())))
    if me.kind in ("fetched", "client", "clock", "process"):
        made.kind = me.kind
    if name == "decrypt" and any(hidden_text(each) for each in args):
        made.taints |= {run.taint(Datum.DECODED, node, name)}
    if name in ("decode", "hex", "translate") and all_taints(me):
        made.kind = me.kind
    if name in ("communicate", "read", "stdout"):
        made.taints |= me.taints
    return made


def hidden_text(value: Value) -> bool:
    """Tell whether a value is a constant that was written down encrypted."""
    if value.has(Datum.OWN_FILE, Datum.DECODED):
        return True
    return value.is_const and isinstance(value.const, (str, bytes)) and len(value.const) > 3


def _of_environment(run: Interpreter, name: str, args: Args, node: ast.AST) -> Value:
    if name in ("get", "pop", "setdefault", "__getitem__") and args:
        return variable(run, args[0], node, args[1] if len(args) > 1 else None)
    if name in ("items", "values", "__repr__", "__str__", "__iter__"):
        return environment(run, node)
    if name == "copy":
        return Value(ref="os.environ")
    return Value()


def _of_file(run: Interpreter, me: Value, name: str, args: Args, node: ast.AST) -> Value:
    attrs = me.attrs or {}
    if name in ("read", "readline", "readlines", "read1", "__iter__"):
        content = attrs.get("content", Value(taints=me.taints))
        if name == "readlines" and isinstance(content.const, str):
            return lift(content.const.splitlines(True), content.taints)
        return content
    if name in ("write", "writelines"):
        files.write(run, attrs.get("path", Value()), args[0] if args else Value(), node)
    if name in ("__enter__", "open"):
        return me
    if name in ("seek", "truncate") and args and isinstance(args[0].const, int):
        if args[0].const > DISK_BYTES:
            run.do(Act.EXHAUST, node, "the disk, by one file")
        return Value()
    return Value(taints=me.taints)


def _of_path(
    run: Interpreter, me: Value, name: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    if name in ("read_text", "read_bytes"):
        content = files.read(run, me, node)
        if name == "read_bytes" and isinstance(content.const, str):
            return Value(content.const.encode("utf-8", "replace"), taints=content.taints)
        return content
    if name in ("write_text", "write_bytes"):
        files.write(run, me, args[0] if args else Value(), node)
        return Value()
    if name == "open":
        mode = keywords.get("mode") or (args[0] if args else Value("r"))
        return files.opened(run, [me], str(mode.const) if mode.is_const else "r", node)
    if name in ("symlink_to", "hardlink_to"):
        files.write(run, me, files.read(run, args[0], node) if args else Value(), node)
        return Value()
    if name in ("touch", "chmod"):
        files.write(run, me, files.written_to(run, me) or Value(), node)
        return Value()
    if name == "mkdir":
        return Value()
    if name in ("rename", "replace") and args:
        files.write(run, args[0], files.read(run, me, node), node)
        return args[0]
    if name in ("unlink", "rmdir"):
        files.remove(run, me, node, tree=name == "rmdir")
        return Value()
    if name in ("iterdir", "glob", "rglob", "walk"):
        pattern = args[0].text() if args and name in ("glob", "rglob") else "*"
        return files.listed(run, me, node, pattern)
    if name in ("joinpath", "__truediv__"):
        text = "/".join([me.text(), *(each.text() for each in args)])
        return Value(text, kind="path", taints=unknown(me, *args).taints)
    if name in ("with_suffix", "with_name", "with_stem"):
        folder = me.text().rpartition("/")[0]
        return Value(
            f"{folder}/{args[0].text() if args else UNKNOWN}", kind="path", taints=me.taints
        )
    if name in ("resolve", "absolute", "expanduser", "as_posix", "__str__", "__fspath__", "cwd"):
        return me if name not in ("as_posix", "__str__") else Value(me.const, taints=me.taints)
    if name in ("exists", "is_file", "is_dir", "stat", "is_symlink", "is_relative_to", "lstat"):
        return Value()
    made = _of_constant(run, Value(me.const, taints=me.taints), name, args, keywords, node)
    return made


def _of_list(run: Interpreter, me: Value, name: str, args: Args) -> Value | None:
    assert me.items is not None
    if name in ("append", "add", "appendleft", "put") and args:
        me.items.append(args[0])
        return Value(None)
    if name == "insert" and len(args) > 1:
        where = args[0].const if isinstance(args[0].const, int) else len(me.items)
        me.items.insert(where, args[1])
        return Value(None)
    if name == "extend" and args:
        inner = run.items_of(args[0])
        more = inner if inner is not None else [run.element(args[0])]
        me.items.extend(more[: max(0, ITEMS_MAX - len(me.items))])
        return Value(None)
    if name == "reverse":
        me.items.reverse()
        return Value(None)
    if name in ("pop", "popleft") and me.items:
        index = args[0].const if args and isinstance(args[0].const, int) else -1
        try:
            return me.items.pop(0 if name == "popleft" else index)
        except IndexError:
            return Value()
    if name == "copy":
        return Value(items=list(me.items), kind=me.kind, taints=me.taints)
    return unknown(me, *args)


def _of_dict(me: Value, name: str, args: Args) -> Value | None:
    assert me.attrs is not None
    if name in ("get", "pop", "setdefault") and args:
        key = args[0].const if args[0].is_const else UNKNOWN
        try:
            if key in me.attrs:
                return me.attrs[key].with_taints(me.taints)
        except TypeError:
            pass
        if key == UNKNOWN:
            return unknown(*me.attrs.values(), me)
        return args[1] if len(args) > 1 else Value(taints=me.taints)
    if name == "values":
        return Value(items=list(me.attrs.values()), kind="list", taints=me.taints)
    if name == "items":
        pairs = [Value(items=[lift(key), value], kind="tuple") for key, value in me.attrs.items()]
        return Value(items=pairs, kind="list", taints=me.taints)
    if name == "keys":
        return lift(list(me.attrs), me.taints)
    if name == "update" and args:
        me.attrs.update(args[0].attrs or {})
        me.taints |= all_taints(args[0])
        return Value(None)
    if name == "copy":
        return Value(attrs=dict(me.attrs), kind="dict", taints=me.taints)
    return unknown(me, *args)


def _of_constant(
    run: Interpreter, me: Value, name: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value:
    if me.kind == "environment" or name == "group":  # of what stands for a match
        return me
    taints = unknown(me, *args, *keywords.values()).taints
    if name == "join" and args and isinstance(me.const, (str, bytes)):
        return _joined(run, me, args[0], taints, node)
    if name == "format" and isinstance(me.const, str):
        return _formatted(me, args, keywords, taints)
    codec = args[0].text() if args and name in ("decode", "encode") else ""
    if name in folding.DECODING_METHODS or codec.replace("-", "_") in folding.HIDING_CODECS:
        taints |= {run.taint(Datum.DECODED, node, name)}
    try:
        made = folding.method(
            me.const,
            name,
            [plain(each) for each in args],
            {k: plain(v) for k, v in keywords.items()},
        )
    except (NotKnown, ValueError):
        if name in ("encode", "decode", "strip", "lower", "upper", "rstrip", "lstrip"):
            return Value(me.const, kind=me.kind, taints=taints)
        return Value(taints=taints)
    value = run.holdings.lifted(made, taints)
    if isinstance(made, (str, bytes)) and name not in ("encode", "decode", "strip"):
        value.kind = "rebuilt"
    elif isinstance(made, (str, bytes)):
        value.kind = me.kind
    return value


def _joined(
    run: Interpreter, me: Value, given: Value, taints: frozenset[object], node: ast.AST
) -> Value:
    items = run.items_of(given)
    if items is None:
        whole_of = whole(run, given, node)
        return Value(taints=all_taints(whole_of) | me.taints)
    parts = [each.text() for each in items]
    if sum(map(len, parts)) + len(parts) * len(me.text()) > SIZE_MAX:
        return Value(taints=unknown(me, given, *items).taints)
    text = me.text().join(parts)
    found = unknown(me, given, *items).taints
    if isinstance(me.const, bytes) and all(isinstance(each.const, bytes) for each in items):
        return Value(me.const.join(each.const for each in items), kind="rebuilt", taints=found)
    return Value(text, kind="rebuilt", taints=found)


def _formatted(me: Value, args: Args, keywords: Keywords, taints: frozenset) -> Value:  # type: ignore[type-arg]
    text, number = list[str](), 0
    rest = me.text()[:SIZE_MAX]
    while "{" in rest and len(text) < _TEMPLATE_PIECES_MAX:
        before, _, rest = rest.partition("{")
        text.append(before)
        if rest.startswith("{"):
            text.append("{")
            rest = rest[1:]
            continue
        inside, _, rest = rest.partition("}")
        name = inside.partition(":")[0].partition("!")[0]
        if not name:
            value = args[number] if number < len(args) else Value()
            number += 1
        elif name.isdigit():
            value = args[int(name)] if int(name) < len(args) else Value()
        else:
            value = keywords.get(name, Value())
        text.append(value.text())
    return Value(text_of((*text, rest)), kind="rebuilt", taints=taints)


_TEMPLATE_PIECES_MAX = 4096  # of one template; people write some ten


def substituted(template: Value, args: Args, keywords: Keywords) -> Value:
    """Return the text that a `string.Template` gives."""
    given = {**((args[0].attrs or {}) if args else {}), **keywords}
    text = template.text()
    taints = unknown(template, *args, *keywords.values()).taints
    for name, value in list(given.items())[:SUBSTITUTED_MAX]:
        put = value.text()
        for mark in (f"${{{name}}}", f"${name}"):
            if len(text) + text.count(mark) * len(put) > SIZE_MAX:
                return Value(taints=taints)
            text = text.replace(mark, put)
    return Value(text, kind="rebuilt", taints=taints)


def _extract(run: Interpreter, me: Value, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    """Note an archive that is unpacked to wherever its names say."""
    if me.ref.startswith("tarfile.") and "filter" not in keywords and "members" not in keywords:
        run.do(Act.UNPACK_ANYWHERE, node, "tar")
        run.flow(me, Sink.WRITE_HOST_FILE, node, "what an archive says")
    return Value(taints=me.taints)
