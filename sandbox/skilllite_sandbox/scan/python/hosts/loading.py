"""Code that is loaded by hand: from files by their paths, by loaders, by the names of modules."""

from __future__ import annotations

import ast
import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.python.hosts import files, names, programs
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.scope import Function
from skilllite_sandbox.scan.python.values import Value, all_taints, unknown

Args = list[Value]
Keywords = dict[str, Value]

_FROM_PATH = re.compile(
    r"^importlib\.util\.spec_from_file_location$|^(?:imp|importlib\.machinery)\.(?:load_source"
    r"|SourceFileLoader|ExtensionFileLoader|load_dynamic)$"
)
_BYTE_CODE = re.compile(
    r"^(?:importlib\.machinery|importlib\._bootstrap_external|imp)\..*(?:Sourceless|load_compiled)\w*$"
)
_RESOURCES = re.compile(
    r"^(?:importlib\.resources|importlib_resources|pkg_resources)\.(?:read_text|read_binary|open_text"
    r"|resource_string|files\(\)\.joinpath(?:\(\)\.read_(?:text|bytes))?)$"
)
_LOADERS = re.compile(r"^(?:importlib|pkgutil|zipimport|_frozen_importlib)\b")
_GIVES_CODE = ("get_data", "get_source", "get_code", "source_to_code", "exec_module", "load_module")
_ARCHIVE = re.compile(r"\.(?:whl|zip|egg|pyz|jar)$")
_BY_NAME = frozenset({"load_module", "find_module", "import_module"})


def call(run: Interpreter, ref: str, args: Args, keywords: Keywords, node: ast.AST) -> Value | None:
    """Return what a call gives that loads code; None when it is none."""
    if _BYTE_CODE.match(ref):
        taint = run.taint(Datum.DECODED, node, "byte code")
        run.record.flow({taint}, Sink.RUN_CODE, run.file, run.line(node), ref)
        return Value(ref=f"{ref}()")
    if _FROM_PATH.match(ref):
        path = keywords.get("location") or keywords.get("path") or (args[1:2] or [Value()])[0]
        return _from_path(run, ref, path, args, node)
    if ref == "zipimport.zipimporter":
        run.record.hide(run.file, run.line(node), "it imports code out of an archive")
        return Value()
    if ref in ("sys.path.insert", "sys.path.append") and args:
        if _ARCHIVE.search(args[-1].text()):
            run.record.hide(run.file, run.line(node), "it imports code out of an archive")
        written = run.record_written.get(args[-1].text())
        if written is not None:
            run.flow(written, Sink.RUN_CODE, node, args[-1].text())
        return Value()
    if ref == "pkgutil.get_data" and len(args) > 1:
        return files.resource(run, args[1].text())
    if _RESOURCES.match(ref) and args:
        return files.resource(run, args[-1].text())
    if ref == "runpy.run_module" and args:
        return _module_as_program(run, args[0], node)
    if re.match(r"^(?:unittest\.)?mock\.patch\.object$", ref) and len(args) > 2:
        if args[0].ref == "sys" and args[1].const == "argv":
            run.arguments = args[2]
        return Value()
    return None


def _from_path(run: Interpreter, ref: str, path: Value, args: Args, node: ast.AST) -> Value:
    programs.run_own(run, path, node)
    written = files.written_to(run, path)
    if written is not None:
        run.do(Act.RUN_CODE, node, ref)
        run.flow(written, Sink.RUN_CODE, node, ref)
        if isinstance(written.const, (str, bytes)):
            run.run_decoded(written, node)
    return Value(ref=f"{ref}()", taints=unknown(path, *args).taints)


def _module_as_program(run: Interpreter, name: Value, node: ast.AST) -> Value:
    """Follow `python -m NAME` in this process, with the arguments that were put in place."""
    given = run.arguments.items if run.arguments is not None else None
    words = [Value("python3"), Value("-m"), name, *(given or [])[1:]]
    command = Value(items=words, kind="list")
    run.do(Act.RUN_CODE, node, f"the module {name.text()}")
    return programs.start(run, "subprocess.run", [command], {}, node)


def made(run: Interpreter, cls: Value, me: Value, node: ast.AST) -> None:
    """Follow what a loader of the skill's own gives the interpreter to run."""
    if not _LOADERS.match(cls.ref):
        return
    for name in _GIVES_CODE:
        method = (cls.attrs or {}).get(name)
        if method is None or not isinstance(method.function, Function):
            continue
        given = run.call_function(method.function.bound_to(me), [], {}, node)
        if name in ("exec_module", "load_module"):
            continue
        run.do(Act.RUN_CODE, node, f"{name} of a loader")
        run.flow(given, Sink.RUN_CODE, node, f"{name} of a loader")
        run.run_decoded(given, node)


def by_name(run: Interpreter, me: Value, name: str, args: Args, node: ast.AST) -> Value | None:
    """Return the module that an importer which was got hold of somehow gives."""
    if name not in _BY_NAME or not args or not args[0].is_const:
        return None
    module = str(args[0].const)
    if not names.is_dangerous(module) and module not in ("posix", "nt", "socket", "pty"):
        return None
    run.do(Act.IMPORT_COMPUTED, node, f"{module}, by an importer")
    return Value(ref=names.plain_name(module), kind="hidden", taints=all_taints(me))
