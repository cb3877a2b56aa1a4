"""Programs that run something else: shells, `eval`, and all that takes a command as arguments."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN, is_precious
from skilllite_sandbox.scan.shell.call import invoke, run_code, run_file
from skilllite_sandbox.scan.shell.commands.call import Call, Handler
from skilllite_sandbox.scan.shell.commands.files import note_removal
from skilllite_sandbox.scan.shell.marks import FOUND, FOUND_HERE
from skilllite_sandbox.scan.shell.words import fields_of
from skilllite_sandbox.scan.source import Language
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Text, joined, put_in, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.shell.nodes import Node


def _shell(call: Call) -> Text:
    call.do(Act.RUN_SHELL, call.name)
    for position, arg in enumerate(call.args):
        if re.fullmatch(r"-[a-z]*c", arg.text) and position + 1 < len(call.args):
            code, arguments = call.args[position + 1], call.args[position + 3 :]
            kept, call.shell.own_arguments = call.shell.own_arguments, arguments
            frames, call.shell.frames = call.shell.frames, []
            try:
                return run_code(call.shell, call.node, code, call.stdin)
            finally:
                call.shell.own_arguments, call.shell.frames = kept, frames
    plain = call.plain("oO", ("--rcfile", "--init-file"))
    if call.flag("i") and call.stdin.has(Datum.FETCHED):
        call.flow(call.stdin, Sink.RUN_SHELL, "a remote shell")
    if not plain or call.flag("s"):
        _note_remote_redirect(call)
        if not call.stdin.taints and not call.stdin.text:
            return SOMETHING
        return run_code(call.shell, call.node, call.stdin, EMPTY)
    return _run_path(call, plain[0], plain[1:], Sink.RUN_SHELL)


def _note_remote_redirect(call: Call) -> None:
    """Write down a shell whose output goes to a connection: its input comes from there too."""
    node = call.node
    while node.parent is not None and node.type not in ("redirected_statement", "program"):
        node = node.parent
    source = call.shell.source_of(node)
    targets = re.findall(r"[<>]&\s*(\$?\w+)", source)
    sockets = [call.shell.descriptors.get(_number(call, target)) for target in targets]
    for received in sockets:
        if received is not None:
            call.flow(received, Sink.RUN_SHELL, "a remote shell")
    if re.search(r"/dev/(?:tcp|udp)/", source):
        call.flow(call.made(Datum.FETCHED, "/dev/tcp"), Sink.RUN_SHELL, "a remote shell")


def _number(call: Call, target: str) -> str:
    known = call.shell.set_variable(target[1:]) if target[0] == "$" else None
    return known.text if known is not None else target


def _run_path(call: Call, path: Text, args: list[Text], sink: Sink) -> Text:
    """Follow a file that an interpreter is given."""
    shell = call.shell
    if path.text in ("-", "/dev/stdin"):
        return run_code(shell, call.node, call.stdin, EMPTY)
    content = shell.files.get(path.text)
    if content is None:
        content = shell.content_of(path)
    if content is not None:
        return run_file(shell, call.node, path, content, args, call.stdin, sink=sink)
    if path.taints:
        shell.flow(path, sink, call.node, path.text)
    own = shell.find_own(path.text)
    if own is not None and own.language in _SHELL_TEXTS:
        return shell.run_own(own, call.stdin, args=None if sink is Sink.RUN_CODE else args)
    if path.text.startswith(("http://", "https://")):
        call.do(Act.FETCH, path.text)
        call.flow(call.made(Datum.FETCHED, path.text), sink, path.text)
    return unknown_from(call.stdin, *args)


_SHELL_TEXTS = (Language.SHELL, Language.OTHER_TEXT, Language.MARKDOWN)


def _source(call: Call) -> Text:
    plain = call.args
    if not plain:
        return EMPTY
    path = plain[0]
    if path.text.startswith("/dev/fd/") and path.text in call.shell.files:
        return run_code(call.shell, call.node, call.shell.files[path.text], call.stdin)
    if path.text in ("/dev/stdin", "-"):
        return run_code(call.shell, call.node, call.stdin, EMPTY)
    if not path.text.startswith(("~/", "/etc/")):
        call.do(Act.RUN_CODE if path.taints else Act.READ_OWN_FILE, f"source {path.text}")
    return _run_path(call, path, plain[1:], Sink.RUN_CODE)


def _eval(call: Call) -> Text:
    if not call.args:
        return EMPTY
    return run_code(call.shell, call.node, joined(call.args, " "), call.stdin, Sink.RUN_CODE)


def _wrapper(values: str, *, skip: int = 0) -> Handler:
    """Return the handler of a program that runs its arguments.

    Args:
        values: Letters of its short options that take a value.
        skip: How many of its own arguments come first.
    """

    def follow(call: Call) -> Text:
        rest = _after_options(call.args, values)[skip:]
        return invoke(call.shell, call.node, rest, call.stdin) if rest else SOMETHING

    return follow


def _after_options(args: list[Text], values: str) -> list[Text]:
    position = 0
    while position < len(args):
        word = args[position].text
        if word == "--":
            return args[position + 1 :]
        if word[:1] != "-" or word == "-":
            break
        position += 2 if len(word) == 2 and word[1] in values else 1
    return args[position:]


def _env(call: Call) -> Text:
    split = call.value("-S", "--split-string")
    if split is not None:
        return run_code(call.shell, call.node, split, call.stdin)
    rest = _after_options(call.args, "uC")
    while rest and re.match(r"\w+=", rest[0].text):
        name, _, value = rest[0].text.partition("=")
        call.shell.set(name, Text(value, rest[0].taints), call.node)
        rest = rest[1:]
    if rest:
        return invoke(call.shell, call.node, rest, call.stdin)
    if call.has("-i", "-"):
        return EMPTY
    call.do(Act.READ_ENVIRONMENT, "env")
    return call.made(Datum.ENVIRONMENT, "env")


def _sudo(call: Call) -> Text:
    call.do(Act.GAIN_RIGHTS)
    rest = _after_options(call.args, "ugpCcTUhD")
    if call.name in ("su", "runuser"):
        code = call.value("-c", "--command")
        return run_code(call.shell, call.node, code, call.stdin) if code is not None else SOMETHING
    return invoke(call.shell, call.node, rest, call.stdin) if rest else SOMETHING


def _xargs(call: Call) -> Text:
    place = call.value("-I", "-i", "--replace")
    rest = _after_options(call.args, "aEIiLnPsd")
    given = call.stdin
    if not rest:
        return unknown_from(given)
    if place is not None:
        mark = place.text or "{}"
        words = [_filled(arg, mark, given) for arg in rest]
    else:
        parts = given.text.split()[:32]
        values = [Text(word, given.taints) for word in parts if word.strip(UNKNOWN)]
        words = [*rest, *(values or [Text(UNKNOWN, given.taints)])]
    return invoke(call.shell, call.node, words, EMPTY)


def _filled(arg: Text, mark: str, given: Text) -> Text:
    if mark not in arg.text:
        return arg
    value = UNKNOWN if "\n" in given.text.strip() else given.text.strip()
    return put_in(arg, mark, Text(value, given.taints))


def _find(call: Call) -> Text:
    words = call.words
    start = next((i for i, word in enumerate(words) if word[:1] in "-(!"), len(words))
    roots = call.args[:start] or [Text(".")]
    names = [words[i + 1] for i, word in enumerate(words[:-1]) if word in _NAMES]
    narrowed = bool(names) or any(word in _AGES for word in words)
    found = _found(call, roots, names, narrowed=narrowed)
    if "-delete" in words:
        note_removal(call, found, recursive=False)
    for position, word in enumerate(words):
        if word in ("-exec", "-execdir", "-ok", "-okdir"):
            ends = [i for i in range(position, len(words)) if words[i] in (";", "+", "\\;")]
            command = [
                put_in(arg, "{}", found) if "{}" in arg.text else arg
                for arg in call.args[position + 1 : ends[0] if ends else len(words)]
            ]
            if command:
                return invoke(call.shell, call.node, command, EMPTY)
    return found


_NAMES = ("-name", "-iname", "-path", "-ipath")
_AGES = ("-newer", "-mtime", "-atime", "-ctime", "-regex", "-empty", "-size", "-mmin")
_DOCUMENTS = re.compile(
    r"^\*?(?:\.?\*|\.(?:docx?|xlsx?|pptx?|pdf|jpe?g|png|txt|md|csv|sql|zip|key|pem|mp4|db))*$"
)


def _found(call: Call, roots: list[Text], names: list[str], *, narrowed: bool) -> Text:
    """Return the path that stands for what is found."""
    folder = call.shell.absolute(roots[0].text)
    name = names[0].strip("*") if names else ""
    taints = unknown_from(*roots).taints
    wide = not narrowed or any(_DOCUMENTS.match(each) for each in names)
    if wide and is_precious(folder):
        taints |= {call.shell.taint(Datum.SYSTEM, call.node, FOUND)}
    else:
        taints |= {call.shell.taint(Datum.INPUT, call.node, FOUND_HERE)}
    return Text(f"{folder.rstrip('/')}/{UNKNOWN}{name}", taints)


def _trap(call: Call) -> Text:
    if call.args and call.args[0].text not in ("-", "", "-l", "-p"):
        return run_code(call.shell, call.node, call.args[0], EMPTY, Sink.RUN_CODE)
    return EMPTY


def _alias(call: Call) -> Text:
    for arg in call.args:
        name, equals, value = arg.text.partition("=")
        if equals:
            call.shell.aliases[name] = value
            if name in ("sudo", "su", "ssh", "passwd", "git", "ls", "cd"):
                call.do(Act.TAMPER, f"{name} stands for {value}")
    return EMPTY


def _exec(call: Call) -> Text:
    if call.args:
        return invoke(call.shell, call.node, _after_options(call.args, "a"), call.stdin)
    for redirect in (call.node, call.node.parent):
        for child in redirect.named_children if redirect is not None else ():
            if child.type == "file_redirect":
                _open_descriptor(call, child)
    return EMPTY


def _open_descriptor(call: Call, redirect: Node) -> None:
    source = call.shell.source_of(redirect)
    target = redirect.child_by_field_name("destination")
    if target is not None:
        where = joined(fields_of(call.shell, target)).text
        source = source[: target.start_byte - redirect.start_byte] + where
    if (match := re.match(r"\{?(\w*)\}?\s*<?>?&?\s*(/dev/(?:tcp|udp)/.+)", source)) is not None:
        call.do(Act.CONNECT, match[2])
        received = call.made(Datum.FETCHED, match[2])
        call.shell.descriptors[match[1] or "0"] = received
        if not match[1].isdigit():
            call.shell.variables[match[1]] = Text(match[1])
        if match[1] in ("", "0"):
            call.flow(received, Sink.RUN_SHELL, "a remote shell")


def _return(call: Call) -> Text:
    if call.shell.frames and call.shell.guards:
        call.shell.frames[-1].returns = True
    return EMPTY


def _command(call: Call) -> Text:
    if call.has("-v", "-V"):
        return SOMETHING
    rest = _after_options(call.args, "")
    return invoke(call.shell, call.node, rest, call.stdin) if rest else SOMETHING


def _coproc(call: Call) -> Text:
    """Follow `coproc NAME command`: others read from it and write to it by its descriptors."""
    args = [arg for arg in call.args if arg.text not in ("{", "}")]
    name = "COPROC"
    if len(args) > 1 and re.fullmatch(r"[A-Z_]+", args[0].text):
        name, args = args[0].text, args[1:]
    out = invoke(call.shell, call.node, args, EMPTY) if args else SOMETHING
    call.shell.arrays[name] = [Text(name), Text(name)]
    if out.taints:
        call.shell.descriptors[name] = out
    return EMPTY


def _enable(call: Call) -> Text:
    if call.flag("f"):
        call.do(Act.LOAD_NATIVE)
    return EMPTY


def _parallel(call: Call) -> Text:
    words = [arg for arg in call.args if arg.text != ":::"]
    rest = _after_options(words, "jnSI")
    filled = [_filled(arg, "{}", call.stdin) for arg in rest]
    return invoke(call.shell, call.node, filled, call.stdin) if filled else SOMETHING


def _screen(call: Call) -> Text:
    """Follow screen and tmux: a text among their arguments is a command line."""
    for arg in call.args[1:]:
        if " " in arg.text and arg.known:
            call.shell.run_text(arg, call.node)
    call.do(Act.RUN_PROGRAM)
    return SOMETHING


def _container(call: Call) -> Text:
    call.do(Act.RUN_PROGRAM, f"{call.name} {call.words[0] if call.words else ''}")
    if re.search(r"-v\s+/:|--volume[= ]/:|--privileged|docker\.sock|--pid[= ]host", call.line):
        call.do(Act.GAIN_RIGHTS)
    for position, word in enumerate(call.words):
        if re.fullmatch(r"-[a-z]*c", word) and position + 1 < len(call.args) and position > 1:
            run_code(call.shell, call.node, call.args[position + 1], call.stdin)
    call.flow(unknown_from(call.stdin), Sink.RUN_PROGRAM)
    if call.has("secret", "secrets") and re.search(r"\s-o\s*(?:yaml|json|go-)", call.line):
        call.do(Act.READ_SECRET)
        return call.made(Datum.SECRET, call.line)
    return SOMETHING


def _make(call: Call) -> Text:
    call.do(Act.RUN_PROGRAM, call.name)
    source = call.value("-f")
    if source is not None and source.text in ("-", "/dev/stdin"):
        call.flow(call.stdin, Sink.RUN_SHELL)
    return SOMETHING


def _compiler(call: Call) -> Text:
    """Follow a compiler: what it is fed here is code that no engine reads."""
    call.do(Act.RUN_PROGRAM, call.line)
    fed = call.has("-", "/dev/stdin") and call.stdin.text
    written = [call.shell.files[word] for word in call.words if word in call.shell.files]
    if fed or written:
        where = call.shell.line_of(call.node)
        call.shell.record.hide(call.shell.file, where, "code in a language that is not read here")
    return SOMETHING


def _agent(call: Call) -> Text:
    """Follow an agent's own program: it can be told to obey others and to ask nobody."""
    if call.has("mcp", "skills", "skill", "plugin", "extension") and call.has("add", "install"):
        call.do(Act.CHANGE_AGENT)
    elif any(re.match(r"--(?:dangerously|yolo|full-auto|allow-all)", w) for w in call.words):
        call.do(Act.DISARM)
    else:
        call.do(Act.RUN_PROGRAM, call.line)
    return SOMETHING


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("gcc", "cc", "clang", "tcc", "g++", "rustc", "swiftc"), _compiler),
    **dict.fromkeys(
        ("claude", "codex", "gemini", "cursor-agent", "opencode", "skilllite", "openclaw"), _agent
    ),
    **dict.fromkeys(("sh", "bash", "dash", "zsh", "ksh", "ash", "rbash", "fish", "mksh"), _shell),
    **dict.fromkeys(("source", "."), _source),
    "eval": _eval,
    "env": _env,
    **dict.fromkeys(("sudo", "doas", "pkexec", "su", "runuser", "gosu", "run0"), _sudo),
    "xargs": _xargs,
    **dict.fromkeys(("find", "gfind", "fd"), _find),
    "trap": _trap,
    "alias": _alias,
    "exec": _exec,
    "enable": _enable,
    "coproc": _coproc,
    "return": _return,
    "command": _command,
    "parallel": _parallel,
    "make": _make,
    **dict.fromkeys(("screen", "tmux"), _screen),
    **dict.fromkeys(("docker", "podman", "nerdctl", "kubectl"), _container),
    **dict.fromkeys(("builtin", "nohup", "setsid", "time", "busybox"), _wrapper("")),
    **dict.fromkeys(("then", "do", "else", "!"), _wrapper("")),
    **dict.fromkeys(
        ("nice", "ionice", "stdbuf", "caffeinate", "unbuffer", "proxychains"), _wrapper("ncioe")
    ),
    "timeout": _wrapper("ks", skip=1),
    "gtimeout": _wrapper("ks", skip=1),
    **dict.fromkeys(("chroot", "flock"), _wrapper("wE", skip=1)),
    **dict.fromkeys(
        ("unshare", "nsenter", "setpriv", "strace", "script", "watch", "chpst"), _wrapper("tnpeo")
    ),
}
