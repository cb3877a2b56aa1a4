"""Pure functions and methods of the library, computed on constants. Nothing else is ever called.

Sizes are bounded before and after; whatever fails is not known.
"""

from __future__ import annotations

import ast
import base64
import binascii
import bz2
import codecs
import functools
import gzip
import html
import itertools
import json
import lzma
import operator
import shlex
import string
import struct
import textwrap
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Any

from skilllite_sandbox.policy import MIB
from skilllite_sandbox.scan.python.sizes import (
    SIZE_MAX,
    NotKnown,
    bounded,
    check_call,
    check_method,
    check_template,
)

RANGE_MAX = 8192  # numbers of one range; no loop is followed for longer
LZMA_BYTES_MAX = 16 * MIB  # that a decoder may use; presets of people need less than 10
DECODERS = frozenset(
    {
        *("base64.b64decode", "base64.urlsafe_b64decode", "base64.standard_b64decode"),
        *("base64.decodebytes", "base64.b32decode", "base64.b16decode", "base64.b85decode"),
        *("base64.a85decode", "binascii.unhexlify", "binascii.a2b_base64", "binascii.a2b_hex"),
        *("zlib.decompress", "gzip.decompress", "bz2.decompress", "lzma.decompress"),
        *("codecs.decode", "codecs.encode", "bytes.fromhex", "bytearray.fromhex", "chr"),
        *("marshal.loads", "urllib.parse.unquote", "html.unescape", "bytes", "bytearray"),
        *("binascii.a2b_uu", "quopri.decodestring", "urllib.parse.unquote_to_bytes"),
        *("struct.pack", "str.maketrans"),
    }
)
"""What makes readable what was written so that nobody reads it."""
HIDING_CODECS = frozenset(
    {
        *("unicode_escape", "raw_unicode_escape", "rot13", "rot_13", "hex", "hex_codec", "base64"),
        *("base64_codec", "zlib", "zlib_codec", "bz2", "bz2_codec", "uu", "uu_codec", "utf_7"),
        *("punycode", "idna", "quopri", "quopri_codec"),
    }
)
DECODING_METHODS = frozenset({"translate", "swapcase", "to_bytes"})


def _inflate(data: bytes, wbits: int = zlib.MAX_WBITS, bufsize: int = 0) -> bytes:
    return zlib.decompressobj(wbits).decompress(data, SIZE_MAX)


def _gunzip(data: bytes) -> bytes:
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, SIZE_MAX)


def _unbzip(data: bytes) -> bytes:
    return bz2.BZ2Decompressor().decompress(data, SIZE_MAX)


def _unlzma(data: bytes, **_: Any) -> bytes:
    return lzma.LZMADecompressor(memlimit=LZMA_BYTES_MAX).decompress(data, SIZE_MAX)


def _decode(data: Any, encoding: str = "utf-8", *rest: str) -> Any:
    """Decode as `codecs.decode`, which knows no bound for what was compressed."""
    name = encoding.lower().replace("-", "_").removesuffix("_codec")
    if name in ("zlib", "zip"):
        return _inflate(data)
    return _unbzip(data) if name == "bz2" else codecs.decode(data, encoding, *rest)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "base64.b64decode": base64.b64decode,
    "base64.urlsafe_b64decode": base64.urlsafe_b64decode,
    "base64.standard_b64decode": base64.standard_b64decode,
    "base64.decodebytes": base64.decodebytes,
    "base64.b32decode": base64.b32decode,
    "base64.b16decode": base64.b16decode,
    "base64.b85decode": base64.b85decode,
    "base64.a85decode": base64.a85decode,
    "base64.b64encode": base64.b64encode,
    "base64.urlsafe_b64encode": base64.urlsafe_b64encode,
    "binascii.unhexlify": binascii.unhexlify,
    "binascii.a2b_hex": binascii.a2b_hex,
    "binascii.a2b_base64": binascii.a2b_base64,
    "binascii.hexlify": binascii.hexlify,
    "zlib.decompress": _inflate,
    "gzip.decompress": _gunzip,
    "bz2.decompress": _unbzip,
    "lzma.decompress": _unlzma,
    "zlib.compress": zlib.compress,
    "gzip.compress": gzip.compress,
    "codecs.decode": _decode,
    "codecs.encode": codecs.encode,
    "bytes.fromhex": bytes.fromhex,
    "bytearray.fromhex": bytes.fromhex,
    "bytes.decode": bytes.decode,
    "str.encode": str.encode,
    "str.maketrans": str.maketrans,
    "bytes.maketrans": bytes.maketrans,
    "str.join": str.join,
    "urllib.parse.unquote": urllib.parse.unquote,
    "urllib.parse.unquote_to_bytes": urllib.parse.unquote_to_bytes,
    "html.unescape": html.unescape,
    "json.loads": json.loads,
    "shlex.split": shlex.split,
    "shlex.join": shlex.join,
    "shlex.quote": shlex.quote,
    "textwrap.dedent": textwrap.dedent,
    "ast.literal_eval": ast.literal_eval,
    "struct.pack": struct.pack,
    "struct.unpack": struct.unpack,
    "operator.xor": operator.xor,
    "operator.add": operator.add,
    "operator.sub": operator.sub,
    "operator.concat": operator.concat,
    "operator.getitem": operator.getitem,
    "int.from_bytes": int.from_bytes,
    "int.to_bytes": int.to_bytes,
    "string.ascii_lowercase": str,
}
_BUILTINS: dict[str, Callable[..., Any]] = {
    "chr": chr,
    "ord": ord,
    "len": len,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
    "bytearray": bytes,
    "list": list,
    "tuple": tuple,
    "set": list,
    "dict": dict,
    "sorted": sorted,
    "sum": sum,
    "min": min,
    "max": max,
    "hex": hex,
    "bin": bin,
    "oct": oct,
    "abs": abs,
    "repr": repr,
    "format": format,
    "divmod": divmod,
    "pow": pow,
    "round": round,
    "bool": bool,
    "reversed": lambda values: list(reversed(values)),
    "zip": lambda *values: list(zip(*values, strict=False)),
    "enumerate": lambda values, start=0: list(enumerate(values, start)),
    "range": lambda *values: list(itertools.islice(range(*values), RANGE_MAX)),
    "iter": list,
}
_MODULES = ("base64", "binascii", "codecs", "zlib")
_CONSTANTS = {
    "string.ascii_lowercase": "abcdefghijklmnopqrstuvwxyz",
    "string.ascii_uppercase": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "string.ascii_letters": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "string.digits": "0123456789",
    "os.sep": "/",
    "os.extsep": ".",
    "os.curdir": ".",
    "os.pardir": "..",
    "os.path.sep": "/",
    "os.path.extsep": ".",
    "os.path.curdir": ".",
    "os.path.pardir": "..",
    "os.devnull": "/dev/null",
    "string.punctuation": string.punctuation,
    "string.printable": string.printable,
    "string.hexdigits": string.hexdigits,
    "os.linesep": "\n",
    "math.pi": 3.141592653589793,
}
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        {
            *("join", "replace", "split", "rsplit", "strip", "lstrip", "rstrip", "lower", "upper"),
            *("encode", "format", "translate", "swapcase", "title", "casefold", "splitlines"),
            *("partition", "rpartition", "zfill", "center", "removeprefix", "removesuffix"),
            *("startswith", "endswith", "find", "index", "count", "isdigit", "capitalize"),
            *("expandtabs", "isalpha", "isalnum", "format_map"),
        }
    ),
    bytes: frozenset(
        {
            *("join", "replace", "split", "strip", "decode", "hex", "translate", "lower", "upper"),
            *("find", "index", "startswith", "endswith", "partition", "rpartition", "splitlines"),
            *("lstrip", "rstrip", "count"),
        }
    ),
    int: frozenset({"to_bytes", "bit_length"}),
    list: frozenset({"index", "count"}),
    dict: frozenset({"get", "keys", "values", "items"}),
}


def constant_of(ref: str) -> Any:
    """Return a constant of the library by its dotted name; raises NotKnown."""
    try:
        return _CONSTANTS[ref]
    except KeyError:
        raise NotKnown from None


def call(ref: str, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Compute a pure function.

    Raises:
        NotKnown: it is none of those, or fails.
    """
    function = FUNCTIONS.get(ref) or _BUILTINS.get(ref)
    if function is None:
        raise NotKnown
    return _bounded(
        lambda: check_call(ref, [*map(bounded, args)], keywords),
        functools.partial(function, *args, **keywords),
    )


def method(value: Any, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Compute a pure method; raises as `call`."""
    if name not in _METHODS.get(type(value), ()):
        raise NotKnown
    if name in ("format", "format_map") and "." in value:
        raise NotKnown  # attributes in a format reach anything
    made = _bounded(
        lambda: check_method(bounded(value), name, [*map(bounded, (*args, *keywords.values()))]),
        functools.partial(getattr(value, name), *args, **keywords),
    )
    return list(made) if isinstance(made, (type({}.keys()), type({}.values()))) else made


def binary(operation: ast.operator, left: Any, right: Any) -> Any:
    """Compute an operation on two constants; raises as `call`."""
    function = _OPERATIONS.get(type(operation))
    if function is None:
        raise NotKnown
    if isinstance(operation, ast.Mult):
        sizes = [each for each in (left, right) if isinstance(each, (str, bytes, list, tuple))]
        counts = [each for each in (left, right) if isinstance(each, int)]
        if sizes and counts and len(sizes[0]) * max(counts[0], 0) > SIZE_MAX:
            raise NotKnown
    if isinstance(operation, (ast.Pow, ast.LShift)) and not (
        isinstance(left, (int, float)) and isinstance(right, int) and abs(right) <= 4096
    ):
        raise NotKnown

    def check() -> None:
        bounded(left), bounded(right)
        if isinstance(operation, ast.Mod) and isinstance(left, (str, bytes)):
            given = right if isinstance(right, tuple) else (right,)
            check_template(left if isinstance(left, str) else left.decode("latin-1"), given, "%")

    return _bounded(check, functools.partial(function, left, right))


_OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitXor: operator.xor,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}


def _bounded(check: Callable[[], object], compute: Callable[[], Any]) -> Any:
    """Compute what isn't too large before nor after."""
    try:
        check()
        return bounded(compute())
    except NotKnown:
        raise
    except Exception:  # whatever a pure function thinks of such arguments
        raise NotKnown from None
