"""Archives: what is put into them, and where they are unpacked to."""

from __future__ import annotations

import ast
import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN, Place, place_written
from skilllite_sandbox.scan.python.hosts import files
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import Value, all_taints, unknown

Args = list[Value]
Keywords = dict[str, Value]

_PACKS = re.compile(r"^(?:tarfile\.\w+(?:\.open)?\(\)\.add|zipfile\.ZipFile\(\)\.write)$")
_OPENS = re.compile(r"^(?:zipfile\.ZipFile|tarfile\.(?:open|TarFile(?:\.open)?))$")
_UNPACKS = re.compile(r"^(?:zipfile|tarfile)\..*\.(?:extractall|extract|_extract_member)$")


def call(
    run: Interpreter, ref: str, callee: Value, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    """Return what a call gives that has to do with archives; None when it is none."""
    if _PACKS.match(ref) and args and callee.owner is not None:
        return _pack(run, callee.owner, args[0], node)
    if _OPENS.match(ref):
        opened = files.opened(run, args, "r", node) if args else Value()
        taints = all_taints(opened) | unknown(*args, *keywords.values()).taints
        target = keywords.get("fileobj") or (args[0] if args else None)
        return Value(ref=f"{ref}()", attrs={"path": target} if target else {}, taints=taints)
    if ref == "shutil.make_archive" and args:
        return _archive_of_folder(run, args, keywords, node)
    if _UNPACKS.match(ref):
        return _unpack(run, ref, callee, args, keywords, node)
    return None


def _pack(run: Interpreter, archive: Value, path: Value, node: ast.AST) -> Value:
    content = files.read(run, path, node)
    archive.taints |= all_taints(content)
    target = (archive.attrs or {}).get("path")
    if target is not None and target.ref:
        target.taints |= all_taints(content)
    elif target is not None:
        files.write(run, target, archive, node)
    return Value()


def _archive_of_folder(run: Interpreter, args: Args, keywords: Keywords, node: ast.AST) -> Value:
    root = keywords.get("root_dir") or (args[2] if len(args) > 2 else Value())
    content = files.read(run, root, node)
    suffix = args[1].text() if len(args) > 1 else "zip"
    made = Value(f"{args[0].text()}.{suffix}", taints=all_taints(content))
    files.write(run, made, content, node)
    return made


def _unpack(
    run: Interpreter, ref: str, callee: Value, args: Args, keywords: Keywords, node: ast.AST
) -> Value:
    if ref.startswith("tarfile") and "filter" not in keywords and "members" not in keywords:
        run.do(Act.UNPACK_ANYWHERE, node, "a tar archive")
    where = (keywords.get("path") or (args[0] if args else Value("."))).text()
    if callee.owner is not None and callee.owner.has(Datum.FETCHED) and where != UNKNOWN:
        run.record_written[where] = unknown(callee.owner)
        if place_written(f"{where}/x") is not Place.OWN:
            run.flow(callee.owner, Sink.WRITE_HOST_FILE, node, where)
    return Value()
