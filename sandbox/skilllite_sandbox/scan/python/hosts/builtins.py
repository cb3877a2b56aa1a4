"""Functions that need no import, and what stands for them elsewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python.hosts import files, names, programs
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import (
    MISSING,
    Value,
    all_taints,
    unknown,
)

Args = list[Value]
Keywords = dict[str, Value]


def reduces(run: Interpreter, result: Value, node: ast.AST) -> None:
    """Take note of an object that runs something when it is unpickled."""
    first = result.items[0] if result.items else Value()
    ref = first.ref.removeprefix("builtins.")
    if names.is_dangerous(ref):
        taint = run.taint(Datum.DECODED, node, f"a pickle that calls {ref}")
        run.record.flow({taint}, Sink.UNPICKLE, run.file, run.line(node), ref)


def _getter(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    inner = Value(kind="getter", items=list(args))
    return Value(ref=".__call__", kind="method", attrs={"self": inner})


def _method_caller(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    inner = Value(kind="caller", items=list(args), attrs=dict(keywords))
    return Value(ref=".__call__", kind="method", attrs={"self": inner})


def got(run: Interpreter, me: Value, args: Args, node: ast.AST) -> Value:
    """Return what a getter or a caller of a method makes of an object."""
    if not args or not me.items:
        return Value()
    found = args[0]
    for name in me.items[0].text().split(".")[:8]:
        found = _getattr(run, [found, Value(name, kind="rebuilt")], {}, node)
    return (
        found if me.kind == "getter" else run.call(found, me.items[1:], dict(me.attrs or {}), node)
    )


def _zip(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    lists = [run.items_of(each) for each in args if each.ref != "itertools.cycle()"]
    if not lists or any(each is None for each in lists):
        return unknown(*args)
    size = min(min(len(each or ()) for each in lists), 4096)
    columns = []
    for each in args:
        inner = each.owner if each.ref == "itertools.cycle()" else each
        items = (inner and run.items_of(inner)) or [unknown(each)]
        columns.append([items[number % len(items)] for number in range(size)])
    rows = [Value(items=list(row), kind="tuple") for row in zip(*columns, strict=True)]
    return Value(items=rows, kind="list", taints=unknown(*args).taints)


def _cycle(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    made = Value(ref="itertools.cycle()", taints=unknown(*args).taints)
    made.owner = args[0] if args else None
    return made


def _getattr(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) < 2:
        return Value()
    owner, name = args[0], args[1]
    if not name.is_const:
        if owner.ref:
            run.do(Act.IMPORT_COMPUTED, node, f"an attribute of {owner.ref}")
        return unknown(*args)
    found = run.attribute(owner, str(name.const), node)
    if found.function is not None or found.kind == "walked":
        return found
    if owner.ref and found.ref and names.is_dangerous(found.ref.removeprefix("builtins.")):
        # Written out, too: there is no reason to name a function by a text but to hide it.
        return Value(ref=found.ref, kind="hidden", taints=all_taints(name))
    return found


def _import(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    name = args[0] if args else Value()
    if not name.is_const or not isinstance(name.const, str):
        run.do(Act.IMPORT_COMPUTED, node, name.text())
        run.flow(name, Sink.RUN_CODE, node, "an imported name")
        return Value()
    if name.kind == "rebuilt" or all_taints(name):
        made = run.import_module(name.const, node)
        if names.is_dangerous(name.const) or name.const in _TELLING_MODULES:
            taint = run.taint(Datum.DECODED, node, f"the name {name.const} put together")
            run.record.flow({taint}, Sink.RUN_CODE, run.file, run.line(node), name.const)
        return made
    if name.const in _TELLING_MODULES:
        run.do(Act.IMPORT_COMPUTED, node, f"{name.const}, by a text")
    return run.import_module(name.const.lstrip("."), node)


_TELLING_MODULES = frozenset({"os", "subprocess", "socket", "ctypes", "pty", "builtins", "marshal"})


def _open(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    mode = keywords.get("mode") or (args[1] if len(args) > 1 else Value("r"))
    text = str(mode.const) if mode.is_const else "r"
    return files.opened(
        run, [*args[:1], *[keywords[k] for k in ("file",) if k in keywords]], text, node
    )


def _print(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    values = [names.whole(run, each, node) for each in args]
    target = keywords.get("file")
    if target is not None and target.kind == "file" and target.attrs is not None:
        files.write(run, target.attrs.get("path", Value()), unknown(*values), node)
        return Value()
    run.flow(unknown(*values), Sink.OUTPUT, node, "its output")
    return Value()


def _map(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) < 2:
        return Value()
    lists = [run.items_of(each) for each in args[1:]]
    if all(each is not None for each in lists):
        turns = list(zip(*[each or [] for each in lists], strict=False))
    else:
        turns = [tuple(run.element(each) for each in args[1:])]
    made = [run.call(args[0], list(turn), {}, node) for turn in turns[:4096]]
    return Value(items=made, kind="list", taints=unknown(*args).taints)


def _filter(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) < 2:
        return Value()
    for each in (run.items_of(args[1]) or [run.element(args[1])])[:64]:
        if args[0].function is not None or programs.hands_over(args[0]):
            run.call(args[0], [each], {}, node)
    return args[1]


def _reduce(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    items = run.items_of(args[1]) if len(args) > 1 else None
    if not items:
        return unknown(*args)
    made = args[2] if len(args) > 2 else items.pop(0)
    for each in items[:4096]:
        made = run.call(args[0], [made, each], {}, node)
    return made


def _partial(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if not args:
        return Value()
    first, rest = args[0], args[1:]
    return Value(ref="functools.partial()", kind="method", attrs={
        "self": Value(kind="partial", attrs={"first": first, "rest": Value(items=rest),
                                             "keywords": Value(attrs=dict(keywords), kind="dict")})
    })  # fmt: skip


def _namespace(name: str) -> Callable[..., Value]:
    def give(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
        if args and args[0].ref:
            return Value(ref=args[0].ref, kind="namespace")
        if args and args[0].attrs is not None:
            return Value(attrs=args[0].attrs, kind="dict")
        return Value(ref=f"{name}()", kind="namespace")

    return give


def _setattr(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) == 3:
        names.set_attribute(run, args[0], args[1].text(), args[2], node)
        if args[0].attrs is not None and args[1].is_const:
            args[0].attrs[args[1].const] = args[2]
    return Value(None)


QUESTION_CHARS_MAX = 1_000  # of a question to the user; people write one line
_PASSWORDS = re.compile(
    r"sudo|(?:system|login|admin\w*|keychain|mac|windows|user|root|ssh)\s+pass|passphrase"
    r"|seed phrase|private key|wallet",
    re.IGNORECASE,
)


def _input(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if args and _PASSWORDS.search(args[0].text()[:QUESTION_CHARS_MAX]):
        return Value(taints=frozenset((run.taint(Datum.WATCHED, node, "a password"),)))
    return Value(taints=frozenset((run.taint(Datum.INPUT, node, "input"),)))


def _type(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if args and args[0].function is not None and args[0].kind != "class":
        return Value(ref="types.FunctionType")
    if args and (args[0].const, args[0].items, args[0].ref) == (MISSING, None, ""):
        return Value()
    return Value(ref="type()", kind="class-of")


def _chr(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    value = args[0] if args else Value()
    taint = run.taint(Datum.DECODED, node, "characters by their numbers")
    if isinstance(value.const, int) and 0 <= value.const < 0x110000:
        return Value(chr(value.const), taints=value.taints | {taint})
    return Value(taints=all_taints(value) | {taint})


def _dict(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if args:
        whole = names.whole(run, args[0], node)
        if whole is not args[0] or whole.kind == "environment":
            return whole
        if args[0].kind == "dict":
            return Value(attrs={**(args[0].attrs or {}), **keywords}, kind="dict")
    return Value(attrs=dict(keywords), kind="dict", taints=unknown(*args).taints)


def _any(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    kinds = {each.kind for value in args for each in (value.items or [value])}
    for kind in ("watched", "dated"):
        if kind in kinds:
            return Value(kind=kind)
    return unknown(*args)


def _super(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    return Value()


def _substitute(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    """Return `string.Template(…)`, whose text is put together later."""
    return Value(ref="string.Template()", attrs={"template": args[0] if args else Value()})


def _iter(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    """Return what is iterated over; `iter(function, last)` may never end."""
    return args[0] if len(args) == 1 else Value(ref="iter()", taints=unknown(*args).taints)


def _replaced(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    """Follow the function that puts something in the place of what matches."""
    if len(args) > 2 and (args[1].function is not None or programs.hands_over(args[1])):
        run.call(args[1], [args[2]], {}, node)
    return unknown(*args)


Handler = Callable[[Interpreter, Args, Keywords, ast.AST], Value]
HANDLERS: dict[str, Handler] = {
    "getattr": _getattr,
    "operator.attrgetter": _getter,
    "operator.methodcaller": _method_caller,
    "zip": _zip,
    "itertools.cycle": _cycle,
    "__import__": _import,
    "importlib.import_module": _import,
    "importlib.__import__": _import,
    "open": _open,
    "io.open": _open,
    "codecs.open": _open,
    "gzip.open": _open,
    "os.fdopen": _open,
    "tokenize.open": _open,
    "print": _print,
    "map": _map,
    "filter": _filter,
    "functools.reduce": _reduce,
    "functools.partial": _partial,
    "vars": _namespace("vars"),
    "globals": _namespace("globals"),
    "locals": _namespace("locals"),
    "setattr": _setattr,
    "input": _input,
    "getpass.getpass": _input,
    "type": _type,
    "chr": _chr,
    "dict": _dict,
    "any": _any,
    "all": _any,
    "super": _super,
    "string.Template": _substitute,
    "iter": _iter,
    "re.sub": _replaced,
    "re.subn": _replaced,
}


def is_unknown(value: Value) -> bool:
    """Tell whether nothing is known of a text."""
    return value.text() == UNKNOWN
