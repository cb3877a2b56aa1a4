"""What calling something that isn't the skill's own does and gives."""

from __future__ import annotations

import ast
import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python import folding
from skilllite_sandbox.scan.python.hosts import carriers, files, machine, names, network, programs
from skilllite_sandbox.scan.python.hosts.builtins import HANDLERS, got
from skilllite_sandbox.scan.python.hosts.methods import call_method, hidden_text, substituted
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.sizes import NotKnown
from skilllite_sandbox.scan.python.values import (
    Value,
    all_taints,
    plain,
    unknown,
)

Args = list[Value]
Keywords = dict[str, Value]

_UNPICKLES = re.compile(
    r"^(?:pickle|dill|cloudpickle|joblib|shelve|jsonpickle|marshal|torch|_pickle|pandas|numpy)"
    r"\.(?:loads?|open|Unpickler|decode|read_pickle)$|^pickle\.Unpickler\(\)\.load$"
    r"|^yaml\.(?:load|load_all|unsafe_load|full_load)$"
)
_UNPICKLES_A_FILE = re.compile(r"^(?:torch|joblib|numpy|pandas|shelve)\.")
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
    _written_by(run, callee, args, node)
    if callee.kind == "walked":
        return _walked(run, callee, ref, args, node)
    if callee.kind == "hidden" and names.is_dangerous(ref):
        taint = run.taint(Datum.DECODED, node, f"{ref} reached by a detour")
        run.record.flow({taint}, Sink.RUN_PROGRAM, run.file, run.line(node), ref)
    if callee.kind == "method" and callee.attrs is not None and "self" in callee.attrs:
        if callee.attrs["self"].kind in ("getter", "caller"):
            return got(run, callee.attrs["self"], args, node)
        made = call_method(run, callee.attrs["self"], ref.rpartition(".")[2], args, keywords, node)
        if made is not None:
            return made
        return unknown(callee.attrs["self"], *args, *keywords.values())
    handler = HANDLERS.get(ref)
    if handler is not None:
        return handler(run, args, keywords, node)
    if callee.owner is not None:
        # What an object was given is in it from then on.
        given = unknown(*(names.whole(run, each, node) for each in (*args, *keywords.values())))
        callee.owner.taints |= given.taints
        callee.taints |= callee.owner.taints
    made = _by_pattern(run, ref, callee, args, keywords, node)
    return made if made is not None else _pure(run, ref, callee, args, keywords)


_LOADED_MODULES = re.compile(r"^sys\.modules\.(?:get|pop|setdefault|__getitem__)$")
_RUNNING = re.compile(
    r"^(?:subprocess\.Popen|asyncio\.(?:subprocess\.)?create_subprocess_\w+|trio\.lowlevel\.open_process"
    r"|anyio\.open_process|pexpect\.spawn)\(\)\."
)
_REACHED = re.compile(
    r"^(?:system|popen\d?|exec\w*|eval|compile|__import__|import_module|Popen|run|call|check_\w+"
    r"|getoutput|spawn\w*|fork|open|load_module|__subclasses__|\d+)$"
)
"""What somebody who walks from object to object is after."""


def _walked(run: Interpreter, callee: Value, ref: str, args: Args, node: ast.AST) -> Value:
    before, _, last = ref.rpartition(".")
    if last in ("get", "pop", "setdefault", "__getitem__") and args:
        return Value(ref=f"{before}.{args[0].text()}", kind="walked", taints=callee.taints)
    found = "__subclasses__" in ref and (last == UNKNOWN or last.endswith("()"))
    if _REACHED.match(last) or (found and args):
        run.flow(callee, Sink.RUN_PROGRAM, node, f"{ref} reached by a detour")
        _follow_hidden(run, args, node)
    return Value(ref=f"{ref}()", kind="walked", taints=unknown(callee, *args).taints)


def _written_by(run: Interpreter, callee: Value, args: Args, node: ast.AST) -> None:
    """Take note of a file that is handed to something which writes into it: `plistlib.dump`."""
    name = callee.ref.rpartition(".")[2]
    if name not in ("dump", "write", "writerow", "writerows", "writelines", "copyfileobj", "save"):
        return
    for each in args:
        if each.kind == "file" and each.attrs is not None:
            mode = each.attrs["mode"].text() if "mode" in each.attrs else ""
            if any(letter in mode for letter in "wax+"):
                others = unknown(*(value for value in args if value is not each))
                files.write(run, each.attrs.get("path", Value()), others, node)


def _by_pattern(
    run: Interpreter, ref: str, callee: Value, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    if ref.startswith("string.Template().") and ref.endswith("substitute"):
        template = (callee.attrs or {}).get("template", Value())
        return substituted(template, args, keywords)
    if ref in programs.CODE:
        return programs.run_code(run, ref, args, keywords, node)
    if programs.STARTS.match(ref):
        return programs.start(run, ref, args, keywords, node)
    if network.HTTP.match(ref):
        sends = bool(network.SENDING.search(ref))
        if callee.owner is not None:  # headers and cookies of a session go with each request
            run.flow(callee.owner, Sink.SEND, node, ref)
        return network.request(run, ref, args, keywords, node, sends=sends)
    if network.LOOK_UPS.match(ref):
        return network.look_up(run, ref, args, keywords, node)
    if network.STREAMS.match(ref):
        return network.streams(run, ref, args, keywords, node)
    if network.SOCKETS.match(ref):
        return _socket(run, ref, args, node)
    if _LOADED_MODULES.match(ref) and args and args[0].is_const:
        return Value(ref=names.plain_name(str(args[0].const)), kind="hidden")
    if _RUNNING.match(ref) and callee.owner is not None:
        name = ref.rpartition(".")[2]
        if name in ("communicate", "write", "writelines", "send", "send_all", "sendline"):
            return programs.feed(run, callee.owner, args, keywords, node)
    if ref.startswith("socket.socket()."):
        name = ref.rpartition(".")[2]
        return network.socket_method(run, Value(attrs=callee.attrs), name, args, node)
    if network.SENDERS.match(ref):
        return network.send(run, ref, [*args, *keywords.values()], node)
    if _UNPICKLES.match(ref):
        return _unpickle(run, ref, args, keywords, node)
    carriers.read(run, ref, args, node)
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
    except (NotKnown, ValueError):
        value = Value(ref=f"{ref}()" if ref else "", taints=taints)
        if ref not in _NAMES_ONLY:
            whole = [names.whole(run, each, ast.Pass()) for each in args]
            value.taints |= unknown(*whole).taints
        if callee.owner is not None and taints:
            _put_into(run, callee.owner, ref, args, keywords)
        if args and args[0].kind in ("paths", "names") and ref in _ORDERS:
            return args[0]
        if ref in ("str", "repr", "list", "dict", "tuple", "sorted", "set", "json.dumps", "vars"):
            if args and args[0].kind in ("path", "paths") and ref == "str":
                return Value(args[0].const, taints=value.taints)
            if args and args[0].kind.startswith(("dict", "list", "tuple")) and ref != "json.dumps":
                return args[0]
        if any(all_taints(each) for each in origins) and ref in folding.DECODERS:
            value.kind = "decoded"
            if any(each.has(Datum.OWN_FILE) for each in origins):
                value.taints |= {run.taint(Datum.DECODED, ast.Pass(), ref)}
        return value
    if ref in folding.DECODERS:
        taints |= {run.taint(Datum.DECODED, ast.Pass(), ref)}
    return run.holdings.lifted(made, taints)


_ORDERS = frozenset({"list", "sorted", "set", "tuple", "reversed", "iter", "frozenset"})
"""What gives the same things in another order."""
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
    for number, each in enumerate((*args, *keywords.values())):
        if each.function is not None and each.kind != "class":
            inner = list(given.items or []) if given is not None else []
            if given is None and _PASSES_ON.search(ref) and number < len(args):
                inner = _passed_on(ref, args[number + 1 :])
            run.call_function(each.function, inner, {}, node)
        elif each.ref and keywords.get("target") is each and programs.STARTS.match(each.ref):
            programs.start(run, each.ref, list((given and given.items) or []), {}, node)
    for number, each in enumerate(args):
        if number < len(args) and programs.hands_over(each) and ref not in _CALLED_ELSEWHERE:
            rest = (
                list(given.items or [])
                if given is not None
                else _passed_on(ref, args[number + 1 :])
            )
            if "Server" in ref and "register" in ref:
                rest = [Value(taints=frozenset((run.taint(Datum.FETCHED, node, "a call"),)))]
            call(run, each, rest, {}, node)
            if rest and rest[0].items and not ref.endswith("submit"):
                for item in rest[0].items[:8]:
                    call(run, each, [item], {}, node)
    key = keywords.get("key")
    if key is not None and programs.hands_over(key) and args:
        call(run, key, [run.element(args[0])], {}, node)
    if _CALLBACKS.match(ref) and args and args[0].ref and not args[0].ref.endswith("()"):
        rest = list((given and given.items) or []) or _passed_on(ref, args[1:])
        if ref in ("atexit.register", "asyncio.to_thread", "_thread.start_new_thread"):
            call(run, args[0], rest, {}, node)


_PASSES_ON = re.compile(
    r"^(?:atexit\.register|weakref\.finalize|_thread\.start_new_thread|asyncio\.to_thread|contextlib\.)"
    r"|\.(?:submit|call_soon\w*|call_later|call_at|run_in_executor|apply|apply_async|callback|start_soon"
    r"|run_sync|enter|add_done_callback|push)$"
)
"""What calls a function with the arguments that stand behind it."""
_IN_ONE = re.compile(r"start_new_thread$|\.apply(?:_async)?$")


def _passed_on(ref: str, rest: Args) -> Args:
    if _IN_ONE.search(ref) and rest and rest[0].items is not None:
        return list(rest[0].items)
    return rest


_CALLED_ELSEWHERE = frozenset(
    {
        *("atexit.register", "asyncio.to_thread", "_thread.start_new_thread", "getattr", "print"),
        *("isinstance", "hasattr", "callable", "id", "repr", "str", "type", "vars", "dir"),
    }
)
"""What calls nothing, or is seen to by itself."""


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
    if _UNPICKLES_A_FILE.match(ref) and isinstance(data.const, str):
        data = (files.written_to(run, data) or files.read(run, data, node)).with_taints(data.taints)
    if data.kind == "file" and data.attrs is not None:
        data = data.attrs.get("content", data)
    if (what := carriers.carried(data, ref)) is not None:
        taint = run.taint(Datum.DECODED, node, f"data that calls {what}")
        run.record.flow({taint}, Sink.UNPICKLE, run.file, run.line(node), ref)
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
