"""Constants that carry code in a form of their own: pickles, YAML tags, templates, settings."""

from __future__ import annotations

import ast
import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.pickles import dangerous_import
from skilllite_sandbox.scan.python.hosts import names, programs
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import Value

PICKLE_BYTES_MAX = 65_536  # of one constant; what is larger stands in a file, which is read there
DEPTH_MAX = 6  # of settings in settings

_YAML_CALL = re.compile(r"!!python/(?:object/(?:apply|new)|name|module):([\w.]+)")
_TEMPLATES = re.compile(
    r"^jinja2\.(?:Template|(?:sandbox\.)?\w*Environment\(\)\.from_string)$|^mako\.template\.Template$"
    r"|^flask\.render_template_string$|^tornado\.template\.Template$"
)
_WALKS = re.compile(r"__(?:globals|class|subclasses|mro|builtins|import|base)__|<%|\bimport os\b")
_QUOTED = re.compile(r"['\"]([^'\"]{4,500})['\"]")
_SETTINGS = re.compile(r"^logging\.config\.(?:dictConfig|dictConfigClass)$")


def carried(data: Value, ref: str) -> str | None:
    """Return the name of what a constant calls when it is read; None when it calls nothing bad."""
    if isinstance(data.const, bytes) and len(data.const) <= PICKLE_BYTES_MAX:
        return dangerous_import(data.const) or None
    if ref.startswith("yaml.") and isinstance(data.const, str):
        for match in _YAML_CALL.finditer(data.const):
            if names.is_dangerous(names.plain_name(match[1])):
                return match[1]
    return None


def read(run: Interpreter, ref: str, args: list[Value], node: ast.AST) -> None:
    """Take note of templates and settings that run something when they are used."""
    if not args:
        return
    if _TEMPLATES.match(ref) and isinstance(args[0].const, str) and _WALKS.search(args[0].const):
        taint = run.taint(Datum.DECODED, node, "a template that reaches for the interpreter")
        run.record.flow({taint}, Sink.RUN_CODE, run.file, run.line(node), ref)
        for match in _QUOTED.finditer(args[0].const):
            if " " in match[1]:
                programs.start(run, "os.system", [Value(match[1])], {}, node)
    elif _SETTINGS.match(ref):
        _factories(run, args[0], node)


def _factories(run: Interpreter, settings: Value, node: ast.AST, depth: int = DEPTH_MAX) -> None:
    """Follow the functions that settings name by texts, under `()`."""
    if settings.attrs is None or not depth:
        return
    factory = settings.attrs.get("()")
    if factory is not None and names.is_dangerous(names.plain_name(factory.text())):
        run.do(Act.IMPORT_COMPUTED, node, f"{factory.text()}, by settings")
        given = [value for key, value in settings.attrs.items() if key != "()"]
        run.call(Value(ref=names.plain_name(factory.text()), kind="hidden"), given, {}, node)
    for value in settings.attrs.values():
        _factories(run, value, node, depth - 1)
