"""Other programs, and code that is made while it runs."""

from __future__ import annotations

import ast
import itertools
import re
import shlex

from skilllite_sandbox.scan.acts import Act, Analysis, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.other_code import analyse_other_code
from skilllite_sandbox.scan.python.hosts import files
from skilllite_sandbox.scan.python.hosts.names import OWN_ROOT
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import MISSING, Value, all_taints, unknown
from skilllite_sandbox.scan.secret_programs import prints_secrets
from skilllite_sandbox.scan.source import Language
from skilllite_sandbox.scan.taint import Taint

STARTS = re.compile(
    r"^subprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)$"
    r"|^os\.(?:system|popen\d?|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|startfile)$|^pty\.spawn$"
    r"|^asyncio\.(?:subprocess\.)?create_subprocess_(?:exec|shell)$|^commands\.get\w*output$"
    r"|^pexpect\.(?:spawn|run)$|^sh\.\w+$|^plumbum\.|^invoke\.run$|^fabric\.|^trio\.run_process$"
    r"|^(?:distutils|setuptools\._distutils)\.spawn\.spawn$|^pydoc\.(?:pipe|tempfile)pager$|^platform\.popen$"
    r"|^asyncio\.(?:get_running_loop|get_event_loop|new_event_loop)\(\)\.subprocess_(?:exec|shell)$"
    r"|^_posixsubprocess\.fork_exec$|^trio\.lowlevel\.open_process$|^anyio\.run_process$"
)
_SHELL = re.compile(
    r"^os\.(?:system|popen)|getoutput$|getstatusoutput$|_shell$|^commands\.|^pexpect\.run$"
)
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "cmd", "cmd.exe", "powershell"})
_TELLS = re.compile(
    r"(?:^|[|;&\s/])(?:curl|wget|nc|ncat|netcat|ssh|scp|rsync|ftp|sftp|telnet|dig|nslookup|host"
    r"|mail|sendmail|ping|git\s+(?:push|remote)|aws|gsutil|rclone|socat|http|xh)\b"
)
_ENVIRONMENT_COMMANDS = re.compile(r"(?:^|[|;&\s])(?:env|printenv|export\s+-p|set)(?:\s|$|\|)")


def start(
    run: Interpreter, ref: str, args: list[Value], keywords: dict[str, Value], node: ast.AST
) -> Value:
    """Return what a program prints, and note what it does."""
    command = _command(ref, args, keywords)
    text = _line_of(command)
    taints = unknown(*command).taints
    for each in command:
        taints |= all_taints(each)
    shell = bool(_SHELL.search(ref)) or _is_true(keywords.get("shell"))
    first = text.split(" ")[0].rpartition("/")[2] if text else ""
    if run.endless:
        run.do(Act.EXHAUST, node, "programs, in a loop without an end")
    _connected(run, [*args, *keywords.values()], first, node)
    _program_that_was_written(run, command, node)
    value = Value(taints=taints)
    if shell or first in _SHELLS:
        run.do(Act.RUN_SHELL, node, text)
        run.flow(value, Sink.RUN_SHELL, node, text)
    else:
        run.do(Act.RUN_PROGRAM, node, first if UNKNOWN not in first else "")
        if command and all_taints(command[0]):
            run.flow(_read_through(run, command[0], node), Sink.RUN_PROGRAM, node, text)
    if _TELLS.search(text):
        run.flow(value, Sink.SEND, node, text)
    if _MINERS.search(text):
        run.do(Act.EXHAUST, node, "mining")
    _code_on_the_line(run, command, first, node)
    if _INTERPRETERS.match(first) and first.startswith("python") and len(command) > 1:
        run_own(run, command[1], node)
    _itself(run, ref, command, node)
    fed = keywords.get("input") or keywords.get("stdin")
    printed = _follow(run, text, fed, node)
    attrs = {"?command": Value(text)}
    return Value(ref=f"{ref}()", kind="process", attrs=attrs, taints=printed)


def _read_through(run: Interpreter, program: Value, node: ast.AST) -> Value:
    """Return a program's name; that it was decoded asks, but hides nothing once it is known."""
    decoded = {each for each in program.taints if each.datum is Datum.DECODED}
    if not decoded or not program.is_const:
        return program
    run.do(Act.IMPORT_COMPUTED, node, "a program by a name that is decoded")
    return Value(program.const, taints=program.taints - decoded)


def feed(
    run: Interpreter, process: Value, args: list[Value], keywords: dict[str, Value], node: ast.AST
) -> Value:
    """Take note of what a running program is told, and return what it prints."""
    text = (process.attrs or {}).get("?command", Value()).text()
    first = text.split(" ")[0].rpartition("/")[2]
    given = unknown(*args, *keywords.values())
    if first in _SHELLS or first.startswith("python"):
        run.flow(given, Sink.RUN_SHELL, node, first)
    if _TELLS.search(text):
        run.flow(given, Sink.SEND, node, text)
    return Value(taints=process.taints)


def _code_on_the_line(run: Interpreter, command: list[Value], first: str, node: ast.AST) -> None:
    """Take note of code that is handed to an interpreter as a word."""
    if not _INTERPRETERS.match(first):
        return
    for flag, code in itertools.pairwise(command):
        if flag.const in ("-c", "-e", "--eval", "-r", "-p"):
            run.flow(code, Sink.RUN_CODE, node, first)
            if first in ("node", "deno", "bun") and isinstance(code.const, str):
                run.record.add(_javascript_says(run, code.text(), node))


def _itself(run: Interpreter, ref: str, command: list[Value], node: ast.AST) -> None:
    """Take note of a script that starts itself more than once."""
    words = [each.text().removeprefix(f"{OWN_ROOT}/") for each in command]
    if ref == "subprocess.Popen" and words[-1:] == [run.file] and len(words) == 2:
        run.self_starts.add(run.line(node))
        if len(run.self_starts) > 1:
            run.do(Act.EXHAUST, node, "processes: it starts itself, again and again")


_CLIPBOARDS = re.compile(
    r"\b(?:xclip|xsel)\b.*\s-{1,2}o|\bpbpaste\b|\bwl-paste\b|Get-Clipboard", re.IGNORECASE
)
_MINERS = re.compile(r"stratum\+\w+://|\b(?:xmrig|minerd|cpuminer|ethminer|nbminer|t-rex)\b")
_INTERPRETERS = re.compile(r"^(?:python[\d.]*|node|perl|ruby|php|deno|bun)$")


def _command(ref: str, args: list[Value], keywords: dict[str, Value]) -> list[Value]:
    """Return the words of a command; one, when it is a line for a shell."""
    if re.match(r"^os\.(?:exec|spawn)l", ref):
        words = args[1:] if ".spawn" in ref else args
        return [words[0], *words[2:]] if len(words) > 1 else words
    if re.match(r"^os\.(?:exec|spawn|posix_spawn)", ref):
        rest = args[1:] if ".spawn" in ref else args
        items = rest[1].items if len(rest) > 1 else None
        return [rest[0], *(items or [])[1:]] if rest else []
    if ref.startswith("pydoc."):
        return args[1:2] or [Value()]
    if ".subprocess_" in ref:
        return args[1:] or [Value()]
    if ref.endswith("_exec") and "asyncio" in ref:
        return args
    if ref.startswith("sh."):
        return [Value(ref.removeprefix("sh.")), *args]
    given = keywords.get("args") or (args[0] if args else Value())
    if given.items is not None:
        return given.items or [Value()]
    return [given, *args[1:2]] if ref == "pexpect.spawn" else [given]


def _line_of(command: list[Value]) -> str:
    if len(command) == 1:
        return command[0].text()
    words = [each.text() for each in command]
    return " ".join(word if UNKNOWN in word else shlex.quote(word) for word in words)


def _is_true(value: Value | None) -> bool:
    return value is not None and bool(value.const) and value.const is not MISSING


def _connected(run: Interpreter, values: list[Value], first: str, node: ast.AST) -> None:
    """Take note of a program whose input or output is a connection: a remote shell."""
    if any(each.kind == "socket" for each in values) or run.redirected:
        taint = run.taint(Datum.FETCHED, node, "a connection")
        origin = Value(taints=frozenset((taint,)))
        run.flow(origin, Sink.RUN_SHELL, node, f"{first} on a connection")


def _program_that_was_written(run: Interpreter, command: list[Value], node: ast.AST) -> None:
    for each in command:
        for word in re.split(r"[\s;&|]+", each.text()):
            written = run.record_written.get(word) if word and word != UNKNOWN else None
            if written is not None:
                run.flow(written, Sink.RUN_PROGRAM, node, word)
                _script_that_was_written(run, written, word, command, node)


def _script_that_was_written(
    run: Interpreter, written: Value, path: str, command: list[Value], node: ast.AST
) -> None:
    """Follow a script that the skill made and starts."""
    if not isinstance(written.const, (str, bytes)):
        return
    text = written.text()
    first = command[0].text().split(" ")[0].rpartition("/")[2]
    mark = text.split("\n", 1)[0] if text.startswith("#!") else ""
    if path.endswith(".py") or first.startswith("python") or "python" in mark:
        run.run_decoded(written, node)
    elif path.endswith((".js", ".mjs", ".cjs")) or first == "node" or "node" in mark:
        run.record.add(_javascript_says(run, text, node))
    elif first in _SHELLS or path.endswith(".sh") or mark:
        _follow(run, text, None, node)
    else:
        run.record.add(analyse_other_code(text, run.file, run.line(node)))


def _javascript_says(run: Interpreter, text: str, node: ast.AST) -> Analysis:
    from skilllite_sandbox.scan.javascript import analyse_javascript_text

    return analyse_javascript_text(text.replace(UNKNOWN, "unknown"), run.file, run.line(node))


def _follow(run: Interpreter, text: str, fed: Value | None, node: ast.AST) -> frozenset[Taint]:
    """Have the shell engine follow a command, and return what its output comes from."""
    if not text or text == UNKNOWN:
        return frozenset()
    said = _shell_says(run, text, fed, node)
    run.record.add(said)
    first = text.split(" ")[0].rpartition("/")[2]
    if fed is not None and all_taints(fed) and (first in _SHELLS or first.startswith("python")):
        run.flow(fed, Sink.RUN_SHELL, node, first)
    if fed is not None and _TELLS.search(text):
        run.flow(fed, Sink.SEND, node, text)
    origins = {
        Act.READ_SECRET: Datum.SECRET,
        Act.READ_ENVIRONMENT: Datum.ENVIRONMENT,
        Act.READ_SYSTEM: Datum.SYSTEM,
        Act.READ_HOST_FILE: Datum.HOST_FILE,
        Act.FETCH: Datum.FETCHED,
    }
    taints = {
        run.taint(origins[each.act], node, each.detail)
        for each in said.doings
        if each.act in origins
    }
    if (asked := prints_secrets(text[:HEAD_CHARS_MAX])) and not _ENDS_ELSEWHERE.search(text):
        run.do(Act.READ_SECRET, node, asked)
        taints.add(run.taint(Datum.SECRET, node, asked))
    if _CLIPBOARDS.search(text[:HEAD_CHARS_MAX]):
        taints.add(run.taint(Datum.WATCHED, node, "the clipboard"))
    if _ENVIRONMENT_COMMANDS.search(text) and "=" not in text:
        taints.add(run.taint(Datum.ENVIRONMENT, node, text))
    return frozenset(taints)


def _shell_says(run: Interpreter, text: str, fed: Value | None, node: ast.AST) -> Analysis:
    from skilllite_sandbox.scan.shell import analyse_shell_text

    if run.shells >= SHELLS_MAX:
        return Analysis(opaque=())
    run.shells += 1
    if fed is not None and fed.text().strip(UNKNOWN) and fed.const is not MISSING:
        text = f"{text} <<'_END_'\n{fed.text()}\n_END_\n"
    head = text[:HEAD_CHARS_MAX]
    if re.match(r"\S*git\b.*\bremote\s+(?:add|set-url)\b", head):
        run.remotes.append(text)
    elif re.match(r"\S*git\b.*\bpush\b", head) and run.remotes:
        text = "; ".join([*run.remotes[-8:], text])
    elif _BRINGS.search(head):
        run.brought.append(text)
    elif run.brought:
        earlier = [each for each in run.brought[-8:] if _share_a_path(each, text)]
        text = "; ".join([*earlier, text])
    return analyse_shell_text(
        text.replace(UNKNOWN, "unknown-value"),
        run.file,
        run.line(node),
        tuple(run.files.values()),
        run.budget.seconds_left(),
    )


_ENDS_ELSEWHERE = re.compile(r">\s*/dev/null\s*(?:2>&1)?\s*$")
_BRINGS = re.compile(r"^\S*(?:curl|wget|aria2c|scp|rsync|git\s+clone|gh\s+repo\s+clone)\b")


def _share_a_path(one: str, other: str) -> bool:
    words = {each for each in re.split(r"[\s;&|'\"]+", one) if len(each) > 3 and "://" not in each}
    names = {each.rpartition("/")[2] for each in re.split(r"[\s;&|'\"]+", one) if "://" in each}
    names = {each.removesuffix(".git") for each in names if len(each) > 3}
    return any(each in other for each in (words | names) if not each.startswith("-"))


HEAD_CHARS_MAX = 2_000  # of a command line in which its program and verb stand
SHELLS_MAX = 200  # commands of one skill that are followed: each takes a fraction of a millisecond


def run_own(run: Interpreter, path: Value, node: ast.AST) -> None:
    """Follow a file of the skill that is run as Python, whatever it is called."""
    own = files.own_path(run, files.path_text(path))
    if own is None:
        return
    source = run.files[own]
    if source.language is Language.BINARY:
        taint = run.taint(Datum.DECODED, node, own)
        run.record.flow({taint}, Sink.RUN_CODE, run.file, run.line(node), own)
    elif source.language is not Language.PYTHON:
        run.run_module(source)


def run_code(
    run: Interpreter, ref: str, args: list[Value], keywords: dict[str, Value], node: ast.AST
) -> Value:
    """Follow text that becomes code."""
    named = [keywords[name] for name in _CODE_ARGUMENTS if name in keywords]
    code, *more = [*args[:1], *named] or [Value()]
    for each in more:
        run_code(run, ref, [each], {}, node)
    if ref == "runpy.run_path":
        run.do(Act.RUN_CODE, node, ref)
        run.flow(files.written_to(run, code) or code, Sink.RUN_CODE, node, ref)
        run_own(run, code, node)
        return unknown(code)
    if code.kind == "code" and code.attrs is not None:
        code = code.attrs["source"].with_taints(code.taints)
    if ref in ("compile", "builtins.compile"):
        return Value(kind="code", attrs={"source": code}, taints=code.taints)
    run.do(Act.RUN_CODE, node, ref)
    run.flow(code, Sink.RUN_CODE, node, ref)
    for taint in all_taints(code):
        source = run.files.get(taint.detail) if taint.datum is Datum.OWN_FILE else None
        if source is not None and source.language is Language.BINARY:
            hidden = run.taint(Datum.DECODED, node, taint.detail)
            run.record.flow({hidden}, Sink.RUN_CODE, run.file, run.line(node), ref)
    if isinstance(code.const, (str, bytes)):
        run.run_decoded(code, node)
    elif code.kind != "code" and not all_taints(code) and ref.endswith("exec"):
        run.do(Act.RUN_CODE, node, ref)
    return unknown(code)


_CODE_ARGUMENTS = ("source", "stmt", "setup", "code", "path_name", "object", "statement")
CODE = frozenset(
    {
        *("exec", "eval", "compile", "builtins.exec", "builtins.eval", "builtins.compile"),
        *("code.InteractiveInterpreter().runcode", "code.InteractiveInterpreter().runsource"),
        *("runpy.run_path", "runpy.run_code", "execfile"),
        *(
            "timeit.timeit",
            "timeit.repeat",
            "timeit.Timer",
            "timeit.main",
            "doctest.run_docstring_examples",
        ),
        *(
            "cProfile.run",
            "cProfile.runctx",
            "profile.run",
            "pdb.run",
            "pdb.runeval",
            "bdb.Bdb().run",
        ),
        *("trace.Trace().run", "code.InteractiveConsole().push", "code.interact"),
        *("types.FunctionType", "types.CodeType", "importlib._bootstrap._call_with_frames_removed"),
    }
)


def hands_over(value: Value) -> bool:
    """Tell whether calling this runs programs or code."""
    ref = value.ref.removeprefix("builtins.")
    return bool(ref) and value.kind != "method" and (ref in CODE or bool(STARTS.match(ref)))
