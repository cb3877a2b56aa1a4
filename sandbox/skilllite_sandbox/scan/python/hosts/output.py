"""What a skill is given and what it says: standard input and output, JSON, logs."""

from __future__ import annotations

import ast
import json
import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.python.hosts import files
from skilllite_sandbox.scan.python.hosts.names import whole
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import Value, all_taints, unknown

Args = list[Value]
Keywords = dict[str, Value]

SETTINGS_CHARS_MAX = 262_144  # of a data file of the skill that is read into values

_LOG_HANDLERS = re.compile(r"^logging\.handlers\.(?:HTTP|SMTP|SysLog|Socket|Datagram)Handler$")
_PRINTS = re.compile(
    r"^(?:sys\.std(?:out|err)(?:\.buffer)?\.write|(?:logging\.(?:getLogger\(\)\.)?|logger\.)"
    r"(?:debug|info|warn|warning|error|critical|exception|log))$"
)
_READS = frozenset({"json.load", "sys.stdin.read", "sys.stdin.readline", "sys.stdin.buffer.read"})


def call(
    run: Interpreter, ref: str, callee: Value, args: Args, keywords: Keywords, node: ast.AST
) -> Value | None:
    """Return what a call gives that reads input or says something; None when it is none."""
    if ref in _READS:
        return _input(run, args, node)
    if ref == "json.dump" and len(args) > 1:
        return _dump(run, args, node)
    if _LOG_HANDLERS.match(ref):
        run.logs_away = args[0].text() if args else "a log"
        run.do(Act.CONNECT, node, run.logs_away)
        return Value()
    if _PRINTS.match(ref):
        said = unknown(*(whole(run, each, node) for each in args))
        run.flow(said, Sink.OUTPUT, node, "output")
        if run.logs_away and not ref.startswith("sys."):
            run.do(Act.SEND, node, run.logs_away)
            run.flow(said, Sink.SEND, node, run.logs_away)
        return Value()
    return None


def _input(run: Interpreter, args: Args, node: ast.AST) -> Value:
    if args and args[0].kind == "file":
        content = (args[0].attrs or {}).get("content", args[0])
        if isinstance(content.const, str) and len(content.const) < SETTINGS_CHARS_MAX:
            try:
                return run.holdings.lifted(json.loads(content.const), content.taints)
            except (ValueError, RecursionError):
                pass
        return unknown(content)
    if args and all_taints(args[0]):
        return unknown(args[0])
    return Value(taints=frozenset((run.taint(Datum.INPUT, node, "input"),)))


def _dump(run: Interpreter, args: Args, node: ast.AST) -> Value:
    value = whole(run, args[0], node)
    if args[1].kind == "file" and args[1].attrs is not None:
        files.write(run, args[1].attrs.get("path", Value()), value, node)
    else:
        run.flow(value, Sink.OUTPUT, node, "its output")
    return Value()
