"""Interpreters of other languages: code in their arguments or on their standard input."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Analysis, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.shell.call import run_file
from skilllite_sandbox.scan.shell.commands.call import Call, Handler
from skilllite_sandbox.scan.taint import SOMETHING, Text, unknown_from
from skilllite_sandbox.values import replace

_FAMILIES = {
    **dict.fromkeys(("python", "pypy"), "python"),
    **dict.fromkeys(("node", "nodejs", "deno", "bun"), "node"),
}
_CODE_OPTIONS = {"python": ("-c",), "node": ("-e", "--eval", "-p", "--print")}
_STRINGS = re.compile(
    r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|`([^`]*)`|q[qx]?\{([^}]*)\}", re.DOTALL
)
_RUNS = re.compile(
    r"\b(?:system|exec|popen|shell_exec|passthru|spawn|IO\.popen|os\.execute|qx)\b|`"
)
_SOCKETS = re.compile(
    r"IO::Socket|\bSocket\b|TCPSocket|fsockopen|PF_INET|socket\.tcp|Net::(?!DBus)", re.IGNORECASE
)
_REQUESTS = re.compile(
    r"LWP|HTTP::|Net::HTTP|open-uri|file_get_contents\(.http|curl_exec|URI\.", re.IGNORECASE
)
_DECODES = re.compile(
    r"unpack|decode_base64|base64_decode|\bpack\b|gzinflate|str_rot13|Base64|\\x[0-9a-f]{2}"
)
_EVALS = re.compile(r"\beval\b|\bassert\b|instance_eval|load\s*\(|loadstring")
_READS_INPUT = re.compile(r"\bexec\s*\(|\beval\s*\(")


def _interpreter(call: Call) -> Text:
    family = _FAMILIES[re.sub(r"[\d.]+$", "", call.name) or call.name]
    code = _code_of(call, family)
    if code is not None:
        call.do(Act.RUN_CODE, f"{call.name} with code as an argument")
        call.flow(code, Sink.RUN_CODE)
        if _READS_INPUT.search(code.text) and re.search(r"stdin|input\(", code.text):
            call.flow(call.stdin, Sink.RUN_CODE)
        return _follow(call, family, code)
    call.do(Act.RUN_PROGRAM, call.line)
    if call.has("-m", "install") and family == "python":
        return _module(call)
    plain = call.plain("WXrIR")
    if not plain or plain[0].text in ("-", "/dev/stdin"):
        call.flow(call.stdin, Sink.RUN_CODE)
        if call.stdin.text:
            return _follow(call, family, call.stdin)
        return unknown_from(call.stdin)
    path = plain[0]
    content = call.shell.files.get(path.text) or call.shell.content_of(path)
    if content is not None:
        call.flow(content, Sink.RUN_CODE, path.text)
        if content.known and content.text:
            return _follow(call, family, content)
        return unknown_from(content)
    if path.taints:
        call.flow(path, Sink.RUN_CODE, path.text)
    return unknown_from(call.stdin, *call.args)


def _code_of(call: Call, family: str) -> Text | None:
    for position, arg in enumerate(call.args[:-1]):
        if arg.text in _CODE_OPTIONS[family]:
            return call.args[position + 1]
        if family == "python" and re.fullmatch(r"-[A-Za-z]*c", arg.text):
            return call.args[position + 1]
        if arg.text[:1] != "-":
            return None
    return None


def _follow(call: Call, family: str, code: Text) -> Text:
    """Hand code to the engine of its language."""
    if code.text.strip(UNKNOWN):
        nothing = "None" if family == "python" else "null"
        source = code.text.replace(UNKNOWN, nothing)
        shell = call.shell
        said = _analyse(call, family, source)
        printed = {
            shell.taint(flow.datum, call.node, flow.detail)
            for flow in said.flows
            if flow.sink is Sink.OUTPUT
        }
        rest = tuple(flow for flow in said.flows if flow.sink is not Sink.OUTPUT)
        shell.record.add(replace(said, flows=rest))
        return unknown_from(call.stdin, code, Text(UNKNOWN, frozenset(printed)))
    return unknown_from(call.stdin, code)


def _analyse(call: Call, family: str, source: str) -> Analysis:
    shell = call.shell
    file, line = shell.file, shell.line_of(call.node)
    # Imported here: most scripts have no code of these languages in them.
    others, seconds = tuple(shell.skill.values()), shell.budget.seconds_left()
    if family == "python":
        from skilllite_sandbox.scan.python import analyse_python_text

        return analyse_python_text(source, file, line, others, seconds)
    from skilllite_sandbox.scan.javascript import analyse_javascript_text

    return analyse_javascript_text(source, file, line, others, seconds)


def _module(call: Call) -> Text:
    """Follow `python -m NAME`."""
    from skilllite_sandbox.scan.shell.commands import HANDLERS

    position = next((i for i, word in enumerate(call.words) if word == "-m"), None)
    if position is None or position + 1 >= len(call.args):
        return SOMETHING
    name, rest = call.words[position + 1], call.args[position + 2 :]
    if name in ("pip", "pipx", "uv", "ensurepip"):
        return HANDLERS["pip"](Call(call.shell, call.node, "pip", rest, call.stdin))
    if name == "base64":
        return HANDLERS["base64"](Call(call.shell, call.node, "base64", rest, call.stdin))
    if name == "http.server":
        call.do(Act.LISTEN)
    return unknown_from(call.stdin)


def _other(call: Call) -> Text:
    """Follow an interpreter whose language no engine reads, as far as its one-liners tell."""
    for position, arg in enumerate(call.args[:-1]):
        if re.fullmatch(r"-[a-zA-Z0]*[er]", arg.text):
            _other_code(call, call.args[position + 1])
            return unknown_from(call.stdin, *call.args)
    call.do(Act.RUN_PROGRAM, call.line)
    plain = call.plain("Iv")
    if not plain or plain[0].text == "-":
        call.flow(call.stdin, Sink.RUN_CODE)
        if call.stdin.known and call.stdin.text:
            _other_code(call, call.stdin)
    else:
        content = call.shell.files.get(plain[0].text) or call.shell.content_of(plain[0])
        if content is not None:
            call.flow(content, Sink.RUN_CODE, plain[0].text)
            if content.known:
                _other_code(call, content)
            run_file(call.shell, call.node, plain[0], Text(UNKNOWN), [], call.stdin)
    return unknown_from(call.stdin, *call.args)


def _other_code(call: Call, code: Text) -> None:
    source = code.text
    call.flow(code, Sink.RUN_CODE)
    runs, evals = _RUNS.search(source), _EVALS.search(source)
    # What it loads may stand in an option: perl -MLWP::Simple, ruby -rsocket.
    sockets = _SOCKETS.search(call.line) or _SOCKETS.search(source)
    if sockets or _REQUESTS.search(call.line) or _REQUESTS.search(source):
        call.do(Act.CONNECT, f"{call.name} one-liner")
        shell_inside = re.search(r"/bin/(?:ba|z|da)?sh|cmd\.exe|\bsh\s+-i", source)
        if shell_inside or evals or (runs and sockets):
            call.flow(call.made(Datum.FETCHED), Sink.RUN_SHELL, f"{call.name} one-liner")
        if re.search(r"ENV\b|environ|getenv\(\)|\.ssh|/etc/shadow", source):
            call.flow(call.made(Datum.ENVIRONMENT), Sink.SEND, f"{call.name} one-liner")
    if evals and _DECODES.search(source):
        call.flow(call.made(Datum.DECODED), Sink.RUN_CODE, f"{call.name} one-liner")
    if evals and re.search(r"STDIN|<>|gets|\$_", source):
        call.flow(call.stdin, Sink.RUN_CODE)
    if runs or evals:
        call.do(Act.RUN_CODE, f"{call.name} one-liner")
        for match in _STRINGS.finditer(source):
            text = next((group for group in match.groups() if group), "")
            if runs and re.search(r"[a-z]+\s+\S|\|", text):
                call.shell.run_text(Text(text, code.taints), call.node)
    if re.search(
        r"\bfork\b.*\bfork\b|fork\s+while|while\s*\(?1?\)?\s*\{?\s*fork|loop\s*\{?\s*fork", source
    ):
        call.do(Act.EXHAUST, f"{call.name} one-liner")


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys((*_FAMILIES, "python2", "python3", "pypy3"), _interpreter),
    **dict.fromkeys(
        (
            "perl",
            "ruby",
            "php",
            "lua",
            "tclsh",
            "Rscript",
            "osascript-js",
            "pwsh",
            "java",
            "go-run",
        ),
        _other,
    ),
}
