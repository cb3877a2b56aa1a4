"""Files by their numbers, and memory that becomes a program."""

from __future__ import annotations

import ast
import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.python.hosts import files
from skilllite_sandbox.scan.python.hosts.names import DISK_BYTES, MEMORY_BYTES
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import Value, unknown

Args = list[Value]
Keywords = dict[str, Value]

_OPENS_TO_WRITE = re.compile(r"O_(?:WRONLY|RDWR|CREAT|APPEND|TRUNC)")


def _open(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    flags = " ".join(each.text() + each.ref + each.kind for each in args[1:2])
    return files.opened(run, args, "w" if _OPENS_TO_WRITE.search(flags) else "r", node)


def _grow(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    huge = any(isinstance(each.const, int) and each.const > DISK_BYTES for each in args[1:])
    if run.endless or huge:
        run.do(Act.EXHAUST, node, "the disk")
    return Value()


def _write(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) > 1 and args[0].kind == "file" and args[0].attrs is not None:
        files.write(run, args[0].attrs["path"], args[1], node)
    return Value()


def _read(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    return (args[0].attrs or {}).get("content", unknown(args[0])) if args else Value()


def _memory_file(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value:
    return Value(taints=frozenset((run.taint(Datum.DECODED, node, "a program without a file"),)))


def _map(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    protections = [*args[2:], *(keywords.get(k, Value()) for k in ("prot", "flags"))]
    runs = any(isinstance(each.const, int) and each.const & 4 for each in protections)
    runs |= any("PROT_EXEC" in each.ref for each in protections)
    if runs or any(each.kind == "executable" for each in protections):
        taint = run.taint(Datum.DECODED, node, "memory that becomes machine code")
        run.record.flow({taint}, Sink.LOAD_NATIVE, run.file, run.line(node), "mmap")
    return Value(ref="mmap.mmap()", taints=unknown(*args).taints)


def _bytes(
    run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    if not args or not isinstance(args[0].const, int):
        return None
    if args[0].const > MEMORY_BYTES:
        run.do(Act.EXHAUST, node, "memory, at once")
    return Value(kind=f"sized {args[0].const}")


EXACT = {
    "os.open": _open,
    "os.posix_fallocate": _grow,
    "os.ftruncate": _grow,
    **dict.fromkeys(("os.write", "os.pwrite", "os.writev"), _write),
    **dict.fromkeys(("os.read", "os.pread"), _read),
    "os.memfd_create": _memory_file,
    "mmap.mmap": _map,
    **dict.fromkeys(("bytes", "bytearray"), _bytes),
}
