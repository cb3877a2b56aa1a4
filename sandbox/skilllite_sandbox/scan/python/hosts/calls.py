"""What calling something that isn't the skill's own does and gives."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python import folding
from skilllite_sandbox.scan.python.hosts import files, machine, names, network, programs
from skilllite_sandbox.scan.python.hosts.methods import call_method, hidden_text
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import (
    MISSING,
    Value,
    all_taints,
    lift,
    plain,
    unknown,
)

Args = list[Value]
Keywords = dict[str, Value]

_CODE = frozenset(
    {
        *("exec", "eval", "compile", "builtins.exec", "builtins.eval", "builtins.compile"),
        *("code.InteractiveInterpreter().runcode", "code.InteractiveInterpreter().runsource"),
        *("runpy.run_path", "runpy.run_module", "timeit.timeit", "execfile"),
        *("types.FunctionType", "types.CodeType", "importlib._bootstrap._call_with_frames_removed"),
    }
)
_UNPICKLES = re.compile(
    r"^(?:pickle|dill|cloudpickle|joblib|shelve|jsonpickle|marshal|torch|_pickle|pandas|numpy)"
    r"\.(?:loads?|open|Unpickler|decode|read_pickle)$|^pickle\.Unpickler\(\)\.load$"
    r"|^yaml\.(?:load|load_all|unsafe_load|full_load)$"
)
_CALLBACKS = re.compile(
    r"^threading\.(?:Thread|Timer)$|^atexit\.register$|^multiprocessing\.(?:Process|Pool)$"
    r"|^concurrent\.futures\.|^signal\.signal$|^asyncio\.(?:run|create_task|gather|to_thread|wait)$"
    r"|^sched\.|^weakref\.finalize$|^functools\.(?:partial|reduce|wraps|lru_cache)$|^(?:map|filter)$"
    r"|^_thread\.start_new_thread$|^trio\.run$|^anyio\.run$|^sys\.(?:settrace|setprofile|addaudithook)$"
    r"|^threading\.set(?:trace|profile)$|^ThreadPool|^schedule\.|^codecs\.register"
)
_WATCHES_CODE = re.compile(
    r"^sys\.(?:settrace|setprofile|addaudithook)$|^threading\.set(?:trace|profile)$"
)


def takes_callback(run: Interpreter, callee: Value, node: ast.AST) -> bool:
    """Tell whether a decorator calls what it is given by itself."""
    return bool(_CALLBACKS.match(callee.ref)) and not callee.ref.startswith("functools.")


def call(run: Interpreter, callee: Value, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    """Return what a call gives."""
    ref = callee.ref.removeprefix("builtins.")
    _follow_callbacks(run, ref, args, keywords, node)
    if callee.kind == "walked":
        return _walked(run, callee, ref, args, node)
    if callee.kind == "hidden" and names.is_dangerous(ref):
        taint = run.taint(Datum.DECODED, node, f"{ref} reached by a detour")
        run.record.flow({taint}, Sink.RUN_PROGRAM, run.file, run.line(node), ref)
    if callee.kind == "method" and callee.attrs is not None and "self" in callee.attrs:
        if callee.attrs["self"].kind in ("getter", "caller"):
            return _got(run, callee.attrs["self"], args, node)
        made = call_method(run, callee.attrs["self"], ref.rpartition(".")[2], args, keywords, node)
        if made is not None:
            return made
        return unknown(callee.attrs["self"], *args, *keywords.values())
    handler = _HANDLERS.get(ref)
    if handler is not None:
        return handler(run, args, keywords, node)
    if callee.owner is not None:
        # What an object was given is in it from then on.
        given = unknown(*(names.whole(run, each, node) for each in (*args, *keywords.values())))
        callee.owner.taints |= given.taints
        callee.taints |= callee.owner.taints
    made = _by_pattern(run, ref, callee, args, keywords, node)
    return made if made is not None else _pure(run, ref, callee, args, keywords)


_REACHED = re.compile(
    r"^(?:system|popen\d?|exec\w*|eval|compile|__import__|import_module|Popen|run|call|check_\w+"
    r"|getoutput|spawn\w*|fork|open|load_module|__subclasses__|\d+)$"
)
"""What somebody who walks from object to object is after."""


def _walked(run: Interpreter, callee: Value, ref: str, args: Args, node: ast.AST) -> Value:
    before, _, last = ref.rpartition(".")
    if last in ("get", "pop", "setdefault", "__getitem__") and args:
        return Value(ref=f"{before}.{args[0].text()}", kind="walked", taints=callee.taints)
    if _REACHED.match(last) or (last == UNKNOWN and "__subclasses__" in ref):
        run.flow(callee, Sink.RUN_PROGRAM, node, f"{ref} reached by a detour")
        _follow_hidden(run, args, node)
    return Value(ref=f"{ref}()", kind="walked", taints=unknown(callee, *args).taints)


def _by_pattern(
    run: Interpreter, ref: str, callee: Value, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    if ref in _CODE:
        return programs.run_code(run, ref, args, node)
    if programs.STARTS.match(ref):
        return programs.start(run, ref, args, keywords, node)
    if network.HTTP.match(ref):
        sends = bool(network.SENDING.search(ref))
        if callee.owner is not None:  # headers and cookies of a session go with each request
            run.flow(callee.owner, Sink.SEND, node, ref)
        return network.request(run, ref, args, keywords, node, sends=sends)
    if network.LOOK_UPS.match(ref):
        return network.look_up(run, ref, args, keywords, node)
    if network.SOCKETS.match(ref):
        return _socket(run, ref, args, node)
    if ref.startswith("subprocess.Popen()") and callee.owner is not None:
        name = ref.rpartition(".")[2]
        if name in ("communicate", "write", "writelines", "send"):
            return programs.feed(run, callee.owner, args, keywords, node)
    if ref.startswith("socket.socket()."):
        name = ref.rpartition(".")[2]
        return network.socket_method(run, Value(attrs=callee.attrs), name, args, node)
    if network.SENDERS.match(ref):
        return network.send(run, ref, [*args, *keywords.values()], node)
    if _UNPICKLES.match(ref):
        return _unpickle(run, ref, args, keywords, node)
    if _WATCHES_CODE.match(ref):
        if args and args[0].const is not None:
            run.do(Act.TAMPER, node, ref)
        return Value()
    return machine.call(run, ref, callee, args, keywords, node)


def _pure(run: Interpreter, ref: str, callee: Value, args: Args, keywords: Keywords) -> Value:
    origins = [*args, *keywords.values()]
    taints = unknown(callee, *origins).taints
    if ref.endswith(".decrypt") and any(hidden_text(each) for each in args):
        taints |= {run.taint(Datum.DECODED, ast.Pass(), ref)}
    try:
        made = folding.call(
            ref, [plain(each) for each in args], {k: plain(v) for k, v in keywords.items()}
        )
    except (folding.NotKnown, ValueError):
        value = Value(ref=f"{ref}()" if ref else "", taints=taints)
        if ref not in _NAMES_ONLY:
            whole = [names.whole(run, each, ast.Pass()) for each in args]
            value.taints |= unknown(*whole).taints
        if callee.owner is not None and taints:
            _put_into(run, callee.owner, ref, args, keywords)
        if ref in ("str", "repr", "list", "dict", "tuple", "sorted", "set", "json.dumps", "vars"):
            if args and args[0].kind in ("path", "paths") and ref == "str":
                return Value(args[0].const, taints=value.taints)
            if args and args[0].kind.startswith(("dict", "list", "tuple")) and ref != "json.dumps":
                return args[0]
        if any(all_taints(each) for each in origins) and ref in folding.DECODERS:
            value.kind = "decoded"
        return value
    if ref in folding.DECODERS:
        taints |= {run.taint(Datum.DECODED, ast.Pass(), ref)}
        if isinstance(made, list):
            return lift(made, taints)
    return lift(made, taints)


_NAMES_ONLY = frozenset(
    {
        *("list", "tuple", "set", "sorted", "frozenset", "len", "iter", "enumerate", "bool", "min"),
        *("max", "isinstance", "id", "type", "hasattr", "subprocess.Popen", "subprocess.run"),
    }
)
"""What of the environment takes the names alone."""
_SAVES = re.compile(r"\.(?:save|shot|export\w*|dump\w*|to_\w+|write\w*|screenshot)$")


def _put_into(run: Interpreter, me: Value, ref: str, args: Args, keywords: Keywords) -> None:
    """Keep what an object writes into a buffer or a file that it is given."""
    if not _SAVES.search(ref):
        return
    for each in (*args, *keywords.values()):
        if each.ref in ("io.BytesIO()", "io.StringIO()"):
            each.taints |= all_taints(me)
        elif isinstance(each.const, str) and "." in each.const and len(each.const) < 1024:
            run.record_written[each.const] = unknown(me)


def _follow_callbacks(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> None:
    """Follow functions that are handed over to be called by others."""
    if ref in ("map", "filter", "functools.reduce", "functools.partial"):
        return
    given = keywords.get("args")
    for each in (*args, *keywords.values()):
        if each.function is not None and each.kind != "class":
            inner = list(given.items or []) if given is not None else []
            run.call_function(each.function, inner, {}, node)
        elif each.ref and keywords.get("target") is each and programs.STARTS.match(each.ref):
            programs.start(run, each.ref, list((given and given.items) or []), {}, node)
    for number, each in enumerate(args):
        if number < len(args) and _hands_over(each) and ref not in _CALLED_ELSEWHERE:
            rest = list(given.items or []) if given is not None else args[number + 1 :]
            if "Server" in ref and "register" in ref:
                rest = [Value(taints=frozenset((run.taint(Datum.FETCHED, node, "a call"),)))]
            call(run, each, rest, {}, node)
            if rest and rest[0].items and not ref.endswith("submit"):
                for item in rest[0].items[:8]:
                    call(run, each, [item], {}, node)
    key = keywords.get("key")
    if key is not None and _hands_over(key) and args:
        call(run, key, [run.element(args[0])], {}, node)
    if _CALLBACKS.match(ref) and args and args[0].ref and not args[0].ref.endswith("()"):
        rest = list(given.items or []) if given is not None and given.items else args[1:]
        if ref in ("atexit.register", "asyncio.to_thread", "_thread.start_new_thread"):
            call(run, args[0], rest, {}, node)


_CALLED_ELSEWHERE = frozenset(
    {
        *("atexit.register", "asyncio.to_thread", "_thread.start_new_thread", "getattr", "print"),
        *("isinstance", "hasattr", "callable", "id", "repr", "str", "type", "vars", "dir"),
    }
)
"""What calls nothing, or is seen to by itself."""


def _hands_over(value: Value) -> bool:
    ref = value.ref.removeprefix("builtins.")
    return (
        bool(ref) and value.kind != "method" and (ref in _CODE or bool(programs.STARTS.match(ref)))
    )


def _follow_hidden(run: Interpreter, args: Args, node: ast.AST) -> None:
    for each in args[:1]:
        if each.is_const and isinstance(each.const, str):
            programs.start(run, "os.system", [each], {}, node)


def _socket(run: Interpreter, ref: str, args: Args, node: ast.AST) -> Value:
    if ref.endswith("wrap_socket") and args and args[0].kind == "socket":
        return args[0]
    made = Value(ref="socket.socket()", kind="socket", attrs={})
    if ref.endswith("create_connection"):
        network.socket_method(run, made, "connect", args, node)
    return made


def _unpickle(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if (
        ref.startswith(("numpy", "pandas"))
        and "allow_pickle" not in keywords
        and "pickle" not in ref
    ):
        return unknown(*args)
    loader = keywords.get("Loader") or (args[1] if len(args) > 1 else None)
    if ref.startswith("yaml.load") and loader is not None and "Safe" in loader.ref:
        return unknown(*args)
    data = args[0] if args else Value()
    if data.kind == "file" and data.attrs is not None:
        data = data.attrs.get("content", data)
    if ref == "marshal.loads":
        taint = run.taint(Datum.DECODED, node, "marshal")
        return Value(kind="code", attrs={"source": Value()}, taints=all_taints(data) | {taint})
    if _is_true(keywords.get("weights_only")):
        return unknown(*args)
    run.do(Act.UNPICKLE, node, ref)
    run.flow(data, Sink.UNPICKLE, node, ref)
    return unknown(data)


def _is_true(value: Value | None) -> bool:
    return value is not None and value.const is True


# Builtins


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


def _got(run: Interpreter, me: Value, args: Args, node: ast.AST) -> Value:
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
        if args[0].function is not None or _hands_over(args[0]):
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


_PASSWORDS = re.compile(
    r"sudo|(?:system|login|admin\w*|keychain|mac|windows|user|root|ssh)\s+pass|passphrase"
    r"|seed phrase|private key|wallet",
    re.IGNORECASE,
)


def _input(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if args and _PASSWORDS.search(args[0].text()):
        return Value(taints=frozenset((run.taint(Datum.WATCHED, node, "a password"),)))
    return Value(taints=frozenset((run.taint(Datum.INPUT, node, "input"),)))


def _type(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
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


Handler = Callable[[Interpreter, Args, Keywords, ast.AST], Value]
_HANDLERS: dict[str, Handler] = {
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
}


def constant_argument(args: Args, number: int) -> Any:
    """Return a constant argument; `MISSING` when it is not known."""
    return args[number].const if len(args) > number and args[number].is_const else MISSING


def is_unknown(value: Value) -> bool:
    """Tell whether nothing is known of a text."""
    return value.text() == UNKNOWN
