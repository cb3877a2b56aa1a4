"""`require`, `import` and what else brings code in from another file."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.javascript.host_names import BUILT_IN_MODULES, canonical
from skilllite_sandbox.scan.javascript.hosts.host_call import Handler, HostCall, known_text
from skilllite_sandbox.scan.javascript.hosts.json_text import json_value
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    Value,
    all_taints,
    as_text,
    host,
    unknown,
)
from skilllite_sandbox.scan.source import Language

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

_TELLING = frozenset(
    (
        *("child_process", "fs", "net", "http", "https", "dns", "vm", "os", "dgram", "tls"),
        *("cluster", "worker_threads", "module", "process", "http2", "inspector", "zlib"),
    )
)


def load_module(run: Interpreter, name: Value, node: Node) -> Value:
    """Return what `require` or `import` of this name gives, and follow a script of the skill."""
    path = known_text(name)
    taints = all_taints(name)
    if path is None:
        run.do(Act.IMPORT_COMPUTED, node, as_text(name).text)
        run.flow(taints, Sink.RUN_CODE, node, "a module")
        return unknown(taints)
    plain = path.removeprefix("node:")
    root = plain.partition("/")[0]
    if root in BUILT_IN_MODULES:
        _note_hidden(run, name, plain, node)
        return host(canonical(plain))
    if path.startswith("data:"):
        return _data_module(run, name, path, node)
    if re.match(r"https?://", path):
        run.do(Act.FETCH, node, path)
        run.flow(run.taint(Datum.FETCHED, node, path), Sink.RUN_CODE, node, "a module")
        return NOTHING_KNOWN
    if path[:1] in "./~" or path.startswith("file:"):
        return _file_module(run, name, path, node)
    return host(canonical("npm:" + path))


def _note_hidden(run: Interpreter, name: Value, plain: str, node: Node) -> None:
    """Write down a module whose name is written so that no search finds it."""
    if plain not in _TELLING:
        return
    taints = frozenset(taint for taint in name.taints if taint.datum is Datum.DECODED)
    if not taints and name.pieced:
        taints = run.taint(Datum.DECODED, node, "put together from pieces")
    if taints:
        run.do(Act.IMPORT_COMPUTED, node, plain)
        run.flow(taints, Sink.RUN_CODE, node, f"the module {plain}")


def _data_module(run: Interpreter, name: Value, path: str, node: Node) -> Value:
    from skilllite_sandbox.scan.javascript.hosts.language import decoded

    head, _, body = path.partition(",")
    code = decoded(run, body, "base64" if ";base64" in head else "percent", node)
    run.run_code(code, node, run.module.scope)
    return NOTHING_KNOWN


def _file_module(run: Interpreter, name: Value, path: str, node: Node) -> Value:
    written = run.files.get(path)
    if written is not None:
        run.flow(all_taints(written), Sink.RUN_CODE, node, path)
        return run.run_code(written, node, run.module.scope) if written.known else NOTHING_KNOWN
    if path.endswith(".node"):
        run.do(Act.LOAD_NATIVE, node, path)
        return NOTHING_KNOWN
    source = run.find_own(path)
    if source is None:
        run.flow(all_taints(name), Sink.RUN_CODE, node, "a module")
        if path[:1] in "/~":
            run.do(Act.IMPORT_COMPUTED, node, path)
        return NOTHING_KNOWN
    if source.path.endswith(".json"):
        return json_value(source.text, run.taint(Datum.OWN_FILE, node, source.path))
    if source.language in (Language.JAVASCRIPT, Language.TYPESCRIPT):
        return run.run_module(source)
    return run.run_code(Value("text", source.text), node, run.module.scope)


def _require(call: HostCall) -> Value:
    return load_module(call.run, call.arg(0), call.node)


def _create_require(call: HostCall) -> Value:
    return host("require")


def _resolve(call: HostCall) -> Value:
    return call.arg(0)


def _native(call: HostCall) -> Value:
    call.do(Act.LOAD_NATIVE, call.text(0).text)
    call.flow(call.taints, Sink.LOAD_NATIVE)
    path = known_text(call.arg(1))
    if path is not None and path in call.run.files:
        call.flow(all_taints(call.run.files[path]), Sink.LOAD_NATIVE, path)
    return NOTHING_KNOWN


def _binding(call: HostCall) -> Value:
    name = call.text(0).text
    call.do(Act.LOAD_NATIVE, f"process.binding {name}")
    if name in ("spawn_sync", "process_wrap"):
        call.run.do(Act.TAMPER, call.node, f"process.binding {name}")
    return NOTHING_KNOWN


def _compile(call: HostCall) -> Value:
    """Follow `module._compile(code, name)`."""
    return call.run.run_code(call.arg(0), call.node, call.run.module.scope)


def _hook(call: HostCall) -> Value:
    call.do(Act.TAMPER, call.name)
    if call.arg(0).kind == "text":
        load_module(call.run, call.arg(0), call.node)
    return call.unseen()


def _web_assembly(call: HostCall) -> Value:
    call.do(Act.LOAD_NATIVE, "WebAssembly")
    fetched = frozenset(taint for taint in call.taints if taint.datum is Datum.FETCHED)
    call.flow(fetched, Sink.LOAD_NATIVE)
    return NOTHING_KNOWN


CALLS: dict[str, Handler] = {
    "require": _require,
    "require.resolve": _resolve,
    "module.createRequire": _create_require,
    "Module.createRequire": _create_require,
    "process.dlopen": _native,
    "process.binding": _binding,
    "process._linkedBinding": _binding,
    "*._compile": _compile,
    "module.register": _hook,
    "module.registerHooks": _hook,
    **dict.fromkeys(
        (
            *("WebAssembly.instantiate", "WebAssembly.compile", "new WebAssembly.Module"),
            *("WebAssembly.instantiateStreaming", "WebAssembly.compileStreaming"),
        ),
        _web_assembly,
    ),
}
