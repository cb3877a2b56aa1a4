"""What starts other programs: child processes, workers, clusters, and code as such."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.javascript.hosts.host_call import (
    Handler,
    HostCall,
    known_text,
    same_text,
)
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Value,
    add_origins,
    all_taints,
    as_text,
    boolean,
    host,
    native,
    text,
    unknown,
)
from skilllite_sandbox.scan.shell.call import decisive
from skilllite_sandbox.scan.taint import LOADED_BY_READERS, Text

_SHELL = re.compile(r"(?:^|/)(?:ba|z|da|k|a)?sh$|^cmd(?:\.exe)?$|powershell|pwsh")
_INTERPRETER = re.compile(r"(?:^|/)(?:python[\d.]*|perl|ruby|node|php)$")


def run_command_line(call: HostCall) -> Value:
    """Follow `exec`: a command line for a shell."""
    command = call.text(0)
    call.do(Act.RUN_SHELL, command.text)
    call.flow(decisive(command).taints, Sink.RUN_SHELL, "a shell")
    out = _follow_shell(call, command)
    return call.call_back(_child(call, out, shell=False))


def _follow_shell(call: HostCall, command: Text) -> Text:
    from skilllite_sandbox.scan.shell.engine import follow_command

    run = call.run
    files = {name: as_text(value) for name, value in run.files.items()}
    line = run.line_of(call.node)
    out = follow_command(run.record, run.budget, command, run.file, line, run.skill, files)
    _keep_files(call, files)
    return out


def _follow_words(call: HostCall, words: list[Text]) -> Text:
    from skilllite_sandbox.scan.shell.engine import follow_words

    run = call.run
    files = {name: as_text(value) for name, value in run.files.items()}
    line = run.line_of(call.node)
    out = follow_words(run.record, run.budget, words, run.file, line, run.skill, files)
    _keep_files(call, files)
    return out


def _keep_files(call: HostCall, files: dict[str, Text]) -> None:
    for name, content in files.items():
        if name not in call.run.files:
            call.run.files[name] = same_text(content)


def _child(call: HostCall, out: Text, *, shell: bool) -> Value:
    made = host("#shell" if shell else "#child", out.taints)
    printed = unknown(out.taints)
    made.members = {
        "stdout": host("#output", out.taints),
        "stderr": NOTHING_KNOWN,
        "output": printed,
    }
    if shell:
        made.members["stdin"] = host("#shell.stdin")
    else:
        made.members["stdin"] = host("#child.stdin")
    return made


def _spawn(call: HostCall) -> Value:
    """Follow `spawn` and `execFile`: a program and its arguments."""
    program = call.text(0)
    listed = call.arg(1)
    _note_environment(call)
    if call.name == "child_process.fork":
        return _fork(call)
    words = [program]
    if listed.kind == "list" and isinstance(listed.data, list):
        words += [as_text(each) for each in listed.data]
    elif listed.kind not in ("object", "function", "native", "undefined"):
        words.append(as_text(listed))
    call.do(Act.RUN_PROGRAM, " ".join(word.text for word in words))
    call.flow(program.taints, Sink.RUN_PROGRAM, program.text)
    is_shell = bool(_SHELL.search(program.text)) or program.text == ""
    if call.option("shell").kind in ("bool", "text") and call.option("shell").data:
        line = Text(" ".join(word.text for word in words), all_taints(*call.args[:2]))
        call.flow(decisive(line).taints, Sink.RUN_SHELL, "a shell")
        return _child(call, _follow_shell(call, line), shell=is_shell)
    _note_itself(call, words)
    out = _follow_words(call, words)
    reads_commands = is_shell or bool(_INTERPRETER.search(program.text) and len(words) == 1)
    wired = all_taints(call.option("stdio"))
    if reads_commands and wired:
        call.flow(wired, Sink.RUN_SHELL, "a shell")
    fed = all_taints(call.option("input"))
    if reads_commands and fed:
        call.flow(fed, Sink.RUN_SHELL, "a shell")
    return call.call_back(_child(call, out, shell=reads_commands))


def _note_environment(call: HostCall) -> None:
    """Write down variables that make the program load something else first."""
    given = call.option("env")
    names = given.data if given.kind == "object" and isinstance(given.data, dict) else {}
    for name in ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "NODE_OPTIONS"):
        if name in names:
            call.do(Act.LOAD_NATIVE, f"{name}={as_text(names[name]).text}")
            call.flow(all_taints(names[name]), Sink.LOAD_NATIVE, name)


def _note_itself(call: HostCall, words: list[Text]) -> None:
    """Write down a script that starts itself again, with nothing that decides whether."""
    itself = any(word.text == call.run.file for word in words[1:2]) and words[0].text == "node"
    if itself and not call.run.guards:
        call.do(Act.EXHAUST, "starts itself over and over")


def _fork(call: HostCall) -> Value:
    path = known_text(call.arg(0))
    call.do(Act.RUN_PROGRAM, path or "a script")
    if path == call.run.file and not call.run.guards:
        call.do(Act.EXHAUST, "starts itself over and over")
    if path is not None and path in call.run.files:
        call.flow(all_taints(call.run.files[path]), Sink.RUN_CODE, path)
    call.flow(all_taints(call.arg(0)), Sink.RUN_CODE)
    return host("#child")


def _shell_input(call: HostCall) -> Value:
    call.flow(call.taints, Sink.RUN_SHELL, "a shell")
    if call.arg(0).kind == "text":
        _follow_shell(call, call.text(0))
    return UNDEFINED


def _worker(call: HostCall) -> Value:
    add_origins(call.run.handed, all_taints(call.option("workerData"), call.option("env")))
    is_code = call.option("eval").data is True
    path = known_text(call.arg(0))
    if is_code:
        call.run.run_code(call.arg(0), call.node, call.run.module.scope)
    elif path is not None and path.startswith("data:"):
        call.run.hide(call.node, "a worker made of a data URL")
    elif path is not None and path in call.run.files:
        call.flow(all_taints(call.run.files[path]), Sink.RUN_CODE, path)
    if path == call.run.file and not call.run.guards:
        call.do(Act.EXHAUST, "starts itself over and over")
    return host("#worker")


def _hand(call: HostCall) -> Value:
    """Follow `worker.postMessage(x)` and `child.send(x)`."""
    add_origins(call.run.handed, call.taints)
    return boolean(True)


def _cluster_fork(call: HostCall) -> Value:
    call.do(Act.RUN_PROGRAM, "cluster.fork")
    return host("#worker")


def _run_code(call: HostCall) -> Value:
    """Follow `vm.run…(code)`."""
    return call.run.run_code(call.arg(0), call.node, call.run.module.scope)


def _script(call: HostCall) -> Value:
    """Follow `new vm.Script(code)` and `vm.compileFunction(code)`: followed where it is made."""
    result = call.run.run_code(call.arg(0), call.node, call.run.module.scope)
    made = host("#script")
    made.members = {
        "runInThisContext": native(lambda run, args, node: result),
        "runInNewContext": native(lambda run, args, node: result),
        "runInContext": native(lambda run, args, node: result),
    }
    return made


def _evaluate(call: HostCall) -> Value:
    return call.run.call_code("eval", call.args, call.node, call.run.module.scope)


def _make_function(call: HostCall) -> Value:
    return call.run.call_code("Function", call.args, call.node, call.run.module.scope)


def _timer(call: HostCall) -> Value:
    """Follow a timer: its function is called, a text is run as code."""
    first = call.arg(0)
    if first.kind == "text" and "." not in call.name:
        return call.run.run_code(first, call.node, call.run.module.scope)
    call.run.call_back(first, call.node, *call.args[2:])
    return NOTHING_KNOWN


def _deno_command(call: HostCall) -> Value:
    """Follow `new Deno.Command(program, {args})` and `Deno.run({cmd})`."""
    command = call.option("cmd")
    args = [call.arg(0), call.option("args")]
    if command.kind == "list" and isinstance(command.data, list) and command.data:
        args = [command.data[0], Value("list", command.data[1:])]
    elif call.arg(0).kind == "list" and isinstance(call.arg(0).data, list):
        listed: list[Value] = call.arg(0).data  # type: ignore[assignment]
        args = [listed[0] if listed else text(""), Value("list", listed[1:])]
    return _spawn(HostCall(call.run, "child_process.spawn", call.receiver, args, call.node))


def _zx(call: HostCall) -> Value:
    return run_command_line(call)


def _output(call: HostCall) -> Value:
    taints = frozenset(
        taint for taint in call.taints if taint.datum not in (Datum.INPUT, Datum.OWN_FILE)
    )
    call.flow(taints, Sink.OUTPUT, "its output")
    if any(LOADED_BY_READERS.search(as_text(arg).text) for arg in call.args):
        call.flow(taints, Sink.SEND, "an image in its output")
    return UNDEFINED


def _repl(call: HostCall) -> Value:
    """Follow `repl.start({input})`: what is read there is run."""
    call.flow(all_taints(call.option("input"), call.arg(0)), Sink.RUN_CODE, "a prompt")
    return NOTHING_KNOWN


CALLS: dict[str, Handler] = {
    "child_process.exec": run_command_line,
    **dict.fromkeys(
        ("child_process.spawn", "child_process.execFile", "child_process.fork"), _spawn
    ),
    **dict.fromkeys(("#shell.stdin.write", "#shell.stdin.end"), _shell_input),
    **dict.fromkeys(("new Worker", "new worker_threads.Worker"), _worker),
    **dict.fromkeys(("#worker.postMessage", "#worker.send", "#child.send"), _hand),
    "cluster.fork": _cluster_fork,
    **dict.fromkeys(
        ("vm.runInThisContext", "vm.runInNewContext", "vm.runInContext", "importScripts"), _run_code
    ),
    **dict.fromkeys(("new vm.Script", "vm.compileFunction", "new vm.SourceTextModule"), _script),
    "repl.start": _repl,
    "eval": _evaluate,
    **dict.fromkeys(("Function", "new Function"), _make_function),
    **dict.fromkeys(
        (
            *("setTimeout", "setInterval", "setImmediate", "queueMicrotask", "process.nextTick"),
            *("timers.setTimeout", "timers.setInterval", "timers.setImmediate"),
        ),
        _timer,
    ),
    **dict.fromkeys(("new Deno.Command", "Deno.run", "Bun.spawn", "Bun.spawnSync"), _deno_command),
    "npm:zx.$": _zx,
    **dict.fromkeys(
        ("console.log", "console.info", "console.error", "console.dir", "process.stdout.write"),
        _output,
    ),
}
