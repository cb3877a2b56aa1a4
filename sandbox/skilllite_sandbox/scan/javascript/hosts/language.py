"""What the language itself offers that makes text of other text, or reaches things sideways."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from skilllite_sandbox.scan.acts import Act, Datum
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript.host_names import canonical, is_shared
from skilllite_sandbox.scan.javascript.hosts.host_call import (
    PASSES,
    Handler,
    HostCall,
    known_text,
)
from skilllite_sandbox.scan.javascript.hosts.json_text import json_value
from skilllite_sandbox.scan.javascript.operators import as_number, joined, numeric
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Value,
    add_origins,
    all_taints,
    as_text,
    boolean,
    host,
    items,
    number,
    record,
    text,
    unknown,
)
from skilllite_sandbox.scan.shell.escapes import decode
from skilllite_sandbox.scan.taint import NO_TAINTS, Taint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

BUFFER_BYTES_MAX = 4_096  # of a buffer whose bytes are followed one by one
HUGE_BYTES = 2**30  # asked for at once: more than any run may have


def decoded(run: Interpreter, source: str, how: str, node: Node) -> Value:
    """Return what a decoder makes of a constant; nobody could read it as it stood."""
    hidden = run.taint(Datum.DECODED, node, how)
    if how == "percent":
        made: str | None = unquote(source)
        if made == source:
            return text(source)
    else:
        made = decode(source, how)
    return text(UNKNOWN if made is None else made, hidden)


def _decoder(how: str) -> Handler:
    def give(call: HostCall) -> Value:
        given = call.arg(0)
        source = known_text(given)
        if source is None:
            return unknown(call.taints)
        made = decoded(call.run, source, how, call.node)
        return text(str(made.data), made.taints | given.taints)

    return give


def _unescape(call: HostCall) -> Value:
    source = known_text(call.arg(0))
    if source is None:
        return unknown(call.taints)
    wide = re.sub(r"%u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), source)
    made = unquote(wide, encoding="latin-1" if call.name == "unescape" else "utf-8")
    letters = len(re.findall(r"%(?:4[1-9a-fA-F]|5[0-9aA]|6[1-9a-fA-F]|7[0-9aA]|u00[4-7])", source))
    hidden = call.taint(Datum.DECODED, "percent signs") if letters >= 3 else NO_TAINTS
    return text(made, all_taints(call.arg(0)) | hidden)


def _escape(call: HostCall) -> Value:
    source = known_text(call.arg(0))
    return unknown(call.taints) if source is None else text(quote(source), call.taints)


def _char_codes(call: HostCall) -> Value:
    numbers = [as_number(arg) for arg in call.args]
    hidden = call.taint(Datum.DECODED, "character codes")
    chars = [int(each) & 0xFFFF for each in numbers if each is not None and each == each]
    if len(chars) != len(call.args):
        return unknown(call.taints | (hidden if call.taints else NO_TAINTS))
    return text("".join(map(chr, chars)), call.taints | hidden)


def _buffer(call: HostCall) -> Value:
    given, encoding = call.arg(0), as_text(call.arg(1)).text.lower()
    if given.kind == "list" and isinstance(given.data, list):
        hidden = call.taint(Datum.DECODED, "bytes")
        return bytes_of(given.data, given.taints | hidden)
    source = known_text(given)
    if source is None:
        return unknown(call.taints)
    if encoding in ("base64", "base64url", "hex"):
        made = decoded(call.run, source, encoding, call.node)
        return _as_bytes(str(made.data), made.taints | given.taints)
    return _as_bytes(source, given.taints)


def _as_bytes(source: str, taints: frozenset[Taint]) -> Value:
    latin = all(char <= "\xff" for char in source) and any(char > "\x7f" for char in source)
    data = source.encode("latin-1" if latin else "utf-8", "replace")
    if len(data) > BUFFER_BYTES_MAX or UNKNOWN in source:
        return text(source, taints)
    return bytes_of([number(each) for each in data], taints)


def bytes_of(values: list[Value], taints: frozenset[Taint]) -> Value:
    """Return a buffer that holds these numbers."""
    made = items(values, taints)
    if made.kind == "list":
        made.members = {"#buffer": boolean(True)}
    return made


def _concat(call: HostCall) -> Value:
    listed = call.arg(0)
    parts = listed.data if listed.kind == "list" and isinstance(listed.data, list) else [listed]
    lists = [part.data for part in parts if isinstance(part.data, list)]
    if len(lists) == len(parts):
        return bytes_of([each for listed in lists for each in listed], all_taints(*parts))
    return joined(parts)


def _allocate(call: HostCall) -> Value:
    size = as_number(call.arg(0))
    if size is not None and size >= HUGE_BYTES:
        call.do(Act.EXHAUST, f"{int(size)} bytes at once")
    return unknown()


def _identity(call: HostCall) -> Value:
    return call.arg(0)


def _from_text(call: HostCall) -> Value:
    """Follow `new TextDecoder().decode(bytes)`."""
    given = call.arg(0)
    made = as_text(given)
    return text(made.text, made.taints) if given.kind in ("list", "text") else unknown(call.taints)


def _parse_json(call: HostCall) -> Value:
    source = known_text(call.arg(0))
    taints = all_taints(call.arg(0))
    return unknown(taints) if source is None else json_value(source, taints)


def _stringify(call: HostCall) -> Value:
    from skilllite_sandbox.scan.javascript.members import note_environment

    note_environment(call.run, call.arg(0), call.node)
    return text(UNKNOWN, all_taints(*call.args))


def _listed(call: HostCall) -> Value:
    """Follow `Object.keys`, `.values` and `.entries`."""
    from skilllite_sandbox.scan.javascript.members import note_environment

    given = call.arg(0)
    note_environment(call.run, given, call.node)
    kind = call.name.rpartition(".")[2]
    if given.kind == "object" and isinstance(given.data, dict):
        pairs = list(given.data.items())
    elif given.kind == "list" and isinstance(given.data, list):
        pairs = [(str(position), each) for position, each in enumerate(given.data)]
    else:
        one = unknown(all_taints(given))
        return items([items([one, one]) if kind == "entries" else one], all_taints(given))
    if kind == "keys" or kind == "getOwnPropertyNames" or kind == "ownKeys":
        return items([text(key) for key, _ in pairs])
    if kind == "values":
        return items([value for _, value in pairs])
    return items([items([text(key), value]) for key, value in pairs])


def _assign(call: HostCall) -> Value:
    target = call.arg(0)
    for source in call.args[1:]:
        if target.kind == "object" and isinstance(target.data, dict):
            if source.kind == "object" and isinstance(source.data, dict):
                target.data.update(source.data)
            else:
                add_origins(target, all_taints(source))
    if target.kind == "host" and is_shared(f"{target.data}.*"):
        call.run.do(Act.TAMPER, call.node, f"{target.data} is changed")
    return target


def _reflect_get(call: HostCall) -> Value:
    from skilllite_sandbox.scan.javascript.members import member

    return member(call.run, call.arg(0), call.arg(1), call.node)


def _reflect_apply(call: HostCall) -> Value:
    listed = call.arg(2)
    args = listed.data if listed.kind == "list" and isinstance(listed.data, list) else [listed]
    return call.run.call(call.arg(0), args, call.node, call.arg(1))


def _reflect_construct(call: HostCall) -> Value:
    from skilllite_sandbox.scan.javascript.calls import construct

    listed = call.arg(1)
    args = listed.data if listed.kind == "list" and isinstance(listed.data, list) else [listed]
    if call.arg(0).kind == "host" and call.arg(0).data == "Function":
        return call.run.call_code("Function", args, call.node, call.run.module.scope)
    return construct(call.run, call.arg(0), args, call.node)


def _proxy(call: HostCall) -> Value:
    """Follow `new Proxy(target, handler)`: its properties are what the handler gives."""
    getter, target = call.option("get"), call.arg(0)
    theirs = unknown(call.taint(Datum.WATCHED, f"{PASSES} a proxy"))
    for trap in ("get", "set", "apply", "construct", "getOwnPropertyDescriptor"):
        follower = call.option(trap)
        if target.kind == "host" and follower.kind == "function":
            call.run.later(follower, call.node, target, theirs, theirs, theirs)
    if getter.kind != "function":
        return target
    made = record()
    made.members = {"#get": getter}
    return made


def _define(call: HostCall) -> Value:
    target, key = call.arg(0), call.text(1).text
    name = canonical(f"{target.data}.{key}")
    if target.kind == "host" and is_shared(name) and UNKNOWN not in key:
        call.run.do(Act.TAMPER, call.node, f"{name} is replaced")
        listen_to(call, name)
    value = call.option("value")
    if target.kind == "object" and isinstance(target.data, dict) and value.kind != "undefined":
        target.data[key] = value
    call.call_back_all()
    return target


def listen_to(call: HostCall, name: str) -> None:
    """Follow the functions that a definition puts in the place of something shared."""
    from skilllite_sandbox.scan.javascript.hosts import listen

    for role in ("value", "get", "set"):
        if call.option(role).kind in ("function", "native"):
            listen(call.run, name, call.option(role), call.node)


def _promise(call: HostCall) -> Value:
    """Follow `new Promise(f)`: it gives what f hands on."""
    given: list[Value] = []

    def resolve(run: Interpreter, args: list[Value], node: Node) -> Value:
        given.append(args[0] if args else UNDEFINED)
        return UNDEFINED

    call.run.call_back(call.arg(0), call.node, Value("native", resolve), Value("native", resolve))
    from skilllite_sandbox.scan.javascript.values import either

    return either(*given) if given else NOTHING_KNOWN


def _promise_all(call: HostCall) -> Value:
    return call.arg(0)


def _promisify(call: HostCall) -> Value:
    return call.arg(0)


def _integer(call: HostCall) -> Value:
    source = known_text(call.arg(0))
    if source is None:
        return unknown(call.taints)
    base = as_number(call.arg(1))
    match = re.match(r"\s*([+-]?)(0[xX])?([0-9a-zA-Z]*)", source)
    digits = match[3] if match else ""
    radix = (
        int(base)
        if base is not None and base == base and base
        else (16 if match and match[2] else 10)
    )
    if not 2 <= radix <= 36:
        return number(float("nan"))
    allowed = "0123456789abcdefghijklmnopqrstuvwxyz"[:radix]
    kept = re.match(f"[{allowed}]*", digits.lower())
    if kept is None or not kept[0] or match is None:
        return number(float("nan"))
    made = int(kept[0], radix)
    return number(-made if match[1] == "-" else made, all_taints(call.arg(0)))


def _float(call: HostCall) -> Value:
    return numeric(call.arg(0))


def _string(call: HostCall) -> Value:
    given = as_text(call.arg(0))
    return text(given.text, given.taints)


def _array(call: HostCall) -> Value:
    size = as_number(call.arg(0)) if len(call.args) == 1 else None
    if len(call.args) == 1 and size is not None and 0 <= size <= 4096:
        return items([UNDEFINED] * int(size))
    if size is not None and size >= HUGE_BYTES // 8:
        call.do(Act.EXHAUST, f"{int(size)} elements at once")
    return items(list(call.args))


def _array_from(call: HostCall) -> Value:
    given = call.arg(0)
    if given.kind == "text" and given.known:
        values = [text(char, given.taints) for char in str(given.data)[:4096]]
    elif given.kind == "list" and isinstance(given.data, list):
        values = list(given.data)
    elif given.kind == "object" and isinstance(given.data, dict) and "length" in given.data:
        size = as_number(given.data["length"])
        values = [UNDEFINED] * int(min(size or 0, 4096))
    else:
        values = [unknown(all_taints(given))]
    if len(call.args) > 1:
        mapped = []
        for position, each in enumerate(values):
            mapped.append(call.run.call(call.arg(1), [each, number(position)], call.node))
        values = mapped
    return items(values, given.taints)


def _typed_array(call: HostCall) -> Value:
    given = call.arg(0)
    if given.kind == "text" and call.name.endswith(".from"):
        given = _array_from(call)
    if given.kind == "list" and isinstance(given.data, list):
        return bytes_of(given.data, given.taints)
    return _allocate(call)


def _unpack(call: HostCall) -> Value:
    given = call.arg(0)
    source = as_text(given)
    if given.kind in ("text", "list") and source.known:
        made = decode(source.text, "unpacked")
        hidden = call.taint(Datum.DECODED, call.name)
        return call.call_back(text(UNKNOWN if made is None else made, source.taints | hidden))
    return call.call_back(unknown(call.taints))


def _decipher(call: HostCall) -> Value:
    return host("#decipher", call.taints | call.taint(Datum.DECODED, "a cipher"))


def _deciphered(call: HostCall) -> Value:
    outside = (Datum.FETCHED, Datum.INPUT)
    if any(taint.datum in outside for taint in call.taints):
        return unknown(call.taints)
    return unknown(call.origins)


def _math(call: HostCall) -> Value:
    values = [as_number(arg) for arg in call.args]
    known = [value for value in values if value is not None and value == value]
    if len(known) != len(values) or not known:
        return unknown(call.taints)
    kind = call.name.rpartition(".")[2]
    first = known[0]
    if kind == "floor":
        return number(int(first // 1))
    if kind == "ceil":
        return number(int(-(-first // 1)))
    if kind in ("max", "min"):
        return number(max(known) if kind == "max" else min(known))
    if kind == "abs":
        return number(abs(first))
    if kind in ("round", "trunc"):
        return number(int(first + 0.5) if kind == "round" else int(first))
    return unknown(call.taints)


def _regex(call: HostCall) -> Value:
    made = record()
    made.members = {"source": text(call.text(0).text), "flags": text(call.text(1).text)}
    return made


def _create(call: HostCall) -> Value:
    return call.arg(0) if call.arg(0).kind == "object" else record()


CALLS: dict[str, Handler] = {
    "atob": _decoder("base64"),
    **dict.fromkeys(("unescape", "decodeURIComponent", "decodeURI"), _unescape),
    "encodeURIComponent": _escape,
    **dict.fromkeys(("String.fromCharCode", "String.fromCodePoint"), _char_codes),
    **dict.fromkeys(("Buffer.from", "new Buffer", "Buffer"), _buffer),
    "Buffer.concat": _concat,
    **dict.fromkeys(
        ("Buffer.alloc", "Buffer.allocUnsafe", "new ArrayBuffer", "new SharedArrayBuffer"),
        _allocate,
    ),
    **dict.fromkeys(
        ("new Uint8Array", "Uint8Array.from", "new Uint16Array", "new Int32Array"), _typed_array
    ),
    **dict.fromkeys(("#TextDecoder.decode", "util.TextDecoder.decode"), _from_text),
    **dict.fromkeys(
        ("#TextEncoder.encode", "structuredClone", "Object.freeze", "Object.seal", "encodeURI"),
        _identity,
    ),
    **dict.fromkeys(("Object.getPrototypeOf", "Reflect.getPrototypeOf"), _identity),
    **dict.fromkeys(
        ("Promise.resolve", "util.inspect", "util.format", "querystring.stringify"), _identity
    ),
    "JSON.parse": _parse_json,
    "JSON.stringify": _stringify,
    **dict.fromkeys(
        (
            *("Object.keys", "Object.values", "Object.entries", "Object.getOwnPropertyNames"),
            "Reflect.ownKeys",
        ),
        _listed,
    ),
    "Object.assign": _assign,
    "Reflect.get": _reflect_get,
    "Reflect.construct": _reflect_construct,
    "new Proxy": _proxy,
    **dict.fromkeys(("Reflect.apply", "Function.prototype.call.call"), _reflect_apply),
    **dict.fromkeys(("Object.defineProperty", "Reflect.defineProperty"), _define),
    "Object.create": _create,
    "new Promise": _promise,
    **dict.fromkeys(
        ("Promise.all", "Promise.allSettled", "Promise.race", "Promise.any"), _promise_all
    ),
    **dict.fromkeys(("util.promisify", "util.callbackify"), _promisify),
    "parseInt": _integer,
    "Number.parseInt": _integer,
    **dict.fromkeys(("parseFloat", "Number", "Number.parseFloat"), _float),
    "String": _string,
    **dict.fromkeys(("Array", "new Array", "Array.of"), _array),
    "Array.from": _array_from,
    **dict.fromkeys(
        (
            *("zlib.gunzip", "zlib.inflate", "zlib.inflateRaw", "zlib.unzip"),
            "zlib.brotliDecompress",
        ),
        _unpack,
    ),
    **dict.fromkeys(("crypto.createDecipheriv", "crypto.createDecipher"), _decipher),
    **dict.fromkeys(("#decipher.update", "#decipher.final"), _deciphered),
    **{f"Math.{name}": _math for name in ("floor", "ceil", "max", "min", "abs", "round", "trunc")},
    **dict.fromkeys(("RegExp", "new RegExp"), _regex),
}
