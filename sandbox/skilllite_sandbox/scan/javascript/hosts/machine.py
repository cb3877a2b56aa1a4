"""`process`, `os`, `path` and the clock: what a script can ask about where it runs."""

from __future__ import annotations

import re
from posixpath import basename, dirname, normpath, splitext

from skilllite_sandbox.scan.acts import Act, Datum
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript.hosts.host_call import Handler, HostCall, same_text
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Value,
    all_taints,
    as_text,
    host,
    items,
    text,
    unknown,
)
from skilllite_sandbox.scan.taint import Text, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

_HOMES = ("HOME", "USERPROFILE", "HOMEPATH")
_ORDINARY = re.compile(
    r"PATH|NODE_\w+|DEBUG|TMPDIR|TMP|TEMP|LANG|LC_\w+|TERM|PWD|SHELL|NO_COLOR|FORCE_COLOR|TZ"
    r"|XDG_\w+|SKILLLITE_\w+|npm_\w+|VERBOSE|LOG_LEVEL|PORT|COLUMNS|OSTYPE|PROCESSOR_\w+"
)
_FACTS = ("USER", "USERNAME", "LOGNAME", "HOSTNAME", "COMPUTERNAME", "CI", "GITHUB_ACTIONS")
_MARKS = ("TRAVIS", "JENKINS_URL", "GITLAB_CI", "CODESPACES")


def value_of(run: Interpreter, name: str, node: Node) -> Value | None:
    """Return what a name of the host stands for; None for one that is only called."""
    if name == "process.env":
        return host(name, run.taint(Datum.ENVIRONMENT, node, "process.env"))
    if name.startswith("process.env."):
        return _variable(run, name[len("process.env.") :], node)
    if name == "process.argv":
        given = run.taint(Datum.INPUT, node, "arguments")
        return items([text("node"), text(run.file), unknown(given), unknown(given), unknown(given)])
    if name in ("process.execPath", "process.argv0"):
        return text("node")
    if name in ("import.meta.url", "import.meta.filename"):
        return text(run.file)
    if name == "import.meta.dirname":
        return text(dirname(run.file) or ".")
    if name in ("path.posix", "path.win32"):
        return host("path")
    if name == "path.sep":
        return text("/")
    if name in ("os.EOL",):
        return text("\n")
    if name in ("process.execArgv", "process.features.inspector"):
        return unknown(run.taint(Datum.SYSTEM, node, "debugger"))
    if name in ("process.title", "process.platform", "process.arch", "process.pid", "process.ppid"):
        return NOTHING_KNOWN
    if name in ("process.versions", "process.version", "process.exitCode", "require.main"):
        return NOTHING_KNOWN
    if name == "worker_threads.workerData":
        return run.handed
    if name == "document.cookie":
        run.do(Act.READ_SECRET, node, name)
        return unknown(run.taint(Datum.SECRET, node, name))
    return None


def _variable(run: Interpreter, name: str, node: Node) -> Value:
    if name in _HOMES:
        return text("~")
    if name in ("APPDATA", "LOCALAPPDATA"):
        return text("~/AppData")
    if name in _FACTS or name in _MARKS:
        detail = "user name" if "USER" in name or name == "LOGNAME" else f"${name}"
        return unknown(
            run.taint(
                Datum.SYSTEM,
                node,
                "host name" if "NAME" in name[-4:] and detail[0] == "$" else detail,
            )
        )
    if _ORDINARY.fullmatch(name):
        return NOTHING_KNOWN
    run.record.do(Act.READ_VARIABLE, run.file, run.line_of(node), name)
    return unknown(run.taint(Datum.VARIABLE, node, name))


def _home(call: HostCall) -> Value:
    return text("~")


def _temporary(call: HostCall) -> Value:
    return text("/tmp")


def _fact(detail: str) -> Handler:
    def give(call: HostCall) -> Value:
        call.run.record.do(Act.READ_SYSTEM, call.run.file, call.run.line_of(call.node), call.name)
        return call.made(Datum.SYSTEM, detail)

    return give


def _user_info(call: HostCall) -> Value:
    call.run.record.do(Act.READ_SYSTEM, call.run.file, call.run.line_of(call.node), call.name)
    made = Value("object", {"homedir": text("~")}, call.taint(Datum.SYSTEM, "user name"))
    return made


def _nothing(call: HostCall) -> Value:
    return NOTHING_KNOWN


def _joined_path(call: HostCall) -> Value:
    parts: list[Text] = []
    for arg in call.args:
        each = as_text(arg)
        if each.text[:1] in ("/", "~") and call.name == "path.resolve":
            parts = []
        if each.text:
            parts.append(each)
    made = joined(parts, "/") if parts else Text(".")
    return same_text(Text(_normal(made.text), made.taints))


def _normal(path: str) -> str:
    if not path.strip("/"):
        return "/" if path else "."
    return normpath(path) if path[:1] != UNKNOWN else path.replace("//", "/")


def _path_part(cut: str) -> Handler:
    def give(call: HostCall) -> Value:
        given = call.text(0)
        path = given.text
        if cut == "dirname":
            made = dirname(path.rstrip("/")) or ("/" if path[:1] == "/" else ".")
        elif cut == "basename":
            made = basename(path.rstrip("/")).removesuffix(call.text(1).text)
        elif cut == "extname":
            made = splitext(path)[1]
        else:
            made = _normal(path)
        return text(made, given.taints)

    return give


def _file_url(call: HostCall) -> Value:
    given = as_text(call.arg(0))
    return text(given.text.removeprefix("file://"), given.taints)


def _url(call: HostCall) -> Value:
    """Follow `new URL(…)`: with a base it is a path beside this script."""
    first, base = as_text(call.arg(0)), call.arg(1)
    if base.kind == "text" and not as_text(base).text.startswith("http"):
        folder = dirname(as_text(base).text)
        return text(_normal(f"{folder}/{first.text}"), first.taints)
    made = text(first.text, all_taints(*call.args))
    made.members = {"searchParams": host("#URLSearchParams", made.taints)}
    return made


def _variable_by_name(call: HostCall) -> Value:
    name = call.text(0)
    return _variable(call.run, name.text, call.node) if name.known else unknown(call.taints)


def _environment(call: HostCall) -> Value:
    call.run.record.do(Act.READ_ENVIRONMENT, call.run.file, call.run.line_of(call.node), call.name)
    return call.made(Datum.ENVIRONMENT, call.name)


def _date(call: HostCall) -> Value:
    if call.args and call.arg(0).known:
        return unknown(call.taints)
    return unknown(call.taint(Datum.INPUT, "date"))


def _on_process(call: HostCall) -> Value:
    for arg in call.args[1:]:
        if arg.kind in ("function", "native") and call.text(0).text == "message":
            call.run.later(arg, call.node, call.run.handed)
        elif arg.kind in ("function", "native"):
            call.run.call_back(arg, call.node, NOTHING_KNOWN)
    return call.receiver


ASKS_FOR_PASSWORD = re.compile(r"\bsudo|password for|passphrase|\broot\b|keychain", re.IGNORECASE)


def _ask(call: HostCall) -> Value:
    """Follow `readline.question`: somebody is asked, for the machine's password perhaps."""
    asked = call.text(0).text
    if ASKS_FOR_PASSWORD.search(asked):
        call.do(Act.WATCH_USER, f"asks for a password: {asked}")
        answer = call.made(Datum.WATCHED, asked)
    else:
        answer = call.made(Datum.INPUT, "an answer")
    if call.args and call.args[-1].kind in ("function", "native"):
        call.run.call_back(call.args[-1], call.node, answer)
    return answer


def _interface(call: HostCall) -> Value:
    return host("#readline", call.taints or call.taint(Datum.INPUT, "input"))


def _exit(call: HostCall) -> Value:
    return UNDEFINED


def _kill(call: HostCall) -> Value:
    call.do(Act.KILL, call.text(0).text)
    return UNDEFINED


def _rights(call: HostCall) -> Value:
    call.do(Act.GAIN_RIGHTS, call.name)
    return UNDEFINED


def _inspector(call: HostCall) -> Value:
    call.do(Act.DETECT, call.name)
    return NOTHING_KNOWN


CALLS: dict[str, Handler] = {
    "os.homedir": _home,
    "os.tmpdir": _temporary,
    "os.hostname": _fact("host name"),
    "os.userInfo": _user_info,
    "os.networkInterfaces": _fact("a network address"),
    **dict.fromkeys(("os.release", "os.version", "os.uptime"), _fact("the system")),
    **dict.fromkeys(
        (
            *("os.platform", "os.type", "os.arch", "os.cpus", "os.totalmem", "os.freemem"),
            *("os.loadavg", "os.endianness", "os.availableParallelism", "process.cwd"),
            *("process.uptime", "process.hrtime", "process.memoryUsage", "process.cpuUsage"),
            *("process.getuid", "performance.now", "process.chdir", "process.emitWarning"),
        ),
        _nothing,
    ),
    **dict.fromkeys(("path.join", "path.resolve"), _joined_path),
    **{f"path.{cut}": _path_part(cut) for cut in ("dirname", "basename", "extname", "normalize")},
    "Deno.env.get": _variable_by_name,
    "Deno.env.toObject": _environment,
    "url.fileURLToPath": _file_url,
    "url.pathToFileURL": _file_url,
    "new URL": _url,
    **dict.fromkeys(("Date.now", "Date", "new Date"), _date),
    **dict.fromkeys(("process.on", "process.once", "process.stdin.on"), _on_process),
    **{f"worker_threads.parentPort.{verb}": _on_process for verb in ("on", "once")},
    **dict.fromkeys(("process.exit", "process.abort"), _exit),
    "process.kill": _kill,
    "#readline.question": _ask,
    **dict.fromkeys(
        ("readline.createInterface", "new readline.Interface", "new readline.Readline"), _interface
    ),
    **dict.fromkeys(("process.setuid", "process.setgid", "process.seteuid"), _rights),
    **dict.fromkeys(("inspector.url", "inspector.waitForDebugger"), _inspector),
}
