"""One name for each thing of the host, whichever way a script gets at it. Pure."""

from __future__ import annotations

import re

BUILT_IN_MODULES = frozenset(
    (
        *("assert", "async_hooks", "buffer", "child_process", "cluster", "console", "crypto"),
        *("dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2"),
        *("https", "inspector", "module", "net", "os", "path", "perf_hooks", "process", "punycode"),
        *("querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers", "tls"),
        *(
            "trace_events",
            "tty",
            "url",
            "util",
            "v8",
            "vm",
            "wasi",
            "worker_threads",
            "zlib",
            "sea",
        ),
    )
)
GLOBALS = frozenset(
    (
        *("require", "process", "Buffer", "console", "JSON", "Object", "Array", "String", "Number"),
        *("Math", "Date", "RegExp", "Promise", "Symbol", "Map", "Set", "WeakMap", "WeakSet"),
        *("globalThis", "global", "window", "self", "fetch", "eval", "Function", "atob", "btoa"),
        *("setTimeout", "setInterval", "setImmediate", "queueMicrotask", "unescape", "escape"),
        *("decodeURIComponent", "decodeURI", "encodeURIComponent", "encodeURI", "parseInt"),
        *("parseFloat", "WebSocket", "XMLHttpRequest", "EventSource", "WebAssembly", "Reflect"),
        *("Proxy", "Deno", "Bun", "URL", "URLSearchParams", "TextDecoder", "TextEncoder"),
        *("navigator", "document", "Error", "Uint8Array", "Uint16Array", "Int32Array", "Boolean"),
        *("ArrayBuffer", "FormData", "Blob", "Headers", "Request", "Worker", "module", "exports"),
        *(
            "crypto",
            "performance",
            "structuredClone",
            "Image",
            "BigInt",
            "Intl",
            "isNaN",
            "importScripts",
        ),
    )
)
_STRIPPED = re.compile(r"^(?:(?:globalThis|global|window|self|frames|top)\.)+(?=.)")
_REQUIRES = re.compile(
    r"^(?:process\.mainModule\.require|module\.require|require\.main\.require"
    r"|(?:module\.)?(?:Module\.)?_load|Module\.(?:_load|require)|module\.Module\._load"
    r"|process\.getBuiltinModule|module\.constructor\._load|require\.main\.constructor\._load"
    r"|process\.mainModule\.constructor\._load|process\.mainModule\.constructor\.require)$"
)
_OWN = ("console", "document", "window", "process.env", "process.exitCode")


def is_shared(name: str) -> bool:
    """Tell whether other code uses what has this name: something of node or of the language."""
    root, dot, _ = name.partition(".")
    if name.startswith(_OWN) or not root or root[0] == "#":
        return False
    if not dot:
        return root in GLOBALS
    return root in GLOBALS - {"globalThis"} or root in BUILT_IN_MODULES or root == "Module"


def is_always_there(name: str) -> bool:
    """Tell whether node has this whatever a script did."""
    return name in GLOBALS or name in BUILT_IN_MODULES


_ALIASES = {
    "buffer.Buffer": "Buffer",
    "url.URL": "URL",
    "util.TextDecoder": "TextDecoder",
    "vm.Script": "vm.Script",
    "worker_threads.Worker": "Worker",
    "global": "globalThis",
    "window": "globalThis",
    "self": "globalThis",
    "os.constants": "os.constants",
    "Deno.readTextFile": "fs.readFile",
    "Deno.readFile": "fs.readFile",
    "Deno.writeTextFile": "fs.writeFile",
    "Deno.writeFile": "fs.writeFile",
    "Deno.remove": "fs.rm",
    "Deno.hostname": "os.hostname",
    "Bun.env": "process.env",
    "npm:fs-extra": "fs",
    "npm:graceful-fs": "fs",
    "npm:node-fetch": "fetch",
    "npm:cross-fetch": "fetch",
    "npm:isomorphic-fetch": "fetch",
    "npm:cross-spawn": "child_process.spawn",
    "npm:shelljs.exec": "child_process.exec",
    "npm:execa": "child_process.execFile",
    "npm:execa.execa": "child_process.execFile",
    "npm:execa.command": "child_process.exec",
    "npm:execa.execaCommand": "child_process.exec",
}
_FUNCTIONS = re.compile(
    r"^(?:Function\.prototype|\w+\.prototype)\.constructor$|\.constructor\.constructor$"
)


def canonical(name: str) -> str:
    """Return the one name of what a script calls so.

    >>> canonical("globalThis.process.mainModule.require")
    'require'
    >>> canonical("fs.promises.readFileSync")
    'fs.readFile'
    """
    name = _STRIPPED.sub("", name)
    name = name.removeprefix("Module.prototype.") if name.startswith("Module.prototype.") else name
    name = re.sub(r"^(fs|dns|timers|stream|readline)[./]promises\b", r"\1", name)
    name = re.sub(r"\.default\b", "", name)
    if _REQUIRES.match(name):
        return "require"
    if name.startswith(("fs.", "child_process.", "zlib.", "npm:execa.", "Deno.")):
        name = name.removesuffix("Sync")
    if _FUNCTIONS.search(name) or name in ("Object.constructor", "Array.constructor"):
        return "Function"
    if name in ("String.constructor", "Number.constructor", "Boolean.constructor"):
        return "Function"
    return _ALIASES.get(name, name)
